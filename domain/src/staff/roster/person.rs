//! The rows of one person, read by themselves: what they say, and what is wrong with them whoever they are about.
use super::cells::{Cells, moment};
use super::{Context, Fault, Said, words};
use crate::account::Attribute;
use crate::day::{self, Day};
use crate::staff::IssueKind;
use crate::staff::feed::{Field, Row};
use crate::staff::national_id::NationalId;
use crate::staff::person::{EmploymentStatus, PostingKind, RegistryNo};
use crate::staff::phone::{MobileNumber, WorkNumber};
use crate::staff::reason::Effect;
use crate::staff::unit::UnitCode;
use crate::text;
use chrono::{DateTime, Utc};
use std::borrow::Cow;

/// What the rows say of the person as such; each of these is the same in all rows of a person.
const OF_THE_PERSON: [Field; 14] = [
    Field::NationalId,
    Field::GivenName,
    Field::FamilyName,
    Field::Status,
    Field::ReasonCode,
    Field::EmploymentStart,
    Field::EmploymentEnd,
    Field::Mobile,
    Field::WorkPhone,
    Field::Extension,
    Field::Office,
    Field::MobilePublic,
    Field::Photo,
    Field::ManagerRegistryNo,
];

/// Longest of what has no attribute of its own.
const REASON_MAX: usize = 32;
const EXTENSION_MAX: usize = 16;
const LINK_MAX: usize = 1024;

