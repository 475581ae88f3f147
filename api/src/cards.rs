//! The cards that this process holds in memory, and for how long they may be shown: whoever has not heard from the store
//! within a second shows none.
use crate::wiring::House;
use kimlik_domain::card::book::Book;
use kimlik_domain::card::entry::Entry;
use kimlik_domain::card::tree::UnitTree;
use kimlik_domain::card::{Card, CardRules};
use kimlik_domain::day::{self, Day};
use kimlik_domain::id::{PersonId, uuid_v7};
use kimlik_domain::ports::{CardEntry, CardFacts, PeopleBy, PortError, PortResult, Seal};
use kimlik_domain::staff::Units;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use uuid::Uuid;

/// So long after the store was asked its answer counts. Less than a second: the rest is for answering.
const FRESH: Duration = Duration::from_millis(900);
/// How long a question waits for the store to be heard from again.
const PATIENCE: Duration = Duration::from_secs(3);
/// And at the start, when all cards are being read.
const FIRST_PATIENCE: Duration = Duration::from_secs(20);
/// Cards read, or looked at by the sealer, at a time.
const PART: u32 = 1_000;

pub struct CardDesk {
    shelf: RwLock<Shelf>,
    /// When the store was asked for the answer that the book is as new as.
    heard: Mutex<Option<Instant>>,
    /// Marks of the time before this start were worked off: until then cards may be missing.
    is_complete: AtomicBool,
    tick: watch::Sender<i64>,
}

#[derive(Default)]
struct Shelf {
    book: Book,
    epoch: Uuid,
    generation: i64,
}

impl Default for CardDesk {
    fn default() -> CardDesk {
        CardDesk { shelf: RwLock::default(), heard: Mutex::default(), is_complete: AtomicBool::new(false), tick: watch::Sender::new(0) }
    }
}

impl CardDesk {
    /// Asks the book. Waits a moment where the store was not heard from; then there is no answer.
    pub async fn ask<T>(&self, question: impl FnOnce(&Book) -> T) -> PortResult<T> {
        if !self.is_fresh() {
            let patience = if self.heard().is_some() { PATIENCE } else { FIRST_PATIENCE };
            let mut tick = self.tick.subscribe();
            let heard = async { while !self.is_fresh() && tick.changed().await.is_ok() {} };
            // Why the end of the patience is no fault by itself: it is looked again below.
            tokio::time::timeout(patience, heard).await.ok();
        }
        let shelf = self.shelf.read().unwrap_or_else(PoisonError::into_inner);
        if !self.is_fresh() {
            return Err(PortError::Unavailable("the cards: nothing was heard from the database for a second".into()));
        }
        Ok(question(&shelf.book))
    }

    /// The epoch of the feed, beside what the book says.
    pub async fn ask_feed<T>(&self, question: impl FnOnce(Uuid, &Book) -> T) -> PortResult<T> {
        let epoch = self.shelf.read().unwrap_or_else(PoisonError::into_inner).epoch;
        self.ask(|book| question(epoch, book)).await
    }

    pub async fn tree(&self) -> PortResult<Arc<UnitTree>> {
        self.ask(|book| book.tree().clone()).await
    }

    /// The position up to which this process knows, whenever it has heard from the store.
    pub fn ticks(&self) -> watch::Receiver<i64> {
        self.tick.subscribe()
    }

