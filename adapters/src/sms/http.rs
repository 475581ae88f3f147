//! What gateways over HTTP share. A request that could not be made has done nothing; one without a whole answer is in doubt.
use kimlik_domain::ports::{PortError, PortResult, Refusal};
use reqwest::{Certificate, Client, Response, StatusCode, Url};
use std::net::IpAddr;
use std::time::Duration;

const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: usize = 1024 * 1024;

pub(super) fn client(setting: &str, url: &str, ca_pem: Option<&[u8]>, timeout: Duration) -> PortResult<(Url, Client)> {
    let fault = |reason: String| PortError::refused(Refusal::Value, format!("{setting}: {reason}"));
    let base = Url::parse(url).map_err(|e| fault(e.to_string()))?;
    let host = base.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if base.scheme() != "https" && !(base.scheme() == "http" && loopback) {
        return Err(fault("https:// is needed (http:// on loopback only)".into()));
    }
    // Why no redirects: credentials and codes must not follow one to somebody else. Why no retries: nothing is sent twice.
    let mut builder = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .timeout(timeout)
        .connect_timeout(CONNECT);
    if loopback {
        builder = builder.no_proxy();
    }
    if let Some(pem) = ca_pem {
        let certificates = Certificate::from_pem_bundle(pem).map_err(|_| fault("its ca_file holds no certificate".into()))?;
        builder = builder.tls_certs_only(certificates);
    }
    Ok((base, builder.build().map_err(|e| fault(e.without_url().to_string()))?))
}

/// The whole answer. The address is never in what is said: user and password may stand in it.
pub(super) async fn answer(sent: Result<Response, reqwest::Error>) -> PortResult<(StatusCode, String)> {
    let mut response = sent.map_err(|e| {
        if e.is_connect() || e.is_builder() {
            PortError::Unavailable("no connection to the gateway".into())
        } else {
            PortError::InDoubt(if e.is_timeout() { "the gateway did not answer in time".into() } else { "the answer broke off".into() })
        }
    })?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| PortError::InDoubt("the answer broke off".into()))? {
        body.extend_from_slice(&chunk);
        if body.len() > ANSWER {
            return Err(PortError::InDoubt("the answer does not end".into()));
        }
    }
    Ok((response.status(), String::from_utf8_lossy(&body).into_owned()))
}
