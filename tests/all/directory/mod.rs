//! The promises of the directory port, kept by every directory; and what only a real one can be asked.
mod active_directory;
mod contract;
mod doctor;
mod outage;
