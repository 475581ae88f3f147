//! Intake of the HR feed against a store in memory: what is taken, what is refused, what nobody is closed by.
mod properties;

use chrono::{DateTime, Utc};
use kimlik_domain::account::AccountState;
use kimlik_domain::ports::{Clock, Entropy, PortResult};
use kimlik_domain::staff::feed::{BrokenRow, Columns, Content, Delivery, Field, Row};
use kimlik_domain::staff::intake::{FeedReport, intake};
use kimlik_domain::staff::{IssueKind, Reasons};
use kimlik_tests::fake_store::{FakeStore, Kept};
use std::sync::atomic::{AtomicU64, Ordering};

struct Noon;
impl Clock for Noon {
    fn now(&self) -> DateTime<Utc> {
        "2026-12-01T09:00:00Z".parse().unwrap_or_default()
    }
}

struct Counting(AtomicU64);
impl Entropy for Counting {
    fn fill(&self, octets: &mut [u8]) {
        let next = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let from = octets.len().saturating_sub(8);
        octets.iter_mut().skip(from).zip(next).for_each(|(octet, n)| *octet = n);
    }
}

/// The first line names the columns.
fn rows(text: &str) -> Vec<Row> {
    let mut lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
    let fields: Vec<_> = lines.next().unwrap_or("").split(',').map(Field::parse).collect();
    let columns = Columns::new(&fields);
    (2..).zip(lines).map(|(n, line)| Row::new(n, &columns, line.split(','))).collect()
}

struct House {
    store: FakeStore,
    entropy: Counting,
}

impl House {
    fn new() -> House {
        let house = House { store: FakeStore::default(), entropy: Counting(AtomicU64::new(1)) };
        let units = "code,parent_code,name,kind,province,personnel_unit_code\n\
            10000001,,Bakanlık,Merkez,06,10000002\n10000002,10000001,Personel Genel Müdürlüğü,CENTRAL,06,\n\
            10000035,10000001,İzmir İl Müdürlüğü,Taşra,35,10000035";
        house.take(Content::Units(rows(units))).expect("units");
        house
    }

    fn try_take(&self, content: Content, broken: Vec<BrokenRow>) -> PortResult<FeedReport> {
        let delivery = Delivery { name: "staff.csv".into(), position: "p1".into(), content, broken };
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
        runtime.block_on(intake(&self.store, &Noon, &self.entropy, &Reasons::default(), "csv", &delivery))
    }
    fn take(&self, content: Content) -> PortResult<FeedReport> {
        self.try_take(content, Vec::new())
    }
    fn snapshot(&self, text: &str) -> FeedReport {
        self.take(Content::Snapshot(rows(text))).expect("snapshot")
    }
    fn delta(&self, text: &str) -> FeedReport {
        self.take(Content::Delta(rows(text))).expect("delta")
    }
    fn kept(&self) -> Kept {
        self.store.look(|kept| kept.clone())
    }
}

/// A made-up national id with right check digits.
fn national_id(n: u32) -> String {
    let base = 100_000_000 + n;
    let d: Vec<i32> = base.to_string().bytes().map(|b| i32::from(b - b'0')).collect();
    let tenth = (7 * (d[0] + d[2] + d[4] + d[6] + d[8]) - (d[1] + d[3] + d[5] + d[7])).rem_euclid(10);
    let eleventh = (d.iter().sum::<i32>() + tenth) % 10;
    format!("{base}{tenth}{eleventh}")
}

const HEADER: &str = "registry_no,national_id,given_name,family_name,employment_start,employment_end,unit_code,mobile,title_post";

fn line(no: u32, id: u32, given: &str, start: &str, end: &str) -> String {
    format!("{no},{},{given},YILMAZ,{start},{end},10000035,0532 {:07},Mühendis", national_id(id), 1_000_000 + no)
}

fn staff(lines: impl IntoIterator<Item = String>) -> String {
    std::iter::once(HEADER.to_owned()).chain(lines).collect::<Vec<_>>().join("\n")
}

fn crowd(n: u32) -> Vec<String> {
    (1..=n).map(|i| line(i, i, "AYŞE", "2020-01-01", "")).collect()
}

