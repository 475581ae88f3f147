//! [phones]: how often codes for a new mobile may be asked for.
use super::{Config, Fault};
use kimlik_domain::phone::desk::PhoneRules;
use serde::{Deserialize, Serialize};

/// Codes within an hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Phones {
    pub codes_per_person: u32,
    pub codes_per_number: u32,
    /// Why a setting: a whole building may come from one address.
    pub codes_per_address: u32,
    pub codes_in_all: u32,
}

impl Default for Phones {
    fn default() -> Phones {
        Phones { codes_per_person: 5, codes_per_number: 3, codes_per_address: 60, codes_in_all: 3_000 }
    }
}

impl Phones {
    pub fn rules(&self) -> PhoneRules {
        PhoneRules {
            per_person: self.codes_per_person,
            per_number: self.codes_per_number,
            from_address: self.codes_per_address,
            in_all: self.codes_in_all,
            ..PhoneRules::default()
        }
    }
}

pub(super) fn check(config: &Config, faults: &mut Vec<Fault>) {
    let phones = &config.phones;
    let codes = [("codes_per_person", phones.codes_per_person), ("codes_per_number", phones.codes_per_number)];
    for (name, found) in codes.into_iter().filter(|(_, found)| !(1..=20).contains(found)) {
        faults.push(Fault::new(format!("phones.{name}"), found.to_string(), "write a number from 1 to 20"));
    }
    let counts = [("codes_per_address", phones.codes_per_address), ("codes_in_all", phones.codes_in_all)];
    for (name, found) in counts.into_iter().filter(|(_, found)| *found == 0) {
        faults.push(Fault::new(format!("phones.{name}"), found.to_string(), "write at least 1"));
    }
}
