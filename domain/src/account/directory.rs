//! What the directory shows of an account, and how one is named there.
use super::attribute::{Attribute, Attributes, Change, Value};
use crate::id::AccountGuid;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A distinguished name (RFC 4514 text). Two are equal without regard to case, as the directory has it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Dn(Arc<str>);

impl Dn {
    pub fn new(text: impl Into<Arc<str>>) -> Dn {
        Dn(text.into())
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// `OU=X` below `self`; an empty part is `self`.
    pub fn below(&self, relative: &str) -> Dn {
        if relative.is_empty() { self.clone() } else { Dn::new(format!("{relative},{}", self.0)) }
    }
    /// Where the first relative name ends: at the first comma that is not escaped.
    fn first_comma(&self) -> Option<usize> {
        let mut escaped = false;
        self.0.char_indices().find_map(|(at, c)| match c {
            _ if escaped => {
                escaped = false;
                None
            }
            '\\' => {
                escaped = true;
                None
            }
            ',' => Some(at),
            _ => None,
        })
    }
    /// The container.
    pub fn parent(&self) -> Option<Dn> {
        self.first_comma().map(|at| Dn::new(&self.0[at + 1..]))
    }
    /// The value of the first relative name, unescaped: `Yılmaz, Ayşe` of `CN=Yılmaz\, Ayşe,OU=…`.
    pub fn name(&self) -> String {
        let rdn = &self.0[..self.first_comma().unwrap_or(self.0.len())];
        let value = rdn.split_once('=').map_or(rdn, |(_, v)| v);
        let mut out: Vec<u8> = Vec::with_capacity(value.len());
        let bytes = value.as_bytes();
        let mut i = 0;
        while i < bytes.len() {
            if bytes[i] == b'\\' && i + 1 < bytes.len() {
                let hex = value.get(i + 1..i + 3).and_then(|h| u8::from_str_radix(h, 16).ok());
                match hex {
                    Some(octet) => {
                        out.push(octet);
                        i += 3;
                    }
                    None => {
                        out.push(bytes[i + 1]);
                        i += 2;
                    }
                }
            } else {
                out.push(bytes[i]);
                i += 1;
            }
        }
        String::from_utf8_lossy(&out).into_owned()
    }
    /// Is it `root` or below it?
    pub fn is_within(&self, root: &Dn) -> bool {
        let (own, root) = (self.folded(), root.folded());
        own == root || own.strip_suffix(root.as_str()).is_some_and(|rest| rest.ends_with(','))
    }
    /// For comparing. Not Turkish on purpose: the directory folds i and I, and never İ or ı.
    #[allow(clippy::disallowed_methods)]
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
    /// A value made safe inside a DN (RFC 4514 2.4).
    pub fn escape(value: &str) -> String {
        let mut out = String::with_capacity(value.len() + 4);
        let last = value.chars().count().saturating_sub(1);
        for (i, c) in value.chars().enumerate() {
            match c {
                ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=' => {
                    out.push('\\');
                    out.push(c);
                }
                '#' | ' ' if i == 0 => {
                    out.push('\\');
                    out.push(c);
                }
                ' ' if i == last => out.push_str("\\ "),
                '\0' => out.push_str("\\00"),
                '\n' => out.push_str("\\0A"),
                '\r' => out.push_str("\\0D"),
                c => out.push(c),
            }
        }
        out
    }
}
impl PartialEq for Dn {
    fn eq(&self, other: &Dn) -> bool {
        self.0 == other.0 || self.0.chars().flat_map(char::to_lowercase).eq(other.0.chars().flat_map(char::to_lowercase))
    }
}
impl Eq for Dn {}
impl Hash for Dn {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded().hash(state);
    }
}
impl PartialOrd for Dn {
    fn partial_cmp(&self, other: &Dn) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Dn {
    fn cmp(&self, other: &Dn) -> std::cmp::Ordering {
        self.folded().cmp(&other.folded())
    }
}
impl fmt::Display for Dn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for Dn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// An account as ports name it: found by `guid`; `dn` is where it stood when last seen (for values that must be DNs).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRef {
    pub guid: AccountGuid,
    pub dn: Dn,
}

/// One account as the directory showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedAccount {
    pub guid: AccountGuid,
    pub dn: Dn,
    pub enabled: bool,
    /// `pwdLastSet` is not 0: it has a password that needs no change.
    pub password_set: bool,
    /// Why Kimlik must never write it: adminCount, a privileged group (nested), trusted for delegation.
    pub protected: Option<Arc<str>>,
    /// Owned attributes only.
    pub attributes: Attributes,
    /// Direct groups, without the primary one.
    pub groups: Vec<Dn>,
    /// The value of the configured correlation attribute, where one is configured.
    pub correlation: Option<Arc<str>>,
    /// A recipient that an Exchange e-mail address policy rules over.
    pub address_policy: bool,
}

impl ObservedAccount {
    /// As it stands once these changes were made to what was seen.
    pub fn with(&self, changes: &[Change]) -> ObservedAccount {
        let mut after = self.clone();
        let values = |value: Option<&Value>| match value {
            Some(Value::List(values)) => values.to_vec(),
            _ => Vec::new(),
        };
        for change in changes {
            let is_list = change.from.iter().chain(&change.to).any(|value| matches!(value, Value::List(_)));
            let to = if is_list {
                let gone = values(change.from.as_ref());
                let kept = values(after.attributes.get(change.attribute)).into_iter().filter(|value| !gone.contains(value));
                Some(Value::list(kept.chain(values(change.to.as_ref())).collect()))
            } else {
                change.to.clone()
            };
            after.attributes.set(change.attribute, to);
        }
        after
    }
    pub fn reference(&self) -> AccountRef {
        AccountRef { guid: self.guid, dn: self.dn.clone() }
    }
    pub fn employee_id(&self) -> Option<&str> {
        self.attributes.text(Attribute::EmployeeId)
    }
    pub fn username(&self) -> &str {
        self.attributes.text(Attribute::Username).unwrap_or("")
    }
    pub fn ou(&self) -> Dn {
        self.dn.parent().unwrap_or_else(|| self.dn.clone())
    }
}

/// What an account is created with: disabled, without password and groups.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NewAccount {
    pub ou: Dn,
    /// Common name wanted; the adapter appends ` 2`, ` 3`, … where the OU holds another object of that name.
    pub cn: Arc<str>,
    pub attributes: Attributes,
}

impl Hash for Attributes {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for (attribute, value) in self.iter() {
            attribute.hash(state);
            value.hash(state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dn_knows_its_parts_whatever_its_letters() {
        let dn = Dn::new(format!("CN={},OU=Ağrı,OU=Tasra,DC=csb,DC=test", Dn::escape("#Yılmaz, \"Ayşe\" + İ ")));
        assert_eq!(dn.name(), "#Yılmaz, \"Ayşe\" + İ ");
        assert_eq!(dn.parent(), Some(Dn::new("ou=ağrı,OU=Tasra,DC=csb,DC=test")));
        assert!(dn.is_within(&Dn::new("OU=TASRA,dc=csb,dc=test")));
        assert!(!Dn::new("OU=XTasra,DC=test").is_within(&Dn::new("OU=Tasra,DC=test")));
    }
}
