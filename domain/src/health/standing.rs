//! Since when things stand as they do. Whoever looks remembers its own last look; the store remembers for those who start anew, and
//! lets replicas that see the same say the same.
use super::{Finding, Health};
use chrono::{DateTime, Utc};
use std::collections::{BTreeSet, HashMap};

/// How a thing stands, in its own words ([`state`]), and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub state: String,
    pub since: DateTime<Utc>,
}

/// By the keys of the things.
pub type Standings = HashMap<String, Standing>;

/// All that is well is one state, so that a feed with something new is no less well than one without; what is wrong is told apart by its kind.
const WELL: &str = "GOOD";

fn states(findings: &[Finding]) -> HashMap<String, String> {
    let mut kinds: HashMap<String, BTreeSet<&str>> = HashMap::new();
    for finding in findings {
        let of = kinds.entry(finding.key()).or_default();
        if finding.health() != Health::Good {
            of.insert(finding.kind.name());
        }
    }
    let state = |kinds: BTreeSet<&str>| match kinds.is_empty() {
        true => WELL.to_owned(),
        false => kinds.into_iter().collect::<Vec<_>>().join(","),
    };
    kinds.into_iter().map(|(key, kinds)| (key, state(kinds))).collect()
}

/// Whether the store has to be asked: something stands otherwise than at the last look, or there was none.
pub fn has_changed(findings: &[Finding], before: Option<&Standings>) -> bool {
    let Some(before) = before else { return true };
    let states = states(findings);
    states.len() != before.len() || states.iter().any(|(key, state)| before.get(key).is_none_or(|b| b.state != *state))
}

/// What stands after a look at `now`. `before`: what this process saw at its last look, and when that was; `kept`: what is in the store.
///
/// What stands as it did at the last look has lasted. What changed since has lasted since now, or since another replica saw it, which was
/// after our own last look. Who has just started believes the store: nobody was looking in between, and what is found as it was left is
/// taken to have lasted.
pub fn stand(findings: &[Finding], before: Option<(&Standings, DateTime<Utc>)>, kept: &Standings, now: DateTime<Utc>) -> Standings {
    let since = |key: &str, state: &str| {
        if let Some(same) = before.and_then(|(standings, _)| standings.get(key)).filter(|b| b.state == state) {
            return same.since;
        }
        let seen_by_others = kept.get(key).filter(|k| k.state == state && before.is_none_or(|(_, looked)| k.since > looked));
        seen_by_others.map_or(now, |kept| kept.since.min(now))
    };
    let stood = states(findings).into_iter().map(|(key, state)| {
        let since = since(&key, &state);
        (key, Standing { state, since })
    });
    stood.collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, Subject};
    use super::*;
    use chrono::TimeDelta;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::minutes(minute)
    }
    fn controller(kind: Kind) -> Vec<Finding> {
        vec![Finding::new(Subject::Controller, "dc1", kind, &[&"x"])]
    }
    fn since(standings: &Standings) -> DateTime<Utc> {
        standings["CONTROLLER dc1"].since
    }
    const AWAY: Kind = Kind::ControllerUnreachable;
    const WELL_AGAIN: Kind = Kind::ControllerGood;

    #[test]
    fn what_goes_away_and_comes_back_stands_since_each_of_the_two() {
        let none = Standings::new();
        let first = stand(&controller(WELL_AGAIN), None, &none, at(0));
        let second = stand(&controller(WELL_AGAIN), Some((&first, at(0))), &none, at(1));
        assert!(!has_changed(&controller(WELL_AGAIN), Some(&first)) && has_changed(&controller(AWAY), Some(&first)));
        let away = stand(&controller(AWAY), Some((&second, at(1))), &none, at(2));
        let still = stand(&controller(AWAY), Some((&away, at(2))), &none, at(3));
        let back = stand(&controller(WELL_AGAIN), Some((&still, at(3))), &none, at(4));
        assert_eq!([&first, &second, &away, &still, &back].map(since), [at(0), at(0), at(2), at(2), at(4)]);
    }

    #[test]
    fn who_starts_anew_believes_the_store_where_it_finds_what_was_left() {
        let kept = stand(&controller(AWAY), None, &Standings::new(), at(0));
        assert_eq!(since(&stand(&controller(AWAY), None, &kept, at(100))), at(0), "it has lasted");
        assert_eq!(since(&stand(&controller(WELL_AGAIN), None, &kept, at(100))), at(100), "it is another state");
    }

    #[test]
    fn a_replica_says_what_another_saw_a_moment_before_and_not_what_it_saw_end_itself() {
        let well = stand(&controller(WELL_AGAIN), None, &Standings::new(), at(0));
        let by_another = stand(&controller(AWAY), None, &Standings::new(), at(9));
        let ours = stand(&controller(AWAY), Some((&well, at(8))), &by_another, at(10));
        assert_eq!(since(&ours), at(9));
        // The store could not be written while it was away, so what it holds is from before.
        let back = stand(&controller(WELL_AGAIN), Some((&ours, at(10))), &well, at(11));
        assert_eq!(since(&back), at(11));
    }

    #[test]
    fn another_fault_is_another_state_and_whatever_is_well_is_one() {
        let first = stand(&controller(AWAY), None, &Standings::new(), at(0));
        let other = stand(&controller(Kind::BindLocked), Some((&first, at(0))), &Standings::new(), at(1));
        assert_eq!(since(&other), at(1));
        let feed = |kind| vec![Finding::new(Subject::HrFeed, "csv", kind, &[&"x"])];
        let quiet = stand(&feed(Kind::FeedQuiet), None, &Standings::new(), at(0));
        let news = stand(&feed(Kind::FeedWaiting), Some((&quiet, at(0))), &Standings::new(), at(1));
        assert_eq!(news["HR_FEED csv"].since, at(0));
    }
}
