//! `[issues]`: within how many days what is wrong in what HR says is to be mended.
use super::{Config, Fault};
use kimlik_domain::staff::{IssueKind, MendTerms};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Issues {
    /// Kind of issue -> days; kinds that are not named keep the usual ones.
    pub mend_days: BTreeMap<String, u32>,
}

impl Issues {
    /// Of a checked configuration nothing is lost here.
    pub fn terms(&self) -> MendTerms {
        MendTerms(self.mend_days.iter().filter_map(|(kind, days)| Some((named(kind)?, *days))).collect())
    }
}

/// In any case: names of environment variables come in small letters.
fn named(kind: &str) -> Option<IssueKind> {
    IssueKind::parse(&kind.to_ascii_uppercase())
}

pub(super) fn check(config: &Config, faults: &mut Vec<Fault>) {
    for (kind, days) in &config.issues.mend_days {
        let setting = || format!("issues.mend_days.{kind}");
        if named(kind).is_none() {
            faults.push(Fault::new(
                setting(),
                "no kind of data issue",
                "write a DataIssueKind of the GraphQL schema, such as MISSING_MOBILE",
            ));
        }
        if *days > 365 {
            faults.push(Fault::new(setting(), days.to_string(), "write a number of days from 0 to 365"));
        }
    }
}
