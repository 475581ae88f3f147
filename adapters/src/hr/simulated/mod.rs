//! A ministry that lives by itself: for the demo, for tests and for measuring. It decides nothing about accounts.
//!
//! Life is a function of (seed, people, the events and the civil day of each step). The position carries those days, so a
//! restart on another day replays exactly the life that Kimlik has already taken in, and goes on from there.
mod dice;
mod life;
mod names;
mod people;
mod position;
mod units;

pub use life::HIRE_TAKEN_BACK;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use kimlik_domain::day;
use kimlik_domain::phone::write_back::ForHr;
use kimlik_domain::ports::{Clock, HrAnswer, HrFeed, HrWriteBack, PortError, PortResult, Refusal};
use kimlik_domain::staff::RegistryNo;
use kimlik_domain::staff::feed::{Content, Delivery};
use kimlik_domain::staff::intake::FeedReport;
use kimlik_domain::staff::reason::Effect;
use life::Life;
use people::Written;
use position::{Phase, Position};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

pub struct SimulatedMinistry {
    seed: u64,
    people: u32,
    events_per_step: u32,
    rests: bool,
    clock: Arc<dyn Clock>,
    now: Mutex<Now>,
}

#[derive(Default)]
struct Now {
    /// The life as it is at a position, where one was reached.
    life: Option<(Position, Life)>,
    /// The position of the delivery handed out last: the next poll from there rests once.
    handed: Option<String>,
    /// Steps that were told already: a delivery that is asked for again is not told again.
    told: u64,
    narration: Vec<String>,
    /// Phones that Kimlik has written and no step has delivered yet.
    written: Vec<(String, Written)>,
}

impl SimulatedMinistry {
    /// Reason codes of this ministry that the built-in table does not have: to be laid over it.
    pub const REASONS: &[(&str, Effect)] = &[(HIRE_TAKEN_BACK, Effect::Withdraw)];

    /// `events_per_step`: how much happens from one delivery to the next.
    pub fn new(seed: u64, people: u32, events_per_step: u32, clock: Arc<dyn Clock>) -> SimulatedMinistry {
        SimulatedMinistry { seed, people, events_per_step, rests: true, clock, now: Mutex::default() }
    }

    /// Never answers "nothing new": each poll is a step. (By itself it does so once after each delivery, so that whoever takes
    /// in all there is comes to an end.)
    pub fn without_rest(mut self) -> SimulatedMinistry {
        self.rests = false;
        self
    }

    /// What has happened since this was asked last, in plain words.
    pub fn narration(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().narration)
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn position(&self, phase: Phase) -> Position {
        Position { seed: self.seed, people: self.people, events: self.events_per_step, phase, written: Vec::new() }
    }

    fn parse(&self, text: &str) -> PortResult<Position> {
        let position = Position::parse(text);
        position.filter(|p| (p.seed, p.people) == (self.seed, self.people)).ok_or_else(|| {
            let reason = format!(
                "the position held ({text}) is not one of this simulated ministry (seed {}, {} people): set these back, or begin with \
                 an empty database",
                self.seed, self.people
            );
            PortError::refused(Refusal::Other, reason)
        })
    }

    fn delivery(&self, name: String, phase: Phase, content: Content) -> Delivery {
        Delivery { name, position: self.position(phase).to_string(), content, broken: Vec::new() }
    }

    fn next(&self, position: Option<&str>) -> PortResult<Option<Delivery>> {
        let today = day::today(self.clock.now());
        let mut now = self.lock();
        let Some(text) = position else {
            let life = Life::new(self.seed, self.people, today);
            let delivery = self.delivery("units of the simulated ministry".into(), Phase::Units(today), Content::Units(life.unit_rows()));
            return Ok(Some(delivery));
        };
        if self.rests && now.handed.take_if(|handed| handed == text).is_some() && !matches!(self.parse(text)?.phase, Phase::Units(_)) {
            return Ok(None);
        }
        let from = self.parse(text)?;
        let delivery = match from.phase {
            Phase::Units(start) => {
                let rows = Life::new(self.seed, self.people, start).snapshot(start);
                self.delivery("staff of the simulated ministry".into(), Phase::Life(start, Vec::new()), Content::Snapshot(rows))
            }
            Phase::Life(..) => self.step(&mut now, from, today),
        };
        now.handed = Some(delivery.position.clone());
        Ok(Some(delivery))
    }

    /// Goes on by one step from `from`; replays up to there first, unless life stands there already.
    fn step(&self, now: &mut Now, from: Position, today: day::Day) -> Delivery {
        let held = now.life.take().filter(|(at, _)| *at == from).map(|(_, life)| life);
        let mut life = held.unwrap_or_else(|| self.replay(&from));
        let to = from.after(today, self.events_per_step);
        for (registry_no, numbers) in std::mem::take(&mut now.written) {
            let told = life.write(&registry_no, numbers);
            now.narration.extend(told);
        }
        let step = life.go_on(to.today(), self.events_per_step);
        let to = Position { written: life.written(), ..to };
        let number = life.step;
        if number > now.told {
            now.told = number;
            now.narration.extend(step.happened.into_iter().map(|(_, text)| text));
        }
        let content = step.rows.map_or_else(|| Content::Units(life.unit_rows()), Content::Delta);
        let delivery =
            Delivery { name: format!("step {number} of the simulated ministry"), position: to.to_string(), content, broken: Vec::new() };
        now.life = Some((to, life));
        delivery
    }

    fn replay(&self, to: &Position) -> Life {
        let mut life = Life::new(self.seed, self.people, to.start());
        for (day, lived) in to.days() {
            for _ in 0..lived.steps {
                life.go_on(day, lived.events);
            }
        }
        // Delivered again with the next step: a step that was cut off may not have told them.
        for (registry_no, numbers) in &to.written {
            life.write(registry_no, numbers.clone());
        }
        life
    }
}

#[async_trait]
impl HrFeed for SimulatedMinistry {
    fn name(&self) -> &str {
        "simulated"
    }
    async fn poll(&self, position: Option<&str>) -> PortResult<Option<Delivery>> {
        self.next(position)
    }
    async fn taken(&self, _: &Delivery, _: &FeedReport) -> PortResult<()> {
        Ok(())
    }
}

#[async_trait]
impl HrWriteBack for SimulatedMinistry {
    /// The next step delivers it, and so confirms it.
    async fn write_phones(&self, _: Uuid, of: &RegistryNo, numbers: &ForHr, _: DateTime<Utc>) -> PortResult<HrAnswer> {
        self.lock().written.push((of.as_str().to_owned(), Written::of(numbers)));
        Ok(HrAnswer::Taken)
    }
}

#[cfg(test)]
mod tests;
