//! docs/integrators/accounts.md: each of its requests, with the input that stands behind it, is carried out at the real program.
use super::program::Serving;
use serde_json::{Value, json};

/// Request and input of each block, in their order; a request without an input behind it gets none.
fn blocks(page: &str) -> Vec<(String, Option<String>)> {
    let mut found: Vec<(String, Option<String>)> = Vec::new();
    let mut parts = page.split("```").skip(1).step_by(2);
    for part in parts.by_ref() {
        match (part.strip_prefix("graphql\n"), part.strip_prefix("json\n")) {
            (Some(request), _) => found.push((request.to_owned(), None)),
            (_, Some(input)) => found.last_mut().expect("a request before its input").1 = Some(input.to_owned()),
            _ => {}
        }
    }
    found
}

#[tokio::test]
async fn what_the_page_about_deeds_on_accounts_shows_is_so() {
    let page = include_str!("../../../docs/integrators/accounts.md");
    let serving = Serving::start(&[]);
    let who = super::suspension::somebody(&serving, 5).await["id"].clone();
    let found = serving.ask(&format!("{{ staffMember(by: {{ id: {who} }}) {{ registryNumber }} }}")).await;
    let number = found["data"]["staffMember"]["registryNumber"].as_str().unwrap().to_owned();
    let token = serving.token().await;
    let mut done = Vec::new();
    for (request, input) in blocks(page) {
        let name = request.split_whitespace().nth(1).unwrap().split(['(', '{']).next().unwrap().to_owned();
        let variables = match (&input, name.as_str()) {
            (Some(input), _) => serde_json::from_str(&input.replace("S1042", &number)).unwrap_or_else(|e| panic!("{name}: {e}")),
            (None, "Reinstate") => json!({ "input": { "staffMember": { "registryNumber": number }, "reason": "found" } }),
            (None, _) => json!({ "number": number }),
        };
        let answer = serving.ask_as(Some(&token), &request, variables).await;
        assert!(answer["errors"].is_null(), "{name}: {answer}");
        let payload = answer["data"].as_object().unwrap().values().next().unwrap().clone();
        let errors: Vec<&Value> = payload["userErrors"].as_array().into_iter().flatten().map(|e| &e["code"]).collect();
        match name.as_str() {
            "Adopt" => assert_eq!(errors, ["CONFLICT"], "who has an account gets no other one: {answer}"),
            "Withdraw" => assert_eq!(errors, ["ALREADY_DONE"], "no order waits: {answer}"),
            "Propose" => assert_eq!(payload, json!({ "username": "inci.isil.oz", "email": "inci.isil.oz@csb.test" })),
            "Standing" => {
                let account = &payload["account"];
                assert_eq!((&account["username"], &account["state"]), (&json!("ayse.yildiz"), &json!("ACTIVE")), "{answer}");
            }
            _ => assert!(errors.is_empty(), "{name}: {answer}"),
        }
        done.push(name);
    }
    assert_eq!(done, ["Suspend", "Reinstate", "Rename", "Adopt", "Withdraw", "Propose", "Resend", "Standing"]);
}
