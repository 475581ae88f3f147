//! What the rows of a person say, laid over what is known: one valid person, or a refusal that leaves everything as it was.
use super::person::{Draft, PostingDraft};
use super::{Context, Fault, Said, Settled};
use crate::id::PersonId;
use crate::staff::IssueKind;
use crate::staff::feed::Field;
use crate::staff::person::{Person, Posting, PostingKind, RegistryNo};
use crate::staff::phone::MobileNumber;
use crate::staff::reason::Effect;

/// How the manager that the rows name stands to the rest of the roster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ManagerStanding {
    #[default]
    Sound,
    /// Neither in the delivery nor known.
    Unknown,
    /// Following the managers upward comes back to this person.
    Circle,
}

/// What can only be seen by looking at everybody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings<'a> {
    pub manager: ManagerStanding,
    /// Others with the same mobile number.
    pub sharing_mobile: &'a [RegistryNo],
}

/// Faults that nobody would mend for somebody who has left, and that keep nothing from being closed.
const TRIFLES_OF_LEAVERS: [IssueKind; 5] = [
    IssueKind::DoubtfulMobile,
    IssueKind::DoubtfulWorkPhone,
    IssueKind::UnknownManager,
    IssueKind::UnknownUnit,
    IssueKind::MissingNationalId,
];

/// `Err`: the rows are not taken; the faults say why. `id` is asked for a person who is not known.
pub fn settle(
    draft: Draft,
    known: Option<&Person>,
    id: impl FnOnce() -> PersonId,
    around: &Surroundings<'_>,
    ctx: &Context<'_>,
) -> Result<Settled, Vec<Fault>> {
    if let Some(fault) = known.and_then(|known| stale(&draft, known)) {
        return Err(vec![fault]);
    }
    if draft.is_rejected() {
        return Err(draft.faults);
    }
    let line = draft.line;
    let mut faults = draft.faults;
    let (Some(given_name), Some(family_name)) =
        (draft.given_name.over(known.map(|k| k.given_name.clone())), draft.family_name.over(known.map(|k| k.family_name.clone())))
    else {
        faults.push(Fault::new(IssueKind::MissingName, None, line, "a new person without a name").rejecting());
        return Err(faults);
    };
    if draft.national_id == Said::Empty {
        faults.push(Fault::new(IssueKind::MissingNationalId, Field::NationalId, line, "there is no national id"));
    }
    let national_id = match draft.national_id {
        Said::Value(id) => Some(id),
        _ => None,
    };
    // Why: everybody began some day; an empty cell is a gap in the record, and no first day would undo an opening.
    let employment_start = draft.employment_start.over(None).or(known.and_then(|k| k.employment_start));
    let mut person = Person {
        id: known.map_or_else(id, |k| k.id),
        registry_no: draft.registry_no,
        given_name,
        family_name,
        status: draft.status.over(known.and_then(|k| k.status)),
        reason_code: draft.reason_code.over(known.and_then(|k| k.reason_code.clone())),
        employment_start,
        employment_end: draft.employment_end.over(known.and_then(|k| k.employment_end)),
        postings: postings(&draft.postings, draft.unknown_unit, known),
        mobile: mobile(draft.mobile, known),
        mobile_public: match draft.mobile_public {
            Said::Nothing => known.is_some_and(|k| k.mobile_public),
            said => said.over(None).unwrap_or(false),
        },
        work_phone: draft.work_phone.over(known.and_then(|k| k.work_phone.clone())),
        extension: draft.extension.over(known.and_then(|k| k.extension.clone())),
        office: draft.office.over(known.and_then(|k| k.office.clone())),
        manager: draft.manager.over(known.and_then(|k| k.manager.clone())),
        photo: draft.photo.over(known.and_then(|k| k.photo.clone())),
        attributes: attributes(draft.attributes, known),
        updated_at: draft.updated_at.or(known.and_then(|k| k.updated_at)),
    };
    check_dates(&person, line, ctx, &mut faults);
    if faults.iter().any(|f| f.rejects) {
        return Err(faults);
    }
    if around.manager == ManagerStanding::Circle {
        // Why none: the head of the unit stands in; a circle of managers has no end for whoever follows it.
        person.manager = None;
    }
    if ctx.has_left(&person) {
        faults.retain(|f| !TRIFLES_OF_LEAVERS.contains(&f.kind));
    } else {
        look_for_gaps(&person, draft.places && !draft.unknown_unit && draft.postings.is_empty(), line, around, &mut faults);
    }
    Ok(Settled { person, national_id, faults })
}

/// Is the record older than the one held?
pub fn stale(draft: &Draft, known: &Person) -> Option<Fault> {
    let (said, held) = (draft.updated_at?, known.updated_at?);
    let message = format!("this record is of {said}, a newer one of {held} is held: it was ignored");
    (said < held).then(|| Fault::new(IssueKind::StaleRow, Field::UpdatedAt, draft.line, message).rejecting())
}

