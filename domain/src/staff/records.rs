//! What personnel units and administrators look up: who has left, what is wrong in what HR says, what was done. Read only.
use super::{Person, RegistryNo};
use crate::id::PersonId;
use crate::ports::{OpenIssue, PortResult};
use async_trait::async_trait;

/// Somebody who has no card any more, and where they stand among those: the last to leave comes first.
#[derive(Clone, Debug, PartialEq)]
pub struct Left {
    /// Of the feed of cards, when the card was taken out; 0: there never was one.
    pub position: i64,
    pub person: Person,
}

/// Looking up, with nothing changed by it.
#[async_trait]
pub trait Records: Send + Sync {
    /// Who has no card, the last to leave first, after this place. Somebody whom the sealer of cards has not come to yet may be
    /// among them: whoever shows them asks what HR says.
    async fn left(&self, after: Option<(i64, PersonId)>, limit: u32) -> PortResult<Vec<Left>>;
    /// Open ones about one person, the oldest first.
    async fn issues_about(&self, registry_no: &RegistryNo) -> PortResult<Vec<OpenIssue>>;
}
