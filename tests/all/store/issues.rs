//! Issues: found again they stay the same, not found they are resolved, accepted they stop neither planning nor each run.
use super::{Bench, at, id, no, noon, person, save, settlement};
use chrono::TimeDelta;
use kimlik_domain::account::AccountState;
use kimlik_domain::day;
use kimlik_domain::lifecycle::run::PersonSettlement;
use kimlik_domain::ports::{IssueFilter, IssueScope, OpenIssue, PeopleBy, PersonRecord, Records, Refusal, Store, Urgency};
use kimlik_domain::staff::intake::RosterSave;
use kimlik_domain::staff::{DataIssue, IssueKind, Posting, PostingKind, UnitCode};

on_both_engines!(
    an_issue_found_again_keeps_its_beginning,
    only_issues_of_the_kinds_and_people_looked_at_are_resolved,
    a_record_names_the_kinds_that_are_open,
    an_accepted_issue_is_told_to_planning_and_stays_accepted,
    a_decision_on_a_national_id_is_about_that_one_alone,
    a_resolved_issue_of_a_row_wakes_its_person,
    issues_of_a_kind_are_resolved_whoever_they_are_about,
    what_keeps_a_newcomer_from_being_told_comes_first_then_what_alarms,
    issues_are_counted_by_unit_and_day,
);

fn issue(kind: IssueKind, n: u32, message: &str) -> DataIssue {
    DataIssue { person: Some(id(n)), registry_no: Some(no(&format!("S{n}"))), ..DataIssue::new(kind, message) }
}

impl Bench {
    async fn take_in(&self, kinds: &[IssueKind], seen: &[u32], issues: Vec<DataIssue>, hours: i64) {
        let seen = seen.iter().map(|n| no(&format!("S{n}"))).collect();
        let at = noon() + TimeDelta::hours(hours);
        self.store.save_roster(RosterSave { issues, issue_kinds: kinds.to_vec(), seen, at, ..save(vec![]) }).await.unwrap();
    }

    async fn open_issues(&self) -> Vec<OpenIssue> {
        Store::issues(self.store.as_ref(), None, 100).await.unwrap()
    }

    async fn record(&self, n: u32) -> PersonRecord {
        self.store.people(PeopleBy::Ids(&[id(n)])).await.unwrap().remove(0)
    }
}

const MOBILE: IssueKind = IssueKind::MissingMobile;

async fn an_issue_found_again_keeps_its_beginning(bench: Bench) {
    bench.take_in(&[MOBILE], &[1], vec![issue(MOBILE, 1, "line 7")], 0).await;
    let first = bench.open_issues().await.remove(0);
    let twice = vec![issue(MOBILE, 1, "line 8"), issue(MOBILE, 1, "line 9")];
    bench.take_in(&[MOBILE], &[1], twice, 5).await;
    let again = bench.open_issues().await;
    assert_eq!(again.len(), 1);
    assert_eq!((again[0].id, again[0].since, again[0].issue.message.as_str()), (first.id, noon(), "line 9"));
    bench.take_in(&[MOBILE], &[1], vec![], 6).await;
    assert_eq!(bench.open_issues().await, []);
    bench.take_in(&[MOBILE], &[1], vec![issue(MOBILE, 1, "line 7")], 7).await;
    let new = bench.open_issues().await.remove(0);
    assert_ne!(new.id, first.id, "resolved and come back, it is another one");
    assert_eq!(new.since, noon() + TimeDelta::hours(7));
}

async fn only_issues_of_the_kinds_and_people_looked_at_are_resolved(bench: Bench) {
    let all = vec![issue(MOBILE, 1, ""), issue(MOBILE, 2, ""), issue(IssueKind::UnknownUnit, 1, "")];
    bench.take_in(&[], &[], all, 0).await;
    bench.take_in(&[MOBILE], &[1], vec![], 1).await;
    let mut left: Vec<_> = bench.open_issues().await.iter().map(|o| o.issue.key()).collect();
    left.sort();
    assert_eq!(left, ["MISSING_MOBILE|S2|", "UNKNOWN_UNIT|S1|"]);
}

