//! A run whose process is killed: whoever looks is told that nobody carries it out any more, and whoever follows it comes to an end.
use super::runs::{START, store};
use super::{json, until};
use crate::attacks::replicas;
use crate::surface::program::Serving;
use kimlik_adapters::store::SqlStore;
use kimlik_adapters::system::SystemClock;
use kimlik_domain::id::RunId;
use kimlik_domain::lifecycle::run::RunStatus;
use kimlik_domain::ports::{Clock as _, Store as _, WatchRuns as _};
use kimlik_tests::postgres;
use serde_json::Value;
use std::time::Duration;
use uuid::Uuid;

/// Whoever is there afterwards, the store beside it, an administrator's token, and a run over everybody that was going on when its process was
/// killed.
async fn killed_in_a_run(
    mut serving: Serving,
    again: impl Fn(tempfile::TempDir) -> Serving,
    url: Option<&str>,
) -> (Serving, SqlStore, String, RunId) {
    let token = serving.token().await;
    for _ in 0..10 {
        let begun = until("nobody else looks at everybody", async || {
            let answer = serving.ask_as(Some(&token), START, json!({ "i": { "intake": false } })).await;
            let run = answer["data"]["syncStart"]["run"]["id"].clone();
            run.is_string().then_some(run)
        })
        .await;
        let folder = serving.killed();
        let run = RunId(Uuid::try_parse(begun.as_str().unwrap().strip_prefix("run_").unwrap()).unwrap());
        serving = again(folder);
        let store = store(&serving, url).await;
        if store.progress(run).await.unwrap().unwrap().0.status == RunStatus::Running {
            return (serving, store, token, run);
        }
    }
    panic!("ten runs were faster than their killer")
}

/// All that is told to whoever follows it, until the end.
async fn followed(serving: &Serving, token: &str, run: &str) -> Vec<Value> {
    let query = format!("subscription {{ syncProgress(runId: \"{run}\") {{ status run {{ status finishedAt startedBy }} }} }}");
    let request = reqwest::Client::new().post(serving.url("/graphql")).header("accept", "text/event-stream").bearer_auth(token);
    let request = request.header("content-type", "application/json").body(json!({ "query": query }).to_string());
    let told = tokio::time::timeout(Duration::from_secs(60), async { request.send().await.unwrap().text().await.unwrap() });
    let told = told.await.expect("the subscription comes to its end");
    assert!(told.contains("event: complete"), "{told}");
    let events = told.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| !data.is_empty());
    events.map(|event| serde_json::from_str::<Value>(event).unwrap()["data"]["syncProgress"].clone()).collect()
}

async fn is_told_and_ends((serving, store, token, run): (Serving, SqlStore, String, RunId)) {
    let id = format!("run_{}", run.0.simple());
    let seen = async || {
        let query = format!("{{ node(id: \"{id}\") {{ ... on SyncRun {{ status finishedAt }} }} }}");
        let answer = serving.ask_as(Some(&token), &query, json!({})).await;
        answer["data"]["node"].clone()
    };
    assert_eq!(seen().await, json!({ "status": "RUNNING", "finishedAt": null }), "it may be somebody who is only slow");
    let patience = async {
        // As if a minute had passed.
        tokio::time::sleep(Duration::from_secs(1)).await;
        store.keep_run(run, SystemClock.now()).await.unwrap();
    };
    let (told, ()) = tokio::join!(followed(&serving, &token, &id), patience);
    let last = told.last().unwrap();
    assert_eq!((&told[0]["status"], &last["status"]), (&json!("RUNNING"), &json!("INTERRUPTED")), "{told:?}");
    assert_eq!((&last["run"]["status"], &last["run"]["startedBy"]), (&json!("INTERRUPTED"), &json!("user:yonetici")), "{last}");
    assert!(last["run"]["finishedAt"].is_string(), "{last}");
    assert_eq!(seen().await["status"], "INTERRUPTED");
    assert_eq!(followed(&serving, &token, &id).await.len(), 1, "who comes later is told once");
    // What it left is done by others.
    until("everybody is looked at again", async || {
        let answer = serving.ask_as(Some(&token), "{ syncRuns(first: 5) { nodes { id status people } } }", json!({})).await;
        let runs = answer["data"]["syncRuns"]["nodes"].as_array().unwrap().clone();
        runs.into_iter().find(|r| r["id"] != id && r["status"] == "DONE" && r["people"].as_u64() >= Some(40))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_was_killed_is_told_by_the_next_process() {
    let serving = Serving::start(&[]);
    crate::access_matrix::people(&serving).await;
    is_told_and_ends(killed_in_a_run(serving, |folder| Serving::start_in(folder, &[]), None).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_was_killed_is_told_by_another_replica_on_postgresql() {
    let database = postgres::database().await;
    let [one, two] = replicas(&database.url).await;
    // Why kept: both replicas use the directory and the secrets of the one that is killed.
    let folders = std::sync::Mutex::new(Vec::new());
    let others = std::sync::Mutex::new(Some(two));
    let again = |folder| {
        folders.lock().unwrap().push(folder);
        others.lock().unwrap().take().expect("a run over everybody takes longer than its killer")
    };
    is_told_and_ends(killed_in_a_run(one, again, Some(&database.url)).await).await;
}
