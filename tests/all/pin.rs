//! A PIN beside the code, where the ministry asks for one: against a real Active Directory, with kinit as the judge.
use crate::desk_lab::{ADDRESS, FIRST, Lab, SECOND, digits_in, secret};
use crate::desk_page::{announced, seen};
use crate::surface::program::Serving;
use kimlik_domain::message::Purpose;
use kimlik_domain::password::desk::Handed;
use kimlik_domain::password::{ChallengeKind, ChallengeRules, Pin, Refused, ResetProof};
use kimlik_domain::ports::Store as _;
use serde_json::json;
use uuid::Uuid;

const PIN: &str = "735192";
const OTHER: &str = "840617";

fn pin(text: &str) -> Pin {
    Pin::choose(text).unwrap()
}

impl Lab {
    async fn begun(&self, kind: ChallengeKind) -> (Uuid, String) {
        let begun = self.desk.ask(kind, "ayse.sahin", None, ADDRESS).await.unwrap().unwrap();
        self.desk.answer_asked().await.unwrap();
        self.courier.round().await.unwrap();
        (begun.id, self.code(kind.purpose()).await)
    }
    async fn proven(&self, (challenge, code): &(Uuid, String), typed: Option<&str>) -> Result<Handed, Refused> {
        let typed = typed.map(Pin::typed);
        self.desk.verify(*challenge, code, typed.as_ref(), ADDRESS).await.unwrap()
    }
    async fn set_with(&self, ticket: &Handed, new: &str, typed: Option<&str>) -> Result<(), Refused> {
        let typed = typed.map(pin);
        self.desk.set(&ticket.token, &ticket.browser, &secret(new), typed.as_ref(), None).await.unwrap().map(drop)
    }
    async fn change_pin(&self, password: &str, new: &str) -> Result<(), Refused> {
        self.desk.set_pin("ayse.sahin", &secret(password), &pin(new), ADDRESS).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_s_pin_is_asked_beside_the_code_and_the_one_without_the_other_opens_nothing() {
    let rules = ChallengeRules { proof: ResetProof::SmsAndPin, per_person: 20, per_number: 20, ..ChallengeRules::default() };
    let lab = Lab::newcomer_under(rules).await;
    let first = digits_in(&lab.texts(Purpose::AccountOpened).await[0], 8);
    let ticket = lab.desk.activate("ayse.sahin", &first, ADDRESS).await.unwrap().unwrap();
    assert_eq!(lab.set_with(&ticket, FIRST, None).await, Err(Refused::PinMissing), "the policy wants one");
    lab.samba.kinit("ayse.sahin", FIRST).expect_err("and without it there is no password either");
    assert_eq!(lab.set_with(&ticket, FIRST, Some(PIN)).await, Ok(()));
    lab.samba.kinit("ayse.sahin", FIRST).unwrap();

    let begun = lab.begun(ChallengeKind::Reset).await;
    for wrong in [None, Some(""), Some(OTHER), Some("7351920")] {
        assert_eq!(lab.proven(&begun, wrong).await.err(), Some(Refused::CodeWrong), "{wrong:?}");
    }
    let ticket = lab.proven(&begun, Some(" 735 192 ")).await.unwrap();
    assert_eq!(lab.set_with(&ticket, SECOND, Some(OTHER)).await, Err(Refused::PinNotHere), "a code does not change the PIN");
    assert_eq!(lab.set_with(&ticket, SECOND, None).await, Ok(()));
    lab.samba.kinit("ayse.sahin", SECOND).unwrap();

    // A stranger with the mobile and without the PIN: five tries, whoever's codes they come with.
    let mut tries = 0;
    while tries < 5 {
        let begun = lab.begun(ChallengeKind::Reset).await;
        for _ in 0..3 {
            assert_eq!(lab.proven(&begun, Some(OTHER)).await.err(), Some(Refused::CodeWrong));
            tries += 1;
        }
    }
    let sent = lab.texts(Purpose::ResetCode).await.len();
    lab.desk.ask(ChallengeKind::Reset, "ayse.sahin", None, ADDRESS).await.unwrap().unwrap();
    lab.desk.answer_asked().await.unwrap();
    assert_eq!(lab.texts(Purpose::ResetCode).await.len(), sent, "after five wrong ones in a row no code goes out");

    assert_eq!(lab.change_pin("Yanlis-1-Parola-Iste", OTHER).await, Err(Refused::CredentialsWrong));
    assert_eq!(lab.change_pin(SECOND, OTHER).await, Ok(()), "whoever knows the password sets another one");
    let told = lab.told(Purpose::PinChangedNotice).await;
    assert!(told.len() == 1 && told[0].1.contains("PIN kodu degistirildi"), "{told:?}");
    let begun = lab.begun(ChallengeKind::Unlock).await;
    assert_eq!(lab.proven(&begun, Some(PIN)).await.err(), Some(Refused::CodeWrong), "the one before does not count");
    assert!(lab.proven(&begun, Some(OTHER)).await.is_ok(), "and its tries are forgotten");

    let events = format!("{:?}", lab.store.audit_events(None, 300).await.unwrap());
    assert!(events.contains("pin.set") && !events.contains(PIN) && !events.contains(OTHER), "no PIN is in the audit");
    for file in ["kimlik.db", "kimlik.db-wal"] {
        let octets = std::fs::read(lab.ministry.path().join(file)).unwrap_or_default();
        let holds = |digits: &str| octets.windows(digits.len()).any(|part| part == digits.as_bytes());
        assert!(!holds(PIN) && !holds(OTHER), "{file} holds a PIN as it was typed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_no_pin_is_sent_no_code_and_is_helped_by_an_officer() {
    use kimlik_domain::access::{Caller, Who};
    use kimlik_domain::password::officer::{ResetWish, Verified};
    let lab = Lab::at_work(ChallengeRules { proof: ResetProof::SmsAndPin, ..ChallengeRules::default() }).await;
    lab.desk.ask(ChallengeKind::Reset, "ayse.sahin", None, ADDRESS).await.unwrap().unwrap();
    lab.desk.answer_asked().await.unwrap();
    assert_eq!(lab.texts(Purpose::ResetCode).await.len(), 0);
    let officer =
        Caller { who: Who::Account(kimlik_domain::id::AccountGuid(Uuid::from_u128(9))), name: "memur".into(), ..Caller::default() };
    let person = lab.ministry.person("S001").await.person.id;
    let wish = ResetWish { person, verified: Verified::InPerson, reason: "kimlik kartıyla geldi".into() };
    lab.desk.send_reset(&officer, &wish).await.unwrap().unwrap();
    lab.courier.round().await.unwrap();
    let code = lab.code(Purpose::ResetCode).await;
    let ticket = lab.desk.redeem("ayse.sahin", &code, ADDRESS).await.unwrap().unwrap();
    assert_eq!(lab.set(&ticket, SECOND).await, Ok(()), "the officer is the second proof");
    assert_eq!(lab.change_pin(SECOND, PIN).await, Ok(()));
    assert_eq!(lab.proven(&lab.begun(ChallengeKind::Reset).await, Some(PIN)).await.map(drop), Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_page_a_newcomer_chooses_a_pin_changes_it_and_is_asked_for_it() {
    let serving = Serving::start(&[("KIMLIK__PASSWORD__RESET_PROOF", "sms+pin")]);
    let (name, code) = announced(&serving).await;
    let told = seen(&serving, "pin.mjs", "/parola", &[&name, &code, FIRST, SECOND, &serving.token().await]).await;
    let text = |key: &str| told[key].as_str().unwrap_or_else(|| panic!("{key}: {told}")).to_owned();
    assert_eq!(text("differ"), "İki PIN aynı değil.");
    assert!(text("easy").contains("ilk denenecekler"), "{told}");
    assert!(text("done").contains("Parolanız değişti"), "{told}");
    assert!(text("wrongPassword").contains("parola yanlış"), "{told}");
    assert!(text("changed").contains("PIN kodunuz değişti"), "{told}");
    assert!(text("wrongPin").starts_with("Kod veya PIN yanlış"), "{told}");
    assert!(text("reset").contains("Parolanız değişti"), "{told}");
    assert!(told["overflow"].as_array().unwrap().iter().all(|o| o == false) && told["axe"].as_array().unwrap().len() == 5, "{told}");
    assert_eq!(serving.sign_in(&name, SECOND).await["userErrors"], json!([]));
}
