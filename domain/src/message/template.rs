//! What messages say, in Turkish and English. Operators may change it; what they wrote is checked when Kimlik starts.
//!
//! The texts built in avoid the letters that GSM 7-bit lacks: they stay cheap and whole on every phone.
use super::{CODE, Language, Purpose, letter};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// What stands between braces in a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    Username,
    Mail,
    Portal,
    Code,
    Minutes,
    /// For how long the code of an announcement counts.
    Hours,
    Days,
    /// Open data issues; wrong passwords.
    Count,
    /// Those of them that keep newcomers waiting.
    Blocking,
    /// Those of them that should have been mended by now.
    Overdue,
    /// A line for each kind of them.
    Issues,
}

impl Slot {
    pub const ALL: &'static [Slot] = &[
        Slot::Username,
        Slot::Mail,
        Slot::Portal,
        Slot::Code,
        Slot::Minutes,
        Slot::Hours,
        Slot::Days,
        Slot::Count,
        Slot::Blocking,
        Slot::Overdue,
        Slot::Issues,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Slot::Username => "username",
            Slot::Mail => "mail",
            Slot::Portal => "portal",
            Slot::Code => "code",
            Slot::Minutes => "minutes",
            Slot::Hours => "hours",
            Slot::Days => "days",
            Slot::Count => "count",
            Slot::Blocking => "blocking",
            Slot::Overdue => "overdue",
            Slot::Issues => "issues",
        }
    }
    fn parse(name: &str) -> Option<Slot> {
        Slot::ALL.iter().copied().find(|s| s.name() == name)
    }
}

/// What is told, with everything that its template may show. The portal's address is the ministry's own and always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling<'a> {
    AccountOpened {
        username: &'a str,
        mail: &'a str,
    },
    ResetCode {
        minutes: u32,
    },
    UnlockCode {
        minutes: u32,
    },
    MobileConfirmCode {
        minutes: u32,
    },
    MobileChangedNotice {
        username: &'a str,
    },
    MobileRemovedNotice {
        username: &'a str,
    },
    PasswordChangedNotice {
        username: &'a str,
    },
    PinChangedNotice {
        username: &'a str,
    },
    /// `count`: wrong passwords before the right one.
    SignInNotice {
        username: &'a str,
        count: u32,
    },
    PasswordExpiring {
        username: &'a str,
        days: u32,
    },
    /// `issues`: our own words and figures, nothing that HR wrote.
    IssueDigest {
        count: u32,
        blocking: u32,
        overdue: u32,
        issues: &'a str,
    },
}

impl Telling<'_> {
    pub fn purpose(&self) -> Purpose {
        match self {
            Telling::AccountOpened { .. } => Purpose::AccountOpened,
            Telling::ResetCode { .. } => Purpose::ResetCode,
            Telling::UnlockCode { .. } => Purpose::UnlockCode,
            Telling::MobileConfirmCode { .. } => Purpose::MobileConfirmCode,
            Telling::MobileChangedNotice { .. } => Purpose::MobileChangedNotice,
            Telling::MobileRemovedNotice { .. } => Purpose::MobileRemovedNotice,
            Telling::PasswordChangedNotice { .. } => Purpose::PasswordChangedNotice,
            Telling::PinChangedNotice { .. } => Purpose::PinChangedNotice,
            Telling::SignInNotice { .. } => Purpose::SignInNotice,
            Telling::PasswordExpiring { .. } => Purpose::PasswordExpiring,
            Telling::IssueDigest { .. } => Purpose::IssueDigest,
        }
    }

    fn value(&self, slot: Slot) -> Option<String> {
        match (*self, slot) {
            (Telling::AccountOpened { mail, .. }, Slot::Mail) => Some(harmless(mail)),
            (
                Telling::AccountOpened { username, .. }
                | Telling::MobileChangedNotice { username }
                | Telling::MobileRemovedNotice { username }
                | Telling::PasswordChangedNotice { username }
                | Telling::PinChangedNotice { username }
                | Telling::SignInNotice { username, .. }
                | Telling::PasswordExpiring { username, .. },
                Slot::Username,
            ) => Some(harmless(username)),
            (Telling::ResetCode { minutes } | Telling::UnlockCode { minutes } | Telling::MobileConfirmCode { minutes }, Slot::Minutes) => {
                Some(minutes.to_string())
            }
            (Telling::PasswordExpiring { days, .. }, Slot::Days) => Some(days.to_string()),
            (Telling::IssueDigest { count, .. } | Telling::SignInNotice { count, .. }, Slot::Count) => Some(count.to_string()),
            (Telling::IssueDigest { blocking, .. }, Slot::Blocking) => Some(blocking.to_string()),
            (Telling::IssueDigest { overdue, .. }, Slot::Overdue) => Some(overdue.to_string()),
            (Telling::IssueDigest { issues, .. }, Slot::Issues) => Some(issues.to_owned()),
            _ => None,
        }
    }
}

