//! User names and addresses: candidates in the policy's order, unique on the folded form, never given twice.
use crate::text;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The names that the ledger holds for a person.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Names {
    /// sAMAccountName and, before the `@`, the UPN.
    pub username: Arc<str>,
    /// Primary address, whole.
    pub mail: Arc<str>,
    /// Earlier primary addresses: they stay as aliases.
    pub aliases: Vec<Arc<str>>,
    /// The folded full name that they were made for: another one asks for another address.
    pub named_for: Arc<str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameKind {
    Username,
    /// Whole address, lower case.
    Address,
}

/// One line of the ledger of names ever given. (kind, folded) is unique for ever.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LedgerName {
    pub kind: NameKind,
    pub value: Arc<str>,
}

impl LedgerName {
    /// What must be unique: the directory may hold `şahin` and `sahin` equal, people certainly do.
    pub fn folded(&self) -> String {
        text::fold(&self.value)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NamePolicy {
    /// `{given}` all given names joined by dots, `{given1}` the first, `{g}` its first letter, `{family}` all family names
    /// joined, `{family1}` the last one; `{n}` a number from 2 on.
    pub username: Vec<String>,
    pub mail_domain: String,
    pub never: Vec<String>,
    /// Does a new surname change the user name too? (The address always follows.)
    pub rename_username: bool,
}

impl Default for NamePolicy {
    fn default() -> NamePolicy {
        NamePolicy {
            username: ["{given}.{family}", "{given1}.{family}", "{g}.{family}", "{g}{family}", "{given1}.{family}{n}"]
                .map(String::from)
                .into(),
            mail_domain: "csb.test".into(),
            never: ["admin", "administrator", "root", "test", "postmaster", "abuse"].map(String::from).into(),
            rename_username: false,
        }
    }
}

/// sAMAccountName's limit.
pub const MAX_USERNAME: usize = 20;
/// mailNickname's limit; the part of an address before the `@` may be as long (RFC 5321 4.5.3.1.1).
pub(super) const MAX_LOCAL_PART: usize = 64;
/// More people of one name than that in one ministry, and somebody should look.
const MAX_NUMBER: u32 = 9_999;

impl NamePolicy {
    /// User names in the order of preference, each valid; endless numbers come last. Empty where no letter is left of the name.
    pub fn usernames<'a>(&'a self, given: &str, family: &str) -> impl Iterator<Item = String> + 'a {
        self.candidates(given, family, MAX_USERNAME)
    }

    /// Parts before the `@`, in the order of preference; they may be longer than user names.
    pub fn local_parts<'a>(&'a self, given: &str, family: &str) -> impl Iterator<Item = String> + 'a {
        self.candidates(given, family, MAX_LOCAL_PART)
    }

    fn candidates<'a>(&'a self, given: &str, family: &str, max: usize) -> impl Iterator<Item = String> + 'a {
        let words = |name: &str| -> Vec<String> {
            let ascii = text::to_ascii(name);
            ascii.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_owned).collect()
        };
        let (given, family) = (words(given), words(family));
        let fill = move |pattern: &str, number: Option<u32>| -> Option<String> {
            let first = given.first().or(family.first())?;
            let mut name = pattern
                .replace("{given}", &given.join("."))
                .replace("{given1}", first)
                .replace("{g}", &first[..1])
                .replace("{family}", &family.join(""))
                .replace("{family1}", family.last().unwrap_or(first));
            let tail = number.map(|n| n.to_string()).unwrap_or_default();
            let numbered = name.contains("{n}");
            if numbered {
                // Why cut: a numbered name must exist for everybody, however long their name is.
                let stem = name.replace("{n}", "");
                name = stem[..stem.len().min(max - tail.len())].trim_end_matches('.').to_owned() + &tail;
            }
            let name = name.trim_matches('.').replace("..", ".");
            (!name.is_empty() && name.len() <= max).then_some(name)
        };
        let (numbered, plain): (Vec<&String>, Vec<&String>) = self.username.iter().partition(|p| p.contains("{n}"));
        let fallback = (numbered.is_empty()).then(|| "{given1}.{family}{n}".to_owned());
        let numbered: Vec<String> = numbered.into_iter().cloned().chain(fallback).collect();
        let plain: Vec<String> = plain.into_iter().filter_map(|p| fill(p, None)).collect();
        plain
            .into_iter()
            .chain((2..=MAX_NUMBER).flat_map(move |n| numbered.iter().filter_map(|p| fill(p, Some(n))).collect::<Vec<_>>()))
            .filter(|name| !self.never.iter().any(|n| text::fold(n) == *name))
    }

    pub fn address(&self, local_part: &str) -> Arc<str> {
        format!("{local_part}@{}", self.mail_domain).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(given: &str, family: &str, n: usize) -> Vec<String> {
        NamePolicy::default().usernames(given, family).take(n).collect()
    }

    #[test]
    fn candidates_follow_the_policy() {
        assert_eq!(
            first("Mehmet Ali", "Yılmaz", 6),
            ["mehmet.ali.yilmaz", "mehmet.yilmaz", "m.yilmaz", "myilmaz", "mehmet.yilmaz2", "mehmet.yilmaz3"]
        );
        assert_eq!(first("Muhammed Emin", "Karaosmanoğlu", 2), ["m.karaosmanoglu", "mkaraosmanoglu"]);
        assert_eq!(first("İIıŞ", "Öç Ğü", 1), ["iiis.ocgu"]);
    }

    #[test]
    fn the_longest_name_still_gets_numbered_ones() {
        let names = first("Abdurrahmangazi", "Karamustafapaşaoğlu", 3);
        assert!(names.iter().all(|n| n.len() <= 20 && n.is_ascii()), "{names:?}");
        assert_eq!(names.len(), 3);
    }

    #[test]
    fn a_name_without_any_letter_that_fits_gets_none_and_forbidden_ones_are_left_out() {
        assert!(first("王", "小明", 3).is_empty());
        let policy = NamePolicy { username: vec!["{given1}".into()], ..NamePolicy::default() };
        assert_eq!(policy.usernames("Root", "").next().as_deref(), Some("root2"));
    }
}
