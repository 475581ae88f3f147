//! What happened, to be asked about.
use super::PortResult;
use crate::audit::AuditEvent;
use crate::id::PersonId;
use async_trait::async_trait;
use chrono::{DateTime, Utc};

/// What is asked of the audit; all that is said must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    pub person: Option<PersonId>,
    pub actor: Option<String>,
    /// Beginnings of deeds, of which one must fit: `session.`, `account.close`. Empty: all.
    pub deeds: Vec<String>,
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
}

#[async_trait]
pub trait Audit: Send + Sync {
    /// For what is no part of another transaction: readings, refusals.
    async fn record(&self, events: &[AuditEvent]) -> PortResult<()>;
    /// The latest first, with their numbers.
    async fn events(&self, filter: &AuditFilter, before: Option<i64>, limit: u32) -> PortResult<Vec<(i64, AuditEvent)>>;
}
