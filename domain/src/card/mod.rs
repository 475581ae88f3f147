//! The identity card: what a colleague may see of a person, made from what HR says, the units and the names given.
//! Decides which of several values is shown; not who may see it.
pub mod address_book; // when the card is right in Outlook too
pub mod book; // all cards in memory, to be asked quickly
pub mod drift; // cards that the directory shows otherwise than they should be
pub mod entry; // a card as the book keeps it
pub mod find; // what is asked of the book
pub mod hr_photo; // what HR gives as photos, to be written
mod index; // entries found by what they say
pub mod photo; // thumbnailPhoto, kept beside the cards
pub mod provenance; // where each value comes from, and what the directory holds
pub mod tree; // units with what is asked of them often
pub mod truth; // the use case: one card beside its account as it is now

use crate::account::AccountState;
use crate::day::Day;
use crate::id::PersonId;
use crate::lifecycle::desired::{Standing, manager_of, standing};
use crate::ports::CardFacts;
use crate::staff::{EmploymentStatus, MobileNumber, Person, PostingKind, Reasons, RegistryNo, Unit, UnitCode, Units, WorkNumber};
use crate::text;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::sync::Arc;

/// What a card shows that is the person's own. What the unit lends (path, city, telephone) is asked of the units.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Card {
    pub person: PersonId,
    pub registry_no: RegistryNo,
    pub display_name: Box<str>,
    pub given_name: Box<str>,
    pub family_name: Box<str>,
    pub username: Option<Arc<str>>,
    pub email: Option<Arc<str>>,
    pub aliases: Box<[Arc<str>]>,
    pub title: Option<Box<str>>,
    /// Where the person works today.
    pub unit: Option<UnitCode>,
    /// The unit whose officers are responsible ([`crate::access::unit_of`]).
    pub served_in: Option<UnitCode>,
    /// Those of today.
    pub postings: Box<[CardPosting]>,
    pub work_phone: Option<WorkNumber>,
    pub extension: Option<Box<str>>,
    pub office: Option<Box<str>>,
    pub manager: Option<RegistryNo>,
    pub mobile: Option<MobileNumber>,
    /// HR knows a photo of this name.
    pub photo: Option<Box<str>>,
    /// Another one: the directory holds another photo. None: it holds none.
    pub thumbnail: Option<Box<str>>,
    pub account_state: AccountState,
    /// As HR last said it: lists of records are filtered by it, colleagues do not see it.
    pub status: Option<EmploymentStatus>,
    /// HR's own time of its last change.
    pub updated_at: Option<DateTime<Utc>>,
}

/// A posting as a card shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CardPosting {
    pub unit: UnitCode,
    pub title: Option<Arc<str>>,
    pub kind: PostingKind,
    pub start: Option<Day>,
    pub end: Option<Day>,
}

/// What cards depend on beside people, accounts and units.
#[derive(Clone, Copy, Debug)]
pub struct CardRules<'a> {
    pub day: Day,
    pub family_name_in_capitals: bool,
    pub keep_aliases_days: Option<u32>,
    pub reasons: &'a Reasons,
}

impl CardRules<'_> {
    /// Colleagues see everybody who has not left.
    pub fn shows(&self, facts: &CardFacts) -> bool {
        !matches!(standing(&facts.person, self.reasons, self.day), Standing::Gone { .. })
    }
}

impl Card {
    pub fn of(facts: &CardFacts, units: &Units, rules: &CardRules<'_>) -> Card {
        let (person, day) = (&facts.person, rules.day);
        let unit = person.posting_on(day).and_then(|p| units.standing(p.unit, day));
        let state = facts.account.as_ref().map_or(AccountState::None, |a| a.state);
        // Why by the state: a name that is only reserved is nobody's address yet.
        let names = facts.account.as_ref().filter(|a| a.state != AccountState::None).map(|a| &a.names);
        let posting = |p: &crate::staff::Posting| CardPosting {
            unit: units.standing(p.unit, day).map_or(p.unit, |u| u.code),
            title: p.title().map(Into::into),
            kind: p.kind,
            start: p.start,
            end: p.end,
        };
        Card {
            person: person.id,
            registry_no: person.registry_no.clone(),
            display_name: display_name(person, rules.family_name_in_capitals).into(),
            given_name: person.given_name.clone(),
            family_name: person.family_name.clone(),
            username: names.map(|n| n.username.clone()),
            email: names.map(|n| n.mail.clone()),
            aliases: names.map(|n| n.kept(rules.keep_aliases_days, day).cloned().collect()).unwrap_or_default(),
            title: title(person, day).map(Into::into),
            unit: unit.map(|u| u.code),
            served_in: crate::access::unit_of(person, day),
            postings: person.postings.iter().filter(|p| p.covers(day)).map(posting).collect(),
            work_phone: person.work_phone.clone(),
            extension: person.extension.clone(),
            office: person.office.clone(),
            manager: manager_of(person, units, day).cloned(),
            mobile: person.mobile.clone(),
            photo: person.photo.clone(),
            // Why by the state: what a closed or foreign account holds is not this card's.
            thumbnail: facts.photo.clone().filter(|_| state != AccountState::None),
            account_state: state,
            status: person.status,
            updated_at: person.updated_at,
        }
    }

