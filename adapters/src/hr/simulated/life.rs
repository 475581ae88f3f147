//! What happens in the simulated ministry. A step is decided by the seed, its number and its day, and by nothing else.
use super::dice::Dice;
use super::names::{FAMILIES, TITLES};
use super::people::{self, Fault, Overlay, SimPerson, State, Written};
use super::units::{self, Place, SimUnit};
use chrono::Days;
use kimlik_domain::day::Day;
use kimlik_domain::staff::feed::{Columns, Row};
use std::collections::BTreeMap;
use std::sync::Arc;

macro_rules! events {
    ($($name:ident),* $(,)?) => {
        /// Kinds of what happens.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Event { $($name),* }
        impl Event {
            #[cfg(test)]
            pub const ALL: &'static [Event] = &[$(Event::$name),*];
        }
    };
}
events! {
    Hired, HiredAhead, HiredWithFault, HireTakenBack, Transferred, Arrived, Promoted, Married, Seconded, SecondmentEnded, Acting, ActingEnded,
    WentOnLeave, CameBack, Suspended, Reinstated, Resigned, Retired, Died, PhoneChanged, Rehired, Garbled, Mended, UnitRenamed,
}

/// What begins by itself, and how often beside the others. The rest follows from these some steps later.
const BEGINNINGS: &[(Event, usize)] = &[
    (Event::Hired, 12),
    (Event::HiredAhead, 8),
    (Event::HiredWithFault, 4),
    (Event::Transferred, 16),
    (Event::Promoted, 10),
    (Event::Married, 6),
    (Event::Seconded, 7),
    (Event::Acting, 6),
    (Event::WentOnLeave, 7),
    (Event::Suspended, 3),
    (Event::Resigned, 7),
    (Event::Retired, 8),
    (Event::Died, 2),
    (Event::PhoneChanged, 10),
    (Event::Garbled, 2),
];

/// HITAP has no number in the built-in table for a hire that is taken back: settings name this one (effect `withdraw`).
pub const HIRE_TAKEN_BACK: &str = "9002";

pub struct Life {
    seed: u64,
    pub units: Vec<SimUnit>,
    pub people: Vec<SimPerson>,
    /// A unit for each share of people.
    shares: Vec<usize>,
    pub step: u64,
    next_registry: u32,
    /// By the step in which it is due.
    due: BTreeMap<(u64, u32), (usize, Event)>,
    promised: u32,
    columns: Arc<Columns>,
    /// Whose phones were written back and have to be delivered with the next step.
    confirm: Vec<usize>,
}

/// What came of a step.
pub struct Step {
    /// `None`: units were delivered instead.
    pub rows: Option<Vec<Row>>,
    pub happened: Vec<(Event, String)>,
}

fn later(day: Day, days: i64) -> Day {
    let by = Days::new(days.unsigned_abs());
    if days < 0 { day.checked_sub_days(by) } else { day.checked_add_days(by) }.unwrap_or(day)
}

impl Life {
    pub fn new(seed: u64, people: u32, start: Day) -> Life {
        let units = units::ministry(seed);
        let shares = units.iter().enumerate().flat_map(|(at, unit)| std::iter::repeat_n(at, unit.share as usize)).collect();
        let mut life = Life {
            seed,
            units,
            people: Vec::with_capacity(people as usize),
            shares,
            step: 0,
            next_registry: 1,
            due: BTreeMap::new(),
            promised: 0,
            columns: people::columns(),
            confirm: Vec::new(),
        };
        for at in 0..people {
            let mut dice = Dice::new(seed, 1_000_000 + u64::from(at));
            let unit = dice.one_of(&life.shares);
            let since = later(start, -dice.between(30, 11_000));
            let person = people::born(&mut dice, life.next_registry, unit, since, "1");
            life.next_registry += 1;
            life.people.push(person);
        }
        life.appoint_heads();
        life
    }

    /// Directorates get heads first; the units below them only where people are many enough.
    fn appoint_heads(&mut self) {
        let order = |place| move |(_, unit): &(usize, &SimUnit)| unit.place == place;
        let tops = self.units.iter().enumerate().filter(order(Place::Top));
        let below = self.units.iter().enumerate().filter(order(Place::Below));
        let chosen: Vec<usize> = tops.chain(below).map(|(at, _)| at).take(self.people.len() / 3).collect();
        for (person, unit) in chosen.into_iter().enumerate() {
            self.units[unit].head = Some(person);
            self.people[person].unit = unit;
            self.people[person].head = true;
            self.people[person].title = people::head_title(&self.units[unit]);
        }
    }

