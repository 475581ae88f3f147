//! How far each HR feed was read.
use super::fault::failed;
use super::link::{Writing, upsert};
use kimlik_domain::ports::PortResult;
use sea_orm::IntoActiveModel;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "feed")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub position: String,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

pub(super) async fn position(db: &impl ConnectionTrait, feed: &str) -> PortResult<Option<String>> {
    let row = Entity::find_by_id(feed).one(db).await.map_err(failed("reading the feed's position"))?;
    Ok(row.map(|r| r.position))
}

pub(super) async fn save(writing: &Writing, feed: String, position: String) -> PortResult<()> {
    let row = Model { name: feed, position }.into_active_model();
    writing.insert("saving the feed's position", vec![row], upsert([Column::Name], [Column::Position])).await
}
