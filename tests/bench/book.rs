//! What a card takes in memory, with all that finds it: the book of 100,000 cards, alone in this process.
use kimlik_domain::account::{Account, AccountState, Names};
use kimlik_domain::card::CardRules;
use kimlik_domain::card::book::Book;
use kimlik_domain::card::find::{CardFilter, CardOrder, asked_words};
use kimlik_domain::card::tree::UnitTree;
use kimlik_domain::id::PersonId;
use kimlik_domain::page::Window;
use kimlik_domain::ports::{CardEntry, CardFacts};
use kimlik_domain::staff::{MobileNumber, Person, Posting, PostingKind, Reasons, Unit, Units, WorkNumber};
use kimlik_domain::{day, text};
use kimlik_tests::staff;
use std::sync::Arc;
use std::time::Instant;
use uuid::Uuid;

const PEOPLE: u32 = 100_000;
const UNITS: u32 = 5_000;
/// The parts of names: as many as a ministry has, more or less.
const GIVEN: u32 = 900;
const FAMILY: u32 = 12_000;
const SYLLABLES: [&str; 12] = ["ay", "şe", "gül", "han", "işık", "öz", "can", "dem", "ır", "soy", "çe", "tin"];

fn word(mut n: u32) -> String {
    let mut word = String::new();
    for _ in 0..3 {
        word.push_str(SYLLABLES[(n % 12) as usize]);
        n /= 12;
    }
    text::person_name(&word)
}

fn unit(n: u32) -> Unit {
    Unit {
        parent: (n > 0).then(|| staff::code(&format!("{:08}", (n - 1) / 8))),
        ..staff::unit(staff::code(&format!("{n:08}")), &format!("Şube {n}"))
    }
}

/// As the simulated ministry's: a posting, a line, a room, a mobile, an account with one former address for each twentieth.
fn facts(n: u32) -> CardFacts {
    let id = PersonId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + u128::from(n) * 0x9e37_79b9));
    let (given, family) = (word(n * 7 % GIVEN), word(144 + n * 31 % FAMILY));
    let username = format!("{}.{}{n}", text::to_ascii(&given), text::to_ascii(&family));
    let posting = Posting {
        kind: PostingKind::Permanent,
        unit: staff::code(&format!("{:08}", n % UNITS)),
        title_post: Some(format!("Uzman {}", n % 120).into()),
        title_duty: None,
        start: day::parse("2020-01-15"),
        end: None,
    };
    let person = Person {
        postings: vec![posting],
        mobile: MobileNumber::parse(&format!("0532{n:07}")).ok(),
        work_phone: WorkNumber::parse(&format!("0312{n:07}")).ok(),
        extension: Some(format!("{}", 1_000 + n % 9_000).into()),
        office: Some(format!("B-{}", n % 600).into()),
        manager: Some(staff::no(&format!("S{}", n / 10))),
        ..staff::person(id, &format!("S{n}"), &given, &family)
    };
    let mail = |name: &str| -> Arc<str> { format!("{name}@csb.gov.tr").into() };
    let aliases = if n.is_multiple_of(20) { vec![mail(&format!("eski.{username}"))] } else { Vec::new() };
    let names =
        Names { mail: mail(&username), username: username.into(), aliases, aliases_since: Default::default(), named_for: "".into() };
    let account = Account { state: AccountState::Active, ..Account::new(id, names) };
    CardFacts { person, account: Some(account), photo: None }
}

fn first_two(word: &str) -> String {
    word.chars().take(2).collect()
}

/// Resident, octets.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

pub fn weigh() {
    let reasons = Reasons::default();
    let rules =
        CardRules { day: day::parse("2026-12-01").unwrap(), keep_aliases_days: None, family_name_in_capitals: false, reasons: &reasons };
    let tree = Arc::new(UnitTree::new(Units::new((0..UNITS).map(unit))));
    let mut book = Book::default();
    book.set_tree(tree.clone());
    let before = resident();
    let began = Instant::now();
    for n in 1..=PEOPLE {
        let facts = facts(n);
        let entry = CardEntry { position: i64::from(n), person: facts.person.id, at: Default::default(), facts: Some(facts) };
        book.apply(&entry, tree.units(), &rules);
    }
    let taken = resident() - before;
    println!(
        "--- the book of {} cards: {} MB, {} octets a card, made in {:.1?}",
        book.len(),
        taken >> 20,
        taken / u64::from(PEOPLE),
        began.elapsed()
    );
    let window = Window { limit: 20, ..Window::default() };
    let by_units = |n: u32| CardFilter { units: Some(vec![staff::code(&format!("{:08}", n % UNITS))]), ..CardFilter::default() };
    let by_words = |n: u32| CardFilter {
        words: asked_words(&format!("{} {}", first_two(&word(n * 7 % GIVEN)), word(144 + n * 31 % FAMILY))),
        ..CardFilter::default()
    };
    let questions: [(&str, &dyn Fn(u32) -> usize); 4] = [
        ("card by registry number", &|n| usize::from(book.numbered(staff::no(&format!("S{n}")).as_str()).is_some())),
        ("page of 20 of a unit", &|n| book.page(&by_units(n), CardOrder::Name, &window).items.len()),
        ("page of 20 of everybody, by name", &|_| book.page(&CardFilter::default(), CardOrder::Name, &window).items.len()),
        ("name search", &|n| book.page(&by_words(n), CardOrder::Name, &window).items.len()),
    ];
    for (name, ask) in questions {
        let began = Instant::now();
        let found: usize = (1..=2_000).map(ask).sum();
        println!("{name}: {:.1?} each, {found} found", began.elapsed() / 2_000);
    }
}
