//! A plan of a large ministry, asked for page by page: what it costs is counted in statements, and what is kept of it is an outline.
use crate::access_matrix::service;
use crate::surface::program::Serving;
use kimlik_adapters::directory::embedded::EmbeddedDirectory;
use kimlik_adapters::store::SqlStore;
use kimlik_domain::lifecycle::ActionKind;
use kimlik_domain::lifecycle::plan::digest_of;
use kimlik_domain::lifecycle::reconcile::{Outline, Whom};
use kimlik_domain::staff::unit::Province;
use kimlik_tests::lab::Tally;
use kimlik_tests::ministry::{BASE, GROUPS, Ministry, OUS, keys, national_id, policy};
use kimlik_tests::postgres;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Of a chunk of a thousand people: reading them, their managers, proposing names. More would be a statement a person.
const A_CHUNK: usize = 12;

async fn newcomers(people: usize) -> (Tally, Ministry) {
    let (tally, url) = Tally::of_postgresql(&postgres::database().await.url);
    let store = SqlStore::connect(&url, keys()).await.unwrap();
    store.migrate().await.unwrap();
    let temp = tempfile::tempdir().unwrap();
    let base = kimlik_domain::account::Dn::new(BASE);
    let directory = EmbeddedDirectory::open(&temp.path().join("directory.db"), base.clone(), &policy().upn_suffix, None).await.unwrap();
    directory.ensure_containers(&OUS.iter().map(|ou| base.below(ou)).collect::<Vec<_>>()).await.unwrap();
    directory.ensure_groups(&GROUPS.iter().map(|g| base.below(g)).collect::<Vec<_>>()).await.unwrap();
    let ministry = Ministry::on("2026-12-01", policy(), Arc::new(store), Arc::new(directory), temp).await;
    ministry.units().await;
    let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap());
    let rows: Vec<String> = (0..people)
        .map(|n| {
            let family = format!("Soy{}{}{}", letter(n / 676), letter(n / 26), letter(n));
            let id = national_id(u32::try_from(n).unwrap());
            format!("P{n:06};{id};Ali;{family};ACTIVE;1;2020-01-01;;PERMANENT;20000004;Memur;;2020-01-01;;;;;")
        })
        .collect();
    let report = ministry.staff(&rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!((report.refused, report.rejected_rows), (None, 0));
    tally.take();
    (tally, ministry)
}

async fn outlined(tally: &Tally, ministry: &Ministry) -> (Outline, usize, usize) {
    let outline = ministry.reconciler.outline(&Whom::Everybody, None).await.unwrap();
    let whole = tally.take().len();
    let page = ministry.reconciler.plan_again(&outline.heads[100..121], None).await.unwrap();
    assert_eq!(page.len(), 21);
    (outline, whole, tally.take().len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_of_thousands_costs_statements_by_the_thousand_and_each_page_the_same() {
    let (tally, few) = newcomers(500).await;
    let (outline, of_few, page_of_few) = outlined(&tally, &few).await;
    assert_eq!(outline.heads.len(), 500);
    let (tally, many) = newcomers(3_500).await;
    let (outline, of_many, page_of_many) = outlined(&tally, &many).await;
    assert!(of_many <= of_few + 3 * A_CHUNK, "{of_few} statements for 500 people, {of_many} for 3,500");
    assert_eq!(page_of_few, page_of_many, "a page is planned for its people alone");

    // What is kept says the same as the whole plan, and has nothing of its values.
    let plan = many.plan().await;
    assert_eq!((outline.heads.len(), plan.people.len()), (3_500, 3_500));
    assert!(
        outline
            .heads
            .iter()
            .zip(&plan.people)
            .all(|(head, person)| head.person == person.person && usize::from(head.changes) == person.actions.len())
    );
    assert_eq!(outline.overview.counts, [(ActionKind::Open, 3_500)].into());
    assert_eq!(outline.overview.provinces, [(Province::new(4), [(ActionKind::Open, 3_500)].into())].into(), "all of them work in Ağrı");
    assert_eq!((&outline.overview.counts, &outline.overview.exceeded), (&plan.overview.counts, &plan.overview.exceeded));
    let of_plan = digest_of(plan.people.iter().flat_map(|p| p.actions.iter().map(move |a| (p.person, a))));
    assert_eq!(outline.digest, of_plan);
    let again = many.reconciler.plan_again(&outline.heads[3_000..3_050], None).await.unwrap();
    assert_eq!(again[..], plan.people[3_000..3_050], "the same names are proposed to the same people, whichever page they stand on");
    tally.take();
    let unit = Whom::Unit(kimlik_domain::staff::UnitCode::parse("20000004").unwrap());
    assert_eq!(many.reconciler.outline(&unit, None).await.unwrap().heads.len(), 3_500);
    let of_unit = tally.take().len();
    assert!(of_unit <= of_few + 4 * A_CHUNK + 4, "{of_unit} statements for a unit of 3,500");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_for_the_plan_of_everybody_at_the_same_time_gets_one_that_was_made_once() {
    let (tally, url) = Tally::of_postgresql(&postgres::database().await.url);
    let serving = Serving::start_on(&url, &[]);
    crate::access_matrix::people(&serving).await;
    let token = serving.token().await;
    // Everybody is counted once a look.
    let is_a_look: fn(&str) -> bool = |s| s.contains("\"registry_no\"") && s.contains("\"state\"") && s.contains("LIMIT");
    // Each caller is looked up when the own request has come.
    let is_a_caller: fn(&str) -> bool = |s| s.starts_with("SELECT") && s.contains("FROM \"service_secret\"");
    let count = |heard: &[String], which: fn(&str) -> bool| heard.iter().filter(|s| which(s)).count();
    let mut callers = Vec::new();
    for n in 0..12 {
        callers.push(service(&serving, &format!("planner-{n}"), &["STAFF_WRITE"]).await);
    }
    // The first runs look at everybody, too.
    serving.at_rest().await;
    tally.take();
    let one = serving.ask("{ changePlan { digest asOf } }").await;
    assert_eq!(count(&tally.take(), is_a_look), 1, "the look is recognised on the line");
    let held = tally.hold(is_a_look);
    let query = "{ a: changePlan { digest } b: changePlan { digest summary { count } } }";
    let asked = futures_util::future::join_all(callers.iter().map(|caller| serving.ask_as(Some(caller), query, json!({}))));
    let mut heard = Vec::new();
    let all_have_come = async {
        while count(&heard, is_a_caller) < callers.len() || count(&heard, is_a_look) == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            heard.extend(tally.take());
        }
        let card = serving.ask_as(Some(&token), "{ identityCards(first: 1) { nodes { id } } }", json!({})).await;
        assert!(card["data"]["identityCards"]["nodes"][0]["id"].is_string(), "a server that plans answers others meanwhile: {card}");
        heard.extend(tally.take());
        assert_eq!(count(&heard, is_a_look), 1, "one at a time");
        drop(held);
    };
    let all_have_come = tokio::time::timeout(Duration::from_secs(60), all_have_come);
    let (asked, has_come) = tokio::join!(asked, all_have_come);
    has_come.expect("everybody is heard on the line");
    for answer in &asked {
        assert_eq!(
            (&answer["data"]["a"]["digest"], &answer["data"]["b"]["digest"]),
            (&one["data"]["changePlan"]["digest"], &answer["data"]["a"]["digest"]),
            "{answer}"
        );
    }
    heard.extend(tally.take());
    let looked = count(&heard, is_a_look);
    assert!((1..=3).contains(&looked), "twenty-four were asked for, {looked} were made");
}
