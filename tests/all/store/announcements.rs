//! Announcements sent again: one takes the place of the other whoever has it in hand, limits hold for all replicas together.
use super::{Bench, id, noon, person, save};
use chrono::{DateTime, TimeDelta, Utc};
use kimlik_domain::access::idempotency::ClientKey;
use kimlik_domain::account::AccountState;
use kimlik_domain::id::MessageId;
use kimlik_domain::message::announcement::{KIMLIK, MOST_PER_ACTOR, MOST_PER_PERSON, Resend, Resent, SeenTo, occasion};
use kimlik_domain::message::courier::{Begun, Settled};
use kimlik_domain::message::{Channel, MessageState, NewMessage, Purpose};
use kimlik_domain::password::resend::resend_event;
use kimlik_domain::ports::{Outbox, Store};
use kimlik_domain::staff::MobileNumber;
use kimlik_domain::staff::intake::RosterSave;
use uuid::Uuid;

on_both_engines!(
    a_resend_takes_the_place_of_what_a_courier_has_in_hand,
    a_person_is_sent_so_many_and_an_actor_orders_so_many_a_day,
    of_many_at_once_with_one_key_one_is_queued,
    who_has_another_number_is_seen_to_once_or_again_later,
    a_number_that_comes_while_the_one_before_is_seen_to_is_not_forgotten,
    kimlik_itself_leaves_alone_what_a_courier_has_in_hand_or_has_sent,
);

fn order(n: u128, of: u32, at: DateTime<Utc>) -> Resend {
    Resend { id: Uuid::from_u128(n), person: id(of), by: "service:hr".into(), reason: "no text came\0".into(), at }
}

fn announcement(n: u128, resend: Option<Uuid>) -> NewMessage {
    NewMessage {
        id: MessageId(Uuid::from_u128(n)),
        purpose: Purpose::AccountOpened,
        occasion: occasion(1, resend),
        to: MobileNumber::parse("05321110001").unwrap().into(),
        subject: None,
        text: "Kod: {code}".to_owned().into(),
        code: Some(format!("{n:08}").into()),
        valid_until: None,
    }
}

async fn resend(bench: &Bench, n: u128, of: u32, at: DateTime<Utc>) -> Resent {
    let order = order(n, of, at);
    bench.store.resend(&order, &announcement(n, Some(order.id)), &resend_event(&order), None).await.unwrap()
}

async fn a_resend_takes_the_place_of_what_a_courier_has_in_hand(bench: Bench) {
    bench.save(vec![person(1, "Nil", "Ay"), person(2, "Can", "Ay")]).await;
    for n in 1..=2 {
        bench.settle_account(&person(n, "Nil", "Ay"), AccountState::Active, 6).await;
    }
    assert!(bench.store.announced(&[(id(1), 1)]).await.unwrap().is_empty());
    bench.store.queue_messages(&[(id(1), announcement(1, None)), (id(2), announcement(2, None))], noon()).await.unwrap();
    let claimed = bench.store.claim_messages(Channel::Sms, noon(), noon() + TimeDelta::minutes(2), 10).await.unwrap();
    let first = claimed.iter().find(|c| c.person == id(1)).unwrap();
    assert!(matches!(bench.store.begin_sending(first, "kannel", noon(), 100).await.unwrap(), Begun::Yes { .. }));

    let later = noon() + TimeDelta::minutes(1);
    assert_eq!(resend(&bench, 11, 1, later).await, Resent::Queued);
    let told = bench.store.announced(&[(id(1), 1), (id(2), 1)]).await.unwrap();
    assert_eq!((told[&id(1)].first_at, told[&id(1)].state, told[&id(1)].is_spent), (noon(), MessageState::Queued, false));
    assert_eq!(told[&id(2)].first_at, noon());
    assert_eq!(bench.store.announced(&[(id(1), 2)]).await.unwrap().len(), 0, "of another opening");
    // The courier's answer comes too late for anything to take the place of what it has in hand.
    let lost = Settled {
        id: first.id,
        generation: first.generation,
        state: MessageState::Voided,
        due_at: None,
        tries: 0,
        doubts: 0,
        note: None,
        provider_id: None,
        parts: 0,
        keeps_text: false,
        replacement: Some(kimlik_domain::message::courier::Replacement {
            id: MessageId(Uuid::from_u128(99)),
            code: "00000099".to_owned().into(),
        }),
        dead_number: None,
    };
    bench.store.settle_message(&lost, later).await.unwrap();
    let all = bench.store.messages(None, 10).await.unwrap();
    let mut states: Vec<(u128, MessageState, bool)> = all.iter().map(|m| (m.id.0.as_u128(), m.state, m.text.is_some())).collect();
    states.sort_by_key(|(n, ..)| *n);
    let queued = MessageState::Queued;
    assert_eq!(states, [(1, MessageState::Voided, false), (2, queued, true), (11, queued, true)], "its text is erased, nobody else's");
    let due = bench.store.claim_messages(Channel::Sms, noon() + TimeDelta::minutes(3), noon() + TimeDelta::minutes(5), 10).await.unwrap();
    assert_eq!(due.iter().filter(|c| c.person == id(1)).count(), 1, "one is sent");
    assert_eq!(bench.store.audit_events(Some(id(1)), 10).await.unwrap().iter().filter(|e| e.deed == "credentials.resend").count(), 1);
}

