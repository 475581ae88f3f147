//! What was changed here, taken to HR. Each change has one key for ever: however often it is handed over, by whichever replica,
//! after whichever crash, HR takes it once. Of one person one change is on its way at a time, and only the latest.
use super::{Standing, WorkPhone};
use crate::audit::AuditEvent;
use crate::id::PersonId;
use crate::ports::{Clock, HrAnswer, HrWriteBack, PhoneBook, PortError, PortResult, Refusal};
use crate::staff::{MobileNumber, RegistryNo};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

/// What HR is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForHr {
    Mobile(Option<MobileNumber>),
    Work(WorkPhone),
}

/// A change in the hand of whoever takes it to HR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteBack {
    /// The key under which HR gets it.
    pub id: Uuid,
    pub person: PersonId,
    pub registry_no: RegistryNo,
    pub numbers: ForHr,
    pub made_at: DateTime<Utc>,
    pub generation: i64,
    pub tries: u32,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handed {
    Over(Standing, Option<String>),
    /// Again then, under the same key.
    Again {
        at: DateTime<Utc>,
        tries: u32,
        note: String,
    },
}

pub struct Messenger {
    pub book: Arc<dyn PhoneBook>,
    pub hr: Arc<dyn HrWriteBack>,
    pub clock: Arc<dyn Clock>,
}

/// What a round did, and what somebody should hear of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    pub handled: u32,
    pub alarms: Vec<String>,
}

/// Longer than any answer is waited for: what nobody has settled by then is handed over again, under the same key.
const LEASE: TimeDelta = TimeDelta::minutes(1);
/// Why one: a slow HR must not outlast the leases of those that wait in the same hand.
const AT_ONCE: u32 = 1;
const LONGEST_WAIT: i64 = 3_600;
/// Of a fault of ours (a token): asked again so often.
const MENDING: TimeDelta = TimeDelta::minutes(15);

impl Messenger {
    /// Takes up what is due. Call it again while it handles something.
    pub async fn round(&self) -> PortResult<Round> {
        let now = self.clock.now();
        let mut round = Round::default();
        for claimed in self.book.claim_write_backs(now, now + LEASE, AT_ONCE).await? {
            round.handled += 1;
            let handed = self.hand(&claimed, &mut round).await;
            let now = self.clock.now();
            let event = over(&claimed, &handed, now);
            self.book.settle_write_back(&claimed, &handed, event.as_ref(), now).await?;
        }
        Ok(round)
    }

    async fn hand(&self, claimed: &WriteBack, round: &mut Round) -> Handed {
        let answer = self.hr.write_phones(claimed.id, &claimed.registry_no, &claimed.numbers, claimed.made_at).await;
        let now = self.clock.now();
        match answer {
            Ok(HrAnswer::Taken) => Handed::Over(Standing::Taken, None),
            Ok(HrAnswer::Newer) => Handed::Over(Standing::Newer, Some("HR holds something newer".into())),
            Ok(HrAnswer::Later(wait)) => Handed::Again { at: now + wait, tries: claimed.tries, note: "HR asks to wait".into() },
            Err(PortError::Refused { refusal: Refusal::Rights, reason }) => {
                round.alarms.push(format!("HR takes no phones from Kimlik: {reason}"));
                Handed::Again { at: now + MENDING, tries: claimed.tries + 1, note: reason }
            }
            Err(PortError::Refused { reason, .. }) => {
                round.alarms.push(format!("HR does not take the phones of {}: {reason}", claimed.registry_no));
                Handed::Over(Standing::Refused, Some(reason))
            }
            Err(fault) => Handed::Again { at: now + backoff(claimed.tries), tries: claimed.tries + 1, note: fault.to_string() },
        }
    }
}

fn over(claimed: &WriteBack, handed: &Handed, at: DateTime<Utc>) -> Option<AuditEvent> {
    let Handed::Over(standing, note) = handed else { return None };
    let because = note.clone().unwrap_or_else(|| "HR has taken the change".to_owned());
    let line = if matches!(claimed.numbers, ForHr::Mobile(_)) { "mobile" } else { "work" };
    let detail = json!({ "key": claimed.id, "line": line, "answer": standing });
    Some(AuditEvent { at, actor: "kimlik".into(), deed: "phone.write_back".into(), person: Some(claimed.person), because, detail })
}

fn backoff(tries: u32) -> TimeDelta {
    TimeDelta::seconds((5 << tries.min(12)).min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::backoff;

    #[test]
    fn waits_grow_to_an_hour() {
        let waits: Vec<i64> = (0..12).map(|tries| backoff(tries).num_seconds()).collect();
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]);
    }
}
