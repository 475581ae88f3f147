//! Every outside trait, with what an implementation promises and how it fails.
//!
//! Promises that hold for all: an error says which of three things is true ([`PortError`]); a timeout is always
//! [`PortError::InDoubt`] where something may have been written; no call holds a transaction open over another port.
use crate::access::attempt::AttemptRules;
use crate::access::grant::Grant;
use crate::access::idempotency::{ClientKey, KeyState};
use crate::access::service::Service;
use crate::access::session::{Access, EndedBecause, Lockout, Renewal, Secret, Session, SessionsOf, SignedIn, Standing};
use crate::account::adoption::{Adopted, Adoption};
use crate::account::rename::{Rename, Renamed};
use crate::account::{AccountRef, Attribute, Change, Dn, LedgerName, NewAccount, ObservedAccount};
use crate::card::drift::{CardCount, CardDrift, CardFigure, DriftFilter};
use crate::day::Day;
use crate::id::MessageId;
use crate::id::{AccountGuid, GrantId, HoldId, OperationId, PersonId, RunId, ServiceId, SessionId, SubmissionId, WebhookId};
use crate::lifecycle::ActionKind;
use crate::lifecycle::hold::{Hold, HoldDecision, HoldItem, HoldRequest, HoldStatus};
use crate::lifecycle::limits::{Budget, Cap, Population, Spent};
use crate::lifecycle::run::{Intent, OperationRecord, OperationStatus, PersonSettlement, Run};
use crate::lifecycle::suspension::{Order, Ordered, Suspension};
use crate::mailbox::Stands;
pub use crate::mailbox::port::{ClaimedMailbox, MailboxHost, MailboxLedger, MailboxRequest, MailboxSave, MailboxesState};
use crate::message::announcement::{Announced, Resend, Resent};
use crate::message::courier::{Begun, Claimed, Settled};
use crate::message::{Channel, Language, Message, NewMessage, Purpose, Recipient};
use crate::password::challenge::{Asked, Proven};
use crate::password::ticket::{Ticket, TicketPurpose};
use crate::password::{PasswordFacts, PasswordRules, Pin};
use crate::phone::desk::MobileChallenge;
use crate::phone::write_back::{ForHr, Handed, WriteBack};
use crate::phone::{PhoneChange, Phones};
use crate::staff::feed::Delivery;
use crate::staff::intake::{CensusLine, FeedReport, KnownPerson, RosterSave};
pub use crate::staff::records::{IssueFilter, IssueTrend, Left, ListedIssue, OperationFilter, Records, Urgency};
use crate::staff::submission::{HandedIn, NewPart, Record, Report, Submission};
use crate::staff::{DataIssue, NationalId, Person, RegistryNo, UnitCode, Units};
use crate::text::gsm;
use crate::webhook::address::AddressFault;
use crate::webhook::{Event, Webhook};
use crate::{account::Account, audit::AuditEvent, id::IssueId};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;
use zeroize::Zeroizing;

/// How an outside thing fails, sorted by what the caller can do next. Texts name what was found, never a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// Nothing happened; later it may.
    #[error("not reachable: {0}")]
    Unavailable(String),
    /// Perhaps it happened: observe before doing anything else.
    #[error("in doubt: {0}")]
    InDoubt(String),
    /// It did not happen and will not, as long as nothing else changes.
    #[error("refused: {reason}")]
    Refused { refusal: Refusal, reason: String },
}

impl PortError {
    pub fn refused(refusal: Refusal, reason: impl Into<String>) -> PortError {
        PortError::Refused { refusal, reason: reason.into() }
    }
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            PortError::Refused { refusal, .. } => Some(*refusal),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    NotFound,
    /// User name, UPN or object name belongs to somebody else.
    NameTaken,
    /// The directory holds another value than `from`.
    Changed,
    /// Kimlik's account may not.
    Rights,
    /// A value that the schema does not take.
    Value,
    /// A number or an address that takes no messages.
    Undeliverable,
    /// Nothing is left to pay with.
    Balance,
    /// A password that the domain's rules do not take.
    Password,
    /// Not the password that the account has: in a change from one to another.
    WrongPassword,
    /// Another process is at it, and two must not be at once.
    InHand,
    /// Anything else: a fault of ours or of the settings.
    Other,
}

pub type PortResult<T> = Result<T, PortError>;

/// The only source of "now". Truncated to microseconds: what both databases keep.
pub trait Clock: Send + Sync {
    fn now(&self) -> DateTime<Utc>;
}

/// The only source of chance. Cryptographically strong outside tests.
pub trait Entropy: Send + Sync {
    fn fill(&self, octets: &mut [u8]);
}

// ------------------------------------------------------------------------------------------------------------ HR

#[async_trait]
pub trait HrFeed: Send + Sync {
    /// Stable name: positions are kept under it.
    fn name(&self) -> &str;
    /// The next delivery after `position` (`None`: from the beginning), complete, or `None` if there is none.
    /// Units come before the staff that refers to them. Reading takes nothing away.
    async fn poll(&self, position: Option<&str>) -> PortResult<Option<Delivery>>;
    /// What lies there and is not delivered yet, because somebody may still be writing it.
    async fn unfinished(&self) -> PortResult<Option<String>> {
        Ok(None)
    }
    /// `delivery` is in the store (or was refused whole): the source may put it away. Called again after a crash.
    async fn taken(&self, delivery: &Delivery, report: &FeedReport) -> PortResult<()>;
}

// ----------------------------------------------------------------------------------------------------- directory

/// Where a scan by change numbers went on from: numbers of one controller only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watermark {
    /// invocationId of the controller: another one (or a restored one) means a full scan.
    pub source: String,
    /// Changes up to here were seen.
    pub usn: u64,
}

