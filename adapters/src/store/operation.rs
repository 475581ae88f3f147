//! Operations: intents committed before the directory is touched, with their share of the budget; settled afterwards.
use super::account::province;
use super::fault::{failed, from_json, from_word, to_json, unreadable, without_nul, word};
use super::link::{CHUNK, Link, Writing, upsert};
use super::person::posting;
use super::{decision, event};
use chrono::{DateTime, TimeDelta, Utc};
use kimlik_domain::account::Attribute;
use kimlik_domain::id::{OperationId, PersonId, RunId, uuid_v7};
use kimlik_domain::lifecycle::limits::{Budget, Cap, Spent};
use kimlik_domain::lifecycle::run::{Intent, OperationRecord, OperationStatus, ReceiptLine};
use kimlik_domain::lifecycle::{ActionKind, Step};
use kimlik_domain::ports::{OperationFilter, OperationsOf, PortError, PortResult, Refusal};
use kimlik_domain::staff::unit::Province;
use sea_orm::ExprTrait;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Query;
use sea_orm::{IntoActiveModel, QueryOrder, QuerySelect};
use std::collections::{BTreeSet, HashMap, HashSet};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "operation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub run: Uuid,
    pub person: Uuid,
    pub kind: String,
    pub budget: Option<String>,
    pub province: Option<i16>,
    pub status: String,
    pub digest: String,
    pub because: String,
    pub steps: String,
    pub created_at: DateTimeUtc,
    pub settled_at: Option<DateTimeUtc>,
    pub receipt: String,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

fn record(row: Model) -> PortResult<OperationRecord> {
    let kind: ActionKind = from_word(&row.kind, "operation")?;
    let steps: Vec<Step> = if kind == ActionKind::Suspend { from_json(&row.steps, "steps")? } else { Vec::new() };
    Ok(OperationRecord {
        id: OperationId(row.id),
        run: RunId(row.run),
        person: PersonId(row.person),
        kind,
        disables: steps.contains(&Step::Disable),
        status: from_word(&row.status, "operation")?,
        because: row.because,
        created_at: row.created_at,
        settled_at: row.settled_at,
        receipt: from_json(&row.receipt, "receipt")?,
    })
}

/// What counts against a limit: whatever was, is or may have been done. Not what the directory refused.
const COUNTED: [OperationStatus; 3] = [OperationStatus::Intended, OperationStatus::Done, OperationStatus::InDoubt];
/// The words of the partial index `operation_unsettled`.
const UNSETTLED: &str = "status IN ('INTENDED', 'IN_DOUBT')";

pub(super) async fn counted(db: &impl ConnectionTrait, budgets: &[Budget], since: DateTime<Utc>) -> PortResult<Spent> {
    let counted: Vec<String> = COUNTED.iter().map(word).collect::<PortResult<_>>()?;
    let rows: Vec<(Option<String>, Option<i16>, i64)> = Entity::find()
        .select_only()
        .columns([Column::Budget, Column::Province])
        // Why people and not operations: a transfer is one update, however many actions it takes.
        .column_as(Expr::col(Column::Person).count_distinct(), "people")
        .filter(Column::Budget.is_in(budgets.iter().map(|b| b.name())))
        .filter(Column::CreatedAt.gte(since))
        .filter(Column::Status.is_in(counted))
        .group_by(Column::Budget)
        .group_by(Column::Province)
        .into_tuple()
        .all(db)
        .await
        .map_err(failed("counting operations"))?;
    let mut spent = Spent::default();
    for (budget, plate, people) in rows {
        let budget = budget.as_deref().and_then(Budget::parse).ok_or_else(|| unreadable("operation", "unknown budget"))?;
        *spent.0.entry((budget, plate.and_then(province))).or_default() += u32::try_from(people).unwrap_or(u32::MAX);
    }
    Ok(spent)
}

