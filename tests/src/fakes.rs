//! The two things that a test must hold in its hand: time and chance.
use chrono::{DateTime, TimeDelta, Utc};
use kimlik_domain::day::{self, Day};
use kimlik_domain::ports::{Clock, Entropy};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Stands still until it is set, but never gives the same microsecond twice: order stays visible.
pub struct TestClock(Mutex<DateTime<Utc>>);

impl TestClock {
    pub fn at(day: Day) -> TestClock {
        TestClock(Mutex::new(day::midnight(day) + TimeDelta::hours(9)))
    }
    pub fn set(&self, day: Day) {
        self.set_to(day::midnight(day) + TimeDelta::hours(9));
    }
    pub fn set_to(&self, at: DateTime<Utc>) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = at;
    }
    pub fn pass(&self, time: TimeDelta) {
        let mut now = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *now += time;
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        let mut now = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *now += TimeDelta::microseconds(1);
        *now
    }
}

/// The same octets in every run (SplitMix64 of a counter).
#[derive(Default)]
pub struct TestEntropy(AtomicU64);

impl Entropy for TestEntropy {
    fn fill(&self, octets: &mut [u8]) {
        for chunk in octets.chunks_mut(8) {
            let mut z = self.0.fetch_add(1, Ordering::Relaxed).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            let bytes = (z ^ (z >> 31)).to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }
}
