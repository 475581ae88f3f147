//! Whoever makes mailboxes, and where Kimlik remembers what it has asked of them.
use super::state::{Mailbox, MailboxDeed, Seen};
use crate::account::AccountRef;
use crate::audit::AuditEvent;
use crate::id::PersonId;
use crate::ports::PortResult;
use crate::staff::{DataIssue, RegistryNo};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::sync::Arc;
use uuid::Uuid;

/// What is said to whoever makes mailboxes. No secret and no national id is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxRequest {
    pub id: Uuid,
    /// `None`: only say what is there.
    pub deed: Option<MailboxDeed>,
    pub account: AccountRef,
    pub username: Arc<str>,
    pub user_principal_name: String,
    pub display_name: String,
    pub mail: Arc<str>,
    pub aliases: Vec<Arc<str>>,
}

/// Makes, hides and closes mailboxes. A request of an id that was carried out before is not carried out again: it answers
/// what stands. Of a look (`deed` is `None`) nothing is ever in doubt.
#[async_trait]
pub trait MailboxHost: Send + Sync {
    async fn ask(&self, request: &MailboxRequest) -> PortResult<Seen>;
    /// Ends what is being asked and whose answer nobody waits for any more, wholly: when it returns, somebody else may ask.
    async fn end(&self);
}

/// A mailbox in one worker's hand, until the lease ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedMailbox {
    pub mailbox: Mailbox,
    pub generation: i64,
}

/// What is kept after a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxSave {
    pub mailbox: Mailbox,
    pub generation: i64,
    /// When to take it up again; `None`: the lease goes on.
    pub due_at: Option<DateTime<Utc>>,
    /// The person's number with all that there is to say; others of these kinds are resolved.
    pub issues: Option<(RegistryNo, Vec<DataIssue>)>,
    pub audit: Vec<AuditEvent>,
    /// It was seen closed, as the person's latest planned closing asked for: the operation's receipt says so from now on, and
    /// others are told.
    pub closed: bool,
    pub at: DateTime<Utc>,
}

/// How mailboxes stand, in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailboxesState {
    /// Something is waited for.
    pub waiting: u32,
    /// Since when the first of those has waited.
    pub waiting_since: Option<DateTime<Utc>>,
    /// Not looked at yet.
    pub unseen: u32,
}

/// Mailboxes that whoever makes them is asked for: one row an account, leased to one worker at a time. What changes an
/// account makes its row due in the same transaction.
#[async_trait]
pub trait MailboxLedger: Send + Sync {
    /// Rows for up to `limit` accounts that have none, the newest people first; answers how many.
    async fn discover_mailboxes(&self, now: DateTime<Utc>, limit: u32) -> PortResult<u32>;
    async fn claim_mailboxes(&self, now: DateTime<Utc>, until: DateTime<Utc>, limit: u32) -> PortResult<Vec<ClaimedMailbox>>;
    /// The leases go on until `until`. Answers whose were lost: they are another worker's by now.
    async fn renew_mailboxes(&self, held: &[(PersonId, i64)], until: DateTime<Utc>) -> PortResult<Vec<PersonId>>;
    /// Ends these leases: whoever comes next may take them up from `now` on. Those that are another worker's by now stay its.
    async fn let_go_of_mailboxes(&self, held: &[(PersonId, i64)], now: DateTime<Utc>) -> PortResult<()>;
    /// False: the lease is another worker's by now, and nothing was written.
    async fn save_mailbox(&self, save: &MailboxSave) -> PortResult<bool>;
    async fn mailbox_of(&self, person: PersonId) -> PortResult<Option<Mailbox>>;
    async fn mailboxes_state(&self) -> PortResult<MailboxesState>;
}
