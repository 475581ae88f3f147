//! Holds and their items: one open hold for each budget and scope; decided all at once or person by person.
use super::fault::{failed, from_json, from_word, to_json, unreadable, without_nul, word};
use super::link::{CHUNK, Link, Writing, upsert};
use super::{account, audit, decision, work};
use aws_lc_rs::digest;
use chrono::{DateTime, Utc};
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::{HoldId, PersonId, RunId};
use kimlik_domain::lifecycle::ActionKind;
use kimlik_domain::lifecycle::hold::{HeldChange, Hold, HoldDecision, HoldItem, HoldRequest, HoldStatus};
use kimlik_domain::lifecycle::limits::{Budget, Scope};
use kimlik_domain::ports::{PortError, PortResult, Refusal};
use kimlik_domain::staff::RegistryNo;
use sea_orm::ExprTrait;
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel, JoinType, QueryOrder, QuerySelect};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "hold")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub status: String,
    pub budget: String,
    /// Plate number; 0: everywhere.
    pub scope: i16,
    pub reasons: String,
    pub people: i32,
    pub digest: String,
    pub run: Uuid,
    pub created_at: DateTimeUtc,
    pub decided_at: Option<DateTimeUtc>,
    pub decided_by: Option<String>,
    pub note: Option<String>,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

/// Persons' changes in a hold.
pub mod item {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "hold_item")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub hold: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub person: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub kind: String,
        pub registry_no: String,
        pub digest: String,
        pub plan: String,
        pub approved: Option<bool>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// (person, kind) -> (digest, decision): a hold without its texts.
type Items = BTreeMap<(Uuid, String), (String, Option<bool>)>;

fn plate(scope: Scope) -> i16 {
    scope.map_or(0, |p| i16::from(p.plate()))
}

fn hold(row: Model) -> PortResult<Hold> {
    Ok(Hold {
        id: HoldId(row.id),
        status: from_word(&row.status, "hold")?,
        budget: Budget::parse(&row.budget).ok_or_else(|| unreadable("hold", "unknown budget"))?,
        scope: account::province(row.scope),
        reasons: from_json(&row.reasons, "hold")?,
        people: u32::try_from(row.people).unwrap_or(0),
        digest: row.digest,
        run: RunId(row.run),
        created_at: row.created_at,
        decided_at: row.decided_at,
        decided_by: row.decided_by,
        note: row.note,
    })
}

/// Decided items count too: deciding person by person does not make stale what the administrator sees.
fn digest_of(items: &Items) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for ((person, kind), (digest, _)) in items {
        context.update(person.as_bytes());
        context.update(kind.as_bytes());
        context.update(digest.as_bytes());
    }
    let mut text = String::with_capacity(64);
    for octet in context.finish().as_ref() {
        let _ = write!(text, "{octet:02x}");
    }
    text
}

fn status_of(items: &Items) -> HoldStatus {
    let decisions = || items.values().map(|(_, decision)| *decision);
    match () {
        () if items.is_empty() => HoldStatus::Superseded,
        () if decisions().any(|d| d.is_none()) => HoldStatus::Open,
        () if decisions().any(|d| d == Some(true)) => HoldStatus::Approved,
        () => HoldStatus::Rejected,
    }
}

/// The row as its items now make it.
fn restate(row: &mut Model, items: &Items, now: DateTime<Utc>) -> PortResult<()> {
    let status = status_of(items);
    row.status = word(&status)?;
    row.digest = digest_of(items);
    let people: HashSet<Uuid> = items.keys().map(|(person, _)| *person).collect();
    row.people = i32::try_from(people.len()).unwrap_or(i32::MAX);
    row.decided_at = (status != HoldStatus::Open).then_some(now);
    Ok(())
}

async fn save_row(writing: &Writing, row: Model) -> PortResult<()> {
    let columns = [Column::Status, Column::Reasons, Column::People, Column::Digest, Column::DecidedAt, Column::DecidedBy, Column::Note];
    writing.insert("saving a hold", vec![row.into_active_model()], upsert([Column::Id], columns)).await
}

