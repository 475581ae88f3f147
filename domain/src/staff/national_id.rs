//! TCKN. Never a key, never shown whole, never in a log: stored encrypted, found by a keyed hash ([`crate::ports::Store::mark`]).
use std::fmt;
use zeroize::Zeroizing;

#[derive(Clone, PartialEq, Eq)]
pub struct NationalId(Zeroizing<String>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NationalIdFault {
    #[error("is not 11 digits")]
    NotElevenDigits,
    #[error("begins with 0")]
    LeadingZero,
    #[error("has a wrong check digit")]
    Checksum,
}

impl NationalId {
    /// 11 digits with both check digits; `99…` for foreigners keeps the same rule. Surrounding space is forgiven.
    pub fn parse(text: &str) -> Result<NationalId, NationalIdFault> {
        let text = text.trim();
        if text.len() != 11 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NationalIdFault::NotElevenDigits);
        }
        let d: Vec<i32> = text.bytes().map(|b| i32::from(b - b'0')).collect();
        if d[0] == 0 {
            return Err(NationalIdFault::LeadingZero);
        }
        let odd = d[0] + d[2] + d[4] + d[6] + d[8];
        let even = d[1] + d[3] + d[5] + d[7];
        // Why rem_euclid: the bracket can be as low as -29.
        if (7 * odd - even).rem_euclid(10) != d[9] || d[..10].iter().sum::<i32>() % 10 != d[10] {
            return Err(NationalIdFault::Checksum);
        }
        Ok(NationalId(Zeroizing::new(text.to_owned())))
    }

    /// The whole number: for encryption and the keyed hash only.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// `123*****146`
    pub fn masked(&self) -> String {
        format!("{}*****{}", &self.0[..3], &self.0[8..])
    }
}

impl fmt::Debug for NationalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NationalId(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_decide() {
        for good in ["10000000146", "11111111110", "19090909018", " 10000000146 "] {
            assert!(NationalId::parse(good).is_ok(), "{good}");
        }
        assert_eq!(NationalId::parse("12345678901"), Err(NationalIdFault::Checksum));
        assert_eq!(NationalId::parse("01234567890"), Err(NationalIdFault::LeadingZero));
        for bad in ["", "1.23E+10", "1000000014", "1000000014a", "١٠٠٠٠٠٠٠١٤٦"] {
            assert_eq!(NationalId::parse(bad), Err(NationalIdFault::NotElevenDigits), "{bad}");
        }
    }

    #[test]
    fn debug_and_mask_do_not_show_it() {
        let id = NationalId::parse("10000000146");
        assert!(!format!("{id:?}").contains("10000000146"));
        assert_eq!(id.map(|i| i.masked()).as_deref(), Ok("100*****146"));
    }
}
