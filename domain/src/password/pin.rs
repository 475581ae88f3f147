//! A PIN: something that its owner knows, asked beside a code where the ministry wants two proofs. Set with the first password,
//! changed by whoever knows the password.
use super::PasswordFacts;
use super::desk::{Desk, Refused};
use crate::audit::AuditEvent;
use crate::message::{self, NewMessage, Notice, Telling};
use crate::ports::{PeopleBy, PortResult};
use chrono::{DateTime, Utc};
use std::fmt;
use zeroize::Zeroizing;

/// Digits of a PIN.
pub const SHORTEST: usize = 6;
pub const LONGEST: usize = 12;

#[derive(Clone, PartialEq, Eq)]
pub struct Pin(Zeroizing<String>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinFault {
    /// Not 6 to 12 digits.
    Digits,
    /// One digit or a few over and over, or a row.
    Easy,
}

impl Pin {
    /// As somebody types one that is to count. Spaces do not.
    pub fn choose(text: &str) -> Result<Pin, PinFault> {
        let pin = Pin::typed(text);
        if !(SHORTEST..=LONGEST).contains(&pin.0.len()) || !pin.0.bytes().all(|b| b.is_ascii_digit()) {
            return Err(PinFault::Digits);
        }
        if is_easy(pin.0.as_bytes()) { Err(PinFault::Easy) } else { Ok(pin) }
    }
    /// As somebody types one that is to be compared: whatever it is.
    pub fn typed(text: &str) -> Pin {
        Pin(Zeroizing::new(text.chars().filter(|c| !c.is_whitespace()).take(64).collect()))
    }
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin")
    }
}

/// 111111, 121212, 123123, 123456, 987654, 123321, 112233: what is tried first.
fn is_easy(digits: &[u8]) -> bool {
    let steps: Vec<i16> = digits.windows(2).map(|two| i16::from(two[1]) - i16::from(two[0])).collect();
    let row = steps.iter().all(|step| *step == steps[0]);
    let repeats = (1..=3).any(|period| digits.iter().zip(&digits[period..]).all(|(a, b)| a == b));
    let mirrored = digits.iter().eq(digits.iter().rev());
    let doubled = digits.len().is_multiple_of(2) && digits.chunks(2).all(|pair| pair[0] == pair[1]);
    row || repeats || mirrored || doubled
}

impl Desk {
    /// By its owner, who knows the password.
    pub async fn set_pin(&self, username: &str, password: &Zeroizing<String>, pin: &Pin, address: &str) -> PortResult<Result<(), Refused>> {
        let now = self.clock.now();
        let (account, _) = match self.prove(username, password, address, now).await? {
            Ok(proven) => proven,
            Err(refused) => return Ok(Err(refused)),
        };
        let record = self.store.people(PeopleBy::Guids(&[account])).await?.into_iter().next();
        let facts = self.passwords.password_facts(account).await?.filter(PasswordFacts::is_served);
        let (Some(record), Some(facts)) = (record, facts) else { return Ok(Err(Refused::CredentialsWrong)) };
        let to = Notice {
            mobile: record.person.mobile.as_ref(),
            mail: record.account.as_ref().map(|account| &*account.names.mail),
            occasion: self.id(now).to_string(),
            language: record.language,
            valid_until: Some(now + super::desk::NOTICE),
        };
        let notices = message::notices(&self.texts, &Telling::PinChangedNotice { username: &facts.username }, &to, || self.id(now));
        let event = self.event(now, Some(record.person.id), "pin.set", "the password");
        self.keep_pin(record.person.id, pin, &event, &notices, now).await?;
        Ok(Ok(()))
    }

    pub(super) async fn keep_pin(
        &self,
        person: crate::id::PersonId,
        pin: &Pin,
        event: &AuditEvent,
        notices: &[NewMessage],
        now: DateTime<Utc>,
    ) -> PortResult<()> {
        let mut salt = [0; 16];
        self.entropy.fill(&mut salt);
        self.pins.set_pin(person, pin, salt, event, notices, now).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_six_to_twelve_digits_that_are_not_tried_first() {
        for easy in ["111111", "121212", "123123", "123456", "987654", "123321", "112233", "00000000"] {
            assert_eq!(Pin::choose(easy), Err(PinFault::Easy), "{easy}");
        }
        for short in ["", "12345", "1234567890123", "12a456", "٣٤٥٦٧٨"] {
            assert_eq!(Pin::choose(short), Err(PinFault::Digits), "{short}");
        }
        assert_eq!(Pin::choose(" 735 192 ").unwrap().expose(), "735192");
        assert_eq!(format!("{:?}", Pin::typed("735192")), "Pin");
    }
}