async fn items_of(db: &impl ConnectionTrait, hold: Uuid) -> PortResult<Items> {
    let rows: Vec<(Uuid, String, String, Option<bool>)> = item::Entity::find()
        .select_only()
        .columns([item::Column::Person, item::Column::Kind, item::Column::Digest, item::Column::Approved])
        .filter(item::Column::Hold.eq(hold))
        .into_tuple()
        .all(db)
        .await
        .map_err(failed("reading a hold"))?;
    Ok(rows.into_iter().map(|(person, kind, digest, approved)| ((person, kind), (digest, approved))).collect())
}

pub(super) async fn save(link: &Link, run: RunId, held: &[HoldRequest], complete: bool, now: DateTime<Utc>) -> PortResult<()> {
    if held.is_empty() && !complete {
        return Ok(());
    }
    let writing = link.write().await?;
    writing.lock(&["hold"]).await?;
    let open = word(&HoldStatus::Open)?;
    let rows = Entity::find().filter(Column::Status.eq(&open)).all(&writing.txn).await.map_err(failed("reading holds"))?;
    let mut standing: BTreeMap<(String, i16), Model> = rows.into_iter().map(|r| ((r.budget.clone(), r.scope), r)).collect();
    for request in held {
        let key = (request.budget.name().to_owned(), plate(request.scope));
        let row = match standing.remove(&key) {
            Some(row) => row,
            None if request.items.is_empty() => continue,
            None => Model {
                id: request.id.0,
                status: open.clone(),
                budget: key.0,
                scope: key.1,
                reasons: String::new(),
                people: 0,
                digest: String::new(),
                run: run.0,
                created_at: now,
                decided_at: None,
                decided_by: None,
                note: None,
            },
        };
        // Why kept when there are none: a change that joins a hold does not know why the hold was opened.
        let row =
            if request.reasons.is_empty() && !row.reasons.is_empty() { row } else { Model { reasons: to_json(&request.reasons)?, ..row } };
        update(&writing, row, &request.items, complete, now).await?;
    }
    if complete {
        for row in standing.into_values() {
            update(&writing, row, &[], true, now).await?;
        }
    }
    writing.commit().await
}

/// Of what is wanted and was decided in this hold: which decisions still stand. One that is spent or has lapsed is asked anew.
async fn in_force(writing: &Writing, wanted: &[HoldItem], items: &Items) -> PortResult<HashSet<(PersonId, ActionKind, String)>> {
    let decided: HashSet<Uuid> = items.iter().filter(|(_, (_, decision))| decision.is_some()).map(|((person, _), _)| *person).collect();
    let people: Vec<Uuid> = wanted.iter().map(|w| w.person.0).filter(|p| decided.contains(p)).collect();
    let mut found = HashSet::new();
    for people in people.chunks(CHUNK) {
        for (person, decisions) in decision::of(&writing.txn, people).await? {
            found.extend(decisions.into_iter().map(|(kind, digest, _)| (person, kind, digest)));
        }
    }
    Ok(found)
}

/// New items and those with another digest come in undecided; with `complete`, undecided ones no longer wanted leave.
async fn update(writing: &Writing, mut row: Model, wanted: &[HoldItem], complete: bool, now: DateTime<Utc>) -> PortResult<()> {
    let mut items = items_of(&writing.txn, row.id).await?;
    let mut written = BTreeMap::new();
    let mut named = HashSet::new();
    let in_force = in_force(writing, wanted, &items).await?;
    for wish in wanted {
        let key = (wish.person.0, word(&wish.kind)?);
        named.insert(key.clone());
        let settled = |decided: &Option<bool>| decided.is_none() || in_force.contains(&(wish.person, wish.kind, wish.digest.clone()));
        if items.get(&key).is_some_and(|(digest, decided)| *digest == wish.digest && settled(decided)) {
            continue;
        }
        items.insert(key.clone(), (wish.digest.clone(), None));
        let new = item::Model {
            hold: row.id,
            person: key.0,
            kind: key.1.clone(),
            registry_no: wish.registry_no.as_str().to_owned(),
            digest: wish.digest.clone(),
            plan: without_nul(&wish.text),
            approved: None,
        };
        written.insert(key, new.into_active_model());
    }
    let mut gone: BTreeMap<String, Vec<Uuid>> = BTreeMap::new();
    if complete {
        items.retain(|key, (_, decision)| {
            let stays = decision.is_some() || named.contains(key);
            if !stays {
                gone.entry(key.1.clone()).or_default().push(key.0);
            }
            stays
        });
    }
    restate(&mut row, &items, now)?;
    let hold = row.id;
    save_row(writing, row).await?;
    use item::Column as C;
    let columns = [C::RegistryNo, C::Digest, C::Plan, C::Approved];
    writing.insert("saving a hold", written.into_values().collect(), upsert([C::Hold, C::Person, C::Kind], columns)).await?;
    for (kind, people) in &gone {
        for people in people.chunks(CHUNK) {
            item::Entity::delete_many()
                .filter(C::Hold.eq(hold).and(C::Kind.eq(kind)).and(C::Person.is_in(people.iter().copied())))
                .exec(&writing.txn)
                .await
                .map_err(failed("saving a hold"))?;
        }
    }
    Ok(())
}

