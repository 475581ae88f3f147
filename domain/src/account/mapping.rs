//! Which of the ministry's facts fills which attribute of the card: a setting with sensible defaults. A rule is a text with
//! sources in braces; several, with `|` between them, are tried in order, and the first whose sources all have a value counts.
use super::attribute::Attribute;
use crate::text::utf16_len;
use std::fmt;
use std::sync::{Arc, LazyLock};

macro_rules! sources {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $of:ident;)*) => {
        /// A fact that a rule may name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Source {
            $($(#[$doc])* $variant,)*
            /// `attr_1` to `attr_15` of HR's record.
            Attr(u8),
        }
        impl Source {
            pub const NAMED: &'static [Source] = &[$(Source::$variant),*];
            fn of_name(name: &str) -> Option<Source> {
                match name { $($name => Some(Source::$variant),)* _ => None }
            }
            fn word(self) -> Option<&'static str> {
                match self { $(Source::$variant => Some($name),)* Source::Attr(_) => None }
            }
            pub const fn origin(self) -> SourceOf {
                match self { $(Source::$variant => SourceOf::$of,)* Source::Attr(_) => SourceOf::Person }
            }
        }
    };
}

/// Whose fact it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceOf {
    /// HR's record of the person as such.
    Person,
    /// The posting.
    Posting,
    /// The row of the unit, or of one above it.
    Unit,
    /// The person's own number, with the unit's switchboard in its absence.
    Phone,
}

sources! {
    Given = "given", Person;
    Family = "family", Person;
    /// The first letters of the given names and of the family name.
    Initials = "initials", Person;
    /// Duty before post, acting marked.
    Title = "title", Posting;
    /// Short name of the unit.
    Unit = "unit", Unit;
    UnitName = "unit_name", Unit;
    UnitCode = "unit_code", Unit;
    /// Short name of the unit below the ministry.
    TopUnit = "top_unit", Unit;
    /// The provincial directorate; the ministry itself for head office.
    Company = "company", Unit;
    Ministry = "ministry", Unit;
    Province = "province", Unit;
    /// Plate number, two digits.
    ProvinceCode = "province_code", Unit;
    City = "city", Unit;
    Address = "address", Unit;
    PostalCode = "postal_code", Unit;
    Fax = "fax", Unit;
    Office = "office", Person;
    /// With the extension.
    WorkPhone = "work_phone", Phone;
    Extension = "extension", Person;
    /// Only where the person has consented.
    Mobile = "mobile", Person;
    RegistryNo = "registry_no", Person;
}

impl Source {
    pub fn parse(name: &str) -> Option<Source> {
        let numbered = || name.strip_prefix("attr_").and_then(|n| n.parse().ok()).filter(|n| (1..=15).contains(n)).map(Source::Attr);
        Source::of_name(name).or_else(numbered)
    }

    /// The most UTF-16 units that it has; those of which nobody says it have no end.
    const fn most(self) -> usize {
        match self {
            Source::Initials => 6,
            Source::UnitCode => 8,
            Source::ProvinceCode => 2,
            Source::RegistryNo | Source::Mobile => 16,
            _ => usize::MAX,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Attr(n) => write!(f, "attr_{n}"),
            named => f.write_str(named.word().unwrap_or_default()),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Text(Arc<str>),
    From(Source),
}

/// One way to fill an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(pub Vec<Part>);

impl Pattern {
    pub fn sources(&self) -> impl Iterator<Item = Source> {
        self.0.iter().filter_map(|part| match part {
            Part::From(source) => Some(*source),
            Part::Text(_) => None,
        })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::From(source) => write!(f, "{{{source}}}"),
        })
    }
}

/// A rule that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingFault {
    #[error("{0} is no attribute of the card that can be mapped")]
    Attribute(String),
    #[error("{{{0}}} is no source")]
    Source(String),
    #[error("a brace is not closed")]
    Brace,
    #[error("\"{1}\" is no value that {0} takes")]
    Value(&'static str, String),
    /// Why: address lists filter by exactly these values, and free text is spelt in many ways.
    #[error("{{{1}}} is free text of a person's record: {0} is filtered by address lists and takes what the unit table says")]
    FreeText(&'static str, Source),
    #[error(
        "{0} is no custom attribute: department, company and st are filtered by address lists in any case, and other attributes are not"
    )]
    Unlisted(String),
    #[error("{0} is filtered by address lists and has no rule, so anybody may write anything into it")]
    Unruled(&'static str),
}

