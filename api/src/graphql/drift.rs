//! Cards that the directory shows otherwise than they should be, with the reason of each.
use super::card::{IdentityCard, of_person};
use super::error::{Maybe, bad_input, fault};
use super::page::{self, Cursor, Page};
use super::provenance::{CardFieldName, named, names, shown};
use super::reading::reads;
use super::scalar::{Date, UnitCode};
use super::unit::{self, Unit};
use super::{allows, caller, house, id, permitted, said};
use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use kimlik_domain::access::{About, Deed};
use kimlik_domain::account::Attribute;
use kimlik_domain::card::drift::{self, DriftField, DriftFilter};
use kimlik_domain::card::tree::UnitTree;
use kimlik_domain::id::{AccountGuid, PersonId};
use kimlik_domain::staff;
use std::collections::HashMap;
use std::sync::Arc;

#[derive(Default)]
pub struct DriftQuery;

/// Why a card is not what it should be.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::card::drift::DriftReason")]
pub enum CardDriftReason {
    /// It is to be written and was not yet, or nobody knows yet whether it was.
    Waiting,
    /// Somebody changed it in the directory by hand; it is being put right.
    HandEdited,
    /// The value is longer than the field holds, and was cut: a rule or a shorter text is needed.
    ValueCut,
    /// The unit is observed only (gözlem): nothing is written there yet.
    ObservedOnly,
    /// It waits in a hold (bekletme) for an administrator's decision.
    Held,
    /// An administrator has decided against it.
    Rejected,
    /// A person has to decide first what it should be: waitsFor of the card says what about.
    Undecided,
    /// An e-mail address policy of Exchange writes other addresses.
    AddressPolicy,
    /// The directory does not take the value.
    RefusedValue,
    /// The directory refuses the change; it is tried again every quarter of an hour.
    Failed,
    /// A protected account (of an administrator of the domain): Kimlik does not touch it.
    Protected,
    /// The account cannot be found, or stands outside the managed tree.
    NotFound,
}

/// Which cards; all that is said must fit.
#[derive(InputObject)]
pub struct CardDriftFilter {
    /// Whose people work in one of these.
    units: Option<Vec<UnitCode>>,
    /// Or in the units below them.
    #[graphql(default_with = "Some(true)")]
    include_subunits: Option<bool>,
    /// Ids of provinces: whose people work in one of them.
    provinces: Option<Vec<ID>>,
    /// Why they differ.
    reasons: Option<Vec<CardDriftReason>>,
}

/// A card that the directory shows otherwise than it should.
pub struct CardDrift {
    drift: drift::CardDrift,
    tree: Arc<UnitTree>,
    names: Arc<HashMap<AccountGuid, String>>,
}

/// A field of it.
pub struct CardDriftField {
    field: DriftField,
    names: Arc<HashMap<AccountGuid, String>>,
}

#[Object]
/// A card that the directory shows otherwise than it should, as the last look found it.
impl CardDrift {
    /// Why; of several reasons the one to be looked at first.
    async fn reason(&self) -> CardDriftReason {
        self.drift.reason.into()
    }
    /// What differs. Empty: the card as a whole, or what the caller may not read.
    async fn fields(&self, ctx: &Context<'_>) -> Vec<CardDriftField> {
        let about = About::Person(self.drift.person, self.drift.unit);
        let may_see = |f: &&DriftField| f.attribute != Attribute::Mobile || reads(ctx, Deed::ReadMobile, about);
        let fields = self.drift.fields.iter().filter(may_see).cloned();
        fields.map(|field| CardDriftField { field, names: self.names.clone() }).collect()
    }
    /// Where the person works.
    async fn unit(&self) -> Option<Unit> {
        self.tree.units().get(self.drift.unit?).cloned().map(Unit)
    }
    /// When the card was first seen not to be right.
    async fn since(&self) -> DateTime<Utc> {
        self.drift.since
    }
    /// When it was first seen as it is now.
    async fn seen_at(&self) -> DateTime<Utc> {
        self.drift.seen_at
    }
    /// Whose it is.
    #[graphql(complexity = "5 + child_complexity")]
    async fn card(&self, ctx: &Context<'_>) -> Maybe<IdentityCard> {
        of_person(ctx, self.drift.person).await.transpose()
    }
}

