//! Laws of the plan, over people, accounts and days that nobody would think of.
use kimlik_domain::account::{
    Account, AccountState, Applied, Attribute, Attributes, Dn, NamePolicy, Names, ObservedAccount, Sealed, Value,
};
use kimlik_domain::day::Day;
use kimlik_domain::id::{AccountGuid, PersonId};
use kimlik_domain::lifecycle::desired::{Desired, Facts, outlook};
use kimlik_domain::lifecycle::difference::{Sight, plan};
use kimlik_domain::lifecycle::{ActionKind, PersonPlan, Policy, Step};
use kimlik_domain::ports::PersonRecord;
use kimlik_domain::staff::{EmploymentStatus, Person, Posting, PostingKind, RegistryNo, Unit, UnitCode, UnitKind, Units};
use kimlik_tests::ministry::{BASE, GROUPS, OUS, day, policy};
use kimlik_tests::staff::{self, code};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;

const CODES: [&str; 4] = ["10000000", "12000000", "20000004", "20000062"];

fn units() -> Units {
    let unit = |number: &str, parent: Option<&str>, kind, plate: &str| {
        let name = if number == "12000000" { "Bilgi İşlem Genel Müdürlüğü" } else { number };
        let province = kimlik_domain::staff::unit::Province::parse(plate);
        Unit { parent: parent.map(code), kind, province, ..staff::unit(code(number), name) }
    };
    Units::new([
        unit("10000000", None, UnitKind::Central, "06"),
        unit("12000000", Some("10000000"), UnitKind::Central, "06"),
        unit("20000004", Some("10000000"), UnitKind::Provincial, "04"),
        unit("20000062", Some("10000000"), UnitKind::Provincial, "62"),
    ])
}

fn days() -> impl Strategy<Value = Day> {
    (-3i64..4).prop_map(|n| day("2026-12-01") + chrono::Days::new(10) - chrono::Days::new((10 - n) as u64))
}

fn posting() -> impl Strategy<Value = Posting> {
    use PostingKind::*;
    (select(vec![Permanent, Seconded, Acting]), select(&CODES), prop::option::of(days()), prop::option::of(days())).prop_map(
        |(kind, unit, start, end)| Posting {
            kind,
            unit: UnitCode::parse(unit).unwrap(),
            title_post: Some("Mühendis".into()),
            title_duty: None,
            start,
            end: end.filter(|e| start.is_none_or(|s| s <= *e)),
        },
    )
}

fn people() -> impl Strategy<Value = Person> {
    use EmploymentStatus::*;
    let codes =
        vec![None, Some("1"), Some("71"), Some("96"), Some("108"), Some("221"), Some("63"), Some("withdrawn"), Some("nobody knows")];
    let statuses = vec![None, Some(Active), Some(OnLeave), Some(Suspended), Some(Terminated)];
    let dates = (prop::option::of(days()), prop::option::of(days()));
    let names = ("[A-ZÇĞİÖŞÜ][a-zçğıöşü ]{0,40}", "[A-ZÇĞİÖŞÜ][a-zçğıöşü]{0,30}");
    (select(codes), select(statuses), dates, prop::collection::vec(posting(), 0..4), names, any::<bool>()).prop_map(
        |(reason, status, (start, end), postings, (given, family), public)| Person {
            status,
            reason_code: reason.map(Into::into),
            employment_start: start,
            employment_end: end,
            postings,
            mobile_public: public,
            extension: Some("12".into()),
            manager: RegistryNo::parse("S002"),
            ..staff::person(PersonId(Uuid::from_u128(1)), "S001", given.trim(), &family)
        },
    )
}

fn values() -> impl Strategy<Value = Attributes> {
    let all = [Attribute::Title, Attribute::Department, Attribute::Mail, Attribute::DisplayName, Attribute::HideFromAddressLists];
    let text = select(vec!["TRUE", "FALSE", "Ayşe", "x@csb.test"]);
    let one = (select(all.to_vec()), text);
    let proxies = prop::collection::vec(
        select(vec!["SMTP:ayse.sahin@csb.test", "smtp:x@y", "SMTP:AYSE.eski@csb.test", "smtp:ayse.sahin@csb.test"]),
        0..3,
    );
    (prop::collection::vec(one, 0..4), proxies).prop_map(|(some, proxies)| {
        let mut out = Attributes::default();
        some.into_iter().for_each(|(a, t)| out.set(a, Some(Value::text(t))));
        // A directory compares addresses without case.
        let mut held: Vec<Arc<str>> = Vec::new();
        for p in proxies {
            if !held.iter().any(|h| h.eq_ignore_ascii_case(p)) {
                held.push(p.into());
            }
        }
        out.set(Attribute::ProxyAddresses, Some(Value::list(held)));
        out.set(Attribute::Username, Some(Value::text("ayse.sahin")));
        out
    })
}

