//! GraphQL over HTTP against the real program.
use super::program::Serving;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn client() -> reqwest::Client {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    reqwest::Client::new()
}

async fn ask(serving: &Serving, query: &str) -> Value {
    serving.ask(query).await
}

/// Until the ministry's accounts are there.
async fn opened(serving: &Serving) -> Value {
    serving.at_rest().await;
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let answer =
            ask(serving, "{ identityCards(first: 100) { nodes { id displayName username email accountState registryNumber } } }").await;
        let cards = answer["data"]["identityCards"]["nodes"].as_array().cloned().unwrap_or_default();
        if cards.len() >= 40 && cards.iter().filter(|c| c["accountState"] == "ACTIVE").count() > 20 {
            return cards.into();
        }
        assert!(Instant::now() < until, "no accounts: {answer}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn cards_runs_messages_and_issues_are_answered() {
    let serving = Serving::start(&[]);
    let cards = opened(&serving).await;
    let card = cards.as_array().unwrap().iter().find(|c| c["accountState"] == "ACTIVE").unwrap();
    for (key, field) in [("id", "id"), ("username", "username"), ("email", "email"), ("registryNumber", "registryNumber")] {
        let found = ask(&serving, &format!("{{ identityCard(by: {{ {key}: {} }}) {{ id }} }}", card[field])).await;
        assert_eq!(found["data"]["identityCard"]["id"], card["id"], "{key}: {found}");
    }
    let nobody = ask(&serving, "{ identityCard(by: { username: \"nobody.at.all\" }) { id } }").await;
    assert_eq!(nobody, json!({ "data": { "identityCard": null } }));
    let all = ask(
        &serving,
        "{ syncRuns(first: 3) { nodes { id status planned { action count } operations(first: 2) { nodes { because receipt { step result } card { displayName } } } } }
           holds(status: null) { nodes { id items { nodes { text } } } }
           messages(first: 2) { nodes { to text state card { displayName } } }
           dataIssues { nodes { kind message blocks personnelUnit { name } } }
           systemHealth { health findings { about health } } }",
    )
    .await;
    assert!(all["errors"].is_null(), "{all}");
    assert!(all["data"]["syncRuns"]["nodes"][0]["id"].is_string(), "{all}");
    let message = &all["data"]["messages"]["nodes"][0];
    assert!(message["text"].as_str().unwrap().contains("Etkinlestirme") && message["to"].as_str().unwrap().contains('*'), "{message}");
}

