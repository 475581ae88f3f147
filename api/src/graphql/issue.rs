//! Data issues: faults in what HR says, with who can mend each.
use super::card::{IdentityCard, of_person};
use super::error::{Maybe, bad_input, fault};
use super::issue_decide::DataIssueDecision;
use super::issue_kind::{BlockedStep, DataIssueKind};
use super::page::{self, Cursor, Page};
use super::scalar::{Date, RegistryNumber, UnitCode};
use super::staff::{StaffMember, member_of, members_asked};
use super::unit::Unit;
use super::{allows, fault_words, house, id, language, permitted, window};
use async_graphql::connection::Edge;
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use kimlik_domain::access::{About, Deed};
use kimlik_domain::card::tree::UnitTree;
use kimlik_domain::day;
use kimlik_domain::id::{IssueId, PersonId};
use kimlik_domain::page::Place;
use kimlik_domain::ports::{IssueFilter, ListedIssue, OpenIssue, Urgency};
use kimlik_domain::staff::records::IssueDay;
use kimlik_domain::staff::{self, issue_message};
use std::collections::HashSet;
use std::sync::Arc;
use uuid::Uuid;

#[derive(Default)]
pub struct IssueQuery;

/// A fault in what HR says.
pub struct DataIssue {
    open: OpenIssue,
    keeps_newcomer_waiting: bool,
    mend_by: NaiveDate,
    overdue: bool,
    tree: Arc<UnitTree>,
    /// Read with the page; `None`: not yet, or the caller may not.
    member: Option<StaffMember>,
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
    /// What its kind means, in the caller's language.
    async fn explanation(&self, ctx: &Context<'_>) -> &'static str {
        fault_words::of(self.open.issue.kind, language(ctx))
    }
    /// What exactly was found, in plain words and the caller's language, without national ids and whole phone numbers.
    async fn message(&self, ctx: &Context<'_>) -> String {
        issue_message::said(&self.open.issue.message, language(ctx).into())
    }
    /// What does not happen meanwhile.
    async fn blocks(&self) -> BlockedStep {
        self.open.issue.kind.blocks().into()
    }
    /// Somebody has to act now.
    async fn alarm(&self) -> bool {
        self.open.issue.kind.alarms()
    }
    /// A new account works, and its owner cannot be told because of this: these come first.
    async fn keeps_newcomer_waiting(&self) -> bool {
        self.keeps_newcomer_waiting
    }
    /// The last day on which it is mended in time, by the setting for its kind.
    async fn mend_by(&self) -> Date {
        Date(self.mend_by)
    }
    /// That day is over.
    async fn overdue(&self) -> bool {
        self.overdue
    }
    /// What dataIssueDecide takes; empty: it has to be mended where it comes from.
    async fn decisions(&self) -> Vec<DataIssueDecision> {
        self.open.issue.decisions().iter().copied().map(Into::into).collect()
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
    /// The record of whom it is about, with phones and account. Who may read it; others see null. The reading of another person's is
    /// recorded.
    #[graphql(complexity = "5 + child_complexity")]
    async fn staff_member(&self, ctx: &Context<'_>) -> Maybe<StaffMember> {
        match (&self.member, self.open.issue.person) {
            (Some(member), _) => Some(Ok(member.clone())),
            (None, Some(person)) => member_of(ctx, person).await.transpose(),
            (None, None) => None,
        }
    }
}

/// Which data issues; all that is said must fit.
#[derive(InputObject)]
pub struct DataIssueFilter {
    /// One of these kinds.
    kinds: Option<Vec<DataIssueKind>>,
    /// What stops one of these.
    blocks: Option<Vec<BlockedStep>>,
    /// About people who worked in one of these when it was found, or about the unit itself.
    units: Option<Vec<UnitCode>>,
    /// Or in the units below them.
    #[graphql(default_with = "Some(true)")]
    include_subunits: Option<bool>,
    /// Sicil no: about this person.
    registry_number: Option<RegistryNumber>,
    /// Only what should have been mended by now.
    #[graphql(default_with = "Some(false)")]
    overdue: Option<bool>,
}

/// What became of data issues on one day.
#[derive(SimpleObject)]
pub struct DataIssueDay {
    /// The day, in Türkiye.
    date: Date,
    /// How many began.
    opened: u32,
    /// How many ended: mended, or decided.
    closed: u32,
    /// How many were open at its end; of today: are open now.
    open: u32,
}

impl From<IssueDay> for DataIssueDay {
    fn from(day: IssueDay) -> DataIssueDay {
        DataIssueDay { date: Date(day.day), opened: day.opened, closed: day.closed, open: day.open }
    }
}

#[Object]
impl IssueQuery {
    /// What is wrong in what HR says. First what keeps a newcomer from being told, then what alarms, then the rest, each the oldest
    /// first. A personnel officer sees what is about the own people and units.
    #[graphql(complexity = "page::cost(__ctx, __variables_definition, __field, child_complexity)")]
    async fn data_issues(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only these; null: all.")] filter: Option<DataIssueFilter>,
        #[graphql(desc = "How many, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before.")] after: Option<String>,
    ) -> Maybe<Page<DataIssue>> {
        if !allows(ctx, Deed::ReadIssue, About::List) {
            return None;
        }
        Some(issues(ctx, filter, first, after.as_deref()).await)
    }

    /// How many data issues began and ended day by day, the oldest day first: of a unit, or of everything that the caller is
    /// responsible for. Null: the caller may not see the unit's, or there is none.
    #[graphql(complexity = "100")]
    async fn data_issue_trend(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The unit; null: all of the caller's.")] unit: Option<UnitCode>,
        #[graphql(desc = "And the units below it.", default_with = "Some(true)")] include_subunits: Option<bool>,
        #[graphql(desc = "How many days up to today, at most 366.", default = 30)] days: Option<i32>,
    ) -> Maybe<Vec<DataIssueDay>> {
        if !allows(ctx, Deed::ReadIssue, About::List) {
            return None;
        }
        trend(ctx, unit.map(|unit| unit.0), include_subunits.unwrap_or(true), days.unwrap_or(30)).await.transpose()
    }
}

const ISSUE: &str = "issue";
const MOST_VALUES: usize = 1_000;

/// As the store is asked.
struct AskedIssues {
    filter: IssueFilter,
    overdue: bool,
    /// Nothing can fit.
    is_nothing: bool,
}

fn asked(filter: Option<DataIssueFilter>, tree: &UnitTree) -> Result<AskedIssues> {
    let Some(filter) = filter else {
        return Ok(AskedIssues { filter: IssueFilter::default(), overdue: false, is_nothing: false });
    };
    let sizes = [filter.kinds.as_ref().map(Vec::len), filter.blocks.as_ref().map(Vec::len), filter.units.as_ref().map(Vec::len)];
    if sizes.into_iter().flatten().any(|n| n > MOST_VALUES) {
        return Err(bad_input(format!("filter: at most {MOST_VALUES} values of a kind.")));
    }
    let all = staff::IssueKind::ALL.iter().copied();
    let named: Option<HashSet<staff::IssueKind>> = filter.kinds.map(|kinds| kinds.into_iter().map(Into::into).collect());
    let blocked: Option<HashSet<staff::Blocked>> = filter.blocks.map(|steps| steps.into_iter().map(Into::into).collect());
    let is_any = named.is_none() && blocked.is_none();
    let kinds: Vec<staff::IssueKind> = all
        .filter(|kind| named.as_ref().is_none_or(|n| n.contains(kind)) && blocked.as_ref().is_none_or(|b| b.contains(&kind.blocks())))
        .collect();
    let units: Option<Vec<_>> = filter.units.map(|units| {
        let roots: Vec<_> = units.into_iter().map(|unit| unit.0).collect();
        tree.within(&roots, filter.include_subunits.unwrap_or(true)).into_iter().collect()
    });
    let is_nothing = kinds.is_empty() || units.as_ref().is_some_and(Vec::is_empty);
    let kinds = if is_any { Vec::new() } else { kinds };
    let registry_no = filter.registry_number.map(|no| no.0);
    let filter_of = IssueFilter { kinds, units: units.unwrap_or_default(), registry_no, ..IssueFilter::default() };
    Ok(AskedIssues { filter: filter_of, overdue: filter.overdue.unwrap_or_default(), is_nothing })
}

async fn issues(ctx: &Context<'_>, filter: Option<DataIssueFilter>, first: Option<i32>, after: Option<&str>) -> Result<Page<DataIssue>> {
    let wanted = page::first(first)? as usize;
    let after = after.map(|text| window::read(ISSUE, text).as_ref().and_then(written).ok_or_else(page::foreign)).transpose()?;
    let tree = house(ctx)?.cards.tree().await.map_err(|e| fault(ctx, &e))?;
    let asked = asked(filter, &tree)?;
    let mut found = if asked.is_nothing { Vec::new() } else { visible(ctx, &asked, after, wanted + 1).await? };
    let mut page = Page::new(after.is_some(), found.len() > wanted);
    found.truncate(wanted);
    let members = members_asked(ctx, found.iter().filter_map(|listed| listed.open.issue.person)).await?;
    for listed in found {
        let cursor: Cursor = window::write(ISSUE, &place(&listed));
        let member = listed.open.issue.person.and_then(|person| members.get(&person).cloned());
        page.edges.push(Edge::new(cursor, DataIssue { member, ..shown(ctx, listed.open, listed.urgency, &tree)? }));
    }
    Ok(page)
}

fn place(listed: &ListedIssue) -> Place {
    let at = match listed.urgency {
        Urgency::KeepsNewcomerWaiting => 0,
        Urgency::Alarm => 1,
        Urgency::Usual => 2,
    };
    Place { key: vec![at], id: listed.open.id.0.as_u128() }
}

fn written(place: &Place) -> Option<(Urgency, IssueId)> {
    let urgency = match place.key.as_slice() {
        [0] => Urgency::KeepsNewcomerWaiting,
        [1] => Urgency::Alarm,
        [2] => Urgency::Usual,
        _ => return None,
    };
    Some((urgency, IssueId(Uuid::from_u128(place.id))))
}

pub fn shown(ctx: &Context<'_>, open: OpenIssue, urgency: Urgency, tree: &Arc<UnitTree>) -> Result<DataIssue> {
    let house = house(ctx)?;
    let mend_by = house.config.issues.terms().mend_by(open.issue.kind, open.since);
    let overdue = mend_by < day::today(house.clock.now());
    let keeps_newcomer_waiting = urgency == Urgency::KeepsNewcomerWaiting;
    Ok(DataIssue { open, keeps_newcomer_waiting, mend_by, overdue, tree: tree.clone(), member: None })
}

/// Issues read at once where only some of them may be seen.
const BATCH: u32 = 500;

/// Those that the caller may see, in their order, until there are enough.
async fn visible(ctx: &Context<'_>, asked: &AskedIssues, mut after: Option<(Urgency, IssueId)>, enough: usize) -> Result<Vec<ListedIssue>> {
    let house = house(ctx)?;
    let everything = allows(ctx, Deed::ReadIssue, About::Everything);
    let batch = if everything && !asked.overdue { u32::try_from(enough).unwrap_or(BATCH) } else { BATCH };
    let (terms, today) = (house.config.issues.terms(), day::today(house.clock.now()));
    let mut seen = Vec::new();
    loop {
        let mut found = house.records.issues(&asked.filter, after, batch).await.map_err(|e| fault(ctx, &e))?;
        let is_last = found.len() < batch as usize;
        after = found.last().map(|i| (i.urgency, i.open.id));
        if asked.overdue {
            found.retain(|i| terms.mend_by(i.open.issue.kind, i.open.since) < today);
        }
        if !everything {
            let people = permitted(ctx, Deed::ReadIssue, found.iter().filter_map(|i| i.open.issue.person)).await?;
            found.retain(|i| concerns(ctx, Deed::ReadIssue, &i.open, &people));
        }
        seen.extend(found);
        if is_last || seen.len() >= enough {
            return Ok(seen);
        }
    }
}

/// `people`: those of whom the deed is allowed.
pub fn concerns(ctx: &Context<'_>, deed: Deed, open: &OpenIssue, people: &HashSet<PersonId>) -> bool {
    match (open.issue.person, open.issue.personnel_unit) {
        (Some(person), _) => people.contains(&person),
        (None, Some(unit)) => allows(ctx, deed, About::Unit(unit)),
        (None, None) => allows(ctx, deed, About::Everything),
    }
}

/// By its id, while it is open, where the caller may read it.
pub async fn one(ctx: &Context<'_>, id: Uuid) -> Result<Option<DataIssue>> {
    if !allows(ctx, Deed::ReadIssue, About::List) {
        return Ok(None);
    }
    let house = house(ctx)?;
    let filter = IssueFilter { id: Some(IssueId(id)), ..IssueFilter::default() };
    let found = house.records.issues(&filter, None, 1).await.map_err(|e| fault(ctx, &e))?;
    let Some(listed) = found.into_iter().next() else { return Ok(None) };
    let people = permitted(ctx, Deed::ReadIssue, listed.open.issue.person).await?;
    if !concerns(ctx, Deed::ReadIssue, &listed.open, &people) {
        return Ok(None);
    }
    let tree = house.cards.tree().await.map_err(|e| fault(ctx, &e))?;
    shown(ctx, listed.open, listed.urgency, &tree).map(Some)
}

/// Open ones about one person, for who may read them.
pub async fn about(ctx: &Context<'_>, member: &StaffMember) -> Result<Vec<DataIssue>> {
    let house = house(ctx)?;
    let filter = IssueFilter { registry_no: Some(member.registry_no().clone()), ..IssueFilter::default() };
    let found = house.records.issues(&filter, None, BATCH).await.map_err(|e| fault(ctx, &e))?;
    let tree = house.cards.tree().await.map_err(|e| fault(ctx, &e))?;
    let of_member = |issue: DataIssue| DataIssue { member: Some(member.clone()), ..issue };
    found.into_iter().map(|listed| shown(ctx, listed.open, listed.urgency, &tree).map(of_member)).collect()
}

async fn trend(ctx: &Context<'_>, unit: Option<staff::UnitCode>, include_subunits: bool, days: i32) -> Result<Option<Vec<DataIssueDay>>> {
    let wanted = u32::try_from(days).ok().filter(|days| (1..=366).contains(days));
    let wanted = wanted.ok_or_else(|| bad_input(format!("days: a number from 1 to 366, not {days}.")))?;
    let house = house(ctx)?;
    let tree = house.cards.tree().await.map_err(|e| fault(ctx, &e))?;
    let units = match unit {
        Some(unit) if tree.units().get(unit).is_none() || !allows(ctx, Deed::ReadIssue, About::Unit(unit)) => return Ok(None),
        Some(unit) => Some(tree.within(&[unit], include_subunits)),
        None => None,
    };
    let today = day::today(house.clock.now());
    let since = day::midnight(today) - TimeDelta::days(i64::from(wanted) - 1);
    let trend = house.records.issue_trend(since).await.map_err(|e| fault(ctx, &e))?;
    let counts = |of: Option<staff::UnitCode>| match of {
        Some(of) => units.as_ref().is_none_or(|units| units.contains(&of)) && allows(ctx, Deed::ReadIssue, About::Unit(of)),
        None => units.is_none() && allows(ctx, Deed::ReadIssue, About::Everything),
    };
    Ok(Some(trend.days(today, wanted, counts).into_iter().map(Into::into).collect()))
}
