//! The one test binary.
mod directory;
mod hr;
mod store;
mod surface;
