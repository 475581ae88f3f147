//! PINs, and challenges that an officer begins: nothing of them counts twice or too often, over however many replicas.
use super::{Bench, noon, person};
use chrono::{DateTime, TimeDelta, Utc};
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::MessageId;
use kimlik_domain::message::{Channel, NewMessage, Purpose};
use kimlik_domain::password::ChallengeKind;
use kimlik_domain::password::Pin;
use kimlik_domain::password::challenge::Asked;
use kimlik_domain::ports::{Challenges as _, Outbox as _, Pins as _, Store as _};
use kimlik_domain::staff::MobileNumber;
use uuid::Uuid;
use zeroize::Zeroizing;

on_both_engines!(
    a_pin_is_tried_five_times_in_a_row_by_all_replicas_together,
    a_new_pin_takes_the_place_of_the_one_before_and_its_notice_goes_with_it,
    an_officer_s_challenge_ends_those_before_it_and_is_found_by_its_person_while_it_counts,
);

const TRIES: u32 = 5;

fn pin(text: &str) -> Pin {
    Pin::choose(text).unwrap()
}
fn event() -> AuditEvent {
    let detail = serde_json::json!({});
    AuditEvent { at: noon(), actor: "parola".into(), deed: "pin.set".into(), person: None, because: "test".into(), detail }
}
fn after(seconds: i64) -> DateTime<Utc> {
    noon() + TimeDelta::seconds(seconds)
}
fn message(n: u128, purpose: Purpose, challenge: Uuid) -> NewMessage {
    let code = purpose.carries_code();
    NewMessage {
        id: MessageId(Uuid::from_u128(n)),
        purpose,
        occasion: challenge.to_string(),
        to: MobileNumber::parse("05321110001").unwrap().into(),
        subject: None,
        text: Zeroizing::new(if code { "Kod: {code}" } else { "Değişti" }.to_owned()),
        code: code.then(|| Zeroizing::new("735192".to_owned())),
        valid_until: Some(after(600)),
    }
}

async fn a_pin_is_tried_five_times_in_a_row_by_all_replicas_together(bench: Bench) {
    bench.save(vec![person(1, "Ayşe", "Işık"), person(2, "Can", "Ünal")]).await;
    let (ayse, can) = (super::id(1), super::id(2));
    let other = bench.again().await;
    assert!(!bench.store.has_pin(ayse, TRIES).await.unwrap());
    assert!(!bench.store.try_pin(ayse, &pin("735192"), TRIES).await.unwrap(), "who has none knows none");
    for person in [ayse, can] {
        bench.store.set_pin(person, &pin("735192"), [7; 16], &event(), &[], noon()).await.unwrap();
    }
    for n in 0..TRIES - 1 {
        let store = if n % 2 == 0 { &bench.store } else { &other };
        assert!(!store.try_pin(ayse, &pin("840617"), TRIES).await.unwrap());
    }
    assert!(other.try_pin(ayse, &pin("735192"), TRIES).await.unwrap(), "the fifth is right");
    for n in 0..TRIES {
        assert!(bench.store.has_pin(ayse, TRIES).await.unwrap(), "a right one forgets the wrong ones before it: {n}");
        let store = if n % 2 == 0 { &bench.store } else { &other };
        assert!(!store.try_pin(ayse, &pin("840617"), TRIES).await.unwrap());
    }
    assert!(!bench.store.try_pin(ayse, &pin("735192"), TRIES).await.unwrap(), "and then not even the right one counts");
    assert!(!other.has_pin(ayse, TRIES).await.unwrap());
    assert!(other.try_pin(can, &pin("735192"), TRIES).await.unwrap(), "another person's are not counted with it");
    // At once, so that each replica reads before the other has counted.
    bench.store.set_pin(ayse, &pin("735192"), [8; 16], &event(), &[], noon()).await.unwrap();
    let (wrong, mut tried) = (pin("840617"), tokio::task::JoinSet::new());
    for n in 0..20 {
        let (store, wrong) = (if n % 2 == 0 { bench.store.clone() } else { other.clone() }, wrong.clone());
        tried.spawn(async move { store.try_pin(ayse, &wrong, TRIES).await.unwrap() });
    }
    assert!(tried.join_all().await.into_iter().all(|right| !right));
    assert!(!bench.store.has_pin(ayse, TRIES).await.unwrap());
}

async fn a_new_pin_takes_the_place_of_the_one_before_and_its_notice_goes_with_it(bench: Bench) {
    bench.save(vec![person(1, "Ayşe", "Işık")]).await;
    let ayse = super::id(1);
    bench.store.set_pin(ayse, &pin("735192"), [7; 16], &event(), &[], noon()).await.unwrap();
    let notice = message(1, Purpose::PinChangedNotice, Uuid::from_u128(5));
    bench.store.set_pin(ayse, &pin("840617"), [8; 16], &event(), &[notice], after(1)).await.unwrap();
    assert!(!bench.store.try_pin(ayse, &pin("735192"), TRIES).await.unwrap());
    assert!(bench.store.try_pin(ayse, &pin("840617"), TRIES).await.unwrap());
    let messages = bench.store.messages(None, 10).await.unwrap();
    assert_eq!(messages.iter().map(|m| m.purpose).collect::<Vec<_>>(), [Purpose::PinChangedNotice]);
    assert_eq!(bench.store.audit_events(None, 10).await.unwrap().iter().filter(|e| e.deed == "pin.set").count(), 2);
}

async fn an_officer_s_challenge_ends_those_before_it_and_is_found_by_its_person_while_it_counts(bench: Bench) {
    bench.save(vec![person(1, "Ayşe", "Işık"), person(2, "Can", "Ünal")]).await;
    let (ayse, own, first, second) = (super::id(1), Uuid::from_u128(20), Uuid::from_u128(21), Uuid::from_u128(22));
    let asked = Asked {
        id: own,
        kind: ChallengeKind::Reset,
        username: Zeroizing::new("ayse.isik".into()),
        national_id: None,
        at: noon(),
        generation: 0,
    };
    bench.store.ask(&asked).await.unwrap();
    let claimed = bench.store.claim_asked(noon(), after(30), 10).await.unwrap();
    bench.store.answer(&claimed[0], Some((ayse, &message(1, Purpose::ResetCode, own))), &event(), noon()).await.unwrap();
    assert_eq!(bench.store.begun_for(ayse, after(-60)).await.unwrap(), None, "what she asked for herself is no officer's");
    bench.store.begin(first, ayse, &message(2, Purpose::ResetCode, first), &event(), after(1)).await.unwrap();
    assert_eq!(bench.store.begun_for(ayse, after(-60)).await.unwrap(), Some(first));
    assert_eq!(bench.store.begun_for(super::id(2), after(-60)).await.unwrap(), None);
    assert_eq!(bench.store.begun_for(ayse, after(2)).await.unwrap(), None, "it was begun before that");
    bench.store.begin(second, ayse, &message(3, Purpose::ResetCode, second), &event(), after(2)).await.unwrap();
    assert_eq!(bench.again().await.begun_for(ayse, after(-60)).await.unwrap(), Some(second), "the later one counts");
    let due = bench.store.claim_messages(Channel::Sms, after(3), after(60), 10).await.unwrap();
    let sendable: Vec<_> = due.iter().filter(|m| m.valid_until.is_none_or(|until| after(3) < until)).map(|m| m.id.0).collect();
    assert_eq!(sendable, [Uuid::from_u128(3)], "those before it are taken back before they are sent");
    assert_eq!(bench.store.claim_asked(after(600), after(630), 10).await.unwrap().len(), 0, "there is nothing to answer");
}
