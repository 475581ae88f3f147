//! The code with which a newcomer comes to a password, sent again.
use super::card::IdentityCardKey;
use super::error::{Maybe, UserError, UserErrorCode, fault};
use super::staff::{StaffMember, member_of};
use super::{allows, caller, house, order};
use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use kimlik_domain::access::{About, Deed};
use kimlik_domain::id::PersonId;
use kimlik_domain::message::announcement::{Resend, Resent};
use kimlik_domain::message::whole_text;
use kimlik_domain::password::resend::{NotResent, resend_event};
use kimlik_domain::ports::PortError;
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Default)]
pub struct CredentialsMutation;

/// Whose activation code is sent again, and why.
#[derive(InputObject)]
pub struct CredentialsResendInput {
    /// The person: exactly one of these.
    staff_member: IdentityCardKey,
    /// At most 500 characters. It stands in the audit.
    reason: String,
    /// Only say whether it would be sent, and what.
    #[graphql(default_with = "Some(false)")]
    dry_run: Option<bool>,
    /// 1 to 100 characters of the client's own: the same key with the same input answers the first result again, for 7 days.
    idempotency_key: Option<String>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct CredentialsResendPayload {
    /// The person's record, where the caller may read it.
    staff_member: Option<StaffMember>,
    /// What the text says, its code hidden. Null: nothing is sent.
    text: Option<String>,
    /// When it was put into the outbox; it is sent within the hours of the ministry's settings. Null: it was not (dryRun, or userErrors).
    queued_at: Option<DateTime<Utc>>,
    /// Until when its code can be used, at least: counted from now, while it counts from when it is sent. Null: nothing is sent.
    code_expires_at: Option<DateTime<Utc>>,
    /// What the caller can mend; empty: it was done.
    user_errors: Vec<UserError>,
}

#[Object]
impl CredentialsMutation {
    /// Announces an account once more, with a new activation code; the code before it is of no use any more. Only for accounts that
    /// Kimlik opened and that nobody has activated. At most 3 a person and 100 a caller within a day. Whoever changed the person's
    /// mobile number leaves this to somebody else.
    async fn credentials_resend(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose code, and why.")] input: CredentialsResendInput,
    ) -> Maybe<CredentialsResendPayload> {
        if !allows(ctx, Deed::ResendCredentials, About::List) {
            return None;
        }
        Some(resend(ctx, input).await)
    }
}

/// What is kept under a key.
#[derive(Clone, Serialize, Deserialize)]
struct Answer {
    text: String,
    at: DateTime<Utc>,
}

fn refused(user_errors: Vec<UserError>) -> CredentialsResendPayload {
    CredentialsResendPayload { staff_member: None, text: None, queued_at: None, code_expires_at: None, user_errors }
}

fn why_not(why: NotResent) -> UserError {
    let (code, message) = match why {
        NotResent::NotAnnounced => {
            (UserErrorCode::Conflict, "The account has not been announced yet. It will be, by itself, on the first day that it works.")
        }
        NotResent::Adopted => {
            (UserErrorCode::Conflict, "The account existed before Kimlik and was never announced. Its owner resets a forgotten password.")
        }
        NotResent::Activated => {
            (UserErrorCode::AlreadyDone, "The account was activated. Its owner resets a forgotten password with a code to the mobile.")
        }
        NotResent::NotServed => {
            (UserErrorCode::Conflict, "The account is disabled or protected in the directory: a code would open nothing.")
        }
        NotResent::NoMobile => (UserErrorCode::Conflict, "No mobile number of this person is known."),
        NotResent::OwnChange => {
            (UserErrorCode::NotAllowed, "You have changed this person's mobile number: somebody else has to send the code.")
        }
    };
    UserError::new(code, "staffMember", message)
}

async fn resend(ctx: &Context<'_>, input: CredentialsResendInput) -> Result<CredentialsResendPayload> {
    let mut faults = order::faults(&input.reason, input.idempotency_key.as_deref());
    let who = order::found(ctx, Deed::ResendCredentials, &input.staff_member).await?;
    if who.is_none() {
        faults.push(order::nobody());
    }
    let Some(record) = who.filter(|_| faults.is_empty()) else { return Ok(refused(faults)) };
    let (house, by, person, reason) = (house(ctx)?, caller(ctx), record.person.id, input.reason.trim());
    let asked = json!({ "deed": "credentialsResend", "person": person, "reason": reason });
    let key = order::client_key(ctx, input.idempotency_key.as_deref(), input.dry_run.unwrap_or_default(), &asked);
    match order::before(ctx, key.as_ref()).await? {
        Ok(None) => {}
        Ok(Some(answer)) => return done(ctx, person, order::read(ctx, &answer)?).await,
        Err(error) => return Ok(refused(vec![error])),
    }
    let at = house.clock.now();
    let order = Resend { id: crate::deeds::new_id(house, at), person, by: by.actor().into(), reason: reason.into(), at };
    let message = match house.desk.announcement(&record, order.id, Some(by)).await {
        Ok(Ok(message)) => message,
        Ok(Err(why)) => return Ok(refused(vec![why_not(why)])),
        Err(PortError::Unavailable(_)) => return Ok(refused(vec![order::away()])),
        Err(error) => return Err(fault(ctx, &error)),
    };
    let text = whole_text(&message.text, Some("********")).to_string();
    if input.dry_run.unwrap_or_default() {
        let staff_member = member_of(ctx, person).await?;
        let code_expires_at = Some(house.desk.activation_ends(at));
        return Ok(CredentialsResendPayload { staff_member, text: Some(text), queued_at: None, code_expires_at, user_errors: Vec::new() });
    }
    let answer = Answer { text, at };
    let kept = json!(answer).to_string();
    let outcome = house.desk.outbox.resend(&order, &message, &resend_event(&order), key.as_ref().map(|key| (key, kept.as_str()))).await;
    let often = |message| refused(vec![UserError::new(UserErrorCode::RateLimited, "staffMember", message)]);
    match outcome.map_err(|e| fault(ctx, &e))? {
        Resent::Queued => done(ctx, person, answer).await,
        // Why together: only an order of Kimlik itself is answered with the other.
        Resent::TooManyOfPerson | Resent::OnItsWay => Ok(often("This person was sent 3 codes within a day, which is the limit.")),
        Resent::TooManyOfActor => Ok(often("You have sent 100 codes within a day, which is the limit.")),
        Resent::Answered(answer) => done(ctx, person, order::read(ctx, &answer)?).await,
        Resent::KeyReused => Ok(refused(vec![order::reused()])),
    }
}

async fn done(ctx: &Context<'_>, person: PersonId, answer: Answer) -> Result<CredentialsResendPayload> {
    Ok(CredentialsResendPayload {
        staff_member: member_of(ctx, person).await?,
        code_expires_at: Some(house(ctx)?.desk.activation_ends(answer.at)),
        text: Some(answer.text),
        queued_at: Some(answer.at),
        user_errors: Vec::new(),
    })
}