#[test]
fn the_same_delivery_again_changes_nothing_and_wakes_nobody() {
    let house = House::new();
    let first = house.snapshot(&staff(crowd(30)));
    assert_eq!((first.new_people, first.rejected_rows, first.issues.len()), (30, 0, 0));
    let before = house.kept();
    assert_eq!(before.woken.len(), 30);
    assert_eq!(before.positions.get("csv").map(String::as_str), Some("p1"));
    assert_eq!(before.by_no("7").map(|k| k.person.full_name()).as_deref(), Some("Ayşe Yılmaz"));
    let again = house.snapshot(&staff(crowd(30)));
    assert_eq!((again.new_people, again.changed_people, again.unchanged_people), (0, 0, 30));
    let after = house.kept();
    assert_eq!(after.woken.len(), 30);
    assert_eq!(after.people, before.people);
}

#[test]
fn ids_follow_the_order_of_a_feed_that_names_more_people_than_a_millisecond_has_numbers() {
    let house = House::new();
    house.snapshot(&staff(crowd(9_000)));
    let kept = house.kept();
    let mut people: Vec<_> = kept.people.values().map(|k| (k.person.id, k.person.registry_no.as_str().parse::<u32>().unwrap())).collect();
    people.sort_unstable();
    assert_eq!(people.len(), 9_000);
    assert!(people.is_sorted_by_key(|(_, no)| *no), "who comes first is named first");
}

#[test]
fn an_intake_that_dies_between_parts_ends_the_same_when_taken_again() {
    let (whole, broken) = (House::new(), House::new());
    let text = staff(crowd(2_500));
    whole.snapshot(&text);
    broken.store.look(|kept| {
        kept.positions.clear();
        kept.dies_after = Some(kept.saves + 2);
    });
    assert!(broken.take(Content::Snapshot(rows(&text))).is_err());
    assert_eq!((broken.kept().people.len(), broken.kept().positions.len()), (2_000, 0));
    broken.store.look(|kept| kept.dies_after = None);
    let again = broken.snapshot(&text);
    assert_eq!((again.new_people, again.unchanged_people), (500, 2_000));
}

#[test]
fn an_absent_column_keeps_what_is_known_and_an_empty_cell_clears_it() {
    let house = House::new();
    house.delta(&staff([line(1, 1, "Ali", "2020-01-01", "2027-01-01")]));
    house.delta("registry_no,employment_end\n1,");
    let kept = house.kept();
    let person = &kept.by_no("1").expect("known").person;
    assert_eq!(person.employment_end, None);
    assert!(person.employment_start.is_some() && person.mobile.is_some() && person.postings.len() == 1);
    house.delta("registry_no,mobile\n1,");
    assert_eq!(house.kept().kinds_of("1"), [IssueKind::MissingMobile]);
}

#[test]
fn an_empty_snapshot_is_refused_whole_and_the_position_stays() {
    let house = House::new();
    house.snapshot(&staff(crowd(3)));
    house.store.look(|kept| kept.positions.clear());
    let report = house.snapshot(HEADER);
    assert!(report.refused.is_some());
    let kept = house.kept();
    assert!(kept.has(IssueKind::FeedEmpty) && kept.people.len() == 3 && kept.positions.is_empty());
    house.delta(&staff(crowd(1)));
    assert!(house.kept().has(IssueKind::FeedEmpty), "a delta is not the snapshot that was missing");
    house.snapshot(&staff(crowd(3)));
    assert!(!house.kept().has(IssueKind::FeedEmpty));
}

#[test]
fn an_empty_delta_is_nothing_and_every_delta_moves_the_position() {
    let house = House::new();
    house.store.look(|kept| kept.positions.clear());
    house.delta(&staff(crowd(1)));
    assert!(house.kept().positions.contains_key("csv"));
    house.store.look(|kept| kept.positions.clear());
    assert_eq!(house.delta(HEADER), FeedReport::default());
    assert!(house.kept().positions.contains_key("csv"));
}

#[test]
fn whoever_is_absent_from_a_snapshot_is_an_issue_until_they_are_there_again() {
    let house = House::new();
    house.snapshot(&staff(crowd(50)));
    (1..=50).for_each(|n| house.store.set_account(&n.to_string(), AccountState::Active));
    house.snapshot(&staff(crowd(48)));
    let kept = house.kept();
    assert_eq!((kept.kinds_of("49"), kept.kinds_of("50")), (vec![IssueKind::AbsentFromSnapshot], vec![IssueKind::AbsentFromSnapshot]));
    assert!(kept.by_no("50").is_some_and(|k| k.account_state == AccountState::Active && k.person.employment_end.is_none()));
    assert!(kept.issues.values().all(|i| i.personnel_unit.is_some_and(|u| u.to_string() == "10000035")));
    house.store.set_account("49", AccountState::Closed);
    house.snapshot(&staff(crowd(48).into_iter().chain([line(50, 50, "AYŞE", "2020-01-01", "")])));
    assert!(!house.kept().has(IssueKind::AbsentFromSnapshot));
}

