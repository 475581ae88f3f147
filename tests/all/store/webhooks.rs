//! Events and the webhooks that are told of them, on a real store, to real receivers: everything in order, at least once, and by
//! one replica at a time.
use super::{Bench, at, id, noon, person, settlement};
use chrono::TimeDelta;
use kimlik_adapters::webhook::WebhookClient;
use kimlik_domain::account::AccountState;
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::{OperationId, RunId, WebhookId};
use kimlik_domain::lifecycle::run::{Intent, OperationStatus, PersonSettlement};
use kimlik_domain::lifecycle::{ActionKind, Step};
use kimlik_domain::ports::{Attempted, PortError, Refusal, Store as _, Webhooks};
use kimlik_domain::webhook::address::AddressRules;
use kimlik_domain::webhook::dispatch::Dispatcher;
use kimlik_domain::webhook::{Event, EventKind, Webhook, data};
use kimlik_tests::fakes::{TestClock, TestEntropy};
use kimlik_tests::receiver::{Manner, Receiver, verified};
use serde_json::json;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;
use zeroize::Zeroizing;

on_both_engines!(
    what_was_done_becomes_events_in_its_order_and_nothing_else_does,
    a_receiver_hears_everything_in_order_signed_and_with_little_in_it,
    whatever_a_receiver_does_it_hears_the_rest_when_it_is_back,
    a_receiver_that_was_told_and_whose_answer_was_lost_is_told_the_same_again,
    two_replicas_do_not_tell_the_same_at_once,
    a_replay_tells_the_same_again_and_whoever_was_telling_has_lost_the_lease,
    old_events_wait_for_the_slowest_webhook,
    webhooks_of_another_are_not_there,
);

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";

/// These operations were carried out and settled, one after the other.
async fn done(bench: &Bench, deeds: &[(u32, u32, ActionKind, OperationStatus)]) {
    for (operation, whose, kind, status) in deeds {
        let operation = OperationId(Uuid::from_u128(u128::from(*operation)));
        let intent = Intent {
            operation,
            run: RunId(Uuid::from_u128(1)),
            person: id(*whose),
            kind: *kind,
            budget: None,
            province: None,
            approved: false,
            digest: operation.to_string(),
            because: "disciplinary, 0555 000 00 00".into(),
            steps: vec![Step::Disable],
            at: noon(),
        };
        bench.store.intend(&[intent], &[], noon()).await.unwrap();
        let settled =
            PersonSettlement { operations: vec![(operation, *status, Vec::new())], ..settlement(&person(*whose, "Ayşe", "Şahin")) };
        bench.store.settle(vec![settled]).await.unwrap();
    }
}

async fn sealed(bench: &Bench) {
    while bench.store.seal_events(3, &|action, facts| data(action, facts, noon().date_naive())).await.unwrap() {}
}

async fn some_people(bench: &Bench, n: u32) {
    let people: Vec<_> = (1..=n).map(|n| person(n, "Ayşe", "Şahin")).collect();
    bench.save(people.clone()).await;
    for person in &people {
        bench.settle_account(person, AccountState::Active, 6).await;
    }
}

/// So many people were opened.
async fn openings(bench: &Bench, from: u32, n: u32) {
    let deeds: Vec<_> = (from..from + n).map(|i| (i, 1, ActionKind::Open, OperationStatus::Done)).collect();
    done(bench, &deeds).await;
    sealed(bench).await;
}

async fn hooked(bench: &Bench, n: u128, url: &str, kinds: &[EventKind]) -> Webhook {
    let webhook = Webhook {
        id: WebhookId(Uuid::from_u128(n)),
        url: url.to_owned(),
        kinds: kinds.iter().copied().collect(),
        made_at: noon(),
        made_by: "user:yonetici".into(),
        cursor: 0,
        last_success_at: None,
        failing_since: None,
        failures: 0,
        last_fault: None,
        next_at: noon(),
    };
    let audit = AuditEvent {
        at: noon(),
        actor: "user:yonetici".into(),
        deed: "webhook.make".into(),
        person: None,
        because: "test".into(),
        detail: json!({}),
    };
    bench.store.make_webhook(&webhook, &Zeroizing::new(SECRET.to_owned()), 100, &audit).await.unwrap()
}

/// How long an answer is waited for: more than a receiver on this machine takes that answers at once.
const TIMEOUT: Duration = Duration::from_secs(3);