#[Object]
/// A field that the directory shows otherwise than it should.
impl CardDriftField {
    /// Which field.
    async fn name(&self) -> CardFieldName {
        self.field.attribute.into()
    }
    /// Its name in the directory (LDAP).
    async fn attribute(&self) -> &str {
        self.field.attribute.ldap_name()
    }
    /// What should stand there, whole also where the directory holds less of it; of addresses, those that are missing. Null: nothing.
    async fn value(&self) -> Option<String> {
        self.field.wanted.as_ref().map(|v| shown(v, &self.names))
    }
    /// What stands there; of addresses, those that have to go. Null: nothing.
    async fn directory_value(&self) -> Option<String> {
        self.field.held.as_ref().map(|v| shown(v, &self.names))
    }
    /// Why.
    async fn reason(&self) -> CardDriftReason {
        self.field.reason.into()
    }
    /// In plain words: why it is to be another value, or why it cannot be written.
    async fn because(&self, ctx: &Context<'_>) -> String {
        said(ctx, &self.field.because)
    }
}

/// How many cards differ for one reason.
#[derive(SimpleObject)]
pub struct CardDriftCount {
    /// The reason; of several the one to be looked at first.
    reason: CardDriftReason,
    /// How many.
    cards: u32,
}

/// How many cards differ in one province.
pub struct ProvinceDriftCount {
    province: Option<staff::unit::Province>,
    cards: u32,
}

#[Object]
/// How many cards differ in one province.
impl ProvinceDriftCount {
    /// Null: head office, or no unit is known.
    async fn province(&self) -> Option<unit::Province> {
        self.province.map(unit::Province)
    }
    /// How many.
    async fn cards(&self) -> u32 {
        self.cards
    }
}

/// How the cards stood at the end of the last look at everybody on a day.
pub struct CardFigure(drift::CardFigure);

#[Object]
/// How the cards stood at the end of the last look at everybody on a day.
impl CardFigure {
    /// The day, in Türkiye.
    async fn day(&self) -> Date {
        Date(self.0.day)
    }
    /// The moment of the count.
    async fn at(&self) -> DateTime<Utc> {
        self.0.at
    }
    /// Cards that the directory showed.
    async fn total(&self) -> u32 {
        self.0.total
    }
    /// Of those, cards that were what they should be.
    async fn right(&self) -> u32 {
        self.0.right
    }
    /// In percent, rounded down to hundredths. Null: there were no cards.
    async fn percent(&self) -> Option<f64> {
        self.0.right_share().map(|share| f64::from(share) / 100.0)
    }
}

/// How many cards are what they should be now, and were before.
pub struct CardsRight {
    count: drift::CardCount,
    at: DateTime<Utc>,
}

#[Object]
/// How many cards are what they should be now, and were before.
impl CardsRight {
    /// In percent, rounded down to hundredths: 100 is said only where every card is right. Null: there are no cards.
    async fn percent(&self) -> Option<f64> {
        self.count.right_share().map(|share| f64::from(share) / 100.0)
    }
    /// Cards that the directory shows: accounts in use or to be used, those still to be taken over where they are known to differ.
    async fn total(&self) -> u32 {
        self.count.total
    }
    /// Of those, cards that are what they should be, as far as the looks so far have seen.
    async fn right(&self) -> u32 {
        self.count.total.saturating_sub(self.count.wrong())
    }
    /// The moment of the count.
    async fn at(&self) -> DateTime<Utc> {
        self.at
    }
    /// Why the others are not; reasons of none are left out.
    async fn reasons(&self) -> Vec<CardDriftCount> {
        self.count.by_reason.iter().map(|(reason, cards)| CardDriftCount { reason: (*reason).into(), cards: *cards }).collect()
    }
    /// Where the others are; provinces of none are left out.
    async fn provinces(&self) -> Vec<ProvinceDriftCount> {
        self.count.by_province.iter().map(|(province, cards)| ProvinceDriftCount { province: *province, cards: *cards }).collect()
    }
    /// One figure a day, the latest first. Kept for two years.
    #[graphql(complexity = "5 + 30 * child_complexity")]
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many days, at most 731; 30 where nothing is said.", default = 30)] days: Option<i32>,
    ) -> Maybe<Vec<CardFigure>> {
        Some(history(ctx, days.unwrap_or(30)).await)
    }
}

const MOST_DAYS: i32 = 731;

async fn history(ctx: &Context<'_>, days: i32) -> Result<Vec<CardFigure>> {
    let limit = u32::try_from(days).ok().filter(|_| days <= MOST_DAYS);
    let limit = limit.ok_or_else(|| bad_input(format!("days: a number from 0 to {MOST_DAYS}, not {days}.")))?;
    let figures = house(ctx)?.card_truth.card_figures(limit).await.map_err(|e| fault(ctx, &e))?;
    Ok(figures.into_iter().map(CardFigure).collect())
}

#[Object]
impl DriftQuery {
    /// How many cards are what they should be now, in percent, with the reasons of the others and the figures of the days before.
    /// Auditors and administrators; others see null.
    #[graphql(complexity = "20 + child_complexity")]
    async fn cards_right(&self, ctx: &Context<'_>) -> Maybe<CardsRight> {
        if !allows(ctx, Deed::ReadDrift, About::Everything) {
            return None;
        }
        Some(right(ctx).await)
    }

