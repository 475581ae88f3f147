//! Identity cards (kimlik kartı): one, or a page of those that fit.
use super::error::{Maybe, bad_input, fault};
use super::mailbox::{self, Mailbox};
use super::page;
use super::provenance::{self, AddressBookState, CardField};
use super::reading::reads;
use super::scalar::{Date, PhoneNumber, RegistryNumber, UnitCode};
use super::unit::{self, Unit, UnitKind};
use super::wait::{self, CardWait};
use super::window::{self, Counted, Paging, Total};
use super::{allows, house, id};
use crate::cards::former;
use async_graphql::{Context, Enum, ID, InputObject, Object, OneofObject, Result, SimpleObject};
use chrono::{DateTime, Utc};
use kimlik_domain::access::{About, Deed};
use kimlik_domain::card::CardPosting;
use kimlik_domain::card::entry::Entry;
use kimlik_domain::card::find::{CardFilter, CardOrder, asked_words};
use kimlik_domain::card::tree::UnitTree;
use kimlik_domain::id::PersonId;
use kimlik_domain::ports::PeopleBy;
use kimlik_domain::text;
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

/// A work phone: a number, an extension, or both.
#[derive(SimpleObject)]
pub struct WorkPhone {
    /// The number of the line, else of the unit's switchboard. Null: neither the person nor a unit above has one; then there is an
    /// extension, which is dialled from inside.
    number: Option<PhoneNumber>,
    /// Dahili: the extension behind a switchboard. Null: there is none; then there is a number.
    extension: Option<String>,
}

/// The photo of a person, as the directory holds it (thumbnailPhoto).
#[derive(SimpleObject)]
pub struct Photo {
    /// Where it is: asked with the same token as the graph, it answers a JPEG or PNG of at most 100 KB, with an ETag.
    url: String,
    /// Another one: it is another photo.
    etag: String,
}

/// What kind of posting it is.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::staff::PostingKind")]
pub enum PostingKind {
    /// Asıl: the own post.
    Permanent,
    /// Geçici görev: works elsewhere for a while.
    Seconded,
    /// Vekâlet: stands in for somebody.
    Acting,
}

/// What cards are ordered by.
#[derive(Enum, Clone, Copy, Default, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::card::find::CardOrder")]
pub enum IdentityCardOrder {
    /// Family name, then given name, in Turkish order.
    #[default]
    Name,
    /// The title shown, then the name.
    Title,
    /// The name of the unit, then the person's.
    Unit,
    /// What changed last comes first.
    Updated,
}

/// Which cards; all that is said must fit.
#[derive(InputObject)]
pub struct IdentityCardFilter {
    /// Who works in one of these today.
    units: Option<Vec<UnitCode>>,
    /// Or in the units below them.
    #[graphql(default_with = "Some(true)")]
    include_subunits: Option<bool>,
    /// Ids of provinces: who works in one of them.
    provinces: Option<Vec<ID>>,
    /// Head office or the provinces.
    unit_kind: Option<UnitKind>,
    /// Titles as the card shows them; capitals and Turkish letters fold.
    titles: Option<Vec<String>>,
    /// Who has a posting of one of these kinds today.
    posting_kinds: Option<Vec<PostingKind>>,
}

/// A posting of today.
pub struct Posting {
    pub posting: CardPosting,
    pub tree: Arc<UnitTree>,
}

#[Object]
/// A posting of today.
impl Posting {
    /// Where. Null: HR names a unit that is not known.
    async fn unit(&self) -> Option<Unit> {
        self.tree.units().get(self.posting.unit).cloned().map(Unit)
    }
    /// Görev unvanı where there is one, else kadro unvanı.
    async fn title(&self) -> Option<&str> {
        self.posting.title.as_deref()
    }
    /// Permanent, seconded or acting.
    async fn kind(&self) -> PostingKind {
        self.posting.kind.into()
    }
    /// The first day, where it is known.
    async fn starts_on(&self) -> Option<Date> {
        self.posting.start.map(Date)
    }
    /// The last day, where it is known.
    async fn ends_on(&self) -> Option<Date> {
        self.posting.end.map(Date)
    }
}

/// A card, with the units as they are.
#[derive(Clone)]
pub struct IdentityCard {
    pub entry: Arc<Entry>,
    pub tree: Arc<UnitTree>,
}

