//! Roles granted for a time.
use super::card::{IdentityCard, of_person};
use super::error::{Maybe, UserError, UserErrorCode, fault};
use super::page::{self, Cursor, Page};
use super::scalar::UnitCode;
use super::viewer::Role;
use super::{allows, caller, house, id};
use crate::deeds;
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use kimlik_domain::access::grant::{self, NotGrantable};
use kimlik_domain::access::{self, About, Deed};
use kimlik_domain::id::{GrantId, PersonId};
use uuid::Uuid;

#[derive(Default)]
pub struct GrantQuery;
#[derive(Default)]
pub struct GrantMutation;

/// A role given to a person for a time.
pub struct RoleGrant(grant::Grant);

#[Object]
/// A role given to a person for a time.
impl RoleGrant {
    /// Of this grant.
    pub async fn id(&self) -> ID {
        id::encode(id::GRANT, self.0.id.0)
    }
    /// Which role.
    async fn role(&self) -> Role {
        access::Role::into(self.0.role)
    }
    /// Of a personnel officer: responsible for these units and those below.
    async fn units(&self) -> Vec<UnitCode> {
        self.0.units.iter().copied().map(UnitCode).collect()
    }
    /// From then on.
    async fn starts_at(&self) -> DateTime<Utc> {
        self.0.from
    }
    /// Not any more from then on.
    async fn ends_at(&self) -> DateTime<Utc> {
        self.0.until
    }
    /// Why.
    async fn reason(&self) -> &str {
        &self.0.reason
    }
    /// Who gave it.
    async fn granted_by(&self) -> &str {
        &self.0.granted_by
    }
    /// When it was given.
    async fn granted_at(&self) -> DateTime<Utc> {
        self.0.granted_at
    }
    /// When it was taken back before its end.
    async fn revoked_at(&self) -> Option<DateTime<Utc>> {
        self.0.revoked_at
    }
    /// Who took it back.
    async fn revoked_by(&self) -> Option<&str> {
        self.0.revoked_by.as_deref()
    }
    /// It gives the role now.
    async fn in_force(&self, ctx: &Context<'_>) -> bool {
        house(ctx).is_ok_and(|house| self.0.is_in_force(house.clock.now()))
    }
    /// To whom.
    #[graphql(complexity = "5 + child_complexity")]
    async fn card(&self, ctx: &Context<'_>) -> Maybe<IdentityCard> {
        of_person(ctx, self.0.person).await.transpose()
    }
}

/// To whom which role, and for how long.
#[derive(InputObject)]
pub struct RoleGrantInput {
    /// The id of the person's card.
    person_id: ID,
    /// AUDITOR, ADMINISTRATOR or PERSONNEL_OFFICER; the others come of themselves.
    role: Role,
    /// For a personnel officer: these units and those below.
    units: Option<Vec<UnitCode>>,
    /// Null: now.
    starts_at: Option<DateTime<Utc>>,
    /// At most 366 days after it begins.
    ends_at: DateTime<Utc>,
    /// Why: for whoever reads it later.
    reason: String,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct RoleGrantPayload {
    /// Null: nothing was granted.
    grant: Option<RoleGrant>,
    /// What the caller can mend; empty: it was granted.
    user_errors: Vec<UserError>,
}

/// Which grant is taken back.
#[derive(InputObject)]
pub struct RoleRevokeInput {
    /// The grant.
    grant_id: ID,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct RoleRevokePayload {
    /// As it stands now; null where nothing was done.
    grant: Option<RoleGrant>,
    /// What the caller can mend; empty: it was taken back.
    user_errors: Vec<UserError>,
}

#[Object]
impl GrantQuery {
    /// Roles granted for a time, newest first, those that have ended too.
    #[graphql(complexity = "page::cost(__ctx, __variables_definition, __field, child_complexity)")]
    async fn role_grants(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before.")] after: Option<String>,
    ) -> Maybe<Page<RoleGrant>> {
        if !allows(ctx, Deed::ReadGrant, About::Everything) {
            return None;
        }
        Some(grants(ctx, first, after.as_deref()).await)
    }
}

#[Object]
impl GrantMutation {
    /// Gives a person a role for a time.
    async fn role_grant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "To whom which role, and for how long.")] input: RoleGrantInput,
    ) -> Maybe<RoleGrantPayload> {
        if !allows(ctx, Deed::ManageGrant, About::Everything) {
            return None;
        }
        Some(give(ctx, input).await)
    }

    /// Takes a granted role back, at once.
    async fn role_revoke(&self, ctx: &Context<'_>, #[graphql(desc = "Which grant.")] input: RoleRevokeInput) -> Maybe<RoleRevokePayload> {
        if !allows(ctx, Deed::ManageGrant, About::Everything) {
            return None;
        }
        Some(revoke(ctx, &input.grant_id).await)
    }
}

