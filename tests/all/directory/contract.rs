//! The contract of `ports::Directory`, generic over who keeps it. `contract_tests!(fixture)` makes one test of each.
use async_trait::async_trait;
use kimlik_domain::account::{AccountRef, Attribute, Attributes, Change, Dn, LedgerName, NameKind, NewAccount, ObservedAccount, Value};
use kimlik_domain::id::AccountGuid;
use kimlik_domain::ports::{Directory, FindBy, Photos, PortResult, Refusal, Watermark};
use std::collections::HashSet;
use std::sync::Arc;
use uuid::Uuid;
use zeroize::Zeroizing;

/// A directory with the OUs `Merkez`, `Tasra` and `Ayrilanlar` below its base and nobody in it, and a hand that reaches
/// past the port.
#[async_trait]
pub trait Fixture: Send + Sync {
    fn directory(&self) -> &dyn Directory;
    fn photos(&self) -> &dyn Photos;
    fn base(&self) -> Dn;
    /// All values of an LDAP attribute, read without the port.
    async fn raw(&self, account: AccountGuid, attribute: &str) -> Vec<String>;
    /// Somebody else changes an attribute.
    async fn by_hand(&self, account: AccountGuid, attribute: &str, value: &str);
    /// Somebody else sets thumbnailPhoto, or takes it away.
    async fn photo_by_hand(&self, account: AccountGuid, octets: Option<&[u8]>);
    /// Somebody else gives it an address that is no SMTP address. False: there are none here.
    async fn foreign_address(&self, account: AccountGuid, address: &str) -> bool;
    /// A group below the base.
    async fn group(&self, cn: &str) -> Dn;
    /// Does this password log on? `None`: nobody logs on here.
    async fn logs_on(&self, username: &str, password: &str) -> Option<bool>;
}

#[macro_export]
macro_rules! contract_tests {
    ($fixture:expr) => {
        $crate::contract_tests!(@ $fixture;
            an_account_is_created_disabled_and_found_again,
            names_with_every_kind_of_letter_come_back_as_they_went_in,
            a_taken_common_name_gets_a_number_at_creation_and_at_a_move,
            a_taken_user_name_is_refused_as_such,
            taken_names_are_found_whatever_their_case,
            a_change_by_hand_is_not_overwritten,
            several_changes_are_made_together_or_not_at_all,
            addresses_change_place_in_one_step_and_foreign_ones_stay,
            a_manager_is_named_by_guid_and_follows_a_move,
            letters_change_case,
            a_password_works_once_enabled_and_not_when_disabled,
            enabling_twice_and_disabling_twice_succeed,
            groups_are_joined_and_left_as_often_as_one_likes,
            many_join_and_leave_at_once_and_one_that_cannot_harms_nobody,
            a_move_back_and_forth_ends_where_it_began,
            an_incremental_scan_sees_what_changed_and_nothing_else,
            a_value_that_does_not_fit_is_refused_and_named,
            what_is_not_there_is_left_out_or_refused,
            containers_are_the_base_and_what_is_below,
            find_answers_for_many_and_any_key,
            photos_are_told_of_when_they_change_and_read_many_at_once,
            a_photo_is_written_where_the_expected_one_stands_and_none_that_does_not_fit,
        );
    };
    (@ $fixture:expr; $($name:ident,)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() { let fixture = $fixture; $crate::directory::contract::$name(&fixture).await })*
    };
}

pub fn ou(f: &dyn Fixture, name: &str) -> Dn {
    f.base().below(&format!("OU={name}"))
}

pub fn attributes(values: &[(Attribute, &str)]) -> Attributes {
    let mut all = Attributes::default();
    values.iter().for_each(|(attribute, value)| all.set(*attribute, Some(Value::text(*value))));
    all
}

pub fn new(ou: Dn, cn: &str, username: &str, more: &[(Attribute, &str)]) -> NewAccount {
    let mut all = attributes(more);
    all.set(Attribute::Username, Some(Value::text(username)));
    all.set(Attribute::UserPrincipalName, Some(Value::text(format!("{username}@csb.test"))));
    NewAccount { ou, cn: cn.into(), attributes: all }
}

pub async fn create(f: &dyn Fixture, cn: &str, username: &str, more: &[(Attribute, &str)]) -> AccountRef {
    f.directory().create(&new(ou(f, "Merkez"), cn, username, more)).await.unwrap()
}