#[Object]
/// What a colleague may see of a person: the card that the address book shows too.
impl IdentityCard {
    /// Stays the same as long as the person is known.
    pub async fn id(&self) -> ID {
        id::encode(id::CARD, self.entry.person().0)
    }
    /// Sicil no. The person, its personnel unit, auditors and administrators; others see null.
    async fn registry_number(&self, ctx: &Context<'_>) -> Option<RegistryNumber> {
        allows(ctx, Deed::ReadRegistryNumber, self.about()).then(|| RegistryNumber(self.entry.registry_no.clone()))
    }
    /// As the address book writes it.
    async fn display_name(&self) -> &str {
        self.entry.display_name()
    }
    /// All given names.
    async fn given_name(&self) -> &str {
        self.entry.given_name()
    }
    /// The surname (soyadı).
    async fn family_name(&self) -> &str {
        self.entry.family_name()
    }
    /// Null: there is no account.
    async fn username(&self) -> Option<&str> {
        self.entry.username()
    }
    /// The primary address.
    async fn email(&self) -> Option<&str> {
        self.entry.email()
    }
    /// Earlier addresses: they still arrive.
    async fn email_aliases(&self) -> Vec<&str> {
        self.entry.aliases().collect()
    }
    /// Görev unvanı where there is one, else kadro unvanı; an acting duty (vekâlet) with "V." behind it.
    async fn title(&self) -> Option<&str> {
        self.entry.title.as_deref()
    }
    /// Where the person works today.
    async fn unit(&self) -> Option<Unit> {
        self.tree.units().get(self.entry.unit?).cloned().map(Unit)
    }
    /// From the ministry down to the unit.
    async fn unit_path(&self) -> Vec<Unit> {
        let mut path: Vec<Unit> = self.entry.path(self.tree.units()).cloned().map(Unit).collect();
        path.reverse();
        path
    }
    /// Those of today: permanent (asıl), seconded (geçici görev), acting (vekâlet).
    async fn postings(&self) -> Vec<Posting> {
        self.entry.postings.iter().map(|p| Posting { posting: p.clone(), tree: self.tree.clone() }).collect()
    }
    /// The person's line, or the unit's, with the extension; an extension alone where there is no line. Null: nothing is known.
    async fn work_phone(&self) -> Option<WorkPhone> {
        let number = self.entry.shown_phone(self.tree.units()).map(PhoneNumber);
        let extension = self.entry.extension().map(str::to_owned);
        (number.is_some() || extension.is_some()).then_some(WorkPhone { number, extension })
    }
    /// The person, its personnel unit and administrators; others see null. The reading of another person's is recorded.
    async fn mobile(&self, ctx: &Context<'_>) -> Option<PhoneNumber> {
        let mobile = self.entry.mobile()?;
        reads(ctx, Deed::ReadMobile, self.about()).then(|| PhoneNumber(mobile.to_owned()))
    }
    /// The room.
    async fn office(&self) -> Option<&str> {
        self.entry.office()
    }
    /// Of the unit.
    async fn city(&self) -> Option<String> {
        self.entry.city(self.tree.units()).map(|city| city.to_string())
    }
    /// Whom HR names, else the nearest head of a unit upward.
    #[graphql(complexity = "5 + child_complexity")]
    async fn manager(&self, ctx: &Context<'_>) -> Maybe<IdentityCard> {
        let manager = self.entry.manager()?;
        let house = house(ctx);
        let house = match house {
            Ok(house) => house,
            Err(error) => return Some(Err(error)),
        };
        let found = house.cards.ask(|book| book.numbered(manager).cloned()).await.map_err(|e| fault(ctx, &e));
        found.map(|entry| entry.map(|entry| IdentityCard { entry, tree: self.tree.clone() })).transpose()
    }
    /// Whose manager this person is, in Turkish order of the family name.
    #[graphql(complexity = "page::cost(__ctx, __variables_definition, __field, child_complexity)")]
    async fn reports(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before.")] after: Option<String>,
        #[graphql(desc = "How many from the end, instead of first.")] last: Option<i32>,
        #[graphql(desc = "The startCursor of the page behind.")] before: Option<String>,
    ) -> Maybe<Counted<IdentityCard>> {
        let filter = CardFilter { manager: Some(self.entry.registry_no.clone()), ..CardFilter::default() };
        Some(list(ctx, filter, CardOrder::Name, &Paging { first, after, last, before }).await)
    }
    /// What the account is now. The person, its personnel unit and administrators; others see null.
    async fn account_state(&self, ctx: &Context<'_>) -> Option<AccountState> {
        allows(ctx, Deed::ReadAccountState, self.about()).then(|| self.entry.account_state.into())
    }
    /// The mailbox, where Kimlik has mailboxes made: what stands and what is waited for. The person, its personnel unit and
    /// administrators; others see null.
    #[graphql(complexity = "5 + child_complexity")]
    async fn mailbox(&self, ctx: &Context<'_>) -> Maybe<Mailbox> {
        if !allows(ctx, Deed::ReadAccountState, self.about()) {
            return None;
        }
        mailbox::of(ctx, self.entry.person()).await.transpose()
    }
    /// The photo; null: there is none.
    async fn photo(&self, ctx: &Context<'_>) -> Option<Photo> {
        let tag = self.entry.thumbnail()?;
        let public = house(ctx).ok()?.config.server.public_url.trim_end_matches('/');
        let card = id::encode(id::CARD, self.entry.person().0);
        Some(Photo { url: format!("{public}/photos/{}", card.as_str()), etag: tag.to_owned() })
    }
    /// Field by field: where the value comes from, since when, what the directory holds (asked now), whether they agree and who can
    /// correct it. The person, its personnel unit, auditors and administrators; others see null. The reading of another person's is
    /// recorded. Of an account that is still to be opened: what it will show. Empty: there is nothing that Kimlik keeps.
    #[graphql(complexity = "200 + 20 * child_complexity")]
    async fn provenance(&self, ctx: &Context<'_>) -> Maybe<Vec<CardField>> {
        provenance::of(ctx, self.entry.person(), self.about()).await
    }
    /// What the address book of Outlook shows of it, and when: written when, seen by a client online from when, in the offline
    /// address book by when at the latest. As provenance.
    #[graphql(complexity = "200 + child_complexity")]
    async fn address_book(&self, ctx: &Context<'_>) -> Maybe<AddressBookState> {
        provenance::address_book(ctx, self.entry.person(), self.about()).await
    }
    /// What has to be decided or mended, and by whom, before the card is as it should be: holds first, then data issues. Empty: nothing.
    /// As provenance.
    #[graphql(complexity = "200 + 5 * child_complexity")]
    async fn waits_for(&self, ctx: &Context<'_>) -> Maybe<Vec<CardWait>> {
        wait::of(ctx, self.entry.person(), self.about()).await
    }
    /// When something of it last changed, by whatever way. Null: never since the person is known.
    async fn updated_at(&self) -> Option<DateTime<Utc>> {
        Some(self.entry.changed_at).filter(|at| *at != DateTime::<Utc>::default())
    }
}

