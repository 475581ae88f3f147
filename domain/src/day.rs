//! Civil days. HR's dates are days in Türkiye, whatever the server's zone.
use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Europe::Istanbul;

pub type Day = NaiveDate;

/// The civil day in Türkiye at `now`.
pub fn today(now: DateTime<Utc>) -> Day {
    now.with_timezone(&Istanbul).date_naive()
}

/// What a clock on a wall in Türkiye shows.
pub fn local(now: DateTime<Utc>) -> chrono::NaiveDateTime {
    now.with_timezone(&Istanbul).naive_local()
}

/// 00:00 of `day` in Türkiye. (Where clocks jump over midnight: the first moment of that day.)
pub fn midnight(day: Day) -> DateTime<Utc> {
    let local = day.and_time(NaiveTime::MIN);
    Istanbul.from_local_datetime(&local).earliest().map_or_else(|| local.and_utc(), |at| at.with_timezone(&Utc))
}

/// `2026-12-01` or `01.12.2026`; `None` for anything else.
pub fn parse(text: &str) -> Option<Day> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").or_else(|_| NaiveDate::parse_from_str(text, "%d.%m.%Y")).ok()?;
    // Why: a year of 0202 or 20266 is a slip of the pen; taken as a date it would close or never close somebody.
    use chrono::Datelike;
    (1900..=2200).contains(&day.year()).then_some(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_istanbul_midnight() {
        let at = "2026-11-30T21:00:00Z".parse().unwrap_or_default();
        assert_eq!(today(at).to_string(), "2026-12-01");
        assert_eq!(midnight(today(at)), at);
    }

    #[test]
    fn both_ways_of_writing_a_date_are_read_and_nonsense_is_not() {
        assert_eq!(parse("01.12.2026"), parse("2026-12-01"));
        for text in ["", "31.02.2026", "0202-01-01", "12/01/2026", "20261201"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
