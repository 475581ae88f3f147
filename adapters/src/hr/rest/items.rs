//! From the items of a page to rows: a person's postings become one row each. Pure.
use super::super::names::FieldNames;
use kimlik_domain::staff::feed::{BrokenRow, Columns, Field, Row};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// Rows of all pages so far. Items with the same keys share their columns.
#[derive(Default)]
pub struct Rows {
    pub rows: Vec<Row>,
    pub broken: Vec<BrokenRow>,
    items: u32,
    columns: HashMap<Vec<Option<Field>>, Arc<Columns>>,
}

type Cells = Vec<(Field, String)>;

impl Rows {
    pub fn items(&self) -> u32 {
        self.items
    }

    pub fn add(&mut self, item: &Value, names: &FieldNames) {
        self.items = self.items.saturating_add(1);
        let line = self.items;
        match flatten(item, names) {
            Ok(rows) => rows.into_iter().for_each(|cells| self.push(line, &cells)),
            Err(reason) => self.broken.push(BrokenRow { line, reason }),
        }
    }

    fn push(&mut self, line: u32, cells: &Cells) {
        let fields: Vec<Option<Field>> = cells.iter().map(|(field, _)| Some(*field)).collect();
        let columns = self.columns.entry(fields).or_insert_with_key(|fields| Columns::new(fields));
        self.rows.push(Row::new(line, columns, cells.iter().map(|(_, text)| text.as_str())));
    }
}

fn flatten(item: &Value, names: &FieldNames) -> Result<Vec<Cells>, String> {
    let object = item.as_object().ok_or("is not an object")?;
    let person = cells(object, names)?;
    let postings = match object.get("postings") {
        None => return Ok(vec![person]),
        Some(Value::Null) => &[],
        Some(Value::Array(postings)) => postings.as_slice(),
        Some(_) => return Err("postings is not a list".to_owned()),
    };
    if postings.is_empty() {
        // Why: an empty list says "no posting", an absent one says nothing.
        return Ok(vec![[vec![(Field::UnitCode, String::new())], person].concat()]);
    }
    let row = |posting: &Value| {
        let posting = posting.as_object().ok_or("a posting is not an object")?;
        // Why the posting first: where both have a field, the nearer one holds.
        Ok([cells(posting, names)?, person.clone()].concat())
    };
    postings.iter().map(row).collect()
}

fn cells(object: &Map<String, Value>, names: &FieldNames) -> Result<Cells, String> {
    let known = object.iter().filter(|(key, _)| *key != "postings");
    let cell = |(key, value): (&String, &Value)| names.field(key).map(|field| text(field, value).map(|text| (field, text)));
    known.filter_map(cell).collect()
}

fn text(field: Field, value: &Value) -> Result<String, String> {
    match value {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(true) => Ok("yes".to_owned()),
        Value::Bool(false) => Ok("no".to_owned()),
        Value::Array(_) | Value::Object(_) => Err(format!("{field} is not a text")),
    }
}
