//! Looks at the connected systems, over and over.
use crate::health::PACE;
use crate::wiring::House;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Until `stop`.
pub async fn keep_looking(house: Arc<House>, stop: CancellationToken) {
    loop {
        // Why cut off: a neighbour that does not answer must not hold up a stop, and a look leaves nothing half done.
        tokio::select! {
            () = stop.cancelled() => return,
            () = house.health.look(&house) => {}
        }
        if !super::pause(&stop, PACE).await {
            return;
        }
    }
}
