//! How far each HR feed was read.
use super::fault::failed;
use super::link::{Writing, upsert};
use chrono::{DateTime, Utc};
use kimlik_domain::ports::PortResult;
use sea_orm::IntoActiveModel;
use sea_orm::entity::prelude::*;
use std::collections::HashMap;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "feed")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub position: String,
    /// When its last delivery was taken in; `None`: before that was written down.
    pub taken_at: Option<DateTimeUtc>,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

pub(super) async fn position(db: &impl ConnectionTrait, feed: &str) -> PortResult<Option<String>> {
    let row = Entity::find_by_id(feed).one(db).await.map_err(failed("reading the feed's position"))?;
    Ok(row.map(|r| r.position))
}

/// When each feed's last delivery was taken in.
pub(super) async fn taken(db: &impl ConnectionTrait) -> PortResult<HashMap<String, DateTime<Utc>>> {
    let rows = Entity::find().all(db).await.map_err(failed("reading the feeds"))?;
    Ok(rows.into_iter().filter_map(|row| Some((row.name, row.taken_at?))).collect())
}

pub(super) async fn save(writing: &Writing, feed: String, position: String, at: DateTime<Utc>) -> PortResult<()> {
    let row = Model { name: feed, position, taken_at: Some(at) }.into_active_model();
    writing.insert("saving the feed's position", vec![row], upsert([Column::Name], [Column::Position, Column::TakenAt])).await
}
