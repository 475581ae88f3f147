//! Data issues on the desk: what comes first, until when, what may be decided, and that what HR corrects goes by itself.
use super::{grant, hand_in, json, on_postgresql, people, token_of, until};
use crate::surface::program::Serving;
use kimlik_tests::ministry::national_id;
use serde_json::Value;

const LIST: &str = "query($f: DataIssueFilter, $first: Int = 100, $after: String = null) { dataIssues(filter: $f, first: $first, after: $after) {
    nodes { id kind explanation message blocks keepsNewcomerWaiting mendBy overdue decisions registryNumber since } pageInfo { hasNextPage endCursor } } }";
const DECIDE: &str =
    "mutation($i: DataIssueDecideInput!) { dataIssueDecide(input: $i) { dataIssue { id kind } userErrors { code path message } } }";

async fn list(serving: &Serving, token: &str, variables: Value) -> Vec<Value> {
    let answer = serving.ask_as(Some(token), LIST, variables).await;
    answer["data"]["dataIssues"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
}

async fn decide(serving: &Serving, token: &str, issue: &Value, decision: &str, note: Value) -> Value {
    let input = json!({ "i": { "issueId": issue, "decision": decision, "note": note } });
    let answer = serving.ask_as(Some(token), DECIDE, input).await;
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"]["dataIssueDecide"].clone()
}

fn record(n: u32, unit: &str, more: Value) -> Value {
    let mut record = json!({
        "registryNumber": format!("P{n:06}"), "nationalId": national_id(710_000 + n), "givenName": "Işıl", "familyName": format!("Öztürk{}", char::from(b'a' + n as u8)),
        "employmentStartsOn": "2020-01-01", "mobile": format!("0555 111 22 {n:02}"),
        "postings": [{ "kind": "PERMANENT", "unitCode": unit, "titlePost": "Memur", "startsOn": "2020-01-01" }],
    });
    record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    record
}

fn kinds(issues: &[Value], registry_no: &str) -> Vec<String> {
    issues.iter().filter(|i| i["registryNumber"] == registry_no).map(|i| i["kind"].as_str().unwrap().to_owned()).collect()
}

async fn the_issues_of_a_personnel_unit(serving: &Serving) {
    let all = people(serving).await;
    let admin = serving.token().await;
    let officer = &all[0];
    let (ward, other) = (all.iter().find(|p| p.unit != officer.unit).unwrap(), &officer.unit);
    grant(serving, officer, "PERSONNEL_OFFICER", &[&ward.unit]).await;
    let token = token_of(serving, officer).await;
    let trend = async |token: &str| {
        let query = format!("{{ dataIssueTrend(unit: \"{}\", days: 7) {{ date opened closed open }} }}", ward.unit);
        let answer = serving.ask_as(Some(token), &query, json!({})).await;
        let days = answer["data"]["dataIssueTrend"].as_array().unwrap_or_else(|| panic!("{answer}")).clone();
        assert_eq!(days.len(), 7, "{answer}");
        days[6].clone()
    };
    let before = trend(&token).await;
    hand_in(
        serving,
        "wrong",
        json!([
            record(1, &ward.unit, json!({ "managerRegistryNumber": "NOBODY1" })),
            record(2, &ward.unit, json!({ "mobile": "call me" })),
            record(3, other, json!({ "managerRegistryNumber": "NOBODY2" })),
            record(4, &ward.unit, json!({})),
        ]),
    )
    .await;
    // A refused row: what was known stays.
    hand_in(serving, "refused", json!([record(4, &ward.unit, json!({ "employmentEndsOn": "31.02.2027" }))])).await;

    // The newcomer whose account works and who cannot be told comes first; deadlines are by kind, from the setting.
    let first = until("the newcomer waits", async || {
        let issues = list(serving, &token, json!({})).await;
        (issues.first()?["keepsNewcomerWaiting"] == true).then_some(Value::Array(issues))
    })
    .await;
    let issues = first.as_array().unwrap().clone();
    assert_eq!((&issues[0]["kind"], &issues[0]["registryNumber"]), (&json!("DOUBTFUL_MOBILE"), &json!("P000002")), "{issues:?}");
    let days = |issue: &Value| {
        let day = |text: &str| kimlik_domain::day::parse(text).unwrap();
        let began = kimlik_domain::day::today(issue["since"].as_str().unwrap().parse().unwrap());
        (day(issue["mendBy"].as_str().unwrap()) - began).num_days()
    };
    assert_eq!((days(&issues[0]), &issues[0]["overdue"]), (1, &json!(false)));
    let manager = issues.iter().find(|i| i["kind"] == "UNKNOWN_MANAGER").unwrap();
    assert_eq!(days(manager), 4, "the setting counts more than what is usual: {manager}");
    assert_eq!(kinds(&issues, "P000003"), [""; 0], "of another unit");
    assert_eq!(kinds(&list(serving, &admin, json!({})).await, "P000003"), ["UNKNOWN_MANAGER"]);
    let filtered = async |f: Value| {
        let found = list(serving, &admin, json!({ "f": f })).await;
        [kinds(&found, "P000001"), kinds(&found, "P000004")].concat()
    };
    assert_eq!(filtered(json!({ "registryNumber": "P000001" })).await, ["UNKNOWN_MANAGER"]);
    assert_eq!(filtered(json!({ "kinds": ["UNKNOWN_MANAGER"], "units": [ward.unit] })).await, ["UNKNOWN_MANAGER"]);
    assert_eq!(filtered(json!({ "blocks": ["ROW"] })).await, ["INVALID_DATE"]);
    assert_eq!(filtered(json!({ "units": [other], "includeSubunits": false })).await, [""; 0]);
    assert_eq!(filtered(json!({ "overdue": true })).await, [""; 0]);
    let of_member = "{ staffMember(by: { registryNumber: \"P000002\" }) { issues { kind keepsNewcomerWaiting } } }";
    let answer = serving.ask_as(Some(&token), of_member, json!({})).await;
    assert_eq!(answer["data"]["staffMember"]["issues"], json!([{ "kind": "DOUBTFUL_MOBILE", "keepsNewcomerWaiting": true }]), "{answer}");
    // Beside each issue the record of whom it is about, however the page is asked for.
    for (items, at) in [("nodes { registryNumber ... Of }", ""), ("edges { node { registryNumber ... Of } }", "/node")] {
        let query = format!(
            "{{ dataIssues(first: 100) {{ {items} }} }} fragment Of on DataIssue {{ staffMember {{ registryNumber phones {{ work {{ conflict }} }} }} }}"
        );
        let answer = serving.ask_as(Some(&token), &query, json!({})).await;
        let page = &answer["data"]["dataIssues"];
        let found = page["nodes"].as_array().or(page["edges"].as_array()).unwrap_or_else(|| panic!("{answer}"));
        assert!(found.len() >= 3, "{answer}");
        for issue in found.iter().map(|item| item.pointer(at).unwrap()).filter(|issue| issue["registryNumber"].is_string()) {
            assert_eq!(issue["staffMember"]["registryNumber"], issue["registryNumber"], "{answer}");
            assert_eq!(issue["staffMember"]["phones"]["work"]["conflict"], false, "{answer}");
        }
    }
    let opened = trend(&token).await;
    let figure = |day: &Value, of: &str| day[of].as_i64().unwrap();
    assert_eq!(figure(&opened, "opened") - figure(&before, "opened"), 3, "{before} {opened}");
    assert_eq!(figure(&opened, "open") - figure(&before, "open"), 3);

    // What may be decided, and by whom.
    assert_eq!(manager["decisions"], json!(["ACCEPT_AS_IT_IS"]));
    let refused_row = issues.iter().find(|i| i["kind"] == "INVALID_DATE").unwrap();
    assert_eq!(refused_row["decisions"], json!([]));
    let code = |payload: &Value| payload["userErrors"][0]["code"].as_str().unwrap_or_default().to_owned();
    let strange = list(serving, &admin, json!({ "f": { "registryNumber": "P000003" } })).await[0]["id"].clone();
    let nowhere = decide(serving, &token, &json!("issue_00000000000000000000000000000009"), "ACCEPT_AS_IT_IS", Value::Null).await;
    assert_eq!(decide(serving, &token, &strange, "ACCEPT_AS_IT_IS", Value::Null).await, nowhere, "another's is not there");
    assert_eq!(code(&nowhere), "NOT_FOUND");
    assert_eq!(code(&decide(serving, &token, &refused_row["id"], "ACCEPT_AS_IT_IS", Value::Null).await), "NOT_ALLOWED");
    assert_eq!(code(&decide(serving, &token, &manager["id"], "NOT_THE_SAME_PERSON", Value::Null).await), "INVALID");
    assert_eq!(code(&decide(serving, &token, &manager["id"], "ACCEPT_AS_IT_IS", json!("two\nlines")).await), "INVALID");
    assert_eq!(code(&decide(serving, &token, &json!("nonsense"), "ACCEPT_AS_IT_IS", Value::Null).await), "NOT_FOUND");
    let done = decide(serving, &token, &manager["id"], "ACCEPT_AS_IT_IS", json!("the post is vacant")).await;
    assert_eq!((&done["userErrors"], &done["dataIssue"]["kind"]), (&json!([]), &json!("UNKNOWN_MANAGER")));
    let again = decide(serving, &token, &manager["id"], "ACCEPT_AS_IT_IS", Value::Null).await;
    assert_eq!(again["userErrors"], json!([]), "deciding the same again changes nothing");
    assert!(!kinds(&list(serving, &token, json!({})).await, "P000001").contains(&"UNKNOWN_MANAGER".to_owned()));
    let audit = serving.ask("{ auditEvents(filter: { deed: \"issue.accept\" }) { nodes { actor because } } }").await;
    let expected = json!([{ "actor": format!("user:{}", officer.username), "because": "the post is vacant" }]);
    assert_eq!(audit["data"]["auditEvents"]["nodes"], expected);

    // Corrected by HR, they go by themselves, and the newcomer is told.
    hand_in(
        serving,
        "right",
        json!([
            record(1, &ward.unit, json!({ "managerRegistryNumber": "NOBODY1" })),
            record(2, &ward.unit, json!({})),
            record(4, &ward.unit, json!({})),
        ]),
    )
    .await;
    let left = list(serving, &token, json!({})).await;
    for corrected in ["P000001", "P000002", "P000004"] {
        assert_eq!(kinds(&left, corrected), [""; 0], "{left:?}");
    }
    let closed = trend(&token).await;
    assert_eq!((figure(&closed, "closed") - figure(&before, "closed"), figure(&closed, "open")), (3, figure(&before, "open")), "{closed}");
    until("the newcomer is told", async || {
        let answer = serving.ask("{ messages(first: 100) { nodes { purpose card { registryNumber } } } }").await;
        answer["data"]["messages"]["nodes"].as_array()?.iter().any(|m| m["card"]["registryNumber"] == "P000002").then_some(answer.clone())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn officers_see_what_to_mend_first_decide_what_may_be_and_corrections_go_by_themselves_on_sqlite() {
    the_issues_of_a_personnel_unit(&Serving::start(&[("KIMLIK__ISSUES__MEND_DAYS__UNKNOWN_MANAGER", "4")])).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn officers_see_what_to_mend_first_decide_what_may_be_and_corrections_go_by_themselves_on_postgresql() {
    let (_database, serving) = on_postgresql(&[("KIMLIK__ISSUES__MEND_DAYS__UNKNOWN_MANAGER", "4")]).await;
    the_issues_of_a_personnel_unit(&serving).await;
}

#[tokio::test]
async fn a_mistaken_question_about_issues_is_the_caller_s_and_the_words_are_in_the_caller_s_language() {
    let serving = Serving::start(&[]);
    people(&serving).await;
    for (query, word) in [
        ("dataIssues(first: -1) { nodes { id } }", "from 0 to 100"),
        ("dataIssues(after: \"issue_00000000000000000000000000000001\") { nodes { id } }", "cursor"),
        ("dataIssues(after: \"issue_07_00000000000000000000000000000001\") { nodes { id } }", "cursor"),
        ("dataIssues(filter: { registryNumber: \"a\\u0000\" }) { nodes { id } }", "U+0000"),
        ("dataIssueTrend(days: 0) { opened }", "from 1 to 366"),
        ("dataIssueTrend(days: -2147483648) { opened }", "from 1 to 366"),
        ("dataIssueTrend(unit: \"7\") { opened }", "8 digits"),
    ] {
        let answer = serving.ask(&format!("{{ {query} }}")).await;
        assert!(answer["errors"][0]["message"].as_str().unwrap_or_default().contains(word), "{query}: {answer}");
    }
    assert_eq!(serving.ask("{ dataIssueTrend(unit: \"99999999\") { opened } }").await, json!({ "data": { "dataIssueTrend": null } }));
    assert_eq!(
        serving.ask("{ dataIssues(filter: { units: [\"99999999\"] }) { nodes { id } } }").await["data"]["dataIssues"]["nodes"],
        json!([])
    );
    let unit = people(&serving).await[0].unit.clone();
    let wrong = json!([
        record(1, &unit, json!({ "mobile": "call me" })),
        record(2, &unit, json!({ "mobile": null, "reasonCode": "999", "managerRegistryNumber": "P999999" })),
        record(3, "99999999", json!({ "employmentStartsOn": "soon" })),
    ]);
    hand_in(&serving, "wrong", wrong).await;
    // Why: what is urgent is told first, and an account that is being opened changes what is.
    serving.at_rest().await;
    let told = async |language: &str| -> Vec<Value> {
        let body = json!({ "query": "{ dataIssues(first: 100) { nodes { id kind explanation message } } }" }).to_string();
        let request = reqwest::Client::new().post(serving.url("/graphql")).header("content-type", "application/json");
        let request = request.header("accept-language", language).bearer_auth(serving.token().await).body(body);
        let answer: Value = serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap();
        answer["data"]["dataIssues"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
    };
    let (english, turkish) = (told("en").await, told("tr-TR").await);
    assert!(english.len() >= 5 && english.len() == turkish.len(), "{english:?}");
    for (english, turkish) in english.iter().zip(&turkish) {
        assert_eq!(english["id"], turkish["id"]);
        for text in ["explanation", "message"] {
            assert_ne!(english[text], turkish[text], "{english}: write its Turkish into domain/src/staff/issue_message.rs");
        }
    }
    let of = |kind: &str| turkish.iter().find(|i| i["kind"] == kind).unwrap_or_else(|| panic!("{kind}: {turkish:?}"))["message"].clone();
    assert!(turkish.iter().any(|i| i["explanation"] == "Bu, SMS alabilen bir cep telefonu numarası değil."), "{turkish:?}");
    assert_eq!(of("DOUBTFUL_MOBILE"), "cep telefonu numarası bir telefon numarası değil: ileti gönderilemez");
    assert_eq!(of("UNKNOWN_MANAGER"), "amirin sicil numarası kimseye ait değil");
}
