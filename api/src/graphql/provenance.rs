//! Where each value of a card comes from, what the directory holds in its place, and who can correct it.
use super::drift::CardDriftReason;
use super::error::{Maybe, fault};
use super::reading::reads;
use super::scalar::Date;
use super::unit::Unit;
use super::{house, said};
use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use kimlik_domain::access::{About, Deed};
use kimlik_domain::account::{Attribute, Value};
use kimlik_domain::card::address_book::{self, BookState, BookStatus};
use kimlik_domain::card::provenance::CardField as Field;
use kimlik_domain::card::tree::UnitTree;
use kimlik_domain::card::truth::{self, Truth};
use kimlik_domain::id::{AccountGuid, PersonId};
use kimlik_domain::ports::PeopleBy;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;

/// A field of the card in the directory.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::account::Attribute")]
pub enum CardFieldName {
    /// The user name (sAMAccountName).
    Username,
    /// The name for signing in with a domain behind it.
    UserPrincipalName,
    /// The name as the address book shows it.
    DisplayName,
    /// All given names.
    GivenName,
    /// The surname (soyadı).
    FamilyName,
    /// The first letters of the names.
    Initials,
    /// Sicil no.
    EmployeeId,
    /// The title (unvan).
    Title,
    /// The unit (birim).
    Department,
    /// The provincial directorate, or the ministry.
    Company,
    /// The room.
    Office,
    /// The work phone with its extension.
    WorkPhone,
    /// The mobile; only with the person's consent.
    Mobile,
    /// The fax of the unit.
    Fax,
    /// The manager, by name.
    Manager,
    /// The address of the unit.
    Street,
    /// The town.
    City,
    /// The province (il).
    State,
    /// The postal code of the unit.
    PostalCode,
    /// The country's two letters.
    Country,
    /// The country's name.
    CountryName,
    /// The country's number.
    CountryCode,
    /// The primary address.
    Mail,
    /// What Exchange calls the mailbox.
    MailNickname,
    /// All addresses, the primary one as SMTP, the others as smtp.
    ProxyAddresses,
    /// TRUE: the address book does not show the card.
    HideFromAddressLists,
    /// Where mail for a mailbox in the cloud goes.
    TargetAddress,
    /// Exchange's number for the kind of recipient, for clients.
    RecipientDisplayType,
    /// Exchange's number for the kind of recipient.
    RecipientTypeDetails,
    /// Exchange's number for what is to be done in the cloud.
    RemoteRecipientType,
    /// Custom attribute 1 of Exchange (extensionAttribute1).
    Custom1,
    /// Custom attribute 2 of Exchange (extensionAttribute2).
    Custom2,
    /// Custom attribute 3 of Exchange (extensionAttribute3).
    Custom3,
    /// Custom attribute 4 of Exchange (extensionAttribute4).
    Custom4,
    /// Custom attribute 5 of Exchange (extensionAttribute5).
    Custom5,
    /// Custom attribute 6 of Exchange (extensionAttribute6).
    Custom6,
    /// Custom attribute 7 of Exchange (extensionAttribute7).
    Custom7,
    /// Custom attribute 8 of Exchange (extensionAttribute8).
    Custom8,
    /// Custom attribute 9 of Exchange (extensionAttribute9).
    Custom9,
    /// Custom attribute 10 of Exchange (extensionAttribute10).
    Custom10,
    /// Custom attribute 11 of Exchange (extensionAttribute11).
    Custom11,
    /// Custom attribute 12 of Exchange (extensionAttribute12).
    Custom12,
    /// Custom attribute 13 of Exchange (extensionAttribute13).
    Custom13,
    /// Custom attribute 14 of Exchange (extensionAttribute14).
    Custom14,
    /// Custom attribute 15 of Exchange (extensionAttribute15).
    Custom15,
    /// The photo (thumbnailPhoto), where HR gives one. Values are tags of it: another photo has another tag.
    Photo,
}

/// Whose word a value is.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::card::provenance::FieldSource")]
pub enum CardFieldSource {
    /// HR's row of the person.
    Hr,
    /// HR's row of a unit: everybody there shows the same.
    UnitTable,
    /// Changed in Kimlik by the person, and not overruled by HR since.
    SelfService,
    /// Changed in Kimlik by the personnel unit (personel birimi), and not overruled by HR since.
    PersonnelUnit,
    /// Made by a rule of the settings.
    Rule,
}

/// Who can make a value another one.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::card::provenance::Corrector")]
pub enum CardCorrector {
    /// The person, on /kart.
    Person,
    /// The personnel unit: correctedBy says which.
    PersonnelUnit,
    /// Whoever keeps HR's table of units.
    UnitTable,
    /// An administrator of Kimlik: the rule of the settings.
    Administrator,
}

