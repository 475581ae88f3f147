//! Units: one, a search, and the tree around each.
use super::card::IdentityCard;
use super::error::{Maybe, bad_input, fault};
use super::page;
use super::scalar::{PhoneNumber, UnitCode};
use super::window::{self, Counted, Paging, Total};
use super::{allows, house, id};
use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use kimlik_domain::access::{About, Deed};
use kimlik_domain::card::find::{CardFilter, CardOrder, UnitFilter as Asked, asked_words};
use kimlik_domain::staff;
use kimlik_domain::staff::unit;
use std::sync::Arc;

#[derive(Default)]
pub struct UnitQuery;

/// A unit of the ministry (birim).
pub struct Unit(pub Arc<staff::Unit>);

/// A province (il).
pub struct Province(pub unit::Province);

/// Head office or the provinces.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::staff::UnitKind")]
pub enum UnitKind {
    /// Merkez: head office.
    Central,
    /// Taşra: a provincial directorate.
    Provincial,
}

/// Which units; all that is said must fit.
#[derive(InputObject, Default)]
pub struct UnitFilter {
    /// Head office or the provinces.
    kind: Option<UnitKind>,
    /// Ids of provinces.
    provinces: Option<Vec<ID>>,
    /// Directly below this one.
    parent: Option<UnitCode>,
}

#[Object]
/// A province (il).
impl Province {
    /// province_ and the plate number.
    pub async fn id(&self) -> ID {
        ID(format!("{}_{}", id::PROVINCE, self.0))
    }
    /// Plaka: the plate number, 1 to 81.
    async fn plate(&self) -> i32 {
        self.0.plate().into()
    }
    /// Its name.
    async fn name(&self) -> &str {
        self.0.name()
    }
}

pub fn provinces(argument: &str, ids: &[ID]) -> Result<Vec<unit::Province>> {
    let read = |id: &ID| id.strip_prefix("province_").and_then(unit::Province::parse);
    let wrong = || bad_input(format!("{argument}: this is not the id of a province; province_06 is Ankara's."));
    ids.iter().map(|id| read(id).ok_or_else(wrong)).collect()
}

#[Object]
/// A unit of the ministry (birim).
impl Unit {
    /// Stays the same as long as its DETSİS number does.
    pub async fn id(&self) -> ID {
        ID(format!("{}_{}", id::UNIT, self.0.code))
    }
    /// Its DETSİS number: names change, numbers do not.
    async fn code(&self) -> UnitCode {
        UnitCode(self.0.code)
    }
    /// Its whole name.
    async fn name(&self) -> &str {
        &self.0.name
    }
    /// At most 64 characters: what fits the address book.
    async fn short_name(&self) -> &str {
        &self.0.short_name
    }
    /// Head office or the provinces.
    async fn kind(&self) -> UnitKind {
        self.0.kind.into()
    }
    /// Its province (il), or that of the nearest unit above it that has one.
    async fn province(&self, ctx: &Context<'_>) -> Maybe<Province> {
        let tree = tree(ctx).await;
        tree.map(|tree| tree.province(self.0.code).map(Province)).transpose()
    }
    /// Its own number, where it has one.
    async fn phone(&self) -> Option<PhoneNumber> {
        self.0.phone.as_deref().and_then(|n| staff::WorkNumber::parse(n).ok()).map(|n| PhoneNumber(n.e164().to_owned()))
    }
    /// The unit above it.
    async fn parent(&self, ctx: &Context<'_>) -> Maybe<Unit> {
        let parent = self.0.parent?;
        tree(ctx).await.map(|tree| tree.units().get(parent).cloned().map(Unit)).transpose()
    }
    /// From the ministry down to this unit.
    async fn path(&self, ctx: &Context<'_>) -> Maybe<Vec<Unit>> {
        let path = tree(ctx).await.map(|tree| {
            let mut path: Vec<Unit> = tree.units().upward(self.0.code).cloned().map(Unit).collect();
            path.reverse();
            path
        });
        Some(path)
    }
    /// Who keeps the HR records of the people here (personel birimi).
    async fn personnel_unit(&self, ctx: &Context<'_>) -> Maybe<Unit> {
        let found = tree(ctx).await.map(|tree| {
            let units = tree.units();
            units.personnel_unit(self.0.code).and_then(|code| units.get(code).cloned()).map(Unit)
        });
        found.transpose()
    }
    /// The units directly below, in Turkish order of their names.
    #[graphql(complexity = "page::cost(__ctx, __variables_definition, __field, child_complexity)")]
    async fn children(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before.")] after: Option<String>,
        #[graphql(desc = "How many from the end, instead of first.")] last: Option<i32>,
        #[graphql(desc = "The startCursor of the page behind.")] before: Option<String>,
    ) -> Maybe<Counted<Unit>> {
        let filter = Asked { parent: Some(self.0.code), ..Asked::default() };
        Some(list(ctx, filter, &Paging { first, after, last, before }).await)
    }
    /// Who works here today, in Turkish order of the family name.
    #[graphql(complexity = "page::cost(__ctx, __variables_definition, __field, child_complexity)")]
    async fn staff(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Also who works in the units below.", default_with = "Some(false)")] include_subunits: Option<bool>,
        #[graphql(desc = "How many from the beginning, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before.")] after: Option<String>,
        #[graphql(desc = "How many from the end, instead of first.")] last: Option<i32>,
        #[graphql(desc = "The startCursor of the page behind.")] before: Option<String>,
    ) -> Maybe<Counted<IdentityCard>> {
        if !allows(ctx, Deed::ReadCard, About::Everything) {
            return None;
        }
        let include_subunits = include_subunits.unwrap_or_default();
        let filter = CardFilter { units: Some(vec![self.0.code]), include_subunits, ..CardFilter::default() };
        Some(super::card::list(ctx, filter, CardOrder::Name, &Paging { first, after, last, before }).await)
    }
}

