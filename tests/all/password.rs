//! Parola against a real Active Directory, with kinit as the judge; and over HTTP with the embedded one.
mod resend;

use crate::surface::page::browser;
use crate::surface::program::Serving;
use kimlik_adapters::directory::active_directory::ActiveDirectory;
use kimlik_adapters::store::SqlStore;
use kimlik_adapters::system::{OsEntropy, SystemClock};
use kimlik_adapters::token::OwnTokens;
use kimlik_domain::access::door::{Door, Memory};
use kimlik_domain::access::roles::RoleGroups;
use kimlik_domain::access::session::{Secret, SessionRules};
use kimlik_domain::message::{Language, Templates};
use kimlik_domain::password::desk::Handed;
use kimlik_domain::password::{Broken, Desk, DeskRules, Refused};
use kimlik_domain::ports::Passwords as _;
use kimlik_tests::lab::{Samba, node};
use kimlik_tests::ministry::{Ministry, keys, policy, prepare_domain};
use kimlik_tests::scenario::Hr;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

const FIRST: &str = "Yagmur-7-Tren-Limon";
const SECOND: &str = "Kirmizi-8-Vapur-Ceviz";
const ADDRESS: &str = "192.0.2.1";

struct Lab {
    samba: Samba,
    ministry: Ministry,
    desk: Desk,
    directory: Arc<ActiveDirectory>,
    phones: Arc<SqlStore>,
}

