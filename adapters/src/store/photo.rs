//! Photos, by account: the octets as the directory holds them, and a tag of them.
use super::fault::failed;
use super::link::{CHUNK, Link, upsert};
use super::{account, card, hr_photo, work};
use crate::tag;
use chrono::{DateTime, Utc};
use kimlik_domain::id::{AccountGuid, PersonId};
use kimlik_domain::ports::{KeptPhoto, PortResult};
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel, JoinType, QuerySelect};
use std::collections::HashMap;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "photo")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account: Uuid,
    pub tag: String,
    pub octets: Vec<u8>,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

/// From an account that is in the statement already to its photo.
pub(super) fn of_account() -> RelationDef {
    account::Entity::belongs_to(Entity).from(account::Column::Guid).to(Column::Account).into()
}

/// The tags of what is kept.
pub(super) async fn tags(db: &impl ConnectionTrait, of: &[AccountGuid]) -> PortResult<HashMap<AccountGuid, String>> {
    let select = Entity::find().select_only().columns([Column::Account, Column::Tag]);
    let select = select.filter(Column::Account.is_in(of.iter().map(|account| account.0)));
    let rows: Vec<(Uuid, String)> = select.into_tuple().all(db).await.map_err(failed("reading photos"))?;
    Ok(rows.into_iter().map(|(account, tag)| (AccountGuid(account), tag)).collect())
}

pub(super) async fn accounts(db: &impl ConnectionTrait) -> PortResult<Vec<AccountGuid>> {
    let found: Vec<Uuid> =
        Entity::find().select_only().column(Column::Account).into_tuple().all(db).await.map_err(failed("reading whose photos are kept"))?;
    Ok(found.into_iter().map(AccountGuid).collect())
}

/// `wake`: from when on whose photo is another one is to be looked at, where HR's are written.
pub(super) async fn keep(
    link: &Link,
    photos: &[(AccountGuid, Vec<u8>)],
    without: &[AccountGuid],
    wake: Option<DateTime<Utc>>,
) -> PortResult<()> {
    let asked: Vec<Uuid> = photos.iter().map(|(account, _)| account.0).chain(without.iter().map(|account| account.0)).collect();
    let mut known: HashMap<Uuid, String> = HashMap::new();
    for asked in asked.chunks(CHUNK) {
        let found =
            Entity::find().select_only().columns([Column::Account, Column::Tag]).filter(Column::Account.is_in(asked.iter().copied()));
        let found: Vec<(Uuid, String)> = found.into_tuple().all(&link.db).await.map_err(failed("reading photos"))?;
        known.extend(found);
    }
    let other = photos.iter().map(|(account, octets)| Model { account: account.0, tag: tag::of(octets), octets: octets.clone() });
    let other: Vec<Model> = other.filter(|photo| known.get(&photo.account) != Some(&photo.tag)).collect();
    let gone: Vec<Uuid> = without.iter().map(|account| account.0).filter(|account| known.contains_key(account)).collect();
    if other.is_empty() && gone.is_empty() {
        return Ok(());
    }
    let wake = match wake {
        Some(at) if hr_photo::are_kept(&link.db).await? => Some(at),
        _ => None,
    };
    let writing = link.write().await?;
    let changed: Vec<Uuid> = other.iter().map(|photo| photo.account).chain(gone.iter().copied()).collect();
    let rows = other.into_iter().map(IntoActiveModel::into_active_model).collect();
    writing.insert("saving photos", rows, upsert([Column::Account], [Column::Tag, Column::Octets])).await?;
    for gone in gone.chunks(CHUNK) {
        let forget = Entity::delete_many().filter(Column::Account.is_in(gone.iter().copied()));
        forget.exec(&writing.txn).await.map_err(failed("forgetting photos"))?;
    }
    for changed in changed.chunks(CHUNK) {
        let owners =
            account::Entity::find().select_only().column(account::Column::Person).filter(account::Column::Guid.is_in(changed.to_vec()));
        let owners: Vec<Uuid> = owners.into_tuple().all(&writing.txn).await.map_err(failed("reading whose photos they are"))?;
        card::mark(&writing, owners.iter().copied().map(PersonId)).await?;
        if let Some(at) = wake {
            work::wake(&writing, owners.into_iter().map(PersonId), at).await?;
        }
    }
    writing.commit().await
}

pub(super) async fn of(db: &impl ConnectionTrait, person: PersonId) -> PortResult<Option<KeptPhoto>> {
    let account = Entity::belongs_to(account::Entity).from(Column::Account).to(account::Column::Guid).into();
    let found = Entity::find().join(JoinType::InnerJoin, account).filter(account::Column::Person.eq(person.0)).one(db).await;
    Ok(found.map_err(failed("reading a photo"))?.map(|photo| KeptPhoto { octets: photo.octets, tag: photo.tag.into() }))
}
