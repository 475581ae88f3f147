//! Phrases with holes: a text that was made by one pattern is said by another.

/// What stands in `message` for each `{}` of `pattern`; `None`: it is not of this pattern.
pub fn holes<'m>(pattern: &str, message: &'m str) -> Option<Vec<&'m str>> {
    let mut parts = pattern.split("{}");
    let mut rest = message.strip_prefix(parts.next()?)?;
    let mut values = Vec::new();
    let parts: Vec<&str> = parts.collect();
    for (at, part) in parts.iter().enumerate() {
        let end = match *part {
            "" if at + 1 == parts.len() => rest.len(),
            part if at + 1 == parts.len() => rest.ends_with(part).then(|| rest.len() - part.len())?,
            part => rest.find(part)?,
        };
        values.push(&rest[..end]);
        rest = &rest[end + part.len()..];
    }
    rest.is_empty().then_some(values)
}

/// `{0}`, `{1}`, … by what stood there.
pub fn fill(template: &str, values: &[&str]) -> String {
    values.iter().enumerate().fold(template.to_owned(), |text, (at, value)| text.replace(&format!("{{{at}}}"), value))
}
