//! Signing in, renewing and signing out at the real program, and tokens that are none.
use crate::desk_page::{give_password, people};
use crate::surface::program::Serving;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const VIEWER: &str = "{ viewer { name kind roles } }";

fn password(serving: &Serving) -> String {
    let path = serving.folder.path().join("var/secrets/administrator.password");
    std::fs::read_to_string(path).unwrap().trim().to_owned()
}

async fn viewer(serving: &Serving, token: &str) -> Value {
    serving.ask_as(Some(token), VIEWER, json!({})).await
}

async fn refresh(serving: &Serving, token: &str) -> Value {
    let query = "mutation($t: String!) { sessionRefresh(input: { refreshToken: $t }) { session { accessToken refreshToken } userErrors { code } } }";
    serving.ask_as(None, query, json!({ "t": token })).await["data"]["sessionRefresh"].clone()
}

#[tokio::test]
async fn the_demo_s_administrator_signs_in_and_is_known() {
    let serving = Serving::start(&[]);
    for name in ["yonetici", "YÖNETİCİ", "CSB\\yonetici", " Yonetici "] {
        let signed_in = serving.sign_in(name, &password(&serving)).await;
        assert_eq!(signed_in["userErrors"], json!([]), "{name}: {signed_in}");
        let token = signed_in["session"]["accessToken"].as_str().unwrap();
        let known = viewer(&serving, token).await;
        assert_eq!(known["data"]["viewer"], json!({ "name": "yonetici", "kind": "ACCOUNT", "roles": ["ADMINISTRATOR"] }), "{known}");
    }
    assert_eq!(serving.ask_as(None, VIEWER, json!({})).await, json!({ "data": { "viewer": null } }));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_get_the_same_answer_after_the_same_time() {
    let serving = Serving::start(&[]);
    let mut answers = Vec::new();
    for (name, secret) in [("yonetici", "wrong-4711"), ("nobody.at.all", "wrong-4711"), ("yonetici", ""), ("", "")] {
        let began = Instant::now();
        let answer = serving.sign_in(name, secret).await;
        assert!(began.elapsed() >= Duration::from_millis(600), "{name:?} was refused after {:?}", began.elapsed());
        assert_eq!(answer["userErrors"][0]["code"], "CREDENTIALS_WRONG", "{name:?}: {answer}");
        answers.push(answer);
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
}

#[tokio::test]
async fn guessing_ends_after_few_attempts_of_known_and_unknown_names_alike() {
    let serving = Serving::start(&[]);
    let right = password(&serving);
    // Never signed in from here: these are a stranger's attempts, and the last is refused though the password is right.
    for _ in 0..5 {
        assert_eq!(serving.sign_in("yonetici", "guess").await["userErrors"][0]["code"], "CREDENTIALS_WRONG");
    }
    assert_eq!(serving.sign_in("yonetici", &right).await["userErrors"][0]["code"], "RATE_LIMITED");
    let unknown = "nobody.at.all";
    for _ in 0..5 {
        assert_eq!(serving.sign_in(unknown, "guess").await["userErrors"][0]["code"], "CREDENTIALS_WRONG");
    }
    assert_eq!(
        serving.sign_in(unknown, "guess").await["userErrors"][0]["code"],
        "RATE_LIMITED",
        "an unknown name is limited in the same way"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_signs_in_after_wrong_passwords_is_told_of_them_once_a_day_on_phone_and_by_mail() {
    let serving = Serving::start(&[]);
    let people = people(&serving).await;
    let [username, ..] = &people[0];
    give_password(&serving, username, "Yagmur-7-Tren-Limon").await;
    let signed_in = async |wrong: u32| {
        for _ in 0..wrong {
            assert_eq!(serving.sign_in(username, "guess").await["userErrors"][0]["code"], "CREDENTIALS_WRONG");
        }
        assert_eq!(serving.sign_in(username, "Yagmur-7-Tren-Limon").await["userErrors"], json!([]));
        let messages = serving.ask("{ messages(first: 100) { nodes { purpose channel text } } }").await;
        let nodes = messages["data"]["messages"]["nodes"].as_array().unwrap().clone();
        nodes.into_iter().filter(|m| m["purpose"] == "SIGN_IN_NOTICE").collect::<Vec<_>>()
    };
    assert_eq!(signed_in(0).await, Vec::<Value>::new());
    assert_eq!(signed_in(2).await, Vec::<Value>::new(), "fingers slip");
    let told = signed_in(3).await;
    let mut channels: Vec<&str> = told.iter().map(|m| m["channel"].as_str().unwrap()).collect();
    channels.sort_unstable();
    assert_eq!(channels, ["MAIL", "SMS"], "{told:?}");
    assert!(
        told.iter().all(|m| m["text"].as_str().unwrap().contains("3 yanl") && m["text"].as_str().unwrap().contains(username)),
        "{told:?}"
    );
    assert_eq!(signed_in(4).await, told, "once a day, whoever floods");
    let audit = serving.ask("{ auditEvents(first: 100) { nodes { actor deed detail } } }").await;
    let begun = audit["data"]["auditEvents"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["deed"] == "session.begin" && event["actor"] == format!("user:{username}").as_str());
    let details: Vec<Value> = begun.map(|e| serde_json::from_str(e["detail"].as_str().unwrap()).unwrap()).collect();
    let before: Vec<&Value> = details.iter().map(|detail| &detail["failuresBefore"]).collect();
    assert_eq!(before, [4, 3, 2, 0], "newest first: {details:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_guesses_where_passwords_are_changed_is_told_of_to_the_owner_as_well() {
    let serving = Serving::start(&[]);
    let people = people(&serving).await;
    let [username, ..] = &people[0];
    give_password(&serving, username, "Yagmur-7-Tren-Limon").await;
    let change = "mutation($i: PasswordChangeInput!) { passwordChange(input: $i) { done userErrors { code } } }";
    let mut codes = Vec::new();
    for current in ["guess-1", "guess-2", "guess-3", "Yagmur-7-Tren-Limon"] {
        // A new password that no directory takes: the right guess changes nothing, and shows itself by another refusal.
        let input = json!({ "i": { "username": username, "currentPassword": current, "newPassword": "x" } });
        let answer = serving.ask_as(None, change, input).await;
        codes.push(answer["data"]["passwordChange"]["userErrors"][0]["code"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned());
    }
    assert_eq!(codes[..3], ["CREDENTIALS_WRONG"; 3]);
    assert_ne!(codes[3], "CREDENTIALS_WRONG");
    let messages = serving.ask("{ messages(first: 100) { nodes { purpose channel } } }").await;
    let nodes = messages["data"]["messages"]["nodes"].as_array().unwrap();
    let told: BTreeSet<&str> = nodes.iter().filter(|m| m["purpose"] == "SIGN_IN_NOTICE").map(|m| m["channel"].as_str().unwrap()).collect();
    assert_eq!(told, BTreeSet::from(["MAIL", "SMS"]), "{messages}");
}

#[tokio::test]
async fn many_aliases_in_one_request_are_so_many_attempts() {
    let serving = Serving::start(&[]);
    let guesses: String = (0..20)
        .map(|n| format!("a{n}: sessionCreate(input: {{ username: \"yonetici\", password: \"guess{n}\" }}) {{ userErrors {{ code }} }} "))
        .collect();
    let answer = serving.ask_as(None, &format!("mutation {{ {guesses} }}"), json!({})).await;
    let tried = (0..20).filter(|n| answer["data"][format!("a{n}")]["userErrors"][0]["code"] == "CREDENTIALS_WRONG").count();
    assert!(tried <= 5, "{tried} guesses in one request: {answer}");
}

#[tokio::test]
async fn a_refresh_token_counts_once_and_a_second_time_ends_the_session() {
    let serving = Serving::start(&[]);
    let first = serving.sign_in("yonetici", &password(&serving)).await["session"].clone();
    let text = |value: &Value, key: &str| value[key].as_str().unwrap().to_owned();
    let second = refresh(&serving, &text(&first, "refreshToken")).await["session"].clone();
    assert_ne!(second["refreshToken"], first["refreshToken"]);
    let access = text(&second, "accessToken");
    assert!(viewer(&serving, &access).await["data"]["viewer"]["name"].is_string());
    // Somebody else has copied the first one.
    let reused = refresh(&serving, &text(&first, "refreshToken")).await;
    assert_eq!(reused["userErrors"][0]["code"], "CREDENTIALS_WRONG", "{reused}");
    assert_eq!(refresh(&serving, &text(&second, "refreshToken")).await["session"], Value::Null, "the family is over");
    let after = viewer(&serving, &access).await;
    assert_eq!(after["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "its access tokens too: {after}");
    assert_eq!(refresh(&serving, "kimlik_ref_0000").await["session"], Value::Null);
}

#[tokio::test]
async fn signing_out_ends_access_at_once() {
    let serving = Serving::start(&[]);
    let session = serving.sign_in("yonetici", &password(&serving)).await["session"].clone();
    let access = session["accessToken"].as_str().unwrap();
    assert!(viewer(&serving, access).await["data"]["viewer"]["name"].is_string());
    let end = "mutation($t: String!) { sessionEnd(input: { refreshToken: $t }) { ended userErrors { code } } }";
    let ended = serving.ask_as(None, end, json!({ "t": session["refreshToken"] })).await;
    assert_eq!(ended["data"]["sessionEnd"]["ended"], true, "{ended}");
    assert_eq!(viewer(&serving, access).await["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_token_that_is_none_is_401_and_none_at_all_is_nobody() {
    let serving = Serving::start(&[]);
    let token = serving.token().await;
    let (head, rest) = token.split_once('.').unwrap();
    let (body, signature) = rest.split_once('.').unwrap();
    let tampered = format!("{head}.{}A.{signature}", &body[..body.len() - 1]);
    let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{body}.");
    for forged in ["x", "", tampered.as_str(), none.as_str(), &format!("{head}.{body}."), "kimlik_svc_00", &"x".repeat(5_000)] {
        let body = json!({ "query": VIEWER }).to_string();
        let request = reqwest::Client::new().post(serving.url("/graphql")).header("content-type", "application/json");
        let answer = request.header("authorization", format!("Bearer {forged}")).body(body).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{forged:.40}");
        assert!(answer.headers()["www-authenticate"].to_str().unwrap().contains("invalid_token"));
        let said: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert!(said["data"].is_null() && said["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED", "{said}");
    }
}

#[tokio::test]
async fn nobody_gets_null_everywhere_and_learns_nothing_of_what_there_is() {
    let serving = Serving::start(&[]);
    serving.token().await;
    let query = "{ viewer { name } identityCards { nodes { id } } identityCard(by: { username: \"yonetici\" }) { id } syncRuns { nodes { id } } \
        holds { nodes { id } } messages { nodes { id } } dataIssues { nodes { id } } systemHealth { health } }";
    let answer = serving.ask_as(None, query, json!({})).await;
    assert!(answer["errors"].is_null(), "{answer}");
    for (field, value) in answer["data"].as_object().unwrap() {
        assert!(value.is_null(), "{field}: {value}");
    }
    let decide = "mutation { holdDecide(input: { holdId: \"hold_00000000000000000000000000000001\", decision: APPROVE, planDigest: \"x\" }) \
        { userErrors { code } } }";
    assert_eq!(serving.ask_as(None, decide, json!({})).await["data"]["holdDecide"], Value::Null);
}

#[tokio::test]
async fn the_keys_are_published_and_hold_nothing_private() {
    let serving = Serving::start(&[]);
    serving.token().await;
    let answer = reqwest::get(serving.url("/.well-known/jwks.json")).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/jwk-set+json");
    let keys: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let keys = keys["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 3);
    for key in keys {
        assert_eq!((&key["kty"], &key["crv"], &key["alg"]), (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA")), "{key}");
        assert!(key["kid"].is_string() && key["x"].is_string() && key["d"].is_null(), "{key}");
    }
}

#[tokio::test]
async fn an_administrator_ends_the_sessions_of_somebody_else_and_nobody_else_does() {
    let serving = Serving::start(&[]);
    let all = crate::access_matrix::people(&serving).await;
    let (person, other) = (&all[0], &all[1]);
    let first = crate::access_matrix::token_of(&serving, person).await;
    let signed_in = serving.sign_in(&person.username, crate::access_matrix::PASSWORD).await;
    let (second, renew) = (&signed_in["session"]["accessToken"], signed_in["session"]["refreshToken"].as_str().unwrap());
    let second = second.as_str().unwrap();
    let end = "mutation($u: String!) { sessionsEnd(input: { username: $u }) { ended userErrors { code path } } }";
    let of = json!({ "u": kimlik_domain::text::upper(&person.username) });
    let stranger = crate::access_matrix::token_of(&serving, other).await;
    for token in [None, Some(stranger.as_str()), Some(&first)] {
        assert_eq!(serving.ask_as(token, end, of.clone()).await, json!({ "data": { "sessionsEnd": null } }));
    }
    let admin = serving.token().await;
    let ended = serving.ask_as(Some(&admin), end, of.clone()).await;
    assert_eq!(ended["data"]["sessionsEnd"], json!({ "ended": 2, "userErrors": [] }), "{ended}");
    for token in [first.as_str(), second] {
        assert_eq!(viewer(&serving, token).await["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    }
    assert_eq!(refresh(&serving, renew).await["userErrors"][0]["code"], "CREDENTIALS_WRONG");
    assert_eq!(viewer(&serving, &stranger).await["data"]["viewer"]["name"], json!(other.username), "theirs goes on");
    assert_eq!(serving.ask_as(Some(&admin), end, of).await["data"]["sessionsEnd"]["ended"], 0);
    let nobody = serving.ask_as(Some(&admin), end, json!({ "u": "nobody.at.all" })).await;
    assert_eq!(nobody["data"]["sessionsEnd"]["userErrors"], json!([{ "code": "NOT_FOUND", "path": ["username"] }]));
    let query = "{ auditEvents(filter: { deed: \"session.end\" }) { nodes { actor because card { username } } } }";
    let events = serving.ask(query).await;
    let event = &events["data"]["auditEvents"]["nodes"][0];
    assert_eq!(
        event,
        &json!({ "actor": "user:yonetici", "because": "an administrator ended it", "card": { "username": person.username } })
    );
    // Who comes from outside of HR, as well.
    let own = serving.ask_as(Some(&admin), end, json!({ "u": "yonetici" })).await;
    assert_eq!(own["data"]["sessionsEnd"]["ended"], 1, "{own}");
}