/// One field of the card: what it should be and why, and what the directory holds.
pub struct CardField {
    field: Field,
    names: Arc<HashMap<AccountGuid, String>>,
    tree: Arc<UnitTree>,
    personnel_unit: Option<Arc<kimlik_domain::staff::Unit>>,
}

impl CardField {
    fn shown(&self, value: Option<&Value>) -> Option<String> {
        value.map(|value| shown(value, &self.names))
    }
}

/// A manager by name; what else is no text in its own way.
pub fn shown(value: &Value, names: &HashMap<AccountGuid, String>) -> String {
    match value {
        Value::Account(guid) => names.get(guid).cloned().unwrap_or_else(|| guid.to_string()),
        other => other.to_string(),
    }
}

#[Object]
/// One field of the card: what it should be and why, and what the directory holds.
impl CardField {
    /// Which field.
    async fn name(&self) -> CardFieldName {
        self.field.attribute.into()
    }
    /// Its name in the directory (LDAP): "title".
    async fn attribute(&self) -> &str {
        self.field.attribute.ldap_name()
    }
    /// What the card should show, whole also where the directory holds less of it. While a person has to decide what that is, what
    /// was last written. Null: nothing.
    async fn value(&self) -> Option<String> {
        self.shown(self.field.value.as_ref())
    }
    /// Whose word that is.
    async fn source(&self) -> CardFieldSource {
        self.field.source.into()
    }
    /// The columns of HR's feed that it is made of; of a unit's row where the source is UNIT_TABLE.
    async fn hr_columns(&self) -> &[String] {
        &self.field.columns
    }
    /// The first day of the posting that gives it. Null: no posting does, or HR has not said since when.
    async fn effective_on(&self) -> Option<Date> {
        self.field.effective_on.map(Date)
    }
    /// In whose row it stands, where the person's unit or one above it lends it.
    async fn lent_by(&self) -> Option<Unit> {
        self.tree.units().get(self.field.lender?).cloned().map(Unit)
    }
    /// The alternative of the settings' rule that gave it: "{title}". Null: no rule is asked.
    async fn rule(&self) -> Option<&str> {
        self.field.rule.as_ref().map(|(rule, _)| rule.as_str())
    }
    /// Eight hexadecimal digits, others whenever the text of the whole rule is another.
    async fn rule_version(&self) -> Option<&str> {
        self.field.rule.as_ref().map(|(_, version)| version.as_str())
    }
    /// Since when the value has been so: changed here, written, or in force by the posting. Null: since before Kimlik.
    async fn since(&self) -> Option<DateTime<Utc>> {
        self.field.since
    }
    /// When Kimlik last wrote this field into the directory. Null: never, it was right.
    async fn written_at(&self) -> Option<DateTime<Utc>> {
        self.field.written_at
    }
    /// What the directory holds, asked now. Null: nothing.
    async fn directory_value(&self) -> Option<String> {
        self.shown(self.field.held.as_ref())
    }
    /// Whether the two agree, as the directory compares.
    async fn in_sync(&self) -> bool {
        self.field.differs.is_none()
    }
    /// Why they do not agree. Null: they do.
    async fn reason(&self) -> Option<CardDriftReason> {
        self.field.differs.as_ref().map(|(reason, _)| (*reason).into())
    }
    /// The same in plain words: "title changed by hand in the directory". Null: they agree.
    async fn because(&self, ctx: &Context<'_>) -> Option<String> {
        self.field.differs.as_ref().map(|(_, because)| said(ctx, because))
    }
    /// Who can make it another value; each of them alone.
    async fn correctors(&self) -> Vec<CardCorrector> {
        self.field.correctors.iter().copied().map(Into::into).collect()
    }
    /// The personnel unit (personel birimi) that can correct it in HR. Null: it is none of theirs, or nobody is named.
    async fn corrected_by(&self) -> Option<Unit> {
        let is_theirs = self.field.correctors.contains(&kimlik_domain::card::provenance::Corrector::PersonnelUnit);
        self.personnel_unit.clone().filter(|_| is_theirs).map(Unit)
    }
}

/// How the address book stands to a card.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::card::address_book::BookStatus")]
pub enum AddressBookStatus {
    /// Everybody sees the card as it should be.
    Current,
    /// Something is being written into the directory.
    Writing,
    /// The directory is right; offline address books may still show what was before, until visibleInOutlookBy.
    WaitingForAddressBook,
    /// The directory shows something else, and nothing puts it right by itself: provenance says why.
    Stale,
    /// The address book does not show the card: its owner has left, or is hidden.
    Hidden,
    /// There is no account.
    None,
}

