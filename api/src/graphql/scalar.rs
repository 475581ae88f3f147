//! Scalars: values that have a form of their own.
use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{DateTime, NaiveDate, Utc};
use kimlik_domain::{day, staff};

/// DETSİS number of a unit, 8 digits.
pub struct UnitCode(pub staff::UnitCode);

#[Scalar]
/// DETSİS number of a unit, 8 digits.
impl ScalarType for UnitCode {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => {
                staff::UnitCode::parse(text).map(UnitCode).ok_or_else(|| InputValueError::custom("a unit code is 8 digits"))
            }
            _ => Err(InputValueError::expected_type(value)),
        }
    }
    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// Sicil no: HR's number of a person.
pub struct RegistryNumber(pub staff::RegistryNo);

#[Scalar]
/// Sicil no: HR's number of a person, 1 to 16 letters, digits, `-`, `/`, `.`.
impl ScalarType for RegistryNumber {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => {
                let no = staff::RegistryNo::parse(text).map(RegistryNumber);
                no.ok_or_else(|| InputValueError::custom("a registry number is 1 to 16 letters, digits, -, / or ."))
            }
            _ => Err(InputValueError::expected_type(value)),
        }
    }
    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A phone number in E.164.
pub struct PhoneNumber(pub String);

#[Scalar]
/// A phone number in E.164: "+903124101000".
impl ScalarType for PhoneNumber {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => Ok(PhoneNumber(staff::WorkNumber::parse(text).map_err(InputValueError::custom)?.e164().to_owned())),
            _ => Err(InputValueError::expected_type(value)),
        }
    }
    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// A day of the calendar in Turkey.
pub struct Date(pub NaiveDate);

#[Scalar]
/// A day of the calendar in Turkey, as ISO 8601 writes it: "2026-12-31".
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => day::parse(text).map(Date).ok_or_else(|| InputValueError::custom("a day is written as 2026-12-31")),
            _ => Err(InputValueError::expected_type(value)),
        }
    }
    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A moment that something kept is compared with: in place of what lies before 1970 or behind 9999 that edge, which every database holds.
pub fn comparable(moment: DateTime<Utc>) -> DateTime<Utc> {
    let far = DateTime::from_timestamp(253_402_300_799, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
    moment.clamp(DateTime::UNIX_EPOCH, far)
}
