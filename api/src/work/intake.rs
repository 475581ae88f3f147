//! Asks the HR feed and takes in what it delivers. Decides nothing about people: that is `staff::intake`.
use super::neighbour::Neighbour;
use super::voice::Voice;
use crate::health::FeedSeen;
use crate::wiring::House;
use kimlik_domain::ports::PortResult;
use kimlik_domain::staff::feed::Content;
use kimlik_domain::staff::intake::{FeedReport, intake};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The longest wait while the feed is away.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// The longest wait while the feed delivers again and again what cannot be taken.
const LONGEST_REFUSAL: Duration = Duration::from_secs(15 * 60);

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
    let mut feed = Neighbour::new("the HR feed (or the database)", LONGEST_WAIT);
    let mut refused = Refused::default();
    let simulated = house.narration.is_some();
    while !stop.is_cancelled() {
        let wait = match take_in(&house).await {
            Ok(taken) => {
                feed.answered();
                house.health.feed_was(seen(taken.as_ref()), house.clock.now());
                let at_once = taken.as_ref().is_some_and(|t| t.report.refused.is_none() && !(simulated && t.is_delta));
                let again = refused.again(taken.as_ref());
                if let Some(taken) = taken {
                    say(&house, &voice, &taken, again > 0);
                }
                if at_once { Duration::ZERO } else { wait_after(house.config.poll_every(), again) }
            }
            Err(fault) => {
                house.health.feed_was(FeedSeen::Away(fault.clone()), house.clock.now());
                feed.failed(&fault)
            }
        };
        if !super::pause(&stop, wait).await {
            break;
        }
    }
}

/// What there is to say of the feed after it was asked.
fn seen(taken: Option<&Taken>) -> FeedSeen {
    match taken {
        None => FeedSeen::Quiet,
        Some(taken) => match &taken.report.refused {
            Some(why) => FeedSeen::Refused(taken.delivery.clone(), why.clone()),
            None => FeedSeen::Took(taken.delivery.clone()),
        },
    }
}

/// A delivery that is refused whole and offered again: reading a ministry every half minute for nothing serves nobody.
#[derive(Default)]
struct Refused {
    delivery: String,
    times: u32,
}

impl Refused {
    /// How often this delivery was refused before.
    fn again(&mut self, taken: Option<&Taken>) -> u32 {
        match taken.filter(|t| t.report.refused.is_some()) {
            Some(taken) if self.delivery == taken.delivery => self.times += 1,
            Some(taken) => *self = Refused { delivery: taken.delivery.clone(), times: 0 },
            None => *self = Refused::default(),
        }
        self.times
    }
}

fn wait_after(usual: Duration, refused_before: u32) -> Duration {
    usual.saturating_mul(1 << refused_before.min(10)).min(LONGEST_REFUSAL.max(usual))
}

fn say(house: &House, voice: &Voice, taken: &Taken, said_before: bool) {
    let report = &taken.report;
    if let Some(narration) = &house.narration {
        for line in narration() {
            voice.say(&format!("HR       {line}"));
        }
    }
    if let Some(why) = &report.refused {
        // Why once: the same delivery is offered again until somebody mends it.
        if !said_before {
            tracing::error!("{} was refused whole, and nobody's account is touched: {why}", taken.delivery);
        }
        return;
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(delivery: &str, refused: Option<&str>) -> Taken {
        let report = FeedReport { refused: refused.map(str::to_owned), ..FeedReport::default() };
        Taken { delivery: delivery.into(), report, is_delta: false }
    }

    #[test]
    fn what_is_refused_again_and_again_is_asked_for_ever_more_seldom_until_something_else_comes() {
        let mut refused = Refused::default();
        let half_a_minute = Duration::from_secs(30);
        let bad = taken("a", Some("halved"));
        let waits: Vec<u64> = (0..8).map(|_| wait_after(half_a_minute, refused.again(Some(&bad))).as_secs()).collect();
        assert_eq!(waits, [30, 60, 120, 240, 480, 900, 900, 900]);
        assert_eq!(refused.again(Some(&taken("b", Some("halved")))), 0, "another delivery is another matter");
        refused.again(Some(&bad));
        assert_eq!(refused.again(None), 0);
        assert_eq!(refused.again(Some(&bad)), 0, "nothing came in between, so it is said anew");
        assert_eq!(wait_after(Duration::from_secs(3600), 9).as_secs(), 3600, "never more often than the setting says");
    }
}
