//! What other systems are told of accounts, and whom Kimlik tells it: events in the order of their positions, each webhook
//! with a place of its own in them. Told at least once, in order, with the same id each time; little is told, and a
//! receiver that needs more asks for the card.
pub mod address; // where Kimlik may be sent to
pub mod dispatch; // telling

use crate::day::Day;
use crate::id::{PersonId, WebhookId};
use crate::lifecycle::ActionKind;
use crate::ports::CardFacts;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

/// More than a ministry has receivers; each is asked about several times a second.
pub const MOST: u32 = 100;
/// Events are kept so long for `webhookReplay`, and as long as a webhook has not been told of them.
pub const KEPT: TimeDelta = TimeDelta::days(30);

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),* $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        pub enum EventKind { $($(#[$doc])* $variant),* }
        impl EventKind {
            pub const ALL: &'static [EventKind] = &[$(EventKind::$variant),*];
            /// The `type` of the CloudEvent.
            pub const fn name(self) -> &'static str { match self { $(EventKind::$variant => $name),* } }
        }
    };
}
kinds! {
    /// A new account, one that came back, or one that was there before and was taken over.
    AccountOpened = "kimlik.account.opened",
    /// The first day in service has come: the account works from now on.
    AccountEnabled = "kimlik.account.enabled",
    AccountMoved = "kimlik.account.moved",
    AccountRenamed = "kimlik.account.renamed",
    /// What the address book shows was written anew.
    AccountUpdated = "kimlik.account.updated",
    AccountSuspended = "kimlik.account.suspended",
    AccountReinstated = "kimlik.account.reinstated",
    AccountClosed = "kimlik.account.closed",
    /// Of somebody who left long ago: mail is not taken any more.
    MailboxClosed = "kimlik.mailbox.closed",
}

impl EventKind {
    /// `None`: of no concern to other systems.
    pub fn of(action: ActionKind) -> Option<EventKind> {
        Some(match action {
            ActionKind::Open | ActionKind::Reopen | ActionKind::Adopt => EventKind::AccountOpened,
            ActionKind::Enable => EventKind::AccountEnabled,
            ActionKind::Move => EventKind::AccountMoved,
            ActionKind::Rename => EventKind::AccountRenamed,
            ActionKind::Update => EventKind::AccountUpdated,
            ActionKind::Suspend => EventKind::AccountSuspended,
            ActionKind::Reinstate => EventKind::AccountReinstated,
            ActionKind::Close | ActionKind::Withdraw => EventKind::AccountClosed,
            ActionKind::CloseMailbox => EventKind::MailboxClosed,
            ActionKind::Groups => return None,
        })
    }
    pub fn parse(name: &str) -> Option<EventKind> {
        EventKind::ALL.iter().copied().find(|k| k.name() == name)
    }
}

/// Something that was done, and seen in the directory.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// One more than that of the event before; never given twice.
    pub position: i64,
    /// Of the operation: the same at every attempt.
    pub id: Uuid,
    pub kind: EventKind,
    pub person: PersonId,
    pub at: DateTime<Utc>,
    pub data: Value,
}

/// What receivers are told. No national id, no mobile number, and no reason: why somebody was suspended is nobody's business.
pub fn data(action: ActionKind, facts: &CardFacts, today: Day) -> Value {
    let names = facts.account.as_ref().map(|a| &a.names);
    json!({
        "action": action.name(),
        "registryNumber": facts.person.registry_no,
        "username": names.map(|n| &n.username),
        "email": names.map(|n| &n.mail),
        "accountState": facts.account.as_ref().map(|a| a.state),
        "unit": facts.person.posting_on(today).map(|p| p.unit),
    })
}

/// A position as receivers see it: equally long, so that its text sorts as it does.
pub fn sequence(position: i64) -> String {
    format!("{position:019}")
}

pub fn parse_sequence(text: &str) -> Option<i64> {
    let digits = (1..=19).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

impl Event {
    /// CloudEvents 1.0, structured. The same octets at every attempt, so that a receiver may compare them.
    pub fn body(&self, source: &str) -> String {
        json!({
            "specversion": "1.0",
            "id": self.id,
            "source": source,
            "type": self.kind.name(),
            "subject": format!("card_{}", self.person.0.simple()),
            "time": self.at,
            "datacontenttype": "application/json",
            "sequence": sequence(self.position),
            "data": self.data,
        })
        .to_string()
    }
}

/// An address that is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    pub id: WebhookId,
    pub url: String,
    /// Never empty.
    pub kinds: BTreeSet<EventKind>,
    pub made_at: DateTime<Utc>,
    pub made_by: String,
    /// Told of everything up to here, and of nothing behind it.
    pub cursor: i64,
    pub last_success_at: Option<DateTime<Utc>>,
    /// `None`: the last attempt succeeded, or there was none.
    pub failing_since: Option<DateTime<Utc>>,
    /// In a row.
    pub failures: u32,
    pub last_fault: Option<String>,
    /// Not before.
    pub next_at: DateTime<Utc>,
}

/// Between two attempts: 2 s, doubled each time, at most ten minutes; the receiver may ask for more time, up to an hour.
pub fn wait_after(failures: u32, asked: Option<u32>) -> TimeDelta {
    let own = TimeDelta::seconds(1_i64 << failures.clamp(1, 10)).min(TimeDelta::minutes(10));
    let asked = TimeDelta::seconds(asked.unwrap_or(0).into()).min(TimeDelta::hours(1));
    own.max(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        Event {
            position: 42,
            id: Uuid::from_u128(7),
            kind: EventKind::AccountClosed,
            person: PersonId(Uuid::from_u128(1)),
            at: "2026-12-01T06:00:00Z".parse().unwrap(),
            data: json!({ "action": "CLOSE" }),
        }
    }

    #[test]
    fn an_event_is_a_cloud_event_and_the_same_octets_each_time() {
        let body = event().body("https://kimlik.csb.test");
        assert_eq!(body, event().body("https://kimlik.csb.test"));
        let read: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(read["specversion"], "1.0");
        assert_eq!(read["type"], "kimlik.account.closed");
        assert_eq!(read["subject"], "card_00000000000000000000000000000001");
        assert_eq!(read["time"], "2026-12-01T06:00:00Z");
        assert_eq!(read["sequence"], "0000000000000000042");
    }

    #[test]
    fn sequences_sort_as_positions_do_and_nothing_else_is_read_as_one() {
        assert!(sequence(9) < sequence(10));
        assert_eq!(parse_sequence(&sequence(i64::MAX)), Some(i64::MAX));
        assert_eq!(parse_sequence("42"), Some(42));
        for wrong in ["", "-1", "+1", " 1", "1.0", "99999999999999999999", "٤٢"] {
            assert_eq!(parse_sequence(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn waits_double_up_to_ten_minutes_and_a_receiver_may_ask_for_an_hour() {
        let waits: Vec<i64> = (1..=11).map(|n| wait_after(n, None).num_seconds()).collect();
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]);
        assert_eq!(wait_after(1, Some(120)), TimeDelta::seconds(120));
        assert_eq!(wait_after(1, Some(u32::MAX)), TimeDelta::hours(1));
    }
}
