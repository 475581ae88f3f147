//! Runs that are begun over GraphQL, plans that are asked for, what was done, and trying again what failed.
use super::{grant, hand_in, json, on_postgresql, people, run, service, token_of, until};
use crate::surface::program::{SMALL, Serving, day_in};
use chrono::TimeDelta;
use kimlik_adapters::directory::embedded::EmbeddedDirectory;
use kimlik_adapters::store::{SqlStore, StoreKeys};
use kimlik_adapters::system::SystemClock;
use kimlik_domain::account::{Attribute, Dn, Value as Held};
use kimlik_domain::id::{OperationId, PersonId, RunId, uuid_v7};
use kimlik_domain::lifecycle::run::{Intent, OperationStatus, PersonSettlement, ReceiptLine};
use kimlik_domain::lifecycle::{ActionKind, Because, Step};
use kimlik_domain::ports::{Clock as _, PeopleBy, SignIn as _, Store};
use serde_json::Value;
use uuid::Uuid;

pub const START: &str =
    "mutation($i: SyncStartInput!) { syncStart(input: $i) { run { id status trigger startedBy } userErrors { code path message } } }";
const PLAN: &str =
    "query($scope: PlanScopeInput, $asOf: Date, $first: Int = 100, $after: String = null) { changePlan(scope: $scope, asOf: $asOf) {
    asOf verdict digest text summary { action count } provinces { province { name } summary { action count } }
    changes(first: $first, after: $after) { nodes { registryNumber action because text staffMember { registryNumber } } pageInfo { hasNextPage endCursor } } } }";
const OPERATIONS: &str = "query($f: OperationFilter, $first: Int = 100, $after: String = null) { operations(filter: $f, first: $first, after: $after) {
    nodes { id status action because createdAt card { registryNumber unit { code } } run { startedBy } } pageInfo { hasNextPage endCursor } } }";

async fn as_a_turk(serving: &Serving, query: &str, variables: Value) -> Value {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let request =
        reqwest::Client::new().post(serving.url("/graphql")).header("content-type", "application/json").header("accept-language", "tr");
    serde_json::from_str(&request.bearer_auth(serving.token().await).body(body).send().await.unwrap().text().await.unwrap()).unwrap()
}

/// The store of the program, opened beside it.
pub async fn store(serving: &Serving, url: Option<&str>) -> SqlStore {
    let file = format!("sqlite://{}", serving.folder.path().join("var/kimlik.db").display());
    SqlStore::connect(url.unwrap_or(&file), StoreKeys { encryption: [7; 32], pepper: [9; 32] }).await.unwrap()
}

async fn start(serving: &Serving, token: &str, input: Value) -> Value {
    let answer = serving.ask_as(Some(token), START, json!({ "i": input })).await;
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"]["syncStart"].clone()
}

async fn ended(serving: &Serving, run: &Value) -> Value {
    until("the run ends", async || {
        let answer = serving.ask("{ syncRuns(first: 20) { nodes { id status startedBy trigger people done finishedAt } } }").await;
        let runs = answer["data"]["syncRuns"]["nodes"].as_array().cloned().unwrap_or_default();
        runs.into_iter().find(|r| r["id"] == *run && r["finishedAt"].is_string())
    })
    .await
}

