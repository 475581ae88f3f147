//! From what should be and what was seen to what is to be done, for one person. Pure; `plan(x, x)` is empty.
use super::desired::{self, Desired, DesiredAccount, Facts, Outlook, issue};
use super::plan::{Action, ActionKind, PersonPlan, Step};
use super::reason::Because;
use super::run::{OperationRecord, OperationStatus};
use crate::account::adoption::AdoptionOrdered;
use crate::account::{Account, AccountState, Applied, Attribute, Attributes, Change, Dn, NewAccount, ObservedAccount, Sealed, Value};
use crate::id::AccountGuid;
use crate::mailbox::{self, Mailboxes, Stands};
use crate::phone::{self, Line};
use crate::ports::PersonRecord;
use crate::staff::{DataIssue, IssueKind};
use crate::text;
use std::collections::BTreeSet;
use std::sync::Arc;
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
            None => unlinked(record, account, desired, sight.candidates, facts, &mut issues),
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

fn unlinked(
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

    /// Disables first, then password, groups, hiding, move: the door is shut before the house is tidied.
    fn closing(&self, issues: &mut Vec<DataIssue>) -> Vec<Action> {
        let mut steps = Vec::new();
        let mut by_hand = Vec::new();
        if self.seen.enabled {
            steps.push(Step::Disable);
            by_hand.push("the enabled state");
        }
        if self.account.sealed != Sealed::Closing || self.seen.enabled {
            steps.push(Step::SealPassword);
        }
        let groups: Vec<Step> = self.groups_below_base().map(|g| Step::LeaveGroup(g.clone())).collect();
        if !groups.is_empty() {
            by_hand.push("groups");
        }
        steps.extend(groups);
        let closed_already = self.account.state == AccountState::Closed;
        // Why: whoever closes a mailbox may take all of it away, and what is no recipient is in no address list.
        let recipient = !closed_already || self.seen.attributes.get(Attribute::MailNickname).is_some();
        let hidden = self.seen.attributes.text(Attribute::HideFromAddressLists) == Some("TRUE");
        if self.facts.policy.exchange && recipient && !hidden {
            by_hand.push("hiding from the address book");
            steps.push(Step::Modify(vec![Change {
                attribute: Attribute::HideFromAddressLists,
                from: self.seen.attributes.get(Attribute::HideFromAddressLists).cloned(),
                to: Some(Value::text("TRUE")),
            }]));
        }
        if self.seen.ou() != self.desired.ou {
            by_hand.push("the place");
            steps.push(self.relocate());
        }
        if steps.is_empty() && closed_already {
            return self.mail_closing(issues).into_iter().collect();
        }
        let because =
            if closed_already { Because::ChangedByHand { what: by_hand.join(", ").into() } } else { self.desired.because.clone() };
        let kind = if self.desired.withdrawn { ActionKind::Withdraw } else { ActionKind::Close };
        vec![Action { kind, because, steps }]
    }

    /// The retention of a leaver's mailbox is over.
    fn mail_closing(&self, issues: &mut Vec<DataIssue>) -> Option<Action> {
        let since = self.desired.mail_ended?;
        let steps = match self.facts.policy.mailboxes {
            Mailboxes::None => return None,
            Mailboxes::Remote { .. } => vec![Step::Modify(self.unmarking(issues)?)],
            // Why only what is seen to stand: who never had a mailbox would be counted, and held, with those who have one.
            Mailboxes::Command => {
                let stands = matches!(self.record.mailbox, Some(Stands::Open | Stands::Hidden));
                (stands && !mailbox::may_close(self.account, since)).then(|| vec![Step::EndMail])?
            }
        };
        Some(Action { kind: ActionKind::CloseMailbox, because: Because::RetentionOver { since }, steps })
    }

    /// What makes the account a recipient is taken away, X500 addresses apart: mail from now on comes back to its sender.
    fn unmarking(&self, issues: &mut Vec<DataIssue>) -> Option<Vec<Change>> {
        let marks = |a: &Attribute| a.is_remote_mailbox() && self.seen.attributes.get(*a).is_some();
        if !Attribute::ALL.iter().any(marks) {
            return None;
        }
        if self.facts.policy.mailboxes.foreign(&self.seen.attributes).is_some() {
            self.review_mail(issues);
            return None;
        }
        let given_up = |a: &Attribute| a.is_remote_mailbox() || (a.is_address() && !self.seen.address_policy);
        let given_up = Attribute::ALL.iter().copied().filter(given_up);
        Some(given_up.filter_map(|a| self.change(a)).collect())
    }

    /// One action for an account that starts (again): everything that differs, enabled last.
    fn whole(&self, kind: ActionKind, because: Because) -> Vec<Action> {
        let mut steps = Vec::new();
        if self.seen.enabled && self.desired.state != AccountState::Active {
            steps.push(Step::Disable);
        }
        let broken_off = self.account.state != AccountState::Closed && kind == ActionKind::Reopen;
        if self.account.sealed == Sealed::Never && !self.account.adopted || broken_off {
            steps.push(Step::SealPassword);
        }
        steps.extend(written(self.changes(|_| true)));
        // Why: a return gives back birthright groups only, whatever came in between.
        steps.extend(self.groups_below_base().filter(|g| !self.desired.groups.contains(g)).cloned().map(Step::LeaveGroup));
        steps.extend(self.groups_missing().map(Step::JoinGroup));
        steps.extend(self.relocation());
        if !self.seen.enabled && self.desired.state == AccountState::Active {
            steps.push(Step::Enable);
        }
        vec![Action { kind, because, steps }]
    }

    fn keeping(&self, issues: &mut Vec<DataIssue>) -> Vec<Action> {
        let mut actions = Vec::new();
        let (is_enabled, state) = (self.seen.enabled, self.account.state);
        if self.desired.state != AccountState::Active && (is_enabled || state != self.desired.state) {
            let by_hand = is_enabled && state == self.desired.state;
            // Why: who enables by hand what was ordered to be suspended runs into the order, not into HR's limits.
            let ordered = matches!(self.desired.because, Because::SuspendedByOrder { .. });
            let because = if by_hand && !ordered { hand_made("the enabled state") } else { self.desired.because.clone() };
            actions.push(Action { kind: ActionKind::Suspend, because, steps: if is_enabled { vec![Step::Disable] } else { vec![] } });
        }
        self.review_mail(issues);
        actions.extend(self.groups());
        actions.extend(self.naming());
        actions.extend(self.card());
        actions.extend(self.moving(issues));
        if self.desired.state == AccountState::Active {
            actions.extend(self.enabling(issues));
        }
        actions
    }

    /// An operation of these kinds disabled the account, perhaps, and nobody knows how far it came.
    fn broken_off(&self, kinds: &[ActionKind]) -> bool {
        !self.seen.enabled && self.record.unsettled.iter().any(|o| kinds.contains(&o.kind))
    }

    /// A suspension that was broken off disabled it, perhaps.
    fn disabled_by_us(&self) -> bool {
        !self.seen.enabled && self.record.unsettled.iter().any(|o| o.kind == ActionKind::Suspend && o.disables)
    }

    fn enabling(&self, issues: &mut Vec<DataIssue>) -> Option<Action> {
        let kind = match self.account.state {
            AccountState::Opening => ActionKind::Enable,
            AccountState::Suspended if self.seen.enabled || !self.account.disabled_before => ActionKind::Reinstate,
            AccountState::Active if self.disabled_by_us() => ActionKind::Reinstate,
            _ => {
                if !self.seen.enabled {
                    // Why not enabled again: whoever disabled it by hand may have had a reason that cannot wait for HR.
                    let message = "somebody disabled this account in the directory; Kimlik does not enable it again";
                    issues.push(issue(IssueKind::DisabledByHand, &self.record.person, self.facts, message));
                }
                return None;
            }
        };
        let mut steps = Vec::new();
        if !self.seen.enabled {
            if self.account.sealed == Sealed::Never && !self.account.adopted {
                steps.push(Step::SealPassword);
            }
            steps.push(Step::Enable);
        }
        Some(Action { kind, because: self.desired.because.clone(), steps })
    }

    // ---------------------------------------------------------------------------------------------------- attributes

    /// Changes of the attributes that `wanted` picks.
    fn changes(&self, wanted: impl Fn(Attribute) -> bool) -> Vec<Change> {
        // Why: an e-mail address policy of Exchange writes them back; two masters would fight for ever.
        self.differing(|a| wanted(a) && !(self.seen.address_policy && a.is_address()))
    }

    fn differing(&self, wanted: impl Fn(Attribute) -> bool) -> Vec<Change> {
        self.owned().filter(|a| wanted(*a)).filter_map(|a| self.change(a)).collect()
    }

    /// What Kimlik keeps of this account: of a closed one only that it is hidden.
    fn owned(&self) -> impl Iterator<Item = Attribute> {
        let exchange = self.facts.policy.exchange;
        let kept = |a: Attribute| self.desired.state != AccountState::Closed || a == Attribute::HideFromAddressLists;
        let all = Attribute::ALL.iter().copied().chain([Attribute::Photo]);
        let all = all.filter(move |a| (exchange || !a.needs_exchange()) && kept(*a));
        all.filter(|a| self.owns(*a) && !(*a == Attribute::Manager && self.awaits_manager()))
    }

    fn change(&self, attribute: Attribute) -> Option<Change> {
        change(attribute, held(self.record, self.seen, attribute).as_ref(), self.desired.attributes.get(attribute), &self.desired.lapsed)
    }

    /// By the settings: an attribute without a rule is somebody else's, and so is a mailbox that Kimlik did not make.
    fn owns(&self, attribute: Attribute) -> bool {
        let policy = self.facts.policy;
        if attribute == Attribute::Photo {
            self.owns_photo()
        } else if attribute.is_mapped() {
            policy.mapping.owns(attribute)
        } else {
            !attribute.is_remote_mailbox() || policy.mailboxes.owns(attribute, &self.seen.attributes)
        }
    }

    /// Where HR has no photo of somebody, only one of Kimlik's own writing is taken away; and where HR's cannot be written,
    /// whatever stands there stays.
    fn owns_photo(&self) -> bool {
        let photo = &self.record.photo;
        let is_ours = || self.applied().and_then(|a| a.attributes.text(Attribute::Photo)) == photo.held.as_deref();
        let is_taken_back = || self.record.person.photo.is_none() && photo.held.is_some() && is_ours();
        self.facts.policy.photos && (photo.wanted.is_some() || is_taken_back())
    }

    /// What mail needs and Kimlik may not put right.
    fn review_mail(&self, issues: &mut Vec<DataIssue>) {
        let (policy, person) = (self.facts.policy, &self.record.person);
        if let Some(message) = policy.exchange.then(|| policy.mailboxes.foreign(&self.seen.attributes)).flatten() {
            issues.push(issue(IssueKind::ForeignMailbox, person, self.facts, message));
        }
        if !self.seen.address_policy {
            return;
        }
        let differing: Vec<&str> =
            Attribute::ALL.iter().filter(|a| a.is_address() && self.change(**a).is_some()).map(|a| a.ldap_name()).collect();
        if !differing.is_empty() {
            let message = format!(
                "an e-mail address policy of Exchange writes {}: exclude this recipient from it, or let the policy make the same address",
                differing.join(", ")
            );
            issues.push(DataIssue { personnel_unit: None, ..issue(IssueKind::AddressPolicy, person, self.facts, message) });
        }
    }

    /// HR names a manager whose account is not known (yet), and the one that stands there is not of Kimlik's writing: in a
    /// takeover it is mostly the right one, and would be taken out and put in again.
    fn awaits_manager(&self) -> bool {
        let ours = self.applied().is_some_and(|a| a.attributes.get(Attribute::Manager).is_some());
        let named = desired::manager_of(&self.record.person, self.facts.units, self.facts.today).is_some();
        named && !ours && self.desired.attributes.get(Attribute::Manager).is_none()
    }

    fn naming(&self) -> Option<Action> {
        let changes = self.changes(is_naming);
        let relocated = self.seen.ou() != self.desired.ou;
        let renamed = !relocated && !same_common_name(&self.seen.dn.name(), &self.desired.cn);
        if changes.is_empty() && !renamed {
            return None;
        }
        let because = if self.by_hand(&changes) && !changes.is_empty() {
            hand_made(&names_of(&changes))
        } else if changes.is_empty()
            && self
                .applied()
                .is_some_and(|a| a.attributes.text(Attribute::DisplayName) == self.desired.attributes.text(Attribute::DisplayName))
        {
            hand_made("the common name")
        } else if !renamed && self.only_lapsed(&changes) {
            Because::AliasesLapsed { addresses: self.desired.lapsed.join(", ").into() }
        } else if let Some(by) = self.ordered_names() {
            by
        } else {
            let from =
                self.applied().map(|a| &a.attributes).unwrap_or(&self.seen.attributes).text(Attribute::DisplayName).unwrap_or("").into();
            Because::NewName { from }
        };
        let mut steps = Vec::new();
        if !changes.is_empty() {
            steps.push(Step::Modify(changes));
        }
        if renamed {
            steps.push(self.relocate());
        }
        Some(Action { kind: ActionKind::Rename, because, steps })
    }

    /// Nothing but aliases are taken away whose term is over.
    fn only_lapsed(&self, changes: &[Change]) -> bool {
        matches!(changes, [Change { attribute: Attribute::ProxyAddresses, from: Some(_), to: None }]) && !self.desired.lapsed.is_empty()
    }

    /// Somebody ordered the names that it has, and the person is called as before.
    fn ordered_names(&self) -> Option<Because> {
        let order = self.account.renamed.as_ref()?;
        let shown = |attributes: &crate::account::Attributes| attributes.text(Attribute::DisplayName).map(str::to_owned);
        let before = self.applied().map(|a| &a.attributes).unwrap_or(&self.seen.attributes);
        let same = shown(before) == shown(&self.desired.attributes);
        same.then(|| Because::RenamedByOrder { by: order.by.clone(), reason: order.reason.clone() })
    }

    fn card(&self) -> Option<Action> {
        let changes = self.changes(|a| !is_naming(a));
        if changes.is_empty() {
            return None;
        }
        let because = if self.by_hand(&changes) {
            hand_made(&names_of(&changes))
        } else if changes.iter().all(|c| c.attribute == Attribute::Manager) {
            Because::NewManager
        } else {
            self.new_place().unwrap_or_else(|| Because::NewCard { reason: self.reason() })
        };
        Some(Action { kind: ActionKind::Update, because, steps: written(changes).collect() })
    }

    // -------------------------------------------------------------------------------------------------- place, groups

    fn moving(&self, issues: &mut Vec<DataIssue>) -> Option<Action> {
        self.review_groups(issues);
        if self.seen.ou() == self.desired.ou {
            return None;
        }
        let step = self.relocate();
        let because = match (self.new_place(), self.applied()) {
            (Some(because), _) => because,
            (None, Some(applied)) if applied.ou == self.desired.ou => hand_made("the place"),
            _ => Because::UnitChanged { unit: self.desired.unit_name.clone() },
        };
        Some(Action { kind: ActionKind::Move, because, steps: vec![step] })
    }

    fn relocate(&self) -> Step {
        Step::MoveTo { from: self.seen.ou(), ou: self.desired.ou.clone(), cn: self.desired.cn.clone() }
    }

    fn relocation(&self) -> Option<Step> {
        let there = self.seen.ou() == self.desired.ou && same_common_name(&self.seen.dn.name(), &self.desired.cn);
        (!there).then(|| self.relocate())
    }

    /// At a transfer, groups that somebody else gave stay and are listed for review.
    fn review_groups(&self, issues: &mut Vec<DataIssue>) {
        let Some(applied) = self.applied() else { return };
        let transferred = applied.unit.is_some() && self.new_place().is_some();
        let reviewing = self.record.open_issues.contains(&IssueKind::ForeignGroups);
        if !transferred && !reviewing || self.record.accepted.contains(&IssueKind::ForeignGroups) {
            return;
        }
        let foreign: Vec<String> = self
            .groups_below_base()
            .filter(|g| !self.desired.groups.contains(g) && !applied.groups.contains(g))
            .map(|g| g.name())
            .collect();
        if !foreign.is_empty() {
            let message = format!("was transferred and keeps groups that somebody else gave: {}; review them", foreign.join(", "));
            issues.push(issue(IssueKind::ForeignGroups, &self.record.person, self.facts, message));
        }
    }

    fn groups(&self) -> Option<Action> {
        let mut steps: Vec<Step> = Vec::new();
        let ours = self.applied().map(|a| a.groups.as_slice()).unwrap_or_default();
        let lost = ours.iter().filter(|g| !self.desired.groups.contains(g) && self.seen.groups.contains(g));
        steps.extend(lost.cloned().map(Step::LeaveGroup));
        steps.extend(self.groups_missing().map(Step::JoinGroup));
        if steps.is_empty() {
            return None;
        }
        let by_hand = steps.iter().all(|s| matches!(s, Step::JoinGroup(g) if ours.contains(g)));
        let because = if by_hand { hand_made("groups") } else { Because::Birthright { unit: self.desired.unit_name.clone() } };
        Some(Action { kind: ActionKind::Groups, because, steps })
    }

    fn groups_missing(&self) -> impl Iterator<Item = Dn> {
        self.desired.groups.iter().filter(|g| !self.seen.groups.contains(g)).cloned()
    }

    fn groups_below_base(&self) -> impl Iterator<Item = &Dn> {
        self.seen.groups.iter().filter(|g| g.is_within(&self.facts.policy.base))
    }

    // -------------------------------------------------------------------------------------------------------- reasons

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
            (false, false) => Because::Transfer { to, from: applied.unit_name.clone(), reason: self.reason() },
        })
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

