//! What was asked at parola, its codes, and that none of it can be used twice or by two.
use super::{Bench, noon, person};
use chrono::{DateTime, TimeDelta, Utc};
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::{MessageId, PersonId};
use kimlik_domain::message::courier::Begun;
use kimlik_domain::message::{Channel, NewMessage, Purpose};
use kimlik_domain::password::ChallengeKind;
use kimlik_domain::password::challenge::{Asked, Proven};
use kimlik_domain::ports::{Challenges, Outbox as _, Store as _};
use kimlik_domain::staff::{MobileNumber, NationalId};
use uuid::Uuid;
use zeroize::Zeroizing;

on_both_engines!(
    a_code_opens_its_own_challenge_from_when_it_is_sent_for_ten_minutes,
    another_code_ends_the_one_before,
    of_two_that_answer_one_is_heard_and_a_lease_that_ran_out_is_not,
    tries_are_counted_of_whoever_s_challenge_it_is,
);

const LIFE: TimeDelta = TimeDelta::minutes(10);
const TRIES: u32 = 5;

fn key(n: u128) -> Uuid {
    Uuid::from_u128(n)
}
fn after(seconds: i64) -> DateTime<Utc> {
    noon() + TimeDelta::seconds(seconds)
}
fn asked(n: u128) -> Asked {
    let (username, national_id) = (Zeroizing::new("ayse.isik".to_owned()), NationalId::parse("10000000146").ok());
    Asked { id: key(n), kind: ChallengeKind::Reset, username, national_id, at: noon(), generation: 0 }
}
fn text(n: u128, challenge: u128, code: &str) -> NewMessage {
    NewMessage {
        id: MessageId(key(n)),
        purpose: Purpose::ResetCode,
        occasion: key(challenge).to_string(),
        to: MobileNumber::parse("05321110001").unwrap().into(),
        subject: None,
        text: Zeroizing::new("Kod: {code}".to_owned()),
        code: Some(Zeroizing::new(code.to_owned())),
        valid_until: Some(after(600)),
    }
}
fn event() -> AuditEvent {
    let detail = serde_json::json!({});
    AuditEvent { at: noon(), actor: "parola".into(), deed: "password.challenge".into(), person: None, because: "test".into(), detail }
}

impl Bench {
    async fn one(&self) -> PersonId {
        self.save(vec![person(1, "Ayşe", "Işık")]).await;
        super::id(1)
    }
    /// Asked and answered with a code.
    async fn asked(&self, n: u128, code: &str, at: DateTime<Utc>) {
        self.store.ask(&asked(n)).await.unwrap();
        let claimed = self.store.claim_asked(at, at + TimeDelta::seconds(30), 10).await.unwrap();
        assert_eq!(claimed.iter().map(|a| (a.id, a.username.as_str())).collect::<Vec<_>>(), [(key(n), "ayse.isik")]);
        assert_eq!(claimed[0].national_id, asked(n).national_id);
        self.store.answer(&claimed[0], Some((super::id(1), &text(n + 100, n, code))), &event(), at).await.unwrap();
    }
    /// As a courier does, as far as the store sees it.
    async fn sent(&self, at: DateTime<Utc>) -> usize {
        let claimed = self.store.claim_messages(Channel::Sms, at, at + TimeDelta::minutes(2), 10).await.unwrap();
        let due: Vec<_> = claimed.into_iter().filter(|c| c.valid_until.is_none_or(|until| at < until)).collect();
        for claimed in &due {
            assert!(matches!(self.store.begin_sending(claimed, "outbox", at, 1_000).await.unwrap(), Begun::Yes { .. }));
        }
        due.len()
    }
    async fn tried(&self, n: u128, code: &str, at: DateTime<Utc>) -> Option<Proven> {
        self.store.try_challenge(key(n), &Zeroizing::new(code.to_owned()), TRIES, LIFE, at).await.unwrap()
    }
}

