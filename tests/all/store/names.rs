//! The ledger of names: unique, never given twice, also to askers at the same time.
use super::{Bench, id, names, person, request, settlement};
use kimlik_domain::access::idempotency::ClientKey;
use kimlik_domain::account::adoption::{Adopted, Adoption, AdoptionOrdered, Withdrawn};
use kimlik_domain::account::rename::{NamesOrdered, Rename, Renamed};
use kimlik_domain::account::{Account, AccountState, LedgerName, NameKind};
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::AccountGuid;
use kimlik_domain::lifecycle::ActionKind;
use kimlik_domain::lifecycle::run::{OperationStatus, PersonSettlement};
use kimlik_domain::ports::{PeopleBy, Store};
use std::collections::HashSet;

on_both_engines!(
    each_request_sees_the_ones_before_it,
    a_name_once_given_is_never_given_to_another,
    a_proposal_reserves_nothing,
    a_new_address_keeps_the_old_one_as_alias_and_the_user_name,
    a_barred_name_is_barred_for_ever_and_the_reservation_undone,
    askers_at_the_same_time_get_different_names,
    a_request_that_fails_leaves_nothing_behind,
    an_adopted_account_brings_its_names_into_the_ledger,
    an_order_to_adopt_is_taken_back_with_its_names_unless_it_is_under_way,
    names_by_order_are_free_or_refused_and_not_undone_by_what_is_settled_meanwhile,
);

async fn each_request_sees_the_ones_before_it(bench: Bench) {
    let first = request(1, &["a.yilmaz", "a.yilmaz2"], &["a.yilmaz@csb.test", "a.yilmaz2@csb.test"]);
    let second = request(2, &["A.YILMAZ", "a.yilmaz2"], &["a.yılmaz@csb.test", "a.yilmaz2@csb.test"]);
    let third = request(3, &["a.yilmaz"], &["x@csb.test"]);
    let answers = bench.store.reserve(&[first, second, third], true).await.unwrap();
    assert_eq!(answers[0], Some(names("a.yilmaz")));
    assert_eq!(&*answers[1].as_ref().unwrap().username, "a.yilmaz2", "compared on the folded form");
    assert_eq!(answers[2], None);
}

async fn a_name_once_given_is_never_given_to_another(bench: Bench) {
    let asked = request(1, &["a.yilmaz"], &["a.yilmaz@csb.test"]);
    let given = bench.store.reserve(std::slice::from_ref(&asked), true).await.unwrap();
    assert_eq!(bench.again().await.reserve(&[asked], true).await.unwrap(), given, "asked again, the same person gets the same");
    let other = request(2, &["a.yilmaz"], &["b@csb.test"]);
    assert_eq!(bench.store.reserve(&[other], true).await.unwrap(), [None]);
    assert_eq!(bench.store.person_named(Some("A.Yılmaz"), None).await.unwrap(), Some(id(1)));
    assert_eq!(bench.store.person_named(Some("a.yilmaz"), Some("a.yilmaz@csb.test")).await.unwrap(), Some(id(1)));
    assert_eq!(bench.store.person_named(Some("a.yilmaz"), Some("nobody@csb.test")).await.unwrap(), None);
}

async fn a_proposal_reserves_nothing(bench: Bench) {
    let asked = [request(1, &["a"], &["a@csb.test"]), request(2, &["a", "b"], &["a@csb.test", "b@csb.test"])];
    let proposed = bench.store.reserve(&asked, false).await.unwrap();
    assert_eq!(proposed.iter().map(|n| &*n.as_ref().unwrap().username).collect::<Vec<_>>(), ["a", "b"]);
    let swapped = [request(2, &["a"], &["a@csb.test"])];
    assert_eq!(bench.store.reserve(&swapped, true).await.unwrap(), [Some(names("a"))]);
}

