//! Mailboxes that somebody is asked for: one row an account, leased to one worker at a time. A change of the account during
//! the lease is kept beside it and makes the row due when the lease ends.
use super::SqlStore;
use super::fault::{failed, from_json, to_json, word};
use super::link::{CHUNK, Link, Writing, keep, upsert};
use super::{account, audit, issue, operation};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use kimlik_domain::id::PersonId;
use kimlik_domain::mailbox::keeper::MAILBOX_ISSUES;
use kimlik_domain::mailbox::{Mailbox, MailboxState, Stands};
use kimlik_domain::ports::{ClaimedMailbox, IssueScope, MailboxLedger, MailboxSave, MailboxesState, PortResult};
use sea_orm::ExprTrait;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{CaseStatement, Expr, LockBehavior, LockType};
use sea_orm::{Condition, DbBackend, IntoActiveModel, JoinType, PaginatorTrait, QueryOrder, QuerySelect};
use std::collections::{HashMap, HashSet};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mailbox")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub person: Uuid,
    /// For counting: `UNSEEN` until somebody has looked, `WAITING` while something is waited for.
    pub state: String,
    /// One more with each lease: a worker whose lease ran out cannot end the next one's.
    pub generation: i64,
    pub leased: bool,
    /// The account changed during the lease.
    pub touched: bool,
    /// Due at; leased: the end of the lease.
    pub due_at: DateTimeUtc,
    pub data: String,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

const UNSEEN: &str = "UNSEEN";
const WAITING: &str = "WAITING";

fn state_of(mailbox: &Mailbox) -> PortResult<String> {
    match (&mailbox.waiting, mailbox.stands) {
        (Some(_), _) => Ok(WAITING.into()),
        (None, None) => Ok(UNSEEN.into()),
        (None, Some(_)) => word::<MailboxState>(&mailbox.state()),
    }
}

/// In the transaction that changes these accounts: rows that there are become due. (Those that there are not are found.)
pub(super) async fn touch(writing: &Writing, people: impl IntoIterator<Item = PersonId>, now: DateTime<Utc>) -> PortResult<()> {
    let people: Vec<Uuid> = people.into_iter().map(|p| p.0).collect();
    for people in people.chunks(CHUNK) {
        let due = CaseStatement::new()
            .case(Expr::col(Column::Leased).not().and(Expr::col(Column::DueAt).gt(now)), Expr::value(now))
            .finally(Expr::col(Column::DueAt));
        Entity::update_many()
            .col_expr(Column::DueAt, due.into())
            .col_expr(Column::Touched, Expr::col(Column::Leased))
            .filter(Column::Person.is_in(people.iter().copied()))
            .exec(&writing.txn)
            .await
            .map_err(failed("making mailboxes due"))?;
    }
    Ok(())
}

/// What was last seen of these, as far as somebody has looked.
pub(super) async fn standing(db: &impl ConnectionTrait, people: Vec<Uuid>) -> PortResult<HashMap<PersonId, Stands>> {
    if people.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = Entity::find().filter(Column::Person.is_in(people)).all(db).await.map_err(failed("reading mailboxes"))?;
    let mut found = HashMap::new();
    for row in rows {
        let mailbox: Mailbox = from_json(&row.data, "mailbox")?;
        found.extend(mailbox.stands.map(|stands| (mailbox.person, stands)));
    }
    Ok(found)
}

