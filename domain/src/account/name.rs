//! User names and addresses: candidates in the policy's order, unique on the folded form, never given twice.
use crate::day::Day;
use crate::text;
use chrono::Days;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The names that the ledger holds for a person.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Names {
    /// sAMAccountName and, before the `@`, the UPN.
    pub username: Arc<str>,
    /// Primary address, whole.
    pub mail: Arc<str>,
    /// Earlier primary addresses: they stay as aliases, for ever or for a term, and the person's for ever.
    pub aliases: Vec<Arc<str>>,
    /// Since when each is an earlier one. What is not in it became one before terms were counted, and is kept for ever.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub aliases_since: BTreeMap<Arc<str>, Day>,
    /// The folded full name that they were made for: another one asks for another address.
    pub named_for: Arc<str>,
}

impl Names {
    /// Another primary address from this day on; the one before becomes an alias, unless it is somebody else's by now.
    pub fn readdress(&mut self, mail: Arc<str>, on: Day, keeps_former: bool) {
        let former = std::mem::replace(&mut self.mail, mail);
        self.aliases.retain(|alias| *alias != self.mail && *alias != former);
        if keeps_former {
            self.aliases_since.insert(former.clone(), on);
            self.aliases.push(former);
        }
        self.forget_terms();
    }

    pub fn without_aliases(self) -> Names {
        Names { aliases: Vec::new(), aliases_since: BTreeMap::new(), ..self }
    }

    /// After aliases were taken out.
    pub fn forget_terms(&mut self) {
        self.aliases_since.retain(|alias, _| self.aliases.contains(alias));
    }

    /// The first day on which an alias is not kept any more; `None`: it is kept for ever.
    fn ends(&self, alias: &str, keep_days: Option<u32>) -> Option<Day> {
        self.aliases_since.get(alias)?.checked_add_days(Days::new(keep_days?.into()))
    }

    /// Aliases under which mail comes on a day.
    pub fn kept(&self, keep_days: Option<u32>, today: Day) -> impl Iterator<Item = &Arc<str>> {
        self.aliases.iter().filter(move |alias| self.ends(alias, keep_days).is_none_or(|end| today < end))
    }

    /// Aliases whose term is over on a day.
    pub fn lapsed(&self, keep_days: Option<u32>, today: Day) -> impl Iterator<Item = &Arc<str>> {
        self.aliases.iter().filter(move |alias| self.ends(alias, keep_days).is_some_and(|end| end <= today))
    }

    /// The next day on which a term is over.
    pub fn next_end(&self, keep_days: Option<u32>, today: Day) -> Option<Day> {
        self.aliases.iter().filter_map(|alias| self.ends(alias, keep_days)).filter(|end| *end > today).min()
    }
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
    /// So long an earlier address goes on taking mail; `None`: for ever. Nobody else gets it, either way.
    pub keep_aliases_days: Option<u32>,
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
            keep_aliases_days: None,
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
    fn an_earlier_address_is_kept_for_its_term_and_the_one_that_comes_back_has_none() {
        let day = |text| crate::day::parse(text).unwrap();
        let [maiden, married, again]: [Arc<str>; 3] = ["ayse.sahin@x", "ayse.oz@x", "ayse.can@x"].map(Arc::from);
        let mut names = Names {
            username: "ayse.sahin".into(),
            mail: maiden.clone(),
            aliases: vec!["ayse@x".into()],
            aliases_since: BTreeMap::new(),
            named_for: "ayse sahin".into(),
        };
        names.readdress(married.clone(), day("2026-12-01"), true);
        let kept = |names: &Names, keep, on| names.kept(keep, day(on)).map(|a| a.to_string()).collect::<Vec<_>>();
        assert_eq!(kept(&names, None, "2099-01-01"), ["ayse@x", "ayse.sahin@x"]);
        assert_eq!(kept(&names, Some(365), "2027-11-30"), ["ayse@x", "ayse.sahin@x"]);
        assert_eq!(kept(&names, Some(365), "2027-12-01"), ["ayse@x"], "what became an alias before terms were counted stays");
        assert_eq!(names.lapsed(Some(365), day("2027-12-01")).collect::<Vec<_>>(), [&maiden]);
        assert_eq!(names.next_end(Some(365), day("2026-12-01")), Some(day("2027-12-01")));
        assert_eq!(names.next_end(Some(365), day("2027-12-01")), None);
        names.readdress(again, day("2028-01-01"), false);
        assert_eq!(names.aliases, ["ayse@x".into(), maiden.clone()], "what is somebody else's by now is no alias");
        names.readdress(maiden, day("2028-02-01"), true);
        assert_eq!(names.lapsed(Some(1), day("2099-01-01")).map(AsRef::as_ref).collect::<Vec<_>>(), ["ayse.can@x"]);
        assert_eq!(names.aliases_since.len(), 1);
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
