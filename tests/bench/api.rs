//! The graph beside a bare server that answers the same with one hand-written statement: 100,000 people, PostgreSQL, wrk on loopback.
//! Kimlik is the real program, with sign-in, authorization and limits; the floor has none of them.
use crate::floor;
use kimlik_tests::postgres;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PEOPLE: u32 = 100_000;
const PROGRAM: &str = env!("CARGO_BIN_EXE_kimlik-tested");
const ROUNDS: usize = 3;
const SECONDS: u32 = 6;
/// Different questions of each kind.
const QUESTIONS: usize = 5_000;

pub const CARD: &str = "query($u: String!) { identityCard(by: { username: $u }) { id username displayName givenName familyName title email \
    office unit { code name } manager { id displayName } } }";
pub const PAGE: &str = "query($unit: UnitCode!) { identityCards(first: 20, filter: { units: [$unit], includeSubunits: false }) { \
    nodes { id username displayName title email unit { code name } unitPath { code name } manager { id displayName } } pageInfo { hasNextPage } } }";
pub const SEARCH: &str = "query($s: String!) { identityCards(first: 20, search: $s) { \
    nodes { id username displayName title unit { code name } } pageInfo { hasNextPage } } }";
const EVERYBODY: &str = "query($after: String) { identityCards(first: 100, after: $after) { \
    nodes { id username displayName givenName familyName title email office unit { code name } unitPath { code name } manager { id displayName } } \
    pageInfo { hasNextPage endCursor } } }";

