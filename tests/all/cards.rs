//! The feed of cards and the book that is kept by it, on both engines.
#![allow(clippy::unwrap_used)]

use crate::store::{Bench, at, id, names, no, noon, person, save, settlement};
use kimlik_domain::account::{Account, AccountState};
use kimlik_domain::card::book::Book;
use kimlik_domain::card::find::{CardFilter, CardOrder, asked_words};
use kimlik_domain::card::tree::UnitTree;
use kimlik_domain::card::{Card, CardRules};
use kimlik_domain::day::Day;
use kimlik_domain::lifecycle::run::PersonSettlement;
use kimlik_domain::page::{Place, Window};
use kimlik_domain::ports::{CardFacts, Cards, Seal, Store};
use kimlik_domain::staff::intake::RosterSave;
use kimlik_domain::staff::{Person, Posting, PostingKind, Reasons, Unit, UnitCode, UnitKind, Units};
use kimlik_tests::staff;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use uuid::Uuid;

on_both_engines!(
    a_card_comes_once_and_again_when_it_changes,
    what_changes_nothing_on_a_card_is_no_change,
    a_renamed_unit_changes_the_cards_of_its_people,
    a_posting_that_begins_changes_the_card_on_its_day,
    who_leaves_is_removed,
    readers_skip_nothing_while_many_write,
);

fn day(text: &str) -> Day {
    kimlik_domain::day::parse(text).unwrap()
}

/// A reader with a book of its own.
struct Reader {
    book: Book,
    reasons: Reasons,
    day: Day,
}

impl Reader {
    fn new(today: &str) -> Reader {
        Reader { book: Book::default(), reasons: Reasons::default(), day: day(today) }
    }
    fn rules(&self) -> CardRules<'_> {
        CardRules { day: self.day, keep_aliases_days: None, family_name_in_capitals: false, reasons: &self.reasons }
    }
    async fn seal(&self, store: &dyn Cards) {
        let rules = self.rules();
        let shape = self.day.to_string();
        let seal = Seal { epoch: Uuid::from_u128(5), at: noon(), shape: &shape, limit: 7 };
        let text = |facts: &CardFacts, units: &Units| rules.shows(facts).then(|| Card::of(facts, units, &rules).text(units)).flatten();
        while store.seal_cards(&seal, &text).await.unwrap() {}
    }
    /// Brings the book up to date; answers who has changed, and whether they still have a card.
    async fn follow(&mut self, bench: &Bench) -> Vec<(Uuid, bool)> {
        let head = bench.store.cards_head().await.unwrap();
        self.book.set_tree(Arc::new(UnitTree::new(bench.store.units().await.unwrap())));
        let mut changed = Vec::new();
        while self.book.position() < head.position {
            for entry in bench.store.card_entries(self.book.position(), 3).await.unwrap() {
                let tree = self.book.tree().clone();
                let rules = CardRules { day: self.day, keep_aliases_days: None, family_name_in_capitals: false, reasons: &self.reasons };
                self.book.apply(&entry, tree.units(), &rules);
                changed.push((entry.person.0, entry.facts.is_some()));
            }
        }
        changed
    }
    async fn sealed(&mut self, bench: &Bench) -> Vec<(Uuid, bool)> {
        self.seal(bench.store.as_ref()).await;
        self.follow(bench).await
    }
}

fn code(n: u32) -> UnitCode {
    staff::code(&format!("{n:08}"))
}

fn unit(n: u32, parent: Option<u32>, name: &str) -> Unit {
    let province = kimlik_domain::staff::unit::Province::new(6);
    Unit { parent: parent.map(code), province, ..staff::unit(code(n), name) }
}

fn works(n: u32, given: &str, family: &str, unit: u32, from: Option<&str>) -> Person {
    let posting = Posting {
        kind: PostingKind::Permanent,
        unit: code(unit),
        title_post: Some("Mühendis".into()),
        title_duty: None,
        start: from.map(day),
        end: None,
    };
    Person { postings: vec![posting], ..person(n, given, family) }
}

async fn a_card_comes_once_and_again_when_it_changes(bench: Bench) {
    let mut reader = Reader::new("2026-12-01");
    bench.save((1..=20).map(|n| person(n, "Ada", &format!("Can{n}"))).collect()).await;
    let first = reader.sealed(&bench).await;
    assert_eq!(first.iter().map(|(p, _)| *p).collect::<BTreeSet<_>>().len(), 20);
    assert_eq!(first.len(), 20);
    bench.save(vec![person(3, "Ada", "Şen")]).await;
    assert_eq!(reader.sealed(&bench).await, [(id(3).0, true)]);
    let account = Account { state: AccountState::Active, ..Account::new(id(4), names("ada.can4")) };
    bench.store.settle(vec![PersonSettlement { account: Some(account), ..settlement(&person(4, "Ada", "Can4")) }]).await.unwrap();
    assert_eq!(reader.sealed(&bench).await, [(id(4).0, true)]);
    assert_eq!(reader.book.named("ADA.can4").unwrap().person(), id(4));
    assert_eq!(reader.book.addressed("ada.can4@csb.test").unwrap().person(), id(4));
    // A newcomer to the feed gets everybody once.
    assert_eq!(Reader::new("2026-12-01").follow(&bench).await.len(), 20);
}

