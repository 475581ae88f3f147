//! A dry run: what would be done, for somebody to read. What is known of the whole comes first, the people by and by: 100,000
//! openings with all their values would take more memory than a run is given.
use super::describe;
use super::limits::Exceeded;
use super::look::{CHUNK, Look, Planned};
use super::plan::{Action, ActionKind, Digest, PersonPlan};
use super::words::said;
use crate::account::Names;
use crate::day::Day;
use crate::id::PersonId;
use crate::message::Language;
use crate::ports::PortResult;
use crate::staff::RegistryNo;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What a dry run says of everybody together.
#[derive(Clone, Debug)]
pub struct Overview {
    pub as_of: Day,
    pub looked_at: u32,
    pub counts: BTreeMap<ActionKind, u32>,
    pub exceeded: Vec<Exceeded>,
    pub observed_at: DateTime<Utc>,
}

/// Who has something to do or to mend: all that is kept of a large plan of which pages are asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    pub person: PersonId,
    pub registry_no: RegistryNo,
    pub changes: u8,
    /// Names that were proposed: planned alone, two people of one name would be proposed the same.
    pub proposed: Option<Box<Names>>,
}

/// A dry run of which pages are asked for.
#[derive(Clone, Debug)]
pub struct Outline {
    pub overview: Overview,
    /// Who has something to do or to mend, by registry number.
    pub heads: Vec<Head>,
    /// Of all changes, as [`super::plan::digest_of`].
    pub digest: String,
}

/// A dry run whose people are still to be shown.
pub struct Preview<'a> {
    pub overview: Overview,
    look: Look<'a>,
    shown: usize,
}

/// What would be done, and what of it exceeds a limit.
#[derive(Clone, Debug)]
pub struct Plan {
    pub overview: Overview,
    /// Those with something to do or to mend, by registry number.
    pub people: Vec<PersonPlan>,
}

impl<'a> Preview<'a> {
    pub(super) fn new(mut look: Look<'a>, exceeded: Vec<Exceeded>, observed_at: DateTime<Utc>) -> Preview<'a> {
        look.plans.retain(|p| !p.plan.is_empty() || !p.plan.issues.is_empty());
        look.plans.sort_unstable_by(|a, b| a.plan.registry_no.cmp(&b.plan.registry_no));
        let counts = count(look.plans.iter().flat_map(|p| &p.plan.actions));
        let overview = Overview { as_of: look.today, looked_at: look.looked_at, counts, exceeded, observed_at };
        Preview { overview, look, shown: 0 }
    }

    /// The next people with something to do or to mend, by registry number; `None` at the end.
    pub async fn next(&mut self) -> PortResult<Option<Vec<PersonPlan>>> {
        let some: Vec<&Planned> = self.look.plans.iter().skip(self.shown).take(CHUNK).collect();
        if some.is_empty() {
            return Ok(None);
        }
        let mut whole = self.look.of.complete(&self.look, &some).await?;
        let people = some.iter().map(|p| match whole.remove(&p.plan.person) {
            // Why not its issues too: those were found with more at hand.
            Some(again) => PersonPlan { issues: p.plan.issues.clone(), ..again.plan },
            None => p.plan.clone(),
        });
        let people: Vec<PersonPlan> = people.collect();
        self.shown += people.len();
        Ok(Some(people))
    }

    pub(super) fn outline(self) -> Outline {
        let mut digest = Digest::default();
        for planned in &self.look.plans {
            planned.digests.iter().for_each(|action| digest.add_digest(planned.plan.person, action));
        }
        Outline { heads: self.heads(), digest: digest.end(), overview: self.overview }
    }

    fn heads(&self) -> Vec<Head> {
        let head = |p: &Planned| Head {
            person: p.plan.person,
            registry_no: p.plan.registry_no.clone(),
            changes: u8::try_from(p.plan.actions.len()).unwrap_or(u8::MAX),
            proposed: p.proposed.clone(),
        };
        self.look.plans.iter().map(head).collect()
    }

    /// Everybody at once: where it is known that they are few.
    pub async fn whole(mut self) -> PortResult<Plan> {
        let mut people = Vec::with_capacity(self.look.plans.len());
        while let Some(some) = self.next().await? {
            people.extend(some);
        }
        Ok(Plan { overview: self.overview, people })
    }
}

impl Overview {
    /// What is said behind the people.
    pub fn text(&self, language: Language) -> String {
        let mut out = describe::summary(&self.counts, language);
        let _ = match language {
            Language::En => writeln!(out, " {} people looked at, as of {}.", self.looked_at, self.as_of),
            Language::Tr => writeln!(out, " {} itibarıyla {} kişiye bakıldı.", self.as_of, self.looked_at),
        };
        let held = match language {
            Language::En => "Will be held",
            Language::Tr => "Bekletilecek",
        };
        for exceeded in &self.exceeded {
            let _ = writeln!(out, "{held}: {}.", said(&exceeded.to_string(), language));
        }
        out
    }
    /// What is said before the people.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "asOf": self.as_of.to_string(), "observedAt": self.observed_at, "lookedAt": self.looked_at,
            "counts": self.counts.iter().map(|(k, n)| (k.name(), n)).collect::<BTreeMap<_, _>>(),
            "held": self.exceeded.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    }
}

impl Plan {
    pub fn text(&self) -> String {
        self.text_in(Language::En)
    }
    pub fn text_in(&self, language: Language) -> String {
        let people: String = self.people.iter().map(|p| describe::person_text(p, language) + "\n").collect();
        people + &self.overview.text(language)
    }
}

pub(super) fn count<'a>(actions: impl Iterator<Item = &'a Action>) -> BTreeMap<ActionKind, u32> {
    let mut counts = BTreeMap::new();
    actions.for_each(|a| *counts.entry(a.kind).or_default() += 1);
    counts
}
