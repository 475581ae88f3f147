//! Records handed in, on a real store: thousands at once, nonsense among them, in parts, repeated, and rehearsed.
use super::Bench;
use chrono::TimeDelta;
use kimlik_domain::account::AccountState;
use kimlik_domain::ports::{Clock as _, PeopleBy, Store as _, Submissions as _, Watch as _};
use kimlik_domain::staff::feed::{Columns, Content, Delivery, Field, Row};
use kimlik_domain::staff::intake::intake;
use kimlik_domain::staff::submission::desk::SubmissionDesk;
use kimlik_domain::staff::submission::{HandedIn, Mode, NewPart, Outcome, Record, Report, Submission};
use kimlik_domain::staff::{IssueKind, Reasons, RegistryNo};
use kimlik_tests::fakes::{TestClock, TestEntropy};
use kimlik_tests::ministry::national_id;
use std::sync::Arc;
use std::time::Instant;

on_both_engines!(
    five_thousand_records_are_taken_at_once_and_again_for_nothing,
    nonsense_is_rejected_record_by_record_and_the_rest_is_taken,
    the_same_key_answers_the_same_and_never_something_else,
    a_snapshot_in_parts_counts_when_all_of_them_are_there,
    a_snapshot_that_has_shrunk_closes_nobody_and_one_of_nonsense_is_refused_whole,
    a_dry_run_says_what_would_be_and_writes_nothing,
    what_a_crash_has_left_behind_is_taken_by_somebody_else,
);

struct House {
    bench: Bench,
    desk: SubmissionDesk,
    clock: Arc<TestClock>,
}

impl House {
    async fn new(bench: Bench) -> House {
        let clock = Arc::new(TestClock::at("2026-12-01".parse().unwrap()));
        let entropy = Arc::new(TestEntropy::default());
        let names: Vec<Option<Field>> = ["code", "parent_code", "name", "kind", "province"].map(Field::parse).into();
        let columns = Columns::new(&names);
        let units = [["10000001", "", "Bakanlık", "CENTRAL", "06"], ["10000035", "10000001", "İzmir", "PROVINCIAL", "35"]];
        let rows = (2..).zip(units).map(|(n, cells)| Row::new(n, &columns, cells)).collect();
        let delivery = Delivery { name: "units".into(), position: "1".into(), content: Content::Units(rows), broken: Vec::new() };
        intake(bench.store.as_ref(), clock.as_ref(), entropy.as_ref(), &Reasons::default(), "csv", &delivery).await.unwrap();
        let desk = SubmissionDesk {
            submissions: bench.store.clone(),
            store: bench.store.clone(),
            clock: clock.clone(),
            entropy,
            reasons: Reasons::default(),
        };
        House { bench, desk, clock }
    }

    fn part(&self, key: &str, mode: Mode, records: &[Record]) -> NewPart {
        let ids = (kimlik_domain::id::SubmissionId(uuid::Uuid::nil()), uuid::Uuid::nil());
        NewPart {
            ids,
            owner: "service:hr-push".into(),
            idempotency_key: key.into(),
            key: format!("c {key}"),
            mode,
            part: 1,
            is_last: true,
            records: records.to_vec(),
            at: self.clock.now(),
        }
    }

    async fn hand_in(&self, key: &str, mode: Mode, records: &[Record]) -> Submission {
        kept(self.desk.hand_in(self.part(key, mode, records)).await.unwrap().0).0
    }

    async fn report(&self, key: &str, mode: Mode, records: &[Record]) -> Report {
        Report { run: None, ..self.hand_in(key, mode, records).await.report.unwrap() }
    }

    async fn piece(&self, n: u32, is_last: bool, records: &[Record]) -> HandedIn {
        let part = self.part(&format!("piece {n} {}", records.len()), Mode::Snapshot, records);
        self.desk.hand_in(NewPart { key: "s all".into(), part: n, is_last, ..part }).await.unwrap().0
    }

    async fn people(&self) -> usize {
        self.bench.store.people(PeopleBy::After(None, 100_000)).await.unwrap().len()
    }
}

fn kept(handed: HandedIn) -> (Submission, u32) {
    match handed {
        HandedIn::Kept { submission, before } => (*submission, before),
        other => panic!("{other:?}"),
    }
}

