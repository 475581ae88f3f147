//! What other systems are told: marks left by operations that were done, and the sealer that gives positions after those have
//! committed. As the feed of cards, and for the same reason.
use super::fault::{failed, from_json, from_word, to_json, word};
use super::link::{CHUNK, Link, Writing, upsert};
use super::{account, operation, person, phone};
use chrono::{DateTime, Utc};
use kimlik_domain::id::PersonId;
use kimlik_domain::lifecycle::ActionKind;
use kimlik_domain::ports::{CardFacts, EventData, PortResult};
use kimlik_domain::webhook::{Event, EventKind};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue, IntoActiveModel, QueryOrder, QuerySelect};
use std::collections::{BTreeSet, HashMap, HashSet};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    /// Of the operation.
    #[sea_orm(unique)]
    pub id: Uuid,
    pub kind: String,
    pub person: Uuid,
    pub at: DateTimeUtc,
    pub data: String,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

mod marked {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "event_mark")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub operation: Uuid,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

mod head {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "event_head")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        pub position: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// The only row of the head.
const HEAD: &str = "events";

/// In the caller's transaction: these operations were done. Never waits for anybody: each mark is a row of its own.
pub(super) async fn mark(writing: &Writing, done: impl IntoIterator<Item = (Uuid, ActionKind)>) -> PortResult<()> {
    let told = done.into_iter().filter(|(_, kind)| EventKind::of(*kind).is_some());
    let rows = told.map(|(operation, _)| marked::ActiveModel { operation: ActiveValue::Set(operation), ..Default::default() });
    writing.insert("marking what was done", rows.collect(), None).await
}

pub(super) async fn position(db: &impl ConnectionTrait) -> PortResult<i64> {
    let head = head::Entity::find_by_id(HEAD).one(db).await.map_err(failed("reading where the events stand"))?;
    Ok(head.map_or(0, |head| head.position))
}

async fn marks(db: &impl ConnectionTrait, limit: u32) -> PortResult<Vec<marked::Model>> {
    let select = marked::Entity::find().order_by_asc(marked::Column::Id).limit(u64::from(limit));
    select.all(db).await.map_err(failed("reading what was done"))
}

/// One at a time, in all replicas: the next one waits until this one has committed, so positions become visible in order.
pub(super) async fn seal(link: &Link, limit: u32, data: &EventData<'_>) -> PortResult<bool> {
    // Why first: mostly there is nothing, and nobody's writing should wait for that.
    if marks(&link.db, 1).await?.is_empty() {
        return Ok(false);
    }
    let writing = link.write().await?;
    writing.lock(&["events"]).await?;
    let marks = marks(&writing.txn, limit).await?;
    let mut position = position(&writing.txn).await?;
    for marks in marks.chunks(CHUNK) {
        let rows = events(&writing, marks, &mut position, data).await?;
        writing.insert("saving events", rows, None).await?;
        let done = marked::Entity::delete_many().filter(marked::Column::Id.is_in(marks.iter().map(|m| m.id)));
        done.exec(&writing.txn).await.map_err(failed("working off marks"))?;
    }
    let row = head::Model { name: HEAD.to_owned(), position }.into_active_model();
    writing.insert("saving where the events stand", vec![row], upsert([head::Column::Name], [head::Column::Position])).await?;
    writing.commit().await?;
    Ok(marks.len() >= limit as usize)
}

async fn events(writing: &Writing, marks: &[marked::Model], position: &mut i64, data: &EventData<'_>) -> PortResult<Vec<ActiveModel>> {
    let operations: BTreeSet<Uuid> = marks.iter().map(|m| m.operation).collect();
    let known = Entity::find().select_only().column(Column::Id).filter(Column::Id.is_in(operations.iter().copied())).into_tuple();
    let mut told: HashSet<Uuid> = known.all(&writing.txn).await.map_err(failed("reading events"))?.into_iter().collect();
    let found = operation::Entity::find().filter(operation::Column::Id.is_in(operations.iter().copied())).all(&writing.txn);
    let found = found.await.map_err(failed("reading operations"))?;
    let people: BTreeSet<Uuid> = found.iter().map(|o| o.person).collect();
    let people = facts(&writing.txn, &people).await?;
    let found: HashMap<Uuid, operation::Model> = found.into_iter().map(|o| (o.id, o)).collect();
    let mut rows = Vec::new();
    for operation in marks.iter().filter_map(|m| found.get(&m.operation)) {
        let action: ActionKind = from_word(&operation.kind, "operation")?;
        // Whose person is there no more is nobody's to tell of.
        let (Some(kind), Some(facts)) = (EventKind::of(action), people.get(&operation.person)) else { continue };
        if !told.insert(operation.id) {
            continue;
        }
        *position += 1;
        let row = Model {
            position: *position,
            id: operation.id,
            kind: word(&kind)?,
            person: operation.person,
            at: operation.settled_at.unwrap_or(operation.created_at),
            data: to_json(&data(action, facts))?,
        };
        rows.push(row.into_active_model());
    }
    Ok(rows)
}

async fn facts(db: &impl ConnectionTrait, people: &BTreeSet<Uuid>) -> PortResult<HashMap<Uuid, CardFacts>> {
    let rows: Vec<(Uuid, String, Option<String>, Option<String>)> = person::with_phones()
        .filter(person::Column::Id.is_in(people.iter().copied()))
        .select_only()
        .columns([person::Column::Id, person::Column::Data])
        .column(account::Column::Data)
        .column(phone::Column::Data)
        .into_tuple()
        .all(db)
        .await
        .map_err(failed("reading people"))?;
    let parse = |(id, person, account, phones): (Uuid, String, Option<String>, Option<String>)| {
        let (person, account, _) = person::parse(&person, account.as_deref(), phones.as_deref())?;
        Ok((id, CardFacts { person, account, photo: None }))
    };
    rows.into_iter().map(parse).collect()
}

fn event(row: Model) -> PortResult<Event> {
    Ok(Event {
        position: row.position,
        id: row.id,
        kind: from_word(&row.kind, "event")?,
        person: PersonId(row.person),
        at: row.at,
        data: from_json(&row.data, "event")?,
    })
}

pub(super) async fn after(db: &impl ConnectionTrait, position: i64, limit: u32) -> PortResult<Vec<Event>> {
    let select = Entity::find().filter(Column::Position.gt(position)).order_by_asc(Column::Position).limit(u64::from(limit));
    select.all(db).await.map_err(failed("reading events"))?.into_iter().map(event).collect()
}

pub(super) async fn oldest(db: &impl ConnectionTrait) -> PortResult<Option<i64>> {
    let select = Entity::find().select_only().column(Column::Position).order_by_asc(Column::Position).limit(1);
    select.into_tuple().one(db).await.map_err(failed("reading events"))
}

/// Those up to `position` only.
pub(super) async fn forget(writing: &Writing, before: DateTime<Utc>, position: i64) -> PortResult<u64> {
    let old = Entity::delete_many().filter(Column::At.lt(before)).filter(Column::Position.lte(position));
    Ok(old.exec(&writing.txn).await.map_err(failed("forgetting events"))?.rows_affected)
}
