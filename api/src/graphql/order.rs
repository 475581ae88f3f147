//! What deeds on one person's account have in common: whom they are about, why, and the key that they are repeated by.
use super::card::IdentityCardKey;
use super::error::{UserError, UserErrorCode, fault};
use super::plan::{OutOfReach, Plan};
use super::{allows, caller, house, id};
use async_graphql::{Context, Result};
use kimlik_domain::access::idempotency::{ClientKey, KeyState, is_key};
use kimlik_domain::access::{About, Deed};
use kimlik_domain::day;
use kimlik_domain::id::PersonId;
use kimlik_domain::lifecycle::suspension::LONGEST_REASON;
use kimlik_domain::ports::{PeopleBy, PersonRecord, PortError, Refusal};
use uuid::Uuid;

pub const AWAY: &str = "The directory does not answer now. Nothing was done; try again later.";

/// What is wrong with a reason and a key.
pub fn faults(reason: &str, key: Option<&str>) -> Vec<UserError> {
    let mut faults = Vec::new();
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().any(char::is_control) {
        faults.push(UserError::new(UserErrorCode::Invalid, "reason", "Give a reason, in one line."));
    } else if reason.chars().count() > LONGEST_REASON {
        faults.push(UserError::new(UserErrorCode::TooLong, "reason", "A reason has at most 500 characters."));
    }
    if key.is_some_and(|key| !is_key(key)) {
        faults.push(UserError::new(UserErrorCode::Invalid, "idempotencyKey", "A key has 1 to 100 characters."));
    }
    faults
}

/// Whom the key names, if `deed` may be done to them: whoever it may not is not told from nobody.
pub async fn found(ctx: &Context<'_>, deed: Deed, by: &IdentityCardKey) -> Result<Option<PersonRecord>> {
    let house = house(ctx)?;
    let named = match by {
        IdentityCardKey::Id(given) => Ok(id::decode(id::CARD, given).map(PersonId)),
        IdentityCardKey::Username(name) => house.store.person_named(Some(name.trim()), None).await,
        IdentityCardKey::Email(address) => house.store.person_named(None, Some(address.trim())).await,
        IdentityCardKey::RegistryNumber(no) => {
            let found = house.store.people(PeopleBy::RegistryNos(std::slice::from_ref(&no.0))).await;
            found.map(|found| found.first().map(|r| r.person.id))
        }
    };
    // Why asked also of nobody: whether a number is somebody's is not told by how long it takes either.
    let person = named.map_err(|e| fault(ctx, &e))?.unwrap_or(PersonId(Uuid::nil()));
    let records = house.store.people(PeopleBy::Ids(&[person])).await.map_err(|e| fault(ctx, &e))?;
    let today = day::today(house.clock.now());
    Ok(records.into_iter().next().filter(|record| allows(ctx, deed, About::person(&record.person, today))))
}

/// What everything that is wrong with the input is told beside.
pub fn nobody() -> UserError {
    UserError::new(UserErrorCode::NotFound, "staffMember", "There is no such member of staff.")
}

pub fn reused() -> UserError {
    UserError::new(UserErrorCode::IdempotencyKeyReused, "idempotencyKey", "This key was used for another input. Take a new one.")
}

pub fn away() -> UserError {
    UserError::new(UserErrorCode::TryLater, "staffMember", AWAY)
}

pub fn unwritable(why: OutOfReach) -> UserError {
    let message = match why {
        OutOfReach::Observed => "The unit is only observed: Kimlik does not write its accounts.",
        OutOfReach::Protected => "The account is protected: Kimlik does not write it. Have the directory's administrators do it.",
    };
    UserError::new(UserErrorCode::NotAllowed, "staffMember", message)
}

/// The caller's key with what is asked; `None`: none was sent, or nothing is going to be done.
pub fn client_key(ctx: &Context<'_>, key: Option<&str>, dry_run: bool, asked: &serde_json::Value) -> Option<ClientKey> {
    let key = key.filter(|_| !dry_run)?;
    Some(ClientKey { client: caller(ctx).actor(), key: key.to_owned(), asked: asked.to_string() })
}

/// What was answered to the same key before, or that it was used for something else.
pub async fn before(ctx: &Context<'_>, key: Option<&ClientKey>) -> Result<std::result::Result<Option<String>, UserError>> {
    let Some(key) = key else { return Ok(Ok(None)) };
    let house = house(ctx)?;
    Ok(match house.store.key_state(key, house.clock.now()).await.map_err(|e| fault(ctx, &e))? {
        KeyState::New => Ok(None),
        KeyState::Answered(answer) => Ok(Some(answer)),
        KeyState::Reused => Err(reused()),
    })
}

/// What is kept under the key of a deed that a plan was made for.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct PlanAnswer {
    pub plan: Option<Plan>,
}

/// An answer that was kept.
pub fn read<T: serde::de::DeserializeOwned>(ctx: &Context<'_>, answer: &str) -> Result<T> {
    let unreadable = |_| fault(ctx, &PortError::refused(Refusal::Other, "an answer that was kept cannot be read"));
    serde_json::from_str(answer).map_err(unreadable)
}
