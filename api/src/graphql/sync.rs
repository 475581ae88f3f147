//! What would be done, and beginning to do it: for the same people, said in the same way.
use super::error::{Maybe, UserError, UserErrorCode, bad_input, fault};
use super::plan::Plan;
use super::run::SyncRun;
use super::scalar::{Date, UnitCode};
use super::{allows, caller, house, id, permitted};
use crate::{deeds, plans};
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject, Value};
use chrono::{Months, NaiveDate};
use kimlik_domain::access::{About, Deed};
use kimlik_domain::day;
use kimlik_domain::id::PersonId;
use kimlik_domain::lifecycle::reconcile::Whom;
use kimlik_domain::ports::{PeopleBy, Refusal};
use std::collections::BTreeSet;

#[derive(Default)]
pub struct PlanQuery;
#[derive(Default)]
pub struct SyncMutation;

/// Whom a plan or a run is about: named people or a unit, not both; neither: everybody.
#[derive(InputObject)]
pub struct PlanScopeInput {
    /// Ids of cards: these people, at most 1,000.
    people: Option<Vec<ID>>,
    /// The people of this unit and of all units below it.
    unit: Option<UnitCode>,
}

const MOST_PEOPLE: usize = 1_000;

/// What is wrong with a scope: where, and why.
type ScopeFault = (&'static str, &'static str);

fn whom(scope: Option<PlanScopeInput>) -> std::result::Result<Whom, ScopeFault> {
    match scope.map(|scope| (scope.people, scope.unit)) {
        None | Some((None, None)) => Ok(Whom::Everybody),
        Some((Some(_), Some(_))) => Err(("scope", "People or a unit, not both.")),
        Some((None, Some(unit))) => Ok(Whom::Unit(unit.0)),
        Some((Some(people), None)) if people.is_empty() || people.len() > MOST_PEOPLE => Err(("scope.people", "Name 1 to 1000 people.")),
        Some((Some(people), None)) => {
            let named: Option<BTreeSet<PersonId>> = people.iter().map(|id| id::decode(id::CARD, id).map(PersonId)).collect();
            // Why a set: the same whatever the order, and nobody twice.
            named.map(|named| Whom::People(named.into_iter().collect())).ok_or(("scope.people", "One of these is not the id of a card."))
        }
    }
}

/// May the caller ask what would be done for them?
async fn may_plan(ctx: &Context<'_>, whom: &Whom) -> Result<bool> {
    Ok(match whom {
        _ if allows(ctx, Deed::ReadPlan, About::Everything) => true,
        Whom::Everybody => false,
        Whom::People(people) => permitted(ctx, Deed::ReadPlan, people.iter().copied()).await?.len() == people.len(),
        Whom::Unit(unit) => {
            let tree = house(ctx)?.cards.tree().await.map_err(|e| fault(ctx, &e))?;
            let units = tree.within(&[*unit], true);
            !units.is_empty() && units.into_iter().all(|unit| allows(ctx, Deed::ReadPlan, About::Unit(unit)))
        }
    })
}

#[Object]
impl PlanQuery {
    /// What would be done now, or as of a later day if HR says nothing new until then, without doing it: the same that `kimlik plan`
    /// prints and a run carries out. New names are proposals, nothing is reserved. A personnel officer names own people or units;
    /// null: the caller may not. Everybody is looked at for the first page; pages behind it are of the same plan for five minutes.
    #[graphql(complexity = "200 + child_complexity")]
    async fn change_plan(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom it is about; null: everybody.")] scope: Option<PlanScopeInput>,
        #[graphql(desc = "As it would be on this day, from today to ten years from now; null: now.")] as_of: Option<Date>,
    ) -> Maybe<Plan> {
        if !allows(ctx, Deed::ReadPlan, About::List) {
            return None;
        }
        change_plan(ctx, scope, as_of.map(|day| day.0)).await.transpose()
    }
}

