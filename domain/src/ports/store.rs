//! People, accounts, units, plans and what is done about them, kept.
use super::{PortResult, Watermark};
use crate::access::idempotency::{ClientKey, KeyState};
use crate::account::adoption::{Adopted, Adoption, Withdrawn};
use crate::account::rename::{Rename, Renamed};
use crate::account::{Account, LedgerName};
use crate::audit::AuditEvent;
use crate::card::drift::CardDrift;
use crate::card::hr_photo::PhotoWish;
use crate::day::Day;
use crate::id::{AccountGuid, HoldId, IssueId, OperationId, PersonId, RunId};
use crate::lifecycle::ActionKind;
use crate::lifecycle::hold::{Hold, HoldDecision, HoldItem, HoldRequest, HoldStatus};
use crate::lifecycle::limits::{Budget, Cap, Population, Spent};
use crate::lifecycle::run::{Intent, OperationRecord, PersonSettlement, Run};
use crate::lifecycle::suspension::{Order, Ordered, Suspension};
use crate::mailbox::Stands;
use crate::message::{Language, Message};
use crate::phone::Phones;
use crate::staff::intake::{CensusLine, KnownPerson, RosterSave};
use crate::staff::{DataIssue, NationalId, Person, RegistryNo, Units};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;

/// A keyed hash of a national id: finds people, shows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mark(pub [u8; 32]);

impl Mark {
    /// Enough to tell a decision about one number from a decision about another.
    pub fn short(&self) -> String {
        self.0.iter().take(16).map(|octet| format!("{octet:02x}")).collect()
    }
}

