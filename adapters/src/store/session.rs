//! Sessions, their refresh tokens, and attempts to begin one. Tokens and typed names are kept as keyed hashes only.
use super::fault::{failed, from_json, to_json, without_nul, word};
use super::link::{Link, Writing, upsert};
use super::vault::Vault;
use super::{SqlStore, audit, message};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use kimlik_domain::access::attempt::{AttemptRules, Before, Tally};
use kimlik_domain::access::session::{EndedBecause, Renewal, Secret, Session, SessionsOf};
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::{AccountGuid, PersonId, SessionId};
use kimlik_domain::message::NewMessage;
use kimlik_domain::ports::{Attempt, PortResult, Sessions};
use sea_orm::ExprTrait;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::LockType;
use sea_orm::{IntoActiveModel, PaginatorTrait, QuerySelect};
use serde_json::json;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub account: Uuid,
    pub person: Option<Uuid>,
    pub username: String,
    pub roles: String,
    pub password_mark: String,
    pub confirmed_at: DateTimeUtc,
    pub started_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    pub ended_at: Option<DateTimeUtc>,
    pub ended_because: Option<String>,
    pub address: String,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

mod refresh {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "session_refresh")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub mark: Vec<u8>,
        pub session: Uuid,
        pub made_at: DateTimeUtc,
        pub spent_at: Option<DateTimeUtc>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

