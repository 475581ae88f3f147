//! The lab: throwaway neighbours that are the real thing, on loopback, one for each test.
// Why: a lab that cannot be set up is a failed test.
#![allow(clippy::unwrap_used)]
pub mod node;
pub mod relay;
pub mod samba;
pub mod tally;

pub use relay::Relay;
pub use samba::{ADMINISTRATION, Certificate, Samba};
pub use tally::Tally;
