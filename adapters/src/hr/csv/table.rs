//! From records to rows of the feed: which column is which field, and what makes a whole file unreadable. Pure.
use super::super::names::FieldNames;
use super::text::{self, Record};
use kimlik_domain::staff::feed::{BrokenRow, Columns, Field, Row};
use std::borrow::Cow;
use std::sync::Arc;

#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    pub rows: Vec<Row>,
    pub broken: Vec<BrokenRow>,
}

/// Reads a whole file; `Err` says why it is not one of these at all.
pub fn read(octets: &[u8], key: Field, names: &FieldNames) -> Result<Table, String> {
    let octets = text::without_bom(octets);
    if let Some(reason) = text::unreadable(octets) {
        return Err(reason.to_owned());
    }
    let encoding = text::encoding(octets);
    // Why both are tried: a heading may hold the other sign; the right one gives more columns that are known.
    let known = |separator: &u8| {
        heading(text::records(octets, *separator, encoding, None).next(), names).map_or(0, |fields| fields.iter().flatten().count())
    };
    let separator = if known(&b';') > known(&b',') { b';' } else { b',' };
    let fields = heading(text::records(octets, separator, encoding, None).next(), names)?;
    let columns = columns(&fields, key)?;
    let mut table = Table { rows: Vec::new(), broken: Vec::new() };
    for record in text::records(octets, separator, encoding, Some(fields.len())).skip(1) {
        match whole(record.cells, fields.len()) {
            Ok(cells) => table.rows.push(Row::new(record.line, &columns, cells.iter().map(Cow::as_ref))),
            Err(reason) => table.broken.push(BrokenRow { line: record.line, reason }),
        }
    }
    Ok(table)
}

fn heading(record: Option<Record<'_>>, names: &FieldNames) -> Result<Vec<Option<Field>>, String> {
    let cells = record.ok_or("has no heading")?.cells.map_err(|reason| format!("the heading {reason}"))?;
    Ok(cells.iter().map(|cell| names.field(cell)).collect())
}

fn columns(fields: &[Option<Field>], key: Field) -> Result<Arc<Columns>, String> {
    if let Some(twice) = fields.iter().enumerate().find_map(|(at, field)| field.filter(|_| fields[..at].contains(field))) {
        return Err(format!("two columns are {twice}"));
    }
    if !fields.contains(&Some(key)) {
        return Err(format!("no column is {key}; the heading is the first line, its columns divided by , or ;"));
    }
    Ok(Columns::new(fields))
}

/// As many cells as the heading.
fn whole<'a>(cells: Result<Vec<Cow<'a, str>>, &'static str>, expected: usize) -> Result<Vec<Cow<'a, str>>, String> {
    let cells = cells.map_err(str::to_owned)?;
    let fits = text::fits(&cells, Some(expected));
    if fits { Ok(cells) } else { Err(format!("has {} cells where the heading has {expected}", cells.len())) }
}
