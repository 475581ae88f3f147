//! Letters over a real mail server: what arrives is what was written, what was refused is told by kind, and nothing else is said.
use crate::surface::program::{Serving, run, text};
use chrono::{DateTime, TimeDelta, Utc};
use kimlik_adapters::mail::{Security, Smtp, SmtpSettings};
use kimlik_adapters::store::SqlStore;
use kimlik_adapters::system::OsEntropy;
use kimlik_domain::health::Health;
use kimlik_domain::id::{MessageId, PersonId};
use kimlik_domain::message::courier::{Courier, CourierRules};
use kimlik_domain::message::{
    Channel, Language, MailAddress, MessageState, NewMessage, Notice, Purpose, Recipient, Telling, Templates, notices,
};
use kimlik_domain::ports::{Accepted, Clock as _, Gateway, Inspect, Outbox as _, Parcel, PortError, PortResult, Refusal, Store as _};
use kimlik_tests::fakes::TestClock;
use kimlik_tests::kannel::free_port;
use kimlik_tests::mail_server::{MailServer, PASSWORD, Received, USER};
use kimlik_tests::ministry::keys;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

fn crypto() {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
}

fn settings(server: &MailServer, security: Security) -> SmtpSettings {
    crypto();
    let secure = security != Security::Plain;
    SmtpSettings {
        host: "127.0.0.1".into(),
        port: server.port,
        security,
        user: if secure { USER.into() } else { String::new() },
        password: secure.then(|| PASSWORD.to_owned().into()),
        from: "kimlik@csb.test".into(),
        from_name: "Bakanlık Kimlik".into(),
        ca_pem: secure.then(|| server.certificate()),
        timeout: Duration::from_secs(10),
    }
}

async fn send(gateway: &Smtp, to: &str, subject: &str, text: &str) -> PortResult<Accepted> {
    let to: Recipient = MailAddress::parse(to).unwrap().into();
    let parcel = Parcel {
        reference: MessageId(Uuid::from_u128(7)),
        to: &to,
        subject,
        text,
        purpose: Purpose::PasswordExpiring,
        valid_until: None,
        at: "2026-11-28T06:00:00Z".parse().unwrap(),
    };
    gateway.send(&parcel).await
}

fn arrived(server: &MailServer, count: usize) -> Vec<Received> {
    let began = Instant::now();
    while server.received().len() < count {
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", server.received());
        std::thread::sleep(Duration::from_millis(20));
    }
    server.received()
}