pub async fn see(f: &dyn Fixture, account: &AccountRef) -> ObservedAccount {
    f.directory().observe(&[account.guid]).await.unwrap().into_iter().next().expect("the account is there")
}

pub fn change(attribute: Attribute, from: Option<&str>, to: Option<&str>) -> Change {
    Change { attribute, from: from.map(Value::text), to: to.map(Value::text) }
}

fn list(values: &[&str]) -> Option<Value> {
    (!values.is_empty()).then(|| Value::list(values.iter().map(|v| Arc::from(*v)).collect()))
}

pub fn refusal<T: std::fmt::Debug>(result: PortResult<T>) -> Refusal {
    result.unwrap_err().refusal().expect("a refusal")
}

pub async fn all_pages(f: &dyn Fixture, since: Option<&Watermark>) -> (Vec<ObservedAccount>, Watermark, bool) {
    let mut scan = f.directory().scan(since).await.unwrap();
    let mut found = Vec::new();
    while let Some(page) = scan.next_page().await.unwrap() {
        assert!(page.len() <= 1_000);
        found.extend(page);
    }
    (found, scan.watermark(), scan.is_incremental())
}

pub async fn an_account_is_created_disabled_and_found_again(f: &dyn Fixture) {
    let mut wanted = new(
        ou(f, "Merkez"),
        "Ayşe Şahin",
        "ayse.sahin",
        &[(Attribute::DisplayName, "Ayşe ŞAHİN"), (Attribute::EmployeeId, "100001"), (Attribute::Mail, "ayse.sahin@csb.test")],
    );
    wanted.attributes.set(Attribute::ProxyAddresses, list(&["SMTP:ayse.sahin@csb.test", "smtp:a.sahin@csb.test"]));
    wanted.attributes.set(Attribute::CountryCode, Some(Value::text("792")));
    let account = f.directory().create(&wanted).await.unwrap();
    let seen = see(f, &account).await;
    assert_eq!(seen.attributes, wanted.attributes);
    assert_eq!((seen.guid, seen.dn.clone()), (account.guid, account.dn.clone()));
    assert_eq!((seen.dn.name().as_str(), seen.ou()), ("Ayşe Şahin", ou(f, "Merkez")));
    assert!(!seen.enabled && !seen.password_set && seen.protected.is_none() && seen.groups.is_empty() && !seen.address_policy);
    let by = FindBy { employee_ids: vec!["100001".into()], ..FindBy::default() };
    assert_eq!(f.directory().find(&by).await.unwrap(), [seen]);
    assert_eq!(f.raw(account.guid, "employeeID").await, ["100001"]);
}

pub async fn names_with_every_kind_of_letter_come_back_as_they_went_in(f: &dyn Fixture) {
    let names = ["Yılmaz, Ayşe", "#Işık \"Nur\"", "İnci + Çığ <ö>; ü=1", " Boş luk ", "Ters\\bölü", "Yıldız*(x)", "ığüşöçİĞÜŞÖÇ"];
    for (i, name) in names.iter().enumerate() {
        let account = create(f, name.trim(), &format!("letters{i}"), &[(Attribute::DisplayName, name.trim())]).await;
        let seen = see(f, &account).await;
        assert_eq!(seen.dn.name(), name.trim());
        assert_eq!(seen.attributes.text(Attribute::DisplayName), Some(name.trim()));
        let by = FindBy { display_names: vec![name.trim().into()], ..FindBy::default() };
        assert_eq!(f.directory().find(&by).await.unwrap().iter().map(|a| a.guid).collect::<Vec<_>>(), [account.guid], "{name}");
        let by = FindBy { distinguished_names: vec![seen.dn.clone()], ..FindBy::default() };
        assert_eq!(f.directory().find(&by).await.unwrap().iter().map(|a| a.guid).collect::<Vec<_>>(), [account.guid], "{name}");
        let moved = f.directory().move_to(&account, &ou(f, "Tasra"), name.trim()).await.unwrap();
        assert!(f.directory().find(&by).await.unwrap().is_empty(), "{name} stands elsewhere");
        assert_eq!((moved.name().as_str(), moved.parent()), (name.trim(), Some(ou(f, "Tasra"))));
        assert_eq!(see(f, &account).await.dn, moved);
    }
}

