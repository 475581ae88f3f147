//! A plan as it is shown: what would be done, person by person, with the reason. The same whether it was asked for, is a dry run's,
//! or is what a deed is going to carry out; kept as it was said where a client may ask for it again.
use super::card::{IdentityCard, of_person};
use super::error::Maybe;
use super::page::{self, Cursor, Page};
use super::plan_of_many::{self, Many};
use super::run::ChangeAction;
use super::scalar::{Date, RegistryNumber};
use super::staff::{StaffMember, member_of, members_asked};
use super::unit::Province;
use super::{id, run::ActionCount, said};
use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use chrono::{DateTime, NaiveDate, Utc};
use kimlik_domain::account::Mode;
use kimlik_domain::id::PersonId;
use kimlik_domain::lifecycle::plan::digest_of;
use kimlik_domain::lifecycle::{Action, ActionKind, PersonPlan, Step, describe, reconcile};
use kimlik_domain::message::Language;
use kimlik_domain::staff::{self, IssueKind, RegistryNo};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// What is to be done, person by person, with the reason for each change. Nothing is left to decide when it is carried out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    counts: BTreeMap<ActionKind, u32>,
    #[serde(default)]
    provinces: Vec<PlannedInProvince>,
    held_because: Vec<String>,
    changes: Vec<PlannedChange>,
    text: String,
    digest: String,
    observed_at: DateTime<Utc>,
    as_of: NaiveDate,
    /// Of many people: only who they are is kept, and a page of them is planned when it is asked for.
    #[serde(skip)]
    many: Option<Arc<Many>>,
}

/// What is to be done for the people of one province.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlannedInProvince {
    province: Option<staff::unit::Province>,
    counts: BTreeMap<ActionKind, u32>,
}

#[Object]
/// What is to be done for the people of one province.
impl PlannedInProvince {
    /// Null: head office, or no unit is known.
    async fn province(&self) -> Option<Province> {
        self.province.map(Province)
    }
    /// How many changes of each kind.
    async fn summary(&self) -> Vec<ActionCount> {
        self.counts.iter().map(|(kind, count)| ActionCount::of(*kind, *count)).collect()
    }
}

fn by_province(overview: &reconcile::Overview) -> Vec<PlannedInProvince> {
    overview.provinces.iter().map(|(province, counts)| PlannedInProvince { province: *province, counts: counts.clone() }).collect()
}

/// May it be carried out?
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum PlanVerdict {
    /// Nothing of it exceeds a limit.
    WithinLimits,
    /// Some of it exceeds a limit and waits for an administrator.
    Held,
}

/// One change of one account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlannedChange {
    person: PersonId,
    registry_no: RegistryNo,
    kind: ActionKind,
    because: String,
    fields: Vec<FieldChange>,
    text: String,
    /// Read with the page; `None`: not yet, or the caller may not.
    #[serde(skip)]
    member: Option<StaffMember>,
}

/// One value that changes.
#[derive(Clone, Debug, Serialize, Deserialize, SimpleObject)]
pub struct FieldChange {
    /// The directory's name of the field.
    name: String,
    /// Null: there was none.
    from: Option<String>,
    /// Null: there is none any more.
    to: Option<String>,
}

/// Why an order cannot reach an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutOfReach {
    /// The unit is only observed.
    Observed,
    /// The directory's own administrators, and the like.
    Protected,
}

impl Plan {
    pub fn of(plan: &reconcile::Plan) -> Plan {
        let overview = &plan.overview;
        let actions = || plan.people.iter().flat_map(|p| p.actions.iter().map(move |a| (p, a)));
        let changes = actions().map(|(p, action)| PlannedChange::of(p, action));
        Plan {
            counts: overview.counts.clone(),
            provinces: by_province(overview),
            held_because: overview.exceeded.iter().map(ToString::to_string).collect(),
            changes: changes.collect(),
            text: plan.text(),
            digest: digest_of(actions().map(|(p, a)| (p.person, a))),
            observed_at: overview.observed_at,
            as_of: overview.as_of,
            many: None,
        }
    }

    /// Of people who are planned page by page.
    pub fn of_many(many: Arc<Many>) -> Plan {
        let overview = &many.overview;
        Plan {
            counts: overview.counts.clone(),
            provinces: by_province(overview),
            held_because: overview.exceeded.iter().map(ToString::to_string).collect(),
            changes: Vec::new(),
            text: String::new(),
            digest: many.digest.clone(),
            observed_at: overview.observed_at,
            as_of: overview.as_of,
            many: Some(many),
        }
    }

    pub fn is_to_do(&self, kinds: &[ActionKind]) -> bool {
        self.changes.iter().any(|c| kinds.contains(&c.kind))
    }
}

impl PlannedChange {
    pub fn of(person: &PersonPlan, action: &Action) -> PlannedChange {
        PlannedChange {
            person: person.person,
            registry_no: person.registry_no.clone(),
            kind: action.kind,
            because: action.because.to_string(),
            fields: action.steps.iter().flat_map(fields).collect(),
            text: describe::action_text(action, Language::En),
            member: None,
        }
    }
}

/// Of a plan about one person: what keeps all of it from being written.
pub fn out_of_reach(plan: &reconcile::Plan) -> Option<OutOfReach> {
    let person = plan.people.first()?;
    let protected = |i: &kimlik_domain::staff::DataIssue| matches!(i.kind, IssueKind::ProtectedAccount | IssueKind::ProtectedLeaver);
    match () {
        () if person.mode == Mode::Observe && !person.actions.is_empty() => Some(OutOfReach::Observed),
        () if person.issues.iter().any(protected) => Some(OutOfReach::Protected),
        () => None,
    }
}

