//! The ledger of names ever given: (kind, folded) is unique for ever. Reserving is serialised, so each request sees the
//! ones before it, on whichever replica they were made.
use super::fault::{failed, without_nul, word};
use super::link::{CHUNK, Link, Writing, keep, upsert};
use super::vault::Vault;
use super::{account, announcement, audit, idempotency, operation, work};
use chrono::{DateTime, TimeDelta};
use kimlik_domain::access::idempotency::{ClientKey, KeyState};
use kimlik_domain::account::adoption::{Adopted, Adoption, Withdrawn};
use kimlik_domain::account::rename::{Rename, Renamed};
use kimlik_domain::account::{Account, AccountState, LedgerName, NameKind, Names};
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::day;
use kimlik_domain::id::PersonId;
use kimlik_domain::lifecycle::ActionKind;
use kimlik_domain::ports::{NameRequest, PortResult};
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel, QuerySelect};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_name")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub folded: String,
    pub value: String,
    /// Whose it is; nobody's: barred.
    pub person: Option<Uuid>,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

fn row(name: &LedgerName, person: Option<PersonId>) -> PortResult<Model> {
    let folded = without_nul(&name.folded());
    Ok(Model { kind: word(&name.kind)?, folded, value: without_nul(&name.value), person: person.map(|p| p.0) })
}

fn name(kind: NameKind, value: &Arc<str>) -> LedgerName {
    LedgerName { kind, value: value.clone() }
}

type Key = (NameKind, String);

/// Names that are given, as far as the requests ask for them, and what is added to them.
struct Ledger {
    owners: HashMap<Key, Option<PersonId>>,
    given: Vec<(LedgerName, PersonId)>,
}

impl Ledger {
    /// With the addresses that `accounts` have now: one that was barred meanwhile must not become an alias.
    async fn read(db: &impl ConnectionTrait, requests: &[NameRequest], accounts: &HashMap<PersonId, Account>) -> PortResult<Ledger> {
        let mut owners = HashMap::new();
        for kind in [NameKind::Username, NameKind::Address] {
            let asked = requests.iter().flat_map(|r| if kind == NameKind::Username { &r.usernames } else { &r.addresses });
            let held = accounts.values().map(|a| &a.names.mail).filter(|_| kind == NameKind::Address);
            let wanted: BTreeSet<String> = asked.chain(held).map(|value| without_nul(&name(kind, value).folded())).collect();
            let wanted: Vec<String> = wanted.into_iter().collect();
            for folded in wanted.chunks(CHUNK) {
                let rows: Vec<(String, Option<Uuid>)> = Entity::find()
                    .select_only()
                    .columns([Column::Folded, Column::Person])
                    .filter(Column::Kind.eq(word(&kind)?))
                    .filter(Column::Folded.is_in(folded.iter().map(String::as_str)))
                    .into_tuple()
                    .all(db)
                    .await
                    .map_err(failed("reading the ledger of names"))?;
                owners.extend(rows.into_iter().map(|(folded, person)| ((kind, folded), person.map(PersonId))));
            }
        }
        Ok(Ledger { owners, given: Vec::new() })
    }

    /// The first that is nobody's or the person's own.
    fn first_free(&self, kind: NameKind, candidates: &[Arc<str>], person: PersonId) -> Option<Arc<str>> {
        candidates.iter().find(|value| self.is_free(&name(kind, value), person)).cloned()
    }

    fn is_free(&self, wanted: &LedgerName, person: PersonId) -> bool {
        self.owners.get(&(wanted.kind, without_nul(&wanted.folded()))).is_none_or(|owner| *owner == Some(person))
    }

    fn give(&mut self, given: LedgerName, person: PersonId) {
        if self.owners.insert((given.kind, without_nul(&given.folded())), Some(person)).is_none() {
            self.given.push((given, person));
        }
    }

    async fn save_given(&self, writing: &Writing) -> PortResult<()> {
        let rows = self.given.iter().map(|(name, person)| Ok(row(name, Some(*person))?.into_active_model())).collect::<PortResult<_>>()?;
        writing.insert("reserving names", rows, None).await
    }

