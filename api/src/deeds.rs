//! What the command line and GraphQL both do, in the same way: deciding holds, choosing people, giving roles.
pub mod sync;
pub mod webhook;

use crate::wiring::House;
use chrono::{DateTime, Utc};
use kimlik_domain::access::grant::{Grant, NotGrantable};
use kimlik_domain::access::service::{self, NotMakeable, Service};
use kimlik_domain::access::session::Secret;
use kimlik_domain::access::{Role, Scope};
use kimlik_domain::account::adoption::{Adoption, AdoptionOrdered};
use kimlik_domain::account::rename::Rename;
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::{GrantId, HoldId, PersonId, ServiceId, uuid_v7};
use kimlik_domain::lifecycle::hold::{Hold, HoldDecision, HoldStatus};
use kimlik_domain::lifecycle::reconcile::{Silent, Whom};
use kimlik_domain::lifecycle::run::Trigger;
use kimlik_domain::lifecycle::suspension::{Order, OrderKind};
use kimlik_domain::ports::{PeopleBy, PersonRecord, PortError, PortResult, Refusal};
use kimlik_domain::staff::submission::Submission;
use kimlik_domain::staff::{RegistryNo, UnitCode};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Decides; the store wakes those whose changes may now be carried out, this wakes the loop that looks for them.
pub async fn decide_hold(house: &House, hold: HoldId, decision: &HoldDecision) -> PortResult<Hold> {
    let now = house.clock.now();
    let decided = house.store.decide_hold(hold, decision, now).await?;
    if decision.approve {
        house.wake.notify_one();
    }
    Ok(decided)
}

/// The store has no question "which hold is this": holds are few.
pub async fn hold(house: &House, id: HoldId) -> PortResult<Hold> {
    let holds = house.store.holds(None, 10_000).await?;
    holds.into_iter().find(|h| h.id == id).ok_or_else(|| PortError::refused(Refusal::NotFound, format!("there is no hold {id}")))
}

pub async fn open_holds(house: &House) -> PortResult<Vec<Hold>> {
    house.store.holds(Some(HoldStatus::Open), 10_000).await
}

pub async fn person(house: &House, no: &RegistryNo) -> PortResult<PersonRecord> {
    let found = house.store.people(PeopleBy::RegistryNos(std::slice::from_ref(no))).await?;
    found.into_iter().next().ok_or_else(|| PortError::refused(Refusal::NotFound, format!("nobody has the registry number {no}")))
}

/// Whom a command is about: named people, a unit, else everybody.
pub async fn whom(house: &House, people: &[RegistryNo], unit: Option<UnitCode>) -> PortResult<Whom> {
    if let Some(unit) = unit {
        let known = house.store.units().await?.get(unit).is_some();
        let missing = || PortError::refused(Refusal::NotFound, format!("there is no unit {unit}"));
        return known.then_some(Whom::Unit(unit)).ok_or_else(missing);
    }
    if people.is_empty() {
        return Ok(Whom::Everybody);
    }
    let mut ids = Vec::with_capacity(people.len());
    for no in people {
        ids.push(person(house, no).await?.person.id);
    }
    Ok(Whom::People(ids))
}

/// A role that somebody is to have.
pub struct Wish {
    pub person: PersonId,
    pub role: Role,
    pub units: Vec<UnitCode>,
    /// `None`: now.
    pub from: Option<DateTime<Utc>>,
    pub until: DateTime<Utc>,
    pub reason: String,
}

/// Why a role was not granted.
#[derive(Debug)]
pub enum NotGranted {
    NoPerson,
    NoUnit(UnitCode),
    Faults(Vec<NotGrantable>),
}

pub async fn grant(house: &House, wish: Wish, by: &str) -> PortResult<Result<Grant, NotGranted>> {
    let now = house.clock.now();
    let grant = Grant {
        id: GrantId(new_id(house, now)),
        person: wish.person,
        role: wish.role,
        units: wish.units,
        from: wish.from.unwrap_or(now),
        until: wish.until,
        reason: wish.reason.trim().to_owned(),
        granted_by: by.to_owned(),
        granted_at: now,
        revoked_at: None,
        revoked_by: None,
    };
    let faults = grant.faults(now);
    if !faults.is_empty() {
        return Ok(Err(NotGranted::Faults(faults)));
    }
    if house.store.people(PeopleBy::Ids(&[grant.person])).await?.is_empty() {
        return Ok(Err(NotGranted::NoPerson));
    }
    let units = house.store.units().await?;
    if let Some(missing) = grant.units.iter().find(|code| units.get(**code).is_none()) {
        return Ok(Err(NotGranted::NoUnit(*missing)));
    }
    let event = AuditEvent {
        at: now,
        actor: by.to_owned(),
        deed: "role.grant".to_owned(),
        person: Some(grant.person),
        because: grant.reason.clone(),
        detail: json!({ "grant": grant.id.to_string(), "role": grant.role, "units": grant.units, "from": grant.from, "until": grant.until }),
    };
    house.door.grants.grant(&grant, &event).await?;
    Ok(Ok(grant))
}

