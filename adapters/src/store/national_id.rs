//! National ids: sealed, and found by their marks. One row a person, so that erasing one erases nothing else.
use super::fault::{failed, unreadable};
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

pub(super) async fn of(db: &impl ConnectionTrait, vault: &Vault, person: PersonId) -> PortResult<Option<NationalId>> {
    let row = Entity::find_by_id(person.0).one(db).await.map_err(failed("reading a national id"))?;
    let Some(row) = row else { return Ok(None) };
    let text = vault.open(SEALED, row.person, &row.sealed)?;
    NationalId::parse(&text).map(Some).map_err(|_| unreadable(SEALED, "it is no national id"))
}
