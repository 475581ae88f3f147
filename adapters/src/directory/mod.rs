//! Directories: a real Active Directory, and one in a file for the demo and for tests.
pub mod active_directory;
pub mod embedded;
