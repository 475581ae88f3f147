//! Announcements sent again: how often, to whom and by whom; and people whose number became another since.
use super::fault::{failed, from_word, without_nul, word};
use super::link::{CHUNK, Link, Writing, upsert};
use super::message::{Column, Contents, Entity, Model};
use super::password::code_use;
use super::vault::Vault;
use super::{audit, idempotency, message};
use chrono::{DateTime, Utc};
use kimlik_domain::access::idempotency::{ClientKey, KeyState};
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::PersonId;
use kimlik_domain::message::announcement::{Announced, KIMLIK, MOST_PER_ACTOR, MOST_PER_PERSON, Resend, Resent, SeenTo, WINDOW, occasion};
use kimlik_domain::message::{MessageState, NewMessage, Purpose};
use kimlik_domain::ports::PortResult;
use sea_orm::ExprTrait;
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel, PaginatorTrait, QueryOrder, QuerySelect};
use std::collections::{HashMap, HashSet};

mod resent {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "credential_resend")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub person: Uuid,
        pub ordered_by: String,
        pub reason: String,
        pub at: DateTimeUtc,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

mod renumbered {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "announcement_again")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub person: Uuid,
        pub due_at: DateTimeUtc,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// In the caller's transaction: the mobile that counts, or a name, has become another one.
pub(super) async fn renumber(writing: &Writing, person: PersonId, at: DateTime<Utc>) -> PortResult<()> {
    let row = renumbered::Model { person: person.0, due_at: at }.into_active_model();
    let conflict = upsert([renumbered::Column::Person], [renumbered::Column::DueAt]);
    writing.insert("noting a new number", vec![row], conflict).await
}

pub(super) async fn due(db: &impl ConnectionTrait, now: DateTime<Utc>, limit: u32) -> PortResult<Vec<(PersonId, DateTime<Utc>)>> {
    let people: Vec<(Uuid, DateTime<Utc>)> = renumbered::Entity::find()
        .select_only()
        .columns([renumbered::Column::Person, renumbered::Column::DueAt])
        .filter(renumbered::Column::DueAt.lte(now))
        .order_by_asc(renumbered::Column::DueAt)
        .limit(u64::from(limit))
        .into_tuple()
        .all(db)
        .await
        .map_err(failed("reading new numbers"))?;
    Ok(people.into_iter().map(|(person, due_at)| (PersonId(person), due_at)).collect())
}

pub(super) async fn saw_to(link: &Link, people: &[SeenTo]) -> PortResult<()> {
    let writing = link.write().await?;
    for SeenTo { person, due_at, again } in people {
        // Why the time too: another number or name may have come while this one was seen to.
        let seen = renumbered::Column::Person.eq(person.0).and(renumbered::Column::DueAt.eq(*due_at));
        let done = match again {
            None => renumbered::Entity::delete_many().filter(seen).exec(&writing.txn).await.map(drop),
            Some(at) => {
                let later = renumbered::Entity::update_many().col_expr(renumbered::Column::DueAt, Expr::value(*at));
                later.filter(seen).exec(&writing.txn).await.map(drop)
            }
        };
        done.map_err(failed("seeing to new numbers"))?;
    }
    writing.commit().await
}

/// All announcements of these people, oldest first.
async fn rows(db: &impl ConnectionTrait, people: &[Uuid]) -> PortResult<Vec<Model>> {
    let mut found = Vec::new();
    for some in people.chunks(CHUNK) {
        let theirs = Column::Person.is_in(some.iter().copied()).and(Column::Purpose.eq(word(&Purpose::AccountOpened)?));
        let rows = Entity::find().filter(theirs).order_by_asc(Column::QueuedAt).order_by_asc(Column::Id).all(db);
        found.extend(rows.await.map_err(failed("reading announcements"))?);
    }
    Ok(found)
}

