//! Sessions, attempts, grants and secrets of services: once is once, also for two at a time.
use super::{Bench, id, noon, person};
use chrono::TimeDelta;
use kimlik_domain::access::attempt::{AttemptRules, Before};
use kimlik_domain::access::session::{EndedBecause, Renewal, Secret, Session, SessionsOf};
use kimlik_domain::access::{Role, Scope, service::Service};
use kimlik_domain::account::AccountState;
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::{AccountGuid, MessageId, PersonId, ServiceId, SessionId};
use kimlik_domain::message::{Language, NewMessage, Telling, Templates};
use kimlik_domain::ports::{Attempt, Audit, AuditFilter, Outbox, Refusal, Services, Sessions, Store};
use kimlik_domain::staff::MobileNumber;
use std::sync::Arc;
use uuid::Uuid;

on_both_engines!(
    a_refresh_token_counts_once_for_any_number_at_a_time,
    an_account_that_is_closed_ends_its_sessions_in_the_same_breath,
    many_attempts_at_a_time_are_no_more_than_the_rules_allow,
    strangers_do_not_use_up_a_friend_s_attempts,
    failures_are_forgotten_together_with_the_notice_of_them_or_not_at_all,
    a_secret_counts_until_it_is_exchanged_or_its_service_revoked,
    the_audit_is_asked_by_person_actor_deed_and_time,
);

fn session(n: u32) -> Session {
    Session {
        id: SessionId(Uuid::from_u128(u128::from(n) + 1_000)),
        account: AccountGuid(Uuid::from_u128(u128::from(n))),
        person: Some(id(n)),
        username: format!("user.{n}").into(),
        roles: [Role::Administrator].into(),
        password_mark: "1".into(),
        confirmed_at: noon(),
        started_at: noon(),
        expires_at: noon() + TimeDelta::hours(1),
        ended_at: None,
        address: "192.0.2.1".into(),
    }
}

fn secret(n: u8) -> Secret {
    Secret::new("kimlik_ref", &[n; 32])
}

fn event(deed: &str) -> AuditEvent {
    let (actor, because) = ("user:user.1".to_owned(), "test".to_owned());
    AuditEvent { at: noon(), actor, deed: deed.into(), person: Some(id(1)), because, detail: serde_json::json!({}) }
}

fn attempt(n: u128, address: &str) -> Attempt {
    Attempt { id: Uuid::from_u128(n), account: "ayse".into(), address: address.into(), at: noon() }
}

const RULES: AttemptRules =
    AttemptRules { window: TimeDelta::minutes(15), alone: 3, strangers: 3, friends: 2, from_address: 50, in_all: 100 };

async fn a_refresh_token_counts_once_for_any_number_at_a_time(bench: Bench) {
    let begun = session(1);
    bench.store.begin_session(&begun, &secret(0), &event("session.begin")).await.unwrap();
    assert_eq!(bench.store.session(begun.id).await.unwrap(), Some(begun.clone()));
    let replica = bench.again().await;
    let renewals = (1..=8_u8).map(|n| {
        let (store, begun) = (if n % 2 == 0 { bench.store.clone() } else { replica.clone() }, begun.clone());
        tokio::spawn(async move { store.renew(&secret(0), &secret(n), &begun, noon()).await.unwrap() })
    });
    let mut renewed = 0;
    let mut reused = 0;
    for outcome in futures_util::future::join_all(renewals).await {
        match outcome.unwrap() {
            Renewal::Renewed(_) => renewed += 1,
            Renewal::Reused(_) => reused += 1,
            Renewal::Unknown => {}
        }
    }
    assert_eq!((renewed, reused), (1, 1), "one wins, the first of the others ends the session");
    let held = bench.store.session(begun.id).await.unwrap().unwrap();
    assert!(held.ended_at.is_some());
    assert_eq!(bench.store.renew(&secret(77), &secret(78), &begun, noon()).await.unwrap(), Renewal::Unknown);
}

