//! Sessions: from a password to short access tokens, and how they end.
use super::Role;
use crate::account::Dn;
use crate::id::{AccountGuid, PersonId, SessionId};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// How long things last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRules {
    /// An access token.
    pub access: TimeDelta,
    /// A session that nobody renews.
    pub idle: TimeDelta,
    /// A session, however often it is renewed.
    pub longest: TimeDelta,
    /// What the directory said of an account still counts for so long where it cannot be asked.
    pub without_directory: TimeDelta,
}

impl Default for SessionRules {
    fn default() -> SessionRules {
        SessionRules {
            access: TimeDelta::minutes(10),
            idle: TimeDelta::hours(1),
            longest: TimeDelta::hours(12),
            without_directory: TimeDelta::hours(1),
        }
    }
}

/// What the directory says of an account that signs in or is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub account: AccountGuid,
    /// As the directory writes it.
    pub username: Arc<str>,
    /// Neither disabled nor expired.
    pub enabled: bool,
    /// Changes with every new password; compared, never read.
    pub password_mark: String,
    /// Of the groups asked about, those that the account is in, through others too.
    pub groups: Vec<Dn>,
}

/// What became of a user name and password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedIn {
    Accepted(Standing),
    /// The password, or there is no such account.
    Wrong,
    /// Asking with another password would lock the account, or it is locked: not even asked, or refused whatever the password is.
    Locked,
    /// The password is right, and the account may not be used now.
    Disabled,
    PasswordExpired,
    MustChange,
    /// The password is right, and the account may not sign in at this hour or from here.
    NotNow,
}

/// When a directory locks accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lockout {
    /// So many wrong passwords.
    pub threshold: u32,
    /// So long after the last one they are forgotten.
    pub window: TimeDelta,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub account: AccountGuid,
    /// `None`: an account that is no person's.
    pub person: Option<PersonId>,
    pub username: Arc<str>,
    /// By the directory's groups, as last confirmed.
    pub roles: BTreeSet<Role>,
    pub password_mark: String,
    /// When the directory last said so.
    pub confirmed_at: DateTime<Utc>,
    pub started_at: DateTime<Utc>,
    /// It ends by itself, if nobody renews it.
    pub expires_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    pub address: String,
}

impl Session {
    pub fn lives(&self, now: DateTime<Utc>) -> bool {
        self.ended_at.is_none() && now < self.expires_at
    }
    /// When it ends if it is renewed `now`.
    pub fn until(&self, rules: &SessionRules, now: DateTime<Utc>) -> DateTime<Utc> {
        (now + rules.idle).min(self.started_at + rules.longest)
    }
}

/// Which sessions a deed is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionsOf {
    One(SessionId),
    Person(PersonId),
    Account(AccountGuid),
}

/// Why a session ended: for the audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EndedBecause {
    SignedOut,
    /// A refresh token came a second time: somebody else has it.
    Reuse,
    PasswordChanged,
    /// Closed, suspended, disabled or gone.
    AccountClosed,
    /// An administrator ended it.
    Ordered,
}

impl EndedBecause {
    pub fn words(self) -> &'static str {
        match self {
            EndedBecause::SignedOut => "signed out",
            EndedBecause::Reuse => "a refresh token came a second time",
            EndedBecause::PasswordChanged => "the password was changed",
            EndedBecause::AccountClosed => "the account is closed, suspended or disabled",
            EndedBecause::Ordered => "an administrator ended it",
        }
    }
}

/// What became of a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// Spent; the next one counts from now on.
    Renewed(Session),
    /// It was spent before: the session was ended.
    Reused(Session),
    /// None of ours, or its session has ended.
    Unknown,
}

/// A text that opens something. Shown once, kept only as a keyed hash.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// 32 random octets behind a word that tells what it is (scanners for leaked secrets look for such words).
    pub fn new(kind: &str, random: &[u8; 32]) -> Secret {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = Zeroizing::new(String::with_capacity(kind.len() + 1 + 64));
        text.push_str(kind);
        text.push('_');
        for octet in random {
            text.push(char::from(HEX[usize::from(octet >> 4)]));
            text.push(char::from(HEX[usize::from(octet & 15)]));
        }
        Secret(text)
    }
    /// What a caller sent.
    pub fn given(text: &str) -> Secret {
        Secret(Zeroizing::new(text.to_owned()))
    }
    pub fn expose(&self) -> &str {
        &self.0
    }
}
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What an access token of ours says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    pub session: SessionId,
    pub account: AccountGuid,
    pub issued_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}
