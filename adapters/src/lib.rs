//! The outside world behind the domain's ports: one folder a neighbour.
pub mod directory;
pub mod hr;
pub mod mail;
pub mod mailbox;
pub mod outbox;
pub mod sms;
pub mod store;
pub mod system;
pub mod tag;
pub mod token;
pub mod webhook;
