//! What couriers do with the outbox: claiming by lease, committing that something is going to be sent, settling, reports.
use super::SqlStore;
use super::fault::{failed, from_word, word};
use super::link::{Link, Writing, keep, upsert};
use super::message::{Column, Contents, Entity, Model, ONCE};
use super::vault::Vault;
use super::{announcement, audit, issue, person};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use kimlik_domain::access::idempotency::ClientKey;
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::{MessageId, PersonId};
use kimlik_domain::message::announcement::{Announced, Resend, Resent, SeenTo};
use kimlik_domain::message::courier::{Begun, Claimed, Settled};
use kimlik_domain::message::{Channel, Language, MessageState, NewMessage, Purpose, Recipient};
use kimlik_domain::ports::{IssueScope, Outbox, OutboxState, PeopleBy, PersonRecord, PortResult, Verdict};
use kimlik_domain::staff::{DataIssue, IssueKind};
use sea_orm::ExprTrait;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{IntoActiveModel, PaginatorTrait, QueryOrder, QuerySelect};
use serde_json::json;
use std::collections::HashMap;

/// Numbers and addresses that took no message, until their owner has another one.
mod dead_address {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "dead_address")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub person: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub channel: String,
        pub mark: Vec<u8>,
        pub since: DateTimeUtc,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// With the key that the mark is made by.
fn dead_of(channel: Channel) -> (IssueKind, &'static str) {
    match channel {
        Channel::Sms => (IssueKind::UndeliverableMobile, "mobile"),
        Channel::Mail => (IssueKind::UndeliverableMail, "mail"),
    }
}

fn mark(vault: &Vault, channel: Channel, address: &str) -> Vec<u8> {
    vault.secret_mark(dead_of(channel).1, address)
}

/// Those that somebody waits for first, the rest where there is room.
async fn claim(
    link: &Link,
    vault: &Vault,
    channel: Channel,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
    limit: u32,
) -> PortResult<Vec<Claimed>> {
    let writing = link.write().await?;
    let urgent = Purpose::ALL.iter().filter(|p| p.is_urgent()).map(word).collect::<PortResult<Vec<String>>>()?;
    let mut rows: Vec<Model> = Vec::new();
    for is_urgent in [true, false] {
        let wanted = Column::Purpose.is_in(urgent.iter().map(String::as_str));
        let due = Entity::find()
            .filter(Column::DueAt.lte(now))
            .filter(Column::Channel.eq(word(&channel)?))
            .filter(if is_urgent { wanted } else { wanted.not() })
            .order_by_asc(Column::DueAt)
            .limit(u64::from(limit).saturating_sub(rows.len() as u64))
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .all(&writing.txn)
            .await
            .map_err(failed("claiming messages"))?;
        rows.extend(due);
    }
    let mut claimed = Vec::with_capacity(rows.len());
    for mut row in rows {
        row.generation += 1;
        row.due_at = Some(until);
        claimed.push(claimed_of(vault, &row)?);
        save(&writing, row).await?;
    }
    writing.commit().await?;
    Ok(claimed)
}

fn claimed_of(vault: &Vault, row: &Model) -> PortResult<Claimed> {
    let contents = Contents::open(vault, row)?;
    let small = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(Claimed {
        id: MessageId(row.id),
        person: PersonId(row.person),
        generation: row.generation,
        purpose: from_word(&row.purpose, "message")?,
        to: contents.to,
        subject: contents.subject,
        text: contents.text,
        code: contents.code,
        state: from_word(&row.state, "message")?,
        reissue: small(row.reissue),
        tries: small(row.tries),
        doubts: small(row.doubts),
        gateway: row.gateway.clone(),
        valid_until: row.valid_until,
        sending_at: row.sending_at,
    })
}

async fn save(writing: &Writing, row: Model) -> PortResult<()> {
    let columns = [
        Column::State,
        Column::Sealed,
        Column::DueAt,
        Column::Generation,
        Column::Attempts,
        Column::Tries,
        Column::Doubts,
        Column::Parts,
        Column::Gateway,
        Column::ProviderId,
        Column::Note,
        Column::SendingAt,
        Column::SettledAt,
    ];
    writing.insert("saving a message", vec![row.into_active_model()], upsert([Column::Id], columns)).await
}

/// The row, if it is still in this courier's hand.
async fn held(writing: &Writing, id: MessageId, generation: Option<i64>) -> PortResult<Option<Model>> {
    let mut select = Entity::find_by_id(id.0);
    if let Some(generation) = generation {
        select = select.filter(Column::Generation.eq(generation));
    }
    select.lock(LockType::Update).one(&writing.txn).await.map_err(failed("reading a message"))
}

