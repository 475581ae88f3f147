//! What the tests of parola and phones share over HTTP: people of the simulated ministry, and a browser's side of the graph.
use crate::desk_lab::secret;
use crate::surface::page::browser;
use crate::surface::program::Serving;
use kimlik_adapters::directory::embedded::EmbeddedDirectory;
use kimlik_domain::account::Dn;
use kimlik_domain::ports::SignIn as _;
use kimlik_tests::lab::node;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Asks until the answer is one.
async fn until<T>(serving: &Serving, query: &str, found: impl Fn(&Value) -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = serving.ask(query).await;
        if let Some(found) = found(&answer["data"]) {
            return found;
        }
        assert!(Instant::now() < until, "it never came: {answer}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// User name and code of somebody whose account works and was announced.
pub async fn announced(serving: &Serving) -> (String, String) {
    serving.at_rest().await;
    until(serving, "{ messages(first: 5) { nodes { text } } }", |data| {
        let text = data["messages"]["nodes"][0]["text"].as_str()?;
        let words: Vec<&str> = text.split_whitespace().collect();
        let code = words.iter().map(|w| w.trim_matches(|c: char| !c.is_ascii_digit())).find(|w| w.len() == 8)?;
        let name = words.iter().find(|w| w.contains('@'))?.split('@').next()?;
        Some((name.to_owned(), code.to_owned()))
    })
    .await
}

/// Members of staff whose accounts work: user name, card and display name.
pub async fn people(serving: &Serving) -> Vec<[String; 3]> {
    serving.at_rest().await;
    let query = "{ identityCards(first: 40) { nodes { id username displayName accountState mobile } } }";
    until(serving, query, |data| {
        let nodes = data["identityCards"]["nodes"].as_array()?;
        let works = |n: &&Value| n["accountState"] == "ACTIVE" && n["mobile"].is_string();
        let text = |n: &Value, key: &str| n[key].as_str().unwrap_or_default().to_owned();
        let found: Vec<_> = nodes.iter().filter(works).map(|n| ["username", "id", "displayName"].map(|key| text(n, key))).collect();
        (found.len() > 20).then_some(found)
    })
    .await
}

/// The program's own directory, beside the program.
pub async fn directory_of(serving: &Serving) -> EmbeddedDirectory {
    let file = serving.folder.path().join("var/directory.db");
    EmbeddedDirectory::open(&file, Dn::new("OU=CSB,DC=csb,DC=test"), "csb.test", None).await.unwrap()
}

/// As if its owner had chosen it.
pub async fn give_password(serving: &Serving, username: &str, password: &str) {
    let directory = directory_of(serving).await;
    let account = directory.account_named(username).await.unwrap().unwrap();
    directory.hand_password(account, &secret(password)).await.unwrap();
    directory.close().await;
}

/// A script of tests/web at a page, in Chromium: what it prints. It gets browser, address, `arguments`, and a folder for pictures.
pub async fn seen(serving: &Serving, script: &'static str, page: &str, arguments: &[&str]) -> Value {
    let pictures = node::folder().join("pictures").display().to_string();
    let mut all = vec![browser().to_owned(), serving.url(page)];
    all.extend(arguments.iter().map(|a| (*a).to_owned()));
    all.push(pictures);
    let run = move || node::script(script, &all.iter().map(String::as_str).collect::<Vec<_>>());
    let seen = tokio::task::spawn_blocking(run).await.unwrap();
    let line = String::from_utf8_lossy(&seen.stdout).lines().last().unwrap_or_default().to_owned();
    let told: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line} {}", String::from_utf8_lossy(&seen.stderr)));
    assert_eq!((&told["origins"], &told["complaints"]), (&json!([format!("http://{}", serving.address)]), &json!([])), "{told}");
    for looked in told["axe"].as_array().unwrap() {
        assert_eq!(looked["breaches"], json!([]), "axe finds breaches of WCAG 2.2 AA: {looked:#}");
        assert!(looked["passed"].as_u64() > Some(10), "axe has hardly looked: {looked}");
    }
    told
}

/// A browser's side: it keeps its cookie.
pub struct Page {
    pub address: String,
    pub cookie: Option<String>,
}

impl Page {
    pub fn of(serving: &Serving) -> Page {
        Page { address: serving.url("/graphql"), cookie: None }
    }

    pub async fn ask(&mut self, query: &str, input: Value) -> Value {
        rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
        let body = json!({ "query": query, "variables": { "input": input } }).to_string();
        let mut request = reqwest::Client::new().post(&self.address).header("content-type", "application/json").body(body);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        let answer = request.send().await.unwrap();
        if let Some(set) = answer.headers().get("set-cookie") {
            let set = set.to_str().unwrap();
            assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict") && set.contains("Path=/graphql"), "{set}");
            self.cookie = set.split(';').next().map(str::to_owned);
        }
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }
}