/// What a look-up asks for; any that matches is answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FindBy {
    pub employee_ids: Vec<Arc<str>>,
    pub usernames: Vec<Arc<str>>,
    /// Values of the configured correlation attribute; ignored where none is configured.
    pub correlations: Vec<Arc<str>>,
    pub display_names: Vec<Arc<str>>,
    pub distinguished_names: Vec<Dn>,
}

/// A scan in pages: memory does not grow with the directory.
#[async_trait]
pub trait Scan: Send {
    /// The next accounts (at most about 1,000), `None` at the end.
    async fn next_page(&mut self) -> PortResult<Option<Vec<ObservedAccount>>>;
    /// Read *before* the first page: what changes during the scan is seen by the next one.
    fn watermark(&self) -> Watermark;
    /// False: the watermark given did not fit this controller, and everything is being read.
    fn is_incremental(&self) -> bool;
}

/// What the directory can hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// The Exchange schema extension is there.
    pub exchange: bool,
}

/// Accounts of people under one base. Everything outside the base can be observed by GUID and is never written.
///
/// Reads go where the writes went: an implementation answers from the controller that took the last write.
#[async_trait]
pub trait Directory: Send + Sync {
    async fn capabilities(&self) -> PortResult<Capabilities>;
    /// OUs under the base (the base included): where accounts may be placed.
    async fn containers(&self) -> PortResult<HashSet<Dn>>;
    /// All user accounts under the base, or those that changed after `since`.
    async fn scan(&self, since: Option<&Watermark>) -> PortResult<Box<dyn Scan>>;
    /// By GUID, wherever they stand now; those that cannot be found are left out.
    async fn observe(&self, accounts: &[AccountGuid]) -> PortResult<Vec<ObservedAccount>>;
    /// Accounts under the base that match.
    async fn find(&self, by: &FindBy) -> PortResult<Vec<ObservedAccount>>;
    /// Which of `names` any object of the whole domain holds (sAMAccountName, UPN, mail, proxyAddresses).
    async fn names_taken(&self, names: &[LedgerName]) -> PortResult<HashSet<LedgerName>>;

    /// Of these addresses, those that any other object of the domain carries (mail, proxyAddresses).
    async fn addresses_of_others(&self, account: AccountGuid, addresses: &[Arc<str>]) -> PortResult<HashSet<Arc<str>>>;

    /// Creates it disabled, without a password. `Refused(NameTaken)`: the user name or UPN is somebody's.
    async fn create(&self, new: &NewAccount) -> PortResult<AccountRef>;
    /// Sets it without the old one. The text is used once and must not be kept.
    async fn set_password(&self, account: &AccountRef, password: &Zeroizing<String>) -> PortResult<()>;
    /// All changes or none. `Refused(Changed)` where the directory holds another value than `from`.
    async fn modify(&self, account: &AccountRef, changes: &[Change]) -> PortResult<()>;
    /// Touches the disabling flag only. Enabling what is enabled (disabling likewise) succeeds.
    async fn set_enabled(&self, account: &AccountRef, enabled: bool) -> PortResult<()>;
    /// A member already there succeeds.
    async fn join_group(&self, account: &AccountRef, group: &Dn) -> PortResult<()>;
    /// No member, or no such group: succeeds.
    async fn leave_group(&self, account: &AccountRef, group: &Dn) -> PortResult<()>;
    /// Moves under `ou` with common name `cn`; where the OU holds that name already, with ` 2`, ` 3`, … behind it.
    /// Answers where it stands now. Already there: succeeds.
    async fn move_to(&self, account: &AccountRef, ou: &Dn, cn: &str) -> PortResult<Dn>;
}

// --------------------------------------------------------------------------------------------------------- store

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
    /// The latest suspension by order, in force or lifted.
    pub suspension: Option<Suspension>,
    /// What was last seen of the mailbox of a closed account, where somebody is asked for mailboxes.
    pub mailbox: Option<Stands>,
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
    async fn begin_run(&self, run: &Run) -> PortResult<()>;
    async fn finish_run(&self, run: &Run) -> PortResult<()>;
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
    /// Keeps how many cards are right as the figure of `day`; figures of two years ago are forgotten.
    async fn note_cards(&self, day: Day, at: DateTime<Utc>) -> PortResult<()>;

    // --- the work queue
    /// Somebody is to look at each of them at its time, if nothing earlier is due.
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
    /// A reason to look at everybody (units changed, policy changed, first start) until `full_run_done` names its number.
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
    async fn key_state(&self, key: &ClientKey, now: DateTime<Utc>) -> PortResult<KeyState>;
    async fn audit_events(&self, person: Option<PersonId>, limit: u32) -> PortResult<Vec<AuditEvent>>;
}

// ----------------------------------------------------------------------------------------------------------- cards

/// Where the feed of cards stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardsHead {
    /// Another one: positions of before mean nothing.
    pub epoch: Uuid,
    /// Of the last change.
    pub position: i64,
    /// One more whenever units, the day or the rules have changed.
    pub generation: i64,
    /// As the sealer last said it.
    pub shape: String,
    /// Something waits for the sealer.
    pub is_waiting: bool,
}

/// What a card is made from.
#[derive(Clone, Debug, PartialEq)]
pub struct CardFacts {
    pub person: Person,
    pub account: Option<Account>,
    /// The tag of the photo that is kept of the account.
    pub photo: Option<Box<str>>,
}

/// One entry of the feed of cards: a person's latest.
#[derive(Clone, Debug, PartialEq)]
pub struct CardEntry {
    pub position: i64,
    pub person: PersonId,
    pub at: DateTime<Utc>,
    /// `None`: the card is gone.
    pub facts: Option<CardFacts>,
}

