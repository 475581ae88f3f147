//! Phone numbers, E.164 inside, any way people write them outside.
//!
//! Why not the full numbering plan of a phone library: it refuses blocks that the regulator has opened since its
//! release, and a newcomer's SMS hangs on that; `5` and nine digits is the lasting rule (facts: lenient is safer).
use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MobileNumber(Box<str>);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WorkNumber(Box<str>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhoneFault {
    #[error("is not a phone number")]
    NotANumber,
    #[error("is a landline, not a mobile number")]
    Landline,
    #[error("has the wrong number of digits")]
    Length,
}

/// Digits with the country code. Accepts `0532…`, `532…`, `+90…`, `0090…`, blanks, brackets, dots, dashes, slashes.
fn digits(text: &str) -> Result<String, PhoneFault> {
    let mut out = String::with_capacity(14);
    let mut plus = false;
    for c in text.trim().chars() {
        match c {
            '0'..='9' => out.push(c),
            '+' if out.is_empty() && !plus => plus = true,
            ' ' | '\u{a0}' | '(' | ')' | '-' | '.' | '/' | '–' => {}
            _ => return Err(PhoneFault::NotANumber),
        }
    }
    if out.is_empty() {
        return Err(PhoneFault::NotANumber);
    }
    if plus {
        return Ok(out);
    }
    if let Some(rest) = out.strip_prefix("00") {
        return Ok(rest.to_owned());
    }
    let national = out.strip_prefix('0').unwrap_or(&out);
    match national.len() {
        10 => Ok(format!("90{national}")),
        12 if national.starts_with("90") => Ok(national.to_owned()),
        7 if national.starts_with("444") => Ok(format!("90{national}")),
        _ => Err(PhoneFault::Length),
    }
}

impl MobileNumber {
    pub fn parse(text: &str) -> Result<MobileNumber, PhoneFault> {
        let digits = digits(text)?;
        match digits.strip_prefix("90") {
            Some(national) if national.len() != 10 => Err(PhoneFault::Length),
            Some(national) if !national.starts_with('5') => Err(PhoneFault::Landline),
            // 512 is paging: it takes no SMS.
            Some(national) if national.starts_with("512") => Err(PhoneFault::NotANumber),
            None if !(8..=15).contains(&digits.len()) => Err(PhoneFault::Length),
            _ if digits.starts_with('0') => Err(PhoneFault::NotANumber),
            _ => Ok(MobileNumber(format!("+{digits}").into())),
        }
    }

    /// `+905321234567`
    pub fn e164(&self) -> &str {
        &self.0
    }

    /// `+90 5** *** ** 67`
    pub fn masked(&self) -> String {
        let tail = &self.0[self.0.len() - 2..];
        if self.0.starts_with("+90") { format!("+90 5** *** ** {tail}") } else { format!("+** *** *** {tail}") }
    }
}

impl WorkNumber {
    pub fn parse(text: &str) -> Result<WorkNumber, PhoneFault> {
        let digits = digits(text)?;
        if (8..=15).contains(&digits.len()) { Ok(WorkNumber(format!("+{digits}").into())) } else { Err(PhoneFault::Length) }
    }

    pub fn e164(&self) -> &str {
        &self.0
    }

    /// As the address book shows it: `+90 312 410 10 00`, with `/ 1234` behind it for an extension.
    pub fn shown(&self, extension: Option<&str>) -> String {
        let n = &self.0[1..];
        let mut out = if n.len() == 12 && n.starts_with("90") {
            format!("+90 {} {} {} {}", &n[2..5], &n[5..8], &n[8..10], &n[10..12])
        } else {
            format!("+{n}")
        };
        if let Some(extension) = extension {
            out.push_str(" / ");
            out.push_str(extension);
        }
        out
    }
}

macro_rules! text_form {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = PhoneFault;
            fn try_from(text: String) -> Result<Self, PhoneFault> {
                Self::parse(&text)
            }
        }
        impl From<$name> for String {
            fn from(number: $name) -> String {
                number.0.into()
            }
        }
    };
}
text_form!(MobileNumber);
text_form!(WorkNumber);

impl fmt::Debug for MobileNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}
impl fmt::Debug for WorkNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_a_mobile_is_one_number() {
        for text in ["05321234567", "5321234567", "+90 532 123 45 67", "0090 (532) 123-45-67", "90 532 123 45 67", "0532.123.4567"] {
            assert_eq!(MobileNumber::parse(text).map(String::from).as_deref(), Ok("+905321234567"), "{text}");
        }
        assert_eq!(MobileNumber::parse("+49 151 23456789").map(String::from).as_deref(), Ok("+4915123456789"));
    }

    #[test]
    fn what_cannot_take_an_sms_is_said_so() {
        assert_eq!(MobileNumber::parse("0312 410 10 00"), Err(PhoneFault::Landline));
        assert_eq!(MobileNumber::parse("532 123 45"), Err(PhoneFault::Length));
        assert_eq!(MobileNumber::parse("yok"), Err(PhoneFault::NotANumber));
        assert_eq!(MobileNumber::parse("5.32E+09"), Err(PhoneFault::NotANumber));
        assert_eq!(MobileNumber::parse(""), Err(PhoneFault::NotANumber));
    }

    #[test]
    fn a_work_number_shows_its_extension() {
        let shown = WorkNumber::parse("0312 410 10 00").map(|n| n.shown(Some("1234")));
        assert_eq!(shown.as_deref(), Ok("+90 312 410 10 00 / 1234"));
    }
}
