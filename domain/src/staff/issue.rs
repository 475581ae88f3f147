//! Data issues: faults in what HR says, each with who can mend it. An issue that is no longer found is resolved by itself.
use super::person::RegistryNo;
use super::unit::UnitCode;
use crate::id::PersonId;
use serde::{Deserialize, Serialize};

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
    /// A card's value that was longer than its attribute.
    CardValueCut => CardField,
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
        IssueKind::AddressPolicy,
        IssueKind::ForeignMailbox,
        IssueKind::PhoneConflict,
    ];

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
