//! The truth about the card: what differs is kept with its reason while it differs, and told before it is put right.
use chrono::TimeDelta;
use kimlik_adapters::directory::embedded::EmbeddedDirectory;
use kimlik_adapters::store::SqlStore;
use kimlik_domain::account::{AccountState, Attribute, Mode, Value};
use kimlik_domain::card::address_book::{self, BookRules, BookStatus};
use kimlik_domain::card::drift::{CardDrift, DriftFilter, DriftReason};
use kimlik_domain::card::provenance::{CardField, Corrector, FieldSource};
use kimlik_domain::card::truth::truth;
use kimlik_domain::day;
use kimlik_domain::id::PersonId;
use kimlik_domain::lifecycle::hold::{HoldDecision, HoldStatus};
use kimlik_domain::lifecycle::limits::{Budget, Limit, Limits};

use kimlik_domain::lifecycle::policy::Policy;
use kimlik_domain::lifecycle::reconcile::{Progress, Silent, Whom};
use kimlik_domain::lifecycle::run::Trigger;
use kimlik_domain::lifecycle::{ActionKind, Because};
use kimlik_domain::phone::{PhoneChange, Setter, WorkPhone};
use kimlik_domain::ports::{CardTruth, Clock, Directory, PhoneBook, PortError, Refusal};
use kimlik_domain::staff::{UnitCode, WorkNumber};
use kimlik_tests::flaky::Flaky;
use kimlik_tests::lab::Samba;
use kimlik_tests::ministry::{BASE, Ministry, keys, open_store, policy};
use kimlik_tests::scenario::Hr;
use sqlx::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use uuid::Uuid;

mod waits;

/// The ministry's store, asked how the cards stand.
async fn ledger(ministry: &Ministry) -> SqlStore {
    SqlStore::connect(&format!("sqlite://{}", ministry.path().join("kimlik.db").display()), keys()).await.unwrap()
}

