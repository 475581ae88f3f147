//! Phones: one's own with password and code, other people's by their personnel unit; what HR says beside what counts.
use super::challenge::{CHALLENGE, Challenge, ChallengeStartPayload};
use super::error::{Maybe, UserError, UserErrorCode, fault};
use super::officer::CallerVerified;
use super::password::address;
use super::scalar::PhoneNumber;
use super::{allows, caller, house, id};
use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use kimlik_domain::access::door::Refused as NotProven;
use kimlik_domain::access::{About, Deed};
use kimlik_domain::day;
use kimlik_domain::id::PersonId;
use kimlik_domain::phone::desk::{self, Becomes, CODE_LENGTH, OfficersChange, Refused};
use kimlik_domain::phone::{self, Own, Standing};
use kimlik_domain::ports::{PeopleBy, PersonRecord};
use kimlik_domain::staff::{MobileNumber, PhoneFault, WorkNumber};
use uuid::Uuid;
use zeroize::Zeroizing;

#[derive(Default)]
pub struct PhoneMutation;

/// The phones of a person. HR stays the source of truth: what is changed here counts at once, and is pending until HR delivers it.
pub struct Phones(pub phone::Phones);

#[Object]
/// The phones of a person. HR stays the source of truth: what is changed here counts at once, and is pending until HR delivers it.
impl Phones {
    /// Cep telefonu: codes go to it.
    async fn mobile(&self) -> PhoneState {
        let phones = &self.0;
        let number = |m: &Option<MobileNumber>| m.as_ref().map(|m| PhoneNumber(m.e164().to_owned()));
        let own = phones.ledger.mobile.as_ref();
        let pending = Pending::of(own);
        PhoneState {
            effective: number(phones.mobile()),
            hr: number(&phones.hr_mobile),
            pending: own.and_then(|own| number(&own.value)),
            pending_since: pending.since,
            standing: pending.standing,
            conflict: pending.conflict,
            changed_at: phones.ledger.mobile_changed.as_ref().map(|changed| changed.at),
        }
    }
    /// İş telefonu ve dahili.
    async fn work(&self) -> WorkPhoneState {
        let phones = &self.0;
        let own = phones.ledger.work.as_ref();
        let pending = Pending::of(own);
        WorkPhoneState {
            effective: line(phones.work()),
            hr: line(&phones.hr_work),
            pending: own.and_then(|own| line(&own.value)),
            pending_since: pending.since,
            standing: pending.standing,
            conflict: pending.conflict,
        }
    }
}

struct Pending {
    since: Option<DateTime<Utc>>,
    standing: Option<PhoneStanding>,
    conflict: bool,
}

impl Pending {
    fn of<T: Clone + PartialEq>(own: Option<&Own<T>>) -> Pending {
        Pending {
            since: own.map(|own| own.at),
            standing: own.map(|own| Standing::into(own.standing)),
            conflict: own.is_some_and(Own::is_conflict),
        }
    }
}

fn line(work: &phone::WorkPhone) -> Option<OwnWorkPhone> {
    (!work.is_empty()).then(|| OwnWorkPhone {
        number: work.number.as_ref().map(|n| PhoneNumber(n.e164().to_owned())),
        extension: work.extension.as_deref().map(str::to_owned),
    })
}

/// How a change made here stands with HR.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::phone::Standing")]
pub enum PhoneStanding {
    /// On its way to HR.
    Pending,
    /// HR's system has taken it; its feed has not delivered it yet.
    Taken,
    /// HR's system says that it holds a newer number.
    Newer,
    /// HR's system does not take it.
    Refused,
    /// HR has delivered another number since: that one counts.
    Overruled,
}

/// A mobile number: what counts, and what each side says.
#[derive(SimpleObject)]
pub struct PhoneState {
    /// What counts.
    effective: Option<PhoneNumber>,
    /// What HR last said.
    hr: Option<PhoneNumber>,
    /// What was changed here and HR has not confirmed.
    pending: Option<PhoneNumber>,
    /// When it was changed here.
    pending_since: Option<DateTime<Utc>>,
    /// How that change stands with HR; null: there is none.
    standing: Option<PhoneStanding>,
    /// HR says otherwise, and later.
    conflict: bool,
    /// When the number that counts became that, whoever changed it; null: not since Kimlik knows the person.
    changed_at: Option<DateTime<Utc>>,
}