async fn discover(link: &Link, now: DateTime<Utc>, limit: u32) -> PortResult<u32> {
    let join = account::Entity::belongs_to(Entity).from(account::Column::Person).to(Column::Person);
    let found: Vec<Uuid> = account::Entity::find()
        .join(JoinType::LeftJoin, join.into())
        .select_only()
        .column(account::Column::Person)
        .filter(account::Column::Guid.is_not_null())
        .filter(Expr::col((Entity, Column::Person)).is_null())
        // Why the newest first: a newcomer does not wait until thousands of old mailboxes were looked at.
        .order_by_desc(account::Column::Person)
        .limit(u64::from(limit))
        .into_tuple()
        .all(&link.db)
        .await
        .map_err(failed("finding mailboxes"))?;
    if found.is_empty() {
        return Ok(0);
    }
    let count = u32::try_from(found.len()).unwrap_or(u32::MAX);
    let rows = found.into_iter().map(|person| {
        let data = to_json(&Mailbox::unseen(PersonId(person), now))?;
        let row = Model { person, state: UNSEEN.into(), generation: 0, leased: false, touched: false, due_at: now, data };
        Ok(row.into_active_model())
    });
    let rows = rows.collect::<PortResult<_>>()?;
    let writing = link.write().await?;
    writing.insert("finding mailboxes", rows, keep([Column::Person])).await?;
    writing.commit().await?;
    Ok(count)
}

async fn claim(link: &Link, now: DateTime<Utc>, until: DateTime<Utc>, limit: u32) -> PortResult<Vec<ClaimedMailbox>> {
    let writing = link.write().await?;
    let due = Entity::find()
        .filter(Column::DueAt.lte(now))
        .order_by_asc(Column::DueAt)
        .order_by_desc(Column::Person)
        .limit(u64::from(limit))
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(&writing.txn)
        .await
        .map_err(failed("claiming mailboxes"))?;
    let mut claimed = Vec::with_capacity(due.len());
    let mut rows = Vec::with_capacity(due.len());
    for row in due {
        let row = Model { generation: row.generation + 1, leased: true, touched: false, due_at: until, ..row };
        claimed.push(ClaimedMailbox { mailbox: from_json(&row.data, "mailbox")?, generation: row.generation });
        rows.push(row.into_active_model());
    }
    if !rows.is_empty() {
        let columns = [Column::Generation, Column::Leased, Column::Touched, Column::DueAt];
        writing.insert("claiming mailboxes", rows, upsert([Column::Person], columns)).await?;
        writing.commit().await?;
    }
    Ok(claimed)
}

/// Of these leases, those that nobody has taken over.
fn still_mine(held: &[(PersonId, i64)]) -> Condition {
    let one = |(person, generation): &(PersonId, i64)| Column::Person.eq(person.0).and(Column::Generation.eq(*generation));
    let mine = held.iter().fold(Condition::any(), |any, claim| any.add(one(claim)));
    Condition::all().add(mine).add(Column::Leased.eq(true))
}

async fn renew(link: &Link, held: &[(PersonId, i64)], until: DateTime<Utc>) -> PortResult<Vec<PersonId>> {
    if held.is_empty() {
        return Ok(Vec::new());
    }
    let mine = still_mine(held);
    let writing = link.write().await?;
    let renewed = Entity::update_many().col_expr(Column::DueAt, Expr::value(until)).filter(mine.clone()).exec(&writing.txn).await;
    let renewed = renewed.map_err(failed("keeping mailboxes"))?.rows_affected;
    let mut lost = Vec::new();
    if renewed != held.len() as u64 {
        let kept = Entity::find().select_only().column(Column::Person).filter(mine).into_tuple::<Uuid>().all(&writing.txn).await;
        let kept: HashSet<Uuid> = kept.map_err(failed("keeping mailboxes"))?.into_iter().collect();
        lost.extend(held.iter().map(|(person, _)| *person).filter(|person| !kept.contains(&person.0)));
    }
    writing.commit().await?;
    Ok(lost)
}

async fn let_go(link: &Link, held: &[(PersonId, i64)], now: DateTime<Utc>) -> PortResult<()> {
    if held.is_empty() {
        return Ok(());
    }
    let writing = link.write().await?;
    let set = [(Column::Leased, Expr::value(false)), (Column::Touched, Expr::value(false)), (Column::DueAt, Expr::value(now))];
    let released = set.into_iter().fold(Entity::update_many(), |update, (column, value)| update.col_expr(column, value));
    released.filter(still_mine(held)).exec(&writing.txn).await.map_err(failed("letting mailboxes go"))?;
    writing.commit().await
}

