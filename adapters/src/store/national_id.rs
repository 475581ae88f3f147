//! National ids: sealed, and found by their marks. One row a person, so that erasing one erases nothing else.
use super::link::{Writing, upsert};
use super::vault::Vault;
use kimlik_domain::id::PersonId;
use kimlik_domain::ports::PortResult;
use kimlik_domain::staff::NationalId;
use sea_orm::IntoActiveModel;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "national_id")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub person: Uuid,
    pub mark: Vec<u8>,
    pub sealed: Vec<u8>,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

const SEALED: &str = "national_id.sealed";

pub(super) async fn save<'a>(
    writing: &Writing,
    vault: &Vault,
    ids: impl IntoIterator<Item = (PersonId, &'a NationalId)>,
) -> PortResult<()> {
    let rows = ids
        .into_iter()
        .map(|(person, id)| {
            let row = Model { person: person.0, mark: vault.mark(id).0.to_vec(), sealed: vault.seal(SEALED, person.0, id.expose())? };
            Ok(row.into_active_model())
        })
        .collect::<PortResult<_>>()?;
    writing.insert("saving national ids", rows, upsert([Column::Person], [Column::Mark, Column::Sealed])).await
}