async fn an_account_that_is_closed_ends_its_sessions_in_the_same_breath(bench: Bench) {
    let people = [person(1, "Ayşe", "Şahin"), person(2, "Işıl", "Yılmaz")];
    bench.save(people.to_vec()).await;
    for n in [1, 2] {
        bench.store.begin_session(&session(n), &secret(u8::try_from(n).unwrap()), &event("session.begin")).await.unwrap();
    }
    bench.settle_account(&people[0], AccountState::Closed, 6).await;
    bench.settle_account(&people[1], AccountState::Active, 6).await;
    assert!(bench.store.session(session(1).id).await.unwrap().unwrap().ended_at.is_some());
    assert!(bench.store.session(session(2).id).await.unwrap().unwrap().ended_at.is_none());
    let ended = bench.store.end_sessions(SessionsOf::Person(id(2)), EndedBecause::PasswordChanged, "kimlik", noon()).await.unwrap();
    assert_eq!(ended, [session(2).id]);
    assert!(bench.store.end_sessions(SessionsOf::Person(id(2)), EndedBecause::SignedOut, "kimlik", noon()).await.unwrap().is_empty());
}

async fn many_attempts_at_a_time_are_no_more_than_the_rules_allow(bench: Bench) {
    let replica = bench.again().await;
    let tries = (0..20_u128).map(|n| {
        let store = if n % 2 == 0 { bench.store.clone() } else { replica.clone() };
        tokio::spawn(async move { store.begin_attempt(&attempt(n, &format!("192.0.2.{n}")), &RULES).await.unwrap() })
    });
    let allowed = futures_util::future::join_all(tries).await.into_iter().filter(|t| *t.as_ref().unwrap()).count();
    assert_eq!(allowed, 3);
    let later = Attempt { at: noon() + TimeDelta::minutes(16), ..attempt(99, "192.0.2.1") };
    assert!(bench.store.begin_attempt(&later, &RULES).await.unwrap(), "the window has passed");
}

async fn strangers_do_not_use_up_a_friend_s_attempts(bench: Bench) {
    assert!(bench.store.begin_attempt(&attempt(1, "192.0.2.1"), &RULES).await.unwrap());
    assert_eq!(bench.store.attempt_succeeded(&attempt(1, "192.0.2.1"), None).await.unwrap(), Before::default());
    let strangers = |n| attempt(n, "198.51.100.7");
    for n in 2..5 {
        assert!(bench.store.begin_attempt(&strangers(n), &RULES).await.unwrap());
    }
    assert!(!bench.store.begin_attempt(&strangers(5), &RULES).await.unwrap());
    for n in 6..8 {
        assert!(bench.store.begin_attempt(&attempt(n, "192.0.2.1"), &RULES).await.unwrap(), "the friend's own");
    }
    assert!(!bench.store.begin_attempt(&attempt(8, "192.0.2.1"), &RULES).await.unwrap());
    let other = Attempt { account: "mehmet".into(), ..attempt(9, "198.51.100.7") };
    assert!(bench.store.begin_attempt(&other, &RULES).await.unwrap(), "another account is another account");
    let before = bench.store.attempt_succeeded(&strangers(4), Some(&[])).await.unwrap();
    assert_eq!(before, Before { failures: 4, is_elsewhere: true }, "two of the friend's and two of the strangers', beside the right one");
    assert_eq!(bench.store.attempt_succeeded(&other, None).await.unwrap(), Before::default());
}

async fn failures_are_forgotten_together_with_the_notice_of_them_or_not_at_all(bench: Bench) {
    let begin = async |n| bench.store.begin_attempt(&attempt(n, "192.0.2.1"), &AttemptRules { alone: 9, ..RULES }).await.unwrap();
    for n in 1..=4 {
        assert!(begin(n).await);
    }
    let right = attempt(4, "192.0.2.1");
    let succeeded = async |notices: Option<&[(PersonId, NewMessage)]>| bench.store.attempt_succeeded(&right, notices).await;
    let told = async || bench.store.messages(None, 9).await.unwrap().len();
    let suspicious = Before { failures: 3, is_elsewhere: false };
    for _ in 0..2 {
        assert_eq!(succeeded(None).await.unwrap(), suspicious, "whoever is killed before it has told the owner has forgotten nothing");
    }
    // The second of them cannot be written: another message has its number.
    let taken = [(id(1), notice(1, "yesterday"))];
    bench.store.queue_messages(&taken, noon()).await.unwrap();
    succeeded(Some(&[(id(1), notice(2, "today")), (id(1), notice(1, "tomorrow"))])).await.unwrap_err();
    assert_eq!(told().await, 1, "none of it");
    assert_eq!(succeeded(Some(&[(id(1), notice(2, "today"))])).await.unwrap(), suspicious, "all of it");
    assert_eq!(told().await, 2);
    assert!(begin(5).await);
    assert_eq!(succeeded(Some(&[(id(1), notice(3, "later"))])).await.unwrap(), Before::default(), "they are forgotten");
    assert_eq!(told().await, 2, "there is nothing to tell");
}