    fn fulfil(&mut self, request: &NameRequest, account: Option<&Account>) -> Option<Names> {
        let person = request.person;
        let Some(account) = account else {
            let username = self.first_free(NameKind::Username, &request.usernames, person)?;
            let mail = self.first_free(NameKind::Address, &request.addresses, person)?;
            self.give(name(NameKind::Username, &username), person);
            self.give(name(NameKind::Address, &mail), person);
            let (aliases, aliases_since) = (Vec::new(), BTreeMap::new());
            return Some(Names { username, mail, aliases, aliases_since, named_for: request.named_for.clone() });
        };
        let mut names = account.names.clone();
        names.named_for = request.named_for.clone();
        if !request.usernames.is_empty() {
            names.username = self.first_free(NameKind::Username, &request.usernames, person)?;
            self.give(name(NameKind::Username, &names.username), person);
        }
        if request.addresses.is_empty() {
            return Some(names);
        }
        let mail = self.first_free(NameKind::Address, &request.addresses, person)?;
        self.give(name(NameKind::Address, &mail), person);
        if mail != names.mail {
            let keeps_former = !request.former_unused && self.is_free(&name(NameKind::Address, &names.mail), person);
            names.readdress(mail, request.on, keeps_former);
        }
        Some(names)
    }
}

pub(super) async fn reserve(link: &Link, requests: &[NameRequest], commit: bool) -> PortResult<Vec<Option<Names>>> {
    if requests.is_empty() {
        return Ok(Vec::new());
    }
    if !commit {
        return Ok(propose(&link.db, requests).await?.0);
    }
    let writing = link.write().await?;
    writing.lock(&["ledger"]).await?;
    let (answers, ledger, changed) = propose(&writing.txn, requests).await?;
    if ledger.given.is_empty() && changed.is_empty() {
        return Ok(answers);
    }
    ledger.save_given(&writing).await?;
    account::save_names(&writing, changed.values()).await?;
    // Due at once, and by chance at no other note's time: this one is not to be taken for one that is being seen to.
    let at_once = || DateTime::UNIX_EPOCH + TimeDelta::microseconds(rand::random::<u32>().into());
    for told in changed.values().filter(|account| account.announced_opening > 0) {
        announcement::renumber(&writing, told.person, at_once()).await?;
    }
    writing.commit().await?;
    Ok(answers)
}

type Proposal = (Vec<Option<Names>>, Ledger, BTreeMap<PersonId, Account>);

/// The answers, what they add to the ledger, and the accounts whose names change.
async fn propose(db: &impl ConnectionTrait, requests: &[NameRequest]) -> PortResult<Proposal> {
    let people: BTreeSet<PersonId> = requests.iter().map(|r| r.person).collect();
    let people: Vec<PersonId> = people.into_iter().collect();
    let mut accounts = account::of(db, &people).await?;
    let mut ledger = Ledger::read(db, requests, &accounts).await?;
    let mut changed = BTreeMap::new();
    let answers = requests
        .iter()
        .map(|request| {
            let names = ledger.fulfil(request, accounts.get(&request.person))?;
            let known = accounts.entry(request.person).or_insert_with(|| {
                let account = Account::new(request.person, names.clone());
                changed.insert(request.person, account.clone());
                account
            });
            if known.names != names {
                known.names = names.clone();
                known.renamed = None;
                changed.insert(request.person, known.clone());
            }
            Some(names)
        })
        .collect();
    Ok((answers, ledger, changed))
}

