//! Who did what to whom: written in the transaction of the deed, never changed afterwards.
use super::fault::{failed, from_json, to_json, without_nul};
use super::link::Writing;
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::PersonId;
use kimlik_domain::ports::PortResult;
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue, QueryOrder, QuerySelect};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_event")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub at: DateTimeUtc,
    pub actor: String,
    pub deed: String,
    pub person: Option<Uuid>,
    pub because: String,
    pub detail: String,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

pub(super) async fn record<'a>(writing: &Writing, events: impl IntoIterator<Item = &'a AuditEvent>) -> PortResult<()> {
    let rows = events
        .into_iter()
        .map(|event| {
            Ok(ActiveModel {
                id: ActiveValue::NotSet,
                at: ActiveValue::Set(event.at),
                actor: ActiveValue::Set(without_nul(&event.actor)),
                deed: ActiveValue::Set(without_nul(&event.deed)),
                person: ActiveValue::Set(event.person.map(|p| p.0)),
                because: ActiveValue::Set(without_nul(&event.because)),
                detail: ActiveValue::Set(to_json(&event.detail)?),
            })
        })
        .collect::<PortResult<_>>()?;
    writing.insert("recording what was done", rows, None).await
}

/// The latest first.
pub(super) async fn list(db: &impl ConnectionTrait, person: Option<PersonId>, limit: u32) -> PortResult<Vec<AuditEvent>> {
    let mut select = Entity::find().order_by_desc(Column::Id).limit(u64::from(limit));
    if let Some(person) = person {
        select = select.filter(Column::Person.eq(person.0));
    }
    let rows = select.all(db).await.map_err(failed("reading what was done"))?;
    rows.into_iter()
        .map(|row| {
            Ok(AuditEvent {
                at: row.at,
                actor: row.actor,
                deed: row.deed,
                person: row.person.map(PersonId),
                because: row.because,
                detail: from_json(&row.detail, "audit event")?,
            })
        })
        .collect()
}
