//! "Why does Outlook show my old title?": one query, at the real program, for those whom it concerns.
use super::program::{SMALL, Serving, run};
use crate::access_matrix::{Person, grant, people, token_of};
use kimlik_adapters::directory::embedded::EmbeddedDirectory;
use kimlik_domain::account::{Attribute, Dn, Value as Held};
use kimlik_domain::ports::SignIn as _;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const WHY: &str = "query($who: String!) { identityCard(by: { username: $who }) { title provenance { name attribute value directoryValue inSync \
    reason because source hrColumns effectiveOn rule ruleVersion since writtenAt correctors correctedBy { name } lentBy { shortName } } } }";

async fn by_hand(serving: &Serving, person: &Person, title: &str) {
    let file = serving.folder.path().join("var/directory.db");
    let directory = EmbeddedDirectory::open(&file, Dn::new("OU=CSB,DC=csb,DC=test"), "csb.test", None).await.unwrap();
    let account = directory.account_named(&person.username).await.unwrap().unwrap();
    directory.hand_edit(account, Attribute::Title, Some(Held::text(title))).await.unwrap();
    directory.close().await;
}

fn title(answer: &Value) -> Value {
    let fields = answer["data"]["identityCard"]["provenance"].as_array().unwrap_or_else(|| panic!("{answer}"));
    fields.iter().find(|f| f["name"] == "TITLE").cloned().unwrap_or_else(|| panic!("{answer}"))
}