/// What the sealer needs.
#[derive(Clone, Copy, Debug)]
pub struct Seal<'a> {
    /// For a store that has none yet.
    pub epoch: Uuid,
    pub at: DateTime<Utc>,
    /// Everything beside people, accounts and units that cards depend on: the day, the rules. Another one: all are looked at.
    pub shape: &'a str,
    pub limit: u32,
}

/// The text of a card, equal exactly as long as the card is; `None`: there is no card to show.
pub type CardText<'a> = dyn Fn(&CardFacts, &Units) -> Option<String> + Send + Sync + 'a;

/// The feed of cards. Whatever changes a person, an account or a unit leaves a mark in its own transaction; a sealer, one at
/// a time in all replicas, looks at marked people afterwards and gives changed cards the next positions. So positions become
/// visible in their order, and a reader that has seen one has seen all before it.
#[async_trait]
pub trait Cards: Send + Sync {
    async fn cards_head(&self) -> PortResult<CardsHead>;
    /// Works off up to `limit` marks and answers whether some are left.
    async fn seal_cards(&self, seal: &Seal<'_>, text: &CardText<'_>) -> PortResult<bool>;
    /// In order of their positions, after this one.
    async fn card_entries(&self, after: i64, limit: u32) -> PortResult<Vec<CardEntry>>;
    /// The national id of a person, to be shown masked.
    async fn national_id(&self, person: PersonId) -> PortResult<Option<NationalId>>;
}

/// How the cards stand in the directory, for those who ask.
#[async_trait]
pub trait CardTruth: Send + Sync {
    /// Cards that differ, in the order of their people's ids.
    async fn card_drifts(&self, filter: &DriftFilter, after: Option<PersonId>, limit: u32) -> PortResult<Vec<CardDrift>>;
    async fn card_drift_of(&self, person: PersonId) -> PortResult<Option<CardDrift>>;
    async fn count_cards(&self) -> PortResult<CardCount>;
    /// One a day, the latest first.
    async fn card_figures(&self, limit: u32) -> PortResult<Vec<CardFigure>>;
    /// When Kimlik last wrote each attribute of the person's account, as far as its operations are kept.
    async fn last_written(&self, person: PersonId) -> PortResult<HashMap<Attribute, DateTime<Utc>>>;
}

/// How much of everything there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    pub open_issues: HashMap<crate::staff::IssueKind, u32>,
    pub holds: u32,
    /// Whose changes wait in them.
    pub held_people: u32,
    /// People who are to be looked at now, and since when the first of them is.
    pub due: u32,
    pub due_since: Option<DateTime<Utc>>,
    /// When the last run that came to its end did so; and the last one over everybody by schedule.
    pub last_run: Option<DateTime<Utc>>,
    pub last_nightly_run: Option<DateTime<Utc>>,
}

/// For whoever watches over Kimlik: numbers, and nobody by name.
#[async_trait]
pub trait Watch: Send + Sync {
    async fn figures(&self, now: DateTime<Utc>) -> PortResult<Figures>;
}

// ---------------------------------------------------------------------------------------------------------- photos

/// Whose photos may have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhotoNews {
    /// Read before anything else: what changes meanwhile is told the next time.
    pub watermark: Watermark,
    /// False: the watermark given did not fit, and everybody is told of.
    pub is_incremental: bool,
    /// Accounts with a photo.
    pub with: Vec<AccountGuid>,
    /// Accounts without one; of an incremental answer only.
    pub without: Vec<AccountGuid>,
}

/// Photos in the directory (thumbnailPhoto) of accounts under the base. Read only.
#[async_trait]
pub trait Photos: Send + Sync {
    /// Of accounts that changed after `since`, whatever of them; of all, without it. Reads no photo.
    async fn photo_news(&self, since: Option<&Watermark>) -> PortResult<PhotoNews>;
    /// Those that have none, or are not there, are left out. One question, however many.
    async fn photos(&self, accounts: &[AccountGuid]) -> PortResult<Vec<(AccountGuid, Vec<u8>)>>;
}

/// A photo that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptPhoto {
    pub octets: Vec<u8>,
    /// Of its octets: another photo has another tag. Letters and digits.
    pub tag: Box<str>,
}

/// Photos that are kept, by account, and how far the directory was read.
#[async_trait]
pub trait PhotoBook: Send + Sync {
    async fn photo_mark(&self) -> PortResult<Option<Watermark>>;
    async fn save_photo_mark(&self, mark: &Watermark) -> PortResult<()>;
    async fn photo_accounts(&self) -> PortResult<Vec<AccountGuid>>;
    /// Keeps these, and forgets those of `without`. Whose photo is another one has another card.
    async fn keep_photos(&self, photos: &[(AccountGuid, Vec<u8>)], without: &[AccountGuid]) -> PortResult<()>;
    async fn photo_of(&self, person: PersonId) -> PortResult<Option<KeptPhoto>>;
}

// ------------------------------------------------------------------------------------------------------------ runs

/// What became so far of what a run began, by how it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunProgress {
    pub counts: HashMap<OperationStatus, u32>,
}

/// Watching a run, whichever process carries it out.
#[async_trait]
pub trait WatchRuns: Send + Sync {
    /// `None`: there is no such run.
    async fn progress(&self, run: RunId) -> PortResult<Option<(Run, RunProgress)>>;
}

// ---------------------------------------------------------------------------------------------------------- access