async fn a_run_from_its_beginning(serving: &Serving, url: Option<&str>) {
    let all = people(serving).await;
    let admin = serving.token().await;
    let scheduler = service(serving, "scheduler", &["RUNS_START"]).await;
    let begun = until("nobody else looks at everybody", async || {
        let begun = start(serving, &scheduler, json!({})).await;
        (begun["userErrors"][0]["code"] != "CONFLICT").then_some(begun)
    })
    .await;
    assert_eq!((&begun["userErrors"], &begun["run"]["startedBy"]), (&json!([]), &json!("service:scheduler")), "{begun}");
    let run = ended(serving, &begun["run"]["id"]).await;
    assert_eq!((&run["status"], &run["trigger"], &run["startedBy"]), (&json!("DONE"), &json!("COMMAND"), &json!("service:scheduler")));
    assert!(run["people"].as_u64() >= Some(40), "{run}");
    let audit = serving.ask("{ auditEvents(filter: { deed: \"run.start\" }) { nodes { actor } } }").await;
    assert_eq!(audit["data"]["auditEvents"]["nodes"], json!([{ "actor": "service:scheduler" }]));

    // While somebody has everybody in hand there is no other.
    let beside = store(serving, url).await;
    let holder = Uuid::from_u128(77);
    until("the hand is free", async || {
        beside.take_hand(holder, SystemClock.now(), SystemClock.now() + TimeDelta::minutes(5)).await.unwrap().then_some(json!(1))
    })
    .await;
    let refused = as_a_turk(serving, START, json!({ "i": {} })).await["data"]["syncStart"].clone();
    assert_eq!((&refused["run"], &refused["userErrors"][0]["code"]), (&Value::Null, &json!("CONFLICT")), "{refused}");
    assert!(refused["userErrors"][0]["message"].as_str().unwrap().contains("çalışma sürüyor"), "{refused}");
    // People by name are another matter.
    let one = start(serving, &admin, json!({ "intake": false, "scope": { "people": [all[0].id] } })).await;
    assert_eq!(ended(serving, &one["run"]["id"]).await["people"], json!(1));
    beside.let_go_of_hand(holder).await.unwrap();
    for (scope, code) in [
        (json!({ "people": [] }), "INVALID"),
        (json!({ "people": [all[0].id], "unit": all[0].unit }), "INVALID"),
        (json!({ "people": ["nonsense"] }), "INVALID"),
        (json!({ "people": ["card_00000000000000000000000000000009"] }), "NOT_FOUND"),
        (json!({ "unit": "99999999" }), "NOT_FOUND"),
    ] {
        assert_eq!(start(serving, &admin, json!({ "scope": scope })).await["userErrors"][0]["code"], code, "{scope}");
    }
    assert_eq!(serving.ask_as(Some(&token_of(serving, &all[3]).await), START, json!({ "i": {} })).await["data"]["syncStart"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_begun_followed_and_never_beside_another_on_sqlite() {
    a_run_from_its_beginning(&Serving::start(&[]), None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_begun_followed_and_never_beside_another_on_postgresql() {
    let (database, serving) = on_postgresql(&[]).await;
    a_run_from_its_beginning(&serving, Some(&database.url)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_plan_over_graphql_is_that_of_the_command_in_both_languages_page_by_page() {
    let serving = Serving::start(&[]);
    let all = people(&serving).await;
    let admin = serving.token().await;
    // Three leave in some weeks, one of them of another unit; nothing is done about it today.
    let officer = &all[0];
    let ward = all.iter().find(|p| p.unit != officer.unit).unwrap();
    let other = all.iter().find(|p| p.unit != ward.unit && p.id != officer.id).unwrap();
    let (last, after_it) = (day_in(75), day_in(76));
    let leaving = |no: &str| json!({ "registryNumber": no, "reasonCode": "96", "employmentEndsOn": last });
    hand_in(&serving, "leaving", json!([leaving(&ward.registry_no), leaving(&other.registry_no), leaving(&officer.registry_no)])).await;
    let plan = async |token: &str, variables: Value| {
        let answer = serving.ask_as(Some(token), PLAN, variables).await;
        assert!(answer["errors"].is_null(), "{answer}");
        answer["data"]["changePlan"].clone()
    };
    until("the accounts are as they should be", async || {
        let now = plan(&admin, json!({})).await;
        (now["changes"]["nodes"] == json!([])).then_some(now)
    })
    .await;
    let then = plan(&admin, json!({ "asOf": after_it })).await;
    let closings = |plan: &Value| {
        let of = |n: &&Value| n["action"] == "CLOSE";
        plan["changes"]["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .filter(of)
            .map(|n| n["registryNumber"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let mut expected = [&ward.registry_no, &other.registry_no, &officer.registry_no].map(Clone::clone);
    expected.sort();
    assert_eq!(closings(&then), expected, "by registry number: {then}");
    for change in then["changes"]["nodes"].as_array().unwrap() {
        assert_eq!(change["staffMember"]["registryNumber"], change["registryNumber"], "whose account it is: {change}");
    }
    assert_eq!((&then["asOf"], &then["verdict"]), (&json!(after_it), &json!("WITHIN_LIMITS")));
    let of_kind = |counts: &Value, kind: &str| -> u64 {
        counts.as_array().unwrap().iter().filter(|c| c["action"] == kind).map(|c| c["count"].as_u64().unwrap()).sum()
    };
    let by_province: u64 = then["provinces"].as_array().unwrap().iter().map(|p| of_kind(&p["summary"], "CLOSE")).sum();
    assert_eq!((by_province, of_kind(&then["summary"], "CLOSE")), (3, 3), "{then}");
    let because = then["changes"]["nodes"][0]["because"].as_str().unwrap();
    assert_eq!(because, format!("last day in service {last} (HR reason 96)"));

    // The command says the same, in both languages.
    let command = |language: &str| {
        let out = run(serving.folder.path(), &["plan", "--as-of", &after_it, "--language", language], SMALL);
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).trim().to_owned()
    };
    assert_eq!(then["text"].as_str().unwrap().trim(), command("en"));
    let turkish = as_a_turk(&serving, PLAN, json!({ "asOf": after_it })).await["data"]["changePlan"].clone();
    assert_eq!(turkish["text"].as_str().unwrap().trim(), command("tr"));
    assert_eq!(turkish["digest"], then["digest"], "the same plan, whatever it is said in");
    assert_eq!(turkish["changes"]["nodes"][0]["because"], format!("görevdeki son günü {last} (İK nedeni 96)"));
    assert!(
        turkish["text"].as_str().unwrap().contains(&format!("gerekçe: görevdeki son günü {last}"))
            && command("tr").contains("kişiye bakıldı")
    );

    // Page by page the same changes.
    let (mut walked, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = plan(&admin, json!({ "asOf": after_it, "first": 1, "after": after })).await;
        walked.extend(page["changes"]["nodes"].as_array().unwrap().iter().cloned());
        after = page["changes"]["pageInfo"]["endCursor"].clone();
        if page["changes"]["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(json!(walked), then["changes"]["nodes"]);

    // By person and by unit; officers for their own only.
    let one = plan(&admin, json!({ "asOf": after_it, "scope": { "people": [ward.id] } })).await;
    assert_eq!(closings(&one), std::slice::from_ref(&ward.registry_no));
    grant(&serving, officer, "PERSONNEL_OFFICER", &[&ward.unit]).await;
    let token = token_of(&serving, officer).await;
    let of_unit = plan(&token, json!({ "asOf": after_it, "scope": { "unit": ward.unit } })).await;
    assert_eq!(closings(&of_unit), std::slice::from_ref(&ward.registry_no));
    for scope in [
        Value::Null,
        json!({ "unit": other.unit }),
        json!({ "people": [ward.id, other.id] }),
        json!({ "people": ["card_00000000000000000000000000000009"] }),
    ] {
        assert_eq!(plan(&token, json!({ "scope": scope })).await, Value::Null, "{scope}");
    }
    for (arguments, word) in [
        ("(asOf: \"2020-01-01\")", "ten years"),
        ("(asOf: \"2099-01-01\")", "ten years"),
        ("(asOf: \"x\")", "Date"),
        ("(scope: { people: [] })", "1 to 1000"),
        ("(scope: { people: [\"nonsense\"] })", "id of a card"),
    ] {
        let answer = serving.ask(&format!("{{ changePlan{arguments} {{ digest }} }}")).await;
        assert!(answer["errors"][0]["message"].as_str().unwrap_or_default().contains(word), "{arguments}: {answer}");
    }
    let answer = serving.ask("{ changePlan { changes(after: \"plan_00_00000000000000000000000000000001\") { nodes { action } } } }").await;
    assert!(answer["errors"][0]["message"].as_str().unwrap_or_default().contains("cursor"), "{answer}");
}

/// As the directory's refusal of an update, a moment ago.
async fn a_refusal(store: &SqlStore, person: PersonId) -> OperationId {
    let record = store.people(PeopleBy::Ids(&[person])).await.unwrap().remove(0);
    let now = SystemClock.now();
    let operation = OperationId(uuid_v7(now, [3; 10]));
    let because = Because::NewCard { reason: Some("71".into()) }.to_string();
    let intent = Intent {
        operation,
        run: RunId(Uuid::from_u128(5)),
        person,
        kind: ActionKind::Update,
        budget: None,
        province: None,
        approved: false,
        digest: "x".into(),
        because,
        steps: vec![Step::Disable],
        at: now,
    };
    store.intend(&[intent], &[], now).await.unwrap();
    let receipt = vec![ReceiptLine { at: now, step: "write title".into(), result: "refused: insufficientAccessRights".into() }];
    let operations = vec![(operation, OperationStatus::Refused, receipt)];
    let settlement = PersonSettlement { operations, at: now, ..crate::store::settlement(&record.person) };
    store.settle(vec![settlement]).await.unwrap();
    operation
}

async fn what_failed_and_is_tried_again(serving: &Serving, url: Option<&str>) {
    let all = people(serving).await;
    let admin = serving.token().await;
    let officer = &all[0];
    let ward = all.iter().find(|p| p.unit != officer.unit).unwrap();
    let list = async |token: &str, variables: Value| {
        let answer = serving.ask_as(Some(token), OPERATIONS, variables).await;
        answer["data"]["operations"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
    };
    let failed = json!({ "f": { "statuses": ["REFUSED", "IN_DOUBT"], "since": (SystemClock.now() - TimeDelta::days(1)).to_rfc3339() } });
    assert_eq!(list(&admin, failed.clone()).await, Vec::<Value>::new());
    let opened = list(&admin, json!({ "f": { "actions": ["OPEN"], "statuses": ["DONE"] } })).await;
    assert!(opened.len() > 20 && opened.iter().all(|o| o["action"] == "OPEN" && o["run"].is_object()), "{opened:?}");
    let own = list(&admin, json!({ "f": { "personId": ward.id } })).await;
    assert!(!own.is_empty() && own.iter().all(|o| o["card"]["registryNumber"] == json!(ward.registry_no)), "{own:?}");
    assert_eq!(list(&admin, json!({ "f": { "until": "2001-01-01T00:00:00Z" } })).await, Vec::<Value>::new());
    assert_eq!(list(&admin, json!({ "f": { "units": ["99999999"] } })).await, Vec::<Value>::new());

    let id = PersonId(Uuid::try_parse(ward.id.strip_prefix("card_").unwrap()).unwrap());
    let operation = a_refusal(&store(serving, url).await, id).await;
    let seen = list(&admin, failed.clone()).await;
    assert_eq!((seen.len(), &seen[0]["status"], &seen[0]["because"]), (1, &json!("REFUSED"), &json!("HR's record changed (HR reason 71)")));
    let turkish = as_a_turk(serving, OPERATIONS, failed.clone()).await;
    assert_eq!(turkish["data"]["operations"]["nodes"][0]["because"], "İK kaydı değişti (İK nedeni 71)", "{turkish}");

    // An officer sees what was done to the own people's accounts, another's not.
    grant(serving, officer, "PERSONNEL_OFFICER", &[&ward.unit]).await;
    let token = token_of(serving, officer).await;
    assert_eq!(list(&token, failed.clone()).await.len(), 1);
    let theirs = list(&token, json!({})).await;
    assert!(
        theirs.iter().all(|o| o["card"]["unit"]["code"] == json!(ward.unit) || o["card"]["registryNumber"] == json!(officer.registry_no)),
        "{theirs:?}"
    );
    let paged = list(&token, json!({ "first": 1 })).await;
    assert_eq!(paged[0]["id"], theirs[0]["id"]);

    // Tried again: the person is looked at and what is to be put right is.
    let file = serving.folder.path().join("var/directory.db");
    let directory = EmbeddedDirectory::open(&file, Dn::new("OU=CSB,DC=csb,DC=test"), "csb.test", None).await.unwrap();
    let account = directory.account_named(&ward.username).await.unwrap().unwrap();
    directory.hand_edit(account, Attribute::Title, Some(Held::Text("Elle Yazılmış".into()))).await.unwrap();
    let retry = async |token: &str, id: &Value| {
        let query = "mutation($id: ID!) { operationRetry(input: { operationId: $id }) { operation { status because } plan { changes { nodes { action } } } userErrors { code path } } }";
        serving.ask_as(Some(token), query, json!({ "id": id })).await["data"]["operationRetry"].clone()
    };
    let done = retry(&admin, &seen[0]["id"]).await;
    assert_eq!(done["operation"], json!({ "status": "DONE", "because": "title changed by hand in the directory" }), "{done}");
    assert_eq!((&done["plan"]["changes"]["nodes"], &done["userErrors"]), (&json!([]), &json!([])));
    assert_ne!(directory.raw(account, Attribute::Title).await.unwrap(), ["Elle Yazılmış"]);
    directory.close().await;
    let audit = serving.ask("{ auditEvents(filter: { deed: \"operation.retry\" }) { nodes { actor detail } } }").await;
    let event = &audit["data"]["auditEvents"]["nodes"][0];
    assert!(event["actor"] == "user:yonetici" && event["detail"].as_str().unwrap().contains(&operation.to_string()), "{audit}");
    let code = |answer: &Value| answer["userErrors"][0]["code"].clone();
    assert_eq!(code(&retry(&admin, &opened[0]["id"]).await), "ALREADY_DONE");
    assert_eq!(code(&retry(&admin, &json!("nonsense")).await), "NOT_FOUND");
    assert_eq!(retry(&token, &seen[0]["id"]).await, Value::Null, "administrators only");
    for (arguments, word) in [
        ("(first: -1)", "from 0 to 100"),
        ("(after: \"run_00000000000000000000000000000001\")", "cursor"),
        ("(filter: { personId: \"run_1\" })", "id of a card"),
        ("(filter: { since: \"yesterday\" })", "DateTime"),
    ] {
        let answer = serving.ask(&format!("{{ operations{arguments} {{ nodes {{ id }} }} }}")).await;
        assert!(answer["errors"][0]["message"].as_str().unwrap_or_default().contains(word), "{arguments}: {answer}");
    }
    let old = serving.ask("{ operations(filter: { since: \"0001-01-01T00:00:00Z\" }, first: 1) { nodes { id } } }").await;
    assert_eq!(old["data"]["operations"]["nodes"].as_array().map(Vec::len), Some(1), "{old}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_is_found_and_tried_again_on_sqlite() {
    what_failed_and_is_tried_again(&Serving::start(&[]), None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_is_found_and_tried_again_on_postgresql() {
    let (database, serving) = on_postgresql(&[]).await;
    what_failed_and_is_tried_again(&serving, Some(&database.url)).await;
}
