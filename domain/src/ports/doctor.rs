//! What a neighbour says of itself when it is examined.
use async_trait::async_trait;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    Good,
    /// Works, and somebody should look.
    Doubtful,
    Broken,
}

/// One thing that was looked at, as `kimlik doctor` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub health: Health,
    /// What was looked at: "certificate of dc1.csb.test", "setting directory.active_directory.base_dn".
    pub about: String,
    pub found: String,
    /// What to do, in the imperative; empty where all is well.
    pub mend: String,
}

/// A neighbour that can look at itself: reachable, rights, clock, schema, certificate. Writes nothing, never fails.
#[async_trait]
pub trait Inspect: Send + Sync {
    async fn inspect(&self) -> Vec<Finding>;
}
