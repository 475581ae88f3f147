//! A real fault: the caller gets an id, and everything else stands in the log beside that id.
use crate::surface::program::Serving;
use kimlik_tests::postgres;
use serde_json::json;
use sqlx::{Connection, PgConnection};
use std::time::Duration;

#[tokio::test]
async fn a_real_fault_gives_an_id_that_stands_in_the_log_and_nothing_else() {
    let database = postgres::database().await;
    let serving = Serving::start_on(&database.url, &[]);
    let query = "{ webhooks(first: 1) { nodes { id url } } }";
    assert!(serving.ask(query).await["errors"].is_null());
    let mut db = PgConnection::connect(&database.url).await.unwrap();
    sqlx::query("ALTER TABLE webhook RENAME TO gone_astray").execute(&mut db).await.unwrap();

    let mut ids = Vec::new();
    for asked in [query, "query { webhooks { nodes { id } } }", query] {
        let answer = serving.ask(asked).await;
        let error = &answer["errors"][0];
        let id = error["extensions"]["fault"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        assert_eq!(error["extensions"], json!({ "code": "FAULT", "fault": id }), "{answer}");
        let told = answer.to_string().to_ascii_lowercase();
        for inner in ["relation", "gone_astray", "postgres", "select", "sql", "42p01", "unreachable", "refused"] {
            assert!(!told.contains(inner), "{inner}: {answer}");
        }
        let line = serving.says(&id, Duration::from_secs(60));
        assert!(line.contains("ERROR") && line.contains("webhook"), "the log says why: {line}");
        ids.push(id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 3, "each fault has an id of its own");
}
