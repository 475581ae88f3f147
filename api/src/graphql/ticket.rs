//! Tickets: proof of who somebody is, for a moment and in one browser; and the newcomer's code, which is one.
use super::error::{Maybe, UserError, fault};
use super::house;
use super::password::{REFUSED_AFTER, address, told};
use crate::http::browser;
use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use kimlik_domain::access::session::Secret;
use kimlik_domain::password::Refused;
use kimlik_domain::password::desk::Handed;
use tokio::time::Instant;
use zeroize::Zeroizing;

#[derive(Default)]
pub struct TicketMutation;

/// What a ticket is good for.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::password::TicketPurpose")]
pub enum TicketPurpose {
    /// A new password, with passwordSet.
    SetPassword,
    /// Unlocking the account; the password stays.
    Unlock,
}

/// Proof of who somebody is: once, for ten minutes, in the browser whose cookie the same answer sets.
#[derive(SimpleObject)]
pub struct Ticket {
    /// For passwordSet or accountUnlock.
    token: String,
    /// It is of no use afterwards.
    expires_at: DateTime<Utc>,
    /// What it is good for.
    purposes: Vec<TicketPurpose>,
}

/// What came of a code.
#[derive(SimpleObject)]
pub struct TicketPayload {
    /// Null: the code proved nothing.
    pub ticket: Option<Ticket>,
    /// Why.
    pub user_errors: Vec<UserError>,
}

/// The code of the message that announced the account.
#[derive(InputObject)]
pub struct AccountActivateInput {
    /// As in the message: ayse.sahin.
    username: String,
    /// Eight digits; spaces do not count.
    #[graphql(secret)]
    code: String,
}

#[Object]
impl TicketMutation {
    /// A newcomer's first step: user name and code of the message. The same answer, after the same time, for whoever is none.
    async fn account_activate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "User name and code.")] input: AccountActivateInput,
    ) -> Maybe<TicketPayload> {
        Some(activate(ctx, input).await)
    }
}

/// A ticket, and the browser that it was handed to. A browser without cookie: a ticket that nobody has.
pub fn held(ticket: &str) -> (Secret, Secret) {
    (Secret::given(ticket), browser::given().unwrap_or_else(|| Secret::given("")))
}

async fn activate(ctx: &Context<'_>, input: AccountActivateInput) -> Result<TicketPayload> {
    let began = Instant::now();
    let code = Zeroizing::new(input.code);
    let outcome = house(ctx)?.desk.activate(&input.username, &code, address(ctx)).await.map_err(|e| fault(ctx, &e))?;
    ticket_payload(outcome, began, "code").await
}

pub async fn ticket_payload(outcome: std::result::Result<Handed, Refused>, began: Instant, at: &'static str) -> Result<TicketPayload> {
    match outcome {
        Ok(handed) => {
            let ticket = Ticket {
                token: handed.token.expose().to_owned(),
                expires_at: handed.expires_at,
                purposes: handed.purposes.into_iter().map(Into::into).collect(),
            };
            browser::keep(handed.browser);
            Ok(TicketPayload { ticket: Some(ticket), user_errors: Vec::new() })
        }
        Err(refused) => {
            tokio::time::sleep_until(began + REFUSED_AFTER).await;
            Ok(TicketPayload { ticket: None, user_errors: told(&refused, at) })
        }
    }
}