async fn begin(link: &Link, claimed: &Claimed, gateway: &str, now: DateTime<Utc>, limit: u32) -> PortResult<Begun> {
    let writing = link.write().await?;
    // Why under a lock: replicas that count at the same time would go beyond the limit together.
    writing.lock(&["message"]).await?;
    let Some(mut row) = held(&writing, claimed.id, Some(claimed.generation)).await? else { return Ok(Begun::Lost) };
    let others = Entity::find()
        .filter(Column::SendingAt.gt(now - TimeDelta::days(1)))
        .filter(Column::Channel.eq(row.channel.as_str()))
        .filter(Column::Id.ne(row.id))
        .count(&writing.txn)
        .await
        .map_err(failed("counting messages"))?;
    let today = u32::try_from(others).unwrap_or(u32::MAX).saturating_add(1);
    if today > limit {
        return Ok(Begun::Braked);
    }
    row.state = word(&MessageState::Sending)?;
    row.gateway = Some(gateway.to_owned());
    row.attempts += 1;
    row.sending_at = Some(now);
    save(&writing, row).await?;
    writing.commit().await?;
    Ok(Begun::Yes { today })
}

async fn settle(link: &Link, vault: &Vault, settled: &Settled, now: DateTime<Utc>) -> PortResult<()> {
    let writing = link.write().await?;
    let Some(mut row) = held(&writing, settled.id, Some(settled.generation)).await? else { return Ok(()) };
    let contents = Contents::open(vault, &row)?;
    row.state = word(&settled.state)?;
    row.due_at = settled.due_at;
    row.tries = i64::from(settled.tries);
    row.doubts = i64::from(settled.doubts);
    row.note.clone_from(&settled.note);
    row.parts = i64::from(settled.parts);
    row.provider_id.clone_from(&settled.provider_id);
    if settled.state.is_over() {
        row.settled_at = Some(now);
        record(&writing, &row, settled.state, settled.note.as_deref(), now).await?;
    }
    if let Some(replacement) = &settled.replacement {
        let mut next = row.clone();
        let new = Contents {
            to: contents.to.clone(),
            subject: contents.subject.clone(),
            text: contents.text.clone(),
            code: Some(replacement.code.clone()),
        };
        next.id = replacement.id.0;
        next.reissue += 1;
        next.state = word(&MessageState::Queued)?;
        next.sealed = new.seal(vault, next.id)?;
        next.code_mark = vault.code_mark(next.id, &replacement.code).to_vec();
        (next.queued_at, next.due_at) = (now, Some(now));
        (next.attempts, next.tries, next.parts, next.generation) = (0, 0, 0, 0);
        (next.gateway, next.provider_id, next.note, next.sending_at, next.settled_at) = (None, None, None, None, None);
        writing.insert("replacing a message", vec![next.into_active_model()], keep(ONCE)).await?;
    }
    bury(&writing, vault, row.person, &contents.to, settled.dead_number.as_ref(), now).await?;
    if settled.state.is_over() && !settled.keeps_text {
        row.sealed = Contents::erased(contents.to).seal(vault, row.id)?;
    }
    save(&writing, row).await?;
    writing.commit().await
}

async fn bury(
    writing: &Writing,
    vault: &Vault,
    person: Uuid,
    to: &Recipient,
    found: Option<&DataIssue>,
    now: DateTime<Utc>,
) -> PortResult<()> {
    let Some(found) = found else { return Ok(()) };
    issue::save(writing, IssueScope::None, [found], now).await?;
    use dead_address::Column as C;
    let channel = to.channel();
    let row = dead_address::Model { person, channel: word(&channel)?, mark: mark(vault, channel, to.whole()), since: now };
    let conflict = upsert([C::Person, C::Channel], [C::Mark, C::Since]);
    writing.insert("noting a number or an address", vec![row.into_active_model()], conflict).await
}

async fn record(writing: &Writing, row: &Model, state: MessageState, because: Option<&str>, now: DateTime<Utc>) -> PortResult<()> {
    let event = AuditEvent {
        at: now,
        actor: "kimlik".into(),
        deed: format!("message.{}", word(&state)?.to_ascii_lowercase()),
        person: Some(PersonId(row.person)),
        because: because.unwrap_or_default().to_owned(),
        detail: json!({ "purpose": row.purpose, "channel": row.channel, "gateway": row.gateway, "attempts": row.attempts, "parts": row.parts }),
    };
    audit::record(writing, [&event]).await
}