/// A value cannot bring a placeholder, a line or a link's beginning into a text.
fn harmless(value: &str) -> String {
    value.chars().filter(|c| !c.is_control() && !matches!(c, '{' | '}' | '/')).collect()
}

/// Slots that a template for this purpose may use.
pub fn slots(purpose: Purpose) -> &'static [Slot] {
    match purpose {
        Purpose::AccountOpened => &[Slot::Username, Slot::Mail, Slot::Portal, Slot::Hours, Slot::Code],
        Purpose::ResetCode | Purpose::UnlockCode | Purpose::MobileConfirmCode => &[Slot::Minutes, Slot::Code, Slot::Portal],
        Purpose::MobileChangedNotice | Purpose::MobileRemovedNotice | Purpose::PasswordChangedNotice | Purpose::PinChangedNotice => {
            &[Slot::Username, Slot::Portal]
        }
        Purpose::SignInNotice => &[Slot::Username, Slot::Count, Slot::Portal],
        Purpose::PasswordExpiring => &[Slot::Username, Slot::Days, Slot::Portal],
        Purpose::IssueDigest => &[Slot::Count, Slot::Blocking, Slot::Overdue, Slot::Issues, Slot::Portal],
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateFault {
    #[error("{{{0}}} is not known here")]
    UnknownSlot(String),
    #[error("a brace is not closed, or closed without being opened")]
    Brace,
    #[error("{{code}} has to stand in it, once")]
    Code,
    #[error("{0:?} is a link with something in it that is not the ministry's own address")]
    Link(String),
    #[error("it is empty, too long, or has a control character in it")]
    Text,
    #[error("a subject is one line of at most 150 characters")]
    Subject,
    #[error("it carries a code, and codes do not go by e-mail")]
    NoLetter,
    #[error("it may take {parts} parts, and {most} are allowed")]
    TooLong { parts: u32, most: u32 },
}

/// Checks what an operator wrote.
pub fn check(purpose: Purpose, text: &str) -> Result<(), TemplateFault> {
    if text.trim().is_empty() || text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(TemplateFault::Text);
    }
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let inner = rest[at..].strip_prefix('{').and_then(|r| r.split_once('}')).ok_or(TemplateFault::Brace)?;
        let known = Slot::parse(inner.0).is_some_and(|s| slots(purpose).contains(&s));
        if !known {
            return Err(TemplateFault::UnknownSlot(inner.0.to_owned()));
        }
        rest = inner.1;
    }
    if text.matches(CODE).count() != usize::from(purpose.carries_code()) {
        return Err(TemplateFault::Code);
    }
    text.split_whitespace().try_for_each(|word| if link_is_own(word) { Ok(()) } else { Err(TemplateFault::Link(word.to_owned())) })
}

/// A phone makes a link of a word with `://` or `www.` in it: nothing but the portal's own address may be filled into one.
/// Why: a name that its owner chose would become an address in a text that the ministry signs.
fn link_is_own(word: &str) -> bool {
    let portal = "{portal}";
    let filled = word.contains('{') && word.trim_end_matches(['.', ',', ')', ';']) != portal;
    let looks_like_link = word.contains("://") || word.contains("www.") || word.contains('/') || word.contains(portal);
    !(filled && looks_like_link)
}

/// The texts in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Templates {
    texts: BTreeMap<(Purpose, Language), String>,
    /// Subject and text, of what may go by e-mail.
    pub(super) letters: BTreeMap<(Purpose, Language), (String, String)>,
    /// E-mail is carried: letters are written.
    pub carries_mail: bool,
    /// Where nobody says otherwise.
    pub language: Language,
    /// So long an announcement's code counts, from when it is sent.
    pub activation_hours: u32,
    portal: String,
}

impl Templates {
    /// The texts built in.
    pub fn new(portal: &str, language: Language) -> Templates {
        let both = |purpose: &Purpose| [Language::Tr, Language::En].map(|l| ((*purpose, l), built_in(*purpose, l).to_owned()));
        let letter =
            |(purpose, language)| letter::built_in(purpose, language).map(|(s, t)| ((purpose, language), (s.to_owned(), t.to_owned())));
        let texts: BTreeMap<_, _> = Purpose::ALL.iter().flat_map(both).collect();
        let letters = texts.keys().copied().filter_map(letter).collect();
        Templates { texts, letters, carries_mail: false, language, activation_hours: 72, portal: portal.to_owned() }
    }

