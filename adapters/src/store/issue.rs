//! Data issues. Standing are the open ones and the accepted; found again, one stays the same with its beginning; an open one
//! that is not found again is resolved; an accepted one stays accepted, for planning asks it.
use super::fault::{failed, from_json, from_word, to_json, without_nul};
use super::link::{CHUNK, Link, Writing, upsert};
use super::{audit, person, work};
use crate::system::OsEntropy;
use chrono::{DateTime, Utc};
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::{IssueId, PersonId, uuid_v7};
use kimlik_domain::ports::{Entropy, IssueScope, OpenIssue, PortError, PortResult, Refusal};
use kimlik_domain::staff::{DataIssue, IssueKind, RegistryNo};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::LockType;
use sea_orm::{ActiveValue, Condition, IntoActiveModel, QueryOrder, QuerySelect};
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
            Some(row) if row.status == ACCEPTED && from_json::<DataIssue>(&row.data, "issue")?.said != issue.said => {
                rows.push(Model { data, person, registry_no, status: OPEN.to_owned(), accepted_by: None, since: now, ..row })
            }
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
            }),
        }
    }
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model).collect();
    let changed = [Column::Data, Column::Person, Column::RegistryNo, Column::Status, Column::AcceptedBy, Column::Since];
    writing.insert("saving issues", rows, upsert([Column::Id], changed)).await
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

/// Open ones about one person, the oldest first.
pub(super) async fn about(db: &impl ConnectionTrait, registry_no: &RegistryNo) -> PortResult<Vec<OpenIssue>> {
    let select = Entity::find()
        .filter(Expr::cust(STANDING))
        .filter(Column::Status.eq(OPEN))
        .filter(Column::RegistryNo.eq(registry_no.as_str()))
        .order_by_asc(Column::Id);
    select.all(db).await.map_err(failed("reading issues"))?.into_iter().map(open).collect()
}

pub(super) async fn accept(link: &Link, id: IssueId, by: &str, now: DateTime<Utc>) -> PortResult<()> {
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
        because: "accepted as it is".to_owned(),
        detail: serde_json::json!({ "issue": row.id, "kind": row.kind, "registry_no": row.registry_no }),
    };
    let mut change = row.into_active_model();
    change.status = ActiveValue::Set(ACCEPTED.to_owned());
    change.accepted_by = ActiveValue::Set(Some(without_nul(by)));
    Entity::update(change).exec(&writing.txn).await.map_err(failed("accepting an issue"))?;
    audit::record(&writing, [&event]).await?;
    work::wake(&writing, person, now).await?;
    writing.commit().await
}
