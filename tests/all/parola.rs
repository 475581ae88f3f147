//! The password page as people use it: the real program on a real Active Directory, codes over a real Kannel to phones, a real browser;
//! kinit judges the passwords. What the page says where something does not go is looked at word by word.
use crate::desk_lab::digits_in;
use crate::surface::page::browser;
use crate::surface::program::{Serving, run, text};
use kimlik_domain::ports::Clock as _;
use kimlik_tests::kannel::{Kannel, PASSWORD as KANNEL_PASSWORD, USER, free_port};
use kimlik_tests::lab::{Samba, node};
use kimlik_tests::ministry::{BASE, STAFF_HEADER, UNITS, national_id, prepare_domain};
use serde_json::{Value, json};
use sqlx::Connection as _;
use std::path::Path;
use std::time::{Duration, Instant};

const FIRST: &str = "Yagmur-7-Tren-Limon";
const SECOND: &str = "Kirmizi-8-Vapur-Ceviz";
const THIRD: &str = "Mavi-9-Bulut-Zeytin";
const FOURTH: &str = "Kestane-4-Rüzgâr-Kedi";
const WRONG_PASSWORD: &str = "Yanlis-1-Parola-Iste";
/// UF_PASSWORD_EXPIRED, in msDS-User-Account-Control-Computed.
const PASSWORD_EXPIRED: u32 = 0x80_0000;
const PHONE: &str = "+905321110001";
const WRONG: &str = "Kullanıcı adı veya parola yanlış ya da hesap kilitli veya kapalı.";
const WRONG_IN_ENGLISH: &str = "User name or password is wrong, or the account is locked or closed.";

struct Desk {
    samba: Samba,
    kannel: Kannel,
    serving: Serving,
    page: node::Led,
    /// By keyboard alone.
    keys: bool,
}

fn deliver(folder: &Path, name: &str, lines: &str) {
    let part = folder.join("hr").join(format!("{name}.part"));
    std::fs::write(&part, lines).unwrap();
    let rested = kimlik_adapters::system::SystemClock.now() - chrono::TimeDelta::seconds(60);
    std::fs::File::options().write(true).open(&part).unwrap().set_modified(rested.into()).unwrap();
    std::fs::rename(&part, folder.join("hr").join(name)).unwrap();
}

