//! Settling one person after the steps were taken: what the directory shows decides what was done.
use super::desired::{self, Desired, DesiredAccount, issue};
use super::difference::{self, Sight};
use super::drift;
use super::execute::{Carried, Ended};
use super::limits::Exceeded;
use super::look::{Look, Planned};
use super::plan::{ActionKind, PersonPlan, Step};
use super::policy::Policy;
use super::reconcile::Reconciler;
use super::run::{OperationStatus, PersonSettlement, ReceiptLine};
use crate::account::{Account, AccountRef, AccountState, Applied, Attribute, Dn, ObservedAccount, Sealed};
use crate::audit::AuditEvent;
use crate::day::Day;
use crate::id::{AccountGuid, MessageId};
use crate::mailbox::{self, Mailboxes};
use crate::message::{self, NewMessage, Purpose, Telling, announcement};
use crate::ports::{PersonRecord, PortError, Refusal};
use crate::staff::{DataIssue, IssueKind};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::collections::HashMap;

pub(super) struct Settled {
    pub settlement: PersonSettlement,
    done: u32,
    refused: u32,
    in_doubt: u32,
    /// Observe and plan again now.
    again: bool,
    /// The directory refused for good; only a change elsewhere helps.
    pub refusal: Option<DataIssue>,
}

impl Settled {
    pub fn count(&self, carried: &mut Carried) {
        carried.done += self.done;
        carried.refused += self.refused;
        carried.in_doubt += self.in_doubt;
        if self.again {
            carried.again.insert(self.settlement.person);
        }
        if self.refusal.is_some() {
            carried.later_refusals += self.refused;
            carried.later.insert(self.settlement.person);
        }
    }
    pub fn is_clean(&self) -> bool {
        self.refused + self.in_doubt == 0
    }
}

/// The account works, was opened by Kimlik, and its person has not been told of this opening.
pub fn announcement_due(record: &PersonRecord) -> bool {
    record.person.mobile.is_some()
        && record.account.as_ref().is_some_and(|a| a.state == AccountState::Active && a.announced_opening < a.opening)
}

/// One person after the steps.
pub(super) struct Worked<'a> {
    /// As it was before them.
    pub record: PersonRecord,
    pub ended: Vec<Ended>,
    /// The account that was made or linked.
    pub made: Option<AccountRef>,
    pub planned: &'a Planned,
    pub exceeded: &'a [Exceeded],
}

