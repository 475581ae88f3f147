//! The loops that work by themselves, and how they stop: each finishes the piece in hand. What is cut off nevertheless
//! is taken up again at the next start, as after a power cut.
pub mod cards;
pub mod challenges;
pub mod courier;
pub mod daily;
pub mod health;
pub mod hr_photos;
pub mod intake;
pub mod mailbox;
pub mod neighbour;
pub mod phones;
pub mod photos;
pub mod reconcile;
pub mod runs;
pub mod submissions;
pub mod voice;
pub mod webhooks;

use crate::wiring::House;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long a stop waits for the pieces in hand.
const PATIENCE: Duration = Duration::from_secs(20);

/// The loops over `house`; they end when `stop` is cancelled.
pub fn start(house: &Arc<House>, voice: &Arc<voice::Voice>, stop: &CancellationToken) -> JoinSet<()> {
    let mut loops = JoinSet::new();
    loops.spawn(cards::keep_sealing(house.clone(), stop.clone()));
    loops.spawn(cards::keep_following(house.clone(), stop.clone()));
    loops.spawn(intake::keep_taking_in(house.clone(), voice.clone(), stop.clone()));
    loops.spawn(reconcile::keep_reconciling(house.clone(), voice.clone(), stop.clone()));
    loops.spawn(runs::keep_ending_lost(house.clone(), stop.clone()));
    loops.spawn(challenges::keep_answering(house.clone(), stop.clone()));
    loops.spawn(courier::keep_carrying(house.clone(), stop.clone()));
    loops.spawn(courier::keep_carrying_letters(house.clone(), stop.clone()));
    loops.spawn(daily::keep_reminding(house.clone(), stop.clone()));
    loops.spawn(daily::keep_digesting(house.clone(), stop.clone()));
    loops.spawn(phones::keep_telling(house.clone(), stop.clone()));
    loops.spawn(phones::keep_writing_back(house.clone(), stop.clone()));
    loops.spawn(photos::keep_photos(house.clone(), stop.clone()));
    loops.spawn(hr_photos::keep_taking_in(house.clone(), stop.clone()));
    loops.spawn(mailbox::keep_mailboxes(house.clone(), stop.clone()));
    loops.spawn(submissions::keep_taking(house.clone(), stop.clone()));
    loops.spawn(webhooks::keep_sealing(house.clone(), stop.clone()));
    loops.spawn(webhooks::keep_telling(house.clone(), stop.clone()));
    loops.spawn(health::keep_looking(house.clone(), stop.clone()));
    loops
}

/// Ends by itself only if a loop has broken down; else when `stop` is cancelled and the loops have finished.
pub async fn until_stopped(mut loops: JoinSet<()>, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        ended = loops.join_next() => {
            if let Some(Err(fault)) = ended {
                tracing::error!(%fault, "a loop broke down; Kimlik ends, so that whoever watches over it starts it anew");
            }
            stop.cancel();
        }
    }
    let finished = async { while loops.join_next().await.is_some() {} };
    if tokio::time::timeout(PATIENCE, finished).await.is_err() {
        tracing::warn!("something was still under way and is cut off; it is taken up again at the next start");
    }
}

/// Cancelled by Ctrl-C or SIGTERM.
pub fn stop_on_signal() -> std::io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let told = stop.clone();
    #[cfg(unix)]
    let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::spawn(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = term.recv() => {}
        }
        #[cfg(not(unix))]
        tokio::signal::ctrl_c().await.ok();
        told.cancel();
    });
    Ok(stop)
}

/// Waits; false: it is time to stop.
async fn pause(stop: &CancellationToken, time: Duration) -> bool {
    tokio::select! {
        () = stop.cancelled() => false,
        () = tokio::time::sleep(time) => true,
    }
}
