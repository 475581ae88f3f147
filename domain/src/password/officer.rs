//! A reset that an officer starts, for somebody whom the officer has verified. The code goes to the person alone, to the number
//! that HR holds; whoever changed that number cannot start it, because both together would be a way into the account.
use super::challenge::ChallengeKind;
use super::desk::{Desk, Handed, Refused};
use crate::access::Caller;
use crate::id::PersonId;
use crate::message::Language;
use crate::ports::{PortResult, Throttled};
use crate::staff::MobileNumber;
use crate::text;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

/// How the officer made sure who asks; it stands in the audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verified {
    /// Face to face, with an identity card.
    InPerson,
    /// Called back, at a number that was known before.
    CalledBack,
    /// Somebody who is known and works beside the person vouched for it.
    VouchedFor,
}

/// What an officer asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResetWish {
    pub person: PersonId,
    pub verified: Verified,
    /// For whoever reads the audit.
    pub reason: String,
}

/// A code is on its way to its person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResetSent {
    pub to: MobileNumber,
    pub expires_at: DateTime<Utc>,
}

/// Why no code goes out. An officer may see all of this of the people of its units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSent {
    /// Nobody vouches for themselves.
    OwnAccount,
    /// Closed, disabled, protected, bound to a smart card, or outside what Kimlik manages.
    NotServed,
    NoMobile,
    /// The number that counts was changed here, and HR has not confirmed it.
    NotConfirmed,
    /// The number was changed a short while ago.
    Cooling,
    /// By the very officer.
    ChangedByCaller,
    /// Another code within the minute, or too many of this person, number or officer.
    TooMany,
}

impl NotSent {
    fn because(self) -> &'static str {
        match self {
            NotSent::OwnAccount => "the own account",
            NotSent::NotServed => "the account is closed, disabled, protected or not served here",
            NotSent::NoMobile => "no mobile is known",
            NotSent::NotConfirmed => "HR has not confirmed the mobile",
            NotSent::Cooling => "the mobile was changed a short while ago",
            NotSent::ChangedByCaller => "whoever asks has changed the mobile",
            NotSent::TooMany => "too many codes for this person, number or officer",
        }
    }
}

impl Desk {
    /// Sends a code to the person. Whether the caller may do this for that person was asked before.
    pub async fn send_reset(&self, caller: &Caller, wish: &ResetWish) -> PortResult<Result<ResetSent, NotSent>> {
        let now = self.clock.now();
        let challenge = self.id(now);
        let sent = self.sendable(caller, wish, now).await?;
        let (deed, because) = match &sent {
            Ok(_) => ("password.reset.send", wish.reason.as_str()),
            Err(refused) => ("password.reset.send.refuse", refused.because()),
        };
        let mut event = self.event(now, Some(wish.person), deed, because);
        event.actor = caller.actor();
        let (to, language) = match sent {
            Ok(to) => to,
            Err(refused) => {
                event.detail = json!({ "verified": wish.verified });
                self.door.audit.record(&[event]).await?;
                return Ok(Err(refused));
            }
        };
        event.detail = json!({ "verified": wish.verified, "to": to.masked(), "challenge": challenge });
        let message = self.code(ChallengeKind::Reset, challenge, to.clone(), language, now);
        self.challenges.begin(challenge, wish.person, &message, &event, now).await?;
        Ok(Ok(ResetSent { to, expires_at: now + self.rules.challenge.code }))
    }

    /// Where the code goes, and in which language.
    async fn sendable(
        &self,
        caller: &Caller,
        wish: &ResetWish,
        now: DateTime<Utc>,
    ) -> PortResult<Result<(MobileNumber, Option<Language>), NotSent>> {
        if caller.person() == Some(wish.person) {
            return Ok(Err(NotSent::OwnAccount));
        }
        let Some((record, _)) = self.mendable(wish.person).await? else { return Ok(Err(NotSent::NotServed)) };
        let phones = &record.phones;
        let Some(to) = phones.mobile().clone() else { return Ok(Err(NotSent::NoMobile)) };
        if phones.ledger.mobile_changed.as_ref().is_some_and(|changed| changed.was_by(caller)) {
            return Ok(Err(NotSent::ChangedByCaller));
        }
        // Why not what was changed here: an officer vouches for the person, and HR for the number.
        if phones.hr_mobile.as_ref() != Some(&to) {
            return Ok(Err(NotSent::NotConfirmed));
        }
        if phones.mobile_is_cooling(self.rules.challenge.cooling, now) {
            return Ok(Err(NotSent::Cooling));
        }
        let rules = &self.rules.challenge;
        let again = [(format!("send-again:{}", wish.person), 1)];
        let keys = [
            (format!("send-by:{}", caller.actor()), rules.per_officer),
            (format!("ask-person:{}", wish.person), rules.per_person),
            (format!("ask-number:{}", to.e164()), rules.per_number),
        ];
        for (keys, window) in [(&again[..], rules.resend), (&keys[..], rules.window)] {
            if self.tickets.throttle(self.id(now), keys, window, now).await? == Throttled::TooMany {
                return Ok(Err(NotSent::TooMany));
            }
        }
        Ok(Ok((to, record.language)))
    }

    /// The person, with the code that an officer had sent. Who was sent none is answered like a wrong code.
    pub async fn redeem(&self, username: &str, code: &str, address: &str) -> PortResult<Result<Handed, Refused>> {
        let now = self.clock.now();
        let keys = [
            (format!("address:{address}"), self.rules.from_address),
            (format!("redeem:{}", text::fold(username.trim())), self.rules.tries * 2),
            ("all".to_owned(), self.rules.in_all),
        ];
        if self.tickets.throttle(self.id(now), &keys, self.rules.window, now).await? == Throttled::TooMany {
            return Ok(Err(Refused::TooMany));
        }
        let challenge = match self.store.person_named(Some(username.trim()), None).await? {
            Some(person) => self.challenges.begun_for(person, self.earliest(now)).await?,
            None => None,
        };
        self.prove_with(challenge.unwrap_or(Uuid::nil()), code, None, now).await
    }

    /// What was begun before this cannot count any more: a message waits as long as a code counts, and then its code does.
    pub(super) fn earliest(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now - self.rules.challenge.code * 2
    }
}
