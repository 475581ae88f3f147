//! HR records that somebody hands in: as they came, made into rows for the same intake as the feeds, and what became of each.
//! A snapshot may come in parts; it counts only when all of them are there.
pub mod desk; // handing in and taking in

use super::feed::{Columns, Content, Delivery, Field, Row};
use super::intake::FeedReport;
use super::issue::{Blocked, IssueKind};
use super::person::RegistryNo;
use crate::id::{RunId, SubmissionId};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

/// Records of one call.
pub const MOST: usize = 5_000;
/// Parts of one snapshot.
pub const MOST_PARTS: u32 = 1_000;
/// Idempotency keys live so long, and parts of a snapshot that never became whole.
pub const KEPT: TimeDelta = TimeDelta::days(7);
/// The name that positions of what is handed in are kept under.
pub const FEED: &str = "push";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Mode {
    /// Each named person with all postings; says nothing of anybody else.
    Delta,
    /// Everybody.
    Snapshot,
}

type Cells = Vec<(Field, String)>;

/// One person as handed in. A field that is absent says nothing; an empty one says "none".
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub person: Cells,
    /// `None`: nothing is said of postings. Empty: there are none.
    pub postings: Option<Vec<Cells>>,
}

impl fmt::Debug for Record {
    /// Without the cells: they hold national ids and phone numbers, and debug output ends in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({} postings)", self.postings.as_ref().map_or(0, Vec::len))
    }
}

impl Record {
    pub fn registry_no(&self) -> Option<RegistryNo> {
        self.person.iter().find(|(field, _)| *field == Field::RegistryNo).and_then(|(_, text)| RegistryNo::parse(text))
    }
}

/// Rows of text, the line of each being the number of its record, from 1.
pub fn rows(records: &[Record]) -> Vec<Row> {
    let mut known: HashMap<Vec<Field>, Arc<Columns>> = HashMap::new();
    let mut rows = Vec::new();
    let mut push = |line: u32, cells: &[&(Field, String)]| {
        let fields: Vec<Field> = cells.iter().map(|(field, _)| *field).collect();
        let columns = known.entry(fields).or_insert_with_key(|fields| Columns::new(&fields.iter().copied().map(Some).collect::<Vec<_>>()));
        rows.push(Row::new(line, columns, cells.iter().map(|(_, text)| text.as_str())));
    };
    let none = (Field::UnitCode, String::new());
    for (line, record) in (1..).zip(records) {
        match record.postings.as_deref() {
            None => push(line, &record.person.iter().collect::<Vec<_>>()),
            // Why a row with an empty unit: an empty list says "no posting", an absent one says nothing.
            Some([]) => push(line, &std::iter::once(&none).chain(&record.person).collect::<Vec<_>>()),
            Some(postings) => postings.iter().for_each(|posting| push(line, &posting.iter().chain(&record.person).collect::<Vec<_>>())),
        }
    }
    rows
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    Accepted,
    /// Taken; something of it somebody should mend.
    WithIssues,
    /// Taken; nothing is done to the account until somebody decides.
    Held,
    /// Not taken: what was known stays.
    Rejected,
}

/// What is wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordFault {
    pub kind: IssueKind,
    /// As the feed names it.
    pub field: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordResult {
    /// From 1, over all parts.
    pub line: u32,
    pub outcome: Outcome,
    pub faults: Vec<RecordFault>,
}

/// What became of a submission. Holds no value of any record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Nothing of it was taken, and why.
    pub refused: Option<String>,
    pub new_people: u32,
    pub changed_people: u32,
    pub unchanged_people: u32,
    /// People with an account who are not in the snapshot: nobody is closed for that.
    pub absent: u32,
    /// The snapshot has shrunk: who is absent from it is not even looked at one by one.
    pub shrunken: bool,
    /// The run that works off whom it changed; `None`: nobody was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// Of all records, those that were not simply accepted; in their order.
    pub results: Vec<RecordResult>,
}