mod attempt {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sign_in_attempt")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub account: Vec<u8>,
        pub address: String,
        pub at: DateTimeUtc,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Addresses from which an account has signed in.
mod friend {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sign_in_friend")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub account: Vec<u8>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub address: String,
        pub at: DateTimeUtc,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// An address is a friend's so long after the last sign-in from it.
const FRIENDSHIP: TimeDelta = TimeDelta::days(60);
/// Ended sessions and their tokens are kept so long: a token that comes once more is still known as spent.
const KEPT: TimeDelta = TimeDelta::days(7);

fn row(session: &Session) -> PortResult<Model> {
    Ok(Model {
        id: session.id.0,
        account: session.account.0,
        person: session.person.map(|p| p.0),
        username: without_nul(&session.username),
        roles: to_json(&session.roles)?,
        password_mark: session.password_mark.clone(),
        confirmed_at: session.confirmed_at,
        started_at: session.started_at,
        expires_at: session.expires_at,
        ended_at: session.ended_at,
        ended_because: None,
        address: without_nul(&session.address),
    })
}

fn session(row: Model) -> PortResult<Session> {
    Ok(Session {
        id: SessionId(row.id),
        account: AccountGuid(row.account),
        person: row.person.map(PersonId),
        username: row.username.into(),
        roles: from_json(&row.roles, "session")?,
        password_mark: row.password_mark,
        confirmed_at: row.confirmed_at,
        started_at: row.started_at,
        expires_at: row.expires_at,
        ended_at: row.ended_at,
        address: row.address,
    })
}

fn refresh_mark(vault: &Vault, secret: &Secret) -> Vec<u8> {
    vault.secret_mark("refresh", secret.expose())
}

/// Ends those that live; within a transaction of whatever is their end.
pub(super) async fn end(
    writing: &Writing,
    of: SessionsOf,
    because: EndedBecause,
    actor: &str,
    now: DateTime<Utc>,
) -> PortResult<Vec<SessionId>> {
    let whose = match of {
        SessionsOf::One(id) => Column::Id.eq(id.0),
        SessionsOf::Person(person) => Column::Person.eq(person.0),
        SessionsOf::Account(account) => Column::Account.eq(account.0),
    };
    let living = whose.and(Column::EndedAt.is_null()).and(Column::ExpiresAt.gt(now));
    // Why locked: of two that end them at once, the second must find that they have ended.
    let ending = Entity::find().filter(living).lock(LockType::Update).all(&writing.txn).await.map_err(failed("reading sessions"))?;
    if ending.is_empty() {
        return Ok(Vec::new());
    }
    Entity::update_many()
        .col_expr(Column::EndedAt, Expr::value(now))
        .col_expr(Column::EndedBecause, Expr::value(word(&because)?))
        .filter(Column::Id.is_in(ending.iter().map(|s| s.id)).and(Column::EndedAt.is_null()))
        .exec(&writing.txn)
        .await
        .map_err(failed("ending sessions"))?;
    let events: Vec<AuditEvent> = ending
        .iter()
        .map(|s| AuditEvent {
            at: now,
            actor: actor.to_owned(),
            deed: "session.end".to_owned(),
            person: s.person.map(PersonId),
            because: because.words().to_owned(),
            detail: json!({ "session": s.id.to_string(), "username": s.username }),
        })
        .collect();
    audit::record(writing, &events).await?;
    Ok(ending.into_iter().map(|s| SessionId(s.id)).collect())
}

async fn tally(writing: &Writing, account: &[u8], at: &Attempt, since: DateTime<Utc>) -> PortResult<Tally> {
    let counting = failed("counting attempts");
    let friends = friends(writing, account, at).await?;
    let is_friend = |address: &str| friends.iter().any(|f| f.address == address);
    let of_account = attempt::Entity::find()
        .filter(attempt::Column::Account.eq(account.to_vec()).and(attempt::Column::At.gt(since)))
        .all(&writing.txn)
        .await
        .map_err(&counting)?;
    let by_friends = of_account.iter().filter(|a| is_friend(&a.address)).count();
    let recent = attempt::Entity::find().filter(attempt::Column::At.gt(since));
    let in_all = recent.clone().count(&writing.txn).await.map_err(&counting)?;
    let from_address = recent.filter(attempt::Column::Address.eq(&at.address)).count(&writing.txn).await.map_err(&counting)?;
    let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(Tally {
        by_strangers: small((of_account.len() - by_friends) as u64),
        by_friends: small(by_friends as u64),
        from_address: small(from_address),
        in_all: small(in_all),
        is_friend: is_friend(&at.address),
        has_friends: !friends.is_empty(),
    })
}

async fn begin_attempt(link: &Link, vault: &Vault, asked: &Attempt, rules: &AttemptRules) -> PortResult<bool> {
    let account = vault.secret_mark("sign_in", &asked.account);
    let writing = link.write().await?;
    writing.lock(&["sign_in"]).await?;
    let since = asked.at - rules.window;
    attempt::Entity::delete_many()
        .filter(attempt::Column::At.lte(since))
        .exec(&writing.txn)
        .await
        .map_err(failed("forgetting attempts"))?;
    if !rules.allow(&tally(&writing, &account, asked, since).await?) {
        return Ok(false);
    }
    let row = attempt::Model { id: asked.id, account, address: without_nul(&asked.address), at: asked.at };
    writing.insert("noting an attempt", vec![row.into_active_model()], None).await?;
    writing.commit().await?;
    Ok(true)
}

async fn attempt_succeeded(link: &Link, vault: &Vault, asked: &Attempt, notices: Option<&[(PersonId, NewMessage)]>) -> PortResult<Before> {
    let account = vault.secret_mark("sign_in", &asked.account);
    let writing = link.write().await?;
    let forgotten = attempt::Entity::delete_many()
        .filter(attempt::Column::Account.eq(account.clone()))
        .exec(&writing.txn)
        .await
        .map_err(failed("forgetting attempts"))?;
    // The attempt that has succeeded stood among them.
    let failures = u32::try_from(forgotten.rows_affected.saturating_sub(1)).unwrap_or(u32::MAX);
    let before = Before { failures, is_elsewhere: failures > 0 && is_elsewhere(&writing, &account, asked).await? };
    if before.is_suspicious() {
        // Rolled back: who has not been told of them has not heard of them.
        let Some(notices) = notices else { return Ok(before) };
        message::queue(&writing, vault, notices.iter().map(|(person, notice)| (*person, notice, asked.at))).await?;
    }
    friend::Entity::delete_many()
        .filter(friend::Column::At.lt(asked.at - FRIENDSHIP))
        .exec(&writing.txn)
        .await
        .map_err(failed("forgetting addresses"))?;
    let row = friend::Model { account, address: without_nul(&asked.address), at: asked.at };
    let key = [friend::Column::Account, friend::Column::Address];
    writing.insert("noting an address", vec![row.into_active_model()], upsert(key, [friend::Column::At])).await?;
    writing.commit().await?;
    Ok(before)
}

async fn is_elsewhere(writing: &Writing, account: &[u8], at: &Attempt) -> PortResult<bool> {
    let friends = friends(writing, account, at).await?;
    Ok(!friends.is_empty() && friends.iter().all(|friend| friend.address != at.address))
}

/// Addresses that the account has signed in from lately.
async fn friends(writing: &Writing, account: &[u8], at: &Attempt) -> PortResult<Vec<friend::Model>> {
    let lately = friend::Column::At.gt(at.at - FRIENDSHIP);
    let friends = friend::Entity::find().filter(friend::Column::Account.eq(account.to_vec()).and(lately)).all(&writing.txn).await;
    friends.map_err(failed("reading addresses"))
}

async fn begin(link: &Link, vault: &Vault, begun: &Session, secret: &Secret, event: &AuditEvent) -> PortResult<()> {
    let writing = link.write().await?;
    forget(&writing, begun.started_at - KEPT).await?;
    writing.insert("saving a session", vec![row(begun)?.into_active_model()], None).await?;
    save_refresh(&writing, vault, begun.id, secret, begun.started_at).await?;
    audit::record(&writing, [event]).await?;
    writing.commit().await
}

async fn forget(writing: &Writing, before: DateTime<Utc>) -> PortResult<()> {
    let old = Entity::find().filter(Column::ExpiresAt.lt(before)).all(&writing.txn).await.map_err(failed("reading sessions"))?;
    let old: Vec<Uuid> = old.into_iter().take(1_000).map(|s| s.id).collect();
    if old.is_empty() {
        return Ok(());
    }
    refresh::Entity::delete_many()
        .filter(refresh::Column::Session.is_in(old.clone()))
        .exec(&writing.txn)
        .await
        .map_err(failed("forgetting sessions"))?;
    Entity::delete_many().filter(Column::Id.is_in(old)).exec(&writing.txn).await.map_err(failed("forgetting sessions"))?;
    Ok(())
}

async fn save_refresh(writing: &Writing, vault: &Vault, of: SessionId, secret: &Secret, now: DateTime<Utc>) -> PortResult<()> {
    let row = refresh::Model { mark: refresh_mark(vault, secret), session: of.0, made_at: now, spent_at: None };
    writing.insert("saving a session", vec![row.into_active_model()], None).await
}

async fn renew(link: &Link, vault: &Vault, secret: &Secret, next: &Secret, anew: &Session, now: DateTime<Utc>) -> PortResult<Renewal> {
    let writing = link.write().await?;
    let mark = refresh_mark(vault, secret);
    // Why a condition and not a look before: of two at once only one finds it unspent.
    let spent = refresh::Entity::update_many()
        .col_expr(refresh::Column::SpentAt, Expr::value(now))
        .filter(refresh::Column::Mark.eq(mark.clone()).and(refresh::Column::SpentAt.is_null()))
        .exec(&writing.txn)
        .await
        .map_err(failed("renewing a session"))?;
    let known = refresh::Entity::find_by_id(mark).one(&writing.txn).await.map_err(failed("renewing a session"))?;
    let Some(known) = known.filter(|k| k.session == anew.id.0) else { return Ok(Renewal::Unknown) };
    if spent.rows_affected == 0 {
        let of = SessionsOf::One(SessionId(known.session));
        let ended = end(&writing, of, EndedBecause::Reuse, "kimlik", now).await?;
        writing.commit().await?;
        return Ok(if ended.is_empty() { Renewal::Unknown } else { Renewal::Reused(anew.clone()) });
    }
    let saved = Entity::update_many()
        .col_expr(Column::Username, Expr::value(anew.username.as_ref()))
        .col_expr(Column::Roles, Expr::value(to_json(&anew.roles)?))
        .col_expr(Column::ConfirmedAt, Expr::value(anew.confirmed_at))
        .col_expr(Column::ExpiresAt, Expr::value(anew.expires_at))
        .filter(Column::Id.eq(anew.id.0).and(Column::EndedAt.is_null()))
        .exec(&writing.txn)
        .await
        .map_err(failed("renewing a session"))?;
    if saved.rows_affected == 0 {
        return Ok(Renewal::Unknown);
    }
    save_refresh(&writing, vault, anew.id, next, now).await?;
    writing.commit().await?;
    Ok(Renewal::Renewed(anew.clone()))
}

#[async_trait]
impl Sessions for SqlStore {
    async fn begin_attempt(&self, attempt: &Attempt, rules: &AttemptRules) -> PortResult<bool> {
        begin_attempt(&self.link, &self.vault, attempt, rules).await
    }
    async fn attempt_succeeded(&self, attempt: &Attempt, notices: Option<&[(PersonId, NewMessage)]>) -> PortResult<Before> {
        attempt_succeeded(&self.link, &self.vault, attempt, notices).await
    }
    async fn begin_session(&self, session: &Session, refresh: &Secret, audit: &AuditEvent) -> PortResult<()> {
        begin(&self.link, &self.vault, session, refresh, audit).await
    }
    async fn session(&self, id: SessionId) -> PortResult<Option<Session>> {
        let found = Entity::find_by_id(id.0).one(&self.link.db).await.map_err(failed("reading a session"))?;
        found.map(session).transpose()
    }
    async fn session_of(&self, refresh: &Secret) -> PortResult<Option<Session>> {
        let mark = refresh_mark(&self.vault, refresh);
        let known = refresh::Entity::find_by_id(mark).one(&self.link.db).await.map_err(failed("reading a session"))?;
        match known {
            Some(known) => self.session(SessionId(known.session)).await,
            None => Ok(None),
        }
    }
    async fn renew(&self, refresh: &Secret, next: &Secret, session: &Session, now: DateTime<Utc>) -> PortResult<Renewal> {
        renew(&self.link, &self.vault, refresh, next, session, now).await
    }
    async fn end_sessions(&self, of: SessionsOf, because: EndedBecause, actor: &str, now: DateTime<Utc>) -> PortResult<Vec<SessionId>> {
        let writing = self.link.write().await?;
        let ended = end(&writing, of, because, actor, now).await?;
        writing.commit().await?;
        Ok(ended)
    }
}
