//! Looking: people from the store beside what the directory shows of them, in pages, and from both a plan each.
//! Memory grows with the page and with what is to be done, not with the ministry.
mod naming; // names that are free, before their bearer is told
mod planned; // a plan with what deciding about it needs
mod strays; // accounts of nobody, by what they could be recognised by
mod supposed; // what a dry run takes for given

use crate::account::{Dn, Names, ObservedAccount};
use crate::card::drift::CardDrift;
use crate::day::Day;
use crate::id::{AccountGuid, PersonId};
use crate::lifecycle::desired::{self, Facts, Standing, manager_of};
use crate::lifecycle::difference::{self, Sight};
use crate::lifecycle::grip::Grip;
use crate::lifecycle::limits::Spent;
use crate::lifecycle::plan::{Action, ActionKind, PersonPlan};
use crate::lifecycle::reconcile::{Reconciler, Whom};
use crate::lifecycle::{addresses, settle};
use crate::ports::{Capabilities, PeopleBy, PersonRecord, PortResult, Scan, Watermark};
use crate::staff::intake::Changed;
use crate::staff::{Blocked, DataIssue, IssueKind, RegistryNo, UnitCode, Units};
use futures_util::future;
pub(super) use naming::{NAME_ROUNDS, carries};
pub use planned::{Basis, Planned, Seen};
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use strays::Strays;
pub use supposed::Supposed;

/// Accounts that are remembered until their change was made, at about 2 kB each; those beyond are looked at again.
const KEPT: usize = 8_192;
/// People a chunk: bounds memory and the size of statements.
pub const CHUNK: usize = 1_000;

/// What the people of one run share, and what the look has gathered.
pub struct Look<'a> {
    pub of: &'a Reconciler,
    pub units: Units,
    pub today: Day,
    pub containers: HashSet<Dn>,
    pub capabilities: Capabilities,
    /// False: a dry run reserves nothing.
    pub commit: bool,
    /// Of a plan only is kept who has something to do, and here what limits count: pages of it are planned again.
    pub(super) outline: Option<Spent>,
    managers: HashMap<RegistryNo, AccountGuid>,
    asked: HashSet<RegistryNo>,
    pub looked_at: u32,
    /// People with something to do, to report or to settle.
    pub plans: Vec<Planned>,
    /// How many of them remember what was seen.
    kept: usize,
    pub issues: Vec<DataIssue>,
    units_with_issue: HashSet<(IssueKind, UnitCode)>,
    /// Who was looked at and when to look again; only kept when asked for one by one.
    pub next: Vec<(PersonId, Option<Day>)>,
    pub seen: Vec<RegistryNo>,
    /// Decisions on changes that are no longer to be made.
    pub lapsed: Vec<(PersonId, ActionKind, String)>,
    pub watermark: Option<Watermark>,
    /// Cards that differ and that no plan puts right.
    pub(super) withheld: HashMap<PersonId, CardDrift>,
    /// Of whom a row says that the card differs.
    pub(super) drifting: HashSet<PersonId>,
    /// Whose steps were taken and settled.
    settled: Mutex<HashSet<PersonId>>,
    /// Addresses that two accounts carry; only a look at everybody finds them.
    pub duplicates: Vec<DataIssue>,
    /// A dry run of what HR says: as if it had said this.
    pub said: HashMap<PersonId, Changed>,
    /// A dry run of an order on one person.
    pub supposed: Option<(PersonId, Supposed)>,
    /// Names that a dry run proposed a moment ago: people planned anew by themselves are proposed the same.
    pub proposed: HashMap<PersonId, Names>,
}

