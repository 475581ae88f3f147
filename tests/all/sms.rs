//! Gateways: a real Kannel from a newcomer's hire to the phone, and Netgsm by its documentation.
#![allow(clippy::unwrap_used)]
use crate::surface::program::Serving;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use chrono::{DateTime, TimeDelta, Utc};
use kimlik_adapters::sms::{Kannel as KannelGateway, KannelSettings, Netgsm, NetgsmSettings, kannel_verdict};
use kimlik_domain::health::Health;
use kimlik_domain::id::MessageId;
use kimlik_domain::message::{Language, Purpose, Recipient};
use kimlik_domain::ports::{Gateway, Inspect, Parcel, PortError, PortResult, Refusal, Verdict, Whereabouts};
use kimlik_domain::staff::MobileNumber;
use kimlik_tests::kannel::{Kannel, PASSWORD, USER, free_port};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use uuid::Uuid;

const TOKEN: &str = "5f1d0c2b9a8e7d6c5b4a39281706f5e4";

fn crypto() {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
}

fn noon() -> DateTime<Utc> {
    "2026-11-23T09:00:00Z".parse().unwrap()
}

fn parcel<'a>(to: &'a Recipient, text: &'a str, purpose: Purpose) -> Parcel<'a> {
    let reference = MessageId(Uuid::from_u128(7));
    Parcel { reference, to, subject: "", text, purpose, valid_until: Some(noon() + TimeDelta::minutes(10)), at: noon() }
}

/// A ministry of 40 whose messages go over this Kannel.
fn ministry(kannel: &Kannel) -> Serving {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    std::fs::write(folder.path().join("token"), TOKEN).unwrap();
    std::fs::write(folder.path().join("password"), PASSWORD).unwrap();
    let settings = format!(
        "[sms]\ngateways = [\"kannel\"]\nsending_hours = [0, 24]\n[sms.kannel]\nurl = \"{}\"\nuser = \"{USER}\"\npassword_file = \"password\"\n\
         sender = \"CSB\"\nreport_url = \"http://127.0.0.1:{port}\"\nreport_token_file = \"token\"\n",
        kannel.url
    );
    std::fs::write(folder.path().join("kimlik.toml"), settings).unwrap();
    Serving::start_in(folder, &[("KIMLIK__SERVER__LISTEN", &format!("127.0.0.1:{port}"))])
}

