//! A real directory: what Kimlik adds to the bare LDAP operations. Floors run in turn with it, in the same minute.
use crate::{median, timed};
use futures_util::{StreamExt, stream};
use kimlik_tests::lab::Samba;
use kimlik_tests::ministry::{BASE, GROUPS, Ministry, STAFF_HEADER};
use kimlik_tests::scenario::Hr;
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, Mod, Scope};
use std::collections::HashSet;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

pub const ACCOUNTS: usize = 5_000;
const BATCH: usize = 500;
const BATCHES: usize = 3;
/// DNs come with GUID and SID in front, as text.
const EXTENDED_DN: &str = "!1.2.840.113556.1.4.529=::MAMCAQE=";
const FLOOR: &str = "OU=Floor,DC=csb,DC=test";

fn letters(n: usize) -> String {
    [n / 676 % 26, n / 26 % 26, n % 26].iter().map(|d| char::from(b'a' + *d as u8)).collect()
}

pub fn hired(hr: &mut Hr, people: std::ops::Range<usize>) -> String {
    const UNITS_OF: [&str; 3] = ["20000004", "20000006", "20000035"];
    let rows: Vec<String> = people
        .flat_map(|i| {
            hr.says(&format!(
                "S{i:05}: given=Ad{}; family=Soy{}; unit={}; start=2020-01-01; reason=1; title=Uzman",
                letters(i / 7),
                letters(i),
                UNITS_OF[i % 3]
            ))
        })
        .collect();
    format!("{STAFF_HEADER}\n{}\n", rows.join("\n"))
}

/// The administrator's connection: the floor does what must be done and nothing else.
pub async fn connection(samba: &Samba) -> Ldap {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let mut roots = rustls::RootCertStore::empty();
    CertificateDer::pem_slice_iter(&samba.ca_pem()).for_each(|c| roots.add(c.unwrap()).unwrap());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let settings = LdapConnSettings::new().set_config(Arc::new(tls));
    let (driver, mut ldap) = LdapConnAsync::with_settings(settings, &samba.url()).await.unwrap();
    tokio::spawn(driver.drive());
    let administrator = kimlik_tests::lab::ADMINISTRATION;
    ldap.simple_bind(administrator.0, administrator.1).await.unwrap().success().unwrap();
    ldap
}

/// Look-up, add, password, group, enable: what opening an account takes, with the attributes that Kimlik writes.
async fn open_bare(mut ldap: Ldap, n: usize) {
    let name = format!("floor.{}", letters(n));
    ldap.search(BASE, Scope::Subtree, &format!("(sAMAccountName={name})"), ["objectGUID"]).await.unwrap().success().unwrap();
    let dn = format!("CN=Floor {},{FLOOR}", letters(n));
    let set = |v: &str| HashSet::from([v.as_bytes().to_vec()]);
    let text = |k: &'static str, v: &str| (k.as_bytes().to_vec(), set(v));
    let mail = format!("{name}@csb.test");
    let attributes = vec![
        text("objectClass", "user"),
        text("sAMAccountName", &name),
        text("userPrincipalName", &mail),
        text("userAccountControl", "514"),
        text("displayName", &name),
        text("givenName", "Floor"),
        text("sn", &name),
        text("employeeID", &format!("F{n}")),
        text("title", "Uzman"),
        text("department", "Ağrı İl Müdürlüğü"),
        text("company", "Ağrı İl Müdürlüğü"),
        text("l", "Ağrı"),
        text("st", "Ağrı"),
        text("c", "TR"),
        text("co", "Türkiye"),
        text("countryCode", "792"),
        text("mail", &mail),
        text("mailNickname", &name),
        text("proxyAddresses", &format!("SMTP:{mail}")),
    ];
    ldap.add(&dn, attributes).await.unwrap().success().unwrap();
    let password: Vec<u8> = "\"Xy7-floor-password-aA1\"".encode_utf16().flat_map(u16::to_le_bytes).collect();
    ldap.modify(&dn, vec![Mod::Replace(b"unicodePwd".to_vec(), HashSet::from([password]))]).await.unwrap().success().unwrap();
    let group = format!("{},{BASE}", GROUPS[1]);
    ldap.modify(&group, vec![Mod::Add(b"member".to_vec(), set(&dn))]).await.unwrap().success().unwrap();
    ldap.modify(&dn, vec![Mod::Replace(b"userAccountControl".to_vec(), set("512"))]).await.unwrap().success().unwrap();
}

