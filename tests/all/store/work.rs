//! The work queue: leases, reasons that come during the work, who is woken with whom, full runs, the watermark.
use super::{Bench, id, no, noon, person, save, settlement};
use chrono::{DateTime, TimeDelta, Utc};
use kimlik_domain::lifecycle::run::PersonSettlement;
use kimlik_domain::ports::{Claim, Store, Watermark};
use kimlik_domain::staff::intake::RosterSave;
use kimlik_domain::staff::{Person, Posting, PostingKind, Unit};
use kimlik_tests::staff;
use sqlx::Connection;
use std::collections::HashSet;

on_both_engines!(
    a_leased_person_is_not_given_to_another_until_the_lease_ends,
    a_reason_that_comes_during_the_work_is_not_lost,
    the_earliest_reason_counts,
    who_is_known_to_be_looked_at_by_then_costs_no_write,
    a_worker_whose_lease_ran_out_cannot_end_the_next_ones,
    workers_at_the_same_time_never_share_a_person,
    the_reports_of_a_head_are_woken,
    a_full_run_is_due_until_its_number_is_done,
    the_watermark_is_kept,
    a_renewed_lease_goes_on_and_a_lost_one_is_told,
    one_at_a_time_has_the_hand_at_everybody,
);

fn later(minutes: i64) -> DateTime<Utc> {
    noon() + TimeDelta::minutes(minutes)
}

async fn claim_one(bench: &Bench, now: DateTime<Utc>) -> Option<Claim> {
    bench.store.claim(now, now + TimeDelta::minutes(5), 10).await.unwrap().first().copied()
}

async fn a_leased_person_is_not_given_to_another_until_the_lease_ends(bench: Bench) {
    bench.store.wake(&[(id(1), noon()), (id(1), noon())]).await.unwrap();
    assert_eq!(claim_one(&bench, later(-1)).await, None, "not due yet");
    let claim = claim_one(&bench, noon()).await.unwrap();
    assert_eq!(claim.person, id(1));
    assert_eq!(claim_one(&bench, later(4)).await, None);
    let again = claim_one(&bench, later(5)).await.unwrap();
    bench.store.release(&[(again, None)]).await.unwrap();
    assert_eq!(claim_one(&bench, later(600)).await, None, "nothing is left to do");
}

async fn a_reason_that_comes_during_the_work_is_not_lost(bench: Bench) {
    bench.store.wake(&[(id(1), noon())]).await.unwrap();
    let claim = claim_one(&bench, noon()).await.unwrap();
    bench.again().await.wake(&[(id(1), later(1))]).await.unwrap();
    assert_eq!(claim_one(&bench, later(2)).await, None, "still being worked on");
    bench.store.release(&[(claim, Some(later(9_000)))]).await.unwrap();
    let again = claim_one(&bench, later(2)).await.unwrap();
    bench.store.release(&[(again, Some(later(9_000)))]).await.unwrap();
    assert_eq!(claim_one(&bench, later(8_999)).await, None);
    assert!(claim_one(&bench, later(9_000)).await.is_some());
}

async fn the_earliest_reason_counts(bench: Bench) {
    bench.store.wake(&[(id(1), later(60))]).await.unwrap();
    bench.store.wake(&[(id(1), later(30))]).await.unwrap();
    bench.store.wake(&[(id(1), later(90))]).await.unwrap();
    assert_eq!(claim_one(&bench, later(29)).await, None);
    assert!(claim_one(&bench, later(30)).await.is_some());
}

/// Another one whenever somebody has written: SQLite counts commits, PostgreSQL says who last touched each row, locks included.
async fn mark(bench: &Bench, sqlite: &mut Option<sqlx::SqliteConnection>) -> String {
    if let Some(file) = bench.url.strip_prefix("sqlite://") {
        if sqlite.is_none() {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
            *sqlite = Some(sqlx::SqliteConnection::connect_with(&options).await.unwrap());
        }
        let version = sqlx::query_scalar::<_, i64>("PRAGMA data_version").fetch_one(sqlite.as_mut().unwrap()).await.unwrap();
        return version.to_string();
    }
    let mut db = sqlx::PgConnection::connect(&bench.url).await.unwrap();
    let touched = "SELECT coalesce(string_agg(concat_ws(' ', person, xmin, xmax), ',' ORDER BY person), '') FROM work";
    sqlx::query_scalar(touched).fetch_one(&mut db).await.unwrap()
}

