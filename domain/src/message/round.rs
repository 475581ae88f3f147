//! What is done once a day, by one of all replicas. Taken up again where it was broken off; what it queues is unique by itself, so
//! that doing it twice is doing it once.
use crate::day::{self, Day};
use crate::id::uuid_v7;
use crate::ports::{Clock, Entropy, PortResult, Rounds, TakenRound};
use chrono::{DateTime, TimeDelta, Timelike, Utc};
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

pub struct DailyRound {
    pub rounds: Arc<dyn Rounds>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// Stable: the day is kept under it.
    pub name: &'static str,
    /// From this hour of the day on, in Türkiye.
    pub hour: u32,
    /// So that a round that was made is not asked for again all day.
    made: Mutex<Option<Day>>,
}

/// Held until it is made or its time has run out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    pub day: Day,
    pub at: DateTime<Utc>,
    holder: Uuid,
}

const LEASE: TimeDelta = TimeDelta::minutes(10);

impl DailyRound {
    pub fn new(rounds: Arc<dyn Rounds>, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>, name: &'static str, hour: u32) -> DailyRound {
        DailyRound { rounds, clock, entropy, name, hour, made: Mutex::default() }
    }

    /// `None`: it is too early, was made, or is in somebody else's hands.
    pub async fn take(&self) -> PortResult<Option<Hold>> {
        let at = self.clock.now();
        let day = day::today(at);
        let known = *self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if day::local(at).hour() < self.hour || known == Some(day) {
            return Ok(None);
        }
        let mut random = [0; 10];
        self.entropy.fill(&mut random);
        let hold = Hold { day, at, holder: uuid_v7(at, random) };
        match self.rounds.take_round(self.name, day, hold.holder, at, at + LEASE).await? {
            TakenRound::Ours => Ok(Some(hold)),
            TakenRound::Others => Ok(None),
            TakenRound::Made => {
                self.remember(day);
                Ok(None)
            }
        }
    }

    /// False: it took so long that somebody else is at it by now.
    pub async fn keep(&self, hold: &Hold) -> PortResult<bool> {
        self.rounds.keep_round(self.name, hold.day, hold.holder, self.clock.now() + LEASE).await
    }

    pub async fn made(&self, hold: &Hold) -> PortResult<()> {
        self.rounds.round_made(self.name, hold.day, hold.holder, self.clock.now()).await?;
        self.remember(hold.day);
        Ok(())
    }

    fn remember(&self, day: Day) {
        *self.made.lock().unwrap_or_else(PoisonError::into_inner) = Some(day);
    }
}