pub(super) async fn intend(link: &Link, intents: &[Intent], caps: &[Cap], since: DateTime<Utc>) -> PortResult<Vec<usize>> {
    if intents.is_empty() {
        return Ok(Vec::new());
    }
    let writing = link.write().await?;
    if intents.iter().any(|i| i.kind == ActionKind::Adopt) {
        // Why: whoever takes an order to adopt back sees this intent, or whoever carries it out sees that it was taken back.
        writing.lock(&["ledger"]).await?;
    }
    let budgets: BTreeSet<Budget> = intents.iter().filter_map(|i| i.budget).collect();
    let (mut spent, mut paid) = (Spent::default(), HashSet::new());
    if !budgets.is_empty() {
        // Why a row and not the count alone: two replicas that count at the same time would both find room.
        let names: Vec<&str> = budgets.iter().map(|b| b.name()).collect();
        writing.lock(&names).await?;
        let tight = tight(&writing.txn, budgets, intents, caps, since).await?;
        spent = if tight.is_empty() { spent } else { counted(&writing.txn, &tight, since).await? };
        paid = paid_for(&writing.txn, intents, since).await?;
    }
    let (mut rows, mut beyond) = (Vec::new(), Vec::new());
    for (index, intent) in intents.iter().enumerate() {
        let budget = intent.budget;
        let is_paid = budget.is_some_and(|b| paid.contains(&(intent.person, b, intent.province)));
        let full = |cap: &Cap| {
            Some(cap.budget) == budget
                && (cap.scope.is_none() || cap.scope == intent.province)
                && spent.of(cap.budget, cap.scope) >= cap.at_most
        };
        if !intent.approved && !is_paid && caps.iter().any(full) {
            beyond.push(index);
            continue;
        }
        if let Some(budget) = budget.filter(|b| paid.insert((intent.person, *b, intent.province))) {
            spent.add(budget, intent.province);
        }
        rows.push(row(intent, budget)?.into_active_model());
    }
    writing.insert("committing intents", rows, None).await?;
    writing.commit().await?;
    Ok(beyond)
}

/// Is the person being given an account just now, or was, and nobody knows yet what became of it?
pub(super) async fn is_under_way(db: &impl ConnectionTrait, person: PersonId, kinds: &[ActionKind]) -> PortResult<bool> {
    let kinds = kinds.iter().map(word).collect::<PortResult<Vec<String>>>()?;
    let found = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::Person.eq(person.0))
        .filter(Column::Kind.is_in(kinds))
        .filter(Expr::cust(UNSETTLED))
        .into_tuple::<Uuid>()
        .one(db);
    Ok(found.await.map_err(failed("reading operations"))?.is_some())
}

/// The budgets of which a cap could be reached by these intents. Why asked before the count: on the day of a first load each
/// transaction would count all that were opened before it, person by person.
async fn tight(
    db: &impl ConnectionTrait,
    budgets: BTreeSet<Budget>,
    intents: &[Intent],
    caps: &[Cap],
    since: DateTime<Utc>,
) -> PortResult<Vec<Budget>> {
    let mut tight = Vec::new();
    for budget in budgets {
        let Some(least) = caps.iter().filter(|c| c.budget == budget).map(|c| u64::from(c.at_most)).min() else { continue };
        let wanted = intents.iter().filter(|i| i.budget == Some(budget)).count() as u64;
        // Operations, not people: never fewer than what counts, and the index alone answers.
        let made: Option<i64> = Entity::find()
            .select_only()
            .column_as(Column::Budget.count(), "made")
            .filter(Column::Budget.eq(budget.name()))
            .filter(Column::CreatedAt.gte(since))
            .into_tuple()
            .one(db)
            .await
            .map_err(failed("counting operations"))?;
        if made.unwrap_or(0).unsigned_abs() + wanted > least {
            tight.push(budget);
        }
    }
    Ok(tight)
}

type Paid = HashSet<(PersonId, Budget, Option<Province>)>;

/// Who of these people counts already.
async fn paid_for(db: &impl ConnectionTrait, intents: &[Intent], since: DateTime<Utc>) -> PortResult<Paid> {
    let counted: Vec<String> = COUNTED.iter().map(word).collect::<PortResult<_>>()?;
    let people: BTreeSet<Uuid> = intents.iter().map(|i| i.person.0).collect();
    let people: Vec<Uuid> = people.into_iter().collect();
    let mut paid = HashSet::new();
    for people in people.chunks(CHUNK) {
        let rows: Vec<(Uuid, Option<String>, Option<i16>)> = Entity::find()
            .select_only()
            .columns([Column::Person, Column::Budget, Column::Province])
            .filter(Column::Person.is_in(people.iter().copied()))
            .filter(Column::CreatedAt.gte(since))
            .filter(Column::Status.is_in(counted.iter().map(String::as_str)))
            .into_tuple()
            .all(db)
            .await
            .map_err(failed("counting operations"))?;
        let one = |(person, budget, plate): (Uuid, Option<String>, Option<i16>)| {
            Some((PersonId(person), Budget::parse(budget.as_deref()?)?, plate.and_then(province)))
        };
        paid.extend(rows.into_iter().filter_map(one));
    }
    Ok(paid)
}

fn row(intent: &Intent, budget: Option<Budget>) -> PortResult<Model> {
    Ok(Model {
        id: intent.operation.0,
        run: intent.run.0,
        person: intent.person.0,
        kind: word(&intent.kind)?,
        budget: budget.map(|b| b.name().to_owned()),
        province: intent.province.map(|p| i16::from(p.plate())),
        status: word(&OperationStatus::Intended)?,
        digest: intent.digest.clone(),
        because: without_nul(&intent.because),
        steps: to_json(&intent.steps)?,
        created_at: intent.at,
        settled_at: None,
        receipt: "[]".to_owned(),
    })
}

