//! How connected systems stand: what was looked at, what was found, since when, and how far behind it is. A finding is a kind with its
//! values; words are made when somebody reads it.
pub mod kind; // what can be found, in both languages
pub mod standing; // since when
pub mod subject; // what can be looked at

use crate::message::Language;
use crate::text::phrase::fill;
use chrono::{DateTime, Utc};
pub use kind::Kind;
use std::fmt::Display;
pub use subject::Subject;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    Good,
    /// Works, and somebody should look.
    Doubtful,
    Broken,
}

/// What tells how far behind something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LagOf {
    /// When the last delivery was taken in.
    LastDelivery,
    /// When everybody was last looked at.
    LastFullLook,
    /// When the oldest of what waits began to wait.
    OldestWaiting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lag {
    pub of: LagOf,
    pub at: DateTime<Utc>,
}

/// One thing that was looked at, and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub about: Subject,
    /// Which of those: an address, a DN, a setting; empty where there is one only.
    pub name: String,
    pub kind: Kind,
    /// For the holes of the kind's words.
    pub values: Vec<String>,
    pub lag: Option<Lag>,
    /// Where whoever looked knows better than a row of looks could tell.
    pub since: Option<DateTime<Utc>>,
    /// Where the name alone does not tell two apart.
    part: String,
}

impl Finding {
    pub fn new(about: Subject, name: impl Display, kind: Kind, values: &[&dyn Display]) -> Finding {
        let values = values.iter().map(ToString::to_string).collect();
        Finding { about, name: name.to_string(), kind, values, lag: None, since: None, part: String::new() }
    }

    /// `at`: `None` where nothing waits, or it never was.
    pub fn lagging(self, of: LagOf, at: Option<DateTime<Utc>>) -> Finding {
        Finding { lag: at.map(|at| Lag { of, at }), ..self }
    }

    pub fn since(self, since: Option<DateTime<Utc>>) -> Finding {
        Finding { since, ..self }
    }

    pub fn part(self, part: impl Display) -> Finding {
        Finding { part: part.to_string(), ..self }
    }

    pub fn health(&self) -> Health {
        self.kind.health()
    }

    /// What was looked at: "domain controller ldaps://dc1.csb.test:636".
    pub fn about(&self, language: Language) -> String {
        fill(self.about.words(language), &[&self.name])
    }

    pub fn found(&self, language: Language) -> String {
        self.said(self.kind.found(language))
    }

    /// What to do, in the imperative; empty where all is well.
    pub fn mend(&self, language: Language) -> String {
        self.said(self.kind.mend(language))
    }

    fn said(&self, words: &str) -> String {
        fill(words, &self.values.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The same for the same thing at every look, in every process.
    pub fn key(&self) -> String {
        let parts = [self.about.name(), self.name.as_str(), self.part.as_str()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_said_in_the_language_of_whoever_reads_it_and_a_neighbours_words_stay() {
        let finding = Finding::new(Subject::Controller, "ldaps://dc1.csb.test", Kind::ControllerUnreachable, &[&"connection refused"]);
        assert_eq!(finding.about(Language::En), "domain controller ldaps://dc1.csb.test");
        assert_eq!(finding.found(Language::En), "not reachable: connection refused");
        assert_eq!(finding.about(Language::Tr), "etki alanı denetleyicisi ldaps://dc1.csb.test");
        assert_eq!(finding.found(Language::Tr), "ulaşılamıyor: connection refused");
        assert_eq!((finding.health(), finding.kind.name()), (Health::Broken, "CONTROLLER_UNREACHABLE"));
    }

    #[test]
    fn two_of_one_name_are_told_apart_by_their_part() {
        let of = |part: &str| Finding::new(Subject::Webhook, "hooks.csb.test", Kind::WebhookTold, &[]).part(part).key();
        assert_ne!(of("1"), of("2"));
        assert_eq!(of("1"), "WEBHOOK hooks.csb.test 1");
    }
}