/// The directory as the one that knows passwords. Not [`Directory`]: nothing is written, and each password goes over a
/// connection of its own.
#[async_trait]
pub trait SignIn: Send + Sync {
    /// Whose user name or user principal name this is, anywhere in the domain.
    async fn account_named(&self, name: &str) -> PortResult<Option<AccountGuid>>;
    /// `None`: wrong passwords lock nobody.
    async fn lockout(&self) -> PortResult<Option<Lockout>>;
    /// Nobody's password (`None`) is as wrong as any, and takes as long. An empty one is never right.
    async fn sign_in(&self, account: Option<AccountGuid>, password: &Zeroizing<String>, groups: &[Dn]) -> PortResult<SignedIn>;
    /// Of these groups, those that are not there.
    async fn missing_groups(&self, groups: &[Dn]) -> PortResult<Vec<Dn>>;
    /// `None`: the account is gone.
    async fn standing(&self, account: AccountGuid, groups: &[Dn]) -> PortResult<Option<Standing>>;
}

/// One attempt to sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub id: uuid::Uuid,
    /// The account, or what was typed for one; kept as a keyed hash, because people type passwords there.
    pub account: String,
    pub address: String,
    pub at: DateTime<Utc>,
}

/// Sessions, and attempts to begin one. Secrets are kept as keyed hashes.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Counts it as failed until it has succeeded, if the rules allow it; false: they do not. One at a time, so that many at
    /// once are not more than the rules allow.
    async fn begin_attempt(&self, attempt: &Attempt, rules: &AttemptRules) -> PortResult<bool>;
    /// Forgets the account's failures; its address is a friend's from now on.
    async fn attempt_succeeded(&self, attempt: &Attempt) -> PortResult<()>;
    async fn begin_session(&self, session: &Session, refresh: &Secret, audit: &AuditEvent) -> PortResult<()>;
    async fn session(&self, id: SessionId) -> PortResult<Option<Session>>;
    async fn session_of(&self, refresh: &Secret) -> PortResult<Option<Session>>;
    /// Spends `refresh` and makes `next` count, in one; of two at once one wins and the other is a reuse, which ends the session.
    /// What `session` says anew (roles, confirmation, end) is saved with it.
    async fn renew(&self, refresh: &Secret, next: &Secret, session: &Session, now: DateTime<Utc>) -> PortResult<Renewal>;
    /// Answers those that lived.
    async fn end_sessions(&self, of: SessionsOf, because: EndedBecause, actor: &str, now: DateTime<Utc>) -> PortResult<Vec<SessionId>>;
}

/// Roles granted for a time.
#[async_trait]
pub trait Grants: Send + Sync {
    async fn grants_of(&self, person: PersonId) -> PortResult<Vec<Grant>>;
    /// The latest first.
    async fn grants(&self, before: Option<GrantId>, limit: u32) -> PortResult<Vec<Grant>>;
    async fn grant(&self, grant: &Grant, audit: &AuditEvent) -> PortResult<()>;
    /// `Refused(NotFound)`: there is none; `Refused(Other)`: it was revoked before.
    async fn revoke_grant(&self, grant: GrantId, by: &str, now: DateTime<Utc>) -> PortResult<Grant>;
}

/// Accounts of programs.
#[async_trait]
pub trait Services: Send + Sync {
    /// The latest first.
    async fn services(&self, before: Option<ServiceId>, limit: u32) -> PortResult<Vec<Service>>;
    /// Whose secret this is, if it still counts.
    async fn service_of(&self, secret: &Secret, now: DateTime<Utc>) -> PortResult<Option<Service>>;
    /// `Refused(NameTaken)`: there is one of that name.
    async fn make_service(&self, service: &Service, secret: &Secret, audit: &AuditEvent) -> PortResult<()>;
    /// `secret` counts from now on; those before it until `old_until`.
    async fn rotate_service(
        &self,
        id: ServiceId,
        secret: &Secret,
        old_until: DateTime<Utc>,
        by: &str,
        now: DateTime<Utc>,
    ) -> PortResult<Service>;
    async fn revoke_service(&self, id: ServiceId, by: &str, now: DateTime<Utc>) -> PortResult<Service>;
    async fn service_used(&self, id: ServiceId, now: DateTime<Utc>) -> PortResult<()>;
}

/// Access tokens of our own.
pub trait Tokens: Send + Sync {
    fn issue(&self, access: &Access) -> String;
    /// `None`: not made by us for us, or expired at `now`.
    fn read(&self, token: &str, now: DateTime<Utc>) -> Option<Access>;
    /// The public keys, as `/.well-known/jwks.json` shows them.
    fn published(&self, now: DateTime<Utc>) -> serde_json::Value;
}

/// Whom a token of a foreign issuer speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForeignName {
    Username(String),
    RegistryNo(RegistryNo),
    Email(String),
}

#[async_trait]
pub trait ForeignIssuer: Send + Sync {
    /// `None`: not a token of that issuer for us, or no longer. `Unavailable`: its keys cannot be fetched now.
    async fn read(&self, token: &str, now: DateTime<Utc>) -> PortResult<Option<ForeignName>>;
}

/// What is asked of the audit; all that is said must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    pub person: Option<PersonId>,
    pub actor: Option<String>,
    /// Beginnings of deeds, of which one must fit: `session.`, `account.close`. Empty: all.
    pub deeds: Vec<String>,
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
}

#[async_trait]
pub trait Audit: Send + Sync {
    /// For what is no part of another transaction: readings, refusals.
    async fn record(&self, events: &[AuditEvent]) -> PortResult<()>;
    /// The latest first, with their numbers.
    async fn events(&self, filter: &AuditFilter, before: Option<i64>, limit: u32) -> PortResult<Vec<(i64, AuditEvent)>>;
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

// ------------------------------------------------------------------------------------------------------ messages

/// Texts to people, from their queueing to the phone.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Queues them by themselves. What tells of something else that is written is queued in that transaction.
    async fn queue_messages(&self, messages: &[(PersonId, NewMessage)], now: DateTime<Utc>) -> PortResult<()>;
    /// Whether `code` is the one in the last message for that occasion, which was given to a gateway and is not outlived.
    /// Counting tries is the caller's.
    async fn code_matches(&self, person: PersonId, purpose: Purpose, occasion: &str, code: &str, now: DateTime<Utc>) -> PortResult<bool>;

