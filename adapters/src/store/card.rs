//! The feed of cards: marks left by whatever changes one, and the sealer that gives positions after those have committed.
use super::fault::{failed, from_json};
use super::link::{CHUNK, Link, Writing, upsert};
use super::{account, person, phone, photo, unit};
use aws_lc_rs::digest;
use kimlik_domain::id::PersonId;
use kimlik_domain::ports::{CardEntry, CardFacts, CardText, CardsHead, Left, PortResult, Seal};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Func;
use sea_orm::{ActiveValue, Condition, ExprTrait, IntoActiveModel, JoinType, QueryOrder, QuerySelect};
use std::collections::{BTreeSet, HashMap};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "card")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub person: Uuid,
    /// Of its last change.
    pub position: i64,
    pub removed: bool,
    /// Of its text.
    pub digest: Vec<u8>,
    pub changed_at: DateTimeUtc,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

mod marked {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "card_mark")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        /// Nobody in particular: everybody.
        pub person: Option<Uuid>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

mod head {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "card_head")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub epoch: Uuid,
        pub position: i64,
        pub generation: i64,
        pub shape: String,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// In the caller's transaction: these people's cards may have changed. Never waits for anybody: each mark is a row of its own.
pub(super) async fn mark(writing: &Writing, people: impl IntoIterator<Item = PersonId>) -> PortResult<()> {
    let rows = people.into_iter().map(|p| marked::ActiveModel { person: ActiveValue::Set(Some(p.0)), ..Default::default() });
    writing.insert("marking cards", rows.collect(), None).await
}

/// In the caller's transaction: something has changed that any card may show.
pub(super) async fn mark_everybody(writing: &Writing) -> PortResult<()> {
    writing.insert("marking cards", vec![marked::ActiveModel { person: ActiveValue::Set(None), ..Default::default() }], None).await
}

pub(super) async fn stand(db: &impl ConnectionTrait) -> PortResult<CardsHead> {
    let head = head::Entity::find().one(db).await.map_err(failed("reading where the cards stand"))?;
    let waiting: Option<i64> = marked::Entity::find()
        .select_only()
        .column(marked::Column::Id)
        .limit(1)
        .into_tuple()
        .one(db)
        .await
        .map_err(failed("reading marks"))?;
    Ok(head.map_or(CardsHead { is_waiting: true, ..CardsHead::default() }, |head| CardsHead {
        epoch: head.epoch,
        position: head.position,
        generation: head.generation,
        shape: head.shape,
        is_waiting: waiting.is_some(),
    }))
}

/// One at a time, in all replicas: the next one waits until this one has committed, so positions become visible in order.
pub(super) async fn seal(link: &Link, seal: &Seal<'_>, text: &CardText<'_>) -> PortResult<bool> {
    let writing = link.write().await?;
    writing.lock(&["cards"]).await?;
    let known = head::Entity::find().one(&writing.txn).await.map_err(failed("reading where the cards stand"))?;
    let mut head = known.unwrap_or_else(|| head::Model { epoch: seal.epoch, position: 0, generation: 0, shape: String::new() });
    let marks = marked::Entity::find()
        .order_by_asc(marked::Column::Id)
        .limit(u64::from(seal.limit))
        .all(&writing.txn)
        .await
        .map_err(failed("reading marks"))?;
    if head.shape != seal.shape || marks.iter().any(|m| m.person.is_none()) {
        // Why one by one from now on: everybody at once would hold the lock, and the memory, for long.
        everybody(&writing).await?;
        head.generation += 1;
        seal.shape.clone_into(&mut head.shape);
    }
    let people: BTreeSet<Uuid> = marks.iter().filter_map(|m| m.person).collect();
    let people: Vec<Uuid> = people.into_iter().collect();
    for people in people.chunks(CHUNK) {
        give_positions(&writing, seal, text, &mut head, people).await?;
    }
    for marks in marks.chunks(CHUNK) {
        let done = marked::Entity::delete_many().filter(marked::Column::Id.is_in(marks.iter().map(|m| m.id)));
        done.exec(&writing.txn).await.map_err(failed("working off marks"))?;
    }
    let columns = [head::Column::Position, head::Column::Generation, head::Column::Shape];
    let row = head.into_active_model();
    writing.insert("saving where the cards stand", vec![row], upsert([head::Column::Epoch], columns)).await?;
    let left = stand(&writing.txn).await?.is_waiting;
    writing.commit().await?;
    Ok(left)
}

async fn everybody(writing: &Writing) -> PortResult<()> {
    let marking = writing.txn.execute_unprepared("INSERT INTO card_mark (person) SELECT id FROM person");
    marking.await.map(drop).map_err(failed("marking cards"))
}

