//! Forgotten passwords and locked accounts: against a real Active Directory with kinit as the judge; over HTTP and in Chromium
//! with the embedded one; and what a stranger can learn from the answers.
use crate::desk_lab::{ADDRESS, FIRST, Lab, SECOND, hr_says};
use crate::desk_page::{announced, seen};
use crate::surface::program::Serving;
use kimlik_adapters::system::SystemClock;
use kimlik_domain::message::Purpose;
use kimlik_domain::password::challenge::Begun;
use kimlik_domain::password::desk::Handed;
use kimlik_domain::password::{ChallengeKind, ChallengeRules, Refused, ResetProof, TicketPurpose};
use kimlik_domain::ports::{Clock as _, Store as _};
use kimlik_domain::staff::NationalId;
use kimlik_tests::ministry::national_id;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use uuid::Uuid;

fn rules(proof: ResetProof) -> ChallengeRules {
    ChallengeRules { proof, per_person: 9, ..ChallengeRules::default() }
}

impl Lab {
    async fn ask(&self, kind: ChallengeKind, username: &str, id: Option<u32>) -> Begun {
        let id = id.map(|n| NationalId::parse(&national_id(n)).unwrap());
        let begun = self.desk.ask(kind, username, id, ADDRESS).await.unwrap().unwrap();
        self.desk.answer_asked().await.unwrap();
        self.courier.round().await.unwrap();
        begun
    }
    async fn verify(&self, challenge: Uuid, code: &str) -> Result<Handed, Refused> {
        self.desk.verify(challenge, code, None, ADDRESS).await.unwrap()
    }
    /// Why the last that was asked got no code.
    async fn declined(&self) -> Option<String> {
        let events = self.store.audit_events(None, 200).await.unwrap();
        let last = events.into_iter().filter(|e| e.deed.starts_with("password.challenge")).max_by_key(|e| e.at)?;
        (last.deed == "password.challenge.decline").then_some(last.because)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forgotten_password_becomes_a_new_one_that_kerberos_takes_and_no_proof_counts_twice() {
    let lab = Lab::at_work(rules(ResetProof::SmsAndNationalId)).await;
    let before = lab.ask(ChallengeKind::Reset, "ayse.sahin", Some(1)).await;
    let old = lab.code(Purpose::ResetCode).await;
    let begun = lab.ask(ChallengeKind::Reset, "AYSE.SAHIN", Some(1)).await;
    let code = lab.code(Purpose::ResetCode).await;
    let nobody = lab.ask(ChallengeKind::Reset, "nobody.at.all", Some(1)).await;
    assert_eq!(lab.texts(Purpose::ResetCode).await.len(), 2, "nobody is sent nothing");
    assert_eq!(lab.verify(before.id, &old).await.err(), Some(Refused::CodeWrong), "another code voids the one before");
    assert_eq!(lab.verify(nobody.id, &code).await.err(), Some(Refused::CodeWrong), "a code belongs to its challenge");
    assert_eq!(lab.verify(Uuid::nil(), &code).await.err(), Some(Refused::CodeWrong));
    assert_eq!(lab.verify(begun.id, "").await.err(), Some(Refused::CodeWrong));
    let ticket = lab.verify(begun.id, &format!(" {}-{}", &code[..3], &code[3..])).await.unwrap();
    assert_eq!(ticket.purposes, [TicketPurpose::SetPassword]);
    assert_eq!(
        lab.desk.unlock(&ticket.token, &ticket.browser).await.unwrap().err(),
        Some(Refused::TicketSpent),
        "it is no ticket for that"
    );
    assert!(matches!(lab.set(&ticket, FIRST).await, Err(Refused::Broken { .. })), "the directory remembers the one that was forgotten");
    assert_eq!(lab.set(&ticket, SECOND).await, Ok(()));
    lab.samba.kinit("ayse.sahin", SECOND).expect("the new password works");
    lab.samba.kinit("ayse.sahin", FIRST).expect_err("the old one is refused");
    assert_eq!(lab.set(&ticket, FIRST).await, Err(Refused::TicketSpent), "a ticket counts once");
    assert_eq!(lab.verify(begun.id, &code).await.err(), Some(Refused::CodeWrong), "and so does a code");
    let told = lab.texts(Purpose::PasswordChangedNotice).await;
    assert!(told.len() == 1 && told[0].starts_with("ayse.sahin hesabinin parolasi degistirildi"), "{told:?}");

    let begun = lab.ask(ChallengeKind::Reset, "ayse.sahin", Some(1)).await;
    let code = lab.code(Purpose::ResetCode).await;
    for n in 0..5 {
        assert_eq!(lab.verify(begun.id, &format!("{n}")).await.err(), Some(Refused::CodeWrong));
    }
    assert_eq!(lab.verify(begun.id, &code).await.err(), Some(Refused::CodeWrong), "after five tries not even the right one counts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_served_gets_no_code_and_a_code_proves_nothing_once_the_number_has_changed() {
    let lab = Lab::at_work(rules(ResetProof::SmsAndNationalId)).await;
    let closed = "the account is closed, disabled, protected or not served here";
    for (attribute, value, normal) in
        [("userAccountControl", "514", "512"), ("userAccountControl", "262656", "512"), ("adminCount", "1", "0")]
    {
        for kind in [ChallengeKind::Reset, ChallengeKind::Unlock] {
            lab.account(attribute, value);
            lab.ask(kind, "ayse.sahin", Some(1)).await;
            assert_eq!(lab.declined().await.as_deref(), Some(closed), "{kind:?} {attribute} {value}");
            lab.account(attribute, normal);
        }
    }
    for id in [None, Some(2)] {
        lab.ask(ChallengeKind::Reset, "ayse.sahin", id).await;
        assert_eq!(lab.declined().await.as_deref(), Some("the national id is another one"));
    }
    assert_eq!(lab.texts(Purpose::ResetCode).await.len(), 0);
    let begun = lab.ask(ChallengeKind::Reset, "ayse.sahin", Some(1)).await;
    let code = lab.code(Purpose::ResetCode).await;
    lab.ministry.clock.set_to(SystemClock.now());
    hr_says(&lab.ministry, "05321110002").await;
    assert_eq!(lab.verify(begun.id, &code).await.err(), Some(Refused::CodeWrong), "the code went to a number that does not count any more");
    lab.ask(ChallengeKind::Reset, "ayse.sahin", Some(1)).await;
    assert_eq!(lab.declined().await.as_deref(), Some("the mobile was changed a short while ago"), "HR's changes cool off, too");
    assert_eq!(lab.texts(Purpose::ResetCode).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_wrong_passwords_locked_is_unlocked_and_nobody_is_enabled_by_it() {
    let lab = Lab::at_work(rules(ResetProof::Sms)).await;
    for _ in 0..4 {
        lab.samba.kinit("ayse.sahin", "Yanlis-1-Parola").expect_err("wrong");
    }
    lab.samba.kinit("ayse.sahin", FIRST).expect_err("it is locked");
    let begun = lab.ask(ChallengeKind::Unlock, "ayse.sahin", None).await;
    let ticket = lab.verify(begun.id, &lab.code(Purpose::UnlockCode).await).await.unwrap();
    assert_eq!(ticket.purposes, [TicketPurpose::Unlock]);
    assert_eq!(lab.set(&ticket, SECOND).await, Err(Refused::TicketSpent), "unlocking sets no password");
    lab.desk.unlock(&ticket.token, &ticket.browser).await.unwrap().unwrap();
    lab.samba.kinit("ayse.sahin", FIRST).expect("unlocked, with the password that it had");
    assert_eq!(lab.desk.unlock(&ticket.token, &ticket.browser).await.unwrap().err(), Some(Refused::TicketSpent));

    let begun = lab.ask(ChallengeKind::Unlock, "ayse.sahin", None).await;
    let ticket = lab.verify(begun.id, &lab.code(Purpose::UnlockCode).await).await.unwrap();
    lab.account("userAccountControl", "514");
    assert_eq!(lab.desk.unlock(&ticket.token, &ticket.browser).await.unwrap().err(), Some(Refused::TicketSpent), "disabled meanwhile");
    assert_eq!(lab.shown("userAccountControl").as_deref(), Some("514"));
}

// ------------------------------------------------------------------------------------------------------- over HTTP

const START: &str = "mutation($input: PasswordResetStartInput!) { passwordResetStart(input: $input) { \
    challenge { id expiresAt resendAfter codeLength } userErrors { code path message } } }";
const VERIFY: &str =
    "mutation($input: ChallengeVerifyInput!) { challengeVerify(input: $input) { ticket { token } userErrors { code path message } } }";

/// What a stranger sees of an answer, the time of day aside.
#[derive(PartialEq, Eq, Debug)]
struct Answer {
    headers: std::collections::BTreeSet<String>,
    text: String,
}

/// The answer as its octets, asked from an address of its own, and how long it took.
async fn raw(client: &reqwest::Client, serving: &Serving, query: &str, input: Value, from: u32) -> (Answer, Duration) {
    let body = json!({ "query": query, "variables": { "input": input } }).to_string();
    let address = format!("10.{}.{}.7", from / 250, from % 250);
    let request = client.post(serving.url("/graphql")).header("content-type", "application/json").header("x-forwarded-for", address);
    // Why a foreign host: no header of a request becomes part of a text or an answer.
    let request = request.header("x-forwarded-host", "boz.test").body(body);
    let began = Instant::now();
    let answer = request.send().await.unwrap();
    let headers = answer.headers().iter().filter(|(name, _)| *name != "date").map(|(name, value)| format!("{name}: {value:?}")).collect();
    let text = answer.text().await.unwrap();
    (Answer { headers, text }, began.elapsed())
}

/// Of sorted times, the largest distance of their distributions.
fn kolmogorov_smirnov(a: &[Duration], b: &[Duration]) -> f64 {
    let share = |of: &[Duration], at: &Duration| {
        f64::from(u32::try_from(of.partition_point(|t| t <= at)).unwrap()) / f64::from(u32::try_from(of.len()).unwrap())
    };
    a.iter().chain(b).map(|at| (share(a, at) - share(b, at)).abs()).fold(0.0, f64::max)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_learns_neither_from_the_answer_nor_from_its_size_nor_from_its_time_who_there_is() {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let proxies = ("KIMLIK__SESSIONS__TRUSTED_PROXIES", "[\"127.0.0.1\"]");
    let serving = Serving::start(&[("KIMLIK__PASSWORD__RESET_PROOF", "sms"), proxies]);
    let (known, _) = announced(&serving).await;
    let client = reqwest::Client::new();
    let names = [known.as_str(), "yonetici", "nobody.at.all"];
    let mut shapes = std::collections::BTreeSet::new();
    let mut decoy = String::new();
    let mut told_apart = 0;
    // For 120 and 120: p = 0.001 at a distance of 0.25. Why a second time: chance tells them apart once in five hundred, and what
    // can be told apart can be twice.
    while told_apart < 2 {
        let mut times: [Vec<Duration>; 3] = Default::default();
        // In turns, so that whatever else the machine does falls on each of them alike.
        for n in told_apart * 120..(told_apart + 1) * 120_u32 {
            for (class, name) in names.iter().enumerate() {
                let from = n * 3 + u32::try_from(class).unwrap();
                let (Answer { headers, text }, took) = raw(&client, &serving, START, json!({ "username": name }), from).await;
                let answer: Value = serde_json::from_str(&text).unwrap();
                let challenge = &answer["data"]["passwordResetStart"]["challenge"];
                let id = challenge["id"].as_str().unwrap_or_else(|| panic!("{text}")).to_owned();
                let whole = |key: &str| challenge[key].as_str().unwrap().to_owned();
                let shape = text.replace(&id, "id").replace(&whole("expiresAt"), "at").replace(&whole("resendAfter"), "at");
                shapes.insert((headers, text.len(), shape));
                times[class].push(took);
                if class == 2 {
                    decoy = id;
                }
            }
        }
        assert_eq!(shapes.len(), 1, "{shapes:?}");
        times.iter_mut().for_each(|times| times.sort());
        let median = |times: &[Duration]| times[times.len() / 2];
        let distances = [kolmogorov_smirnov(&times[0], &times[2]), kolmogorov_smirnov(&times[1], &times[2])];
        println!("medians {:?}, KS {distances:?}", times.each_ref().map(|t| median(t)));
        if distances.iter().all(|d| *d < 0.25) {
            break;
        }
        told_apart += 1;
    }
    assert!(told_apart < 2, "they can be told apart by the time that they take");

    let (of_nobody, _) = raw(&client, &serving, VERIFY, json!({ "challengeId": decoy, "code": "123456" }), 900).await;
    let (of_none, _) = raw(&client, &serving, VERIFY, json!({ "challengeId": "challenge_0", "code": "123456" }), 901).await;
    assert_eq!(of_nobody, of_none);
    assert!(of_nobody.text.contains("CODE_WRONG"), "{of_nobody:?}");
    let sent = serving.ask("{ messages(first: 50) { nodes { purpose text } } }").await.to_string();
    assert!(!sent.contains("boz.test"), "{sent}");
    let resets = sent.matches("RESET_CODE").count();
    assert!((1..=5).contains(&resets), "120 questions about one person are at most five codes: {resets}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_asks_for_sixty_people_and_no_more() {
    let serving = Serving::start(&[("KIMLIK__PASSWORD__RESET_PROOF", "sms")]);
    let ask = |n: u32| serving.ask_as(None, START, json!({ "input": { "username": format!("n{n}") } }));
    for n in 0..60 {
        assert!(ask(n).await["data"]["passwordResetStart"]["challenge"]["id"].is_string());
    }
    let refused = ask(60).await;
    assert_eq!(refused["data"]["passwordResetStart"]["userErrors"][0]["code"], "RATE_LIMITED", "{refused}");
    let empty = serving.ask_as(None, START, json!({ "input": { "username": " " } })).await;
    assert_eq!(empty["data"]["passwordResetStart"]["userErrors"][0]["path"], json!(["username"]), "{empty}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_who_has_forgotten_the_password_finds_the_way_on_a_telephone_and_unlocks_on_a_desktop() {
    let serving = Serving::start(&[("KIMLIK__PASSWORD__RESET_PROOF", "sms")]);
    let (name, _) = announced(&serving).await;
    let told = seen(&serving, "forgotten.mjs", "/parola", &[&name, SECOND, &serving.token().await]).await;
    assert!(told["wrongCode"].as_str().unwrap().starts_with("Kod yanlış"), "{told}");
    assert!(told["done"].as_str().unwrap().contains("Parolanız değişti"), "{told}");
    assert!(told["unlocked"].as_str().unwrap().contains("Your account is unlocked"), "{told}");
    assert_eq!(told["overflow"], json!(false), "{told}");
    assert_eq!(serving.sign_in(&name, SECOND).await["userErrors"], json!([]));
}
