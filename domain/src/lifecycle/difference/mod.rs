//! From what should be and what was seen to what is to be done, for one person. Pure; `plan(x, x)` is empty.
mod attributes; // what of the attributes differs, names and card
mod closing;
mod keeping; // an account that stays, starts or starts again
mod photo;
mod unlinked; // a person whose account is not known: adopted, finished or opened

use crate::account::{Account, AccountState, Applied, Attribute, Attributes, Change, ObservedAccount, Sealed, Value};
use crate::id::AccountGuid;
use crate::lifecycle::desired::{self, Desired, DesiredAccount, Facts, Outlook, issue};
use crate::lifecycle::plan::{Action, ActionKind, PersonPlan};
use crate::lifecycle::reason::Because;
use crate::phone::{self, Line};
use crate::ports::PersonRecord;
use crate::staff::{DataIssue, IssueKind, UnitCode};
pub use attributes::is_another;
pub use photo::held;
use std::sync::Arc;
use unlinked::Unlinked;
pub use unlinked::recognises;
use uuid::Uuid;

/// What the directory showed for one person.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sight<'a> {
    /// The known account. `None` with a known GUID: it was looked for and not found.
    pub account: Option<&'a ObservedAccount>,
    /// For a person without a known account: accounts of nobody that might be this person's.
    pub candidates: &'a [ObservedAccount],
}

/// The plan of one person.
pub fn plan(record: &PersonRecord, sight: Sight<'_>, facts: &Facts<'_>) -> PersonPlan {
    let Outlook { desired, mut issues, next_look } = desired::outlook(record, facts);
    let mut actions = match (&desired, &record.account) {
        (Desired::Account(desired), Some(account)) => match account.guid {
            Some(_) => known(record, account, desired, sight.account, facts, &mut issues),
            None => Unlinked { record, account, desired, candidates: sight.candidates, facts, issues: &mut issues }.plan(),
        },
        _ => Vec::new(),
    };
    issues.extend(phone_conflicts(record, facts));
    if matches!(&desired, Desired::Account(desired) if desired.is_state_only) {
        actions.retain(|a| a.kind == ActionKind::Suspend);
    }
    let unit = record.person.posting_on(facts.today).map(|p| p.unit);
    PersonPlan {
        person: record.person.id,
        registry_no: record.person.registry_no.clone(),
        name: record.person.full_name().into(),
        unit,
        province: unit.and_then(|u| facts.units.province(u)),
        mode: facts.policy.mode_of(unit, facts.units),
        actions,
        issues,
        next_look,
    }
}

/// What the person and HR say differently of a phone, for the personnel unit.
fn phone_conflicts(record: &PersonRecord, facts: &Facts<'_>) -> Vec<DataIssue> {
    let told = |(line, standing): (Line, phone::Standing)| {
        let (what, field) = match line {
            Line::Mobile => ("mobile number", "mobile"),
            Line::Work => ("work phone", "work_phone"),
        };
        let message = match standing {
            phone::Standing::Overruled => {
                format!("the {what} was changed in Kimlik, and HR has said another one since: HR's counts; ask the person which is right")
            }
            phone::Standing::Newer => {
                format!("the {what} was changed in Kimlik, and HR answers that it holds a newer one: ask the person which is right")
            }
            _ => format!("the {what} was changed in Kimlik, and HR's system does not take it: enter it there by hand"),
        };
        DataIssue { field: Some(field.to_owned()), ..issue(IssueKind::PhoneConflict, &record.person, facts, message) }
    };
    record.phones.disputes().into_iter().map(told).collect()
}

fn known(
    record: &PersonRecord,
    account: &Account,
    desired: &DesiredAccount,
    seen: Option<&ObservedAccount>,
    facts: &Facts<'_>,
    issues: &mut Vec<DataIssue>,
) -> Vec<Action> {
    let person = &record.person;
    let Some(seen) = seen else {
        let message = "the account that is known cannot be found in the directory; nothing is opened in its place";
        issues.push(issue(IssueKind::AccountNotFound, person, facts, message));
        return Vec::new();
    };
    if !seen.dn.is_within(&facts.policy.base) {
        let message = format!("the account stands outside the managed tree: {}", seen.dn);
        issues.push(issue(IssueKind::AccountNotFound, person, facts, message));
        return Vec::new();
    }
    let difference = Difference { record, account, desired, seen, facts };
    let actions = difference.actions(issues);
    if let Some(why) = &seen.protected {
        if desired.state == AccountState::Closed && seen.enabled {
            let message = format!("has left, and the account may not be touched ({why}): disable it by hand now");
            issues.push(issue(IssueKind::ProtectedLeaver, person, facts, message));
        } else if actions.iter().any(|a| !a.steps.is_empty()) {
            let message = format!("the account is protected ({why}): Kimlik does not write it");
            issues.push(issue(IssueKind::ProtectedAccount, person, facts, message));
        }
        return Vec::new();
    }
    actions
}

struct Difference<'a> {
    record: &'a PersonRecord,
    account: &'a Account,
    desired: &'a DesiredAccount,
    seen: &'a ObservedAccount,
    facts: &'a Facts<'a>,
}

