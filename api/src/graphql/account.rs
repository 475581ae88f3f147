//! Deeds on one person's account that do not wait for HR: suspended at once, and given back.
use super::card::IdentityCardKey;
use super::error::{Maybe, UserError, UserErrorCode, fault};
use super::plan::{OutOfReach, Plan, out_of_reach};
use super::staff::{StaffMember, member_of};
use super::{allows, caller, house, id};
use crate::deeds;
use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use kimlik_domain::access::idempotency::{ClientKey, KeyState, is_key};
use kimlik_domain::access::{About, Deed};
use kimlik_domain::day;
use kimlik_domain::id::PersonId;
use kimlik_domain::lifecycle::ActionKind;
use kimlik_domain::lifecycle::suspension::{LONGEST_REASON, Order, OrderKind, Ordered};
use kimlik_domain::ports::{PeopleBy, PersonRecord, PortError};
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
    #[graphql(default)]
    dry_run: bool,
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
    #[graphql(default)]
    dry_run: bool,
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
    /// The directory shows it. False, and no userErrors, and no dry run: it is certain, and done as soon as the directory answers.
    carried_out: bool,
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
        Some(order(ctx, OrderKind::Suspend, Asked { staff_member, reason, dry_run, idempotency_key }).await)
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
        Some(order(ctx, OrderKind::Reinstate, Asked { staff_member, reason, dry_run, idempotency_key }).await)
    }
}

struct Asked {
    staff_member: IdentityCardKey,
    reason: String,
    dry_run: bool,
    idempotency_key: Option<String>,
}

fn refused(user_errors: Vec<UserError>) -> AccountChangePayload {
    AccountChangePayload { staff_member: None, plan: None, carried_out: false, user_errors }
}

fn one(code: UserErrorCode, path: &str, message: &str) -> AccountChangePayload {
    refused(vec![UserError::new(code, path, message)])
}

fn faults(asked: &Asked) -> Vec<UserError> {
    let mut faults = Vec::new();
    let reason = asked.reason.trim();
    if reason.is_empty() || reason.chars().any(char::is_control) {
        faults.push(UserError::new(UserErrorCode::Invalid, "reason", "Give a reason, in one line."));
    } else if reason.chars().count() > LONGEST_REASON {
        faults.push(UserError::new(UserErrorCode::TooLong, "reason", "A reason has at most 500 characters."));
    }
    if asked.idempotency_key.as_deref().is_some_and(|key| !is_key(key)) {
        faults.push(UserError::new(UserErrorCode::Invalid, "idempotencyKey", "A key has 1 to 100 characters."));
    }
    faults
}

/// Whom the key names, if `deed` may be done to them: whoever it may not is not told from nobody.
async fn found(ctx: &Context<'_>, deed: Deed, by: &IdentityCardKey) -> Result<Option<(PersonRecord, About)>> {
    let house = house(ctx)?;
    let named = match by {
        IdentityCardKey::Id(given) => Ok(id::decode(id::CARD, given).map(PersonId)),
        IdentityCardKey::Username(name) => house.store.person_named(Some(name.trim()), None).await,
        IdentityCardKey::Email(address) => house.store.person_named(None, Some(address.trim())).await,
        IdentityCardKey::RegistryNumber(no) => {
            let found = house.store.people(PeopleBy::RegistryNos(std::slice::from_ref(&no.0))).await;
            found.map(|found| found.first().map(|r| r.person.id))
        }
    };
    let Some(person) = named.map_err(|e| fault(ctx, &e))? else { return Ok(None) };
    let records = house.store.people(PeopleBy::Ids(&[person])).await.map_err(|e| fault(ctx, &e))?;
    let today = day::today(house.clock.now());
    let record = records.into_iter().next().map(|record| {
        let about = About::person(&record.person, today);
        (record, about)
    });
    Ok(record.filter(|(_, about)| allows(ctx, deed, *about)))
}

const AWAY: &str = "The directory does not answer now. Nothing was done; try again later.";