/// What the rows of one person say.
#[derive(Clone, Debug)]
pub struct Draft {
    pub registry_no: RegistryNo,
    /// The first of the person's rows.
    pub line: u32,
    pub national_id: Said<NationalId>,
    pub given_name: Said<Box<str>>,
    pub family_name: Said<Box<str>>,
    pub status: Said<EmploymentStatus>,
    pub reason_code: Said<Box<str>>,
    pub employment_start: Said<Day>,
    pub employment_end: Said<Day>,
    pub(super) postings: Vec<PostingDraft>,
    /// The rows speak of units at all.
    pub(super) places: bool,
    /// A unit that is not known stands among the postings.
    pub(super) unknown_unit: bool,
    garbled_unit: bool,
    pub mobile: Said<MobileNumber>,
    pub(super) mobile_public: Said<bool>,
    pub(super) work_phone: Said<WorkNumber>,
    pub(super) extension: Said<Box<str>>,
    pub(super) office: Said<Box<str>>,
    pub(super) photo: Said<Box<str>>,
    pub manager: Said<RegistryNo>,
    pub(super) attributes: Vec<(u8, Said<Box<str>>)>,
    pub(super) updated_at: Option<DateTime<Utc>>,
    pub faults: Vec<Fault>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PostingDraft {
    pub kind: Said<PostingKind>,
    pub unit: UnitCode,
    pub title_post: Said<Box<str>>,
    pub title_duty: Said<Box<str>>,
    pub start: Said<Day>,
    pub end: Said<Day>,
}

impl Draft {
    /// By what the rows say, whatever was known before.
    pub fn says_left(&self, ctx: &Context<'_>) -> bool {
        ctx.is_over(self.status.value().copied(), self.employment_end.value().copied(), self.reason_code.value().map(|c| &**c))
    }
    /// Fields of a strict form that hold something else: what a shifted column shows in.
    pub fn garbled(&self) -> impl Iterator<Item = Field> {
        let fields = [
            (Field::NationalId, self.national_id == Said::Doubtful),
            (Field::Mobile, self.mobile == Said::Doubtful),
            (Field::UnitCode, self.garbled_unit),
        ];
        fields.into_iter().filter_map(|(field, garbled)| garbled.then_some(field))
    }
    pub fn is_rejected(&self) -> bool {
        self.faults.iter().any(|f| f.rejects)
    }
}

/// Reads all rows of one person. Never fails: what cannot be read is a fault, and some faults reject ([`Draft::is_rejected`]).
pub fn draft(registry_no: RegistryNo, rows: &[&Row], ctx: &Context<'_>) -> Option<Draft> {
    let first = *rows.iter().min_by_key(|r| r.line)?;
    let mut faults = Vec::new();
    let mut cells = Cells { row: first, faults: &mut faults };
    let mut draft = Draft {
        registry_no,
        line: first.line,
        national_id: national_id(&mut cells),
        given_name: name(&mut cells, Field::GivenName, Attribute::GivenName),
        family_name: name(&mut cells, Field::FamilyName, Attribute::FamilyName),
        status: word(&mut cells, Field::Status, words::status, "ACTIVE, ON_LEAVE, SUSPENDED or TERMINATED"),
        reason_code: reason(&mut cells, ctx),
        employment_start: cells.day(Field::EmploymentStart, IssueKind::InvalidDate),
        employment_end: cells.day(Field::EmploymentEnd, IssueKind::InvalidDate),
        postings: Vec::with_capacity(rows.len()),
        places: first.get(Field::UnitCode).is_some(),
        unknown_unit: false,
        garbled_unit: rows.iter().filter_map(|r| r.text(Field::UnitCode)).any(|text| UnitCode::parse(text).is_none()),
        mobile: mobile(&mut cells),
        mobile_public: consent(&mut cells),
        work_phone: work_phone(&mut cells),
        extension: extension(&mut cells),
        office: cells.words(Field::Office, Attribute::Office.max_len()),
        photo: link(&mut cells),
        manager: manager(&mut cells),
        attributes: attributes(&mut cells),
        updated_at: None,
        faults: Vec::new(),
    };
    for row in rows {
        let mut cells = Cells { row, faults: &mut faults };
        draft.updated_at = draft.updated_at.max(updated_at(&mut cells));
        match posting(&mut cells, ctx) {
            Said::Value(posting) if !draft.postings.contains(&posting) => draft.postings.push(posting),
            Said::Doubtful => draft.unknown_unit = true,
            _ => {}
        }
    }
    // Why: a hire that is taken back often ends the day before it began.
    let withdrawn = draft.reason_code.value().is_some_and(|code| ctx.reasons.effect(code) == Some(Effect::Withdraw));
    if let (false, Said::Value(start), Said::Value(end)) = (withdrawn, &draft.employment_start, &draft.employment_end)
        && end < start
    {
        Cells { row: first, faults: &mut faults }.reject(
            IssueKind::DatesOutOfOrder,
            Field::EmploymentEnd,
            format!("the last day in service ({end}) is before the first ({start})"),
        );
    }
    draft.faults = agreement(rows, faults);
    Some(draft)
}

/// All rows of a person must say the same of the person: nobody can tell which of two last days is meant. What else is
/// wrong with a field that differs is not said, it would be one row's word.
fn agreement(rows: &[&Row], mut faults: Vec<Fault>) -> Vec<Fault> {
    let Some((first, others)) = rows.split_first() else { return faults };
    for field in OF_THE_PERSON.into_iter().chain(Field::ATTRS) {
        let said = first.get(field);
        let differs = |row: &&&Row| row.get(field) != said && canonical(field, row.get(field)) != canonical(field, said);
        if let Some(other) = others.iter().find(differs) {
            let message = format!("the rows of this person differ in {field} (lines {} and {})", first.line, other.line);
            let of_two_fields = |fault: &Fault| fault.kind == IssueKind::DatesOutOfOrder && fault.field == Some(Field::EmploymentEnd);
            faults.retain(|fault| fault.field != Some(field) && !of_two_fields(fault));
            faults.push(Fault::new(IssueKind::ContradictoryRows, field, other.line, message).rejecting());
        }
    }
    faults
}

fn canonical(field: Field, text: Option<&str>) -> Option<Cow<'_, str>> {
    let text = text?;
    let read = match field {
        Field::GivenName | Field::FamilyName => Some(text::person_name(text)),
        Field::EmploymentStart | Field::EmploymentEnd => day::parse(text).map(|d| d.to_string()),
        Field::Mobile => MobileNumber::parse(text).ok().map(|n| n.e164().to_owned()),
        Field::WorkPhone => WorkNumber::parse(text).ok().map(|n| n.e164().to_owned()),
        Field::Status => words::status(text).map(|s| format!("{s:?}")),
        Field::MobilePublic => words::yes_or_no(text).map(|b| b.to_string()),
        Field::ManagerRegistryNo => RegistryNo::parse(text).map(|n| n.to_string()),
        _ => Some(text::tidy(text)),
    };
    Some(read.map_or(Cow::Borrowed(text), Cow::Owned))
}

