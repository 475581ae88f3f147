//! The core under suspicion: each test is a way in which somebody could be closed, opened or told by mistake.
use chrono::TimeDelta;
use kimlik_adapters::directory::embedded::Foreign;
use kimlik_domain::account::{AccountState, Attribute, GroupRule, ObservedAccount, Sealed, Value, When};
use kimlik_domain::lifecycle::grip::HAND;
use kimlik_domain::lifecycle::hold::{HoldDecision, HoldStatus};
use kimlik_domain::lifecycle::limits::{Budget, Limit};
use kimlik_domain::lifecycle::reconcile::{Progress, Silent, Whom};
use kimlik_domain::lifecycle::run::{OperationStatus, RunStatus, Trigger};
use kimlik_domain::lifecycle::{ActionKind, Because};
use kimlik_domain::ports::{Clock, OperationsOf, Refusal};
use kimlik_domain::staff::IssueKind;
use kimlik_tests::ministry::{Ministry, day, policy};
use kimlik_tests::scenario::{Hr, play};

mod names;
mod overtaken;
mod plan;

async fn ministry() -> Ministry {
    let ministry = Ministry::small("2026-12-01").await;
    ministry.units().await;
    ministry
}

async fn with_limit(budget: Budget, at_most: u32) -> Ministry {
    let mut policy = policy();
    let limit = Limit { percent: None, absolute: Some(at_most), at_least: 0 };
    policy.limits.everywhere.insert(budget, limit);
    policy.limits.per_province.clear();
    let ministry = Ministry::with("2026-12-01", policy).await;
    ministry.units().await;
    ministry
}

