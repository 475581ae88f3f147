//! Other people's programs of the npm world (tests/web), installed once into `target/web` as package-lock.json names them.
use serde_json::Value;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};

const WEB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/web");

/// The folder to run them in: our scripts stand beside `node_modules`.
pub fn folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new(WEB).join("../../target"), PathBuf::from);
    std::fs::create_dir_all(&target).expect("the target folder can be made");
    let folder = target.canonicalize().expect("it is there").join("web");
    std::fs::create_dir_all(&folder).expect("target/web can be made");
    // Why a lock: each test is a process of its own, and all of them come here at once.
    let lock = std::fs::File::create(folder.join(".lock")).expect("target/web can be written");
    lock.lock().expect("waited for whoever installs");
    for entry in std::fs::read_dir(WEB).expect("tests/web is there") {
        let from = entry.expect("it can be read").path();
        let to = folder.join(from.file_name().expect("a file"));
        let text = std::fs::read(&from).expect("a file of tests/web");
        if std::fs::read(&to).is_ok_and(|there| there == text) {
            continue;
        }
        std::fs::write(&to, text).expect("target/web can be written");
        if to.ends_with("package-lock.json") {
            std::fs::remove_file(folder.join(".installed")).ok();
        }
    }
    if !folder.join(".installed").exists() {
        let out = Command::new("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder).output();
        let out = out.expect("npm is installed: tests/run installs it");
        assert!(out.status.success(), "npm ci: {}", String::from_utf8_lossy(&out.stderr));
        std::fs::write(folder.join(".installed"), "").expect("target/web can be written");
    }
    folder
}

/// One of our scripts.
pub fn script(name: &str, arguments: &[&str]) -> Output {
    let folder = folder();
    Command::new("node").arg(name).args(arguments).current_dir(&folder).output().expect("node is installed: tests/run installs it")
}

/// One of our scripts that is told what to do, a line of JSON at a time, and answers each with a line.
pub struct Led {
    child: Child,
    orders: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Led {
    pub fn start(name: &str, arguments: &[&str]) -> Led {
        let mut command = Command::new("node");
        command.arg(name).args(arguments).current_dir(folder()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("node is installed: tests/run installs it");
        let (orders, out) = (child.stdin.take(), child.stdout.take().expect("its output"));
        Led { child, orders, answers: BufReader::new(out).lines() }
    }
    pub fn told(&mut self, order: &Value) -> Value {
        writeln!(self.orders.as_mut().expect("it is not over"), "{order}").expect("the script lives");
        self.answer(&order.to_string())
    }
    /// What it says when there is nothing more to do.
    pub fn end(mut self) -> Value {
        self.orders = None;
        self.answer("the end")
    }
    fn answer(&mut self, to: &str) -> Value {
        let line = self.answers.next().unwrap_or_else(|| panic!("the script ended at {to}")).expect("its answer");
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("{to}: {line}"))
    }
}

impl Drop for Led {
    fn drop(&mut self) {
        self.orders = None;
        self.child.wait().ok();
    }
}

/// A program that a package brings.
pub fn program(name: &str, arguments: &[&str], within: &Path) -> Output {
    let program = folder().join("node_modules/.bin").join(name);
    Command::new(program).args(arguments).current_dir(within).output().expect("npm has installed it")
}
