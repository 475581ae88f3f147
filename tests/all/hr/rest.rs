use super::{cells, rows};
use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use kimlik_adapters::hr::rest::{RestFeed, RestLimits, RestSettings};
use kimlik_domain::ports::{HrFeed, PortError, Refusal};
use kimlik_domain::staff::feed::{Content, Delivery, Field};
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const TOKEN: &str = "gizli-belirtec";

/// What a scripted HR system answers to the next question about its staff.
enum Answer {
    Json(Value),
    Raw(StatusCode, Vec<(&'static str, &'static str)>, String),
    Slow,
}

#[derive(Default)]
struct Script {
    units: Value,
    staff: VecDeque<Answer>,
    asked: Vec<HashMap<String, String>>,
}

type Shared = Arc<Mutex<Script>>;

async fn answer(State(script): State<Shared>, Query(query): Query<HashMap<String, String>>, headers: HeaderMap) -> Response {
    if headers.get("authorization").and_then(|v| v.to_str().ok()) != Some(&format!("Bearer {TOKEN}")) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let answer = {
        let mut script = script.lock().unwrap();
        script.asked.push(query);
        script.staff.pop_front()
    };
    match answer.unwrap() {
        Answer::Json(value) => axum::Json(value).into_response(),
        Answer::Raw(status, headers, body) => {
            let mut response = (status, body).into_response();
            headers.iter().for_each(|(name, value)| {
                response.headers_mut().insert(*name, value.parse().unwrap());
            });
            response
        }
        Answer::Slow => {
            std::future::pending::<()>().await;
            StatusCode::OK.into_response()
        }
    }
}

async fn units(State(script): State<Shared>) -> Response {
    axum::Json(json!({"items": script.lock().unwrap().units.clone(), "next_cursor": null, "snapshot": true})).into_response()
}

struct System {
    script: Shared,
    base: String,
}

