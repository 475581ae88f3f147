//! All cards in memory, with the indexes that front ends ask. Fed from the feed of cards, in its order; serves nothing by
//! itself: whoever holds it must know how fresh it is.
use super::find::{CardFilter, CardOrder, holds_words, words_of};
use super::tree::UnitTree;
use super::{Card, CardRules};
use crate::id::PersonId;
use crate::page::{Place, Seen, Window};
use crate::ports::CardEntry;
use crate::staff::{RegistryNo, UnitCode, Units};
use crate::text;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Bound;
use std::sync::Arc;
use uuid::Uuid;

/// A card of the book.
#[derive(Debug)]
pub struct Entry {
    pub card: Card,
    /// Its last change.
    pub position: i64,
    pub changed_at: DateTime<Utc>,
    key: Arc<[u8]>,
    words: Box<str>,
}

impl Entry {
    /// For a card that is in no book.
    pub fn beside_the_book(card: Card) -> Entry {
        let changed_at = card.updated_at.unwrap_or_default();
        Entry { card, position: 0, changed_at, key: Arc::default(), words: Box::default() }
    }
}

/// One entry of the feed, as the book knows it.
#[derive(Clone, Debug)]
pub struct Change {
    pub position: i64,
    pub person: PersonId,
    /// `None`: gone.
    pub entry: Option<Arc<Entry>>,
}

#[derive(Debug, Default)]
pub struct Book {
    tree: Arc<UnitTree>,
    position: i64,
    entries: HashMap<PersonId, Arc<Entry>>,
    by_name: BTreeMap<(Arc<[u8]>, PersonId), Arc<Entry>>,
    by_position: BTreeMap<i64, PersonId>,
    positions: HashMap<PersonId, i64>,
    by_username: HashMap<Box<str>, PersonId>,
    by_address: HashMap<Box<str>, PersonId>,
    by_registry_no: HashMap<RegistryNo, PersonId>,
    by_unit: HashMap<UnitCode, Vec<Arc<Entry>>>,
    by_manager: HashMap<RegistryNo, Vec<Arc<Entry>>>,
    by_word: BTreeMap<Box<str>, Vec<Arc<Entry>>>,
}

/// Where more than one in so many fits, walking in order is quicker than sorting those that fit.
const DENSE: usize = 8;

impl Book {
    /// The position up to which the book knows.
    pub fn position(&self) -> i64 {
        self.position
    }
    pub fn len(&self) -> usize {
        self.entries.len()
    }
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
    pub fn tree(&self) -> &Arc<UnitTree> {
        &self.tree
    }
    /// Another tree; cards whose text it changes come over the feed.
    pub fn set_tree(&mut self, tree: Arc<UnitTree>) {
        self.tree = tree;
    }

    /// In the order of the feed.
    pub fn apply(&mut self, entry: &CardEntry, units: &Units, rules: &CardRules<'_>) {
        self.position = entry.position;
        self.take_out(entry.person);
        if let Some(old) = self.positions.insert(entry.person, entry.position) {
            self.by_position.remove(&old);
        }
        self.by_position.insert(entry.position, entry.person);
        if let Some(facts) = &entry.facts {
            let card = Card::of(facts, units, rules);
            let name = format!("{} {}", card.family_name, card.given_name);
            let key = text::sort_key(&name).into();
            let words = words_of(&name).into();
            self.put_in(Arc::new(Entry { card, position: entry.position, changed_at: entry.at, key, words }));
        }
    }

