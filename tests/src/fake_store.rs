//! A store in memory, as far as an intake needs it. It refuses what a real one's unique keys refuse.
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use kimlik_domain::access::idempotency::{ClientKey, KeyState};
use kimlik_domain::account::adoption::{Adopted, Adoption, Withdrawn};
use kimlik_domain::account::rename::{Rename, Renamed};
use kimlik_domain::account::{AccountState, LedgerName, Names};
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::card::drift::CardDrift;
use kimlik_domain::id::{AccountGuid, HoldId, IssueId, MessageId, OperationId, PersonId, RunId};
use kimlik_domain::lifecycle::hold::{Hold, HoldDecision, HoldItem, HoldRequest, HoldStatus};
use kimlik_domain::lifecycle::limits::{Budget, Cap, Population, Spent};
use kimlik_domain::lifecycle::run::{Intent, OperationRecord, PersonSettlement, Run};
use kimlik_domain::lifecycle::suspension::{Order, Ordered};
use kimlik_domain::message::Message;
use kimlik_domain::ports::*;
use kimlik_domain::staff::intake::{CensusLine, KnownPerson, RosterSave};
use kimlik_domain::staff::{DataIssue, IssueKind, NationalId, RegistryNo, Units};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Mutex;

#[derive(Clone, Default)]
pub struct Kept {
    pub units: Units,
    pub people: BTreeMap<PersonId, KnownPerson>,
    by_no: HashMap<RegistryNo, PersonId>,
    by_mark: HashMap<Mark, PersonId>,
    by_former: HashMap<RegistryNo, PersonId>,
    pub issues: BTreeMap<String, DataIssue>,
    pub positions: HashMap<String, String>,
    pub woken: Vec<PersonId>,
    pub woke_everybody: u32,
    pub saves: u32,
    /// The save after this many fails, as a crash would.
    pub dies_after: Option<u32>,
}

impl Kept {
    pub fn by_no(&self, no: &str) -> Option<&KnownPerson> {
        self.people.values().find(|k| k.person.registry_no.as_str() == no)
    }
    pub fn kinds_of(&self, no: &str) -> Vec<IssueKind> {
        self.issues.values().filter(|i| i.registry_no.as_ref().is_some_and(|n| n.as_str() == no)).map(|i| i.kind).collect()
    }
    pub fn has(&self, kind: IssueKind) -> bool {
        self.issues.values().any(|i| i.kind == kind)
    }
}

#[derive(Default)]
pub struct FakeStore(Mutex<Kept>);

fn beyond<T>() -> PortResult<T> {
    Err(PortError::refused(Refusal::Other, "this store serves intakes only"))
}

impl FakeStore {
    pub fn look<T>(&self, look: impl FnOnce(&mut Kept) -> T) -> T {
        let mut kept = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        look(&mut kept)
    }

    pub fn set_account(&self, no: &str, state: AccountState) {
        self.look(|kept| kept.people.values_mut().filter(|k| k.person.registry_no.as_str() == no).for_each(|k| k.account_state = state));
    }

    /// Somebody decides that the national id of this person's open issue is the right one.
    pub fn decide_id(&self, no: &str) {
        self.look(|kept| {
            let about = |i: &&DataIssue| i.registry_no.as_ref().is_some_and(|n| n.as_str() == no);
            let said = kept.issues.values().filter(about).find_map(|i| i.said.clone());
            kept.people.values_mut().filter(|k| k.person.registry_no.as_str() == no).for_each(|k| k.decided_id = said.clone());
        });
    }

    /// What unique keys refuse, seen before anything is written.
    fn check(&self, kept: &Kept, save: &RosterSave) -> PortResult<()> {
        for new in &save.people {
            let somebody_else = |held: Option<&PersonId>| held.is_some_and(|id| *id != new.person.id);
            if somebody_else(kept.by_no.get(&new.person.registry_no)) {
                return Err(PortError::refused(Refusal::Other, format!("registry number {} twice", new.person.registry_no)));
            }
            if new.national_id.as_ref().is_some_and(|id| somebody_else(kept.by_mark.get(&self.mark(id)))) {
                return Err(PortError::refused(Refusal::Other, format!("national id of {} twice", new.person.registry_no)));
            }
        }
        Ok(())
    }

    fn save_people(&self, kept: &mut Kept, save: &RosterSave) {
        for new in &save.people {
            let id = new.person.id;
            let mark = new.national_id.as_ref().map(|n| self.mark(n));
            let entry = kept.people.entry(id).or_insert_with(|| KnownPerson {
                person: new.person.clone(),
                mark: None,
                former_registry_nos: Vec::new(),
                account_state: AccountState::None,
                decided_id: None,
            });
            kept.by_no.remove(&entry.person.registry_no);
            kept.by_no.insert(new.person.registry_no.clone(), id);
            kept.by_former.extend(new.former_registry_no.clone().map(|no| (no, id)));
            kept.by_mark.extend(mark.map(|mark| (mark, id)));
            entry.person = new.person.clone();
            entry.mark = mark.or(entry.mark);
            entry.former_registry_nos.extend(new.former_registry_no.clone());
        }
    }
}

