//! Records of members of staff, in lists, with what happened to each.
use super::{grant, hand_in, json, on_postgresql, people, service, text, token_of, until};
use crate::surface::program::Serving;
use serde_json::Value;
use std::collections::BTreeSet;

const LIST: &str = "query($f: StaffMemberFilter, $first: Int = null, $after: String = null, $last: Int = null, $before: String = null) {
    staffMembers(filter: $f, first: $first, after: $after, last: $last, before: $before) {
        totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        nodes { registryNumber employment { status endsOn } card { id username familyName givenName accountState unit { code } } account { state } } } }";

async fn list(serving: &Serving, token: &str, variables: Value) -> Value {
    let answer = serving.ask_as(Some(token), LIST, variables).await;
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"]["staffMembers"].clone()
}

fn numbers(page: &Value) -> Vec<String> {
    page["nodes"].as_array().unwrap().iter().map(|n| n["registryNumber"].as_str().unwrap().to_owned()).collect()
}

async fn the_desk_of_an_officer(serving: &Serving) {
    let all = people(serving).await;
    let admin = serving.token().await;

    // Everybody, from both ends, in Turkish order.
    let whole = list(serving, &admin, json!({ "first": 100 })).await;
    let cards = serving.ask("{ identityCards(first: 100) { totalCount nodes { registryNumber familyName givenName } } }").await;
    let expected: Vec<&str> =
        cards["data"]["identityCards"]["nodes"].as_array().unwrap().iter().map(|n| n["registryNumber"].as_str().unwrap()).collect();
    assert_eq!(numbers(&whole), expected, "everybody in service, in the order of the cards");
    assert_eq!(whole["totalCount"], cards["data"]["identityCards"]["totalCount"]);
    let (mut walked, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = list(serving, &admin, json!({ "first": 7, "after": after })).await;
        walked.extend(numbers(&page));
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            let back = list(serving, &admin, json!({ "last": 3, "before": page["pageInfo"]["startCursor"] })).await;
            let at = walked.len() - numbers(&page).len();
            assert_eq!(numbers(&back), walked[at - 3..at], "the three before the last page");
            break;
        }
    }
    assert_eq!(walked, expected);

    // By name, by unit, by account.
    let one = &whole["nodes"][5];
    let start: String = text::fold(one["card"]["familyName"].as_str().unwrap()).chars().take(4).collect();
    let found = list(serving, &admin, json!({ "f": { "search": kimlik_domain::text::upper(&start) }, "first": 100 })).await;
    assert!(numbers(&found).contains(&one["registryNumber"].as_str().unwrap().to_owned()), "{start}: {found}");
    assert!(numbers(&found).len() < expected.len());
    let unit = &all[0].unit;
    let parent =
        serving.ask(&format!("{{ unit(code: \"{unit}\") {{ parent {{ code }} }} }}")).await["data"]["unit"]["parent"]["code"].clone();
    let below = list(serving, &admin, json!({ "f": { "units": [parent] }, "first": 100 })).await;
    let alone = list(serving, &admin, json!({ "f": { "units": [parent], "includeSubunits": false }, "first": 100 })).await;
    assert!(numbers(&below).contains(&all[0].registry_no) && !numbers(&alone).contains(&all[0].registry_no));
    let active = list(serving, &admin, json!({ "f": { "accountStates": ["ACTIVE"] }, "first": 100 })).await;
    assert!(active["nodes"].as_array().unwrap().iter().all(|n| n["account"]["state"] == "ACTIVE") && !numbers(&active).is_empty());

    // What is null to a program is none of the states that it could ask for; counts too.
    let program = service(serving, "states", &["CARDS_READ", "STAFF_READ"]).await;
    for status in ["IN_SERVICE", "LEFT"] {
        let all_states = json!(["NONE", "OPENING", "ACTIVE", "SUSPENDED", "CLOSED"]);
        let found = list(serving, &program, json!({ "f": { "accountStates": all_states, "status": status }, "first": 100 })).await;
        assert_eq!(numbers(&found), [""; 0], "{status}");
        assert!(found["totalCount"].as_u64().unwrap_or_default() == 0, "{found}");
    }
    assert!(!numbers(&list(serving, &program, json!({ "first": 100 })).await).is_empty());

    // An officer sees the own people, oneself, and nobody else; counts too.
    let officer = &all[0];
    let ward = all.iter().find(|p| p.unit != officer.unit).unwrap();
    grant(serving, officer, "PERSONNEL_OFFICER", &[&ward.unit]).await;
    let token = token_of(serving, officer).await;
    let own = list(serving, &token, json!({ "first": 100 })).await;
    let wards: BTreeSet<String> =
        numbers(&list(serving, &admin, json!({ "f": { "units": [ward.unit] }, "first": 100 })).await).into_iter().collect();
    let mut seen: BTreeSet<String> = numbers(&own).into_iter().collect();
    assert_eq!(own["totalCount"], json!(seen.len()));
    assert!(seen.remove(&officer.registry_no), "the own record");
    assert_eq!(seen, wards);
    let elsewhere = list(
        serving,
        &token,
        json!({ "f": { "units": [all.iter().find(|p| !wards.contains(&p.registry_no) && p.unit != officer.unit).unwrap().unit] } }),
    )
    .await;
    assert_eq!((&elsewhere["totalCount"], numbers(&elsewhere).len()), (&json!(0), 0));
    let stranger = all.iter().find(|p| p.registry_no != officer.registry_no && !wards.contains(&p.registry_no)).unwrap();
    let staff = token_of(serving, stranger).await;
    assert_eq!(
        numbers(&list(serving, &staff, json!({})).await),
        std::slice::from_ref(&stranger.registry_no),
        "colleagues: the own record only"
    );

    // Whom the officer read stands in the audit, once a request; the own record does not.
    let read = "query($f: AuditEventFilter) { auditEvents(filter: $f, first: 100) { nodes { card { username } } } }";
    let actor = format!("user:{}", officer.username);
    let events = serving.ask_as(Some(&admin), read, json!({ "f": { "deed": "person.read", "actor": actor } })).await;
    let read: Vec<&str> =
        events["data"]["auditEvents"]["nodes"].as_array().unwrap().iter().map(|n| n["card"]["username"].as_str().unwrap()).collect();
    assert_eq!(read.len(), wards.len(), "{events}");
    assert!(!read.contains(&officer.username.as_str()));

    // What HR says anew and what follows is the person's history; of an officer's, not who has read.
    let begins = json!([{ "kind": "PERMANENT", "unitCode": ward.unit, "titlePost": "Memur", "startsOn": "2020-01-01" }]);
    let row = |more: Value| {
        let mut row = json!({ "registryNumber": ward.registry_no, "postings": begins });
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row
    };
    hand_in(serving, "one", json!([row(json!({ "office": "Z-101", "status": "ON_LEAVE" }))])).await;
    // By what HR says, whatever became of the account.
    let of = |statuses: Value| json!({ "f": { "employmentStatuses": statuses }, "first": 100 });
    let away = until("HR's word is in the list", async || {
        let found = list(serving, &token, of(json!(["ON_LEAVE", "SUSPENDED"]))).await;
        numbers(&found).contains(&ward.registry_no).then_some(found)
    })
    .await;
    assert_eq!(away["totalCount"], json!(numbers(&away).len()));
    assert!(away["nodes"].as_array().unwrap().iter().all(|n| ["ON_LEAVE", "SUSPENDED"].iter().any(|s| n["employment"]["status"] == *s)));
    assert!(!numbers(&list(serving, &admin, of(json!(["ACTIVE"]))).await).contains(&ward.registry_no));
    assert_eq!(numbers(&list(serving, &admin, of(json!([]))).await), [""; 0]);
    hand_in(
        serving,
        "two",
        json!([row(json!({ "office": "Z-102", "status": "TERMINATED", "reasonCode": "96", "employmentEndsOn": "2026-01-15" }))]),
    )
    .await;
    let history = format!(
        "query($after: String) {{ staffMember(by: {{ id: \"{}\" }}) {{ history(first: 2, after: $after) {{ nodes {{ deed because actor }} \
         pageInfo {{ hasNextPage endCursor }} }} operations(first: 50) {{ nodes {{ action }} }} account {{ state }} }} }}",
        ward.id
    );
    until("the leaver is closed", async || {
        let answer = serving.ask_as(Some(&token), &history, json!({})).await;
        (answer["data"]["staffMember"]["account"]["state"] == "CLOSED").then_some(answer)
    })
    .await;
    let (mut deeds, mut after) = (Vec::new(), Value::Null);
    loop {
        let answer = serving.ask_as(Some(&token), &history, json!({ "after": after })).await;
        let page = &answer["data"]["staffMember"]["history"];
        deeds.extend(page["nodes"].as_array().unwrap_or_else(|| panic!("{answer}")).iter().cloned());
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    let named: Vec<&str> = deeds.iter().map(|d| d["deed"].as_str().unwrap()).collect();
    assert_eq!(named.iter().filter(|d| **d == "hr.change").count(), 2, "{deeds:?}");
    assert!(named.contains(&"account.open") && named.contains(&"account.close"), "{deeds:?}");
    assert!(!named.iter().any(|d| d.starts_with("person.") || d.starts_with("session.")), "{deeds:?}");
    let said = deeds.iter().find(|d| d["deed"] == "hr.change").unwrap();
    assert!(said["because"].as_str().unwrap().contains("employment_end") && !said.to_string().contains("2026-01-15"), "{said}");
    let whole = serving.ask_as(Some(&admin), &history.replace("first: 2", "first: 100"), json!({})).await;
    assert!(whole["data"]["staffMember"]["history"].to_string().contains("person.read"), "an administrator sees who has read");

    // Who has left is no longer among those in service, and is found among those who have left.
    let gone = until("the leaver leaves the list", async || {
        let in_service = list(serving, &token, json!({ "first": 100 })).await;
        (!numbers(&in_service).contains(&ward.registry_no)).then_some(in_service)
    })
    .await;
    assert_eq!(gone["totalCount"], json!(wards.len()));
    let still = json!({ "f": { "status": "LEFT", "employmentStatuses": ["ACTIVE"] }, "first": 100 });
    assert!(!numbers(&list(serving, &token, still).await).contains(&ward.registry_no), "HR says that they have left");
    let left = list(
        serving,
        &token,
        json!({ "f": { "status": "LEFT", "accountStates": ["CLOSED"], "employmentStatuses": ["TERMINATED"] }, "first": 1 }),
    )
    .await;
    assert_eq!(numbers(&left), std::slice::from_ref(&ward.registry_no), "{left}");
    assert_eq!((&left["nodes"][0]["employment"]["status"], &left["totalCount"]), (&json!("TERMINATED"), &Value::Null));
    assert_eq!(numbers(&list(serving, &staff, json!({ "f": { "status": "LEFT" } })).await), [""; 0], "not a colleague's");
    let everybody = list(serving, &admin, json!({ "f": { "status": "LEFT" }, "first": 100 })).await;
    assert_eq!(numbers(&everybody).first(), Some(&ward.registry_no), "the last to leave comes first: {everybody}");
    let name = left["nodes"][0]["card"]["familyName"].as_str().unwrap();
    let search = |word: &str| json!({ "f": { "status": "LEFT", "search": word, "units": [ward.unit] } });
    assert_eq!(numbers(&list(serving, &admin, search(name)).await), std::slice::from_ref(&ward.registry_no));
    assert_eq!(numbers(&list(serving, &admin, search("zzz")).await), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn officers_list_their_people_and_see_what_happened_to_each_on_sqlite() {
    the_desk_of_an_officer(&Serving::start(&[])).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn officers_list_their_people_and_see_what_happened_to_each_on_postgresql() {
    let (_database, serving) = on_postgresql(&[]).await;
    the_desk_of_an_officer(&serving).await;
}

#[tokio::test]
async fn a_mistaken_list_of_records_is_the_caller_s_mistake_and_a_service_reads_with_its_scope() {
    let serving = Serving::start(&[]);
    people(&serving).await;
    for (arguments, word) in [
        ("first: -1", "from 0 to 100"),
        ("first: 101", "at most 100"),
        ("first: 1, last: 1", "not both"),
        ("after: \"name_00_00000000000000000000000000000001\"", "cursor"),
        ("filter: { search: \"a\\u0000b\" }", "U+0000"),
        ("filter: { provinces: [\"06\"] }", "province"),
        ("filter: { status: LEFT }, last: 1", "those who have left"),
        ("filter: { status: LEFT }, after: \"left_00_00000000000000000000000000000001\"", "cursor"),
        ("filter: { status: GONE }", "GONE"),
    ] {
        let answer = serving.ask(&format!("{{ staffMembers({arguments}) {{ nodes {{ registryNumber }} }} }}")).await;
        let message = answer["errors"][0]["message"].as_str().unwrap_or_default();
        assert!(message.contains(word) && answer["errors"][0]["extensions"]["code"] != "FAULT", "{arguments}: {answer}");
    }
    let long = serving.ask(&format!("{{ staffMembers(filter: {{ search: \"{}\" }}) {{ totalCount }} }}", "a".repeat(300))).await;
    assert_eq!(long["errors"][0]["message"], "filter.search: at most 200 characters.", "{long}");
    let reads = service(&serving, "archive", &["STAFF_READ"]).await;
    let answer = serving
        .ask_as(Some(&reads), "{ staffMembers(first: 3) { totalCount nodes { issues { kind } history { nodes { deed } } } } }", json!({}))
        .await;
    let page = &answer["data"]["staffMembers"];
    assert_eq!(page["nodes"].as_array().unwrap().len(), 3, "{answer}");
    assert!(page["nodes"][0]["issues"].is_array() && page["nodes"][0]["history"].is_null(), "{answer}");
    let cards = service(&serving, "phone-book", &["CARDS_READ"]).await;
    let answer = serving.ask_as(Some(&cards), "{ staffMembers { totalCount } }", json!({})).await;
    assert_eq!(answer, json!({ "data": { "staffMembers": null } }));
}
