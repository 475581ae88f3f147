//! Cards that the directory shows otherwise than they should be: one row each while it does; and how many were right, day by day.
use super::SqlStore;
use super::account::{self, province};
use super::fault::{failed, from_json, from_word, to_json, unreadable, word};
use super::link::{CHUNK, Link, Writing, upsert};
use super::{hold, operation};
use async_trait::async_trait;
use chrono::{DateTime, Days, Utc};
use kimlik_domain::account::{AccountState, Attribute};
use kimlik_domain::card::drift::{CardCount, CardDrift, CardFigure, DriftFilter, DriftReason};
use kimlik_domain::day::Day;
use kimlik_domain::id::PersonId;
use kimlik_domain::lifecycle::drift::DriftAfter;
use kimlik_domain::lifecycle::hold::HeldChange;
use kimlik_domain::lifecycle::run::PersonSettlement;
use kimlik_domain::ports::{CardTruth, PortResult};
use kimlik_domain::staff::UnitCode;
use sea_orm::ExprTrait;
use sea_orm::entity::prelude::*;
use sea_orm::{Condition, IntoActiveModel, JoinType, QueryOrder, QuerySelect};
use std::collections::{BTreeMap, HashMap, HashSet};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "card_drift")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub person: Uuid,
    pub unit: Option<String>,
    pub province: Option<i16>,
    pub reason: String,
    pub since: DateTimeUtc,
    pub seen_at: DateTimeUtc,
    pub data: String,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

mod figure {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "card_figure")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub day: Date,
        pub at: DateTimeUtc,
        pub total: i64,
        pub right_cards: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// So long figures are kept: two years beside each other can be compared.
const KEPT_DAYS: u64 = 731;

fn row(drift: &CardDrift) -> PortResult<Model> {
    Ok(Model {
        person: drift.person.0,
        unit: drift.unit.map(|u| u.to_string()),
        province: drift.province.map(|p| i16::from(p.plate())),
        reason: word(&drift.reason)?,
        since: drift.since,
        seen_at: drift.seen_at,
        data: to_json(&drift.fields)?,
    })
}

fn drift(row: Model) -> PortResult<CardDrift> {
    let unit = row.unit.as_deref().map(|code| UnitCode::parse(code).ok_or_else(|| unreadable("card that differs", "no unit code")));
    Ok(CardDrift {
        person: PersonId(row.person),
        unit: unit.transpose()?,
        province: row.province.and_then(province),
        reason: from_word(&row.reason, "card that differs")?,
        fields: from_json(&row.data, "card that differs")?,
        since: row.since,
        seen_at: row.seen_at,
    })
}

/// Rows of a thousand people and less; those that say what is known already are left out.
async fn new_ones(db: &impl ConnectionTrait, rows: Vec<Model>) -> PortResult<Vec<Model>> {
    let known = Entity::find().filter(Column::Person.is_in(rows.iter().map(|r| r.person))).all(db).await;
    let known: HashMap<Uuid, Model> = known.map_err(failed("reading cards that differ"))?.into_iter().map(|r| (r.person, r)).collect();
    let same = |row: &Model| {
        known
            .get(&row.person)
            .is_some_and(|k| (&k.unit, k.province, &k.reason, &k.data) == (&row.unit, row.province, &row.reason, &row.data))
    };
    Ok(rows.into_iter().filter(|row| !same(row)).collect())
}

async fn put(writing: &Writing, rows: Vec<Model>) -> PortResult<()> {
    // Why not `since`: a card that has differed for a week has done so for whatever reason.
    let columns = [Column::Unit, Column::Province, Column::Reason, Column::SeenAt, Column::Data];
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model).collect();
    writing.insert("saving cards that differ", rows, upsert([Column::Person], columns)).await
}

async fn take_away(writing: &Writing, people: &[Uuid]) -> PortResult<()> {
    for people in people.chunks(CHUNK) {
        let gone = Entity::delete_many().filter(Column::Person.is_in(people.iter().copied()));
        gone.exec(&writing.txn).await.map_err(failed("forgetting cards that differed"))?;
    }
    Ok(())
}

pub(super) async fn drifting(db: &impl ConnectionTrait, of: Option<&[PersonId]>) -> PortResult<HashSet<PersonId>> {
    let select = || Entity::find().select_only().column(Column::Person);
    let read = failed("reading cards that differ");
    let Some(people) = of else {
        return Ok(select().into_tuple::<Uuid>().all(db).await.map_err(read)?.into_iter().map(PersonId).collect());
    };
    let mut found = HashSet::new();
    for people in people.chunks(CHUNK) {
        let some = select().filter(Column::Person.is_in(people.iter().map(|p| p.0))).into_tuple::<Uuid>().all(db).await;
        found.extend(some.map_err(&read)?.into_iter().map(PersonId));
    }
    Ok(found)
}

pub(super) async fn save(link: &Link, found: &[CardDrift], gone: &[PersonId]) -> PortResult<()> {
    let mut new = Vec::new();
    for found in found.chunks(CHUNK) {
        new.extend(new_ones(&link.db, found.iter().map(row).collect::<PortResult<_>>()?).await?);
    }
    if new.is_empty() && gone.is_empty() {
        return Ok(());
    }
    // Why sorted: as in settling.
    new.sort_unstable_by_key(|row| row.person);
    let mut gone: Vec<Uuid> = gone.iter().map(|p| p.0).collect();
    gone.sort_unstable();
    let writing = link.write().await?;
    put(&writing, new).await?;
    take_away(&writing, &gone).await?;
    writing.commit().await
}

