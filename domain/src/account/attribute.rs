//! The attributes that Kimlik may write. What is not in this enum cannot be expressed, so it cannot be touched.
use crate::id::AccountGuid;
use crate::text::utf16_len;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

macro_rules! attributes {
    ($($variant:ident = $ldap:literal, $max:literal;)*) => {
        /// An owned attribute, in the order in which plans print them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Attribute {
            $($variant,)*
            /// thumbnailPhoto. Its value here is a tag of its octets, which are read and written by themselves, never with the others.
            Photo,
        }
        impl Attribute {
            /// All but the photo, which is read and written by itself.
            pub const ALL: &'static [Attribute] = &[$(Attribute::$variant),*];
            /// lDAPDisplayName.
            pub const fn ldap_name(self) -> &'static str { match self { $(Attribute::$variant => $ldap,)* Attribute::Photo => "thumbnailPhoto" } }
            /// rangeUpper of the schema, in UTF-16 code units; for a list, of each value; of the photo, that of its tag.
            pub const fn max_len(self) -> usize { match self { $(Attribute::$variant => $max,)* Attribute::Photo => 32 } }
        }
    };
}
// Limits: Microsoft's published schema (Windows Server v1903) and, for the mail attributes, the Exchange schema.
attributes! {
    Username = "sAMAccountName", 20;
    UserPrincipalName = "userPrincipalName", 1024;
    DisplayName = "displayName", 256;
    GivenName = "givenName", 64;
    FamilyName = "sn", 64;
    Initials = "initials", 6;
    EmployeeId = "employeeID", 16;
    Title = "title", 128;
    Department = "department", 64;
    Company = "company", 64;
    Office = "physicalDeliveryOfficeName", 128;
    WorkPhone = "telephoneNumber", 64;
    Mobile = "mobile", 64;
    Fax = "facsimileTelephoneNumber", 64;
    Manager = "manager", 1024;
    Street = "streetAddress", 1024;
    City = "l", 128;
    State = "st", 128;
    PostalCode = "postalCode", 40;
    Country = "c", 3;
    CountryName = "co", 128;
    CountryCode = "countryCode", 10;
    Mail = "mail", 256;
    MailNickname = "mailNickname", 64;
    ProxyAddresses = "proxyAddresses", 1123;
    HideFromAddressLists = "msExchHideFromAddressLists", 5;
    TargetAddress = "targetAddress", 1123;
    RecipientDisplayType = "msExchRecipientDisplayType", 11;
    RecipientTypeDetails = "msExchRecipientTypeDetails", 20;
    RemoteRecipientType = "msExchRemoteRecipientType", 20;
    Custom1 = "extensionAttribute1", 1024;
    Custom2 = "extensionAttribute2", 1024;
    Custom3 = "extensionAttribute3", 1024;
    Custom4 = "extensionAttribute4", 1024;
    Custom5 = "extensionAttribute5", 1024;
    Custom6 = "extensionAttribute6", 1024;
    Custom7 = "extensionAttribute7", 1024;
    Custom8 = "extensionAttribute8", 1024;
    Custom9 = "extensionAttribute9", 1024;
    Custom10 = "extensionAttribute10", 1024;
    Custom11 = "extensionAttribute11", 2048;
    Custom12 = "extensionAttribute12", 2048;
    Custom13 = "extensionAttribute13", 2048;
    Custom14 = "extensionAttribute14", 2048;
    Custom15 = "extensionAttribute15", 2048;
}

/// What the schema takes as a value, beside its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    Text,
    /// A list of addresses with their kind before a colon.
    Addresses,
    Account,
    /// `TRUE` or `FALSE`.
    Truth,
    /// 32 bits with a sign. Why checked before it is sent: some controllers take more, and read it back as another number.
    Int32,
    /// 64 bits with a sign.
    Int64,
}

