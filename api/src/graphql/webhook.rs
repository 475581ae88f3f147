//! Webhooks: addresses that are told of what was done to accounts.
use super::error::{Maybe, UserError, UserErrorCode, fault};
use super::page::{self, Cursor, Page};
use super::{allows, caller, house, id};
use crate::deeds::webhook::{self, NotMade};
use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use kimlik_domain::access::{About, Deed};
use kimlik_domain::id::WebhookId;
use kimlik_domain::webhook::{EventKind, sequence};
use uuid::Uuid;

#[derive(Default)]
pub struct WebhookQuery;
#[derive(Default)]
pub struct WebhookMutation;

/// What receivers are told of.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::webhook::EventKind")]
pub enum WebhookEvent {
    /// `kimlik.account.opened`: a new account, one that came back, or one that was there before and was taken over.
    AccountOpened,
    /// `kimlik.account.enabled`: the first day in service has come, and the account works from now on.
    AccountEnabled,
    /// `kimlik.account.moved`: another unit, another place in the directory.
    AccountMoved,
    /// `kimlik.account.renamed`: another name or address; the old address stays an alias.
    AccountRenamed,
    /// `kimlik.account.updated`: what the address book shows was written anew.
    AccountUpdated,
    /// `kimlik.account.suspended`: disabled for a while.
    AccountSuspended,
    /// `kimlik.account.reinstated`: back from leave or suspension.
    AccountReinstated,
    /// `kimlik.account.closed`: closed, or a hire that was taken back before its day.
    AccountClosed,
    /// `kimlik.mailbox.closed`: the mailbox of somebody who left takes no mail any more; its retention is over.
    MailboxClosed,
}

/// An address that is told.
pub struct Webhook {
    webhook: kimlik_domain::webhook::Webhook,
    /// Of the last event.
    head: i64,
}

#[Object]
/// An address that is told of what was done, at least once and in order. Its secret is shown once, when it is made.
impl Webhook {
    /// Of this webhook.
    pub async fn id(&self) -> ID {
        id::encode(id::WEBHOOK, self.webhook.id.0)
    }
    /// Where the messages go.
    async fn url(&self) -> &str {
        &self.webhook.url
    }
    /// What it is told of.
    async fn events(&self) -> Vec<WebhookEvent> {
        self.webhook.kinds.iter().copied().map(EventKind::into).collect()
    }
    /// When it was made.
    async fn made_at(&self) -> DateTime<Utc> {
        self.webhook.made_at
    }
    /// Who made it.
    async fn made_by(&self) -> &str {
        &self.webhook.made_by
    }
    /// The sequence of the last event that it was told, or that was not for it: what `webhookReplay` takes.
    async fn cursor(&self) -> String {
        sequence(self.webhook.cursor)
    }
    /// How many events, of all kinds, it has not come to yet; 0: it has heard everything.
    async fn behind(&self) -> i64 {
        (self.head - self.webhook.cursor).max(0)
    }
    /// When it last took a message. Null: never.
    async fn last_success_at(&self) -> Option<DateTime<Utc>> {
        self.webhook.last_success_at
    }
    /// Since when it has taken nothing. Null: the last attempt succeeded, or there was none.
    async fn failing_since(&self) -> Option<DateTime<Utc>> {
        self.webhook.failing_since
    }
    /// Failed attempts in a row.
    async fn failures(&self) -> u32 {
        self.webhook.failures
    }
    /// Why the last attempt failed.
    async fn last_fault(&self) -> Option<&str> {
        self.webhook.last_fault.as_deref()
    }
    /// When it is tried again. Null: it is not failing.
    async fn next_attempt_at(&self) -> Option<DateTime<Utc>> {
        self.webhook.failing_since.map(|_| self.webhook.next_at)
    }
}

