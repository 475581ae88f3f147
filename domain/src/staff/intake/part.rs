//! One part of a staff delivery: what is known of its people is read once, the rows are laid over it, and what changed is one save.
use super::identity::{Identity, KnownPeople};
use super::survey::Survey;
use super::{Changed, FeedReport, Intake, KnownPerson, PersonSave, RosterSave, count};
use crate::account::AccountState;
use crate::id::PersonId;
use crate::ports::{Mark, PortResult};
use crate::staff::DataIssue;
use crate::staff::NationalId;
use crate::staff::feed::{Field, Row};
use crate::staff::issue::IssueKind;
use crate::staff::person::{Person, RegistryNo};
use crate::staff::roster::{Draft, Fault, Surroundings, settle, stale};
use crate::staff::unit::UnitCode;
use std::collections::{HashMap, HashSet};
use std::sync::PoisonError;

/// Kinds of issue about people that an intake finds, and resolves where it does not find them again.
pub const PEOPLE_KINDS: &[IssueKind] = &[
    IssueKind::MissingName,
    IssueKind::InvalidDate,
    IssueKind::InvalidValue,
    IssueKind::UnknownWord,
    IssueKind::Mojibake,
    IssueKind::InvalidNationalId,
    IssueKind::MissingNationalId,
    IssueKind::DuplicatePerson,
    IssueKind::ContradictoryRows,
    IssueKind::StaleRow,
    IssueKind::DatesOutOfOrder,
    IssueKind::MissingStart,
    IssueKind::MissingMobile,
    IssueKind::DoubtfulMobile,
    IssueKind::DoubtfulWorkPhone,
    IssueKind::UnknownUnit,
    IssueKind::MissingUnit,
    IssueKind::UnknownReason,
    IssueKind::ReasonHolds,
    IssueKind::UnknownManager,
    IssueKind::ManagerCircle,
    IssueKind::TextTooLong,
    IssueKind::AbsentFromSnapshot,
];

struct Part<'a> {
    intake: &'a Intake<'a>,
    known: KnownPeople,
    save: RosterSave,
    /// Where in `save` a person stands.
    saves: HashMap<PersonId, usize>,
    woken: HashSet<PersonId>,
}

pub(super) async fn take_part(intake: &Intake<'_>, rows: &[Row], survey: &Survey, part: usize, report: &mut FeedReport) -> PortResult<()> {
    let people = survey.part(part);
    let nos: Vec<RegistryNo> = people.clone().filter_map(|at| survey.registry_no(rows, at)).collect();
    let marks: Vec<Mark> = people.clone().filter_map(|at| survey.groups[at].mark).collect();
    let mut asked = nos.clone();
    asked.extend(people.clone().flat_map(|at| survey.other_numbers(rows, at)));
    let known = KnownPeople::new(intake.store.known(&asked, &marks).await?);
    let mut issue_kinds = PEOPLE_KINDS.to_vec();
    if survey.everybody {
        // Why not of a delta: the other person with the number may not be in it.
        issue_kinds.push(IssueKind::SharedMobile);
    }
    // Why of a snapshot later: who is absent from it is still to be said.
    let is_last = !survey.everybody && people.end == survey.people();
    let position = is_last.then(|| intake.position()).flatten();
    let save = RosterSave { seen: nos, issue_kinds, position, ..RosterSave::at(intake.now) };
    let mut part = Part { intake, known, save, saves: HashMap::new(), woken: HashSet::new() };
    for at in people {
        if let Some(draft) = survey.draft(rows, at, &intake.ctx) {
            part.take(at, draft, survey, rows, report);
        }
    }
    report.issues.extend(part.save.issues.iter().cloned());
    let woken: HashSet<PersonId> = part.save.wake.iter().copied().collect();
    let changed = part.save.people.iter().filter(|p| woken.contains(&p.person.id)).map(|p| {
        let about = part.save.issues.iter().filter(|i| i.registry_no.as_ref() == Some(&p.person.registry_no));
        Changed { person: p.person.clone(), faults: about.map(|i| i.kind).collect() }
    });
    intake.changed.lock().unwrap_or_else(PoisonError::into_inner).extend(changed);
    intake.save_roster(part.save).await
}