    fn heard(&self) -> Option<Instant> {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_fresh(&self) -> bool {
        self.heard().is_some_and(|at| at.elapsed() < FRESH)
    }

    /// Works off marks; answers whether some are left.
    pub async fn seal(&self, house: &House, is_new_shape: &mut String) -> PortResult<bool> {
        let now = house.clock.now();
        let rules = rules(house, day::today(now));
        let shape = shape(&rules);
        let head = house.card_feed.cards_head().await?;
        if !head.is_waiting && *is_new_shape == shape {
            self.is_complete.store(true, Ordering::Relaxed);
            return Ok(false);
        }
        let mut random = [0; 10];
        house.entropy.fill(&mut random);
        let seal = Seal { epoch: uuid_v7(now, random), at: now, shape: &shape, limit: PART };
        let text = |facts: &CardFacts, units: &Units| rules.shows(facts).then(|| Card::of(facts, units, &rules).text(units)).flatten();
        let left = house.card_feed.seal_cards(&seal, &text).await?;
        *is_new_shape = shape;
        if !left {
            self.is_complete.store(true, Ordering::Relaxed);
        }
        Ok(left)
    }

    /// Brings the book to where the feed stands now.
    pub async fn follow(&self, house: &House) -> PortResult<()> {
        // Why before asking: the answer is as old as the question.
        let asked = Instant::now();
        let is_complete = self.is_complete.load(Ordering::Relaxed);
        let head = house.card_feed.cards_head().await?;
        let day = head.shape.get(..10).and_then(day::parse).unwrap_or_else(|| day::today(house.clock.now()));
        let (mut position, known) = {
            let mut shelf = self.shelf.write().unwrap_or_else(PoisonError::into_inner);
            if shelf.epoch != head.epoch {
                *shelf = Shelf { epoch: head.epoch, ..Shelf::default() };
            }
            (shelf.book.position(), shelf.generation)
        };
        if known != head.generation {
            let tree = Arc::new(UnitTree::new(house.store.units().await?));
            let mut shelf = self.shelf.write().unwrap_or_else(PoisonError::into_inner);
            shelf.book.set_tree(tree);
            shelf.generation = head.generation;
        }
        while position < head.position {
            let mut entries = house.card_feed.card_entries(position, PART).await?;
            // Why not the later ones: they may be made of units and of a day that this process has not read yet.
            entries.retain(|entry| entry.position <= head.position);
            let Some(last) = entries.last() else { break };
            position = last.position;
            self.apply(&entries, &rules(house, day));
        }
        if is_complete {
            *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(asked);
        }
        self.tick.send_replace(position);
        Ok(())
    }

    fn apply(&self, entries: &[CardEntry], rules: &CardRules<'_>) {
        let mut shelf = self.shelf.write().unwrap_or_else(PoisonError::into_inner);
        let tree = shelf.book.tree().clone();
        for entry in entries {
            shelf.book.apply(entry, tree.units(), rules);
        }
    }
}

/// A card of somebody who has none to show any more: for those who look into what was.
pub async fn former(house: &House, person: PersonId) -> PortResult<Option<Arc<Entry>>> {
    let Some(record) = house.store.people(PeopleBy::Ids(&[person])).await?.into_iter().next() else { return Ok(None) };
    let tree = house.cards.tree().await?;
    // Why no photo: it is served of cards in the book only.
    let facts = CardFacts { person: record.person, account: record.account, photo: None };
    let card = Card::of(&facts, tree.units(), &rules(house, day::today(house.clock.now())));
    Ok(Some(Arc::new(Entry::beside_the_book(&card))))
}

/// What the settings say of cards on a day.
pub fn rules(house: &House, day: Day) -> CardRules<'_> {
    CardRules {
        day,
        keep_aliases_days: house.config.names.keep_aliases_days,
        family_name_in_capitals: house.config.names.family_name_in_capitals,
        reasons: &house.reasons,
    }
}

/// Begins with the day. The number counts the ways in which this program has made cards.
fn shape(rules: &CardRules<'_>) -> String {
    format!("{} 3 {} {:?} {:?}", rules.day, rules.family_name_in_capitals, rules.keep_aliases_days, rules.reasons.listed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(desk: &CardDesk, ago: Duration) {
        *desk.heard.lock().unwrap() = Instant::now().checked_sub(ago);
    }

    #[tokio::test]
    async fn nothing_is_shown_a_second_after_the_store_was_last_heard_from() {
        let desk = CardDesk::default();
        hear(&desk, Duration::ZERO);
        assert!(desk.ask(|_| ()).await.is_ok());
        hear(&desk, Duration::from_secs(1));
        assert!(matches!(desk.ask(|_| ()).await, Err(PortError::Unavailable(_))));
    }

    #[tokio::test]
    async fn a_question_waits_until_the_store_is_heard_from_again() {
        let desk = Arc::new(CardDesk::default());
        hear(&desk, Duration::from_secs(1));
        let asked = tokio::spawn({
            let desk = desk.clone();
            async move { desk.ask(|_| ()).await }
        });
        tokio::task::yield_now().await;
        hear(&desk, Duration::ZERO);
        desk.tick.send_replace(1);
        assert!(asked.await.unwrap().is_ok());
    }
}