pub async fn make_service(
    house: &House,
    name: &str,
    scopes: BTreeSet<Scope>,
    owner: &str,
    expires_at: DateTime<Utc>,
    by: &str,
) -> PortResult<Result<(Service, Secret), Vec<NotMakeable>>> {
    let now = house.clock.now();
    let service = Service {
        id: ServiceId(new_id(house, now)),
        name: name.to_owned(),
        scopes,
        owner: owner.trim().to_owned(),
        made_at: now,
        made_by: by.to_owned(),
        expires_at,
        revoked_at: None,
        last_used_at: None,
    };
    let faults = service.faults(now);
    if !faults.is_empty() {
        return Ok(Err(faults));
    }
    let secret = house.door.secret(service::KIND);
    let event = AuditEvent {
        at: now,
        actor: by.to_owned(),
        deed: "service.make".to_owned(),
        person: None,
        because: format!("service account {name}"),
        detail: json!({ "service": service.id.to_string(), "scopes": service.scopes, "until": expires_at }),
    };
    house.door.services.make_service(&service, &secret, &event).await?;
    Ok(Ok((service, secret)))
}

/// An order of now on one person's account.
pub fn order(house: &House, person: PersonId, kind: OrderKind, reason: &str, by: &str) -> Order {
    let at = house.clock.now();
    Order { id: new_id(house, at), person, kind, by: by.into(), reason: reason.into(), at }
}

pub fn order_event(order: &Order) -> AuditEvent {
    let deed = match order.kind {
        OrderKind::Suspend => "suspension.order",
        OrderKind::Reinstate => "suspension.lift",
    };
    AuditEvent {
        at: order.at,
        actor: order.by.to_string(),
        deed: deed.to_owned(),
        person: Some(order.person),
        because: order.reason.to_string(),
        detail: json!({}),
    }
}

/// As it stands in the audit.
pub fn rename_event(order: &Rename) -> AuditEvent {
    AuditEvent {
        at: order.by.at,
        actor: order.by.by.to_string(),
        deed: "account.rename.order".to_owned(),
        person: Some(order.person),
        because: order.by.reason.to_string(),
        detail: json!({ "username": order.username, "mail": order.mail }),
    }
}

/// As it stands in the audit.
pub fn adoption_event(order: &Adoption) -> AuditEvent {
    AuditEvent {
        at: order.ordered.at,
        actor: order.ordered.by.to_string(),
        deed: "account.adopt.order".to_owned(),
        person: Some(order.person),
        because: order.ordered.reason.to_string(),
        detail: json!({ "account": order.ordered.guid.to_string() }),
    }
}

/// As it stands in the audit.
pub fn adoption_withdrawn_event(person: PersonId, order: &AdoptionOrdered, reason: &str, by: &str, at: DateTime<Utc>) -> AuditEvent {
    AuditEvent {
        at,
        actor: by.to_owned(),
        deed: "account.adopt.withdraw".to_owned(),
        person: Some(person),
        because: reason.to_owned(),
        detail: json!({ "account": order.guid.to_string(), "orderedBy": order.by, "orderedAt": order.at }),
    }
}

/// How long whoever ordered something waits to hear that it is done.
const PATIENCE: Duration = Duration::from_secs(20);

/// Looks at one person now, beside whatever else is being worked off. What fails or takes longer is left to the queue, in which
/// the order has put the person.
pub async fn carry_out(house: &Arc<House>, person: PersonId) {
    let own = house.clone();
    // Why a task of its own: a client that hangs up must not stop it between two steps.
    let work = tokio::spawn(async move { own.reconciler().await?.sync(&Whom::People(vec![person]), Trigger::Command, &Silent).await });
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(Ok(Ok(_))) => {}
        Ok(Ok(Err(error))) => tracing::warn!(%error, "an order is left to the work queue"),
        Ok(Err(error)) => tracing::error!(%error, "carrying out an order broke off; it is left to the work queue"),
        Err(_) => tracing::warn!("an order takes long; the work queue looks after it"),
    }
    house.wake.notify_one();
}

/// Begins the run of what was handed in and taken in: whom it changed, before the work queue comes to them. Whatever becomes of it,
/// the queue knows them.
pub async fn work_off(house: &Arc<House>, submission: &Submission, people: Vec<PersonId>) {
    let Some(id) = submission.report.as_ref().and_then(|report| report.run) else { return };
    let begun = async { house.reconciler().await?.announce_run(id, Trigger::HrChange).await };
    let run = match begun.await {
        Ok(run) => run,
        Err(error) => return tracing::warn!(%error, "what was handed in is left to the work queue"),
    };
    let own = house.clone();
    tokio::spawn(async move {
        let done = async { own.reconciler().await?.work_off(run, &people, &Silent).await };
        if let Err(error) = done.await {
            tracing::warn!(%error, "what was handed in is left to the work queue");
        }
        own.wake.notify_one();
    });
}

pub fn new_id(house: &House, now: DateTime<Utc>) -> Uuid {
    let mut random = [0; 10];
    house.entropy.fill(&mut random);
    uuid_v7(now, random)
}