async fn report(
    link: &Link,
    vault: &Vault,
    id: MessageId,
    verdict: &Verdict,
    dead: Option<&DataIssue>,
    now: DateTime<Utc>,
) -> PortResult<bool> {
    let writing = link.write().await?;
    let Some(mut row) = held(&writing, id, None).await? else { return Ok(false) };
    let state: MessageState = from_word(&row.state, "message")?;
    if !matches!(state, MessageState::Sending | MessageState::Sent | MessageState::Doubtful) {
        return Ok(false);
    }
    let contents = Contents::open(vault, &row)?;
    let (state, note) = match verdict {
        Verdict::Delivered => (MessageState::Delivered, None),
        Verdict::Undelivered(why) | Verdict::DeadNumber(why) => (MessageState::Undelivered, Some(why.clone())),
    };
    row.state = word(&state)?;
    row.note = note;
    row.due_at = None;
    // Why: a courier that still waits for the gateway's answer to this one has nothing to settle any more.
    row.generation += 1;
    row.settled_at = Some(now);
    record(&writing, &row, state, row.note.clone().as_deref(), now).await?;
    bury(&writing, vault, row.person, &contents.to, dead, now).await?;
    row.sealed = Contents::erased(contents.to).seal(vault, row.id)?;
    save(&writing, row).await?;
    writing.commit().await?;
    Ok(true)
}

/// Issues about numbers and addresses that are nobody's any more are resolved.
async fn mend(link: &Link, vault: &Vault, now: DateTime<Utc>) -> PortResult<u32> {
    let dead = dead_address::Entity::find().all(&link.db).await.map_err(failed("reading dead numbers"))?;
    if dead.is_empty() {
        return Ok(0);
    }
    let ids: Vec<PersonId> = dead.iter().map(|d| PersonId(d.person)).collect();
    let people = person::people(&link.db, PeopleBy::Ids(&ids)).await?;
    let people: HashMap<Uuid, &PersonRecord> = people.iter().map(|record| (record.person.id.0, record)).collect();
    let mut mended = 0;
    for channel in [Channel::Sms, Channel::Mail] {
        let its = word(&channel)?;
        let is_mended = |row: &&dead_address::Model| {
            let record = people.get(&row.person);
            let now_has = match channel {
                Channel::Sms => record.and_then(|r| r.person.mobile.as_ref()).map(|m| m.e164()),
                Channel::Mail => record.and_then(|r| r.account.as_ref()).map(|a| a.names.mail.as_ref()),
            };
            row.channel == its && now_has.map(|address| mark(vault, channel, address)).as_ref() != Some(&row.mark)
        };
        let gone: Vec<Uuid> = dead.iter().filter(is_mended).map(|row| row.person).collect();
        if gone.is_empty() {
            continue;
        }
        let numbers: Vec<_> = gone.iter().filter_map(|id| people.get(id)).map(|r| r.person.registry_no.clone()).collect();
        let writing = link.write().await?;
        issue::save(&writing, IssueScope::People(&[dead_of(channel).0], &numbers), [], now).await?;
        mended += u32::try_from(gone.len()).unwrap_or(u32::MAX);
        dead_address::Entity::delete_many()
            .filter(dead_address::Column::Channel.eq(its.as_str()))
            .filter(dead_address::Column::Person.is_in(gone))
            .exec(&writing.txn)
            .await
            .map_err(failed("forgetting dead numbers"))?;
        writing.commit().await?;
    }
    Ok(mended)
}

async fn state(link: &Link, channel: Channel, now: DateTime<Utc>) -> PortResult<OutboxState> {
    let its = word(&channel)?;
    let all = || Entity::find().filter(Column::Channel.eq(its.as_str()));
    let count = |select: sea_orm::Select<Entity>| async move {
        select.count(&link.db).await.map(|n| u32::try_from(n).unwrap_or(u32::MAX)).map_err(failed("counting messages"))
    };
    let since = now - TimeDelta::days(1);
    let waiting = all().filter(Column::DueAt.is_not_null());
    let over =
        [MessageState::Failed, MessageState::Undelivered, MessageState::Doubtful].iter().map(word).collect::<PortResult<Vec<_>>>()?;
    let oldest: Option<Model> = waiting.clone().order_by_asc(Column::QueuedAt).one(&link.db).await.map_err(failed("reading a message"))?;
    Ok(OutboxState {
        waiting: count(waiting).await?,
        oldest: oldest.map(|row| row.queued_at),
        sent_today: count(all().filter(Column::SendingAt.gt(since))).await?,
        failed_today: count(all().filter(Column::SettledAt.gt(since)).filter(Column::State.is_in(over))).await?,
    })
}

