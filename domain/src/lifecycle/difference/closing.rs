//! The door is shut: account, authorizations, mailbox.
use super::Difference;
use crate::account::{AccountState, Attribute, Change, Sealed, Value};
use crate::lifecycle::plan::{Action, ActionKind, Step};
use crate::lifecycle::reason::Because;
use crate::mailbox::{self, Mailboxes, Stands};
use crate::staff::DataIssue;

impl Difference<'_> {
    /// Disables first, then password, groups, hiding, move: the door is shut before the house is tidied.
    pub(super) fn closing(&self, issues: &mut Vec<DataIssue>) -> Vec<Action> {
        let mut steps = Vec::new();
        let mut by_hand = Vec::new();
        if self.seen.enabled {
            steps.push(Step::Disable);
            by_hand.push("the enabled state");
        }
        if self.account.sealed != Sealed::Closing || self.seen.enabled {
            steps.push(Step::SealPassword);
        }
        let groups: Vec<Step> = self.groups_below_base().map(|g| Step::LeaveGroup(g.clone())).collect();
        if !groups.is_empty() {
            by_hand.push("groups");
        }
        steps.extend(groups);
        let closed_already = self.account.state == AccountState::Closed;
        // Why: whoever closes a mailbox may take all of it away, and what is no recipient is in no address list.
        let recipient = !closed_already || self.seen.attributes.get(Attribute::MailNickname).is_some();
        let hidden = self.seen.attributes.text(Attribute::HideFromAddressLists) == Some("TRUE");
        if self.facts.policy.exchange && recipient && !hidden {
            by_hand.push("hiding from the address book");
            steps.push(Step::Modify(vec![Change {
                attribute: Attribute::HideFromAddressLists,
                from: self.seen.attributes.get(Attribute::HideFromAddressLists).cloned(),
                to: Some(Value::text("TRUE")),
            }]));
        }
        if self.seen.ou() != self.desired.ou {
            by_hand.push("the place");
            steps.push(self.relocate());
        }
        if steps.is_empty() && closed_already {
            return self.mail_closing(issues).into_iter().collect();
        }
        let because =
            if closed_already { Because::ChangedByHand { what: by_hand.join(", ").into() } } else { self.desired.because.clone() };
        let kind = if self.desired.withdrawn { ActionKind::Withdraw } else { ActionKind::Close };
        vec![Action { kind, because, steps }]
    }

    /// The retention of a leaver's mailbox is over.
    fn mail_closing(&self, issues: &mut Vec<DataIssue>) -> Option<Action> {
        let since = self.desired.mail_ended?;
        let steps = match self.facts.policy.mailboxes {
            Mailboxes::None => return None,
            Mailboxes::Remote { .. } => vec![Step::Modify(self.unmarking(issues)?)],
            // Why only what is seen to stand: who never had a mailbox would be counted, and held, with those who have one.
            Mailboxes::Command => {
                let stands = matches!(self.record.mailbox, Some(Stands::Open | Stands::Hidden));
                (stands && !mailbox::may_close(self.account, since)).then(|| vec![Step::EndMail])?
            }
        };
        Some(Action { kind: ActionKind::CloseMailbox, because: Because::RetentionOver { since }, steps })
    }

    /// What makes the account a recipient is taken away, X500 addresses apart: mail from now on comes back to its sender.
    fn unmarking(&self, issues: &mut Vec<DataIssue>) -> Option<Vec<Change>> {
        let marks = |a: &Attribute| a.is_remote_mailbox() && self.seen.attributes.get(*a).is_some();
        if !Attribute::ALL.iter().any(marks) {
            return None;
        }
        if self.facts.policy.mailboxes.foreign(&self.seen.attributes).is_some() {
            self.review_mail(issues);
            return None;
        }
        let given_up = |a: &Attribute| a.is_remote_mailbox() || (a.is_address() && !self.seen.address_policy);
        let given_up = Attribute::ALL.iter().copied().filter(given_up);
        Some(given_up.filter_map(|a| self.change(a)).collect())
    }
}