#[test]
fn a_snapshot_that_shrank_is_one_issue_and_not_thousands() {
    let house = House::new();
    house.snapshot(&staff(crowd(100)));
    (1..=100).for_each(|n| house.store.set_account(&n.to_string(), AccountState::Active));
    let report = house.snapshot(&staff(crowd(60)));
    assert_eq!(report.issues.iter().map(|i| i.kind).collect::<Vec<_>>(), [IssueKind::FeedShrunken]);
    assert_eq!(report.changed_people, 0);
    house.snapshot(&staff(crowd(100)));
    assert!(house.kept().issues.is_empty());
}

#[test]
fn a_shifted_column_changes_nobody() {
    let house = House::new();
    house.snapshot(&staff(crowd(100)));
    let before = house.kept();
    for (from, to) in [("national_id,given_name", "given_name,national_id"), ("unit_code,mobile", "mobile,unit_code")] {
        let shifted = staff(crowd(100)).replacen(from, to, 1);
        let report = house.snapshot(&shifted);
        assert!(report.refused.is_some(), "{from}");
    }
    // National ids one row down: each row is somebody else's.
    let slid = house.snapshot(&staff((1..=100).map(|i| line(i, i + 1, "AYŞE", "2020-01-01", ""))));
    assert_eq!(slid.rejected_rows, 100);
    assert_eq!(house.kept().people, before.people);
}

#[test]
fn who_returns_under_a_new_registry_number_is_the_same_person() {
    let house = House::new();
    house.snapshot(&staff([line(1, 1, "Ali", "2010-01-01", "2020-01-01"), line(2, 2, "Can", "2020-01-01", "")]));
    house.store.set_account("1", AccountState::Closed);
    let before = house.kept().by_no("1").map(|k| k.person.id);
    let text = staff([line(1, 1, "Ali", "2010-01-01", "2020-01-01"), line(9, 1, "ALİ", "2026-11-01", "")]);
    let report = house.snapshot(&text);
    assert_eq!((report.new_people, report.changed_people, report.unchanged_people), (0, 1, 1));
    let kept = house.kept();
    let now = kept.by_no("9").expect("found under the new number");
    assert_eq!((Some(now.person.id), now.former_registry_nos[0].as_str()), (before, "1"));
    let again = house.snapshot(&text);
    assert_eq!((again.new_people, again.changed_people, again.rejected_rows), (0, 0, 0));
    assert_eq!(house.kept().people, kept.people);
}

#[test]
fn a_return_needs_the_old_number_out_of_service_and_a_name_that_agrees() {
    let house = House::new();
    house.snapshot(&staff([line(1, 1, "Ali", "2010-01-01", "")]));
    house.delta(&staff([line(9, 1, "Ali", "2026-11-01", "")]));
    assert_eq!(house.kept().kinds_of("9"), [IssueKind::DuplicatePerson]);
    house.store.set_account("1", AccountState::Closed);
    house.delta(&staff([line(1, 1, "Ali", "2010-01-01", "2020-01-01")]));
    house.delta(&staff([line(9, 1, "Zehra", "2026-11-01", "")]).replace("YILMAZ", "KAYA"));
    assert_eq!(house.kept().kinds_of("9"), [IssueKind::DuplicatePerson]);
    assert_eq!(house.kept().people.len(), 1);
    house.delta(&staff([line(9, 1, "Ali", "2026-11-01", "")]));
    let kept = house.kept();
    assert!(kept.kinds_of("9").is_empty() && kept.people.len() == 1 && kept.by_no("9").is_some());
}

