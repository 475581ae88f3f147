//! Runs: when, why, and what came of them.
use super::SqlStore;
use super::fault::{failed, from_json, from_word, to_json, word};
use super::link::{CHUNK, Link, upsert};
use super::{memory, operation};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use kimlik_domain::id::RunId;
use kimlik_domain::lifecycle::run::{Run, RunStatus};
use kimlik_domain::ports::{PortResult, RunProgress, WatchRuns};
use sea_orm::ExprTrait;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{IntoActiveModel, QueryOrder, QuerySelect};
use std::collections::HashSet;

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
    /// Null: it is over.
    pub kept_until: Option<DateTimeUtc>,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

/// Its beginning and, without `kept_until`, its end.
pub(super) async fn save(link: &Link, run: &Run, kept_until: Option<DateTime<Utc>>) -> PortResult<()> {
    let row = Model {
        id: run.id.0,
        trigger_kind: word(&run.trigger)?,
        status: word(&run.status)?,
        started_at: run.started_at,
        finished_at: run.finished_at,
        summary: to_json(&run.summary)?,
        kept_until,
    };
    let writing = link.write().await?;
    let columns = [Column::Status, Column::FinishedAt, Column::Summary, Column::KeptUntil];
    writing.insert("saving a run", vec![row.into_active_model()], upsert([Column::Id], columns)).await?;
    writing.commit().await
}

/// It goes on. Why also one that was interrupted: whoever carries it out was only silent for a while.
pub(super) async fn keep(link: &Link, run: RunId, until: DateTime<Utc>) -> PortResult<()> {
    let writing = link.write().await?;
    let going_on = [word(&RunStatus::Running)?, word(&RunStatus::Interrupted)?];
    Entity::update_many()
        .col_expr(Column::KeptUntil, Expr::value(until))
        .col_expr(Column::Status, Expr::value(word(&RunStatus::Running)?))
        .col_expr(Column::FinishedAt, Expr::value(None::<DateTime<Utc>>))
        .filter(Column::Id.eq(run.0))
        .filter(Column::Status.is_in(going_on))
        .exec(&writing.txn)
        .await
        .map_err(failed("keeping a run"))?;
    writing.commit().await
}

/// Which of them have not ended, nor were said to be interrupted.
pub(super) async fn going_on(db: &impl ConnectionTrait, runs: impl Iterator<Item = RunId>) -> PortResult<HashSet<RunId>> {
    let runs: HashSet<Uuid> = runs.map(|run| run.0).collect();
    let mut found = HashSet::new();
    for some in runs.into_iter().collect::<Vec<_>>().chunks(CHUNK) {
        let rows: Vec<Uuid> = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::Id.is_in(some.iter().copied()))
            .filter(Column::Status.eq(word(&RunStatus::Running)?))
            .into_tuple()
            .all(db)
            .await
            .map_err(failed("reading runs"))?;
        found.extend(rows.into_iter().map(RunId));
    }
    Ok(found)
}

/// Those whose time has run out. Why looked for first: SQLite has one writer at a time, and mostly there are none.
pub(super) async fn interrupt(link: &Link, now: DateTime<Utc>) -> PortResult<Vec<RunId>> {
    // Why both: what an older release has ended keeps its lease.
    let running = word(&RunStatus::Running)?;
    let lost = || Column::KeptUntil.lte(now).and(Column::Status.eq(running.as_str()));
    let found: Vec<Uuid> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(lost())
        .into_tuple()
        .all(&link.db)
        .await
        .map_err(failed("looking for runs that were interrupted"))?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let writing = link.write().await?;
    let ended = Entity::update_many()
        .col_expr(Column::KeptUntil, Expr::value(None::<DateTime<Utc>>))
        .col_expr(Column::Status, Expr::value(word(&RunStatus::Interrupted)?))
        .col_expr(Column::FinishedAt, Expr::value(now))
        .filter(Column::Id.is_in(found.iter().copied()))
        // Why again: it may have been kept since, or another replica was faster.
        .filter(lost());
    let ended = ended.exec(&writing.txn).await.map_err(failed("ending runs that were interrupted"))?;
    let found = if ended.rows_affected == 0 { Vec::new() } else { found.into_iter().map(RunId).collect() };
    if !found.is_empty() {
        // Why with it: what the lost run has left half done is looked at by whoever lives, and not at night only.
        memory::request_full_run(&writing).await?;
    }
    writing.commit().await?;
    Ok(found)
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