async fn save(link: &Link, save: &MailboxSave) -> PortResult<bool> {
    let writing = link.write().await?;
    let held = Entity::find_by_id(save.mailbox.person.0).lock(LockType::Update).one(&writing.txn).await;
    let held = held.map_err(failed("reading a mailbox"))?;
    let Some(held) = held.filter(|row| row.generation == save.generation && row.leased) else { return Ok(false) };
    let mut row = Model { state: state_of(&save.mailbox)?, data: to_json(&save.mailbox)?, ..held };
    if let Some(due_at) = save.due_at {
        row.due_at = if row.touched { Ord::min(due_at, save.at) } else { due_at };
        (row.leased, row.touched) = (false, false);
    }
    let columns = [Column::State, Column::Leased, Column::Touched, Column::DueAt, Column::Data];
    writing.insert("saving a mailbox", vec![row.into_active_model()], upsert([Column::Person], columns)).await?;
    if let Some((number, issues)) = &save.issues {
        issue::save(&writing, IssueScope::People(MAILBOX_ISSUES, std::slice::from_ref(number)), issues, save.at).await?;
    }
    if save.closed {
        operation::mailbox_closed(&writing, save.mailbox.person, save.at).await?;
    }
    audit::record(&writing, &save.audit).await?;
    writing.commit().await?;
    Ok(true)
}

#[async_trait]
impl MailboxLedger for SqlStore {
    async fn discover_mailboxes(&self, now: DateTime<Utc>, limit: u32) -> PortResult<u32> {
        discover(&self.link, now, limit).await
    }
    async fn claim_mailboxes(&self, now: DateTime<Utc>, until: DateTime<Utc>, limit: u32) -> PortResult<Vec<ClaimedMailbox>> {
        claim(&self.link, now, until, limit).await
    }
    async fn renew_mailboxes(&self, held: &[(PersonId, i64)], until: DateTime<Utc>) -> PortResult<Vec<PersonId>> {
        renew(&self.link, held, until).await
    }
    async fn let_go_of_mailboxes(&self, held: &[(PersonId, i64)], now: DateTime<Utc>) -> PortResult<()> {
        let_go(&self.link, held, now).await
    }
    async fn save_mailbox(&self, mailbox: &MailboxSave) -> PortResult<bool> {
        save(&self.link, mailbox).await
    }
    async fn mailbox_of(&self, person: PersonId) -> PortResult<Option<Mailbox>> {
        let row = Entity::find_by_id(person.0).one(&self.link.db).await.map_err(failed("reading a mailbox"))?;
        row.map(|row| from_json(&row.data, "mailbox")).transpose()
    }
    async fn mailboxes_state(&self) -> PortResult<MailboxesState> {
        let failed = failed("counting mailboxes");
        let unseen = Entity::find().filter(Column::State.eq(UNSEEN)).count(&self.link.db).await.map_err(&failed)?;
        // Why from the document: it is asked for by nobody else, and in the same pass as the count. Times of one form sort as texts.
        let since = match self.link.db.get_database_backend() {
            DbBackend::Postgres => "min(data::json #>> '{waiting,since}')",
            _ => "min(json_extract(data, '$.waiting.since'))",
        };
        let waiting = Entity::find().select_only().column_as(Column::Person.count(), "n").column_as(Expr::cust(since), "since");
        let waiting = waiting.filter(Column::State.eq(WAITING)).into_tuple::<(i64, Option<String>)>();
        let (waiting, since) = waiting.one(&self.link.db).await.map_err(&failed)?.unwrap_or_default();
        Ok(MailboxesState {
            waiting: u32::try_from(waiting).unwrap_or(u32::MAX),
            waiting_since: since.and_then(|text| text.parse().ok()),
            unseen: u32::try_from(unseen).unwrap_or(u32::MAX),
        })
    }
}
