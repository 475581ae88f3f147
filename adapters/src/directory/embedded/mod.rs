//! A directory in one SQLite file: for the demo, for tests, and for 100,000 accounts in little memory.
//!
//! It keeps what the port promises of Active Directory (unique names, preconditions, limits of the schema, change numbers,
//! protected accounts, rights that end at the base). It decides nothing about the ministry.
mod by_hand;
mod password;
mod read;
mod rules;
mod sign_in;
mod write;

pub use by_hand::Foreign;

use crate::system::OsEntropy;
use crate::tag;
use async_trait::async_trait;
use chrono::TimeDelta;
use kimlik_domain::account::{AccountRef, Change, Dn, LedgerName, NewAccount, ObservedAccount};
use kimlik_domain::card::hr_photo::MOST;
use kimlik_domain::health::{Finding, Kind, Subject};
use kimlik_domain::id::AccountGuid;
use kimlik_domain::ports::{Capabilities, Directory, Entropy, FindBy, Inspect, Photos, PortError, PortResult, Refusal, Scan, Watermark};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Executor, Row};
use std::collections::HashSet;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// Cheap to clone; clones share the file's connections.
#[derive(Clone)]
pub struct EmbeddedDirectory {
    path: PathBuf,
    base: Dn,
    upn_suffix: String,
    /// The attribute that carries a number of another system; its values are kept only where it is named.
    correlation: Option<String>,
    /// Of this file: another one means that every change number starts anew.
    invocation: String,
    writer: SqlitePool,
    readers: SqlitePool,
}

/// How many answer at once. Why so few: each keeps pages of the file in memory.
const READERS: u32 = 4;

impl EmbeddedDirectory {
    /// Opens the file, or makes it. `correlation`: the name of the attribute whose values `find` compares.
    pub async fn open(path: &Path, base: Dn, upn_suffix: &str, correlation: Option<String>) -> PortResult<EmbeddedDirectory> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // Why NORMAL: with a write-ahead log it loses nothing to kill -9, only to a power cut, and it saves a flush for every write.
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            // Why larger than usual: each account touches a page of every index, and a checkpoint writes each of them once more.
            .pragma("wal_autocheckpoint", "8000")
            .pragma("cache_size", "-16000")
            // Why so few: questions about hundreds of accounts are large when prepared, and each number of accounts is another one.
            .statement_cache_capacity(16)
            .busy_timeout(Duration::from_secs(5))
            .disable_statement_logging();
        let pool = || SqlitePoolOptions::new().test_before_acquire(false).idle_timeout(None).max_lifetime(None);
        let broken = |error: sqlx::Error| PortError::Unavailable(format!("embedded directory {}: {error}", path.display()));
        let writer = pool().max_connections(1).connect_with(options.clone()).await.map_err(broken)?;
        writer.execute(include_str!("schema.sql")).await.map_err(broken)?;
        // Why little: readers lose their pages at each commit, and four times sixteen megabytes are a fifth of what a run is given.
        let reading = options.pragma("query_only", "ON").pragma("cache_size", "-2000");
        let readers = pool().max_connections(READERS).connect_lazy_with(reading);
        let invocation = uuid::Builder::from_random_bytes(random()).into_uuid().to_string();
        let mut directory = EmbeddedDirectory {
            path: path.to_owned(),
            base: base.clone(),
            upn_suffix: upn_suffix.to_owned(),
            correlation,
            invocation: String::new(),
            writer,
            readers,
        };
        directory.invocation = directory.setting("invocation", &invocation).await?;
        let held = directory.setting("base", base.as_str()).await?;
        if Dn::new(held.as_str()) != base {
            let reason = format!("the file {} holds a directory under {held}, not under {base}", path.display());
            return Err(PortError::refused(Refusal::Other, reason));
        }
        directory.ensure_containers(std::slice::from_ref(&base)).await?;
        Ok(directory)
    }

    /// The value held under `name`; `first` if there was none yet.
    async fn setting(&self, name: &str, first: &str) -> PortResult<String> {
        let insert = "INSERT INTO setting VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        sqlx::query(insert).bind(name).bind(first).execute(&self.writer).await.map_err(written)?;
        let select = "SELECT value FROM setting WHERE name = ?1";
        sqlx::query_scalar(select).bind(name).fetch_one(&self.writer).await.map_err(unread)
    }

    /// Makes the OUs that are not there yet, and those above them up to the base.
    pub async fn ensure_containers(&self, ous: &[Dn]) -> PortResult<()> {
        let mut wanted = Vec::new();
        for ou in ous {
            let above = std::iter::successors(Some(ou.clone()), |dn| dn.parent().filter(|p| p.is_within(&self.base)));
            wanted.extend(above);
        }
        wanted.reverse();
        let insert = "INSERT INTO container (dn_key, dn, inside) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        let mut transaction = self.writer.begin().await.map_err(written)?;
        for dn in &wanted {
            let query = sqlx::query(insert).bind(dn.folded()).bind(dn.as_str()).bind(dn.is_within(&self.base));
            query.execute(&mut *transaction).await.map_err(written)?;
        }
        transaction.commit().await.map_err(written)
    }

    /// Makes the groups that are not there yet.
    pub async fn ensure_groups(&self, groups: &[Dn]) -> PortResult<()> {
        let insert = "INSERT INTO grp (dn_key, dn, name_key, inside) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
        let mut transaction = self.writer.begin().await.map_err(written)?;
        for dn in groups {
            let name = kimlik_domain::text::fold(&dn.name());
            let query = sqlx::query(insert).bind(dn.folded()).bind(dn.as_str()).bind(name).bind(dn.is_within(&self.base));
            query.execute(&mut *transaction).await.map_err(written)?;
        }
        transaction.commit().await.map_err(written)
    }

    /// Ends the connections; what was written is in the file with or without it.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

