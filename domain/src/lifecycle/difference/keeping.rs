//! An account that stays, starts or starts again: state, place and groups.
use super::photo::written;
use super::{Difference, hand_made, same_common_name};
use crate::account::{AccountState, Dn, Sealed};
use crate::lifecycle::desired::issue;
use crate::lifecycle::plan::{Action, ActionKind, Step};
use crate::lifecycle::reason::Because;
use crate::staff::{DataIssue, IssueKind};

impl Difference<'_> {
    /// One action for an account that starts (again): everything that differs, enabled last.
    pub(super) fn whole(&self, kind: ActionKind, because: Because) -> Vec<Action> {
        let mut steps = Vec::new();
        if self.seen.enabled && self.desired.state != AccountState::Active {
            steps.push(Step::Disable);
        }
        let broken_off = self.account.state != AccountState::Closed && kind == ActionKind::Reopen;
        if self.account.sealed == Sealed::Never && !self.account.adopted || broken_off {
            steps.push(Step::SealPassword);
        }
        steps.extend(written(self.changes(|_| true)));
        // Why: a return gives back birthright groups only, whatever came in between.
        steps.extend(self.groups_below_base().filter(|g| !self.desired.groups.contains(g)).cloned().map(Step::LeaveGroup));
        steps.extend(self.groups_missing().map(Step::JoinGroup));
        steps.extend(self.relocation());
        if !self.seen.enabled && self.desired.state == AccountState::Active {
            steps.push(Step::Enable);
        }
        vec![Action { kind, because, steps }]
    }

    pub(super) fn keeping(&self, issues: &mut Vec<DataIssue>) -> Vec<Action> {
        let mut actions = Vec::new();
        let (is_enabled, state) = (self.seen.enabled, self.account.state);
        if self.desired.state != AccountState::Active && (is_enabled || state != self.desired.state) {
            let by_hand = is_enabled && state == self.desired.state;
            // Why: who enables by hand what was ordered to be suspended runs into the order, not into HR's limits.
            let ordered = matches!(self.desired.because, Because::SuspendedByOrder { .. });
            let because = if by_hand && !ordered { hand_made("the enabled state") } else { self.desired.because.clone() };
            actions.push(Action { kind: ActionKind::Suspend, because, steps: if is_enabled { vec![Step::Disable] } else { vec![] } });
        }
        self.review_mail(issues);
        actions.extend(self.groups());
        actions.extend(self.naming());
        actions.extend(self.card());
        actions.extend(self.moving(issues));
        if self.desired.state == AccountState::Active {
            actions.extend(self.enabling(issues));
        }
        actions
    }

    /// An operation of these kinds disabled the account, perhaps, and nobody knows how far it came.
    pub(super) fn broken_off(&self, kinds: &[ActionKind]) -> bool {
        !self.seen.enabled && self.record.unsettled.iter().any(|o| kinds.contains(&o.kind))
    }

    /// A suspension that was broken off disabled it, perhaps.
    fn disabled_by_us(&self) -> bool {
        !self.seen.enabled && self.record.unsettled.iter().any(|o| o.kind == ActionKind::Suspend && o.disables)
    }

    fn enabling(&self, issues: &mut Vec<DataIssue>) -> Option<Action> {
        let kind = match self.account.state {
            AccountState::Opening => ActionKind::Enable,
            AccountState::Suspended if self.seen.enabled || !self.account.disabled_before => ActionKind::Reinstate,
            AccountState::Active if self.disabled_by_us() => ActionKind::Reinstate,
            _ => {
                if !self.seen.enabled {
                    // Why not enabled again: whoever disabled it by hand may have had a reason that cannot wait for HR.
                    let message = "somebody disabled this account in the directory; Kimlik does not enable it again";
                    issues.push(issue(IssueKind::DisabledByHand, &self.record.person, self.facts, message));
                }
                return None;
            }
        };
        let mut steps = Vec::new();
        if !self.seen.enabled {
            if self.account.sealed == Sealed::Never && !self.account.adopted {
                steps.push(Step::SealPassword);
            }
            steps.push(Step::Enable);
        }
        Some(Action { kind, because: self.desired.because.clone(), steps })
    }

    fn moving(&self, issues: &mut Vec<DataIssue>) -> Option<Action> {
        self.review_groups(issues);
        if self.seen.ou() == self.desired.ou {
            return None;
        }
        let step = self.relocate();
        let because = match (self.new_place(), self.applied()) {
            (Some(because), _) => because,
            (None, Some(applied)) if applied.ou == self.desired.ou => hand_made("the place"),
            _ => Because::UnitChanged { unit: self.desired.unit_name.clone() },
        };
        Some(Action { kind: ActionKind::Move, because, steps: vec![step] })
    }

    pub(super) fn relocate(&self) -> Step {
        Step::MoveTo { from: self.seen.ou(), ou: self.desired.ou.clone(), cn: self.desired.cn.clone() }
    }

    fn relocation(&self) -> Option<Step> {
        let there = self.seen.ou() == self.desired.ou && same_common_name(&self.seen.dn.name(), &self.desired.cn);
        (!there).then(|| self.relocate())
    }

    /// At a transfer, groups that somebody else gave stay and are listed for review.
    fn review_groups(&self, issues: &mut Vec<DataIssue>) {
        let Some(applied) = self.applied() else { return };
        let transferred = applied.unit.is_some() && self.new_place().is_some();
        let reviewing = self.record.open_issues.contains(&IssueKind::ForeignGroups);
        if !transferred && !reviewing || self.record.accepted.contains(&IssueKind::ForeignGroups) {
            return;
        }
        let foreign: Vec<String> = self
            .groups_below_base()
            .filter(|g| !self.desired.groups.contains(g) && !applied.groups.contains(g))
            .map(|g| g.name())
            .collect();
        if !foreign.is_empty() {
            let message = format!("was transferred and keeps groups that somebody else gave: {}; review them", foreign.join(", "));
            issues.push(issue(IssueKind::ForeignGroups, &self.record.person, self.facts, message));
        }
    }

    fn groups(&self) -> Option<Action> {
        let mut steps: Vec<Step> = Vec::new();
        let ours = self.applied().map(|a| a.groups.as_slice()).unwrap_or_default();
        let lost = ours.iter().filter(|g| !self.desired.groups.contains(g) && self.seen.groups.contains(g));
        steps.extend(lost.cloned().map(Step::LeaveGroup));
        steps.extend(self.groups_missing().map(Step::JoinGroup));
        if steps.is_empty() {
            return None;
        }
        let by_hand = steps.iter().all(|s| matches!(s, Step::JoinGroup(g) if ours.contains(g)));
        let because = if by_hand { hand_made("groups") } else { Because::Birthright { unit: self.desired.unit_name.clone() } };
        Some(Action { kind: ActionKind::Groups, because, steps })
    }

    fn groups_missing(&self) -> impl Iterator<Item = Dn> {
        self.desired.groups.iter().filter(|g| !self.seen.groups.contains(g)).cloned()
    }

    pub(super) fn groups_below_base(&self) -> impl Iterator<Item = &Dn> {
        self.seen.groups.iter().filter(|g| g.is_within(&self.facts.policy.base))
    }
}
