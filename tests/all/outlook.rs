//! The card in Outlook on a real domain: what was written, read back attribute by attribute against a table made by hand.
mod command;
mod lent;
mod limits;

use kimlik_domain::account::{AccountState, Attribute, Mapping};
use kimlik_domain::lifecycle::hold::{HoldDecision, HoldStatus};
use kimlik_domain::lifecycle::policy::Policy;
use kimlik_domain::mailbox::Mailboxes;
use kimlik_domain::ports::Clock;
use kimlik_domain::staff::IssueKind;
use kimlik_tests::lab::Samba;
use kimlik_tests::ministry::{BASE, Ministry, day, policy};
use kimlik_tests::scenario::Hr;

const ME: &str = "(employeeID=S001)";
/// The filter of Exchange's "All Users", for accounts without a mailbox on the ministry's own servers.
const ALL_USERS: &str = "(&(mailNickname=*)(objectCategory=person)(objectClass=user)(!(msExchHideFromAddressLists=TRUE)))";

async fn says(ministry: &Ministry, hr: &mut Hr, line: &str) {
    let rows = hr.says(line);
    let report = ministry.staff(&rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!((report.refused, report.rejected_rows), (None, 0), "{:?}", report.issues);
    sync(ministry).await;
}

/// A run, what it holds approved, and a second one.
async fn sync(ministry: &Ministry) {
    ministry.sync().await;
    for hold in ministry.store.holds(Some(HoldStatus::Open), 100).await.unwrap() {
        let decision = HoldDecision { approve: true, digest: Some(hold.digest), people: None, by: "cli:test".into(), note: None };
        ministry.store.decide_hold(hold.id, &decision, ministry.clock.now()).await.unwrap();
    }
    ministry.sync().await;
    let left = ministry.plan().await;
    assert!(left.people.iter().all(|p| p.is_empty()), "{}", left.text());
}

/// Every attribute of the table holds just these values; an empty text: none.
fn reads(samba: &Samba, table: &[(&str, &str)]) {
    for (attribute, expected) in table {
        let mut values = samba.values(ME, attribute);
        values.sort();
        assert_eq!(values.join("|"), *expected, "{attribute}");
    }
}

fn listed(samba: &Samba, filter: &str) -> bool {
    samba.ldapsearch(BASE, &format!("(&{ME}{filter})"), &["1.1"]).lines().any(|l| l.starts_with("dn:"))
}

fn remote() -> Policy {
    let mut mapping = Mapping::default();
    mapping.set("initials", "{initials}").unwrap();
    mapping.set("extensionAttribute1", "{unit_code}").unwrap();
    mapping.set("extensionAttribute11", "{ministry}/{top_unit}").unwrap();
    Policy { mapping, mailboxes: Mailboxes::Remote { routing_domain: "csb.mail.onmicrosoft.com".into() }, ..policy() }
}

#[tokio::test]
async fn a_newcomer_a_transfer_a_marriage_a_leaver_and_a_return_are_right_in_outlook() {
    let samba = Samba::start();
    let ministry = Ministry::on_samba_with("2026-12-01", &samba, remote()).await;
    ministry.units().await;
    let mut hr = Hr::default();
    says(&ministry, &mut hr, "S001: given=Ayşe Nur; family=Şahin; start=2026-12-01; unit=20000004; post=Mühendis; ext=1234; office=A-12")
        .await;
    reads(
        &samba,
        &[
            ("displayName", "Ayşe Nur Şahin"),
            ("givenName", "Ayşe Nur"),
            ("sn", "Şahin"),
            ("initials", "A.N.Ş."),
            ("title", "Mühendis"),
            ("department", "Ağrı İl Müdürlüğü"),
            ("company", "Ağrı İl Müdürlüğü"),
            ("physicalDeliveryOfficeName", "A-12"),
            ("telephoneNumber", "1234"),
            ("mobile", ""),
            ("l", "Ağrı"),
            ("st", "Ağrı"),
            ("c", "TR"),
            ("co", "Türkiye"),
            ("countryCode", "792"),
            ("employeeID", "S001"),
            ("mail", "ayse.nur.sahin@csb.test"),
            ("mailNickname", "ayse.nur.sahin"),
            ("proxyAddresses", "SMTP:ayse.nur.sahin@csb.test|smtp:ayse.nur.sahin@csb.mail.onmicrosoft.com"),
            ("targetAddress", "SMTP:ayse.nur.sahin@csb.mail.onmicrosoft.com"),
            ("msExchRecipientDisplayType", "-2147483642"),
            ("msExchRecipientTypeDetails", "2147483648"),
            ("msExchRemoteRecipientType", "1"),
            ("msExchHideFromAddressLists", ""),
            ("extensionAttribute1", "20000004"),
            ("extensionAttribute2", ""),
            ("extensionAttribute11", "Çevre ve Şehircilik Bakanlığı/Ağrı İl Müdürlüğü"),
        ],
    );
    assert!(listed(&samba, ALL_USERS) && listed(&samba, "(&(mailNickname=*)(st=Ağrı))"));

    // Somebody else's: X500 addresses, an attribute without a rule, a mailbox that has been moved since.
    let dn = ministry.person("S001").await.account.unwrap().dn.unwrap();
    samba.admin_modify(&format!(
        "dn: {}\nchangetype: modify\nadd: proxyAddresses\nproxyAddresses: X500:/o=CSB/cn=old\n-\nadd: extensionAttribute2\n\
         extensionAttribute2: theirs\n-\nreplace: msExchRemoteRecipientType\nmsExchRemoteRecipientType: 4\n-\nreplace: title\ntitle: Bakan\n",
        dn
    ));
    says(&ministry, &mut hr, "S001: unit=12100000; title=Şube Müdürü").await;
    reads(
        &samba,
        &[
            ("title", "Şube Müdürü"),
            ("department", "Yazılım Dairesi Başkanlığı"),
            ("company", "Çevre ve Şehircilik Bakanlığı"),
            ("telephoneNumber", "+90 312 410 10 00 / 1234"),
            ("l", "Ankara"),
            ("st", "Ankara"),
            ("extensionAttribute1", "12100000"),
            ("extensionAttribute2", "theirs"),
            ("msExchRemoteRecipientType", "4"),
        ],
    );
    assert!(listed(&samba, "(&(mailNickname=*)(st=Ankara))") && !listed(&samba, "(st=Ağrı)"));

    says(&ministry, &mut hr, "S001: family=Öztürk").await;
    reads(
        &samba,
        &[
            ("sn", "Öztürk"),
            ("initials", "A.N.Ö."),
            ("mail", "ayse.nur.ozturk@csb.test"),
            (
                "proxyAddresses",
                "SMTP:ayse.nur.ozturk@csb.test|X500:/o=CSB/cn=old|smtp:ayse.nur.ozturk@csb.mail.onmicrosoft.com|\
                 smtp:ayse.nur.sahin@csb.mail.onmicrosoft.com|smtp:ayse.nur.sahin@csb.test",
            ),
            ("targetAddress", "SMTP:ayse.nur.ozturk@csb.mail.onmicrosoft.com"),
        ],
    );

    says(&ministry, &mut hr, "S001: end=2026-12-01").await;
    ministry.clock.set(day("2026-12-02"));
    sync(&ministry).await;
    reads(&samba, &[("msExchHideFromAddressLists", "TRUE"), ("mail", "ayse.nur.ozturk@csb.test")]);
    assert!(!listed(&samba, ALL_USERS));

    says(&ministry, &mut hr, "S002: given=Ayşe Nur; family=Şahin; start=2026-12-02; unit=12100000; post=Memur").await;
    let address = samba.value("(employeeID=S002)", "mail").unwrap();
    assert!(!address.starts_with("ayse.nur.sahin@"), "a leaver's address was given again: {address}");

    says(&ministry, &mut hr, "S001: start=2026-12-02; end=; status=ACTIVE").await;
    assert_eq!(ministry.person("S001").await.account.unwrap().state, AccountState::Active);
    reads(&samba, &[("msExchHideFromAddressLists", ""), ("mail", "ayse.nur.ozturk@csb.test"), ("title", "Şube Müdürü")]);
    assert!(listed(&samba, ALL_USERS));

    // Gone for good: mail is taken until the day, and not on it. X500 addresses stay: replies to old mail find who comes back.
    says(&ministry, &mut hr, "S001: end=2026-12-02").await;
    ministry.clock.set(day("2026-12-03"));
    sync(&ministry).await;
    ministry.clock.set(day("2027-03-02"));
    sync(&ministry).await;
    reads(&samba, &[("msExchRecipientTypeDetails", "2147483648"), ("mail", "ayse.nur.ozturk@csb.test")]);
    ministry.clock.set(day("2027-03-03"));
    ministry.work().await;
    reads(
        &samba,
        &[
            ("msExchHideFromAddressLists", "TRUE"),
            ("mail", ""),
            ("mailNickname", ""),
            ("proxyAddresses", "X500:/o=CSB/cn=old"),
            ("targetAddress", ""),
            ("msExchRecipientDisplayType", ""),
            ("msExchRecipientTypeDetails", ""),
            ("msExchRemoteRecipientType", ""),
            ("displayName", "Ayşe Nur Öztürk"),
        ],
    );
    assert!(!listed(&samba, "(|(mailNickname=*)(targetAddress=*)(mail=*))"));
    sync(&ministry).await;

    // Somebody gives the alias to a contact of his own, behind Kimlik's back: it is not taken from him.
    samba.admin_modify(&format!(
        "dn: CN=Hane,{BASE}\nchangetype: add\nobjectClass: contact\nproxyAddresses: smtp:ayse.nur.sahin@csb.test\n"
    ));
    // Nobody else gets the address meanwhile, and who returns has it again.
    says(&ministry, &mut hr, "S003: given=Ayşe Nur; family=Öztürk; start=2027-03-03; unit=12100000; post=Memur").await;
    assert_ne!(samba.value("(employeeID=S003)", "mail").as_deref(), Some("ayse.nur.ozturk@csb.test"));
    says(&ministry, &mut hr, "S001: start=2027-03-03; end=; status=ACTIVE").await;
    reads(
        &samba,
        &[
            ("mail", "ayse.nur.ozturk@csb.test"),
            ("mailNickname", "ayse.nur.ozturk"),
            ("proxyAddresses", "SMTP:ayse.nur.ozturk@csb.test|X500:/o=CSB/cn=old|smtp:ayse.nur.ozturk@csb.mail.onmicrosoft.com"),
            ("targetAddress", "SMTP:ayse.nur.ozturk@csb.mail.onmicrosoft.com"),
            ("msExchRecipientDisplayType", "-2147483642"),
            ("msExchRecipientTypeDetails", "2147483648"),
            ("msExchRemoteRecipientType", "1"),
            ("msExchHideFromAddressLists", ""),
        ],
    );
    assert!(listed(&samba, ALL_USERS));
}

#[tokio::test]
async fn an_earlier_address_leaves_after_its_term_and_stays_its_owners() {
    let samba = Samba::start();
    let mut policy = remote();
    policy.names.keep_aliases_days = Some(365);
    let ministry = Ministry::on_samba_with("2026-12-01", &samba, policy).await;
    ministry.units().await;
    let mut hr = Hr::default();
    says(&ministry, &mut hr, "S001: given=Ayşe; family=Şahin; start=2026-12-01; unit=12100000; post=Memur").await;
    says(&ministry, &mut hr, "S001: family=Öz").await;
    let dn = ministry.person("S001").await.account.unwrap().dn.unwrap();
    samba.admin_modify(&format!(
        "dn: {dn}\nchangetype: modify\nadd: proxyAddresses\nproxyAddresses: X500:/o=CSB/cn=old\nproxyAddresses: smtp:masa.7@csb.test\n"
    ));
    let both = "SMTP:ayse.oz@csb.test|X500:/o=CSB/cn=old|smtp:ayse.oz@csb.mail.onmicrosoft.com|smtp:ayse.sahin@csb.mail.onmicrosoft.com|\
                smtp:ayse.sahin@csb.test|smtp:masa.7@csb.test";
    let one = "SMTP:ayse.oz@csb.test|X500:/o=CSB/cn=old|smtp:ayse.oz@csb.mail.onmicrosoft.com|smtp:masa.7@csb.test";
    ministry.clock.set(day("2027-11-30"));
    sync(&ministry).await;
    reads(&samba, &[("proxyAddresses", both)]);
    ministry.clock.set(day("2027-12-01"));
    let plan = ministry.plan().await;
    assert!(plan.text().contains("because earlier addresses have been kept for their term: ayse.sahin@csb.test"), "{}", plan.text());
    ministry.work().await;
    reads(&samba, &[("proxyAddresses", one), ("mail", "ayse.oz@csb.test")]);
    assert!(ministry.plan().await.people.iter().all(|p| p.is_empty()));
    let card = ministry.person("S001").await.account.unwrap().names;
    assert_eq!(card.kept(Some(365), day("2027-12-01")).count(), 0);

    // Put back by hand it is taken away again; nobody else gets it, and its owner does, with a new term when it goes.
    samba.admin_modify(&format!("dn: {dn}\nchangetype: modify\nadd: proxyAddresses\nproxyAddresses: smtp:ayse.sahin@csb.test\n"));
    sync(&ministry).await;
    reads(&samba, &[("proxyAddresses", one)]);
    says(&ministry, &mut hr, "S002: given=Ayşe; family=Şahin; start=2027-12-01; unit=12100000; post=Memur").await;
    assert_eq!(samba.value("(employeeID=S002)", "mail").as_deref(), Some("a.sahin@csb.test"));
    says(&ministry, &mut hr, "S001: family=Şahin").await;
    reads(&samba, &[("mail", "ayse.sahin@csb.test")]);
    ministry.clock.set(day("2028-11-30"));
    ministry.work().await;
    reads(
        &samba,
        &[("proxyAddresses", "SMTP:ayse.sahin@csb.test|X500:/o=CSB/cn=old|smtp:ayse.sahin@csb.mail.onmicrosoft.com|smtp:masa.7@csb.test")],
    );
}

#[tokio::test]
async fn a_value_at_its_limit_is_whole_and_one_over_is_cut_between_letters_and_said() {
    let samba = Samba::start();
    let mut policy = policy();
    policy.mapping.set("title", "{title}{office}").unwrap();
    let ministry = Ministry::on_samba_with("2026-12-01", &samba, policy).await;
    ministry.units().await;
    let mut hr = Hr::default();
    // 100 and 28 make the 128 that `title` holds, counted as the directory counts: 𝒮 is two.
    let (title, astral) = ("ş".repeat(100), "𝒮".repeat(14));
    says(&ministry, &mut hr, &format!("S001: given=Ali; family=Can; start=2026-12-01; unit=12100000; post={title}; office={astral}")).await;
    let whole = format!("{title}{astral}");
    reads(&samba, &[("title", &whole), ("msExchRecipientTypeDetails", ""), ("targetAddress", "")]);
    let cut = |issues: &[IssueKind]| issues.contains(&IssueKind::CardValueCut);
    assert!(!cut(&ministry.person("S001").await.open_issues));

    says(&ministry, &mut hr, &format!("S001: post={title}ğ")).await;
    let kept = samba.value(ME, "title").unwrap();
    let length = kept.encode_utf16().count();
    assert!((120..=128).contains(&length) && format!("{title}ğ{astral}").starts_with(&kept), "{length}: {kept}");
    assert!(cut(&ministry.person("S001").await.open_issues));

    says(&ministry, &mut hr, &format!("S001: post={title}")).await;
    assert!(!cut(&ministry.person("S001").await.open_issues));
}

#[tokio::test]
async fn what_exchange_rules_over_is_reported_and_left_alone() {
    let samba = Samba::start();
    let ministry = Ministry::on_samba_with("2026-12-01", &samba, remote()).await;
    ministry.units().await;
    let mut hr = Hr::default();
    says(&ministry, &mut hr, "S001: given=Ali; family=Can; start=2026-12-01; unit=12100000; post=Memur").await;
    let dn = ministry.person("S001").await.account.unwrap().dn.unwrap();
    samba.admin_modify(&format!(
        "dn: {}\nchangetype: modify\nreplace: msExchPoliciesIncluded\nmsExchPoliciesIncluded: {{26491cfc-9e50-4857-861b-0cb8df22b5d7}}\n-\n\
         replace: mail\nmail: by.policy@csb.test\n-\nreplace: msExchRecipientTypeDetails\nmsExchRecipientTypeDetails: 1\n-\n\
         replace: targetAddress\ntargetAddress: SMTP:elsewhere@csb.test\n",
        dn
    ));
    sync(&ministry).await;
    reads(&samba, &[("mail", "by.policy@csb.test"), ("targetAddress", "SMTP:elsewhere@csb.test"), ("msExchRecipientTypeDetails", "1")]);
    let issues = ministry.person("S001").await.open_issues;
    assert!(issues.contains(&IssueKind::AddressPolicy) && issues.contains(&IssueKind::ForeignMailbox), "{issues:?}");

    samba.admin_modify(&format!(
        "dn: {}\nchangetype: modify\ndelete: msExchPoliciesIncluded\n-\nreplace: msExchRecipientTypeDetails\n\
         msExchRecipientTypeDetails: 2147483648\n",
        dn
    ));
    sync(&ministry).await;
    reads(&samba, &[("mail", "ali.can@csb.test"), ("targetAddress", "SMTP:ali.can@csb.mail.onmicrosoft.com")]);
    assert_eq!(ministry.person("S001").await.open_issues, []);
    assert_eq!(samba.value(ME, Attribute::MailNickname.ldap_name()).as_deref(), Some("ali.can"));
}

#[tokio::test]
async fn an_address_that_two_accounts_carry_is_an_issue_until_one_of_them_has_lost_it() {
    let samba = Samba::start();
    let ministry = Ministry::on_samba_with("2026-12-01", &samba, policy()).await;
    ministry.units().await;
    let mut hr = Hr::default();
    says(&ministry, &mut hr, "S001: given=Ali; family=Can; start=2026-12-01; unit=12100000; post=Memur").await;
    says(&ministry, &mut hr, "S002: given=Veli; family=Kan; start=2026-12-01; unit=12100000; post=Memur").await;
    let dn = ministry.person("S002").await.account.unwrap().dn.unwrap();
    let change = |how: &str| {
        samba.admin_modify(&format!("dn: {dn}\nchangetype: modify\n{how}: proxyAddresses\nproxyAddresses: smtp:Ali.Can@csb.test\n"))
    };
    change("add");
    ministry.sync().await;
    let of = async |no: &str| ministry.person(no).await.open_issues;
    assert_eq!((of("S001").await, of("S002").await), (vec![IssueKind::DuplicateAddress], vec![IssueKind::DuplicateAddress]));
    let issues = ministry.store.issues(None, 10).await.unwrap();
    let says_where = |text: &str| text.contains("ali.can@csb.test") && text.contains(dn.as_str());
    assert!(issues.iter().any(|i| says_where(&i.issue.message)), "{issues:?}");
    ministry.work().await;
    assert_eq!(of("S001").await, [IssueKind::DuplicateAddress], "a look at some people tells nothing of it");
    change("delete");
    ministry.sync().await;
    assert_eq!((of("S001").await, of("S002").await), (vec![], vec![]));
}

#[tokio::test]
async fn who_returns_and_finds_the_address_given_away_by_hand_gets_another() {
    let samba = Samba::start();
    let ministry = Ministry::on_samba_with("2026-12-01", &samba, remote()).await;
    ministry.units().await;
    let mut hr = Hr::default();
    says(&ministry, &mut hr, "S001: given=Ali; family=Can; start=2026-12-01; unit=12100000; post=Memur").await;
    says(&ministry, &mut hr, "S001: end=2026-12-01").await;
    ministry.clock.set(day("2026-12-02"));
    sync(&ministry).await;
    ministry.clock.set(day("2027-04-01"));
    sync(&ministry).await;
    reads(&samba, &[("mail", "")]);
    samba.admin_modify(&format!("dn: CN=Hane,{BASE}\nchangetype: add\nobjectClass: contact\nproxyAddresses: SMTP:ali.can@csb.test\n"));
    says(&ministry, &mut hr, "S001: start=2027-04-01; end=; status=ACTIVE").await;
    reads(
        &samba,
        &[
            ("sAMAccountName", "ali.can"),
            ("mail", "a.can@csb.test"),
            ("proxyAddresses", "SMTP:a.can@csb.test|smtp:a.can@csb.mail.onmicrosoft.com"),
        ],
    );
}
