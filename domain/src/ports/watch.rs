//! For whoever watches: figures of everything, and how a run gets on.
use super::PortResult;
use crate::id::RunId;
use crate::lifecycle::run::{OperationStatus, Run};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// How much of everything there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    pub open_issues: HashMap<crate::staff::IssueKind, u32>,
    pub holds: u32,
    /// Whose changes wait in them.
    pub held_people: u32,
    /// People who are to be looked at now, and since when the first of them is.
    pub due: u32,
    pub due_since: Option<DateTime<Utc>>,
    /// When each feed's last delivery was taken in, by the feed's name.
    pub deliveries: HashMap<String, DateTime<Utc>>,
    /// Changes of phones that HR has not got yet, and when the first of them was made.
    pub for_hr: u32,
    pub for_hr_since: Option<DateTime<Utc>>,
    /// What was handed in whole and was not taken in yet, and when the first of it came.
    pub handed_in: u32,
    pub handed_in_since: Option<DateTime<Utc>>,
    /// When the last run that came to its end did so; and the last one over everybody by schedule.
    pub last_run: Option<DateTime<Utc>>,
    pub last_nightly_run: Option<DateTime<Utc>>,
}

/// For whoever watches over Kimlik: numbers, and nobody by name.
#[async_trait]
pub trait Watch: Send + Sync {
    async fn figures(&self, now: DateTime<Utc>) -> PortResult<Figures>;
}

/// What became so far of what a run began, by how it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunProgress {
    pub counts: HashMap<OperationStatus, u32>,
}

/// Watching a run, whichever process carries it out.
#[async_trait]
pub trait WatchRuns: Send + Sync {
    /// `None`: there is no such run.
    async fn progress(&self, run: RunId) -> PortResult<Option<(Run, RunProgress)>>;
}
