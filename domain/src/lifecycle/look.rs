//! Looking: people from the store beside what the directory shows of them, in pages, and from both a plan each.
//! Memory grows with the page and with what is to be done, not with the ministry.
use super::addresses;
use super::desired::{self, Facts, Standing, manager_of};
use super::difference::{self, Sight};
use super::grip::Grip;
use super::limits::Spent;
use super::plan::{Action, ActionKind, PersonPlan, Step};
use super::reconcile::{Reconciler, Whom, count_pending};
use super::settle;
use super::suspension::Suspension;
use crate::account::adoption::AdoptionOrdered;
use crate::account::rename::NamesOrdered;
use crate::account::{Account, Attribute, Dn, LedgerName, Mode, NameKind, Names, ObservedAccount, Value};
use crate::card::drift::CardDrift;
use crate::card::hr_photo::PhotoWish;
use crate::day::Day;
use crate::id::{AccountGuid, PersonId};
use crate::phone::{self, Phones};
use crate::ports::{Capabilities, FindBy, NameRequest, PeopleBy, PersonRecord, PortResult, Scan, Watermark};
use crate::staff::intake::{Changed, PEOPLE_KINDS};
use crate::staff::{Blocked, DataIssue, IssueKind, RegistryNo, UnitCode, Units};
use crate::text;
use chrono::{DateTime, Utc};
use futures_util::future;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Accounts that are remembered until their change was made, at about 2 kB each; those beyond are looked at again.
const KEPT: usize = 8_192;
/// People a chunk: bounds memory and the size of statements.
pub const CHUNK: usize = 1_000;
/// Names asked for in the first look-up for one person; each further one asks for twice as many. Why few: most people get the
/// first, and a controller looks up every one of them.
const NAMES_AT_FIRST: usize = 1;
/// Look-ups for one person before it is an issue: 256 names were taken by then.
pub(super) const NAME_ROUNDS: usize = 9;

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

/// What a dry run takes for given of one person.
#[derive(Clone, Debug)]
pub enum Supposed {
    /// The latest suspension.
    Suspension(Suspension),
    /// Names that are free, and who ordered them.
    Names(Names, NamesOrdered),
    /// The account that is to become the person's.
    Adoption(AdoptionOrdered),
    /// None is to become the person's any more.
    NoAdoption,
}

/// A plan with what deciding about it needs.
#[derive(Clone, Debug)]
pub struct Planned {
    pub plan: PersonPlan,
    pub decisions: Vec<(super::ActionKind, String, bool)>,
    /// Operations of an earlier run whose end is not known, or something seen that the ledger does not know.
    pub unsettled: bool,
    /// The directory has refused something of this person before, and it is tried again.
    pub refused: bool,
    /// The account works and the person has not been told.
    pub announce: bool,
    /// An opening whose steps were left out: they are made again, the same, when its turn comes. Why: 100,000 openings with
    /// all their values would not fit into the memory that a run is given.
    pub light: bool,
    /// Names that a dry run proposed, for a light plan to be made again with: nothing else remembers them.
    pub proposed: Option<Box<Names>>,
    /// What was seen, where nothing but attributes is to be changed: the values before are the change's condition, so that its
    /// success tells as much as another look would. Of the first few thousand only.
    pub seen: Option<Box<ObservedAccount>>,
    /// Of an outline: the digest of each action, whose steps are not kept.
    pub digests: Vec<String>,
}

impl Planned {
    /// Nothing but attributes of an account that is known.
    fn only_modifies(&self) -> bool {
        let steps = || self.plan.actions.iter().flat_map(|action| &action.steps);
        self.plan.mode == Mode::Manage
            && !self.unsettled
            && !self.announce
            && steps().next().is_some()
            && steps().all(|step| matches!(step, Step::Modify(_)))
    }

