//! Which cards differ, and why each has not been put right: made from the plan of a look, and again from what is left after
//! the steps were taken. What a plan may not write (an address policy, a protected account) is compared for itself.
use super::difference::{self, Sight};
use super::execute::Ended;
use super::limits::Exceeded;
use super::look::{Look, Planned};
use super::plan::{Action, ActionKind, PersonPlan, Step};
use super::reason::Because;
use super::reconcile::{Reconciler, decision, holds_back};
use crate::account::{Change, Mode, Value};
use crate::card::drift::{CardDrift, DriftField, DriftReason};
use crate::id::PersonId;
use crate::lifecycle::desired::{self, Facts};
use crate::ports::{PersonRecord, PortError, PortResult, Refusal};
use crate::staff::IssueKind;
use chrono::{DateTime, Utc};
use std::collections::HashSet;
use std::sync::Arc;

/// What a settlement does to the row of a card that differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DriftAfter {
    /// The card was not known to differ and does not, or nobody has seen it.
    #[default]
    AsBefore,
    /// It is what it should be.
    Right,
    Differs(Box<CardDrift>),
}

/// Changes of a card by this action. An account that is only now made has none yet, and a mailbox that ends shows none.
fn changes(action: &Action) -> impl Iterator<Item = &Change> {
    let counts = action.kind != ActionKind::CloseMailbox;
    action.steps.iter().filter(move |_| counts).flat_map(|step| match step {
        Step::Modify(changes) => changes.as_slice(),
        _ => &[],
    })
}

fn fields_of<'a>(action: &'a Action, reason: DriftReason, because: &Arc<str>) -> impl Iterator<Item = DriftField> + use<'a> {
    let because = because.clone();
    changes(action).map(move |c| DriftField {
        attribute: c.attribute,
        held: c.from.clone(),
        wanted: c.to.clone(),
        reason,
        because: because.clone(),
    })
}

/// Before anything is tried.
fn reason_of(planned: &Planned, action: &Action, exceeded: &[Exceeded]) -> DriftReason {
    if planned.plan.mode == Mode::Observe {
        DriftReason::ObservedOnly
    } else if decision(planned, action) == Some(false) {
        DriftReason::Rejected
    } else if holds_back(planned, action, exceeded).is_some() {
        DriftReason::Held
    } else {
        untried(planned.plan.mode, action)
    }
}

/// Where nothing is known of holds.
pub(crate) fn untried(mode: Mode, action: &Action) -> DriftReason {
    match (mode, &action.because) {
        (Mode::Observe, _) => DriftReason::ObservedOnly,
        (_, Because::ChangedByHand { .. }) => DriftReason::HandEdited,
        _ => DriftReason::Waiting,
    }
}

/// Fields that differ by a plan, each with the reason that `judge` gives its action.
pub(crate) fn fields<'a>(plan: &'a PersonPlan, judge: impl Fn(&Action) -> (DriftReason, Arc<str>) + 'a) -> Vec<DriftField> {
    let of_action = |action: &'a Action| {
        let (reason, because) = judge(action);
        fields_of(action, reason, &because)
    };
    plan.actions.iter().flat_map(of_action).collect()
}

fn told(action: &Action) -> Arc<str> {
    action.because.to_string().into()
}