fn guid() -> AccountGuid {
    AccountGuid(Uuid::from_u128(7))
}

fn accounts() -> impl Strategy<Value = ObservedAccount> {
    let places = OUS.iter().map(|ou| format!("{ou},{BASE}")).chain(["OU=Baska,DC=csb,DC=test".to_owned(), BASE.to_owned()]);
    let groups = GROUPS.iter().map(|g| format!("{g},{BASE}")).chain(["CN=Dis,OU=Baska,DC=csb,DC=test".to_owned()]);
    let groups: Vec<Dn> = groups.map(Dn::new).collect();
    (
        select(places.collect::<Vec<_>>()),
        select(vec!["Ayşe Şahin", "Ayşe", "x, y"]),
        any::<bool>(),
        prop::option::weighted(0.1, Just(Arc::from("adminCount"))),
        values(),
        prop::sample::subsequence(groups.clone(), 0..=groups.len()),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(place, cn, enabled, protected, attributes, groups, address_policy)| ObservedAccount {
            guid: guid(),
            dn: Dn::new(format!("CN={},{place}", Dn::escape(cn))),
            enabled,
            password_set: true,
            protected,
            attributes,
            groups,
            correlation: None,
            address_policy,
        })
}

fn ledgers() -> impl Strategy<Value = Account> {
    use AccountState::*;
    let applied = prop::option::of((select(&CODES), values(), any::<bool>()).prop_map(|(unit, attributes, seconded)| Applied {
        unit: UnitCode::parse(unit),
        unit_name: unit.into(),
        seconded,
        ou: Dn::new(format!("OU=Merkez,{BASE}")),
        attributes,
        groups: vec![Dn::new(format!("{},{BASE}", GROUPS[1]))],
        on: day("2026-11-01"),
    }));
    let sealed = select(vec![Sealed::Never, Sealed::Opening, Sealed::Closing]);
    (select(vec![None, Opening, Active, Suspended, Closed]), sealed, applied, any::<bool>(), any::<bool>()).prop_map(
        |(state, sealed, applied, adopted, known)| Account {
            guid: known.then(guid),
            state,
            opening: 1,
            sealed,
            applied,
            adopted,
            ..Account::new(
                PersonId(Uuid::from_u128(1)),
                Names {
                    username: "ayse.sahin".into(),
                    mail: "ayse.sahin@csb.test".into(),
                    aliases: vec!["ayse.eski@csb.test".into()],
                    aliases_since: Default::default(),
                    named_for: "ayse sahin".into(),
                },
            )
        },
    )
}

struct World {
    policy: Policy,
    units: Units,
    containers: HashSet<Dn>,
    managers: HashMap<RegistryNo, AccountGuid>,
}

fn world() -> World {
    let policy = Policy { names: NamePolicy::default(), ..policy() };
    let containers = OUS.iter().map(|ou| policy.base.below(ou)).chain([policy.base.clone()]).collect();
    let managers = [(RegistryNo::parse("S002").unwrap(), AccountGuid(Uuid::from_u128(9)))].into();
    World { policy, units: units(), containers, managers }
}

impl World {
    fn facts(&self, today: Day) -> Facts<'_> {
        Facts { policy: &self.policy, units: &self.units, today, containers: &self.containers, managers: &self.managers }
    }
}

fn record(person: Person, account: Option<Account>) -> PersonRecord {
    PersonRecord {
        person,
        phones: Default::default(),
        account,
        decisions: vec![],
        accepted: vec![],
        open_issues: vec![],
        unsettled: vec![],
        under_way: vec![],
        suspension: None,
        mailbox: None,
        photo: Default::default(),
        language: None,
    }
}

