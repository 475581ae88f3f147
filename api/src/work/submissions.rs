//! Takes in what was handed in by parts, or left behind by a process that ended.
use super::neighbour::Neighbour;
use crate::wiring::House;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(15);
const FORGET_EVERY: Duration = Duration::from_secs(3_600);

pub async fn keep_taking(house: Arc<House>, stop: CancellationToken) {
    let mut database = Neighbour::new("the database, for what was handed in", LONGEST_WAIT);
    let mut forget_next = Instant::now();
    while !stop.is_cancelled() {
        let taken = match house.submissions.take_waiting().await {
            Ok(None) if Instant::now() >= forget_next => {
                forget_next = Instant::now() + FORGET_EVERY;
                house.submissions.forget().await.map(|_| None)
            }
            taken => taken,
        };
        let wait = match taken {
            Ok(Some((submission, people))) => {
                database.answered();
                crate::deeds::work_off(&house, &submission, people).await;
                tracing::info!(submission = %submission.id, by = submission.owner, records = submission.records, "handed in and taken in");
                Duration::ZERO
            }
            Ok(None) => {
                database.answered();
                PAUSE
            }
            Err(fault) => database.failed(&fault),
        };
        if !super::pause(&stop, wait).await {
            break;
        }
    }
}
