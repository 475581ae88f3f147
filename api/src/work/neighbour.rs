//! One neighbour as a loop sees it: said once when it goes away, once when it is back, asked ever more seldom meanwhile.
use kimlik_domain::ports::PortError;
use std::time::{Duration, Instant};

const FIRST_WAIT: Duration = Duration::from_secs(1);

pub struct Neighbour {
    name: &'static str,
    longest: Duration,
    away: Option<Away>,
}

struct Away {
    since: Instant,
    wait: Duration,
    said: String,
}

impl Neighbour {
    /// While it is away it is asked at least once every `longest`.
    pub fn new(name: &'static str, longest: Duration) -> Neighbour {
        Neighbour { name, longest, away: None }
    }

    pub fn is_away(&self) -> bool {
        self.away.is_some()
    }

    /// How long to wait before asking again.
    pub fn failed(&mut self, fault: &PortError) -> Duration {
        let said = fault.to_string();
        let away = self.away.get_or_insert_with(|| Away { since: Instant::now(), wait: FIRST_WAIT / 2, said: String::new() });
        let kind = |text: &str| text.split(':').next().unwrap_or("").to_owned();
        // Why by the kind: the same outage comes with many texts (attempts, addresses), and one line is enough.
        if kind(&away.said) != kind(&said) {
            tracing::warn!("{} does not do what it should ({said}); Kimlik goes on trying, and nothing is lost", self.name);
            away.said = said;
        }
        away.wait = (away.wait * 2).min(self.longest);
        away.wait
    }

    pub fn answered(&mut self) {
        if let Some(away) = self.away.take() {
            tracing::warn!("{} is back after {} s", self.name, away.since.elapsed().as_secs());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_minute_and_begin_anew_after_an_answer() {
        let mut neighbour = Neighbour::new("the directory", Duration::from_secs(60));
        let fault = PortError::Unavailable("connection refused".into());
        let waits: Vec<u64> = (0..9).map(|_| neighbour.failed(&fault).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert!(neighbour.is_away());
        neighbour.answered();
        assert!(!neighbour.is_away());
        assert_eq!(neighbour.failed(&fault).as_secs(), 1);
    }
}
