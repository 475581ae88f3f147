//! The outbox. Number and text are sealed together; of the code only a keyed hash is kept beside them.
use super::fault::{failed, from_json, from_word, to_json, word};
use super::link::{Writing, keep};
use super::vault::Vault;
use chrono::{DateTime, Utc};
use kimlik_domain::id::{MessageId, PersonId};
use kimlik_domain::message::{Message, MessageState, NewMessage};
use kimlik_domain::ports::PortResult;
use kimlik_domain::staff::MobileNumber;
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel, QueryOrder, QuerySelect};
use zeroize::Zeroizing;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "message")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub person: Uuid,
    pub purpose: String,
    pub opening: i64,
    pub state: String,
    pub sealed: Vec<u8>,
    pub code_mark: Vec<u8>,
    pub queued_at: DateTimeUtc,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

const SEALED: &str = "message.sealed";

/// One that was queued before for the same (person, purpose, opening) stays, and its code stays the one that works.
pub(super) async fn queue<'a>(
    writing: &Writing,
    vault: &Vault,
    messages: impl IntoIterator<Item = (PersonId, &'a NewMessage, DateTime<Utc>)>,
) -> PortResult<()> {
    let rows = messages
        .into_iter()
        .map(|(person, message, at)| {
            let text = Zeroizing::new(to_json(&(&message.to, message.text.as_str()))?);
            let row = Model {
                id: message.id.0,
                person: person.0,
                purpose: word(&message.purpose)?,
                opening: i64::from(message.opening),
                state: word(&MessageState::Queued)?,
                sealed: vault.seal(SEALED, message.id.0, &text)?,
                code_mark: vault.code_mark(message.id.0, &message.code).to_vec(),
                queued_at: at,
            };
            Ok(row.into_active_model())
        })
        .collect::<PortResult<_>>()?;
    writing.insert("queueing messages", rows, keep([Column::Person, Column::Purpose, Column::Opening])).await
}

/// The latest first.
pub(super) async fn list(db: &impl ConnectionTrait, vault: &Vault, before: Option<MessageId>, limit: u32) -> PortResult<Vec<Message>> {
    let mut select = Entity::find().order_by_desc(Column::Id).limit(u64::from(limit));
    if let Some(before) = before {
        select = select.filter(Column::Id.lt(before.0));
    }
    let rows = select.all(db).await.map_err(failed("reading messages"))?;
    rows.into_iter()
        .map(|row| {
            let text = vault.open(SEALED, row.id, &row.sealed)?;
            let (to, text): (MobileNumber, String) = from_json(&text, "message")?;
            Ok(Message {
                id: MessageId(row.id),
                person: PersonId(row.person),
                purpose: from_word(&row.purpose, "message")?,
                opening: u32::try_from(row.opening).unwrap_or(0),
                to,
                text,
                state: from_word(&row.state, "message")?,
                queued_at: row.queued_at,
            })
        })
        .collect()
}
