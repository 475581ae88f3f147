//! The contract of `ports::Store`, kept by the same tests on SQLite and on PostgreSQL.
// Why: clippy allows unwrap in test functions, not in what they call.
#![allow(clippy::unwrap_used)]

use kimlik_adapters::store::{SqlStore, StoreKeys};
use kimlik_domain::account::{Account, AccountState, Names};
use kimlik_domain::id::{AccountGuid, PersonId};
use kimlik_domain::lifecycle::run::PersonSettlement;
use kimlik_domain::ports::{NameRequest, PeopleBy, Store};
use kimlik_domain::staff::Person;
use kimlik_domain::staff::intake::{PersonSave, RosterSave};
pub use kimlik_tests::staff::no;
use kimlik_tests::{postgres, staff};
use std::sync::Arc;
use tempfile::TempDir;
use uuid::Uuid;

/// Each test once an engine.
macro_rules! on_both_engines {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::store::Bench::sqlite().await).await;
            })*
        }
        mod on_postgresql {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::store::Bench::postgresql().await).await;
            })*
        }
    };
}

mod announcements;
mod challenges;
mod drift;
mod engine;
mod holds;
mod issues;
mod mailboxes;
mod messages;
mod names;
mod operations;
mod phones;
mod photos;
mod pins;
mod roster;
mod secrets;
mod sessions;
mod submissions;
mod suspensions;
mod webhooks;
mod work;

/// A store on a fresh database.
pub struct Bench {
    pub store: Arc<SqlStore>,
    url: String,
    /// Of SQLite's file; removed with the bench.
    folder: Option<TempDir>,
}

fn keys() -> StoreKeys {
    StoreKeys { encryption: [1; 32], pepper: [2; 32] }
}

impl Bench {
    pub async fn sqlite() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("made/by it/kimlik.db").display());
        Bench::open(url, Some(folder)).await
    }

    pub async fn postgresql() -> Bench {
        Bench::open(postgres::database().await.url, None).await
    }

    async fn open(url: String, folder: Option<TempDir>) -> Bench {
        let store = SqlStore::connect(&url, keys()).await.unwrap();
        store.migrate().await.unwrap();
        Bench { store: Arc::new(store), url, folder }
    }

    /// Another replica on the same database.
    pub async fn again(&self) -> Arc<SqlStore> {
        Arc::new(SqlStore::connect(&self.url, keys()).await.unwrap())
    }

    /// Takes these people in.
    pub async fn save(&self, people: Vec<Person>) {
        self.store.save_roster(save(people)).await.unwrap();
    }

    /// Saves them with an account that exists, is active and counts for a province.
    pub async fn settle_account(&self, person: &Person, state: AccountState, plate: u8) -> Account {
        let account = Account {
            guid: Some(AccountGuid(Uuid::from_u128(person.id.0.as_u128() << 8))),
            state,
            ..Account::new(person.id, names(&format!("u{}", person.registry_no.as_str())))
        };
        let province = kimlik_domain::staff::unit::Province::new(plate);
        let before = self.store.people(PeopleBy::Ids(&[person.id])).await.unwrap().remove(0).account;
        let settlement = PersonSettlement { account: Some(account.clone()), before, province, ..settlement(person) };
        self.store.settle(vec![settlement]).await.unwrap();
        account
    }
}

pub fn at(text: &str) -> chrono::DateTime<chrono::Utc> {
    text.parse().unwrap()
}

/// The moment at which things happen where it does not matter.
pub fn noon() -> chrono::DateTime<chrono::Utc> {
    at("2026-11-23T09:00:00.123456Z")
}

pub fn id(n: u32) -> PersonId {
    PersonId(Uuid::from_u128(u128::from(n)))
}

pub fn person(n: u32, given: &str, family: &str) -> Person {
    staff::person(id(n), &format!("S{n}"), given, family)
}

pub fn save(people: Vec<Person>) -> RosterSave {
    let people = people.into_iter().map(|person| PersonSave { person, national_id: None, former_registry_no: None }).collect();
    RosterSave {
        units: Vec::new(),
        people,
        wake: Vec::new(),
        wake_at: noon(),
        wake_everybody: false,
        issues: Vec::new(),
        issue_kinds: Vec::new(),
        seen: Vec::new(),
        position: None,
        at: noon(),
    }
}

pub fn settlement(person: &Person) -> PersonSettlement {
    PersonSettlement {
        person: person.id,
        registry_no: person.registry_no.clone(),
        province: None,
        account: None,
        before: None,
        operations: Vec::new(),
        message: None,
        drift: Default::default(),
        audit: Vec::new(),
        wake_reports: false,
        mailbox_asked_for: false,
        at: noon(),
    }
}

pub fn names(username: &str) -> Names {
    Names {
        username: username.into(),
        mail: format!("{username}@csb.test").into(),
        aliases: Vec::new(),
        aliases_since: Default::default(),
        named_for: username.into(),
    }
}

pub fn request(n: u32, usernames: &[&str], addresses: &[&str]) -> NameRequest {
    let list = |names: &[&str]| names.iter().map(|n| (*n).into()).collect();
    NameRequest {
        person: id(n),
        usernames: list(usernames),
        addresses: list(addresses),
        named_for: usernames.first().copied().unwrap_or("").into(),
        on: noon().date_naive(),
        former_unused: false,
    }
}
