//! HR records handed in from outside: a result for every record, and a submission to follow.
mod carry; // what is wrong with the call, what comes of it
mod input;

use crate::graphql::error::{Maybe, UserError, fault};
use crate::graphql::issue_kind::{BlockedStep, DataIssueKind};
use crate::graphql::plan::Plan;
use crate::graphql::run::SyncRun;
use crate::graphql::scalar::RegistryNumber;
use crate::graphql::{allows, caller, house, id, language};
use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use carry::{result, run_of, submit};
use chrono::{DateTime, Utc};
use input::StaffRecordsSubmitInput;
use kimlik_domain::access::{About, Caller, Deed, Who};
use kimlik_domain::id::SubmissionId;
use kimlik_domain::staff::submission::{self, Outcome, Report};
use uuid::Uuid;

#[derive(Default)]
pub struct SubmissionQuery;
#[derive(Default)]
pub struct SubmissionMutation;

/// What the records of a submission are.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::staff::submission::Mode")]
pub enum SubmitMode {
    /// Each named person with all postings; says nothing of anybody else.
    Delta,
    /// Everybody. Nobody is closed for not being in it.
    Snapshot,
}

/// What became of a record.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum RecordOutcome {
    /// Taken.
    Accepted,
    /// Taken; something of it somebody should mend.
    WithIssues,
    /// Taken; nothing is done to the account until somebody decides.
    Held,
    /// Not taken: what was known stays.
    Rejected,
    /// Kept; it is taken in when all parts of the snapshot are there.
    Waiting,
}

impl From<Outcome> for RecordOutcome {
    fn from(outcome: Outcome) -> RecordOutcome {
        match outcome {
            Outcome::Accepted => RecordOutcome::Accepted,
            Outcome::WithIssues => RecordOutcome::WithIssues,
            Outcome::Held => RecordOutcome::Held,
            Outcome::Rejected => RecordOutcome::Rejected,
        }
    }
}

/// How a submission stands.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum SubmissionState {
    /// Parts are still missing.
    Collecting,
    /// All of it is there, and is being taken in.
    TakingIn,
    /// It was taken in.
    Taken,
    /// Nothing of it was taken.
    Refused,
}

/// What is wrong with a record.
#[derive(SimpleObject)]
pub struct StaffRecordFault {
    /// What is wrong.
    kind: DataIssueKind,
    /// The field, as docs/integrators/hr-feed.md names it.
    field: Option<String>,
    /// In the caller's language.
    message: String,
    /// What does not happen meanwhile.
    blocks: BlockedStep,
}

/// What became of one record.
#[derive(SimpleObject)]
pub struct StaffRecordResult {
    /// Its place among the records of this call, from 0.
    index: u32,
    /// Null: it is none.
    registry_number: Option<RegistryNumber>,
    /// What became of it.
    outcome: RecordOutcome,
    /// What is wrong with it.
    faults: Vec<StaffRecordFault>,
}

/// What was handed in, however many parts it has.
pub struct StaffSubmission(submission::Submission);

#[Object]
/// What was handed in, however many parts it has. Kept for seven days.
impl StaffSubmission {
    /// Of this submission.
    pub async fn id(&self) -> ID {
        id::encode(id::SUBMISSION, self.0.id.0)
    }
    /// The sender's name for it.
    async fn key(&self) -> &str {
        &self.0.key
    }
    /// What its records are.
    async fn mode(&self) -> SubmitMode {
        self.0.mode.into()
    }
    /// How it stands.
    async fn state(&self) -> SubmissionState {
        match &self.0.report {
            Some(report) if report.refused.is_some() => SubmissionState::Refused,
            Some(_) => SubmissionState::Taken,
            None if self.0.is_whole() => SubmissionState::TakingIn,
            None => SubmissionState::Collecting,
        }
    }
    /// When its first part came.
    async fn made_at(&self) -> DateTime<Utc> {
        self.0.made_at
    }
    /// When it was taken in.
    async fn taken_at(&self) -> Option<DateTime<Utc>> {
        self.0.taken_at
    }
    /// Parts that are there.
    async fn parts(&self) -> u32 {
        self.0.parts
    }
    /// Records that are there.
    async fn records(&self) -> u32 {
        self.0.records
    }
    /// The run that works off whom it changed: to be followed with `syncProgress`. Null: it was not taken in yet, or nobody was changed.
    /// Who may read runs.
    async fn run(&self, ctx: &Context<'_>) -> Maybe<SyncRun> {
        let run = self.0.report.as_ref().and_then(|report| report.run)?;
        run_of(ctx, run).await.transpose()
    }
    /// What came of it. Null: it was not taken in yet.
    async fn report(&self) -> Option<StaffSubmissionReport> {
        self.0.report.as_ref().map(StaffSubmissionReport::of)
    }
    /// Of the records of all parts, those that were not simply accepted; `index` counts over all parts. At most 1,000 at a time.
    #[graphql(complexity = "50 + child_complexity")]
    async fn troubled(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Behind this index. Null: from the beginning.")] after_index: Option<u32>,
    ) -> Vec<StaffRecordResult> {
        let results = self.0.report.iter().flat_map(|report| &report.results);
        let wanted = results.filter(|r| after_index.is_none_or(|after| r.line > after + 1)).take(1_000);
        let say = language(ctx);
        wanted.map(|r| result(r.line - 1, None, r.outcome.into(), &r.faults, say)).collect()
    }
}