/// An office line: what counts, and what each side says.
#[derive(SimpleObject)]
pub struct WorkPhoneState {
    /// What counts.
    effective: Option<OwnWorkPhone>,
    /// What HR last said.
    hr: Option<OwnWorkPhone>,
    /// What was changed here and HR has not confirmed.
    pending: Option<OwnWorkPhone>,
    /// When it was changed here.
    pending_since: Option<DateTime<Utc>>,
    /// How that change stands with HR; null: there is none.
    standing: Option<PhoneStanding>,
    /// HR says otherwise, and later.
    conflict: bool,
}

/// An office line of one person.
#[derive(SimpleObject)]
pub struct OwnWorkPhone {
    /// Null: the unit's switchboard.
    number: Option<PhoneNumber>,
    /// Dahili: the extension behind it.
    extension: Option<String>,
}

/// A new mobile number.
#[derive(InputObject)]
pub struct MobileChangeStartInput {
    /// Any way people write it: 0532 123 45 67.
    mobile: String,
    /// The present password, once more.
    #[graphql(secret)]
    password: String,
}

/// The code that came to the new number.
#[derive(InputObject)]
pub struct MobileChangeConfirmInput {
    /// Of mobileChangeStart.
    challenge_id: ID,
    /// Six digits; spaces do not count.
    #[graphql(secret)]
    code: String,
}

/// Who gives up the own mobile.
#[derive(InputObject)]
pub struct MobileRemoveInput {
    /// The present password, once more.
    #[graphql(secret)]
    password: String,
}

/// One's own office line.
#[derive(InputObject)]
pub struct WorkPhoneUpdateInput {
    /// Null or empty: the unit's switchboard.
    number: Option<String>,
    /// Dahili. Null or empty: none.
    extension: Option<String>,
    /// The present password, once more.
    #[graphql(secret)]
    password: String,
}

/// An office line.
#[derive(InputObject)]
pub struct WorkPhoneInput {
    /// Null or empty: the unit's switchboard.
    number: Option<String>,
    /// Dahili. Null or empty: none.
    extension: Option<String>,
}

/// Phones of a person of the caller's units.
#[derive(InputObject)]
pub struct StaffPhonesUpdateInput {
    /// The id of the person's card.
    person_id: ID,
    /// Null: it stays as it is.
    mobile: Option<String>,
    /// The person has no mobile any more: codes and notices go nowhere until there is another one.
    #[graphql(default_with = "Some(false)")]
    remove_mobile: Option<bool>,
    /// Null: it stays as it is.
    work_phone: Option<WorkPhoneInput>,
    /// How the caller made sure who asks for another mobile. It stands in the audit; null: there it stands that nobody said.
    verified: Option<CallerVerified>,
    /// Why, in 5 to 300 characters: for whoever reads it later.
    reason: String,
}

/// What came of a change.
#[derive(SimpleObject)]
pub struct PhonesPayload {
    /// As they stand now; null where nothing was changed.
    phones: Option<Phones>,
    /// What the caller can mend; empty: it counts from now on.
    user_errors: Vec<UserError>,
}

#[Object]
impl PhoneMutation {
    /// Asks for a new mobile number of one's own: the password is asked again, and a code goes to the new number.
    async fn mobile_change_start(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new number and the password.")] input: MobileChangeStartInput,
    ) -> Maybe<ChallengeStartPayload> {
        let person = own(ctx)?;
        Some(start(ctx, person, input).await)
    }

    /// With the code, the new number counts; the number before is told. Codes for a new password go to it only some time later.
    async fn mobile_change_confirm(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The challenge and its code.")] input: MobileChangeConfirmInput,
    ) -> Maybe<PhonesPayload> {
        let person = own(ctx)?;
        Some(confirm(ctx, person, input).await)
    }

    /// Gives up one's own mobile number; the password is asked again. It counts no more at once: no codes for a new password can be sent,
    /// and who forgets the password has to turn to the personnel unit. The number before and the mail address are told. A number that is
    /// added later gets such codes only some time later.
    async fn mobile_remove(&self, ctx: &Context<'_>, #[graphql(desc = "The password.")] input: MobileRemoveInput) -> Maybe<PhonesPayload> {
        let person = own(ctx)?;
        Some(remove(ctx, person, input).await)
    }

    /// Changes one's own office line; the password is asked again.
    async fn work_phone_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The line and the password.")] input: WorkPhoneUpdateInput,
    ) -> Maybe<PhonesPayload> {
        let person = own(ctx)?;
        Some(update_work(ctx, person, input).await)
    }

    /// Changes phones of a person of the caller's units. Whoever does cannot start that person's password reset afterwards.
    async fn staff_phones_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose phones, which, and why.")] input: StaffPhonesUpdateInput,
    ) -> Maybe<PhonesPayload> {
        if !allows(ctx, Deed::ChangePhones, About::List) {
            return None;
        }
        update_of(ctx, input).await.transpose()
    }
}

