//! The way back to HR: over REST with an HR that is away, slow, busy or ahead; as files; and in the simulated ministry.
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch};
use chrono::TimeDelta;
use kimlik_adapters::hr::csv::DropFolder;
use kimlik_adapters::hr::rest::{RestFeed, RestLimits, RestSettings};
use kimlik_adapters::hr::simulated::SimulatedMinistry;
use kimlik_domain::phone::WorkPhone;
use kimlik_domain::phone::write_back::ForHr;
use kimlik_domain::ports::{Clock as _, HrAnswer, HrFeed as _, HrWriteBack, PortError, Refusal};
use kimlik_domain::staff::feed::{Content, Field};
use kimlik_domain::staff::{MobileNumber, RegistryNo, WorkNumber};
use kimlik_tests::fakes::TestClock;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uuid::Uuid;

const TOKEN: &str = "gizli-belirtec";

/// What HR was asked: registry number, key, body; and what it answers next (200 where nothing is said).
#[derive(Default)]
pub struct Hr {
    pub asked: Vec<(String, String, Value)>,
    pub answers: VecDeque<(u16, Option<&'static str>)>,
    pub delay: Option<Duration>,
}

type Shared = Arc<Mutex<Hr>>;

async fn take(State(hr): State<Shared>, Path(no): Path<String>, headers: HeaderMap, body: axum::Json<Value>) -> Response {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    if text("authorization") != format!("Bearer {TOKEN}") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let (answer, delay) = {
        let mut hr = hr.lock().unwrap();
        hr.asked.push((no, text("idempotency-key"), body.0));
        (hr.answers.pop_front().unwrap_or((200, None)), hr.delay)
    };
    if let Some(delay) = delay {
        tokio::time::sleep(delay).await;
    }
    let mut response = StatusCode::from_u16(answer.0).unwrap().into_response();
    if let Some(wait) = answer.1 {
        response.headers_mut().insert(header::RETRY_AFTER, wait.parse().unwrap());
    }
    response
}

/// An HR system that takes phones: (what it sees, its address).
pub async fn system() -> (Shared, String) {
    system_of(0).await
}

/// And that delivers so many people, once: S001 with the mobile +905321110001, and so on. It does not deliver what it takes.
pub async fn system_of(people: u32) -> (Shared, String) {
    let hr = Shared::default();
    let units = json!({ "items": [{ "code": "20000006", "name": "Ankara İl Müdürlüğü", "kind": "PROVINCIAL", "province": "06" }],
        "next_cursor": null, "snapshot": true });
    let posting = json!({ "unit_code": "20000006", "posting_kind": "PERMANENT", "posting_start": "2020-01-06", "title_post": "Mühendis" });
    let person = |n: u32| {
        json!({ "registry_no": format!("S{n:03}"), "national_id": kimlik_tests::ministry::national_id(n), "given_name": "Ayşe",
            "family_name": format!("Soy{}", char::from(b'a' + n as u8)), "status": "ACTIVE", "reason_code": "1",
            "employment_start": "2020-01-06", "mobile": format!("+9053211100{n:02}"), "postings": [posting] })
    };
    let everybody: Vec<Value> = (1..=people).map(person).collect();
    let staff = move |Query(asked): Query<HashMap<String, String>>| {
        let (since, next) = (asked.contains_key("since"), asked.contains_key("cursor"));
        let first = !since && !next;
        let items = if first { everybody.clone() } else { Vec::new() };
        async move { axum::Json(json!({ "items": items, "next_cursor": if first { Some("c1") } else { None }, "snapshot": !since })) }
    };
    let router = Router::new()
        .route("/v1/staff/{no}/phones", patch(take))
        .route("/v1/units", get(move || async move { axum::Json(units) }))
        .route("/v1/staff", get(staff))
        .with_state(hr.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (hr, base)
}

pub fn rest(base: &str, token: &str) -> RestFeed {
    let limits = RestLimits { request: Duration::from_secs(6), ..RestLimits::default() };
    let settings = RestSettings {
        base_url: base.to_owned(),
        token: Some(token.to_owned().into()),
        ca_pem: None,
        field_names: std::collections::HashMap::new(),
    };
    RestFeed::with_limits(settings, limits).unwrap()
}

fn no(text: &str) -> RegistryNo {
    RegistryNo::parse(text).unwrap()
}
fn mobile() -> ForHr {
    ForHr::Mobile(MobileNumber::parse("05321110002").ok())
}
fn work() -> ForHr {
    ForHr::Work(WorkPhone { number: WorkNumber::parse("0312 410 10 01").ok(), extension: None })
}

#[tokio::test]
async fn rest_names_the_person_the_key_and_only_what_was_changed() {
    let (hr, base) = system().await;
    let feed = rest(&base, TOKEN);
    let at = TestClock::at(kimlik_tests::ministry::day("2026-12-01")).now();
    assert_eq!(feed.write_phones(Uuid::from_u128(7), &no("A/1-2"), &mobile(), at).await, Ok(HrAnswer::Taken));
    assert_eq!(feed.write_phones(Uuid::from_u128(8), &no("S1"), &work(), at).await, Ok(HrAnswer::Taken));
    let asked = std::mem::take(&mut hr.lock().unwrap().asked);
    assert_eq!(asked[0], ("A/1-2".into(), Uuid::from_u128(7).to_string(), json!({ "mobile": "+905321110002" })));
    assert_eq!(asked[1], ("S1".into(), Uuid::from_u128(8).to_string(), json!({ "work_phone": "+903124101001", "extension": null })));
}

#[tokio::test]
async fn rest_tells_busy_newer_refused_and_perhaps_apart() {
    let (hr, base) = system().await;
    let at = TestClock::at(kimlik_tests::ministry::day("2026-12-01")).now();
    let feed = rest(&base, TOKEN);
    let ask = async |feed: &RestFeed| feed.write_phones(Uuid::from_u128(7), &no("S1"), &mobile(), at).await;
    hr.lock().unwrap().answers = [(409, None), (404, None), (422, None), (500, None)].into();
    assert_eq!(ask(&feed).await, Ok(HrAnswer::Newer));
    assert_eq!(ask(&feed).await.unwrap_err().refusal(), Some(Refusal::NotFound));
    assert_eq!(ask(&feed).await.unwrap_err().refusal(), Some(Refusal::Value));
    assert!(matches!(ask(&feed).await, Err(PortError::InDoubt(_))));
    assert_eq!(ask(&rest(&base, "another")).await.unwrap_err().refusal(), Some(Refusal::Rights));
    hr.lock().unwrap().delay = Some(Duration::from_secs(600));
    assert!(matches!(ask(&feed).await, Err(PortError::InDoubt(_))), "no answer in time: it may have arrived");
    hr.lock().unwrap().delay = None;

    hr.lock().unwrap().asked.clear();
    hr.lock().unwrap().answers = [(503, Some("120")), (200, None)].into();
    assert_eq!(ask(&feed).await, Ok(HrAnswer::Later(TimeDelta::seconds(120))));
    let Ok(HrAnswer::Later(left)) = ask(&feed).await else { panic!("it was asked again too early") };
    assert!(left > TimeDelta::seconds(110), "{left}");
    assert_eq!(hr.lock().unwrap().asked.len(), 1, "a server that asks for quiet gets it");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_drop_folder_holds_one_whole_file_a_change_however_often_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock::at(kimlik_tests::ministry::day("2026-12-01")));
    let feed = DropFolder::new(folder.path(), &std::collections::HashMap::new(), clock.clone());
    let at = clock.now();
    for _ in 0..2 {
        assert_eq!(feed.write_phones(Uuid::from_u128(7), &no("S1"), &mobile(), at).await, Ok(HrAnswer::Taken));
    }
    feed.write_phones(Uuid::from_u128(8), &no("S2"), &work(), at).await.unwrap();
    let mut files: Vec<_> = std::fs::read_dir(folder.path().join("out")).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 2, "{files:?}");
    let text = std::fs::read_to_string(&files[0]).unwrap();
    assert_eq!(
        text,
        "key;registry_no;changed;mobile;work_phone;extension;changed_at\n\
         00000000-0000-0000-0000-000000000007;S1;mobile;+905321110002;;;2026-12-01T06:00:00Z\n"
    );
    assert!(std::fs::read_to_string(&files[1]).unwrap().contains(";S2;work_phone,extension;;+903124101001;;"));
    assert_eq!(feed.poll(None).await.unwrap(), None, "what lies in out/ is no delivery");
}

