//! Accounts of programs: scopes, an end, and secrets that are exchanged without an interruption.
use super::Scope;
use crate::id::ServiceId;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;

/// Longer than any of them lives without somebody asking whether it is still needed.
pub const LONGEST: TimeDelta = TimeDelta::days(366);
/// The old secret counts so long beside the new one, at most.
pub const LONGEST_OVERLAP: TimeDelta = TimeDelta::days(7);
/// What a secret begins with.
pub const KIND: &str = "kimlik_svc";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    pub id: ServiceId,
    /// `hr-push`: for people and the audit.
    pub name: String,
    pub scopes: BTreeSet<Scope>,
    /// Who answers for it.
    pub owner: String,
    pub made_at: DateTime<Utc>,
    pub made_by: String,
    pub expires_at: DateTime<Utc>,
    pub revoked_at: Option<DateTime<Utc>>,
    /// To the minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// Why a service account cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotMakeable {
    #[error("3 to 64 small letters, digits and hyphens, the first a letter")]
    Name,
    #[error("name at least one scope")]
    Scopes,
    #[error("say who answers for it, in at most 200 characters")]
    Owner,
    #[error("it must end after now, and within 366 days")]
    Time,
}

impl Service {
    /// All that is wrong with it, at once.
    pub fn faults(&self, now: DateTime<Utc>) -> Vec<NotMakeable> {
        let owner = self.owner.trim();
        let faults = [
            (!is_name(&self.name), NotMakeable::Name),
            (self.scopes.is_empty(), NotMakeable::Scopes),
            (owner.is_empty() || owner.chars().count() > 200 || owner.chars().any(char::is_control), NotMakeable::Owner),
            (self.expires_at <= now || self.expires_at - now > LONGEST, NotMakeable::Time),
        ];
        faults.into_iter().filter(|(wrong, _)| *wrong).map(|(_, fault)| fault).collect()
    }
    pub fn lives(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

/// A name that is read in audits and on terminals: small letters, digits and hyphens.
pub fn is_name(name: &str) -> bool {
    (3..=64).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}