/// What differs and is in no plan. Quick where planning found nothing of that kind.
pub(crate) fn withheld(record: &PersonRecord, sight: Sight<'_>, plan: &PersonPlan, facts: &Facts<'_>) -> Vec<DriftField> {
    let mut found = Vec::new();
    for issue in &plan.issues {
        let because: Arc<str> = issue.message.as_str().into();
        let reason = match issue.kind {
            IssueKind::AddressPolicy => DriftReason::AddressPolicy,
            IssueKind::ProtectedAccount | IssueKind::ProtectedLeaver => DriftReason::Protected,
            IssueKind::CardValueCut => DriftReason::ValueCut,
            _ => continue,
        };
        let Some(seen) = sight.account else { continue };
        if reason == DriftReason::ValueCut {
            let attribute = issue.field.as_deref().and_then(crate::account::Attribute::from_ldap);
            let whole = attribute.and_then(|a| Some((a, desired::made_of(record, a, facts)?.0)));
            found.extend(whole.map(|(attribute, whole)| DriftField {
                attribute,
                held: seen.attributes.get(attribute).cloned(),
                wanted: Some(Value::Text(whole)),
                reason,
                because,
            }));
            continue;
        }
        let only_addresses = reason == DriftReason::AddressPolicy;
        let differing = difference::differing(record, seen, facts).into_iter().filter(|c| !only_addresses || c.attribute.is_address());
        found.extend(differing.map(|c| DriftField {
            attribute: c.attribute,
            held: c.from,
            wanted: c.to,
            reason,
            because: because.clone(),
        }));
    }
    found
}

/// The whole card is missing.
pub(crate) fn is_lost(plan: &PersonPlan) -> Option<&str> {
    plan.issues.iter().find(|i| i.kind == IssueKind::AccountNotFound).map(|i| i.message.as_str())
}

impl Look<'_> {
    /// What this person's card shows otherwise and no plan puts right; `None`: nothing.
    pub(super) fn withhold(&self, record: &PersonRecord, sight: Sight<'_>, plan: &PersonPlan) -> Option<CardDrift> {
        let now = self.of.clock.now();
        let place = (plan.unit, plan.province);
        if is_lost(plan).is_some() {
            let (unit, province) = place;
            let reason = DriftReason::NotFound;
            return Some(CardDrift { person: plan.person, unit, province, reason, fields: Vec::new(), since: now, seen_at: now });
        }
        CardDrift::of(plan.person, place, withheld(record, sight, plan, &self.facts()), now)
    }
}

/// A row and what it does not say by itself.
fn joined(row: Option<CardDrift>, more: Option<&CardDrift>) -> Option<CardDrift> {
    match (row, more) {
        (Some(mut row), Some(more)) => {
            row.reason = Ord::max(row.reason, more.reason);
            for field in &mut row.fields {
                // Why: half of a text is not what should stand there, though it is all that can be written.
                let whole = more.fields.iter().find(|f| f.attribute == field.attribute && f.reason == DriftReason::ValueCut);
                if let Some(whole) = whole {
                    field.wanted.clone_from(&whole.wanted);
                }
            }
            let known: HashSet<_> = row.fields.iter().map(|f| f.attribute).collect();
            row.fields.extend(more.fields.iter().filter(|f| !known.contains(&f.attribute)).cloned());
            Some(row)
        }
        (None, Some(more)) => Some(more.clone()),
        (row, None) => row,
    }
}

/// It is going to be tried in this run: what comes of it is told by the settlement, so a reorganisation of thousands of cards writes
/// and clears no row for each.
fn is_under_way(row: &CardDrift) -> bool {
    let waits = |field: &DriftField| matches!(field.reason, DriftReason::Waiting | DriftReason::HandEdited);
    !row.fields.is_empty() && row.fields.iter().all(waits)
}

fn row_of(planned: &Planned, look: &Look<'_>, exceeded: &[Exceeded], now: DateTime<Utc>) -> Option<CardDrift> {
    let fields = fields(&planned.plan, |action| (reason_of(planned, action, exceeded), told(action)));
    let row = CardDrift::of(planned.plan.person, (planned.plan.unit, planned.plan.province), fields, now);
    joined(row, look.withheld.get(&planned.plan.person))
}

