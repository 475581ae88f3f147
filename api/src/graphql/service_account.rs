//! Service accounts: accounts of programs.
use super::error::{Maybe, UserError, UserErrorCode, fault};
use super::page::{self, Cursor, Page};
use super::{allows, caller, house, id};
use crate::deeds;
use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use kimlik_domain::access::service::{self, NotMakeable};
use kimlik_domain::access::session::Secret;
use kimlik_domain::access::{self, About, Deed};
use kimlik_domain::id::ServiceId;
use kimlik_domain::ports::{PortError, Refusal};
use uuid::Uuid;

#[derive(Default)]
pub struct ServiceQuery;
#[derive(Default)]
pub struct ServiceMutation;

/// What a service account is made for.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::access::Scope")]
pub enum ServiceScope {
    /// Cards and units, as every colleague sees them.
    CardsRead,
    /// Staff records, with account states.
    StaffRead,
    /// HR records handed in.
    StaffWrite,
    /// Accounts suspended and reinstated.
    AccountsSuspend,
    /// Accounts renamed.
    AccountsRename,
    /// Activation codes sent anew.
    CredentialsResend,
    /// Runs, operations and their progress.
    RunsRead,
    /// Webhooks made and ended.
    WebhooksManage,
    /// How the connected systems are: for monitoring.
    HealthRead,
    /// Runs begun (syncStart).
    RunsStart,
}

/// An account of a program.
pub struct ServiceAccount(service::Service);

#[Object]
/// An account of a program. Its secret is shown once, when it is made or rotated.
impl ServiceAccount {
    /// Of this service account.
    pub async fn id(&self) -> ID {
        id::encode(id::SERVICE, self.0.id.0)
    }
    /// As it stands in the audit.
    async fn name(&self) -> &str {
        &self.0.name
    }
    /// What it is made for.
    async fn scopes(&self) -> Vec<ServiceScope> {
        self.0.scopes.iter().copied().map(access::Scope::into).collect()
    }
    /// Who answers for it.
    async fn owner(&self) -> &str {
        &self.0.owner
    }
    /// When it was made.
    async fn made_at(&self) -> DateTime<Utc> {
        self.0.made_at
    }
    /// Who made it.
    async fn made_by(&self) -> &str {
        &self.0.made_by
    }
    /// Not any more from then on.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.0.expires_at
    }
    /// When it was revoked.
    async fn revoked_at(&self) -> Option<DateTime<Utc>> {
        self.0.revoked_at
    }
    /// To the minute; null: never.
    async fn last_used_at(&self) -> Option<DateTime<Utc>> {
        self.0.last_used_at
    }
}

/// A new service account.
#[derive(InputObject)]
pub struct ServiceAccountCreateInput {
    /// 3 to 64 small letters, digits and hyphens. A name is given once, for ever.
    name: String,
    /// As few as it needs.
    scopes: Vec<ServiceScope>,
    /// Who answers for it: a name or a unit.
    owner: String,
    /// At most 366 days from now.
    expires_at: DateTime<Utc>,
}

/// Whose secret is exchanged.
#[derive(InputObject)]
pub struct ServiceAccountRotateInput {
    /// The service account.
    service_account_id: ID,
    /// The old secret counts so many hours beside the new one, at most 168; 0: not at all.
    #[graphql(default = 24)]
    overlap_hours: Option<i32>,
}

/// Which one is revoked.
#[derive(InputObject)]
pub struct ServiceAccountRevokeInput {
    /// The service account.
    service_account_id: ID,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct ServiceAccountSecretPayload {
    /// Null: nothing was done.
    service_account: Option<ServiceAccount>,
    /// For `authorization: Bearer …`. Shown this once.
    secret: Option<String>,
    /// What the caller can mend; empty: it was done.
    user_errors: Vec<UserError>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct ServiceAccountRevokePayload {
    /// As it stands now; null where nothing was done.
    service_account: Option<ServiceAccount>,
    /// What the caller can mend; empty: it was done.
    user_errors: Vec<UserError>,
}

#[Object]
impl ServiceQuery {
    /// Service accounts, newest first.
    #[graphql(complexity = "page::cost(__ctx, __variables_definition, __field, child_complexity)")]
    async fn service_accounts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before.")] after: Option<String>,
    ) -> Maybe<Page<ServiceAccount>> {
        if !allows(ctx, Deed::ReadService, About::Everything) {
            return None;
        }
        Some(services(ctx, first, after.as_deref()).await)
    }
}

#[Object]
impl ServiceMutation {
    /// Makes a service account. Its secret is in the answer, and nowhere else afterwards.
    async fn service_account_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new service account.")] input: ServiceAccountCreateInput,
    ) -> Maybe<ServiceAccountSecretPayload> {
        if !allows(ctx, Deed::ManageService, About::Everything) {
            return None;
        }
        Some(create(ctx, input).await)
    }