    /// All that is told this person is written in it from now on.
    async fn keep_language(&self, person: PersonId, language: Language, audit: &AuditEvent) -> PortResult<()>;

    // --- announcements sent again
    /// Of these people's present openings (person, opening); who was not told of it is left out.
    async fn announced(&self, openings: &[(PersonId, u32)]) -> PortResult<HashMap<PersonId, Announced>>;
    /// Queues `message` in the place of the person's announcements before it: those not sent yet are taken back, and the codes of
    /// all of them are of no use any more. The audit event and, under `key`, what is answered are committed with it. One at a
    /// time, so that many at once are not more than the limits allow.
    async fn resend(&self, order: &Resend, message: &NewMessage, audit: &AuditEvent, key: Option<(&ClientKey, &str)>)
    -> PortResult<Resent>;
    /// People whose mobile number or name has become another, until somebody has seen to their announcement.
    async fn renumbered(&self, now: DateTime<Utc>, limit: u32) -> PortResult<Vec<PersonId>>;
    /// Seen to; or to be looked at again then.
    async fn saw_to(&self, people: &[(PersonId, Option<DateTime<Utc>>)]) -> PortResult<()>;

    // --- the courier
    /// Due messages of a channel, leased until `until`; those that somebody waits for first.
    async fn claim_messages(&self, channel: Channel, now: DateTime<Utc>, until: DateTime<Utc>, limit: u32) -> PortResult<Vec<Claimed>>;
    /// Commits that `gateway` is going to be asked, unless that would be more than `daily_limit` of its channel within a day.
    async fn begin_sending(&self, claimed: &Claimed, gateway: &str, now: DateTime<Utc>, daily_limit: u32) -> PortResult<Begun>;
    /// Notes what became of it, with everything that follows; nothing where the lease is another courier's by now.
    async fn settle_message(&self, settled: &Settled, now: DateTime<Utc>) -> PortResult<()>;
    /// The gateway's names of what it took since, the latest first.
    async fn awaiting_report(&self, gateway: &str, since: DateTime<Utc>, limit: u32) -> PortResult<Vec<String>>;
    async fn sent_as(&self, gateway: &str, provider_id: &str) -> PortResult<Option<(MessageId, PersonId)>>;
    /// False: nothing was waiting for this report.
    async fn settle_report(&self, id: MessageId, verdict: &Verdict, dead: Option<&DataIssue>, now: DateTime<Utc>) -> PortResult<bool>;
    /// Resolves issues about numbers and addresses whose owners have others by now; answers how many.
    async fn mend_numbers(&self, now: DateTime<Utc>) -> PortResult<u32>;
    async fn outbox_state(&self, channel: Channel, now: DateTime<Utc>) -> PortResult<OutboxState>;
}

/// What became of an attempt to take the day's round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakenRound {
    Ours,
    /// Another replica is at it.
    Others,
    Made,
}

/// What is done once a day by one of all replicas, and the digests of that day.
#[async_trait]
pub trait Rounds: Send + Sync {
    /// The round of this name and day, leased until `until`.
    async fn take_round(&self, name: &str, day: Day, holder: Uuid, now: DateTime<Utc>, until: DateTime<Utc>) -> PortResult<TakenRound>;
    /// False: it ran out, and another replica has taken it.
    async fn keep_round(&self, name: &str, day: Day, holder: Uuid, until: DateTime<Utc>) -> PortResult<bool>;
    async fn round_made(&self, name: &str, day: Day, holder: Uuid, now: DateTime<Utc>) -> PortResult<()>;
    /// Queues a unit's digest, if it has not had one that day. False: it has.
    async fn queue_digest(&self, unit: UnitCode, day: Day, messages: &[(PersonId, NewMessage)], now: DateTime<Utc>) -> PortResult<bool>;
    /// Everybody with a posting in one of these units, whatever its dates.
    async fn people_in(&self, units: &[UnitCode]) -> PortResult<Vec<PersonId>>;
}

/// How the outbox stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxState {
    pub waiting: u32,
    /// When the oldest of those was queued.
    pub oldest: Option<DateTime<Utc>>,
    /// Within a day.
    pub sent_today: u32,
    /// Failed, undelivered or doubtful, within a day.
    pub failed_today: u32,
}

/// One text for one phone, or one letter for one mailbox.
#[derive(Clone, Copy)]
pub struct Parcel<'a> {
    /// Our own name for it; the gateway keeps it where it can.
    pub reference: MessageId,
    pub to: &'a Recipient,
    /// Of a letter; empty in a text.
    pub subject: &'a str,
    pub text: &'a str,
    pub purpose: Purpose,
    /// Of no use afterwards: the gateway does not deliver it later, where it can be told so.
    pub valid_until: Option<DateTime<Utc>>,
    pub at: DateTime<Utc>,
}

impl Parcel<'_> {
    /// For gateways to phones. `Refused(Value)`: it goes elsewhere.
    pub fn mobile(&self) -> PortResult<&crate::staff::MobileNumber> {
        self.to.mobile().ok_or_else(|| PortError::refused(Refusal::Value, "not a mobile number"))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The gateway's name for it: reports speak of it.
    pub id: Option<String>,
    /// Parts that it is billed as.
    pub parts: u32,
}

/// Where a message is of which nobody knows whether it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// The gateway has it, under this name.
    Taken(Option<String>),
    /// It surely never came there.
    NotTaken,
    /// The gateway cannot say.
    Unknown,
}

