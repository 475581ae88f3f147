//! A reset that an officer starts for somebody it has verified: against a real Active Directory, with kinit as the judge.
use crate::desk_lab::{ADDRESS, FIRST, Lab, SECOND, digits_in, hr_says};
use crate::desk_page::{give_password, people, seen};
use crate::surface::program::Serving;
use kimlik_adapters::system::SystemClock;
use kimlik_domain::access::{Caller, Who};
use kimlik_domain::id::PersonId;
use kimlik_domain::message::Purpose;
use kimlik_domain::password::desk::Handed;
use kimlik_domain::password::officer::{NotSent, ResetSent, ResetWish, Verified};
use kimlik_domain::password::{ChallengeKind, ChallengeRules, Refused, ResetProof};
use kimlik_domain::phone::desk::{Becomes, OfficersChange};
use kimlik_domain::ports::{Clock as _, Store as _};
use kimlik_domain::staff::MobileNumber;
use serde_json::{Value, json};
use uuid::Uuid;

fn rules(proof: ResetProof) -> ChallengeRules {
    // Why no wait: each of these sends several in a moment.
    ChallengeRules { proof, per_person: 20, per_number: 20, resend: chrono::TimeDelta::zero(), ..ChallengeRules::default() }
}

fn officer(n: u128) -> Caller {
    Caller { who: Who::Person(PersonId(Uuid::from_u128(n))), name: format!("memur{n}").into(), ..Caller::default() }
}