fn fields(step: &Step) -> Vec<FieldChange> {
    let text = |value: Option<&kimlik_domain::account::Value>| value.map(ToString::to_string);
    match step {
        Step::Create(new) => {
            let set = new.attributes.iter();
            set.map(|(a, value)| FieldChange { name: a.ldap_name().to_owned(), from: None, to: Some(value.to_string()) }).collect()
        }
        Step::Modify(changes) => {
            let change = |c: &kimlik_domain::account::Change| FieldChange {
                name: c.attribute.ldap_name().to_owned(),
                from: text(c.from.as_ref()),
                to: text(c.to.as_ref()),
            };
            changes.iter().map(change).collect()
        }
        _ => Vec::new(),
    }
}

#[Object]
/// What is to be done, person by person, with the reason for each change. Nothing is left to decide when it is carried out.
impl Plan {
    /// How many changes of each kind.
    async fn summary(&self) -> Vec<ActionCount> {
        self.counts.iter().map(|(kind, count)| ActionCount::of(*kind, *count)).collect()
    }
    /// The same by province, by plate number; provinces without a change are left out.
    async fn provinces(&self) -> &[PlannedInProvince] {
        &self.provinces
    }
    /// May it be carried out?
    async fn verdict(&self) -> PlanVerdict {
        if self.held_because.is_empty() { PlanVerdict::WithinLimits } else { PlanVerdict::Held }
    }
    /// The limits that it exceeds, in plain words, in the caller's language.
    async fn held_because(&self, ctx: &Context<'_>) -> Vec<String> {
        self.held_because.iter().map(|why| said(ctx, why)).collect()
    }
    /// Each change, by registry number, in the order in which it is carried out.
    #[graphql(complexity = "page::cost(__ctx, __variables_definition, __field, child_complexity)")]
    async fn changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before.")] after: Option<String>,
    ) -> Maybe<Page<PlannedChange>> {
        Some(self.page(ctx, first, after.as_deref()).await)
    }
    /// The same plan as people read it, in the caller's language. Of a plan of more than 100 people the first 100 of them: `changes` has all.
    #[graphql(complexity = "100")]
    async fn text(&self, ctx: &Context<'_>) -> Maybe<String> {
        match &self.many {
            Some(many) => Some(plan_of_many::text(many, ctx).await),
            None => Some(Ok(said(ctx, &self.text))),
        }
    }
    /// The same exactly as long as the changes are.
    async fn digest(&self) -> &str {
        &self.digest
    }
    /// When the directory was looked at.
    async fn observed_at(&self) -> DateTime<Utc> {
        self.observed_at
    }
    /// The day it is for.
    async fn as_of(&self) -> Date {
        Date(self.as_of)
    }
}

impl Plan {
    async fn page(&self, ctx: &Context<'_>, first: Option<i32>, after: Option<&str>) -> Result<Page<PlannedChange>> {
        let mut page = match &self.many {
            Some(many) => plan_of_many::page(many, ctx, first, after).await?,
            None => self.page_kept(first, after)?,
        };
        let members = members_asked(ctx, page.edges.iter().map(|edge| edge.node.person)).await?;
        for edge in &mut page.edges {
            edge.node.member = members.get(&edge.node.person).cloned();
        }
        Ok(page)
    }

    fn page_kept(&self, first: Option<i32>, after: Option<&str>) -> Result<Page<PlannedChange>> {
        let wanted = page::first(first)?;
        let after = page::after(id::CHANGE, after)?;
        let skipped = after.map_or(0, |at| usize::try_from(at.as_u128()).unwrap_or(usize::MAX));
        let rest: Vec<_> = (1_u128..).zip(&self.changes).skip(skipped).take(wanted as usize + 1).collect();
        let node = |(at, change): (u128, &PlannedChange)| (Cursor(id::encode(id::CHANGE, Uuid::from_u128(at)).0), change.clone());
        Ok(page::page(rest, wanted, after.is_some(), node))
    }
}

#[Object]
/// One change of one account.
impl PlannedChange {
    /// Sicil no.
    async fn registry_number(&self) -> RegistryNumber {
        RegistryNumber(self.registry_no.clone())
    }
    /// What would be done.
    async fn action(&self) -> ChangeAction {
        self.kind.into()
    }
    /// Why, in plain words, in the caller's language.
    async fn because(&self, ctx: &Context<'_>) -> String {
        said(ctx, &self.because)
    }
    /// The values that change.
    async fn fields(&self) -> &[FieldChange] {
        &self.fields
    }
    /// The change with every step, as people read it, in the caller's language.
    async fn text(&self, ctx: &Context<'_>) -> String {
        said(ctx, &self.text)
    }
    /// Whose account.
    #[graphql(complexity = "5 + child_complexity")]
    async fn card(&self, ctx: &Context<'_>) -> Maybe<IdentityCard> {
        of_person(ctx, self.person).await.transpose()
    }
    /// The record of whose account it is. Who may read it; others see null. The reading of another person's is recorded.
    #[graphql(complexity = "5 + child_complexity")]
    async fn staff_member(&self, ctx: &Context<'_>) -> Maybe<StaffMember> {
        match &self.member {
            Some(member) => Some(Ok(member.clone())),
            None => member_of(ctx, self.person).await.transpose(),
        }
    }
}
