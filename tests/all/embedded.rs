//! The embedded directory keeps what the port promises, over a restart too.
#![allow(clippy::unwrap_used)]
use kimlik_adapters::directory::embedded::{EmbeddedDirectory, Foreign};
use kimlik_domain::account::{AccountRef, Attribute, Attributes, Change, Dn, LedgerName, NameKind, NewAccount, Value};
use kimlik_domain::health::Health;
use kimlik_domain::id::AccountGuid;
use kimlik_domain::ports::{Directory, FindBy, Inspect, PortError, Refusal};
use std::sync::Arc;
use std::time::Instant;
use zeroize::Zeroizing;

fn base() -> Dn {
    Dn::new("OU=CSB,DC=csb,DC=test")
}
fn staff() -> Dn {
    base().below("OU=Ağrı,OU=Tasra")
}
fn closed() -> Dn {
    base().below("OU=Ayrilanlar")
}
fn group() -> Dn {
    base().below("CN=Tasra Personeli,OU=Gruplar")
}

async fn open(folder: &tempfile::TempDir) -> EmbeddedDirectory {
    let directory = EmbeddedDirectory::open(&folder.path().join("ad.db"), base(), "csb.test", Some("employeeNumber".into())).await.unwrap();
    directory.ensure_containers(&[staff(), closed()]).await.unwrap();
    directory.ensure_groups(&[group()]).await.unwrap();
    directory
}

fn new(cn: &str, username: &str) -> NewAccount {
    let mut attributes = Attributes::default();
    attributes.set(Attribute::Username, Some(Value::text(username)));
    attributes.set(Attribute::UserPrincipalName, Some(Value::text(format!("{username}@csb.test"))));
    attributes.set(Attribute::DisplayName, Some(Value::text(cn)));
    attributes.set(Attribute::EmployeeId, Some(Value::text(format!("S-{username}").chars().take(16).collect::<String>())));
    attributes.set(Attribute::Mail, Some(Value::text(format!("{username}@csb.test"))));
    attributes.set(Attribute::ProxyAddresses, Some(Value::list(vec![format!("SMTP:{username}@csb.test").into()])));
    NewAccount { ou: staff(), cn: cn.into(), attributes }
}

fn change(attribute: Attribute, from: Option<&str>, to: Option<&str>) -> Change {
    Change { attribute, from: from.map(Value::text), to: to.map(Value::text) }
}

fn refusal<T: std::fmt::Debug>(result: Result<T, PortError>) -> Refusal {
    result.unwrap_err().refusal().unwrap()
}

async fn pages(directory: &EmbeddedDirectory, since: Option<&kimlik_domain::ports::Watermark>) -> (Vec<AccountGuid>, bool) {
    let mut scan = directory.scan(since).await.unwrap();
    let mut seen = Vec::new();
    while let Some(page) = scan.next_page().await.unwrap() {
        seen.extend(page.iter().map(|a| a.guid));
    }
    (seen, scan.is_incremental())
}

fn password() -> Zeroizing<String> {
    Zeroizing::new("Kimse-bilmez-7".to_owned())
}

