//! Search filters: values escaped (RFC 4515), terms gathered so that one question answers for many.
use kimlik_domain::id::AccountGuid;

/// People's accounts, and neither computers nor contacts.
pub(super) const PEOPLE: &str = "(objectCategory=person)(objectClass=user)";
/// Terms in one OR. Why not more: controllers refuse long filters, and the index is asked term by term anyway.
pub(super) const TERMS: usize = 100;

pub(super) fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '*' => out.push_str("\\2a"),
            '(' => out.push_str("\\28"),
            ')' => out.push_str("\\29"),
            '\\' => out.push_str("\\5c"),
            '\0' => out.push_str("\\00"),
            c => out.push(c),
        }
    }
    out
}

pub(super) fn equals(attribute: &str, value: &str) -> String {
    format!("({attribute}={})", escape(value))
}

pub(super) fn guid_is(guid: AccountGuid) -> String {
    let octets: String = guid.0.to_bytes_le().iter().map(|o| format!("\\{o:02x}")).collect();
    format!("(objectGUID={octets})")
}

pub(super) fn any<T: AsRef<str>>(terms: &[T]) -> String {
    format!("(|{})", terms.iter().map(AsRef::as_ref).collect::<String>())
}

pub(super) fn people(and: &str) -> String {
    format!("(&{PEOPLE}{and})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_leave_its_term() {
        assert_eq!(equals("cn", "a*)(cn=\\b\0"), "(cn=a\\2a\\29\\28cn=\\5cb\\00)");
        assert_eq!(equals("cn", "İıŞ"), "(cn=İıŞ)");
        assert_eq!(people(&any(&["(a=1)", "(b=2)"])), "(&(objectCategory=person)(objectClass=user)(|(a=1)(b=2)))");
    }
}
