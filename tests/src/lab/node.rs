//! Other people's programs of the npm world (tests/web), installed once into `target/web` as package-lock.json names them.
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

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

/// A program that a package brings.
pub fn program(name: &str, arguments: &[&str], within: &Path) -> Output {
    let program = folder().join("node_modules/.bin").join(name);
    Command::new(program).args(arguments).current_dir(within).output().expect("npm has installed it")
}
