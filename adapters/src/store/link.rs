//! The connection to the one database, whichever engine: opening it, writing transactions, rows many at a time.
use super::fault::{failed, failed_commit};
use kimlik_domain::ports::{PortError, PortResult, Refusal};
use sea_orm::sea_query::{LockType, OnConflict};
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, RuntimeErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use sqlx::{Connection, PgConnection};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Rows a statement: below SQLite's 32,766 variables for the widest table (13 columns), and a bound on memory.
pub(super) const CHUNK: usize = 1_000;

/// SQLite's readers; each keeps pages of the file and prepared statements in memory.
const READERS: u32 = 6;

pub(super) struct Link {
    pub(super) db: DatabaseConnection,
    /// Where transactions begin. On SQLite a connection of its own: every commit of another one would empty its page cache.
    writer: DatabaseConnection,
    /// SQLite has one writer. Why a queue here and not its busy handler alone: that one sleeps and is unfair.
    gate: Option<Arc<Mutex<()>>>,
    /// SQLite's file.
    pub(super) file: Option<PathBuf>,
}

/// A transaction that writes. Dropped, it is rolled back.
pub(super) struct Writing {
    pub(super) txn: DatabaseTransaction,
    _gate: Option<OwnedMutexGuard<()>>,
}

impl Link {
    pub(super) async fn connect(url: &str) -> PortResult<Link> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            return sqlite(Path::new(path.strip_prefix("//").unwrap_or(path))).await;
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return postgres(url).await;
        }
        Err(PortError::refused(Refusal::Value, "[database] url must begin with sqlite:// or postgres://"))
    }

    pub(super) async fn write(&self) -> PortResult<Writing> {
        let gate = match &self.gate {
            Some(gate) => Some(gate.clone().lock_owned().await),
            None => None,
        };
        // Why immediate: a transaction that reads first and writes later could find the file changed meanwhile, and fail.
        let options =
            TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..TransactionOptions::default() };
        let txn = self.writer.begin_with_options(options).await.map_err(failed("beginning"))?;
        Ok(Writing { txn, _gate: gate })
    }
}

impl Writing {
    pub(super) async fn commit(self) -> PortResult<()> {
        self.txn.commit().await.map_err(failed_commit)
    }

    /// Until the end of the transaction nobody else gets these rows; always in the same order. (SQLite: one writer anyway.)
    pub(super) async fn lock(&self, names: &[&str]) -> PortResult<()> {
        lock_row::Entity::find()
            .filter(lock_row::Column::Name.is_in(names.iter().copied()))
            .order_by_asc(lock_row::Column::Name)
            .lock(LockType::Update)
            .all(&self.txn)
            .await
            .map_err(failed("locking"))?;
        Ok(())
    }

    /// Inserts rows many at a time.
    pub(super) async fn insert<A>(&self, doing: &'static str, rows: Vec<A>, conflict: Option<OnConflict>) -> PortResult<()>
    where
        A: ActiveModelTrait + Send,
    {
        let mut rows = rows.into_iter();
        loop {
            let chunk: Vec<A> = rows.by_ref().take(CHUNK).collect();
            if chunk.is_empty() {
                return Ok(());
            }
            let mut insert = <A::Entity as EntityTrait>::insert_many(chunk);
            if let Some(conflict) = &conflict {
                insert = insert.on_conflict(conflict.clone());
            }
            insert.exec_without_returning(&self.txn).await.map_err(failed(doing))?;
        }
    }
}

/// Nothing that Kimlik waits for takes longer on a database that works.
const PATIENCE: Duration = Duration::from_secs(15);

async fn postgres(url: &str) -> PortResult<Link> {
    // Why once without the pool: the pool tries a refused connection again and again, and tells only that time ran out.
    let attempt = tokio::time::timeout(PATIENCE, PgConnection::connect(url)).await;
    let attempt = attempt.unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())));
    let connection = attempt.map_err(|e| failed("connecting")(DbErr::Conn(RuntimeErr::SqlxError(Arc::new(e)))))?;
    // Its farewell may fail: it has told what it was asked for.
    let _ = connection.close().await;
    let mut options = ConnectOptions::new(url);
    options.max_connections(16).connect_timeout(PATIENCE).acquire_timeout(PATIENCE).sqlx_logging(false).record_stmt_in_spans(false);
    options.set_application_name("kimlik").statement_timeout(Duration::from_secs(120));
    let db = Database::connect(options).await.map_err(failed("connecting"))?;
    Ok(Link { writer: db.clone(), db, gate: None, file: None })
}

async fn sqlite(path: &Path) -> PortResult<Link> {
    if path.as_os_str().is_empty() || path == Path::new(":memory:") {
        return Err(PortError::refused(Refusal::Value, "[database] url names no file: sqlite://var/kimlik.db for example"));
    }
    prepare(path)
        .map_err(|e| PortError::refused(Refusal::Rights, format!("{}: cannot be made or opened ({})", path.display(), e.kind())))?;
    let failed = failed("opening the file");
    // Why more than the default 2 MB for the writer: marks fall everywhere in their index, and a snapshot of 100,000 people
    // would read every page again and again. Readers lose their pages at each commit anyway.
    let writer = Database::connect(sqlite_options(path, 1, "-32000", 16)).await.map_err(&failed)?;
    let db = Database::connect(sqlite_options(path, READERS, "-2000", 8)).await.map_err(&failed)?;
    Ok(Link { db, writer, gate: Some(Arc::new(Mutex::new(()))), file: Some(path.to_owned()) })
}

fn sqlite_options(path: &Path, connections: u32, cache: &'static str, statements: usize) -> ConnectOptions {
    let mut options = ConnectOptions::new("sqlite:kimlik");
    options.max_connections(connections).acquire_timeout(PATIENCE).sqlx_logging(false).record_stmt_in_spans(false);
    let file = path.to_owned();
    options.map_sqlx_sqlite_opts(move |options| {
        options
            .filename(&file)
            .create_if_missing(true)
            .foreign_keys(true)
            .busy_timeout(PATIENCE)
            .journal_mode(SqliteJournalMode::Wal)
            // Why full: an intent or a reserved name that a power cut takes back has perhaps reached the directory already.
            // It costs one fsync a commit, and commits are made by the chunk.
            .synchronous(SqliteSynchronous::Full)
            .pragma("cache_size", cache)
            .pragma("wal_autocheckpoint", "4000")
            // Why so few: a statement over a thousand rows is a megabyte when prepared, and each number of rows is another one.
            .statement_cache_capacity(statements)
    });
    options
}

/// The folder and the file, for nobody else to read; `-wal` and `-shm` take the file's mode.
fn prepare(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty() && !p.exists()) {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    let mut file = std::fs::OpenOptions::new();
    file.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    file.open(path).map(drop)
}

/// `ON CONFLICT (key) DO UPDATE SET columns`.
pub(super) fn upsert<C: sea_orm::sea_query::IntoIden>(
    key: impl IntoIterator<Item = C>,
    columns: impl IntoIterator<Item = C>,
) -> Option<OnConflict> {
    Some(OnConflict::columns(key).update_columns(columns).to_owned())
}

/// `ON CONFLICT (key) DO NOTHING`.
pub(super) fn keep<C: sea_orm::sea_query::IntoIden>(key: impl IntoIterator<Item = C>) -> Option<OnConflict> {
    Some(OnConflict::columns(key).do_nothing().to_owned())
}

mod lock_row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "lock_row")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
