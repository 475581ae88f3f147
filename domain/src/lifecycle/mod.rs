//! The life of an account: what it should be (`desired`), what is to be done (`plan`), how much of that at once
//! (`limits`, `hold`), and the use case that carries it out (`reconcile`).
pub mod addresses;
pub mod adoption; // by order
pub mod describe;
pub mod desired;
pub mod difference;
pub mod drift;
pub mod execute;
pub mod grip;
pub mod hold;
pub mod limits;
pub mod look;
mod photo;
pub mod plan;
pub mod policy;
pub mod preview;
pub mod reason;
pub mod reconcile;
mod rename;
pub mod run;
pub mod settle;
pub mod started;
pub mod suspension;
pub mod words;

pub use plan::{Action, ActionKind, PersonPlan, Step};
pub use policy::Policy;
pub use reason::Because;
