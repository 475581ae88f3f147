//! Names: free in the directory, reserved in the ledger, before their bearer is told.
use super::Look;
use crate::account::{Account, Applied, Attribute, LedgerName, NameKind, ObservedAccount, Value};
use crate::id::PersonId;
use crate::lifecycle::desired::{self, Standing};
use crate::lifecycle::difference;
use crate::ports::{NameRequest, PersonRecord, PortResult};
use crate::text;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Names asked for in the first look-up for one person; each further one asks for twice as many. Why few: most people get the
/// first, and a controller looks up every one of them.
const NAMES_AT_FIRST: usize = 1;
/// Look-ups for one person before it is an issue: 256 names were taken by then.
pub(in crate::lifecycle) const NAME_ROUNDS: usize = 9;

impl Look<'_> {
    /// A new name asks for a new address (and, where the policy says so, a new user name), before its bearer is told.
    pub(super) async fn rename(&mut self, people: &mut [(PersonRecord, Option<ObservedAccount>)]) -> PortResult<()> {
        let lost = self.lost_addresses(people).await?;
        let mut due: Vec<(&mut PersonRecord, Wish)> = Vec::new();
        for (record, seen) in people.iter_mut() {
            let lost: HashSet<Arc<str>> = lost.get(&record.person.id).cloned().unwrap_or_default();
            if let Some(account) = &mut record.account {
                account.names.aliases.retain(|alias| !lost.contains(alias));
                account.names.forget_terms();
            }
            let Some(account) = &record.account else { continue };
            let former_unused = seen.as_ref().is_some_and(|seen| never_carried(account, seen));
            if lost.contains(&account.names.mail) {
                due.push((record, Wish { username: false, existing: None, lost, former_unused }));
                continue;
            }
            let in_use = account.state != crate::account::AccountState::Closed || self.may_open(record);
            if in_use && account.names.named_for.as_ref() != text::fold(&record.person.full_name()) {
                let rename_username = self.of.policy.names.rename_username;
                due.push((record, Wish { username: rename_username, existing: None, lost, former_unused }));
            }
        }
        self.reserve(due).await
    }

    /// Of people who return, the addresses that somebody else carries by now: barred for ever, since mail to them is the other's.
    async fn lost_addresses(
        &mut self,
        people: &[(PersonRecord, Option<ObservedAccount>)],
    ) -> PortResult<HashMap<PersonId, HashSet<Arc<str>>>> {
        let mut lost: HashMap<PersonId, HashSet<Arc<str>>> = HashMap::new();
        for (record, seen) in people {
            let (Some(account), Some(seen)) = (&record.account, seen) else { continue };
            if account.state != crate::account::AccountState::Closed || !self.may_open(record) {
                continue;
            }
            let all: Vec<Arc<str>> = account.names.aliases.iter().chain([&account.names.mail]).cloned().collect();
            let taken = self.of.directory.addresses_of_others(seen.guid, &all).await?;
            for value in taken.iter().filter(|_| self.commit) {
                let name = LedgerName { kind: NameKind::Address, value: value.clone() };
                self.of.store.bar_name(record.person.id, &name).await?;
            }
            if !taken.is_empty() {
                lost.insert(record.person.id, taken);
            }
        }
        Ok(lost)
    }

    pub(super) async fn name(&mut self, people: &mut [PersonRecord], candidates: &[Vec<ObservedAccount>]) -> PortResult<()> {
        let mut due = Vec::new();
        for (record, candidates) in people.iter_mut().zip(candidates) {
            let existing = candidates.iter().find(|c| difference::recognises(record, c).is_some()).cloned();
            let opens = matches!(
                desired::standing(&record.person, &self.of.policy.reasons, self.today),
                Standing::Coming | Standing::InService | Standing::Away(_)
            );
            // Why also with names: an account that turns up later keeps its own, not the ones that were reserved for a new one.
            let other = |a: &Account| existing.as_ref().is_some_and(|e| !e.username().eq_ignore_ascii_case(&a.names.username));
            let due_now = record.account.as_ref().map_or(opens || existing.is_some(), other);
            if due_now {
                let former = record.account.as_ref().map(|a| &a.names.mail).zip(existing.as_ref());
                let former_unused = former.is_some_and(|(mail, existing)| !carries(existing, mail));
                due.push((record, Wish { username: true, existing, lost: HashSet::new(), former_unused }));
            }
        }
        self.reserve(due).await
    }

    /// Finds names that are free in the directory, reserves the best in the ledger, and puts them into the records.
    async fn reserve(&self, mut due: Vec<(&mut PersonRecord, Wish)>) -> PortResult<()> {
        for round in 0..NAME_ROUNDS {
            if due.is_empty() {
                return Ok(());
            }
            let mut requests: Vec<NameRequest> = due.iter().map(|(r, wish)| self.request(r, wish, round)).collect();
            let asked: Vec<(bool, bool)> = requests.iter().map(|r| (!r.usernames.is_empty(), !r.addresses.is_empty())).collect();
            self.leave_out_taken(&mut requests, &due).await?;
            let (mut still, mut ready, mut kept) = (Vec::new(), Vec::new(), Vec::new());
            for ((request, asked), person) in requests.into_iter().zip(asked).zip(due) {
                // Why not asked without: the ledger would take it for "keeps what it has".
                if asked.0 && request.usernames.is_empty() || asked.1 && request.addresses.is_empty() {
                    still.push(person);
                } else {
                    kept.push(request);
                    ready.push(person);
                }
            }
            let given = self.of.store.reserve(&kept, self.commit).await?;
            for ((record, wish), names) in ready.into_iter().zip(given) {
                match (names, &mut record.account) {
                    // Why without aliases: as where the order is written down.
                    (Some(names), Some(account)) if account.adopt.is_some() => account.names = names.without_aliases(),
                    (Some(names), Some(account)) => account.names = names,
                    (Some(names), empty) => *empty = Some(Account::new(record.person.id, names)),
                    (None, _) => still.push((record, wish)),
                }
            }
            due = still;
        }
        Ok(())
    }

    fn request(&self, record: &PersonRecord, wish: &Wish, round: usize) -> NameRequest {
        let (policy, person) = (&self.of.policy.names, &record.person);
        // Why from the first again: who has found a user name in one round and an address in another gets the best of both.
        let upto = NAMES_AT_FIRST << round;
        let mut usernames: Vec<Arc<str>> = Vec::new();
        let mut addresses: Vec<Arc<str>> = Vec::new();
        if let Some(existing) = &wish.existing {
            usernames.push(existing.username().into());
            addresses.extend(existing.attributes.text(Attribute::Mail).filter(|_| round == 0).map(Arc::from));
        } else if wish.username {
            usernames.extend(policy.usernames(&person.given_name, &person.family_name).take(upto).map(Arc::from));
        }
        if addresses.is_empty() {
            addresses.extend(policy.local_parts(&person.given_name, &person.family_name).take(upto).map(|p| policy.address(&p)));
        }
        let named_for = text::fold(&person.full_name()).into();
        NameRequest { person: person.id, usernames, addresses, named_for, on: self.today, former_unused: wish.former_unused }
    }

    async fn leave_out_taken(&self, requests: &mut [NameRequest], due: &[(&mut PersonRecord, Wish)]) -> PortResult<()> {
        let name = |kind, value: &Arc<str>| LedgerName { kind, value: value.clone() };
        let mut all: HashSet<LedgerName> = HashSet::new();
        for request in requests.iter() {
            all.extend(request.usernames.iter().map(|n| name(NameKind::Username, n)));
            all.extend(request.addresses.iter().map(|n| name(NameKind::Address, n)));
        }
        let all: Vec<LedgerName> = all.into_iter().collect();
        let taken = self.of.directory.names_taken(&all).await?;
        for (request, (record, wish)) in requests.iter_mut().zip(due) {
            // Why its own are free: the ledger gave them to this person before; the account may carry them already.
            let own = |value: &Arc<str>| {
                if wish.lost.contains(value) {
                    return false;
                }
                let names = record.account.as_ref().map(|a| &a.names);
                let signs_in = |username: &str| value.split_once('@') == Some((username, self.of.policy.upn_suffix.as_str()));
                names.is_some_and(|n| n.username == *value || n.mail == *value || n.aliases.contains(value) || signs_in(&n.username))
                    || wish.existing.as_ref().is_some_and(|e| carries(e, value))
            };
            request.usernames.retain(|n| own(n) || !taken.contains(&name(NameKind::Username, n)));
            request.addresses.retain(|n| own(n) || !taken.contains(&name(NameKind::Address, n)));
        }
        Ok(())
    }
}

