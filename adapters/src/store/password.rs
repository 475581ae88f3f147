//! Tickets, tries of codes, and limits. Of tokens and codes only keyed hashes are kept; an intermediate password is sealed.
use super::SqlStore;
use super::audit;
use super::fault::{failed, from_json, to_json, word};
use super::link::{Link, Writing, keep, upsert};
use super::message;
use super::vault::Vault;
use async_trait::async_trait;
use aws_lc_rs::constant_time;
use chrono::{DateTime, TimeDelta, Utc};
use kimlik_domain::access::session::Secret;
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::{AccountGuid, PersonId};
use kimlik_domain::message::{MessageState, NewMessage, Purpose};
use kimlik_domain::password::ticket::{Ticket, TicketPurpose};
use kimlik_domain::ports::{CodeTried, PortResult, Throttled, Tickets};
use sea_orm::ExprTrait;
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel, PaginatorTrait, QueryOrder, QuerySelect};
use zeroize::Zeroizing;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "password_ticket")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub mark: Vec<u8>,
    pub browser_mark: Vec<u8>,
    pub person: Uuid,
    pub account: Uuid,
    pub purposes: String,
    pub proof: Uuid,
    pub made_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    /// There was no password before.
    pub is_first: bool,
    pub spent_at: Option<DateTimeUtc>,
    pub intermediate: Option<Vec<u8>>,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

/// How often a code was tried, and whether it was used up; by the id of what it came with.
pub(super) mod code_use {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "code_use")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub proof: Uuid,
        pub tries: i64,
        pub spent_at: Option<DateTimeUtc>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

mod tried {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "throttle")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub key: Vec<u8>,
        pub at: DateTimeUtc,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

const INTERMEDIATE: &str = "password_ticket.intermediate";

async fn throttle(
    link: &Link,
    vault: &Vault,
    id: Uuid,
    keys: &[(String, u32)],
    window: TimeDelta,
    now: DateTime<Utc>,
) -> PortResult<Throttled> {
    let writing = link.write().await?;
    writing.lock(&["throttle"]).await?;
    // Why not by this window: others count under other keys for longer.
    let old = tried::Column::At.lte(now - window.max(TimeDelta::days(1)));
    tried::Entity::delete_many().filter(old).exec(&writing.txn).await.map_err(failed("forgetting tries"))?;
    let mut rows = Vec::with_capacity(keys.len());
    for (key, limit) in keys {
        let key = vault.secret_mark("throttle", key);
        let lately = tried::Column::Key.eq(key.clone()).and(tried::Column::At.gt(now - window));
        let tries = tried::Entity::find().filter(lately).count(&writing.txn).await.map_err(failed("counting tries"))?;
        if tries >= u64::from(*limit) {
            // Why not committed: what was refused must not lengthen the wait.
            return Ok(Throttled::TooMany);
        }
        rows.push(tried::Model { id, key, at: now }.into_active_model());
    }
    writing.insert("noting tries", rows, None).await?;
    writing.commit().await?;
    Ok(Throttled::Go)
}

/// One more try of this code; false: it has had enough, or is spent.
pub(super) async fn count_try(writing: &Writing, proof: Uuid, tries: u32) -> PortResult<bool> {
    let row = code_use::Model { proof, tries: 0, spent_at: None };
    writing.insert("noting a code", vec![row.into_active_model()], keep([code_use::Column::Proof])).await?;
    let left = code_use::Column::Proof.eq(proof).and(code_use::Column::SpentAt.is_null()).and(code_use::Column::Tries.lt(i64::from(tries)));
    let counted = code_use::Entity::update_many()
        .col_expr(code_use::Column::Tries, Expr::col(code_use::Column::Tries).add(1))
        .filter(left)
        .exec(&writing.txn)
        .await
        .map_err(failed("counting a try"))?;
    Ok(counted.rows_affected == 1)
}

