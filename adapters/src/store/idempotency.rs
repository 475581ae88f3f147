//! Keys by which clients repeat deeds, with what was answered: written in the transaction of the deed.
use super::fault::{failed, without_nul};
use super::link::Writing;
use super::vault::Vault;
use chrono::{DateTime, Utc};
use kimlik_domain::access::idempotency::{ClientKey, KeyState, REMEMBERED};
use kimlik_domain::ports::PortResult;
use sea_orm::IntoActiveModel;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub client: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub client_key: String,
    /// Of what was asked.
    pub mark: Vec<u8>,
    pub answer: String,
    pub expires_at: DateTimeUtc,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

fn mark(vault: &Vault, key: &ClientKey) -> Vec<u8> {
    vault.secret_mark("idempotency", &key.asked)
}

pub(super) async fn state(db: &impl ConnectionTrait, vault: &Vault, key: &ClientKey, now: DateTime<Utc>) -> PortResult<KeyState> {
    let found = Entity::find_by_id((without_nul(&key.client), without_nul(&key.key))).filter(Column::ExpiresAt.gt(now));
    Ok(match found.one(db).await.map_err(failed("reading an idempotency key"))? {
        None => KeyState::New,
        Some(row) if row.mark == mark(vault, key) => KeyState::Answered(row.answer),
        Some(_) => KeyState::Reused,
    })
}

/// The first thing in the deed's transaction: who holds this is alone with all keys until its end.
pub(super) async fn begin(writing: &Writing, vault: &Vault, key: &ClientKey, now: DateTime<Utc>) -> PortResult<KeyState> {
    writing.lock(&["idempotency"]).await?;
    let expired = Entity::delete_many().filter(Column::ExpiresAt.lte(now));
    expired.exec(&writing.txn).await.map_err(failed("forgetting idempotency keys"))?;
    state(&writing.txn, vault, key, now).await
}

/// After [`begin`] has found the key new, and the deed was done.
pub(super) async fn keep(writing: &Writing, vault: &Vault, key: &ClientKey, answer: &str, now: DateTime<Utc>) -> PortResult<()> {
    let row = Model {
        client: without_nul(&key.client),
        client_key: without_nul(&key.key),
        mark: mark(vault, key),
        answer: without_nul(answer),
        expires_at: now + REMEMBERED,
    };
    writing.insert("keeping an idempotency key", vec![row.into_active_model()], None).await
}
