//! All cards in memory, with the indexes that front ends ask. Fed from the feed of cards, in its order; serves nothing by
//! itself: whoever holds it must know how fresh it is.
//!
//! A card is one [`Entry`], about 400 octets; whatever finds it keeps a pointer to it and no copy of what it is found by. `cargo bench
//! -p kimlik-tests -- book` says what a card takes with all indexes.
use super::entry::{Entry, NameKey, Shared};
use super::find::{CardFilter, CardOrder, holds_words};
use super::index::{ByName, ByPosition, Index};
use super::tree::UnitTree;
use super::{Card, CardRules};
use crate::id::PersonId;
use crate::page::{Place, Seen, Window};
use crate::ports::CardEntry;
use crate::staff::{UnitCode, Units};
use crate::text;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Bound;
use std::sync::Arc;
use uuid::Uuid;

/// One entry of the feed, as the book knows it.
#[derive(Clone, Debug)]
pub struct Change {
    pub position: i64,
    pub person: PersonId,
    /// `None`: gone.
    pub entry: Option<Arc<Entry>>,
}

#[derive(Debug)]
pub struct Book {
    tree: Arc<UnitTree>,
    position: i64,
    shared: Shared,
    by_id: Index,
    by_username: Index,
    by_email: Index,
    by_registry_no: Index,
    by_alias: HashMap<Box<[u8]>, Arc<Entry>>,
    by_name: BTreeSet<ByName>,
    by_position: BTreeSet<ByPosition>,
    /// Who has no card any more, and since which position.
    gone: BTreeMap<i64, PersonId>,
    gone_since: HashMap<PersonId, i64>,
    by_unit: HashMap<UnitCode, Vec<Arc<Entry>>>,
    by_manager: HashMap<Box<str>, Vec<Arc<Entry>>>,
    by_word: BTreeMap<Box<str>, Vec<Arc<Entry>>>,
}

impl Default for Book {
    fn default() -> Book {
        Book {
            tree: Arc::default(),
            position: 0,
            shared: Shared::default(),
            by_id: Index::by(|e| Some(Cow::Borrowed(e.name.person.0.as_bytes()))),
            by_username: Index::by(|e| e.username().map(folded)),
            by_email: Index::by(|e| e.email().map(folded)),
            by_registry_no: Index::by(|e| Some(Cow::Borrowed(e.registry_no.as_str().as_bytes()))),
            by_alias: HashMap::new(),
            by_name: BTreeSet::new(),
            by_position: BTreeSet::new(),
            gone: BTreeMap::new(),
            gone_since: HashMap::new(),
            by_unit: HashMap::new(),
            by_manager: HashMap::new(),
            by_word: BTreeMap::new(),
        }
    }
}

/// Where more than one in so many fits, walking in order is quicker than sorting those that fit.
const DENSE: usize = 8;

impl Book {
    /// The position up to which the book knows.
    pub fn position(&self) -> i64 {
        self.position
    }
    pub fn len(&self) -> usize {
        self.by_id.len()
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
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
        match &entry.facts {
            Some(facts) => {
                let card = Card::of(facts, units, rules);
                let entry = Entry::new(&card, entry.position, entry.at, &mut self.shared);
                self.put_in(&Arc::new(entry));
            }
            None => {
                self.gone.insert(entry.position, entry.person);
                self.gone_since.insert(entry.person, entry.position);
            }
        }
    }

    fn put_in(&mut self, entry: &Arc<Entry>) {
        for index in self.indexes() {
            index.insert(entry);
        }
        for alias in entry.aliases() {
            self.by_alias.insert(folded(alias).into(), entry.clone());
        }
        self.by_name.insert(ByName(entry.clone()));
        self.by_position.insert(ByPosition(entry.clone()));
        if let Some(unit) = entry.unit {
            self.by_unit.entry(unit).or_default().push(entry.clone());
        }
        if let Some(manager) = entry.manager() {
            join(self.by_manager.get_mut(manager), entry).unwrap_or_else(|first| drop(self.by_manager.insert(manager.into(), first)));
        }
        for word in distinct(entry.words()) {
            join(self.by_word.get_mut(word), entry).unwrap_or_else(|first| drop(self.by_word.insert(word.into(), first)));
        }
    }