pub async fn a_taken_common_name_gets_a_number_at_creation_and_at_a_move(f: &dyn Fixture) {
    let one = create(f, "Mehmet Yılmaz", "mehmet.yilmaz", &[]).await;
    let two = create(f, "Mehmet Yılmaz", "mehmet.yilmaz2", &[]).await;
    let three = create(f, "Mehmet Yılmaz", "mehmet.yilmaz3", &[]).await;
    let names = [&one, &two, &three].map(|a| a.dn.name());
    assert_eq!(names, ["Mehmet Yılmaz", "Mehmet Yılmaz 2", "Mehmet Yılmaz 3"]);
    let tasra = ou(f, "Tasra");
    assert_eq!(f.directory().move_to(&three, &tasra, "Mehmet Yılmaz").await.unwrap().name(), "Mehmet Yılmaz");
    let moved = f.directory().move_to(&one, &tasra, "Mehmet Yılmaz").await.unwrap();
    assert_eq!((moved.name().as_str(), moved.parent()), ("Mehmet Yılmaz 2", Some(tasra.clone())));
    // Already there, under the number it was given: stays.
    assert_eq!(f.directory().move_to(&one, &tasra, "Mehmet Yılmaz").await.unwrap(), moved);
}

pub async fn a_taken_user_name_is_refused_as_such(f: &dyn Fixture) {
    create(f, "Ali Can", "ali.can", &[]).await;
    let other = create(f, "Ali Canan", "ali.canan", &[]).await;
    let mut again = new(ou(f, "Tasra"), "Ali Can", "ALI.can", &[]);
    again.attributes.set(Attribute::UserPrincipalName, Some(Value::text("other@csb.test")));
    assert_eq!(refusal(f.directory().create(&again).await), Refusal::NameTaken);
    let mut upn = new(ou(f, "Tasra"), "Ali Can", "free.name", &[]);
    upn.attributes.set(Attribute::UserPrincipalName, Some(Value::text("Ali.Can@csb.test")));
    assert_eq!(refusal(f.directory().create(&upn).await), Refusal::NameTaken);
    let rename = change(Attribute::Username, Some("ali.canan"), Some("ali.can"));
    assert_eq!(refusal(f.directory().modify(&other, &[rename]).await), Refusal::NameTaken);
    let rename = change(Attribute::UserPrincipalName, Some("ali.canan@csb.test"), Some("ali.can@csb.test"));
    assert_eq!(refusal(f.directory().modify(&other, &[rename]).await), Refusal::NameTaken);
    assert_eq!(see(f, &other).await.username(), "ali.canan");
}

pub async fn taken_names_are_found_whatever_their_case(f: &dyn Fixture) {
    let mut account = new(ou(f, "Merkez"), "Can Öz", "can.oz", &[(Attribute::Mail, "can.oz@csb.test")]);
    account.attributes.set(Attribute::ProxyAddresses, list(&["SMTP:can.oz@csb.test", "smtp:eski.ad@csb.test"]));
    f.directory().create(&account).await.unwrap();
    let mut upn_only = new(ou(f, "Merkez"), "Can Özer", "can.ozer", &[]);
    upn_only.attributes.set(Attribute::UserPrincipalName, Some(Value::text("baska.ad@csb.test")));
    f.directory().create(&upn_only).await.unwrap();
    let name = |kind, value: &str| LedgerName { kind, value: value.into() };
    let taken: Vec<LedgerName> = ["Can.Oz", "can.ozer", "baska.ad"]
        .map(|v| name(NameKind::Username, v))
        .into_iter()
        .chain(["CAN.OZ@csb.test", "eski.ad@csb.test", "Baska.Ad@csb.test"].map(|v| name(NameKind::Address, v)))
        .collect();
    let mut asked: Vec<LedgerName> = (0..250).map(|i| name(NameKind::Username, &format!("free.{i}"))).collect();
    asked.extend(taken.clone());
    asked.push(name(NameKind::Address, "can.oz"));
    asked.push(name(NameKind::Username, "*"));
    asked.push(name(NameKind::Username, "eski.ad"));
    assert_eq!(f.directory().names_taken(&asked).await.unwrap(), taken.into_iter().collect::<HashSet<_>>());
    assert!(f.directory().names_taken(&[]).await.unwrap().is_empty());
}

