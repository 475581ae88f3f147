//! Somebody who has forgotten the password, or is locked out, says who they are. That is only written down and answered at
//! once, the same for everybody; who it is and whether a code goes out is found out behind it ([`Desk::answer_asked`]).
use super::desk::{Desk, Done, Handed, Refused};
use super::ticket::TicketPurpose;
use super::{PasswordFacts, Pin, Ticket};
use crate::access::session::Secret;
use crate::id::{MessageId, PersonId};
use crate::message::{self, Language, NewMessage, Purpose, Telling};
use crate::ports::{PeopleBy, PersonRecord, PortResult, Throttled};
use crate::staff::{MobileNumber, NationalId};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;
use zeroize::Zeroizing;

/// Digits of a code.
pub const CODE_LENGTH: u32 = 6;

/// What somebody cannot do any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ChallengeKind {
    /// The password is forgotten.
    Reset,
    /// The password is known, and was typed wrongly too often.
    Unlock,
}

impl ChallengeKind {
    pub fn purpose(self) -> Purpose {
        match self {
            ChallengeKind::Reset => Purpose::ResetCode,
            ChallengeKind::Unlock => Purpose::UnlockCode,
        }
    }
    fn ticket(self) -> TicketPurpose {
        match self {
            ChallengeKind::Reset => TicketPurpose::SetPassword,
            ChallengeKind::Unlock => TicketPurpose::Unlock,
        }
    }
}

/// What proves somebody who does not know the password, by policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResetProof {
    /// The code to the mobile alone.
    #[serde(rename = "sms")]
    Sms,
    /// And the national id: something known beside something owned (guide on information security, 3.2.1.10).
    #[default]
    #[serde(rename = "sms+national_id")]
    SmsAndNationalId,
    /// And a PIN that its owner set with the first password.
    #[serde(rename = "sms+pin")]
    SmsAndPin,
    /// And somebody trusted: codes go out where an officer has them sent.
    #[serde(rename = "sms+officer")]
    SmsAndOfficer,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChallengeRules {
    pub proof: ResetProof,
    /// A code, from when it is sent.
    pub code: TimeDelta,
    /// Told to whoever asks: another code is of use from then on.
    pub resend: TimeDelta,
    /// No codes to a number that was changed less long ago, whoever changed it.
    pub cooling: TimeDelta,
    /// Codes to one person, and to one number, within [`ChallengeRules::window`].
    pub per_person: u32,
    pub per_number: u32,
    /// Codes that one officer has sent, within [`ChallengeRules::window`].
    pub per_officer: u32,
    /// Wrong PINs in a row; then none is right until its owner sets another one.
    pub pin_tries: u32,
    /// Starts from one network (/24, /48) within the desk's window.
    pub from_network: u32,
    pub window: TimeDelta,
}

impl Default for ChallengeRules {
    fn default() -> ChallengeRules {
        ChallengeRules {
            proof: ResetProof::default(),
            code: TimeDelta::minutes(10),
            resend: TimeDelta::seconds(60),
            cooling: TimeDelta::hours(24),
            per_person: 5,
            per_number: 5,
            per_officer: 30,
            pin_tries: 5,
            from_network: 300,
            window: TimeDelta::hours(1),
        }
    }
}

/// What somebody said, in a desk's hand.
#[derive(Clone)]
pub struct Asked {
    pub id: Uuid,
    pub kind: ChallengeKind,
    pub username: Zeroizing<String>,
    pub national_id: Option<NationalId>,
    pub at: DateTime<Utc>,
    /// One more with each lease: a desk whose lease ran out does not answer in another's place.
    pub generation: i64,
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Asked({} {:?})", self.id, self.kind)
    }
}

/// A challenge as whoever asked sees it; the same for everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    pub id: Uuid,
    pub expires_at: DateTime<Utc>,
    pub resend_after: DateTime<Utc>,
}

/// Whose code it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    pub kind: ChallengeKind,
    pub person: PersonId,
    /// Where it went.
    pub to: MobileNumber,
    /// An officer had it sent, who has verified the person.
    pub by_officer: bool,
}

/// No code goes out: why stands in the audit, and nobody else hears of it.
type Declined = &'static str;