fn sighted<'a>(record: &PersonRecord, seen: &'a ObservedAccount) -> Sight<'a> {
    let known = record.account.as_ref().is_some_and(|a| a.guid.is_some());
    if known { Sight { account: Some(seen), candidates: &[] } } else { Sight { account: None, candidates: std::slice::from_ref(seen) } }
}

fn steps(plan: &PersonPlan) -> impl Iterator<Item = &Step> {
    plan.actions.iter().flat_map(|a| &a.steps)
}

/// What a directory makes of the steps.
fn carry_out(plan: &PersonPlan, seen: &mut ObservedAccount) {
    for step in steps(plan) {
        match step {
            Step::Link(_) | Step::SealPassword => {}
            Step::Create(new) => {
                seen.dn = new.ou.below(&format!("CN={}", Dn::escape(&new.cn)));
                (seen.enabled, seen.groups) = (false, Vec::new());
                seen.attributes = new.attributes.clone();
            }
            Step::Modify(changes) => {
                for change in changes {
                    let held = seen.attributes.get(change.attribute).cloned();
                    if change.attribute == Attribute::ProxyAddresses {
                        let list = |v: &Option<Value>| match v {
                            Some(Value::List(v)) => v.to_vec(),
                            _ => Vec::new(),
                        };
                        let (gone, new) = (list(&change.from), list(&change.to));
                        let mut values = list(&held);
                        assert!(gone.iter().all(|g| values.contains(g)), "takes away what is not there");
                        values.retain(|v| !gone.contains(v));
                        for value in new {
                            assert!(!values.iter().any(|v| v.eq_ignore_ascii_case(&value)), "{value} would be there twice");
                            values.push(value);
                        }
                        assert!(values.iter().filter(|v| v.starts_with("SMTP:")).count() <= 1, "two primary addresses: {values:?}");
                        seen.attributes.set(change.attribute, Some(Value::list(values)));
                    } else {
                        assert_eq!(held, change.from, "expects another value than was seen");
                        seen.attributes.set(change.attribute, change.to.clone());
                    }
                }
            }
            Step::JoinGroup(group) => seen.groups.push(group.clone()),
            Step::LeaveGroup(group) => seen.groups.retain(|g| g != group),
            Step::MoveTo { from, ou, cn } => {
                assert_eq!(seen.ou(), *from);
                seen.dn = ou.below(&format!("CN={}", Dn::escape(cn)));
            }
            Step::Disable => seen.enabled = false,
            Step::Enable => seen.enabled = true,
            Step::EndMail => {}
        }
    }
}

/// What the ledger knows after everything was done.
fn settle(record: &mut PersonRecord, plan: &PersonPlan, facts: &Facts<'_>) {
    let Desired::Account(desired) = outlook(record, facts).desired else { return };
    let account = record.account.as_mut().unwrap();
    account.guid = Some(guid());
    account.adopted |= plan.actions.iter().any(|a| a.kind == ActionKind::Adopt);
    if steps(plan).any(|s| *s == Step::SealPassword) {
        account.sealed = if desired.state == AccountState::Closed { Sealed::Closing } else { Sealed::Opening };
    }
    if desired.state != AccountState::Closed && account.sealed == Sealed::Closing {
        account.sealed = Sealed::Opening;
    }
    account.state = desired.state;
    account.applied = (desired.state != AccountState::Closed).then(|| Applied {
        unit: desired.unit,
        unit_name: desired.unit_name.clone(),
        seconded: desired.seconded,
        ou: desired.ou.clone(),
        attributes: desired.attributes.clone(),
        groups: desired.groups.clone(),
        on: facts.today,
    });
}