fn replica(store: Arc<dyn Webhooks>, clock: &Arc<TestClock>) -> Dispatcher {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let rules = AddressRules { private_hosts: Vec::new(), loopback: true };
    let sender = WebhookClient::new(rules, None, TIMEOUT).unwrap();
    let source = "https://kimlik.csb.test".to_owned();
    let (entropy, lease) = (Arc::new(TestEntropy::default()), TimeDelta::seconds(90));
    Dispatcher { webhooks: store, sender: Arc::new(sender), clock: clock.clone(), entropy, source, lease }
}

fn clock() -> Arc<TestClock> {
    let clock = TestClock::at(noon().date_naive());
    clock.set_to(noon() + TimeDelta::hours(1));
    Arc::new(clock)
}

/// Everything that is due now; answers how many webhooks were.
async fn round(of: &Dispatcher) -> usize {
    let claimed = of.claim(10).await.unwrap();
    for claimed in &claimed {
        of.tell(claimed, || true).await.unwrap();
    }
    claimed.len()
}

async fn state(bench: &Bench) -> Webhook {
    bench.store.webhooks(None, None, 10).await.unwrap().remove(0)
}

fn sequences(of: &[kimlik_tests::receiver::Heard]) -> Vec<i64> {
    of.iter().map(|h| h.event()["sequence"].as_str().unwrap().parse().unwrap()).collect()
}

async fn what_was_done_becomes_events_in_its_order_and_nothing_else_does(bench: Bench) {
    some_people(&bench, 2).await;
    use OperationStatus::{Done, InDoubt, Refused};
    let deeds = [
        (1, 1, ActionKind::Open, Done),
        (2, 2, ActionKind::Open, Refused),
        (3, 1, ActionKind::Groups, Done),
        (4, 1, ActionKind::Move, Done),
        (5, 2, ActionKind::Suspend, InDoubt),
        (6, 1, ActionKind::Rename, Done),
        (7, 2, ActionKind::Close, Done),
        (8, 2, ActionKind::CloseMailbox, Done),
    ];
    done(&bench, &deeds).await;
    sealed(&bench).await;
    sealed(&bench).await;
    let events = bench.store.events_after(0, 100).await.unwrap();
    let told: Vec<(i64, u128, EventKind)> = events.iter().map(|e| (e.position, e.id.as_u128(), e.kind)).collect();
    use EventKind::{AccountClosed, AccountMoved, AccountOpened, AccountRenamed, MailboxClosed};
    assert_eq!(told, [(1, 1, AccountOpened), (2, 4, AccountMoved), (3, 6, AccountRenamed), (4, 7, AccountClosed), (5, 8, MailboxClosed)]);
    assert_eq!(bench.store.events_after(2, 1).await.unwrap(), events[2..3]);
    assert_eq!(bench.store.events_span().await.unwrap(), (5, Some(1)));
}

async fn a_receiver_hears_everything_in_order_signed_and_with_little_in_it(bench: Bench) {
    some_people(&bench, 1).await;
    let receiver = Receiver::start(Manner::Takes);
    openings(&bench, 1, 1).await;
    hooked(&bench, 1, &receiver.url(), EventKind::ALL).await;
    openings(&bench, 2, 5).await;
    let replica = replica(bench.store.clone(), &clock());
    assert_eq!(round(&replica).await, 1);
    let heard = receiver.took();
    assert_eq!(sequences(&heard), [2, 3, 4, 5, 6], "what was before it was made is not told");
    assert_eq!(verified(SECRET, &heard), "right 5");
    let mut forged = heard.clone();
    forged[3].body = forged[3].body.replace("OPEN", "CLOSE");
    assert_eq!(verified(SECRET, &forged), format!("wrong {}", forged[3].id()), "the check can fail");
    let event = heard[0].event();
    assert_eq!(heard[0].headers["content-type"], "application/cloudevents+json; charset=utf-8");
    assert_eq!((&event["specversion"], &event["type"]), (&json!("1.0"), &json!("kimlik.account.opened")));
    assert_eq!(event["id"], json!(heard[0].id()));
    assert_eq!(event["subject"], format!("card_{}", id(1).0.simple()));
    let data = json!({ "action": "OPEN", "registryNumber": "S1", "username": "uS1", "email": "uS1@csb.test", "accountState": "ACTIVE", "unit": null });
    assert_eq!(event["data"], data, "no reason, no national id, no mobile number");
    let state = state(&bench).await;
    assert_eq!((state.cursor, state.failures, state.failing_since), (6, 0, None));
    assert!(state.last_success_at.is_some());
    assert_eq!(round(&replica).await, 0, "nothing is left");
}

