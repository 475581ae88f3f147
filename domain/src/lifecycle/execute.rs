//! Carrying out: intents committed in chunks, steps in order, a few people at a time. No choices are made here.
use super::difference::{self, Sight};
use super::grip::Grip;
use super::limits::{Cap, Exceeded};
use super::look::{Basis, Look, Planned};
use super::photo::{photo_of, tag_in};
use super::plan::{Action, ActionKind, Step};
use super::reconcile::{Progress, Reconciler, decision, holds_back};
use super::run::{Intent, ReceiptLine, Run};
use super::{Because, settle};
use crate::account::{Account, AccountRef, LedgerName, Mode, NameKind, Names, ObservedAccount};
use crate::id::{AccountGuid, OperationId, PersonId, RunId};
use crate::ports::{FindBy, IssueScope, PeopleBy, PersonRecord, PortError, PortResult, Refusal};
use crate::staff::IssueKind;
use chrono::TimeDelta;
use futures_util::stream::{self, FuturesUnordered};
use futures_util::{StreamExt, TryStreamExt};
use std::collections::{HashMap, HashSet};
use zeroize::Zeroizing;

/// People a transaction: large enough that the store costs little, small enough that a crash leaves little in doubt.
const CHUNK: usize = 64;
/// While one chunk is settled the next is carried out.
const CHUNKS_AT_ONCE: usize = 2;
/// More operations in flight on one connection bring nothing (measured: facts/lab-ad.md).
const PEOPLE_AT_ONCE: usize = 8;

/// What became of the plans of a run.
#[derive(Clone, Debug, Default)]
pub struct Carried {
    pub done: u32,
    pub held: u32,
    pub refused: u32,
    pub in_doubt: u32,
    pub observed_only: u32,
    /// Of `refused`, those that are not tried again at once.
    pub later_refusals: u32,
    /// People to be observed and planned again at once.
    pub again: HashSet<PersonId>,
    /// People whom the directory refused for good: tried again after a while.
    pub later: HashSet<PersonId>,
}

/// What a run may not exceed, and what it would.
#[derive(Clone, Copy)]
pub(super) struct Limiting<'a> {
    pub exceeded: &'a [Exceeded],
    pub caps: &'a [Cap],
}

/// How an action ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub operation: OperationId,
    pub action: Action,
    /// `None`: every step was taken.
    pub error: Option<PortError>,
    pub receipt: Vec<ReceiptLine>,
    pub sealed: bool,
}

impl Ended {
    fn overtaken(operation: OperationId, action: &Action) -> Ended {
        let error = PortError::refused(Refusal::Changed, "HR, an order or another worker has changed what it was planned from");
        Ended { operation, action: action.clone(), error: Some(error), receipt: Vec::new(), sealed: false }
    }
    /// Not one step was tried.
    pub(super) fn was_overtaken(&self) -> bool {
        self.receipt.is_empty() && self.error.as_ref().and_then(PortError::refusal) == Some(Refusal::Changed)
    }
}

/// One person's part of a chunk.
pub(super) struct Work<'p> {
    pub planned: &'p Planned,
    pub intents: Vec<Intent>,
    pub actions: Vec<Action>,
}

impl Work<'_> {
    /// What the account looks like now, where that follows from what was seen and what was done. Not where somebody else has done
    /// something to it since: the record, read again, tells.
    fn foreseen(&self, record: &PersonRecord, ended: &[Ended]) -> Option<ObservedAccount> {
        let seen = self.planned.seen.as_ref().filter(|seen| record.account.as_ref() == Some(&seen.ledger))?;
        let is_done = !ended.is_empty() && ended.len() == self.actions.len() && ended.iter().all(|e| e.error.is_none());
        let steps = ended.iter().flat_map(|e| &e.action.steps);
        is_done.then(|| {
            steps.fold(seen.account.clone(), |account, step| match step {
                Step::Modify(changes) => account.with(changes),
                _ => account,
            })
        })
    }
}

