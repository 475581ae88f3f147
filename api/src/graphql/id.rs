//! Ids of the graph: the kind of thing and its UUID. Clients treat them as opaque; the kind tells a mistaken one.
use super::error::bad_input;
use async_graphql::{ID, Result};
use uuid::Uuid;

pub const CARD: &str = "card";
pub const STAFF: &str = "staff";
pub const UNIT: &str = "unit";
pub const PROVINCE: &str = "province";
pub const RUN: &str = "run";
pub const HOLD: &str = "hold";
pub const OPERATION: &str = "operation";
pub const MESSAGE: &str = "message";
pub const ISSUE: &str = "issue";
pub const GRANT: &str = "grant";
pub const SERVICE: &str = "service";
pub const CHANGE: &str = "change";
pub const AUDIT: &str = "audit";
pub const WEBHOOK: &str = "webhook";
pub const DRIFT: &str = "drift";
pub const SUBMISSION: &str = "submission";

pub fn encode(kind: &str, id: Uuid) -> ID {
    ID(format!("{kind}_{}", id.simple()))
}

pub fn decode(kind: &str, id: &str) -> Option<Uuid> {
    Uuid::try_parse(id.strip_prefix(kind)?.strip_prefix('_')?).ok()
}

/// The next greater one: a list of what lies before it begins with `id`.
pub fn above(id: Uuid) -> Uuid {
    Uuid::from_u128(id.as_u128().saturating_add(1))
}

/// The next smaller one: a list of what lies behind it begins with `id`.
pub fn below(id: Uuid) -> Uuid {
    Uuid::from_u128(id.as_u128().saturating_sub(1))
}

/// An argument named `argument` that must be an id of `kind`.
pub fn argument(kind: &str, argument: &str, id: &ID) -> Result<Uuid> {
    decode(kind, id).ok_or_else(|| bad_input(format!("{argument}: this is not the id of a {kind}.")))
}
