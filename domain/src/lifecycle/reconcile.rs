//! The use case: look, plan, hold what exceeds the limits, commit the intents, carry them out, settle by observation.
//!
//! Expected flow of a run: [`super::look`] -> [`super::limits`] -> holds saved -> [`super::execute`] in chunks -> people whom
//! the directory answered otherwise are looked at once more -> receipt. Guarantees: nothing is done without a committed
//! intent; a crash at any point leaves intents that the next look settles; a second run finds nothing to do.
//! Caveat: "when" is the caller's: the serve loop, a cron job, an administrator.
use super::execute::{Carried, Limiting};
use super::grip::{CARRIED, Grip};
use super::hold::{HoldItem, HoldRequest, HoldStatus};
use super::limits::{self, Budget, Cap, Exceeded, Scope, Spent};
use super::look::{Look, Planned, Supposed};
use super::plan::{Action, ActionKind, PersonPlan};
use super::policy::Policy;
use super::preview::count;
pub use super::preview::{Head, Outline, Overview, Plan, Preview};
use super::run::{Run, RunStatus, RunSummary, Trigger};
use super::{Because, describe};
use crate::account::Mode;
use crate::day::{self, Day};
use crate::id::{HoldId, PersonId, RunId, uuid_v7};
use crate::message::Language;
use crate::ports::{Clock, Directory, Entropy, IssueScope, PhotoFiles, PortError, PortResult, Store};
use crate::staff::intake::Changed;
use crate::staff::{IssueKind, UnitCode};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

pub struct Reconciler {
    pub store: Arc<dyn Store>,
    pub directory: Arc<dyn Directory>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub policy: Arc<Policy>,
    /// HR's photos, where there is a folder of them.
    pub photos: Option<Arc<dyn PhotoFiles>>,
}

/// Whom to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    Everybody,
    People(Vec<PersonId>),
    /// The people of a unit and of everything below it.
    Unit(UnitCode),
}

/// Who watches a run.
pub trait Progress: Send + Sync {
    /// For so many people something is going to be done.
    fn total(&self, people: u32);
    fn done(&self, name: &str, actions: &[(ActionKind, Because)], ok: bool);
}

/// Nobody watches.
pub struct Silent;
impl Progress for Silent {
    fn total(&self, _: u32) {}
    fn done(&self, _: &str, _: &[(ActionKind, Because)], _: bool) {}
}

/// The limits' day rolls.
const DAY: TimeDelta = TimeDelta::days(1);
/// When to look again at somebody whom the directory refused.
const AGAIN: TimeDelta = TimeDelta::minutes(15);

