//! A real domain under the printed delegation: the contract, and what only a real domain has.
use super::contract::{Fixture, all_pages, change, create, new, ou, refusal, see};
use crate::year::base64;
use async_trait::async_trait;
use kimlik_adapters::directory::active_directory::ActiveDirectory;
use kimlik_adapters::system::SystemClock;
use kimlik_domain::account::{AccountRef, Attribute, Dn};
use kimlik_domain::id::AccountGuid;
use kimlik_domain::ports::{Directory, FindBy, Photos, Refusal};
use kimlik_tests::lab::Samba;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Instant;

pub struct Domain {
    pub samba: Samba,
    pub directory: ActiveDirectory,
}

pub fn domain() -> Domain {
    let samba = Samba::start();
    let directory = ActiveDirectory::new(samba.settings(), Arc::new(SystemClock)).unwrap();
    Domain { samba, directory }
}

fn by_guid(guid: AccountGuid) -> String {
    let octets: String = guid.0.to_bytes_le().iter().map(|o| format!("\\{o:02x}")).collect();
    format!("(objectGUID={octets})")
}

#[async_trait]
impl Fixture for Domain {
    fn directory(&self) -> &dyn Directory {
        &self.directory
    }
    fn photos(&self) -> &dyn Photos {
        &self.directory
    }
    async fn photo_by_hand(&self, account: AccountGuid, octets: Option<&[u8]>) {
        let change = match octets {
            Some(octets) => format!("replace: thumbnailPhoto\nthumbnailPhoto:: {}\n", base64(octets)),
            None => "delete: thumbnailPhoto\n".to_owned(),
        };
        self.samba.admin_modify(&format!("dn: <GUID={account}>\nchangetype: modify\n{change}"));
    }
    fn base(&self) -> Dn {
        self.samba.settings().base
    }
    async fn raw(&self, account: AccountGuid, attribute: &str) -> Vec<String> {
        self.samba.values(&by_guid(account), attribute)
    }
    async fn by_hand(&self, account: AccountGuid, attribute: &str, value: &str) {
        self.samba.admin_modify(&format!("dn: <GUID={account}>\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n"));
    }
    async fn foreign_address(&self, account: AccountGuid, address: &str) -> bool {
        self.samba.admin_modify(&format!("dn: <GUID={account}>\nchangetype: modify\nadd: proxyAddresses\nproxyAddresses: {address}\n"));
        true
    }
    async fn group(&self, cn: &str) -> Dn {
        let dn = self.base().below(&format!("CN={},OU=Gruplar", Dn::escape(cn)));
        let name = kimlik_domain::text::to_ascii(cn).replace(',', "");
        self.samba.admin_modify(&format!("dn: {dn}\nchangetype: add\nobjectClass: group\nsAMAccountName: {name}\n"));
        dn
    }
    async fn logs_on(&self, username: &str, password: &str) -> Option<bool> {
        let kinit = self.samba.kinit(username, password);
        if let Err(said) = &kinit {
            eprintln!("{said}");
        }
        Some(kinit.is_ok())
    }
}

crate::contract_tests!(domain());

const ELSEWHERE: &str = "OU=Elsewhere,DC=csb,DC=test";