/// HR says it, as a delta.
async fn says(ministry: &Ministry, hr: &mut Hr, lines: &[&str]) {
    let rows: Vec<String> = lines.iter().flat_map(|l| hr.says(l)).collect();
    let report = ministry.staff(&rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!((report.refused, report.rejected_rows), (None, 0), "{:?}", report.issues);
}

async fn seen(ministry: &Ministry, no: &str) -> ObservedAccount {
    let guid = ministry.person(no).await.account.unwrap().guid.unwrap();
    ministry.directory.observe(&[guid]).await.unwrap().remove(0)
}

async fn decide(ministry: &Ministry, approve: bool) {
    for hold in ministry.store.holds(Some(HoldStatus::Open), 100).await.unwrap() {
        let decision = HoldDecision { approve, digest: Some(hold.digest), people: None, by: "cli:test".into(), note: None };
        ministry.store.decide_hold(hold.id, &decision, ministry.clock.now()).await.unwrap();
    }
}

async fn at_rest(ministry: &Ministry) {
    let plan = ministry.plan().await;
    assert!(plan.people.iter().all(|p| p.is_empty()), "{}", plan.text());
}

fn groups(account: &ObservedAccount) -> Vec<String> {
    account.groups.iter().map(|g| g.name()).collect()
}

// --------------------------------------------------------------------------------------------------------- closing

#[tokio::test]
async fn a_second_closing_sets_a_random_password_also_on_an_account_that_is_on_leave() {
    let (m, mut hr) = (ministry().await, Hr::default());
    says(&m, &mut hr, &["S001: given=Ayşe; family=Şahin; unit=20000004; start=2020-01-01; reason=1"]).await;
    m.sync().await;
    says(&m, &mut hr, &["S001: reason=96; end=2026-11-30"]).await;
    m.sync().await;
    assert_eq!(m.person("S001").await.account.unwrap().sealed, Sealed::Closing);
    says(&m, &mut hr, &["S001: reason=1; end="]).await;
    m.sync().await;
    says(&m, &mut hr, &["S001: reason=108; status=ON_LEAVE"]).await;
    m.sync().await;
    assert!(!seen(&m, "S001").await.enabled);
    says(&m, &mut hr, &["S001: reason=96; status=TERMINATED; end=2026-11-30"]).await;
    let text = m.plan().await.text();
    assert!(text.contains("set a random password"), "the password of the last opening would live on:\n{text}");
    m.sync().await;
    assert_eq!(m.person("S001").await.account.unwrap().state, AccountState::Closed);
    at_rest(&m).await;
}

#[tokio::test]
async fn somebody_taken_back_from_a_closing_that_was_only_half_done_works_again_and_is_told() {
    let (m, mut hr) = (ministry().await, Hr::default());
    says(&m, &mut hr, &["S001: given=Ayşe; family=Şahin; unit=20000004; start=2020-01-01; reason=1"]).await;
    m.sync().await;
    // The closed OU cannot be moved into: the closing stays half done.
    let mut broken = policy();
    broken.closed_ou = broken.base.below("OU=Gibt Es Nicht");
    let sound = m.reconciler.policy.clone();
    let mut m = m;
    m.reconciler.policy = std::sync::Arc::new(broken);
    says(&m, &mut hr, &["S001: reason=96; end=2026-11-30"]).await;
    m.sync().await;
    let half = m.person("S001").await.account.unwrap();
    assert_eq!((half.state, half.sealed), (AccountState::Suspended, Sealed::Closing));
    assert!(!seen(&m, "S001").await.enabled);
    m.reconciler.policy = sound;
    says(&m, &mut hr, &["S001: reason=1; end="]).await;
    m.sync().await;
    let account = seen(&m, "S001").await;
    assert!(account.enabled, "Kimlik disabled it, nobody's hand");
    assert_eq!(groups(&account), ["Tasra Personeli"]);
    // The password was made random: only a new code lets the person in.
    assert_eq!(m.store.messages(None, 10).await.unwrap().len(), 2);
    assert!(!m.person("S001").await.open_issues.contains(&IssueKind::DisabledByHand));
    at_rest(&m).await;
}

#[tokio::test]
async fn nobody_is_told_of_an_account_that_somebody_has_disabled() {
    let (m, mut hr) = (ministry().await, Hr::default());
    says(&m, &mut hr, &["S001: given=Ayşe; family=Şahin; unit=20000004; start=2020-01-01; reason=1; mobile="]).await;
    m.sync().await;
    let account = seen(&m, "S001").await;
    assert!(account.enabled);
    m.embedded.as_ref().unwrap().hand_enable(account.guid, false).await.unwrap();
    says(&m, &mut hr, &["S001: mobile=0532 111 22 33"]).await;
    m.sync().await;
    assert_eq!(m.store.messages(None, 10).await.unwrap().len(), 0);
    m.embedded.as_ref().unwrap().hand_enable(account.guid, true).await.unwrap();
    m.sync().await;
    assert_eq!(m.store.messages(None, 10).await.unwrap().len(), 1);
}

// ----------------------------------------------------------------------------------------------------------- holds

#[tokio::test]
async fn a_group_of_the_old_unit_is_left_also_when_the_change_of_groups_waited_in_a_hold() {
    let (m, mut hr) = (with_limit(Budget::Update, 0).await, Hr::default());
    says(&m, &mut hr, &["S001: given=Ayşe; family=Şahin; unit=20000004; start=2020-01-01; reason=1"]).await;
    m.sync().await;
    assert_eq!(groups(&seen(&m, "S001").await), ["Tasra Personeli"]);
    says(&m, &mut hr, &["S001: unit=12100000; reason=71"]).await;
    m.sync().await;
    assert_eq!(groups(&seen(&m, "S001").await), ["Tasra Personeli"], "updates are held");
    m.sync().await;
    decide(&m, true).await;
    m.work().await;
    assert_eq!(groups(&seen(&m, "S001").await), ["Merkez Personeli"]);
    at_rest(&m).await;
}

#[tokio::test]
async fn a_rejected_closing_does_not_keep_the_next_one_from_happening() {
    let (m, mut hr) = (with_limit(Budget::Close, 0).await, Hr::default());
    says(&m, &mut hr, &["S001: given=Ayşe; family=Şahin; unit=20000004; start=2020-01-01; reason=1"]).await;
    m.sync().await;
    says(&m, &mut hr, &["S001: reason=96; end=2026-11-30"]).await;
    m.sync().await;
    decide(&m, false).await;
    m.sync().await;
    assert!(seen(&m, "S001").await.enabled, "rejected");
    // HR mends its mistake; years later the person leaves indeed, with the very same steps.
    says(&m, &mut hr, &["S001: reason=1; end="]).await;
    m.work().await;
    m.clock.set(day("2028-06-02"));
    says(&m, &mut hr, &["S001: reason=96; end=2028-06-01"]).await;
    m.sync().await;
    let open = m.store.holds(Some(HoldStatus::Open), 10).await.unwrap();
    assert_eq!(open.len(), 1, "the closing is neither done nor asked for: it is forgotten");
    decide(&m, true).await;
    m.work().await;
    assert!(!seen(&m, "S001").await.enabled);
}

#[tokio::test]
async fn an_approval_that_was_not_needed_any_more_does_not_open_the_door_for_a_later_closing() {
    let (m, mut hr) = (with_limit(Budget::Close, 0).await, Hr::default());
    says(&m, &mut hr, &["S001: given=Ayşe; family=Şahin; unit=20000004; start=2020-01-01; reason=1"]).await;
    m.sync().await;
    says(&m, &mut hr, &["S001: reason=96; end=2026-11-30"]).await;
    m.sync().await;
    says(&m, &mut hr, &["S001: reason=1; end="]).await;
    decide(&m, true).await;
    m.work().await;
    assert!(seen(&m, "S001").await.enabled);
    m.clock.set(day("2028-06-02"));
    says(&m, &mut hr, &["S001: reason=96; end=2028-06-01"]).await;
    m.sync().await;
    assert!(seen(&m, "S001").await.enabled, "an old approval bypassed the limit");
}

#[tokio::test]
async fn a_rejected_closing_stays_rejected_when_somebody_changes_the_groups_of_the_account() {
    let (m, mut hr) = (with_limit(Budget::Close, 1).await, Hr::default());
    let both = [
        "S001: given=Bir; family=Kişi; unit=20000004; start=2020-01-01; reason=1",
        "S002: given=İki; family=Kişi; unit=20000004; start=2020-01-01; reason=1",
    ];
    says(&m, &mut hr, &both).await;
    m.sync().await;
    says(&m, &mut hr, &["S001: reason=96; end=2026-11-30", "S002: reason=96; end=2026-11-30"]).await;
    m.sync().await;
    decide(&m, false).await;
    let base = &m.reconciler.policy.base;
    let guid = seen(&m, "S001").await.guid;
    m.embedded.as_ref().unwrap().hand_group(guid, &base.below("CN=Proje X,OU=Gruplar"), true).await.unwrap();
    let run = m.sync().await;
    assert!(seen(&m, "S001").await.enabled, "closed against the decision of the administrator");
    assert_eq!(run.status, RunStatus::Held, "asked anew, because the plan has changed");
    decide(&m, false).await;
    m.sync().await;
    assert!(seen(&m, "S001").await.enabled);
}

#[tokio::test]
async fn a_change_that_comes_back_into_an_open_hold_can_be_decided_again() {
    let (m, mut hr) = (with_limit(Budget::Close, 0).await, Hr::default());
    let both = [
        "S001: given=Bir; family=Kişi; unit=20000004; start=2020-01-01; reason=1",
        "S002: given=İki; family=Kişi; unit=20000004; start=2020-01-01; reason=1",
    ];
    says(&m, &mut hr, &both).await;
    m.sync().await;
    let leave = ["S001: reason=96; end=2026-11-30", "S002: reason=96; end=2026-11-30"];
    says(&m, &mut hr, &leave).await;
    m.sync().await;
    let hold = m.store.holds(Some(HoldStatus::Open), 10).await.unwrap().remove(0);
    let one = m.person("S001").await.person.id;
    let reject = HoldDecision { approve: false, digest: None, people: Some(vec![one]), by: "cli:test".into(), note: None };
    m.store.decide_hold(hold.id, &reject, m.clock.now()).await.unwrap();
    says(&m, &mut hr, &["S001: reason=1; end="]).await;
    m.sync().await;
    says(&m, &mut hr, &["S001: reason=96; end=2026-11-30"]).await;
    m.sync().await;
    let items = m.store.hold_items(hold.id, None, 10).await.unwrap();
    assert!(items.iter().all(|i| i.approved.is_none()), "{items:?}");
    decide(&m, true).await;
    m.work().await;
    assert!(!seen(&m, "S001").await.enabled && !seen(&m, "S002").await.enabled);
}

#[tokio::test]
async fn a_transfer_counts_once_against_the_limit_of_updates_however_many_actions_it_takes() {
    let (m, mut hr) = (with_limit(Budget::Update, 6).await, Hr::default());
    let hired: Vec<String> = ["Bir", "İki", "Üç", "Dört", "Beş"]
        .iter()
        .enumerate()
        .map(|(i, g)| format!("S00{i}: given={g}; family=Kişi; unit=20000004; start=2020-01-01; reason=1"))
        .collect();
    says(&m, &mut hr, &hired.iter().map(String::as_str).collect::<Vec<_>>()).await;
    m.sync().await;
    let moved: Vec<String> = (0..5).map(|i| format!("S00{i}: unit=12100000; reason=71")).collect();
    says(&m, &mut hr, &moved.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let run = m.sync().await;
    assert_eq!(run.status, RunStatus::Done, "{run:?}");
    at_rest(&m).await;
}

#[tokio::test]
async fn an_approved_takeover_of_a_whole_hierarchy_goes_through_in_one_approval() {
    let (m, mut hr) = (ministry().await, Hr::default());
    let base = m.reconciler.policy.base.clone();
    for (no, name) in [("S001", "Baş Kan"), ("S002", "Orta Kat"), ("S003", "Alt Kat")] {
        let foreign = Foreign::new(base.below(&format!("CN={name},OU=Ankara,OU=Tasra")), &format!("u{no}"))
            .with(Attribute::EmployeeId, Value::text(no));
        m.embedded.as_ref().unwrap().insert_foreign(&foreign).await.unwrap();
    }
    says(
        &m,
        &mut hr,
        &[
            "S001: given=Baş; family=Kan; unit=20000006; start=2020-01-01; reason=1",
            "S002: given=Orta; family=Kat; unit=20000006; start=2020-01-01; reason=1",
            "S003: given=Alt; family=Kat; unit=20000006; start=2020-01-01; reason=1",
        ],
    )
    .await;
    m.hr("units", "code;head_registry_no\n20000006;S001\n").await;
    m.sync().await;
    let hold = m.store.holds(Some(HoldStatus::Open), 10).await.unwrap().remove(0);
    assert_eq!(hold.people, 3);
    let first = m.person("S001").await.person.id;
    let approve = |people| HoldDecision { approve: true, digest: None, people, by: "cli:test".into(), note: None };
    m.store.decide_hold(hold.id, &approve(Some(vec![first])), m.clock.now()).await.unwrap();
    m.store.decide_hold(hold.id, &approve(None), m.clock.now()).await.unwrap();
    // As in a large ministry: the head is taken over before the others' turn comes.
    m.reconciler.sync(&Whom::People(vec![first]), Trigger::Command, &Silent).await.unwrap();
    m.work().await;
    assert_eq!(m.store.holds(Some(HoldStatus::Open), 10).await.unwrap().len(), 0);
    for no in ["S002", "S003"] {
        assert!(m.person(no).await.account.unwrap().guid.is_some(), "{no} was approved and not taken over");
    }
    m.sync().await;
    at_rest(&m).await;
}

// ------------------------------------------------------------------------------------------------------- transfers

#[tokio::test]
async fn a_transfer_between_branches_of_one_name_says_from_which_province_to_which() {
    let (m, mut hr) = (ministry().await, Hr::default());
    let branch = |code, above, plate| format!("{code};{above};Personel Şube Müdürlüğü;;PROVINCIAL;{plate};;;;;;;\n");
    let header = kimlik_tests::ministry::UNITS.lines().next().unwrap();
    let branches = [branch("30000004", "20000004", "04"), branch("30000035", "20000035", "35")].concat();
    assert_eq!(m.hr("units", &format!("{header}\n{branches}")).await.refused, None);
    says(&m, &mut hr, &["S001: given=Ayşe; family=Şahin; unit=30000004; start=2020-01-01; reason=1"]).await;
    m.sync().await;
    says(&m, &mut hr, &["S001: unit=30000035; reason=71"]).await;
    let text = m.plan().await.text();
    assert!(text.contains("transfer to Personel Şube Müdürlüğü (İzmir) from Personel Şube Müdürlüğü (Ağrı)"), "{text}");
}

// ---------------------------------------------------------------------------------------------------------- issues

#[tokio::test]
async fn a_refusal_of_what_need_not_be_done_any_more_is_resolved() {
    let (mut m, mut hr) = (ministry().await, Hr::default());
    let sound = m.reconciler.policy.clone();
    let mut broken = policy();
    let missing = GroupRule { when: When::default(), group: broken.base.below("CN=Yok,OU=Gruplar") };
    broken.groups.push(missing);
    m.reconciler.policy = broken.into();
    says(&m, &mut hr, &["S001: given=Ayşe; family=Şahin; unit=20000004; start=2020-01-01; reason=1"]).await;
    m.sync().await;
    assert!(m.person("S001").await.open_issues.contains(&IssueKind::DirectoryRefused));
    assert!(seen(&m, "S001").await.enabled, "a group that is not there keeps nobody from working");
    m.reconciler.policy = sound;
    m.sync().await;
    assert!(!m.person("S001").await.open_issues.contains(&IssueKind::DirectoryRefused));
    at_rest(&m).await;
}

/// The intent of what is planned for the first person is committed, and then the power goes. Its operation is number 77.
async fn crash_after_intending(m: &Ministry) {
    let plan = m.plan().await;
    let action = &plan.people[0].actions[0];
    let intent = kimlik_domain::lifecycle::run::Intent {
        operation: kimlik_domain::id::OperationId(uuid::Uuid::from_u128(77)),
        run: kimlik_domain::id::RunId(uuid::Uuid::from_u128(78)),
        person: plan.people[0].person,
        kind: action.kind,
        budget: action.budget(),
        province: None,
        approved: false,
        digest: action.digest(),
        because: "x".into(),
        steps: action.steps.clone(),
        at: m.clock.now(),
    };
    m.store.intend(&[intent], &[], m.clock.now() - TimeDelta::days(1)).await.unwrap();
}

#[tokio::test]
async fn a_closing_cut_off_by_a_crash_is_not_called_done_when_hr_has_changed_its_mind() {
    let (m, mut hr) = (ministry().await, Hr::default());
    says(&m, &mut hr, &["S001: given=Ayşe; family=Şahin; unit=20000004; start=2020-01-01; reason=1"]).await;
    m.sync().await;
    says(&m, &mut hr, &["S001: reason=96; end=2026-11-30"]).await;
    crash_after_intending(&m).await;
    says(&m, &mut hr, &["S001: reason=1; end="]).await;
    m.sync().await;
    let operations = m.store.operations(kimlik_domain::ports::OperationsOf::Everybody, None, 100).await.unwrap();
    let closing = operations.iter().find(|o| o.id.0.as_u128() == 77).unwrap();
    assert_eq!(closing.status, OperationStatus::Superseded, "{:?}", closing.receipt);
}

#[tokio::test]
async fn somebody_disabled_by_a_closing_that_crashed_comes_back_when_hr_changes_its_mind() {
    let (m, mut hr) = (ministry().await, Hr::default());
    says(&m, &mut hr, &["S001: given=Ayşe; family=Şahin; unit=20000004; start=2020-01-01; reason=1"]).await;
    m.sync().await;
    says(&m, &mut hr, &["S001: reason=221; status=SUSPENDED"]).await;
    crash_after_intending(&m).await;
    let account = seen(&m, "S001").await;
    m.directory.set_enabled(&account.reference(), false).await.unwrap();
    says(&m, &mut hr, &["S001: reason=222; status=ACTIVE"]).await;
    m.sync().await;
    assert!(seen(&m, "S001").await.enabled, "Kimlik disabled it before the crash, nobody's hand");
    at_rest(&m).await;
}

#[tokio::test]
async fn a_story_comes_to_rest() {
    let m = ministry().await;
    let text = play(&m, "hr:\n  S001: given=Ayşe; family=Şahin; unit=20000004; start=2020-01-01; reason=1\nsync\n").await;
    assert!(text.contains("1 to open"));
    at_rest(&m).await;
}

// ---------------------------------------------------------------------------------------------------- one hand

/// Another replica takes the hand at everybody when this run is about to begin with its work.
struct Usurper<'a> {
    ministry: &'a Ministry,
    slept: TimeDelta,
}

impl Progress for Usurper<'_> {
    fn total(&self, people: u32) {
        assert_eq!(people, 1);
        self.ministry.clock.pass(self.slept);
        let (store, now) = (&self.ministry.store, self.ministry.clock.now());
        let take = async { store.take_hand(uuid::Uuid::from_u128(7), now, now + TimeDelta::hours(1)).await.unwrap() };
        let taken = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(take));
        assert_eq!(taken, self.slept > HAND);
    }
    fn done(&self, _: &str, _: &[(ActionKind, Because)], _: bool) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_slept_while_another_took_over_touches_nobody_any_more() {
    let (m, mut hr) = (ministry().await, Hr::default());
    says(&m, &mut hr, &["S001: given=Ayşe; family=Şahin; unit=20000004; start=2020-01-01; reason=1"]).await;
    let slept = Usurper { ministry: &m, slept: HAND * 2 };
    let stopped = m.reconciler.sync(&Whom::Everybody, Trigger::Command, &slept).await.unwrap_err();
    assert_eq!(stopped.refusal(), Some(Refusal::InHand));
    let operations = m.store.operations(OperationsOf::Everybody, None, 10).await.unwrap();
    assert!(operations.is_empty(), "not even an intent: {operations:?}");
    let runs = m.store.runs(None, 10).await.unwrap();
    assert_eq!((runs.len(), runs[0].status), (1, RunStatus::Failed));
    let refused = m.reconciler.sync(&Whom::Everybody, Trigger::Command, &Silent).await.unwrap_err();
    assert_eq!((refused.refusal(), m.store.runs(None, 10).await.unwrap().len()), (Some(Refusal::InHand), 1), "the other is at it");
    m.clock.pass(TimeDelta::hours(2));
    let awake = Usurper { ministry: &m, slept: TimeDelta::zero() };
    let run = m.reconciler.sync(&Whom::Everybody, Trigger::Command, &awake).await.unwrap();
    assert_eq!((run.status, run.summary.done), (RunStatus::Done, 1));
    at_rest(&m).await;
}