    fn take_out(&mut self, person: PersonId) {
        if let Some(position) = self.gone_since.remove(&person) {
            self.gone.remove(&position);
        }
        let Some(entry) = self.get(person).cloned() else { return };
        for index in self.indexes() {
            index.remove(&entry);
        }
        for alias in entry.aliases() {
            let alias = folded(alias);
            // Why compared: it may be another person's by now.
            if self.by_alias.get(&*alias).is_some_and(|e| Arc::ptr_eq(e, &entry)) {
                self.by_alias.remove(&*alias);
            }
        }
        self.by_name.remove(&entry.name);
        self.by_position.remove(&entry.position);
        if let Some(entries) = entry.unit.and_then(|unit| self.by_unit.get_mut(&unit)) {
            leave(entries, &entry);
        }
        if let Some(entries) = entry.manager().and_then(|manager| self.by_manager.get_mut(manager)) {
            leave(entries, &entry);
        }
        for word in distinct(entry.words()) {
            if let Some(entries) = self.by_word.get_mut(word) {
                leave(entries, &entry);
                if entries.is_empty() {
                    self.by_word.remove(word);
                }
            }
        }
    }

    fn indexes(&mut self) -> [&mut Index; 4] {
        [&mut self.by_id, &mut self.by_username, &mut self.by_email, &mut self.by_registry_no]
    }

    pub fn get(&self, person: PersonId) -> Option<&Arc<Entry>> {
        self.by_id.get(person.0.as_bytes())
    }
    /// In any case.
    pub fn named(&self, username: &str) -> Option<&Arc<Entry>> {
        self.by_username.get(&folded(username))
    }
    /// The primary address or an alias. In any case.
    pub fn addressed(&self, address: &str) -> Option<&Arc<Entry>> {
        let address = folded(address);
        self.by_email.get(&address).or_else(|| self.by_alias.get(&*address))
    }
    pub fn numbered(&self, registry_no: &str) -> Option<&Arc<Entry>> {
        self.by_registry_no.get(registry_no.as_bytes())
    }

    /// What changed after a position: everybody's latest, so that each card comes once.
    pub fn changes(&self, after: i64, limit: usize) -> Vec<Change> {
        let range = (Bound::Excluded(after), Bound::Unbounded);
        let here = self.by_position.range(range).take(limit).map(|ByPosition(entry)| Change {
            position: entry.position,
            person: entry.person(),
            entry: Some(entry.clone()),
        });
        let gone =
            self.gone.range(range).take(limit).map(|(position, person)| Change { position: *position, person: *person, entry: None });
        let mut changes: Vec<Change> = here.chain(gone).collect();
        changes.sort_unstable_by_key(|change| change.position);
        changes.truncate(limit);
        changes
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
            None if asked.is_open() => self.len(),
            None => self.by_name.iter().filter(|ByName(e)| asked.fits(e)).count(),
        }
    }

    pub fn page(&self, filter: &CardFilter, order: CardOrder, window: &Window) -> Seen<Arc<Entry>> {
        self.page_where(filter, order, window, None)
    }

    /// Of those only whom `who` lets through.
    pub fn page_where(&self, filter: &CardFilter, order: CardOrder, window: &Window, who: Option<Who<'_>>) -> Seen<Arc<Entry>> {
        let asked = Asked::new(self, filter, who);
        let found = asked.candidates();
        let is_dense = found.as_ref().is_none_or(|found| found.len() * DENSE > self.len());
        if order == CardOrder::Name && is_dense {
            return self.walk(&asked, window);
        }
        match found {
            Some(found) => window.of(found.into_iter().filter(|e| asked.fits(e)).map(|e| (self.place(order, e), e.clone()))),
            None => window.of(self.by_name.iter().filter(|ByName(e)| asked.fits(e)).map(|ByName(e)| (self.place(order, e), e.clone()))),
        }
    }

    /// In order of the names, until enough is found.
    fn walk(&self, asked: &Asked<'_>, window: &Window) -> Seen<Arc<Entry>> {
        let (after, before) = (window.after.as_ref().map(named), window.before.as_ref().map(named));
        let from = after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let to = before.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        // Why asked first: a range that ends before it begins is no range.
        let is_empty = after.as_ref().zip(before.as_ref()).is_some_and(|(after, before)| after >= before);
        let range = if is_empty { None } else { Some(self.by_name.range::<NameKey, _>((from, to))) };
        let fits = |ByName(e): &&ByName| asked.fits(e);
        let mut range = range.into_iter().flatten().filter(fits).map(|ByName(e)| (self.place(CardOrder::Name, e), e.clone()));
        let mut items: Vec<_> =
            if window.backward { range.by_ref().rev().take(window.limit).collect() } else { range.by_ref().take(window.limit).collect() };
        let more = if window.backward { range.next_back().is_some() } else { range.next().is_some() };
        if window.backward {
            items.reverse();
        }
        let has_before = |place: &NameKey| self.by_name.range::<NameKey, _>(..=place).rev().any(|e| fits(&e));
        let has_after = |place: &NameKey| self.by_name.range::<NameKey, _>(place..).any(|e| fits(&e));
        Seen {
            items,
            has_previous: if window.backward { more } else { after.as_ref().is_some_and(has_before) },
            has_next: if window.backward { before.as_ref().is_some_and(has_after) } else { more },
        }
    }

    /// The place of a card in a list of that order.
    pub fn place(&self, order: CardOrder, entry: &Entry) -> Place {
        let mut key = match order {
            CardOrder::Name => Vec::new(),
            CardOrder::Title => entry.title.as_deref().map(text::sort_key).unwrap_or_else(|| vec![0xff]),
            CardOrder::Unit => entry.unit.map_or_else(|| vec![0xff], |unit| self.tree.key(unit).to_vec()),
            CardOrder::Updated => (!entry.changed_at.timestamp_micros().cast_unsigned()).to_be_bytes().to_vec(),
        };
        if order != CardOrder::Name {
            // Why: the shorter of two comes first, whatever stands behind it.
            key.push(0);
        }
        key.extend_from_slice(&entry.name.key);
        Place { key, id: entry.person().0.as_u128() }
    }
}

