//! Cards at the real program: the feed that clients keep copies by, the record behind a card, and a database that is lost.
use super::program::Serving;
use kimlik_tests::lab::Relay;
use kimlik_tests::postgres;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

async fn settled(serving: &Serving) -> Vec<Value> {
    serving.at_rest().await;
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let answer =
            serving.ask("{ identityCards(first: 100) { totalCount nodes { id displayName username registryNumber accountState } } }").await;
        let cards = &answer["data"]["identityCards"];
        let nodes = cards["nodes"].as_array().cloned().unwrap_or_default();
        if nodes.len() >= 40 && nodes.iter().filter(|c| c["accountState"] == "ACTIVE").count() > 20 {
            assert_eq!(cards["totalCount"], json!(nodes.len()));
            return nodes;
        }
        assert!(Instant::now() < until, "no accounts: {answer}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn a_client_keeps_its_own_copy_by_the_feed() {
    let serving = Serving::start(&[]);
    let cards = settled(&serving).await;
    let (mut copy, mut after, mut calm) = (BTreeMap::new(), Value::Null, 0);
    // Until nothing comes any more: accounts are still being opened.
    while calm < 3 {
        let query = format!(
            "{{ identityCardChanges(first: 7, after: {after}) {{ nodes {{ kind cardId card {{ id displayName }} }} pageInfo {{ hasNextPage endCursor }} }} }}"
        );
        let answer = serving.ask(&query).await;
        let page = &answer["data"]["identityCardChanges"];
        for node in page["nodes"].as_array().unwrap_or_else(|| panic!("{answer}")) {
            assert_eq!((&node["kind"], &node["cardId"]), (&json!("UPSERTED"), &node["card"]["id"]), "{node}");
            copy.insert(node["cardId"].as_str().unwrap().to_owned(), node["card"]["displayName"].clone());
        }
        if page["pageInfo"]["endCursor"].is_string() {
            after = page["pageInfo"]["endCursor"].clone();
        }
        if page["pageInfo"]["hasNextPage"] == false {
            calm += 1;
            tokio::time::sleep(Duration::from_millis(400)).await;
        }
    }
    let expected: BTreeMap<_, _> = cards.iter().map(|c| (c["id"].as_str().unwrap().to_owned(), c["displayName"].clone())).collect();
    assert_eq!(copy, expected);
    let stale = "change_00000000000000000000000000000009_1_0";
    let answer = serving.ask(&format!("{{ identityCardChanges(after: \"{stale}\") {{ nodes {{ cardId }} }} }}")).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "CURSOR_EXPIRED", "{answer}");
}

#[tokio::test]
async fn the_record_behind_a_card_is_shown_masked_and_its_reading_is_recorded() {
    let serving = Serving::start(&[]);
    let cards = settled(&serving).await;
    let card = cards.iter().find(|c| c["accountState"] == "ACTIVE").unwrap();
    let query = format!(
        "{{ staffMember(by: {{ username: {} }}) {{ registryNumber nationalIdMasked card {{ id }} employment {{ status startsOn }} \
         postings {{ kind unit {{ path {{ code }} }} }} operations {{ nodes {{ because }} }} history {{ nodes {{ deed }} }} issues {{ kind }} }} }}",
        card["username"]
    );
    let answer = serving.ask(&query).await;
    let member = &answer["data"]["staffMember"];
    assert_eq!((&member["card"]["id"], &member["registryNumber"]), (&card["id"], &card["registryNumber"]), "{answer}");
    let masked = member["nationalIdMasked"].as_str().unwrap();
    assert!(masked.len() == 11 && &masked[3..8] == "*****", "{masked}");
    let count = |of: &str| member[of]["nodes"].as_array().map_or(0, Vec::len);
    assert!(count("operations") > 0 && count("history") > 0 && member["issues"].is_array(), "{answer}");
    let events = serving.ask("{ auditEvents(filter: { deed: \"person.read\" }) { nodes { detail } } }").await;
    let detail = events["data"]["auditEvents"]["nodes"][0]["detail"].as_str().unwrap_or_else(|| panic!("{events}"));
    assert!(detail.contains("ReadNationalId") && detail.contains("ReadRecord"), "{detail}");
}

#[tokio::test]
async fn the_tree_of_units_is_walked_both_ways() {
    let serving = Serving::start(&[]);
    settled(&serving).await;
    let answer = serving.ask("{ units(first: 1, search: \"il mud\") { totalCount nodes { code path { code } parent { code children(first: 100) { nodes { code } } } staff(includeSubunits: true) { totalCount nodes { unitPath { code } } } } } }").await;
    let unit = &answer["data"]["units"]["nodes"][0];
    let code = &unit["code"];
    assert_eq!(unit["path"].as_array().unwrap().last().unwrap()["code"], *code, "{answer}");
    assert!(unit["parent"]["children"]["nodes"].as_array().unwrap().iter().any(|c| c["code"] == *code), "{answer}");
    for card in unit["staff"]["nodes"].as_array().unwrap() {
        assert!(card["unitPath"].as_array().unwrap().iter().any(|c| c["code"] == *code), "{card}");
    }
}

/// Cards are kept in memory; what a process cannot know to be current it does not show.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_has_lost_the_database_shows_no_card_a_second_later() {
    let database = postgres::database().await;
    let (before, server, behind) = parts(&database.url);
    let relay = Relay::before(&server);
    let url = format!("{before}{}{behind}", relay.address());
    let serving = Serving::start_on(&url, &[]);
    let cards = settled(&serving).await;
    let query = format!("{{ identityCard(by: {{ id: {} }}) {{ displayName }} }}", cards[0]["id"]);
    assert_eq!(serving.ask(&query).await["data"]["identityCard"]["displayName"], cards[0]["displayName"]);
    relay.lose_answers(true);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let until = Instant::now() + Duration::from_secs(4);
    while Instant::now() < until {
        if let Ok(answer) = tokio::time::timeout(Duration::from_secs(4), serving.ask(&query)).await {
            assert!(answer["data"]["identityCard"].is_null(), "{answer}");
        }
    }
}

/// What stands before host and port, those, and what stands behind.
fn parts(url: &str) -> (String, String, String) {
    let at = url.rfind('@').map_or_else(|| url.find("//").unwrap() + 2, |at| at + 1);
    let end = url[at..].find('/').map_or(url.len(), |end| at + end);
    (url[..at].to_owned(), url[at..end].replace("localhost", "127.0.0.1"), url[end..].to_owned())
}
