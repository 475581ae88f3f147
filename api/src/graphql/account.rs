//! Deeds on one person's account that do not wait for HR: suspended at once, and given back.
use super::card::{AccountState, IdentityCardKey};
use super::error::{Maybe, UserError, UserErrorCode, fault};
use super::plan::{Plan, out_of_reach};
use super::staff::{StaffMember, member_of};
use super::{allows, caller, house, order};
use crate::deeds;
use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use kimlik_domain::access::idempotency::ClientKey;
use kimlik_domain::access::{About, Deed};
use kimlik_domain::id::PersonId;
use kimlik_domain::lifecycle::look::Supposed;
use kimlik_domain::lifecycle::suspension::{Order, OrderKind, Ordered};
use kimlik_domain::lifecycle::{ActionKind, reconcile};
use kimlik_domain::ports::{PeopleBy, PortError};
use kimlik_domain::staff::IssueKind;
use serde_json::json;

#[derive(Default)]
pub struct AccountMutation;

/// Whose account is suspended, and why.
#[derive(InputObject)]
pub struct AccountSuspendInput {
    /// The person: exactly one of these.
    staff_member: IdentityCardKey,
    /// At most 500 characters. It stands in the audit and in the plan.
    reason: String,
    /// Only show what would be done.
    #[graphql(default_with = "Some(false)")]
    dry_run: Option<bool>,
    /// 1 to 100 characters of the client's own: the same key with the same input answers the first result again, for 7 days.
    idempotency_key: Option<String>,
}

/// Whose suspension is lifted, and why.
#[derive(InputObject)]
pub struct AccountReinstateInput {
    /// The person: exactly one of these.
    staff_member: IdentityCardKey,
    /// At most 500 characters. It stands in the audit and in the plan.
    reason: String,
    /// Only show what would be done.
    #[graphql(default_with = "Some(false)")]
    dry_run: Option<bool>,
    /// 1 to 100 characters of the client's own: the same key with the same input answers the first result again, for 7 days.
    idempotency_key: Option<String>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct AccountChangePayload {
    /// The person's record, where the caller may read it.
    staff_member: Option<StaffMember>,
    /// What is carried out, or of a dry run: would be. Null: nothing was done. Empty: the account is so already.
    plan: Option<Plan>,
    /// The directory shows it. False, and no userErrors, and no dry run: it is certain, and done as soon as the directory answers or,
    /// where the plan's verdict is HELD, an administrator has approved it.
    carried_out: bool,
    /// What the account is after the deed, for whoever did it, also where the states of accounts are otherwise not theirs to read. Null:
    /// nothing was done, or it was only shown.
    account_state: Option<AccountState>,
    /// Somebody disabled the account in the directory before it was suspended: it stays disabled, and an issue says so.
    stays_disabled: bool,
    /// What the caller can mend; empty: it was done.
    user_errors: Vec<UserError>,
}

#[Object]
impl AccountMutation {
    /// Suspends an account at once, whatever HR says, and ends its person's sessions. It waits for no hold; a caller may suspend 20
    /// within a day. It lasts until accountReinstate: the end of a leave in HR does not lift it.
    async fn account_suspend(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose account, and why.")] input: AccountSuspendInput,
    ) -> Maybe<AccountChangePayload> {
        if !allows(ctx, Deed::SuspendAccount, About::List) {
            return None;
        }
        let AccountSuspendInput { staff_member, reason, dry_run, idempotency_key } = input;
        Some(
            give_order(ctx, OrderKind::Suspend, Asked { staff_member, reason, dry_run: dry_run.unwrap_or_default(), idempotency_key })
                .await,
        )
    }

    /// Lifts a suspension by accountSuspend. Where HR says that the person is on leave or has left, the account stays disabled.
    async fn account_reinstate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose suspension, and why.")] input: AccountReinstateInput,
    ) -> Maybe<AccountChangePayload> {
        if !allows(ctx, Deed::SuspendAccount, About::List) {
            return None;
        }
        let AccountReinstateInput { staff_member, reason, dry_run, idempotency_key } = input;
        Some(
            give_order(ctx, OrderKind::Reinstate, Asked { staff_member, reason, dry_run: dry_run.unwrap_or_default(), idempotency_key })
                .await,
        )
    }
}

struct Asked {
    staff_member: IdentityCardKey,
    reason: String,
    dry_run: bool,
    idempotency_key: Option<String>,
}

pub fn refused(user_errors: Vec<UserError>) -> AccountChangePayload {
    AccountChangePayload { staff_member: None, plan: None, carried_out: false, account_state: None, stays_disabled: false, user_errors }
}

/// What is left to the work queue, or is only shown.
pub fn to_come(staff_member: Option<StaffMember>, plan: Option<Plan>) -> AccountChangePayload {
    AccountChangePayload { staff_member, plan, carried_out: false, account_state: None, stays_disabled: false, user_errors: Vec::new() }
}

/// A dry run's answer.
pub fn shown(staff_member: Option<StaffMember>, plan: Plan, stays_disabled: bool) -> AccountChangePayload {
    AccountChangePayload { plan: Some(plan), stays_disabled, ..to_come(staff_member, None) }
}

