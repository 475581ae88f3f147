//! This account of the directory is that person's: an administrator says so.
use super::account::{AccountChangePayload, came_of, refused, shown, stays_disabled, to_come};
use super::card::IdentityCardKey;
use super::error::{Maybe, UserError, UserErrorCode, fault};
use super::plan::{Plan, out_of_reach};
use super::staff::member_of;
use super::{allows, caller, house, order};
use crate::deeds;
use async_graphql::{Context, InputObject, Object, OneofObject, Result, SimpleObject};
use chrono::{DateTime, Utc};
use kimlik_domain::access::{About, Deed};
use kimlik_domain::account::Dn;
use kimlik_domain::account::adoption::{Adopted, Adoption, AdoptionOrdered, NotAdoptable, Withdrawn};
use kimlik_domain::id::{AccountGuid, PersonId};
use kimlik_domain::lifecycle::ActionKind;
use kimlik_domain::lifecycle::adoption::AccountKey;
use kimlik_domain::lifecycle::look::Supposed;
use kimlik_domain::lifecycle::reconcile::Plan as Planned;
use kimlik_domain::ports::{NameRequest, PersonRecord, PortError, PortResult};
use serde_json::json;

#[derive(Default)]
pub struct AdoptionMutation;

/// What names an account of the directory: exactly one of these.
#[derive(OneofObject)]
pub enum DirectoryAccountKey {
    /// objectGUID.
    Guid(uuid::Uuid),
    /// As the directory shows it, at most 2,000 characters.
    DistinguishedName(String),
}

/// Which account becomes whose, and why.
#[derive(InputObject)]
pub struct AccountAdoptInput {
    /// The person: exactly one of these.
    staff_member: IdentityCardKey,
    /// The account: exactly one of these.
    account: DirectoryAccountKey,
    /// At most 500 characters. It stands in the audit and in the plan.
    reason: String,
    /// Only show what would be done.
    #[graphql(default_with = "Some(false)")]
    dry_run: Option<bool>,
    /// 1 to 100 characters of the client's own: the same key with the same input answers the first result again, for 7 days.
    idempotency_key: Option<String>,
}

/// Whose order is taken back, and why.
#[derive(InputObject)]
pub struct AccountAdoptionWithdrawInput {
    /// The person: exactly one of these.
    staff_member: IdentityCardKey,
    /// At most 500 characters. It stands in the audit.
    reason: String,
    /// Only show what would be done for the person without the order.
    #[graphql(default_with = "Some(false)")]
    dry_run: Option<bool>,
    /// 1 to 100 characters of the client's own: the same key with the same input answers the first result again, for 7 days.
    idempotency_key: Option<String>,
}

/// An order by accountAdopt that was not carried out yet.
#[derive(SimpleObject)]
pub struct AdoptionOrder {
    /// objectGUID of the account that is to become the person's.
    account: uuid::Uuid,
    /// Who gave it: `user:…`, `service:…`.
    ordered_by: String,
    /// Why.
    reason: String,
    /// When.
    ordered_at: DateTime<Utc>,
}

impl AdoptionOrder {
    pub fn of(order: &AdoptionOrdered) -> AdoptionOrder {
        let (ordered_by, reason) = (order.by.to_string(), order.reason.to_string());
        AdoptionOrder { account: order.guid.0, ordered_by, reason, ordered_at: order.at }
    }
}

#[Object]
impl AdoptionMutation {
    /// An account that existed before Kimlik becomes this person's, at once and whatever holds say: it keeps its user name, address and
    /// password, gets the registry number, and what HR says of the person. For people without an account, mostly where an issue
    /// waits for somebody to decide whether an account of that name is theirs. Administrators only.
    async fn account_adopt(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which account becomes whose, and why.")] input: AccountAdoptInput,
    ) -> Maybe<AccountChangePayload> {
        if !allows(ctx, Deed::AdoptAccount, About::List) {
            return None;
        }
        Some(adopt(ctx, input).await)
    }

    /// Takes back an accountAdopt that was not carried out: its account cannot be found any more, or was the wrong one. The names that came
    /// with it are free again, and the person is looked at as if nothing had been ordered: what is done then is the plan. What was
    /// carried out is not undone. Administrators only.
    async fn account_adoption_withdraw(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose order is taken back, and why.")] input: AccountAdoptionWithdrawInput,
    ) -> Maybe<AccountChangePayload> {
        if !allows(ctx, Deed::AdoptAccount, About::List) {
            return None;
        }
        Some(withdraw(ctx, input).await)
    }
}

const LONGEST_DN: usize = 2_000;