fn national_id(cells: &mut Cells<'_>) -> Said<NationalId> {
    cells.read(Field::NationalId, |cells, text| match NationalId::parse(&text) {
        Ok(id) => Said::Value(id),
        Err(fault) => {
            cells.fault(IssueKind::InvalidNationalId, Field::NationalId, format!("the national id {fault}"));
            Said::Doubtful
        }
    })
}

fn name(cells: &mut Cells<'_>, field: Field, attribute: Attribute) -> Said<Box<str>> {
    let said = cells.read(field, |cells, text| {
        if text::looks_mangled(&text) {
            cells.reject(IssueKind::Mojibake, field, format!("{field} was written with the wrong character table: export it as UTF-8"));
            return Said::Doubtful;
        }
        // Why: digits in a name are another column's content.
        if !text.chars().any(char::is_alphabetic) || text.chars().any(|c| c.is_ascii_digit()) {
            cells.reject(IssueKind::MissingName, field, format!("{field} is not a name"));
            return Said::Doubtful;
        }
        let name = text::person_name(&text);
        Said::Value(cells.fit(IssueKind::TextTooLong, field, &name, attribute.max_len()).into())
    });
    if said == Said::Empty {
        cells.reject(IssueKind::MissingName, field, format!("{field} is empty"));
    }
    said
}

/// Words that decide what happens to an account are not guessed: an unknown one rejects.
fn word<T>(cells: &mut Cells<'_>, field: Field, read: impl Fn(&str) -> Option<T>, allowed: &str) -> Said<T> {
    cells.read(field, |cells, text| match read(&text) {
        Some(value) => Said::Value(value),
        None => {
            cells.reject(IssueKind::UnknownWord, field, format!("{field} is none of the words known here: write {allowed}"));
            Said::Doubtful
        }
    })
}

fn reason(cells: &mut Cells<'_>, ctx: &Context<'_>) -> Said<Box<str>> {
    cells.read(Field::ReasonCode, |cells, text| {
        let code = text::clip(&text, REASON_MAX);
        match ctx.reasons.effect(code) {
            None => cells.fault(
                IssueKind::UnknownReason,
                Field::ReasonCode,
                format!("nobody has said what reason {code} does to an account: nothing is changed until the settings name its effect"),
            ),
            Some(Effect::Hold) => cells.fault(
                IssueKind::ReasonHolds,
                Field::ReasonCode,
                format!("reason {code} waits for a decision of an administrator: nothing is changed until then"),
            ),
            Some(_) => {}
        }
        Said::Value(code.into())
    })
}

fn mobile(cells: &mut Cells<'_>) -> Said<MobileNumber> {
    cells.read(Field::Mobile, |cells, text| match MobileNumber::parse(&text) {
        Ok(number) => Said::Value(number),
        Err(fault) => {
            cells.fault(IssueKind::DoubtfulMobile, Field::Mobile, format!("the mobile number {fault}: nothing can be sent to it"));
            Said::Doubtful
        }
    })
}

fn work_phone(cells: &mut Cells<'_>) -> Said<WorkNumber> {
    cells.read(Field::WorkPhone, |cells, text| match WorkNumber::parse(&text) {
        Ok(number) => Said::Value(number),
        Err(fault) => {
            cells.fault(IssueKind::DoubtfulWorkPhone, Field::WorkPhone, format!("the work phone {fault}: the one shown so far stays"));
            Said::Doubtful
        }
    })
}

