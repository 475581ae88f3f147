//! A ministry that lives by itself.
