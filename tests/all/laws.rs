//! Laws of the plan over generated ministries: whatever HR says, in whatever order of days.
use kimlik_adapters::directory::embedded::EmbeddedDirectory;
use kimlik_adapters::hr::simulated::SimulatedMinistry;
use kimlik_domain::account::{AccountState, ObservedAccount};
use kimlik_domain::lifecycle::desired::{Standing, standing};
use kimlik_domain::lifecycle::{ActionKind, Step};
use kimlik_domain::ports::{Clock, HrFeed, PeopleBy};
use kimlik_domain::staff::intake;
use kimlik_tests::fakes::TestClock;
use kimlik_tests::ministry::{Ministry, day, policy};
use std::collections::HashSet;
use std::sync::Arc;

/// A ministry whose limits are too wide to hold anything: the laws are about plans.
async fn unlimited(today: &str) -> Ministry {
    let mut policy = policy();
    policy.limits = Default::default();
    Ministry::with(today, policy).await
}

async fn everybody(directory: &EmbeddedDirectory) -> Vec<ObservedAccount> {
    directory.everybody().await.expect("the directory answers")
}

async fn live(ministry: &Ministry, feed: &SimulatedMinistry) {
    let store = ministry.store.as_ref();
    loop {
        let position = store.feed_position(feed.name()).await.expect("a position");
        let Some(delivery) = feed.poll(position.as_deref()).await.expect("a delivery") else { break };
        let reasons = &ministry.reconciler.policy.reasons;
        let entropy = ministry.reconciler.entropy.as_ref();
        let report = intake::intake(store, ministry.clock.as_ref(), entropy, reasons, feed.name(), &delivery).await.expect("the intake");
        feed.taken(&delivery, &report).await.expect("put away");
        if !matches!(delivery.content, kimlik_domain::staff::feed::Content::Units(_)) {
            break;
        }
    }
}

async fn a_year(seed: u64, people: u32) {
    let ministry = unlimited("2026-12-01").await;
    let clock: Arc<TestClock> = ministry.clock.clone();
    let feed = SimulatedMinistry::new(seed, people, 4, clock.clone() as Arc<dyn Clock>);
    let directory = ministry.embedded.clone().expect("the embedded directory");
    let mut today = day("2026-12-01");
    let mut guids: HashSet<_> = HashSet::new();
    for _ in 0..60 {
        clock.set(today);
        live(&ministry, &feed).await;
        let before = ministry.plan().await;
        order_holds(&before.people);
        ministry.work().await;
        ministry.work().await;
        let after = ministry.plan().await;
        let left: Vec<_> = after
            .people
            .iter()
            .filter(|p| !p.is_empty())
            .map(|p| kimlik_domain::lifecycle::describe::person_text(p, kimlik_domain::message::Language::En))
            .collect();
        assert!(left.is_empty(), "seed {seed}, {today}: a second plan is not empty:\n{}", left.join("\n"));
        let accounts = everybody(&directory).await;
        one_account_a_person(&accounts);
        // An account, once there, stays there.
        let now: HashSet<_> = accounts.iter().map(|a| a.guid).collect();
        assert!(guids.is_subset(&now));
        guids = now;
        today += chrono::TimeDelta::days(6);
    }
    nobody_is_harmed(&ministry, &everybody(&directory).await).await;
}

fn order_holds(people: &[kimlik_domain::lifecycle::PersonPlan]) {
    for action in people.iter().flat_map(|p| &p.actions) {
        let at = |step: &dyn Fn(&Step) -> bool| action.steps.iter().position(step);
        if let Some(disable) = at(&|s| *s == Step::Disable) {
            assert_eq!(disable, 0, "closing disables first: {:?}", action.steps);
        }
        if let Some(enable) = at(&|s| *s == Step::Enable) {
            assert_eq!(enable, action.steps.len() - 1, "opening enables last: {:?}", action.steps);
        }
        if action.kind == ActionKind::Open && at(&|s| *s == Step::Enable).is_some() {
            assert!(at(&|s| *s == Step::SealPassword).is_some(), "enabled without a password");
        }
    }
}

fn one_account_a_person(accounts: &[ObservedAccount]) {
    let mut numbers = HashSet::new();
    for account in accounts {
        if let Some(number) = account.employee_id() {
            assert!(numbers.insert(number.to_owned()), "two accounts carry {number}");
        }
    }
}

/// Who is in service works; who is gone does not.
async fn nobody_is_harmed(ministry: &Ministry, accounts: &[ObservedAccount]) {
    let today = kimlik_domain::day::today(ministry.clock.now());
    let people = ministry.store.people(PeopleBy::After(None, 10_000)).await.expect("people");
    let mut working = 0;
    for record in &people {
        let Some(account) = &record.account else { continue };
        let Some(seen) = accounts.iter().find(|a| Some(a.guid) == account.guid) else { continue };
        match standing(&record.person, &ministry.reconciler.policy.reasons, today) {
            Standing::InService => {
                assert!(seen.enabled, "{} is in service and cannot work", record.person.registry_no);
                assert!(seen.password_set);
                working += 1;
            }
            Standing::Gone { .. } => {
                assert!(!seen.enabled, "{} is gone and can work", record.person.registry_no);
                assert_eq!(account.state, AccountState::Closed);
                assert!(seen.groups.is_empty(), "{} is gone and has groups", record.person.registry_no);
                assert_eq!(seen.ou(), ministry.reconciler.policy.closed_ou);
            }
            Standing::Coming | Standing::Away(_) => assert!(!seen.enabled),
            Standing::Undecided(..) => {}
        }
    }
    assert!(working > 20, "a law that speaks of nobody proves nothing: {working}");
}

#[tokio::test]
async fn after_every_day_of_a_year_the_next_plan_is_empty_and_nobody_is_harmed() {
    a_year(1, 60).await;
}

#[tokio::test]
async fn another_ministry_obeys_the_same_laws() {
    a_year(20_261_123, 90).await;
}

#[tokio::test]
async fn order_of_people_and_a_second_run_change_nothing() {
    let ministry = unlimited("2026-12-01").await;
    let feed = SimulatedMinistry::new(7, 80, 5, ministry.clock.clone() as Arc<dyn Clock>);
    live(&ministry, &feed).await;
    let first = ministry.sync().await;
    assert!(first.summary.done >= 60, "{:?}", first.summary);
    // The managers' accounts exist only now: their people's cards follow in the second pass, and then there is peace.
    ministry.work().await;
    let third = ministry.sync().await;
    assert_eq!(third.summary.planned.values().sum::<u32>(), 0, "{:?}", third.summary);
}