/// By order: what is asked for, or nothing.
pub(super) async fn rename(
    link: &Link,
    vault: &Vault,
    order: &Rename,
    event: &AuditEvent,
    key: Option<(&ClientKey, &str)>,
) -> PortResult<Renamed> {
    let (writing, at) = (link.write().await?, order.by.at);
    if let Some((key, _)) = key {
        match idempotency::begin(&writing, vault, key, at).await? {
            KeyState::New => {}
            KeyState::Answered(answer) => return Ok(Renamed::Answered(answer)),
            KeyState::Reused => return Ok(Renamed::KeyReused),
        }
    }
    writing.lock(&["ledger"]).await?;
    let accounts = account::of(&writing.txn, &[order.person]).await?;
    let open = |a: &&Account| a.guid.is_some() && a.state != AccountState::Closed;
    let Some(held) = accounts.get(&order.person).filter(open) else { return Ok(Renamed::NoAccount) };
    let request = NameRequest {
        person: order.person,
        usernames: order.username.iter().cloned().collect(),
        addresses: order.mail.iter().cloned().collect(),
        named_for: order.named_for.clone(),
        on: day::today(at),
        former_unused: false,
    };
    let mut ledger = Ledger::read(&writing.txn, std::slice::from_ref(&request), &accounts).await?;
    let is_taken = |kind, value: &Option<Arc<str>>| value.as_ref().is_some_and(|v| !ledger.is_free(&name(kind, v), order.person));
    let (username, mail) = (is_taken(NameKind::Username, &order.username), is_taken(NameKind::Address, &order.mail));
    if username || mail {
        return Ok(Renamed::Taken { username, mail });
    }
    let Some(names) = ledger.fulfil(&request, Some(held)) else { return Ok(Renamed::Taken { username: true, mail: true }) };
    if (&names.username, &names.mail) == (&held.names.username, &held.names.mail) {
        return Ok(Renamed::AlreadySo);
    }
    let renamed = Account { names, renamed: Some(order.by.clone()), ..held.clone() };
    ledger.save_given(&writing).await?;
    account::save_names(&writing, [&renamed]).await?;
    announcement::renumber(&writing, order.person, at).await?;
    audit::record(&writing, [event]).await?;
    work::wake(&writing, [order.person], at).await?;
    if let Some((key, answer)) = key {
        idempotency::keep(&writing, vault, key, answer, at).await?;
    }
    writing.commit().await?;
    Ok(Renamed::Given)
}

/// By order: an existing account is to become the person's, and brings its names.
pub(super) async fn adopt(
    link: &Link,
    vault: &Vault,
    order: &Adoption,
    request: &NameRequest,
    event: &AuditEvent,
    key: Option<(&ClientKey, &str)>,
) -> PortResult<Adopted> {
    let (writing, at, guid) = (link.write().await?, order.ordered.at, order.ordered.guid);
    if let Some((key, _)) = key {
        match idempotency::begin(&writing, vault, key, at).await? {
            KeyState::New => {}
            KeyState::Answered(answer) => return Ok(Adopted::Answered(answer)),
            KeyState::Reused => return Ok(Adopted::KeyReused),
        }
    }
    writing.lock(&["ledger"]).await?;
    let accounts = account::of(&writing.txn, &[order.person]).await?;
    let held = accounts.get(&order.person);
    if held.is_some_and(|a| a.guid.is_some()) {
        return Ok(Adopted::HasAccount);
    }
    if held.and_then(|a| a.adopt.as_ref()).is_some_and(|before| before.guid == guid) {
        return Ok(Adopted::AlreadySo);
    }
    // Why: what is being opened or adopted becomes the person's, and this order would be forgotten.
    if operation::is_under_way(&writing.txn, order.person, &[ActionKind::Open, ActionKind::Adopt]).await? {
        return Ok(Adopted::UnderWay);
    }
    if account::is_owned(&writing.txn, guid).await? {
        return Ok(Adopted::Owned);
    }
    let mut ledger = Ledger::read(&writing.txn, std::slice::from_ref(request), &accounts).await?;
    // Why also for two who are to get the same account: its user name is the first one's by then.
    let Some(names) = ledger.fulfil(request, held) else { return Ok(Adopted::NameTaken) };
    let known = held.cloned().unwrap_or_else(|| Account::new(order.person, names.clone()));
    // Why without aliases: what was reserved for an account of its own was never anybody's address.
    let names = names.without_aliases();
    let adopting = Account { names, renamed: None, adopt: Some(order.ordered.clone()), ..known };
    ledger.save_given(&writing).await?;
    account::save_names(&writing, [&adopting]).await?;
    audit::record(&writing, [event]).await?;
    work::wake(&writing, [order.person], at).await?;
    if let Some((key, answer)) = key {
        idempotency::keep(&writing, vault, key, answer, at).await?;
    }
    writing.commit().await?;
    Ok(Adopted::Given)
}