#[test]
fn a_national_id_that_hr_corrects_waits_for_a_decision_on_that_number() {
    let house = House::new();
    house.snapshot(&staff([line(1, 1, "Ali", "2010-01-01", ""), line(2, 2, "Can", "2010-01-01", "")]));
    let before = house.kept().by_no("1").cloned().expect("known");
    let corrected = |id| staff([line(1, id, "Ali", "2010-01-01", "")]);
    let refused = house.delta(&corrected(7));
    assert_eq!((refused.rejected_rows, house.kept().kinds_of("1")), (1, vec![IssueKind::DuplicatePerson]));
    assert!(house.kept().issues.values().all(|i| i.can_be_accepted() && !format!("{i:?}").contains(&national_id(7))));
    house.store.decide_id("1");
    assert_eq!(house.delta(&corrected(8)).rejected_rows, 1, "the decision is about another number");
    let taken = house.delta(&corrected(7));
    assert_eq!((taken.rejected_rows, taken.changed_people), (0, 1));
    let after = house.kept().by_no("1").cloned().expect("still the same person");
    assert!(after.person.id == before.person.id && after.mark != before.mark && house.kept().issues.is_empty());
    assert_eq!(house.delta(&corrected(7)).unchanged_people, 1);
    house.delta(&corrected(2));
    assert!(house.kept().issues.values().all(|i| !i.can_be_accepted()), "somebody else's number is nobody's to give away");
}

#[test]
fn an_old_record_beside_a_new_one_is_one_person_whatever_the_order() {
    for turned in [false, true] {
        let house = House::new();
        let mut lines = vec![line(1, 1, "Ali", "2010-01-01", "2020-01-01"), line(9, 1, "Ali", "2024-01-01", "")];
        if turned {
            lines.reverse();
        }
        let report = house.snapshot(&staff(lines));
        assert_eq!((report.new_people, report.unchanged_people, report.rejected_rows), (1, 1, 0));
        assert!(house.kept().by_no("9").is_some());
    }
}

#[test]
fn of_two_in_service_with_one_national_id_the_newer_is_not_opened() {
    let house = House::new();
    let report = house.snapshot(&staff([line(9, 1, "Ali", "2024-01-01", ""), line(1, 1, "Ali", "2010-01-01", "")]));
    assert_eq!((report.new_people, report.rejected_rows), (1, 1));
    let kept = house.kept();
    assert!(kept.by_no("1").is_some() && kept.kinds_of("9") == [IssueKind::DuplicatePerson]);
}

#[test]
fn a_bad_national_id_of_a_newcomer_is_kept_waiting_and_mended_later() {
    let house = House::new();
    let good = line(1, 1, "Ali", "2020-01-01", "");
    house.delta(&staff([good.replace(&national_id(1), "12345678901")]));
    let kept = house.kept();
    assert!(kept.by_no("1").is_some_and(|k| k.mark.is_none()) && kept.kinds_of("1") == [IssueKind::InvalidNationalId]);
    assert!(kept.issues.values().all(|i| !format!("{i:?}").contains("12345678901")));
    house.delta(&staff([good]));
    let kept = house.kept();
    assert!(kept.by_no("1").is_some_and(|k| k.mark.is_some()) && kept.issues.is_empty() && kept.woken.len() == 2);
}

#[test]
fn managers_unknown_or_in_a_circle_are_said_and_the_circle_is_not_taken() {
    let house = House::new();
    house.snapshot("registry_no,given_name,family_name,employment_start,unit_code,mobile,manager_registry_no\n\
        1,Ali,Kaya,2020-01-01,10000035,5321000001,2\n2,Can,Kaya,2020-01-01,10000035,5321000002,3\n\
        3,Ece,Kaya,2020-01-01,10000035,5321000003,1\n4,Nur,Kaya,2020-01-01,10000035,5321000004,1\n5,Oya,Kaya,2020-01-01,10000035,5321000005,77");
    let kept = house.kept();
    for no in ["1", "2", "3"] {
        assert_eq!(kept.kinds_of(no), [IssueKind::ManagerCircle]);
        assert!(kept.by_no(no).is_some_and(|k| k.person.manager.is_none()));
    }
    assert!(kept.kinds_of("4").is_empty());
    assert_eq!(kept.kinds_of("5"), [IssueKind::UnknownManager]);
    // A circle that closes through somebody who is only known.
    house.delta("registry_no,manager_registry_no\n1,4");
    assert_eq!(house.kept().kinds_of("1"), [IssueKind::ManagerCircle]);
}

