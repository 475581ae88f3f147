//! Roles given to a person for a time, by an administrator or at the server's own terminal.
use super::Role;
use crate::id::{GrantId, PersonId};
use crate::staff::UnitCode;
use chrono::{DateTime, TimeDelta, Utc};

/// Nothing is granted for longer: what nobody renews is no longer needed.
pub const LONGEST: TimeDelta = TimeDelta::days(366);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub id: GrantId,
    pub person: PersonId,
    pub role: Role,
    /// Of a personnel officer: responsible for these units and those below.
    pub units: Vec<UnitCode>,
    pub from: DateTime<Utc>,
    /// Not any more from then on.
    pub until: DateTime<Utc>,
    pub reason: String,
    pub granted_by: String,
    pub granted_at: DateTime<Utc>,
    pub revoked_at: Option<DateTime<Utc>>,
    pub revoked_by: Option<String>,
}

/// Why a grant cannot be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotGrantable {
    #[error("this role comes of itself; auditor, administrator and personnel_officer can be granted")]
    Role,
    #[error("name the units of a personnel officer")]
    NoUnits,
    #[error("only a personnel officer is granted for units")]
    Units,
    #[error("it must end after it begins, after now, and within 366 days")]
    Time,
    #[error("say why, in at most 500 characters")]
    Reason,
}

impl Grant {
    pub fn is_in_force(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.from <= now && now < self.until
    }
    /// All that is wrong with it, at once.
    pub fn faults(&self, now: DateTime<Utc>) -> Vec<NotGrantable> {
        let mut faults = Vec::new();
        if matches!(self.role, Role::Staff | Role::Integrator) {
            faults.push(NotGrantable::Role);
        }
        match (self.role == Role::PersonnelOfficer, self.units.is_empty()) {
            (true, true) => faults.push(NotGrantable::NoUnits),
            (false, false) => faults.push(NotGrantable::Units),
            _ => {}
        }
        if self.until <= self.from || self.until <= now || self.until - self.from > LONGEST {
            faults.push(NotGrantable::Time);
        }
        if self.reason.trim().is_empty() || self.reason.chars().count() > 500 || self.reason.contains('\0') {
            faults.push(NotGrantable::Reason);
        }
        faults
    }
}