    pub fn unit_rows(&self) -> Vec<Row> {
        units::rows(&self.units, |person| self.people.get(person).map(SimPerson::registry_no).unwrap_or_default())
    }

    pub fn snapshot(&self, day: Day) -> Vec<Row> {
        let mut rows = Vec::with_capacity(self.people.len());
        (0..self.people.len()).for_each(|at| self.person_rows(at, day, &mut rows));
        rows
    }

    fn person_rows(&self, at: usize, day: Day, rows: &mut Vec<Row>) {
        let person = &self.people[at];
        let top = self.units[person.unit].parent.filter(|parent| *parent != 0).unwrap_or(person.unit);
        let manager = self.units[top].head.filter(|head| *head != at).map(|head| self.people[head].registry_no()).unwrap_or_default();
        let line = u32::try_from(rows.len() + 1).unwrap_or(u32::MAX);
        person.rows(&self.columns, line, &self.units, &manager, day, rows);
    }

    /// One step of life on `day`: `events` things happen, to different people.
    pub fn go_on(&mut self, day: Day, events: u32) -> Step {
        self.step += 1;
        let mut dice = Dice::new(self.seed, 500_000_000 + self.step);
        if dice.permille(25) {
            return Step { rows: None, happened: vec![(Event::UnitRenamed, self.rename_unit(&mut dice))] };
        }
        let (mut touched, mut happened) = (Vec::new(), Vec::new());
        for _ in 0..events {
            if let Some((person, event, text)) =
                self.due_event(&touched, day, &mut dice).or_else(|| self.new_event(&touched, day, &mut dice))
            {
                touched.push(person);
                happened.push((event, text));
            }
        }
        touched.extend(std::mem::take(&mut self.confirm));
        touched.sort_unstable();
        touched.dedup();
        let mut rows = Vec::new();
        touched.iter().for_each(|at| self.person_rows(*at, day, &mut rows));
        Step { rows: Some(rows), happened }
    }

    /// HR takes what Kimlik writes; the next step delivers it.
    pub fn write(&mut self, registry_no: &str, numbers: Written) -> Option<String> {
        let at = self.people.iter().position(|person| person.registry_no() == registry_no)?;
        let what = if matches!(numbers, Written::Mobile(_)) { "mobile number" } else { "work phone" };
        self.people[at].write(numbers);
        self.confirm.push(at);
        Some(format!("HR takes the new {what} of {} from Kimlik", self.people[at].said()))
    }

    /// What stands as Kimlik wrote it.
    pub fn written(&self) -> Vec<(String, Written)> {
        let of = |person: &SimPerson| {
            let registry_no = person.registry_no();
            person.written_phones().into_iter().map(move |numbers| (registry_no.clone(), numbers)).collect::<Vec<_>>()
        };
        self.people.iter().flat_map(of).collect()
    }

    fn rename_unit(&mut self, dice: &mut Dice) -> String {
        let below: Vec<usize> = (0..self.units.len()).filter(|at| self.units[*at].place == Place::Below).collect();
        let at = dice.one_of(&below);
        let place = self.units[self.units[at].parent.unwrap_or(at)].said();
        let old = self.units[at].rename();
        format!("{old} of {place} is renamed {}", self.units[at].name)
    }

    fn promise(&mut self, person: usize, event: Event, steps: i64) {
        self.promised += 1;
        self.due.insert((self.step + steps.unsigned_abs(), self.promised), (person, event));
    }

    fn due_event(&mut self, touched: &[usize], day: Day, dice: &mut Dice) -> Option<(usize, Event, String)> {
        loop {
            let (key, (person, event)) = self.due.iter().find(|(_, (person, _))| !touched.contains(person)).map(|(k, v)| (*k, *v))?;
            if key.0 > self.step {
                return None;
            }
            self.due.remove(&key);
            if let Some(text) = self.follow(person, event, day, dice) {
                return Some((person, event, text));
            }
        }
    }

