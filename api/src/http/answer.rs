//! GraphQL over HTTP, written on the specification: media types, status codes, and which requests are not even read.
use super::auth::ClientAddress;
use super::{Http, auth};
use crate::graphql;
use crate::graphql::error::BAD_INPUT;
use async_graphql::parser::types::{ExecutableDocument, OperationType};
use async_graphql::{Request, Variables};
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

const GRAPHQL: &str = "application/graphql-response+json";
const JSON: &str = "application/json";
const LONGEST: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    query: String,
    #[serde(default)]
    operation_name: Option<String>,
    #[serde(default)]
    variables: Option<serde_json::Map<String, Value>>,
    #[serde(default, rename = "extensions")]
    _extensions: Option<serde_json::Map<String, Value>>,
}

pub async fn graph(
    State(http): State<Http>,
    Extension(address): Extension<ClientAddress>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if method != Method::POST {
        let mut response = refuse(StatusCode::METHOD_NOT_ALLOWED, "GraphQL is asked with POST.");
        response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("POST"));
        return response;
    }
    // Why: a form of any other site can send every other content type without asking the browser.
    if !is_json(&headers) {
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Send the request with content-type: application/json.");
    }
    let Some(media) = accepted(&headers) else {
        return refuse(StatusCode::NOT_ACCEPTABLE, "Kimlik answers application/graphql-response+json or application/json.");
    };
    let asked: Asked = match serde_json::from_slice::<Value>(&body).map(serde_json::from_value) {
        Ok(Ok(asked)) => asked,
        Ok(Err(_)) => {
            return refuse(
                StatusCode::BAD_REQUEST,
                "Send one JSON object with `query`, and `variables` as an object. Batches are not answered.",
            );
        }
        Err(fault) => {
            return refuse(StatusCode::BAD_REQUEST, &format!("This is not JSON (line {}, column {}).", fault.line(), fault.column()));
        }
    };
    let variables = Variables::from_json(Value::Object(asked.variables.unwrap_or_default()));
    let mut request = Request::new(asked.query).variables(variables);
    if let Some(name) = asked.operation_name {
        request = request.operation_name(name);
    }
    let asks_only = is_question(&mut request);
    let caller = match auth::authenticate(&http.house, auth::bearer(&headers)).await {
        Ok(caller) => caller,
        Err(why) => return why.into_response(),
    };
    match tokio::time::timeout(LONGEST, graphql::answer(&http.graph, &http.house, request, caller, address)).await {
        Ok(response) => shown(&response, media, asks_only),
        Err(_) => refuse(StatusCode::SERVICE_UNAVAILABLE, "This took too long and was ended. Ask for less at once."),
    }
}

/// No operation in it changes anything. What cannot be read changes nothing either.
fn is_question(request: &mut Request) -> bool {
    let mutates = |doc: &ExecutableDocument| doc.operations.iter().any(|(_, o)| o.node.ty == OperationType::Mutation);
    !request.parsed_query().is_ok_and(mutates)
}

/// A request that could not be carried out as asked has no `data`, and its errors no path.
fn shown(response: &async_graphql::Response, media: &'static str, asks_only: bool) -> Response {
    let broken = || json!({ "errors": [{ "message": "The answer cannot be written." }] });
    let mut value = serde_json::to_value(response).unwrap_or_else(|_| broken());
    // Why also without a code: ours have one; the library's (syntax, validation, values of the wrong form) have none.
    let is_bad = |error: &Value| error["extensions"]["code"].is_null() || error["extensions"]["code"] == BAD_INPUT;
    let errors = value.get("errors").and_then(Value::as_array).cloned().unwrap_or_default();
    // Why not beside a deed that was done: its result must not be hidden.
    let unread = errors.iter().any(is_bad) && (asks_only || response.data == async_graphql::Value::Null);
    if unread && let Some(answer) = value.as_object_mut() {
        answer.remove("data");
        let mut errors: Vec<Value> = errors.into_iter().filter(is_bad).collect();
        errors.iter_mut().filter_map(Value::as_object_mut).for_each(|e| {
            e.remove("path");
        });
        answer.insert("errors".into(), errors.into());
    }
    // The specification's rule: the older media type cannot tell a refused request from a failed server, so it says 200.
    let status = if unread && media == GRAPHQL { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    (status, [(header::CONTENT_TYPE, format!("{media}; charset=utf-8")), (header::CACHE_CONTROL, "no-store".into())], value.to_string())
        .into_response()
}

fn refuse(status: StatusCode, why: &str) -> Response {
    let body = json!({ "errors": [{ "message": why }] }).to_string();
    (status, [(header::CONTENT_TYPE, format!("{JSON}; charset=utf-8"))], body).into_response()
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(text) = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()) else { return false };
    let mut parts = text.split(';').map(str::trim);
    let media = parts.next().is_some_and(|m| m.eq_ignore_ascii_case(JSON));
    media
        && parts.all(|p| {
            p.split_once('=').is_none_or(|(k, v)| !k.eq_ignore_ascii_case("charset") || v.trim_matches('"').eq_ignore_ascii_case("utf-8"))
        })
}

/// The first of the two that the client takes; what names neither but takes anything gets JSON.
fn accepted(headers: &HeaderMap) -> Option<&'static str> {
    let Some(text) = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()) else { return Some(JSON) };
    text.split(',').map(|part| part.split(';').next().unwrap_or("").trim()).find_map(|media| match media {
        m if m.eq_ignore_ascii_case(GRAPHQL) => Some(GRAPHQL),
        m if m.eq_ignore_ascii_case(JSON) => Some(JSON),
        "*/*" | "application/*" => Some(JSON),
        _ => None,
    })
}
