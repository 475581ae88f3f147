//! A plan with what deciding about it needs, as much of it as the memory of a run holds.
use crate::account::{Account, Mode, Names, ObservedAccount};
use crate::lifecycle::limits::Spent;
use crate::lifecycle::plan::{ActionKind, PersonPlan, Step};
use crate::lifecycle::reconcile::count_pending;
use crate::ports::PersonRecord;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A plan with what deciding about it needs.
#[derive(Clone, Debug)]
pub struct Planned {
    pub plan: PersonPlan,
    pub decisions: Vec<(super::ActionKind, String, bool)>,
    /// Operations of an earlier run whose end is not known, or something seen that the ledger does not know.
    pub unsettled: bool,
    /// The directory has refused something of this person before, and it is tried again.
    pub refused: bool,
    /// The account works and the person has not been told.
    pub announce: bool,
    /// An opening whose steps were left out: they are made again, the same, when its turn comes. Why: 100,000 openings with
    /// all their values would not fit into the memory that a run is given.
    pub light: bool,
    /// Names that a dry run proposed, for a light plan to be made again with: nothing else remembers them.
    pub proposed: Option<Box<Names>>,
    /// What was seen, where nothing but attributes is to be changed: the values before are the change's condition, so that its
    /// success tells as much as another look would. Of the first few thousand only.
    pub seen: Option<Box<Seen>>,
    /// Of an outline: the digest of each action, whose steps are not kept.
    pub digests: Vec<String>,
    /// What of the record decides what is to be done.
    pub basis: Basis,
}

/// A digest of what HR, the ledger and orders say of a person. Why: between look and deed others work too (HR takes a leaving back,
/// another worker is faster); what was planned from something else is not carried out but planned anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Basis(u64);

impl Basis {
    pub fn of(record: &PersonRecord) -> Basis {
        let mut hasher = DefaultHasher::new();
        (&record.person, &record.account, &record.suspension).hash(&mut hasher);
        Basis(hasher.finish())
    }
}

/// An account as it stood in the directory and in the ledger when its plan was made.
#[derive(Clone, Debug)]
pub struct Seen {
    pub account: ObservedAccount,
    pub ledger: Account,
}

impl Planned {
    /// Nothing but attributes of an account that is known.
    pub(super) fn only_modifies(&self) -> bool {
        let steps = || self.plan.actions.iter().flat_map(|action| &action.steps);
        self.plan.mode == Mode::Manage
            && !self.unsettled
            && !self.announce
            && steps().next().is_some()
            && steps().all(|step| matches!(step, Step::Modify(_)))
    }

    /// What is only to be counted and found again: of 100,000 people who are all to be changed that is what memory holds.
    pub(super) fn outline(&mut self, counted: &mut Spent) {
        count_pending(counted, self);
        self.plan.issues.truncate(1);
        self.plan.issues.iter_mut().for_each(|issue| issue.message = String::new());
        self.plan.actions.iter_mut().for_each(|action| action.steps = Vec::new());
        self.decisions = Vec::new();
    }

    pub(super) fn lighten(&mut self) {
        if let [action] = self.plan.actions.as_mut_slice()
            && action.kind == ActionKind::Open
            && matches!(action.steps.first(), Some(Step::Create(_)))
            && self.decisions.is_empty()
        {
            action.steps = Vec::new();
            self.plan.actions.shrink_to_fit();
            self.light = true;
        }
    }
}
