//! A program of the ministry's, started for each request: one JSON on its standard input, one on its standard output. Never by
//! a shell, with an environment of its own and the same arguments always, so nothing of a person is in the process list.
use super::left_running;
use async_trait::async_trait;
use chrono::TimeDelta;
use kimlik_domain::health::{Finding, Kind, Subject};
use kimlik_domain::id::AccountGuid;
use kimlik_domain::mailbox::{MailboxDeed, Seen, Stands};
use kimlik_domain::ports::{Inspect, MailboxHost, MailboxRequest, PortError, PortResult, Refusal};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fmt::Display;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::time::error::Elapsed;

/// Of the form of requests and answers.
const VERSION: u32 = 1;
/// More is no answer. What is beyond is read and thrown away: a full pipe would stop the program in the middle of its work.
const MOST: usize = 64 * 1024;
/// Exit status (sysexits.h): nothing happened, later it may (EX_TEMPFAIL).
const LATER: i32 = 75;
/// Exit status (sysexits.h): it will not be done, as things are (EX_DATAERR).
const NEVER: i32 = 65;
/// Environment that a program may need to find itself; everything else, secrets among it, stays Kimlik's.
const ENVIRONMENT: &[&str] = &["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SYSTEMROOT", "KRB5CCNAME", "KRB5_CONFIG"];

#[derive(Clone, Debug)]
pub struct CommandSettings {
    pub program: PathBuf,
    pub arguments: Vec<String>,
    pub timeout: Duration,
}

