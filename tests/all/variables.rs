//! Variables that a client declares and does not send, as Relay and Apollo do: an argument that takes one counts as not given.
use crate::access_matrix::{people, schema, some};
use crate::protocol::told;
use crate::surface::program::Serving;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// As a variable of it is declared.
fn written(of: &Value) -> String {
    match of["kind"].as_str().unwrap() {
        "NON_NULL" => format!("{}!", written(&of["ofType"])),
        "LIST" => format!("[{}]", written(&of["ofType"])),
        _ => of["name"].as_str().unwrap().to_owned(),
    }
}

fn is_needed(argument: &Value) -> bool {
    argument["type"]["kind"] == "NON_NULL" && argument["defaultValue"].is_null()
}

/// Each query with a variable for every argument that can be left out, and the same without those arguments.
fn pairs(types: &BTreeMap<String, Value>) -> Vec<(String, String, String)> {
    let mut pairs = Vec::new();
    for field in types["Query"]["fields"].as_array().unwrap() {
        let name = field["name"].as_str().unwrap();
        let (mut needed, mut others, mut declared) = (String::new(), String::new(), String::new());
        for argument in field["args"].as_array().unwrap() {
            let name = argument["name"].as_str().unwrap();
            if is_needed(argument) {
                write!(needed, "{name}: {} ", some(types, &argument["type"])).unwrap();
            } else {
                write!(others, "{name}: ${name} ").unwrap();
                write!(declared, "${name}: {} ", written(&argument["type"])).unwrap();
            }
        }
        if declared.is_empty() {
            continue;
        }
        let paged = field["args"].as_array().unwrap().iter().any(|a| a["name"] == "first");
        let asked = match name {
            "changePlan" => "{ asOf summary { action count } changes(first: $n) { pageInfo { hasNextPage } edges { cursor } } }",
            _ if paged => "{ pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor } }",
            "dataIssueTrend" => "{ date open }",
            _ => "{ __typename }",
        };
        let declared = if asked.contains("$n") { format!("{declared} $n: Int") } else { declared };
        let with = format!("query({declared}) {{ {name}({needed}{others}) {asked} }}");
        let bare = if needed.is_empty() { String::new() } else { format!("({needed})") };
        let without = format!("{{ {name}{bare} {} }}", asked.replace("(first: $n)", ""));
        pairs.push((name.to_owned(), with, without));
    }
    assert!(pairs.iter().filter(|(_, with, _)| with.contains("$first")).count() >= 14, "{pairs:?}");
    pairs
}

#[tokio::test]
async fn an_argument_whose_variable_was_not_sent_counts_as_not_given() {
    let serving = Serving::start(&[]);
    people(&serving).await;
    let (types, token) = (schema(&serving).await, serving.token().await);
    let pairs = pairs(&types);
    let mut over_http = Vec::new();
    for (name, with, without) in &pairs {
        let answer = serving.ask_as(Some(&token), with, json!({})).await;
        assert!(answer["errors"].is_null(), "{name}: {with}: {answer}");
        let plain = serving.ask_as(Some(&token), without, json!({})).await;
        assert!(plain["errors"].is_null(), "{name}: {without}: {plain}");
        // Why only these: what happens meanwhile changes the others, be it by a cursor.
        if ["identityCards", "units", "staffMembers", "holds", "roleGrants", "serviceAccounts", "webhooks", "dataIssueTrend"]
            .contains(&name.as_str())
        {
            assert_eq!(answer["data"], plain["data"], "{name}");
        }
        over_http.push(answer["data"][name].is_object() || answer["data"][name].is_array());
    }
    assert!(over_http.iter().filter(|answered| **answered).count() >= 14, "an administrator sees most lists: {over_http:?}");
    let list: Vec<(&String, Value)> = pairs.iter().map(|(_, with, _)| (with, json!({}))).collect();
    let ways = told("unsent.mjs", vec![serving.url("/graphql"), token, json!(list).to_string()]).await;
    for way in ["socket", "events"] {
        for ((name, with, _), answer) in pairs.iter().zip(ways[way].as_array().unwrap()) {
            assert!(answer["errors"].is_null() && answer["data"].is_object(), "{way} {name}: {with}: {answer}");
        }
    }
}

