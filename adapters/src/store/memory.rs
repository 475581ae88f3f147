//! Single facts that must outlive a restart: how far the directory was scanned, whether everybody is to be looked at.
use super::fault::{failed, from_json, to_json};
use super::hr_photo;
use super::link::{Link, Writing, upsert};
use kimlik_domain::ports::{PortResult, Watermark};
use sea_orm::IntoActiveModel;
use sea_orm::entity::prelude::*;
use std::collections::HashMap;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "memory")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub value: String,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

const REQUESTED: &str = "full_run_requested";
const DONE: &str = "full_run_done";
const WATERMARK: &str = "watermark";
const PHOTOS: &str = "watermark_of_photos";

async fn put(writing: &Writing, name: &str, value: String) -> PortResult<()> {
    let row = Model { name: name.to_owned(), value }.into_active_model();
    writing.insert("saving a fact", vec![row], upsert([Column::Name], [Column::Value])).await
}

async fn full_runs(db: &impl ConnectionTrait) -> PortResult<(i64, i64)> {
    let rows = Entity::find().filter(Column::Name.is_in([REQUESTED, DONE])).all(db).await.map_err(failed("reading a fact"))?;
    let rows: HashMap<String, i64> = rows.into_iter().map(|r| Ok((r.name, from_json(&r.value, "number")?))).collect::<PortResult<_>>()?;
    let number = |name| rows.get(name).copied().unwrap_or(0);
    Ok((number(REQUESTED), number(DONE)))
}

pub(super) async fn full_run_due(db: &impl ConnectionTrait) -> PortResult<Option<i64>> {
    let (requested, done) = full_runs(db).await?;
    Ok((requested > done).then_some(requested))
}

/// In the caller's transaction.
pub(super) async fn request_full_run(writing: &Writing) -> PortResult<()> {
    writing.lock(&["memory"]).await?;
    let (requested, _) = full_runs(&writing.txn).await?;
    put(writing, REQUESTED, (requested + 1).to_string()).await
}

/// A request that came after `number` was read stays.
pub(super) async fn full_run_done(link: &Link, number: i64) -> PortResult<()> {
    let writing = link.write().await?;
    writing.lock(&["memory"]).await?;
    let (_, done) = full_runs(&writing.txn).await?;
    put(&writing, DONE, done.max(number).to_string()).await?;
    writing.commit().await
}

async fn mark(db: &impl ConnectionTrait, name: &str) -> PortResult<Option<Watermark>> {
    let row = Entity::find_by_id(name).one(db).await.map_err(failed("reading a watermark"))?;
    row.map(|row| from_json::<(String, u64)>(&row.value, "watermark").map(|(source, usn)| Watermark { source, usn })).transpose()
}

async fn save_mark(link: &Link, name: &str, mark: &Watermark) -> PortResult<()> {
    let writing = link.write().await?;
    put(&writing, name, to_json(&(&mark.source, mark.usn))?).await?;
    writing.commit().await
}

pub(super) async fn watermark(db: &impl ConnectionTrait) -> PortResult<Option<Watermark>> {
    mark(db, WATERMARK).await
}

pub(super) async fn save_watermark(link: &Link, mark: &Watermark) -> PortResult<()> {
    save_mark(link, WATERMARK, mark).await
}

/// How far the directory was read for photos.
pub(super) async fn photo_mark(db: &impl ConnectionTrait) -> PortResult<Option<Watermark>> {
    mark(db, PHOTOS).await
}

pub(super) async fn save_photo_mark(link: &Link, mark: &Watermark) -> PortResult<()> {
    let writing = link.write().await?;
    let is_first = photo_mark(&writing.txn).await?.is_none() && hr_photo::are_kept(&writing.txn).await?;
    put(&writing, PHOTOS, to_json(&(&mark.source, mark.usn))?).await?;
    if is_first {
        // Why: until now nobody knew what the directory holds, and no photo of an account that was there was planned.
        request_full_run(&writing).await?;
    }
    writing.commit().await
}
