//! The real program in a folder of its own, on a port of its own; ended with the test.
use kimlik_adapters::system::SystemClock;
use kimlik_domain::ports::Clock as _;
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::OnceCell;
use uuid::Uuid;

const PROGRAM: &str = env!("CARGO_BIN_EXE_kimlik-tested");

/// Without anything of the machine's own settings.
pub fn command(folder: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.current_dir(folder).env_clear().env("USER", "officer").stdin(Stdio::null());
    command
}

pub fn run(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    command(folder).args(arguments).envs(environment.iter().copied()).output().expect("the program starts")
}

/// A day that lies ahead, as the graph writes it. Why not one by name: the program asks the real clock, and every named day comes.
pub fn day_in(days: i64) -> String {
    (kimlik_domain::day::today(SystemClock.now()) + chrono::TimeDelta::days(days)).to_string()
}

/// A moment that lies ahead.
pub fn moment_in(days: i64) -> String {
    format!("{}T00:00:00Z", day_in(days))
}

pub fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// A small ministry that takes one step of its life and then rests.
pub const SMALL: &[(&str, &str)] =
    &[("KIMLIK__HR__SIMULATED__PEOPLE", "40"), ("KIMLIK__HR__POLL_SECONDS", "3600"), ("KIMLIK__SERVER__LISTEN", "127.0.0.1:0")];

/// The keys of the secrets in the store, where the program looks for them; answers that place.
pub fn keys_in(folder: &Path) -> std::path::PathBuf {
    let secrets = folder.join("var/secrets");
    std::fs::create_dir_all(&secrets).unwrap();
    for (name, octet) in [("encryption.key", "07"), ("pepper.key", "09")] {
        let file = secrets.join(name);
        std::fs::write(&file, octet.repeat(32)).unwrap();
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }
    secrets
}

/// What is left to do, counted in one glance.
const LEFT: &str = "SELECT
    (SELECT CASE count(*) WHEN 0 THEN 1 ELSE 0 END FROM feed) + (SELECT count(*) FROM feed WHERE position LIKE '% units %') AS deliveries,
    (SELECT count(*) FROM memory asked WHERE asked.name = 'full_run_requested' AND NOT EXISTS (SELECT 1 FROM memory done
        WHERE done.name = 'full_run_done' AND CAST(done.value AS BIGINT) >= CAST(asked.value AS BIGINT))) AS full_run,
    (SELECT count(*) FROM work WHERE leased OR visible_at <= $1) AS due,
    (SELECT count(*) FROM run WHERE kept_until IS NOT NULL) AS runs,
    (SELECT count(*) FROM card_mark) + (SELECT 1 - count(*) FROM card_head) AS cards,
    (SELECT epoch FROM card_head) AS epoch, (SELECT position FROM card_head) AS position";

pub struct Serving {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    pub address: String,
    pub folder: tempfile::TempDir,
    /// What it was started with, beside [`SMALL`].
    pub environment: Vec<(String, String)>,
    token: OnceCell<String>,
    /// Why one: making it reads all certificates of the machine.
    client: std::sync::OnceLock<reqwest::Client>,
}

impl Serving {
    pub fn start(environment: &[(&str, &str)]) -> Serving {
        Serving::start_in(tempfile::tempdir().unwrap(), environment)
    }