#[async_trait]
impl Store for FakeStore {
    async fn units(&self) -> PortResult<Units> {
        Ok(self.look(|kept| kept.units.clone()))
    }
    async fn feed_position(&self, feed: &str) -> PortResult<Option<String>> {
        Ok(self.look(|kept| kept.positions.get(feed).cloned()))
    }
    /// Not keyed: these ids are made up.
    fn mark(&self, id: &NationalId) -> Mark {
        let mut mark = [0; 32];
        mark[..11].copy_from_slice(id.expose().as_bytes());
        Mark(mark)
    }
    async fn known(&self, registry_nos: &[RegistryNo], marks: &[Mark]) -> PortResult<Vec<KnownPerson>> {
        Ok(self.look(|kept| {
            let by_no = registry_nos.iter().filter_map(|no| kept.by_no.get(no).or(kept.by_former.get(no)));
            let ids: BTreeSet<&PersonId> = by_no.chain(marks.iter().filter_map(|mark| kept.by_mark.get(mark))).collect();
            ids.into_iter().filter_map(|id| kept.people.get(id)).cloned().collect()
        }))
    }
    async fn census(&self) -> PortResult<Vec<CensusLine>> {
        let line =
            |k: &KnownPerson| CensusLine { person: k.person.id, registry_no: k.person.registry_no.clone(), account_state: k.account_state };
        Ok(self.look(|kept| kept.people.values().map(line).collect()))
    }
    async fn save_roster(&self, save: RosterSave) -> PortResult<()> {
        self.look(|kept| {
            if kept.dies_after == Some(kept.saves) {
                return Err(PortError::Unavailable("died".to_owned()));
            }
            kept.saves += 1;
            self.check(kept, &save)?;
            self.save_people(kept, &save);
            save.units.into_iter().for_each(|unit| kept.units.put(unit));
            let seen: HashSet<&RegistryNo> = save.seen.iter().collect();
            let is_seen = |i: &DataIssue| i.registry_no.as_ref().is_some_and(|n| seen.contains(n));
            kept.issues.retain(|_, i| !(save.issue_kinds.contains(&i.kind) && is_seen(i)));
            kept.issues.extend(save.issues.iter().map(|i| (i.key(), i.clone())));
            kept.woken.extend(&save.wake);
            kept.woke_everybody += u32::from(save.wake_everybody);
            kept.positions.extend(save.position);
            Ok(())
        })
    }
    async fn save_issues(&self, about: IssueScope<'_>, found: &[DataIssue], _now: DateTime<Utc>) -> PortResult<()> {
        self.look(|kept| {
            kept.issues.retain(|_, issue| match about {
                IssueScope::All(kinds) => !kinds.contains(&issue.kind),
                IssueScope::People(kinds, nos) => {
                    !(kinds.contains(&issue.kind) && issue.registry_no.as_ref().is_some_and(|n| nos.contains(n)))
                }
                IssueScope::None => true,
            });
            kept.issues.extend(found.iter().map(|i| (i.key(), i.clone())));
        });
        Ok(())
    }

