//! Mailboxes by a program of the ministry's: the example that ships with the documentation, and programs that fail in every way.
use chrono::{DateTime, TimeDelta, Utc};
use kimlik_adapters::mailbox::{CommandHost, CommandSettings};
use kimlik_adapters::store::SqlStore;
use kimlik_domain::account::{AccountRef, AccountState, Attribute, Dn};
use kimlik_domain::health::Health;
use kimlik_domain::id::AccountGuid;
use kimlik_domain::lifecycle::ActionKind;
use kimlik_domain::lifecycle::hold::{HoldDecision, HoldStatus};
use kimlik_domain::lifecycle::limits::{Budget, Limit};
use kimlik_domain::lifecycle::policy::Policy;
use kimlik_domain::lifecycle::run::Run;
use kimlik_domain::mailbox::keeper::{KeeperRules, MailboxKeeper};
use kimlik_domain::mailbox::{Mailbox, MailboxDeed, MailboxState, Mailboxes, Seen, Stands, may_close};
use kimlik_domain::message::Language;
use kimlik_domain::ports::{
    Clock, Inspect, MailboxHost, MailboxLedger, MailboxRequest, OperationsOf, PeopleBy, PortError, PortResult, Webhooks,
};
use kimlik_domain::staff::IssueKind;
use kimlik_domain::webhook::{EventKind, data};
use kimlik_tests::ministry::{Ministry, day, keys, policy};
use kimlik_tests::scenario::Hr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use uuid::Uuid;

mod exchange;
mod hands;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operators/mailbox-commands/example.sh");

pub fn host(program: impl Into<PathBuf>, arguments: &[&Path], seconds: u64) -> CommandHost {
    let arguments = arguments.iter().map(|a| a.display().to_string()).collect();
    CommandHost::new(CommandSettings { program: program.into(), arguments, timeout: Duration::from_secs(seconds) })
}

