//! Making, deleting and replaying webhooks. A program has its own; administrators have all.
use super::new_id;
use crate::wiring::House;
use kimlik_domain::access::{Caller, Who};
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::WebhookId;
use kimlik_domain::ports::PortResult;
use kimlik_domain::webhook::address::AddressFault;
use kimlik_domain::webhook::{EventKind, MOST, Webhook, parse_sequence};
use serde_json::json;
use std::collections::BTreeSet;
use zeroize::Zeroizing;

/// Why a webhook was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotMade {
    Address(AddressFault),
    NoEvents,
}

/// Whose webhooks somebody may see and end. `None`: all.
pub fn own(caller: &Caller) -> Option<String> {
    matches!(caller.who, Who::Service(_)).then(|| caller.actor())
}

pub async fn make(
    house: &House,
    by: &Caller,
    url: &str,
    kinds: BTreeSet<EventKind>,
) -> PortResult<Result<(Webhook, Zeroizing<String>), Vec<NotMade>>> {
    let wrong_address = house.webhooks.sender.takes(url).err().map(NotMade::Address);
    let faults: Vec<NotMade> = wrong_address.into_iter().chain(kinds.is_empty().then_some(NotMade::NoEvents)).collect();
    if !faults.is_empty() {
        return Ok(Err(faults));
    }
    let now = house.clock.now();
    let webhook = Webhook {
        id: WebhookId(new_id(house, now)),
        url: url.to_owned(),
        kinds,
        made_at: now,
        made_by: by.actor(),
        cursor: 0,
        last_success_at: None,
        failing_since: None,
        failures: 0,
        last_fault: None,
        next_at: now,
    };
    let event = AuditEvent {
        at: now,
        actor: by.actor(),
        deed: "webhook.make".to_owned(),
        person: None,
        because: format!("webhook {}", webhook.id),
        // Not the address: tokens may stand in it.
        detail: json!({ "webhook": webhook.id.to_string(), "kinds": webhook.kinds }),
    };
    let mut octets = Zeroizing::new([0; 32]);
    house.entropy.fill(octets.as_mut_slice());
    let secret = house.webhooks.sender.secret(&octets);
    let made = house.webhooks.webhooks.make_webhook(&webhook, &secret, MOST, &event).await?;
    Ok(Ok((made, secret)))
}

pub async fn delete(house: &House, by: &Caller, webhook: WebhookId) -> PortResult<Webhook> {
    house.webhooks.webhooks.delete_webhook(webhook, own(by).as_deref(), &by.actor(), house.clock.now()).await
}

/// `None`: `after` is not the sequence of an event that is kept, nor of the one before the oldest.
pub async fn replay(house: &House, by: &Caller, webhook: WebhookId, after: Option<&str>) -> PortResult<Option<Webhook>> {
    let store = &house.webhooks.webhooks;
    let (head, oldest) = store.events_span().await?;
    let first = oldest.map_or(head, |oldest| oldest - 1);
    let after = match after {
        None => Some(first),
        Some(text) => parse_sequence(text).filter(|position| (first..=head).contains(position)),
    };
    let Some(after) = after else { return Ok(None) };
    store.replay_webhook(webhook, own(by).as_deref(), after, &by.actor(), house.clock.now()).await.map(Some)
}
