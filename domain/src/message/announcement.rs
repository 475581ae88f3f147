//! The announcement of an account, sent again: another message with another code takes the place of the one before, whose code is
//! of no use from then on. Only to people who have never had a password of their own: for the others there is the reset.
use super::{MessageState, Recipient};
use crate::id::PersonId;
use crate::ports::PersonRecord;
use crate::staff::MobileNumber;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;
use uuid::Uuid;

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
    /// The actor has ordered as many as one may within a day.
    TooManyOfActor,
    /// The key was used for the same before: what was answered then.
    Answered(String),
    /// The key was used for something else.
    KeyReused,
}

/// What is known of the announcements of a person's present opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announced {
    /// When the first of them was queued.
    pub first_at: DateTime<Utc>,
    /// Of the last one.
    pub state: MessageState,
    /// Where the last one was to go.
    pub to: Recipient,
    /// A code of one of them became a password.
    pub is_spent: bool,
}

impl Announced {
    /// `set_at`: when the directory says that the password was last set; `None`: it is to be changed, or there never was one.
    pub fn is_activated(&self, set_at: Option<DateTime<Utc>>) -> bool {
        self.is_spent || set_at.is_some_and(|set| set > self.first_at + CLOCKS)
    }

    /// It has not reached the person, and there is another number now.
    pub fn is_stranded(&self, mobile: &MobileNumber) -> bool {
        let astray = matches!(self.state, MessageState::Queued | MessageState::Failed | MessageState::Undelivered);
        astray && self.to.mobile() != Some(mobile)
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
        Announced { first_at, state, to: MobileNumber::parse("05321110001").unwrap().into(), is_spent: false }
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
        assert!(announced(MessageState::Failed).is_stranded(&other) && announced(MessageState::Queued).is_stranded(&other));
        assert!(!announced(MessageState::Failed).is_stranded(&same));
        assert!(!announced(MessageState::Delivered).is_stranded(&other));
    }
}