impl IdentityCard {
    /// Whom a guarded field of it is about.
    pub fn about(&self) -> About {
        About::Person(self.entry.person(), self.entry.served_in)
    }
}

// Why: arguments of the graph, not of Rust.
#[allow(clippy::too_many_arguments)]
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

    /// Cards of everybody who has not left.
    #[graphql(complexity = "page::cost(__ctx, __variables_definition, __field, child_complexity)")]
    async fn identity_cards(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Folds Turkish letters: sahin finds Şahin and ŞAHİN; every word must match the start of a word of the name.")]
        search: Option<String>,
        #[graphql(desc = "Only these; null: all.")] filter: Option<IdentityCardFilter>,
        #[graphql(desc = "What comes first.", default_with = "Some(IdentityCardOrder::Name)")] order_by: Option<IdentityCardOrder>,
        #[graphql(desc = "How many from the beginning, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before.")] after: Option<String>,
        #[graphql(desc = "How many from the end, instead of first.")] last: Option<i32>,
        #[graphql(desc = "The startCursor of the page behind.")] before: Option<String>,
    ) -> Maybe<Counted<IdentityCard>> {
        if !allows(ctx, Deed::ReadCard, About::Everything) {
            return None;
        }
        Some(cards(ctx, search.as_deref(), filter, order_by.unwrap_or_default(), &Paging { first, after, last, before }).await)
    }
}

async fn find(ctx: &Context<'_>, by: IdentityCardKey) -> Result<Option<IdentityCard>> {
    let by_number = matches!(by, IdentityCardKey::RegistryNumber(_));
    let house = house(ctx)?;
    let person = match &by {
        IdentityCardKey::Id(id) => Some(PersonId(id::argument(id::CARD, "by.id", id)?)),
        IdentityCardKey::Username(name) => plain("by.username", name).map(|_| None)?,
        IdentityCardKey::Email(address) => plain("by.email", address).map(|_| None)?,
        IdentityCardKey::RegistryNumber(_) => None,
    };
    let found = house.cards.ask(|book| {
        let entry = match &by {
            IdentityCardKey::Id(_) => book.get(person?),
            IdentityCardKey::Username(name) => book.named(name.trim()),
            IdentityCardKey::Email(address) => book.addressed(address.trim()),
            IdentityCardKey::RegistryNumber(no) => book.numbered(no.0.as_str()),
        };
        Some(IdentityCard { entry: entry?.clone(), tree: book.tree().clone() })
    });
    let card = found.await.map_err(|e| fault(ctx, &e))?;
    // Why: whether a number is somebody's is not told to whoever may not read it.
    Ok(card.filter(|card| !by_number || allows(ctx, Deed::ReadRegistryNumber, card.about())))
}

/// By its id, where the caller may read it.
pub async fn one(ctx: &Context<'_>, id: Uuid) -> Result<Option<IdentityCard>> {
    if !allows(ctx, Deed::ReadCard, About::Everything) {
        return Ok(None);
    }
    let found =
        house(ctx)?.cards.ask(|book| book.get(PersonId(id)).cloned().map(|entry| IdentityCard { entry, tree: book.tree().clone() }));
    found.await.map_err(|e| fault(ctx, &e))
}

