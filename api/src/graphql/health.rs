//! How the neighbours are.
use super::error::Maybe;
use super::{allows, house};
use async_graphql::{Context, Enum, Object, SimpleObject};
use kimlik_domain::access::{About, Deed};
use kimlik_domain::ports;

#[derive(Default)]
pub struct HealthQuery;

/// How something is.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::ports::Health")]
pub enum Health {
    /// All is well.
    Good,
    /// It works, and somebody should look.
    Doubtful,
    /// It does not work.
    Broken,
}

/// One thing that was looked at.
#[derive(SimpleObject)]
pub struct SystemFinding {
    /// What was looked at.
    about: String,
    /// How it is.
    health: Health,
    /// What was found.
    found: String,
    /// What to do; empty where all is well.
    mend: String,
}

#[Object]
impl HealthQuery {
    /// Every connected system, looked at now.
    #[graphql(complexity = "100 + child_complexity")]
    async fn system_health(&self, ctx: &Context<'_>) -> Maybe<Vec<SystemFinding>> {
        if !allows(ctx, Deed::ReadHealth, About::Everything) {
            return None;
        }
        Some(match house(ctx) {
            Ok(house) => Ok(house.inspect().await.into_iter().map(shown).collect()),
            Err(error) => Err(error),
        })
    }
}

fn shown(finding: ports::Finding) -> SystemFinding {
    SystemFinding { about: finding.about, health: finding.health.into(), found: finding.found, mend: finding.mend }
}
