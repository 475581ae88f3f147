//! One row's cells, each read into its type, each fault noted with its line and field.
use super::{Fault, Said};
use crate::day::{self, Day};
use crate::staff::IssueKind;
use crate::staff::feed::{Field, Row};
use crate::text;
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Europe::Istanbul;

pub(super) struct Cells<'a> {
    pub row: &'a Row,
    pub faults: &'a mut Vec<Fault>,
}

impl Cells<'_> {
    pub fn fault(&mut self, kind: IssueKind, field: Field, message: impl Into<String>) {
        self.faults.push(Fault::new(kind, field, self.row.line, message));
    }
    pub fn reject(&mut self, kind: IssueKind, field: Field, message: impl Into<String>) {
        self.faults.push(Fault::new(kind, field, self.row.line, message).rejecting());
    }

    /// `read` gets the tidied text and answers a value, or notes a fault and answers what is to be made of it.
    pub fn read<T>(&mut self, field: Field, read: impl FnOnce(&mut Self, String) -> Said<T>) -> Said<T> {
        match self.row.get(field).map(text::tidy) {
            None => Said::Nothing,
            Some(text) if text.is_empty() => Said::Empty,
            Some(text) => read(self, text),
        }
    }

    /// A text of at most `max` UTF-16 units, cut at a word's end where it is longer.
    pub fn text(&mut self, field: Field, max: usize) -> Said<Box<str>> {
        self.read(field, |cells, text| Said::Value(cells.fit(IssueKind::TextTooLong, field, &text, max).into()))
    }

    /// As [`Cells::text`], for words in Turkish: letters from the wrong table reject the row.
    pub fn words(&mut self, field: Field, max: usize) -> Said<Box<str>> {
        self.read(field, |cells, text| {
            if text::looks_mangled(&text) {
                cells.reject(IssueKind::Mojibake, field, format!("{field} was written with the wrong character table: export it as UTF-8"));
                return Said::Doubtful;
            }
            Said::Value(cells.fit(IssueKind::TextTooLong, field, &text, max).into())
        })
    }

    pub fn fit<'t>(&mut self, kind: IssueKind, field: Field, text: &'t str, max: usize) -> &'t str {
        let length = text::utf16_len(text);
        if length > max {
            self.fault(
                kind,
                field,
                format!("{field} has {length} characters and the directory holds {max}: it was cut, give a shorter one"),
            );
        }
        text::clip(text, max)
    }

    /// A day. What cannot be read rejects the row: days decide about opening and closing.
    pub fn day(&mut self, field: Field, kind: IssueKind) -> Said<Day> {
        self.read(field, |cells, text| match day::parse(&text) {
            Some(day) => Said::Value(day),
            // Why: HR systems write "no end" as the last day that their database knows.
            None if is_end(field) && matches!(text.as_str(), "9999-12-31" | "31.12.9999") => Said::Empty,
            None => {
                cells.reject(kind, field, format!("{field} is not a date: write 2026-12-01 or 01.12.2026"));
                Said::Doubtful
            }
        })
    }
}

fn is_end(field: Field) -> bool {
    matches!(field, Field::EmploymentEnd | Field::PostingEnd | Field::ValidTo)
}

/// A moment; without a zone it is Istanbul's.
pub(super) fn moment(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.with_timezone(&Utc));
    }
    let forms = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M"];
    let local = forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    match local {
        Some(local) => Istanbul.from_local_datetime(&local).earliest().map(|at| at.with_timezone(&Utc)),
        None => day::parse(text).map(|d: NaiveDate| day::midnight(d)),
    }
}
