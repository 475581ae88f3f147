//! A small ministry on real parts: a store, a directory, a CSV drop folder, a clock in the test's hand.
use crate::fakes::{TestClock, TestEntropy};
use kimlik_adapters::directory::active_directory::ActiveDirectory;
use kimlik_adapters::directory::embedded::EmbeddedDirectory;
use kimlik_adapters::hr::csv::DropFolder;
use kimlik_adapters::store::{SqlStore, StoreKeys};
use kimlik_domain::account::{Dn, GroupRule, Mapping, Mode, NamePolicy, PlacementRule, When};
use kimlik_domain::day::Day;
use kimlik_domain::lifecycle::limits::{Budget, Limit, Limits};
use kimlik_domain::lifecycle::policy::Policy;
use kimlik_domain::lifecycle::reconcile::{Plan, Reconciler, Silent, Whom};
use kimlik_domain::lifecycle::run::{Run, Trigger};
use kimlik_domain::mailbox::Mailboxes;
use kimlik_domain::message::{Language, Templates};
use kimlik_domain::ports::{Clock, Directory, Entropy, HrFeed, PeopleBy, PersonRecord, Store};
use kimlik_domain::staff::intake::{self, FeedReport};
use kimlik_domain::staff::{Effect, Reasons, RegistryNo, UnitKind};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

pub const BASE: &str = "OU=CSB,DC=csb,DC=test";

/// OUs that the directory of a test ministry needs, parents first.
pub const OUS: &[&str] = &[
    "OU=Merkez",
    "OU=Personel Genel Müdürlüğü,OU=Merkez",
    "OU=Bilgi İşlem Genel Müdürlüğü,OU=Merkez",
    "OU=Tasra",
    "OU=Ankara,OU=Tasra",
    "OU=Ağrı,OU=Tasra",
    "OU=İzmir,OU=Tasra",
    "OU=Ayrilanlar",
    "OU=Yerlesmemis",
    "OU=Gruplar",
];
pub const GROUPS: &[&str] = &["CN=Merkez Personeli,OU=Gruplar", "CN=Tasra Personeli,OU=Gruplar", "CN=Proje X,OU=Gruplar"];

/// Head office with two general directorates, three provinces of which one has no OU.
pub const UNITS: &str = "code;parent_code;name;short_name;kind;province;personnel_unit_code;head_registry_no;phone;city;valid_from;valid_to;replaced_by\n\
10000000;;Çevre, Şehircilik ve İklim Değişikliği Bakanlığı;Çevre ve Şehircilik Bakanlığı;CENTRAL;06;11000000;;+90 312 410 10 00;Ankara;;;\n\
11000000;10000000;Personel Genel Müdürlüğü;;CENTRAL;06;;;;;;;\n\
12000000;10000000;Bilgi İşlem Genel Müdürlüğü;;CENTRAL;06;;;;;;;\n\
12100000;12000000;Yazılım Dairesi Başkanlığı;;CENTRAL;06;;;;;;;\n\
20000006;10000000;Ankara Çevre, Şehircilik ve İklim Değişikliği İl Müdürlüğü;Ankara İl Müdürlüğü;PROVINCIAL;06;20000006;;;Ankara;;;\n\
20000004;10000000;Ağrı Çevre, Şehircilik ve İklim Değişikliği İl Müdürlüğü;Ağrı İl Müdürlüğü;PROVINCIAL;04;20000004;;;Ağrı;;;\n\
20000035;10000000;İzmir Çevre, Şehircilik ve İklim Değişikliği İl Müdürlüğü;İzmir İl Müdürlüğü;PROVINCIAL;35;20000035;;;İzmir;;;\n\
20000062;10000000;Tunceli Çevre, Şehircilik ve İklim Değişikliği İl Müdürlüğü;Tunceli İl Müdürlüğü;PROVINCIAL;62;20000062;;;Tunceli;;;\n";

pub const STAFF_HEADER: &str = "registry_no;national_id;given_name;family_name;status;reason_code;employment_start;employment_end;\
posting_kind;unit_code;title_post;title_duty;posting_start;posting_end;mobile;work_phone;extension;office";

