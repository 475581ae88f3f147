//! Texts and letters to people: queued, carried by a gateway, answered for.
use super::{PortError, PortResult, Refusal};
use crate::access::idempotency::ClientKey;
use crate::audit::AuditEvent;
use crate::id::{MessageId, PersonId};
use crate::message::announcement::{Announced, Resend, Resent, SeenTo};
use crate::message::courier::{Begun, Claimed, Settled};
use crate::message::{Channel, Language, NewMessage, Purpose, Recipient};
use crate::staff::DataIssue;
use crate::text::gsm;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::collections::HashMap;

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
    async fn renumbered(&self, now: DateTime<Utc>, limit: u32) -> PortResult<Vec<(PersonId, DateTime<Utc>)>>;
    /// Seen to; or to be looked at again then.
    async fn saw_to(&self, people: &[SeenTo]) -> PortResult<()>;

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
