//! People as HR last described them: one row each, with what is searched beside the whole as JSON.
use super::fault::{failed, from_json, from_word, to_json, word};
use super::link::{CHUNK, Link, Writing, keep, upsert};
use super::{account, audit, card, decision, hr_photo, issue, mailbox, operation, phone, run, suspension};
use kimlik_domain::account::{Account, AccountState};
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::PersonId;
use kimlik_domain::message::Language;
use kimlik_domain::phone::Phones;
use kimlik_domain::ports::{PeopleBy, PersonRecord, PortResult};
use kimlik_domain::staff::{Person, RegistryNo};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{IntoActiveModel, JoinType, QueryOrder, QuerySelect, Select};
use std::collections::{BTreeSet, HashMap};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "person")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(unique)]
    pub registry_no: String,
    pub manager: Option<String>,
    pub data: String,
    /// What they have chosen to be told things in. HR says nothing of it: a delivery leaves it as it is.
    pub language: Option<String>,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

/// Units of a person's postings, whatever their dates.
pub mod posting {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "person_unit")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub unit: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub person: Uuid,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Everybody with their account, in one statement. The person is as HR said it.
pub(super) fn with_account() -> Select<Entity> {
    Entity::find().join(JoinType::LeftJoin, Entity::belongs_to(account::Entity).from(Column::Id).to(account::Column::Person).into())
}

/// And with the phones that were changed here.
pub(super) fn with_phones() -> Select<Entity> {
    with_account().join(JoinType::LeftJoin, Entity::belongs_to(phone::Entity).from(Column::Id).to(phone::Column::Person).into())
}

pub(super) async fn save(writing: &Writing, people: &[&Person]) -> PortResult<()> {
    let mut rows = Vec::with_capacity(people.len());
    let mut postings = BTreeSet::new();
    for person in people {
        let row = Model {
            id: person.id.0,
            registry_no: person.registry_no.as_str().to_owned(),
            manager: person.manager.as_ref().map(|m| m.as_str().to_owned()),
            data: to_json(person)?,
            language: None,
        };
        rows.push(row.into_active_model());
        postings.extend(person.postings.iter().map(|p| (p.unit.to_string(), person.id.0)));
    }
    let columns = [Column::RegistryNo, Column::Manager, Column::Data];
    writing.insert("saving people", rows, upsert([Column::Id], columns)).await?;
    card::mark(writing, people.iter().map(|p| p.id)).await?;
    posting::Entity::delete_many()
        .filter(posting::Column::Person.is_in(people.iter().map(|p| p.id.0)))
        .exec(&writing.txn)
        .await
        .map_err(failed("saving postings"))?;
    let postings = postings.into_iter().map(|(unit, person)| posting::Model { unit, person }.into_active_model()).collect();
    writing.insert("saving postings", postings, keep([posting::Column::Unit, posting::Column::Person])).await
}

/// However many are asked for: five statements a chunk, one more where some have left, four where HR names photos.
pub(super) async fn people(db: &impl ConnectionTrait, by: PeopleBy<'_>) -> PortResult<Vec<PersonRecord>> {
    let mut found = Vec::new();
    match by {
        PeopleBy::After(after, limit) => {
            let mut select = with_phones().order_by_asc(Column::Id).limit(u64::from(limit));
            if let Some(after) = after {
                select = select.filter(Column::Id.gt(after.0));
            }
            found = rows(db, select).await?;
        }
        PeopleBy::Ids(ids) => {
            for ids in ids.chunks(CHUNK) {
                found.extend(rows(db, with_phones().filter(Column::Id.is_in(ids.iter().map(|id| id.0)))).await?);
            }
        }
        PeopleBy::Guids(guids) => {
            for guids in guids.chunks(CHUNK) {
                // Why a subquery: SQLite would read everybody to find the few whose joined account has the GUID.
                let mut of_guids = Query::select();
                of_guids.column(account::Column::Person).from(account::Entity);
                of_guids.and_where(account::Column::Guid.is_in(guids.iter().map(|g| g.0)));
                found.extend(rows(db, with_phones().filter(Column::Id.in_subquery(of_guids))).await?);
            }
        }
        PeopleBy::RegistryNos(numbers) => {
            for numbers in numbers.chunks(CHUNK) {
                found.extend(rows(db, with_phones().filter(Column::RegistryNo.is_in(numbers.iter().map(RegistryNo::as_str)))).await?);
            }
        }
    }
    complete(db, found).await
}

async fn rows(db: &impl ConnectionTrait, select: Select<Entity>) -> PortResult<Vec<(Read, Option<Language>)>> {
    type Row = (String, Option<String>, Option<String>, Option<String>);
    let rows: Vec<Row> = select
        .select_only()
        .columns([Column::Data, Column::Language])
        .column(account::Column::Data)
        .column(phone::Column::Data)
        .into_tuple()
        .all(db)
        .await
        .map_err(failed("reading people"))?;
    let read = |(person, language, account, phones): &Row| {
        let language = language.as_ref().map(|word| from_word(word, "language")).transpose()?;
        Ok((parse(person, account.as_deref(), phones.as_deref())?, language))
    };
    rows.iter().map(read).collect()
}

