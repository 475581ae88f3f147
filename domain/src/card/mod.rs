//! The identity card: what a colleague may see of a person, made from what HR says, the units and the names given.
//! Decides which of several values is shown; not who may see it.
use crate::account::AccountState;
use crate::day::Day;
use crate::id::PersonId;
use crate::lifecycle::desired::manager_of;
use crate::ports::PersonRecord;
use crate::staff::{MobileNumber, Person, RegistryNo, Unit, Units, WorkNumber};
use crate::text;
use chrono::{DateTime, Utc};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq)]
pub struct IdentityCard {
    pub person: PersonId,
    pub registry_no: RegistryNo,
    pub display_name: String,
    pub given_name: String,
    pub family_name: String,
    pub username: Option<Arc<str>>,
    pub email: Option<Arc<str>>,
    pub aliases: Vec<Arc<str>>,
    pub title: Option<String>,
    pub unit: Option<Arc<Unit>>,
    /// From the ministry down to the unit.
    pub unit_path: Vec<Arc<Unit>>,
    /// Private: for the person, its personnel unit and administrators.
    pub mobile: Option<MobileNumber>,
    pub work_phone: Option<WorkNumber>,
    pub extension: Option<String>,
    pub office: Option<String>,
    pub city: Option<String>,
    pub manager: Option<RegistryNo>,
    pub account_state: AccountState,
    pub updated_at: Option<DateTime<Utc>>,
}

impl IdentityCard {
    pub fn of(record: &PersonRecord, units: &Units, day: Day, family_name_in_capitals: bool) -> IdentityCard {
        let person = &record.person;
        let unit = person.posting_on(day).and_then(|p| units.standing(p.unit, day));
        let mut unit_path: Vec<_> = unit.map(|u| units.upward(u.code).cloned().collect()).unwrap_or_default();
        unit_path.reverse();
        let state = record.account.as_ref().map_or(AccountState::None, |a| a.state);
        // Why by the state: a name that is only reserved is nobody's address yet.
        let names = record.account.as_ref().filter(|a| a.state != AccountState::None).map(|a| &a.names);
        IdentityCard {
            person: person.id,
            registry_no: person.registry_no.clone(),
            display_name: display_name(person, family_name_in_capitals),
            given_name: person.given_name.to_string(),
            family_name: person.family_name.to_string(),
            username: names.map(|n| n.username.clone()),
            email: names.map(|n| n.mail.clone()),
            aliases: names.map(|n| n.aliases.clone()).unwrap_or_default(),
            title: title(person, day),
            work_phone: person.work_phone.clone().or_else(|| {
                let own = unit.and_then(|u| units.inherited(u.code, |u| u.phone.as_deref()));
                own.and_then(|number| WorkNumber::parse(number).ok())
            }),
            mobile: person.mobile.clone(),
            extension: person.extension.as_deref().map(str::to_owned),
            office: person.office.as_deref().map(str::to_owned),
            city: unit.and_then(|u| city(units, u)),
            manager: manager_of(person, units, day).cloned(),
            unit: unit.cloned(),
            unit_path,
            account_state: state,
            updated_at: person.updated_at,
        }
    }
}

/// "Ayşe Şahin", or "Ayşe ŞAHİN" where the ministry writes it so.
pub fn display_name(person: &Person, family_name_in_capitals: bool) -> String {
    if family_name_in_capitals { format!("{} {}", person.given_name, text::upper(&person.family_name)) } else { person.full_name() }
}

/// The acting duty with its "V." (vekil) before the duty, and the duty before the post.
pub fn title(person: &Person, day: Day) -> Option<String> {
    let acting = person.acting_on(day).and_then(|p| p.title()).map(|t| if t.ends_with(" V.") { t.to_owned() } else { format!("{t} V.") });
    acting.or_else(|| person.posting_on(day).and_then(|p| p.title()).map(str::to_owned))
}