async fn states(serving: &Serving) -> BTreeMap<String, usize> {
    let answer = serving.ask("{ messages(first: 100) { nodes { state gateway attempts text } } }").await;
    let mut states = BTreeMap::new();
    for node in answer["data"]["messages"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}")) {
        *states.entry(node["state"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    states
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_the_hire_to_the_phone_over_a_real_kannel_with_its_report() {
    let kannel = Kannel::start();
    let serving = ministry(&kannel);
    // Why: whoever is opened later is told later.
    serving.at_rest().await;
    let began = Instant::now();
    let states = loop {
        let states = states(&serving).await;
        let delivered = states.get("DELIVERED").copied().unwrap_or_default();
        if delivered > 10 && states.len() == 1 && kannel.received().len() >= delivered {
            break states;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "{states:?}, {} on phones", kannel.received().len());
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let received = kannel.received();
    let announced: Vec<&(String, String)> = received.iter().filter(|(_, text)| text.contains("Hesabiniz")).collect();
    assert_eq!(announced.len(), states["DELIVERED"], "each once");
    assert!(announced.iter().all(|(number, _)| number.starts_with("+905")));
    let forged = reqwest::get(serving.url("/sms/reports/kannel?token=nein&id=x&status=1")).await.unwrap();
    assert_eq!(forged.status(), StatusCode::FORBIDDEN);
    let repeated = reqwest::get(serving.url(&format!("/sms/reports/kannel?token={TOKEN}&id={}&status=2", Uuid::nil()))).await.unwrap();
    assert_eq!(repeated.status(), StatusCode::OK);
    let health = serving.ask("{ systemHealth { findings { about health found } } }").await;
    let words = health.to_string();
    assert!(words.contains("SMS gateway kannel") && words.contains("takes the password"), "{words}");
    assert!(!words.contains(PASSWORD) && !words.contains(TOKEN));
}

fn kannel_gateway(url: &str, password: &str) -> KannelGateway {
    crypto();
    KannelGateway::new(KannelSettings {
        url: url.into(),
        user: USER.into(),
        password: password.to_owned().into(),
        sender: "CSB".into(),
        report_url: String::new().into(),
        ca_pem: None,
        timeout: Duration::from_secs(10),
    })
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kannel_is_told_turkish_letters_and_a_wrong_password_is_named() {
    let kannel = Kannel::start();
    let to = MobileNumber::parse("05321234567").unwrap().into();
    let gateway = kannel_gateway(&kannel.url, PASSWORD);
    let text = "Şifreniz değiştirildi: ığdır & 100%";
    assert_eq!(gateway.send(&parcel(&to, text, Purpose::PasswordChangedNotice)).await.unwrap().parts, 1);
    let began = Instant::now();
    while kannel.received().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(kannel.received(), [("+905321234567".to_owned(), text.to_owned())]);
    assert_eq!(gateway.inspect().await[0].health(), Health::Good);
    let wrong = kannel_gateway(&kannel.url, "yanlis-sifre");
    let fault = wrong.send(&parcel(&to, "x", Purpose::ResetCode)).await.unwrap_err();
    assert_eq!(fault.refusal(), Some(Refusal::Rights));
    assert_eq!(wrong.inspect().await[0].health(), Health::Broken);
    let url = kannel.url.clone();
    drop(kannel);
    let away = kannel_gateway(&url, PASSWORD).send(&parcel(&to, "735192", Purpose::ResetCode)).await.unwrap_err();
    assert!(matches!(&away, PortError::Unavailable(said) if !said.contains(PASSWORD) && !said.contains("735192")), "{away}");
}

#[test]
fn kannels_reports_are_read() {
    assert_eq!(kannel_verdict(1, ""), Some(Verdict::Delivered));
    assert_eq!(kannel_verdict(8, "ACK/"), None);
    assert!(matches!(kannel_verdict(2, "stat:UNDELIV err:027"), Some(Verdict::Undelivered(_))));
    assert!(matches!(kannel_verdict(2, "stat:UNDELIV err:001"), Some(Verdict::DeadNumber(_))));
    assert!(matches!(kannel_verdict(16, ""), Some(Verdict::Undelivered(_))));
}

// --------------------------------------------------------------------------------------------------------- Netgsm

/// What it answers next, and what it was asked: (address, body).
#[derive(Default)]
struct Provider {
    status: u16,
    body: String,
    slow: bool,
    asked: Vec<(String, Value)>,
}

type Shared = Arc<Mutex<Provider>>;

async fn answer(State(provider): State<Shared>, Path(what): Path<String>, headers: HeaderMap, body: axum::body::Bytes) -> Response {
    let said: Value = serde_json::from_slice(&body).unwrap_or_default();
    // api:gizli; asked for a balance, in the body.
    let known = match what.as_str() {
        "balance" => said["usercode"] == "api" && said["password"] == "gizli",
        _ => headers.get("authorization").and_then(|v| v.to_str().ok()) == Some("Basic YXBpOmdpemxp"),
    };
    if !known {
        return (StatusCode::NOT_ACCEPTABLE, r#"{"code":"30"}"#).into_response();
    }
    let (status, body, slow) = {
        let mut provider = provider.lock().unwrap();
        provider.asked.push((what, said));
        (provider.status, provider.body.clone(), provider.slow)
    };
    if slow {
        tokio::time::sleep(Duration::from_secs(600)).await;
    }
    (StatusCode::from_u16(status).unwrap(), body).into_response()
}

struct Fake {
    provider: Shared,
    url: String,
}

impl Fake {
    async fn start() -> Fake {
        crypto();
        let provider = Shared::default();
        let router = Router::new()
            .route("/sms/rest/v2/{what}", post(answer).get(answer))
            .route("/{what}", post(answer))
            .with_state(provider.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Fake { provider, url }
    }
    fn says(&self, status: u16, body: impl ToString) {
        let mut provider = self.provider.lock().unwrap();
        (provider.status, provider.body) = (status, body.to_string());
    }
    fn gateway(&self, password: &str) -> Netgsm {
        Netgsm::new(NetgsmSettings {
            url: self.url.clone(),
            user: "api".into(),
            password: password.to_owned().into(),
            header: "CSB".into(),
            ca_pem: None,
            timeout: Duration::from_secs(5),
        })
        .unwrap()
    }
    fn last(&self) -> (String, Value) {
        self.provider.lock().unwrap().asked.last().cloned().unwrap()
    }
}

/// A word for what the port says.
fn class(result: &PortResult<kimlik_domain::ports::Accepted>) -> &'static str {
    match result {
        Ok(_) => "taken",
        Err(PortError::Unavailable(_)) => "later",
        Err(PortError::InDoubt(_)) => "doubt",
        Err(PortError::Refused { refusal, .. }) => match refusal {
            Refusal::Undeliverable => "number",
            Refusal::Balance => "balance",
            Refusal::Rights => "rights",
            Refusal::Value => "text",
            _ => "fault",
        },
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_documented_code_of_netgsm_is_understood_with_either_status() {
    let fake = Fake::start().await;
    let gateway = fake.gateway("gizli");
    let to = MobileNumber::parse("05321234567").unwrap().into();
    let send = [
        ("00", "taken"),
        ("20", "text"),
        ("30", "rights"),
        ("40", "rights"),
        ("50", "rights"),
        ("51", "rights"),
        ("70", "fault"),
        ("80", "later"),
        ("85", "later"),
        ("100", "later"),
        ("101", "later"),
        ("999", "doubt"),
    ];
    let otp = [
        ("00", "taken"),
        ("20", "text"),
        ("30", "rights"),
        ("40", "rights"),
        ("41", "rights"),
        ("50", "number"),
        ("51", "number"),
        ("52", "number"),
        ("60", "balance"),
        ("70", "fault"),
        ("80", "later"),
        ("100", "later"),
        ("101", "later"),
        ("999", "doubt"),
    ];
    for (purpose, address, table) in [(Purpose::PasswordChangedNotice, "send", &send[..]), (Purpose::ResetCode, "otp", &otp[..])] {
        for ((code, means), status) in table.iter().flat_map(|line| [(line, 200), (line, 406)]) {
            fake.says(status, json!({ "code": code, "description": "", "jobid": "17" }));
            let answered = gateway.send(&parcel(&to, "Kod 735192", purpose)).await;
            assert_eq!(class(&answered), *means, "{address} {code} HTTP {status}: {answered:?}");
            assert_eq!(fake.last().0, address);
        }
    }
    assert_eq!(class(&fake.gateway("yanlis").send(&parcel(&to, "x", Purpose::ResetCode)).await), "rights");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn netgsm_is_asked_as_documented() {
    let fake = Fake::start().await;
    let gateway = fake.gateway("gizli");
    let to = MobileNumber::parse("05321234567").unwrap().into();
    fake.says(200, json!({ "code": "00", "jobId": "A1" }));
    let taken = gateway.send(&parcel(&to, "Kodunuz ş: 735192", Purpose::ResetCode)).await.unwrap();
    assert_eq!(taken.id.as_deref(), Some("A1"), "jobId of otp");
    assert_eq!(fake.last(), ("otp".into(), json!({ "msgheader": "CSB", "msg": "Kodunuz s: 735192", "no": "5321234567" })));
    fake.says(200, json!({ "code": "00", "jobid": 17_377_215_342_605_i64 }));
    let taken = gateway.send(&parcel(&to, "Şifre", Purpose::PasswordExpiring)).await.unwrap();
    assert_eq!(taken.id.as_deref(), Some("17377215342605"), "jobid of send, a number");
    let (_, body) = fake.last();
    assert_eq!((&body["encoding"], &body["iysfilter"], &body["stopdate"]), (&json!("TR"), &json!("0"), &json!("231120261210")));
    assert_eq!(body["messages"], json!([{ "msg": "Şifre", "no": "5321234567" }]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn netgsm_is_asked_what_is_left_and_an_empty_balance_is_a_fault() {
    let fake = Fake::start().await;
    let gateway = fake.gateway("gizli");
    let headers = json!({ "code": "00", "msgheader": ["CSB"], "balance": [{ "amount": 950, "balance_name": "Adet SMS" }] });
    fake.says(200, &headers);
    let found = gateway.inspect().await.remove(0);
    assert_eq!((found.health(), found.found(Language::En).contains("950 Adet SMS")), (Health::Good, true), "{found:?}");
    let (asked, body) = fake.last();
    assert_eq!((asked.as_str(), &body), ("balance", &json!({ "usercode": "api", "password": "gizli", "stip": 3 })));
    fake.says(200, json!({ "code": "00", "msgheader": ["CSB"], "balance": "0,00" }));
    let found = gateway.inspect().await.remove(0);
    assert_eq!((found.health(), found.mend(Language::En).as_str()), (Health::Broken, "load credit at Netgsm"), "{found:?}");
    assert!(!format!("{found:?}").contains("gizli"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_slowness_and_absence_of_netgsm_are_told_apart() {
    let fake = Fake::start().await;
    let gateway = fake.gateway("gizli");
    let to = MobileNumber::parse("05321234567").unwrap().into();
    let parcel = parcel(&to, "735192", Purpose::ResetCode);
    for (status, body) in [(200, ""), (200, "<html>"), (200, "[]"), (200, "{}"), (406, "30"), (500, "x"), (502, ""), (302, "")] {
        fake.says(status, body);
        assert_eq!(class(&gateway.send(&parcel).await), "doubt", "{status} {body}");
    }
    fake.provider.lock().unwrap().slow = true;
    let slow = gateway.send(&parcel).await;
    assert_eq!(class(&slow), "doubt");
    assert!(!format!("{slow:?}").contains("735192") && !format!("{slow:?}").contains("gizli"));
    let nobody = Fake { provider: Shared::default(), url: format!("http://127.0.0.1:{}", free_port()) };
    assert_eq!(class(&nobody.gateway("gizli").send(&parcel).await), "later");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn netgsms_reports_and_what_it_can_look_up() {
    let fake = Fake::start().await;
    let gateway = fake.gateway("gizli");
    let job = |id: &str, status: u32| json!({ "jobid": id, "number": "905321234567", "status": status, "msglen": 6 });
    let jobs: Vec<Value> = [0, 1, 2, 3, 4, 11, 12, 13, 14, 15, 16, 17].iter().map(|s| job(&format!("j{s}"), *s)).collect();
    fake.says(200, json!({ "jobs": jobs }));
    let heard: BTreeMap<String, Verdict> = gateway.reports(&["j1".into()], noon()).await.unwrap().into_iter().collect();
    assert_eq!(heard.len(), 11, "one still waits");
    assert_eq!(heard["j1"], Verdict::Delivered);
    assert!(matches!(heard["j3"], Verdict::DeadNumber(_)));
    assert!(heard.iter().filter(|(id, _)| !matches!(id.as_str(), "j1" | "j3")).all(|(_, v)| matches!(v, Verdict::Undelivered(_))));
    let to = MobileNumber::parse("05321234567").unwrap().into();
    let parcel = parcel(&to, "735192", Purpose::ResetCode);
    for (jobs, found) in [
        (json!([job("a", 0)]), Whereabouts::Taken(Some("a".into()))),
        (json!([]), Whereabouts::Unknown),
        (json!([job("a", 0), job("b", 0)]), Whereabouts::Unknown),
        (json!([{ "jobid": "a", "number": "5321234567", "msglen": 99 }]), Whereabouts::Unknown),
        (json!([{ "jobid": "a", "number": "5329999999", "msglen": 6 }]), Whereabouts::Unknown),
    ] {
        fake.says(200, json!({ "jobs": jobs }));
        assert_eq!(gateway.look_up(&parcel, noon()).await.unwrap(), found, "{jobs}");
    }
    fake.says(406, json!({ "code": "60" }));
    assert_eq!(gateway.look_up(&parcel, noon()).await.unwrap(), Whereabouts::Unknown, "no records");
    fake.says(406, json!({ "code": "80" }));
    assert!(matches!(gateway.look_up(&parcel, noon()).await, Err(PortError::Unavailable(_))));
}

/// Of each text of a ministry with these gateways, who carried it, once all are sent.
async fn carried_by(gateways: &str, kannel: &Kannel, netgsm: &Fake) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("kannel"), PASSWORD).unwrap();
    std::fs::write(folder.path().join("netgsm"), "gizli").unwrap();
    let settings = format!(
        "[sms]\ngateways = {gateways}\nsending_hours = [0, 24]\n\
         [sms.kannel]\nurl = \"{}\"\nuser = \"{USER}\"\npassword_file = \"kannel\"\nsender = \"CSB\"\n\
         [sms.netgsm]\nurl = \"{}\"\nuser = \"api\"\npassword_file = \"netgsm\"\nheader = \"CSB\"\n",
        kannel.url, netgsm.url
    );
    std::fs::write(folder.path().join("kimlik.toml"), settings).unwrap();
    let serving = Serving::start_in(folder, &[]);
    serving.at_rest().await;
    let began = Instant::now();
    loop {
        let answer = serving.ask("{ messages(first: 100) { nodes { channel state gateway } } }").await;
        let nodes = answer["data"]["messages"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}"));
        let texts: Vec<&Value> = nodes.iter().filter(|m| m["channel"] == "SMS").collect();
        if texts.len() > 10 && texts.iter().all(|m| m["state"] == "SENT") {
            return texts.into_iter().map(|m| m["gateway"].as_str().unwrap().to_owned()).collect();
        }
        assert!(began.elapsed() < Duration::from_secs(120), "{answer}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_stands_first_in_the_settings_carries_everything_while_it_can() {
    let (kannel, fake) = (Kannel::start(), Fake::start().await);
    // Netgsm's word for "too much at once", and for "taken".
    let (busy, taken) = ("80", "00");
    for (gateways, answer, carrier) in [
        (r#"["netgsm", "kannel"]"#, busy, "kannel"),
        (r#"["netgsm", "kannel"]"#, taken, "netgsm"),
        (r#"["kannel", "netgsm"]"#, taken, "kannel"),
    ] {
        fake.says(200, json!({ "code": answer, "jobid": "17" }));
        fake.provider.lock().unwrap().asked.clear();
        // A text of two parts is two; one begins with the greeting.
        let announced = || kannel.received().iter().filter(|(_, text)| text.contains("Hesabiniz")).count();
        let before = announced();
        let carried = carried_by(gateways, &kannel, &fake).await;
        assert!(carried.iter().all(|gateway| gateway == carrier), "{gateways}, Netgsm says {answer}: {carried:?}");
        let asked = fake.provider.lock().unwrap().asked.iter().filter(|(what, _)| what == "send" || what == "otp").count();
        let until = Instant::now() + Duration::from_secs(60);
        while carrier == "kannel" && announced() - before < carried.len() {
            assert!(Instant::now() < until, "{} of {} are on phones", announced() - before, carried.len());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let by_kannel = announced() - before;
        let expected = match (gateways.starts_with(r#"["netgsm"#), carrier) {
            (true, "kannel") => (carried.len(), carried.len()),
            (true, _) => (carried.len(), 0),
            (false, _) => (0, carried.len()),
        };
        assert_eq!((asked, by_kannel), expected, "{gateways}, Netgsm says {answer}: asked of Netgsm, on phones by Kannel");
    }
}