/// By its id, where the caller may read it.
pub async fn one(ctx: &Context<'_>, id: Uuid) -> Result<Option<RoleGrant>> {
    if !allows(ctx, Deed::ReadGrant, About::Everything) {
        return Ok(None);
    }
    let found = house(ctx)?.door.grants.grants(Some(GrantId(id::above(id))), 1).await.map_err(|e| fault(ctx, &e))?;
    Ok(found.into_iter().find(|grant| grant.id.0 == id).map(RoleGrant))
}

async fn grants(ctx: &Context<'_>, first: Option<i32>, after: Option<&str>) -> Result<Page<RoleGrant>> {
    let wanted = page::first(first)?;
    let before = page::after(id::GRANT, after)?.map(GrantId);
    let found = house(ctx)?.door.grants.grants(before, wanted + 1).await.map_err(|e| fault(ctx, &e))?;
    Ok(page::page(found, wanted, before.is_some(), |g| (Cursor(id::encode(id::GRANT, g.id.0).0), RoleGrant(g))))
}

/// Where in the input each fault lies.
fn told(fault: NotGrantable) -> UserError {
    let path = match fault {
        NotGrantable::Role => "role",
        NotGrantable::NoUnits | NotGrantable::Units => "units",
        NotGrantable::Time => "endsAt",
        NotGrantable::Reason => "reason",
    };
    UserError::new(UserErrorCode::Invalid, path, fault.to_string())
}

async fn give(ctx: &Context<'_>, input: RoleGrantInput) -> Result<RoleGrantPayload> {
    let no = |user_errors| Ok(RoleGrantPayload { grant: None, user_errors });
    let Some(person) = id::decode(id::CARD, &input.person_id).map(PersonId) else {
        return no(vec![UserError::new(UserErrorCode::Invalid, "personId", "This is not the id of a card.")]);
    };
    let house = house(ctx)?;
    let wish = deeds::Wish {
        person,
        role: input.role.into(),
        units: input.units.unwrap_or_default().into_iter().map(|u| u.0).collect(),
        from: input.starts_at,
        until: input.ends_at,
        reason: input.reason,
    };
    match deeds::grant(house, wish, &caller(ctx).actor()).await.map_err(|e| fault(ctx, &e))? {
        Ok(grant) => Ok(RoleGrantPayload { grant: Some(RoleGrant(grant)), user_errors: Vec::new() }),
        Err(deeds::NotGranted::NoPerson) => no(vec![UserError::new(UserErrorCode::NotFound, "personId", "There is no such person.")]),
        Err(deeds::NotGranted::NoUnit(code)) => {
            no(vec![UserError::new(UserErrorCode::NotFound, "units", format!("There is no unit {code}."))])
        }
        Err(deeds::NotGranted::Faults(faults)) => no(faults.into_iter().map(told).collect()),
    }
}

async fn revoke(ctx: &Context<'_>, grant: &ID) -> Result<RoleRevokePayload> {
    let no = |error| Ok(RoleRevokePayload { grant: None, user_errors: vec![error] });
    let Some(grant) = id::decode(id::GRANT, grant).map(GrantId) else {
        return no(UserError::new(UserErrorCode::Invalid, "grantId", "This is not the id of a grant."));
    };
    let house = house(ctx)?;
    match house.door.grants.revoke_grant(grant, &caller(ctx).actor(), house.clock.now()).await {
        Ok(grant) => Ok(RoleRevokePayload { grant: Some(RoleGrant(grant)), user_errors: Vec::new() }),
        Err(fault) => no(UserError::of(&fault, "grantId")),
    }
}