fn named(place: &Place) -> NameKey {
    NameKey { key: place.key.as_slice().into(), person: PersonId(Uuid::from_u128(place.id)) }
}

/// Whom a caller may see, where that is not everybody.
pub type Who<'a> = &'a (dyn Fn(&Entry) -> bool + Send + Sync);

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
        let filter = self.filter;
        self.units.as_ref().is_none_or(|units| entry.unit.is_some_and(|unit| units.contains(&unit)))
            && filter.manager.as_ref().is_none_or(|manager| entry.manager() == Some(manager.as_str()))
            && holds_words(entry.words(), &filter.words)
            && filter.account_states.as_ref().is_none_or(|states| states.contains(&entry.account_state))
            && filter.statuses.as_ref().is_none_or(|statuses| entry.status.is_some_and(|status| statuses.contains(&status)))
            && filter.posting_kinds.as_ref().is_none_or(|kinds| entry.postings.iter().any(|p| kinds.contains(&p.kind)))
            && filter.titles.as_ref().is_none_or(|titles| entry.title.as_deref().is_some_and(|t| titles.contains(&text::fold(t))))
            && self.who.is_none_or(|who| who(entry))
    }

    /// The fewest that an index names; `None`: no index helps.
    fn candidates(&self) -> Option<Vec<&'a Arc<Entry>>> {
        if let Some(manager) = &self.filter.manager {
            return Some(self.book.by_manager.get(manager.as_str()).into_iter().flatten().collect());
        }
        let of_units = || self.units.as_ref().map(|units| units.iter().filter_map(|code| self.book.by_unit.get(code)).collect::<Vec<_>>());
        let of_word = |word: &String| self.begun(word).collect::<Vec<_>>();
        let lists = self.filter.words.iter().map(of_word).chain(of_units());
        let fewest = lists.min_by_key(|lists| lists.iter().map(|l| l.len()).sum::<usize>())?;
        let several = fewest.len() > 1;
        let mut found: Vec<&Arc<Entry>> = fewest.into_iter().flatten().collect();
        if several {
            // Why: two words of one name may begin alike.
            found.sort_unstable_by_key(|e| e.person());
            found.dedup_by_key(|e| e.person());
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
fn folded(name: &str) -> Cow<'_, [u8]> {
    if !name.is_ascii() {
        Cow::Owned(text::fold(name).into_bytes())
    } else if name.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase().into_bytes())
    } else {
        Cow::Borrowed(name.as_bytes())
    }
}

fn distinct(words: &str) -> HashSet<&str> {
    words.split(' ').filter(|w| !w.is_empty()).collect()
}

/// Beside the others of a list; where there is none, what would be the list.
fn join(entries: Option<&mut Vec<Arc<Entry>>>, entry: &Arc<Entry>) -> Result<(), Vec<Arc<Entry>>> {
    entries.map(|entries| entries.push(entry.clone())).ok_or_else(|| vec![entry.clone()])
}

fn leave(entries: &mut Vec<Arc<Entry>>, entry: &Arc<Entry>) {
    if let Some(at) = entries.iter().position(|e| Arc::ptr_eq(e, entry)) {
        entries.swap_remove(at);
    }
}