async fn a_record_names_the_kinds_that_are_open(bench: Bench) {
    bench.save(vec![person(1, "A", "B"), person(2, "C", "D")]).await;
    let found = vec![issue(IssueKind::StaleRow, 1, ""), issue(IssueKind::InvalidNationalId, 1, "")];
    bench.take_in(&[], &[], found, 0).await;
    let planning = [issue(IssueKind::ProtectedAccount, 1, "adminCount")];
    bench.store.save_issues(IssueScope::None, &planning, noon()).await.unwrap();
    let mut open = bench.record(1).await.open_issues;
    open.sort();
    assert_eq!(open, [IssueKind::InvalidNationalId, IssueKind::StaleRow, IssueKind::ProtectedAccount]);
    assert_eq!(bench.record(2).await.open_issues, []);
}

async fn an_accepted_issue_is_told_to_planning_and_stays_accepted(bench: Bench) {
    let ayse = person(1, "A", "B");
    bench.save(vec![ayse.clone()]).await;
    let possible = issue(IssueKind::PossibleAccount, 1, "a.b looks like S1");
    let kinds = [IssueKind::PossibleAccount];
    let numbers = [no("S1")];
    let about = IssueScope::People(&kinds, &numbers);
    bench.store.save_issues(about, std::slice::from_ref(&possible), noon()).await.unwrap();
    let open = bench.open_issues().await.remove(0);
    bench.store.accept_issue(open.id, "cli:root", "as it is", noon()).await.unwrap();
    bench.store.accept_issue(open.id, "cli:root", "as it is", noon()).await.unwrap();
    assert_eq!(bench.record(1).await.accepted, [IssueKind::PossibleAccount]);
    assert_eq!(bench.store.claim(noon(), noon(), 9).await.unwrap().len(), 1, "planning looks again");
    for issues in [vec![], vec![possible]] {
        bench.store.save_issues(about, &issues, noon()).await.unwrap();
        assert_eq!(bench.record(1).await.accepted, [IssueKind::PossibleAccount]);
        assert_eq!(bench.open_issues().await, []);
    }
    let events = bench.store.audit_events(Some(id(1)), 9).await.unwrap();
    assert_eq!((events.len(), events[0].deed.as_str()), (1, "issue.accept"));
    let nowhere = bench.store.accept_issue(kimlik_domain::id::IssueId(id(404).0), "x", "", noon()).await.unwrap_err();
    assert_eq!(nowhere.refusal(), Some(Refusal::NotFound));
}

async fn a_decision_on_a_national_id_is_about_that_one_alone(bench: Bench) {
    bench.save(vec![person(1, "A", "B")]).await;
    let duplicate = |said: Option<&str>| DataIssue {
        said: said.map(str::to_owned),
        field: Some("national_id".into()),
        ..issue(IssueKind::DuplicatePerson, 1, "held with another")
    };
    let decided = async || bench.store.known(&[no("S1")], &[]).await.unwrap().remove(0).decided_id;
    bench.take_in(&[], &[], vec![duplicate(None)], 0).await;
    let refused = bench.store.accept_issue(bench.open_issues().await[0].id, "cli:root", "as it is", noon()).await.unwrap_err();
    assert_eq!(refused.refusal(), Some(Refusal::Value), "a refused row that nothing would come of stays in sight");
    bench.take_in(&[], &[], vec![duplicate(Some("aa"))], 1).await;
    assert_eq!(decided().await, None);
    bench.store.accept_issue(bench.open_issues().await[0].id, "cli:root", "as it is", noon()).await.unwrap();
    assert_eq!((decided().await.as_deref(), bench.open_issues().await.len()), (Some("aa"), 0));
    bench.take_in(&[IssueKind::DuplicatePerson], &[1], vec![duplicate(Some("aa"))], 2).await;
    assert_eq!((decided().await.as_deref(), bench.open_issues().await.len()), (Some("aa"), 0));
    bench.take_in(&[IssueKind::DuplicatePerson], &[1], vec![duplicate(Some("bb"))], 3).await;
    let open = bench.open_issues().await;
    assert_eq!((decided().await, open.len(), open[0].since), (None, 1, noon() + TimeDelta::hours(3)), "another number is asked anew");
}

