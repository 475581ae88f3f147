//! The life of an account: what it should be (`desired`), what is to be done (`plan`), how much of that at once
//! (`limits`, `hold`), and the use case that carries it out (`reconcile`).
pub mod announce;
pub mod desired;
pub mod hold;
pub mod limits;
pub mod plan;
pub mod policy;
pub mod reason;
pub mod reconcile;
pub mod run;

pub use plan::{Action, ActionKind, PersonPlan, Step};
pub use policy::Policy;
pub use reason::Because;
