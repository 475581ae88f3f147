//! What people who have forgotten their password say. Sealed until it is answered, then forgotten; the code stands with its
//! message, the tries with the other codes'. Of nobody's challenge there is a row as of anybody's.
use super::fault::{failed, from_json, from_word, to_json, word};
use super::link::Link;
use super::message::{self, Contents};
use super::vault::Vault;
use super::{SqlStore, audit, password};
use async_trait::async_trait;
use aws_lc_rs::constant_time;
use chrono::{DateTime, TimeDelta, Utc};
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::PersonId;
use kimlik_domain::message::{MessageState, NewMessage, Purpose, Recipient};
use kimlik_domain::password::ChallengeKind;
use kimlik_domain::password::challenge::{Asked, Proven};
use kimlik_domain::ports::{Challenges, PortResult};
use kimlik_domain::staff::NationalId;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{ExprTrait, IntoActiveModel, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "challenge")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: String,
    /// What was said; `None`: it is answered.
    pub sealed: Option<Vec<u8>>,
    pub asked_at: DateTimeUtc,
    /// When it is to be taken up; during a lease, the lease's end. `None`: it is answered.
    pub due_at: Option<DateTimeUtc>,
    pub generation: i64,
    /// Whom a code was sent to.
    pub person: Option<Uuid>,
    /// Another one has taken its place.
    pub ended_at: Option<DateTimeUtc>,
    /// An officer began it, for a person that it had verified.
    pub by_officer: bool,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

const SEALED: &str = "challenge.sealed";

#[derive(Serialize, Deserialize)]
struct Said {
    username: Zeroizing<String>,
    national_id: Option<Zeroizing<String>>,
}

async fn ask(link: &Link, vault: &Vault, asked: &Asked) -> PortResult<()> {
    let national_id = asked.national_id.as_ref().map(|id| Zeroizing::new(id.expose().to_owned()));
    let said = Zeroizing::new(to_json(&Said { username: asked.username.clone(), national_id })?);
    let row = Model {
        id: asked.id,
        kind: word(&asked.kind)?,
        sealed: Some(vault.seal(SEALED, asked.id, &said)?),
        asked_at: asked.at,
        due_at: Some(asked.at),
        generation: asked.generation,
        person: None,
        ended_at: None,
        by_officer: false,
    };
    let writing = link.write().await?;
    writing.insert("noting what was asked", vec![row.into_active_model()], None).await?;
    writing.commit().await
}

fn asked_of(vault: &Vault, row: &Model, sealed: &[u8]) -> PortResult<Asked> {
    let said: Said = from_json(&vault.open(SEALED, row.id, sealed)?, "challenge")?;
    Ok(Asked {
        id: row.id,
        kind: from_word(&row.kind, "challenge")?,
        username: said.username,
        national_id: said.national_id.and_then(|id| NationalId::parse(&id).ok()),
        at: row.asked_at,
        generation: row.generation,
    })
}

async fn claim(link: &Link, vault: &Vault, now: DateTime<Utc>, until: DateTime<Utc>, limit: u32) -> PortResult<Vec<Asked>> {
    let due = Column::DueAt.lte(now);
    let any = Entity::find().filter(due.clone()).one(&link.db).await.map_err(failed("looking for what was asked"))?;
    if any.is_none() {
        return Ok(Vec::new());
    }
    let writing = link.write().await?;
    let old = Column::AskedAt.lt(now - TimeDelta::days(1));
    Entity::delete_many().filter(old).exec(&writing.txn).await.map_err(failed("forgetting what was asked"))?;
    let rows = Entity::find()
        .filter(due)
        .order_by_asc(Column::AskedAt)
        .limit(u64::from(limit))
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(&writing.txn)
        .await
        .map_err(failed("claiming what was asked"))?;
    let mut claimed = Vec::with_capacity(rows.len());
    for mut row in rows {
        row.generation += 1;
        Entity::update_many()
            .col_expr(Column::DueAt, Expr::value(Some(until)))
            .col_expr(Column::Generation, Expr::value(row.generation))
            .filter(Column::Id.eq(row.id))
            .exec(&writing.txn)
            .await
            .map_err(failed("claiming what was asked"))?;
        if let Some(sealed) = &row.sealed {
            claimed.push(asked_of(vault, &row, sealed)?);
        }
    }
    writing.commit().await?;
    Ok(claimed)
}

