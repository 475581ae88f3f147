//! What of the attributes differs, as the directory compares: names and card.
use super::photo::{held, written};
use super::{Difference, hand_made, same_common_name};
use crate::account::{AccountState, Attribute, Change, Value};
use crate::lifecycle::desired::{self, issue};
use crate::lifecycle::plan::{Action, ActionKind, Step};
use crate::lifecycle::reason::Because;
use crate::staff::{DataIssue, IssueKind};
use crate::text;
use std::collections::BTreeSet;
use std::sync::Arc;

impl Difference<'_> {
    /// Changes of the attributes that `wanted` picks.
    pub(super) fn changes(&self, wanted: impl Fn(Attribute) -> bool) -> Vec<Change> {
        // Why: an e-mail address policy of Exchange writes them back; two masters would fight for ever.
        self.differing(|a| wanted(a) && !(self.seen.address_policy && a.is_address()))
    }

    pub(super) fn differing(&self, wanted: impl Fn(Attribute) -> bool) -> Vec<Change> {
        self.owned().filter(|a| wanted(*a)).filter_map(|a| self.change(a)).collect()
    }

    /// What Kimlik keeps of this account: of a closed one only that it is hidden.
    pub(super) fn owned(&self) -> impl Iterator<Item = Attribute> {
        let exchange = self.facts.policy.exchange;
        let kept = |a: Attribute| self.desired.state != AccountState::Closed || a == Attribute::HideFromAddressLists;
        let all = Attribute::ALL.iter().copied().chain([Attribute::Photo]);
        let all = all.filter(move |a| (exchange || !a.needs_exchange()) && kept(*a));
        all.filter(|a| self.owns(*a) && !(*a == Attribute::Manager && self.awaits_manager()))
    }

    pub(super) fn change(&self, attribute: Attribute) -> Option<Change> {
        change(attribute, held(self.record, self.seen, attribute).as_ref(), self.desired.attributes.get(attribute), &self.desired.lapsed)
    }

    /// By the settings: an attribute without a rule is somebody else's, and so is a mailbox that Kimlik did not make.
    fn owns(&self, attribute: Attribute) -> bool {
        let policy = self.facts.policy;
        if attribute == Attribute::Photo {
            self.owns_photo()
        } else if attribute.is_mapped() {
            policy.mapping.owns(attribute)
        } else {
            !attribute.is_remote_mailbox() || policy.mailboxes.owns(attribute, &self.seen.attributes)
        }
    }

    /// What mail needs and Kimlik may not put right.
    pub(super) fn review_mail(&self, issues: &mut Vec<DataIssue>) {
        let (policy, person) = (self.facts.policy, &self.record.person);
        if let Some(message) = policy.exchange.then(|| policy.mailboxes.foreign(&self.seen.attributes)).flatten() {
            issues.push(issue(IssueKind::ForeignMailbox, person, self.facts, message));
        }
        if !self.seen.address_policy {
            return;
        }
        let differing: Vec<&str> =
            Attribute::ALL.iter().filter(|a| a.is_address() && self.change(**a).is_some()).map(|a| a.ldap_name()).collect();
        if !differing.is_empty() {
            let message = format!(
                "an e-mail address policy of Exchange writes {}: exclude this recipient from it, or let the policy make the same address",
                differing.join(", ")
            );
            issues.push(DataIssue { personnel_unit: None, ..issue(IssueKind::AddressPolicy, person, self.facts, message) });
        }
    }

    /// HR names a manager whose account is not known (yet), and the one that stands there is not of Kimlik's writing: in a
    /// takeover it is mostly the right one, and would be taken out and put in again.
    fn awaits_manager(&self) -> bool {
        let ours = self.applied().is_some_and(|a| a.attributes.get(Attribute::Manager).is_some());
        let named = desired::manager_of(&self.record.person, self.facts.units, self.facts.today).is_some();
        named && !ours && self.desired.attributes.get(Attribute::Manager).is_none()
    }

    pub(super) fn naming(&self) -> Option<Action> {
        let changes = self.changes(is_naming);
        let relocated = self.seen.ou() != self.desired.ou;
        let renamed = !relocated && !same_common_name(&self.seen.dn.name(), &self.desired.cn);
        if changes.is_empty() && !renamed {
            return None;
        }
        let because = if self.by_hand(&changes) && !changes.is_empty() {
            hand_made(&names_of(&changes))
        } else if changes.is_empty()
            && self
                .applied()
                .is_some_and(|a| a.attributes.text(Attribute::DisplayName) == self.desired.attributes.text(Attribute::DisplayName))
        {
            hand_made("the common name")
        } else if !renamed && self.only_lapsed(&changes) {
            Because::AliasesLapsed { addresses: self.desired.lapsed.join(", ").into() }
        } else if let Some(by) = self.ordered_names() {
            by
        } else {
            let from =
                self.applied().map(|a| &a.attributes).unwrap_or(&self.seen.attributes).text(Attribute::DisplayName).unwrap_or("").into();
            Because::NewName { from }
        };
        let mut steps = Vec::new();
        if !changes.is_empty() {
            steps.push(Step::Modify(changes));
        }
        if renamed {
            steps.push(self.relocate());
        }
        Some(Action { kind: ActionKind::Rename, because, steps })
    }

    /// Nothing but aliases are taken away whose term is over.
    fn only_lapsed(&self, changes: &[Change]) -> bool {
        matches!(changes, [Change { attribute: Attribute::ProxyAddresses, from: Some(_), to: None }]) && !self.desired.lapsed.is_empty()
    }

    /// Somebody ordered the names that it has, and the person is called as before.
    fn ordered_names(&self) -> Option<Because> {
        let order = self.account.renamed.as_ref()?;
        let shown = |attributes: &crate::account::Attributes| attributes.text(Attribute::DisplayName).map(str::to_owned);
        let before = self.applied().map(|a| &a.attributes).unwrap_or(&self.seen.attributes);
        let same = shown(before) == shown(&self.desired.attributes);
        same.then(|| Because::RenamedByOrder { by: order.by.clone(), reason: order.reason.clone() })
    }

    pub(super) fn card(&self) -> Option<Action> {
        let changes = self.changes(|a| !is_naming(a));
        if changes.is_empty() {
            return None;
        }
        let because = if self.by_hand(&changes) {
            hand_made(&names_of(&changes))
        } else if changes.iter().all(|c| c.attribute == Attribute::Manager) {
            Because::NewManager
        } else {
            self.new_place().unwrap_or_else(|| Because::NewCard { reason: self.reason() })
        };
        Some(Action { kind: ActionKind::Update, because, steps: written(changes).collect() })
    }
}

