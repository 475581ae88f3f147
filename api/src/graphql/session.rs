//! Signing in with the directory's password, renewing, signing out.
use super::error::{Maybe, UserError, UserErrorCode, fault};
use super::viewer::Viewer;
use super::{allows, caller, house};
use crate::http::auth::ClientAddress;
use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use kimlik_domain::access::door::{Opened, Refused};
use kimlik_domain::access::session::Secret;
use kimlik_domain::access::{About, Deed};
use std::time::Duration;
use tokio::time::Instant;
use zeroize::Zeroizing;

#[derive(Default)]
pub struct SessionMutation;

/// Nobody who is refused learns from the time it took whether there is such an account.
const REFUSED_AFTER: Duration = Duration::from_millis(600);

/// User name and password.
#[derive(InputObject)]
pub struct SessionCreateInput {
    /// As one signs in to Windows: ayse.sahin, CSB\ayse.sahin or ayse.sahin@csb.gov.tr.
    username: String,
    /// The directory's. It is tried once and not kept.
    #[graphql(secret)]
    password: String,
}

/// The refresh token that came last.
#[derive(InputObject)]
pub struct SessionRefreshInput {
    /// It counts once: the answer holds the next one. If it comes a second time, the session ends.
    #[graphql(secret)]
    refresh_token: String,
}

/// Which session ends.
#[derive(InputObject)]
pub struct SessionEndInput {
    /// Its refresh token.
    #[graphql(secret)]
    refresh_token: String,
}

/// Whose sessions end.
#[derive(InputObject)]
pub struct SessionsEndInput {
    /// As one signs in: ayse.sahin.
    username: String,
}

/// A session's tokens. Shown once.
#[derive(SimpleObject)]
pub struct SessionTokens {
    /// For `authorization: Bearer …`, and for connection_init of a WebSocket.
    access_token: String,
    /// Renew before.
    access_token_expires_at: DateTime<Utc>,
    /// For sessionRefresh, once.
    refresh_token: String,
    /// The session ends then if it is not renewed.
    refresh_token_expires_at: DateTime<Utc>,
    /// Who has signed in.
    viewer: Viewer,
}

/// What came of signing in.
#[derive(SimpleObject)]
pub struct SessionCreatePayload {
    /// Null: nobody was let in.
    session: Option<SessionTokens>,
    /// Why.
    user_errors: Vec<UserError>,
}

/// What came of renewing.
#[derive(SimpleObject)]
pub struct SessionRefreshPayload {
    /// Null: the session has ended.
    session: Option<SessionTokens>,
    /// Why.
    user_errors: Vec<UserError>,
}

