//! How much of one kind of change may happen within a rolling day, in the ministry and in one province.
use super::plan::{Action, ActionKind, Step};
use crate::account::{Attribute, Change};
use crate::staff::unit::Province;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Budget {
    Open,
    Update,
    Move,
    Rename,
    Suspend,
    Close,
    Adopt,
    /// Mailboxes of leavers that stop taking mail.
    Mailbox,
}

impl Budget {
    pub const ALL: [Budget; 8] =
        [Budget::Open, Budget::Update, Budget::Move, Budget::Rename, Budget::Suspend, Budget::Close, Budget::Adopt, Budget::Mailbox];
    pub const fn name(self) -> &'static str {
        match self {
            Budget::Open => "open",
            Budget::Update => "update",
            Budget::Move => "move",
            Budget::Rename => "rename",
            Budget::Suspend => "suspend",
            Budget::Close => "close",
            Budget::Adopt => "adopt",
            Budget::Mailbox => "mailbox",
        }
    }
    pub fn parse(name: &str) -> Option<Budget> {
        Budget::ALL.into_iter().find(|b| b.name() == name)
    }
}

/// Of the managed accounts in scope: whichever of `percent` and `absolute` is reached first, but never below `at_least`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    #[serde(default)]
    pub percent: Option<f64>,
    #[serde(default)]
    pub absolute: Option<u32>,
    #[serde(default)]
    pub at_least: u32,
}

impl Limit {
    pub fn of(&self, population: u32) -> u32 {
        // Why floor of a non-negative product: a limit of 2 % of 149 people is 2, not 3.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let share = self.percent.map(|p| (f64::from(population) * p.max(0.0) / 100.0).floor() as u32);
        let most = share.unwrap_or(u32::MAX).min(self.absolute.unwrap_or(u32::MAX));
        most.max(self.at_least)
    }
}

/// Where a limit counts: everywhere, or in one province.
pub type Scope = Option<Province>;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    pub everywhere: BTreeMap<Budget, Limit>,
    pub per_province: BTreeMap<Budget, Limit>,
}

/// Managed accounts, in all and by province.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Population {
    pub all: u32,
    pub by_province: BTreeMap<Province, u32>,
}

/// What was already intended within the rolling day: by budget and province (`None`: head office).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spent(pub BTreeMap<(Budget, Option<Province>), u32>);

impl Spent {
    pub fn of(&self, budget: Budget, scope: Scope) -> u32 {
        match scope {
            Some(_) => self.0.get(&(budget, scope)).copied().unwrap_or(0),
            None => self.0.iter().filter(|((b, _), _)| *b == budget).map(|(_, n)| n).sum(),
        }
    }
    pub fn add(&mut self, budget: Budget, province: Option<Province>) {
        *self.0.entry((budget, province)).or_default() += 1;
    }
}

/// A limit in force for one run: `at_most` within the rolling day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap {
    pub budget: Budget,
    pub scope: Scope,
    pub at_most: u32,
}

/// One exceeded limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exceeded {
    pub cap: Cap,
    pub pending: u32,
    pub spent: u32,
}

impl Limits {
    /// Every limit in force over `population`.
    pub fn caps(&self, population: &Population) -> Vec<Cap> {
        let all = self.everywhere.iter().map(|(budget, l)| Cap { budget: *budget, scope: None, at_most: l.of(population.all) });
        let provinces = self.per_province.iter().flat_map(|(budget, l)| {
            Province::all().map(|p| Cap {
                budget: *budget,
                scope: Some(p),
                at_most: l.of(population.by_province.get(&p).copied().unwrap_or(0)),
            })
        });
        all.chain(provinces).collect()
    }
}

/// Which caps does `pending` exceed on top of `spent`? All that is pending of an exceeded kind and scope is held.
pub fn exceeded(caps: &[Cap], pending: &Spent, spent: &Spent) -> Vec<Exceeded> {
    caps.iter()
        .filter_map(|cap| {
            let (pending, spent) = (pending.of(cap.budget, cap.scope), spent.of(cap.budget, cap.scope));
            (pending > 0 && pending.saturating_add(spent) > cap.at_most).then_some(Exceeded { cap: *cap, pending, spent })
        })
        .collect()
}

impl Action {
    /// Which limit counts it. Enabling on the first day was counted when the account was opened; so was a manager who is
    /// set where there was none: at a first load the managers' accounts appear while their people's are opened. Orders have
    /// limits of their own, by actor.
    pub fn budget(&self) -> Option<Budget> {
        if self.is_ordered() {
            return None;
        }
        let completes = |c: &Change| c.attribute == Attribute::Manager && c.from.is_none();
        match self.kind {
            ActionKind::Update if self.steps.iter().all(|s| matches!(s, Step::Modify(changes) if changes.iter().all(completes))) => None,
            ActionKind::Open | ActionKind::Reopen | ActionKind::Reinstate => Some(Budget::Open),
            ActionKind::Update | ActionKind::Groups => Some(Budget::Update),
            ActionKind::Move => Some(Budget::Move),
            ActionKind::Rename => Some(Budget::Rename),
            ActionKind::Suspend => Some(Budget::Suspend),
            ActionKind::Close | ActionKind::Withdraw => Some(Budget::Close),
            ActionKind::Adopt => Some(Budget::Adopt),
            ActionKind::CloseMailbox => Some(Budget::Mailbox),
            ActionKind::Enable => None,
        }
    }
}
