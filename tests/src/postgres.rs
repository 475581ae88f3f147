//! A throwaway PostgreSQL: one cluster for all test processes, a fresh database for each test. It listens on loopback only,
//! with a random password, without fsync, and ends by itself when no test has asked for it for some minutes.
use sqlx::{Connection, PgConnection};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// An empty database, nobody else's.
pub struct Database {
    pub url: String,
}

/// Panics with what is missing: a test that cannot have its neighbour has failed.
pub async fn database() -> Database {
    let server = tokio::task::spawn_blocking(running).await.expect("the cluster");
    let name = format!("t{}_{:016x}", std::process::id(), rand::random::<u64>());
    let mut connection = PgConnection::connect(&server.url("postgres")).await.expect("connecting to the throwaway PostgreSQL");
    // Why format: DDL takes no parameters; the name is ours. Why audited: sqlx asks for it where a statement is not static.
    let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"));
    sqlx::query(create).execute(&mut connection).await.expect("creating a database");
    Database { url: server.url(&name) }
}

struct Server {
    port: u16,
    password: String,
}

impl Server {
    fn url(&self, database: &str) -> String {
        format!("postgres://kimlik:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    /// The one that runs in `place`. Why by its process too: behind a number that a dead server had, anybody may listen.
    fn of(place: &Path) -> Option<Server> {
        let text = fs::read_to_string(place.join("state")).ok()?;
        let (port, password) = text.trim().split_once(' ')?;
        let server = Server { port: port.parse().ok()?, password: password.to_owned() };
        let process = fs::read_to_string(place.join("data/postmaster.pid")).ok()?;
        let name = fs::read_to_string(format!("/proc/{}/comm", process.lines().next()?.trim())).ok()?;
        let listens = name.trim() == "postgres" && TcpStream::connect(("127.0.0.1", server.port)).is_ok();
        listens.then_some(server)
    }
}

const NAME: &str = "kimlik-postgres-";

/// For who holds a database for minutes without asking for another one: the server ends when nobody has asked for a while.
pub fn keep() {
    fs::write(place().join("used"), "").expect("marking the server as used");
}

fn place() -> PathBuf {
    std::env::temp_dir().join(format!("{NAME}{:016x}", fingerprint()))
}

/// The server that runs already, or a new one. Under a lock: test processes come at the same time.
fn running() -> Server {
    // Why not below target: the server runs as `postgres`, and the sources may lie where that user may not go.
    let place = place();
    let lock = File::create(place.with_extension("lock")).expect("a lock file");
    lock.lock().expect("the lock");
    if let Some(server) = Server::of(&place) {
        fs::write(place.join("used"), "").expect("marking the server as used");
        return server;
    }
    start(&place)
}

/// One cluster a checkout.
fn fingerprint() -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    env!("CARGO_MANIFEST_DIR").hash(&mut hasher);
    hasher.finish()
}

/// What a machine that was switched off has left: gigabytes, and nobody's any more.
fn clear_leftovers() {
    const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);
    for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let last_used = || fs::metadata(entry.path().join("used")).ok()?.modified().ok()?.elapsed().ok();
        let is_cluster = entry.file_name().to_str().is_some_and(|name| name.starts_with(NAME));
        if is_cluster && last_used().is_some_and(|ago| ago > A_DAY) && Server::of(&entry.path()).is_none() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn start(place: &Path) -> Server {
    let bin = binaries();
    clear_leftovers();
    let _ = fs::remove_dir_all(place);
    fs::create_dir_all(place).expect("a folder for the cluster");
    run(Command::new("chmod").arg("700").arg(place));
    let password: String = (0..4).map(|_| format!("{:08x}", rand::random::<u32>())).collect();
    let secret = place.join("password");
    OpenOptions::new().create_new(true).write(true).open(&secret).and_then(|mut f| f.write_all(password.as_bytes())).expect("password");
    if is_root() {
        run(Command::new("chown").args(["-R", "postgres:"]).arg(place));
    }
    let data = place.join("data");
    let initdb = [
        "--username=kimlik",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
        &format!("--pwfile={}", secret.display()),
    ];
    run(as_postgres(&bin.join("initdb")).args(initdb).arg("-D").arg(&data));
    // Why a free port and not a fixed one: another checkout, or the machine's own server, may be running.
    let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
    let settings = format!(
        "-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={} -c fsync=off -c synchronous_commit=off \
         -c full_page_writes=off -c max_connections=300 -c shared_buffers=64MB",
        place.display()
    );
    let log = place.join("log");
    run(as_postgres(&bin.join("pg_ctl")).args(["start", "-w", "-s", "-o", &settings, "-D"]).arg(&data).arg("-l").arg(&log));
    fs::write(place.join("used"), "").expect("marking the server as used");
    fs::write(place.join("state"), format!("{port} {password}\n")).expect("the state of the cluster");
    end_when_idle(&bin, place, &data);
    Server { port, password }
}

/// A shell beside the server. Why not the last test: no process knows that it is the last.
fn end_when_idle(bin: &Path, place: &Path, data: &Path) {
    const WATCH: &str = r#"while [ -n "$(find "$1/used" -mmin -5 2>/dev/null)" ] && [ -f "$2/postmaster.pid" ]; do sleep 10; done
        "$3/pg_ctl" stop -D "$2" -m immediate -s; rm -rf "$1""#;
    let mut watch = Command::new("setsid");
    if is_root() {
        watch.args(AS_POSTGRES);
    }
    watch.args(["sh", "-c", WATCH, "watch"]).args([place, data, bin]).current_dir("/");
    watch.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Why dropped: it lives longer than this process, on purpose.
    drop(watch.spawn().expect("watching the cluster (setsid, of util-linux)"));
}

const AS_POSTGRES: [&str; 4] = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"];

/// PostgreSQL refuses to run as root.
fn as_postgres(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new(AS_POSTGRES[0]);
    command.args(&AS_POSTGRES[1..]).arg(program);
    command
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn binaries() -> PathBuf {
    let version = |dir: &PathBuf| dir.file_name().and_then(|n| n.to_str()?.parse::<u32>().ok());
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|e| e.path());
    let newest = installed.filter(|dir| dir.join("bin/initdb").exists()).max_by_key(version).map(|dir| dir.join("bin"));
    let on_path = || std::env::split_paths(&std::env::var_os("PATH")?).find(|dir| dir.join("initdb").exists());
    newest.or_else(on_path).expect("PostgreSQL is not installed; on Debian: apt-get install postgresql")
}

fn run(command: &mut Command) {
    let output = command.current_dir("/").stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(output.status.success(), "{command:?}: {}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
}
