//! The one test binary.
mod directory;
mod hr;
mod intake;
mod store;
mod surface;