fn secret(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

/// One newcomer, whose account works.
async fn lab() -> Lab {
    let samba = Samba::start();
    prepare_domain(&samba);
    let policy = policy();
    let temp = tempfile::tempdir().unwrap();
    let store = SqlStore::connect(&format!("sqlite://{}", temp.path().join("kimlik.db").display()), keys()).await.unwrap();
    store.migrate().await.unwrap();
    let store = Arc::new(store);
    let mut settings = samba.settings();
    settings.closed_ou = policy.closed_ou.clone();
    settings.default_ou = policy.default_ou.clone();
    let directory = Arc::new(ActiveDirectory::new(settings, Arc::new(SystemClock)).unwrap());
    let ministry = Ministry::on("2026-12-01", policy, store.clone(), directory.clone(), temp).await;
    ministry.units().await;
    let rows = Hr::default()
        .says("S001: given=Ayşe; family=Şahin; status=ACTIVE; reason=1; start=2026-11-01; unit=20000006; post=Mühendis; pstart=2026-11-01");
    let report = ministry.staff(&rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!((report.refused, report.rejected_rows), (None, 0), "{:?}", report.issues);
    ministry.sync().await;
    ministry.work().await;
    let door = Door {
        sessions: store.clone(),
        grants: store.clone(),
        services: store.clone(),
        audit: store.clone(),
        store: store.clone(),
        directory: directory.clone(),
        tokens: Arc::new(OwnTokens::new(&[3; 32], "https://kimlik.test", 0).unwrap()),
        foreign: None,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
        rules: SessionRules::default(),
        groups: RoleGroups(Vec::new()),
        from_address: 100,
        in_all: 1_000,
        memory: Memory::default(),
    };
    let desk = Desk {
        tickets: store.clone(),
        challenges: store.clone(),
        outbox: store.clone(),
        texts: Arc::new(Templates::new("https://kimlik.test", Language::Tr)),
        passwords: directory.clone(),
        store: store.clone(),
        door: Arc::new(door),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
        rules: DeskRules::default(),
    };
    Lab { samba, ministry, desk, directory, phones: store }
}

impl Lab {
    async fn code(&self) -> String {
        let messages = self.ministry.store.messages(None, 10).await.unwrap();
        let text = messages[0].text.clone().unwrap();
        let digits = |word: &&str| word.len() == 8 && word.bytes().all(|b| b.is_ascii_digit());
        text.split(|c: char| !c.is_ascii_alphanumeric()).find(digits).unwrap_or_else(|| panic!("no code in {}", text.as_str())).to_owned()
    }
    async fn activated(&self) -> Handed {
        self.desk.activate("ayse.sahin", &self.code().await, ADDRESS).await.unwrap().unwrap()
    }
    async fn set(&self, ticket: &Handed, new: &str) -> Result<(), Refused> {
        self.desk.set(&ticket.token, &ticket.browser, &secret(new)).await.unwrap().map(drop)
    }
    async fn change(&self, from: &str, to: &str) -> Result<(), Refused> {
        self.desk.change("ayse.sahin", &secret(from), &secret(to), ADDRESS).await.unwrap().map(drop)
    }
    fn domain(&self, attribute: &str, value: &str) {
        self.samba.admin_modify(&format!("dn: DC=csb,DC=test\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n"));
    }
    fn account(&self, attribute: &str, value: &str) {
        let dn = self.samba.value("(sAMAccountName=ayse.sahin)", "distinguishedName").unwrap();
        let dn = dn.strip_prefix("distinguishedName: ").unwrap_or(&dn);
        self.samba.admin_modify(&format!("dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n"));
    }
}

fn broken(rules: &[Broken], old_gone: bool) -> Result<(), Refused> {
    Err(Refused::Broken { rules: rules.to_vec(), old_gone })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_s_code_becomes_a_password_that_kerberos_takes() {
    let lab = lab().await;
    let code = lab.code().await;
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

    assert_eq!(lab.set(&ticket, "Kz9!vq").await, broken(&[Broken::TooShort], false));
    assert_eq!(lab.set(&ticket, "yagmurtrenlimonkoltuk").await, broken(&[Broken::TooSimple], false));
    assert_eq!(lab.set(&ticket, "Sahin-7-tren-limon").await, broken(&[Broken::HoldsName], false));
    lab.samba.kinit("ayse.sahin", FIRST).expect_err("not before it is set");
    assert_eq!(lab.set(&ticket, FIRST).await, Ok(()));
    lab.samba.kinit("ayse.sahin", FIRST).expect("the new password works, and need not be changed");
    assert_eq!(lab.set(&ticket, SECOND).await, Err(Refused::TicketSpent), "a ticket counts once");
    let again = lab.desk.activate("ayse.sahin", &code, ADDRESS).await.unwrap();
    assert_eq!(again.err(), Some(Refused::CodeWrong), "and so does a code");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_minimum_age_does_not_keep_a_newcomer_out_and_the_history_is_looked_at() {
    let lab = lab().await;
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
    let lab = lab().await;
    let code = lab.code().await;
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
    let lab = lab().await;
    for n in 0..5 {
        assert_eq!(lab.desk.activate("ayse.sahin", &format!("{n:08}"), ADDRESS).await.unwrap().err(), Some(Refused::CodeWrong));
    }
    let refused = lab.desk.activate("ayse.sahin", &lab.code().await, ADDRESS).await.unwrap();
    assert_eq!(refused.err(), Some(Refused::CodeWrong));
    for n in 0..20 {
        lab.desk.activate("ayse.sahin", &format!("{n:08}"), &format!("192.0.2.{n}")).await.unwrap().err();
    }
    assert_eq!(lab.desk.activate("ayse.sahin", "1", "192.0.2.99").await.unwrap().err(), Some(Refused::TooMany), "from any address");
}

// ------------------------------------------------------------------------------------------------------- over HTTP

struct Page {
    address: String,
    cookie: Option<String>,
}

impl Page {
    async fn ask(&mut self, query: &str, input: Value) -> Value {
        rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
        let body = json!({ "query": query, "variables": { "input": input } }).to_string();
        let mut request = reqwest::Client::new().post(&self.address).header("content-type", "application/json").body(body);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        let answer = request.send().await.unwrap();
        if let Some(set) = answer.headers().get("set-cookie") {
            let set = set.to_str().unwrap();
            assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict") && set.contains("Path=/graphql"), "{set}");
            self.cookie = set.split(';').next().map(str::to_owned);
        }
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }
}

const ACTIVATE: &str = "mutation($input: AccountActivateInput!) { accountActivate(input: $input) { ticket { token purposes } userErrors { code path message } } }";
const SET: &str = "mutation($input: PasswordSetInput!) { passwordSet(input: $input) { done userErrors { code path message } } }";
const CHANGE: &str = "mutation($input: PasswordChangeInput!) { passwordChange(input: $input) { done userErrors { code path message } } }";

/// User name and code of somebody whose account was announced.
async fn announced(serving: &Serving) -> (String, String) {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = serving.ask("{ messages(first: 5) { nodes { text } } }").await;
        let text = answer["data"]["messages"]["nodes"][0]["text"].as_str().unwrap_or_default().to_owned();
        let words: Vec<&str> = text.split_whitespace().collect();
        let code = words.iter().map(|w| w.trim_matches(|c: char| !c.is_ascii_digit())).find(|w| w.len() == 8);
        let name = words.iter().find(|w| w.contains('@')).map(|w| w.split('@').next().unwrap());
        if let (Some(code), Some(name)) = (code, name) {
            return (name.to_owned(), code.to_owned());
        }
        assert!(Instant::now() < until, "nobody was told: {answer}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn a_newcomer_activates_sets_and_changes_over_http() {
    let serving = Serving::start(&[]);
    let (name, code) = announced(&serving).await;
    let mut page = Page { address: serving.url("/graphql"), cookie: None };
    let wrong = page.ask(ACTIVATE, json!({ "username": name, "code": "00000000" })).await;
    assert_eq!(wrong["data"]["accountActivate"]["userErrors"][0]["code"], "CODE_WRONG", "{wrong}");
    assert_eq!(page.cookie, None);
    let right = page.ask(ACTIVATE, json!({ "username": name, "code": code })).await;
    let ticket = right["data"]["accountActivate"]["ticket"]["token"].as_str().unwrap_or_else(|| panic!("{right}")).to_owned();
    assert!(page.cookie.is_some());
    let mut stranger = Page { address: serving.url("/graphql"), cookie: None };
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
    let pictures = node::folder().join("pictures").display().to_string();
    let arguments = [browser().to_owned(), serving.url("/parola"), name.clone(), code, FIRST.into(), SECOND.into(), pictures];
    let seen = tokio::task::spawn_blocking(move || node::script("parola.mjs", &arguments.each_ref().map(String::as_str))).await.unwrap();
    let line = String::from_utf8_lossy(&seen.stdout).lines().last().unwrap_or_default().to_owned();
    let told: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line} {}", String::from_utf8_lossy(&seen.stderr)));
    assert_eq!(told["language"], "tr");
    let wrong = told["wrongCode"].as_str().unwrap();
    assert!(wrong.contains("kod yanlış") && !wrong.contains("wrong"), "in Turkish, and in Turkish alone: {told}");
    assert!(told["broken"].to_string().contains("En az 8 karakter"), "{told}");
    assert_eq!((&told["differ"], &told["overflow"]), (&json!("İki parola aynı değil."), &json!(false)));
    assert!(told["done"].as_str().unwrap().contains("Parolanız değişti"), "{told}");
    assert!(told["wrongPassword"].as_str().unwrap().starts_with("User name or password is wrong"), "{told}");
    assert!(told["changed"].as_str().unwrap().contains("has changed"), "{told}");
    assert_eq!((&told["origins"], &told["complaints"]), (&json!([format!("http://{}", serving.address)]), &json!([])), "{told}");
    let looked_at = told["axe"].as_array().unwrap();
    assert!(looked_at.len() >= 5 && looked_at.iter().all(|page| page["passed"].as_u64() > Some(10)), "{told}");
    let breaches: Vec<&Value> = looked_at.iter().filter(|page| page["breaches"] != json!([])).collect();
    assert!(breaches.is_empty(), "axe finds breaches of WCAG 2.2 AA: {breaches:#?}");
    assert_eq!(serving.sign_in(&name, SECOND).await["userErrors"], json!([]));
}