pub struct CommandHost {
    settings: CommandSettings,
    /// Process groups of programs whose answer has not come.
    running: Mutex<HashSet<u32>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Asked<'a> {
    version: u32,
    operation: &'static str,
    request_id: uuid::Uuid,
    account: AskedAccount<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AskedAccount<'a> {
    guid: uuid::Uuid,
    distinguished_name: &'a str,
    username: &'a str,
    user_principal_name: &'a str,
    display_name: &'a str,
    primary_address: &'a str,
    aliases: &'a [Arc<str>],
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answered {
    version: u32,
    request_id: uuid::Uuid,
    state: Option<AnsweredState>,
    #[serde(default)]
    waiting_for: Option<String>,
    #[serde(default)]
    error: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum AnsweredState {
    None,
    Open,
    Hidden,
    Closed,
    Waiting,
}

/// What the program left behind.
struct Ended {
    status: ExitStatus,
    output: Vec<u8>,
    said: String,
    overflow: bool,
}

impl CommandHost {
    pub fn new(settings: CommandSettings) -> CommandHost {
        CommandHost { settings, running: Mutex::default() }
    }

    fn running(&self) -> MutexGuard<'_, HashSet<u32>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn command(&self, of: Option<AccountGuid>) -> Command {
        let mut command = Command::new(&self.settings.program);
        command.args(&self.settings.arguments).env_clear();
        command.envs(ENVIRONMENT.iter().filter_map(|name| Some((*name, std::env::var_os(name)?))));
        if let Some(of) = of {
            left_running::mark(&mut command, of, self.settings.timeout);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        // Why a group of its own: what the program has started is ended with it.
        #[cfg(unix)]
        command.process_group(0);
        command
    }

    async fn run(&self, of: Option<AccountGuid>, input: &[u8]) -> PortResult<Ended> {
        let program = self.settings.program.display();
        if let Some(of) = of {
            left_running::end_or_wait(of).await?;
        }
        let mut child =
            self.command(of).spawn().map_err(|e| PortError::Unavailable(format!("{program} cannot be started: {}", e.kind())))?;
        let group = child.id();
        self.running().extend(group);
        let ended = tokio::time::timeout(self.settings.timeout, talk(&mut child, input)).await;
        let ended = self.over(&mut child, group, ended).await;
        if let Some(group) = group {
            self.running().remove(&group);
        }
        ended
    }

    async fn over(&self, child: &mut Child, group: Option<u32>, ended: Result<std::io::Result<Ended>, Elapsed>) -> PortResult<Ended> {
        let program = self.settings.program.display();
        match ended {
            Ok(Ok(ended)) => Ok(ended),
            Ok(Err(e)) => {
                end(child, group).await;
                Err(PortError::InDoubt(format!("{program}: its pipes broke ({})", e.kind())))
            }
            Err(_) => {
                end(child, group).await;
                Err(PortError::InDoubt(format!("{program} gave no answer within {} s and was ended", self.settings.timeout.as_secs())))
            }
        }
    }

    async fn converse(&self, request: &MailboxRequest) -> PortResult<Seen> {
        let input = serde_json::to_vec(&asked(request))
            .map_err(|e| PortError::refused(Refusal::Other, format!("no request ({:?})", e.classify())))?;
        // Why not of nobody's: doctors may ask at the same time.
        let of = Some(request.account.guid).filter(|guid| !guid.0.is_nil());
        let ended = self.run(of, &input).await?;
        read(request, &ended)
    }
}

async fn talk(child: &mut Child, input: &[u8]) -> std::io::Result<Ended> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let give = async {
        if let Some(mut stdin) = stdin {
            // Why ignored: a program that reads nothing says what it has to say all the same.
            stdin.write_all(input).await.ok();
            stdin.shutdown().await.ok();
        }
    };
    let ((), output, said, status) = tokio::join!(give, limited(stdout), limited(stderr), child.wait());
    let ((output, overflow), (said, _)) = (output?, said?);
    Ok(Ended { status: status?, output, said: first_line(&said), overflow })
}

async fn limited(from: Option<impl AsyncRead + Unpin>) -> std::io::Result<(Vec<u8>, bool)> {
    let Some(mut from) = from else { return Ok((Vec::new(), false)) };
    let (mut kept, mut overflow, mut part) = (Vec::new(), false, vec![0; 8 * 1024]);
    loop {
        let read = from.read(&mut part).await?;
        if read == 0 {
            return Ok((kept, overflow));
        }
        let room = MOST - kept.len();
        kept.extend_from_slice(&part[..read.min(room)]);
        overflow |= read > room;
    }
}

/// The program and, as far as the system lets us, what it has started.
async fn end(child: &mut Child, group: Option<u32>) {
    if let Some(group) = group {
        end_group(group).await;
    }
    // Why ignored: it has ended meanwhile.
    child.kill().await.ok();
}

#[cfg_attr(not(unix), allow(clippy::unused_async))]
async fn end_group(group: u32) {
    #[cfg(unix)]
    {
        let everybody = Command::new("kill").args(["-KILL", "--", &format!("-{group}")]).stderr(Stdio::null()).status().await;
        if !everybody.is_ok_and(|status| status.success()) {
            tracing::debug!("what the mailbox program has started could not be ended");
        }
    }
    #[cfg(not(unix))]
    let _ = group;
}

/// For people to read: short, on one line, without control characters.
fn first_line(octets: &[u8]) -> String {
    let text = String::from_utf8_lossy(octets);
    let line = text.lines().find(|l| !l.trim().is_empty()).unwrap_or("").trim();
    line.chars().filter(|c| !c.is_control()).take(300).collect()
}

fn asked(request: &MailboxRequest) -> Asked<'_> {
    Asked {
        version: VERSION,
        operation: request.deed.map_or("status", MailboxDeed::verb),
        request_id: request.id,
        account: AskedAccount {
            guid: request.account.guid.0,
            distinguished_name: request.account.dn.as_str(),
            username: &request.username,
            user_principal_name: &request.user_principal_name,
            display_name: &request.display_name,
            primary_address: &request.mail,
            aliases: &request.aliases,
        },
    }
}

