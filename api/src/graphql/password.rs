//! A new password: with a ticket, or in place of one that is known. Nobody is signed in here.
use super::error::{Maybe, UserError, UserErrorCode, fault};
use super::house;
use super::language::Language;
use super::password_policy::words;
use super::pin::chosen;
use super::ticket::held;
use crate::http::auth::ClientAddress;
use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use kimlik_domain::password::{self, Broken, Refused};
use std::time::Duration;
use tokio::time::Instant;
use zeroize::Zeroizing;

#[derive(Default)]
pub struct PasswordMutation;

/// Nobody who is refused learns from the time it took what there is.
pub const REFUSED_AFTER: Duration = Duration::from_millis(600);

/// A ticket and the new password.
#[derive(InputObject)]
pub struct PasswordSetInput {
    /// Of accountActivate or challengeVerify.
    #[graphql(secret)]
    ticket: String,
    /// Set in the directory and kept nowhere else.
    #[graphql(secret)]
    new_password: String,
    /// With a newcomer's ticket only: the PIN that will be asked beside codes. Wanted where passwordPolicy.resetNeedsPin says so;
    /// 6 to 12 digits. Later it is changed with pinSet.
    #[graphql(secret)]
    pin: Option<String>,
    /// What its owner has just read: SMS and e-mail to the owner are written in it from now on. Null: as before.
    language: Option<Language>,
}

/// The present password and the new one.
#[derive(InputObject)]
pub struct PasswordChangeInput {
    /// As one signs in: ayse.sahin.
    username: String,
    /// Also one that has expired or must be changed.
    #[graphql(secret)]
    current_password: String,
    /// Set in the directory and kept nowhere else.
    #[graphql(secret)]
    new_password: String,
    /// What its owner has just read: SMS and e-mail to the owner are written in it from now on. Null: as before.
    language: Option<Language>,
}

/// What became of a new password.
#[derive(SimpleObject)]
pub struct PasswordSetPayload {
    /// It counts from now on; all sessions of its owner have ended.
    done: bool,
    /// When it will have to be changed; null: never, or it was not set.
    expires_at: Option<DateTime<Utc>>,
    /// It was refused so late that the old one does not work any more either. The ticket still does: choose another one.
    old_password_gone: bool,
    /// Why it was not set, each rule by itself.
    user_errors: Vec<UserError>,
}

/// `at`: where in the input the new password stands.
pub fn told(refused: &Refused, at: &str) -> Vec<UserError> {
    use UserErrorCode::{CodeWrong, CredentialsWrong, Invalid, NotAllowed, RateLimited, TicketSpent};
    let (code, path, text) = match refused {
        Refused::Broken { rules: broken, of, .. } => {
            let error = |code: &Broken| UserError::new(error_code(*code), at, words(*code, of));
            return broken.iter().map(error).collect();
        }
        Refused::CodeWrong => (
            CodeWrong,
            "code",
            "User name or code is wrong, or the code was used, has expired or was tried too often. Your personnel unit can have a new one sent.",
        ),
        Refused::TicketSpent => (TicketSpent, "ticket", "This took too long, or was begun in another window. Begin again."),
        Refused::CredentialsWrong => {
            (CredentialsWrong, "currentPassword", "User name or password is wrong, or the account is locked or closed.")
        }
        Refused::PinMissing => (Invalid, "pin", "Choose a PIN, too: it is asked if you forget the password."),
        Refused::PinNotHere => (NotAllowed, "pin", "A PIN is changed with the password, not with a code."),
        Refused::TooMany => (RateLimited, "username", "Too many attempts. Wait a quarter of an hour."),
    };
    vec![UserError::new(code, path, text)]
}

fn error_code(code: Broken) -> UserErrorCode {
    match code {
        Broken::TooShort => UserErrorCode::PasswordTooShort,
        Broken::TooLong => UserErrorCode::TooLong,
        Broken::TooSimple | Broken::HoldsName => UserErrorCode::PasswordTooSimple,
        Broken::Common => UserErrorCode::PasswordCommon,
        Broken::InHistory => UserErrorCode::PasswordInHistory,
        Broken::TooYoung => UserErrorCode::PasswordTooYoung,
    }
}

#[Object]
impl PasswordMutation {
    /// A new password, with a ticket. Where it is refused the ticket still counts.
    async fn password_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ticket and the new password.")] input: PasswordSetInput,
    ) -> Maybe<PasswordSetPayload> {
        Some(set(ctx, input).await)
    }

    /// A new password in place of one that is known; also where that has expired or must be changed.
    async fn password_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "User name, present password, new password.")] input: PasswordChangeInput,
    ) -> Maybe<PasswordSetPayload> {
        Some(change(ctx, input).await)
    }
}

async fn set(ctx: &Context<'_>, input: PasswordSetInput) -> Result<PasswordSetPayload> {
    let desk = &house(ctx)?.desk;
    let (token, browser) = held(&Zeroizing::new(input.ticket));
    let new = Zeroizing::new(input.new_password);
    let pin = match input.pin.map(Zeroizing::new).filter(|typed| !typed.trim().is_empty()).map(|typed| chosen(&typed, "pin")) {
        None => None,
        Some(Ok(pin)) => Some(pin),
        Some(Err(error)) => return Ok(undone(vec![error], false)),
    };
    let outcome = desk.set(&token, &browser, &new, pin.as_ref(), Language::chosen(input.language)).await.map_err(|e| fault(ctx, &e))?;
    Ok(payload(outcome))
}

async fn change(ctx: &Context<'_>, input: PasswordChangeInput) -> Result<PasswordSetPayload> {
    let began = Instant::now();
    let desk = &house(ctx)?.desk;
    let (current, new) = (Zeroizing::new(input.current_password), Zeroizing::new(input.new_password));
    let language = Language::chosen(input.language);
    let outcome = desk.change(&input.username, &current, &new, address(ctx), language).await.map_err(|e| fault(ctx, &e))?;
    if matches!(outcome, Err(Refused::CredentialsWrong | Refused::TooMany)) {
        tokio::time::sleep_until(began + REFUSED_AFTER).await;
    }
    Ok(payload(outcome))
}

fn payload(outcome: std::result::Result<password::Done, Refused>) -> PasswordSetPayload {
    match outcome {
        Ok(done) => PasswordSetPayload { done: true, expires_at: done.expires_at, old_password_gone: false, user_errors: Vec::new() },
        Err(refused) => undone(told(&refused, "newPassword"), matches!(refused, Refused::Broken { old_gone: true, .. })),
    }
}

fn undone(user_errors: Vec<UserError>, old_password_gone: bool) -> PasswordSetPayload {
    PasswordSetPayload { done: false, expires_at: None, old_password_gone, user_errors }
}

pub fn address<'a>(ctx: &Context<'a>) -> &'a str {
    ctx.data_opt::<ClientAddress>().map_or("unknown", |a| &a.0)
}
