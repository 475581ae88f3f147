//! What the command line and GraphQL both do, in the same way.
use crate::wiring::House;
use kimlik_domain::id::HoldId;
use kimlik_domain::lifecycle::hold::{Hold, HoldDecision, HoldStatus};
use kimlik_domain::lifecycle::reconcile::Whom;
use kimlik_domain::ports::{PeopleBy, PersonRecord, PortError, PortResult, Refusal};
use kimlik_domain::staff::{RegistryNo, UnitCode};

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
