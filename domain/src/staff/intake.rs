//! Taking in a delivery: read it into a roster, compare with what is known, save what changed, wake whom it concerns.
//!
//! Works in parts of [`PART`] people, so memory does not grow with what is known; each part is one transaction, and a
//! delivery that broke off is simply taken in again. Nothing here closes anybody: absence is an issue for a person to look at.
mod identity;
mod part;
pub use part::PEOPLE_KINDS;
mod snapshot;
mod survey;

use super::feed::{BrokenRow, Content, Delivery, Row};
use super::issue::IssueKind;
use super::person::{Person, RegistryNo};
use super::reason::Reasons;
use super::roster::{Context, Fault, UNIT_KINDS, read_units};
use super::unit::Unit;
use super::{DataIssue, NationalId};
use crate::account::AccountState;
use crate::day;
use crate::id::PersonId;
use crate::ports::{Clock, Entropy, IssueScope, Mark, PortResult, Store};
use chrono::{DateTime, TimeDelta, Utc};
use part::take_part;
use snapshot::look_for_absent;
use std::sync::{Mutex, PoisonError};
use survey::{Survey, survey};

/// People in one transaction.
pub(crate) const PART: usize = 1_000;

/// What a source's delivery as a whole can be told: each speaks of the last one.
const FEED_KINDS: &[IssueKind] = &[IssueKind::FeedEmpty, IssueKind::FeedMostlyRejected];
/// Rows that belong to nobody; a snapshot replaces all that were ever found.
const ROW_KINDS: &[IssueKind] = &[IssueKind::UnreadableRow, IssueKind::MissingRegistryNo];

/// A person as the store knows them, for comparing.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownPerson {
    pub person: Person,
    /// Of the national id held; `None`: none is held.
    pub mark: Option<Mark>,
    pub former_registry_nos: Vec<RegistryNo>,
    pub account_state: AccountState,
    /// [`Mark::short`] of another national id that somebody has decided to be the right one.
    pub decided_id: Option<String>,
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
    /// Look at these people (they are among `people`, or concerned by them).
    pub wake: Vec<PersonId>,
    /// When.
    pub wake_at: DateTime<Utc>,
    /// Look at everybody: units changed.
    pub wake_everybody: bool,
    /// Issues of `issue_kinds` about `seen` that are not in `issues` are resolved. Whoever's issue is resolved by this is woken
    /// too: a person may have been kept waiting by it without anything else having changed.
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
    /// Of staff: the lines of those rows.
    pub rejected_lines: Vec<u32>,
    /// Everything that somebody should mend.
    pub issues: Vec<DataIssue>,
}

impl RosterSave {
    /// Nothing yet.
    fn at(now: DateTime<Utc>) -> RosterSave {
        RosterSave {
            units: Vec::new(),
            people: Vec::new(),
            wake: Vec::new(),
            wake_at: now,
            wake_everybody: false,
            issues: Vec::new(),
            issue_kinds: Vec::new(),
            seen: Vec::new(),
            position: None,
            at: now,
        }
    }
}

/// What every step of an intake needs.
struct Intake<'a> {
    store: &'a dyn Store,
    entropy: &'a dyn Entropy,
    made: std::sync::atomic::AtomicU32,
    now: DateTime<Utc>,
    ctx: Context<'a>,
    feed: &'a str,
    delivery: &'a Delivery,
    mode: Mode,
    /// Those of whom something is other than it was.
    changed: Mutex<Vec<Changed>>,
}

/// Whether an intake writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Rehearsal,
    /// People are woken so much later.
    Taking(TimeDelta),
}

/// A person of whom a delivery says something new, as they are then, with the kinds of what is wrong about them.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    pub person: Person,
    pub faults: Vec<IssueKind>,
}

/// Takes in one delivery. Taking the same one in again changes nothing and wakes nobody.
///
/// A delivery that is refused whole ([`FeedReport::refused`]) leaves the position where it was: nothing of it is lost for a
/// source that is asked again, and a corrected file of the same name is read.
pub async fn intake(
    store: &dyn Store,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    reasons: &Reasons,
    feed: &str,
    delivery: &Delivery,
) -> PortResult<FeedReport> {
    Ok(take(store, clock, entropy, reasons, feed, delivery, Mode::Taking(TimeDelta::zero())).await?.0)
}

/// [`intake`], with whom it changed. They are woken `later`: whoever asks for this looks at them first.
pub async fn intake_telling(
    store: &dyn Store,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    reasons: &Reasons,
    feed: &str,
    delivery: &Delivery,
    later: TimeDelta,
) -> PortResult<(FeedReport, Vec<Changed>)> {
    take(store, clock, entropy, reasons, feed, delivery, Mode::Taking(later)).await
}

/// What [`intake_telling`] would answer, without anything being written.
pub async fn rehearse(
    store: &dyn Store,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    reasons: &Reasons,
    feed: &str,
    delivery: &Delivery,
) -> PortResult<(FeedReport, Vec<Changed>)> {
    take(store, clock, entropy, reasons, feed, delivery, Mode::Rehearsal).await
}

async fn take(
    store: &dyn Store,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    reasons: &Reasons,
    feed: &str,
    delivery: &Delivery,
    mode: Mode,
) -> PortResult<(FeedReport, Vec<Changed>)> {
    let now = clock.now();
    let units = store.units().await?;
    let ctx = Context { units: &units, reasons, today: day::today(now), source: &delivery.name };
    let intake = Intake { store, entropy, made: 0.into(), now, ctx, feed, delivery, mode, changed: Mutex::default() };
    let report = match &delivery.content {
        Content::Units(rows) => intake.units(rows).await,
        Content::Snapshot(rows) => intake.staff(rows, true).await,
        Content::Delta(rows) => intake.staff(rows, false).await,
    }?;
    Ok((report, intake.changed.into_inner().unwrap_or_else(PoisonError::into_inner)))
}