impl Reconciler {
    /// What would be done now, or as of a later day. Writes nothing and reserves nothing: new names are proposals.
    pub async fn preview(&self, whom: &Whom, as_of: Option<Day>) -> PortResult<Preview<'_>> {
        let now = self.clock.now();
        let look = Look::over(self, as_of.unwrap_or_else(|| day::today(now)), false, whom, &Grip::none(self)).await?;
        let (exceeded, _) = self.weigh(&look.plans, now).await?;
        Ok(Preview::new(look, exceeded, now))
    }

    /// Who has something to do now, or as of a later day, and what would be done of all together: for a plan of which pages are asked
    /// for and made by [`Reconciler::plan_again`]. Memory holds some hundred octets of each of these people.
    pub async fn outline(&self, whom: &Whom, as_of: Option<Day>) -> PortResult<Outline> {
        let now = self.clock.now();
        let mut look = Look::outlined(self, as_of.unwrap_or_else(|| day::today(now)), whom).await?;
        let (exceeded, _) = self.weigh_pending(look.outline.take().unwrap_or_default(), now).await?;
        Ok(Preview::new(look, exceeded, now).outline())
    }

    /// What would be done for one person if this were so.
    pub async fn preview_with(&self, person: PersonId, supposed: Supposed) -> PortResult<Plan> {
        let now = self.clock.now();
        let mut look = Look::new(self, day::today(now), false).await?;
        look.supposed = Some((person, supposed));
        look.at_people(&[person], &Grip::none(self)).await?;
        let (exceeded, _) = self.weigh(&look.plans, now).await?;
        Preview::new(look, exceeded, now).whole().await
    }

    /// Some people of a plan made a moment ago, as they stand now, in its order and with the names that it proposed.
    pub async fn plan_again(&self, heads: &[Head], as_of: Option<Day>) -> PortResult<Vec<PersonPlan>> {
        let now = self.clock.now();
        let mut look = Look::new(self, as_of.unwrap_or_else(|| day::today(now)), false).await?;
        look.proposed = heads.iter().filter_map(|h| Some((h.person, h.proposed.as_deref()?.clone()))).collect();
        look.at_people(&heads.iter().map(|h| h.person).collect::<Vec<_>>(), &Grip::none(self)).await?;
        Ok(Preview::new(look, Vec::new(), now).whole().await?.people)
    }

    /// As [`Reconciler::preview`], everybody at once.
    pub async fn plan(&self, whom: &Whom, as_of: Option<Day>) -> PortResult<Plan> {
        self.preview(whom, as_of).await?.whole().await
    }

    /// Works off a part of the queue: people of whom HR said something, or whose day has come. 0: nothing was due.
    pub async fn work(&self, progress: &dyn Progress) -> PortResult<u32> {
        let grip = Grip::on_some(self).await?;
        let people = grip.people();
        if people.is_empty() {
            return Ok(0);
        }
        let count = u32::try_from(people.len()).unwrap_or(u32::MAX);
        let outcome = async {
            let look = Look::over(self, day::today(self.clock.now()), true, &Whom::People(people), &grip).await?;
            Box::pin(self.carry_out_quietly(look, Trigger::HrChange, &grip, progress)).await
        }
        .await;
        match outcome {
            Ok(next) => {
                grip.release(&next.into_iter().collect()).await?;
                Ok(count)
            }
            Err(error) => {
                grip.give_back().await;
                Err(error)
            }
        }
    }

    /// A run that somebody is going to follow; it has not begun to look.
    pub async fn announce_run(&self, id: RunId, trigger: Trigger) -> PortResult<Run> {
        let run = Run { id, ..self.run(trigger) };
        self.begin(&run).await?;
        Ok(run)
    }

    /// Works off these people of the queue under `run`; whoever is in somebody else's hands by now is worked off there.
    pub async fn work_off(&self, mut run: Run, people: &[PersonId], progress: &dyn Progress) -> PortResult<Run> {
        let grip = match Grip::on_these(self, people).await {
            Ok(grip) => grip,
            Err(error) => {
                self.finish(run, Some(&error)).await?;
                return Err(error);
            }
        };
        grip.carries(run.id);
        let outcome = async {
            let look = Look::over(self, day::today(self.clock.now()), true, &Whom::People(grip.people()), &grip).await?;
            Box::pin(self.carry_out(&mut run, look, false, &grip, progress)).await
        }
        .await;
        match outcome {
            Ok(next) => {
                grip.release(&next.into_iter().collect()).await?;
                self.finish(run, None).await
            }
            Err(error) => {
                grip.give_back().await;
                self.finish(run, Some(&error)).await?;
                Err(error)
            }
        }
    }

    /// What would be done for these people if HR said this of them. Few enough to be shown at once.
    pub async fn preview_hr(&self, changed: Vec<Changed>) -> PortResult<Plan> {
        let now = self.clock.now();
        let people: Vec<PersonId> = changed.iter().map(|c| c.person.id).collect();
        let mut look = Look::new(self, day::today(now), false).await?;
        look.said = changed.into_iter().map(|c| (c.person.id, c)).collect();
        look.at_people(&people, &Grip::none(self)).await?;
        let (exceeded, _) = self.weigh(&look.plans, now).await?;
        Preview::new(look, exceeded, now).whole().await
    }

    /// Puts right what somebody changed by hand since the last look. Answers how many people had something to do.
    pub async fn drift(&self, progress: &dyn Progress) -> PortResult<u32> {
        let Some(since) = self.store.watermark().await? else {
            self.sync(&Whom::Everybody, Trigger::Drift, progress).await?;
            return Ok(0);
        };
        let mut look = Look::new(self, day::today(self.clock.now()), true).await?;
        if look.at_changes(&since).await?.is_none() {
            self.sync(&Whom::Everybody, Trigger::Drift, progress).await?;
            return Ok(0);
        }
        let due = look.plans.iter().filter(|p| !p.plan.is_empty()).count();
        self.carry_out_quietly(look, Trigger::Drift, &Grip::none(self), progress).await?;
        Ok(u32::try_from(due).unwrap_or(u32::MAX))
    }

    // ---------------------------------------------------------------------------------------------------------- runs

    pub(super) fn run(&self, trigger: Trigger) -> Run {
        let now = self.clock.now();
        let status = RunStatus::Running;
        Run { id: RunId(self.uuid(now)), trigger, status, started_at: now, finished_at: None, summary: RunSummary::default() }
    }

    /// Records it, and that it goes on.
    pub(super) async fn begin(&self, run: &Run) -> PortResult<()> {
        self.store.begin_run(run, self.clock.now() + CARRIED).await
    }

    pub(super) fn uuid(&self, now: DateTime<Utc>) -> uuid::Uuid {
        let mut random = [0; 10];
        self.entropy.fill(&mut random);
        uuid_v7(now, random)
    }

    pub(super) async fn finish(&self, mut run: Run, fault: Option<&PortError>) -> PortResult<Run> {
        run.finished_at = Some(self.clock.now());
        run.status = match (&fault, &run.summary) {
            (Some(_), _) => RunStatus::Failed,
            (None, s) if s.refused + s.in_doubt > 0 => RunStatus::PartlyFailed,
            (None, s) if s.held > 0 => RunStatus::Held,
            _ => RunStatus::Done,
        };
        run.summary.fault = fault.map(ToString::to_string);
        self.store.finish_run(&run).await?;
        Ok(run)
    }

    /// As a run, but recorded only if there is something to do: the queue is worked off all day.
    async fn carry_out_quietly(
        &self,
        look: Look<'_>,
        trigger: Trigger,
        grip: &Grip<'_>,
        progress: &dyn Progress,
    ) -> PortResult<Vec<(PersonId, Option<Day>)>> {
        let mut run = self.run(trigger);
        if look.plans.is_empty() {
            return self.carry_out(&mut run, look, false, grip, progress).await;
        }
        self.begin(&run).await?;
        grip.carries(run.id);
        let outcome = self.carry_out(&mut run, look, false, grip, progress).await;
        self.finish(run, outcome.as_ref().err()).await?;
        outcome
    }

    pub(super) async fn carry_out(
        &self,
        run: &mut Run,
        mut look: Look<'_>,
        everybody: bool,
        grip: &Grip<'_>,
        progress: &dyn Progress,
    ) -> PortResult<Vec<(PersonId, Option<Day>)>> {
        let now = self.clock.now();
        let scope =
            if everybody { IssueScope::All(IssueKind::OF_PLANNING) } else { IssueScope::People(IssueKind::OF_PLANNING, &look.seen) };
        if everybody || !look.seen.is_empty() || !look.issues.is_empty() {
            self.store.save_issues(scope, &look.issues, now).await?;
        }
        if everybody {
            self.store.save_issues(IssueScope::All(&[IssueKind::DuplicateAddress]), &look.duplicates, now).await?;
        }
        if !look.lapsed.is_empty() {
            self.store.lapse_decisions(&look.lapsed).await?;
        }
        run.summary.people = look.looked_at;
        run.summary.planned = count(look.plans.iter().flat_map(|p| &p.plan.actions));
        if !look.plans.is_empty() {
            // Why again: whoever watches the run sees from here on how much there is to do.
            self.begin(run).await?;
        }
        let (exceeded, caps) = self.weigh(&look.plans, now).await?;
        let requests = self.hold_requests(&look, &exceeded, now).await?;
        if everybody || !requests.is_empty() {
            self.store.save_holds(run.id, &requests, everybody, now).await?;
        }
        self.save_drift(&mut look, &exceeded, everybody).await?;
        let to_do = |p: &Planned, a: &Action| holds_back(p, a, &exceeded).is_none() && decision(p, a) != Some(false);
        let managed = look.plans.iter().filter(|p| p.plan.mode == Mode::Manage);
        let due = managed.filter(|p| p.plan.actions.iter().any(|a| to_do(p, a))).count();
        progress.total(u32::try_from(due).unwrap_or(u32::MAX));
        let limits = Limiting { exceeded: &exceeded, caps: &caps };
        let carried = self.carry_on_or_tell(run, &look, limits, grip, progress).await?;
        if let Some(mark) = &look.watermark {
            self.store.save_watermark(mark).await?;
        }
        self.once_more(run, look, carried, limits, grip).await
    }

    /// Carries out; where it cannot go on, what is left unwritten is kept as that.
    async fn carry_on_or_tell(
        &self,
        run: &Run,
        look: &Look<'_>,
        limits: Limiting<'_>,
        grip: &Grip<'_>,
        progress: &dyn Progress,
    ) -> PortResult<Carried> {
        let carried = self.execute(run, look, limits, grip, progress).await;
        if let Err(why) = &carried {
            self.save_unwritten(look, limits.exceeded, why).await;
        }
        carried
    }

    /// People whom the directory answered otherwise than planned are observed and planned once more; who is still not as
    /// they should be is woken later.
    async fn once_more(
        &self,
        run: &mut Run,
        look: Look<'_>,
        carried: Carried,
        limits: Limiting<'_>,
        grip: &Grip<'_>,
    ) -> PortResult<Vec<(PersonId, Option<Day>)>> {
        let mut next = look.next;
        run.summary.add(&carried);
        let mut later = carried.later;
        if !carried.again.is_empty() {
            let people: Vec<PersonId> = carried.again.iter().copied().collect();
            let mut second = Look::over(self, look.today, true, &Whom::People(people), grip).await?;
            if !second.issues.is_empty() {
                let about = IssueScope::People(IssueKind::OF_PLANNING, &second.seen);
                self.store.save_issues(about, &second.issues, self.clock.now()).await?;
            }
            self.save_drift(&mut second, limits.exceeded, false).await?;
            let rest = self.carry_on_or_tell(run, &second, limits, grip, &Silent).await?;
            // What was tried again counts as what came of it the second time.
            run.summary.refused = carried.later_refusals;
            run.summary.in_doubt = 0;
            run.summary.add(&rest);
            next.extend(second.next);
            later.extend(rest.again);
            later.extend(rest.later);
        }
        if !later.is_empty() {
            let at = self.clock.now() + AGAIN;
            let later: Vec<_> = later.into_iter().map(|p| (p, at)).collect();
            self.store.wake(&later).await?;
        }
        Ok(next)
    }

    // -------------------------------------------------------------------------------------------------------- limits

    /// What of the pending changes exceeds a limit, and the limits in force.
    async fn weigh(&self, plans: &[Planned], now: DateTime<Utc>) -> PortResult<(Vec<Exceeded>, Vec<Cap>)> {
        self.weigh_pending(pending(plans), now).await
    }

    async fn weigh_pending(&self, pending: Spent, now: DateTime<Utc>) -> PortResult<(Vec<Exceeded>, Vec<Cap>)> {
        if pending.0.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let population = self.store.population().await?;
        // Why only these: on the day of a first load 100,000 openings would be counted at every change of a title.
        let budgets: BTreeSet<Budget> = pending.0.keys().map(|(budget, _)| *budget).collect();
        let spent = self.store.spent(&budgets.into_iter().collect::<Vec<_>>(), now - DAY).await?;
        let mut caps = self.policy.limits.caps(&population);
        if self.policy.adoption_held {
            caps.retain(|c| c.budget != Budget::Adopt);
            caps.push(Cap { budget: Budget::Adopt, scope: None, at_most: 0 });
        }
        let mut exceeded = limits::exceeded(&caps, &pending, &spent);
        // Why: what a hold has stopped stays stopped until somebody decides, also when the day has rolled on.
        for hold in self.store.holds(Some(HoldStatus::Open), 1_000).await? {
            let known = exceeded.iter().any(|e| e.cap.budget == hold.budget && e.cap.scope == hold.scope);
            if !known && pending.of(hold.budget, hold.scope) > 0 {
                let cap = Cap { budget: hold.budget, scope: hold.scope, at_most: 0 };
                exceeded.push(Exceeded { cap, pending: 0, spent: 0 });
            }
        }
        Ok((exceeded, caps))
    }

    async fn hold_requests(&self, look: &Look<'_>, exceeded: &[Exceeded], now: DateTime<Utc>) -> PortResult<Vec<HoldRequest>> {
        let mut requests: BTreeMap<(Budget, Scope), HoldRequest> = BTreeMap::new();
        let held = |p: &&Planned| p.plan.mode == Mode::Manage && p.plan.actions.iter().any(|a| holds_back(p, a, exceeded).is_some());
        let held: Vec<&Planned> = look.plans.iter().filter(held).collect();
        let mut whole = HashMap::new();
        for some in held.chunks(1_000) {
            whole.extend(self.complete(look, some).await?);
        }
        for planned in held {
            let planned = whole.get(&planned.plan.person).unwrap_or(planned);
            for action in &planned.plan.actions {
                let Some(over) = holds_back(planned, action, exceeded) else { continue };
                let cap = over.cap;
                let request = requests.entry((cap.budget, cap.scope)).or_insert_with(|| HoldRequest {
                    id: HoldId(self.uuid(now)),
                    budget: cap.budget,
                    scope: cap.scope,
                    reasons: reasons(&over, exceeded),
                    items: Vec::new(),
                });
                request.items.push(HoldItem {
                    person: planned.plan.person,
                    registry_no: planned.plan.registry_no.clone(),
                    kind: action.kind,
                    digest: action.digest(),
                    text: format!("{} ({})\n{}", planned.plan.name, planned.plan.registry_no, describe::action_text(action, Language::En)),
                    approved: None,
                });
            }
        }
        Ok(requests.into_values().collect())
    }
}

