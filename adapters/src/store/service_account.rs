//! Accounts of programs and their secrets, which are kept as keyed hashes only.
use super::fault::{failed, from_json, to_json, without_nul};
use super::link::Writing;
use super::{SqlStore, audit};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use kimlik_domain::access::service::Service;
use kimlik_domain::access::session::Secret;
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::ServiceId;
use kimlik_domain::ports::{PortError, PortResult, Refusal, Services};
use sea_orm::ExprTrait;
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel, QueryOrder, QuerySelect};
use serde_json::json;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "service_account")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub scopes: String,
    pub owner: String,
    pub made_at: DateTimeUtc,
    pub made_by: String,
    pub expires_at: DateTimeUtc,
    pub revoked_at: Option<DateTimeUtc>,
    pub last_used_at: Option<DateTimeUtc>,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

mod secret {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "service_secret")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub mark: Vec<u8>,
        pub service: Uuid,
        pub made_at: DateTimeUtc,
        /// `None`: as long as the service.
        pub valid_until: Option<DateTimeUtc>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

fn service(row: Model) -> PortResult<Service> {
    Ok(Service {
        id: ServiceId(row.id),
        name: row.name,
        scopes: from_json(&row.scopes, "service account")?,
        owner: row.owner,
        made_at: row.made_at,
        made_by: row.made_by,
        expires_at: row.expires_at,
        revoked_at: row.revoked_at,
        last_used_at: row.last_used_at,
    })
}

impl SqlStore {
    fn service_mark(&self, secret: &Secret) -> Vec<u8> {
        self.vault.secret_mark("service", secret.expose())
    }

    async fn save_secret(&self, writing: &Writing, of: ServiceId, secret: &Secret, now: DateTime<Utc>) -> PortResult<()> {
        let row = secret::Model { mark: self.service_mark(secret), service: of.0, made_at: now, valid_until: None };
        writing.insert("saving a service account", vec![row.into_active_model()], None).await
    }
}

/// The row, locked by a change that makes no other: who rotates and who revokes follow each other.
async fn living(writing: &Writing, id: ServiceId, now: DateTime<Utc>) -> PortResult<Service> {
    writing.lock(&["sign_in"]).await?;
    let found = Entity::find_by_id(id.0).one(&writing.txn).await.map_err(failed("reading a service account"))?;
    let found = found.ok_or_else(|| PortError::refused(Refusal::NotFound, format!("there is no service account {id}")))?;
    let found = service(found)?;
    if found.lives(now) { Ok(found) } else { Err(PortError::refused(Refusal::Other, format!("{} was revoked or has expired", found.name))) }
}

fn event(now: DateTime<Utc>, by: &str, deed: &str, service: &Service) -> AuditEvent {
    AuditEvent {
        at: now,
        actor: by.to_owned(),
        deed: deed.to_owned(),
        person: None,
        because: format!("service account {}", service.name),
        detail: json!({ "service": service.id.to_string(), "scopes": service.scopes }),
    }
}

#[async_trait]
impl Services for SqlStore {
    async fn services(&self, before: Option<ServiceId>, limit: u32) -> PortResult<Vec<Service>> {
        let mut select = Entity::find().order_by_desc(Column::Id).limit(u64::from(limit));
        if let Some(before) = before {
            select = select.filter(Column::Id.lt(before.0));
        }
        let rows = select.all(&self.link.db).await.map_err(failed("reading service accounts"))?;
        rows.into_iter().map(service).collect()
    }
    async fn service_of(&self, given: &Secret, now: DateTime<Utc>) -> PortResult<Option<Service>> {
        let known = secret::Entity::find_by_id(self.service_mark(given)).one(&self.link.db).await;
        let known = known.map_err(failed("reading a service account"))?;
        let Some(known) = known.filter(|k| k.valid_until.is_none_or(|until| now < until)) else { return Ok(None) };
        let found = Entity::find_by_id(known.service).one(&self.link.db).await.map_err(failed("reading a service account"))?;
        found.map(service).transpose()
    }
    async fn make_service(&self, made: &Service, secret: &Secret, event: &AuditEvent) -> PortResult<()> {
        let row = Model {
            id: made.id.0,
            name: without_nul(&made.name),
            scopes: to_json(&made.scopes)?,
            owner: without_nul(&made.owner),
            made_at: made.made_at,
            made_by: made.made_by.clone(),
            expires_at: made.expires_at,
            revoked_at: None,
            last_used_at: None,
        };
        let writing = self.link.write().await?;
        writing.lock(&["sign_in"]).await?;
        let taken =
            Entity::find().filter(Column::Name.eq(&row.name)).one(&writing.txn).await.map_err(failed("reading service accounts"))?;
        if taken.is_some() {
            return Err(PortError::refused(Refusal::NameTaken, format!("there is, or was, a service account {}", made.name)));
        }
        writing.insert("saving a service account", vec![row.into_active_model()], None).await?;
        self.save_secret(&writing, made.id, secret, made.made_at).await?;
        audit::record(&writing, [event]).await?;
        writing.commit().await
    }
    async fn rotate_service(
        &self,
        id: ServiceId,
        secret: &Secret,
        old_until: DateTime<Utc>,
        by: &str,
        now: DateTime<Utc>,
    ) -> PortResult<Service> {
        let writing = self.link.write().await?;
        let found = living(&writing, id, now).await?;
        let sooner = secret::Column::ValidUntil.is_null().or(secret::Column::ValidUntil.gt(old_until));
        secret::Entity::update_many()
            .col_expr(secret::Column::ValidUntil, Expr::value(old_until))
            .filter(secret::Column::Service.eq(id.0).and(sooner))
            .exec(&writing.txn)
            .await
            .map_err(failed("rotating a secret"))?;
        self.save_secret(&writing, id, secret, now).await?;
        audit::record(&writing, [&event(now, by, "service.rotate", &found)]).await?;
        writing.commit().await?;
        Ok(found)
    }
    async fn revoke_service(&self, id: ServiceId, by: &str, now: DateTime<Utc>) -> PortResult<Service> {
        let writing = self.link.write().await?;
        let found = living(&writing, id, now).await?;
        Entity::update_many()
            .col_expr(Column::RevokedAt, Expr::value(now))
            .filter(Column::Id.eq(id.0))
            .exec(&writing.txn)
            .await
            .map_err(failed("revoking a service account"))?;
        audit::record(&writing, [&event(now, by, "service.revoke", &found)]).await?;
        writing.commit().await?;
        Ok(Service { revoked_at: Some(now), ..found })
    }
    async fn service_used(&self, id: ServiceId, now: DateTime<Utc>) -> PortResult<()> {
        let writing = self.link.write().await?;
        Entity::update_many()
            .col_expr(Column::LastUsedAt, Expr::value(now))
            .filter(Column::Id.eq(id.0))
            .exec(&writing.txn)
            .await
            .map_err(failed("noting a use"))?;
        writing.commit().await
    }
}
