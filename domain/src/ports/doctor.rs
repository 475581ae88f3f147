//! What a neighbour says of itself when it is examined, and the memory of it.
use super::PortResult;
use crate::health::Finding;
use crate::health::standing::Standings;
use async_trait::async_trait;
use chrono::TimeDelta;

/// A neighbour that can look at itself: reachable, rights, clock, schema, certificate. Writes nothing, never fails.
#[async_trait]
pub trait Inspect: Send + Sync {
    async fn inspect(&self) -> Vec<Finding>;
    /// At least so long between two looks of those that are made by themselves: where a look costs somebody something.
    fn rest(&self) -> TimeDelta {
        TimeDelta::zero()
    }
}

/// Since when things stand as they do, for those who start anew.
#[async_trait]
pub trait Standing: Send + Sync {
    async fn standings(&self) -> PortResult<Standings>;
    /// These instead of what was kept of them; what is `gone` is forgotten.
    async fn keep_standings(&self, stand: &Standings, gone: &[String]) -> PortResult<()>;
}
