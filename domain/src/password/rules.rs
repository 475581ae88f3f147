//! What a new password must be: the domain's rules, and that it is not one that everybody tries first.
use super::PasswordFacts;
use crate::text;
use chrono::{DateTime, TimeDelta, Utc};
use zxcvbn::feedback::Warning;

/// The rules that hold for an account: the domain's, or its own where a fine-grained policy gives it others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PasswordRules {
    pub minimum_length: u32,
    /// Three of: capitals, small letters, digits, other signs, letters without case; and no part of the owner's names.
    pub complexity: bool,
    /// So many passwords before this one are refused.
    pub history: u32,
    /// `None`: it may be changed again at once.
    pub minimum_age: Option<TimeDelta>,
    /// `None`: it never expires.
    pub maximum_age: Option<TimeDelta>,
}

/// Shorter ones are refused, whatever the directory would take.
const SHORTEST: u32 = 8;
/// unicodePwd takes no more; what is longer was not typed by a person.
pub const LONGEST: usize = 256;
/// Below this score of zxcvbn (0 to 4) a password is among the first that anybody tries.
const WEAKEST: u8 = 2;
/// Parts of a name that the directory looks for begin at this length ([MS-SAMR] 3.1.1.7.2).
const SHORTEST_PART: usize = 3;
/// What people here choose first, beside the lists that zxcvbn brings.
const COMMON: [&str; 20] = [
    "sifre",
    "parola",
    "sifrem",
    "parolam",
    "merhaba",
    "istanbul",
    "ankara",
    "turkiye",
    "galatasaray",
    "fenerbahce",
    "besiktas",
    "trabzonspor",
    "ataturk",
    "bakanlik",
    "memur",
    "personel",
    "hosgeldiniz",
    "qwertyui",
    "asdfgh",
    "canim",
];

/// A rule that a password breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Broken {
    TooShort,
    TooLong,
    /// Fewer than three kinds of characters.
    TooSimple,
    /// It holds the user name, or a part of the owner's name.
    HoldsName,
    /// Too easy to guess.
    Common,
    /// Only the directory knows: one of those before it, or refused by a rule that the directory does not tell.
    InHistory,
    /// It was changed a short while ago.
    TooYoung,
}

/// What makes a password easier to guess than its length tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// Keys that lie side by side.
    Keyboard,
    Repeats,
    Sequence,
    /// A year or another date.
    Date,
    /// Many people have it, or one like it.
    Known,
    /// One word by itself.
    Word,
    Name,
    /// Nothing by itself; there is too little of it.
    Little,
}

impl Hint {
    fn of(warning: Warning) -> Hint {
        match warning {
            Warning::StraightRowsOfKeysAreEasyToGuess | Warning::ShortKeyboardPatternsAreEasyToGuess => Hint::Keyboard,
            Warning::RepeatsLikeAaaAreEasyToGuess | Warning::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess => Hint::Repeats,
            Warning::SequencesLikeAbcAreEasyToGuess => Hint::Sequence,
            Warning::RecentYearsAreEasyToGuess | Warning::DatesAreOftenEasyToGuess => Hint::Date,
            Warning::ThisIsATop10Password
            | Warning::ThisIsATop100Password
            | Warning::ThisIsACommonPassword
            | Warning::ThisIsSimilarToACommonlyUsedPassword => Hint::Known,
            Warning::AWordByItselfIsEasyToGuess => Hint::Word,
            Warning::NamesAndSurnamesByThemselvesAreEasyToGuess | Warning::CommonNamesAndSurnamesAreEasyToGuess => Hint::Name,
        }
    }
}

/// How hard a password is to guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strength {
    /// 0 (at once) to 4.
    pub score: u8,
    /// What would make it stronger; `None`: it is strong.
    pub hint: Option<Hint>,
}

/// `words`: what a stranger knows of the ministry and of the owner.
pub fn strength(password: &str, words: &[&str]) -> Strength {
    // Why cut: the estimate takes longer the longer the text, and what is long is strong.
    let clipped = text::clip(password, 72);
    let known: Vec<&str> = words.iter().copied().chain(COMMON).collect();
    let folded = text::to_ascii(clipped).to_ascii_lowercase();
    let (plain, ascii) = (zxcvbn::zxcvbn(clipped, &known), zxcvbn::zxcvbn(&folded, &known));
    let weaker = if u8::from(ascii.score()) < u8::from(plain.score()) { ascii } else { plain };
    let hint = weaker.feedback().map(|feedback| feedback.warning().map_or(Hint::Little, Hint::of));
    Strength { score: weaker.score().into(), hint }
}

impl PasswordRules {
    /// As Kimlik keeps to them: not weaker than it must be.
    #[must_use]
    pub fn at_least(self) -> PasswordRules {
        PasswordRules { minimum_length: self.minimum_length.max(SHORTEST), ..self }
    }

    /// All that can be told before the directory is asked. Nobody's password (`None`): the rules that hold for everybody.
    pub fn broken(&self, password: &str, owner: Option<&PasswordFacts>, words: &[String]) -> Vec<Broken> {
        let mut broken = Vec::new();
        let length = text::utf16_len(password);
        if length < self.minimum_length as usize {
            broken.push(Broken::TooShort);
        }
        if length > LONGEST || password.contains('\0') {
            broken.push(Broken::TooLong);
        }
        if self.complexity && kinds(password) < 3 {
            broken.push(Broken::TooSimple);
        }
        if let Some(owner) = owner
            && self.complexity
            && holds_name(password, &owner.username, &owner.display_name)
        {
            broken.push(Broken::HoldsName);
        }
        let mut known: Vec<&str> = words.iter().map(String::as_str).collect();
        if let Some(owner) = owner {
            known.push(&owner.username);
            known.extend(owner.display_name.split_whitespace());
        }
        // Why not of a short one: that it is too short says it already.
        if length <= LONGEST && length >= self.minimum_length as usize && strength(password, &known).score < WEAKEST {
            broken.push(Broken::Common);
        }
        broken
    }

