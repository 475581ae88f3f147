//! The way of letters: one mail server that takes them from Kimlik. No password, address or text is in what is said of it.
mod letter;
mod smtp;

pub use smtp::{Security, Smtp, SmtpSettings};
