//! Laws of the intake over generated deliveries: nonsense, and rows that could be real ones and collide.
use super::{HEADER, House, crowd, national_id, staff};
use kimlik_domain::account::AccountState;
use kimlik_domain::staff::feed::{Columns, Content, Field, Row};
use kimlik_domain::staff::intake::FeedReport;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (1u32..6).prop_map(|n| n.to_string()),
        2 => (1u32..4).prop_map(national_id),
        2 => Just(String::new()),
        2 => prop::sample::select(vec!["10000035", "10000001", "99999999", "2020-01-01", "01.12.2019", "9999-12-31", "31.02.2020"]).prop_map(str::to_owned),
        2 => prop::sample::select(vec!["ACTIVE", "ayrıldı", "96", "63", "asıl", "VEKÂLET", "Ali", "Þahin", "0532 111 22 33", "+90"]).prop_map(str::to_owned),
        1 => "\\PC{0,12}",
        1 => any::<String>().prop_map(|s| s.chars().take(300).collect()),
    ]
}

fn nonsense() -> impl Strategy<Value = (Vec<Field>, Vec<Vec<String>>)> {
    let fields = prop::sample::subsequence(Field::ALL.to_vec(), 1..Field::ALL.len()).prop_shuffle();
    fields.prop_flat_map(|fields| {
        let row = prop::collection::vec(cell(), 0..=fields.len());
        let fields = if fields.contains(&Field::RegistryNo) { fields } else { [vec![Field::RegistryNo], fields].concat() };
        (Just(fields), prop::collection::vec(row, 0..25))
    })
}

fn as_rows(fields: &[Field], cells: &[Vec<String>]) -> Vec<Row> {
    let columns = Columns::new(&fields.iter().copied().map(Some).collect::<Vec<_>>());
    (2..).zip(cells).map(|(n, cells)| Row::new(n, &columns, cells.iter().map(String::as_str))).collect()
}

/// Rows that could be real ones: few people, few national ids, names and days, so that they collide.
fn plausible() -> impl Strategy<Value = (Vec<Field>, Vec<Vec<String>>)> {
    let fields = HEADER
        .split(',')
        .chain(["manager_registry_no", "posting_kind", "updated_at", "status"])
        .filter_map(Field::parse)
        .collect::<Vec<_>>();
    // Why most of it follows from the number: all rows of a person say the same of the person, or only contradictions would be tried.
    let row = (1u32..9, 0u32..8, prop::bool::weighted(0.2), 0usize..4, 0usize..3, 0usize..3);
    let row = row.prop_map(|(no, with_id, odd, unit, kind, at)| {
        let salt = usize::try_from(no).unwrap_or(0) + usize::from(odd);
        let pick = |of: &[&str], n: usize| of[n % of.len()].to_owned();
        vec![
            no.to_string(),
            if with_id == 0 { String::new() } else { national_id(no % 4) },
            pick(&["Ali", "Ali", "Zehra"], salt),
            pick(&["Kaya", "Yılmaz"], salt),
            pick(&["2010-01-01", "2024-05-05", "2027-01-01", ""], salt),
            pick(&["", "2020-01-01", "", "2030-01-01"], salt / 2),
            pick(&["10000035", "10000001", "99999999", ""], unit),
            format!("0532 000 00 0{}", no / 3),
            pick(&["Şef", "Memur"], unit),
            pick(&["", "2", "3", "1", "5", "77", "8"], salt),
            pick(&["asıl", "geçici", "VEKÂLET"], kind),
            pick(&["", "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"], at),
            String::new(),
        ]
    });
    (Just(fields), prop::collection::vec(row, 1..14))
}

fn either() -> impl Strategy<Value = (Vec<Field>, Vec<Vec<String>>)> {
    prop_oneof![1 => nonsense(), 3 => plausible()]
}

fn turned(cells: &[Vec<String>], seed: u64) -> Vec<Vec<String>> {
    let mut keyed: Vec<(u64, &Vec<String>)> = (1u64..).map(|n| (n ^ seed).wrapping_mul(0x9E37_79B9_7F4A_7C15)).zip(cells).collect();
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, cells)| cells.clone()).collect()
}