impl Desk {
    /// Writes down what somebody says. Nothing in the answer, nor in the time it takes, depends on who there is.
    pub async fn ask(
        &self,
        kind: ChallengeKind,
        username: &str,
        national_id: Option<NationalId>,
        address: &str,
    ) -> PortResult<Result<Begun, Refused>> {
        let now = self.clock.now();
        let keys = [
            (format!("ask-address:{address}"), self.rules.from_address),
            (format!("ask-network:{}", network(address)), self.rules.challenge.from_network),
            ("ask-all".to_owned(), self.rules.in_all),
        ];
        if self.tickets.throttle(self.id(now), &keys, self.rules.window, now).await? == Throttled::TooMany {
            return Ok(Err(Refused::TooMany));
        }
        let username: String = username.trim().chars().take(256).collect();
        let asked = Asked { id: self.id(now), kind, username: Zeroizing::new(username), national_id, at: now, generation: 0 };
        let rules = &self.rules.challenge;
        let begun = Begun { id: asked.id, expires_at: whole(now + rules.code), resend_after: whole(now + rules.resend) };
        self.challenges.ask(&asked).await?;
        Ok(Ok(begun))
    }

    /// Finds out about what was asked, and queues codes. To be called again and again; answers how many it has handled.
    pub async fn answer_asked(&self) -> PortResult<usize> {
        let now = self.clock.now();
        let claimed = self.challenges.claim_asked(now, now + LEASE, AT_ONCE).await?;
        for asked in &claimed {
            let now = self.clock.now();
            let (person, found) = match self.find_out(asked, now).await {
                Ok(found) => found,
                // Why answered: asked again it would be the same, and those behind it would wait.
                Err(fault) if fault.refusal().is_some() => (None, Err("it could not be looked up")),
                Err(fault) => return Err(fault),
            };
            let (deed, because) = match &found {
                Ok(_) => ("password.challenge", "a code was sent to the mobile that counts"),
                Err(declined) => ("password.challenge.decline", *declined),
            };
            let event = self.event(now, person, deed, because);
            let answer = person.zip(found.as_ref().ok());
            self.challenges.answer(asked, answer, &event, now).await?;
        }
        Ok(claimed.len())
    }

    async fn find_out(&self, asked: &Asked, now: DateTime<Utc>) -> PortResult<(Option<PersonId>, Result<NewMessage, Declined>)> {
        if now >= asked.at + self.rules.challenge.code {
            return Ok((None, Err("whoever asked does not wait any more")));
        }
        let Some(person) = self.store.person_named(Some(asked.username.as_str()), None).await? else {
            return Ok((None, Err("nobody has this user name")));
        };
        let declined = |why| Ok((Some(person), Err(why)));
        let Some((record, facts)) = self.mendable(person).await? else {
            return declined("the account is closed, disabled, protected or not served here");
        };
        match self.rules.challenge.proof {
            ResetProof::SmsAndNationalId if !self.knows_national_id(&record, asked).await? => {
                return declined("the national id is another one");
            }
            ResetProof::SmsAndPin if !self.pins.has_pin(person, self.rules.challenge.pin_tries).await? => {
                return declined("no PIN is set, or it was tried too often");
            }
            ResetProof::SmsAndOfficer => return declined("an officer has to start it"),
            _ => {}
        }
        // Why: a stranger who knows the name must not void what an officer has just had sent.
        if asked.kind == ChallengeKind::Reset && self.challenges.begun_for(person, self.earliest(now)).await?.is_some() {
            return declined("an officer had a code sent a moment ago");
        }
        let Some(to) = record.person.mobile.clone() else { return declined("no mobile is known") };
        if record.phones.mobile_is_cooling(self.rules.challenge.cooling, now) && !self.never_activated(person, &facts).await? {
            return declined("the mobile was changed a short while ago");
        }
        let keys = [
            (format!("ask-person:{person}"), self.rules.challenge.per_person),
            (format!("ask-number:{}", to.e164()), self.rules.challenge.per_number),
        ];
        if self.tickets.throttle(self.id(now), &keys, self.rules.challenge.window, now).await? == Throttled::TooMany {
            return declined("too many codes for this person or number");
        }
        Ok((Some(person), Ok(self.code(asked.kind, asked.id, to, record.language, now))))
    }

