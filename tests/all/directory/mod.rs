//! The promises of the directory port, kept by every directory; and what only a real one can be asked.
// Why: outside of the tests themselves, in what they share, the lint does not know that this is a test.
#![allow(clippy::unwrap_used)]
mod active_directory;
mod contract;
mod doctor;
mod embedded;
mod outage;
mod standing;