pub(super) struct Settled<'a> {
    pub(super) status: OperationStatus,
    pub(super) receipt: &'a [ReceiptLine],
    /// That a mailbox was closed is told when it is seen.
    pub(super) mailbox_asked_for: bool,
    pub(super) at: DateTime<Utc>,
}

/// As they stand, each of them, sorted.
pub(super) async fn of_ids(writing: &Writing, mut ids: Vec<Uuid>) -> PortResult<Vec<Model>> {
    ids.sort();
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(CHUNK) {
        let rows = Entity::find().filter(Column::Id.is_in(ids.iter().copied())).order_by_asc(Column::Id).all(&writing.txn).await;
        found.extend(rows.map_err(failed("reading operations"))?);
    }
    if found.len() != ids.len() {
        return Err(PortError::refused(Refusal::NotFound, "an operation that was never intended cannot be settled"));
    }
    Ok(found)
}

pub(super) async fn settle(writing: &Writing, mut rows: Vec<Model>, settled: &HashMap<Uuid, Settled<'_>>) -> PortResult<()> {
    for rows in rows.chunks_mut(CHUNK) {
        let (mut done, mut told) = (Vec::new(), Vec::new());
        for row in rows.iter_mut() {
            let Some(settled) = settled.get(&row.id) else { continue };
            row.status = word(&settled.status)?;
            row.receipt = to_json(&settled.receipt)?;
            row.settled_at = (!matches!(settled.status, OperationStatus::Intended | OperationStatus::InDoubt)).then_some(settled.at);
            if settled.status == OperationStatus::Done {
                done.push((row.person, row.kind.clone(), row.digest.clone()));
                let kind: ActionKind = from_word(&row.kind, "operation")?;
                if !(settled.mailbox_asked_for && kind == ActionKind::CloseMailbox) {
                    told.push((row.id, kind));
                }
            }
        }
        let rows = rows.iter_mut().map(|row| row.clone().into_active_model()).collect();
        let columns = [Column::Status, Column::Receipt, Column::SettledAt];
        writing.insert("settling operations", rows, upsert([Column::Id], columns)).await?;
        if !done.is_empty() {
            decision::spend(writing, &done).await?;
            event::mark(writing, told).await?;
        }
    }
    Ok(())
}

/// What the person's latest planned closing of a mailbox asked for was seen done.
pub(super) async fn mailbox_closed(writing: &Writing, person: PersonId, at: DateTime<Utc>) -> PortResult<()> {
    let kind = ActionKind::CloseMailbox;
    let latest = Entity::find()
        .filter(Column::Person.eq(person.0))
        .filter(Column::Kind.eq(word(&kind)?))
        .filter(Column::Status.eq(word(&OperationStatus::Done)?))
        .order_by_desc(Column::Id)
        .one(&writing.txn)
        .await
        .map_err(failed("reading operations"))?;
    let Some(mut row) = latest else { return Ok(()) };
    let mut receipt: Vec<ReceiptLine> = from_json(&row.receipt, "receipt")?;
    receipt.push(ReceiptLine { at, step: "mailbox".into(), result: "seen closed: it takes no mail".into() });
    (row.receipt, row.settled_at) = (to_json(&receipt)?, Some(at));
    let id = row.id;
    let columns = [Column::Receipt, Column::SettledAt];
    writing.insert("settling operations", vec![row.into_active_model()], upsert([Column::Id], columns)).await?;
    event::mark(writing, [(id, kind)]).await
}

pub(super) async fn unsettled(db: &impl ConnectionTrait, people: &[Uuid]) -> PortResult<HashMap<PersonId, Vec<OperationRecord>>> {
    let rows = Entity::find()
        .filter(Column::Person.is_in(people.iter().copied()))
        // Why as text: with bound values neither engine knows that the partial index serves.
        .filter(Expr::cust(UNSETTLED))
        .order_by_asc(Column::Id)
        .all(db)
        .await
        .map_err(failed("reading operations"))?;
    let mut found: HashMap<PersonId, Vec<OperationRecord>> = HashMap::new();
    for row in rows {
        found.entry(PersonId(row.person)).or_default().push(record(row)?);
    }
    Ok(found)
}

/// The latest first.
pub(super) async fn list(
    db: &impl ConnectionTrait,
    of: OperationsOf,
    before: Option<OperationId>,
    limit: u32,
) -> PortResult<Vec<OperationRecord>> {
    let mut select = Entity::find().order_by_desc(Column::Id).limit(u64::from(limit));
    select = match of {
        OperationsOf::Everybody => select,
        OperationsOf::Run(run) => select.filter(Column::Run.eq(run.0)),
        OperationsOf::Person(person) => select.filter(Column::Person.eq(person.0)),
    };
    if let Some(before) = before {
        select = select.filter(Column::Id.lt(before.0));
    }
    select.all(db).await.map_err(failed("reading operations"))?.into_iter().map(record).collect()
}

