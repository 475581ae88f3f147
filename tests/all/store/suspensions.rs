//! Orders and the keys they are repeated with: once is once, also for two replicas and for one that is killed.
use super::{Bench, id, noon, person};
use chrono::{DateTime, TimeDelta, Utc};
use kimlik_domain::access::idempotency::{ClientKey, KeyState};
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::lifecycle::suspension::{MOST_PER_ACTOR, Order, OrderKind, Ordered};
use kimlik_domain::ports::{PeopleBy, PersonRecord, Store};
use uuid::Uuid;

on_both_engines!(
    an_order_stands_until_it_is_lifted_and_is_recorded_and_worked_off,
    a_key_answers_the_first_result_again_and_for_seven_days,
    of_many_at_once_with_one_key_one_is_given_and_all_are_answered_the_same,
    an_actor_has_so_many_a_day_and_no_more,
    what_somebody_writes_as_a_reason_is_kept_or_refused_and_never_a_fault,
);

fn order(n: u32, of: u32, kind: OrderKind, at: DateTime<Utc>) -> Order {
    Order { id: Uuid::from_u128(n.into()), person: id(of), kind, by: "service:hr".into(), reason: format!("reason {n}").into(), at }
}

fn event(order: &Order) -> AuditEvent {
    AuditEvent {
        at: order.at,
        actor: order.by.to_string(),
        deed: "suspension.order".into(),
        person: Some(order.person),
        because: order.reason.to_string(),
        detail: serde_json::json!({}),
    }
}

fn key(client: &str, key: &str, asked: &str) -> ClientKey {
    ClientKey { client: client.into(), key: key.into(), asked: asked.into() }
}

async fn record(bench: &Bench, n: u32) -> PersonRecord {
    bench.store.people(PeopleBy::Ids(&[id(n)])).await.unwrap().remove(0)
}

async fn an_order_stands_until_it_is_lifted_and_is_recorded_and_worked_off(bench: Bench) {
    bench.save(vec![person(1, "Nil", "Ay"), person(2, "Can", "Ay")]).await;
    assert_eq!(record(&bench, 1).await.suspension, None);
    let suspend = order(1, 1, OrderKind::Suspend, noon());
    assert_eq!(bench.store.order(&suspend, &event(&suspend), None).await.unwrap(), Ordered::Given);
    let standing = record(&bench, 1).await.suspension.unwrap();
    assert!(standing.is_in_force());
    assert_eq!((standing.since, standing.by.as_ref(), standing.reason.as_ref()), (noon(), "service:hr", "reason 1"));
    assert_eq!(record(&bench, 2).await.suspension, None, "of nobody else");
    let again = order(2, 1, OrderKind::Suspend, noon());
    assert_eq!(bench.store.order(&again, &event(&again), None).await.unwrap(), Ordered::AlreadySo);
    assert_eq!(bench.store.audit_events(Some(id(1)), 10).await.unwrap().len(), 1, "what changes nothing is no deed");
    let claimed = bench.store.claim(noon(), noon() + TimeDelta::minutes(1), 10).await.unwrap();
    assert_eq!(claimed.iter().map(|c| c.person).collect::<Vec<_>>(), [id(1)]);

    let later = noon() + TimeDelta::hours(1);
    let lift = order(3, 1, OrderKind::Reinstate, later);
    assert_eq!(bench.store.order(&lift, &event(&lift), None).await.unwrap(), Ordered::Given);
    let lifted = record(&bench, 1).await.suspension.unwrap();
    assert_eq!(lifted.lifted.as_ref().map(|l| (l.at, l.reason.as_ref())), Some((later, "reason 3")));
    assert_eq!(bench.store.order(&lift, &event(&lift), None).await.unwrap(), Ordered::AlreadySo);
    let anew = order(4, 1, OrderKind::Suspend, later + TimeDelta::hours(1));
    assert_eq!(bench.store.order(&anew, &event(&anew), None).await.unwrap(), Ordered::Given);
    assert_eq!(record(&bench, 1).await.suspension.unwrap().reason.as_ref(), "reason 4", "the latest");
}

