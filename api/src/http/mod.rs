//! What answers on the port: GraphQL, GraphiQL, health. Decides who may ask (this machine, this origin), not what is answered.
mod answer;
mod asked;
pub mod auth;
pub mod browser;
mod events;
mod graphiql;
mod guard;
mod kart;
mod lines;
pub mod metrics;
mod parola;
mod photo;
mod sms_report;
mod socket;

use crate::graphql::Graph;
use crate::wiring::House;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::{any, get};
use axum::{Router, middleware};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Larger than any request that the limits of the schema let through.
const BODY: usize = 256 * 1024;

#[derive(Clone)]
pub struct Http {
    pub house: Arc<House>,
    pub graph: Graph,
    pub stop: CancellationToken,
    pub lines: Arc<lines::Lines>,
}

pub fn router(house: Arc<House>, stop: CancellationToken) -> Router {
    let graph = crate::graphql::schema(house.clone());
    let http = Http { house, graph, stop, lines: Arc::default() };
    Router::new()
        .route("/graphql", any(answer::graph))
        .route("/", get(parola::home))
        .route("/graphiql", get(graphiql::page))
        .route("/graphiql/{file}", get(graphiql::file))
        .route("/parola", get(parola::page))
        .route("/parola/{file}", get(parola::file))
        .route("/kart", get(kart::page))
        .route("/kart/{file}", get(kart::file))
        .route("/photos/{card}", get(photo::photo))
        .route("/.well-known/jwks.json", get(auth::jwks))
        .route("/sms/reports/kannel", get(sms_report::kannel))
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .layer(middleware::from_fn_with_state(http.clone(), browser::remember))
        .layer(middleware::from_fn_with_state(http.clone(), auth::note_address))
        .layer(DefaultBodyLimit::max(BODY))
        .layer(middleware::from_fn_with_state(http.clone(), guard::guard))
        .with_state(http)
}

/// Ready: it can answer and work. Not ready while it stops, so that a balancer turns away first.
async fn ready(State(http): State<Http>) -> (StatusCode, String) {
    let no = |why: String| (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n"));
    if http.stop.is_cancelled() {
        return no("stopping".into());
    }
    match tokio::time::timeout(Duration::from_secs(5), http.house.store.full_run_due()).await {
        Ok(Ok(_)) => (StatusCode::OK, "ready\n".into()),
        Ok(Err(fault)) => {
            tracing::debug!(%fault, "not ready");
            no("the database".into())
        }
        Err(_) => no("the database is slow".into()),
    }
}