pub async fn a_change_by_hand_is_not_overwritten(f: &dyn Fixture) {
    let account = create(f, "El Değdi", "el.degdi", &[(Attribute::Title, "Mühendis"), (Attribute::Office, "101")]).await;
    f.by_hand(account.guid, "title", "Müdür").await;
    let stale = [change(Attribute::Office, Some("101"), Some("202")), change(Attribute::Title, Some("Mühendis"), Some("Uzman"))];
    assert_eq!(refusal(f.directory().modify(&account, &stale).await), Refusal::Changed);
    let absent = [change(Attribute::Title, None, Some("Uzman"))];
    assert_eq!(refusal(f.directory().modify(&account, &absent).await), Refusal::Changed);
    let gone = [change(Attribute::City, Some("Ankara"), None)];
    assert_eq!(refusal(f.directory().modify(&account, &gone).await), Refusal::Changed);
    let seen = see(f, &account).await;
    assert_eq!(seen.attributes.text(Attribute::Title), Some("Müdür"));
    assert_eq!(seen.attributes.text(Attribute::Office), Some("101"), "all or none");
}

pub async fn several_changes_are_made_together_or_not_at_all(f: &dyn Fixture) {
    let account = create(f, "Çok Şey", "cok.sey", &[(Attribute::Title, "Memur"), (Attribute::City, "Ankara")]).await;
    let changes = [
        change(Attribute::Title, Some("Memur"), Some("Şef")),
        change(Attribute::City, Some("Ankara"), None),
        change(Attribute::Department, None, Some("Bilgi İşlem")),
        change(Attribute::CountryCode, None, Some("792")),
        change(Attribute::Country, None, Some("TR")),
    ];
    f.directory().modify(&account, &changes).await.unwrap();
    let seen = see(f, &account).await;
    let mut wanted = attributes(&[(Attribute::Title, "Şef"), (Attribute::Department, "Bilgi İşlem"), (Attribute::CountryCode, "792")]);
    wanted.set(Attribute::Country, Some(Value::text("TR")));
    wanted.set(Attribute::Username, Some(Value::text("cok.sey")));
    wanted.set(Attribute::UserPrincipalName, Some(Value::text("cok.sey@csb.test")));
    assert_eq!(seen.attributes, wanted);
    f.directory().modify(&account, &[change(Attribute::CountryCode, Some("792"), None)]).await.unwrap();
    assert_eq!(see(f, &account).await.attributes.get(Attribute::CountryCode), None);
    f.directory().modify(&account, &[change(Attribute::CountryCode, None, Some("792"))]).await.unwrap();
    assert_eq!(f.raw(account.guid, "countryCode").await, ["792"]);
    f.directory().modify(&account, &[]).await.unwrap();
}

pub async fn addresses_change_place_in_one_step_and_foreign_ones_stay(f: &dyn Fixture) {
    let mut account = new(ou(f, "Merkez"), "Eski Soyad", "eski.soyad", &[]);
    account.attributes.set(Attribute::ProxyAddresses, list(&["SMTP:eski@csb.test"]));
    let account = f.directory().create(&account).await.unwrap();
    let foreign = f.foreign_address(account.guid, "X500:/o=csb/cn=eski").await;
    let proxies = |from: &[&str], to: &[&str]| Change { attribute: Attribute::ProxyAddresses, from: list(from), to: list(to) };
    let swap = proxies(&["SMTP:eski@csb.test"], &["smtp:eski@csb.test", "SMTP:yeni@csb.test"]);
    f.directory().modify(&account, std::slice::from_ref(&swap)).await.unwrap();
    let mut raw = f.raw(account.guid, "proxyAddresses").await;
    raw.sort();
    let mut wanted = vec!["SMTP:yeni@csb.test", "X500:/o=csb/cn=eski", "smtp:eski@csb.test"];
    wanted.retain(|address| foreign || !address.starts_with("X500"));
    assert_eq!(raw, wanted);
    let seen = see(f, &account).await;
    assert_eq!(seen.attributes.get(Attribute::ProxyAddresses), list(&["SMTP:yeni@csb.test", "smtp:eski@csb.test"]).as_ref());
    assert_eq!(refusal(f.directory().modify(&account, &[proxies(&["smtp:never@csb.test"], &[])]).await), Refusal::Changed);
    assert_eq!(refusal(f.directory().modify(&account, &[proxies(&[], &["smtp:eski@csb.test"])]).await), Refusal::Changed);
}