/// What somebody has chosen to be told things in.
pub(super) async fn keep_language(link: &Link, person: PersonId, language: Language, event: &AuditEvent) -> PortResult<()> {
    let writing = link.write().await?;
    let kept = Entity::update_many().col_expr(Column::Language, Expr::value(word(&language)?)).filter(Column::Id.eq(person.0));
    kept.exec(&writing.txn).await.map_err(failed("keeping a language"))?;
    audit::record(&writing, [event]).await?;
    writing.commit().await
}

/// A person with the phones that count, the account, and what both sides say of the phones.
pub(super) type Read = (Person, Option<Account>, Phones);

pub(super) fn parse(person: &str, account: Option<&str>, phones: Option<&str>) -> PortResult<Read> {
    let mut person = from_json(person, "person")?;
    let ledger = phones.map(|p| from_json(p, "phones")).transpose()?.unwrap_or_default();
    let phones = Phones::lay_over(&mut person, ledger);
    Ok((person, account.map(|a| from_json(a, "account")).transpose()?, phones))
}

/// As HR said them, those of `ids` that are known.
pub(super) async fn as_hr_said(db: &impl ConnectionTrait, ids: impl IntoIterator<Item = Uuid> + Send) -> PortResult<Vec<Person>> {
    let rows: Vec<String> = Entity::find()
        .select_only()
        .column(Column::Data)
        .filter(Column::Id.is_in(ids))
        .into_tuple()
        .all(db)
        .await
        .map_err(failed("reading people"))?;
    rows.iter().map(|person| from_json(person, "person")).collect()
}

/// What stands in small tables beside each person.
async fn complete(db: &impl ConnectionTrait, found: Vec<(Read, Option<Language>)>) -> PortResult<Vec<PersonRecord>> {
    let mut records = Vec::with_capacity(found.len());
    let mut found = found.into_iter();
    loop {
        let chunk: Vec<_> = found.by_ref().take(CHUNK).collect();
        if chunk.is_empty() {
            return Ok(records);
        }
        let ids: Vec<Uuid> = chunk.iter().map(|((p, ..), _)| p.id.0).collect();
        let mut decisions = decision::of(db, &ids).await?;
        let mut unsettled = operation::unsettled(db, &ids).await?;
        let going_on = run::going_on(db, unsettled.values().flatten().map(|o| o.run)).await?;
        let mut issues = issue::standing(db, chunk.iter().map(|((p, ..), _)| p.registry_no.as_str())).await?;
        let mut suspensions = suspension::latest(db, &ids).await?;
        let closed = chunk.iter().filter_map(|((_, account, _), _)| account.as_ref()).filter(|a| a.state == AccountState::Closed);
        let mut mailboxes = mailbox::standing(db, closed.map(|a| a.person.0).collect()).await?;
        let mut photos = hr_photo::wishes(db, chunk.iter().map(|(read, _)| read)).await?;
        records.extend(chunk.into_iter().map(|((person, account, phones), language)| {
            let (accepted, open_issues) = issues.remove(person.registry_no.as_str()).unwrap_or_default();
            let unsettled = unsettled.remove(&person.id).unwrap_or_default();
            PersonRecord {
                account,
                phones,
                decisions: decisions.remove(&person.id).unwrap_or_default(),
                accepted,
                open_issues,
                under_way: unsettled.iter().map(|o| o.run).filter(|run| going_on.contains(run)).collect(),
                unsettled,
                suspension: suspensions.remove(&person.id),
                mailbox: mailboxes.remove(&person.id),
                photo: photos.remove(&person.id).unwrap_or_default(),
                language,
                person,
            }
        }));
    }
}

/// People named by a registry number that they have now.
pub(super) async fn ids_of<'a>(
    db: &impl ConnectionTrait,
    numbers: impl IntoIterator<Item = &'a str> + Send,
) -> PortResult<HashMap<String, PersonId>> {
    let rows: Vec<(String, Uuid)> = Entity::find()
        .select_only()
        .columns([Column::RegistryNo, Column::Id])
        .filter(Column::RegistryNo.is_in(numbers))
        .into_tuple()
        .all(db)
        .await
        .map_err(failed("reading people"))?;
    Ok(rows.into_iter().map(|(no, id)| (no, PersonId(id))).collect())
}

/// Whose manager one of `heads` is: named in HR, or as head of the unit.
pub(super) async fn reports_of(db: &impl ConnectionTrait, heads: &[RegistryNo]) -> PortResult<Vec<PersonId>> {
    let mut found = BTreeSet::new();
    for heads in heads.chunks(CHUNK) {
        let realm = super::unit::realm(db, heads).await?;
        let named = Column::Manager.is_in(heads.iter().map(RegistryNo::as_str));
        found.extend(ids_where(db, named).await?);
        for numbers in realm.heads.chunks(CHUNK) {
            found.extend(ids_where(db, Column::RegistryNo.is_in(numbers.iter().map(String::as_str))).await?);
        }
        for units in realm.units.chunks(CHUNK) {
            let rows: Vec<Uuid> = posting::Entity::find()
                .select_only()
                .column(posting::Column::Person)
                .filter(posting::Column::Unit.is_in(units.iter().map(String::as_str)))
                .into_tuple()
                .all(db)
                .await
                .map_err(failed("reading postings"))?;
            found.extend(rows);
        }
    }
    Ok(found.into_iter().map(PersonId).collect())
}

async fn ids_where(db: &impl ConnectionTrait, condition: Expr) -> PortResult<Vec<Uuid>> {
    Entity::find().select_only().column(Column::Id).filter(condition).into_tuple().all(db).await.map_err(failed("reading people"))
}