    /// Takes an operator's text instead of the one built in.
    pub fn set(&mut self, purpose: Purpose, language: Language, text: &str) -> Result<(), TemplateFault> {
        check(purpose, text)?;
        self.texts.insert((purpose, language), text.to_owned());
        Ok(())
    }

    /// What is told, with [`CODE`] left where the code goes.
    pub fn compose(&self, telling: &Telling<'_>, language: Option<Language>) -> Zeroizing<String> {
        let purpose = telling.purpose();
        let language = language.unwrap_or(self.language);
        let text = self.texts.get(&(purpose, language)).map_or_else(|| built_in(purpose, language), String::as_str);
        self.told(text, telling)
    }

    pub(super) fn told(&self, text: &str, telling: &Telling<'_>) -> Zeroizing<String> {
        self.fill(text, |slot| telling.value(slot).unwrap_or_default())
    }

    fn fill(&self, text: &str, value: impl Fn(Slot) -> String) -> Zeroizing<String> {
        let mut out = Zeroizing::new(text.to_owned());
        for slot in Slot::ALL.iter().filter(|s| **s != Slot::Code) {
            let placeholder = format!("{{{}}}", slot.name());
            let value = match slot {
                Slot::Portal => self.portal.clone(),
                Slot::Hours => self.activation_hours.to_string(),
                slot => value(*slot),
            };
            out = Zeroizing::new(out.replace(&placeholder, &value));
        }
        out
    }

    /// Each text as it is at its longest, the code filled in: what the check of its length looks at.
    pub fn longest(&self) -> impl Iterator<Item = (Purpose, Language, Zeroizing<String>)> {
        self.texts.iter().map(|((purpose, language), text)| {
            let filled = self.fill(text, |slot| match slot {
                Slot::Username => "n".repeat(20),
                Slot::Mail => format!("{}@csb.gov.tr", "n".repeat(24)),
                Slot::Minutes | Slot::Days => "10".into(),
                Slot::Count | Slot::Blocking | Slot::Overdue => "10000".into(),
                Slot::Issues => "n".repeat(400),
                Slot::Portal | Slot::Hours | Slot::Code => String::new(),
            });
            let code = if *purpose == Purpose::AccountOpened { "00000000" } else { "000000" };
            (*purpose, *language, super::whole_text(&filled, Some(code)))
        })
    }
}