pub async fn a_manager_is_named_by_guid_and_follows_a_move(f: &dyn Fixture) {
    let chief = create(f, "Baş, Müdür #1", "bas.mudur", &[]).await;
    let other = create(f, "Öteki Müdür", "oteki.mudur", &[]).await;
    let mut account = new(ou(f, "Merkez"), "Me Mur", "me.mur", &[]);
    account.attributes.set(Attribute::Manager, Some(Value::Account(chief.guid)));
    let account = f.directory().create(&account).await.unwrap();
    let manager = async || see(f, &account).await.attributes.get(Attribute::Manager).cloned();
    assert_eq!(manager().await, Some(Value::Account(chief.guid)));
    f.directory().move_to(&chief, &ou(f, "Ayrilanlar"), "Baş, Müdür #1").await.unwrap();
    assert_eq!(manager().await, Some(Value::Account(chief.guid)));
    let boss = |from: Option<&AccountRef>, to: Option<&AccountRef>| {
        let value = |a: Option<&AccountRef>| a.map(|a| Value::Account(a.guid));
        [Change { attribute: Attribute::Manager, from: value(from), to: value(to) }]
    };
    f.directory().modify(&account, &boss(Some(&chief), Some(&other))).await.unwrap();
    assert_eq!(manager().await, Some(Value::Account(other.guid)));
    assert_eq!(refusal(f.directory().modify(&account, &boss(Some(&chief), None)).await), Refusal::Changed);
    f.directory().modify(&account, &boss(Some(&other), None)).await.unwrap();
    assert_eq!(manager().await, None);
    let nobody = AccountRef { guid: AccountGuid(Uuid::from_u128(77)), dn: chief.dn.clone() };
    assert_eq!(refusal(f.directory().modify(&account, &boss(None, Some(&nobody))).await), Refusal::Value);
}

pub async fn letters_change_case(f: &dyn Fixture) {
    let account = create(f, "Büyük Harf", "buyuk.harf", &[(Attribute::Title, "mühendis"), (Attribute::DisplayName, "Ali can")]).await;
    let changes =
        [change(Attribute::Title, Some("mühendis"), Some("Mühendis")), change(Attribute::DisplayName, Some("Ali can"), Some("Ali CAN"))];
    f.directory().modify(&account, &changes).await.unwrap();
    assert_eq!(f.raw(account.guid, "title").await, ["Mühendis"]);
    assert_eq!(f.raw(account.guid, "displayName").await, ["Ali CAN"]);
}

pub async fn a_password_works_once_enabled_and_not_when_disabled(f: &dyn Fixture) {
    let account = create(f, "Par Ola", "par.ola", &[]).await;
    let password: Zeroizing<String> = "Çok-Gizli-Şifre-1!".to_owned().into();
    f.directory().set_password(&account, &password).await.unwrap();
    assert!(see(f, &account).await.password_set);
    let works = async || f.logs_on("par.ola", &password).await;
    assert_ne!(works().await, Some(true), "disabled");
    f.directory().set_enabled(&account, true).await.unwrap();
    assert!(see(f, &account).await.enabled);
    assert_ne!(works().await, Some(false));
    assert_ne!(f.logs_on("par.ola", "Wrong-Password-1!").await, Some(true));
    f.directory().set_enabled(&account, false).await.unwrap();
    assert!(!see(f, &account).await.enabled);
    assert_ne!(works().await, Some(true), "disabled again");
    let short: Zeroizing<String> = "aB1!".to_owned().into();
    let refused = f.directory().set_password(&account, &short).await;
    assert!(!format!("{refused:?}").contains("aB1!"));
    assert_eq!(refusal(refused), Refusal::Password);
}

pub async fn enabling_twice_and_disabling_twice_succeed(f: &dyn Fixture) {
    let account = create(f, "İki Kez", "iki.kez", &[]).await;
    f.directory().set_password(&account, &"Uzun-Bir-Parola-9".to_owned().into()).await.unwrap();
    for enabled in [true, true, false, false, true] {
        f.directory().set_enabled(&account, enabled).await.unwrap();
        assert_eq!(see(f, &account).await.enabled, enabled);
    }
}

