//! Phones back to the HR system: one PATCH a change, under the change's own key.
use super::{RestFeed, fault, retry_after};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use kimlik_domain::phone::write_back::ForHr;
use kimlik_domain::ports::{HrAnswer, HrWriteBack, PortError, PortResult, Refusal};
use kimlik_domain::staff::RegistryNo;
use reqwest::{StatusCode, Url};
use serde_json::{Value, json};
use std::sync::PoisonError;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// Where a server asks for quiet without saying for how long.
const QUIET: Duration = Duration::from_secs(30);

/// What is not in it stays as it is; null is none.
fn body(numbers: &ForHr) -> Value {
    match numbers {
        ForHr::Mobile(mobile) => json!({ "mobile": mobile.as_ref().map(|m| m.e164()) }),
        ForHr::Work(work) => json!({ "work_phone": work.number.as_ref().map(|n| n.e164()), "extension": work.extension }),
    }
}

impl RestFeed {
    fn phones_url(&self, of: &RegistryNo) -> PortResult<Url> {
        let mut url = self.base.clone();
        // Why by segments: a registry number may have a slash in it.
        let mut path = url.path_segments_mut().map_err(|()| fault("base_url: cannot have a path"))?;
        path.pop_if_empty().extend(["staff", of.as_str(), "phones"]);
        drop(path);
        Ok(url)
    }

    fn quiet(&self) -> Option<Duration> {
        let until = *self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.and_then(|until| until.checked_duration_since(Instant::now())).filter(|left| !left.is_zero())
    }
}

fn later(wait: Duration) -> HrAnswer {
    HrAnswer::Later(TimeDelta::from_std(wait).unwrap_or(TimeDelta::hours(1)))
}

#[async_trait]
impl HrWriteBack for RestFeed {
    async fn write_phones(&self, key: Uuid, of: &RegistryNo, numbers: &ForHr, _: DateTime<Utc>) -> PortResult<HrAnswer> {
        if let Some(left) = self.quiet() {
            return Ok(later(left));
        }
        let mut request = self.client.patch(self.phones_url(of)?).header("Idempotency-Key", key.to_string()).json(&body(numbers));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.as_str());
        }
        // Why in doubt: it may have arrived. Under the same key it can be sent again.
        let response = request.send().await.map_err(|error| PortError::InDoubt(self.unavailable(&error).to_string()))?;
        let status = response.status();
        match status {
            _ if status.is_success() => Ok(HrAnswer::Taken),
            StatusCode::CONFLICT => Ok(HrAnswer::Newer),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                let wait = retry_after(response.headers()).unwrap_or(QUIET);
                *self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now().checked_add(wait);
                Ok(later(wait))
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::METHOD_NOT_ALLOWED => Err(PortError::refused(
                Refusal::Rights,
                format!("phones: the HR system answers {status}: look at the token and its rights"),
            )),
            StatusCode::NOT_FOUND => Err(PortError::refused(Refusal::NotFound, format!("phones: the HR system answers {status}"))),
            _ if status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT => {
                Err(PortError::refused(Refusal::Value, format!("phones: the HR system answers {status}")))
            }
            _ if status.is_redirection() => Err(PortError::Unavailable(format!("phones: the HR system redirects ({status})"))),
            _ => Err(PortError::InDoubt(format!("phones: the HR system answers {status}"))),
        }
    }
}
