//! Names by order, and the names that somebody would get: what of them is free in the directory. Whether the ledger has given them
//! to anybody is asked where they are reserved.
use super::look::{NAME_ROUNDS, carries};
use super::reconcile::Reconciler;
use crate::account::rename::Rename;
use crate::account::{Account, LedgerName, NameKind, Names};
use crate::day;
use crate::id::PersonId;
use crate::ports::{NameRequest, PortResult};
use std::collections::HashSet;
use std::sync::Arc;

impl Reconciler {
    /// Of what is ordered: is the user name, is the address another object's in the directory?
    pub async fn taken_by_others(&self, account: &Account, order: &Rename) -> PortResult<(bool, bool)> {
        let own = match account.guid {
            Some(guid) => self.directory.observe(&[guid]).await?,
            None => Vec::new(),
        };
        let username = match &order.username {
            Some(value) if !own.iter().any(|seen| carries(seen, value)) => {
                let name = LedgerName { kind: NameKind::Username, value: value.clone() };
                !self.directory.names_taken(&[name]).await?.is_empty()
            }
            _ => false,
        };
        let mail = match (&order.mail, account.guid) {
            (Some(mail), Some(guid)) => !self.directory.addresses_of_others(guid, std::slice::from_ref(mail)).await?.is_empty(),
            _ => false,
        };
        Ok((username, mail))
    }

    /// The names that a newcomer of this name would get now. Reserves nothing. `None`: none can be made of it, or all are taken.
    pub async fn propose_names(&self, given: &str, family: &str) -> PortResult<Option<Names>> {
        let policy = &self.policy.names;
        for round in 0..NAME_ROUNDS {
            let usernames: Vec<Arc<str>> = policy.usernames(given, family).take(1 << round).map(Arc::from).collect();
            let addresses: Vec<Arc<str>> = policy.local_parts(given, family).take(1 << round).map(|p| policy.address(&p)).collect();
            let name = |kind| move |value: &Arc<str>| LedgerName { kind, value: value.clone() };
            let all: Vec<LedgerName> =
                usernames.iter().map(name(NameKind::Username)).chain(addresses.iter().map(name(NameKind::Address))).collect();
            let taken: HashSet<LedgerName> = self.directory.names_taken(&all).await?;
            let free = |values: Vec<Arc<str>>, kind| -> Vec<Arc<str>> {
                values.into_iter().filter(|value| !taken.contains(&name(kind)(value))).collect()
            };
            let request = NameRequest {
                // Why nobody's: whoever it is for is not known yet.
                person: PersonId(uuid::Uuid::nil()),
                usernames: free(usernames, NameKind::Username),
                addresses: free(addresses, NameKind::Address),
                named_for: "".into(),
                on: day::today(self.clock.now()),
                former_unused: false,
            };
            if request.usernames.is_empty() || request.addresses.is_empty() {
                continue;
            }
            if let Some(Some(names)) = self.store.reserve(&[request], false).await?.into_iter().next() {
                return Ok(Some(names));
            }
        }
        Ok(None)
    }
}