pub fn policy() -> Policy {
    let base = Dn::new(BASE);
    let of_kind = |kind| When { kind: Some(kind), ..When::default() };
    let limit = |percent, absolute, at_least| Limit { percent: Some(percent), absolute: Some(absolute), at_least };
    Policy {
        reasons: Reasons::with([("withdrawn".to_owned(), Effect::Withdraw)]),
        names: NamePolicy::default(),
        closed_ou: base.below("OU=Ayrilanlar"),
        default_ou: base.below("OU=Yerlesmemis"),
        placement: vec![
            PlacementRule { when: of_kind(UnitKind::Provincial), ou: "OU={province_name},OU=Tasra".into() },
            PlacementRule { when: of_kind(UnitKind::Central), ou: "OU={top_unit},OU=Merkez".into() },
        ],
        groups: vec![
            GroupRule { when: of_kind(UnitKind::Central), group: base.below(GROUPS[0]) },
            GroupRule { when: of_kind(UnitKind::Provincial), group: base.below(GROUPS[1]) },
        ],
        base,
        mode: Mode::Manage,
        unit_modes: Vec::new(),
        limits: Limits {
            everywhere: [
                (Budget::Close, limit(2.0, 50, 5)),
                (Budget::Suspend, limit(2.0, 50, 5)),
                (Budget::Open, limit(100.0, 100_000, 100_000)),
                (Budget::Move, limit(10.0, 500, 20)),
                (Budget::Rename, limit(1.0, 50, 5)),
                (Budget::Update, limit(25.0, 5_000, 50)),
            ]
            .into(),
            per_province: [(Budget::Close, limit(10.0, 20, 5))].into(),
        },
        adoption_held: true,
        correlation: false,
        exchange: true,
        mapping: Mapping::default(),
        photos: false,
        mailboxes: Mailboxes::None,
        mailbox_retention_days: 90,
        upn_suffix: "csb.test".into(),
        family_name_in_capitals: false,
        texts: Arc::new(Templates::new("https://parola.csb.test", Language::Tr)),
    }
}

pub struct Ministry {
    pub reconciler: Reconciler,
    pub store: Arc<dyn Store>,
    pub directory: Arc<dyn Directory>,
    pub clock: Arc<TestClock>,
    pub feed: DropFolder,
    /// Only where the directory is the embedded one.
    pub embedded: Option<Arc<EmbeddedDirectory>>,
    folder: std::path::PathBuf,
    files: std::sync::atomic::AtomicU32,
    _temp: TempDir,
}

pub fn keys() -> StoreKeys {
    StoreKeys { encryption: [7; 32], pepper: [9; 32] }
}

pub fn day(text: &str) -> Day {
    kimlik_domain::day::parse(text).unwrap_or_else(|| panic!("{text} is no date"))
}

impl Ministry {
    /// On SQLite and the embedded directory.
    pub async fn small(today: &str) -> Ministry {
        Ministry::with(today, policy()).await
    }

    pub async fn with(today: &str, policy: Policy) -> Ministry {
        let temp = TempDir::new().expect("a temporary folder");
        let base = policy.base.clone();
        let directory = EmbeddedDirectory::open(&temp.path().join("directory.db"), base.clone(), &policy.upn_suffix, None)
            .await
            .expect("the embedded directory opens");
        directory.ensure_containers(&OUS.iter().map(|ou| base.below(ou)).collect::<Vec<_>>()).await.expect("OUs");
        directory.ensure_groups(&GROUPS.iter().map(|g| base.below(g)).collect::<Vec<_>>()).await.expect("groups");
        let directory = Arc::new(directory);
        let store = open_store(&temp.path().join("kimlik.db")).await;
        let mut ministry = Ministry::on(today, policy, store, directory.clone(), temp).await;
        ministry.embedded = Some(directory);
        ministry
    }

    /// On any store and directory; `temp` holds the drop folder.
    pub async fn on(today: &str, policy: Policy, store: Arc<dyn Store>, directory: Arc<dyn Directory>, temp: TempDir) -> Ministry {
        let clock = Arc::new(TestClock::at(day(today)));
        let folder = temp.path().join("hr");
        std::fs::create_dir_all(&folder).expect("the drop folder");
        let feed = DropFolder::new(folder.clone(), &HashMap::new(), clock.clone());
        let reconciler = Reconciler {
            store: store.clone(),
            directory: directory.clone(),
            clock: clock.clone(),
            entropy: Arc::new(TestEntropy::default()),
            policy: Arc::new(policy),
            photos: None,
        };
        Ministry { reconciler, store, directory, clock, feed, embedded: None, folder, files: 0.into(), _temp: temp }
    }

    pub fn path(&self) -> &Path {
        self._temp.path()
    }

    /// Puts a file into the drop folder and takes it in. `kind`: `units`, `staff-full`, `staff-delta`.
    pub async fn hr(&self, kind: &str, text: &str) -> FeedReport {
        self.hr_octets(kind, text.as_bytes()).await
    }

    pub async fn hr_octets(&self, kind: &str, octets: &[u8]) -> FeedReport {
        let n = self.files.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let file = format!("{kind}-20260101T{n:04}.csv");
        let partial = self.folder.join(format!(".{file}.part"));
        std::fs::write(&partial, octets).expect("the file is written");
        std::fs::rename(partial, self.folder.join(&file)).expect("the file is in place");
        // Size at rest is seen by a second poll.
        for _ in 0..2 {
            let position = self.store.feed_position(self.feed.name()).await.expect("position");
            if let Some(delivery) = self.feed.poll(position.as_deref()).await.expect("the folder is read") {
                let report = self.take(&delivery).await;
                self.feed.taken(&delivery, &report).await.expect("the file is put away");
                return report;
            }
            self.clock.pass(chrono::TimeDelta::seconds(10));
        }
        panic!("{file} was not taken");
    }

