//! What is asked of the book of cards: words, filters, order.
use crate::account::AccountState;
use crate::staff::unit::Province;
use crate::staff::{EmploymentStatus, PostingKind, RegistryNo, UnitCode, UnitKind};
use crate::text;

/// Each that is set must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardFilter {
    /// As [`asked_words`] makes them: each the beginning of a word of the name.
    pub words: Vec<String>,
    pub units: Option<Vec<UnitCode>>,
    pub include_subunits: bool,
    pub provinces: Option<Vec<Province>>,
    pub unit_kind: Option<UnitKind>,
    /// Folded.
    pub titles: Option<Vec<String>>,
    pub posting_kinds: Option<Vec<PostingKind>>,
    /// Whose manager this is.
    pub manager: Option<RegistryNo>,
    pub account_states: Option<Vec<AccountState>>,
    pub statuses: Option<Vec<EmploymentStatus>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CardOrder {
    /// Family name, given name.
    #[default]
    Name,
    Title,
    Unit,
    /// What changed last comes first.
    Updated,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitFilter {
    pub words: Vec<String>,
    pub kind: Option<UnitKind>,
    pub provinces: Option<Vec<Province>>,
    /// Directly below this one.
    pub parent: Option<UnitCode>,
}

fn separates(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '-' | '\'' | '’' | '.' | ',' | '(' | ')' | '/')
}

/// Folded words, a blank before each.
pub fn words_of(name: &str) -> String {
    let folded = text::fold(name);
    folded.split(separates).filter(|w| !w.is_empty()).flat_map(|w| [" ", w]).collect()
}

/// What somebody typed, as words to look for.
pub fn asked_words(search: &str) -> Vec<String> {
    text::fold(search).split(separates).filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

/// Does each of `asked` begin a word of `words` (of [`words_of`])?
pub fn holds_words(words: &str, asked: &[String]) -> bool {
    asked.iter().all(|asked| words.match_indices(asked.as_str()).any(|(at, _)| at > 0 && words.as_bytes()[at - 1] == b' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_a_name_is_a_word_to_search_for() {
        assert_eq!(words_of("Ayşe-Nur IŞIK O'Neil"), " ayse nur isik o neil");
        assert_eq!(words_of("  "), "");
    }

    #[test]
    fn the_beginnings_of_words_are_found_however_they_are_written() {
        let finds = |name: &str, search: &str| holds_words(&words_of(name), &asked_words(search));
        for search in ["ŞAHİN", "Şahin", "sahin", "şa", "ay sah", "gul-hanim SAHIN"] {
            assert!(finds("Aylin Gül-Hanım Şahin", search), "{search}");
        }
        for search in ["ahin", "sahinn", "ay veli", "ylin"] {
            assert!(!finds("Aylin Gül-Hanım Şahin", search), "{search}");
        }
        assert!(finds("100% A_b", "a_"));
        assert!(!finds("Ada Can", "%"));
        assert!(!finds("Ada Can", "_"));
    }
}
