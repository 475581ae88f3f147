//! Phones. HR yields them: what a person or its personnel unit changes here counts at once, is written back to HR, and is
//! pending until HR delivers it. What HR says *later* and otherwise is a conflict: HR's word counts again, because HR is the
//! source of truth, and both sides are told.
pub mod desk; // the use cases: change with a code, office line, the personnel unit's change
pub mod write_back; // what was changed here, taken to HR

use crate::id::PersonId;
use crate::staff::{MobileNumber, Person, WorkNumber};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The telephone on somebody's desk. Without a number of its own: an extension of the unit's switchboard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkPhone {
    pub number: Option<WorkNumber>,
    pub extension: Option<Box<str>>,
}

impl WorkPhone {
    pub fn is_empty(&self) -> bool {
        self.number.is_none() && self.extension.is_none()
    }
}

/// Who made a number what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Setter {
    Hr,
    /// The person, with the password and a code to the new number.
    Owner,
    /// Somebody of the personnel unit, or an administrator; as in the audit, and who it is where it is a member of staff.
    Other {
        actor: String,
        person: Option<PersonId>,
    },
}

/// When and by whom the mobile that counts was last changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    pub at: DateTime<Utc>,
    pub by: Setter,
}

impl Changed {
    /// No codes for a new password go to a number so new: whoever changed it may not be its owner.
    pub fn is_cooling(&self, cooling: TimeDelta, now: DateTime<Utc>) -> bool {
        now < self.at + cooling
    }
    /// Whoever changed somebody's number must not start that person's reset: both together are a way into the account.
    pub fn was_by(&self, who: &crate::access::Caller) -> bool {
        match &self.by {
            Setter::Other { actor, person } => *actor == who.actor() || (person.is_some() && *person == who.person()),
            Setter::Hr | Setter::Owner => false,
        }
    }
}

/// How a change made here stands with HR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Standing {
    /// On its way.
    Pending,
    /// HR's system has taken it; its feed has not delivered it yet.
    Taken,
    /// HR's system says that it holds something newer, which its feed has not delivered yet.
    Newer,
    /// HR's system does not take it.
    Refused,
    /// HR has delivered another number since: that one counts.
    Overruled,
}

/// A number that was changed here and that HR has not confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Own<T> {
    pub value: T,
    pub at: DateTime<Utc>,
    pub by: Setter,
    /// The key under which HR gets it.
    pub change: Uuid,
    pub standing: Standing,
    /// Numbers that were changed here before it and may have reached HR: delivered late, they are an echo and no new word.
    pub earlier: Vec<T>,
}

/// More changes than that before HR has answered one are not told from HR's own words any more.
const ECHOES: usize = 8;

impl<T: Clone + PartialEq> Own<T> {
    pub fn counts(&self) -> bool {
        self.standing != Standing::Overruled
    }
    pub fn is_conflict(&self) -> bool {
        matches!(self.standing, Standing::Overruled | Standing::Newer)
    }
}

fn effective<'a, T: Clone + PartialEq>(own: Option<&'a Own<T>>, hr: &'a T) -> &'a T {
    own.filter(|own| own.counts()).map_or(hr, |own| &own.value)
}

/// HR says `after` where it said `before`.
fn hear<T: Clone + PartialEq>(own: &mut Option<Own<T>>, before: &T, after: &T, is_later: bool) {
    let Some(held) = own else { return };
    if held.value == *after {
        *own = None;
    } else if before != after && is_later && !held.earlier.contains(after) {
        held.standing = Standing::Overruled;
    }
}

/// A change made here. `None`: HR says so already, and nothing else is on its way there.
fn change<T: Clone + PartialEq>(own: Option<Own<T>>, hr: &T, new: Own<T>) -> Option<Own<T>> {
    let under_way = own.filter(Own::counts);
    if under_way.is_none() && new.value == *hr {
        return None;
    }
    let mut earlier = under_way.map_or_else(Vec::new, |before| before.earlier.into_iter().chain([before.value]).collect());
    earlier.retain(|value| *value != new.value);
    let surplus = earlier.len().saturating_sub(ECHOES);
    earlier.drain(..surplus);
    Some(Own { earlier, ..new })
}

/// Which of the two a change or a conflict is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Line {
    Mobile,
    Work,
}

/// What was changed here, beside what HR says of a person. Empty for nearly everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ledger {
    pub mobile: Option<Own<Option<MobileNumber>>>,
    pub work: Option<Own<WorkPhone>>,
    /// `None`: never changed since the person is known.
    pub mobile_changed: Option<Changed>,
}

/// Numbers to be changed. Each has an id of its own: it goes to HR under that key, whatever becomes of the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneChange {
    pub person: PersonId,
    pub mobile: Option<(Uuid, Option<MobileNumber>)>,
    pub work: Option<(Uuid, WorkPhone)>,
    pub by: Setter,
    pub at: DateTime<Utc>,
}

/// What a change entails, to be saved with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entails {
    /// To be written back, under these keys.
    pub write_back: Vec<(Uuid, Line)>,
    /// What is on its way to HR for these is of no use any more.
    pub superseded: Vec<Line>,
    /// The mobile is another one: its owner is to be told, over the number that counted before where there was one.
    pub tell: Option<Option<MobileNumber>>,
}

impl Ledger {
    pub fn is_empty(&self) -> bool {
        *self == Ledger::default()
    }

    pub fn own(&self, line: Line) -> Option<(Uuid, Standing)> {
        match line {
            Line::Mobile => self.mobile.as_ref().map(|own| (own.change, own.standing)),
            Line::Work => self.work.as_ref().map(|own| (own.change, own.standing)),
        }
    }