impl Intake<'_> {
    async fn save_issues(&self, about: IssueScope<'_>, found: &[DataIssue]) -> PortResult<()> {
        if self.mode == Mode::Rehearsal { Ok(()) } else { self.store.save_issues(about, found, self.now).await }
    }
    async fn save_roster(&self, save: RosterSave) -> PortResult<()> {
        let Mode::Taking(later) = self.mode else { return Ok(()) };
        self.store.save_roster(RosterSave { wake_at: self.now + later, ..save }).await
    }

    async fn units(&self, rows: &[Row]) -> PortResult<FeedReport> {
        let read = read_units(rows, self.ctx.units, self.ctx.source);
        let mut issues = read.issues;
        issues.extend(self.delivery.broken.iter().map(|b| self.broken(b, IssueKind::InvalidUnit)));
        let report = FeedReport {
            rows: count(rows.len() + self.delivery.broken.len()),
            new_units: read.new,
            changed_units: count(read.units.len()) - read.new,
            rejected_rows: read.rejected_rows + count(self.delivery.broken.len()),
            issues,
            ..FeedReport::default()
        };
        self.save_issues(IssueScope::All(UNIT_KINDS), &report.issues).await?;
        let wake_everybody = !read.units.is_empty();
        self.save_roster(RosterSave { units: read.units, wake_everybody, position: self.position(), ..RosterSave::at(self.now) }).await?;
        Ok(report)
    }

    async fn staff(&self, rows: &[Row], everybody: bool) -> PortResult<FeedReport> {
        let mut report = FeedReport { rows: count(rows.len() + self.delivery.broken.len()), ..FeedReport::default() };
        let mut survey = survey(rows, everybody, &self.ctx, |id| self.store.mark(id));
        if let Some(refusal) = survey.refusal(rows.len(), self.delivery.broken.len()) {
            return self.refuse(refusal, &survey, report).await;
        }
        report.issues.extend(self.delivery.broken.iter().map(|b| self.broken(b, IssueKind::UnreadableRow)));
        report.issues.extend(survey.nobodys.iter().map(|fault| self.nobodys(fault)));
        report.rejected_rows = count(report.issues.len());
        report.rejected_lines = report.issues.iter().filter_map(|i| i.line).collect();
        let scope = if everybody { IssueScope::All(ROW_KINDS) } else { IssueScope::None };
        if everybody || !report.issues.is_empty() {
            self.save_issues(scope, &report.issues).await?;
        }
        survey.follow_managers(self.store).await?;
        for part in 0..survey.people().div_ceil(PART) {
            take_part(self, rows, &survey, part, &mut report).await?;
        }
        self.finish(&survey, everybody, &mut report).await?;
        Ok(report)
    }

    async fn finish(&self, survey: &Survey, everybody: bool, report: &mut FeedReport) -> PortResult<()> {
        if everybody {
            let found = look_for_absent(self, survey).await?;
            report.issues.extend(found);
            // Why only now: what a refused delivery said is still missing until everybody has been delivered.
            self.save_issues(IssueScope::All(FEED_KINDS), &[]).await?;
        }
        if everybody || survey.people() == 0 {
            self.save_roster(RosterSave { position: self.position(), ..RosterSave::at(self.now) }).await?;
        }
        Ok(())
    }

    /// Only that it was refused is kept; the report for the source shows some of the rows as well.
    async fn refuse(&self, issue: DataIssue, survey: &Survey, mut report: FeedReport) -> PortResult<FeedReport> {
        let issue = DataIssue { source: Some(self.delivery.name.clone()), ..issue };
        report.refused = Some(issue.message.clone());
        report.rejected_rows = report.rows;
        self.save_issues(IssueScope::All(FEED_KINDS), std::slice::from_ref(&issue)).await?;
        report.issues.push(issue);
        report.issues.extend(survey.examples.iter().map(|(no, fault)| self.ctx.issue(fault.clone(), no, None)));
        report.issues.extend(survey.nobodys.iter().take(survey::EXAMPLES).map(|fault| self.nobodys(fault)));
        report.issues.extend(self.delivery.broken.iter().take(survey::EXAMPLES).map(|b| self.broken(b, IssueKind::UnreadableRow)));
        Ok(report)
    }

    fn position(&self) -> Option<(String, String)> {
        Some((self.feed.to_owned(), self.delivery.position.clone()))
    }

    fn broken(&self, row: &BrokenRow, kind: IssueKind) -> DataIssue {
        DataIssue {
            line: Some(row.line),
            source: Some(self.delivery.name.clone()),
            ..DataIssue::new(kind, format!("the row cannot be split into its columns: {}", row.reason))
        }
    }

    fn nobodys(&self, fault: &Fault) -> DataIssue {
        DataIssue {
            field: fault.field.map(|f| f.name().to_owned()),
            line: fault.line,
            source: Some(self.delivery.name.clone()),
            ..DataIssue::new(fault.kind, fault.message.clone())
        }
    }

    /// Ids in the order of the feed: who comes first is named first, and the store's rows lie one behind the other.
    fn new_person(&self) -> PersonId {
        let mut random = [0; 10];
        self.entropy.fill(&mut random);
        let n = self.made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        // The 12 bits behind the time, and where those are used up, the next millisecond (RFC 9562, 6.2, method 1).
        random[..2].copy_from_slice(&u16::try_from(n & 0x0fff).unwrap_or_default().to_be_bytes());
        PersonId(crate::id::uuid_v7(self.now + chrono::TimeDelta::milliseconds(i64::from(n >> 12)), random))
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