async fn who_is_known_to_be_looked_at_by_then_costs_no_write(bench: Bench) {
    let people: Vec<_> = (1..=2_500).map(|n| (id(n), later(60))).collect();
    bench.store.wake(&people).await.unwrap();
    let mut sqlite = None;
    let before = mark(&bench, &mut sqlite).await;
    bench.store.wake(&people).await.unwrap();
    bench.store.wake(&people.iter().map(|(p, _)| (*p, later(90))).collect::<Vec<_>>()).await.unwrap();
    assert_eq!(mark(&bench, &mut sqlite).await, before, "they are looked at by then");
    bench.store.wake(&[people[0], (id(7), later(30))]).await.unwrap();
    assert_ne!(mark(&bench, &mut sqlite).await, before, "an earlier day is noted, and heard of here");
    assert_eq!(claim_one(&bench, later(30)).await.map(|c| c.person), Some(id(7)));
    // Whoever is at work on somebody looked before this reason came.
    bench.store.wake(&[(id(7), later(35))]).await.unwrap();
    let before = mark(&bench, &mut sqlite).await;
    bench.store.wake(&[(id(7), later(36))]).await.unwrap();
    assert_eq!(mark(&bench, &mut sqlite).await, before, "a reason beside the lease is known, too");
    assert_eq!(claim_one(&bench, later(36)).await.map(|c| c.person), Some(id(7)), "the lease is over");
}

async fn a_worker_whose_lease_ran_out_cannot_end_the_next_ones(bench: Bench) {
    bench.store.wake(&[(id(1), noon())]).await.unwrap();
    let slow = claim_one(&bench, noon()).await.unwrap();
    let next = claim_one(&bench, later(6)).await.unwrap();
    bench.store.release(&[(slow, None)]).await.unwrap();
    assert_eq!(claim_one(&bench, later(7)).await, None, "the second lease still holds");
    assert!(claim_one(&bench, later(11)).await.is_some(), "and the row is still there");
    assert_ne!(slow.generation, next.generation);
}

async fn workers_at_the_same_time_never_share_a_person(bench: Bench) {
    let people: Vec<_> = (1..=200).map(id).collect();
    bench.store.wake(&people.iter().map(|p| (*p, noon())).collect::<Vec<_>>()).await.unwrap();
    let mut workers = Vec::new();
    for replica in 0..4 {
        let store = if replica % 2 == 0 { bench.store.clone() } else { bench.again().await };
        workers.push(tokio::spawn(async move {
            let mut got = Vec::new();
            loop {
                let claims = store.claim(noon(), later(5), 7).await.unwrap();
                if claims.is_empty() {
                    return got;
                }
                got.extend(claims.iter().map(|c| c.person));
                store.release(&claims.iter().map(|c| (*c, None)).collect::<Vec<_>>()).await.unwrap();
            }
        }));
    }
    let mut all = HashSet::new();
    let mut count = 0;
    for worker in workers {
        let got = worker.await.unwrap();
        count += got.len();
        all.extend(got);
    }
    assert_eq!((all.len(), count), (200, 200));
}

fn unit(code: &str, parent: Option<&str>, head: Option<&str>) -> Unit {
    Unit { parent: parent.map(staff::code), head: head.map(no), ..staff::unit(staff::code(code), "Şube") }
}

fn in_unit(person: Person, unit: &str) -> Person {
    let unit = staff::code(unit);
    let posting = Posting { kind: PostingKind::Permanent, unit, title_post: None, title_duty: None, start: None, end: None };
    Person { postings: vec![posting], ..person }
}

async fn the_reports_of_a_head_are_woken(bench: Bench) {
    let units = vec![
        unit("10000000", None, Some("S1")),
        unit("20000000", Some("10000000"), None),
        unit("30000000", Some("20000000"), Some("S4")),
        unit("40000000", None, Some("S6")),
    ];
    let people = vec![
        in_unit(person(1, "Baş", "Kan"), "10000000"),
        in_unit(person(2, "A", "Altında"), "10000000"),
        in_unit(person(3, "B", "Altının Altında"), "20000000"),
        in_unit(person(4, "C", "Alt Baş"), "30000000"),
        in_unit(person(5, "D", "Alt Başın Altında"), "30000000"),
        in_unit(person(6, "E", "Başka Baş"), "40000000"),
        Person { manager: Some(no("S1")), ..in_unit(person(7, "F", "Adıyla"), "40000000") },
    ];
    let boss = people[0].clone();
    bench.store.save_roster(RosterSave { units, ..save(people) }).await.unwrap();
    let expected: HashSet<_> = [1, 2, 3, 4, 7].map(id).into();
    bench.store.settle(vec![PersonSettlement { wake_reports: true, ..settlement(&boss) }]).await.unwrap();
    let claims = bench.store.claim(noon(), later(5), 100).await.unwrap();
    assert_eq!(claims.iter().map(|c| c.person).collect::<HashSet<_>>(), expected);
}