pub async fn groups_are_joined_and_left_as_often_as_one_likes(f: &dyn Fixture) {
    let account = create(f, "Grup, Üyesi", "grup.uyesi", &[]).await;
    let group = f.group("Bilgi İşlem, Ankara").await;
    for _ in 0..2 {
        f.directory().join_group(&account, &group).await.unwrap();
        assert_eq!(see(f, &account).await.groups, std::slice::from_ref(&group));
    }
    for _ in 0..2 {
        f.directory().leave_group(&account, &group).await.unwrap();
        assert!(see(f, &account).await.groups.is_empty());
    }
    let none = f.base().below("CN=Yok,OU=Gruplar");
    f.directory().leave_group(&account, &none).await.unwrap();
    assert_eq!(refusal(f.directory().join_group(&account, &none).await), Refusal::NotFound);
}

pub async fn many_join_and_leave_at_once_and_one_that_cannot_harms_nobody(f: &dyn Fixture) {
    let group = f.group("Hepsi").await;
    let mut accounts = Vec::new();
    for n in 0..12 {
        accounts.push(create(f, &format!("Kalabalık {n}"), &format!("kalabalik.{n}"), &[]).await);
    }
    f.directory().join_group(&accounts[3], &group).await.unwrap();
    let gone = AccountRef { guid: AccountGuid(Uuid::from_u128(7)), dn: ou(f, "Merkez").below("CN=Yok") };
    let joined = futures_util::future::join_all(accounts.iter().chain([&gone]).map(|a| f.directory().join_group(a, &group))).await;
    let refused: Vec<bool> = joined.iter().map(Result::is_err).collect();
    assert_eq!(refused, [vec![false; 12], vec![true]].concat(), "{joined:?}");
    for account in &accounts {
        assert_eq!(see(f, account).await.groups, std::slice::from_ref(&group));
    }
    f.directory().leave_group(&accounts[5], &group).await.unwrap();
    let left = futures_util::future::join_all(accounts.iter().map(|a| f.directory().leave_group(a, &group))).await;
    assert!(left.iter().all(Result::is_ok), "{left:?}");
    for account in &accounts {
        assert!(see(f, account).await.groups.is_empty());
    }
}

pub async fn a_move_back_and_forth_ends_where_it_began(f: &dyn Fixture) {
    let account = create(f, "Gez Gin", "gez.gin", &[]).await;
    let group = f.group("Gezginler").await;
    f.directory().join_group(&account, &group).await.unwrap();
    let there = f.directory().move_to(&account, &ou(f, "Tasra"), "Gez Gin").await.unwrap();
    assert_eq!(see(f, &account).await.dn, there);
    // `account.dn` is where it stood before: the GUID finds it.
    let back = f.directory().move_to(&account, &ou(f, "Merkez"), "Gez Gin").await.unwrap();
    assert_eq!(back, account.dn);
    assert_eq!(see(f, &account).await.groups, [group]);
    let renamed = f.directory().move_to(&account, &ou(f, "Merkez"), "Gez GİN").await.unwrap();
    assert_eq!(renamed.name(), "Gez GİN");
    let nowhere = f.directory().move_to(&account, &ou(f, "Yok"), "Gez Gin").await;
    assert_eq!(refusal(nowhere), Refusal::NotFound);
}

pub async fn an_incremental_scan_sees_what_changed_and_nothing_else(f: &dyn Fixture) {
    let mut accounts = Vec::new();
    for i in 0..5 {
        accounts.push(create(f, &format!("Kişi {i}"), &format!("kisi.{i}"), &[]).await);
    }
    let (found, mark, incremental) = all_pages(f, None).await;
    assert!(!incremental);
    assert_eq!(found.len(), 5);
    let (found, mark, incremental) = all_pages(f, Some(&mark)).await;
    assert!(incremental && found.is_empty(), "{found:?}");
    f.by_hand(accounts[2].guid, "title", "Değişti").await;
    f.directory().move_to(&accounts[3], &ou(f, "Tasra"), "Kişi 3").await.unwrap();
    let (found, later, incremental) = all_pages(f, Some(&mark)).await;
    let seen: HashSet<AccountGuid> = found.iter().map(|a| a.guid).collect();
    assert!(incremental && later.usn > mark.usn && later.source == mark.source);
    assert_eq!(seen, HashSet::from([accounts[2].guid, accounts[3].guid]));
    let other = Watermark { source: "another".into(), usn: mark.usn };
    assert_eq!(all_pages(f, Some(&other)).await.0.len(), 5);
    let ahead = Watermark { usn: later.usn + 1_000_000, ..later };
    let (found, _, incremental) = all_pages(f, Some(&ahead)).await;
    assert_eq!((found.len(), incremental), (5, false), "a controller that was set back is read anew");
}

