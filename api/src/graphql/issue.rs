//! Data issues: faults in what HR says, with who can mend each.
use super::card::{IdentityCard, of_person};
use super::error::{Maybe, fault};
use super::page::{self, Cursor, Page};
use super::scalar::RegistryNumber;
use super::unit::Unit;
use super::{allows, house, id, permitted};
use async_graphql::{Context, Enum, ID, Object, Result};
use chrono::{DateTime, Utc};
use kimlik_domain::access::{About, Deed};
use kimlik_domain::card::tree::UnitTree;
use kimlik_domain::id::IssueId;
use kimlik_domain::ports::OpenIssue;
use kimlik_domain::staff::RegistryNo;
use std::sync::Arc;
use uuid::Uuid;

#[derive(Default)]
pub struct IssueQuery;

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
    /// A value of the card that is longer than the address book holds, and was cut.
    CardValueCut,
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

/// A fault in what HR says.
pub struct DataIssue {
    open: OpenIssue,
    tree: Arc<UnitTree>,
}

#[Object]
/// A fault in what HR says. It goes away by itself when it is no longer found.
impl DataIssue {
    /// Of this issue.
    pub async fn id(&self) -> ID {
        id::encode(id::ISSUE, self.open.id.0)
    }
    /// What is wrong.
    async fn kind(&self) -> DataIssueKind {
        self.open.issue.kind.into()
    }
    /// In plain words, without national ids and whole phone numbers.
    async fn message(&self) -> &str {
        &self.open.issue.message
    }
    /// What does not happen meanwhile.
    async fn blocks(&self) -> BlockedStep {
        self.open.issue.kind.blocks().into()
    }
    /// Somebody has to act now.
    async fn alarm(&self) -> bool {
        self.open.issue.kind.alarms()
    }
    /// Sicil no, where it is about a person.
    async fn registry_number(&self) -> Option<RegistryNumber> {
        self.open.issue.registry_no.clone().map(RegistryNumber)
    }
    /// The column of the feed.
    async fn field(&self) -> Option<&str> {
        self.open.issue.field.as_deref()
    }
    /// The line of the file.
    async fn line(&self) -> Option<u32> {
        self.open.issue.line
    }
    /// The file or address.
    async fn source(&self) -> Option<&str> {
        self.open.issue.source.as_deref()
    }
    /// Who has to mend it; null: the administrators of head office.
    async fn personnel_unit(&self) -> Option<Unit> {
        self.tree.units().get(self.open.issue.personnel_unit?).cloned().map(Unit)
    }
    /// Since when it stands.
    async fn since(&self) -> DateTime<Utc> {
        self.open.since
    }
    /// About whom.
    #[graphql(complexity = "5 + child_complexity")]
    async fn card(&self, ctx: &Context<'_>) -> Maybe<IdentityCard> {
        match self.open.issue.person {
            Some(person) => of_person(ctx, person).await.transpose(),
            None => None,
        }
    }
}

#[Object]
impl IssueQuery {
    /// What is wrong in what HR says, oldest first; a personnel officer sees what is about the own people and units.
    #[graphql(complexity = "page::size(first) * child_complexity + 5")]
    async fn data_issues(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before.")] after: Option<String>,
    ) -> Maybe<Page<DataIssue>> {
        if !allows(ctx, Deed::ReadIssue, About::List) {
            return None;
        }
        Some(issues(ctx, first, after.as_deref()).await)
    }
}

/// By its id, where the caller may read it.
pub async fn one(ctx: &Context<'_>, id: Uuid) -> Result<Option<DataIssue>> {
    if !allows(ctx, Deed::ReadIssue, About::List) {
        return Ok(None);
    }
    let house = house(ctx)?;
    let found = house.store.issues(Some(IssueId(id::below(id))), 1).await.map_err(|e| fault(ctx, &e))?;
    let found: Vec<OpenIssue> = found.into_iter().filter(|issue| issue.id.0 == id).collect();
    let Some(open) = of_them(ctx, found).await?.pop() else { return Ok(None) };
    let tree = house.cards.tree().await.map_err(|e| fault(ctx, &e))?;
    Ok(Some(DataIssue { open, tree }))
}

async fn issues(ctx: &Context<'_>, first: Option<i32>, after: Option<&str>) -> Result<Page<DataIssue>> {
    let house = house(ctx)?;
    let wanted = page::first(first)?;
    let after = page::after(id::ISSUE, after)?.map(IssueId);
    let found = visible(ctx, after, wanted as usize + 1).await?;
    let tree = house.cards.tree().await.map_err(|e| fault(ctx, &e))?;
    Ok(page::page(found, wanted, after.is_some(), |open| {
        (Cursor(id::encode(id::ISSUE, open.id.0).0), DataIssue { open, tree: tree.clone() })
    }))
}

/// Issues read at once where only some of them may be seen.
const BATCH: u32 = 500;

/// Those that the caller may see, in their order, until there are enough.
async fn visible(ctx: &Context<'_>, mut after: Option<IssueId>, enough: usize) -> Result<Vec<OpenIssue>> {
    let everything = allows(ctx, Deed::ReadIssue, About::Everything);
    let batch = if everything { u32::try_from(enough).unwrap_or(BATCH) } else { BATCH };
    let mut seen = Vec::new();
    loop {
        let found = house(ctx)?.store.issues(after, batch).await.map_err(|e| fault(ctx, &e))?;
        if everything {
            return Ok(found);
        }
        let is_last = found.len() < batch as usize;
        after = found.last().map(|i| i.id);
        seen.extend(of_them(ctx, found).await?);
        if is_last || seen.len() >= enough {
            return Ok(seen);
        }
    }
}

/// Those of `found` that the caller may see.
async fn of_them(ctx: &Context<'_>, mut found: Vec<OpenIssue>) -> Result<Vec<OpenIssue>> {
    if !allows(ctx, Deed::ReadIssue, About::Everything) {
        let people = permitted(ctx, Deed::ReadIssue, found.iter().filter_map(|i| i.issue.person)).await?;
        found.retain(|i| match (i.issue.person, i.issue.personnel_unit) {
            (Some(person), _) => people.contains(&person),
            (None, Some(unit)) => allows(ctx, Deed::ReadIssue, About::Unit(unit)),
            (None, None) => false,
        });
    }
    Ok(found)
}

/// Open ones about one person, for who may read them.
pub async fn about(ctx: &Context<'_>, registry_no: &RegistryNo) -> Result<Vec<DataIssue>> {
    let house = house(ctx)?;
    let found = house.records.issues_about(registry_no).await.map_err(|e| fault(ctx, &e))?;
    let tree = house.cards.tree().await.map_err(|e| fault(ctx, &e))?;
    Ok(found.into_iter().map(|open| DataIssue { open, tree: tree.clone() }).collect())
}