async fn a_new_address_keeps_the_old_one_as_alias_and_the_user_name(bench: Bench) {
    bench.save(vec![person(1, "Ayşe", "Yılmaz")]).await;
    bench.store.reserve(&[request(1, &["a.yilmaz"], &["a.yilmaz@csb.test"])], true).await.unwrap();
    let married = bench.store.reserve(&[request(1, &[], &["a.kaya@csb.test"])], true).await.unwrap();
    let married = married[0].clone().unwrap();
    assert_eq!((&*married.username, &*married.mail), ("a.yilmaz", "a.kaya@csb.test"));
    assert_eq!(married.aliases, ["a.yilmaz@csb.test".into()]);
    let stored = bench.store.people(PeopleBy::Ids(&[id(1)])).await.unwrap();
    assert_eq!(stored[0].account.as_ref().unwrap().names, married);
    assert_eq!(bench.store.person_named(None, Some("a.yilmaz@csb.test")).await.unwrap(), Some(id(1)), "an alias finds its person");
    let divorced = bench.store.reserve(&[request(1, &[], &["a.yilmaz@csb.test"])], true).await.unwrap();
    let divorced = divorced[0].clone().unwrap();
    assert_eq!(&*divorced.mail, "a.yilmaz@csb.test", "their own earlier address is free for them");
    assert_eq!(divorced.aliases, ["a.kaya@csb.test".into()]);
    assert_eq!(bench.store.reserve(&[request(1, &[], &[])], true).await.unwrap(), [Some(divorced)]);
}

async fn a_barred_name_is_barred_for_ever_and_the_reservation_undone(bench: Bench) {
    bench.save(vec![person(1, "Ayşe", "Yılmaz")]).await;
    let asked = request(1, &["a", "b"], &["a@csb.test"]);
    bench.store.reserve(std::slice::from_ref(&asked), true).await.unwrap();
    bench.store.bar_name(id(1), &LedgerName { kind: NameKind::Username, value: "a".into() }).await.unwrap();
    assert_eq!(bench.store.people(PeopleBy::Ids(&[id(1)])).await.unwrap()[0].account, None);
    let again = bench.store.reserve(&[asked], true).await.unwrap()[0].clone().unwrap();
    assert_eq!((&*again.username, &*again.mail), ("b", "a@csb.test"), "the address that was not barred is still theirs");
    assert_eq!(bench.store.reserve(&[request(2, &["a"], &["c@csb.test"])], true).await.unwrap(), [None]);
    assert_eq!(bench.store.person_named(Some("a"), None).await.unwrap(), None);
}

async fn askers_at_the_same_time_get_different_names(bench: Bench) {
    let candidates: Vec<String> = (1..=40).map(|n| format!("mehmet.yilmaz{n}")).collect();
    let mut askers = Vec::new();
    for replica in 0..8_u32 {
        let store = if replica % 2 == 0 { bench.store.clone() } else { bench.again().await };
        let candidates = candidates.clone();
        askers.push(tokio::spawn(async move {
            let mut got = Vec::new();
            for n in 0..5 {
                let usernames: Vec<&str> = candidates.iter().map(String::as_str).collect();
                let address = format!("p{replica}x{n}@csb.test");
                let answer = store.reserve(&[request(replica * 100 + n, &usernames, &[&address])], true).await.unwrap();
                got.push(answer[0].clone().unwrap().username);
            }
            got
        }));
    }
    let mut all = HashSet::new();
    for asker in askers {
        for username in asker.await.unwrap() {
            assert!(all.insert(username.clone()), "{username} was given twice");
        }
    }
    assert_eq!(all.len(), 40);
}

async fn a_request_that_fails_leaves_nothing_behind(bench: Bench) {
    bench.store.reserve(&[request(1, &["a"], &["a@csb.test"])], true).await.unwrap();
    let half = request(2, &["free"], &["a@csb.test"]);
    assert_eq!(bench.store.reserve(&[half], true).await.unwrap(), [None]);
    assert_eq!(bench.store.reserve(&[request(3, &["free"], &["free@csb.test"])], true).await.unwrap(), [Some(names("free"))]);
}

async fn an_adopted_account_brings_its_names_into_the_ledger(bench: Bench) {
    let ayse = person(1, "Ayşe", "Yılmaz");
    bench.save(vec![ayse.clone()]).await;
    let account = Account { guid: Some(AccountGuid(id(77).0)), adopted: true, ..Account::new(id(1), names("eski.ad")) };
    bench.store.settle(vec![PersonSettlement { account: Some(account), ..settlement(&ayse) }]).await.unwrap();
    assert_eq!(bench.store.reserve(&[request(2, &["eski.ad"], &["x@csb.test"])], true).await.unwrap(), [None]);
    assert_eq!(bench.store.person_named(None, Some("eski.ad@csb.test")).await.unwrap(), Some(id(1)));
}