    async fn knows_national_id(&self, record: &PersonRecord, asked: &Asked) -> PortResult<bool> {
        let Some(said) = &asked.national_id else { return Ok(false) };
        let known = self.store.known(&[], &[self.store.mark(said)]).await?;
        Ok(known.iter().any(|known| known.person.id == record.person.id && known.mark == Some(self.store.mark(said))))
    }

    /// The password is still the random one of the opening: there is nothing yet that a stranger could take over.
    async fn never_activated(&self, person: PersonId, facts: &PasswordFacts) -> PortResult<bool> {
        let announced = self.challenges.announced_at(person).await?;
        Ok(announced.zip(facts.set_at).is_some_and(|(announced, set)| set <= announced))
    }

    pub(super) fn code(
        &self,
        kind: ChallengeKind,
        challenge: Uuid,
        to: MobileNumber,
        language: Option<Language>,
        now: DateTime<Utc>,
    ) -> NewMessage {
        let mut random = Zeroizing::new([0; 8]);
        self.entropy.fill(random.as_mut_slice());
        let minutes = u32::try_from(self.rules.challenge.code.num_minutes()).unwrap_or(10);
        let telling = match kind {
            ChallengeKind::Reset => Telling::ResetCode { minutes },
            ChallengeKind::Unlock => Telling::UnlockCode { minutes },
        };
        NewMessage {
            id: MessageId(self.id(now)),
            purpose: kind.purpose(),
            occasion: challenge.to_string(),
            to: to.into(),
            subject: None,
            text: self.texts.compose(&telling, language),
            code: Some(message::short_code(*random)),
            valid_until: Some(now + self.rules.challenge.code),
        }
    }

    /// With the code, and the PIN where one is asked for, a ticket. A challenge of nobody is answered like a wrong code.
    pub async fn verify(&self, challenge: Uuid, code: &str, pin: Option<&Pin>, address: &str) -> PortResult<Result<Handed, Refused>> {
        let now = self.clock.now();
        let keys = [
            (format!("address:{address}"), self.rules.from_address),
            (format!("challenge:{challenge}"), self.rules.tries * 2),
            ("all".to_owned(), self.rules.in_all),
        ];
        if self.tickets.throttle(self.id(now), &keys, self.rules.window, now).await? == Throttled::TooMany {
            return Ok(Err(Refused::TooMany));
        }
        self.prove_with(challenge, code, pin, now).await
    }

    pub(super) async fn prove_with(
        &self,
        challenge: Uuid,
        code: &str,
        pin: Option<&Pin>,
        now: DateTime<Utc>,
    ) -> PortResult<Result<Handed, Refused>> {
        let code: Zeroizing<String> = Zeroizing::new(code.chars().filter(|c| !c.is_whitespace() && *c != '-').collect());
        let Some(proven) = self.challenges.try_challenge(challenge, &code, self.rules.tries, self.rules.challenge.code, now).await? else {
            let event = self.event(now, None, "password.challenge.refuse", "the code is wrong, spent, expired or of another challenge");
            self.door.audit.record(&[event]).await?;
            return Ok(Err(Refused::CodeWrong));
        };
        let mendable = self.mendable(proven.person).await?;
        // Why the number again: a code that went to a number which does not count any more proves nothing.
        let Some((_, facts)) = mendable.filter(|(record, _)| record.person.mobile.as_ref() == Some(&proven.to)) else {
            self.note(now, proven.person, "password.challenge.refuse", "the number or the account has changed since").await?;
            return Ok(Err(Refused::CodeWrong));
        };
        let proof = self.rules.challenge.proof;
        // Why after the code: a stranger without the mobile uses up no tries of the PIN.
        if proof == ResetProof::SmsAndPin && !proven.by_officer && !self.knows_pin(proven.person, pin).await? {
            self.note(now, proven.person, "password.challenge.refuse", "the PIN is wrong, or was tried too often").await?;
            return Ok(Err(Refused::CodeWrong));
        }
        let ticket = self.ticket(proven.person, facts.account.guid, challenge, vec![proven.kind.ticket()], now);
        let because = match proof {
            _ if proven.by_officer => "a code to the mobile, and an officer who has verified the person",
            ResetProof::Sms | ResetProof::SmsAndOfficer => "a code to the mobile",
            ResetProof::SmsAndNationalId => "a code to the mobile, and the national id",
            ResetProof::SmsAndPin => "a code to the mobile, and the PIN",
        };
        self.hand(Ticket { is_first: false, ..ticket }, because, now).await.map(Ok)
    }

