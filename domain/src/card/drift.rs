//! Cards that the directory shows otherwise than they should be, each with what stands there and why it has not been put right.
use crate::account::{Attribute, Value};
use crate::id::PersonId;
use crate::staff::UnitCode;
use crate::staff::unit::Province;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// Why a card is not what it should be. In order: of several the last one is what somebody has to look at first.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum DriftReason { $($(#[$doc])* #[serde(rename = $name)] $variant),* }
        impl DriftReason {
            pub const ALL: &'static [DriftReason] = &[$(DriftReason::$variant),*];
            /// The name in the store, in metrics and in GraphQL.
            pub const fn name(self) -> &'static str { match self { $(DriftReason::$variant => $name),* } }
        }
    };
}
reasons! {
    /// It is being written, or nobody knows yet whether it was.
    Waiting = "WAITING";
    /// Somebody changed it in the directory; it is being put right.
    HandEdited = "HAND_EDITED";
    /// Longer than the attribute holds.
    ValueCut = "VALUE_CUT";
    /// The unit is observed only: nothing is written.
    ObservedOnly = "OBSERVED_ONLY";
    /// It waits in a hold.
    Held = "HELD";
    /// An administrator has decided against it.
    Rejected = "REJECTED";
    /// A person has to decide first what it should be.
    Undecided = "UNDECIDED";
    /// An e-mail address policy of Exchange writes other addresses.
    AddressPolicy = "ADDRESS_POLICY";
    /// The directory does not take the value.
    RefusedValue = "REFUSED_VALUE";
    /// The directory refuses the change; it is tried again.
    Failed = "FAILED";
    /// An account that Kimlik must not touch.
    Protected = "PROTECTED";
    /// The account cannot be found, or stands outside the managed tree.
    NotFound = "NOT_FOUND";
}

/// One attribute that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftField {
    pub attribute: Attribute,
    /// What stands in the directory; of lists, what has to go.
    pub held: Option<Value>,
    /// What should stand there; of lists, what is missing.
    pub wanted: Option<Value>,
    pub reason: DriftReason,
    /// In plain words: why it is to be another value, or why it cannot be written.
    pub because: Arc<str>,
}

/// One card that differs, as last seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardDrift {
    pub person: PersonId,
    /// Where the person works, and the province that this counts for.
    pub unit: Option<UnitCode>,
    pub province: Option<Province>,
    pub reason: DriftReason,
    /// Empty: the card as a whole.
    pub fields: Vec<DriftField>,
    /// When the card was first seen not to be right.
    pub since: DateTime<Utc>,
    /// When it was first seen as it is now.
    pub seen_at: DateTime<Utc>,
}

impl CardDrift {
    /// Of these fields, none of which may be missing.
    pub fn of(
        person: PersonId,
        place: (Option<UnitCode>, Option<Province>),
        fields: Vec<DriftField>,
        at: DateTime<Utc>,
    ) -> Option<CardDrift> {
        let reason = fields.iter().map(|f| f.reason).max()?;
        Some(CardDrift { person, unit: place.0, province: place.1, reason, fields, since: at, seen_at: at })
    }
}

/// Which of them; each that is set must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DriftFilter {
    pub units: Option<Vec<UnitCode>>,
    pub provinces: Option<Vec<Province>>,
    pub reasons: Option<Vec<DriftReason>>,
}

/// How many cards there are and how many of them are not what they should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardCount {
    pub total: u32,
    pub by_reason: BTreeMap<DriftReason, u32>,
    /// Of those that differ; `None`: head office, or no unit is known.
    pub by_province: BTreeMap<Option<Province>, u32>,
}

impl CardCount {
    pub fn wrong(&self) -> u32 {
        self.by_reason.values().sum()
    }
    /// In hundredths of a percent, rounded down: 100 % is said only where every card is right. `None`: there are no cards.
    pub fn right_share(&self) -> Option<u32> {
        share(self.total, self.total.saturating_sub(self.wrong()))
    }
}

fn share(total: u32, right: u32) -> Option<u32> {
    let share = (u64::from(right) * 10_000).checked_div(u64::from(total))?;
    u32::try_from(share).ok()
}

/// How the cards stood at the end of the last look at everybody on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardFigure {
    pub day: crate::day::Day,
    pub at: DateTime<Utc>,
    pub total: u32,
    pub right: u32,
}

impl CardFigure {
    pub fn right_share(&self) -> Option<u32> {
        share(self.total, self.right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_percent_is_said_only_where_every_card_is_right() {
        let count = |total, wrong| CardCount { total, by_reason: [(DriftReason::Held, wrong)].into(), ..CardCount::default() };
        assert_eq!(count(100_000, 1).right_share(), Some(9_999));
        assert_eq!(count(100_000, 0).right_share(), Some(10_000));
        assert_eq!(count(3, 1).right_share(), Some(6_666));
        assert_eq!(count(0, 0).right_share(), None);
    }

    #[test]
    fn the_reason_of_a_card_is_the_one_to_be_looked_at_first() {
        let field = |reason| DriftField { attribute: Attribute::Title, held: None, wanted: None, reason, because: "".into() };
        let drift = |reasons: &[DriftReason]| {
            let fields = reasons.iter().map(|r| field(*r)).collect();
            CardDrift::of(PersonId(uuid::Uuid::nil()), (None, None), fields, DateTime::default())
        };
        assert_eq!(drift(&[]), None);
        let found = drift(&[DriftReason::Failed, DriftReason::Waiting]).map(|d| d.reason);
        assert_eq!(found, Some(DriftReason::Failed));
    }
}
