//! Server-sent events, in the distinct connections mode of the protocol graphql-sse: one operation a connection, each result an
//! event `next`, the end an event `complete`. Passes proxies that break WebSockets.
use super::answer::told;
use super::asked::Refused;
use super::auth::{self, ClientAddress};
use super::lines::{self, Line};
use super::{Http, asked};
use crate::graphql;
use crate::language::Language;
use async_graphql::Request;
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use kimlik_domain::access::Caller;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

const PULSE: Duration = Duration::from_secs(10);

/// Ends with its operation, with the caller's session, or with Kimlik.
pub fn stream(
    http: Http,
    request: Request,
    caller: Arc<Caller>,
    token: Option<String>,
    address: ClientAddress,
    language: Language,
) -> Response {
    let Some(line) = http.lines.take(&lines::holder(&caller, &address)) else {
        let full = format!("Too many connections of this caller at once: at most {}.", lines::EACH);
        return Refused::new(full, StatusCode::TOO_MANY_REQUESTS).told(language, asked::EVENTS);
    };
    let results = graphql::follow(&http.graph, &http.house, request, caller.clone(), address);
    let events =
        results.map(move |response| Ok::<_, Infallible>(Event::default().event("next").data(told(&response, language, true).text())));
    // Why not also where the session ends: a client takes an end without `complete` for a broken line, and comes back with a new token.
    let complete = futures_util::stream::once(async { Ok(Event::default().event("complete").data("")) });
    let gone = async move { ended(&http, token.as_deref(), &caller, line).await };
    let events = events.chain(complete).take_until(Box::pin(gone));
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(PULSE)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    // Why: nginx would keep events back until its buffer is full.
    headers.insert("x-accel-buffering", header::HeaderValue::from_static("no"));
    response
}

/// Holds the line as long as it waits: until Kimlik stops, or the token counts no more.
async fn ended(http: &Http, token: Option<&str>, caller: &Caller, _line: Line) {
    loop {
        tokio::select! {
            () = http.stop.cancelled() => return,
            () = tokio::time::sleep(auth::LOOK_AGAIN) => {}
        }
        if let Some(token) = token
            && !auth::still_same(&http.house, token, caller).await
        {
            return;
        }
    }
}
