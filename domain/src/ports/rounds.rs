//! What is done once a day by one of all replicas.
use super::PortResult;
use crate::day::Day;
use crate::id::PersonId;
use crate::message::NewMessage;
use crate::staff::UnitCode;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// What became of an attempt to take the day's round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakenRound {
    Ours,
    /// Another replica is at it.
    Others,
    Made,
}

/// What is done once a day by one of all replicas, and the digests of that day.
#[async_trait]
pub trait Rounds: Send + Sync {
    /// The round of this name and day, leased until `until`.
    async fn take_round(&self, name: &str, day: Day, holder: Uuid, now: DateTime<Utc>, until: DateTime<Utc>) -> PortResult<TakenRound>;
    /// False: it ran out, and another replica has taken it.
    async fn keep_round(&self, name: &str, day: Day, holder: Uuid, until: DateTime<Utc>) -> PortResult<bool>;
    async fn round_made(&self, name: &str, day: Day, holder: Uuid, now: DateTime<Utc>) -> PortResult<()>;
    /// Queues a unit's digest, if it has not had one that day. False: it has.
    async fn queue_digest(&self, unit: UnitCode, day: Day, messages: &[(PersonId, NewMessage)], now: DateTime<Utc>) -> PortResult<bool>;
    /// Everybody with a posting in one of these units, whatever its dates.
    async fn people_in(&self, units: &[UnitCode]) -> PortResult<Vec<PersonId>>;
}
