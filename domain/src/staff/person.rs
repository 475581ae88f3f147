//! A member of staff, valid once it exists.
use super::phone::{MobileNumber, WorkNumber};
use super::unit::UnitCode;
use crate::day::Day;
use crate::id::PersonId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// Sicil no: 1 to 16 printable ASCII letters, digits, `-`, `/`, `.` (16: what employeeID holds). HR's key of a person.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RegistryNo(Arc<str>);

impl RegistryNo {
    pub fn parse(text: &str) -> Option<RegistryNo> {
        let text = text.trim();
        let fits = (1..=16).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'/' | b'.'));
        fits.then(|| RegistryNo(text.to_ascii_uppercase().into()))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
    pub fn shared(&self) -> Arc<str> {
        self.0.clone()
    }
}
impl TryFrom<String> for RegistryNo {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        RegistryNo::parse(&text).ok_or("not a registry number")
    }
}
impl From<RegistryNo> for String {
    fn from(no: RegistryNo) -> String {
        no.0.as_ref().to_owned()
    }
}
impl fmt::Display for RegistryNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for RegistryNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EmploymentStatus {
    Active,
    OnLeave,
    Suspended,
    Terminated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PostingKind {
    /// Asıl.
    Permanent,
    /// Geçici görev.
    Seconded,
    /// Vekâlet.
    Acting,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Posting {
    pub kind: PostingKind,
    pub unit: UnitCode,
    /// Kadro unvanı.
    pub title_post: Option<Box<str>>,
    /// Görev unvanı: what the card shows where there is one.
    pub title_duty: Option<Box<str>>,
    pub start: Option<Day>,
    /// The last day of the posting.
    pub end: Option<Day>,
}

impl Posting {
    pub fn covers(&self, day: Day) -> bool {
        self.start.is_none_or(|s| s <= day) && self.end.is_none_or(|e| day <= e)
    }
    pub fn title(&self) -> Option<&str> {
        self.title_duty.as_deref().or(self.title_post.as_deref())
    }
}

/// What HR last said of a person. The national id is not here: it stays in the store, encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Person {
    pub id: PersonId,
    pub registry_no: RegistryNo,
    pub given_name: Box<str>,
    pub family_name: Box<str>,
    pub status: Option<EmploymentStatus>,
    pub reason_code: Option<Box<str>>,
    pub employment_start: Option<Day>,
    /// The last day in service.
    pub employment_end: Option<Day>,
    pub postings: Vec<Posting>,
    pub mobile: Option<MobileNumber>,
    pub mobile_public: bool,
    pub work_phone: Option<WorkNumber>,
    pub extension: Option<Box<str>>,
    pub office: Option<Box<str>>,
    pub manager: Option<RegistryNo>,
    pub photo: Option<Box<str>>,
    /// Custom attributes 1 to 15, those that are set: (number, text), ascending.
    pub attributes: Vec<(u8, Box<str>)>,
    pub updated_at: Option<DateTime<Utc>>,
}

impl Person {
    /// "Ayşe ŞAHİN" is a matter of policy; this is "Ayşe Şahin".
    pub fn full_name(&self) -> String {
        format!("{} {}", self.given_name, self.family_name)
    }

    /// Where the person works on `day`: an overlay (secondment) before the permanent post; among equals the one that
    /// began last. With no posting on that day ("left there, not yet arrived here"): the last one that was.
    /// `None`: no posting has begun yet.
    pub fn posting_begun(&self, day: Day) -> Option<&Posting> {
        let seat = |p: &&Posting| (p.kind == PostingKind::Seconded, p.kind == PostingKind::Permanent, p.start);
        let over = |p: &&Posting| p.end.is_some_and(|e| e < day);
        let last = || self.postings.iter().filter(over).max_by_key(|p| (p.kind == PostingKind::Permanent, p.end));
        self.postings.iter().filter(|p| p.covers(day)).max_by_key(seat).or_else(last)
    }

    /// As [`Person::posting_begun`]; before any has begun, the first one to come.
    pub fn posting_on(&self, day: Day) -> Option<&Posting> {
        self.posting_begun(day).or_else(|| self.postings.iter().min_by_key(|p| p.start))
    }

    /// What HR says otherwise in `after`, by the names of the feed's fields; not when it said so.
    pub fn changed_in(&self, after: &Person) -> Vec<&'static str> {
        let fields = [
            ("registry_no", self.registry_no != after.registry_no),
            ("given_name", self.given_name != after.given_name),
            ("family_name", self.family_name != after.family_name),
            ("status", self.status != after.status),
            ("reason_code", self.reason_code != after.reason_code),
            ("employment_start", self.employment_start != after.employment_start),
            ("employment_end", self.employment_end != after.employment_end),
            ("postings", self.postings != after.postings),
            ("mobile", self.mobile != after.mobile),
            ("mobile_public", self.mobile_public != after.mobile_public),
            ("work_phone", self.work_phone != after.work_phone),
            ("extension", self.extension != after.extension),
            ("office", self.office != after.office),
            ("manager_registry_no", self.manager != after.manager),
            ("photo", self.photo != after.photo),
            ("attributes", self.attributes != after.attributes),
        ];
        fields.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| name).collect()
    }

    /// The acting duty (vekâlet) on `day`, if any: it gives a title, not a place.
    pub fn acting_on(&self, day: Day) -> Option<&Posting> {
        self.postings.iter().filter(|p| p.kind == PostingKind::Acting && p.covers(day)).max_by_key(|p| p.start)
    }
}
