//! Taking in and reading people: all or nothing, what was written is what is read, Turkish order and search.
use super::{Bench, at, id, no, noon, person, save};
use kimlik_domain::account::AccountState;
use kimlik_domain::id::AccountGuid;
use kimlik_domain::message::Language;
use kimlik_domain::message::language::choose;
use kimlik_domain::ports::{PeopleBy, Refusal, Store};
use kimlik_domain::staff::intake::RosterSave;
use kimlik_domain::staff::{
    DataIssue, EmploymentStatus, IssueKind, MobileNumber, NationalId, Person, Posting, PostingKind, UnitCode, WorkNumber,
};
use uuid::Uuid;

on_both_engines!(
    a_person_is_read_as_written,
    people_are_found_by_id_guid_and_number_and_paged,
    known_people_are_found_by_former_numbers_and_marks,
    a_save_that_fails_leaves_nothing,
    text_that_no_database_takes_does_not_stop_a_save,
    managers_accounts_are_those_seen_and_not_closed,
    the_population_counts_managed_accounts_by_province,
    a_feeds_position_is_saved_with_the_last_part,
    thousands_of_people_go_in_and_out_again,
    a_chosen_language_stays_whatever_hr_delivers,
);

fn full() -> Person {
    let unit = UnitCode::parse("01234567").unwrap();
    let posting = |kind, title: &str| Posting {
        kind,
        unit,
        title_post: Some(title.into()),
        title_duty: None,
        start: "2020-02-29".parse().ok(),
        end: None,
    };
    Person {
        status: Some(EmploymentStatus::OnLeave),
        reason_code: Some("71".into()),
        employment_start: "2011-01-31".parse().ok(),
        employment_end: "2031-01-31".parse().ok(),
        postings: vec![posting(PostingKind::Permanent, "Mühendis"), posting(PostingKind::Acting, "Şube Müdürü")],
        mobile: MobileNumber::parse("0532 123 45 67").ok(),
        mobile_public: true,
        work_phone: WorkNumber::parse("0312 410 10 00").ok(),
        extension: Some("1234".into()),
        office: Some("A-101 \"köşe\"".into()),
        manager: Some(no("S9")),
        photo: Some("s1.jpg".into()),
        attributes: vec![(1, "İlk; ikinci".into()), (15, "🎓".into())],
        updated_at: Some(at("2026-11-22T21:59:59.999999Z")),
        ..person(1, "Gökçe Nur", "Işık-İğneci")
    }
}

async fn a_chosen_language_stays_whatever_hr_delivers(bench: Bench) {
    bench.save(vec![full(), person(2, "Ali", "Can")]).await;
    let languages = async || {
        let read = bench.store.people(PeopleBy::After(None, 9)).await.unwrap();
        read.into_iter().map(|record| record.language).collect::<Vec<_>>()
    };
    assert_eq!(languages().await, [None, None]);
    for chosen in [Language::En, Language::En, Language::Tr] {
        let read = bench.store.people(PeopleBy::Ids(&[id(1)])).await.unwrap().remove(0);
        choose(bench.store.as_ref(), &read, chosen, "user:gokce", noon()).await.unwrap();
        bench.save(vec![Person { office: Some(format!("{chosen:?}").into()), ..full() }]).await;
        assert_eq!(languages().await, [Some(chosen), None]);
    }
    let events = bench.store.audit_events(Some(id(1)), 9).await.unwrap();
    assert_eq!(events.iter().filter(|e| e.deed == "language.choose").count(), 2, "each change once: {events:?}");
}

async fn a_person_is_read_as_written(bench: Bench) {
    bench.save(vec![full()]).await;
    let again = Person { office: None, family_name: "Öz".into(), ..full() };
    for version in [full(), again] {
        bench.save(vec![version.clone()]).await;
        let read = bench.store.people(PeopleBy::Ids(&[id(1)])).await.unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].person, version);
        assert_eq!(read[0].account, None);
    }
}