async fn change_plan(ctx: &Context<'_>, scope: Option<PlanScopeInput>, as_of: Option<NaiveDate>) -> Result<Option<Plan>> {
    let house = house(ctx)?;
    let whom = whom(scope).map_err(|(at, why)| {
        let message = format!("{at}: {why}");
        bad_input(message)
    })?;
    let today = day::today(house.clock.now());
    let last = today.checked_add_months(Months::new(120)).unwrap_or(today);
    if as_of.is_some_and(|day| day < today || day > last) {
        return Err(bad_input("asOf: a day from today to ten years from now."));
    }
    if !may_plan(ctx, &whom).await? {
        return Ok(None);
    }
    let many = plans::plan(house, whom, as_of.filter(|day| *day != today), goes_on(ctx)).await.map_err(|e| fault(ctx, &e))?;
    Ok(Some(Plan::of_many(many)))
}

/// Is a page behind the first asked for?
fn goes_on(ctx: &Context<'_>) -> bool {
    ctx.field().selection_set().filter(|field| field.name() == "changes").any(|field| {
        field.arguments().is_ok_and(|arguments| arguments.iter().any(|(name, value)| name == "after" && *value != Value::Null))
    })
}

/// What a run is to do.
#[derive(InputObject)]
pub struct SyncStartInput {
    /// What HR has delivered is taken in first.
    #[graphql(default_with = "Some(true)")]
    intake: Option<bool>,
    /// Whom to look at; null: everybody.
    scope: Option<PlanScopeInput>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct SyncStartPayload {
    /// The run: it goes on behind this answer, and syncProgress tells how. Null where none was begun, and
    /// for whoever may begin runs but not read them.
    run: Option<SyncRun>,
    /// What the caller can mend; empty: the run has begun.
    user_errors: Vec<UserError>,
}

#[Object]
impl SyncMutation {
    /// Begins a run: takes in what HR has delivered, looks at the people, and does what is to be done, within the limits. Refused with
    /// CONFLICT while everybody is being looked at, by whatever process.
    async fn sync_start(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the run is to do.")] input: SyncStartInput,
    ) -> Maybe<SyncStartPayload> {
        if !allows(ctx, Deed::StartSync, About::Everything) {
            return None;
        }
        Some(start(ctx, input).await)
    }
}

fn refused(code: UserErrorCode, path: &str, message: &str) -> SyncStartPayload {
    let path = path.split('.').map(str::to_owned).collect();
    SyncStartPayload { run: None, user_errors: vec![UserError { code, path, message: message.to_owned() }] }
}

async fn start(ctx: &Context<'_>, input: SyncStartInput) -> Result<SyncStartPayload> {
    let house = house(ctx)?;
    let whom = match whom(input.scope) {
        Ok(whom) => whom,
        Err((at, why)) => return Ok(refused(UserErrorCode::Invalid, at, why)),
    };
    let missing = match &whom {
        Whom::Everybody => None,
        Whom::Unit(unit) => {
            let tree = house.cards.tree().await.map_err(|e| fault(ctx, &e))?;
            tree.units().get(*unit).is_none().then_some(("scope.unit", "There is no such unit."))
        }
        Whom::People(people) => {
            let found = house.store.people(PeopleBy::Ids(people)).await.map_err(|e| fault(ctx, &e))?;
            (found.len() < people.len()).then_some(("scope.people", "One of these is nobody."))
        }
    };
    if let Some((at, why)) = missing {
        return Ok(refused(UserErrorCode::NotFound, at, why));
    }
    match deeds::sync::start(house, whom, input.intake.unwrap_or(true), caller(ctx).actor()).await {
        Ok(run) => {
            let run = allows(ctx, Deed::ReadRun, About::Everything).then(|| SyncRun::of(run));
            Ok(SyncStartPayload { run, user_errors: Vec::new() })
        }
        Err(error) if error.refusal() == Some(Refusal::InHand) => {
            let message = "A run over everybody is under way: syncRuns shows it. Try again when it has ended.";
            Ok(refused(UserErrorCode::Conflict, "scope", message))
        }
        Err(error @ kimlik_domain::ports::PortError::Unavailable(_)) => {
            tracing::warn!(%error, "a run that was asked for could not begin");
            Ok(refused(UserErrorCode::TryLater, "scope", super::error::AWAY))
        }
        Err(error) => Err(fault(ctx, &error)),
    }
}
