//! A reset that an officer starts for somebody it has verified. The officer sees no code; the person alone gets it.
use super::card::IdentityCardKey;
use super::error::{Maybe, UserError, UserErrorCode, fault};
use super::order::found;
use super::password::address;
use super::ticket::{TicketPayload, ticket_payload};
use super::{allows, caller, house};
use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use kimlik_domain::access::{About, Deed};
use kimlik_domain::password::officer::{NotSent, ResetWish};
use kimlik_domain::phone::desk::is_reason;
use tokio::time::Instant;
use zeroize::Zeroizing;

#[derive(Default)]
pub struct OfficerMutation;

/// How an officer made sure who asks.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::password::officer::Verified")]
pub enum CallerVerified {
    /// Face to face, with an identity card.
    InPerson,
    /// Called back, at a number that was known before.
    CalledBack,
    /// Somebody who is known and works beside the person vouched for it.
    VouchedFor,
}

/// For whom a reset is started, and how it was made sure that it is they who ask.
#[derive(InputObject)]
pub struct PasswordResetSendInput {
    /// The person: exactly one of these.
    staff_member: IdentityCardKey,
    /// How the caller made sure who asks. It stands in the audit.
    verified: CallerVerified,
    /// What happened, in 5 to 300 characters: for whoever reads the audit.
    reason: String,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct PasswordResetSendPayload {
    /// The number that a code is on its way to, masked; null: none was sent.
    sent_to: Option<String>,
    /// The code is of no use afterwards, if it is sent at once; null: none was sent.
    expires_at: Option<DateTime<Utc>>,
    /// What the caller can mend, or has to do otherwise; empty: a code is on its way.
    user_errors: Vec<UserError>,
}

/// The code that the personnel unit had sent.
#[derive(InputObject)]
pub struct PasswordResetRedeemInput {
    /// As one signs in: ayse.sahin.
    username: String,
    /// Six digits; spaces do not count.
    #[graphql(secret)]
    code: String,
}

#[Object]
impl OfficerMutation {
    /// Sends a code for a new password to a person of the caller's units who was verified: to the mobile that HR holds, if it was not
    /// changed lately, and not by whoever has changed that mobile. The person goes on with passwordResetRedeem. Protected, closed,
    /// disabled and smart-card accounts are out.
    async fn password_reset_send(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "For whom, how verified, and why.")] input: PasswordResetSendInput,
    ) -> Maybe<PasswordResetSendPayload> {
        if !allows(ctx, Deed::SendPasswordReset, About::List) {
            return None;
        }
        Some(send(ctx, input).await)
    }

    /// With the code that passwordResetSend sent, a ticket for a new password. Whoever was sent none is answered like a wrong code,
    /// after the same time.
    async fn password_reset_redeem(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "User name and code.")] input: PasswordResetRedeemInput,
    ) -> Maybe<TicketPayload> {
        Some(redeem(ctx, input).await)
    }
}

fn refused(errors: Vec<UserError>) -> PasswordResetSendPayload {
    PasswordResetSendPayload { sent_to: None, expires_at: None, user_errors: errors }
}

async fn send(ctx: &Context<'_>, input: PasswordResetSendInput) -> Result<PasswordResetSendPayload> {
    // Why before the mistakes: who may not is told nothing, not even which of their words are wrong.
    let Some(record) = found(ctx, Deed::SendPasswordReset, &input.staff_member).await? else {
        let text = "There is no such person among those you are responsible for.";
        return Ok(refused(vec![UserError::new(UserErrorCode::NotFound, "staffMember", text)]));
    };
    if !is_reason(&input.reason) {
        let text = "Say why, in 5 to 300 characters.";
        return Ok(refused(vec![UserError::new(UserErrorCode::Invalid, "reason", text)]));
    }
    let wish = ResetWish { person: record.person.id, verified: input.verified.into(), reason: input.reason.trim().to_owned() };
    let sent = house(ctx)?.desk.send_reset(caller(ctx), &wish).await.map_err(|e| fault(ctx, &e))?;
    Ok(match sent {
        Ok(sent) => {
            PasswordResetSendPayload { sent_to: Some(sent.to.masked()), expires_at: Some(sent.expires_at), user_errors: Vec::new() }
        }
        Err(not) => refused(vec![why(not)]),
    })
}

fn why(not: NotSent) -> UserError {
    use UserErrorCode::{Conflict, NotAllowed, NumberCooling, RateLimited};
    let (code, text) = match not {
        NotSent::OwnAccount => (NotAllowed, "Nobody vouches for themselves: use the password page."),
        NotSent::NotServed => {
            (Conflict, "The account is closed, disabled, protected or used with a smart card: its password is not set here.")
        }
        NotSent::NoMobile => (Conflict, "No mobile number is known. Enter it first."),
        NotSent::NotConfirmed => (Conflict, "HR has not confirmed this person's mobile number yet."),
        NotSent::Cooling => (NumberCooling, "The mobile number was changed a short while ago; no code goes to it yet."),
        NotSent::ChangedByCaller => (NotAllowed, "You changed this person's mobile number, so somebody else has to start this."),
        NotSent::TooMany => (RateLimited, "A code was sent within the last minute, or too many within the hour."),
    };
    UserError::new(code, "staffMember", text)
}

async fn redeem(ctx: &Context<'_>, input: PasswordResetRedeemInput) -> Result<TicketPayload> {
    let began = Instant::now();
    let code = Zeroizing::new(input.code);
    let outcome = house(ctx)?.desk.redeem(&input.username, &code, address(ctx)).await.map_err(|e| fault(ctx, &e))?;
    ticket_payload(outcome, began, "code").await
}
