//! Texts to people. A message is queued in the transaction of what it tells, and at most once: (person, purpose, opening) is unique.
use crate::id::{MessageId, PersonId};
use crate::staff::MobileNumber;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Purpose {
    /// The account works: user name, address, portal, activation code.
    AccountOpened,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MessageState {
    /// In the outbox.
    Queued,
    Sent,
    Failed,
    Voided,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub id: MessageId,
    pub person: PersonId,
    pub purpose: Purpose,
    pub opening: u32,
    pub to: MobileNumber,
    pub text: String,
    pub state: MessageState,
    pub queued_at: DateTime<Utc>,
}

/// A message to be queued, with the code that it carries: the store keeps a keyed hash of the code beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMessage {
    pub id: MessageId,
    pub purpose: Purpose,
    pub opening: u32,
    pub to: MobileNumber,
    pub text: Zeroizing<String>,
    pub code: Zeroizing<String>,
}

/// The announcement. Both languages that a template may be in; the ministry's staff reads Turkish.
/// Written without the letters that GSM 7-bit lacks, so that it stays cheap and whole on every phone.
pub fn account_opened(username: &str, mail: &str, portal: &str, code: &str) -> Zeroizing<String> {
    Zeroizing::new(format!(
        "Hesabiniz acildi. Kullanici adi: {username} E-posta: {mail} Parolanizi belirleyin: {portal} Etkinlestirme kodu: {code}"
    ))
}

/// 8 digits from 8 random octets; the bias (2^64 mod 10^8) is below 10^-11.
pub fn activation_code(random: [u8; 8]) -> Zeroizing<String> {
    Zeroizing::new(format!("{:08}", u64::from_le_bytes(random) % 100_000_000))
}
