//! Where the simulated ministry stands: which ministry, and how many steps it has lived on which days.
use super::people::Written;
use chrono::Days;
use kimlik_domain::day::{self, Day};
use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The units are delivered; the staff comes next, as of the first day.
    Units(Day),
    /// The first day, and the steps lived since.
    Life(Day, Vec<Lived>),
}

/// Steps of one day that were alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lived {
    /// Days after the first.
    pub after: u64,
    pub steps: u64,
    /// Events a step: the setting as it was then.
    pub events: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    pub seed: u64,
    pub people: u32,
    /// Events a step where nothing else is said.
    pub events: u32,
    pub phase: Phase,
    /// Phones that Kimlik has written to this HR, by registry number: `S000123=m+905…` or `S000123=w+90312…/1234`.
    pub written: Vec<(String, Written)>,
}

impl Position {
    /// `7/2000/3 life 2026-11-23 0x12 1x35 1x4*10`: on the day after the first 35 steps of 3 events, then 4 of 10.
    pub fn parse(text: &str) -> Option<Position> {
        let mut words = text.split(' ');
        let mut ministry = words.next()?.split('/');
        let seed = ministry.next()?.parse().ok()?;
        let (people, events) = (ministry.next()?.parse().ok()?, ministry.next()?.parse().ok()?);
        let (phase, start) = (words.next()?, day::parse(words.next()?)?);
        let (phones, lived): (Vec<&str>, Vec<&str>) = words.partition(|word| word.contains('='));
        let written = phones.into_iter().map(|word| {
            let (registry_no, numbers) = word.split_once('=')?;
            Some((registry_no.to_owned(), Written::parse(numbers)?))
        });
        let written = written.collect::<Option<_>>()?;
        let lived = lived.into_iter().map(|word| {
            let (after, steps) = word.split_once('x')?;
            let (steps, events) = steps.split_once('*').map_or((steps, Some(events)), |(steps, events)| (steps, events.parse().ok()));
            Some(Lived { after: after.parse().ok()?, steps: steps.parse().ok()?, events: events? })
        });
        let lived: Vec<Lived> = lived.collect::<Option<_>>()?;
        let phase = match phase {
            "units" => Phase::Units(start),
            "life" => Phase::Life(start, lived),
            _ => return None,
        };
        Some(Position { seed, people, events, phase, written })
    }

    pub fn start(&self) -> Day {
        match &self.phase {
            Phase::Units(start) | Phase::Life(start, _) => *start,
        }
    }

    pub fn days(&self) -> impl Iterator<Item = (Day, Lived)> {
        let (start, lived): (Day, &[Lived]) = match &self.phase {
            Phase::Units(start) => (*start, &[]),
            Phase::Life(start, lived) => (*start, lived),
        };
        lived.iter().map(move |lived| (start.checked_add_days(Days::new(lived.after)).unwrap_or(start), *lived))
    }

    /// The day of the last step, or the first day.
    pub fn today(&self) -> Day {
        self.days().last().map_or(self.start(), |(day, _)| day)
    }

    /// One step on. Where the clock went back, the step is lived on the last day: life never goes backwards.
    pub fn after(&self, today: Day, events: u32) -> Position {
        let day = today.max(self.today());
        let after = u64::try_from((day - self.start()).num_days()).unwrap_or(0);
        let mut lived: Vec<Lived> = match &self.phase {
            Phase::Units(_) => Vec::new(),
            Phase::Life(_, lived) => lived.clone(),
        };
        match lived.last_mut() {
            Some(last) if last.after == after && last.events == events => last.steps += 1,
            _ => lived.push(Lived { after, steps: 1, events }),
        }
        Position { phase: Phase::Life(self.start(), lived), ..self.clone() }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = if matches!(self.phase, Phase::Units(_)) { "units" } else { "life" };
        write!(f, "{}/{}/{} {phase} {}", self.seed, self.people, self.events, self.start())?;
        match &self.phase {
            Phase::Units(_) => Ok(()),
            Phase::Life(_, lived) => lived.iter().try_for_each(|lived| {
                write!(f, " {}x{}", lived.after, lived.steps)?;
                if lived.events == self.events { Ok(()) } else { write!(f, "*{}", lived.events) }
            }),
        }?;
        self.written.iter().try_for_each(|(registry_no, numbers)| write!(f, " {registry_no}={numbers}"))
    }
}
