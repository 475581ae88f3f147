//! Who is told of events, and how far that has come.
use super::fault::{failed, from_json, to_json, without_nul};
use super::link::Writing;
use super::{SqlStore, audit, event};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::WebhookId;
use kimlik_domain::ports::{Attempted, ClaimedWebhook, EventData, PortError, PortResult, Refusal, Webhooks, WebhooksOf};
use kimlik_domain::webhook::{Event, Webhook};
use sea_orm::ExprTrait;
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel, QueryOrder, QuerySelect};
use serde_json::json;
use zeroize::Zeroizing;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub url: String,
    pub kinds: String,
    pub secret: Vec<u8>,
    pub made_at: DateTimeUtc,
    pub made_by: String,
    pub cursor: i64,
    pub last_success_at: Option<DateTimeUtc>,
    pub failing_since: Option<DateTimeUtc>,
    pub failures: i32,
    pub last_fault: Option<String>,
    pub next_at: DateTimeUtc,
    pub lease: Option<Uuid>,
    pub leased_until: Option<DateTimeUtc>,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

/// Where the secret is sealed to.
const SECRET: &str = "webhook.secret";

fn webhook(row: Model) -> PortResult<Webhook> {
    Ok(Webhook {
        id: WebhookId(row.id),
        url: row.url,
        kinds: from_json(&row.kinds, "webhook")?,
        made_at: row.made_at,
        made_by: row.made_by,
        cursor: row.cursor,
        last_success_at: row.last_success_at,
        failing_since: row.failing_since,
        failures: row.failures.unsigned_abs(),
        last_fault: row.last_fault,
        next_at: row.next_at,
    })
}

/// The lock is that of all webhooks: who claims, replays and deletes follow each other.
async fn locked(writing: &Writing, id: WebhookId, of: WebhooksOf<'_>) -> PortResult<Model> {
    writing.lock(&["webhooks"]).await?;
    let found = Entity::find_by_id(id.0).one(&writing.txn).await.map_err(failed("reading a webhook"))?;
    let own = found.filter(|row| of.is_none_or(|of| row.made_by == of));
    own.ok_or_else(|| PortError::refused(Refusal::NotFound, "There is no such webhook."))
}

fn done(now: DateTime<Utc>, by: &str, deed: &str, webhook: &Webhook) -> AuditEvent {
    AuditEvent {
        at: now,
        actor: by.to_owned(),
        deed: deed.to_owned(),
        person: None,
        because: format!("webhook {}", webhook.id),
        detail: json!({ "webhook": webhook.id.to_string(), "kinds": webhook.kinds, "cursor": webhook.cursor }),
    }
}

fn due(now: DateTime<Utc>, head: i64) -> sea_orm::Condition {
    let free = Column::LeasedUntil.is_null().or(Column::LeasedUntil.lte(now));
    sea_orm::Condition::all().add(Column::NextAt.lte(now)).add(Column::Cursor.lt(head)).add(free)
}

#[async_trait]
impl Webhooks for SqlStore {
    async fn seal_events(&self, limit: u32, data: &EventData<'_>) -> PortResult<bool> {
        event::seal(&self.link, limit, data).await
    }
    async fn events_after(&self, position: i64, limit: u32) -> PortResult<Vec<Event>> {
        event::after(&self.link.db, position, limit).await
    }
    async fn events_span(&self) -> PortResult<(i64, Option<i64>)> {
        Ok((event::position(&self.link.db).await?, event::oldest(&self.link.db).await?))
    }
    async fn forget_events(&self, before: DateTime<Utc>) -> PortResult<u64> {
        let writing = self.link.write().await?;
        writing.lock(&["webhooks"]).await?;
        let slowest: Option<i64> = Entity::find()
            .select_only()
            .column(Column::Cursor)
            .order_by_asc(Column::Cursor)
            .limit(1)
            .into_tuple()
            .one(&writing.txn)
            .await
            .map_err(failed("reading webhooks"))?;
        let forgotten = event::forget(&writing, before, slowest.unwrap_or(i64::MAX)).await?;
        writing.commit().await?;
        Ok(forgotten)
    }