    pub fn mobile<'a>(&'a self, hr: &'a Option<MobileNumber>) -> &'a Option<MobileNumber> {
        effective(self.mobile.as_ref(), hr)
    }

    /// HR has delivered this person anew.
    pub fn hear(&mut self, before: &Person, after: &Person, now: DateTime<Utc>) -> Entails {
        let old = self.mobile(&before.mobile).clone();
        let later = |at: Option<DateTime<Utc>>| at.is_none_or(|at| after.updated_at.is_none_or(|said| at <= said));
        let mobile_is_later = later(self.mobile.as_ref().map(|own| own.at));
        let work_is_later = later(self.work.as_ref().map(|own| own.at));
        let waiting = [Line::Mobile, Line::Work].map(|line| (line, self.own(line)));
        hear(&mut self.mobile, &before.mobile, &after.mobile, mobile_is_later);
        hear(&mut self.work, &work_of(before), &work_of(after), work_is_later);
        let settled = |(line, was): &(Line, Option<(Uuid, Standing)>)| was.is_some() && self.own(*line) != *was;
        let superseded = waiting.iter().filter(|w| settled(w)).map(|(line, _)| *line).collect();
        let tell = self.mobile_became(&old, &after.mobile, Changed { at: now, by: Setter::Hr });
        Entails { write_back: Vec::new(), superseded, tell }
    }

    /// Somebody has changed numbers here. `hr`: the person as HR says it.
    pub fn change(&mut self, hr: &Person, made: &PhoneChange) -> Entails {
        let mut entails = Entails::default();
        let old = self.mobile(&hr.mobile).clone();
        if let Some((id, value)) = &made.mobile {
            let new = own(*id, value.clone(), made);
            self.mobile = change(self.mobile.take(), &hr.mobile, new);
            entails.superseded.push(Line::Mobile);
            entails.write_back.extend(self.mobile.as_ref().map(|own| (own.change, Line::Mobile)));
            let by = Changed { at: made.at, by: made.by.clone() };
            entails.tell = self.mobile_became(&old, &hr.mobile, by);
        }
        if let Some((id, value)) = &made.work {
            let new = own(*id, value.clone(), made);
            self.work = change(self.work.take(), &work_of(hr), new);
            entails.superseded.push(Line::Work);
            entails.write_back.extend(self.work.as_ref().map(|own| (own.change, Line::Work)));
        }
        entails
    }

    /// What HR's system answered to a write-back. False: it was of a change that does not matter any more.
    pub fn answered(&mut self, hr: &Person, change: Uuid, standing: Standing) -> bool {
        if let Some(own) = self.mobile.as_mut().filter(|own| own.change == change && own.counts()) {
            own.standing = standing;
            if standing == Standing::Taken && own.value == hr.mobile {
                self.mobile = None;
            }
            return true;
        }
        if let Some(own) = self.work.as_mut().filter(|own| own.change == change && own.counts()) {
            own.standing = standing;
            if standing == Standing::Taken && own.value == work_of(hr) {
                self.work = None;
            }
            return true;
        }
        false
    }

    fn mobile_became(&mut self, old: &Option<MobileNumber>, hr: &Option<MobileNumber>, by: Changed) -> Option<Option<MobileNumber>> {
        if self.mobile(hr) == old {
            return None;
        }
        self.mobile_changed = Some(by);
        Some(old.clone())
    }
}

fn own<T>(id: Uuid, value: T, made: &PhoneChange) -> Own<T> {
    Own { value, at: made.at, by: made.by.clone(), change: id, standing: Standing::Pending, earlier: Vec::new() }
}

fn work_of(person: &Person) -> WorkPhone {
    WorkPhone { number: person.work_phone.clone(), extension: person.extension.clone() }
}

/// The phones of a person: what HR says, and what was changed here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Phones {
    pub hr_mobile: Option<MobileNumber>,
    pub hr_work: WorkPhone,
    pub ledger: Ledger,
}

impl Phones {
    /// Puts the numbers that count into `person`, which is as HR said it, and answers what both sides say.
    pub fn lay_over(person: &mut Person, ledger: Ledger) -> Phones {
        let phones = Phones { hr_mobile: person.mobile.clone(), hr_work: work_of(person), ledger };
        person.mobile = phones.mobile().clone();
        let work = phones.work().clone();
        (person.work_phone, person.extension) = (work.number, work.extension);
        phones
    }
    /// The number that counts.
    pub fn mobile(&self) -> &Option<MobileNumber> {
        self.ledger.mobile(&self.hr_mobile)
    }
    pub fn work(&self) -> &WorkPhone {
        effective(self.ledger.work.as_ref(), &self.hr_work)
    }
    /// Whether a reset must not go to the mobile yet. An account that was never activated has no other way in: the caller says so.
    pub fn mobile_is_cooling(&self, cooling: TimeDelta, now: DateTime<Utc>) -> bool {
        self.ledger.mobile_changed.as_ref().is_some_and(|changed| changed.is_cooling(cooling, now))
    }
    /// What both sides have to settle between them.
    pub fn disputes(&self) -> Vec<(Line, Standing)> {
        let of = |line| self.ledger.own(line).map(|(_, standing)| (line, standing));
        let open = |standing: &Standing| matches!(standing, Standing::Newer | Standing::Refused | Standing::Overruled);
        [Line::Mobile, Line::Work].into_iter().filter_map(of).filter(|(_, standing)| open(standing)).collect()
    }
}

#[cfg(test)]
mod tests;
