//! A card as it is kept in memory by the hundred thousand: its own texts in one piece, what many cards say alike kept once.
use super::find::words_of;
use super::{Card, CardPosting, city_of, line_of};
use crate::account::AccountState;
use crate::id::PersonId;
use crate::staff::{EmploymentStatus, RegistryNo, Unit, UnitCode, Units};
use crate::text;
use chrono::{DateTime, Utc};
use std::collections::HashSet;
use std::sync::Arc;

/// A card of the book. What it says is what its [`Card`] said when it was made.
#[derive(Debug)]
pub struct Entry {
    /// Where it stands among all, and whose it is.
    pub name: NameKey,
    pub registry_no: RegistryNo,
    pub title: Option<Arc<str>>,
    /// Where the person works today.
    pub unit: Option<UnitCode>,
    /// The unit whose officers are responsible ([`crate::access::unit_of`]).
    pub served_in: Option<UnitCode>,
    /// Those of today.
    pub postings: Box<[CardPosting]>,
    pub account_state: AccountState,
    pub status: Option<EmploymentStatus>,
    /// Its last change.
    pub position: i64,
    pub changed_at: DateTime<Utc>,
    /// In the order of [`Field`].
    texts: Texts<{ Field::ALL }>,
}

/// In Turkish order of the family name, then the given name; people of one name by their ids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NameKey {
    pub key: Box<[u8]>,
    pub person: PersonId,
}

/// A text of an entry that is its own.
#[derive(Clone, Copy)]
enum Field {
    DisplayName,
    GivenName,
    FamilyName,
    Username,
    Email,
    /// One a line.
    Aliases,
    WorkPhone,
    Extension,
    Office,
    Manager,
    Mobile,
    Thumbnail,
    /// The name, as it is searched.
    Words,
}

impl Field {
    const ALL: usize = Field::Words as usize + 1;
}

impl Entry {
    pub(super) fn new(card: &Card, position: i64, changed_at: DateTime<Utc>, shared: &mut Shared) -> Entry {
        let name = format!("{} {}", card.family_name, card.given_name);
        let posting = |p: &CardPosting| CardPosting { title: p.title.as_deref().map(|t| shared.text(t)), ..p.clone() };
        let postings = card.postings.iter().map(posting).collect();
        let texts = Texts::of([
            &card.display_name,
            &card.given_name,
            &card.family_name,
            card.username.as_deref().unwrap_or_default(),
            card.email.as_deref().unwrap_or_default(),
            &card.aliases.join("\n"),
            card.work_phone.as_ref().map_or("", |n| n.e164()),
            card.extension.as_deref().unwrap_or_default(),
            card.office.as_deref().unwrap_or_default(),
            card.manager.as_ref().map_or("", |no| no.as_str()),
            card.mobile.as_ref().map_or("", |n| n.e164()),
            card.thumbnail.as_deref().unwrap_or_default(),
            &words_of(&name),
        ]);
        Entry {
            name: NameKey { key: text::sort_key(&name).into(), person: card.person },
            registry_no: card.registry_no.clone(),
            title: card.title.as_deref().map(|t| shared.text(t)),
            unit: card.unit,
            served_in: card.served_in,
            postings,
            account_state: card.account_state,
            status: card.status,
            position,
            changed_at,
            texts,
        }
    }

    /// For a card that is in no book.
    pub fn beside_the_book(card: &Card) -> Entry {
        Entry::new(card, 0, card.updated_at.unwrap_or_default(), &mut Shared::default())
    }

