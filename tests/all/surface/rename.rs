//! Names by order over GraphQL, at the real program; and against a real Active Directory, with kinit and ldapsearch as judges.
use super::program::Serving;
use kimlik_domain::account::rename::{NamesOrdered, Rename, Renamed};
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::ports::Clock as _;
use kimlik_tests::lab::Samba;
use kimlik_tests::ministry::Ministry;
use kimlik_tests::scenario::Hr;
use serde_json::{Value, json};
use zeroize::Zeroizing;

const RENAME: &str = "mutation($input: AccountRenameInput!) { accountRename(input: $input) { carriedOut \
    plan { digest verdict changes { nodes { action because fields { name to } } } } \
    staffMember { account { username email } } userErrors { code path message } } }";

async fn ask(serving: &Serving, input: Value) -> Value {
    let token = serving.token().await;
    let answer = serving.ask_as(Some(&token), RENAME, json!({ "input": input })).await;
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"]["accountRename"].clone()
}

fn codes(answer: &Value) -> Vec<(String, String)> {
    let one = |e: &Value| (e["path"][0].as_str().unwrap().to_owned(), e["code"].as_str().unwrap().to_owned());
    answer["userErrors"].as_array().unwrap_or_else(|| panic!("{answer}")).iter().map(one).collect()
}

