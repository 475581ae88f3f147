//! How the neighbours are.
use super::error::Maybe;
use super::{allows, house, language};
use crate::health::Seen;
use async_graphql::{Context, Enum, Object, SimpleObject};
use chrono::{DateTime, Utc};
use kimlik_domain::access::{About, Deed};
use kimlik_domain::health;
use kimlik_domain::message::Language;

#[derive(Default)]
pub struct HealthQuery;

/// How something is.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::health::Health")]
pub enum Health {
    /// All is well.
    Good,
    /// It works, and somebody should look.
    Doubtful,
    /// It does not work.
    Broken,
}

/// What tells how far behind something is.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::health::LagOf")]
pub enum LagMeasure {
    /// When HR's last delivery was taken in: a feed that has been silent for longer than HR ever is, is behind.
    LastDelivery,
    /// When everybody was last looked at in the directory; it is done each night.
    LastFullLook,
    /// When the oldest of what waits began to wait: a message, a person to be looked at, a change for HR, an event for a webhook.
    OldestWaiting,
}

/// How far behind something is.
#[derive(SimpleObject)]
pub struct SystemLag {
    /// What it is told by.
    of: LagMeasure,
    /// When that was.
    at: DateTime<Utc>,
    /// How long ago that is now, in seconds.
    seconds: i64,
}

/// One thing that was looked at.
#[derive(SimpleObject)]
pub struct SystemFinding {
    /// What was looked at, in the caller's language.
    about: String,
    /// What was found, for programs: the same words for ever, such as CONTROLLER_UNREACHABLE. New ones may come.
    code: String,
    /// How it is.
    health: Health,
    /// What was found, in the caller's language; what a system said itself stays as it was said.
    found: String,
    /// What to do, in the caller's language; empty where all is well.
    mend: String,
    /// Since when it has been so: since it was first found well, or first found with this very fault. To half a minute, the pace of the
    /// looks, and kept over restarts: what a restarted Kimlik finds as it was left is taken to have lasted.
    since: DateTime<Utc>,
    /// When it was last looked at: half a minute ago at most, and a few minutes where looking costs the system something.
    seen_at: DateTime<Utc>,
    /// How far behind it is; null where nothing can be, or nothing waits.
    lag: Option<SystemLag>,
}

/// How everything stands at the last look.
#[derive(SimpleObject)]
pub struct SystemHealth {
    /// The worst of what was found: alarm on this, and read in `findings` why.
    health: Health,
    /// Every connected system and queue by itself, in the same order each time.
    findings: Vec<SystemFinding>,
}

#[Object]
impl HealthQuery {
    /// How Kimlik and every connected system stand: reachable or not, since when, how far behind. Looked at every half minute, and not
    /// because somebody asks; what each replica answers is what it sees itself.
    #[graphql(complexity = "100 + child_complexity")]
    async fn system_health(&self, ctx: &Context<'_>) -> Maybe<SystemHealth> {
        if !allows(ctx, Deed::ReadHealth, About::Everything) {
            return None;
        }
        Some(match house(ctx) {
            Ok(house) => {
                let (now, language) = (house.clock.now(), language(ctx).into());
                let seen = house.health.latest(house).await;
                let worst = seen.iter().map(|seen| seen.finding.health()).max().unwrap_or(health::Health::Good);
                Ok(SystemHealth { health: worst.into(), findings: seen.iter().map(|seen| shown(seen, language, now)).collect() })
            }
            Err(error) => Err(error),
        })
    }
}

fn shown(Seen { finding, since, at }: &Seen, language: Language, now: DateTime<Utc>) -> SystemFinding {
    let lag = |lag: health::Lag| SystemLag { of: lag.of.into(), at: lag.at, seconds: (now - lag.at).num_seconds().max(0) };
    SystemFinding {
        about: finding.about(language),
        code: finding.kind.name().to_owned(),
        health: finding.health().into(),
        found: finding.found(language),
        mend: finding.mend(language),
        since: *since,
        seen_at: *at,
        lag: finding.lag.map(lag),
    }
}
