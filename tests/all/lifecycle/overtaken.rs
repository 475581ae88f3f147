//! Two at the same account: between the look of one worker and its deed HR takes a word back, and another worker is faster.
use super::{at_rest, crash_after_intending, ministry, says, seen};
use chrono::TimeDelta;
use kimlik_domain::account::{AccountState, Attribute, NewAccount};
use kimlik_domain::id::RunId;
use kimlik_domain::lifecycle::plan::Step;
use kimlik_domain::lifecycle::reconcile::{Progress, Whom};
use kimlik_domain::lifecycle::run::{OperationStatus, Run, RunStatus, Trigger};
use kimlik_domain::lifecycle::{ActionKind, Because};
use kimlik_domain::ports::{Clock, NameRequest, OperationsOf};
use kimlik_domain::staff::IssueKind;
use kimlik_tests::ministry::{Ministry, day};
use kimlik_tests::scenario::Hr;
use std::sync::Mutex;

/// When the other one comes between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    /// The run has looked, and not begun to act.
    Looked,
    /// It has acted and seen what came of it, and not yet said so.
    Acted,
}

/// Lets HR say something else, and a worker of the queue act on it, in the middle of a run.
struct Between<'a> {
    ministry: &'a Ministry,
    moment: Moment,
    rows: Mutex<Vec<String>>,
}

impl Between<'_> {
    fn now(&self) {
        let rows = std::mem::take(&mut *self.rows.lock().unwrap());
        if rows.is_empty() {
            return;
        }
        let meanwhile = async {
            let report = self.ministry.staff(&rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
            assert_eq!(report.rejected_rows, 0, "{:?}", report.issues);
            self.ministry.clock.pass(TimeDelta::seconds(2));
            self.ministry.work().await;
        };
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(meanwhile));
    }
}

impl Progress for Between<'_> {
    fn total(&self, _: u32) {
        if self.moment == Moment::Looked {
            self.now();
        }
    }
    fn done(&self, _: &str, _: &[(ActionKind, Because)], _: bool) {
        if self.moment == Moment::Acted {
            self.now();
        }
    }
}

/// A run over everybody in whose middle HR says this, and the queue is worked off. Why somebody else has the claims at first: the
/// run would take them, and nobody could come between; one who died has them until their lease is over, in the middle of the run.
async fn run_and_meanwhile(m: &Ministry, hr: &mut Hr, moment: Moment, line: &str) {
    let now = m.clock.now();
    assert_eq!(m.store.claim(now, now + TimeDelta::seconds(1), 10).await.unwrap().len(), 1);
    let between = Between { ministry: m, moment, rows: Mutex::new(hr.says(line)) };
    m.reconciler.sync(&Whom::Everybody, Trigger::Command, &between).await.unwrap();
    assert!(between.rows.lock().unwrap().is_empty(), "nobody came between");
    m.work().await;
}

async fn works(m: &Ministry, openings: u32) {
    let record = m.person("S001").await;
    let account = record.account.unwrap();
    assert!(seen(m, "S001").await.enabled, "somebody who works cannot");
    assert_eq!((account.state, account.opening, account.announced_opening), (AccountState::Active, openings, openings));
    assert!(!record.open_issues.contains(&IssueKind::DisabledByHand), "it was nobody's hand");
    assert!(record.unsettled.is_empty(), "{:?}", record.unsettled);
    let told = m.store.messages(None, 100).await.unwrap();
    assert!(told.iter().filter(|message| message.person == record.person.id).count() <= openings as usize, "{told:?}");
    at_rest(m).await;
}