    fn new_event(&mut self, touched: &[usize], day: Day, dice: &mut Dice) -> Option<(usize, Event, String)> {
        let mut at = dice.below(BEGINNINGS.iter().map(|(_, weight)| weight).sum());
        let event = BEGINNINGS.iter().find(|(_, weight)| {
            let hit = at < *weight;
            at = at.saturating_sub(*weight);
            hit
        })?;
        if matches!(event.0, Event::Hired | Event::HiredAhead | Event::HiredWithFault) {
            let (person, text) = self.hire(event.0, day, dice);
            return Some((person, event.0, text));
        }
        // Why bounded: in a small ministry there may be nobody whom it can happen to; then nothing happens.
        let person = (0..40).map(|_| dice.below(self.people.len())).find(|at| {
            let fits = self.people.get(*at).is_some_and(|p| p.is_serving(day) && self.may_happen(event.0, p));
            fits && !touched.contains(at)
        })?;
        Some((person, event.0, self.begin(person, event.0, day, dice)))
    }

    fn may_happen(&self, event: Event, person: &SimPerson) -> bool {
        match event {
            // Why not heads: their unit would have none, and everybody below no manager.
            Event::Transferred
            | Event::Resigned
            | Event::Retired
            | Event::Died
            | Event::Suspended
            | Event::WentOnLeave
            | Event::Promoted => !person.head && person.overlay.is_none(),
            Event::Seconded | Event::Acting => !person.head && person.overlay.is_none(),
            Event::Married => person.woman && person.family.1.is_none(),
            Event::Garbled => person.has_turkish_letters(),
            _ => true,
        }
    }

    fn hire(&mut self, event: Event, day: Day, dice: &mut Dice) -> (usize, String) {
        let unit = dice.one_of(&self.shares);
        let start = if event == Event::HiredAhead { later(day, dice.between(3, 14)) } else { day };
        let mut person = people::born(dice, self.next_registry, unit, start, "1");
        self.next_registry += 1;
        let at = self.people.len();
        let mut text = format!("{} is hired by {}, from {start}", person.said(), self.units[unit].in_full());
        if event == Event::HiredWithFault {
            person.fault = Some(if dice.permille(500) { Fault::NationalId } else { Fault::NoMobile });
            text.push_str(if person.fault == Some(Fault::NoMobile) { ", without a mobile number" } else { ", with a wrong national id" });
            self.promise(at, Event::Mended, dice.between(4, 20));
        }
        if event == Event::HiredAhead && dice.permille(350) {
            self.promise(at, Event::HireTakenBack, dice.between(3, 12));
        }
        self.people.push(person);
        (at, text)
    }

    fn begin(&mut self, at: usize, event: Event, day: Day, dice: &mut Dice) -> String {
        let said = self.people[at].said();
        let from = self.units[self.people[at].unit].said();
        match event {
            Event::Transferred => {
                self.set(at, State::Between, "69");
                self.promise(at, Event::Arrived, dice.between(2, 8));
                format!("{said} leaves {from} for another post")
            }
            Event::Promoted => {
                let title = dice.other(TITLES, self.people[at].title);
                let person = &mut self.people[at];
                (person.title, person.reason) = (title, "121");
                format!("{said} becomes {title} in {from}")
            }
            Event::Married => {
                let own = self.people[at].family.0;
                let new = dice.other(FAMILIES, own);
                self.people[at].family = if dice.permille(300) { (own, Some(new)) } else { (new, None) };
                format!("{said} marries and is now {}", self.people[at].full_name())
            }
            Event::Seconded | Event::Acting => self.lay_over(at, event, day, dice),
            Event::WentOnLeave => {
                self.set(at, State::OnLeave, "108");
                self.promise(at, Event::CameBack, dice.between(8, 60));
                format!("{said} goes on unpaid leave")
            }
            Event::Suspended => {
                self.set(at, State::Suspended, "221");
                self.promise(at, Event::Reinstated, dice.between(8, 60));
                format!("{said} is removed from duty in {from}")
            }
            Event::Resigned | Event::Retired | Event::Died => self.leave(at, event, day, dice),
            Event::Garbled => {
                self.people[at].fault = Some(Fault::Mojibake);
                self.promise(at, Event::Mended, dice.between(4, 20));
                format!("the row of {said} comes garbled")
            }
            _ => {
                self.promised += 1;
                let number = self.promised;
                self.people[at].change_mobile(number);
                format!("{said} has a new mobile number")
            }
        }
    }

