//! The courier: takes what is queued to a gateway. That it is going to be sent is committed first; what is found so later may
//! or may not have been sent. It is looked up where the gateway can; else its code is voided and another message with another
//! code takes its place, so that nothing is ever sent twice.
use super::{Channel, MessageState, Purpose, Recipient, digits, whole_text};
use crate::day;
use crate::id::{MessageId, PersonId, uuid_v7};
use crate::lifecycle::desired::undeliverable;
use crate::ports::{Clock, Entropy, Gateway, Outbox, Parcel, PeopleBy, PortError, PortResult, Refusal, Store, Verdict, Whereabouts};
use chrono::{DateTime, TimeDelta, Utc};
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CourierRules {
    /// What nobody waits for is sent between these hours of the day in Türkiye.
    pub hours: (u32, u32),
    /// Messages within a rolling day: at four fifths an alarm, and no more reminders; at the limit nothing more is sent.
    pub daily_limit: u32,
    /// How long one message may be worked on before another courier takes it up.
    pub lease: TimeDelta,
    /// How long a gateway is asked about a message of which nobody knows whether it was sent.
    pub doubt: TimeDelta,
}

impl Default for CourierRules {
    fn default() -> CourierRules {
        CourierRules { hours: (8, 21), daily_limit: 20_000, lease: TimeDelta::minutes(2), doubt: TimeDelta::seconds(30) }
    }
}

/// A message in a courier's hand.
#[derive(Clone, PartialEq, Eq)]
pub struct Claimed {
    pub id: MessageId,
    pub person: PersonId,
    pub generation: i64,
    pub purpose: Purpose,
    pub to: Recipient,
    pub subject: Option<Zeroizing<String>>,
    pub text: Option<Zeroizing<String>>,
    pub code: Option<Zeroizing<String>>,
    pub state: MessageState,
    pub reissue: u32,
    pub tries: u32,
    /// How often nobody could say whether it was sent, and it was sent again.
    pub doubts: u32,
    pub gateway: Option<String>,
    pub valid_until: Option<DateTime<Utc>>,
    pub sending_at: Option<DateTime<Utc>>,
}

impl fmt::Debug for Claimed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Claimed({} {} {:?} to {:?})", self.id, self.purpose.name(), self.state, self.to)
    }
}

/// What became of a claimed message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    pub id: MessageId,
    pub generation: i64,
    pub state: MessageState,
    /// When to take it up again; `None`: it is over.
    pub due_at: Option<DateTime<Utc>>,
    pub tries: u32,
    pub doubts: u32,
    pub note: Option<String>,
    pub provider_id: Option<String>,
    pub parts: u32,
    /// The gateway is the outbox: the text is what an administrator reads.
    pub keeps_text: bool,
    /// Another message for the same occasion takes its place.
    pub replacement: Option<Replacement>,
    /// Its number takes no messages.
    pub dead_number: Option<crate::staff::DataIssue>,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Replacement {
    pub id: MessageId,
    pub code: Zeroizing<String>,
}

impl fmt::Debug for Replacement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Replacement({})", self.id)
    }
}

/// Whether a message may be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It is committed that it is going to be sent; so many were sent within a day, this one included.
    Yes { today: u32 },
    /// The limit is reached: that of the day, or the part of it that is there for reminders.
    Braked,
    /// Somebody else has it by now.
    Lost,
}

/// How many times a message is replaced, or sent again, before it is given up.
const REISSUES: u32 = 3;
/// Of a gateway that refuses for a reason of ours (rights, balance): asked again so often.
const MENDING: TimeDelta = TimeDelta::minutes(5);
const AT_ONCE: u32 = 50;

pub struct Courier {
    pub outbox: Arc<dyn Outbox>,
    pub store: Arc<dyn Store>,
    /// What its gateways carry. Why one courier a channel: a mail server that is away keeps no code waiting.
    pub channel: Channel,
    /// In order of preference.
    pub gateways: Vec<Arc<dyn Gateway>>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub rules: CourierRules,
}