/// Attribute -> rule. What is not in it is not Kimlik's, and is left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    rules: Vec<(Attribute, Vec<Pattern>)>,
    /// Custom attributes that the ministry's address lists filter by.
    listed: Vec<Attribute>,
}

/// Address, country and phones for everybody; initials and custom attributes only where somebody asks for them.
const DEFAULTS: &[(&str, &str)] = &[
    ("title", "{title}"),
    ("department", "{unit}"),
    ("company", "{company}"),
    ("physicalDeliveryOfficeName", "{office}"),
    ("telephoneNumber", "{work_phone}"),
    ("mobile", "{mobile}"),
    ("facsimileTelephoneNumber", "{fax}"),
    ("streetAddress", "{address}"),
    ("l", "{city}|{province}"),
    ("st", "{province}"),
    ("postalCode", "{postal_code}"),
    ("c", "TR"),
    ("co", "Türkiye"),
    ("countryCode", "792"),
];

impl Default for Mapping {
    fn default() -> Mapping {
        static MAPPING: LazyLock<Mapping> = LazyLock::new(|| {
            let mut mapping = Mapping { rules: Vec::new(), listed: Vec::new() };
            for (name, rule) in DEFAULTS {
                // Why ignored: a test reads every one of them.
                mapping.set(name, rule).ok();
            }
            mapping
        });
        MAPPING.clone()
    }
}

impl Mapping {
    /// The custom attribute of this LDAP name is one that address lists filter by: rules given from now on may take its values from
    /// nowhere but the unit table.
    pub fn list(&mut self, name: &str) -> Result<(), MappingFault> {
        let attribute = Attribute::from_ldap(name).filter(|a| a.is_custom()).ok_or_else(|| MappingFault::Unlisted(name.to_owned()))?;
        self.listed.push(attribute);
        Ok(())
    }
    /// Those that address lists filter by and no rule fills.
    pub fn unruled(&self) -> impl Iterator<Item = MappingFault> {
        self.listed.iter().filter(|a| !self.owns(**a)).map(|a| MappingFault::Unruled(a.ldap_name()))
    }
    /// `rule` for the attribute of this LDAP name, in place of the one before; an empty rule leaves the attribute to others.
    pub fn set(&mut self, name: &str, rule: &str) -> Result<(), MappingFault> {
        let attribute = Attribute::from_ldap(name).filter(|a| a.is_mapped()).ok_or_else(|| MappingFault::Attribute(name.to_owned()))?;
        let is_listed = filters_address_lists(attribute) || self.listed.contains(&attribute);
        let patterns = patterns(attribute, rule, is_listed)?;
        self.rules.retain(|(a, _)| *a != attribute);
        if !patterns.is_empty() {
            self.rules.push((attribute, patterns));
            self.rules.sort_by_key(|(a, _)| *a);
        }
        Ok(())
    }
    pub fn owns(&self, attribute: Attribute) -> bool {
        !self.patterns(attribute).is_empty()
    }
    pub fn patterns(&self, attribute: Attribute) -> &[Pattern] {
        self.rules.binary_search_by_key(&attribute, |(a, _)| *a).map_or(&[], |at| &self.rules[at].1)
    }
    pub fn iter(&self) -> impl Iterator<Item = (Attribute, &[Pattern])> {
        self.rules.iter().map(|(a, p)| (*a, p.as_slice()))
    }
    /// The longest value that the rule can give, in UTF-16 units; beyond the attribute's own limit it is cut.
    pub fn longest(&self, attribute: Attribute) -> usize {
        let of_part = |part: &Part| match part {
            Part::Text(text) => utf16_len(text),
            Part::From(source) => source.most(),
        };
        let of = |pattern: &Pattern| pattern.0.iter().map(of_part).fold(0, usize::saturating_add);
        self.patterns(attribute).iter().map(of).max().unwrap_or(0).min(attribute.max_len())
    }
    /// Of the attribute's rule: another one whenever its text is.
    pub fn version(&self, attribute: Attribute) -> String {
        Mapping::version_of(&self.rule(attribute).unwrap_or_default())
    }
    /// FNV-1a, 32 bits. Why enough: it tells one text from the one before, and nobody gains by forging one.
    pub fn version_of(rule: &str) -> String {
        let digest = rule.bytes().fold(0x811c_9dc5_u32, |digest, octet| (digest ^ u32::from(octet)).wrapping_mul(0x0100_0193));
        format!("{digest:08x}")
    }
    /// The rule as it stands in the settings.
    pub fn rule(&self, attribute: Attribute) -> Option<String> {
        let patterns = self.patterns(attribute);
        (!patterns.is_empty()).then(|| patterns.iter().map(Pattern::to_string).collect::<Vec<_>>().join("|"))
    }
}