async fn in_service() -> (Ministry, Hr) {
    let (m, mut hr) = (ministry().await, Hr::default());
    says(&m, &mut hr, &["S001: given=Ayşe; family=Şahin; unit=20000004; start=2020-01-01; reason=1"]).await;
    m.sync().await;
    works(&m, 1).await;
    (m, hr)
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_closed_by_a_word_that_hr_has_taken_back() {
    let (left, left_back) = ("reason=96; end=2026-11-30", "reason=1; end=");
    let (leave, leave_back) = ("reason=108; status=ON_LEAVE", "reason=1; status=ACTIVE");
    for (said, taken_back, moment, openings) in [
        (left, left_back, Moment::Looked, 1),
        (left, left_back, Moment::Acted, 2),
        (leave, leave_back, Moment::Looked, 1),
        (leave, leave_back, Moment::Acted, 1),
    ] {
        let (m, mut hr) = in_service().await;
        says(&m, &mut hr, &[&format!("S001: {said}")]).await;
        run_and_meanwhile(&m, &mut hr, moment, &format!("S001: {taken_back}")).await;
        works(&m, openings).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_that_two_workers_see_is_one_opening() {
    for moment in [Moment::Looked, Moment::Acted] {
        let (m, mut hr) = in_service().await;
        says(&m, &mut hr, &["S001: reason=96; end=2026-11-30"]).await;
        m.sync().await;
        says(&m, &mut hr, &["S001: reason=1; end="]).await;
        run_and_meanwhile(&m, &mut hr, moment, "S001: title=Şef").await;
        works(&m, 2).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_while_a_return_is_under_way_is_closed() {
    for moment in [Moment::Looked, Moment::Acted] {
        let (m, mut hr) = in_service().await;
        says(&m, &mut hr, &["S001: reason=96; end=2026-11-30"]).await;
        m.sync().await;
        says(&m, &mut hr, &["S001: reason=1; end="]).await;
        run_and_meanwhile(&m, &mut hr, moment, "S001: reason=96; end=2026-11-30").await;
        let record = m.person("S001").await;
        assert!(!seen(&m, "S001").await.enabled, "somebody who has left can work");
        assert_eq!(record.account.unwrap().state, AccountState::Closed);
        assert!(record.unsettled.is_empty(), "{:?}", record.unsettled);
        at_rest(&m).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_overtaken_is_told_as_that() {
    let (m, mut hr) = in_service().await;
    says(&m, &mut hr, &["S001: reason=96; end=2026-11-30"]).await;
    run_and_meanwhile(&m, &mut hr, Moment::Looked, "S001: reason=1; end=").await;
    let operations = m.store.operations(OperationsOf::Everybody, None, 100).await.unwrap();
    let closing = operations.iter().find(|o| o.kind == ActionKind::Close).unwrap();
    assert_eq!(closing.status, OperationStatus::Superseded, "{:?}", closing.receipt);
}

/// A worker has the names, and has said that it makes the account; the account as it will be. Its operation is number 77, its run 78.
async fn opening_under_way(m: &Ministry, hr: &mut Hr) -> NewAccount {
    says(m, hr, &["S001: given=Ayşe; family=Şahin; unit=20000004; start=2020-01-01; reason=1"]).await;
    let plan = m.plan().await;
    let Step::Create(new) = plan.people[0].actions[0].steps[0].clone() else { panic!("{}", plan.text()) };
    let (username, mail) = (new.attributes.text(Attribute::Username).unwrap(), new.attributes.text(Attribute::Mail).unwrap());
    let names = NameRequest {
        person: plan.people[0].person,
        usernames: vec![username.into()],
        addresses: vec![mail.into()],
        named_for: "ayse sahin".into(),
        on: day("2026-12-01"),
        former_unused: false,
    };
    assert!(m.store.reserve(&[names], true).await.unwrap()[0].is_some());
    let (id, now) = (RunId(uuid::Uuid::from_u128(78)), m.clock.now());
    let summary = Default::default();
    let run = Run { id, trigger: Trigger::HrChange, status: RunStatus::Running, started_at: now, finished_at: None, summary };
    m.store.begin_run(&run, now + TimeDelta::minutes(1)).await.unwrap();
    crash_after_intending(m).await;
    new
}

async fn number_77(m: &Ministry) -> OperationStatus {
    let operations = m.store.operations(OperationsOf::Everybody, None, 100).await.unwrap();
    operations.into_iter().find(|o| o.id.0.as_u128() == 77).unwrap().status
}

/// The worker has made it, and dies before it can say so.
async fn made_and_lost(m: &Ministry, new: &NewAccount) {
    m.directory.create(new).await.unwrap();
    m.clock.pass(TimeDelta::minutes(2));
    assert_eq!(m.store.interrupt_lost(m.clock.now()).await.unwrap(), [RunId(uuid::Uuid::from_u128(78))]);
}

async fn is_closed_and_nobody_had_to_decide(m: &Ministry) {
    assert_eq!(m.store.holds(None, 10).await.unwrap(), [], "it is Kimlik's own");
    assert_eq!(m.person("S001").await.account.unwrap().state, AccountState::Closed);
    assert!(!matches!(number_77(m).await, OperationStatus::Intended | OperationStatus::InDoubt));
    at_rest(m).await;
}

#[tokio::test]
async fn an_opening_under_way_is_not_called_off_by_whoever_looks_meanwhile() {
    let (m, mut hr) = (ministry().await, Hr::default());
    let new = opening_under_way(&m, &mut hr).await;
    says(&m, &mut hr, &["S001: reason=96; end=2026-11-30"]).await;
    m.sync().await;
    assert_eq!(number_77(&m).await, OperationStatus::Intended, "its worker is at it");
    made_and_lost(&m, &new).await;
    m.sync().await;
    is_closed_and_nobody_had_to_decide(&m).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opening_that_was_broken_off_stays_kimliks_own_when_its_person_leaves_in_the_middle_of_a_run() {
    let (m, mut hr) = (ministry().await, Hr::default());
    let new = opening_under_way(&m, &mut hr).await;
    made_and_lost(&m, &new).await;
    run_and_meanwhile(&m, &mut hr, Moment::Looked, "S001: reason=96; end=2026-11-30").await;
    is_closed_and_nobody_had_to_decide(&m).await;
}