/// What a round did, and what somebody should hear of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    pub handled: u32,
    pub sent: u32,
    /// In plain words, without numbers, names and codes.
    pub alarms: Vec<String>,
}

impl Courier {
    /// Takes up what is due. Call it again while it handles something.
    pub async fn round(&self) -> PortResult<Round> {
        let now = self.clock.now();
        let mut round = Round::default();
        for claimed in self.outbox.claim_messages(self.channel, now, now + self.rules.lease, AT_ONCE).await? {
            round.handled += 1;
            let settled = self.handle(&claimed, &mut round).await?;
            if let Some(settled) = settled {
                round.sent += u32::from(settled.state == MessageState::Sent);
                self.outbox.settle_message(&settled, self.clock.now()).await?;
            }
        }
        round.alarms.dedup();
        Ok(round)
    }

    /// Asks the gateways that have to be asked what became of what they took, and notes numbers that were mended.
    pub async fn listen(&self) -> PortResult<u32> {
        let now = self.clock.now();
        self.outbox.mend_numbers(now).await?;
        let mut heard = 0;
        for gateway in self.gateways.iter().filter(|g| g.is_polled()) {
            let waiting = self.outbox.awaiting_report(gateway.name(), now - TimeDelta::hours(48), 100).await?;
            if waiting.is_empty() {
                continue;
            }
            for (id, verdict) in gateway.reports(&waiting, now).await? {
                heard += u32::from(self.reported(gateway.name(), &id, &verdict).await?);
            }
        }
        Ok(heard)
    }

    /// A gateway says what became of a message. False: it is not known, or was settled before.
    pub async fn reported(&self, gateway: &str, provider_id: &str, verdict: &Verdict) -> PortResult<bool> {
        let now = self.clock.now();
        let Some((id, person)) = self.outbox.sent_as(gateway, provider_id).await? else { return Ok(false) };
        let dead = match verdict {
            Verdict::DeadNumber(reason) => self.dead_number(person, reason).await?,
            Verdict::Delivered | Verdict::Undelivered(_) => None,
        };
        self.outbox.settle_report(id, verdict, dead.as_ref(), now).await
    }

    async fn handle(&self, claimed: &Claimed, round: &mut Round) -> PortResult<Option<Settled>> {
        let now = self.clock.now();
        let Some(text) = &claimed.text else {
            return Ok(Some(claimed.over(MessageState::Failed, "its text is gone")));
        };
        let text = whole_text(text, claimed.code.as_ref().map(|c| c.as_str()));
        let parcel = Parcel {
            reference: claimed.id,
            to: &claimed.to,
            subject: claimed.subject.as_ref().map_or("", |subject| subject.as_str()),
            text: &text,
            purpose: claimed.purpose,
            valid_until: claimed.valid_until,
            at: now,
        };
        if claimed.state == MessageState::Sending {
            return self.find(claimed, &parcel, now).await.map(Some);
        }
        if claimed.valid_until.is_some_and(|until| until <= now) {
            return Ok(Some(claimed.over(MessageState::Voided, "outlived before it could be sent")));
        }
        if let Some(later) = self.opening_hour(claimed.purpose, now) {
            return Ok(Some(claimed.wait(later, claimed.tries, None)));
        }
        self.send(claimed, &parcel, round).await
    }

    /// `Some`: not now, but then.
    fn opening_hour(&self, purpose: Purpose, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let (from, to) = self.rules.hours;
        let midnight = day::midnight(day::today(now));
        let hour = u32::try_from((now - midnight).num_hours()).unwrap_or(0);
        if purpose.is_urgent() || (from..to).contains(&hour) {
            return None;
        }
        let opens = midnight + TimeDelta::hours(i64::from(from));
        Some(if now < opens { opens } else { opens + TimeDelta::days(1) })
    }

