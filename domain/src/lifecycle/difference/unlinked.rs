//! A person whose account is not known: one that exists is recognised, else one is opened.
use super::attributes::change;
use super::known;
use super::photo::written;
use crate::account::adoption::AdoptionOrdered;
use crate::account::{Account, AccountState, Attribute, NewAccount, ObservedAccount};
use crate::lifecycle::desired::{DesiredAccount, Facts, issue};
use crate::lifecycle::plan::{Action, ActionKind, Step};
use crate::lifecycle::reason::Because;
use crate::lifecycle::run::{OperationRecord, OperationStatus};
use crate::ports::PersonRecord;
use crate::staff::{DataIssue, IssueKind};

/// Does Kimlik recognise `candidate` as this person's, and by what?
pub fn recognises(record: &PersonRecord, candidate: &ObservedAccount) -> Option<&'static str> {
    let number = record.person.registry_no.as_str();
    let ordered = record.account.as_ref().and_then(|a| a.adopt.as_ref());
    if let Some(order) = ordered {
        (order.guid == candidate.guid).then_some("order")
    } else if candidate.employee_id() == Some(number) {
        Some("employeeID")
    } else if candidate.correlation.as_deref() == Some(number) && candidate.employee_id().is_none() {
        Some("the correlation attribute")
    } else {
        None
    }
}

pub(super) fn unlinked(
    record: &PersonRecord,
    account: &Account,
    desired: &DesiredAccount,
    candidates: &[ObservedAccount],
    facts: &Facts<'_>,
    issues: &mut Vec<DataIssue>,
) -> Vec<Action> {
    let person = &record.person;
    if let Some(order) = &account.adopt {
        return take_by_order(record, account, order, desired, candidates, facts, issues);
    }
    let mut own: Vec<(&ObservedAccount, &str)> = candidates.iter().filter_map(|c| recognises(record, c).map(|by| (c, by))).collect();
    own.sort_by_key(|(_, by)| *by != "employeeID");
    match own.as_slice() {
        [] => {}
        [(first, "employeeID"), (second, "employeeID"), ..] => {
            let message = format!("two accounts carry this registry number: {} and {}", first.dn, second.dn);
            issues.push(issue(IssueKind::DuplicateEmployeeId, person, facts, message));
            return Vec::new();
        }
        [(found, by), ..] => return take(record, account, desired, found, by, facts, issues),
    }
    let number = person.registry_no.as_str();
    if let Some(torn) = candidates.iter().find(|c| c.correlation.as_deref() == Some(number) && c.employee_id().is_some()) {
        let message = format!("{} correlates with this registry number and carries another as its employeeID", torn.dn);
        issues.push(issue(IssueKind::DuplicateEmployeeId, person, facts, message));
        return Vec::new();
    }
    let accepted = record.accepted.contains(&IssueKind::PossibleAccount);
    if desired.state == AccountState::Closed {
        return Vec::new();
    }
    if let Some(namesake) = candidates.iter().find(|_| !accepted) {
        let message = format!("an account of nobody has this name: {}; decide whether it is this person's", namesake.dn);
        issues.push(issue(IssueKind::PossibleAccount, person, facts, message));
        return Vec::new();
    }
    let mut attributes = desired.attributes.clone();
    attributes.set(Attribute::Photo, None);
    let new = NewAccount { ou: desired.ou.clone(), cn: desired.cn.clone(), attributes };
    let mut steps = vec![Step::Create(new), Step::SealPassword];
    let photo = change(Attribute::Photo, None, desired.attributes.get(Attribute::Photo), &[]);
    steps.extend(written(photo.into_iter().collect()));
    steps.extend(desired.groups.iter().cloned().map(Step::JoinGroup));
    if desired.state == AccountState::Active {
        steps.push(Step::Enable);
    }
    vec![Action { kind: ActionKind::Open, because: opening_reason(record, desired), steps }]
}

fn opening_reason(record: &PersonRecord, desired: &DesiredAccount) -> Because {
    match (&desired.because, record.person.employment_start) {
        (Because::Leave { .. } | Because::SuspendedByOrder { .. }, Some(start)) => {
            Because::NewInHr { start, reason: record.person.reason_code.as_deref().map(Into::into) }
        }
        (because, _) => because.clone(),
    }
}

/// The account that an administrator has named, or nothing: no other one is looked for and none is opened.
fn take_by_order(
    record: &PersonRecord,
    account: &Account,
    order: &AdoptionOrdered,
    desired: &DesiredAccount,
    candidates: &[ObservedAccount],
    facts: &Facts<'_>,
    issues: &mut Vec<DataIssue>,
) -> Vec<Action> {
    let person = &record.person;
    let Some(found) = candidates.iter().find(|c| c.guid == order.guid) else {
        let message =
            format!("the account that was to become this person's ({}) cannot be found; nothing is opened in its place", order.guid);
        issues.push(issue(IssueKind::AccountNotFound, person, facts, message));
        return Vec::new();
    };
    if found.employee_id().is_some_and(|number| number != person.registry_no.as_str()) {
        let message = format!("{} was to become this person's and carries another registry number", found.dn);
        issues.push(issue(IssueKind::DuplicateEmployeeId, person, facts, message));
        return Vec::new();
    }
    let because = Because::AdoptedByOrder { by: order.by.clone(), reason: order.reason.clone() };
    let mut actions = take(record, account, desired, found, "order", facts, issues);
    actions.iter_mut().for_each(|action| action.because = because.clone());
    actions
}

/// An account that is recognised: our own, from an opening that was interrupted, or one that existed before Kimlik.
fn take(
    record: &PersonRecord,
    account: &Account,
    desired: &DesiredAccount,
    found: &ObservedAccount,
    by: &str,
    facts: &Facts<'_>,
    issues: &mut Vec<DataIssue>,
) -> Vec<Action> {
    let mut account = account.clone();
    account.guid = Some(found.guid);
    let open = |o: &OperationRecord| o.kind == ActionKind::Open && matches!(o.status, OperationStatus::Intended | OperationStatus::InDoubt);
    // Why by employeeID only: the correlation attribute is never of Kimlik's writing.
    let ours = by == "employeeID" && record.unsettled.iter().any(open);
    let (kind, because) = if ours {
        (ActionKind::Open, Because::Unfinished)
    } else {
        account.adopted = true;
        account.state = if found.enabled { AccountState::Active } else { AccountState::Suspended };
        (ActionKind::Adopt, Because::ExistingAccount { by: by.into() })
    };
    let rest = known(record, &account, desired, Some(found), facts, issues);
    let mut steps = vec![Step::Link(found.guid)];
    steps.extend(rest.into_iter().flat_map(|a| a.steps));
    if kind == ActionKind::Adopt {
        without_manager(&mut steps);
    }
    vec![Action { kind, because, steps }]
}

/// Why: managers are taken over by the same approval; each one that appears would make the plans of their people others
/// than those approved. The manager follows as an update.
fn without_manager(steps: &mut Vec<Step>) {
    for step in steps.iter_mut() {
        if let Step::Modify(changes) = step {
            changes.retain(|c| c.attribute != Attribute::Manager);
        }
    }
    steps.retain(|s| !matches!(s, Step::Modify(changes) if changes.is_empty()));
}
