//! What a caller can mend is said in the caller's language: every mutation of the schema is called with something wrong, in
//! Turkish and in English. A mutation that is new is called at once.
use crate::access_matrix::{Person, grant, people, schema, some, token_of};
use crate::surface::program::{Serving, moment_in};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Mutations that have nothing to say.
const SILENT: &[(&str, &str)] = &[
    ("sessionEnd", "whatever token is given, its session is over afterwards"),
    ("languageSet", "either language can be chosen, as often as one likes"),
    ("passwordAssess", "it judges what is typed; whatever is typed can be judged"),
];

/// What is wrong with it has to be thought out, or is worth a look beside what `some` makes up.
fn cases(ward: &Person, officer: &Person) -> Vec<(&'static str, Value)> {
    let nothing = "00000000000000000000000000000001";
    let record = json!({ "registryNumber": "x" });
    vec![
        ("staffRecordsSubmit", json!({ "mode": "DELTA", "records": [], "idempotencyKey": "" })),
        (
            "staffRecordsSubmit",
            json!({ "mode": "DELTA", "records": [record], "idempotencyKey": "k", "submission": { "key": "", "part": 0, "last": true } }),
        ),
        ("staffPhonesUpdate", json!({ "personId": ward.id, "mobile": "0312 410 10 00", "reason": "x" })),
        (
            "staffPhonesUpdate",
            json!({ "personId": ward.id, "mobile": "12", "workPhone": { "number": "x", "extension": "x" }, "reason": "x" }),
        ),
        ("mobileChangeStart", json!({ "mobile": "0555 000 00 00", "password": "not this one" })),
        ("workPhoneUpdate", json!({ "extension": "not digits", "password": "not this one" })),
        ("accountSuspend", json!({ "staffMember": { "id": ward.id }, "reason": "", "idempotencyKey": "" })),
        ("accountSuspend", json!({ "staffMember": { "id": ward.id }, "reason": "x".repeat(501) })),
        ("accountReinstate", json!({ "staffMember": { "id": ward.id }, "reason": "never suspended" })),
        ("accountReinstate", json!({ "staffMember": { "username": "nobody.at.all" }, "reason": "x" })),
        ("roleGrant", json!({ "personId": format!("card_{nothing}"), "role": "AUDITOR", "endsAt": moment_in(30), "reason": "x" })),
        ("roleGrant", json!({ "personId": ward.id, "role": "STAFF", "endsAt": "2020-01-01T00:00:00Z", "reason": "" })),
        ("roleGrant", json!({ "personId": ward.id, "role": "AUDITOR", "units": [ward.unit], "endsAt": moment_in(30), "reason": "x" })),
        ("roleGrant", json!({ "personId": ward.id, "role": "PERSONNEL_OFFICER", "endsAt": moment_in(30), "reason": "x" })),
        (
            "roleGrant",
            json!({ "personId": ward.id, "role": "PERSONNEL_OFFICER", "units": ["99999999"], "endsAt": moment_in(30), "reason": "x" }),
        ),
        ("roleRevoke", json!({ "grantId": format!("grant_{nothing}") })),
        ("serviceAccountCreate", json!({ "name": "X", "scopes": [], "owner": "", "expiresAt": "2020-01-01T00:00:00Z" })),
        ("serviceAccountRotate", json!({ "serviceAccountId": format!("service_{nothing}") })),
        ("serviceAccountRotate", json!({ "serviceAccountId": format!("service_{nothing}"), "overlapHours": 1000 })),
        ("serviceAccountRevoke", json!({ "serviceAccountId": format!("service_{nothing}") })),
        ("holdDecide", json!({ "holdId": format!("hold_{nothing}"), "decision": "APPROVE", "planDigest": "x" })),
        ("holdDecide", json!({ "holdId": "x", "decision": "APPROVE", "planDigest": "x", "people": [], "note": "x".repeat(1001) })),
        ("webhookCreate", json!({ "url": "http://127.0.0.1/", "events": [] })),
        ("webhookCreate", json!({ "url": "https://a:b@example.org/x" })),
        ("webhookCreate", json!({ "url": format!("https://example.org/{}", "x".repeat(2000)) })),
        ("webhookReplay", json!({ "webhookId": format!("webhook_{nothing}") })),
        ("webhookDelete", json!({ "webhookId": format!("webhook_{nothing}") })),
        ("passwordResetStart", json!({ "username": "", "nationalId": "1" })),
        ("syncStart", json!({ "scope": { "unit": "99999999" } })),
        ("syncStart", json!({ "scope": { "people": [] } })),
        ("syncStart", json!({ "scope": { "people": [format!("card_{nothing}")] } })),
        ("challengeVerify", json!({ "challengeId": format!("challenge_{nothing}"), "code": "000000" })),
        (
            "passwordChange",
            json!({ "username": officer.username, "currentPassword": crate::access_matrix::PASSWORD, "newPassword": "kisa" }),
        ),
        (
            "passwordChange",
            json!({ "username": officer.username, "currentPassword": crate::access_matrix::PASSWORD, "newPassword": "x".repeat(300) }),
        ),
    ]
}

