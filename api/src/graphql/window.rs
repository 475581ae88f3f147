//! Pages in both directions: first/after or last/before, and the total where it is asked for.
use super::error::{Maybe, bad_input, fault};
use super::house;
use super::page::{Cursor, MOST, USUAL, foreign};
use async_graphql::connection::{Connection, DefaultConnectionName, DefaultEdgeName, Edge, EmptyFields};
use async_graphql::{Context, Object, OutputType, Result};
use kimlik_domain::card::book::Book;
use kimlik_domain::page::{Place, Seen, Window};
use uuid::Uuid;

/// One page of a list that can be counted.
pub type Counted<T> = Connection<Cursor, T, Total, EmptyFields, DefaultConnectionName, DefaultEdgeName>;

type Count = dyn Fn(&Book) -> usize + Send + Sync;

/// Counts the whole list, if somebody asks.
pub struct Total(Option<Box<Count>>);

impl Total {
    pub fn new(count: impl Fn(&Book) -> usize + Send + Sync + 'static) -> Total {
        Total(Some(Box::new(count)))
    }

    /// Of a list that nobody counts: null.
    pub fn unknown() -> Total {
        Total(None)
    }
}

#[Object]
/// How long the whole list is.
impl Total {
    /// Of the whole list; counted only where it is asked for. Null: of a list that cannot be counted at once.
    #[graphql(complexity = "20")]
    async fn total_count(&self, ctx: &Context<'_>) -> Maybe<i32> {
        let count = self.0.as_ref()?;
        let house = match house(ctx) {
            Ok(house) => house,
            Err(error) => return Some(Err(error)),
        };
        let count = house.cards.ask(count).await.map_err(|e| fault(ctx, &e));
        Some(count.map(|n| i32::try_from(n).unwrap_or(i32::MAX)))
    }
}

/// As a caller writes them.
#[derive(Default)]
pub struct Paging {
    pub first: Option<i32>,
    pub after: Option<String>,
    pub last: Option<i32>,
    pub before: Option<String>,
}

impl Paging {
    /// `kind` names the list: a cursor of another one is refused.
    pub fn window(&self, kind: &str) -> Result<Window> {
        if self.first.is_some() && self.last.is_some() {
            return Err(bad_input("first and last: one of them, not both."));
        }
        let (argument, limit) = match self.last {
            Some(last) => ("last", last),
            None => ("first", self.first.unwrap_or(USUAL)),
        };
        let limit = match usize::try_from(limit) {
            Ok(n) if limit <= MOST => n,
            Ok(_) => return Err(bad_input(format!("{argument}: at most {MOST}, not {limit}."))),
            Err(_) => return Err(bad_input(format!("{argument}: a number from 0 to {MOST}, not {limit}."))),
        };
        let place = |cursor: &Option<String>| cursor.as_deref().map(|text| read(kind, text).ok_or_else(foreign)).transpose();
        Ok(Window { limit, backward: self.last.is_some(), after: place(&self.after)?, before: place(&self.before)? })
    }
}

/// The page of what was seen.
pub fn page<I, T: OutputType>(seen: Seen<I>, kind: &str, total: Total, node: impl Fn(I) -> T) -> Counted<T> {
    let mut page = Connection::with_additional_fields(seen.has_previous, seen.has_next, total);
    page.edges.extend(seen.items.into_iter().map(|(place, item)| Edge::new(write(kind, &place), node(item))));
    page
}

pub fn write(kind: &str, place: &Place) -> Cursor {
    let mut text = format!("{kind}_");
    for octet in &place.key {
        for digit in [octet >> 4, octet & 15] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    text.push('_');
    text.push_str(&Uuid::from_u128(place.id).simple().to_string());
    Cursor(text)
}

pub fn read(kind: &str, cursor: &str) -> Option<Place> {
    let (key, id) = cursor.strip_prefix(kind)?.strip_prefix('_')?.split_once('_')?;
    if !key.is_ascii() || !key.len().is_multiple_of(2) {
        return None;
    }
    let key = (0..key.len()).step_by(2).map(|at| u8::from_str_radix(&key[at..at + 2], 16).ok()).collect::<Option<Vec<u8>>>()?;
    Some(Place { key, id: Uuid::try_parse(id).ok()?.as_u128() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_and_a_foreign_one_does_not() {
        let place = Place { key: vec![0, 255, 16], id: 7 };
        let cursor = write("name", &place);
        assert_eq!(read("name", &cursor.0), Some(place));
        assert_eq!(read("title", &cursor.0), None);
        for text in
            ["", "name_", "name_0_", "name_zz_00000000000000000000000000000007", "run_00000000000000000000000000000007", "name_şş_1"]
        {
            assert_eq!(read("name", text), None, "{text}");
        }
    }

    #[test]
    fn a_page_is_asked_for_from_one_end() {
        let window = |first, last| Paging { first, last, ..Paging::default() }.window("name");
        assert!(window(Some(1), Some(1)).is_err());
        assert!(window(Some(-1), None).is_err() && window(None, Some(101)).is_err());
        assert!(window(None, Some(3)).is_ok_and(|w| w.backward && w.limit == 3));
        assert!(window(None, None).is_ok_and(|w| !w.backward && w.limit == 20));
    }
}
