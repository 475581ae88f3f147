//! Lists of records: those in service out of the book of cards, those who have left out of the store.
use super::card::{AccountState, IdentityCard, plain};
use super::error::{bad_input, fault};
use super::reading::reads;
use super::scalar::UnitCode;
use super::staff::{EmploymentStatus, StaffMember};
use super::unit::provinces;
use super::window::{self, Counted, Paging, Total};
use super::{allows, caller_of, house};
use async_graphql::connection::Edge;
use async_graphql::{Context, Enum, ID, InputObject, Result};
use kimlik_domain::access::{About, Caller, Deed, may};
use kimlik_domain::card::Card;
use kimlik_domain::card::entry::Entry;
use kimlik_domain::card::find::{CardFilter, CardOrder, asked_words, holds_words, words_of};
use kimlik_domain::day;
use kimlik_domain::id::PersonId;
use kimlik_domain::page::Place;
use kimlik_domain::ports::{CardFacts, Left, PeopleBy, PersonRecord};
use kimlik_domain::staff::UnitCode as Code;
use kimlik_domain::staff::unit::Province;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Whether somebody still belongs to the ministry.
#[derive(Enum, Clone, Copy, Default, PartialEq, Eq)]
pub enum StaffMemberStatus {
    /// Works, is on leave or suspended, or will begin: has not left.
    #[default]
    InService,
    /// Has left (ayrılan).
    Left,
}

/// Which members of staff; all that is said must fit.
#[derive(InputObject, Default)]
pub struct StaffMemberFilter {
    /// Folds Turkish letters: sahin finds Şahin and ŞAHİN; every word must match the start of a word of the name.
    search: Option<String>,
    /// Who works in one of these today; of those who have left: who worked there last.
    units: Option<Vec<UnitCode>>,
    /// Or in the units below them.
    #[graphql(default_with = "Some(true)")]
    include_subunits: Option<bool>,
    /// Ids of provinces: who works in one of them.
    provinces: Option<Vec<ID>>,
    /// In service, or left.
    #[graphql(default_with = "Some(StaffMemberStatus::InService)")]
    status: Option<StaffMemberStatus>,
    /// Whose account is one of these: SUSPENDED finds who is on leave or removed from duty, NONE who waits for one. Of people whose account
    /// the caller may not read: nobody.
    account_states: Option<Vec<AccountState>>,
    /// Of whom HR last said one of these: ON_LEAVE finds who is on leave, whatever became of the account. Who has no status is not found.
    employment_statuses: Option<Vec<EmploymentStatus>>,
}

const MOST_VALUES: usize = 1_000;

impl StaffMemberFilter {
    fn asked(self) -> Result<CardFilter> {
        let sizes = [
            self.units.as_ref().map(Vec::len),
            self.provinces.as_ref().map(Vec::len),
            self.account_states.as_ref().map(Vec::len),
            self.employment_statuses.as_ref().map(Vec::len),
        ];
        if sizes.into_iter().flatten().any(|n| n > MOST_VALUES) {
            return Err(bad_input(format!("filter: at most {MOST_VALUES} values of a kind.")));
        }
        Ok(CardFilter {
            words: asked_words(plain("filter.search", self.search.as_deref().unwrap_or(""))?),
            units: self.units.map(|units| units.into_iter().map(|code| code.0).collect()),
            include_subunits: self.include_subunits.unwrap_or(true),
            provinces: self.provinces.map(|ids| provinces("filter.provinces", &ids)).transpose()?,
            account_states: self.account_states.map(|states| states.into_iter().map(Into::into).collect()),
            statuses: self.employment_statuses.map(|statuses| statuses.into_iter().map(Into::into).collect()),
            ..CardFilter::default()
        })
    }
}

pub async fn list(ctx: &Context<'_>, filter: StaffMemberFilter, paging: &Paging) -> Result<Counted<StaffMember>> {
    let status = filter.status.unwrap_or_default();
    let filter = filter.asked()?;
    match status {
        StaffMemberStatus::InService => in_service(ctx, filter, paging).await,
        StaffMemberStatus::Left => left(ctx, &filter, paging).await,
    }
}

const IN_SERVICE: &str = "staff";

async fn in_service(ctx: &Context<'_>, filter: CardFilter, paging: &Paging) -> Result<Counted<StaffMember>> {
    let window = paging.window(IN_SERVICE)?;
    let caller = caller_of(ctx);
    // Why not asked of everybody: whoever may read all needs no look at each.
    let deeds = asked_for(&filter);
    let everything = deeds.iter().all(|deed| may(&caller, *deed, About::Everything));
    let asked = house(ctx)?.cards.ask(|book| {
        let who = |entry: &Entry| reaches(&caller, deeds, entry);
        (book.page_where(&filter, CardOrder::Name, &window, (!everything).then_some(&who)), book.tree().clone())
    });
    let (seen, tree) = asked.await.map_err(|e| fault(ctx, &e))?;
    let ids: Vec<PersonId> = seen.items.iter().map(|(_, entry)| entry.person()).collect();
    let mut records = records(ctx, &ids).await?;
    let total = Total::new(move |book| {
        let who = |entry: &Entry| reaches(&caller, deeds, entry);
        book.count_where(&filter, (!everything).then_some(&who))
    });
    let mut page = Counted::with_additional_fields(seen.has_previous, seen.has_next, total);
    let today = day::today(house(ctx)?.clock.now());
    for (place, entry) in seen.items {
        let Some(record) = records.remove(&entry.person()) else { continue };
        let about = About::person(&record.person, today);
        if reads(ctx, Deed::ReadRecord, about) {
            let card = IdentityCard { entry, tree: tree.clone() };
            page.edges.push(Edge::new(window::write(IN_SERVICE, &place), StaffMember::new(record, about, card)));
        }
    }
    Ok(page)
}

