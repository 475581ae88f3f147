//! The announcement of an account, sent again: another message with another code takes the place of the one before, whose code is
//! of no use from then on. Only to people who have never had a password of their own: for the others there is the reset.
use super::{MessageState, Recipient};
use crate::id::PersonId;
use crate::ports::PersonRecord;
use crate::staff::MobileNumber;
use chrono::{DateTime, TimeDelta, Utc};
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;
use zeroize::Zeroizing;

/// Resends are counted over a rolling day.
pub const WINDOW: TimeDelta = TimeDelta::days(1);
/// So many to one person within [`WINDOW`], whoever orders them.
pub const MOST_PER_PERSON: u32 = 3;
/// So many by one actor within [`WINDOW`]: a morning's newcomers, and no ministry.
pub const MOST_PER_ACTOR: u32 = 100;
/// Kimlik itself, where a number was mended: as in the audit.
pub const KIMLIK: &str = "kimlik";
/// A password that was set so soon after the announcement is the one of the opening: clocks of controllers go differently.
const CLOCKS: TimeDelta = TimeDelta::minutes(5);

/// Somebody wants an account announced again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resend {
    pub id: Uuid,
    pub person: PersonId,
    pub by: Arc<str>,
    pub reason: Arc<str>,
    pub at: DateTime<Utc>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resent {
    /// It is in the outbox; the one before is taken back.
    Queued,
    TooManyOfPerson,
    /// Kimlik's own order: the one before is being sent, or has gone out since it was looked at.
    OnItsWay,
    /// The actor has ordered as many as one may within a day.
    TooManyOfActor,
    /// The key was used for the same before: what was answered then.
    Answered(String),
    /// The key was used for something else.
    KeyReused,
}

/// A note that somebody has another number, or other names, was seen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenTo {
    pub person: PersonId,
    /// As the note was read: one that has come since is another.
    pub due_at: DateTime<Utc>,
    /// When to look once more, if at all.
    pub again: Option<DateTime<Utc>>,
}

/// What is known of the announcements of a person's present opening.
#[derive(Clone, PartialEq, Eq)]
pub struct Announced {
    /// When the first of them was queued.
    pub first_at: DateTime<Utc>,
    /// Of the last one.
    pub state: MessageState,
    /// Where the last one was to go.
    pub to: Recipient,
    /// What the last one says, its code left out; `None`: erased, since it was sent.
    pub text: Option<Zeroizing<String>>,
    /// A code of one of them became a password.
    pub is_spent: bool,
}

impl fmt::Debug for Announced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Announced({:?} at {} to {:?}, spent {})", self.state, self.first_at, self.to, self.is_spent)
    }
}

impl Announced {
    /// `set_at`: when the directory says that the password was last set; `None`: it is to be changed, or there never was one.
    pub fn is_activated(&self, set_at: Option<DateTime<Utc>>) -> bool {
        self.is_spent || set_at.is_some_and(|set| set > self.first_at + CLOCKS)
    }

    /// The last one is in a courier's hand: whether it reaches anybody is not known yet.
    pub fn is_on_its_way(&self) -> bool {
        matches!(self.state, MessageState::Sending | MessageState::Doubtful)
    }

    /// Why it has to go out again, if it has: it has not reached the person, and there is another number by now, or it has not been sent,
    /// and what it says is not so any more. `text`: what it would say now.
    pub fn is_stranded(&self, mobile: &MobileNumber, text: &str) -> Option<&'static str> {
        let astray = matches!(self.state, MessageState::Queued | MessageState::Failed | MessageState::Undelivered);
        let outdated = self.state == MessageState::Queued && self.text.as_ref().is_some_and(|said| said.as_str() != text);
        match () {
            () if astray && self.to.mobile() != Some(mobile) => Some("it had not arrived, and the mobile number is another one now"),
            () if outdated => Some("it had not been sent, and the account has other names now"),
            () => None,
        }
    }
}

/// Under what the announcement of an opening is kept; with `resend`, one that was ordered again.
pub fn occasion(opening: u32, resend: Option<Uuid>) -> String {
    resend.map_or_else(|| opening.to_string(), |id| format!("{opening}/{id}"))
}

/// Its account was opened by Kimlik, works, and its person was told.
pub fn was_announced(record: &PersonRecord) -> bool {
    let told =
        |a: &crate::account::Account| a.state == crate::account::AccountState::Active && !a.adopted && a.announced_opening == a.opening;
    record.account.as_ref().is_some_and(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announced(state: MessageState) -> Announced {
        let first_at = "2026-12-01T09:00:00Z".parse().unwrap();
        let (to, text) = (MobileNumber::parse("05321110001").unwrap().into(), Some(Zeroizing::new("Ad: a".to_owned())));
        Announced { first_at, state, to, text, is_spent: false }
    }

    #[test]
    fn a_password_of_the_opening_is_nobody_s_own() {
        let told = announced(MessageState::Delivered);
        assert!(!told.is_activated(None));
        assert!(!told.is_activated(Some(told.first_at - TimeDelta::seconds(3))));
        assert!(!told.is_activated(Some(told.first_at + TimeDelta::minutes(4))), "the controller's clock is ahead");
        assert!(told.is_activated(Some(told.first_at + TimeDelta::minutes(6))));
        assert!(Announced { is_spent: true, ..told }.is_activated(None));
    }

    #[test]
    fn what_has_reached_the_person_or_goes_to_the_number_that_counts_is_not_stranded() {
        let (same, other) = (MobileNumber::parse("05321110001").unwrap(), MobileNumber::parse("05321110002").unwrap());
        let stranded = |state, mobile, text| announced(state).is_stranded(mobile, text).is_some();
        assert!(stranded(MessageState::Failed, &other, "Ad: a") && stranded(MessageState::Queued, &other, "Ad: a"));
        assert!(!stranded(MessageState::Failed, &same, "Ad: a") && !stranded(MessageState::Queued, &same, "Ad: a"));
        assert!(!stranded(MessageState::Delivered, &other, "Ad: b"));
        assert!(stranded(MessageState::Queued, &same, "Ad: b"), "it would tell a name that is none any more");
        assert!(!format!("{:?}", announced(MessageState::Queued)).contains("Ad:"));
    }
}
