//! Decisions on held changes, by person, kind and digest: what planning asks. An approval is used up once its change is done.
use super::fault::{failed, from_word};
use super::link::Writing;
use kimlik_domain::id::PersonId;
use kimlik_domain::lifecycle::ActionKind;
use kimlik_domain::ports::PortResult;
use sea_orm::ExprTrait;
use sea_orm::entity::prelude::*;
use std::collections::{HashMap, HashSet};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "decision")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub person: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: String,
    pub approved: bool,
    pub hold: Uuid,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

pub(super) type Decisions = Vec<(ActionKind, String, bool)>;

pub(super) async fn of(db: &impl ConnectionTrait, people: &[Uuid]) -> PortResult<HashMap<PersonId, Decisions>> {
    let rows = Entity::find().filter(Column::Person.is_in(people.iter().copied())).all(db).await.map_err(failed("reading decisions"))?;
    let mut found: HashMap<PersonId, Decisions> = HashMap::new();
    for row in rows {
        let kind = from_word(&row.kind, "decision")?;
        found.entry(PersonId(row.person)).or_default().push((kind, row.digest, row.approved));
    }
    Ok(found)
}

/// The changes (person, kind, digest) are done: their approvals are spent.
pub(super) async fn spend(writing: &Writing, done: &[(Uuid, String, String)]) -> PortResult<()> {
    let people = done.iter().map(|(person, ..)| *person);
    let approved = Entity::find()
        .filter(Column::Person.is_in(people))
        .filter(Column::Approved.eq(true))
        .all(&writing.txn)
        .await
        .map_err(failed("reading decisions"))?;
    let done: HashSet<(Uuid, &str, &str)> = done.iter().map(|(p, kind, digest)| (*p, kind.as_str(), digest.as_str())).collect();
    // Why by kind: a condition a row would be a tree too deep for SQLite. Of one kind a person has one decision.
    let mut spent: HashMap<&str, Vec<Uuid>> = HashMap::new();
    for row in approved.iter().filter(|row| done.contains(&(row.person, row.kind.as_str(), row.digest.as_str()))) {
        spent.entry(&row.kind).or_default().push(row.person);
    }
    for (kind, people) in spent {
        Entity::delete_many()
            .filter(Column::Kind.eq(kind).and(Column::Person.is_in(people)).and(Column::Approved.eq(true)))
            .exec(&writing.txn)
            .await
            .map_err(failed("spending approvals"))?;
    }
    Ok(())
}
