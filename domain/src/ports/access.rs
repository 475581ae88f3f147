//! Who is who: signing in, sessions, grants, service accounts, tokens.
use super::PortResult;
use crate::access::attempt::{AttemptRules, Before};
use crate::access::grant::Grant;
use crate::access::service::Service;
use crate::access::session::{Access, EndedBecause, Lockout, Renewal, Secret, Session, SessionsOf, SignedIn, Standing};
use crate::account::Dn;
use crate::audit::AuditEvent;
use crate::id::{AccountGuid, GrantId, PersonId, ServiceId, SessionId};
use crate::message::NewMessage;
use crate::staff::RegistryNo;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use zeroize::Zeroizing;

/// The directory as the one that knows passwords. Not [`Directory`](super::Directory): nothing is written, and each password goes over a
/// connection of its own.
#[async_trait]
pub trait SignIn: Send + Sync {
    /// Whose user name or user principal name this is, anywhere in the domain.
    async fn account_named(&self, name: &str) -> PortResult<Option<AccountGuid>>;
    /// `None`: wrong passwords lock nobody.
    async fn lockout(&self) -> PortResult<Option<Lockout>>;
    /// Nobody's password (`None`) is as wrong as any, and takes as long. An empty one is never right.
    async fn sign_in(&self, account: Option<AccountGuid>, password: &Zeroizing<String>, groups: &[Dn]) -> PortResult<SignedIn>;
    /// Of these groups, those that are not there.
    async fn missing_groups(&self, groups: &[Dn]) -> PortResult<Vec<Dn>>;
    /// `None`: the account is gone.
    async fn standing(&self, account: AccountGuid, groups: &[Dn]) -> PortResult<Option<Standing>>;
}

/// One attempt to sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub id: uuid::Uuid,
    /// The account, or what was typed for one; kept as a keyed hash, because people type passwords there.
    pub account: String,
    pub address: String,
    pub at: DateTime<Utc>,
}

/// Sessions, and attempts to begin one. Secrets are kept as keyed hashes.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Counts it as failed until it has succeeded, if the rules allow it; false: they do not. One at a time, so that many at
    /// once are not more than the rules allow.
    async fn begin_attempt(&self, attempt: &Attempt, rules: &AttemptRules) -> PortResult<bool>;
    /// Forgets the account's failures and answers what they were; its address is a friend's from now on. Where they are suspicious
    /// ([`Before::is_suspicious`]) `notices` are queued with it; where they are and nobody has written notices (`None`), nothing is done.
    async fn attempt_succeeded(&self, attempt: &Attempt, notices: Option<&[(PersonId, NewMessage)]>) -> PortResult<Before>;
    async fn begin_session(&self, session: &Session, refresh: &Secret, audit: &AuditEvent) -> PortResult<()>;
    async fn session(&self, id: SessionId) -> PortResult<Option<Session>>;
    async fn session_of(&self, refresh: &Secret) -> PortResult<Option<Session>>;
    /// Spends `refresh` and makes `next` count, in one; of two at once one wins and the other is a reuse, which ends the session.
    /// What `session` says anew (roles, confirmation, end) is saved with it.
    async fn renew(&self, refresh: &Secret, next: &Secret, session: &Session, now: DateTime<Utc>) -> PortResult<Renewal>;
    /// Answers those that lived.
    async fn end_sessions(&self, of: SessionsOf, because: EndedBecause, actor: &str, now: DateTime<Utc>) -> PortResult<Vec<SessionId>>;
}

/// Roles granted for a time.
#[async_trait]
pub trait Grants: Send + Sync {
    async fn grants_of(&self, person: PersonId) -> PortResult<Vec<Grant>>;
    /// The latest first.
    async fn grants(&self, before: Option<GrantId>, limit: u32) -> PortResult<Vec<Grant>>;
    async fn grant(&self, grant: &Grant, audit: &AuditEvent) -> PortResult<()>;
    /// `Refused(NotFound)`: there is none; `Refused(Other)`: it was revoked before.
    async fn revoke_grant(&self, grant: GrantId, by: &str, now: DateTime<Utc>) -> PortResult<Grant>;
}

/// Accounts of programs.
#[async_trait]
pub trait Services: Send + Sync {
    /// The latest first.
    async fn services(&self, before: Option<ServiceId>, limit: u32) -> PortResult<Vec<Service>>;
    /// Whose secret this is, if it still counts.
    async fn service_of(&self, secret: &Secret, now: DateTime<Utc>) -> PortResult<Option<Service>>;
    /// `Refused(NameTaken)`: there is one of that name.
    async fn make_service(&self, service: &Service, secret: &Secret, audit: &AuditEvent) -> PortResult<()>;
    /// `secret` counts from now on; those before it until `old_until`.
    async fn rotate_service(
        &self,
        id: ServiceId,
        secret: &Secret,
        old_until: DateTime<Utc>,
        by: &str,
        now: DateTime<Utc>,
    ) -> PortResult<Service>;
    async fn revoke_service(&self, id: ServiceId, by: &str, now: DateTime<Utc>) -> PortResult<Service>;
    async fn service_used(&self, id: ServiceId, now: DateTime<Utc>) -> PortResult<()>;
}

/// Access tokens of our own.
pub trait Tokens: Send + Sync {
    fn issue(&self, access: &Access) -> String;
    /// `None`: not made by us for us, or expired at `now`.
    fn read(&self, token: &str, now: DateTime<Utc>) -> Option<Access>;
    /// The public keys, as `/.well-known/jwks.json` shows them.
    fn published(&self, now: DateTime<Utc>) -> serde_json::Value;
}

/// Whom a token of a foreign issuer speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForeignName {
    Username(String),
    RegistryNo(RegistryNo),
    Email(String),
}

#[async_trait]
pub trait ForeignIssuer: Send + Sync {
    /// `None`: not a token of that issuer for us, or no longer. `Unavailable`: its keys cannot be fetched now.
    async fn read(&self, token: &str, now: DateTime<Utc>) -> PortResult<Option<ForeignName>>;
}
