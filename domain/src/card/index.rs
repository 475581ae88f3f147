//! Entries found by something that they say: what is kept is the entries alone, not what they are found by.
use super::entry::{Entry, NameKey};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Place;
use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// What an entry is found by; `None`: it is not found.
pub(super) type Key = for<'a> fn(&'a Entry) -> Option<Cow<'a, [u8]>>;

#[derive(Debug)]
pub(super) struct Index {
    key: Key,
    table: HashTable<Arc<Entry>>,
    hasher: RandomState,
}

impl Index {
    pub fn by(key: Key) -> Index {
        Index { key, table: HashTable::new(), hasher: RandomState::new() }
    }

    pub fn len(&self) -> usize {
        self.table.len()
    }

    pub fn get(&self, key: &[u8]) -> Option<&Arc<Entry>> {
        self.table.find(self.hasher.hash_one(key), |e| (self.key)(e).as_deref() == Some(key))
    }

    /// In the place of whoever was found by the same.
    pub fn insert(&mut self, entry: &Arc<Entry>) {
        let (of, hasher) = (self.key, &self.hasher);
        let Some(key) = of(entry) else { return };
        let hash_of = |e: &Arc<Entry>| of(e).map_or(0, |key| hasher.hash_one(&*key));
        match self.table.entry(hasher.hash_one(&*key), |e| of(e).as_ref() == Some(&key), hash_of) {
            Place::Occupied(mut place) => place.get_mut().clone_from(entry),
            Place::Vacant(place) => drop(place.insert(entry.clone())),
        }
    }

    /// This one, not another that is found by the same meanwhile.
    pub fn remove(&mut self, entry: &Arc<Entry>) {
        let Some(key) = (self.key)(entry) else { return };
        if let Ok(found) = self.table.find_entry(self.hasher.hash_one(&*key), |e| Arc::ptr_eq(e, entry)) {
            found.remove();
        }
    }
}

/// An entry, ordered by a part of it.
macro_rules! by {
    ($name:ident, $part:ident: $of:ty) => {
        #[derive(Debug)]
        pub(super) struct $name(pub Arc<Entry>);
        impl Borrow<$of> for $name {
            fn borrow(&self) -> &$of {
                &self.0.$part
            }
        }
        impl PartialEq for $name {
            fn eq(&self, other: &$name) -> bool {
                self.0.$part == other.0.$part
            }
        }
        impl Eq for $name {}
        impl Ord for $name {
            fn cmp(&self, other: &$name) -> Ordering {
                self.0.$part.cmp(&other.0.$part)
            }
        }
        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &$name) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
    };
}
by!(ByName, name: NameKey);
by!(ByPosition, position: i64);
