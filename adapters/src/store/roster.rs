//! Taking in: who is known, and saving one part of a delivery in one transaction.
use super::fault::{failed, from_json, from_word, unreadable};
use super::issue;
use super::link::{CHUNK, Link, Writing, keep};
use super::vault::Vault;
use super::{account, audit, feed, memory, national_id, person, phone, unit, work};
use chrono::{DateTime, Utc};
use kimlik_domain::account::AccountState;
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::PersonId;
use kimlik_domain::ports::{IssueScope, Mark, PortResult};
use kimlik_domain::staff::intake::{CensusLine, KnownPerson, PersonSave, RosterSave};
use kimlik_domain::staff::{Person, RegistryNo};
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel, JoinType, QueryOrder, QuerySelect};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Registry numbers that people had before.
pub mod former {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "former_registry_no")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub registry_no: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub person: Uuid,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

const CENSUS_PAGE: u64 = 5_000;

pub(super) async fn known(db: &impl ConnectionTrait, numbers: &[RegistryNo], marks: &[Mark]) -> PortResult<Vec<KnownPerson>> {
    let mut ids = BTreeSet::new();
    for numbers in numbers.chunks(CHUNK) {
        let numbers = || numbers.iter().map(RegistryNo::as_str);
        ids.extend(person::ids_of(db, numbers()).await?.into_values().map(|id| id.0));
        let rows: Vec<Uuid> = former::Entity::find()
            .select_only()
            .column(former::Column::Person)
            .filter(former::Column::RegistryNo.is_in(numbers()))
            .into_tuple()
            .all(db)
            .await
            .map_err(failed("reading former registry numbers"))?;
        ids.extend(rows);
    }
    for marks in marks.chunks(CHUNK) {
        let rows: Vec<Uuid> = national_id::Entity::find()
            .select_only()
            .column(national_id::Column::Person)
            .filter(national_id::Column::Mark.is_in(marks.iter().map(|m| m.0.to_vec())))
            .into_tuple()
            .all(db)
            .await
            .map_err(failed("finding people by mark"))?;
        ids.extend(rows);
    }
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(CHUNK) {
        found.extend(describe(db, ids).await?);
    }
    Ok(found)
}

async fn describe(db: &impl ConnectionTrait, ids: &[Uuid]) -> PortResult<Vec<KnownPerson>> {
    type Line = (String, Option<String>, Option<Vec<u8>>);
    let rows: Vec<Line> = person::with_account()
        .join(
            JoinType::LeftJoin,
            person::Entity::belongs_to(national_id::Entity).from(person::Column::Id).to(national_id::Column::Person).into(),
        )
        .select_only()
        .column(person::Column::Data)
        .column(account::Column::State)
        .column(national_id::Column::Mark)
        .filter(person::Column::Id.is_in(ids.iter().copied()))
        .into_tuple()
        .all(db)
        .await
        .map_err(failed("reading people"))?;
    let former = former::Entity::find()
        .filter(former::Column::Person.is_in(ids.iter().copied()))
        .all(db)
        .await
        .map_err(failed("reading former registry numbers"))?;
    let mut decided = issue::decided_ids(db, ids).await?;
    let mut numbers: HashMap<Uuid, Vec<RegistryNo>> = HashMap::new();
    for row in former {
        numbers.entry(row.person).or_default().extend(RegistryNo::parse(&row.registry_no));
    }
    rows.into_iter()
        .map(|(data, state, mark)| {
            let person: Person = from_json(&data, "person")?;
            let mark = mark.map(|m| m.try_into().map(Mark).map_err(|_| unreadable("mark", "wrong length"))).transpose()?;
            let former_registry_nos = numbers.remove(&person.id.0).unwrap_or_default();
            let decided_id = decided.remove(&person.id.0);
            Ok(KnownPerson { mark, former_registry_nos, account_state: account_state(state.as_deref())?, decided_id, person })
        })
        .collect()
}

fn account_state(state: Option<&str>) -> PortResult<AccountState> {
    state.map_or(Ok(AccountState::None), |state| from_word(state, "account"))
}