/// What a delivery report says in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Delivered,
    Undelivered(String),
    /// It did not arrive, and nothing will arrive at that number.
    DeadNumber(String),
}

/// Carries messages over one channel. `InDoubt`: it may have been sent; it is never asked to send the same again, unless it may.
#[async_trait]
pub trait Gateway: Send + Sync {
    /// Stable: messages are kept under it.
    fn name(&self) -> &str;
    /// True only where nothing is sent and the text in the store is what is read.
    fn keeps_texts(&self) -> bool {
        false
    }
    /// The same sent twice is known as the same, and carries no code: better twice than never.
    fn may_repeat(&self) -> bool {
        false
    }
    /// Reports have to be asked for.
    fn is_polled(&self) -> bool {
        false
    }
    /// As how many parts this text is billed here.
    fn parts(&self, _purpose: Purpose, text: &str) -> u32 {
        gsm::measure(text, gsm::Shift::None).parts
    }
    /// `Refused(Undeliverable)`: this number; `Refused(Value)`: this text; other refusals: nothing can be sent until somebody
    /// mends something.
    async fn send(&self, parcel: &Parcel<'_>) -> PortResult<Accepted>;
    /// What became of one that it was asked to send at `asked_at`, without an answer.
    async fn look_up(&self, _parcel: &Parcel<'_>, _asked_at: DateTime<Utc>) -> PortResult<Whereabouts> {
        Ok(Whereabouts::Unknown)
    }
    /// Of those that it took, the ones whose end is known.
    async fn reports(&self, _ids: &[String], _now: DateTime<Utc>) -> PortResult<Vec<(String, Verdict)>> {
        Ok(Vec::new())
    }
}

// -------------------------------------------------------------------------------------------------------- doctor

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    Good,
    /// Works, and somebody should look.
    Doubtful,
    Broken,
}

/// One thing that was looked at, as `kimlik doctor` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub health: Health,
    /// What was looked at: "certificate of dc1.csb.test", "setting directory.active_directory.base_dn".
    pub about: String,
    pub found: String,
    /// What to do, in the imperative; empty where all is well.
    pub mend: String,
}

/// A neighbour that can look at itself: reachable, rights, clock, schema, certificate. Writes nothing, never fails.
#[async_trait]
pub trait Inspect: Send + Sync {
    async fn inspect(&self) -> Vec<Finding>;
}

// ---------------------------------------------------------------------------------------------------------- parola

/// The directory as the keeper of passwords. No text of a password is kept, logged or told in an error.
#[async_trait]
pub trait Passwords: Send + Sync {
    /// `None`: the account is gone.
    async fn password_facts(&self, account: AccountGuid) -> PortResult<Option<PasswordFacts>>;
    /// The domain's rules; for an account, those of its fine-grained policy where it has one that may be read.
    async fn password_rules(&self, account: Option<AccountGuid>) -> PortResult<PasswordRules>;
    /// Sets it without the one before. `with_history`: only if the directory itself looks at the history then; false: it
    /// does not, and nothing happened. `Refused(Password)`: the rules do not take it.
    async fn reset(&self, account: &AccountRef, new: &Zeroizing<String>, with_history: bool) -> PortResult<bool>;
    /// One that nobody knows, marked as to be changed, so that the minimum age does not hold for the change from it.
    async fn set_intermediate(&self, account: &AccountRef, password: &Zeroizing<String>) -> PortResult<()>;
    /// From the one that it has, with all rules. `Refused(WrongPassword)`: it has another.
    async fn change(&self, account: &AccountRef, from: &Zeroizing<String>, to: &Zeroizing<String>) -> PortResult<()>;
    /// Enabled accounts under the base whose passwords run out within this time, as the directory computes it with all its policies.
    /// Not those that sign in with a card, whose passwords never run out, or who must set a new one anyway. Read in pages: memory
    /// grows with those that are found.
    async fn expiring(&self, after: DateTime<Utc>, until: DateTime<Utc>) -> PortResult<Vec<Expiry>>;
    /// Forgets the wrong passwords; enables nothing.
    async fn unlock(&self, account: &AccountRef) -> PortResult<()>;
}

/// When an account's password runs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    pub account: AccountGuid,
    pub set_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// May it be tried once more?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Throttled {
    Go,
    TooMany,
}

/// What became of a code. Wrong, spent, outlived and never sent are not told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeTried {
    /// It proves who somebody is; the id of what it came with.
    Right(uuid::Uuid),
    Wrong,
}

/// Codes, tickets and how often they may be tried. Secrets are kept as keyed hashes, limits outlive restarts and hold for all
/// replicas together.
#[async_trait]
pub trait Tickets: Send + Sync {
    /// Counts one more try under each key if none of them has had as many as its limit within the window; else counts nothing.
    async fn throttle(&self, id: uuid::Uuid, keys: &[(String, u32)], window: TimeDelta, now: DateTime<Utc>) -> PortResult<Throttled>;
    /// Compares with the code of the person's latest message for `purpose` that was queued after `since` and not taken back.
    /// The try is counted before the comparison; after `tries` of them no code is right.
    async fn try_code(
        &self,
        person: PersonId,
        purpose: Purpose,
        code: &Zeroizing<String>,
        tries: u32,
        since: DateTime<Utc>,
    ) -> PortResult<CodeTried>;
    /// Those of the person before it end.
    async fn hand(&self, ticket: &Ticket, token: &Secret, browser: &Secret, audit: &AuditEvent) -> PortResult<()>;
    /// The ticket of this token, in this browser, if it lives and is good for `purpose`.
    async fn ticket(&self, token: &Secret, browser: &Secret, purpose: TicketPurpose, now: DateTime<Utc>) -> PortResult<Option<Ticket>>;
    async fn keep_intermediate(&self, ticket: uuid::Uuid, password: &Zeroizing<String>) -> PortResult<()>;
    /// It, and what proved its owner, are used up; with it the notices are queued.
    async fn spend(&self, ticket: &Ticket, audit: &AuditEvent, notices: &[NewMessage], now: DateTime<Utc>) -> PortResult<()>;
}