impl Reconciler {
    pub(super) async fn execute(
        &self,
        run: &Run,
        look: &Look<'_>,
        limits: Limiting<'_>,
        grip: &Grip<'_>,
        progress: &dyn Progress,
    ) -> PortResult<Carried> {
        let mut total = Carried::default();
        let due: Vec<&Planned> = look.plans.iter().filter(|p| !p.plan.is_empty() || p.unsettled || p.announce).collect();
        // Why not all at once: a chunk that waits for its turn is to cost nothing.
        let mut waiting = due.chunks(CHUNK);
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < CHUNKS_AT_ONCE
                && let Some(chunk) = waiting.next()
            {
                running.push(self.chunk(run.id, look, chunk, limits, grip, progress));
            }
            let Some(carried) = running.try_next().await? else { break };
            total.done += carried.done;
            total.held += carried.held;
            total.refused += carried.refused;
            total.in_doubt += carried.in_doubt;
            total.observed_only += carried.observed_only;
            total.later_refusals += carried.later_refusals;
            total.again.extend(carried.again);
            total.later.extend(carried.later);
        }
        Ok(total)
    }

    /// Which of a person's actions may be carried out now.
    fn sort<'p>(&self, run: RunId, planned: &'p Planned, exceeded: &[Exceeded], total: &mut Carried) -> Work<'p> {
        let now = self.clock.now();
        let mut work = Work { planned, intents: Vec::new(), actions: Vec::new() };
        if planned.plan.mode == Mode::Observe {
            total.observed_only += u32::from(!planned.plan.is_empty());
            return work;
        }
        for action in &planned.plan.actions {
            let decided = decision(planned, action);
            if decided == Some(false) {
                continue;
            }
            if holds_back(planned, action, exceeded).is_some() {
                total.held += 1;
                continue;
            }
            work.intents.push(Intent {
                operation: OperationId(self.uuid(now)),
                run,
                person: planned.plan.person,
                kind: action.kind,
                budget: action.budget(),
                province: planned.plan.province,
                approved: decided == Some(true),
                digest: action.digest(),
                because: action.because.to_string(),
                steps: action.steps.clone(),
                at: now,
            });
            work.actions.push(action.clone());
        }
        work
    }

    /// The plans of those whose steps were left out, made again.
    pub(super) async fn complete(&self, look: &Look<'_>, planned: &[&Planned]) -> PortResult<HashMap<PersonId, Planned>> {
        let light: Vec<PersonId> = planned.iter().filter(|p| p.light).map(|p| p.plan.person).collect();
        if light.is_empty() {
            return Ok(HashMap::new());
        }
        let mut proposed: HashMap<PersonId, &Names> =
            planned.iter().filter_map(|p| Some((p.plan.person, p.proposed.as_deref()?))).collect();
        let mut records = self.store.people(PeopleBy::Ids(&light)).await?;
        look.suppose(&mut records, &light);
        for record in &mut records {
            if let (None, Some(names)) = (&record.account, proposed.remove(&record.person.id)) {
                record.account = Some(Account::new(record.person.id, names.clone()));
            }
        }
        let facts = look.facts();
        let whole = |record: &PersonRecord| {
            let plan = difference::plan(record, Sight::default(), &facts);
            let unsettled = !record.unsettled.is_empty();
            Planned {
                plan,
                decisions: Vec::new(),
                unsettled,
                refused: false,
                announce: false,
                light: false,
                proposed: None,
                digests: Vec::new(),
                seen: None,
                basis: Basis::of(record),
            }
        };
        Ok(records.iter().map(|r| (r.person.id, whole(r))).collect())
    }

    async fn chunk(
        &self,
        run: RunId,
        look: &Look<'_>,
        planned: &[&Planned],
        limits: Limiting<'_>,
        grip: &Grip<'_>,
        progress: &dyn Progress,
    ) -> PortResult<Carried> {
        let Limiting { exceeded, caps } = limits;
        let mut carried = Carried::default();
        let whole = self.complete(look, planned).await?;
        let planned = planned.iter().map(|p| whole.get(&p.plan.person).unwrap_or(p));
        let mut chunk: Vec<Work<'_>> = planned.map(|p| self.sort(run, p, exceeded, &mut carried)).collect();
        chunk.retain(|w| !w.actions.is_empty() || w.planned.plan.mode == Mode::Manage && (w.planned.unsettled || w.planned.announce));
        grip.keep().await?;
        chunk.retain(|w| !grip.has_lost(w.planned.plan.person));
        self.intend(&mut chunk, caps, &mut carried).await?;
        let ids: Vec<PersonId> = chunk.iter().map(|w| w.planned.plan.person).collect();
        let records = self.store.people(PeopleBy::Ids(&ids)).await?;
        let mut records: HashMap<PersonId, PersonRecord> = records.into_iter().map(|r| (r.person.id, r)).collect();
        let under_way: Vec<_> =
            chunk.iter().filter_map(|work| Some(self.person(records.remove(&work.planned.plan.person)?, work))).collect();
        let worked: Vec<(PersonRecord, &Work<'_>, Vec<Ended>, Option<AccountRef>)> =
            stream::iter(under_way).buffer_unordered(PEOPLE_AT_ONCE).collect().await;
        // Settled by observation: what the directory shows now, not what it answered. Why not after mere changes of attributes:
        // they are made of exactly what was seen, or refused; and the next look at what has changed sees them in any case.
        let mut seen: HashMap<AccountGuid, ObservedAccount> = worked
            .iter()
            .filter_map(|(record, work, ended, _)| work.foreseen(record, ended))
            .map(|account| (account.guid, account))
            .collect();
        let account = |record: &PersonRecord, made: &Option<AccountRef>| made.as_ref().map(|m| m.guid).or(record.account.as_ref()?.guid);
        let guids = worked.iter().filter_map(|(record, _, _, made)| account(record, made)).filter(|guid| !seen.contains_key(guid));
        let guids: Vec<AccountGuid> = guids.collect();
        if !guids.is_empty() {
            seen.extend(self.directory.observe(&guids).await?.into_iter().map(|a| (a.guid, a)));
        }
        let mut settlements = Vec::with_capacity(worked.len());
        let (mut refusals, mut once_refused) = (Vec::new(), Vec::new());
        for (record, work, ended, made) in worked {
            let was_refused = record.open_issues.contains(&IssueKind::DirectoryRefused);
            let settled = settle::settle(self, look, settle::Worked { record, ended, made, planned: work.planned, exceeded }, &seen);
            settled.count(&mut carried);
            if was_refused || settled.refusal.is_some() {
                once_refused.push(settled.settlement.registry_no.clone());
                refusals.extend(settled.refusal.clone());
            }
            let kinds: Vec<(ActionKind, Because)> = work.actions.iter().map(|a| (a.kind, a.because.clone())).collect();
            if !kinds.is_empty() {
                progress.done(&work.planned.plan.name, &kinds, settled.is_clean());
            }
            settlements.push(settled.settlement);
        }
        self.store.settle(settlements).await?;
        look.note_settled(ids);
        if !once_refused.is_empty() {
            let about = IssueScope::People(&[IssueKind::DirectoryRefused], &once_refused);
            self.store.save_issues(about, &refusals, self.clock.now()).await?;
        }
        Ok(carried)
    }

    /// Commits the intents of a chunk; what another replica's spending has put beyond a cap drops out and is planned again.
    async fn intend(&self, chunk: &mut [Work<'_>], caps: &[Cap], carried: &mut Carried) -> PortResult<()> {
        let all: Vec<Intent> = chunk.iter().flat_map(|w| w.intents.iter().cloned()).collect();
        if all.is_empty() {
            return Ok(());
        }
        let beyond = self.store.intend(&all, caps, self.clock.now() - TimeDelta::days(1)).await?;
        if beyond.is_empty() {
            return Ok(());
        }
        let beyond: HashSet<OperationId> = beyond.into_iter().filter_map(|i| all.get(i).map(|intent| intent.operation)).collect();
        for work in chunk {
            let keep: Vec<bool> = work.intents.iter().map(|i| !beyond.contains(&i.operation)).collect();
            if keep.iter().any(|k| !k) {
                carried.again.insert(work.planned.plan.person);
            }
            let mut kept = keep.iter();
            work.intents.retain(|_| *kept.next().unwrap_or(&true));
            let mut kept = keep.iter();
            work.actions.retain(|_| *kept.next().unwrap_or(&true));
        }
        Ok(())
    }

    /// All actions of one person, in order. After a doubt nothing more is tried: the rest is planned again.
    async fn person<'w>(
        &self,
        mut record: PersonRecord,
        work: &'w Work<'w>,
    ) -> (PersonRecord, &'w Work<'w>, Vec<Ended>, Option<AccountRef>) {
        let known = record.account.as_ref().and_then(|a| Some(AccountRef { guid: a.guid?, dn: a.dn.clone()? }));
        let mut account = known;
        if work.planned.basis != Basis::of(&record) {
            let ended = work.intents.iter().zip(&work.actions).map(|(intent, action)| Ended::overtaken(intent.operation, action)).collect();
            return (record, work, ended, account);
        }
        let mut ended = Vec::with_capacity(work.actions.len());
        for (intent, action) in work.intents.iter().zip(&work.actions) {
            let outcome = self.action(&mut record, intent.operation, action, &mut account).await;
            let stop = matches!(outcome.error, Some(PortError::InDoubt(_) | PortError::Unavailable(_)));
            ended.push(outcome);
            if stop {
                break;
            }
        }
        (record, work, ended, account)
    }

    async fn action(&self, record: &mut PersonRecord, operation: OperationId, action: &Action, account: &mut Option<AccountRef>) -> Ended {
        let mut ended =
            Ended { operation, action: action.clone(), error: None, receipt: Vec::with_capacity(action.steps.len()), sealed: false };
        for step in &action.steps {
            let result = self.step(record, step, account).await;
            let text = result.as_ref().map_or_else(ToString::to_string, |()| "done".into());
            ended.receipt.push(ReceiptLine { at: self.clock.now(), step: step.headline(), result: text });
            match result {
                Ok(()) => {
                    ended.sealed |= *step == Step::SealPassword;
                    if let Some(photo) = photo_of(step) {
                        record.photo.held = tag_in(&photo.to).map(Into::into);
                    }
                }
                Err(error) => {
                    if error.refusal() == Some(Refusal::NameTaken) {
                        self.bar(record).await;
                    }
                    let go_on = error.refusal().is_some() && may_go_on(action.kind, step);
                    // Why: who has an account has one, with or without a photo; that is planned again as a change of its own.
                    let beside = go_on && photo_of(step).is_some() && begins(action.kind);
                    if !beside {
                        ended.error.get_or_insert(error);
                    }
                    if !go_on {
                        break;
                    }
                }
            }
        }
        ended
    }

    /// The name turned out to be somebody else's between the look-up and the creation.
    async fn bar(&self, record: &PersonRecord) {
        if let Some(account) = &record.account {
            let by = FindBy { usernames: vec![account.names.username.clone()], ..FindBy::default() };
            // Why: an opening that was in doubt may show late; its own name barred, the person would get another one.
            match self.directory.find(&by).await {
                Ok(found) if !found.iter().any(|f| difference::recognises(record, f).is_some()) => {}
                _ => return,
            }
            let name = LedgerName { kind: NameKind::Username, value: account.names.username.clone() };
            // Why the error is let go: the person is planned again in any case, meets the same refusal and bars it then.
            let _ = self.store.bar_name(record.person.id, &name).await;
        }
    }

    async fn step(&self, record: &PersonRecord, step: &Step, account: &mut Option<AccountRef>) -> PortResult<()> {
        let directory = &self.directory;
        match (step, account) {
            (Step::Create(new), account) => {
                *account = Some(directory.create(new).await?);
                Ok(())
            }
            (Step::Link(guid), account) => {
                let found = directory.observe(&[*guid]).await?.into_iter().next();
                *account = Some(found.ok_or_else(|| PortError::refused(Refusal::NotFound, "the account to link is gone"))?.reference());
                Ok(())
            }
            (_, None) => Err(PortError::refused(Refusal::NotFound, "no account is known")),
            (Step::SealPassword, Some(account)) => directory.set_password(account, &self.random_password()).await,
            (Step::Modify(changes), Some(account)) => match photo_of(step) {
                Some(photo) => self.write_photo(record, account, photo).await,
                None => directory.modify(account, changes).await,
            },
            (Step::JoinGroup(group), Some(account)) => directory.join_group(account, group).await,
            (Step::LeaveGroup(group), Some(account)) => directory.leave_group(account, group).await,
            (Step::MoveTo { ou, cn, .. }, Some(account)) => {
                account.dn = directory.move_to(account, ou, cn).await?;
                Ok(())
            }
            (Step::Disable, Some(account)) => directory.set_enabled(account, false).await,
            (Step::Enable, Some(account)) => directory.set_enabled(account, true).await,
            // Why nothing: it is settled that it may be asked for; programs take minutes, and no run waits for them.
            (Step::EndMail, Some(_)) => Ok(()),
        }
    }

    /// 36 characters of 4 classes from 32 random octets (192 bits): meets any complexity rule, fits any limit.
    fn random_password(&self) -> Zeroizing<String> {
        const LETTERS: &[u8; 64] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789#%+-=@_";
        let mut octets = Zeroizing::new([0u8; 32]);
        self.entropy.fill(octets.as_mut());
        let mut text = Zeroizing::new(String::with_capacity(36));
        octets.iter().for_each(|o| text.push(char::from(LETTERS[usize::from(*o % 64)])));
        text.push_str("aA1-");
        text
    }
}

/// The account starts, or starts again.
fn begins(kind: ActionKind) -> bool {
    matches!(kind, ActionKind::Open | ActionKind::Reopen | ActionKind::Adopt)
}

/// A closing goes on whatever is refused: each step shuts one more door. Otherwise a group, a place or a photo that is refused
/// does not keep a person from working.
fn may_go_on(kind: ActionKind, step: &Step) -> bool {
    let closing = matches!(kind, ActionKind::Close | ActionKind::Withdraw | ActionKind::Suspend);
    closing || matches!(step, Step::JoinGroup(_) | Step::LeaveGroup(_) | Step::MoveTo { .. }) || photo_of(step).is_some()
}
