//! The record behind a card, for the person and for those who keep it: employment, phones, operations, history.
use super::account_state::Account;
use super::audit::AuditEvent;
use super::card::{IdentityCard, IdentityCardKey, Posting, of_person, person_of};
use super::error::{Maybe, fault};
use super::issue::{self, DataIssue};
use super::operation::{self, Operation};
use super::page::{self, Page};
use super::phone::Phones;
use super::plan::Plan;
use super::reading::reads;
use super::scalar::{Date, PhoneNumber, RegistryNumber};
use super::staff_list::{self, StaffMemberFilter};
use super::window::{Counted, Paging};
use super::{allows, caller, house, id};
use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use kimlik_domain::access::{About, Deed, Role};
use kimlik_domain::card::CardPosting;
use kimlik_domain::day;
use kimlik_domain::id::PersonId;
use kimlik_domain::lifecycle::reconcile::Whom;
use kimlik_domain::ports::{OperationsOf, PeopleBy, PersonRecord};
use kimlik_domain::staff::{Person, RegistryNo};
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

#[derive(Default)]
pub struct StaffQuery;

/// The record of a member of staff.
#[derive(Clone)]
pub struct StaffMember {
    record: PersonRecord,
    about: About,
    card: Arc<IdentityCard>,
}

/// As HR last said it.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::staff::EmploymentStatus")]
pub enum EmploymentStatus {
    /// Works.
    Active,
    /// On leave.
    OnLeave,
    /// Removed from duty for a while.
    Suspended,
    /// Has left.
    Terminated,
}

/// The employment as HR last said it.
#[derive(SimpleObject)]
pub struct Employment {
    /// Null: HR has not said.
    status: Option<EmploymentStatus>,
    /// HITAP's code of the last event.
    reason: Option<String>,
    /// The first day in service.
    starts_on: Option<Date>,
    /// The last day in service.
    ends_on: Option<Date>,
}