impl Part<'_> {
    fn take(&mut self, at: usize, draft: Draft, survey: &Survey, rows: &[Row], report: &mut FeedReport) {
        let ctx = self.intake.ctx;
        let no = draft.registry_no.clone();
        // Why first: what is older than what is held tells nothing, not even whose it is.
        if let Some(fault) = self.known.by_no(&no).and_then(|k| stale(&draft, &k.person)) {
            return self.reject(at, &no, vec![fault], survey, rows, report);
        }
        let (known, returned) = match self.known.identify(at, &draft, survey, rows, &ctx) {
            // Why also of an old record: its faults are nobody's business any more.
            Identity::History if !draft.is_rejected() => {
                report.unchanged_people += 1;
                return;
            }
            Identity::Refused(fault) => {
                let faults = draft.faults.into_iter().filter(|f| f.rejects).chain([fault]).collect();
                return self.reject(at, &no, faults, survey, rows, report);
            }
            Identity::New | Identity::History => (None, false),
            Identity::Known(known) => (Some(known), false),
            Identity::Returned(known) => (Some(known), true),
        };
        let around = Surroundings { manager: survey.manager_standing(at), sharing_mobile: survey.sharing_mobile(at) };
        let before = known.as_ref().map(|k| &k.person);
        match settle(draft, before, || self.intake.new_person(), &around, &ctx) {
            Err(faults) => self.reject(at, &no, faults, survey, rows, report),
            Ok(settled) => {
                self.note(&no, Some(&settled.person), settled.faults);
                let mark = survey.groups[at].mark.filter(|m| known.as_ref().and_then(|k| k.mark) != Some(*m));
                let national_id = settled.national_id.filter(|_| mark.is_some());
                self.accept(known, settled.person, national_id.map(|id| (id, mark)), returned, report);
            }
        }
    }

    fn accept(
        &mut self,
        known: Option<KnownPerson>,
        person: Person,
        national_id: Option<(NationalId, Option<Mark>)>,
        returned: bool,
        report: &mut FeedReport,
    ) {
        let visible = known.as_ref().is_none_or(|k| k.person != Person { updated_at: k.person.updated_at, ..person.clone() });
        let changed = visible || national_id.is_some();
        match &known {
            None => report.new_people += 1,
            Some(_) if changed => report.changed_people += 1,
            Some(_) => report.unchanged_people += 1,
        }
        // Why saved and nobody woken where only `updated_at` is new: it tells later which record is older, and nothing else.
        if !changed && known.as_ref().is_some_and(|k| k.person == person) {
            return;
        }
        if changed && self.woken.insert(person.id) {
            self.save.wake.push(person.id);
        }
        let former_registry_no = known.as_ref().filter(|_| returned).map(|k| k.person.registry_no.clone());
        if let Some(former) = &former_registry_no {
            // What stood open about the old number is about nobody any more.
            self.save.seen.push(former.clone());
            self.save.issues.retain(|i| i.registry_no.as_ref() != Some(former));
        }
        let mark = national_id.as_ref().and_then(|(_, mark)| *mark).or(known.as_ref().and_then(|k| k.mark));
        let mut formers = known.as_ref().map_or_else(Vec::new, |k| k.former_registry_nos.clone());
        formers.extend(former_registry_no.clone());
        let decided_id = known.as_ref().and_then(|k| k.decided_id.clone());
        let account_state = known.map_or(AccountState::None, |k| k.account_state);
        self.known.put(KnownPerson { person: person.clone(), mark, former_registry_nos: formers, account_state, decided_id });
        self.put_save(PersonSave { person, national_id: national_id.map(|(id, _)| id), former_registry_no });
    }

    /// One save a person: an old and a new record of somebody can be in the same part.
    fn put_save(&mut self, save: PersonSave) {
        match self.saves.get(&save.person.id) {
            Some(at) => {
                let held = &mut self.save.people[*at];
                held.person = save.person;
                held.national_id = save.national_id.or(held.national_id.take());
                held.former_registry_no = save.former_registry_no.or(held.former_registry_no.take());
            }
            None => {
                self.saves.insert(save.person.id, self.save.people.len());
                self.save.people.push(save);
            }
        }
    }

    fn reject(&mut self, at: usize, no: &RegistryNo, faults: Vec<Fault>, survey: &Survey, rows: &[Row], report: &mut FeedReport) {
        let lines = survey.rows(rows, at);
        report.rejected_rows += count(lines.len());
        report.rejected_lines.extend(lines.iter().map(|row| row.line));
        let known = self.known.by_no(no).map(|k| k.person.clone());
        let first = self.save.issues.len();
        self.note(no, known.as_ref(), faults);
        // Of a stranger nothing is known: the unit that the rows name keeps their records.
        let named = survey.rows(rows, at).into_iter().find_map(|row| {
            let unit = UnitCode::parse(row.text(Field::UnitCode)?)?;
            self.intake.ctx.units.personnel_unit(unit)
        });
        for issue in &mut self.save.issues[first..] {
            issue.personnel_unit = issue.personnel_unit.or(named);
        }
    }

    fn note(&mut self, no: &RegistryNo, person: Option<&Person>, faults: Vec<Fault>) {
        let ctx = self.intake.ctx;
        let first = self.save.issues.len();
        let personnel_unit = person.and_then(|p| ctx.personnel_unit_of(p));
        for fault in faults {
            let issue = DataIssue { person: person.map(|p| p.id), ..ctx.issue(fault, no, personnel_unit) };
            if !self.save.issues[first..].iter().any(|other| other.kind == issue.kind && other.field == issue.field) {
                self.save.issues.push(issue);
            }
        }
    }
}
