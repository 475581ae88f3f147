//! Before any answer: is it asked for under this machine's name? Behind any answer: what the browser may do with it.
use super::Http;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Scripts only from here and never inline. GraphiQL's editor writes style attributes, hence 'unsafe-inline' for styles alone.
const CSP: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; \
                   img-src 'self' data:; font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub async fn guard(State(http): State<Http>, request: Request, next: Next) -> Response {
    let loopback = http.house.config.server.listen.ip().is_loopback();
    // Why: a page of another site can point its own name at 127.0.0.1 (DNS rebinding); its requests carry that name.
    let mut response = if loopback && !is_loopback_name(host(&request)) {
        (StatusCode::MISDIRECTED_REQUEST, "Kimlik answers under 127.0.0.1 and localhost only.\n").into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    response
}

fn host(request: &Request) -> Option<&str> {
    request.uri().authority().map(|a| a.as_str()).or_else(|| request.headers().get(header::HOST)?.to_str().ok())
}

fn is_loopback_name(host: Option<&str>) -> bool {
    let Some(host) = host else { return false };
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(""),
        None => host.split(':').next().unwrap_or(""),
    };
    matches!(name, "127.0.0.1" | "::1") || name.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::is_loopback_name;

    #[test]
    fn only_names_of_this_machine_are_answered() {
        for name in ["127.0.0.1", "127.0.0.1:8080", "localhost:1", "LOCALHOST", "[::1]:8080", "[::1]"] {
            assert!(is_loopback_name(Some(name)), "{name}");
        }
        for name in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8080", "", "[::2]"] {
            assert!(!is_loopback_name(Some(name)), "{name}");
        }
        assert!(!is_loopback_name(None));
    }
}
