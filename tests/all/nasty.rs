//! Values that nobody means, wherever the schema takes one: the caller's mistake or an answer, in the caller's words, and never a fault; on
//! SQLite and PostgreSQL alike.
use crate::access_matrix::{people, schema, some};
use crate::desk::on_postgresql;
use crate::surface::program::Serving;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Mutations that would end what the test needs.
const LEFT_OUT: [&str; 2] = ["sessionsEnd", "serviceAccountRevoke"];

/// The type, without what makes it a list or needed.
fn bare(of: &Value) -> &Value {
    if of["ofType"].is_object() { bare(&of["ofType"]) } else { of }
}

/// As JSON, for a variable: what no client means.
fn nasty(scalar: &str) -> Vec<Value> {
    let text = [
        "",
        " ",
        "\u{1}",
        "a\u{0}",
        "'; DROP TABLE person; --",
        "%_\\",
        "İIıi",
        "\u{202e}txt",
        "👩‍👩‍👧‍👧",
        "\n\r\t",
        "null",
        "-1",
        "0",
        "2026-02-30",
        "-0001-01-01",
        "9999-12-31T23:59:60Z",
        "1e400",
    ];
    let mut values: Vec<Value> = text.iter().map(|t| json!(t)).collect();
    values.push(json!("ş".repeat(20_000)));
    values.extend([
        json!(-1),
        json!(0),
        json!(i32::MAX),
        json!(i32::MIN),
        json!(1_u64 << 40),
        json!(1.5),
        json!(true),
        json!([]),
        json!({}),
    ]);
    let of_time = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "-262143-01-01T00:00:00Z", "262142-12-31T23:59:59Z", "2026-01-01"];
    match scalar {
        "DateTime" => values.extend(of_time.iter().map(|t| json!(t))),
        "Date" => values.extend(["0001-01-01", "9999-12-31", "262142-12-31", "2026-1-1"].iter().map(|t| json!(t))),
        "UUID" => values.push(json!("00000000-0000-0000-0000-000000000000")),
        "UnitCode" | "RegistryNumber" | "PhoneNumber" => values.extend([json!("00000000"), json!("99999999"), json!("+900000000000")]),
        _ => {}
    }
    values
}

/// Ways to leaves that are scalars, from an argument or a field of an input: names, and whether a list stands at each.
fn leaves(
    types: &BTreeMap<String, Value>,
    field: &Value,
    way: &[(String, bool)],
    depth: usize,
    found: &mut Vec<(Vec<(String, bool)>, Value)>,
) {
    let mut way = way.to_vec();
    way.push((field["name"].as_str().unwrap().to_owned(), field["type"].to_string().contains("\"LIST\"")));
    let of = bare(&field["type"]);
    match of["kind"].as_str() {
        Some("INPUT_OBJECT") if depth < 4 => {
            for inner in types[of["name"].as_str().unwrap()]["inputFields"].as_array().unwrap() {
                leaves(types, inner, &way, depth + 1, found);
            }
        }
        Some("SCALAR") => found.push((way, field["type"].clone())),
        _ => {}
    }
}

fn written(of: &Value) -> String {
    match of["kind"].as_str().unwrap() {
        "NON_NULL" => format!("{}!", written(&of["ofType"])),
        "LIST" => format!("[{}]", written(&of["ofType"])),
        _ => of["name"].as_str().unwrap().to_owned(),
    }
}

/// The value of `field` with the variable `$v` at the end of `way`, and whatever else must be there.
fn value(types: &BTreeMap<String, Value>, field: &Value, way: &[(String, bool)]) -> String {
    let of = bare(&field["type"]);
    let [(_, is_list), rest @ ..] = way else { return some(types, &field["type"]) };
    if rest.is_empty() {
        return "$v".to_owned();
    }
    let name = of["name"].as_str().unwrap();
    let one_of = types[name]["isOneOf"] == true;
    let mut parts = Vec::new();
    for inner in types[name]["inputFields"].as_array().unwrap() {
        let own = inner["name"].as_str().unwrap();
        let inside = match rest.first() {
            Some((here, _)) if here == own => value(types, inner, rest),
            _ if one_of || inner["type"]["kind"] != "NON_NULL" || !inner["defaultValue"].is_null() => continue,
            _ => some(types, &inner["type"]),
        };
        parts.push(format!("{own}: {inside}"));
    }
    let object = format!("{{ {} }}", parts.join(", "));
    if *is_list { format!("[{object}]") } else { object }
}

