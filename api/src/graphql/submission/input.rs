//! HR records as callers hand them in.
use super::SubmitMode;
use async_graphql::{InputObject, MaybeUndefined};
use kimlik_domain::staff::feed::Field;
use kimlik_domain::staff::submission::Record;

/// A posting, as HR describes it. Dates are `2026-12-01` or `01.12.2026`.
#[derive(InputObject)]
pub struct StaffPostingInput {
    /// `PERMANENT` (asıl), `SECONDED` (geçici görev) or `ACTING` (vekâlet).
    pub(super) kind: MaybeUndefined<String>,
    /// DETSİS number.
    pub(super) unit_code: MaybeUndefined<String>,
    /// Kadro unvanı.
    pub(super) title_post: MaybeUndefined<String>,
    /// Görev unvanı.
    pub(super) title_duty: MaybeUndefined<String>,
    /// The first day of the posting.
    pub(super) starts_on: MaybeUndefined<String>,
    /// The last day of the posting.
    pub(super) ends_on: MaybeUndefined<String>,
}

/// A person, as HR describes them. A field that is left out says nothing (what is known stays); null and an empty text say "none".
/// Values are texts, because one that cannot be read must not keep the others from being taken.
#[derive(InputObject)]
pub struct StaffRecordInput {
    /// Sicil no, 1 to 16 characters: the person's key.
    pub(super) registry_number: String,
    /// TCKN, 11 digits.
    pub(super) national_id: MaybeUndefined<String>,
    /// Ad.
    pub(super) given_name: MaybeUndefined<String>,
    /// Soyad.
    pub(super) family_name: MaybeUndefined<String>,
    /// `ACTIVE`, `ON_LEAVE`, `SUSPENDED` or `TERMINATED`.
    pub(super) status: MaybeUndefined<String>,
    /// HR's own reason (HİTAP number).
    pub(super) reason_code: MaybeUndefined<String>,
    /// The first day in service.
    pub(super) employment_starts_on: MaybeUndefined<String>,
    /// The last day in service; closed at 00:00 of the next.
    pub(super) employment_ends_on: MaybeUndefined<String>,
    /// Any way people write it.
    pub(super) mobile: MaybeUndefined<String>,
    /// Consent to show the mobile number in the address book.
    pub(super) mobile_public: MaybeUndefined<bool>,
    /// Any way people write it.
    pub(super) work_phone: MaybeUndefined<String>,
    /// Dahili.
    pub(super) extension: MaybeUndefined<String>,
    /// Room.
    pub(super) office: MaybeUndefined<String>,
    /// File name or address.
    pub(super) photo: MaybeUndefined<String>,
    /// Sicil no of the superior; none: the head of the unit.
    pub(super) manager_registry_number: MaybeUndefined<String>,
    /// HR's own time of its last change; what is older than what is held is not taken.
    pub(super) updated_at: MaybeUndefined<String>,
    /// attr_1 … attr_15, in their order.
    pub(super) attributes: Option<Vec<Option<String>>>,
    /// All postings of the person: what is not among them is over. Left out: nothing is said of postings.
    pub(super) postings: Option<Vec<StaffPostingInput>>,
}

/// Which part of a snapshot this is.
#[derive(InputObject)]
pub struct SubmissionPartInput {
    /// The sender's name for the whole snapshot, 1 to 100 characters.
    pub(super) key: String,
    /// From 1.
    pub(super) part: i32,
    /// No part comes after this one.
    pub(super) last: bool,
}

/// Records handed in.
#[derive(InputObject)]
pub struct StaffRecordsSubmitInput {
    /// What the records are.
    pub(super) mode: SubmitMode,
    /// At most 5,000; more in parts of one submission.
    pub(super) records: Vec<StaffRecordInput>,
    /// For a snapshot in parts: it counts only when all of them are there, in whatever order they come.
    pub(super) submission: Option<SubmissionPartInput>,
    /// Only says what would become of the records.
    #[graphql(default_with = "Some(false)")]
    pub(super) dry_run: Option<bool>,
    /// 1 to 100 characters. The same key with the same input answers the first result again, with another input it is a user error.
    /// Keys belong to the sender and live 7 days.
    pub(super) idempotency_key: String,
}

/// Left out: no cell. Null: an empty one.
pub(super) fn record(input: StaffRecordInput) -> Record {
    let public = match input.mobile_public {
        MaybeUndefined::Undefined => MaybeUndefined::Undefined,
        MaybeUndefined::Null => MaybeUndefined::Null,
        MaybeUndefined::Value(yes) => MaybeUndefined::Value(if yes { "yes" } else { "no" }.to_owned()),
    };
    let mut person = cells([
        (Field::RegistryNo, MaybeUndefined::Value(input.registry_number)),
        (Field::NationalId, input.national_id),
        (Field::GivenName, input.given_name),
        (Field::FamilyName, input.family_name),
        (Field::Status, input.status),
        (Field::ReasonCode, input.reason_code),
        (Field::EmploymentStart, input.employment_starts_on),
        (Field::EmploymentEnd, input.employment_ends_on),
        (Field::Mobile, input.mobile),
        (Field::MobilePublic, public),
        (Field::WorkPhone, input.work_phone),
        (Field::Extension, input.extension),
        (Field::Office, input.office),
        (Field::Photo, input.photo),
        (Field::ManagerRegistryNo, input.manager_registry_number),
        (Field::UpdatedAt, input.updated_at),
    ]);
    let attributes = input.attributes.into_iter().flatten();
    person.extend(Field::ATTRS.into_iter().zip(attributes).map(|(field, text)| (field, text.unwrap_or_default())));
    let posting = |p: StaffPostingInput| {
        cells([
            (Field::PostingKind, p.kind),
            (Field::UnitCode, p.unit_code),
            (Field::TitlePost, p.title_post),
            (Field::TitleDuty, p.title_duty),
            (Field::PostingStart, p.starts_on),
            (Field::PostingEnd, p.ends_on),
        ])
    };
    Record { person, postings: input.postings.map(|all| all.into_iter().map(posting).collect()) }
}

fn cells<const N: usize>(said: [(Field, MaybeUndefined<String>); N]) -> Vec<(Field, String)> {
    let cell = |(field, text): (Field, MaybeUndefined<String>)| match text {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some((field, String::new())),
        MaybeUndefined::Value(text) => Some((field, text)),
    };
    said.into_iter().filter_map(cell).collect()
}
