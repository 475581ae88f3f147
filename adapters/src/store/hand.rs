//! The one hand at everybody, over all replicas: who has it, and until when unless they say so again.
use super::fault::failed;
use super::link::Link;
use chrono::{DateTime, Utc};
use kimlik_domain::ports::PortResult;
use sea_orm::ConnectionTrait;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "hand")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub task: String,
    pub holder: Uuid,
    pub until: DateTimeUtc,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

const EVERYBODY: &str = "everybody";

/// One statement, so that of two who come at once one gets it.
pub(super) async fn take(link: &Link, holder: Uuid, now: DateTime<Utc>, until: DateTime<Utc>) -> PortResult<bool> {
    let writing = link.write().await?;
    let free = OnConflict::column(Column::Task)
        .update_columns([Column::Holder, Column::Until])
        .action_and_where(Expr::col((Entity, Column::Until)).lte(now))
        .to_owned();
    let mut insert = Query::insert();
    insert.into_table(Entity).columns([Column::Task, Column::Holder, Column::Until]);
    insert.values_panic([EVERYBODY.into(), holder.into(), until.into()]).on_conflict(free);
    let taken = writing.txn.execute(&insert).await.map_err(failed("taking the hand at everybody"))?.rows_affected() > 0;
    writing.commit().await?;
    Ok(taken)
}

pub(super) async fn keep(link: &Link, holder: Uuid, until: DateTime<Utc>) -> PortResult<bool> {
    let writing = link.write().await?;
    let kept = Entity::update_many()
        .col_expr(Column::Until, Expr::value(until))
        .filter(Column::Task.eq(EVERYBODY))
        .filter(Column::Holder.eq(holder))
        .exec(&writing.txn)
        .await
        .map_err(failed("keeping the hand at everybody"))?;
    writing.commit().await?;
    Ok(kept.rows_affected > 0)
}

pub(super) async fn let_go(link: &Link, holder: Uuid) -> PortResult<()> {
    let writing = link.write().await?;
    let held = Entity::delete_many().filter(Column::Task.eq(EVERYBODY)).filter(Column::Holder.eq(holder));
    held.exec(&writing.txn).await.map_err(failed("letting go of the hand at everybody"))?;
    writing.commit().await
}
