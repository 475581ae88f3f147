//! Cards that change, told to whoever follows them: the clients of other people, clients that were away, clients that do not read.
use crate::access_matrix::{people, service};
use crate::surface::program::{Serving, text};
use kimlik_tests::lab::node;
use serde_json::{Value, json};

async fn told(script: &'static str, arguments: Vec<String>) -> Value {
    let run = move || node::script(script, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let out = tokio::task::spawn_blocking(run).await.unwrap();
    let line = text(&out.stdout).lines().last().unwrap_or_default().to_owned();
    serde_json::from_str(&line).unwrap_or_else(|_| panic!("{script}: {} {}", text(&out.stdout), text(&out.stderr)))
}

#[tokio::test]
async fn subscribers_hear_of_each_card_that_changes_and_miss_nothing_while_they_are_away() {
    let serving = Serving::start(&[]);
    let all = people(&serving).await;
    let first = &all[0];
    let second = all.iter().find(|p| p.id != first.id && p.unit == first.unit).unwrap_or(&all[1]);
    let third = all.iter().find(|p| p.unit != first.unit && p.id != second.id).unwrap();
    let blind = service(&serving, "blind-service", &["HEALTH_READ"]).await;
    let token = serving.token().await;
    let ids = [&first.id, &second.id, &third.id, &first.unit].map(ToOwned::to_owned);
    let told = told("changes.mjs", [serving.url("/graphql"), token, blind].into_iter().chain(ids).collect()).await;
    for way in ["socket", "events"] {
        let of = &told[way];
        let number = of["number"].as_u64().unwrap();
        let heard = |list: &str| of[list].as_array().unwrap_or_else(|| panic!("{way} {list}: {of}")).clone();
        let dialled = |change: &Value| change["card"]["workPhone"]["extension"].as_str().unwrap_or_default().to_owned();
        let of_card = |list: &str, id: &str| heard(list).into_iter().filter(|c| c["cardId"] == json!(id)).collect::<Vec<_>>();
        let live = of_card("live", &first.id);
        assert_eq!((&live[0]["kind"], dialled(&live[0])), (&json!("UPSERTED"), number.to_string()), "{way}: {of}");
        // Three changes of one card, heard of as one.
        let resumed: Vec<String> = of_card("resumed", &first.id).iter().map(dialled).collect();
        assert_eq!(resumed, [(number + 3).to_string()], "{way}: {of}");
        assert_eq!(of_card("resumed", &second.id).iter().map(dialled).collect::<Vec<_>>(), [(number + 4).to_string()], "{way}: {of}");
        assert!(dialled(&heard("fromNow")[0]).parse::<u64>().unwrap() >= number + 10, "what was before is not told: {way}: {of}");
        for change in of_card("filtered", &third.id) {
            assert_eq!((&change["kind"], &change["card"]), (&json!("REMOVED"), &Value::Null), "{way}: works elsewhere: {change}");
        }
        assert!(!of_card("filtered", &third.id).is_empty(), "{way}: {of}");
        assert_eq!(of["blind"], json!([null]), "{way}: who may not see cards hears nothing");
        assert!(of["expired"].to_string().contains("CURSOR_EXPIRED"), "{way}: {of}");
        assert!(of["foreign"].to_string().contains("BAD_USER_INPUT"), "{way}: {of}");
    }
}

#[tokio::test]
async fn who_does_not_read_is_told_the_latest_and_not_all_that_was() {
    let serving = Serving::start(&[]);
    let all = people(&serving).await;
    let deep = serving.ask("{ identityCards(first: 100) { nodes { id accountState unitPath { code } } } }").await;
    let nodes = deep["data"]["identityCards"]["nodes"].as_array().unwrap();
    let known = nodes.iter().filter(|n| all.iter().any(|p| n["id"] == json!(p.id)));
    let deepest = known.max_by_key(|n| n["unitPath"].as_array().unwrap().len()).unwrap();
    let (times, token) = (40, serving.token().await);
    let told = told("slow.mjs", vec![serving.url("/graphql"), token, deepest["id"].as_str().unwrap().to_owned(), times.to_string()]).await;
    assert_eq!((&told["last"], &told["inOrder"]), (&json!((5000 + times).to_string()), &json!(true)), "{told}");
    assert!(told["heard"].as_u64() < Some(times - 5), "nothing was left out, so it was kept somewhere: {told}");
}
