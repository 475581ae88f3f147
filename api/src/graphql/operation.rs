//! Operations: one change of one account each, and trying again what failed.
use super::card::{IdentityCard, of_person};
use super::error::{Maybe, UserError, UserErrorCode, bad_input, fault};
use super::page::{self, Cursor, Page};
use super::plan::Plan;
use super::run::{ChangeAction, SyncRun};
use super::scalar::{UnitCode, comparable};
use super::{allows, caller, house, id, permits, permitted, said};
use crate::deeds;
use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use kimlik_domain::access::{About, Deed};
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::{OperationId, PersonId, RunId};
use kimlik_domain::lifecycle::ActionKind;
use kimlik_domain::lifecycle::reconcile::Whom;
use kimlik_domain::lifecycle::run;
use kimlik_domain::ports::{OperationFilter, OperationsOf};
use serde_json::json;
use uuid::Uuid;

#[derive(Default)]
pub struct OperationQuery;
#[derive(Default)]
pub struct OperationMutation;

/// How an operation stands.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::lifecycle::run::OperationStatus")]
pub enum OperationStatus {
    /// Committed, not yet settled.
    Intended,
    /// Done, and seen in the directory.
    Done,
    /// The directory refused it.
    Refused,
    /// Perhaps it happened: the person is looked at again.
    InDoubt,
    /// Found not wholly done after a doubt; what was missing was planned anew.
    Superseded,
}

/// One step of an operation, with its time.
pub struct ReceiptLine(run::ReceiptLine);

#[Object]
/// One step of an operation, with its time.
impl ReceiptLine {
    /// When.
    async fn at(&self) -> DateTime<Utc> {
        self.0.at
    }
    /// In plain words, in the caller's language.
    async fn step(&self, ctx: &Context<'_>) -> String {
        said(ctx, &self.0.step)
    }
    /// What came of it: done (yapıldı), or why not.
    async fn result(&self, ctx: &Context<'_>) -> String {
        said(ctx, &self.0.result)
    }
}

impl From<run::ReceiptLine> for ReceiptLine {
    fn from(line: run::ReceiptLine) -> ReceiptLine {
        ReceiptLine(line)
    }
}

/// One change of one account.
pub struct Operation(pub run::OperationRecord);

#[Object]
/// One change of one account, from its intent to its receipt.
impl Operation {
    /// Of this operation.
    pub async fn id(&self) -> ID {
        id::encode(id::OPERATION, self.0.id.0)
    }
    /// What is done.
    async fn action(&self) -> ChangeAction {
        self.0.kind.into()
    }
    /// How it stands.
    async fn status(&self) -> OperationStatus {
        self.0.status.into()
    }
    /// The reason, in plain words, in the caller's language.
    async fn because(&self, ctx: &Context<'_>) -> String {
        said(ctx, &self.0.because)
    }
    /// When it was decided.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
    /// When its outcome was seen.
    async fn settled_at(&self) -> Option<DateTime<Utc>> {
        self.0.settled_at
    }
    /// Every step with its time.
    async fn receipt(&self) -> Vec<ReceiptLine> {
        self.0.receipt.iter().cloned().map(ReceiptLine).collect()
    }
    /// The run that it is a part of. Who may read runs; others see null.
    #[graphql(complexity = "5 + child_complexity")]
    async fn run(&self, ctx: &Context<'_>) -> Maybe<SyncRun> {
        if !allows(ctx, Deed::ReadRun, About::Everything) {
            return None;
        }
        run_of(ctx, self.0.run).await.transpose()
    }
    /// Whose account.
    #[graphql(complexity = "5 + child_complexity")]
    async fn card(&self, ctx: &Context<'_>) -> Maybe<IdentityCard> {
        of_person(ctx, self.0.person).await.transpose()
    }
}

/// A page of what was done, newest first.
pub async fn of(ctx: &Context<'_>, of: OperationsOf, first: Option<i32>, after: Option<&str>) -> Result<Page<Operation>> {
    let wanted = page::first(first)?;
    let before = page::after(id::OPERATION, after)?.map(OperationId);
    let found = house(ctx)?.store.operations(of, before, wanted + 1).await.map_err(|e| fault(ctx, &e))?;
    Ok(page::page(found, wanted, before.is_some(), node))
}