    pub async fn take(&self, delivery: &kimlik_domain::staff::feed::Delivery) -> FeedReport {
        let clock: &dyn Clock = self.clock.as_ref();
        let entropy: &dyn Entropy = self.reconciler.entropy.as_ref();
        let reasons = &self.reconciler.policy.reasons;
        intake::intake(self.store.as_ref(), clock, entropy, reasons, self.feed.name(), delivery).await.expect("the intake goes through")
    }

    pub async fn units(&self) {
        let report = self.hr("units", UNITS).await;
        assert_eq!(report.refused, None);
    }

    /// Rows of [`STAFF_HEADER`] as a delta.
    pub async fn staff(&self, rows: &[&str]) -> FeedReport {
        self.hr("staff-delta", &format!("{STAFF_HEADER}\n{}\n", rows.join("\n"))).await
    }

    pub async fn plan(&self) -> Plan {
        self.reconciler.plan(&Whom::Everybody, None).await.expect("a plan")
    }

    pub async fn sync(&self) -> Run {
        self.reconciler.sync(&Whom::Everybody, Trigger::Command, &Silent).await.expect("a run")
    }

    /// Works off the queue as the serve loop does.
    pub async fn work(&self) {
        while self.reconciler.work(&Silent).await.expect("the queue is worked off") > 0 {}
    }

    pub async fn person(&self, registry_no: &str) -> PersonRecord {
        let no = RegistryNo::parse(registry_no).expect("a registry number");
        let found = self.store.people(PeopleBy::RegistryNos(&[no])).await.expect("the store answers");
        found.into_iter().next().unwrap_or_else(|| panic!("{registry_no} is not known"))
    }
}

pub async fn open_store(path: &Path) -> Arc<dyn Store> {
    let store = SqlStore::connect(&format!("sqlite://{}", path.display()), keys()).await.expect("the store opens");
    store.migrate().await.expect("the store is migrated");
    Arc::new(store)
}

/// A synthetic national id with right check digits.
pub fn national_id(n: u32) -> String {
    let nine = format!("{:09}", 100_000_000 + n);
    let d: Vec<i64> = nine.bytes().map(|b| i64::from(b - b'0')).collect();
    let tenth = (7 * (d[0] + d[2] + d[4] + d[6] + d[8]) - (d[1] + d[3] + d[5] + d[7])).rem_euclid(10);
    let last = (d.iter().sum::<i64>() + tenth) % 10;
    format!("{nine}{tenth}{last}")
}

impl Ministry {
    /// On a throwaway Active Directory and SQLite. The OUs and groups are made by the domain's administrator.
    pub async fn on_samba(today: &str, samba: &crate::lab::Samba) -> Ministry {
        Ministry::on_samba_with(today, samba, policy()).await
    }

    pub async fn on_samba_with(today: &str, samba: &crate::lab::Samba, policy: Policy) -> Ministry {
        let temp = TempDir::new().expect("a temporary folder");
        prepare_domain(samba);
        let mut settings = samba.settings();
        settings.closed_ou = policy.closed_ou.clone();
        settings.default_ou = policy.default_ou.clone();
        let clock = Arc::new(kimlik_adapters::system::SystemClock);
        let directory = Arc::new(ActiveDirectory::new(settings, clock).expect("settings"));
        let store = open_store(&temp.path().join("kimlik.db")).await;
        Ministry::on(today, policy, store, directory, temp).await
    }
}

/// The ministry's OUs and groups, as its domain administrators would make them.
pub fn prepare_domain(samba: &crate::lab::Samba) {
    let base = Dn::new(BASE);
    let there: Vec<Dn> = samba
        .ldapsearch(BASE, "(|(objectClass=organizationalUnit)(objectClass=group))", &["1.1"])
        .lines()
        .filter_map(|l| l.strip_prefix("dn: ").map(Dn::new))
        .collect();
    let mut ldif = String::new();
    for ou in OUS.iter().map(|ou| base.below(ou)).filter(|dn| !there.contains(dn)) {
        ldif += &format!("dn: {ou}\nchangetype: add\nobjectClass: organizationalUnit\n\n");
    }
    for group in GROUPS.iter().map(|g| base.below(g)).filter(|dn| !there.contains(dn)) {
        ldif += &format!("dn: {group}\nchangetype: add\nobjectClass: group\nsAMAccountName: {}\n\n", group.name());
    }
    if !ldif.is_empty() {
        samba.admin_modify(&ldif);
    }
}