/// Used up by what it proved.
pub(super) async fn is_spent(db: &impl ConnectionTrait, proof: Uuid) -> PortResult<bool> {
    let used = code_use::Entity::find_by_id(proof).one(db).await.map_err(failed("reading tries"))?;
    Ok(used.is_some_and(|used| used.spent_at.is_some()))
}

async fn try_code(
    link: &Link,
    vault: &Vault,
    person: PersonId,
    purpose: Purpose,
    code: &str,
    tries: u32,
    since: DateTime<Utc>,
) -> PortResult<CodeTried> {
    let writing = link.write().await?;
    // Why from when it was sent: nobody can type a code that a gateway which was away has kept for days.
    let lives = message::Column::SendingAt.gt(since).or(message::Column::SendingAt.is_null().and(message::Column::QueuedAt.gt(since)));
    let told = message::Column::Person
        .eq(person.0)
        .and(message::Column::Purpose.eq(word(&purpose)?))
        .and(message::Column::State.ne(word(&MessageState::Voided)?))
        .and(lives);
    let latest = message::Entity::find()
        .filter(told)
        .order_by_desc(message::Column::Id)
        .one(&writing.txn)
        .await
        .map_err(failed("reading a message"))?;
    let Some(latest) = latest else { return Ok(CodeTried::Wrong) };
    if !count_try(&writing, latest.id, tries).await? {
        return Ok(CodeTried::Wrong);
    }
    // Why before the comparison: a process that dies after it must not give tries back.
    writing.commit().await?;
    let right = constant_time::verify_slices_are_equal(&vault.code_mark(latest.id, code), &latest.code_mark).is_ok();
    Ok(if right { CodeTried::Right(latest.id) } else { CodeTried::Wrong })
}

async fn hand(link: &Link, vault: &Vault, ticket: &Ticket, token: &Secret, browser: &Secret, event: &AuditEvent) -> PortResult<()> {
    let writing = link.write().await?;
    // Why: of two tickets of one person somebody else may hold one. What has outlived its day tells nobody anything.
    let before = Column::Person.eq(ticket.person.0).or(Column::ExpiresAt.lt(ticket.made_at - TimeDelta::days(1)));
    Entity::delete_many().filter(before).exec(&writing.txn).await.map_err(failed("ending tickets"))?;
    let row = Model {
        id: ticket.id,
        mark: vault.secret_mark("ticket", token.expose()),
        browser_mark: vault.secret_mark("browser", browser.expose()),
        person: ticket.person.0,
        account: ticket.account.0,
        purposes: to_json(&ticket.purposes)?,
        proof: ticket.proof,
        made_at: ticket.made_at,
        expires_at: ticket.expires_at,
        is_first: ticket.is_first,
        spent_at: None,
        intermediate: None,
    };
    writing.insert("handing a ticket", vec![row.into_active_model()], None).await?;
    audit::record(&writing, [event]).await?;
    writing.commit().await
}

fn ticket(vault: &Vault, row: Model) -> PortResult<Ticket> {
    let intermediate = row.intermediate.map(|sealed| vault.open(INTERMEDIATE, row.id, &sealed)).transpose()?;
    Ok(Ticket {
        id: row.id,
        person: PersonId(row.person),
        account: AccountGuid(row.account),
        purposes: from_json(&row.purposes, "password_ticket")?,
        proof: row.proof,
        is_first: row.is_first,
        made_at: row.made_at,
        expires_at: row.expires_at,
        intermediate,
    })
}

