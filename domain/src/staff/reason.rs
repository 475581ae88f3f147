//! HR's reason codes and what each does to an account. HR's own numbers (HİTAP) are built in; settings add or replace.
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// What a reason code does. The dates still decide *when*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Entry or return: an account is opened, or the old one comes back.
    Open,
    /// Nothing happens to the account's state ("left there, not yet arrived here" is one of these).
    Keep,
    Move,
    /// Leave without pay, military service, removal from duty: disabled, comes back by itself.
    Suspend,
    Reinstate,
    /// Closed the day after the last day in service.
    Close,
    /// Closed at once, whatever the last day.
    CloseNow,
    /// A hire that HR takes back.
    Withdraw,
    /// A person decides; until then nothing changes.
    Hold,
}

impl Effect {
    pub fn parse(name: &str) -> Option<Effect> {
        serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
    }
}

/// The table. Unknown codes hold: a code that nobody has explained never closes anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reasons(HashMap<Box<str>, Effect>);

/// HİTAP numbers (facts/domain.md 5.1 of the project's sources; 2016 state of the public list).
const HITAP: &[(&str, Effect)] = &[
    ("1", Effect::Open),
    ("2", Effect::Open),
    ("3", Effect::Open),
    ("214", Effect::Open),
    ("71", Effect::Move),
    ("72", Effect::Open),
    ("69", Effect::Keep),
    ("70", Effect::Close),
    ("117", Effect::Keep),
    ("1126", Effect::Keep),
    ("118", Effect::Keep),
    ("1364", Effect::Keep),
    ("119", Effect::Keep),
    ("120", Effect::Keep),
    ("124", Effect::Open),
    ("262", Effect::Open),
    ("263", Effect::Open),
    ("121", Effect::Keep),
    ("213", Effect::Keep),
    ("341", Effect::Keep),
    ("360", Effect::Keep),
    ("108", Effect::Suspend),
    ("112", Effect::Reinstate),
    ("115", Effect::Suspend),
    ("116", Effect::Reinstate),
    ("111", Effect::Suspend),
    ("221", Effect::Suspend),
    ("222", Effect::Reinstate),
    ("237", Effect::Suspend),
    ("412", Effect::Reinstate),
    ("96", Effect::Close),
    ("97", Effect::Close),
    ("104", Effect::Close),
    ("105", Effect::Close),
    ("49", Effect::Close),
    ("50", Effect::Close),
    ("51", Effect::Close),
    ("52", Effect::Close),
    ("53", Effect::Close),
    ("54", Effect::Close),
    ("55", Effect::Close),
    ("56", Effect::Close),
    ("57", Effect::Close),
    ("58", Effect::Close),
    ("59", Effect::Close),
    ("60", Effect::Close),
    ("63", Effect::CloseNow),
    ("64", Effect::CloseNow),
    ("65", Effect::CloseNow),
    ("66", Effect::CloseNow),
    ("67", Effect::CloseNow),
    ("1130", Effect::CloseNow),
    ("148", Effect::CloseNow),
    ("150", Effect::CloseNow),
];

impl Default for Reasons {
    fn default() -> Reasons {
        Reasons(HITAP.iter().map(|(code, effect)| ((*code).into(), *effect)).collect())
    }
}

impl Reasons {
    /// The built-in table with `changes` laid over it.
    pub fn with(changes: impl IntoIterator<Item = (String, Effect)>) -> Reasons {
        let mut reasons = Reasons::default();
        reasons.0.extend(changes.into_iter().map(|(code, effect)| (code.into_boxed_str(), effect)));
        reasons
    }

    /// All codes in order: two tables are equal exactly if these are.
    pub fn listed(&self) -> Vec<(&str, Effect)> {
        let mut listed: Vec<_> = self.0.iter().map(|(code, effect)| (&**code, *effect)).collect();
        listed.sort_unstable_by_key(|(code, _)| *code);
        listed
    }

    /// `None`: the code is unknown.
    pub fn effect(&self, code: &str) -> Option<Effect> {
        self.0.get(code).copied()
    }
}
