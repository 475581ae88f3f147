//! The settings: one struct a section, as they stand in kimlik.toml. What they mean together is checked in [`check`];
//! where they come from (file, environment) is in [`load`].
mod access;
pub mod check;
mod issues;
pub mod load;
mod mail;
mod outlook;
mod password;
mod phones;
pub mod policy;
pub mod secrets;
pub mod sms;
mod told;
mod webhooks;

pub use access::{Oidc, OidcName, Roles, Sessions};
pub use issues::Issues;
use kimlik_domain::account::{Dn, GroupRule, Mode, NamePolicy, When};
use kimlik_domain::lifecycle::limits::Limit;
use kimlik_domain::staff::{UnitCode, UnitKind};
pub use mail::{Mail, MailGatewayKind, SmtpSecurity};
pub use outlook::{Card, Exchange, MailboxCommand, MailboxMode};
pub use password::Password;
pub use phones::Phones;
use serde::{Deserialize, Serialize};
pub use sms::{Kannel as KannelSection, Netgsm as NetgsmSection, Sms, SmsGatewayKind};
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
pub use told::{Digest, Reminders};
pub use webhooks::Webhooks;

/// A setting that cannot be used: which one, what was found, what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub setting: String,
    /// "kimlik.toml line 12", "environment variable KIMLIK__…"; empty where it is not known.
    pub place: String,
    pub found: String,
    pub mend: String,
}

impl Fault {
    pub fn new(setting: impl Into<String>, found: impl Into<String>, mend: impl Into<String>) -> Fault {
        Fault { setting: setting.into(), place: String::new(), found: found.into(), mend: mend.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "setting {}", self.setting)?;
        if !self.place.is_empty() {
            write!(f, " ({})", self.place)?;
        }
        write!(f, "\n  found: {}\n  to do: {}", self.found, self.mend)
    }
}

/// Everything that is wrong, at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(Fault::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}
impl std::error::Error for Faults {}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub server: Server,
    pub database: Database,
    pub secrets: Secrets,
    pub hr: Hr,
    pub directory: Directory,
    pub placement: Placement,
    pub groups: Vec<GroupRule>,
    pub names: Names,
    pub card: Card,
    pub exchange: Exchange,
    pub sms: Sms,
    pub mail: Mail,
    pub reminders: Reminders,
    pub digest: Digest,
    pub password: Password,
    pub phones: Phones,
    pub limits: LimitTable,
    pub roles: Roles,
    pub sessions: Sessions,
    pub oidc: Oidc,
    pub webhooks: Webhooks,
    pub issues: Issues,
    pub metrics: Metrics,
}

impl Config {
    /// Without any settings: a small ministry that one can watch.
    pub fn demo() -> Config {
        let group = |kind, name: &str| GroupRule {
            when: When { kind: Some(kind), ..When::default() },
            group: Dn::new(format!("CN={name},OU=Gruplar,{EMBEDDED_BASE}")),
        };
        let groups = vec![group(UnitKind::Central, "Merkez Personeli"), group(UnitKind::Provincial, "Tasra Personeli")];
        Config { groups, ..Config::default() }
    }

    pub fn poll_every(&self) -> std::time::Duration {
        let usual = if self.hr.source == HrSource::Simulated { 5 } else { 30 };
        std::time::Duration::from_secs(self.hr.poll_seconds.unwrap_or(usual).into())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    pub listen: SocketAddr,
    /// The address that people are told: in announcements and on the terminal.
    pub public_url: String,
}

impl Default for Server {
    fn default() -> Server {
        Server { listen: SocketAddr::from(([127, 0, 0, 1], 8080)), public_url: "http://127.0.0.1:8080".into() }
    }
}

/// Figures for whoever watches over Kimlik.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Metrics {
    /// Where /metrics is answered, to anybody who reaches it. Nothing: nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    pub url: String,
}

impl Default for Database {
    fn default() -> Database {
        Database { url: "sqlite://var/kimlik.db".into() }
    }
}