/// A program of these lines.
pub fn program(folder: &TempDir, lines: &str) -> PathBuf {
    let path = folder.path().join(format!("p{}", lines.len()));
    std::fs::write(&path, format!("#!/bin/sh\n{lines}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// Each test's own: a program that runs for an account is looked for on the whole machine.
fn somebody() -> AccountGuid {
    AccountGuid(Uuid::from_u128(0xabcd + (u128::from(std::process::id()) << 64)))
}

fn request(deed: Option<MailboxDeed>) -> MailboxRequest {
    MailboxRequest {
        id: Uuid::from_u128(0x1234),
        deed,
        account: AccountRef { guid: somebody(), dn: Dn::new("CN=Ayşe \"x\" $(id),OU=CSB,DC=csb,DC=test") },
        username: "ayse.isik".into(),
        user_principal_name: "ayse.isik@csb.test".into(),
        display_name: "Ayşe 𝒮 IŞIK".into(),
        mail: "ayse.isik@csb.test".into(),
        aliases: vec!["ayse.sahin@csb.test".into()],
    }
}

#[tokio::test]
async fn the_example_opens_hides_closes_and_reopens_and_twice_is_once() {
    let folder = TempDir::new().unwrap();
    let host = host(EXAMPLE, &[folder.path()], 10);
    let table = [
        (None, Stands::None),
        (Some(MailboxDeed::Hide), Stands::None),
        (Some(MailboxDeed::Open), Stands::Open),
        (Some(MailboxDeed::Open), Stands::Open),
        (Some(MailboxDeed::Update), Stands::Open),
        (Some(MailboxDeed::Hide), Stands::Hidden),
        (Some(MailboxDeed::Close), Stands::Closed),
        (Some(MailboxDeed::Hide), Stands::Closed),
        (None, Stands::Closed),
        (Some(MailboxDeed::Reopen), Stands::Open),
    ];
    for (deed, stands) in table {
        assert_eq!(host.ask(&request(deed)).await, Ok(Seen::Stands(stands)), "{deed:?}");
    }
    let found = host.inspect().await;
    assert!(found.iter().all(|f| f.health() == Health::Good), "{found:?}");
}

#[tokio::test]
async fn a_request_says_what_was_agreed_on_and_nothing_of_a_person_is_in_arguments_or_environment() {
    let folder = TempDir::new().unwrap();
    let said = folder.path().join("said");
    let lines = format!(
        "cat > {0}; (echo \"$#:$*\"; env) > {0}.env; echo '{{\"version\":1,\"requestId\":\"00000000-0000-0000-0000-000000001234\",\
         \"state\":\"WAITING\",\"waitingFor\":\"the nightly \\u0001 run\"}}'",
        said.display()
    );
    let answer = host(program(&folder, &lines), &[], 10).ask(&request(Some(MailboxDeed::Open))).await;
    assert_eq!(answer, Ok(Seen::Waiting("the nightly  run".into())));
    let asked: serde_json::Value = serde_json::from_slice(&std::fs::read(&said).unwrap()).unwrap();
    let expected = serde_json::json!({
        "version": 1, "operation": "open", "requestId": "00000000-0000-0000-0000-000000001234",
        "account": {
            "guid": somebody().0, "distinguishedName": "CN=Ayşe \"x\" $(id),OU=CSB,DC=csb,DC=test",
            "username": "ayse.isik", "userPrincipalName": "ayse.isik@csb.test", "displayName": "Ayşe 𝒮 IŞIK",
            "primaryAddress": "ayse.isik@csb.test", "aliases": ["ayse.sahin@csb.test"],
        },
    });
    assert_eq!(asked, expected);
    let around = std::fs::read_to_string(said.with_extension("env")).unwrap();
    assert!(around.starts_with("0:\n") && !around.contains("CARGO") && !around.contains("KIMLIK") && !around.contains("ayse"), "{around}");
}

#[derive(Debug, PartialEq)]
enum Fails {
    Nothing,
    Perhaps,
    Never,
}

fn how(answer: &PortResult<Seen>) -> Fails {
    match answer {
        Err(PortError::Unavailable(_)) => Fails::Nothing,
        Err(PortError::InDoubt(_)) => Fails::Perhaps,
        Err(PortError::Refused { .. }) => Fails::Never,
        Ok(seen) => panic!("{seen:?}"),
    }
}

#[tokio::test]
async fn a_program_that_hangs_fails_talks_nonsense_or_is_killed_fails_in_one_of_three_ways() {
    let folder = TempDir::new().unwrap();
    let right = "{\"version\":1,\"requestId\":\"00000000-0000-0000-0000-000000001234\",\"state\":\"OPEN\"}";
    let table = [
        ("echo later >&2; exit 75".to_owned(), Fails::Nothing),
        ("echo 'no licence' >&2; exit 65".to_owned(), Fails::Never),
        (format!("echo '{right}'; exit 1"), Fails::Perhaps),
        ("kill -9 $$".to_owned(), Fails::Perhaps),
        ("sleep 600".to_owned(), Fails::Perhaps),
        (String::new(), Fails::Perhaps),
        ("echo nonsense".to_owned(), Fails::Perhaps),
        (format!("echo '{right}{right}'"), Fails::Perhaps),
        (format!("echo '{}'", right.replace("1234", "4321")), Fails::Perhaps),
        (format!("echo '{}'", right.replace("\"version\":1", "\"version\":2")), Fails::Perhaps),
        (format!("echo '{}'", right.replace("OPEN", "AJAR")), Fails::Perhaps),
        (format!("echo '{right}'; head -c 3000000 /dev/zero"), Fails::Perhaps),
    ];
    for (lines, fails) in table {
        // Why so long but for the one that hangs: the machine may be slow.
        let host = host(program(&folder, &lines), &[], if lines.starts_with("sleep") { 2 } else { 30 });
        let answer = host.ask(&request(Some(MailboxDeed::Open))).await;
        assert_eq!(how(&answer), fails, "{lines}: {answer:?}");
        let looked = how(&host.ask(&request(None)).await);
        assert_eq!(looked, if fails == Fails::Never { Fails::Never } else { Fails::Nothing }, "a look changes nothing: {lines}");
        let found = host.inspect().await;
        assert_eq!(found.iter().any(|f| f.health() == Health::Broken), fails != Fails::Never, "{lines}: {found:?}");
    }
    let gone = host(folder.path().join("not there"), &[], 2);
    assert_eq!(how(&gone.ask(&request(Some(MailboxDeed::Open))).await), Fails::Nothing);
    std::fs::write(folder.path().join("plain"), "x").unwrap();
    for (path, why) in [("not there", "not found"), ("plain", "may not be executed"), ("", "is no file")] {
        let found = host(folder.path().join(path), &[], 2).inspect().await;
        assert!(found[0].health() == Health::Broken && found[0].found(Language::En).contains(why), "{found:?}");
    }
}

#[tokio::test]
async fn what_a_hanging_program_has_started_is_ended_with_it() {
    let folder = TempDir::new().unwrap();
    let began = folder.path().join("began");
    // It says its number, and works for ever.
    let lines = format!("sleep 600 & echo $! > {0}.new; mv {0}.new {0}; wait", began.display());
    host(program(&folder, &lines), &[], 5).ask(&request(None)).await.unwrap_err();
    let number = std::fs::read_to_string(began).expect("it had begun");
    let until = Instant::now() + Duration::from_secs(30);
    while hands::works(&number) {
        assert!(Instant::now() < until, "it goes on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

// ------------------------------------------------------------------------------------------------ the life of a mailbox

/// As the program keeps mailboxes, for this ministry.
pub fn keeper(ministry: &Ministry, ledger: Arc<SqlStore>, host: CommandHost) -> MailboxKeeper {
    MailboxKeeper {
        ledger,
        store: ministry.store.clone(),
        host: Arc::new(host),
        clock: ministry.clock.clone(),
        entropy: ministry.reconciler.entropy.clone(),
        policy: ministry.reconciler.policy.clone(),
        rules: KeeperRules { lease: TimeDelta::minutes(5), patience: TimeDelta::hours(24), at_once: 2 },
        hand: Default::default(),
    }
}

/// The ledger of a ministry that stands in a file.
pub async fn ledger(ministry: &Ministry) -> Arc<SqlStore> {
    let url = format!("sqlite://{}", ministry.path().join("kimlik.db").display());
    Arc::new(SqlStore::connect(&url, keys()).await.unwrap())
}

struct Office {
    ministry: Ministry,
    ledger: Arc<SqlStore>,
    folder: TempDir,
    hr: Hr,
}

impl Office {
    async fn open() -> Office {
        let policy = Policy { mailboxes: Mailboxes::Command, ..policy() };
        let ministry = Ministry::with("2026-12-01", policy).await;
        ministry.units().await;
        let ledger = ledger(&ministry).await;
        Office { ministry, ledger, folder: TempDir::new().unwrap(), hr: Hr::default() }
    }
    fn keeper(&self, host: CommandHost) -> MailboxKeeper {
        keeper(&self.ministry, self.ledger.clone(), host)
    }
    fn example(&self) -> CommandHost {
        host(EXAMPLE, &[self.folder.path()], 10)
    }
    async fn says(&mut self, line: &str) {
        let rows = self.hr.says(line);
        self.ministry.staff(&rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
        self.ministry.work().await;
    }
    /// Whose mailboxes other systems have been told are closed.
    async fn told(&self) -> Vec<String> {
        let today = kimlik_domain::day::today(self.ministry.clock.now());
        while self.ledger.seal_events(100, &|action, facts| data(action, facts, today)).await.unwrap() {}
        let events = self.ledger.events_after(0, 1_000).await.unwrap();
        let closed = events.iter().filter(|e| e.kind == EventKind::MailboxClosed);
        let mut told: Vec<String> = closed.map(|e| e.data["registryNumber"].as_str().unwrap().to_owned()).collect();
        told.sort();
        told
    }
    async fn works(&self, host: CommandHost) {
        let keeper = self.keeper(host);
        while keeper.round().await.unwrap().handled > 0 {}
    }
    async fn mailbox(&self) -> Mailbox {
        let person = self.ministry.person("S001").await.person.id;
        self.ledger.mailbox_of(person).await.unwrap().unwrap()
    }
    async fn stands(&self) -> (MailboxState, Option<String>) {
        let mailbox = self.mailbox().await;
        (mailbox.state(), mailbox.closes_on.map(|d| d.to_string()))
    }
    async fn issues(&self) -> Vec<IssueKind> {
        let kinds = self.ministry.person("S001").await.open_issues;
        kinds.into_iter().filter(|k| matches!(k, IssueKind::MailboxOverdue | IssueKind::MailboxRefused)).collect()
    }
    fn passes(&self, time: TimeDelta) -> DateTime<Utc> {
        self.ministry.clock.pass(time);
        self.ministry.clock.now()
    }
}

const NEWCOMER: &str = "S001: given=Ayşe; family=Şahin; start=2026-12-01; unit=20000004; post=Mühendis";

#[tokio::test]
async fn a_mailbox_is_opened_told_of_a_transfer_hidden_closed_by_the_calendar_and_reopened() {
    let mut office = Office::open().await;
    office.says(NEWCOMER).await;
    office.works(office.example()).await;
    assert_eq!(office.stands().await, (MailboxState::Open, None));
    let told = office.mailbox().await.told;
    office.says("S001: unit=12100000").await;
    office.works(office.example()).await;
    assert_ne!(office.mailbox().await.told, told, "a transfer changes address lists");

    office.says("S001: end=2026-12-01").await;
    office.ministry.clock.set(day("2026-12-02"));
    office.ministry.work().await;
    assert_eq!(office.ministry.person("S001").await.account.unwrap().state, AccountState::Closed);
    office.works(office.example()).await;
    assert_eq!(office.stands().await, (MailboxState::Hidden, Some("2027-03-02".into())));
    let person = office.ministry.person("S001").await.person.id;
    let operations = office.ministry.store.operations(OperationsOf::Person(person), None, 20).await.unwrap();
    let receipt = operations.iter().flat_map(|o| &o.receipt).find(|line| line.step == "mailbox").unwrap();
    assert!(receipt.result.contains("takes mail until 2027-03-02"), "{receipt:?}");

    office.ministry.clock.set(day("2027-03-01"));
    office.works(office.example()).await;
    assert_eq!(office.stands().await.0, MailboxState::Hidden, "the day before");
    office.ministry.clock.set(day("2027-03-02"));
    office.works(office.example()).await;
    assert_eq!(office.stands().await.0, MailboxState::Hidden, "nothing is closed that was not planned");
    assert_eq!(office.mailbox().await.state_on(day("2027-03-02")), MailboxState::Closing);
    office.ministry.work().await;
    office.works(office.example()).await;
    assert_eq!(office.stands().await, (MailboxState::Closed, Some("2027-03-02".into())));
    assert_eq!(office.told().await, ["S001"]);
    let operations = office.ministry.store.operations(OperationsOf::Person(person), None, 1).await.unwrap();
    let receipt: Vec<&str> = operations[0].receipt.iter().map(|line| line.result.as_str()).collect();
    assert_eq!((operations[0].kind, receipt), (ActionKind::CloseMailbox, vec!["done", "seen closed: it takes no mail"]));

    office.says("S001: start=2027-03-02; end=; status=ACTIVE").await;
    office.works(office.example()).await;
    assert_eq!(office.stands().await, (MailboxState::Open, None));
    let audit = office.ministry.store.audit_events(Some(person), 50).await.unwrap();
    let mut deeds: Vec<&str> = audit.iter().map(|e| e.deed.as_str()).filter(|d| d.starts_with("mailbox.")).collect();
    deeds.reverse();
    assert_eq!(deeds, ["mailbox.open", "mailbox.update", "mailbox.hide", "mailbox.close", "mailbox.reopen"]);
}

/// What the example's folder says of each mailbox, counted.
fn files(folder: &TempDir) -> (usize, usize) {
    let all: Vec<String> = std::fs::read_dir(folder.path()).unwrap().map(|f| std::fs::read_to_string(f.unwrap().path()).unwrap()).collect();
    (all.iter().filter(|s| *s == "HIDDEN").count(), all.iter().filter(|s| *s == "CLOSED").count())
}

#[tokio::test]
async fn a_slip_in_the_retention_closes_no_mailbox_before_somebody_has_said_so() {
    let mut office = Office::open().await;
    let limit = Limit { percent: None, absolute: Some(2), at_least: 0 };
    let mut policy = Policy::clone(&office.ministry.reconciler.policy);
    policy.limits.everywhere.insert(Budget::Mailbox, limit);
    office.ministry.reconciler.policy = Arc::new(policy.clone());
    for (n, family) in (1..).zip(["Can", "Kan", "Han", "Tan"]) {
        office.says(&format!("S00{n}: given=Ali; family={family}; start=2026-12-01; unit=20000004; post=Memur")).await;
    }
    office.works(office.example()).await;
    for n in 1..=4 {
        office.says(&format!("S00{n}: end=2026-12-01")).await;
    }
    office.ministry.clock.set(day("2026-12-02"));
    office.ministry.work().await;
    office.works(office.example()).await;
    assert_eq!(files(&office.folder), (4, 0));

    // 90 days were meant, 1 was written.
    office.ministry.clock.set(day("2026-12-10"));
    policy.mailbox_retention_days = 1;
    office.ministry.reconciler.policy = Arc::new(policy);
    let run = office.ministry.sync().await;
    assert_eq!((run.summary.planned.get(&ActionKind::CloseMailbox), run.summary.held), (Some(&4), 4));
    office.works(office.example()).await;
    office.passes(TimeDelta::days(2));
    office.ministry.sync().await;
    office.works(office.example()).await;
    assert_eq!((files(&office.folder), office.told().await), ((4, 0), vec![]), "a hold holds, whatever day it is");
    assert_eq!(office.mailbox().await.state_on(day("2026-12-12")), MailboxState::Closing);

    let hold = office.ministry.store.holds(Some(HoldStatus::Open), 10).await.unwrap().remove(0);
    assert_eq!((hold.budget, hold.people), (Budget::Mailbox, 4));
    let ids = async |nos: &[&str]| {
        let mut ids = Vec::new();
        for no in nos {
            ids.push(office.ministry.person(no).await.person.id);
        }
        ids
    };
    let decide = async |approve, people| {
        let decision = HoldDecision { approve, digest: None, people: Some(people), by: "cli:test".into(), note: None };
        office.ministry.store.decide_hold(hold.id, &decision, office.ministry.clock.now()).await.unwrap();
    };
    decide(false, ids(&["S004"]).await).await;
    decide(true, ids(&["S001", "S002"]).await).await;
    office.ministry.sync().await;
    office.works(office.example()).await;
    assert_eq!((files(&office.folder), office.told().await), ((2, 2), vec!["S001".into(), "S002".into()]));
    decide(true, ids(&["S003"]).await).await;
    office.ministry.sync().await;
    office.works(office.example()).await;
    office.passes(TimeDelta::days(30));
    office.ministry.sync().await;
    office.works(office.example()).await;
    assert_eq!((files(&office.folder), office.told().await.len()), ((1, 3), 3), "what was rejected stays");

    // What was let go ahead is for that day: with the retention that was meant the mailbox stays as long as that says.
    let account = office.ministry.person("S003").await.account.unwrap();
    assert!(may_close(&account, day("2026-12-03")) && !may_close(&account, day("2027-03-02")));
}

#[tokio::test]
async fn leavers_without_a_mailbox_are_in_no_plan_when_a_program_is_asked_from_now_on() {
    let mut office = Office::open().await;
    for (n, family) in (1..).zip(["Can", "Kan", "Han"]) {
        office.says(&format!("S00{n}: given=Ali; family={family}; start=2026-12-01; unit=20000004; post=Memur; end=2026-12-01")).await;
    }
    office.ministry.clock.set(day("2026-12-02"));
    office.ministry.work().await;
    office.ministry.clock.set(day("2027-06-01"));
    let of = |kind| move |run: &Run| run.summary.planned.get(&kind).copied();
    let planned = of(ActionKind::CloseMailbox);
    assert_eq!(planned(&office.ministry.sync().await), None, "nobody has looked");
    // One of them has a mailbox from before.
    let guid = office.ministry.person("S002").await.account.unwrap().guid.unwrap();
    std::fs::write(office.folder.path().join(guid.to_string()), "OPEN").unwrap();
    office.works(office.example()).await;
    assert_eq!(files(&office.folder), (1, 0), "hidden at once, as every leaver's");
    assert_eq!(planned(&office.ministry.sync().await), Some(1));
    office.works(office.example()).await;
    assert_eq!((files(&office.folder), office.told().await), ((0, 1), vec!["S002".into()]));
    assert_eq!(planned(&office.ministry.sync().await), None);
}

#[tokio::test]
async fn who_left_before_mailboxes_were_made_in_the_cloud_has_none() {
    let mut ministry = Ministry::with("2026-12-01", policy()).await;
    ministry.units().await;
    let mut hr = Hr::default();
    let rows = hr.says("S001: given=Ali; family=Can; start=2026-12-01; unit=20000004; post=Memur; end=2026-12-01");
    ministry.staff(&rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
    ministry.work().await;
    ministry.clock.set(day("2026-12-02"));
    ministry.work().await;
    let remote = Mailboxes::Remote { routing_domain: "csb.mail.onmicrosoft.com".into() };
    ministry.reconciler.policy = Arc::new(Policy { mailboxes: remote.clone(), ..policy() });
    ministry.clock.set(day("2027-06-01"));
    ministry.sync().await;
    let account = ministry.person("S001").await.account.unwrap();
    let mailbox = remote.of_account(&account, 90, day("2027-06-01")).unwrap();
    assert_eq!((mailbox.state(), mailbox.closes_on, mailbox.waiting), (MailboxState::None, None, None));
    let before = ministry.store.people(PeopleBy::Ids(&[account.person])).await.unwrap();
    ministry.sync().await;
    assert_eq!(ministry.store.people(PeopleBy::Ids(&[account.person])).await.unwrap(), before, "said once");
}

#[tokio::test]
async fn who_returns_before_the_day_keeps_the_mailbox_and_nothing_is_closed_on_it() {
    let mut office = Office::open().await;
    office.says(NEWCOMER).await;
    office.works(office.example()).await;
    office.says("S001: end=2026-12-01").await;
    office.ministry.clock.set(day("2026-12-02"));
    office.ministry.work().await;
    office.works(office.example()).await;
    office.ministry.clock.set(day("2027-02-01"));
    office.says("S001: start=2027-02-01; end=; status=ACTIVE").await;
    office.works(office.example()).await;
    assert_eq!(office.stands().await, (MailboxState::Open, None));
    office.ministry.clock.set(day("2027-06-01"));
    office.works(office.example()).await;
    assert_eq!(office.stands().await, (MailboxState::Open, None));
}

#[tokio::test]
async fn an_answer_that_is_lost_is_looked_for_and_what_is_waited_for_too_long_is_an_issue() {
    let mut office = Office::open().await;
    office.says(NEWCOMER).await;
    // It opens the mailbox and is killed before it can say so.
    let folder = office.folder.path().display().to_string();
    let killed = format!(
        "request=$(cat); printf %s \"$request\" | {EXAMPLE} {folder} > {folder}/last; \
         case $request in *status*) cat {folder}/last;; *) kill -9 $$;; esac"
    );
    let programs = TempDir::new().unwrap();
    office.works(host(program(&programs, &killed), &[], 10)).await;
    assert_eq!(office.stands().await.0, MailboxState::Requested);
    let request = office.mailbox().await.waiting.unwrap().request;
    office.passes(TimeDelta::minutes(2));
    office.works(office.example()).await;
    assert_eq!(office.stands().await.0, MailboxState::Open);
    let person = office.ministry.person("S001").await.person.id;
    let audit = office.ministry.store.audit_events(Some(person), 50).await.unwrap();
    let opened = audit.iter().find(|e| e.deed == "mailbox.open").unwrap();
    assert_eq!(opened.detail["request"], serde_json::json!(request), "the request that was in doubt");

    // Another one waits for ever.
    let mut office = Office::open().await;
    office.says(NEWCOMER).await;
    let waits = "id=$(sed -n 's/.*\"requestId\":\"\\([^\"]*\\)\".*/\\1/p'); \
                 printf '{\"version\":1,\"requestId\":\"%s\",\"state\":\"WAITING\",\"waitingFor\":\"a licence\"}' \"$id\"";
    // Nobody has looked yet, and there is none: the example says so.
    let keeper = office.keeper(office.example());
    keeper.round().await.unwrap();
    office.works(host(program(&programs, waits), &[], 10)).await;
    let mailbox = office.mailbox().await;
    assert_eq!((mailbox.state(), mailbox.waiting.unwrap().waits_for()), (MailboxState::Requested, "a licence".into()));
    assert_eq!(office.issues().await, []);
    office.passes(TimeDelta::hours(25));
    office.works(host(program(&programs, waits), &[], 10)).await;
    assert_eq!(office.issues().await, [IssueKind::MailboxOverdue]);
    office.passes(TimeDelta::hours(1));
    office.works(office.example()).await;
    office.passes(TimeDelta::hours(1));
    office.works(office.example()).await;
    assert_eq!((office.stands().await.0, office.issues().await), (MailboxState::Open, vec![]));

    // And one that is refused says why.
    let mut office = Office::open().await;
    office.says(NEWCOMER).await;
    office.keeper(office.example()).round().await.unwrap();
    office.works(host(program(&programs, "echo 'the database is full' >&2; exit 65"), &[], 10)).await;
    assert_eq!(office.issues().await, [IssueKind::MailboxRefused]);
    assert!(office.mailbox().await.waiting.unwrap().waits_for().contains("the database is full"));
    office.passes(TimeDelta::hours(7));
    office.works(office.example()).await;
    assert_eq!((office.stands().await.0, office.issues().await), (MailboxState::Open, vec![]));
}

#[tokio::test]
async fn a_mailbox_in_the_cloud_tells_from_its_account_how_it_stands() {
    let mailboxes = Mailboxes::Remote { routing_domain: "csb.mail.onmicrosoft.com".into() };
    let ministry = Ministry::with("2026-12-01", Policy { mailboxes: mailboxes.clone(), ..policy() }).await;
    ministry.units().await;
    let mut hr = Hr::default();
    let mut says = async |line: &str| {
        let rows = hr.says(line);
        ministry.staff(&rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
        ministry.work().await;
    };
    let stands = async || {
        let account = ministry.person("S001").await.account.unwrap();
        let today = kimlik_domain::day::today(ministry.clock.now());
        let mailbox = mailboxes.of_account(&account, 90, today).unwrap();
        (mailbox.state(), mailbox.closes_on.map(|d| d.to_string()))
    };
    says(NEWCOMER).await;
    assert_eq!(stands().await, (MailboxState::Open, None));
    says("S001: end=2026-12-01").await;
    ministry.clock.set(day("2026-12-02"));
    ministry.work().await;
    assert_eq!(stands().await, (MailboxState::Hidden, Some("2027-03-02".into())));
    ministry.clock.set(day("2027-03-02"));
    assert_eq!(stands().await.0, MailboxState::Closing);
    ministry.work().await;
    assert_eq!(stands().await, (MailboxState::Closed, Some("2027-03-02".into())));
    let guid = ministry.person("S001").await.account.unwrap().guid.unwrap();
    let seen = ministry.directory.observe(&[guid]).await.unwrap().remove(0);
    for gone in [Attribute::Mail, Attribute::ProxyAddresses, Attribute::MailNickname, Attribute::TargetAddress] {
        assert_eq!(seen.attributes.get(gone), None, "{gone:?}");
    }
    says("S001: start=2027-03-02; end=; status=ACTIVE").await;
    assert_eq!(stands().await, (MailboxState::Open, None));
    let seen = ministry.directory.observe(&[guid]).await.unwrap().remove(0);
    assert_eq!(seen.attributes.text(Attribute::Mail), Some("ayse.sahin@csb.test"));
}