/// What came of signing out.
#[derive(SimpleObject)]
pub struct SessionEndPayload {
    /// The session does not live any more, whether it did before or not.
    ended: bool,
    /// What the caller can mend.
    user_errors: Vec<UserError>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct SessionsEndPayload {
    /// How many sessions there were; null: nothing was done.
    ended: Option<u32>,
    /// What the caller can mend; empty: it was done.
    user_errors: Vec<UserError>,
}

fn tokens(opened: Opened) -> SessionTokens {
    SessionTokens {
        access_token: opened.access,
        access_token_expires_at: opened.access_until,
        refresh_token: opened.refresh.expose().to_owned(),
        refresh_token_expires_at: opened.refresh_until,
        viewer: Viewer(opened.caller),
    }
}

fn told(refused: Refused) -> UserError {
    use UserErrorCode::{CredentialsWrong, NotAllowed, PasswordExpired, PasswordMustChange, RateLimited};
    let (code, path, text) = match refused {
        Refused::Wrong => (CredentialsWrong, "password", "User name or password is wrong, or the account is locked or closed."),
        Refused::TooMany => (RateLimited, "username", "Too many attempts. Wait a quarter of an hour."),
        Refused::PasswordExpired => (PasswordExpired, "password", "The password has expired. Change it first."),
        Refused::MustChange => (PasswordMustChange, "password", "The password must be changed first."),
        Refused::NotAllowed => (NotAllowed, "username", "This account has nothing to do here, or not now."),
        Refused::Ended => (CredentialsWrong, "refreshToken", "The session has ended. Sign in again."),
    };
    UserError::new(code, path, text)
}

#[Object]
impl SessionMutation {
    /// Signs in with a user name and the directory's password. The same answer, after the same time, whether there is such an account or not.
    async fn session_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "User name and password.")] input: SessionCreateInput,
    ) -> Maybe<SessionCreatePayload> {
        Some(create(ctx, input).await)
    }

    /// A new access token, and a new refresh token in place of the one given.
    async fn session_refresh(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The refresh token that came last.")] input: SessionRefreshInput,
    ) -> Maybe<SessionRefreshPayload> {
        Some(refresh(ctx, input).await)
    }

    /// Signs out: access and refresh tokens of the session end.
    async fn session_end(&self, ctx: &Context<'_>, #[graphql(desc = "Which session.")] input: SessionEndInput) -> Maybe<SessionEndPayload> {
        let secret = Secret::given(&Zeroizing::new(input.refresh_token));
        Some(match house(ctx) {
            Ok(house) => match house.door.sign_out(&secret).await {
                Ok(()) => Ok(SessionEndPayload { ended: true, user_errors: Vec::new() }),
                Err(error) => Err(fault(ctx, &error)),
            },
            Err(error) => Err(error),
        })
    }

    /// Ends all sessions of somebody else: a lost telephone, a token in the wrong hands. Their tokens count no more, within a second;
    /// who knows the password can sign in again.
    async fn sessions_end(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose sessions.")] input: SessionsEndInput,
    ) -> Maybe<SessionsEndPayload> {
        if !allows(ctx, Deed::EndSessions, About::Everything) {
            return None;
        }
        Some(end_all(ctx, input).await)
    }
}

async fn end_all(ctx: &Context<'_>, input: SessionsEndInput) -> Result<SessionsEndPayload> {
    let no = |code, message: &str| Ok(SessionsEndPayload { ended: None, user_errors: vec![UserError::new(code, "username", message)] });
    let name = input.username.trim();
    if name.is_empty() || name.chars().count() > 256 || name.chars().any(char::is_control) {
        return no(UserErrorCode::Invalid, "Write the user name as you sign in with it.");
    }
    match house(ctx)?.door.end_all(name, &caller(ctx).actor()).await.map_err(|e| fault(ctx, &e))? {
        Some(ended) => Ok(SessionsEndPayload { ended: u32::try_from(ended).ok(), user_errors: Vec::new() }),
        None => no(UserErrorCode::NotFound, "There is nobody of that user name."),
    }
}

async fn create(ctx: &Context<'_>, input: SessionCreateInput) -> Result<SessionCreatePayload> {
    let began = Instant::now();
    let password = Zeroizing::new(input.password);
    let address = ctx.data_opt::<ClientAddress>().map_or("unknown", |a| &a.0);
    let outcome = house(ctx)?.door.sign_in(&input.username, &password, address).await;
    match outcome {
        Ok(Ok(opened)) => Ok(SessionCreatePayload { session: Some(tokens(opened)), user_errors: Vec::new() }),
        Ok(Err(refused)) => {
            tokio::time::sleep_until(began + REFUSED_AFTER).await;
            Ok(SessionCreatePayload { session: None, user_errors: vec![told(refused)] })
        }
        Err(error) => Err(fault(ctx, &error)),
    }
}

async fn refresh(ctx: &Context<'_>, input: SessionRefreshInput) -> Result<SessionRefreshPayload> {
    let secret = Secret::given(&Zeroizing::new(input.refresh_token));
    match house(ctx)?.door.renew(&secret).await {
        Ok(Ok(opened)) => Ok(SessionRefreshPayload { session: Some(tokens(opened)), user_errors: Vec::new() }),
        Ok(Err(refused)) => Ok(SessionRefreshPayload { session: None, user_errors: vec![told(refused)] }),
        Err(error) => Err(fault(ctx, &error)),
    }
}
