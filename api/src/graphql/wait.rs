//! What has to be decided or mended before a card can be what it should be.
use super::error::{Maybe, fault};
use super::issue_kind::DataIssueKind;
use super::provenance::truth_of;
use super::reading::reads;
use super::run::ChangeAction;
use super::unit::Unit;
use super::{fault_words, house, language, said};
use async_graphql::{Context, Enum, Result, SimpleObject};
use chrono::{DateTime, Utc};
use kimlik_domain::access::{About, Deed};
use kimlik_domain::id::PersonId;
use kimlik_domain::lifecycle::words;
use kimlik_domain::ports::OpenIssue;
use kimlik_domain::staff::records::IssueFilter;
use kimlik_domain::staff::{Blocked, IssueDecision};

/// What somebody has to do.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum CardWaitReason {
    /// A hold (bekletme): an administrator has to let the change go ahead.
    Hold,
    /// A decision that is nobody's to guess: whose account it is, or what HR means.
    Decision,
    /// A fault to be mended where it comes from: in HR's record of the person or the unit, or in the directory.
    Correction,
}

/// One thing that a card waits for.
#[derive(SimpleObject)]
pub struct CardWait {
    /// What somebody has to do.
    reason: CardWaitReason,
    /// The same in plain words, in the caller's language: without what HR wrote, and without accounts of others.
    because: String,
    /// Since when it has been waited for.
    since: DateTime<Utc>,
    /// The change that is held. Null: no hold holds it.
    action: Option<ChangeAction>,
    /// The kind of data issue (veri sorunu). Null: it is a hold.
    issue_kind: Option<DataIssueKind>,
    /// What it is about: a column of HR's feed, such as `title_duty`, or an attribute of the directory. Null: the whole, or a hold.
    field: Option<String>,
    /// The personnel unit (personel birimi) that has to see to it. Null: the administrators of head office.
    personnel_unit: Option<Unit>,
}

/// More issues than one person has.
const MOST: u32 = 100;

/// Null: as the provenance of the card.
pub async fn of(ctx: &Context<'_>, person: PersonId, about: About) -> Maybe<Vec<CardWait>> {
    if !reads(ctx, Deed::ReadProvenance, about) {
        return None;
    }
    Some(waits(ctx, person).await)
}

async fn waits(ctx: &Context<'_>, person: PersonId) -> Result<Vec<CardWait>> {
    let house = house(ctx)?;
    let Some(truth) = truth_of(ctx, person).await? else { return Ok(Vec::new()) };
    let held = truth.held.iter().map(|held| CardWait {
        reason: CardWaitReason::Hold,
        because: said(ctx, words::HELD),
        since: held.since,
        action: Some(held.kind.into()),
        issue_kind: None,
        field: None,
        personnel_unit: None,
    });
    let filter = IssueFilter { registry_no: Some(truth.record.person.registry_no.clone()), ..IssueFilter::default() };
    let found = house.records.issues(&filter, None, MOST).await.map_err(|e| fault(ctx, &e))?;
    let tree = house.cards.tree().await.map_err(|e| fault(ctx, &e))?;
    let issues = found.iter().map(|listed| &listed.open).filter(|open| keeps_the_card(open)).map(|open| CardWait {
        reason: reason(open),
        because: fault_words::of(open.issue.kind, language(ctx)).to_owned(),
        since: open.since,
        action: None,
        issue_kind: Some(open.issue.kind.into()),
        field: open.issue.field.clone(),
        personnel_unit: open.issue.personnel_unit.and_then(|unit| tree.units().get(unit)).cloned().map(Unit),
    });
    Ok(held.chain(issues).collect())
}

/// What only keeps somebody from being told, or is only to be looked at, does not change the card.
fn keeps_the_card(open: &OpenIssue) -> bool {
    matches!(open.issue.kind.blocks(), Blocked::Row | Blocked::Opening | Blocked::Account | Blocked::Move | Blocked::CardField)
}

fn reason(open: &OpenIssue) -> CardWaitReason {
    use kimlik_domain::staff::IssueKind::{DuplicatePerson, PossibleAccount, ReasonHolds, UnknownReason};
    match open.issue.kind {
        DuplicatePerson if !open.issue.decisions().contains(&IssueDecision::AcceptAsItIs) => CardWaitReason::Correction,
        DuplicatePerson | PossibleAccount | ReasonHolds | UnknownReason => CardWaitReason::Decision,
        _ => CardWaitReason::Correction,
    }
}
