//! What a database's error means to the caller. Never the driver's text: it may hold values of people.
use kimlik_domain::ports::{PortError, PortResult, Refusal};
use sea_orm::{DbErr, RuntimeErr};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An error of a statement: its transaction is rolled back, so nothing happened.
pub(super) fn failed(doing: &'static str) -> impl Fn(DbErr) -> PortError {
    move |error| match triage(&error) {
        Triage::Away(why) => PortError::Unavailable(format!("the database, {doing}: {why}")),
        Triage::Refused(why) => PortError::refused(Refusal::Other, format!("the database, {doing}: {why}")),
    }
}

/// An error of a COMMIT: if the connection was lost, the database may have committed all the same.
pub(super) fn failed_commit(error: DbErr) -> PortError {
    match triage(&error) {
        Triage::Away(why) => PortError::InDoubt(format!("the database, committing: {why}")),
        Triage::Refused(why) => PortError::refused(Refusal::Other, format!("the database, committing: {why}")),
    }
}

enum Triage {
    Away(String),
    Refused(String),
}

fn triage(error: &DbErr) -> Triage {
    match error {
        DbErr::ConnectionAcquire(_) => Triage::Away("no connection became free in time".into()),
        DbErr::Conn(RuntimeErr::SqlxError(e)) | DbErr::Exec(RuntimeErr::SqlxError(e)) | DbErr::Query(RuntimeErr::SqlxError(e)) => driver(e),
        DbErr::Conn(_) => Triage::Away("no connection".into()),
        DbErr::Migration(why) => Triage::Refused(why.clone()),
        DbErr::Custom(why) if why.contains("Migration file") => {
            Triage::Refused("its schema is newer than this version of Kimlik; install the version that made it".into())
        }
        DbErr::Type(_) | DbErr::Json(_) | DbErr::TryIntoErr { .. } => Triage::Refused("a column holds another type than expected".into()),
        _ => Triage::Refused("an unexpected answer".into()),
    }
}

fn driver(error: &sqlx::Error) -> Triage {
    use sqlx::Error;
    match error {
        Error::Io(e) => Triage::Away(format!("connection lost or refused ({:?})", e.kind())),
        Error::Tls(_) => Triage::Away("TLS could not be agreed: is the certificate good?".into()),
        Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed => Triage::Away("no connection became free in time".into()),
        Error::Protocol(_) => Triage::Away("the connection broke in the middle of an answer".into()),
        Error::Database(e) => sql_state(e.code().as_deref().unwrap_or(""), e.table(), e.constraint()),
        Error::Configuration(_) => Triage::Refused("the address cannot be read; see [database] url".into()),
        Error::ColumnNotFound(_) | Error::ColumnDecode { .. } | Error::Decode(_) => Triage::Refused("a column cannot be read".into()),
        _ => Triage::Refused("the driver failed".into()),
    }
}

/// PostgreSQL's SQLSTATE (five characters), or SQLite's extended result code (a number).
fn sql_state(code: &str, table: Option<&str>, constraint: Option<&str>) -> Triage {
    if let (true, Ok(number)) = (code.len() < 5, code.parse::<u32>()) {
        return match number & 0xff {
            5 | 6 => Triage::Away("another program holds the file locked".into()),
            8 => Triage::Refused("the file is read-only".into()),
            10 => Triage::Away("the disk failed to read or write the file".into()),
            13 => Triage::Away("the disk is full".into()),
            11 | 26 => Triage::Refused("the file is damaged, or no SQLite database".into()),
            14 => Triage::Refused("the file cannot be opened".into()),
            19 => Triage::Refused(format!("a rule of the schema was broken (SQLite {number})")),
            _ => Triage::Refused(format!("SQLite error {number}")),
        };
    }
    match code.get(..2).unwrap_or("") {
        "08" | "53" | "57" | "58" => Triage::Away(format!("PostgreSQL is not ready (SQLSTATE {code})")),
        "40" => Triage::Away(format!("it gave way to another transaction (SQLSTATE {code})")),
        "55" => Triage::Away(format!("a lock could not be had (SQLSTATE {code})")),
        "28" => Triage::Refused(format!("user name or password is wrong (SQLSTATE {code})")),
        "3D" => Triage::Refused(format!("there is no database of that name (SQLSTATE {code})")),
        "42" if code == "42501" => Triage::Refused("the database user lacks a right (SQLSTATE 42501)".into()),
        "42" => Triage::Refused(format!("the schema is not as expected (SQLSTATE {code}); run `kimlik migrate`")),
        _ => Triage::Refused(format!("SQLSTATE {code}, table {}, rule {}", table.unwrap_or("-"), constraint.unwrap_or("-"))),
    }
}

pub(super) fn to_json<T: Serialize>(value: &T) -> PortResult<String> {
    serde_json::to_string(value).map_err(|e| PortError::refused(Refusal::Value, format!("cannot be written as JSON ({:?})", e.classify())))
}

pub(super) fn from_json<T: DeserializeOwned>(text: &str, what: &'static str) -> PortResult<T> {
    // Why not the error's text: it quotes what it found.
    serde_json::from_str(text).map_err(|e| unreadable(what, &format!("{:?} at column {}", e.classify(), e.column())))
}

/// A value of an enum, as serde names it.
pub(super) fn word<T: Serialize>(value: &T) -> PortResult<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        _ => Err(PortError::refused(Refusal::Value, "not a plain word")),
    }
}

pub(super) fn from_word<T: DeserializeOwned>(word: &str, what: &'static str) -> PortResult<T> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).map_err(|_| unreadable(what, "unknown word"))
}

pub(super) fn unreadable(what: &'static str, why: &str) -> PortError {
    PortError::refused(Refusal::Value, format!("the store holds a {what} that this version cannot read ({why})"))
}

/// PostgreSQL's text cannot hold U+0000, which JSON columns escape by themselves.
pub(super) fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn lost() -> DbErr {
        let reset = std::io::Error::new(std::io::ErrorKind::ConnectionReset, "10000000146");
        DbErr::Exec(RuntimeErr::SqlxError(Arc::new(sqlx::Error::Io(reset))))
    }

    #[test]
    fn a_lost_connection_is_nothing_happened_before_the_commit_and_perhaps_at_it() {
        assert!(matches!(failed("saving people")(lost()), PortError::Unavailable(_)));
        assert!(matches!(failed_commit(lost()), PortError::InDoubt(_)));
        assert!(!failed_commit(lost()).to_string().contains("10000000146"), "the driver's text is not shown");
    }

    #[test]
    fn codes_of_both_engines_are_sorted_by_what_can_be_done() {
        for away in ["5", "517", "6", "13", "08006", "57P01", "53300", "40P01", "40001", "55P03"] {
            assert!(matches!(sql_state(away, None, None), Triage::Away(_)), "{away}");
        }
        for refused in ["2067", "1555", "8", "11", "23505", "42P01", "28P01", "3D000", "42501", "22001", ""] {
            assert!(matches!(sql_state(refused, None, None), Triage::Refused(_)), "{refused}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_quoted() {
        let error = from_json::<u32>("\"10000000146\"", "number").unwrap_err().to_string();
        assert!(error.contains("number") && !error.contains("10000000146"), "{error}");
    }
}
