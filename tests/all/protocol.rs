//! The protocols around GraphQL, as other people's programs speak them: HTTP, WebSocket, server-sent events.
use crate::surface::program::{Serving, text};
use kimlik_tests::lab::node;
use serde_json::{Value, json};

fn client() -> reqwest::Client {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    reqwest::Client::new()
}

/// What a script printed last, which is JSON.
pub async fn told(script: &'static str, arguments: Vec<String>) -> Value {
    let run = move || node::script(script, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let out = tokio::task::spawn_blocking(run).await.unwrap();
    let line = text(&out.stdout).lines().last().unwrap_or_default().to_owned();
    serde_json::from_str(&line).unwrap_or_else(|_| panic!("{script}: {} {}", text(&out.stdout), text(&out.stderr)))
}

#[tokio::test]
async fn all_audits_of_graphql_over_http_pass() {
    let serving = Serving::start(&[]);
    let (url, token) = (serving.url("/graphql"), serving.token().await);
    let out = tokio::task::spawn_blocking(move || node::script("audit.mjs", &[&url, &token])).await.unwrap();
    assert!(out.status.success() && text(&out.stdout).ends_with("61 of 61\n"), "{} {}", text(&out.stdout), text(&out.stderr));
}

#[tokio::test]
async fn the_clients_graphql_ws_and_graphql_sse_get_answers_and_subscriptions() {
    let serving = Serving::start(&[]);
    let run = serving.finished_run().await;
    let none = "run_00000000000000000000000000000001".to_owned();
    let told = told("clients.mjs", vec![serving.url("/graphql"), serving.token().await, run.clone(), none]).await;
    for way in ["socket", "events"] {
        let of = &told[way];
        assert_eq!(
            of["question"],
            json!({ "results": [{ "data": { "viewer": { "name": "yonetici" } } }], "complete": true }),
            "{way}: {of}"
        );
        let last = of["subscription"]["results"].as_array().and_then(|all| all.last()).cloned().unwrap_or_default();
        let progress = &last["data"]["syncProgress"];
        assert_eq!((&progress["run"]["id"], &of["subscription"]["complete"]), (&json!(run), &json!(true)), "{way}: {of}");
        assert_eq!(progress["finished"], true, "{way}: {progress}");
        assert!(progress["total"].as_u64() > Some(0) && progress["done"].as_u64() > Some(0), "{way}: {progress}");
        assert_eq!(of["nobody"], json!({ "results": [{ "data": { "syncProgress": null } }], "complete": true }), "{way}: {of}");
        let said = of["mistaken"].to_string() + &of["unreadable"].to_string();
        assert!(said.contains("not the id of a run") && said.contains("expected"), "{way}: {said}");
    }
    for way in ["withoutToken", "withForeignToken"] {
        assert_eq!(told[way]["error"], 4403, "{told}");
    }
}

#[tokio::test]
async fn each_mistake_on_a_socket_has_its_close_code() {
    let serving = Serving::start(&[]);
    let told = told("socket.mjs", vec![serving.url("/graphql"), serving.token().await]).await;
    for (name, code) in [
        ("notJson", 4400),
        ("noType", 4400),
        ("unknownType", 4400),
        ("binary", 4400),
        ("pinged", 4400),
        ("beforeInit", 4401),
        ("silent", 4408),
        ("sameIdTwice", 4409),
        ("initTwice", 4429),
        ("otherProtocol", 4406),
        ("otherOrigin", 403),
    ] {
        assert_eq!(told[name]["code"], code, "{name}: {told}");
    }
    assert!(told["tooLong"]["code"] == 1009 || told["tooLong"]["code"] == 1006, "{}", told["tooLong"]);
    assert_eq!(told["pinged"]["heard"], json!(["pong", "pong"]));
    let many = told["many"].as_array().unwrap();
    assert!(many[..20].iter().all(|one| one == "open") && many[20] != "open", "{told}");
}

#[tokio::test]
async fn a_mistake_is_told_in_the_caller_s_language() {
    let serving = Serving::start(&[]);
    let token = serving.token().await;
    let ask = async |query: Value, language: &str| -> Value {
        let request = client().post(serving.url("/graphql")).bearer_auth(&token).header("accept-language", language);
        let request = request.header("content-type", "application/json").body(query.to_string());
        serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
    };
    for (query, turkish, english) in [
        (json!({ "query": "{ syncRuns(first: -1) { nodes { id } } }" }), "arasında bir sayı olmalı", "a number from 0 to 100"),
        (json!({ "query": "{ syncRuns(after: \"card_1\") { nodes { id } } }" }), "imleç", "cursor"),
        (json!({ "query": "{ syncRuns(first: 99999999999) { nodes { id } } }" }), "tam sayı", "whole number"),
        (
            json!({ "query": "query($n: Int) { syncRuns(first: $n) { nodes { id } } }", "variables": { "n": 3_000_000_000_u64 } }),
            "tam sayı",
            "whole number",
        ),
        (
            json!({ "query": "query($t: String) { identityCards(search: $t) { nodes { id } } }", "variables": { "t": "a\u{0}" } }),
            "variables.t: U+0000",
            "variables.t: U+0000",
        ),
        (json!({ "query": "{ nonsense }" }), "alanı yok", "Unknown field"),
        (
            json!({ "query": format!("{{ {} }}", (0..40).map(|n| format!("a{n}: viewer {{ name }} ")).collect::<String>()) }),
            "takma ad",
            "aliases",
        ),
        (json!({ "query": format!("{{ viewer {{ name {} }} }}", "@include(if: true) ".repeat(40)) }), "yönerge", "directives"),
        (
            json!({ "query": "{ identityCards(first: 100) { nodes { reports(first: 100) { nodes { id } } } } }" }),
            "çok fazla şey",
            "too much at once",
        ),
        (json!([{ "query": "{ __typename }" }]), "Toplu", "Batches"),
        (json!({ "query": format!("{{ {} }}", "a { ".repeat(70) + &"} ".repeat(70)) }), "derin", "deep"),
    ] {
        for (language, word) in [("tr-TR,tr;q=0.9,en;q=0.5", turkish), ("en", english)] {
            let answer = ask(query.clone(), language).await;
            let error = &answer["errors"][0];
            assert!(error["message"].as_str().unwrap_or_default().contains(word), "{query} {language}: {answer}");
            assert!(answer.get("data").is_none() && error.get("path").is_none(), "{query}: {answer}");
        }
    }
}

#[tokio::test]
async fn strangers_are_not_told_of_the_schema_nor_helped_to_guess() {
    let serving = Serving::start(&[]);
    let token = serving.token().await;
    let schema = "{ __schema { queryType { name } types { name } } __type(name: \"Query\") { fields { name } } }";
    let known = serving.ask_as(Some(&token), schema, json!({})).await;
    assert_eq!(known["data"]["__schema"]["queryType"]["name"], "Query", "{known}");
    let strange = serving.ask_as(None, schema, json!({})).await;
    assert!(!strange.to_string().contains("identityCard"), "{strange}");
    let guess = "{ identityCardz { nodes { id } } }";
    assert!(serving.ask_as(Some(&token), guess, json!({})).await.to_string().contains("Did you mean"));
    assert!(!serving.ask_as(None, guess, json!({})).await.to_string().contains("Did you mean"));
}

#[tokio::test]
async fn get_asks_and_changes_nothing() {
    let serving = Serving::start(&[]);
    let token = serving.token().await;
    let get = async |query: &str| {
        let url = serving.url(&format!("/graphql?{query}"));
        let response = client().get(url).bearer_auth(&token).header("accept", "application/graphql-response+json").send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let (status, body) = get("query=%7Bviewer%7Bname%7D%7D").await;
    assert_eq!((status, body.as_str()), (200, r#"{"data":{"viewer":{"name":"yonetici"}}}"#));
    let end = "query=mutation%7BsessionEnd(input:%7BrefreshToken:%22x%22%7D)%7Bended%7D%7D";
    assert_eq!(get(end).await.0, 405);
    assert_eq!(get(&format!("{end}&operationName=")).await.0, 405);
    assert_eq!(get("query=subscription%7BsyncProgress(runId:%22a%22)%7Btotal%7D%7D").await.0, 400);
    assert_eq!(get("").await.0, 400);
    let other = client().delete(serving.url("/graphql")).send().await.unwrap();
    assert_eq!((other.status().as_u16(), other.headers()["allow"].to_str().unwrap()), (405, "GET, POST"));
}