impl Reconciler {
    /// Keeps the rows of what a look has found, and takes away those of cards that are right again. Rows that say what is known
    /// already are not written, so a look at a ministry at rest costs one reading and no write; nor are those of cards that are
    /// written in this run.
    pub(super) async fn save_drift(&self, look: &mut Look<'_>, exceeded: &[Exceeded], everybody: bool) -> PortResult<()> {
        let whom: Vec<PersonId> = if everybody { Vec::new() } else { look.next.iter().map(|(person, _)| *person).collect() };
        if !everybody && whom.is_empty() {
            return Ok(());
        }
        let mut known = self.store.drifting(if everybody { None } else { Some(&whom) }).await?;
        let mut gone = known.clone();
        let now = self.clock.now();
        let mut alone: HashSet<PersonId> = look.withheld.keys().copied().collect();
        for some in look.plans.chunks(super::look::CHUNK) {
            let mut found = Vec::new();
            for planned in some {
                let person = planned.plan.person;
                alone.remove(&person);
                if planned.refused && gone.remove(&person) {
                    // Why: it is tried again now; what the directory says then is written, and until then it stands as it is.
                    continue;
                }
                let Some(row) = row_of(planned, look, exceeded, now) else { continue };
                gone.remove(&person);
                if !is_under_way(&row) {
                    found.push(row);
                }
            }
            known.extend(found.iter().map(|row| row.person));
            self.store.save_drift(&found, &[]).await?;
        }
        let alone: Vec<CardDrift> = alone.iter().filter_map(|p| look.withheld.get(p)).cloned().collect();
        for row in &alone {
            gone.remove(&row.person);
            known.insert(row.person);
        }
        known.retain(|person| !gone.contains(person));
        look.drifting = known;
        let gone: Vec<PersonId> = gone.into_iter().collect();
        self.store.save_drift(&alone, &gone).await
    }

    /// A run that could not go on leaves cards unwritten, and nobody else would tell of them before the next one.
    pub(super) async fn save_unwritten(&self, look: &Look<'_>, exceeded: &[Exceeded], why: &PortError) {
        if why.refusal() == Some(Refusal::InHand) {
            // Why: whoever has taken over is writing them.
            return;
        }
        let now = self.clock.now();
        let unwritten = look.plans.iter().filter(|planned| !look.is_settled(planned.plan.person));
        let rows: Vec<CardDrift> = unwritten.filter_map(|p| row_of(p, look, exceeded, now)).filter(is_under_way).collect();
        // Why let go: it may be the store that is away, and the next run tells of them or writes them.
        self.store.save_drift(&rows, &[]).await.ok();
    }
}

/// How a card stands after its owner's steps were taken: by what is left to do, and what the directory said to it.
pub(super) fn after(
    look: &Look<'_>,
    planned: &Planned,
    ended: &[Ended],
    record: &PersonRecord,
    left: &PersonPlan,
    sight: Sight<'_>,
    exceeded: &[Exceeded],
) -> DriftAfter {
    if sight.account.is_none() {
        return DriftAfter::AsBefore;
    }
    let judge = |action: &Action| {
        let Some(end) = ended.iter().find(|e| e.action.kind == action.kind) else {
            return (reason_of(planned, action, exceeded), told(action));
        };
        match &end.error {
            Some(PortError::Refused { refusal: Refusal::Value, reason }) => (DriftReason::RefusedValue, reason.as_str().into()),
            Some(PortError::Refused { refusal: Refusal::Changed | Refusal::NameTaken, .. }) | None => {
                (untried(planned.plan.mode, action), told(action))
            }
            Some(PortError::Refused { reason, .. }) => (DriftReason::Failed, reason.as_str().into()),
            Some(PortError::InDoubt(_) | PortError::Unavailable(_)) => (DriftReason::Waiting, told(action)),
        }
    };
    let now = look.of.clock.now();
    let row = CardDrift::of(left.person, (left.unit, left.province), fields(left, judge), now);
    let row = joined(row, look.withhold(record, sight, left).as_ref());
    match row {
        Some(row) => DriftAfter::Differs(Box::new(row)),
        None if look.drifting.contains(&left.person) => DriftAfter::Right,
        None => DriftAfter::AsBefore,
    }
}