impl Difference<'_> {
    fn actions(&self, issues: &mut Vec<DataIssue>) -> Vec<Action> {
        match (self.desired.state, self.account.state) {
            (AccountState::Closed, _) => self.closing(issues),
            (_, AccountState::Closed) => self.whole(ActionKind::Reopen, self.desired.because.clone()),
            // A closing that was broken off and is no longer wanted: its password is gone already, perhaps more.
            _ if self.account.sealed == Sealed::Closing || self.broken_off(&[ActionKind::Close, ActionKind::Withdraw]) => {
                self.whole(ActionKind::Reopen, Because::Unfinished)
            }
            (_, AccountState::None) => self.whole(ActionKind::Open, Because::Unfinished),
            _ => self.keeping(issues),
        }
    }

    fn applied(&self) -> Option<&Applied> {
        self.account.applied.as_ref()
    }

    fn reason(&self) -> Option<Arc<str>> {
        self.record.person.reason_code.as_deref().map(Into::into)
    }

    /// Did the directory lose what Kimlik had already written?
    fn by_hand(&self, changes: &[Change]) -> bool {
        let Some(applied) = self.applied() else { return false };
        changes.iter().all(|c| applied.attributes.get(c.attribute) == self.desired.attributes.get(c.attribute))
    }

    /// Why the person works elsewhere now than when Kimlik last wrote; `None`: they do not.
    fn new_place(&self) -> Option<Because> {
        let applied = self.applied()?;
        let (units, today) = (self.facts.units, self.facts.today);
        let to = self.desired.unit_name.clone();
        if applied.unit == self.desired.unit {
            return (applied.unit_name != to).then_some(Because::UnitChanged { unit: to });
        }
        let replaced = applied.unit.and_then(|u| units.standing(u, today)).map(|u| u.code) == self.desired.unit;
        Some(match (self.desired.seconded, applied.seconded) {
            _ if replaced => Because::UnitChanged { unit: to },
            (true, _) => Because::Secondment { to, until: self.desired.posting_end },
            (false, true) => Because::SecondmentOver { back_to: to },
            (false, false) => {
                let (to, from) = self.told_apart(to, applied);
                Because::Transfer { to, from, reason: self.reason() }
            }
        })
    }

    /// Every province has a directorate with the same branches: where both units have one name, the province says which is which.
    fn told_apart(&self, to: Arc<str>, applied: &Applied) -> (Arc<str>, Arc<str>) {
        let from = applied.unit_name.clone();
        if to != from {
            return (to, from);
        }
        let province = |unit: Option<UnitCode>| unit.and_then(|u| self.facts.units.province(u));
        let with = |name: Arc<str>, unit| province(unit).map_or(name.clone(), |p| format!("{name} ({})", p.name()).into());
        (with(to, self.desired.unit), with(from, applied.unit))
    }
}

/// What Kimlik keeps of the account that was seen, in the order in which plans print it, with what should stand there. Empty where
/// there is nothing to keep, or a person has to decide first.
pub fn kept(record: &PersonRecord, seen: &ObservedAccount, facts: &Facts<'_>) -> Vec<(Attribute, Option<Value>)> {
    with_difference(record, seen, facts, |d| d.owned().map(|a| (a, d.desired.attributes.get(a).cloned())).collect())
}

/// The same of an account that is still to be made.
pub fn to_come(record: &PersonRecord, facts: &Facts<'_>) -> Vec<(Attribute, Option<Value>)> {
    let nothing = ObservedAccount {
        guid: AccountGuid(Uuid::nil()),
        dn: facts.policy.base.clone(),
        enabled: false,
        password_set: false,
        protected: None,
        attributes: Attributes::default(),
        groups: Vec::new(),
        correlation: None,
        address_policy: false,
    };
    kept(record, &nothing, facts)
}

/// What of it differs, whoever may write it.
pub fn differing(record: &PersonRecord, seen: &ObservedAccount, facts: &Facts<'_>) -> Vec<Change> {
    with_difference(record, seen, facts, |d| d.differing(|_| true))
}

fn with_difference<T: Default>(
    record: &PersonRecord,
    seen: &ObservedAccount,
    facts: &Facts<'_>,
    ask: impl FnOnce(&Difference<'_>) -> T,
) -> T {
    match (desired::outlook(record, facts).desired, &record.account) {
        (Desired::Account(desired), Some(account)) if !desired.is_state_only => {
            ask(&Difference { record, account, desired: &desired, seen, facts })
        }
        _ => T::default(),
    }
}

fn hand_made(what: &str) -> Because {
    Because::ChangedByHand { what: what.into() }
}

/// `Ayşe Şahin` and `Ayşe Şahin 2` are the same wish: the number only tells homonyms in one OU apart.
fn same_common_name(seen: &str, wanted: &str) -> bool {
    let rest = seen.strip_prefix(wanted);
    rest.is_some_and(|r| r.is_empty() || r.strip_prefix(' ').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit())))
}
