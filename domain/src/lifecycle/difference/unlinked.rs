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

/// What is known of them, and where it is said what somebody has to mend.
pub(super) struct Unlinked<'a> {
    pub record: &'a PersonRecord,
    pub account: &'a Account,
    pub desired: &'a DesiredAccount,
    /// Accounts that may be theirs.
    pub candidates: &'a [ObservedAccount],
    pub facts: &'a Facts<'a>,
    pub issues: &'a mut Vec<DataIssue>,
}

impl<'a> Unlinked<'a> {
    pub(super) fn plan(self) -> Vec<Action> {
        if let Some(order) = &self.account.adopt {
            return self.take_by_order(order);
        }
        let recognised = self.candidates.iter().filter_map(|c| recognises(self.record, c).map(|by| (c, by)));
        let mut own: Vec<(&ObservedAccount, &str)> = recognised.collect();
        own.sort_by_key(|(_, by)| *by != "employeeID");
        match own.as_slice() {
            [] => {}
            [(first, "employeeID"), (second, "employeeID"), ..] => {
                let message = format!("two accounts carry this registry number: {} and {}", first.dn, second.dn);
                return self.undecided(IssueKind::DuplicateEmployeeId, message);
            }
            [(found, by), ..] => return self.take(found, by),
        }
        let number = self.record.person.registry_no.as_str();
        let torn = |c: &&ObservedAccount| c.correlation.as_deref() == Some(number) && c.employee_id().is_some();
        if let Some(torn) = self.candidates.iter().find(torn) {
            let message = format!("{} correlates with this registry number and carries another as its employeeID", torn.dn);
            return self.undecided(IssueKind::DuplicateEmployeeId, message);
        }
        if self.desired.state == AccountState::Closed {
            return Vec::new();
        }
        match self.candidates.first() {
            Some(namesake) if !self.record.accepted.contains(&IssueKind::PossibleAccount) => {
                let message = format!("an account of nobody has this name: {}; decide whether it is this person's", namesake.dn);
                self.undecided(IssueKind::PossibleAccount, message)
            }
            _ => vec![opening(self.record, self.desired)],
        }
    }

    /// Nothing is done until somebody has decided.
    fn undecided(self, kind: IssueKind, message: String) -> Vec<Action> {
        self.issues.push(issue(kind, &self.record.person, self.facts, message));
        Vec::new()
    }

    /// The account that an administrator has named, or nothing: no other one is looked for and none is opened.
    fn take_by_order(self, order: &AdoptionOrdered) -> Vec<Action> {
        let Some(found) = self.candidates.iter().find(|c| c.guid == order.guid) else {
            let message =
                format!("the account that was to become this person's ({}) cannot be found; nothing is opened in its place", order.guid);
            return self.undecided(IssueKind::AccountNotFound, message);
        };
        if found.employee_id().is_some_and(|number| number != self.record.person.registry_no.as_str()) {
            let message = format!("{} was to become this person's and carries another registry number", found.dn);
            return self.undecided(IssueKind::DuplicateEmployeeId, message);
        }
        let because = Because::AdoptedByOrder { by: order.by.clone(), reason: order.reason.clone() };
        let mut actions = self.take(found, "order");
        actions.iter_mut().for_each(|action| action.because = because.clone());
        actions
    }

    /// An account that is recognised: our own, from an opening that was interrupted, or one that existed before Kimlik.
    fn take(self, found: &ObservedAccount, by: &str) -> Vec<Action> {
        let mut account = self.account.clone();
        account.guid = Some(found.guid);
        let open =
            |o: &OperationRecord| o.kind == ActionKind::Open && matches!(o.status, OperationStatus::Intended | OperationStatus::InDoubt);
        // Why by employeeID only: the correlation attribute is never of Kimlik's writing.
        let ours = by == "employeeID" && self.record.unsettled.iter().any(open);
        let (kind, because) = if ours {
            (ActionKind::Open, Because::Unfinished)
        } else {
            account.adopted = true;
            account.state = if found.enabled { AccountState::Active } else { AccountState::Suspended };
            (ActionKind::Adopt, Because::ExistingAccount { by: by.into() })
        };
        let rest = known(self.record, &account, self.desired, Some(found), self.facts, self.issues);
        let mut steps = vec![Step::Link(found.guid)];
        steps.extend(rest.into_iter().flat_map(|a| a.steps));
        if kind == ActionKind::Adopt {
            without_manager(&mut steps);
        }
        vec![Action { kind, because, steps }]
    }
}

fn opening(record: &PersonRecord, desired: &DesiredAccount) -> Action {
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
    Action { kind: ActionKind::Open, because: opening_reason(record, desired), steps }
}

fn opening_reason(record: &PersonRecord, desired: &DesiredAccount) -> Because {
    match (&desired.because, record.person.employment_start) {
        (Because::Leave { .. } | Because::SuspendedByOrder { .. }, Some(start)) => {
            Because::NewInHr { start, reason: record.person.reason_code.as_deref().map(Into::into) }
        }
        (because, _) => because.clone(),
    }
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
