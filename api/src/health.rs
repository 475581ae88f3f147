//! How connected systems stand, looked at by this process at a steady pace and not when somebody asks: who asks often disturbs nobody, and
//! whoever was away for a while is known to have been.
use crate::inspect;
use crate::wiring::House;
use chrono::{DateTime, Utc};
use kimlik_domain::health::Finding;
use kimlik_domain::health::standing::{self, Standings};
use kimlik_domain::ports::{PortError, PortResult};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Between two looks.
pub const PACE: Duration = Duration::from_secs(30);

/// What was found at a look, and since when it is so.
#[derive(Clone)]
pub struct Seen {
    pub finding: Finding,
    pub since: DateTime<Utc>,
    /// When it was looked at.
    pub at: DateTime<Utc>,
}

/// What the loop that takes in the feed has seen of it.
#[derive(Clone)]
pub enum FeedSeen {
    Quiet,
    Took(String),
    /// The delivery was refused whole; why.
    Refused(String, String),
    Away(PortError),
}

#[derive(Default)]
pub struct HealthBoard {
    last: Mutex<Option<Arc<Vec<Seen>>>>,
    /// When it was asked last.
    feed: Mutex<Option<(FeedSeen, DateTime<Utc>)>>,
    /// Held by whoever looks.
    turn: tokio::sync::Mutex<Turn>,
}

/// What one look leaves to the next.
#[derive(Default)]
struct Turn {
    /// How things stood, and when that was.
    before: Option<(Standings, DateTime<Utc>)>,
    /// The store has not heard yet how they stand.
    untold: bool,
    /// By inspector: what was found and when, for those that are not to be asked each time.
    rested: HashMap<usize, (Vec<Finding>, DateTime<Utc>)>,
}

impl HealthBoard {
    /// Of the feed, as it was just asked.
    pub fn feed_was(&self, seen: FeedSeen, now: DateTime<Utc>) {
        *self.feed.lock().unwrap_or_else(PoisonError::into_inner) = Some((seen, now));
    }

    pub fn feed(&self) -> Option<(FeedSeen, DateTime<Utc>)> {
        self.feed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn last(&self) -> Option<Arc<Vec<Seen>>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Of the last look; the first is waited for.
    pub async fn latest(&self, house: &House) -> Arc<Vec<Seen>> {
        if let Some(last) = self.last() {
            return last;
        }
        let mut turn = self.turn.lock().await;
        match self.last() {
            Some(last) => last,
            None => self.look_in(house, &mut turn).await,
        }
    }

    pub async fn look(&self, house: &House) {
        let mut turn = self.turn.lock().await;
        self.look_in(house, &mut turn).await;
    }

    async fn look_in(&self, house: &House, turn: &mut Turn) -> Arc<Vec<Seen>> {
        // Why before: what stands since this look was looked at after that.
        let began = house.clock.now();
        let mut found = inspect::own(house).await;
        for (number, inspector) in house.inspectors.iter().enumerate() {
            let now = house.clock.now();
            let rested = turn.rested.get(&number).filter(|(_, at)| now - *at < inspector.rest());
            let (findings, at) = match rested {
                Some(rested) => rested.clone(),
                None => {
                    let findings = inspector.inspect().await;
                    if inspector.rest() > chrono::TimeDelta::zero() {
                        turn.rested.insert(number, (findings.clone(), now));
                    }
                    (findings, now)
                }
            };
            found.extend(findings.into_iter().map(|finding| (finding, at)));
        }
        let findings: Vec<Finding> = found.iter().map(|(finding, _)| finding.clone()).collect();
        let stand = turn.stand(house, &findings, began).await;
        let seen = found.into_iter().map(|(finding, at)| {
            let since = finding.since.or_else(|| Some(stand.get(&finding.key())?.since)).unwrap_or(at).min(at);
            Seen { finding, since, at }
        });
        let seen = Arc::new(seen.collect::<Vec<_>>());
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen.clone());
        seen
    }
}

impl Turn {
    /// How things stand now. The store is asked and told only where something changed.
    async fn stand(&mut self, house: &House, findings: &[Finding], now: DateTime<Utc>) -> Standings {
        if !self.untold && !standing::has_changed(findings, self.before.as_ref().map(|(standings, _)| standings)) {
            let stand = self.before.take().map(|(standings, _)| standings).unwrap_or_default();
            self.before = Some((stand.clone(), now));
            return stand;
        }
        let kept = house.standing.standings().await.unwrap_or_default();
        let before = self.before.as_ref().map(|(standings, at)| (standings, *at));
        let stand = standing::stand(findings, before, &kept, now);
        let told = tell(house, &stand, &kept).await;
        // Why only for whoever looks at the log closely: that the store is away is said by everybody who needs it.
        if let Err(fault) = &told {
            tracing::debug!(%fault, "since when systems stand as they do could not be kept; it is at the next look");
        }
        self.untold = told.is_err();
        self.before = Some((stand.clone(), now));
        stand
    }
}

async fn tell(house: &House, stand: &Standings, kept: &Standings) -> PortResult<()> {
    let changed: Standings =
        stand.iter().filter(|(key, standing)| kept.get(*key) != Some(*standing)).map(|(key, s)| (key.clone(), s.clone())).collect();
    let gone: Vec<String> = kept.keys().filter(|key| !stand.contains_key(*key)).cloned().collect();
    if changed.is_empty() && gone.is_empty() {
        return Ok(());
    }
    house.standing.keep_standings(&changed, &gone).await
}
