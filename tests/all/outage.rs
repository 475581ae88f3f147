//! Neighbours that go away, hang, lie or talk nonsense: afterwards nothing is lost, nobody is closed, each fault is named.
use chrono::TimeDelta;
use kimlik_adapters::directory::active_directory::ActiveDirectory;
use kimlik_adapters::system::SystemClock;
use kimlik_domain::account::AccountState;
use kimlik_domain::lifecycle::reconcile::{Silent, Whom};
use kimlik_domain::lifecycle::run::{OperationStatus, Trigger};
use kimlik_domain::ports::{Directory, OperationsOf, PeopleBy, PortError};
use kimlik_tests::flaky::Flaky;
use kimlik_tests::lab::Samba;
use kimlik_tests::ministry::{Ministry, STAFF_HEADER, open_store, policy, prepare_domain};
use kimlik_tests::scenario::Hr;
use proptest::prelude::*;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

const UNITS_OF: [&str; 4] = ["20000004", "20000006", "20000035", "12100000"];

/// A family name of its own for each: names have no digits.
fn letters(n: usize) -> String {
    [n / 26 % 26, n % 26].iter().map(|d| char::from(b'a' + *d as u8)).collect()
}

fn hired(hr: &mut Hr, people: usize) -> Vec<String> {
    const GIVEN: [&str; 6] = ["Ayşe", "Işıl", "İbrahim", "Çağrı", "Mehmet Ali", "Gül"];
    (0..people)
        .flat_map(|i| {
            let (given, unit) = (GIVEN[i % 6], UNITS_OF[i % 4]);
            hr.says(&format!("S{i:03}: given={given}; family=Soy{}; unit={unit}; start=2020-01-01; reason=1", letters(i)))
        })
        .collect()
}

fn csv(rows: &[String]) -> String {
    format!("{STAFF_HEADER}\n{}\n", rows.join("\n"))
}

/// As the serve loop goes on after each failure.
async fn go_on_until_quiet(ministry: &Ministry, flaky: &Flaky) {
    for round in 0..200 {
        if round == 12 {
            flaky.go_wrong(0);
        }
        ministry.clock.pass(TimeDelta::minutes(20));
        let run = ministry.reconciler.sync(&Whom::Everybody, Trigger::Schedule, &Silent).await;
        let worked = ministry.reconciler.work(&Silent).await;
        let quiet = matches!((&run, worked), (Ok(run), Ok(0)) if run.summary.planned.is_empty());
        if round > 12 && quiet {
            return;
        }
    }
    panic!("it never comes to rest:\n{}", ministry.plan().await.text());
}

