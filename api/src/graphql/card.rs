//! Identity cards (kimlik kartı): one, or a page in Turkish order of the family name.
use super::error::{Maybe, bad_input, fault};
use super::page::{self, Cursor, Page};
use super::reading::reads;
use super::scalar::{PhoneNumber, RegistryNumber};
use super::unit::Unit;
use super::{allows, house, id};
use crate::wiring::House;
use async_graphql::{Context, Enum, ID, Object, OneofObject, Result, SimpleObject};
use chrono::{DateTime, Utc};
use kimlik_domain::access::{About, Deed};
use kimlik_domain::card;
use kimlik_domain::id::PersonId;
use kimlik_domain::ports::{CardPage, PeopleBy, PersonRecord};
use kimlik_domain::staff::{RegistryNo, Units};
use kimlik_domain::{day, text};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

#[derive(Default)]
pub struct CardQuery;

/// What finds one card.
#[derive(OneofObject)]
pub enum IdentityCardKey {
    /// The id of the card.
    Id(ID),
    /// The user name, in any case.
    Username(String),
    /// The primary address or an alias.
    Email(String),
    /// Sicil no.
    RegistryNumber(RegistryNumber),
}

/// What the account is.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::account::AccountState")]
pub enum AccountState {
    /// There is none.
    None,
    /// Created, disabled until the first day in service.
    Opening,
    /// In use.
    Active,
    /// Disabled for a while: leave, military service, removal from duty.
    Suspended,
    /// Closed for good, unless the person returns.
    Closed,
}

/// A work phone.
#[derive(SimpleObject)]
pub struct WorkPhone {
    /// The number of the line or of the switchboard.
    number: PhoneNumber,
    /// Dahili: the extension behind a switchboard.
    extension: Option<String>,
}

/// A card, with what its fields may need further.
pub struct IdentityCard {
    card: card::IdentityCard,
    units: Arc<Units>,
    /// The manager's card, where it was read together with this one. `Some(None)`: nobody.
    manager: Option<Option<Arc<PersonRecord>>>,
}

#[Object]
/// What a colleague may see of a person: the card that the address book shows too.
impl IdentityCard {
    /// Stays the same as long as the person is known.
    async fn id(&self) -> ID {
        id::encode(id::CARD, self.card.person.0)
    }
    /// Sicil no. The person, its personnel unit, auditors and administrators; others see null.
    async fn registry_number(&self, ctx: &Context<'_>) -> Option<RegistryNumber> {
        allows(ctx, Deed::ReadRegistryNumber, self.about()).then(|| RegistryNumber(self.card.registry_no.clone()))
    }
    /// As the address book writes it.
    async fn display_name(&self) -> &str {
        &self.card.display_name
    }
    /// All given names.
    async fn given_name(&self) -> &str {
        &self.card.given_name
    }
    /// The surname (soyadı).
    async fn family_name(&self) -> &str {
        &self.card.family_name
    }
    /// Null: there is no account.
    async fn username(&self) -> Option<&str> {
        self.card.username.as_deref()
    }
    /// The primary address.
    async fn email(&self) -> Option<&str> {
        self.card.email.as_deref()
    }
    /// Earlier addresses: they still arrive.
    async fn email_aliases(&self) -> Vec<&str> {
        self.card.aliases.iter().map(AsRef::as_ref).collect()
    }
    /// Görev unvanı where there is one, else kadro unvanı; an acting duty (vekâlet) with "V." behind it.
    async fn title(&self) -> Option<&str> {
        self.card.title.as_deref()
    }
    /// Where the person works today.
    async fn unit(&self) -> Option<Unit> {
        self.card.unit.clone().map(Unit)
    }
    /// From the ministry down to the unit.
    async fn unit_path(&self) -> Vec<Unit> {
        self.card.unit_path.iter().cloned().map(Unit).collect()
    }
    /// The person's line, or the unit's.
    async fn work_phone(&self) -> Option<WorkPhone> {
        let number = PhoneNumber(self.card.work_phone.as_ref()?.e164().to_owned());
        Some(WorkPhone { number, extension: self.card.extension.clone() })
    }
    /// The person, its personnel unit and administrators; others see null. The reading of another person's is recorded.
    async fn mobile(&self, ctx: &Context<'_>) -> Option<PhoneNumber> {
        let mobile = self.card.mobile.as_ref()?;
        reads(ctx, Deed::ReadMobile, self.about()).then(|| PhoneNumber(mobile.e164().to_owned()))
    }
    /// The room.
    async fn office(&self) -> Option<&str> {
        self.card.office.as_deref()
    }
    /// Of the unit.
    async fn city(&self) -> Option<&str> {
        self.card.city.as_deref()
    }
    /// Whom HR names, else the nearest head of a unit upward.
    #[graphql(complexity = "5 + child_complexity")]
    async fn manager(&self, ctx: &Context<'_>) -> Maybe<IdentityCard> {
        let record = match (&self.manager, &self.card.manager) {
            (Some(read), _) => Ok(read.clone()),
            (None, None) => Ok(None),
            (None, Some(no)) => managers(ctx, std::slice::from_ref(no)).await.map(|mut found| found.remove(no)),
        };
        match record {
            Ok(record) => record.and_then(|record| Some(Ok(IdentityCard::of(house(ctx).ok()?, &record, &self.units)))),
            Err(error) => Some(Err(error)),
        }
    }
    /// What the account is now. The person, its personnel unit, auditors and administrators; others see null.
    async fn account_state(&self, ctx: &Context<'_>) -> Option<AccountState> {
        allows(ctx, Deed::ReadAccountState, self.about()).then(|| self.card.account_state.into())
    }
    /// When HR last changed something of it.
    async fn updated_at(&self) -> Option<DateTime<Utc>> {
        self.card.updated_at
    }
}

