//! Pages: how many and after what. A bad number or a cursor of another list is the caller's error, said in clear words.
use super::error::bad_input;
use super::id;
use async_graphql::connection::{Connection, CursorType, DefaultConnectionName, DefaultEdgeName, Edge, EmptyFields};
use async_graphql::parser::types::{Field, VariableDefinition};
use async_graphql::{Context, Positioned, Result, VisitorContext};
use std::convert::Infallible;
use uuid::Uuid;

pub const USUAL: i32 = 20;
pub const MOST: i32 = 100;

pub type Page<T> = Connection<Cursor, T, EmptyFields, EmptyFields, DefaultConnectionName, DefaultEdgeName>;

pub type PageEdge<T> = Edge<Cursor, T, EmptyFields, DefaultEdgeName>;

/// More than any limit, and so little that sums of it do not overflow.
const BEYOND: usize = 1_000_000;

/// The complexity of a page: that of one item, as often as there are items on it.
pub fn cost(ctx: &VisitorContext<'_>, variables: &[Positioned<VariableDefinition>], field: &Field, item: usize) -> usize {
    cost_of(USUAL, ctx, variables, field, item)
}

/// The same, of a page of `usual` items where nothing is said.
///
/// Why read here, and not named in the rule of the field: there, an argument of which the variable was not sent is an error. By the
/// specification it counts as not given. What is wrong with a value the validation says.
pub fn cost_of(usual: i32, ctx: &VisitorContext<'_>, variables: &[Positioned<VariableDefinition>], field: &Field, item: usize) -> usize {
    let said = |name| ctx.param_value::<Option<i32>>(variables, field, name, None).ok().flatten();
    let items = said("first").or_else(|| said("last")).unwrap_or(usual).clamp(1, MOST);
    usize::try_from(items).unwrap_or(1).saturating_mul(item).saturating_add(5).min(BEYOND)
}

/// Whether the items of this page are asked for `field`, which costs more than what they bring: it is read for all of them at once.
pub fn asks_for(ctx: &Context<'_>, field: &str) -> bool {
    let page = ctx.look_ahead();
    page.field("nodes").field(field).exists() || page.field("edges").field("node").field(field).exists()
}

pub fn first(first: Option<i32>) -> Result<u32> {
    let first = first.unwrap_or(USUAL);
    match u32::try_from(first) {
        Ok(n) if first <= MOST => Ok(n),
        Ok(_) => Err(bad_input(format!("first: at most {MOST}, not {first}."))),
        Err(_) => Err(bad_input(format!("first: a number from 0 to {MOST}, not {first}."))),
    }
}

/// Opaque to clients.
pub struct Cursor(pub String);

impl CursorType for Cursor {
    type Error = Infallible;
    fn decode_cursor(text: &str) -> std::result::Result<Cursor, Infallible> {
        Ok(Cursor(text.to_owned()))
    }
    fn encode_cursor(&self) -> String {
        self.0.clone()
    }
}

/// `after` of a list whose cursors are ids.
pub fn after(kind: &str, cursor: Option<&str>) -> Result<Option<Uuid>> {
    cursor.map(|text| id::decode(kind, text).ok_or_else(foreign)).transpose()
}

pub fn foreign() -> async_graphql::Error {
    bad_input("after: this cursor does not belong to this list. Take the endCursor of a page of the same list, or leave it out.")
}

/// Of one item more than was asked for: is there a next page?
pub fn page<I, T: async_graphql::OutputType>(items: Vec<I>, wanted: u32, has_previous: bool, node: impl Fn(I) -> (Cursor, T)) -> Page<T> {
    let wanted = wanted as usize;
    let mut page = Connection::new(has_previous, items.len() > wanted);
    page.edges.extend(items.into_iter().take(wanted).map(|item| {
        let (cursor, node) = node(item);
        Edge::new(cursor, node)
    }));
    page
}
