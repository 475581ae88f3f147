//! Names: new ones are found, own ones stay, and what was never anybody's address becomes none.
use super::{at_rest, decide, ministry, says, seen, with_limit};
use chrono::TimeDelta;
use kimlik_adapters::directory::embedded::Foreign;
use kimlik_domain::account::{Attribute, LedgerName, NameKind, Value};
use kimlik_domain::lifecycle::hold::HoldStatus;
use kimlik_domain::lifecycle::limits::Budget;
use kimlik_domain::staff::IssueKind;
use kimlik_tests::late::Late;
use kimlik_tests::ministry::day;
use kimlik_tests::scenario::Hr;

#[tokio::test]
async fn a_new_surname_that_many_others_have_still_gives_a_new_address() {
    let (m, mut hr) = (ministry().await, Hr::default());
    let mut lines: Vec<String> =
        (1..=6).map(|i| format!("S00{i}: given=Ayşe; family=Yılmaz; unit=20000004; start=2020-01-01; reason=1")).collect();
    lines.push("S009: given=Ayşe; family=Şahin; unit=20000004; start=2020-01-01; reason=1".into());
    says(&m, &mut hr, &lines.iter().map(String::as_str).collect::<Vec<_>>()).await;
    m.sync().await;
    says(&m, &mut hr, &["S009: family=Yılmaz; reason=121"]).await;
    m.sync().await;
    let account = seen(&m, "S009").await;
    let mail = account.attributes.text(Attribute::Mail).unwrap().to_owned();
    assert!(mail.contains("yilmaz"), "the address stayed {mail}");
    at_rest(&m).await;
}

#[tokio::test]
async fn the_thirteenth_bearer_of_a_name_gets_one_too() {
    let (m, mut hr) = (ministry().await, Hr::default());
    let line = |i: usize| format!("S0{i:02}: given=Ayşe; family=Yılmaz; unit=20000004; start=2020-01-01; reason=1");
    let first: Vec<String> = (1..=12).map(line).collect();
    says(&m, &mut hr, &first.iter().map(String::as_str).collect::<Vec<_>>()).await;
    m.sync().await;
    says(&m, &mut hr, &[&line(13)]).await;
    m.sync().await;
    assert!(!m.person("S013").await.open_issues.contains(&IssueKind::NoNameLeft));
    assert_eq!(seen(&m, "S013").await.username(), "ayse.yilmaz11");
    at_rest(&m).await;
}

#[tokio::test]
async fn an_account_taken_over_gets_no_address_that_somebody_else_has() {
    let (m, mut hr) = (ministry().await, Hr::default());
    let base = m.reconciler.policy.base.clone();
    let embedded = m.embedded.as_ref().unwrap();
    let own = Foreign::new(base.below("CN=A Ş,OU=Ankara,OU=Tasra"), "u1").with(Attribute::EmployeeId, Value::text("S001"));
    let other =
        Foreign::new(base.below("CN=Ortak Kutu,OU=Ankara,OU=Tasra"), "u2").with(Attribute::Mail, Value::text("ayse.sahin@csb.test"));
    embedded.insert_foreign(&own).await.unwrap();
    embedded.insert_foreign(&other).await.unwrap();
    says(&m, &mut hr, &["S001: given=Ayşe; family=Şahin; unit=20000006; start=2020-01-01; reason=1"]).await;
    m.sync().await;
    decide(&m, true).await;
    m.work().await;
    let account = seen(&m, "S001").await;
    assert_eq!(account.username(), "u1");
    assert_ne!(account.attributes.text(Attribute::Mail), Some("ayse.sahin@csb.test"), "two accounts have one address");
}

#[tokio::test]
async fn the_name_of_an_own_account_whose_creation_was_slow_to_show_is_not_barred() {
    let (m, mut hr) = (ministry().await, Hr::default());
    says(&m, &mut hr, &["S001: given=Ayşe; family=Şahin; unit=20000004; start=2020-01-01; reason=1"]).await;
    let late = Late::new(m.directory.clone());
    let mut m = m;
    m.reconciler.directory = std::sync::Arc::new(late);
    m.sync().await;
    m.clock.pass(TimeDelta::minutes(20));
    m.work().await;
    m.sync().await;
    assert_eq!(m.embedded.as_ref().unwrap().everybody().await.unwrap().len(), 1, "one account a person");
    assert_eq!(seen(&m, "S001").await.username(), "ayse.sahin");
    let name = LedgerName { kind: NameKind::Username, value: "ayse.sahin".into() };
    assert_eq!(m.store.person_named(Some(&name.value), None).await.unwrap(), Some(m.person("S001").await.person.id));
    assert_eq!(m.store.messages(None, 10).await.unwrap().len(), 1);
    at_rest(&m).await;
}

#[tokio::test]
async fn whoever_comes_back_under_a_new_surname_is_told_the_new_address() {
    let (m, mut hr) = (ministry().await, Hr::default());
    says(&m, &mut hr, &["S001: given=Ayşe; family=Şahin; unit=20000004; start=2020-01-01; reason=1"]).await;
    m.sync().await;
    says(&m, &mut hr, &["S001: reason=96; end=2026-11-30"]).await;
    m.sync().await;
    m.clock.set(day("2027-03-01"));
    says(&m, &mut hr, &["S001: family=Yılmaz; reason=1; start=2027-03-01; end="]).await;
    m.sync().await;
    let messages = m.store.messages(None, 10).await.unwrap();
    assert!(messages[0].text.as_ref().unwrap().contains("ayse.yilmaz@csb.test"));
    at_rest(&m).await;
}

/// A snapshot with family and given names in each other's columns, and a good one a day later.
#[tokio::test]
async fn a_name_that_waited_in_a_hold_until_hr_took_it_back_leaves_no_address() {
    let (m, mut hr) = (with_limit(Budget::Rename, 0).await, Hr::default());
    says(&m, &mut hr, &["S001: given=Ayşe; family=Şahin; unit=20000004; start=2020-01-01; reason=1"]).await;
    m.sync().await;
    let addresses = async || seen(&m, "S001").await.attributes.get(Attribute::ProxyAddresses).cloned();
    let own = addresses().await;
    says(&m, &mut hr, &["S001: given=Şahin; family=Ayşe"]).await;
    m.sync().await;
    assert_eq!(m.store.holds(Some(HoldStatus::Open), 10).await.unwrap().len(), 1);
    assert_eq!(addresses().await, own, "held");
    says(&m, &mut hr, &["S001: given=Ayşe; family=Şahin"]).await;
    m.sync().await;
    at_rest(&m).await;
    assert_eq!(addresses().await, own);
    assert_eq!(m.store.holds(Some(HoldStatus::Open), 10).await.unwrap(), [], "nothing is left to decide");
    assert_eq!(m.person("S001").await.account.unwrap().names.aliases, Vec::<std::sync::Arc<str>>::new());
}
