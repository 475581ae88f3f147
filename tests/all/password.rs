//! Parola against a real Active Directory, with kinit as the judge; and over HTTP with the embedded one.
mod resend;

use crate::desk_lab::{ADDRESS, FIRST, Lab, SECOND, digits_in, secret};
use crate::desk_page::{Page, announced, seen};
use crate::surface::program::Serving;
use kimlik_adapters::system::SystemClock;
use kimlik_domain::access::session::Secret;
use kimlik_domain::message::Purpose;
use kimlik_domain::password::desk::Handed;
use kimlik_domain::password::{Broken, PasswordRules, Refused};
use kimlik_domain::ports::{Clock as _, Passwords as _};
use serde_json::{Value, json};

impl Lab {
    async fn first_code(&self) -> String {
        digits_in(&self.texts(Purpose::AccountOpened).await[0], 8)
    }
    async fn activated(&self) -> Handed {
        self.desk.activate("ayse.sahin", &self.first_code().await, ADDRESS).await.unwrap().unwrap()
    }
    async fn change(&self, from: &str, to: &str) -> Result<(), Refused> {
        without_figures(self.desk.change("ayse.sahin", &secret(from), &secret(to), ADDRESS, None).await.unwrap().map(drop))
    }
    fn domain(&self, attribute: &str, value: &str) {
        self.samba.admin_modify(&format!("dn: DC=csb,DC=test\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n"));
    }
}

/// What a refusal says, whatever the figures of the rules are.
fn broken(rules: &[Broken], old_gone: bool) -> Result<(), Refused> {
    Err(Refused::Broken { rules: rules.to_vec(), of: PasswordRules::default(), old_gone })
}

