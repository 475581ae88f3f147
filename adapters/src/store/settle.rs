//! Settling: what is known of people after their actions were carried out and observed, in one transaction.
use super::link::Link;
use super::operation::{self, Settled};
use super::vault::Vault;
use super::{account, audit, drift, ledger, message, person, session, work};
use kimlik_domain::access::session::{EndedBecause, SessionsOf};
use kimlik_domain::account::{Account, AccountState};
use kimlik_domain::id::PersonId;
use kimlik_domain::lifecycle::drift::DriftAfter;
use kimlik_domain::lifecycle::run::{OperationStatus, PersonSettlement};
use kimlik_domain::ports::PortResult;
use kimlik_domain::staff::RegistryNo;
use std::collections::{BTreeMap, HashMap, HashSet};

pub(super) async fn settle(link: &Link, vault: &Vault, mut settlements: Vec<PersonSettlement>) -> PortResult<()> {
    if settlements.is_empty() {
        return Ok(());
    }
    // Why sorted: replicas that settle at the same time take rows in the same order.
    settlements.sort_by_key(|s| s.person);
    let writing = link.write().await?;
    // Why in this order, here and everywhere (ledger, accounts, issues, work): else two transactions wait for each other.
    ledger::record(&writing, settlements.iter().filter_map(|s| s.account.as_ref())).await?;
    let held = account::held(&writing, &at_work(&settlements)).await?;
    // Why after the accounts are held: who settled these people before has committed by now.
    let ids = settlements.iter().flat_map(|s| &s.operations).map(|(id, ..)| id.0).collect();
    let operations = operation::of_ids(&writing, ids).await?;
    let overtaken = leave_to_others(&mut settlements, held, &operations);
    let accounts = settlements.iter().filter_map(|s| Some((s.account.as_ref()?, s.province)));
    let latest = settlements.iter().map(|s| s.at).max().unwrap_or_default();
    account::save(&writing, accounts, latest).await?;
    drift::settle(&writing, &settlements).await?;
    let mut settled = HashMap::new();
    for settlement in &settlements {
        for (id, status, receipt) in &settlement.operations {
            settled.insert(id.0, Settled { status: *status, receipt, mailbox_asked_for: settlement.mailbox_asked_for, at: settlement.at });
        }
    }
    operation::settle(&writing, operations, &settled).await?;
    let barred = |account: &Account| matches!(account.state, AccountState::Suspended | AccountState::Closed);
    for (person, at) in settlements.iter().filter(|s| s.account.as_ref().is_some_and(barred)).map(|s| (s.person, s.at)) {
        session::end(&writing, SessionsOf::Person(person), EndedBecause::AccountClosed, "kimlik", at).await?;
    }
    let messages = settlements.iter().filter_map(|s| Some((s.person, s.message.as_ref()?, s.at)));
    message::queue(&writing, vault, messages).await?;
    audit::record(&writing, settlements.iter().flat_map(|s| &s.audit)).await?;
    for (at, of_that_time) in by_time(&settlements) {
        let heads: Vec<RegistryNo> = of_that_time.iter().filter(|s| s.wake_reports).map(|s| s.registry_no.clone()).collect();
        if !heads.is_empty() {
            work::wake(&writing, person::reports_of(&writing.txn, &heads).await?, at).await?;
        }
    }
    work::wake(&writing, overtaken, latest).await?;
    writing.commit().await
}

fn at_work(settlements: &[PersonSettlement]) -> Vec<PersonId> {
    settlements.iter().filter(|s| s.account.is_some() || !s.operations.is_empty()).map(|s| s.person).collect()
}

/// Names, and the account that is to be adopted, are changed by whoever reserves or orders them, never by settling: what came
/// between the look and now must not be undone. Where more than that has changed, or an operation was settled already, somebody else
/// was at the same account: what the directory shows by now is neither's work alone. Answers those people: they are to be looked at
/// anew.
fn leave_to_others(
    settlements: &mut [PersonSettlement],
    mut held: HashMap<PersonId, Account>,
    operations: &[operation::Model],
) -> Vec<PersonId> {
    let settled_already: HashSet<PersonId> = operations.iter().filter(|o| o.settled_at.is_some()).map(|o| PersonId(o.person)).collect();
    let mut overtaken = Vec::new();
    for settlement in settlements.iter_mut() {
        let held = held.remove(&settlement.person);
        for made in [&mut settlement.account, &mut settlement.before].into_iter().flatten() {
            if let Some(held) = &held {
                (made.names, made.renamed) = (held.names.clone(), held.renamed.clone());
                if made.guid.is_none() {
                    made.adopt.clone_from(&held.adopt);
                }
            }
        }
        if settled_already.contains(&settlement.person) || settlement.account.is_some() && held != settlement.before {
            leave_in_doubt(settlement);
            overtaken.push(settlement.person);
        }
    }
    overtaken
}

fn leave_in_doubt(settlement: &mut PersonSettlement) {
    (settlement.account, settlement.message, settlement.wake_reports) = (None, None, false);
    settlement.drift = DriftAfter::default();
    settlement.audit.clear();
    settlement.operations.iter_mut().for_each(|(_, status, _)| *status = OperationStatus::InDoubt);
}

/// People of one run are mostly settled at one moment: wakings go by moment, not by person.
fn by_time(settlements: &[PersonSettlement]) -> BTreeMap<chrono::DateTime<chrono::Utc>, Vec<&PersonSettlement>> {
    let mut times: BTreeMap<_, Vec<&PersonSettlement>> = BTreeMap::new();
    for settlement in settlements {
        times.entry(settlement.at).or_default().push(settlement);
    }
    times
}