fn one(code: UserErrorCode, path: &str, message: &str) -> AccountChangePayload {
    refused(vec![UserError::new(code, path, message)])
}

async fn give_order(ctx: &Context<'_>, kind: OrderKind, asked: Asked) -> Result<AccountChangePayload> {
    let mut faults = order::faults(&asked.reason, asked.idempotency_key.as_deref());
    let who = order::found(ctx, Deed::SuspendAccount, &asked.staff_member).await?;
    if who.is_none() {
        faults.push(order::nobody());
    }
    let Some(record) = who.filter(|_| faults.is_empty()) else { return Ok(refused(faults)) };
    let (house, by) = (house(ctx)?, caller(ctx).actor());
    let order = deeds::order(house, record.person.id, kind, asked.reason.trim(), &by);
    let same = json!({ "deed": format!("{:?}", order.kind), "person": order.person, "reason": order.reason });
    let key = order::client_key(ctx, asked.idempotency_key.as_deref(), asked.dry_run, &same);
    match order::before(ctx, key.as_ref()).await? {
        Ok(None) => {}
        Ok(Some(answer)) => return done(ctx, &order, order::read::<order::PlanAnswer>(ctx, &answer)?.plan).await,
        Err(error) => return Ok(refused(vec![error])),
    }
    let Some(supposed) = order.over(record.suspension.as_ref()) else { return Ok(already(kind)) };
    let preview = async { house.reconciler().await?.preview_with(record.person.id, Supposed::Suspension(supposed)).await };
    let plan = match preview.await {
        Ok(plan) => plan,
        // Why not refused: an order is worth most on the day on which the directory is away.
        Err(PortError::Unavailable(_)) if !asked.dry_run => return give(ctx, &order, None, key.as_ref()).await,
        Err(PortError::Unavailable(_)) => return Ok(refused(vec![order::away()])),
        Err(error) => return Err(fault(ctx, &error)),
    };
    if let Some(why) = out_of_reach(&plan) {
        return Ok(refused(vec![order::unwritable(why)]));
    }
    let stays_disabled = stays_disabled(&plan);
    let plan = Plan::of(&plan);
    if asked.dry_run {
        let staff_member = member_of(ctx, record.person.id).await?;
        return Ok(shown(staff_member, plan, stays_disabled));
    }
    give(ctx, &order, Some(plan), key.as_ref()).await
}

fn already(kind: OrderKind) -> AccountChangePayload {
    let message = match kind {
        OrderKind::Suspend => "The account is suspended by order already.",
        OrderKind::Reinstate => "The account is not suspended by order.",
    };
    one(UserErrorCode::AlreadyDone, "staffMember", message)
}

/// Commits the order with its answer, and carries it out.
async fn give(ctx: &Context<'_>, order: &Order, plan: Option<Plan>, key: Option<&ClientKey>) -> Result<AccountChangePayload> {
    let house = house(ctx)?;
    let answer = json!({ "plan": plan }).to_string();
    let outcome = house.store.order(order, &deeds::order_event(order), key.map(|key| (key, answer.as_str()))).await;
    match outcome.map_err(|e| fault(ctx, &e))? {
        Ordered::Given => {}
        Ordered::AlreadySo => return Ok(already(order.kind)),
        Ordered::TooMany => {
            return Ok(one(
                UserErrorCode::RateLimited,
                "staffMember",
                "You have ordered this for 20 accounts within a day, which is the limit.",
            ));
        }
        Ordered::Answered(answer) => return done(ctx, order, order::read::<order::PlanAnswer>(ctx, &answer)?.plan).await,
        Ordered::KeyReused => return Ok(refused(vec![order::reused()])),
    }
    deeds::carry_out(house, order.person).await;
    done(ctx, order, plan).await
}

pub fn stays_disabled(plan: &reconcile::Plan) -> bool {
    plan.people.iter().flat_map(|p| &p.issues).any(|i| i.kind == IssueKind::DisabledByHand)
}

/// What came of an order that was given, with the person as they stand now. `kinds`: what it is done with.
pub async fn came_of(ctx: &Context<'_>, person: PersonId, plan: Option<Plan>, kinds: &[ActionKind]) -> Result<AccountChangePayload> {
    let house = house(ctx)?;
    let left = async { house.reconciler().await?.plan(&reconcile::Whom::People(vec![person]), None).await };
    let left = left.await;
    let stays_disabled = left.as_ref().is_ok_and(stays_disabled);
    let carried_out = left.is_ok_and(|left| !Plan::of(&left).is_to_do(kinds));
    let found = house.store.people(PeopleBy::Ids(&[person])).await.map_err(|e| fault(ctx, &e))?;
    let account_state = found.into_iter().next().and_then(|record| record.account).map(|account| account.state.into());
    Ok(AccountChangePayload { carried_out, account_state, stays_disabled, ..to_come(member_of(ctx, person).await?, plan) })
}

async fn done(ctx: &Context<'_>, order: &Order, plan: Option<Plan>) -> Result<AccountChangePayload> {
    came_of(ctx, order.person, plan, &[ActionKind::Suspend, ActionKind::Reinstate]).await
}
