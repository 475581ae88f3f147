//! Who may what: the table as people read it, and what it must never say.
use kimlik_domain::access::{About, Caller, Deed, Role, Scope, Who, may};
use kimlik_domain::id::{PersonId, ServiceId};
use kimlik_domain::staff::UnitCode;
use std::fmt::Write as _;
use std::sync::Arc;
use uuid::Uuid;

const ME: PersonId = PersonId(Uuid::from_u128(1));
const COLLEAGUE: PersonId = PersonId(Uuid::from_u128(2));

fn unit(text: &str) -> UnitCode {
    UnitCode::parse(text).unwrap()
}

fn person(role: Role) -> Caller {
    let units = if role == Role::PersonnelOfficer { [unit("10000001")].into() } else { Default::default() };
    Caller { who: Who::Person(ME), roles: [Role::Staff, role].into(), units: Arc::new(units), ..Caller::default() }
}

fn service(scopes: &[Scope]) -> Caller {
    let who = Who::Service(ServiceId(Uuid::from_u128(9)));
    Caller { who, roles: [Role::Integrator].into(), scopes: scopes.iter().copied().collect(), ..Caller::default() }
}

fn abouts() -> [(&'static str, About); 4] {
    [
        ("self", About::Person(ME, Some(unit("10000002")))),
        ("own unit", About::Person(COLLEAGUE, Some(unit("10000001")))),
        ("anybody", About::Person(COLLEAGUE, Some(unit("10000002")))),
        ("everything", About::Everything),
    ]
}

#[test]
fn the_table_is_as_it_was_agreed() {
    let callers = [
        ("nobody", Caller::nobody()),
        ("staff", person(Role::Staff)),
        ("officer", person(Role::PersonnelOfficer)),
        ("auditor", person(Role::Auditor)),
        ("administrator", person(Role::Administrator)),
        ("terminal", Caller::terminal("root")),
    ];
    let mut table = String::new();
    for deed in Deed::ALL {
        write!(table, "{:<20}", format!("{deed:?}")).unwrap();
        for (name, caller) in &callers {
            let reach: Vec<&str> = abouts().iter().filter(|(_, about)| may(caller, *deed, *about)).map(|(text, _)| *text).collect();
            let reach = match reach.as_slice() {
                [] => "-".to_owned(),
                all if all.len() == 4 => "all".to_owned(),
                some => some.join("+"),
            };
            write!(table, " | {name}: {reach}").unwrap();
        }
        let scopes: Vec<&str> =
            Scope::ALL.iter().filter(|scope| may(&service(&[**scope]), *deed, About::Everything)).map(|scope| scope.as_str()).collect();
        writeln!(table, " | service: {}", if scopes.is_empty() { "-".to_owned() } else { scopes.join(" ") }).unwrap();
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_caller_without_a_role_or_a_scope_may_what_nobody_may() {
    let known = [Deed::ReadViewer, Deed::Introspect];
    let bare = Caller { who: Who::Person(ME), ..Caller::default() };
    let scopeless = service(&[]);
    // Roles that a service was given by mistake open nothing: it is asked for scopes.
    let disguised = Caller { roles: Role::ALL.into(), ..service(&[]) };
    for deed in Deed::ALL {
        let needs_more = !known.contains(deed);
        for (_, about) in abouts().into_iter().chain([("list", About::List)]) {
            let nobody = may(&Caller::nobody(), *deed, about);
            assert_eq!(may(&bare, *deed, about), nobody, "{deed:?} {about:?}");
            for service in [&scopeless, &disguised] {
                assert_eq!(may(service, *deed, about), nobody || !needs_more, "{deed:?} {about:?} {service:?}");
            }
        }
    }
}

#[test]
fn an_officer_reaches_nobody_outside_the_units() {
    let officer = person(Role::PersonnelOfficer);
    for deed in [Deed::ReadMobile, Deed::ReadRecord, Deed::SuspendAccount, Deed::ReadIssue] {
        assert!(may(&officer, deed, About::Person(COLLEAGUE, Some(unit("10000001")))), "{deed:?}");
        assert!(!may(&officer, deed, About::Person(COLLEAGUE, Some(unit("10000002")))), "{deed:?}");
        assert!(!may(&officer, deed, About::Person(COLLEAGUE, None)), "{deed:?}");
        assert!(!may(&officer, deed, About::Everything), "{deed:?}");
        assert!(may(&officer, deed, About::List), "{deed:?}");
    }
}
