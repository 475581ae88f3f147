//! One card beside its account as it is now: the directory is asked when somebody asks, so that a change made by hand a minute ago is
//! told before it is put right.
use super::address_book::is_shown;
use super::drift::CardDrift;
use super::provenance::{self, CardField, Known};
use crate::account::ObservedAccount;
use crate::day;
use crate::id::{AccountGuid, PersonId};
use crate::lifecycle::desired::{Facts, manager_of};
use crate::lifecycle::difference;
use crate::lifecycle::hold::HeldChange;
use crate::lifecycle::reconcile::Reconciler;
use crate::ports::{CardTruth, FindBy, PeopleBy, PersonRecord, PortResult};
use crate::staff::Units;
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};

/// What is true of one card.
#[derive(Clone, Debug)]
pub struct Truth {
    pub record: PersonRecord,
    /// `None`: there is no account that Kimlik knows or would take over.
    pub seen: Option<ObservedAccount>,
    pub fields: Vec<CardField>,
    /// When Kimlik last wrote something that the address book shows.
    pub written_at: Option<DateTime<Utc>>,
    /// As the last look found it.
    pub drift: Option<CardDrift>,
    /// What an administrator has to let go ahead.
    pub held: Vec<HeldChange>,
}

/// `None`: there is no such person. Reads, and writes nothing. `Unavailable`: the directory does not answer.
pub async fn truth(of: &Reconciler, ledger: &dyn CardTruth, units: &Units, person: PersonId) -> PortResult<Option<Truth>> {
    let Some(record) = of.store.people(PeopleBy::Ids(&[person])).await?.into_iter().next() else { return Ok(None) };
    let today = day::today(of.clock.now());
    let seen = seen(of, &record).await?;
    let drift = ledger.card_drift_of(person).await?;
    let held = ledger.held_changes(person).await?;
    let wanted: Vec<_> = manager_of(&record.person, units, today).cloned().into_iter().collect();
    let managers: HashMap<_, AccountGuid> = if wanted.is_empty() { HashMap::new() } else { of.store.accounts_of(&wanted).await? };
    // Why none: places are no part of a card.
    let containers = HashSet::new();
    let facts = Facts { policy: &of.policy, units, today, containers: &containers, managers: &managers };
    let is_linked = record.account.as_ref().is_some_and(|a| a.guid.is_some());
    let (mut fields, mut written_at) = (Vec::new(), None);
    if let Some(seen) = &seen {
        let written = ledger.last_written(person).await?;
        written_at = written.iter().filter(|(attribute, _)| is_shown(**attribute)).map(|(_, at)| *at).max();
        fields = provenance::provenance(&record, &Known { seen, drift: drift.as_ref(), written: &written }, &facts);
    } else if !is_linked {
        fields = provenance::to_come(&record, !held.is_empty(), &facts);
    }
    Ok(Some(Truth { record, seen, fields, written_at, drift, held }))
}

/// The person's account; where none is linked yet, the one that would be taken over.
async fn seen(of: &Reconciler, record: &PersonRecord) -> PortResult<Option<ObservedAccount>> {
    if let Some(guid) = record.account.as_ref().and_then(|a| a.guid) {
        return Ok(of.directory.observe(&[guid]).await?.into_iter().next());
    }
    if record.account.is_none() {
        return Ok(None);
    }
    let number = record.person.registry_no.shared();
    let by = FindBy { employee_ids: vec![number.clone()], correlations: vec![number], ..FindBy::default() };
    let mut own: Vec<ObservedAccount> = of.directory.find(&by).await?;
    own.retain(|account| difference::recognises(record, account).is_some());
    // Why one only: of two nobody knows which is the person's.
    Ok(if own.len() == 1 { own.pop() } else { None })
}