    /// Gives it a new secret; the old one counts a while longer, so that nothing is interrupted.
    async fn service_account_rotate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose secret.")] input: ServiceAccountRotateInput,
    ) -> Maybe<ServiceAccountSecretPayload> {
        if !allows(ctx, Deed::ManageService, About::Everything) {
            return None;
        }
        Some(rotate(ctx, input).await)
    }

    /// Ends it: its secrets count no more, within a second.
    async fn service_account_revoke(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: ServiceAccountRevokeInput,
    ) -> Maybe<ServiceAccountRevokePayload> {
        if !allows(ctx, Deed::ManageService, About::Everything) {
            return None;
        }
        Some(revoke(ctx, &input.service_account_id).await)
    }
}

/// By its id, where the caller may read it.
pub async fn one(ctx: &Context<'_>, id: Uuid) -> Result<Option<ServiceAccount>> {
    if !allows(ctx, Deed::ReadService, About::Everything) {
        return Ok(None);
    }
    let found = house(ctx)?.door.services.services(Some(ServiceId(id::above(id))), 1).await.map_err(|e| fault(ctx, &e))?;
    Ok(found.into_iter().find(|service| service.id.0 == id).map(ServiceAccount))
}

async fn services(ctx: &Context<'_>, first: Option<i32>, after: Option<&str>) -> Result<Page<ServiceAccount>> {
    let wanted = page::first(first)?;
    let before = page::after(id::SERVICE, after)?.map(ServiceId);
    let found = house(ctx)?.door.services.services(before, wanted + 1).await.map_err(|e| fault(ctx, &e))?;
    Ok(page::page(found, wanted, before.is_some(), |s| (Cursor(id::encode(id::SERVICE, s.id.0).0), ServiceAccount(s))))
}

fn made(done: (service::Service, Secret)) -> ServiceAccountSecretPayload {
    let secret = Some(done.1.expose().to_owned());
    ServiceAccountSecretPayload { service_account: Some(ServiceAccount(done.0)), secret, user_errors: Vec::new() }
}

fn unmade(user_errors: Vec<UserError>) -> ServiceAccountSecretPayload {
    ServiceAccountSecretPayload { service_account: None, secret: None, user_errors }
}

fn told(fault: NotMakeable) -> UserError {
    let path = match fault {
        NotMakeable::Name => "name",
        NotMakeable::Scopes => "scopes",
        NotMakeable::Owner => "owner",
        NotMakeable::Time => "expiresAt",
    };
    UserError::new(UserErrorCode::Invalid, path, fault.to_string())
}

async fn create(ctx: &Context<'_>, input: ServiceAccountCreateInput) -> Result<ServiceAccountSecretPayload> {
    let scopes = input.scopes.into_iter().map(Into::into).collect();
    let actor = caller(ctx).actor();
    match deeds::make_service(house(ctx)?, &input.name, scopes, &input.owner, input.expires_at, &actor).await {
        Ok(Ok(done)) => Ok(made(done)),
        Ok(Err(faults)) => Ok(unmade(faults.into_iter().map(told).collect())),
        Err(PortError::Refused { refusal: Refusal::NameTaken, reason }) => {
            Ok(unmade(vec![UserError::new(UserErrorCode::AlreadyDone, "name", reason)]))
        }
        Err(error) => Err(fault(ctx, &error)),
    }
}

fn named(id: &ID) -> std::result::Result<ServiceId, UserError> {
    let wrong = || UserError::new(UserErrorCode::Invalid, "serviceAccountId", "This is not the id of a service account.");
    id::decode(id::SERVICE, id).map(ServiceId).ok_or_else(wrong)
}

async fn rotate(ctx: &Context<'_>, input: ServiceAccountRotateInput) -> Result<ServiceAccountSecretPayload> {
    let service = match named(&input.service_account_id) {
        Ok(service) => service,
        Err(error) => return Ok(unmade(vec![error])),
    };
    let overlap = chrono::TimeDelta::hours(input.overlap_hours.unwrap_or(24).into());
    if overlap < chrono::TimeDelta::zero() || overlap > service::LONGEST_OVERLAP {
        return Ok(unmade(vec![UserError::new(UserErrorCode::Invalid, "overlapHours", "A number from 0 to 168.")]));
    }
    let house = house(ctx)?;
    let (secret, now) = (house.door.secret(service::KIND), house.clock.now());
    match house.door.services.rotate_service(service, &secret, now + overlap, &caller(ctx).actor(), now).await {
        Ok(service) => Ok(made((service, secret))),
        Err(fault) => Ok(unmade(vec![UserError::of(&fault, "serviceAccountId")])),
    }
}

async fn revoke(ctx: &Context<'_>, id: &ID) -> Result<ServiceAccountRevokePayload> {
    let no = |error| Ok(ServiceAccountRevokePayload { service_account: None, user_errors: vec![error] });
    let service = match named(id) {
        Ok(service) => service,
        Err(error) => return no(error),
    };
    let house = house(ctx)?;
    match house.door.services.revoke_service(service, &caller(ctx).actor(), house.clock.now()).await {
        Ok(service) => Ok(ServiceAccountRevokePayload { service_account: Some(ServiceAccount(service)), user_errors: Vec::new() }),
        Err(fault) => no(UserError::of(&fault, "serviceAccountId")),
    }
}
