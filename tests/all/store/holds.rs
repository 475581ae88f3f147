//! The life of a hold: grows, shrinks, is decided whole or person by person, and is never decided on what was not seen.
use super::{Bench, id, no, noon, person, settlement};
use chrono::TimeDelta;
use kimlik_domain::id::{HoldId, OperationId, RunId};
use kimlik_domain::lifecycle::ActionKind;
use kimlik_domain::lifecycle::hold::{Hold, HoldDecision, HoldItem, HoldRequest, HoldStatus};
use kimlik_domain::lifecycle::limits::Budget;
use kimlik_domain::lifecycle::run::{Intent, OperationStatus, PersonSettlement};
use kimlik_domain::ports::{PeopleBy, Refusal, Store};
use kimlik_domain::staff::Person;
use kimlik_domain::staff::unit::Province;
use uuid::Uuid;

on_both_engines!(
    a_hold_grows_and_stays_the_same_hold,
    a_complete_run_takes_out_what_is_no_longer_wanted,
    approving_all_wakes_everybody_and_tells_planning,
    a_partial_decision_leaves_the_rest_open,
    a_decision_on_what_has_changed_is_refused,
    a_changed_plan_is_undecided_again,
    an_approval_is_used_up_when_its_change_is_done,
    each_scope_has_a_hold_of_its_own,
    items_are_paged_by_person,
    a_whole_directorate_goes_through_in_one_piece,
);

fn run() -> RunId {
    RunId(Uuid::from_u128(1))
}

fn item(n: u32, kind: ActionKind, digest: &str) -> HoldItem {
    HoldItem { person: id(n), registry_no: no(&format!("S{n}")), kind, digest: digest.into(), text: format!("close S{n}"), approved: None }
}

fn closing(hold: u32, people: &[u32]) -> HoldRequest {
    let items = people.iter().map(|n| item(*n, ActionKind::Close, &format!("d{n}"))).collect();
    let reasons = vec!["62 closings are due, 50 a day are allowed".into()];
    HoldRequest { id: HoldId(Uuid::from_u128(u128::from(hold))), budget: Budget::Close, scope: None, reasons, items }
}

fn decision(approve: bool, people: Option<&[u32]>) -> HoldDecision {
    let people = people.map(|people| people.iter().map(|n| id(*n)).collect());
    HoldDecision { approve, digest: None, people, by: "cli:root".into(), note: Some("gördüm".into()) }
}

impl Bench {
    async fn hold(&self, held: &[HoldRequest], complete: bool) -> Vec<Hold> {
        self.store.save_holds(run(), held, complete, noon()).await.unwrap();
        self.store.holds(None, 10).await.unwrap()
    }

    async fn decisions(&self, n: u32) -> Vec<(ActionKind, String, bool)> {
        self.store.people(PeopleBy::Ids(&[id(n)])).await.unwrap().remove(0).decisions
    }

    async fn people_in(&self, hold: &Hold) -> Vec<(u128, Option<bool>)> {
        let items = self.store.hold_items(hold.id, None, 100).await.unwrap();
        items.iter().map(|item| (item.person.0.as_u128(), item.approved)).collect()
    }
}

async fn a_hold_grows_and_stays_the_same_hold(bench: Bench) {
    let first = bench.hold(&[closing(10, &[1, 2])], false).await;
    let second = bench.again().await;
    second.save_holds(run(), &[closing(11, &[2, 3])], false, noon() + TimeDelta::hours(1)).await.unwrap();
    let holds = bench.store.holds(Some(HoldStatus::Open), 10).await.unwrap();
    assert_eq!(holds.len(), 1);
    assert_eq!((holds[0].id, holds[0].people, holds[0].created_at), (first[0].id, 3, noon()));
    assert_ne!(holds[0].digest, first[0].digest);
    assert_eq!(bench.people_in(&holds[0]).await, [(1, None), (2, None), (3, None)]);
    let item = bench.store.hold_items(holds[0].id, None, 1).await.unwrap().remove(0);
    assert_eq!(item, super::holds::item(1, ActionKind::Close, "d1"));
}

async fn a_complete_run_takes_out_what_is_no_longer_wanted(bench: Bench) {
    bench.hold(&[closing(10, &[1, 2, 3])], true).await;
    let holds = bench.hold(&[closing(11, &[3, 4])], true).await;
    assert_eq!((holds.len(), holds[0].people), (1, 2));
    assert_eq!(bench.people_in(&holds[0]).await, [(3, None), (4, None)]);
    let holds = bench.hold(&[], true).await;
    assert_eq!((holds.len(), holds[0].status, holds[0].people), (1, HoldStatus::Superseded, 0));
    let holds = bench.hold(&[closing(12, &[5])], true).await;
    assert_eq!(holds.iter().map(|h| h.status).collect::<Vec<_>>(), [HoldStatus::Open, HoldStatus::Superseded]);
}