impl IdentityCard {
    pub fn of(house: &House, record: &PersonRecord, units: &Arc<Units>) -> IdentityCard {
        let capitals = house.config.names.family_name_in_capitals;
        let card = card::IdentityCard::of(record, units, day::today(house.clock.now()), capitals);
        IdentityCard { card, units: units.clone(), manager: None }
    }

    /// Whom a guarded field of it is about.
    fn about(&self) -> About {
        About::Person(self.card.person, self.card.unit.as_ref().map(|u| u.code))
    }
}

#[Object]
impl CardQuery {
    /// One card; null where nobody is found.
    async fn identity_card(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What finds it: exactly one of these.")] by: IdentityCardKey,
    ) -> Maybe<IdentityCard> {
        if !allows(ctx, Deed::ReadCard, About::Everything) {
            return None;
        }
        find(ctx, by).await.transpose()
    }

    /// Cards in Turkish order of the family name, then the given name.
    #[graphql(complexity = "page::size(first) * child_complexity + 5")]
    async fn identity_cards(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Folds Turkish letters: sahin finds Şahin and ŞAHİN; every word must match the start of a word of the name.")]
        search: Option<String>,
        #[graphql(desc = "How many, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before.")] after: Option<String>,
    ) -> Maybe<Page<IdentityCard>> {
        if !allows(ctx, Deed::ReadCard, About::Everything) {
            return None;
        }
        Some(cards(ctx, search.as_deref(), first, after.as_deref()).await)
    }
}

async fn find(ctx: &Context<'_>, by: IdentityCardKey) -> Result<Option<IdentityCard>> {
    let by_number = matches!(by, IdentityCardKey::RegistryNumber(_));
    let house = house(ctx)?;
    let store = &house.store;
    let named = |r: Result<Option<PersonId>, _>| r.map_err(|e| fault(ctx, &e));
    let person = match by {
        IdentityCardKey::Id(id) => id::argument(id::CARD, "by.id", &id).map(|id| Some(PersonId(id)))?,
        IdentityCardKey::Username(name) => named(store.person_named(Some(plain("by.username", &name)?), None).await)?,
        IdentityCardKey::Email(address) => named(store.person_named(None, Some(plain("by.email", &address)?)).await)?,
        IdentityCardKey::RegistryNumber(no) => {
            let found = store.people(PeopleBy::RegistryNos(std::slice::from_ref(&no.0))).await.map_err(|e| fault(ctx, &e))?;
            found.first().map(|r| r.person.id)
        }
    };
    let card = match person {
        Some(person) => of_person(ctx, person).await?,
        None => None,
    };
    // Why: whether a number is somebody's is not told to whoever may not read it.
    Ok(card.filter(|card| !by_number || allows(ctx, Deed::ReadRegistryNumber, card.about())))
}

