//! Every role and every scope against every root field and every guarded field, at the real program over HTTP. Root fields are
//! read from the schema itself: one that is new is in the table at once, and the table in the snapshot is what was agreed.
use crate::surface::program::{Serving, day_in, moment_in};
use kimlik_adapters::directory::embedded::EmbeddedDirectory;
use kimlik_domain::account::Dn;
use kimlik_domain::ports::SignIn as _;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

pub const PASSWORD: &str = "Sabah-Kahvesi-2026!";

/// A member of staff of the simulated ministry, with a password that the test knows.
pub struct Person {
    pub id: String,
    pub username: String,
    pub registry_no: String,
    pub unit: String,
}

/// Those who work in units, two of them in one, when all accounts are as they should be.
pub async fn people(serving: &Serving) -> Vec<Person> {
    let query = "{ identityCards(first: 100) { nodes { id username registryNumber accountState mobile unit { code } } } }";
    serving.at_rest().await;
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = serving.ask(query).await;
        let nodes = answer["data"]["identityCards"]["nodes"].as_array().cloned().unwrap_or_default();
        let text = |node: &Value, key: &str| node[key].as_str().unwrap_or_default().to_owned();
        let found: Vec<Person> = nodes
            .iter()
            .filter(|n| n["accountState"] == "ACTIVE" && n["mobile"].is_string() && n["unit"]["code"].is_string())
            .map(|n| Person {
                id: text(n, "id"),
                username: text(n, "username"),
                registry_no: text(n, "registryNumber"),
                unit: text(&n["unit"], "code"),
            })
            .collect();
        if nodes.len() >= 40 && found.len() > 20 {
            return found;
        }
        assert!(Instant::now() < until, "no accounts: {answer}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn give_password(serving: &Serving, username: &str) {
    let file = serving.folder.path().join("var/directory.db");
    let directory = EmbeddedDirectory::open(&file, Dn::new("OU=CSB,DC=csb,DC=test"), "csb.test", None).await.unwrap();
    let account = directory.account_named(username).await.unwrap().unwrap();
    directory.hand_password(account, &Zeroizing::new(PASSWORD.to_owned())).await.unwrap();
    directory.close().await;
}

pub async fn token_of(serving: &Serving, person: &Person) -> String {
    give_password(serving, &person.username).await;
    let signed_in = serving.sign_in(&person.username, PASSWORD).await;
    signed_in["session"]["accessToken"].as_str().unwrap_or_else(|| panic!("{signed_in}")).to_owned()
}

pub async fn grant(serving: &Serving, person: &Person, role: &str, units: &[&str]) {
    let query = "mutation($input: RoleGrantInput!) { roleGrant(input: $input) { grant { id inForce } userErrors { code path message } } }";
    let until = moment_in(30);
    let mut input = json!({ "personId": person.id, "role": role, "endsAt": until, "reason": "test" });
    if !units.is_empty() {
        input["units"] = json!(units);
    }
    let token = serving.token().await;
    let answer = serving.ask_as(Some(&token), query, json!({ "input": input })).await;
    assert_eq!(answer["data"]["roleGrant"]["grant"]["inForce"], true, "{answer}");
}

pub async fn service(serving: &Serving, name: &str, scopes: &[&str]) -> String {
    let query =
        "mutation($input: ServiceAccountCreateInput!) { serviceAccountCreate(input: $input) { secret userErrors { code path message } } }";
    let input = json!({ "name": name, "scopes": scopes, "owner": "test", "expiresAt": moment_in(30) });
    let token = serving.token().await;
    let answer = serving.ask_as(Some(&token), query, json!({ "input": input })).await;
    answer["data"]["serviceAccountCreate"]["secret"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

/// The schema, as a client asks for it.
pub async fn schema(serving: &Serving) -> BTreeMap<String, Value> {
    let shape = "kind name ofType { kind name ofType { kind name ofType { kind name } } }";
    let arguments = format!("name type {{ {shape} }} defaultValue");
    let query = format!(
        "{{ __schema {{ types {{ name kind isOneOf enumValues {{ name }} inputFields {{ {arguments} }} \
         fields {{ name args {{ {arguments} }} type {{ {shape} }} }} }} }} }}"
    );
    let answer = serving.ask(&query).await;
    let types = answer["data"]["__schema"]["types"].as_array().unwrap_or_else(|| panic!("{answer}"));
    types.iter().map(|t| (t["name"].as_str().unwrap().to_owned(), t.clone())).collect()
}

/// A value that the type takes, whatever it means.
pub fn some(types: &BTreeMap<String, Value>, of: &Value) -> String {
    let name = of["name"].as_str().unwrap_or_default();
    match of["kind"].as_str().unwrap() {
        "NON_NULL" => some(types, &of["ofType"]),
        "LIST" => format!("[{}]", some(types, &of["ofType"])),
        "ENUM" => types[name]["enumValues"][0]["name"].as_str().unwrap().to_owned(),
        "INPUT_OBJECT" => {
            let fields = types[name]["inputFields"].as_array().unwrap();
            let one_of = types[name]["isOneOf"] == true;
            let needed = |f: &&Value| f["type"]["kind"] == "NON_NULL" && f["defaultValue"].is_null();
            let chosen: Vec<&Value> = if one_of { fields.iter().take(1).collect() } else { fields.iter().filter(needed).collect() };
            let parts: Vec<String> =
                chosen.iter().map(|f| format!("{}: {}", f["name"].as_str().unwrap(), some(types, &f["type"]))).collect();
            format!("{{ {} }}", parts.join(", "))
        }
        _ => match name {
            "Int" | "Float" => "1".to_owned(),
            "Boolean" => "true".to_owned(),
            "DateTime" => format!("\"{}\"", moment_in(30)),
            "Date" => format!("\"{}\"", day_in(30)),
            "UnitCode" => "\"10000000\"".to_owned(),
            "PhoneNumber" => "\"+905550000000\"".to_owned(),
            "UUID" => "\"00000000-0000-0000-0000-000000000000\"".to_owned(),
            _ => "\"x\"".to_owned(),
        },
    }
}

fn call(types: &BTreeMap<String, Value>, field: &Value, known: &BTreeMap<&str, String>) -> String {
    let name = field["name"].as_str().unwrap();
    let needed = field["args"].as_array().unwrap().iter().filter(|a| a["type"]["kind"] == "NON_NULL" && a["defaultValue"].is_null());
    let arguments: Vec<String> = needed.map(|a| format!("{}: {}", a["name"].as_str().unwrap(), some(types, &a["type"]))).collect();
    let arguments = known.get(name).cloned().unwrap_or_else(|| arguments.join(", "));
    let arguments = if arguments.is_empty() { String::new() } else { format!("({arguments})") };
    let mut of = &field["type"];
    while of["name"].is_null() {
        of = &of["ofType"];
    }
    let is_leaf = matches!(of["kind"].as_str(), Some("SCALAR" | "ENUM"));
    format!("{name}{arguments} {}", if is_leaf { "" } else { "{ __typename }" })
}

/// What a subscription says first.
async fn first_event(serving: &Serving, token: Option<&str>, query: &str) -> Value {
    let mut request = reqwest::Client::new().post(serving.url("/graphql")).header("accept", "text/event-stream");
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let body = json!({ "query": query }).to_string();
    let mut answer = request.header("content-type", "application/json").body(body).send().await.unwrap();
    let mut said = String::new();
    while let Some(part) = answer.chunk().await.unwrap() {
        said.push_str(std::str::from_utf8(&part).unwrap());
        if let Some((_, rest)) = said.split_once("data: {")
            && let Some((event, _)) = rest.split_once('\n')
        {
            return serde_json::from_str(&format!("{{{event}")).unwrap();
        }
    }
    panic!("nothing was said: {said}")
}

type Callers = Vec<(&'static str, Option<String>)>;

async fn row(serving: &Serving, callers: &Callers, table: &mut String, title: &str, query: &str, answer_at: &str) {
    write!(table, "{title:<44}").unwrap();
    // Why at once: whoever is refused waits, whatever the machine does meanwhile.
    let asked = callers.iter().map(|(_, token)| serving.ask_as(token.as_deref(), query, json!({})));
    let answers = futures_util::future::join_all(asked).await;
    for ((name, _), answer) in callers.iter().zip(answers) {
        let answered = answer.pointer(answer_at).is_some_and(|v| !v.is_null()) || !answer["errors"].is_null();
        // What may not be asked is null without a word; a word would tell that there is something.
        write!(table, " {}", if answered { name } else { "-" }).unwrap();
    }
    table.push('\n');
}

#[tokio::test]
async fn every_role_against_every_root_field_and_every_guarded_field() {
    let serving = Serving::start(&[]);
    let all = people(&serving).await;
    let of_unit = |unit: &str| all.iter().filter(|p| p.unit == unit).count();
    let officer = &all[0];
    let ward = all.iter().skip(1).find(|p| p.unit != officer.unit && of_unit(&p.unit) < 20).unwrap();
    let others: Vec<&Person> = all.iter().filter(|p| p.id != officer.id && p.unit != ward.unit).collect();
    // Whose unit has somebody else in it as well.
    let staff = *others.iter().find(|p| others.iter().any(|o| o.unit == p.unit && o.id != p.id)).unwrap();
    let colleague = *others.iter().find(|o| o.unit == staff.unit && o.id != staff.id).unwrap();
    let mut rest = others.iter().copied().filter(|p| p.unit != staff.unit);
    let (auditor, stranger) = (rest.next().unwrap(), rest.next().unwrap());
    grant(&serving, officer, "PERSONNEL_OFFICER", &[&ward.unit]).await;
    grant(&serving, auditor, "AUDITOR", &[]).await;
    let mut callers: Callers = vec![
        ("nobody", None),
        ("staff", Some(token_of(&serving, staff).await)),
        ("officer", Some(token_of(&serving, officer).await)),
        ("auditor", Some(token_of(&serving, auditor).await)),
        ("administrator", Some(serving.token().await)),
    ];
    for (name, scope) in [
        ("cards:read", "CARDS_READ"),
        ("staff:read", "STAFF_READ"),
        ("staff:write", "STAFF_WRITE"),
        ("accounts:suspend", "ACCOUNTS_SUSPEND"),
        ("accounts:rename", "ACCOUNTS_RENAME"),
        ("credentials:resend", "CREDENTIALS_RESEND"),
        ("runs:read", "RUNS_READ"),
        ("webhooks:manage", "WEBHOOKS_MANAGE"),
        ("health:read", "HEALTH_READ"),
        ("runs:start", "RUNS_START"),
    ] {
        callers.push((name, Some(service(&serving, &name.replace(':', "-"), &[scope]).await)));
    }
    let types = schema(&serving).await;
    let begun = serving.ask("{ syncRuns(first: 1) { nodes { id } } identityCardChanges(first: 1) { edges { cursor } } }").await;
    let run = begun["data"]["syncRuns"]["nodes"][0]["id"].as_str().unwrap_or_else(|| panic!("{begun}"));
    let cursor = begun["data"]["identityCardChanges"]["edges"][0]["cursor"].as_str().unwrap_or_else(|| panic!("{begun}"));
    let known: BTreeMap<&str, String> = [
        ("identityCard", format!("by: {{ username: \"{}\" }}", stranger.username)),
        ("unit", format!("code: \"{}\"", stranger.unit)),
        ("node", format!("id: \"{}\"", stranger.id)),
        ("nodes", format!("ids: [\"{}\"]", stranger.id)),
        ("staffMember", format!("by: {{ registryNumber: \"{}\" }}", stranger.registry_no)),
    ]
    .into();
    let mut table = String::new();
    for (kind, word) in [("Query", "query"), ("Mutation", "mutation")] {
        for field in types[kind]["fields"].as_array().unwrap() {
            let name = field["name"].as_str().unwrap();
            let query = format!("{word} {{ {} }}", call(&types, field, &known));
            row(&serving, &callers, &mut table, &format!("{kind}.{name}"), &query, &format!("/data/{name}")).await;
        }
    }
    for (whom, person) in [("self", None), ("ward", Some(ward)), ("stranger", Some(stranger))] {
        for field in [
            "mobile",
            "accountState",
            "registryNumber",
            "displayName",
            "provenance { name }",
            "addressBook { status }",
            "waitsFor { because }",
        ] {
            let name = field.split(' ').next().unwrap();
            let (query, at) = match person {
                None => (format!("{{ viewer {{ card {{ {field} }} }} }}"), format!("/data/viewer/card/{name}")),
                Some(person) => (
                    format!("{{ identityCard(by: {{ username: \"{}\" }}) {{ {field} }} }}", person.username),
                    format!("/data/identityCard/{name}"),
                ),
            };
            row(&serving, &callers, &mut table, &format!("IdentityCard.{name} of {whom}"), &query, &at).await;
        }
    }
    // A colleague of the same unit is as much a stranger as everybody else; one's own record is one's own.
    for (whom, person) in [("own", staff), ("colleague", colleague), ("ward", ward), ("stranger", stranger)] {
        for field in types["StaffMember"]["fields"].as_array().unwrap() {
            let name = field["name"].as_str().unwrap();
            let query = format!("{{ staffMember(by: {{ id: \"{}\" }}) {{ {} }} }}", person.id, call(&types, field, &known));
            let at = format!("/data/staffMember/{name}");
            row(&serving, &callers, &mut table, &format!("StaffMember.{name} of {whom}"), &query, &at).await;
        }
        let record = format!("{{ node(id: \"staff_{}\") {{ id }} }}", person.id.split_once('_').unwrap().1);
        row(&serving, &callers, &mut table, &format!("node of the record of {whom}"), &record, "/data/node/id").await;
    }
    for field in ["status", "operations { __typename }"] {
        let name = field.split(' ').next().unwrap();
        let query = format!("{{ node(id: \"{run}\") {{ ... on SyncRun {{ {field} }} }} }}");
        row(&serving, &callers, &mut table, &format!("SyncRun.{name}"), &query, &format!("/data/node/{name}")).await;
    }
    for (name, arguments) in [("syncProgress", format!("runId: \"{run}\"")), ("identityCardChanged", format!("after: \"{cursor}\""))] {
        assert!(types["Subscription"]["fields"].as_array().unwrap().iter().any(|f| f["name"] == name));
        let query = format!("subscription {{ {name}({arguments}) {{ __typename }} }}");
        write!(table, "{:<44}", format!("Subscription.{name}")).unwrap();
        let asked = callers.iter().map(|(_, token)| first_event(&serving, token.as_deref(), &query));
        let told = futures_util::future::join_all(asked).await;
        for ((who, _), told) in callers.iter().zip(told) {
            write!(table, " {}", if told["data"][name].is_null() { "-" } else { who }).unwrap();
        }
        table.push('\n');
    }
    assert_eq!(types["Subscription"]["fields"].as_array().unwrap().len(), 2, "a new one belongs into the table");
    for (whom, person) in [("ward", ward), ("stranger", stranger)] {
        // Who may not is told exactly what is told of somebody who is not there.
        let asked = format!("staffMember: {{ id: \"{}\" }}, reason: \"test\", dryRun: true", person.id);
        let query = format!("mutation {{ accountSuspend(input: {{ {asked} }}) {{ plan {{ digest }} }} }}");
        let at = "/data/accountSuspend/plan";
        row(&serving, &callers, &mut table, &format!("Mutation.accountSuspend of {whom}"), &query, at).await;
        let query = format!("mutation {{ credentialsResend(input: {{ {asked} }}) {{ text }} }}");
        let at = "/data/credentialsResend/text";
        row(&serving, &callers, &mut table, &format!("Mutation.credentialsResend of {whom}"), &query, at).await;
        let query = format!("mutation {{ accountRename(input: {{ {asked}, username: \"matris.adi\" }}) {{ plan {{ digest }} }} }}");
        let at = "/data/accountRename/plan";
        row(&serving, &callers, &mut table, &format!("Mutation.accountRename of {whom}"), &query, at).await;
    }
    for (whom, person) in [("ward", ward), ("stranger", stranger)] {
        let query = format!("{{ identityCard(by: {{ registryNumber: \"{}\" }}) {{ id }} }}", person.registry_no);
        row(&serving, &callers, &mut table, &format!("identityCard by registryNumber of {whom}"), &query, "/data/identityCard/id").await;
    }
    insta::assert_snapshot!(table);
}

#[tokio::test]
async fn an_officer_s_lists_hold_the_own_people_only_and_readings_are_recorded() {
    let serving = Serving::start(&[]);
    let all = people(&serving).await;
    let officer = &all[0];
    let ward = all.iter().find(|p| p.unit != officer.unit).unwrap();
    grant(&serving, officer, "PERSONNEL_OFFICER", &[&ward.unit]).await;
    let token = token_of(&serving, officer).await;
    let answer =
        serving.ask_as(Some(&token), "{ messages(first: 100) { nodes { text card { username unit { code } } } } }", json!({})).await;
    let nodes = answer["data"]["messages"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}"));
    assert!(!nodes.is_empty(), "everybody who was opened was told");
    for node in nodes {
        assert!(node["text"].is_null(), "a code stands in it: {node}");
        let card = &node["card"];
        assert!(card["unit"]["code"] == json!(ward.unit) || card["username"] == json!(officer.username), "{node}");
    }
    let read = format!(
        "{{ a: identityCard(by: {{ username: \"{0}\" }}) {{ mobile }} b: identityCard(by: {{ username: \"{0}\" }}) {{ mobile }} }}",
        ward.username
    );
    let answer = serving.ask_as(Some(&token), &read, json!({})).await;
    assert!(answer["data"]["a"]["mobile"].is_string(), "{answer}");
    let own = "{ viewer { card { mobile } } }";
    assert!(serving.ask_as(Some(&token), own, json!({})).await["data"]["viewer"]["card"]["mobile"].is_string());
    let query = "query($f: AuditEventFilter) { auditEvents(filter: $f) { nodes { actor deed detail card { username } } } }";
    let filter = json!({ "f": { "deed": "person.read", "actor": format!("user:{}", officer.username) } });
    let admin = serving.token().await;
    let events = serving.ask_as(Some(&admin), query, filter).await;
    let events = events["data"]["auditEvents"]["nodes"].as_array().unwrap_or_else(|| panic!("{events}")).clone();
    assert_eq!(events.len(), 1, "one for the request and the person, none for the own number: {events:?}");
    assert_eq!(events[0]["card"]["username"], json!(ward.username));
    assert!(events[0]["detail"].as_str().unwrap().contains("ReadMobile"));
}

#[tokio::test]
async fn a_service_s_secret_is_exchanged_without_an_interruption_and_ends_when_it_is_revoked() {
    let serving = Serving::start(&[]);
    let old = service(&serving, "health-check", &["HEALTH_READ"]).await;
    let admin = serving.token().await;
    let works = async |secret: &str| {
        let answer = serving.ask_as(Some(secret), "{ systemHealth { health } }", json!({})).await;
        answer["data"]["systemHealth"].is_object()
    };
    assert!(works(&old).await);
    let listed = serving.ask("{ serviceAccounts { nodes { id name scopes lastUsedAt } } }").await;
    let node = &listed["data"]["serviceAccounts"]["nodes"][0];
    assert!(node["lastUsedAt"].is_string(), "{listed}");
    assert!(!listed.to_string().contains(&old[20..]), "a secret is shown once");
    let rotate = async |hours: i32| {
        let query = "mutation($i: ServiceAccountRotateInput!) { serviceAccountRotate(input: $i) { secret userErrors { code message } } }";
        let variables = json!({ "i": { "serviceAccountId": node["id"], "overlapHours": hours } });
        let answer = serving.ask_as(Some(&admin), query, variables).await;
        answer["data"]["serviceAccountRotate"]["secret"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    };
    let second = rotate(1).await;
    assert!(works(&old).await && works(&second).await, "both count for an hour");
    let third = rotate(0).await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert!(!works(&second).await && works(&third).await, "no overlap was asked for");
    assert!(!works(&old).await, "and the first one's hour is over with it");
    let revoke = "mutation($id: ID!) { serviceAccountRevoke(input: { serviceAccountId: $id }) { serviceAccount { revokedAt } userErrors { code } } }";
    let revoked = serving.ask_as(Some(&admin), revoke, json!({ "id": node["id"] })).await;
    assert!(revoked["data"]["serviceAccountRevoke"]["serviceAccount"]["revokedAt"].is_string(), "{revoked}");
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert!(!works(&third).await);
    let again = serving.ask_as(Some(&admin), revoke, json!({ "id": node["id"] })).await;
    assert_eq!(again["data"]["serviceAccountRevoke"]["userErrors"][0]["code"], "ALREADY_DONE", "{again}");
}

#[tokio::test]
async fn a_role_that_is_taken_back_is_gone_within_a_second_and_the_terminal_gives_the_first_one() {
    let serving = Serving::start(&[]);
    let all = people(&serving).await;
    let token = token_of(&serving, &all[3]).await;
    let runs = async || serving.ask_as(Some(&token), "{ syncRuns { nodes { id } } }", json!({})).await["data"]["syncRuns"].is_object();
    assert!(!runs().await);
    let kimlik = |arguments: &[&str]| {
        let out = crate::surface::program::run(serving.folder.path(), arguments, crate::surface::program::SMALL);
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    let given = kimlik(&["grant", "administrator", "--person", &all[3].registry_no, "--days", "2", "--reason", "first administrator"]);
    assert!(given.contains("given: ") && given.contains("administrator"), "{given}");
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert!(runs().await);
    let listed = kimlik(&["grant", "list"]);
    assert!(listed.contains("in force; by cli:officer: first administrator"), "{listed}");
    let id = listed.split_whitespace().next().unwrap().to_owned();
    assert!(kimlik(&["grant", "revoke", &id]).contains("taken back"));
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert!(!runs().await);
}

#[tokio::test]
async fn a_new_password_ends_the_session_when_it_is_renewed() {
    let serving = Serving::start(&[]);
    let all = people(&serving).await;
    give_password(&serving, &all[5].username).await;
    let session = serving.sign_in(&all[5].username, PASSWORD).await["session"].clone();
    give_password(&serving, &all[5].username).await;
    let query = "mutation($t: String!) { sessionRefresh(input: { refreshToken: $t }) { session { accessToken } userErrors { code } } }";
    let refreshed = serving.ask_as(None, query, json!({ "t": session["refreshToken"] })).await;
    assert!(refreshed["data"]["sessionRefresh"]["session"].is_null(), "{refreshed}");
    let after = serving.ask_as(session["accessToken"].as_str(), "{ viewer { name } }", json!({})).await;
    assert_eq!(after["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{after}");
}

#[tokio::test]
async fn a_mailbox_is_shown_to_whom_it_concerns_and_is_null_to_others() {
    let mailboxes = tempfile::tempdir().unwrap();
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operators/mailbox-commands/example.sh");
    let arguments = format!("[\"{}\"]", mailboxes.path().display());
    let serving = Serving::start(&[
        ("KIMLIK__EXCHANGE__MAILBOXES", "command"),
        ("KIMLIK__EXCHANGE__COMMAND__PROGRAM", program),
        ("KIMLIK__EXCHANGE__COMMAND__ARGUMENTS", &arguments),
    ]);
    let all = people(&serving).await;
    let (own, other) = (&all[0], all.iter().find(|p| p.unit != all[0].unit).unwrap());
    let of = |person: &Person| {
        format!("{{ identityCard(by: {{ username: \"{}\" }}) {{ mailbox {{ state since waitingFor closesOn }} }} }}", person.username)
    };
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = serving.ask(&of(other)).await;
        let mailbox = &answer["data"]["identityCard"]["mailbox"];
        if mailbox["state"] == "OPEN" {
            assert!(mailbox["since"].is_string() && mailbox["waitingFor"].is_null() && mailbox["closesOn"].is_null(), "{answer}");
            break;
        }
        assert!(Instant::now() < until, "{answer}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let token = token_of(&serving, own).await;
    let answer = serving.ask_as(Some(&token), &of(other), json!({})).await;
    assert_eq!((&answer["data"]["identityCard"]["mailbox"], &answer["errors"]), (&json!(null), &json!(null)));
    let answer = serving.ask_as(Some(&token), &of(own), json!({})).await;
    assert!(answer["data"]["identityCard"]["mailbox"]["state"].is_string(), "{answer}");
}
