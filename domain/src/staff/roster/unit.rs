//! Units from their rows. The tree that comes out has no circle; a unit row that cannot be read is rejected alone.
use super::cells::Cells;
use super::{Fault, Said, words};
use crate::account::Attribute;
use crate::staff::feed::{Field, Row};
use crate::staff::person::RegistryNo;
use crate::staff::phone::WorkNumber;
use crate::staff::unit::{Province, Unit, UnitCode, UnitKind, Units};
use crate::staff::{DataIssue, IssueKind};
use crate::text;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Kinds of issue about units. Why none that is about people too: a delivery of units resolves all of these that it does not find.
pub const UNIT_KINDS: &[IssueKind] =
    &[IssueKind::InvalidUnit, IssueKind::InvalidUnitField, IssueKind::UnitShortName, IssueKind::UnitCircle, IssueKind::UnknownParent];

const ADDRESS_MAX: usize = 1024;

/// What came of the rows of units.
#[derive(Clone, Debug, Default)]
pub struct UnitRoster {
    /// New or changed, ascending.
    pub units: Vec<Unit>,
    pub new: u32,
    pub rejected_rows: u32,
    pub issues: Vec<DataIssue>,
}

/// Reads rows of units over what is known. Units that no row names are left alone.
pub fn read_units(rows: &[Row], known: &Units, source: &str) -> UnitRoster {
    let mut out = UnitRoster::default();
    let mut by_code: BTreeMap<UnitCode, Vec<&Row>> = BTreeMap::new();
    let mut unreadable: Vec<(Option<UnitCode>, Fault)> = Vec::new();
    for row in rows {
        match row.text(Field::Code).and_then(UnitCode::parse) {
            Some(code) => by_code.entry(code).or_default().push(row),
            None => {
                let fault = Fault::new(IssueKind::InvalidUnit, Field::Code, row.line, "code is not an 8-digit unit number");
                unreadable.push((None, fault));
                out.rejected_rows += 1;
            }
        }
    }
    let named: BTreeSet<UnitCode> = by_code.keys().copied().collect();
    let exists = |code: UnitCode| named.contains(&code) || known.get(code).is_some();
    let mut read: BTreeMap<UnitCode, (Unit, u32)> = BTreeMap::new();
    for (code, rows) in by_code {
        let mut faults = Vec::new();
        match read_unit(code, &rows, known.get(code).map(|u| &**u), exists, &mut faults) {
            Some(unit) => drop(read.insert(code, (unit, rows[0].line))),
            None => out.rejected_rows += u32::try_from(rows.len()).unwrap_or(u32::MAX),
        }
        unreadable.extend(faults.into_iter().map(|fault| (Some(code), fault)));
    }
    unreadable.extend(break_circles(&mut read, known).into_iter().map(|(code, fault)| (Some(code), fault)));
    out.units = read.into_values().map(|(unit, _)| unit).filter(|unit| known.get(unit.code).is_none_or(|k| **k != *unit)).collect();
    out.new = u32::try_from(out.units.iter().filter(|u| known.get(u.code).is_none()).count()).unwrap_or(u32::MAX);
    let mut after = known.clone();
    out.units.iter().for_each(|unit| after.put(unit.clone()));
    out.issues = unreadable.into_iter().map(|(code, fault)| issue(code, fault, &after, source)).collect();
    out
}

fn issue(code: Option<UnitCode>, fault: Fault, units: &Units, source: &str) -> DataIssue {
    DataIssue {
        unit: code,
        personnel_unit: code.and_then(|c| units.personnel_unit(c)),
        field: fault.field.map(|f| f.name().to_owned()),
        line: fault.line,
        source: Some(source.to_owned()),
        ..DataIssue::new(fault.kind, fault.message)
    }
}