pub(super) async fn decide(link: &Link, id: HoldId, decided: &HoldDecision, now: DateTime<Utc>) -> PortResult<Hold> {
    let writing = link.write().await?;
    writing.lock(&["hold"]).await?;
    let row = Entity::find_by_id(id.0).one(&writing.txn).await.map_err(failed("reading a hold"))?;
    let mut row = row.ok_or_else(|| PortError::refused(Refusal::NotFound, format!("there is no hold {id}")))?;
    if row.status != word(&HoldStatus::Open)? {
        return Err(PortError::refused(Refusal::Changed, format!("hold {id} is no longer open: it is {}", row.status)));
    }
    if decided.digest.as_ref().is_some_and(|seen| *seen != row.digest) {
        let text = format!("hold {id} has changed since it was looked at; it now holds {} people: look at it again", row.people);
        return Err(PortError::refused(Refusal::Changed, text));
    }
    let mut items = items_of(&writing.txn, row.id).await?;
    let asked: Option<BTreeSet<Uuid>> = decided.people.as_ref().map(|people| people.iter().map(|p| p.0).collect());
    let mut chosen = BTreeMap::new();
    for ((person, kind), (digest, decision)) in &mut items {
        if decision.is_none() && asked.as_ref().is_none_or(|people| people.contains(person)) {
            *decision = Some(decided.approve);
            chosen.insert((*person, kind.clone()), digest.clone());
        }
    }
    let people: BTreeSet<Uuid> = chosen.keys().map(|(person, _)| *person).collect();
    if let Some(missing) = asked.as_ref().map(|asked| asked.difference(&people).count()).filter(|n| *n > 0) {
        let text = format!("{missing} of these people have nothing undecided in hold {id}; nobody was decided on");
        return Err(PortError::refused(Refusal::NotFound, text));
    }
    restate(&mut row, &items, now)?;
    if row.decided_at.is_some() {
        row.decided_by = Some(without_nul(&decided.by));
        row.note = decided.note.as_deref().map(without_nul);
    }
    record(&writing, &row, decided, &people, now).await?;
    save_row(&writing, row.clone()).await?;
    put_decisions(&writing, row.id, decided.approve, &chosen).await?;
    if decided.approve {
        work::wake(&writing, people.into_iter().map(PersonId), now).await?;
    }
    writing.commit().await?;
    hold(row)
}

async fn put_decisions(writing: &Writing, hold: Uuid, approved: bool, chosen: &BTreeMap<(Uuid, String), String>) -> PortResult<()> {
    let mut by_kind: BTreeMap<&str, Vec<Uuid>> = BTreeMap::new();
    for (person, kind) in chosen.keys() {
        by_kind.entry(kind).or_default().push(*person);
    }
    for (kind, people) in by_kind {
        for people in people.chunks(CHUNK) {
            let those = item::Column::Hold.eq(hold).and(item::Column::Kind.eq(kind));
            item::Entity::update_many()
                .col_expr(item::Column::Approved, Expr::value(approved))
                .filter(those.and(item::Column::Person.is_in(people.iter().copied())))
                .exec(&writing.txn)
                .await
                .map_err(failed("deciding a hold"))?;
            // Why: what was decided on an earlier plan of theirs is not asked again.
            decision::Entity::delete_many()
                .filter(decision::Column::Kind.eq(kind).and(decision::Column::Person.is_in(people.iter().copied())))
                .exec(&writing.txn)
                .await
                .map_err(failed("deciding a hold"))?;
        }
    }
    let rows = chosen
        .iter()
        .map(|((person, kind), digest)| {
            decision::Model { person: *person, kind: kind.clone(), digest: digest.clone(), approved, hold }.into_active_model()
        })
        .collect();
    writing.insert("deciding a hold", rows, None).await
}