/// What the directory holds of it, as last seen. Photos are looked at by themselves.
pub fn held(record: &PersonRecord, seen: &ObservedAccount, attribute: Attribute) -> Option<Value> {
    match attribute {
        Attribute::Photo => record.photo.held.clone().map(Value::Text),
        other => seen.attributes.get(other).cloned(),
    }
}

/// The photo is a step by itself, so that nothing else is kept from being written where it is refused.
fn written(changes: Vec<Change>) -> impl Iterator<Item = Step> {
    let (photo, others): (Vec<Change>, Vec<Change>) = changes.into_iter().partition(|c| c.attribute == Attribute::Photo);
    [others, photo].into_iter().filter(|changes| !changes.is_empty()).map(Step::Modify)
}

/// Is it another value, as the directory compares?
pub fn is_another(attribute: Attribute, seen: Option<&Value>, wanted: Option<&Value>) -> bool {
    change(attribute, seen, wanted, &[]).is_some()
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

const fn is_naming(attribute: Attribute) -> bool {
    matches!(
        attribute,
        Attribute::Username
            | Attribute::UserPrincipalName
            | Attribute::DisplayName
            | Attribute::GivenName
            | Attribute::FamilyName
            | Attribute::Mail
            | Attribute::MailNickname
            | Attribute::ProxyAddresses
    )
}

fn hand_made(what: &str) -> Because {
    Because::ChangedByHand { what: what.into() }
}

fn names_of(changes: &[Change]) -> String {
    changes.iter().map(|c| c.attribute.ldap_name()).collect::<Vec<_>>().join(", ")
}

/// `Ayşe Şahin` and `Ayşe Şahin 2` are the same wish: the number only tells homonyms in one OU apart.
fn same_common_name(seen: &str, wanted: &str) -> bool {
    let rest = seen.strip_prefix(wanted);
    rest.is_some_and(|r| r.is_empty() || r.strip_prefix(' ').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit())))
}

