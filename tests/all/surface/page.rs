//! GraphiQL: in a real browser, out of the binary alone.
use super::program::{Serving, text};
use kimlik_tests::lab::node;
use serde_json::{Value, json};
use std::process::Command;

const ASSETS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../api/assets/graphiql");

pub fn browser() -> &'static str {
    ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
        .into_iter()
        .find(|path| std::path::Path::new(path).exists())
        .expect("chromium is installed: tests/run installs it")
}

#[tokio::test]
async fn an_administrator_signs_in_asks_and_follows_a_run_and_no_other_origin_is_asked() {
    let serving = Serving::start(&[]);
    let run = serving.finished_run().await;
    let password = std::fs::read_to_string(serving.folder.path().join("var/secrets/administrator.password")).unwrap();
    let pictures = node::folder().join("pictures").display().to_string();
    let arguments = [browser().to_owned(), serving.url("/graphiql"), "yonetici".into(), password.trim().to_owned(), run.clone(), pictures];
    let seen = tokio::task::spawn_blocking(move || node::script("browser.mjs", &arguments.each_ref().map(String::as_str))).await.unwrap();
    let line = text(&seen.stdout).lines().last().unwrap_or_default().to_owned();
    let told: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{} {}", text(&seen.stdout), text(&seen.stderr)));
    assert!(told["refusal"].as_str().unwrap().contains("yanlış"), "a wrong password is told in Turkish: {told}");
    assert_eq!(told["who"], "yonetici · ADMINISTRATOR");
    let answers = told["answers"].as_object().unwrap();
    for question in [
        "WhyIsThisCardWrong",
        "WhatIsHeld",
        "WhoWaitsForAnAnnouncement",
        "WhatFailedSinceYesterday",
        "WhatWouldBeDone",
        "HowAreOurData",
        "FindPeople",
    ] {
        assert!(answers[question]["errors"].is_null() && answers[question]["data"].is_object(), "{question}: {told}");
    }
    assert!(told["subscription"]["data"]["syncProgress"]["done"].as_u64() > Some(0), "{told}");
    assert_eq!(told["origins"], json!([format!("http://{}", serving.address)]), "somebody else was asked");
    assert_eq!(told["sockets"], json!([serving.address]));
    assert_eq!((&told["inline"], &told["elsewhere"]), (&json!(false), &json!("refused")), "the policy is not kept");
    assert_eq!(told["complaints"], json!([]));
}

#[tokio::test]
async fn scripts_come_only_from_here_and_the_examples_are_answered() {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let serving = Serving::start(&[]);
    let page = reqwest::get(serving.url("/graphiql")).await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{policy}");
    assert!(!policy.contains("unsafe-eval") && !policy.contains("http"), "{policy}");
    let script = reqwest::get(serving.url("/graphiql/questions.js")).await.unwrap().text().await.unwrap();
    let examples: Vec<&str> = script.split('`').skip(1).step_by(2).collect();
    assert!(examples.len() >= 5);
    for query in examples.into_iter().filter(|query| !query.contains("subscription")) {
        let answer = serving.ask(query).await;
        assert!(answer["errors"].is_null(), "{query}: {answer}");
    }
}

#[test]
fn what_is_embedded_is_what_was_vendored() {
    let vendor = std::fs::read_to_string(format!("{ASSETS}/VENDOR.toml")).unwrap();
    let lines: Vec<&str> = vendor.lines().collect();
    let mut files = 0;
    for pair in lines.windows(2) {
        let (Some(name), Some(sum)) = (pair[0].strip_prefix("name = "), pair[1].strip_prefix("sha256 = ")) else { continue };
        let path = format!("{ASSETS}/{}", name.trim_matches('"'));
        let out = Command::new("sha256sum").arg(&path).output().unwrap();
        assert!(String::from_utf8_lossy(&out.stdout).starts_with(sum.trim_matches('"')), "{path}");
        files += 1;
    }
    let packed = std::fs::read_dir(ASSETS).unwrap().filter(|e| e.as_ref().unwrap().path().extension().is_some_and(|x| x == "gz")).count();
    assert_eq!(files, packed, "VENDOR.toml and the folder name different files");
}