async fn a_resolved_issue_of_a_row_wakes_its_person(bench: Bench) {
    bench.save(vec![person(1, "A", "B")]).await;
    bench.take_in(&[], &[], vec![issue(IssueKind::InvalidNationalId, 1, "")], 0).await;
    assert_eq!(bench.store.claim(noon(), noon(), 9).await.unwrap().len(), 0);
    bench.take_in(&[IssueKind::InvalidNationalId], &[1], vec![], 1).await;
    let later = noon() + TimeDelta::hours(2);
    assert_eq!(bench.store.claim(later, later, 9).await.unwrap().len(), 1, "what blocked the person is gone: somebody looks");
}

async fn issues_of_a_kind_are_resolved_whoever_they_are_about(bench: Bench) {
    let absent = |n| issue(IssueKind::AbsentFromSnapshot, n, "absent");
    let kinds = [IssueKind::AbsentFromSnapshot];
    bench.store.save_issues(IssueScope::All(&kinds), &[absent(1), absent(2)], noon()).await.unwrap();
    bench.store.save_issues(IssueScope::None, &[absent(3)], noon()).await.unwrap();
    bench.store.save_issues(IssueScope::All(&kinds), &[absent(2)], noon()).await.unwrap();
    let open = bench.open_issues().await;
    assert_eq!(open.iter().map(|o| o.issue.person).collect::<Vec<_>>(), [Some(id(2))]);
    bench.store.save_issues(IssueScope::People(&kinds, &[no("S2")]), &[], noon()).await.unwrap();
    assert_eq!(bench.open_issues().await, []);
}

async fn what_keeps_a_newcomer_from_being_told_comes_first_then_what_alarms(bench: Bench) {
    let people: Vec<_> = (1..=5).map(|n| person(n, "A", "B")).collect();
    bench.save(people.clone()).await;
    for (n, state, opening, announced, adopted) in [
        (1, AccountState::Active, 1, 1, false),  // was told
        (2, AccountState::Active, 2, 1, false),  // has returned, and waits
        (3, AccountState::Active, 1, 0, true),   // was there before Kimlik
        (4, AccountState::Opening, 1, 0, false), // waits for the first day
    ] {
        let person = &people[n as usize - 1];
        let before = bench.settle_account(person, state, 6).await;
        let account = kimlik_domain::account::Account { opening, announced_opening: announced, adopted, ..before.clone() };
        bench.store.settle(vec![PersonSettlement { account: Some(account), before: Some(before), ..settlement(person) }]).await.unwrap();
    }
    let mut found: Vec<DataIssue> = (1..=5).map(|n| issue(MOBILE, n, "none")).collect();
    found.push(issue(IssueKind::AccountNotFound, 5, "gone"));
    found.push(DataIssue::new(IssueKind::FeedEmpty, "nobody"));
    bench.store.save_issues(IssueScope::None, &found, noon()).await.unwrap();
    let all = Records::issues(bench.store.as_ref(), &IssueFilter::default(), None, 100).await.unwrap();
    let urgencies: Vec<Urgency> = all.iter().map(|i| i.urgency).collect();
    use Urgency::{Alarm, KeepsNewcomerWaiting, Usual};
    assert_eq!(urgencies, [KeepsNewcomerWaiting, KeepsNewcomerWaiting, Alarm, Alarm, Usual, Usual, Usual]);
    let waiting: Vec<_> = all[..2].iter().map(|i| i.open.issue.person).collect();
    assert!(waiting.contains(&Some(id(2))) && waiting.contains(&Some(id(4))), "{waiting:?}");
    let mut paged = Vec::new();
    let mut after = None;
    loop {
        let page = Records::issues(bench.store.as_ref(), &IssueFilter::default(), after, 2).await.unwrap();
        after = page.last().map(|i| (i.urgency, i.open.id)).or(after);
        let is_last = page.len() < 2;
        paged.extend(page);
        if is_last {
            break;
        }
    }
    assert_eq!(paged, all, "page by page the same, in the same order");
    let of = |filter: IssueFilter| {
        let store = bench.store.clone();
        async move { Records::issues(store.as_ref(), &filter, None, 100).await.unwrap().len() }
    };
    assert_eq!(of(IssueFilter { kinds: vec![IssueKind::FeedEmpty], ..IssueFilter::default() }).await, 1);
    assert_eq!(of(IssueFilter { registry_no: Some(no("S5")), ..IssueFilter::default() }).await, 2);
    assert_eq!(of(IssueFilter { before: Some(noon()), ..IssueFilter::default() }).await, 0);
    assert_eq!(bench.store.issue(all[0].open.id).await.unwrap().as_ref(), Some(&all[0].open));
    assert_eq!(bench.store.issue(kimlik_domain::id::IssueId(id(404).0)).await.unwrap(), None);
}