pub(super) async fn census(db: &impl ConnectionTrait) -> PortResult<Vec<CensusLine>> {
    let mut census: Vec<CensusLine> = Vec::new();
    loop {
        // Why in pages: a row that was just read takes ten times the memory of its line.
        let mut page = person::with_account().order_by_asc(person::Column::Id).limit(CENSUS_PAGE);
        if let Some(last) = census.last() {
            page = page.filter(person::Column::Id.gt(last.person.0));
        }
        let rows: Vec<(Uuid, String, Option<String>)> = page
            .select_only()
            .columns([person::Column::Id, person::Column::RegistryNo])
            .column(account::Column::State)
            .into_tuple()
            .all(db)
            .await
            .map_err(failed("counting people"))?;
        let at_end = (rows.len() as u64) < CENSUS_PAGE;
        for (id, no, state) in rows {
            let registry_no = RegistryNo::parse(&no).ok_or_else(|| unreadable("registry number", "not of the right form"))?;
            census.push(CensusLine { person: PersonId(id), registry_no, account_state: account_state(state.as_deref())? });
        }
        if at_end {
            return Ok(census);
        }
    }
}

pub(super) async fn save(link: &Link, vault: &Vault, save: RosterSave) -> PortResult<()> {
    let writing = link.write().await?;
    // Why a lock: two replicas that take in at the same time would give one newcomer two rows, and wait for each other.
    writing.lock(&["intake"]).await?;
    unit::save(&writing, &save.units).await?;
    // Why a map: one statement must not name a row twice; the last one said counts. In order, so that rows are locked alike.
    let people: BTreeMap<PersonId, &PersonSave> = save.people.iter().map(|p| (p.person.id, p)).collect();
    let people: Vec<&PersonSave> = people.into_values().collect();
    for people in people.chunks(CHUNK) {
        save_people(&writing, vault, people, save.at).await?;
    }
    let resolved = issue::save(&writing, IssueScope::People(&save.issue_kinds, &save.seen), &save.issues, save.at).await?;
    // Why the resolved too: an issue may have been all that kept a person from being opened.
    let freed =
        if resolved.is_empty() { HashMap::new() } else { person::ids_of(&writing.txn, resolved.iter().map(String::as_str)).await? };
    let wake: Vec<PersonId> = save.wake.into_iter().chain(freed.into_values()).collect();
    work::wake(&writing, wake, save.wake_at).await?;
    if save.wake_everybody {
        memory::request_full_run(&writing).await?;
    }
    if let Some((feed, position)) = save.position {
        feed::save(&writing, feed, position, save.at).await?;
    }
    writing.commit().await
}

async fn save_people(writing: &Writing, vault: &Vault, people: &[&PersonSave], at: DateTime<Utc>) -> PortResult<()> {
    let rows: Vec<&Person> = people.iter().map(|p| &p.person).collect();
    let known = phone::hear(writing, &rows, at).await?;
    person::save(writing, &rows).await?;
    let events: Vec<AuditEvent> = rows.iter().filter_map(|after| changed(known.get(&after.id)?, after, at)).collect();
    audit::record(writing, &events).await?;
    national_id::save(writing, vault, people.iter().filter_map(|p| Some((p.person.id, p.national_id.as_ref()?)))).await?;
    let former: BTreeSet<(&str, Uuid)> =
        people.iter().filter_map(|p| Some((p.former_registry_no.as_ref()?.as_str(), p.person.id.0))).collect();
    let former = former.into_iter().map(|(no, person)| former::Model { registry_no: no.to_owned(), person }.into_active_model()).collect();
    writing.insert("saving former registry numbers", former, keep([former::Column::RegistryNo, former::Column::Person])).await
}

/// That HR says something else of somebody: the fields, not what stands in them. Newcomers tell no event: their opening says it.
fn changed(before: &Person, after: &Person, at: DateTime<Utc>) -> Option<AuditEvent> {
    let fields = before.changed_in(after);
    (!fields.is_empty()).then(|| AuditEvent {
        at,
        actor: "hr".to_owned(),
        deed: "hr.change".to_owned(),
        person: Some(after.id),
        because: format!("HR says something else: {}", fields.join(", ")),
        detail: serde_json::json!({ "fields": fields, "reasonCode": after.reason_code, "updatedAt": after.updated_at }),
    })
}