    /// Of the gateways in order, the first that takes it.
    async fn send(&self, claimed: &Claimed, parcel: &Parcel<'_>, round: &mut Round) -> PortResult<Option<Settled>> {
        let now = parcel.at;
        let mut mending = true;
        let mut said = String::new();
        let fifths = self.rules.daily_limit / 5 * 4;
        let limit = if claimed.purpose.is_reminder() { fifths } else { self.rules.daily_limit };
        for gateway in &self.gateways {
            match self.outbox.begin_sending(claimed, gateway.name(), now, limit).await? {
                Begun::Lost => return Ok(None),
                Begun::Braked => {
                    let what = if claimed.purpose.is_reminder() { "four fifths are, and no reminders" } else { "it is, and nothing" };
                    let kind = self.kind();
                    round.alarms.push(format!("the daily limit of {} {kind}: {what} is sent any more", self.rules.daily_limit));
                    return Ok(Some(claimed.wait(now + MENDING, claimed.tries, Some("the daily limit is reached".into()))));
                }
                Begun::Yes { today } if today == fifths => {
                    round.alarms.push(format!("{today} {} within a day: four fifths of the daily limit", self.kind()));
                }
                Begun::Yes { .. } => {}
            }
            match gateway.send(parcel).await {
                Ok(accepted) => return Ok(Some(claimed.sent(accepted.id, accepted.parts, gateway.keeps_texts()))),
                Err(PortError::InDoubt(_)) => return self.find_at(gateway.as_ref(), claimed, parcel, now).await.map(Some),
                Err(PortError::Refused { refusal: Refusal::Undeliverable, reason }) => {
                    let dead = self.dead_number(claimed.person, &reason).await?;
                    let over = claimed.over(MessageState::Failed, format!("the number or address takes no messages: {reason}"));
                    return Ok(Some(Settled { dead_number: dead, ..over }));
                }
                Err(PortError::Refused { refusal: Refusal::Value, reason }) => {
                    round.alarms.push(format!("{} does not take the text {}: {reason}", gateway.name(), claimed.purpose.name()));
                    return Ok(Some(claimed.over(MessageState::Failed, format!("{}: {reason}", gateway.name()))));
                }
                Err(fault) => {
                    mending &= matches!(fault, PortError::Refused { .. });
                    if let PortError::Refused { reason, .. } = &fault {
                        round.alarms.push(format!("{} refuses to send: {reason}", gateway.name()));
                    }
                    said = format!("{}: {fault}", gateway.name());
                }
            }
        }
        let wait = if mending { MENDING } else { backoff(claimed.purpose, claimed.tries) };
        Ok(Some(claimed.wait(now + wait, claimed.tries + 1, Some(said))))
    }

    /// Its sending was committed and its end is not known: a crash, or an answer that was lost.
    async fn find(&self, claimed: &Claimed, parcel: &Parcel<'_>, now: DateTime<Utc>) -> PortResult<Settled> {
        let gateway = self.gateways.iter().find(|g| Some(g.name()) == claimed.gateway.as_deref());
        match gateway {
            Some(gateway) => self.find_at(gateway.as_ref(), claimed, parcel, now).await,
            None => Ok(self.give_up(claimed, false, now)),
        }
    }

    async fn find_at(&self, gateway: &dyn Gateway, claimed: &Claimed, parcel: &Parcel<'_>, now: DateTime<Utc>) -> PortResult<Settled> {
        let asked_at = claimed.sending_at.unwrap_or(now);
        Ok(match gateway.look_up(parcel, asked_at).await {
            Ok(Whereabouts::Taken(id)) => claimed.sent(id, 0, gateway.keeps_texts()),
            Ok(Whereabouts::NotTaken) => claimed.wait(now, claimed.tries, Some(format!("{} has not had it", gateway.name()))),
            Ok(Whereabouts::Unknown) => self.give_up(claimed, gateway.may_repeat(), now),
            Err(_) if now - asked_at > self.rules.doubt => self.give_up(claimed, gateway.may_repeat(), now),
            Err(fault) => Settled {
                state: MessageState::Sending,
                ..claimed.wait(now + TimeDelta::seconds(5), claimed.tries, Some(format!("{}: {fault}", gateway.name())))
            },
        })
    }