impl Lab {
    async fn send(&self, by: &Caller) -> Result<ResetSent, NotSent> {
        let person = self.ministry.person("S001").await.person.id;
        let wish = ResetWish { person, verified: Verified::CalledBack, reason: "dahilisinden geri arandı".into() };
        let sent = self.desk.send_reset(by, &wish).await.unwrap();
        self.courier.round().await.unwrap();
        sent
    }
    async fn redeem(&self, name: &str, code: &str) -> Result<Handed, Refused> {
        self.desk.redeem(name, code, ADDRESS).await.unwrap()
    }
    /// By an officer of the personnel unit; HR is not told of it here.
    async fn officer_writes(&self, by: &Caller, number: &str) {
        self.ministry.clock.set_to(SystemClock.now());
        let wish = OfficersChange {
            mobile: Some(Becomes::Number(MobileNumber::parse(number).unwrap())),
            work: None,
            verified: Some(Verified::InPerson),
            reason: "hattı değişti".into(),
        };
        let person = self.ministry.person("S001").await.person.id;
        self.phones.change_of(by, person, wish).await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_officer_s_code_reaches_its_person_alone_and_becomes_a_password_that_kerberos_takes() {
    let lab = Lab::at_work(rules(ResetProof::SmsAndOfficer)).await;
    lab.desk.ask(ChallengeKind::Reset, "ayse.sahin", None, ADDRESS).await.unwrap().unwrap();
    lab.desk.answer_asked().await.unwrap();
    assert_eq!(lab.texts(Purpose::ResetCode).await.len(), 0, "by this policy nobody is sent a code for asking");
    let sent = lab.send(&officer(99)).await.unwrap();
    let (to, text) = lab.told(Purpose::ResetCode).await.remove(0);
    assert_eq!((sent.to, to.e164()), (to.clone(), "+905321110001"));
    assert!(sent.expires_at > SystemClock.now());
    let code = digits_in(&text, 6);
    let other = if code == "000000" { "000001" } else { "000000" };
    for (name, typed) in [("ayse.sahin", other), ("nobody.at.all", &code), ("", &code), ("ayse.sahin", "")] {
        assert_eq!(lab.redeem(name, typed).await.err(), Some(Refused::CodeWrong), "{name}");
    }
    let ticket = lab.redeem("AYSE.SAHIN", &format!("{} {}", &code[..3], &code[3..])).await.unwrap();
    assert_eq!(lab.set(&ticket, SECOND).await, Ok(()));
    lab.samba.kinit("ayse.sahin", SECOND).expect("the new password works");
    lab.samba.kinit("ayse.sahin", FIRST).expect_err("the old one is refused");
    assert_eq!(lab.redeem("ayse.sahin", &code).await.err(), Some(Refused::CodeWrong), "a code counts once");
    assert_eq!(lab.told(Purpose::PasswordChangedNotice).await[0].0.e164(), "+905321110001", "its owner is told");

    let events = lab.store.audit_events(None, 200).await.unwrap();
    let event = events.iter().find(|e| e.deed == "password.reset.send").unwrap();
    assert_eq!((event.actor.as_str(), event.because.as_str()), ("user:memur99", "dahilisinden geri arandı"));
    assert_eq!(event.detail["verified"], "CALLED_BACK");
    let all = format!("{events:?}");
    assert!(!all.contains(&code) && !all.contains("5321110001"), "neither code nor number is in the audit");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_comes_into_an_account_by_changing_its_mobile_and_starting_its_reset() {
    let mut lab = Lab::at_work(rules(ResetProof::Sms)).await;
    let (thief, other) = (officer(98), officer(99));
    lab.officer_writes(&thief, "05321110666").await;
    assert_eq!(lab.send(&thief).await, Err(NotSent::ChangedByCaller));
    assert_eq!(lab.send(&other).await, Err(NotSent::NotConfirmed), "HR does not hold this number");
    hr_says(&lab.ministry, "05321110666").await;
    assert_eq!(lab.send(&other).await, Err(NotSent::Cooling), "HR has taken it over, and it is new");
    // As if it were long ago.
    lab.desks.desk.rules.challenge.cooling = chrono::TimeDelta::hours(-1);
    assert_eq!(lab.send(&thief).await, Err(NotSent::ChangedByCaller), "however long ago, and whatever HR says meanwhile");
    assert_eq!(lab.send(&other).await.unwrap().to.e164(), "+905321110666");
    let code = lab.code(Purpose::ResetCode).await;
    hr_says(&lab.ministry, "05321110001").await;
    assert_eq!(lab.redeem("ayse.sahin", &code).await.err(), Some(Refused::CodeWrong), "the number has changed since");
    assert!(lab.send(&other).await.is_ok());
    let own = Caller { who: Who::Person(lab.ministry.person("S001").await.person.id), ..officer(97) };
    assert_eq!(lab.send(&own).await, Err(NotSent::OwnAccount));
    let events = lab.store.audit_events(None, 200).await.unwrap();
    let refused: Vec<_> = events.iter().filter(|e| e.deed == "password.reset.send.refuse").map(|e| e.actor.as_str()).collect();
    assert_eq!(refused.iter().filter(|actor| **actor == "user:memur98").count(), 2, "who tries is on record: {refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_that_are_not_served_get_no_code_from_an_officer_either() {
    let lab = Lab::at_work(rules(ResetProof::Sms)).await;
    let by = officer(99);
    for (attribute, value, normal) in
        [("userAccountControl", "514", "512"), ("userAccountControl", "262656", "512"), ("adminCount", "1", "0")]
    {
        lab.account(attribute, value);
        assert_eq!(lab.send(&by).await, Err(NotSent::NotServed), "{attribute} {value}");
        lab.account(attribute, normal);
    }
    lab.ministry.clock.set_to(SystemClock.now());
    hr_says(&lab.ministry, "").await;
    assert_eq!(lab.send(&by).await, Err(NotSent::NoMobile));
    assert_eq!(lab.texts(Purpose::ResetCode).await.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_cannot_void_an_officer_s_code_and_an_officer_cannot_flood_a_person() {
    let mut lab = Lab::at_work(rules(ResetProof::Sms)).await;
    lab.send(&officer(99)).await.unwrap();
    let code = lab.code(Purpose::ResetCode).await;
    for _ in 0..3 {
        lab.desk.ask(ChallengeKind::Reset, "ayse.sahin", None, ADDRESS).await.unwrap().unwrap();
    }
    lab.desk.answer_asked().await.unwrap();
    lab.courier.round().await.unwrap();
    assert_eq!(lab.texts(Purpose::ResetCode).await.len(), 1, "strangers ask in vain while it counts");
    let by = officer(99);
    lab.desks.desk.rules.challenge.resend = chrono::TimeDelta::seconds(60);
    assert_eq!(lab.send(&by).await, Err(NotSent::TooMany), "within the minute");
    lab.desks.desk.rules.challenge.resend = chrono::TimeDelta::zero();
    lab.desks.desk.rules.challenge.per_officer = 1;
    assert_eq!(lab.send(&by).await, Err(NotSent::TooMany), "of one officer");
    assert_eq!(lab.texts(Purpose::ResetCode).await.len(), 1);
    let ticket = lab.redeem("ayse.sahin", &code).await.unwrap();
    assert_eq!(lab.set(&ticket, SECOND).await, Ok(()));
    assert!(lab.desk.ask(ChallengeKind::Reset, "ayse.sahin", None, ADDRESS).await.unwrap().is_ok());
    lab.desk.answer_asked().await.unwrap();
    assert_eq!(lab.told(Purpose::ResetCode).await.len(), 2, "once it is used up, people may ask for themselves again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_card_an_officer_changes_phones_and_sends_a_code_and_its_person_goes_on_at_parola() {
    let serving = Serving::start(&[("KIMLIK__HR__SIMULATED__EVENTS_PER_STEP", "0")]);
    let people = people(&serving).await;
    let token = serving.token().await;
    let unit = async |card: &str| {
        let answer = serving.ask(&format!("{{ identityCard(by: {{ id: \"{card}\" }}) {{ unit {{ code }} }} }}")).await;
        answer["data"]["identityCard"]["unit"]["code"].as_str().map(str::to_owned)
    };
    let ([officer, card, _], [kept, kept_card, _], [_, changed_card, _]) = (&people[0], &people[1], &people[2]);
    let units: Vec<String> = [unit(kept_card).await, unit(changed_card).await].into_iter().flatten().collect();
    let grant = "mutation($input: RoleGrantInput!) { roleGrant(input: $input) { grant { inForce } userErrors { message } } }";
    let ends = kimlik_domain::ports::Clock::now(&SystemClock) + chrono::TimeDelta::days(1);
    let input = json!({ "personId": card, "role": "PERSONNEL_OFFICER", "units": units, "endsAt": ends, "reason": "deneme" });
    let granted = serving.ask_as(Some(&token), grant, json!({ "input": input })).await;
    assert_eq!(granted["data"]["roleGrant"]["grant"]["inForce"], true, "{granted}");
    give_password(&serving, officer, FIRST).await;
    let told = seen(&serving, "officer.mjs", "/kart", &[officer, FIRST, kept_card, changed_card, kept, SECOND, &token]).await;
    let text = |key: &str| told[key].as_str().unwrap_or_else(|| panic!("{key}: {told}")).to_owned();
    assert!(text("faults").contains("sabit hat") && text("faults").contains("5-300"), "{told}");
    assert_eq!((&told["hidden"], text("notSaid").as_str()), (&json!(true), "Bu alan boş bırakılamaz."));
    assert_eq!(text("phones"), "Telefonlar değişti.");
    assert_eq!(text("empty"), "Bu alan boş bırakılamaz.");
    assert!(text("refused").contains("siz değiştirdiniz"), "{told}");
    assert_eq!(text("removed"), "Telefonlar değişti.");
    assert!(text("sent").contains("kod gönderiliyor") && !text("sent").contains("+90555"), "masked: {told}");
    assert!(text("wrongCode").contains("kod yanlış"), "{told}");
    assert!(text("done").contains("Parolanız değişti"), "{told}");
    assert!(told["overflow"].as_array().unwrap().iter().all(|o| o == false) && told["axe"].as_array().unwrap().len() == 7, "{told}");
    assert_eq!(serving.sign_in(kept, SECOND).await["userErrors"], json!([]));
    let audit = serving.ask("{ auditEvents(first: 100) { nodes { deed detail } } }").await;
    let changes = audit["data"]["auditEvents"]["nodes"].as_array().unwrap().iter().filter(|event| event["deed"] == "phone.change");
    let how: Vec<Value> =
        changes.map(|e| serde_json::from_str::<Value>(e["detail"].as_str().unwrap()).unwrap()["verified"].clone()).collect();
    assert_eq!(how, ["VOUCHED_FOR", "IN_PERSON"], "the newest first: {audit}");
}
