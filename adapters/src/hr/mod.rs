//! HR systems: files in a drop folder, a REST feed, and a ministry that lives by itself.
pub mod csv;
mod names;
pub mod photos;
pub mod rest;
pub mod simulated;
