//! Where each value of a card comes from, what the directory holds in its place, and who can correct it. Pure: what is known and
//! what was seen in, one entry a field out.
use super::drift::{CardDrift, DriftReason};
use crate::account::mapping::{Mapping, Source};
use crate::account::{Attribute, ObservedAccount, Value};
use crate::day::{self, Day};
use crate::lifecycle::desired::{self, Facts};
use crate::lifecycle::difference::{self, Sight};
use crate::lifecycle::{drift, words};
use crate::phone::{Own, Setter};
use crate::ports::PersonRecord;
use crate::staff::{Blocked, Posting, PostingKind, Unit, UnitCode};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::sync::Arc;

/// Whose word a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldSource {
    /// HR's row of the person.
    Hr,
    /// HR's row of a unit: everybody there shows the same.
    UnitTable,
    /// Changed here by the person.
    SelfService,
    /// Changed here by somebody of the personnel unit.
    PersonnelUnit,
    /// Made by a rule of the settings.
    Rule,
}

/// Who can make it another value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corrector {
    /// The person, on /kart.
    Person,
    /// The personnel unit, in HR.
    PersonnelUnit,
    /// Whoever keeps HR's table of units.
    UnitTable,
    /// An administrator: a rule of the settings.
    Administrator,
}

/// One field of a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardField {
    pub attribute: Attribute,
    /// What should stand in the directory.
    pub value: Option<Value>,
    pub source: FieldSource,
    /// Columns of HR's feed that it is made of.
    pub columns: Vec<String>,
    /// The first day of the posting that gives it.
    pub effective_on: Option<Day>,
    /// Whose row it stands in, where a unit lends it.
    pub lender: Option<UnitCode>,
    /// The alternative of the settings' rule that gave it, with the version of the whole rule.
    pub rule: Option<(String, String)>,
    /// Since when it has been so; `None`: since before Kimlik.
    pub since: Option<DateTime<Utc>>,
    /// When Kimlik last wrote the attribute.
    pub written_at: Option<DateTime<Utc>>,
    /// What the directory holds.
    pub held: Option<Value>,
    /// Why it differs, and in plain words; `None`: it does not.
    pub differs: Option<Differs>,
    pub correctors: Vec<Corrector>,
}

/// What is known beside the person.
pub struct Known<'a> {
    /// The person's account, or the one that is to become it.
    pub seen: &'a ObservedAccount,
    pub drift: Option<&'a CardDrift>,
    pub written: &'a HashMap<Attribute, DateTime<Utc>>,
}

/// Why a value is not what the directory holds, and in plain words.
type Differs = (DriftReason, Arc<str>);

/// Every field that has a value, there or here. Where a person has to decide first what the card should be, what was last written
/// stands until then. Empty: there is nothing that Kimlik keeps.
pub fn provenance(record: &PersonRecord, known: &Known<'_>, facts: &Facts<'_>) -> Vec<CardField> {
    let held = |attribute: Attribute| difference::held(record, known.seen, attribute);
    let written = |attribute: Attribute| known.written.get(&attribute).copied();
    let kept = difference::kept(record, known.seen, facts);
    let is_undecided = kept.is_empty();
    let fields: Vec<CardField> = if is_undecided {
        let applied = record.account.as_ref().and_then(|a| a.applied.as_ref());
        let undecided = |attribute: Attribute, value: &Value| {
            let differs = difference::is_another(attribute, held(attribute).as_ref(), Some(value));
            differs.then(|| (DriftReason::Undecided, words::UNDECIDED.into()))
        };
        let written_last = applied.into_iter().flat_map(|applied| applied.attributes.iter());
        written_last.map(|(a, v)| field(record, (a, Some(v.clone())), (held(a), written(a)), undecided(a, v), facts)).collect()
    } else {
        let differing = differing(record, known, facts);
        let whole = |attribute, value| whole(record, attribute, facts).or(value);
        let field = |(a, value): (Attribute, Option<Value>)| {
            field(record, (a, whole(a, value)), (held(a), written(a)), differing.get(&a).cloned(), facts)
        };
        kept.into_iter().map(field).collect()
    };
    fields.into_iter().filter(|f| f.value.is_some() || f.held.is_some()).collect()
}

