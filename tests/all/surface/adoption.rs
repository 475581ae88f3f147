//! An existing account becomes somebody's by order: over GraphQL at the real program, and in a real Active Directory.
use super::program::Serving;
use kimlik_adapters::directory::embedded::{EmbeddedDirectory, Foreign};
use kimlik_domain::account::adoption::{Adopted, Adoption, AdoptionOrdered, NotAdoptable, Withdrawn};
use kimlik_domain::account::{Attribute, Dn, NewAccount, Value};
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::AccountGuid;
use kimlik_domain::lifecycle::adoption::AccountKey;
use kimlik_domain::lifecycle::reconcile::Progress;
use kimlik_domain::lifecycle::{ActionKind, Because};
use kimlik_domain::ports::{Clock as _, NameRequest, Store as _};
use kimlik_domain::staff::IssueKind;
use kimlik_tests::lab::Samba;
use kimlik_tests::ministry::{BASE, Ministry, national_id};
use kimlik_tests::scenario::Hr;
use serde_json::{Value as Json, json};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

const ADOPT: &str = "mutation($input: AccountAdoptInput!) { accountAdopt(input: $input) { carriedOut \
    plan { verdict changes { nodes { action because } } } staffMember { account { username email state } } userErrors { code path message } } }";

async fn ask(serving: &Serving, input: Json) -> Json {
    let token = serving.token().await;
    let answer = serving.ask_as(Some(&token), ADOPT, json!({ "input": input })).await;
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"]["accountAdopt"].clone()
}

fn codes(answer: &Json) -> Vec<(String, String)> {
    let one = |e: &Json| (e["path"][0].as_str().unwrap().to_owned(), e["code"].as_str().unwrap().to_owned());
    answer["userErrors"].as_array().unwrap_or_else(|| panic!("{answer}")).iter().map(one).collect()
}

fn told(field: &str, code: &str) -> Vec<(String, String)> {
    vec![(field.to_owned(), code.to_owned())]
}