fn random<const N: usize>() -> [u8; N] {
    let mut octets = [0; N];
    OsEntropy.fill(&mut octets);
    octets
}

/// A read that failed: nothing happened.
fn unread(error: sqlx::Error) -> PortError {
    PortError::Unavailable(format!("embedded directory: {error}"))
}

/// A write that failed. A statement that SQLite itself refused did not happen; a connection that broke may have written.
fn written(error: sqlx::Error) -> PortError {
    match &error {
        sqlx::Error::Database(refused) => match refused.code().as_deref().map(primary) {
            // SQLITE_BUSY, SQLITE_LOCKED, SQLITE_READONLY, SQLITE_FULL, SQLITE_CANTOPEN
            Some(5 | 6 | 8 | 13 | 14) => PortError::Unavailable(format!("embedded directory: {error}")),
            // SQLITE_IOERR
            Some(10) => PortError::InDoubt(format!("embedded directory: {error}")),
            _ => PortError::refused(Refusal::Other, format!("embedded directory: {error}")),
        },
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => PortError::Unavailable(format!("embedded directory: {error}")),
        _ => PortError::InDoubt(format!("embedded directory: {error}")),
    }
}

/// SQLite's primary result code: the low octet of an extended one.
fn primary(code: &str) -> i32 {
    code.parse::<i32>().unwrap_or(0) & 0xff
}

#[async_trait]
impl Directory for EmbeddedDirectory {
    async fn capabilities(&self) -> PortResult<Capabilities> {
        Ok(Capabilities { exchange: true })
    }
    async fn containers(&self) -> PortResult<HashSet<Dn>> {
        let found = sqlx::query("SELECT dn FROM container WHERE inside").fetch_all(&self.readers).await.map_err(unread)?;
        found.iter().map(|row| Ok(Dn::new(row.try_get::<String, _>(0).map_err(unread)?))).collect()
    }
    async fn scan(&self, since: Option<&Watermark>) -> PortResult<Box<dyn Scan>> {
        self.start_scan(since).await
    }
    async fn observe(&self, accounts: &[AccountGuid]) -> PortResult<Vec<ObservedAccount>> {
        self.observe_guids(accounts).await
    }
    async fn find(&self, by: &FindBy) -> PortResult<Vec<ObservedAccount>> {
        self.find_by(by).await
    }
    async fn names_taken(&self, names: &[LedgerName]) -> PortResult<HashSet<LedgerName>> {
        self.which_are_taken(names).await
    }
    async fn addresses_of_others(&self, account: AccountGuid, addresses: &[Arc<str>]) -> PortResult<HashSet<Arc<str>>> {
        self.which_others_carry(account, addresses).await
    }
    async fn create(&self, new: &NewAccount) -> PortResult<AccountRef> {
        self.create_account(new).await
    }
    async fn set_password(&self, account: &AccountRef, password: &Zeroizing<String>) -> PortResult<()> {
        self.write_password(account.guid, password).await
    }
    async fn modify(&self, account: &AccountRef, changes: &[Change]) -> PortResult<()> {
        self.write_changes(account.guid, changes).await
    }
    async fn set_photo(&self, account: &AccountRef, octets: Option<&[u8]>, from: Option<&str>) -> PortResult<()> {
        if octets.is_some_and(|octets| octets.is_empty() || octets.len() > MOST) {
            return Err(PortError::refused(Refusal::Value, "thumbnailPhoto: not as long as the schema takes"));
        }
        let held = self.photos(&[account.guid]).await?.pop().map(|(_, octets)| tag::of(&octets));
        if held.as_deref() != from {
            return Err(PortError::refused(Refusal::Changed, "another photo stands there by now"));
        }
        self.hand_photo(account.guid, octets).await
    }
    async fn set_enabled(&self, account: &AccountRef, enabled: bool) -> PortResult<()> {
        self.write_enabled(account.guid, enabled).await
    }
    async fn join_group(&self, account: &AccountRef, group: &Dn) -> PortResult<()> {
        self.write_member(account.guid, group).await
    }
    async fn leave_group(&self, account: &AccountRef, group: &Dn) -> PortResult<()> {
        self.erase_member(account.guid, group).await
    }
    async fn move_to(&self, account: &AccountRef, ou: &Dn, cn: &str) -> PortResult<Dn> {
        self.write_place(account.guid, ou, cn).await
    }
}

#[async_trait]
impl Inspect for EmbeddedDirectory {
    async fn inspect(&self) -> Vec<Finding> {
        let file = self.path.display();
        let about = |kind, values: &[&dyn Display]| vec![Finding::new(Subject::EmbeddedDirectory, &file, kind, values)];
        let checked: Result<String, _> = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&self.readers).await;
        match checked {
            Ok(verdict) if verdict == "ok" => about(Kind::EmbeddedGood, &[]),
            Ok(verdict) => about(Kind::EmbeddedDamaged, &[&verdict, &file]),
            Err(error) => about(Kind::EmbeddedDamaged, &[&error, &file]),
        }
    }

    /// Why: the whole file is read.
    fn rest(&self) -> TimeDelta {
        TimeDelta::minutes(15)
    }
}
