//! Who makes mailboxes: a program of the ministry's.
mod command;

pub use command::{CommandHost, CommandSettings};
