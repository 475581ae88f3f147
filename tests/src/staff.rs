//! Units and people of whom nothing is known but who they are: for tests that need the shape and say the rest themselves.
use kimlik_domain::id::PersonId;
use kimlik_domain::staff::{Person, RegistryNo, Unit, UnitCode, UnitKind};

pub fn code(text: &str) -> UnitCode {
    UnitCode::parse(text).expect("eight digits")
}

pub fn no(text: &str) -> RegistryNo {
    RegistryNo::parse(text).expect("a registry number")
}

/// Of head office.
pub fn unit(code: UnitCode, name: &str) -> Unit {
    Unit {
        code,
        parent: None,
        name: name.into(),
        short_name: name.into(),
        kind: UnitKind::Central,
        province: None,
        personnel_unit: None,
        head: None,
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

pub fn person(id: PersonId, registry_no: &str, given: &str, family: &str) -> Person {
    Person {
        id,
        registry_no: no(registry_no),
        given_name: given.into(),
        family_name: family.into(),
        status: None,
        reason_code: None,
        employment_start: None,
        employment_end: None,
        postings: Vec::new(),
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
