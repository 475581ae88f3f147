//! A directory in a file.