pub async fn a_value_that_does_not_fit_is_refused_and_named(f: &dyn Fixture) {
    let account = create(f, "Uzun Değer", "uzun.deger", &[]).await;
    let long = "ş".repeat(Attribute::Department.max_len() + 1);
    let refused = f.directory().modify(&account, &[change(Attribute::Department, None, Some(&long))]).await;
    let text = refused.as_ref().unwrap_err().to_string();
    assert_eq!(refusal(refused), Refusal::Value);
    assert!(text.contains("department"), "{text}");
    let fits = "ş".repeat(Attribute::Department.max_len());
    f.directory().modify(&account, &[change(Attribute::Department, None, Some(&fits))]).await.unwrap();
    let refused = f.directory().create(&new(ou(f, "Merkez"), "Uzun İki", "uzun.iki", &[(Attribute::Department, &long)])).await;
    assert_eq!(refusal(refused), Refusal::Value);
}

pub async fn what_is_not_there_is_left_out_or_refused(f: &dyn Fixture) {
    let account = create(f, "Var Olan", "var.olan", &[]).await;
    let nobody = AccountRef { guid: AccountGuid(Uuid::from_u128(42)), dn: f.base().below("CN=Yok") };
    let seen = f.directory().observe(&[nobody.guid, account.guid]).await.unwrap();
    assert_eq!(seen.iter().map(|a| a.guid).collect::<Vec<_>>(), [account.guid]);
    assert!(f.directory().observe(&[]).await.unwrap().is_empty());
    let title = [change(Attribute::Title, None, Some("x"))];
    assert_eq!(refusal(f.directory().modify(&nobody, &title).await), Refusal::NotFound);
    assert_eq!(refusal(f.directory().set_enabled(&nobody, true).await), Refusal::NotFound);
    assert_eq!(refusal(f.directory().set_password(&nobody, &"Uzun-Bir-Parola-9".to_owned().into()).await), Refusal::NotFound);
    assert_eq!(refusal(f.directory().move_to(&nobody, &ou(f, "Tasra"), "Yok").await), Refusal::NotFound);
    assert_eq!(refusal(f.directory().create(&new(ou(f, "Yok"), "Ad", "ad.soyad", &[])).await), Refusal::NotFound);
}

pub async fn containers_are_the_base_and_what_is_below(f: &dyn Fixture) {
    let found = f.directory().containers().await.unwrap();
    for there in [f.base(), ou(f, "Merkez"), ou(f, "Tasra"), ou(f, "Ayrilanlar")] {
        assert!(found.contains(&there), "{there} in {found:?}");
    }
    assert!(found.iter().all(|ou| ou.is_within(&f.base())));
}

pub async fn find_answers_for_many_and_any_key(f: &dyn Fixture) {
    let mut accounts = Vec::new();
    for i in 0..3 {
        accounts.push(create(f, &format!("Bul {i}"), &format!("bul.{i}"), &[(Attribute::EmployeeId, &format!("9{i}"))]).await);
    }
    let mut by = FindBy { employee_ids: (0..150).map(|i| format!("9{i}").into()).collect(), ..FindBy::default() };
    by.usernames = vec!["bul.0".into(), "BUL.1".into(), "*".into(), "".into()];
    let found = f.directory().find(&by).await.unwrap();
    assert_eq!(found.len(), 3, "each once");
    let by = FindBy { usernames: vec!["BUL.1".into()], ..FindBy::default() };
    assert_eq!(f.directory().find(&by).await.unwrap()[0].guid, accounts[1].guid);
    assert!(f.directory().find(&FindBy::default()).await.unwrap().is_empty());
}

