//! A program outlives a Kimlik that is killed, and nobody ends it then when its time is over. So that it never runs twice at the same
//! time for one mailbox, each is marked in its environment, and the mark is looked for before another is started. (Linux: /proc.
//! Elsewhere the lease of the mailbox alone keeps them apart.)
use kimlik_domain::id::AccountGuid;
use kimlik_domain::ports::{PortError, PortResult};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// Whose mailbox, and until when the program may run, in seconds since the machine was started.
const MARK: &str = "MAILBOX_PROGRAM";

/// So often, and so long apart, is looked for what was killed.
const ENDING: u32 = 20;
const A_MOMENT: Duration = Duration::from_millis(100);

pub(super) fn mark(command: &mut Command, of: AccountGuid, timeout: Duration) {
    command.env(MARK, format!("{}/{}", of.0, uptime() + timeout.as_secs()));
}

/// Why not the time of day: it may be put back, and whoever looks for the mark may be another process.
fn uptime() -> u64 {
    let told = std::fs::read_to_string("/proc/uptime").unwrap_or_default();
    told.split('.').next().and_then(|seconds| seconds.parse().ok()).unwrap_or_default()
}

/// `Unavailable`: one is still at it. Whose time is over is ended, as it would have been by whoever started it.
pub(super) async fn end_or_wait(of: AccountGuid) -> PortResult<()> {
    let found = look(of).await;
    if found.is_empty() {
        return Ok(());
    }
    if found.iter().any(|(_, until)| *until >= uptime()) {
        return Err(PortError::Unavailable("the program that was started for this mailbox before is still running".into()));
    }
    let numbers = found.iter().map(|(process, _)| process.to_string());
    // Why ignored: what has ended meanwhile needs no ending, and whether it has is looked at.
    Command::new("kill").arg("-KILL").args(numbers).stderr(Stdio::null()).status().await.ok();
    for _ in 0..ENDING {
        if look(of).await.is_empty() {
            tracing::warn!("a mailbox program was still running when its time was over, and was ended");
            return Ok(());
        }
        tokio::time::sleep(A_MOMENT).await;
    }
    Err(PortError::Unavailable("the program that was started for this mailbox before cannot be ended".into()))
}

async fn look(of: AccountGuid) -> Vec<(u32, u64)> {
    tokio::task::spawn_blocking(move || running(Path::new("/proc"), of)).await.unwrap_or_default()
}

/// Processes with the mark of this mailbox, each with the end of its time.
fn running(proc: &Path, of: AccountGuid) -> Vec<(u32, u64)> {
    let Ok(all) = std::fs::read_dir(proc) else { return Vec::new() };
    let marked = |entry: std::fs::DirEntry| {
        let process: u32 = entry.file_name().to_str()?.parse().ok()?;
        // Why no error: others' processes cannot be read, and none of them is Kimlik's.
        let environment = std::fs::read(entry.path().join("environ")).ok()?;
        let mark = environment.split(|octet| *octet == 0).find_map(|line| line.strip_prefix(MARK.as_bytes())?.strip_prefix(b"="))?;
        let (whose, until) = std::str::from_utf8(mark).ok()?.split_once('/')?;
        (whose == of.0.to_string() && !is_service(&entry.path())).then_some((process, until.parse().ok()?))
    };
    all.flatten().filter_map(marked).collect()
}

/// What has made itself a service (a session of its own) was left behind on purpose, and is no part of the program any more.
fn is_service(process: &Path) -> bool {
    let stat = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
    // pid (name) state parent group session: the name may hold anything.
    let mut fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().skip(2);
    let (group, session) = (fields.next(), fields.next());
    group.is_none() || group == session
}
