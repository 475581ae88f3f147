//! Keys by which a client repeats a deed without doing it twice. A key belongs to the client that sent it; it and what was
//! answered are committed with the deed, so that there is no moment at which one is there without the other.
use chrono::TimeDelta;

/// How long a key is remembered.
pub const REMEMBERED: TimeDelta = TimeDelta::days(7);
/// Characters of a key.
pub const LONGEST_KEY: usize = 100;

/// A key, and what it was sent with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientKey {
    /// As in the audit: `service:hr-push`.
    pub client: String,
    pub key: String,
    /// The deed and its input in one text; equal exactly where the same is asked. Kept as a keyed hash.
    pub asked: String,
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyState {
    New,
    /// The same was asked before; what was answered.
    Answered(String),
    /// Something else was asked with it.
    Reused,
}

/// What a client may send as a key.
pub fn is_key(text: &str) -> bool {
    (1..=LONGEST_KEY).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_line_of_one_to_a_hundred_characters() {
        assert!(is_key("hr-2026/17") && is_key(&"ş".repeat(100)));
        assert!(!is_key("") && !is_key("a\nb") && !is_key("a\0") && !is_key(&"a".repeat(101)));
    }
}
