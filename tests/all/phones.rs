//! Phones from end to end: against a real Active Directory, with ldapsearch as the judge; with the program killed while HR is
//! being written to; and on the page /kart.
use crate::hr::write_back;
use crate::surface::page::browser;
use crate::surface::program::Serving;
use kimlik_adapters::directory::active_directory::ActiveDirectory;
use kimlik_adapters::directory::embedded::EmbeddedDirectory;
use kimlik_adapters::store::SqlStore;
use kimlik_adapters::system::{OsEntropy, SystemClock};
use kimlik_adapters::token::OwnTokens;
use kimlik_domain::access::door::{Door, Memory, Refused as NotProven};
use kimlik_domain::access::roles::RoleGroups;
use kimlik_domain::access::session::SessionRules;
use kimlik_domain::access::{Caller, Who};
use kimlik_domain::account::{Attribute, Dn, Value as Held};
use kimlik_domain::id::PersonId;
use kimlik_domain::message::{Language, Purpose, Templates};
use kimlik_domain::phone::desk::{OfficersChange, PhoneDesk, PhoneRules, Refused};
use kimlik_domain::phone::write_back::Messenger;
use kimlik_domain::phone::{Line, Standing, WorkPhone};
use kimlik_domain::ports::{Clock as _, Directory as _, Passwords as _, SignIn as _, Store as _};
use kimlik_domain::staff::{IssueKind, MobileNumber, WorkNumber};
use kimlik_tests::lab::{Samba, node};
use kimlik_tests::ministry::{Ministry, STAFF_HEADER, keys, national_id, policy, prepare_domain};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

const PASSWORD: &str = "Yagmur-7-Tren-Limon";
const ADDRESS: &str = "192.0.2.1";
const TOKEN: &str = "gizli-belirtec";

fn secret(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}
fn mobile(text: &str) -> MobileNumber {
    MobileNumber::parse(text).unwrap()
}

struct Lab {
    samba: Samba,
    ministry: Ministry,
    store: Arc<SqlStore>,
    desk: PhoneDesk,
    person: PersonId,
}

const ME: &str = "(employeeID=S001)";

/// Ayşe, who works and has a password, and lets her mobile be shown.
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
    hr_says(&ministry, "05321110001").await;
    ministry.sync().await;
    let record = ministry.person("S001").await;
    let person = record.person.id;
    let account = record.account.unwrap().guid.unwrap();
    let facts = directory.password_facts(account).await.unwrap().unwrap();
    directory.set_password(&facts.account, &secret(PASSWORD)).await.unwrap();
    samba.kinit("ayse.sahin", PASSWORD).unwrap();
    let door = Door {
        sessions: store.clone(),
        grants: store.clone(),
        services: store.clone(),
        audit: store.clone(),
        store: store.clone(),
        directory: directory.clone(),
        tokens: Arc::new(OwnTokens::new(&[3; 32], "https://kimlik.test", 0).unwrap()),
        foreign: None,
        clock: ministry.clock.clone(),
        entropy: Arc::new(OsEntropy),
        rules: SessionRules::default(),
        groups: RoleGroups(Vec::new()),
        from_address: 100,
        in_all: 1_000,
        memory: Memory::default(),
    };
    let desk = PhoneDesk {
        book: store.clone(),
        tickets: store.clone(),
        store: store.clone(),
        door: Arc::new(door),
        texts: Arc::new(Templates::new("https://parola.csb.test", Language::Tr)),
        clock: ministry.clock.clone(),
        entropy: Arc::new(OsEntropy),
        rules: PhoneRules::default(),
    };
    Lab { samba, ministry, store, desk, person }
}

async fn hr_says(ministry: &Ministry, number: &str) {
    let text = format!(
        "{STAFF_HEADER};mobile_public\nS001;{};AYŞE;ŞAHİN;ACTIVE;1;2026-11-01;;PERMANENT;20000006;Mühendis;;2026-11-01;;{number};;1234;B-12;yes\n",
        national_id(1)
    );
    let report = ministry.hr("staff-delta", &text).await;
    assert_eq!((report.refused, report.rejected_rows), (None, 0), "{:?}", report.issues);
}

