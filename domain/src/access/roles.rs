//! Where roles come from: the directory's groups, HR, and grants for a time.
use super::{Role, grant::Grant};
use crate::account::Dn;
use crate::day::Day;
use crate::staff::{Person, UnitCode, Units};
use chrono::{DateTime, Utc};
use std::collections::{BTreeSet, HashSet};

/// Which groups of the directory give which role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleGroups(pub Vec<(Dn, Role)>);

impl RoleGroups {
    pub fn groups(&self) -> Vec<Dn> {
        self.0.iter().map(|(group, _)| group.clone()).collect()
    }
    /// The roles of an account that is in `groups`.
    pub fn roles(&self, groups: &[Dn]) -> BTreeSet<Role> {
        self.0.iter().filter(|(group, _)| groups.contains(group)).map(|(_, role)| *role).collect()
    }
}

/// The personnel units that a person is head or staff of today, by HR.
pub fn desks(person: &Person, units: &Units, day: Day) -> HashSet<UnitCode> {
    let desks: HashSet<UnitCode> = units.iter().filter_map(|u| u.personnel_unit).collect();
    let mut own: HashSet<UnitCode> = HashSet::new();
    for posting in person.postings.iter().filter(|p| p.covers(day)) {
        if let Some(unit) = units.standing(posting.unit, day) {
            // Why upward: who works in a section of the personnel directorate works for it.
            own.extend(units.upward(unit.code).map(|u| u.code).find(|code| desks.contains(code)));
        }
    }
    own.extend(desks.into_iter().filter(|code| units.get(*code).is_some_and(|u| u.head.as_ref() == Some(&person.registry_no))));
    own
}

/// The units whose people the officers of `desks` are responsible for: the nearest naming upward counts.
pub fn served(desks: &HashSet<UnitCode>, units: &Units) -> HashSet<UnitCode> {
    if desks.is_empty() {
        return HashSet::new();
    }
    units.iter().map(|u| u.code).filter(|code| units.personnel_unit(*code).is_some_and(|desk| desks.contains(&desk))).collect()
}

