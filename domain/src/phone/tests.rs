use super::*;
use crate::staff::RegistryNo;

const A: &str = "05321110001";
const B: &str = "05321110002";
const C: &str = "05321110003";

fn mobile(text: &str) -> Option<MobileNumber> {
    MobileNumber::parse(text).ok()
}
fn at(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + minute * 60, 0).unwrap()
}
fn hr(number: &str, said: Option<i64>) -> Person {
    Person {
        id: PersonId(Uuid::from_u128(1)),
        registry_no: RegistryNo::parse("S1").unwrap(),
        given_name: "Ayşe".into(),
        family_name: "Işık".into(),
        status: None,
        reason_code: None,
        employment_start: None,
        employment_end: None,
        postings: Vec::new(),
        mobile: mobile(number),
        mobile_public: false,
        work_phone: None,
        extension: Some("1234".into()),
        office: None,
        manager: None,
        photo: None,
        attributes: Vec::new(),
        updated_at: said.map(at),
    }
}
fn to(number: &str, id: u128, minute: i64) -> PhoneChange {
    let person = PersonId(Uuid::from_u128(1));
    PhoneChange { person, mobile: Some((Uuid::from_u128(id), mobile(number))), work: None, by: Setter::Owner, at: at(minute) }
}
fn now_at(ledger: &Ledger, person: &Person) -> Phones {
    Phones::lay_over(&mut person.clone(), ledger.clone())
}

#[test]
fn a_change_counts_at_once_is_pending_until_hr_says_it_and_then_is_nothing_of_ours_any_more() {
    let mut ledger = Ledger::default();
    let entails = ledger.change(&hr(A, None), &to(B, 1, 0));
    assert_eq!(entails.write_back, [(Uuid::from_u128(1), Line::Mobile)]);
    assert_eq!(entails.tell, Some(mobile(A)), "the old number is told");
    assert_eq!(*now_at(&ledger, &hr(A, None)).mobile(), mobile(B));
    assert!(ledger.mobile_changed.as_ref().unwrap().is_cooling(TimeDelta::hours(24), at(60)));

    assert!(ledger.answered(&hr(A, None), Uuid::from_u128(1), Standing::Taken));
    assert_eq!(ledger.own(Line::Mobile), Some((Uuid::from_u128(1), Standing::Taken)), "HR's feed has not said it");

    let entails = ledger.hear(&hr(A, None), &hr(B, None), at(5));
    assert_eq!((ledger.mobile.clone(), entails.tell), (None, None), "confirming changes nothing for its owner");
    assert_eq!(ledger.mobile_changed, Some(Changed { at: at(0), by: Setter::Owner }));
}

#[test]
fn what_hr_says_later_and_otherwise_counts_and_is_a_conflict_until_one_of_them_gives_way() {
    let mut ledger = Ledger::default();
    ledger.change(&hr(A, None), &to(B, 1, 0));
    let entails = ledger.hear(&hr(A, None), &hr(C, None), at(5));
    let phones = now_at(&ledger, &hr(C, None));
    assert_eq!(*phones.mobile(), mobile(C));
    assert_eq!(phones.disputes(), [(Line::Mobile, Standing::Overruled)]);
    assert_eq!(entails.tell, Some(mobile(B)), "the number that counted is told");
    assert_eq!(entails.superseded, [Line::Mobile], "HR is not written what it has overruled");
    assert_eq!(ledger.mobile_changed, Some(Changed { at: at(5), by: Setter::Hr }), "a number that HR changed cools off as well");
    assert!(!ledger.answered(&hr(C, None), Uuid::from_u128(1), Standing::Taken), "a late answer does not bring it back");

    let mut gives_way = ledger.clone();
    assert_eq!(gives_way.change(&hr(C, None), &to(C, 2, 9)).write_back, []);
    assert_eq!(now_at(&gives_way, &hr(C, None)).disputes(), []);
    ledger.hear(&hr(C, None), &hr(B, None), at(9));
    assert_eq!((now_at(&ledger, &hr(B, None)).disputes(), ledger.mobile), (vec![], None));
}

#[test]
fn what_hr_said_before_the_change_and_an_echo_of_an_earlier_one_overrule_nothing() {
    let mut ledger = Ledger::default();
    ledger.change(&hr(A, Some(-60)), &to(B, 1, 0));
    ledger.hear(&hr(A, Some(-60)), &hr(C, Some(-1)), at(5));
    assert_eq!(*now_at(&ledger, &hr(C, Some(-1))).mobile(), mobile(B), "HR's record is older than the change");

    let mut ledger = Ledger::default();
    ledger.change(&hr(A, None), &to(B, 1, 0));
    ledger.change(&hr(A, None), &to(C, 2, 1));
    ledger.hear(&hr(A, None), &hr(B, None), at(5));
    assert_eq!(*now_at(&ledger, &hr(B, None)).mobile(), mobile(C), "B came from here");
    assert_eq!(now_at(&ledger, &hr(B, None)).disputes(), []);
}

#[test]
fn changed_back_before_hr_had_it_is_still_written_because_the_first_may_have_arrived() {
    let mut ledger = Ledger::default();
    ledger.change(&hr(A, None), &to(B, 1, 0));
    let entails = ledger.change(&hr(A, None), &to(A, 2, 1));
    assert_eq!(entails.write_back, [(Uuid::from_u128(2), Line::Mobile)]);
    assert!(ledger.answered(&hr(A, None), Uuid::from_u128(2), Standing::Taken));
    assert_eq!(ledger.mobile, None, "HR has said so all the while");
}

#[test]
fn the_office_line_is_a_matter_of_its_own() {
    let mut ledger = Ledger::default();
    let work = WorkPhone { number: WorkNumber::parse("0312 410 10 01").ok(), extension: None };
    let made = PhoneChange { mobile: None, work: Some((Uuid::from_u128(3), work.clone())), ..to(B, 1, 0) };
    let entails = ledger.change(&hr(A, None), &made);
    assert_eq!((entails.write_back, entails.tell), (vec![(Uuid::from_u128(3), Line::Work)], None));
    assert_eq!(ledger.mobile_changed, None);
    let mut person = hr(A, None);
    let phones = Phones::lay_over(&mut person, ledger.clone());
    assert_eq!((person.work_phone, person.extension, phones.hr_work.extension.as_deref()), (work.number, None, Some("1234")));
    assert!(ledger.answered(&hr(A, None), Uuid::from_u128(3), Standing::Newer));
    assert_eq!(now_at(&ledger, &hr(A, None)).disputes(), [(Line::Work, Standing::Newer)]);
    let back: Ledger = serde_json::from_str(&serde_json::to_string(&ledger).unwrap()).unwrap();
    assert_eq!(back, ledger);
}

#[test]
fn who_changed_a_number_is_known_by_any_of_their_sessions() {
    let officer = PersonId(Uuid::from_u128(9));
    let changed = Changed { at: at(0), by: Setter::Other { actor: "user:memur".into(), person: Some(officer) } };
    let caller = |who, name: &str| crate::access::Caller { who, name: name.into(), ..crate::access::Caller::default() };
    assert!(changed.was_by(&caller(crate::access::Who::Person(officer), "yeni.ad")));
    assert!(!changed.was_by(&caller(crate::access::Who::Person(PersonId(Uuid::from_u128(8))), "baska")));
    assert!(!Changed { by: Setter::Hr, ..changed }.was_by(&caller(crate::access::Who::Person(officer), "memur")));
}
