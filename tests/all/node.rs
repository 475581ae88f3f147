//! Everything that has an id can be asked for by it, by whoever may see it, and by nobody else.
use crate::access_matrix::{Person, grant, people, schema, token_of};
use crate::desk::hand_in;
use crate::surface::program::{Serving, day_in, moment_in};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Has an id, and cannot be asked for again.
const SHOWN_ONCE: &[(&str, &str)] = &[("Challenge", "it is shown to whoever began it, and proves something")];

/// One of every kind that lists have, by its type; and the cards of those whom they are about.
pub async fn some_of_each(serving: &Serving) -> (BTreeMap<String, String>, BTreeSet<String>) {
    let lists = [
        "identityCards(first: 1) { nodes { __typename id unit { __typename id province { __typename id } } } }",
        "units(first: 30) { nodes { province { __typename id } } }",
        "syncRuns(first: 10) { nodes { __typename id operations(first: 1) { nodes { __typename id card { id } } } } }",
        "holds(first: 1, status: null) { nodes { __typename id } }",
        "messages(first: 1) { nodes { __typename id card { id } } }",
        "dataIssues(first: 1) { nodes { __typename id card { id } } }",
        "roleGrants(first: 1) { nodes { __typename id } }",
        "serviceAccounts(first: 1) { nodes { __typename id } }",
        "auditEvents(first: 1) { nodes { __typename id } }",
        "webhooks(first: 1) { nodes { __typename id } }",
    ];
    let (mut found, mut about) = (BTreeMap::new(), BTreeSet::new());
    for list in lists {
        let answer = serving.ask(&format!("{{ {list} }}")).await;
        gather(&answer["data"], &mut found);
        people_in(&answer["data"], &mut about);
    }
    (found, about)
}

fn people_in(value: &Value, about: &mut BTreeSet<String>) {
    about.extend(value["card"]["id"].as_str().map(ToOwned::to_owned));
    match value {
        Value::Object(fields) => fields.values().for_each(|v| people_in(v, about)),
        Value::Array(items) => items.iter().for_each(|v| people_in(v, about)),
        _ => {}
    }
}

fn gather(value: &Value, found: &mut BTreeMap<String, String>) {
    if let (Some(kind), Some(id)) = (value["__typename"].as_str(), value["id"].as_str()) {
        found.entry(kind.to_owned()).or_insert_with(|| id.to_owned());
    }
    match value {
        Value::Object(fields) => fields.values().for_each(|v| gather(v, found)),
        Value::Array(items) => items.iter().for_each(|v| gather(v, found)),
        _ => {}
    }
}

/// A single closing waits for approval.
pub const HOLDING: &[(&str, &str)] =
    &[("KIMLIK__LIMITS__CLOSE", "{ absolute = 0 }"), ("KIMLIK__LIMITS__CLOSE_PER_PROVINCE", "{ absolute = 1000 }")];

/// HR says that this person has left; under [`HOLDING`] that is a hold.
pub async fn held(serving: &Serving, leaver: &Person) {
    let left = json!({ "registryNumber": leaver.registry_no, "reasonCode": "96", "status": "TERMINATED", "employmentEndsOn": day_in(-3) });
    hand_in(serving, "left", json!([left])).await;
    serving.at_rest().await;
}

const MAKE: &str = "mutation($w: WebhookCreateInput!, $s: ServiceAccountCreateInput!, $r: StaffRecordsSubmitInput!) {
    webhookCreate(input: $w) { webhook { __typename id } userErrors { message } }
    serviceAccountCreate(input: $s) { secret serviceAccount { __typename id } userErrors { message } }
    staffRecordsSubmit(input: $r) { submission { __typename id } userErrors { message } } }";

