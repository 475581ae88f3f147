//! Every outside trait, with what an implementation promises and how it fails.
//!
//! Promises that hold for all: an error says which of three things is true ([`PortError`]); a timeout is always
//! [`PortError::InDoubt`] where something may have been written; no call holds a transaction open over another port.
mod access;
mod audit;
mod cards;
mod directory;
mod doctor;
mod hr;
mod messages;
mod passwords;
mod phones;
mod photos;
mod rounds;
mod store;
mod submissions;
mod watch;
mod webhooks;

pub use crate::mailbox::port::{ClaimedMailbox, MailboxHost, MailboxLedger, MailboxRequest, MailboxSave, MailboxesState};
pub use crate::staff::records::{IssueFilter, IssueTrend, Left, ListedIssue, MessageFilter, OperationFilter, Records, Urgency};
pub use access::{Attempt, ForeignIssuer, ForeignName, Grants, Services, Sessions, SignIn, Tokens};
pub use audit::{Audit, AuditFilter};
pub use cards::{CardEntry, CardFacts, CardText, CardTruth, Cards, CardsHead, Seal};
use chrono::{DateTime, Utc};
pub use directory::{Capabilities, Directory, FindBy, Scan, Watermark};
pub use doctor::{Inspect, Standing};
pub use hr::{HrAnswer, HrFeed, HrWriteBack};
pub use messages::{Accepted, Gateway, Outbox, OutboxState, Parcel, Verdict, Whereabouts};
pub use passwords::{Challenges, CodeTried, Expiry, Passwords, Pins, Throttled, Tickets};
pub use phones::{PhoneBook, Untold};
pub use photos::{KeptPhoto, PhotoBook, PhotoFiles, PhotoNews, PhotoShelf, Photos};
pub use rounds::{Rounds, TakenRound};
pub use store::{Claim, IssueScope, Mark, NameRequest, OpenIssue, OperationsOf, PeopleBy, PersonRecord, Store};
pub use submissions::Submissions;
pub use watch::{Figures, RunProgress, Watch, WatchRuns};
pub use webhooks::{Attempted, ClaimedWebhook, EventData, Told, WebhookSender, Webhooks, WebhooksOf};

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