async fn through_faults(seed: u64, permille: u32) {
    let mut policy = policy();
    policy.limits = Default::default();
    let mut ministry = Ministry::with("2026-12-01", policy).await;
    let flaky = Arc::new(Flaky::new(ministry.directory.clone(), seed));
    ministry.reconciler.directory = flaky.clone();
    ministry.units().await;
    let mut hr = Hr::default();
    ministry.hr("staff-delta", &csv(&hired(&mut hr, 40))).await;
    flaky.go_wrong(permille);
    go_on_until_quiet(&ministry, &flaky).await;
    // Half of them move, some leave, some marry.
    let mut rows = Vec::new();
    for i in 0..40 {
        let (next, last_day) = (UNITS_OF[(i + 1) % 4], "2026-11-30");
        match i % 4 {
            0 => rows.extend(hr.says(&format!("S{i:03}: unit={next}; reason=71"))),
            1 => rows.extend(hr.says(&format!("S{i:03}: reason=96; end={last_day}"))),
            2 => rows.extend(hr.says(&format!("S{i:03}: family=Yeni{}; reason=121", letters(i)))),
            _ => {}
        }
    }
    ministry.hr("staff-delta", &csv(&rows)).await;
    flaky.go_wrong(permille);
    go_on_until_quiet(&ministry, &flaky).await;
    assert!(flaky.faults.load(Ordering::SeqCst) > 0, "nothing went wrong: the test proves nothing");

    let accounts = ministry.embedded.as_ref().unwrap().everybody().await.unwrap();
    let numbers: HashSet<_> = accounts.iter().filter_map(|a| a.employee_id()).collect();
    assert_eq!((accounts.len(), numbers.len()), (40, 40), "seed {seed}: one account a person");
    for record in ministry.store.people(PeopleBy::After(None, 100)).await.unwrap() {
        let account = record.account.expect("an account");
        let seen = accounts.iter().find(|a| Some(a.guid) == account.guid).expect("the known account is there");
        let gone = record.person.employment_end.is_some();
        assert_eq!(seen.enabled, !gone, "seed {seed}: {}", record.person.registry_no);
        assert_eq!(account.state, if gone { AccountState::Closed } else { AccountState::Active });
        assert_eq!(account.announced_opening, 1);
    }
    let messages = ministry.store.messages(None, 1_000).await.unwrap();
    let told: HashSet<_> = messages.iter().map(|m| m.person).collect();
    assert_eq!((messages.len(), told.len()), (40, 40), "seed {seed}: everybody is told once");
    let operations = ministry.store.operations(OperationsOf::Everybody, None, 10_000).await.unwrap();
    let open = operations.iter().filter(|o| matches!(o.status, OperationStatus::Intended | OperationStatus::InDoubt));
    assert_eq!(open.count(), 0, "seed {seed}: nothing stays in doubt");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_the_directory_does_with_a_call_it_comes_out_right(seed in any::<u64>(), permille in 30u32..300) {
        tokio::runtime::Runtime::new().unwrap().block_on(through_faults(seed, permille));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_controller_that_hangs_or_goes_away_in_the_middle_loses_nothing() {
    let samba = Samba::start();
    prepare_domain(&samba);
    let mut policy = policy();
    policy.limits = Default::default();
    let temp = tempfile::tempdir().unwrap();
    let mut settings = samba.settings();
    (settings.closed_ou, settings.default_ou) = (policy.closed_ou.clone(), policy.default_ou.clone());
    settings.timeout = Duration::from_secs(1);
    let directory: Arc<dyn Directory> = Arc::new(ActiveDirectory::new(settings, Arc::new(SystemClock)).unwrap());
    let store = open_store(&temp.path().join("kimlik.db")).await;
    let ministry = Arc::new(Ministry::on("2026-12-01", policy, store, directory, temp).await);
    ministry.units().await;
    let mut hr = Hr::default();
    ministry.hr("staff-delta", &csv(&hired(&mut hr, 120))).await;

    let run =
        |ministry: Arc<Ministry>| tokio::spawn(async move { ministry.reconciler.sync(&Whom::Everybody, Trigger::Schedule, &Silent).await });
    let opened = || samba.values("(employeeID=S*)", "sAMAccountName").len();
    let hanging = run(ministry.clone());
    while opened() == 0 {
        assert!(!hanging.is_finished(), "it is over before anybody was opened");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    samba.freeze();
    let answer = hanging.await.unwrap();
    samba.thaw();
    assert!(
        matches!(answer, Err(PortError::Unavailable(_) | PortError::InDoubt(_)))
            || answer.is_ok_and(|r| r.summary.in_doubt + r.summary.refused > 0)
    );
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = opened();
    assert!(before < 120, "it hung too late to prove anything");

    samba.stop();
    let away = run(ministry.clone()).await.unwrap();
    let said = away.expect_err("there is nobody to answer").to_string();
    assert!(said.contains("not reachable"), "{said}");
    samba.restart();

    for _ in 0..4 {
        ministry.clock.pass(TimeDelta::minutes(20));
        // Attempts are spaced out after a failure: the first may still be told that nobody answers.
        let mut tries = 0;
        while ministry.reconciler.sync(&Whom::Everybody, Trigger::Schedule, &Silent).await.is_err() {
            tries += 1;
            assert!(tries < 40, "the controller is back, and nobody goes there");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
    assert_eq!(opened(), 120, "one account a person");
    let plan = ministry.plan().await;
    assert!(plan.people.iter().all(|p| p.is_empty()), "{}", plan.text());
    let messages = ministry.store.messages(None, 1_000).await.unwrap();
    assert_eq!(messages.iter().map(|m| m.person).collect::<HashSet<_>>().len(), 120);
    assert_eq!(messages.len(), 120);
}

#[tokio::test]
async fn what_the_directory_refuses_is_an_issue_and_the_others_go_on() {
    let samba = Samba::start();
    let ministry = Ministry::on_samba("2026-12-01", &samba).await;
    ministry.units().await;
    let mut hr = Hr::default();
    ministry.hr("staff-delta", &csv(&hired(&mut hr, 8))).await;
    ministry.sync().await;
    // The delegation on one account is taken away, as "inheritance disabled" on an object does.
    let dn = samba.value("(employeeID=S001)", "distinguishedName").unwrap();
    samba.deny_writing(&dn);
    let rows: Vec<String> = (0..8).flat_map(|i| hr.says(&format!("S{i:03}: title=Uzman"))).collect();
    ministry.hr("staff-delta", &csv(&rows)).await;
    let run = ministry.sync().await;
    assert_eq!((run.summary.done, run.summary.refused), (7, 1), "{:?}", run.summary);
    let issues = ministry.store.issues(None, 100).await.unwrap();
    let refused: Vec<_> = issues.iter().filter(|i| i.issue.kind == kimlik_domain::staff::IssueKind::DirectoryRefused).collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].issue.registry_no.as_ref().map(|r| r.as_str()), Some("S001"));
    assert_eq!(samba.values("(title=Uzman)", "employeeID").len(), 7);
}

/// A good snapshot, damaged as transfers, exports and people damage them.
fn damaged(good: &str, kind: u8, at: usize, other: usize) -> Vec<u8> {
    let lines: Vec<&str> = good.lines().collect();
    let (a, b) = (1 + at % (lines.len() - 1), 1 + other % (lines.len() - 1));
    let cells = |line: &str| line.split(';').map(str::to_owned).collect::<Vec<_>>();
    match kind % 10 {
        0 => good.as_bytes()[..at % good.len()].to_vec(),
        1 => format!("{good}{}", lines[1..].join("\n")).into_bytes(),
        2 => lines[..a].join("\n").into_bytes(),
        3 => lines.iter().map(|l| format!(";{l}\n")).collect::<String>().into_bytes(),
        4 => lines
            .iter()
            .enumerate()
            .map(|(i, l)| if i == a { l.replace(';', ",") } else { (*l).to_owned() } + "\n")
            .collect::<String>()
            .into_bytes(),
        5 => {
            let (x, y) = (at % 18, other % 18);
            let swap = |l: &str| {
                let mut c = cells(l);
                if x < c.len() && y < c.len() {
                    c.swap(x, y)
                }
                c.join(";") + "\n"
            };
            lines[..1].iter().map(|l| format!("{l}\n")).chain(lines[1..].iter().map(|l| swap(l))).collect::<String>().into_bytes()
        }
        6 => {
            let mut out = good.as_bytes().to_vec();
            (0..40).for_each(|i| {
                let n = out.len();
                out[(at * 31 + i * other) % n] = (at + i) as u8;
            });
            out
        }
        7 => format!("{}\n", lines[0]).into_bytes(),
        8 => lines.iter().enumerate().map(|(i, l)| if i == a { lines[b] } else { l }.to_owned() + "\n").collect::<String>().into_bytes(),
        _ => good.replace("2020-01-01", "01/02/20").into_bytes(),
    }
}

async fn nonsense_closes_nobody(cases: Vec<(u8, usize, usize)>) {
    let ministry = Ministry::small("2026-12-01").await;
    ministry.units().await;
    let mut hr = Hr::default();
    hired(&mut hr, 30);
    let good = csv(&hr.everybody());
    let report = ministry.hr("staff-full", &good).await;
    assert_eq!((report.new_people, report.refused), (30, None));
    ministry.sync().await;
    let enabled = || async { ministry.embedded.as_ref().unwrap().everybody().await.unwrap().iter().filter(|a| a.enabled).count() };
    assert_eq!(enabled().await, 30);
    for (kind, at, other) in cases {
        let bad = damaged(&good, kind, at, other);
        ministry.hr_octets("staff-full", &bad).await;
        ministry.work().await;
        assert!(enabled().await >= 30, "damage {kind} {at} {other} closed somebody:\n{}", String::from_utf8_lossy(&bad));
        ministry.clock.pass(TimeDelta::hours(25));
    }
    ministry.hr("staff-full", &good).await;
    ministry.work().await;
    let plan = ministry.plan().await;
    assert!(plan.people.iter().all(|p| p.actions.is_empty()), "a good snapshot puts it right:\n{}", plan.text());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn nonsense_in_the_feed_closes_nobody(cases in prop::collection::vec((any::<u8>(), 0usize..10_000, 1usize..10_000), 12)) {
        tokio::runtime::Runtime::new().unwrap().block_on(nonsense_closes_nobody(cases));
    }
}
