//! Delivery reports that a gateway brings by itself. Who brings one shows the token that Kimlik gave it.
use super::Http;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::Deserialize;

#[derive(Deserialize)]
pub struct KannelReport {
    #[serde(default)]
    token: String,
    id: String,
    status: u32,
    #[serde(default)]
    answer: String,
}

pub async fn kannel(State(http): State<Http>, Query(report): Query<KannelReport>) -> StatusCode {
    if !http.house.takes_report_token(&report.token) {
        return StatusCode::FORBIDDEN;
    }
    let Some(verdict) = crate::wiring::kannel_verdict(report.status, &report.answer) else { return StatusCode::OK };
    match http.house.courier.reported("kannel", &report.id, &verdict).await {
        // Why also where it is not known: a message centre repeats what is not answered with OK.
        Ok(_) => StatusCode::OK,
        Err(fault) => {
            tracing::warn!(%fault, "a delivery report could not be noted");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}