async fn a_key_answers_the_first_result_again_and_for_seven_days(bench: Bench) {
    bench.save(vec![person(1, "Nil", "Ay"), person(2, "Can", "Ay")]).await;
    let (first, same) = (order(1, 1, OrderKind::Suspend, noon()), key("service:hr", "k", "suspend 1"));
    assert_eq!(bench.store.key_state(&same, noon()).await.unwrap(), KeyState::New);
    assert_eq!(bench.store.order(&first, &event(&first), Some((&same, "{\"a\":1}"))).await.unwrap(), Ordered::Given);
    let again = order(2, 1, OrderKind::Suspend, noon() + TimeDelta::days(6));
    let answered = bench.store.order(&again, &event(&again), Some((&same, "other"))).await.unwrap();
    assert_eq!(answered, Ordered::Answered("{\"a\":1}".into()));
    assert_eq!(bench.store.key_state(&same, again.at).await.unwrap(), KeyState::Answered("{\"a\":1}".into()));

    let other_input = key("service:hr", "k", "suspend 2");
    let other = order(3, 2, OrderKind::Suspend, noon());
    assert_eq!(bench.store.order(&other, &event(&other), Some((&other_input, "x"))).await.unwrap(), Ordered::KeyReused);
    assert_eq!(record(&bench, 2).await.suspension, None, "nothing was done");
    let other_client = key("service:other", "k", "suspend 2");
    assert_eq!(bench.store.order(&other, &event(&other), Some((&other_client, "x"))).await.unwrap(), Ordered::Given);

    let week = noon() + TimeDelta::days(7);
    assert_eq!(bench.store.key_state(&other_input, week).await.unwrap(), KeyState::New);
    let free = order(4, 1, OrderKind::Reinstate, week);
    assert_eq!(bench.store.order(&free, &event(&free), Some((&other_input, "y"))).await.unwrap(), Ordered::Given);
    // What changes nothing takes no key either.
    let idle = key("service:hr", "idle", "x");
    let nothing = order(5, 1, OrderKind::Reinstate, week);
    assert_eq!(bench.store.order(&nothing, &event(&nothing), Some((&idle, "z"))).await.unwrap(), Ordered::AlreadySo);
    assert_eq!(bench.store.key_state(&idle, week).await.unwrap(), KeyState::New);
}

async fn of_many_at_once_with_one_key_one_is_given_and_all_are_answered_the_same(bench: Bench) {
    bench.save(vec![person(1, "Nil", "Ay")]).await;
    let replica = bench.again().await;
    let asked = key("service:hr", "k", "suspend 1");
    let all = (1..=8_u32).map(|n| {
        let (store, asked) = (if n % 2 == 0 { bench.store.clone() } else { replica.clone() }, asked.clone());
        tokio::spawn(async move {
            let order = order(n, 1, OrderKind::Suspend, noon());
            store.order(&order, &event(&order), Some((&asked, "the answer"))).await.unwrap()
        })
    });
    let mut given = 0;
    for outcome in futures_util::future::join_all(all).await {
        match outcome.unwrap() {
            Ordered::Given => given += 1,
            other => assert_eq!(other, Ordered::Answered("the answer".into())),
        }
    }
    assert_eq!(given, 1);
    assert_eq!(bench.store.audit_events(Some(id(1)), 10).await.unwrap().len(), 1);
}

async fn an_actor_has_so_many_a_day_and_no_more(bench: Bench) {
    bench.save((1..=MOST_PER_ACTOR + 2).map(|n| person(n, "Nil", "Ay")).collect()).await;
    for n in 1..=MOST_PER_ACTOR {
        let order = order(n, n, OrderKind::Suspend, noon());
        assert_eq!(bench.store.order(&order, &event(&order), None).await.unwrap(), Ordered::Given);
    }
    let last = MOST_PER_ACTOR + 1;
    let asked = order(last, last, OrderKind::Suspend, noon() + TimeDelta::hours(23));
    assert_eq!(bench.store.order(&asked, &event(&asked), None).await.unwrap(), Ordered::TooMany);
    assert_eq!(record(&bench, last).await.suspension, None);
    let somebody = Order { by: "user:somebody".into(), ..asked.clone() };
    assert_eq!(bench.store.order(&somebody, &event(&somebody), None).await.unwrap(), Ordered::Given, "another actor");
    let back = order(100, 1, OrderKind::Reinstate, noon() + TimeDelta::hours(23));
    assert_eq!(bench.store.order(&back, &event(&back), None).await.unwrap(), Ordered::Given, "giving back is counted apart");
    let tomorrow = order(101, last + 1, OrderKind::Suspend, noon() + TimeDelta::hours(25));
    assert_eq!(bench.store.order(&tomorrow, &event(&tomorrow), None).await.unwrap(), Ordered::Given);
}

async fn what_somebody_writes_as_a_reason_is_kept_or_refused_and_never_a_fault(bench: Bench) {
    bench.save(vec![person(1, "Nil", "Ay")]).await;
    let odd = Order { reason: "kayıp\0telefon".into(), by: "user:nil\0".into(), ..order(1, 1, OrderKind::Suspend, noon()) };
    let asked = key("user:nil\0", "k\0", "x");
    assert_eq!(bench.store.order(&odd, &event(&odd), Some((&asked, "a"))).await.unwrap(), Ordered::Given);
    assert!(record(&bench, 1).await.suspension.unwrap().reason.contains("kayıp"));
    assert_eq!(bench.store.key_state(&asked, noon()).await.unwrap(), KeyState::Answered("a".into()));
}
