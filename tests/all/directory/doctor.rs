//! What the doctor finds in a real domain, and that it says what to do and never the password.
use super::active_directory::domain;
use super::contract::create;
use kimlik_adapters::directory::active_directory::{ActiveDirectory, AdSettings, delegation_commands};
use kimlik_adapters::system::SystemClock;
use kimlik_domain::account::{Dn, Mapping};
use kimlik_domain::health::{Finding, Health};
use kimlik_domain::message::Language;
use kimlik_domain::ports::{Clock, Directory, Inspect, PortError};
use kimlik_tests::lab::samba::{Certificate, SERVICE_PASSWORD};
use std::sync::Arc;
use std::time::Duration;

struct Late;
impl Clock for Late {
    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        SystemClock.now() - chrono::TimeDelta::seconds(400)
    }
}

async fn inspect(settings: AdSettings) -> Vec<Finding> {
    let findings = ActiveDirectory::new(settings, Arc::new(SystemClock)).unwrap().inspect().await;
    for finding in &findings {
        assert_eq!(finding.mend(Language::En).is_empty(), finding.health() == Health::Good, "{finding:?}");
        assert!(!format!("{finding:?}").contains(SERVICE_PASSWORD) && !format!("{finding:?}").contains("Wrong-Pass"));
    }
    findings
}

