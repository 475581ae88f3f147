//! The one test binary.
mod directory;
mod embedded;
mod hr;
mod intake;
mod store;
mod surface;
