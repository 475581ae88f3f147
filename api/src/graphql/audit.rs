//! Who did what to whom, and why.
use super::card::{IdentityCard, of_person};
use super::error::{Maybe, bad_input, fault};
use super::page::{self, Cursor, Page};
use super::scalar::comparable;
use super::{allows, house, id};
use async_graphql::{Context, ID, InputObject, Object, Result};
use chrono::{DateTime, Utc};
use kimlik_domain::access::{About, Deed};
use kimlik_domain::audit;
use kimlik_domain::id::PersonId;
use kimlik_domain::ports::AuditFilter;
use uuid::Uuid;

#[derive(Default)]
pub struct AuditQuery;

/// One deed, reading or refusal. Never changed afterwards.
pub struct AuditEvent {
    number: i64,
    event: audit::AuditEvent,
}

#[Object]
/// One deed, reading or refusal. Never changed afterwards.
impl AuditEvent {
    /// Of this event; later ones have greater ids.
    pub async fn id(&self) -> ID {
        ID(cursor(self.number).0)
    }
    /// When.
    async fn at(&self) -> DateTime<Utc> {
        self.event.at
    }
    /// `kimlik` for what it does by itself, else who asked: `user:…`, `service:…`, `cli:…`.
    async fn actor(&self) -> &str {
        &self.event.actor
    }
    /// `account.open`, `hold.approve`, `session.begin`, `person.read`, …
    async fn deed(&self) -> &str {
        &self.event.deed
    }
    /// Why, in plain words.
    async fn because(&self) -> &str {
        &self.event.because
    }
    /// What changed or was read, as JSON. No secret, no national id.
    async fn detail(&self) -> String {
        self.event.detail.to_string()
    }
    /// About whom.
    #[graphql(complexity = "5 + child_complexity")]
    async fn card(&self, ctx: &Context<'_>) -> Maybe<IdentityCard> {
        match self.event.person {
            Some(person) => of_person(ctx, person).await.transpose(),
            None => None,
        }
    }
}

/// Which events; all that is said must fit.
#[derive(InputObject, Default)]
pub struct AuditEventFilter {
    /// The id of a card: about this person.
    person_id: Option<ID>,
    /// Exactly this actor: `user:ayse.sahin`.
    actor: Option<String>,
    /// The beginning of a deed: `session.`, `account.close`.
    deed: Option<String>,
    /// From then on.
    since: Option<DateTime<Utc>>,
    /// Before.
    until: Option<DateTime<Utc>>,
}

#[Object]
impl AuditQuery {
    /// Who did what to whom, newest first.
    #[graphql(complexity = "page::cost(__ctx, __variables_definition, __field, child_complexity)")]
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only these; null: all.")] filter: Option<AuditEventFilter>,
        #[graphql(desc = "How many, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before.")] after: Option<String>,
    ) -> Maybe<Page<AuditEvent>> {
        if !allows(ctx, Deed::ReadAudit, About::Everything) {
            return None;
        }
        Some(events(ctx, filter.unwrap_or_default(), first, after.as_deref()).await)
    }
}

fn cursor(number: i64) -> Cursor {
    Cursor(id::encode(id::AUDIT, Uuid::from_u128(u128::from(number.cast_unsigned()))).0)
}

async fn events(ctx: &Context<'_>, filter: AuditEventFilter, first: Option<i32>, after: Option<&str>) -> Result<Page<AuditEvent>> {
    let is_plain = |text: &String| text.chars().count() <= 100 && !text.chars().any(|c| c.is_control() || c == '%');
    for (name, text) in [("filter.actor", &filter.actor), ("filter.deed", &filter.deed)] {
        if !text.as_ref().is_none_or(is_plain) {
            return Err(bad_input(format!("{name}: at most 100 characters, of one line and without %.")));
        }
    }
    let person = filter.person_id.map(|id| id::argument(id::CARD, "filter.personId", &id)).transpose()?.map(PersonId);
    let filter = AuditFilter {
        person,
        actor: filter.actor,
        deeds: filter.deed.into_iter().collect(),
        since: filter.since.map(comparable),
        until: filter.until.map(comparable),
    };
    page_of(ctx, &filter, first, after).await
}

async fn page_of(ctx: &Context<'_>, filter: &AuditFilter, first: Option<i32>, after: Option<&str>) -> Result<Page<AuditEvent>> {
    let wanted = page::first(first)?;
    let before = page::after(id::AUDIT, after)?.map(|number| i64::try_from(number.as_u128()).map_err(|_| page::foreign())).transpose()?;
    let found = house(ctx)?.door.audit.events(filter, before, wanted + 1).await.map_err(|e| fault(ctx, &e))?;
    Ok(page::page(found, wanted, before.is_some(), |(number, event)| (cursor(number), AuditEvent { number, event })))
}

/// By its id, where the caller may read it.
pub async fn one(ctx: &Context<'_>, id: Uuid) -> Result<Option<AuditEvent>> {
    let Ok(number) = i64::try_from(id.as_u128()) else { return Ok(None) };
    if !allows(ctx, Deed::ReadAudit, About::Everything) {
        return Ok(None);
    }
    let before = Some(number.saturating_add(1));
    let found = house(ctx)?.door.audit.events(&AuditFilter::default(), before, 1).await.map_err(|e| fault(ctx, &e))?;
    Ok(found.into_iter().find(|(found, _)| *found == number).map(|(number, event)| AuditEvent { number, event }))
}

/// What an officer reads of a person's history: deeds on the account and what HR said, not who has read or signed in.
const OF_OFFICERS: &[&str] = &["account.", "hr.", "phone.", "suspension.", "issue.", "mailbox.", "message.", "password."];

/// About one person, newest first: all of it, or what officers read of it.
pub async fn about_person(
    ctx: &Context<'_>,
    person: PersonId,
    everything: bool,
    first: Option<i32>,
    after: Option<&str>,
) -> Result<Page<AuditEvent>> {
    let deeds = if everything { Vec::new() } else { OF_OFFICERS.iter().map(|deed| (*deed).to_owned()).collect() };
    page_of(ctx, &AuditFilter { person: Some(person), deeds, ..AuditFilter::default() }, first, after).await
}
