//! Who makes mailboxes: a program of the ministry's.
mod command;
mod left_running;

pub use command::{CommandHost, CommandSettings};