    fn put_in(&mut self, entry: Arc<Entry>) {
        let card = &entry.card;
        let person = card.person;
        self.by_name.insert((entry.key.clone(), person), entry.clone());
        self.by_registry_no.insert(card.registry_no.clone(), person);
        if let Some(name) = &card.username {
            self.by_username.insert(folded(name), person);
        }
        for address in card.email.iter().chain(&card.aliases) {
            self.by_address.insert(folded(address), person);
        }
        if let Some(unit) = card.unit {
            self.by_unit.entry(unit).or_default().push(entry.clone());
        }
        if let Some(manager) = &card.manager {
            self.by_manager.entry(manager.clone()).or_default().push(entry.clone());
        }
        for word in distinct(&entry.words) {
            match self.by_word.get_mut(word) {
                Some(entries) => entries.push(entry.clone()),
                None => drop(self.by_word.insert(word.into(), vec![entry.clone()])),
            }
        }
        self.entries.insert(person, entry);
    }

    fn take_out(&mut self, person: PersonId) {
        let Some(entry) = self.entries.remove(&person) else { return };
        let card = &entry.card;
        self.by_name.remove(&(entry.key.clone(), person));
        // Why compared: the name may be another person's by now.
        take_own(&mut self.by_registry_no, &card.registry_no, person);
        if let Some(name) = &card.username {
            take_own(&mut self.by_username, &folded(name), person);
        }
        for address in card.email.iter().chain(&card.aliases) {
            take_own(&mut self.by_address, &folded(address), person);
        }
        if let Some(entries) = card.unit.and_then(|unit| self.by_unit.get_mut(&unit)) {
            leave(entries, &entry);
        }
        if let Some(entries) = card.manager.as_ref().and_then(|manager| self.by_manager.get_mut(manager)) {
            leave(entries, &entry);
        }
        for word in distinct(&entry.words) {
            if let Some(entries) = self.by_word.get_mut(word) {
                leave(entries, &entry);
                if entries.is_empty() {
                    self.by_word.remove(word);
                }
            }
        }
    }

    pub fn get(&self, person: PersonId) -> Option<&Arc<Entry>> {
        self.entries.get(&person)
    }
    /// In any case.
    pub fn named(&self, username: &str) -> Option<&Arc<Entry>> {
        self.get(*self.by_username.get(&folded(username))?)
    }
    /// The primary address or an alias.
    pub fn addressed(&self, address: &str) -> Option<&Arc<Entry>> {
        self.get(*self.by_address.get(&folded(address))?)
    }
    pub fn numbered(&self, registry_no: &RegistryNo) -> Option<&Arc<Entry>> {
        self.get(*self.by_registry_no.get(registry_no)?)
    }

    /// What changed after a position: everybody's latest, so that each card comes once.
    pub fn changes(&self, after: i64, limit: usize) -> Vec<Change> {
        let range = (Bound::Excluded(after), Bound::Unbounded);
        let change = |(position, person): (&i64, &PersonId)| Change {
            position: *position,
            person: *person,
            entry: self.entries.get(person).cloned(),
        };
        self.by_position.range(range).take(limit).map(change).collect()
    }

    /// Whether a card fits, asked of one after the other.
    pub fn fitting<'a>(&'a self, filter: &'a CardFilter) -> impl Fn(&Entry) -> bool + use<'a> {
        let asked = Asked::new(self, filter, None);
        move |entry| asked.fits(entry)
    }

    pub fn count(&self, filter: &CardFilter) -> usize {
        self.count_where(filter, None)
    }

    /// Of those only whom `who` lets through.
    pub fn count_where(&self, filter: &CardFilter, who: Option<Who<'_>>) -> usize {
        let asked = Asked::new(self, filter, who);
        match asked.candidates() {
            Some(found) => found.into_iter().filter(|e| asked.fits(e)).count(),
            None if asked.is_open() => self.entries.len(),
            None => self.by_name.values().filter(|e| asked.fits(e)).count(),
        }
    }

    pub fn page(&self, filter: &CardFilter, order: CardOrder, window: &Window) -> Seen<Arc<Entry>> {
        self.page_where(filter, order, window, None)
    }

