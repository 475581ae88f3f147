//! The same life with mailboxes by a program: what it writes is what Enable-Mailbox, Set-Mailbox and Disable-Mailbox write (facts
//! 2.2 to 2.4), in the real directory and behind Kimlik's back, and Kimlik neither fights it nor loses anything.
use super::{ME, reads, says, sync};
use crate::mailbox::{host, keeper, ledger, program};
use kimlik_adapters::store::SqlStore;
use kimlik_domain::lifecycle::policy::Policy;
use kimlik_domain::mailbox::{MailboxState, Mailboxes};
use kimlik_domain::ports::MailboxLedger;
use kimlik_tests::lab::{ADMINISTRATION, Samba};
use kimlik_tests::ministry::{BASE, Ministry, day, policy};
use kimlik_tests::scenario::Hr;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;

/// An Exchange server as far as the directory shows one. It finds the account by its GUID, as the shipped examples do, and writes
/// down what it was asked.
fn exchange(folder: &TempDir, samba: &Samba) -> PathBuf {
    let (user, password) = ADMINISTRATION;
    let lines = format!(
        r#"set -eu
export LDAPTLS_REQCERT=never
at="-x -H {url} -D {user} -w {password}"
request=$(cat)
field() {{ printf %s "$request" | sed -n 's/.*"'"$1"'":"\([^"\\]*\)".*/\1/p'; }}
operation=$(field operation) id=$(field requestId) dn="<GUID=$(field guid)>" mail=$(field primaryAddress)
echo "$operation $mail" >> {said}
closed={folder}/closed-$(field guid)
entry() {{ ldapsearch $at -LLL -s base -b "$dn" mailNickname msExchHomeServerName msExchHideFromAddressLists 2>/dev/null || true; }}
state() {{
  case $(entry) in
    *HomeServerName*HideFromAddressLists:\ TRUE*|*HideFromAddressLists:\ TRUE*HomeServerName*) echo HIDDEN;;
    *HomeServerName*) echo OPEN;;
    *) if [ -e "$closed" ]; then echo CLOSED; else echo NONE; fi;;
  esac
}}
change() {{ printf 'dn:: %s\nchangetype: modify\n%s\n' "$(printf %s "$dn" | base64 -w0)" "$1" | ldapmodify $at >/dev/null; }}
replaced() {{ printf 'replace: %s\n%s: %s\n-\n' "$1" "$1" "$2"; }}
open() {{
  change "$(replaced msExchHomeServerName /o=CSB/cn=EX1; replaced msExchRecipientTypeDetails 1
    replaced msExchRecipientDisplayType 1073741824; replaced msExchVersion 88218628259840
    replaced msExchPoliciesExcluded '{{26491cfc-9e50-4857-861b-0cb8df22b5d7}}'; printf 'replace: msExchHideFromAddressLists\n-\n')"
  rm -f "$closed"
}}
case $operation-$(state) in
  open-NONE|open-CLOSED|reopen-*) open;;
  hide-OPEN) change "$(replaced msExchHideFromAddressLists TRUE)";;
  close-OPEN|close-HIDDEN)
    touch "$closed"
    # Disable-Mailbox takes all Exchange attributes away, addresses among them.
    change "$(for a in msExchHomeServerName msExchRecipientTypeDetails msExchRecipientDisplayType msExchVersion msExchPoliciesExcluded \
      msExchHideFromAddressLists mailNickname mail proxyAddresses; do printf 'replace: %s\n-\n' $a; done)";;
esac
printf '{{"version":1,"requestId":"%s","state":"%s"}}\n' "$id" "$(state)""#,
        url = samba.url(),
        said = folder.path().join("said").display(),
        folder = folder.path().display(),
    );
    program(folder, &lines)
}

struct World {
    samba: Samba,
    ministry: Ministry,
    ledger: Arc<SqlStore>,
    folder: TempDir,
    exchange: PathBuf,
    hr: Hr,
}

impl World {
    async fn open() -> World {
        let samba = Samba::start();
        let mut policy = Policy { mailboxes: Mailboxes::Command, ..policy() };
        policy.mapping.set("extensionAttribute1", "{unit_code}").unwrap();
        let ministry = Ministry::on_samba_with("2026-12-01", &samba, policy).await;
        ministry.units().await;
        let folder = TempDir::new().unwrap();
        let exchange = exchange(&folder, &samba);
        World { ledger: ledger(&ministry).await, samba, ministry, folder, exchange, hr: Hr::default() }
    }

    async fn says(&mut self, line: &str) {
        says(&self.ministry, &mut self.hr, line).await;
        self.mailboxes().await;
    }

    /// What is due is asked for; answers what that was.
    async fn mailboxes(&self) {
        let keeper = keeper(&self.ministry, self.ledger.clone(), host(&self.exchange, &[], 20));
        while keeper.round().await.unwrap().handled > 0 {}
    }

    fn asked(&self) -> Vec<String> {
        let said = self.folder.path().join("said");
        let all = std::fs::read_to_string(&said).unwrap_or_default();
        std::fs::remove_file(said).ok();
        all.lines().filter(|line| !line.starts_with("status")).map(str::to_owned).collect()
    }

