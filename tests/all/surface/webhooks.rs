//! Webhooks at the real program: made, told, killed, replayed and deleted over GraphQL.
use super::program::Serving;
use kimlik_tests::receiver::{Manner, Receiver, verified};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::{Duration, Instant};

const FIELDS: &str = "id url events madeBy cursor behind lastSuccessAt failingSince failures lastFault nextAttemptAt";

/// A ministry that goes on living.
const LIVING: &[(&str, &str)] = &[("KIMLIK__HR__POLL_SECONDS", "1")];

async fn deed(serving: &Serving, name: &str, input: &str, fields: &str, variables: Value) -> Value {
    let query = format!(
        "mutation($input: {input}!) {{ {name}(input: $input) {{ webhook {{ {FIELDS} }} {fields} userErrors {{ code path message }} }} }}"
    );
    let token = serving.token().await;
    let answer = serving.ask_as(Some(&token), &query, json!({ "input": variables })).await;
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"][name].clone()
}

async fn make(serving: &Serving, url: &str) -> Value {
    deed(serving, "webhookCreate", "WebhookCreateInput", "secret", json!({ "url": url })).await
}

async fn state(serving: &Serving) -> Value {
    let answer = serving.ask(&format!("{{ webhooks {{ nodes {{ {FIELDS} }} }} }}")).await;
    answer["data"]["webhooks"]["nodes"][0].clone()
}

