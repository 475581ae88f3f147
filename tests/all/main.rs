//! The one test binary.
mod directory;
mod embedded;
mod golden;
mod hr;
mod intake;
mod laws;
mod outage;
mod store;
mod surface;
mod year;