/// The card of a person, for things that name one.
pub async fn of_person(ctx: &Context<'_>, person: PersonId) -> Result<Option<IdentityCard>> {
    let house = house(ctx)?;
    let found = house.store.people(PeopleBy::Ids(&[person])).await.map_err(|e| fault(ctx, &e))?;
    let Some(record) = found.first() else { return Ok(None) };
    let units = Arc::new(house.store.units().await.map_err(|e| fault(ctx, &e))?);
    Ok(Some(IdentityCard::of(house, record, &units)))
}

async fn cards(ctx: &Context<'_>, search: Option<&str>, first: Option<i32>, after: Option<&str>) -> Result<Page<IdentityCard>> {
    let house = house(ctx)?;
    let wanted = page::first(first)?;
    let words = plain("search", search.unwrap_or(""))?.split_whitespace().map(text::fold).collect::<Vec<_>>();
    let after = after.map(|cursor| read_cursor(cursor).ok_or_else(page::foreign)).transpose()?;
    let has_previous = after.is_some();
    let found = house.store.cards(&CardPage { after, limit: wanted + 1, words }).await.map_err(|e| fault(ctx, &e))?;
    let units = Arc::new(house.store.units().await.map_err(|e| fault(ctx, &e))?);
    let mut cards: Vec<(Vec<u8>, IdentityCard)> =
        found.iter().map(|(key, record)| (key.clone(), IdentityCard::of(house, record, &units))).collect();
    let look = ctx.look_ahead();
    // Why ahead: one question for all managers of the page instead of one each.
    if look.field("nodes").field("manager").exists() || look.field("edges").field("node").field("manager").exists() {
        let nos: Vec<RegistryNo> = cards.iter().filter_map(|(_, c)| c.card.manager.clone()).collect();
        let found = managers(ctx, &nos).await?;
        for (_, card) in &mut cards {
            card.manager = Some(card.card.manager.as_ref().and_then(|no| found.get(no).cloned()));
        }
    }
    Ok(page::page(cards, wanted, has_previous, |(key, card)| (write_cursor(&key, card.card.person), card)))
}

async fn managers(ctx: &Context<'_>, nos: &[RegistryNo]) -> Result<HashMap<RegistryNo, Arc<PersonRecord>>> {
    let mut nos = nos.to_vec();
    nos.sort();
    nos.dedup();
    let found = house(ctx)?.store.people(PeopleBy::RegistryNos(&nos)).await.map_err(|e| fault(ctx, &e))?;
    Ok(found.into_iter().map(|r| (r.person.registry_no.clone(), Arc::new(r))).collect())
}

/// A text of the caller: of one line, and no longer than any name.
fn plain<'a>(argument: &str, text: &'a str) -> Result<&'a str> {
    if text.chars().any(char::is_control) {
        Err(bad_input(format!("{argument}: control characters are not part of a name.")))
    } else if text.chars().count() > 200 {
        Err(bad_input(format!("{argument}: at most 200 characters.")))
    } else {
        Ok(text.trim())
    }
}

fn write_cursor(key: &[u8], person: PersonId) -> Cursor {
    let key: String = key.iter().map(|b| format!("{b:02x}")).collect();
    Cursor(format!("name_{key}_{}", person.0.simple()))
}

fn read_cursor(cursor: &str) -> Option<(Vec<u8>, PersonId)> {
    let (key, person) = cursor.strip_prefix("name_")?.split_once('_')?;
    if !key.is_ascii() || key.len() % 2 != 0 {
        return None;
    }
    let key = (0..key.len()).step_by(2).map(|at| u8::from_str_radix(&key[at..at + 2], 16).ok()).collect::<Option<Vec<u8>>>()?;
    Some((key, PersonId(Uuid::try_parse(person).ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_and_a_foreign_one_does_not() {
        let person = PersonId(Uuid::from_u128(7));
        let cursor = write_cursor(&[0, 255, 16], person);
        assert_eq!(read_cursor(&cursor.0), Some((vec![0, 255, 16], person)));
        for text in
            ["", "name_", "name_0_", "name_zz_00000000000000000000000000000007", "run_00000000000000000000000000000007", "name_şş_1"]
        {
            assert_eq!(read_cursor(text), None, "{text}");
        }
    }
}
