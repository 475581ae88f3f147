//! A year of a small ministry's life on a real Active Directory, played by the clock. After each step the directory is read
//! with ldapsearch, and accounts prove themselves with kinit (and fail to, when they must).
use kimlik_domain::lifecycle::reconcile::{Silent, Whom};
use kimlik_domain::lifecycle::run::Trigger;
use kimlik_tests::lab::Samba;
use kimlik_tests::ministry::{BASE, Ministry, STAFF_HEADER};
use kimlik_tests::scenario::{self, Hr};

const PASSWORD: &str = "Kendi-Parolam-1923";

struct Year {
    samba: Samba,
    ministry: Ministry,
    hr: Hr,
}

impl Year {
    async fn begin(today: &str) -> Year {
        let samba = Samba::start();
        let ministry = Ministry::on_samba(today, &samba).await;
        ministry.units().await;
        Year { samba, ministry, hr: Hr::default() }
    }

    async fn says(&mut self, lines: &[&str]) {
        let rows: Vec<String> = lines.iter().flat_map(|l| self.hr.says(l)).collect();
        let report = self.ministry.hr("staff-delta", &format!("{STAFF_HEADER}\n{}\n", rows.join("\n"))).await;
        assert_eq!((report.refused, report.rejected_rows), (None, 0), "{:?}", report.issues);
        self.ministry.work().await;
    }

    /// The day comes; what is due on it is done; afterwards nothing is left to do.
    async fn day(&self, day: &str) {
        self.ministry.clock.set(kimlik_tests::ministry::day(day));
        self.ministry.work().await;
        let plan = self.ministry.plan().await;
        assert!(plan.people.iter().all(|p| p.is_empty()), "{day}:\n{}", plan.text());
    }

    /// Sorted. Why: the values of an attribute are a set, and a server may name them in any order.
    fn read(&self, user: &str, attribute: &str) -> String {
        let mut values = self.samba.values(&format!("(sAMAccountName={user})"), attribute);
        values.sort();
        values.join("|")
    }

    fn stands_in(&self, user: &str, ou: &str) {
        let dn = self.read(user, "distinguishedName");
        assert!(dn.ends_with(&format!(",{ou},{BASE}")), "{user} stands at {dn}, not in {ou}");
    }

    /// What the person does with the activation code: a password of their own.
    fn chooses_password(&self, user: &str) {
        let dn = self.read(user, "distinguishedName");
        let quoted: Vec<u8> = format!("\"{PASSWORD}\"").encode_utf16().flat_map(u16::to_le_bytes).collect();
        self.samba.admin_modify(&format!("dn: {dn}\nchangetype: modify\nreplace: unicodePwd\nunicodePwd:: {}\n", base64(&quoted)));
    }

    fn can_log_in(&self, user: &str) {
        assert_eq!(self.samba.kinit(user, PASSWORD), Ok(()), "{user} cannot log in");
    }

    fn cannot_log_in(&self, user: &str) {
        let said = self.samba.kinit(user, PASSWORD).expect_err("the door is open");
        assert!(said.contains("revoked") || said.contains("Password incorrect") || said.contains("Preauthentication failed"), "{said}");
    }
}

pub fn base64(bytes: &[u8]) -> String {
    const TABLE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |n: u32| char::from(TABLE[(n & 63) as usize]);
    bytes
        .chunks(3)
        .flat_map(|c| {
            let n = c.iter().fold(0u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - c.len()));
            let mut quad = [digit(n >> 18), digit(n >> 12), digit(n >> 6), digit(n)];
            quad[c.len() + 1..].fill('=');
            quad
        })
        .collect()
}

/// Suspended by order, given back, and HR's leave beside it: the domain controller is the judge.
#[tokio::test]
async fn an_order_shuts_the_door_and_opens_it_whatever_hr_says() {
    let mut year = Year::begin("2026-12-01").await;
    year.says(&["S001: given=Nil; family=Ay; unit=20000004; start=2020-01-01; reason=1"]).await;
    year.chooses_password("nil.ay");
    year.can_log_in("nil.ay");
    let ordered = |line: &'static str| scenario::play(&year.ministry, line);
    assert_eq!(ordered("suspend S001 because=lost telephone").await.lines().nth(1), Some("    | Given"));
    year.ministry
        .reconciler
        .sync(&Whom::People(vec![year.ministry.person("S001").await.person.id]), Trigger::Command, &Silent)
        .await
        .unwrap();
    assert_eq!(year.read("nil.ay", "userAccountControl"), "514");
    year.cannot_log_in("nil.ay");
    year.ministry.sync().await;
    assert_eq!(year.read("nil.ay", "userAccountControl"), "514", "a full run leaves the order in force");
    let lifted = scenario::play(&year.ministry, "reinstate S001 because=found it").await;
    assert_eq!(lifted.lines().nth(1), Some("    | Given"));
    year.ministry.work().await;
    year.can_log_in("nil.ay");
    year.day("2026-12-02").await;
}