async fn whatever_a_receiver_does_it_hears_the_rest_when_it_is_back(bench: Bench) {
    some_people(&bench, 1).await;
    let receiver = Receiver::start(Manner::Takes);
    hooked(&bench, 1, &receiver.url(), EventKind::ALL).await;
    let clock = clock();
    let replica = replica(bench.store.clone(), &clock);
    let slow = Manner::Slow(TIMEOUT + Duration::from_secs(1));
    let manners = [Manner::Answers(500), Manner::Garbage, Manner::HangsUp, slow, Manner::Redirects, Manner::Answers(410)];
    openings(&bench, 1, 2).await;
    for (n, manner) in (1..).zip(manners) {
        receiver.behave(manner);
        assert_eq!(round(&replica).await, 1, "{manner:?}");
        let state = state(&bench).await;
        assert_eq!((state.cursor, state.failures), (0, n), "{manner:?}");
        assert!(state.failing_since.is_some() && state.last_fault.is_some(), "{manner:?}: {state:?}");
        assert_eq!(round(&replica).await, 0, "it waits before the next attempt");
        clock.pass(TimeDelta::minutes(10));
    }
    receiver.behave(Manner::Busy(1_800));
    round(&replica).await;
    clock.pass(TimeDelta::minutes(29));
    assert_eq!(round(&replica).await, 0, "the receiver asked for half an hour");
    clock.pass(TimeDelta::minutes(2));
    // Away altogether, then there again at the same address.
    let address = receiver.address.to_string();
    drop(receiver);
    round(&replica).await;
    assert!(state(&bench).await.last_fault.unwrap().contains("connection"), "{:?}", state(&bench).await);
    clock.pass(TimeDelta::minutes(11));
    openings(&bench, 10, 1).await;
    let receiver = (0..200)
        .find_map(|_| {
            Receiver::start_at(&address, Manner::Takes).ok().or_else(|| {
                std::thread::sleep(Duration::from_millis(50));
                None
            })
        })
        .unwrap();
    assert_eq!(round(&replica).await, 1);
    assert_eq!(sequences(&receiver.took()), [1, 2, 3]);
    assert_eq!(verified(SECRET, &receiver.took()), "right 3");
    let state = state(&bench).await;
    assert_eq!((state.failures, state.failing_since, state.last_fault), (0, None, None));
}

