//! The courier on a real store, with gateways that answer as they are told to: everything arrives once or is reported.
use super::{Bench, at, id, noon, person, save};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use kimlik_domain::id::MessageId;
use kimlik_domain::message::courier::{Begun, Courier, CourierRules};
use kimlik_domain::message::{Language, MessageState, NewMessage, Purpose, Telling, Templates};
use kimlik_domain::ports::{Accepted, Clock, Outbox, Parcel, PortError, PortResult, Refusal, SmsGateway, Store, Verdict, Whereabouts};
use kimlik_domain::staff::{IssueKind, MobileNumber};
use kimlik_tests::fakes::{TestClock, TestEntropy};
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use uuid::Uuid;

on_both_engines!(
    a_code_is_sent_once_and_its_text_is_erased,
    a_lost_answer_makes_another_code,
    what_can_be_looked_up_is_not_sent_again,
    a_notice_in_doubt_is_reported_and_not_sent_again,
    an_outage_of_an_hour_loses_only_codes_that_it_outlived,
    a_gateway_that_may_not_is_passed_over,
    a_dead_number_is_an_issue_until_there_is_another_number,
    the_daily_limit_alarms_and_then_brakes,
    announcements_wait_for_the_morning_and_codes_do_not,
    four_couriers_send_everything_once,
    what_a_crash_has_left_behind_is_replaced,
    a_report_may_come_before_the_answer_and_counts_once,
);

/// Answers as told, then takes everything.
struct Scripted {
    name: &'static str,
    answers: Mutex<VecDeque<PortError>>,
    found: Whereabouts,
    asked: Mutex<Vec<(String, String)>>,
}

impl Scripted {
    fn new(name: &'static str, answers: Vec<PortError>) -> Arc<Scripted> {
        Scripted::finding(name, answers, Whereabouts::Unknown)
    }
    fn finding(name: &'static str, answers: Vec<PortError>, found: Whereabouts) -> Arc<Scripted> {
        Arc::new(Scripted { name, answers: Mutex::new(answers.into()), found, asked: Mutex::default() })
    }
    fn texts(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|(_, text)| text.clone()).collect()
    }
}

#[async_trait]
impl SmsGateway for Scripted {
    fn name(&self) -> &str {
        self.name
    }
    async fn send(&self, parcel: &Parcel<'_>) -> PortResult<Accepted> {
        let answer = self.answers.lock().unwrap().pop_front();
        if !matches!(answer, Some(PortError::Unavailable(_) | PortError::Refused { .. })) {
            self.asked.lock().unwrap().push((parcel.to.e164().to_owned(), parcel.text.to_owned()));
        }
        answer.map_or_else(|| Ok(Accepted { id: Some(parcel.reference.to_string()), parts: 1 }), Err)
    }
    async fn look_up(&self, _: &Parcel<'_>, _: DateTime<Utc>) -> PortResult<Whereabouts> {
        Ok(self.found.clone())
    }
}

fn away() -> PortError {
    PortError::Unavailable("nobody is there".into())
}
fn lost() -> PortError {
    PortError::InDoubt("no answer".into())
}

fn courier(bench: &Bench, clock: &Arc<TestClock>, gateways: &[&Arc<Scripted>]) -> Courier {
    Courier {
        outbox: bench.store.clone(),
        store: bench.store.clone(),
        gateways: gateways.iter().map(|g| -> Arc<dyn SmsGateway> { (*g).clone() }).collect(),
        clock: clock.clone(),
        entropy: Arc::new(TestEntropy::default()),
        rules: CourierRules::default(),
    }
}

fn clock() -> Arc<TestClock> {
    let clock = TestClock::at(kimlik_domain::day::today(noon()));
    clock.set_to(noon());
    Arc::new(clock)
}

const CODE: &str = "735192";

fn message(n: u32, telling: &Telling<'_>, clock: &TestClock) -> NewMessage {
    let code = telling.purpose().carries_code().then(|| CODE.to_owned().into());
    NewMessage {
        id: MessageId(Uuid::from_u128(0x3000 + u128::from(n))),
        purpose: telling.purpose(),
        occasion: n.to_string(),
        to: MobileNumber::parse(&format!("0532{n:07}")).unwrap(),
        text: Templates::new("https://parola.csb.test", Language::Tr).compose(telling, None),
        code,
        valid_until: (telling.purpose() == Purpose::ResetCode).then(|| clock.now() + TimeDelta::minutes(10)),
    }
}

