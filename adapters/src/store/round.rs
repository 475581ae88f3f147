//! What is done once a day, and the units that had their digest of the day.
use super::SqlStore;
use super::fault::failed;
use super::link::{Link, Writing};
use super::message;
use async_trait::async_trait;
use chrono::{DateTime, Days, Utc};
use kimlik_domain::day::Day;
use kimlik_domain::id::PersonId;
use kimlik_domain::message::NewMessage;
use kimlik_domain::ports::{PortResult, Rounds, TakenRound};
use kimlik_domain::staff::UnitCode;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, OnConflict, Query};
use sea_orm::{ConnectionTrait, QuerySelect};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "daily_round")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// `2026-12-01`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub day: String,
    pub holder: Uuid,
    pub taken_until: DateTimeUtc,
    /// `None`: it is under way, or was broken off.
    pub done_at: Option<DateTimeUtc>,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

mod digest {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "unit_digest")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub unit: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub day: String,
        pub queued_at: DateTimeUtc,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Days that are kept, for whoever asks when something was told.
const KEPT: u64 = 60;

fn word(day: Day) -> String {
    day.format("%Y-%m-%d").to_string()
}

fn this(name: &str, day: Day) -> sea_orm::Condition {
    sea_orm::Condition::all().add(Column::Name.eq(name)).add(Column::Day.eq(word(day)))
}

/// One statement, so that of two who come at once one gets it.
async fn take(link: &Link, name: &str, day: Day, holder: Uuid, now: DateTime<Utc>, until: DateTime<Utc>) -> PortResult<TakenRound> {
    let known = Entity::find().filter(this(name, day)).one(&link.db).await.map_err(failed("reading a round"))?;
    if known.is_some_and(|row| row.done_at.is_some()) {
        return Ok(TakenRound::Made);
    }
    let writing = link.write().await?;
    let free = OnConflict::columns([Column::Name, Column::Day])
        .update_columns([Column::Holder, Column::TakenUntil])
        .action_and_where(Expr::col((Entity, Column::TakenUntil)).lte(now))
        .action_and_where(Expr::col((Entity, Column::DoneAt)).is_null())
        .to_owned();
    let mut insert = Query::insert();
    insert.into_table(Entity).columns([Column::Name, Column::Day, Column::Holder, Column::TakenUntil]);
    insert.values_panic([name.into(), word(day).into(), holder.into(), until.into()]).on_conflict(free);
    let taken = writing.txn.execute(&insert).await.map_err(failed("taking a round"))?.rows_affected() > 0;
    forget(&writing, day).await?;
    writing.commit().await?;
    Ok(if taken { TakenRound::Ours } else { TakenRound::Others })
}

async fn forget(writing: &Writing, day: Day) -> PortResult<()> {
    let before = day.checked_sub_days(Days::new(KEPT)).map(word).unwrap_or_default();
    let old = Column::Day.lt(before.as_str());
    Entity::delete_many().filter(old).exec(&writing.txn).await.map_err(failed("forgetting rounds"))?;
    let old = digest::Column::Day.lt(before.as_str());
    digest::Entity::delete_many().filter(old).exec(&writing.txn).await.map_err(failed("forgetting digests"))?;
    Ok(())
}

#[async_trait]
impl Rounds for SqlStore {
    async fn take_round(&self, name: &str, day: Day, holder: Uuid, now: DateTime<Utc>, until: DateTime<Utc>) -> PortResult<TakenRound> {
        take(&self.link, name, day, holder, now, until).await
    }
    async fn keep_round(&self, name: &str, day: Day, holder: Uuid, until: DateTime<Utc>) -> PortResult<bool> {
        let writing = self.link.write().await?;
        let kept = Entity::update_many()
            .col_expr(Column::TakenUntil, Expr::value(until))
            .filter(this(name, day))
            .filter(Column::Holder.eq(holder))
            .exec(&writing.txn)
            .await
            .map_err(failed("keeping a round"))?;
        writing.commit().await?;
        Ok(kept.rows_affected > 0)
    }
    async fn round_made(&self, name: &str, day: Day, holder: Uuid, now: DateTime<Utc>) -> PortResult<()> {
        let writing = self.link.write().await?;
        Entity::update_many()
            .col_expr(Column::DoneAt, Expr::value(Some(now)))
            .filter(this(name, day))
            .filter(Column::Holder.eq(holder))
            .exec(&writing.txn)
            .await
            .map_err(failed("ending a round"))?;
        writing.commit().await
    }
    async fn queue_digest(&self, unit: UnitCode, day: Day, messages: &[(PersonId, NewMessage)], now: DateTime<Utc>) -> PortResult<bool> {
        let writing = self.link.write().await?;
        let known = OnConflict::columns([digest::Column::Unit, digest::Column::Day]).do_nothing().to_owned();
        let mut insert = Query::insert();
        insert.into_table(digest::Entity).columns([digest::Column::Unit, digest::Column::Day, digest::Column::QueuedAt]);
        insert.values_panic([unit.to_string().into(), word(day).into(), now.into()]).on_conflict(known);
        if writing.txn.execute(&insert).await.map_err(failed("noting a digest"))?.rows_affected() == 0 {
            return Ok(false);
        }
        message::queue(&writing, &self.vault, messages.iter().map(|(person, message)| (*person, message, now))).await?;
        writing.commit().await?;
        Ok(true)
    }
    async fn people_in(&self, units: &[UnitCode]) -> PortResult<Vec<PersonId>> {
        let ids: Vec<Uuid> = super::person::posting::Entity::find()
            .select_only()
            .column(super::person::posting::Column::Person)
            .distinct()
            .filter(super::person::posting::Column::Unit.is_in(units.iter().map(ToString::to_string)))
            .into_tuple()
            .all(&self.link.db)
            .await
            .map_err(failed("reading who works where"))?;
        Ok(ids.into_iter().map(PersonId).collect())
    }
}