/// The roles and units that grants in force give.
pub fn granted(grants: &[Grant], units: &Units, now: DateTime<Utc>) -> (BTreeSet<Role>, HashSet<UnitCode>) {
    let (mut roles, mut reach) = (BTreeSet::new(), HashSet::new());
    for grant in grants.iter().filter(|g| g.is_in_force(now)) {
        roles.insert(grant.role);
        if grant.role == Role::PersonnelOfficer {
            reach.extend(units.iter().map(|u| u.code).filter(|code| grant.units.iter().any(|root| units.is_within(*code, *root))));
        }
    }
    (roles, reach)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{GrantId, PersonId};
    use crate::staff::{Posting, PostingKind, RegistryNo, Unit, UnitKind};
    use chrono::TimeDelta;
    use uuid::Uuid;

    fn code(n: u32) -> UnitCode {
        UnitCode::parse(&format!("{n:08}")).unwrap()
    }
    fn unit(n: u32, parent: Option<u32>, personnel_unit: Option<u32>, head: Option<&str>) -> Unit {
        Unit {
            code: code(n),
            parent: parent.map(code),
            name: "Birim".into(),
            short_name: "Birim".into(),
            kind: UnitKind::Central,
            province: None,
            personnel_unit: personnel_unit.map(code),
            head: head.and_then(RegistryNo::parse),
            phone: None,
            fax: None,
            address: None,
            city: None,
            postal_code: None,
            valid_from: None,
            valid_to: None,
            replaced_by: None,
        }
    }
    /// Ministry 1, served by 7; province 30 with its own desk 31 and a section 311 of it; 32 below the province.
    fn ministry() -> Units {
        Units::new([
            unit(1, None, Some(7), None),
            unit(7, Some(1), None, Some("HEAD")),
            unit(30, Some(1), Some(31), None),
            unit(31, Some(30), None, None),
            unit(311, Some(31), None, None),
            unit(32, Some(30), None, None),
        ])
    }
    fn person(no: &str, at: u32, end: Option<Day>) -> Person {
        let kind = PostingKind::Permanent;
        let posting = Posting { kind, unit: code(at), title_post: None, title_duty: None, start: None, end };
        Person {
            id: PersonId(Uuid::from_u128(1)),
            registry_no: RegistryNo::parse(no).unwrap(),
            given_name: "Ayşe".into(),
            family_name: "Işık".into(),
            status: None,
            reason_code: None,
            employment_start: None,
            employment_end: None,
            postings: vec![posting],
            mobile: None,
            mobile_public: false,
            work_phone: None,
            extension: None,
            office: None,
            manager: None,
            photo: None,
            attributes: Vec::new(),
            updated_at: None,
        }
    }
    fn today() -> Day {
        Day::from_ymd_opt(2026, 12, 1).unwrap()
    }
    fn codes(found: HashSet<UnitCode>) -> Vec<u32> {
        let mut found: Vec<u32> = found.into_iter().map(|c| c.to_string().parse().unwrap()).collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn staff_of_a_personnel_unit_and_its_head_are_officers_of_what_it_serves() {
        let units = ministry();
        let reach = |person: &Person| codes(served(&desks(person, &units, today()), &units));
        assert_eq!(reach(&person("A1", 31, None)), [30, 31, 32, 311]);
        assert_eq!(reach(&person("A1", 311, None)), [30, 31, 32, 311], "a section of the desk");
        assert_eq!(reach(&person("A1", 7, None)), [1, 7], "the province has its own");
        assert_eq!(reach(&person("HEAD", 32, None)), [1, 7], "the head, wherever the post is");
        assert_eq!(reach(&person("A1", 32, None)), Vec::<u32>::new(), "who is served serves nobody");
        assert_eq!(reach(&person("A1", 31, today().pred_opt())), Vec::<u32>::new(), "until the last day");
    }

    #[test]
    fn a_grant_gives_its_role_from_its_first_moment_to_its_last() {
        let units = ministry();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let grant = |role, roots: &[u32], from: i64, until: i64| Grant {
            id: GrantId(Uuid::from_u128(1)),
            person: PersonId(Uuid::from_u128(1)),
            role,
            units: roots.iter().copied().map(code).collect(),
            from: now + TimeDelta::hours(from),
            until: now + TimeDelta::hours(until),
            reason: "vekâlet".into(),
            granted_by: "cli:root".into(),
            granted_at: now,
            revoked_at: None,
            revoked_by: None,
        };
        let of = |grants: &[Grant]| granted(grants, &units, now);
        assert_eq!(of(&[grant(Role::Auditor, &[], 0, 1)]).0, [Role::Auditor].into());
        assert!(of(&[grant(Role::Auditor, &[], 1, 2), grant(Role::Administrator, &[], -2, 0)]).0.is_empty(), "not yet, and no longer");
        let taken_back = Grant { revoked_at: Some(now), ..grant(Role::Administrator, &[], -1, 1) };
        assert!(of(&[taken_back]).0.is_empty());
        assert_eq!(codes(of(&[grant(Role::PersonnelOfficer, &[30], -1, 1)]).1), [30, 31, 32, 311]);
        assert_eq!(grant(Role::Staff, &[30], 0, 24 * 400).faults(now).len(), 3);
        assert_eq!(grant(Role::PersonnelOfficer, &[], 0, 1).faults(now), [crate::access::grant::NotGrantable::NoUnits]);
    }

    #[test]
    fn groups_give_what_they_were_named_for() {
        let groups = RoleGroups(vec![(Dn::new("CN=A,DC=test"), Role::Administrator), (Dn::new("CN=B,DC=test"), Role::Auditor)]);
        assert_eq!(groups.roles(&[Dn::new("cn=a,dc=TEST")]), [Role::Administrator].into());
        assert!(groups.roles(&[Dn::new("CN=C,DC=test")]).is_empty());
    }
}