    async fn webhooks(&self, of: WebhooksOf<'_>, before: Option<WebhookId>, limit: u32) -> PortResult<Vec<Webhook>> {
        let mut select = Entity::find().order_by_desc(Column::Id).limit(u64::from(limit));
        if let Some(of) = of {
            select = select.filter(Column::MadeBy.eq(of));
        }
        if let Some(before) = before {
            select = select.filter(Column::Id.lt(before.0));
        }
        select.all(&self.link.db).await.map_err(failed("reading webhooks"))?.into_iter().map(webhook).collect()
    }
    async fn make_webhook(&self, made: &Webhook, secret: &Zeroizing<String>, at_most: u32, audit: &AuditEvent) -> PortResult<Webhook> {
        let writing = self.link.write().await?;
        writing.lock(&["webhooks"]).await?;
        if Entity::find().count(&writing.txn).await.map_err(failed("counting webhooks"))? >= u64::from(at_most) {
            return Err(PortError::refused(Refusal::Other, format!("There are {at_most} webhooks already.")));
        }
        let row = Model {
            id: made.id.0,
            url: without_nul(&made.url),
            kinds: to_json(&made.kinds)?,
            secret: self.vault.seal(SECRET, made.id.0, secret)?,
            made_at: made.made_at,
            made_by: made.made_by.clone(),
            cursor: event::position(&writing.txn).await?,
            last_success_at: None,
            failing_since: None,
            failures: 0,
            last_fault: None,
            next_at: made.next_at,
            lease: None,
            leased_until: None,
        };
        writing.insert("saving a webhook", vec![row.clone().into_active_model()], None).await?;
        audit::record(&writing, [audit]).await?;
        writing.commit().await?;
        webhook(row)
    }
    async fn delete_webhook(&self, id: WebhookId, of: WebhooksOf<'_>, by: &str, now: DateTime<Utc>) -> PortResult<Webhook> {
        let writing = self.link.write().await?;
        let found = webhook(locked(&writing, id, of).await?)?;
        Entity::delete_by_id(id.0).exec(&writing.txn).await.map_err(failed("deleting a webhook"))?;
        audit::record(&writing, [&done(now, by, "webhook.delete", &found)]).await?;
        writing.commit().await?;
        Ok(found)
    }
    async fn replay_webhook(&self, id: WebhookId, of: WebhooksOf<'_>, after: i64, by: &str, now: DateTime<Utc>) -> PortResult<Webhook> {
        let writing = self.link.write().await?;
        let mut found = webhook(locked(&writing, id, of).await?)?;
        Entity::update_many()
            .col_expr(Column::Cursor, Expr::value(after))
            .col_expr(Column::NextAt, Expr::value(now))
            .col_expr(Column::Lease, Expr::value(Option::<Uuid>::None))
            .col_expr(Column::LeasedUntil, Expr::value(Option::<DateTime<Utc>>::None))
            .filter(Column::Id.eq(id.0))
            .exec(&writing.txn)
            .await
            .map_err(failed("replaying a webhook"))?;
        (found.cursor, found.next_at) = (after, now);
        audit::record(&writing, [&done(now, by, "webhook.replay", &found)]).await?;
        writing.commit().await?;
        Ok(found)
    }

    async fn claim_webhooks(&self, lease: Uuid, now: DateTime<Utc>, until: DateTime<Utc>, limit: u32) -> PortResult<Vec<ClaimedWebhook>> {
        // Why first: mostly there is nothing, and nobody's writing should wait for that.
        let head = event::position(&self.link.db).await?;
        let one = Entity::find().filter(due(now, head)).limit(1).one(&self.link.db).await.map_err(failed("reading webhooks"))?;
        if one.is_none() {
            return Ok(Vec::new());
        }
        let writing = self.link.write().await?;
        writing.lock(&["webhooks"]).await?;
        let select = Entity::find().filter(due(now, head)).order_by_asc(Column::NextAt).limit(u64::from(limit));
        let rows = select.all(&writing.txn).await.map_err(failed("reading webhooks"))?;
        Entity::update_many()
            .col_expr(Column::Lease, Expr::value(lease))
            .col_expr(Column::LeasedUntil, Expr::value(until))
            .filter(Column::Id.is_in(rows.iter().map(|row| row.id)))
            .exec(&writing.txn)
            .await
            .map_err(failed("claiming webhooks"))?;
        writing.commit().await?;
        let claimed = |row: Model| {
            let secret = self.vault.open(SECRET, row.id, &row.secret)?;
            Ok(ClaimedWebhook { webhook: webhook(row)?, lease, secret })
        };
        rows.into_iter().map(claimed).collect()
    }
    async fn settle_delivery(&self, attempted: &Attempted) -> PortResult<bool> {
        let writing = self.link.write().await?;
        let mut update = Entity::update_many()
            .col_expr(Column::Cursor, Expr::value(attempted.cursor))
            .col_expr(Column::LeasedUntil, Expr::value(attempted.keep_until))
            .filter(Column::Id.eq(attempted.webhook.0))
            .filter(Column::Lease.eq(attempted.lease));
        if attempted.keep_until.is_none() {
            update = update.col_expr(Column::Lease, Expr::value(Option::<Uuid>::None));
        }
        update = match &attempted.outcome {
            None => update,
            Some(Ok(())) => update
                .col_expr(Column::LastSuccessAt, Expr::value(attempted.at))
                .col_expr(Column::FailingSince, Expr::value(Option::<DateTime<Utc>>::None))
                .col_expr(Column::Failures, Expr::value(0))
                .col_expr(Column::LastFault, Expr::value(Option::<String>::None)),
            Some(Err((fault, next_at))) => update
                .col_expr(Column::FailingSince, Expr::col(Column::FailingSince).if_null(attempted.at))
                .col_expr(Column::Failures, Expr::col(Column::Failures).add(1))
                .col_expr(Column::LastFault, Expr::value(without_nul(fault)))
                .col_expr(Column::NextAt, Expr::value(*next_at)),
        };
        let settled = update.exec(&writing.txn).await.map_err(failed("noting a delivery"))?;
        writing.commit().await?;
        Ok(settled.rows_affected > 0)
    }
}
