//! The desk of personnel units and administrators over GraphQL, at the real program: records, data issues, runs, plans, operations.
use crate::access_matrix::{grant, people, service, token_of};
use crate::surface::program::{Serving, run};
use kimlik_domain::text;
use kimlik_tests::postgres;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

mod issues;
mod lost;
mod records;
pub mod runs;

/// Whatever is asked until the answer is as wanted.
async fn until(what: &str, mut ask: impl AsyncFnMut() -> Option<Value>) -> Value {
    let began = Instant::now();
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{what}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The program on PostgreSQL, with keys of its own.
pub async fn on_postgresql(environment: &[(&str, &str)]) -> (postgres::Database, Serving) {
    let database = postgres::database().await;
    let serving = Serving::start_on(&database.url, environment);
    (database, serving)
}

/// Records handed in as HR does; answers the results.
pub async fn hand_in(serving: &Serving, key: &str, records: Value) -> Value {
    let query = "mutation($input: StaffRecordsSubmitInput!) { staffRecordsSubmit(input: $input) {
        submission { state } results { outcome faults { kind } } userErrors { code path message } } }";
    let input = json!({ "mode": "DELTA", "idempotencyKey": key, "records": records });
    let answer = serving.ask_as(Some(&serving.token().await), query, json!({ "input": input })).await;
    let payload = answer["data"]["staffRecordsSubmit"].clone();
    assert_eq!((&payload["userErrors"], &payload["submission"]["state"]), (&json!([]), &json!("TAKEN")), "{answer}");
    payload["results"].clone()
}