impl<'a> Look<'a> {
    pub async fn new(of: &'a Reconciler, today: Day, commit: bool) -> PortResult<Look<'a>> {
        let directory = future::try_join(of.directory.containers(), of.directory.capabilities());
        let (units, (containers, capabilities)) = future::try_join(of.store.units(), directory).await?;
        Ok(Look {
            of,
            units,
            today,
            containers,
            capabilities,
            commit,
            outline: None,
            managers: HashMap::new(),
            asked: HashSet::new(),
            looked_at: 0,
            plans: Vec::new(),
            kept: 0,
            issues: Vec::new(),
            units_with_issue: HashSet::new(),
            next: Vec::new(),
            seen: Vec::new(),
            lapsed: Vec::new(),
            watermark: None,
            withheld: HashMap::new(),
            drifting: HashSet::new(),
            settled: Mutex::default(),
            duplicates: Vec::new(),
            said: HashMap::new(),
            supposed: None,
            proposed: HashMap::new(),
        })
    }

    pub(super) fn note_settled(&self, people: impl IntoIterator<Item = PersonId>) {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner).extend(people);
    }
    pub(super) fn is_settled(&self, person: PersonId) -> bool {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner).contains(&person)
    }

    pub fn facts(&self) -> Facts<'_> {
        Facts { policy: &self.of.policy, units: &self.units, today: self.today, containers: &self.containers, managers: &self.managers }
    }

    /// Looks at them all. The scan of the whole directory begins while the rest is being read.
    pub async fn over(of: &'a Reconciler, today: Day, commit: bool, whom: &Whom, grip: &Grip<'_>) -> PortResult<Look<'a>> {
        Look::made(of, today, (commit, false), whom, grip).await
    }

    /// A dry run of which only an outline is kept.
    pub async fn outlined(of: &'a Reconciler, today: Day, whom: &Whom) -> PortResult<Look<'a>> {
        Look::made(of, today, (false, true), whom, &Grip::none(of)).await
    }

    async fn made(of: &'a Reconciler, today: Day, (commit, outline): (bool, bool), whom: &Whom, grip: &Grip<'_>) -> PortResult<Look<'a>> {
        let outline = outline.then(Spent::default);
        let new = async { Ok(Look { outline, ..Look::new(of, today, commit).await? }) };
        let mut look;
        match whom {
            Whom::Everybody => {
                let (scan, new) = future::try_join(of.directory.scan(None), new).await?;
                look = new;
                look.at_everybody(scan, grip).await?;
            }
            some => {
                look = new.await?;
                look.at(some, grip).await?;
            }
        }
        Ok(look)
    }

    async fn at(&mut self, whom: &Whom, grip: &Grip<'_>) -> PortResult<()> {
        match whom {
            Whom::Everybody => {
                let scan = self.of.directory.scan(None).await?;
                self.at_everybody(scan, grip).await
            }
            Whom::People(ids) => self.at_people(ids, grip).await,
            Whom::Unit(unit) => {
                let mut ids = Vec::new();
                let mut after = None;
                loop {
                    let chunk = self.of.store.people(PeopleBy::After(after, CHUNK as u32)).await?;
                    let Some(last) = chunk.last() else { break };
                    after = Some(last.person.id);
                    let here = |r: &&PersonRecord| r.person.posting_on(self.today).is_some_and(|p| self.units.is_within(p.unit, *unit));
                    ids.extend(chunk.iter().filter(here).map(|r| r.person.id));
                }
                self.at_people(&ids, grip).await
            }
        }
    }

    /// One pass over the directory's pages, each joined with the people whose accounts stand there; then the people
    /// whose account was not seen.
    async fn at_everybody(&mut self, mut scan: Box<dyn Scan>, grip: &Grip<'_>) -> PortResult<()> {
        self.watermark = Some(scan.watermark());
        let mut met: HashSet<PersonId> = HashSet::new();
        let mut strays: Vec<ObservedAccount> = Vec::new();
        let mut addresses = addresses::Met::default();
        // Why now, and not when they are wanted: the controller is busy with its first page.
        let (page, census) = future::try_join(scan.next_page(), self.of.store.census()).await?;
        let everybody: Vec<PersonId> = census.into_iter().map(|l| l.person).collect();
        let mut page = page;
        while let Some(current) = page {
            current.iter().for_each(|account| addresses.add(account));
            // While one page is compared the directory reads the next.
            let (next, compared) = future::join(scan.next_page(), self.at_page(current, &mut met, &mut strays)).await;
            compared?;
            page = next?;
            grip.keep().await?;
        }
        drop(scan);
        self.find_duplicates(addresses).await?;
        let mut unmet: Vec<PersonId> = everybody.into_iter().filter(|p| !met.contains(p)).collect();
        drop(met);
        unmet.sort_unstable();
        let strays = Strays::new(strays);
        for ids in unmet.chunks(CHUNK) {
            self.at_chunk(ids, Some(&strays)).await?;
            grip.keep().await?;
        }
        Ok(())
    }

    async fn find_duplicates(&mut self, met: addresses::Met) -> PortResult<()> {
        for some in met.suspects().chunks(CHUNK) {
            let (records, accounts) = self.owners(self.of.directory.observe(some).await?).await?;
            let owners = records.into_iter().filter_map(|r| Some((r.account.as_ref()?.guid?, r))).collect();
            let accounts: Vec<ObservedAccount> = accounts.into_values().collect();
            let found = addresses::duplicates(&accounts, &owners, &self.facts());
            self.duplicates.extend(found);
        }
        Ok(())
    }

    async fn at_page(
        &mut self,
        page: Vec<ObservedAccount>,
        met: &mut HashSet<PersonId>,
        strays: &mut Vec<ObservedAccount>,
    ) -> PortResult<()> {
        let (records, mut accounts) = self.owners(page).await?;
        met.extend(records.iter().map(|r| r.person.id));
        let of_page: Vec<(PersonRecord, Option<ObservedAccount>)> = records
            .into_iter()
            .map(|r| {
                let seen = r.account.as_ref().and_then(|a| a.guid).and_then(|g| accounts.remove(&g));
                (r, seen)
            })
            .collect();
        strays.extend(accounts.into_values());
        self.plan_known(of_page).await
    }

    /// What changed in the directory since `since`; `None`: that can no longer be told, look at everybody.
    pub async fn at_changes(&mut self, since: &Watermark) -> PortResult<Option<()>> {
        let mut scan: Box<dyn Scan> = self.of.directory.scan(Some(since)).await?;
        if !scan.is_incremental() {
            return Ok(None);
        }
        self.watermark = Some(scan.watermark());
        while let Some(page) = scan.next_page().await? {
            let (records, mut accounts) = self.owners(page).await?;
            let seen = records.into_iter().map(|r| {
                let account = r.account.as_ref().and_then(|a| a.guid).and_then(|g| accounts.remove(&g));
                (r, account)
            });
            let seen = seen.collect();
            self.plan_known(seen).await?;
        }
        Ok(Some(()))
    }

    pub(super) async fn at_people(&mut self, ids: &[PersonId], grip: &Grip<'_>) -> PortResult<()> {
        for ids in ids.chunks(CHUNK) {
            self.at_chunk(ids, None).await?;
            grip.keep().await?;
        }
        Ok(())
    }

    /// The people whose accounts stand on a page.
    async fn owners(&self, page: Vec<ObservedAccount>) -> PortResult<(Vec<PersonRecord>, HashMap<AccountGuid, ObservedAccount>)> {
        let guids: Vec<AccountGuid> = page.iter().map(|a| a.guid).collect();
        let records = self.of.store.people(PeopleBy::Guids(&guids)).await?;
        Ok((records, page.into_iter().map(|a| (a.guid, a)).collect()))
    }

    /// By id: those with an account are observed, those without are looked for (among `strays` of a whole scan, else by question).
    async fn at_chunk(&mut self, ids: &[PersonId], strays: Option<&Strays>) -> PortResult<()> {
        let mut records = self.of.store.people(PeopleBy::Ids(ids)).await?;
        self.suppose(&mut records, ids);
        // Why: names go to who came first; ids are in the order of the feed.
        records.sort_unstable_by_key(|r| r.person.id);
        let (linked, unlinked): (Vec<_>, Vec<_>) = records.into_iter().partition(|r| r.account.as_ref().is_some_and(|a| a.guid.is_some()));
        if !linked.is_empty() {
            let guids: Vec<AccountGuid> = linked.iter().filter_map(|r| r.account.as_ref()?.guid).collect();
            let mut seen: HashMap<_, _> = self.of.directory.observe(&guids).await?.into_iter().map(|a| (a.guid, a)).collect();
            let linked = linked.into_iter().map(|r| {
                let account = r.account.as_ref().and_then(|a| a.guid).and_then(|g| seen.remove(&g));
                (r, account)
            });
            let linked = linked.collect();
            self.plan_known(linked).await?;
        }
        if unlinked.is_empty() {
            return Ok(());
        }
        match strays {
            Some(strays) => self.plan_unlinked(unlinked, strays).await,
            None => {
                let found = self.strays_for(&unlinked).await?;
                self.plan_unlinked(unlinked, &found).await
            }
        }
    }

    fn may_open(&self, record: &PersonRecord) -> bool {
        let standing = desired::standing(&record.person, &self.of.policy.reasons, self.today);
        matches!(standing, Standing::Coming | Standing::InService | Standing::Away(_))
    }

    async fn plan_known(&mut self, people: Vec<(PersonRecord, Option<ObservedAccount>)>) -> PortResult<()> {
        let mut people = people;
        self.learn_managers(people.iter().map(|(r, _)| r)).await?;
        self.rename(&mut people).await?;
        for (record, seen) in &people {
            let sight = Sight { account: seen.as_ref(), candidates: &[] };
            let plan = difference::plan(record, sight, &self.facts());
            self.keep(record, sight, plan);
        }
        Ok(())
    }

    async fn plan_unlinked(&mut self, mut people: Vec<PersonRecord>, strays: &Strays) -> PortResult<()> {
        self.learn_managers(people.iter()).await?;
        let candidates: Vec<Vec<ObservedAccount>> = people.iter().map(|r| strays.of(r)).collect();
        self.name(&mut people, &candidates).await?;
        for (record, candidates) in people.iter().zip(&candidates) {
            let sight = Sight { account: None, candidates };
            let plan = difference::plan(record, sight, &self.facts());
            self.keep(record, sight, plan);
        }
        Ok(())
    }

    fn keep(&mut self, record: &PersonRecord, sight: Sight<'_>, plan: PersonPlan) {
        self.looked_at += 1;
        if self.outline.is_none() {
            self.note(record, &plan);
        }
        self.lapse(record, &plan);
        if self.commit
            && let Some(row) = self.withhold(record, sight, &plan)
        {
            self.withheld.insert(plan.person, row);
        }
        // Why also the refused: what was refused and need not be done any more is nobody's issue.
        let refused = record.open_issues.contains(&IssueKind::DirectoryRefused);
        let known = record.account.as_ref().zip(sight.account);
        // Why: the ledger does not know what is seen.
        let untold = known.is_some_and(|(account, seen)| settle::tells_no_mailbox(account, seen, &self.of.policy));
        let unsettled = untold || refused || !record.unsettled.is_empty();
        let announce = settle::announcement_due(record);
        let to_show = !self.commit && !plan.issues.is_empty();
        if !plan.is_empty() || unsettled || announce || to_show {
            let decisions = record.decisions.clone();
            let digests = if self.outline.is_some() { plan.actions.iter().map(Action::digest).collect() } else { Vec::new() };
            let basis = Basis::of(record);
            let mut planned =
                Planned { plan, decisions, unsettled, refused, announce, light: false, proposed: None, digests, seen: None, basis };
            planned.lighten();
            if self.commit && self.kept < KEPT && planned.only_modifies() {
                planned.seen = known.map(|(ledger, seen)| Box::new(Seen { account: seen.clone(), ledger: ledger.clone() }));
                self.kept += usize::from(planned.seen.is_some());
            }
            if planned.light && !self.commit {
                planned.proposed = record.account.as_ref().map(|a| Box::new(a.names.clone()));
            }
            if let Some(counted) = &mut self.outline {
                planned.outline(counted);
            }
            self.plans.push(planned);
        }
    }

    /// When to look again, and what is wrong.
    fn note(&mut self, record: &PersonRecord, plan: &PersonPlan) {
        self.next.push((plan.person, plan.next_look));
        let found = plan.issues.iter().map(|i| i.kind);
        // Why only those with planning issues, old or new: issues of the others need no write.
        if found.chain(record.open_issues.iter().copied()).any(|k| IssueKind::OF_PLANNING.contains(&k)) {
            self.seen.push(plan.registry_no.clone());
        }
        for issue in &plan.issues {
            // Why once: what is about a unit is found with each of its people.
            let about_unit = issue.unit.filter(|_| issue.registry_no.is_none());
            if about_unit.is_none_or(|unit| self.units_with_issue.insert((issue.kind, unit))) {
                self.issues.push(issue.clone());
            }
        }
    }

    /// A decision stands while its kind of change is to be made. Where nobody can tell whether it is, it stands as well.
    fn lapse(&mut self, record: &PersonRecord, plan: &PersonPlan) {
        if record.decisions.is_empty() || !record.unsettled.is_empty() {
            return;
        }
        let standing = desired::standing(&record.person, &self.of.policy.reasons, self.today);
        let blind = plan.issues.iter().any(|i| matches!(i.kind.blocks(), Blocked::Account | Blocked::Opening));
        let linked = record.account.as_ref().is_some_and(|a| a.guid.is_some());
        let tells = match standing {
            Standing::Undecided(_) => false,
            Standing::Gone { .. } => !blind,
            _ => linked && !blind,
        };
        let planned = |kind: ActionKind| plan.actions.iter().any(|a| a.kind == kind);
        let over = record.decisions.iter().filter(|(kind, ..)| tells && !planned(*kind));
        self.lapsed.extend(over.map(|(kind, digest, _)| (record.person.id, *kind, digest.clone())));
    }

    async fn learn_managers(&mut self, people: impl Iterator<Item = &PersonRecord>) -> PortResult<()> {
        let wanted: HashSet<&RegistryNo> = people.filter_map(|r| manager_of(&r.person, &self.units, self.today)).collect();
        let unknown: Vec<RegistryNo> = wanted.into_iter().filter(|no| !self.asked.contains(*no)).cloned().collect();
        if !unknown.is_empty() {
            self.managers.extend(self.of.store.accounts_of(&unknown).await?);
            self.asked.extend(unknown);
        }
        Ok(())
    }
}
