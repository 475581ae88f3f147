//! What HR says, and the way back to it.
use super::PortResult;
use crate::phone::write_back::ForHr;
use crate::staff::RegistryNo;
use crate::staff::feed::Delivery;
use crate::staff::intake::FeedReport;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

#[async_trait]
pub trait HrFeed: Send + Sync {
    /// Stable name: positions are kept under it.
    fn name(&self) -> &str;
    /// The next delivery after `position` (`None`: from the beginning), complete, or `None` if there is none.
    /// Units come before the staff that refers to them. Reading takes nothing away.
    async fn poll(&self, position: Option<&str>) -> PortResult<Option<Delivery>>;
    /// What lies there and is not delivered yet, because somebody may still be writing it.
    async fn unfinished(&self) -> PortResult<Option<String>> {
        Ok(None)
    }
    /// `delivery` is in the store (or was refused whole): the source may put it away. Called again after a crash.
    async fn taken(&self, delivery: &Delivery, report: &FeedReport) -> PortResult<()>;
}

/// What HR's system says to a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HrAnswer {
    /// It has it, now or since an earlier attempt under the same key.
    Taken,
    /// It holds something newer.
    Newer,
    /// It asks to be asked again so much later; nothing happened.
    Later(TimeDelta),
}

/// The way back to HR. `Refused(Rights)`: nothing can be written until somebody mends something; other refusals: not this.
#[async_trait]
pub trait HrWriteBack: Send + Sync {
    /// The same key is always the same change: HR takes it once, however often it comes.
    async fn write_phones(&self, key: uuid::Uuid, of: &RegistryNo, numbers: &ForHr, made_at: DateTime<Utc>) -> PortResult<HrAnswer>;
}
