//! The courier on a real store, with gateways that answer as they are told to: everything arrives once or is reported.
use super::{Bench, at, id, noon, person, request, save};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use kimlik_domain::account::AccountState;
use kimlik_domain::id::{MessageId, PersonId};
use kimlik_domain::message::courier::{Begun, Courier, CourierRules};
use kimlik_domain::message::{Channel, Language, MailAddress, MessageState, NewMessage, Purpose, Telling, Templates};
use kimlik_domain::ports::{
    Accepted, Clock, Gateway, MessageFilter, Outbox, Parcel, PortError, PortResult, Refusal, Store, Verdict, Whereabouts,
};
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
    gateways_are_asked_in_their_order_and_none_behind_one_that_may_have_sent_it,
    a_dead_number_is_an_issue_until_there_is_another_number,
    the_daily_limit_alarms_and_then_brakes,
    announcements_wait_for_the_morning_and_codes_do_not,
    four_couriers_send_everything_once,
    what_a_crash_has_left_behind_is_replaced,
    a_report_may_come_before_the_answer_and_counts_once,
    letters_and_texts_keep_each_other_neither_waiting_nor_from_being_told,
    a_letter_in_doubt_is_sent_again_under_its_name_and_not_for_ever,
    reminders_are_the_first_to_wait_for_the_next_day,
    a_dead_address_is_an_issue_until_there_is_another_address,
    a_reminder_that_waits_is_taken_back_once_the_password_is_another,
    messages_are_found_by_what_is_said_of_them,
);

/// Answers as told, then takes everything.
struct Scripted {
    name: &'static str,
    answers: Mutex<VecDeque<PortError>>,
    found: Whereabouts,
    repeats: bool,
    asked: Mutex<Vec<(String, String)>>,
}

impl Scripted {
    fn new(name: &'static str, answers: Vec<PortError>) -> Arc<Scripted> {
        Scripted::finding(name, answers, Whereabouts::Unknown)
    }
    fn finding(name: &'static str, answers: Vec<PortError>, found: Whereabouts) -> Arc<Scripted> {
        Arc::new(Scripted { name, answers: Mutex::new(answers.into()), found, repeats: false, asked: Mutex::default() })
    }
    fn repeating(answers: Vec<PortError>) -> Arc<Scripted> {
        let answers = Mutex::new(answers.into());
        Arc::new(Scripted { name: "post", answers, found: Whereabouts::Unknown, repeats: true, asked: Mutex::default() })
    }
    fn texts(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|(_, text)| text.clone()).collect()
    }
}