fn city(units: &Units, unit: &Unit) -> Option<String> {
    let named = units.inherited(unit.code, |u| u.city.as_deref()).map(str::to_owned);
    named.or_else(|| units.province(unit.code).map(|p| p.name().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{Account, Names};
    use crate::staff::{Posting, PostingKind, UnitCode, UnitKind};
    use uuid::Uuid;

    fn code(n: u32) -> UnitCode {
        UnitCode::parse(&format!("{n:08}")).unwrap()
    }
    fn unit(n: u32, parent: Option<u32>, name: &str) -> Unit {
        Unit {
            code: code(n),
            parent: parent.map(code),
            name: name.into(),
            short_name: name.into(),
            kind: UnitKind::Central,
            province: crate::staff::unit::Province::new(6),
            personnel_unit: None,
            head: RegistryNo::parse("H1"),
            phone: Some("0312 410 10 00".into()),
            fax: None,
            address: None,
            city: None,
            postal_code: None,
            valid_from: None,
            valid_to: None,
            replaced_by: None,
        }
    }
    fn posting(kind: PostingKind, unit: u32, post: &str, duty: Option<&str>) -> Posting {
        Posting { kind, unit: code(unit), title_post: Some(post.into()), title_duty: duty.map(Into::into), start: None, end: None }
    }
    fn record(postings: Vec<Posting>) -> PersonRecord {
        let id = PersonId(Uuid::from_u128(1));
        let person = Person {
            id,
            registry_no: RegistryNo::parse("A1").unwrap(),
            given_name: "Ayşe".into(),
            family_name: "Işık".into(),
            status: None,
            reason_code: None,
            employment_start: None,
            employment_end: None,
            postings,
            mobile: None,
            mobile_public: false,
            work_phone: None,
            extension: Some("1234".into()),
            office: None,
            manager: None,
            photo: None,
            attributes: Vec::new(),
            updated_at: None,
        };
        let names =
            Names { username: "ayse.isik".into(), mail: "ayse.isik@csb.test".into(), aliases: Vec::new(), named_for: "ayse isik".into() };
        let account = Some(Account::new(id, names));
        PersonRecord { person, account, decisions: Vec::new(), accepted: Vec::new(), open_issues: Vec::new(), unsettled: Vec::new() }
    }
    fn day() -> Day {
        Day::from_ymd_opt(2026, 12, 1).unwrap()
    }

    #[test]
    fn a_card_shows_the_duty_the_path_and_what_the_unit_lends() {
        let units = Units::new([unit(1, None, "Bakanlık"), unit(2, Some(1), "Bilgi İşlem")]);
        let card =
            IdentityCard::of(&record(vec![posting(PostingKind::Permanent, 2, "Mühendis", Some("Şube Müdürü"))]), &units, day(), true);
        assert_eq!(card.display_name, "Ayşe IŞIK");
        assert_eq!(card.title.as_deref(), Some("Şube Müdürü"));
        assert_eq!(card.unit_path.iter().map(|u| &*u.name).collect::<Vec<_>>(), ["Bakanlık", "Bilgi İşlem"]);
        assert_eq!((card.city.as_deref(), card.manager.as_ref().map(RegistryNo::as_str)), (Some("Ankara"), Some("H1")));
        assert_eq!(card.work_phone.map(|p| p.shown(card.extension.as_deref())).as_deref(), Some("+90 312 410 10 00 / 1234"));
    }

    #[test]
    fn an_acting_duty_is_marked_and_a_reserved_name_is_not_shown() {
        let acting = posting(PostingKind::Acting, 1, "Daire Başkanı", None);
        let mut record = record(vec![posting(PostingKind::Permanent, 2, "Mühendis", None), acting]);
        let units = Units::new([unit(1, None, "Bakanlık"), unit(2, Some(1), "Bilgi İşlem")]);
        let card = IdentityCard::of(&record, &units, day(), false);
        assert_eq!(card.title.as_deref(), Some("Daire Başkanı V."));
        assert_eq!(card.unit.as_ref().map(|u| &*u.name), Some("Bilgi İşlem"));
        assert_eq!((card.username, card.email), (None, None));
        if let Some(account) = record.account.as_mut() {
            account.state = AccountState::Active;
        }
        assert_eq!(IdentityCard::of(&record, &units, day(), false).username.as_deref(), Some("ayse.isik"));
    }
}
