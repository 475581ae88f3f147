//! An HR system's paged feed over HTTPS. A set of pages counts when its last page was read; before that, nothing does.
mod items;
mod write_back;

use super::names::FieldNames;
use async_trait::async_trait;
use aws_lc_rs::digest;
use items::Rows;
use kimlik_domain::ports::{HrFeed, PortError, PortResult, Refusal};
use kimlik_domain::staff::feed::{Content, Delivery, Field};
use kimlik_domain::staff::intake::FeedReport;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Certificate, Client, Response, StatusCode, Url};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use zeroize::Zeroizing;

#[derive(Clone)]
pub struct RestSettings {
    pub base_url: String,
    pub token: Option<Zeroizing<String>>,
    /// The only authorities that are trusted, where given.
    pub ca_pem: Option<Vec<u8>>,
    /// Other names of fields than the contract's.
    pub field_names: HashMap<String, Field>,
}

/// Bounds on what a server may do to us.
#[derive(Clone, Copy, Debug)]
pub struct RestLimits {
    pub request: Duration,
    pub page_octets: usize,
    pub page_items: u32,
    pub items: u32,
    /// A server that asks us to wait longer is asked again in a later poll.
    pub patience: Duration,
}

impl Default for RestLimits {
    fn default() -> RestLimits {
        let (request, patience) = (Duration::from_secs(30), Duration::from_secs(20));
        RestLimits { request, page_octets: 32 * 1024 * 1024, page_items: 1_000, items: 2_000_000, patience }
    }
}

pub struct RestFeed {
    base: Url,
    token: Option<Zeroizing<String>>,
    names: FieldNames,
    limits: RestLimits,
    client: Client,
    /// The server asked not to be asked before then.
    quiet_until: Mutex<Option<Instant>>,
}

/// What was taken in completely.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Position {
    /// Digest of the units and of the last staff delivery: what is the same is not delivered again.
    #[serde(skip_serializing_if = "Option::is_none")]
    units: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    staff: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
}

/// A complete set of pages.
struct Pages {
    rows: Rows,
    snapshot: Option<bool>,
    cursor: Option<String>,
    digest: String,
}

fn fault(reason: impl Into<String>) -> PortError {
    PortError::refused(Refusal::Other, reason)
}

impl RestFeed {
    /// `Err`: a setting that cannot be, in words.
    pub fn new(settings: RestSettings) -> PortResult<RestFeed> {
        RestFeed::with_limits(settings, RestLimits::default())
    }

    pub fn with_limits(settings: RestSettings, limits: RestLimits) -> PortResult<RestFeed> {
        let base = Url::parse(settings.base_url.trim_end_matches('/')).map_err(|error| fault(format!("base_url: {error}")))?;
        let loopback = is_loopback(&base);
        if base.scheme() != "https" && !(base.scheme() == "http" && loopback) {
            return Err(fault("base_url: https:// is needed (http:// on loopback only)"));
        }
        if !base.username().is_empty() || base.password().is_some() || base.query().is_some() {
            return Err(fault("base_url: without user name, password and query"));
        }
        // Why no redirects: the bearer token must not follow one to somebody else.
        let mut builder =
            Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(limits.request).connect_timeout(limits.request);
        if loopback {
            builder = builder.no_proxy();
        }
        if let Some(pem) = &settings.ca_pem {
            let certificates = Certificate::from_pem_bundle(pem).map_err(|error| fault(format!("ca_file: {error}")))?;
            if certificates.is_empty() {
                return Err(fault("ca_file: holds no certificate"));
            }
            builder = builder.tls_certs_only(certificates);
        }
        let client = builder.build().map_err(|error| fault(format!("HTTP client: {error}")))?;
        let names = FieldNames::new(&settings.field_names);
        Ok(RestFeed { base, token: settings.token, names, limits, client, quiet_until: Mutex::default() })
    }

