//! Data issues. Standing are the open ones and the accepted; found again, one stays the same with its beginning; an open one
//! that is not found again is resolved; an accepted one stays accepted, for planning asks it.
use super::fault::{failed, from_json, from_word, to_json, without_nul};
use super::link::{CHUNK, Link, Writing, upsert};
use super::{audit, person, work};
use crate::system::OsEntropy;
use chrono::{DateTime, Utc};
use kimlik_domain::access::unit_of;
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::day;
use kimlik_domain::id::{IssueId, PersonId, uuid_v7};
use kimlik_domain::ports::{Entropy, IssueFilter, IssueScope, IssueTrend, ListedIssue, OpenIssue, PortError, PortResult, Refusal, Urgency};
use kimlik_domain::staff::{Blocked, DataIssue, IssueKind, RegistryNo, UnitCode};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::LockType;
use sea_orm::{ActiveValue, Condition, DatabaseConnection, DbBackend, ExprTrait, IntoActiveModel, QueryOrder, QuerySelect};
use std::collections::{BTreeMap, HashMap};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "issue")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub issue_key: String,
    pub kind: String,
    pub person: Option<Uuid>,
    pub registry_no: Option<String>,
    pub status: String,
    pub since: DateTimeUtc,
    pub resolved_at: Option<DateTimeUtc>,
    pub accepted_by: Option<String>,
    pub data: String,
    /// Where the person worked when it was found, or the unit that it is about, else who has to mend it.
    pub unit: Option<String>,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

pub(super) const OPEN: &str = "OPEN";
const ACCEPTED: &str = "ACCEPTED";
const RESOLVED: &str = "RESOLVED";
/// The words of the partial indexes.
const STANDING: &str = "status IN ('OPEN', 'ACCEPTED')";

/// Answers the registry numbers of whom an issue was resolved.
pub(super) async fn save(
    writing: &Writing,
    about: IssueScope<'_>,
    found: impl IntoIterator<Item = &DataIssue>,
    now: DateTime<Utc>,
) -> PortResult<Vec<String>> {
    let found: BTreeMap<String, &DataIssue> = found.into_iter().map(|issue| (without_nul(&issue.key()), issue)).collect();
    let resolved: Vec<Standing> = in_scope(writing, about).await?.into_iter().filter(|(_, key, _)| !found.contains_key(key)).collect();
    let gone: Vec<Uuid> = resolved.iter().map(|(id, _, _)| *id).collect();
    let resolved = resolved.into_iter().filter_map(|(_, _, registry_no)| registry_no).collect();
    if found.is_empty() && gone.is_empty() {
        return Ok(resolved);
    }
    writing.lock(&["issue"]).await?;
    for gone in gone.chunks(CHUNK) {
        Entity::update_many()
            .col_expr(Column::Status, Expr::value(RESOLVED))
            .col_expr(Column::ResolvedAt, Expr::value(now))
            .filter(Column::Id.is_in(gone.iter().copied()))
            .filter(Column::Status.eq(OPEN))
            .exec(&writing.txn)
            .await
            .map_err(failed("resolving issues"))?;
    }
    let found: Vec<(String, &DataIssue)> = found.into_iter().collect();
    for found in found.chunks(CHUNK) {
        put(writing, found, now).await?;
    }
    Ok(resolved)
}

/// Id, key, registry number.
type Standing = (Uuid, String, Option<String>);

async fn in_scope(writing: &Writing, about: IssueScope<'_>) -> PortResult<Vec<Standing>> {
    let (kinds, numbers) = match about {
        IssueScope::None => return Ok(Vec::new()),
        IssueScope::All(kinds) => (kinds, None),
        IssueScope::People(kinds, numbers) => (kinds, Some(numbers)),
    };
    let which = Condition::any().add(Column::Kind.is_in(kinds.iter().map(|k| k.name())));
    let select = || {
        Entity::find()
            .select_only()
            .columns([Column::Id, Column::IssueKey, Column::RegistryNo])
            .filter(Expr::cust(STANDING))
            .filter(Column::Status.eq(OPEN))
            .filter(which.clone())
    };
    let Some(numbers) = numbers else {
        return select().into_tuple().all(&writing.txn).await.map_err(failed("reading issues"));
    };
    let mut found = Vec::new();
    for numbers in numbers.chunks(CHUNK) {
        let about = Column::RegistryNo.is_in(numbers.iter().map(RegistryNo::as_str));
        let rows: Vec<Standing> = select().filter(about).into_tuple().all(&writing.txn).await.map_err(failed("reading issues"))?;
        found.extend(rows);
    }
    Ok(found)
}

