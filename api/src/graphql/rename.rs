//! Another user name or address, and the names that somebody would get.
use super::account::{AccountChangePayload, refused, shown, stays_disabled};
use super::card::IdentityCardKey;
use super::error::{Maybe, UserError, UserErrorCode, bad_input, fault};
use super::plan::{Plan, out_of_reach};
use super::staff::member_of;
use super::{allows, caller, house, order};
use crate::config::policy::names_of;
use crate::deeds;
use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use kimlik_domain::access::{About, Deed};
use kimlik_domain::account::AccountState;
use kimlik_domain::account::rename::{NameFault, NamesOrdered, Rename, Renamed};
use kimlik_domain::id::PersonId;
use kimlik_domain::lifecycle::look::Supposed;
use kimlik_domain::lifecycle::{ActionKind, reconcile};
use kimlik_domain::ports::{PersonRecord, PortError, PortResult};
use kimlik_domain::staff::IssueKind;
use kimlik_domain::text;
use serde_json::json;
use std::sync::Arc;

#[derive(Default)]
pub struct RenameMutation;
#[derive(Default)]
pub struct RenameQuery;

/// Whose names, which, and why.
#[derive(InputObject)]
pub struct AccountRenameInput {
    /// The person: exactly one of these.
    staff_member: IdentityCardKey,
    /// The new user name: 1 to 20 of a to z, 0 to 9 and, between them, single dots, hyphens and underscores. Left out: it stays.
    username: Option<String>,
    /// The new primary address, in the ministry's domain. Left out: it stays.
    email: Option<String>,
    /// At most 500 characters. It stands in the audit and in the plan.
    reason: String,
    /// Only show what would be done.
    #[graphql(default_with = "Some(false)")]
    dry_run: Option<bool>,
    /// 1 to 100 characters of the client's own: the same key with the same input answers the first result again, for 7 days.
    idempotency_key: Option<String>,
}

/// The names that a newcomer would get now.
#[derive(SimpleObject)]
pub struct UsernameProposal {
    /// Null: no user name can be made of this name, or all are taken.
    username: Option<String>,
    /// The primary address that goes with it.
    email: Option<String>,
}

#[Object]
impl RenameQuery {
    /// The user name and address that a newcomer of this name would get now, free in the directory and never given to anybody.
    /// Reserves nothing: somebody else may get them first. Officers, administrators and services that hand in records.
    #[graphql(complexity = "20 + child_complexity")]
    async fn username_proposal(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Ad, at most 100 characters.")] given_name: String,
        #[graphql(desc = "Soyad, at most 100 characters.")] family_name: String,
    ) -> Maybe<UsernameProposal> {
        if !allows(ctx, Deed::ProposeUsername, About::List) {
            return None;
        }
        Some(propose(ctx, &given_name, &family_name).await)
    }
}

const LONGEST_NAME: usize = 100;

async fn propose(ctx: &Context<'_>, given: &str, family: &str) -> Result<UsernameProposal> {
    for (argument, text) in [("givenName", given), ("familyName", family)] {
        if text.chars().count() > LONGEST_NAME {
            return Err(bad_input(format!("{argument}: at most {LONGEST_NAME} characters.")));
        }
        if text.chars().any(char::is_control) {
            return Err(bad_input(format!("{argument}: control characters are not part of a name.")));
        }
    }
    let names = async {
        house(ctx)?.reconciler().await.map_err(|e| fault(ctx, &e))?.propose_names(given, family).await.map_err(|e| fault(ctx, &e))
    };
    let names = names.await?;
    Ok(UsernameProposal { username: names.as_ref().map(|n| n.username.to_string()), email: names.as_ref().map(|n| n.mail.to_string()) })
}

#[Object]
impl RenameMutation {
    /// Gives an account another user name, another primary address, or both. The old address stays as an alias, and nobody else ever
    /// gets the old names. It goes by the limits on renames: what exceeds them is held. Who leaves a name out keeps it.
    async fn account_rename(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose names, which, and why.")] input: AccountRenameInput,
    ) -> Maybe<AccountChangePayload> {
        if !allows(ctx, Deed::RenameAccount, About::List) {
            return None;
        }
        Some(rename(ctx, input).await)
    }
}

fn name_fault(fault: NameFault, field: &str) -> UserError {
    let code = if fault == NameFault::TooLong { UserErrorCode::TooLong } else { UserErrorCode::Invalid };
    let message = match (fault, field) {
        (NameFault::Characters, _) => "Only a to z, 0 to 9 and, between them, single dots, hyphens and underscores.",
        (NameFault::TooLong, "username") => "A user name has at most 20 characters.",
        (NameFault::TooLong, _) => "Before the @ an address has at most 64 characters.",
        (NameFault::Barred, _) => "The settings bar this name.",
        (NameFault::Domain, _) => "This is not an address of the ministry's domain.",
    };
    UserError::new(code, field, message)
}

