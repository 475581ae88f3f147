//! How a run goes on, told as it does. Read from the store: the run may be another replica's.
use super::error::fault;
use super::run::{SyncRun, SyncRunStatus};
use super::{allows, house, id};
use crate::wiring::House;
use async_graphql::{Context, ID, Object, Result, Subscription};
use futures_util::Stream;
use kimlik_domain::access::{About, Deed};
use kimlik_domain::id::RunId;
use kimlik_domain::lifecycle::run::{OperationStatus, Run};
use kimlik_domain::ports::{PortResult, RunProgress};
use std::sync::Arc;
use std::time::{Duration, Instant};

#[derive(Default)]
pub struct RunSubscription;

const EVERY: Duration = Duration::from_millis(500);

/// How far a run has come.
#[derive(Clone, PartialEq)]
pub struct SyncProgress {
    run: Run,
    so_far: RunProgress,
}

#[Object]
/// How far a run has come.
impl SyncProgress {
    /// The run itself.
    async fn run(&self) -> SyncRun {
        SyncRun::of(self.run.clone())
    }
    /// How it stands.
    async fn status(&self) -> SyncRunStatus {
        self.run.status.into()
    }
    /// It is over, however it ended: this is the last that is told of it.
    async fn finished(&self) -> bool {
        self.is_over()
    }
    /// Changes that it planned; 0 until everybody was looked at.
    async fn total(&self) -> u32 {
        self.run.summary.planned.values().sum()
    }
    /// Changes that were begun: decided, and perhaps already carried out.
    async fn begun(&self) -> u32 {
        self.so_far.counts.values().sum()
    }
    /// Changes that were carried out and seen in the directory.
    async fn done(&self) -> u32 {
        self.count(OperationStatus::Done)
    }
    /// Changes that were refused or are in doubt.
    async fn failed(&self) -> u32 {
        self.count(OperationStatus::Refused) + self.count(OperationStatus::InDoubt)
    }
}

impl SyncProgress {
    fn count(&self, status: OperationStatus) -> u32 {
        self.so_far.counts.get(&status).copied().unwrap_or(0)
    }
    fn is_over(&self) -> bool {
        self.run.finished_at.is_some()
    }
}

#[Subscription]
impl RunSubscription {
    /// How a run goes on: where it stands now, then each time it has come further, until it is over. Null once, and the end: there is
    /// no such run.
    async fn sync_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of the run.")] run_id: ID,
    ) -> Result<impl Stream<Item = Option<SyncProgress>>> {
        let run = RunId(id::argument(id::RUN, "runId", &run_id)?);
        let house = house(ctx)?.clone();
        let first = match allows(ctx, Deed::ReadRun, About::Everything) {
            true => look(&house, run).await.map_err(|e| fault(ctx, &e))?,
            false => None,
        };
        Ok(futures_util::stream::unfold(Step::First(first), move |step| next(house.clone(), run, step)))
    }
}

enum Step {
    First(Option<SyncProgress>),
    After(SyncProgress),
    Over,
}

async fn next(house: Arc<House>, run: RunId, step: Step) -> Option<(Option<SyncProgress>, Step)> {
    let told = match step {
        Step::Over => return None,
        Step::First(None) => return Some((None, Step::Over)),
        Step::First(Some(first)) => first,
        Step::After(seen) => further(&house, run, seen).await,
    };
    let then = if told.is_over() { Step::Over } else { Step::After(told.clone()) };
    Some((Some(told), then))
}

/// Waits until something is other than it was.
async fn further(house: &House, run: RunId, seen: SyncProgress) -> SyncProgress {
    let mut wait = EVERY;
    loop {
        tokio::time::sleep(wait).await;
        let began = Instant::now();
        match look(house, run).await {
            Ok(Some(now)) if now != seen => return now,
            Ok(_) => {}
            Err(fault) => tracing::debug!(%fault, "the progress of a run cannot be read now"),
        }
        // Why: counting a large run costs the database something, however many watch it.
        wait = EVERY.max(began.elapsed() * 20);
    }
}

async fn look(house: &House, run: RunId) -> PortResult<Option<SyncProgress>> {
    let found = house.runs.progress(run).await?;
    Ok(found.map(|(run, so_far)| SyncProgress { run, so_far }))
}
