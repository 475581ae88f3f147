//! What tests share: a small ministry on real parts, the lab (throwaway neighbours), fakes of clock and chance.
pub mod fake_store;
pub mod fakes;
pub mod flaky;
pub mod kannel;
pub mod lab;
pub mod late;
pub mod mail_server;
pub mod ministry;
pub mod postgres;
pub mod receiver;
pub mod scenario;
pub mod staff;
