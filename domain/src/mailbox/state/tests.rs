use super::*;
use crate::account::Names;
use crate::id::AccountGuid;

const DEED_ID: Uuid = Uuid::from_u128(7);

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap_or_default()
}
fn now() -> DateTime<Utc> {
    at("2026-12-01T06:00:00Z")
}
fn day_of(text: &str) -> Day {
    day::parse(text).unwrap_or_default()
}
fn told_of() -> Arc<str> {
    "ayse.isik@csb.test".into()
}

fn account(state: AccountState) -> Account {
    let names = Names {
        username: "ayse.isik".into(),
        mail: "ayse.isik@csb.test".into(),
        aliases: Vec::new(),
        aliases_since: Default::default(),
        named_for: "ayse isik".into(),
    };
    let mut account = Account::new(PersonId(Uuid::from_u128(1)), names);
    account.guid = Some(AccountGuid(Uuid::from_u128(2)));
    account.state = state;
    account
}

fn stands(stands: Stands) -> Mailbox {
    Mailbox { stands: Some(stands), told: Some(told_of()), ..Mailbox::unseen(PersonId(Uuid::from_u128(1)), now()) }
}

const HIDDEN: fn() -> Wanted = || Wanted::Hidden { closes_on: day_of("2027-03-01") };
const CLOSED: fn() -> Wanted = || Wanted::Closed { since: day_of("2027-03-01") };

#[test]
fn what_stands_and_what_the_account_asks_for_make_the_next_step() {
    use MailboxDeed::{Close, Hide, Open, Reopen};
    use Stands::{Closed, Hidden};
    let (open, hidden, closed) = (Wanted::Open, HIDDEN(), CLOSED());
    let table = [
        (Stands::None, Wanted::Nothing, Next::Rest),
        (Stands::None, open, Next::Ask(Open)),
        (Stands::None, hidden, Next::Rest),
        (Stands::None, closed, Next::Rest),
        (Stands::Open, open, Next::Rest),
        (Stands::Open, hidden, Next::Ask(Hide)),
        (Stands::Open, closed, Next::Ask(Close)),
        (Hidden, open, Next::Ask(Reopen)),
        (Hidden, hidden, Next::Rest),
        (Hidden, closed, Next::Ask(Close)),
        (Closed, open, Next::Ask(Reopen)),
        (Closed, hidden, Next::Rest),
        (Closed, closed, Next::Rest),
        (Stands::Open, Wanted::Nothing, Next::Rest),
    ];
    for (is, wanted, next) in table {
        assert_eq!(stands(is).next(wanted, &told_of()), next, "{is:?} {wanted:?}");
    }
    assert_eq!(stands(Stands::Open).next(open, "another@csb.test"), Next::Ask(MailboxDeed::Update));
    assert_eq!(Mailbox::unseen(PersonId(Uuid::nil()), now()).next(open, ""), Next::Look, "one may be there from before");
}

#[test]
fn a_leavers_mailbox_takes_mail_until_its_day_and_a_return_before_takes_the_day_back() {
    let mut account = account(AccountState::Closed);
    account.closed_at = Some(at("2026-11-30T21:30:00Z"));
    // 21:30 in London is half past midnight in Ankara: the first of December.
    assert_eq!(closes_on(&account, 90), Some(day_of("2027-03-01")));
    assert_eq!(wanted(Some(&account), 90, day_of("2027-02-28")), HIDDEN());
    assert_eq!(wanted(Some(&account), 90, day_of("2027-03-01")), HIDDEN(), "nobody has let it go ahead");
    account.mail_ended_at = Some(at("2027-02-28T21:10:00Z"));
    assert_eq!(wanted(Some(&account), 90, day_of("2027-03-01")), CLOSED());
    assert_eq!(wanted(Some(&account), 365, day_of("2027-12-01")), Wanted::Hidden { closes_on: day_of("2027-12-01") }, "for another day");
    let hidden = stands(Stands::Open).seen(&Seen::Stands(Stands::Hidden), false, HIDDEN(), &told_of(), now());
    assert_eq!((hidden.state(), hidden.closes_on), (MailboxState::Hidden, Some(day_of("2027-03-01"))));
    assert_eq!(hidden.due_at(HIDDEN(), at("2027-02-28T18:00:00Z")), day::midnight(day_of("2027-03-01")), "midnight of its day");
    let late = at("2027-03-01T18:00:00Z");
    assert_eq!(hidden.due_at(HIDDEN(), late), late + TimeDelta::days(1), "what waits for a plan is not asked about all the time");
    account.state = AccountState::Active;
    assert_eq!(wanted(Some(&account), 90, day_of("2027-03-01")), Wanted::Open);
    let back = hidden.asking(MailboxDeed::Reopen, DEED_ID, now());
    assert_eq!(back.state(), MailboxState::Requested);
    let back = back.seen(&Seen::Stands(Stands::Open), true, Wanted::Open, &told_of(), now());
    assert_eq!((back.state(), back.closes_on, back.waiting), (MailboxState::Open, None, None));
}