/// Everything that is kept after an intake, but for the ids of people.
fn what_comes_of(fields: &[Field], cells: &[Vec<String>]) -> (Vec<kimlik_domain::staff::intake::KnownPerson>, Vec<String>) {
    let house = House::new();
    house.take(Content::Snapshot(as_rows(fields, cells))).expect("taken");
    let kept = house.kept();
    let mut people: Vec<_> = kept.people.into_values().collect();
    people.iter_mut().for_each(|k| k.person.id = kimlik_domain::id::PersonId(uuid::Uuid::nil()));
    people.sort_by(|a, b| a.person.registry_no.cmp(&b.person.registry_no));
    // Keys of rows without a person hold the line, and lines are what was turned.
    (people, kept.issues.into_keys().filter(|k| !k.contains("MISSING_REGISTRY_NO")).collect())
}

/// Every row is taken, or its line or its person stands in an issue.
fn is_accounted_for(house: &House, report: &FeedReport, row: &Row) -> bool {
    let no = row.text(Field::RegistryNo).and_then(kimlik_domain::staff::RegistryNo::parse);
    let kept = house.kept();
    match no {
        None => report.issues.iter().any(|i| i.line == Some(row.line)),
        Some(no) => {
            let known = kept.people.values().any(|k| k.person.registry_no == no || k.former_registry_nos.contains(&no));
            known || report.issues.iter().any(|i| i.registry_no.as_ref() == Some(&no)) || report.unchanged_people > 0
        }
    }
}

const CASES: u32 = 300;

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nonsense_is_accounted_for_row_by_row_and_closes_nobody((fields, cells) in nonsense(), snapshot: bool) {
        let house = House::new();
        house.snapshot(&staff(crowd(3)));
        (1..=3).for_each(|n| house.store.set_account(&n.to_string(), AccountState::Active));
        let rows = as_rows(&fields, &cells);
        let content = if snapshot { Content::Snapshot(rows.clone()) } else { Content::Delta(rows.clone()) };
        let report = house.take(content.clone()).expect("taken");
        prop_assert_eq!(report.rows as usize, rows.len());
        if report.refused.is_none() {
            for row in &rows {
                prop_assert!(is_accounted_for(&house, &report, row), "line {}", row.line);
            }
        }
        let first = house.kept();
        prop_assert!(first.people.values().filter(|k| k.account_state == AccountState::Active).count() == 3);
        let again = house.take(content).expect("taken again");
        prop_assert_eq!((again.new_people, again.changed_people), (0, 0));
        let second = house.kept();
        prop_assert_eq!(&second.people, &first.people);
        prop_assert_eq!(second.woken.len(), first.woken.len());
        prop_assert_eq!(second.issues.keys().collect::<Vec<_>>(), first.issues.keys().collect::<Vec<_>>());
    }

    #[test]
    fn reading_does_not_depend_on_the_order_of_the_rows((fields, cells) in either(), seed: u64) {
        let turned = turned(&cells, seed);
        prop_assert_eq!(what_comes_of(&fields, &cells), what_comes_of(&fields, &turned));
    }

    #[test]
    fn a_person_stays_who_they_are_over_any_deliveries(deliveries in prop::collection::vec(plausible(), 1..4), states in prop::collection::vec(0usize..3, 8)) {
        let house = House::new();
        for (fields, cells) in deliveries {
            let before = house.kept();
            let content = Content::Snapshot(as_rows(&fields, &cells));
            house.take(content.clone()).expect("taken");
            let after = house.kept();
            for (id, known) in &before.people {
                let now = after.people.get(id);
                prop_assert!(now.is_some_and(|n| n.mark == known.mark || known.mark.is_none()), "another national id");
                prop_assert!(now.is_some_and(|n| n.account_state == known.account_state));
            }
            house.take(content).expect("taken again");
            let again = house.kept();
            prop_assert_eq!(&again.people, &after.people);
            prop_assert_eq!(again.woken.len(), after.woken.len());
            // Whom they are about, not their kinds: a row that is refused for two reasons may be told the other one the second time.
            let about = |keys: Vec<&String>| keys.into_iter().filter_map(|k| k.split('|').nth(1).map(str::to_owned)).collect::<BTreeSet<_>>();
            prop_assert_eq!(about(again.issues.keys().collect()), about(after.issues.keys().collect()));
            for (no, state) in (1..).zip(&states) {
                house.store.set_account(&i32::to_string(&no), [AccountState::Active, AccountState::Closed, AccountState::None][*state]);
            }
        }
    }
}
