//! Tokens of one configured OpenID Connect issuer (Keycloak, AD FS, the e-government gateway), checked by the keys that it
//! publishes. Decides whether a token is that issuer's and for us; whose it is, is decided in the domain.
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use kimlik_domain::ports::{ForeignIssuer, ForeignName, PortError, PortResult};
use kimlik_domain::staff::RegistryNo;
use serde::Deserialize;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Which person a claim names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignClaim {
    Username,
    RegistryNo,
    Email,
}

/// How somebody must have proven who they are at the issuer. A token that does not say so is taken for the weakest: it names nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strength {
    /// `acr` must be one of these; empty: any, or none.
    pub acr: Vec<String>,
    /// `amr` must hold each of these (RFC 8176: `mfa`, `otp`, `hwk`); empty: any, or none.
    pub amr: Vec<String>,
    /// `auth_time` must be there and no older; `None`: it is not looked at.
    pub max_age: Option<TimeDelta>,
}

impl Strength {
    fn is_shown_by(&self, claims: &serde_json::Map<String, serde_json::Value>, now: DateTime<Utc>) -> bool {
        let acr = claims.get("acr").and_then(serde_json::Value::as_str);
        let methods = claims.get("amr").and_then(serde_json::Value::as_array);
        let used = |method: &String| methods.is_some_and(|all| all.iter().any(|used| used.as_str() == Some(method.as_str())));
        let since = claims.get("auth_time").and_then(serde_json::Value::as_i64);
        let recent =
            |most: TimeDelta| since.is_some_and(|at| (-LEEWAY..=most.num_seconds() + LEEWAY).contains(&now.timestamp().saturating_sub(at)));
        (self.acr.is_empty() || acr.is_some_and(|acr| self.acr.iter().any(|wanted| wanted == acr)))
            && self.amr.iter().all(used)
            && self.max_age.is_none_or(recent)
    }
}

#[derive(Clone, Debug)]
pub struct ForeignSettings {
    /// As `iss` says it.
    pub issuer: String,
    /// As `aud` must contain it.
    pub audience: String,
    /// Empty: as the issuer's discovery document says.
    pub jwks_url: String,
    pub algorithms: Vec<String>,
    pub claim: String,
    pub names: ForeignClaim,
    pub strength: Strength,
    /// Trusted beside the system's authorities, PEM.
    pub ca_pem: Option<Vec<u8>>,
}

/// A setting that cannot be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("oidc.{setting}: {fault}")]
pub struct IssuerFault {
    pub setting: &'static str,
    pub fault: String,
}

/// Public keys only: with a shared secret whoever checks tokens could make them.
const SAFE: [(&str, Algorithm); 9] = [
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];
/// Keys are fetched anew after so long, so that one which the issuer has withdrawn is forgotten.
const FRESH: Duration = Duration::from_secs(3_600);
/// An unknown key makes us ask, but no more often: anybody can invent key ids.
const PAUSE: Duration = Duration::from_secs(30);
/// After a question that got no answer.
const SHORT_PAUSE: Duration = Duration::from_secs(2);
const TIMEOUT: Duration = Duration::from_secs(5);
const LARGEST: usize = 256 * 1024;
const LONGEST_TOKEN: usize = 16 * 1024;
/// Clocks of two houses differ a little.
const LEEWAY: i64 = 30;

pub struct Foreign {
    settings: ForeignSettings,
    algorithms: Vec<Algorithm>,
    client: reqwest::Client,
    keys: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    keys: Option<(Instant, JwkSet)>,
    /// When a key was asked for that was not among them.
    asked_in_vain: Option<Instant>,
    /// When the issuer last did not answer.
    failed: Option<Instant>,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl Foreign {
    pub fn new(settings: ForeignSettings) -> Result<Foreign, IssuerFault> {
        let fault = |setting, fault: String| IssuerFault { setting, fault };
        let mut algorithms = Vec::new();
        for name in &settings.algorithms {
            let known = SAFE.iter().find(|(safe, _)| safe == name).map(|(_, algorithm)| *algorithm);
            let names: Vec<&str> = SAFE.iter().map(|(name, _)| *name).collect();
            algorithms.push(known.ok_or_else(|| fault("algorithms", format!("{name:?} is none of {}", names.join(", "))))?);
        }
        if algorithms.is_empty() {
            return Err(fault("algorithms", "names none; write [\"RS256\"]".into()));
        }
        let mut builder =
            reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).https_only(!is_loopback(&settings));
        if let Some(pem) = &settings.ca_pem {
            let unreadable = |e: reqwest::Error| fault("ca_file", format!("holds no certificate that can be used: {e}"));
            for certificate in reqwest::Certificate::from_pem_bundle(pem).map_err(unreadable)? {
                builder = builder.add_root_certificate(certificate);
            }
        }
        let client = builder.build().map_err(|e| fault("issuer", e.to_string()))?;
        Ok(Foreign { settings, algorithms, client, keys: Mutex::default() })
    }

    async fn fetch(&self) -> PortResult<JwkSet> {
        let url = if self.settings.jwks_url.is_empty() {
            let base = self.settings.issuer.trim_end_matches('/');
            let found: Discovery = self.json(&format!("{base}/.well-known/openid-configuration")).await?;
            if found.issuer.trim_end_matches('/') != base {
                return Err(away(&format!("its discovery document names another issuer, {:?}", found.issuer)));
            }
            found.jwks_uri
        } else {
            self.settings.jwks_url.clone()
        };
        self.json(&url).await
    }

