//! What a caller is told of a failure: a bad argument in the caller's words; a fault of ours with an id that stands in the log.
use super::{house, language};
use crate::wiring::House;
use async_graphql::{ComplexObject, Context, Enum, Error, ErrorExtensions, SimpleObject};
use kimlik_domain::ports::{PortError, Refusal};

pub const BAD_INPUT: &str = "BAD_USER_INPUT";

/// Nullable, and a failure nulls this field alone.
pub type Maybe<T> = Option<async_graphql::Result<T>>;

pub fn bad_input(message: impl Into<String>) -> Error {
    Error::new(message.into()).extend_with(|_, e| e.set("code", BAD_INPUT))
}

pub const AWAY: &str = "Something that Kimlik needs for this does not answer now. Try again later.";

/// What stands in the log beside a fault, and is told to whoever met it.
pub fn fault_id(house: &House) -> String {
    house.counters.faults.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let mut random = [0; 10];
    house.entropy.fill(&mut random);
    kimlik_domain::id::uuid_v7(house.clock.now(), random).to_string()
}

/// Logged once, here; the text of the fault stays in the log.
pub fn fault(ctx: &Context<'_>, error: &PortError) -> Error {
    let id = house(ctx).map(|house| fault_id(house)).unwrap_or_default();
    tracing::error!(%error, fault = id, "a GraphQL field could not be answered");
    let message = match error {
        PortError::Unavailable(_) | PortError::InDoubt(_) => AWAY,
        PortError::Refused { .. } => "Kimlik could not do this. The log says why.",
    };
    Error::new(message).extend_with(|_, e| {
        e.set("code", "FAULT");
        e.set("fault", id);
    })
}

/// What a caller can mend.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct UserError {
    /// For programs.
    pub code: UserErrorCode,
    /// The way to the value inside `input`.
    pub path: Vec<String>,
    /// In English, as it arises; told in the caller's language.
    #[graphql(skip)]
    pub message: String,
}

#[ComplexObject]
impl UserError {
    /// For people, in Turkish or English as the request's Accept-Language asks.
    async fn message(&self, ctx: &Context<'_>) -> String {
        language(ctx).say(&self.message)
    }
}

/// Why a deed was not done.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum UserErrorCode {
    /// The value cannot be right.
    Invalid,
    /// There is no such thing.
    NotFound,
    /// It was decided before.
    AlreadyDone,
    /// It has changed since the caller looked.
    Stale,
    /// Something that is needed does not answer now.
    TryLater,
    /// The caller may not.
    NotAllowed,
    /// Too often, of this account, from this address, or in all.
    RateLimited,
    /// User name, password or token.
    CredentialsWrong,
    /// The password is right, and has expired.
    PasswordExpired,
    /// The password is right, and must be changed first.
    PasswordMustChange,
    /// More characters than are taken.
    TooLong,
    /// The idempotency key was used for another input.
    IdempotencyKeyReused,
    /// The code, or there is nobody of that name, or it was used, has expired or was tried too often.
    CodeWrong,
    /// The ticket was used, has expired, or belongs to another browser.
    TicketSpent,
    /// The new password has too few characters.
    PasswordTooShort,
    /// The new password has too few kinds of characters, or holds its owner's name.
    PasswordTooSimple,
    /// The new password is easily guessed.
    PasswordCommon,
    /// The new password was used before.
    PasswordInHistory,
    /// The password was changed a short while ago.
    PasswordTooYoung,
    /// The mobile number was changed a short while ago: no code goes to it yet.
    NumberCooling,
    /// It does not fit what is there already.
    Conflict,
}

impl UserError {
    pub fn new(code: UserErrorCode, path: &str, message: impl Into<String>) -> UserError {
        UserError { code, path: vec![path.to_owned()], message: message.into() }
    }

    pub fn of(fault: &PortError, path: &str) -> UserError {
        let code = match fault {
            PortError::Unavailable(_) | PortError::InDoubt(_) => UserErrorCode::TryLater,
            PortError::Refused { refusal: Refusal::NotFound, .. } => UserErrorCode::NotFound,
            PortError::Refused { refusal: Refusal::Changed, .. } => UserErrorCode::Stale,
            PortError::Refused { .. } => UserErrorCode::AlreadyDone,
        };
        let message = match fault {
            PortError::Refused { reason, .. } => reason.clone(),
            _ => "The database does not answer now. Nothing was decided; look again and try later.".to_owned(),
        };
        UserError::new(code, path, message)
    }
}
