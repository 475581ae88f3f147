use super::life::{Event, Life};
use super::*;
use chrono::{DateTime, Duration, Utc};
use kimlik_domain::staff::feed::{Field, Row};
use kimlik_domain::staff::{MobileNumber, NationalId, Reasons, RegistryNo, UnitCode};
use kimlik_domain::text;
use std::collections::{BTreeSet, HashSet};
use std::task::{Context, Poll, Waker};

struct SetClock(Mutex<DateTime<Utc>>);
impl SetClock {
    fn new() -> Arc<SetClock> {
        Arc::new(SetClock(Mutex::new("2026-11-23T09:00:00Z".parse().unwrap())))
    }
    fn go_on(&self, days: i64) {
        *self.0.lock().unwrap() += Duration::days(days);
    }
}
impl Clock for SetClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

/// The simulation never waits: one poll of the future is enough.
fn poll(ministry: &SimulatedMinistry, position: Option<&str>) -> Option<Delivery> {
    let mut answer = ministry.poll(position);
    match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer.unwrap(),
        Poll::Pending => panic!("the simulation waits"),
    }
}

fn rows(content: &Content) -> &[Row] {
    match content {
        Content::Units(rows) | Content::Snapshot(rows) | Content::Delta(rows) => rows,
    }
}

fn live(ministry: &SimulatedMinistry, clock: &SetClock, mut position: Option<String>, steps: usize) -> (Option<String>, Vec<Delivery>) {
    let mut seen = Vec::new();
    for step in 0..steps {
        let delivery = poll(ministry, position.as_deref()).unwrap();
        position = Some(delivery.position.clone());
        seen.push(delivery);
        if step % 7 == 6 {
            clock.go_on(1);
        }
    }
    (position, seen)
}

#[test]
fn a_ministry_lives_on_where_it_was_when_more_is_to_happen_in_a_step() {
    let clock = SetClock::new();
    let quiet = SimulatedMinistry::new(7, 300, 2, clock.clone()).without_rest();
    let (position, _) = live(&quiet, &clock, None, 9);
    let busy = SimulatedMinistry::new(7, 300, 40, clock.clone()).without_rest();
    let (later, deliveries) = live(&busy, &clock, position.clone(), 3);
    let told = |ministry: &SimulatedMinistry| rows(&poll(ministry, later.as_deref()).unwrap().content).to_vec();
    assert!(deliveries.iter().all(|d| rows(&d.content).len() > 10), "much happens in each step");
    let started_again = SimulatedMinistry::new(7, 300, 40, clock.clone()).without_rest();
    assert_eq!(told(&busy), told(&started_again), "the quiet steps are replayed as they were");
}

#[test]
fn two_of_one_seed_live_the_same_life_and_another_seed_does_not() {
    let lives = [7, 7, 8].map(|seed| {
        let clock = SetClock::new();
        let ministry = SimulatedMinistry::new(seed, 300, 3, clock.clone()).without_rest();
        live(&ministry, &clock, None, 60).1
    });
    assert_eq!(lives[0], lives[1]);
    assert_ne!(lives[0], lives[2]);
}

#[test]
fn a_restart_on_another_day_goes_on_with_the_same_life() {
    let clock = SetClock::new();
    let ministry = SimulatedMinistry::new(7, 300, 3, clock.clone()).without_rest();
    let (position, _) = live(&ministry, &clock, None, 50);
    clock.go_on(20);
    let restarted = SimulatedMinistry::new(7, 300, 3, clock.clone()).without_rest();
    let again = poll(&restarted, position.as_deref());
    assert!(again.is_some());
    assert_eq!(poll(&ministry, position.as_deref()), again);
    assert_eq!(poll(&ministry, position.as_deref()), again, "asked twice, answered alike");
    let told = (ministry.narration(), restarted.narration());
    assert!(told.0.ends_with(&told.1) && !told.1.is_empty(), "what was replayed is not told");
}

#[test]
fn a_position_of_another_ministry_is_refused() {
    let clock = SetClock::new();
    let ministry = SimulatedMinistry::new(7, 300, 3, clock.clone());
    for position in ["", "nonsense", "8/300/3 life 2026-11-23", "7/300/3 life 2026-11-23 1y2"] {
        assert!(ministry.next(Some(position)).is_err(), "{position}");
    }
}

#[test]
fn it_rests_after_each_delivery_so_that_whoever_drains_it_comes_to_an_end() {
    let clock = SetClock::new();
    let ministry = SimulatedMinistry::new(7, 300, 3, clock.clone());
    let units = poll(&ministry, None).unwrap();
    let staff = poll(&ministry, Some(&units.position)).unwrap();
    assert!(matches!((&units.content, &staff.content), (Content::Units(_), Content::Snapshot(_))));
    assert_eq!(poll(&ministry, Some(&staff.position)), None);
    let step = poll(&ministry, Some(&staff.position)).unwrap();
    assert_eq!(poll(&ministry, Some(&step.position)), None);
    assert!(poll(&ministry, Some(&step.position)).is_some());
}