/// HR hands in somebody whose name an account has that is nobody's; the issue about it is waited for.
async fn newcomer(serving: &Serving, number: &str, given: &str, family: &str, n: u32) {
    let unit = super::suspension::somebody(serving, 5).await["id"].clone();
    let card = serving.ask(&format!("{{ identityCard(by: {{ id: {unit} }}) {{ unit {{ code }} }} }}")).await;
    let code = card["data"]["identityCard"]["unit"]["code"].clone();
    let record = json!({
        "registryNumber": number, "nationalId": national_id(n), "givenName": given, "familyName": family, "employmentStartsOn": "2020-01-01",
        "postings": [{ "kind": "PERMANENT", "unitCode": code, "startsOn": "2020-01-01" }],
    });
    let submit =
        "mutation($input: StaffRecordsSubmitInput!) { staffRecordsSubmit(input: $input) { results { outcome } userErrors { code } } }";
    let input = json!({ "mode": "DELTA", "idempotencyKey": number, "records": [record] });
    let answer = serving.ask_as(Some(&serving.token().await), submit, json!({ "input": input })).await;
    assert_eq!(answer["data"]["staffRecordsSubmit"]["userErrors"], json!([]), "{answer}");
    let began = Instant::now();
    loop {
        let issues = serving.ask("{ dataIssues(first: 100) { nodes { kind registryNumber } } }").await;
        let nodes = issues["data"]["dataIssues"]["nodes"].as_array().cloned().unwrap_or_default();
        if nodes.iter().any(|i| i["kind"] == "POSSIBLE_ACCOUNT" && i["registryNumber"] == number) {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{issues}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_says_whose_account_it_is_and_it_is_so_at_once() {
    let serving = Serving::start(&[]);
    super::suspension::somebody(&serving, 5).await;
    let base = Dn::new("OU=CSB,DC=csb,DC=test");
    let file = serving.folder.path().join("var/directory.db");
    let directory = EmbeddedDirectory::open(&file, base.clone(), "csb.test", None).await.unwrap();
    let dn = base.below("CN=Nurşen Ünlüsoy,OU=Yerlesmemis");
    let account = Foreign::new(dn.clone(), "nunlusoy")
        .with(Attribute::DisplayName, Value::text("Nurşen Ünlüsoy"))
        .with(Attribute::Mail, Value::text("nunlusoy@csb.test"));
    let guid = directory.insert_foreign(&account).await.unwrap();
    directory.hand_enable(guid, true).await.unwrap();
    directory.close().await;
    newcomer(&serving, "P900001", "Nurşen", "Ünlüsoy", 900_001).await;

    let input = |account: Json, key: &str| json!({ "staffMember": { "registryNumber": "P900001" }, "account": account, "reason": "ek gösterge dosyası", "idempotencyKey": key });
    let mut dry = input(json!({ "distinguishedName": dn.as_str() }), "one");
    dry["dryRun"] = true.into();
    let dry = ask(&serving, dry).await;
    assert_eq!((codes(&dry).len(), &dry["plan"]["verdict"]), (0, &json!("WITHIN_LIMITS")), "no hold holds it: {dry}");
    assert_eq!(dry["plan"]["changes"]["nodes"][0]["action"], "ADOPT");
    assert_eq!(dry["staffMember"]["account"]["state"], "NONE", "only shown: {dry}");
    let by_guid = json!({ "guid": guid.0.to_string() });
    let done = ask(&serving, input(by_guid.clone(), "one")).await;
    assert_eq!((codes(&done).len(), &done["carriedOut"]), (0, &json!(true)), "{done}");
    assert_eq!(done["staffMember"]["account"], json!({ "username": "nunlusoy", "email": "nunlusoy@csb.test", "state": "ACTIVE" }));
    assert_eq!(done["plan"]["changes"]["nodes"][0]["because"], "ordered by user:yonetici: ek gösterge dosyası");
    assert_eq!(ask(&serving, input(by_guid.clone(), "one")).await["plan"], done["plan"], "the first result again");
    assert_eq!(codes(&ask(&serving, input(by_guid.clone(), "two")).await), told("staffMember", "CONFLICT"), "has an account");
    let issues = serving.ask("{ dataIssues(first: 100) { nodes { kind registryNumber } } }").await;
    assert!(!issues.to_string().contains("POSSIBLE_ACCOUNT"), "nobody has to decide any more: {issues}");

    // Nothing of what is not to be adopted is told from what is not there.
    let directory = EmbeddedDirectory::open(&file, base.clone(), "csb.test", None).await.unwrap();
    let namesake = Foreign::new(base.below("CN=Ela Gür,OU=Yerlesmemis"), "egur").with(Attribute::DisplayName, Value::text("Ela Gür"));
    directory.insert_foreign(&namesake).await.unwrap();
    let other = base.below("CN=Baskasi,OU=Yerlesmemis");
    directory.insert_foreign(&Foreign::new(other.clone(), "baska").with(Attribute::EmployeeId, Value::text("X1"))).await.unwrap();
    directory.close().await;
    newcomer(&serving, "P900002", "Ela", "Gür", 900_002).await;
    let of = async |account: Json| {
        codes(&ask(&serving, json!({ "staffMember": { "registryNumber": "P900002" }, "account": account, "reason": "x" })).await)
    };
    assert_eq!(of(by_guid).await, told("account", "CONFLICT"), "somebody's");
    assert_eq!(of(json!({ "distinguishedName": other.as_str() })).await, told("account", "CONFLICT"), "another number's");
    assert_eq!(of(json!({ "guid": "00000000-0000-0000-0000-000000000000" })).await, told("account", "NOT_FOUND"));
    let outside = "CN=Kimlik Yoneticisi,OU=Yetki,DC=csb,DC=test";
    for nobody in [outside, "CN=Yok,OU=Yerlesmemis,OU=CSB,DC=csb,DC=test", "CN=a*)(cn=b,DC=csb,DC=test"] {
        assert_eq!(of(json!({ "distinguishedName": nobody })).await, told("account", "NOT_FOUND"), "{nobody}");
    }
    assert_eq!(of(json!({ "distinguishedName": "nonsense" })).await, told("account", "INVALID"));
    assert_eq!(of(json!({ "distinguishedName": format!("CN={}", "a".repeat(3_000)) })).await, told("account", "TOO_LONG"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_of_the_domain_keeps_its_name_and_password_and_gets_its_number() {
    const PASSWORD: &str = "Yagmur-7-Tren-Limon";
    let samba = Samba::start();
    let ministry = Ministry::on_samba("2026-12-01", &samba).await;
    ministry.units().await;
    let base = Dn::new(BASE);
    let mut made = Vec::new();
    for (name, ou, number) in
        [("Murat Er", "OU=Yerlesmemis", None), ("Eski Hesap", "OU=Yerlesmemis", None), ("Baskasi", "OU=Yerlesmemis", Some("S999"))]
    {
        let mut attributes = kimlik_domain::account::Attributes::default();
        let username = name.to_ascii_lowercase().replace(' ', ".");
        attributes.set(Attribute::UserPrincipalName, Some(Value::text(format!("{username}@csb.test"))));
        attributes.set(Attribute::Username, Some(Value::text(username)));
        attributes.set(Attribute::DisplayName, Some(Value::text(name)));
        attributes.set(Attribute::EmployeeId, number.map(Value::text));
        let account = ministry.directory.create(&NewAccount { ou: base.below(ou), cn: name.into(), attributes }).await.unwrap();
        ministry.directory.set_password(&account, &Zeroizing::new(PASSWORD.to_owned())).await.unwrap();
        ministry.directory.set_enabled(&account, true).await.unwrap();
        made.push(account);
    }
    samba.admin_modify(&format!("dn: {}\nchangetype: modify\nreplace: adminCount\nadminCount: 1\n", made[1].dn));
    let rows = Hr::default().says("S001: given=Murat; family=Er; status=ACTIVE; reason=1; start=2026-11-01; unit=20000006");
    ministry.staff(&rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
    ministry.sync().await;
    let record = ministry.person("S001").await;
    assert!(record.account.as_ref().is_none_or(|a| a.guid.is_none()), "a namesake's account waits for somebody to decide");
    let (reconciler, person) = (&ministry.reconciler, record.person.id);
    let adoptable = async |key: AccountKey| reconciler.adoptable(&record, &key).await.unwrap();
    assert!(matches!(adoptable(AccountKey::Guid(made[1].guid)).await, Err(NotAdoptable::Protected(_))));
    assert_eq!(adoptable(AccountKey::Guid(made[2].guid)).await.err(), Some(NotAdoptable::OtherNumber));
    for outside in ["CN=Administrator,CN=Users,DC=csb,DC=test", "CN=Yok,OU=CSB,DC=csb,DC=test", "OU=Yerlesmemis,OU=CSB,DC=csb,DC=test"] {
        assert_eq!(adoptable(AccountKey::Dn(Dn::new(outside))).await.err(), Some(NotAdoptable::NotFound), "{outside}");
    }
    let found = adoptable(AccountKey::Dn(made[0].dn.clone())).await.unwrap();
    assert_eq!(found.guid, made[0].guid);
    let ordered = AdoptionOrdered { guid: found.guid, by: "user:admin".into(), reason: "it is his".into(), at: ministry.clock.now() };
    let names = reconciler.adopted_names(&record, &found).await.unwrap();
    let event = AuditEvent {
        at: ordered.at,
        actor: "user:admin".into(),
        deed: "account.adopt.order".into(),
        person: Some(person),
        because: "it is his".into(),
        detail: json!({}),
    };
    let order = Adoption { id: uuid::Uuid::from_u128(1), person, ordered };
    assert_eq!(ministry.store.adopt(&order, &names, &event, None).await.unwrap(), Adopted::Given);
    assert_eq!(ministry.store.adopt(&order, &names, &event, None).await.unwrap(), Adopted::AlreadySo);
    ministry.work().await;
    assert_eq!(samba.value("(employeeID=S001)", "sAMAccountName").as_deref(), Some("murat.er"));
    assert_eq!(samba.value("(employeeID=S001)", "mail").as_deref(), Some("murat.er@csb.test"), "it had no address");
    samba.kinit("murat.er", PASSWORD).expect("the password that he has");
    let account = ministry.person("S001").await.account.unwrap();
    assert_eq!((account.guid, account.adopted, account.adopt), (Some(made[0].guid), true, None));
    assert!(ministry.plan().await.people.iter().all(|p| p.actions.is_empty()), "nothing is left to do");
    assert_eq!(ministry.store.adopt(&order, &names, &event, None).await.unwrap(), Adopted::HasAccount);
    assert!(ministry.store.messages(None, 10).await.unwrap().is_empty(), "who has an account is not announced one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_cannot_be_carried_out_is_taken_back() {
    let serving = Serving::start(&[]);
    super::suspension::somebody(&serving, 5).await;
    let base = Dn::new("OU=CSB,DC=csb,DC=test");
    let file = serving.folder.path().join("var/directory.db");
    let directory = EmbeddedDirectory::open(&file, base.clone(), "csb.test", None).await.unwrap();
    let namesake = Foreign::new(base.below("CN=Ela Gür,OU=Yerlesmemis"), "egur").with(Attribute::DisplayName, Value::text("Ela Gür"));
    let account = directory.insert_foreign(&namesake).await.unwrap();
    directory.close().await;
    newcomer(&serving, "P900002", "Ela", "Gür", 900_002).await;
    let admin = serving.token().await;
    let withdraw = async |input: Json| {
        let query = "mutation($input: AccountAdoptionWithdrawInput!) { accountAdoptionWithdraw(input: $input) { carriedOut \
            plan { changes { nodes { action } } } staffMember { account { adoption { account orderedBy reason } } } userErrors { code path message } } }";
        let answer = serving.ask_as(Some(&admin), query, json!({ "input": input })).await;
        assert!(answer["errors"].is_null(), "{answer}");
        answer["data"]["accountAdoptionWithdraw"].clone()
    };
    let input = json!({ "staffMember": { "registryNumber": "P900002" }, "reason": "yanlış hesap", "idempotencyKey": "back" });
    assert_eq!(codes(&withdraw(input.clone()).await), told("staffMember", "ALREADY_DONE"), "nothing was ordered");

    // Ordered for an account that is gone by the time somebody comes to it: the program cannot find it and opens none in its place.
    let beside = crate::desk::runs::store(&serving, None).await;
    let id = serving.ask("{ staffMember(by: { registryNumber: \"P900002\" }) { card { id } } }").await;
    let id = id["data"]["staffMember"]["card"]["id"].as_str().unwrap().strip_prefix("card_").unwrap().to_owned();
    let person = kimlik_domain::id::PersonId(uuid::Uuid::try_parse(&id).unwrap());
    let at = kimlik_adapters::system::SystemClock.now();
    let gone = kimlik_domain::id::AccountGuid(uuid::Uuid::from_u128(4711));
    let ordered = AdoptionOrdered { guid: gone, by: "user:yonetici".into(), reason: "dosyası".into(), at };
    let names = kimlik_domain::ports::NameRequest {
        person,
        usernames: vec!["egur".into()],
        addresses: vec!["egur@csb.test".into()],
        named_for: "ela gur".into(),
        on: kimlik_domain::day::today(at),
        former_unused: false,
    };
    let event = AuditEvent {
        at,
        actor: "user:yonetici".into(),
        deed: "account.adopt.order".into(),
        person: Some(person),
        because: "dosyası".into(),
        detail: json!({}),
    };
    let order = Adoption { id: uuid::Uuid::from_u128(1), person, ordered };
    assert_eq!(beside.adopt(&order, &names, &event, None).await.unwrap(), Adopted::Given);
    let began = Instant::now();
    while !serving.ask("{ dataIssues(first: 100) { nodes { kind registryNumber } } }").await.to_string().contains("ACCOUNT_NOT_FOUND") {
        assert!(began.elapsed() < Duration::from_secs(60), "an order that cannot be carried out is an issue");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let mut dry = input.clone();
    dry["dryRun"] = true.into();
    let shown = withdraw(dry).await;
    assert_eq!(
        (codes(&shown).len(), &shown["plan"]["changes"]["nodes"]),
        (0, &json!([])),
        "a namesake's account waits to be decided: {shown}"
    );
    let waiting = json!({ "account": gone.0.to_string(), "orderedBy": "user:yonetici", "reason": "dosyası" });
    assert_eq!(shown["staffMember"]["account"]["adoption"], waiting, "only shown: {shown}");
    let done = withdraw(input.clone()).await;
    assert_eq!((codes(&done).len(), &done["staffMember"]["account"]), (0, &Json::Null), "{done}");
    assert_eq!(withdraw(input.clone()).await["plan"], done["plan"], "the first result again");
    let again = json!({ "staffMember": { "registryNumber": "P900002" }, "reason": "once more" });
    assert_eq!(codes(&withdraw(again).await), told("staffMember", "ALREADY_DONE"));
    let audit = serving
        .ask("{ auditEvents(filter: { deed: \"account.adopt.withdraw\" }) { nodes { actor because card { registryNumber } } } }")
        .await;
    let expected = json!([{ "actor": "user:yonetici", "because": "yanlış hesap", "card": { "registryNumber": "P900002" } }]);
    assert_eq!(audit["data"]["auditEvents"]["nodes"], expected, "{audit}");
    // The right account is adopted afterwards, under the names that were spoken for.
    let by_guid = json!({ "staffMember": { "registryNumber": "P900002" }, "account": { "guid": account.0.to_string() }, "reason": "bu" });
    let adopted = ask(&serving, by_guid).await;
    assert_eq!((codes(&adopted).len(), &adopted["staffMember"]["account"]["username"]), (0, &json!("egur")), "{adopted}");
    assert_eq!(
        codes(&withdraw(json!({ "staffMember": { "registryNumber": "P900002" }, "reason": "x" })).await),
        told("staffMember", "ALREADY_DONE"),
        "it was carried out"
    );
}

/// Whoever ordered it thinks better of it between the look and the deed: the order is taken back, and perhaps another account is meant.
struct SecondThoughts<'a> {
    ministry: &'a Ministry,
    person: kimlik_domain::id::PersonId,
    instead: Option<(Adoption, NameRequest)>,
}

fn event(m: &Ministry, person: kimlik_domain::id::PersonId, deed: &str) -> AuditEvent {
    AuditEvent {
        at: m.clock.now(),
        actor: "user:admin".into(),
        deed: deed.into(),
        person: Some(person),
        because: "x".into(),
        detail: json!({}),
    }
}

impl Progress for SecondThoughts<'_> {
    fn total(&self, _: u32) {
        let (m, person) = (self.ministry, self.person);
        let back = async {
            let back = m.store.withdraw_adoption(person, &event(m, person, "account.adopt.withdraw"), None).await.unwrap();
            assert_eq!(back, Withdrawn::Done);
            if let Some((order, names)) = &self.instead {
                let given = m.store.adopt(order, names, &event(m, person, "account.adopt.order"), None).await.unwrap();
                assert_eq!(given, Adopted::Given);
            }
        };
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(back));
    }
    fn done(&self, _: &str, _: &[(ActionKind, Because)], _: bool) {}
}

/// Somebody without an account, two accounts of nobody, and an order that the first becomes theirs; the order for the second.
async fn ordered() -> (Ministry, [AccountGuid; 2], (Adoption, NameRequest)) {
    let m = Ministry::small("2026-12-01").await;
    m.units().await;
    let base = m.reconciler.policy.base.clone();
    let mut guids = Vec::new();
    for (cn, username) in [("Başka Ad", "baska"), ("Öteki Ad", "oteki")] {
        let foreign = Foreign::new(base.below(&format!("CN={cn},OU=Ankara,OU=Tasra")), username);
        guids.push(m.embedded.as_ref().unwrap().insert_foreign(&foreign).await.unwrap());
    }
    let rows = Hr::default().says("S001: given=Murat; family=Er; status=ACTIVE; reason=1; start=2026-11-01; unit=20000006");
    m.staff(&rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let record = m.person("S001").await;
    let mut orders = Vec::new();
    for (n, guid) in guids.iter().enumerate() {
        let found = m.reconciler.adoptable(&record, &AccountKey::Guid(*guid)).await.unwrap().unwrap();
        let names = m.reconciler.adopted_names(&record, &found).await.unwrap();
        let ordered = AdoptionOrdered { guid: *guid, by: "user:admin".into(), reason: "it is his".into(), at: m.clock.now() };
        orders.push((Adoption { id: uuid::Uuid::from_u128(n as u128 + 1), person: record.person.id, ordered }, names));
    }
    let (second, first) = (orders.pop().unwrap(), orders.pop().unwrap());
    let given = m.store.adopt(&first.0, &first.1, &event(&m, record.person.id, "account.adopt.order"), None).await.unwrap();
    assert_eq!(given, Adopted::Given);
    (m, [guids[0], guids[1]], second)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_taken_back_a_moment_before_it_is_carried_out_is_not_carried_out() {
    let (m, [guid, _], second) = ordered().await;
    let person = second.0.person;
    assert_eq!(m.reconciler.work(&SecondThoughts { ministry: &m, person, instead: None }).await.unwrap(), 1);
    let seen = m.directory.observe(&[guid]).await.unwrap().remove(0);
    assert_eq!((seen.employee_id(), seen.username()), (None, "baska"), "nothing of it was written");
    assert!(m.store.issues(None, 100).await.unwrap().iter().all(|i| i.issue.kind != IssueKind::DirectoryRefused));
    m.work().await;
    let account = m.person("S001").await.account.unwrap();
    assert_eq!(
        (account.guid.is_some(), account.adopted, &*account.names.username),
        (true, false, "murat.er"),
        "opened as if nothing had been ordered"
    );
    assert_ne!(account.guid, Some(guid));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_for_another_account_a_moment_before_is_the_one_that_counts() {
    let (m, [first, other], second) = ordered().await;
    let person = second.0.person;
    assert_eq!(m.reconciler.work(&SecondThoughts { ministry: &m, person, instead: Some(second) }).await.unwrap(), 1);
    let seen = m.directory.observe(&[first]).await.unwrap().remove(0);
    assert_eq!((seen.employee_id(), seen.username()), (None, "baska"), "nothing of it was written");
    m.work().await;
    let account = m.person("S001").await.account.unwrap();
    assert_eq!((account.guid, account.adopted, &*account.names.username), (Some(other), true, "oteki"));
    assert_eq!(m.directory.observe(&[other]).await.unwrap()[0].employee_id(), Some("S001"));
}
