//! The command line: what an administrator types. Errors say what was wrong, where, and what to do; never a backtrace.
mod doctor;
mod grant;
mod holds;
mod issues;
mod plan;
mod progress;
mod receipt;
mod serve;
mod sync;

use crate::config::{self, Config, Faults};
use crate::wiring::{self, House, NotWired};
use crate::work::voice::say;
use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use kimlik_domain::message::Language;
use kimlik_domain::ports::PortError;
use kimlik_domain::staff::{RegistryNo, UnitCode};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Kimlik: from the HR feed to the directory. Without a subcommand: serve.
#[derive(Parser)]
#[command(
    name = "kimlik",
    version,
    after_help = "Exit codes of sync: 0 done, 3 something is held, 4 something failed, 1 it could not go on.\nWithout a configuration file a simulated ministry with an embedded directory is run, under ./var."
)]
struct Command {
    /// The settings; kimlik.toml in the working directory is read by itself.
    #[arg(long, short, global = true, env = "KIMLIK_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The language of plans, reasons and findings: tr or en. Where nothing is said, that of the terminal (LC_ALL, LC_MESSAGES, LANG).
    #[arg(long, global = true, env = "KIMLIK_LANGUAGE", value_name = "tr|en", value_parser = language)]
    language: Option<Language>,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Subcommand)]
enum What {
    /// Runs everything: feed, accounts, GraphQL (the default).
    Serve,
    /// Prints what would be done, person by person, with the reason. Writes nothing.
    Plan(plan::Plan),
    /// Takes in what HR has delivered and touches no account: `kimlik plan` then says what would be done.
    Intake,
    /// Takes in what HR has delivered and does what is to be done.
    Sync(sync::Sync),
    /// Looks at every neighbour and setting: what was found, what to do.
    Doctor(doctor::Doctor),
    /// Brings the tables of the database up to date.
    Migrate,
    /// Changes that exceeded a limit and wait for a decision.
    Holds(holds::Holds),
    /// Faults in what HR says.
    Issues(issues::Issues),
    /// What was done to a person's account, step by step, with times and reasons.
    Receipt(receipt::Receipt),
    /// Roles for a time: the first administrator, auditors, officers.
    Grant(grant::Grants),
    /// Prints the GraphQL contract.
    Schema,
}

/// Whom a command is about; everybody where nothing is said.
#[derive(Args)]
struct Selection {
    /// Only this person, by registry number (sicil no); may be given several times.
    #[arg(long, value_name = "REGISTRY_NO", value_parser = registry_no)]
    person: Vec<RegistryNo>,
    /// Only the people of this unit and the units below it.
    #[arg(long, value_name = "CODE", value_parser = unit_code, conflicts_with = "person")]
    unit: Option<UnitCode>,
}

fn registry_no(text: &str) -> Result<RegistryNo, String> {
    RegistryNo::parse(text).ok_or_else(|| "a registry number is 1 to 16 letters, digits, -, / or .".to_owned())
}

fn unit_code(text: &str) -> Result<UnitCode, String> {
    UnitCode::parse(text).ok_or_else(|| "a unit code (DETSİS) is 8 digits".to_owned())
}

fn day(text: &str) -> Result<kimlik_domain::day::Day, String> {
    kimlik_domain::day::parse(text).ok_or_else(|| "a day is written 2026-12-01".to_owned())
}

fn language(text: &str) -> Result<Language, String> {
    match text.to_ascii_lowercase().as_str() {
        "tr" => Ok(Language::Tr),
        "en" => Ok(Language::En),
        _ => Err("write tr or en".to_owned()),
    }
}

/// Of the terminal: the first of these that says something counts, as for every program.
fn of_terminal() -> Language {
    let said = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(|name| std::env::var(name).ok().filter(|text| !text.is_empty()));
    if said.is_some_and(|said| said.starts_with("tr")) { Language::Tr } else { Language::En }
}

/// It ran, and the answer is no: the text was printed already.
const COULD_NOT: u8 = 1;

pub fn run() -> ExitCode {
    let command = Command::parse();
    wiring::choose_crypto();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(fault) => return failed(&anyhow::Error::new(fault).context("the system gives no threads")),
    };
    // Why boxed: the future of the whole program is large, and would stand on the stack of the first thread.
    let code = runtime.block_on(Box::pin(carry_out(command)));
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match code {
        Ok(code) => ExitCode::from(code),
        Err(fault) => failed(&fault),
    }
}

