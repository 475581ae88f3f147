//! Suspensions by order: one row each, from its beginning to its end. Planning asks for a person's latest.
use super::fault::{failed, without_nul};
use super::link::{Link, Writing};
use super::vault::Vault;
use super::{audit, idempotency, session, work};
use kimlik_domain::access::idempotency::{ClientKey, KeyState};
use kimlik_domain::access::session::{EndedBecause, SessionsOf};
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::PersonId;
use kimlik_domain::lifecycle::suspension::{Lifted, MOST_PER_ACTOR, Order, OrderKind, Ordered, Suspension, WINDOW};
use kimlik_domain::ports::PortResult;
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel, QueryOrder};
use std::collections::HashMap;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "suspension")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub person: Uuid,
    pub since: DateTimeUtc,
    pub suspended_by: String,
    pub reason: String,
    pub lifted_at: Option<DateTimeUtc>,
    pub lifted_by: Option<String>,
    pub lifted_because: Option<String>,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

fn suspension(row: Model) -> Suspension {
    Suspension {
        since: row.since,
        by: row.suspended_by.into(),
        reason: row.reason.into(),
        lifted: row.lifted_at.map(|at| Lifted {
            at,
            by: row.lifted_by.unwrap_or_default().into(),
            reason: row.lifted_because.unwrap_or_default().into(),
        }),
    }
}

async fn rows(db: &impl ConnectionTrait, people: &[Uuid]) -> PortResult<Vec<Model>> {
    let select = Entity::find().filter(Column::Person.is_in(people.iter().copied())).order_by_asc(Column::Since).order_by_asc(Column::Id);
    select.all(db).await.map_err(failed("reading suspensions"))
}

pub(super) async fn latest(db: &impl ConnectionTrait, people: &[Uuid]) -> PortResult<HashMap<PersonId, Suspension>> {
    Ok(rows(db, people).await?.into_iter().map(|row| (PersonId(row.person), suspension(row))).collect())
}

pub(super) async fn order(
    link: &Link,
    vault: &Vault,
    order: &Order,
    event: &AuditEvent,
    key: Option<(&ClientKey, &str)>,
) -> PortResult<Ordered> {
    let writing = link.write().await?;
    if let Some((key, _)) = key {
        match idempotency::begin(&writing, vault, key, order.at).await? {
            KeyState::New => {}
            KeyState::Answered(answer) => return Ok(Ordered::Answered(answer)),
            KeyState::Reused => return Ok(Ordered::KeyReused),
        }
    }
    writing.lock(&["suspension"]).await?;
    let last = rows(&writing.txn, &[order.person.0]).await?.pop();
    let Some(next) = order.over(last.clone().map(suspension).as_ref()) else { return Ok(Ordered::AlreadySo) };
    if given(&writing, order).await? >= u64::from(MOST_PER_ACTOR) {
        return Ok(Ordered::TooMany);
    }
    match (order.kind, last) {
        (OrderKind::Reinstate, Some(row)) => lift(&writing, row.id, order).await?,
        _ => writing.insert("suspending", vec![row(order, &next).into_active_model()], None).await?,
    }
    if order.kind == OrderKind::Suspend {
        session::end(&writing, SessionsOf::Person(order.person), EndedBecause::AccountClosed, &order.by, order.at).await?;
    }
    audit::record(&writing, [event]).await?;
    work::wake(&writing, [order.person], order.at).await?;
    if let Some((key, answer)) = key {
        idempotency::keep(&writing, vault, key, answer, order.at).await?;
    }
    writing.commit().await?;
    Ok(Ordered::Given)
}

/// Of the order's kind and actor, within the window.
async fn given(writing: &Writing, order: &Order) -> PortResult<u64> {
    let since = order.at - WINDOW;
    let (by, at) = match order.kind {
        OrderKind::Suspend => (Column::SuspendedBy, Column::Since),
        OrderKind::Reinstate => (Column::LiftedBy, Column::LiftedAt),
    };
    let found = Entity::find().filter(by.eq(without_nul(&order.by))).filter(at.gt(since));
    found.count(&writing.txn).await.map_err(failed("counting orders"))
}

fn row(order: &Order, next: &Suspension) -> Model {
    Model {
        id: order.id,
        person: order.person.0,
        since: next.since,
        suspended_by: without_nul(&next.by),
        reason: without_nul(&next.reason),
        lifted_at: None,
        lifted_by: None,
        lifted_because: None,
    }
}

async fn lift(writing: &Writing, id: Uuid, order: &Order) -> PortResult<()> {
    Entity::update_many()
        .col_expr(Column::LiftedAt, Expr::value(order.at))
        .col_expr(Column::LiftedBy, Expr::value(without_nul(&order.by)))
        .col_expr(Column::LiftedBecause, Expr::value(without_nul(&order.reason)))
        .filter(Column::Id.eq(id))
        .exec(&writing.txn)
        .await
        .map_err(failed("lifting a suspension"))?;
    Ok(())
}