async fn a_code_opens_its_own_challenge_from_when_it_is_sent_for_ten_minutes(bench: Bench) {
    let person = bench.one().await;
    bench.asked(1, "735192", noon()).await;
    assert_eq!(bench.tried(1, "735192", after(1)).await, None, "not before it is sent");
    assert_eq!(bench.sent(after(60)).await, 1);
    assert_eq!(bench.tried(1, "735193", after(61)).await, None);
    assert_eq!(bench.tried(2, "735192", after(61)).await, None, "of no challenge");
    let proven = bench.tried(1, "735192", after(659)).await.unwrap();
    assert_eq!((proven.person, proven.kind, proven.to.e164()), (person, ChallengeKind::Reset, "+905321110001"));
    assert_eq!(bench.tried(1, "735192", after(660)).await, None, "ten minutes from sending");
}

async fn another_code_ends_the_one_before(bench: Bench) {
    bench.one().await;
    bench.asked(1, "111111", noon()).await;
    bench.asked(2, "222222", after(1)).await;
    assert_eq!(bench.sent(after(2)).await, 1, "the one before is not sent any more");
    assert_eq!(bench.tried(1, "111111", after(3)).await, None);
    assert_eq!(bench.tried(1, "222222", after(3)).await, None, "a code belongs to its challenge");
    assert!(bench.tried(2, "222222", after(3)).await.is_some());
    bench.asked(3, "333333", after(4)).await;
    assert_eq!(bench.tried(2, "222222", after(5)).await, None, "also where it was sent");
}

async fn of_two_that_answer_one_is_heard_and_a_lease_that_ran_out_is_not(bench: Bench) {
    let person = bench.one().await;
    let other = bench.again().await;
    bench.store.ask(&asked(1)).await.unwrap();
    let mine = bench.store.claim_asked(noon(), after(30), 10).await.unwrap();
    assert_eq!(other.claim_asked(after(1), after(31), 10).await.unwrap().len(), 0, "it is in somebody's hand");
    let theirs = other.claim_asked(after(30), after(60), 10).await.unwrap();
    assert_eq!((mine.len(), theirs.len()), (1, 1), "who died leaves it to the next");
    bench.store.answer(&mine[0], Some((person, &text(101, 1, "111111"))), &event(), after(31)).await.unwrap();
    other.answer(&theirs[0], Some((person, &text(102, 1, "222222"))), &event(), after(32)).await.unwrap();
    other.answer(&theirs[0], Some((person, &text(103, 1, "333333"))), &event(), after(33)).await.unwrap();
    let messages = bench.store.messages(None, 10).await.unwrap();
    assert_eq!(messages.iter().map(|m| m.id.0).collect::<Vec<_>>(), [key(102)], "one answer, one message");
    assert_eq!(bench.store.audit_events(None, 100).await.unwrap().iter().filter(|e| e.because == "test").count(), 1);
    assert_eq!(bench.store.claim_asked(after(600), after(630), 10).await.unwrap().len(), 0);
}

async fn tries_are_counted_of_whoever_s_challenge_it_is(bench: Bench) {
    bench.one().await;
    bench.asked(1, "735192", noon()).await;
    bench.sent(after(1)).await;
    let other = bench.again().await;
    for n in 0..TRIES {
        let store = if n % 2 == 0 { &bench.store } else { &other };
        let code = Zeroizing::new(format!("{n:06}"));
        assert_eq!(store.try_challenge(key(1), &code, TRIES, LIFE, after(2)).await.unwrap(), None);
    }
    assert_eq!(bench.tried(1, "735192", after(3)).await, None, "replicas count together");
    // Nobody's: answered without a code.
    bench.store.ask(&asked(2)).await.unwrap();
    let claimed = bench.store.claim_asked(after(4), after(34), 10).await.unwrap();
    bench.store.answer(&claimed[0], None, &event(), after(4)).await.unwrap();
    assert_eq!(bench.tried(2, "", after(5)).await, None, "no code is not an empty one");
}