const RESET: Telling<'static> = Telling::ResetCode { minutes: 10 };
const NOTICE: Telling<'static> = Telling::PasswordChangedNotice { username: "ayse.yilmaz" };
const OPENED: Telling<'static> = Telling::AccountOpened { username: "ayse.yilmaz", mail: "ayse.yilmaz@csb.test" };

async fn queue(bench: &Bench, clock: &TestClock, telling: &Telling<'_>) {
    bench.store.queue_messages(&[(id(1), message(1, telling, clock))], clock.now()).await.unwrap();
}

async fn states(bench: &Bench) -> Vec<MessageState> {
    let mut all = bench.store.messages(None, 100).await.unwrap();
    all.sort_by_key(|m| m.queued_at);
    all.into_iter().map(|m| m.state).collect()
}

async fn counts(bench: &Bench, code: &str, now: DateTime<Utc>) -> bool {
    bench.store.code_matches(id(1), Purpose::ResetCode, "1", code, now).await.unwrap()
}

fn code_in(text: &str) -> String {
    text.split(|c: char| !c.is_ascii_digit()).find(|word| word.len() == 6).unwrap().to_owned()
}

async fn a_code_is_sent_once_and_its_text_is_erased(bench: Bench) {
    let (clock, gateway) = (clock(), Scripted::new("a", vec![]));
    let courier = courier(&bench, &clock, &[&gateway]);
    queue(&bench, &clock, &RESET).await;
    queue(&bench, &clock, &RESET).await;
    assert!(!counts(&bench, CODE, clock.now()).await, "not before it was sent");
    for _ in 0..3 {
        courier.round().await.unwrap();
    }
    assert_eq!(gateway.texts().len(), 1);
    assert!(gateway.texts()[0].contains(CODE) && gateway.texts()[0].contains("10 dakika"));
    let sent = &bench.store.messages(None, 9).await.unwrap()[0];
    assert_eq!((sent.state, sent.text.as_ref(), sent.parts, sent.attempts), (MessageState::Sent, None, 1, 1));
    assert_eq!((sent.gateway.as_deref(), sent.to.e164()), (Some("a"), "+905320000001"));
    assert!(counts(&bench, CODE, clock.now()).await && !counts(&bench, "735193", clock.now()).await);
    assert!(!counts(&bench, CODE, clock.now() + TimeDelta::minutes(10)).await, "outlived");
    let deeds: Vec<String> = bench.store.audit_events(Some(id(1)), 9).await.unwrap().into_iter().map(|e| e.deed).collect();
    assert_eq!(deeds, ["message.sent"]);
}

async fn a_lost_answer_makes_another_code(bench: Bench) {
    let (clock, gateway) = (clock(), Scripted::new("a", vec![lost()]));
    let courier = courier(&bench, &clock, &[&gateway]);
    queue(&bench, &clock, &RESET).await;
    courier.round().await.unwrap();
    courier.round().await.unwrap();
    assert_eq!(states(&bench).await, [MessageState::Voided, MessageState::Sent]);
    let codes: Vec<String> = gateway.texts().iter().map(|t| code_in(t)).collect();
    assert!(codes.len() == 2 && codes[0] == CODE && codes[1] != CODE, "{codes:?}");
    assert!(!counts(&bench, CODE, clock.now()).await, "the code that was perhaps sent does not count");
    assert!(counts(&bench, &codes[1], clock.now()).await);
    assert!(bench.store.messages(None, 9).await.unwrap().iter().all(|m| m.text.is_none()));
}

async fn what_can_be_looked_up_is_not_sent_again(bench: Bench) {
    let (clock, gateway) = (clock(), Scripted::finding("a", vec![lost()], Whereabouts::Taken(Some("17".into()))));
    let courier = courier(&bench, &clock, &[&gateway]);
    queue(&bench, &clock, &RESET).await;
    courier.round().await.unwrap();
    courier.round().await.unwrap();
    assert_eq!((states(&bench).await, gateway.texts().len()), (vec![MessageState::Sent], 1));
    assert!(counts(&bench, CODE, clock.now()).await);
    assert_eq!(bench.store.awaiting_report("a", noon() - TimeDelta::days(1), 9).await.unwrap(), ["17"]);
}