/// More operations than these of one person are not looked through.
const LATEST: u64 = 200;

/// When each attribute of the person's account was last written, by the operations that were done.
pub(super) async fn last_written(db: &impl ConnectionTrait, person: PersonId) -> PortResult<HashMap<Attribute, DateTime<Utc>>> {
    let rows: Vec<(String, DateTimeUtc, Option<DateTimeUtc>)> = Entity::find()
        .select_only()
        .columns([Column::Steps])
        .columns([Column::CreatedAt])
        .columns([Column::SettledAt])
        .filter(Column::Person.eq(person.0))
        .filter(Column::Status.eq(word(&OperationStatus::Done)?))
        .order_by_desc(Column::Id)
        .limit(LATEST)
        .into_tuple()
        .all(db)
        .await
        .map_err(failed("reading operations"))?;
    let mut written = HashMap::new();
    for (steps, created_at, settled_at) in rows {
        let at = settled_at.unwrap_or(created_at);
        let steps: Vec<Step> = from_json(&steps, "operation")?;
        for step in &steps {
            let attributes: Vec<Attribute> = match step {
                Step::Create(new) => new.attributes.iter().map(|(attribute, _)| attribute).collect(),
                Step::Modify(changes) => changes.iter().map(|change| change.attribute).collect(),
                _ => continue,
            };
            for attribute in attributes {
                written.entry(attribute).or_insert(at);
            }
        }
    }
    Ok(written)
}

/// How many of a run's operations stand how.
pub(super) async fn counts(db: &impl ConnectionTrait, run: RunId) -> PortResult<HashMap<OperationStatus, u32>> {
    let select = Entity::find().select_only().column(Column::Status).column_as(Column::Id.count(), "n");
    let select = select.filter(Column::Run.eq(run.0)).group_by(Column::Status);
    let rows: Vec<(String, i64)> = select.into_tuple().all(db).await.map_err(failed("counting operations"))?;
    rows.into_iter().map(|(status, n)| Ok((from_word(&status, "operation")?, u32::try_from(n).unwrap_or(u32::MAX)))).collect()
}

pub(super) async fn one(db: &impl ConnectionTrait, id: OperationId) -> PortResult<Option<OperationRecord>> {
    Entity::find_by_id(id.0).one(db).await.map_err(failed("reading an operation"))?.map(record).transpose()
}

/// The words of the partial index `operation_not_done`.
const NOT_DONE: &str = "status IN ('REFUSED', 'IN_DOUBT')";

/// The latest first.
pub(super) async fn listed(
    db: &impl ConnectionTrait,
    filter: &OperationFilter,
    before: Option<OperationId>,
    limit: u32,
) -> PortResult<Vec<OperationRecord>> {
    let mut select = Entity::find().order_by_desc(Column::Id).limit(u64::from(limit));
    if let Some(statuses) = &filter.statuses {
        let failed = |s: &OperationStatus| matches!(s, OperationStatus::Refused | OperationStatus::InDoubt);
        if statuses.iter().all(failed) {
            // Why said twice: what failed is rare, and its index is found by its own words only.
            select = select.filter(Expr::cust(NOT_DONE));
        }
        select = select.filter(Column::Status.is_in(statuses.iter().map(word).collect::<PortResult<Vec<_>>>()?));
    }
    if let Some(kinds) = &filter.kinds {
        select = select.filter(Column::Kind.is_in(kinds.iter().map(|kind| kind.name())));
    }
    if let Some(units) = &filter.units {
        let mut of_units = Query::select();
        of_units.column(posting::Column::Person).from(posting::Entity);
        of_units.and_where(posting::Column::Unit.is_in(units.iter().map(ToString::to_string)));
        select = select.filter(Column::Person.in_subquery(of_units));
    }
    if let Some(since) = filter.since {
        select = select.filter(Column::CreatedAt.gte(since));
        // Why by the id too: it begins with the time, and is what the table is read by. Nothing was done before 1970.
        if let Some(floor) = since.checked_sub_signed(TimeDelta::minutes(1)).filter(|floor| floor.timestamp_millis() > 0) {
            select = select.filter(Column::Id.gte(uuid_v7(floor, [0; 10])));
        }
    }
    let conditions = [
        filter.person.map(|person| Column::Person.eq(person.0)),
        filter.until.map(|until| Column::CreatedAt.lt(until)),
        before.map(|before| Column::Id.lt(before.0)),
    ];
    for condition in conditions.into_iter().flatten() {
        select = select.filter(condition);
    }
    select.all(db).await.map_err(failed("reading operations"))?.into_iter().map(record).collect()
}