#[test]
fn an_account_that_is_one_persons_by_number_and_anothers_by_correlation_waits_for_somebody_to_decide() {
    let world = world();
    let facts = world.facts(day("2026-12-01"));
    let mut person = people().new_tree(&mut proptest::test_runner::TestRunner::deterministic()).unwrap().current();
    (person.status, person.reason_code) = (Some(EmploymentStatus::Active), Some("1".into()));
    (person.employment_start, person.employment_end) = (Some(day("2020-01-01")), None);
    let mut torn = accounts().new_tree(&mut proptest::test_runner::TestRunner::deterministic()).unwrap().current();
    torn.attributes.set(Attribute::EmployeeId, Some(Value::text("S002")));
    torn.correlation = Some("S001".into());
    let mut account = ledgers().new_tree(&mut proptest::test_runner::TestRunner::deterministic()).unwrap().current();
    account.guid = None;
    let record = record(person, Some(account));
    let plan = plan(&record, sighted(&record, &torn), &facts);
    assert!(plan.is_empty(), "two people would get one account: {plan:?}");
    assert_eq!(plan.issues[0].kind, kimlik_domain::staff::IssueKind::DuplicateEmployeeId);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_known_account_is_never_opened_anew_and_one_that_may_not_be_touched_never_is(
        person in people(), account in ledgers(), seen in prop::option::of(accounts()), today in days(),
    ) {
        let world = world();
        let facts = world.facts(today);
        let record = record(person, Some(account));
        let sight = seen.as_ref().map_or(Sight::default(), |s| sighted(&record, s));
        let plan = plan(&record, sight, &facts);
        if record.account.as_ref().unwrap().guid.is_some() {
            let creates = steps(&plan).any(|s| matches!(s, Step::Create(_)));
            prop_assert!(!creates, "{plan:?}");
            let untouchable = seen.as_ref().is_none_or(|s| s.protected.is_some() || !s.dn.is_within(&world.policy.base));
            prop_assert!(!untouchable || plan.is_empty(), "{plan:?}");
        }
    }

    #[test]
    fn steps_keep_their_order_and_their_bounds(person in people(), account in ledgers(), seen in accounts(), today in days()) {
        let world = world();
        let facts = world.facts(today);
        let mut account = account;
        account.guid = Some(guid());
        let record = record(person, Some(account));
        let plan = plan(&record, sighted(&record, &seen), &facts);
        let all: Vec<&Step> = steps(&plan).collect();
        let base = &world.policy.base;
        for step in &all {
            match step {
                Step::LeaveGroup(g) => prop_assert!(g.is_within(base) && seen.groups.contains(g)),
                Step::MoveTo { ou, .. } => prop_assert!(ou.is_within(base)),
                Step::Modify(changes) => prop_assert!(!changes.is_empty() && changes.iter().all(|c| c.from != c.to)),
                _ => {}
            }
        }
        let at = |wanted: &Step| all.iter().position(|s| *s == wanted);
        prop_assert!(at(&Step::Disable).is_none_or(|i| i == 0), "disabling comes first: {all:?}");
        prop_assert!(at(&Step::Enable).is_none_or(|i| i + 1 == all.len()), "enabling comes last: {all:?}");
        prop_assert!(at(&Step::Disable).is_none() || at(&Step::Enable).is_none());
        let closes = plan.actions.iter().any(|a| matches!(a.kind, ActionKind::Close | ActionKind::Withdraw));
        if closes {
            prop_assert_eq!(plan.actions.len(), 1);
            prop_assert!(!seen.enabled || all.first() == Some(&&Step::Disable));
            prop_assert!(at(&Step::Enable).is_none());
        }
        let digests = |p: &PersonPlan| p.actions.iter().map(|a| a.digest()).collect::<Vec<_>>();
        let again = kimlik_domain::lifecycle::difference::plan(&record, sighted(&record, &seen), &facts);
        prop_assert_eq!(digests(&plan), digests(&again));
        let kinds: HashSet<ActionKind> = plan.actions.iter().map(|a| a.kind).collect();
        prop_assert_eq!(kinds.len(), plan.actions.len(), "one action of a kind: holds and decisions are kept by kind");
    }

    #[test]
    fn a_plan_carried_out_leaves_an_empty_plan(person in people(), account in ledgers(), seen in accounts(), today in days()) {
        let world = world();
        let facts = world.facts(today);
        let mut seen = seen;
        seen.attributes.set(Attribute::EmployeeId, Some(Value::text("S001")));
        let mut record = record(person, Some(account));
        let mut last = None;
        for _ in 0..2 {
            let plan = plan(&record, sighted(&record, &seen), &facts);
            if plan.is_empty() {
                return Ok(());
            }
            carry_out(&plan, &mut seen);
            settle(&mut record, &plan, &facts);
            last = Some(plan);
        }
        let rest = plan(&record, sighted(&record, &seen), &facts);
        prop_assert!(rest.is_empty(), "after {last:?}\nthere is still {rest:?}");
    }
}
