//! Holds: changes of one kind and scope that exceeded a limit and wait for an administrator.
use super::limits::{Budget, Scope};
use crate::id::{HoldId, PersonId, RunId};
use crate::staff::RegistryNo;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum HoldStatus {
    Open,
    Approved,
    Rejected,
    /// Nothing is left of it: what it held is no longer to be done.
    Superseded,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub id: HoldId,
    pub status: HoldStatus,
    pub budget: Budget,
    pub scope: Scope,
    /// "62 closings are due, 50 a day are allowed", in plain words.
    pub reasons: Vec<String>,
    pub people: u32,
    /// What an approval of all is for: over the digests of the items.
    pub digest: String,
    pub run: RunId,
    pub created_at: DateTime<Utc>,
    pub decided_at: Option<DateTime<Utc>>,
    pub decided_by: Option<String>,
    pub note: Option<String>,
}

/// One person's held change, with its plan as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldItem {
    pub person: PersonId,
    pub registry_no: RegistryNo,
    pub kind: super::ActionKind,
    pub digest: String,
    pub text: String,
    /// `None`: undecided.
    pub approved: Option<bool>,
}

/// A person's change that waits in an open hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldChange {
    pub hold: HoldId,
    pub kind: super::ActionKind,
    /// Since when the hold is open.
    pub since: DateTime<Utc>,
}

/// What a run asks to be held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldRequest {
    pub id: HoldId,
    pub budget: Budget,
    pub scope: Scope,
    pub reasons: Vec<String>,
    pub items: Vec<HoldItem>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldDecision {
    pub approve: bool,
    /// The digest that the administrator saw; `None` on the terminal, where the list was just printed.
    pub digest: Option<String>,
    /// `None`: everybody in the hold.
    pub people: Option<Vec<PersonId>>,
    pub by: String,
    pub note: Option<String>,
}
