//! Asks the HR feed and takes in what it delivers. Decides nothing about people: that is `staff::intake`.
use super::neighbour::Neighbour;
use super::voice::Voice;
use crate::wiring::House;
use kimlik_domain::ports::PortResult;
use kimlik_domain::staff::feed::Content;
use kimlik_domain::staff::intake::{FeedReport, intake};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// A delivery that was taken in, or refused whole.
pub struct Taken {
    pub delivery: String,
    pub report: FeedReport,
    /// A step of the life of the ministry: the next one may follow at once, or only after a while.
    pub is_delta: bool,
}

/// Takes in one delivery, if there is one.
pub async fn take_in(house: &House) -> PortResult<Option<Taken>> {
    let feed = house.feed.as_ref();
    let position = house.store.feed_position(feed.name()).await?;
    let Some(delivery) = feed.poll(position.as_deref()).await? else { return Ok(None) };
    let report = intake(house.store.as_ref(), house.clock.as_ref(), house.entropy.as_ref(), &house.reasons, feed.name(), &delivery).await?;
    if report.new_units + report.changed_units > 0 {
        house.make_places().await?;
    }
    house.wake.notify_one();
    feed.taken(&delivery, &report).await?;
    let is_delta = matches!(delivery.content, Content::Delta(_));
    Ok(Some(Taken { delivery: delivery.name, report, is_delta }))
}

/// Until `stop`. What cannot be read now is read later: reading takes nothing away from the feed.
pub async fn keep_taking_in(house: Arc<House>, voice: Arc<Voice>, stop: CancellationToken) {
    let mut feed = Neighbour::new("the HR feed (or the database)");
    let mut refused = String::new();
    let simulated = house.narration.is_some();
    while !stop.is_cancelled() {
        let wait = match take_in(&house).await {
            Ok(taken) => {
                feed.answered();
                let at_once = taken.as_ref().is_some_and(|t| t.report.refused.is_none() && !(simulated && t.is_delta));
                if let Some(taken) = taken {
                    say(&house, &voice, &taken, &mut refused);
                }
                if at_once { std::time::Duration::ZERO } else { house.config.poll_every() }
            }
            Err(fault) => feed.failed(&fault),
        };
        if !super::pause(&stop, wait).await {
            break;
        }
    }
}

fn say(house: &House, voice: &Voice, taken: &Taken, refused: &mut String) {
    let report = &taken.report;
    if let Some(narration) = &house.narration {
        for line in narration() {
            voice.say(&format!("HR       {line}"));
        }
    }
    if let Some(why) = &report.refused {
        // Why once: the same delivery is offered again until somebody mends it.
        if *refused != taken.delivery {
            tracing::error!("{} was refused whole, and nobody's account is touched: {why}", taken.delivery);
            refused.clone_from(&taken.delivery);
        }
        return;
    }
    refused.clear();
    tracing::info!(
        delivery = taken.delivery,
        rows = report.rows,
        new = report.new_people,
        changed = report.changed_people,
        units = report.new_units + report.changed_units,
        rejected = report.rejected_rows,
        issues = report.issues.len(),
        "delivery taken in"
    );
    voice.delivery(taken);
    for issue in report.issues.iter().filter(|i| i.kind.alarms()) {
        tracing::error!("somebody has to look: {}", super::voice::about(issue));
    }
}