async fn answer(
    link: &Link,
    vault: &Vault,
    asked: &Asked,
    code: Option<(PersonId, &NewMessage)>,
    event: &AuditEvent,
    now: DateTime<Utc>,
) -> PortResult<()> {
    let writing = link.write().await?;
    let person = code.map(|(person, _)| person.0);
    let mine = Column::Id.eq(asked.id).and(Column::Generation.eq(asked.generation)).and(Column::DueAt.is_not_null());
    let answered = Entity::update_many()
        .col_expr(Column::Sealed, Expr::value(None::<Vec<u8>>))
        .col_expr(Column::DueAt, Expr::value(None::<DateTime<Utc>>))
        .col_expr(Column::Person, Expr::value(person))
        .filter(mine)
        .exec(&writing.txn)
        .await
        .map_err(failed("answering what was asked"))?;
    if answered.rows_affected != 1 {
        return Ok(());
    }
    if let Some((person, message)) = code {
        takes_the_place_of_others(&writing, vault, (asked.id, asked.kind), (person, message), now).await?;
    }
    audit::record(&writing, [event]).await?;
    writing.commit().await
}

/// The person's challenges of that kind before it end, and its message is queued.
async fn takes_the_place_of_others(
    writing: &super::link::Writing,
    vault: &Vault,
    (id, kind): (Uuid, ChallengeKind),
    (person, message): (PersonId, &NewMessage),
    now: DateTime<Utc>,
) -> PortResult<()> {
    let before = Column::Person.eq(person.0).and(Column::Kind.eq(word(&kind)?)).and(Column::Id.ne(id));
    Entity::update_many()
        .col_expr(Column::EndedAt, Expr::value(Some(now)))
        .filter(before.and(Column::EndedAt.is_null()))
        .exec(&writing.txn)
        .await
        .map_err(failed("ending challenges"))?;
    outlive(writing, person, message.purpose, now).await?;
    message::queue(writing, vault, [(person, message, now)]).await
}

async fn begin(
    link: &Link,
    vault: &Vault,
    id: Uuid,
    (person, code): (PersonId, &NewMessage),
    event: &AuditEvent,
    now: DateTime<Utc>,
) -> PortResult<()> {
    let row = Model {
        id,
        kind: word(&ChallengeKind::Reset)?,
        sealed: None,
        asked_at: now,
        due_at: None,
        generation: 0,
        person: Some(person.0),
        ended_at: None,
        by_officer: true,
    };
    let writing = link.write().await?;
    writing.insert("beginning a challenge", vec![row.into_active_model()], None).await?;
    takes_the_place_of_others(&writing, vault, (id, ChallengeKind::Reset), (person, code), now).await?;
    audit::record(&writing, [event]).await?;
    writing.commit().await
}

async fn begun_for(link: &Link, person: PersonId, since: DateTime<Utc>) -> PortResult<Option<Uuid>> {
    let lives = Column::Person.eq(person.0).and(Column::ByOfficer.eq(true)).and(Column::EndedAt.is_null()).and(Column::AskedAt.gt(since));
    let found = Entity::find().filter(lives).order_by_desc(Column::AskedAt).one(&link.db).await;
    match found.map_err(failed("looking for a challenge"))? {
        Some(row) if !password::is_spent(&link.db, row.id).await? => Ok(Some(row.id)),
        _ => Ok(None),
    }
}

/// The courier takes back what has outlived its day: its code would open nothing.
async fn outlive(writing: &super::link::Writing, of: PersonId, purpose: Purpose, now: DateTime<Utc>) -> PortResult<()> {
    let waiting = message::Column::Person
        .eq(of.0)
        .and(message::Column::Purpose.eq(word(&purpose)?))
        .and(message::Column::State.eq(word(&MessageState::Queued)?));
    message::Entity::update_many()
        .col_expr(message::Column::ValidUntil, Expr::value(Some(now)))
        .filter(waiting)
        .exec(&writing.txn)
        .await
        .map_err(failed("taking back messages"))?;
    Ok(())
}

