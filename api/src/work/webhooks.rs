//! Two loops: the sealer gives positions to what was done, the teller tells webhooks. Each webhook is told by a task of its own:
//! a slow receiver keeps nobody else waiting.
use super::neighbour::Neighbour;
use crate::wiring::House;
use kimlik_domain::day;
use kimlik_domain::webhook::{KEPT, data};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const PAUSE: Duration = Duration::from_millis(300);
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// Marks in one transaction.
const BATCH: u32 = 500;
/// Webhooks told at once by this process.
const AT_ONCE: u32 = 32;
const FORGET_EVERY: Duration = Duration::from_secs(3_600);

pub async fn keep_sealing(house: Arc<House>, stop: CancellationToken) {
    let mut database = Neighbour::new("the database, for events", LONGEST_WAIT);
    let mut forget_next = Instant::now() + FORGET_EVERY;
    while !stop.is_cancelled() {
        let now = house.clock.now();
        let today = day::today(now);
        let sealed = house.webhooks.webhooks.seal_events(BATCH, &move |action, facts| data(action, facts, today)).await;
        let sealed = match sealed {
            Ok(left) if !left && Instant::now() >= forget_next => {
                forget_next = Instant::now() + FORGET_EVERY;
                house.webhooks.webhooks.forget_events(now - KEPT).await.map(|_| left)
            }
            sealed => sealed,
        };
        let wait = match sealed {
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

pub async fn keep_telling(house: Arc<House>, stop: CancellationToken) {
    let mut database = Neighbour::new("the database, for webhooks", LONGEST_WAIT);
    let mut telling = JoinSet::new();
    while !stop.is_cancelled() {
        while let Some(ended) = telling.try_join_next() {
            if let Err(fault) = ended {
                tracing::error!(%fault, "telling a webhook broke down; its lease runs out, and it is told again");
            }
        }
        let free = AT_ONCE.saturating_sub(u32::try_from(telling.len()).unwrap_or(AT_ONCE));
        let wait = match house.webhooks.claim(free).await {
            Ok(claimed) => {
                database.answered();
                for claimed in claimed {
                    let (house, stop) = (house.clone(), stop.clone());
                    telling.spawn(async move {
                        let id = claimed.webhook.id;
                        if let Err(fault) = house.webhooks.tell(&claimed, || !stop.is_cancelled()).await {
                            tracing::warn!(%fault, webhook = %id, "what a webhook was told could not be noted; it is told again");
                        }
                    });
                }
                PAUSE
            }
            Err(fault) => database.failed(&fault),
        };
        if !super::pause(&stop, wait).await {
            break;
        }
    }
    // The message under way is told to its end; what was cut off is told again.
    while telling.join_next().await.is_some() {}
}
