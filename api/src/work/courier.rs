//! Carries messages: what is due, reports, and what somebody should hear of.
use super::neighbour::Neighbour;
use super::pause;
use crate::wiring::House;
use kimlik_domain::message::courier::Courier;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Other replicas and use cases put messages into the outbox without telling this loop.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// Netgsm answers at most ten questions about reports a minute, over all replicas.
const LISTEN_EVERY: Duration = Duration::from_secs(30);

pub async fn keep_carrying(house: Arc<House>, stop: CancellationToken) {
    carry(&house.courier, "the database (for messages)", &stop).await;
}

/// A loop of its own: a mail server that is slow keeps no code waiting.
pub async fn keep_carrying_letters(house: Arc<House>, stop: CancellationToken) {
    match &house.postman {
        Some(postman) => carry(postman, "the database (for e-mails)", &stop).await,
        None => stop.cancelled().await,
    }
}

async fn carry(courier: &Courier, database: &'static str, stop: &CancellationToken) {
    let mut database = Neighbour::new(database, LONGEST_WAIT);
    let mut said: Vec<String> = Vec::new();
    let mut listen_next = Instant::now();
    loop {
        let wait = match courier.round().await {
            Ok(round) => {
                database.answered();
                for alarm in round.alarms.iter().filter(|alarm| !said.contains(alarm)) {
                    tracing::error!("{alarm}");
                }
                if round.handled > 0 {
                    said = round.alarms;
                }
                if round.handled > 0 && round.sent > 0 { Duration::ZERO } else { LOOK_AGAIN }
            }
            Err(fault) => database.failed(&fault),
        };
        if Instant::now() >= listen_next {
            if let Err(fault) = courier.listen().await {
                tracing::warn!(%fault, "delivery reports could not be read");
            }
            listen_next = Instant::now() + LISTEN_EVERY;
        }
        if !pause(stop, wait).await {
            return;
        }
    }
}
