//! The cookie that binds a ticket of parola to the browser that proved who somebody is. Not a session: by itself it opens nothing.
use super::Http;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use kimlik_domain::access::session::Secret;
use std::sync::{Arc, Mutex};

const NAME: &str = "kimlik_parola";
/// As long as a ticket lives.
const SECONDS: u32 = 600;

/// What the browser has sent, and what it is to keep. Known to the request's own task: whatever reads and writes answers on
/// the way need not know of it. Over a WebSocket there is none.
#[derive(Clone, Default)]
pub struct Browser {
    given: Option<Secret>,
    kept: Arc<Mutex<Option<Secret>>>,
}

tokio::task_local! {
    static BROWSER: Browser;
}

/// The secret of the browser that asks.
pub fn given() -> Option<Secret> {
    BROWSER.try_with(|browser| browser.given.clone()).ok().flatten()
}

/// The browser keeps `secret`; false: the request came over something that keeps nothing.
pub fn keep(secret: Secret) -> bool {
    BROWSER.try_with(|browser| browser.kept.lock().map(|mut kept| *kept = Some(secret)).is_ok()).unwrap_or(false)
}

pub async fn remember(State(http): State<Http>, request: Request, next: Next) -> Response {
    let given = request.headers().get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(';'));
    let given = given.filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == NAME).map(|(_, value)| Secret::given(value));
    let browser = Browser { given, kept: Arc::default() };
    let kept = browser.kept.clone();
    let mut response = BROWSER.scope(browser, next.run(request)).await;
    let kept = kept.lock().ok().and_then(|mut kept| kept.take());
    if let Some(secret) = kept {
        // Why not always: a browser keeps no such cookie of a page that came without TLS, as the demo's on loopback does.
        let secure = if http.house.config.server.public_url.starts_with("https:") { "; Secure" } else { "" };
        let cookie = format!("{NAME}={}; Max-Age={SECONDS}; Path=/graphql; HttpOnly; SameSite=Strict{secure}", secret.expose());
        if let Ok(mut value) = HeaderValue::from_str(&cookie) {
            value.set_sensitive(true);
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
    response
}
