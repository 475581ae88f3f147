//! What `kimlik doctor` says of the database: reachable, schema, and for a file who may read it and whether it can grow.
use super::SqlStore;
use kimlik_domain::ports::{Finding, Health, Inspect, PortError};
use std::path::Path;

#[async_trait::async_trait]
impl Inspect for SqlStore {
    async fn inspect(&self) -> Vec<Finding> {
        let mut findings = vec![schema(self.pending_migrations().await)];
        if let Some(file) = &self.link.file {
            findings.push(writable(self, file).await);
            findings.push(folder(file));
        }
        findings
    }
}

fn finding(health: Health, about: impl Into<String>, found: impl Into<String>, mend: &str) -> Finding {
    Finding { health, about: about.into(), found: found.into(), mend: mend.to_owned() }
}

fn schema(pending: Result<Vec<String>, PortError>) -> Finding {
    match pending {
        Ok(pending) if pending.is_empty() => finding(Health::Good, "database", "reachable, schema up to date", ""),
        Ok(pending) => {
            finding(Health::Broken, "database schema", format!("{} migrations are missing", pending.len()), "run `kimlik migrate`")
        }
        Err(error @ PortError::Refused { .. }) => {
            finding(Health::Broken, "database", error.to_string(), "check [database] url, the user's rights and the version of Kimlik")
        }
        Err(error) => finding(Health::Broken, "database", error.to_string(), "check that it runs and that [database] url names it"),
    }
}

async fn writable(store: &SqlStore, file: &Path) -> Finding {
    let about = format!("database file {}", file.display());
    // Why a transaction: only the attempt tells of read-only mounts, full disks and other users' locks alike.
    match store.link.write().await {
        Ok(writing) => {
            drop(writing);
            finding(Health::Good, about, "can be written", "")
        }
        Err(error) => finding(Health::Broken, about, error.to_string(), "give the user that runs Kimlik the file and its folder"),
    }
}

#[cfg(unix)]
fn folder(file: &Path) -> Finding {
    use std::os::unix::fs::PermissionsExt;
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let about = format!("database folder {}", folder.display());
    match std::fs::metadata(folder) {
        Ok(meta) if meta.permissions().mode() & 0o027 == 0 => finding(Health::Good, about, "closed to others", ""),
        Ok(meta) => {
            let mode = meta.permissions().mode() & 0o777;
            finding(Health::Doubtful, about, format!("mode {mode:o}: others can read or write it"), "run `chmod 700` on it")
        }
        Err(error) => finding(Health::Broken, about, format!("cannot be looked at ({})", error.kind()), "make it"),
    }
}

#[cfg(not(unix))]
fn folder(file: &Path) -> Finding {
    finding(Health::Good, format!("database file {}", file.display()), "rights are not looked at on this system", "")
}