/// What must be readable of somebody before they can fit: what is null to the caller is none of the values that are asked for.
const fn asked_for(filter: &CardFilter) -> &'static [Deed] {
    if filter.account_states.is_some() { &[Deed::ReadRecord, Deed::ReadAccountState] } else { &[Deed::ReadRecord] }
}

fn reaches(caller: &Caller, deeds: &[Deed], entry: &Entry) -> bool {
    deeds.iter().all(|deed| may(caller, *deed, About::Person(entry.person(), entry.served_in)))
}

async fn records(ctx: &Context<'_>, ids: &[PersonId]) -> Result<HashMap<PersonId, PersonRecord>> {
    let found = house(ctx)?.store.people(PeopleBy::Ids(ids)).await.map_err(|e| fault(ctx, &e))?;
    Ok(found.into_iter().map(|record| (record.person.id, record)).collect())
}

const LEFT: &str = "left";
/// Looked through at once.
const BATCH: u32 = 500;

async fn left(ctx: &Context<'_>, filter: &CardFilter, paging: &Paging) -> Result<Counted<StaffMember>> {
    if paging.last.is_some() || paging.before.is_some() {
        return Err(bad_input("last and before: those who have left are read from the beginning, with first and after."));
    }
    let window = paging.window(LEFT)?;
    let house = house(ctx)?;
    let today = day::today(house.clock.now());
    let tree = house.cards.tree().await.map_err(|e| fault(ctx, &e))?;
    let units: Option<HashSet<Code>> = filter.units.as_ref().map(|units| tree.within(units, filter.include_subunits));
    let in_province = |unit: Option<Code>, provinces: &[Province]| {
        unit.and_then(|unit| tree.province(unit)).is_some_and(|province| provinces.contains(&province))
    };
    let rules = crate::cards::rules(house, today);
    let fits = |record: &PersonRecord| {
        let person = &record.person;
        let unit = person.posting_on(today).map(|p| p.unit);
        let state = record.account.as_ref().map_or(kimlik_domain::account::AccountState::None, |a| a.state);
        let facts = CardFacts { person: person.clone(), account: None, photo: None };
        !rules.shows(&facts)
            && units.as_ref().is_none_or(|units| unit.is_some_and(|unit| units.contains(&unit)))
            && filter.provinces.as_ref().is_none_or(|provinces| in_province(unit, provinces))
            && filter.account_states.as_ref().is_none_or(|states| states.contains(&state))
            && filter.statuses.as_ref().is_none_or(|statuses| person.status.is_some_and(|status| statuses.contains(&status)))
    };
    let mut place = window.after.as_ref().map(written).transpose()?;
    let mut page = Counted::with_additional_fields(place.is_some(), false, Total::unknown());
    loop {
        let found = house.records.left(place, BATCH).await.map_err(|e| fault(ctx, &e))?;
        let is_last = found.len() < BATCH as usize;
        place = found.last().map(|l| (l.position, l.person.id)).or(place);
        // Why these first: of most of them the whole record need not be read.
        let readable = |l: &&Left| {
            let words = words_of(&format!("{} {}", l.person.family_name, l.person.given_name));
            let about = About::person(&l.person, today);
            holds_words(&words, &filter.words) && asked_for(filter).iter().all(|deed| allows(ctx, *deed, about))
        };
        let chosen: Vec<&Left> = found.iter().filter(readable).collect();
        let mut records = records(ctx, &chosen.iter().map(|l| l.person.id).collect::<Vec<_>>()).await?;
        for left in chosen {
            let Some(record) = records.remove(&left.person.id).filter(&fits) else { continue };
            if page.edges.len() == window.limit {
                page.has_next_page = true;
                return Ok(page);
            }
            let about = About::person(&record.person, today);
            if reads(ctx, Deed::ReadRecord, about) {
                let facts = CardFacts { person: record.person.clone(), account: record.account.clone(), photo: None };
                let entry = Arc::new(Entry::beside_the_book(&Card::of(&facts, tree.units(), &rules)));
                let card = IdentityCard { entry, tree: tree.clone() };
                let cursor = window::write(LEFT, &place_of(left));
                page.edges.push(Edge::new(cursor, StaffMember::new(record, about, card)));
            }
        }
        if is_last {
            return Ok(page);
        }
    }
}

fn place_of(left: &Left) -> Place {
    Place { key: left.position.to_be_bytes().to_vec(), id: left.person.id.0.as_u128() }
}

fn written(place: &Place) -> Result<(i64, PersonId)> {
    let position = <[u8; 8]>::try_from(place.key.as_slice()).map_err(|_| super::page::foreign())?;
    Ok((i64::from_be_bytes(position), PersonId(uuid::Uuid::from_u128(place.id))))
}