/// Figures of a submission.
#[derive(SimpleObject)]
pub struct StaffSubmissionReport {
    /// People who were not known.
    new_people: u32,
    /// People of whom something is other than it was.
    changed_people: u32,
    /// People of whom everything is as it was.
    unchanged_people: u32,
    /// Records that were not taken.
    rejected: u32,
    /// Records that wait for a decision.
    held: u32,
    /// Records of which something should be mended.
    with_issues: u32,
    /// People with an account who are not in the snapshot: each is an issue, nobody is closed for that.
    absent: u32,
    /// The snapshot has shrunk so much that nobody's absence is believed: an issue for the administrators.
    shrunken: bool,
}

impl StaffSubmissionReport {
    fn of(report: &Report) -> StaffSubmissionReport {
        StaffSubmissionReport {
            new_people: report.new_people,
            changed_people: report.changed_people,
            unchanged_people: report.unchanged_people,
            rejected: report.count(Outcome::Rejected),
            held: report.count(Outcome::Held),
            with_issues: report.count(Outcome::WithIssues),
            absent: report.absent,
            shrunken: report.shrunken,
        }
    }
}

/// What came of it.
#[derive(SimpleObject)]
pub struct StaffRecordsSubmitPayload {
    /// To be followed with `staffSubmission`. Null: nothing was kept (dryRun, or userErrors).
    submission: Option<StaffSubmission>,
    /// Figures; those of a dry run too. Null: it was not taken in yet.
    report: Option<StaffSubmissionReport>,
    /// The run that works off whom it changed: to be followed with `syncProgress`. Null: a dry run, it was not taken in yet, or nobody was
    /// changed. Who may read runs.
    run: Option<SyncRun>,
    /// Of a dry run: what would be done to accounts, person by person. Null: more than 500 people would be changed, or the directory does
    /// not answer now.
    plan: Option<Plan>,
    /// One for every record of this call, in their order.
    results: Vec<StaffRecordResult>,
    /// What the caller can mend beside the records themselves.
    user_errors: Vec<UserError>,
}

#[Object]
impl SubmissionQuery {
    /// What was handed in with `staffRecordsSubmit`. Services see what they have handed in themselves.
    async fn staff_submission(&self, ctx: &Context<'_>, #[graphql(desc = "Of the submission.")] id: ID) -> Maybe<StaffSubmission> {
        match id::argument(id::SUBMISSION, "id", &id) {
            Ok(id) => one(ctx, id).await.transpose(),
            Err(error) => allows(ctx, Deed::SubmitRecords, About::Everything).then_some(Err(error)),
        }
    }
}

#[Object]
impl SubmissionMutation {
    /// Hands in HR records, up to 5,000 at a time. They go the way of the HR feed: nobody is closed by being left out, and what
    /// exceeds the limits is held. What is done to accounts follows by itself.
    async fn staff_records_submit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The records.")] input: StaffRecordsSubmitInput,
    ) -> Maybe<StaffRecordsSubmitPayload> {
        if !allows(ctx, Deed::SubmitRecords, About::Everything) {
            return None;
        }
        Some(submit(ctx, input).await)
    }
}

/// Whose submissions somebody sees. `None`: everybody's.
fn own(caller: &Caller) -> Option<String> {
    matches!(caller.who, Who::Service(_)).then(|| caller.actor())
}

/// By its id, where the caller may read it.
pub async fn one(ctx: &Context<'_>, id: Uuid) -> Result<Option<StaffSubmission>> {
    if !allows(ctx, Deed::SubmitRecords, About::Everything) {
        return Ok(None);
    }
    let found = house(ctx)?.submissions.submissions.submission(SubmissionId(id), own(caller(ctx)).as_deref()).await;
    Ok(found.map_err(|e| fault(ctx, &e))?.map(StaffSubmission))
}
