//! The ledger of names ever given: (kind, folded) is unique for ever. Reserving is serialised, so each request sees the
//! ones before it, on whichever replica they were made.
use super::account;
use super::fault::{failed, without_nul, word};
use super::link::{CHUNK, Link, Writing, keep, upsert};
use kimlik_domain::account::{Account, LedgerName, NameKind, Names};
use kimlik_domain::id::PersonId;
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
            let keeps_former = self.is_free(&name(NameKind::Address, &names.mail), person);
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
    let rows = ledger.given.iter().map(|(name, person)| Ok(row(name, Some(*person))?.into_active_model())).collect::<PortResult<_>>()?;
    writing.insert("reserving names", rows, None).await?;
    account::save_names(&writing, changed.values()).await?;
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
                changed.insert(request.person, known.clone());
            }
            Some(names)
        })
        .collect();
    Ok((answers, ledger, changed))
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
