//! GraphiQL: in a real browser, out of the binary alone.
use super::program::Serving;
use std::process::Command;

const ASSETS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../api/assets/graphiql");

fn browser() -> &'static str {
    ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
        .into_iter()
        .find(|path| std::path::Path::new(path).exists())
        .expect("chromium is installed: tests/run installs it")
}

#[test]
fn graphiql_comes_up_in_a_browser_with_its_examples() {
    let serving = Serving::start(&[]);
    let profile = tempfile::tempdir().unwrap();
    let out = Command::new(browser())
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"])
        .args(["--disable-component-update", "--disable-sync", "--virtual-time-budget=8000", "--window-size=1400,900"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(["--enable-logging=stderr", "--dump-dom"])
        .arg(serving.url("/graphiql"))
        .output()
        .unwrap();
    let (dom, log) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    for part in ["graphiql-container", "GraphiQL Explorer", ">Cards<", ">Holds<", ">Messages<"] {
        assert!(dom.contains(part), "{part} is not on the page: {}", &dom[..dom.len().min(3_000)]);
    }
    for fault in ["Content Security Policy", "Refused to", "Uncaught"] {
        assert!(!log.contains(fault), "{log}");
    }
}

#[tokio::test]
async fn scripts_come_only_from_here_and_the_examples_are_answered() {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let serving = Serving::start(&[]);
    let page = reqwest::get(serving.url("/graphiql")).await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{policy}");
    assert!(!policy.contains("unsafe-eval") && !policy.contains("http"), "{policy}");
    let script = reqwest::get(serving.url("/graphiql/init.js")).await.unwrap().text().await.unwrap();
    let examples: Vec<&str> = script.split('`').skip(1).step_by(2).collect();
    assert!(examples.len() >= 5);
    for query in examples {
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