fn change(attribute: Attribute, seen: Option<&Value>, wanted: Option<&Value>, lapsed: &[Arc<str>]) -> Option<Change> {
    match (attribute, seen, wanted) {
        (Attribute::ProxyAddresses, seen, Some(Value::List(wanted))) => proxies(seen, wanted, lapsed),
        // Why: not hidden is not hidden, said or unsaid.
        (Attribute::HideFromAddressLists, Some(Value::Text(seen)), None) if seen.as_ref() == "FALSE" => None,
        (_, Some(Value::Text(a)), Some(Value::Text(b))) if attribute.ignores_case() && a.eq_ignore_ascii_case(b) => None,
        _ if seen == wanted => None,
        _ => Some(Change { attribute, from: seen.cloned(), to: wanted.cloned() }),
    }
}

/// Kimlik's addresses are ensured, those of its own whose term is over are taken away, and another primary is demoted; other
/// aliases are left alone: mail may still come there.
fn proxies(seen: Option<&Value>, wanted: &[Arc<str>], lapsed: &[Arc<str>]) -> Option<Change> {
    let seen: &[Arc<str>] = match seen {
        Some(Value::List(values)) => values,
        _ => &[],
    };
    let address = |proxy: &str| text::fold(proxy.split_once(':').map_or(proxy, |(_, a)| a));
    let is_wanted = |proxy: &str| wanted.iter().any(|w| address(w) == address(proxy));
    let is_lapsed = |proxy: &str| lapsed.iter().any(|l| address(l) == address(proxy)) && !is_wanted(proxy);
    let wrong = |s: &&Arc<str>| {
        let clash = wanted.iter().any(|w| w != *s && address(w) == address(s));
        clash || (s.starts_with("SMTP:") && !wanted.contains(s)) || is_lapsed(s)
    };
    let removed: Vec<Arc<str>> = seen.iter().filter(wrong).cloned().collect();
    let mut added: BTreeSet<Arc<str>> = wanted.iter().filter(|w| !seen.contains(w)).cloned().collect();
    for demoted in &removed {
        if !is_wanted(demoted) && !is_lapsed(demoted) {
            added.insert(format!("smtp:{}", &demoted[5..]).into());
        }
    }
    if removed.is_empty() && added.is_empty() {
        return None;
    }
    let list = |values: Vec<Arc<str>>| (!values.is_empty()).then(|| Value::list(values));
    Some(Change { attribute: Attribute::ProxyAddresses, from: list(removed), to: list(added.into_iter().collect()) })
}