async fn what_changes_nothing_on_a_card_is_no_change(bench: Bench) {
    let mut reader = Reader::new("2026-12-01");
    bench.save(vec![person(1, "Ada", "Can")]).await;
    reader.sealed(&bench).await;
    bench.save(vec![person(1, "Ada", "Can")]).await;
    assert!(bench.store.cards_head().await.unwrap().is_waiting);
    assert_eq!(reader.sealed(&bench).await, []);
    assert!(!bench.store.cards_head().await.unwrap().is_waiting);
}

async fn a_renamed_unit_changes_the_cards_of_its_people(bench: Bench) {
    let mut reader = Reader::new("2026-12-01");
    let units = vec![unit(1, None, "Bakanlık"), unit(2, Some(1), "Bilgi İşlem"), unit(3, Some(1), "Destek")];
    let people = vec![works(1, "Ada", "Can", 2, None), works(2, "Efe", "Can", 3, None)];
    bench.store.save_roster(RosterSave { units, ..save(people) }).await.unwrap();
    assert_eq!(reader.sealed(&bench).await.len(), 2);
    bench.store.save_roster(RosterSave { units: vec![unit(2, Some(1), "Bilişim")], ..save(Vec::new()) }).await.unwrap();
    assert_eq!(reader.sealed(&bench).await, [(id(1).0, true)]);
}

async fn a_posting_that_begins_changes_the_card_on_its_day(bench: Bench) {
    let units = vec![unit(1, None, "Bakanlık"), unit(2, Some(1), "Bilgi İşlem")];
    let mut moving = works(1, "Ada", "Can", 1, None);
    moving.postings.push(works(1, "Ada", "Can", 2, Some("2026-12-02")).postings.remove(0));
    let people = vec![moving, works(2, "Efe", "Can", 1, None)];
    bench.store.save_roster(RosterSave { units, ..save(people) }).await.unwrap();
    let mut reader = Reader::new("2026-12-01");
    reader.sealed(&bench).await;
    assert_eq!(reader.book.get(id(1)).unwrap().unit, Some(code(1)));
    reader.day = day("2026-12-02");
    assert_eq!(reader.sealed(&bench).await, [(id(1).0, true)]);
    assert_eq!(reader.book.get(id(1)).unwrap().unit, Some(code(2)));
}

async fn who_leaves_is_removed(bench: Bench) {
    let mut reader = Reader::new("2026-12-01");
    bench.save(vec![person(1, "Ada", "Can"), person(2, "Efe", "Can")]).await;
    reader.sealed(&bench).await;
    bench.save(vec![Person { employment_end: Some(day("2026-12-01")), ..person(1, "Ada", "Can") }]).await;
    assert_eq!(reader.sealed(&bench).await, [], "the last day is a day in service");
    reader.day = day("2026-12-02");
    assert_eq!(reader.sealed(&bench).await, [(id(1).0, false)]);
    assert!(reader.book.get(id(1)).is_none() && reader.book.numbered("S1").is_none());
    assert_eq!(reader.book.count(&CardFilter::default()), 1);
    let changes = reader.book.changes(0, 10);
    assert_eq!(changes.iter().map(|c| (c.person, c.entry.is_some())).collect::<Vec<_>>(), [(id(2), true), (id(1), false)]);
}

