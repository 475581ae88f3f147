//! Brings accounts to what they should be: people that are due, everybody when that is due and every night, and what was
//! changed by hand. One hand at the directory: these never run beside each other in one process.
use super::neighbour::Neighbour;
use super::voice::Voice;
use crate::wiring::House;
use chrono::{DateTime, Duration as Span, Utc};
use kimlik_domain::day;
use kimlik_domain::lifecycle::reconcile::{Reconciler, Whom};
use kimlik_domain::lifecycle::run::{Run, RunStatus, Trigger};
use kimlik_domain::ports::{PortResult, Refusal};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Other replicas and the command line put work into the queue without telling this process.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// While a neighbour is away: a leaver's account must not stay open much longer than the outage.
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// 02:00 in Türkiye.
const NIGHT: i64 = 2;

pub async fn keep_reconciling(house: Arc<House>, voice: Arc<Voice>, stop: CancellationToken) {
    let mut database = Neighbour::new("the database", LONGEST_WAIT);
    let mut directory = Neighbour::new("the directory", LONGEST_WAIT);
    let mut drift = Drift::new(&house);
    let mut night = Night::default();
    let mut starting = true;
    while !stop.is_cancelled() {
        let wait = match why_everybody(&house, &mut starting, &mut night).await {
            Err(fault) => database.failed(&fault),
            Ok(trigger) => {
                database.answered();
                match round(&house, &voice, trigger, &mut drift, &stop).await {
                    Ok(()) => {
                        directory.answered();
                        LOOK_AGAIN
                    }
                    Err(fault) => directory.failed(&fault),
                }
            }
        };
        let woken = house.wake.notified();
        tokio::select! {
            () = stop.cancelled() => break,
            // Why not while it is away: each delivery of the feed would ask it again at once.
            () = woken, if !directory.is_away() && !database.is_away() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn round(house: &House, voice: &Voice, everybody: Option<Trigger>, drift: &mut Drift, stop: &CancellationToken) -> PortResult<()> {
    let reconciler = house.reconciler().await?;
    if let Some(trigger) = everybody {
        match reconciler.sync(&Whom::Everybody, trigger, voice).await {
            Ok(run) => ended(&run, voice),
            // Everybody stays due: should the other not come to the end, this one takes over.
            Err(fault) if fault.refusal() == Some(Refusal::InHand) => tracing::debug!(%fault, "the queue is worked off meanwhile"),
            Err(fault) => return Err(fault),
        }
    }
    while !stop.is_cancelled() && reconciler.work(voice).await? > 0 {}
    if !stop.is_cancelled() {
        drift.look(&reconciler, voice).await?;
    }
    Ok(())
}

/// Whether everybody is to be looked at, and why: at the start, because HR's units changed, or because it is night.
async fn why_everybody(house: &House, starting: &mut bool, night: &mut Night) -> PortResult<Option<Trigger>> {
    if *starting {
        // Why in the store: what an end by force has left half done is looked at even if this process ends before it comes to it.
        house.store.request_full_run().await?;
        *starting = false;
        return Ok(Some(Trigger::Schedule));
    }
    if house.store.full_run_due().await?.is_some() {
        return Ok(Some(Trigger::HrChange));
    }
    Ok(night.is_due(house).await?.then_some(Trigger::Schedule))
}

fn ended(run: &Run, voice: &Voice) {
    let s = &run.summary;
    tracing::info!(
        run = %run.id, status = ?run.status, people = s.people, done = s.done, held = s.held, refused = s.refused,
        in_doubt = s.in_doubt, "run over everybody"
    );
    voice.run(run);
}

/// The nightly look at everybody. The store knows whether it was, so a restart forgets nothing and repeats nothing.
#[derive(Default)]
struct Night {
    /// The night that is known to have been worked off.
    seen: Option<DateTime<Utc>>,
}

impl Night {
    async fn is_due(&mut self, house: &House) -> PortResult<bool> {
        let since = last_night(house.clock.now());
        if self.seen == Some(since) {
            return Ok(false);
        }
        let mut before = None;
        loop {
            let runs = house.store.runs(before, 200).await?;
            let of_night = |r: &&Run| r.trigger == Trigger::Schedule && r.started_at >= since && r.status != RunStatus::Interrupted;
            if runs.iter().find(of_night).is_some_and(|r| r.status == RunStatus::Running) {
                // Why not taken for done: should its process be killed, this one takes over.
                return Ok(false);
            }
            let ran = runs.iter().any(|r| of_night(&r));
            // Why also without any run: at the very first start everybody is looked at for that reason.
            let very_first = before.is_none() && runs.is_empty();
            if ran || very_first {
                self.seen = Some(since);
                return Ok(false);
            }
            match runs.last() {
                Some(oldest) if oldest.started_at >= since => before = Some(oldest.id),
                _ => return Ok(true),
            }
        }
    }
}

fn last_night(now: DateTime<Utc>) -> DateTime<Utc> {
    let today = day::midnight(day::today(now)) + Span::hours(NIGHT);
    if today <= now { today } else { today - Span::days(1) }
}

struct Drift {
    every: Duration,
    next: Instant,
}

impl Drift {
    fn new(house: &House) -> Drift {
        let every = Duration::from_secs(u64::from(house.config.directory.active_directory.drift_minutes) * 60);
        Drift { every, next: Instant::now() + every }
    }

    async fn look(&mut self, reconciler: &Reconciler, voice: &Voice) -> PortResult<()> {
        if Instant::now() < self.next {
            return Ok(());
        }
        let found = match reconciler.drift(voice).await {
            Err(fault) if fault.refusal() == Some(Refusal::InHand) => 0,
            found => found?,
        };
        if found > 0 {
            tracing::info!(accounts = found, "changed by hand and looked at");
        }
        self.next = Instant::now() + self.every;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_night_begins_at_two_in_istanbul() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        assert_eq!(last_night(at("2026-12-01T12:00:00Z")), at("2026-11-30T23:00:00Z"));
        assert_eq!(last_night(at("2026-12-01T22:59:59Z")), at("2026-11-30T23:00:00Z"));
        assert_eq!(last_night(at("2026-12-01T23:00:00Z")), at("2026-12-01T23:00:00Z"));
    }
}
