//! The values of a card from the ministry's facts, by the rules of the settings' mapping.
use super::Applied;
use super::attribute::{Attribute, Attributes, Value};
use super::mapping::{Mapping, Part, Pattern, Source};
use crate::card;
use crate::day::Day;
use crate::staff::unit::Unit;
use crate::staff::{Person, UnitKind, Units};
use crate::text;
use std::sync::Arc;

/// The facts of one person on a day.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    pub person: &'a Person,
    /// The unit that stands for the one of the posting.
    pub unit: Option<&'a Arc<Unit>>,
    pub units: &'a Units,
    pub today: Day,
    /// The place of an account that stays where it was until the person's new posting begins.
    pub stays: Option<&'a Applied>,
}

/// Shared where it can be: a reorganisation plans thousands of cards with the same few texts.
enum Found<'a> {
    Shared(&'a Arc<str>),
    Own(String),
}

impl Found<'_> {
    fn as_str(&self) -> &str {
        match self {
            Found::Shared(text) => text,
            Found::Own(text) => text,
        }
    }
    fn into_arc(self) -> Arc<str> {
        match self {
            Found::Shared(text) => text.clone(),
            Found::Own(text) => text.into(),
        }
    }
}

/// A value that its attribute does not hold: longer, and cut, or no number where one is wanted, and left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfit {
    pub attribute: Attribute,
    /// In the directory's count.
    pub length: usize,
    /// False: not even a part of it can be written.
    pub is_cut: bool,
}

/// Fills the mapped attributes of `out`; answers the values that do not fit.
pub fn fill(out: &mut Attributes, mapping: &Mapping, facts: &Facts<'_>, exchange: bool) -> Vec<Unfit> {
    let mut unfit = Vec::new();
    for (attribute, patterns) in mapping.iter().filter(|(a, _)| exchange || !a.needs_exchange()) {
        let Some((whole, _)) = value(patterns, facts) else {
            out.set(attribute, None);
            continue;
        };
        let kept = text::clip(&whole, attribute.max_len());
        let fitting = Value::Text(if kept.len() == whole.len() { whole.clone() } else { kept.into() });
        // Why asked once more: half a number is no number; nothing is better than what the directory would refuse.
        let is_taken = attribute.takes(&fitting);
        if kept.len() != whole.len() || !is_taken {
            unfit.push(Unfit { attribute, length: text::utf16_len(&whole), is_cut: is_taken });
        }
        out.set(attribute, Some(fitting).filter(|_| is_taken));
    }
    unfit
}

/// The value that the rule gives, whole, and the alternative that gave it.
pub fn value<'p>(patterns: &'p [Pattern], facts: &Facts<'_>) -> Option<(Arc<str>, &'p Pattern)> {
    patterns.iter().find_map(|pattern| Some((filled(pattern, facts)?, pattern))).filter(|(text, _)| !text.is_empty())
}

fn filled(pattern: &Pattern, facts: &Facts<'_>) -> Option<Arc<str>> {
    match pattern.0.as_slice() {
        [Part::Text(text)] => Some(text.clone()),
        [Part::From(source)] => facts.of(*source).map(Found::into_arc),
        parts => {
            let mut out = String::new();
            for part in parts {
                match part {
                    Part::Text(text) => out.push_str(text),
                    Part::From(source) => out.push_str(facts.of(*source)?.as_str()),
                }
            }
            Some(out.into())
        }
    }
}

impl<'a> Facts<'a> {
    fn of(&self, source: Source) -> Option<Found<'a>> {
        let person = self.person;
        let own = |text: &str| Found::Own(text.to_owned());
        match source {
            Source::Given => Some(own(&person.given_name)),
            Source::Family => Some(own(&person.family_name)),
            Source::Initials => Some(Found::Own(initials(person))),
            Source::Title => match self.stays {
                Some(applied) => applied.attributes.text(Attribute::Title).map(own),
                None => card::title(person, self.today).map(Found::Own),
            },
            Source::Office => person.office.as_deref().map(own),
            Source::WorkPhone => self.work_phone(),
            Source::Extension => person.extension.as_deref().map(own),
            Source::Mobile => person.mobile.as_ref().filter(|_| person.mobile_public).map(|m| own(m.e164())),
            Source::RegistryNo => Some(own(person.registry_no.as_str())),
            Source::Attr(n) => person.attributes.iter().find(|(number, _)| *number == n).map(|(_, text)| own(text)),
            of_unit => self.of_unit(of_unit),
        }
    }

    fn of_unit(&self, source: Source) -> Option<Found<'a>> {
        let (units, unit) = (self.units, self.unit?);
        let code = unit.code;
        let province = units.province(code);
        let shared = match source {
            Source::Unit => Some(&unit.short_name),
            Source::UnitName => Some(&unit.name),
            Source::UnitCode => return Some(Found::Own(code.to_string())),
            Source::TopUnit => units.top(code).map(|u| &u.short_name),
            Source::Company => match unit.kind {
                UnitKind::Provincial => units.top(code),
                UnitKind::Central => units.upward(code).last(),
            }
            .map(|u| &u.short_name),
            Source::Ministry => units.upward(code).last().map(|u| &u.short_name),
            Source::Province => province.map(|p| p.shared_name()),
            Source::ProvinceCode => return province.map(|p| Found::Own(p.to_string())),
            Source::City => units.inherited(code, |u| u.city.as_ref()),
            Source::Address => units.inherited(code, |u| u.address.as_ref()),
            Source::PostalCode => units.inherited(code, |u| u.postal_code.as_ref()),
            Source::Fax => units.inherited(code, |u| u.fax.as_ref()),
            _ => None,
        };
        shared.map(Found::Shared)
    }

    /// The person's own number, else the unit's switchboard; the extension behind it.
    fn work_phone(&self) -> Option<Found<'a>> {
        let switchboard = self.unit.and_then(|u| self.units.inherited(u.code, |u| u.phone.as_ref()));
        match (&self.person.work_phone, self.person.extension.as_deref(), switchboard) {
            (Some(own), extension, _) => Some(Found::Own(own.shown(extension))),
            (None, Some(extension), Some(switchboard)) => Some(Found::Own(format!("{switchboard} / {extension}"))),
            (None, Some(extension), None) => Some(Found::Own(extension.to_owned())),
            (None, None, switchboard) => switchboard.map(Found::Shared),
        }
    }
}

/// `A.N.Ş.`, as many as the attribute holds: the last one is the family name's.
fn initials(person: &Person) -> String {
    let first = |word: &str| word.chars().next().map(|c| format!("{}.", text::upper(c.encode_utf8(&mut [0; 4]))));
    let mut given: Vec<String> = person.given_name.split([' ', '-']).filter_map(first).collect();
    let family = first(&person.family_name).unwrap_or_default();
    let max = Attribute::Initials.max_len();
    while text::utf16_len(&given.concat()) + text::utf16_len(&family) > max && given.pop().is_some() {}
    given.concat() + &family
}