/// What people who have forgotten their password say, until somebody has found out who they are, and the codes sent to them.
#[async_trait]
pub trait Challenges: Send + Sync {
    /// Sealed, until it is answered.
    async fn ask(&self, asked: &Asked) -> PortResult<()>;
    /// What is to be answered, leased until `until`, oldest first. Forgets what ended a day ago.
    async fn claim_asked(&self, now: DateTime<Utc>, until: DateTime<Utc>, limit: u32) -> PortResult<Vec<Asked>>;
    /// Queues the message, which ends the person's challenges of that kind before it and takes back their messages that have not
    /// been sent; or nothing goes out. What was said is forgotten. Nothing, where somebody else has answered.
    async fn answer(&self, asked: &Asked, code: Option<(PersonId, &NewMessage)>, audit: &AuditEvent, now: DateTime<Utc>) -> PortResult<()>;
    /// A challenge that somebody trusted begins for a person: ends what an answer ends, and queues the message.
    async fn begin(
        &self,
        challenge: uuid::Uuid,
        person: PersonId,
        code: &NewMessage,
        audit: &AuditEvent,
        now: DateTime<Utc>,
    ) -> PortResult<()>;
    /// The person's challenge of [`Challenges::begin`] that has neither ended nor been used up, if it was begun after `since`.
    async fn begun_for(&self, person: PersonId, since: DateTime<Utc>) -> PortResult<Option<uuid::Uuid>>;
    /// Whose code it is, if it is the challenge's. The try is counted before the comparison, of a challenge that no code belongs
    /// to as well; after `tries` of them no code is right. A code counts for `life` from when its message was sent.
    async fn try_challenge(
        &self,
        id: uuid::Uuid,
        code: &Zeroizing<String>,
        tries: u32,
        life: TimeDelta,
        now: DateTime<Utc>,
    ) -> PortResult<Option<Proven>>;
    /// When the person's account was first announced; `None`: Kimlik has not opened it.
    async fn announced_at(&self, person: PersonId) -> PortResult<Option<DateTime<Utc>>>;
}

/// PINs, of which only slow keyed hashes are kept.
#[async_trait]
pub trait Pins: Send + Sync {
    /// Whether there is one that was not tried wrongly `tries` times in a row.
    async fn has_pin(&self, person: PersonId, tries: u32) -> PortResult<bool>;
    /// In place of the one before, whose tries are forgotten; with it the notices are queued.
    async fn set_pin(
        &self,
        person: PersonId,
        pin: &Pin,
        salt: [u8; 16],
        audit: &AuditEvent,
        notices: &[NewMessage],
        now: DateTime<Utc>,
    ) -> PortResult<()>;
    /// Whether it is the person's. The try is counted before the comparison, and forgotten where it is right; after `tries` wrong ones
    /// in a row none is right.
    async fn try_pin(&self, person: PersonId, pin: &Pin, tries: u32) -> PortResult<bool>;
}

// ---------------------------------------------------------------------------------------------------------- phones

/// Somebody's mobile number was changed, and they have not been told yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untold {
    pub id: i64,
    pub person: PersonId,
    /// The number that counted before; `None`: there was none.
    pub to: Option<crate::staff::MobileNumber>,
}

/// Phones changed here, until HR has them. HR's deliveries change the same in [`Store::save_roster`], one at a time with these.
#[async_trait]
pub trait PhoneBook: Send + Sync {
    /// The person's challenge before it ends; the message carries the code.
    async fn begin_mobile_change(&self, challenge: &MobileChallenge, message: &NewMessage, audit: &AuditEvent) -> PortResult<()>;
    /// The person's challenge of this id, if it lives.
    async fn mobile_challenge(&self, id: uuid::Uuid, person: PersonId, now: DateTime<Utc>) -> PortResult<Option<MobileChallenge>>;
    /// All that the change entails ([`crate::phone::Ledger::change`]) in one; the person is woken. False: the challenge was used before,
    /// and nothing was changed.
    async fn change_phones(&self, change: &PhoneChange, challenge: Option<uuid::Uuid>, audit: &AuditEvent) -> PortResult<bool>;
    async fn untold(&self, limit: u32) -> PortResult<Vec<Untold>>;
    /// Its messages are queued; none: there is nobody to tell.
    async fn told(&self, untold: &Untold, messages: &[NewMessage], now: DateTime<Utc>) -> PortResult<()>;
    /// Changes whose time has come, leased until `until`; of one person one at a time, oldest first.
    async fn claim_write_backs(&self, now: DateTime<Utc>, until: DateTime<Utc>, limit: u32) -> PortResult<Vec<WriteBack>>;
    /// What became of one; nothing, where somebody else has it by now. A change whose standing changes wakes its person.
    async fn settle_write_back(
        &self,
        claimed: &WriteBack,
        handed: &Handed,
        audit: Option<&AuditEvent>,
        now: DateTime<Utc>,
    ) -> PortResult<()>;
}

/// What HR's system says to a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HrAnswer {
    /// It has it, now or since an earlier attempt under the same key.
    Taken,
    /// It holds something newer.
    Newer,
    /// It asks to be asked again so much later; nothing happened.
    Later(TimeDelta),
}