#[test]
fn two_people_with_one_mobile_are_both_told_of() {
    let house = House::new();
    let text = staff([line(1, 1, "Ali", "2020-01-01", ""), line(2, 2, "Can", "2020-01-01", "").replace("1000002", "1000001")]);
    house.snapshot(&text);
    assert_eq!((house.kept().kinds_of("1"), house.kept().kinds_of("2")), (vec![IssueKind::SharedMobile], vec![IssueKind::SharedMobile]));
    assert!(house.kept().issues.values().all(|i| !i.message.contains("1000001")));
    house.snapshot(&staff([line(1, 1, "Ali", "2020-01-01", ""), line(2, 2, "Can", "2020-01-01", "")]));
    assert!(house.kept().issues.is_empty());
}

#[test]
fn a_stale_record_is_ignored_and_said_so() {
    let house = House::new();
    let at = |day: &str, title: &str| {
        format!("{HEADER},updated_at,title_duty\n{},2026-11-{day}T10:00:00,{title}", line(1, 1, "Ali", "2020-01-01", ""))
    };
    house.delta(&at("20", "Müdür"));
    house.delta(&at("19", "Şef"));
    let kept = house.kept();
    assert_eq!(kept.kinds_of("1"), [IssueKind::StaleRow]);
    assert_eq!(kept.by_no("1").and_then(|k| k.person.postings[0].title().map(str::to_owned)).as_deref(), Some("Müdür"));
    let woken = kept.woken.len();
    house.delta(&at("21", "Müdür"));
    assert!(house.kept().kinds_of("1").is_empty() && house.kept().woken.len() == woken, "a newer stamp alone wakes nobody");
}

#[test]
fn broken_rows_and_rows_of_nobody_are_named_by_line() {
    let house = House::new();
    let text = staff([",,A,B,,,,,".to_owned(), line(1, 1, "Ali", "2020-01-01", "")]);
    let broken = vec![BrokenRow { line: 9, reason: "4 cells instead of 9".into() }];
    let report = house.try_take(Content::Snapshot(rows(&text)), broken).expect("taken");
    assert_eq!((report.rows, report.rejected_rows, report.new_people), (3, 2, 1));
    let kept = house.kept();
    assert!(kept.has(IssueKind::UnreadableRow) && kept.has(IssueKind::MissingRegistryNo));
    house.snapshot(&staff([line(1, 1, "Ali", "2020-01-01", "")]));
    assert!(house.kept().issues.is_empty());
}

#[test]
fn units_that_change_wake_everybody_and_units_that_do_not_wake_nobody() {
    let house = House::new();
    assert_eq!(house.kept().woke_everybody, 1);
    let report = house.take(Content::Units(rows("code,name\n10000035,İzmir İl Müdürlüğü"))).expect("units");
    assert_eq!((report.new_units, report.changed_units, house.kept().woke_everybody), (0, 0, 1));
    let report = house.take(Content::Units(rows("code,name\n10000035,İzmir Çevre İl Müdürlüğü"))).expect("units");
    assert_eq!((report.changed_units, house.kept().woke_everybody), (1, 2));
    assert_eq!(house.kept().units.len(), 3);
}

#[test]
fn a_rejected_newcomer_is_an_issue_of_the_unit_that_the_row_names() {
    let house = House::new();
    house.delta(&staff([line(1, 1, "", "2020-01-01", "")]));
    let kept = house.kept();
    let issue = kept.issues.values().next().expect("an issue");
    assert_eq!((issue.kind, issue.line, issue.field.as_deref()), (IssueKind::MissingName, Some(2), Some("given_name")));
    assert_eq!(issue.personnel_unit.map(|u| u.to_string()).as_deref(), Some("10000035"));
    assert!(kept.people.is_empty() && issue.source.as_deref() == Some("staff.csv"));
}

#[test]
fn a_ministry_of_new_unit_numbers_still_closes_its_leavers() {
    let house = House::new();
    house.snapshot(&staff(crowd(60)));
    let lines = (1..=60).map(|i| line(i, i, "AYŞE", "2020-01-01", if i == 7 { "2026-11-30" } else { "" }));
    let report = house.snapshot(&staff(lines).replace("10000035", "20000035"));
    assert_eq!((report.refused, report.changed_people), (None, 1));
    let kept = house.kept();
    assert!(kept.by_no("7").is_some_and(|k| k.person.employment_end.is_some() && k.person.postings.len() == 1));
    assert_eq!(kept.kinds_of("8"), [IssueKind::UnknownUnit]);
}
