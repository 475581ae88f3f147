//! Who did what to whom: written in the transaction of the deed, never changed afterwards.
use super::SqlStore;
use super::fault::{failed, from_json, to_json, without_nul};
use super::link::Writing;
use async_trait::async_trait;
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::PersonId;
use kimlik_domain::ports::{Audit, AuditFilter, PortResult};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue, Condition, QueryOrder, QuerySelect};

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

fn event(row: Model) -> PortResult<AuditEvent> {
    Ok(AuditEvent {
        at: row.at,
        actor: row.actor,
        deed: row.deed,
        person: row.person.map(PersonId),
        because: row.because,
        detail: from_json(&row.detail, "audit event")?,
    })
}

#[async_trait]
impl Audit for SqlStore {
    async fn record(&self, events: &[AuditEvent]) -> PortResult<()> {
        let writing = self.link.write().await?;
        record(&writing, events).await?;
        writing.commit().await
    }
    async fn events(&self, filter: &AuditFilter, before: Option<i64>, limit: u32) -> PortResult<Vec<(i64, AuditEvent)>> {
        let mut select = Entity::find().order_by_desc(Column::Id).limit(u64::from(limit));
        let conditions = [
            before.map(|before| Column::Id.lt(before)),
            filter.person.map(|person| Column::Person.eq(person.0)),
            filter.actor.as_ref().map(|actor| Column::Actor.eq(actor)),
            filter.since.map(|since| Column::At.gte(since)),
            filter.until.map(|until| Column::At.lt(until)),
        ];
        for condition in conditions.into_iter().flatten() {
            select = select.filter(condition);
        }
        if !filter.deeds.is_empty() {
            let any = filter.deeds.iter().fold(Condition::any(), |any, deed| any.add(Column::Deed.starts_with(deed.as_str())));
            select = select.filter(any);
        }
        let rows = select.all(&self.link.db).await.map_err(failed("reading what was done"))?;
        rows.into_iter().map(|row| Ok((row.id, event(row)?))).collect()
    }
}

/// The latest first.
pub(super) async fn list(db: &impl ConnectionTrait, person: Option<PersonId>, limit: u32) -> PortResult<Vec<AuditEvent>> {
    let mut select = Entity::find().order_by_desc(Column::Id).limit(u64::from(limit));
    if let Some(person) = person {
        select = select.filter(Column::Person.eq(person.0));
    }
    let rows = select.all(db).await.map_err(failed("reading what was done"))?;
    rows.into_iter().map(event).collect()
}
