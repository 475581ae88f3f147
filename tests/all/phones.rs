//! Phones from end to end: against a real Active Directory, with ldapsearch as the judge; with the program killed while HR is
//! being written to; and on the page /kart.
use crate::desk_lab::{ADDRESS, FIRST as PASSWORD, Lab, Small, digits_in, hr_says, secret};
use crate::desk_page::{directory_of, give_password, people, seen};
use crate::hr::write_back;
use crate::surface::program::Serving;
use kimlik_adapters::store::SqlStore;
use kimlik_adapters::system::SystemClock;
use kimlik_domain::access::door::Refused as NotProven;
use kimlik_domain::access::{Caller, Who};
use kimlik_domain::account::{Attribute, Value as Held};
use kimlik_domain::id::PersonId;
use kimlik_domain::message::Purpose;
use kimlik_domain::password::{ChallengeKind, ChallengeRules, ResetProof};
use kimlik_domain::phone::desk::{Becomes, OfficersChange, Refused};
use kimlik_domain::phone::write_back::Messenger;
use kimlik_domain::phone::{Line, Standing, WorkPhone};
use kimlik_domain::ports::{Clock as _, SignIn as _, Store as _};
use kimlik_domain::staff::{IssueKind, MobileNumber, WorkNumber};
use kimlik_tests::ministry::keys;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

const TOKEN: &str = "gizli-belirtec";

fn mobile(text: &str) -> MobileNumber {
    MobileNumber::parse(text).unwrap()
}

