//! Why something is done, in words that the personnel unit and the person would use.
use crate::day::Day;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    NewInHr {
        start: Day,
        reason: Option<Arc<str>>,
    },
    FirstDay {
        start: Day,
    },
    ExistingAccount {
        by: Arc<str>,
    },
    Returned {
        reason: Option<Arc<str>>,
    },
    BackInService {
        reason: Option<Arc<str>>,
    },
    Leave {
        status: Arc<str>,
        reason: Option<Arc<str>>,
    },
    LeftService {
        last_day: Option<Day>,
        reason: Option<Arc<str>>,
    },
    ClosedAtOnce {
        reason: Option<Arc<str>>,
    },
    HireTakenBack {
        reason: Option<Arc<str>>,
    },
    Transfer {
        to: Arc<str>,
        from: Arc<str>,
        reason: Option<Arc<str>>,
    },
    Secondment {
        to: Arc<str>,
        until: Option<Day>,
    },
    SecondmentOver {
        back_to: Arc<str>,
    },
    /// The unit has another name, place or number; nobody was transferred.
    UnitChanged {
        unit: Arc<str>,
    },
    NewName {
        from: Arc<str>,
    },
    NewCard {
        reason: Option<Arc<str>>,
    },
    /// Another head of the unit, another one named by HR, or the manager's account is only now there.
    NewManager,
    /// Somebody changed in the directory what Kimlik owns.
    ChangedByHand {
        what: Arc<str>,
    },
    /// The birthright of the unit.
    Birthright {
        unit: Arc<str>,
    },
    /// So long earlier addresses have gone on taking mail.
    AliasesLapsed {
        addresses: Arc<str>,
    },
    /// So long a leaver's mailbox has gone on taking mail.
    RetentionOver {
        since: Day,
    },
    /// Somebody ordered it, whatever HR says.
    SuspendedByOrder {
        by: Arc<str>,
        reason: Arc<str>,
    },
    /// An order to suspend was lifted.
    ReinstatedByOrder {
        by: Arc<str>,
        reason: Arc<str>,
    },
    /// Somebody ordered another user name or address.
    RenamedByOrder {
        by: Arc<str>,
        reason: Arc<str>,
    },
    /// Somebody ordered that an existing account is this person's.
    AdoptedByOrder {
        by: Arc<str>,
        reason: Arc<str>,
    },
    /// Left over from an action that was interrupted.
    Unfinished,
}

struct Code<'a>(&'a Option<Arc<str>>);
impl fmt::Display for Code<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(code) => write!(f, " (HR reason {code})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Because::NewInHr { start, reason } => write!(f, "new in HR, in service from {start}{}", Code(reason)),
            Because::FirstDay { start } => write!(f, "first day in service {start}"),
            Because::ExistingAccount { by } => write!(f, "existing account found by {by}"),
            Because::Returned { reason } => write!(f, "returned to service{}", Code(reason)),
            Because::BackInService { reason } => write!(f, "back in service{}", Code(reason)),
            Because::Leave { status, reason } => write!(f, "{status}{}", Code(reason)),
            Because::LeftService { last_day: Some(day), reason } => write!(f, "last day in service {day}{}", Code(reason)),
            Because::LeftService { last_day: None, reason } => write!(f, "left service{}", Code(reason)),
            Because::ClosedAtOnce { reason } => write!(f, "to be closed at once{}", Code(reason)),
            Because::HireTakenBack { reason } => write!(f, "hire taken back{}", Code(reason)),
            Because::Transfer { to, from, reason } => write!(f, "transfer to {to} from {from}{}", Code(reason)),
            Because::Secondment { to, until: Some(day) } => write!(f, "seconded to {to} until {day}"),
            Because::Secondment { to, until: None } => write!(f, "seconded to {to}"),
            Because::SecondmentOver { back_to } => write!(f, "secondment over, back to {back_to}"),
            Because::UnitChanged { unit } => write!(f, "unit {unit} changed"),
            Because::NewName { from } => write!(f, "new name, formerly {from}"),
            Because::NewManager => f.write_str("the manager is another one"),
            Because::NewCard { reason } => write!(f, "HR's record changed{}", Code(reason)),
            Because::ChangedByHand { what } => write!(f, "{what} changed by hand in the directory"),
            Because::Birthright { unit } => write!(f, "birthright of {unit}"),
            Because::AliasesLapsed { addresses } => write!(f, "earlier addresses have been kept for their term: {addresses}"),
            Because::RetentionOver { since } => write!(f, "the mailbox's retention ended on {since}"),
            Because::SuspendedByOrder { by, reason } => write!(f, "ordered by {by}: {reason}"),
            Because::ReinstatedByOrder { by, reason } => write!(f, "order lifted by {by}: {reason}"),
            Because::RenamedByOrder { by, reason } => write!(f, "ordered by {by}: {reason}"),
            Because::AdoptedByOrder { by, reason } => write!(f, "ordered by {by}: {reason}"),
            Because::Unfinished => f.write_str("left unfinished by an interruption"),
        }
    }
}