pub(super) fn settle(of: &Reconciler, look: &Look<'_>, worked: Worked<'_>, seen: &HashMap<AccountGuid, ObservedAccount>) -> Settled {
    let Worked { mut record, ended, made, planned, exceeded } = worked;
    let now = of.clock.now();
    let facts = look.facts();
    let before = record.account.clone();
    let guid = made.map(|m| m.guid).or_else(|| before.as_ref().and_then(|a| a.guid));
    let observed = guid.and_then(|g| seen.get(&g));
    let desired = desired::outlook(&record, &facts).desired;
    // Why all or nothing: what was planned from something else is not begun.
    let tried = if ended.iter().all(Ended::was_overtaken) { &[] } else { ended.as_slice() };
    let mut after = before.clone();
    if let (Some(account), Some(observed), Desired::Account(desired)) = (&mut after, observed, &desired) {
        let broken_off = record.unsettled.iter().any(|o| o.disables && ended.iter().all(|e| e.operation != o.id));
        remember_who_disabled(account, tried, broken_off);
        advance(account, desired, observed, tried, facts.policy, now);
    }
    if let (Some(account), Some(observed)) = (&mut after, observed)
        && tells_no_mailbox(account, observed, facts.policy)
    {
        account.mail_ended_at = account.closed_at;
    }
    record.account = after;
    let mut left = difference::plan(&record, Sight { account: observed, candidates: &[] }, &facts);
    if let (Some(account), Desired::Account(desired)) = (&mut record.account, &desired) {
        let open = left.actions.iter().any(|a| a.kind != ActionKind::CloseMailbox);
        if account.state == AccountState::Closed && before.as_ref().is_some_and(|b| b.state != AccountState::Closed) && open {
            // Some door is still open: it is not closed yet. What is shut already was shut by Kimlik, not by hand.
            let shut = observed.is_some_and(|o| !o.enabled);
            account.state = if shut { AccountState::Suspended } else { before.as_ref().map_or(AccountState::None, |b| b.state) };
            account.closed_at = None;
        }
        if let Some(observed) = observed.filter(|_| !tried.is_empty() || account.applied.is_none()) {
            account.applied = applied(account, desired, observed, &left, tried, look.today);
        }
    }
    let sight = Sight { account: observed, candidates: &[] };
    let drift = drift::after(look, planned, &ended, &record, &left, sight, exceeded);
    if observed.is_none() {
        left.actions = ended.iter().map(|e| e.action.clone()).collect();
    }
    let mut settled = Settled {
        settlement: PersonSettlement {
            person: record.person.id,
            registry_no: record.person.registry_no.clone(),
            province: left.province,
            account: None,
            before: None,
            operations: Vec::new(),
            message: None,
            audit: Vec::new(),
            drift,
            wake_reports: false,
            mailbox_asked_for: facts.policy.mailboxes == Mailboxes::Command,
            at: now,
        },
        done: 0,
        refused: 0,
        in_doubt: 0,
        again: false,
        refusal: None,
    };
    for end in &ended {
        settled.end(&record, end, &left, observed, look, now);
    }
    let known = observed.filter(|_| matches!(desired, Desired::Account(_)));
    let gone = ended.is_empty() && matches!(&desired, Desired::Account(d) if d.state == AccountState::Closed);
    settled.interrupted(&record, &ended, &left, known, gone, now);
    let works = observed.is_some_and(|s| s.enabled) && matches!(&desired, Desired::Account(d) if d.state == AccountState::Active);
    if works && announcement_due(&record) {
        settled.announce(of, &mut record, now);
    }
    let linked = |a: &Option<Account>| a.as_ref().filter(|a| a.state != AccountState::Closed).and_then(|a| a.guid);
    settled.settlement.wake_reports = linked(&before) != linked(&record.account);
    if record.account != before {
        (settled.settlement.before, settled.settlement.account) = (before, record.account);
    }
    settled
}

/// Before the state moves on: was an account that is suspended from now on disabled by Kimlik? `broken_off`: by an operation
/// before this one, perhaps.
fn remember_who_disabled(account: &mut Account, ended: &[Ended], broken_off: bool) {
    let Some(suspension) = ended.iter().find(|e| e.action.kind == ActionKind::Suspend) else { return };
    if broken_off || suspension.action.steps.contains(&Step::Disable) {
        account.disabled_before = false;
    } else if account.state == AccountState::Active {
        account.disabled_before = true;
    }
}

