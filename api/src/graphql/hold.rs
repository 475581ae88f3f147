//! Holds, and the one deed of an administrator here: to decide them.
use super::card::{IdentityCard, of_person};
use super::error::{Maybe, UserError, UserErrorCode, fault};
use super::page::{self, Cursor, Page};
use super::run::ChangeAction;
use super::scalar::RegistryNumber;
use super::unit::Province;
use super::{allows, caller, house, id, said};
use crate::deeds;
use async_graphql::{Context, Enum, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use kimlik_domain::access::{About, Deed};
use kimlik_domain::id::{HoldId, PersonId};
use kimlik_domain::lifecycle::{hold, limits};
use uuid::Uuid;

#[derive(Default)]
pub struct HoldQuery;
#[derive(Default)]
pub struct HoldMutation;

/// Holds are few: of more than that, the newest.
const MOST: u32 = 1_000;

/// How a hold stands.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::lifecycle::hold::HoldStatus")]
pub enum HoldStatus {
    /// It waits for an administrator.
    Open,
    /// Its changes are or were carried out.
    Approved,
    /// Its changes are not carried out.
    Rejected,
    /// Nothing is left of it: what it held is no longer to be done.
    Superseded,
}

/// What a limit counts.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::lifecycle::limits::Budget")]
pub enum HoldKind {
    /// New accounts, and accounts that come back.
    Open,
    /// Cards and groups.
    Update,
    /// Other organizational units.
    Move,
    /// Other names.
    Rename,
    /// Suspensions.
    Suspend,
    /// Closings.
    Close,
    /// Accounts that existed before Kimlik.
    Adopt,
    /// Mailboxes of leavers that stop taking mail.
    Mailbox,
}

/// What an administrator decides.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum HoldDecision {
    /// Carry it out.
    Approve,
    /// Do not carry it out.
    Reject,
}

/// Changes of one kind and scope that exceeded a limit.
pub struct Hold(hold::Hold);

#[Object]
/// Changes of one kind and scope (closings in Ankara, renames everywhere) that exceeded a limit. They wait; all else goes on.
impl Hold {
    /// Of this hold.
    pub async fn id(&self) -> ID {
        id::encode(id::HOLD, self.0.id.0)
    }
    /// How it stands.
    async fn status(&self) -> HoldStatus {
        self.0.status.into()
    }
    /// Which limit was exceeded.
    async fn kind(&self) -> HoldKind {
        limits::Budget::into(self.0.budget)
    }
    /// The province whose limit it was; null: the whole ministry's.
    async fn province(&self) -> Option<Province> {
        self.0.scope.map(Province)
    }
    /// In plain words, in the caller's language.
    async fn reasons(&self, ctx: &Context<'_>) -> Vec<String> {
        self.0.reasons.iter().map(|reason| said(ctx, reason)).collect()
    }
    /// How many people it is about.
    async fn people(&self) -> u32 {
        self.0.people
    }
    /// What an approval is for: send it back as planDigest.
    async fn digest(&self) -> &str {
        &self.0.digest
    }
    /// When the limit was exceeded.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
    /// When it was decided.
    async fn decided_at(&self) -> Option<DateTime<Utc>> {
        self.0.decided_at
    }
    /// Who decided it.
    async fn decided_by(&self) -> Option<&str> {
        self.0.decided_by.as_deref()
    }
    /// What was noted with the decision.
    async fn note(&self) -> Option<&str> {
        self.0.note.as_deref()
    }
    /// Person by person, with the plan of each.
    #[graphql(complexity = "page::cost(__ctx, __variables_definition, __field, child_complexity)")]
    async fn items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before.")] after: Option<String>,
    ) -> Maybe<Page<HoldItem>> {
        Some(items(ctx, self.0.id, first, after.as_deref()).await)
    }
}

/// One person's held change.
pub struct HoldItem(hold::HoldItem);

#[Object]
/// One person's held change.
impl HoldItem {
    /// The id of the person's card; holdDecide takes it in `people`.
    async fn person_id(&self) -> ID {
        id::encode(id::CARD, self.0.person.0)
    }
    /// Sicil no.
    async fn registry_number(&self) -> RegistryNumber {
        RegistryNumber(self.0.registry_no.clone())
    }
    /// What would be done.
    async fn action(&self) -> ChangeAction {
        self.0.kind.into()
    }
    /// The plan as people read it, in the caller's language.
    async fn text(&self, ctx: &Context<'_>) -> String {
        said(ctx, &self.0.text)
    }
    /// Null: undecided.
    async fn approved(&self) -> Option<bool> {
        self.0.approved
    }
    /// Whose account.
    #[graphql(complexity = "5 + child_complexity")]
    async fn card(&self, ctx: &Context<'_>) -> Maybe<IdentityCard> {
        of_person(ctx, self.0.person).await.transpose()
    }
}

