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