fn node(operation: run::OperationRecord) -> (Cursor, Operation) {
    (Cursor(id::encode(id::OPERATION, operation.id.0).0), Operation(operation))
}

/// By its id, where the caller may read it.
pub async fn one(ctx: &Context<'_>, id: Uuid) -> Result<Option<Operation>> {
    if !allows(ctx, Deed::ReadOperation, About::List) {
        return Ok(None);
    }
    let found = house(ctx)?.records.operation(OperationId(id)).await.map_err(|e| fault(ctx, &e))?;
    let Some(operation) = found else { return Ok(None) };
    Ok(permits(ctx, Deed::ReadOperation, operation.person).await?.then_some(Operation(operation)))
}

async fn run_of(ctx: &Context<'_>, run: RunId) -> Result<Option<SyncRun>> {
    let found = house(ctx)?.runs.progress(run).await.map_err(|e| fault(ctx, &e))?;
    Ok(found.map(|(run, _)| SyncRun::of(run)))
}

/// Which operations; all that is said must fit.
#[derive(InputObject)]
#[graphql(name = "OperationFilter")]
pub struct AskedOperations {
    /// One of these: REFUSED and IN_DOUBT are what failed.
    statuses: Option<Vec<OperationStatus>>,
    /// One of these.
    actions: Option<Vec<ChangeAction>>,
    /// The id of a card: of this person's account.
    person_id: Option<ID>,
    /// Of people who have, had or will have a posting in one of these.
    units: Option<Vec<UnitCode>>,
    /// Or in the units below them.
    #[graphql(default_with = "Some(true)")]
    include_subunits: Option<bool>,
    /// Decided then or later.
    since: Option<DateTime<Utc>>,
    /// Decided before.
    until: Option<DateTime<Utc>>,
}

#[Object]
impl OperationQuery {
    /// What was done to accounts, newest first; a personnel officer sees what was done to the own people's.
    #[graphql(complexity = "page::cost(__ctx, __variables_definition, __field, child_complexity)")]
    async fn operations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only these; null: all.")] filter: Option<AskedOperations>,
        #[graphql(desc = "How many, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before.")] after: Option<String>,
    ) -> Maybe<Page<Operation>> {
        if !allows(ctx, Deed::ReadOperation, About::List) {
            return None;
        }
        Some(list(ctx, filter, first, after.as_deref()).await)
    }
}

const MOST_VALUES: usize = 1_000;
/// Read at once where only some of them may be seen.
const BATCH: u32 = 500;

async fn asked(ctx: &Context<'_>, filter: Option<AskedOperations>) -> Result<OperationFilter> {
    let Some(filter) = filter else { return Ok(OperationFilter::default()) };
    if filter.units.as_ref().is_some_and(|units| units.len() > MOST_VALUES) {
        return Err(bad_input(format!("filter: at most {MOST_VALUES} values of a kind.")));
    }
    let tree = house(ctx)?.cards.tree().await.map_err(|e| fault(ctx, &e))?;
    let units = filter.units.map(|units| {
        let roots: Vec<_> = units.into_iter().map(|unit| unit.0).collect();
        tree.within(&roots, filter.include_subunits.unwrap_or(true)).into_iter().collect()
    });
    let once = |kinds: Vec<ChangeAction>| {
        let named: Vec<ActionKind> = kinds.into_iter().map(Into::into).collect();
        ActionKind::ALL.into_iter().filter(|kind| named.contains(kind)).collect()
    };
    Ok(OperationFilter {
        statuses: filter.statuses.map(|statuses| statuses.into_iter().map(Into::into).collect()),
        kinds: filter.actions.map(once),
        person: filter.person_id.map(|id| id::argument(id::CARD, "filter.personId", &id)).transpose()?.map(PersonId),
        units,
        since: filter.since.map(comparable),
        until: filter.until.map(comparable),
    })
}

