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

impl Service {
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