async fn try_challenge(
    link: &Link,
    vault: &Vault,
    id: Uuid,
    code: &str,
    (tries, life): (u32, TimeDelta),
    now: DateTime<Utc>,
) -> PortResult<Option<Proven>> {
    let writing = link.write().await?;
    let row = Entity::find_by_id(id).one(&writing.txn).await.map_err(failed("reading a challenge"))?;
    // Why not of what never was: a row for each id that somebody makes up would fill the store.
    let Some(row) = row else { return Ok(None) };
    let may = password::count_try(&writing, id, tries).await?;
    let sent = match row.person.filter(|_| row.ended_at.is_none()) {
        Some(person) => sent(&writing, &row, person).await?,
        None => None,
    };
    // Why before the comparison: a process that dies after it must not give tries back.
    writing.commit().await?;
    let lives = |m: &message::Model| m.sending_at.is_some_and(|at| now < at + life);
    let (mark, of) = sent.as_ref().map_or((&[][..], id), |m| (&m.code_mark[..], m.id));
    let right = constant_time::verify_slices_are_equal(&vault.code_mark(of, code), mark).is_ok();
    let Some(sent) = sent.filter(|m| may && right && lives(m)) else { return Ok(None) };
    let Recipient::Mobile(to) = Contents::open(vault, &sent)?.to else { return Ok(None) };
    let (kind, by_officer) = (from_word(&row.kind, "challenge")?, row.by_officer);
    Ok(Some(Proven { kind, person: PersonId(sent.person), to, by_officer }))
}

/// The message whose code counts: the last one of that challenge, if a gateway has it.
async fn sent(writing: &super::link::Writing, row: &Model, person: Uuid) -> PortResult<Option<message::Model>> {
    let kind: ChallengeKind = from_word(&row.kind, "challenge")?;
    let last = message::Entity::find()
        .filter(message::Column::Person.eq(person))
        .filter(message::Column::Purpose.eq(word(&kind.purpose())?))
        .filter(message::Column::Occasion.eq(row.id.to_string()))
        .order_by_desc(message::Column::Reissue)
        .one(&writing.txn)
        .await
        .map_err(failed("reading a message"))?;
    let Some(last) = last else { return Ok(None) };
    let state: MessageState = from_word(&last.state, "message")?;
    let is_out = !matches!(state, MessageState::Queued | MessageState::Voided | MessageState::Failed);
    Ok(Some(last).filter(|_| is_out))
}

#[async_trait]
impl Challenges for SqlStore {
    async fn ask(&self, asked: &Asked) -> PortResult<()> {
        ask(&self.link, &self.vault, asked).await
    }
    async fn claim_asked(&self, now: DateTime<Utc>, until: DateTime<Utc>, limit: u32) -> PortResult<Vec<Asked>> {
        claim(&self.link, &self.vault, now, until, limit).await
    }
    async fn answer(&self, asked: &Asked, code: Option<(PersonId, &NewMessage)>, event: &AuditEvent, now: DateTime<Utc>) -> PortResult<()> {
        answer(&self.link, &self.vault, asked, code, event, now).await
    }
    async fn begin(&self, challenge: Uuid, person: PersonId, code: &NewMessage, event: &AuditEvent, now: DateTime<Utc>) -> PortResult<()> {
        begin(&self.link, &self.vault, challenge, (person, code), event, now).await
    }
    async fn begun_for(&self, person: PersonId, since: DateTime<Utc>) -> PortResult<Option<Uuid>> {
        begun_for(&self.link, person, since).await
    }
    async fn try_challenge(
        &self,
        id: Uuid,
        code: &Zeroizing<String>,
        tries: u32,
        life: TimeDelta,
        now: DateTime<Utc>,
    ) -> PortResult<Option<Proven>> {
        try_challenge(&self.link, &self.vault, id, code, (tries, life), now).await
    }
    async fn announced_at(&self, person: PersonId) -> PortResult<Option<DateTime<Utc>>> {
        let first = message::Entity::find()
            .filter(message::Column::Person.eq(person.0))
            .filter(message::Column::Purpose.eq(word(&Purpose::AccountOpened)?))
            .order_by_asc(message::Column::QueuedAt)
            .one(&self.link.db)
            .await
            .map_err(failed("reading a message"))?;
        Ok(first.map(|row| row.queued_at))
    }
}