/// What the account will show that is not opened yet; why it is not stands with each.
pub fn to_come(record: &PersonRecord, is_held: bool, facts: &Facts<'_>) -> Vec<CardField> {
    let is_blocked = record.open_issues.iter().any(|kind| matches!(kind.blocks(), Blocked::Opening | Blocked::Account));
    let (reason, because) = match (is_held, is_blocked) {
        (true, _) => (DriftReason::Held, words::HELD),
        (false, true) => (DriftReason::Undecided, words::UNDECIDED),
        (false, false) => (DriftReason::Waiting, words::NOT_OPENED),
    };
    let because: Arc<str> = because.into();
    let shown = difference::to_come(record, facts).into_iter().filter_map(|(attribute, value)| Some((attribute, value?)));
    shown.map(|(a, v)| field(record, (a, Some(v)), (None, None), Some((reason, because.clone())), facts)).collect()
}

/// The text that the attribute does not hold, or not whole. Why told whole: half of it is not what the card should show.
fn whole(record: &PersonRecord, attribute: Attribute, facts: &Facts<'_>) -> Option<Value> {
    let (text, _) = attribute.is_mapped().then(|| desired::made_of(record, attribute, facts))??;
    Some(Value::Text(text)).filter(|text| !attribute.takes(text))
}

fn field(
    record: &PersonRecord,
    (attribute, value): (Attribute, Option<Value>),
    (held, written_at): (Option<Value>, Option<DateTime<Utc>>),
    differs: Option<Differs>,
    facts: &Facts<'_>,
) -> CardField {
    let origin = origin(record, attribute, facts);
    let opened_at = record.account.as_ref().and_then(|a| a.opened_at);
    let effective = origin.effective_on.map(day::midnight);
    let since = match &differs {
        // Why not when it was written: that was another value.
        Some(_) => origin.since.or(effective).or(record.person.updated_at),
        None => origin.since.or(written_at).or(effective).or(opened_at),
    };
    CardField {
        attribute,
        value,
        source: origin.source,
        columns: origin.columns,
        effective_on: origin.effective_on,
        lender: origin.lender,
        rule: origin.rule,
        since,
        written_at,
        held,
        differs,
        correctors: origin.correctors,
    }
}

/// Attributes that differ now, each with its reason. What waits in a hold, or was refused, the row of the last look knows.
fn differing(record: &PersonRecord, known: &Known<'_>, facts: &Facts<'_>) -> HashMap<Attribute, Differs> {
    let is_linked = record.account.as_ref().is_some_and(|a| a.guid == Some(known.seen.guid));
    let candidates = std::slice::from_ref(known.seen);
    let sight = if is_linked { Sight { account: Some(known.seen), candidates: &[] } } else { Sight { account: None, candidates } };
    let plan = difference::plan(record, sight, facts);
    let planned = drift::fields(&plan, |action| (drift::untried(plan.mode, action), action.because.to_string().into()));
    let withheld = drift::withheld(record, sight, &plan, facts);
    let asked = |attribute: Attribute| {
        let field = known.drift.and_then(|d| d.fields.iter().find(|f| f.attribute == attribute));
        field.filter(|f| matches!(f.reason, DriftReason::Held | DriftReason::Rejected | DriftReason::RefusedValue | DriftReason::Failed))
    };
    let planned = planned.into_iter().map(|f| match asked(f.attribute) {
        Some(row) => (f.attribute, (row.reason, row.because.clone())),
        None => (f.attribute, (f.reason, f.because)),
    });
    withheld.into_iter().map(|f| (f.attribute, (f.reason, f.because))).chain(planned).collect()
}

struct Origin {
    source: FieldSource,
    columns: Vec<String>,
    effective_on: Option<Day>,
    lender: Option<UnitCode>,
    rule: Option<(String, String)>,
    since: Option<DateTime<Utc>>,
    correctors: Vec<Corrector>,
}

