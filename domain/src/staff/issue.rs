//! Data issues: faults in what HR says, each with who can mend it. An issue that is no longer found is resolved by itself.
use super::person::RegistryNo;
use super::unit::UnitCode;
use crate::day::{self, Day};
use crate::id::PersonId;
use chrono::{DateTime, Days, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident => $blocks:ident),* $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        pub enum IssueKind { $($(#[$doc])* $variant),* }
        impl IssueKind {
            pub const ALL: &'static [IssueKind] = &[$(IssueKind::$variant),*];
            /// What does not happen while the issue stands.
            pub const fn blocks(self) -> Blocked { match self { $(IssueKind::$variant => Blocked::$blocks),* } }
        }
    };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Blocked {
    Nothing,
    /// The whole row: what was known of the person stays.
    Row,
    Opening,
    Announcement,
    Move,
    CardField,
    /// Every change of the account.
    Account,
    /// The whole delivery.
    Feed,
}

kinds! {
    // rows
    UnreadableRow => Row, MissingRegistryNo => Row, MissingName => Row, InvalidDate => Row, InvalidValue => CardField,
    /// Text decoded with the wrong table.
    Mojibake => Row,
    /// A word where only certain words may stand (status, kind of posting): a guess could close or move somebody.
    UnknownWord => Row,
    InvalidNationalId => Opening, MissingNationalId => Nothing,
    /// One registry number, two national ids; or one national id on two people of whom neither has left.
    DuplicatePerson => Row,
    ContradictoryRows => Row,
    StaleRow => Row,
    DatesOutOfOrder => Row,
    MissingStart => Opening,
    MissingMobile => Announcement, DoubtfulMobile => Announcement, SharedMobile => Nothing, DoubtfulWorkPhone => CardField,
    UnknownUnit => Move, MissingUnit => Opening,
    UnknownReason => Account, ReasonHolds => Account,
    UnknownManager => CardField, ManagerCircle => CardField,
    TextTooLong => CardField,
    // units
    UnitShortName => CardField, UnitCircle => CardField, UnknownParent => CardField, InvalidUnit => Row,
    /// A value of a unit that was not taken, or not whole. Why not InvalidValue: that one is about people, and is resolved with them.
    InvalidUnitField => CardField,
    // feed
    FeedEmpty => Feed, FeedShrunken => Nothing, FeedMostlyRejected => Feed, AbsentFromSnapshot => Nothing, FeedUnreadable => Feed,
    // accounts
    NoOrganizationalUnit => Nothing, NoNameLeft => Opening, PossibleAccount => Opening,
    AccountNotFound => Account, ProtectedAccount => Account,
    /// Alarm: a leaver whose account Kimlik may not touch is still enabled.
    ProtectedLeaver => Account,
    /// An active account that somebody disabled in the directory: Kimlik does not enable it again.
    DisabledByHand => Nothing,
    /// Messages to the mobile number do not arrive, and will not.
    UndeliverableMobile => Announcement,
    /// The mail server does not take messages to the address that the account has.
    UndeliverableMail => Nothing,
    /// A phone was changed here, and HR says otherwise or does not take it.
    PhoneConflict => Nothing,
    /// A card's value that its attribute does not hold: longer, or no number.
    CardValueCut => CardField,
    /// HR's photo is none that the directory takes, or is not there.
    PhotoUnusable => CardField,
    /// An e-mail address policy of Exchange writes other addresses than Kimlik's.
    AddressPolicy => CardField,
    /// A mailbox of another kind than the settings make.
    ForeignMailbox => CardField,
    /// A mailbox that is waited for longer than it should be.
    MailboxOverdue => Nothing,
    /// Whoever makes mailboxes will not do what is asked, as things are.
    MailboxRefused => Nothing,
    /// An address that two objects of the directory carry: mail to it goes to one of them, or to nobody.
    DuplicateAddress => CardField,
    ForeignGroups => Nothing, DirectoryRefused => Account, DuplicateEmployeeId => Account,
}

impl IssueKind {
    /// Found while planning: each look at a person finds them again or resolves them.
    pub const OF_PLANNING: &'static [IssueKind] = &[
        IssueKind::NoOrganizationalUnit,
        IssueKind::NoNameLeft,
        IssueKind::PossibleAccount,
        IssueKind::AccountNotFound,
        IssueKind::ProtectedAccount,
        IssueKind::ProtectedLeaver,
        IssueKind::DisabledByHand,
        IssueKind::ForeignGroups,
        IssueKind::DuplicateEmployeeId,
        IssueKind::CardValueCut,
        IssueKind::PhotoUnusable,
        IssueKind::AddressPolicy,
        IssueKind::ForeignMailbox,
        IssueKind::PhoneConflict,
    ];

    /// Days within which it should be mended, where no setting says otherwise: what keeps somebody from working comes first.
    pub fn usual_days(self) -> u32 {
        match self.blocks() {
            _ if self.alarms() => 0,
            Blocked::Feed | Blocked::Opening | Blocked::Announcement => 1,
            Blocked::Row | Blocked::Account | Blocked::Move => 3,
            Blocked::CardField => 10,
            Blocked::Nothing => 30,
        }
    }

    /// Somebody has to act now: shown first, logged as an error.
    pub fn alarms(self) -> bool {
        matches!(self, IssueKind::ProtectedLeaver | IssueKind::AccountNotFound | IssueKind::FeedEmpty | IssueKind::FeedMostlyRejected)
    }

    pub fn name(self) -> String {
        serde_json::to_value(self).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
    }

    pub fn parse(name: &str) -> Option<IssueKind> {
        IssueKind::ALL.iter().copied().find(|k| k.name() == name)
    }
}

/// Within how many days issues are to be mended: of a kind what was set, else what is usual.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MendTerms(pub BTreeMap<IssueKind, u32>);

impl MendTerms {
    /// The last day on which an issue that began at `since` is mended in time.
    pub fn mend_by(&self, kind: IssueKind, since: DateTime<Utc>) -> Day {
        let days = self.0.get(&kind).copied().unwrap_or_else(|| kind.usual_days());
        let began = day::today(since);
        began.checked_add_days(Days::new(days.into())).unwrap_or(began)
    }
}

/// What somebody may decide of an issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssueDecision {
    /// It is taken as it is: what it stopped may go on.
    AcceptAsItIs,
    /// The account that was found is somebody else's: this person gets an own one.
    NotTheSamePerson,
}

