//! Settling: what is known of people after their actions were carried out and observed, in one transaction.
use super::link::{Link, Writing};
use super::operation::{self, Settled};
use super::vault::Vault;
use super::{account, audit, drift, ledger, message, person, session, work};
use kimlik_domain::access::session::{EndedBecause, SessionsOf};
use kimlik_domain::account::{Account, AccountState};
use kimlik_domain::lifecycle::run::PersonSettlement;
use kimlik_domain::ports::PortResult;
use kimlik_domain::staff::RegistryNo;
use std::collections::{BTreeMap, HashMap};

pub(super) async fn settle(link: &Link, vault: &Vault, mut settlements: Vec<PersonSettlement>) -> PortResult<()> {
    if settlements.is_empty() {
        return Ok(());
    }
    // Why sorted: replicas that settle at the same time take rows in the same order.
    settlements.sort_by_key(|s| s.person);
    let writing = link.write().await?;
    // Why in this order, here and everywhere (ledger, accounts, issues, work): else two transactions wait for each other.
    ledger::record(&writing, settlements.iter().filter_map(|s| s.account.as_ref())).await?;
    keep_names(&writing, &mut settlements).await?;
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
    operation::settle(&writing, &settled).await?;
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
    writing.commit().await
}

/// Names, and the account that is to be adopted, are changed by whoever reserves or orders them, never by settling: what came between the look and now must not be undone.
async fn keep_names(writing: &Writing, settlements: &mut [PersonSettlement]) -> PortResult<()> {
    let people: Vec<_> = settlements.iter().filter(|s| s.account.is_some()).map(|s| s.person).collect();
    let mut held = account::held(writing, &people).await?;
    for account in settlements.iter_mut().filter_map(|s| s.account.as_mut()) {
        if let Some(held) = held.remove(&account.person) {
            (account.names, account.renamed) = (held.names, held.renamed);
            if account.guid.is_none() {
                account.adopt = held.adopt;
            }
        }
    }
    Ok(())
}

/// People of one run are mostly settled at one moment: wakings go by moment, not by person.
fn by_time(settlements: &[PersonSettlement]) -> BTreeMap<chrono::DateTime<chrono::Utc>, Vec<&PersonSettlement>> {
    let mut times: BTreeMap<_, Vec<&PersonSettlement>> = BTreeMap::new();
    for settlement in settlements {
        times.entry(settlement.at).or_default().push(settlement);
    }
    times
}