/// What only somebody makes: a webhook, a service, records. By its type, and the service's secret.
pub async fn made(serving: &Serving) -> (BTreeMap<String, String>, String) {
    // A record that is an issue, so that there is one.
    let record = json!({ "registryNumber": "X-1", "givenName": "Yeni", "familyName": "Kişi" });
    let variables = json!({
        "w": { "url": "https://example.org/hook" },
        "s": { "name": "blind-service", "scopes": ["HEALTH_READ"], "owner": "test", "expiresAt": moment_in(30) },
        "r": { "mode": "DELTA", "records": [record], "idempotencyKey": "node" },
    });
    let admin = serving.token().await;
    let made = serving.ask_as(Some(&admin), MAKE, variables).await;
    let secret = made["data"]["serviceAccountCreate"]["secret"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    let mut found = BTreeMap::new();
    gather(&made, &mut found);
    (found, secret)
}

#[tokio::test]
async fn whatever_has_an_id_is_found_by_it_and_what_may_not_be_seen_is_like_nothing() {
    let serving = Serving::start(HOLDING);
    let all = people(&serving).await;
    let (ward, stranger) = (&all[1], all.iter().find(|p| p.unit != all[1].unit).unwrap());
    let leaver = all.iter().rfind(|p| p.id != ward.id && p.id != stranger.id).unwrap();
    held(&serving, leaver).await;
    grant(&serving, ward, "AUDITOR", &[]).await;
    let admin = serving.token().await;
    let (of_hand, blind) = made(&serving).await;
    let (mut known, about) = some_of_each(&serving).await;
    // Why nobody of those: one's own messages and issues may be seen.
    let others = all.iter().filter(|p| ![&ward.id, &stranger.id, &leaver.id].contains(&&p.id));
    let staff = others.into_iter().find(|p| !about.contains(&p.id)).unwrap();
    known.extend(of_hand);
    let member = serving.ask(&format!("{{ staffMember(by: {{ id: \"{}\" }}) {{ __typename id }} }}", stranger.id)).await;
    gather(&member, &mut known);
    known.insert("IdentityCard".into(), stranger.id.clone());

    let types = schema(&serving).await;
    let answer = serving.ask("{ __type(name: \"Node\") { possibleTypes { name } } }").await;
    let nodes: BTreeSet<String> =
        answer["data"]["__type"]["possibleTypes"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap().to_owned()).collect();
    for (name, of) in &types {
        let has_id = of["kind"] == "OBJECT" && of["fields"].as_array().is_some_and(|f| f.iter().any(|f| f["name"] == "id"));
        let is_shown_once = SHOWN_ONCE.iter().any(|(once, _)| once == name);
        assert!(!has_id || is_shown_once || nodes.contains(name), "{name} has an id: let it join Node in api/src/graphql/node.rs");
    }
    let missing: Vec<&String> = nodes.iter().filter(|kind| !known.contains_key(*kind)).collect();
    assert!(missing.is_empty(), "there is none of {missing:?}: {known:?}");

    let query = "query($id: ID!) { node(id: $id) { __typename id } }";
    let ask = async |token: Option<&str>, id: &str| serving.ask_as(token, query, json!({ "id": id })).await;
    let (own, auditor) = (token_of(&serving, staff).await, token_of(&serving, ward).await);
    let mut seen_by = BTreeMap::new();
    for (kind, id) in &known {
        let answer = ask(Some(&admin), id).await;
        assert_eq!(answer["data"]["node"], json!({ "__typename": kind, "id": id }), "{answer}");
        // Of the same kind and form, and of nothing.
        let nothing = match kind.as_str() {
            "Unit" => "unit_99999999".to_owned(),
            "Province" => id.clone(),
            _ => format!("{}_{}", id.split_once('_').unwrap().0, "0123456789abcdef0123456789abcdef"),
        };
        for (who, token) in [("staff", Some(own.as_str())), ("auditor", Some(&auditor)), ("blind", Some(&blind)), ("nobody", None)] {
            let answer = ask(token, id).await;
            if answer["data"]["node"].is_null() {
                assert_eq!(answer, json!({ "data": { "node": null } }), "{who} {kind}");
                assert_eq!(answer, ask(token, &nothing).await, "{who} can tell {id} from {nothing}");
            } else {
                seen_by.entry(who).or_insert_with(BTreeSet::new).insert(kind.as_str());
            }
        }
    }
    assert_eq!(seen_by.remove("staff"), Some(BTreeSet::from(["IdentityCard", "Province", "Unit"])), "the record is another person's");
    assert_eq!((seen_by.get("blind"), seen_by.get("nobody")), (None, None));
    assert!(seen_by["auditor"].contains("AuditEvent") && !seen_by["auditor"].contains("Webhook"), "{seen_by:?}");
    let of_oneself = format!("staff_{}", staff.id.split_once('_').unwrap().1);
    assert_eq!(ask(Some(&own), &of_oneself).await["data"]["node"]["__typename"], "StaffMember");
}

#[tokio::test]
async fn many_are_asked_for_at_once_and_a_mistaken_id_is_the_caller_s_mistake() {
    let serving = Serving::start(&[]);
    let all = people(&serving).await;
    let of = |n: usize| all[n].id.clone();
    let record = |n: usize| format!("staff_{}", all[n].id.split_once('_').unwrap().1);
    let nothing = "card_0123456789abcdef0123456789abcdef";
    let ids = json!([of(3), record(1), nothing, of(0), record(1), "province_06"]);
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on IdentityCard { displayName } ... on StaffMember { registryNumber } } }";
    let admin = serving.token().await;
    let answer = serving.ask_as(Some(&admin), query, json!({ "ids": ids })).await;
    let found = answer["data"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}"));
    for (n, (wanted, found)) in ids.as_array().unwrap().iter().zip(found).enumerate() {
        if n == 2 {
            assert!(found.is_null(), "{answer}");
        } else {
            assert_eq!(&found["id"], wanted, "{answer}");
        }
    }
    assert_eq!(found[1]["registryNumber"], json!(all[1].registry_no));
    for id in ["", "x", "card_", "card_x", "session_0123456789abcdef0123456789abcdef", "province_82", "unit_1", "card_é"] {
        let answer = serving.ask_as(Some(&admin), query, json!({ "ids": [id] })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{id}: {answer}");
        assert!(answer["errors"][0]["message"].as_str().unwrap().contains("not an id"), "{answer}");
    }
    let many = json!(vec![nothing; 101]);
    let answer = serving.ask_as(Some(&admin), query, json!({ "ids": many })).await;
    assert!(answer["errors"][0]["message"].as_str().unwrap().contains("at most 100"), "{answer}");
}