impl Lab {
    fn in_directory(&self) -> [Option<String>; 2] {
        ["mobile", "telephoneNumber"].map(|attribute| self.shown(attribute))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_and_an_officer_change_numbers_and_the_directory_follows() {
    let lab = Lab::at_work(ChallengeRules::default()).await;
    let shown = |number: &str, work: &str| [Some(number.to_owned()), Some(work.to_owned())];
    assert_eq!(lab.in_directory(), shown("+905321110001", "1234"));
    let (desk, person) = (&lab.phones, lab.ministry.person("S001").await.person.id);
    let wrong = desk.start(person, mobile("05321110002"), &secret("not-it-9-At-All"), ADDRESS).await.unwrap();
    assert_eq!(wrong, Err(Refused::Password(NotProven::Wrong)));
    let same = desk.start(person, mobile("05321110001"), &secret(PASSWORD), ADDRESS).await.unwrap();
    assert_eq!(same, Err(Refused::Same));
    let begun = desk.start(person, mobile("05321110002"), &secret(PASSWORD), ADDRESS).await.unwrap().unwrap();
    let (to, text) = lab.told(Purpose::MobileConfirmCode).await.remove(0);
    assert_eq!(to, mobile("05321110002"), "the code goes to the new number");
    assert_eq!(lab.in_directory(), shown("+905321110001", "1234"), "nothing has changed without the code");
    let too_soon = desk.start(person, mobile("05321110003"), &secret(PASSWORD), ADDRESS).await.unwrap();
    assert_eq!(too_soon, Err(Refused::TooMany), "another code within the minute");
    let code = digits_in(&text, 6);
    let other = if code == "000000" { "000001" } else { "000000" };
    assert_eq!(desk.confirm(person, begun.id, other).await.unwrap().err(), Some(Refused::Code));
    assert_eq!(desk.confirm(person, uuid::Uuid::nil(), &code).await.unwrap().err(), Some(Refused::Code), "of no challenge");
    let record = desk.confirm(person, begun.id, &format!("{} {}", &code[..3], &code[3..])).await.unwrap().unwrap();
    assert_eq!(record.phones.ledger.own(Line::Mobile).unwrap().1, Standing::Pending);
    assert_eq!(desk.confirm(person, begun.id, &code).await.unwrap().err(), Some(Refused::Code), "a code is good for once");
    lab.ministry.work().await;
    assert_eq!(lab.in_directory(), shown("+905321110002", "1234"));
    assert_eq!(desk.tell().await.unwrap(), 1);
    assert_eq!(lab.told(Purpose::MobileChangedNotice).await[0].0, mobile("05321110001"), "the number before is told");

    let own_line = WorkPhone { number: WorkNumber::parse("0312 410 10 01").ok(), extension: None };
    desk.change_work(person, own_line, &secret(PASSWORD), ADDRESS).await.unwrap().unwrap();
    lab.ministry.work().await;
    assert_eq!(lab.in_directory(), shown("+905321110002", "+90 312 410 10 01"));

    let officer = Caller { who: Who::Person(PersonId(uuid::Uuid::from_u128(99))), name: "memur".into(), ..Caller::default() };
    let wish = OfficersChange {
        mobile: Some(Becomes::Number(mobile("05321110004"))),
        work: None,
        verified: None,
        reason: "hattı değişti, telefonla bildirdi".into(),
    };
    let record = desk.change_of(&officer, person, wish.clone()).await.unwrap().unwrap();
    assert!(record.phones.ledger.mobile_changed.as_ref().unwrap().was_by(&officer), "so it may not start that person's reset");
    assert!(record.phones.mobile_is_cooling(chrono::TimeDelta::hours(24), lab.ministry.clock.now()));
    let own = Caller { who: Who::Person(person), ..officer.clone() };
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
    let gone = OfficersChange { mobile: Some(Becomes::None), work: None, verified: None, reason: "hattını kapattırdı".into() };
    let record = desk.change_of(&officer, person, gone.clone()).await.unwrap().unwrap();
    assert_eq!((record.phones.mobile(), record.phones.hr_mobile.is_some()), (&None, true));
    assert_eq!(desk.change_of(&officer, person, gone).await.unwrap().err(), Some(Refused::Same));
    lab.ministry.work().await;
    assert_eq!(lab.in_directory()[0], None, "the directory shows none");
    assert_eq!(desk.tell().await.unwrap(), 4, "each number that counted before is told, once");
    let told = lab.told(Purpose::MobileRemovedNotice).await;
    let times = |number: &str| told.iter().filter(|(to, _)| *to == mobile(number)).count();
    // Why counted: notices of one round have no order.
    assert_eq!(["05321110002", "05321110009", "05321110004"].map(times), [1, 1, 2], "the one that was taken away, too");
    let events = lab.store.audit_events(Some(person), 50).await.unwrap();
    let changes: Vec<_> = events.iter().filter(|e| e.deed == "phone.change").map(|e| e.actor.as_str()).collect();
    assert_eq!(changes, ["user:memur", "user:memur", "user:ayse.sahin", "user:ayse.sahin"]);
    assert!(!format!("{events:?}").contains("5321110002"), "numbers are masked in the audit");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gives_up_the_own_mobile_is_told_of_it_and_no_code_goes_anywhere_until_another_one_has_cooled_off() {
    let lab = Lab::at_work(ChallengeRules { proof: ResetProof::Sms, per_person: 9, ..ChallengeRules::default() }).await;
    lab.ministry.clock.set_to(SystemClock.now());
    let (desk, person) = (&lab.phones, lab.ministry.person("S001").await.person.id);
    let ask = async || {
        let begun = lab.desk.ask(ChallengeKind::Reset, "ayse.sahin", None, ADDRESS).await.unwrap().unwrap();
        lab.desk.answer_asked().await.unwrap();
        lab.courier.round().await.unwrap();
        begun.id
    };
    let declined = async || {
        let events = lab.store.audit_events(Some(person), 50).await.unwrap();
        events.into_iter().filter(|e| e.deed == "password.challenge.decline").map(|e| e.because).collect::<Vec<_>>()
    };
    let under_way = ask().await;
    let code = lab.code(Purpose::ResetCode).await;
    let wrong = desk.remove(person, &secret("not-it-9-At-All"), ADDRESS).await.unwrap();
    assert_eq!(wrong.err(), Some(Refused::Password(NotProven::Wrong)));
    assert!(lab.ministry.person("S001").await.person.mobile.is_some());
    let record = desk.remove(person, &secret(PASSWORD), ADDRESS).await.unwrap().unwrap();
    assert_eq!((record.phones.mobile(), record.phones.ledger.own(Line::Mobile).unwrap().1), (&None, Standing::Pending));
    assert_eq!(desk.remove(person, &secret(PASSWORD), ADDRESS).await.unwrap().err(), Some(Refused::NoMobile));
    assert!(lab.desk.verify(under_way, &code, None, ADDRESS).await.unwrap().is_err(), "a code that went there proves nothing any more");
    lab.ministry.work().await;
    assert_eq!(lab.in_directory()[0], None, "the directory shows none");
    assert_eq!(desk.tell().await.unwrap(), 1);
    let (to, text) = lab.told(Purpose::MobileRemovedNotice).await.remove(0);
    assert!(to == mobile("05321110001") && text.starts_with("ayse.sahin hesabinin cep telefonu kayittan kaldirildi"), "{text}");
    ask().await;
    assert_eq!(declined().await, ["no mobile is known"]);

    let begun = desk.start(person, mobile("05321110002"), &secret(PASSWORD), ADDRESS).await.unwrap().unwrap();
    let code = digits_in(&lab.texts(Purpose::MobileConfirmCode).await[0], 6);
    desk.confirm(person, begun.id, &code).await.unwrap().unwrap();
    ask().await;
    assert!(declined().await.contains(&"the mobile was changed a short while ago".to_owned()), "{:?}", declined().await);
    assert_eq!(lab.texts(Purpose::ResetCode).await.len(), 1);
    let events = lab.store.audit_events(Some(person), 50).await.unwrap();
    assert_eq!(events.iter().filter(|e| e.deed == "phone.change" && e.actor == "user:ayse.sahin").count(), 2);
    assert!(!format!("{events:?}").contains("5321110001"), "numbers are masked in the audit");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_being_written_to_hr_when_the_process_died_is_written_again_under_its_key() {
    let lab = Small::new().await;
    let (hr, base) = write_back::system().await;
    let officer = Caller { who: Who::Terminal, name: "root".into(), ..Caller::default() };
    let wish = OfficersChange {
        mobile: Some(Becomes::Number(mobile("05321110004"))),
        work: Some(WorkPhone::default()),
        verified: None,
        reason: "deneme gerekçesi".into(),
    };
    lab.desks.phones.change_of(&officer, lab.ministry.person("S001").await.person.id, wish).await.unwrap().unwrap();
    hr.lock().unwrap().delay = Some(Duration::from_millis(300));
    let messenger =
        |store: Arc<SqlStore>| Messenger { book: store, hr: Arc::new(write_back::rest(&base, TOKEN)), clock: lab.ministry.clock.clone() };
    // The request has arrived, its answer never does: the process is gone.
    let first = messenger(lab.desks.store.clone());
    let dying = tokio::spawn(async move { first.round().await });
    let until = Instant::now() + Duration::from_secs(60);
    while hr.lock().unwrap().asked.is_empty() {
        assert!(Instant::now() < until);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    dying.abort();
    hr.lock().unwrap().delay = None;
    let path = lab.ministry.path().join("kimlik.db");
    let again = Arc::new(SqlStore::connect(&format!("sqlite://{}", path.display()), keys()).await.unwrap());
    let (one, two) = (messenger(again), messenger(lab.desks.store.clone()));
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

/// As if a while had passed: what was in the hand of a process that was killed is taken up again when its lease is over.
async fn the_lease_runs_out(folder: &std::path::Path) {
    use sqlx::Connection as _;
    let file = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.join("var/kimlik.db")).busy_timeout(Duration::from_secs(10));
    let mut db = sqlx::SqliteConnection::connect_with(&file).await.unwrap();
    sqlx::query("UPDATE hr_write_back SET due_at = made_at WHERE leased").execute(&mut db).await.unwrap();
    db.close().await.unwrap();
}

/// The real program, ended as by a power cut whatever it is at, and begun again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_kills_while_numbers_are_taken_to_hr_lose_none_and_take_none_there_as_two_changes() {
    const PEOPLE: u32 = 12;
    let (hr, base) = write_back::system_of(PEOPLE).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), TOKEN).unwrap();
    let environment = [
        ("KIMLIK__HR__SOURCE", "rest"),
        ("KIMLIK__HR__REST__BASE_URL", base.as_str()),
        ("KIMLIK__HR__REST__TOKEN_FILE", "token"),
        ("KIMLIK__HR__POLL_SECONDS", "1"),
    ];
    let mut serving = Serving::start_in(folder, &environment);
    let until = Instant::now() + Duration::from_secs(60);
    let cards: Vec<String> = loop {
        let answer = serving.ask("{ identityCards(first: 40) { nodes { id } } }").await;
        let nodes = answer["data"]["identityCards"]["nodes"].as_array().cloned().unwrap_or_default();
        if nodes.len() == PEOPLE as usize {
            break nodes.iter().map(|n| n["id"].as_str().unwrap().to_owned()).collect();
        }
        assert!(Instant::now() < until, "{answer}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    hr.lock().unwrap().delay = Some(Duration::from_millis(250));
    let update =
        "mutation($i: StaffPhonesUpdateInput!) { staffPhonesUpdate(input: $i) { phones { mobile { effective } } userErrors { code } } }";
    let token = serving.token().await;
    for (n, card) in cards.iter().enumerate() {
        let input = json!({ "personId": card, "mobile": format!("+9053222200{n:02}"), "reason": "hattı değişti" });
        let answer = serving.ask_as(Some(&token), update, json!({ "i": input })).await;
        assert_eq!(answer["data"]["staffPhonesUpdate"]["userErrors"], json!([]), "{answer}");
    }
    let mut in_hand = 0;
    for _ in 0..5 {
        // Why after a request has arrived: it is being answered for a quarter of a second, and nobody will hear of it.
        let before = hr.lock().unwrap().asked.len();
        while hr.lock().unwrap().asked.len() == before {
            assert!(Instant::now() < until + Duration::from_secs(120));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        in_hand += 1;
        let folder = serving.killed();
        the_lease_runs_out(folder.path()).await;
        serving = Serving::start_in(folder, &environment);
    }
    let query = format!("query($id: ID!) {{ staffMember(by: {{ id: $id }}) {{ {PHONES} }} }}");
    let token = serving.token().await;
    let until = Instant::now() + Duration::from_secs(60);
    for (n, card) in cards.iter().enumerate() {
        loop {
            let answer = serving.ask_as(Some(&token), &query, json!({ "id": card })).await;
            let mobile = &answer["data"]["staffMember"]["phones"]["mobile"];
            assert_eq!(mobile["effective"], format!("+9053222200{n:02}"), "it counts all the while: {answer}");
            if mobile["standing"] == "TAKEN" {
                break;
            }
            assert!(Instant::now() < until, "never taken: {answer}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let asked = hr.lock().unwrap().asked.clone();
    let mut keys: std::collections::HashMap<&str, (&str, &Value)> = Default::default();
    for (no, key, body) in &asked {
        assert_eq!(*keys.entry(key).or_insert((no, body)), (no.as_str(), body), "a key means one change for ever");
    }
    assert_eq!(keys.len(), PEOPLE as usize, "one change, one key: {asked:?}");
    let people: std::collections::HashSet<&str> = keys.values().map(|(no, _)| *no).collect();
    assert_eq!(people.len(), PEOPLE as usize, "nobody is missing");
    assert!(asked.len() > keys.len() && asked.len() <= keys.len() + in_hand, "{} requests, {in_hand} kills", asked.len());
}

/// By hand, past Kimlik.
async fn give_title(serving: &Serving, username: &str, title: &str) {
    let directory = directory_of(serving).await;
    let account = directory.account_named(username).await.unwrap().unwrap();
    directory.hand_edit(account, Attribute::Title, Some(Held::text(title))).await.unwrap();
    directory.close().await;
}

const PHONES: &str = "phones { mobile { effective hr pending standing conflict } work { effective { number extension } standing } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http_a_change_is_seen_by_those_who_may_and_confirmed_by_the_simulated_ministry() {
    let serving = Serving::start(&[("KIMLIK__HR__POLL_SECONDS", "1"), ("KIMLIK__HR__SIMULATED__EVENTS_PER_STEP", "0")]);
    let people = people(&serving).await;
    let [username, card, _] = &people[0];
    let [other, other_card, _] = &people[1];
    give_password(&serving, username, PASSWORD).await;
    give_password(&serving, other, PASSWORD).await;
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
    let code = digits_in(of_code["text"].as_str().unwrap(), 6);
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

    let remove =
        format!("mutation($i: MobileRemoveInput!) {{ mobileRemove(input: $i) {{ {PHONES} userErrors {{ code path message }} }} }}");
    let wrong = ask(&own, &remove, json!({ "password": "Wrong-1-Password" })).await;
    assert_eq!(wrong["mobileRemove"]["userErrors"][0]["code"], "CREDENTIALS_WRONG", "{wrong}");
    let nobody = serving.ask_as(None, &remove, json!({ "i": { "password": PASSWORD } })).await;
    assert!(nobody["data"]["mobileRemove"].is_null() && nobody["errors"].is_null(), "{nobody}");
    let removed = ask(&own, &remove, json!({ "password": PASSWORD })).await;
    assert_eq!(removed["mobileRemove"]["phones"]["mobile"]["effective"], Value::Null, "{removed}");
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let seen = serving.ask_as(Some(&own), &record, json!({})).await;
        let mobile = &seen["data"]["staffMember"]["phones"]["mobile"];
        assert_eq!(mobile["effective"], Value::Null, "whatever HR says meanwhile: {seen}");
        if mobile["hr"].is_null() && mobile["standing"].is_null() {
            break;
        }
        assert!(Instant::now() < until, "HR never confirmed: {seen}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let nothing = ask(&own, &remove, json!({ "password": PASSWORD })).await;
    assert_eq!(nothing["mobileRemove"]["userErrors"][0]["code"], "ALREADY_DONE", "{nothing}");

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
    let people = people(&serving).await;
    let [username, ..] = &people[0];
    let [_, _, colleague] = &people[1];
    give_password(&serving, username, PASSWORD).await;
    give_title(&serving, username, "Bakan").await;
    let told = seen(&serving, "kart.mjs", "/kart", &[username, PASSWORD, colleague, &serving.token().await]).await;
    assert!(told["refusal"].as_str().unwrap().contains("yanlış"), "{told}");
    assert_eq!([&told["found"], &told["foundAgain"]], [&json!(colleague); 2], "also when coming back: {told}");
    assert_eq!(told["where"].as_str().unwrap().split(" · ").count(), 3, "title, unit and province: {told}");
    assert_eq!(told["overflow"], json!(vec![false; 13]), "{told}");
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
    assert_eq!((&told["mobile"], &told["work"]), (&json!("+90 555 999 00 01"), &json!("dahili 4321")), "{told}");
    assert!(told["units"].as_u64().unwrap() > 5, "{told}");
    assert_eq!(told["language"], "Identity card");
    let own = serving.sign_in(username, PASSWORD).await["session"]["accessToken"].as_str().unwrap().to_owned();
    let language = serving.ask_as(Some(&own), "{ viewer { language } }", json!({})).await;
    assert_eq!(language["data"]["viewer"]["language"], "EN", "what was chosen on the page is kept: {language}");
    assert_eq!(told["thoughtBetter"], "give-up-mobile", "the focus is where it was: {told}");
    assert!(told["notGivenUp"].as_str().unwrap().starts_with("Parola yanlış"), "{told}");
    assert_eq!((&told["noMobile"], &told["nothingToGiveUp"]), (&json!("yok"), &json!(true)), "{told}");
    assert_eq!(told["axe"].as_array().unwrap().len(), 13);
    let record = serving.ask(&format!("{{ staffMember(by: {{ username: \"{username}\" }}) {{ {PHONES} }} }}")).await;
    assert_eq!(record["data"]["staffMember"]["phones"]["mobile"]["effective"], Value::Null, "{record}");
    let messages = serving.ask("{ messages(first: 20) { nodes { purpose channel to } } }").await;
    let notices = messages["data"]["messages"]["nodes"].as_array().unwrap().iter().filter(|m| m["purpose"] == "MOBILE_REMOVED_NOTICE");
    let mut to: Vec<(&str, &str)> = notices.map(|m| (m["channel"].as_str().unwrap(), m["to"].as_str().unwrap())).collect();
    to.sort_unstable();
    assert!(to.len() == 2 && to[0].0 == "MAIL" && to[1].1.ends_with("01"), "the mail address, and the number that was given up: {to:?}");
}
