//! The feed of cards, for clients that keep a copy of their own: every card once, then what changed; asked for, or told as it
//! happens. Both take each other's cursors.
use super::card::{IdentityCard, IdentityCardFilter};
use super::error::{Maybe, bad_input, fault};
use super::page::{self, Cursor, Page};
use super::{allows, house, id};
use crate::wiring::House;
use async_graphql::connection::{Connection, Edge};
use async_graphql::{Context, Enum, Error, ErrorExtensions, ID, Result, SimpleObject, Subscription};
use futures_util::Stream;
use kimlik_domain::access::{About, Deed};
use kimlik_domain::card::book::{Book, Change};
use kimlik_domain::card::find::CardFilter;
use kimlik_domain::card::tree::UnitTree;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

#[derive(Default)]
pub struct ChangeQuery;
#[derive(Default)]
pub struct ChangeSubscription;

/// What became of a card.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum IdentityCardChangeKind {
    /// It is new, or something of it has changed.
    Upserted,
    /// Gone, or it does not fit what was asked for.
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
    /// Where to go on after it: `after` of identityCardChanges and of identityCardChanged.
    cursor: String,
}

impl IdentityCardChange {
    /// `fits`: what was asked for.
    fn of(change: Change, stand: Stand, tree: &Arc<UnitTree>, fits: bool) -> IdentityCardChange {
        let card = change.entry.filter(|_| fits).map(|entry| IdentityCard { entry, tree: tree.clone() });
        IdentityCardChange {
            kind: if card.is_some() { IdentityCardChangeKind::Upserted } else { IdentityCardChangeKind::Removed },
            card_id: id::encode(id::CARD, change.person.0),
            card,
            cursor: Stand { position: change.position, ..stand }.write().0,
        }
    }
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
    #[graphql(complexity = "page::cost_of(page::MOST, __ctx, __variables_definition, __field, child_complexity)")]
    async fn identity_card_changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The last endCursor that was received.")] after: Option<String>,
        #[graphql(desc = "How many, at most 100.", default = 100)] first: Option<i32>,
    ) -> Maybe<Page<IdentityCardChange>> {
        if !allows(ctx, Deed::ReadCard, About::Everything) {
            return None;
        }
        Some(changes(ctx, after.as_deref(), first.unwrap_or(page::MOST)).await)
    }
}

async fn changes(ctx: &Context<'_>, after: Option<&str>, first: i32) -> Result<Page<IdentityCardChange>> {
    let wanted = page::first(Some(first))? as usize;
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
        let node = IdentityCardChange::of(change, stand, &tree, true);
        Edge::new(Cursor(node.cursor.clone()), node)
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

#[Subscription]
impl ChangeSubscription {
    /// Each card that changes, as it does. A client that was away goes on with the last cursor it got and misses nothing; a card
    /// that changed several times meanwhile comes once, as it is then. Whoever has no copy yet takes the endCursor of
    /// identityCardChanges. A cursor of another feed is a CURSOR_EXPIRED error, and the end. Null once, and the end: the caller may
    /// not see cards.
    async fn identity_card_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only these; null: all. What does not fit comes as REMOVED, also where the client never knew of it.")]
        filter: Option<IdentityCardFilter>,
        #[graphql(desc = "The last cursor that was received. Null: from now on.")] after: Option<String>,
    ) -> Result<impl Stream<Item = Maybe<IdentityCardChange>>> {
        let begun = match allows(ctx, Deed::ReadCard, About::Everything) {
            true => Following::begin(ctx, filter, after.as_deref()).await.map(Step::Following)?,
            false => Step::Refused,
        };
        Ok(futures_util::stream::unfold(begun, next))
    }
}

enum Step {
    Refused,
    Following(Box<Following>),
    Over,
}

/// One subscriber. Holds at most [`AT_ONCE`] cards, however slow it is: whatever changes meanwhile is looked up when it asks again.
struct Following {
    house: Arc<House>,
    filter: CardFilter,
    stand: Stand,
    waiting: VecDeque<IdentityCardChange>,
    ticks: watch::Receiver<i64>,
}

const AT_ONCE: usize = 100;
/// Also without a tick it is looked again: the feed may have been made anew.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

impl Following {
    async fn begin(ctx: &Context<'_>, filter: Option<IdentityCardFilter>, after: Option<&str>) -> Result<Box<Following>> {
        let house = house(ctx)?.clone();
        let filter = filter.map(|filter| filter.asked("filter")).transpose()?.unwrap_or_default();
        let stand = match after.map(|text| Stand::read(text).ok_or_else(foreign)).transpose()? {
            Some(stand) => stand,
            None => {
                let now = house.cards.ask_feed(|epoch, book| Stand { epoch, position: book.position(), first_until: 0 });
                now.await.map_err(|e| fault(ctx, &e))?
            }
        };
        let ticks = house.cards.ticks();
        let mut following = Following { house, filter, stand, waiting: VecDeque::new(), ticks };
        tokio::time::timeout(BEHIND, following.ticks.wait_for(|now| *now >= stand.position)).await.ok();
        match following.look().await {
            Some(true) | None => Ok(Box::new(following)),
            Some(false) => Err(expired()),
        }
    }

    /// Until there may be more.
    async fn wait(&mut self) {
        let position = self.stand.position;
        // Why the end of the patience is no fault: it is looked again in any case.
        tokio::time::timeout(LOOK_AGAIN, self.ticks.wait_for(|now| *now > position)).await.ok();
    }

    /// Takes what has changed since. `Some(false)`: this is another feed now. `None`: nobody can say at the moment.
    async fn look(&mut self) -> Option<bool> {
        let (stand, filter) = (self.stand, &self.filter);
        let asked = self.house.cards.ask_feed(|epoch, book| {
            let fits = stand.epoch == epoch && stand.position <= book.position();
            fits.then(|| {
                let part = book.changes(stand.position, AT_ONCE);
                let last = part.last().map_or(stand.position, |change| change.position);
                let fitting = book.fitting(filter);
                let told = part.into_iter().filter(|c| c.entry.is_some() || c.position > stand.first_until);
                let told = told.map(|c| {
                    let fits = c.entry.as_ref().is_some_and(|entry| fitting(entry));
                    IdentityCardChange::of(c, stand, book.tree(), fits)
                });
                (last, told.collect::<VecDeque<_>>())
            })
        });
        match asked.await {
            Ok(Some((last, told))) => {
                self.stand.position = last;
                self.waiting = told;
                Some(true)
            }
            Ok(None) => Some(false),
            Err(fault) => {
                tracing::debug!(%fault, "a subscriber waits: the cards cannot be read now");
                None
            }
        }
    }
}

async fn next(step: Step) -> Option<(Maybe<IdentityCardChange>, Step)> {
    let mut following = match step {
        Step::Over => return None,
        Step::Refused => return Some((None, Step::Over)),
        Step::Following(following) => following,
    };
    loop {
        if let Some(change) = following.waiting.pop_front() {
            return Some((Some(Ok(change)), Step::Following(following)));
        }
        following.wait().await;
        if following.look().await == Some(false) {
            return Some((Some(Err(expired())), Step::Over));
        }
    }
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