/// A new webhook.
#[derive(InputObject)]
pub struct WebhookCreateInput {
    /// Where the messages go: `https://…`, at most 2,000 characters, without user name, password and fragment. Hosts on private
    /// addresses must be named in the settings (`webhooks.private_hosts`).
    url: String,
    /// What it is told of. Null: everything.
    events: Option<Vec<WebhookEvent>>,
}

/// Which one is deleted.
#[derive(InputObject)]
pub struct WebhookDeleteInput {
    /// The webhook.
    webhook_id: ID,
}

/// What is told again.
#[derive(InputObject)]
pub struct WebhookReplayInput {
    /// The webhook.
    webhook_id: ID,
    /// The `sequence` of the last event that needs not be told again. Null: everything that is kept, 30 days at least.
    after: Option<String>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct WebhookSecretPayload {
    /// Null: nothing was done.
    webhook: Option<Webhook>,
    /// What the messages are signed by (`whsec_…`, as Standard Webhooks has it). Shown this once.
    secret: Option<String>,
    /// What the caller can mend; empty: it was done.
    user_errors: Vec<UserError>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct WebhookDeletePayload {
    /// As it was last. Null: nothing was done.
    webhook: Option<Webhook>,
    /// What the caller can mend; empty: it was done.
    user_errors: Vec<UserError>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct WebhookReplayPayload {
    /// As it stands now. Null: nothing was done.
    webhook: Option<Webhook>,
    /// What the caller can mend; empty: it was done.
    user_errors: Vec<UserError>,
}

#[Object]
impl WebhookQuery {
    /// Webhooks and how each of them is, newest first. A service account sees those that it has made itself.
    #[graphql(complexity = "page::cost(__ctx, __variables_definition, __field, child_complexity)")]
    async fn webhooks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before.")] after: Option<String>,
    ) -> Maybe<Page<Webhook>> {
        if !allows(ctx, Deed::ManageWebhook, About::Everything) {
            return None;
        }
        Some(webhooks(ctx, first, after.as_deref()).await)
    }
}

#[Object]
impl WebhookMutation {
    /// Makes a webhook that is told of what is done from now on. Its secret is in the answer, and nowhere else afterwards.
    async fn webhook_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new webhook.")] input: WebhookCreateInput,
    ) -> Maybe<WebhookSecretPayload> {
        if !allows(ctx, Deed::ManageWebhook, About::Everything) {
            return None;
        }
        Some(create(ctx, input).await)
    }

    /// Ends a webhook: it is told nothing more.
    async fn webhook_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: WebhookDeleteInput,
    ) -> Maybe<WebhookDeletePayload> {
        if !allows(ctx, Deed::ManageWebhook, About::Everything) {
            return None;
        }
        let answer = match named(&input.webhook_id) {
            Ok(webhook) => shown(ctx, webhook::delete(house(ctx).ok()?, caller(ctx), webhook).await, "webhookId").await,
            Err(error) => Ok((None, vec![error])),
        };
        Some(answer.map(|(webhook, user_errors)| WebhookDeletePayload { webhook, user_errors }))
    }

    /// Tells a webhook again what came after an event, with the same ids as the first time.
    async fn webhook_replay(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and from where.")] input: WebhookReplayInput,
    ) -> Maybe<WebhookReplayPayload> {
        if !allows(ctx, Deed::ManageWebhook, About::Everything) {
            return None;
        }
        let answer = match named(&input.webhook_id) {
            Ok(webhook) => replay(ctx, webhook, input.after.as_deref()).await,
            Err(error) => Ok((None, vec![error])),
        };
        Some(answer.map(|(webhook, user_errors)| WebhookReplayPayload { webhook, user_errors }))
    }
}

type Answer = Result<(Option<Webhook>, Vec<UserError>)>;

