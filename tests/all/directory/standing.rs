//! Since when a controller stands as it does: away and back, over a restart, and as two replicas see it.
use chrono::{DateTime, Utc};
use kimlik_adapters::system::SystemClock;
use kimlik_api::health::Seen;
use kimlik_api::wiring::{self, House};
use kimlik_domain::health::Subject;
use kimlik_domain::message::Language;
use kimlik_domain::ports::Clock as _;
use kimlik_tests::lab::Samba;
use kimlik_tests::lab::samba::{BASE, SERVICE_PASSWORD};
use kimlik_tests::postgres;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// Over a drop folder, this PostgreSQL and this domain.
async fn house(folder: &Path, samba: &Samba, database: &str) -> Arc<House> {
    let file = |name: &str| folder.join(name).display().to_string();
    let settings = format!(
        "[database]\nurl = \"{database}\"\n[secrets]\ndir = \"{}\"\n[hr]\nsource = \"csv\"\ncsv.directory = \"{}\"\n\
         [directory]\nkind = \"active_directory\"\n[directory.active_directory]\nurls = [\"{}\"]\nca_file = \"{}\"\n\
         bind_dn = \"svc-idm@csb.test\"\nbind_password_file = \"{}\"\nbase_dn = \"{BASE}\"\nupn_suffix = \"csb.test\"\n\
         [roles]\nadministrator = [\"CN=Domain Admins,CN=Users,DC=csb,DC=test\"]\n",
        file("secrets"),
        file("hr"),
        samba.url(),
        file("ad-ca.pem"),
        file("ad-password"),
    );
    let config = kimlik_api::config::load::load(Some((Path::new("kimlik.toml"), &settings)), []).unwrap();
    if fs::create_dir(folder.join("hr")).is_ok() {
        fs::create_dir(folder.join("secrets")).unwrap();
        for (name, octet) in [("encryption.key", "07"), ("pepper.key", "09")] {
            fs::write(folder.join("secrets").join(name), octet.repeat(32)).unwrap();
        }
        fs::write(folder.join("ad-ca.pem"), samba.ca_pem()).unwrap();
        fs::write(folder.join("ad-password"), SERVICE_PASSWORD).unwrap();
        wiring::store(&config).await.unwrap().migrate().await.unwrap();
    }
    Arc::new(wiring::open(Arc::new(config)).await.unwrap_or_else(|fault| panic!("{fault}")))
}

/// What a look finds of the controller.
async fn look(house: &House) -> Seen {
    house.health.look(house).await;
    let seen = house.health.latest(house).await;
    seen.iter().find(|s| s.finding.about == Subject::Controller).unwrap().clone()
}

fn now() -> DateTime<Utc> {
    SystemClock.now()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_controller_that_is_away_for_a_while_is_so_since_one_moment_for_all_replicas_and_over_a_restart() {
    wiring::choose_crypto();
    let (samba, folder) = (Samba::start(), tempfile::tempdir().unwrap());
    let database = postgres::database().await.url;
    let one = house(folder.path(), &samba, &database).await;
    let began = now();
    let well = look(&one).await;
    assert_eq!(well.finding.kind.name(), "CONTROLLER_GOOD");
    assert!(well.since >= began && look(&one).await.since == well.since);
    let other = house(folder.path(), &samba, &database).await;
    assert_eq!(look(&other).await.since, well.since, "a replica that starts says what is known");

    let stopped = now();
    samba.stop();
    let away = look(&one).await;
    assert_eq!(away.finding.kind.name(), "CONTROLLER_UNREACHABLE");
    assert!(away.since >= stopped && look(&one).await.since == away.since, "{:?}", away.since);
    assert!(away.finding.found(Language::En).starts_with("not reachable: "), "{:?}", away.finding);
    assert!(away.finding.found(Language::Tr).starts_with("ulaşılamıyor: "), "{:?}", away.finding);
    assert_eq!(look(&other).await.since, away.since, "the first who saw it says when");
    drop((one, other));
    let anew = house(folder.path(), &samba, &database).await;
    assert_eq!(look(&anew).await.since, away.since, "it has lasted over the restart");

    let restarted = now();
    samba.restart();
    let back = look(&anew).await;
    assert_eq!(back.finding.kind.name(), "CONTROLLER_GOOD");
    assert!(back.since >= restarted && look(&anew).await.since == back.since);
    assert!(back.at >= back.since);
}