#[tokio::test]
async fn an_account_is_renamed_once_and_what_cannot_be_a_name_is_refused_in_words() {
    let serving = Serving::start(&[]);
    let (who, other) = (super::suspension::somebody(&serving, 5).await, super::suspension::somebody(&serving, 6).await);
    let old = who["username"].as_str().unwrap().to_owned();
    let input = |username: &str, mail: Option<&str>, key: &str| json!({ "staffMember": { "id": who["id"] }, "username": username, "email": mail, "reason": "dilekçe 17", "idempotencyKey": key });
    let mut dry = input("yeni.ad", Some("yeni.ad@csb.test"), "one");
    dry["dryRun"] = true.into();
    let dry = ask(&serving, dry).await;
    assert_eq!((codes(&dry).len(), &dry["staffMember"]["account"]["username"]), (0, &json!(old)), "only shown: {dry}");
    let done = ask(&serving, input("yeni.ad", Some("yeni.ad@csb.test"), "one")).await;
    assert_eq!((codes(&done).len(), &done["carriedOut"]), (0, &json!(true)), "{done}");
    assert_eq!(done["plan"]["digest"], dry["plan"]["digest"], "what was shown is what was done");
    assert_eq!(done["staffMember"]["account"], json!({ "username": "yeni.ad", "email": "yeni.ad@csb.test" }));
    let change = &done["plan"]["changes"]["nodes"][0];
    assert_eq!((&change["action"], &change["because"]), (&json!("RENAME"), &json!("ordered by user:yonetici: dilekçe 17")));
    assert_eq!(ask(&serving, input("yeni.ad", Some("yeni.ad@csb.test"), "one")).await["plan"], done["plan"], "the first result again");
    let again = ask(&serving, input("yeni.ad", None, "two")).await;
    assert_eq!(codes(&again), [("username".into(), "ALREADY_DONE".into())]);
    let theirs = json!({ "staffMember": { "id": other["id"] }, "username": old, "email": "yeni.ad@csb.test", "reason": "x" });
    assert_eq!(codes(&ask(&serving, theirs).await), [("username".into(), "CONFLICT".into()), ("email".into(), "CONFLICT".into())]);

    let pairs = |all: &[(&str, &str)]| all.iter().map(|(p, c)| ((*p).to_owned(), (*c).to_owned())).collect::<Vec<_>>();
    let wrong = json!({ "staffMember": { "username": "nobody.here" }, "username": "Ağrı", "email": "a@elsewhere.test", "reason": " " });
    assert_eq!(
        codes(&ask(&serving, wrong).await),
        pairs(&[("reason", "INVALID"), ("username", "INVALID"), ("email", "INVALID"), ("staffMember", "NOT_FOUND")]),
        "all of them at once"
    );
    let long = json!({ "staffMember": { "id": other["id"] }, "username": "a".repeat(200_000), "reason": "x" });
    assert_eq!(codes(&ask(&serving, long).await), pairs(&[("username", "TOO_LONG")]));
    let neither = json!({ "staffMember": { "id": other["id"] }, "reason": "x" });
    assert_eq!(codes(&ask(&serving, neither).await), pairs(&[("username", "INVALID")]));

    let propose = "query($g: String!, $f: String!) { usernameProposal(givenName: $g, familyName: $f) { username email } }";
    let token = serving.token().await;
    let proposal = async |given: &str, family: &str| {
        serving.ask_as(Some(&token), propose, json!({ "g": given, "f": family })).await["data"]["usernameProposal"].clone()
    };
    assert_eq!(proposal("İnci Işıl", "Öz").await, json!({ "username": "inci.isil.oz", "email": "inci.isil.oz@csb.test" }));
    assert_eq!(proposal("Yeni", "Ad").await, json!({ "username": "y.ad", "email": "y.ad@csb.test" }), "what was given is not proposed");
    assert_eq!(proposal("小明", "王").await, json!({ "username": null, "email": null }));
    let bad = serving.ask_as(Some(&token), propose, json!({ "g": "a".repeat(101), "f": "b" })).await;
    assert_eq!(bad["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{bad}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_logs_on_with_the_new_name_and_the_old_password_and_mail_comes_to_both_addresses() {
    const PASSWORD: &str = "Yagmur-7-Tren-Limon";
    let samba = Samba::start();
    let ministry = Ministry::on_samba("2026-12-01", &samba).await;
    ministry.units().await;
    let rows = Hr::default().says("S001: given=Ayşe; family=Şahin; status=ACTIVE; reason=1; start=2026-11-01; unit=20000006");
    ministry.staff(&rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
    ministry.sync().await;
    let account = ministry.person("S001").await.account.unwrap();
    let reference = ministry.directory.observe(&[account.guid.unwrap()]).await.unwrap().remove(0).reference();
    ministry.directory.set_password(&reference, &Zeroizing::new(PASSWORD.to_owned())).await.unwrap();
    samba.kinit("ayse.sahin", PASSWORD).unwrap();
    let order = Rename {
        id: uuid::Uuid::from_u128(1),
        person: account.person,
        username: Some("ayse.yildiz".into()),
        mail: Some("ayse.yildiz@csb.test".into()),
        named_for: "ayse sahin".into(),
        by: NamesOrdered { by: "user:officer".into(), reason: "petition 17".into(), at: ministry.clock.now() },
    };
    assert_eq!(ministry.reconciler.taken_by_others(&account, &order).await.unwrap(), (false, false));
    let event = AuditEvent {
        at: order.by.at,
        actor: "user:officer".into(),
        deed: "account.rename.order".into(),
        person: Some(order.person),
        because: "petition 17".into(),
        detail: json!({}),
    };
    assert_eq!(ministry.store.rename(&order, &event, None).await.unwrap(), Renamed::Given);
    ministry.work().await;
    let value = |attribute: &str| samba.value("(employeeID=S001)", attribute);
    assert_eq!(value("sAMAccountName").as_deref(), Some("ayse.yildiz"));
    assert_eq!(value("userPrincipalName").as_deref(), Some("ayse.yildiz@csb.test"));
    assert_eq!(value("mail").as_deref(), Some("ayse.yildiz@csb.test"));
    let mut proxies: Vec<String> = samba
        .ldapsearch("DC=csb,DC=test", "(employeeID=S001)", &["proxyAddresses"])
        .lines()
        .filter_map(|line| line.strip_prefix("proxyAddresses: ").map(str::to_owned))
        .collect();
    proxies.sort();
    assert_eq!(proxies, ["SMTP:ayse.yildiz@csb.test", "smtp:ayse.sahin@csb.test"]);
    samba.kinit("ayse.yildiz", PASSWORD).expect("the new name, the password that she has");
    samba.kinit("ayse.sahin", PASSWORD).expect_err("nobody has the old name");
    assert!(ministry.plan().await.people.iter().all(|p| p.actions.is_empty()), "nothing is left to do");
    // A stranger's object of the directory keeps its names.
    samba.admin_modify(
        "dn: CN=Posta Kutusu,CN=Users,DC=csb,DC=test\nchangetype: add\nobjectClass: user\nsAMAccountName: posta\nmail: posta@csb.test\n",
    );
    let account = ministry.person("S001").await.account.unwrap();
    let wants = Rename { username: Some("posta".into()), mail: Some("posta@csb.test".into()), ..order };
    assert_eq!(ministry.reconciler.taken_by_others(&account, &wants).await.unwrap(), (true, true));
    let back = Rename { username: Some("ayse.yildiz".into()), mail: Some("ayse.sahin@csb.test".into()), ..wants };
    assert_eq!(ministry.reconciler.taken_by_others(&account, &back).await.unwrap(), (false, false), "her own are free to her");
}