impl System {
    async fn start() -> System {
        let script = Shared::default();
        script.lock().unwrap().units = json!([{"code": "98000007", "name": "Ağrı"}]);
        let router = Router::new().route("/v1/staff", get(answer)).route("/v1/units", get(units)).with_state(script.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/v1", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        System { script, base }
    }
    fn feed(&self) -> RestFeed {
        let limits =
            RestLimits { request: Duration::from_secs(10), page_octets: 10_000, patience: Duration::from_secs(5), ..RestLimits::default() };
        let field_names = HashMap::from([("sicil".to_owned(), Field::RegistryNo)]);
        let settings = RestSettings { base_url: self.base.clone(), token: Some(TOKEN.to_owned().into()), ca_pem: None, field_names };
        RestFeed::with_limits(settings, limits).unwrap()
    }
    fn say(&self, answers: impl IntoIterator<Item = Answer>) {
        self.script.lock().unwrap().staff.extend(answers);
    }
    fn asked(&self) -> Vec<HashMap<String, String>> {
        std::mem::take(&mut self.script.lock().unwrap().asked)
    }
    /// The position behind the units.
    async fn after_units(&self, feed: &RestFeed) -> String {
        feed.poll(None).await.unwrap().unwrap().position
    }
}

fn page(items: Value, next: Option<&str>, snapshot: bool) -> Answer {
    Answer::Json(json!({"items": items, "next_cursor": next, "snapshot": snapshot}))
}

fn person(no: &str) -> Value {
    json!({"sicil": no, "given_name": "Ayşe", "mobile": null, "mobile_public": true, "unknown": {"a": 1},
        "postings": [{"unit_code": "98000007", "posting_kind": "PERMANENT"}, {"unit_code": 98000014, "posting_kind": "SECONDED"}]})
}

async fn staff(feed: &RestFeed, position: &str) -> Result<Option<Delivery>, PortError> {
    feed.poll(Some(position)).await
}

#[tokio::test]
async fn units_then_a_snapshot_of_all_pages_then_what_came_since() {
    let system = System::start().await;
    let feed = system.feed();
    let units = feed.poll(None).await.unwrap().unwrap();
    assert!(matches!(units.content, Content::Units(_)));
    assert_eq!(cells(&units, Field::Name), [Some("Ağrı")]);

    system.say([page(json!([person("S1")]), Some("c1"), true), page(json!([person("S2"), 7]), None, true)]);
    let snapshot = staff(&feed, &units.position).await.unwrap().unwrap();
    assert!(matches!(snapshot.content, Content::Snapshot(_)));
    assert_eq!(cells(&snapshot, Field::RegistryNo), ["S1", "S1", "S2", "S2"].map(Some));
    assert_eq!(cells(&snapshot, Field::UnitCode)[..2], [Some("98000007"), Some("98000014")]);
    assert_eq!(
        (cells(&snapshot, Field::Mobile)[0], cells(&snapshot, Field::MobilePublic)[0], cells(&snapshot, Field::Office)[0]),
        (Some(""), Some("yes"), None)
    );
    assert_eq!((snapshot.broken[0].line, rows(&snapshot)[2].line), (3, 2));
    let asked = system.asked();
    assert_eq!((asked[0].get("cursor"), asked[1].get("cursor").map(String::as_str), asked[1].get("since")), (None, Some("c1"), None));

    system.say([page(json!([{"sicil": "S2", "postings": []}]), Some("c2"), false), page(json!([]), None, false)]);
    let delta = staff(&feed, &snapshot.position).await.unwrap().unwrap();
    assert!(matches!(delta.content, Content::Delta(_)));
    assert_eq!(cells(&delta, Field::UnitCode), [Some("")], "an empty list of postings says none");
    assert_eq!(system.asked()[0].get("since").map(String::as_str), Some("c1"));

    system.say([page(json!([]), None, false)]);
    assert_eq!(staff(&feed, &delta.position).await.unwrap(), None);
    assert_eq!(system.asked()[0].get("since").map(String::as_str), Some("c2"));

    system.script.lock().unwrap().units = json!([{"code": "98000007", "name": "Ağrı İl Müdürlüğü"}]);
    assert!(matches!(staff(&feed, &delta.position).await.unwrap().unwrap().content, Content::Units(_)));
}

#[tokio::test]
async fn a_system_without_cursors_is_read_whole_and_delivered_when_it_has_changed() {
    let system = System::start().await;
    let feed = system.feed();
    let position = system.after_units(&feed).await;
    system.say([page(json!([person("S1")]), None, true)]);
    let first = staff(&feed, &position).await.unwrap().unwrap();
    system.say([page(json!([person("S1")]), None, true), page(json!([person("S1"), person("S2")]), None, true)]);
    assert_eq!(staff(&feed, &first.position).await.unwrap(), None);
    assert_eq!(rows(&staff(&feed, &first.position).await.unwrap().unwrap()).len(), 4);
}

#[tokio::test]
async fn broken_answers_are_thrown_away_whole() {
    let system = System::start().await;
    let feed = system.feed();
    let position = system.after_units(&feed).await;
    let first = || page(json!([person("S1")]), Some("c1"), true);
    let raw = |status, body: &str| Answer::Raw(status, vec![], body.to_owned());
    let unavailable = [
        raw(StatusCode::OK, r#"{"items": [{"sicil": "S2"#),
        raw(StatusCode::BAD_GATEWAY, ""),
        raw(StatusCode::SERVICE_UNAVAILABLE, ""),
        Answer::Slow,
    ];
    for second in unavailable {
        system.say([first(), second]);
        let error = staff(&feed, &position).await.unwrap_err();
        assert!(matches!(error, PortError::Unavailable(_)), "{error}");
        assert!(!error.to_string().contains(TOKEN) && !error.to_string().contains("S2"), "{error}");
    }
    let refused = [
        page(json!([person("S2")]), Some("c1"), true),
        page(json!([person("S2")]), None, false),
        Answer::Json(json!({"items": []})),
        Answer::Json(json!({"items": {}, "next_cursor": null})),
        Answer::Json(json!([])),
        raw(StatusCode::OK, &format!("{{\"x\": \"{}\"}}", "x".repeat(20_000))),
        raw(StatusCode::NOT_FOUND, ""),
        Answer::Raw(StatusCode::FOUND, vec![("location", "http://127.0.0.1:1/")], String::new()),
    ];
    for second in refused {
        system.say([first(), second]);
        let error = staff(&feed, &position).await.unwrap_err();
        assert_eq!(error.refusal(), Some(Refusal::Other), "{error}");
    }
    system.say([first(), page(json!([person("S2")]), None, true)]);
    assert_eq!(rows(&staff(&feed, &position).await.unwrap().unwrap()).len(), 4, "and afterwards it goes on");
}

#[tokio::test]
async fn a_system_that_asks_to_wait_is_not_asked_before() {
    let system = System::start().await;
    let feed = system.feed();
    let position = system.after_units(&feed).await;
    let wait = |seconds| Answer::Raw(StatusCode::TOO_MANY_REQUESTS, vec![("retry-after", seconds)], String::new());
    system.say([wait("1"), page(json!([person("S1")]), None, true)]);
    let began = Instant::now();
    assert!(staff(&feed, &position).await.unwrap().is_some());
    assert!(began.elapsed() >= Duration::from_secs(1));
    system.say([wait("600")]);
    assert!(matches!(staff(&feed, &position).await, Err(PortError::Unavailable(text)) if text.contains("wait")));
    let asked = system.asked().len();
    assert!(matches!(staff(&feed, &position).await, Err(PortError::Unavailable(_))));
    assert_eq!(system.asked().len() + asked, asked, "nothing was asked meanwhile");
}

#[tokio::test]
async fn a_cursor_that_the_system_has_forgotten_gives_a_new_snapshot() {
    let system = System::start().await;
    let feed = system.feed();
    let position = system.after_units(&feed).await;
    system.say([Answer::Json(json!({"items": [person("S1")], "next_cursor": null, "cursor": "c9", "snapshot": true}))]);
    let first = staff(&feed, &position).await.unwrap().unwrap();
    system.say([Answer::Raw(StatusCode::GONE, vec![], String::new()), page(json!([person("S2")]), None, true)]);
    let again = staff(&feed, &first.position).await.unwrap().unwrap();
    assert!(matches!(again.content, Content::Snapshot(_)));
    let asked = system.asked();
    assert_eq!((asked[1].get("since").map(String::as_str), asked[2].get("since")), (Some("c9"), None));
}

#[tokio::test]
async fn a_wrong_token_and_a_system_that_is_away_are_told_apart() {
    let system = System::start().await;
    let settings = |base: &str| RestSettings {
        base_url: base.into(),
        token: Some("yanlis".to_owned().into()),
        ca_pem: None,
        field_names: HashMap::new(),
    };
    let feed = RestFeed::new(settings(&system.base)).unwrap();
    let position = feed.poll(None).await.unwrap().unwrap().position;
    let error = staff(&feed, &position).await.unwrap_err();
    assert_eq!(error.refusal(), Some(Refusal::Rights));
    assert!(!error.to_string().contains("yanlis"));
    let away = RestFeed::new(settings("http://127.0.0.1:9/v1")).unwrap().poll(None).await;
    assert!(matches!(away, Err(PortError::Unavailable(_))));
    let foreign = feed.poll(Some("units=1;staff=2")).await;
    assert_eq!(foreign.unwrap_err().refusal(), Some(Refusal::Other));
}