async fn webhooks(ctx: &Context<'_>, first: Option<i32>, after: Option<&str>) -> Result<Page<Webhook>> {
    let wanted = page::first(first)?;
    let before = page::after(id::WEBHOOK, after)?.map(WebhookId);
    let store = &house(ctx)?.webhooks.webhooks;
    let found = store.webhooks(webhook::own(caller(ctx)).as_deref(), before, wanted + 1).await.map_err(|e| fault(ctx, &e))?;
    let (head, _) = store.events_span().await.map_err(|e| fault(ctx, &e))?;
    let node = |webhook: kimlik_domain::webhook::Webhook| (Cursor(id::encode(id::WEBHOOK, webhook.id.0).0), Webhook { webhook, head });
    Ok(page::page(found, wanted, before.is_some(), node))
}

/// By its id, where the caller may read it.
pub async fn one(ctx: &Context<'_>, id: Uuid) -> Result<Option<Webhook>> {
    if !allows(ctx, Deed::ManageWebhook, About::Everything) {
        return Ok(None);
    }
    let store = &house(ctx)?.webhooks.webhooks;
    let before = Some(WebhookId(id::above(id)));
    let found = store.webhooks(webhook::own(caller(ctx)).as_deref(), before, 1).await.map_err(|e| fault(ctx, &e))?;
    let (head, _) = store.events_span().await.map_err(|e| fault(ctx, &e))?;
    Ok(found.into_iter().find(|webhook| webhook.id.0 == id).map(|webhook| Webhook { webhook, head }))
}

fn named(id: &ID) -> std::result::Result<WebhookId, UserError> {
    let wrong = || UserError::new(UserErrorCode::Invalid, "webhookId", "This is not the id of a webhook.");
    id::decode(id::WEBHOOK, id).map(WebhookId).ok_or_else(wrong)
}

async fn shown(ctx: &Context<'_>, done: kimlik_domain::ports::PortResult<kimlik_domain::webhook::Webhook>, path: &str) -> Answer {
    match done {
        Ok(webhook) => {
            let (head, _) = house(ctx)?.webhooks.webhooks.events_span().await.map_err(|e| fault(ctx, &e))?;
            Ok((Some(Webhook { webhook, head }), Vec::new()))
        }
        Err(fault) => Ok((None, vec![UserError::of(&fault, path)])),
    }
}

async fn create(ctx: &Context<'_>, input: WebhookCreateInput) -> Result<WebhookSecretPayload> {
    let kinds = match input.events {
        Some(events) => events.into_iter().map(EventKind::from).collect(),
        None => EventKind::ALL.iter().copied().collect(),
    };
    let user_errors = match webhook::make(house(ctx)?, caller(ctx), &input.url, kinds).await {
        Ok(Ok((webhook, secret))) => {
            let (webhook, user_errors) = shown(ctx, Ok(webhook), "url").await?;
            return Ok(WebhookSecretPayload { webhook, secret: Some(secret.as_str().to_owned()), user_errors });
        }
        Ok(Err(faults)) => faults.into_iter().map(told).collect(),
        Err(fault) => vec![UserError::of(&fault, "url")],
    };
    Ok(WebhookSecretPayload { webhook: None, secret: None, user_errors })
}

fn told(fault: NotMade) -> UserError {
    match fault {
        NotMade::Address(fault) => {
            let long = fault == kimlik_domain::webhook::address::AddressFault::TooLong;
            let code = if long { UserErrorCode::TooLong } else { UserErrorCode::Invalid };
            UserError::new(code, "url", fault.to_string())
        }
        NotMade::NoEvents => UserError::new(UserErrorCode::Invalid, "events", "Name at least one event, or leave it out for all."),
    }
}

async fn replay(ctx: &Context<'_>, webhook: WebhookId, after: Option<&str>) -> Answer {
    match webhook::replay(house(ctx)?, caller(ctx), webhook, after).await {
        Ok(Some(webhook)) => shown(ctx, Ok(webhook), "webhookId").await,
        Ok(None) => {
            let message = "This is not the sequence of an event that is kept.";
            Ok((None, vec![UserError::new(UserErrorCode::Invalid, "after", message)]))
        }
        Err(fault) => shown(ctx, Err(fault), "webhookId").await,
    }
}
