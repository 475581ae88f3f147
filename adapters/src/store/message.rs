//! The outbox. Number or address, text and code are sealed together; of the code a keyed hash is kept beside them. Text and code are
//! erased as soon as nobody needs them any more.
use super::fault::{failed, from_json, from_word, to_json, word};
use super::link::{Link, Writing, keep};
use super::vault::Vault;
use chrono::{DateTime, Utc};
use kimlik_domain::id::{MessageId, PersonId};
use kimlik_domain::message::{Message, MessageState, NewMessage, Purpose, Recipient, whole_text};
use kimlik_domain::ports::{MessageFilter, PortResult};
use kimlik_domain::staff::MobileNumber;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{ExprTrait, IntoActiveModel, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "message")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub person: Uuid,
    pub purpose: String,
    /// With the recipient's kind, what carries it.
    pub channel: String,
    /// With person, purpose, channel and `reissue` unique.
    pub occasion: String,
    /// The how manieth message this is for its occasion: only the last one's code counts.
    pub reissue: i64,
    pub state: String,
    pub sealed: Vec<u8>,
    /// Empty where there is no code.
    pub code_mark: Vec<u8>,
    pub queued_at: DateTimeUtc,
    pub valid_until: Option<DateTimeUtc>,
    /// When a courier is to take it up; during a lease, the lease's end. `None`: never again.
    pub due_at: Option<DateTimeUtc>,
    /// One more with each lease: a courier whose lease ran out cannot settle the next one's.
    pub generation: i64,
    /// How often a gateway was asked.
    pub attempts: i64,
    /// How often in a row nothing came of it: the measure of the next wait.
    pub tries: i64,
    /// How often it was sent again because nobody could say whether it had been.
    pub doubts: i64,
    pub parts: i64,
    pub gateway: Option<String>,
    /// The gateway's own name for it.
    pub provider_id: Option<String>,
    pub note: Option<String>,
    /// When a gateway was last asked.
    pub sending_at: Option<DateTimeUtc>,
    pub settled_at: Option<DateTimeUtc>,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

const SEALED: &str = "message.sealed";

/// What is sealed; without text: erased.
#[derive(Serialize, Deserialize)]
pub(super) struct Contents {
    pub(super) to: Recipient,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<Zeroizing<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<Zeroizing<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<Zeroizing<String>>,
}

impl Contents {
    pub(super) fn open(vault: &Vault, row: &Model) -> PortResult<Contents> {
        let clear = vault.open(SEALED, row.id, &row.sealed)?;
        if clear.starts_with('[') {
            // Sealed by the first version: the number and the whole text.
            let (to, text): (MobileNumber, Zeroizing<String>) = from_json(&clear, "message")?;
            return Ok(Contents { text: Some(text), ..Contents::erased(to.into()) });
        }
        from_json(&clear, "message")
    }
    pub(super) fn seal(&self, vault: &Vault, id: Uuid) -> PortResult<Vec<u8>> {
        vault.seal(SEALED, id, &Zeroizing::new(to_json(self)?))
    }
    /// Nobody needs the text any more.
    pub(super) fn erased(to: Recipient) -> Contents {
        Contents { to, subject: None, text: None, code: None }
    }
    fn whole(&self) -> Option<Zeroizing<String>> {
        self.text.as_ref().map(|text| whole_text(text, self.code.as_ref().map(|c| c.as_str())))
    }
}

/// Of two rows with the same, the first stays.
pub(super) const ONCE: [Column; 5] = [Column::Person, Column::Purpose, Column::Occasion, Column::Channel, Column::Reissue];

fn row(vault: &Vault, person: PersonId, message: &NewMessage, at: DateTime<Utc>) -> PortResult<Model> {
    let contents =
        Contents { to: message.to.clone(), subject: message.subject.clone(), text: Some(message.text.clone()), code: message.code.clone() };
    Ok(Model {
        id: message.id.0,
        person: person.0,
        purpose: word(&message.purpose)?,
        channel: word(&message.to.channel())?,
        occasion: message.occasion.clone(),
        reissue: 0,
        state: word(&MessageState::Queued)?,
        sealed: contents.seal(vault, message.id.0)?,
        code_mark: message.code.as_ref().map_or_else(Vec::new, |code| vault.code_mark(message.id.0, code).to_vec()),
        queued_at: at,
        valid_until: message.valid_until,
        due_at: Some(at),
        generation: 0,
        attempts: 0,
        tries: 0,
        doubts: 0,
        parts: 0,
        gateway: None,
        provider_id: None,
        note: None,
        sending_at: None,
        settled_at: None,
    })
}

/// In the caller's transaction. One that was queued before for the same (person, purpose, occasion, channel) stays, and its code stays
/// the one that works.
pub(super) async fn queue<'a>(
    writing: &Writing,
    vault: &Vault,
    messages: impl IntoIterator<Item = (PersonId, &'a NewMessage, DateTime<Utc>)>,
) -> PortResult<()> {
    let (mut rows, mut outdated) = (Vec::new(), BTreeMap::new());
    for (person, message, at) in messages {
        rows.push(row(vault, person, message, at)?.into_active_model());
        outdated.extend(message.purpose.outdates().map(|purpose| ((person.0, purpose), at)));
    }
    writing.insert("queueing messages", rows, keep(ONCE)).await?;
    for ((person, purpose), at) in outdated {
        // Why also what is being sent: where that does not succeed, it would be sent again.
        let unsettled = [MessageState::Queued, MessageState::Sending, MessageState::Doubtful];
        let unsettled = unsettled.iter().map(word).collect::<PortResult<Vec<String>>>()?;
        let its = Column::Person.eq(person).and(Column::Purpose.eq(word(&purpose)?)).and(Column::State.is_in(unsettled));
        take_back(writing, vault, its, "it is not so any more", at).await?;
    }
    Ok(())
}