/// New ones begin now; standing ones take the new words and keep their beginning, their finder and their acceptance.
async fn put(writing: &Writing, found: &[(String, &DataIssue)], now: DateTime<Utc>) -> PortResult<()> {
    let standing = Entity::find()
        .filter(Expr::cust(STANDING))
        .filter(Column::IssueKey.is_in(found.iter().map(|(key, _)| key.as_str())))
        .all(&writing.txn)
        .await
        .map_err(failed("reading issues"))?;
    let mut standing: HashMap<String, Model> = standing.into_iter().map(|row| (row.issue_key.clone(), row)).collect();
    let mut rows = Vec::new();
    for (key, issue) in found {
        let data = to_json(issue)?;
        let person = issue.person.map(|p| p.0);
        let registry_no = issue.registry_no.as_ref().map(|no| no.as_str().to_owned());
        match standing.remove(key) {
            Some(row) if row.data == data => {}
            // Why anew: what was accepted was another value.
            Some(row) if row.status == ACCEPTED && from_json::<DataIssue>(&row.data, "issue")?.said != issue.said => rows.push(Model {
                data,
                person,
                registry_no,
                status: OPEN.to_owned(),
                accepted_by: None,
                resolved_at: None,
                since: now,
                ..row
            }),
            Some(row) => rows.push(Model { data, person, registry_no, ..row }),
            None => rows.push(Model {
                id: new_id(now),
                issue_key: key.clone(),
                kind: issue.kind.name(),
                person,
                registry_no,
                status: OPEN.to_owned(),
                since: now,
                resolved_at: None,
                accepted_by: None,
                data,
                unit: None,
            }),
        }
    }
    place(writing, &mut rows, found, now).await?;
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model).collect();
    let changed = [
        Column::Data,
        Column::Person,
        Column::RegistryNo,
        Column::Status,
        Column::AcceptedBy,
        Column::ResolvedAt,
        Column::Since,
        Column::Unit,
    ];
    writing.insert("saving issues", rows, upsert([Column::Id], changed)).await
}

/// The unit that each is about. Only for what is written: an issue that is found again as it was costs no reading.
async fn place(writing: &Writing, rows: &mut [Model], found: &[(String, &DataIssue)], now: DateTime<Utc>) -> PortResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let said: HashMap<&str, &DataIssue> = found.iter().map(|(key, issue)| (key.as_str(), *issue)).collect();
    let people: Vec<Uuid> = rows.iter().filter_map(|row| row.person).collect();
    let people = if people.is_empty() { Vec::new() } else { person::as_hr_said(&writing.txn, people).await? };
    let day = day::today(now);
    let units: HashMap<Uuid, UnitCode> = people.iter().filter_map(|p| Some((p.id.0, unit_of(p, day)?))).collect();
    for row in rows {
        let Some(issue) = said.get(row.issue_key.as_str()) else { continue };
        let unit = row.person.and_then(|p| units.get(&p).copied()).or(issue.unit).or(issue.personnel_unit);
        row.unit = unit.map(|unit| unit.to_string());
    }
    Ok(())
}

fn new_id(now: DateTime<Utc>) -> Uuid {
    let mut random = [0; 10];
    OsEntropy.fill(&mut random);
    uuid_v7(now, random)
}

