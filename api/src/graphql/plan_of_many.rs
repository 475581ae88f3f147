//! Pages of a plan of many people: each is planned again for its people alone, so that memory is that of a page.
use super::error::fault;
use super::page::{self, Cursor, Page};
use super::plan::PlannedChange;
use super::{house, language, window};
use async_graphql::connection::Edge;
use async_graphql::{Context, Result};
use kimlik_domain::lifecycle::reconcile::Head;
use kimlik_domain::lifecycle::{PersonPlan, describe};
use kimlik_domain::message::Language;
use kimlik_domain::page::Place;
use kimlik_domain::staff::RegistryNo;
use std::fmt::Write as _;

pub use crate::plans::Many;

const PLAN: &str = "plan";
/// People whose plan stands in a text.
const SHOWN: usize = 100;

async fn again(ctx: &Context<'_>, many: &Many, heads: &[Head]) -> Result<Vec<PersonPlan>> {
    let plan = async {
        house(ctx)?.reconciler().await.map_err(|e| fault(ctx, &e))?.plan_again(heads, many.as_of).await.map_err(|e| fault(ctx, &e))
    };
    plan.await
}

/// A person and one of their changes.
fn place(person: &PersonPlan, at: usize) -> Place {
    let mut key = person.registry_no.as_str().as_bytes().to_vec();
    key.extend([0, u8::try_from(at).unwrap_or(u8::MAX)]);
    Place { key, id: person.person.0.as_u128() }
}

fn written(place: &Place) -> Option<(RegistryNo, usize)> {
    let (at, rest) = place.key.split_last()?;
    let no = std::str::from_utf8(rest.strip_suffix(&[0])?).ok()?;
    Some((RegistryNo::parse(no)?, usize::from(*at)))
}

/// Each change, by registry number, in the order in which it is carried out.
pub async fn page(many: &Many, ctx: &Context<'_>, first: Option<i32>, after: Option<&str>) -> Result<Page<PlannedChange>> {
    let wanted = page::first(first)? as usize;
    let after = after.map(|text| window::read(PLAN, text).as_ref().and_then(written).ok_or_else(page::foreign)).transpose()?;
    let from = after.as_ref().map_or(0, |(no, _)| many.heads.partition_point(|h| h.registry_no < *no));
    let is_behind = |person: &PersonPlan, at: usize| after.as_ref().is_none_or(|(no, last)| (&person.registry_no, at) > (no, *last));
    let mut found: Vec<(Cursor, PlannedChange)> = Vec::new();
    let mut rest = many.heads.iter().skip(from).filter(|h| h.changes > 0);
    while found.len() <= wanted {
        let some: Vec<Head> = rest.by_ref().take(wanted + 1).cloned().collect();
        if some.is_empty() {
            break;
        }
        for person in again(ctx, many, &some).await? {
            let actions = person.actions.iter().enumerate().filter(|(at, _)| is_behind(&person, *at));
            found.extend(actions.map(|(at, action)| (window::write(PLAN, &place(&person, at)), PlannedChange::of(&person, action))));
        }
    }
    let mut page = Page::new(after.is_some(), found.len() > wanted);
    page.edges.extend(found.into_iter().take(wanted).map(|(cursor, change)| Edge::new(cursor, change)));
    Ok(page)
}

/// As people read it: those of the first people, and what is said of all.
pub async fn text(many: &Many, ctx: &Context<'_>) -> Result<String> {
    let language: Language = language(ctx).into();
    let shown: Vec<Head> = many.heads.iter().take(SHOWN).cloned().collect();
    let people = again(ctx, many, &shown).await?;
    let mut text: String = people.iter().map(|p| describe::person_text(p, language) + "\n").collect();
    let more = many.heads.len() - shown.len();
    if more > 0 {
        let _ = match language {
            Language::En => writeln!(text, "… and {more} more people\n"),
            Language::Tr => writeln!(text, "… ve {more} kişi daha\n"),
        };
    }
    Ok(text + &many.overview.text(language))
}