#[tokio::test]
async fn an_account_lives_from_its_opening_to_its_closing_and_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(&folder).await;
    let account = directory.create(&new("Şahin, Ayşe", "ayse.sahin")).await.unwrap();
    assert_eq!(account.dn, staff().below("CN=Şahin\\, Ayşe"));
    assert_eq!(refusal(directory.set_enabled(&account, true).await), Refusal::Password);
    assert_eq!(refusal(directory.set_password(&account, &Zeroizing::new("kisa".into())).await), Refusal::Password);
    directory.set_password(&account, &password()).await.unwrap();
    directory.join_group(&account, &group()).await.unwrap();
    directory.join_group(&account, &group()).await.unwrap();
    assert_eq!(directory.check_password("ayse.sahin", &password()).await.unwrap(), None, "it is disabled");
    directory.set_enabled(&account, true).await.unwrap();
    directory.set_enabled(&account, true).await.unwrap();
    assert_eq!(directory.check_password("AYSE.SAHİN", &password()).await.unwrap(), Some(account.guid));
    assert_eq!(directory.check_password("ayse.sahin", &Zeroizing::new("Baska-bir-7".into())).await.unwrap(), None);
    assert_eq!(directory.check_password("kimse", &password()).await.unwrap(), None);
    directory.close().await;

    let directory = open(&folder).await;
    let held = directory.observe(&[account.guid]).await.unwrap().remove(0);
    assert!(held.enabled && held.password_set && held.protected.is_none());
    assert_eq!((held.groups.as_slice(), held.username()), ([group()].as_slice(), "ayse.sahin"));
    directory.leave_group(&account, &group()).await.unwrap();
    directory.leave_group(&account, &base().below("CN=Yok")).await.unwrap();
    directory.set_enabled(&account, false).await.unwrap();
    let dn = directory.move_to(&account, &closed(), "Şahin, Ayşe").await.unwrap();
    let held = directory.observe(&[account.guid]).await.unwrap().remove(0);
    assert_eq!((held.dn, held.groups.len(), held.enabled), (dn, 0, false));
    assert_eq!(directory.inspect().await[0].health(), Health::Good);
}

#[tokio::test]
async fn names_are_one_persons_without_regard_to_case_and_accents() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(&folder).await;
    directory.create(&new("Ali Şen", "ali.sen")).await.unwrap();
    assert_eq!(refusal(directory.create(&new("Ali Şen", "ALİ.ŞEN")).await), Refusal::NameTaken);
    assert_eq!(refusal(directory.create(&new("Grup", "tasra personeli")).await), Refusal::NameTaken);
    let second = directory.create(&new("ALİ ŞEN", "ali.sen2")).await.unwrap();
    assert_eq!(second.dn.name(), "ALİ ŞEN 2");
    let third = directory.create(&new("Ali Şen", "ali.sen3")).await.unwrap();
    assert_eq!(third.dn.name(), "Ali Şen 3");
    assert_eq!(directory.move_to(&third, &staff(), "Ali Şen").await.unwrap().name(), "Ali Şen 3", "already there");
    assert_eq!(directory.move_to(&third, &closed(), "Ali Şen").await.unwrap().name(), "Ali Şen");
    assert_eq!(directory.move_to(&second, &closed(), "Ali Şen").await.unwrap().name(), "Ali Şen 2");

    directory.insert_foreign(&Foreign::new(Dn::new("CN=Servis,CN=Users,DC=csb,DC=test"), "svc-eposta")).await.unwrap();
    let name = |kind, value: &str| LedgerName { kind, value: value.into() };
    let asked = [
        name(NameKind::Username, "svc-eposta"),
        name(NameKind::Username, "Ali.Sen2"),
        name(NameKind::Username, "tasra personeli"),
        name(NameKind::Username, "veli"),
        name(NameKind::Address, "ali.sen3@csb.test"),
        name(NameKind::Address, "veli@csb.test"),
    ];
    let taken = directory.names_taken(&asked).await.unwrap();
    let free: Vec<&str> = asked.iter().filter(|n| !taken.contains(*n)).map(|n| n.value.as_ref()).collect();
    assert_eq!(free, ["veli", "veli@csb.test"]);
}

