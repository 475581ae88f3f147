//! To whom a message goes, and over what: a mobile number or a mail address.
use crate::staff::MobileNumber;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What carries a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Channel {
    #[default]
    Sms,
    /// E-mail. Carries no codes.
    Mail,
}

/// `local@domain` in ASCII, without quotes, comments and anything else that a header could be broken with.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MailAddress(Box<str>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a mail address")]
pub struct NotAnAddress;

impl MailAddress {
    /// What RFC 5321 calls a dot-string before the `@` (at most 64) and host names behind it (at most 254 in all).
    pub fn parse(text: &str) -> Result<MailAddress, NotAnAddress> {
        let (local, domain) = text.rsplit_once('@').ok_or(NotAnAddress)?;
        let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
        let local_is_right = local.len() <= 64 && local.split('.').all(|part| !part.is_empty() && part.chars().all(atom));
        let label = |part: &str| {
            let inside = part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
            (1..=63).contains(&part.len()) && inside && !part.starts_with('-') && !part.ends_with('-')
        };
        if text.len() <= 254 && local_is_right && domain.split('.').all(label) { Ok(MailAddress(text.into())) } else { Err(NotAnAddress) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `a***@csb.gov.tr`
    pub fn masked(&self) -> String {
        let (local, domain) = self.0.rsplit_once('@').unwrap_or_default();
        format!("{}***@{domain}", local.get(..1).unwrap_or_default())
    }
}

impl TryFrom<String> for MailAddress {
    type Error = NotAnAddress;
    fn try_from(text: String) -> Result<MailAddress, NotAnAddress> {
        MailAddress::parse(&text)
    }
}

impl From<MailAddress> for String {
    fn from(address: MailAddress) -> String {
        address.0.into()
    }
}

/// Masked, as in everything that may come into a log.
impl fmt::Debug for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Recipient {
    Mobile(MobileNumber),
    Mail(MailAddress),
}

impl Recipient {
    pub fn channel(&self) -> Channel {
        match self {
            Recipient::Mobile(_) => Channel::Sms,
            Recipient::Mail(_) => Channel::Mail,
        }
    }
    /// `+905321234567` or `ayse.yilmaz@csb.gov.tr`.
    pub fn whole(&self) -> &str {
        match self {
            Recipient::Mobile(number) => number.e164(),
            Recipient::Mail(address) => address.as_str(),
        }
    }
    pub fn masked(&self) -> String {
        match self {
            Recipient::Mobile(number) => number.masked(),
            Recipient::Mail(address) => address.masked(),
        }
    }
    pub fn mobile(&self) -> Option<&MobileNumber> {
        if let Recipient::Mobile(number) = self { Some(number) } else { None }
    }
}

impl From<MobileNumber> for Recipient {
    fn from(number: MobileNumber) -> Recipient {
        Recipient::Mobile(number)
    }
}

impl From<MailAddress> for Recipient {
    fn from(address: MailAddress) -> Recipient {
        Recipient::Mail(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_could_break_a_header_or_a_command_is_an_address() {
        for text in ["ayse.yilmaz@csb.gov.tr", "a@b", "o'neil+x@csb.test", "A@CSB.TEST"] {
            assert_eq!(MailAddress::parse(text).unwrap().as_str(), text);
        }
        let long = format!("{}@csb.test", "a".repeat(65));
        for text in [
            "",
            "@",
            "a@",
            "@b",
            "a b@c.test",
            "a@b c.test",
            "a@b.test\r\nBcc: x@y.test",
            "a\0@b.test",
            "\"a b\"@c.test",
            "<a@b.test>",
            "a@b.test>",
            "a@[127.0.0.1]",
            "a..b@c.test",
            ".a@c.test",
            "a@-b.test",
            "a@b..test",
            "şahin@csb.test",
            "a@çşb.test",
            "a@b@c d",
            &long,
        ] {
            assert_eq!(MailAddress::parse(text), Err(NotAnAddress), "{text:?}");
        }
    }

    #[test]
    fn a_number_sealed_before_there_was_mail_is_read_as_a_number() {
        let number: Recipient = serde_json::from_str("\"+905321234567\"").unwrap();
        assert_eq!((number.channel(), number.whole()), (Channel::Sms, "+905321234567"));
        let address: Recipient = serde_json::from_str("\"ayse@csb.test\"").unwrap();
        assert_eq!((address.channel(), address.masked().as_str()), (Channel::Mail, "a***@csb.test"));
        assert_eq!(format!("{address:?}"), "Mail(a***@csb.test)");
        assert!(serde_json::from_str::<Recipient>("\"nobody\"").is_err());
    }
}
