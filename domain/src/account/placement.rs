//! Unit -> OU, unit -> birthright groups, unit -> managed or only observed. All of it settings; nothing of it guessed.
use super::directory::Dn;
use crate::staff::{Unit, UnitCode, UnitKind, Units};
use crate::text;
use serde::{Deserialize, Serialize};

/// What a rule asks of the unit; every part that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    pub kind: Option<UnitKind>,
    /// The unit or anything below it.
    pub unit: Option<UnitCode>,
    /// Plate number.
    pub province: Option<u8>,
}

impl When {
    pub fn holds(&self, unit: &Unit, units: &Units) -> bool {
        self.kind.is_none_or(|k| k == unit.kind)
            && self.unit.is_none_or(|root| units.is_within(unit.code, root))
            && self.province.is_none_or(|p| units.province(unit.code).is_some_and(|q| q.plate() == p))
    }
}

/// `ou`: relative to the base; `{province_name}`, `{province}` (plate), `{top_unit}`, `{unit}` (short names), `{unit_code}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacementRule {
    #[serde(flatten)]
    pub when: When,
    pub ou: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRule {
    #[serde(default)]
    pub when: When,
    pub group: Dn,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Plan and report; write nothing.
    Observe,
    #[default]
    Manage,
}

/// The OU that the first matching rule gives, relative to nothing: a whole DN. `None`: no rule matches, or a
/// placeholder of the rule has no value for this unit.
pub fn ou(rules: &[PlacementRule], base: &Dn, unit: &Unit, units: &Units) -> Option<Dn> {
    let rule = rules.iter().find(|r| r.when.holds(unit, units))?;
    let mut out = String::new();
    let mut rest = rule.ou.as_str();
    while let Some(open) = rest.find('{') {
        let close = open + rest[open..].find('}')?;
        out.push_str(&rest[..open]);
        let province = units.province(unit.code);
        let value = match &rest[open + 1..close] {
            "province_name" => province?.name().to_owned(),
            "province" => province?.to_string(),
            "top_unit" => units.top(unit.code)?.short_name.to_string(),
            "unit" => unit.short_name.to_string(),
            "unit_code" => unit.code.to_string(),
            _ => return None,
        };
        // Why clip: `ou` holds 64 units.
        out.push_str(&Dn::escape(text::clip(&value, 64)));
        rest = &rest[close + 1..];
    }
    out.push_str(rest);
    Some(base.below(&out))
}
