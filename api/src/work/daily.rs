//! What is told once a day: reminders to people, digests to personnel units. The day and who does it are kept in the database.
use super::neighbour::Neighbour;
use super::pause;
use crate::wiring::House;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const LOOK_AGAIN: Duration = Duration::from_secs(20);
const LONGEST_WAIT: Duration = Duration::from_secs(300);

pub async fn keep_reminding(house: Arc<House>, stop: CancellationToken) {
    let mut neighbour = Neighbour::new("the directory or the database (for passwords that run out)", LONGEST_WAIT);
    loop {
        let wait = match house.reminder.round().await {
            Ok(reminded) => {
                neighbour.answered();
                if let Some(people) = reminded.filter(|people| *people > 0) {
                    tracing::info!(people, "reminded of passwords that run out");
                }
                LOOK_AGAIN
            }
            Err(fault) => neighbour.failed(&fault),
        };
        if !pause(&stop, wait).await {
            return;
        }
    }
}

pub async fn keep_digesting(house: Arc<House>, stop: CancellationToken) {
    let mut neighbour = Neighbour::new("the database (for digests)", LONGEST_WAIT);
    loop {
        let wait = match house.digest.round().await {
            Ok(told) => {
                neighbour.answered();
                if let Some(told) = told {
                    tracing::info!(units = told.units, "personnel units were told of open data issues");
                    if !told.deaf.is_empty() {
                        let units: Vec<String> = told.deaf.iter().map(ToString::to_string).collect();
                        tracing::warn!(units = units.join(" "), "data issues are open here, and HR names nobody with an account to tell");
                    }
                }
                LOOK_AGAIN
            }
            Err(fault) => neighbour.failed(&fault),
        };
        if !pause(&stop, wait).await {
            return;
        }
    }
}