async fn a_full_run_is_due_until_its_number_is_done(bench: Bench) {
    assert_eq!(bench.store.full_run_due().await.unwrap(), None);
    bench.store.request_full_run().await.unwrap();
    let number = bench.store.full_run_due().await.unwrap().unwrap();
    bench.store.save_roster(RosterSave { wake_everybody: true, ..save(Vec::new()) }).await.unwrap();
    bench.store.full_run_done(number).await.unwrap();
    let next = bench.store.full_run_due().await.unwrap().unwrap();
    assert!(next > number, "a reason that came during the run stays");
    bench.store.full_run_done(next).await.unwrap();
    bench.store.full_run_done(number).await.unwrap();
    assert_eq!(bench.store.full_run_due().await.unwrap(), None);
}

async fn the_watermark_is_kept(bench: Bench) {
    assert_eq!(bench.store.watermark().await.unwrap(), None);
    for usn in [7, u64::MAX] {
        let mark = Watermark { source: "b0e0…".into(), usn };
        bench.store.save_watermark(&mark).await.unwrap();
        assert_eq!(bench.again().await.watermark().await.unwrap(), Some(mark));
    }
}

async fn a_renewed_lease_goes_on_and_a_lost_one_is_told(bench: Bench) {
    bench.store.wake(&[(id(1), noon()), (id(2), noon())]).await.unwrap();
    let slow = bench.store.claim(noon(), later(5), 10).await.unwrap();
    assert_eq!(bench.store.renew_claims(&slow, later(10)).await.unwrap(), []);
    assert_eq!(claim_one(&bench, later(9)).await, None, "the lease goes on");
    let other = bench.again().await.claim(later(10), later(15), 1).await.unwrap();
    assert_eq!(bench.store.renew_claims(&slow, later(20)).await.unwrap(), [other[0].person], "the other one's is no longer this worker's");
    let ended = claim_one(&bench, later(15)).await.unwrap();
    assert_eq!(ended.person, other[0].person, "renewing what was lost has lengthened nothing");
    let kept: Vec<Claim> = slow.into_iter().filter(|c| c.person != other[0].person).collect();
    bench.store.release(&[(kept[0], None)]).await.unwrap();
    assert_eq!(bench.store.renew_claims(&kept, later(30)).await.unwrap(), [kept[0].person], "what is done is nobody's");
}

async fn one_at_a_time_has_the_hand_at_everybody(bench: Bench) {
    let [first, second] = [1, 2].map(uuid::Uuid::from_u128);
    let other = bench.again().await;
    assert!(bench.store.take_hand(first, noon(), later(1)).await.unwrap());
    assert!(!other.take_hand(second, noon(), later(1)).await.unwrap());
    assert!(bench.store.keep_hand(first, later(2)).await.unwrap() && !other.keep_hand(second, later(9)).await.unwrap());
    assert!(!other.take_hand(second, later(1), later(3)).await.unwrap(), "it was kept");
    assert!(other.take_hand(second, later(2), later(3)).await.unwrap(), "whoever was killed keeps it no longer than the lease");
    assert!(!bench.store.keep_hand(first, later(9)).await.unwrap(), "and hears of it, should it live after all");
    bench.store.let_go_of_hand(first).await.unwrap();
    assert!(!bench.store.take_hand(first, later(2), later(9)).await.unwrap(), "another's is not let go of");
    other.let_go_of_hand(second).await.unwrap();
    assert!(!other.keep_hand(second, later(9)).await.unwrap());
    let mut rivals = Vec::new();
    for n in 10..18 {
        let store = if n % 2 == 0 { bench.store.clone() } else { other.clone() };
        rivals.push(tokio::spawn(async move { store.take_hand(uuid::Uuid::from_u128(n), noon(), later(1)).await.unwrap() }));
    }
    let mut winners = 0;
    for rival in rivals {
        winners += u32::from(rival.await.unwrap());
    }
    assert_eq!(winners, 1);
}