/// A doubtful number is *not* replaced by the one known so far.
///
/// Why: HR says that the number has changed, only not into what. The old one may be a stranger's by now, and activation
/// codes go to it; no number only delays, and the personnel unit is told.
fn mobile(said: Said<MobileNumber>, known: Option<&Person>) -> Option<MobileNumber> {
    match said {
        Said::Doubtful => None,
        said => said.over(known.and_then(|k| k.mobile.clone())),
    }
}

fn attributes(said: Vec<(u8, Said<Box<str>>)>, known: Option<&Person>) -> Vec<(u8, Box<str>)> {
    let mut all = known.map_or_else(Vec::new, |k| k.attributes.clone());
    for (number, said) in said {
        let held = all.iter().position(|(n, _)| *n == number).map(|at| all.remove(at).1);
        all.extend(said.over(held).map(|text| (number, text)));
    }
    all.sort();
    all
}

/// All postings, in one order whatever the order of the rows.
///
/// With a unit among them that is not known, or none at all, a known person's postings stay as they were: half of them
/// would move somebody who was not transferred, none would take a leaver out of their province.
fn postings(said: &[PostingDraft], unknown_unit: bool, known: Option<&Person>) -> Vec<Posting> {
    let held: &[Posting] = known.map_or(&[], |k| &k.postings);
    if !held.is_empty() && (unknown_unit || said.is_empty()) {
        return held.to_vec();
    }
    let mut all: Vec<Posting> = said.iter().map(|p| posting(p, held)).collect();
    all.sort_by(|a, b| {
        let key = |p: &Posting| (p.kind, p.start, p.unit, p.end);
        key(a).cmp(&key(b)).then_with(|| a.title_post.cmp(&b.title_post)).then_with(|| a.title_duty.cmp(&b.title_duty))
    });
    all.dedup();
    all
}

/// Absent columns keep what the posting at the same unit says.
fn posting(said: &PostingDraft, held: &[Posting]) -> Posting {
    let kind = said.kind.value().copied();
    let same = held.iter().find(|p| p.unit == said.unit && kind.is_none_or(|k| k == p.kind));
    Posting {
        kind: match &said.kind {
            Said::Nothing => same.map_or(PostingKind::Permanent, |p| p.kind),
            said => said.value().copied().unwrap_or(PostingKind::Permanent),
        },
        unit: said.unit,
        title_post: said.title_post.clone().over(same.and_then(|p| p.title_post.clone())),
        title_duty: said.title_duty.clone().over(same.and_then(|p| p.title_duty.clone())),
        start: said.start.clone().over(same.and_then(|p| p.start)),
        end: said.end.clone().over(same.and_then(|p| p.end)),
    }
}

fn check_dates(person: &Person, line: u32, ctx: &Context<'_>, faults: &mut Vec<Fault>) {
    let withdrawn = person.reason_code.as_deref().is_some_and(|code| ctx.reasons.effect(code) == Some(Effect::Withdraw));
    if let (Some(start), Some(end)) = (person.employment_start, person.employment_end)
        && end < start
        && !withdrawn
    {
        let message = format!("the last day in service ({end}) is before the first ({start})");
        faults.push(Fault::new(IssueKind::DatesOutOfOrder, Field::EmploymentEnd, line, message).rejecting());
    }
    if person.postings.iter().any(|p| matches!((p.start, p.end), (Some(start), Some(end)) if end < start)) {
        let message = "a posting's last day is before its first";
        faults.push(Fault::new(IssueKind::DatesOutOfOrder, Field::PostingEnd, line, message).rejecting());
    }
}

/// What somebody in service should have. Of people who have left nothing is asked: nobody would mend it.
fn look_for_gaps(person: &Person, no_unit_named: bool, line: u32, around: &Surroundings<'_>, faults: &mut Vec<Fault>) {
    let mut missing = |kind, field, message: String| faults.push(Fault::new(kind, field, line, message));
    if person.employment_start.is_none() {
        missing(IssueKind::MissingStart, Field::EmploymentStart, "there is no first day in service: no account is opened".to_owned());
    }
    if no_unit_named {
        missing(IssueKind::MissingUnit, Field::UnitCode, "no row of this person names a unit".to_owned());
    }
    match around.manager {
        ManagerStanding::Sound => {}
        ManagerStanding::Unknown => {
            missing(IssueKind::UnknownManager, Field::ManagerRegistryNo, "nobody has the manager's registry number".to_owned());
        }
        ManagerStanding::Circle => {
            let message = "the managers form a circle that comes back to this person: the head of the unit stands in";
            missing(IssueKind::ManagerCircle, Field::ManagerRegistryNo, message.to_owned());
        }
    }
    if let [first, others @ ..] = around.sharing_mobile {
        let more = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
        missing(IssueKind::SharedMobile, Field::Mobile, format!("{first}{more} has the same mobile number"));
    }
    if person.mobile.is_none() && !faults.iter().any(|f| f.kind == IssueKind::DoubtfulMobile) {
        faults.push(Fault::new(
            IssueKind::MissingMobile,
            Field::Mobile,
            line,
            "there is no mobile number: the account is not announced until there is one",
        ));
    }
}
