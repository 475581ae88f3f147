//! The feeds of HR, read from real files and from a real server on loopback.
#![allow(clippy::unwrap_used)]
mod csv;
mod rest;
mod simulated;
pub mod write_back;

use chrono::{DateTime, Duration, Utc};
use kimlik_domain::ports::Clock;
use kimlik_domain::staff::feed::{Content, Delivery, Field, Row};
use std::sync::{Arc, Mutex};

/// A clock that is set by hand, ahead of the machine's: files written now were complete before.
pub struct HandClock(Mutex<DateTime<Utc>>);

impl HandClock {
    pub fn at(text: &str) -> Arc<HandClock> {
        Arc::new(HandClock(Mutex::new(text.parse().unwrap())))
    }
    pub fn go_on(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }
}
impl Clock for HandClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

pub fn rows(delivery: &Delivery) -> &[Row] {
    match &delivery.content {
        Content::Units(rows) | Content::Snapshot(rows) | Content::Delta(rows) => rows,
    }
}

pub fn cells(delivery: &Delivery, field: Field) -> Vec<Option<&str>> {
    rows(delivery).iter().map(|row| row.get(field)).collect()
}
