//! What tests share: the lab (throwaway neighbours), fakes of clock and chance.
pub mod postgres;
