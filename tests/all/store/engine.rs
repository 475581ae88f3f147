//! The engine beneath: migrations, what the doctor says, how a database that is away or wrong is told of.
use super::{Bench, keys, person, save};
use kimlik_adapters::store::SqlStore;
use kimlik_domain::health::Health;
use kimlik_domain::message::Language;
use kimlik_domain::ports::{Inspect, PortError, Refusal, Store};
use kimlik_tests::postgres;

on_both_engines!(migrations_run_again_harmlessly, the_doctor_finds_a_migrated_database_good,);

async fn migrations_run_again_harmlessly(bench: Bench) {
    bench.save(vec![person(1, "A", "B")]).await;
    assert_eq!(bench.store.migrate().await.unwrap(), [""; 0]);
    assert_eq!(bench.store.pending_migrations().await.unwrap(), [""; 0]);
    assert_eq!(bench.again().await.census().await.unwrap().len(), 1);
}

async fn the_doctor_finds_a_migrated_database_good(bench: Bench) {
    let findings = bench.store.inspect().await;
    assert!(!findings.is_empty() && findings.iter().all(|f| f.health() == Health::Good), "{findings:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_start_at_the_same_time_migrate_once() {
    let url = postgres::database().await.url;
    let pending = SqlStore::connect(&url, keys()).await.unwrap().pending_migrations().await.unwrap().len();
    let mut replicas = Vec::new();
    for _ in 0..4 {
        let url = url.clone();
        replicas.push(tokio::spawn(async move { SqlStore::connect(&url, keys()).await.unwrap().migrate().await.unwrap().len() }));
    }
    let mut applied = 0;
    for replica in replicas {
        applied += replica.await.unwrap();
    }
    let store = SqlStore::connect(&url, keys()).await.unwrap();
    assert_eq!(store.pending_migrations().await.unwrap(), [""; 0]);
    assert!(pending > 0);
    assert_eq!(applied, pending);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_schema_is_told_of_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = format!("sqlite://{}", folder.path().join("kimlik.db").display());
    for url in [sqlite, postgres::database().await.url] {
        let store = SqlStore::connect(&url, keys()).await.unwrap();
        assert!(!store.pending_migrations().await.unwrap().is_empty());
        let findings = store.inspect().await;
        assert!(findings.iter().any(|f| f.health() == Health::Broken && f.mend(Language::En).contains("kimlik migrate")), "{findings:?}");
        assert!(matches!(store.units().await, Err(PortError::Refused { .. })));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sqlite_file_is_made_for_nobody_else_to_read() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::sqlite().await;
    bench.save(vec![person(1, "A", "B")]).await;
    let folder = bench.folder.as_ref().unwrap().path().join("made/by it");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for entry in std::fs::read_dir(&folder).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    let findings = bench.store.inspect().await;
    assert!(findings.iter().any(|f| f.health() == Health::Doubtful && f.found(Language::En).contains("755")), "{findings:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_lead_nowhere_say_so_without_the_password() {
    let refusal = |url: &'static str| async move { SqlStore::connect(url, keys()).await.err().unwrap() };
    for url in ["mysql://localhost/kimlik", "sqlite://", "sqlite::memory:", ""] {
        assert_eq!(refusal(url).await.refusal(), Some(Refusal::Value), "{url}");
    }
    let away = refusal("postgres://kimlik:gizli-parola@127.0.0.1:1/kimlik").await;
    assert!(matches!(&away, PortError::Unavailable(_)), "{away}");
    assert!(!away.to_string().contains("gizli"), "{away}");
    let good = postgres::database().await.url;
    let (start, end) = good.split_once("kimlik:").unwrap();
    let wrong = format!("{start}kimlik:gizli-parola{}", &end[end.find('@').unwrap()..]);
    let refused = SqlStore::connect(&wrong, keys()).await.err().unwrap();
    assert!(matches!(&refused, PortError::Refused { .. }), "{refused}");
    assert!(!refused.to_string().contains("gizli"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgresql_that_breaks_off_is_unavailable_and_comes_back() {
    let bench = Bench::postgresql().await;
    bench.save(vec![person(1, "A", "B")]).await;
    let admin = sqlx::PgPool::connect(&bench.url).await.unwrap();
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    sqlx::query(cut).execute(&admin).await.unwrap();
    let mut tries = 0;
    while let Err(error) = bench.store.save_roster(save(vec![person(2, "C", "D")])).await {
        assert!(matches!(&error, PortError::Unavailable(_)), "{error}");
        tries += 1;
        assert!(tries < 20, "it does not come back");
    }
    assert_eq!(bench.store.census().await.unwrap().len(), 2);
}
