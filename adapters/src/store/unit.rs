//! Units, and whose head somebody is.
use super::fault::{failed, from_json, to_json};
use super::link::{Writing, upsert};
use kimlik_domain::ports::PortResult;
use kimlik_domain::staff::{RegistryNo, Unit, Units};
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel, QuerySelect};
use std::collections::{HashMap, HashSet};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "unit")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    pub parent: Option<String>,
    pub head: Option<String>,
    pub replaced_by: Option<String>,
    pub data: String,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

pub(super) async fn all(db: &impl ConnectionTrait) -> PortResult<Units> {
    let rows: Vec<String> =
        Entity::find().select_only().column(Column::Data).into_tuple().all(db).await.map_err(failed("reading units"))?;
    let units: Vec<Unit> = rows.iter().map(|data| from_json(data, "unit")).collect::<PortResult<_>>()?;
    Ok(Units::new(units))
}

pub(super) async fn save(writing: &Writing, units: &[Unit]) -> PortResult<()> {
    // Why a map: one statement must not name a row twice; the last one said counts.
    let mut rows = std::collections::BTreeMap::new();
    for unit in units {
        let row = Model {
            code: unit.code.to_string(),
            parent: unit.parent.map(|c| c.to_string()),
            head: unit.head.as_ref().map(|no| no.as_str().to_owned()),
            replaced_by: unit.replaced_by.map(|c| c.to_string()),
            data: to_json(unit)?,
        };
        rows.insert(unit.code, row.into_active_model());
    }
    if !rows.is_empty() {
        super::card::mark_everybody(writing).await?;
    }
    let columns = [Column::Parent, Column::Head, Column::ReplacedBy, Column::Data];
    writing.insert("saving units", rows.into_values().collect(), upsert([Column::Code], columns)).await
}

/// Whom the heads are set over: everybody in these units, and these people (heads of units further down).
#[derive(Default)]
pub(super) struct Realm {
    pub(super) units: Vec<String>,
    pub(super) heads: Vec<String>,
}

pub(super) async fn realm(db: &impl ConnectionTrait, heads: &[RegistryNo]) -> PortResult<Realm> {
    let names: HashSet<&str> = heads.iter().map(RegistryNo::as_str).collect();
    let roots: Vec<String> = Entity::find()
        .select_only()
        .column(Column::Code)
        .filter(Column::Head.is_in(names.iter().copied()))
        .into_tuple()
        .all(db)
        .await
        .map_err(failed("reading heads of units"))?;
    if roots.is_empty() {
        return Ok(Realm::default());
    }
    let tree: Vec<Line> = Entity::find()
        .select_only()
        .columns([Column::Code, Column::Parent, Column::Head, Column::ReplacedBy])
        .into_tuple()
        .all(db)
        .await
        .map_err(failed("reading the tree of units"))?;
    Ok(walk(roots, &tree, &names))
}

/// (code, parent, head, replaced by).
type Line = (String, Option<String>, Option<String>, Option<String>);

/// Down from `roots` to where another head begins. A unit that was replaced counts as standing below what replaced it.
fn walk(roots: Vec<String>, tree: &[Line], names: &HashSet<&str>) -> Realm {
    let mut below: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, (_, parent, _, replaced_by)) in tree.iter().enumerate() {
        for above in [parent, replaced_by].into_iter().flatten() {
            below.entry(above).or_default().push(at);
        }
    }
    let mut realm = Realm::default();
    let mut seen: HashSet<String> = roots.iter().cloned().collect();
    let mut open = roots;
    while let Some(code) = open.pop() {
        for at in below.get(code.as_str()).into_iter().flatten() {
            let (child, _, head, _) = &tree[*at];
            match head {
                Some(head) if !names.contains(head.as_str()) => realm.heads.push(head.clone()),
                _ if seen.insert(child.clone()) => open.push(child.clone()),
                _ => {}
            }
        }
        realm.units.push(code);
    }
    realm
}