    /// Cards that the directory shows otherwise than they should be, with the reason of each; a personnel officer sees those of the
    /// own people. The reading is recorded. Empty: every card is right.
    #[graphql(complexity = "page::cost(__ctx, __variables_definition, __field, child_complexity)")]
    async fn card_drift(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only these; null: all.")] filter: Option<CardDriftFilter>,
        #[graphql(desc = "How many, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before.")] after: Option<String>,
    ) -> Maybe<Page<CardDrift>> {
        if !allows(ctx, Deed::ReadDrift, About::List) {
            return None;
        }
        Some(drifts(ctx, filter, first, after.as_deref()).await)
    }
}

async fn right(ctx: &Context<'_>) -> Result<CardsRight> {
    let house = house(ctx)?;
    let count = house.card_truth.count_cards().await.map_err(|e| fault(ctx, &e))?;
    Ok(CardsRight { count, at: house.clock.now() })
}

/// More are no filter but a list.
const MOST_VALUES: usize = 1_000;

fn asked(filter: Option<CardDriftFilter>, tree: &UnitTree) -> Result<DriftFilter> {
    let Some(filter) = filter else { return Ok(DriftFilter::default()) };
    if [filter.units.as_ref().map(Vec::len), filter.provinces.as_ref().map(Vec::len)].into_iter().flatten().any(|n| n > MOST_VALUES) {
        return Err(bad_input(format!("filter: at most {MOST_VALUES} values of a kind.")));
    }
    let within = |units: Vec<UnitCode>| {
        let roots: Vec<_> = units.into_iter().map(|code| code.0).collect();
        tree.within(&roots, filter.include_subunits.unwrap_or(true)).into_iter().collect()
    };
    Ok(DriftFilter {
        units: filter.units.map(within),
        provinces: filter.provinces.map(|ids| unit::provinces("filter.provinces", &ids)).transpose()?,
        reasons: filter.reasons.map(|reasons| reasons.into_iter().map(Into::into).collect()),
    })
}

async fn drifts(ctx: &Context<'_>, filter: Option<CardDriftFilter>, first: Option<i32>, after: Option<&str>) -> Result<Page<CardDrift>> {
    let wanted = page::first(first)?;
    let after = page::after(id::DRIFT, after)?.map(PersonId);
    let tree = house(ctx)?.cards.tree().await.map_err(|e| fault(ctx, &e))?;
    let filter = asked(filter, &tree)?;
    let found = visible(ctx, filter, after, wanted as usize + 1).await?;
    let mut accounts = Vec::new();
    for field in found.iter().flat_map(|d| &d.fields) {
        named(&mut accounts, [&field.held, &field.wanted]);
    }
    let names = Arc::new(names(ctx, accounts).await?);
    Ok(page::page(found, wanted, after.is_some(), |drift| {
        let cursor = Cursor(id::encode(id::DRIFT, drift.person.0).0);
        (cursor, CardDrift { drift, tree: tree.clone(), names: names.clone() })
    }))
}

/// Rows read at once where only some of them may be seen.
const BATCH: u32 = 500;

/// Those that the caller may see, in their order, until there are enough. Each of them is a reading.
async fn visible(ctx: &Context<'_>, mut filter: DriftFilter, mut after: Option<PersonId>, enough: usize) -> Result<Vec<drift::CardDrift>> {
    let everything = allows(ctx, Deed::ReadDrift, About::Everything);
    if !everything {
        // Why here and below: this makes the list short, the table says who may.
        let own = &caller(ctx).units;
        filter.units = Some(match filter.units {
            Some(units) => units.into_iter().filter(|u| own.contains(u)).collect(),
            None => own.iter().copied().collect(),
        });
    }
    let batch = if everything { u32::try_from(enough).unwrap_or(BATCH) } else { BATCH };
    let mut seen = Vec::new();
    loop {
        let mut found = house(ctx)?.card_truth.card_drifts(&filter, after, batch).await.map_err(|e| fault(ctx, &e))?;
        let is_last = found.len() < batch as usize;
        after = found.last().map(|d| d.person);
        if !everything {
            let people = permitted(ctx, Deed::ReadDrift, found.iter().map(|d| d.person)).await?;
            found.retain(|d| people.contains(&d.person));
        }
        seen.extend(found);
        if everything || is_last || seen.len() >= enough {
            break;
        }
    }
    seen.truncate(enough);
    // Why not the last one of more than a page: it is not shown.
    let shown = seen.len().min(enough.saturating_sub(1));
    for drift in seen.iter().take(shown) {
        reads(ctx, Deed::ReadDrift, About::Person(drift.person, drift.unit));
    }
    Ok(seen)
}