/// What the ledger says after the steps, by what is seen.
fn advance(account: &mut Account, desired: &DesiredAccount, seen: &ObservedAccount, ended: &[Ended], policy: &Policy, now: DateTime<Utc>) {
    let tried = |kinds: &[ActionKind]| ended.iter().any(|e| kinds.contains(&e.action.kind));
    account.guid = Some(seen.guid);
    account.dn = Some(seen.dn.clone());
    if ended.iter().any(|e| e.sealed) {
        account.sealed = if desired.state == AccountState::Closed { Sealed::Closing } else { Sealed::Opening };
    }
    if tried(&[ActionKind::Open, ActionKind::Adopt]) && account.opening == 0 {
        account.opening = 1;
        account.opened_at = Some(now);
    }
    if tried(&[ActionKind::Adopt]) {
        account.adopted = true;
        account.adopt = None;
        account.announced_opening = account.opening;
        if account.state == AccountState::None {
            account.state = if seen.enabled { AccountState::Active } else { AccountState::Suspended };
        }
    }
    let starts = [ActionKind::Open, ActionKind::Reopen, ActionKind::Enable, ActionKind::Reinstate, ActionKind::Adopt, ActionKind::Suspend];
    let ends_mail = policy.mailboxes == Mailboxes::Command || !is_marked(seen);
    if tried(&[ActionKind::CloseMailbox]) && desired.state == AccountState::Closed && ends_mail {
        account.mail_ended_at = Some(now);
    }
    let reached = match desired.state {
        AccountState::Active => tried(&starts) && seen.enabled,
        // Why also an opening: one that was broken off, of somebody who has left meanwhile.
        AccountState::Closed => tried(&[ActionKind::Close, ActionKind::Withdraw, ActionKind::Adopt, ActionKind::Open]),
        _ => tried(&starts) && !seen.enabled,
    };
    if !reached {
        return;
    }
    if tried(&[ActionKind::Reopen]) {
        account.opening += 1;
        account.opened_at = Some(now);
        account.closed_at = None;
        account.mail_ended_at = None;
    }
    if desired.state != AccountState::Closed && account.sealed == Sealed::Closing {
        // Why: from now on somebody may know the password again, and the next closing has to set another one.
        account.sealed = Sealed::Opening;
    }
    if desired.state == AccountState::Closed && account.state != AccountState::Closed {
        account.closed_at = Some(now);
    }
    if matches!(desired.state, AccountState::Active | AccountState::Closed) {
        account.disabled_before = false;
    }
    if desired.state == AccountState::Active && account.state != AccountState::Active {
        account.enabled_at = Some(now);
    }
    account.state = desired.state;
}

/// Nothing of a mailbox in the cloud is seen on a closed account, and the ledger does not say so: it never was one, as those that
/// were closed before such mailboxes were made. Nothing is left to be closed one day.
pub(super) fn tells_no_mailbox(account: &Account, seen: &ObservedAccount, policy: &Policy) -> bool {
    policy.marks_mailboxes() && account.state == AccountState::Closed && account.mail_ended_at.is_none() && !is_marked(seen)
}

/// Does it carry what makes an account a mailbox in the cloud?
fn is_marked(seen: &ObservedAccount) -> bool {
    Attribute::ALL.iter().any(|a| a.is_remote_mailbox() && seen.attributes.get(*a).is_some())
}

/// The parts of the desired account that nothing is left to do for.
fn applied(
    account: &Account,
    desired: &DesiredAccount,
    seen: &ObservedAccount,
    left: &PersonPlan,
    ended: &[Ended],
    today: Day,
) -> Option<Applied> {
    if account.state == AccountState::Closed {
        return None;
    }
    let open = |kinds: &[ActionKind]| left.actions.iter().any(|a| kinds.contains(&a.kind));
    let whole = [ActionKind::Open, ActionKind::Reopen, ActionKind::Close, ActionKind::Withdraw];
    if open(&whole) {
        return account.applied.clone();
    }
    let mut applied = account.applied.clone().unwrap_or_else(|| Applied {
        unit: desired.unit,
        unit_name: desired.unit_name.clone(),
        seconded: desired.seconded,
        ou: desired.ou.clone(),
        attributes: seen.attributes.clone(),
        groups: Vec::new(),
        on: today,
    });
    if !open(&[ActionKind::Move]) {
        applied.unit = desired.unit;
        applied.unit_name = desired.unit_name.clone();
        applied.seconded = desired.seconded;
        applied.ou = desired.ou.clone();
    }
    if !open(&[ActionKind::Update, ActionKind::Rename]) {
        applied.attributes = desired.attributes.clone();
    }
    // Why not all desired groups: what Kimlik adds it also takes away, and nothing else.
    let joined = ended.iter().flat_map(|e| &e.action.steps).filter_map(|s| match s {
        Step::JoinGroup(group) => Some(group),
        _ => None,
    });
    let joined = joined.filter(|g| seen.groups.contains(g));
    // Why also those no longer desired: a group that Kimlik gave and could not take away yet (held, refused) stays its own.
    let kept = applied.groups.iter().filter(|g| desired.groups.contains(g) || seen.groups.contains(g));
    let mut groups: Vec<Dn> = kept.chain(joined).cloned().collect();
    groups.sort();
    groups.dedup();
    applied.groups = groups;
    applied.on = today;
    Some(applied)
}