async fn record(writing: &Writing, row: &Model, decided: &HoldDecision, people: &BTreeSet<Uuid>, now: DateTime<Utc>) -> PortResult<()> {
    let event = AuditEvent {
        at: now,
        actor: decided.by.clone(),
        deed: if decided.approve { "hold.approve" } else { "hold.reject" }.to_owned(),
        person: None,
        because: decided.note.clone().unwrap_or_default(),
        detail: serde_json::json!({
            "hold": row.id, "budget": row.budget, "province": row.scope, "digest": row.digest, "status": row.status,
            "people": people.len(), "persons": decided.people.as_ref().map(|_| people),
        }),
    };
    audit::record(writing, [&event]).await
}

/// The latest first.
pub(super) async fn list(db: &impl ConnectionTrait, status: Option<HoldStatus>, limit: u32) -> PortResult<Vec<Hold>> {
    let mut select = Entity::find().order_by_desc(Column::Id).limit(u64::from(limit));
    if let Some(status) = status {
        select = select.filter(Column::Status.eq(word(&status)?));
    }
    select.all(db).await.map_err(failed("reading holds"))?.into_iter().map(hold).collect()
}

/// Undecided changes of one person.
pub(super) async fn of_person(db: &impl ConnectionTrait, person: PersonId) -> PortResult<Vec<HeldChange>> {
    let join = item::Entity::belongs_to(Entity).from(item::Column::Hold).to(Column::Id);
    let rows: Vec<(Uuid, String, DateTimeUtc)> = item::Entity::find()
        .join(JoinType::InnerJoin, join.into())
        .select_only()
        .columns([item::Column::Hold, item::Column::Kind])
        .column(Column::CreatedAt)
        .filter(item::Column::Person.eq(person.0))
        .filter(item::Column::Approved.is_null())
        .filter(Column::Status.eq(word(&HoldStatus::Open)?))
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(item::Column::Kind)
        .into_tuple()
        .all(db)
        .await
        .map_err(failed("reading what is held of a person"))?;
    rows.into_iter().map(|(hold, kind, since)| Ok(HeldChange { hold: HoldId(hold), kind: from_word(&kind, "hold")?, since })).collect()
}

/// By person; a person's items are not torn apart, so a page may hold a few more than `limit`.
pub(super) async fn items(db: &impl ConnectionTrait, hold: HoldId, after: Option<PersonId>, limit: u32) -> PortResult<Vec<HoldItem>> {
    let limit = Ord::max(limit, 1) as usize;
    let mut select = item::Entity::find()
        .filter(item::Column::Hold.eq(hold.0))
        .order_by_asc(item::Column::Person)
        .order_by_asc(item::Column::Kind)
        .limit((limit + ActionKind::ALL.len()) as u64);
    if let Some(after) = after {
        select = select.filter(item::Column::Person.gt(after.0));
    }
    let mut rows = select.all(db).await.map_err(failed("reading a hold"))?;
    if let Some(last) = rows.get(limit - 1).map(|row| row.person) {
        rows.truncate(rows.iter().rposition(|row| row.person == last).map_or(limit, |at| at + 1));
    }
    rows.into_iter()
        .map(|row| {
            Ok(HoldItem {
                person: PersonId(row.person),
                registry_no: RegistryNo::parse(&row.registry_no).ok_or_else(|| unreadable("registry number", "not of the right form"))?,
                kind: from_word(&row.kind, "hold")?,
                digest: row.digest,
                text: row.plan,
                approved: row.approved,
            })
        })
        .collect()
}
