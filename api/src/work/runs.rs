//! Runs that nobody carries out any more are said to be over, so that nobody follows them for ever. Any number of replicas look; one
//! of them finds each.
use super::neighbour::Neighbour;
use super::pause;
use crate::wiring::House;
use kimlik_domain::ports::PortResult;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Why not among the other work: a run over everybody keeps that busy for an hour, and it may be another's run that was lost.
pub async fn keep_ending_lost(house: Arc<House>, stop: CancellationToken) {
    let mut database = Neighbour::new("the database (for runs that were lost)", LOOK_AGAIN);
    loop {
        let wait = match end_lost(&house).await {
            Ok(()) => {
                database.answered();
                LOOK_AGAIN
            }
            Err(fault) => database.failed(&fault),
        };
        if !pause(&stop, wait).await {
            return;
        }
    }
}

/// Once. What such a run was at is for others to settle from now on.
pub async fn end_lost(house: &House) -> PortResult<()> {
    for run in house.store.interrupt_lost(house.clock.now()).await? {
        tracing::warn!(%run, "a run was interrupted: its process was killed, or has said nothing for a minute");
    }
    Ok(())
}