impl Settled {
    fn end(
        &mut self,
        record: &PersonRecord,
        end: &Ended,
        left: &PersonPlan,
        seen: Option<&ObservedAccount>,
        look: &Look<'_>,
        now: DateTime<Utc>,
    ) {
        let kind = end.action.kind;
        let undone = left.actions.iter().any(|a| a.kind == kind);
        let status = match &end.error {
            None if !undone => OperationStatus::Done,
            None => OperationStatus::InDoubt,
            Some(PortError::InDoubt(_)) if seen.is_some() && !undone => OperationStatus::Done,
            Some(PortError::InDoubt(_)) => OperationStatus::InDoubt,
            Some(PortError::Unavailable(_)) => OperationStatus::Superseded,
            Some(PortError::Refused { refusal: Refusal::Changed, .. }) => OperationStatus::Superseded,
            Some(PortError::Refused { .. }) => OperationStatus::Refused,
        };
        match status {
            OperationStatus::Done => self.done += 1,
            OperationStatus::InDoubt => self.in_doubt += 1,
            _ => self.refused += 1,
        }
        let for_good = match &end.error {
            Some(PortError::Refused { refusal: Refusal::Changed | Refusal::NameTaken, .. }) => None,
            Some(PortError::Refused { reason, .. }) => Some(reason),
            _ => None,
        };
        if let Some(reason) = for_good {
            let message = format!("the directory refused to {}: {reason}", kind.verb());
            self.refusal = Some(issue(IssueKind::DirectoryRefused, &record.person, &look.facts(), message));
        } else {
            self.again |= status != OperationStatus::Done;
        }
        let mut receipt = end.receipt.clone();
        if status == OperationStatus::Done && matches!(kind, ActionKind::Close | ActionKind::Withdraw) {
            receipt.extend(lives_on(seen, look, now));
            receipt.extend(mail_goes_on(record, seen, look, now));
        }
        self.audit(record, kind, &end.action.because.to_string(), status, &receipt, now);
        self.settlement.operations.push((end.operation, status, receipt));
    }

    /// Operations whose end is not known: intended here and not come to, or left behind by a crash.
    fn interrupted(
        &mut self,
        record: &PersonRecord,
        ended: &[Ended],
        left: &PersonPlan,
        seen: Option<&ObservedAccount>,
        gone: bool,
        now: DateTime<Utc>,
    ) {
        for operation in &record.unsettled {
            if ended.iter().any(|e| e.operation == operation.id) {
                continue;
            }
            let again = ended.iter().any(|e| e.action.kind == operation.kind);
            let unseen = record.account.as_ref().is_none_or(|a| a.guid.is_none());
            if operation.kind == ActionKind::Open && unseen && (!gone || record.under_way.contains(&operation.run)) {
                // Why it stays in doubt: it is the proof that an account which turns up later is Kimlik's own work.
                // (Of somebody who has left meanwhile it would have been found by now, and closed, unless it is being made just now.)
                continue;
            }
            let undone = left.actions.iter().any(|a| a.kind == operation.kind) || unseen || !shows(operation.kind, record, seen);
            let (status, found) = if undone || again {
                (OperationStatus::Superseded, "not seen (wholly) done; planned anew")
            } else {
                (OperationStatus::Done, "seen done after an interruption")
            };
            let receipt = vec![ReceiptLine { at: now, step: operation.kind.verb().into(), result: found.into() }];
            self.audit(record, operation.kind, &operation.because, status, &receipt, now);
            self.settlement.operations.push((operation.id, status, receipt));
        }
    }

