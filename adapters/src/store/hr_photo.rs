//! What was found in the files of HR's photos, and what is known of people's.
use super::fault::{failed, from_word, word};
use super::link::{CHUNK, Link, upsert};
use super::{memory, person, photo};
use kimlik_domain::account::Attribute;
use kimlik_domain::card::hr_photo::{PhotoFault, PhotoWish, ShelvedPhoto, file_of};
use kimlik_domain::id::{AccountGuid, PersonId};
use kimlik_domain::ports::PortResult;
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel, QuerySelect};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "hr_photo")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub stamp: String,
    /// Of its octets; `None`: it cannot be written.
    pub tag: Option<String>,
    pub fault: Option<String>,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

pub(super) async fn shelved(db: &impl ConnectionTrait) -> PortResult<Vec<(Arc<str>, Arc<str>)>> {
    let select = Entity::find().select_only().columns([Column::Name, Column::Stamp]);
    let rows: Vec<(String, String)> = select.into_tuple().all(db).await.map_err(failed("reading HR's photos"))?;
    Ok(rows.into_iter().map(|(name, stamp)| (name.into(), stamp.into())).collect())
}

pub(super) async fn shelve(link: &Link, files: &[ShelvedPhoto], gone: &[Arc<str>]) -> PortResult<()> {
    if files.is_empty() && gone.is_empty() {
        return Ok(());
    }
    let row = |file: &ShelvedPhoto| {
        let (tag, fault) = match &file.found {
            Ok(tag) => (Some(tag.to_string()), None),
            Err(fault) => (None, Some(word(fault)?)),
        };
        Ok(Model { name: file.name.to_string(), stamp: file.stamp.to_string(), tag, fault })
    };
    let rows = files.iter().map(row).collect::<PortResult<Vec<_>>>()?;
    let writing = link.write().await?;
    let mut is_news = !gone.is_empty();
    for rows in rows.chunks(CHUNK) {
        let names = rows.iter().map(|row| row.name.clone());
        let found = Entity::find().filter(Column::Name.is_in(names)).all(&writing.txn).await.map_err(failed("reading HR's photos"))?;
        let known: HashMap<&str, &Model> = found.iter().map(|row| (row.name.as_str(), row)).collect();
        is_news |= rows.iter().any(|row| known.get(&*row.name).is_none_or(|held| (&held.tag, &held.fault) != (&row.tag, &row.fault)));
    }
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model).collect();
    writing.insert("keeping HR's photos", rows, upsert([Column::Name], [Column::Stamp, Column::Tag, Column::Fault])).await?;
    for gone in gone.chunks(CHUNK) {
        let forget = Entity::delete_many().filter(Column::Name.is_in(gone.iter().map(|name| &**name)));
        forget.exec(&writing.txn).await.map_err(failed("forgetting HR's photos"))?;
    }
    if is_news {
        // Why everybody: several people may name one file, and nobody keeps who does.
        memory::request_full_run(&writing).await?;
    }
    writing.commit().await
}

/// Are HR's photos taken in at all?
pub(super) async fn are_kept(db: &impl ConnectionTrait) -> PortResult<bool> {
    let one: Option<String> =
        Entity::find().select_only().column(Column::Name).limit(1).into_tuple().one(db).await.map_err(failed("reading HR's photos"))?;
    Ok(one.is_some())
}

/// Of those for whom HR names a photo, or Kimlik has written one. Costs nothing where there are none. Whose account's photo was
/// never looked at is left out: it may be the right one.
pub(super) async fn wishes(db: &impl ConnectionTrait, of: impl Iterator<Item = &person::Read>) -> PortResult<HashMap<PersonId, PhotoWish>> {
    let concerned = of.filter_map(|(person, account, _)| {
        let guid = account.as_ref().and_then(|a| a.guid);
        let written = account.as_ref().and_then(|a| a.applied.as_ref()?.attributes.get(Attribute::Photo));
        (person.photo.is_some() || written.is_some()).then_some((person.id, guid, person.photo.as_deref().map(file_of)))
    });
    let concerned: Vec<(PersonId, Option<AccountGuid>, Option<&str>)> = concerned.collect();
    if concerned.is_empty() || !are_kept(db).await? {
        return Ok(HashMap::new());
    }
    let names: BTreeSet<&str> = concerned.iter().filter_map(|(.., name)| *name).collect();
    let named = named(db, names).await?;
    let accounts: Vec<AccountGuid> = concerned.iter().filter_map(|(_, guid, _)| *guid).collect();
    let held = match accounts.is_empty() || memory::photo_mark(db).await?.is_none() {
        true => None,
        false => Some(photo::tags(db, &accounts).await?),
    };
    let wish = |(person, guid, name): (PersonId, Option<AccountGuid>, Option<&str>)| {
        let held = match (guid, &held) {
            (None, _) => None,
            (Some(guid), Some(held)) => held.get(&guid).map(|tag| Arc::from(tag.as_str())),
            (Some(_), None) => return None,
        };
        let wish = match name.map(|name| named.get(name)) {
            None => PhotoWish::default(),
            Some(None) => PhotoWish { fault: Some(PhotoFault::Missing), ..PhotoWish::default() },
            Some(Some(wish)) => wish.clone(),
        };
        Some((person, PhotoWish { held, ..wish }))
    };
    Ok(concerned.into_iter().filter_map(wish).collect())
}

async fn named(db: &impl ConnectionTrait, names: BTreeSet<&str>) -> PortResult<HashMap<String, PhotoWish>> {
    if names.is_empty() {
        return Ok(HashMap::new());
    }
    let columns = [Column::Name, Column::Tag, Column::Fault];
    let select = Entity::find().select_only().columns(columns).filter(Column::Name.is_in(names));
    let rows: Vec<(String, Option<String>, Option<String>)> = select.into_tuple().all(db).await.map_err(failed("reading HR's photos"))?;
    let wish = |(name, tag, fault): (String, Option<String>, Option<String>)| {
        let fault = fault.map(|fault| from_word(&fault, "HR's photo")).transpose()?;
        Ok((name, PhotoWish { wanted: tag.map(Arc::from), held: None, fault }))
    };
    rows.into_iter().map(wish).collect()
}
