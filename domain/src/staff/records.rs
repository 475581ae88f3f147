//! What personnel units and administrators look up: who has left, what is wrong in what HR says, what was done. Read only.
use super::{IssueKind, Person, RegistryNo, UnitCode};
use crate::day::{self, Day};
use crate::id::{IssueId, MessageId, OperationId, PersonId};
use crate::lifecycle::ActionKind;
use crate::lifecycle::run::{OperationRecord, OperationStatus};
use crate::message::{Channel, Message, MessageState, Purpose};
use crate::ports::{OpenIssue, PortResult};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// Somebody who has no card any more, and where they stand among those: the last to leave comes first.
#[derive(Clone, Debug, PartialEq)]
pub struct Left {
    /// Of the feed of cards, when the card was taken out; 0: there never was one.
    pub position: i64,
    pub person: Person,
}

/// Which open data issues; all that is said must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IssueFilter {
    /// Empty: all.
    pub kinds: Vec<IssueKind>,
    /// About these; empty: whoever and whatever they are about.
    pub units: Vec<UnitCode>,
    pub registry_no: Option<RegistryNo>,
    pub id: Option<IssueId>,
    /// Older than that.
    pub before: Option<DateTime<Utc>>,
}

/// How soon somebody should look at an issue, and its place in the list: first by that, then by age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// A new account works, and its owner cannot be told because of this.
    KeepsNewcomerWaiting,
    Alarm,
    Usual,
}

/// An open issue in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedIssue {
    pub urgency: Urgency,
    pub open: OpenIssue,
    /// Where the person worked when it was found, or the unit that it is about, else who has to mend it.
    pub unit: Option<UnitCode>,
}

/// How many issues about a unit began, or ended, at one moment. `None`: about no unit.
pub type IssueCount = (Option<UnitCode>, DateTime<Utc>, u32);

/// What becomes of issues: what began and what ended since a moment, and how many are open now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IssueTrend {
    pub opened: Vec<IssueCount>,
    pub closed: Vec<IssueCount>,
    pub open: Vec<(Option<UnitCode>, u32)>,
}

/// One civil day in Türkiye.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IssueDay {
    pub day: Day,
    pub opened: u32,
    pub closed: u32,
    /// At its end.
    pub open: u32,
}

impl IssueTrend {
    /// The last `days` up to `today`, of the units that `counts` lets through.
    pub fn days(&self, today: Day, days: u32, counts: impl Fn(Option<UnitCode>) -> bool) -> Vec<IssueDay> {
        let by_day = |counted: &[IssueCount]| {
            let mut found: HashMap<Day, u32> = HashMap::new();
            counted.iter().filter(|(unit, ..)| counts(*unit)).for_each(|(_, at, n)| *found.entry(day::today(*at)).or_default() += n);
            found
        };
        let (opened, closed) = (by_day(&self.opened), by_day(&self.closed));
        let mut open = self.open.iter().filter(|(unit, _)| counts(*unit)).map(|(_, n)| n).sum::<u32>();
        let mut found = Vec::new();
        let mut day = today;
        for _ in 0..days {
            let of = |found: &HashMap<Day, u32>| found.get(&day).copied().unwrap_or(0);
            found.push(IssueDay { day, opened: of(&opened), closed: of(&closed), open });
            open = (open + of(&closed)).saturating_sub(of(&opened));
            let Some(before) = day.pred_opt() else { break };
            day = before;
        }
        found.reverse();
        found
    }
}

/// Which operations; all that is said must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperationFilter {
    pub statuses: Option<Vec<OperationStatus>>,
    pub kinds: Option<Vec<ActionKind>>,
    pub person: Option<PersonId>,
    /// Of whom HR ever named a posting in one of these.
    pub units: Option<Vec<UnitCode>>,
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
}

/// Which messages; all that is said must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageFilter {
    pub states: Option<Vec<MessageState>>,
    pub purposes: Option<Vec<Purpose>>,
    pub channels: Option<Vec<Channel>>,
    pub person: Option<PersonId>,
    /// Put into the outbox then or later.
    pub since: Option<DateTime<Utc>>,
    /// Before.
    pub until: Option<DateTime<Utc>>,
}

/// Looking up, with nothing changed by it.
#[async_trait]
pub trait Records: Send + Sync {
    /// Who has no card, the last to leave first, after this place. Somebody whom the sealer of cards has not come to yet may be
    /// among them: whoever shows them asks what HR says.
    async fn left(&self, after: Option<(i64, PersonId)>, limit: u32) -> PortResult<Vec<Left>>;
    /// Open ones, the most urgent first, after this place.
    async fn issues(&self, filter: &IssueFilter, after: Option<(Urgency, IssueId)>, limit: u32) -> PortResult<Vec<ListedIssue>>;
    /// One of them, open or not.
    async fn issue(&self, id: IssueId) -> PortResult<Option<OpenIssue>>;
    /// The latest first.
    async fn operations(&self, filter: &OperationFilter, before: Option<OperationId>, limit: u32) -> PortResult<Vec<OperationRecord>>;
    async fn operation(&self, id: OperationId) -> PortResult<Option<OperationRecord>>;
    async fn issue_trend(&self, since: DateTime<Utc>) -> PortResult<IssueTrend>;
    /// The latest first.
    async fn messages_of(&self, filter: &MessageFilter, before: Option<MessageId>, limit: u32) -> PortResult<Vec<Message>>;
}
