//! Carries events to receivers over HTTPS, signed as Standard Webhooks says (webhook-id, webhook-timestamp,
//! webhook-signature). Follows no redirects, uses no proxy, and looks at each address that a name leads to.
use async_trait::async_trait;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use kimlik_domain::ports::{PortError, PortResult, Refusal, Told, WebhookSender};
use kimlik_domain::webhook::address::{AddressFault, AddressRules, LONGEST};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, Client, StatusCode, Url, header};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;
use zeroize::Zeroizing;

/// As Standard Webhooks has it.
const SECRET: &str = "whsec_";
const CONNECT: Duration = Duration::from_secs(5);

pub struct WebhookClient {
    rules: Arc<AddressRules>,
    client: Client,
}

impl WebhookClient {
    /// `ca_pem`: trusted beside the system's authorities.
    pub fn new(rules: AddressRules, ca_pem: Option<&[u8]>, timeout: Duration) -> PortResult<WebhookClient> {
        let fault = |reason: String| PortError::refused(Refusal::Value, reason);
        let rules = Arc::new(rules);
        let mut builder = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .timeout(timeout)
            .connect_timeout(CONNECT.min(timeout))
            .pool_max_idle_per_host(1)
            .user_agent(concat!("kimlik/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Arc::new(Resolver(rules.clone())));
        if let Some(pem) = ca_pem {
            let certificates = Certificate::from_pem_bundle(pem).map_err(|_| fault("its ca_file holds no certificate".into()))?;
            builder = builder.tls_certs_merge(certificates);
        }
        Ok(WebhookClient { rules, client: builder.build().map_err(|e| fault(e.without_url().to_string()))? })
    }

    fn address(&self, url: &str) -> Result<Url, AddressFault> {
        if url.chars().count() > LONGEST {
            return Err(AddressFault::TooLong);
        }
        let url = Url::parse(url).map_err(|_| AddressFault::NotOne)?;
        let has_extra = !url.username().is_empty() || url.password().is_some() || url.fragment().is_some();
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(AddressFault::NotOne)?;
        self.rules.takes(url.scheme(), host, has_extra)?;
        Ok(url)
    }
}

/// Names of which only addresses are left that may be reached.
struct Resolver(Arc<AddressRules>);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = self.0.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let reachable: Vec<SocketAddr> = found.filter(|address| rules.reaches(name.as_str(), address.ip())).collect();
            if reachable.is_empty() {
                return Err(AddressFault::Barred.into());
            }
            Ok(Box::new(reachable.into_iter()) as Addrs)
        })
    }
}

fn signature(secret: &str, id: &str, timestamp: i64, body: &str) -> PortResult<String> {
    let wrong = || PortError::refused(Refusal::Value, "the webhook's secret cannot be read");
    let text = secret.strip_prefix(SECRET).ok_or_else(wrong)?;
    let octets = Zeroizing::new(STANDARD.decode(text).map_err(|_| wrong())?);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &octets);
    let tag = hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
    Ok(format!("v1,{}", STANDARD.encode(tag)))
}

/// The address is in none of these: tokens may stand in it.
fn failure(fault: &reqwest::Error) -> String {
    let mut cause: Option<&dyn std::error::Error> = Some(fault);
    while let Some(error) = cause {
        if let Some(barred) = error.downcast_ref::<AddressFault>() {
            return barred.to_string();
        }
        cause = error.source();
    }
    let said = match fault {
        f if f.is_timeout() => "no answer in time",
        f if f.is_connect() => "no connection (name, network or certificate)",
        _ => "the connection broke off",
    };
    said.to_owned()
}

#[async_trait]
impl WebhookSender for WebhookClient {
    fn takes(&self, url: &str) -> Result<(), AddressFault> {
        self.address(url).map(drop)
    }

    async fn tell(&self, url: &str, secret: &Zeroizing<String>, id: Uuid, at: DateTime<Utc>, body: &str) -> PortResult<Told> {
        let url = match self.address(url) {
            Ok(url) => url,
            Err(fault) => return Ok(Told::Failed { fault: fault.to_string(), wait: None }),
        };
        let request = self
            .client
            .post(url)
            .header(header::CONTENT_TYPE, "application/cloudevents+json; charset=utf-8")
            .header("webhook-id", id.to_string())
            .header("webhook-timestamp", at.timestamp())
            .header("webhook-signature", signature(secret, &id.to_string(), at.timestamp(), body)?)
            .body(body.to_owned());
        // What the answer says beside its status is of no use, and is not read.
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(fault) => return Ok(Told::Failed { fault: failure(&fault), wait: None }),
        };
        let status = answer.status();
        if status.is_success() {
            return Ok(Told::Took);
        }
        let may_ask = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        let asked = answer.headers().get(header::RETRY_AFTER).filter(|_| may_ask);
        let wait = asked.and_then(|value| value.to_str().ok()?.trim().parse().ok());
        Ok(Told::Failed { fault: format!("it answered {}", status.as_u16()), wait })
    }

    fn secret(&self, octets: &[u8; 32]) -> Zeroizing<String> {
        Zeroizing::new(format!("{SECRET}{}", STANDARD.encode(octets)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_not_followed() {
        rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
        let client = WebhookClient::new(AddressRules::default(), None, Duration::from_secs(5)).unwrap();
        // Past the look at the address itself: only looking the name up tells where it leads.
        let fault = client.client.post("http://localhost:9/").send().await.unwrap_err();
        assert_eq!(failure(&fault), AddressFault::Barred.to_string());
    }

    #[test]
    fn the_signature_is_that_of_the_standard_s_own_example() {
        let (secret, id) = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek");
        let signed = signature(secret, id, 1_614_265_330, r#"{"test": 2432232314}"#).unwrap();
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
