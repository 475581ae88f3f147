//! What can be wrong in what HR says, and what does not happen meanwhile.
use async_graphql::Enum;

/// What is wrong.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::staff::IssueKind")]
pub enum DataIssueKind {
    /// The row cannot be split into cells.
    UnreadableRow,
    /// A row without a registry number.
    MissingRegistryNo,
    /// A row without a name.
    MissingName,
    /// A date that there is not.
    InvalidDate,
    /// A value that is none of those known.
    InvalidValue,
    /// Text decoded with the wrong table.
    Mojibake,
    /// A word where only certain words may stand.
    UnknownWord,
    /// A national id with wrong check digits.
    InvalidNationalId,
    /// No national id.
    MissingNationalId,
    /// One registry number with two national ids, or one national id on two people.
    DuplicatePerson,
    /// Rows of one person that do not agree.
    ContradictoryRows,
    /// A row older than what is known.
    StaleRow,
    /// An end before its start.
    DatesOutOfOrder,
    /// No first day in service.
    MissingStart,
    /// No mobile number: the announcement waits.
    MissingMobile,
    /// A mobile number that cannot take a text.
    DoubtfulMobile,
    /// One mobile number on several people.
    SharedMobile,
    /// A work phone that is no number.
    DoubtfulWorkPhone,
    /// A unit that is not in the feed.
    UnknownUnit,
    /// No unit.
    MissingUnit,
    /// A reason code that nobody has explained to Kimlik.
    UnknownReason,
    /// A reason code that a person has to decide.
    ReasonHolds,
    /// A manager who is not known.
    UnknownManager,
    /// Managers in a circle.
    ManagerCircle,
    /// Longer than the directory takes.
    TextTooLong,
    /// A unit without a name that fits the address book.
    UnitShortName,
    /// Units in a circle.
    UnitCircle,
    /// A unit below one that is not in the feed.
    UnknownParent,
    /// A unit that cannot be read.
    InvalidUnit,
    /// A value of a unit that was not taken, or not whole.
    InvalidUnitField,
    /// A delivery without anybody in it.
    FeedEmpty,
    /// A delivery with far fewer people than before.
    FeedShrunken,
    /// A delivery most of whose rows are wrong.
    FeedMostlyRejected,
    /// A person who is no longer in the feed; nobody is closed for that.
    AbsentFromSnapshot,
    /// A delivery that cannot be read.
    FeedUnreadable,
    /// No rule places the unit, or its place is not there.
    NoOrganizationalUnit,
    /// No user name can be made.
    NoNameLeft,
    /// An existing account that may be this person's.
    PossibleAccount,
    /// A known account that cannot be found.
    AccountNotFound,
    /// An account that Kimlik must not touch.
    ProtectedAccount,
    /// A leaver whose account Kimlik must not touch is still enabled.
    ProtectedLeaver,
    /// An active account that somebody disabled in the directory: Kimlik does not enable it again.
    DisabledByHand,
    /// Messages to the mobile number do not arrive, and will not: another number is needed.
    UndeliverableMobile,
    /// The mail server does not take messages to the address that the account has: the mailbox is missing, or full.
    UndeliverableMail,
    /// A phone was changed in Kimlik, and HR says otherwise or does not take it.
    PhoneConflict,
    /// A value of the card that the address book does not hold: longer, and cut, or no number where one is wanted, and left out.
    CardValueCut,
    /// HR's photo cannot be written: neither JPEG nor PNG, larger than 102,400 octets, or not in the folder of photos.
    PhotoUnusable,
    /// An e-mail address policy of Exchange writes other addresses than Kimlik's.
    AddressPolicy,
    /// A mailbox of another kind than the settings make.
    ForeignMailbox,
    /// A mailbox that is waited for longer than it should be.
    MailboxOverdue,
    /// Whoever makes mailboxes will not do what is asked, as things are.
    MailboxRefused,
    /// An address that two objects of the directory carry: mail to it goes to one of them, or to nobody.
    DuplicateAddress,
    /// Groups that somebody else gave, to be reviewed after a transfer.
    ForeignGroups,
    /// The directory refused a change.
    DirectoryRefused,
    /// Two accounts with one registry number.
    DuplicateEmployeeId,
}

/// What does not happen while an issue stands.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::staff::Blocked")]
pub enum BlockedStep {
    /// Nothing: it is only to be looked at.
    Nothing,
    /// The whole row: what was known stays.
    Row,
    /// The opening of an account.
    Opening,
    /// The text to the person.
    Announcement,
    /// The move to another place.
    Move,
    /// One field of the card.
    CardField,
    /// Every change of the account.
    Account,
    /// The whole delivery.
    Feed,
}
