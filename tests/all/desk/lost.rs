//! A run whose process is killed: whoever looks is told that nobody carries it out any more, and whoever follows it comes to an end.
use super::runs::{START, store};
use super::{json, until};
use crate::attacks::replicas;
use crate::surface::program::Serving;
use chrono::{DateTime, Utc};
use kimlik_adapters::store::SqlStore;
use kimlik_adapters::system::SystemClock;
use kimlik_domain::id::RunId;
use kimlik_domain::lifecycle::run::RunStatus;
use kimlik_domain::ports::{Clock as _, Store as _, WatchRuns as _};
use kimlik_tests::postgres;
use serde_json::Value;
use std::time::Duration;
use tempfile::TempDir;
use uuid::Uuid;

/// A run over everybody that was going on when its process was killed.
struct Lost {
    run: RunId,
    store: SqlStore,
    /// An administrator's.
    token: String,
    killed: Killed,
}

struct Killed {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

impl Killed {
    fn started_anew(self) -> Serving {
        let environment: Vec<(&str, &str)> = self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Serving::start_in(self.folder, &environment)
    }
}

async fn killed_in_a_run(mut serving: Serving) -> Lost {
    let (token, store) = (serving.token().await, store(&serving, Some(&serving.database())).await);
    for _ in 0..10 {
        let begun = until("nobody else looks at everybody", async || {
            let answer = serving.ask_as(Some(&token), START, json!({ "i": { "intake": false } })).await;
            let run = answer["data"]["syncStart"]["run"]["id"].clone();
            run.is_string().then_some(run)
        })
        .await;
        let environment = serving.environment.clone();
        let killed = Killed { folder: serving.killed(), environment };
        let run = RunId(Uuid::try_parse(begun.as_str().unwrap().strip_prefix("run_").unwrap()).unwrap());
        if store.progress(run).await.unwrap().unwrap().0.status == RunStatus::Running {
            return Lost { run, store, token, killed };
        }
        serving = killed.started_anew();
    }
    panic!("ten runs were faster than their killer")
}

/// All that is told to whoever follows it, until the end. `heard`: what is done when the first has been told.
async fn followed(serving: &Serving, token: &str, run: &str, heard: impl AsyncFnOnce()) -> Vec<Value> {
    let query = format!("subscription {{ syncProgress(runId: \"{run}\") {{ status run {{ status finishedAt startedBy }} }} }}");
    let request = reqwest::Client::new().post(serving.url("/graphql")).header("accept", "text/event-stream").bearer_auth(token);
    let request = request.header("content-type", "application/json").body(json!({ "query": query }).to_string());
    let (mut told, mut heard) = (Vec::new(), Some(heard));
    let to_the_end = async {
        let mut answer = request.send().await.unwrap();
        while let Some(octets) = answer.chunk().await.unwrap() {
            told.extend_from_slice(&octets);
            if !events(&told).is_empty()
                && let Some(heard) = heard.take()
            {
                heard().await;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), to_the_end).await.expect("the subscription comes to its end");
    let text = String::from_utf8(told.clone()).unwrap();
    assert!(text.contains("event: complete"), "{text}");
    events(&told)
}

/// Those that have come whole.
fn events(told: &[u8]) -> Vec<Value> {
    let text = String::from_utf8_lossy(told);
    let lines = text.split_inclusive('\n').filter_map(|line| line.strip_prefix("data: ")?.strip_suffix('\n'));
    let events = lines.map(str::trim_end).filter(|data| !data.is_empty());
    events.map(|event| serde_json::from_str::<Value>(event).unwrap()["data"]["syncProgress"].clone()).collect()
}

/// `anew`: where the program was not yet started again.
async fn is_told_and_ends(serving: &Serving, lost: (RunId, SqlStore, String), anew: Option<Killed>) {
    let (run, store, token) = lost;
    let id = format!("run_{}", run.0.simple());
    let seen = async || {
        let query = format!("{{ node(id: \"{id}\") {{ ... on SyncRun {{ status startedAt finishedAt }} }} }}");
        let answer = serving.ask_as(Some(&token), &query, json!({})).await;
        answer["data"]["node"].clone()
    };
    let at_first = seen().await;
    assert_eq!((&at_first["status"], &at_first["finishedAt"]), (&json!("RUNNING"), &Value::Null), "it may be somebody who is only slow");
    // As if a minute had passed.
    let told = followed(serving, &token, &id, async || store.keep_run(run, SystemClock.now()).await.unwrap()).await;
    let last = told.last().unwrap();
    assert_eq!((&told[0]["status"], &last["status"]), (&json!("RUNNING"), &json!("INTERRUPTED")), "{told:?}");
    assert_eq!((&last["run"]["status"], &last["run"]["startedBy"]), (&json!("INTERRUPTED"), &json!("user:yonetici")), "{last}");
    assert!(last["run"]["finishedAt"].is_string(), "{last}");
    assert_eq!(seen().await["status"], "INTERRUPTED");
    assert_eq!(followed(serving, &token, &id, async || ()).await.len(), 1, "who comes later is told once");
    // What it left is done by a run of whoever is started anew, when the hand of the one that was killed is free.
    let _anew = anew.map(Killed::started_anew);
    let moment = |run: &Value| run["startedAt"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    until("everybody is looked at again", async || {
        let answer = serving.ask_as(Some(&token), "{ syncRuns(first: 20) { nodes { startedAt status people } } }", json!({})).await;
        let runs = answer["data"]["syncRuns"]["nodes"].as_array().unwrap().clone();
        runs.into_iter().find(|r| moment(r) > moment(&at_first) && r["status"] == "DONE" && r["people"].as_u64() >= Some(40))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_was_killed_is_told_by_the_next_process() {
    let serving = Serving::start(&[]);
    crate::access_matrix::people(&serving).await;
    let Lost { run, store, token, killed } = killed_in_a_run(serving).await;
    is_told_and_ends(&killed.started_anew(), (run, store, token), None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_was_killed_is_told_by_another_replica_on_postgresql() {
    let database = postgres::database().await;
    let [one, two] = replicas(&database.url).await;
    let Lost { run, store, token, killed } = killed_in_a_run(one).await;
    is_told_and_ends(&two, (run, store, token), Some(killed)).await;
}