async fn a_receiver_that_was_told_and_whose_answer_was_lost_is_told_the_same_again(bench: Bench) {
    some_people(&bench, 1).await;
    let receiver = Receiver::start(Manner::Slow(TIMEOUT + Duration::from_secs(1)));
    hooked(&bench, 1, &receiver.url(), EventKind::ALL).await;
    openings(&bench, 1, 1).await;
    let clock = clock();
    let replica = replica(bench.store.clone(), &clock);
    round(&replica).await;
    receiver.behave(Manner::Takes);
    clock.pass(TimeDelta::minutes(1));
    // Until it has seen the first one to its end.
    let until = Instant::now() + Duration::from_secs(30);
    while receiver.heard().is_empty() {
        assert!(Instant::now() < until, "it has heard nothing");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    round(&replica).await;
    let heard = receiver.heard();
    assert_eq!(heard.len(), 2);
    assert_eq!((&heard[0].body, heard[0].id()), (&heard[1].body, heard[1].id()), "the same octets under the same id");
    assert_ne!(heard[0].headers["webhook-timestamp"], heard[1].headers["webhook-timestamp"], "signed anew");
    assert_eq!(verified(SECRET, &heard), "right 2");
}

async fn two_replicas_do_not_tell_the_same_at_once(bench: Bench) {
    some_people(&bench, 1).await;
    let receivers: Vec<Receiver> = (0..4).map(|_| Receiver::start(Manner::Takes)).collect();
    for (n, receiver) in (1..).zip(&receivers) {
        hooked(&bench, n, &receiver.url(), EventKind::ALL).await;
    }
    openings(&bench, 1, 20).await;
    let clock = clock();
    let replicas = [replica(bench.store.clone(), &clock), replica(bench.again().await, &clock), replica(bench.again().await, &clock)];
    let rounds = replicas.iter().map(|replica| async { round(replica).await + round(replica).await });
    let told: usize = futures_util::future::join_all(rounds).await.into_iter().sum();
    assert_eq!(told, 4, "each webhook was claimed once");
    for receiver in &receivers {
        assert_eq!(sequences(&receiver.heard()), (1..=20).collect::<Vec<_>>());
    }
    // One that dies with a claim in its hand: nobody else has it until the lease runs out, and then somebody has.
    openings(&bench, 50, 1).await;
    assert_eq!(replicas[0].claim(10).await.unwrap().len(), 4);
    assert_eq!(round(&replicas[1]).await, 0);
    clock.pass(TimeDelta::seconds(91));
    assert_eq!(round(&replicas[1]).await, 4);
    assert!(receivers.iter().all(|r| r.heard().len() == 21));
}

async fn a_replay_tells_the_same_again_and_whoever_was_telling_has_lost_the_lease(bench: Bench) {
    some_people(&bench, 1).await;
    let receiver = Receiver::start(Manner::Takes);
    let webhook = hooked(&bench, 1, &receiver.url(), &[EventKind::AccountOpened]).await;
    openings(&bench, 1, 3).await;
    done(&bench, &[(4, 1, ActionKind::Move, OperationStatus::Done)]).await;
    openings(&bench, 5, 2).await;
    let replica = replica(bench.store.clone(), &clock());
    round(&replica).await;
    assert_eq!(sequences(&receiver.took()), [1, 2, 3, 5, 6], "only what it was made for");
    assert_eq!(state(&bench).await.cursor, 6);
    let first: HashSet<String> = receiver.took().iter().map(|h| h.id()).collect();
    receiver.forget();
    openings(&bench, 9, 1).await;
    let held = replica.claim(10).await.unwrap().remove(0);
    let replayed = bench.store.replay_webhook(webhook.id, None, 2, "user:yonetici", noon()).await.unwrap();
    assert_eq!(replayed.cursor, 2);
    let late = Attempted { webhook: webhook.id, lease: held.lease, cursor: 7, outcome: Some(Ok(())), keep_until: None, at: noon() };
    assert!(!bench.store.settle_delivery(&late).await.unwrap());
    assert_eq!(state(&bench).await.cursor, 2, "the late one has moved nothing");
    round(&replica).await;
    assert_eq!(sequences(&receiver.took()), [3, 5, 6, 7]);
    assert_eq!(receiver.took().iter().filter(|h| first.contains(&h.id())).count(), 3, "under the ids of the first time");
}

async fn old_events_wait_for_the_slowest_webhook(bench: Bench) {
    some_people(&bench, 1).await;
    let receiver = Receiver::start(Manner::Takes);
    openings(&bench, 1, 2).await;
    hooked(&bench, 1, &receiver.url(), EventKind::ALL).await;
    openings(&bench, 3, 2).await;
    let later = at("2027-06-01T00:00:00Z");
    assert_eq!(bench.store.forget_events(at("2026-11-01T00:00:00Z")).await.unwrap(), 0, "they are not old");
    assert_eq!(bench.store.forget_events(later).await.unwrap(), 2, "those that no webhook waits for");
    round(&replica(bench.store.clone(), &clock())).await;
    assert_eq!(sequences(&receiver.took()), [3, 4]);
    assert_eq!(bench.store.forget_events(later).await.unwrap(), 2);
    openings(&bench, 5, 1).await;
    let events: Vec<Event> = bench.store.events_after(0, 10).await.unwrap();
    assert_eq!(events.iter().map(|e| e.position).collect::<Vec<_>>(), [5], "a position is never given twice");
}

async fn webhooks_of_another_are_not_there(bench: Bench) {
    let webhook = hooked(&bench, 1, "https://a.example.org/", EventKind::ALL).await;
    let refused = |done: Result<Webhook, PortError>| done.unwrap_err().refusal() == Some(Refusal::NotFound);
    assert!(refused(bench.store.delete_webhook(webhook.id, Some("service:x"), "service:x", noon()).await));
    assert!(refused(bench.store.replay_webhook(webhook.id, Some("service:x"), 0, "service:x", noon()).await));
    assert!(bench.store.webhooks(Some("service:x"), None, 10).await.unwrap().is_empty());
    assert_eq!(bench.store.webhooks(Some("user:yonetici"), None, 10).await.unwrap().len(), 1);
    bench.store.delete_webhook(webhook.id, Some("user:yonetici"), "user:yonetici", noon()).await.unwrap();
    assert!(refused(bench.store.delete_webhook(webhook.id, None, "user:yonetici", noon()).await));
    let audit = bench.store.audit_events(None, 10).await.unwrap();
    assert_eq!(audit.iter().map(|e| e.deed.as_str()).collect::<Vec<_>>(), ["webhook.delete", "webhook.make"]);
}