#[tokio::test]
async fn somebody_whose_claim_was_lost_is_left_to_the_other_worker() {
    let (m, mut hr) = (ministry().await, Hr::default());
    says(&m, &mut hr, &["S001: given=Ayşe; family=Şahin; unit=20000004; start=2020-01-01; reason=1"]).await;
    let id = m.person("S001").await.person.id;
    let slow = Slow { ministry: &m };
    let claim = m.store.claim(m.clock.now(), m.clock.now() + TimeDelta::seconds(1), 1).await.unwrap();
    assert_eq!(claim[0].person, id);
    m.clock.pass(TimeDelta::seconds(2));
    assert_eq!(m.reconciler.work(&slow).await.unwrap(), 1);
    assert_eq!(m.store.renew_claims(&claim, m.clock.now()).await.unwrap(), [id], "the slow one hears that it is no longer its own");
    m.work().await;
    at_rest(&m).await;
}

/// Takes longer than a third of a lease before it begins: the lease is kept, and the work done.
struct Slow<'a> {
    ministry: &'a Ministry,
}

impl Progress for Slow<'_> {
    fn total(&self, _: u32) {
        self.ministry.clock.pass(TimeDelta::seconds(40));
    }
    fn done(&self, _: &str, _: &[(ActionKind, Because)], ok: bool) {
        assert!(ok);
    }
}