    async fn json<T: serde::de::DeserializeOwned>(&self, url: &str) -> PortResult<T> {
        let failed = |e: reqwest::Error| away(&format!("{url}: {}", e.without_url()));
        let mut answer = self.client.get(url).send().await.and_then(reqwest::Response::error_for_status).map_err(failed)?;
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(failed)? {
            body.extend_from_slice(&part);
            if body.len() > LARGEST {
                return Err(away(&format!("{url}: more than {LARGEST} octets")));
            }
        }
        serde_json::from_slice(&body).map_err(|_| away(&format!("{url}: not the JSON that was expected")))
    }

    /// The key of that id; asked for anew where it is not known or the keys are old.
    async fn key(&self, id: &str) -> PortResult<Option<Jwk>> {
        // Why held over the question: many callers at once are one question to the issuer.
        let mut held = self.keys.lock().await;
        let known = |held: &Held| held.keys.as_ref().and_then(|(_, keys)| keys.find(id).cloned());
        let fresh = held.keys.as_ref().is_some_and(|(at, _)| at.elapsed() < FRESH);
        let found = known(&held);
        let long_ago = |at: Option<Instant>, pause: Duration| at.is_none_or(|at| at.elapsed() >= pause);
        let may_ask = if fresh { found.is_none() && long_ago(held.asked_in_vain, PAUSE) } else { long_ago(held.failed, SHORT_PAUSE) };
        if !may_ask {
            return if held.keys.is_some() { Ok(found) } else { Err(away("its keys could not be fetched a moment ago")) };
        }
        if fresh {
            held.asked_in_vain = Some(Instant::now());
        }
        match self.fetch().await {
            Ok(keys) => {
                held.keys = Some((Instant::now(), keys));
                held.failed = None;
            }
            // Why: an issuer that is away for a minute must not send away whoever came with a key that is known.
            Err(fault) if found.is_some() => {
                held.failed = Some(Instant::now());
                tracing::warn!(%fault, "the keys of the OIDC issuer could not be fetched anew");
                return Ok(found);
            }
            Err(fault) => {
                held.failed = Some(Instant::now());
                return Err(fault);
            }
        }
        Ok(known(&held))
    }

    fn person(&self, claims: &serde_json::Map<String, serde_json::Value>) -> Option<ForeignName> {
        let text = claims.get(&self.settings.claim)?.as_str()?.trim();
        if text.is_empty() || text.chars().count() > 256 || text.chars().any(char::is_control) {
            return None;
        }
        match self.settings.names {
            ForeignClaim::Username => Some(ForeignName::Username(text.to_owned())),
            ForeignClaim::RegistryNo => RegistryNo::parse(text).map(ForeignName::RegistryNo),
            // Why: an address that the issuer has not seen proven is one that its user has typed.
            ForeignClaim::Email if claims.get("email_verified") == Some(&false.into()) => None,
            ForeignClaim::Email => Some(ForeignName::Email(text.to_owned())),
        }
    }
}

fn is_loopback(settings: &ForeignSettings) -> bool {
    ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"].iter().any(|start| settings.issuer.starts_with(start))
}

fn away(found: &str) -> PortError {
    PortError::Unavailable(format!("OIDC issuer: {found}"))
}

#[async_trait]
impl ForeignIssuer for Foreign {
    async fn read(&self, token: &str, now: DateTime<Utc>) -> PortResult<Option<ForeignName>> {
        if token.len() > LONGEST_TOKEN || token.bytes().filter(|b| *b == b'.').count() != 2 {
            return Ok(None);
        }
        let Ok(header) = jsonwebtoken::decode_header(token) else { return Ok(None) };
        if !self.algorithms.contains(&header.alg) {
            return Ok(None);
        }
        // Why before the keys: a token of another issuer is no reason to ask this one.
        let unchecked = jsonwebtoken::dangerous::insecure_decode_claims::<serde_json::Map<String, serde_json::Value>>(token);
        if unchecked.ok().and_then(|c| c.get("iss")?.as_str().map(|iss| iss == self.settings.issuer)) != Some(true) {
            return Ok(None);
        }
        let Some(id) = header.kid.as_deref() else { return Ok(None) };
        let Some(key) = self.key(id).await? else { return Ok(None) };
        let Ok(checking) = DecodingKey::from_jwk(&key) else { return Ok(None) };
        let mut wanted = Validation::new(header.alg);
        wanted.set_audience(&[&self.settings.audience]);
        wanted.set_issuer(&[&self.settings.issuer]);
        wanted.set_required_spec_claims(&["exp", "iss", "aud"]);
        wanted.validate_exp = false;
        let Ok(read) = jsonwebtoken::decode::<serde_json::Map<String, serde_json::Value>>(token, &checking, &wanted) else {
            return Ok(None);
        };
        let seconds = |name: &str| read.claims.get(name).and_then(serde_json::Value::as_f64);
        #[allow(clippy::cast_precision_loss)] // seconds since 1970 are far below 2^52
        let (at, leeway) = (now.timestamp() as f64, LEEWAY as f64);
        let in_time = seconds("exp").is_some_and(|exp| at < exp + leeway) && seconds("nbf").is_none_or(|nbf| nbf <= at + leeway);
        if in_time && !self.settings.strength.is_shown_by(&read.claims, now) {
            tracing::debug!("a token of the OIDC issuer does not show the strength or recentness that the settings ask for");
            return Ok(None);
        }
        Ok(self.person(&read.claims).filter(|_| in_time))
    }
}
