//! Runs: when, why, and what came of them.
use super::SqlStore;
use super::fault::{failed, from_json, from_word, to_json, word};
use super::link::{Link, upsert};
use super::operation;
use async_trait::async_trait;
use kimlik_domain::id::RunId;
use kimlik_domain::lifecycle::run::Run;
use kimlik_domain::ports::{PortResult, RunProgress, WatchRuns};
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel, QueryOrder, QuerySelect};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "run")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub trigger_kind: String,
    pub status: String,
    pub started_at: DateTimeUtc,
    pub finished_at: Option<DateTimeUtc>,
    pub summary: String,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

/// Its beginning and its end.
pub(super) async fn save(link: &Link, run: &Run) -> PortResult<()> {
    let row = Model {
        id: run.id.0,
        trigger_kind: word(&run.trigger)?,
        status: word(&run.status)?,
        started_at: run.started_at,
        finished_at: run.finished_at,
        summary: to_json(&run.summary)?,
    };
    let writing = link.write().await?;
    let columns = [Column::Status, Column::FinishedAt, Column::Summary];
    writing.insert("saving a run", vec![row.into_active_model()], upsert([Column::Id], columns)).await?;
    writing.commit().await
}

/// The latest first.
pub(super) async fn list(db: &impl ConnectionTrait, before: Option<RunId>, limit: u32) -> PortResult<Vec<Run>> {
    let mut select = Entity::find().order_by_desc(Column::Id).limit(u64::from(limit));
    if let Some(before) = before {
        select = select.filter(Column::Id.lt(before.0));
    }
    let rows = select.all(db).await.map_err(failed("reading runs"))?;
    rows.into_iter().map(run).collect()
}

/// One of them.
pub(super) async fn one(db: &impl ConnectionTrait, id: RunId) -> PortResult<Option<Run>> {
    Entity::find_by_id(id.0).one(db).await.map_err(failed("reading a run"))?.map(run).transpose()
}

fn run(row: Model) -> PortResult<Run> {
    Ok(Run {
        id: RunId(row.id),
        trigger: from_word(&row.trigger_kind, "run")?,
        status: from_word(&row.status, "run")?,
        started_at: row.started_at,
        finished_at: row.finished_at,
        summary: from_json(&row.summary, "run")?,
    })
}

#[async_trait]
impl WatchRuns for SqlStore {
    async fn progress(&self, id: RunId) -> PortResult<Option<(Run, RunProgress)>> {
        // Why the run first: what is said to be over has all its operations.
        let Some(run) = one(&self.link.db, id).await? else { return Ok(None) };
        let counts = operation::counts(&self.link.db, id).await?;
        Ok(Some((run, RunProgress { counts })))
    }
}
