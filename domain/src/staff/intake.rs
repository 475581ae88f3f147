//! Taking in a delivery: read it into a roster, compare with what is known, save what changed, wake whom it concerns.
use super::issue::IssueKind;
use super::person::{Person, RegistryNo};
use super::unit::Unit;
use super::{DataIssue, NationalId};
use crate::account::AccountState;
use crate::id::PersonId;
use crate::ports::Mark;
use chrono::{DateTime, Utc};

/// A person as the store knows them, for comparing.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownPerson {
    pub person: Person,
    /// Of the national id held; `None`: none is held.
    pub mark: Option<Mark>,
    pub former_registry_nos: Vec<RegistryNo>,
    pub account_state: AccountState,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CensusLine {
    pub person: PersonId,
    pub registry_no: RegistryNo,
    pub account_state: AccountState,
}

/// A person to be written.
#[derive(Clone, Debug)]
pub struct PersonSave {
    pub person: Person,
    /// `Some`: hold this one from now on (encrypted, with its mark).
    pub national_id: Option<NationalId>,
    /// A registry number that the person had before.
    pub former_registry_no: Option<RegistryNo>,
}

/// One transaction of an intake.
#[derive(Clone, Debug)]
pub struct RosterSave {
    pub units: Vec<Unit>,
    pub people: Vec<PersonSave>,
    /// Look at these people now (they are among `people`, or concerned by them).
    pub wake: Vec<PersonId>,
    /// Look at everybody: units changed.
    pub wake_everybody: bool,
    /// Issues of `issue_kinds` about `seen` that are not in `issues` are resolved.
    pub issues: Vec<DataIssue>,
    pub issue_kinds: Vec<IssueKind>,
    pub seen: Vec<RegistryNo>,
    /// (feed, position): with the last part of a delivery.
    pub position: Option<(String, String)>,
    pub at: DateTime<Utc>,
}

/// What came of a delivery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedReport {
    /// The delivery was refused whole: nothing of it was taken, and why.
    pub refused: Option<String>,
    pub rows: u32,
    pub new_people: u32,
    pub changed_people: u32,
    pub unchanged_people: u32,
    pub new_units: u32,
    pub changed_units: u32,
    pub rejected_rows: u32,
    /// Everything that somebody should mend.
    pub issues: Vec<DataIssue>,
}
