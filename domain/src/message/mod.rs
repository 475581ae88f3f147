//! Texts to people, by SMS and by e-mail. A message is queued in the transaction of what it tells, and at most once: (person,
//! purpose, occasion, channel) is unique. Its code belongs to it: a message that may or may not have been sent is voided with its code, and a new one
//! with a new code takes its place, so that no code is ever sent twice.
pub mod announcement; // sent again
pub mod courier;
pub mod digest;
pub mod language;
mod letter;
mod notice;
pub mod recipient;
pub mod reminder;
pub mod round;
pub mod template;

pub use language::Language;
pub use letter::{Letter, check_subject, check_text};
pub use notice::{Notice, notices};
pub use recipient::{Channel, MailAddress, Recipient};
pub use template::{Slot, Telling, TemplateFault, Templates};

use crate::id::{MessageId, PersonId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroizing;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Purpose {
    /// The account works: user name, address, portal, activation code.
    AccountOpened,
    /// Proof for a new password that was forgotten.
    ResetCode,
    /// Proof for unlocking without a new password.
    UnlockCode,
    /// Proof that a new mobile number is in its owner's hand.
    MobileConfirmCode,
    /// To the number before: the mobile number was changed.
    MobileChangedNotice,
    /// To the number before: there is none any more.
    MobileRemovedNotice,
    PasswordChangedNotice,
    /// The PIN that is asked beside codes was changed.
    PinChangedNotice,
    /// Somebody has signed in after wrong passwords: its owner, or whoever has guessed it.
    SignInNotice,
    /// The password will have to be changed in a few days.
    PasswordExpiring,
    /// To a personnel unit: the open data issues of its people.
    IssueDigest,
}

impl Purpose {
    pub const ALL: &'static [Purpose] = &[
        Purpose::AccountOpened,
        Purpose::ResetCode,
        Purpose::UnlockCode,
        Purpose::MobileConfirmCode,
        Purpose::MobileChangedNotice,
        Purpose::MobileRemovedNotice,
        Purpose::PasswordChangedNotice,
        Purpose::PinChangedNotice,
        Purpose::SignInNotice,
        Purpose::PasswordExpiring,
        Purpose::IssueDigest,
    ];

    /// Somebody waits for it, or must hear of it at once: it is sent at any hour and before the others.
    pub fn is_urgent(self) -> bool {
        !matches!(self, Purpose::AccountOpened | Purpose::PasswordExpiring | Purpose::IssueDigest)
    }
    /// Nobody waits for it, and many are told at once: the first to wait where little may be sent.
    pub fn is_reminder(self) -> bool {
        matches!(self, Purpose::PasswordExpiring | Purpose::IssueDigest)
    }
    /// What is not so any more once this is told: what waits to be sent of it is taken back.
    pub fn outdates(self) -> Option<Purpose> {
        match self {
            Purpose::PasswordChangedNotice => Some(Purpose::PasswordExpiring),
            _ => None,
        }
    }
    /// Codes go to phones only, never by e-mail.
    pub fn carries_code(self) -> bool {
        matches!(self, Purpose::AccountOpened | Purpose::ResetCode | Purpose::UnlockCode | Purpose::MobileConfirmCode)
    }
    pub fn name(self) -> &'static str {
        match self {
            Purpose::AccountOpened => "account_opened",
            Purpose::ResetCode => "reset_code",
            Purpose::UnlockCode => "unlock_code",
            Purpose::MobileConfirmCode => "mobile_confirm_code",
            Purpose::MobileChangedNotice => "mobile_changed_notice",
            Purpose::MobileRemovedNotice => "mobile_removed_notice",
            Purpose::PasswordChangedNotice => "password_changed_notice",
            Purpose::PinChangedNotice => "pin_changed_notice",
            Purpose::SignInNotice => "sign_in_notice",
            Purpose::PasswordExpiring => "password_expiring",
            Purpose::IssueDigest => "issue_digest",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MessageState {
    /// In the outbox, to be sent.
    Queued,
    /// A gateway is being asked; found like this later, nobody knows whether it was sent.
    Sending,
    /// A gateway has taken it.
    Sent,
    /// The phone has it. (Of e-mail nothing more is known than that it was taken.)
    Delivered,
    /// A gateway had taken it, and it did not reach the phone.
    Undelivered,
    /// It will not be sent.
    Failed,
    /// Perhaps it was sent. It carries no code, so it stands; it is not sent again.
    Doubtful,
    /// Taken back, its code with it: outlived, or replaced by another one.
    Voided,
}

impl MessageState {
    /// Nothing is left to do for it but to hear of its delivery.
    pub fn is_over(self) -> bool {
        !matches!(self, MessageState::Queued | MessageState::Sending)
    }
}

/// A message as it is shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    pub id: MessageId,
    pub person: PersonId,
    pub purpose: Purpose,
    pub occasion: String,
    pub to: Recipient,
    /// Of e-mail; `None`: it is an SMS, or was erased with the text.
    pub subject: Option<Zeroizing<String>>,
    /// `None`: erased, because nobody needs it any more.
    pub text: Option<Zeroizing<String>>,
    pub state: MessageState,
    pub queued_at: DateTime<Utc>,
    pub valid_until: Option<DateTime<Utc>>,
    /// How often a gateway was asked to send it.
    pub attempts: u32,
    /// Parts that it is billed as; 0 before it was sent.
    pub parts: u32,
    pub gateway: Option<String>,
    /// Why it stands as it does, where that has a reason.
    pub note: Option<String>,
    /// When it came to stand as it does.
    pub settled_at: Option<DateTime<Utc>>,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({} {} {:?} to {:?})", self.id, self.purpose.name(), self.state, self.to)
    }
}