    async fn people(&self, _: PeopleBy<'_>) -> PortResult<Vec<PersonRecord>> {
        beyond()
    }
    async fn accounts_of(&self, _: &[RegistryNo]) -> PortResult<HashMap<RegistryNo, AccountGuid>> {
        beyond()
    }
    async fn reserve(&self, _: &[NameRequest], _: bool) -> PortResult<Vec<Option<Names>>> {
        beyond()
    }
    async fn bar_name(&self, _: PersonId, _: &LedgerName) -> PortResult<()> {
        beyond()
    }
    async fn population(&self) -> PortResult<Population> {
        beyond()
    }
    async fn spent(&self, _: &[Budget], _: DateTime<Utc>) -> PortResult<Spent> {
        beyond()
    }
    async fn begin_run(&self, _: &Run, _: DateTime<Utc>) -> PortResult<()> {
        beyond()
    }
    async fn withdraw_adoption(&self, _: PersonId, _: &AuditEvent, _: Option<(&ClientKey, &str)>) -> PortResult<Withdrawn> {
        beyond()
    }
    async fn keep_run(&self, _: RunId, _: DateTime<Utc>) -> PortResult<()> {
        beyond()
    }
    async fn interrupt_lost(&self, _: DateTime<Utc>) -> PortResult<Vec<RunId>> {
        beyond()
    }
    async fn finish_run(&self, _: &Run) -> PortResult<()> {
        beyond()
    }
    async fn intend(&self, _: &[Intent], _: &[Cap], _: DateTime<Utc>) -> PortResult<Vec<usize>> {
        beyond()
    }
    async fn settle(&self, _: Vec<PersonSettlement>) -> PortResult<()> {
        beyond()
    }
    async fn save_holds(&self, _: RunId, _: &[HoldRequest], _: bool, _: DateTime<Utc>) -> PortResult<()> {
        beyond()
    }
    async fn decide_hold(&self, _: HoldId, _: &HoldDecision, _: DateTime<Utc>) -> PortResult<Hold> {
        beyond()
    }
    async fn drifting(&self, _: Option<&[PersonId]>) -> PortResult<HashSet<PersonId>> {
        beyond()
    }
    async fn save_drift(&self, _: &[CardDrift], _: &[PersonId]) -> PortResult<()> {
        beyond()
    }
    async fn photo_written(&self, _: AccountGuid, _: Option<&[u8]>) -> PortResult<()> {
        beyond()
    }
    async fn note_cards(&self, _: kimlik_domain::day::Day, _: DateTime<Utc>) -> PortResult<()> {
        beyond()
    }
    async fn lapse_decisions(&self, _: &[(PersonId, kimlik_domain::lifecycle::ActionKind, String)]) -> PortResult<()> {
        beyond()
    }
    async fn wake(&self, _: &[(PersonId, DateTime<Utc>)]) -> PortResult<()> {
        beyond()
    }
    async fn claim(&self, _: DateTime<Utc>, _: DateTime<Utc>, _: u32) -> PortResult<Vec<Claim>> {
        beyond()
    }
    async fn claim_these(&self, _: &[PersonId], _: DateTime<Utc>) -> PortResult<Vec<Claim>> {
        beyond()
    }
    async fn renew_claims(&self, _: &[Claim], _: DateTime<Utc>) -> PortResult<Vec<PersonId>> {
        beyond()
    }
    async fn take_hand(&self, _: uuid::Uuid, _: DateTime<Utc>, _: DateTime<Utc>) -> PortResult<bool> {
        beyond()
    }
    async fn keep_hand(&self, _: uuid::Uuid, _: DateTime<Utc>) -> PortResult<bool> {
        beyond()
    }
    async fn let_go_of_hand(&self, _: uuid::Uuid) -> PortResult<()> {
        beyond()
    }
    async fn release(&self, _: &[(Claim, Option<DateTime<Utc>>)]) -> PortResult<()> {
        beyond()
    }
    async fn full_run_due(&self) -> PortResult<Option<i64>> {
        beyond()
    }
    async fn request_full_run(&self) -> PortResult<()> {
        beyond()
    }
    async fn full_run_done(&self, _: i64) -> PortResult<()> {
        beyond()
    }
    async fn watermark(&self) -> PortResult<Option<Watermark>> {
        beyond()
    }
    async fn save_watermark(&self, _: &Watermark) -> PortResult<()> {
        beyond()
    }
    async fn runs(&self, _: Option<RunId>, _: u32) -> PortResult<Vec<Run>> {
        beyond()
    }
    async fn operations(&self, _: OperationsOf, _: Option<OperationId>, _: u32) -> PortResult<Vec<OperationRecord>> {
        beyond()
    }
    async fn holds(&self, _: Option<HoldStatus>, _: u32) -> PortResult<Vec<Hold>> {
        beyond()
    }
    async fn hold_items(&self, _: HoldId, _: Option<PersonId>, _: u32) -> PortResult<Vec<HoldItem>> {
        beyond()
    }
    async fn issues(&self, _: Option<IssueId>, _: u32) -> PortResult<Vec<OpenIssue>> {
        beyond()
    }
    async fn accept_issue(&self, _: IssueId, _: &str, _: &str, _: DateTime<Utc>) -> PortResult<()> {
        beyond()
    }
    async fn messages(&self, _: Option<MessageId>, _: u32) -> PortResult<Vec<Message>> {
        beyond()
    }
    async fn person_named(&self, _: Option<&str>, _: Option<&str>) -> PortResult<Option<PersonId>> {
        beyond()
    }
    async fn order(&self, _: &Order, _: &AuditEvent, _: Option<(&ClientKey, &str)>) -> PortResult<Ordered> {
        beyond()
    }
    async fn rename(&self, _: &Rename, _: &AuditEvent, _: Option<(&ClientKey, &str)>) -> PortResult<Renamed> {
        beyond()
    }
    async fn adopt(&self, _: &Adoption, _: &NameRequest, _: &AuditEvent, _: Option<(&ClientKey, &str)>) -> PortResult<Adopted> {
        beyond()
    }
    async fn key_state(&self, _: &ClientKey, _: DateTime<Utc>) -> PortResult<KeyState> {
        beyond()
    }
    async fn audit_events(&self, _: Option<PersonId>, _: u32) -> PortResult<Vec<AuditEvent>> {
        beyond()
    }
}