async fn list(ctx: &Context<'_>, filter: Option<AskedOperations>, first: Option<i32>, after: Option<&str>) -> Result<Page<Operation>> {
    let wanted = page::first(first)?;
    let before = page::after(id::OPERATION, after)?.map(OperationId);
    let mut filter = asked(ctx, filter).await?;
    let everything = allows(ctx, Deed::ReadOperation, About::Everything);
    let own = &caller(ctx).units;
    if !everything && filter.units.is_none() && !own.is_empty() {
        // Why: of all that was done in the ministry, what concerns a few must not be looked for one by one.
        filter.units = Some(own.iter().copied().collect());
    }
    let found = visible(ctx, &filter, before, wanted as usize + 1, everything).await?;
    Ok(page::page(found, wanted, before.is_some(), node))
}

async fn visible(
    ctx: &Context<'_>,
    filter: &OperationFilter,
    mut before: Option<OperationId>,
    enough: usize,
    everything: bool,
) -> Result<Vec<run::OperationRecord>> {
    let batch = if everything { u32::try_from(enough).unwrap_or(BATCH) } else { BATCH };
    let mut seen = Vec::new();
    loop {
        let mut found = house(ctx)?.records.operations(filter, before, batch).await.map_err(|e| fault(ctx, &e))?;
        let is_last = found.len() < batch as usize;
        before = found.last().map(|o| o.id);
        if !everything {
            let people = permitted(ctx, Deed::ReadOperation, found.iter().map(|o| o.person)).await?;
            found.retain(|o| people.contains(&o.person));
        }
        seen.extend(found);
        if is_last || seen.len() >= enough {
            return Ok(seen);
        }
    }
}

/// Which operation is tried again.
#[derive(InputObject)]
pub struct OperationRetryInput {
    /// One that was refused, or is in doubt.
    operation_id: ID,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct OperationRetryPayload {
    /// The latest operation of that kind on the account: a new one, where something was to be done again.
    operation: Option<Operation>,
    /// What is still to be done for the person; null where the directory does not answer.
    plan: Option<Plan>,
    /// What the caller can mend; empty: the person was looked at again.
    user_errors: Vec<UserError>,
}

#[Object]
impl OperationMutation {
    /// Tries again what failed, now instead of a quarter of an hour later: the person is observed and planned anew, and what is still
    /// to be done is done. Nothing is repeated blindly, and a hold that holds it goes on holding it.
    async fn operation_retry(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which operation.")] input: OperationRetryInput,
    ) -> Maybe<OperationRetryPayload> {
        if !allows(ctx, Deed::RetryOperation, About::Everything) {
            return None;
        }
        Some(retry(ctx, &input.operation_id).await)
    }
}

fn refused(code: UserErrorCode, message: &str) -> OperationRetryPayload {
    OperationRetryPayload { operation: None, plan: None, user_errors: vec![UserError::new(code, "operationId", message)] }
}

async fn retry(ctx: &Context<'_>, operation: &ID) -> Result<OperationRetryPayload> {
    let house = house(ctx)?;
    let found = match id::decode(id::OPERATION, operation) {
        Some(id) => house.records.operation(OperationId(id)).await.map_err(|e| fault(ctx, &e))?,
        None => None,
    };
    let Some(failed) = found else { return Ok(refused(UserErrorCode::NotFound, "There is no such operation.")) };
    if !matches!(failed.status, run::OperationStatus::Refused | run::OperationStatus::InDoubt) {
        return Ok(refused(UserErrorCode::AlreadyDone, "This operation has not failed: there is nothing to try again."));
    }
    let event = AuditEvent {
        at: house.clock.now(),
        actor: caller(ctx).actor(),
        deed: "operation.retry".to_owned(),
        person: Some(failed.person),
        because: failed.because.clone(),
        detail: json!({ "operation": failed.id.to_string(), "kind": failed.kind }),
    };
    house.door.audit.record(&[event]).await.map_err(|e| fault(ctx, &e))?;
    deeds::carry_out(house, failed.person).await;
    let latest = OperationFilter { kinds: Some(vec![failed.kind]), person: Some(failed.person), ..OperationFilter::default() };
    let latest = house.records.operations(&latest, None, 1).await.map_err(|e| fault(ctx, &e))?;
    let left = async { house.reconciler().await?.plan(&Whom::People(vec![failed.person]), None).await };
    let plan = left.await.ok().map(|plan| Plan::of(&plan));
    Ok(OperationRetryPayload { operation: latest.into_iter().next().map(Operation), plan, user_errors: Vec::new() })
}