impl Report {
    pub fn of(records: &[Record], feed: &FeedReport) -> Report {
        let mut lines: HashMap<RegistryNo, Vec<u32>> = HashMap::new();
        for (line, record) in (1..).zip(records) {
            if let Some(no) = record.registry_no() {
                lines.entry(no).or_default().push(line);
            }
        }
        let mut faults: HashMap<u32, Vec<RecordFault>> = HashMap::new();
        for issue in &feed.issues {
            let named = issue.registry_no.as_ref().map(|no| lines.get(no).cloned().unwrap_or_default());
            for line in named.unwrap_or_else(|| issue.line.into_iter().collect()) {
                faults.entry(line).or_default().push(RecordFault { kind: issue.kind, field: issue.field.clone() });
            }
        }
        let rejected: BTreeSet<u32> = feed.rejected_lines.iter().copied().collect();
        let result = |line: u32| {
            let faults = faults.remove(&line).unwrap_or_default();
            let outcome = match () {
                () if feed.refused.is_some() || rejected.contains(&line) => Outcome::Rejected,
                () if faults.iter().any(|f| f.kind.blocks() == Blocked::Account) => Outcome::Held,
                () if faults.is_empty() => Outcome::Accepted,
                () => Outcome::WithIssues,
            };
            RecordResult { line, outcome, faults }
        };
        let all = (1..).take(records.len()).map(result);
        let of_kind = |kind: IssueKind| feed.issues.iter().filter(|i| i.kind == kind).count();
        Report {
            results: all.filter(|r| r.outcome != Outcome::Accepted).collect(),
            refused: feed.refused.clone(),
            new_people: feed.new_people,
            changed_people: feed.changed_people,
            unchanged_people: feed.unchanged_people,
            absent: u32::try_from(of_kind(IssueKind::AbsentFromSnapshot)).unwrap_or(u32::MAX),
            shrunken: of_kind(IssueKind::FeedShrunken) > 0,
            run: None,
        }
    }

    /// Of the record with this number.
    pub fn result(&self, line: u32) -> (Outcome, &[RecordFault]) {
        let found = self.results.binary_search_by_key(&line, |r| r.line).ok().map(|at| &self.results[at]);
        found.map_or((Outcome::Accepted, &[]), |r| (r.outcome, &r.faults))
    }
    pub fn count(&self, outcome: Outcome) -> u32 {
        u32::try_from(self.results.iter().filter(|r| r.outcome == outcome).count()).unwrap_or(u32::MAX)
    }
}

/// One submission, however many parts it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    pub id: SubmissionId,
    /// Who hands it in: nobody else sees it.
    pub owner: String,
    /// The owner's name for it.
    pub key: String,
    pub mode: Mode,
    pub made_at: DateTime<Utc>,
    /// Parts that are there.
    pub parts: u32,
    /// Known once the last part is there.
    pub last_part: Option<u32>,
    /// Of all parts that are there.
    pub records: u32,
    pub taken_at: Option<DateTime<Utc>>,
    pub report: Option<Report>,
}

impl Submission {
    pub fn is_whole(&self) -> bool {
        self.last_part == Some(self.parts)
    }
    fn delivery(&self, records: &[Record]) -> Delivery {
        let rows = rows(records);
        let content = match self.mode {
            Mode::Delta => Content::Delta(rows),
            Mode::Snapshot => Content::Snapshot(rows),
        };
        let name = format!("{FEED} {} of {}", self.key, self.owner);
        Delivery { name, position: self.id.to_string(), content, broken: Vec::new() }
    }
}

/// One call.
#[derive(Clone, Debug)]
pub struct NewPart {
    /// Of the submission, if this is its first part; and of the part.
    pub ids: (SubmissionId, uuid::Uuid),
    pub owner: String,
    pub idempotency_key: String,
    /// The owner's name for the submission.
    pub key: String,
    pub mode: Mode,
    /// From 1.
    pub part: u32,
    pub is_last: bool,
    pub records: Vec<Record>,
    pub at: DateTime<Utc>,
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandedIn {
    /// Kept, now or by the same call before; the first record of the part is the one behind this number.
    Kept { submission: Submission, before: u32 },
    /// The idempotency key was used for something else.
    OtherInput,
    /// The part is there already with other records, is beyond the last one, or is a last one beside another.
    Conflict,
}
