//! Telling webhooks what they wait for: one event at a time and in order, so that a receiver never hears of a closing before
//! the opening. Who tells a webhook holds its lease; whatever happens meanwhile, the place is moved only after an answer.
use super::{Event, wait_after};
use crate::id::uuid_v7;
use crate::ports::{Attempted, ClaimedWebhook, Clock, Entropy, PortError, PortResult, Told, WebhookSender, Webhooks};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;

/// Events told under one claim before others get their turn.
const TURN: u32 = 200;

pub struct Dispatcher {
    pub webhooks: Arc<dyn Webhooks>,
    pub sender: Arc<dyn WebhookSender>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// Of the CloudEvents: this Kimlik's own address.
    pub source: String,
    /// Longer than an attempt may take; as long nobody tells a webhook whose teller has died.
    pub lease: TimeDelta,
}

impl Dispatcher {
    /// Webhooks that are due, leased to us.
    pub async fn claim(&self, limit: u32) -> PortResult<Vec<ClaimedWebhook>> {
        let now = self.clock.now();
        let mut random = [0; 10];
        self.entropy.fill(&mut random);
        self.webhooks.claim_webhooks(uuid_v7(now, random), now, now + self.lease, limit).await
    }

    /// Tells one webhook until it has heard everything, its turn is over, an attempt fails or `may_go_on` says no.
    pub async fn tell(&self, claimed: &ClaimedWebhook, may_go_on: impl Fn() -> bool) -> PortResult<()> {
        let events = self.webhooks.events_after(claimed.webhook.cursor, TURN).await?;
        let mut place = claimed.webhook.cursor;
        for event in &events {
            if claimed.webhook.kinds.contains(&event.kind) {
                if !may_go_on() {
                    break;
                }
                let told = self.told(claimed, event).await;
                let went = matches!(told, Told::Took);
                if went {
                    place = event.position;
                }
                let ours = self.webhooks.settle_delivery(&self.settled(claimed, place, &told)).await?;
                if !ours || !went {
                    return Ok(());
                }
            } else {
                place = event.position;
            }
        }
        let now = self.clock.now();
        let end = Attempted { webhook: claimed.webhook.id, lease: claimed.lease, cursor: place, outcome: None, keep_until: None, at: now };
        self.webhooks.settle_delivery(&end).await.map(drop)
    }

    async fn told(&self, claimed: &ClaimedWebhook, event: &Event) -> Told {
        let (url, body) = (&claimed.webhook.url, event.body(&self.source));
        match self.sender.tell(url, &claimed.secret, event.id, self.clock.now(), &body).await {
            Ok(told) => told,
            Err(PortError::Unavailable(fault) | PortError::InDoubt(fault)) => Told::Failed { fault, wait: None },
            Err(PortError::Refused { reason, .. }) => Told::Failed { fault: reason, wait: None },
        }
    }

    fn settled(&self, claimed: &ClaimedWebhook, cursor: i64, told: &Told) -> Attempted {
        let at = self.clock.now();
        let (outcome, keep_until): (Result<(), (String, DateTime<Utc>)>, _) = match told {
            Told::Took => (Ok(()), Some(at + self.lease)),
            Told::Failed { fault, wait } => (Err((fault.clone(), at + wait_after(claimed.webhook.failures + 1, *wait))), None),
        };
        Attempted { webhook: claimed.webhook.id, lease: claimed.lease, cursor, outcome: Some(outcome), keep_until, at }
    }
}