/// Stands in a text where the code goes.
pub const CODE: &str = "{code}";

/// A message to be queued, with the code that it carries: the store keeps a keyed hash of the code beside it.
#[derive(Clone, PartialEq, Eq)]
pub struct NewMessage {
    pub id: MessageId,
    pub purpose: Purpose,
    /// With person and purpose, what it is about: the number of an opening, the id of a challenge. A second one for the same is not queued.
    pub occasion: String,
    pub to: Recipient,
    /// Of e-mail, one line.
    pub subject: Option<Zeroizing<String>>,
    /// [`CODE`] where the code goes.
    pub text: Zeroizing<String>,
    pub code: Option<Zeroizing<String>>,
    /// Not sent later than this, and its code is of no use afterwards.
    pub valid_until: Option<DateTime<Utc>>,
}

impl fmt::Debug for NewMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewMessage({} {} to {:?})", self.id, self.purpose.name(), self.to)
    }
}

/// The text as it is sent.
pub fn whole_text(text: &str, code: Option<&str>) -> Zeroizing<String> {
    Zeroizing::new(text.replace(CODE, code.unwrap_or_default()))
}

/// 8 digits from 8 random octets; the bias (2^64 mod 10^8) is below 10^-11.
pub fn activation_code(random: [u8; 8]) -> Zeroizing<String> {
    digits(random, 8)
}

/// 6 digits for a challenge of some minutes.
pub fn short_code(random: [u8; 8]) -> Zeroizing<String> {
    digits(random, 6)
}

/// So many digits, at most 12.
pub fn digits(random: [u8; 8], count: usize) -> Zeroizing<String> {
    let count = count.min(12);
    let code = u64::from_le_bytes(random) % 10_u64.pow(u32::try_from(count).unwrap_or(12));
    Zeroizing::new(format!("{code:0count$}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staff::MobileNumber;

    #[test]
    fn a_code_keeps_its_zeros_and_its_length() {
        assert_eq!(short_code([0; 8]).as_str(), "000000");
        assert_eq!(activation_code([7, 0, 0, 0, 0, 0, 0, 0]).as_str(), "00000007");
        assert_eq!(digits([255; 8], 40).len(), 12);
    }

    #[test]
    fn no_debug_output_holds_a_text_a_code_or_a_whole_number() {
        let new = NewMessage {
            id: MessageId(uuid::Uuid::nil()),
            purpose: Purpose::ResetCode,
            occasion: "1".into(),
            to: MobileNumber::parse("05321234567").unwrap().into(),
            subject: None,
            text: Zeroizing::new("Kod: {code}".into()),
            code: Some(Zeroizing::new("735192".into())),
            valid_until: None,
        };
        let shown = format!("{new:?}");
        assert!(!shown.contains("735192") && !shown.contains("Kod") && !shown.contains("5321234567"), "{shown}");
        assert_eq!(whole_text(&new.text, new.code.as_ref().map(|c| c.as_str())).as_str(), "Kod: 735192");
    }
}
