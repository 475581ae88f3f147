//! Who asks: from what a request carries to a [`Caller`]. The same for HTTP (`authorization: Bearer …`) and for a
//! WebSocket's connection_init.
use crate::wiring::House;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kimlik_domain::access::Caller;
use kimlik_domain::ports::PortError;
use serde_json::json;

/// Why nobody could be recognized, though somebody tried.
#[derive(Debug)]
pub enum NotRecognized {
    /// The token is none of ours, has expired, or its session has ended: sign in anew. Which of these is not told.
    Token,
    /// It could not be looked up now.
    Fault(PortError),
}

impl IntoResponse for NotRecognized {
    fn into_response(self) -> Response {
        let (status, code, message) = match &self {
            NotRecognized::Token => {
                (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", "This token is not valid, or not any more. Sign in again.")
            }
            NotRecognized::Fault(_) => (StatusCode::SERVICE_UNAVAILABLE, "FAULT", "The token cannot be looked up now. Try again later."),
        };
        if let NotRecognized::Fault(fault) = &self {
            tracing::error!(%fault, "a caller could not be recognized");
        }
        let body = json!({ "errors": [{ "message": message, "extensions": { "code": code } }] }).to_string();
        let mut response = (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""));
        }
        response
    }
}

/// The token of the request, where there is one. An authorization of another kind is an empty token: nobody's.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().unwrap_or("");
    Some(match text.split_once(' ') {
        Some((kind, token)) if kind.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => "",
    })
}

/// No token: nobody, which is no fault. Until sessions are there, the one who asks an embedded directory on loopback
/// (GraphQL answers nowhere else) administers it.
// Why async though nothing is awaited yet: tokens are looked up in the store.
#[allow(clippy::unused_async)]
pub async fn authenticate(_house: &House, bearer: Option<&str>) -> Result<Caller, NotRecognized> {
    match bearer {
        None => Ok(Caller::terminal("loopback")),
        Some(_) => Err(NotRecognized::Token),
    }
}