async fn approving_all_wakes_everybody_and_tells_planning(bench: Bench) {
    bench.save((1..=2).map(|n| person(n, "A", "B")).collect()).await;
    let hold = bench.hold(&[closing(10, &[1, 2])], true).await.remove(0);
    let seen = HoldDecision { digest: Some(hold.digest.clone()), ..decision(true, None) };
    let decided = bench.store.decide_hold(hold.id, &seen, noon()).await.unwrap();
    assert_eq!((decided.status, decided.decided_at, decided.decided_by.as_deref()), (HoldStatus::Approved, Some(noon()), Some("cli:root")));
    assert_eq!(bench.store.holds(None, 1).await.unwrap(), [decided]);
    assert_eq!(bench.decisions(1).await, [(ActionKind::Close, "d1".into(), true)]);
    assert_eq!(bench.store.claim(noon(), noon(), 10).await.unwrap().len(), 2);
    let events = bench.store.audit_events(None, 10).await.unwrap();
    assert_eq!((events[0].deed.as_str(), events[0].actor.as_str(), events.len()), ("hold.approve", "cli:root", 1));
    let late = bench.store.decide_hold(hold.id, &decision(false, None), noon()).await.unwrap_err();
    assert_eq!(late.refusal(), Some(Refusal::Changed));
}

async fn a_partial_decision_leaves_the_rest_open(bench: Bench) {
    bench.save((1..=3).map(|n| person(n, "A", "B")).collect()).await;
    let hold = bench.hold(&[closing(10, &[1, 2, 3])], true).await.remove(0);
    let seen = |approve, people| HoldDecision { digest: Some(hold.digest.clone()), ..decision(approve, Some(people)) };
    assert_eq!(bench.store.decide_hold(hold.id, &seen(true, &[1]), noon()).await.unwrap().status, HoldStatus::Open);
    assert_eq!(bench.store.decide_hold(hold.id, &seen(false, &[2]), noon()).await.unwrap().status, HoldStatus::Open);
    assert_eq!(bench.people_in(&hold).await, [(1, Some(true)), (2, Some(false)), (3, None)]);
    assert_eq!(bench.store.claim(noon(), noon(), 10).await.unwrap().iter().map(|c| c.person).collect::<Vec<_>>(), [id(1)]);
    let again = bench.store.decide_hold(hold.id, &seen(true, &[2, 3]), noon()).await.unwrap_err();
    assert_eq!(again.refusal(), Some(Refusal::NotFound), "decided people are not decided again, and nobody is by mistake");
    assert_eq!(bench.decisions(3).await, []);
    bench.hold(&[closing(11, &[3])], true).await;
    let last = bench.store.decide_hold(hold.id, &seen(false, &[3]), noon()).await.unwrap();
    assert_eq!(last.status, HoldStatus::Approved, "somebody was approved");
    assert_eq!(bench.decisions(2).await, [(ActionKind::Close, "d2".into(), false)]);
}

async fn a_decision_on_what_has_changed_is_refused(bench: Bench) {
    let hold = bench.hold(&[closing(10, &[1])], true).await.remove(0);
    bench.hold(&[closing(11, &[1, 2])], true).await;
    let seen = HoldDecision { digest: Some(hold.digest.clone()), ..decision(true, None) };
    let refused = bench.store.decide_hold(hold.id, &seen, noon()).await.unwrap_err();
    assert_eq!(refused.refusal(), Some(Refusal::Changed));
    assert_eq!(bench.store.claim(noon(), noon(), 10).await.unwrap(), []);
    assert_eq!(bench.store.holds(None, 1).await.unwrap()[0].status, HoldStatus::Open);
    let nowhere = bench.store.decide_hold(HoldId(Uuid::from_u128(404)), &decision(true, None), noon()).await.unwrap_err();
    assert_eq!(nowhere.refusal(), Some(Refusal::NotFound));
}

async fn a_changed_plan_is_undecided_again(bench: Bench) {
    bench.save((1..=2).map(|n| person(n, "A", "B")).collect()).await;
    let hold = bench.hold(&[closing(10, &[1, 2])], true).await.remove(0);
    bench.store.decide_hold(hold.id, &decision(true, Some(&[1])), noon()).await.unwrap();
    let mut other = closing(11, &[2]);
    other.items.push(item(1, ActionKind::Close, "another plan"));
    bench.hold(&[other], true).await;
    assert_eq!(bench.people_in(&hold).await, [(1, None), (2, None)]);
    bench.store.decide_hold(hold.id, &decision(false, Some(&[1])), noon()).await.unwrap();
    assert_eq!(bench.decisions(1).await, [(ActionKind::Close, "another plan".into(), false)], "the earlier decision is not asked any more");
}