/// Is it another value, as the directory compares?
pub fn is_another(attribute: Attribute, seen: Option<&Value>, wanted: Option<&Value>) -> bool {
    change(attribute, seen, wanted, &[]).is_some()
}

const fn is_naming(attribute: Attribute) -> bool {
    matches!(
        attribute,
        Attribute::Username
            | Attribute::UserPrincipalName
            | Attribute::DisplayName
            | Attribute::GivenName
            | Attribute::FamilyName
            | Attribute::Mail
            | Attribute::MailNickname
            | Attribute::ProxyAddresses
    )
}

fn names_of(changes: &[Change]) -> String {
    changes.iter().map(|c| c.attribute.ldap_name()).collect::<Vec<_>>().join(", ")
}

pub(super) fn change(attribute: Attribute, seen: Option<&Value>, wanted: Option<&Value>, lapsed: &[Arc<str>]) -> Option<Change> {
    match (attribute, seen, wanted) {
        (Attribute::ProxyAddresses, seen, Some(Value::List(wanted))) => proxies(seen, wanted, lapsed),
        // Why: not hidden is not hidden, said or unsaid.
        (Attribute::HideFromAddressLists, Some(Value::Text(seen)), None) if seen.as_ref() == "FALSE" => None,
        (_, Some(Value::Text(a)), Some(Value::Text(b))) if attribute.ignores_case() && a.eq_ignore_ascii_case(b) => None,
        _ if seen == wanted => None,
        _ => Some(Change { attribute, from: seen.cloned(), to: wanted.cloned() }),
    }
}

/// Kimlik's addresses are ensured, those of its own whose term is over are taken away, and another primary is demoted; other
/// aliases are left alone: mail may still come there.
fn proxies(seen: Option<&Value>, wanted: &[Arc<str>], lapsed: &[Arc<str>]) -> Option<Change> {
    let seen: &[Arc<str>] = match seen {
        Some(Value::List(values)) => values,
        _ => &[],
    };
    let address = |proxy: &str| text::fold(proxy.split_once(':').map_or(proxy, |(_, a)| a));
    let is_wanted = |proxy: &str| wanted.iter().any(|w| address(w) == address(proxy));
    let is_lapsed = |proxy: &str| lapsed.iter().any(|l| address(l) == address(proxy)) && !is_wanted(proxy);
    let wrong = |s: &&Arc<str>| {
        let clash = wanted.iter().any(|w| w != *s && address(w) == address(s));
        clash || (s.starts_with("SMTP:") && !wanted.contains(s)) || is_lapsed(s)
    };
    let removed: Vec<Arc<str>> = seen.iter().filter(wrong).cloned().collect();
    let mut added: BTreeSet<Arc<str>> = wanted.iter().filter(|w| !seen.contains(w)).cloned().collect();
    for demoted in &removed {
        if !is_wanted(demoted) && !is_lapsed(demoted) {
            added.insert(format!("smtp:{}", &demoted[5..]).into());
        }
    }
    if removed.is_empty() && added.is_empty() {
        return None;
    }
    let list = |values: Vec<Arc<str>>| (!values.is_empty()).then(|| Value::list(values));
    Some(Change { attribute: Attribute::ProxyAddresses, from: list(removed), to: list(added.into_iter().collect()) })
}
