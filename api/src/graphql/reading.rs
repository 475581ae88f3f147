//! Who has read personal fields of whom: noted while a request is answered, recorded before its answer leaves.
use super::{allows, caller};
use crate::wiring::House;
use async_graphql::Context;
use kimlik_domain::access::{About, Deed};
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::PersonId;
use kimlik_domain::ports::PortResult;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// In the data of each request.
#[derive(Default)]
pub struct Readings(Mutex<BTreeMap<PersonId, BTreeSet<Deed>>>);

/// [`allows`], for personal fields: the reading of another person's is noted.
pub fn reads(ctx: &Context<'_>, deed: Deed, about: About) -> bool {
    let allowed = allows(ctx, deed, about);
    if let (true, About::Person(person, _), Some(readings)) = (allowed, about, ctx.data_opt::<std::sync::Arc<Readings>>())
        && caller(ctx).person() != Some(person)
        && let Ok(mut noted) = readings.0.lock()
    {
        noted.entry(person).or_default().insert(deed);
    }
    allowed
}

impl Readings {
    /// One event for each person read about. Fails where it cannot be recorded: then the answer must not leave.
    pub async fn record(&self, house: &House, actor: &str) -> PortResult<()> {
        let noted = self.0.lock().map(|mut noted| std::mem::take(&mut *noted)).unwrap_or_default();
        if noted.is_empty() {
            return Ok(());
        }
        let at = house.clock.now();
        let event = |(person, deeds): (PersonId, BTreeSet<Deed>)| AuditEvent {
            at,
            actor: actor.to_owned(),
            deed: "person.read".to_owned(),
            person: Some(person),
            because: "asked for over GraphQL".to_owned(),
            detail: json!({ "read": deeds.iter().map(|deed| format!("{deed:?}")).collect::<Vec<_>>() }),
        };
        house.door.audit.record(&noted.into_iter().map(event).collect::<Vec<_>>()).await
    }
}