/// `None`: rejected, a fault says why.
fn read_unit(
    code: UnitCode,
    rows: &[&Row],
    known: Option<&Unit>,
    exists: impl Fn(UnitCode) -> bool,
    faults: &mut Vec<Fault>,
) -> Option<Unit> {
    let (first, others) = rows.split_first()?;
    let mut cells = Cells { row: first, faults };
    if let Some(other) = others.iter().find(|row| Field::ALL.iter().any(|f| row.get(*f) != first.get(*f))) {
        cells.reject(
            IssueKind::InvalidUnit,
            Field::Code,
            format!("two rows of this unit differ (lines {} and {})", first.line, other.line),
        );
        return None;
    }
    let name = name(&mut cells).over(known.map(|k| k.name.clone()));
    let kind = kind(&mut cells).over(known.map(|k| k.kind));
    let short_name = short_name(&mut cells, name.as_deref().unwrap_or_default(), known);
    let unit = Unit {
        code,
        parent: parent(&mut cells, code, known, &exists),
        name: name.clone().unwrap_or_default(),
        short_name,
        kind: kind.unwrap_or(UnitKind::Central),
        province: province(&mut cells).over(known.and_then(|k| k.province)),
        personnel_unit: personnel_unit(&mut cells, &exists).over(known.and_then(|k| k.personnel_unit)),
        head: head(&mut cells).over(known.and_then(|k| k.head.clone())),
        phone: phone(&mut cells, Field::Phone).over(known.and_then(|k| k.phone.clone())),
        fax: phone(&mut cells, Field::Fax).over(known.and_then(|k| k.fax.clone())),
        address: words(&mut cells, Field::Address, ADDRESS_MAX).over(known.and_then(|k| k.address.clone())),
        city: words(&mut cells, Field::City, Attribute::City.max_len()).over(known.and_then(|k| k.city.clone())),
        postal_code: words(&mut cells, Field::PostalCode, Attribute::PostalCode.max_len()).over(known.and_then(|k| k.postal_code.clone())),
        valid_from: cells.day(Field::ValidFrom, IssueKind::InvalidUnit).over(known.and_then(|k| k.valid_from)),
        valid_to: cells.day(Field::ValidTo, IssueKind::InvalidUnit).over(known.and_then(|k| k.valid_to)),
        replaced_by: replaced_by(&mut cells, code).over(known.and_then(|k| k.replaced_by)),
    };
    if name.is_none() && !cells.faults.iter().any(|f| f.rejects) {
        cells.reject(IssueKind::InvalidUnit, Field::Name, "the unit has no name");
    }
    if kind.is_none() && !cells.faults.iter().any(|f| f.rejects) {
        cells.reject(IssueKind::InvalidUnit, Field::Kind, "the unit has no kind: write CENTRAL or PROVINCIAL");
    }
    if matches!((unit.valid_from, unit.valid_to), (Some(from), Some(to)) if to < from) {
        cells.reject(IssueKind::InvalidUnit, Field::ValidTo, "the unit's last day is before its first");
    }
    (!cells.faults.iter().any(|f| f.rejects)).then_some(unit)
}

fn name(cells: &mut Cells<'_>) -> Said<Arc<str>> {
    let said = cells.read(Field::Name, |cells, text| {
        if text::looks_mangled(&text) {
            cells.reject(IssueKind::InvalidUnit, Field::Name, "name was written with the wrong character table: export it as UTF-8");
            return Said::Doubtful;
        }
        Said::Value(text.into())
    });
    if said == Said::Empty {
        cells.reject(IssueKind::InvalidUnit, Field::Name, "the unit has no name");
    }
    said
}

fn kind(cells: &mut Cells<'_>) -> Said<UnitKind> {
    let said = cells.read(Field::Kind, |_, text| words::unit_kind(&text).map_or(Said::Doubtful, Said::Value));
    if matches!(said, Said::Doubtful | Said::Empty) {
        cells.reject(IssueKind::InvalidUnit, Field::Kind, "kind is neither CENTRAL nor PROVINCIAL");
    }
    said
}

fn province(cells: &mut Cells<'_>) -> Said<Province> {
    cells.read(Field::Province, |cells, text| match Province::parse(&text) {
        Some(province) => Said::Value(province),
        None => {
            cells.reject(IssueKind::InvalidUnit, Field::Province, "province is not a plate number from 01 to 81");
            Said::Doubtful
        }
    })
}

/// The short name given, or the name where it fits whole; a cut one is said so.
///
/// Why a derived one is derived again where the column is absent: a renamed unit would keep its old name in the address book.
fn short_name(cells: &mut Cells<'_>, name: &str, known: Option<&Unit>) -> Arc<str> {
    let max = Attribute::Department.max_len();
    let given = match cells.row.get(Field::ShortName).map(text::tidy) {
        Some(given) => given,
        None => match known {
            Some(known) if *known.short_name != *text::clip(&known.name, max) => return known.short_name.clone(),
            _ => String::new(),
        },
    };
    if given.is_empty() {
        if text::utf16_len(name) > max {
            let message = format!("the name is longer than the {max} characters that the address book holds: give a short name");
            cells.fault(IssueKind::UnitShortName, Field::ShortName, message);
        }
        return text::clip(name, max).into();
    }
    cells.fit(IssueKind::UnitShortName, Field::ShortName, &given, max).into()
}

/// The unit above. One that is not known is kept as HR says it where the unit is new, so that the tree heals when it comes
/// (until then the walk upward ends here); a known unit stays where it was.
fn parent(cells: &mut Cells<'_>, code: UnitCode, known: Option<&Unit>, exists: &impl Fn(UnitCode) -> bool) -> Option<UnitCode> {
    let held = known.and_then(|k| k.parent);
    let said = cells.read(Field::ParentCode, |cells, text| match UnitCode::parse(&text) {
        Some(parent) if exists(parent) || parent == code => Said::Value(parent),
        Some(parent) => {
            cells.fault(IssueKind::UnknownParent, Field::ParentCode, format!("the unit above, {parent}, is not among the units"));
            if known.is_some() { Said::Doubtful } else { Said::Value(parent) }
        }
        None => {
            cells.fault(IssueKind::UnknownParent, Field::ParentCode, "parent_code is not an 8-digit unit number");
            Said::Doubtful
        }
    });
    said.over(held)
}

