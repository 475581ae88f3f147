//! Brings accounts to what they should be: people that are due, everybody when that is due and every night, and what was
//! changed by hand. One hand at the directory: these never run beside each other in one process.
use super::neighbour::Neighbour;
use super::voice::Voice;
use crate::wiring::House;
use chrono::{DateTime, Duration as Span, Utc};
use kimlik_domain::day;
use kimlik_domain::lifecycle::reconcile::{Reconciler, Whom};
use kimlik_domain::lifecycle::run::{Run, RunStatus, Trigger};
use kimlik_domain::ports::{PortError, PortResult};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Other replicas and the command line put work into the queue without telling this process.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// 02:00 in Türkiye.
const NIGHT: i64 = 2;

pub async fn keep_reconciling(house: Arc<House>, voice: Arc<Voice>, stop: CancellationToken) {
    let mut database = Neighbour::new("the database");
    let mut directory = Neighbour::new("the directory");
    let mut drift = Drift::new(&house);
    while !stop.is_cancelled() {
        let wait = match house.store.full_run_due().await {
            Err(fault) => database.failed(&fault),
            Ok(full) => {
                database.answered();
                match round(&house, &voice, full, &mut drift, &stop).await {
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

async fn round(house: &House, voice: &Voice, full: Option<i64>, drift: &mut Drift, stop: &CancellationToken) -> PortResult<()> {
    let reconciler = house.reconciler().await?;
    if let Some(number) = full {
        let run = reconciler.sync(&Whom::Everybody, Trigger::HrChange, voice).await?;
        ended(&run, voice)?;
        house.store.full_run_done(number).await?;
    } else if night_run_due(house).await? {
        let run = reconciler.sync(&Whom::Everybody, Trigger::Schedule, voice).await?;
        ended(&run, voice)?;
    }
    while !stop.is_cancelled() && reconciler.work(voice).await? > 0 {}
    if !stop.is_cancelled() {
        drift.look(&reconciler, voice).await?;
    }
    Ok(())
}

/// A run that could not go on is asked for again; one that is held or partly failed has done what can be done now.
fn ended(run: &Run, voice: &Voice) -> PortResult<()> {
    tracing::info!(run = %run.id, status = ?run.status, people = run.summary.people, done = run.summary.done, held = run.summary.held, refused = run.summary.refused, in_doubt = run.summary.in_doubt, "run over everybody");
    voice.run(run);
    match run.status {
        RunStatus::Failed => Err(PortError::Unavailable(run.summary.fault.clone().unwrap_or_else(|| "the run could not go on".into()))),
        _ => Ok(()),
    }
}

/// Has no run over everybody by the schedule begun since the last 02:00? The store knows, so a restart forgets nothing.
async fn night_run_due(house: &House) -> PortResult<bool> {
    let since = last_night(house.clock.now());
    let runs = house.store.runs(None, 200).await?;
    let since_then: Vec<&Run> = runs.iter().take_while(|r| r.started_at >= since).collect();
    // Why the last: when more runs than asked for have begun since, the scheduled one may stand behind them.
    let whole_night_seen = since_then.len() < runs.len() || runs.len() < 200;
    let ran = since_then.iter().any(|r| r.trigger == Trigger::Schedule);
    Ok(!ran && whole_night_seen && !runs.is_empty())
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
        let found = reconciler.drift(voice).await?;
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
