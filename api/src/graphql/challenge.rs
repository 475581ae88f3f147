//! Challenges: who has forgotten the password or is locked out says who they are, and proves it with a code.
use super::error::{Maybe, UserError, UserErrorCode, fault};
use super::password::{REFUSED_AFTER, address, told};
use super::ticket::{TicketPayload, held, ticket_payload};
use super::{house, id};
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use kimlik_domain::password::challenge::CODE_LENGTH;
use kimlik_domain::password::{ChallengeKind, Pin, Refused, ResetProof};
use kimlik_domain::staff::NationalId;
use tokio::time::Instant;
use uuid::Uuid;
use zeroize::Zeroizing;

#[derive(Default)]
pub struct ChallengeMutation;

/// Of the ids of challenges, whatever they prove.
pub const CHALLENGE: &str = "challenge";

/// What a code is asked for: a new mobile, a forgotten password. Of a forgotten password the same for who exists and who does not.
#[derive(SimpleObject)]
pub struct Challenge {
    /// For mobileChangeConfirm or challengeVerify.
    pub id: ID,
    /// The code is of no use afterwards.
    pub expires_at: DateTime<Utc>,
    /// Another code can be asked for from then on.
    pub resend_after: DateTime<Utc>,
    /// Digits.
    pub code_length: u32,
}

/// What came of asking for a code.
#[derive(SimpleObject)]
pub struct ChallengeStartPayload {
    /// Null: nothing was begun.
    pub challenge: Option<Challenge>,
    /// Why.
    pub user_errors: Vec<UserError>,
}

/// Who has forgotten the password.
#[derive(InputObject)]
pub struct PasswordResetStartInput {
    /// As one signs in: ayse.sahin.
    username: String,
    /// T.C. kimlik no, where the ministry asks for it (passwordPolicy.resetNeedsNationalId).
    #[graphql(secret)]
    national_id: Option<String>,
}

/// Whose account is locked.
#[derive(InputObject)]
pub struct AccountUnlockStartInput {
    /// As one signs in: ayse.sahin.
    username: String,
    /// T.C. kimlik no, where the ministry asks for it (passwordPolicy.resetNeedsNationalId).
    #[graphql(secret)]
    national_id: Option<String>,
}

/// The code that came by SMS.
#[derive(InputObject)]
pub struct ChallengeVerifyInput {
    /// Of passwordResetStart or accountUnlockStart.
    challenge_id: ID,
    /// Six digits; spaces do not count.
    #[graphql(secret)]
    code: String,
    /// The owner's PIN, where the ministry asks for it (passwordPolicy.resetNeedsPin).
    #[graphql(secret)]
    pin: Option<String>,
}

/// A ticket for unlocking.
#[derive(InputObject)]
pub struct AccountUnlockInput {
    /// Of challengeVerify.
    #[graphql(secret)]
    ticket: String,
}

/// What became of unlocking.
#[derive(SimpleObject)]
pub struct AccountUnlockPayload {
    /// The account is not locked; its password is the one that it was.
    done: bool,
    /// Why not.
    user_errors: Vec<UserError>,
}

#[Object]
impl ChallengeMutation {
    /// Somebody has forgotten the password. The same answer, of the same size and after the same time, for everybody: whether
    /// anybody is there and gets a code is found out behind it.
    async fn password_reset_start(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who asks.")] input: PasswordResetStartInput,
    ) -> Maybe<ChallengeStartPayload> {
        Some(ask(ctx, ChallengeKind::Reset, &input.username, input.national_id).await)
    }

    /// Like passwordResetStart, for an account that was locked by wrong passwords and whose password is known.
    async fn account_unlock_start(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who asks.")] input: AccountUnlockStartInput,
    ) -> Maybe<ChallengeStartPayload> {
        Some(ask(ctx, ChallengeKind::Unlock, &input.username, input.national_id).await)
    }

    /// The code becomes a ticket. A challenge that nobody was sent a code for is answered like a wrong code.
    async fn challenge_verify(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The challenge and its code.")] input: ChallengeVerifyInput,
    ) -> Maybe<TicketPayload> {
        Some(verify(ctx, input).await)
    }