#[tokio::test]
async fn pages_follow_each_other_without_gaps_in_turkish_order() {
    let serving = Serving::start(&[]);
    let all = opened(&serving).await;
    let (mut names, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = ask(
            &serving,
            &format!(
                "{{ identityCards(first: 7, after: {after}) {{ nodes {{ familyName givenName }} pageInfo {{ hasNextPage endCursor }} }} }}"
            ),
        )
        .await;
        let cards = &page["data"]["identityCards"];
        names.extend(
            cards["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|c| format!("{} {}", c["familyName"].as_str().unwrap(), c["givenName"].as_str().unwrap())),
        );
        if cards["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = cards["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(names.len(), all.as_array().unwrap().len());
    assert!(names.is_sorted_by_key(|n| kimlik_domain::text::sort_key(n)), "{names:?}");
}

#[tokio::test]
async fn a_mistaken_argument_is_the_caller_s_and_said_in_clear_words() {
    let serving = Serving::start(&[]);
    for (query, word) in [
        ("{ identityCards(first: -1) { nodes { id } } }", "first"),
        ("{ identityCards(first: 101) { nodes { id } } }", "at most 100"),
        ("{ identityCards(after: \"run_1\") { nodes { id } } }", "cursor"),
        ("{ syncRuns(after: \"name_00_1\") { nodes { id } } }", "cursor"),
        ("{ identityCards(search: \"a\\u0000b\") { nodes { id } } }", "U+0000"),
        ("{ identityCard(by: { id: \"run_00000000000000000000000000000001\" }) { id } }", "not the id of a card"),
        ("{ identityCard(by: { registryNumber: \"a b\" }) { id } }", "registry number"),
        ("{ identityCards { nodes { secret } } }", "secret"),
        ("{ identityCards(", "line 1, column 17"),
    ] {
        let answer = ask(&serving, query).await;
        let message = answer["errors"][0]["message"].as_str().unwrap_or_default();
        assert!(message.contains(word), "{query}: {answer}");
        assert!(answer.get("data").is_none() && answer["errors"][0].get("path").is_none(), "{query}: {answer}");
    }
}

#[tokio::test]
async fn greedy_questions_are_refused() {
    let serving = Serving::start(&[]);
    let deep = format!("{{ identityCards {{ nodes {{ {} id {} }} }} }}", "manager { ".repeat(30), "} ".repeat(30));
    let wide = "{ syncRuns(first: 100) { nodes { operations(first: 100) { nodes { card { unitPath { name } } receipt { step } } } } } }";
    let aliases: String = (0..200).map(|n| format!("a{n}: systemHealth {{ health }} ")).collect();
    for query in [deep, wide.to_owned(), format!("{{ {aliases} }}")] {
        let answer = ask(&serving, &query).await;
        assert!(answer["errors"][0]["message"].is_string() && answer.get("data").is_none(), "{answer}");
    }
}

#[tokio::test]
async fn a_hold_that_there_is_not_comes_back_as_a_user_error() {
    let serving = Serving::start(&[]);
    let decide = |id: &str| {
        format!(
            "mutation {{ holdDecide(input: {{ holdId: \"{id}\", decision: APPROVE, planDigest: \"x\" }}) {{ hold {{ id }} userErrors {{ code path message }} }} }}"
        )
    };
    let answer = ask(&serving, &decide("nonsense")).await;
    assert_eq!(answer["data"]["holdDecide"]["userErrors"][0]["code"], "INVALID", "{answer}");
    let answer = ask(&serving, &decide("hold_00000000000000000000000000000001")).await;
    assert_eq!(answer["data"]["holdDecide"]["userErrors"][0]["code"], "NOT_FOUND", "{answer}");
}

#[tokio::test]
async fn only_this_machine_s_own_pages_may_ask() {
    let serving = Serving::start(&[]);
    let client = client();
    let url = serving.url("/graphql");
    let query = r#"{"query":"{ __typename }"}"#;
    let post = || client.post(&url).header("content-type", "application/json").body(query);
    assert_eq!(post().send().await.unwrap().status(), 200);
    assert_eq!(post().header("host", "evil.example").send().await.unwrap().status(), 421);
    assert_eq!(client.put(&url).send().await.unwrap().status(), 405);
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let status = client.post(&url).header("content-type", kind).body(query).send().await.unwrap().status();
        assert_eq!(status, 415, "{kind}");
    }
    assert_eq!(client.post(&url).header("content-type", "application/json").body("[]").send().await.unwrap().status(), 400);
    assert_eq!(client.post(&url).header("content-type", "application/json").body("{").send().await.unwrap().status(), 400);
    let long = format!(r#"{{"query":"{}"}}"#, " ".repeat(300_000));
    let unread = client.post(&url).header("content-type", "application/json").body(long).send().await.unwrap();
    assert_eq!((unread.status().as_u16(), unread.headers()["connection"].to_str().unwrap()), (413, "close"));
    let media = "application/graphql-response+json";
    let refused = client.post(&url).header("content-type", "application/json").header("accept", media).body(r#"{"query":"{"}"#);
    let refused = refused.send().await.unwrap();
    assert_eq!(refused.status(), 400);
    assert!(refused.headers()["content-type"].to_str().unwrap().starts_with(media));
    assert_eq!(client.get(serving.url("/healthz")).send().await.unwrap().status(), 200);
    assert_eq!(client.get(serving.url("/readyz")).send().await.unwrap().status(), 200);
}
