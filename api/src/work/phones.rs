//! Phones that were changed: the numbers before are told, newcomers whose code had not arrived get another one, and HR is written to. Two loops: an HR system that is slow or away
//! keeps nobody from hearing that a number was changed.
use super::neighbour::Neighbour;
use super::pause;
use crate::wiring::House;
use kimlik_domain::ports::PortResult;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const LOOK_AGAIN: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(15);

pub async fn keep_telling(house: Arc<House>, stop: CancellationToken) {
    let mut database = Neighbour::new("the database (for changed phones)", LONGEST_WAIT);
    loop {
        let wait = match told(&house).await {
            Ok(()) => {
                database.answered();
                LOOK_AGAIN
            }
            Err(fault) => database.failed(&fault),
        };
        if !pause(&stop, wait).await {
            return;
        }
    }
}

async fn told(house: &House) -> PortResult<()> {
    house.phones.tell().await?;
    match house.desk.announce_again().await {
        // Why no failure of the round: it says so of the database; the directory has somebody of its own who says so.
        Err(fault) if fault.refusal().is_none() => tracing::debug!(%fault, "announcements to new numbers wait"),
        other => drop(other?),
    }
    Ok(())
}

pub async fn keep_writing_back(house: Arc<House>, stop: CancellationToken) {
    let mut database = Neighbour::new("the database (for HR)", LONGEST_WAIT);
    let mut said: Vec<String> = Vec::new();
    loop {
        let wait = match house.messenger.round().await {
            Ok(round) => {
                database.answered();
                for alarm in round.alarms.iter().filter(|alarm| !said.contains(alarm)) {
                    tracing::error!("{alarm}");
                }
                if round.handled > 0 {
                    said = round.alarms;
                    Duration::ZERO
                } else {
                    LOOK_AGAIN
                }
            }
            Err(fault) => database.failed(&fault),
        };
        if !pause(&stop, wait).await {
            return;
        }
    }
}