fn rename(n: u128, of: u32, username: Option<&str>, mail: Option<&str>) -> Rename {
    Rename {
        id: uuid::Uuid::from_u128(n),
        person: id(of),
        username: username.map(Into::into),
        mail: mail.map(Into::into),
        named_for: "nil ay".into(),
        by: NamesOrdered { by: "user:officer".into(), reason: format!("petition {n}\0").into(), at: super::noon() },
    }
}

fn ordered(order: &Rename) -> AuditEvent {
    let detail = serde_json::json!({});
    let (at, because) = (order.by.at, order.by.reason.to_string());
    AuditEvent { at, actor: "user:officer".into(), deed: "account.rename.order".into(), person: Some(order.person), because, detail }
}

async fn names_by_order_are_free_or_refused_and_not_undone_by_what_is_settled_meanwhile(bench: Bench) {
    bench.save(vec![person(1, "Nil", "Ay"), person(2, "Can", "Ay"), person(3, "Efe", "Ay")]).await;
    let nil = bench.settle_account(&person(1, "Nil", "Ay"), AccountState::Active, 6).await;
    bench.settle_account(&person(2, "Can", "Ay"), AccountState::Closed, 6).await;
    let give = async |order: &Rename| bench.store.rename(order, &ordered(order), None).await.unwrap();
    assert_eq!(give(&rename(1, 3, Some("efe.ay"), None)).await, Renamed::NoAccount);
    assert_eq!(give(&rename(1, 2, Some("can.ay"), None)).await, Renamed::NoAccount, "closed");
    let taken = Renamed::Taken { username: true, mail: true };
    assert_eq!(give(&rename(2, 1, Some("uS2"), Some("US2@csb.test"))).await, taken, "whatever the letters");
    assert_eq!(give(&rename(3, 1, Some("nil.ay"), Some("nil.ay@csb.test"))).await, Renamed::Given);
    assert_eq!(give(&rename(4, 1, Some("nil.ay"), None)).await, Renamed::AlreadySo);
    let audit = bench.store.audit_events(Some(id(1)), 10).await.unwrap();
    assert_eq!(audit.iter().filter(|e| e.deed == "account.rename.order").count(), 1, "what changes nothing is no deed");
    let woken = bench.store.claim(super::noon(), super::noon() + chrono::TimeDelta::minutes(1), 10).await.unwrap();
    assert!(woken.iter().any(|c| c.person == id(1)));

    // Somebody who looked before the order settles afterwards.
    let late = PersonSettlement {
        account: Some(Account { enabled_at: Some(super::noon()), ..nil.clone() }),
        before: Some(nil.clone()),
        ..settlement(&person(1, "Nil", "Ay"))
    };
    bench.store.settle(vec![late]).await.unwrap();
    let held = bench.store.people(PeopleBy::Ids(&[id(1)])).await.unwrap().remove(0).account.unwrap();
    assert_eq!((held.names.username.as_ref(), held.names.mail.as_ref()), ("nil.ay", "nil.ay@csb.test"));
    assert_eq!((held.names.aliases.len(), held.enabled_at, held.renamed.is_some()), (1, Some(super::noon()), true));
    for name in ["uS1", "nil.ay"] {
        assert_eq!(bench.store.person_named(Some(name), None).await.unwrap(), Some(id(1)), "old names stay hers");
    }

    // The same name for two at once, over two replicas.
    bench.settle_account(&person(3, "Efe", "Ay"), AccountState::Active, 6).await;
    let replica = bench.again().await;
    let (mine, yours) = (rename(10, 1, Some("ortak"), None), rename(11, 3, Some("ortak"), None));
    let (events, key) = ((ordered(&mine), ordered(&yours)), ClientKey { client: "service:hr".into(), key: "k".into(), asked: "a".into() });
    let (one, two) = tokio::join!(bench.store.rename(&mine, &events.0, Some((&key, "answer"))), replica.rename(&yours, &events.1, None));
    let outcomes = [one.unwrap(), two.unwrap()];
    assert_eq!(outcomes.iter().filter(|o| **o == Renamed::Given).count(), 1, "{outcomes:?}");
    if outcomes[0] == Renamed::Given {
        assert_eq!(bench.store.rename(&mine, &events.0, Some((&key, "x"))).await.unwrap(), Renamed::Answered("answer".into()));
    }
}

