//! Who asks: from what a request carries to a [`Caller`]. The same for HTTP (`authorization: Bearer …`) and for a
//! WebSocket's connection_init.
use super::Http;
use crate::language::Language;
use crate::wiring::House;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use kimlik_domain::access::Caller;
use kimlik_domain::ports::PortError;
use serde_json::json;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Why nobody could be recognized, though somebody tried.
#[derive(Debug)]
pub enum NotRecognized {
    /// The token is none of ours, has expired, or its session has ended: sign in anew. Which of these is not told.
    Token,
    /// It could not be looked up now.
    Fault(PortError),
}

impl NotRecognized {
    /// In English.
    pub fn message(&self) -> &'static str {
        match self {
            NotRecognized::Token => "This token is not valid, or not any more. Sign in again.",
            NotRecognized::Fault(_) => "The token cannot be looked up now. Try again later.",
        }
    }

    pub fn told(&self, language: Language) -> Response {
        let (status, code) = match self {
            NotRecognized::Token => (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"),
            NotRecognized::Fault(_) => (StatusCode::SERVICE_UNAVAILABLE, "FAULT"),
        };
        if let NotRecognized::Fault(fault) = self {
            tracing::error!(%fault, "a caller could not be recognized");
        }
        let message = language.say(self.message());
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

/// Who comes with this token. No token: nobody, which is no fault.
pub async fn authenticate(house: &House, bearer: Option<&str>) -> Result<Arc<Caller>, NotRecognized> {
    let Some(token) = bearer else { return Ok(Arc::new(Caller::nobody())) };
    match house.door.recognize(token).await {
        Ok(Some(caller)) => Ok(caller),
        Ok(None) => Err(NotRecognized::Token),
        Err(fault) => Err(NotRecognized::Fault(fault)),
    }
}

/// How often a connection that outlasts its first question asks [`still_same`].
pub const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Is it still the same caller with the same rights? For connections that outlast their first question.
pub async fn still_same(house: &House, token: &str, caller: &Caller) -> bool {
    match authenticate(house, Some(token)).await {
        Ok(now) => *now == *caller,
        Err(NotRecognized::Token) => false,
        // Why no end: a database that is away for a moment must not cut every subscription.
        Err(NotRecognized::Fault(_)) => true,
    }
}

/// The network that a request comes from, as attempts to sign in are counted: an IPv4 address, or an IPv6 network of 64 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub Arc<str>);

pub async fn note_address(State(http): State<Http>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    let trusted = &http.house.config.sessions.trusted_proxies;
    let forwarded = request.headers().get_all("x-forwarded-for").iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(','));
    let address = client(peer, trusted, &forwarded.collect::<Vec<_>>());
    request.extensions_mut().insert(ClientAddress(network(address).into()));
    next.run(request).await
}

/// From the last hop backwards, the first that is no proxy of ours: what stands before it, anybody may have written.
fn client(peer: Option<IpAddr>, trusted: &[IpAddr], forwarded: &[&str]) -> Option<IpAddr> {
    let mut client = peer?.to_canonical();
    for hop in forwarded.iter().rev() {
        if !trusted.contains(&client) {
            break;
        }
        let Ok(next) = hop.trim().parse::<IpAddr>() else { break };
        client = next.to_canonical();
    }
    Some(client)
}

fn network(address: Option<IpAddr>) -> String {
    match address {
        None => "unknown".to_owned(),
        Some(IpAddr::V4(v4)) => v4.to_string(),
        Some(IpAddr::V6(v6)) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// The public keys of our access tokens, for others who take them.
pub async fn jwks(State(http): State<Http>) -> Response {
    let keys = http.house.door.tokens.published(http.house.clock.now()).to_string();
    let headers = [(header::CONTENT_TYPE, "application/jwk-set+json"), (header::CACHE_CONTROL, "public, max-age=3600")];
    (headers, keys).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_its_own_word() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let proxy = [ip("10.0.0.1"), ip("10.0.0.2")];
        let from = |peer: &str, hops: &[&str]| client(Some(ip(peer)), &proxy, hops).unwrap();
        assert_eq!(from("192.0.2.7", &["198.51.100.1"]), ip("192.0.2.7"), "no proxy: what it says of others is its own invention");
        assert_eq!(from("10.0.0.1", &["198.51.100.1"]), ip("198.51.100.1"));
        assert_eq!(from("10.0.0.1", &["203.0.113.9", "198.51.100.1"]), ip("198.51.100.1"), "the client wrote the first");
        assert_eq!(from("10.0.0.1", &["198.51.100.1", " 10.0.0.2"]), ip("198.51.100.1"), "two proxies");
        assert_eq!(from("10.0.0.1", &["nonsense"]), ip("10.0.0.1"));
        assert_eq!(from("::ffff:10.0.0.1", &["198.51.100.1"]), ip("198.51.100.1"));
    }

    #[test]
    fn a_house_with_many_addresses_is_one_network() {
        let of = |text: &str| network(Some(text.parse().unwrap()));
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("192.0.2.1"), "192.0.2.1");
    }
}
