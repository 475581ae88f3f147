//! Fields that some see and others do not, of every type: found by asking for everything, as everybody. What is read from the schema
//! is in the walk at once, and the table in the snapshot is what was agreed: a field that is guarded anew, or no more, is another table.
use crate::access_matrix::{PASSWORD, Person, grant, people, schema, service, some, token_of};
use crate::desk::hand_in;
use crate::node::{HOLDING, held, made, some_of_each};
use crate::surface::program::Serving;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Inside each other, at most.
const DEEP: usize = 4;

/// Everything that can be asked of a type.
struct Walk<'a> {
    types: &'a BTreeMap<String, Value>,
    /// Types that have an id: each is asked for by itself.
    nodes: BTreeSet<String>,
    /// What a deed answers with is looked into as well, also where it has an id.
    is_payload: bool,
    /// "phones.effective.number", in the schema's order.
    paths: Vec<String>,
}

fn named(of: &Value) -> &Value {
    if of["name"].is_null() { named(&of["ofType"]) } else { of }
}

impl Walk<'_> {
    fn fields(&self, of: &str) -> &[Value] {
        self.types[of]["fields"].as_array().map_or(&[], Vec::as_slice)
    }

    /// What a page holds; `None`: it is no page.
    fn items(&self, of: &str) -> Option<String> {
        let nodes = self.fields(of).iter().find(|f| f["name"] == "nodes")?;
        Some(named(&nodes["type"])["name"].as_str()?.to_owned())
    }

    fn selection(&mut self, of: &str, above: &[&str], path: &str) -> String {
        let mut asked = String::from("{ __typename ");
        for field in self.fields(of).to_vec() {
            let name = field["name"].as_str().unwrap();
            let here = format!("{path}{name}");
            self.paths.push(here.clone());
            let needed =
                field["args"].as_array().unwrap().iter().filter(|a| a["type"]["kind"] == "NON_NULL" && a["defaultValue"].is_null());
            let needed: Vec<String> =
                needed.map(|a| format!("{}: {}", a["name"].as_str().unwrap(), some(self.types, &a["type"]))).collect();
            let arguments = if needed.is_empty() { String::new() } else { format!("({})", needed.join(", ")) };
            let kind = named(&field["type"]);
            let inner = kind["name"].as_str().unwrap();
            let (page, item) = match self.items(inner) {
                Some(item) => (true, item),
                None => (false, inner.to_owned()),
            };
            let is_asked_for = !self.nodes.contains(&item) || (self.is_payload && above.len() == 1);
            let goes_on = is_asked_for && !above.contains(&item.as_str()) && above.len() < DEEP;
            let below = match kind["kind"].as_str().unwrap() {
                "SCALAR" | "ENUM" => String::new(),
                "OBJECT" if goes_on && self.types[&item]["kind"] == "OBJECT" => {
                    let above: Vec<&str> = above.iter().copied().chain([item.as_str()]).collect();
                    if page {
                        format!("{{ nodes {} }}", self.selection(&item, &above, &format!("{here}.nodes.")))
                    } else {
                        self.selection(&item, &above, &format!("{here}."))
                    }
                }
                _ => "{ __typename }".to_owned(),
            };
            write!(asked, "{name}{arguments} {below} ").unwrap();
        }
        asked + "}"
    }
}

/// Is there something, in any item of the lists on the way?
fn is_seen(value: &Value, path: &str) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => items.iter().any(|item| is_seen(item, path)),
        _ if path.is_empty() => true,
        _ => {
            let (name, rest) = path.split_once('.').unwrap_or((path, ""));
            is_seen(&value[name], rest)
        }
    }
}

fn above(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(above, _)| above)
}

/// Is it not null? Lists are not looked into.
fn is_given(value: &Value, path: &str) -> bool {
    if path.is_empty() { !value.is_null() } else { value.pointer(&format!("/{}", path.replace('.', "/"))).is_some_and(|v| !v.is_null()) }
}

/// A line for each path that some see (`is_seen`) and others do not, who see what it is of. `answers`: what each caller was answered.
fn tell(table: &mut String, title: &str, paths: &[String], answers: &[(&str, Value)], is_seen: fn(&Value, &str) -> bool) {
    for path in paths {
        let sees = |at: &str| -> Vec<&str> { answers.iter().filter(|(_, a)| is_seen(a, at)).map(|(who, _)| *who).collect() };
        let (of_it, of_what_is_above) = (sees(path), sees(above(path)));
        if !of_it.is_empty() && of_it != of_what_is_above {
            let not: Vec<&str> = of_what_is_above.into_iter().filter(|who| !of_it.contains(who)).collect();
            writeln!(table, "{:<60} {}; not {}", format!("{title}.{path}"), of_it.join(" "), not.join(" ")).unwrap();
        }
    }
}