fn about<'a>(findings: &'a [Finding], what: &str) -> &'a Finding {
    findings.iter().find(|f| f.about(Language::En).contains(what)).unwrap_or_else(|| panic!("nothing about {what} in {findings:#?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_with_the_printed_delegation_is_found_good() {
    let f = domain();
    create(&f, "Ör Nek", "or.nek", &[]).await;
    let mut settings = f.samba.settings();
    settings.extra_groups = vec![Dn::new("CN=Tasra Personeli,OU=Gruplar,OU=CSB,DC=csb,DC=test")];
    let findings = inspect(settings).await;
    let bad: Vec<_> = findings.iter().filter(|f| f.health() != Health::Good).collect();
    assert!(bad.is_empty(), "{bad:#?}");
    for what in ["certificate of 127", "clock", "base_dn", "closed_ou", "default_ou", "schema", "rights on accounts", "Tasra Personeli"] {
        about(&findings, what);
    }
    assert!(about(&findings, "schema").found(Language::En).contains("with the Exchange extension"));
    // One account, one OU and one group that the delegation does not reach.
    let mut settings = f.samba.settings();
    settings.base = Dn::new("DC=csb,DC=test");
    settings.default_ou = Dn::new("OU=Elsewhere,DC=csb,DC=test");
    settings.closed_ou = Dn::new("OU=Nowhere,DC=csb,DC=test");
    settings.extra_groups = vec![Dn::new("CN=Domain Guests,CN=Users,DC=csb,DC=test"), Dn::new("CN=None,DC=csb,DC=test")];
    let findings = inspect(settings).await;
    for what in ["base_dn", "default_ou", "closed_ou", "Domain Guests", "CN=None"] {
        assert_eq!(about(&findings, what).health(), Health::Broken, "{what}");
    }
    assert!(about(&findings, "closed_ou").found(Language::En).contains("there is no"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mapping_is_held_against_the_schema_that_is_there() {
    let f = domain();
    create(&f, "Ör Nek", "or.nek", &[]).await;
    let settings = |rule: &str| {
        let mut settings = f.samba.settings();
        settings.mapping.set("extensionAttribute5", rule).unwrap();
        settings
    };
    let bad = async |rule| inspect(settings(rule)).await.into_iter().filter(|f| f.health() != Health::Good).collect::<Vec<_>>();
    assert_eq!(bad("{unit_name}").await, []);
    f.samba.on_the_controller(
        "printf 'dn: CN=ms-Exch-Extension-Attribute-5,CN=Schema,CN=Configuration,DC=csb,DC=test\nchangetype: modify\n\
         replace: rangeUpper\nrangeUpper: 12\n' | ldbmodify -H \"$(dirname \"$SMB_CONF_PATH\")/private/sam.ldb\" \
         --option='dsdb:schema update allowed=true'",
    );
    let found = bad("{unit_name}").await;
    assert!(found.len() == 1 && found[0].about(Language::En) == "setting card.mapping.extensionAttribute5", "{found:?}");
    assert!(found[0].found(Language::En).contains("takes 12 characters in this directory, and up to 1024 are written"), "{found:?}");
    assert_eq!(bad("{unit_code}").await, [], "eight digits fit");
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_are_no_good_are_told_apart_and_stop_every_operation() {
    let f = domain();
    for (kind, found, mend) in [
        (Certificate::Expired, "it expired on 2020-02-01", "new certificate"),
        (Certificate::WrongName, "for another name: other.csb.test", "use in urls the name"),
        (Certificate::OtherAuthority, "issuer: CN=Another CA", "ca_file"),
    ] {
        f.samba.give_certificate(kind);
        let findings = inspect(f.samba.settings()).await;
        let finding = about(&findings, "certificate");
        assert_eq!(finding.health(), Health::Broken);
        assert!(finding.found(Language::En).contains(found) && finding.mend(Language::En).contains(mend), "{finding:?}");
        let fresh = ActiveDirectory::new(f.samba.settings(), Arc::new(SystemClock)).unwrap();
        let refused = fresh.containers().await.unwrap_err();
        assert!(matches!(&refused, PortError::Unavailable(text) if text.contains("TLS")), "{refused:?}");
    }
    f.samba.give_certificate(Certificate::EndsSoon);
    let findings = inspect(f.samba.settings()).await;
    assert_eq!(about(&findings, "certificate").health(), Health::Doubtful);
    assert_eq!(about(&findings, "domain controller").health(), Health::Good);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_bind_says_why_and_never_the_password() {
    let f = domain();
    let mut settings = f.samba.settings();
    settings.bind_password = "Wrong-Password-1!".to_owned().into();
    let wrong = ActiveDirectory::new(settings.clone(), Arc::new(SystemClock)).unwrap();
    let refused = wrong.containers().await.unwrap_err();
    assert!(matches!(refused, PortError::Unavailable(_)));
    assert!(refused.to_string().contains("unknown account or wrong password") && !refused.to_string().contains("Wrong-Pass"));
    assert!(!format!("{settings:?}").contains("Wrong-Pass"));
    for _ in 0..10 {
        assert_eq!(wrong.containers().await.unwrap_err(), refused);
    }
    let tried = f.samba.value("(sAMAccountName=svc-idm)", "badPwdCount");
    assert_eq!(tried.as_deref(), Some("1"), "the account is not locked by trying on");
    let findings = inspect(settings).await;
    let finding = about(&findings, "domain controller");
    assert!(finding.health() == Health::Broken && finding.mend(Language::En).contains("bind_password_file"), "{finding:?}");

    let service = "CN=svc-idm,OU=ServiceAccounts,DC=csb,DC=test";
    // Without "password never expires", which would cancel "must change".
    f.samba.admin_modify(&format!("dn: {service}\nchangetype: modify\nreplace: userAccountControl\nuserAccountControl: 512\n"));
    for (change, found) in [
        ("pwdLastSet: 0", "must be changed"),
        ("accountExpires: 132000000000000000", "the account has expired"),
        ("userAccountControl: 514", "the account is disabled"),
    ] {
        let name = change.split(':').next().unwrap();
        f.samba.admin_modify(&format!("dn: {service}\nchangetype: modify\nreplace: {name}\n{change}\n"));
        let findings = inspect(f.samba.settings()).await;
        let finding = about(&findings, "domain controller");
        assert!(finding.health() == Health::Broken && finding.found(Language::En).contains(found), "{change}: {finding:?}");
        let undo = match name {
            "pwdLastSet" => "pwdLastSet: -1",
            "accountExpires" => "accountExpires: 0",
            _ => "userAccountControl: 512",
        };
        f.samba.admin_modify(&format!("dn: {service}\nchangetype: modify\nreplace: {name}\n{undo}\n"));
    }
    let mut settings = f.samba.settings();
    settings.bind_password = "Wrong-Password-1!".to_owned().into();
    for _ in 0..4 {
        inspect(settings.clone()).await;
    }
    let findings = inspect(f.samba.settings()).await;
    assert!(about(&findings, "domain controller").found(Language::En).contains("locked out"), "{findings:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_minutes_off_and_a_controller_that_is_down_are_found() {
    let f = domain();
    let late = ActiveDirectory::new(f.samba.settings(), Arc::new(Late)).unwrap();
    let findings = late.inspect().await;
    assert_eq!(about(&findings, "clock").health(), Health::Broken);
    f.samba.freeze();
    let mut settings = f.samba.settings();
    settings.timeout = Duration::from_millis(300);
    settings.urls.push("ldaps://127.88.255.1:636".into());
    let findings = inspect(settings).await;
    assert_eq!(findings.len(), 2);
    assert!(findings.iter().all(|f| f.health() == Health::Broken && f.found(Language::En).contains("reachable")
        || f.found(Language::En).contains("TLS is not answered")));
    f.samba.thaw();
}

#[test]
fn settings_that_cannot_be_right_are_refused_by_name() {
    let ca = rcgen::generate_simple_self_signed(["dc1.csb.test".to_owned()]).unwrap().cert.pem();
    let base = Dn::new("OU=CSB,DC=csb,DC=test");
    let settings = |change: &dyn Fn(&mut AdSettings)| {
        let mut settings = AdSettings {
            urls: vec!["ldaps://dc1.csb.test".into()],
            ca_pem: ca.clone().into_bytes(),
            bind_dn: "svc@csb.test".into(),
            bind_password: "x".to_owned().into(),
            closed_ou: base.below("OU=Ayrilanlar"),
            default_ou: base.clone(),
            base: base.clone(),
            upn_suffix: "csb.test".into(),
            correlation: None,
            extra_groups: Vec::new(),
            mapping: Mapping::default(),
            photos: false,
            timeout: Duration::from_secs(1),
            in_flight: 8,
            replication: Duration::ZERO,
        };
        change(&mut settings);
        ActiveDirectory::new(settings, Arc::new(SystemClock)).map(drop).map_err(|fault| fault.to_string())
    };
    assert_eq!(settings(&|_| {}), Ok(()));
    let refused = |change: &dyn Fn(&mut AdSettings), names: &str| {
        let fault = settings(change).unwrap_err();
        assert!(fault.starts_with("directory.active_directory.") && fault.contains(names), "{fault}");
    };
    refused(&|s| s.urls = vec!["ldap://dc1.csb.test".into()], "urls: ldap://dc1.csb.test is not encrypted");
    refused(&|s| s.urls.clear(), "urls");
    refused(&|s| s.ca_pem = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec(), "ca_file");
    refused(&|s| s.ca_pem = b"nothing".to_vec(), "ca_file: holds no certificate");
    refused(&|s| s.bind_password = String::new().into(), "bind_password_file");
    refused(&|s| s.base = Dn::new("OU=CSB, DC=csb, DC=test"), "base_dn");
    refused(&|s| s.closed_ou = Dn::new("OU=X,DC=test"), "closed_ou");
    refused(&|s| s.correlation = Some("a)(b".into()), "correlation");
}

/// The page is what operators read; the commands are what they run: both are held to what the program prints.
#[tokio::test(flavor = "multi_thread")]
async fn the_printed_delegation_is_on_the_operators_page_and_works_when_it_is_run() {
    let f = domain();
    let printed = delegation_commands(&f.samba.settings(), "CSB\\svc-kimlik", true);
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operators/active-directory.md")).unwrap();
    for line in printed.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        assert!(page.contains(line), "docs/operators/active-directory.md lacks: {line}");
    }
    create(&f, "Ör Nek", "or.nek", &[]).await;
    let account = "samba-tool user create svc-kimlik Another-Passw0rd-2 --userou=OU=ServiceAccounts\n";
    let without_photos = AdSettings { photos: false, ..f.samba.settings() };
    let printed = delegation_commands(&without_photos, "CSB\\svc-kimlik", true);
    let (_, for_samba) = printed.split_once("# Samba").unwrap();
    f.samba.on_the_controller(account);
    let mut settings = f.samba.settings();
    settings.bind_dn = "svc-kimlik@csb.test".into();
    settings.bind_password = "Another-Passw0rd-2".to_owned().into();
    let before = inspect(settings.clone()).await;
    assert_eq!(about(&before, "rights on accounts").health(), Health::Broken);
    assert_eq!(about(&before, "default_ou").health(), Health::Broken);
    f.samba.on_the_controller(&format!("#{for_samba}"));
    let with_photos = inspect(settings.clone()).await;
    assert_eq!(about(&with_photos, "rights on accounts").found(Language::En), "may not be written: thumbnailPhoto");
    settings.photos = false;
    let bad: Vec<_> = inspect(settings).await.into_iter().filter(|f| f.health() != Health::Good).collect();
    assert!(bad.is_empty(), "{bad:#?}");
}