/// What may not be sent any more. One that a courier has in hand is taken out of it: whatever the gateway answers, nothing takes
/// its place.
pub(super) async fn take_back(writing: &Writing, vault: &Vault, which: Expr, why: &str, at: DateTime<Utc>) -> PortResult<()> {
    let rows = Entity::find().filter(which).lock(LockType::Update).all(&writing.txn).await.map_err(failed("taking back messages"))?;
    for row in rows {
        let erased = Contents::erased(Contents::open(vault, &row)?.to);
        Entity::update_many()
            .col_expr(Column::State, Expr::value(word(&MessageState::Voided)?))
            .col_expr(Column::Sealed, Expr::value(erased.seal(vault, row.id)?))
            .col_expr(Column::DueAt, Expr::value(None::<DateTime<Utc>>))
            .col_expr(Column::Generation, Expr::value(row.generation + 1))
            .col_expr(Column::Note, Expr::value(why))
            .col_expr(Column::SettledAt, Expr::value(Some(at)))
            .filter(Column::Id.eq(row.id))
            .exec(&writing.txn)
            .await
            .map_err(failed("taking back messages"))?;
    }
    Ok(())
}

/// The latest first.
pub(super) async fn list(db: &impl ConnectionTrait, vault: &Vault, before: Option<MessageId>, limit: u32) -> PortResult<Vec<Message>> {
    listed(db, vault, &MessageFilter::default(), before, limit).await
}

/// The latest first.
pub(super) async fn listed(
    db: &impl ConnectionTrait,
    vault: &Vault,
    filter: &MessageFilter,
    before: Option<MessageId>,
    limit: u32,
) -> PortResult<Vec<Message>> {
    let mut select = Entity::find().order_by_desc(Column::Id).limit(u64::from(limit));
    if let Some(states) = &filter.states {
        select = select.filter(Column::State.is_in(states.iter().map(word).collect::<PortResult<Vec<_>>>()?));
    }
    if let Some(purposes) = &filter.purposes {
        select = select.filter(Column::Purpose.is_in(purposes.iter().map(word).collect::<PortResult<Vec<_>>>()?));
    }
    if let Some(channels) = &filter.channels {
        select = select.filter(Column::Channel.is_in(channels.iter().map(word).collect::<PortResult<Vec<_>>>()?));
    }
    let conditions = [
        filter.person.map(|person| Column::Person.eq(person.0)),
        filter.since.map(|since| Column::QueuedAt.gte(since)),
        filter.until.map(|until| Column::QueuedAt.lt(until)),
        before.map(|before| Column::Id.lt(before.0)),
    ];
    for condition in conditions.into_iter().flatten() {
        select = select.filter(condition);
    }
    let rows = select.all(db).await.map_err(failed("reading messages"))?;
    rows.into_iter().map(|row| shown(vault, row)).collect()
}

fn shown(vault: &Vault, row: Model) -> PortResult<Message> {
    let contents = Contents::open(vault, &row)?;
    Ok(Message {
        id: MessageId(row.id),
        person: PersonId(row.person),
        purpose: from_word(&row.purpose, "message")?,
        occasion: row.occasion,
        text: contents.whole(),
        subject: contents.subject,
        to: contents.to,
        state: from_word(&row.state, "message")?,
        queued_at: row.queued_at,
        valid_until: row.valid_until,
        attempts: u32::try_from(row.attempts).unwrap_or(0),
        parts: u32::try_from(row.parts).unwrap_or(0),
        gateway: row.gateway,
        note: row.note,
        settled_at: row.settled_at,
    })
}

/// Whether this is the code of the last message for that occasion, sent and not outlived.
pub(super) async fn code_matches(
    link: &Link,
    vault: &Vault,
    (person, purpose, occasion): (PersonId, Purpose, &str),
    code: &str,
    now: DateTime<Utc>,
) -> PortResult<bool> {
    let last = Entity::find()
        .filter(Column::Person.eq(person.0))
        .filter(Column::Purpose.eq(word(&purpose)?))
        .filter(Column::Occasion.eq(occasion))
        .order_by_desc(Column::Reissue)
        .one(&link.db)
        .await
        .map_err(failed("reading a message"))?;
    let Some(row) = last else { return Ok(false) };
    let state: MessageState = from_word(&row.state, "message")?;
    let counts = !matches!(state, MessageState::Queued | MessageState::Voided | MessageState::Failed);
    let lives = row.valid_until.is_none_or(|until| now < until);
    let same = aws_lc_rs::constant_time::verify_slices_are_equal(&vault.code_mark(row.id, code), &row.code_mark).is_ok();
    Ok(counts && lives && same)
}
