//! HR records that were handed in.
use super::PortResult;
use crate::id::SubmissionId;
use crate::staff::submission::{HandedIn, NewPart, Record, Report, Submission};
use async_trait::async_trait;
use chrono::{DateTime, Utc};

/// HR records that were handed in, kept until they were taken in and their idempotency keys have run out.
#[async_trait]
pub trait Submissions: Send + Sync {
    /// Keeps a part, or answers what the same call was answered before.
    async fn hand_in(&self, part: &NewPart) -> PortResult<HandedIn>;
    /// `owner`: if it is theirs.
    async fn submission(&self, id: SubmissionId, owner: Option<&str>) -> PortResult<Option<Submission>>;
    /// The oldest that is whole, not taken in, and in nobody's hands.
    async fn waiting_submission(&self, now: DateTime<Utc>) -> PortResult<Option<Submission>>;
    /// False: it is in somebody else's hands, or was taken in.
    async fn claim_submission(&self, id: SubmissionId, now: DateTime<Utc>, until: DateTime<Utc>) -> PortResult<bool>;
    async fn release_submission(&self, id: SubmissionId) -> PortResult<()>;
    /// Of all parts, in their order.
    async fn submitted_records(&self, id: SubmissionId) -> PortResult<Vec<Record>>;
    /// Keeps the report; the records are erased.
    async fn submission_taken(&self, id: SubmissionId, report: &Report, now: DateTime<Utc>) -> PortResult<()>;
    /// Forgets those from before: taken in, or never whole.
    async fn forget_submissions(&self, before: DateTime<Utc>) -> PortResult<u64>;
}