async fn a_notice_in_doubt_is_reported_and_not_sent_again(bench: Bench) {
    let (clock, gateway) = (clock(), Scripted::new("a", vec![lost()]));
    let courier = courier(&bench, &clock, &[&gateway]);
    queue(&bench, &clock, &NOTICE).await;
    for _ in 0..3 {
        courier.round().await.unwrap();
        clock.pass(TimeDelta::hours(1));
    }
    assert_eq!((states(&bench).await, gateway.texts().len()), (vec![MessageState::Doubtful], 1));
    assert_eq!(bench.store.outbox_state(clock.now()).await.unwrap().failed_today, 1);
}

async fn an_outage_of_an_hour_loses_only_codes_that_it_outlived(bench: Bench) {
    let (clock, gateway) = (clock(), Scripted::new("a", vec![away(); 500]));
    let courier = courier(&bench, &clock, &[&gateway]);
    queue(&bench, &clock, &RESET).await;
    let others = [(id(2), message(2, &OPENED, &clock)), (id(3), message(3, &NOTICE, &clock))];
    bench.store.queue_messages(&others, clock.now()).await.unwrap();
    for _ in 0..360 {
        courier.round().await.unwrap();
        clock.pass(TimeDelta::seconds(10));
    }
    let asked = 500 - gateway.answers.lock().unwrap().len();
    assert!((60..120).contains(&asked), "asked {asked} times within the hour");
    gateway.answers.lock().unwrap().clear();
    for _ in 0..100 {
        // Another process goes on: nothing of the waiting is in its memory.
        self::courier(&bench, &clock, &[&gateway]).round().await.unwrap();
        clock.pass(TimeDelta::seconds(10));
    }
    assert_eq!(gateway.texts().len(), 2, "each once");
    assert_eq!(states(&bench).await, [MessageState::Voided, MessageState::Sent, MessageState::Sent]);
    let voided = bench.store.messages(None, 9).await.unwrap().into_iter().find(|m| m.state == MessageState::Voided).unwrap();
    assert!(voided.note.unwrap().contains("outlived"));
}

async fn a_gateway_that_may_not_is_passed_over(bench: Bench) {
    let refused = PortError::refused(Refusal::Balance, "no credit");
    let (clock, first, second) = (clock(), Scripted::new("a", vec![refused]), Scripted::new("b", vec![]));
    let courier = courier(&bench, &clock, &[&first, &second]);
    queue(&bench, &clock, &RESET).await;
    let round = courier.round().await.unwrap();
    assert_eq!((round.sent, first.texts().len(), second.texts().len()), (1, 0, 1));
    assert_eq!(round.alarms, ["a refuses to send: no credit"]);
    assert_eq!(bench.store.messages(None, 9).await.unwrap()[0].gateway.as_deref(), Some("b"));
}

async fn a_dead_number_is_an_issue_until_there_is_another_number(bench: Bench) {
    let mut ayse = person(1, "Ayşe", "Yılmaz");
    ayse.mobile = MobileNumber::parse("05320000001").ok();
    bench.save(vec![ayse.clone()]).await;
    let dead = PortError::refused(Refusal::Undeliverable, "no such subscriber");
    let (clock, gateway) = (clock(), Scripted::new("a", vec![dead]));
    let courier = courier(&bench, &clock, &[&gateway]);
    queue(&bench, &clock, &NOTICE).await;
    courier.round().await.unwrap();
    courier.listen().await.unwrap();
    assert_eq!(states(&bench).await, [MessageState::Failed]);
    let issues = bench.store.issues(None, 9).await.unwrap();
    assert_eq!(issues.iter().map(|i| i.issue.kind).collect::<Vec<_>>(), [IssueKind::UndeliverableMobile]);
    assert!(!issues[0].issue.message.contains("0000001"), "{}", issues[0].issue.message);
    ayse.mobile = MobileNumber::parse("05329999999").ok();
    bench.store.save_roster(save(vec![ayse])).await.unwrap();
    courier.listen().await.unwrap();
    assert_eq!(bench.store.issues(None, 9).await.unwrap(), []);
}

async fn the_daily_limit_alarms_and_then_brakes(bench: Bench) {
    let (clock, gateway) = (clock(), Scripted::new("a", vec![]));
    let mut courier = courier(&bench, &clock, &[&gateway]);
    courier.rules.daily_limit = 10;
    let all: Vec<_> = (1..=12).map(|n| (id(n), message(n, &NOTICE, &clock))).collect();
    bench.store.queue_messages(&all, clock.now()).await.unwrap();
    let round = courier.round().await.unwrap();
    assert_eq!((round.sent, gateway.texts().len()), (10, 10));
    assert!(round.alarms[0].contains("four fifths") && round.alarms[1].contains("limit of 10"), "{:?}", round.alarms);
    assert_eq!(bench.store.outbox_state(clock.now()).await.unwrap().waiting, 2);
    clock.pass(TimeDelta::hours(25));
    assert_eq!(courier.round().await.unwrap().sent, 2, "the next day they go");
}

