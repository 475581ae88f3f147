//! Tokens of another issuer, played by a server on loopback that publishes keys as Keycloak does.
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use kimlik_adapters::system::SystemClock;
use kimlik_adapters::token::{Foreign, ForeignClaim, ForeignSettings, Strength};
use kimlik_domain::ports::{Clock as _, ForeignIssuer as _, ForeignName, PortError};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

struct Key {
    id: String,
    signing: EncodingKey,
}

impl Key {
    fn new(id: &str) -> Key {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        Key { id: id.to_owned(), signing: EncodingKey::from_ec_der(&pair.serialize_der()) }
    }
    fn public(&self) -> Jwk {
        let mut key = Jwk::from_encoding_key(&self.signing, Algorithm::ES256).unwrap();
        key.common.key_id = Some(self.id.clone());
        key
    }
    fn sign(&self, claims: &Value) -> String {
        let header = Header { kid: Some(self.id.clone()), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, claims, &self.signing).unwrap()
    }
}

#[derive(Default)]
struct Published {
    keys: Mutex<Vec<Jwk>>,
    asked: AtomicUsize,
    address: Mutex<String>,
}

pub struct Issuer {
    published: Arc<Published>,
    pub url: String,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn discovery(State(published): State<Arc<Published>>) -> axum::Json<Value> {
    let url = published.address.lock().unwrap().clone();
    axum::Json(json!({ "issuer": url, "jwks_uri": format!("{url}/certs") }))
}

async fn certs(State(published): State<Arc<Published>>) -> axum::Json<JwkSet> {
    published.asked.fetch_add(1, Ordering::SeqCst);
    axum::Json(JwkSet { keys: published.keys.lock().unwrap().clone() })
}

impl Issuer {
    async fn start(keys: &[&Key]) -> Issuer {
        rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
        let published = Arc::new(Published::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        *published.address.lock().unwrap() = url.clone();
        let router = Router::new().route("/.well-known/openid-configuration", get(discovery)).route("/certs", get(certs));
        let router = router.with_state(published.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let issuer = Issuer { published, url, server };
        issuer.publish(keys);
        issuer
    }
    fn publish(&self, keys: &[&Key]) {
        *self.published.keys.lock().unwrap() = keys.iter().map(|key| key.public()).collect();
    }
    fn asked(&self) -> usize {
        self.published.asked.load(Ordering::SeqCst)
    }
    fn settings(&self) -> ForeignSettings {
        ForeignSettings {
            issuer: self.url.clone(),
            audience: "kimlik".into(),
            jwks_url: String::new(),
            algorithms: vec!["ES256".into()],
            claim: "preferred_username".into(),
            names: ForeignClaim::Username,
            strength: Strength::default(),
            ca_pem: None,
        }
    }
    fn claims(&self) -> Value {
        let in_time = now() + TimeDelta::minutes(5);
        json!({ "iss": self.url, "aud": ["account", "kimlik"], "exp": in_time.timestamp(), "preferred_username": "ayse.sahin" })
    }
}

fn now() -> DateTime<Utc> {
    SystemClock.now()
}

fn with(claims: &Value, key: &str, value: Value) -> Value {
    let mut claims = claims.clone();
    claims[key] = value;
    claims
}

#[tokio::test]
async fn a_token_of_the_issuer_names_its_person_and_any_other_names_nobody() {
    let (key, stranger) = (Key::new("one"), Key::new("one"));
    let issuer = Issuer::start(&[&key]).await;
    let foreign = Foreign::new(issuer.settings()).unwrap();
    let claims = issuer.claims();
    let read = async |token: &str| foreign.read(token, now()).await.unwrap();
    assert_eq!(read(&key.sign(&claims)).await, Some(ForeignName::Username("ayse.sahin".into())));
    let past = (now() - TimeDelta::minutes(2)).timestamp();
    let later = (now() + TimeDelta::minutes(2)).timestamp();
    let mut endless = claims.clone();
    endless.as_object_mut().unwrap().remove("exp");
    for (why, token) in [
        ("of another key with the same id", stranger.sign(&claims)),
        ("of another issuer", key.sign(&with(&claims, "iss", json!("https://other.test")))),
        ("for another audience", key.sign(&with(&claims, "aud", json!("portal")))),
        ("expired", key.sign(&with(&claims, "exp", json!(past)))),
        ("of tomorrow", key.sign(&with(&claims, "nbf", json!(later)))),
        ("without an end", key.sign(&endless)),
        ("without the claim", key.sign(&with(&claims, "preferred_username", Value::Null))),
        ("with a list for a name", key.sign(&with(&claims, "preferred_username", json!(["ayse.sahin"])))),
        ("with an empty name", key.sign(&with(&claims, "preferred_username", json!(" ")))),
    ] {
        assert_eq!(read(&token).await, None, "{why}");
    }
    // The public key taken for a shared secret, and no signature at all.
    let confused = EncodingKey::from_secret(serde_json::to_string(&key.public()).unwrap().as_bytes());
    let header = Header { kid: Some("one".into()), ..Header::new(Algorithm::HS256) };
    assert_eq!(read(&jsonwebtoken::encode(&header, &claims, &confused).unwrap()).await, None, "HS256");
    let token = key.sign(&claims);
    let unsigned = format!("eyJhbGciOiJub25lIiwia2lkIjoib25lIn0.{}.", token.split('.').nth(1).unwrap());
    assert_eq!(read(&unsigned).await, None, "alg none");
}

#[tokio::test]
async fn a_token_that_does_not_show_the_strength_that_the_ministry_asks_for_names_nobody() {
    let key = Key::new("one");
    let issuer = Issuer::start(&[&key]).await;
    let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let strength = Strength { acr: words(&["gold", "silver"]), amr: words(&["pwd", "otp"]), max_age: Some(TimeDelta::minutes(60)) };
    let asking = Foreign::new(ForeignSettings { strength, ..issuer.settings() }).unwrap();
    let ago = |minutes: i64| json!((now() - TimeDelta::minutes(minutes)).timestamp());
    let mut claims = issuer.claims();
    for (key, value) in [("acr", json!("silver")), ("amr", json!(["otp", "pwd", "sms"])), ("auth_time", ago(59))] {
        claims[key] = value;
    }
    assert!(asking.read(&key.sign(&claims), now()).await.unwrap().is_some());
    for (why, name, value) in [
        ("another class", "acr", json!("bronze")),
        ("no class", "acr", Value::Null),
        ("a list of classes", "acr", json!(["gold"])),
        ("a password alone", "amr", json!(["pwd"])),
        ("methods in one word", "amr", json!("pwd otp")),
        ("no methods", "amr", Value::Null),
        ("signed in long ago", "auth_time", ago(62)),
        ("signed in tomorrow", "auth_time", ago(-60 * 24)),
        ("signed in before time began", "auth_time", json!(i64::MIN)),
        ("nobody says when", "auth_time", Value::Null),
    ] {
        let token = key.sign(&with(&claims, name, value));
        assert_eq!(asking.read(&token, now()).await.unwrap(), None, "{why}");
    }
    let taking_any = Foreign::new(issuer.settings()).unwrap();
    assert!(taking_any.read(&key.sign(&issuer.claims()), now()).await.unwrap().is_some(), "where nothing is asked for");
}

#[tokio::test]
async fn a_new_key_is_fetched_when_it_is_first_met_and_invented_ones_do_not_flood_the_issuer() {
    let (first, second) = (Key::new("first"), Key::new("second"));
    let issuer = Issuer::start(&[&first]).await;
    let foreign = Foreign::new(issuer.settings()).unwrap();
    let claims = issuer.claims();
    assert!(foreign.read(&first.sign(&claims), now()).await.unwrap().is_some());
    issuer.publish(&[&first, &second]);
    assert!(foreign.read(&second.sign(&claims), now()).await.unwrap().is_some(), "rotated");
    assert_eq!(issuer.asked(), 2);
    for n in 0..50 {
        let invented = Key::new(&format!("invented {n}"));
        assert_eq!(foreign.read(&invented.sign(&claims), now()).await.unwrap(), None);
    }
    assert!(issuer.asked() <= 3, "asked {} times", issuer.asked());
    assert!(foreign.read(&first.sign(&claims), now()).await.unwrap().is_some());
}

#[tokio::test]
async fn an_issuer_that_is_away_is_no_verdict_on_its_tokens() {
    let key = Key::new("one");
    let issuer = Issuer::start(&[&key]).await;
    let token = key.sign(&issuer.claims());
    let settings = issuer.settings();
    let address = issuer.url.strip_prefix("http://").unwrap().split('/').next().unwrap().to_owned();
    drop(issuer);
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while tokio::net::TcpStream::connect(&address).await.is_ok() {
        assert!(std::time::Instant::now() < until, "it is still there");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let foreign = Foreign::new(settings).unwrap();
    assert!(matches!(foreign.read(&token, now()).await, Err(PortError::Unavailable(_))));
}

#[test]
fn unsafe_algorithms_cannot_be_configured() {
    let settings = |algorithm: &str| ForeignSettings {
        issuer: "https://giris.csb.test".into(),
        audience: "kimlik".into(),
        jwks_url: String::new(),
        algorithms: vec![algorithm.into()],
        claim: "sub".into(),
        names: ForeignClaim::Username,
        strength: Strength::default(),
        ca_pem: None,
    };
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    for algorithm in ["none", "HS256", "HS512", "rs256", ""] {
        assert_eq!(Foreign::new(settings(algorithm)).err().map(|e| e.setting), Some("algorithms"), "{algorithm}");
    }
    assert!(Foreign::new(settings("RS256")).is_ok());
}

#[tokio::test]
async fn whoever_comes_with_such_a_token_is_known_at_the_real_program() {
    let key = Key::new("one");
    let issuer = Issuer::start(&[&key]).await;
    let algorithms = r#"["ES256"]"#;
    let serving =
        crate::surface::program::Serving::start(&[("KIMLIK__OIDC__ISSUER", &issuer.url), ("KIMLIK__OIDC__ALGORITHMS", algorithms)]);
    let cards = "{ identityCards(first: 50) { nodes { username accountState } } }";
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let username = loop {
        let answer = serving.ask(cards).await;
        let nodes = answer["data"]["identityCards"]["nodes"].as_array().cloned().unwrap_or_default();
        match nodes.iter().find(|n| n["accountState"] == "ACTIVE") {
            Some(node) => break node["username"].clone(),
            None => assert!(std::time::Instant::now() < until, "{answer}"),
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    };
    let viewer = "{ viewer { name kind roles } }";
    let token = key.sign(&with(&issuer.claims(), "preferred_username", username.clone()));
    let answer = serving.ask_as(Some(&token), viewer, json!({})).await;
    assert_eq!(answer["data"]["viewer"]["name"], username, "{answer}");
    assert!(answer["data"]["viewer"]["roles"].as_array().unwrap().contains(&json!("STAFF")));
    // Names of people only: the directory's own administrators sign in with their password.
    let token = key.sign(&with(&issuer.claims(), "preferred_username", json!("yonetici")));
    let answer = serving.ask_as(Some(&token), viewer, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{answer}");
}
