//! The feed of cards, and how they stand in the directory.
use super::PortResult;
use crate::account::{Account, Attribute};
use crate::card::drift::{CardCount, CardDrift, CardFigure, DriftFilter};
use crate::id::PersonId;
use crate::lifecycle::hold::HeldChange;
use crate::staff::{NationalId, Person, Units};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use uuid::Uuid;

/// Where the feed of cards stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardsHead {
    /// Another one: positions of before mean nothing.
    pub epoch: Uuid,
    /// Of the last change.
    pub position: i64,
    /// One more whenever units, the day or the rules have changed.
    pub generation: i64,
    /// As the sealer last said it.
    pub shape: String,
    /// Something waits for the sealer.
    pub is_waiting: bool,
}

/// What a card is made from.
#[derive(Clone, Debug, PartialEq)]
pub struct CardFacts {
    pub person: Person,
    pub account: Option<Account>,
    /// The tag of the photo that is kept of the account.
    pub photo: Option<Box<str>>,
}

/// One entry of the feed of cards: a person's latest.
#[derive(Clone, Debug, PartialEq)]
pub struct CardEntry {
    pub position: i64,
    pub person: PersonId,
    pub at: DateTime<Utc>,
    /// `None`: the card is gone.
    pub facts: Option<CardFacts>,
}

/// What the sealer needs.
#[derive(Clone, Copy, Debug)]
pub struct Seal<'a> {
    /// For a store that has none yet.
    pub epoch: Uuid,
    pub at: DateTime<Utc>,
    /// Everything beside people, accounts and units that cards depend on: the day, the rules. Another one: all are looked at.
    pub shape: &'a str,
    pub limit: u32,
}

/// The text of a card, equal exactly as long as the card is; `None`: there is no card to show.
pub type CardText<'a> = dyn Fn(&CardFacts, &Units) -> Option<String> + Send + Sync + 'a;

/// The feed of cards. Whatever changes a person, an account or a unit leaves a mark in its own transaction; a sealer, one at
/// a time in all replicas, looks at marked people afterwards and gives changed cards the next positions. So positions become
/// visible in their order, and a reader that has seen one has seen all before it.
#[async_trait]
pub trait Cards: Send + Sync {
    async fn cards_head(&self) -> PortResult<CardsHead>;
    /// Works off up to `limit` marks and answers whether some are left.
    async fn seal_cards(&self, seal: &Seal<'_>, text: &CardText<'_>) -> PortResult<bool>;
    /// In order of their positions, after this one.
    async fn card_entries(&self, after: i64, limit: u32) -> PortResult<Vec<CardEntry>>;
    /// The national id of a person, to be shown masked.
    async fn national_id(&self, person: PersonId) -> PortResult<Option<NationalId>>;
}

/// How the cards stand in the directory, for those who ask.
#[async_trait]
pub trait CardTruth: Send + Sync {
    /// Cards that differ, in the order of their people's ids.
    async fn card_drifts(&self, filter: &DriftFilter, after: Option<PersonId>, limit: u32) -> PortResult<Vec<CardDrift>>;
    async fn card_drift_of(&self, person: PersonId) -> PortResult<Option<CardDrift>>;
    /// What of a person's changes waits in open holds, undecided.
    async fn held_changes(&self, person: PersonId) -> PortResult<Vec<HeldChange>>;
    async fn count_cards(&self) -> PortResult<CardCount>;
    /// One a day, the latest first.
    async fn card_figures(&self, limit: u32) -> PortResult<Vec<CardFigure>>;
    /// When Kimlik last wrote each attribute of the person's account, as far as its operations are kept.
    async fn last_written(&self, person: PersonId) -> PortResult<HashMap<Attribute, DateTime<Utc>>>;
}
