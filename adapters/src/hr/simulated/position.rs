//! Where the simulated ministry stands: which ministry, and how many steps it has lived on which days.
use chrono::Days;
use kimlik_domain::day::{self, Day};
use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The units are delivered; the staff comes next, as of the first day.
    Units(Day),
    /// The first day, and the steps lived on days since: (days after the first, steps).
    Life(Day, Vec<(u64, u64)>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    pub seed: u64,
    pub people: u32,
    pub events: u32,
    pub phase: Phase,
}

impl Position {
    /// `7/2000/3 life 2026-11-23 0x12 1x35`
    pub fn parse(text: &str) -> Option<Position> {
        let mut words = text.split(' ');
        let mut ministry = words.next()?.split('/');
        let seed = ministry.next()?.parse().ok()?;
        let (people, events) = (ministry.next()?.parse().ok()?, ministry.next()?.parse().ok()?);
        let (phase, start) = (words.next()?, day::parse(words.next()?)?);
        let lived = words.map(|word| word.split_once('x').and_then(|(day, steps)| Some((day.parse().ok()?, steps.parse().ok()?))));
        let lived: Vec<(u64, u64)> = lived.collect::<Option<_>>()?;
        let phase = match phase {
            "units" => Phase::Units(start),
            "life" => Phase::Life(start, lived),
            _ => return None,
        };
        Some(Position { seed, people, events, phase })
    }

    pub fn start(&self) -> Day {
        match &self.phase {
            Phase::Units(start) | Phase::Life(start, _) => *start,
        }
    }

    pub fn days(&self) -> impl Iterator<Item = (Day, u64)> {
        let (start, lived): (Day, &[(u64, u64)]) = match &self.phase {
            Phase::Units(start) => (*start, &[]),
            Phase::Life(start, lived) => (*start, lived),
        };
        lived.iter().map(move |(after, steps)| (start.checked_add_days(Days::new(*after)).unwrap_or(start), *steps))
    }

    /// The day of the last step, or the first day.
    pub fn today(&self) -> Day {
        self.days().last().map_or(self.start(), |(day, _)| day)
    }

    /// One step on. Where the clock went back, the step is lived on the last day: life never goes backwards.
    pub fn after(&self, today: Day) -> Position {
        let day = today.max(self.today());
        let after = u64::try_from((day - self.start()).num_days()).unwrap_or(0);
        let mut lived: Vec<(u64, u64)> = match &self.phase {
            Phase::Units(_) => Vec::new(),
            Phase::Life(_, lived) => lived.clone(),
        };
        match lived.last_mut() {
            Some((last, steps)) if *last == after => *steps += 1,
            _ => lived.push((after, 1)),
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
            Phase::Life(_, lived) => lived.iter().try_for_each(|(after, steps)| write!(f, " {after}x{steps}")),
        }
    }
}