fn personnel_unit(cells: &mut Cells<'_>, exists: &impl Fn(UnitCode) -> bool) -> Said<UnitCode> {
    cells.read(Field::PersonnelUnitCode, |cells, text| match UnitCode::parse(&text) {
        Some(unit) if exists(unit) => Said::Value(unit),
        _ => {
            cells.fault(IssueKind::InvalidUnitField, Field::PersonnelUnitCode, "the personnel unit is not among the units");
            Said::Doubtful
        }
    })
}

fn head(cells: &mut Cells<'_>) -> Said<RegistryNo> {
    cells.read(Field::HeadRegistryNo, |cells, text| match RegistryNo::parse(&text) {
        Some(no) => Said::Value(no),
        None => {
            cells.fault(IssueKind::InvalidUnitField, Field::HeadRegistryNo, "the head's registry number is not a registry number");
            Said::Doubtful
        }
    })
}

fn phone(cells: &mut Cells<'_>, field: Field) -> Said<Arc<str>> {
    cells.read(field, |cells, text| match WorkNumber::parse(&text) {
        Ok(number) => Said::Value(number.shown(None).into()),
        Err(fault) => {
            cells.fault(IssueKind::InvalidUnitField, field, format!("{field} {fault}: the one shown so far stays"));
            Said::Doubtful
        }
    })
}

fn words(cells: &mut Cells<'_>, field: Field, max: usize) -> Said<Arc<str>> {
    cells.read(field, |cells, text| {
        if text::looks_mangled(&text) {
            cells.fault(
                IssueKind::InvalidUnitField,
                field,
                format!("{field} was written with the wrong character table: export it as UTF-8"),
            );
            return Said::Doubtful;
        }
        Said::Value(cells.fit(IssueKind::InvalidUnitField, field, &text, max).into())
    })
}

fn replaced_by(cells: &mut Cells<'_>, code: UnitCode) -> Said<UnitCode> {
    cells.read(Field::ReplacedBy, |cells, text| match UnitCode::parse(&text).filter(|c| *c != code) {
        Some(unit) => Said::Value(unit),
        None => {
            cells.fault(IssueKind::InvalidUnitField, Field::ReplacedBy, "replaced_by is not the number of another unit");
            Said::Doubtful
        }
    })
}

/// Makes the tree free of circles: units of a circle go back to where they hung before; where that does not help, the
/// lowest number of the circle is cut off. The same whatever the order of the rows, and the same again the next time.
fn break_circles(read: &mut BTreeMap<UnitCode, (Unit, u32)>, known: &Units) -> BTreeMap<UnitCode, Fault> {
    let mut faults = BTreeMap::new();
    let mut parents: HashMap<UnitCode, UnitCode> = known.iter().filter_map(|u| Some((u.code, u.parent?))).collect();
    for (unit, _) in read.values() {
        match unit.parent {
            Some(parent) => drop(parents.insert(unit.code, parent)),
            None => drop(parents.remove(&unit.code)),
        }
    }
    while let Some(circle) = find_circle(&parents) {
        for code in &circle {
            let line = read.get(code).map(|(_, line)| *line);
            let message = "the units above this one form a circle: it was left where it was, or cut off";
            let fault = Fault { line, ..Fault::new(IssueKind::UnitCircle, Field::ParentCode, 0, message) };
            faults.entry(*code).or_insert(fault);
        }
        let mut reverted = false;
        for code in &circle {
            let held = known.get(*code).map(|k| k.parent);
            if let Some(held) = held.filter(|held| *held != parents.get(code).copied()) {
                hang(*code, held, read, &mut parents);
                reverted = true;
            }
        }
        if !reverted && let Some(lowest) = circle.first() {
            hang(*lowest, None, read, &mut parents);
        }
    }
    faults
}

fn hang(code: UnitCode, parent: Option<UnitCode>, read: &mut BTreeMap<UnitCode, (Unit, u32)>, parents: &mut HashMap<UnitCode, UnitCode>) {
    match parent {
        Some(parent) => drop(parents.insert(code, parent)),
        None => drop(parents.remove(&code)),
    }
    if let Some((unit, _)) = read.get_mut(&code) {
        unit.parent = parent;
    }
}

/// The circle with the lowest number in it.
fn find_circle(parents: &HashMap<UnitCode, UnitCode>) -> Option<BTreeSet<UnitCode>> {
    let starts: BTreeSet<UnitCode> = parents.keys().copied().collect();
    let mut sound: BTreeSet<UnitCode> = BTreeSet::new();
    let mut lowest: Option<BTreeSet<UnitCode>> = None;
    for start in starts {
        let (mut path, mut at) = (Vec::new(), Some(start));
        while let Some(code) = at.filter(|c| !sound.contains(c)) {
            if let Some(from) = path.iter().position(|c| *c == code) {
                let circle: BTreeSet<UnitCode> = path[from..].iter().copied().collect();
                if lowest.as_ref().is_none_or(|l| circle.first() < l.first()) {
                    lowest = Some(circle);
                }
                break;
            }
            path.push(code);
            at = parents.get(&code).copied();
        }
        sound.extend(path);
    }
    lowest
}
