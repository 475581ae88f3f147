//! Another user name or primary address by order. It is written into the ledger of names, from which everything else follows: the
//! old address stays an alias, the old user name is never given to anybody else.
use super::name::{MAX_LOCAL_PART, MAX_USERNAME, NamePolicy, Names};
use crate::day;
use crate::id::PersonId;
use crate::text;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

/// Who ordered the names that an account has.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NamesOrdered {
    /// As in the audit.
    pub by: Arc<str>,
    pub reason: Arc<str>,
    pub at: DateTime<Utc>,
}

/// What somebody orders. At least one of the two names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    pub id: Uuid,
    pub person: PersonId,
    pub username: Option<Arc<str>>,
    /// Whole address.
    pub mail: Option<Arc<str>>,
    /// [`Names::named_for`]: the name that the person has now asks for no other address from then on.
    pub named_for: Arc<str>,
    pub by: NamesOrdered,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Renamed {
    /// They stand in the ledger, and will be carried out whatever happens.
    Given,
    /// Somebody else has, or had, one of them.
    Taken { username: bool, mail: bool },
    /// The account has these names.
    AlreadySo,
    /// There is no account, or it is closed.
    NoAccount,
    /// The key was used for the same before: what was answered then.
    Answered(String),
    /// The key was used for something else.
    KeyReused,
}

/// Why a name cannot be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameFault {
    /// Other characters than a to z, 0 to 9 and, between them, single dots, hyphens and underscores.
    Characters,
    TooLong,
    /// The settings bar it.
    Barred,
    /// Not an address of the ministry's domain.
    Domain,
}

impl Rename {
    /// The names once this is carried out. `now`: those of today.
    pub fn over(&self, now: &Names) -> Names {
        let mut names = Names { named_for: self.named_for.clone(), ..now.clone() };
        if let Some(username) = &self.username {
            names.username = username.clone();
        }
        if let Some(mail) = self.mail.as_ref().filter(|mail| **mail != now.mail) {
            names.readdress(mail.clone(), day::today(self.by.at), true);
        }
        names
    }
}

impl NamePolicy {
    /// As somebody writes it, or why it cannot be a user name.
    pub fn username_of(&self, text: &str) -> Result<Arc<str>, NameFault> {
        self.word(text.trim(), MAX_USERNAME).map(Arc::from)
    }

    /// As somebody writes it, or why it cannot be a primary address.
    pub fn address_of(&self, text: &str) -> Result<Arc<str>, NameFault> {
        let (local, domain) = text.trim().split_once('@').ok_or(NameFault::Domain)?;
        if !domain.eq_ignore_ascii_case(&self.mail_domain) {
            return Err(NameFault::Domain);
        }
        Ok(self.address(self.word(local, MAX_LOCAL_PART)?))
    }

    fn word<'t>(&self, text: &'t str, longest: usize) -> Result<&'t str, NameFault> {
        let inner = |c: char| matches!(c, '.' | '-' | '_');
        let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || inner(c);
        let doubled = text.as_bytes().windows(2).any(|pair| pair.iter().all(|b| inner(char::from(*b))));
        match () {
            () if text.len() > longest => Err(NameFault::TooLong),
            () if text.is_empty() || !text.chars().all(known) || doubled => Err(NameFault::Characters),
            () if text.starts_with(inner) || text.ends_with(inner) => Err(NameFault::Characters),
            () if self.never.iter().any(|n| text::fold(n) == text) => Err(NameFault::Barred),
            () => Ok(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_of_plain_letters_with_single_signs_between_them() {
        let policy = NamePolicy::default();
        assert_eq!(policy.username_of(" ayse.yilmaz ").as_deref(), Ok("ayse.yilmaz"));
        assert_eq!(policy.username_of("a-b_c9").as_deref(), Ok("a-b_c9"));
        for wrong in ["", ".", "ayse.", "-ayse", "ayse..y", "ayse.-y", "Ayse", "ayşe", "ayse yilmaz", "a*b", "a\0", "a@b", "admın"] {
            assert_eq!(policy.username_of(wrong), Err(NameFault::Characters), "{wrong}");
        }
        assert_eq!(policy.username_of(&"a".repeat(21)), Err(NameFault::TooLong));
        assert_eq!(policy.username_of("admin"), Err(NameFault::Barred));
        assert_eq!(policy.address_of("Ayse@csb.test"), Err(NameFault::Characters));
        assert_eq!(policy.address_of("ayse.yilmaz@CSB.test").as_deref(), Ok("ayse.yilmaz@csb.test"));
        assert_eq!(policy.address_of("ayse@elsewhere.test"), Err(NameFault::Domain));
        assert_eq!(policy.address_of("ayse"), Err(NameFault::Domain));
        assert_eq!(policy.address_of("postmaster@csb.test"), Err(NameFault::Barred));
        assert_eq!(policy.address_of(&format!("{}@csb.test", "a".repeat(65))), Err(NameFault::TooLong));
    }

    #[test]
    fn the_address_before_becomes_an_alias_and_one_that_comes_back_is_none_any_more() {
        let now = Names {
            username: "ayse.sahin".into(),
            mail: "ayse.sahin@csb.test".into(),
            aliases: vec!["ayse@csb.test".into()],
            aliases_since: Default::default(),
            named_for: "ayse sahin".into(),
        };
        let by = NamesOrdered { by: "user:x".into(), reason: "y".into(), at: DateTime::UNIX_EPOCH };
        let order = Rename {
            id: Uuid::nil(),
            person: PersonId(Uuid::nil()),
            username: Some("a.yilmaz".into()),
            mail: Some("ayse@csb.test".into()),
            named_for: "ayse yilmaz".into(),
            by,
        };
        let then = order.over(&now);
        assert_eq!((then.username.as_ref(), then.mail.as_ref(), then.aliases.len()), ("a.yilmaz", "ayse@csb.test", 1));
        assert_eq!((then.aliases[0].as_ref(), then.named_for.as_ref()), ("ayse.sahin@csb.test", "ayse yilmaz"));
        let same = Rename { mail: Some(now.mail.clone()), username: None, ..order };
        assert_eq!(same.over(&now).aliases, now.aliases);
    }
}