fn record(n: u32) -> Record {
    let letters: String = n.to_string().chars().map(|c| char::from(b'a' + c as u8 - b'0')).collect();
    let text = |field, text: &str| (field, text.to_owned());
    Record {
        person: vec![
            text(Field::RegistryNo, &format!("P{n:06}")),
            text(Field::NationalId, &national_id(n)),
            text(Field::GivenName, "IŞIL"),
            text(Field::FamilyName, &format!("YILMAZ{letters}")),
            text(Field::EmploymentStart, "2020-01-01"),
            text(Field::Mobile, &format!("0555 {:03} {:02} {:02}", n / 10_000, n / 100 % 100, n % 100)),
        ],
        postings: Some(vec![vec![
            text(Field::UnitCode, "10000035"),
            text(Field::TitlePost, "Memur"),
            text(Field::PostingKind, "PERMANENT"),
        ]]),
    }
}

fn records(n: u32) -> Vec<Record> {
    (1..=n).map(record).collect()
}

fn with(mut record: Record, field: Field, text: &str) -> Record {
    record.person.retain(|(known, _)| *known != field);
    record.person.push((field, text.to_owned()));
    record
}

fn placed(mut record: Record, field: Field, text: &str) -> Record {
    if let Some(posting) = record.postings.as_mut().and_then(|p| p.first_mut()) {
        posting.retain(|(known, _)| *known != field);
        posting.push((field, text.to_owned()));
    }
    record
}

async fn five_thousand_records_are_taken_at_once_and_again_for_nothing(bench: Bench) {
    let house = House::new(bench).await;
    let all = records(5_000);
    let began = Instant::now();
    let report = house.report("a", Mode::Delta, &all).await;
    println!("5,000 records in {} ms", began.elapsed().as_millis());
    assert_eq!((report.new_people, report.results.len(), report.refused.as_deref()), (5_000, 0, None));
    assert_eq!(house.people().await, 5_000);
    let again = house.report("b", Mode::Delta, &all).await;
    assert_eq!((again.new_people, again.changed_people, again.unchanged_people), (0, 0, 5_000));
    let person = house.bench.store.people(PeopleBy::RegistryNos(&[RegistryNo::parse("P000042").unwrap()])).await.unwrap().remove(0).person;
    assert_eq!((&*person.given_name, person.postings.len(), person.mobile.is_some()), ("Işıl", 1, true));
}

async fn nonsense_is_rejected_record_by_record_and_the_rest_is_taken(bench: Bench) {
    let house = House::new(bench).await;
    use IssueKind as K;
    use Outcome::{Held, Rejected, WithIssues};
    let mut bare = record(20);
    bare.person.truncate(1);
    let mut homeless = record(21);
    homeless.postings = Some(Vec::new());
    let cases: Vec<(Record, Outcome, K)> = vec![
        (with(record(1), Field::RegistryNo, ""), Rejected, K::MissingRegistryNo),
        (with(record(2), Field::RegistryNo, "12345678901234567"), Rejected, K::MissingRegistryNo),
        (with(record(3), Field::GivenName, ""), Rejected, K::MissingName),
        (with(record(4), Field::FamilyName, "ÅžAHÄ°N"), Rejected, K::Mojibake),
        (with(record(5), Field::Status, "GONE"), Rejected, K::UnknownWord),
        (with(record(6), Field::EmploymentEnd, "31.02.2026"), Rejected, K::InvalidDate),
        (with(record(7), Field::EmploymentEnd, "2019-01-01"), Rejected, K::DatesOutOfOrder),
        (with(record(8), Field::NationalId, "12345678901"), WithIssues, K::InvalidNationalId),
        (with(record(9), Field::Mobile, "call me"), WithIssues, K::DoubtfulMobile),
        (with(record(10), Field::Mobile, ""), WithIssues, K::MissingMobile),
        (with(record(11), Field::ReasonCode, "4711"), Held, K::UnknownReason),
        (placed(record(12), Field::UnitCode, "99999999"), WithIssues, K::UnknownUnit),
        (placed(record(13), Field::PostingKind, "FOREVER"), Rejected, K::UnknownWord),
        (with(record(14), Field::ManagerRegistryNo, "NOBODY"), WithIssues, K::UnknownManager),
        (with(record(15), Field::Office, &"x".repeat(10_000)), WithIssues, K::TextTooLong),
        (bare, Rejected, K::MissingName),
        (homeless, WithIssues, K::MissingUnit),
    ];
    let nonsense = cases.len();
    let good = records(100).split_off(30);
    let all: Vec<Record> = cases.iter().map(|(record, ..)| record.clone()).chain(good.iter().cloned()).collect();
    let report = house.report("a", Mode::Delta, &all).await;
    assert_eq!(report.refused, None);
    for (line, (_, outcome, kind)) in (1..).zip(&cases) {
        let (is, faults) = report.result(line);
        assert!(is == *outcome && faults.iter().any(|f| f.kind == *kind), "{line}: {outcome:?} {kind:?}, not {is:?} {faults:?}");
    }
    assert_eq!(report.results.len(), nonsense, "everybody else was simply accepted: {:?}", report.results);
    let rejected = cases.iter().filter(|(_, outcome, _)| *outcome == Rejected).count();
    assert_eq!((report.count(Rejected) as usize, house.people().await), (rejected, good.len() + nonsense - rejected));
    let text = serde_json::to_string(&serde_json::json!(report.results.iter().map(|r| format!("{r:?}")).collect::<Vec<_>>())).unwrap();
    assert!(!text.contains("12345678901") && !text.contains("555"), "no value of a record is kept: {text}");
}

