//! What the directory's own schema says of the attributes that Kimlik writes, held against what the settings make it write. Pure.
use kimlik_domain::account::attribute::Syntax;
use kimlik_domain::account::{Attribute, Mapping};
use kimlik_domain::health::{Finding, Kind, Subject};
use std::collections::HashMap;
use std::fmt::Display;

/// An attribute as the schema describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Described {
    /// attributeSyntax: an OID.
    pub syntax: String,
    pub is_single: bool,
    /// Of a text, in UTF-16 units.
    pub range_upper: Option<usize>,
}

/// By the spelling of Kimlik's own names.
pub(super) type Schema = HashMap<String, Described>;

/// What is wrong with an attribute, with its values.
type Fault = (Kind, Vec<String>);

/// One finding for each attribute that cannot be written as the settings want it, and one for all others.
pub(super) fn findings(schema: &Schema, mapping: &Mapping) -> Vec<Finding> {
    let written = Attribute::ALL.iter().copied().filter(|a| !a.is_mapped() || mapping.owns(*a));
    let (mut found, mut good) = (Vec::new(), 0);
    for attribute in written {
        let name = attribute.ldap_name();
        let faults = match schema.get(name) {
            Some(described) => faults(attribute, described, mapping),
            // Those that are not mapped are named together, by who is missing them all.
            None if !attribute.is_mapped() => continue,
            None if attribute.needs_exchange() => vec![(Kind::AttributeLeftOut, Vec::new())],
            None => vec![(Kind::AttributeMissing, Vec::new())],
        };
        good += usize::from(faults.is_empty());
        let finding = |(kind, values): Fault| {
            let values: Vec<&dyn Display> = values.iter().map(|value| value as &dyn Display).collect();
            match attribute.is_mapped() {
                true => Finding::new(Subject::Setting, format!("card.mapping.{name}"), kind, &values),
                false => Finding::new(Subject::SchemaAttribute, name, kind, &values),
            }
        };
        found.extend(faults.into_iter().map(finding));
    }
    found.push(Finding::new(Subject::CardAttributes, "", Kind::AttributesGood, &[&good]));
    found
}

fn faults(attribute: Attribute, described: &Described, mapping: &Mapping) -> Vec<Fault> {
    let mut faults = Vec::new();
    if !syntaxes(attribute).contains(&described.syntax.as_str()) {
        faults.push((Kind::AttributeSyntax, vec![described.syntax.clone(), syntaxes(attribute)[0].to_owned()]));
    }
    match (attribute.syntax() == Syntax::Addresses, described.is_single) {
        (true, true) => faults.push((Kind::AttributeSingle, Vec::new())),
        (false, false) => faults.push((Kind::AttributeSeveral, Vec::new())),
        _ => {}
    }
    let longest = longest(attribute, mapping);
    if let (Some(longest), Some(upper)) = (longest, described.range_upper)
        && upper < longest
    {
        faults.push((Kind::AttributeShort, vec![upper.to_string(), longest.to_string()]));
    }
    faults
}

/// OIDs of the syntax that is expected, and of others that take the same values.
const fn syntaxes(attribute: Attribute) -> &'static [&'static str] {
    match attribute.syntax() {
        Syntax::Text | Syntax::Addresses => &["2.5.5.12"],
        Syntax::Account => &["2.5.5.1"],
        Syntax::Truth => &["2.5.5.8"],
        Syntax::Int32 => &["2.5.5.9"],
        // Why also 32 bits: the kinds of remote mailboxes that are written to it fit.
        Syntax::Int64 if matches!(attribute, Attribute::RemoteRecipientType) => &["2.5.5.16", "2.5.5.9"],
        Syntax::Int64 => &["2.5.5.16"],
    }
}

/// `None`: its limit is not one of characters.
fn longest(attribute: Attribute, mapping: &Mapping) -> Option<usize> {
    match attribute.syntax() {
        Syntax::Text if attribute.is_mapped() => Some(mapping.longest(attribute)),
        Syntax::Text | Syntax::Addresses => Some(attribute.max_len()),
        Syntax::Account | Syntax::Truth | Syntax::Int32 | Syntax::Int64 => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kimlik_domain::health::Health;
    use kimlik_domain::message::Language;

    fn described(syntax: &str, is_single: bool, range_upper: Option<usize>) -> Described {
        Described { syntax: syntax.into(), is_single, range_upper }
    }

    /// As Microsoft publishes it.
    fn whole() -> Schema {
        let upper = |a: &Attribute| matches!(a.syntax(), Syntax::Text | Syntax::Addresses).then(|| a.max_len());
        let of = |a: &Attribute| described(syntaxes(*a)[0], a.syntax() != Syntax::Addresses, upper(a));
        Attribute::ALL.iter().map(|a| (a.ldap_name().to_owned(), of(a))).collect()
    }

    fn bad(schema: &Schema, mapping: &Mapping) -> Vec<(Health, String)> {
        let bad = findings(schema, mapping).into_iter().filter(|f| f.health() != Health::Good);
        bad.map(|f| (f.health(), format!("{}: {}", f.about(Language::En), f.found(Language::En)))).collect()
    }

    #[test]
    fn a_schema_as_published_is_good_and_each_way_to_differ_is_named_once() {
        let mut mapping = Mapping::default();
        assert_eq!(bad(&whole(), &mapping), []);
        mapping.set("extensionAttribute7", "{unit_name}").unwrap();
        let cases = [
            ("title", None, Health::Broken, "setting card.mapping.title: the schema has no such attribute"),
            ("extensionAttribute7", None, Health::Doubtful, "setting card.mapping.extensionAttribute7: the schema has no"),
            ("department", Some(described("2.5.5.5", true, Some(64))), Health::Broken, "is of syntax 2.5.5.5"),
            ("countryCode", Some(described("2.5.5.12", true, None)), Health::Broken, "not of 2.5.5.9"),
            ("telephoneNumber", Some(described("2.5.5.12", false, Some(64))), Health::Doubtful, "takes several values"),
            ("proxyAddresses", Some(described("2.5.5.12", true, Some(1123))), Health::Broken, "takes one value only"),
            (
                "company",
                Some(described("2.5.5.12", true, Some(63))),
                Health::Doubtful,
                "takes 63 characters in this directory, and up to 64",
            ),
            ("sn", Some(described("2.5.5.12", true, Some(40))), Health::Doubtful, "schema: sn: takes 40"),
        ];
        for (name, row, health, says) in cases {
            let mut schema = whole();
            match row {
                Some(row) => schema.insert(name.to_owned(), row),
                None => schema.remove(name),
            };
            let found = bad(&schema, &mapping);
            assert!(found.len() == 1 && found[0].0 == health && found[0].1.contains(says), "{name}: {found:?}");
        }
    }

    #[test]
    fn what_is_not_kimliks_is_not_looked_at_and_what_is_short_by_its_source_fits() {
        let mut schema = whole();
        schema.insert("title".into(), described("2.5.5.9", false, Some(1)));
        schema.insert("initials".into(), described("2.5.5.12", true, Some(6)));
        schema.insert("extensionAttribute1".into(), described("2.5.5.12", true, Some(11)));
        let mut mapping = Mapping::default();
        for (name, rule) in [("title", ""), ("initials", "{initials}"), ("extensionAttribute1", "{province_code}-{unit_code}|TR")] {
            mapping.set(name, rule).unwrap();
        }
        assert_eq!(bad(&schema, &mapping), []);
        mapping.set("extensionAttribute1", "{province_code}--{unit_code}|TR").unwrap();
        assert_eq!(bad(&schema, &mapping).len(), 1);
    }
}