    pub fn start_in(folder: tempfile::TempDir, environment: &[(&str, &str)]) -> Serving {
        let mut child = command(folder.path())
            .envs(SMALL.iter().copied())
            .envs(environment.iter().copied())
            .env("NO_COLOR", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = child.stderr.take().unwrap();
        let (say, heard) = std::sync::mpsc::channel();
        let log = Arc::new(Mutex::new(Vec::new()));
        let written = log.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if let Some(address) = line.split("listen=").nth(1).and_then(|rest| rest.split_whitespace().next()) {
                    say.send(address.to_owned()).ok();
                }
                written.lock().unwrap().push(line);
            }
        });
        let address = heard.recv_timeout(Duration::from_secs(60)).expect("the program says where it listens");
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Serving { child, log, address, folder, environment, token: OnceCell::new(), client: std::sync::OnceLock::new() }
    }

    /// On this PostgreSQL, which is migrated first. Why with keys: there Kimlik makes none by itself.
    pub fn start_on(database: &str, environment: &[(&str, &str)]) -> Serving {
        let folder = tempfile::tempdir().unwrap();
        keys_in(folder.path());
        let environment = [&[("KIMLIK__DATABASE__URL", database)], environment].concat();
        let migrated = run(folder.path(), &["migrate"], &[SMALL, &environment].concat());
        assert!(migrated.status.success(), "{}", text(&migrated.stderr));
        Serving::start_in(folder, &environment)
    }

    /// The first line of its log with `words` in it, waited for.
    pub fn says(&self, words: &str, patience: Duration) -> String {
        let began = Instant::now();
        loop {
            let found = self.log.lock().unwrap().iter().find(|line| line.contains(words)).cloned();
            if let Some(line) = found {
                return line;
            }
            assert!(began.elapsed() < patience, "nothing of {words:?} in:\n{}", self.log.lock().unwrap().join("\n"));
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// An access token of the demo's administrator.
    pub async fn token(&self) -> String {
        self.token.get_or_init(|| self.signed_in()).await.clone()
    }

    async fn signed_in(&self) -> String {
        let path = self.folder.path().join("var/secrets/administrator.password");
        let password = std::fs::read_to_string(path).unwrap();
        let signed_in = self.sign_in("yonetici", password.trim()).await;
        signed_in["session"]["accessToken"].as_str().unwrap_or_else(|| panic!("nobody was let in: {signed_in}")).to_owned()
    }

    /// As the demo's administrator.
    pub async fn ask(&self, query: &str) -> Value {
        self.ask_as(Some(&self.token().await), query, json!({})).await
    }

    /// A run that carried something out, and is over; its id, waited for.
    pub async fn finished_run(&self) -> String {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let answer = self.ask("{ syncRuns { nodes { id finishedAt done } } }").await;
            let runs = answer["data"]["syncRuns"]["nodes"].as_array().cloned().unwrap_or_default();
            if let Some(run) = runs.iter().find(|r| r["finishedAt"].is_string() && r["done"].as_u64() > Some(0)) {
                return run["id"].as_str().unwrap().to_owned();
            }
            assert!(Instant::now() < until, "{answer}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Where its store is.
    pub fn database(&self) -> String {
        let set = self.environment.iter().find(|(name, _)| name == "KIMLIK__DATABASE__URL").map(|(_, url)| url.clone());
        set.unwrap_or_else(|| format!("sqlite://{}", self.folder.path().join("var/kimlik.db").display()))
    }

    /// Waited for: what HR delivers at the start is taken in, everybody has been looked at, nobody is due or in anybody's hand, and
    /// the cards that are shown say so. From here on nobody is looked at whom the test gives no reason for.
    /// Why the store is asked: a plan without changes does not say who is going to be looked at once more.
    pub async fn at_rest(&self) {
        let db = sea_orm::Database::connect(self.database()).await.unwrap();
        let until = Instant::now() + Duration::from_secs(90);
        loop {
            let now = SystemClock.now().into();
            let asked = Statement::from_sql_and_values(db.get_database_backend(), LEFT, [now]);
            let row = db.query_one_raw(asked).await.unwrap().unwrap();
            let left = ["deliveries", "full_run", "due", "runs", "cards"].map(|what| (what, row.try_get::<i64>("", what).unwrap()));
            if left.iter().all(|(_, number)| *number == 0) {
                let (epoch, position): (Uuid, i64) = (row.try_get("", "epoch").unwrap(), row.try_get("", "position").unwrap());
                // Whoever has followed the feed of cards up to here is answered when the program has, too.
                let after = format!("change_{}_{position}_{position}", epoch.simple());
                let shown = self.ask(&format!("{{ identityCardChanges(first: 1, after: \"{after}\") {{ nodes {{ cardId }} }} }}")).await;
                if shown["errors"].is_null() {
                    break;
                }
            }
            assert!(Instant::now() < until, "it does not come to rest: {left:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        db.close().await.unwrap();
    }

    /// The payload of sessionCreate.
    pub async fn sign_in(&self, username: &str, password: &str) -> Value {
        let query = "mutation($input: SessionCreateInput!) { sessionCreate(input: $input) { \
            session { accessToken refreshToken accessTokenExpiresAt refreshTokenExpiresAt viewer { name kind roles units card { id } } } \
            userErrors { code path message } } }";
        let variables = json!({ "input": { "username": username, "password": password } });
        self.ask_as(None, query, variables).await["data"]["sessionCreate"].clone()
    }

    /// As whoever the token is of; nobody without one.
    pub async fn ask_as(&self, token: Option<&str>, query: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "variables": variables }).to_string();
        rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
        let client = self.client.get_or_init(reqwest::Client::new);
        let mut request = client.post(self.url("/graphql")).header("content-type", "application/json").body(body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
    }

    /// Ends it as a power cut does.
    pub fn killed(mut self) -> tempfile::TempDir {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it has ended");
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }

    /// Ends it as an administrator does; answers how long it took.
    pub fn stop(mut self) -> (Duration, std::process::ExitStatus, tempfile::TempDir) {
        let started = Instant::now();
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        let status = self.child.wait().unwrap();
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        (started.elapsed(), status, folder)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
