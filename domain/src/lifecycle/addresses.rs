//! Addresses that two accounts carry: the directory refuses none, and mail to such an address goes astray.
use super::desired::{Facts, issue};
use crate::account::{Attribute, ObservedAccount, Value};
use crate::id::AccountGuid;
use crate::ports::PersonRecord;
use crate::staff::{DataIssue, IssueKind};
use crate::text;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

/// All addresses of an account, folded.
pub fn of_account(account: &ObservedAccount) -> BTreeSet<String> {
    let proxies = match account.attributes.get(Attribute::ProxyAddresses) {
        Some(Value::List(proxies)) => &proxies[..],
        _ => &[],
    };
    let proxies = proxies.iter().filter_map(|p| p.split_once(':')).map(|(_, address)| address);
    account.attributes.text(Attribute::Mail).into_iter().chain(proxies).map(text::fold).collect()
}

/// Whose addresses were met in a scan. Why digests: those of a whole ministry fit into a few megabytes.
#[derive(Default)]
pub struct Met {
    accounts: Vec<AccountGuid>,
    addresses: Vec<(u64, u32)>,
}

impl Met {
    pub fn add(&mut self, account: &ObservedAccount) {
        let Ok(index) = u32::try_from(self.accounts.len()) else { return };
        self.accounts.push(account.guid);
        self.addresses.extend(of_account(account).iter().map(|address| {
            let mut hasher = DefaultHasher::new();
            address.hash(&mut hasher);
            (hasher.finish(), index)
        }));
    }

    /// Accounts of which two carry one address, to be looked at more closely.
    pub fn suspects(mut self) -> Vec<AccountGuid> {
        self.addresses.sort_unstable();
        let pairs = self.addresses.windows(2).filter_map(|pair| match pair {
            [(a, first), (b, second)] if a == b => Some([*first, *second]),
            _ => None,
        });
        let suspects: BTreeSet<u32> = pairs.flatten().collect();
        suspects.into_iter().filter_map(|index| self.accounts.get(index as usize).copied()).collect()
    }
}

/// One issue an address for each person whose account is among those that carry it.
pub fn duplicates(accounts: &[ObservedAccount], owners: &HashMap<AccountGuid, PersonRecord>, facts: &Facts<'_>) -> Vec<DataIssue> {
    let mut holders: BTreeMap<String, Vec<&ObservedAccount>> = BTreeMap::new();
    for account in accounts {
        of_account(account).into_iter().for_each(|address| holders.entry(address).or_default().push(account));
    }
    let mut found = Vec::new();
    for (address, holders) in holders.iter().filter(|(_, holders)| holders.len() > 1) {
        for holder in holders {
            let Some(record) = owners.get(&holder.guid) else { continue };
            let others: Vec<&str> = holders.iter().filter(|o| o.guid != holder.guid).map(|o| o.dn.as_str()).collect();
            let message = format!("{address} is carried by another account, too: {}; take it away from one of them", others.join("; "));
            // Why nobody's unit: addresses are given by those who administer the directory, not by HR.
            let about = issue(IssueKind::DuplicateAddress, &record.person, facts, message);
            found.push(DataIssue { personnel_unit: None, field: Some(address.clone()), ..about });
        }
    }
    found
}
