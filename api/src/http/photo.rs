//! Photos of cards, as the directory holds them, for whoever may see the card. Whatever else is asked for is not there.
use super::{Http, auth};
use crate::graphql::id;
use crate::language::Language;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kimlik_domain::access::{About, Deed, may};
use kimlik_domain::card::photo::PhotoKind;
use kimlik_domain::id::PersonId;
use kimlik_domain::ports::{KeptPhoto, PortError, PortResult};

pub async fn photo(State(http): State<Http>, Path(card): Path<String>, headers: HeaderMap) -> Response {
    let caller = match auth::authenticate(&http.house, auth::bearer(&headers)).await {
        Ok(caller) => caller,
        Err(why) => return why.told(Language::of(&headers)),
    };
    let person = id::decode(id::CARD, &card).map(PersonId).filter(|_| may(&caller, Deed::ReadCard, About::Everything));
    let Some(person) = person else { return missing() };
    match shown(&http, person, &headers).await {
        Ok(response) => response,
        Err(fault) => {
            tracing::error!(%fault, "a photo could not be answered");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// Also what the caller may not see: there is no difference.
fn missing() -> Response {
    StatusCode::NOT_FOUND.into_response()
}

async fn shown(http: &Http, person: PersonId, headers: &HeaderMap) -> PortResult<Response> {
    // Why first, and of the card in memory: who has it already costs the database nothing.
    let tag = http.house.cards.ask(|book| book.get(person).and_then(|entry| entry.thumbnail().map(str::to_owned))).await?;
    let Some(tag) = tag else { return Ok(missing()) };
    if is_held(headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, kept_by(&tag)).into_response());
    }
    let Some(KeptPhoto { octets, tag }) = http.house.photo_book.photo_of(person).await? else { return Ok(missing()) };
    let kind = PhotoKind::of(&octets).ok_or_else(|| PortError::Unavailable("a photo that is kept is none".into()))?;
    // What a browser may do with it stands in [`super::guard`]: nothing is guessed, and nothing in it is carried out.
    let kind = [(header::CONTENT_TYPE, kind.media_type())];
    Ok((kept_by(&tag), kind, octets).into_response())
}

/// The caller's own cache may keep it, and asks each time whether it is still so: the right to see it may have ended.
fn kept_by(tag: &str) -> [(header::HeaderName, String); 2] {
    [(header::ETAG, format!("\"{tag}\"")), (header::CACHE_CONTROL, "private, no-cache".to_owned())]
}

fn is_held(headers: &HeaderMap, tag: &str) -> bool {
    let given = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    given.map(|one| one.trim().trim_start_matches("W/")).any(|one| one == "*" || one.trim_matches('"') == tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn who_has_it_already_is_known_by_the_tag() {
        let of = |text: &'static str| is_held(&HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static(text))]), "ab12");
        assert!(of("\"ab12\"") && of("W/\"ab12\"") && of("\"x\", \"ab12\"") && of("*"));
        assert!(!of("\"ab13\"") && !of("") && !is_held(&HeaderMap::new(), "ab12"));
    }
}
