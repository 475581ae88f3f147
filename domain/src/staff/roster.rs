//! Reading the feed: rows of text become units and people, and every fault in them is named. Pure: no store, no clock.
//!
//! Two steps a person. [`person::draft`] reads the rows by themselves; [`settle::settle`] lays what they say over what is
//! known. Whose rows they are (a return under a new number, a duplicate) is decided in [`super::intake`].
mod cells;
mod person;
mod settle;
mod unit;
mod words;

pub use person::{Draft, draft};
pub use settle::{ManagerStanding, Surroundings, settle, stale};
pub use unit::{UNIT_KINDS, UnitRoster, read_units};

use super::feed::Field;
use super::issue::IssueKind;
use super::person::{EmploymentStatus, Person, RegistryNo};
use super::reason::{Effect, Reasons};
use super::unit::{UnitCode, Units};
use super::{DataIssue, NationalId};
use crate::day::Day;

/// What reading has to know besides the rows.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub units: &'a Units,
    pub reasons: &'a Reasons,
    pub today: Day,
    /// What people call the delivery.
    pub source: &'a str,
}

impl Context<'_> {
    /// By what HR says: no longer in service today. A reason that closes without a last day has closed.
    fn is_over(&self, status: Option<EmploymentStatus>, end: Option<Day>, reason: Option<&str>) -> bool {
        status == Some(EmploymentStatus::Terminated)
            || end.is_some_and(|last| last < self.today)
            || match reason.and_then(|code| self.reasons.effect(code)) {
                Some(Effect::CloseNow | Effect::Withdraw) => true,
                Some(Effect::Close) => end.is_none(),
                _ => false,
            }
    }

    pub fn has_left(&self, person: &Person) -> bool {
        self.is_over(person.status, person.employment_end, person.reason_code.as_deref())
    }

    /// Who keeps the records of the person.
    pub fn personnel_unit_of(&self, person: &Person) -> Option<UnitCode> {
        person.posting_on(self.today).and_then(|p| self.units.personnel_unit(p.unit))
    }

    pub fn issue(&self, fault: Fault, about: &RegistryNo, personnel_unit: Option<UnitCode>) -> DataIssue {
        DataIssue {
            registry_no: Some(about.clone()),
            personnel_unit,
            field: fault.field.map(|f| f.name().to_owned()),
            line: fault.line,
            source: Some(self.source.to_owned()),
            said: fault.said,
            ..DataIssue::new(fault.kind, fault.message)
        }
    }
}

/// A fault, before it is known whom it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub kind: IssueKind,
    pub field: Option<Field>,
    pub line: Option<u32>,
    pub message: String,
    /// The rows are not taken: what was known stays.
    pub rejects: bool,
    /// As [`DataIssue::said`].
    pub said: Option<String>,
}

impl Fault {
    pub fn new(kind: IssueKind, field: impl Into<Option<Field>>, line: u32, message: impl Into<String>) -> Fault {
        Fault { kind, field: field.into(), line: Some(line), message: message.into(), rejects: false, said: None }
    }
    pub fn rejecting(self) -> Fault {
        Fault { rejects: true, ..self }
    }
}

/// What a cell says of a value.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Said<T> {
    /// The column is absent: what is known stays.
    #[default]
    Nothing,
    /// The cell is empty: there is none.
    Empty,
    /// It cannot be read; a fault says so.
    Doubtful,
    Value(T),
}

impl<T> Said<T> {
    /// Laid over what is known: an absent column and an unreadable cell keep it, an empty cell clears it.
    pub fn over(self, known: Option<T>) -> Option<T> {
        match self {
            Said::Nothing | Said::Doubtful => known,
            Said::Empty => None,
            Said::Value(value) => Some(value),
        }
    }
    pub fn value(&self) -> Option<&T> {
        match self {
            Said::Value(value) => Some(value),
            _ => None,
        }
    }
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Said<U> {
        match self {
            Said::Nothing => Said::Nothing,
            Said::Empty => Said::Empty,
            Said::Doubtful => Said::Doubtful,
            Said::Value(value) => Said::Value(f(value)),
        }
    }
}

/// Rows of one person, read and laid over what is known.
#[derive(Clone, Debug)]
pub struct Settled {
    pub person: Person,
    pub national_id: Option<NationalId>,
    pub faults: Vec<Fault>,
}

#[cfg(test)]
mod tests;
