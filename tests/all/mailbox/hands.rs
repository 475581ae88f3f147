//! Whose hand a mailbox is in: one worker's at a time, and no longer than it must be where that one was killed or slept.
use super::{EXAMPLE, NEWCOMER, Office, host, ledger, program, request, somebody};
use async_trait::async_trait;
use chrono::TimeDelta;
use kimlik_adapters::store::SqlStore;
use kimlik_domain::account::AccountRef;
use kimlik_domain::id::AccountGuid;
use kimlik_domain::mailbox::keeper::{KeeperRules, MailboxKeeper};
use kimlik_domain::mailbox::{MailboxDeed, MailboxState, Seen, Stands};
use kimlik_domain::ports::{Clock, MailboxHost, MailboxLedger, MailboxRequest, PortError, PortResult};
use kimlik_tests::fakes::TestClock;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use uuid::Uuid;

#[tokio::test]
async fn what_outlives_the_kimlik_that_started_it_is_waited_for_and_ended_when_its_time_is_over() {
    let folder = TempDir::new().unwrap();
    let began = folder.path().join("began");
    // What it has started says its number, and works for ever.
    let lines = format!("sleep 600 & echo $! > {0}.new; mv {0}.new {0}; wait", began.display());
    let killed = host(program(&folder, &lines), &[], 10);
    let asked = request(Some(MailboxDeed::Open));
    tokio::select! {
        answer = killed.ask(&asked) => panic!("{answer:?}"),
        () = there(&began) => {}
    }
    let next = host(EXAMPLE, &[folder.path()], 10);
    let PortError::Unavailable(why) = next.ask(&request(None)).await.unwrap_err() else { panic!("it is still at it") };
    assert!(why.contains("still running"), "{why}");
    let another = MailboxRequest {
        account: AccountRef { guid: AccountGuid(Uuid::from_u128(somebody().0.as_u128() + 1)), ..request(None).account },
        ..request(None)
    };
    assert_eq!(next.ask(&another).await, Ok(Seen::Stands(Stands::None)), "of another mailbox nothing is waited for");
    let works = || works(&std::fs::read_to_string(&began).unwrap());
    assert!(works());
    let until = Instant::now() + Duration::from_secs(60);
    let at_last = loop {
        match next.ask(&request(None)).await {
            Err(PortError::Unavailable(why)) if why.contains("still running") => assert!(works(), "its time is not over"),
            answer => break answer,
        }
        assert!(Instant::now() < until, "its time was over long ago");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!(at_last, Ok(Seen::Stands(Stands::None)));
    while works() {
        assert!(Instant::now() < until, "its time was over, and it is not ended");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn there(file: &Path) {
    while !file.exists() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Whether a process of this number is there. Why by its state: who has ended may be there until somebody asks what came of it.
pub fn works(process: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.trim())).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

#[tokio::test]
async fn what_has_made_itself_a_service_is_no_part_of_the_program_any_more() {
    let folder = TempDir::new().unwrap();
    let mailboxes = TempDir::new().unwrap();
    let service = folder.path().join("service");
    // It says its number when it has left the group.
    let says = format!("echo $$ > {0}.new; mv {0}.new {0}; exec sleep 600", service.display());
    let lines = format!("setsid sh -c '{says}' >/dev/null 2>&1 </dev/null & exec {EXAMPLE} {}", mailboxes.path().display());
    let host = host(program(&folder, &lines), &[], 10);
    let mut before = None;
    for deed in [MailboxDeed::Open, MailboxDeed::Update] {
        assert_eq!(host.ask(&request(Some(deed))).await, Ok(Seen::Stands(Stands::Open)));
        assert!(before.take().is_none_or(|process: Service| works(&process.0)), "it was ended with the program");
        there(&service).await;
        before = Some(Service(std::fs::read_to_string(&service).unwrap()));
        std::fs::remove_file(&service).unwrap();
    }
}

/// Ended with the test.
struct Service(String);

impl Drop for Service {
    fn drop(&mut self) {
        std::process::Command::new("kill").arg(self.0.trim()).status().ok();
    }
}

/// Takes its time over each; meanwhile another worker looks for something to do.
struct Slow {
    clock: Arc<TestClock>,
    takes: TimeDelta,
    asked: AtomicU32,
    other: Arc<SqlStore>,
    taken_over: AtomicU32,
}

#[async_trait]
impl MailboxHost for Slow {
    async fn ask(&self, _: &MailboxRequest) -> PortResult<Seen> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.clock.pass(self.takes);
        let now = self.clock.now();
        let taken = self.other.claim_mailboxes(now, now + TimeDelta::hours(9), 100).await?;
        self.taken_over.fetch_add(u32::try_from(taken.len()).unwrap(), Ordering::SeqCst);
        Ok(Seen::Stands(Stands::Open))
    }
    async fn end(&self) {}
}

/// Six mailboxes, claimed together and asked for one after the other: how many were asked for, and how many another worker took.
async fn asked_one_by_one(takes: TimeDelta) -> (u32, u32) {
    let mut office = Office::open().await;
    for n in 1..=6 {
        office.says(&format!("S00{n}: given=Ali; family=Can{}; start=2026-12-01; unit=20000004; post=Memur", "x".repeat(n))).await;
    }
    let slow = Arc::new(Slow {
        clock: office.ministry.clock.clone(),
        takes,
        asked: 0.into(),
        other: ledger(&office.ministry).await,
        taken_over: 0.into(),
    });
    let rules = KeeperRules { lease: TimeDelta::seconds(150), patience: TimeDelta::hours(24), at_once: 1 };
    let keeper = MailboxKeeper { host: slow.clone(), rules, ..office.keeper(office.example()) };
    keeper.round().await.unwrap();
    (slow.asked.load(Ordering::SeqCst), slow.taken_over.load(Ordering::SeqCst))
}

#[tokio::test]
async fn those_that_wait_for_each_other_are_kept_and_a_worker_that_slept_asks_for_none_that_another_has() {
    assert_eq!(asked_one_by_one(TimeDelta::seconds(120)).await, (6, 0), "twelve minutes, with leases of two and a half");
    assert_eq!(asked_one_by_one(TimeDelta::seconds(151)).await, (1, 6), "whoever is silent for longer has lost them all");
}

#[tokio::test]
async fn what_a_killed_worker_had_in_hand_waits_no_longer_than_one_answer_may_take() {
    let mut office = Office::open().await;
    office.says(NEWCOMER).await;
    let begun = office.folder.path().join("begun");
    let hung = program(&office.folder, &format!("touch {}; exec sleep 600", begun.display()));
    let rules = KeeperRules { lease: TimeDelta::seconds(150), patience: TimeDelta::hours(24), at_once: 2 };
    let keeper = MailboxKeeper { rules, ..office.keeper(host(&hung, &[], 600)) };
    // Why dropped: as a process that is killed, it says nothing more.
    tokio::select! {
        handled = keeper.round() => panic!("{handled:?}"),
        () = there(&begun) => {}
    }
    let next = office.keeper(office.example());
    office.passes(TimeDelta::seconds(149));
    assert_eq!(next.round().await.unwrap().handled, 0, "it may still be at it");
    office.passes(TimeDelta::seconds(1));
    assert_eq!(next.round().await.unwrap().handled, 1);
    office.works(office.example()).await;
    assert_eq!(office.stands().await.0, MailboxState::Open);
}

#[tokio::test]
async fn what_a_worker_had_in_hand_when_it_was_told_to_stop_is_taken_up_at_once_and_by_one_program_at_a_time() {
    let mut office = Office::open().await;
    for n in 1..=4 {
        office.says(&format!("S00{n}: given=Ali; family=Can{}; start=2026-12-01; unit=20000004; post=Memur", "x".repeat(n))).await;
    }
    let began = office.folder.path().join("began");
    // Why a child that outlives its parent: it is what would go on beside the next worker's program. Each says its number.
    let lines = format!("sleep 600 & echo $! >> {0}.new; if [ $(wc -l < {0}.new) = 2 ]; then mv {0}.new {0}; fi; wait", began.display());
    let hung = program(&office.folder, &lines);
    let rules = KeeperRules { lease: TimeDelta::seconds(150), patience: TimeDelta::hours(24), at_once: 2 };
    let stopped = MailboxKeeper { rules, ..office.keeper(host(&hung, &[], 600)) };
    tokio::select! {
        round = stopped.round() => panic!("{round:?}"),
        () = there(&began) => {}
    }
    let left = std::fs::read_to_string(&began).unwrap();
    assert!(left.lines().count() == 2 && left.lines().all(works), "two at once: {left}");
    let next = office.keeper(office.example());
    assert_eq!(next.round().await.unwrap().handled, 0, "all four are in somebody's hand");
    stopped.let_go().await.unwrap();
    assert_eq!(next.round().await.unwrap().handled, 4);
    stopped.let_go().await.unwrap();
    office.works(office.example()).await;
    assert_eq!(office.stands().await.0, MailboxState::Open);
    let until = Instant::now() + Duration::from_secs(30);
    while left.lines().any(works) {
        assert!(Instant::now() < until, "something of it was left running");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