/// What the built-in address lists of Exchange filter by, custom attributes apart: of those the ministry's settings say which.
const fn filters_address_lists(attribute: Attribute) -> bool {
    matches!(attribute, Attribute::Department | Attribute::Company | Attribute::State)
}

fn patterns(attribute: Attribute, rule: &str, is_listed: bool) -> Result<Vec<Pattern>, MappingFault> {
    let alternatives = rule.split('|').map(str::trim).filter(|text| !text.is_empty());
    let patterns: Vec<Pattern> = alternatives.map(pattern).collect::<Result<_, _>>()?;
    for pattern in &patterns {
        if let Some(source) = pattern.sources().find(|s| is_listed && s.origin() != SourceOf::Unit) {
            return Err(MappingFault::FreeText(attribute.ldap_name(), source));
        }
        if let [Part::Text(text)] = pattern.0.as_slice()
            && !attribute.takes(&super::Value::Text(text.clone()))
        {
            return Err(MappingFault::Value(attribute.ldap_name(), text.to_string()));
        }
    }
    Ok(patterns)
}

fn pattern(text: &str) -> Result<Pattern, MappingFault> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some(open) = rest.find('{') {
        let close = rest[open..].find('}').map(|at| open + at).ok_or(MappingFault::Brace)?;
        if open > 0 {
            parts.push(Part::Text(rest[..open].into()));
        }
        let name = &rest[open + 1..close];
        parts.push(Part::From(Source::parse(name).ok_or_else(|| MappingFault::Source(name.to_owned()))?));
        rest = &rest[close + 1..];
    }
    if rest.contains('}') {
        return Err(MappingFault::Brace);
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.into()));
    }
    Ok(Pattern(parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_rules_are_all_taken_and_read_back_as_they_were_written() {
        let mapping = Mapping::default();
        assert_eq!(mapping.iter().count(), DEFAULTS.len());
        for (name, rule) in DEFAULTS {
            assert_eq!(mapping.rule(Attribute::from_ldap(name).unwrap()).as_deref(), Some(*rule));
        }
        assert!(!mapping.owns(Attribute::Initials) && !mapping.owns(Attribute::Custom7));
    }

    #[test]
    fn a_rule_that_cannot_be_used_says_why() {
        let mut mapping = Mapping::default();
        let mut fault = |name, rule| mapping.set(name, rule).unwrap_err().to_string();
        assert!(fault("sAMAccountName", "{given}").contains("no attribute of the card"));
        assert!(fault("title", "{titel}").contains("{titel} is no source"));
        assert!(fault("title", "{title").contains("brace"));
        assert!(fault("title", "title}").contains("brace"));
        assert!(fault("countryCode", "Türkiye").contains("takes"));
        assert!(fault("c", "TURKEY").contains("takes"));
        assert!(fault("department", "{attr_1}").contains("free text"));
        assert!(fault("extensionAttribute1", "{attr_16}").contains("no source"));
    }

    #[test]
    fn what_address_lists_filter_by_comes_from_the_unit_table_only() {
        let mut mapping = Mapping::default();
        mapping.list("extensionAttribute1").unwrap();
        assert!(mapping.list("title").unwrap_err().to_string().contains("no custom attribute"));
        for rule in ["{attr_1}", "{unit}/{office}", "{unit_code}|{title}", "{work_phone}"] {
            assert!(matches!(mapping.set("extensionAttribute1", rule), Err(MappingFault::FreeText("extensionAttribute1", _))), "{rule}");
            mapping.set("extensionAttribute2", rule).unwrap();
        }
        assert_eq!(mapping.unruled().map(|f| f.to_string()).collect::<Vec<_>>().len(), 1);
        mapping.set("extensionAttribute1", "{province_code}-{unit_code}|{ministry}|merkez").unwrap();
        assert_eq!(mapping.unruled().count(), 0);
    }

    #[test]
    fn an_empty_rule_leaves_the_attribute_to_others() {
        let mut mapping = Mapping::default();
        mapping.set("title", "").unwrap();
        assert!(!mapping.owns(Attribute::Title));
        mapping.set("extensionAttribute15", "{unit_code}/{attr_15}|{unit_code}").unwrap();
        assert_eq!(mapping.rule(Attribute::Custom15).as_deref(), Some("{unit_code}/{attr_15}|{unit_code}"));
    }
}