async fn nodes_of(serving: &Serving) -> BTreeSet<String> {
    let answer = serving.ask("{ __type(name: \"Node\") { possibleTypes { name } } }").await;
    answer["data"]["__type"]["possibleTypes"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn fields_that_not_everybody_sees_who_sees_what_they_are_of() {
    let serving = Serving::start(HOLDING);
    let all = people(&serving).await;
    let officer = &all[0];
    let ward = all.iter().find(|p| p.unit != officer.unit).unwrap();
    let mut others = all.iter().filter(|p| p.unit != ward.unit && p.id != officer.id);
    let [auditor, staff, leaver] = [(); 3].map(|()| others.next().unwrap());
    held(&serving, leaver).await;
    grant(&serving, officer, "PERSONNEL_OFFICER", &[&ward.unit]).await;
    grant(&serving, auditor, "AUDITOR", &[]).await;
    let scopes = ["CARDS_READ", "STAFF_READ", "STAFF_WRITE", "RUNS_READ", "HEALTH_READ", "WEBHOOKS_MANAGE"];
    let callers = [
        ("administrator", serving.token().await),
        ("officer", token_of(&serving, officer).await),
        ("auditor", token_of(&serving, auditor).await),
        ("staff", token_of(&serving, staff).await),
        ("service", service(&serving, "walks", &scopes).await),
    ];
    let (submitted, _) = made(&serving).await;
    let (mut known, _) = some_of_each(&serving).await;
    known.extend(submitted);
    known.insert("IdentityCard".into(), ward.id.clone());
    known.insert("StaffMember".into(), format!("staff_{}", ward.id.split_once('_').unwrap().1));
    // Of the ward, so that an officer sees them as well.
    let own = format!("{{ staffMember(by: {{ id: \"{}\" }}) {{ operations(first: 1) {{ nodes {{ id }} }} }} }}", ward.id);
    let operation = serving.ask(&own).await["data"]["staffMember"]["operations"]["nodes"][0]["id"].as_str().map(str::to_owned);
    known.extend(operation.map(|id| ("Operation".to_owned(), id)));
    let messages = serving.ask("{ messages(first: 100) { nodes { id card { id } } } }").await;
    let messages = messages["data"]["messages"]["nodes"].as_array().cloned().unwrap_or_default();
    let of_ward = messages.iter().find(|m| m["card"]["id"] == json!(ward.id)).and_then(|m| m["id"].as_str());
    known.insert("Message".into(), of_ward.unwrap_or_else(|| panic!("the ward was told of the account: {messages:?}")).to_owned());

    let types = schema(&serving).await;
    let nodes = nodes_of(&serving).await;
    let mut asked: Vec<(String, Vec<String>, String, String)> = Vec::new();
    for kind in &nodes {
        let id = known.get(kind).unwrap_or_else(|| panic!("there is no {kind}: {known:?}"));
        let mut walk = Walk { types: &types, nodes: nodes.clone(), is_payload: false, paths: Vec::new() };
        let selection = walk.selection(kind, &[kind], "");
        asked.push((
            kind.clone(),
            walk.paths,
            format!("{{ node(id: \"{id}\") {{ ... on {kind} {selection} }} }}"),
            "/data/node".to_owned(),
        ));
    }
    // What has no id of its own, from where it begins.
    for field in types["Query"]["fields"].as_array().unwrap() {
        let mut walk = Walk { types: &types, nodes: nodes.clone(), is_payload: false, paths: Vec::new() };
        let of = named(&field["type"])["name"].as_str().unwrap();
        let item = walk.items(of).unwrap_or_else(|| of.to_owned());
        let needs = field["args"].as_array().unwrap().iter().any(|a| a["type"]["kind"] == "NON_NULL" && a["defaultValue"].is_null());
        if needs || nodes.contains(&item) || types[&item]["kind"] != "OBJECT" {
            continue;
        }
        let name = field["name"].as_str().unwrap();
        let selection = walk.selection(of, &[of], "");
        asked.push((format!("Query.{name}"), walk.paths, format!("{{ {name} {selection} }}"), format!("/data/{name}")));
    }
    let mut table = String::new();
    for (kind, paths, query, at) in &asked {
        let mut answers = Vec::new();
        for (who, token) in &callers {
            let answer = serving.ask_as(Some(token), query, json!({})).await;
            assert!(*who != "administrator" || answer["errors"].is_null(), "{kind}: {}", answer["errors"]);
            answers.push((*who, answer.pointer(at).cloned().unwrap_or_default()));
        }
        tell(&mut table, kind, paths, &answers, is_seen);
    }
    insta::assert_snapshot!(table);
}

/// Deeds that succeed, on `ward`; the others are asked with whatever their input takes.
fn deeds(who: &str, ward: &Person, issue: &Value) -> Vec<(&'static str, Value)> {
    let of = |more: Value| {
        let mut input = json!({ "staffMember": { "id": ward.id }, "reason": "a walk over payloads" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let submitted = |key: &str, dry: bool| {
        let records = json!([{ "registryNumber": ward.registry_no, "office": format!("B-{who}") }]);
        json!({ "mode": "DELTA", "idempotencyKey": format!("{key} {who}"), "records": records, "dryRun": dry })
    };
    vec![
        // First, because a record that is handed in says anew what is wrong with it.
        ("dataIssueDecide", json!({ "issueId": issue, "decision": "ACCEPT_AS_IT_IS" })),
        ("credentialsResend", of(json!({ "dryRun": true }))),
        ("accountRename", of(json!({ "dryRun": true, "username": "baska.ad" }))),
        ("accountSuspend", of(json!({ "dryRun": true }))),
        ("accountSuspend", of(json!({}))),
        ("accountReinstate", of(json!({}))),
        ("staffPhonesUpdate", json!({ "personId": ward.id, "reason": "another room", "workPhone": { "extension": "4711" } })),
        ("workPhoneUpdate", json!({ "password": PASSWORD, "extension": "4712" })),
        ("mobileChangeStart", json!({ "password": PASSWORD, "mobile": "+905551112233" })),
        ("passwordResetSend", of(json!({ "verified": "IN_PERSON" }))),
        ("staffRecordsSubmit", submitted("dry", true)),
        ("staffRecordsSubmit", submitted("real", false)),
        ("syncStart", json!({ "scope": { "people": [ward.id] }, "intake": false })),
        ("webhookCreate", json!({ "url": format!("https://example.org/{who}") })),
        ("languageSet", json!({ "language": "EN" })),
    ]
}

/// What is shown once and is gone afterwards.
const GONE: &[&str] = &["dataIssueDecide"];

#[tokio::test]
async fn what_a_deed_answers_shows_nobody_more_than_they_may_see() {
    let serving = Serving::start(&[]);
    let all = people(&serving).await;
    let (officer, wards) = (&all[0], &all[1..5]);
    let units: BTreeSet<&str> = wards.iter().map(|ward| ward.unit.as_str()).collect();
    let mut others = all.iter().skip(5).filter(|p| !units.contains(p.unit.as_str()) && p.unit != officer.unit);
    let [auditor, staff] = [(); 2].map(|()| others.next().unwrap());
    grant(&serving, officer, "PERSONNEL_OFFICER", &units.into_iter().collect::<Vec<_>>()).await;
    grant(&serving, auditor, "AUDITOR", &[]).await;
    let writes = ["ACCOUNTS_SUSPEND", "ACCOUNTS_RENAME", "CREDENTIALS_RESEND", "STAFF_WRITE", "RUNS_START", "WEBHOOKS_MANAGE"];
    let reads = ["CARDS_READ", "STAFF_READ", "RUNS_READ"];
    let callers = [
        ("administrator", serving.token().await, &wards[0]),
        ("officer", token_of(&serving, officer).await, &wards[1]),
        ("auditor", token_of(&serving, auditor).await, &wards[1]),
        ("staff", token_of(&serving, staff).await, &wards[1]),
        ("writing", service(&serving, "writes", &writes).await, &wards[2]),
        ("service", service(&serving, "writes-and-reads", &[&writes[..], &reads].concat()).await, &wards[3]),
    ];
    let unmanaged: Vec<Value> =
        wards.iter().map(|ward| json!({ "registryNumber": ward.registry_no, "managerRegistryNumber": "NOBODY1" })).collect();
    hand_in(&serving, "unmanaged", json!(unmanaged)).await;
    serving.at_rest().await;
    let types = schema(&serving).await;
    let nodes = nodes_of(&serving).await;
    let mut asked: Vec<(String, Vec<String>, String, Vec<Value>)> = Vec::new();
    let mut given: Vec<Vec<(&str, Value)>> = Vec::new();
    for (who, _, ward) in &callers {
        let of = format!(
            "{{ dataIssues(filter: {{ registryNumber: \"{}\", kinds: [UNKNOWN_MANAGER] }}) {{ nodes {{ id }} }} }}",
            ward.registry_no
        );
        let issue = serving.ask(&of).await["data"]["dataIssues"]["nodes"][0]["id"].clone();
        assert!(issue.is_string(), "the manager is nobody");
        given.push(deeds(who, ward, &issue));
    }
    for field in types["Mutation"]["fields"].as_array().unwrap() {
        let name = field["name"].as_str().unwrap();
        let mut walk = Walk { types: &types, nodes: nodes.clone(), is_payload: true, paths: Vec::new() };
        let payload = named(&field["type"])["name"].as_str().unwrap();
        let selection = walk.selection(payload, &[payload], "");
        let of = &field["args"][0]["type"];
        let query = format!("mutation($input: {}!) {{ {name}(input: $input) {selection} }}", named(of)["name"].as_str().unwrap());
        let nth: Vec<usize> = given[0].iter().enumerate().filter(|(_, (of, _))| *of == name).map(|(n, _)| n).collect();
        if nth.is_empty() {
            let query = format!("mutation {{ {name}(input: {}) {selection} }}", some(&types, of));
            asked.push((name.to_owned(), walk.paths, query, vec![Value::Null; callers.len()]));
        } else {
            let inputs = |n: usize| -> Vec<Value> { given.iter().map(|deeds| deeds[n].1.clone()).collect() };
            asked.extend(nth.into_iter().map(|n| (name.to_owned(), walk.paths.clone(), query.clone(), inputs(n))));
        }
    }
    // In the order in which they follow each other; what was made up comes last.
    asked.sort_by_key(|(name, ..)| given[0].iter().position(|(of, _)| of == name).unwrap_or(usize::MAX));
    let (mut table, mut too_much) = (String::new(), Vec::new());
    for (name, paths, query, inputs) in &asked {
        let is_made_up = inputs.iter().all(Value::is_null);
        let asks = callers.iter().zip(inputs).map(|((_, token, _), input)| {
            let variables = if input.is_null() { json!({}) } else { json!({ "input": input }) };
            serving.ask_as(Some(token), query, variables)
        });
        let mut answered = Vec::new();
        if is_made_up {
            // Why at once: whoever is refused waits, whatever the machine does meanwhile.
            answered = futures_util::future::join_all(asks).await;
        } else {
            for ask in asks {
                answered.push(ask.await);
            }
        }
        let mut answers = Vec::new();
        for ((who, token, _), answer) in callers.iter().zip(answered) {
            assert!(answer["errors"].is_null(), "{who} {name}: {}", answer["errors"]);
            let payload = answer["data"][name].clone();
            for (field, shown) in payload.as_object().into_iter().flatten() {
                let kind = shown["__typename"].as_str().filter(|kind| nodes.contains(*kind) && !GONE.contains(&name.as_str()));
                let Some(kind) = kind else { continue };
                let beyond = shown_beyond_its_id(&serving, token, kind, shown, &types, &nodes).await;
                too_much.extend(beyond.into_iter().map(|what| format!("{name} shows {who} {field}{what}")));
            }
            answers.push((*who, payload));
        }
        assert!(is_made_up || answers.iter().any(|(_, payload)| payload["userErrors"] == json!([])), "nobody did {name}: {answers:?}");
        // Further down people differ, and a run may be over by now or not.
        let near: Vec<String> = paths.iter().filter(|p| p.split('.').count() <= 2 && !p.ends_with(".finishedAt")).cloned().collect();
        tell(&mut table, name, &near, &answers, is_given);
    }
    insta::assert_snapshot!(table);
    assert!(too_much.is_empty(), "null elsewhere: {too_much:#?}");
}

/// What a payload shows of something that has an id, `node(id)` shows to the same caller; what it does not.
async fn shown_beyond_its_id(
    serving: &Serving,
    token: &str,
    kind: &str,
    shown: &Value,
    types: &BTreeMap<String, Value>,
    nodes: &BTreeSet<String>,
) -> Vec<String> {
    let mut walk = Walk { types, nodes: nodes.clone(), is_payload: false, paths: Vec::new() };
    let selection = walk.selection(kind, &[kind], "");
    let query = format!("{{ node(id: {}) {{ ... on {kind} {selection} }} }}", shown["id"]);
    let answer = serving.ask_as(Some(token), &query, json!({})).await;
    let by_id = &answer["data"]["node"];
    if by_id.is_null() {
        return vec![String::new()];
    }
    let fields = shown.as_object().unwrap().iter();
    fields.filter(|(name, value)| !value.is_null() && by_id[*name].is_null()).map(|(name, _)| format!(".{name}")).collect()
}
