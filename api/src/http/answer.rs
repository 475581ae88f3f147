//! GraphQL over HTTP, written on the specification: which status and media type an answer has. Requests are read in [`super::asked`].
use super::asked::{Asked, EVENTS, GRAPHQL, Kind, Refused, accepted, closes};
use super::auth::ClientAddress;
use super::{Http, auth, events, socket};
use crate::graphql;
use crate::graphql::error::BAD_INPUT;
use crate::language::Language;
use axum::body::{Body, Bytes};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Extension, RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kimlik_domain::access::{About, Deed, may};
use serde::Serialize;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::Semaphore;

pub const LONGEST: Duration = Duration::from_secs(30);
/// 5,000 records of HR with everything in them; only from those who may hand them in, and few at a time.
const RECORDS: usize = 8 * 1024 * 1024;
static LARGE_AT_ONCE: Semaphore = Semaphore::const_new(2);
pub const TOO_LONG: &str = "This took too long and was ended. Ask for less at once.";

pub async fn graph(
    State(http): State<Http>,
    Extension(address): Extension<ClientAddress>,
    method: Method,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    body: Body,
) -> Response {
    if let Ok(upgrade) = upgrade {
        return socket::open(http, address, &headers, upgrade);
    }
    let language = Language::of(&headers);
    let media = accepted(&headers).unwrap_or(super::asked::JSON);
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok()).unwrap_or(0);
    let (mut most, mut _turn) = (super::BODY, None);
    if declared > super::BODY {
        // Why before the body is read: only who may hand in records may send so much.
        match auth::authenticate(&http.house, auth::bearer(&headers)).await {
            Ok(caller) if may(&caller, Deed::SubmitRecords, About::Everything) => {
                (most, _turn) = (RECORDS, LARGE_AT_ONCE.acquire().await.ok());
            }
            Ok(_) => {}
            Err(why) => {
                let mut response = why.told(language);
                closes(&mut response);
                return response;
            }
        }
    }
    let body =
        if declared > most { Err(too_long(most)) } else { axum::body::to_bytes(body, most).await.map_err(|fault| unread(&fault, most)) };
    let asked = match read(&method, &headers, query.as_deref(), body) {
        Ok(asked) => asked,
        Err(refused) => return refused.told(language, media),
    };
    let token = auth::bearer(&headers);
    let caller = match auth::authenticate(&http.house, token).await {
        Ok(caller) => caller,
        Err(why) => return why.told(language),
    };
    if media == EVENTS {
        return events::stream(http, asked.request.data(language), caller, token.map(str::to_owned), address, language);
    }
    match tokio::time::timeout(LONGEST, graphql::answer(&http.graph, &http.house, asked.request.data(language), caller, address)).await {
        Ok(response) => shown(&response, media, language, asked.kind == Kind::Question),
        Err(_) => Refused::new(TOO_LONG, StatusCode::SERVICE_UNAVAILABLE).told(language, media),
    }
}

fn read(method: &Method, headers: &HeaderMap, query: Option<&str>, body: Result<Bytes, Refused>) -> Result<Asked, Refused> {
    let Some(media) = accepted(headers) else {
        return Err(Refused::new(
            "Kimlik answers application/graphql-response+json, application/json or text/event-stream.",
            StatusCode::NOT_ACCEPTABLE,
        ));
    };
    let asked = match *method {
        Method::POST => Asked::of_body(headers, &body?)?,
        Method::GET => Asked::of_address(query.unwrap_or(""))?,
        _ => return Err(Refused::new("GraphQL is asked with GET or POST.", StatusCode::METHOD_NOT_ALLOWED)),
    };
    match asked.kind {
        Kind::Deed if method == Method::GET => {
            Err(Refused::new("What changes something is sent with POST.", StatusCode::METHOD_NOT_ALLOWED))
        }
        Kind::Subscription if media != EVENTS => {
            Err(Refused::bad("A subscription is answered over a WebSocket, or with accept: text/event-stream."))
        }
        _ => Ok(asked),
    }
}

fn too_long(most: usize) -> Refused {
    Refused::new(format!("The request is longer than {most} octets."), StatusCode::PAYLOAD_TOO_LARGE)
}

fn unread(fault: &axum::Error, most: usize) -> Refused {
    // Why by its words: the type of this fault is not the web framework's own.
    if fault.to_string().contains("length limit exceeded") {
        too_long(most)
    } else {
        Refused::bad("The request could not be read to its end.")
    }
}

/// An answer in the caller's language. Fields stand in the order in which they were asked for.
#[derive(Serialize)]
pub struct Told<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Value>,
    /// A request that was refused has none, and its errors no path.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a async_graphql::Value>,
}

impl Told<'_> {
    /// Nothing was carried out.
    pub fn is_refusal(&self) -> bool {
        self.data.is_none()
    }
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| r#"{"errors":[{"message":"The answer cannot be written."}]}"#.to_owned())
    }
}

pub fn told(response: &async_graphql::Response, language: Language, asks_only: bool) -> Told<'_> {
    // Why also without a code: ours have one; the library's (syntax, validation, values of the wrong form) have none.
    let is_bad = |error: &Value| error["extensions"]["code"].is_null() || error["extensions"]["code"] == BAD_INPUT;
    let mut errors: Vec<Value> = response.errors.iter().filter_map(|error| serde_json::to_value(error).ok()).collect();
    // Why not beside a deed that was done: its result must not be hidden.
    let unread = errors.iter().any(is_bad) && (asks_only || response.data == async_graphql::Value::Null);
    if unread {
        errors.retain(is_bad);
    }
    for error in errors.iter_mut().filter_map(Value::as_object_mut) {
        if unread {
            error.remove("path");
        }
        let message = error.get("message").and_then(Value::as_str).map(|message| language.say(message));
        error.insert("message".into(), message.into());
        let extensions = error.entry("extensions").or_insert_with(|| json!({}));
        if extensions["code"].is_null() {
            extensions["code"] = "BAD_REQUEST".into();
        }
    }
    Told { errors, data: (!unread).then_some(&response.data) }
}

fn shown(response: &async_graphql::Response, media: &'static str, language: Language, asks_only: bool) -> Response {
    let told = told(response, language, asks_only);
    // The specification's rule: the older media type cannot tell a refused request from a failed server, so it says 200.
    let status = if told.is_refusal() && media == GRAPHQL { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    (status, [(header::CONTENT_TYPE, format!("{media}; charset=utf-8")), (header::CACHE_CONTROL, "no-store".into())], told.text())
        .into_response()
}