impl Origin {
    fn of_hr(columns: &[&str]) -> Origin {
        Origin {
            source: FieldSource::Hr,
            columns: columns.iter().map(|c| (*c).to_owned()).collect(),
            effective_on: None,
            lender: None,
            rule: None,
            since: None,
            correctors: vec![Corrector::PersonnelUnit],
        }
    }
    fn of_rule(rule: String) -> Origin {
        let version = Mapping::version_of(&rule);
        let correctors = vec![Corrector::Administrator];
        Origin { source: FieldSource::Rule, rule: Some((rule, version)), correctors, ..Origin::of_hr(&[]) }
    }
    fn of_unit(unit: Option<UnitCode>, columns: &[&str], effective_on: Option<Day>) -> Origin {
        let correctors = vec![Corrector::UnitTable];
        Origin { source: FieldSource::UnitTable, lender: unit, effective_on, correctors, ..Origin::of_hr(columns) }
    }
}

fn origin(record: &PersonRecord, attribute: Attribute, facts: &Facts<'_>) -> Origin {
    let person = &record.person;
    let names = || Origin::of_rule(format!("{} @{}", facts.policy.names.username.join("|"), facts.policy.names.mail_domain));
    match attribute {
        Attribute::DisplayName => Origin::of_hr(&["given_name", "family_name"]),
        Attribute::GivenName => Origin::of_hr(&["given_name"]),
        Attribute::FamilyName => Origin::of_hr(&["family_name"]),
        Attribute::EmployeeId => Origin::of_hr(&["registry_no"]),
        Attribute::Photo => Origin::of_hr(&["photo"]),
        Attribute::Username | Attribute::UserPrincipalName | Attribute::Mail | Attribute::MailNickname | Attribute::ProxyAddresses => {
            names()
        }
        Attribute::Manager if person.manager.as_ref().is_some_and(|m| *m != person.registry_no) => Origin::of_hr(&["manager_registry_no"]),
        Attribute::Manager => {
            let unit = desired::unit_of(record, facts);
            let head = unit.and_then(|u| facts.units.upward(u.code).find(|u| u.head.as_ref().is_some_and(|h| *h != person.registry_no)));
            Origin::of_unit(head.map(|u| u.code), &["head_registry_no"], posting(record, facts).and_then(|p| p.start))
        }
        mapped if mapped.is_mapped() => of_rule(record, mapped, facts),
        _ => Origin::of_rule("exchange".to_owned()),
    }
}

/// By the alternative that gave the value; where none did, by the first.
fn of_rule(record: &PersonRecord, attribute: Attribute, facts: &Facts<'_>) -> Origin {
    let mapping = &facts.policy.mapping;
    let given = desired::made_of(record, attribute, facts);
    let Some(pattern) = given.map(|(_, pattern)| pattern).or_else(|| mapping.patterns(attribute).first()) else {
        return Origin::of_rule(String::new());
    };
    let rule = Some((pattern.to_string(), mapping.version(attribute)));
    let mut sources = pattern.sources();
    match (sources.next(), sources.next()) {
        (None, _) => Origin { rule, ..Origin::of_rule(String::new()) },
        (Some(one), None) => Origin { rule, ..of_source(record, one, facts) },
        (Some(first), Some(second)) => {
            let all: Vec<Origin> = [first, second].into_iter().chain(sources).map(|s| of_source(record, s, facts)).collect();
            let mut correctors: Vec<Corrector> = Vec::new();
            all.iter().flat_map(|o| &o.correctors).for_each(|c| {
                if !correctors.contains(c) {
                    correctors.push(*c)
                }
            });
            Origin {
                rule,
                columns: all.iter().flat_map(|o| o.columns.iter().cloned()).collect(),
                since: all.iter().filter_map(|o| o.since).max(),
                effective_on: all.iter().filter_map(|o| o.effective_on).max(),
                correctors,
                ..Origin::of_rule(String::new())
            }
        }
    }
}

fn posting<'a>(record: &'a PersonRecord, facts: &Facts<'_>) -> Option<&'a Posting> {
    record.person.posting_on(facts.today)
}

