//! Looks through the photos that HR puts into its folder. Writing them is the plan's.
use super::neighbour::Neighbour;
use crate::wiring::House;
use kimlik_domain::card::hr_photo::Taker;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// How long a file has to stay as it is: somebody may still be copying it.
const REST: Duration = Duration::from_secs(3);

/// Waits for the end where there is no folder.
pub async fn keep_taking_in(house: Arc<House>, stop: CancellationToken) {
    let Some(files) = &house.photo_files else {
        // Why not at once: a loop that ends is taken for one that has broken down.
        return stop.cancelled().await;
    };
    let mut folder = Neighbour::new("the folder of HR's photos", LONGEST_WAIT);
    let mut taker = Taker::default();
    while !stop.is_cancelled() {
        let wait = match taker.take_in(files.as_ref(), house.photo_shelf.as_ref()).await {
            Ok(taken) => {
                folder.answered();
                if taken > 0 {
                    tracing::info!(files = taken, "photos of HR looked through");
                    house.wake.notify_one();
                }
                if taker.is_waiting() { REST } else { house.config.poll_every() }
            }
            Err(fault) => folder.failed(&fault),
        };
        if !super::pause(&stop, wait).await {
            break;
        }
    }
}