impl Desk {
    /// Ayşe and Mehmet, whose accounts have just been announced; Mehmet's password has rules of its own.
    fn open() -> Desk {
        let (samba, kannel, folder) = (Samba::start(), Kannel::start(), tempfile::tempdir().unwrap());
        prepare_domain(&samba);
        // Why more than the lab's three: the page would have so few tries of its own that its refusals would be of those.
        samba.admin_modify("dn: DC=csb,DC=test\nchangetype: modify\nreplace: lockoutThreshold\nlockoutThreshold: 8\n");
        let (here, port) = (folder.path(), free_port());
        std::fs::create_dir_all(here.join("hr")).unwrap();
        std::fs::write(here.join("ca.pem"), samba.ca_pem()).unwrap();
        std::fs::write(here.join("password"), samba.settings().bind_password.as_str()).unwrap();
        std::fs::write(here.join("kannel"), KANNEL_PASSWORD).unwrap();
        let settings = format!(
            "[hr]\nsource = \"csv\"\n[hr.csv]\ndirectory = \"hr\"\n[password]\nreset_proof = \"sms+national_id\"\nactivation_hours = 48\n\
             [sms]\ngateways = [\"kannel\"]\nsending_hours = [0, 24]\n[sms.kannel]\nurl = \"{}\"\nuser = \"{USER}\"\n\
             password_file = \"kannel\"\nsender = \"CSB\"\n\
             [directory]\nkind = \"active_directory\"\n[directory.active_directory]\nurls = [\"{}\"]\nca_file = \"ca.pem\"\n\
             bind_dn = \"svc-idm@csb.test\"\nbind_password_file = \"password\"\nbase_dn = \"{BASE}\"\nupn_suffix = \"csb.test\"\n",
            kannel.url,
            samba.url()
        );
        std::fs::write(here.join("kimlik.toml"), settings).unwrap();
        deliver(here, "units-20260101T0000.csv", UNITS);
        let row = |n: u32, name: &str| {
            format!(
                "S{n:03};{};{name};ACTIVE;1;2020-01-06;;PERMANENT;20000006;Mühendis;;2020-01-06;;0532111000{n};;123{n};B-12\n",
                national_id(n)
            )
        };
        let rows = [row(1, "AYŞE;ŞAHİN"), row(2, "MEHMET;DEMİR")].concat();
        deliver(here, "staff-delta-20260101T0001.csv", &format!("{STAFF_HEADER}\n{rows}"));
        let out = run(here, &["sync"], &[]);
        assert!(out.status.success(), "{} {}", text(&out.stdout), text(&out.stderr));
        samba.on_the_controller(
            "SID=$(samba-tool user show svc-idm --attributes=objectSid | awk '/^objectSid/{print $2}')\n\
             SETTINGS=\"CN=Password Settings Container,CN=System,DC=csb,DC=test\"\n\
             samba-tool domain passwordsettings pso create uzun 1 --min-pwd-length=14 --min-pwd-age=0 --history-length=5 >/dev/null\n\
             samba-tool domain passwordsettings pso apply uzun mehmet.demir >/dev/null\n\
             samba-tool dsacl set --objectdn=\"$SETTINGS\" --sddl=\"(A;;LCRPRC;;;$SID)\" >/dev/null\n\
             samba-tool dsacl set --objectdn=\"CN=uzun,$SETTINGS\" --sddl=\"(A;;LCRPRC;;;$SID)\" >/dev/null",
        );
        let serving = Serving::start_in(folder, &[("KIMLIK__SERVER__LISTEN", &format!("127.0.0.1:{port}"))]);
        let pictures = node::folder().join("pictures").display().to_string();
        let page = node::Led::start("tasks.mjs", &[browser(), &serving.url("/parola"), &pictures]);
        Desk { samba, kannel, serving, page, keys: false }
    }

    fn task(&mut self, task: &str, pixels: u32) {
        self.page.told(&json!({ "do": "task", "task": task, "pixels": pixels, "keys": self.keys }));
    }
    fn submit(&mut self, values: Value) -> Value {
        self.page.told(&json!({ "do": "submit", "values": values, "keys": self.keys }))
    }
    fn look(&mut self, name: &str) {
        self.page.told(&json!({ "do": "look", "name": name }));
    }
    /// What the page complains of.
    fn refused(&mut self, values: Value) -> String {
        let answer = self.submit(values);
        answer["fault"].as_str().unwrap_or_else(|| panic!("it went: {answer}")).to_owned()
    }
    fn done(&mut self, values: Value) -> String {
        let answer = self.submit(values);
        answer["done"].as_str().unwrap_or_else(|| panic!("it did not go: {answer}")).to_owned()
    }
    fn change(&mut self, from: &str, to: &str, pixels: u32) -> Value {
        self.changed_by("change", from, to, pixels)
    }
    /// "change", or "expired": that it has, or must be changed.
    fn changed_by(&mut self, task: &str, from: &str, to: &str, pixels: u32) -> Value {
        self.task(task, pixels);
        self.submit(json!({ "name": "ayse.sahin", "current": from, "fresh": to, "again": to }))
    }

