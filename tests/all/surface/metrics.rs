//! Figures for whoever watches over Kimlik: told on a listener of their own, and only where one is set.
use super::program::{SMALL, Serving, run};
use crate::access_matrix::people;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// What the format allows, line by line; answers the values by name and labels.
fn read(text: &str) -> BTreeMap<String, f64> {
    let mut values = BTreeMap::new();
    let mut last = (String::new(), String::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            last = (rest.split(' ').next().unwrap().to_owned(), String::new());
            assert!(rest.split(' ').count() > 1, "{line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(name == last.0 && ["gauge", "counter"].contains(&kind), "{line}");
            last.1 = kind.to_owned();
        } else {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let bare = name.split('{').next().unwrap();
            assert!(bare == last.0 && !last.1.is_empty(), "a value without its head: {line}");
            assert!(bare.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{line}");
            assert!(values.insert(name.to_owned(), value.parse().unwrap_or_else(|_| panic!("{line}"))).is_none(), "told twice: {line}");
        }
    }
    values
}

#[tokio::test]
async fn figures_are_told_where_an_address_is_set_and_name_nobody() {
    let serving = Serving::start(&[("KIMLIK__METRICS__LISTEN", "127.0.0.1:0")]);
    let all = people(&serving).await;
    let line = serving.says("figures are told", Duration::from_secs(60));
    let address = line.split("metrics=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    let scrape = async || {
        let answer = reqwest::get(format!("http://{address}/metrics")).await.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        answer.text().await.unwrap()
    };
    serving.ask("{ identityCards(first: -1) { totalCount } }").await;
    let text = scrape().await;
    let values = read(&text);
    assert_eq!(values["kimlik_store_up"], 1.0);
    let page = include_str!("../../../docs/operators/monitoring.md");
    for name in values.keys().map(|name| name.split('{').next().unwrap()) {
        assert!(page.contains(&format!("`{name}")), "docs/operators/monitoring.md lacks {name}");
    }
    assert!(values["kimlik_graphql_answers_total"] >= 2.0 && values["kimlik_graphql_errors_total"] >= 1.0, "{text}");
    assert!(values["kimlik_cards"] >= all.len() as f64 && values["kimlik_last_run_age_seconds"] >= 0.0, "{text}");
    assert!(
        values.contains_key("kimlik_cards_wrong{reason=\"HELD\"}") && values.contains_key("kimlik_open_issues{kind=\"MISSING_MOBILE\"}")
    );
    for person in &all {
        assert!(!text.contains(&person.username) && !text.contains(&person.registry_no), "somebody is named");
    }

    let out = run(serving.folder.path(), &["sync"], SMALL);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let query = "{ cardsRight { percent total right at reasons { reason cards } provinces { province { name } cards } history(days: 3) { day at total right percent } } }";
    let answer = serving.ask(query).await;
    let figure = &answer["data"]["cardsRight"];
    let (total, right) = (figure["total"].as_u64().unwrap_or_else(|| panic!("{answer}")), figure["right"].as_u64().unwrap());
    let wrong: u64 = figure["reasons"].as_array().unwrap().iter().map(|r| r["cards"].as_u64().unwrap()).sum();
    assert_eq!(total - right, wrong, "{answer}");
    assert_eq!(figure["history"].as_array().unwrap().len(), 1, "one a day: {answer}");
    let values = read(&scrape().await);
    assert_eq!(values["kimlik_cards"], total as f64);
    for days in [-1, 732] {
        let answer = serving.ask(&format!("{{ cardsRight {{ history(days: {days}) {{ day }} }} }}")).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], json!("BAD_USER_INPUT"), "{answer}");
    }
    assert_eq!(reqwest::get(serving.url("/metrics")).await.unwrap().status(), 404, "not where everybody asks");
}

#[tokio::test]
async fn nothing_is_told_where_no_address_is_set_and_a_taken_one_ends_the_start() {
    let serving = Serving::start(&[]);
    let taken = serving.address.clone();
    let folder = tempfile::tempdir().unwrap();
    let out = run(folder.path(), &["serve"], &[SMALL, &[("KIMLIK__METRICS__LISTEN", taken.as_str())]].concat());
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(!out.status.success() && said.contains("metrics.listen") && said.contains("to do:"), "{said}");
}
