//! Plans and steps as people read them: symbols, from -> to, the reason, a summary line. In English, which `words` says in Turkish.
use super::limits::{Budget, Exceeded};
use super::plan::{Action, ActionKind, PersonPlan, Step};
use super::words::{said, turkish_due};
use crate::account::{Change, Mode};
use crate::message::Language;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::{self, Write};

impl ActionKind {
    /// What stands before a line of a plan.
    pub const fn symbol(self) -> char {
        match self {
            ActionKind::Open | ActionKind::Reopen => '+',
            ActionKind::Close | ActionKind::Withdraw | ActionKind::CloseMailbox => '-',
            ActionKind::Move => '>',
            ActionKind::Suspend => '|',
            ActionKind::Enable | ActionKind::Reinstate => '^',
            ActionKind::Adopt => '=',
            ActionKind::Update | ActionKind::Groups | ActionKind::Rename => '~',
        }
    }
    pub const fn verb(self) -> &'static str {
        match self {
            ActionKind::Adopt => "adopt",
            ActionKind::Open => "open",
            ActionKind::Reopen => "reopen",
            ActionKind::Enable => "enable",
            ActionKind::Reinstate => "reinstate",
            ActionKind::Update => "update",
            ActionKind::Groups => "groups",
            ActionKind::Move => "move",
            ActionKind::Rename => "rename",
            ActionKind::Suspend => "suspend",
            ActionKind::Close => "close",
            ActionKind::Withdraw => "withdraw",
            ActionKind::CloseMailbox => "close mailbox",
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.attribute.ldap_name();
        match (&self.from, &self.to) {
            (Some(from), Some(to)) => write!(f, "{name}: {from} -> {to}"),
            (None, Some(to)) => write!(f, "{name}: -> {to}"),
            (Some(from), None) => write!(f, "{name}: {from} ->"),
            (None, None) => f.write_str(name),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Link(guid) => write!(f, "link account {guid}"),
            Step::Create(new) => {
                write!(f, "create {} in {}", new.cn, new.ou)?;
                new.attributes.iter().try_for_each(|(attribute, value)| write!(f, "\n{}: -> {value}", attribute.ldap_name()))
            }
            Step::SealPassword => f.write_str("set a random password that nobody sees"),
            Step::Modify(changes) => {
                for (i, change) in changes.iter().enumerate() {
                    write!(f, "{}{change}", if i == 0 { "" } else { "\n" })?;
                }
                Ok(())
            }
            Step::JoinGroup(group) => write!(f, "join group {}", group.name()),
            Step::LeaveGroup(group) => write!(f, "leave group {}", group.name()),
            Step::MoveTo { from, ou, cn } if from == ou => write!(f, "rename to {cn}"),
            Step::MoveTo { from, ou, .. } => write!(f, "move from {from} to {ou}"),
            Step::Disable => f.write_str("disable"),
            Step::Enable => f.write_str("enable"),
            Step::EndMail => f.write_str("have the mailbox closed by whoever makes mailboxes"),
        }
    }
}

impl Step {
    /// One line for a receipt: what was done, without the values.
    pub fn headline(&self) -> String {
        match self {
            Step::Create(new) => format!("create {} in {}", new.cn, new.ou),
            Step::Modify(changes) => format!("write {}", changes.iter().map(|c| c.attribute.ldap_name()).collect::<Vec<_>>().join(", ")),
            other => other.to_string(),
        }
    }
}

/// One action with its steps, indented.
pub fn action_text(action: &Action, language: Language) -> String {
    let mut out = format!("{} {:<9} because {}\n", action.kind.symbol(), action.kind.verb(), action.because);
    for step in &action.steps {
        for (i, line) in step.to_string().lines().enumerate() {
            let _ = writeln!(out, "      {}{line}", if i > 0 { "  " } else { "" });
        }
    }
    said(&out, language)
}

pub fn person_text(plan: &PersonPlan, language: Language) -> String {
    let place = plan.province.map_or("head office", |p| p.name());
    let mode = if plan.mode == Mode::Observe { " [observed only: nothing is written]" } else { "" };
    let mut out = format!("{} ({}), {place}{mode}\n", plan.name, plan.registry_no);
    for action in &plan.actions {
        for line in action_text(action, Language::En).lines() {
            let _ = writeln!(out, "  {line}");
        }
    }
    for issue in &plan.issues {
        let _ = writeln!(out, "  ! {}: {}", issue.kind.name(), issue.message);
    }
    said(&out, language)
}

/// `3 to open, 1 to move; 2 people looked at`
pub fn summary(counts: &BTreeMap<ActionKind, u32>, language: Language) -> String {
    if counts.is_empty() {
        return match language {
            Language::En => "Nothing to do: the directory is what it should be.".into(),
            Language::Tr => "Yapılacak bir şey yok: dizin olması gerektiği gibi.".into(),
        };
    }
    let part = |(kind, n): (&ActionKind, &u32)| match language {
        Language::En => format!("{n} to {}", kind.verb()),
        Language::Tr => format!("{n} {}", turkish_due(*kind)),
    };
    let parts: Vec<String> = counts.iter().map(part).collect();
    format!("Plan: {}.", parts.join(", "))
}

/// What a limit counts, as it is told.
pub(super) fn plural(budget: Budget) -> &'static str {
    match budget {
        Budget::Open => "openings",
        Budget::Update => "card updates",
        Budget::Move => "moves",
        Budget::Rename => "renames",
        Budget::Suspend => "suspensions",
        Budget::Close => "closings",
        Budget::Adopt => "takeovers of existing accounts",
        Budget::Mailbox => "closings of mailboxes",
    }
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.cap.scope.map_or("in the ministry".to_owned(), |p| format!("in {}", p.name()));
        let what = plural(self.cap.budget);
        if self.pending == 0 {
            return write!(f, "a hold on {what} {place} is open");
        }
        write!(f, "{} {what} are due {place}, {} were done within a day, {} are allowed", self.pending, self.spent, self.cap.at_most)
    }
}

pub fn person_json(plan: &PersonPlan) -> serde_json::Value {
    json!({
        "registryNo": plan.registry_no, "name": plan.name, "province": plan.province.map(|p| p.name()),
        "observedOnly": plan.mode == Mode::Observe,
        "actions": plan.actions.iter().map(|a| json!({
            "kind": a.kind.name(), "because": a.because.to_string(), "digest": a.digest(),
            "steps": a.steps.iter().map(|s| s.to_string()).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "issues": plan.issues.iter().map(|i| json!({ "kind": i.kind.name(), "message": i.message })).collect::<Vec<_>>(),
    })
}