async fn a_person_is_sent_so_many_and_an_actor_orders_so_many_a_day(bench: Bench) {
    bench.save((1..=60).map(|n| person(n, "Nil", "Ay")).collect()).await;
    for n in 1..=u128::from(MOST_PER_PERSON) {
        assert_eq!(resend(&bench, n, 1, noon()).await, Resent::Queued);
    }
    let soon = noon() + TimeDelta::hours(23);
    assert_eq!(resend(&bench, 50, 1, soon).await, Resent::TooManyOfPerson);
    let mut n = 100;
    for of in (2..=60).cycle().take((MOST_PER_ACTOR - MOST_PER_PERSON) as usize) {
        assert_eq!(resend(&bench, n, of, soon).await, Resent::Queued, "{n}");
        n += 1;
    }
    assert_eq!(resend(&bench, n, 60, soon).await, Resent::TooManyOfActor);
    let somebody = Resend { by: "user:somebody".into(), ..order(n, 60, soon) };
    let sent = bench.store.resend(&somebody, &announcement(n, Some(somebody.id)), &resend_event(&somebody), None).await.unwrap();
    assert_eq!(sent, Resent::Queued, "another actor");
    assert_eq!(resend(&bench, n + 1, 1, noon() + TimeDelta::hours(25)).await, Resent::Queued, "the day is over for that person");
}

async fn of_many_at_once_with_one_key_one_is_queued(bench: Bench) {
    bench.save(vec![person(1, "Nil", "Ay")]).await;
    let replica = bench.again().await;
    let key = ClientKey { client: "service:hr".into(), key: "k".into(), asked: "resend 1".into() };
    let all = (1..=6_u128).map(|n| {
        let (store, key) = (if n % 2 == 0 { bench.store.clone() } else { replica.clone() }, key.clone());
        tokio::spawn(async move {
            let order = order(n, 1, noon());
            store.resend(&order, &announcement(n, Some(order.id)), &resend_event(&order), Some((&key, "answer"))).await.unwrap()
        })
    });
    let outcomes: Vec<Resent> = futures_util::future::join_all(all).await.into_iter().map(|o| o.unwrap()).collect();
    assert_eq!(outcomes.iter().filter(|o| **o == Resent::Queued).count(), 1);
    assert_eq!(outcomes.iter().filter(|o| **o == Resent::Answered("answer".into())).count(), 5);
    assert_eq!(bench.store.messages(None, 10).await.unwrap().len(), 1);
    let other = ClientKey { asked: "resend 2".into(), ..key };
    let order = order(9, 1, noon());
    let reused = bench.store.resend(&order, &announcement(9, Some(order.id)), &resend_event(&order), Some((&other, "x"))).await.unwrap();
    assert_eq!(reused, Resent::KeyReused);
}