impl Database {
    pub fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite:")
    }
    /// The file of an SQLite database.
    pub fn file(&self) -> Option<PathBuf> {
        let path = self.url.strip_prefix("sqlite:")?;
        let path = path.strip_prefix("//").unwrap_or(path);
        Some(PathBuf::from(path.split_once('?').map_or(path, |(path, _)| path)))
    }
    /// Without the password.
    pub fn shown(&self) -> String {
        let Some((scheme, rest)) = self.url.split_once("://") else { return self.url.clone() };
        // Why also the query: `?password=…` is a way to write it, too.
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(r, q)| (r, Some(q)));
        let rest = match rest.rsplit_once('@') {
            Some((user, host)) => format!("{}@{host}", user.split_once(':').map_or(user.to_owned(), |(name, _)| format!("{name}:***"))),
            None => rest.to_owned(),
        };
        let query = query.map(|q| {
            let shown: Vec<&str> = q.split('&').filter(|p| !p.starts_with("password=")).collect();
            if shown.is_empty() { String::new() } else { format!("?{}", shown.join("&")) }
        });
        format!("{scheme}://{rest}{}", query.unwrap_or_default())
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({})", self.shown())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Secrets {
    /// Holds `encryption.key` and `pepper.key`: 64 hexadecimal digits each.
    pub dir: PathBuf,
}