async fn people_are_found_by_id_guid_and_number_and_paged(bench: Bench) {
    bench.save((1..=5).map(|n| person(n, "Ad", "Soyad")).collect()).await;
    let account = bench.settle_account(&person(2, "Ad", "Soyad"), AccountState::Active, 6).await;
    let guid = account.guid.unwrap();
    let ids = |found: Vec<kimlik_domain::ports::PersonRecord>| found.into_iter().map(|r| r.person.id).collect::<Vec<_>>();
    let found = bench.store.people(PeopleBy::Guids(&[guid, AccountGuid(Uuid::from_u128(9))])).await.unwrap();
    assert_eq!(found[0].account, Some(account));
    assert_eq!(ids(found), [id(2)]);
    assert_eq!(ids(bench.store.people(PeopleBy::RegistryNos(&[no("s3"), no("S77")])).await.unwrap()), [id(3)]);
    assert_eq!(ids(bench.store.people(PeopleBy::After(None, 2)).await.unwrap()), [id(1), id(2)]);
    assert_eq!(ids(bench.store.people(PeopleBy::After(Some(id(2)), 9)).await.unwrap()), [id(3), id(4), id(5)]);
}

async fn known_people_are_found_by_former_numbers_and_marks(bench: Bench) {
    let national_id = NationalId::parse("10000000146").unwrap();
    let mut roster = save(vec![person(1, "A", "B"), person(2, "C", "D")]);
    roster.people[0].national_id = Some(national_id.clone());
    roster.people[0].former_registry_no = Some(no("ESKI-1"));
    bench.store.save_roster(roster).await.unwrap();
    bench.settle_account(&person(1, "A", "B"), AccountState::Closed, 6).await;
    bench.save(vec![person(1, "A", "B")]).await;

    let mark = bench.store.mark(&national_id);
    for known in [
        bench.store.known(&[no("S1")], &[]).await.unwrap(),
        bench.store.known(&[no("ESKI-1")], &[]).await.unwrap(),
        bench.again().await.known(&[], &[mark]).await.unwrap(),
        bench.store.known(&[no("S1"), no("ESKI-1")], &[mark]).await.unwrap(),
    ] {
        assert_eq!(known.len(), 1);
        assert_eq!(known[0].person, person(1, "A", "B"));
        assert_eq!(known[0].mark, Some(mark), "a save without a national id keeps the one held");
        assert_eq!(known[0].former_registry_nos, [no("ESKI-1")]);
        assert_eq!(known[0].account_state, AccountState::Closed);
    }
    assert_eq!(bench.store.known(&[no("S3")], &[]).await.unwrap(), []);
    let mut census = bench.store.census().await.unwrap();
    census.sort_by_key(|line| line.person);
    let states: Vec<_> = census.iter().map(|line| (line.registry_no.as_str(), line.account_state)).collect();
    assert_eq!(states, [("S1", AccountState::Closed), ("S2", AccountState::None)]);
}

async fn a_save_that_fails_leaves_nothing(bench: Bench) {
    bench.save(vec![person(1, "A", "B")]).await;
    let thief = Person { registry_no: no("S1"), ..person(3, "E", "F") };
    let issue = DataIssue { registry_no: Some(no("S2")), ..DataIssue::new(IssueKind::MissingMobile, "yok") };
    let failing = RosterSave {
        wake: vec![id(2)],
        wake_everybody: true,
        issues: vec![issue],
        position: Some(("hr".into(), "1".into())),
        ..save(vec![person(2, "C", "D"), thief])
    };
    let refused = bench.store.save_roster(failing).await.unwrap_err();
    assert_eq!(refused.refusal(), Some(Refusal::Other));
    assert!(!refused.to_string().contains("S1"), "an error shows no values: {refused}");
    assert_eq!(bench.store.census().await.unwrap().len(), 1);
    assert_eq!(bench.store.claim(noon(), noon(), 10).await.unwrap(), []);
    assert_eq!(bench.store.full_run_due().await.unwrap(), None);
    assert_eq!(bench.store.issues(None, 10).await.unwrap(), []);
    assert_eq!(bench.store.feed_position("hr").await.unwrap(), None);
}