impl Attribute {
    /// Only where the Exchange schema extension is in the directory.
    pub const fn needs_exchange(self) -> bool {
        matches!(self, Attribute::MailNickname | Attribute::HideFromAddressLists) || self.is_remote_mailbox() || self.is_custom()
    }
    /// What makes an account a mailbox in the cloud.
    pub const fn is_remote_mailbox(self) -> bool {
        matches!(
            self,
            Attribute::TargetAddress | Attribute::RecipientDisplayType | Attribute::RecipientTypeDetails | Attribute::RemoteRecipientType
        )
    }
    /// Exchange's custom attributes 1 to 15.
    pub const fn is_custom(self) -> bool {
        self as usize >= Attribute::Custom1 as usize && self as usize <= Attribute::Custom15 as usize
    }
    /// The addresses under which mail finds the account.
    pub const fn is_address(self) -> bool {
        matches!(self, Attribute::Mail | Attribute::MailNickname | Attribute::ProxyAddresses)
    }
    /// Filled by the settings' mapping ([`super::Mapping`]); what it leaves out is nobody's of Kimlik's.
    pub const fn is_mapped(self) -> bool {
        use Attribute::*;
        matches!(self, Initials | Title | Department | Company | Office | WorkPhone | Mobile | Fax | Street | City | State | PostalCode)
            || matches!(self, Country | CountryName | CountryCode)
            || self.is_custom()
    }
    pub const fn syntax(self) -> Syntax {
        match self {
            Attribute::Manager => Syntax::Account,
            Attribute::ProxyAddresses => Syntax::Addresses,
            Attribute::HideFromAddressLists => Syntax::Truth,
            Attribute::CountryCode | Attribute::RecipientDisplayType => Syntax::Int32,
            Attribute::RecipientTypeDetails | Attribute::RemoteRecipientType => Syntax::Int64,
            _ => Syntax::Text,
        }
    }
    /// Does the schema take `value`, by its kind and its length?
    pub fn takes(self, value: &Value) -> bool {
        self.takes_kind(value) && !value.is_empty() && value.len() <= self.max_len()
    }
    /// As [`Attribute::takes`], whatever the length.
    pub fn takes_kind(self, value: &Value) -> bool {
        match (self.syntax(), value) {
            (Syntax::Text, Value::Text(_)) | (Syntax::Account, Value::Account(_)) => true,
            (Syntax::Addresses, Value::List(values)) => values.iter().all(|v| v.contains(':')),
            (Syntax::Truth, Value::Text(text)) => matches!(text.as_ref(), "TRUE" | "FALSE"),
            // Its rangeUpper is 65535, and 0 is what an account has that was never given one.
            (Syntax::Int32, Value::Text(text)) if self == Attribute::CountryCode => is_number::<u16>(text) && &**text != "0",
            (Syntax::Int32, Value::Text(text)) => is_number::<i32>(text),
            (Syntax::Int64, Value::Text(text)) => is_number::<i64>(text),
            _ => false,
        }
    }
    /// Two values that the directory itself holds equal (names are compared without case).
    pub const fn ignores_case(self) -> bool {
        matches!(self, Attribute::Username | Attribute::UserPrincipalName | Attribute::HideFromAddressLists)
    }
    pub fn from_ldap(name: &str) -> Option<Attribute> {
        Attribute::ALL.iter().copied().chain([Attribute::Photo]).find(|a| a.ldap_name().eq_ignore_ascii_case(name))
    }
}

/// In range, and as the directory writes it. Why not `+90` or `090`: they would be read back as another text, and written again for ever.
fn is_number<T: FromStr + ToString>(text: &str) -> bool {
    text.parse::<T>().is_ok_and(|number| number.to_string() == text)
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    Text(Arc<str>),
    /// `proxyAddresses`: of the observed ones only `SMTP:` and `smtp:`; X500 and the rest are nobody's business. Sorted.
    List(Arc<[Arc<str>]>),
    /// `manager`: an account, wherever it stands.
    Account(AccountGuid),
}

impl Value {
    pub fn text(text: impl Into<Arc<str>>) -> Value {
        Value::Text(text.into())
    }
    pub fn list(mut values: Vec<Arc<str>>) -> Value {
        values.sort();
        values.dedup();
        Value::List(values.into())
    }
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
    /// In UTF-16 units, of the longest.
    pub fn len(&self) -> usize {
        match self {
            Value::Text(text) => utf16_len(text),
            Value::List(values) => values.iter().map(|v| utf16_len(v)).max().unwrap_or(0),
            Value::Account(_) => 0,
        }
    }
    pub fn is_empty(&self) -> bool {
        match self {
            Value::Text(text) => text.is_empty(),
            Value::List(values) => values.is_empty(),
            Value::Account(_) => false,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => f.write_str(text),
            Value::List(values) => f.write_str(&values.join(", ")),
            Value::Account(guid) => guid.fmt(f),
        }
    }
}

/// Owned attributes with their values, sorted by attribute; what is absent is not set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attributes(Vec<(Attribute, Value)>);

impl Attributes {
    pub fn with_capacity(n: usize) -> Attributes {
        Attributes(Vec::with_capacity(n))
    }
    pub fn get(&self, attribute: Attribute) -> Option<&Value> {
        self.0.binary_search_by_key(&attribute, |(a, _)| *a).ok().map(|at| &self.0[at].1)
    }
    pub fn text(&self, attribute: Attribute) -> Option<&str> {
        self.get(attribute).and_then(Value::as_text)
    }
    /// Sets or, with `None` or an empty value, clears.
    pub fn set(&mut self, attribute: Attribute, value: Option<Value>) {
        let value = value.filter(|v| !v.is_empty());
        match (self.0.binary_search_by_key(&attribute, |(a, _)| *a), value) {
            (Ok(at), Some(value)) => self.0[at].1 = value,
            (Ok(at), None) => {
                self.0.remove(at);
            }
            (Err(at), Some(value)) => self.0.insert(at, (attribute, value)),
            (Err(_), None) => {}
        }
    }
    pub fn iter(&self) -> impl Iterator<Item = (Attribute, &Value)> {
        self.0.iter().map(|(a, v)| (*a, v))
    }
    pub fn len(&self) -> usize {
        self.0.len()
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One attribute from what it is expected to hold to what it shall hold. Where the directory holds anything else than
/// `from`, the change is refused and the person is planned again.
/// For [`Value::List`], `from` and `to` hold only what is taken away and what is added.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Change {
    pub attribute: Attribute,
    pub from: Option<Value>,
    pub to: Option<Value>,
}
