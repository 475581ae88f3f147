//! Pages of lists that change while they are read: a page begins beside an item, not after so many.
use std::cmp::Ordering;

/// The place of an item in a list: what it is ordered by, then its id. It stays a place when the item itself has gone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub key: Vec<u8>,
    pub id: u128,
}

/// Which part of a list: the first (or last) so many of what stands between two places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    pub limit: usize,
    /// The last ones instead of the first.
    pub backward: bool,
    pub after: Option<Place>,
    pub before: Option<Place>,
}

/// What a window shows of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen<T> {
    pub items: Vec<(Place, T)>,
    /// Something of the list stands before the first of these.
    pub has_previous: bool,
    pub has_next: bool,
}

impl Window {
    /// A list in any order; all of it.
    pub fn of<T>(&self, list: impl IntoIterator<Item = (Place, T)>) -> Seen<T> {
        let (mut inside, mut earlier, mut later) = (Vec::new(), false, false);
        for (place, item) in list {
            match self.side(&place) {
                Ordering::Less => earlier = true,
                Ordering::Greater => later = true,
                Ordering::Equal => inside.push((place, item)),
            }
        }
        let more = inside.len() > self.limit;
        let at = if self.backward { inside.len().saturating_sub(self.limit) } else { self.limit };
        if more && at < inside.len() {
            inside.select_nth_unstable_by(at, |a, b| a.0.cmp(&b.0));
        }
        let mut items = if !more {
            inside
        } else if self.backward {
            inside.split_off(at)
        } else {
            inside.truncate(at);
            inside
        };
        items.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Seen { items, has_previous: earlier || (more && self.backward), has_next: later || (more && !self.backward) }
    }

    /// Before the window, after it, or inside.
    fn side(&self, place: &Place) -> Ordering {
        if self.after.as_ref().is_some_and(|after| place <= after) {
            Ordering::Less
        } else if self.before.as_ref().is_some_and(|before| place >= before) {
            Ordering::Greater
        } else {
            Ordering::Equal
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(n: u8) -> Place {
        Place { key: vec![n], id: u128::from(n) }
    }
    fn list() -> Vec<(Place, u8)> {
        [3, 1, 5, 2, 4].map(|n| (place(n), n)).into()
    }
    fn seen(window: &Window) -> (Vec<u8>, bool, bool) {
        let seen = window.of(list());
        (seen.items.into_iter().map(|(_, n)| n).collect(), seen.has_previous, seen.has_next)
    }

    #[test]
    fn a_window_shows_the_first_or_the_last_between_two_places() {
        let forward = |limit, after: Option<u8>| Window { limit, after: after.map(place), ..Window::default() };
        assert_eq!(seen(&forward(2, None)), (vec![1, 2], false, true));
        assert_eq!(seen(&forward(2, Some(2))), (vec![3, 4], true, true));
        assert_eq!(seen(&forward(2, Some(4))), (vec![5], true, false));
        assert_eq!(seen(&forward(9, None)), (vec![1, 2, 3, 4, 5], false, false));
        assert_eq!(seen(&forward(0, None)), (vec![], false, true));
        let backward = |limit, before: Option<u8>| Window { limit, backward: true, before: before.map(place), ..Window::default() };
        assert_eq!(seen(&backward(2, None)), (vec![4, 5], true, false));
        assert_eq!(seen(&backward(2, Some(4))), (vec![2, 3], true, true));
        assert_eq!(seen(&backward(2, Some(2))), (vec![1], false, true));
        assert_eq!(seen(&backward(0, None)), (vec![], true, false));
    }

    #[test]
    fn a_place_outlives_its_item() {
        let window = Window { limit: 2, after: Some(Place { key: vec![2], id: 99 }), ..Window::default() };
        assert_eq!(seen(&window), (vec![3, 4], true, true));
    }
}