/// What the address book of Outlook shows of a card, and when.
#[derive(SimpleObject)]
pub struct AddressBookState {
    /// How it stands.
    status: AddressBookStatus,
    /// When Kimlik last wrote something into the directory that the address book shows. Null: never, it was right.
    written_at: Option<DateTime<Utc>>,
    /// From when a client that asks a server (Outlook online, Outlook on the web) shows that.
    visible_online_from: Option<DateTime<Utc>>,
    /// By when the offline address book shows it, at the latest: it is made and fetched at the intervals of the settings
    /// (exchange.address_book).
    visible_in_outlook_by: Option<DateTime<Utc>>,
}

/// Asked for once, by whichever field comes first.
type Asked = Arc<OnceCell<Option<Arc<Truth>>>>;

/// What was found out in a request: two fields of one card ask the directory once.
#[derive(Default)]
pub struct Truths(Mutex<HashMap<PersonId, Asked>>);

pub async fn truth_of(ctx: &Context<'_>, person: PersonId) -> Result<Option<Arc<Truth>>> {
    let house = house(ctx)?;
    let away = |e| fault(ctx, &e);
    let ask = async || {
        let tree = house.cards.tree().await?;
        let reconciler = house.reconciler().await?;
        Ok(truth::truth(&reconciler, house.card_truth.as_ref(), tree.units(), person).await?.map(Arc::new))
    };
    let Some(truths) = ctx.data_opt::<Arc<Truths>>() else { return ask().await.map_err(away) };
    let cell = truths.0.lock().unwrap_or_else(PoisonError::into_inner).entry(person).or_default().clone();
    cell.get_or_try_init(ask).await.cloned().map_err(away)
}

/// Null: as [`of`].
pub async fn address_book(ctx: &Context<'_>, person: PersonId, about: About) -> Maybe<AddressBookState> {
    if !reads(ctx, Deed::ReadProvenance, about) {
        return None;
    }
    Some(book(ctx, person).await)
}

async fn book(ctx: &Context<'_>, person: PersonId) -> Result<AddressBookState> {
    let (house, truth) = (house(ctx)?, truth_of(ctx, person).await?);
    let rules = house.config.exchange.address_book.rules(house.config.directory.active_directory.replication_seconds);
    let nothing = BookState { status: BookStatus::None, written_at: None, online_from: None, offline_by: None };
    let state = truth.map_or(nothing, |truth| address_book::state(&truth, &rules, house.clock.now()));
    Ok(AddressBookState {
        status: state.status.into(),
        written_at: state.written_at,
        visible_online_from: state.online_from,
        visible_in_outlook_by: state.offline_by,
    })
}

/// The fields of a card that the caller may see: who may not read the mobile is not told of it here either.
pub async fn of(ctx: &Context<'_>, person: PersonId, about: About) -> Maybe<Vec<CardField>> {
    if !reads(ctx, Deed::ReadProvenance, about) {
        return None;
    }
    Some(fields(ctx, person, about).await)
}

async fn fields(ctx: &Context<'_>, person: PersonId, about: About) -> Result<Vec<CardField>> {
    let house = house(ctx)?;
    let away = |e| fault(ctx, &e);
    let tree = house.cards.tree().await.map_err(away)?;
    let Some(truth) = truth_of(ctx, person).await? else { return Ok(Vec::new()) };
    let record = &truth.record;
    let may_see = |f: &&Field| f.attribute != Attribute::Mobile || reads(ctx, Deed::ReadMobile, about);
    let fields: Vec<Field> = truth.fields.iter().filter(may_see).cloned().collect();
    let mut accounts = Vec::new();
    for field in &fields {
        named(&mut accounts, [&field.value, &field.held]);
    }
    let names = Arc::new(names(ctx, accounts).await?);
    let today = kimlik_domain::day::today(house.clock.now());
    let unit = record.person.posting_on(today).map(|p| p.unit);
    let personnel_unit = unit.and_then(|u| tree.units().personnel_unit(u)).and_then(|u| tree.units().get(u)).cloned();
    let field = |field| CardField { field, names: names.clone(), tree: tree.clone(), personnel_unit: personnel_unit.clone() };
    Ok(fields.into_iter().map(field).collect())
}

/// Accounts that these values name.
pub fn named(accounts: &mut Vec<AccountGuid>, values: [&Option<Value>; 2]) {
    accounts.extend(values.into_iter().filter_map(|value| if let Some(Value::Account(guid)) = value { Some(*guid) } else { None }));
}

/// Whose accounts these are.
pub async fn names(ctx: &Context<'_>, mut guids: Vec<AccountGuid>) -> Result<HashMap<AccountGuid, String>> {
    guids.sort_unstable();
    guids.dedup();
    if guids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = house(ctx)?.store.people(PeopleBy::Guids(&guids)).await.map_err(|e| fault(ctx, &e))?;
    Ok(found.iter().filter_map(|r| Some((r.account.as_ref()?.guid?, r.person.full_name()))).collect())
}
