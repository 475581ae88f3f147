//! A newcomer's code, sent again: against a real Active Directory with kinit as the judge, and over HTTP.
use super::{ADDRESS, FIRST, Lab, Page, announced};
use crate::surface::program::Serving;
use chrono::TimeDelta;
use kimlik_domain::access::{Caller, Who};
use kimlik_domain::account::rename::{NamesOrdered, Rename, Renamed};
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::message::announcement::{Resend, Resent};
use kimlik_domain::message::courier::Settled;
use kimlik_domain::message::{Channel, Message, MessageState};
use kimlik_domain::password::Refused;
use kimlik_domain::password::resend::{NotResent, resend_event};
use kimlik_domain::phone::{PhoneChange, Setter};
use kimlik_domain::ports::{Clock as _, PhoneBook as _};
use kimlik_domain::staff::MobileNumber;
use serde_json::{Value, json};
use uuid::Uuid;

/// One newcomer; the desk goes by the ministry's clock.
async fn lab() -> Lab {
    let mut lab = Lab::newcomer().await;
    lab.desks.desk.clock = lab.ministry.clock.clone();
    // Messages are told apart by when they were made.
    lab.ministry.clock.pass(TimeDelta::seconds(1));
    lab
}

fn order(lab: &Lab, n: u128, person: kimlik_domain::id::PersonId) -> Resend {
    Resend { id: Uuid::from_u128(n), person, by: "user:officer".into(), reason: "no text came".into(), at: lab.ministry.clock.now() }
}

async fn send_again(lab: &Lab, n: u128) -> Result<Resent, NotResent> {
    let record = lab.ministry.person("S001").await;
    let order = order(lab, n, record.person.id);
    let officer = Caller { name: "officer".into(), ..Caller::default() };
    let message = lab.desk.announcement(&record, order.id, Some(&officer)).await.unwrap()?;
    Ok(lab.desk.outbox.resend(&order, &message, &resend_event(&order), None).await.unwrap())
}

/// The latest first.
async fn messages(lab: &Lab) -> Vec<Message> {
    lab.ministry.store.messages(None, 10).await.unwrap()
}