pub(super) async fn announced(
    db: &impl ConnectionTrait,
    vault: &Vault,
    openings: &[(PersonId, u32)],
) -> PortResult<HashMap<PersonId, Announced>> {
    let people: Vec<Uuid> = openings.iter().map(|(person, _)| person.0).collect();
    let openings: HashMap<PersonId, String> = openings.iter().map(|(person, n)| (*person, occasion(*n, None))).collect();
    let mut of_opening: HashMap<PersonId, Vec<Model>> = HashMap::new();
    for row in rows(db, &people).await? {
        let person = PersonId(row.person);
        let same = openings.get(&person).is_some_and(|opening| row.occasion.split('/').next() == Some(opening.as_str()));
        if same {
            of_opening.entry(person).or_default().push(row);
        }
    }
    let ids: Vec<Uuid> = of_opening.values().flatten().map(|row| row.id).collect();
    let spent = spent(db, &ids).await?;
    let mut found = HashMap::with_capacity(of_opening.len());
    for (person, rows) in of_opening {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { continue };
        let contents = Contents::open(vault, last)?;
        let told = Announced {
            first_at: first.queued_at,
            state: from_word(&last.state, "message")?,
            to: contents.to,
            text: contents.text,
            is_spent: rows.iter().any(|row| spent.contains(&row.id)),
        };
        found.insert(person, told);
    }
    Ok(found)
}

async fn spent(db: &impl ConnectionTrait, messages: &[Uuid]) -> PortResult<HashSet<Uuid>> {
    let mut found = HashSet::new();
    for some in messages.chunks(CHUNK) {
        let used: Vec<Uuid> = code_use::Entity::find()
            .select_only()
            .column(code_use::Column::Proof)
            .filter(code_use::Column::Proof.is_in(some.iter().copied()).and(code_use::Column::SpentAt.is_not_null()))
            .into_tuple()
            .all(db)
            .await
            .map_err(failed("reading codes"))?;
        found.extend(used);
    }
    Ok(found)
}

pub(super) async fn resend(
    link: &Link,
    vault: &Vault,
    order: &Resend,
    new: &NewMessage,
    event: &AuditEvent,
    key: Option<(&ClientKey, &str)>,
) -> PortResult<Resent> {
    let writing = link.write().await?;
    if let Some((key, _)) = key {
        match idempotency::begin(&writing, vault, key, order.at).await? {
            KeyState::New => {}
            KeyState::Answered(answer) => return Ok(Resent::Answered(answer)),
            KeyState::Reused => return Ok(Resent::KeyReused),
        }
    }
    writing.lock(&["message"]).await?;
    if lately(&writing, resent::Column::Person.eq(order.person.0), order.at).await? >= u64::from(MOST_PER_PERSON) {
        return Ok(Resent::TooManyOfPerson);
    }
    let by = without_nul(&order.by);
    if lately(&writing, resent::Column::OrderedBy.eq(by.as_str()), order.at).await? >= u64::from(MOST_PER_ACTOR) {
        return Ok(Resent::TooManyOfActor);
    }
    // Why looked at once more: since Kimlik found it waiting a courier may have taken it, and nobody is to be told twice.
    if by == KIMLIK && is_on_its_way(&writing, order.person).await? {
        return Ok(Resent::OnItsWay);
    }
    take_back(&writing, vault, order).await?;
    message::queue(&writing, vault, [(order.person, new, order.at)]).await?;
    let row = resent::Model { id: order.id, person: order.person.0, ordered_by: by, reason: without_nul(&order.reason), at: order.at };
    writing.insert("noting a resend", vec![row.into_active_model()], None).await?;
    audit::record(&writing, [event]).await?;
    if let Some((key, answer)) = key {
        idempotency::keep(&writing, vault, key, answer, order.at).await?;
    }
    writing.commit().await?;
    Ok(Resent::Queued)
}

async fn is_on_its_way(writing: &Writing, person: PersonId) -> PortResult<bool> {
    let Some(last) = rows(&writing.txn, &[person.0]).await?.pop() else { return Ok(false) };
    let state: MessageState = from_word(&last.state, "message")?;
    Ok(!matches!(state, MessageState::Queued | MessageState::Failed | MessageState::Undelivered))
}

async fn lately(writing: &Writing, of: sea_orm::sea_query::Expr, now: DateTime<Utc>) -> PortResult<u64> {
    let found = resent::Entity::find().filter(of).filter(resent::Column::At.gt(now - WINDOW));
    found.count(&writing.txn).await.map_err(failed("counting resends"))
}

async fn take_back(writing: &Writing, vault: &Vault, order: &Resend) -> PortResult<()> {
    let unsettled = [MessageState::Queued, MessageState::Sending, MessageState::Doubtful];
    let unsettled = unsettled.iter().map(word).collect::<PortResult<Vec<String>>>()?;
    let theirs =
        Column::Person.eq(order.person.0).and(Column::Purpose.eq(word(&Purpose::AccountOpened)?)).and(Column::State.is_in(unsettled));
    let why = "the account was announced again: its code does not count any more";
    message::take_back(writing, vault, theirs, why, order.at).await
}
