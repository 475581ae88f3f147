//! Phones changed here: what counts, what HR's deliveries do to it, and the way back to HR with several who take it there.
use super::{Bench, noon, person, save, settlement};
use chrono::{DateTime, TimeDelta, Utc};
use kimlik_domain::account::AccountState;
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::{MessageId, PersonId};
use kimlik_domain::message::{NewMessage, Purpose};
use kimlik_domain::phone::desk::MobileChallenge;
use kimlik_domain::phone::write_back::{ForHr, Handed};
use kimlik_domain::phone::{Line, PhoneChange, Phones, Setter, Standing, WorkPhone};
use kimlik_domain::ports::{Cards as _, CodeTried, PeopleBy, PhoneBook, Seal, Store, Tickets as _};
use kimlik_domain::staff::{MobileNumber, Person};
use std::collections::HashSet;
use uuid::Uuid;

on_both_engines!(
    a_change_counts_at_once_and_hr_s_word_ends_it,
    what_hr_says_otherwise_overrules_it_and_takes_it_off_the_way,
    of_one_person_one_change_is_on_its_way_at_a_time_and_only_the_latest_goes_on,
    a_lease_that_ran_out_gives_the_same_key_and_settles_nothing_of_the_next,
    replicas_share_what_goes_to_hr_without_doing_anything_twice,
    a_code_opens_its_own_challenge_once,
    changes_and_deliveries_at_the_same_time_lose_nothing,
);

const A: &str = "05321110001";
const B: &str = "05321110002";
const C: &str = "05321110003";

fn mobile(text: &str) -> Option<MobileNumber> {
    MobileNumber::parse(text).ok()
}
fn with(n: u32, number: &str) -> Person {
    Person { mobile: mobile(number), ..person(n, "Ayşe", "Işık") }
}
fn key(n: u128) -> Uuid {
    Uuid::from_u128(n)
}
fn after(seconds: i64) -> DateTime<Utc> {
    noon() + TimeDelta::seconds(seconds)
}
fn to(n: u32, number: &str, change: u128) -> PhoneChange {
    PhoneChange { person: super::id(n), mobile: Some((key(change), mobile(number))), work: None, by: Setter::Owner, at: noon() }
}
fn event(person: PersonId) -> AuditEvent {
    let detail = serde_json::json!({});
    AuditEvent { at: noon(), actor: "user:ayse".into(), deed: "phone.change".into(), person: Some(person), because: "test".into(), detail }
}

impl Bench {
    async fn change(&self, made: &PhoneChange) {
        assert!(self.store.change_phones(made, None, &event(made.person)).await.unwrap());
    }
    async fn phones(&self, n: u32) -> (Person, Phones) {
        let record = self.store.people(PeopleBy::Ids(&[super::id(n)])).await.unwrap().remove(0);
        (record.person, record.phones)
    }
    async fn cards(&self) -> bool {
        let seal = Seal { epoch: key(77), at: noon(), shape: "x", limit: 100 };
        let text = |facts: &kimlik_domain::ports::CardFacts, _: &kimlik_domain::staff::Units| Some(format!("{:?}", facts.person.mobile));
        let before = self.store.cards_head().await.unwrap().position;
        self.store.seal_cards(&seal, &text).await.unwrap();
        self.store.cards_head().await.unwrap().position > before
    }
}

async fn a_change_counts_at_once_and_hr_s_word_ends_it(bench: Bench) {
    bench.save(vec![with(1, A)]).await;
    bench.settle_account(&with(1, A), AccountState::Active, 6).await;
    assert!(bench.cards().await && !bench.cards().await);
    assert!(bench.store.claim(after(1), after(60), 10).await.unwrap().is_empty(), "nobody is woken yet");
    let work = WorkPhone { number: None, extension: Some("4321".into()) };
    let made = PhoneChange { work: Some((key(2), work.clone())), ..to(1, B, 1) };
    bench.change(&made).await;

    let (person, phones) = bench.phones(1).await;
    assert_eq!((&person.mobile, person.extension.as_deref()), (&mobile(B), Some("4321")), "what counts stands in the record");
    assert_eq!((&phones.hr_mobile, &phones.hr_work), (&mobile(A), &WorkPhone::default()));
    assert!(bench.cards().await, "the card follows");
    assert_eq!(bench.store.claim(after(1), after(60), 10).await.unwrap().len(), 1, "the person is woken");
    let untold = bench.store.untold(10).await.unwrap();
    assert_eq!((untold.len(), &untold[0].to), (1, &mobile(A)));
    bench.store.told(&untold[0], &[], noon()).await.unwrap();
    assert!(bench.store.untold(10).await.unwrap().is_empty());
    assert_eq!(bench.store.known(&[super::no("S1")], &[]).await.unwrap()[0].person.mobile, mobile(A), "an intake compares with HR's word");

    let first = bench.store.claim_write_backs(after(1), after(60), 10).await.unwrap();
    assert_eq!((first.len(), first[0].id, &first[0].numbers), (1, key(1), &ForHr::Mobile(mobile(B))));
    bench.store.settle_write_back(&first[0], &Handed::Over(Standing::Taken, None), None, after(2)).await.unwrap();
    let second = bench.store.claim_write_backs(after(3), after(60), 10).await.unwrap();
    assert_eq!((second.len(), &second[0].numbers), (1, &ForHr::Work(work)));
    bench.store.settle_write_back(&second[0], &Handed::Over(Standing::Taken, None), None, after(4)).await.unwrap();
    assert_eq!(bench.phones(1).await.1.ledger.own(Line::Mobile), Some((key(1), Standing::Taken)));

    bench.save(vec![Person { extension: Some("4321".into()), ..with(1, B) }]).await;
    let (_, phones) = bench.phones(1).await;
    assert_eq!((phones.ledger.mobile.clone(), phones.ledger.work.clone()), (None, None));
    assert_eq!(phones.ledger.mobile_changed.unwrap().by, Setter::Owner, "who changed it is known for the cooling-off");
    assert!(bench.store.untold(10).await.unwrap().is_empty(), "nothing has changed for its owner");
}