    /// What is only to be counted and found again: of 100,000 people who are all to be changed that is what memory holds.
    fn outline(&mut self, counted: &mut Spent) {
        count_pending(counted, self);
        self.plan.issues.truncate(1);
        self.plan.issues.iter_mut().for_each(|issue| issue.message = String::new());
        self.plan.actions.iter_mut().for_each(|action| action.steps = Vec::new());
        self.decisions = Vec::new();
    }

    fn lighten(&mut self) {
        if let [action] = self.plan.actions.as_mut_slice()
            && action.kind == ActionKind::Open
            && matches!(action.steps.first(), Some(Step::Create(_)))
            && self.decisions.is_empty()
        {
            action.steps = Vec::new();
            self.plan.actions.shrink_to_fit();
            self.light = true;
        }
    }
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

    /// `of`: whom they are the records of. Whoever HR speaks of for the first time is added.
    pub(super) fn suppose(&self, records: &mut Vec<PersonRecord>, of: &[PersonId]) {
        if !self.said.is_empty() {
            let now = self.of.clock.now();
            records.iter_mut().filter_map(|r| Some((self.said.get(&r.person.id)?, r))).for_each(|(said, record)| hear(record, said, now));
            let known: HashSet<PersonId> = records.iter().map(|r| r.person.id).collect();
            let new = of.iter().filter(|id| !known.contains(id)).filter_map(|id| self.said.get(id));
            records.extend(new.map(newcomer));
        }
        if !self.proposed.is_empty() {
            for record in records.iter_mut().filter(|r| r.account.is_none()) {
                record.account = self.proposed.get(&record.person.id).map(|names| Account::new(record.person.id, names.clone()));
            }
        }
        let Some((person, supposed)) = &self.supposed else { return };
        for record in records.iter_mut().filter(|r| r.person.id == *person) {
            match supposed {
                Supposed::Suspension(suspension) => record.suspension = Some(suspension.clone()),
                Supposed::Names(names, by) => {
                    if let Some(account) = &mut record.account {
                        (account.names, account.renamed) = (names.clone(), Some(by.clone()));
                    }
                }
                Supposed::Adoption(order) => {
                    let nameless = Names {
                        username: "".into(),
                        mail: "".into(),
                        aliases: Vec::new(),
                        aliases_since: Default::default(),
                        named_for: "".into(),
                    };
                    let account = record.account.get_or_insert_with(|| Account::new(*person, nameless));
                    account.adopt = Some(order.clone());
                }
                // Why all of it: the names came with the account that is not to be adopted.
                Supposed::NoAdoption if record.account.as_ref().is_some_and(|a| a.guid.is_none() && a.opening == 0) => {
                    record.account = None
                }
                Supposed::NoAdoption => record.account.iter_mut().for_each(|account| account.adopt = None),
            }
        }
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

    /// Accounts of nobody that might belong to these people.
    async fn strays_for(&self, people: &[PersonRecord]) -> PortResult<Strays> {
        let due = people.iter().filter(|r| self.may_open(r) || r.account.is_some());
        let numbers: Vec<Arc<str>> = due.clone().map(|r| r.person.registry_no.shared()).collect();
        let by = FindBy {
            employee_ids: numbers.clone(),
            correlations: if self.of.policy.correlation { numbers } else { Vec::new() },
            display_names: due.map(|r| r.person.full_name().into()).collect(),
            ..FindBy::default()
        };
        if by.employee_ids.is_empty() {
            return Ok(Strays::new(Vec::new()));
        }
        let mut found = self.of.directory.find(&by).await?;
        let ordered: Vec<AccountGuid> = people.iter().filter_map(ordered).filter(|guid| found.iter().all(|a| a.guid != *guid)).collect();
        if !ordered.is_empty() {
            let named = self.of.directory.observe(&ordered).await?;
            found.extend(named.into_iter().filter(|a| a.dn.is_within(&self.of.policy.base)));
        }
        let (owners, mut accounts) = self.owners(found).await?;
        for owner in owners {
            if let Some(guid) = owner.account.and_then(|a| a.guid) {
                accounts.remove(&guid);
            }
        }
        Ok(Strays::new(accounts.into_values().collect()))
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
            let mut planned = Planned { plan, decisions, unsettled, refused, announce, light: false, proposed: None, digests, seen: None };
            planned.lighten();
            if self.commit && self.kept < KEPT && planned.only_modifies() {
                planned.seen = sight.account.map(|seen| Box::new(seen.clone()));
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

    // --------------------------------------------------------------------------------------------------------- names

    /// A new name asks for a new address (and, where the policy says so, a new user name), before its bearer is told.
    async fn rename(&mut self, people: &mut [(PersonRecord, Option<ObservedAccount>)]) -> PortResult<()> {
        let lost = self.lost_addresses(people).await?;
        let mut due: Vec<(&mut PersonRecord, Wish)> = Vec::new();
        for (record, _) in people.iter_mut() {
            let lost: HashSet<Arc<str>> = lost.get(&record.person.id).cloned().unwrap_or_default();
            if let Some(account) = &mut record.account {
                account.names.aliases.retain(|alias| !lost.contains(alias));
                account.names.forget_terms();
            }
            let Some(account) = &record.account else { continue };
            if lost.contains(&account.names.mail) {
                due.push((record, Wish { username: false, existing: None, lost }));
                continue;
            }
            let in_use = account.state != crate::account::AccountState::Closed || self.may_open(record);
            if in_use && account.names.named_for.as_ref() != text::fold(&record.person.full_name()) {
                let rename_username = self.of.policy.names.rename_username;
                due.push((record, Wish { username: rename_username, existing: None, lost }));
            }
        }
        self.reserve(due).await
    }

    /// Of people who return, the addresses that somebody else carries by now: barred for ever, since mail to them is the other's.
    async fn lost_addresses(
        &mut self,
        people: &[(PersonRecord, Option<ObservedAccount>)],
    ) -> PortResult<HashMap<PersonId, HashSet<Arc<str>>>> {
        let mut lost: HashMap<PersonId, HashSet<Arc<str>>> = HashMap::new();
        for (record, seen) in people {
            let (Some(account), Some(seen)) = (&record.account, seen) else { continue };
            if account.state != crate::account::AccountState::Closed || !self.may_open(record) {
                continue;
            }
            let all: Vec<Arc<str>> = account.names.aliases.iter().chain([&account.names.mail]).cloned().collect();
            let taken = self.of.directory.addresses_of_others(seen.guid, &all).await?;
            for value in taken.iter().filter(|_| self.commit) {
                let name = LedgerName { kind: NameKind::Address, value: value.clone() };
                self.of.store.bar_name(record.person.id, &name).await?;
            }
            if !taken.is_empty() {
                lost.insert(record.person.id, taken);
            }
        }
        Ok(lost)
    }

    async fn name(&mut self, people: &mut [PersonRecord], candidates: &[Vec<ObservedAccount>]) -> PortResult<()> {
        let mut due = Vec::new();
        for (record, candidates) in people.iter_mut().zip(candidates) {
            let existing = candidates.iter().find(|c| difference::recognises(record, c).is_some()).cloned();
            let opens = matches!(
                desired::standing(&record.person, &self.of.policy.reasons, self.today),
                Standing::Coming | Standing::InService | Standing::Away(_)
            );
            // Why also with names: an account that turns up later keeps its own, not the ones that were reserved for a new one.
            let other = |a: &Account| existing.as_ref().is_some_and(|e| !e.username().eq_ignore_ascii_case(&a.names.username));
            let due_now = record.account.as_ref().map_or(opens || existing.is_some(), other);
            if due_now {
                due.push((record, Wish { username: true, existing, lost: HashSet::new() }));
            }
        }
        self.reserve(due).await
    }

    /// Finds names that are free in the directory, reserves the best in the ledger, and puts them into the records.
    async fn reserve(&self, mut due: Vec<(&mut PersonRecord, Wish)>) -> PortResult<()> {
        for round in 0..NAME_ROUNDS {
            if due.is_empty() {
                return Ok(());
            }
            let mut requests: Vec<NameRequest> = due.iter().map(|(r, wish)| self.request(r, wish, round)).collect();
            let asked: Vec<(bool, bool)> = requests.iter().map(|r| (!r.usernames.is_empty(), !r.addresses.is_empty())).collect();
            self.leave_out_taken(&mut requests, &due).await?;
            let (mut still, mut ready, mut kept) = (Vec::new(), Vec::new(), Vec::new());
            for ((request, asked), person) in requests.into_iter().zip(asked).zip(due) {
                // Why not asked without: the ledger would take it for "keeps what it has".
                if asked.0 && request.usernames.is_empty() || asked.1 && request.addresses.is_empty() {
                    still.push(person);
                } else {
                    kept.push(request);
                    ready.push(person);
                }
            }
            let given = self.of.store.reserve(&kept, self.commit).await?;
            for ((record, wish), names) in ready.into_iter().zip(given) {
                match (names, &mut record.account) {
                    // Why without aliases: as where the order is written down.
                    (Some(names), Some(account)) if account.adopt.is_some() => account.names = names.without_aliases(),
                    (Some(names), Some(account)) => account.names = names,
                    (Some(names), empty) => *empty = Some(Account::new(record.person.id, names)),
                    (None, _) => still.push((record, wish)),
                }
            }
            due = still;
        }
        Ok(())
    }

    fn request(&self, record: &PersonRecord, wish: &Wish, round: usize) -> NameRequest {
        let (policy, person) = (&self.of.policy.names, &record.person);
        // Why from the first again: who has found a user name in one round and an address in another gets the best of both.
        let upto = NAMES_AT_FIRST << round;
        let mut usernames: Vec<Arc<str>> = Vec::new();
        let mut addresses: Vec<Arc<str>> = Vec::new();
        if let Some(existing) = &wish.existing {
            usernames.push(existing.username().into());
            addresses.extend(existing.attributes.text(Attribute::Mail).filter(|_| round == 0).map(Arc::from));
        } else if wish.username {
            usernames.extend(policy.usernames(&person.given_name, &person.family_name).take(upto).map(Arc::from));
        }
        if addresses.is_empty() {
            addresses.extend(policy.local_parts(&person.given_name, &person.family_name).take(upto).map(|p| policy.address(&p)));
        }
        NameRequest { person: person.id, usernames, addresses, named_for: text::fold(&person.full_name()).into(), on: self.today }
    }

    async fn leave_out_taken(&self, requests: &mut [NameRequest], due: &[(&mut PersonRecord, Wish)]) -> PortResult<()> {
        let name = |kind, value: &Arc<str>| LedgerName { kind, value: value.clone() };
        let mut all: HashSet<LedgerName> = HashSet::new();
        for request in requests.iter() {
            all.extend(request.usernames.iter().map(|n| name(NameKind::Username, n)));
            all.extend(request.addresses.iter().map(|n| name(NameKind::Address, n)));
        }
        let all: Vec<LedgerName> = all.into_iter().collect();
        let taken = self.of.directory.names_taken(&all).await?;
        for (request, (record, wish)) in requests.iter_mut().zip(due) {
            // Why its own are free: the ledger gave them to this person before; the account may carry them already.
            let own = |value: &Arc<str>| {
                if wish.lost.contains(value) {
                    return false;
                }
                let names = record.account.as_ref().map(|a| &a.names);
                let signs_in = |username: &str| value.split_once('@') == Some((username, self.of.policy.upn_suffix.as_str()));
                names.is_some_and(|n| n.username == *value || n.mail == *value || n.aliases.contains(value) || signs_in(&n.username))
                    || wish.existing.as_ref().is_some_and(|e| carries(e, value))
            };
            request.usernames.retain(|n| own(n) || !taken.contains(&name(NameKind::Username, n)));
            request.addresses.retain(|n| own(n) || !taken.contains(&name(NameKind::Address, n)));
        }
        Ok(())
    }
}

/// The account that somebody has ordered to become this person's.
fn ordered(record: &PersonRecord) -> Option<AccountGuid> {
    record.account.as_ref().and_then(|a| a.adopt.as_ref()).map(|order| order.guid)
}

/// The record once HR has said this.
fn hear(record: &mut PersonRecord, said: &Changed, now: DateTime<Utc>) {
    let mut person = said.person.clone();
    let mut before = record.person.clone();
    before.mobile.clone_from(&record.phones.hr_mobile);
    (before.work_phone, before.extension) = (record.phones.hr_work.number.clone(), record.phones.hr_work.extension.clone());
    let mut ledger = record.phones.ledger.clone();
    ledger.hear(&before, &person, now);
    record.phones = Phones::lay_over(&mut person, ledger);
    record.person = person;
    record.open_issues.retain(|kind| !PEOPLE_KINDS.contains(kind));
    record.open_issues.extend(&said.faults);
}

fn newcomer(said: &Changed) -> PersonRecord {
    let mut person = said.person.clone();
    PersonRecord {
        phones: Phones::lay_over(&mut person, phone::Ledger::default()),
        person,
        account: None,
        decisions: Vec::new(),
        accepted: Vec::new(),
        open_issues: said.faults.clone(),
        unsettled: Vec::new(),
        suspension: None,
        mailbox: None,
        photo: PhotoWish::default(),
        language: None,
    }
}

/// Is the name or the address this account's?
pub(super) fn carries(account: &ObservedAccount, value: &str) -> bool {
    let same = |held: &str| text::fold(held) == text::fold(value);
    let proxies = match account.attributes.get(Attribute::ProxyAddresses) {
        Some(Value::List(proxies)) => &proxies[..],
        _ => &[],
    };
    same(account.username())
        || account.attributes.text(Attribute::UserPrincipalName).is_some_and(same)
        || account.attributes.text(Attribute::Mail).is_some_and(same)
        || proxies.iter().any(|p| p.split_once(':').is_some_and(|(_, address)| same(address)))
}

struct Wish {
    username: bool,
    /// The account that will be taken over: it keeps its names.
    existing: Option<ObservedAccount>,
    /// Addresses that were this person's and are somebody else's in the directory by now.
    lost: HashSet<Arc<str>>,
}

/// Accounts under the base that nobody owns, by what they could be recognised by.
struct Strays {
    accounts: Vec<ObservedAccount>,
    by_number: HashMap<Arc<str>, Vec<usize>>,
    by_name: HashMap<String, Vec<usize>>,
}

impl Strays {
    fn new(accounts: Vec<ObservedAccount>) -> Strays {
        let mut by_number: HashMap<Arc<str>, Vec<usize>> = HashMap::new();
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (i, account) in accounts.iter().enumerate() {
            let numbers = account.employee_id().map(Arc::from).into_iter().chain(account.correlation.clone());
            for number in numbers {
                let found = by_number.entry(number).or_default();
                if found.last() != Some(&i) {
                    found.push(i);
                }
            }
            let shown = account.attributes.text(crate::account::Attribute::DisplayName).map_or_else(|| account.dn.name(), str::to_owned);
            by_name.entry(text::fold(&shown)).or_default().push(i);
        }
        Strays { accounts, by_number, by_name }
    }

    /// The one that was ordered; else those recognised by number; where there is none, namesakes without a number of their own.
    fn of(&self, record: &PersonRecord) -> Vec<ObservedAccount> {
        if let Some(guid) = ordered(record) {
            return self.accounts.iter().filter(|a| a.guid == guid).cloned().collect();
        }
        let numbered = self.by_number.get(record.person.registry_no.as_str());
        let namesakes = || self.by_name.get(&text::fold(&record.person.full_name()));
        let found = numbered.or_else(namesakes).map(Vec::as_slice).unwrap_or_default();
        let own_number = |a: &ObservedAccount| numbered.is_some() || a.employee_id().is_none();
        found.iter().map(|i| &self.accounts[*i]).filter(|a| own_number(a)).cloned().collect()
    }
}