    fn page_url(&self, what: &str, cursor: Option<&str>, since: Option<&str>) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{what}", self.base.path().trim_end_matches('/')));
        let mut query = url.query_pairs_mut();
        query.append_pair("limit", &self.limits.page_items.to_string());
        cursor.map(|cursor| query.append_pair("cursor", cursor));
        since.map(|since| query.append_pair("since", since));
        drop(query);
        url
    }

    /// All pages, or nothing. `Ok(None)`: the server no longer knows `since`.
    async fn pages(&self, what: &str, since: Option<&str>) -> PortResult<Option<Pages>> {
        let mut digest = digest::Context::new(&digest::SHA256);
        let (mut pages, mut cursor) =
            (Pages { rows: Rows::default(), snapshot: None, cursor: None, digest: String::new() }, None::<String>);
        let mut seen = HashSet::new();
        loop {
            let response = self.ask(self.page_url(what, cursor.as_deref(), since)).await?;
            if response.status() == StatusCode::GONE && since.is_some() {
                return Ok(None);
            }
            let page = self.page(what, response).await?;
            for item in &page.items {
                digest.update(item.to_string().as_bytes());
                digest.update(b"\n");
                pages.rows.add(item, &self.names);
            }
            if pages.rows.items() > self.limits.items {
                return Err(fault(format!("{what}: more than {} items", self.limits.items)));
            }
            if page.snapshot.is_some() && seen.is_empty() {
                pages.snapshot = page.snapshot;
            } else if page.snapshot.is_some() && page.snapshot != pages.snapshot {
                return Err(fault(format!("{what}: the pages of one answer differ in snapshot")));
            }
            let end = page.cursor.or(page.next_cursor.clone());
            pages.cursor = end.or(pages.cursor);
            let Some(next) = page.next_cursor else { break };
            if !seen.insert(next.clone()) {
                return Err(fault(format!("{what}: the server answers the same cursor again")));
            }
            cursor = Some(next);
        }
        pages.digest = digest.finish().as_ref().iter().map(|octet| format!("{octet:02x}")).collect();
        Ok(Some(pages))
    }

    /// Waits as the server asks, where that is short.
    async fn ask(&self, url: Url) -> PortResult<Response> {
        let mut patience = self.limits.patience;
        loop {
            let quiet = *self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(left) = quiet.and_then(|until| until.checked_duration_since(Instant::now())).filter(|left| !left.is_zero()) {
                if left > patience {
                    return Err(PortError::Unavailable(format!("the HR system asks to wait for {} seconds more", left.as_secs() + 1)));
                }
                patience -= left;
                tokio::time::sleep(left).await;
            }
            let mut request = self.client.get(url.clone()).header("accept", "application/json");
            if let Some(token) = &self.token {
                request = request.bearer_auth(token.as_str());
            }
            let response = request.send().await.map_err(|error| self.unavailable(&error))?;
            match (response.status(), retry_after(response.headers())) {
                (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, Some(wait)) => {
                    *self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now().checked_add(wait);
                }
                _ => return Ok(response),
            }
        }
    }

    fn unavailable(&self, error: &reqwest::Error) -> PortError {
        let what = if error.is_timeout() { "no answer in time" } else { "cannot be reached, or broke off" };
        let cause = std::iter::successors(std::error::Error::source(error), |cause| cause.source()).last();
        PortError::Unavailable(format!("HR system {}: {what}{}", self.base, cause.map(|c| format!(" ({c})")).unwrap_or_default()))
    }

    async fn page(&self, what: &str, mut response: Response) -> PortResult<Page> {
        let status = response.status();
        match status {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(PortError::refused(Refusal::Rights, format!("{what}: the HR system answers {status}: look at the token")));
            }
            _ if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS && status != StatusCode::REQUEST_TIMEOUT => {
                return Err(fault(format!("{what}: the HR system answers {status}")));
            }
            _ if status.is_redirection() => {
                return Err(fault(format!("{what}: the HR system redirects ({status}), which is not followed")));
            }
            _ => return Err(PortError::Unavailable(format!("{what}: the HR system answers {status}"))),
        }
        let mut octets = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unavailable(&error))? {
            octets.extend_from_slice(&chunk);
            if octets.len() > self.limits.page_octets {
                return Err(fault(format!("{what}: a page of more than {} octets", self.limits.page_octets)));
            }
        }
        // Why not the parser's words: they may quote what they met.
        let page: Value = serde_json::from_slice(&octets).map_err(|error| {
            PortError::Unavailable(format!("{what}: the answer is not JSON (line {}, column {})", error.line(), error.column()))
        })?;
        Page::read(page).map_err(|reason| fault(format!("{what}: the answer {reason}")))
    }

    async fn next(&self, position: Position) -> PortResult<Option<Delivery>> {
        let units = self.pages("units", None).await?.ok_or_else(|| fault("units: no answer"))?;
        if position.units.as_ref() != Some(&units.digest) {
            let position = Position { units: Some(units.digest), ..position };
            return Ok(Some(self.delivery("units", position, units.rows, Content::Units)));
        }
        let (since, pages) = match self.pages("staff", position.since.as_deref()).await? {
            Some(pages) => (position.since.clone(), pages),
            None => (None, self.pages("staff", None).await?.ok_or_else(|| fault("staff: no answer"))?),
        };
        let snapshot = pages.snapshot.unwrap_or(since.is_none());
        let after = Position { staff: Some(pages.digest), since: pages.cursor.or(since), ..position.clone() };
        let nothing_said = !snapshot && pages.rows.items() == 0;
        if nothing_said || after == position {
            return Ok(None);
        }
        Ok(Some(self.delivery("staff", after, pages.rows, if snapshot { Content::Snapshot } else { Content::Delta })))
    }

    fn delivery(
        &self,
        what: &str,
        position: Position,
        rows: Rows,
        content: fn(Vec<kimlik_domain::staff::feed::Row>) -> Content,
    ) -> Delivery {
        let position = serde_json::to_string(&position).unwrap_or_default();
        Delivery { name: format!("{}/{what}", self.base), position, content: content(rows.rows), broken: rows.broken }
    }
}

