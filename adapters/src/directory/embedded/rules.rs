//! What the directory takes as a value, and under which keys it compares it. Pure.
use kimlik_domain::account::{Attribute, Attributes, Change, Value};
use kimlik_domain::ports::{PortError, PortResult, Refusal};
use kimlik_domain::text;
use std::sync::Arc;

/// The columns beside the attributes by which accounts are found.
pub struct Keys {
    pub username: Option<String>,
    pub upn: Option<String>,
    pub employee: Option<String>,
    pub display: Option<String>,
    /// A JSON array of folded addresses.
    pub addresses: String,
}

impl Keys {
    pub fn of(attributes: &Attributes) -> PortResult<Keys> {
        let key = |attribute| attributes.text(attribute).map(text::fold);
        let mut addresses: Vec<String> = attributes.text(Attribute::Mail).map(text::fold).into_iter().collect();
        if let Some(Value::List(proxies)) = attributes.get(Attribute::ProxyAddresses) {
            addresses.extend(proxies.iter().map(|proxy| text::fold(proxy.split_once(':').map_or(proxy, |(_, address)| address))));
        }
        addresses.sort();
        addresses.dedup();
        Ok(Keys {
            username: key(Attribute::Username),
            upn: key(Attribute::UserPrincipalName),
            employee: key(Attribute::EmployeeId),
            display: key(Attribute::DisplayName),
            addresses: json(&addresses)?,
        })
    }
}

pub fn json<T: serde::Serialize>(value: &T) -> PortResult<String> {
    serde_json::to_string(value).map_err(|error| PortError::refused(Refusal::Other, error.to_string()))
}

fn refused_value(attribute: Attribute, why: &str) -> PortError {
    PortError::refused(Refusal::Value, format!("{}: {why}", attribute.ldap_name()))
}

/// Does the schema take `value`?
pub fn check(attribute: Attribute, value: &Value) -> PortResult<()> {
    let fits = match (attribute, value) {
        (Attribute::Username, Value::Text(text)) => {
            !text.contains(['"', '/', '\\', '[', ']', ':', ';', '|', '=', ',', '+', '*', '?', '<', '>', '@']) && !text.ends_with('.')
        }
        (attribute, value) => attribute.takes_kind(value),
    };
    if !fits {
        return Err(refused_value(attribute, "the schema does not take this value"));
    }
    if value.is_empty() {
        return Err(refused_value(attribute, "an empty value"));
    }
    if value.len() > attribute.max_len() {
        return Err(refused_value(attribute, &format!("{} characters, and the schema takes {}", value.len(), attribute.max_len())));
    }
    Ok(())
}

fn same(attribute: Attribute, held: Option<&Value>, expected: Option<&Value>) -> bool {
    match (held, expected) {
        (Some(Value::Text(held)), Some(Value::Text(expected))) if attribute.ignores_case() => text::fold(held) == text::fold(expected),
        (held, expected) => held == expected,
    }
}

/// `held` with all of `changes`, or the refusal of the first that does not fit.
pub fn apply(mut held: Attributes, changes: &[Change]) -> PortResult<Attributes> {
    for change in changes {
        let attribute = change.attribute;
        let changed = || PortError::refused(Refusal::Changed, format!("{} holds another value", attribute.ldap_name()));
        // An empty list takes nothing away, or adds nothing.
        let mut named = change.from.iter().chain(&change.to).filter(|value| !matches!(value, Value::List(_)) || !value.is_empty());
        named.try_for_each(|value| check(attribute, value))?;
        if attribute == Attribute::ProxyAddresses {
            let proxies = apply_list(held.get(attribute), change).ok_or_else(changed)?;
            held.set(attribute, Some(Value::list(proxies)));
            continue;
        }
        if !same(attribute, held.get(attribute), change.from.as_ref()) {
            return Err(changed());
        }
        if attribute == Attribute::Username && change.to.is_none() {
            return Err(refused_value(attribute, "an account without a user name"));
        }
        held.set(attribute, change.to.clone());
    }
    Ok(held)
}

/// `None`: a value to take away is not there, or one to add is there already.
fn apply_list(held: Option<&Value>, change: &Change) -> Option<Vec<Arc<str>>> {
    let values = |value: Option<&Value>| match value {
        Some(Value::List(values)) => values.to_vec(),
        _ => Vec::new(),
    };
    let mut proxies = values(held);
    for gone in values(change.from.as_ref()) {
        proxies.remove(proxies.iter().position(|p| *p == gone)?);
    }
    for added in values(change.to.as_ref()) {
        // Why: SMTP:a and smtp:a differ in the prefix only, which says which of them is primary.
        if proxies.contains(&added) {
            return None;
        }
        proxies.push(added);
    }
    Some(proxies)
}

pub const SHORTEST_PASSWORD: u32 = 8;

/// The domain's password rules (Active Directory's defaults): 8 characters, three kinds of them, not the user name.
pub fn check_password(password: &str, username: &str) -> PortResult<()> {
    let kinds: [fn(char) -> bool; 4] = [char::is_uppercase, char::is_lowercase, char::is_numeric, |c| !c.is_alphanumeric()];
    let varied = kinds.iter().filter(|kind| password.chars().any(kind)).count() >= 3;
    let named = username.chars().count() > 2 && text::fold(password).contains(&text::fold(username));
    if password.chars().count() < SHORTEST_PASSWORD as usize || !varied || named {
        return Err(PortError::refused(Refusal::Password, "the password is too short, too simple or holds the user name"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(attribute: Attribute, from: Option<&str>, to: Option<&str>) -> Change {
        Change { attribute, from: from.map(Value::text), to: to.map(Value::text) }
    }

    #[test]
    fn a_change_is_taken_only_from_the_value_that_is_held() {
        let mut held = Attributes::default();
        held.set(Attribute::Title, Some(Value::text("Mühendis")));
        let after = apply(held.clone(), &[change(Attribute::Title, Some("Mühendis"), Some("Şef"))]);
        assert_eq!(after.map(|a| a.text(Attribute::Title).map(str::to_owned)), Ok(Some("Şef".into())));
        for from in [None, Some("mühendis"), Some("Memur")] {
            let refused = apply(held.clone(), &[change(Attribute::Title, from, Some("Şef"))]);
            assert_eq!(refused.map_err(|e| e.refusal()), Err(Some(Refusal::Changed)), "{from:?}");
        }
    }

    #[test]
    fn the_limits_of_the_schema_are_kept() {
        let long = "ş".repeat(65);
        for (attribute, value) in [
            (Attribute::Department, Value::text(long)),
            (Attribute::HideFromAddressLists, Value::text("yes")),
            (Attribute::Username, Value::text("a*b")),
            (Attribute::Manager, Value::text("CN=x")),
            (Attribute::ProxyAddresses, Value::text("smtp:a@b")),
            (Attribute::Title, Value::text("")),
        ] {
            assert_eq!(check(attribute, &value).map_err(|e| e.refusal()), Err(Some(Refusal::Value)), "{attribute:?}");
        }
        assert_eq!(check(Attribute::Department, &Value::text("ş".repeat(64))), Ok(()));
    }

    #[test]
    fn a_password_that_is_simple_or_holds_the_name_is_refused() {
        for bad in ["kisa1!A", "yalnizkucuk", "Ayse.Sahin-2026"] {
            assert!(check_password(bad, "ayse.sahin").is_err(), "{bad}");
        }
        assert_eq!(check_password("Uzun-ve-7-li", "ayse.sahin"), Ok(()));
    }
}