    fn audit(
        &mut self,
        record: &PersonRecord,
        kind: ActionKind,
        because: &str,
        status: OperationStatus,
        receipt: &[ReceiptLine],
        now: DateTime<Utc>,
    ) {
        self.settlement.audit.push(AuditEvent {
            at: now,
            actor: "kimlik".into(),
            deed: format!("account.{}", kind.verb()),
            person: Some(record.person.id),
            because: because.to_owned(),
            detail: json!({ "registryNo": record.person.registry_no, "status": status, "receipt": receipt }),
        });
    }

    fn announce(&mut self, of: &Reconciler, record: &mut PersonRecord, now: DateTime<Utc>) {
        let (Some(account), Some(mobile)) = (&mut record.account, &record.person.mobile) else { return };
        let mut random = [0; 8];
        of.entropy.fill(&mut random);
        let telling = Telling::AccountOpened { username: &account.names.username, mail: &account.names.mail };
        account.announced_opening = account.opening;
        self.settlement.message = Some(NewMessage {
            id: MessageId(of.uuid(now)),
            purpose: Purpose::AccountOpened,
            occasion: announcement::occasion(account.opening, None),
            to: mobile.clone().into(),
            subject: None,
            text: of.policy.texts.compose(&telling, record.language),
            code: Some(message::activation_code(random)),
            valid_until: None,
        });
    }
}

/// Could what is seen be the end of an action of this kind? (What HR has wanted since may be something else, or undecided.)
fn shows(kind: ActionKind, record: &PersonRecord, seen: Option<&ObservedAccount>) -> bool {
    let (Some(account), Some(seen)) = (&record.account, seen) else { return false };
    match kind {
        ActionKind::Close | ActionKind::Withdraw => account.state == AccountState::Closed,
        ActionKind::Suspend => !seen.enabled,
        ActionKind::Enable | ActionKind::Reinstate => account.state == AccountState::Active && seen.enabled,
        ActionKind::Open | ActionKind::Reopen | ActionKind::Adopt => !matches!(account.state, AccountState::None | AccountState::Closed),
        ActionKind::CloseMailbox => account.mail_ended_at.is_some() || !is_marked(seen),
        ActionKind::Update | ActionKind::Groups | ActionKind::Move | ActionKind::Rename => true,
    }
}

/// Until when the mailbox of a leaver takes mail, where somebody of Kimlik's closes it.
fn mail_goes_on(record: &PersonRecord, seen: Option<&ObservedAccount>, look: &Look<'_>, at: DateTime<Utc>) -> Option<ReceiptLine> {
    let policy = &look.of.policy;
    let kept = match policy.mailboxes {
        Mailboxes::None => false,
        Mailboxes::Remote { .. } => policy.exchange && seen.is_some_and(is_marked),
        Mailboxes::Command => true,
    };
    let ends = record.account.as_ref().filter(|_| kept).and_then(|a| mailbox::closes_on(a, policy.mailbox_retention_days))?;
    let result = format!("hidden from the address book; takes mail until {ends}, and is closed then unless the person returns");
    Some(ReceiptLine { at, step: "mailbox".into(), result })
}

/// What a closing cannot end.
fn lives_on(seen: Option<&ObservedAccount>, look: &Look<'_>, now: DateTime<Utc>) -> Vec<ReceiptLine> {
    let line = |step: &str, result: String| ReceiptLine { at: now, step: step.into(), result };
    let tickets = line("lives on", "Kerberos tickets already issued, until they run out (10 hours by the domain's default)".into());
    let base = &look.of.policy.base;
    let outside: Vec<String> = seen.iter().flat_map(|s| &s.groups).filter(|g| !g.is_within(base)).map(|g| g.name()).collect();
    let groups = (!outside.is_empty()).then(|| line("lives on", format!("groups outside the managed tree: {}", outside.join(", "))));
    std::iter::once(tickets).chain(groups).collect()
}
