//! Accounts: what Kimlik knows of a person's account beside the person, and how many it manages.
use super::fault::{failed, from_json, to_json, word};
use super::link::{CHUNK, Writing, upsert};
use super::{card, mailbox, person};
use chrono::{DateTime, Utc};
use kimlik_domain::account::{Account, AccountState};
use kimlik_domain::id::{AccountGuid, PersonId};
use kimlik_domain::lifecycle::limits::Population;
use kimlik_domain::ports::PortResult;
use kimlik_domain::staff::RegistryNo;
use kimlik_domain::staff::unit::Province;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Asterisk, ExprTrait, LockType};
use sea_orm::{ActiveValue, JoinType, QueryOrder, QuerySelect};
use std::collections::{BTreeMap, HashMap};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub person: Uuid,
    #[sea_orm(unique)]
    pub guid: Option<Uuid>,
    pub username: String,
    pub mail: String,
    pub state: String,
    pub province: Option<i16>,
    pub data: String,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

fn row(account: &Account, province: Option<Province>) -> PortResult<ActiveModel> {
    Ok(ActiveModel {
        person: ActiveValue::Set(account.person.0),
        guid: ActiveValue::Set(account.guid.map(|g| g.0)),
        username: ActiveValue::Set(account.names.username.to_string()),
        mail: ActiveValue::Set(account.names.mail.to_string()),
        state: ActiveValue::Set(word(&account.state)?),
        province: ActiveValue::Set(province.map(|p| i16::from(p.plate()))),
        data: ActiveValue::Set(to_json(account)?),
    })
}

/// As settled: with the province that it counts for.
pub(super) async fn save<'a>(
    writing: &Writing,
    accounts: impl IntoIterator<Item = (&'a Account, Option<Province>)>,
    now: DateTime<Utc>,
) -> PortResult<()> {
    let rows: BTreeMap<PersonId, ActiveModel> =
        accounts.into_iter().map(|(account, p)| Ok((account.person, row(account, p)?))).collect::<PortResult<_>>()?;
    card::mark(writing, rows.keys().copied()).await?;
    mailbox::touch(writing, rows.keys().copied(), now).await?;
    let columns = [Column::Guid, Column::Username, Column::Mail, Column::State, Column::Province, Column::Data];
    writing.insert("saving accounts", rows.into_values().collect(), upsert([Column::Person], columns)).await
}

/// Names only: the province stays.
pub(super) async fn save_names<'a>(writing: &Writing, accounts: impl IntoIterator<Item = &'a Account>) -> PortResult<()> {
    let accounts: Vec<&Account> = accounts.into_iter().collect();
    card::mark(writing, accounts.iter().map(|a| a.person)).await?;
    let rows = accounts.into_iter().map(|account| row(account, None)).collect::<PortResult<_>>()?;
    let columns = [Column::Username, Column::Mail, Column::Data];
    writing.insert("reserving names", rows, upsert([Column::Person], columns)).await
}

pub(super) async fn of(db: &impl ConnectionTrait, people: &[PersonId]) -> PortResult<HashMap<PersonId, Account>> {
    let mut found = HashMap::new();
    for people in people.chunks(CHUNK) {
        let rows: Vec<String> = Entity::find()
            .select_only()
            .column(Column::Data)
            .filter(Column::Person.is_in(people.iter().map(|p| p.0)))
            .into_tuple()
            .all(db)
            .await
            .map_err(failed("reading accounts"))?;
        for data in rows {
            let account: Account = from_json(&data, "account")?;
            found.insert(account.person, account);
        }
    }
    Ok(found)
}

/// Nobody else changes them until the end of the transaction.
pub(super) async fn held(writing: &Writing, people: &[PersonId]) -> PortResult<HashMap<PersonId, Account>> {
    let mut found = HashMap::with_capacity(people.len());
    for people in people.chunks(CHUNK) {
        let rows: Vec<String> = Entity::find()
            .select_only()
            .column(Column::Data)
            .filter(Column::Person.is_in(people.iter().map(|p| p.0)))
            // Why sorted: replicas that settle at the same time take rows in the same order.
            .order_by_asc(Column::Person)
            .lock(LockType::Update)
            .into_tuple()
            .all(&writing.txn)
            .await
            .map_err(failed("reading accounts"))?;
        for data in rows {
            let account: Account = from_json(&data, "account")?;
            found.insert(account.person, account);
        }
    }
    Ok(found)
}

/// Is it somebody's?
pub(super) async fn is_owned(db: &impl ConnectionTrait, guid: AccountGuid) -> PortResult<bool> {
    let found = Entity::find().filter(Column::Guid.eq(guid.0)).one(db).await.map_err(failed("reading an account"))?;
    Ok(found.is_some())
}

pub(super) async fn delete(writing: &Writing, person: PersonId) -> PortResult<()> {
    Entity::delete_by_id(person.0).exec(&writing.txn).await.map_err(failed("undoing a reservation"))?;
    Ok(())
}

/// Seen and not closed.
pub(super) async fn of_managers(db: &impl ConnectionTrait, numbers: &[RegistryNo]) -> PortResult<HashMap<RegistryNo, AccountGuid>> {
    let closed = word(&AccountState::Closed)?;
    let mut found = HashMap::with_capacity(numbers.len());
    for numbers in numbers.chunks(CHUNK) {
        let rows: Vec<(String, Option<Uuid>)> = person::Entity::find()
            .join(JoinType::InnerJoin, person::Entity::belongs_to(Entity).from(person::Column::Id).to(Column::Person).into())
            .select_only()
            .column(person::Column::RegistryNo)
            .column(Column::Guid)
            .filter(person::Column::RegistryNo.is_in(numbers.iter().map(RegistryNo::as_str)))
            .filter(Column::Guid.is_not_null())
            .filter(Column::State.ne(closed.as_str()))
            .into_tuple()
            .all(db)
            .await
            .map_err(failed("reading managers"))?;
        found.extend(rows.into_iter().filter_map(|(no, guid)| Some((RegistryNo::parse(&no)?, AccountGuid(guid?)))));
    }
    Ok(found)
}

pub(super) async fn population(db: &impl ConnectionTrait) -> PortResult<Population> {
    let managed = [AccountState::Opening, AccountState::Active, AccountState::Suspended];
    let managed: Vec<String> = managed.iter().map(word).collect::<PortResult<_>>()?;
    let rows: Vec<(Option<i16>, i64)> = Entity::find()
        .select_only()
        .column(Column::Province)
        // Why not of people: all that is asked for stands in the index then.
        .column_as(Expr::col(Asterisk).count(), "accounts")
        .filter(Column::State.is_in(managed))
        .group_by(Column::Province)
        .into_tuple()
        .all(db)
        .await
        .map_err(failed("counting accounts"))?;
    let mut population = Population::default();
    for (plate, accounts) in rows {
        let accounts = u32::try_from(accounts).unwrap_or(u32::MAX);
        population.all = population.all.saturating_add(accounts);
        if let Some(province) = plate.and_then(province) {
            population.by_province.insert(province, accounts);
        }
    }
    Ok(population)
}

pub(super) fn province(plate: i16) -> Option<Province> {
    u8::try_from(plate).ok().and_then(Province::new)
}
