//! Units with what is asked of them often, found once for each tree: children, order, province, words.
use super::find::{UnitFilter, holds_words, words_of};
use crate::page::{Place, Seen, Window};
use crate::staff::unit::Province;
use crate::staff::{Unit, UnitCode, Units};
use crate::text;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

#[derive(Debug, Default)]
pub struct UnitTree {
    units: Units,
    below: HashMap<UnitCode, Vec<UnitCode>>,
    known: HashMap<UnitCode, Known>,
}

#[derive(Debug)]
struct Known {
    key: Vec<u8>,
    words: String,
    province: Option<Province>,
}

impl UnitTree {
    pub fn new(units: Units) -> UnitTree {
        let mut below: HashMap<UnitCode, Vec<UnitCode>> = HashMap::new();
        let mut known = HashMap::with_capacity(units.len());
        for unit in units.iter() {
            if let Some(parent) = unit.parent {
                below.entry(parent).or_default().push(unit.code);
            }
            let words = words_of(&unit.name);
            known.insert(unit.code, Known { key: text::sort_key(&unit.name), words, province: units.province(unit.code) });
        }
        UnitTree { units, below, known }
    }

    pub fn units(&self) -> &Units {
        &self.units
    }

    /// Its own or inherited.
    pub fn province(&self, code: UnitCode) -> Option<Province> {
        self.known.get(&code).and_then(|k| k.province)
    }

    /// What it is ordered by among units.
    pub fn key(&self, code: UnitCode) -> &[u8] {
        self.known.get(&code).map_or(&[], |k| &k.key)
    }

    /// These units, and those below where asked for. Ends in circles too.
    pub fn within(&self, roots: &[UnitCode], below: bool) -> HashSet<UnitCode> {
        let mut found: HashSet<UnitCode> = roots.iter().copied().filter(|code| self.known.contains_key(code)).collect();
        let mut open: Vec<UnitCode> = if below { found.iter().copied().collect() } else { Vec::new() };
        while let Some(code) = open.pop() {
            for child in self.below.get(&code).into_iter().flatten() {
                if found.insert(*child) {
                    open.push(*child);
                }
            }
        }
        found
    }

    /// In Turkish order of their names.
    pub fn page(&self, filter: &UnitFilter, window: &Window) -> Seen<Arc<Unit>> {
        window.of(self.matching(filter).map(|unit| {
            let place = Place { key: self.key(unit.code).to_vec(), id: number(unit.code) };
            (place, unit.clone())
        }))
    }

    pub fn count(&self, filter: &UnitFilter) -> usize {
        self.matching(filter).count()
    }

    fn matching<'a>(&'a self, filter: &'a UnitFilter) -> Box<dyn Iterator<Item = &'a Arc<Unit>> + 'a> {
        let fits = move |unit: &&Arc<Unit>| {
            filter.kind.is_none_or(|kind| unit.kind == kind)
                && filter.provinces.as_ref().is_none_or(|p| self.province(unit.code).is_some_and(|own| p.contains(&own)))
                && self.known.get(&unit.code).is_some_and(|k| holds_words(&k.words, &filter.words))
        };
        match filter.parent {
            Some(parent) => Box::new(self.below.get(&parent).into_iter().flatten().filter_map(|code| self.units.get(*code)).filter(fits)),
            None => Box::new(self.units.iter().filter(fits)),
        }
    }
}

fn number(code: UnitCode) -> u128 {
    code.to_string().parse().unwrap_or_default()
}