const SUBJECT: &str = "Parolanızın süresi doluyor: İĞÜŞÖÇ ığüşöç — çok çok çok çok çok çok çok çok çok uzun bir konu 😀";
const TEXT: &str = "Merhaba Ayşe,\n\nİlk satır.\n.\n.nokta ile\n\n----\nSon satır: ığdır & 100%\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_arrives_as_it_was_written_over_each_kind_of_tls() {
    for (word, security) in [("tls", Security::Tls), ("start_tls", Security::StartTls), ("none", Security::Plain)] {
        let server = MailServer::start(word);
        let gateway = Smtp::new(settings(&server, security)).unwrap();
        for _ in 0..3 {
            send(&gateway, "ayse.sahin@csb.test", SUBJECT, TEXT).await.unwrap();
        }
        let letters = arrived(&server, 3);
        for letter in &letters {
            assert_eq!((letter.subject.as_str(), letter.text.replace("\r\n", "\n").as_str()), (SUBJECT, TEXT), "{word}");
            assert_eq!((letter.from.as_str(), letter.to.as_slice()), ("kimlik@csb.test", &["ayse.sahin@csb.test".to_owned()][..]));
            assert_eq!(letter.sender, "Bakanlık Kimlik <kimlik@csb.test>");
            assert_eq!(letter.id, "<00000000-0000-0000-0000-000000000007@csb.test>", "the same letter keeps its name");
            assert_eq!((letter.tls, letter.user.as_deref()), (word != "none", (word != "none").then_some(USER)), "{word}");
            assert_eq!(letter.defects, [] as [&str; 0]);
        }
        assert_eq!(gateway.inspect().await[0].health(), Health::Good, "{:?}", gateway.inspect().await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_value_becomes_a_header_or_a_command() {
    let server = MailServer::start("none");
    let gateway = Smtp::new(settings(&server, Security::Plain)).unwrap();
    let attacks = ["x\r\nBcc: casus@csb.test", "x\nBcc: casus@csb.test\n\ngövde", "ş\r\n\r\n.\r\nMAIL FROM:<a@b.test>"];
    for subject in attacks {
        send(&gateway, "ayse.sahin@csb.test", subject, "metin\r\n.\r\nMAIL FROM:<casus@csb.test>\r\n").await.unwrap();
    }
    let letters = arrived(&server, attacks.len());
    assert_eq!(letters.len(), attacks.len());
    for letter in letters {
        assert_eq!(letter.to, ["ayse.sahin@csb.test"]);
        assert_eq!(letter.headers.iter().filter(|h| h.eq_ignore_ascii_case("bcc")).count(), 0, "{:?}", letter.headers);
        assert!(letter.text.contains("MAIL FROM"), "the text stays text: {:?}", letter.text);
    }
}

/// A word for what the port says.
fn class(result: &PortResult<Accepted>) -> &'static str {
    match result {
        Ok(_) => "taken",
        Err(PortError::Unavailable(_)) => "later",
        Err(PortError::InDoubt(_)) => "doubt",
        Err(PortError::Refused { refusal: Refusal::Undeliverable, .. }) => "address",
        Err(PortError::Refused { refusal: Refusal::Rights, .. }) => "rights",
        Err(PortError::Refused { refusal: Refusal::Value, .. }) => "letter",
        Err(PortError::Refused { .. }) => "fault",
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_server_says_is_understood_and_its_words_are_not_repeated() {
    let server = MailServer::start("tls");
    let gateway = Smtp::new(SmtpSettings { timeout: Duration::from_secs(5), ..settings(&server, Security::Tls) }).unwrap();
    let table = [
        ("ayse", "taken"),
        ("yok", "address"),
        ("yasak", "rights"),
        ("sonra", "later"),
        ("kotu", "letter"),
        ("dolu", "later"),
        ("kopuk", "doubt"),
        ("yavas", "doubt"),
        // A connection that was kept is of use after each of them.
        ("ayse", "taken"),
    ];
    for (word, means) in table {
        let answered = send(&gateway, &format!("{word}.sahin@csb.test"), "Konu", "gizli metin").await;
        assert_eq!(class(&answered), means, "{word}: {answered:?}");
        let said = format!("{answered:?}");
        for secret in ["sahin", "gizli", PASSWORD, USER] {
            assert!(!said.contains(secret), "{said}");
        }
    }
    assert_eq!(arrived(&server, 4).len(), 4, "two were taken, two are in doubt");
    assert!(gateway.may_repeat(), "the same letter has the same name");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_away_wrong_or_a_strangers_gets_no_letter() {
    let mut server = MailServer::start("tls");
    let with = |change: &dyn Fn(&mut SmtpSettings)| {
        let mut changed = settings(&server, Security::Tls);
        change(&mut changed);
        Smtp::new(changed).unwrap()
    };
    let wrong = with(&|s| s.password = Some("yanlis".to_owned().into()));
    let stranger = with(&|s| s.ca_pem = None);
    let no_tls = with(&|s| s.security = Security::StartTls);
    let right = with(&|_| {});
    for (gateway, means) in [(&wrong, "rights"), (&stranger, "later"), (&no_tls, "later")] {
        let answered = send(gateway, "ayse.sahin@csb.test", "Konu", "metin").await;
        assert_eq!(class(&answered), means, "{answered:?}");
        let found = gateway.inspect().await.remove(0);
        assert_eq!(found.health(), Health::Broken);
        assert!(!found.found(Language::En).contains("yanlis") && !found.mend(Language::En).is_empty(), "{found:?}");
    }
    assert_eq!(server.received().len(), 0);
    server.stop();
    let away = send(&right, "ayse.sahin@csb.test", "Konu", "metin").await;
    assert_eq!(class(&away), "later", "{away:?}");

    let plain = MailServer::start("none");
    let asks_for_tls = Smtp::new(settings(&plain, Security::StartTls)).unwrap();
    let answered = send(&asks_for_tls, "ayse.sahin@csb.test", "Konu", "metin").await;
    assert_eq!((class(&answered), plain.received().len()), ("fault", 0), "no TLS, no letter: {answered:?}");
    let abroad = SmtpSettings { host: "mail.csb.test".into(), ..settings(&plain, Security::Plain) };
    assert!(Smtp::new(abroad).is_err(), "without TLS only on loopback");
    assert!(Smtp::new(SmtpSettings { from: "a@b.test\r\nRCPT TO:<x@y.test>".into(), ..settings(&plain, Security::Plain) }).is_err());
    let nobody = SmtpSettings { port: free_port(), ..settings(&plain, Security::Plain) };
    assert_eq!(class(&send(&Smtp::new(nobody).unwrap(), "a@b.test", "x", "y").await), "later");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_away_gets_the_letters_over_a_new_connection() {
    let server = MailServer::start("start_tls");
    let gateway = Smtp::new(settings(&server, Security::StartTls)).unwrap();
    send(&gateway, "ayse.sahin@csb.test", "1", "metin").await.unwrap();
    let server = server.again();
    send(&gateway, "ayse.sahin@csb.test", "2", "metin").await.unwrap();
    let subjects: Vec<String> = arrived(&server, 2).into_iter().map(|l| l.subject).collect();
    assert_eq!(subjects, ["1", "2"]);
}

/// To the n-th person.
fn letter(n: u32, telling: &Telling<'_>, valid_until: Option<DateTime<Utc>>) -> (PersonId, NewMessage) {
    let mut texts = Templates::new("https://parola.csb.test", Language::Tr);
    texts.carries_mail = true;
    let to = Notice { mobile: None, mail: Some(&format!("kisi{n}@csb.test")), occasion: "1".into(), language: None, valid_until };
    let mut made = notices(&texts, telling, &to, || Uuid::from_u128(0x700 + u128::from(n)));
    (PersonId(Uuid::from_u128(u128::from(n))), made.remove(0))
}

/// As in a process of its own: nothing of what waits is in anybody's memory.
async fn postman(url: &str, server: SmtpSettings, clock: &Arc<TestClock>) -> Courier {
    let store = Arc::new(SqlStore::connect(url, keys()).await.unwrap());
    Courier {
        outbox: store.clone(),
        store,
        channel: Channel::Mail,
        gateways: vec![Arc::new(Smtp::new(server).unwrap())],
        clock: clock.clone(),
        entropy: Arc::new(OsEntropy),
        rules: CourierRules { hours: (0, 24), daily_limit: 20, ..CourierRules::default() },
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_server_that_is_away_for_an_hour_gets_every_letter_once_and_none_that_has_lost_its_meaning() {
    let mut server = MailServer::start("start_tls");
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("kimlik.db").display());
    let store = Arc::new(SqlStore::connect(&url, keys()).await.unwrap());
    store.migrate().await.unwrap();
    // 23:30 in Türkiye: a day ends within the hour.
    let clock = Arc::new(TestClock::at("2026-11-28".parse().unwrap()));
    let began: DateTime<Utc> = "2026-11-28T20:30:00Z".parse().unwrap();
    clock.set_to(began);
    let first = postman(&url, settings(&server, Security::StartTls), &clock).await;
    let notice = Telling::PasswordChangedNotice { username: "ayse.sahin" };
    let reminder = Telling::PasswordExpiring { username: "ayse.sahin", days: 3 };
    let digest = Telling::IssueDigest { count: 2, blocking: 1, overdue: 0, issues: "- bir\n" };
    let hours = |n| Some(began + TimeDelta::hours(n));
    let mut all: Vec<_> = (1..=6).map(|n| letter(n, &notice, hours(48))).collect();
    all.extend((11..=14).map(|n| letter(n, &reminder, hours(72))));
    all.push(letter(21, &reminder, Some(began + TimeDelta::minutes(40))));
    all.push(letter(22, &digest, Some("2026-11-28T21:00:00Z".parse().unwrap())));
    store.queue_messages(&all, began).await.unwrap();

    server.stop();
    let (mut rounds, mut alarms, mut other) = (0, Vec::new(), None);
    while clock.now() < began + TimeDelta::hours(1) {
        if clock.now() > began + TimeDelta::minutes(30) && other.is_none() {
            // Another process goes on; somebody has a new password by now.
            other = Some(postman(&url, settings(&server, Security::StartTls), &clock).await);
            let (person, changed) = letter(14, &notice, hours(48));
            let changed = NewMessage { id: MessageId(Uuid::from_u128(9)), ..changed };
            store.queue_messages(&[(person, changed)], clock.now()).await.unwrap();
        }
        let round = other.as_ref().unwrap_or(&first).round().await.unwrap();
        assert_eq!(round.sent, 0);
        alarms.extend(round.alarms);
        rounds += 1;
        clock.pass(TimeDelta::seconds(10));
    }
    for message in store.messages(None, 99).await.unwrap().iter().filter(|m| m.state == MessageState::Queued) {
        let most = if message.purpose.is_urgent() { 64 } else { 12 };
        assert!((2..=most).contains(&message.attempts), "{message:?}: tried {} times in {rounds} rounds", message.attempts);
    }
    let server = server.again();
    let second = other.unwrap();
    for _ in 0..100 {
        alarms.extend(second.round().await.unwrap().alarms);
        clock.pass(TimeDelta::seconds(10));
    }
    assert_eq!(alarms, [] as [&str; 0], "what could not be tried does not count towards the daily limit");
    let all = store.messages(None, 99).await.unwrap();
    let stand = |state: MessageState| -> BTreeSet<(u128, &str)> {
        all.iter().filter(|m| m.state == state).map(|m| (m.person.0.as_u128(), m.purpose.name())).collect()
    };
    let notices = [1, 2, 3, 4, 5, 6, 14].map(|n| (n, "password_changed_notice"));
    let reminders = [11, 12, 13].map(|n| (n, "password_expiring"));
    assert_eq!(stand(MessageState::Sent), notices.into_iter().chain(reminders).collect(), "{all:?}");
    let voided = [(14, "password_expiring"), (21, "password_expiring"), (22, "issue_digest")];
    assert_eq!(stand(MessageState::Voided), voided.into(), "another password; the end of one; another day: {all:?}");
    assert!(all.iter().all(|m| m.text.is_none()), "nobody needs them any more");
    let arrived = arrived(&server, 10);
    let names: BTreeSet<&str> = arrived.iter().map(|l| l.id.as_str()).collect();
    assert_eq!((arrived.len(), names.len()), (10, 10), "each once");
}

/// User name and code of somebody whose account was announced.
async fn announced(serving: &Serving) -> (String, String) {
    serving.at_rest().await;
    let began = Instant::now();
    loop {
        let answer = serving.ask("{ messages(first: 5) { nodes { purpose text } } }").await;
        let nodes = answer["data"]["messages"]["nodes"].as_array().cloned().unwrap_or_default();
        let text = nodes.iter().find(|m| m["purpose"] == "ACCOUNT_OPENED").and_then(|m| m["text"].as_str()).unwrap_or_default().to_owned();
        let words: Vec<&str> = text.split_whitespace().collect();
        let code = words.iter().map(|w| w.trim_matches(|c: char| !c.is_ascii_digit())).find(|w| w.len() == 8);
        let name = words.iter().find(|w| w.contains('@')).map(|w| w.split('@').next().unwrap());
        if let (Some(code), Some(name)) = (code, name) {
            return (name.to_owned(), code.to_owned());
        }
        assert!(began.elapsed() < Duration::from_secs(60), "nobody was told: {answer}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn letters(serving: &Serving) -> Vec<Value> {
    let answer = serving.ask("{ messages(first: 100) { nodes { channel purpose state to subject text gateway attempts } } }").await;
    let nodes = answer["data"]["messages"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}")).clone();
    nodes.into_iter().filter(|m| m["channel"] == "MAIL").collect()
}

const FIRST: &str = "Yagmur-7-Tren-Limon";
const SECOND: &str = "Kirmizi-8-Vapur-Ceviz";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_password_is_told_by_text_and_by_letter_once_though_the_mail_server_was_away() {
    let mut server = MailServer::start("start_tls");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("kimlik.toml"), server.settings()).unwrap();
    let doctor = run(folder.path(), &["doctor"], &[]);
    let said = text(&doctor.stdout);
    assert!(said.contains("e-mail gateway smtp, 127.0.0.1") && said.contains("over TLS, and takes the password"), "{said}");
    let serving = Serving::start_in(folder, &[]);
    let (name, code) = announced(&serving).await;
    server.stop();
    // The cookie of the browser binds the ticket: one client for both.
    let client = reqwest::Client::new();
    let mut cookie = String::new();
    let mut ask = async |query: &str, input: Value| -> Value {
        let body = json!({ "query": query, "variables": { "i": input } }).to_string();
        let mut request = client.post(serving.url("/graphql")).header("content-type", "application/json").body(body);
        if !cookie.is_empty() {
            request = request.header("cookie", &cookie);
        }
        let answer = request.send().await.unwrap();
        if let Some(set) = answer.headers().get("set-cookie") {
            set.to_str().unwrap().split(';').next().unwrap().clone_into(&mut cookie);
        }
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    };
    let activate = "mutation($i: AccountActivateInput!) { accountActivate(input: $i) { ticket { token } userErrors { code } } }";
    let right = ask(activate, json!({ "username": name, "code": code })).await;
    let ticket = right["data"]["accountActivate"]["ticket"]["token"].as_str().unwrap_or_else(|| panic!("{right}")).to_owned();
    let set = "mutation($i: PasswordSetInput!) { passwordSet(input: $i) { done userErrors { code } } }";
    assert_eq!(ask(set, json!({ "ticket": ticket, "newPassword": FIRST })).await["data"]["passwordSet"]["done"], true);
    let change = "mutation($i: PasswordChangeInput!) { passwordChange(input: $i) { done userErrors { code } } }";
    let changed = ask(change, json!({ "username": name, "currentPassword": FIRST, "newPassword": SECOND })).await;
    assert_eq!(changed["data"]["passwordChange"]["done"], true, "{changed}");

    let began = Instant::now();
    let waiting = loop {
        let letters = letters(&serving).await;
        // Why the state too: the next attempt may just be under way.
        if letters.first().is_some_and(|m| m["attempts"].as_u64() > Some(0) && m["state"] == "QUEUED") {
            break letters;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{letters:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!((waiting.len(), &waiting[0]["purpose"], &waiting[0]["state"]), (1, &json!("PASSWORD_CHANGED_NOTICE"), &json!("QUEUED")));
    assert!(waiting[0]["to"].as_str().unwrap().starts_with(&format!("{}***@", &name[..1])), "{waiting:?}");
    let began = Instant::now();
    loop {
        let unwell = serving.ask("{ systemHealth { findings { about health found } } }").await.to_string();
        if unwell.contains("no connection to the mail server") {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{unwell}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }

    let server = server.again();
    let arrived = arrived(&server, 1);
    assert_eq!(arrived[0].subject, "Parolanız değiştirildi");
    assert!(arrived[0].text.contains(&name) && arrived[0].to[0].starts_with(&name), "{arrived:?}");
    assert!(!arrived[0].text.contains(SECOND) && !arrived[0].text.contains(&code));
    let began = Instant::now();
    while letters(&serving).await[0]["state"] != "SENT" {
        assert!(began.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let sent = letters(&serving).await.remove(0);
    assert_eq!(
        (&sent["text"], &sent["subject"], &sent["gateway"]),
        (&Value::Null, &Value::Null, &json!("smtp")),
        "nobody needs them any more"
    );
    assert_eq!(server.received().len(), 1);
}