    pub fn person(&self) -> PersonId {
        self.name.person
    }
    pub fn display_name(&self) -> &str {
        self.text(Field::DisplayName)
    }
    pub fn given_name(&self) -> &str {
        self.text(Field::GivenName)
    }
    pub fn family_name(&self) -> &str {
        self.text(Field::FamilyName)
    }
    pub fn username(&self) -> Option<&str> {
        self.said(Field::Username)
    }
    pub fn email(&self) -> Option<&str> {
        self.said(Field::Email)
    }
    pub fn aliases(&self) -> impl Iterator<Item = &str> {
        self.text(Field::Aliases).lines()
    }
    pub fn extension(&self) -> Option<&str> {
        self.said(Field::Extension)
    }
    pub fn office(&self) -> Option<&str> {
        self.said(Field::Office)
    }
    /// The registry number of whoever it is.
    pub fn manager(&self) -> Option<&str> {
        self.said(Field::Manager)
    }
    /// E.164.
    pub fn mobile(&self) -> Option<&str> {
        self.said(Field::Mobile)
    }
    /// Another one: the directory holds another photo. None: it holds none.
    pub fn thumbnail(&self) -> Option<&str> {
        self.said(Field::Thumbnail)
    }
    /// As [`words_of`] makes them.
    pub(super) fn words(&self) -> &str {
        self.text(Field::Words)
    }

    /// From the unit up to the ministry.
    pub fn path<'a>(&self, units: &'a Units) -> impl Iterator<Item = &'a Arc<Unit>> + use<'a> {
        self.unit.into_iter().flat_map(|code| units.upward(code))
    }
    /// The person's line, or the unit's. E.164.
    pub fn shown_phone(&self, units: &Units) -> Option<String> {
        let own = self.said(Field::WorkPhone).map(str::to_owned);
        own.or_else(|| line_of(self.unit?, units).map(|number| number.e164().to_owned()))
    }
    /// Of the unit.
    pub fn city(&self, units: &Units) -> Option<Arc<str>> {
        city_of(self.unit?, units)
    }

    fn text(&self, field: Field) -> &str {
        self.texts.get(field as usize)
    }
    /// No field can be said and be empty.
    fn said(&self, field: Field) -> Option<&str> {
        Some(self.text(field)).filter(|text| !text.is_empty())
    }
}

/// N texts in one piece. Together at most 64 kB (an attribute of the directory holds 1 kB at most); one that does not fit is left empty.
#[derive(Debug)]
struct Texts<const N: usize> {
    all: Box<str>,
    /// Where each ends.
    ends: [u16; N],
}

impl<const N: usize> Texts<N> {
    fn of(texts: [&str; N]) -> Texts<N> {
        let mut all = String::with_capacity(texts.iter().map(|t| t.len()).sum());
        let mut end = 0;
        let ends = texts.map(|text| {
            if let Ok(later) = u16::try_from(all.len() + text.len()) {
                all.push_str(text);
                end = later;
            }
            end
        });
        Texts { all: all.into(), ends }
    }

    fn get(&self, at: usize) -> &str {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.all[usize::from(start)..usize::from(self.ends[at])]
    }
}

/// Texts that many cards say alike: each is kept once.
#[derive(Debug, Default)]
pub(super) struct Shared {
    texts: HashSet<Arc<str>>,
    /// So many were left when those that no card says any more were last let go.
    lasting: usize,
}

impl Shared {
    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return known.clone();
        }
        if self.texts.len() > 2 * self.lasting + 100 {
            self.texts.retain(|text| Arc::strong_count(text) > 1);
            self.lasting = self.texts.len();
        }
        let new: Arc<str> = text.into();
        self.texts.insert(new.clone());
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_as_they_were_and_what_does_not_fit_is_left_out_alone() {
        let texts = Texts::of(["Ayşe", "", "İğne"]);
        assert_eq!((texts.get(0), texts.get(1), texts.get(2)), ("Ayşe", "", "İğne"));
        let long = "ş".repeat(40_000);
        let texts = Texts::of(["Ayşe", &long, "İğne"]);
        assert_eq!((texts.get(0), texts.get(1), texts.get(2)), ("Ayşe", "", "İğne"));
    }

    #[test]
    fn a_text_that_nobody_says_any_more_is_let_go() {
        let mut shared = Shared::default();
        let kept = shared.text("Mühendis");
        assert!(Arc::ptr_eq(&kept, &shared.text("Mühendis")));
        for n in 0..10_000 {
            shared.text(&format!("Uzman {n}"));
        }
        assert!(shared.texts.len() < 500 && shared.texts.contains("Mühendis"), "{}", shared.texts.len());
    }
}