    fn lay_over(&mut self, at: usize, event: Event, day: Day, dice: &mut Dice) -> String {
        let seconded = event == Event::Seconded;
        let own = self.people[at].unit;
        let unit = if seconded { dice.other(&self.shares, own) } else { own };
        let (kind, reason) = if seconded { ("SECONDED", "117") } else { ("ACTING", "119") };
        let end = later(day, dice.between(20, 90));
        self.people[at].overlay = Some(Overlay { kind, unit, start: day, end });
        self.people[at].reason = reason;
        self.promise(at, if seconded { Event::SecondmentEnded } else { Event::ActingEnded }, dice.between(8, 60));
        let (said, unit) = (self.people[at].said(), &self.units[unit]);
        if seconded {
            format!("{said} is seconded to {} until {end}", unit.said())
        } else {
            format!("{said} acts as {} in {} until {end}", people::head_title(unit), unit.said())
        }
    }

    fn leave(&mut self, at: usize, event: Event, day: Day, dice: &mut Dice) -> String {
        let (reason, end, verb) = match event {
            Event::Resigned => ("96", later(day, -1), "has resigned"),
            Event::Retired => ("49", later(day, dice.between(1, 10)), "retires"),
            _ => ("63", day, "has died"),
        };
        self.set(at, State::Leaving, reason);
        let person = &mut self.people[at];
        // Why: nobody leaves before they came.
        person.end = Some(end.max(person.start));
        let text = format!("{} {verb}; last day {}", person.said(), end.max(person.start));
        if event == Event::Resigned && dice.permille(400) {
            self.promise(at, Event::Rehired, dice.between(10, 60));
        }
        text
    }

    fn set(&mut self, at: usize, state: State, reason: &'static str) {
        (self.people[at].state, self.people[at].reason) = (state, reason);
    }

    /// What was promised comes true; `None`: it no longer can.
    fn follow(&mut self, at: usize, event: Event, day: Day, dice: &mut Dice) -> Option<String> {
        let said = self.people[at].said();
        let text = match event {
            Event::HireTakenBack if self.people[at].start > day && self.people[at].state == State::Serving => {
                self.set(at, State::Never, HIRE_TAKEN_BACK);
                format!("the hire of {said} is taken back")
            }
            Event::HireTakenBack => return None,
            Event::Arrived => {
                let old = self.people[at].unit;
                let new = dice.other(&self.shares, old);
                self.set(at, State::Serving, "71");
                (self.people[at].unit, self.people[at].posted) = (new, day);
                format!("{said} is transferred from {} to {}", self.units[old].said(), self.units[new].said())
            }
            Event::CameBack => {
                self.set(at, State::Serving, "112");
                format!("{said} is back from unpaid leave")
            }
            Event::Reinstated => {
                self.set(at, State::Serving, "222");
                format!("{said} is back on duty")
            }
            Event::SecondmentEnded | Event::ActingEnded => {
                let over = self.people[at].overlay.take()?;
                self.people[at].reason = if event == Event::ActingEnded { "120" } else { "118" };
                let what = if event == Event::ActingEnded { "no longer acts for the head of" } else { "is back from" };
                format!("{said} {what} {}", self.units[over.unit].said())
            }
            Event::Rehired => self.rehire(at, day, dice)?,
            _ => {
                self.people[at].fault.take()?;
                format!("the row of {said} is mended")
            }
        };
        Some(text)
    }

    fn rehire(&mut self, at: usize, day: Day, dice: &mut Dice) -> Option<String> {
        if self.people[at].end? >= day {
            return None;
        }
        let old = self.people[at].registry_no();
        self.set(at, State::Serving, "2");
        let unit = dice.one_of(&self.shares);
        let person = &mut self.people[at];
        (person.start, person.end, person.posted, person.unit) = (day, None, day, unit);
        if dice.permille(500) {
            person.registry = self.next_registry;
            self.next_registry += 1;
        }
        Some(format!("{} returns to {} (was {old})", person.said(), self.units[unit].said()))
    }
}