async fn give_positions(
    writing: &Writing,
    seal: &Seal<'_>,
    text: &CardText<'_>,
    head: &mut head::Model,
    people: &[Uuid],
) -> PortResult<()> {
    let units = unit::all(&writing.txn).await?;
    let known = Entity::find().filter(Column::Person.is_in(people.iter().copied())).all(&writing.txn);
    let known = known.await.map_err(failed("reading cards"))?;
    let known: HashMap<Uuid, Model> = known.into_iter().map(|card| (card.person, card)).collect();
    type Row = (Uuid, String, Option<String>, Option<String>, Option<String>);
    let rows: Vec<Row> = person::with_phones()
        .join(JoinType::LeftJoin, photo::of_account())
        .filter(person::Column::Id.is_in(people.iter().copied()))
        .order_by_asc(person::Column::Id)
        .select_only()
        .columns([person::Column::Id, person::Column::Data])
        .column(account::Column::Data)
        .column(phone::Column::Data)
        .column(photo::Column::Tag)
        .into_tuple()
        .all(&writing.txn)
        .await
        .map_err(failed("reading people"))?;
    let mut changed = Vec::new();
    for (id, person, account, phones, tag) in rows {
        let (person, account, _) = person::parse(&person, account.as_deref(), phones.as_deref())?;
        let text = text(&CardFacts { person, account, photo: tag.map(Into::into) }, &units);
        let (removed, digest) = (text.is_none(), digest_of(text.as_deref().unwrap_or_default()));
        let same = match known.get(&id) {
            Some(card) => card.removed == removed && card.digest == digest,
            None => removed,
        };
        if !same {
            head.position += 1;
            changed.push(Model { person: id, position: head.position, removed, digest, changed_at: seal.at }.into_active_model());
        }
    }
    let columns = [Column::Position, Column::Removed, Column::Digest, Column::ChangedAt];
    writing.insert("saving cards", changed, upsert([Column::Person], columns)).await
}

fn digest_of(text: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, text.as_bytes()).as_ref().to_vec()
}

pub(super) async fn entries(db: &impl ConnectionTrait, after: i64, limit: u32) -> PortResult<Vec<CardEntry>> {
    type Row = (i64, Uuid, DateTimeUtc, bool, Option<String>, Option<String>, Option<String>, Option<String>);
    let rows: Vec<Row> = Entity::find()
        .join(JoinType::LeftJoin, Entity::belongs_to(person::Entity).from(Column::Person).to(person::Column::Id).into())
        .join(JoinType::LeftJoin, Entity::belongs_to(account::Entity).from(Column::Person).to(account::Column::Person).into())
        .join(JoinType::LeftJoin, Entity::belongs_to(phone::Entity).from(Column::Person).to(phone::Column::Person).into())
        .join(JoinType::LeftJoin, photo::of_account())
        .filter(Column::Position.gt(after))
        .order_by_asc(Column::Position)
        .limit(u64::from(limit))
        .select_only()
        .columns([Column::Position])
        .columns([Column::Person])
        .columns([Column::ChangedAt])
        .columns([Column::Removed])
        .column(person::Column::Data)
        .column(account::Column::Data)
        .column(phone::Column::Data)
        .column(photo::Column::Tag)
        .into_tuple()
        .all(db)
        .await
        .map_err(failed("reading changed cards"))?;
    let entry = |(position, id, at, removed, person, account, phones, tag): Row| {
        let facts = match person.filter(|_| !removed) {
            Some(text) => {
                let (person, account, _) = person::parse(&text, account.as_deref(), phones.as_deref())?;
                Some(CardFacts { person, account, photo: tag.map(Into::into) })
            }
            None => None,
        };
        Ok(CardEntry { position, person: PersonId(id), at, facts })
    };
    rows.into_iter().map(entry).collect()
}

/// Who has no card, the last to lose it first. Why not by a column of its own: the sealer has said it already.
pub(super) async fn left(db: &impl ConnectionTrait, after: Option<(i64, PersonId)>, limit: u32) -> PortResult<Vec<Left>> {
    let position = || Func::coalesce([Expr::col((Entity, Column::Position)), Expr::val(0_i64)]);
    let mut select = person::Entity::find()
        .join(JoinType::LeftJoin, person::Entity::belongs_to(Entity).from(person::Column::Id).to(Column::Person).into())
        .filter(Condition::any().add(Column::Person.is_null()).add(Column::Removed.eq(true)));
    if let Some((at, person)) = after {
        let beside = Condition::all().add(Expr::expr(position()).eq(at)).add(person::Column::Id.lt(person.0));
        select = select.filter(Condition::any().add(Expr::expr(position()).lt(at)).add(beside));
    }
    let rows: Vec<(Option<i64>, String)> = select
        .order_by_desc(Expr::expr(position()))
        .order_by_desc(person::Column::Id)
        .limit(u64::from(limit))
        .select_only()
        .column(Column::Position)
        .column(person::Column::Data)
        .into_tuple()
        .all(db)
        .await
        .map_err(failed("reading who has left"))?;
    rows.into_iter().map(|(position, data)| Ok(Left { position: position.unwrap_or(0), person: from_json(&data, "person")? })).collect()
}
