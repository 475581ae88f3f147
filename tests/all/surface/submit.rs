//! HR records handed in at the real program: a result for every record, in both languages, large, repeated, in parts, and only
//! by those who may.
use super::program::{Serving, moment_in};
use kimlik_adapters::system::SystemClock;
use kimlik_domain::ports::Clock as _;
use kimlik_tests::ministry::national_id;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const MUTATION: &str = "mutation($input: StaffRecordsSubmitInput!) { staffRecordsSubmit(input: $input) {
    submission { id key state parts records troubled { index outcome } } report { newPeople changedPeople unchangedPeople rejected held absent shrunken }
    results { index registryNumber outcome faults { kind field message blocks } } userErrors { code path message } } }";

async fn ask(serving: &Serving, token: Option<&str>, language: &str, input: Value) -> Value {
    let body = json!({ "query": MUTATION, "variables": { "input": input } }).to_string();
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let mut request = reqwest::Client::new()
        .post(serving.url("/graphql"))
        .header("content-type", "application/json")
        .header("accept-language", language)
        .body(body);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
}

async fn submit(serving: &Serving, token: &str, language: &str, input: Value) -> Value {
    let answer = ask(serving, Some(token), language, input).await;
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"]["staffRecordsSubmit"].clone()
}

async fn service(serving: &Serving, name: &str) -> String {
    let query = "mutation($input: ServiceAccountCreateInput!) { serviceAccountCreate(input: $input) { secret } }";
    let input = json!({ "name": name, "scopes": ["STAFF_WRITE"], "owner": "test", "expiresAt": moment_in(30) });
    let answer = serving.ask_as(Some(&serving.token().await), query, json!({ "input": input })).await;
    answer["data"]["serviceAccountCreate"]["secret"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

/// A unit of the simulated ministry.
async fn unit(serving: &Serving) -> String {
    serving.at_rest().await;
    let began = Instant::now();
    loop {
        let answer = serving.ask("{ identityCards(first: 100) { nodes { unit { code } } } }").await;
        let nodes = answer["data"]["identityCards"]["nodes"].as_array().cloned().unwrap_or_default();
        if let Some(code) = nodes.iter().find_map(|n| n["unit"]["code"].as_str()) {
            return code.to_owned();
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{answer}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn record(n: u32, unit: &str) -> Value {
    let letters: String = n.to_string().chars().map(|c| char::from(b'a' + c as u8 - b'0')).collect();
    json!({
        "registryNumber": format!("P{n:06}"), "nationalId": national_id(700_000 + n), "givenName": "IŞIL", "familyName": format!("ÖZTÜRK{letters}"),
        "employmentStartsOn": "2020-01-01", "mobile": "0555 111 22 33", "mobilePublic": false, "office": null,
        "postings": [{ "kind": "PERMANENT", "unitCode": unit, "titlePost": "Memur", "startsOn": "01.01.2020" }],
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_for_every_record_in_the_caller_s_language_and_the_account_follows() {
    let serving = Serving::start(&[]);
    let (unit, token) = (unit(&serving).await, service(&serving, "hr-push").await);
    let mut bad = record(2, &unit);
    bad["employmentEndsOn"] = json!("31.02.2026");
    let mut doubtful = record(3, &unit);
    doubtful["mobile"] = json!("call me");
    let nobody = json!({ "registryNumber": "", "givenName": "A", "familyName": "B" });
    let records = json!([record(1, &unit), bad, doubtful, nobody]);
    let input = json!({ "mode": "DELTA", "idempotencyKey": "first", "records": records });
    let mut dry = input.clone();
    dry["dryRun"] = json!(true);
    let rehearsed = submit(&serving, &token, "en", dry).await;
    let outcomes = |answer: &Value| answer["results"].as_array().unwrap().iter().map(|r| r["outcome"].clone()).collect::<Vec<_>>();
    assert_eq!(outcomes(&rehearsed), ["ACCEPTED", "REJECTED", "WITH_ISSUES", "REJECTED"], "{rehearsed}");
    assert!(rehearsed["submission"].is_null());
    let taken = submit(&serving, &token, "tr", input.clone()).await;
    assert_eq!(outcomes(&taken), outcomes(&rehearsed));
    assert_eq!((&taken["submission"]["state"], &taken["report"]["newPeople"]), (&json!("TAKEN"), &json!(2)), "{taken}");
    assert_eq!(taken["submission"]["troubled"].as_array().unwrap().len(), 3);
    let fault = |answer: &Value| answer["results"][1]["faults"][0].clone();
    assert_eq!(fault(&taken)["message"], "Bu bir tarih değil. 2026-12-01 veya 01.12.2026 biçiminde yazın.", "{taken}");
    assert_eq!((&fault(&taken)["kind"], &fault(&taken)["field"]), (&json!("INVALID_DATE"), &json!("employment_end")));
    assert!(taken["results"][3]["registryNumber"].is_null());
    let again = submit(&serving, &token, "en", input.clone()).await;
    assert_eq!((&again["report"], &again["submission"]["id"]), (&taken["report"], &taken["submission"]["id"]), "the first result again");
    assert_eq!(fault(&again)["message"], "This is not a date. Write 2026-12-01 or 01.12.2026.");
    let other = json!({ "mode": "DELTA", "idempotencyKey": "first", "records": [record(9, &unit)] });
    let reused = submit(&serving, &token, "tr", other).await;
    assert_eq!(reused["userErrors"][0]["code"], "IDEMPOTENCY_KEY_REUSED", "{reused}");
    assert_eq!(reused["userErrors"][0]["message"], "Bu anahtar başka bir girdi için kullanıldı.");
    // What was handed in becomes an account by itself.
    let began = Instant::now();
    loop {
        let card = serving.ask("{ identityCard(by: { registryNumber: \"P000001\" }) { accountState username } }").await;
        if card["data"]["identityCard"]["accountState"] == "ACTIVE" {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{card}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_come_in_one_call_snapshots_in_parts_and_only_from_those_who_may() {
    let serving = Serving::start(&[]);
    let (unit, token) = (unit(&serving).await, service(&serving, "hr-push").await);
    let all: Vec<Value> = (1..=5_000).map(|n| record(n, &unit)).collect();
    let input = json!({ "mode": "DELTA", "idempotencyKey": "all", "records": all });
    assert!(input.to_string().len() > 1_000_000);
    let began = Instant::now();
    let answer = submit(&serving, &token, "en", input.clone()).await;
    println!("5,000 records over HTTP in {} ms", began.elapsed().as_millis());
    assert_eq!((&answer["report"]["newPeople"], answer["results"].as_array().unwrap().len()), (&json!(5_000), 5_000));
    let stranger = ask(&serving, None, "en", input.clone()).await;
    assert_eq!(stranger["errors"][0]["message"], "The request is longer than 262144 octets.", "{stranger}");
    let mut more = all.clone();
    more.push(record(5_001, &unit));
    let too_many = submit(&serving, &token, "tr", json!({ "mode": "DELTA", "idempotencyKey": "more", "records": more })).await;
    assert_eq!((&too_many["userErrors"][0]["code"], &too_many["userErrors"][0]["path"]), (&json!("TOO_LONG"), &json!(["records"])));
    let wrong = json!({ "mode": "DELTA", "idempotencyKey": "", "records": [], "submission": { "key": "", "part": 0, "last": true } });
    let wrong = submit(&serving, &token, "tr", wrong).await;
    let paths: Vec<&Value> = wrong["userErrors"].as_array().unwrap().iter().map(|e| &e["path"]).collect();
    assert_eq!(
        json!(paths),
        json!([["records"], ["idempotencyKey"], ["submission", "key"], ["submission"], ["submission", "part"]]),
        "{wrong}"
    );
    for error in wrong["userErrors"].as_array().unwrap() {
        assert!(!error["message"].as_str().unwrap().starts_with("A "), "in Turkish: {error}");
    }
    let part = |n: u32, last: bool, records: &[Value]| {
        json!({ "mode": "SNAPSHOT", "idempotencyKey": format!("part {n}"), "records": records,
                "submission": { "key": "night", "part": n, "last": last } })
    };
    let second = submit(&serving, &token, "en", part(2, true, &all[2_500..])).await;
    assert_eq!((&second["submission"]["state"], &second["results"][0]["outcome"]), (&json!("COLLECTING"), &json!("WAITING")));
    submit(&serving, &token, "en", part(1, false, &all[..2_500])).await;
    let query = format!(
        "{{ staffSubmission(id: {}) {{ state records report {{ unchangedPeople absent shrunken }} }} }}",
        second["submission"]["id"]
    );
    let began = Instant::now();
    let taken = loop {
        let answer = serving.ask_as(Some(&token), &query, json!({})).await;
        if answer["data"]["staffSubmission"]["state"] == "TAKEN" {
            break answer["data"]["staffSubmission"].clone();
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{answer}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!((&taken["records"], &taken["report"]["unchangedPeople"]), (&json!(5_000), &json!(5_000)), "{taken}");
    let other = service(&serving, "other").await;
    assert!(serving.ask_as(Some(&other), &query, json!({})).await["data"]["staffSubmission"].is_null(), "another's is not there");
}

const PLANNED: &str =
    "mutation($input: StaffRecordsSubmitInput!) { staffRecordsSubmit(input: $input) { submission { id run { id } } run { id trigger }
    plan { verdict changes(first: 100) { nodes { action registryNumber } } } results { outcome } userErrors { code } } }";

/// What is told of a run until it is over, over server-sent events.
async fn followed(serving: &Serving, token: &str, run: &Value) -> Vec<Value> {
    let query = "subscription($run: ID!) { syncProgress(runId: $run) { status total done failed } }";
    let body = json!({ "query": query, "variables": { "run": run } }).to_string();
    let request = reqwest::Client::new().post(serving.url("/graphql")).header("content-type", "application/json");
    let answer = request.header("accept", "text/event-stream").bearer_auth(token).body(body).send();
    let told = tokio::time::timeout(Duration::from_secs(60), async { answer.await.unwrap().text().await.unwrap() }).await.unwrap();
    let events = told.lines().filter_map(|line| line.strip_prefix("data:")).filter_map(|data| serde_json::from_str::<Value>(data).ok());
    events.map(|event| event["data"]["syncProgress"].clone()).filter(|progress| !progress.is_null()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_shows_what_would_be_done_and_the_run_of_the_real_one_is_followed_to_its_end() {
    let serving = Serving::start(&[]);
    let (unit, token) = (unit(&serving).await, serving.token().await);
    let ask = async |token: &str, input: &Value| {
        let answer = serving.ask_as(Some(token), PLANNED, json!({ "input": input })).await;
        assert!(answer["errors"].is_null(), "{answer}");
        answer["data"]["staffRecordsSubmit"].clone()
    };
    let mut numbers = Vec::new();
    for nth in [5, 6] {
        let id = super::suspension::somebody(&serving, nth).await["id"].clone();
        let found = serving.ask(&format!("{{ staffMember(by: {{ id: {id} }}) {{ registryNumber }} }}")).await;
        numbers.push(found["data"]["staffMember"]["registryNumber"].as_str().unwrap().to_owned());
    }
    let (leaver, bride) = (&numbers[0], &numbers[1]);
    let newcomers: Vec<Value> = (1..=20).map(|n| record(n, &unit)).collect();
    let said = [
        json!({ "registryNumber": leaver, "employmentEndsOn": "2026-01-31", "status": "TERMINATED" }),
        json!({ "registryNumber": bride, "familyName": "GÜLÜMSER" }),
        json!({ "registryNumber": "P900000", "givenName": "A", "familyName": "B", "employmentEndsOn": "31.02.2026" }),
    ];
    let records: Vec<Value> = newcomers.into_iter().chain(said).collect();
    let input = json!({ "mode": "DELTA", "idempotencyKey": "k", "records": records });
    let mut dry = input.clone();
    dry["dryRun"] = json!(true);
    let runs = "{ syncRuns(first: 100) { nodes { id } } }";
    let before = serving.ask(runs).await;
    let shown = ask(&token, &dry).await;
    let actions = |plan: &Value, number: &str| -> Vec<String> {
        let nodes = plan["changes"]["nodes"].as_array().unwrap_or_else(|| panic!("{plan}"));
        nodes.iter().filter(|c| c["registryNumber"] == number).map(|c| c["action"].as_str().unwrap().to_owned()).collect()
    };
    let plan = &shown["plan"];
    assert_eq!((actions(plan, leaver), actions(plan, bride)), (vec!["CLOSE".to_owned()], vec!["RENAME".to_owned()]), "{shown}");
    assert_eq!((actions(plan, "P000001"), actions(plan, "P000020")), (vec!["OPEN".to_owned()], vec!["OPEN".to_owned()]));
    assert!(actions(plan, "P900000").is_empty(), "nothing is done for a record that is rejected");
    assert_eq!((&shown["run"], &shown["submission"]), (&Value::Null, &Value::Null));
    assert_eq!(serving.ask(runs).await["data"], before["data"], "and nothing was done");
    assert!(serving.ask("{ identityCard(by: { registryNumber: \"P000001\" }) { id } }").await["data"]["identityCard"].is_null());

    let pusher = service(&serving, "hr-push").await;
    let may_not = ask(&pusher, &dry).await;
    assert!(may_not["plan"]["changes"].is_object() && may_not["run"].is_null(), "{may_not}");

    let before_it = SystemClock.now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    let done = ask(&token, &input).await;
    assert_eq!((&done["run"]["trigger"], &done["plan"]), (&json!("HR_CHANGE"), &Value::Null), "{done}");
    assert_eq!(done["submission"]["run"]["id"], done["run"]["id"]);
    let told = followed(&serving, &token, &done["run"]["id"]).await;
    let last = told.last().unwrap_or_else(|| panic!("nothing was told of {done}"));
    // Why not always all of them: the queue looks every second, and may have taken some between the commit and the run.
    let carried = last["total"].as_u64().unwrap();
    assert!(carried <= 22, "{told:?}");
    assert_eq!((&last["status"], &last["done"], &last["failed"]), (&json!("DONE"), &json!(carried), &json!(0)), "{told:?}");
    let query = format!(
        "{{ node(id: {}) {{ ... on SyncRun {{ done operations(first: 100) {{ nodes {{ status action card {{ id }} }} }} }} }} }}",
        done["run"]["id"]
    );
    let own = serving.ask(&query).await["data"]["node"].clone();
    let of_run = own["operations"]["nodes"].as_array().unwrap_or_else(|| panic!("{own}")).clone();
    assert_eq!((of_run.len() as u64, own["done"].as_u64()), (carried, Some(carried)), "{own}");
    assert!(of_run.iter().all(|o| o["status"] == "DONE"), "when the run is over it is so: {own}");
    let again = ask(&token, &input).await;
    assert_eq!(again["run"], done["run"], "the first result again");
    serving.at_rest().await;
    let numbers = (1..=20).map(|n| format!("P{n:06}"));
    for (number, state) in numbers.map(|number| (number, "ACTIVE")).chain([(leaver.clone(), "CLOSED"), (bride.clone(), "ACTIVE")]) {
        // Why not the card: it follows a moment later.
        let found = serving.ask(&format!("{{ staffMember(by: {{ registryNumber: \"{number}\" }}) {{ account {{ state }} }} }}")).await;
        assert_eq!(found["data"]["staffMember"]["account"]["state"], state, "{number}");
    }
    let since = format!("{{ operations(first: 100, filter: {{ since: \"{before_it}\" }}) {{ nodes {{ action status }} }} }}");
    let since = serving.ask(&since).await["data"]["operations"]["nodes"].clone();
    let count = |action: &str| since.as_array().unwrap().iter().filter(|o| o["action"] == action && o["status"] == "DONE").count();
    assert_eq!((count("OPEN"), count("CLOSE"), count("RENAME")), (20, 1, 1), "each once, whoever carried it out: {since}");
    let same = ask(&token, &json!({ "mode": "DELTA", "idempotencyKey": "k2", "records": [record(1, &unit)] })).await;
    assert!(same["run"].is_null(), "nobody was changed: {same}");
}
