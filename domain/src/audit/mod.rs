//! Who did what to whom, and why. Written in the transaction of the deed.
use crate::id::PersonId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEvent {
    pub at: DateTime<Utc>,
    /// `kimlik` for what it does by itself, else who asked: `cli:root`, `graphql:…`.
    pub actor: String,
    /// `account.open`, `account.move`, `hold.approve`, …
    pub deed: String,
    pub person: Option<PersonId>,
    pub because: String,
    /// What changed: values from and to, steps with their times. No secret, no national id.
    pub detail: serde_json::Value,
}