    /// With a ticket, the wrong passwords are forgotten. Enables nobody who is disabled; the password stays.
    async fn account_unlock(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ticket.")] input: AccountUnlockInput,
    ) -> Maybe<AccountUnlockPayload> {
        Some(unlock(ctx, input).await)
    }
}

/// The longest that is looked at: who types more has made a mistake, or means harm.
const LONGEST_NAME: usize = 256;

async fn ask(ctx: &Context<'_>, kind: ChallengeKind, username: &str, national_id: Option<String>) -> Result<ChallengeStartPayload> {
    let desk = &house(ctx)?.desk;
    let typed = national_id.map(Zeroizing::new).filter(|text| !text.trim().is_empty());
    let wanted = desk.rules.challenge.proof == ResetProof::SmsAndNationalId;
    let mut faults = Vec::new();
    if username.trim().is_empty() || username.chars().count() > LONGEST_NAME {
        faults.push(UserError::new(UserErrorCode::Invalid, "username", "Write the user name as you sign in with it."));
    }
    let national_id = typed.as_ref().map(|text| NationalId::parse(text));
    // Why it may be told: it is a matter of the digits, not of whose they are.
    if wanted && !matches!(national_id, Some(Ok(_))) {
        faults.push(UserError::new(UserErrorCode::Invalid, "nationalId", "Write the eleven digits of your national id."));
    }
    if !faults.is_empty() {
        return Ok(ChallengeStartPayload { challenge: None, user_errors: faults });
    }
    let national_id = national_id.and_then(std::result::Result::ok).filter(|_| wanted);
    let outcome = desk.ask(kind, username, national_id, address(ctx)).await.map_err(|e| fault(ctx, &e))?;
    Ok(match outcome {
        Ok(begun) => {
            let (id, code_length) = (id::encode(CHALLENGE, begun.id), CODE_LENGTH);
            let challenge = Challenge { id, expires_at: begun.expires_at, resend_after: begun.resend_after, code_length };
            ChallengeStartPayload { challenge: Some(challenge), user_errors: Vec::new() }
        }
        Err(refused) => ChallengeStartPayload { challenge: None, user_errors: told(&refused, "username") },
    })
}

fn wrong(wants_pin: bool) -> &'static str {
    if wants_pin {
        "The code or the PIN is wrong; or the code was used, has expired or was tried too often. Begin again to get a new one."
    } else {
        "The code is wrong, or was used, has expired or was tried too often. Begin again to get a new one."
    }
}

async fn verify(ctx: &Context<'_>, input: ChallengeVerifyInput) -> Result<TicketPayload> {
    let began = Instant::now();
    let code = Zeroizing::new(input.code);
    let pin = input.pin.map(Zeroizing::new).map(|typed| Pin::typed(&typed));
    // Why nil: what is no challenge is answered like one that has ended.
    let challenge = id::decode(CHALLENGE, &input.challenge_id).unwrap_or(Uuid::nil());
    let outcome = house(ctx)?.desk.verify(challenge, &code, pin.as_ref(), address(ctx)).await.map_err(|e| fault(ctx, &e))?;
    let wants_pin = house(ctx)?.desk.rules.challenge.proof == ResetProof::SmsAndPin;
    if matches!(outcome, Err(Refused::CodeWrong)) {
        tokio::time::sleep_until(began + REFUSED_AFTER).await;
        let error = UserError::new(UserErrorCode::CodeWrong, "code", wrong(wants_pin));
        return Ok(TicketPayload { ticket: None, user_errors: vec![error] });
    }
    ticket_payload(outcome, began, "code").await
}

async fn unlock(ctx: &Context<'_>, input: AccountUnlockInput) -> Result<AccountUnlockPayload> {
    let (token, browser) = held(&Zeroizing::new(input.ticket));
    let outcome = house(ctx)?.desk.unlock(&token, &browser).await.map_err(|e| fault(ctx, &e))?;
    Ok(match outcome {
        Ok(_) => AccountUnlockPayload { done: true, user_errors: Vec::new() },
        Err(refused) => AccountUnlockPayload { done: false, user_errors: told(&refused, "ticket") },
    })
}