    /// The texts with these words that this phone has.
    fn texts(&self, to: &str, words: &str) -> Vec<String> {
        self.kannel.received().into_iter().filter(|(number, text)| number == to && text.contains(words)).map(|(_, text)| text).collect()
    }
    /// The `count`th text with these words, once it is there.
    fn text(&self, to: &str, words: &str, count: usize) -> String {
        let began = Instant::now();
        loop {
            if let Some(text) = self.texts(to, words).get(count - 1) {
                return text.clone();
            }
            assert!(began.elapsed() < Duration::from_secs(60), "no {words}: {:?}", self.kannel.received());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    /// The digits in the first text with these words.
    fn code(&self, to: &str, words: &str, digits: usize) -> String {
        digits_in(&self.text(to, words, 1), digits)
    }
    fn kinit(&self, password: &str, works: bool) {
        let said = self.samba.kinit("ayse.sahin", password);
        assert_eq!(said.is_ok(), works, "{password}: {said:?}");
    }
    fn write(&self, dn: &str, attribute: &str, value: &str) {
        self.samba.admin_modify(&format!("dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n"));
    }
    fn account(&self, attribute: &str, value: &str) {
        let dn = self.samba.value("(sAMAccountName=ayse.sahin)", "distinguishedName").unwrap();
        self.write(dn.strip_prefix("distinguishedName: ").unwrap_or(&dn), attribute, value);
    }
    fn domain(&self, attribute: &str, value: &str) {
        self.write("DC=csb,DC=test", attribute, value);
    }

    /// With the code of the announcement.
    fn first_password(&mut self, password: &str) {
        let code = self.code(PHONE, "Etkinlestirme kodu", 8);
        self.task("first", 1280);
        self.submit(json!({ "name": "ayse.sahin", "code": code }));
        self.done(json!({ "fresh": password, "again": password }));
        self.kinit(password, true);
    }
    /// Who she is, and the code that came for it: the `count`th with these words.
    fn asked(&mut self, task: &str, words: &str, count: usize) -> String {
        self.task(task, 360);
        self.submit(json!({ "name": "ayse.sahin", "nationalId": national_id(1) }));
        digits_in(&self.text(PHONE, words, count), 6)
    }
    /// Typed wrongly at a computer until the directory locks the account.
    fn locked(&self, password: &str) {
        let began = Instant::now();
        while self.samba.value("(sAMAccountName=ayse.sahin)", "lockoutTime").is_none_or(|at| at == "0") {
            self.kinit(WRONG_PASSWORD, false);
            assert!(began.elapsed() < Duration::from_secs(60), "it never locked");
        }
        self.kinit(password, false);
    }
    /// Nothing came from elsewhere, nothing was complained of, nothing ran over the page's edge, and axe found no breach.
    fn end(self, pictures: usize) {
        let Desk { page, serving, .. } = self;
        let seen = page.end();
        assert_eq!((&seen["origins"], &seen["complaints"]), (&json!([format!("http://{}", serving.address)]), &json!([])), "{seen}");
        assert_eq!(seen["overflow"], json!(vec![false; pictures]), "{seen}");
        for looked in seen["axe"].as_array().unwrap() {
            assert_eq!(looked["breaches"], json!([]), "axe finds breaches of WCAG 2.2 AA: {looked:#}");
            assert!(looked["passed"].as_u64() > Some(10), "axe has hardly looked: {looked}");
        }
    }

    /// Why codes did not go out, as the audit has it: the oldest first, once there are so many.
    async fn declined(&self, count: usize) -> Vec<String> {
        let file = sqlx::sqlite::SqliteConnectOptions::new().filename(self.serving.folder.path().join("var/kimlik.db"));
        let mut db = sqlx::SqliteConnection::connect_with(&file.busy_timeout(Duration::from_secs(10))).await.unwrap();
        let began = Instant::now();
        loop {
            let query = "SELECT because FROM audit_event WHERE deed = 'password.challenge.decline' ORDER BY id";
            let all: Vec<String> = sqlx::query_scalar(query).fetch_all(&mut db).await.unwrap();
            if all.len() == count {
                return all;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{all:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A number that its owner has changed stands in the directory and on the card by itself: nobody is looked at by the clock as soon as that.
async fn numbers_follow(desk: &Desk, password: &str) {
    let serving = &desk.serving;
    let session = serving.sign_in("ayse.sahin", password).await["session"].clone();
    let token = session["accessToken"].as_str().unwrap_or_else(|| panic!("{session}")).to_owned();
    let ask = async |query: &str, input: Value| serving.ask_as(Some(&token), query, json!({ "i": input })).await["data"].clone();
    let start = "mutation($i: MobileChangeStartInput!) { mobileChangeStart(input: $i) { challenge { id } userErrors { message } } }";
    let begun = ask(start, json!({ "mobile": "0555 999 00 01", "password": password })).await;
    let challenge = begun["mobileChangeStart"]["challenge"]["id"].as_str().unwrap_or_else(|| panic!("{begun}"));
    let code = desk.code("+905559990001", "onay kodunuz", 6);
    let confirm = "mutation($i: MobileChangeConfirmInput!) { mobileChangeConfirm(input: $i) { userErrors { message } } }";
    let confirmed = ask(confirm, json!({ "challengeId": challenge, "code": code })).await;
    assert_eq!(confirmed["mobileChangeConfirm"]["userErrors"], json!([]), "{confirmed}");
    let update = "mutation($i: WorkPhoneUpdateInput!) { workPhoneUpdate(input: $i) { userErrors { message } } }";
    let updated = ask(update, json!({ "number": "0312 410 10 01", "extension": "4321", "password": password })).await;
    assert_eq!(updated["workPhoneUpdate"]["userErrors"], json!([]), "{updated}");
    let began = Instant::now();
    let card = format!("{{ identityCard(by: {{ id: {} }}) {{ mobile workPhone {{ extension }} }} }}", session["viewer"]["card"]["id"]);
    let wanted = json!({ "mobile": "+905559990001", "workPhone": { "extension": "4321" } });
    let (mut in_directory, mut on_card) = (None, None);
    while in_directory.is_none() || on_card.is_none() {
        // The mobile stays out of it: its owner has not consented.
        let held = desk.samba.value("(sAMAccountName=ayse.sahin)", "telephoneNumber");
        let shown = ask(&card, json!({})).await;
        if held.as_deref().is_some_and(|number| number.ends_with("4321")) {
            in_directory.get_or_insert(began.elapsed());
        }
        if shown["identityCard"] == wanted {
            on_card.get_or_insert(began.elapsed());
        }
        assert!(began.elapsed() < Duration::from_secs(60), "the directory: {held:?}, the card: {shown}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("a changed number: in the directory after {:?}, on the card after {:?}", in_directory.unwrap(), on_card.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn first_changed_and_expired_passwords_go_through_the_page_or_are_refused_in_the_right_words_and_kerberos_agrees() {
    let mut desk = Desk::open();

    // The first password.
    let announced = desk.text(PHONE, "Etkinlestirme kodu", 1);
    assert!(announced.contains("(48 saat)"), "as the settings have it: {announced}");
    let code = digits_in(&announced, 8);
    desk.task("first", 360);
    let wrong = if code == "00000000" { "00000001" } else { "00000000" };
    let said = desk.refused(json!({ "name": "ayse.sahin", "code": wrong }));
    assert!(said.starts_with("Kullanıcı adı veya kod yanlış"), "{said}");
    let step = desk.submit(json!({ "name": "ayse.sahin", "code": code }));
    let rules = step["rules"].as_array().unwrap_or_else(|| panic!("{step}"));
    assert!(
        rules.contains(&json!("En az 10 karakter olmalı.")) && rules.iter().any(|r| r.as_str().unwrap().contains("son 5 parola")),
        "{step}"
    );
    assert_eq!(desk.refused(json!({ "fresh": "Kz9!vq", "again": "Kz9!vq" })), "En az 10 karakter olmalı.");
    desk.look("ad-1-too-short-360");
    assert_eq!(desk.refused(json!({ "fresh": "Galatasaray1905", "again": "Galatasaray1905" })), "Kolay tahmin edilen bir parola olmamalı.");
    let said = desk.refused(json!({ "fresh": "Şahin-7-tren-limon", "again": "Şahin-7-tren-limon" }));
    assert_eq!(said, "Adınızı, soyadınızı veya kullanıcı adınızı içermemeli.");
    assert!(desk.done(json!({ "fresh": FIRST, "again": FIRST })).starts_with("Parolanız değişti"));
    desk.kinit(FIRST, true);

    // Changed; the history is the directory's.
    assert_eq!(desk.change(WRONG_PASSWORD, SECOND, 360)["fault"], WRONG);
    assert!(desk.change(FIRST, SECOND, 1280)["done"].is_string());
    desk.kinit(SECOND, true);
    desk.kinit(FIRST, false);
    let known = desk.change(SECOND, FIRST, 1280);
    assert_eq!(known["fault"], "Daha önce kullanılan son 5 paroladan biri olmamalı.", "{known}");
    desk.look("ad-2-history-1280");
    desk.kinit(SECOND, true);

    // Too young; that it must be changed comes before that.
    desk.domain("minPwdAge", "-864000000000");
    let young = desk.change(SECOND, THIRD, 360);
    desk.look("ad-2-too-young-360");
    assert_eq!(young["fault"], "Parola kısa süre önce değiştirildi; 1 gün geçmeden yeniden değiştirilemez.", "{young}");
    desk.kinit(SECOND, true);
    desk.account("pwdLastSet", "0");
    desk.kinit(SECOND, false);
    let must = desk.changed_by("expired", SECOND, THIRD, 360);
    assert!(must["done"].is_string(), "{must}");
    desk.kinit(THIRD, true);
    desk.domain("minPwdAge", "0");

    // Expired: its age is beyond the domain's maximum, and Kerberos says so.
    desk.samba.age_password("ayse.sahin", 43);
    let said = desk.samba.kinit("ayse.sahin", THIRD).unwrap_err();
    assert!(!said.contains("incorrect"), "it is right, and does not count any more: {said}");
    let computed = desk.samba.value("(sAMAccountName=ayse.sahin)", "msDS-User-Account-Control-Computed").unwrap();
    assert_eq!(computed.parse::<u32>().unwrap() & PASSWORD_EXPIRED, PASSWORD_EXPIRED, "{computed}");
    let wrong = desk.changed_by("expired", WRONG_PASSWORD, FOURTH, 1280);
    assert_eq!(wrong["fault"], WRONG, "who does not know the expired one learns nothing: {wrong}");
    desk.look("ad-3-expired-wrong-1280");
    let expired = desk.changed_by("expired", THIRD, FOURTH, 1280);
    assert!(expired["done"].is_string(), "{expired}");
    desk.look("ad-3-expired-changed-1280");
    let again = desk.page.told(&json!({ "do": "language" }));
    assert!(again["said"].as_str().unwrap().starts_with("Your password has changed."), "done in the other language, too: {again}");
    desk.page.told(&json!({ "do": "language" }));
    desk.kinit(FOURTH, true);
    desk.kinit(THIRD, false);

    numbers_follow(&desk, FOURTH).await;

    // A fine-grained policy: its figures, before and after.
    let code = desk.code("+905321110002", "Etkinlestirme kodu", 8);
    desk.task("first", 1280);
    let step = desk.submit(json!({ "name": "mehmet.demir", "code": code }));
    assert!(step["rules"].as_array().unwrap().contains(&json!("En az 14 karakter olmalı.")), "{step}");
    assert_eq!(desk.refused(json!({ "fresh": "Kz9!vq-Limon", "again": "Kz9!vq-Limon" })), "En az 14 karakter olmalı.");
    desk.done(json!({ "fresh": FIRST, "again": FIRST }));
    desk.task("change", 1280);
    let short = json!({ "name": "mehmet.demir", "current": FIRST, "fresh": "Kz9!vq-Limon", "again": "Kz9!vq-Limon" });
    assert_eq!(desk.refused(short), "En az 14 karakter olmalı.", "with the figures of the own policy");
    desk.look("ad-4-own-policy-1280");
    desk.samba.kinit("mehmet.demir", FIRST).unwrap();

    desk.end(6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_forgotten_the_password_or_is_locked_out_comes_back_by_the_page_and_the_disabled_and_protected_do_not() {
    let mut desk = Desk::open();
    desk.first_password(FIRST);

    // Forgotten. Whoever asks is told the same; only the right national id brings a code.
    desk.task("forgotten", 360);
    let asked = desk.submit(json!({ "name": "ayse.sahin", "nationalId": national_id(2) }));
    let sent = asked["said"].as_str().unwrap().to_owned();
    assert!(sent.contains("Bilgiler doğruysa") && sent.contains("SMS başkasının eline geçebilir"), "{asked}");
    assert_eq!(desk.declined(1).await, ["the national id is another one"]);
    desk.task("forgotten", 360);
    assert_eq!(
        desk.submit(json!({ "name": "ayse.sahin", "nationalId": national_id(1) }))["said"].as_str(),
        Some(sent.as_str()),
        "the same words"
    );
    let code = desk.code(PHONE, "sifirlama kodunuz", 6);
    let wrong = if code == "000000" { "000001" } else { "000000" };
    assert!(desk.refused(json!({ "code": wrong })).starts_with("Kod yanlış"));
    desk.submit(json!({ "code": code }));
    let known = desk.refused(json!({ "fresh": FIRST, "again": FIRST }));
    assert!(known.starts_with("Daha önce kullanılan son 5 paroladan biri olmamalı."), "{known}");
    desk.look("ad-5-forgotten-history-360");
    assert!(desk.done(json!({ "fresh": SECOND, "again": SECOND })).starts_with("Parolanız değişti"));
    desk.kinit(SECOND, true);
    desk.kinit(FIRST, false);
    desk.text(PHONE, "parolasi degistirildi", 1);

    // Locked: the password is right and does not count, until a code has unlocked the account.
    desk.locked(SECOND);
    assert_eq!(desk.change(SECOND, THIRD, 360)["fault"], WRONG);
    desk.look("ad-7-locked-360");
    desk.kinit(SECOND, false);
    desk.keys = true;
    let code = desk.asked("unlock", "kilidini acma kodunuz", 1);
    let unlocked = desk.done(json!({ "code": code }));
    desk.keys = false;
    assert!(unlocked.starts_with("Hesabınızın kilidi açıldı."), "{unlocked}");
    desk.look("ad-6-unlocked-360");
    desk.kinit(SECOND, true);

    // Locked and forgotten: the new password unlocks as well.
    desk.locked(SECOND);
    let code = desk.asked("forgotten", "sifirlama kodunuz", 2);
    desk.submit(json!({ "code": code }));
    assert!(desk.done(json!({ "fresh": THIRD, "again": THIRD })).starts_with("Parolanız değişti"));
    desk.look("ad-8-locked-and-forgotten-360");
    desk.kinit(THIRD, true);
    desk.kinit(SECOND, false);
    desk.text(PHONE, "parolasi degistirildi", 2);

    // Disabled and protected: the words of a wrong password, the words of whoever asks, and no code.
    let texts = desk.kannel.received().len();
    let mut declined = 1;
    for (attribute, value, normal) in [("userAccountControl", "514", "512"), ("adminCount", "1", "0")] {
        desk.account(attribute, value);
        assert_eq!(desk.change(THIRD, FOURTH, 1280)["fault"], WRONG, "{attribute}");
        desk.look(&format!("ad-9-{attribute}-1280"));
        for task in ["forgotten", "unlock"] {
            desk.task(task, 360);
            let asked = desk.submit(json!({ "name": "ayse.sahin", "nationalId": national_id(1) }));
            let words = asked["said"].as_str().unwrap();
            assert!(words.contains("Bilgiler doğruysa"), "{attribute}: {asked}");
            assert!(task == "unlock" || words == sent, "{attribute}: {asked}");
            declined += 1;
            let because = desk.declined(declined).await;
            assert_eq!(because.last().unwrap(), "the account is closed, disabled, protected or not served here", "{attribute}");
        }
        desk.account(attribute, normal);
        desk.kinit(THIRD, true);
        desk.kinit(FOURTH, false);
    }
    assert_eq!(desk.kannel.received().len(), texts, "nobody was sent anything");

    // In English, from where the page stands; what was done stays done, what was typed stays typed.
    desk.look("ad-10-asked-360");
    let asked = desk.page.told(&json!({ "do": "language" }));
    assert!(asked["said"].as_str().unwrap().contains("If what you wrote is right"), "{asked}");
    desk.look("ad-11-asked-english-360");
    let wrong = desk.change(WRONG_PASSWORD, FOURTH, 360);
    assert_eq!(wrong["fault"], WRONG_IN_ENGLISH, "{wrong}");
    desk.look("ad-12-wrong-english-360");
    desk.end(9);
}