struct Page {
    items: Vec<Value>,
    next_cursor: Option<String>,
    /// Where this page ends; servers that answer it can be asked for what came since, after a single page too.
    cursor: Option<String>,
    snapshot: Option<bool>,
}

impl Page {
    fn read(page: Value) -> Result<Page, &'static str> {
        let Value::Object(mut page) = page else { return Err("is not an object") };
        let Some(Value::Array(items)) = page.remove("items") else { return Err("has no list of items") };
        let cursor = |value: Option<Value>| match value {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(cursor)) if !cursor.is_empty() => Ok(Some(cursor)),
            Some(Value::Number(cursor)) => Ok(Some(cursor.to_string())),
            Some(_) => Err("has a cursor that is none"),
        };
        // Why it must be there: an answer that says nothing of the next page may have been cut.
        let next_cursor = cursor(Some(page.remove("next_cursor").ok_or("does not say next_cursor")?))?;
        let snapshot = match page.remove("snapshot") {
            None | Some(Value::Null) => None,
            Some(Value::Bool(snapshot)) => Some(snapshot),
            Some(_) => return Err("has a snapshot that is neither true nor false"),
        };
        Ok(Page { items, next_cursor, cursor: cursor(page.remove("cursor"))?, snapshot })
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Seconds, or a date: against the server's own clock, so that ours does not matter. An hour at most.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let date = |text: &str| chrono::DateTime::parse_from_rfc2822(text).ok();
    let wait = text(RETRY_AFTER)?;
    let seconds = match wait.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => u64::try_from((date(wait)? - date(text(DATE)?)?).num_seconds()).unwrap_or(0),
    };
    Some(Duration::from_secs(seconds.clamp(1, 3_600)))
}

#[async_trait]
impl HrFeed for RestFeed {
    fn name(&self) -> &str {
        "rest"
    }
    async fn poll(&self, position: Option<&str>) -> PortResult<Option<Delivery>> {
        let position = position.map(serde_json::from_str::<Position>).transpose();
        let position = position
            .map_err(|_| fault("the position held is not one of a REST feed: begin with an empty database, or set hr.source back"))?;
        self.next(position.unwrap_or_default()).await
    }
    async fn taken(&self, _: &Delivery, _: &FeedReport) -> PortResult<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(base_url: &str) -> RestSettings {
        RestSettings { base_url: base_url.into(), token: None, ca_pem: None, field_names: HashMap::new() }
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        for good in ["https://ik.csb.test/kimlik/v1/", "http://127.0.0.1:8080", "http://[::1]:1", "http://localhost/x"] {
            assert!(RestFeed::new(settings(good)).is_ok(), "{good}");
        }
        for bad in ["http://ik.csb.test", "ftp://127.0.0.1", "https://u:p@ik.csb.test", "ik.csb.test", "", "http://127.0.0.1.csb.test"] {
            assert!(RestFeed::new(settings(bad)).is_err(), "{bad}");
        }
        let broken = RestSettings { ca_pem: Some(b"nonsense".to_vec()), ..settings("https://ik.csb.test") };
        assert!(RestFeed::new(broken).is_err());
    }

    #[test]
    fn a_date_to_wait_for_is_measured_on_the_servers_clock() {
        let headers = |pairs: &[(reqwest::header::HeaderName, &str)]| {
            pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect::<HeaderMap>()
        };
        let until = (RETRY_AFTER, "Wed, 21 Oct 2015 07:28:10 GMT");
        assert_eq!(retry_after(&headers(&[until.clone(), (DATE, "Wed, 21 Oct 2015 07:28:00 GMT")])), Some(Duration::from_secs(10)));
        assert_eq!(retry_after(&headers(&[until])), None);
        assert_eq!(retry_after(&headers(&[(RETRY_AFTER, "999999")])), Some(Duration::from_secs(3_600)));
    }
}
