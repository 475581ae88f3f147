//! The walls between the crates, as ARCHITECTURE.md draws them.
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn depends_on(krate: &str) -> Vec<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let out = Command::new(cargo).args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).current_dir(ROOT).output().unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let package = metadata["packages"].as_array().unwrap().iter().find(|p| p["name"] == krate).unwrap();
    let names = package["dependencies"].as_array().unwrap().iter().filter(|d| d["kind"] != "dev");
    names.map(|d| d["name"].as_str().unwrap().to_owned()).collect()
}

fn own(krate: &str) -> Vec<String> {
    depends_on(krate).into_iter().filter(|name| name.starts_with("kimlik")).collect()
}

#[test]
fn crates_lean_on_each_other_in_one_direction() {
    assert_eq!(own("kimlik-domain"), Vec::<String>::new());
    assert_eq!(own("kimlik-migrations"), Vec::<String>::new());
    assert_eq!(own("kimlik-adapters"), ["kimlik-domain", "kimlik-migrations"]);
    assert!(!own("kimlik-api").contains(&"kimlik-tests".to_owned()));
}

#[test]
fn the_domain_knows_no_outside() {
    let outside = ["tokio", "sea-orm", "sqlx", "ldap3", "reqwest", "axum", "async-graphql", "rand", "tracing"];
    for name in depends_on("kimlik-domain") {
        assert!(!outside.contains(&name.as_str()), "{name}");
    }
}

#[test]
fn only_the_wiring_names_adapters() {
    let mut naming = Vec::new();
    let mut folders = vec![PathBuf::from(format!("{ROOT}/api/src"))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if std::fs::read_to_string(&entry).unwrap().contains("kimlik_adapters") {
                naming.push(entry);
            }
        }
    }
    let wiring = Path::new(ROOT).join("api/src/wiring");
    assert!(!naming.is_empty() && naming.iter().all(|file| file.starts_with(&wiring)), "{naming:?}");
}