fn of_source(record: &PersonRecord, source: Source, facts: &Facts<'_>) -> Origin {
    let person = &record.person;
    match source {
        Source::Given => Origin::of_hr(&["given_name"]),
        Source::Family => Origin::of_hr(&["family_name"]),
        Source::Initials => Origin::of_hr(&["given_name", "family_name"]),
        Source::Office => Origin::of_hr(&["office"]),
        Source::RegistryNo => Origin::of_hr(&["registry_no"]),
        Source::Attr(_) => Origin::of_hr(&[&source.to_string()]),
        Source::Title => {
            let giving = person.acting_on(facts.today).filter(|p| p.title().is_some()).or_else(|| posting(record, facts));
            let acting = giving.is_some_and(|p| p.kind == PostingKind::Acting);
            let column = if giving.is_some_and(|p| p.title_duty.is_some()) { "title_duty" } else { "title_post" };
            let columns: &[&str] = if acting { &[column, "posting_kind"] } else { &[column] };
            Origin { effective_on: giving.and_then(|p| p.start), ..Origin::of_hr(columns) }
        }
        Source::Mobile => of_phone(record.phones.ledger.mobile.as_ref(), &["mobile", "mobile_public"]),
        Source::Extension => of_phone(record.phones.ledger.work.as_ref(), &["extension"]),
        Source::WorkPhone if person.work_phone.is_some() || person.extension.is_some() => {
            of_phone(record.phones.ledger.work.as_ref(), &["work_phone", "extension"])
        }
        Source::WorkPhone => lent(record, facts, "phone", |u| u.phone.is_some()),
        Source::City => lent(record, facts, "city", |u| u.city.is_some()),
        Source::Address => lent(record, facts, "address", |u| u.address.is_some()),
        Source::PostalCode => lent(record, facts, "postal_code", |u| u.postal_code.is_some()),
        Source::Fax => lent(record, facts, "fax", |u| u.fax.is_some()),
        Source::Province | Source::ProvinceCode => {
            of_unit(record, facts, "province", |f, u| f.units.upward(u.code).find(|u| u.province.is_some()))
        }
        Source::Unit => of_unit(record, facts, "short_name", |_, u| Some(u)),
        Source::UnitName => of_unit(record, facts, "name", |_, u| Some(u)),
        Source::UnitCode => of_unit(record, facts, "code", |_, u| Some(u)),
        Source::TopUnit => of_unit(record, facts, "short_name", |f, u| f.units.top(u.code)),
        Source::Company if is_provincial(record, facts) => of_unit(record, facts, "short_name", |f, u| f.units.top(u.code)),
        Source::Company | Source::Ministry => of_unit(record, facts, "short_name", |f, u| f.units.upward(u.code).last()),
    }
}

fn is_provincial(record: &PersonRecord, facts: &Facts<'_>) -> bool {
    desired::unit_of(record, facts).is_some_and(|u| u.kind == crate::staff::UnitKind::Provincial)
}

/// A number that was changed here and counts is whoever's who changed it; else it is HR's.
fn of_phone<T: Clone + PartialEq>(own: Option<&Own<T>>, columns: &[&str]) -> Origin {
    let correctors = vec![Corrector::Person, Corrector::PersonnelUnit];
    let own = own.filter(|own| own.counts());
    let source = match own.map(|own| &own.by) {
        Some(Setter::Owner) => FieldSource::SelfService,
        Some(Setter::Other { .. }) => FieldSource::PersonnelUnit,
        Some(Setter::Hr) | None => FieldSource::Hr,
    };
    Origin { source, since: own.map(|own| own.at), correctors, ..Origin::of_hr(columns) }
}

/// Of the unit, or of the nearest above it of its kind that has one.
fn lent(record: &PersonRecord, facts: &Facts<'_>, column: &str, has: impl Fn(&Unit) -> bool) -> Origin {
    of_unit(record, facts, column, |f, unit| f.units.upward(unit.code).take_while(|u| u.kind == unit.kind).find(|u| has(u)))
}

fn of_unit<'a>(
    record: &PersonRecord,
    facts: &Facts<'a>,
    column: &str,
    whose: impl FnOnce(&Facts<'a>, &'a Arc<Unit>) -> Option<&'a Arc<Unit>>,
) -> Origin {
    let lender = desired::unit_of(record, facts).and_then(|unit| whose(facts, unit)).map(|u| u.code);
    Origin::of_unit(lender, &[column], posting(record, facts).and_then(|p| p.start))
}