#[async_trait]
impl Outbox for SqlStore {
    async fn queue_messages(&self, messages: &[(PersonId, NewMessage)], now: DateTime<Utc>) -> PortResult<()> {
        let writing = self.link.write().await?;
        super::message::queue(&writing, &self.vault, messages.iter().map(|(person, message)| (*person, message, now))).await?;
        writing.commit().await
    }
    async fn code_matches(&self, person: PersonId, purpose: Purpose, occasion: &str, code: &str, now: DateTime<Utc>) -> PortResult<bool> {
        super::message::code_matches(&self.link, &self.vault, (person, purpose, occasion), code, now).await
    }
    async fn keep_language(&self, person: PersonId, language: Language, event: &AuditEvent) -> PortResult<()> {
        super::person::keep_language(&self.link, person, language, event).await
    }
    async fn announced(&self, openings: &[(PersonId, u32)]) -> PortResult<HashMap<PersonId, Announced>> {
        announcement::announced(&self.link.db, &self.vault, openings).await
    }
    async fn resend(
        &self,
        order: &Resend,
        message: &NewMessage,
        event: &AuditEvent,
        key: Option<(&ClientKey, &str)>,
    ) -> PortResult<Resent> {
        announcement::resend(&self.link, &self.vault, order, message, event, key).await
    }
    async fn renumbered(&self, now: DateTime<Utc>, limit: u32) -> PortResult<Vec<(PersonId, DateTime<Utc>)>> {
        announcement::due(&self.link.db, now, limit).await
    }
    async fn saw_to(&self, people: &[SeenTo]) -> PortResult<()> {
        announcement::saw_to(&self.link, people).await
    }
    async fn claim_messages(&self, channel: Channel, now: DateTime<Utc>, until: DateTime<Utc>, limit: u32) -> PortResult<Vec<Claimed>> {
        claim(&self.link, &self.vault, channel, now, until, limit).await
    }
    async fn begin_sending(&self, claimed: &Claimed, gateway: &str, now: DateTime<Utc>, daily_limit: u32) -> PortResult<Begun> {
        begin(&self.link, claimed, gateway, now, daily_limit).await
    }
    async fn settle_message(&self, settled: &Settled, now: DateTime<Utc>) -> PortResult<()> {
        settle(&self.link, &self.vault, settled, now).await
    }
    async fn awaiting_report(&self, gateway: &str, since: DateTime<Utc>, limit: u32) -> PortResult<Vec<String>> {
        let ids: Vec<Option<String>> = Entity::find()
            .select_only()
            .column(Column::ProviderId)
            .filter(Column::Gateway.eq(gateway))
            .filter(Column::State.eq(word(&MessageState::Sent)?))
            .filter(Column::SendingAt.gt(since))
            .filter(Column::ProviderId.is_not_null())
            .order_by_desc(Column::SendingAt)
            .limit(u64::from(limit))
            .into_tuple()
            .all(&self.link.db)
            .await
            .map_err(failed("reading messages"))?;
        Ok(ids.into_iter().flatten().collect())
    }
    async fn sent_as(&self, gateway: &str, provider_id: &str) -> PortResult<Option<(MessageId, PersonId)>> {
        // Why also by our own id: a gateway that names messages as we do may report before its answer has come.
        let mut its = sea_orm::Condition::any().add(Column::ProviderId.eq(provider_id));
        if let Ok(id) = provider_id.parse::<Uuid>() {
            its = its.add(Column::Id.eq(id));
        }
        let row =
            Entity::find().filter(Column::Gateway.eq(gateway)).filter(its).one(&self.link.db).await.map_err(failed("reading a message"))?;
        Ok(row.map(|row| (MessageId(row.id), PersonId(row.person))))
    }
    async fn settle_report(&self, id: MessageId, verdict: &Verdict, dead: Option<&DataIssue>, now: DateTime<Utc>) -> PortResult<bool> {
        report(&self.link, &self.vault, id, verdict, dead, now).await
    }
    async fn mend_numbers(&self, now: DateTime<Utc>) -> PortResult<u32> {
        mend(&self.link, &self.vault, now).await
    }
    async fn outbox_state(&self, channel: Channel, now: DateTime<Utc>) -> PortResult<OutboxState> {
        state(&self.link, channel, now).await
    }
}