/// The input as far as it can be right, or all that is wrong with it.
async fn wish(ctx: &Context<'_>, input: &AccountRenameInput) -> Result<std::result::Result<(PersonRecord, Rename), Vec<UserError>>> {
    let house = house(ctx)?;
    let names = names_of(&house.config);
    let mut faults = order::faults(&input.reason, input.idempotency_key.as_deref());
    let mut parsed = |text: &Option<String>, field, parse: &dyn Fn(&str) -> std::result::Result<Arc<str>, NameFault>| {
        let parsed = text.as_deref().map(parse).transpose();
        parsed.unwrap_or_else(|fault| {
            faults.push(name_fault(fault, field));
            None
        })
    };
    let username = parsed(&input.username, "username", &|text| names.username_of(text));
    let mail = parsed(&input.email, "email", &|text| names.address_of(text));
    if input.username.is_none() && input.email.is_none() {
        faults.push(UserError::new(UserErrorCode::Invalid, "username", "Give a user name, an address, or both."));
    }
    let who = order::found(ctx, Deed::RenameAccount, &input.staff_member).await?;
    if who.is_none() {
        faults.push(order::nobody());
    }
    let Some(record) = who.filter(|_| faults.is_empty()) else { return Ok(Err(faults)) };
    let at = house.clock.now();
    let by = NamesOrdered { by: caller(ctx).actor().into(), reason: input.reason.trim().into(), at };
    let named_for = text::fold(&record.person.full_name()).into();
    let rename = Rename { id: deeds::new_id(house, at), person: record.person.id, username, mail, named_for, by };
    Ok(Ok((record, rename)))
}

fn taken(username: bool, mail: bool) -> AccountChangePayload {
    let message = "Somebody else has this name, or had it.";
    let told = [(username, "username"), (mail, "email")].into_iter().filter(|(is, _)| *is);
    refused(told.map(|(_, field)| UserError::new(UserErrorCode::Conflict, field, message)).collect())
}

fn no_account() -> AccountChangePayload {
    refused(vec![UserError::new(UserErrorCode::Conflict, "staffMember", "There is no open account to be renamed.")])
}

fn already() -> AccountChangePayload {
    refused(vec![UserError::new(UserErrorCode::AlreadyDone, "username", "The account has these names.")])
}

async fn rename(ctx: &Context<'_>, input: AccountRenameInput) -> Result<AccountChangePayload> {
    let (record, rename) = match wish(ctx, &input).await? {
        Ok(wish) => wish,
        Err(faults) => return Ok(refused(faults)),
    };
    let (house, person) = (house(ctx)?, record.person.id);
    let asked =
        json!({ "deed": "accountRename", "person": person, "username": rename.username, "mail": rename.mail, "reason": rename.by.reason });
    let key = order::client_key(ctx, input.idempotency_key.as_deref(), input.dry_run.unwrap_or_default(), &asked);
    match order::before(ctx, key.as_ref()).await? {
        Ok(None) => {}
        Ok(Some(answer)) => return done(ctx, person, order::read(ctx, &answer)?).await,
        Err(error) => return Ok(refused(vec![error])),
    }
    let open = |a: &&kimlik_domain::account::Account| a.guid.is_some() && a.state != AccountState::Closed;
    let Some(account) = record.account.as_ref().filter(open) else { return Ok(no_account()) };
    let names = rename.over(&account.names);
    if (&names.username, &names.mail) == (&account.names.username, &account.names.mail) {
        return Ok(already());
    }
    let planned = async {
        let reconciler = house.reconciler().await?;
        let (username, mail) = reconciler.taken_by_others(account, &rename).await?;
        // Why here too, before the names are written: a dry run tells it, and of both names at once.
        let is_others = async |username: Option<&str>, mail: Option<&str>| -> PortResult<bool> {
            let asked = username.is_some() || mail.is_some();
            Ok(asked && house.store.person_named(username, mail).await?.is_some_and(|owner| owner != person))
        };
        let others =
            (username || is_others(rename.username.as_deref(), None).await?, mail || is_others(None, rename.mail.as_deref()).await?);
        let plan = reconciler.preview_with(person, Supposed::Names(names, rename.by.clone())).await?;
        Ok((others, plan))
    };
    let ((username, mail), plan) = match planned.await {
        Ok(planned) => planned,
        Err(PortError::Unavailable(_)) => return Ok(refused(vec![order::away()])),
        Err(error) => return Err(fault(ctx, &error)),
    };
    if username || mail {
        return Ok(taken(username, mail));
    }
    if let Some(why) = out_of_reach(&plan) {
        return Ok(refused(vec![order::unwritable(why)]));
    }
    if rename.mail.is_some() && has(&plan, IssueKind::AddressPolicy) {
        let message = "An e-mail address policy of Exchange writes this account's addresses. Exclude the recipient from it first.";
        return Ok(refused(vec![UserError::new(UserErrorCode::NotAllowed, "email", message)]));
    }
    let stays_disabled = stays_disabled(&plan);
    let plan = Plan::of(&plan);
    if input.dry_run.unwrap_or_default() {
        let staff_member = member_of(ctx, person).await?;
        return Ok(shown(staff_member, plan, stays_disabled));
    }
    let kept = json!({ "plan": plan }).to_string();
    let outcome = house.store.rename(&rename, &deeds::rename_event(&rename), key.as_ref().map(|key| (key, kept.as_str()))).await;
    match outcome.map_err(|e| fault(ctx, &e))? {
        Renamed::Given => {}
        Renamed::Taken { username, mail } => return Ok(taken(username, mail)),
        Renamed::AlreadySo => return Ok(already()),
        Renamed::NoAccount => return Ok(no_account()),
        Renamed::Answered(answer) => return done(ctx, person, order::read(ctx, &answer)?).await,
        Renamed::KeyReused => return Ok(refused(vec![order::reused()])),
    }
    deeds::carry_out(house, person).await;
    done(ctx, person, order::PlanAnswer { plan: Some(plan) }).await
}

fn has(plan: &reconcile::Plan, kind: IssueKind) -> bool {
    plan.people.iter().flat_map(|p| &p.issues).any(|i| i.kind == kind)
}

async fn done(ctx: &Context<'_>, person: PersonId, answer: order::PlanAnswer) -> Result<AccountChangePayload> {
    super::account::came_of(ctx, person, answer.plan, &[ActionKind::Rename]).await
}