/// A person with everything that planning needs, read in one go.
#[derive(Clone, Debug, PartialEq)]
pub struct PersonRecord {
    /// As HR last said it, with the phones that count: those changed here stand in the place of HR's.
    pub person: Person,
    /// What HR says of the phones, what was changed here, and who changed the mobile when.
    pub phones: Phones,
    /// `None`: no name was ever reserved.
    pub account: Option<Account>,
    /// Decisions on changes that were held: (kind, digest of the change, approved?).
    pub decisions: Vec<(crate::lifecycle::ActionKind, String, bool)>,
    /// Issue kinds that a person has decided "accept as it is" for this person (a possible account is somebody else's, …).
    pub accepted: Vec<crate::staff::IssueKind>,
    /// Kinds of all open issues about this person.
    pub open_issues: Vec<crate::staff::IssueKind>,
    /// Operations in status Intended or InDoubt: their effect is unknown until observed.
    pub unsettled: Vec<OperationRecord>,
    /// Runs of those that have not ended: whoever carries them out may still be at it.
    pub under_way: Vec<RunId>,
    /// The latest suspension by order, in force or lifted.
    pub suspension: Option<Suspension>,
    /// What was last seen of the mailbox of a closed account, where somebody is asked for mailboxes.
    pub mailbox: Option<Stands>,
    /// HR's photo, and what the directory holds in its place.
    pub photo: PhotoWish,
    /// What they are told things in; `None`: they have not chosen.
    pub language: Option<Language>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeopleBy<'a> {
    /// By id, ascending, after this one.
    After(Option<PersonId>, u32),
    Ids(&'a [PersonId]),
    Guids(&'a [AccountGuid]),
    RegistryNos(&'a [RegistryNo]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationsOf {
    Everybody,
    Run(RunId),
    Person(PersonId),
}

/// Candidates for one person, best first, already found free in the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameRequest {
    pub person: PersonId,
    pub usernames: Vec<Arc<str>>,
    pub addresses: Vec<Arc<str>>,
    /// Kept in [`crate::account::Names::named_for`].
    pub named_for: Arc<str>,
    /// From when on the names count.
    pub on: Day,
    /// The primary address until now never stood on the account: it does not become an alias.
    pub former_unused: bool,
}

/// A person that somebody must look at. Several reasons are one entry; `generation` tells a reason that came during the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    pub person: PersonId,
    pub generation: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenIssue {
    pub id: IssueId,
    pub issue: DataIssue,
    pub since: DateTime<Utc>,
}

/// Kimlik's memory. Each method that writes is one transaction: all of it or nothing, also over kill -9.
#[async_trait]
pub trait Store: Send + Sync {
    // --- intake
    async fn units(&self) -> PortResult<Units>;
    async fn feed_position(&self, feed: &str) -> PortResult<Option<String>>;
    fn mark(&self, id: &NationalId) -> Mark;
    /// People known under any of the registry numbers (former ones too) or national ids.
    async fn known(&self, registry_nos: &[RegistryNo], marks: &[Mark]) -> PortResult<Vec<KnownPerson>>;
    /// One line a person, in no order.
    async fn census(&self) -> PortResult<Vec<CensusLine>>;
    async fn save_roster(&self, save: RosterSave) -> PortResult<()>;

    // --- planning
    async fn people(&self, by: PeopleBy<'_>) -> PortResult<Vec<PersonRecord>>;
    /// Accounts (seen, not closed) of these people: managers.
    async fn accounts_of(&self, registry_nos: &[RegistryNo]) -> PortResult<HashMap<RegistryNo, AccountGuid>>;
    /// For each request the first user name and address that the ledger has never given to anybody else; `None`: all taken.
    /// In order of the requests, each seeing the ones before. A person that has names already keeps the user name
    /// where `usernames` is empty, and the address where `addresses` is. `commit` false: a proposal, nothing is reserved.
    async fn reserve(&self, requests: &[NameRequest], commit: bool) -> PortResult<Vec<Option<crate::account::Names>>>;
    /// The directory says that this name is somebody else's: it is barred for ever, the person's reservation is undone.
    async fn bar_name(&self, person: PersonId, name: &LedgerName) -> PortResult<()>;
    async fn population(&self) -> PortResult<Population>;
    /// What of these budgets was intended since `since`, by province.
    async fn spent(&self, budgets: &[Budget], since: DateTime<Utc>) -> PortResult<Spent>;

    // --- carrying out
    /// Records it, or what is known of it by now. It counts as going on until `until`, if nobody says more of it.
    async fn begin_run(&self, run: &Run, until: DateTime<Utc>) -> PortResult<()>;
    /// It goes on until `until`, also if it was said to be interrupted. Nothing where it is over.
    async fn keep_run(&self, run: RunId, until: DateTime<Utc>) -> PortResult<()>;
    async fn finish_run(&self, run: &Run) -> PortResult<()>;
    /// Runs that nobody has kept are interrupted from now on: their process was killed, or has lost touch. Answers which.
    /// Where there are any, everybody is to be looked at, as after `request_full_run`.
    async fn interrupt_lost(&self, now: DateTime<Utc>) -> PortResult<Vec<RunId>>;
    /// Commits intents, and with them their share of the budget. Intents beyond a cap (counted under a lock since
    /// `since`) are not committed: their indices are answered.
    async fn intend(&self, intents: &[Intent], caps: &[Cap], since: DateTime<Utc>) -> PortResult<Vec<usize>>;
    async fn settle(&self, settlements: Vec<PersonSettlement>) -> PortResult<()>;
    async fn save_issues(&self, about: IssueScope<'_>, found: &[DataIssue], now: DateTime<Utc>) -> PortResult<()>;
    /// Adds to the open hold of each kind and scope, or opens one. Items whose digest has changed replace the old ones;
    /// items of these scopes that are no longer wanted leave; a hold without items is superseded.
    async fn save_holds(&self, run: RunId, held: &[HoldRequest], complete: bool, now: DateTime<Utc>) -> PortResult<()>;
    /// Decisions on changes that need not be made any more: should the same be due one day, it is asked anew.
    async fn lapse_decisions(&self, lapsed: &[(PersonId, ActionKind, String)]) -> PortResult<()>;
    async fn decide_hold(&self, hold: HoldId, decision: &HoldDecision, now: DateTime<Utc>) -> PortResult<Hold>;
    /// Whose cards are known to differ: of these people, or of all.
    async fn drifting(&self, of: Option<&[PersonId]>) -> PortResult<HashSet<PersonId>>;
    /// Keeps these rows, each with the `since` that it had, and takes away those of `gone`. Nothing is written where nothing is new.
    async fn save_drift(&self, found: &[CardDrift], gone: &[PersonId]) -> PortResult<()>;
    /// The directory holds this photo from now on, or none: what is kept beside the cards says so too.
    async fn photo_written(&self, account: AccountGuid, octets: Option<&[u8]>) -> PortResult<()>;
    /// Keeps how many cards are right as the figure of `day`; figures of two years ago are forgotten.
    async fn note_cards(&self, day: Day, at: DateTime<Utc>) -> PortResult<()>;

    // --- the work queue
    /// Somebody is to look at each of them at its time, if nothing earlier is due. Nothing is written where that is known already.
    async fn wake(&self, people: &[(PersonId, DateTime<Utc>)]) -> PortResult<()>;
    /// Due people, leased until `until`; others do not get them meanwhile.
    async fn claim(&self, now: DateTime<Utc>, until: DateTime<Utc>, limit: u32) -> PortResult<Vec<Claim>>;
    /// These people, whether they are due or not; those in somebody's hands are left out.
    async fn claim_these(&self, people: &[PersonId], until: DateTime<Utc>) -> PortResult<Vec<Claim>>;
    /// The leases go on until `until`. Answers whose were lost: somebody else has claimed them meanwhile.
    async fn renew_claims(&self, claims: &[Claim], until: DateTime<Utc>) -> PortResult<Vec<PersonId>>;
    /// Ends the lease. `next`: when to look again by itself. A reason that came during the work keeps it due.
    async fn release(&self, done: &[(Claim, Option<DateTime<Utc>>)]) -> PortResult<()>;
    /// The one hand at everybody, over all replicas, until `until`. False: another holds it.
    async fn take_hand(&self, holder: Uuid, now: DateTime<Utc>, until: DateTime<Utc>) -> PortResult<bool>;
    /// Holds on to it. False: it ran out and another has taken it, or had taken it.
    async fn keep_hand(&self, holder: Uuid, until: DateTime<Utc>) -> PortResult<bool>;
    async fn let_go_of_hand(&self, holder: Uuid) -> PortResult<()>;
    /// A reason to look at everybody (units changed, policy changed, first start, a run was lost) until `full_run_done` names its number.
    async fn full_run_due(&self) -> PortResult<Option<i64>>;
    async fn request_full_run(&self) -> PortResult<()>;
    async fn full_run_done(&self, number: i64) -> PortResult<()>;
    async fn watermark(&self) -> PortResult<Option<Watermark>>;
    async fn save_watermark(&self, mark: &Watermark) -> PortResult<()>;

    // --- reading
    async fn runs(&self, before: Option<RunId>, limit: u32) -> PortResult<Vec<Run>>;
    /// The latest first.
    async fn operations(&self, of: OperationsOf, before: Option<OperationId>, limit: u32) -> PortResult<Vec<OperationRecord>>;
    async fn holds(&self, status: Option<HoldStatus>, limit: u32) -> PortResult<Vec<Hold>>;
    async fn hold_items(&self, hold: HoldId, after: Option<PersonId>, limit: u32) -> PortResult<Vec<HoldItem>>;
    async fn issues(&self, after: Option<IssueId>, limit: u32) -> PortResult<Vec<OpenIssue>>;
    /// `Refused(Value)`: nothing would come of it ([`DataIssue::can_be_accepted`]).
    async fn accept_issue(&self, issue: IssueId, by: &str, because: &str, now: DateTime<Utc>) -> PortResult<()>;
    async fn messages(&self, before: Option<crate::id::MessageId>, limit: u32) -> PortResult<Vec<Message>>;
    async fn person_named(&self, username: Option<&str>, address: Option<&str>) -> PortResult<Option<PersonId>>;
    /// Gives an order and commits with it: the audit event, the person's waking, the end of a suspended person's sessions and, under
    /// `key`, what is answered. One at a time, so that an actor's many at once are not more than one may give.
    async fn order(&self, order: &Order, audit: &AuditEvent, key: Option<(&ClientKey, &str)>) -> PortResult<Ordered>;
    /// Writes names into the ledger that nobody else has ever had, and commits with them: the person's waking, the audit event and,
    /// under `key`, what is answered.
    async fn rename(&self, order: &Rename, audit: &AuditEvent, key: Option<(&ClientKey, &str)>) -> PortResult<Renamed>;
    /// Writes into the ledger that an existing account is to become the person's, with the names that come with it, and commits with it
    /// what [`Store::rename`] does.
    async fn adopt(
        &self,
        order: &Adoption,
        names: &NameRequest,
        audit: &AuditEvent,
        key: Option<(&ClientKey, &str)>,
    ) -> PortResult<Adopted>;
    /// Takes back an order to adopt that was not carried out, as of the audit event's time, and commits with it what [`Store::rename`]
    /// does. The names that came with it are free again: they were never this person's.
    async fn withdraw_adoption(&self, person: PersonId, audit: &AuditEvent, key: Option<(&ClientKey, &str)>) -> PortResult<Withdrawn>;
    async fn key_state(&self, key: &ClientKey, now: DateTime<Utc>) -> PortResult<KeyState>;
    async fn audit_events(&self, person: Option<PersonId>, limit: u32) -> PortResult<Vec<AuditEvent>>;
}

/// Which open issues a finding speaks of: those not found again are resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssueScope<'a> {
    /// Issues of these kinds about these people.
    People(&'a [crate::staff::IssueKind], &'a [RegistryNo]),
    /// Issues of these kinds, whoever they are about.
    All(&'a [crate::staff::IssueKind]),
    /// Only adds.
    None,
}