async fn until<T>(what: &str, mut found: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = found().await {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "{what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// What systemHealth says of the receiver.
async fn health(serving: &Serving) -> Option<Value> {
    let answer = serving.ask("{ systemHealth { findings { about code health since found mend lag { of seconds } } } }").await;
    let findings = answer["data"]["systemHealth"]["findings"].as_array().unwrap_or_else(|| panic!("{answer}"));
    findings.iter().find(|f| f["about"].as_str().unwrap().starts_with("webhook 127.0.0.1")).cloned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_is_told_over_a_kill_and_told_again_when_asked() {
    let receiver = Receiver::start(Manner::Answers(500));
    let serving = Serving::start(LIVING);
    let made = make(&serving, &receiver.url()).await;
    let secret = made["secret"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    assert_eq!(made["webhook"]["events"].as_array().unwrap().len(), kimlik_domain::webhook::EventKind::ALL.len());
    let failing = until("it is failing", async || Some(state(&serving).await).filter(|s| s["failures"].as_i64() > Some(0))).await;
    assert!(failing["failingSince"].is_string() && failing["nextAttemptAt"].is_string(), "{failing}");
    assert_eq!(failing["lastFault"], "it answered 500");
    let named = until("systemHealth says so", async || health(&serving).await.filter(|f| f["code"] == "WEBHOOK_FAILING")).await;
    assert_eq!((&named["health"], &named["lag"]["of"]), (&json!("DOUBTFUL"), &json!("OLDEST_WAITING")), "{named}");
    let moment = |of: &Value| chrono::DateTime::parse_from_rfc3339(of.as_str().unwrap()).unwrap();
    assert_eq!(moment(&named["since"]), moment(&failing["failingSince"]), "since its first failure, and not since it was looked at");
    assert!(
        named["found"].as_str().unwrap().contains("it answered 500") && named["mend"].as_str().unwrap().contains("yonetici"),
        "{named}"
    );
    receiver.behave(Manner::Takes);
    until("twenty are told", async || (receiver.took().len() >= 20).then_some(())).await;
    // Ended by force in the middle, and begun again in the same folder.
    let folder = serving.killed();
    let told = receiver.took();
    let serving = Serving::start_in(folder, LIVING);
    let caught_up = until("it has caught up", async || {
        Some(state(&serving).await).filter(|s| s["behind"] == 0 && receiver.took().len() > told.len() && s["lastSuccessAt"].is_string())
    })
    .await;
    until("it is well again", async || health(&serving).await.filter(|f| f["health"] == "GOOD")).await;
    assert!(caught_up["failingSince"].is_null() && caught_up["lastFault"].is_null(), "{caught_up}");
    let all = receiver.took();
    assert_eq!(verified(&secret, &all), format!("right {}", all.len()));
    let ids: HashSet<String> = all.iter().map(|h| h.id()).collect();
    assert!(all.len() - ids.len() <= 1, "at most the one that was being told when it was killed is told twice");
    let mut sequences: Vec<i64> = all.iter().map(|h| h.event()["sequence"].as_str().unwrap().parse().unwrap()).collect();
    assert!(sequences.is_sorted());
    sequences.dedup();
    let (first, last) = (sequences[0], *sequences.last().unwrap());
    assert_eq!(sequences, (first..=last).collect::<Vec<_>>(), "without a gap");
    for heard in &all {
        assert!(heard.body.contains("kimlik.account.") && !heard.body.contains("+905"), "{}", heard.body);
    }
    receiver.forget();
    let after = &all[all.len() - 3].event()["sequence"].clone();
    let replay = json!({ "webhookId": made["webhook"]["id"], "after": after });
    let replayed = deed(&serving, "webhookReplay", "WebhookReplayInput", "", replay).await;
    assert_eq!(replayed["userErrors"], json!([]), "{replayed}");
    // Why only what was told before: the ministry lives on, and what is new may be told in between.
    let heard_again = async || Some(receiver.took().iter().map(|h| h.id()).filter(|id| ids.contains(id)).collect::<Vec<_>>());
    let again = until("the last two again", async || heard_again().await.filter(|again| again.len() >= 2)).await;
    assert_eq!(again, [all[all.len() - 2].id(), all[all.len() - 1].id()]);
    let gone = deed(&serving, "webhookDelete", "WebhookDeleteInput", "", json!({ "webhookId": made["webhook"]["id"] })).await;
    assert_eq!(gone["webhook"]["id"], made["webhook"]["id"], "{gone}");
    assert!(state(&serving).await.is_null());
    let again = deed(&serving, "webhookDelete", "WebhookDeleteInput", "", json!({ "webhookId": made["webhook"]["id"] })).await;
    assert_eq!(again["userErrors"][0]["code"], "NOT_FOUND", "{again}");
}

#[tokio::test]
async fn what_cannot_be_a_receiver_is_said_before_anything_is_told() {
    let serving = Serving::start(&[]);
    for (url, code) in [
        ("", "INVALID"),
        ("personel", "INVALID"),
        ("ftp://personel.csb.test/", "INVALID"),
        ("http://personel.csb.test/", "INVALID"),
        ("https://user:pass@personel.csb.test/", "INVALID"),
        ("https://10.1.2.3/", "INVALID"),
        ("https://169.254.169.254/latest/meta-data", "INVALID"),
        ("https://[::ffff:169.254.169.254]/", "INVALID"),
        (&format!("https://personel.csb.test/{}", "x".repeat(2_000)), "TOO_LONG"),
    ] {
        let answer = make(&serving, url).await;
        assert_eq!(
            (&answer["userErrors"][0]["code"], &answer["userErrors"][0]["path"]),
            (&json!(code), &json!(["url"])),
            "{url}: {answer}"
        );
        assert!(answer["secret"].is_null() && answer["webhook"].is_null());
    }
    let none = json!({ "url": "http://personel.csb.test/", "events": [] });
    let both = deed(&serving, "webhookCreate", "WebhookCreateInput", "secret", none).await;
    assert_eq!(both["userErrors"].as_array().unwrap().len(), 2, "all of them at once: {both}");
    let made = make(&serving, "https://personel.csb.test/kimlik").await;
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    for after in ["x", "-1", "99999999"] {
        let input = json!({ "webhookId": made["webhook"]["id"], "after": after });
        let answer = deed(&serving, "webhookReplay", "WebhookReplayInput", "", input).await;
        assert_eq!(answer["userErrors"][0]["path"], json!(["after"]), "{answer}");
    }
    let secrets = serving.ask("{ auditEvents(first: 50) { nodes { deed detail } } }").await.to_string();
    assert!(secrets.contains("webhook.make") && !secrets.contains(made["secret"].as_str().unwrap()), "{secrets}");
}