/// By registry number: the kinds accepted, and the kinds open.
pub(super) async fn standing<'a>(
    db: &impl ConnectionTrait,
    numbers: impl Iterator<Item = &'a str> + Send,
) -> PortResult<HashMap<String, (Vec<IssueKind>, Vec<IssueKind>)>> {
    let rows: Vec<(Option<String>, String, String)> = Entity::find()
        .select_only()
        .columns([Column::RegistryNo, Column::Kind, Column::Status])
        .filter(Expr::cust(STANDING))
        .filter(Column::RegistryNo.is_in(numbers))
        .order_by_asc(Column::Id)
        .into_tuple()
        .all(db)
        .await
        .map_err(failed("reading issues"))?;
    let mut found: HashMap<String, (Vec<IssueKind>, Vec<IssueKind>)> = HashMap::new();
    for (registry_no, kind, status) in rows {
        let kind: IssueKind = from_word(&kind, "issue")?;
        let (accepted, open) = found.entry(registry_no.unwrap_or_default()).or_default();
        let kinds = if status == ACCEPTED { accepted } else { open };
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    Ok(found)
}

/// National ids that somebody has decided to be right, by person: [`kimlik_domain::ports::Mark::short`].
pub(super) async fn decided_ids(db: &impl ConnectionTrait, people: &[Uuid]) -> PortResult<HashMap<Uuid, String>> {
    let rows: Vec<(Option<Uuid>, String)> = Entity::find()
        .select_only()
        .columns([Column::Person, Column::Data])
        .filter(Expr::cust(STANDING))
        .filter(Column::Kind.eq(IssueKind::DuplicatePerson.name()))
        .filter(Column::Status.eq(ACCEPTED))
        .filter(Column::Person.is_in(people.iter().copied()))
        .into_tuple()
        .all(db)
        .await
        .map_err(failed("reading decisions on national ids"))?;
    let mut decided = HashMap::new();
    for (person, data) in rows {
        let issue: DataIssue = from_json(&data, "issue")?;
        decided.extend(person.zip(issue.said));
    }
    Ok(decided)
}

/// Open ones, the oldest first.
pub(super) async fn list(db: &impl ConnectionTrait, after: Option<IssueId>, limit: u32) -> PortResult<Vec<OpenIssue>> {
    let mut select =
        Entity::find().filter(Expr::cust(STANDING)).filter(Column::Status.eq(OPEN)).order_by_asc(Column::Id).limit(u64::from(limit));
    if let Some(after) = after {
        select = select.filter(Column::Id.gt(after.0));
    }
    select.all(db).await.map_err(failed("reading issues"))?.into_iter().map(open).collect()
}

fn open(row: Model) -> PortResult<OpenIssue> {
    Ok(OpenIssue { id: IssueId(row.id), issue: from_json(&row.data, "issue")?, since: row.since })
}

pub(super) async fn one(db: &impl ConnectionTrait, id: IssueId) -> PortResult<Option<OpenIssue>> {
    Entity::find_by_id(id.0).one(db).await.map_err(failed("reading an issue"))?.map(open).transpose()
}

/// The words by which [`Urgency`] is found. Why from the account as it is: whether a newcomer waits is over as soon as they are told.
fn urgency(backend: DbBackend) -> String {
    let of = |blocked: Blocked| IssueKind::ALL.iter().filter(move |k| k.blocks() == blocked);
    let listed = |kinds: Vec<String>| kinds.iter().map(|k| format!("'{k}'")).collect::<Vec<_>>().join(", ");
    let announcing = listed(of(Blocked::Announcement).map(|k| k.name()).collect());
    let alarming = listed(IssueKind::ALL.iter().filter(|k| k.alarms()).map(|k| k.name()).collect());
    let waits = match backend {
        DbBackend::Postgres => {
            "(account.data::json->>'announced_opening')::int < (account.data::json->>'opening')::int \
             AND account.data::json->>'adopted' = 'false'"
        }
        _ => {
            "json_extract(account.data, '$.announced_opening') < json_extract(account.data, '$.opening') \
             AND json_extract(account.data, '$.adopted') = 0"
        }
    };
    format!(
        "CASE WHEN issue.kind IN ({announcing}) AND EXISTS (SELECT 1 FROM account WHERE account.person = issue.person \
         AND account.state IN ('OPENING', 'ACTIVE') AND {waits}) THEN 0 WHEN issue.kind IN ({alarming}) THEN 1 ELSE 2 END"
    )
}

/// Open ones, the most urgent first.
pub(super) async fn listed(
    db: &DatabaseConnection,
    filter: &IssueFilter,
    after: Option<(Urgency, IssueId)>,
    limit: u32,
) -> PortResult<Vec<ListedIssue>> {
    let urgency = || Expr::cust(urgency(db.get_database_backend()));
    let mut select = Entity::find().filter(Expr::cust(STANDING)).filter(Column::Status.eq(OPEN));
    if !filter.kinds.is_empty() {
        select = select.filter(Column::Kind.is_in(filter.kinds.iter().map(|k| k.name())));
    }
    if !filter.units.is_empty() {
        select = select.filter(Column::Unit.is_in(filter.units.iter().map(ToString::to_string)));
    }
    if let Some(no) = &filter.registry_no {
        select = select.filter(Column::RegistryNo.eq(no.as_str()));
    }
    if let Some(id) = filter.id {
        select = select.filter(Column::Id.eq(id.0));
    }
    if let Some(before) = filter.before {
        select = select.filter(Column::Since.lt(before));
    }
    if let Some((at, id)) = after {
        let beside = Condition::all().add(urgency().eq(number(at))).add(Column::Id.gt(id.0));
        select = select.filter(Condition::any().add(urgency().gt(number(at))).add(beside));
    }
    let rows: Vec<(Uuid, DateTimeUtc, String, Option<String>, i32)> = select
        .order_by_asc(urgency())
        .order_by_asc(Column::Id)
        .limit(u64::from(limit))
        .select_only()
        .columns([Column::Id])
        .columns([Column::Since])
        .columns([Column::Data])
        .columns([Column::Unit])
        .column_as(urgency(), "urgency")
        .into_tuple()
        .all(db)
        .await
        .map_err(failed("reading issues"))?;
    rows.into_iter()
        .map(|(id, since, data, unit, at)| {
            let urgency = match at {
                0 => Urgency::KeepsNewcomerWaiting,
                1 => Urgency::Alarm,
                _ => Urgency::Usual,
            };
            Ok(ListedIssue { urgency, open: OpenIssue { id: IssueId(id), issue: from_json(&data, "issue")?, since }, unit: parsed(unit) })
        })
        .collect()
}

fn number(urgency: Urgency) -> i32 {
    match urgency {
        Urgency::KeepsNewcomerWaiting => 0,
        Urgency::Alarm => 1,
        Urgency::Usual => 2,
    }
}

/// Counted by the moment: what one intake has found began at one, so a month of them is few rows.
pub(super) async fn trend(db: &impl ConnectionTrait, since: DateTime<Utc>) -> PortResult<IssueTrend> {
    let at = async |moment: Column| {
        let rows: Vec<(Option<String>, DateTimeUtc, i64)> = Entity::find()
            .select_only()
            .columns([Column::Unit])
            .columns([moment])
            .column_as(Column::Id.count(), "n")
            .filter(moment.gte(since))
            .group_by(Column::Unit)
            .group_by(moment)
            .into_tuple()
            .all(db)
            .await
            .map_err(failed("counting issues"))?;
        Ok(rows.into_iter().map(|(unit, at, n)| (parsed(unit), at, u32::try_from(n).unwrap_or(u32::MAX))).collect())
    };
    let open: Vec<(Option<String>, i64)> = Entity::find()
        .select_only()
        .columns([Column::Unit])
        .column_as(Column::Id.count(), "n")
        .filter(Expr::cust(STANDING))
        .filter(Column::Status.eq(OPEN))
        .group_by(Column::Unit)
        .into_tuple()
        .all(db)
        .await
        .map_err(failed("counting issues"))?;
    let open = open.into_iter().map(|(unit, n)| (parsed(unit), u32::try_from(n).unwrap_or(u32::MAX))).collect();
    Ok(IssueTrend { opened: at(Column::Since).await?, closed: at(Column::ResolvedAt).await?, open })
}

fn parsed(unit: Option<String>) -> Option<UnitCode> {
    unit.and_then(|unit| UnitCode::parse(&unit))
}

pub(super) async fn accept(link: &Link, id: IssueId, by: &str, because: &str, now: DateTime<Utc>) -> PortResult<()> {
    let writing = link.write().await?;
    let row = Entity::find_by_id(id.0).lock(LockType::Update).one(&writing.txn).await.map_err(failed("reading an issue"))?;
    let row = row.ok_or_else(|| PortError::refused(Refusal::NotFound, "there is no such issue"))?;
    match row.status.as_str() {
        ACCEPTED => return Ok(()),
        OPEN if !from_json::<DataIssue>(&row.data, "issue")?.can_be_accepted() => {
            return Err(PortError::refused(
                Refusal::Value,
                "HR's row was refused, and accepting that would only hide it: HR has to mend it",
            ));
        }
        OPEN => {}
        _ => return Err(PortError::refused(Refusal::Changed, "the issue is resolved: there is nothing left to accept")),
    }
    let mut person = row.person.map(PersonId);
    if let (None, Some(no)) = (person, &row.registry_no) {
        person = person::ids_of(&writing.txn, [no.as_str()]).await?.remove(no);
    }
    let event = AuditEvent {
        at: now,
        actor: without_nul(by),
        deed: "issue.accept".to_owned(),
        person,
        because: without_nul(because),
        detail: serde_json::json!({ "issue": row.id, "kind": row.kind, "registry_no": row.registry_no }),
    };
    let mut change = row.into_active_model();
    change.status = ActiveValue::Set(ACCEPTED.to_owned());
    change.accepted_by = ActiveValue::Set(Some(without_nul(by)));
    change.resolved_at = ActiveValue::Set(Some(now));
    Entity::update(change).exec(&writing.txn).await.map_err(failed("accepting an issue"))?;
    audit::record(&writing, [&event]).await?;
    work::wake(&writing, person, now).await?;
    writing.commit().await
}
