//! Passwords of the directory; tickets, challenges and PINs of those who mend their own.
use super::PortResult;
use crate::access::session::Secret;
use crate::account::AccountRef;
use crate::audit::AuditEvent;
use crate::id::{AccountGuid, PersonId};
use crate::message::{NewMessage, Purpose};
use crate::password::challenge::{Asked, Proven};
use crate::password::ticket::{Ticket, TicketPurpose};
use crate::password::{PasswordFacts, PasswordRules, Pin};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use zeroize::Zeroizing;

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
