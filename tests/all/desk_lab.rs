//! The lab of parola and phones: Ayşe at a real Active Directory, with both desks and the courier beside her.
use kimlik_adapters::directory::active_directory::ActiveDirectory;
use kimlik_adapters::directory::embedded::EmbeddedDirectory;
use kimlik_adapters::outbox::OutboxGateway;
use kimlik_adapters::store::SqlStore;
use kimlik_adapters::system::{OsEntropy, SystemClock};
use kimlik_adapters::token::OwnTokens;
use kimlik_domain::access::door::{Door, Memory};
use kimlik_domain::access::roles::RoleGroups;
use kimlik_domain::access::session::SessionRules;
use kimlik_domain::message::courier::{Courier, CourierRules};
use kimlik_domain::message::{Channel, Language, Purpose, Templates};
use kimlik_domain::password::desk::Handed;
use kimlik_domain::password::{ChallengeRules, Desk, DeskRules, Refused};
use kimlik_domain::phone::desk::{PhoneDesk, PhoneRules};
use kimlik_domain::ports::{Clock, Directory as _, Passwords, SignIn, Store as _};
use kimlik_domain::staff::MobileNumber;
use kimlik_tests::lab::Samba;
use kimlik_tests::ministry::{Ministry, STAFF_HEADER, day, keys, national_id, policy, prepare_domain};
use std::sync::Arc;
use zeroize::Zeroizing;

pub const FIRST: &str = "Yagmur-7-Tren-Limon";
pub const SECOND: &str = "Kirmizi-8-Vapur-Ceviz";
pub const ADDRESS: &str = "192.0.2.1";
const ME: &str = "(sAMAccountName=ayse.sahin)";