#[tokio::test]
async fn pages_deep_inside_and_subscriptions_take_variables_that_were_not_sent() {
    let serving = Serving::start(&[]);
    let all = people(&serving).await;
    let token = serving.token().await;
    let cursor = serving.ask("{ identityCardChanges(first: 1) { edges { cursor } } }").await;
    let cursor = cursor["data"]["identityCardChanges"]["edges"][0]["cursor"].as_str().unwrap().to_owned();
    let page = "(first: $first, after: $after)";
    let both = "(first: $first, after: $after, last: $last, before: $before)";
    let inner = "$first: Int, $after: String";
    let outer = "$last: Int, $before: String";
    let deep = [
        (
            format!(
                "query({inner}, $by: IdentityCardKey!) {{ staffMember(by: $by) {{ operations{page} {{ nodes {{ id }} }} \
                 history{page} {{ nodes {{ id }} }} plan {{ changes{page} {{ nodes {{ because }} }} }} }} }}"
            ),
            json!({ "by": { "id": all[0].id } }),
        ),
        (
            format!(
                "query({inner}, {outer}, $code: UnitCode!, $below: Boolean) {{ unit(code: $code) {{ children{both} {{ nodes {{ id }} }} \
                 staff(includeSubunits: $below, first: $first, after: $after, last: $last, before: $before) {{ nodes {{ reports{both} {{ nodes {{ id }} }} }} }} }} }}"
            ),
            json!({ "code": all[0].unit }),
        ),
        (format!("query({inner}) {{ syncRuns{page} {{ nodes {{ operations{page} {{ nodes {{ id }} }} }} }} }}"), json!({})),
        (
            format!("query({inner}, $all: HoldStatus) {{ holds(status: $all, first: $first) {{ nodes {{ items{page} {{ nodes {{ action }} }} }} }} }}"),
            json!({}),
        ),
        (
            "subscription($after: String, $filter: IdentityCardFilter, $from: String!) { identityCardChanged(after: $from, filter: $filter) { \
             card { reports(after: $after) { nodes { id } } } } }"
                .to_owned(),
            json!({ "from": cursor }),
        ),
        (
            "query($by: IdentityCardKey!, $n: Int) { ...Card } fragment Card on Query { identityCard(by: $by) { reports(first: $n) { nodes { id } } } }"
                .to_owned(),
            json!({ "by": { "id": all[0].id } }),
        ),
    ];
    for (query, variables) in deep.iter().filter(|(query, _)| !query.starts_with("subscription")) {
        let answer = serving.ask_as(Some(&token), query, variables.clone()).await;
        assert!(
            answer["errors"].is_null() && answer["data"].as_object().is_some_and(|d| d.values().all(|v| !v.is_null())),
            "{query}: {answer}"
        );
    }
    let ways = told("unsent.mjs", vec![serving.url("/graphql"), token, json!(deep).to_string()]).await;
    for way in ["socket", "events"] {
        for ((query, _), answer) in deep.iter().zip(ways[way].as_array().unwrap()) {
            assert!(answer["errors"].is_null() && answer["data"].is_object(), "{way}: {query}: {answer}");
        }
    }
}

#[tokio::test]
async fn defaults_hold_and_null_is_not_the_same_as_nothing() {
    let serving = Serving::start(&[]);
    people(&serving).await;
    let token = serving.token().await;
    let ask = async |query: &str, variables: Value| serving.ask_as(Some(&token), query, variables).await;
    // Of an argument: more than a usual page comes.
    let changes = "query($n: Int) { identityCardChanges(first: $n) { edges { cursor } } }";
    let count = |answer: &Value| answer["data"]["identityCardChanges"]["edges"].as_array().map(Vec::len).unwrap_or_default();
    let answer = ask(changes, json!({})).await;
    assert!(count(&answer) > 20, "{answer}");
    assert_eq!(count(&ask(changes, json!({ "n": 3 })).await), 3);
    // Of a variable, where it decides what is included.
    let chosen = "query($with: Boolean! = true, $less: Boolean = false) { viewer { name @include(if: $with) kind @skip(if: $less) } }";
    let seen = ask(chosen, json!({})).await["data"]["viewer"].clone();
    assert!(seen["name"].is_string() && seen["kind"].is_string(), "{seen}");
    let seen = ask(chosen, json!({ "with": false, "less": true })).await;
    assert_eq!(seen["data"]["viewer"], json!({}), "{seen}");
    // Of a field of an input.
    let cards = "query($below: Boolean, $unit: UnitCode!) { \
        identityCards(filter: { units: [$unit], includeSubunits: $below }) { totalCount } }";
    let root = ask("{ identityCards(first: 1) { nodes { unitPath { code } } } }", json!({})).await;
    let root = root["data"]["identityCards"]["nodes"][0]["unitPath"][0]["code"].clone();
    let all = ask(cards, json!({ "unit": root })).await;
    let own = ask(cards, json!({ "unit": root, "below": false })).await;
    let total = |answer: &Value| answer["data"]["identityCards"]["totalCount"].as_u64().unwrap_or_else(|| panic!("{answer}"));
    assert!(total(&all) > total(&own), "includeSubunits is true where nothing is said: {all} {own}");
    // What must be there is missed in clear words, and nothing is carried out.
    let missed = ask("query($by: IdentityCardKey!) { identityCard(by: $by) { id } }", json!({})).await;
    assert_eq!(missed["errors"][0]["message"], "The variable $by of type IdentityCardKey! was not sent.", "{missed}");
    assert!(missed.get("data").is_none(), "{missed}");
    // Pages of pages of pages are refused, not counted until numbers run over.
    let deep =
        format!("{{ identityCards(first: 100) {{ nodes {{ {} id {} }} }} }}", "reports(first: 100) { nodes { ".repeat(8), "} } ".repeat(8));
    let answer = ask(&deep, json!({})).await;
    assert!(answer["errors"][0]["message"].as_str().unwrap().contains("too much at once"), "{answer}");
}
