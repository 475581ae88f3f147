//! Has mailboxes opened, hidden and closed by whoever makes them. A loop of its own: such programs are slow, and an account
//! does not wait for its mailbox.
use super::neighbour::Neighbour;
use super::pause;
use crate::wiring::House;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const LOOK_AGAIN: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// After a step that failed: the next ones mostly fail for the same reason.
const AFTER_A_FAULT: Duration = Duration::from_secs(10);

/// Waits for the end where nobody is to be asked.
pub async fn keep_mailboxes(house: Arc<House>, stop: CancellationToken) {
    let Some(keeper) = &house.mailbox_keeper else {
        // Why not at once: a loop that ends is taken for one that has broken down.
        return stop.cancelled().await;
    };
    let mut database = Neighbour::new("the database (for mailboxes)", LONGEST_WAIT);
    let mut said: Vec<String> = Vec::new();
    loop {
        let round = tokio::select! {
            // Why cut off: a program may take minutes. What it was asked for is committed, and is looked at by whoever comes next.
            () = stop.cancelled() => break,
            round = keeper.round() => round,
        };
        let wait = match round {
            Ok(round) => {
                database.answered();
                for alarm in round.alarms.iter().filter(|alarm| !said.contains(alarm)) {
                    tracing::error!("{alarm}");
                }
                let failed = !round.alarms.is_empty();
                if round.handled > 0 {
                    said = round.alarms;
                }
                match (failed, round.handled) {
                    (true, _) => AFTER_A_FAULT,
                    (false, 0) => LOOK_AGAIN,
                    (false, _) => Duration::ZERO,
                }
            }
            Err(fault) => database.failed(&fault),
        };
        if !pause(&stop, wait).await {
            break;
        }
    }
    if let Err(fault) = keeper.let_go().await {
        tracing::warn!(%fault, "mailboxes in hand are not let go, and wait until their leases run out");
    }
}
