//! Ids that are none, wherever a mutation takes one: what the caller can mend is a user error that says where, whatever it looks like.
use crate::access_matrix::{Person, grant, people, schema, some, token_of};
use crate::surface::program::Serving;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The type, without what makes it a list or needed.
fn bare(of: &Value) -> &Value {
    if of["ofType"].is_object() { bare(&of["ofType"]) } else { of }
}

/// Ways into an input at which an id stands: names of fields, and `0` for an item of a list.
fn ids(types: &BTreeMap<String, Value>, input: &str, way: &[String], found: &mut Vec<Vec<String>>) {
    for field in types[input]["inputFields"].as_array().unwrap() {
        let mut way = way.to_vec();
        way.push(field["name"].as_str().unwrap().to_owned());
        let of = bare(&field["type"]);
        match of["kind"].as_str() {
            Some("INPUT_OBJECT") => ids(types, of["name"].as_str().unwrap(), &way, found),
            _ if of["name"] == "ID" => found.push(way),
            _ => {}
        }
    }
}

/// An input with `id` at `way`, and whatever else must be there.
fn input(types: &BTreeMap<String, Value>, name: &str, way: &[String], id: &str) -> String {
    let one_of = types[name]["isOneOf"] == true;
    let mut parts = Vec::new();
    for field in types[name]["inputFields"].as_array().unwrap() {
        let own = field["name"].as_str().unwrap();
        let value = match way {
            [here, rest @ ..] if here == own => {
                let of = bare(&field["type"]);
                let inner = if rest.is_empty() { json!(id).to_string() } else { input(types, of["name"].as_str().unwrap(), rest, id) };
                if field["type"].to_string().contains("\"LIST\"") { format!("[{inner}]") } else { inner }
            }
            _ if one_of || field["type"]["kind"] != "NON_NULL" || !field["defaultValue"].is_null() => continue,
            _ if bare(&field["type"])["name"] == "String" => json!("long enough to be a reason").to_string(),
            _ => some(types, &field["type"]),
        };
        parts.push(format!("{own}: {value}"));
    }
    format!("{{ {} }}", parts.join(", "))
}

fn wrong(ward: &Person) -> Vec<(&'static str, String)> {
    let uuid = ward.id.split_once('_').unwrap().1;
    vec![
        ("nothing at all", String::new()),
        ("a blank", " ".to_owned()),
        ("not base64", "%%%".to_owned()),
        ("base64", "Y2FyZDox".to_owned()),
        ("of a foreign kind", format!("province_{uuid}")),
        ("of no kind", uuid.to_owned()),
        ("a kind alone", "card_".to_owned()),
        ("cut", ward.id[..ward.id.len() - 1].to_owned()),
        ("too long", format!("{}0", ward.id)),
        ("in Turkish letters", "kart_ığüşöç".to_owned()),
        ("huge", "x".repeat(50_000)),
    ]
}

#[tokio::test]
async fn an_id_that_is_none_is_a_user_error_of_every_mutation() {
    let serving = Serving::start(&[]);
    let all = people(&serving).await;
    let (officer, ward) = (&all[0], all.iter().find(|p| p.unit != all[0].unit).unwrap());
    grant(&serving, officer, "PERSONNEL_OFFICER", &[&ward.unit]).await;
    let callers = [serving.token().await, token_of(&serving, officer).await];
    let types = schema(&serving).await;
    let mut asked = 0;
    for field in types["Mutation"]["fields"].as_array().unwrap() {
        let name = field["name"].as_str().unwrap();
        let takes = bare(&field["args"][0]["type"])["name"].as_str().unwrap();
        let mut ways = Vec::new();
        ids(&types, takes, &[], &mut ways);
        for way in ways {
            for (what, id) in wrong(ward) {
                let query =
                    format!("mutation {{ {name}(input: {}) {{ userErrors {{ code path message }} }} }}", input(&types, takes, &way, &id));
                let mut answered = false;
                for token in &callers {
                    let answer = serving.ask_as(Some(token), &query, json!({})).await;
                    let seen = format!("{name} {}: {what}: {answer}", way.join("."));
                    assert!(answer["errors"].is_null(), "{seen}");
                    let Some(errors) = answer["data"][name]["userErrors"].as_array() else { continue };
                    answered = true;
                    // Why also these: what is no challenge is not told from one that has ended, and guessing is limited.
                    let says_where = |e: &Value| {
                        let path: Vec<&str> = e["path"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
                        path.first() == Some(&way[0].as_str()) || path == ["code"] || e["code"] == "RATE_LIMITED"
                    };
                    assert!(errors.iter().any(says_where), "{seen}");
                }
                assert!(answered, "{name} {}: nobody may: {query:.200}", way.join("."));
                asked += 1;
            }
            // What no text of any database holds is refused before anything is looked at, and not as a fault.
            let query = format!("mutation($id: ID!) {{ {name}(input: {}) {{ userErrors {{ code }} }} }}", input(&types, takes, &way, "ID"));
            let query = query.replace("\"ID\"", "$id");
            let answer = serving.ask_as(Some(&callers[0]), &query, json!({ "id": "card_\u{0}" })).await;
            assert_eq!(answer["errors"][0]["message"], "variables.id: U+0000 is not a character of any text.", "{name}: {answer}");
            assert_eq!((&answer["errors"][0]["extensions"]["code"], answer.get("data")), (&json!("BAD_REQUEST"), None), "{name}");
        }
    }
    assert!(asked >= 150, "the schema was not walked: {asked}");
}

/// Questions have no user errors: a wrong id of theirs is a request that is refused, with the argument's name and without a path.
#[tokio::test]
async fn an_id_that_is_none_is_told_of_every_question() {
    let serving = Serving::start(&[]);
    let all = people(&serving).await;
    let types = schema(&serving).await;
    let token = serving.token().await;
    let mut asked = 0;
    for field in types["Query"]["fields"].as_array().unwrap() {
        let name = field["name"].as_str().unwrap();
        for argument in field["args"].as_array().unwrap() {
            let of = bare(&argument["type"]);
            let own = argument["name"].as_str().unwrap();
            let mut ways = Vec::new();
            match of["kind"].as_str() {
                Some("INPUT_OBJECT") => ids(&types, of["name"].as_str().unwrap(), &[], &mut ways),
                _ if of["name"] == "ID" => ways.push(Vec::new()),
                _ => {}
            }
            for way in ways {
                for (what, id) in wrong(&all[0]) {
                    let value = match way.is_empty() {
                        true if argument["type"].to_string().contains("\"LIST\"") => format!("[{}]", json!(id)),
                        true => json!(id).to_string(),
                        false => input(&types, of["name"].as_str().unwrap(), &way, &id),
                    };
                    let answer = serving.ask_as(Some(&token), &format!("{{ {name}({own}: {value}) {{ __typename }} }}"), json!({})).await;
                    let seen = format!("{name} {own} {}: {what}: {answer}", way.join("."));
                    let error = &answer["errors"][0];
                    assert_ne!(error["extensions"]["code"], "FAULT", "{seen}");
                    if !error.is_null() {
                        assert!(answer.get("data").is_none() && error.get("path").is_none(), "{seen}");
                        assert!(error["message"].as_str().is_some_and(|m| m.starts_with(own)), "{seen}");
                    }
                    asked += 1;
                }
            }
        }
    }
    assert!(asked >= 60, "the schema was not walked: {asked}");
}