async fn issues_are_counted_by_unit_and_day(bench: Bench) {
    let unit = |n: u32| UnitCode::parse(&format!("{n:08}")).unwrap();
    let posting = |n| Posting { kind: PostingKind::Permanent, unit: unit(n), title_post: None, title_duty: None, start: None, end: None };
    let at_unit = |n, u| kimlik_domain::staff::Person { postings: vec![posting(u)], ..person(n, "A", "B") };
    bench.save(vec![at_unit(1, 7), at_unit(2, 7), at_unit(3, 8)]).await;
    let kinds = [MOBILE];
    let save = async |found: &[DataIssue], when: &str| {
        bench.store.save_issues(IssueScope::All(&kinds), found, at(when)).await.unwrap();
    };
    let (one, two, three) = (issue(MOBILE, 1, ""), issue(MOBILE, 2, ""), issue(MOBILE, 3, ""));
    save(&[one.clone(), two.clone()], "2026-11-20T20:59:59Z").await;
    // A minute later it is the next day in Istanbul.
    save(&[one.clone(), two.clone(), three.clone()], "2026-11-20T21:00:59Z").await;
    save(&[two.clone(), three.clone()], "2026-11-22T10:00:00Z").await;
    let open = bench.open_issues().await;
    bench.store.accept_issue(open[0].id, "cli:root", "as it is", at("2026-11-22T11:00:00Z")).await.unwrap();
    let today = day::parse("2026-11-23").unwrap();
    let days = async |of: Option<u32>| {
        let trend = bench.store.issue_trend(at("2026-11-19T21:00:00Z")).await.unwrap();
        let counts = trend.days(today, 4, |u| of.is_none_or(|of| u == Some(unit(of))));
        counts.iter().map(|d| (d.day.to_string(), d.opened, d.closed, d.open)).collect::<Vec<_>>()
    };
    let day = |d: u32, opened, closed, open| (format!("2026-11-{d}"), opened, closed, open);
    assert_eq!(days(None).await, [day(20, 2, 0, 2), day(21, 1, 0, 3), day(22, 0, 2, 1), day(23, 0, 0, 1)]);
    assert_eq!(days(Some(7)).await, [day(20, 2, 0, 2), day(21, 0, 0, 2), day(22, 0, 2, 0), day(23, 0, 0, 0)]);
    assert_eq!(days(Some(8)).await[1], day(21, 1, 0, 1));
    let about = IssueFilter { units: vec![unit(8)], ..IssueFilter::default() };
    assert_eq!(Records::issues(bench.store.as_ref(), &about, None, 9).await.unwrap()[0].unit, Some(unit(8)));
}