fn key_of(account: &DirectoryAccountKey) -> std::result::Result<AccountKey, UserError> {
    match account {
        DirectoryAccountKey::Guid(guid) => Ok(AccountKey::Guid(AccountGuid(*guid))),
        DirectoryAccountKey::DistinguishedName(text) => {
            let text = text.trim();
            if text.chars().count() > LONGEST_DN {
                return Err(UserError::new(UserErrorCode::TooLong, "account", "A distinguished name has at most 2000 characters."));
            }
            if text.is_empty() || text.chars().any(char::is_control) || !text.contains('=') {
                return Err(UserError::new(UserErrorCode::Invalid, "account", "This is not a distinguished name."));
            }
            Ok(AccountKey::Dn(Dn::new(text)))
        }
    }
}

fn why_not(why: &NotAdoptable) -> UserError {
    let (code, field, message) = match why {
        NotAdoptable::NotFound => {
            (UserErrorCode::NotFound, "account", "There is no such account in the part of the directory that Kimlik manages.")
        }
        NotAdoptable::Protected(_) => (
            UserErrorCode::NotAllowed,
            "account",
            "The account is protected: Kimlik does not write it. Have the directory's administrators do it.",
        ),
        NotAdoptable::Owned => (UserErrorCode::Conflict, "account", "The account is somebody's already."),
        NotAdoptable::OtherNumber => (UserErrorCode::Conflict, "account", "The account carries another registry number as its employeeID."),
        NotAdoptable::HasAccount => (UserErrorCode::Conflict, "staffMember", "This person has an account."),
        NotAdoptable::UnderWay => {
            (UserErrorCode::TryLater, "staffMember", "An account is being opened for this person just now. Try again in a minute.")
        }
    };
    UserError::new(code, field, message)
}

fn name_taken() -> AccountChangePayload {
    let message = "The account's user name or address is, or was, somebody else's. Change it in the directory first.";
    refused(vec![UserError::new(UserErrorCode::Conflict, "account", message)])
}

async fn adopt(ctx: &Context<'_>, input: AccountAdoptInput) -> Result<AccountChangePayload> {
    let dry_run = input.dry_run.unwrap_or_default();
    let mut faults = order::faults(&input.reason, input.idempotency_key.as_deref());
    let key_of_account = key_of(&input.account).map_err(|error| faults.push(error)).ok();
    let who = order::found(ctx, Deed::AdoptAccount, &input.staff_member).await?;
    if who.is_none() {
        faults.push(order::nobody());
    }
    let (Some(record), Some(which)) = (who, key_of_account) else { return Ok(refused(faults)) };
    if !faults.is_empty() {
        return Ok(refused(faults));
    }
    let (house, person) = (house(ctx)?, record.person.id);
    let asked = json!({ "deed": "accountAdopt", "person": person, "account": format!("{which:?}"), "reason": input.reason.trim() });
    let key = order::client_key(ctx, input.idempotency_key.as_deref(), dry_run, &asked);
    match order::before(ctx, key.as_ref()).await? {
        Ok(None) => {}
        Ok(Some(answer)) => return done(ctx, person, order::read(ctx, &answer)?).await,
        Err(error) => return Ok(refused(vec![error])),
    }
    let reason = input.reason.trim();
    let (adoption, names, plan) = match planned(ctx, &record, &which, reason).await {
        Ok(Ok(planned)) => planned,
        Ok(Err(why)) => return Ok(refused(vec![why_not(&why)])),
        Err(PortError::Unavailable(_)) => return Ok(refused(vec![order::away()])),
        Err(error) => return Err(fault(ctx, &error)),
    };
    if let Some(why) = out_of_reach(&plan) {
        return Ok(refused(vec![order::unwritable(why)]));
    }
    let stays_disabled = stays_disabled(&plan);
    let plan = Plan::of(&plan);
    if !plan.is_to_do(&[ActionKind::Adopt]) {
        let message = "Something about this person has to be mended first: their data issues say what.";
        return Ok(refused(vec![UserError::new(UserErrorCode::Conflict, "staffMember", message)]));
    }
    if dry_run {
        let staff_member = member_of(ctx, person).await?;
        return Ok(shown(staff_member, plan, stays_disabled));
    }
    let kept = json!({ "plan": plan }).to_string();
    let event = deeds::adoption_event(&adoption);
    let outcome = house.store.adopt(&adoption, &names, &event, key.as_ref().map(|key| (key, kept.as_str()))).await;
    match outcome.map_err(|e| fault(ctx, &e))? {
        Adopted::Given => {}
        Adopted::NameTaken => return Ok(name_taken()),
        Adopted::HasAccount => return Ok(refused(vec![why_not(&NotAdoptable::HasAccount)])),
        Adopted::Owned => return Ok(refused(vec![why_not(&NotAdoptable::Owned)])),
        Adopted::UnderWay => return Ok(refused(vec![why_not(&NotAdoptable::UnderWay)])),
        Adopted::AlreadySo => {
            let message = "This account was ordered to become this person's already.";
            return Ok(refused(vec![UserError::new(UserErrorCode::AlreadyDone, "account", message)]));
        }
        Adopted::Answered(answer) => return done(ctx, person, order::read(ctx, &answer)?).await,
        Adopted::KeyReused => return Ok(refused(vec![order::reused()])),
    }
    deeds::carry_out(house, person).await;
    done(ctx, person, order::PlanAnswer { plan: Some(plan) }).await
}

