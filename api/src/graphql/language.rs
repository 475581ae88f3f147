//! What a person is told things in.
use super::error::{Maybe, UserError, fault};
use super::{allows, caller, house};
use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};
use kimlik_domain::access::{About, Deed};
use kimlik_domain::id::PersonId;
use kimlik_domain::message;
use kimlik_domain::ports::{PeopleBy, PersonRecord};

#[derive(Default)]
pub struct LanguageMutation;

/// A language that messages are written in.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::message::Language")]
pub enum Language {
    /// Türkçe.
    Tr,
    /// English.
    En,
}

impl Language {
    pub fn chosen(of: Option<Language>) -> Option<message::Language> {
        of.map(message::Language::from)
    }
}

/// The language to be told things in.
#[derive(InputObject)]
pub struct LanguageSetInput {
    /// Of SMS and e-mail to the caller, from now on.
    language: Language,
}

/// What became of the choice.
#[derive(SimpleObject)]
pub struct LanguageSetPayload {
    /// Holds from now on.
    language: Option<Language>,
    /// What the caller can mend: there is nothing to be mended here.
    user_errors: Vec<UserError>,
}

#[Object]
impl LanguageMutation {
    /// In what language SMS and e-mail to the caller are written. Until somebody has chosen, the ministry's language holds; a new password
    /// that is set with `language` is a choice as well. What is in the outbox already stays as it is. Null: the caller is no person.
    async fn language_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The language.")] input: LanguageSetInput,
    ) -> Maybe<LanguageSetPayload> {
        let person = caller(ctx).person()?;
        if !allows(ctx, Deed::ChooseLanguage, About::Person(person, None)) {
            return None;
        }
        set(ctx, person, input.language).await.transpose()
    }
}

async fn set(ctx: &Context<'_>, person: PersonId, language: Language) -> Result<Option<LanguageSetPayload>> {
    let Some(record) = record(ctx, person).await? else { return Ok(None) };
    let (house, actor) = (house(ctx)?, caller(ctx).actor());
    let kept = message::language::choose(house.desk.outbox.as_ref(), &record, language.into(), &actor, house.clock.now());
    kept.await.map_err(|e| fault(ctx, &e))?;
    Ok(Some(LanguageSetPayload { language: Some(language), user_errors: Vec::new() }))
}

/// `None`: nothing was chosen.
pub async fn language_of(ctx: &Context<'_>, person: PersonId) -> Result<Option<Language>> {
    Ok(record(ctx, person).await?.and_then(|record| record.language).map(message::Language::into))
}

async fn record(ctx: &Context<'_>, person: PersonId) -> Result<Option<PersonRecord>> {
    let found = house(ctx)?.store.people(PeopleBy::Ids(&[person])).await.map_err(|e| fault(ctx, &e))?;
    Ok(found.into_iter().next())
}