async fn an_order_to_adopt_is_taken_back_with_its_names_unless_it_is_under_way(bench: Bench) {
    bench.save(vec![person(1, "Ayşe", "Yılmaz"), person(2, "Ali", "Kaya")]).await;
    let store = &bench.store;
    let own = store.reserve(&[request(1, &["a.yilmaz"], &["a.yilmaz@csb.test"])], true).await.unwrap();
    let account = AccountGuid(uuid::Uuid::from_u128(77));
    let ordered = AdoptionOrdered { guid: account, by: "user:a".into(), reason: "hers".into(), at: super::noon() };
    let order = Adoption { id: uuid::Uuid::from_u128(1), person: id(1), ordered };
    let event = |deed: &str| AuditEvent {
        at: super::noon(),
        actor: "user:a".into(),
        deed: deed.into(),
        person: Some(id(1)),
        because: "x".into(),
        detail: serde_json::json!({}),
    };
    let brings = request(1, &["eski"], &["eski@csb.test"]);
    assert_eq!(store.withdraw_adoption(id(1), &event("w"), None).await.unwrap(), Withdrawn::NoOrder);
    assert_eq!(store.adopt(&order, &brings, &event("o"), None).await.unwrap(), Adopted::Given);
    let other = request(2, &["eski"], &["eski@csb.test"]);
    assert_eq!(store.reserve(std::slice::from_ref(&other), false).await.unwrap(), [None], "spoken for");
    // What is under way cannot be taken back: nobody knows yet what became of it.
    let intent = super::operations::intent_of(1, ActionKind::Adopt);
    assert!(store.intend(std::slice::from_ref(&intent), &[], super::noon()).await.unwrap().is_empty());
    assert_eq!(store.withdraw_adoption(id(1), &event("w"), None).await.unwrap(), Withdrawn::UnderWay);
    let elsewhere =
        Adoption { ordered: AdoptionOrdered { guid: AccountGuid(uuid::Uuid::from_u128(78)), ..order.ordered.clone() }, ..order };
    assert_eq!(store.adopt(&elsewhere, &brings, &event("o"), None).await.unwrap(), Adopted::UnderWay);
    let operations = vec![(intent.operation, OperationStatus::Superseded, Vec::new())];
    store.settle(vec![PersonSettlement { operations, ..settlement(&person(1, "Ayşe", "Yılmaz")) }]).await.unwrap();
    let key = |asked: &str| ClientKey { client: "user:a".into(), key: "k".into(), asked: asked.into() };
    let (first, second) = (key("this"), key("that"));
    let told = |key| Some((key, "answer"));
    assert_eq!(store.withdraw_adoption(id(1), &event("w"), told(&first)).await.unwrap(), Withdrawn::Done);
    assert_eq!(store.withdraw_adoption(id(1), &event("w"), told(&first)).await.unwrap(), Withdrawn::Answered("answer".into()));
    assert_eq!(store.withdraw_adoption(id(1), &event("w"), told(&second)).await.unwrap(), Withdrawn::KeyReused);
    assert_eq!(store.withdraw_adoption(id(1), &event("w"), None).await.unwrap(), Withdrawn::NoOrder);
    assert_eq!(store.people(PeopleBy::Ids(&[id(1)])).await.unwrap()[0].account, None);
    let woken = store.claim(super::noon(), super::noon() + chrono::TimeDelta::minutes(1), 10).await.unwrap();
    assert!(woken.iter().any(|claim| claim.person == id(1)), "looked at as if nothing had been ordered");
    // The account's names are anybody's again; those that were reserved for the person before stay the person's.
    assert_eq!(store.reserve(&[other], true).await.unwrap(), [Some(names("eski"))]);
    assert_eq!(store.reserve(&[request(2, &["a.yilmaz"], &["x@csb.test"])], false).await.unwrap(), [None]);
    assert_eq!(store.reserve(&[request(1, &["a.yilmaz"], &["a.yilmaz@csb.test"])], true).await.unwrap(), own);
    let deeds: Vec<String> = store.audit_events(None, 100).await.unwrap().into_iter().map(|e| e.deed).collect();
    assert_eq!(deeds.iter().filter(|deed| *deed == "w").count(), 1, "{deeds:?}");
}