    /// Equal exactly as long as everything is that the card shows, what the units lend included.
    pub fn text(&self, units: &Units) -> Option<String> {
        let path: Vec<(UnitCode, &str, &str)> = self.path(units).map(|u| (u.code, &*u.name, &*u.short_name)).collect();
        let phone = self.work_phone.clone().or_else(|| line_of(self.unit?, units));
        serde_json::to_string(&(self, path, phone, self.unit.and_then(|unit| city_of(unit, units)))).ok()
    }

    fn path<'a>(&self, units: &'a Units) -> impl Iterator<Item = &'a Arc<Unit>> + use<'a> {
        self.unit.into_iter().flat_map(|code| units.upward(code))
    }
}

/// The telephone of a unit, or of the nearest above that has one.
fn line_of(unit: UnitCode, units: &Units) -> Option<WorkNumber> {
    WorkNumber::parse(units.inherited(unit, |u| u.phone.as_deref())?).ok()
}

/// Where a unit is: what it says itself or inherits, else its province.
fn city_of(unit: UnitCode, units: &Units) -> Option<Arc<str>> {
    let named = units.inherited(unit, |u| u.city.as_ref()).cloned();
    named.or_else(|| units.province(unit).map(|p| p.shared_name().clone()))
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

#[cfg(test)]
mod tests {
    use super::entry::Entry;
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
    fn facts(postings: Vec<Posting>) -> CardFacts {
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
        let names = Names {
            username: "ayse.isik".into(),
            mail: "ayse.isik@csb.test".into(),
            aliases: Vec::new(),
            aliases_since: Default::default(),
            named_for: "ayse isik".into(),
        };
        let account = Some(Account::new(id, names));
        CardFacts { person, account, photo: None }
    }
    fn day() -> Day {
        Day::from_ymd_opt(2026, 12, 1).unwrap()
    }

    fn card(facts: &CardFacts, units: &Units, family_name_in_capitals: bool) -> Card {
        Card::of(facts, units, &CardRules { day: day(), keep_aliases_days: None, family_name_in_capitals, reasons: &Reasons::default() })
    }

    #[test]
    fn a_card_shows_the_duty_the_path_and_what_the_unit_lends() {
        let units = Units::new([unit(1, None, "Bakanlık"), unit(2, Some(1), "Bilgi İşlem")]);
        let card = card(&facts(vec![posting(PostingKind::Permanent, 2, "Mühendis", Some("Şube Müdürü"))]), &units, true);
        assert_eq!(&*card.display_name, "Ayşe IŞIK");
        assert_eq!(card.title.as_deref(), Some("Şube Müdürü"));
        let entry = Entry::beside_the_book(&card);
        assert_eq!(entry.path(&units).map(|u| &*u.name).collect::<Vec<_>>(), ["Bilgi İşlem", "Bakanlık"]);
        assert_eq!((entry.city(&units).as_deref(), entry.manager()), (Some("Ankara"), Some("H1")));
        assert_eq!((entry.shown_phone(&units).as_deref(), entry.extension()), (Some("+903124101000"), Some("1234")));
    }

    #[test]
    fn an_acting_duty_is_marked_and_a_reserved_name_is_not_shown() {
        let acting = posting(PostingKind::Acting, 1, "Daire Başkanı", None);
        let mut facts = facts(vec![posting(PostingKind::Permanent, 2, "Mühendis", None), acting]);
        let units = Units::new([unit(1, None, "Bakanlık"), unit(2, Some(1), "Bilgi İşlem")]);
        let before = card(&facts, &units, false);
        assert_eq!(before.title.as_deref(), Some("Daire Başkanı V."));
        assert_eq!(before.unit, Some(code(2)));
        assert_eq!((&before.username, &before.email), (&None, &None));
        if let Some(account) = facts.account.as_mut() {
            account.state = AccountState::Active;
        }
        let after = card(&facts, &units, false);
        assert_eq!(after.username.as_deref(), Some("ayse.isik"));
        assert_ne!(before.text(&units), after.text(&units));
        let renamed = Units::new([unit(1, None, "Bakanlık"), unit(2, Some(1), "Bilişim")]);
        assert_ne!(after.text(&renamed), after.text(&units), "what the unit lends is part of the card");
    }

    #[test]
    fn who_has_left_has_no_card_and_who_is_about_to_leave_has() {
        let mut facts = facts(vec![posting(PostingKind::Permanent, 2, "Mühendis", None)]);
        let rules = CardRules { day: day(), keep_aliases_days: None, family_name_in_capitals: false, reasons: &Reasons::default() };
        assert!(rules.shows(&facts));
        facts.person.employment_end = Some(day());
        assert!(rules.shows(&facts));
        facts.person.employment_end = day().pred_opt();
        assert!(!rules.shows(&facts));
    }
}