/// Status 0 with a right answer counts; 75 and 65 say that nothing happened; whatever else is perhaps.
fn read(request: &MailboxRequest, ended: &Ended) -> PortResult<Seen> {
    let answer: Option<Answered> = serde_json::from_slice(&ended.output).ok().filter(|_| !ended.overflow);
    let said = answer.as_ref().and_then(|a| a.error.as_deref()).map_or_else(|| ended.said.clone(), |e| first_line(e.as_bytes()));
    let said = if said.is_empty() { "it said nothing".to_owned() } else { said };
    match ended.status.code() {
        Some(0) => {}
        Some(LATER) => return Err(PortError::Unavailable(said)),
        Some(NEVER) => return Err(PortError::refused(Refusal::Other, said)),
        Some(code) => return Err(PortError::InDoubt(format!("the program ended with status {code}: {said}"))),
        None => return Err(PortError::InDoubt("the program was ended by a signal".into())),
    }
    let nonsense = |why: &str| PortError::InDoubt(format!("the program's answer cannot be used: {why}"));
    if ended.overflow {
        return Err(nonsense(&format!("longer than {MOST} octets")));
    }
    let answer = answer.ok_or_else(|| nonsense("not the JSON that was agreed on"))?;
    if answer.version != VERSION {
        return Err(nonsense(&format!("version {}", answer.version)));
    }
    if answer.request_id != request.id {
        return Err(nonsense("it is about another request"));
    }
    let stands = match answer.state.ok_or_else(|| nonsense("no state"))? {
        AnsweredState::None => Stands::None,
        AnsweredState::Open => Stands::Open,
        AnsweredState::Hidden => Stands::Hidden,
        AnsweredState::Closed => Stands::Closed,
        AnsweredState::Waiting => {
            let what = answer.waiting_for.map(|w| first_line(w.as_bytes())).filter(|w| !w.is_empty());
            return Ok(Seen::Waiting(what.unwrap_or_else(|| "the mailbox to be made".into()).into()));
        }
    };
    Ok(Seen::Stands(stands))
}

#[async_trait]
impl MailboxHost for CommandHost {
    async fn ask(&self, request: &MailboxRequest) -> PortResult<Seen> {
        match (self.converse(request).await, request.deed) {
            // A look changes nothing, so nothing of it is in doubt.
            (Err(PortError::InDoubt(why)), None) => Err(PortError::Unavailable(why)),
            (answer, _) => answer,
        }
    }
    async fn end(&self) {
        let running = std::mem::take(&mut *self.running());
        for group in running {
            end_group(group).await;
        }
    }
}

#[async_trait]
impl Inspect for CommandHost {
    async fn inspect(&self) -> Vec<Finding> {
        let about = |kind, values: &[&dyn Display]| vec![Finding::new(Subject::Setting, "exchange.command.program", kind, values)];
        let program = self.settings.program.display();
        match std::fs::metadata(&self.settings.program) {
            Err(e) => return about(Kind::ProgramMissing, &[&program, &e.kind()]),
            Ok(meta) if !meta.is_file() => return about(Kind::ProgramNoFile, &[&program]),
            Ok(meta) if !is_executable(&meta) => return about(Kind::ProgramNotExecutable, &[&program]),
            Ok(_) => {}
        }
        match self.converse(&nobody()).await {
            Ok(seen @ Seen::Stands(Stands::None)) => about(Kind::ProgramGood, &[&format!("{seen:?}")]),
            Ok(seen) => about(Kind::ProgramOdd, &[&format!("{seen:?}")]),
            // Why good enough: it has understood, and says that there is nobody of that name.
            Err(PortError::Refused { reason, .. }) => about(Kind::ProgramGood, &[&reason]),
            Err(fault) => about(Kind::ProgramBroken, &[&fault]),
        }
    }

    /// Why: a program of the ministry's may take minutes, and ask a cloud each time.
    fn rest(&self) -> TimeDelta {
        TimeDelta::minutes(5)
    }
}

#[cfg(unix)]
fn is_executable(meta: &std::fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &std::fs::Metadata) -> bool {
    true
}

/// An account that there is not: for asking whether the program answers at all.
fn nobody() -> MailboxRequest {
    let nobody = uuid::Uuid::nil();
    MailboxRequest {
        id: nobody,
        deed: None,
        account: kimlik_domain::account::AccountRef {
            guid: kimlik_domain::id::AccountGuid(nobody),
            dn: kimlik_domain::account::Dn::new("CN=Kimlik Doctor"),
        },
        username: "kimlik-doctor".into(),
        user_principal_name: "kimlik-doctor@invalid".into(),
        display_name: "Kimlik Doctor".into(),
        mail: "kimlik-doctor@invalid".into(),
        aliases: Vec::new(),
    }
}