async fn text_that_no_database_takes_does_not_stop_a_save(bench: Bench) {
    let odd = Person { office: Some("a\0b".into()), ..person(1, "Nul\0", "So\u{10FFFF}yad") };
    let issue = DataIssue { registry_no: Some(no("S1")), field: Some("of\0fice".into()), ..DataIssue::new(IssueKind::InvalidValue, "\0") };
    bench.store.save_roster(RosterSave { issues: vec![issue.clone()], ..save(vec![odd.clone()]) }).await.unwrap();
    assert_eq!(bench.store.people(PeopleBy::Ids(&[id(1)])).await.unwrap()[0].person, odd);
    assert_eq!(bench.store.issues(None, 10).await.unwrap()[0].issue, issue);
    assert_eq!(bench.store.person_named(Some("\0"), None).await.unwrap(), None);
}

async fn managers_accounts_are_those_seen_and_not_closed(bench: Bench) {
    let people: Vec<Person> = (1..=3).map(|n| person(n, "A", "B")).collect();
    bench.save(people.clone()).await;
    let account = bench.settle_account(&people[0], AccountState::Active, 6).await;
    bench.settle_account(&people[1], AccountState::Closed, 6).await;
    let found = bench.store.accounts_of(&[no("S1"), no("S2"), no("S3"), no("S4")]).await.unwrap();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [(no("S1"), account.guid.unwrap())]);
}

async fn the_population_counts_managed_accounts_by_province(bench: Bench) {
    let people: Vec<Person> = (1..=6).map(|n| person(n, "A", "B")).collect();
    bench.save(people.clone()).await;
    for (person, state, plate) in [
        (&people[0], AccountState::Active, 6),
        (&people[1], AccountState::Suspended, 6),
        (&people[2], AccountState::Opening, 34),
        (&people[3], AccountState::Closed, 34),
        (&people[4], AccountState::Active, 0),
        (&people[5], AccountState::None, 6),
    ] {
        bench.settle_account(person, state, plate).await;
    }
    let population = bench.store.population().await.unwrap();
    let by_province: Vec<_> = population.by_province.iter().map(|(p, n)| (p.plate(), *n)).collect();
    assert_eq!((population.all, by_province), (4, vec![(6, 2), (34, 1)]));
}

async fn a_feeds_position_is_saved_with_the_last_part(bench: Bench) {
    assert_eq!(bench.store.feed_position("hr").await.unwrap(), None);
    bench.store.save_roster(save(vec![person(1, "A", "B")])).await.unwrap();
    assert_eq!(bench.store.feed_position("hr").await.unwrap(), None);
    for position in ["1", "2"] {
        let last = RosterSave { position: Some(("hr".into(), position.into())), ..save(Vec::new()) };
        bench.store.save_roster(last).await.unwrap();
        assert_eq!(bench.store.feed_position("hr").await.unwrap().as_deref(), Some(position));
    }
    assert_eq!(bench.store.feed_position("other").await.unwrap(), None);
}

async fn thousands_of_people_go_in_and_out_again(bench: Bench) {
    const PEOPLE: u32 = 3_500;
    let people = (1..=PEOPLE).map(|n| Person { id: id(n), registry_no: no(&format!("S{n}")), ..full() }).collect();
    let roster = RosterSave { wake: (1..=PEOPLE).map(id).collect(), ..save(people) };
    bench.store.save_roster(roster).await.unwrap();
    let (mut after, mut read) = (None, 0);
    loop {
        let page = bench.store.people(PeopleBy::After(after, 1_000)).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.person.id);
        read += page.len();
    }
    assert_eq!(read, PEOPLE as usize);
    let ids: Vec<_> = (1..=PEOPLE).map(id).collect();
    assert_eq!(bench.store.people(PeopleBy::Ids(&ids)).await.unwrap().len(), ids.len());
    let claims = bench.store.claim(noon(), noon(), PEOPLE).await.unwrap();
    assert_eq!(claims.len(), ids.len());
}
