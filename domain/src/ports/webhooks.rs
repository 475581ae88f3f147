//! Events, and who is told of them.
use super::{CardFacts, PortResult};
use crate::audit::AuditEvent;
use crate::id::WebhookId;
use crate::lifecycle::ActionKind;
use crate::webhook::address::AddressFault;
use crate::webhook::{Event, Webhook};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;
use zeroize::Zeroizing;

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