    async fn knows_pin(&self, person: PersonId, pin: Option<&Pin>) -> PortResult<bool> {
        match pin {
            Some(pin) => self.pins.try_pin(person, pin, self.rules.challenge.pin_tries).await,
            None => Ok(false),
        }
    }

    /// With a ticket, forgets the wrong passwords. Enables nothing, and the password stays.
    pub async fn unlock(&self, token: &Secret, browser: &Secret) -> PortResult<Result<Done, Refused>> {
        let now = self.clock.now();
        let Some(ticket) = self.tickets.ticket(token, browser, TicketPurpose::Unlock, now).await? else {
            return Ok(Err(Refused::TicketSpent));
        };
        let Some((_, facts)) = self.mendable(ticket.person).await?.filter(|(_, facts)| facts.account.guid == ticket.account) else {
            return Ok(Err(Refused::TicketSpent));
        };
        if facts.locked {
            self.passwords.unlock(&facts.account).await?;
        }
        let because = if facts.locked { "a ticket" } else { "a ticket; it was not locked" };
        let event = self.event(now, Some(ticket.person), "password.unlock", because);
        self.tickets.spend(&ticket, &event, &[], now).await?;
        self.store.wake(&[(ticket.person, now)]).await?;
        Ok(Ok(Done { expires_at: facts.expires_at }))
    }

    /// A person whose account is open, and may be mended by its owner.
    pub(super) async fn mendable(&self, person: PersonId) -> PortResult<Option<(PersonRecord, PasswordFacts)>> {
        let Some(record) = self.store.people(PeopleBy::Ids(&[person])).await?.into_iter().next() else { return Ok(None) };
        let account = record.account.as_ref().filter(|a| a.state == crate::account::AccountState::Active);
        let Some(guid) = account.and_then(|a| a.guid) else { return Ok(None) };
        let facts = self.passwords.password_facts(guid).await?.filter(PasswordFacts::is_served);
        Ok(facts.map(|facts| (record, facts)))
    }
}

/// A question that a desk has taken up and not answered by then is another desk's.
const LEASE: TimeDelta = TimeDelta::seconds(30);
const AT_ONCE: u32 = 50;

/// Fractions of seconds are written in more or fewer digits; answers are to be of one size.
fn whole(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(at.timestamp(), 0).unwrap_or(at)
}

/// The network that an address is of: neighbours share one limit.
fn network(address: &str) -> String {
    // Of IPv6 callers are known by their /64 alone.
    match address.strip_suffix("/64").unwrap_or(address).parse() {
        Ok(std::net::IpAddr::V4(v4)) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        Ok(std::net::IpAddr::V6(v6)) => {
            let [a, b, c, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
        Err(_) => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_one_network() {
        assert_eq!(network("192.0.2.7"), network("192.0.2.200"));
        assert_ne!(network("192.0.2.7"), network("192.0.3.7"));
        assert_eq!(network("2001:db8:1:2::3"), network("2001:db8:1:ff::9"));
        assert_eq!(network("2001:db8:1:2::/64"), network("2001:db8:1:0::/64"), "as callers are counted");
        assert_ne!(network("2001:db8:1:2::/64"), network("2001:db8:2:2::/64"));
        assert_eq!(network("unknown"), "unknown");
    }

    #[test]
    fn what_was_asked_is_not_in_debug_output() {
        let asked = Asked {
            id: Uuid::nil(),
            kind: ChallengeKind::Reset,
            username: Zeroizing::new("ayse.sahin".into()),
            national_id: NationalId::parse("10000000146").ok(),
            at: DateTime::UNIX_EPOCH,
            generation: 0,
        };
        let shown = format!("{asked:?}");
        assert!(!shown.contains("ayse") && !shown.contains("10000000146"), "{shown}");
    }
}