async fn says(ministry: &Ministry, hr: &mut Hr, line: &str) {
    let rows = hr.says(line);
    let report = ministry.staff(&rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!((report.refused, report.rejected_rows), (None, 0), "{:?}", report.issues);
}

async fn rows(ledger: &SqlStore) -> Vec<CardDrift> {
    ledger.card_drifts(&DriftFilter::default(), None, 100).await.unwrap()
}

async fn the_row(ledger: &SqlStore) -> CardDrift {
    let rows = rows(ledger).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.into_iter().next().unwrap()
}

async fn fields(ministry: &Ministry, ledger: &SqlStore, no: &str) -> Vec<CardField> {
    let (person, units) = (ministry.person(no).await.person.id, ministry.store.units().await.unwrap());
    truth(&ministry.reconciler, ledger, &units, person).await.unwrap().unwrap().fields
}

async fn field(ministry: &Ministry, ledger: &SqlStore, no: &str, attribute: Attribute) -> CardField {
    fields(ministry, ledger, no)
        .await
        .into_iter()
        .find(|f| f.attribute == attribute)
        .unwrap_or_else(|| panic!("{attribute:?} is not told of"))
}

fn shown(value: Option<&Value>) -> &str {
    value.and_then(Value::as_text).unwrap_or("")
}

fn at_most(policy: Policy, budget: Budget, absolute: u32) -> Policy {
    let mut policy = policy;
    policy.limits.everywhere.insert(budget, Limit { percent: None, absolute: Some(absolute), at_least: 0 });
    policy
}

async fn approve(ministry: &Ministry, approve: bool) {
    for hold in ministry.store.holds(Some(HoldStatus::Open), 100).await.unwrap() {
        let decision = HoldDecision { approve, digest: Some(hold.digest), people: None, by: "cli:test".into(), note: None };
        ministry.store.decide_hold(hold.id, &decision, ministry.clock.now()).await.unwrap();
    }
}

#[tokio::test]
async fn a_title_changed_by_hand_is_explained_before_it_is_put_right_and_after() {
    let samba = Samba::start();
    let ministry = Ministry::on_samba_with("2026-12-01", &samba, at_most(policy(), Budget::Update, 0)).await;
    let ledger = ledger(&ministry).await;
    ministry.units().await;
    let mut hr = Hr::default();
    says(&ministry, &mut hr, "S001: given=Ayşe; family=Şahin; start=2026-11-16; unit=20000004; post=Mühendis; title=Şef; ext=12").await;
    ministry.sync().await;
    let right = field(&ministry, &ledger, "S001", Attribute::Title).await;
    assert_eq!((shown(right.value.as_ref()), shown(right.held.as_ref()), &right.differs), ("Şef", "Şef", &None));
    assert_eq!((right.source, right.columns.as_slice()), (FieldSource::Hr, &["title_duty".to_owned()][..]));
    assert_eq!(right.effective_on, day::parse("2026-11-16"), "the posting that gives it");
    assert_eq!(right.rule.as_ref().map(|(rule, version)| (rule.as_str(), version.len())), Some(("{title}", 8)));
    assert_eq!(right.correctors, [Corrector::PersonnelUnit]);
    let written = right.written_at.expect("Kimlik wrote it");
    assert_eq!(right.since, Some(written));
    assert_eq!(rows(&ledger).await, []);

    let dn = ministry.person("S001").await.account.unwrap().dn.unwrap();
    samba.admin_modify(&format!("dn: {dn}\nchangetype: modify\nreplace: title\ntitle: Bakan\n"));
    // Nobody has looked yet: whoever asks is told what the directory holds now.
    let asked = field(&ministry, &ledger, "S001", Attribute::Title).await;
    assert_eq!((shown(asked.value.as_ref()), shown(asked.held.as_ref())), ("Şef", "Bakan"));
    let (reason, because) = asked.differs.expect("it differs");
    assert_eq!((reason, because.as_ref()), (DriftReason::HandEdited, "title changed by hand in the directory"));
    let others = fields(&ministry, &ledger, "S001").await.into_iter().filter(|f| f.differs.is_some()).count();
    assert_eq!(others, 1, "nothing else differs");

    // A dry run keeps nothing of it; a run does, and this one may not put it right.
    ministry.plan().await;
    assert_eq!(rows(&ledger).await, []);
    ministry.clock.pass(TimeDelta::minutes(1));
    ministry.sync().await;
    let row = the_row(&ledger).await;
    assert_eq!((row.reason, row.unit, row.province.map(|p| p.plate())), (DriftReason::Held, UnitCode::parse("20000004"), Some(4)));
    let [title] = row.fields.as_slice() else { panic!("{:?}", row.fields) };
    assert_eq!((shown(title.wanted.as_ref()), shown(title.held.as_ref())), ("Şef", "Bakan"));
    assert!(title.because.contains("changed by hand"), "{}", title.because);
    let asked = field(&ministry, &ledger, "S001", Attribute::Title).await;
    assert_eq!(asked.differs.map(|(reason, _)| reason), Some(DriftReason::Held));
    let count = ledger.count_cards().await.unwrap();
    assert_eq!((count.total, count.wrong(), count.right_share()), (1, 1, Some(0)));
    assert_eq!(samba.value("(employeeID=S001)", "title").as_deref(), Some("Bakan"));

    approve(&ministry, true).await;
    ministry.clock.pass(TimeDelta::minutes(1));
    ministry.sync().await;
    assert_eq!(samba.value("(employeeID=S001)", "title").as_deref(), Some("Şef"));
    assert_eq!(rows(&ledger).await, []);
    let after = field(&ministry, &ledger, "S001", Attribute::Title).await;
    assert_eq!((shown(after.held.as_ref()), &after.differs), ("Şef", &None));
    assert!(after.written_at.unwrap() > written && after.since == after.written_at, "{after:?}");
    let figures = ledger.card_figures(10).await.unwrap();
    assert_eq!(figures.len(), 1, "one a day: {figures:?}");
    assert_eq!((figures[0].total, figures[0].right, figures[0].right_share()), (1, 1, Some(10_000)));
}

#[tokio::test]
async fn a_unit_that_is_only_observed_tells_of_its_cards_and_is_left_alone() {
    let samba = Samba::start();
    let mut policy = policy();
    policy.unit_modes = vec![(UnitCode::parse("20000004").unwrap(), Mode::Observe)];
    policy.adoption_held = false;
    let ministry = Ministry::on_samba_with("2026-12-01", &samba, policy).await;
    let ledger = ledger(&ministry).await;
    ministry.units().await;
    samba.admin_modify(&format!(
        "dn: CN=Ali Can,OU=Ağrı,OU=Tasra,{BASE}\nchangetype: add\nobjectClass: user\nsAMAccountName: ali.can\nemployeeID: S001\n\
         displayName: Ali Can\ngivenName: Ali\nsn: Can\ntitle: Eski Unvan\n"
    ));
    let mut hr = Hr::default();
    says(&ministry, &mut hr, "S001: given=Ali; family=Can; start=2026-12-01; unit=20000004; post=Memur").await;
    says(&ministry, &mut hr, "S002: given=Veli; family=Kan; start=2026-12-01; unit=20000035; post=Memur").await;
    ministry.sync().await;
    let row = the_row(&ledger).await;
    assert_eq!((row.person, row.reason), (ministry.person("S001").await.person.id, DriftReason::ObservedOnly));
    let title = row.fields.iter().find(|f| f.attribute == Attribute::Title).expect("the title");
    assert_eq!((shown(title.wanted.as_ref()), shown(title.held.as_ref())), ("Memur", "Eski Unvan"));
    let asked = field(&ministry, &ledger, "S001", Attribute::Title).await;
    assert_eq!(asked.differs.as_ref().map(|(reason, _)| *reason), Some(DriftReason::ObservedOnly), "{asked:?}");
    assert_eq!((shown(asked.held.as_ref()), asked.written_at), ("Eski Unvan", None));
    let count = ledger.count_cards().await.unwrap();
    assert_eq!((count.total, count.right_share()), (2, Some(5_000)), "an account that is to be taken over has a card too");

    ministry.clock.pass(TimeDelta::hours(1));
    ministry.sync().await;
    assert_eq!(the_row(&ledger).await, row, "seen again, nothing is written");
    assert_eq!(samba.value("(employeeID=S001)", "title").as_deref(), Some("Eski Unvan"));
    let filter = |plate: u8, reason| DriftFilter {
        provinces: kimlik_domain::staff::unit::Province::new(plate).map(|p| vec![p]),
        reasons: Some(vec![reason]),
        ..DriftFilter::default()
    };
    assert_eq!(ledger.card_drifts(&filter(4, DriftReason::ObservedOnly), None, 9).await.unwrap().len(), 1);
    assert_eq!(ledger.card_drifts(&filter(35, DriftReason::ObservedOnly), None, 9).await.unwrap().len(), 0);
    assert_eq!(ledger.card_drifts(&filter(4, DriftReason::Held), None, 9).await.unwrap().len(), 0);
}

#[tokio::test]
async fn what_the_directory_refuses_stays_told_until_it_takes_it() {
    let (ministry, flaky) = with_flaky(policy()).await;
    let ledger = ledger(&ministry).await;
    let mut hr = Hr::default();
    says(&ministry, &mut hr, "S001: given=Ali; family=Can; start=2026-12-01; unit=20000004; post=Memur").await;
    ministry.sync().await;
    assert_eq!(rows(&ledger).await, []);
    flaky.refuse(Some(PortError::refused(Refusal::Value, "title: a letter that nobody has")));
    says(&ministry, &mut hr, "S001: post=Şef").await;
    ministry.work().await;
    let refused = the_row(&ledger).await;
    assert_eq!(refused.reason, DriftReason::RefusedValue);
    assert_eq!(refused.fields[0].because.as_ref(), "title: a letter that nobody has");
    assert_eq!(shown(refused.fields[0].wanted.as_ref()), "Şef");
    flaky.refuse(Some(PortError::refused(Refusal::Rights, "insufficient access rights")));
    ministry.clock.pass(TimeDelta::minutes(16));
    ministry.work().await;
    let failed = the_row(&ledger).await;
    assert_eq!((failed.reason, failed.since), (DriftReason::Failed, refused.since), "since when it differs stays");
    let asked = field(&ministry, &ledger, "S001", Attribute::Title).await;
    assert_eq!(asked.differs, Some((DriftReason::Failed, "insufficient access rights".into())));
    flaky.refuse(None);
    ministry.clock.pass(TimeDelta::minutes(16));
    ministry.work().await;
    assert_eq!(rows(&ledger).await, []);
    assert!(field(&ministry, &ledger, "S001", Attribute::Title).await.differs.is_none());
}

#[tokio::test]
async fn a_look_that_fails_half_way_says_nothing_and_one_that_finds_a_rejected_change_says_so() {
    let (ministry, flaky) = with_flaky(at_most(policy(), Budget::Update, 0)).await;
    let ledger = ledger(&ministry).await;
    let mut hr = Hr::default();
    says(&ministry, &mut hr, "S001: given=Ali; family=Can; start=2026-12-01; unit=20000004; post=Memur").await;
    ministry.sync().await;
    says(&ministry, &mut hr, "S001: post=Şef").await;
    flaky.go_wrong(1_000);
    assert!(ministry.reconciler.sync(&Whom::Everybody, Trigger::Command, &Silent).await.is_err());
    assert_eq!(rows(&ledger).await, []);
    flaky.go_wrong(0);
    ministry.sync().await;
    assert_eq!(the_row(&ledger).await.reason, DriftReason::Held);
    approve(&ministry, false).await;
    ministry.sync().await;
    assert_eq!(the_row(&ledger).await.reason, DriftReason::Rejected);
    says(&ministry, &mut hr, "S001: post=Memur").await;
    ministry.work().await;
    assert_eq!(rows(&ledger).await, [], "HR says the old title again: it is right");
}

/// The directory goes away when some are done.
struct AwayAfterSome(Arc<Flaky>, AtomicU32);
impl Progress for AwayAfterSome {
    fn total(&self, _: u32) {}
    fn done(&self, _: &str, _: &[(ActionKind, Because)], _: bool) {
        // Why so many: what was written and not settled is not known to be right.
        if self.1.fetch_add(1, Ordering::SeqCst) > 150 {
            self.0.be_away(true);
        }
    }
}

#[tokio::test]
async fn a_reorganisation_keeps_no_row_of_cards_that_it_writes_and_one_of_each_that_it_could_not() {
    const PEOPLE: usize = 400;
    let (ministry, flaky) = with_flaky(Policy { limits: Limits::default(), ..policy() }).await;
    let ledger = ledger(&ministry).await;
    let mut hr = Hr::default();
    let mut everybody = async |said: &dyn Fn(usize) -> String| {
        let rows: Vec<String> = (0..PEOPLE).flat_map(|n| hr.says(&format!("S{n:03}: {}", said(n)))).collect();
        ministry.staff(&rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
    };
    let letters = |n: usize| [n / 26, n % 26].map(|d| char::from(b'a' + d as u8)).iter().collect::<String>();
    everybody(&|n| format!("given=Ali; family=Soy{}; start=2026-12-01; unit=20000004; post=Memur", letters(n))).await;
    ministry.sync().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(ministry.path().join("kimlik.db"));
    let mut db = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    for statement in [
        "CREATE TABLE put (n INTEGER)",
        "CREATE TRIGGER puts AFTER INSERT ON card_drift BEGIN INSERT INTO put VALUES (1); END",
        "CREATE TRIGGER takes AFTER DELETE ON card_drift BEGIN INSERT INTO put VALUES (1); END",
    ] {
        sqlx::query(statement).execute(&mut db).await.unwrap();
    }
    let mut written = async || sqlx::query_scalar::<_, i64>("SELECT count(*) FROM put").fetch_one(&mut db).await.unwrap();
    everybody(&|_| "title=Uzman".to_owned()).await;
    let run = ministry.sync().await;
    assert_eq!(run.summary.done as usize, PEOPLE);
    assert_eq!((written().await, rows(&ledger).await.len()), (0, 0), "every card was written, and no row of any");

    everybody(&|_| "title=Şef".to_owned()).await;
    let broken = ministry.reconciler.sync(&Whom::Everybody, Trigger::Command, &AwayAfterSome(flaky.clone(), 0.into())).await;
    assert!(matches!(broken, Err(PortError::Unavailable(_))), "{broken:?}");
    let count = ledger.count_cards().await.unwrap();
    let waiting = count.by_reason.get(&DriftReason::Waiting).copied().unwrap_or_default();
    assert!(waiting > 0 && waiting < count.total && count.wrong() == waiting, "{count:?}");
    flaky.be_away(false);
    for drift in ledger.card_drifts(&DriftFilter::default(), None, 1_000).await.unwrap() {
        assert_eq!(drift.fields.iter().map(|f| shown(f.wanted.as_ref())).collect::<Vec<_>>(), ["Şef"]);
    }
    ministry.sync().await;
    assert_eq!((rows(&ledger).await.len(), ministry.plan().await.people.len()), (0, 0));
}

#[tokio::test]
async fn each_value_names_its_source_and_who_can_correct_it() {
    let ministry = Ministry::small("2026-12-01").await;
    let ledger = ledger(&ministry).await;
    ministry.units().await;
    let mut hr = Hr::default();
    says(&ministry, &mut hr, "S001: given=Ali; family=Can; start=2026-12-01; unit=12100000; post=Memur; office=A-12; ext=1234").await;
    ministry.sync().await;
    let of = async |attribute| field(&ministry, &ledger, "S001", attribute).await;
    let department = of(Attribute::Department).await;
    assert_eq!((department.source, department.lender), (FieldSource::UnitTable, UnitCode::parse("12100000")));
    assert_eq!((department.columns, department.correctors), (vec!["short_name".to_owned()], vec![Corrector::UnitTable]));
    let city = of(Attribute::City).await;
    assert_eq!((shown(city.value.as_ref()), city.lender), ("Ankara", UnitCode::parse("10000000")), "lent by the ministry");
    let (rule, version) = of(Attribute::City).await.rule.unwrap();
    assert_eq!((rule.as_str(), version), ("{city}", kimlik_domain::account::Mapping::version_of("{city}|{province}")));
    let country = of(Attribute::CountryName).await;
    assert_eq!((country.source, country.correctors), (FieldSource::Rule, vec![Corrector::Administrator]));
    assert_eq!(of(Attribute::Mail).await.source, FieldSource::Rule);
    assert_eq!(of(Attribute::Office).await.columns, ["office"]);
    let phone = of(Attribute::WorkPhone).await;
    assert_eq!((phone.source, phone.correctors), (FieldSource::Hr, vec![Corrector::Person, Corrector::PersonnelUnit]));
    assert!(!fields(&ministry, &ledger, "S001").await.iter().any(|f| f.attribute == Attribute::Mobile), "no consent, no value");

    let at = ministry.clock.now();
    let change = |by: Setter, key: u128| PhoneChange {
        person: PersonId(Uuid::nil()),
        mobile: None,
        work: Some((Uuid::from_u128(key), WorkPhone { number: WorkNumber::parse("+903124101001").ok(), extension: Some("77".into()) })),
        by,
        at,
    };
    let person = ministry.person("S001").await.person.id;
    let audit = kimlik_domain::audit::AuditEvent {
        at,
        actor: "test".into(),
        deed: "phone.change".into(),
        person: Some(person),
        because: "test".into(),
        detail: serde_json::json!({}),
    };
    let book: &dyn PhoneBook = &ledger;
    book.change_phones(&PhoneChange { person, ..change(Setter::Owner, 1) }, None, &audit).await.unwrap();
    let phone = of(Attribute::WorkPhone).await;
    assert_eq!((phone.source, phone.since), (FieldSource::SelfService, Some(at)));
    assert_eq!(phone.differs.map(|(reason, _)| reason), Some(DriftReason::Waiting), "changed a moment ago");
    ministry.work().await;
    assert!(of(Attribute::WorkPhone).await.differs.is_none());
    let officer = Setter::Other { actor: "user:memur".into(), person: None };
    book.change_phones(&PhoneChange { person, ..change(officer, 2) }, None, &audit).await.unwrap();
    assert_eq!(of(Attribute::WorkPhone).await.source, FieldSource::PersonnelUnit);
}

async fn with_flaky(policy: Policy) -> (Ministry, Arc<Flaky>) {
    let temp = tempfile::tempdir().unwrap();
    let base = policy.base.clone();
    let embedded = EmbeddedDirectory::open(&temp.path().join("directory.db"), base.clone(), &policy.upn_suffix, None).await.unwrap();
    let below = |names: &[&str]| names.iter().map(|n| base.below(n)).collect::<Vec<_>>();
    embedded.ensure_containers(&below(kimlik_tests::ministry::OUS)).await.unwrap();
    embedded.ensure_groups(&below(kimlik_tests::ministry::GROUPS)).await.unwrap();
    let flaky = Arc::new(Flaky::new(Arc::new(embedded), 7));
    let store = open_store(&temp.path().join("kimlik.db")).await;
    let directory: Arc<dyn Directory> = flaky.clone();
    let ministry = Ministry::on("2026-12-01", policy, store, directory, temp).await;
    ministry.units().await;
    (ministry, flaky)
}

#[tokio::test]
async fn the_address_book_says_when_it_shows_what_was_written() {
    let ministry = Ministry::small("2026-12-01").await;
    let ledger = ledger(&ministry).await;
    ministry.units().await;
    let rules = BookRules { replication: TimeDelta::seconds(15), generation: TimeDelta::hours(8), download: TimeDelta::hours(24) };
    let mut hr = Hr::default();
    says(&ministry, &mut hr, "S001: given=Ali; family=Can; start=2026-12-01; unit=12100000; post=Memur").await;
    let person = ministry.person("S001").await.person.id;
    let stands = async || {
        let units = ministry.store.units().await.unwrap();
        let truth = truth(&ministry.reconciler, &ledger, &units, person).await.unwrap().unwrap();
        address_book::state(&truth, &rules, ministry.clock.now())
    };
    assert_eq!(stands().await.status, BookStatus::None);
    ministry.sync().await;
    let opened = stands().await;
    let written = opened.written_at.expect("it was opened");
    assert_eq!(opened.status, BookStatus::WaitingForAddressBook);
    assert_eq!(opened.online_from, Some(written + TimeDelta::seconds(15)));
    assert_eq!(opened.offline_by, Some(written + TimeDelta::seconds(15) + TimeDelta::hours(32)));
    ministry.clock.pass(TimeDelta::hours(33));
    assert_eq!(stands().await.status, BookStatus::Current);

    says(&ministry, &mut hr, "S001: post=Şef").await;
    assert_eq!((stands().await.status, stands().await.written_at), (BookStatus::Writing, Some(written)));
    ministry.work().await;
    let promoted = stands().await;
    assert!(promoted.status == BookStatus::WaitingForAddressBook && promoted.written_at > Some(written), "{promoted:?}");

    let guid = ministry.person("S001").await.account.unwrap().guid.unwrap();
    let embedded = ministry.embedded.as_ref().unwrap();
    embedded.hand_edit(guid, Attribute::Title, Some(Value::text("Bakan"))).await.unwrap();
    assert_eq!(stands().await.status, BookStatus::Writing, "changed by hand: it is put right");
    ministry.sync().await;
    ministry.clock.pass(TimeDelta::hours(33));
    says(&ministry, &mut hr, "S001: end=2026-12-01").await;
    ministry.work().await;
    assert_eq!(ministry.person("S001").await.account.unwrap().state, AccountState::Closed);
    ministry.clock.pass(TimeDelta::hours(33));
    assert_eq!(stands().await.status, BookStatus::Hidden);
}
