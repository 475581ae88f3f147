//! How much of everything there is, for whoever watches over Kimlik: counted when asked, nobody named.
use super::SqlStore;
use super::fault::{failed, from_word, word};
use super::{feed, hold, issue, phone, run, submission, work};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use kimlik_domain::lifecycle::hold::HoldStatus;
use kimlik_domain::lifecycle::run::{RunStatus, Trigger};
use kimlik_domain::ports::{Figures, PortResult, Watch};
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder, QuerySelect};

fn number(n: i64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

async fn ended(db: &impl ConnectionTrait, triggers: Option<Trigger>) -> PortResult<Option<DateTime<Utc>>> {
    let mut select = run::Entity::find()
        .select_only()
        .column(run::Column::FinishedAt)
        .filter(run::Column::FinishedAt.is_not_null())
        .filter(run::Column::Status.is_not_in([word(&RunStatus::Failed)?, word(&RunStatus::Interrupted)?]))
        .order_by_desc(run::Column::Id)
        .limit(1);
    if let Some(trigger) = triggers {
        select = select.filter(run::Column::TriggerKind.eq(word(&trigger)?));
    }
    let found: Option<Option<DateTime<Utc>>> = select.into_tuple().one(db).await.map_err(failed("reading runs"))?;
    Ok(found.flatten())
}

#[async_trait]
impl Watch for SqlStore {
    async fn figures(&self, now: DateTime<Utc>) -> PortResult<Figures> {
        let db = &self.link.db;
        let issues: Vec<(String, i64)> = issue::Entity::find()
            .select_only()
            .column(issue::Column::Kind)
            .column_as(issue::Column::Id.count(), "n")
            .filter(issue::Column::Status.eq(issue::OPEN))
            .group_by(issue::Column::Kind)
            .into_tuple()
            .all(db)
            .await
            .map_err(failed("counting issues"))?;
        let held: Vec<i32> = hold::Entity::find()
            .select_only()
            .column(hold::Column::People)
            .filter(hold::Column::Status.eq(word(&HoldStatus::Open)?))
            .into_tuple()
            .all(db)
            .await
            .map_err(failed("counting holds"))?;
        let due = work::Entity::find().filter(work::Column::VisibleAt.lte(now));
        let oldest: Option<DateTime<Utc>> = due
            .clone()
            .select_only()
            .column(work::Column::VisibleAt)
            .order_by_asc(work::Column::VisibleAt)
            .limit(1)
            .into_tuple()
            .one(db)
            .await
            .map_err(failed("reading the work queue"))?;
        let due = due.count(db).await.map_err(failed("counting the work queue"))?;
        let (for_hr, for_hr_since) = phone::waiting_for_hr(db).await?;
        let (handed_in, handed_in_since) = submission::waiting(db).await?;
        Ok(Figures {
            open_issues: issues.into_iter().map(|(kind, n)| Ok((from_word(&kind, "issue")?, number(n)))).collect::<PortResult<_>>()?,
            holds: number(i64::try_from(held.len()).unwrap_or(i64::MAX)),
            held_people: held.iter().map(|n| n.unsigned_abs()).fold(0, u32::saturating_add),
            due: u32::try_from(due).unwrap_or(u32::MAX),
            due_since: oldest,
            deliveries: feed::taken(db).await?,
            for_hr,
            for_hr_since,
            handed_in,
            handed_in_since,
            last_run: ended(db, None).await?,
            last_nightly_run: ended(db, Some(Trigger::Schedule)).await?,
        })
    }
}
