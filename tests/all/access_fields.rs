//! Fields that some see and others do not, of every type: found by asking for everything, as everybody. What is read from the schema
//! is in the walk at once, and the table in the snapshot is what was agreed: a field that is guarded anew, or no more, is another table.
use crate::access_matrix::{grant, people, schema, service, some, token_of};
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
            let goes_on = !self.nodes.contains(&item) && !above.contains(&item.as_str()) && above.len() < DEEP;
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
    let answer = serving.ask("{ __type(name: \"Node\") { possibleTypes { name } } }").await;
    let nodes: BTreeSet<String> =
        answer["data"]["__type"]["possibleTypes"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap().to_owned()).collect();
    let mut asked: Vec<(String, Vec<String>, String, String)> = Vec::new();
    for kind in &nodes {
        let id = known.get(kind).unwrap_or_else(|| panic!("there is no {kind}: {known:?}"));
        let mut walk = Walk { types: &types, nodes: nodes.clone(), paths: Vec::new() };
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
        let mut walk = Walk { types: &types, nodes: nodes.clone(), paths: Vec::new() };
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
        for path in paths {
            let sees = |at: &str| -> Vec<&str> { answers.iter().filter(|(_, a)| is_seen(a, at)).map(|(who, _)| *who).collect() };
            let (of_it, of_what_is_above) = (sees(path), sees(above(path)));
            if !of_it.is_empty() && of_it != of_what_is_above {
                let not: Vec<&str> = of_what_is_above.into_iter().filter(|who| !of_it.contains(who)).collect();
                writeln!(table, "{:<60} {}; not {}", format!("{kind}.{path}"), of_it.join(" "), not.join(" ")).unwrap();
            }
        }
    }
    insta::assert_snapshot!(table);
}