async fn an_approval_is_used_up_when_its_change_is_done(bench: Bench) {
    let people: Vec<_> = (1..=2).map(|n| person(n, "A", "B")).collect();
    bench.save(people.clone()).await;
    let hold = bench.hold(&[closing(10, &[1, 2])], true).await.remove(0);
    bench.store.decide_hold(hold.id, &decision(true, None), noon()).await.unwrap();
    let intent = approved_closing(&people[0], 1);
    let operation = intent.operation;
    bench.store.intend(&[intent], &[], noon()).await.unwrap();
    let settle = |status| PersonSettlement { operations: vec![(operation, status, vec![])], ..settlement(&people[0]) };
    bench.store.settle(vec![settle(OperationStatus::InDoubt)]).await.unwrap();
    assert_eq!(bench.decisions(1).await.len(), 1, "in doubt it may have to be done again");
    bench.store.settle(vec![settle(OperationStatus::Done)]).await.unwrap();
    assert_eq!(bench.decisions(1).await, []);
    assert_eq!(bench.decisions(2).await.len(), 1);
}

async fn each_scope_has_a_hold_of_its_own(bench: Bench) {
    let ankara = HoldRequest { scope: Province::new(6), ..closing(11, &[1]) };
    let moves = HoldRequest { budget: Budget::Move, ..closing(12, &[1]) };
    let holds = bench.hold(&[closing(10, &[1]), ankara, moves], true).await;
    let scopes: Vec<_> = holds.iter().map(|h| (h.budget, h.scope)).collect();
    assert_eq!(scopes, [(Budget::Move, None), (Budget::Close, Province::new(6)), (Budget::Close, None)]);
}

async fn items_are_paged_by_person(bench: Bench) {
    let items = (1..=5).flat_map(|n| [item(n, ActionKind::Update, "u"), item(n, ActionKind::Groups, "g")]).collect();
    let held = HoldRequest { budget: Budget::Update, items, ..closing(10, &[]) };
    let hold = bench.hold(&[held], true).await.remove(0);
    assert_eq!(hold.people, 5, "people, not changes");
    let (mut after, mut all) = (None, Vec::new());
    loop {
        let page = bench.store.hold_items(hold.id, after, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.person);
        all.extend(page);
    }
    assert_eq!(all.len(), 10, "nobody's changes are torn apart by a page's end");
}

/// More than one statement holds, in every method that takes many.
async fn a_whole_directorate_goes_through_in_one_piece(bench: Bench) {
    const PEOPLE: u32 = 2_500;
    let people: Vec<_> = (1..=PEOPLE).map(|n| person(n, "Ad", "Soyad")).collect();
    bench.save(people.clone()).await;
    let requests: Vec<_> =
        (1..=PEOPLE).map(|n| super::request(n, &["x", &format!("x{n}")], &["x@csb.test", &format!("x{n}@csb.test")])).collect();
    assert!(bench.store.reserve(&requests, true).await.unwrap().iter().all(Option::is_some));
    let numbers: Vec<u32> = (1..=PEOPLE).collect();
    let hold = bench.hold(&[closing(10, &numbers)], true).await.remove(0);
    assert_eq!(hold.people, PEOPLE);
    bench.store.decide_hold(hold.id, &decision(true, None), noon()).await.unwrap();
    let claims = bench.store.claim(noon(), noon() + TimeDelta::hours(1), PEOPLE).await.unwrap();
    assert_eq!(claims.len(), numbers.len());
    let intents: Vec<Intent> = people.iter().zip(&numbers).map(|(person, n)| approved_closing(person, *n)).collect();
    assert_eq!(bench.store.intend(&intents, &[], noon()).await.unwrap(), [0_usize; 0]);
    let records = bench.store.people(PeopleBy::After(None, PEOPLE)).await.unwrap();
    assert!(records.iter().all(|r| r.unsettled.len() == 1 && r.decisions.len() == 1 && r.account.is_some()));
    let settlements = records.iter().zip(&intents).map(|(record, intent)| PersonSettlement {
        account: record.account.clone(),
        before: record.account.clone(),
        operations: vec![(intent.operation, OperationStatus::Done, vec![])],
        wake_reports: true,
        ..settlement(&record.person)
    });
    bench.store.settle(settlements.collect()).await.unwrap();
    bench.store.release(&claims.iter().map(|c| (*c, None)).collect::<Vec<_>>()).await.unwrap();
    let records = bench.store.people(PeopleBy::After(None, PEOPLE)).await.unwrap();
    assert!(records.iter().all(|r| r.unsettled.is_empty() && r.decisions.is_empty()), "everything is settled and every approval used up");
    assert_eq!(bench.store.claim(noon(), noon(), PEOPLE).await.unwrap(), [], "nothing is left to do");
}

fn approved_closing(person: &Person, n: u32) -> Intent {
    Intent {
        operation: OperationId(Uuid::from_u128(0x10_0000 + u128::from(n))),
        run: run(),
        person: person.id,
        kind: ActionKind::Close,
        budget: Some(Budget::Close),
        province: None,
        approved: true,
        digest: format!("d{n}"),
        because: "left".into(),
        steps: vec![],
        at: noon(),
    }
}