    async fn state(&self, no: &str) -> MailboxState {
        let person = self.ministry.person(no).await.person.id;
        self.ledger.mailbox_of(person).await.unwrap().unwrap().state()
    }

    /// Who is in an address list of this filter: registry numbers.
    fn list(&self, filter: &str) -> Vec<String> {
        // What Exchange hides it leaves out of every list, whatever the list's own filter.
        let mut listed = self.samba.values(&format!("(&{filter}(employeeID=*)(!(msExchHideFromAddressLists=TRUE)))"), "employeeID");
        listed.sort();
        listed
    }
}

/// Filters of Exchange's built-in lists, and of lists by province, directorate and custom attribute made by its own wizard.
const GLOBAL: &str = "(&(mailNickname=*)(|(objectCategory=person)(objectCategory=group)))";
const ALL_USERS: &str = "(&(mailNickname=*)(|(&(objectCategory=person)(objectClass=user)(!(homeMDB=*))(!(msExchHomeServerName=*)))\
                         (&(objectCategory=person)(objectClass=user)(|(homeMDB=*)(msExchHomeServerName=*)))))";
const MAILBOXES: &str = "(&(mailNickname=*)(objectCategory=person)(objectClass=user)(|(homeMDB=*)(msExchHomeServerName=*)))";
const AGRI: &str = "(&(mailNickname=*)(msExchRecipientTypeDetails=1)(st=Ağrı))";
const ANKARA: &str = "(&(mailNickname=*)(msExchRecipientTypeDetails=1)(st=Ankara))";
const COMPANY: &str = "(&(mailNickname=*)(company=Ağrı İl Müdürlüğü))";
const DEPARTMENT: &str = "(&(mailNickname=*)(department=Yazılım Dairesi Başkanlığı))";
const CUSTOM: &str = "(&(mailNickname=*)(extensionAttribute1=12100000))";

