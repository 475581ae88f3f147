//! Accounts suspended and given back over GraphQL, at the real program, on both databases.
use super::program::Serving;
use crate::access_matrix::service;
use kimlik_tests::postgres;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const MUTATION: &str = "($input: {T}!) { {M}(input: $input) { carriedOut accountState \
    plan { text digest verdict changes { nodes { action because registryNumber } } } \
    staffMember { account { state suspension { reason orderedBy } directory { enabled } } plan { changes { nodes { action } } } } \
    userErrors { code path message } } }";

async fn ask(serving: &Serving, deed: &str, input: Value) -> Value {
    let kind = format!("{}{}Input", deed[..1].to_ascii_uppercase(), &deed[1..]);
    let query = format!("mutation{}", MUTATION.replace("{T}", &kind).replace("{M}", deed));
    let token = serving.token().await;
    let answer = serving.ask_as(Some(&token), &query, json!({ "input": input })).await;
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"][deed].clone()
}

/// Somebody whose account works and has nothing to wait for.
pub async fn somebody(serving: &Serving, nth: usize) -> Value {
    serving.at_rest().await;
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = serving.ask("{ identityCards(first: 100) { nodes { id username accountState } } }").await;
        let nodes = answer["data"]["identityCards"]["nodes"].as_array().cloned().unwrap_or_default();
        if let Some(found) = nodes.iter().filter(|n| n["accountState"] == "ACTIVE").nth(nth) {
            return found.clone();
        }
        assert!(Instant::now() < until, "no accounts: {answer}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn a_suspension_and_its_end(serving: &Serving) {
    let who = somebody(serving, 5).await;
    let input =
        |reason: &str, key: &str| json!({ "staffMember": { "username": who["username"] }, "reason": reason, "idempotencyKey": key });
    let mut dry = input("kayıp telefon", "one");
    dry["dryRun"] = true.into();
    let dry = ask(serving, "accountSuspend", dry).await;
    assert_eq!(dry["userErrors"], json!([]), "{dry}");
    assert_eq!(dry["staffMember"]["account"]["directory"]["enabled"], true, "only shown");
    assert_eq!((&dry["plan"]["verdict"], &dry["accountState"]), (&json!("WITHIN_LIMITS"), &Value::Null));

    let done = ask(serving, "accountSuspend", input("kayıp telefon", "one")).await;
    assert_eq!(done["userErrors"], json!([]), "{done}");
    assert_eq!(done["plan"]["digest"], dry["plan"]["digest"], "what was shown is what was done");
    let change = &done["plan"]["changes"]["nodes"][0];
    assert_eq!(change["action"], "SUSPEND");
    assert_eq!(change["because"], "ordered by user:yonetici: kayıp telefon");
    assert_eq!((&done["carriedOut"], &done["accountState"]), (&json!(true), &json!("SUSPENDED")), "{done}");
    let member = &done["staffMember"];
    assert_eq!(member["account"]["state"], "SUSPENDED");
    assert_eq!(member["account"]["directory"]["enabled"], false);
    assert_eq!(member["account"]["suspension"], json!({ "reason": "kayıp telefon", "orderedBy": "user:yonetici" }));
    assert_eq!(member["plan"]["changes"]["nodes"], json!([]), "nothing is left to do");

    let again = ask(serving, "accountSuspend", input("kayıp telefon", "one")).await;
    assert_eq!((&again["plan"], &again["userErrors"]), (&done["plan"], &json!([])), "the first result again");
    let reused = ask(serving, "accountSuspend", input("something else", "one")).await;
    assert_eq!(reused["userErrors"][0]["code"], "IDEMPOTENCY_KEY_REUSED", "{reused}");
    let twice = ask(serving, "accountSuspend", input("kayıp telefon", "two")).await;
    assert_eq!(twice["userErrors"][0]["code"], "ALREADY_DONE", "{twice}");

    let back = ask(serving, "accountReinstate", input("bulundu", "three")).await;
    assert_eq!((&back["carriedOut"], &back["userErrors"]), (&json!(true), &json!([])), "{back}");
    assert_eq!((&back["plan"]["changes"]["nodes"][0]["action"], &back["accountState"]), (&json!("REINSTATE"), &json!("ACTIVE")));
    assert_eq!(back["staffMember"]["account"]["directory"]["enabled"], true);
    assert_eq!(back["staffMember"]["account"]["suspension"], Value::Null);

    // A program is told what became of the account that it has ordered something of, and of no other.
    let program = service(serving, "suspends", &["CARDS_READ", "STAFF_READ", "ACCOUNTS_SUSPEND"]).await;
    for (deed, state) in [("accountSuspend", "SUSPENDED"), ("accountReinstate", "ACTIVE")] {
        let query = format!(
            "mutation {{ {deed}(input: {{ staffMember: {{ id: {} }}, reason: \"test\" }}) {{ accountState staffMember {{ account {{ state }} }} userErrors {{ code }} }} }}",
            who["id"]
        );
        let told = serving.ask_as(Some(&program), &query, json!({})).await["data"][deed].clone();
        assert_eq!(told, json!({ "accountState": state, "staffMember": { "account": null }, "userErrors": [] }));
        let card = format!("{{ identityCard(by: {{ id: {} }}) {{ accountState }} }}", who["id"]);
        assert_eq!(serving.ask_as(Some(&program), &card, json!({})).await["data"]["identityCard"], json!({ "accountState": null }));
    }

    let wrong = json!({ "staffMember": { "username": "nobody.here" }, "reason": " ", "idempotencyKey": "" });
    let wrong = ask(serving, "accountSuspend", wrong).await;
    let told: Vec<(&Value, &Value)> = wrong["userErrors"].as_array().unwrap().iter().map(|e| (&e["path"][0], &e["code"])).collect();
    let all = [("reason", "INVALID"), ("idempotencyKey", "INVALID"), ("staffMember", "NOT_FOUND")].map(|(p, c)| (json!(p), json!(c)));
    assert_eq!(told, all.iter().map(|(p, c)| (p, c)).collect::<Vec<_>>(), "all of them at once");
}

#[tokio::test]
async fn an_account_is_suspended_at_once_and_given_back_and_repeated_safely_on_sqlite() {
    a_suspension_and_its_end(&Serving::start(&[])).await;
}

#[tokio::test]
async fn an_account_is_suspended_at_once_and_given_back_and_repeated_safely_on_postgresql() {
    let database = postgres::database().await;
    a_suspension_and_its_end(&Serving::start_on(&database.url, &[])).await;
}