pub async fn photos_are_told_of_when_they_change_and_read_many_at_once(f: &dyn Fixture) {
    let a = create(f, "Ada Ak", "ada.ak", &[]).await.guid;
    let b = create(f, "Efe Su", "efe.su", &[]).await.guid;
    let c = create(f, "Ece Ay", "ece.ay", &[(Attribute::Title, "Uzman")]).await.guid;
    // One that is a text by chance, and one of the largest that fit.
    let (small, large) = (b"only letters".to_vec(), [&b"\xff\xd8\xff\xe0"[..], &vec![7; 100_000]].concat());
    f.photo_by_hand(a, Some(&small)).await;
    f.photo_by_hand(b, Some(&large)).await;
    let sorted = |mut guids: Vec<AccountGuid>| {
        guids.sort_unstable();
        guids
    };
    let all = f.photos().photo_news(None).await.unwrap();
    assert_eq!((sorted(all.with.clone()), all.without.len(), all.is_incremental), (sorted(vec![a, b]), 0, false));
    let mut found = f.photos().photos(&[a, b, c, AccountGuid(Uuid::from_u128(7))]).await.unwrap();
    found.sort_by_key(|(guid, _)| *guid);
    let mut expected = vec![(a, small), (b, large)];
    expected.sort_by_key(|(guid, _)| *guid);
    assert!(found == expected, "{:?}", found.iter().map(|(guid, octets)| (guid, octets.len())).collect::<Vec<_>>());

    let none = f.photos().photo_news(Some(&all.watermark)).await.unwrap();
    assert_eq!((none.with.len(), none.without.len(), none.is_incremental), (0, 0, true), "nothing has changed");
    f.photo_by_hand(a, None).await;
    f.photo_by_hand(b, Some(b"another")).await;
    f.by_hand(c, "title", "Sef").await;
    let some = f.photos().photo_news(Some(&none.watermark)).await.unwrap();
    assert_eq!((some.with, sorted(some.without)), (vec![b], sorted(vec![a, c])));
    let elsewhere = Watermark { source: "another".into(), usn: 1 };
    let anew = f.photos().photo_news(Some(&elsewhere)).await.unwrap();
    assert_eq!((anew.with, anew.without.len(), anew.is_incremental), (vec![b], 0, false));
}

pub async fn a_photo_is_written_where_the_expected_one_stands_and_none_that_does_not_fit(f: &dyn Fixture) {
    let account = create(f, "Ada Ak", "ada.ak", &[]).await;
    let held = async || f.photos().photos(&[account.guid]).await.unwrap().pop().map(|(_, octets)| octets);
    let set = async |octets: Option<&[u8]>, from: Option<&str>| f.directory().set_photo(&account, octets, from).await;
    let largest = [&b"\xff\xd8\xff\xe0"[..], &vec![7; 102_396]].concat();
    set(Some(&largest), None).await.unwrap();
    let tag = kimlik_adapters::tag::of(&largest);
    set(Some(&largest), Some(&tag)).await.unwrap();
    assert!(held().await == Some(largest.clone()));
    let one_more = [&largest[..], &[7]].concat();
    let refused = set(Some(&one_more), Some(&tag)).await.unwrap_err();
    assert_eq!(refused.refusal(), Some(Refusal::Value), "{refused}");
    assert!(held().await == Some(largest));
    // Somebody's own, which nobody has seen yet, is neither replaced nor taken away.
    f.photo_by_hand(account.guid, Some(b"another")).await;
    for octets in [Some(&b"\x89PNG\r\n\x1a\n one"[..]), None] {
        for from in [Some(tag.as_str()), None] {
            assert_eq!(set(octets, from).await.unwrap_err().refusal(), Some(Refusal::Changed));
        }
    }
    assert_eq!(held().await.as_deref(), Some(&b"another"[..]));
    let tag = kimlik_adapters::tag::of(b"another");
    set(Some(b"\x89PNG\r\n\x1a\n one"), Some(&tag)).await.unwrap();
    assert_eq!(held().await.as_deref(), Some(&b"\x89PNG\r\n\x1a\n one"[..]));
    set(None, Some(&kimlik_adapters::tag::of(b"\x89PNG\r\n\x1a\n one"))).await.unwrap();
    set(None, None).await.unwrap();
    assert_eq!(held().await, None);
    let gone = AccountRef { guid: AccountGuid(Uuid::from_u128(7)), dn: account.dn.clone() };
    let refused = f.directory().set_photo(&gone, Some(b"x"), None).await.unwrap_err();
    assert_eq!(refused.refusal(), Some(Refusal::NotFound));
}