/// wrk's own script: a line is a path to get, or a body to post.
const SCRIPT: &str = r#"
local lines = {}
for line in io.lines(os.getenv("QUESTIONS")) do lines[#lines + 1] = line end
local n = 0
local headers = { ["content-type"] = "application/json", ["accept"] = "application/json", ["authorization"] = os.getenv("AUTHORIZATION") }
request = function()
  n = n % #lines + 1
  local line = lines[n]
  if line:sub(1, 1) == "/" then return wrk.format("GET", line) end
  return wrk.format("POST", "/graphql", headers, line)
end
done = function(summary, latency)
  local wrong = summary.errors.status + summary.errors.read + summary.errors.write + summary.errors.timeout + summary.errors.connect
  io.write(string.format("RESULT %.1f %.0f %.0f %d\n", summary.requests / summary.duration * 1e6, latency:percentile(50), latency:percentile(99), wrong))
end
"#;

struct Served {
    child: Child,
    address: String,
}

fn command(folder: &Path, database: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    command.current_dir(folder).env_clear().envs([("USER", "bench"), ("NO_COLOR", "1"), ("KIMLIK__DATABASE__URL", database)]);
    command
}

/// What a ministry does before its first start.
fn set_up(folder: &Path, database: &str) {
    let secrets = folder.join("var/secrets");
    fs::create_dir_all(&secrets).unwrap();
    for key in ["encryption.key", "pepper.key"] {
        let random: String = (0..8).map(|_| format!("{:08x}", rand::random::<u32>())).collect();
        fs::write(secrets.join(key), random).unwrap();
        fs::set_permissions(secrets.join(key), fs::Permissions::from_mode(0o600)).unwrap();
    }
    assert!(command(folder, database).arg("migrate").stdout(Stdio::null()).status().unwrap().success());
}

impl Drop for Served {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Served {
    fn start(folder: &Path, database: &str, more: &[(&str, &str)]) -> Served {
        let mut child = command(folder, database)
            .arg("serve")
            .envs([("KIMLIK__SERVER__LISTEN", "127.0.0.1:0"), ("KIMLIK__HR__POLL_SECONDS", "3600")])
            .envs(more.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (say, heard) = std::sync::mpsc::channel();
        let stderr = child.stderr.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if let Some(address) = line.split("listen=").nth(1).and_then(|rest| rest.split_whitespace().next()) {
                    say.send(address.to_owned()).ok();
                }
            }
        });
        let address = heard.recv_timeout(Duration::from_secs(120)).expect("the program says where it listens");
        Served { child, address }
    }

    /// Resident memory, MB: now and at most so far.
    fn memory(&self) -> (u64, u64) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let of = |name: &str| {
            let line = status.lines().find_map(|l| l.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
        };
        (of("VmRSS:"), of("VmHWM:"))
    }

    fn say_memory(&self, when: &str) {
        let (now, peak) = self.memory();
        println!("    memory {when}: {now} MB, at most {peak} MB so far");
    }

    async fn ask(&self, client: &reqwest::Client, token: Option<&str>, query: &str, variables: Value) -> Value {
        let mut request = client
            .post(format!("http://{}/graphql", self.address))
            .header("content-type", "application/json")
            .body(json!({ "query": query, "variables": variables }).to_string());
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
    }

    async fn sign_in(&self, client: &reqwest::Client, folder: &Path) -> String {
        let password = fs::read_to_string(folder.join("var/secrets/administrator.password")).unwrap();
        let query = "mutation($i: SessionCreateInput!) { sessionCreate(input: $i) { session { accessToken } userErrors { message } } }";
        let answer = self.ask(client, None, query, json!({ "i": { "username": "yonetici", "password": password.trim() } })).await;
        answer["data"]["sessionCreate"]["session"]["accessToken"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    async fn everybody(&self, client: &reqwest::Client, token: &str) -> Vec<Value> {
        let (mut all, mut after) = (Vec::new(), Value::Null);
        loop {
            let mut answer = self.ask(client, Some(token), EVERYBODY, json!({ "after": after })).await;
            let page = answer["data"]["identityCards"].take();
            let Value::Array(nodes) = &page["nodes"] else { panic!("{answer}") };
            all.extend(nodes.iter().cloned());
            if page["pageInfo"]["hasNextPage"] != true {
                return all;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
    }
}

/// A ministry whose people all have their accounts.
async fn settled(folder: &Path, database: &str, client: &reqwest::Client) {
    let people = PEOPLE.to_string();
    let serving = Served::start(folder, database, &[("KIMLIK__HR__SIMULATED__PEOPLE", &people)]);
    let began = Instant::now();
    loop {
        tokio::time::sleep(Duration::from_secs(3)).await;
        let token = serving.sign_in(client, folder).await;
        let answer = serving.ask(client, Some(&token), "{ identityCards(first: 1) { totalCount } }", json!({})).await;
        let total = answer["data"]["identityCards"]["totalCount"].as_u64().unwrap_or_default();
        let open = serving.ask(client, Some(&token), "{ identityCards(last: 1) { nodes { username accountState } } }", json!({})).await;
        let is_open = open["data"]["identityCards"]["nodes"][0]["accountState"] == "ACTIVE";
        println!("  {:.0?}: {total} cards, the last one open: {is_open}", began.elapsed());
        if total >= u64::from(PEOPLE) * 9 / 10 && is_open {
            // Why: who was written last is not who stands last.
            tokio::time::sleep(Duration::from_secs(20)).await;
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(900), "{answer}");
    }
}

struct Figures {
    rate: f64,
    p50: f64,
    p99: f64,
}

fn wrk(folder: &Path, address: &str, questions: &Path, token: &str, seconds: u32) -> Figures {
    let script = folder.join("questions.lua");
    fs::write(&script, SCRIPT).unwrap();
    let output = Command::new("wrk")
        .args(["-t1", "-c16", &format!("-d{seconds}s"), "-s"])
        .arg(&script)
        .arg(format!("http://{address}/"))
        .env("QUESTIONS", questions)
        .env("AUTHORIZATION", format!("Bearer {token}"))
        .output()
        .expect("wrk (Debian's package wrk)");
    let text = String::from_utf8_lossy(&output.stdout);
    let line =
        text.lines().find_map(|l| l.strip_prefix("RESULT ")).unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
    let figures: Vec<f64> = line.split(' ').map(|f| f.parse().unwrap()).collect();
    assert_eq!(figures[3], 0.0, "answers that are errors: {text}");
    Figures { rate: figures[0], p50: figures[1] / 1e3, p99: figures[2] / 1e3 }
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}

struct Question {
    name: &'static str,
    wanted: f64,
    query: &'static str,
    /// Variables, and the floor's path.
    asked: Vec<(Value, String)>,
}

fn questions(everybody: &[Value]) -> Vec<Question> {
    let step = (everybody.len() / QUESTIONS).max(1);
    let some: Vec<&Value> = everybody.iter().step_by(step).filter(|c| c["username"].is_string() && c["unit"].is_object()).collect();
    let text = |card: &Value, field: &str| card[field].as_str().unwrap_or_default().to_owned();
    let escaped = |text: &str| text.bytes().map(|b| format!("%{b:02X}")).collect::<String>();
    let cards = some.iter().map(|c| (json!({ "u": c["username"] }), format!("/card?of={}", text(c, "username"))));
    let units = some.iter().map(|c| c["unit"]["code"].as_str().unwrap()).map(|u| (json!({ "unit": u }), format!("/page?of={u}")));
    let searches = some.iter().enumerate().map(|(n, card)| {
        let cut = |name: &str, letters: usize| name.chars().take(letters).collect::<String>();
        let (given, family) = (text(card, "givenName"), text(card, "familyName"));
        let words = match n % 3 {
            0 => cut(&family, 4),
            1 => format!("{} {}", cut(&given, 3), cut(&family, 2)),
            _ => family,
        };
        (json!({ "s": words }), format!("/search?of={}", escaped(&words)))
    });
    vec![
        Question { name: "card by user name", wanted: 0.65, query: CARD, asked: cards.collect() },
        Question { name: "page of 20 of a unit, with path and manager", wanted: 0.5, query: PAGE, asked: units.collect() },
        Question { name: "name search", wanted: 1.0, query: SEARCH, asked: searches.collect() },
    ]
}

pub async fn compare() {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let database = postgres::database().await;
    let folder = tempfile::tempdir().unwrap();
    let client = reqwest::Client::new();
    println!("--- a ministry of {PEOPLE} people comes alive");
    set_up(folder.path(), &database.url);
    settled(folder.path(), &database.url, &client).await;
    fs::create_dir(folder.path().join("hr")).unwrap();
    let feed = [("KIMLIK__HR__SOURCE", "csv"), ("KIMLIK__HR__CSV__DIRECTORY", "hr")];
    let kimlik = Served::start(folder.path(), &database.url, &feed);
    let token = kimlik.sign_in(&client, folder.path()).await;
    kimlik.say_memory("after its start");
    let everybody = kimlik.everybody(&client, &token).await;
    kimlik.say_memory("after everybody's card, page by page");
    println!("cards: {}", everybody.len());
    let floor_of = postgres::database().await;
    let floor = floor::start(&floor_of.url, &everybody).await;
    let token = kimlik.sign_in(&client, folder.path()).await;
    for question in questions(&everybody) {
        let (mut same, mut checked) = (0, 0);
        for (variables, path) in question.asked.iter().step_by(question.asked.len() / 50) {
            let ours = kimlik.ask(&client, Some(&token), question.query, variables.clone()).await;
            let bare: Value =
                serde_json::from_str(&client.get(format!("http://{floor}{path}")).send().await.unwrap().text().await.unwrap()).unwrap();
            checked += 1;
            same += u32::from(ours == bare);
            if ours != bare && checked - same == 1 {
                println!("  another answer to {variables}:\n  {ours}\n  {bare}");
            }
        }
        let (of_kimlik, of_floor) = (folder.path().join("kimlik.txt"), folder.path().join("floor.txt"));
        let bodies: Vec<String> =
            question.asked.iter().map(|(v, _)| json!({ "query": question.query, "variables": v }).to_string()).collect();
        fs::write(&of_kimlik, bodies.join("\n") + "\n").unwrap();
        fs::write(&of_floor, question.asked.iter().map(|(_, p)| p.as_str()).collect::<Vec<_>>().join("\n") + "\n").unwrap();
        let (mut bare, mut ours) = (Vec::new(), Vec::new());
        wrk(folder.path(), &floor, &of_floor, &token, 2);
        wrk(folder.path(), &kimlik.address, &of_kimlik, &token, 2);
        for _ in 0..ROUNDS {
            bare.push(wrk(folder.path(), &floor, &of_floor, &token, SECONDS));
            ours.push(wrk(folder.path(), &kimlik.address, &of_kimlik, &token, SECONDS));
        }
        let of = |figures: &[Figures], pick: fn(&Figures) -> f64| median(figures.iter().map(pick).collect());
        let (f, k) = (of(&bare, |f| f.rate), of(&ours, |f| f.rate));
        let (f99, k99) = (of(&bare, |f| f.p99), of(&ours, |f| f.p99));
        println!(
            "--- {} (at least {} of the floor; p99 at most 1.5 times); the same answer {same} of {checked} times",
            question.name, question.wanted
        );
        println!("floor {f:.0}/s, p50 {:.2} ms, p99 {f99:.2} ms", of(&bare, |f| f.p50));
        println!("Kimlik {k:.0}/s, p50 {:.2} ms, p99 {k99:.2} ms; ratio {:.2}, p99 {:.2} times", of(&ours, |f| f.p50), k / f, k99 / f99);
        kimlik.say_memory("after these");
    }
    println!("--- Kimlik's peak memory (at most 200 MB): {} MB", kimlik.memory().1);
}