/// The order is taken back; whoever has no account of their own yet gets other names when it is opened.
pub(super) async fn withdraw_adoption(
    link: &Link,
    vault: &Vault,
    person: PersonId,
    event: &AuditEvent,
    key: Option<(&ClientKey, &str)>,
) -> PortResult<Withdrawn> {
    let (writing, at) = (link.write().await?, event.at);
    if let Some((key, _)) = key {
        match idempotency::begin(&writing, vault, key, at).await? {
            KeyState::New => {}
            KeyState::Answered(answer) => return Ok(Withdrawn::Answered(answer)),
            KeyState::Reused => return Ok(Withdrawn::KeyReused),
        }
    }
    writing.lock(&["ledger"]).await?;
    let ordered = |a: &Account| a.guid.is_none() && a.adopt.is_some();
    let Some(held) = account::held(&writing, &[person]).await?.remove(&person).filter(ordered) else { return Ok(Withdrawn::NoOrder) };
    if operation::is_under_way(&writing.txn, person, &[ActionKind::Adopt]).await? {
        return Ok(Withdrawn::UnderWay);
    }
    if held.opening == 0 {
        for name in [name(NameKind::Username, &held.names.username), name(NameKind::Address, &held.names.mail)] {
            let own = row(&name, Some(person))?;
            let free = Entity::delete_by_id((own.kind, own.folded)).filter(Column::Person.eq(own.person));
            free.exec(&writing.txn).await.map_err(failed("giving names back"))?;
        }
        account::delete(&writing, person).await?;
    } else {
        account::save_names(&writing, [&Account { adopt: None, ..held }]).await?;
    }
    audit::record(&writing, [event]).await?;
    work::wake(&writing, [person], at).await?;
    if let Some((key, answer)) = key {
        idempotency::keep(&writing, vault, key, answer, at).await?;
    }
    writing.commit().await?;
    Ok(Withdrawn::Done)
}

/// Somebody else's in the directory: barred for ever. Before the account exists the whole reservation is undone (other
/// names of it stay the person's own and are found free again); afterwards the address goes back to the one before.
pub(super) async fn bar(link: &Link, person: PersonId, barred: &LedgerName) -> PortResult<()> {
    let writing = link.write().await?;
    writing.lock(&["ledger"]).await?;
    let columns = [Column::Value, Column::Person];
    let rows = vec![row(barred, None)?.into_active_model()];
    writing.insert("barring a name", rows, upsert([Column::Kind, Column::Folded], columns)).await?;
    if let Some(mut account) = account::of(&writing.txn, &[person]).await?.remove(&person) {
        let folded = barred.folded();
        let held = match barred.kind {
            NameKind::Username => &account.names.username,
            NameKind::Address => &account.names.mail,
        };
        let held = name(barred.kind, held).folded() == folded;
        account.names.aliases.retain(|alias| barred.kind != NameKind::Address || name(NameKind::Address, alias).folded() != folded);
        if held && account.guid.is_none() {
            account::delete(&writing, person).await?;
        } else {
            if held
                && barred.kind == NameKind::Address
                && let Some(former) = account.names.aliases.pop()
            {
                account.names.mail = former;
            }
            account.names.forget_terms();
            account::save_names(&writing, [&account]).await?;
        }
    }
    writing.commit().await
}

/// Names that accounts have, wherever they came from: an adopted account brings its own.
pub(super) async fn record<'a>(writing: &Writing, accounts: impl IntoIterator<Item = &'a Account>) -> PortResult<()> {
    let mut rows = BTreeMap::new();
    for account in accounts {
        let names = &account.names;
        let addresses = names.aliases.iter().chain([&names.mail]).map(|mail| name(NameKind::Address, mail));
        for given in addresses.chain([name(NameKind::Username, &names.username)]).filter(|n| !n.value.is_empty()) {
            let row = row(&given, Some(account.person))?;
            rows.entry((row.kind.clone(), row.folded.clone())).or_insert(row);
        }
    }
    let rows = rows.into_values().map(IntoActiveModel::into_active_model).collect();
    writing.insert("recording names", rows, keep([Column::Kind, Column::Folded])).await
}

pub(super) async fn owner(db: &impl ConnectionTrait, kind: NameKind, value: &str) -> PortResult<Option<PersonId>> {
    let wanted = row(&LedgerName { kind, value: value.into() }, None)?;
    let found = Entity::find_by_id((wanted.kind, wanted.folded)).one(db).await.map_err(failed("reading the ledger of names"))?;
    Ok(found.and_then(|row| row.person).map(PersonId))
}