impl Lab {
    /// Of the latest message: whom it went to, and its text.
    async fn latest(&self, purpose: Purpose) -> (MobileNumber, String) {
        let messages = self.store.messages(None, 20).await.unwrap();
        let message = messages.into_iter().find(|m| m.purpose == purpose).unwrap();
        (message.to.mobile().unwrap().clone(), message.text.unwrap().to_string())
    }
    fn in_directory(&self) -> [Option<String>; 2] {
        ["mobile", "telephoneNumber"].map(|attribute| self.samba.value(ME, attribute))
    }
}

fn code_in(text: &str) -> String {
    text.split(|c: char| !c.is_ascii_digit()).find(|word| word.len() == 6).unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_and_an_officer_change_numbers_and_the_directory_follows() {
    let lab = lab().await;
    let shown = |number: &str, work: &str| [Some(number.to_owned()), Some(work.to_owned())];
    assert_eq!(lab.in_directory(), shown("+905321110001", "1234"));
    let (desk, person) = (&lab.desk, lab.person);
    let wrong = desk.start(person, mobile("05321110002"), &secret("not-it-9-At-All"), ADDRESS).await.unwrap();
    assert_eq!(wrong, Err(Refused::Password(NotProven::Wrong)));
    let same = desk.start(person, mobile("05321110001"), &secret(PASSWORD), ADDRESS).await.unwrap();
    assert_eq!(same, Err(Refused::Same));
    let begun = desk.start(person, mobile("05321110002"), &secret(PASSWORD), ADDRESS).await.unwrap().unwrap();
    let (to, text) = lab.latest(Purpose::MobileConfirmCode).await;
    assert_eq!(to, mobile("05321110002"), "the code goes to the new number");
    assert_eq!(lab.in_directory(), shown("+905321110001", "1234"), "nothing has changed without the code");
    let too_soon = desk.start(person, mobile("05321110003"), &secret(PASSWORD), ADDRESS).await.unwrap();
    assert_eq!(too_soon, Err(Refused::TooMany), "another code within the minute");
    let code = code_in(&text);
    let other = if code == "000000" { "000001" } else { "000000" };
    assert_eq!(desk.confirm(person, begun.id, other).await.unwrap().err(), Some(Refused::Code));
    assert_eq!(desk.confirm(person, uuid::Uuid::nil(), &code).await.unwrap().err(), Some(Refused::Code), "of no challenge");
    let record = desk.confirm(person, begun.id, &format!("{} {}", &code[..3], &code[3..])).await.unwrap().unwrap();
    assert_eq!(record.phones.ledger.own(Line::Mobile).unwrap().1, Standing::Pending);
    assert_eq!(desk.confirm(person, begun.id, &code).await.unwrap().err(), Some(Refused::Code), "a code is good for once");
    let began = Instant::now();
    lab.ministry.work().await;
    assert_eq!(lab.in_directory(), shown("+905321110002", "1234"));
    assert!(began.elapsed() < Duration::from_secs(10), "the directory followed after {:?}", began.elapsed());
    assert_eq!(desk.tell().await.unwrap(), 1);
    assert_eq!(lab.latest(Purpose::MobileChangedNotice).await.0, mobile("05321110001"), "the number before is told");

    let own_line = WorkPhone { number: WorkNumber::parse("0312 410 10 01").ok(), extension: None };
    desk.change_work(person, own_line, &secret(PASSWORD), ADDRESS).await.unwrap().unwrap();
    lab.ministry.work().await;
    assert_eq!(lab.in_directory(), shown("+905321110002", "+90 312 410 10 01"));

    let officer = Caller { who: Who::Person(PersonId(uuid::Uuid::from_u128(99))), name: "memur".into(), ..Caller::default() };
    let wish = OfficersChange { mobile: Some(mobile("05321110004")), work: None, reason: "hattı değişti, telefonla bildirdi".into() };
    let record = desk.change_of(&officer, person, wish.clone()).await.unwrap().unwrap();
    assert!(record.phones.ledger.mobile_changed.as_ref().unwrap().was_by(&officer), "so it may not start that person's reset");
    assert!(record.phones.mobile_is_cooling(chrono::TimeDelta::hours(24), lab.ministry.clock.now()));
    let own = Caller { who: Who::Person(person), ..officer };
    assert_eq!(desk.change_of(&own, person, wish).await.unwrap().err(), Some(Refused::OwnNumber));
    lab.ministry.work().await;
    assert_eq!(lab.in_directory(), shown("+905321110004", "+90 312 410 10 01"));

    // HR knows nothing of it yet, delivers the person anew for another reason, and then says something else.
    hr_says(&lab.ministry, "05321110001").await;
    lab.ministry.work().await;
    assert_eq!(lab.in_directory()[0].as_deref(), Some("+905321110004"));
    hr_says(&lab.ministry, "05321110009").await;
    lab.ministry.work().await;
    assert_eq!(lab.in_directory()[0].as_deref(), Some("+905321110009"), "what HR says later counts");
    let record = lab.ministry.person("S001").await;
    assert_eq!(record.phones.disputes(), [(Line::Mobile, Standing::Overruled)]);
    assert!(record.open_issues.contains(&IssueKind::PhoneConflict), "the personnel unit is told");
    hr_says(&lab.ministry, "05321110004").await;
    lab.ministry.work().await;
    let record = lab.ministry.person("S001").await;
    assert_eq!((record.phones.disputes(), record.open_issues.contains(&IssueKind::PhoneConflict)), (vec![], false));
    let events = lab.store.audit_events(Some(person), 50).await.unwrap();
    let changes: Vec<_> = events.iter().filter(|e| e.deed == "phone.change").map(|e| e.actor.as_str()).collect();
    assert_eq!(changes, ["user:memur", "user:ayse.sahin", "user:ayse.sahin"]);
    assert!(!format!("{events:?}").contains("5321110002"), "numbers are masked in the audit");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_being_written_to_hr_when_the_process_died_is_written_again_under_its_key() {
    let lab = lab_without_directory().await;
    let (hr, base) = write_back::system().await;
    let officer = Caller { who: Who::Terminal, name: "root".into(), ..Caller::default() };
    let wish = OfficersChange { mobile: Some(mobile("05321110004")), work: Some(WorkPhone::default()), reason: "deneme gerekçesi".into() };
    lab.desk.change_of(&officer, lab.person, wish).await.unwrap().unwrap();
    hr.lock().unwrap().delay = Some(Duration::from_millis(300));
    let messenger =
        |store: Arc<SqlStore>| Messenger { book: store, hr: Arc::new(write_back::rest(&base, TOKEN)), clock: lab.ministry.clock.clone() };
    // The request has arrived, its answer never does: the process is gone.
    let first = messenger(lab.store.clone());
    let dying = tokio::spawn(async move { first.round().await });
    let until = Instant::now() + Duration::from_secs(20);
    while hr.lock().unwrap().asked.is_empty() {
        assert!(Instant::now() < until);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    dying.abort();
    hr.lock().unwrap().delay = None;
    let path = lab.ministry.path().join("kimlik.db");
    let again = Arc::new(SqlStore::connect(&format!("sqlite://{}", path.display()), keys()).await.unwrap());
    let (one, two) = (messenger(again), messenger(lab.store.clone()));
    assert_eq!(one.round().await.unwrap().handled + two.round().await.unwrap().handled, 0, "it may be in somebody's hand");
    lab.ministry.clock.pass(chrono::TimeDelta::seconds(61));
    for _ in 0..4 {
        let (a, b) = tokio::join!(one.round(), two.round());
        assert_eq!((a.unwrap().alarms, b.unwrap().alarms), (vec![], vec![]));
    }
    let asked = hr.lock().unwrap().asked.clone();
    // Which of the two numbers was on its way is chance.
    let begun: Vec<_> = asked.iter().filter(|(_, key, _)| *key == asked[0].1).collect();
    assert_eq!(begun.len(), 2, "once by the process that died, once after it: {asked:?}");
    assert_eq!(begun[0], begun[1], "under the same key, with the same body");
    let keys: std::collections::HashSet<&str> = asked.iter().map(|(_, key, _)| key.as_str()).collect();
    assert_eq!(keys.len(), asked.len() - 1, "nothing else twice: {asked:?}");
    let record = lab.ministry.person("S001").await;
    assert_eq!(record.phones.ledger.own(Line::Mobile).unwrap().1, Standing::Taken);
}

struct Small {
    ministry: Ministry,
    store: Arc<SqlStore>,
    desk: PhoneDesk,
    person: PersonId,
}

/// The same on the embedded directory.
async fn lab_without_directory() -> Small {
    let temp = tempfile::tempdir().unwrap();
    let policy = policy();
    let directory =
        EmbeddedDirectory::open(&temp.path().join("directory.db"), policy.base.clone(), &policy.upn_suffix, None).await.unwrap();
    let directory = Arc::new(directory);
    let store = SqlStore::connect(&format!("sqlite://{}", temp.path().join("kimlik.db").display()), keys()).await.unwrap();
    store.migrate().await.unwrap();
    let store = Arc::new(store);
    let ministry = Ministry::on("2026-12-01", policy, store.clone(), directory.clone(), temp).await;
    ministry.units().await;
    hr_says(&ministry, "05321110001").await;
    let person = ministry.person("S001").await.person.id;
    let door = Door {
        sessions: store.clone(),
        grants: store.clone(),
        services: store.clone(),
        audit: store.clone(),
        store: store.clone(),
        directory,
        tokens: Arc::new(OwnTokens::new(&[3; 32], "https://kimlik.test", 0).unwrap()),
        foreign: None,
        clock: ministry.clock.clone(),
        entropy: Arc::new(OsEntropy),
        rules: SessionRules::default(),
        groups: RoleGroups(Vec::new()),
        from_address: 100,
        in_all: 1_000,
        memory: Memory::default(),
    };
    let desk = PhoneDesk {
        book: store.clone(),
        tickets: store.clone(),
        store: store.clone(),
        door: Arc::new(door),
        texts: Arc::new(Templates::new("https://parola.csb.test", Language::Tr)),
        clock: ministry.clock.clone(),
        entropy: Arc::new(OsEntropy),
        rules: PhoneRules::default(),
    };
    Small { ministry, store, desk, person }
}

/// Somebody of the simulated ministry whose account works: user name, card and display name.
async fn somebody(serving: &Serving) -> Vec<[String; 3]> {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = serving.ask("{ identityCards(first: 40) { nodes { id username displayName accountState mobile } } }").await;
        let nodes = answer["data"]["identityCards"]["nodes"].as_array().cloned().unwrap_or_default();
        let works = |n: &&Value| n["accountState"] == "ACTIVE" && n["mobile"].is_string();
        let text = |n: &Value, key: &str| n[key].as_str().unwrap_or_default().to_owned();
        let found: Vec<_> = nodes.iter().filter(works).map(|n| ["username", "id", "displayName"].map(|key| text(n, key))).collect();
        if found.len() > 20 {
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
    directory.hand_password(account, &secret(PASSWORD)).await.unwrap();
    directory.close().await;
}

/// By hand, past Kimlik.
async fn give_title(serving: &Serving, username: &str, title: &str) {
    let file = serving.folder.path().join("var/directory.db");
    let directory = EmbeddedDirectory::open(&file, Dn::new("OU=CSB,DC=csb,DC=test"), "csb.test", None).await.unwrap();
    let account = directory.account_named(username).await.unwrap().unwrap();
    directory.hand_edit(account, Attribute::Title, Some(Held::text(title))).await.unwrap();
    directory.close().await;
}

const PHONES: &str = "phones { mobile { effective hr pending standing conflict } work { effective { number extension } standing } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http_a_change_is_seen_by_those_who_may_and_confirmed_by_the_simulated_ministry() {
    let serving = Serving::start(&[("KIMLIK__HR__POLL_SECONDS", "1"), ("KIMLIK__HR__SIMULATED__EVENTS_PER_STEP", "0")]);
    let people = somebody(&serving).await;
    let [username, card, _] = &people[0];
    let [other, other_card, _] = &people[1];
    give_password(&serving, username).await;
    give_password(&serving, other).await;
    let token = async |name: &str| serving.sign_in(name, PASSWORD).await["session"]["accessToken"].as_str().unwrap().to_owned();
    let (own, colleague) = (token(username).await, token(other).await);
    let ask =
        async |token: &str, query: &str, input: Value| serving.ask_as(Some(token), query, json!({ "i": input })).await["data"].clone();

    let start = "mutation($i: MobileChangeStartInput!) { mobileChangeStart(input: $i) { challenge { id codeLength } userErrors { code path message } } }";
    let landline = ask(&own, start, json!({ "mobile": "0312 410 10 00", "password": PASSWORD })).await;
    assert_eq!(landline["mobileChangeStart"]["userErrors"][0]["code"], "INVALID", "{landline}");
    let wrong = ask(&own, start, json!({ "mobile": "0555 999 00 01", "password": "Wrong-1-Password" })).await;
    assert_eq!(wrong["mobileChangeStart"]["userErrors"][0]["code"], "CREDENTIALS_WRONG", "{wrong}");
    let begun = ask(&own, start, json!({ "mobile": "0555 999 00 01", "password": PASSWORD })).await;
    let challenge = begun["mobileChangeStart"]["challenge"]["id"].as_str().unwrap_or_else(|| panic!("{begun}")).to_owned();
    let texts = serving.ask("{ messages(first: 5) { nodes { purpose text } } }").await;
    let of_code = texts["data"]["messages"]["nodes"].as_array().unwrap().iter().find(|m| m["purpose"] == "MOBILE_CONFIRM_CODE").unwrap();
    let code = code_in(of_code["text"].as_str().unwrap());
    let confirm =
        format!("mutation($i: MobileChangeConfirmInput!) {{ mobileChangeConfirm(input: $i) {{ {PHONES} userErrors {{ code path }} }} }}");
    let stolen = ask(&colleague, &confirm, json!({ "challengeId": challenge, "code": code })).await;
    assert_eq!(stolen["mobileChangeConfirm"]["userErrors"][0]["code"], "CODE_WRONG", "{stolen}");
    let confirmed = ask(&own, &confirm, json!({ "challengeId": challenge, "code": code })).await;
    assert_eq!(confirmed["mobileChangeConfirm"]["phones"]["mobile"]["effective"], "+905559990001", "{confirmed}");

    let record = format!("query {{ staffMember(by: {{ id: \"{card}\" }}) {{ {PHONES} }} }}");
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let seen = serving.ask_as(Some(&own), &record, json!({})).await;
        let mobile = &seen["data"]["staffMember"]["phones"]["mobile"];
        assert_eq!(mobile["effective"], "+905559990001", "whatever HR says meanwhile: {seen}");
        if mobile["hr"] == "+905559990001" && mobile["standing"].is_null() {
            break;
        }
        assert!(Instant::now() < until, "HR never confirmed: {seen}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let not_mine = serving.ask_as(Some(&colleague), &record, json!({})).await;
    assert!(not_mine["data"]["staffMember"].is_null(), "{not_mine}");

    let update =
        format!("mutation($i: StaffPhonesUpdateInput!) {{ staffPhonesUpdate(input: $i) {{ {PHONES} userErrors {{ code path }} }} }}");
    let denied = ask(&colleague, &update, json!({ "personId": card, "mobile": "05559990002", "reason": "deneme gerekçesi" })).await;
    assert!(denied["staffPhonesUpdate"].is_null(), "{denied}");
    let administrator = serving.token().await;
    let faulty = json!({ "personId": other_card, "mobile": "12", "workPhone": { "number": "x", "extension": "y" }, "reason": "-" });
    let told = ask(&administrator, &update, faulty).await;
    let paths: Vec<&Value> = told["staffPhonesUpdate"]["userErrors"].as_array().unwrap().iter().map(|e| &e["path"][0]).collect();
    assert_eq!(paths, ["mobile", "workPhone", "workPhone", "reason"], "all of them at once");
    let wish = json!({ "personId": other_card, "workPhone": { "extension": "4321" }, "reason": "odası değişti" });
    let done = ask(&administrator, &update, wish).await;
    assert_eq!(done["staffPhonesUpdate"]["phones"]["work"]["effective"], json!({ "number": null, "extension": "4321" }), "{done}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_page_people_are_found_and_one_s_own_phones_changed() {
    let serving = Serving::start(&[]);
    let people = somebody(&serving).await;
    let [username, ..] = &people[0];
    let [_, _, colleague] = &people[1];
    give_password(&serving, username).await;
    give_title(&serving, username, "Bakan").await;
    let pictures = node::folder().join("pictures").display().to_string();
    let admin = serving.token().await;
    let arguments = [browser().to_owned(), serving.url("/kart"), username.clone(), PASSWORD.to_owned(), colleague.clone(), admin, pictures];
    let seen = tokio::task::spawn_blocking(move || node::script("kart.mjs", &arguments.each_ref().map(String::as_str))).await.unwrap();
    let line = String::from_utf8_lossy(&seen.stdout).lines().last().unwrap_or_default().to_owned();
    let told: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line} {}", String::from_utf8_lossy(&seen.stderr)));
    assert!(told["refusal"].as_str().unwrap().contains("yanlış"), "{told}");
    assert_eq!(told["found"], json!(colleague), "{told}");
    assert_eq!(told["overflow"], json!(vec![false; 7]), "{told}");
    let lines = |of: &Value| of.as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let (turkish, english) = (lines(&told["truth"]), lines(&told["truthInEnglish"]));
    let title = &turkish[0];
    assert!(title.starts_with("Unvan") && title.contains("şunu gösteriyor: Bakan") && title.contains("elle değiştirilmiş"), "{turkish:#?}");
    assert!(title.contains("Kaynak: personel sistemi") && title.contains("Düzeltebilecek olan:"), "{title}");
    let own = |lines: &[String], word: &str| {
        lines.iter().find(|line| line.starts_with(word)).cloned().unwrap_or_else(|| panic!("{word}: {lines:#?}"))
    };
    assert!(own(&turkish, "Birim").contains("birim tablosu"), "{turkish:#?}");
    assert!(own(&turkish, "E-posta").contains("Outlook en geç"), "written a moment ago: {turkish:#?}");
    assert!(own(&english, "Work phone").contains("changed by the person"), "{english:#?}");
    assert!(english.iter().all(|line| line.contains("Can be corrected by:")), "{english:#?}");
    assert!(told["wrongPassword"].as_str().unwrap().starts_with("Parola yanlış"), "{told}");
    assert!(told["wrongCode"].as_str().unwrap().starts_with("Kod yanlış"), "{told}");
    assert!(told["done"].as_str().unwrap().contains("Cep telefonunuz değişti"), "{told}");
    assert_eq!((&told["mobile"], &told["work"]), (&json!("+90 555 999 00 01"), &json!("/ 4321")), "{told}");
    assert!(told["units"].as_u64().unwrap() > 5, "{told}");
    assert_eq!((&told["origins"], &told["complaints"]), (&json!([format!("http://{}", serving.address)]), &json!([])), "{told}");
    assert_eq!(told["language"], "Identity card");
    assert_eq!(told["axe"].as_array().unwrap().len(), 10);
    assert!(told["axe"].as_array().unwrap().iter().all(|page| page["breaches"] == json!([])), "axe: {:#}", told["axe"]);
    let record = serving.ask(&format!("{{ staffMember(by: {{ username: \"{username}\" }}) {{ {PHONES} }} }}")).await;
    assert_eq!(record["data"]["staffMember"]["phones"]["mobile"]["effective"], "+905559990001", "{record}");
}