#[Object]
/// The record behind a card (personel kaydı).
impl StaffMember {
    /// Stays the same as long as the person is known. Not that of the card: what may be seen differs.
    pub async fn id(&self) -> ID {
        id::encode(id::STAFF, self.record.person.id.0)
    }
    /// Sicil no.
    async fn registry_number(&self) -> RegistryNumber {
        RegistryNumber(self.record.person.registry_no.clone())
    }
    /// 123*****146. The person, its personnel unit and administrators; others see null. The reading of another person's is recorded.
    async fn national_id_masked(&self, ctx: &Context<'_>) -> Maybe<String> {
        if !reads(ctx, Deed::ReadNationalId, self.about) {
            return None;
        }
        let house = match house(ctx) {
            Ok(house) => house,
            Err(error) => return Some(Err(error)),
        };
        let found = house.card_feed.national_id(self.record.person.id).await.map_err(|e| fault(ctx, &e));
        found.map(|id| id.map(|id| id.masked())).transpose()
    }
    /// The card, also of somebody who has left.
    async fn card(&self) -> IdentityCard {
        self.card.as_ref().clone()
    }
    /// As HR last said it.
    async fn employment(&self) -> Employment {
        let person: &Person = &self.record.person;
        Employment {
            status: person.status.map(Into::into),
            reason: person.reason_code.as_deref().map(str::to_owned),
            starts_on: person.employment_start.map(Date),
            ends_on: person.employment_end.map(Date),
        }
    }
    /// All that HR names, past and future ones too.
    async fn postings(&self) -> Vec<Posting> {
        let posting = |p: &kimlik_domain::staff::Posting| CardPosting {
            unit: p.unit,
            title: p.title().map(Into::into),
            kind: p.kind,
            start: p.start,
            end: p.end,
        };
        self.record.person.postings.iter().map(|p| Posting { posting: posting(p), tree: self.card.tree.clone() }).collect()
    }
    /// The person, its personnel unit and administrators; others see null. The reading of another person's is recorded.
    async fn mobile(&self, ctx: &Context<'_>) -> Option<PhoneNumber> {
        let mobile = self.record.person.mobile.as_ref()?;
        reads(ctx, Deed::ReadMobile, self.about).then(|| PhoneNumber(mobile.e164().to_owned()))
    }
    /// What HR says, what was changed here, and what counts. As the mobile.
    async fn phones(&self, ctx: &Context<'_>) -> Option<Phones> {
        reads(ctx, Deed::ReadMobile, self.about).then(|| Phones(self.record.phones.clone()))
    }
    /// What would be done for this person now, and why. Who may read plans.
    #[graphql(complexity = "20 + child_complexity")]
    async fn plan(&self, ctx: &Context<'_>) -> Maybe<Plan> {
        if !allows(ctx, Deed::ReadPlan, self.about) {
            return None;
        }
        Some(plan(ctx, self.record.person.id).await)
    }
    /// Null: there is no account, nor names for one. The person, its personnel unit and administrators; others see null.
    async fn account(&self, ctx: &Context<'_>) -> Option<Account> {
        let account = self.record.account.clone()?;
        let suspension = self.record.suspension.clone();
        allows(ctx, Deed::ReadAccountState, self.about).then(|| Account::of(account, suspension, self.about))
    }
    /// What is wrong in what HR says of this person, or has to be looked at, the oldest first. Who may read issues; others see null.
    #[graphql(complexity = "5 * child_complexity + 5")]
    async fn issues(&self, ctx: &Context<'_>) -> Maybe<Vec<DataIssue>> {
        if !allows(ctx, Deed::ReadIssue, self.about) {
            return None;
        }
        Some(issue::about(ctx, self).await)
    }
    /// What was done to the account, newest first. Who may read operations; others see null.
    #[graphql(complexity = "page::cost(__ctx, __variables_definition, __field, child_complexity)")]
    async fn operations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before.")] after: Option<String>,
    ) -> Maybe<Page<Operation>> {
        if !allows(ctx, Deed::ReadOperation, self.about) {
            return None;
        }
        Some(operation::of(ctx, OperationsOf::Person(self.record.person.id), first, after.as_deref()).await)
    }
    /// What happened to this person, newest first: what HR said anew (`hr.change`), what was done to the account (`account.…`), to
    /// phones, passwords and messages, orders and decisions, each with who and why. Auditors and administrators also see who has
    /// signed in and who has read; personnel officers of the person do not, and others see null.
    #[graphql(complexity = "page::cost(__ctx, __variables_definition, __field, child_complexity)")]
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before.")] after: Option<String>,
    ) -> Maybe<Page<AuditEvent>> {
        let everything = allows(ctx, Deed::ReadAudit, About::Everything);
        // Why not a service that reads operations: the audit names people.
        let is_officer = caller(ctx).has(Role::PersonnelOfficer) && allows(ctx, Deed::ReadOperation, self.about);
        if !everything && !is_officer {
            return None;
        }
        Some(super::audit::about_person(ctx, self.record.person.id, everything, first, after.as_deref()).await)
    }
}

impl StaffMember {
    /// Of somebody whom the caller may read.
    pub fn new(record: PersonRecord, about: About, card: IdentityCard) -> StaffMember {
        StaffMember { record, about, card: Arc::new(card) }
    }
}

async fn plan(ctx: &Context<'_>, person: PersonId) -> Result<Plan> {
    let plan = async {
        house(ctx)?
            .reconciler()
            .await
            .map_err(|e| fault(ctx, &e))?
            .plan(&Whom::People(vec![person]), None)
            .await
            .map_err(|e| fault(ctx, &e))
    };
    Ok(Plan::of(&plan.await?))
}

