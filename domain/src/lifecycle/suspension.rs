//! Orders of people that do not wait for HR: this account is suspended now, and given back later. An order lies over what HR
//! says, as a part of what should be: a leave that ends does not lift it, and lifting it does not end a leave.
use super::plan::{Action, ActionKind};
use super::reason::Because;
use crate::day::{self, Day};
use crate::id::PersonId;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

/// Orders are counted over a rolling day.
pub const WINDOW: TimeDelta = TimeDelta::days(1);
/// So many within [`WINDOW`] and actor, of each kind. Why so few: an order waits for no hold, and whoever has stolen an officer's
/// session must not be able to send a province home.
pub const MOST_PER_ACTOR: u32 = 20;
/// Characters of a reason.
pub const LONGEST_REASON: usize = 500;

/// A person's latest suspension by order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Suspension {
    pub since: DateTime<Utc>,
    /// As in the audit.
    pub by: Arc<str>,
    pub reason: Arc<str>,
    pub lifted: Option<Lifted>,
}

/// The end of a suspension.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Lifted {
    pub at: DateTime<Utc>,
    pub by: Arc<str>,
    pub reason: Arc<str>,
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderKind {
    Suspend,
    Reinstate,
}

/// What somebody orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub id: Uuid,
    pub person: PersonId,
    pub kind: OrderKind,
    pub by: Arc<str>,
    pub reason: Arc<str>,
    pub at: DateTime<Utc>,
}

/// What came of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ordered {
    /// It stands in the store, and will be carried out whatever happens.
    Given,
    /// Suspended by order already, or not suspended by order.
    AlreadySo,
    /// The actor has given as many as one may within a day.
    TooMany,
    /// The key was used for the same before: what was answered then.
    Answered(String),
    /// The key was used for something else.
    KeyReused,
}

impl Suspension {
    /// The one that stands.
    pub fn is_in_force(&self) -> bool {
        self.lifted.is_none()
    }

    pub(super) fn because(&self) -> Because {
        Because::SuspendedByOrder { by: self.by.clone(), reason: self.reason.clone() }
    }

    /// Lifted on this day: what follows today follows from it.
    pub(super) fn lifted_on(&self, today: Day) -> Option<Because> {
        let lifted = self.lifted.as_ref().filter(|lifted| day::today(lifted.at) == today)?;
        Some(Because::ReinstatedByOrder { by: lifted.by.clone(), reason: lifted.reason.clone() })
    }
}

impl Order {
    /// The person's latest suspension once this order is given; `None`: it changes nothing.
    pub fn over(&self, standing: Option<&Suspension>) -> Option<Suspension> {
        let standing = standing.filter(|s| s.is_in_force());
        match (self.kind, standing) {
            (OrderKind::Suspend, None) => {
                Some(Suspension { since: self.at, by: self.by.clone(), reason: self.reason.clone(), lifted: None })
            }
            (OrderKind::Reinstate, Some(standing)) => {
                let lifted = Lifted { at: self.at, by: self.by.clone(), reason: self.reason.clone() };
                Some(Suspension { lifted: Some(lifted), ..standing.clone() })
            }
            _ => None,
        }
    }
}

impl Action {
    /// Somebody ordered it: limits do not count it, holds do not hold it, and no decision on HR's changes is one on it.
    pub fn is_ordered(&self) -> bool {
        matches!(
            (self.kind, &self.because),
            (ActionKind::Suspend, Because::SuspendedByOrder { .. })
                | (ActionKind::Reinstate, Because::ReinstatedByOrder { .. })
                | (ActionKind::Adopt, Because::AdoptedByOrder { .. })
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(kind: OrderKind, reason: &str) -> Order {
        let at = "2026-12-01T09:00:00Z".parse().unwrap();
        Order { id: Uuid::from_u128(1), person: PersonId(Uuid::from_u128(2)), kind, by: "user:a".into(), reason: reason.into(), at }
    }

    #[test]
    fn an_order_changes_something_once_and_the_other_way_only_what_stands() {
        let suspended = order(OrderKind::Suspend, "lost telephone").over(None).unwrap();
        assert!(suspended.is_in_force());
        assert_eq!(order(OrderKind::Suspend, "again").over(Some(&suspended)), None, "the first reason stays");
        assert_eq!(order(OrderKind::Reinstate, "x").over(None), None);
        let lifted = order(OrderKind::Reinstate, "found").over(Some(&suspended)).unwrap();
        assert!(!lifted.is_in_force());
        assert_eq!(lifted.reason, suspended.reason, "why it was is not forgotten");
        assert_eq!(order(OrderKind::Reinstate, "twice").over(Some(&lifted)), None);
        assert!(order(OrderKind::Suspend, "anew").over(Some(&lifted)).unwrap().is_in_force());
    }
}