#[tokio::test]
async fn a_year_of_a_ministrys_life() {
    let mut year = Year::begin("2026-12-01").await;

    // Hired: today, for later, and two of one name.
    year.says(&[
        "S001: given=AYŞE NUR; family=ŞAHİN; unit=20000004; start=2026-12-01; reason=1; title=Mühendis; phone=0472 215 10 00; ext=12",
        "S002: given=Deniz; family=Ak; unit=20000006; start=2027-01-04; reason=1",
        "S003: given=Derya; family=Ok; unit=20000006; start=2027-01-04; reason=1",
        "S004: given=Mehmet; family=Yılmaz; unit=20000004; start=2026-12-01; reason=1",
        "S005: given=Mehmet; family=Yılmaz; unit=20000004; start=2026-12-01; reason=1",
        "S006: given=Muhammed Emin; family=Karaosmanoğlu; unit=12100000; start=2026-12-01; reason=1; title=Daire Başkanı",
    ])
    .await;
    year.day("2026-12-01").await;
    assert_eq!(year.read("ayse.nur.sahin", "displayName"), "Ayşe Nur Şahin");
    assert_eq!(year.read("ayse.nur.sahin", "proxyAddresses"), "SMTP:ayse.nur.sahin@csb.test");
    assert_eq!(year.read("ayse.nur.sahin", "telephoneNumber"), "+90 472 215 10 00 / 12");
    assert_eq!(year.read("ayse.nur.sahin", "userAccountControl"), "512");
    assert!(year.read("ayse.nur.sahin", "memberOf").contains("CN=Tasra Personeli"));
    year.stands_in("ayse.nur.sahin", "OU=Ağrı,OU=Tasra");
    assert_eq!(year.read("mehmet.yilmaz", "employeeID"), "S004");
    assert_eq!(year.read("m.yilmaz", "employeeID"), "S005");
    assert_eq!(year.read("m.karaosmanoglu", "mail"), "muhammed.emin.karaosmanoglu@csb.test");
    assert_eq!(year.read("deniz.ak", "userAccountControl"), "514");
    for user in ["ayse.nur.sahin", "mehmet.yilmaz", "m.karaosmanoglu", "deniz.ak"] {
        year.chooses_password(user);
    }
    year.can_log_in("ayse.nur.sahin");
    year.cannot_log_in("deniz.ak");

    // One hire is taken back; the other begins on its day, not before.
    year.says(&["S003: reason=withdrawn"]).await;
    year.stands_in("derya.ok", "OU=Ayrilanlar");
    year.day("2027-01-03").await;
    year.cannot_log_in("deniz.ak");
    year.day("2027-01-04").await;
    assert_eq!(year.read("deniz.ak", "userAccountControl"), "512");
    year.chooses_password("deniz.ak");
    year.can_log_in("deniz.ak");

    // A transfer in two steps, into an OU where a namesake stands.
    let sid = year.read("mehmet.yilmaz", "objectSid");
    let guid = year.read("mehmet.yilmaz", "objectGUID");
    year.says(&["S005: unit=20000006; reason=71"]).await;
    year.says(&["S004: reason=69; pstart=2026-12-01; pend=2027-02-01"]).await;
    year.day("2027-02-05").await;
    year.stands_in("mehmet.yilmaz", "OU=Ağrı,OU=Tasra");
    year.can_log_in("mehmet.yilmaz");
    year.says(&["S004: reason=71; unit=20000006; pstart=2027-02-10; pend="]).await;
    year.day("2027-02-10").await;
    year.stands_in("mehmet.yilmaz", "OU=Ankara,OU=Tasra");
    year.stands_in("m.yilmaz", "OU=Ankara,OU=Tasra");
    assert_eq!((year.read("mehmet.yilmaz", "objectSid"), year.read("mehmet.yilmaz", "objectGUID")), (sid, guid));
    assert_eq!(year.read("mehmet.yilmaz", "mail"), "mehmet.yilmaz@csb.test");
    year.can_log_in("mehmet.yilmaz");

    // Seconded to head office for March.
    year.says(&["S001: reason=117; pstart=2026-12-01 | kind=SECONDED; unit=12100000; title=Mühendis; pstart=2027-03-01; pend=2027-03-31"])
        .await;
    year.day("2027-03-01").await;
    year.stands_in("ayse.nur.sahin", "OU=Bilgi İşlem Genel Müdürlüğü,OU=Merkez");
    assert!(year.read("ayse.nur.sahin", "memberOf").contains("CN=Merkez Personeli"));
    assert!(!year.read("ayse.nur.sahin", "memberOf").contains("CN=Tasra Personeli"));
    year.day("2027-04-01").await;
    year.stands_in("ayse.nur.sahin", "OU=Ağrı,OU=Tasra");

    // Marriage.
    year.says(&["S001: family=ÖZTÜRK; reason=121"]).await;
    assert_eq!(year.read("ayse.nur.sahin", "displayName"), "Ayşe Nur Öztürk");
    assert_eq!(year.read("ayse.nur.sahin", "mail"), "ayse.nur.ozturk@csb.test");
    assert_eq!(year.read("ayse.nur.sahin", "proxyAddresses"), "SMTP:ayse.nur.ozturk@csb.test|smtp:ayse.nur.sahin@csb.test");
    assert!(year.read("ayse.nur.sahin", "distinguishedName").starts_with("CN=Ayşe Nur Öztürk,"));
    year.can_log_in("ayse.nur.sahin");

    // Leave and return, suspension and return.
    year.says(&["S002: reason=108; status=ON_LEAVE", "S004: reason=221"]).await;
    year.day("2027-05-01").await;
    year.cannot_log_in("deniz.ak");
    year.cannot_log_in("mehmet.yilmaz");
    year.says(&["S002: reason=112; status=ACTIVE", "S004: reason=222"]).await;
    year.day("2027-06-01").await;
    year.can_log_in("deniz.ak");
    year.can_log_in("mehmet.yilmaz");

    // A reorganisation: the department has a new number under another directorate.
    let header = kimlik_tests::ministry::UNITS.lines().next().unwrap_or("");
    let new = "11200000;11000000;Veri Dairesi Başkanlığı;;CENTRAL;06;;S006;;;2027-07-01;;";
    let old = "12100000;12000000;Yazılım Dairesi Başkanlığı;;CENTRAL;06;;;;;;2027-06-30;11200000";
    year.ministry.hr("units", &format!("{header}\n{new}\n{old}\n")).await;
    year.ministry.sync().await;
    year.day("2027-07-01").await;
    year.stands_in("m.karaosmanoglu", "OU=Personel Genel Müdürlüğü,OU=Merkez");
    assert_eq!(year.read("m.karaosmanoglu", "department"), "Veri Dairesi Başkanlığı");

    // Resignation: the day after the last day. A group that somebody gave goes too.
    let dn = year.read("mehmet.yilmaz", "distinguishedName");
    year.samba.admin_modify(&format!("dn: CN=Proje X,OU=Gruplar,{BASE}\nchangetype: modify\nadd: member\nmember: {dn}\n"));
    year.says(&["S004: reason=96; end=2027-08-31"]).await;
    year.day("2027-08-31").await;
    year.can_log_in("mehmet.yilmaz");
    year.day("2027-09-01").await;
    year.cannot_log_in("mehmet.yilmaz");
    year.stands_in("mehmet.yilmaz", "OU=Ayrilanlar");
    assert_eq!(year.read("mehmet.yilmaz", "memberOf"), "");
    assert_eq!(year.read("mehmet.yilmaz", "msExchHideFromAddressLists"), "TRUE");
    assert_eq!(year.read("mehmet.yilmaz", "userAccountControl"), "514");

    // Rehired: the same account and name, birthright groups only, and a door that opens with a new password only.
    year.says(&["S004: reason=72; end=; start=2027-11-01; unit=20000035; pstart=2027-11-01; pend="]).await;
    year.day("2027-11-01").await;
    year.stands_in("mehmet.yilmaz", "OU=İzmir,OU=Tasra");
    assert!(year.read("mehmet.yilmaz", "memberOf").starts_with("CN=Tasra Personeli"));
    assert!(!year.read("mehmet.yilmaz", "memberOf").contains("Proje X"));
    year.cannot_log_in("mehmet.yilmaz");
    year.chooses_password("mehmet.yilmaz");
    year.can_log_in("mehmet.yilmaz");

    // Each opening was announced once, to the number that HR holds.
    let messages = year.ministry.store.messages(None, 100).await.expect("messages");
    let mut to: Vec<_> =
        messages.iter().map(|m| m.text.as_ref().and_then(|t| t.split_whitespace().nth(4)).unwrap_or("").to_owned()).collect();
    to.sort();
    assert_eq!(to, ["ayse.nur.sahin", "deniz.ak", "m.karaosmanoglu", "m.yilmaz", "mehmet.yilmaz", "mehmet.yilmaz"]);
}
