//! The work queue: one row a person that somebody must look at. Leased, it is seen again when the lease ends; a reason that
//! comes during the work is kept beside it and makes it due again.
use super::fault::failed;
use super::link::{CHUNK, Link, Writing, upsert};
use chrono::{DateTime, Utc};
use kimlik_domain::id::PersonId;
use kimlik_domain::ports::{Claim, PortResult};
use sea_orm::ExprTrait;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{CaseStatement, Expr, LockBehavior, LockType, OnConflict};
use sea_orm::{Condition, IntoActiveModel, QueryOrder, QuerySelect};
use std::collections::{BTreeMap, HashSet};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "work")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub person: Uuid,
    /// One more with each lease: a worker whose lease ran out cannot end the next one's.
    pub generation: i64,
    pub leased: bool,
    /// Due at; leased: the end of the lease.
    pub visible_at: DateTimeUtc,
    /// The earliest reason that came during the lease.
    pub woken_at: Option<DateTimeUtc>,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

/// In the caller's transaction.
pub(super) async fn wake(writing: &Writing, people: impl IntoIterator<Item = PersonId>, at: DateTime<Utc>) -> PortResult<()> {
    wake_at(writing, people.into_iter().map(|p| (p, at))).await
}

/// By itself. Who is known to be looked at by then costs no write: a run over a ministry at rest wakes the same people each time,
/// and even a row that an upsert leaves as it is would be locked, and that is a write too.
pub(super) async fn wake_anew(link: &Link, people: &[(PersonId, DateTime<Utc>)]) -> PortResult<()> {
    let mut first = earliest(people.iter().copied());
    let ids: Vec<Uuid> = first.keys().map(|p| p.0).collect();
    for ids in ids.chunks(CHUNK) {
        let rows = Entity::find().filter(Column::Person.is_in(ids.iter().copied())).all(&link.db).await;
        for row in rows.map_err(failed("reading the work queue"))? {
            // Why enough, whatever becomes of the row meanwhile: whoever takes it looks at the person after now.
            let known = if row.leased { row.woken_at } else { Some(row.visible_at) };
            if let (Some(known), Some(at)) = (known, first.get(&PersonId(row.person)))
                && known <= *at
            {
                first.remove(&PersonId(row.person));
            }
        }
    }
    if first.is_empty() {
        return Ok(());
    }
    let writing = link.write().await?;
    wake_at(&writing, first).await?;
    writing.commit().await
}

/// Sorted: two replicas that take the same rows in different orders wait for each other.
fn earliest(people: impl IntoIterator<Item = (PersonId, DateTime<Utc>)>) -> BTreeMap<PersonId, DateTime<Utc>> {
    let mut first: BTreeMap<PersonId, DateTime<Utc>> = BTreeMap::new();
    for (person, at) in people {
        let known = first.entry(person).or_insert(at);
        *known = Ord::min(at, *known);
    }
    first
}

async fn wake_at(writing: &Writing, people: impl IntoIterator<Item = (PersonId, DateTime<Utc>)>) -> PortResult<()> {
    let rows = earliest(people)
        .into_iter()
        .map(|(p, at)| Model { person: p.0, generation: 0, leased: false, visible_at: at, woken_at: None }.into_active_model())
        .collect();
    let held = |column: Column| Expr::col((Entity, column));
    let new = || Expr::col(("excluded", Column::VisibleAt));
    let visible_at = CaseStatement::new()
        .case(held(Column::Leased).not().and(new().lt(held(Column::VisibleAt))), new())
        .finally(held(Column::VisibleAt));
    let woken_at = CaseStatement::new()
        .case(held(Column::Leased).and(held(Column::WokenAt).is_null().or(new().lt(held(Column::WokenAt)))), new())
        .finally(held(Column::WokenAt));
    let conflict = OnConflict::column(Column::Person).value(Column::VisibleAt, visible_at).value(Column::WokenAt, woken_at).to_owned();
    writing.insert("waking people", rows, Some(conflict)).await
}

pub(super) async fn claim(link: &Link, now: DateTime<Utc>, until: DateTime<Utc>, limit: u32) -> PortResult<Vec<Claim>> {
    let writing = link.write().await?;
    let mut due = Entity::find()
        .filter(Column::VisibleAt.lte(now))
        .order_by_asc(Column::VisibleAt)
        .order_by_asc(Column::Person)
        .limit(u64::from(limit))
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(&writing.txn)
        .await
        .map_err(failed("claiming work"))?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    for row in &mut due {
        row.generation += 1;
        row.leased = true;
        row.visible_at = until;
        // Why keep a later one: the work now beginning covers only what is a reason by now.
        row.woken_at = row.woken_at.filter(|at| *at > now);
    }
    let claims = due.iter().map(|row| Claim { person: PersonId(row.person), generation: row.generation }).collect();
    save(&writing, due).await?;
    writing.commit().await?;
    Ok(claims)
}