#[tokio::test]
async fn the_simulated_ministry_takes_a_number_and_delivers_it_also_after_a_restart() {
    let clock = Arc::new(TestClock::at(kimlik_tests::ministry::day("2026-12-01")));
    let ministry = || SimulatedMinistry::new(7, 60, 1, clock.clone()).without_rest();
    let hr = ministry();
    let mut position = None;
    for _ in 0..2 {
        position = Some(hr.poll(position.as_deref()).await.unwrap().unwrap().position);
    }
    hr.write_phones(Uuid::from_u128(7), &no("S000005"), &mobile(), clock.now()).await.unwrap();
    hr.write_phones(Uuid::from_u128(8), &no("S000005"), &work(), clock.now()).await.unwrap();
    let delivered = async |hr: &SimulatedMinistry, position: &mut Option<String>| {
        for _ in 0..20 {
            let delivery = hr.poll(position.as_deref()).await.unwrap().unwrap();
            *position = Some(delivery.position);
            let Content::Delta(rows) = delivery.content else { continue };
            if let Some(row) = rows.iter().find(|row| row.text(Field::RegistryNo) == Some("S000005")) {
                return [Field::Mobile, Field::WorkPhone, Field::Extension].map(|field| row.text(field).unwrap_or("").to_owned());
            }
        }
        panic!("never delivered");
    };
    let numbers = ["+905321110002".to_owned(), "+903124101001".to_owned(), String::new()];
    assert_eq!(delivered(&hr, &mut position).await, numbers);
    assert_eq!(delivered(&ministry(), &mut position).await, numbers, "it is remembered in the position");
}