fn extension(cells: &mut Cells<'_>) -> Said<Box<str>> {
    cells.read(Field::Extension, |cells, text| {
        let dialled = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | ',' | '/' | '.' | '*' | '#');
        if text.len() > EXTENSION_MAX || !text.chars().all(dialled) {
            cells.fault(IssueKind::InvalidValue, Field::Extension, "the extension is not a number that can be dialled");
            return Said::Doubtful;
        }
        Said::Value(text.into())
    })
}

/// Consent that cannot be read is no consent.
fn consent(cells: &mut Cells<'_>) -> Said<bool> {
    cells.read(Field::MobilePublic, |cells, text| match words::yes_or_no(&text) {
        Some(consent) => Said::Value(consent),
        None => {
            cells.fault(
                IssueKind::InvalidValue,
                Field::MobilePublic,
                "mobile_public is neither yes nor no: the mobile number is not shown",
            );
            Said::Value(false)
        }
    })
}

fn link(cells: &mut Cells<'_>) -> Said<Box<str>> {
    cells.read(Field::Photo, |cells, text| {
        // Why not cut: half a file name names nothing.
        if text.len() > LINK_MAX {
            cells.fault(IssueKind::InvalidValue, Field::Photo, format!("the photo's name is longer than {LINK_MAX} characters"));
            return Said::Doubtful;
        }
        Said::Value(text.into())
    })
}

fn manager(cells: &mut Cells<'_>) -> Said<RegistryNo> {
    cells.read(Field::ManagerRegistryNo, |cells, text| match RegistryNo::parse(&text) {
        Some(no) => Said::Value(no),
        None => {
            cells.fault(IssueKind::UnknownManager, Field::ManagerRegistryNo, "the manager's registry number is not a registry number");
            Said::Doubtful
        }
    })
}

fn attributes(cells: &mut Cells<'_>) -> Vec<(u8, Said<Box<str>>)> {
    let numbered = (1..).zip(Field::ATTRS).map(|(n, field)| (n, cells.text(field, LINK_MAX)));
    numbered.filter(|(_, said)| *said != Said::Nothing).collect()
}

fn updated_at(cells: &mut Cells<'_>) -> Option<DateTime<Utc>> {
    let said = cells.read(Field::UpdatedAt, |cells, text| match moment(&text) {
        Some(at) => Said::Value(at),
        None => {
            cells.fault(
                IssueKind::InvalidValue,
                Field::UpdatedAt,
                "updated_at is not a time: an older record could not be told from this one",
            );
            Said::Doubtful
        }
    });
    said.value().copied()
}

/// `Doubtful`: the unit is not known. `Empty`, `Nothing`: the row names no unit.
fn posting(cells: &mut Cells<'_>, ctx: &Context<'_>) -> Said<PostingDraft> {
    let kind = word(cells, Field::PostingKind, words::posting_kind, "PERMANENT, SECONDED or ACTING");
    let title_post = cells.words(Field::TitlePost, Attribute::Title.max_len());
    let title_duty = cells.words(Field::TitleDuty, Attribute::Title.max_len());
    let start = cells.day(Field::PostingStart, IssueKind::InvalidDate);
    let end = cells.day(Field::PostingEnd, IssueKind::InvalidDate);
    if let (Said::Value(start), Said::Value(end)) = (&start, &end)
        && end < start
    {
        let message = format!("the posting's last day ({end}) is before its first ({start})");
        cells.reject(IssueKind::DatesOutOfOrder, Field::PostingEnd, message);
    }
    cells.read(Field::UnitCode, |cells, text| match UnitCode::parse(&text) {
        Some(unit) if ctx.units.get(unit).is_some() => Said::Value(PostingDraft { kind, unit, title_post, title_duty, start, end }),
        Some(unit) => {
            cells.fault(IssueKind::UnknownUnit, Field::UnitCode, format!("unit {unit} is not among the units that were delivered"));
            Said::Doubtful
        }
        None => {
            cells.fault(IssueKind::UnknownUnit, Field::UnitCode, "unit_code is not an 8-digit unit number");
            Said::Doubtful
        }
    })
}