#[tokio::test]
async fn a_newcomer_a_transfer_a_marriage_a_leaver_and_a_return_are_right_with_a_program() {
    let mut world = World::open().await;
    world.says("S002: given=Veli; family=Kan; start=2026-12-01; unit=20000004; post=Memur").await;
    world.says("S001: given=Ayşe Nur; family=Şahin; start=2026-12-01; unit=20000004; post=Mühendis; ext=1234; office=A-12").await;
    assert_eq!(world.asked(), ["open veli.kan@csb.test", "open ayse.nur.sahin@csb.test"]);
    reads(
        &world.samba,
        &[
            ("displayName", "Ayşe Nur Şahin"),
            ("givenName", "Ayşe Nur"),
            ("sn", "Şahin"),
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
            ("proxyAddresses", "SMTP:ayse.nur.sahin@csb.test"),
            ("targetAddress", ""),
            ("msExchRecipientDisplayType", "1073741824"),
            ("msExchRecipientTypeDetails", "1"),
            ("msExchRemoteRecipientType", ""),
            ("msExchHideFromAddressLists", ""),
            ("msExchHomeServerName", "/o=CSB/cn=EX1"),
            ("extensionAttribute1", "20000004"),
        ],
    );
    for filter in [GLOBAL, ALL_USERS, MAILBOXES, AGRI, COMPANY] {
        assert_eq!(world.list(filter), ["S001", "S002"], "{filter}");
    }
    assert_eq!((world.list(ANKARA), world.list(DEPARTMENT), world.list(CUSTOM)), (vec![], vec![], vec![]));

    let dn = world.ministry.person("S001").await.account.unwrap().dn.unwrap();
    world.samba.admin_modify(&format!("dn: {dn}\nchangetype: modify\nadd: proxyAddresses\nproxyAddresses: X500:/o=CSB/cn=old\n"));
    world.says("S001: unit=12100000; title=Şube Müdürü").await;
    assert_eq!(world.asked(), ["update ayse.nur.sahin@csb.test"], "lists are filtered by what has changed");
    reads(
        &world.samba,
        &[
            ("title", "Şube Müdürü"),
            ("department", "Yazılım Dairesi Başkanlığı"),
            ("company", "Çevre ve Şehircilik Bakanlığı"),
            ("telephoneNumber", "+90 312 410 10 00 / 1234"),
            ("l", "Ankara"),
            ("st", "Ankara"),
            ("extensionAttribute1", "12100000"),
            ("msExchRecipientTypeDetails", "1"),
        ],
    );
    for (filter, there) in [(AGRI, "S002"), (COMPANY, "S002"), (ANKARA, "S001"), (DEPARTMENT, "S001"), (CUSTOM, "S001")] {
        assert_eq!(world.list(filter), [there], "{filter}");
    }

    world.says("S001: family=Öztürk").await;
    assert_eq!(world.asked(), ["update ayse.nur.ozturk@csb.test"]);
    let addresses = "SMTP:ayse.nur.ozturk@csb.test|X500:/o=CSB/cn=old|smtp:ayse.nur.sahin@csb.test";
    let married = [
        ("displayName", "Ayşe Nur Öztürk"),
        ("sn", "Öztürk"),
        ("mail", "ayse.nur.ozturk@csb.test"),
        ("mailNickname", "ayse.nur.ozturk"),
        ("proxyAddresses", addresses),
        ("targetAddress", ""),
    ];
    reads(&world.samba, &married);

    world.says("S001: end=2026-12-01").await;
    world.ministry.clock.set(day("2026-12-02"));
    sync(&world.ministry).await;
    let hidden = [("msExchHideFromAddressLists", "TRUE"), ("mail", "ayse.nur.ozturk@csb.test"), ("proxyAddresses", addresses)];
    reads(&world.samba, &hidden);
    for filter in [GLOBAL, ALL_USERS, MAILBOXES, ANKARA, DEPARTMENT, CUSTOM] {
        assert!(!world.list(filter).contains(&"S001".to_owned()), "hidden at once, before anybody is asked: {filter}");
    }
    world.mailboxes().await;
    reads(&world.samba, &hidden);
    assert_eq!((world.asked(), world.state("S001").await), (vec!["hide ayse.nur.ozturk@csb.test".into()], MailboxState::Hidden));

    world.ministry.clock.set(day("2027-03-01"));
    sync(&world.ministry).await;
    world.mailboxes().await;
    reads(&world.samba, &hidden);
    world.ministry.clock.set(day("2027-03-02"));
    world.ministry.work().await;
    world.mailboxes().await;
    assert_eq!((world.asked(), world.state("S001").await), (vec!["close ayse.nur.ozturk@csb.test".into()], MailboxState::Closed));
    let closed = [
        ("mail", ""),
        ("mailNickname", ""),
        ("proxyAddresses", ""),
        ("msExchRecipientTypeDetails", ""),
        ("msExchHomeServerName", ""),
        ("msExchHideFromAddressLists", ""),
        ("displayName", "Ayşe Nur Öztürk"),
    ];
    reads(&world.samba, &closed);
    sync(&world.ministry).await;
    world.mailboxes().await;
    reads(&world.samba, &closed);
    assert_eq!((world.list(GLOBAL), world.asked()), (vec!["S002".to_owned()], vec![]), "nobody fights over a closed one");

    // Nobody else gets the addresses meanwhile, and who returns has them again.
    world.says("S003: given=Ayşe Nur; family=Öztürk; start=2027-03-02; unit=12100000; post=Memur").await;
    let other = world.samba.value("(employeeID=S003)", "mail").unwrap();
    assert!(!other.starts_with("ayse.nur.ozturk@"), "{other}");
    world.asked();
    world.says("S001: start=2027-03-02; end=; status=ACTIVE").await;
    assert_eq!(world.asked(), ["reopen ayse.nur.ozturk@csb.test"]);
    reads(
        &world.samba,
        &[
            ("mail", "ayse.nur.ozturk@csb.test"),
            ("mailNickname", "ayse.nur.ozturk"),
            ("proxyAddresses", "SMTP:ayse.nur.ozturk@csb.test|smtp:ayse.nur.sahin@csb.test"),
            ("msExchRecipientTypeDetails", "1"),
            ("msExchHideFromAddressLists", ""),
            ("title", "Şube Müdürü"),
            ("st", "Ankara"),
        ],
    );
    assert_eq!(world.list(MAILBOXES), ["S001", "S002", "S003"]);
    assert_eq!(world.state("S001").await, MailboxState::Open);
}

#[tokio::test]
async fn addresses_that_were_given_by_hand_anywhere_in_the_domain_are_not_given_again() {
    let mut world = World::open().await;
    // In another tree, and in each of the three places where an address may stand; of objects that are no accounts as well.
    world.samba.admin_modify(
        "dn: CN=Elle 1,OU=Elsewhere,DC=csb,DC=test\nchangetype: add\nobjectClass: contact\nproxyAddresses: smtp:Ali.Can@CSB.test\n\n\
         dn: CN=Elle 2,OU=Elsewhere,DC=csb,DC=test\nchangetype: add\nobjectClass: contact\nmail: a.can@csb.test\n\n\
         dn: CN=Elle 3,OU=Elsewhere,DC=csb,DC=test\nchangetype: add\nobjectClass: user\nsAMAccountName: elle3\n\
         userPrincipalName: acan@csb.test\n",
    );
    world
        .samba
        .admin_modify(&format!("dn: CN=Elle 4,{BASE}\nchangetype: add\nobjectClass: group\nproxyAddresses: SMTP:ali.can2@csb.test\n"));
    world.says("S001: given=Ali; family=Can; start=2026-12-01; unit=12100000; post=Memur").await;
    let mail = world.samba.value(ME, "mail").unwrap();
    assert_eq!(mail, "ali.can3@csb.test");
    assert_eq!(
        world.samba.values(&format!("(|(mail={mail})(proxyAddresses=SMTP:{mail})(userPrincipalName={mail}))"), "employeeID"),
        ["S001"]
    );
    // Two people of one name in one delivery, behind whose back nothing has happened.
    world.says("S002: given=Ali; family=Can; start=2026-12-01; unit=12100000; post=Memur").await;
    assert_eq!(world.samba.value("(employeeID=S002)", "mail").as_deref(), Some("ali.can4@csb.test"));
}