async fn what_hr_says_otherwise_overrules_it_and_takes_it_off_the_way(bench: Bench) {
    bench.save(vec![with(1, A)]).await;
    bench.change(&to(1, B, 1)).await;
    bench.save(vec![with(1, C)]).await;
    let (person, phones) = bench.phones(1).await;
    assert_eq!((person.mobile, phones.disputes()), (mobile(C), vec![(Line::Mobile, Standing::Overruled)]));
    assert_eq!(phones.ledger.mobile_changed.unwrap().by, Setter::Hr);
    assert!(bench.store.claim_write_backs(after(1), after(60), 10).await.unwrap().is_empty(), "HR is not written what it overruled");
    let told: Vec<Option<MobileNumber>> = bench.store.untold(10).await.unwrap().into_iter().map(|u| u.to).collect();
    assert_eq!(told, [mobile(A), mobile(B)]);

    // HR alone changes a number as well, and the one before is told.
    bench.save(vec![with(2, A)]).await;
    assert_eq!(bench.phones(2).await.1.ledger.mobile_changed, None, "a newcomer's number has not changed");
    bench.save(vec![with(2, C)]).await;
    assert_eq!(bench.phones(2).await.1.ledger.mobile_changed.unwrap().by, Setter::Hr);
    assert_eq!(bench.store.untold(10).await.unwrap().len(), 3);
}

async fn of_one_person_one_change_is_on_its_way_at_a_time_and_only_the_latest_goes_on(bench: Bench) {
    bench.save(vec![with(1, A)]).await;
    bench.change(&to(1, B, 1)).await;
    let first = bench.store.claim_write_backs(after(1), after(60), 10).await.unwrap().remove(0);
    bench.change(&to(1, C, 2)).await;
    assert!(bench.store.claim_write_backs(after(2), after(60), 10).await.unwrap().is_empty(), "the first one is still in somebody's hand");
    let again = Handed::Again { at: after(5), tries: 1, note: "no answer".into() };
    bench.store.settle_write_back(&first, &again, None, after(3)).await.unwrap();
    let next = bench.store.claim_write_backs(after(100), after(160), 10).await.unwrap();
    assert_eq!((next.len(), next[0].id, &next[0].numbers), (1, key(2), &ForHr::Mobile(mobile(C))), "the first is not sent again");
    bench.store.settle_write_back(&next[0], &Handed::Over(Standing::Newer, None), None, after(101)).await.unwrap();
    let (person, phones) = bench.phones(1).await;
    assert_eq!((person.mobile, phones.disputes()), (mobile(C), vec![(Line::Mobile, Standing::Newer)]));
    assert!(bench.store.claim_write_backs(after(9_999), after(10_000), 10).await.unwrap().is_empty());
}

async fn a_lease_that_ran_out_gives_the_same_key_and_settles_nothing_of_the_next(bench: Bench) {
    bench.save(vec![with(1, A)]).await;
    bench.change(&to(1, B, 1)).await;
    let lost = bench.store.claim_write_backs(after(1), after(60), 10).await.unwrap().remove(0);
    let other = bench.again().await;
    assert!(other.claim_write_backs(after(30), after(90), 10).await.unwrap().is_empty());
    let held = other.claim_write_backs(after(61), after(120), 10).await.unwrap().remove(0);
    assert_eq!((held.id, &held.numbers), (lost.id, &lost.numbers));
    bench.store.settle_write_back(&lost, &Handed::Over(Standing::Refused, None), None, after(62)).await.unwrap();
    assert_eq!(bench.phones(1).await.1.ledger.own(Line::Mobile), Some((key(1), Standing::Pending)), "the lease was lost");
    other.settle_write_back(&held, &Handed::Over(Standing::Taken, None), Some(&event(held.person)), after(63)).await.unwrap();
    assert_eq!(bench.phones(1).await.1.ledger.own(Line::Mobile), Some((key(1), Standing::Taken)));
    let deeds: Vec<String> = bench.store.audit_events(None, 10).await.unwrap().into_iter().map(|e| e.deed).collect();
    assert_eq!(deeds.len(), 2, "{deeds:?}");
}

