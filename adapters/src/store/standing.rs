//! Since when connected systems stand as they do: a row a thing, written when it changes.
use super::SqlStore;
use super::fault::failed;
use super::link::upsert;
use async_trait::async_trait;
use kimlik_domain::health::standing::{self, Standings};
use kimlik_domain::ports::{PortResult, Standing};
use sea_orm::IntoActiveModel;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "standing")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    pub state: String,
    pub since: DateTimeUtc,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

#[async_trait]
impl Standing for SqlStore {
    async fn standings(&self) -> PortResult<Standings> {
        let rows = Entity::find().all(&self.link.db).await.map_err(failed("reading how things stand"))?;
        Ok(rows.into_iter().map(|row| (row.key, standing::Standing { state: row.state, since: row.since })).collect())
    }
    async fn keep_standings(&self, stand: &Standings, gone: &[String]) -> PortResult<()> {
        // Why sorted: two replicas lock the same rows in the same order.
        let mut rows: Vec<Model> =
            stand.iter().map(|(key, s)| Model { key: key.clone(), state: s.state.clone(), since: s.since }).collect();
        rows.sort_by(|a, b| a.key.cmp(&b.key));
        let writing = self.link.write().await?;
        let rows = rows.into_iter().map(IntoActiveModel::into_active_model).collect();
        writing.insert("keeping how things stand", rows, upsert([Column::Key], [Column::State, Column::Since])).await?;
        let gone = Entity::delete_many().filter(Column::Key.is_in(gone));
        gone.exec(&writing.txn).await.map_err(failed("forgetting how things stood"))?;
        writing.commit().await
    }
}