pub fn secret(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

/// The first number of so many digits.
pub fn digits_in(text: &str, count: usize) -> String {
    let found = text.split(|c: char| !c.is_ascii_digit()).find(|word| word.len() == count);
    found.unwrap_or_else(|| panic!("no {count} digits in {text}")).to_owned()
}

/// What people turn to, on one store and one directory.
pub struct Desks {
    pub store: Arc<SqlStore>,
    pub desk: Desk,
    pub phones: PhoneDesk,
    pub courier: Courier,
}

/// `phone_clock`: of changed phones alone, which the ministry's own work must see as due.
pub fn desks<D>(store: &Arc<SqlStore>, directory: &Arc<D>, phone_clock: Arc<dyn Clock>, challenge: ChallengeRules) -> Desks
where
    D: SignIn + Passwords + 'static,
{
    let texts = Arc::new(Templates::new("https://parola.csb.test", Language::Tr));
    let door = Arc::new(Door {
        sessions: store.clone(),
        grants: store.clone(),
        services: store.clone(),
        audit: store.clone(),
        store: store.clone(),
        texts: texts.clone(),
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
    });
    let desk = Desk {
        tickets: store.clone(),
        challenges: store.clone(),
        pins: store.clone(),
        outbox: store.clone(),
        texts: texts.clone(),
        passwords: directory.clone(),
        store: store.clone(),
        door: door.clone(),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
        rules: DeskRules { challenge, ..DeskRules::default() },
    };
    let phones = PhoneDesk {
        book: store.clone(),
        tickets: store.clone(),
        store: store.clone(),
        door,
        texts,
        clock: phone_clock,
        entropy: Arc::new(OsEntropy),
        rules: PhoneRules::default(),
    };
    let courier = Courier {
        outbox: store.clone(),
        store: store.clone(),
        channel: Channel::Sms,
        gateways: vec![Arc::new(OutboxGateway { channel: Channel::Sms, keeps_texts: true })],
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
        rules: CourierRules::default(),
    };
    Desks { store: store.clone(), desk, phones, courier }
}

pub async fn store_in(folder: &std::path::Path) -> Arc<SqlStore> {
    let store = SqlStore::connect(&format!("sqlite://{}", folder.join("kimlik.db").display()), keys()).await.unwrap();
    store.migrate().await.unwrap();
    Arc::new(store)
}

/// HR delivers Ayşe, who lets her mobile be shown, with this number.
pub async fn hr_says(ministry: &Ministry, number: &str) {
    let text = format!(
        "{STAFF_HEADER};mobile_public\nS001;{};AYŞE;ŞAHİN;ACTIVE;1;2020-01-06;;PERMANENT;20000006;Mühendis;;2020-01-06;;{number};;1234;B-12;yes\n",
        national_id(1)
    );
    let report = ministry.hr("staff-delta", &text).await;
    assert_eq!((report.refused, report.rejected_rows), (None, 0), "{:?}", report.issues);
}

pub struct Lab {
    pub samba: Samba,
    pub ministry: Ministry,
    pub directory: Arc<ActiveDirectory>,
    pub desks: Desks,
}

impl std::ops::Deref for Lab {
    type Target = Desks;
    fn deref(&self) -> &Desks {
        &self.desks
    }
}

impl Lab {
    /// Her account has just been opened; nobody has set a password.
    pub async fn newcomer() -> Lab {
        Lab::newcomer_under(ChallengeRules::default()).await
    }
    pub async fn newcomer_under(rules: ChallengeRules) -> Lab {
        Lab::opened(true, rules).await
    }

    /// Her account was opened long ago, and her password is [`FIRST`].
    pub async fn at_work(rules: ChallengeRules) -> Lab {
        let lab = Lab::opened(false, rules).await;
        let account = lab.ministry.person("S001").await.account.unwrap().guid.unwrap();
        let facts = lab.directory.password_facts(account).await.unwrap().unwrap();
        lab.directory.set_password(&facts.account, &secret(FIRST)).await.unwrap();
        lab.samba.kinit("ayse.sahin", FIRST).unwrap();
        lab
    }

    async fn opened(now: bool, rules: ChallengeRules) -> Lab {
        let samba = Samba::start();
        prepare_domain(&samba);
        let policy = policy();
        let temp = tempfile::tempdir().unwrap();
        let store = store_in(temp.path()).await;
        let mut settings = samba.settings();
        settings.closed_ou = policy.closed_ou.clone();
        settings.default_ou = policy.default_ou.clone();
        let directory = Arc::new(ActiveDirectory::new(settings, Arc::new(SystemClock)).unwrap());
        let ministry = Ministry::on("2020-02-03", policy, store.clone(), directory.clone(), temp).await;
        if now {
            ministry.clock.set_to(SystemClock.now());
        }
        ministry.units().await;
        hr_says(&ministry, "05321110001").await;
        ministry.sync().await;
        ministry.work().await;
        let desks = desks(&store, &directory, ministry.clock.clone(), rules);
        Lab { samba, ministry, directory, desks }
    }

    pub async fn set(&self, ticket: &Handed, new: &str) -> Result<(), Refused> {
        self.desk.set(&ticket.token, &ticket.browser, &secret(new), None, None).await.unwrap().map(drop)
    }
    /// The domain's administrator writes one attribute of her account.
    pub fn account(&self, attribute: &str, value: &str) {
        let dn = self.samba.value(ME, "distinguishedName").unwrap();
        let dn = dn.strip_prefix("distinguishedName: ").unwrap_or(&dn);
        self.samba.admin_modify(&format!("dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n"));
    }
    /// Of her account, as ldapsearch sees it.
    pub fn shown(&self, attribute: &str) -> Option<String> {
        self.samba.value(ME, attribute)
    }
}

impl Desks {
    /// Newest first: whom it went to, and its text.
    pub async fn told(&self, purpose: Purpose) -> Vec<(MobileNumber, String)> {
        let messages = self.store.messages(None, 100).await.unwrap();
        messages.into_iter().filter(|m| m.purpose == purpose).filter_map(|m| Some((m.to.mobile()?.clone(), m.text?.to_string()))).collect()
    }
    pub async fn texts(&self, purpose: Purpose) -> Vec<String> {
        self.told(purpose).await.into_iter().map(|(_, text)| text).collect()
    }
    /// Of six digits, in the latest text.
    pub async fn code(&self, purpose: Purpose) -> String {
        digits_in(&self.texts(purpose).await[0], 6)
    }
}

/// The same on the embedded directory; her account is not open yet.
pub struct Small {
    pub ministry: Ministry,
    pub desks: Desks,
}

impl Small {
    pub async fn new() -> Small {
        let temp = tempfile::tempdir().unwrap();
        let policy = policy();
        let file = temp.path().join("directory.db");
        let directory = Arc::new(EmbeddedDirectory::open(&file, policy.base.clone(), &policy.upn_suffix, None).await.unwrap());
        let store = store_in(temp.path()).await;
        let ministry = Ministry::on("2020-02-03", policy, store.clone(), directory.clone(), temp).await;
        ministry.clock.set(day("2026-12-01"));
        ministry.units().await;
        hr_says(&ministry, "05321110001").await;
        let desks = desks(&store, &directory, ministry.clock.clone(), ChallengeRules::default());
        Small { ministry, desks }
    }
}
