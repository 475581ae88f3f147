//! What tests share: a small ministry on real parts, the lab (throwaway neighbours), fakes of clock and chance.
pub mod fakes;
pub mod ministry;
pub mod scenario;