async fn carry_out(command: Command) -> anyhow::Result<u8> {
    if let Some(What::Schema) = command.what {
        say(crate::graphql::sdl().trim_end());
        return Ok(0);
    }
    let language = command.language.unwrap_or_else(of_terminal);
    let (config, is_demo) = settings(command.config)?;
    log(is_demo && matches!(command.what, None | Some(What::Serve)));
    match command.what {
        None | Some(What::Serve) => serve::serve(config, is_demo).await,
        Some(What::Plan(plan)) => plan.print(&*house(config).await?, language).await,
        Some(What::Intake) => sync::intake_only(&*house(config).await?).await,
        Some(What::Sync(sync)) => sync.carry_out(&*house(config).await?).await,
        Some(What::Doctor(doctor)) => doctor.look(config, language).await,
        Some(What::Migrate) => migrate(&config).await,
        Some(What::Holds(holds)) => holds.carry_out(&*house(config).await?, language).await,
        Some(What::Issues(issues)) => issues.carry_out(&*house(config).await?).await,
        Some(What::Receipt(receipt)) => receipt.print(&*house(config).await?, language).await,
        Some(What::Grant(grants)) => grants.carry_out(&*house(config).await?).await,
        Some(What::Schema) => Ok(0),
    }
}

/// File, environment, or neither: then the demo.
fn settings(named: Option<PathBuf>) -> anyhow::Result<(Arc<Config>, bool)> {
    let usual = PathBuf::from("kimlik.toml");
    let path = named.or_else(|| usual.exists().then_some(usual));
    let text = match &path {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|e| anyhow::anyhow!("{}", config::check::plain(&e)));
            Some(text.with_context(|| format!("the configuration file {} cannot be read", path.display()))?)
        }
        None => None,
    };
    let environment: Vec<(String, String)> = std::env::vars().filter(|(name, _)| name.starts_with(config::load::PREFIX)).collect();
    let is_demo = text.is_none() && !environment.iter().any(|(name, _)| name.contains("__HR__") || name.contains("__DIRECTORY__"));
    let mut config = config::load::load(path.as_deref().zip(text.as_deref()), environment)?;
    // Why not only for the plain demo: its groups must not be taken away because somebody gave it fewer people.
    if text.is_none() && config.directory.is_embedded() && config.groups.is_empty() {
        config.groups = Config::demo().groups;
    }
    config::check::check(&config)?;
    Ok((Arc::new(config), is_demo))
}

async fn house(config: Arc<Config>) -> Result<Arc<House>, NotWired> {
    for (setting, path) in config::secrets::exposed(&config) {
        let path = path.display();
        tracing::warn!("setting {setting}: {path} can be read by others on this machine; to do: chmod 600 {path}");
    }
    Ok(Arc::new(wiring::open(config).await?))
}

/// To stderr, so that what a command prints can be piped. The demo speaks plain words instead of log lines.
fn log(is_demo: bool) {
    let usual = if is_demo { "warn" } else { "info,sqlx=warn,sea_orm=warn,sea_orm_migration=warn,ldap3=warn,rustls=warn,hyper=warn" };
    let filter = tracing_subscriber::EnvFilter::try_from_env("KIMLIK_LOG").unwrap_or_else(|_| usual.into());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let as_json = std::env::var("KIMLIK_LOG_FORMAT").is_ok_and(|format| format == "json");
    // Why ignore: a test that runs commands in one process has one already.
    if as_json {
        builder.json().flatten_event(true).try_init().ok();
    } else {
        builder.with_ansi(std::io::stderr().is_terminal()).try_init().ok();
    }
}

async fn migrate(config: &Config) -> anyhow::Result<u8> {
    let done = wiring::store(config).await?.migrate().await.map_err(told)?;
    if done.is_empty() {
        say("The tables are up to date.");
    }
    for name in done {
        say(&format!("done: {name}"));
    }
    Ok(0)
}

/// A port's failure in the words of somebody who has typed a command.
fn told(fault: PortError) -> anyhow::Error {
    let mend = match &fault {
        PortError::Unavailable(_) => "nothing was changed; see with `kimlik doctor` which neighbour is away, and try again",
        PortError::InDoubt(_) => "perhaps it was done; try again, Kimlik looks first",
        PortError::Refused { .. } => return anyhow::anyhow!("{}", fault.to_string().trim_start_matches("refused: ")),
    };
    anyhow::anyhow!("{fault}\n  to do: {mend}")
}

fn failed(fault: &anyhow::Error) -> ExitCode {
    let several = fault.downcast_ref::<Faults>().is_some_and(|f| f.0.len() > 1);
    let lead = if several { "kimlik: these settings cannot be used" } else { "kimlik: it could not be done" };
    eprintln!("{lead}");
    let mut seen = String::new();
    for cause in fault.chain().map(ToString::to_string) {
        // Why: a wrapping error often repeats the text of what it wraps.
        if !seen.contains(&cause) {
            eprintln!("{cause}");
            seen.push_str(&cause);
        }
    }
    ExitCode::from(COULD_NOT)
}