async fn the_same_key_answers_the_same_and_never_something_else(bench: Bench) {
    let house = House::new(bench).await;
    let first = house.hand_in("k", Mode::Delta, &records(3)).await;
    let again = house.hand_in("k", Mode::Delta, &records(3)).await;
    assert_eq!(first, Submission { report: again.report.clone(), ..again.clone() });
    assert_eq!(again.report.unwrap().new_people, 3, "the first result, not that of a second time");
    let other = house.desk.hand_in(house.part("k", Mode::Delta, &records(4))).await.unwrap().0;
    assert_eq!(other, HandedIn::OtherInput);
    let other_mode = house.desk.hand_in(house.part("k", Mode::Snapshot, &records(3))).await.unwrap().0;
    assert_eq!(other_mode, HandedIn::OtherInput);
    let somebody = NewPart { owner: "service:other".into(), ..house.part("k", Mode::Delta, &records(4)) };
    assert_eq!(kept(house.desk.hand_in(somebody).await.unwrap().0).0.report.unwrap().new_people, 1, "keys belong to whoever sends them");
    assert!(house.bench.store.submission(first.id, Some("service:other")).await.unwrap().is_none());
    let at_once: Vec<_> = (0..8).map(|_| house.desk.hand_in(house.part("at once", Mode::Delta, &records(50)))).collect();
    for handed in futures_util::future::join_all(at_once).await {
        kept(handed.unwrap().0);
    }
    assert_eq!(house.people().await, 50);
    let audit = house.bench.store.audit_events(None, 100).await.unwrap();
    assert_eq!(audit.iter().filter(|e| e.deed == "records.submit").count(), 3, "once for what was kept, not for what was repeated");
    house.clock.pass(TimeDelta::days(8));
    assert_eq!(house.desk.forget().await.unwrap(), 3);
    assert_eq!(house.report("k", Mode::Delta, &records(4)).await.unchanged_people, 4, "after seven days a key is free");
}

async fn a_snapshot_in_parts_counts_when_all_of_them_are_there(bench: Bench) {
    let house = House::new(bench).await;
    let all = records(250);
    let (two, _) = kept(house.piece(2, false, &all[100..200]).await);
    assert!(!two.is_whole() && two.report.is_none());
    let (three, before) = kept(house.piece(3, true, &all[200..]).await);
    assert_eq!((three.id, three.last_part, three.parts, before), (two.id, Some(3), 2, 100));
    assert!(house.desk.take_waiting().await.unwrap().is_none());
    assert_eq!(house.people().await, 0, "it does not count yet");
    assert_eq!(house.piece(2, false, &all[..50]).await, HandedIn::Conflict, "another second part");
    assert_eq!(house.piece(4, false, &all[..1]).await, HandedIn::Conflict, "behind the last one");
    assert_eq!(house.piece(1, true, &all[..2]).await, HandedIn::Conflict, "another last one");
    let wrong = with(all[7].clone(), Field::GivenName, "");
    let first: Vec<Record> = all[..100].iter().cloned().enumerate().map(|(n, r)| if n == 7 { wrong.clone() } else { r }).collect();
    let (one, _) = kept(house.piece(1, false, &first).await);
    assert!(one.is_whole() && one.report.is_none() && one.records == 250);
    let (taken, _) = house.desk.take_waiting().await.unwrap().unwrap();
    let report = taken.report.unwrap();
    assert_eq!((report.new_people, report.results.len(), report.result(8).0), (249, 1, Outcome::Rejected));
    assert!(house.desk.take_waiting().await.unwrap().is_none(), "once");
    let (again, before) = kept(house.piece(2, false, &all[100..200]).await);
    assert_eq!((again.report.map(|r| r.new_people), before), (Some(249), 100));
    assert!(house.bench.store.submitted_records(one.id).await.unwrap().is_empty(), "what was taken in is not kept");
}