    /// May the owner change it again at `now`?
    pub fn is_too_young(&self, facts: &PasswordFacts, now: DateTime<Utc>) -> bool {
        match (self.minimum_age, facts.set_at) {
            (Some(age), Some(set)) => !facts.must_change && now - set < age,
            _ => false,
        }
    }
}

/// As the directory counts them: letters that have no case (the Arabic ones, say) are a kind of their own.
fn kinds(password: &str) -> usize {
    let kinds: [fn(char) -> bool; 5] = [
        char::is_uppercase,
        char::is_lowercase,
        char::is_numeric,
        |c| c.is_alphabetic() && !c.is_uppercase() && !c.is_lowercase(),
        |c| !c.is_alphanumeric(),
    ];
    kinds.iter().filter(|kind| password.chars().any(*kind)).count()
}

fn holds_name(password: &str, username: &str, display_name: &str) -> bool {
    let password = text::fold(password);
    let parts = display_name.split([',', '.', '-', '_', ' ', '#', '\t']).filter(|p| p.chars().count() >= SHORTEST_PART);
    let whole = (username.chars().count() >= SHORTEST_PART).then_some(username);
    whole.into_iter().chain(parts).any(|part| password.contains(&text::fold(part)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{AccountRef, Dn};
    use crate::id::AccountGuid;

    fn owner() -> PasswordFacts {
        PasswordFacts {
            account: AccountRef { guid: AccountGuid(uuid::Uuid::from_u128(1)), dn: Dn::new("CN=Ayşe Şahin,DC=test") },
            username: "ayse.sahin".into(),
            display_name: "Ayşe Şahin".into(),
            enabled: true,
            out_of_reach: None,
            smart_card: false,
            locked: false,
            must_change: false,
            expires_at: None,
            set_at: None,
        }
    }

    const RULES: PasswordRules =
        PasswordRules { minimum_length: 10, complexity: true, history: 24, minimum_age: Some(TimeDelta::days(1)), maximum_age: None };

    #[test]
    fn a_directory_that_takes_anything_gets_no_short_password_and_one_that_wants_more_is_obeyed() {
        let length = |minimum_length| PasswordRules { minimum_length, ..PasswordRules::default() }.at_least().minimum_length;
        assert_eq!([0, 7, 8, 14].map(length), [8, 8, 8, 14]);
        let lax = PasswordRules::default().at_least();
        assert_eq!(lax.broken("Kz9!vqT", None, &[]), [Broken::TooShort]);
        assert_eq!(lax.broken("kzvqtwmp", None, &[]), [], "and no kinds of characters, where the directory wants none");
    }

    #[test]
    fn each_rule_that_is_broken_is_named_and_no_other() {
        let broken = |password: &str| RULES.broken(password, Some(&owner()), &["csb".to_owned()]);
        assert_eq!(broken("Yagmur-7-Tren-Limon"), []);
        assert_eq!(broken("Kz9!vq"), [Broken::TooShort]);
        assert_eq!(broken("yagmurtrenlimonkoltuk"), [Broken::TooSimple]);
        assert_eq!(broken("SAHIN-7-tren-limon"), [Broken::HoldsName], "Ş and S are one to the directory");
        assert_eq!(broken("Şifre123456"), [Broken::Common]);
        assert_eq!(broken("Galatasaray1905"), [Broken::Common]);
        assert!(broken(&"Ab1-".repeat(65)).contains(&Broken::TooLong));
    }

    #[test]
    fn what_would_make_a_password_stronger_is_hinted_at_until_it_is_strong() {
        let hint = |password: &str| strength(password, &["csb"]).hint;
        assert_eq!(hint("asdfghjklş"), hint("asdfghjkls"), "Turkish letters hide nothing");
        assert_eq!(hint("zxcvbnm,."), Some(Hint::Keyboard));
        assert_eq!(hint("kbkbkbkbkb"), Some(Hint::Repeats));
        assert_eq!(hint("password1"), Some(Hint::Known));
        assert_eq!([hint("13-05-1991"), hint("abcdefgh2")], [Some(Hint::Date), Some(Hint::Sequence)]);
        assert_eq!(hint("csb"), Some(Hint::Little), "a word of the ministry's own");
        let strong = strength("Yagmur-7-Tren-Limon", &[]);
        assert_eq!((strong.score, strong.hint), (4, None));
    }

    #[test]
    fn a_password_is_young_for_the_minimum_age_unless_it_must_be_changed() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let mut facts = PasswordFacts { set_at: Some(now - TimeDelta::hours(23)), ..owner() };
        assert!(RULES.is_too_young(&facts, now));
        facts.must_change = true;
        assert!(!RULES.is_too_young(&facts, now));
        facts = PasswordFacts { set_at: Some(now - TimeDelta::hours(24)), ..owner() };
        assert!(!RULES.is_too_young(&facts, now));
    }
}