/// None for what joins a hold that is open: it knows why it was opened.
fn reasons(over: &Exceeded, exceeded: &[Exceeded]) -> Vec<String> {
    match over.pending {
        0 if exceeded.contains(over) => Vec::new(),
        0 => vec!["rejected before, and now to be done otherwise".to_owned()],
        _ => vec![over.to_string()],
    }
}

/// What a person has decided on exactly this change; `None`: nothing.
pub(super) fn decision(planned: &Planned, action: &Action) -> Option<bool> {
    if planned.decisions.is_empty() || action.is_ordered() {
        return None;
    }
    let digest = action.digest();
    planned.decisions.iter().find(|(kind, d, _)| *kind == action.kind && *d == digest).map(|(_, _, approved)| *approved)
}

/// The exceeded limit that holds this action back, the ministry's before the province's; `None`: it may be carried out
/// (as far as limits go), or it was decided on.
///
/// What was rejected and is now to be done otherwise is asked anew, whatever the limits say.
pub(super) fn holds_back(planned: &Planned, action: &Action, exceeded: &[Exceeded]) -> Option<Exceeded> {
    let budget = action.budget()?;
    let over = exceeded.iter().find(|e| e.cap.budget == budget && (e.cap.scope.is_none() || e.cap.scope == planned.plan.province));
    let rejected = || planned.decisions.iter().any(|(kind, _, approved)| *kind == action.kind && !approved);
    let anew = || rejected().then_some(Exceeded { cap: Cap { budget, scope: None, at_most: 0 }, pending: 0, spent: 0 });
    over.cloned().or_else(anew).filter(|_| decision(planned, action).is_none())
}

/// Undecided changes of managed people, one a person and budget.
fn pending(plans: &[Planned]) -> Spent {
    let mut pending = Spent::default();
    plans.iter().for_each(|planned| count_pending(&mut pending, planned));
    pending
}

pub(super) fn count_pending(pending: &mut Spent, planned: &Planned) {
    if planned.plan.mode == Mode::Manage {
        let undecided = planned.plan.actions.iter().filter(|a| decision(planned, a).is_none());
        let budgets: HashSet<Budget> = undecided.filter_map(Action::budget).collect();
        budgets.into_iter().for_each(|b| pending.add(b, planned.plan.province));
    }
}

impl RunSummary {
    fn add(&mut self, carried: &Carried) {
        self.done += carried.done;
        self.held += carried.held;
        self.refused += carried.refused;
        self.in_doubt += carried.in_doubt;
        self.observed_only += carried.observed_only;
    }
}