#[test]
fn the_snapshot_is_a_ministry() {
    let clock = SetClock::new();
    let ministry = SimulatedMinistry::new(1, 2_000, 3, clock.clone());
    let units = poll(&ministry, None).unwrap();
    let staff = poll(&ministry, Some(&units.position)).unwrap();
    let codes: HashSet<UnitCode> = rows(&units.content).iter().map(|r| UnitCode::parse(r.text(Field::Code).unwrap()).unwrap()).collect();
    assert_eq!(codes.len(), rows(&units.content).len());
    let provinces: HashSet<&str> = rows(&units.content).iter().filter_map(|r| r.text(Field::Province)).collect();
    assert_eq!(provinces.len(), 81);
    let long = rows(&units.content).iter().find(|r| r.text(Field::Name).unwrap().starts_with("Kahramanmaraş")).unwrap();
    assert!(text::utf16_len(long.text(Field::Name).unwrap()) > 64);
    for unit in rows(&units.content) {
        let name = unit.text(Field::ShortName).or(unit.text(Field::Name)).unwrap();
        assert!(text::utf16_len(name) <= 64, "{name}");
        assert!(unit.text(Field::ParentCode).is_none_or(|p| codes.contains(&UnitCode::parse(p).unwrap())));
    }
    let (mut ids, mut mobiles, mut names) = (HashSet::new(), HashSet::new(), HashSet::new());
    let (mut no_mobile, mut homonyms) = (0, 0);
    for row in rows(&staff.content) {
        assert!(ids.insert(NationalId::parse(row.text(Field::NationalId).unwrap()).unwrap().expose().to_owned()));
        assert!(RegistryNo::parse(row.text(Field::RegistryNo).unwrap()).is_some());
        assert!(codes.contains(&UnitCode::parse(row.text(Field::UnitCode).unwrap()).unwrap()));
        match row.text(Field::Mobile).map(MobileNumber::parse) {
            Some(Ok(mobile)) => assert!(mobiles.insert(mobile)),
            _ => no_mobile += 1,
        }
        let name = text::fold(&format!("{} {}", row.text(Field::GivenName).unwrap(), row.text(Field::FamilyName).unwrap()));
        homonyms += usize::from(!names.insert(name));
    }
    assert_eq!(rows(&staff.content).len(), 2_000);
    assert!((5..60).contains(&no_mobile), "{no_mobile} without a mobile");
    assert!(homonyms > 20, "{homonyms} homonyms");
}

#[test]
fn every_kind_of_event_comes_to_pass_with_reasons_that_are_known() {
    let reasons = Reasons::with(SimulatedMinistry::REASONS.iter().map(|(code, effect)| ((*code).to_owned(), *effect)));
    let day = day::today(SetClock::new().now());
    let mut life = Life::new(3, 1_000, day);
    let mut seen = BTreeSet::new();
    for step in 0..400 {
        let step = life.go_on(day + Duration::days(step / 20), 3);
        seen.extend(step.happened.iter().map(|(event, _)| *event));
        for row in step.rows.unwrap_or_default() {
            let code = row.text(Field::ReasonCode).unwrap();
            assert!(reasons.effect(code).is_some(), "{code}");
            let date = |field| row.text(field).map(|t| day::parse(t).unwrap());
            assert!(date(Field::EmploymentEnd).is_none_or(|end| date(Field::EmploymentStart).unwrap() <= end));
            assert!(date(Field::PostingEnd).is_none_or(|end| date(Field::PostingStart).unwrap() <= end));
        }
    }
    let missing: Vec<&Event> = Event::ALL.iter().filter(|event| !seen.contains(*event)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_garbled_row_looks_garbled_and_a_wrong_id_is_wrong() {
    let day = day::today(SetClock::new().now());
    let mut life = Life::new(5, 500, day);
    let (mut garbled, mut wrong) = (0, 0);
    for _ in 0..300 {
        for row in life.go_on(day, 4).rows.unwrap_or_default() {
            let name = format!("{} {}", row.text(Field::GivenName).unwrap(), row.text(Field::FamilyName).unwrap());
            garbled += u32::from(text::looks_mangled(&name));
            wrong += u32::from(NationalId::parse(row.text(Field::NationalId).unwrap()).is_err());
        }
    }
    assert!(garbled > 0 && wrong > 0, "{garbled} garbled, {wrong} wrong");
}