/// By its number, where the caller may read it.
pub async fn one(ctx: &Context<'_>, code: staff::UnitCode) -> Result<Option<Unit>> {
    if !allows(ctx, Deed::ReadUnit, About::Everything) {
        return Ok(None);
    }
    Ok(tree(ctx).await?.units().get(code).cloned().map(Unit))
}

/// A province, for whoever may read units.
pub fn one_province(ctx: &Context<'_>, province: unit::Province) -> Option<Province> {
    allows(ctx, Deed::ReadUnit, About::Everything).then_some(Province(province))
}

async fn tree(ctx: &Context<'_>) -> Result<Arc<kimlik_domain::card::tree::UnitTree>> {
    house(ctx)?.cards.tree().await.map_err(|e| fault(ctx, &e))
}

async fn list(ctx: &Context<'_>, filter: Asked, paging: &Paging) -> Result<Counted<Unit>> {
    let window = paging.window("unit")?;
    let seen = tree(ctx).await?.page(&filter, &window);
    Ok(window::page(seen, "unit", Total::new(move |book| book.tree().count(&filter)), Unit))
}

// Why: arguments of the graph, not of Rust.
#[allow(clippy::too_many_arguments)]
#[Object]
impl UnitQuery {
    /// One unit (birim); null where there is none of that number.
    async fn unit(&self, ctx: &Context<'_>, #[graphql(desc = "Its DETSİS number.")] code: UnitCode) -> Maybe<Unit> {
        one(ctx, code.0).await.transpose()
    }

    /// Units in Turkish order of their names.
    #[graphql(complexity = "page::cost(__ctx, __variables_definition, __field, child_complexity)")]
    async fn units(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Folds Turkish letters; every word must match the start of a word of the name.")] search: Option<String>,
        #[graphql(desc = "Only these; null: all.")] filter: Option<UnitFilter>,
        #[graphql(desc = "How many from the beginning, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before.")] after: Option<String>,
        #[graphql(desc = "How many from the end, instead of first.")] last: Option<i32>,
        #[graphql(desc = "The startCursor of the page behind.")] before: Option<String>,
    ) -> Maybe<Counted<Unit>> {
        if !allows(ctx, Deed::ReadUnit, About::Everything) {
            return None;
        }
        Some(units(ctx, search.as_deref(), filter.unwrap_or_default(), &Paging { first, after, last, before }).await)
    }
}

async fn units(ctx: &Context<'_>, search: Option<&str>, filter: UnitFilter, paging: &Paging) -> Result<Counted<Unit>> {
    let asked = Asked {
        words: asked_words(super::card::plain("search", search.unwrap_or(""))?),
        kind: filter.kind.map(Into::into),
        provinces: filter.provinces.map(|ids| provinces("filter.provinces", &ids)).transpose()?,
        parent: filter.parent.map(|code| code.0),
    };
    list(ctx, asked, paging).await
}