/// The caller, where it is a person that may change its own phones.
fn own(ctx: &Context<'_>) -> Option<PersonId> {
    let person = caller(ctx).person()?;
    allows(ctx, Deed::ChangeOwnPhones, About::Person(person, None)).then_some(person)
}

fn told(refused: Refused, at: &str) -> UserError {
    use UserErrorCode::{AlreadyDone, CodeWrong, CredentialsWrong, NotAllowed, NotFound, PasswordExpired, PasswordMustChange, RateLimited};
    let (code, path, text) = match refused {
        Refused::Password(NotProven::TooMany) => (RateLimited, "password", "Too many attempts. Wait a quarter of an hour."),
        Refused::Password(NotProven::PasswordExpired) => (PasswordExpired, "password", "The password has expired. Change it first."),
        Refused::Password(NotProven::MustChange) => (PasswordMustChange, "password", "The password must be changed first."),
        Refused::Password(_) => (CredentialsWrong, "password", "The password is wrong."),
        Refused::TooMany => (RateLimited, at, "Too many codes were asked for. Wait a minute, or an hour where that does not help."),
        Refused::Same => (AlreadyDone, at, "This is the number already."),
        Refused::NoMobile => (AlreadyDone, at, "There is no mobile number to be removed."),
        Refused::Code => (CodeWrong, "code", "The code is wrong, was used, has expired or was tried too often. Ask for a new one."),
        Refused::NoPerson => (NotFound, at, "There is no such person, or no account."),
        Refused::OwnNumber => (NotAllowed, "personId", "One's own phones are changed with password and code."),
    };
    UserError::new(code, path, text)
}

fn mobile_fault(fault: PhoneFault, at: &str) -> UserError {
    let text = match fault {
        PhoneFault::NotANumber => "This is not a mobile number.",
        PhoneFault::Landline => "This is a landline, not a mobile number.",
        PhoneFault::Length => "The number has too few or too many digits.",
    };
    UserError::new(UserErrorCode::Invalid, at, text)
}

/// `at`: where in the input number and extension stand.
fn work_of(number: Option<&str>, extension: Option<&str>, at: [&str; 2]) -> std::result::Result<phone::WorkPhone, Vec<UserError>> {
    let mut errors = Vec::new();
    let mut work = phone::WorkPhone::default();
    if let Some(text) = number.map(str::trim).filter(|text| !text.is_empty()) {
        match WorkNumber::parse(text) {
            Ok(number) => work.number = Some(number),
            Err(_) => errors.push(UserError::new(UserErrorCode::Invalid, at[0], "This is not a phone number.")),
        }
    }
    match desk::extension(extension.unwrap_or_default()) {
        Some(extension) => work.extension = extension,
        None => errors.push(UserError::new(UserErrorCode::Invalid, at[1], "An extension is at most 16 digits.")),
    }
    if errors.is_empty() { Ok(work) } else { Err(errors) }
}

async fn start(ctx: &Context<'_>, person: PersonId, input: MobileChangeStartInput) -> Result<ChallengeStartPayload> {
    let no = |error| Ok(ChallengeStartPayload { challenge: None, user_errors: vec![error] });
    let password = Zeroizing::new(input.password);
    let mobile = match MobileNumber::parse(&input.mobile) {
        Ok(mobile) => mobile,
        Err(fault) => return no(mobile_fault(fault, "mobile")),
    };
    match house(ctx)?.phones.start(person, mobile, &password, address(ctx)).await.map_err(|e| fault(ctx, &e))? {
        Ok(begun) => {
            let challenge = Challenge {
                id: id::encode(CHALLENGE, begun.id),
                expires_at: begun.expires_at,
                resend_after: begun.resend_after,
                code_length: CODE_LENGTH,
            };
            Ok(ChallengeStartPayload { challenge: Some(challenge), user_errors: Vec::new() })
        }
        Err(refused) => no(told(refused, "mobile")),
    }
}