/// Is the name or the address this account's?
pub(in crate::lifecycle) fn carries(account: &ObservedAccount, value: &str) -> bool {
    let same = |held: &str| text::fold(held) == text::fold(value);
    let proxies = match account.attributes.get(Attribute::ProxyAddresses) {
        Some(Value::List(proxies)) => &proxies[..],
        _ => &[],
    };
    same(account.username())
        || account.attributes.text(Attribute::UserPrincipalName).is_some_and(same)
        || account.attributes.text(Attribute::Mail).is_some_and(same)
        || proxies.iter().any(|p| p.split_once(':').is_some_and(|(_, address)| same(address)))
}

/// The primary address of the ledger is neither on the account nor was it written there: it waited for a decision until HR took it back.
fn never_carried(account: &Account, seen: &ObservedAccount) -> bool {
    let mail = account.names.mail.as_ref();
    let written = |applied: &Applied| applied.attributes.text(Attribute::Mail).is_some_and(|held| text::fold(held) == text::fold(mail));
    !carries(seen, mail) && account.applied.as_ref().is_some_and(|applied| !written(applied))
}

struct Wish {
    username: bool,
    /// The account that will be taken over: it keeps its names.
    existing: Option<ObservedAccount>,
    /// Addresses that were this person's and are somebody else's in the directory by now.
    lost: HashSet<Arc<str>>,
    /// The address until now was reserved and never written.
    former_unused: bool,
}