fn without_figures(outcome: Result<(), Refused>) -> Result<(), Refused> {
    outcome.map_err(|refused| match refused {
        Refused::Broken { rules, old_gone, .. } => Refused::Broken { rules, of: PasswordRules::default(), old_gone },
        other => other,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_s_code_becomes_a_password_that_kerberos_takes() {
    let lab = Lab::newcomer().await;
    let code = lab.first_code().await;
    for (name, wrong) in [("ayse.sahin", "00000000"), ("nobody.at.all", code.as_str()), ("", code.as_str()), ("ayse.sahin", "")] {
        let refused = lab.desk.activate(name, wrong, ADDRESS).await.unwrap();
        assert_eq!(refused.err(), Some(Refused::CodeWrong), "{name} {wrong}");
    }
    let spaced = format!(" {} {}", &code[..4], &code[4..]);
    let first = lab.desk.activate("AYSE.SAHIN", &spaced, ADDRESS).await.unwrap().unwrap();
    let ticket = lab.activated().await;
    assert_eq!(lab.set(&first, FIRST).await, Err(Refused::TicketSpent), "of two tickets the later one counts");
    let elsewhere = Handed { browser: Secret::given("another browser"), ..ticket.clone() };
    assert_eq!(lab.set(&elsewhere, FIRST).await, Err(Refused::TicketSpent), "it is bound to its browser");

    assert_eq!(without_figures(lab.set(&ticket, "Kz9!vq").await), broken(&[Broken::TooShort], false));
    assert_eq!(without_figures(lab.set(&ticket, "yagmurtrenlimonkoltuk").await), broken(&[Broken::TooSimple], false));
    assert_eq!(without_figures(lab.set(&ticket, "Sahin-7-tren-limon").await), broken(&[Broken::HoldsName], false));
    lab.samba.kinit("ayse.sahin", FIRST).expect_err("not before it is set");
    assert_eq!(lab.set(&ticket, FIRST).await, Ok(()));
    lab.samba.kinit("ayse.sahin", FIRST).expect("the new password works, and need not be changed");
    assert_eq!(lab.set(&ticket, SECOND).await, Err(Refused::TicketSpent), "a ticket counts once");
    let again = lab.desk.activate("ayse.sahin", &code, ADDRESS).await.unwrap();
    assert_eq!(again.err(), Some(Refused::CodeWrong), "and so does a code");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_s_code_is_of_no_use_after_three_days() {
    use sqlx::Connection as _;
    let lab = Lab::newcomer().await;
    let code = lab.first_code().await;
    let file = sqlx::sqlite::SqliteConnectOptions::new().filename(lab.ministry.path().join("kimlik.db"));
    let mut db = sqlx::SqliteConnection::connect_with(&file.busy_timeout(std::time::Duration::from_secs(10))).await.unwrap();
    let mut sent_ago = async |hours: i64, is_right: bool| {
        let at = (SystemClock.now() - chrono::TimeDelta::hours(hours)).to_rfc3339();
        // Why the one earlier: what counts is when it was sent, however long a gateway had been away.
        let query = "UPDATE message SET queued_at = '2020-01-01T00:00:00+00:00', sending_at = $1 WHERE purpose = 'ACCOUNT_OPENED'";
        assert_eq!(sqlx::query(query).bind(at).execute(&mut db).await.unwrap().rows_affected(), 1);
        let answer = lab.desk.activate("ayse.sahin", &code, ADDRESS).await.unwrap();
        assert_eq!(answer.is_ok(), is_right, "after {hours} hours: {answer:?}");
    };
    sent_ago(73, false).await;
    sent_ago(71, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_minimum_age_does_not_keep_a_newcomer_out_and_the_history_is_looked_at() {
    let lab = Lab::newcomer().await;
    lab.domain("minPwdAge", "-864000000000");
    let ticket = lab.activated().await;
    assert_eq!(lab.set(&ticket, FIRST).await, Ok(()), "the random password of the opening is minutes old");
    lab.samba.kinit("ayse.sahin", FIRST).unwrap();
    assert_eq!(lab.change(FIRST, SECOND).await, broken(&[Broken::TooYoung], false));
    lab.account("pwdLastSet", "0");
    assert_eq!(lab.change(FIRST, SECOND).await, Ok(()), "it must be changed, so it may be");
    lab.samba.kinit("ayse.sahin", SECOND).unwrap();
    lab.samba.kinit("ayse.sahin", FIRST).expect_err("the old one is refused");
    lab.domain("minPwdAge", "0");
    assert_eq!(lab.change(SECOND, FIRST).await, broken(&[Broken::InHistory], false), "the directory remembers it");
    lab.samba.kinit("ayse.sahin", SECOND).expect("a refused change leaves the password");
    assert_eq!(lab.change("Yanlis-1-Parola-Iste", FIRST).await, Err(Refused::CredentialsWrong));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_that_are_not_served_get_the_answer_of_a_wrong_code() {
    let lab = Lab::newcomer().await;
    let code = lab.first_code().await;
    for (attribute, value, normal) in
        [("userAccountControl", "514", "512"), ("userAccountControl", "262656", "512"), ("adminCount", "1", "0")]
    {
        lab.account(attribute, value);
        let refused = lab.desk.activate("ayse.sahin", &code, ADDRESS).await.unwrap();
        assert_eq!(refused.err(), Some(Refused::CodeWrong), "{attribute} {value}");
        lab.account(attribute, normal);
    }
    let account = lab.ministry.person("S001").await.account.unwrap().guid.unwrap();
    let facts = lab.directory.password_facts(account).await.unwrap().unwrap();
    assert!(facts.is_served() && !facts.locked && !facts.must_change, "{facts:?}");
    let rules = lab.directory.password_rules(Some(account)).await.unwrap();
    assert_eq!((rules.minimum_length, rules.complexity, rules.history), (10, true, 5), "as the lab's domain is made");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_guessed_five_times_and_then_not_even_the_right_one_counts() {
    let lab = Lab::newcomer().await;
    for n in 0..5 {
        assert_eq!(lab.desk.activate("ayse.sahin", &format!("{n:08}"), ADDRESS).await.unwrap().err(), Some(Refused::CodeWrong));
    }
    let refused = lab.desk.activate("ayse.sahin", &lab.first_code().await, ADDRESS).await.unwrap();
    assert_eq!(refused.err(), Some(Refused::CodeWrong));
    for n in 0..20 {
        lab.desk.activate("ayse.sahin", &format!("{n:08}"), &format!("192.0.2.{n}")).await.unwrap().err();
    }
    assert_eq!(lab.desk.activate("ayse.sahin", "1", "192.0.2.99").await.unwrap().err(), Some(Refused::TooMany), "from any address");
}

// ------------------------------------------------------------------------------------------------------- over HTTP

const ACTIVATE: &str = "mutation($input: AccountActivateInput!) { accountActivate(input: $input) { ticket { token purposes } userErrors { code path message } } }";
const SET: &str = "mutation($input: PasswordSetInput!) { passwordSet(input: $input) { done userErrors { code path message } } }";
const CHANGE: &str = "mutation($input: PasswordChangeInput!) { passwordChange(input: $input) { done userErrors { code path message } } }";

#[tokio::test]
async fn a_newcomer_activates_sets_and_changes_over_http() {
    let serving = Serving::start(&[]);
    let (name, code) = announced(&serving).await;
    let mut page = Page::of(&serving);
    let wrong = page.ask(ACTIVATE, json!({ "username": name, "code": "00000000" })).await;
    assert_eq!(wrong["data"]["accountActivate"]["userErrors"][0]["code"], "CODE_WRONG", "{wrong}");
    assert_eq!(page.cookie, None);
    let right = page.ask(ACTIVATE, json!({ "username": name, "code": code })).await;
    let ticket = right["data"]["accountActivate"]["ticket"]["token"].as_str().unwrap_or_else(|| panic!("{right}")).to_owned();
    assert!(page.cookie.is_some());
    let mut stranger = Page::of(&serving);
    let stolen = stranger.ask(SET, json!({ "ticket": ticket, "newPassword": FIRST })).await;
    assert_eq!(stolen["data"]["passwordSet"]["userErrors"][0]["code"], "TICKET_SPENT", "{stolen}");
    let weak = page.ask(SET, json!({ "ticket": ticket, "newPassword": "kisa" })).await;
    let codes: Vec<&Value> = weak["data"]["passwordSet"]["userErrors"].as_array().unwrap().iter().map(|e| &e["code"]).collect();
    assert_eq!(codes, ["PASSWORD_TOO_SHORT", "PASSWORD_TOO_SIMPLE"], "{weak}");
    let set = page.ask(SET, json!({ "ticket": ticket, "newPassword": FIRST })).await;
    assert_eq!(set["data"]["passwordSet"], json!({ "done": true, "userErrors": [] }), "{set}");

    let signed_in = serving.sign_in(&name, FIRST).await;
    let token = signed_in["session"]["accessToken"].as_str().unwrap_or_else(|| panic!("{signed_in}")).to_owned();
    let again = page.ask(CHANGE, json!({ "username": name, "currentPassword": FIRST, "newPassword": FIRST })).await;
    assert_eq!(again["data"]["passwordChange"]["userErrors"][0]["code"], "PASSWORD_IN_HISTORY", "{again}");
    let changed = page.ask(CHANGE, json!({ "username": name, "currentPassword": FIRST, "newPassword": SECOND })).await;
    assert_eq!(changed["data"]["passwordChange"]["done"], true, "{changed}");
    let after = serving.ask_as(Some(&token), "{ viewer { name } }", json!({})).await;
    assert_eq!(after["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "every session has ended: {after}");
    assert_eq!(serving.sign_in(&name, FIRST).await["userErrors"][0]["code"], "CREDENTIALS_WRONG");
    assert_eq!(serving.sign_in(&name, SECOND).await["userErrors"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_finds_the_way_on_a_telephone_and_changes_the_password_on_a_desktop() {
    let serving = Serving::start(&[]);
    let (name, code) = announced(&serving).await;
    let told = seen(&serving, "parola.mjs", "/parola", &[&name, &code, FIRST, SECOND]).await;
    assert_eq!(told["language"], "tr");
    let wrong = told["wrongCode"].as_str().unwrap();
    assert!(wrong.contains("kod yanlış") && !wrong.contains("wrong"), "in Turkish, and in Turkish alone: {told}");
    assert!(told["broken"].to_string().contains("En az 8 karakter"), "{told}");
    assert_eq!(told["level"], "zayıf. Birbiriyle ilgisi olmayan bir iki sözcük ekleyin.", "and what would make it stronger");
    assert_eq!((&told["differ"], &told["overflow"]), (&json!("İki parola aynı değil."), &json!(false)));
    assert!(told["done"].as_str().unwrap().contains("Parolanız değişti"), "{told}");
    assert!(told["wrongPassword"].as_str().unwrap().starts_with("User name or password is wrong"), "{told}");
    assert!(told["changed"].as_str().unwrap().contains("has changed"), "{told}");
    assert!(told["axe"].as_array().unwrap().len() >= 5, "{told}");
    let own = serving.sign_in(&name, SECOND).await["session"]["accessToken"].as_str().unwrap().to_owned();
    let language = serving.ask_as(Some(&own), "{ viewer { language } }", json!({})).await;
    assert_eq!(language["data"]["viewer"]["language"], "EN", "the page was read in English: {language}");
}
