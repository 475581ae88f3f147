//! Handing in: what is wrong with the call, what would come of it, what came of it.
use super::input::{StaffRecordsSubmitInput, record};
use super::{
    RecordOutcome, StaffRecordFault, StaffRecordResult, StaffRecordsSubmitPayload, StaffSubmission, StaffSubmissionReport, SubmitMode,
};
use crate::deeds;
use crate::graphql::error::{UserError, UserErrorCode, fault};
use crate::graphql::plan::Plan;
use crate::graphql::run::SyncRun;
use crate::graphql::scalar::RegistryNumber;
use crate::graphql::{allows, caller, house, language};
use crate::language::Language;
use async_graphql::{Context, Result};
use kimlik_domain::access::{About, Deed};
use kimlik_domain::id::{RunId, SubmissionId};
use kimlik_domain::ports::PortError;
use kimlik_domain::staff::intake::Changed;
use kimlik_domain::staff::submission::{self, HandedIn, MOST, MOST_PARTS, NewPart, Record, Report};
use std::sync::Arc;
use uuid::Uuid;

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

pub(super) async fn submit(ctx: &Context<'_>, input: StaffRecordsSubmitInput) -> Result<StaffRecordsSubmitPayload> {
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
pub(super) async fn run_of(ctx: &Context<'_>, run: RunId) -> Result<Option<SyncRun>> {
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

pub(super) fn result(
    index: u32,
    registry_no: Option<kimlik_domain::staff::RegistryNo>,
    outcome: RecordOutcome,
    faults: &[submission::RecordFault],
    say: Language,
) -> StaffRecordResult {
    let one = |fault: &submission::RecordFault| StaffRecordFault {
        kind: fault.kind.into(),
        field: fault.field.clone(),
        message: crate::graphql::fault_words::of(fault.kind, say).to_owned(),
        blocks: fault.kind.blocks().into(),
    };
    StaffRecordResult { index, registry_number: registry_no.map(RegistryNumber), outcome, faults: faults.iter().map(one).collect() }
}
