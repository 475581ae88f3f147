//! Attacks on parola at the real program, each beside the same deed without the attack, which succeeds.
use crate::desk_lab::{FIRST, SECOND, digits_in};
use crate::desk_page::{Page, announced, people};
use crate::surface::program::{SMALL, Serving, keys_in, run};
use kimlik_tests::lab::node;
use kimlik_tests::postgres;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const START: &str =
    "mutation($input: PasswordResetStartInput!) { passwordResetStart(input: $input) { challenge { id } userErrors { code } } }";
const VERIFY: &str = "mutation($input: ChallengeVerifyInput!) { challengeVerify(input: $input) { ticket { token } userErrors { code } } }";
const SET: &str = "mutation($input: PasswordSetInput!) { passwordSet(input: $input) { done userErrors { code } } }";
const ACTIVATE: &str =
    "mutation($input: AccountActivateInput!) { accountActivate(input: $input) { ticket { token } userErrors { code } } }";
const BY_SMS: (&str, &str) = ("KIMLIK__PASSWORD__RESET_PROOF", "sms");

fn client() -> reqwest::Client {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    reqwest::Client::new()
}

/// A challenge of this person.
async fn started(serving: &Serving, username: &str) -> String {
    let answer = serving.ask_as(None, START, json!({ "input": { "username": username } })).await;
    answer["data"]["passwordResetStart"]["challenge"]["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

/// Codes that this person was sent, newest first.
async fn codes(serving: &Serving, card: &str) -> Vec<String> {
    let answer = serving.ask("{ messages(first: 100) { nodes { purpose state text card { id } } } }").await;
    let nodes = answer["data"]["messages"]["nodes"].as_array().cloned().unwrap_or_else(|| panic!("{answer}"));
    let of = |m: &&Value| m["purpose"] == "RESET_CODE" && m["state"] == "SENT" && m["card"]["id"] == card;
    nodes.iter().filter(of).map(|m| digits_in(m["text"].as_str().unwrap(), 6)).collect()
}

async fn code(serving: &Serving, card: &str) -> String {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(code) = codes(serving, card).await.into_iter().next() {
            return code;
        }
        assert!(Instant::now() < until, "no code came");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A right guess, and five that are not.
fn wrong(right: &str) -> Vec<String> {
    (0..6_u32).map(|n| format!("{n:06}")).filter(|guess| guess != right).take(5).collect()
}

fn verdict(answer: &Value) -> &str {
    let payload = &answer["data"]["challengeVerify"];
    if payload["ticket"]["token"].is_string() { "ticket" } else { payload["userErrors"][0]["code"].as_str().unwrap_or("?") }
}

async fn verify(serving: &Serving, challenge: &str, code: &str) -> Value {
    serving.ask_as(None, VERIFY, json!({ "input": { "challengeId": challenge, "code": code } })).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn aliases_batches_and_sockets_give_no_more_than_five_guesses_of_a_code() {
    let serving = Serving::start(&[BY_SMS]);
    let people = people(&serving).await;
    let begun = async |n: usize| {
        let challenge = started(&serving, &people[n][0]).await;
        (challenge, code(&serving, &people[n][1]).await)
    };
    let aliased = async |challenge: &str, guesses: &[String]| {
        let guess = |(n, code): (usize, &String)| {
            format!(
                "g{n}: challengeVerify(input: {{ challengeId: \"{challenge}\", code: \"{code}\" }}) {{ ticket {{ token }} userErrors {{ code }} }} "
            )
        };
        let query = format!("mutation {{ {} }}", guesses.iter().enumerate().map(guess).collect::<String>());
        let answer = serving.ask_as(None, &query, json!({})).await;
        for (n, _) in guesses.iter().enumerate() {
            assert_eq!(answer["data"][format!("g{n}")]["userErrors"][0]["code"], "CODE_WRONG", "{answer}");
        }
    };
    let (challenge, right) = begun(0).await;
    aliased(&challenge, &wrong(&right)[..4]).await;
    assert_eq!(verdict(&verify(&serving, &challenge, &right).await), "ticket", "the fifth guess may be right");
    let (challenge, right) = begun(1).await;
    aliased(&challenge, &wrong(&right)).await;
    assert_eq!(verdict(&verify(&serving, &challenge, &right).await), "CODE_WRONG", "five aliases are five guesses");

    let (challenge, right) = begun(2).await;
    let of = |code: &String| json!({ "query": VERIFY, "variables": { "input": { "challengeId": challenge, "code": code } } });
    let batch = json!(wrong(&right).iter().map(of).chain([of(&right)]).collect::<Vec<_>>());
    let request = client().post(serving.url("/graphql")).header("content-type", "application/json").body(batch.to_string());
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 400);
    assert!(!answer.text().await.unwrap().contains("kimlik_tic"), "a batch is not even tried");
    assert_eq!(verdict(&verify(&serving, &challenge, &right).await), "ticket", "and counts as nothing");

    let (challenge, right) = begun(3).await;
    let guesses: Vec<String> = wrong(&right).into_iter().chain([right.clone()]).collect();
    let token = serving.token().await;
    let socket = async |challenge: &str, guesses: &[String]| -> Value {
        let arguments = [serving.url("/graphql"), token.clone(), challenge.to_owned(), guesses.join(",")];
        let run = move || node::script("guess.mjs", &arguments.each_ref().map(String::as_str));
        let out = tokio::task::spawn_blocking(run).await.unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text} {}", String::from_utf8_lossy(&out.stderr)))
    };
    let told = socket(&challenge, &guesses).await;
    let verdicts: Vec<&str> = told["answers"].as_array().unwrap().iter().map(verdict).collect();
    assert_eq!(verdicts, ["CODE_WRONG"; 6], "two sockets have five guesses together");
    assert_eq!(told["stranger"], 4403, "and strangers have no socket at all");
    let (challenge, right) = begun(4).await;
    let told = socket(&challenge, &[right]).await;
    let ticket = told["answers"][0]["data"]["challengeVerify"]["ticket"]["token"].as_str().unwrap_or_else(|| panic!("{told}")).to_owned();
    let set = Page::of(&serving).ask(SET, json!({ "ticket": ticket, "newPassword": FIRST })).await;
    assert_eq!(set["data"]["passwordSet"]["userErrors"][0]["code"], "TICKET_SPENT", "a socket has no cookie, so its ticket opens nothing");
}

/// Two programs on one PostgreSQL and one directory.
pub async fn replicas(database: &str) -> [Serving; 2] {
    let folder = tempfile::tempdir().unwrap();
    let secrets = keys_in(folder.path());
    let (secrets, directory) = (secrets.display().to_string(), folder.path().join("var/directory.db").display().to_string());
    let environment = [
        BY_SMS,
        ("KIMLIK__DATABASE__URL", database),
        ("KIMLIK__SECRETS__DIR", secrets.as_str()),
        ("KIMLIK__DIRECTORY__EMBEDDED__FILE", directory.as_str()),
    ];
    let migrated = run(folder.path(), &["migrate"], &[SMALL, &environment].concat());
    assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    let first = Serving::start_in(folder, &environment);
    people(&first).await;
    [first, Serving::start(&environment)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_give_no_more_than_five_guesses_together() {
    let database = postgres::database().await;
    let [one, two] = replicas(&database.url).await;
    let people = people(&one).await;
    let challenge = started(&one, &people[0][0]).await;
    let right = code(&one, &people[0][1]).await;
    for (n, guess) in wrong(&right)[..4].iter().enumerate() {
        assert_eq!(verdict(&verify(if n % 2 == 0 { &one } else { &two }, &challenge, guess).await), "CODE_WRONG");
    }
    assert_eq!(verdict(&verify(&two, &challenge, &right).await), "ticket", "the fifth guess may be right, wherever it is made");

    let challenge = started(&two, &people[1][0]).await;
    let right = code(&one, &people[1][1]).await;
    let guesses = wrong(&right);
    // At once, so that neither has seen what the other counts.
    let both = |guess: &String| {
        let (challenge, guess) = (challenge.clone(), guess.clone());
        let (one, two) = (&one, &two);
        async move { tokio::join!(verify(one, &challenge, &guess), verify(two, &challenge, &guess)) }
    };
    for (a, b) in futures_util::future::join_all(guesses.iter().take(3).map(both)).await {
        assert!(verdict(&a) != "ticket" && verdict(&b) != "ticket");
    }
    assert_eq!(verdict(&verify(&one, &challenge, &right).await), "CODE_WRONG", "six guesses on two replicas are more than five");
    assert_eq!(verdict(&verify(&two, &challenge, &right).await), "CODE_WRONG");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tickets_that_are_swapped_stolen_or_used_again_set_no_password() {
    let serving = Serving::start(&[BY_SMS]);
    let people = people(&serving).await;
    let mut browsers = Vec::new();
    for [username, card, _] in people.iter().take(2) {
        let challenge = started(&serving, username).await;
        let mut page = Page::of(&serving);
        let answer = page.ask(VERIFY, json!({ "challengeId": challenge, "code": code(&serving, card).await })).await;
        let ticket = answer["data"]["challengeVerify"]["ticket"]["token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        browsers.push((page, ticket));
    }
    let tickets = [browsers[0].1.clone(), browsers[1].1.clone()];
    let set = async |page: &mut Page, ticket: &str, password: &str| {
        let answer = page.ask(SET, json!({ "ticket": ticket, "newPassword": password })).await["data"]["passwordSet"].clone();
        answer["userErrors"][0]["code"].as_str().map_or_else(|| answer["done"].to_string(), str::to_owned)
    };
    for (n, other) in [(0, 1), (1, 0)] {
        assert_eq!(set(&mut browsers[n].0, &tickets[other], FIRST).await, "TICKET_SPENT", "another's ticket in one's own browser");
    }
    assert_eq!(set(&mut Page::of(&serving), &tickets[0], FIRST).await, "TICKET_SPENT", "a stolen one in a browser without cookie");
    for (n, (page, ticket)) in browsers.iter_mut().enumerate() {
        assert_eq!(set(page, ticket, FIRST).await, "true", "each in its own browser");
        assert_eq!(set(page, ticket, SECOND).await, "TICKET_SPENT", "used again");
        assert_eq!(serving.sign_in(&people[n][0], FIRST).await["userErrors"], json!([]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_and_a_number_are_flooded_from_no_number_of_addresses() {
    let settings = [
        BY_SMS,
        ("KIMLIK__PASSWORD__CODES_PER_PERSON", "3"),
        ("KIMLIK__PASSWORD__CODES_PER_NUMBER", "4"),
        ("KIMLIK__PASSWORD__MOBILE_COOLING_HOURS", "0"),
        ("KIMLIK__SESSIONS__TRUSTED_PROXIES", "[\"127.0.0.1\"]"),
    ];
    let serving = Serving::start(&settings);
    let people = people(&serving).await;
    let ask = async |n: usize, times: u32| {
        for time in 0..times {
            let body = json!({ "query": START, "variables": { "input": { "username": people[n][0] } } }).to_string();
            let request = client().post(serving.url("/graphql")).header("content-type", "application/json").body(body);
            let from = format!("10.{n}.{time}.7");
            let answer: Value =
                serde_json::from_str(&request.header("x-forwarded-for", from).send().await.unwrap().text().await.unwrap()).unwrap();
            assert!(answer["data"]["passwordResetStart"]["challenge"]["id"].is_string(), "nobody is told: {answer}");
        }
    };
    let sent = async |purpose: &str| -> usize {
        let answer = serving.ask("{ messages(first: 100) { nodes { purpose } } }").await;
        answer["data"]["messages"]["nodes"].as_array().unwrap().iter().filter(|m| m["purpose"] == purpose).count()
    };
    let all_answered = async |declined: usize, codes: usize| {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let query = "{ auditEvents(first: 100) { nodes { deed because } } }";
            let events = serving.ask(query).await["data"]["auditEvents"]["nodes"].clone();
            let too_many = events.as_array().unwrap().iter().filter(|e| e["because"] == "too many codes for this person or number").count();
            let now = (too_many, sent("RESET_CODE").await);
            if now == (declined, codes) {
                return;
            }
            assert!(Instant::now() < until && now.0 <= declined && now.1 <= codes, "{now:?} of {declined}, {codes}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    ask(0, 8).await;
    all_answered(5, 3).await;
    // One telephone of two people: what they are sent together is limited, too.
    let card = serving.ask(&format!("{{ identityCard(by: {{ id: \"{}\" }}) {{ mobile }} }}", people[0][1])).await;
    let update =
        "mutation($i: StaffPhonesUpdateInput!) { staffPhonesUpdate(input: $i) { phones { mobile { effective } } userErrors { code } } }";
    let input = json!({ "personId": people[1][1], "mobile": card["data"]["identityCard"]["mobile"], "reason": "aynı telefon" });
    let token = serving.token().await;
    let shared = serving.ask_as(Some(&token), update, json!({ "i": input })).await;
    assert_eq!(shared["data"]["staffPhonesUpdate"]["userErrors"], json!([]), "{shared}");
    ask(1, 3).await;
    all_answered(7, 4).await;
    ask(2, 1).await;
    all_answered(7, 5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_and_the_whole_world_ask_only_so_often_and_a_restart_opens_nothing() {
    let settings = [
        BY_SMS,
        ("KIMLIK__PASSWORD__TRIES_PER_NETWORK", "4"),
        ("KIMLIK__PASSWORD__TRIES_IN_ALL", "10"),
        ("KIMLIK__SESSIONS__TRUSTED_PROXIES", "[\"127.0.0.1\"]"),
    ];
    let serving = Serving::start(&settings);
    let may = async |serving: &Serving, from: &str| {
        let body = json!({ "query": START, "variables": { "input": { "username": "kim.bilir" } } }).to_string();
        let request = client().post(serving.url("/graphql")).header("content-type", "application/json").body(body);
        let answer = request.header("x-forwarded-for", from).send().await.unwrap().text().await.unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let start = &answer["data"]["passwordResetStart"];
        assert!(start["challenge"]["id"].is_string() || start["userErrors"][0]["code"] == "RATE_LIMITED", "{answer}");
        start["challenge"]["id"].is_string()
    };
    for n in 0..4 {
        assert!(may(&serving, &format!("198.51.100.{n}")).await);
        assert!(may(&serving, &format!("2001:db8:1:{n}::7")).await);
    }
    assert!(!may(&serving, "198.51.100.200").await, "a /24 is one network");
    assert!(!may(&serving, "2001:db8:1:ffff::7").await, "and so is a /48");
    assert!(may(&serving, "198.51.101.1").await && may(&serving, "2001:db8:2::7").await, "others are others");
    assert!(!may(&serving, "203.0.113.7").await, "in all there were ten");
    let serving = Serving::start_in(serving.killed(), &settings);
    assert!(!may(&serving, "203.0.113.8").await, "and there were before the restart");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_header_and_no_name_gets_an_address_into_a_text() {
    let folder = tempfile::tempdir().unwrap();
    let settings =
        "[server]\npublic_url = \"https://parola.csb.test\"\n[sms.templates.tr]\nreset_code = \"Kod: {code} ({minutes} dk) {portal}\"\n";
    std::fs::write(folder.path().join("kimlik.toml"), settings).unwrap();
    let serving = Serving::start_in(folder, &[BY_SMS, ("KIMLIK__SESSIONS__TRUSTED_PROXIES", "[\"127.0.0.1\"]")]);
    let people = people(&serving).await;
    for name in [people[0][0].clone(), format!("{}\nhttps://boz.test", people[0][0]), format!("{}{{portal}}boz.test", people[0][0])] {
        let body = json!({ "query": START, "variables": { "input": { "username": name } } }).to_string();
        let mut request = client().post(serving.url("/graphql")).header("content-type", "application/json").body(body);
        for header in ["x-forwarded-host", "x-original-host", "x-host", "origin", "referer"] {
            request = request.header(header, "https://boz.test");
        }
        let request = request.header("forwarded", "host=boz.test;proto=https").header("x-forwarded-proto", "boz");
        assert_eq!(request.send().await.unwrap().status().as_u16(), 200);
    }
    let body = json!({ "query": START, "variables": { "input": { "username": people[0][0] } } }).to_string();
    let misled = client().post(serving.url("/graphql")).header("content-type", "application/json").header("host", "boz.test").body(body);
    assert_eq!(misled.send().await.unwrap().status().as_u16(), 421, "another host is not even answered");
    code(&serving, &people[0][1]).await;
    let sent = serving.ask("{ messages(first: 100) { nodes { purpose text } } }").await;
    let texts = sent["data"]["messages"]["nodes"].as_array().unwrap().iter().filter(|m| m["purpose"] == "RESET_CODE");
    let texts: Vec<&str> = texts.map(|m| m["text"].as_str().unwrap()).collect();
    assert!(!texts.is_empty() && texts.iter().all(|text| text.ends_with(" https://parola.csb.test")), "{texts:?}");
    assert!(!sent.to_string().contains("boz"), "{sent}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_site_in_the_same_browser_sets_no_password() {
    let serving = Serving::start(&[]);
    let (name, code) = announced(&serving).await;
    let mut page = Page::of(&serving);
    let answer = page.ask(ACTIVATE, json!({ "username": name, "code": code })).await;
    let ticket = answer["data"]["accountActivate"]["ticket"]["token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
    // As if SameSite did not keep the cookie back: what a form or a plain request of another site can send.
    let body = json!({ "query": SET, "variables": { "input": { "ticket": ticket, "newPassword": FIRST } } }).to_string();
    let post =
        || client().post(serving.url("/graphql")).header("cookie", page.cookie.clone().unwrap()).header("origin", "https://boz.test");
    for kind in ["text/plain", "text/plain; x=application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
    {
        let request = if kind.is_empty() { post() } else { post().header("content-type", kind) };
        assert_eq!(request.body(body.clone()).send().await.unwrap().status().as_u16(), 415, "{kind}");
    }
    let query = format!("mutation {{ passwordSet(input: {{ ticket: \"{ticket}\", newPassword: \"{FIRST}\" }}) {{ done }} }}");
    let get = client().get(serving.url("/graphql")).query(&[("query", query.as_str())]).header("cookie", page.cookie.clone().unwrap());
    assert_eq!(get.send().await.unwrap().status().as_u16(), 405);
    let asked = client().request(reqwest::Method::OPTIONS, serving.url("/graphql"));
    let asked = asked.header("origin", "https://boz.test").header("access-control-request-method", "POST");
    let asked = asked.header("access-control-request-headers", "content-type").send().await.unwrap();
    assert!(!asked.headers().contains_key("access-control-allow-origin"), "a browser asks before it sends JSON, and is not let");
    assert_eq!(serving.sign_in(&name, FIRST).await["userErrors"][0]["code"], "CREDENTIALS_WRONG");
    let set = page.ask(SET, json!({ "ticket": ticket, "newPassword": FIRST })).await;
    assert_eq!(set["data"]["passwordSet"]["done"], true, "the page itself does: {set}");
}
