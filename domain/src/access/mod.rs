//! Who asks, and what they may: one table ([`deed`]), deny by default. Nothing here knows how a caller was recognized.
pub mod attempt; // how often one may try, and that nobody locks out a colleague
pub mod deed; // the table
pub mod door; // the use cases: signing in, renewing, recognizing
pub mod grant; // roles for a time
pub mod idempotency; // keys by which a client repeats a deed
pub mod roles; // roles from groups, HR and grants
mod scope;
pub mod service; // accounts of programs
pub mod session; // what a session is, and how it ends

pub use deed::{About, Deed, may};
pub use scope::Scope;

use crate::day::Day;
use crate::id::{AccountGuid, PersonId, ServiceId, SessionId};
use crate::staff::{Person, UnitCode};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::sync::Arc;

/// What somebody is to Kimlik. One person may have several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everybody of the ministry who can sign in.
    Staff,
    /// Head and staff of a personnel unit, for the units that it serves.
    PersonnelOfficer,
    /// A service account, within its scopes.
    Integrator,
    /// Reads, and changes nothing.
    Auditor,
    Administrator,
}

impl Role {
    pub const ALL: [Role; 5] = [Role::Staff, Role::PersonnelOfficer, Role::Integrator, Role::Auditor, Role::Administrator];

    pub fn as_str(self) -> &'static str {
        match self {
            Role::Staff => "staff",
            Role::PersonnelOfficer => "personnel_officer",
            Role::Integrator => "integrator",
            Role::Auditor => "auditor",
            Role::Administrator => "administrator",
        }
    }
    pub fn parse(text: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whom a request comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Who {
    /// Not signed in.
    #[default]
    Nobody,
    Person(PersonId),
    /// An account of the directory that is no person's: an administrator's second account, the demo's.
    Account(AccountGuid),
    Service(ServiceId),
    /// Somebody at the server's own terminal: who can read the keys can do everything anyway.
    Terminal,
}

/// Who asks, with all that [`may`] looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    pub who: Who,
    pub roles: BTreeSet<Role>,
    /// The units whose people a personnel officer is responsible for, those below included.
    pub units: Arc<HashSet<UnitCode>>,
    /// What a service account was made for.
    pub scopes: BTreeSet<Scope>,
    /// Ends with it; none for services, the terminal and foreign tokens.
    pub session: Option<SessionId>,
    /// User name, name of the service, `root`: for people and the audit.
    pub name: Arc<str>,
}

impl Caller {
    pub fn nobody() -> Caller {
        Caller::default()
    }
    /// `kimlik` typed by `user` on the server.
    pub fn terminal(user: &str) -> Caller {
        Caller { who: Who::Terminal, roles: [Role::Administrator].into(), name: user.into(), ..Caller::default() }
    }
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
    pub fn person(&self) -> Option<PersonId> {
        match self.who {
            Who::Person(person) => Some(person),
            _ => None,
        }
    }
    /// As it stands in audit events.
    pub fn actor(&self) -> String {
        match self.who {
            Who::Nobody => "nobody".to_owned(),
            Who::Person(_) | Who::Account(_) => format!("user:{}", self.name),
            Who::Service(_) => format!("service:{}", self.name),
            Who::Terminal => format!("cli:{}", self.name),
        }
    }
}

/// The unit whose officers are responsible for a person: where they work on `day`, else where they worked last.
pub fn unit_of(person: &Person, day: Day) -> Option<UnitCode> {
    person.posting_on(day).map(|p| p.unit)
}

impl About {
    pub fn person(person: &Person, day: Day) -> About {
        About::Person(person.id, unit_of(person, day))
    }
}
