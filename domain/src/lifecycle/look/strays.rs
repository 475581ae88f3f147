//! Accounts under the base that nobody owns, by what they could be recognised by.
use super::Look;
use crate::account::ObservedAccount;
use crate::id::AccountGuid;
use crate::ports::{FindBy, PersonRecord, PortResult};
use crate::text;
use std::collections::HashMap;
use std::sync::Arc;

impl Look<'_> {
    /// Accounts of nobody that might belong to these people.
    pub(super) async fn strays_for(&self, people: &[PersonRecord]) -> PortResult<Strays> {
        let due = people.iter().filter(|r| self.may_open(r) || r.account.is_some());
        let numbers: Vec<Arc<str>> = due.clone().map(|r| r.person.registry_no.shared()).collect();
        let by = FindBy {
            employee_ids: numbers.clone(),
            correlations: if self.of.policy.correlation { numbers } else { Vec::new() },
            display_names: due.map(|r| r.person.full_name().into()).collect(),
            ..FindBy::default()
        };
        if by.employee_ids.is_empty() {
            return Ok(Strays::new(Vec::new()));
        }
        let mut found = self.of.directory.find(&by).await?;
        let ordered: Vec<AccountGuid> = people.iter().filter_map(ordered).filter(|guid| found.iter().all(|a| a.guid != *guid)).collect();
        if !ordered.is_empty() {
            let named = self.of.directory.observe(&ordered).await?;
            found.extend(named.into_iter().filter(|a| a.dn.is_within(&self.of.policy.base)));
        }
        let (owners, mut accounts) = self.owners(found).await?;
        for owner in owners {
            if let Some(guid) = owner.account.and_then(|a| a.guid) {
                accounts.remove(&guid);
            }
        }
        Ok(Strays::new(accounts.into_values().collect()))
    }
}

/// The account that somebody has ordered to become this person's.
fn ordered(record: &PersonRecord) -> Option<AccountGuid> {
    record.account.as_ref().and_then(|a| a.adopt.as_ref()).map(|order| order.guid)
}

/// Accounts under the base that nobody owns, by what they could be recognised by.
pub(super) struct Strays {
    accounts: Vec<ObservedAccount>,
    by_number: HashMap<Arc<str>, Vec<usize>>,
    by_name: HashMap<String, Vec<usize>>,
}

impl Strays {
    pub(super) fn new(accounts: Vec<ObservedAccount>) -> Strays {
        let mut by_number: HashMap<Arc<str>, Vec<usize>> = HashMap::new();
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (i, account) in accounts.iter().enumerate() {
            let numbers = account.employee_id().map(Arc::from).into_iter().chain(account.correlation.clone());
            for number in numbers {
                let found = by_number.entry(number).or_default();
                if found.last() != Some(&i) {
                    found.push(i);
                }
            }
            let shown = account.attributes.text(crate::account::Attribute::DisplayName).map_or_else(|| account.dn.name(), str::to_owned);
            by_name.entry(text::fold(&shown)).or_default().push(i);
        }
        Strays { accounts, by_number, by_name }
    }

    /// The one that was ordered; else those recognised by number; where there is none, namesakes without a number of their own.
    pub(super) fn of(&self, record: &PersonRecord) -> Vec<ObservedAccount> {
        if let Some(guid) = ordered(record) {
            return self.accounts.iter().filter(|a| a.guid == guid).cloned().collect();
        }
        let numbered = self.by_number.get(record.person.registry_no.as_str());
        let namesakes = || self.by_name.get(&text::fold(&record.person.full_name()));
        let found = numbered.or_else(namesakes).map(Vec::as_slice).unwrap_or_default();
        let own_number = |a: &ObservedAccount| numbered.is_some() || a.employee_id().is_none();
        found.iter().map(|i| &self.accounts[*i]).filter(|a| own_number(a)).cloned().collect()
    }
}
