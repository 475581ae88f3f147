//! The one test binary.
mod directory;
mod embedded;
mod hr;
mod store;
mod surface;