// Why: arguments of the graph, not of Rust.
#[allow(clippy::too_many_arguments)]
#[Object]
impl StaffQuery {
    /// The record of one member of staff; null where there is none that the caller may read. The reading of another person's
    /// is recorded.
    async fn staff_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What finds it: exactly one of these.")] by: IdentityCardKey,
    ) -> Maybe<StaffMember> {
        if !allows(ctx, Deed::ReadRecord, About::List) {
            return None;
        }
        member(ctx, by).await.transpose()
    }

    /// Members of staff whose records the caller may read: for personnel officers those of the own units, for others the own record
    /// only. By family name and given name in Turkish order; those who have left by when they did, the last one first. The reading
    /// of each person's record is recorded.
    #[graphql(complexity = "page::cost(__ctx, __variables_definition, __field, child_complexity)")]
    async fn staff_members(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only these; null: everybody in service.")] filter: Option<StaffMemberFilter>,
        #[graphql(desc = "How many from the beginning, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before.")] after: Option<String>,
        #[graphql(desc = "How many from the end, instead of first; not of those who have left.")] last: Option<i32>,
        #[graphql(desc = "The startCursor of the page behind; not of those who have left.")] before: Option<String>,
    ) -> Maybe<Counted<StaffMember>> {
        if !allows(ctx, Deed::ReadRecord, About::List) {
            return None;
        }
        Some(staff_list::list(ctx, filter.unwrap_or_default(), &Paging { first, after, last, before }).await)
    }
}

/// For payloads: the record of `person`, where the caller may read it.
pub async fn member_of(ctx: &Context<'_>, person: PersonId) -> Result<Option<StaffMember>> {
    Ok(members(ctx, &[person]).await?.pop())
}

/// The records of those of `people` of whom the caller may read it.
pub async fn members(ctx: &Context<'_>, people: &[PersonId]) -> Result<Vec<StaffMember>> {
    if people.is_empty() || !allows(ctx, Deed::ReadRecord, About::List) {
        return Ok(Vec::new());
    }
    let house = house(ctx)?;
    let today = day::today(house.clock.now());
    let mut members = Vec::new();
    for record in house.store.people(PeopleBy::Ids(people)).await.map_err(|e| fault(ctx, &e))? {
        let about = About::person(&record.person, today);
        if !reads(ctx, Deed::ReadRecord, about) {
            continue;
        }
        let card = of_person(ctx, record.person.id).await?;
        members.extend(card.map(|card| StaffMember::new(record, about, card)));
    }
    Ok(members)
}

/// The records of a page, by person, where its question asks for `staffMember`; else nobody's is read.
pub async fn members_asked(ctx: &Context<'_>, people: impl IntoIterator<Item = PersonId>) -> Result<HashMap<PersonId, StaffMember>> {
    if !page::asks_for(ctx, "staffMember") {
        return Ok(HashMap::new());
    }
    let people: Vec<PersonId> = people.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    Ok(members(ctx, &people).await?.into_iter().map(|member| (member.person(), member)).collect())
}

/// Why so short: plans are debugged, and personal values stay out of what is written there.
impl fmt::Debug for StaffMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StaffMember({:?})", self.record.person.id)
    }
}

impl StaffMember {
    pub fn person(&self) -> PersonId {
        self.record.person.id
    }
    pub fn registry_no(&self) -> &RegistryNo {
        &self.record.person.registry_no
    }
}

async fn member(ctx: &Context<'_>, by: IdentityCardKey) -> Result<Option<StaffMember>> {
    let house = house(ctx)?;
    // Why asked also of nobody: whether a number is somebody's is not told by how long it takes either.
    let person = person_of(ctx, &by).await?.unwrap_or(PersonId(uuid::Uuid::nil()));
    let found = house.store.people(PeopleBy::Ids(&[person])).await.map_err(|e| fault(ctx, &e))?;
    let Some(record) = found.into_iter().next() else { return Ok(None) };
    let about = About::person(&record.person, day::today(house.clock.now()));
    // Why both: whoever may not read a number must not find by it either.
    let by_number = matches!(by, IdentityCardKey::RegistryNumber(_));
    if (by_number && !allows(ctx, Deed::ReadRegistryNumber, about)) || !reads(ctx, Deed::ReadRecord, about) {
        return Ok(None);
    }
    let card = of_person(ctx, person).await?;
    Ok(card.map(|card| StaffMember::new(record, about, card)))
}