/// In the settlements' transaction, in their order.
pub(super) async fn settle(writing: &Writing, settlements: &[PersonSettlement]) -> PortResult<()> {
    let (mut rows, mut right) = (Vec::new(), Vec::new());
    for settlement in settlements {
        match &settlement.drift {
            DriftAfter::AsBefore => {}
            DriftAfter::Right => right.push(settlement.person.0),
            DriftAfter::Differs(drift) => rows.push(row(drift)?),
        }
    }
    if !rows.is_empty() {
        let new = new_ones(&writing.txn, rows).await?;
        put(writing, new).await?;
    }
    take_away(writing, &right).await
}

fn fits(filter: &DriftFilter) -> PortResult<Condition> {
    let reasons = filter.reasons.as_ref().map(|r| r.iter().map(word).collect::<PortResult<Vec<_>>>()).transpose()?;
    Ok(Condition::all()
        .add_option(filter.units.as_ref().map(|units| Column::Unit.is_in(units.iter().map(UnitCode::to_string))))
        .add_option(filter.provinces.as_ref().map(|p| Column::Province.is_in(p.iter().map(|p| i16::from(p.plate())))))
        .add_option(reasons.map(|reasons| Column::Reason.is_in(reasons))))
}

async fn count(db: &impl ConnectionTrait) -> PortResult<CardCount> {
    let fault = || failed("counting cards");
    let rows: Vec<(String, Option<i16>, i64)> = Entity::find()
        .select_only()
        .columns([Column::Reason, Column::Province])
        .column_as(Column::Person.count(), "cards")
        .group_by(Column::Reason)
        .group_by(Column::Province)
        .into_tuple()
        .all(db)
        .await
        .map_err(fault())?;
    let number = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
    let (mut by_reason, mut by_province): (BTreeMap<DriftReason, u32>, BTreeMap<_, u32>) = Default::default();
    for (reason, plate, cards) in rows {
        *by_reason.entry(from_word(&reason, "card that differs")?).or_default() += number(cards);
        *by_province.entry(plate.and_then(province)).or_default() += number(cards);
    }
    let open = |table: Condition| -> PortResult<Condition> {
        let closed = word(&AccountState::Closed)?;
        Ok(table
            .add(Expr::col((account::Entity, account::Column::Guid)).is_not_null())
            .add(Expr::col((account::Entity, account::Column::State)).ne(closed)))
    };
    let accounts = account::Entity::find().filter(open(Condition::all())?).count(db).await.map_err(fault())?;
    let join = Entity::belongs_to(account::Entity).from(Column::Person).to(account::Column::Person);
    let theirs = Entity::find().join(JoinType::InnerJoin, join.into()).filter(open(Condition::all())?).count(db).await.map_err(fault())?;
    // Why also the others: an account that is still to be taken over, or that came back to life, has a card that people see.
    let others = u64::from(by_reason.values().sum::<u32>()).saturating_sub(theirs);
    Ok(CardCount { total: u32::try_from(accounts + others).unwrap_or(u32::MAX), by_reason, by_province })
}

pub(super) async fn note(link: &Link, day: Day, at: DateTime<Utc>) -> PortResult<()> {
    let counted = count(&link.db).await?;
    let total = i64::from(counted.total);
    let row = figure::Model { day, at, total, right_cards: total - i64::from(counted.wrong()) };
    let known = figure::Entity::find_by_id(day).one(&link.db).await.map_err(failed("reading a figure"))?;
    if known.is_some_and(|k| (k.total, k.right_cards) == (row.total, row.right_cards)) {
        return Ok(());
    }
    let writing = link.write().await?;
    let columns = [figure::Column::At, figure::Column::Total, figure::Column::RightCards];
    writing.insert("saving a figure", vec![row.into_active_model()], upsert([figure::Column::Day], columns)).await?;
    if let Some(oldest) = day.checked_sub_days(Days::new(KEPT_DAYS)) {
        let old = figure::Entity::delete_many().filter(figure::Column::Day.lt(oldest));
        old.exec(&writing.txn).await.map_err(failed("forgetting figures"))?;
    }
    writing.commit().await
}

#[async_trait]
impl CardTruth for SqlStore {
    async fn card_drifts(&self, filter: &DriftFilter, after: Option<PersonId>, limit: u32) -> PortResult<Vec<CardDrift>> {
        let after = after.map(|after| Column::Person.gt(after.0));
        let select = Entity::find().filter(fits(filter)?.add_option(after)).order_by_asc(Column::Person).limit(u64::from(limit));
        let rows = select.all(&self.link.db).await.map_err(failed("reading cards that differ"))?;
        rows.into_iter().map(drift).collect()
    }
    async fn card_drift_of(&self, person: PersonId) -> PortResult<Option<CardDrift>> {
        let row = Entity::find_by_id(person.0).one(&self.link.db).await.map_err(failed("reading a card that differs"))?;
        row.map(drift).transpose()
    }
    async fn held_changes(&self, person: PersonId) -> PortResult<Vec<HeldChange>> {
        hold::of_person(&self.link.db, person).await
    }
    async fn count_cards(&self) -> PortResult<CardCount> {
        count(&self.link.db).await
    }
    async fn card_figures(&self, limit: u32) -> PortResult<Vec<CardFigure>> {
        let select = figure::Entity::find().order_by_desc(figure::Column::Day).limit(u64::from(limit));
        let rows = select.all(&self.link.db).await.map_err(failed("reading figures"))?;
        let number = |n: i64| u32::try_from(n).unwrap_or_default();
        Ok(rows.into_iter().map(|r| CardFigure { day: r.day, at: r.at, total: number(r.total), right: number(r.right_cards) }).collect())
    }
    async fn last_written(&self, person: PersonId) -> PortResult<HashMap<Attribute, DateTime<Utc>>> {
        operation::last_written(&self.link.db, person).await
    }
}