    /// Of those only whom `who` lets through.
    pub fn page_where(&self, filter: &CardFilter, order: CardOrder, window: &Window, who: Option<Who<'_>>) -> Seen<Arc<Entry>> {
        let asked = Asked::new(self, filter, who);
        let found = asked.candidates();
        let is_dense = found.as_ref().is_none_or(|found| found.len() * DENSE > self.entries.len());
        if order == CardOrder::Name && is_dense {
            return self.walk(&asked, window);
        }
        match found {
            Some(found) => window.of(found.into_iter().filter(|e| asked.fits(e)).map(|e| (self.place(order, e), e.clone()))),
            None => window.of(self.by_name.values().filter(|e| asked.fits(e)).map(|e| (self.place(order, e), e.clone()))),
        }
    }

    /// In order of the names, until enough is found.
    fn walk(&self, asked: &Asked<'_>, window: &Window) -> Seen<Arc<Entry>> {
        let bound = |place: &Place| Bound::Excluded((Arc::from(place.key.as_slice()), PersonId(Uuid::from_u128(place.id))));
        let from = window.after.as_ref().map_or(Bound::Unbounded, bound);
        let to = window.before.as_ref().map_or(Bound::Unbounded, bound);
        // Why asked first: a range that ends before it begins is no range.
        let is_empty = window.after.as_ref().zip(window.before.as_ref()).is_some_and(|(after, before)| after >= before);
        let range = if is_empty { None } else { Some(self.by_name.range((from, to))) };
        let fits = |(_, e): &(&(Arc<[u8]>, PersonId), &Arc<Entry>)| asked.fits(e);
        let mut range = range.into_iter().flatten().filter(fits).map(|(_, e)| (self.place(CardOrder::Name, e), e.clone()));
        let mut items: Vec<_> =
            if window.backward { range.by_ref().rev().take(window.limit).collect() } else { range.by_ref().take(window.limit).collect() };
        let more = if window.backward { range.next_back().is_some() } else { range.next().is_some() };
        if window.backward {
            items.reverse();
        }
        let before = |place: &Place| self.by_name.range(..=named(place)).rev().any(|e| fits(&e));
        let after = |place: &Place| self.by_name.range(named(place)..).any(|e| fits(&e));
        Seen {
            items,
            has_previous: if window.backward { more } else { window.after.as_ref().is_some_and(before) },
            has_next: if window.backward { window.before.as_ref().is_some_and(after) } else { more },
        }
    }

    /// The place of a card in a list of that order.
    pub fn place(&self, order: CardOrder, entry: &Entry) -> Place {
        let mut key = match order {
            CardOrder::Name => Vec::new(),
            CardOrder::Title => entry.card.title.as_deref().map(text::sort_key).unwrap_or_else(|| vec![0xff]),
            CardOrder::Unit => entry.card.unit.map_or_else(|| vec![0xff], |unit| self.tree.key(unit).to_vec()),
            CardOrder::Updated => (!entry.changed_at.timestamp_micros().cast_unsigned()).to_be_bytes().to_vec(),
        };
        if order != CardOrder::Name {
            // Why: the shorter of two comes first, whatever stands behind it.
            key.push(0);
        }
        key.extend_from_slice(&entry.key);
        Place { key, id: entry.card.person.0.as_u128() }
    }
}

fn named(place: &Place) -> (Arc<[u8]>, PersonId) {
    (place.key.as_slice().into(), PersonId(Uuid::from_u128(place.id)))
}

/// Whom a caller may see, where that is not everybody.
pub type Who<'a> = &'a (dyn Fn(&Card) -> bool + Send + Sync);

/// A filter, with what follows from it for this book.
struct Asked<'a> {
    book: &'a Book,
    filter: &'a CardFilter,
    units: Option<HashSet<UnitCode>>,
    who: Option<Who<'a>>,
}