type Ready = (Adoption, NameRequest, Planned);

async fn planned(
    ctx: &Context<'_>,
    record: &PersonRecord,
    which: &AccountKey,
    reason: &str,
) -> PortResult<std::result::Result<Ready, NotAdoptable>> {
    let Ok(house) = house(ctx) else { return Ok(Err(NotAdoptable::NotFound)) };
    let reconciler = house.reconciler().await?;
    let found = match reconciler.adoptable(record, which).await? {
        Ok(found) => found,
        Err(why) => return Ok(Err(why)),
    };
    let at = house.clock.now();
    let ordered = AdoptionOrdered { guid: found.guid, by: caller(ctx).actor().into(), reason: reason.into(), at };
    let names = reconciler.adopted_names(record, &found).await?;
    let plan = reconciler.preview_with(record.person.id, Supposed::Adoption(ordered.clone())).await?;
    Ok(Ok((Adoption { id: deeds::new_id(house, at), person: record.person.id, ordered }, names, plan)))
}

async fn done(ctx: &Context<'_>, person: PersonId, answer: order::PlanAnswer) -> Result<AccountChangePayload> {
    came_of(ctx, person, answer.plan, &[ActionKind::Adopt]).await
}

async fn withdraw(ctx: &Context<'_>, input: AccountAdoptionWithdrawInput) -> Result<AccountChangePayload> {
    let dry_run = input.dry_run.unwrap_or_default();
    let mut faults = order::faults(&input.reason, input.idempotency_key.as_deref());
    let who = order::found(ctx, Deed::AdoptAccount, &input.staff_member).await?;
    if who.is_none() {
        faults.push(order::nobody());
    }
    let Some(record) = who.filter(|_| faults.is_empty()) else { return Ok(refused(faults)) };
    let (house, person, reason) = (house(ctx)?, record.person.id, input.reason.trim());
    let asked = json!({ "deed": "accountAdoptionWithdraw", "person": person, "reason": reason });
    let key = order::client_key(ctx, input.idempotency_key.as_deref(), dry_run, &asked);
    match order::before(ctx, key.as_ref()).await? {
        Ok(None) => {}
        Ok(Some(answer)) => return withdrawn(ctx, person, order::read(ctx, &answer)?).await,
        Err(error) => return Ok(refused(vec![error])),
    }
    let ordered = record.account.as_ref().filter(|a| a.guid.is_none()).and_then(|a| a.adopt.as_ref());
    let Some(ordered) = ordered else { return Ok(no_order()) };
    let preview = async { house.reconciler().await?.preview_with(person, Supposed::NoAdoption).await };
    let plan = match preview.await {
        Ok(plan) => Some(Plan::of(&plan)),
        // Why not refused: what was a mistake is taken back whether the directory answers or not.
        Err(PortError::Unavailable(_)) if !dry_run => None,
        Err(PortError::Unavailable(_)) => return Ok(refused(vec![order::away()])),
        Err(error) => return Err(fault(ctx, &error)),
    };
    let answer = order::PlanAnswer { plan };
    if dry_run {
        return withdrawn(ctx, person, answer).await;
    }
    let kept = json!(answer).to_string();
    let event = deeds::adoption_withdrawn_event(person, ordered, reason, &caller(ctx).actor(), house.clock.now());
    let outcome = house.store.withdraw_adoption(person, &event, key.as_ref().map(|key| (key, kept.as_str()))).await;
    match outcome.map_err(|e| fault(ctx, &e))? {
        Withdrawn::Done => house.wake.notify_one(),
        Withdrawn::NoOrder => return Ok(no_order()),
        Withdrawn::UnderWay => {
            let message = "The order is being carried out just now. Try again in a minute.";
            return Ok(refused(vec![UserError::new(UserErrorCode::TryLater, "staffMember", message)]));
        }
        Withdrawn::Answered(answer) => return withdrawn(ctx, person, order::read(ctx, &answer)?).await,
        Withdrawn::KeyReused => return Ok(refused(vec![order::reused()])),
    }
    withdrawn(ctx, person, answer).await
}

fn no_order() -> AccountChangePayload {
    let message = "There is no order that waits: none was given, or it was carried out or taken back.";
    refused(vec![UserError::new(UserErrorCode::AlreadyDone, "staffMember", message)])
}

/// What is to be done without the order is left to the work queue.
async fn withdrawn(ctx: &Context<'_>, person: PersonId, answer: order::PlanAnswer) -> Result<AccountChangePayload> {
    let staff_member = member_of(ctx, person).await?;
    Ok(to_come(staff_member, answer.plan))
}
