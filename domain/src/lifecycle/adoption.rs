//! Adoption by order: whether this account may become that person's, and under which names.
use super::ActionKind;
use super::look::carries;
use super::reconcile::Reconciler;
use crate::account::adoption::NotAdoptable;
use crate::account::{Attribute, Dn, LedgerName, NameKind, ObservedAccount};
use crate::day;
use crate::id::AccountGuid;
use crate::ports::{FindBy, NameRequest, PeopleBy, PersonRecord, PortResult};
use crate::text;
use std::sync::Arc;

/// How somebody names an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountKey {
    Guid(AccountGuid),
    Dn(Dn),
}

/// An account without an address gets one of so many.
const ADDRESSES: usize = 32;

impl Reconciler {
    /// The account, if it may become this person's. Looked at in the directory now.
    pub async fn adoptable(&self, record: &PersonRecord, key: &AccountKey) -> PortResult<Result<ObservedAccount, NotAdoptable>> {
        if record.account.as_ref().is_some_and(|a| a.guid.is_some()) {
            return Ok(Err(NotAdoptable::HasAccount));
        }
        if record.unsettled.iter().any(|o| o.kind == ActionKind::Open) {
            return Ok(Err(NotAdoptable::UnderWay));
        }
        let found = match key {
            AccountKey::Guid(guid) => self.directory.observe(&[*guid]).await?,
            AccountKey::Dn(dn) => self.directory.find(&FindBy { distinguished_names: vec![dn.clone()], ..FindBy::default() }).await?,
        };
        // Why not told apart: what stands outside the base is nobody's of Kimlik's.
        let Some(found) = found.into_iter().find(|a| a.dn.is_within(&self.policy.base)) else { return Ok(Err(NotAdoptable::NotFound)) };
        if let Some(why) = &found.protected {
            return Ok(Err(NotAdoptable::Protected(why.clone())));
        }
        if !self.store.people(PeopleBy::Guids(&[found.guid])).await?.is_empty() {
            return Ok(Err(NotAdoptable::Owned));
        }
        let number = record.person.registry_no.as_str();
        if found.employee_id().is_some_and(|n| n != number) {
            return Ok(Err(NotAdoptable::OtherNumber));
        }
        Ok(Ok(found))
    }

    /// The names that come with it: its own and, where it has no address, one of the policy's that is nobody else's in the directory.
    pub async fn adopted_names(&self, record: &PersonRecord, found: &ObservedAccount) -> PortResult<NameRequest> {
        let person = &record.person;
        let addresses = match found.attributes.text(Attribute::Mail) {
            Some(mail) => vec![Arc::from(mail)],
            None => {
                let policy = &self.policy.names;
                let parts = policy.local_parts(&person.given_name, &person.family_name).take(ADDRESSES);
                let wanted: Vec<LedgerName> =
                    parts.map(|part| LedgerName { kind: NameKind::Address, value: policy.address(&part) }).collect();
                let taken = self.directory.names_taken(&wanted).await?;
                // Why not taken: whoever signs in by a name may have it for an address, unless mail to it goes to somebody else.
                let mut own: Vec<Arc<str>> = wanted.iter().map(|name| name.value.clone()).filter(|value| carries(found, value)).collect();
                let others = self.directory.addresses_of_others(found.guid, &own).await?;
                own.retain(|value| !others.contains(value));
                wanted.into_iter().filter(|name| own.contains(&name.value) || !taken.contains(name)).map(|name| name.value).collect()
            }
        };
        let named_for = text::fold(&person.full_name()).into();
        Ok(NameRequest {
            person: person.id,
            usernames: vec![found.username().into()],
            addresses,
            named_for,
            on: day::today(self.clock.now()),
            former_unused: false,
        })
    }
}
