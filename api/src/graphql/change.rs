//! The feed of cards: every card once, then what changed, for clients that keep a copy of their own.
use super::card::IdentityCard;
use super::error::{Maybe, bad_input, fault};
use super::page::{self, Cursor, Page};
use super::{allows, house, id};
use async_graphql::connection::{Connection, Edge};
use async_graphql::{Context, Enum, Error, ErrorExtensions, ID, Result, SimpleObject};
use kimlik_domain::access::{About, Deed};
use kimlik_domain::card::book::{Book, Change};
use std::time::Duration;
use uuid::Uuid;

#[derive(Default)]
pub struct ChangeQuery;

/// What became of a card.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum IdentityCardChangeKind {
    /// It is new, or something of it has changed.
    Upserted,
    /// Gone, or no longer visible to the caller.
    Removed,
}

/// One card that has changed.
#[derive(SimpleObject)]
pub struct IdentityCardChange {
    /// What became of it.
    kind: IdentityCardChangeKind,
    /// The id of the card.
    card_id: ID,
    /// As it is now; null: it is gone.
    card: Option<IdentityCard>,
}

/// A replica may be behind the one that gave a cursor, but not by more than this.
const BEHIND: Duration = Duration::from_secs(2);

/// Where a client stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stand {
    epoch: Uuid,
    position: i64,
    /// Up to here the client is told of everybody for the first time: who has gone meanwhile it never knew.
    first_until: i64,
}

impl Stand {
    fn write(self) -> Cursor {
        Cursor(format!("change_{}_{}_{}", self.epoch.simple(), self.position, self.first_until))
    }
    fn read(cursor: &str) -> Option<Stand> {
        let mut parts = cursor.strip_prefix("change_")?.split('_');
        let (epoch, position, first_until) = (parts.next()?, parts.next()?, parts.next()?);
        let number = |text: &str| text.parse::<i64>().ok().filter(|n| *n >= 0);
        let stand = Stand { epoch: Uuid::try_parse(epoch).ok()?, position: number(position)?, first_until: number(first_until)? };
        parts.next().is_none().then_some(stand)
    }
}

fn expired() -> Error {
    let text = "after: this cursor is of another feed (the database was made anew or restored). Start again with null.";
    Error::new(text).extend_with(|_, e| e.set("code", "CURSOR_EXPIRED"))
}

#[async_graphql::Object]
impl ChangeQuery {
    /// after: null gives every card once, then what changed: a client keeps its own copy without polling them all, and asks
    /// again with the last endCursor it got. A cursor of another feed is a CURSOR_EXPIRED error: start again with null.
    #[graphql(complexity = "page::size(first) * child_complexity + 5")]
    async fn identity_card_changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The last endCursor that was received.")] after: Option<String>,
        #[graphql(desc = "How many, at most 100.", default = 100)] first: Option<i32>,
    ) -> Maybe<Page<IdentityCardChange>> {
        if !allows(ctx, Deed::ReadCard, About::Everything) {
            return None;
        }
        Some(changes(ctx, after.as_deref(), first).await)
    }
}

async fn changes(ctx: &Context<'_>, after: Option<&str>, first: Option<i32>) -> Result<Page<IdentityCardChange>> {
    let wanted = page::first(first)? as usize;
    let after = after.map(|text| Stand::read(text).ok_or_else(foreign)).transpose()?;
    let desk = &house(ctx)?.cards;
    if let Some(after) = after {
        let mut ticks = desk.ticks();
        // Why the end of the patience is no fault: it is looked again below.
        tokio::time::timeout(BEHIND, ticks.wait_for(|position| *position >= after.position)).await.ok();
    }
    let read = desk.ask_feed(|epoch, book| {
        let stand = after.unwrap_or(Stand { epoch, position: 0, first_until: book.position() });
        let fits = stand.epoch == epoch && stand.position <= book.position();
        fits.then(|| (stand, told(book, stand, wanted), book.tree().clone()))
    });
    let (stand, (told, more), tree) = read.await.map_err(|e| fault(ctx, &e))?.ok_or_else(expired)?;
    let mut page = Connection::new(stand.position > 0, more);
    page.edges.extend(told.into_iter().map(|change| {
        let kind = if change.entry.is_some() { IdentityCardChangeKind::Upserted } else { IdentityCardChangeKind::Removed };
        let card = change.entry.map(|entry| IdentityCard { entry, tree: tree.clone() });
        let card_id = id::encode(id::CARD, change.person.0);
        Edge::new(Stand { position: change.position, ..stand }.write(), IdentityCardChange { kind, card_id, card })
    }));
    Ok(page)
}

/// Up to `wanted`, and whether there are more.
fn told(book: &Book, stand: Stand, wanted: usize) -> (Vec<Change>, bool) {
    let (mut told, mut position) = (Vec::new(), stand.position);
    loop {
        let part = book.changes(position, wanted + 1);
        let Some(last) = part.last() else { break };
        position = last.position;
        told.extend(part.into_iter().filter(|c| c.entry.is_some() || c.position > stand.first_until));
        if told.len() > wanted {
            break;
        }
    }
    let more = told.len() > wanted;
    told.truncate(wanted);
    (told, more)
}

fn foreign() -> Error {
    bad_input("after: this cursor does not belong to this list. Take the endCursor of a page of identityCardChanges, or null.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_and_a_foreign_one_does_not() {
        let stand = Stand { epoch: Uuid::from_u128(9), position: 70, first_until: 60 };
        assert_eq!(Stand::read(&stand.write().0), Some(stand));
        for text in ["", "change_", "change_x_1_1", "name_00_1", "change_00000000000000000000000000000009_-1_0"] {
            assert_eq!(Stand::read(text), None, "{text}");
        }
    }
}