#[tokio::test(flavor = "multi_thread")]
async fn outside_the_base_everything_is_refused_and_nothing_changes() {
    let f = domain();
    f.samba.admin_modify(&format!(
        "dn: CN=Yabanci,{ELSEWHERE}\nchangetype: add\nobjectClass: user\nsAMAccountName: yabanci\nuserAccountControl: 514\ntitle: Misafir\n"
    ));
    let account = uuid_of(&f, "yabanci");
    // It is not called by where it stands: a stale reference must not help either.
    for dn in [Dn::new(format!("CN=Yabanci,{ELSEWHERE}")), ou(&f, "Merkez").below("CN=Yabanci")] {
        let foreign = AccountRef { guid: account, dn };
        let title = [change(Attribute::Title, Some("Misafir"), Some("Kimlik"))];
        assert_eq!(refusal(f.directory.modify(&foreign, &title).await), Refusal::Rights);
        assert_eq!(refusal(f.directory.set_enabled(&foreign, true).await), Refusal::Rights);
        assert_eq!(refusal(f.directory.set_password(&foreign, &"Uzun-Bir-Parola-9".to_owned().into()).await), Refusal::Rights);
        assert_eq!(refusal(f.directory.move_to(&foreign, &ou(&f, "Merkez"), "Yabanci").await), Refusal::Rights);
    }
    assert_eq!(f.samba.value("(sAMAccountName=yabanci)", "title").as_deref(), Some("Misafir"));
    assert_eq!(f.samba.value("(sAMAccountName=yabanci)", "userAccountControl").as_deref(), Some("514"));
    let seen = f.directory.observe(&[account]).await.unwrap();
    assert_eq!(seen[0].dn, Dn::new(format!("CN=Yabanci,{ELSEWHERE}")), "it can be observed");
    assert!(all_pages(&f, None).await.0.is_empty(), "and is in no scan");
    assert!(f.directory.find(&FindBy { usernames: vec!["yabanci".into()], ..FindBy::default() }).await.unwrap().is_empty());

    let own = create(&f, "Ye Rel", "ye.rel", &[]).await;
    let admins = Dn::new("CN=Domain Admins,CN=Users,DC=csb,DC=test");
    assert_eq!(refusal(f.directory.join_group(&own, &admins).await), Refusal::Rights);
    assert_eq!(refusal(f.directory.move_to(&own, &Dn::new(ELSEWHERE), "Ye Rel").await), Refusal::Rights);
    assert_eq!(refusal(f.directory.create(&new(Dn::new(ELSEWHERE), "Ye Ni", "ye.ni", &[])).await), Refusal::Rights);
}

fn uuid_of(f: &Domain, username: &str) -> AccountGuid {
    let ldif = f.samba.ldapsearch("DC=csb,DC=test", &format!("(sAMAccountName={username})"), &["objectGUID"]);
    let text = ldif.lines().find_map(|line| line.strip_prefix("objectGUID:: ")).unwrap();
    let output = std::process::Command::new("sh").args(["-c", "printf %s \"$1\" | base64 -d", "sh", text]).output().unwrap();
    AccountGuid(uuid::Uuid::from_slice_le(&output.stdout).unwrap())
}

