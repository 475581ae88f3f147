//! What people are told is written in the language that they have chosen, on whatever way it goes, and an intruder does not choose it.
use crate::desk_lab::{ADDRESS, FIRST, Lab, SECOND, digits_in, secret};
use crate::desk_page::{Page, announced};
use crate::surface::program::Serving;
use kimlik_domain::message::{Language, Purpose, language};
use kimlik_domain::password::{ChallengeKind, ChallengeRules, ResetProof};
use kimlik_domain::ports::Clock as _;
use kimlik_domain::staff::MobileNumber;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const ACTIVATE: &str = "mutation($input: AccountActivateInput!) { accountActivate(input: $input) { ticket { token } } }";
const SET: &str = "mutation($input: PasswordSetInput!) { passwordSet(input: $input) { done userErrors { message } } }";
const CHANGE: &str = "mutation($input: PasswordChangeInput!) { passwordChange(input: $input) { done userErrors { message } } }";
const CHOOSE: &str = "mutation($i: LanguageSetInput!) { languageSet(input: $i) { language userErrors { code } } }";

async fn token(serving: &Serving, name: &str, password: &str) -> String {
    let signed_in = serving.sign_in(name, password).await;
    signed_in["session"]["accessToken"].as_str().unwrap_or_else(|| panic!("{signed_in}")).to_owned()
}

async fn chosen(serving: &Serving, token: &str) -> Value {
    serving.ask_as(Some(token), "{ viewer { language } }", json!({})).await["data"]["viewer"]["language"].clone()
}

/// The newest notices of a changed password: by SMS and by e-mail, once there are so many.
async fn notices(serving: &Serving, count: usize) -> [String; 2] {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let answer = serving.ask("{ messages(first: 50) { nodes { purpose channel text } } }").await;
        let nodes = answer["data"]["messages"]["nodes"].as_array().cloned().unwrap_or_default();
        let of = |channel: &str| -> Vec<String> {
            let its = nodes.iter().filter(|m| m["purpose"] == "PASSWORD_CHANGED_NOTICE" && m["channel"] == channel);
            its.filter_map(|m| m["text"].as_str().map(str::to_owned)).collect()
        };
        let (texts, letters) = (of("SMS"), of("MAIL"));
        if texts.len() == count && letters.len() == count {
            return [texts[0].clone(), letters[0].clone()];
        }
        assert!(Instant::now() < until, "{answer}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_set_a_password_in_english_is_told_things_in_english_until_they_choose_otherwise() {
    let serving = Serving::start(&[("KIMLIK__MAIL__GATEWAY", "outbox")]);
    let (name, code) = announced(&serving).await;
    let mut page = Page::of(&serving);
    let right = page.ask(ACTIVATE, json!({ "username": name, "code": code })).await;
    let ticket = right["data"]["accountActivate"]["ticket"]["token"].as_str().unwrap_or_else(|| panic!("{right}")).to_owned();
    let set = page.ask(SET, json!({ "ticket": ticket, "newPassword": FIRST, "language": "EN" })).await;
    assert_eq!(set["data"]["passwordSet"]["done"], true, "{set}");
    assert_eq!(chosen(&serving, &token(&serving, &name, FIRST).await).await, "EN");

    let changed = page.ask(CHANGE, json!({ "username": name, "currentPassword": FIRST, "newPassword": SECOND })).await;
    assert_eq!(changed["data"]["passwordChange"]["done"], true, "{changed}");
    let [text, letter] = notices(&serving, 1).await;
    assert!(text.starts_with("The password of account") && letter.starts_with("Hello,"), "{text} {letter}");

    let own = token(&serving, &name, SECOND).await;
    for _ in 0..2 {
        let answer = serving.ask_as(Some(&own), CHOOSE, json!({ "i": { "language": "TR" } })).await;
        assert_eq!(answer["data"]["languageSet"], json!({ "language": "TR", "userErrors": [] }), "{answer}");
    }
    assert_eq!(chosen(&serving, &own).await, "TR");
    let third = "Mavi-9-Bulut-Zeytin";
    let changed = page.ask(CHANGE, json!({ "username": name, "currentPassword": SECOND, "newPassword": third, "language": "EN" })).await;
    assert_eq!(changed["data"]["passwordChange"]["done"], true, "{changed}");
    let [text, letter] = notices(&serving, 2).await;
    assert!(text.contains("parolasi degistirildi") && letter.starts_with("Merhaba,"), "in the language of before: {text} {letter}");
    assert_eq!(chosen(&serving, &token(&serving, &name, third).await).await, "EN", "and from now on in that one");

    let administrator = serving.token().await;
    for token in [None, Some(administrator.as_str())] {
        let answer = serving.ask_as(token, CHOOSE, json!({ "i": { "language": "EN" } })).await;
        assert_eq!((&answer["data"]["languageSet"], &answer["errors"]), (&Value::Null, &Value::Null), "no person: {answer}");
    }
    let events = serving.ask("{ auditEvents(first: 100, filter: { deed: \"language.\" }) { nodes { deed actor } } }").await;
    let nodes = events["data"]["auditEvents"]["nodes"].as_array().unwrap_or_else(|| panic!("{events}")).clone();
    let actors: Vec<&str> = nodes.iter().filter(|e| e["deed"] == "language.choose").filter_map(|e| e["actor"].as_str()).collect();
    assert_eq!(actors, ["parola", &format!("user:{name}"), "parola"], "what is so already is no event");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn codes_and_warnings_are_written_in_the_language_of_whom_they_go_to() {
    let lab = Lab::at_work(ChallengeRules { proof: ResetProof::Sms, ..ChallengeRules::default() }).await;
    let record = lab.ministry.person("S001").await;
    let now = lab.ministry.clock.now();
    language::choose(lab.store.as_ref(), &record, Language::En, "user:ayse.sahin", now).await.unwrap();
    assert_eq!(lab.ministry.person("S001").await.language, Some(Language::En));
    for kind in [ChallengeKind::Reset, ChallengeKind::Unlock] {
        lab.desk.ask(kind, "ayse.sahin", None, ADDRESS).await.unwrap().unwrap();
        lab.desk.answer_asked().await.unwrap();
        lab.courier.round().await.unwrap();
        let text = lab.texts(kind.purpose()).await.remove(0);
        assert!(text.starts_with("Your ") && text.contains("(valid for 10 minutes)"), "{text}");
    }
    let to = MobileNumber::parse("05321110002").unwrap();
    let begun = lab.phones.start(record.person.id, to, &secret(FIRST), ADDRESS).await.unwrap().unwrap();
    let text = lab.texts(Purpose::MobileConfirmCode).await.remove(0);
    assert!(text.starts_with("Your code to confirm"), "{text}");
    lab.phones.confirm(record.person.id, begun.id, &digits_in(&text, 6)).await.unwrap().unwrap();
    lab.phones.tell().await.unwrap();
    let warned = lab.told(Purpose::MobileChangedNotice).await.remove(0);
    assert_eq!(warned.0.e164(), "+905321110001");
    assert!(warned.1.starts_with("The mobile number of account ayse.sahin"), "{}", warned.1);
}
