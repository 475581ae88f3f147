//! What `kimlik doctor` says of the database: reachable, schema, and for a file who may read it and whether it can grow.
use super::SqlStore;
use kimlik_domain::health::{Finding, Kind, Subject};
use kimlik_domain::ports::{Inspect, PortError};
use std::fmt::Display;
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

fn schema(pending: Result<Vec<String>, PortError>) -> Finding {
    let database = |kind, values: &[&dyn Display]| Finding::new(Subject::Database, "", kind, values);
    match pending {
        Ok(pending) if pending.is_empty() => database(Kind::DatabaseGood, &[]),
        Ok(pending) => Finding::new(Subject::DatabaseSchema, "", Kind::MigrationsMissing, &[&pending.len()]),
        Err(error @ PortError::Refused { .. }) => database(Kind::DatabaseRefuses, &[&error]),
        Err(error) => database(Kind::DatabaseUnreachable, &[&error]),
    }
}

async fn writable(store: &SqlStore, file: &Path) -> Finding {
    let about = |kind, values: &[&dyn Display]| Finding::new(Subject::DatabaseFile, file.display(), kind, values);
    // Why a transaction: only the attempt tells of read-only mounts, full disks and other users' locks alike.
    match store.link.write().await {
        Ok(writing) => {
            drop(writing);
            about(Kind::DatabaseFileGood, &[])
        }
        Err(error) => about(Kind::DatabaseFileUnwritable, &[&error]),
    }
}

#[cfg(unix)]
fn folder(file: &Path) -> Finding {
    use std::os::unix::fs::PermissionsExt;
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let about = |kind, values: &[&dyn Display]| Finding::new(Subject::DatabaseFolder, folder.display(), kind, values);
    match std::fs::metadata(folder) {
        Ok(meta) if meta.permissions().mode() & 0o027 == 0 => about(Kind::FolderClosed, &[]),
        Ok(meta) => about(Kind::FolderOpen, &[&format!("{:o}", meta.permissions().mode() & 0o777)]),
        Err(error) => about(Kind::FolderMissing, &[&error.kind()]),
    }
}

#[cfg(not(unix))]
fn folder(file: &Path) -> Finding {
    Finding::new(Subject::DatabaseFolder, file.display(), Kind::FolderUnasked, &[])
}