impl Default for Secrets {
    fn default() -> Secrets {
        Secrets { dir: "var/secrets".into() }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HrSource {
    #[default]
    Simulated,
    Csv,
    Rest,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hr {
    pub source: HrSource,
    /// How often the feed is asked; 30 where nothing is said, 5 with the simulated ministry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll_seconds: Option<u32>,
    pub simulated: Simulated,
    pub csv: Csv,
    pub rest: Rest,
    /// Column of the feed -> field of the contract, where HR calls it otherwise.
    pub fields: BTreeMap<String, String>,
    /// HR reason code -> effect; added to the built-in table.
    pub reasons: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Simulated {
    pub seed: u64,
    pub people: u32,
    pub events_per_step: u32,
}

impl Default for Simulated {
    fn default() -> Simulated {
        Simulated { seed: 1923, people: 2_000, events_per_step: 3 }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Csv {
    pub directory: PathBuf,
}

impl Default for Csv {
    fn default() -> Csv {
        Csv { directory: "var/hr".into() }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rest {
    pub base_url: String,
    pub token_file: PathBuf,
    pub ca_file: PathBuf,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DirectoryKind {
    #[default]
    Embedded,
    ActiveDirectory,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Directory {
    pub kind: DirectoryKind,
    pub embedded: Embedded,
    pub active_directory: ActiveDirectory,
    /// Units that are managed or only observed, other than `active_directory.mode` says; the nearest one upward counts.
    pub modes: Vec<UnitMode>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitMode {
    pub unit: UnitCode,
    pub mode: Mode,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Embedded {
    /// A file of its own: the directory is another system than the database.
    pub file: PathBuf,
}

impl Default for Embedded {
    fn default() -> Embedded {
        Embedded { file: "var/directory.db".into() }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FirstRun {
    /// Taking over an account that was there before waits for an administrator.
    #[default]
    Hold,
    /// Accounts with the right employeeID (or correlation) are taken over at once.
    Adopt,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ActiveDirectory {
    /// Domain controllers in order; the first is used while it answers.
    pub urls: Vec<String>,
    pub ca_file: PathBuf,
    pub bind_dn: String,
    pub bind_password_file: PathBuf,
    /// Everything outside is left alone.
    pub base_dn: String,
    /// Below the base.
    pub closed_ou: String,
    pub default_ou: String,
    pub upn_suffix: String,
    /// Attribute of existing accounts that holds the registry number, beside employeeID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_attribute: Option<String>,
    pub mode: Mode,
    pub first_run: FirstRun,
    pub drift_minutes: u32,
    pub timeout_seconds: u32,
    /// Operations under way at once.
    pub in_flight: u32,
    /// So long after a write no other controller is asked: it may not have heard of it yet.
    pub replication_seconds: u32,
}

impl Default for ActiveDirectory {
    fn default() -> ActiveDirectory {
        ActiveDirectory {
            urls: Vec::new(),
            ca_file: PathBuf::new(),
            bind_dn: String::new(),
            bind_password_file: PathBuf::new(),
            base_dn: String::new(),
            closed_ou: "OU=Ayrilanlar".into(),
            default_ou: "OU=Yerlesmemis".into(),
            upn_suffix: String::new(),
            correlation_attribute: None,
            mode: Mode::Manage,
            first_run: FirstRun::Hold,
            drift_minutes: 5,
            timeout_seconds: 10,
            in_flight: 8,
            replication_seconds: 15,
        }
    }
}

/// What the embedded directory is: one small forest that needs no setting.
const EMBEDDED_BASE: &str = "OU=CSB,DC=csb,DC=test";
const EMBEDDED_SUFFIX: &str = "csb.test";
/// Beside its base: who administers Kimlik is not Kimlik's to decide.
pub const EMBEDDED_ROLES: &str = "OU=Yetki,DC=csb,DC=test";

impl Directory {
    pub fn is_embedded(&self) -> bool {
        self.kind == DirectoryKind::Embedded
    }
    pub fn base(&self) -> Dn {
        Dn::new(if self.is_embedded() { EMBEDDED_BASE } else { &self.active_directory.base_dn })
    }
    pub fn closed_ou(&self) -> Dn {
        self.base().below(&self.active_directory.closed_ou)
    }
    pub fn default_ou(&self) -> Dn {
        self.base().below(&self.active_directory.default_ou)
    }
    pub fn upn_suffix(&self) -> &str {
        if self.is_embedded() { EMBEDDED_SUFFIX } else { &self.active_directory.upn_suffix }
    }
}

/// Unit -> OU below the base; the first line that matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Placement {
    pub rules: Vec<Rule>,
}

/// Why not the domain's own rule: its `when` is flattened, and a flattened struct takes unknown keys without a word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<UnitKind>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitCode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub province: Option<u8>,
    pub ou: String,
}

impl Default for Placement {
    fn default() -> Placement {
        let rule = |kind, ou: &str| Rule { kind: Some(kind), unit: None, province: None, ou: ou.into() };
        Placement {
            rules: vec![rule(UnitKind::Provincial, "OU={province_name},OU=Tasra"), rule(UnitKind::Central, "OU={top_unit},OU=Merkez")],
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Names {
    /// Patterns in order; `{given}` `{given1}` `{g}` `{family}` `{family1}` and `{n}`, a number from 2 on.
    pub username: Vec<String>,
    pub mail_domain: String,
    pub never: Vec<String>,
    /// Does a new surname change the user name too? The address always follows.
    pub rename_username: bool,
    /// So long an earlier address goes on taking mail; unset: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_aliases_days: Option<u32>,
    /// "Ayşe ŞAHİN" instead of "Ayşe Şahin".
    pub family_name_in_capitals: bool,
}

impl Default for Names {
    fn default() -> Names {
        let NamePolicy { username, mail_domain, never, rename_username, keep_aliases_days } = NamePolicy::default();
        Names { username, mail_domain, never, rename_username, keep_aliases_days, family_name_in_capitals: false }
    }
}

macro_rules! limit_table {
    ($($(#[$doc:meta])* $all:ident, $province:ident = $budget:ident, $default:expr, $default_province:expr;)*) => {
        /// Over a rolling day; whichever of percent and absolute is reached first holds that kind in that scope, but never
        /// below at_least.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct LimitTable {
            $(
                $(#[$doc])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $all: Option<Limit>,
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $province: Option<Limit>,
            )*
        }
        impl Default for LimitTable {
            fn default() -> LimitTable {
                LimitTable { $($all: $default, $province: $default_province,)* }
            }
        }
        impl LimitTable {
            pub fn limits(&self) -> kimlik_domain::lifecycle::limits::Limits {
                use kimlik_domain::lifecycle::limits::{Budget, Limits};
                let mut limits = Limits::default();
                $(
                    if let Some(limit) = self.$all { limits.everywhere.insert(Budget::$budget, limit); }
                    if let Some(limit) = self.$province { limits.per_province.insert(Budget::$budget, limit); }
                )*
                limits
            }
            pub fn named(&self) -> Vec<(&'static str, Limit)> {
                let mut out = Vec::new();
                $(
                    if let Some(limit) = self.$all { out.push((stringify!($all), limit)); }
                    if let Some(limit) = self.$province { out.push((stringify!($province), limit)); }
                )*
                out
            }
        }
    };
}

#[allow(clippy::unnecessary_wraps)]
const fn limit(percent: f64, absolute: u32, at_least: u32) -> Option<Limit> {
    Some(Limit { percent: Some(percent), absolute: Some(absolute), at_least })
}

limit_table! {
    close, close_per_province = Close, limit(2.0, 50, 5), limit(10.0, 20, 5);
    suspend, suspend_per_province = Suspend, limit(2.0, 50, 5), None;
    open, open_per_province = Open, limit(10.0, 500, 20), None;
    r#move, move_per_province = Move, limit(10.0, 500, 20), None;
    rename, rename_per_province = Rename, limit(1.0, 50, 5), None;
    update, update_per_province = Update, limit(25.0, 5_000, 50), None;
    mailbox, mailbox_per_province = Mailbox, limit(2.0, 50, 5), None;
}