async fn nothing_nasty_is_a_fault(serving: &Serving) {
    people(serving).await;
    let (types, token) = (schema(serving).await, serving.token().await);
    let (mut asked, mut refused, mut answered) = (0, 0, 0);
    for (kind, word) in [("Query", "query"), ("Mutation", "mutation")] {
        for field in types[kind]["fields"].as_array().unwrap() {
            let name = field["name"].as_str().unwrap();
            if LEFT_OUT.contains(&name) {
                continue;
            }
            let arguments = field["args"].as_array().unwrap();
            let mut found = Vec::new();
            for argument in arguments {
                leaves(&types, argument, &[], 0, &mut found);
            }
            let mut of = &field["type"];
            while of["name"].is_null() {
                of = &of["ofType"];
            }
            let chosen = match of["kind"].as_str() {
                Some("SCALAR" | "ENUM") => "",
                _ if kind == "Mutation" => "{ userErrors { code path message } }",
                _ => "{ __typename }",
            };
            let chosen = if name == "passwordAssess" || name == "sessionEnd" { "{ __typename }" } else { chosen };
            for (way, scalar) in found {
                let given: Vec<String> = arguments
                    .iter()
                    .filter_map(|a| {
                        let own = a["name"].as_str().unwrap();
                        if own == way[0].0 {
                            return Some(format!("{own}: {}", value(&types, a, &way)));
                        }
                        let needed = a["type"]["kind"] == "NON_NULL" && a["defaultValue"].is_null();
                        needed.then(|| format!("{own}: {}", some(&types, &a["type"])))
                    })
                    .collect();
                let declared = written(&scalar);
                let query = format!("{word}($v: {declared}) {{ {name}({}) {chosen} }}", given.join(", "));
                let is_list = way.last().unwrap().1;
                let requests = nasty(bare(&scalar)["name"].as_str().unwrap()).into_iter().map(|nasty| {
                    let variables = json!({ "v": if is_list { json!([nasty]) } else { nasty } });
                    let query = &query;
                    let token = &token;
                    async move { (serving.ask_as(Some(token), query, variables.clone()).await, variables) }
                });
                for (answer, variables) in futures_util::future::join_all(requests).await {
                    asked += 1;
                    let seen = || format!("{query} {variables:.200}: {answer}");
                    let Some(errors) = answer["errors"].as_array() else {
                        answered += 1;
                        continue;
                    };
                    refused += 1;
                    for error in errors {
                        let code = &error["extensions"]["code"];
                        assert!(["BAD_REQUEST", "BAD_USER_INPUT", "CURSOR_EXPIRED"].iter().any(|good| code == good), "{}", seen());
                        let message = error["message"].as_str().unwrap();
                        let leaks = ["sqlx", "sqlite", "postgres", "error returned", "panicked", "SELECT", "invalid byte"];
                        assert!(!message.is_empty() && leaks.iter().all(|leak| !message.contains(leak)), "{}", seen());
                        assert!(!message.contains("used in position"), "the test asks wrongly: {}", seen());
                    }
                }
            }
        }
    }
    assert!(asked > 3_000 && refused > 1_000 && answered > 500, "{asked} asked, {refused} refused, {answered} answered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_means_is_the_caller_s_mistake_on_sqlite() {
    nothing_nasty_is_a_fault(&Serving::start(&[])).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_means_is_the_caller_s_mistake_on_postgresql() {
    let (_database, serving) = on_postgresql(&[]).await;
    nothing_nasty_is_a_fault(&serving).await;
}