/// Whom a key names, also if they have left. Who may know is the caller's to ask.
pub async fn person_of(ctx: &Context<'_>, by: &IdentityCardKey) -> Result<Option<PersonId>> {
    let store = &house(ctx)?.store;
    let found = match by {
        IdentityCardKey::Id(id) => return Ok(Some(PersonId(id::argument(id::CARD, "by.id", id)?))),
        IdentityCardKey::Username(name) => store.person_named(Some(plain("by.username", name)?), None).await,
        IdentityCardKey::Email(address) => store.person_named(None, Some(plain("by.email", address)?)).await,
        IdentityCardKey::RegistryNumber(no) => {
            let found = store.people(PeopleBy::RegistryNos(std::slice::from_ref(&no.0))).await;
            found.map(|found| found.first().map(|r| r.person.id))
        }
    };
    found.map_err(|e| fault(ctx, &e))
}

/// The card of a person, for things that name one: also of somebody who has left.
pub async fn of_person(ctx: &Context<'_>, person: PersonId) -> Result<Option<IdentityCard>> {
    let house = house(ctx)?;
    let (entry, tree) = house.cards.ask(|book| (book.get(person).cloned(), book.tree().clone())).await.map_err(|e| fault(ctx, &e))?;
    let entry = match entry {
        Some(entry) => Some(entry),
        None => former(house, person).await.map_err(|e| fault(ctx, &e))?,
    };
    Ok(entry.map(|entry| IdentityCard { entry, tree }))
}

async fn cards(
    ctx: &Context<'_>,
    search: Option<&str>,
    filter: Option<IdentityCardFilter>,
    order: IdentityCardOrder,
    paging: &Paging,
) -> Result<Counted<IdentityCard>> {
    let words = asked_words(plain("search", search.unwrap_or(""))?);
    let filter = match filter {
        Some(filter) => CardFilter { words, ..filter.asked("filter")? },
        None => CardFilter { words, ..CardFilter::default() },
    };
    list(ctx, filter, order.into(), paging).await
}

/// More are no filter but a list.
const MOST_VALUES: usize = 1_000;

impl IdentityCardFilter {
    /// As the book takes it.
    pub fn asked(self, argument: &str) -> Result<CardFilter> {
        let sizes = [self.units.as_ref().map(Vec::len), self.provinces.as_ref().map(Vec::len), self.titles.as_ref().map(Vec::len)];
        if sizes.into_iter().flatten().any(|n| n > MOST_VALUES) {
            return Err(bad_input(format!("{argument}: at most {MOST_VALUES} values of a kind.")));
        }
        let titles = |titles: Vec<String>| {
            let folded = titles.iter().map(|t| plain(&format!("{argument}.titles"), t).map(text::fold));
            folded.collect::<Result<Vec<_>>>()
        };
        Ok(CardFilter {
            words: Vec::new(),
            units: self.units.map(|units| units.into_iter().map(|code| code.0).collect()),
            include_subunits: self.include_subunits.unwrap_or(true),
            provinces: self.provinces.map(|ids| unit::provinces(&format!("{argument}.provinces"), &ids)).transpose()?,
            unit_kind: self.unit_kind.map(Into::into),
            titles: self.titles.map(titles).transpose()?,
            posting_kinds: self.posting_kinds.map(|kinds| kinds.into_iter().map(Into::into).collect()),
            manager: None,
            account_states: None,
            statuses: None,
        })
    }
}

/// A page of the cards that fit.
pub async fn list(ctx: &Context<'_>, filter: CardFilter, order: CardOrder, paging: &Paging) -> Result<Counted<IdentityCard>> {
    let kind = match order {
        CardOrder::Name => "name",
        CardOrder::Title => "title",
        CardOrder::Unit => "unit",
        CardOrder::Updated => "updated",
    };
    let window = paging.window(kind)?;
    let asked = house(ctx)?.cards.ask(|book| (book.page(&filter, order, &window), book.tree().clone()));
    let (seen, tree) = asked.await.map_err(|e| fault(ctx, &e))?;
    let total = Total::new(move |book| book.count(&filter));
    Ok(window::page(seen, kind, total, |entry| IdentityCard { entry, tree: tree.clone() }))
}

/// A text of the caller: of one line, and no longer than any name.
pub fn plain<'a>(argument: &str, text: &'a str) -> Result<&'a str> {
    if text.chars().any(char::is_control) {
        Err(bad_input(format!("{argument}: control characters are not part of a name.")))
    } else if text.chars().count() > 200 {
        Err(bad_input(format!("{argument}: at most 200 characters.")))
    } else {
        Ok(text.trim())
    }
}