async fn confirm(ctx: &Context<'_>, person: PersonId, input: MobileChangeConfirmInput) -> Result<PhonesPayload> {
    let code = Zeroizing::new(input.code);
    // Why nil: what is no challenge is answered like one that has ended.
    let challenge = id::decode(CHALLENGE, &input.challenge_id).unwrap_or(Uuid::nil());
    let outcome = house(ctx)?.phones.confirm(person, challenge, &code).await.map_err(|e| fault(ctx, &e))?;
    Ok(payload(ctx, outcome, "code"))
}

async fn remove(ctx: &Context<'_>, person: PersonId, input: MobileRemoveInput) -> Result<PhonesPayload> {
    let password = Zeroizing::new(input.password);
    let outcome = house(ctx)?.phones.remove(person, &password, address(ctx)).await.map_err(|e| fault(ctx, &e))?;
    Ok(payload(ctx, outcome, "password"))
}

async fn update_work(ctx: &Context<'_>, person: PersonId, input: WorkPhoneUpdateInput) -> Result<PhonesPayload> {
    let password = Zeroizing::new(input.password);
    let work = match work_of(input.number.as_deref(), input.extension.as_deref(), ["number", "extension"]) {
        Ok(work) => work,
        Err(user_errors) => return Ok(PhonesPayload { phones: None, user_errors }),
    };
    let outcome = house(ctx)?.phones.change_work(person, work, &password, address(ctx)).await.map_err(|e| fault(ctx, &e))?;
    Ok(payload(ctx, outcome, "number"))
}

async fn update_of(ctx: &Context<'_>, input: StaffPhonesUpdateInput) -> Result<Option<PhonesPayload>> {
    let house = house(ctx)?;
    let Some(person) = id::decode(id::CARD, &input.person_id).map(PersonId) else {
        let mut user_errors = vec![UserError::new(UserErrorCode::Invalid, "personId", "This is not the id of a card.")];
        user_errors.extend(wish(&input).err().into_iter().flatten());
        return Ok(Some(PhonesPayload { phones: None, user_errors }));
    };
    let found = house.store.people(PeopleBy::Ids(&[person])).await.map_err(|e| fault(ctx, &e))?;
    let today = day::today(house.clock.now());
    // Why before the mistakes: who may not is told nothing, not even which of their words are wrong.
    if !found.first().is_some_and(|record| allows(ctx, Deed::ChangePhones, About::person(&record.person, today))) {
        return Ok(None);
    }
    let wish = match wish(&input) {
        Ok(wish) => wish,
        Err(user_errors) => return Ok(Some(PhonesPayload { phones: None, user_errors })),
    };
    let outcome = house.phones.change_of(caller(ctx), person, wish).await.map_err(|e| fault(ctx, &e))?;
    Ok(Some(payload(ctx, outcome, "mobile")))
}

fn wish(input: &StaffPhonesUpdateInput) -> std::result::Result<OfficersChange, Vec<UserError>> {
    let mut errors = Vec::new();
    let mobile = input.mobile.as_deref().map(MobileNumber::parse).transpose();
    let mobile = mobile.unwrap_or_else(|fault| {
        errors.push(mobile_fault(fault, "mobile"));
        None
    });
    let mobile = match (mobile, input.remove_mobile.unwrap_or_default()) {
        (Some(_), true) => {
            let text = "Either another mobile, or none.";
            errors.push(UserError::new(UserErrorCode::Invalid, "removeMobile", text));
            None
        }
        (None, true) => Some(Becomes::None),
        (mobile, false) => mobile.map(Becomes::Number),
    };
    let mut work = None;
    if let Some(line) = &input.work_phone {
        match work_of(line.number.as_deref(), line.extension.as_deref(), ["workPhone", "workPhone"]) {
            Ok(line) => work = Some(line),
            Err(found) => errors.extend(found),
        }
    }
    if !desk::is_reason(&input.reason) {
        let text = "Say why, in 5 to 300 characters.";
        errors.push(UserError::new(UserErrorCode::Invalid, "reason", text));
    }
    if errors.is_empty() {
        Ok(OfficersChange { mobile, work, verified: input.verified.map(Into::into), reason: input.reason.trim().to_owned() })
    } else {
        Err(errors)
    }
}

fn payload(ctx: &Context<'_>, outcome: std::result::Result<PersonRecord, Refused>, at: &str) -> PhonesPayload {
    match outcome {
        Ok(record) => {
            // The directory is to show it within seconds.
            if let Ok(house) = house(ctx) {
                house.wake.notify_one();
            }
            PhonesPayload { phones: Some(Phones(record.phones)), user_errors: Vec::new() }
        }
        Err(refused) => PhonesPayload { phones: None, user_errors: vec![told(refused, at)] },
    }
}
