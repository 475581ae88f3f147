//! HR records handed in from outside: a result for every record, and a submission to follow.
use super::error::{Maybe, UserError, UserErrorCode, fault};
use super::issue_kind::{BlockedStep, DataIssueKind};
use super::plan::Plan;
use super::run::SyncRun;
use super::scalar::RegistryNumber;
use super::{allows, caller, house, id, language};
use crate::deeds;
use crate::language::Language;
use async_graphql::{Context, Enum, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use kimlik_domain::access::{About, Caller, Deed, Who};
use kimlik_domain::id::{RunId, SubmissionId};
use kimlik_domain::ports::PortError;
use kimlik_domain::staff::feed::Field;
use kimlik_domain::staff::intake::Changed;
use kimlik_domain::staff::submission::{self, HandedIn, MOST, MOST_PARTS, NewPart, Outcome, Record, Report};
use std::sync::Arc;
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

/// A posting, as HR describes it. Dates are `2026-12-01` or `01.12.2026`.
#[derive(InputObject)]
pub struct StaffPostingInput {
    /// `PERMANENT` (asıl), `SECONDED` (geçici görev) or `ACTING` (vekâlet).
    kind: MaybeUndefined<String>,
    /// DETSİS number.
    unit_code: MaybeUndefined<String>,
    /// Kadro unvanı.
    title_post: MaybeUndefined<String>,
    /// Görev unvanı.
    title_duty: MaybeUndefined<String>,
    /// The first day of the posting.
    starts_on: MaybeUndefined<String>,
    /// The last day of the posting.
    ends_on: MaybeUndefined<String>,
}

/// A person, as HR describes them. A field that is left out says nothing (what is known stays); null and an empty text say "none".
/// Values are texts, because one that cannot be read must not keep the others from being taken.
#[derive(InputObject)]
pub struct StaffRecordInput {
    /// Sicil no, 1 to 16 characters: the person's key.
    registry_number: String,
    /// TCKN, 11 digits.
    national_id: MaybeUndefined<String>,
    /// Ad.
    given_name: MaybeUndefined<String>,
    /// Soyad.
    family_name: MaybeUndefined<String>,
    /// `ACTIVE`, `ON_LEAVE`, `SUSPENDED` or `TERMINATED`.
    status: MaybeUndefined<String>,
    /// HR's own reason (HİTAP number).
    reason_code: MaybeUndefined<String>,
    /// The first day in service.
    employment_starts_on: MaybeUndefined<String>,
    /// The last day in service; closed at 00:00 of the next.
    employment_ends_on: MaybeUndefined<String>,
    /// Any way people write it.
    mobile: MaybeUndefined<String>,
    /// Consent to show the mobile number in the address book.
    mobile_public: MaybeUndefined<bool>,
    /// Any way people write it.
    work_phone: MaybeUndefined<String>,
    /// Dahili.
    extension: MaybeUndefined<String>,
    /// Room.
    office: MaybeUndefined<String>,
    /// File name or address.
    photo: MaybeUndefined<String>,
    /// Sicil no of the superior; none: the head of the unit.
    manager_registry_number: MaybeUndefined<String>,
    /// HR's own time of its last change; what is older than what is held is not taken.
    updated_at: MaybeUndefined<String>,
    /// attr_1 … attr_15, in their order.
    attributes: Option<Vec<Option<String>>>,
    /// All postings of the person: what is not among them is over. Left out: nothing is said of postings.
    postings: Option<Vec<StaffPostingInput>>,
}

/// Which part of a snapshot this is.
#[derive(InputObject)]
pub struct SubmissionPartInput {
    /// The sender's name for the whole snapshot, 1 to 100 characters.
    key: String,
    /// From 1.
    part: i32,
    /// No part comes after this one.
    last: bool,
}

/// Records handed in.
#[derive(InputObject)]
pub struct StaffRecordsSubmitInput {
    /// What the records are.
    mode: SubmitMode,
    /// At most 5,000; more in parts of one submission.
    records: Vec<StaffRecordInput>,
    /// For a snapshot in parts: it counts only when all of them are there, in whatever order they come.
    submission: Option<SubmissionPartInput>,
    /// Only says what would become of the records.
    #[graphql(default_with = "Some(false)")]
    dry_run: Option<bool>,
    /// 1 to 100 characters. The same key with the same input answers the first result again, with another input it is a user error.
    /// Keys belong to the sender and live 7 days.
    idempotency_key: String,
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

fn faults(input: &StaffRecordsSubmitInput) -> Vec<UserError> {
    let one = |code, path: &[&str], message: &str| UserError {
        code,
        path: path.iter().map(|p| (*p).to_owned()).collect(),
        message: message.to_owned(),
    };
    let is_key = |key: &str| (1..=100).contains(&key.chars().count()) && !key.chars().any(char::is_control);
    let mut faults = Vec::new();
    if input.records.is_empty() {
        faults.push(one(UserErrorCode::Invalid, &["records"], "At least one record."));
    }
    if input.records.len() > MOST {
        faults.push(one(UserErrorCode::TooLong, &["records"], "At most 5000 records at a time."));
    }
    if !is_key(&input.idempotency_key) {
        faults.push(one(UserErrorCode::Invalid, &["idempotencyKey"], "A key has 1 to 100 characters."));
    }
    let Some(part) = &input.submission else { return faults };
    if !is_key(&part.key) {
        faults.push(one(UserErrorCode::Invalid, &["submission", "key"], "A key has 1 to 100 characters."));
    }
    if input.mode == SubmitMode::Delta {
        faults.push(one(UserErrorCode::Invalid, &["submission"], "Only a snapshot has parts; a delta is whole by itself."));
    }
    if !u32::try_from(part.part).is_ok_and(|n| (1..=MOST_PARTS).contains(&n)) {
        faults.push(one(UserErrorCode::Invalid, &["submission", "part"], "Parts are numbered from 1 to 1000."));
    }
    faults
}

fn refused(user_errors: Vec<UserError>) -> StaffRecordsSubmitPayload {
    StaffRecordsSubmitPayload { submission: None, report: None, run: None, plan: None, results: Vec::new(), user_errors }
}

async fn submit(ctx: &Context<'_>, input: StaffRecordsSubmitInput) -> Result<StaffRecordsSubmitPayload> {
    let (house, say) = (house(ctx)?, language(ctx));
    let wrong = faults(&input);
    if !wrong.is_empty() {
        return Ok(refused(wrong));
    }
    let mode = input.mode.into();
    let records: Vec<Record> = input.records.into_iter().map(record).collect();
    if input.dry_run.unwrap_or_default() {
        let (report, changed) = house.submissions.rehearse(mode, &records).await.map_err(|e| fault(ctx, &e))?;
        let plan = preview(ctx, changed).await?;
        return Ok(StaffRecordsSubmitPayload { plan, ..answered(None, Some(&report), &records, 0, say) });
    }
    let (key, part, is_last) = match input.submission {
        Some(part) => (format!("s {}", part.key), part.part.unsigned_abs(), part.last),
        None => (format!("c {}", input.idempotency_key), 1, true),
    };
    let part = NewPart {
        ids: (SubmissionId(Uuid::nil()), Uuid::nil()),
        owner: caller(ctx).actor(),
        idempotency_key: input.idempotency_key,
        key,
        mode,
        part,
        is_last,
        records,
        at: house.clock.now(),
    };
    // Why apart from the request: a caller who hangs up must not break off what others wait for.
    let (apart, kept) = (house.clone(), Arc::new(part));
    let handed = {
        let kept = kept.clone();
        let task = async move {
            let (handed, changed) = apart.submissions.hand_in(NewPart::clone(&kept)).await?;
            if let HandedIn::Kept { submission, .. } = &handed {
                deeds::work_off(&apart, submission, changed).await;
            }
            Ok(handed)
        };
        tokio::spawn(task).await
    };
    let handed = handed.map_err(|_| async_graphql::Error::new("Kimlik could not do this. The log says why."))?;
    house.wake.notify_one();
    match handed.map_err(|e| fault(ctx, &e))? {
        HandedIn::Kept { submission, before } => {
            let report = submission.report.clone();
            let run = match report.as_ref().and_then(|report| report.run) {
                Some(run) => run_of(ctx, run).await?,
                None => None,
            };
            Ok(StaffRecordsSubmitPayload { run, ..answered(Some(*submission), report.as_ref(), &kept.records, before, say) })
        }
        HandedIn::OtherInput => {
            let message = "This key was used for another input.";
            Ok(refused(vec![UserError::new(UserErrorCode::IdempotencyKeyReused, "idempotencyKey", message)]))
        }
        HandedIn::Conflict => {
            let message =
                "This part does not fit those that are there: it is there already, lies behind the last one, or is another last one.";
            Ok(refused(vec![UserError::new(UserErrorCode::Conflict, "submission", message)]))
        }
    }
}

/// More would be shown by nobody, and take as long as a run.
const MOST_PLANNED: usize = 500;

async fn preview(ctx: &Context<'_>, changed: Vec<Changed>) -> Result<Option<Plan>> {
    if changed.len() > MOST_PLANNED {
        return Ok(None);
    }
    let house = house(ctx)?;
    let plan = async { house.reconciler().await?.preview_hr(changed).await };
    match plan.await {
        Ok(plan) => Ok(Some(Plan::of(&plan))),
        Err(PortError::Unavailable(_)) => Ok(None),
        Err(error) => Err(fault(ctx, &error)),
    }
}

/// Null where it is not there, or may not be read.
async fn run_of(ctx: &Context<'_>, run: RunId) -> Result<Option<SyncRun>> {
    if !allows(ctx, Deed::ReadRun, About::Everything) {
        return Ok(None);
    }
    let found = house(ctx)?.runs.progress(run).await.map_err(|e| fault(ctx, &e))?;
    Ok(found.map(|(run, _)| SyncRun::of(run)))
}

fn answered(
    submission: Option<submission::Submission>,
    report: Option<&Report>,
    records: &[Record],
    before: u32,
    say: Language,
) -> StaffRecordsSubmitPayload {
    let one = |(index, record): (u32, &Record)| match report {
        Some(report) => {
            let (outcome, faults) = report.result(before + index + 1);
            result(index, record.registry_no(), outcome.into(), faults, say)
        }
        None => result(index, record.registry_no(), RecordOutcome::Waiting, &[], say),
    };
    let whole = report.and_then(|report| report.refused.as_ref()).map(|_| {
        let message = "Nothing of it was taken: too many of its records cannot be right, so the whole is believed to be wrong.";
        UserError::new(UserErrorCode::Invalid, "records", message)
    });
    StaffRecordsSubmitPayload {
        submission: submission.map(StaffSubmission),
        report: report.map(StaffSubmissionReport::of),
        run: None,
        plan: None,
        results: (0..).zip(records).map(one).collect(),
        user_errors: whole.into_iter().collect(),
    }
}

fn result(
    index: u32,
    registry_no: Option<kimlik_domain::staff::RegistryNo>,
    outcome: RecordOutcome,
    faults: &[submission::RecordFault],
    say: Language,
) -> StaffRecordResult {
    let one = |fault: &submission::RecordFault| StaffRecordFault {
        kind: fault.kind.into(),
        field: fault.field.clone(),
        message: super::fault_words::of(fault.kind, say).to_owned(),
        blocks: fault.kind.blocks().into(),
    };
    StaffRecordResult { index, registry_number: registry_no.map(RegistryNumber), outcome, faults: faults.iter().map(one).collect() }
}

/// Left out: no cell. Null: an empty one.
fn record(input: StaffRecordInput) -> Record {
    let public = match input.mobile_public {
        MaybeUndefined::Undefined => MaybeUndefined::Undefined,
        MaybeUndefined::Null => MaybeUndefined::Null,
        MaybeUndefined::Value(yes) => MaybeUndefined::Value(if yes { "yes" } else { "no" }.to_owned()),
    };
    let mut person = cells([
        (Field::RegistryNo, MaybeUndefined::Value(input.registry_number)),
        (Field::NationalId, input.national_id),
        (Field::GivenName, input.given_name),
        (Field::FamilyName, input.family_name),
        (Field::Status, input.status),
        (Field::ReasonCode, input.reason_code),
        (Field::EmploymentStart, input.employment_starts_on),
        (Field::EmploymentEnd, input.employment_ends_on),
        (Field::Mobile, input.mobile),
        (Field::MobilePublic, public),
        (Field::WorkPhone, input.work_phone),
        (Field::Extension, input.extension),
        (Field::Office, input.office),
        (Field::Photo, input.photo),
        (Field::ManagerRegistryNo, input.manager_registry_number),
        (Field::UpdatedAt, input.updated_at),
    ]);
    let attributes = input.attributes.into_iter().flatten();
    person.extend(Field::ATTRS.into_iter().zip(attributes).map(|(field, text)| (field, text.unwrap_or_default())));
    let posting = |p: StaffPostingInput| {
        cells([
            (Field::PostingKind, p.kind),
            (Field::UnitCode, p.unit_code),
            (Field::TitlePost, p.title_post),
            (Field::TitleDuty, p.title_duty),
            (Field::PostingStart, p.starts_on),
            (Field::PostingEnd, p.ends_on),
        ])
    };
    Record { person, postings: input.postings.map(|all| all.into_iter().map(posting).collect()) }
}

fn cells<const N: usize>(said: [(Field, MaybeUndefined<String>); N]) -> Vec<(Field, String)> {
    let cell = |(field, text): (Field, MaybeUndefined<String>)| match text {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some((field, String::new())),
        MaybeUndefined::Value(text) => Some((field, text)),
    };
    said.into_iter().filter_map(cell).collect()
}