async fn spend(
    link: &Link,
    vault: &Vault,
    spent: &Ticket,
    event: &AuditEvent,
    notices: &[NewMessage],
    now: DateTime<Utc>,
) -> PortResult<()> {
    let writing = link.write().await?;
    Entity::update_many()
        .col_expr(Column::SpentAt, Expr::value(now))
        .col_expr(Column::Intermediate, Expr::value(None::<Vec<u8>>))
        .filter(Column::Id.eq(spent.id))
        .exec(&writing.txn)
        .await
        .map_err(failed("spending a ticket"))?;
    code_use::Entity::update_many()
        .col_expr(code_use::Column::SpentAt, Expr::value(now))
        .filter(code_use::Column::Proof.eq(spent.proof))
        .exec(&writing.txn)
        .await
        .map_err(failed("spending a code"))?;
    if spent.purposes.contains(&TicketPurpose::SetPassword) {
        use_up_announcements(&writing, spent.person, now).await?;
    }
    message::queue(&writing, vault, notices.iter().map(|notice| (spent.person, notice, now))).await?;
    audit::record(&writing, [event]).await?;
    writing.commit().await
}

/// Who has a password needs no activation code any more, however many were sent: one left over would be a way past the reset.
async fn use_up_announcements(writing: &Writing, person: PersonId, now: DateTime<Utc>) -> PortResult<()> {
    let theirs = message::Column::Person.eq(person.0).and(message::Column::Purpose.eq(word(&Purpose::AccountOpened)?));
    let ids: Vec<Uuid> = message::Entity::find()
        .select_only()
        .column(message::Column::Id)
        .filter(theirs)
        .into_tuple()
        .all(&writing.txn)
        .await
        .map_err(failed("reading announcements"))?;
    let rows = ids.into_iter().map(|proof| code_use::Model { proof, tries: 0, spent_at: Some(now) }.into_active_model()).collect();
    writing.insert("using up codes", rows, upsert([code_use::Column::Proof], [code_use::Column::SpentAt])).await
}

#[async_trait]
impl Tickets for SqlStore {
    async fn throttle(&self, id: Uuid, keys: &[(String, u32)], window: TimeDelta, now: DateTime<Utc>) -> PortResult<Throttled> {
        throttle(&self.link, &self.vault, id, keys, window, now).await
    }
    async fn try_code(
        &self,
        person: PersonId,
        purpose: Purpose,
        code: &Zeroizing<String>,
        tries: u32,
        since: DateTime<Utc>,
    ) -> PortResult<CodeTried> {
        try_code(&self.link, &self.vault, person, purpose, code, tries, since).await
    }
    async fn hand(&self, ticket: &Ticket, token: &Secret, browser: &Secret, event: &AuditEvent) -> PortResult<()> {
        hand(&self.link, &self.vault, ticket, token, browser, event).await
    }
    async fn ticket(&self, token: &Secret, browser: &Secret, purpose: TicketPurpose, now: DateTime<Utc>) -> PortResult<Option<Ticket>> {
        let mark = self.vault.secret_mark("ticket", token.expose());
        let found = Entity::find().filter(Column::Mark.eq(mark)).one(&self.link.db).await.map_err(failed("reading a ticket"))?;
        let here = self.vault.secret_mark("browser", browser.expose());
        let lives = |row: &Model| {
            let same = constant_time::verify_slices_are_equal(&row.browser_mark, &here).is_ok();
            same && row.spent_at.is_none() && now < row.expires_at
        };
        let found = found.filter(lives).map(|row| ticket(&self.vault, row)).transpose()?;
        Ok(found.filter(|ticket| ticket.purposes.contains(&purpose)))
    }
    async fn keep_intermediate(&self, ticket: Uuid, password: &Zeroizing<String>) -> PortResult<()> {
        let sealed = self.vault.seal(INTERMEDIATE, ticket, password)?;
        let writing = self.link.write().await?;
        Entity::update_many()
            .col_expr(Column::Intermediate, Expr::value(Some(sealed)))
            .filter(Column::Id.eq(ticket))
            .exec(&writing.txn)
            .await
            .map_err(failed("keeping a ticket"))?;
        writing.commit().await
    }
    async fn spend(&self, ticket: &Ticket, event: &AuditEvent, notices: &[NewMessage], now: DateTime<Utc>) -> PortResult<()> {
        spend(&self.link, &self.vault, ticket, event, notices, now).await
    }
}