pub(super) async fn claim_these(link: &Link, people: &[PersonId], until: DateTime<Utc>) -> PortResult<Vec<Claim>> {
    let writing = link.write().await?;
    let mut claims = Vec::with_capacity(people.len());
    for some in people.chunks(CHUNK) {
        let mut free = Entity::find()
            .filter(Column::Person.is_in(some.iter().map(|p| p.0)))
            .filter(Column::Leased.eq(false))
            .order_by_asc(Column::Person)
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .all(&writing.txn)
            .await
            .map_err(failed("claiming work"))?;
        for row in &mut free {
            row.generation += 1;
            row.leased = true;
            row.visible_at = until;
        }
        claims.extend(free.iter().map(|row| Claim { person: PersonId(row.person), generation: row.generation }));
        save(&writing, free).await?;
    }
    writing.commit().await?;
    Ok(claims)
}

async fn save(writing: &Writing, rows: Vec<Model>) -> PortResult<()> {
    let columns = [Column::Generation, Column::Leased, Column::VisibleAt, Column::WokenAt];
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model).collect();
    writing.insert("saving the work queue", rows, upsert([Column::Person], columns)).await
}

/// Answers whose lease is another's by now.
pub(super) async fn renew(link: &Link, claims: &[Claim], until: DateTime<Utc>) -> PortResult<Vec<PersonId>> {
    let mut by_generation: BTreeMap<i64, Vec<Uuid>> = BTreeMap::new();
    claims.iter().for_each(|c| by_generation.entry(c.generation).or_default().push(c.person.0));
    let mut lost = Vec::new();
    let writing = link.write().await?;
    for (generation, mut people) in by_generation {
        // Why sorted: as in waking.
        people.sort_unstable();
        for people in people.chunks(CHUNK) {
            let held = Condition::all()
                .add(Column::Person.is_in(people.iter().copied()))
                .add(Column::Leased.eq(true))
                .add(Column::Generation.eq(generation));
            let renewed = Entity::update_many().col_expr(Column::VisibleAt, Expr::value(until)).filter(held.clone());
            let renewed = renewed.exec(&writing.txn).await.map_err(failed("renewing leases"))?.rows_affected;
            if renewed == people.len() as u64 {
                continue;
            }
            let held = Entity::find().select_only().column(Column::Person).filter(held).into_tuple::<Uuid>();
            let held: HashSet<Uuid> = held.all(&writing.txn).await.map_err(failed("renewing leases"))?.into_iter().collect();
            lost.extend(people.iter().filter(|p| !held.contains(p)).map(|p| PersonId(*p)));
        }
    }
    writing.commit().await?;
    Ok(lost)
}

pub(super) async fn release(link: &Link, done: &[(Claim, Option<DateTime<Utc>>)]) -> PortResult<()> {
    if done.is_empty() {
        return Ok(());
    }
    let writing = link.write().await?;
    let done: BTreeMap<PersonId, (i64, Option<DateTime<Utc>>)> = done.iter().map(|(c, next)| (c.person, (c.generation, *next))).collect();
    let people: Vec<Uuid> = done.keys().map(|p| p.0).collect();
    for people in people.chunks(CHUNK) {
        let held = Entity::find()
            .filter(Column::Person.is_in(people.iter().copied()))
            .order_by_asc(Column::Person)
            .lock(LockType::Update)
            .all(&writing.txn)
            .await
            .map_err(failed("ending leases"))?;
        let (mut later, mut over) = (Vec::new(), Vec::new());
        for row in held {
            match done.get(&PersonId(row.person)) {
                Some((generation, next)) if row.leased && *generation == row.generation => {
                    match row.woken_at.into_iter().chain(*next).min() {
                        Some(at) => later.push(Model { leased: false, visible_at: at, woken_at: None, ..row }),
                        None => over.push(row.person),
                    }
                }
                _ => {}
            }
        }
        save(&writing, later).await?;
        Entity::delete_many().filter(Column::Person.is_in(over)).exec(&writing.txn).await.map_err(failed("ending leases"))?;
    }
    writing.commit().await
}