async fn who_has_another_number_is_seen_to_once_or_again_later(bench: Bench) {
    let with = |number: &str| kimlik_domain::staff::Person { mobile: MobileNumber::parse(number).ok(), ..person(1, "Nil", "Ay") };
    bench.save(vec![with("05321110001")]).await;
    assert!(bench.store.renumbered(noon(), 10).await.unwrap().is_empty(), "a newcomer's number is no other one");
    bench.save(vec![with("")]).await;
    bench.save(vec![with("05321110002")]).await;
    let noted = bench.store.renumbered(noon(), 10).await.unwrap();
    assert_eq!(noted, [(id(1), noon())]);
    let later = noon() + TimeDelta::hours(1);
    bench.store.saw_to(&[SeenTo { person: id(1), due_at: noon(), again: Some(later) }]).await.unwrap();
    assert!(bench.store.renumbered(noon(), 10).await.unwrap().is_empty());
    assert_eq!(bench.store.renumbered(later, 10).await.unwrap(), [(id(1), later)]);
    bench.store.saw_to(&[SeenTo { person: id(1), due_at: later, again: None }]).await.unwrap();
    assert!(bench.store.renumbered(later, 10).await.unwrap().is_empty());
}

async fn a_number_that_comes_while_the_one_before_is_seen_to_is_not_forgotten(bench: Bench) {
    let with = |number: &str| kimlik_domain::staff::Person { mobile: MobileNumber::parse(number).ok(), ..person(1, "Nil", "Ay") };
    bench.save(vec![with("05321110001")]).await;
    let save_at = async |number, at| bench.store.save_roster(RosterSave { at, ..save(vec![with(number)]) }).await.unwrap();
    save_at("05321110002", noon()).await;
    let noted = bench.store.renumbered(noon(), 10).await.unwrap();
    let after = noon() + TimeDelta::seconds(2);
    save_at("05321110003", after).await;
    // What was ordered, and seen to, is the number before.
    assert_eq!(resend(&bench, 1, 1, noon() + TimeDelta::seconds(1)).await, Resent::Queued);
    for again in [Some(noon() + TimeDelta::hours(4)), None] {
        bench.store.saw_to(&[SeenTo { person: noted[0].0, due_at: noted[0].1, again }]).await.unwrap();
        assert_eq!(bench.store.renumbered(after, 10).await.unwrap(), [(id(1), after)]);
    }
}

async fn kimlik_itself_leaves_alone_what_a_courier_has_in_hand_or_has_sent(bench: Bench) {
    bench.save(vec![person(1, "Nil", "Ay")]).await;
    bench.settle_account(&person(1, "Nil", "Ay"), AccountState::Active, 6).await;
    bench.store.queue_messages(&[(id(1), announcement(1, None))], noon()).await.unwrap();
    let by_kimlik = async |n: u128| {
        let order = Resend { by: KIMLIK.into(), ..order(n, 1, noon()) };
        bench.store.resend(&order, &announcement(n, Some(order.id)), &resend_event(&order), None).await.unwrap()
    };
    let claimed = bench.store.claim_messages(Channel::Sms, noon(), noon() + TimeDelta::minutes(2), 10).await.unwrap();
    assert!(matches!(bench.store.begin_sending(&claimed[0], "kannel", noon(), 100).await.unwrap(), Begun::Yes { .. }));
    assert_eq!(by_kimlik(11).await, Resent::OnItsWay);
    let settled = |state| Settled {
        id: claimed[0].id,
        generation: claimed[0].generation,
        state,
        due_at: None,
        tries: 1,
        doubts: 0,
        note: None,
        provider_id: None,
        parts: 1,
        keeps_text: true,
        replacement: None,
        dead_number: None,
    };
    bench.store.settle_message(&settled(MessageState::Sent), noon()).await.unwrap();
    assert_eq!(by_kimlik(12).await, Resent::OnItsWay);
    bench.store.settle_message(&settled(MessageState::Undelivered), noon()).await.unwrap();
    assert_eq!(by_kimlik(13).await, Resent::Queued, "nobody has it");
    let all = bench.store.messages(None, 10).await.unwrap();
    let mut told: Vec<(u128, MessageState)> = all.iter().map(|m| (m.id.0.as_u128(), m.state)).collect();
    told.sort_unstable_by_key(|(n, _)| *n);
    assert_eq!(told, [(1, MessageState::Undelivered), (13, MessageState::Queued)]);
}