#[Object]
impl HoldQuery {
    /// Holds, newest first.
    #[graphql(complexity = "page::cost(__ctx, __variables_definition, __field, child_complexity)")]
    async fn holds(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only these; null: all.", default_with = "MaybeUndefined::Value(HoldStatus::Open)")] status: MaybeUndefined<
            HoldStatus,
        >,
        #[graphql(desc = "How many, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before.")] after: Option<String>,
    ) -> Maybe<Page<Hold>> {
        if !allows(ctx, Deed::ReadHold, About::Everything) {
            return None;
        }
        let status = match status {
            MaybeUndefined::Undefined => Some(HoldStatus::Open),
            MaybeUndefined::Null => None,
            MaybeUndefined::Value(status) => Some(status),
        };
        Some(holds(ctx, status, first, after.as_deref()).await)
    }
}

/// By its id, where the caller may read it.
pub async fn one(ctx: &Context<'_>, id: Uuid) -> Result<Option<Hold>> {
    if !allows(ctx, Deed::ReadHold, About::Everything) {
        return Ok(None);
    }
    let holds = house(ctx)?.store.holds(None, MOST).await.map_err(|e| fault(ctx, &e))?;
    Ok(holds.into_iter().find(|hold| hold.id.0 == id).map(Hold))
}

async fn holds(ctx: &Context<'_>, status: Option<HoldStatus>, first: Option<i32>, after: Option<&str>) -> Result<Page<Hold>> {
    let wanted = page::first(first)?;
    let after = page::after(id::HOLD, after)?.map(HoldId);
    let mut holds = house(ctx)?.store.holds(status.map(Into::into), MOST).await.map_err(|e| fault(ctx, &e))?;
    holds.sort_by_key(|h| std::cmp::Reverse(h.id));
    holds.retain(|h| after.is_none_or(|after| h.id < after));
    Ok(page::page(holds, wanted, after.is_some(), |h| (Cursor(id::encode(id::HOLD, h.id.0).0), Hold(h))))
}

async fn items(ctx: &Context<'_>, hold: HoldId, first: Option<i32>, after: Option<&str>) -> Result<Page<HoldItem>> {
    let wanted = page::first(first)?;
    let after = page::after(id::CARD, after)?.map(PersonId);
    let items = house(ctx)?.store.hold_items(hold, after, wanted + 1).await.map_err(|e| fault(ctx, &e))?;
    Ok(page::page(items, wanted, after.is_some(), |i| (Cursor(id::encode(id::CARD, i.person.0).0), HoldItem(i))))
}

/// Which hold, and how it is decided.
#[derive(InputObject)]
pub struct HoldDecideInput {
    /// The hold.
    hold_id: ID,
    /// Carry it out or not.
    decision: HoldDecision,
    /// The digest that the caller saw. Whoever's plan has changed since is not carried out but held anew.
    plan_digest: String,
    /// Ids of cards; null decides for all.
    people: Option<Vec<ID>>,
    /// For whoever reads it later.
    note: Option<String>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct HoldDecidePayload {
    /// The hold as it stands now; null where nothing was decided.
    hold: Option<Hold>,
    /// What the caller can mend; empty: it was decided.
    user_errors: Vec<UserError>,
}

#[Object]
impl HoldMutation {
    /// Approves or rejects a hold, whole or person by person.
    async fn hold_decide(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which hold, and how.")] input: HoldDecideInput,
    ) -> Maybe<HoldDecidePayload> {
        if !allows(ctx, Deed::DecideHold, About::Everything) {
            return None;
        }
        Some(decide(ctx, input).await)
    }
}

async fn decide(ctx: &Context<'_>, input: HoldDecideInput) -> Result<HoldDecidePayload> {
    let mut user_errors = Vec::new();
    let mut invalid = |path: &str, message: &str| user_errors.push(UserError::new(UserErrorCode::Invalid, path, message));
    let hold = id::decode(id::HOLD, &input.hold_id).map(HoldId);
    if hold.is_none() {
        invalid("holdId", "This is not the id of a hold.");
    }
    let people = input.people.map(|ids| ids.iter().map(|id| id::decode(id::CARD, id).map(PersonId)).collect::<Option<Vec<_>>>());
    if people == Some(None) {
        invalid("people", "One of these is not the id of a card.");
    }
    if people.as_ref().is_some_and(|p| p.as_ref().is_some_and(Vec::is_empty)) {
        invalid("people", "Name at least one, or leave it out to decide for all.");
    }
    if input.note.as_ref().is_some_and(|n| n.chars().count() > 1_000 || n.contains('\0')) {
        invalid("note", "At most 1,000 characters.");
    }
    let (Some(hold), true) = (hold, user_errors.is_empty()) else { return Ok(HoldDecidePayload { hold: None, user_errors }) };
    let decision = hold::HoldDecision {
        approve: input.decision == HoldDecision::Approve,
        digest: Some(input.plan_digest),
        people: people.flatten(),
        by: caller(ctx).actor(),
        note: input.note,
    };
    Ok(match deeds::decide_hold(house(ctx)?, hold, &decision).await {
        Ok(hold) => HoldDecidePayload { hold: Some(Hold(hold)), user_errors },
        Err(fault) => HoldDecidePayload { hold: None, user_errors: vec![UserError::of(&fault, "holdId")] },
    })
}
