//! Decisions on held changes, by person, kind and digest: what planning asks. An approval is used up once its change is done.
use super::fault::{failed, from_word, word};
use super::link::{CHUNK, Link, Writing};
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

/// They no longer decide anything.
pub(super) async fn lapse(link: &Link, lapsed: &[(PersonId, ActionKind, String)]) -> PortResult<()> {
    let mut by_kind: HashMap<ActionKind, Vec<Uuid>> = HashMap::new();
    lapsed.iter().for_each(|(person, kind, _)| by_kind.entry(*kind).or_default().push(person.0));
    let writing = link.write().await?;
    writing.lock(&["hold"]).await?;
    for (kind, people) in by_kind {
        let digests: HashSet<&str> = lapsed.iter().filter(|l| l.1 == kind).map(|l| l.2.as_str()).collect();
        let digests: Vec<&str> = digests.into_iter().collect();
        for people in people.chunks(CHUNK) {
            for digests in digests.chunks(CHUNK) {
                // Why by digest too: somebody may have decided anew since the look.
                let those = Column::Person.is_in(people.iter().copied()).and(Column::Digest.is_in(digests.iter().copied()));
                Entity::delete_many()
                    .filter(Column::Kind.eq(word(&kind)?).and(those))
                    .exec(&writing.txn)
                    .await
                    .map_err(failed("letting decisions lapse"))?;
            }
        }
    }
    writing.commit().await
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
