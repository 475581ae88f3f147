//! Two loops: the sealer gives positions to cards that have changed, the follower brings this process's cards up to date.
//! Apart, because the follower must be heard from the store several times a second, whatever the sealer has to do.
use super::neighbour::Neighbour;
use crate::wiring::House;
use kimlik_domain::ports::PortError;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const PAUSE: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// A connection that says nothing for so long is given up: a good one answers in a fraction.
const SILENCE: Duration = Duration::from_secs(5);

pub async fn keep_sealing(house: Arc<House>, stop: CancellationToken) {
    let mut database = Neighbour::new("the database, for changed cards", LONGEST_WAIT);
    let mut shape = String::new();
    while !stop.is_cancelled() {
        let wait = match house.cards.seal(&house, &mut shape).await {
            Ok(left) => {
                database.answered();
                if left { Duration::ZERO } else { PAUSE }
            }
            Err(fault) => database.failed(&fault),
        };
        if !super::pause(&stop, wait).await {
            break;
        }
    }
}

pub async fn keep_following(house: Arc<House>, stop: CancellationToken) {
    let mut database = Neighbour::new("the database, for showing cards", LONGEST_WAIT);
    let mut has_followed = false;
    while !stop.is_cancelled() {
        // Why none at first: then all cards are read.
        let silence = if has_followed { SILENCE } else { Duration::from_secs(600) };
        let followed = tokio::select! {
            () = stop.cancelled() => break,
            followed = tokio::time::timeout(silence, house.cards.follow(&house)) => followed,
        };
        let wait = match followed.unwrap_or_else(|_| Err(PortError::Unavailable("the database, reading cards: no answer".into()))) {
            Ok(()) => {
                has_followed = true;
                database.answered();
                PAUSE
            }
            Err(fault) => database.failed(&fault).min(PAUSE * 2),
        };
        if !super::pause(&stop, wait).await {
            break;
        }
    }
}