/// One fault. (kind, person or registry number or unit or feed, field) is its key: found again, it is the same issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataIssue {
    pub kind: IssueKind,
    pub person: Option<PersonId>,
    pub registry_no: Option<RegistryNo>,
    pub unit: Option<UnitCode>,
    /// Who can mend it; `None`: the head office's administrators.
    pub personnel_unit: Option<UnitCode>,
    pub field: Option<String>,
    /// Line of the file, where it comes from one.
    pub line: Option<u32>,
    pub source: Option<String>,
    /// What a decision is about, where it is about one value and no other: the mark of a national id, cut short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// In plain words, without the national id and without whole phone numbers.
    pub message: String,
}

impl DataIssue {
    pub fn new(kind: IssueKind, message: impl Into<String>) -> DataIssue {
        DataIssue {
            kind,
            person: None,
            registry_no: None,
            unit: None,
            personnel_unit: None,
            field: None,
            line: None,
            source: None,
            said: None,
            message: message.into(),
        }
    }

    /// May somebody take it as it is? Not where rows were refused and a decision would only hide that; a national id that HR has
    /// corrected is one that somebody has to decide.
    pub fn can_be_accepted(&self) -> bool {
        match self.kind.blocks() {
            Blocked::Row | Blocked::Feed => self.said.is_some(),
            _ => true,
        }
    }

    /// What may be decided of it; empty: it has to be mended.
    pub fn decisions(&self) -> &'static [IssueDecision] {
        match self.kind {
            IssueKind::PossibleAccount => &[IssueDecision::NotTheSamePerson],
            _ if self.can_be_accepted() => &[IssueDecision::AcceptAsItIs],
            _ => &[],
        }
    }

    /// What makes two findings the same issue.
    pub fn key(&self) -> String {
        let about = match (&self.registry_no, &self.unit) {
            (Some(no), _) => no.to_string(),
            (None, Some(unit)) => unit.to_string(),
            (None, None) => match (self.person, self.line) {
                (Some(person), _) => person.to_string(),
                (None, Some(line)) => format!("{}:{line}", self.source.as_deref().unwrap_or("")),
                (None, None) => String::new(),
            },
        };
        format!("{}|{about}|{}", self.kind.name(), self.field.as_deref().unwrap_or(""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_somebody_from_working_is_to_be_mended_first_and_a_setting_counts_more() {
        let since: DateTime<Utc> = "2026-11-27T22:30:00Z".parse().unwrap();
        let usual = |kind| MendTerms::default().mend_by(kind, since).to_string();
        assert_eq!(usual(IssueKind::MissingMobile), "2026-11-29", "begun on the 28th, in Istanbul");
        assert_eq!(usual(IssueKind::ProtectedLeaver), "2026-11-28", "at once");
        assert_eq!(usual(IssueKind::TextTooLong), "2026-12-08");
        let own = MendTerms([(IssueKind::MissingMobile, 5)].into());
        assert_eq!(own.mend_by(IssueKind::MissingMobile, since).to_string(), "2026-12-03");
    }

    #[test]
    fn nothing_is_accepted_that_would_only_be_hidden_and_a_possible_account_is_somebody_else_s_or_not() {
        let of = |kind| DataIssue::new(kind, "").decisions();
        assert_eq!(of(IssueKind::Mojibake), []);
        assert_eq!(of(IssueKind::PossibleAccount), [IssueDecision::NotTheSamePerson]);
        assert_eq!(of(IssueKind::ForeignGroups), [IssueDecision::AcceptAsItIs]);
        let said = DataIssue { said: Some("ab".into()), ..DataIssue::new(IssueKind::DuplicatePerson, "") };
        assert_eq!(said.decisions(), [IssueDecision::AcceptAsItIs], "a national id that HR has corrected");
    }
}