fn notice(n: u32, occasion: &str) -> NewMessage {
    let telling = Telling::SignInNotice { username: "ayse.yilmaz", count: 3 };
    NewMessage {
        id: MessageId(Uuid::from_u128(u128::from(n))),
        purpose: telling.purpose(),
        occasion: occasion.to_owned(),
        to: MobileNumber::parse("05320000001").unwrap().into(),
        subject: None,
        text: Templates::new("https://parola.csb.test", Language::Tr).compose(&telling, None),
        code: None,
        valid_until: None,
    }
}

async fn a_secret_counts_until_it_is_exchanged_or_its_service_revoked(bench: Bench) {
    let made = Service {
        id: ServiceId(Uuid::from_u128(1)),
        name: "hr-push".into(),
        scopes: [Scope::StaffWrite].into(),
        owner: "Bilgi İşlem".into(),
        made_at: noon(),
        made_by: "cli:root".into(),
        expires_at: noon() + TimeDelta::days(10),
        revoked_at: None,
        last_used_at: None,
    };
    let store: Arc<dyn Services> = bench.store.clone();
    store.make_service(&made, &secret(1), &event("service.make")).await.unwrap();
    let twice = Service { id: ServiceId(Uuid::from_u128(2)), ..made.clone() };
    assert_eq!(store.make_service(&twice, &secret(9), &event("service.make")).await.unwrap_err().refusal(), Some(Refusal::NameTaken));
    assert_eq!(store.service_of(&secret(1), noon()).await.unwrap(), Some(made.clone()));
    let overlap = noon() + TimeDelta::hours(1);
    store.rotate_service(made.id, &secret(2), overlap, "cli:root", noon()).await.unwrap();
    for n in [1, 2] {
        assert!(store.service_of(&secret(n), noon()).await.unwrap().is_some(), "{n}");
    }
    assert!(store.service_of(&secret(1), overlap).await.unwrap().is_none());
    assert!(store.service_of(&secret(2), overlap).await.unwrap().is_some());
    store.service_used(made.id, noon()).await.unwrap();
    store.revoke_service(made.id, "cli:root", noon()).await.unwrap();
    let held = store.services(None, 10).await.unwrap();
    assert!(held.len() == 1 && held[0].revoked_at.is_some() && held[0].last_used_at.is_some(), "{held:?}");
    assert!(store.rotate_service(made.id, &secret(3), overlap, "cli:root", noon()).await.is_err(), "it is over");
    assert!(store.revoke_service(ServiceId(Uuid::from_u128(7)), "x", noon()).await.unwrap_err().refusal() == Some(Refusal::NotFound));
}

async fn the_audit_is_asked_by_person_actor_deed_and_time(bench: Bench) {
    let store: Arc<dyn Audit> = bench.store.clone();
    let later = AuditEvent { at: noon() + TimeDelta::hours(1), person: None, actor: "kimlik".into(), ..event("account.close") };
    store.record(&[event("session.begin"), event("session.end"), later]).await.unwrap();
    let deeds = async |filter: AuditFilter| {
        let found = store.events(&filter, None, 10).await.unwrap();
        found.into_iter().map(|(_, e)| e.deed).collect::<Vec<_>>()
    };
    assert_eq!(deeds(AuditFilter::default()).await, ["account.close", "session.end", "session.begin"]);
    assert_eq!(deeds(AuditFilter { deeds: vec!["session.".into()], ..AuditFilter::default() }).await.len(), 2);
    assert_eq!(deeds(AuditFilter { person: Some(id(1)), ..AuditFilter::default() }).await.len(), 2);
    assert_eq!(deeds(AuditFilter { actor: Some("kimlik".into()), ..AuditFilter::default() }).await, ["account.close"]);
    assert_eq!(deeds(AuditFilter { since: Some(noon() + TimeDelta::minutes(1)), ..AuditFilter::default() }).await, ["account.close"]);
    assert_eq!(deeds(AuditFilter { until: Some(noon() + TimeDelta::minutes(1)), ..AuditFilter::default() }).await.len(), 2);
    let page = store.events(&AuditFilter::default(), None, 1).await.unwrap();
    let rest = store.events(&AuditFilter::default(), Some(page[0].0), 10).await.unwrap();
    assert_eq!(rest.len(), 2);
    assert_eq!(bench.store.audit_events(Some(id(1)), 10).await.unwrap().len(), 2);
}
