//! How connected systems stand, as a caller reads it.
use super::program::{SMALL, Serving, run, text};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// In this language.
async fn health(serving: &Serving, language: &str) -> Vec<Value> {
    let query = "{ systemHealth { health findings { about code health found mend since seenAt lag { of at seconds } } } }";
    let request = reqwest::Client::new().post(serving.url("/graphql")).header("content-type", "application/json");
    let request =
        request.bearer_auth(serving.token().await).header("accept-language", language).body(json!({ "query": query }).to_string());
    let answer: Value = serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap();
    let findings = answer["data"]["systemHealth"]["findings"].as_array().unwrap_or_else(|| panic!("{answer}")).clone();
    let worst = ["BROKEN", "DOUBTFUL", "GOOD"].into_iter().find(|health| findings.iter().any(|f| f["health"] == *health));
    assert_eq!(answer["data"]["systemHealth"]["health"].as_str(), worst, "the whole is as its worst part: {answer}");
    findings
}

fn of<'a>(findings: &'a [Value], code: &str) -> Option<&'a Value> {
    findings.iter().find(|f| f["code"] == code)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_system_says_since_when_and_how_far_behind_in_the_language_of_whoever_asks() {
    let serving = Serving::start(&[]);
    serving.at_rest().await;
    let began = Instant::now();
    let english = loop {
        let findings = health(&serving, "en").await;
        if of(&findings, "FEED_TAKEN").or(of(&findings, "FEED_QUIET")).is_some_and(|f| f["lag"].is_object())
            && of(&findings, "FULL_LOOK_DONE").is_some()
        {
            break findings;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{findings:#?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    let moment = |of: &Value| chrono::DateTime::parse_from_rfc3339(of.as_str().unwrap()).unwrap();
    for finding in &english {
        assert!(moment(&finding["since"]) <= moment(&finding["seenAt"]), "{finding}");
        assert_eq!(finding["mend"] == "", finding["health"] == "GOOD", "{finding}");
    }
    let feed = english.iter().find(|f| f["about"] == "HR feed simulated").unwrap();
    assert_eq!((&feed["lag"]["of"], &feed["health"]), (&json!("LAST_DELIVERY"), &json!("GOOD")));
    assert!(feed["lag"]["seconds"].as_i64().is_some_and(|s| (0..600).contains(&s)), "{feed}");
    assert_eq!(of(&english, "FULL_LOOK_DONE").unwrap()["lag"]["of"], "LAST_FULL_LOOK");
    for code in ["DATABASE_GOOD", "EMBEDDED_GOOD", "OUTBOX_READABLE", "MESSAGES_GOOD", "QUEUE_GOOD", "WRITE_BACK_GOOD"] {
        assert!(of(&english, code).is_some_and(|f| f["health"] == "GOOD"), "{code} in {english:#?}");
    }
    let turkish = health(&serving, "tr-TR,tr;q=0.9").await;
    assert_eq!(of(&turkish, "DATABASE_GOOD").unwrap()["about"], "veritabanı");
    assert_eq!(of(&turkish, "DATABASE_GOOD").unwrap()["found"], "ulaşılabiliyor, şeması güncel");
    assert!(of(&turkish, "EMBEDDED_GOOD").unwrap()["about"].as_str().unwrap().starts_with("gömülü dizin "));
}

#[test]
fn the_doctor_speaks_the_language_of_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let said =
        |arguments: &[&str], environment: &[(&str, &str)]| text(&run(folder.path(), arguments, &[SMALL, environment].concat()).stdout);
    let english = said(&["doctor"], &[]);
    assert!(english.contains("+ database: reachable, schema up to date") && english.contains("All is well."), "{english}");
    for turkish in [said(&["doctor", "--language", "tr"], &[]), said(&["doctor"], &[("LANG", "tr_TR.UTF-8")])] {
        assert!(turkish.contains("+ veritabanı: ulaşılabiliyor, şeması güncel") && turkish.contains("Her şey yolunda."), "{turkish}");
    }
}
