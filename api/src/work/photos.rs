//! Keeps the photos of cards as the directory holds them. Asks what has changed, and reads the photos of nobody else.
use super::neighbour::Neighbour;
use crate::wiring::House;
use kimlik_domain::card::photo;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// A file that is nobody's but ours is asked more often than a controller.
const OWN: Duration = Duration::from_secs(5);
/// How often it is looked which accounts have a photo at all.
const WHOLE: Duration = Duration::from_secs(24 * 3600);

pub async fn keep_photos(house: Arc<House>, stop: CancellationToken) {
    let mut directory = Neighbour::new("the directory, for photos", LONGEST_WAIT);
    let minutes = u64::from(house.config.directory.active_directory.drift_minutes);
    let every = if house.config.directory.is_embedded() { OWN } else { Duration::from_secs(minutes * 60) };
    let mut whole: Option<Instant> = None;
    while !stop.is_cancelled() {
        let began = Instant::now();
        let is_whole = whole.is_none_or(|at| at.elapsed() > WHOLE);
        let wait = match photo::look(house.photos.as_ref(), house.photo_book.as_ref(), is_whole, house.clock.now()).await {
            Ok(read) => {
                directory.answered();
                if read > 0 {
                    tracing::debug!(read, "photos read");
                }
                if is_whole {
                    whole = Some(began);
                }
                every
            }
            Err(fault) => directory.failed(&fault),
        };
        if !super::pause(&stop, wait).await {
            break;
        }
    }
}