impl<'a> Asked<'a> {
    fn new(book: &'a Book, filter: &'a CardFilter, who: Option<Who<'a>>) -> Asked<'a> {
        let tree = &book.tree;
        let mut units = filter.units.as_ref().map(|units| tree.within(units, filter.include_subunits));
        if filter.provinces.is_some() || filter.unit_kind.is_some() {
            let fits = |code: UnitCode| {
                filter.unit_kind.is_none_or(|kind| tree.units().get(code).is_some_and(|u| u.kind == kind))
                    && filter.provinces.as_ref().is_none_or(|p| tree.province(code).is_some_and(|own| p.contains(&own)))
            };
            let all = units.unwrap_or_else(|| tree.units().iter().map(|u| u.code).collect());
            units = Some(all.into_iter().filter(|code| fits(*code)).collect());
        }
        Asked { book, filter, units, who }
    }

    /// Everybody fits.
    fn is_open(&self) -> bool {
        self.who.is_none() && *self.filter == CardFilter { include_subunits: self.filter.include_subunits, ..CardFilter::default() }
    }

    fn fits(&self, entry: &Entry) -> bool {
        let (filter, card) = (self.filter, &entry.card);
        self.units.as_ref().is_none_or(|units| card.unit.is_some_and(|unit| units.contains(&unit)))
            && filter.manager.as_ref().is_none_or(|manager| card.manager.as_ref() == Some(manager))
            && holds_words(&entry.words, &filter.words)
            && filter.account_states.as_ref().is_none_or(|states| states.contains(&card.account_state))
            && filter.statuses.as_ref().is_none_or(|statuses| card.status.is_some_and(|status| statuses.contains(&status)))
            && filter.posting_kinds.as_ref().is_none_or(|kinds| card.postings.iter().any(|p| kinds.contains(&p.kind)))
            && filter.titles.as_ref().is_none_or(|titles| card.title.as_deref().is_some_and(|t| titles.contains(&text::fold(t))))
            && self.who.is_none_or(|who| who(card))
    }

    /// The fewest that an index names; `None`: no index helps.
    fn candidates(&self) -> Option<Vec<&'a Arc<Entry>>> {
        if let Some(manager) = &self.filter.manager {
            return Some(self.book.by_manager.get(manager).into_iter().flatten().collect());
        }
        let of_units = || self.units.as_ref().map(|units| units.iter().filter_map(|code| self.book.by_unit.get(code)).collect::<Vec<_>>());
        let of_word = |word: &String| self.begun(word).collect::<Vec<_>>();
        let lists = self.filter.words.iter().map(of_word).chain(of_units());
        let fewest = lists.min_by_key(|lists| lists.iter().map(|l| l.len()).sum::<usize>())?;
        let several = fewest.len() > 1;
        let mut found: Vec<&Arc<Entry>> = fewest.into_iter().flatten().collect();
        if several {
            // Why: two words of one name may begin alike.
            found.sort_unstable_by_key(|e| e.card.person);
            found.dedup_by_key(|e| e.card.person);
        }
        Some(found)
    }

    fn begun(&self, word: &str) -> impl Iterator<Item = &'a Vec<Arc<Entry>>> + use<'a> {
        let word: Box<str> = word.into();
        let from = (Bound::Included(word.clone()), Bound::Unbounded);
        self.book.by_word.range::<Box<str>, _>(from).take_while(move |(w, _)| w.starts_with(&*word)).map(|(_, entries)| entries)
    }
}

/// As the ledger of names compares them.
fn folded(name: &str) -> Box<str> {
    if name.is_ascii() { name.to_ascii_lowercase().into() } else { text::fold(name).into() }
}

fn distinct(words: &str) -> HashSet<&str> {
    words.split(' ').filter(|w| !w.is_empty()).collect()
}

fn take_own<K: std::hash::Hash + Eq>(map: &mut HashMap<K, PersonId>, key: &K, person: PersonId) {
    if map.get(key) == Some(&person) {
        map.remove(key);
    }
}

fn leave(entries: &mut Vec<Arc<Entry>>, entry: &Arc<Entry>) {
    if let Some(at) = entries.iter().position(|e| Arc::ptr_eq(e, entry)) {
        entries.swap_remove(at);
    }
}