/// Takes almost as long as a run counts as carried out, and hears at its end whether it still would for as long again.
struct Long<'a> {
    ministry: &'a Ministry,
}

impl Progress for Long<'_> {
    fn total(&self, _: u32) {
        self.ministry.clock.pass(TimeDelta::seconds(50));
    }
    fn done(&self, _: &str, _: &[(ActionKind, Because)], ok: bool) {
        assert!(ok);
        let (store, later) = (&self.ministry.store, self.ministry.clock.now() + TimeDelta::seconds(50));
        let lost = async { store.interrupt_lost(later).await.unwrap() };
        let lost = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(lost));
        assert!(lost.is_empty(), "a run says that it goes on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_takes_long_says_that_it_goes_on() {
    let (m, mut hr) = (ministry().await, Hr::default());
    says(&m, &mut hr, &["S001: given=Ayşe; family=Şahin; unit=20000004; start=2020-01-01; reason=1"]).await;
    let id = m.person("S001").await.person.id;
    for (whom, title) in [(Whom::People(vec![id]), "Müdür"), (Whom::Everybody, "Şef")] {
        let run = m.reconciler.sync(&whom, Trigger::Command, &Long { ministry: &m }).await.unwrap();
        assert_eq!((run.status, run.summary.refused), (RunStatus::Done, 0), "{whom:?}");
        says(&m, &mut hr, &[&format!("S001: title={title}; reason=71")]).await;
    }
    assert_eq!(m.reconciler.work(&Long { ministry: &m }).await.unwrap(), 1);
    assert_eq!(m.store.interrupt_lost(m.clock.now() + TimeDelta::days(1)).await.unwrap(), [], "what is over is not lost");
}