/// As the service account with an ordinary client: what the printed delegation does not give.
#[tokio::test(flavor = "multi_thread")]
async fn the_delegation_allows_nothing_that_is_not_printed() {
    let f = domain();
    let account = create(&f, "Az Hak", "az.hak", &[]).await;
    let (base, dn) = (f.base(), account.dn.clone());
    let forbidden = [
        ("an attribute that is not owned", format!("dn: {dn}\nchangetype: modify\nreplace: description\ndescription: x\n")),
        ("the logon script", format!("dn: {dn}\nchangetype: modify\nreplace: scriptPath\nscriptPath: x.cmd\n")),
        ("a service name", format!("dn: {dn}\nchangetype: modify\nreplace: servicePrincipalName\nservicePrincipalName: a/b\n")),
        ("a group", format!("dn: CN=G,{base}\nchangetype: add\nobjectClass: group\nsAMAccountName: G\n")),
        ("an OU", format!("dn: OU=O,{base}\nchangetype: add\nobjectClass: organizationalUnit\n")),
        ("a computer", format!("dn: CN=C,{base}\nchangetype: add\nobjectClass: computer\nsAMAccountName: C$\n")),
        ("deleting a group", format!("dn: CN=Tasra Personeli,OU=Gruplar,{base}\nchangetype: delete\n")),
        ("deleting an OU", format!("dn: OU=Tasra,{base}\nchangetype: delete\n")),
        ("an account elsewhere", format!("dn: CN=U,{ELSEWHERE}\nchangetype: add\nobjectClass: user\nsAMAccountName: U\n")),
        ("trust for delegation", format!("dn: {dn}\nchangetype: modify\nreplace: userAccountControl\nuserAccountControl: 524802\n")),
    ];
    for (what, ldif) in forbidden {
        let refused = f.samba.service_modify(&ldif).expect_err(what);
        assert!(refused.contains("Insufficient access") || refused.contains("(50)"), "{what}: {refused}");
    }
    f.samba.service_modify(&format!("dn: {dn}\nchangetype: modify\nreplace: lockoutTime\nlockoutTime: 0\n")).unwrap();
    f.samba.service_modify(&format!("dn: {dn}\nchangetype: modify\nreplace: pwdLastSet\npwdLastSet: 0\n")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_with_power_over_the_domain_are_seen_to_be_protected() {
    let f = domain();
    let mut accounts = Vec::new();
    for name in ["duz", "ic.ice", "sayac", "guven", "birincil"] {
        accounts.push(create(&f, name, name, &[]).await);
    }
    let (inner, outer) = (f.group("Destek, Gece").await, f.group("Destek").await);
    f.directory.join_group(&accounts[0], &f.group("Olagan").await).await.unwrap();
    f.directory.join_group(&accounts[1], &inner).await.unwrap();
    assert!(see(&f, &accounts[1]).await.protected.is_none());
    let power = f.group("Yetkili").await;
    f.samba.admin_modify(&format!("dn: {outer}\nchangetype: modify\nadd: member\nmember: {inner}\n"));
    f.samba.admin_modify(&format!("dn: CN=Domain Admins,CN=Users,DC=csb,DC=test\nchangetype: modify\nadd: member\nmember: {outer}\n"));
    f.samba.admin_modify(&format!("dn: CN=Server Operators,CN=Builtin,DC=csb,DC=test\nchangetype: modify\nadd: member\nmember: {power}\n"));
    f.by_hand(accounts[2].guid, "adminCount", "1").await;
    f.by_hand(accounts[3].guid, "userAccountControl", &(0x8_0000 + 514).to_string()).await;
    f.samba.admin_modify(&format!("dn: {power}\nchangetype: modify\nadd: member\nmember: {}\n", accounts[4].dn));
    let sid = f.samba.ldapsearch(power.as_str(), "(objectClass=*)", &["primaryGroupToken"]);
    let token = sid.lines().find_map(|l| l.strip_prefix("primaryGroupToken: ")).unwrap();
    f.by_hand(accounts[4].guid, "primaryGroupID", token).await;
    f.samba.admin_modify(&format!("dn: CN=PC,{}\nchangetype: add\nobjectClass: computer\nsAMAccountName: PC$\n", f.base()));
    // A scan reads the groups anew, however fresh what is known of them.
    let (found, ..) = all_pages(&f, None).await;
    assert_eq!(found.len(), 5, "people only");
    let why = |i: usize| found.iter().find(|a| a.guid == accounts[i].guid).unwrap().protected.clone();
    assert_eq!(why(0), None);
    for (i, reason) in [(1, "member of"), (2, "adminCount"), (3, "delegation"), (4, "member of Server Operators")] {
        assert!(why(i).is_some_and(|why| why.contains(reason)), "{i}: {:?}", why(i));
    }
    let administrator = uuid_of(&f, "Administrator");
    assert!(f.directory.observe(&[administrator]).await.unwrap()[0].protected.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_an_address_policy_rules_over_is_seen_as_such() {
    let f = domain();
    let account = create(&f, "Pos Ta", "pos.ta", &[(Attribute::MailNickname, "pos.ta"), (Attribute::HideFromAddressLists, "TRUE")]).await;
    assert!(f.directory.capabilities().await.unwrap().exchange);
    assert_eq!(see(&f, &account).await.attributes.text(Attribute::HideFromAddressLists), Some("TRUE"));
    f.by_hand(account.guid, "msExchPoliciesIncluded", "{2c6a3e70-0000-0000-0000-000000000000},{26491CFC-9E50-4857-861B-0CB8DF22B5D7}")
        .await;
    assert!(see(&f, &account).await.address_policy);
    f.by_hand(account.guid, "msExchPoliciesExcluded", "{26491CFC-9E50-4857-861B-0CB8DF22B5D7}").await;
    assert!(!see(&f, &account).await.address_policy);
    f.by_hand(account.guid, "employeeNumber", "K-17").await;
    let by = FindBy { correlations: vec!["K-17".into()], ..FindBy::default() };
    assert_eq!(f.directory.find(&by).await.unwrap()[0].correlation.as_deref(), Some("K-17"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flag_that_somebody_else_set_survives_enabling_and_a_missing_password_need_does_not() {
    let f = domain();
    let account = create(&f, "Bay Rak", "bay.rak", &[]).await;
    f.by_hand(account.guid, "userAccountControl", &(0x1_0000 + 0x20 + 514).to_string()).await;
    f.directory.set_password(&account, &"Uzun-Bir-Parola-9".to_owned().into()).await.unwrap();
    f.directory.set_enabled(&account, true).await.unwrap();
    assert_eq!(f.raw(account.guid, "userAccountControl").await, [(0x1_0000 + 512).to_string()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_accounts_than_a_page_and_more_members_than_a_range() {
    const PEOPLE: usize = 1_650;
    let f = domain();
    let (mut ldif, base) = (String::new(), ou(&f, "Tasra"));
    for i in 0..PEOPLE {
        let _ = write!(
            ldif,
            "dn: CN=Kişi {i},{base}\nchangetype: add\nobjectClass: user\nsAMAccountName: k{i}\nuserAccountControl: 514\nemployeeID: {i}\n\n"
        );
    }
    let group = "CN=Tasra Personeli,OU=Gruplar,OU=CSB,DC=csb,DC=test";
    let _ = write!(ldif, "dn: {group}\nchangetype: modify\nadd: member\n");
    for i in 0..PEOPLE {
        let _ = writeln!(ldif, "member: CN=Kişi {i},{base}");
    }
    f.samba.bulk_modify(&ldif);
    let timed = Instant::now();
    let mut scan = f.directory.scan(None).await.unwrap();
    let (mut pages, mut found) = (0, Vec::new());
    while let Some(page) = scan.next_page().await.unwrap() {
        pages += 1;
        found.extend(page);
    }
    eprintln!("scan of {PEOPLE}: {} ms", timed.elapsed().as_millis());
    assert_eq!((pages, found.len()), (4, PEOPLE));
    assert!(found.iter().all(|a| a.groups == [Dn::new(group)]));
    let guids: Vec<AccountGuid> = found.iter().map(|a| a.guid).collect();
    let timed = Instant::now();
    assert_eq!(f.directory.observe(&guids).await.unwrap().len(), PEOPLE);
    eprintln!("observe of {PEOPLE}: {} ms", timed.elapsed().as_millis());
    let (member, group) = (found[7].reference(), Dn::new(group));
    let newcomer = create(&f, "Son Gelen", "son.gelen", &[]).await;
    let timed = Instant::now();
    for _ in 0..2 {
        f.directory.join_group(&newcomer, &group).await.unwrap();
        f.directory.join_group(&member, &group).await.unwrap();
    }
    assert_eq!(see(&f, &newcomer).await.groups, std::slice::from_ref(&group));
    for _ in 0..2 {
        f.directory.leave_group(&newcomer, &group).await.unwrap();
    }
    eprintln!("6 changes of a group of {PEOPLE}: {} ms", timed.elapsed().as_millis());
    assert!(see(&f, &newcomer).await.groups.is_empty());
}