async fn ask(serving: &Serving, token: &str, language: &str, query: &str, variables: &Value) -> Value {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let body = json!({ "query": query, "variables": variables }).to_string();
    let request = reqwest::Client::new().post(serving.url("/graphql")).bearer_auth(token).header("accept-language", language);
    let answer = request.header("content-type", "application/json").body(body).send().await.unwrap();
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

/// The payload, of the first of the callers who gets one.
async fn told(serving: &Serving, callers: &[String], language: &str, query: &str, variables: &Value, name: &str) -> Value {
    let mut answers = Vec::new();
    for token in callers {
        let answer = ask(serving, token, language, query, variables).await;
        if answer["data"][name].is_object() {
            return answer["data"][name]["userErrors"].clone();
        }
        answers.push(answer);
    }
    panic!("{name}: nobody is answered; think of an input that can be mended: {answers:?}")
}

/// Both languages say the same, and not in the same words.
async fn said_in_both(serving: &Serving, callers: &[String], name: &str, query: &str, variables: Value) -> Vec<String> {
    let english = told(serving, callers, "en", query, &variables, name).await;
    let turkish = told(serving, callers, "tr-TR,tr;q=0.9,en;q=0.5", query, &variables, name).await;
    let list = |errors: &Value| errors.as_array().unwrap_or_else(|| panic!("{name}: {errors}")).clone();
    let (english, turkish) = (list(&english), list(&turkish));
    assert!(!english.is_empty(), "{name} takes {query} {variables} and says nothing: think of an input that can be mended");
    assert_eq!(english.len(), turkish.len(), "{name}");
    for (english, turkish) in english.iter().zip(&turkish) {
        assert_eq!((&english["code"], &english["path"]), (&turkish["code"], &turkish["path"]), "{name}");
        let (en, tr) = (english["message"].as_str().unwrap(), turkish["message"].as_str().unwrap());
        assert_ne!(en, tr, "{name}: write its Turkish into api/src/language/user_errors.rs");
        assert!(!en.contains(" / ") && en.chars().all(|c| !"çğışöüÇĞİŞÖÜ".contains(c)), "{name} {variables}: this is not English: {en}");
        assert!(en.starts_with(char::is_alphanumeric) && en.ends_with('.') && tr.ends_with('.'), "{name}: not a sentence: {en} {tr}");
        assert!(english["path"].as_array().is_some_and(|path| !path.is_empty()), "{name}: where in the input? {english}");
    }
    english.iter().map(|e| e["code"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_mutation_says_in_both_languages_what_is_wrong() {
    let serving = Serving::start(&[]);
    let all = people(&serving).await;
    let officer = &all[0];
    let ward = all.iter().find(|p| p.unit != officer.unit).unwrap();
    grant(&serving, officer, "PERSONNEL_OFFICER", &[&ward.unit]).await;
    let callers = [serving.token().await, token_of(&serving, officer).await];
    let types = schema(&serving).await;
    let cases = cases(ward, officer);
    let mut codes = BTreeMap::new();
    for field in types["Mutation"]["fields"].as_array().unwrap() {
        let name = field["name"].as_str().unwrap();
        let payload = &types[field["type"]["name"].as_str().unwrap()];
        let speaks = payload["fields"].as_array().unwrap().iter().any(|f| f["name"] == "userErrors");
        if SILENT.iter().any(|(silent, _)| *silent == name) {
            continue;
        }
        assert!(speaks, "{name} has no userErrors: give it some, or write into SILENT why not");
        let input = &field["args"][0]["type"];
        let said = format!("{name}(input: $input) {{ userErrors {{ code path message }} }}");
        let query = format!("mutation($input: {}!) {{ {said} }}", input["ofType"]["name"].as_str().unwrap());
        let thought_out: Vec<_> = cases.iter().filter(|(of, _)| *of == name).collect();
        for (_, input) in &thought_out {
            codes.insert(format!("{name} {input}"), said_in_both(&serving, &callers, name, &query, json!({ "input": input })).await);
        }
        if thought_out.is_empty() {
            let query = format!("mutation {{ {} }}", said.replace("$input", &some(&types, input)));
            codes.insert(name.to_owned(), said_in_both(&serving, &callers, name, &query, json!({})).await);
        }
    }
    for (silent, _) in SILENT {
        assert!(types["Mutation"]["fields"].as_array().unwrap().iter().any(|f| f["name"] == *silent), "there is no {silent}");
    }
    assert!(codes.len() >= cases.len(), "{codes:?}");
}