/// The way back to HR. `Refused(Rights)`: nothing can be written until somebody mends something; other refusals: not this.
#[async_trait]
pub trait HrWriteBack: Send + Sync {
    /// The same key is always the same change: HR takes it once, however often it comes.
    async fn write_phones(&self, key: uuid::Uuid, of: &RegistryNo, numbers: &ForHr, made_at: DateTime<Utc>) -> PortResult<HrAnswer>;
}

// -------------------------------------------------------------------------------------------------------- webhooks

/// What is said of an operation that was done.
pub type EventData<'a> = dyn Fn(ActionKind, &CardFacts) -> serde_json::Value + Send + Sync + 'a;

/// A webhook that is ours to tell, with what its messages are signed by.
#[derive(Clone)]
pub struct ClaimedWebhook {
    pub webhook: Webhook,
    pub lease: Uuid,
    pub secret: Zeroizing<String>,
}

/// What became of an attempt, or of a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempted {
    pub webhook: WebhookId,
    pub lease: Uuid,
    /// Told up to here.
    pub cursor: i64,
    /// `None`: nothing was tried. `Err`: why it failed, and when it is tried again.
    pub outcome: Option<Result<(), (String, DateTime<Utc>)>>,
    /// `None`: the lease ends.
    pub keep_until: Option<DateTime<Utc>>,
    pub at: DateTime<Utc>,
}

/// Whose webhooks: those of one actor, or all.
pub type WebhooksOf<'a> = Option<&'a str>;

/// Events, and the webhooks that are told of them. An operation that is done leaves a mark in its own transaction; a sealer,
/// one at a time in all replicas, gives marked operations the next positions, so that a reader who has seen one position has
/// seen all before it.
#[async_trait]
pub trait Webhooks: Send + Sync {
    /// Works off up to `limit` marks and answers whether some are left.
    async fn seal_events(&self, limit: u32, data: &EventData<'_>) -> PortResult<bool>;
    /// In order of their positions, after this one.
    async fn events_after(&self, position: i64, limit: u32) -> PortResult<Vec<Event>>;
    /// Of the last event, and of the oldest that is kept.
    async fn events_span(&self) -> PortResult<(i64, Option<i64>)>;
    /// Forgets events from before that every webhook was told of.
    async fn forget_events(&self, before: DateTime<Utc>) -> PortResult<u64>;

    /// The latest first.
    async fn webhooks(&self, of: WebhooksOf<'_>, before: Option<WebhookId>, limit: u32) -> PortResult<Vec<Webhook>>;
    /// Its cursor becomes that of the last event. `Refused(Other)`: there are `at_most` already.
    async fn make_webhook(&self, webhook: &Webhook, secret: &Zeroizing<String>, at_most: u32, audit: &AuditEvent) -> PortResult<Webhook>;
    /// `Refused(NotFound)`: there is none, or it is somebody else's.
    async fn delete_webhook(&self, id: WebhookId, of: WebhooksOf<'_>, by: &str, now: DateTime<Utc>) -> PortResult<Webhook>;
    /// It is told anew what came after this position; whoever is telling it now has lost the lease.
    async fn replay_webhook(&self, id: WebhookId, of: WebhooksOf<'_>, after: i64, by: &str, now: DateTime<Utc>) -> PortResult<Webhook>;

    /// Those that are due and behind, leased until `until`; others do not get them meanwhile.
    async fn claim_webhooks(&self, lease: Uuid, now: DateTime<Utc>, until: DateTime<Utc>, limit: u32) -> PortResult<Vec<ClaimedWebhook>>;
    /// False: the lease is another's by now, and nothing was noted.
    async fn settle_delivery(&self, attempted: &Attempted) -> PortResult<bool>;
}

/// What a receiver did with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    Took,
    /// `wait`: seconds that it asked for.
    Failed {
        fault: String,
        wait: Option<u32>,
    },
}

/// Carries signed messages to receivers.
#[async_trait]
pub trait WebhookSender: Send + Sync {
    /// Whether such an address is taken at all.
    fn takes(&self, url: &str) -> Result<(), AddressFault>;
    /// Looks at where the address leads to now, each time.
    async fn tell(&self, url: &str, secret: &Zeroizing<String>, id: Uuid, at: DateTime<Utc>, body: &str) -> PortResult<Told>;
    /// A secret of the form that receivers' libraries take, from these octets.
    fn secret(&self, octets: &[u8; 32]) -> Zeroizing<String>;
}

// ----------------------------------------------------------------------------------------------------- submissions

/// HR records that were handed in, kept until they were taken in and their idempotency keys have run out.
#[async_trait]
pub trait Submissions: Send + Sync {
    /// Keeps a part, or answers what the same call was answered before.
    async fn hand_in(&self, part: &NewPart) -> PortResult<HandedIn>;
    /// `owner`: if it is theirs.
    async fn submission(&self, id: SubmissionId, owner: Option<&str>) -> PortResult<Option<Submission>>;
    /// The oldest that is whole, not taken in, and in nobody's hands.
    async fn waiting_submission(&self, now: DateTime<Utc>) -> PortResult<Option<Submission>>;
    /// False: it is in somebody else's hands, or was taken in.
    async fn claim_submission(&self, id: SubmissionId, now: DateTime<Utc>, until: DateTime<Utc>) -> PortResult<bool>;
    async fn release_submission(&self, id: SubmissionId) -> PortResult<()>;
    /// Of all parts, in their order.
    async fn submitted_records(&self, id: SubmissionId) -> PortResult<Vec<Record>>;
    /// Keeps the report; the records are erased.
    async fn submission_taken(&self, id: SubmissionId, report: &Report, now: DateTime<Utc>) -> PortResult<()>;
    /// Forgets those from before: taken in, or never whole.
    async fn forget_submissions(&self, before: DateTime<Utc>) -> PortResult<u64>;
}