async fn at_rest(serving: &Serving) {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = serving.ask("{ cardDrift(first: 1) { nodes { reason } } }").await;
        if answer["data"]["cardDrift"]["nodes"] == json!([]) {
            return;
        }
        assert!(Instant::now() < until, "{answer}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn an_old_title_in_outlook_is_explained_by_one_query_and_put_right() {
    let serving = Serving::start(&[]);
    let all = people(&serving).await;
    at_rest(&serving).await;
    let (owner, auditor) = (&all[0], &all[1]);
    let stranger = all.iter().find(|p| p.unit != owner.unit).unwrap();
    let whose = json!({ "who": owner.username });
    let admin = serving.token().await;
    let before = title(&serving.ask_as(Some(&admin), WHY, whose.clone()).await);
    assert_eq!((&before["inSync"], &before["value"]), (&json!(true), &before["directoryValue"]), "{before}");
    assert_eq!((&before["source"], &before["rule"], &before["correctors"]), (&json!("HR"), &json!("{title}"), &json!(["PERSONNEL_UNIT"])));
    assert!(before["writtenAt"].is_string() && before["correctedBy"]["name"].is_string(), "{before}");

    by_hand(&serving, owner, "Bakan").await;
    let now = title(&serving.ask_as(Some(&admin), WHY, whose.clone()).await);
    assert_eq!((&now["value"], &now["directoryValue"], &now["inSync"]), (&before["value"], &json!("Bakan"), &json!(false)));
    assert_eq!((&now["reason"], &now["because"]), (&json!("HAND_EDITED"), &json!("title changed by hand in the directory")));

    let own = token_of(&serving, owner).await;
    let seen = title(&serving.ask_as(Some(&own), WHY, whose.clone()).await);
    assert_eq!(seen, now, "the person sees the same");
    let other = token_of(&serving, stranger).await;
    let seen = serving.ask_as(Some(&other), WHY, whose.clone()).await;
    assert_eq!(
        (&seen["data"]["identityCard"]["provenance"], &seen["errors"]),
        (&json!(null), &json!(null)),
        "a colleague sees the card only"
    );
    grant(&serving, auditor, "AUDITOR", &[]).await;
    let audits = token_of(&serving, auditor).await;
    let seen = serving.ask_as(Some(&audits), WHY, whose.clone()).await;
    let names: Vec<&Value> = seen["data"]["identityCard"]["provenance"].as_array().unwrap().iter().map(|f| &f["name"]).collect();
    assert!(
        names.contains(&&json!("TITLE")) && !names.contains(&&json!("MOBILE")),
        "who may not read the mobile is not told here: {names:?}"
    );
    let read = serving.ask("{ auditEvents(filter: { deed: \"person.read\" }) { nodes { detail card { username } } } }").await;
    let nodes = read["data"]["auditEvents"]["nodes"].as_array().unwrap().clone();
    let noted = |n: &Value| n["card"]["username"] == json!(owner.username) && n["detail"].as_str().unwrap().contains("ReadProvenance");
    assert!(nodes.iter().any(noted), "{nodes:?}");

    let out = run(serving.folder.path(), &["sync"], SMALL);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let after = title(&serving.ask_as(Some(&admin), WHY, whose.clone()).await);
    assert_eq!((&after["inSync"], &after["directoryValue"]), (&json!(true), &before["value"]), "{after}");
    assert!(after["writtenAt"].as_str() > before["writtenAt"].as_str(), "{after}");
    at_rest(&serving).await;
}

#[tokio::test]
async fn cards_that_wait_in_a_hold_are_listed_for_those_who_keep_them() {
    let none = [("KIMLIK__LIMITS__UPDATE", "{ absolute = 0 }")];
    let serving = Serving::start(&none);
    let all = people(&serving).await;
    let officer = &all[0];
    let ward = all.iter().find(|p| p.unit != officer.unit).unwrap();
    let stranger = all.iter().find(|p| p.unit != officer.unit && p.unit != ward.unit).unwrap();
    for person in [ward, stranger] {
        by_hand(&serving, person, "Bakan").await;
    }
    run(serving.folder.path(), &["sync"], &[SMALL, &none].concat());
    let query = "query($f: CardDriftFilter, $n: Int, $a: String) { cardDrift(filter: $f, first: $n, after: $a) { \
        nodes { reason since seenAt unit { code } card { username } fields { name value directoryValue reason because } } pageInfo { hasNextPage endCursor } } }";
    let admin = serving.token().await;
    let ask = async |token: &str, variables: Value| serving.ask_as(Some(token), query, variables).await;
    let names = |answer: &Value| -> Vec<String> {
        let nodes = answer["data"]["cardDrift"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}"));
        let title = |n: &&Value| n["fields"].as_array().unwrap().iter().any(|f| f["name"] == "TITLE" && f["directoryValue"] == "Bakan");
        nodes.iter().filter(title).map(|n| n["card"]["username"].as_str().unwrap().to_owned()).collect()
    };
    let everything = ask(&admin, json!({ "n": 100, "f": { "reasons": ["HELD"] } })).await;
    let found = names(&everything);
    assert!(found.len() == 2 && found.contains(&ward.username) && found.contains(&stranger.username), "{everything}");
    let of_unit = ask(&admin, json!({ "n": 100, "f": { "units": [ward.unit], "reasons": ["HELD"] } })).await;
    assert_eq!(names(&of_unit), std::slice::from_ref(&ward.username));
    grant(&serving, officer, "PERSONNEL_OFFICER", &[&ward.unit]).await;
    let token = token_of(&serving, officer).await;
    assert_eq!(names(&ask(&token, json!({ "n": 100 })).await), std::slice::from_ref(&ward.username), "the own people only");
    let waits = "query($who: String!) { identityCard(by: { username: $who }) { waitsFor { reason because field action issueKind personnelUnit { code } } } }";
    let waits_of = async |token: &str| serving.ask_as(Some(token), waits, json!({ "who": ward.username })).await;
    let told = waits_of(&admin).await;
    let hold = json!({ "reason": "HOLD", "because": "the change is held: an administrator has to let it go ahead", "field": null,
        "action": "UPDATE", "issueKind": null, "personnelUnit": null });
    assert_eq!(told["data"]["identityCard"]["waitsFor"], json!([hold]), "{told}");
    assert_eq!(waits_of(&token).await, told, "who keeps the record sees the same");
    let of_another = waits_of(&token_of(&serving, stranger).await).await;
    assert_eq!((&of_another["data"]["identityCard"]["waitsFor"], &of_another["errors"]), (&json!(null), &json!(null)));
    let first = ask(&admin, json!({ "n": 1 })).await;
    let page = &first["data"]["cardDrift"]["pageInfo"];
    let second = ask(&admin, json!({ "n": 1, "a": page["endCursor"] })).await;
    assert!(page["hasNextPage"] == true && first["data"]["cardDrift"]["nodes"] != second["data"]["cardDrift"]["nodes"], "{first} {second}");

    for wrong in [
        json!({ "n": -1 }),
        json!({ "n": 101 }),
        json!({ "n": 9, "a": "run_00000000000000000000000000000007" }),
        json!({ "n": 9, "a": "\u{0}" }),
        json!({ "n": 9, "f": { "provinces": ["province_99"] } }),
        json!({ "n": 9, "f": { "units": ["\u{0}"] } }),
        json!({ "n": 9, "f": { "units": vec!["10000000"; 1_001] } }),
        json!({ "n": 9, "f": { "provinces": [ "x".repeat(100_000) ] } }),
    ] {
        let answer = ask(&admin, wrong.clone()).await;
        let code = &answer["errors"][0]["extensions"]["code"];
        let is_told = code == "BAD_USER_INPUT" || code == "BAD_REQUEST" || code.is_null();
        let wrong = wrong.to_string().chars().take(80).collect::<String>();
        assert!(answer["errors"].is_array() && is_told && !answer.to_string().contains("is not defined"), "{wrong}: {answer}");
    }
    let none = ask(&admin, json!({ "n": 9, "f": { "units": [] } })).await;
    assert_eq!(none["data"]["cardDrift"]["nodes"], json!([]), "{none}");
}

#[tokio::test]
async fn the_queries_of_the_handbook_are_answered_as_it_says() {
    let serving = Serving::start(&[]);
    let all = people(&serving).await;
    at_rest(&serving).await;
    let page = include_str!("../../../docs/integrators/address-book.md");
    let blocks: Vec<&str> = page.split("```graphql\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(blocks.len(), 3, "the page shows its queries");
    by_hand(&serving, &all[0], "Bakan").await;
    let admin = serving.token().await;
    let variables = json!({ "username": all[0].username, "filter": { "reasons": ["HELD"] } });
    for block in &blocks {
        let answer = serving.ask_as(Some(&admin), block, variables.clone()).await;
        assert!(answer["errors"].is_null() && answer["data"].is_object(), "{block}: {answer}");
    }
    let answer = serving.ask_as(Some(&admin), blocks[0], variables).await;
    assert_eq!(title(&answer)["reason"], "HAND_EDITED");
    assert_eq!(answer["data"]["identityCard"]["addressBook"]["status"], "WRITING");
    // The example on the page has the shape of the answer.
    let example = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let example: Value = serde_json::from_str(example).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&example), keys(&answer["data"]["identityCard"]));
    assert_eq!(keys(&example["provenance"][0]), keys(&title(&answer)));
    assert_eq!(example["provenance"][0]["ruleVersion"], title(&answer)["ruleVersion"], "the built-in rule's");
    for word in reasons() {
        assert!(page.contains(&format!("`{word}`")), "{word} is not explained");
    }
    let monitoring = include_str!("../../../docs/operators/monitoring.md");
    let config = monitoring.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    kimlik_api::config::load::load(Some((std::path::Path::new("monitoring.md"), config)), []).unwrap();
}

/// Reasons that an administrator may meet.
fn reasons() -> impl Iterator<Item = &'static str> {
    kimlik_domain::card::drift::DriftReason::ALL.iter().map(|reason| reason.name())
}