async fn order(ctx: &Context<'_>, kind: OrderKind, asked: Asked) -> Result<AccountChangePayload> {
    let mut faults = faults(&asked);
    let who = found(ctx, Deed::SuspendAccount, &asked.staff_member).await?;
    if who.is_none() {
        faults.push(UserError::new(UserErrorCode::NotFound, "staffMember", "There is no such member of staff."));
    }
    let Some((record, _)) = who.filter(|_| faults.is_empty()) else { return Ok(refused(faults)) };
    let (house, by) = (house(ctx)?, caller(ctx).actor());
    let order = deeds::order(house, record.person.id, kind, asked.reason.trim(), &by);
    let key = asked.idempotency_key.as_deref().filter(|_| !asked.dry_run).map(|key| client_key(&order, key));
    if let Some(key) = &key {
        match house.store.key_state(key, order.at).await.map_err(|e| fault(ctx, &e))? {
            KeyState::New => {}
            KeyState::Answered(answer) => return answered(ctx, &order, &answer).await,
            KeyState::Reused => return Ok(reused()),
        }
    }
    let Some(supposed) = order.over(record.suspension.as_ref()) else { return Ok(already(kind)) };
    let preview = async { house.reconciler().await?.preview_with(record.person.id, Some(supposed)).await };
    let plan = match preview.await {
        Ok(plan) => plan,
        // Why not refused: an order is worth most on the day on which the directory is away.
        Err(PortError::Unavailable(_)) if !asked.dry_run => return give(ctx, &order, None, key.as_ref()).await,
        Err(PortError::Unavailable(_)) => return Ok(one(UserErrorCode::TryLater, "staffMember", AWAY)),
        Err(error) => return Err(fault(ctx, &error)),
    };
    if let Some(why) = out_of_reach(&plan) {
        let message = match why {
            OutOfReach::Observed => "The unit is only observed: Kimlik does not write its accounts.",
            OutOfReach::Protected => "The account is protected: Kimlik does not write it. Have the directory's administrators do it.",
        };
        return Ok(one(UserErrorCode::NotAllowed, "staffMember", message));
    }
    let plan = Plan::of(&plan);
    if asked.dry_run {
        let staff_member = member_of(ctx, record.person.id).await?;
        return Ok(AccountChangePayload { staff_member, plan: Some(plan), carried_out: false, user_errors: Vec::new() });
    }
    give(ctx, &order, Some(plan), key.as_ref()).await
}

fn client_key(order: &Order, key: &str) -> ClientKey {
    let asked = json!({ "deed": format!("{:?}", order.kind), "person": order.person, "reason": order.reason }).to_string();
    ClientKey { client: order.by.to_string(), key: key.to_owned(), asked }
}

fn reused() -> AccountChangePayload {
    one(UserErrorCode::IdempotencyKeyReused, "idempotencyKey", "This key was used for another input. Take a new one.")
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
        Ordered::Answered(answer) => return answered(ctx, order, &answer).await,
        Ordered::KeyReused => return Ok(reused()),
    }
    deeds::carry_out(house, order.person).await;
    done(ctx, order, plan).await
}

/// What was answered before, with the person as they stand now.
async fn answered(ctx: &Context<'_>, order: &Order, answer: &str) -> Result<AccountChangePayload> {
    #[derive(serde::Deserialize)]
    struct Answer {
        plan: Option<Plan>,
    }
    let unreadable = |_| fault(ctx, &PortError::refused(kimlik_domain::ports::Refusal::Other, "an answer that was kept cannot be read"));
    let answer: Answer = serde_json::from_str(answer).map_err(unreadable)?;
    done(ctx, order, answer.plan).await
}

async fn done(ctx: &Context<'_>, order: &Order, plan: Option<Plan>) -> Result<AccountChangePayload> {
    let house = house(ctx)?;
    let left = async { house.reconciler().await?.plan(&kimlik_domain::lifecycle::reconcile::Whom::People(vec![order.person]), None).await };
    let carried_out = left.await.is_ok_and(|left| !Plan::of(&left).is_to_do(&[ActionKind::Suspend, ActionKind::Reinstate]));
    let staff_member = member_of(ctx, order.person).await?;
    Ok(AccountChangePayload { staff_member, plan, carried_out, user_errors: Vec::new() })
}
