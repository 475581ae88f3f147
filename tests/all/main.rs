//! The one test binary.
// Why: what fails here is a finding, and a panic is how a test says it.
#![allow(clippy::unwrap_used)]
mod access;
mod access_lab;
mod access_matrix;
mod access_oidc;
mod access_sessions;
mod attacks;
mod desk;
mod desk_lab;
mod desk_page;
mod directory;
mod drift;
mod embedded;
mod forgotten;
mod golden;
mod guide;
pub mod hr;
mod idle;
mod intake;
mod kill;
mod language;
mod laws;
mod lifecycle;
mod mail;
mod mailbox;
mod node;
mod officer;
mod outage;
mod outlook;
mod password;
mod phones;
mod photos;
mod pin;
mod protocol;
mod reminders;
mod schema;
mod sms;
#[macro_use]
mod store;
mod card_changes;
mod cards;
pub mod surface;
mod words;
mod year;