/// The same attributes, paged, by the tool that everybody has.
/// Why as whom: what a controller checks of each entry depends on who asks.
fn ldapsearch(samba: &Samba, (user, password): (&str, &str), attributes: &[&str], controls: &[&str]) -> Duration {
    let began = std::time::Instant::now();
    let status = std::process::Command::new("ldapsearch")
        .env("LDAPTLS_REQCERT", "never")
        .args(["-x", "-LLL", "-o", "ldif-wrap=no", "-E", "pr=1000/noprompt", "-H", &samba.url(), "-D", user, "-w", password])
        .args(controls)
        .args(["-b", BASE, "(&(objectCategory=person)(objectClass=user))"])
        .args(attributes)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    began.elapsed()
}

pub async fn compare() {
    let samba = Samba::start();
    let ministry = Ministry::on_samba("2026-12-01", &samba).await;
    samba.admin_modify(&format!("dn: {FLOOR}\nchangetype: add\nobjectClass: organizationalUnit\n"));
    ministry.units().await;
    let ldap = connection(&samba).await;
    let mut hr = Hr::default();
    let (mut floors, mut kimliks) = (Vec::new(), Vec::new());
    for batch in 0..BATCHES {
        let people = batch * BATCH..(batch + 1) * BATCH;
        let bare = stream::iter(people.clone().map(|n| open_bare(ldap.clone(), n))).buffer_unordered(8).collect::<Vec<()>>();
        floors.push(timed(bare).await.0);
        ministry.hr("staff-delta", &hired(&mut hr, people)).await;
        let (time, run) = timed(ministry.sync()).await;
        assert_eq!(run.summary.done as usize, BATCH, "{:?}", run.summary);
        kimliks.push(time);
    }
    let rate = |times: &[Duration]| BATCH as f64 / median(times.to_vec()).as_secs_f64();
    let (floor, kimlik) = (rate(&floors), rate(&kimliks));
    println!("--- opening accounts (at least 0.85 of the floor)");
    println!("bare ldap3, 8 in flight: {floor:.1}/s; Kimlik: {kimlik:.1}/s; ratio {:.2}", kimlik / floor);

    ministry.hr("staff-delta", &hired(&mut hr, BATCHES * BATCH..ACCOUNTS)).await;
    ministry.sync().await;
    let attributes: Vec<&str> = kimlik_domain::account::Attribute::ALL
        .iter()
        .map(|a| a.ldap_name())
        .chain(["objectGUID", "userAccountControl", "pwdLastSet", "adminCount", "memberOf", "primaryGroupID"])
        .chain(["msExchPoliciesIncluded", "msExchPoliciesExcluded"])
        .collect();
    let settings = samba.settings();
    let own = (settings.bind_dn.as_str(), settings.bind_password.as_str());
    let (mut floors, mut decorated, mut administrators, mut kimliks) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..5 {
        floors.push(ldapsearch(&samba, own, &attributes, &[]));
        decorated.push(ldapsearch(&samba, own, &attributes, &["-E", EXTENDED_DN]));
        administrators.push(ldapsearch(&samba, kimlik_tests::lab::ADMINISTRATION, &attributes, &[]));
        let (time, run) = timed(ministry.sync()).await;
        assert_eq!(run.summary.planned.values().sum::<u32>(), 0, "{:?}", run.summary);
        kimliks.push(time);
    }
    let (floor, decorated, administrator, kimlik) = (median(floors), median(decorated), median(administrators), median(kimliks));
    println!("--- a run without changes over {ACCOUNTS} accounts (at most 1.2 of the floor)");
    println!(
        "ldapsearch as Kimlik's account, paged: {floor:.2?}; Kimlik: {kimlik:.2?}; ratio {:.2}",
        kimlik.as_secs_f64() / floor.as_secs_f64()
    );
    println!("ldapsearch with GUIDs of groups and managers, which Kimlik knows them by: {decorated:.2?}");
    println!("ldapsearch as the domain's administrator, of whom the controller checks less: {administrator:.2?}");
}