#[tokio::test]
async fn a_change_is_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(&folder).await;
    let account = directory.create(&new("Ali", "ali")).await.unwrap();
    let head = directory.create(&new("Veli", "veli")).await.unwrap();
    let manager = |guid| Change { attribute: Attribute::Manager, from: None, to: Some(Value::Account(guid)) };
    let title = change(Attribute::Title, None, Some("Mühendis"));
    let unknown = AccountGuid(uuid::Uuid::from_u128(7));
    assert_eq!(refusal(directory.modify(&account, &[title.clone(), manager(unknown)]).await), Refusal::Value);
    assert_eq!(refusal(directory.modify(&account, &[title.clone(), change(Attribute::City, Some("Ağrı"), None)]).await), Refusal::Changed);
    let long = change(Attribute::Department, None, Some(&"x".repeat(65)));
    assert_eq!(refusal(directory.modify(&account, &[title.clone(), long]).await), Refusal::Value);
    let taken = change(Attribute::Username, Some("ali"), Some("veli"));
    assert_eq!(refusal(directory.modify(&account, &[title.clone(), taken]).await), Refusal::NameTaken);
    assert_eq!(directory.observe(&[account.guid]).await.unwrap()[0].attributes.text(Attribute::Title), None);

    let proxies = |values: &[&str]| Some(Value::list(values.iter().map(|v| Arc::from(*v)).collect()));
    let readdressed = Change {
        attribute: Attribute::ProxyAddresses,
        from: proxies(&["SMTP:ali@csb.test"]),
        to: proxies(&["smtp:ali@csb.test", "SMTP:ali.can@csb.test"]),
    };
    directory.modify(&account, &[title, manager(head.guid), readdressed.clone()]).await.unwrap();
    assert_eq!(refusal(directory.modify(&account, &[readdressed]).await), Refusal::Changed);
    let held = directory.observe(&[account.guid]).await.unwrap().remove(0);
    assert_eq!(held.attributes.get(Attribute::Manager), Some(&Value::Account(head.guid)));
    assert_eq!(held.attributes.get(Attribute::ProxyAddresses), proxies(&["smtp:ali@csb.test", "SMTP:ali.can@csb.test"]).as_ref());
}

#[tokio::test]
async fn rights_end_at_the_base_and_at_protected_accounts() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(&folder).await;
    let outside = Dn::new("CN=Users,DC=csb,DC=test");
    let guid = directory.insert_foreign(&Foreign::new(outside.below("CN=Yabancı"), "yabanci")).await.unwrap();
    let foreign = directory.observe(&[guid]).await.unwrap().remove(0).reference();
    let own = directory.create(&new("Ali", "ali")).await.unwrap();
    directory.set_protected(own.guid, Some("adminCount")).await.unwrap();
    for account in [&foreign, &own] {
        assert_eq!(refusal(directory.set_enabled(account, false).await), Refusal::Rights);
        assert_eq!(refusal(directory.set_password(account, &password()).await), Refusal::Rights);
        assert_eq!(refusal(directory.modify(account, &[change(Attribute::Title, None, Some("x"))]).await), Refusal::Rights);
        assert_eq!(refusal(directory.join_group(account, &group()).await), Refusal::Rights);
        assert_eq!(refusal(directory.move_to(account, &closed(), "x").await), Refusal::Rights);
    }
    directory.set_protected(own.guid, None).await.unwrap();
    assert_eq!(refusal(directory.move_to(&own, &outside, "Ali").await), Refusal::Rights);
    assert_eq!(refusal(directory.move_to(&own, &base().below("OU=Yok"), "Ali").await), Refusal::NotFound);
    assert_eq!(refusal(directory.join_group(&own, &base().below("CN=Yok")).await), Refusal::NotFound);
    let ghost = AccountRef { guid: AccountGuid(uuid::Uuid::from_u128(7)), dn: own.dn.clone() };
    assert_eq!(refusal(directory.set_enabled(&ghost, true).await), Refusal::NotFound);
    assert_eq!(directory.find(&FindBy { usernames: vec!["yabanci".into(), "ALI".into()], ..FindBy::default() }).await.unwrap().len(), 1);
    assert!(!directory.containers().await.unwrap().contains(&outside));
}