/// What the courier does with whatever is due; answers how many.
async fn sent(lab: &Lab, state: MessageState) -> usize {
    let now = lab.ministry.clock.now() + TimeDelta::hours(3);
    let due = lab.desk.outbox.claim_messages(Channel::Sms, now, now + TimeDelta::minutes(1), 10).await.unwrap();
    let count = due.len();
    for claimed in due {
        let settled = Settled {
            id: claimed.id,
            generation: claimed.generation,
            state,
            due_at: None,
            tries: 0,
            doubts: 0,
            note: None,
            provider_id: None,
            parts: 1,
            keeps_text: true,
            replacement: None,
            dead_number: None,
        };
        lab.desk.outbox.settle_message(&settled, now).await.unwrap();
    }
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_that_was_sent_again_becomes_a_password_and_the_one_before_does_not() {
    let lab = lab().await;
    let old = lab.first_code().await;
    sent(&lab, MessageState::Delivered).await;
    assert_eq!(send_again(&lab, 1).await, Ok(Resent::Queued));
    let new = lab.first_code().await;
    assert_ne!(old, new);
    assert_eq!(lab.desk.activate("ayse.sahin", &old, ADDRESS).await.unwrap().err(), Some(Refused::CodeWrong), "the code before");
    let ticket = lab.activated().await;
    assert_eq!(lab.set(&ticket, FIRST).await, Ok(()));
    lab.samba.kinit("ayse.sahin", FIRST).expect("the password of the code that was sent again");
    assert_eq!(lab.desk.activate("ayse.sahin", &new, ADDRESS).await.unwrap().err(), Some(Refused::CodeWrong), "a code counts once");
    assert_eq!(send_again(&lab, 2).await, Err(NotResent::Activated), "by a code");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_that_was_sent_while_its_person_was_setting_a_password_opens_nothing_afterwards() {
    let lab = lab().await;
    let ticket = lab.activated().await;
    assert_eq!(send_again(&lab, 1).await, Ok(Resent::Queued), "nobody has a password yet");
    let late = lab.first_code().await;
    assert_eq!(lab.set(&ticket, FIRST).await, Ok(()));
    assert_eq!(lab.desk.activate("ayse.sahin", &late, ADDRESS).await.unwrap().err(), Some(Refused::CodeWrong));
    lab.samba.kinit("ayse.sahin", FIRST).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_a_password_or_no_working_account_is_sent_no_code() {
    let lab = lab().await;
    lab.account("userAccountControl", "514");
    assert_eq!(send_again(&lab, 1).await, Err(NotResent::NotServed));
    lab.account("userAccountControl", "512");
    let record = lab.ministry.person("S001").await;
    let person = record.person.id;
    let change = |number: &str, change: u128, by: Setter| PhoneChange {
        person,
        mobile: Some((Uuid::from_u128(change), MobileNumber::parse(number).ok())),
        work: None,
        by,
        at: lab.ministry.clock.now(),
    };
    let event = AuditEvent { deed: "phone.change".into(), ..resend_event(&order(&lab, 9, person)) };
    let by = Setter::Other { actor: "user:officer".into(), person: None };
    // The text is still in the outbox, on its way to a number that nobody has any more.
    lab.store.change_phones(&change("05321119999", 1, by), None, &event).await.unwrap();
    let officer = Caller { who: Who::Person(person), name: "officer".into(), ..Caller::default() };
    let record = lab.ministry.person("S001").await;
    let refused = lab.desk.announcement(&record, Uuid::nil(), Some(&officer)).await.unwrap();
    assert_eq!(refused.err(), Some(NotResent::OwnChange), "whoever changed the number does not have the code sent there");
    assert_eq!(lab.desk.announce_again().await.unwrap(), 1, "Kimlik does");
    assert_eq!(lab.desk.announce_again().await.unwrap(), 0, "once");
    let [new, old] = &messages(&lab).await[..] else { panic!("two messages") };
    assert_eq!((new.state, new.to.whole()), (MessageState::Queued, "+905321119999"));
    assert_eq!((old.state, old.text.is_none()), (MessageState::Voided, true), "and it is not sent to the old number as well");
    assert_eq!(sent(&lab, MessageState::Delivered).await, 1);

    // Delivered: a new number alone sends nothing, since the code lies on a phone.
    lab.store.change_phones(&change("05321118888", 2, Setter::Hr), None, &event).await.unwrap();
    assert_eq!(lab.desk.announce_again().await.unwrap(), 0);
    assert_eq!(messages(&lab).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_did_not_arrive_is_announced_again_by_itself_when_hr_has_another_number() {
    let lab = lab().await;
    let code = lab.first_code().await;
    sent(&lab, MessageState::Failed).await;
    assert_eq!(lab.desk.announce_again().await.unwrap(), 0, "the same number would fail the same");
    let row = "S001;;;;;;;;;20000006;Mühendis;;2026-11-01;;0532 777 00 11;;;";
    let mended = lab.ministry.hr("staff-delta", &format!("{}\n{}\n", kimlik_tests::ministry::STAFF_HEADER, full(row))).await;
    assert_eq!((mended.refused, mended.rejected_rows), (None, 0), "{:?}", mended.issues);
    assert_eq!(lab.desk.announce_again().await.unwrap(), 1);
    let sent = messages(&lab).await;
    assert_eq!((sent.len(), sent[0].to.whole()), (2, "+905327770011"));
    assert_ne!(lab.first_code().await, code, "with another code");
    let deeds: Vec<String> = lab.ministry.store.audit_events(None, 5).await.unwrap().into_iter().map(|e| e.deed).collect();
    assert!(deeds.contains(&"credentials.resend".to_owned()), "{deeds:?}");
    let ticket = lab.activated().await;
    assert_eq!(lab.set(&ticket, FIRST).await, Ok(()));
    lab.samba.kinit("ayse.sahin", FIRST).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_that_was_not_sent_yet_tells_the_name_that_its_person_has_by_then() {
    let lab = lab().await;
    let person = lab.ministry.person("S001").await.person.id;
    let rename = async |n: u128, username: &str| {
        let by = NamesOrdered { by: "user:officer".into(), reason: "petition".into(), at: lab.ministry.clock.now() };
        let named_for = "ayse sahin".into();
        let order = Rename { id: Uuid::from_u128(n), person, username: Some(username.into()), mail: None, named_for, by };
        let event = AuditEvent { deed: "account.rename.order".into(), ..resend_event(&self::order(&lab, n, person)) };
        assert_eq!(lab.ministry.store.rename(&order, &event, None).await.unwrap(), Renamed::Given);
        lab.ministry.work().await;
    };
    rename(1, "ayse.yildiz").await;
    assert_eq!(lab.desk.announce_again().await.unwrap(), 1);
    let [new, old] = &messages(&lab).await[..] else { panic!("two messages") };
    assert!(new.text.as_ref().unwrap().contains("ayse.yildiz "), "{:?}", new.text);
    assert_eq!(old.state, MessageState::Voided);
    let code = lab.first_code().await;
    assert_eq!(sent(&lab, MessageState::Delivered).await, 1);
    lab.ministry.clock.pass(TimeDelta::seconds(1));
    rename(2, "ayse.demir").await;
    assert_eq!(lab.desk.announce_again().await.unwrap(), 0, "what was told is told");
    assert!(lab.desk.activate("ayse.yildiz", &code, ADDRESS).await.unwrap().is_ok(), "by the name that she was told, with its code");
}

/// With what HR has said of her before.
fn full(row: &str) -> String {
    let said = format!("S001;{};Ayşe;Şahin;ACTIVE;1;2026-11-01;;PERMANENT", kimlik_tests::ministry::national_id(1));
    row.replacen("S001;;;;;;;;", &said, 1)
}

// ------------------------------------------------------------------------------------------------------- over HTTP

const RESEND: &str = "mutation($input: CredentialsResendInput!) { credentialsResend(input: $input) { \
    text queuedAt codeExpiresAt staffMember { id } userErrors { code path message } } }";

async fn ask(serving: &Serving, input: Value) -> Value {
    let token = serving.token().await;
    let answer = serving.ask_as(Some(&token), RESEND, json!({ "input": input })).await;
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"]["credentialsResend"].clone()
}

#[tokio::test]
async fn a_code_is_sent_again_over_http_three_times_a_day_and_not_to_who_has_a_password() {
    let serving = Serving::start(&[]);
    let (name, old) = announced(&serving).await;
    let input = |key: &str| json!({ "staffMember": { "username": name }, "reason": "gelmedi", "idempotencyKey": key });
    let mut dry = input("one");
    dry["dryRun"] = true.into();
    let dry = ask(&serving, dry).await;
    assert!(dry["text"].as_str().unwrap().contains("********") && dry["queuedAt"].is_null(), "{dry}");
    assert_eq!(announced(&serving).await.1, old, "nothing was sent");
    let first = ask(&serving, input("one")).await;
    assert_eq!(first["userErrors"], json!([]), "{first}");
    let (_, code) = announced(&serving).await;
    assert_ne!(code, old);
    assert!(!first.to_string().contains(&code), "the code reaches only the phone");
    assert_eq!(ask(&serving, input("one")).await["queuedAt"], first["queuedAt"], "the first result again");
    assert_eq!(announced(&serving).await.1, code, "and nothing is sent twice");
    for key in ["two", "three"] {
        assert_eq!(ask(&serving, input(key)).await["userErrors"], json!([]));
    }
    assert_eq!(ask(&serving, input("four")).await["userErrors"][0]["code"], "RATE_LIMITED");

    let (_, code) = announced(&serving).await;
    let mut page = Page::of(&serving);
    let right = page.ask(super::ACTIVATE, json!({ "username": name, "code": code })).await;
    let ticket = right["data"]["accountActivate"]["ticket"]["token"].as_str().unwrap_or_else(|| panic!("{right}")).to_owned();
    let set = page.ask(super::SET, json!({ "ticket": ticket, "newPassword": FIRST })).await;
    assert_eq!(set["data"]["passwordSet"]["done"], true, "{set}");
    let late = ask(&serving, input("five")).await;
    assert_eq!(late["userErrors"][0]["code"], "ALREADY_DONE", "{late}");
    let wrong = ask(&serving, json!({ "staffMember": { "username": "nobody.here" }, "reason": "", "idempotencyKey": "" })).await;
    let codes: Vec<&Value> = wrong["userErrors"].as_array().unwrap().iter().map(|e| &e["code"]).collect();
    assert_eq!(codes, ["INVALID", "INVALID", "NOT_FOUND"], "all of them at once");
}