/// Eight writers and two sealers on connections of their own, and a reader that only ever goes forward.
async fn readers_skip_nothing_while_many_write(bench: Bench) {
    const WRITERS: u32 = 8;
    const ROUNDS: u32 = 12;
    let bench = Arc::new(bench);
    let over = Arc::new(AtomicBool::new(false));
    let sealers: Vec<_> = (0..2)
        .map(|_| {
            let (bench, over) = (bench.clone(), over.clone());
            tokio::spawn(async move {
                let store = bench.again().await;
                while !over.load(Ordering::SeqCst) {
                    Reader::new("2026-12-01").seal(store.as_ref()).await;
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let reading = {
        let (bench, over) = (bench.clone(), over.clone());
        tokio::spawn(async move {
            let mut reader = Reader::new("2026-12-01");
            while !over.load(Ordering::SeqCst) {
                reader.follow(&bench).await;
                tokio::task::yield_now().await;
            }
            reader
        })
    };
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let bench = bench.clone();
            tokio::spawn(async move {
                let store = bench.again().await;
                for round in 0..ROUNDS {
                    let people = (1..=5).map(|n| person(writer * 10 + n, "Ada", &format!("Can{round}x{n}"))).collect();
                    store.save_roster(save(people)).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    over.store(true, Ordering::SeqCst);
    for sealer in sealers {
        sealer.await.unwrap();
    }
    let mut reader = reading.await.unwrap();
    reader.sealed(&bench).await;
    let everybody = bench.store.people(kimlik_domain::ports::PeopleBy::After(None, 1_000)).await.unwrap();
    let expected: BTreeMap<_, _> = everybody.iter().map(|r| (r.person.id, r.person.family_name.to_string())).collect();
    let seen: BTreeMap<_, _> =
        everybody.iter().filter_map(|r| reader.book.get(r.person.id)).map(|e| (e.person(), e.family_name().to_string())).collect();
    assert_eq!(expected.len(), (WRITERS * 5) as usize);
    assert_eq!(seen, expected);
}

// ------------------------------------------------------------------------------------------------- asking the book

fn book(people: &[(&str, &str)]) -> Book {
    let mut book = Book::default();
    for (n, (given, family)) in (1..).zip(people) {
        put(&mut book, i64::from(n), person(n, given, family));
    }
    book
}

fn put(book: &mut Book, position: i64, person: Person) {
    let reasons = Reasons::default();
    let rules = CardRules { day: day("2026-12-01"), keep_aliases_days: None, family_name_in_capitals: false, reasons: &reasons };
    let (id, facts) = (person.id, Some(CardFacts { person, account: None, photo: None }));
    let tree = book.tree().clone();
    let entry = kimlik_domain::ports::CardEntry { position, person: id, at: at("2026-12-01T09:00:00Z"), facts };
    book.apply(&entry, tree.units(), &rules);
}

fn found(book: &Book, search: &str) -> Vec<String> {
    let filter = CardFilter { words: asked_words(search), ..CardFilter::default() };
    let seen = book.page(&filter, CardOrder::Name, &Window { limit: 50, ..Window::default() });
    assert_eq!(seen.items.len(), book.count(&filter));
    seen.items.iter().map(|(_, e)| format!("{} {}", e.family_name(), e.given_name())).collect()
}

#[test]
fn cards_come_in_turkish_order() {
    let names = ["Öz", "Işık", "Çam", "Oya", "İğne", "Can", "Şen", "Zorlu", "Hale", "Sezer", "Ünal", "Uysal"];
    let book = book(&names.map(|family| ("Ada", family)));
    let expected = ["Can", "Çam", "Hale", "Işık", "İğne", "Oya", "Öz", "Sezer", "Şen", "Uysal", "Ünal", "Zorlu"];
    assert_eq!(found(&book, ""), expected.map(|family| format!("{family} Ada")));
}

#[test]
fn a_search_finds_the_beginnings_of_words() {
    let book = book(&[("Ayşe Nur", "Işık"), ("Ayşegül", "Şahin"), ("Nuray", "Ay-Tekin"), ("Ali", "Aliye")]);
    assert_eq!(found(&book, "ay"), ["Ay-Tekin Nuray", "Işık Ayşe Nur", "Şahin Ayşegül"]);
    for search in ["ŞAHİN", "Şahin", "sahin", "sa", "ayse sah"] {
        assert_eq!(found(&book, search), ["Şahin Ayşegül"], "{search}");
    }
    assert_eq!(found(&book, "nur isik"), ["Işık Ayşe Nur"]);
    assert_eq!(found(&book, "tekin"), ["Ay-Tekin Nuray"]);
    assert_eq!(found(&book, "al"), ["Aliye Ali"], "two words of one name are one person");
    assert_eq!(found(&book, "gul"), [""; 0], "the middle of a word is not its beginning");
    assert_eq!(found(&book, "%"), [""; 0]);
}

/// Every page forward and backward, in every order, through sparse and dense lists, is the whole list cut in pieces.
#[test]
fn pages_in_both_directions_are_the_list_cut_in_pieces() {
    let people: Vec<(String, String)> = (0..60u32).map(|n| (format!("Ad{}", n % 7), format!("Soy{}", n * 37 % 60))).collect();
    let people: Vec<(&str, &str)> = people.iter().map(|(g, f)| (g.as_str(), f.as_str())).collect();
    let book = book(&people);
    for search in ["", "ad3", "soy5", "soy37"] {
        let filter = CardFilter { words: asked_words(search), ..CardFilter::default() };
        for order in [CardOrder::Name, CardOrder::Title, CardOrder::Unit, CardOrder::Updated] {
            let whole = book.page(&filter, order, &Window { limit: 100, ..Window::default() });
            assert!(!whole.has_next && !whole.has_previous && whole.items.len() == book.count(&filter));
            let whole: Vec<Place> = whole.items.into_iter().map(|(place, _)| place).collect();
            for backward in [false, true] {
                let mut pieces: Vec<Place> = Vec::new();
                let mut window = Window { limit: 4, backward, ..Window::default() };
                loop {
                    let seen = book.page(&filter, order, &window);
                    let has_more = if backward { seen.has_previous } else { seen.has_next };
                    let turned_back = if backward { seen.has_next } else { seen.has_previous };
                    assert_eq!(turned_back, !pieces.is_empty(), "{search} {order:?} {backward}");
                    let places: Vec<Place> = seen.items.into_iter().map(|(place, _)| place).collect();
                    if backward {
                        window.before = places.first().cloned();
                        pieces.splice(0..0, places);
                    } else {
                        window.after = places.last().cloned();
                        pieces.extend(places);
                    }
                    if !has_more {
                        break;
                    }
                }
                assert_eq!(pieces, whole, "{search} {order:?} {backward}");
            }
        }
    }
}

#[test]
fn pages_stay_right_while_people_come_and_go() {
    let mut book = book(&[("Ada", "Can"), ("Ada", "Ekin"), ("Ada", "Hale"), ("Ada", "Oya")]);
    let page = |book: &Book, after: Option<Place>| {
        let seen = book.page(&CardFilter::default(), CardOrder::Name, &Window { limit: 2, after, ..Window::default() });
        let names: Vec<String> = seen.items.iter().map(|(_, e)| e.family_name().to_string()).collect();
        (names, seen.items.last().map(|(place, _)| place.clone()))
    };
    let (first, after) = page(&book, None);
    assert_eq!(first, ["Can", "Ekin"]);
    // The last one seen goes, one comes before, one comes behind.
    let gone = kimlik_domain::ports::CardEntry { position: 5, person: id(2), at: noon(), facts: None };
    let reasons = Reasons::default();
    let rules = CardRules { day: day("2026-12-01"), keep_aliases_days: None, family_name_in_capitals: false, reasons: &reasons };
    book.apply(&gone, &Units::default(), &rules);
    put(&mut book, 6, person(6, "Ada", "Ak"));
    put(&mut book, 7, person(7, "Ada", "Gül"));
    let (second, after) = page(&book, after);
    assert_eq!(second, ["Gül", "Hale"]);
    assert_eq!(page(&book, after).0, ["Oya"]);
}

#[test]
fn filters_fit_together() {
    let units = [unit(1, None, "Bakanlık"), unit(2, Some(1), "Bilgi İşlem"), unit(3, Some(2), "Yazılım")];
    let mut book = Book::default();
    book.set_tree(Arc::new(UnitTree::new(Units::new(units))));
    for (n, (family, unit)) in (1..).zip([("Can", 1), ("Ekin", 2), ("Hale", 3), ("Oya", 3)]) {
        put(&mut book, i64::from(n), works(n, "Ada", family, unit, None));
    }
    let mut led = works(9, "Efe", "Zor", 1, None);
    led.manager = Some(no("S3"));
    put(&mut book, 9, led);
    let names = |filter: CardFilter| {
        let seen = book.page(&filter, CardOrder::Name, &Window { limit: 50, ..Window::default() });
        assert_eq!(seen.items.len(), book.count(&filter));
        seen.items.iter().map(|(_, e)| e.family_name().to_string()).collect::<Vec<_>>().join(" ")
    };
    let open = CardFilter::default;
    assert_eq!(names(CardFilter { units: Some(vec![code(2)]), ..open() }), "Ekin");
    assert_eq!(names(CardFilter { units: Some(vec![code(2)]), include_subunits: true, ..open() }), "Ekin Hale Oya");
    assert_eq!(names(CardFilter { units: Some(vec![code(7)]), include_subunits: true, ..open() }), "");
    assert_eq!(names(CardFilter { units: Some(vec![code(2)]), include_subunits: true, words: asked_words("ha"), ..open() }), "Hale");
    assert_eq!(names(CardFilter { unit_kind: Some(UnitKind::Provincial), ..open() }), "");
    assert_eq!(names(CardFilter { titles: Some(vec!["muhendis".into()]), words: asked_words("ada"), ..open() }), "Can Ekin Hale Oya");
    assert_eq!(names(CardFilter { posting_kinds: Some(vec![PostingKind::Acting]), ..open() }), "");
    assert_eq!(names(CardFilter { manager: Some(no("S3")), ..open() }), "Zor");
    let ankara = kimlik_domain::staff::unit::Province::new(6).unwrap();
    assert_eq!(names(CardFilter { provinces: Some(vec![ankara]), words: asked_words("efe"), ..open() }), "Zor");
}