#[async_trait]
impl Gateway for Scripted {
    fn name(&self) -> &str {
        self.name
    }
    async fn send(&self, parcel: &Parcel<'_>) -> PortResult<Accepted> {
        let answer = self.answers.lock().unwrap().pop_front();
        if !matches!(answer, Some(PortError::Unavailable(_) | PortError::Refused { .. })) {
            self.asked.lock().unwrap().push((parcel.to.whole().to_owned(), parcel.text.to_owned()));
        }
        answer.map_or_else(|| Ok(Accepted { id: Some(parcel.reference.to_string()), parts: 1 }), Err)
    }
    fn may_repeat(&self) -> bool {
        self.repeats
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
        channel: Channel::Sms,
        gateways: gateways.iter().map(|g| -> Arc<dyn Gateway> { (*g).clone() }).collect(),
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
        to: MobileNumber::parse(&format!("0532{n:07}")).unwrap().into(),
        subject: None,
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
    assert_eq!((sent.gateway.as_deref(), sent.to.whole()), (Some("a"), "+905320000001"));
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
    assert_eq!(bench.store.outbox_state(Channel::Sms, clock.now()).await.unwrap().failed_today, 1);
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

async fn gateways_are_asked_in_their_order_and_none_behind_one_that_may_have_sent_it(bench: Bench) {
    let clock = clock();
    let [first, second, third] =
        [("a", vec![away(), lost()]), ("b", vec![away()]), ("c", vec![])].map(|(name, answers)| Scripted::new(name, answers));
    let courier = courier(&bench, &clock, &[&first, &second, &third]);
    let mut handed_over = Vec::new();
    for n in 1..=3 {
        bench.store.queue_messages(&[(id(n), message(n, &NOTICE, &clock))], clock.now()).await.unwrap();
        courier.round().await.unwrap();
        handed_over.push([&first, &second, &third].map(|gateway| gateway.texts().len()));
        clock.pass(TimeDelta::seconds(1));
    }
    // The third is asked where the first two are away; nobody after the first where that may have sent it; the first again when it can.
    assert_eq!(handed_over, [[0, 0, 1], [1, 0, 1], [2, 0, 1]]);
    assert_eq!(states(&bench).await, [MessageState::Sent, MessageState::Doubtful, MessageState::Sent]);
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
    assert!(round.alarms[0].contains("four fifths") && round.alarms[1].contains("limit of 10 messages"), "{:?}", round.alarms);
    assert_eq!(bench.store.outbox_state(Channel::Sms, clock.now()).await.unwrap().waiting, 2);
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
    let claimed = bench.store.claim_messages(Channel::Sms, now, now + TimeDelta::minutes(2), 9).await.unwrap();
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
    let claimed = bench.store.claim_messages(Channel::Sms, now, now + TimeDelta::minutes(2), 9).await.unwrap();
    bench.store.begin_sending(&claimed[0], "a", now, 100).await.unwrap();
    let id = claimed[0].id.to_string();
    assert!(!courier.reported("b", &id, &Verdict::Delivered).await.unwrap(), "another gateway knows nothing of it");
    assert!(courier.reported("a", &id, &Verdict::Delivered).await.unwrap());
    assert!(!courier.reported("a", &id, &Verdict::Undelivered("late".into())).await.unwrap());
    clock.pass(TimeDelta::hours(1));
    assert_eq!(courier.round().await.unwrap().handled, 0);
    assert_eq!(states(&bench).await, [MessageState::Delivered]);
}

fn postman(bench: &Bench, clock: &Arc<TestClock>, gateway: &Arc<Scripted>) -> Courier {
    Courier { channel: Channel::Mail, ..courier(bench, clock, &[gateway]) }
}

/// The same that is told by SMS, as a letter.
fn letter(n: u32, telling: &Telling<'_>, clock: &TestClock) -> NewMessage {
    let mut texts = Templates::new("https://parola.csb.test", Language::Tr);
    texts.carries_mail = true;
    let letter = texts.letter(telling, None).unwrap();
    NewMessage {
        id: MessageId(Uuid::from_u128(0x4000 + u128::from(n))),
        to: MailAddress::parse(&format!("kisi{n}@csb.test")).unwrap().into(),
        subject: Some(letter.subject),
        text: letter.text,
        ..message(n, telling, clock)
    }
}

async fn letters_and_texts_keep_each_other_neither_waiting_nor_from_being_told(bench: Bench) {
    let (clock, phones, post) = (clock(), Scripted::new("a", vec![]), Scripted::repeating(vec![away(); 500]));
    let both = [(id(1), message(1, &NOTICE, &clock)), (id(1), letter(1, &NOTICE, &clock))];
    for _ in 0..2 {
        bench.store.queue_messages(&both, clock.now()).await.unwrap();
    }
    let all = bench.store.messages(None, 9).await.unwrap();
    assert_eq!(all.len(), 2, "the same occasion, once on each channel");
    let written = all.iter().find(|m| m.to.channel() == Channel::Mail).unwrap();
    assert_eq!(written.subject.as_ref().unwrap().as_str(), "Parolanız değiştirildi");
    let postman = postman(&bench, &clock, &post);
    assert_eq!(postman.round().await.unwrap().sent, 0);
    assert_eq!(courier(&bench, &clock, &[&phones]).round().await.unwrap().sent, 1, "the phone does not wait for the mail server");
    post.answers.lock().unwrap().clear();
    clock.pass(TimeDelta::hours(1));
    assert_eq!(postman.round().await.unwrap().sent, 1, "a letter that waited is sent once");
    assert_eq!((post.texts().len(), phones.texts().len()), (1, 1));
    let all = bench.store.messages(None, 9).await.unwrap();
    assert!(all.iter().all(|m| m.text.is_none() && m.subject.is_none()), "nobody needs them any more");
    let today = bench.store.outbox_state(Channel::Mail, clock.now()).await.unwrap();
    assert_eq!((today.sent_today, today.waiting, today.failed_today), (1, 0, 0), "each channel is counted by itself");
}

async fn a_letter_in_doubt_is_sent_again_under_its_name_and_not_for_ever(bench: Bench) {
    let (clock, post) = (clock(), Scripted::repeating(vec![lost()]));
    let postman = postman(&bench, &clock, &post);
    bench.store.queue_messages(&[(id(1), letter(1, &NOTICE, &clock))], clock.now()).await.unwrap();
    postman.round().await.unwrap();
    assert_eq!(states(&bench).await, [MessageState::Queued]);
    clock.pass(TimeDelta::minutes(2));
    postman.round().await.unwrap();
    assert_eq!((states(&bench).await, post.texts().len()), (vec![MessageState::Sent], 2));
    assert_eq!(bench.store.messages(None, 9).await.unwrap().len(), 1, "the same one, not another");

    post.answers.lock().unwrap().extend(vec![lost(); 50]);
    bench.store.queue_messages(&[(id(2), letter(2, &NOTICE, &clock))], clock.now()).await.unwrap();
    for _ in 0..20 {
        postman.round().await.unwrap();
        clock.pass(TimeDelta::minutes(20));
    }
    assert_eq!(post.texts().len(), 2 + 4, "three times more, and no further");
    assert!(states(&bench).await.contains(&MessageState::Doubtful));
}

async fn reminders_are_the_first_to_wait_for_the_next_day(bench: Bench) {
    let (clock, gateway) = (clock(), Scripted::new("a", vec![]));
    let mut courier = courier(&bench, &clock, &[&gateway]);
    courier.rules.daily_limit = 10;
    let reminder = Telling::PasswordExpiring { username: "ayse.yilmaz", days: 3 };
    let all: Vec<_> = (1..=12).map(|n| (id(n), message(n, &reminder, &clock))).collect();
    bench.store.queue_messages(&all, clock.now()).await.unwrap();
    let round = courier.round().await.unwrap();
    assert_eq!(round.sent, 8, "four fifths of the limit");
    assert!(round.alarms.iter().any(|a| a.contains("no reminders")), "{:?}", round.alarms);
    let notices: Vec<_> = (13..=15).map(|n| (id(n), message(n, &NOTICE, &clock))).collect();
    bench.store.queue_messages(&notices, clock.now()).await.unwrap();
    assert_eq!(courier.round().await.unwrap().sent, 2, "what somebody must hear of has the rest");
    clock.pass(TimeDelta::hours(25));
    assert_eq!(courier.round().await.unwrap().sent, 5, "all of them the next day");
}

async fn a_reminder_that_waits_is_taken_back_once_the_password_is_another(bench: Bench) {
    let (clock, phones, post) = (clock(), Scripted::new("a", vec![]), Scripted::repeating(vec![away(); 100]));
    let reminder = Telling::PasswordExpiring { username: "ayse.yilmaz", days: 3 };
    let all: Vec<_> = (1..=2).flat_map(|n| [(id(n), message(n, &reminder, &clock)), (id(n), letter(n, &reminder, &clock))]).collect();
    bench.store.queue_messages(&all, clock.now()).await.unwrap();
    let (courier, postman) = (courier(&bench, &clock, &[&phones]), postman(&bench, &clock, &post));
    assert_eq!((courier.round().await.unwrap().sent, postman.round().await.unwrap().sent), (2, 0));
    clock.pass(TimeDelta::minutes(10));
    // In a courier's hand, which has not begun.
    let now = clock.now();
    let claimed = bench.store.claim_messages(Channel::Mail, now, now + TimeDelta::minutes(2), 9).await.unwrap();
    assert_eq!(claimed.len(), 2);
    let notices = [(id(1), message(3, &NOTICE, &clock)), (id(1), letter(3, &NOTICE, &clock))];
    bench.store.queue_messages(&notices, now).await.unwrap();
    post.answers.lock().unwrap().clear();
    let mine = claimed.iter().find(|c| c.person == id(1)).unwrap();
    assert_eq!(bench.store.begin_sending(mine, "post", now, 100).await.unwrap(), Begun::Lost);
    clock.pass(TimeDelta::minutes(20));
    while postman.round().await.unwrap().handled > 0 {}
    let all = bench.store.messages(None, 9).await.unwrap();
    let letters: BTreeSet<_> = all
        .iter()
        .filter(|m| m.to.channel() == Channel::Mail)
        .map(|m| (m.person.0, m.purpose, format!("{:?}", m.state), m.note.clone()))
        .collect();
    let wanted = [
        (id(1).0, Purpose::PasswordExpiring, "Voided".to_owned(), Some("it is not so any more".to_owned())),
        (id(1).0, Purpose::PasswordChangedNotice, "Sent".to_owned(), None),
        (id(2).0, Purpose::PasswordExpiring, "Sent".to_owned(), None),
    ];
    assert_eq!(letters, BTreeSet::from(wanted));
    assert!(all.iter().all(|m| m.state != MessageState::Voided || m.text.is_none()), "nobody needs its text");
    assert_eq!(phones.texts().len(), 2, "what was sent, was sent");
}

async fn a_dead_address_is_an_issue_until_there_is_another_address(bench: Bench) {
    let ayse = person(1, "Ayşe", "Yılmaz");
    bench.save(vec![ayse.clone()]).await;
    let account = bench.settle_account(&ayse, AccountState::Active, 6).await;
    let dead = PortError::refused(Refusal::Undeliverable, "550 5.1.1");
    let (clock, post) = (clock(), Scripted::repeating(vec![dead]));
    let postman = postman(&bench, &clock, &post);
    let address = account.names.mail.clone();
    let new = NewMessage { to: MailAddress::parse(&address).unwrap().into(), ..letter(1, &NOTICE, &clock) };
    bench.store.queue_messages(&[(id(1), new)], clock.now()).await.unwrap();
    postman.round().await.unwrap();
    postman.listen().await.unwrap();
    let issues = bench.store.issues(None, 9).await.unwrap();
    assert_eq!(issues.iter().map(|i| i.issue.kind).collect::<Vec<_>>(), [IssueKind::UndeliverableMail]);
    assert_eq!((states(&bench).await, issues[0].issue.personnel_unit), (vec![MessageState::Failed], None));
    assert!(!issues[0].issue.message.contains(address.as_ref()), "{}", issues[0].issue.message);
    // Why by the ledger: settling writes no names.
    bench.store.reserve(&[request(1, &[], &["ayse.yilmaz2@csb.test"])], true).await.unwrap();
    postman.listen().await.unwrap();
    assert_eq!(bench.store.issues(None, 9).await.unwrap(), [], "it is not the account's address any more");
}

async fn messages_are_found_by_what_is_said_of_them(bench: Bench) {
    use kimlik_domain::ports::Records as _;
    let (clock, phones) = (clock(), Scripted::new("a", vec![]));
    let began = clock.now();
    bench.store.queue_messages(&[(id(1), message(1, &NOTICE, &clock)), (id(1), letter(1, &NOTICE, &clock))], began).await.unwrap();
    assert_eq!(courier(&bench, &clock, &[&phones]).round().await.unwrap().sent, 1);
    clock.pass(TimeDelta::hours(1));
    let later = clock.now();
    bench.store.queue_messages(&[(id(2), message(2, &OPENED, &clock))], later).await.unwrap();
    let found = async |filter: MessageFilter| -> Vec<(PersonId, Channel, MessageState)> {
        let found = bench.store.messages_of(&filter, None, 9).await.unwrap();
        found.into_iter().map(|m| (m.person, m.to.channel(), m.state)).collect()
    };
    let (text, mail, opened) = (
        (id(1), Channel::Sms, MessageState::Sent),
        (id(1), Channel::Mail, MessageState::Queued),
        (id(2), Channel::Sms, MessageState::Queued),
    );
    let any = MessageFilter::default;
    assert_eq!(found(any()).await.len(), 3);
    assert_eq!(found(MessageFilter { states: Some(vec![MessageState::Sent]), ..any() }).await, [text]);
    let waiting = MessageFilter { states: Some(vec![MessageState::Queued]), channels: Some(vec![Channel::Mail]), ..any() };
    assert_eq!(found(waiting).await, [mail]);
    assert_eq!(found(MessageFilter { purposes: Some(vec![Purpose::AccountOpened]), ..any() }).await, [opened]);
    assert_eq!(found(MessageFilter { person: Some(id(2)), ..any() }).await, [opened]);
    assert_eq!(found(MessageFilter { since: Some(later), ..any() }).await, [opened]);
    assert_eq!(found(MessageFilter { until: Some(later), ..any() }).await.len(), 2);
    assert_eq!(found(MessageFilter { states: Some(vec![]), ..any() }).await, [], "of none");
    let first = bench.store.messages_of(&any(), None, 1).await.unwrap();
    let rest = bench.store.messages_of(&any(), Some(first[0].id), 9).await.unwrap();
    assert_eq!(rest.len(), 2);
}