    /// Nobody can say whether it was sent: with a code, another one takes its place; without, it is sent again where that is known
    /// to be the same, and else stands as it is.
    fn give_up(&self, claimed: &Claimed, repeats: bool, now: DateTime<Utc>) -> Settled {
        let Some(code) = &claimed.code else {
            if repeats && claimed.doubts < REISSUES {
                let again = claimed.wait(now + backoff(claimed.purpose, claimed.tries), claimed.tries + 1, Some("no answer came".into()));
                return Settled { doubts: claimed.doubts + 1, ..again };
            }
            return claimed.over(MessageState::Doubtful, "no answer came: perhaps it was sent");
        };
        if claimed.reissue >= REISSUES {
            return claimed.over(MessageState::Failed, "no answer came, several times");
        }
        let (mut random, mut name) = (Zeroizing::new([0; 8]), [0; 10]);
        self.entropy.fill(random.as_mut_slice());
        self.entropy.fill(&mut name);
        let replacement = Replacement { id: MessageId(uuid_v7(now, name)), code: digits(*random, code.len()) };
        let over = claimed.over(MessageState::Voided, "no answer came: its code does not count, another one was sent");
        Settled { replacement: Some(replacement), ..over }
    }

    fn kind(&self) -> &'static str {
        match self.channel {
            Channel::Sms => "messages",
            Channel::Mail => "e-mails",
        }
    }

    async fn dead_number(&self, person: PersonId, reason: &str) -> PortResult<Option<crate::staff::DataIssue>> {
        let people = self.store.people(PeopleBy::Ids(&[person])).await?;
        let Some(record) = people.first() else { return Ok(None) };
        let units = self.store.units().await?;
        Ok(Some(undeliverable(&record.person, self.channel, &units, day::today(self.clock.now()), reason)))
    }
}

/// Codes are waited for: they are tried often, and not for long.
fn backoff(purpose: Purpose, tries: u32) -> TimeDelta {
    let (first, longest) = if purpose.is_urgent() { (5, 60) } else { (30, 900) };
    TimeDelta::seconds((first << tries.min(8)).min(longest))
}

impl Claimed {
    fn settled(&self, state: MessageState, due_at: Option<DateTime<Utc>>, note: Option<String>) -> Settled {
        Settled {
            id: self.id,
            generation: self.generation,
            state,
            due_at,
            tries: self.tries,
            doubts: self.doubts,
            note,
            provider_id: None,
            parts: 0,
            keeps_text: false,
            replacement: None,
            dead_number: None,
        }
    }
    fn over(&self, state: MessageState, note: impl Into<String>) -> Settled {
        self.settled(state, None, Some(note.into()))
    }
    fn wait(&self, until: DateTime<Utc>, tries: u32, note: Option<String>) -> Settled {
        Settled { tries, ..self.settled(MessageState::Queued, Some(until), note) }
    }
    fn sent(&self, provider_id: Option<String>, parts: u32, keeps_text: bool) -> Settled {
        Settled { provider_id, parts, keeps_text, ..self.settled(MessageState::Sent, None, None) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_minute_for_codes_and_to_a_quarter_of_an_hour_for_the_rest() {
        let waits = |purpose| (0..8).map(|tries| backoff(purpose, tries).num_seconds()).collect::<Vec<_>>();
        assert_eq!(waits(Purpose::ResetCode), [5, 10, 20, 40, 60, 60, 60, 60]);
        assert_eq!(waits(Purpose::AccountOpened), [30, 60, 120, 240, 480, 900, 900, 900]);
    }
}
