//! Answers those who have forgotten their password: who they are and whether a code goes out is found out here, behind the
//! answer that everybody gets. Any number of replicas share the work; what one leaves lying another takes up.
use super::neighbour::Neighbour;
use super::pause;
use crate::wiring::House;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const LOOK_AGAIN: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(15);

pub async fn keep_answering(house: Arc<House>, stop: CancellationToken) {
    let mut neighbour = Neighbour::new("the directory or the database (for forgotten passwords)", LONGEST_WAIT);
    loop {
        let wait = match house.desk.answer_asked().await {
            Ok(handled) => {
                neighbour.answered();
                if handled > 0 { Duration::ZERO } else { LOOK_AGAIN }
            }
            Err(fault) => neighbour.failed(&fault),
        };
        if !pause(&stop, wait).await {
            return;
        }
    }
}