async fn announcements_wait_for_the_morning_and_codes_do_not(bench: Bench) {
    let (clock, gateway) = (clock(), Scripted::new("a", vec![]));
    // 23:30 in Türkiye.
    clock.set_to(at("2026-11-23T20:30:00Z"));
    let courier = courier(&bench, &clock, &[&gateway]);
    queue(&bench, &clock, &RESET).await;
    bench.store.queue_messages(&[(id(2), message(2, &OPENED, &clock))], clock.now()).await.unwrap();
    assert_eq!(courier.round().await.unwrap().sent, 1);
    clock.set_to(at("2026-11-24T04:59:00Z"));
    assert_eq!(courier.round().await.unwrap().handled, 0, "07:59");
    clock.set_to(at("2026-11-24T05:00:01Z"));
    assert_eq!(courier.round().await.unwrap().sent, 1, "08:00");
}

async fn four_couriers_send_everything_once(bench: Bench) {
    let (clock, gateway) = (clock(), Scripted::new("a", vec![]));
    let all: Vec<_> = (1..=60).map(|n| (id(n), message(n, &NOTICE, &clock))).collect();
    bench.store.queue_messages(&all, clock.now()).await.unwrap();
    let mut couriers = Vec::new();
    for _ in 0..4 {
        let store = bench.again().await;
        let courier = Courier { outbox: store.clone(), store, ..courier(&bench, &clock, &[&gateway]) };
        couriers.push(tokio::spawn(async move { while courier.round().await.unwrap().handled > 0 {} }));
    }
    for courier in couriers {
        courier.await.unwrap();
    }
    let numbers: BTreeSet<String> = gateway.asked.lock().unwrap().iter().map(|(to, _)| to.clone()).collect();
    assert_eq!((gateway.texts().len(), numbers.len()), (60, 60));
}

async fn what_a_crash_has_left_behind_is_replaced(bench: Bench) {
    let (clock, gateway) = (clock(), Scripted::new("a", vec![]));
    let courier = courier(&bench, &clock, &[&gateway]);
    queue(&bench, &clock, &RESET).await;
    // A courier that was killed between the commit and the gateway's answer.
    let now = clock.now();
    let claimed = bench.store.claim_messages(now, now + TimeDelta::minutes(2), 9).await.unwrap();
    assert_eq!(bench.store.begin_sending(&claimed[0], "a", now, 100).await.unwrap(), Begun::Yes { today: 1 });
    assert_eq!(courier.round().await.unwrap().handled, 0, "the lease is still its");
    clock.pass(TimeDelta::minutes(3));
    courier.round().await.unwrap();
    courier.round().await.unwrap();
    assert_eq!(states(&bench).await, [MessageState::Voided, MessageState::Sent]);
    assert!(gateway.texts().len() == 1 && code_in(&gateway.texts()[0]) != CODE);
    assert_eq!(bench.store.begin_sending(&claimed[0], "a", clock.now(), 100).await.unwrap(), Begun::Lost, "the first one's lease is over");
}

async fn a_report_may_come_before_the_answer_and_counts_once(bench: Bench) {
    let (clock, gateway) = (clock(), Scripted::new("a", vec![]));
    let courier = courier(&bench, &clock, &[&gateway]);
    queue(&bench, &clock, &NOTICE).await;
    let now = clock.now();
    let claimed = bench.store.claim_messages(now, now + TimeDelta::minutes(2), 9).await.unwrap();
    bench.store.begin_sending(&claimed[0], "a", now, 100).await.unwrap();
    let id = claimed[0].id.to_string();
    assert!(!courier.reported("b", &id, &Verdict::Delivered).await.unwrap(), "another gateway knows nothing of it");
    assert!(courier.reported("a", &id, &Verdict::Delivered).await.unwrap());
    assert!(!courier.reported("a", &id, &Verdict::Undelivered("late".into())).await.unwrap());
    clock.pass(TimeDelta::hours(1));
    assert_eq!(courier.round().await.unwrap().handled, 0);
    assert_eq!(states(&bench).await, [MessageState::Delivered]);
}