async fn a_snapshot_that_has_shrunk_closes_nobody_and_one_of_nonsense_is_refused_whole(bench: Bench) {
    let house = House::new(bench).await;
    let all = records(60);
    house.report("all", Mode::Snapshot, &all).await;
    for record in house.bench.store.people(PeopleBy::After(None, 100)).await.unwrap() {
        house.bench.settle_account(&record.person, AccountState::Active, 35).await;
    }
    let fewer = house.report("fewer", Mode::Snapshot, &all[..57]).await;
    assert_eq!((fewer.absent, fewer.shrunken, fewer.unchanged_people), (3, false, 57));
    let halved = house.report("halved", Mode::Snapshot, &all[..30]).await;
    assert_eq!((halved.absent, halved.shrunken), (0, true));
    let issues = house.bench.store.issues(None, 100).await.unwrap();
    assert!(issues.iter().any(|i| i.issue.kind == IssueKind::FeedShrunken));
    let active = house.bench.store.people(PeopleBy::After(None, 100)).await.unwrap();
    assert!(active.iter().all(|r| r.account.as_ref().is_some_and(|a| a.state == AccountState::Active)));
    let shifted: Vec<Record> = all.iter().map(|r| with(r.clone(), Field::GivenName, "")).collect();
    let refused = house.report("shifted", Mode::Snapshot, &shifted).await;
    assert!(refused.refused.is_some() && refused.count(Outcome::Rejected) == 60, "{refused:?}");
}

async fn a_dry_run_says_what_would_be_and_writes_nothing(bench: Bench) {
    let house = House::new(bench).await;
    house.report("first", Mode::Delta, &records(10)).await;
    let issues = house.bench.store.issues(None, 100).await.unwrap().len();
    let mut all = records(2_500);
    all[3] = with(all[3].clone(), Field::Status, "GONE");
    all[4] = with(all[4].clone(), Field::Office, "B-4");
    let (report, changed) = house.desk.rehearse(Mode::Delta, &all).await.unwrap();
    assert_eq!(changed.len(), 2_491);
    assert_eq!((report.new_people, report.changed_people, report.unchanged_people), (2_490, 1, 8));
    assert_eq!(report.result(4).0, Outcome::Rejected);
    assert_eq!((house.people().await, house.bench.store.issues(None, 100).await.unwrap().len()), (10, issues));
    let for_real = house.report("second", Mode::Delta, &all).await;
    assert_eq!(for_real, report, "and then it is so");
}

async fn what_a_crash_has_left_behind_is_taken_by_somebody_else(bench: Bench) {
    let house = House::new(bench).await;
    let mut part = house.part("crash", Mode::Delta, &records(5));
    part.ids = (kimlik_domain::id::SubmissionId(uuid::Uuid::from_u128(7)), uuid::Uuid::from_u128(8));
    let (submission, _) = kept(house.bench.store.hand_in(&part).await.unwrap());
    let now = house.clock.now();
    assert!(house.bench.store.claim_submission(submission.id, now, now + TimeDelta::minutes(10)).await.unwrap());
    // The process ends here.
    assert!(house.desk.take_waiting().await.unwrap().is_none(), "it may still be at it");
    let waits = async || {
        let figures = house.bench.store.figures(house.clock.now()).await.unwrap();
        (figures.handed_in, figures.handed_in_since)
    };
    assert_eq!(waits().await, (1, Some(submission.made_at)), "whoever watches sees that it waits");
    assert!(house.hand_in("crash", Mode::Delta, &records(5)).await.report.is_none());
    house.clock.pass(TimeDelta::minutes(11));
    assert_eq!(house.desk.take_waiting().await.unwrap().unwrap().0.report.unwrap().new_people, 5);
    assert_eq!(waits().await, (0, None));
}