async fn replicas_share_what_goes_to_hr_without_doing_anything_twice(bench: Bench) {
    bench.save((1..=20).map(|n| with(n, A)).collect()).await;
    for n in 1..=20 {
        bench.change(&to(n, B, u128::from(n))).await;
    }
    let other = bench.again().await;
    let (one, two) = tokio::join!(bench.store.claim_write_backs(after(1), after(60), 12), other.claim_write_backs(after(1), after(60), 12));
    let (one, two) = (one.unwrap(), two.unwrap());
    let keys: HashSet<Uuid> = one.iter().chain(&two).map(|w| w.id).collect();
    assert_eq!((keys.len(), one.len() + two.len()), (20, 20));
}

async fn a_code_opens_its_own_challenge_once(bench: Bench) {
    bench.save(vec![with(1, A), with(2, A)]).await;
    bench.store.settle(vec![settlement(&person(1, "Ayşe", "Işık"))]).await.unwrap();
    let challenge = |n: u128, number: &str, second: i64| MobileChallenge {
        id: key(n),
        person: super::id(1),
        to: mobile(number).unwrap(),
        made_at: after(second),
        expires_at: after(second + 600),
    };
    let code = |c: &MobileChallenge, code: &str| NewMessage {
        id: MessageId(key(1_000 + c.id.as_u128())),
        purpose: Purpose::MobileConfirmCode,
        occasion: c.id.to_string(),
        to: c.to.clone().into(),
        subject: None,
        text: "{code}".to_owned().into(),
        code: Some(code.to_owned().into()),
        valid_until: Some(c.expires_at),
    };
    let (old, new) = (challenge(1, B, 0), challenge(2, C, 10));
    bench.store.begin_mobile_change(&old, &code(&old, "111111"), &event(super::id(1))).await.unwrap();
    assert_eq!(bench.store.mobile_challenge(key(1), super::id(1), after(1)).await.unwrap(), Some(old.clone()));
    assert_eq!(bench.store.mobile_challenge(key(1), super::id(2), after(1)).await.unwrap(), None, "somebody else's");
    assert_eq!(bench.store.mobile_challenge(key(1), super::id(1), after(601)).await.unwrap(), None, "outlived");
    bench.store.begin_mobile_change(&new, &code(&new, "222222"), &event(super::id(1))).await.unwrap();
    assert_eq!(bench.store.mobile_challenge(key(1), super::id(1), after(11)).await.unwrap(), None, "another one was begun");
    let tried = |text: &str| {
        let (store, text) = (bench.store.clone(), text.to_owned().into());
        async move { store.try_code(super::id(1), Purpose::MobileConfirmCode, &text, 5, after(9)).await.unwrap() }
    };
    assert_eq!(tried("111111").await, CodeTried::Wrong, "the code of the other challenge");
    assert!(matches!(tried("222222").await, CodeTried::Right(_)));
    let made = to(1, C, 50);
    let other = bench.again().await;
    let deed = event(super::id(1));
    let (one, two) = tokio::join!(bench.store.change_phones(&made, Some(key(2)), &deed), other.change_phones(&made, Some(key(2)), &deed));
    assert_eq!([one.unwrap(), two.unwrap()].into_iter().filter(|done| *done).count(), 1);
    assert_eq!(bench.phones(1).await.0.mobile, mobile(C));
}

async fn changes_and_deliveries_at_the_same_time_lose_nothing(bench: Bench) {
    let people: Vec<Person> = (1..=30).map(|n| with(n, A)).collect();
    bench.save(people.clone()).await;
    let renamed = people.iter().map(|p| Person { office: Some("B-12".into()), ..p.clone() }).collect();
    let other = bench.again().await;
    let delivering = async {
        other.save_roster(save(renamed)).await.unwrap();
    };
    let changing = async {
        for n in 1..=30 {
            bench.change(&to(n, B, u128::from(n))).await;
        }
    };
    tokio::join!(delivering, changing);
    for n in 1..=30 {
        let (person, phones) = bench.phones(n).await;
        assert_eq!((person.mobile, person.office.as_deref(), phones.hr_mobile), (mobile(B), Some("B-12"), mobile(A)));
    }
}
