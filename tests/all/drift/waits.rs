//! What a card waits for, and what is said of it meanwhile: a decision, a hold, an opening, a text that does not fit.
use super::{approve, at_most, field, ledger, says, shown, the_row};
use chrono::TimeDelta;
use kimlik_domain::account::{Attribute, Value};
use kimlik_domain::card::address_book::{self, BookRules, BookStatus};
use kimlik_domain::card::drift::DriftReason;
use kimlik_domain::card::provenance::FieldSource;
use kimlik_domain::card::truth::truth;
use kimlik_domain::lifecycle::limits::Budget;
use kimlik_domain::lifecycle::{ActionKind, words};
use kimlik_domain::ports::Clock;
use kimlik_tests::ministry::{Ministry, policy};
use kimlik_tests::scenario::Hr;

#[tokio::test]
async fn where_somebody_has_to_decide_it_is_said_what_is_waited_for_and_what_stands_until_then() {
    let ministry = Ministry::with("2026-12-01", at_most(policy(), Budget::Open, 1)).await;
    let ledger = ledger(&ministry).await;
    ministry.units().await;
    let mut hr = Hr::default();
    says(&ministry, &mut hr, "S001: given=Ali; family=Can; start=2026-12-01; unit=20000004; post=Memur").await;
    let title = async |no: &str| field(&ministry, &ledger, no, Attribute::Title).await;
    ministry.sync().await;
    assert_eq!(title("S001").await.differs, None);
    says(&ministry, &mut hr, "S002: given=Veli; family=Kan; start=2026-12-01; unit=20000035; post=Memur").await;
    ministry.sync().await;
    let held = title("S002").await;
    assert_eq!((shown(held.value.as_ref()), held.held, held.differs.map(|d| d.0)), ("Memur", None, Some(DriftReason::Held)));
    assert_eq!(held.source, FieldSource::Hr);
    let (person, units) = (ministry.person("S002").await.person.id, ministry.store.units().await.unwrap());
    let truth_of = async |person| truth(&ministry.reconciler, &ledger, &units, person).await.unwrap().unwrap();
    let of_hold = truth_of(person).await;
    assert_eq!(of_hold.held.iter().map(|h| h.kind).collect::<Vec<_>>(), [ActionKind::Open]);
    assert!(of_hold.held[0].since <= ministry.clock.now());
    approve(&ministry, true).await;
    ministry.work().await;
    assert_eq!((truth_of(person).await.held, title("S002").await.differs), (vec![], None));

    // HR gives a reason that nobody has explained: what was written stands, whatever else HR says.
    says(&ministry, &mut hr, "S001: post=Bakan; reason=98765").await;
    ministry.work().await;
    let undecided = title("S001").await;
    assert_eq!((shown(undecided.value.as_ref()), shown(undecided.held.as_ref()), undecided.differs), ("Memur", "Memur", None));
    let guid = ministry.person("S001").await.account.unwrap().guid.unwrap();
    ministry.embedded.as_ref().unwrap().hand_edit(guid, Attribute::Title, Some(Value::text("Müsteşar"))).await.unwrap();
    let undecided = title("S001").await;
    assert_eq!(shown(undecided.held.as_ref()), "Müsteşar");
    assert_eq!(
        undecided.differs.map(|(reason, because)| (reason, because.to_string())),
        Some((DriftReason::Undecided, words::UNDECIDED.to_owned()))
    );
    let rules = BookRules { replication: TimeDelta::zero(), generation: TimeDelta::zero(), download: TimeDelta::zero() };
    let state = address_book::state(&truth_of(ministry.person("S001").await.person.id).await, &rules, ministry.clock.now());
    assert_eq!(state.status, BookStatus::Stale, "nobody puts it right");
}

#[tokio::test]
async fn a_value_that_was_cut_is_told_whole_beside_what_the_directory_holds_of_it() {
    let ministry = {
        let mut policy = at_most(policy(), Budget::Update, 0);
        policy.mapping.set("title", "{title}, {title}, {title}").unwrap();
        Ministry::with("2026-12-01", policy).await
    };
    let ledger = ledger(&ministry).await;
    ministry.units().await;
    let mut hr = Hr::default();
    let post = |word: &str| format!("{word} {}", "Çalışma ".repeat(7).trim_end());
    let long = |word: &str| [post(word), post(word), post(word)].join(", ");
    says(&ministry, &mut hr, &format!("S001: given=Ali; family=Can; start=2026-12-01; unit=20000004; post={}", post("Uzman"))).await;
    ministry.sync().await;
    let title = async || field(&ministry, &ledger, "S001", Attribute::Title).await;
    let cut = title().await;
    let held = shown(cut.held.as_ref()).to_owned();
    assert!(held.starts_with("Uzman Çalışma") && held.chars().count() <= 128, "{held}");
    assert_eq!(shown(cut.value.as_ref()), long("Uzman"));
    assert_eq!(cut.differs.map(|(reason, _)| reason), Some(DriftReason::ValueCut));
    let row = the_row(&ledger).await;
    assert_eq!(
        (row.reason, shown(row.fields[0].wanted.as_ref()), shown(row.fields[0].held.as_ref())),
        (DriftReason::ValueCut, &*long("Uzman"), &*held)
    );

    says(&ministry, &mut hr, &format!("S001: post={}", post("Şef"))).await;
    ministry.sync().await;
    let row = the_row(&ledger).await;
    let of_title = row.fields.iter().find(|f| f.attribute == Attribute::Title).unwrap();
    assert_eq!((row.reason, of_title.reason), (DriftReason::Held, DriftReason::Held));
    assert_eq!(
        (shown(of_title.wanted.as_ref()), shown(of_title.held.as_ref())),
        (&*long("Şef"), &*held),
        "whole, though half of it is to be written"
    );
    assert_eq!(shown(title().await.value.as_ref()), long("Şef"));
}