#[tokio::test]
async fn a_scan_pages_over_everybody_and_then_over_what_changed() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(&folder).await;
    let began = Instant::now();
    let mut last = None;
    for n in 0..2_300 {
        last = Some(directory.create(&new(&format!("Kişi {n}"), &format!("kisi{n}"))).await.unwrap());
    }
    eprintln!("2,300 creations: {:?}", began.elapsed());
    let (seen, incremental) = pages(&directory, None).await;
    assert_eq!((seen.len(), incremental), (2_300, false));
    let mark = directory.scan(None).await.unwrap().watermark();
    assert_eq!(pages(&directory, Some(&mark)).await, (vec![], true));
    let account = last.unwrap();
    directory.hand_edit(account.guid, Attribute::Title, Some(Value::text("Elle"))).await.unwrap();
    directory.hand_group(seen[7], &group(), true).await.unwrap();
    directory.hand_move(seen[8], &base().below("OU=Baska")).await.unwrap();
    directory.set_enabled(&account, false).await.unwrap();
    assert_eq!(pages(&directory, Some(&mark)).await, (vec![account.guid, seen[7], seen[8]], true));
    let other = kimlik_domain::ports::Watermark { source: "another controller".into(), ..mark };
    assert_eq!(pages(&directory, Some(&other)).await, (seen, false));
    let by = FindBy { display_names: vec!["KİŞİ 12".into()], employee_ids: vec!["S-kisi13".into()], ..FindBy::default() };
    assert_eq!(directory.find(&by).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_file_of_another_base_is_refused_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    open(&folder).await.close().await;
    let other = EmbeddedDirectory::open(&folder.path().join("ad.db"), Dn::new("OU=X,DC=y"), "y", None).await;
    assert!(other.err().unwrap().to_string().contains("OU=CSB,DC=csb,DC=test"));
    let missing = EmbeddedDirectory::open(&folder.path().join("yok/ad.db"), base(), "y", None).await;
    assert!(matches!(missing.err(), Some(PortError::Unavailable(text)) if text.contains("yok/ad.db")));
}

const FOLDER: &str = "KIMLIK_TEST_FOLDER";

#[tokio::test]
#[ignore = "the process that the next test kills"]
async fn a_process_that_opens_accounts_without_end() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let path = std::path::Path::new(&folder).join("ad.db");
    let directory = EmbeddedDirectory::open(&path, base(), "csb.test", None).await.unwrap();
    directory.ensure_containers(&[staff()]).await.unwrap();
    directory.ensure_groups(&[group()]).await.unwrap();
    for n in 0..1_000_000 {
        let account = directory.create(&new(&format!("Kişi {n}"), &format!("kisi{n}"))).await.unwrap();
        directory.set_password(&account, &password()).await.unwrap();
        directory.join_group(&account, &group()).await.unwrap();
        directory.set_enabled(&account, true).await.unwrap();
        println!("opened {}", account.guid);
    }
}

#[tokio::test]
async fn what_was_answered_is_there_after_kill_9() {
    use std::io::BufRead;
    let folder = tempfile::tempdir().unwrap();
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["embedded::a_process_that_opens_accounts_without_end", "--exact", "--ignored", "--nocapture"])
        .env(FOLDER, folder.path())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    let mut opened = Vec::new();
    let mut killed = false;
    for line in lines.map_while(Result::ok) {
        if let Some(guid) = line.strip_prefix("opened ").and_then(|text| text.parse().ok()) {
            opened.push(AccountGuid(guid));
        }
        if opened.len() >= 150 && !killed {
            child.kill().unwrap();
            killed = true;
        }
    }
    child.wait().unwrap();
    assert!(killed && opened.len() >= 150, "{} were opened", opened.len());
    let directory = open(&folder).await;
    assert_eq!(directory.inspect().await[0].health(), Health::Good);
    let held = directory.observe(&opened).await.unwrap();
    assert_eq!(held.len(), opened.len());
    assert!(held.iter().all(|a| a.enabled && a.password_set && a.groups == [group()]));
    // At most one was in the middle of its opening.
    assert!(directory.headcount().await.unwrap() <= opened.len() as u64 + 1);
}
