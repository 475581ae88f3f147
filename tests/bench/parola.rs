//! The password page under load, the real program on a real directory: sign-ins beside bare binds, and card queries at a fixed rate, first
//! alone and then while fifty people a second have forgotten their passwords and others sign in.
use crate::median;
use crate::sameness::{PASSWORD, START, colleagues, ministry, serve};
use kimlik_tests::lab::Samba;
use ldap3::{LdapConnAsync, LdapConnSettings};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

const SIGN_IN: &str =
    "mutation($input: SessionCreateInput!) { sessionCreate(input: $input) { session { accessToken } userErrors { code } } }";
const CARDS: &str = "{ identityCards(search: \"ad\", first: 20) { nodes { id displayName } } }";
/// At once, of sign-ins and of binds alike.
const HANDS: usize = 4;
const STARTS: u32 = 50;
const QUERIES: u32 = 50;

#[derive(Clone)]
struct Client {
    http: reqwest::Client,
    url: String,
}

impl Client {
    async fn ask(&self, query: &str, input: Value, token: Option<&str>) -> Value {
        let body = json!({ "query": query, "variables": { "input": input } }).to_string();
        let mut request = self.http.post(&self.url).header("content-type", "application/json").body(body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
    }
    async fn sign_in(&self, username: &str) -> String {
        let answer = self.ask(SIGN_IN, json!({ "username": username, "password": PASSWORD }), None).await;
        answer["data"]["sessionCreate"]["session"]["accessToken"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }
}

/// How often a second `deed` is done by all hands together. Each hand has an account of its own, as people have: attempts of one
/// account at the same time count towards its lock-out until they have ended.
async fn rate<F: Future<Output = ()> + Send>(
    hands: &[String],
    lasting: Duration,
    deed: impl Fn(String) -> F + Send + Sync + 'static,
) -> f64 {
    let (deed, done) = (Arc::new(deed), Arc::new(AtomicU32::new(0)));
    let began = Instant::now();
    let hands = hands.iter().map(|username| {
        let (deed, done) = (deed.clone(), done.clone());
        async move {
            while began.elapsed() < lasting {
                deed(username.clone()).await;
                done.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    futures_util::future::join_all(hands).await;
    f64::from(done.load(Ordering::Relaxed)) / began.elapsed().as_secs_f64()
}

/// Offered at a fixed rate, whatever the answers take: how long each took from when it was due.
async fn offered<F>(a_second: u32, lasting: Duration, deed: impl Fn() -> F) -> Vec<Duration>
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / a_second);
    let mut waiting = tokio::task::JoinSet::new();
    let began = Instant::now();
    while began.elapsed() < lasting {
        let due = ticks.tick().await.into_std();
        let answer = deed();
        waiting.spawn(async move {
            answer.await;
            due.elapsed()
        });
    }
    waiting.join_all().await
}

fn p99(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() * 99 / 100]
}

/// Resident memory of a process, in MB.
fn resident(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1_024.0
}

pub async fn under_load() {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let samba = Samba::start();
    let folder = tempfile::tempdir().unwrap();
    ministry(&samba, folder.path());
    let hands = colleagues(&samba, folder.path(), HANDS);
    let (serving, address) = serve(folder.path());
    let client = Client { http: reqwest::Client::new(), url: format!("http://{address}/graphql") };
    let token = client.sign_in("ad.calisan").await;

    let tls = tls(&samba);
    let (url, mut bare, mut ours) = (samba.url(), Vec::new(), Vec::new());
    for _ in 0..3 {
        let (tls, url) = (tls.clone(), url.clone());
        bare.push(rate(&hands, Duration::from_secs(8), move |username| bind(tls.clone(), url.clone(), username)).await);
        let client = client.clone();
        let sign_in = move |username: String| {
            let client = client.clone();
            async move { drop(client.sign_in(&username).await) }
        };
        ours.push(rate(&hands, Duration::from_secs(8), sign_in).await);
    }
    let middle = |mut rates: Vec<f64>| {
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    };
    let (bare, ours) = (middle(bare), middle(ours));
    println!("\nsign-ins: bare connect and bind {bare:.1}/s, Kimlik {ours:.1}/s, ratio {:.2} (wanted 0.8)", ours / bare);

    let query = || {
        let (client, token) = (client.clone(), token.clone());
        async move {
            let answer = client.ask(CARDS, json!({}), Some(&token)).await;
            assert!(answer["data"]["identityCards"]["nodes"].is_array(), "{answer}");
        }
    };
    let idle = offered(QUERIES, Duration::from_secs(30), query).await;
    let before = resident(serving.0.id());
    let stop = Arc::new(AtomicBool::new(false));
    let signing_in = {
        let (client, stop) = (client.clone(), stop.clone());
        tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                client.sign_in("ad.calisan").await;
            }
        })
    };
    let start = || {
        let client = client.clone();
        async move {
            let answer = client.ask(START, json!({ "username": "ad.calisan" }), None).await;
            assert!(answer["data"]["passwordResetStart"]["challenge"]["id"].is_string(), "{answer}");
        }
    };
    let minute = Duration::from_secs(60);
    let (starts, busy) = tokio::join!(offered(STARTS, minute, start), offered(QUERIES, minute, query));
    stop.store(true, Ordering::Relaxed);
    signing_in.await.unwrap();
    let after = resident(serving.0.id());
    println!("passwordResetStart: {} in a minute, median {:?}, p99 {:?}", starts.len(), median(starts.clone()), p99(starts));
    let (quiet, loud) = (p99(idle), p99(busy));
    let ratio = loud.as_secs_f64() / quiet.as_secs_f64();
    println!("card queries, {QUERIES}/s: p99 alone {quiet:?}, beside them {loud:?}, ratio {ratio:.2} (wanted 2)");
    println!("memory: {before:.0} MB before, {after:.0} MB after");
}

fn tls(samba: &Samba) -> Arc<rustls::ClientConfig> {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let mut roots = rustls::RootCertStore::empty();
    CertificateDer::pem_slice_iter(&samba.ca_pem()).for_each(|c| roots.add(c.unwrap()).unwrap());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

/// A connection of its own, bound with the password, and gone.
async fn bind(tls: Arc<rustls::ClientConfig>, url: String, username: String) {
    let (driver, mut ldap) = LdapConnAsync::with_settings(LdapConnSettings::new().set_config(tls), &url).await.unwrap();
    tokio::spawn(driver.drive());
    ldap.simple_bind(&format!("{username}@csb.test"), PASSWORD).await.unwrap().success().unwrap();
    ldap.unbind().await.unwrap();
}