fn built_in(purpose: Purpose, language: Language) -> &'static str {
    use Language::{En, Tr};
    match (purpose, language) {
        (Purpose::AccountOpened, Tr) => {
            "Hesabiniz acildi. Kullanici adi: {username} E-posta: {mail} Parola belirleme: {portal} Etkinlestirme kodu ({hours} saat): {code}"
        }
        (Purpose::AccountOpened, En) => {
            "Your account is open. User name: {username} E-mail: {mail} Set your password: {portal} Activation code (for {hours} hours): {code}"
        }
        (Purpose::ResetCode, Tr) => "Parola sifirlama kodunuz: {code} ({minutes} dakika gecerli). Istek sizin degilse kimseye vermeyin.",
        (Purpose::ResetCode, En) => {
            "Your password reset code: {code} (valid for {minutes} minutes). If you did not ask for it, give it to nobody."
        }
        (Purpose::UnlockCode, Tr) => "Hesap kilidini acma kodunuz: {code} ({minutes} dakika gecerli). Kimseye vermeyin.",
        (Purpose::UnlockCode, En) => "Your code to unlock the account: {code} (valid for {minutes} minutes). Give it to nobody.",
        (Purpose::MobileConfirmCode, Tr) => "Cep telefonu onay kodunuz: {code} ({minutes} dakika gecerli). Kimseye vermeyin.",
        (Purpose::MobileConfirmCode, En) => {
            "Your code to confirm this mobile number: {code} (valid for {minutes} minutes). Give it to nobody."
        }
        (Purpose::MobileChangedNotice, Tr) => {
            "{username} hesabinin cep telefonu degistirildi. Siz yapmadiysaniz personel biriminize hemen bildirin."
        }
        (Purpose::MobileChangedNotice, En) => {
            "The mobile number of account {username} was changed. If it was not you, tell your personnel unit at once."
        }
        (Purpose::MobileRemovedNotice, Tr) => {
            "{username} hesabinin cep telefonu kayittan kaldirildi. Siz yapmadiysaniz personel biriminize hemen bildirin."
        }
        (Purpose::MobileRemovedNotice, En) => {
            "The mobile number of account {username} was removed. If it was not you, tell your personnel unit at once."
        }
        (Purpose::PasswordChangedNotice, Tr) => {
            "{username} hesabinin parolasi degistirildi. Siz yapmadiysaniz bilgi islem birimine hemen bildirin."
        }
        (Purpose::PasswordChangedNotice, En) => {
            "The password of account {username} was changed. If it was not you, tell the IT department at once."
        }
        (Purpose::PinChangedNotice, Tr) => {
            "{username} hesabinin PIN kodu degistirildi. Siz yapmadiysaniz bilgi islem birimine hemen bildirin."
        }
        (Purpose::PinChangedNotice, En) => "The PIN of account {username} was changed. If it was not you, tell the IT department at once.",
        (Purpose::SignInNotice, Tr) => {
            "{username} hesabiyla {count} yanlis paroladan sonra oturum acildi. Siz degilseniz parolanizi hemen degistirin: {portal}"
        }
        (Purpose::SignInNotice, En) => {
            "Somebody signed in as {username} after {count} wrong passwords. If it was not you, change your password at once: {portal}"
        }
        (Purpose::PasswordExpiring, Tr) => "{username} hesabinin parolasi {days} gun icinde doluyor. Yenilemek icin: {portal}",
        (Purpose::IssueDigest, Tr) => {
            "Personelinizin kayitlarinda {count} acik sorun var: {blocking} tanesi yeni personeli bekletiyor, {overdue} tanesi gecikti. Ayrinti: {portal}"
        }
        (Purpose::IssueDigest, En) => {
            "{count} open issues in the records of your people: {blocking} keep newcomers waiting, {overdue} are overdue. Details: {portal}"
        }
        (Purpose::PasswordExpiring, En) => "The password of account {username} expires within {days} days. To renew it: {portal}",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_built_in_pass_the_check_for_operators_and_fill_completely() {
        let templates = Templates::new("https://parola.csb.gov.tr", Language::Tr);
        for ((purpose, _), text) in &templates.texts {
            assert_eq!(check(*purpose, text), Ok(()), "{text}");
        }
        for (_, _, text) in templates.longest() {
            assert!(!text.contains('{'), "{}", *text);
        }
        assert_eq!(templates.texts.len(), Purpose::ALL.len() * 2);
    }

    #[test]
    fn what_an_operator_must_not_write_is_named() {
        let fault = |text: &str| check(Purpose::ResetCode, text).unwrap_err();
        assert_eq!(fault("Kod: {kod}"), TemplateFault::UnknownSlot("kod".into()));
        assert_eq!(fault("Kod: {username} {code}"), TemplateFault::UnknownSlot("username".into()));
        assert_eq!(fault("Kod: {code"), TemplateFault::Brace);
        assert_eq!(fault("Kod: code} {code}"), TemplateFault::Brace);
        assert_eq!(fault("Kod yok"), TemplateFault::Code);
        assert_eq!(fault("{code} {code}"), TemplateFault::Code);
        assert_eq!(fault("https://a.test/{code}"), TemplateFault::Link("https://a.test/{code}".into()));
        assert_eq!(fault("{portal}?k={code}"), TemplateFault::Link("{portal}?k={code}".into()));
        assert_eq!(fault(" "), TemplateFault::Text);
        assert_eq!(check(Purpose::ResetCode, "Kod {code}, sayfa: {portal}."), Ok(()));
        let linked = check(Purpose::PasswordExpiring, "www.{username}.test {days}").unwrap_err();
        assert_eq!(linked, TemplateFault::Link("www.{username}.test".into()));
    }

    #[test]
    fn an_announcement_says_how_long_its_code_counts_and_with_a_common_name_goes_in_one_part() {
        let templates = Templates { activation_hours: 48, ..Templates::new("https://parola.csb.gov.tr", Language::Tr) };
        for (language, hours) in [(Language::Tr, "(48 saat)"), (Language::En, "(for 48 hours)")] {
            let opened = Telling::AccountOpened { username: "ayse.sahin", mail: "ayse.sahin@csb.gov.tr" };
            let text = super::super::whole_text(&templates.compose(&opened, Some(language)), Some("12345678"));
            assert!(text.contains(hours), "{}", *text);
            assert!(text.len() <= 160, "{} octets: {}", text.len(), *text);
        }
    }

    #[test]
    fn a_value_brings_no_placeholder_and_no_link() {
        let templates = Templates::new("https://parola.csb.gov.tr", Language::Tr);
        let text = templates.compose(&Telling::AccountOpened { username: "{code}http://x", mail: "a@b\nc" }, None);
        assert_eq!(text.matches(CODE).count(), 1);
        assert!(text.contains("Kullanici adi: codehttp:x E-posta: a@bc "), "{}", *text);
    }
}