#[test]
fn a_request_of_which_nobody_knows_is_looked_at_and_asked_again_under_the_same_id() {
    let asked = stands(Stands::None).asking(MailboxDeed::Open, DEED_ID, now());
    assert_eq!((asked.state(), asked.next(Wanted::Open, "")), (MailboxState::Requested, Next::Look));
    let looked = asked.seen(&Seen::Stands(Stands::None), false, Wanted::Open, &told_of(), now());
    assert_eq!(looked.next(Wanted::Open, ""), Next::Ask(MailboxDeed::Open));
    let again = looked.asking(MailboxDeed::Open, Uuid::from_u128(8), now() + TimeDelta::hours(1)).waiting.unwrap();
    assert_eq!((again.request, again.since, again.tries), (DEED_ID, now(), 2));
    let waits = asked.seen(&Seen::Waiting("synchronisation".into()), true, Wanted::Open, &told_of(), now());
    assert_eq!(waits.waiting.as_ref().map(Waiting::waits_for).as_deref(), Some("synchronisation"));
    assert_eq!(waits.next(Wanted::Open, ""), Next::Look);
    assert_eq!(waits.seen(&Seen::Stands(Stands::Open), false, Wanted::Open, &told_of(), now()).state(), MailboxState::Open);
    // An answer that says "done" and shows that it is not is no answer.
    let odd = asked.seen(&Seen::Stands(Stands::None), true, Wanted::Open, &told_of(), now());
    assert_eq!(odd.next(Wanted::Open, ""), Next::Look);
}

#[test]
fn what_nobody_wants_any_more_is_dropped_when_it_surely_did_not_happen_and_not_before() {
    let asked = stands(Stands::None).asking(MailboxDeed::Open, DEED_ID, now());
    assert!(asked.clone().without_what_nobody_wants(HIDDEN(), "").waiting.is_some(), "perhaps it was opened");
    for stage in [Stage::NotDone("away".into()), Stage::Refused("no licence".into())] {
        let dropped = asked.failed(stage).without_what_nobody_wants(HIDDEN(), "");
        assert_eq!((dropped.waiting, dropped.stands), (None, Some(Stands::None)));
    }
    let closing = stands(Stands::Hidden).asking(MailboxDeed::Close, DEED_ID, now());
    assert_eq!(closing.state(), MailboxState::Closing);
    let kept = closing.failed(Stage::NotDone("away".into())).without_what_nobody_wants(Wanted::Open, &told_of());
    assert_eq!((kept.state(), kept.next(Wanted::Open, &told_of())), (MailboxState::Hidden, Next::Ask(MailboxDeed::Reopen)));
    let gone = closing.seen(&Seen::Stands(Stands::None), true, CLOSED(), &told_of(), now());
    assert_eq!((gone.state(), gone.waiting), (MailboxState::None, None), "who closes it may take it away");
}

#[test]
fn what_lists_filter_by_is_told_and_a_telephone_number_is_not() {
    use crate::account::{Applied, Attributes, Dn, Value};
    let mut account = account(AccountState::Active);
    let mut attributes = Attributes::default();
    attributes.set(Attribute::Company, Some(Value::text("Ağrı İl Müdürlüğü")));
    let applied = |attributes| Applied {
        unit: None,
        unit_name: "".into(),
        seconded: false,
        ou: Dn::new("OU=X"),
        attributes,
        groups: Vec::new(),
        on: day_of("2026-12-01"),
    };
    account.applied = Some(applied(attributes.clone()));
    let first = told(&account, None, day_of("2026-12-01"));
    attributes.set(Attribute::WorkPhone, Some(Value::text("1234")));
    account.applied = Some(applied(attributes.clone()));
    assert_eq!(told(&account, None, day_of("2026-12-01")), first);
    attributes.set(Attribute::Custom1, Some(Value::text("04")));
    account.applied = Some(applied(attributes));
    assert_ne!(told(&account, None, day_of("2026-12-01")), first);
    account.names.aliases.push("ayse.eski@csb.test".into());
    assert!(told(&account, None, day_of("2026-12-01")).contains("ayse.eski@csb.test"));
}
