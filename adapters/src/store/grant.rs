//! Roles granted for a time. Never deleted: who was what, and by whom, is asked for years later.
use super::fault::{failed, from_json, to_json, unreadable, without_nul};
use super::{SqlStore, audit};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use kimlik_domain::access::Role;
use kimlik_domain::access::grant::Grant;
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::{GrantId, PersonId};
use kimlik_domain::ports::{Grants, PortError, PortResult, Refusal};
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel, QueryOrder, QuerySelect};
use serde_json::json;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "role_grant")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub person: Uuid,
    pub role: String,
    pub units: String,
    pub starts_at: DateTimeUtc,
    pub ends_at: DateTimeUtc,
    pub reason: String,
    pub granted_by: String,
    pub granted_at: DateTimeUtc,
    pub revoked_at: Option<DateTimeUtc>,
    pub revoked_by: Option<String>,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

fn grant(row: Model) -> PortResult<Grant> {
    Ok(Grant {
        id: GrantId(row.id),
        person: PersonId(row.person),
        role: Role::parse(&row.role).ok_or_else(|| unreadable("role grant", "unknown role"))?,
        units: from_json(&row.units, "role grant")?,
        from: row.starts_at,
        until: row.ends_at,
        reason: row.reason,
        granted_by: row.granted_by,
        granted_at: row.granted_at,
        revoked_at: row.revoked_at,
        revoked_by: row.revoked_by,
    })
}

fn row(grant: &Grant) -> PortResult<Model> {
    Ok(Model {
        id: grant.id.0,
        person: grant.person.0,
        role: grant.role.as_str().to_owned(),
        units: to_json(&grant.units)?,
        starts_at: grant.from,
        ends_at: grant.until,
        reason: without_nul(&grant.reason),
        granted_by: without_nul(&grant.granted_by),
        granted_at: grant.granted_at,
        revoked_at: grant.revoked_at,
        revoked_by: grant.revoked_by.clone(),
    })
}

#[async_trait]
impl Grants for SqlStore {
    async fn grants_of(&self, person: PersonId) -> PortResult<Vec<Grant>> {
        let select = Entity::find().filter(Column::Person.eq(person.0));
        let rows = select.all(&self.link.db).await.map_err(failed("reading grants"))?;
        rows.into_iter().map(grant).collect()
    }
    async fn grants(&self, before: Option<GrantId>, limit: u32) -> PortResult<Vec<Grant>> {
        let mut select = Entity::find().order_by_desc(Column::Id).limit(u64::from(limit));
        if let Some(before) = before {
            select = select.filter(Column::Id.lt(before.0));
        }
        let rows = select.all(&self.link.db).await.map_err(failed("reading grants"))?;
        rows.into_iter().map(grant).collect()
    }
    async fn grant(&self, grant: &Grant, event: &AuditEvent) -> PortResult<()> {
        let writing = self.link.write().await?;
        writing.insert("granting a role", vec![row(grant)?.into_active_model()], None).await?;
        audit::record(&writing, [event]).await?;
        writing.commit().await
    }
    async fn revoke_grant(&self, id: GrantId, by: &str, now: DateTime<Utc>) -> PortResult<Grant> {
        let writing = self.link.write().await?;
        let revoked = Entity::update_many()
            .col_expr(Column::RevokedAt, Expr::value(now))
            .col_expr(Column::RevokedBy, Expr::value(by))
            .filter(Column::Id.eq(id.0))
            .filter(Column::RevokedAt.is_null())
            .exec(&writing.txn)
            .await
            .map_err(failed("revoking a grant"))?;
        let found = Entity::find_by_id(id.0).one(&writing.txn).await.map_err(failed("revoking a grant"))?;
        let found = found.ok_or_else(|| PortError::refused(Refusal::NotFound, format!("there is no grant {id}")))?;
        if revoked.rows_affected == 0 {
            return Err(PortError::refused(Refusal::Other, format!("grant {id} was revoked before")));
        }
        let found = grant(found)?;
        let event = AuditEvent {
            at: now,
            actor: by.to_owned(),
            deed: "role.revoke".to_owned(),
            person: Some(found.person),
            because: "an administrator's decision".to_owned(),
            detail: json!({ "grant": id.to_string(), "role": found.role }),
        };
        audit::record(&writing, [&event]).await?;
        writing.commit().await?;
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_the_grant_that_was_given() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let given = Grant {
            id: GrantId(Uuid::from_u128(1)),
            person: PersonId(Uuid::from_u128(2)),
            role: Role::PersonnelOfficer,
            units: vec![kimlik_domain::staff::UnitCode::parse("24308110").unwrap()],
            from: now,
            until: now,
            reason: "vekâlet".into(),
            granted_by: "cli:root".into(),
            granted_at: now,
            revoked_at: None,
            revoked_by: None,
        };
        assert_eq!(grant(row(&given).unwrap()).unwrap(), given);
    }
}
