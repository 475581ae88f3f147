//! Phones changed here, until HR has them.
use super::PortResult;
use crate::audit::AuditEvent;
use crate::id::PersonId;
use crate::message::NewMessage;
use crate::phone::PhoneChange;
use crate::phone::desk::MobileChallenge;
use crate::phone::write_back::{Handed, WriteBack};
use async_trait::async_trait;
use chrono::{DateTime, Utc};

/// Somebody's mobile number was changed, and they have not been told yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untold {
    pub id: i64,
    pub person: PersonId,
    /// The number that counted before; `None`: there was none.
    pub to: Option<crate::staff::MobileNumber>,
}

/// Phones changed here, until HR has them. HR's deliveries change the same in [`Store::save_roster`](super::Store::save_roster), one at a time with these.
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
