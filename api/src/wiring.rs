//! The composition root: the one file that names adapters. Makes of checked settings the neighbours, and of the
//! neighbours what the rest of this crate works with.
use crate::cards::CardDesk;
use crate::config::{
    self, Config, DirectoryKind, Fault, Faults, HrSource, MailGatewayKind, MailboxMode, SmsGatewayKind, SmtpSecurity, secrets,
};
use crate::http::metrics::Counters;
use crate::inspect;
use crate::plans::PlanShelf;
use chrono::{DateTime, TimeDelta, Utc};
use kimlik_adapters::directory::active_directory::{ActiveDirectory, AdSettings, delegation_commands};
use kimlik_adapters::directory::embedded::{self, EmbeddedDirectory};
use kimlik_adapters::hr::csv::DropFolder;
use kimlik_adapters::hr::rest::{RestFeed, RestSettings};
use kimlik_adapters::hr::simulated::SimulatedMinistry;
use kimlik_adapters::mail::{Security, Smtp, SmtpSettings};
use kimlik_adapters::mailbox::{CommandHost, CommandSettings};
use kimlik_adapters::outbox::OutboxGateway;
use kimlik_adapters::sms::{Kannel, KannelSettings, Netgsm, NetgsmSettings};
use kimlik_adapters::store::{SqlStore, StoreKeys};
use kimlik_adapters::system::{OsEntropy, SystemClock};
use kimlik_adapters::token::{Foreign, ForeignClaim, ForeignSettings, OwnTokens};
use kimlik_adapters::webhook::WebhookClient;
use kimlik_domain::access::Role;
use kimlik_domain::access::door::{Door, Memory};
use kimlik_domain::account::{Dn, placement};
use kimlik_domain::lifecycle::Policy;
use kimlik_domain::lifecycle::reconcile::Reconciler;
use kimlik_domain::mailbox::keeper::{KeeperRules, MailboxKeeper};
use kimlik_domain::message::Channel;
use kimlik_domain::message::courier::{Courier, CourierRules};
use kimlik_domain::message::digest::{Digest, DigestRules};
use kimlik_domain::message::reminder::{Reminder, ReminderRules};
use kimlik_domain::message::round::DailyRound;
use kimlik_domain::password::Desk;
use kimlik_domain::phone::desk::PhoneDesk;
use kimlik_domain::phone::write_back::Messenger;
use kimlik_domain::ports::{
    CardTruth, Cards, Clock, Directory, Entropy, Finding, ForeignIssuer, Gateway, Grants, Health, HrFeed, HrWriteBack, Inspect,
    MailboxLedger, Passwords, PhotoBook, Photos, PortError, PortResult, Records, SignIn, Store, Watch, WatchRuns,
};
use kimlik_domain::staff::Reasons;
use kimlik_domain::staff::submission::desk::SubmissionDesk;
use kimlik_domain::webhook::dispatch::Dispatcher;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, OnceCell};
use zeroize::Zeroizing;

/// Why something could not be made: a setting, or a neighbour.
#[derive(Debug, thiserror::Error)]
pub enum NotWired {
    #[error("{0}")]
    Settings(#[from] Faults),
    #[error("{what}: {fault}\n  to do: {mend}")]
    Neighbour { what: &'static str, fault: PortError, mend: &'static str },
    #[error("the database lacks {} of Kimlik's tables' versions: {}\n  to do: kimlik migrate", .0.len(), .0.join(", "))]
    NotMigrated(Vec<String>),
}

/// What happened in the simulated ministry since it was last asked, in plain words.
pub type Narration = Arc<dyn Fn() -> Vec<String> + Send + Sync>;

/// Everything that the use cases need.
pub struct House {
    pub config: Arc<Config>,
    pub store: Arc<dyn Store>,
    /// The feed that cards are kept current by.
    pub card_feed: Arc<dyn Cards>,
    pub cards: CardDesk,
    /// How cards stand in the directory.
    pub card_truth: Arc<dyn CardTruth>,
    /// How much of everything there is.
    pub watch: Arc<dyn Watch>,
    /// What this process counts by itself.
    pub counters: Counters,
    pub started_at: DateTime<Utc>,
    pub directory: Arc<dyn Directory>,
    /// The same directory, asked for photos.
    pub photos: Arc<dyn Photos>,
    /// Photos as they were last seen there.
    pub photo_book: Arc<dyn PhotoBook>,
    /// The same store, looked up in by personnel units and administrators.
    pub records: Arc<dyn Records>,
    /// Plans of many people that were shown a moment ago.
    pub plans: PlanShelf,
    /// The same store, asked how a run goes on.
    pub runs: Arc<dyn WatchRuns>,
    pub feed: Arc<dyn HrFeed>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub reasons: Reasons,
    pub narration: Option<Narration>,
    /// Who comes in, and as what.
    pub door: Arc<Door>,
    /// Where people mend their passwords.
    pub desk: Arc<Desk>,
    /// Where people change their phones, and personnel units those of their people.
    pub phones: PhoneDesk,
    /// Takes to HR what was changed here.
    pub messenger: Messenger,
    /// Somebody has to be looked at: wakes the loop that reconciles.
    pub wake: Notify,
    /// Carries what goes to phones.
    pub courier: Courier,
    /// Carries letters; none where no e-mail is sent.
    pub postman: Option<Courier>,
    /// Reminds people whose passwords run out.
    pub reminder: Reminder,
    /// Tells personnel units what is open.
    pub digest: Digest,
    /// What is known of mailboxes that somebody is asked for.
    pub mailboxes: Arc<dyn MailboxLedger>,
    /// Asks for them; none where nobody is to be asked.
    pub mailbox_keeper: Option<MailboxKeeper>,
    /// Where HR records are handed in.
    pub submissions: SubmissionDesk,
    /// Tells other systems what was done.
    pub webhooks: Dispatcher,
    report_token: Option<Zeroizing<String>>,
    inspectors: Vec<Arc<dyn Inspect>>,
    /// The embedded directory, which nobody else administers.
    own_directory: Option<Arc<EmbeddedDirectory>>,
    policy: OnceCell<Arc<Policy>>,
}

impl House {
    /// Asks the directory once what it can hold; until it has answered there is no reconciling.
    pub async fn reconciler(&self) -> PortResult<Reconciler> {
        let policy = self
            .policy
            .get_or_try_init(|| async {
                let capabilities = self.directory.capabilities().await?;
                Ok::<_, PortError>(Arc::new(config::policy::policy_of(&self.config, capabilities.exchange)))
            })
            .await?;
        Ok(Reconciler {
            store: self.store.clone(),
            directory: self.directory.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            policy: policy.clone(),
        })
    }

    /// In the embedded directory, makes the places that the rules give to the units. In a real one that is its
    /// administrators' decision, and a place that is missing is an issue.
    pub async fn make_places(&self) -> PortResult<()> {
        let Some(directory) = &self.own_directory else { return Ok(()) };
        let units = self.store.units().await?;
        let (rules, base) = (config::policy::placement_of(&self.config), self.config.directory.base());
        let places: BTreeSet<Dn> = units.iter().filter_map(|unit| placement::ou(&rules, &base, unit, &units)).collect();
        directory.ensure_containers(&places.into_iter().collect::<Vec<_>>()).await
    }

    /// Whether this is the token that delivery reports show.
    pub fn takes_report_token(&self, token: &str) -> bool {
        self.report_token.as_ref().is_some_and(|own| secrets::same(own, token))
    }

    /// What each neighbour says of itself, over the connections that are open.
    pub async fn inspect(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for courier in std::iter::once(&self.courier).chain(&self.postman) {
            if let Ok(state) = courier.outbox.outbox_state(courier.channel, self.clock.now()).await {
                findings.push(inspect::outbox(courier.channel, courier.rules.daily_limit, &state, self.clock.now()));
            }
        }
        if self.mailbox_keeper.is_some()
            && let Ok(state) = self.mailboxes.mailboxes_state().await
        {
            findings.push(inspect::mailboxes(&state));
        }
        if let Ok(all) = self.webhooks.webhooks.webhooks(None, None, 1_000).await {
            findings.extend(inspect::webhooks(&all));
        }
        for inspector in &self.inspectors {
            findings.extend(inspector.inspect().await);
        }
        if self.config.hr.source != HrSource::Simulated {
            findings.push(inspect::feed(&self.config, self.feed.as_ref(), Some(self.store.as_ref())).await);
        }
        findings
    }
}

/// The store alone: for `migrate`, which must run before anything else can.
pub async fn store(config: &Config) -> Result<SqlStore, NotWired> {
    let keys = secrets::keys(config, &OsEntropy)?;
    if let Some(folder) = config.database.file().as_deref().and_then(std::path::Path::parent) {
        make_folder("database.url", folder)?;
    }
    let keys = StoreKeys { encryption: *keys.encryption, pepper: *keys.pepper };
    SqlStore::connect(&config.database.url, keys).await.map_err(|fault| NotWired::Neighbour {
        what: "setting database.url",
        fault,
        mend: "see that the database runs and that the address, user and password are right",
    })
}

/// Brings the tables of an SQLite file up to date by itself; on PostgreSQL that is an administrator's deed.
async fn ready_store(config: &Config) -> Result<SqlStore, NotWired> {
    let store = store(config).await?;
    let about_tables = |fault| NotWired::Neighbour { what: "tables of the database", fault, mend: "see that the database can be written" };
    if config.database.is_sqlite() {
        store.migrate().await.map_err(about_tables)?;
        return Ok(store);
    }
    let pending = store.pending_migrations().await.map_err(about_tables)?;
    if pending.is_empty() { Ok(store) } else { Err(NotWired::NotMigrated(pending)) }
}

pub async fn open(config: Arc<Config>) -> Result<House, NotWired> {
    config::check::check(&config)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = Arc::new(ready_store(&config).await?);
    let DirectoryParts { directory, photos, own_words, own: own_directory, sign_in, passwords } = directory(&config, &clock).await?;
    let (feed, write_back, narration) = feed(&config, &clock)?;
    let door = Arc::new(door(&config, &store, sign_in, &clock)?);
    let reminder = reminder(&config, &store, passwords.clone(), &clock);
    let digest = digest(&config, &store, &clock);
    let desk = Arc::new(desk(&config, &store, passwords, door.clone()));
    let phones = phone_desk(&config, &store, &door, &clock);
    let messenger = Messenger { book: store.clone(), hr: write_back, clock: clock.clone() };
    let Gateways { gateways, inspectors: words, report_token } = gateways(&config)?;
    let courier = Courier {
        outbox: store.clone(),
        store: store.clone(),
        channel: Channel::Sms,
        gateways,
        clock: clock.clone(),
        entropy: Arc::new(OsEntropy),
        rules: courier_rules(&config),
    };
    let mut inspectors: Vec<Arc<dyn Inspect>> = vec![store.clone(), own_words];
    inspectors.extend(words);
    let postman = mail_gateway(&config)?.map(|(gateway, words)| {
        inspectors.push(words);
        let (outbox, store, clock, entropy) = (store.clone(), store.clone(), clock.clone(), Arc::new(OsEntropy));
        Courier { outbox, store, channel: Channel::Mail, gateways: vec![gateway], clock, entropy, rules: postman_rules(&config) }
    });
    let mailbox_keeper = mailbox_host(&config).map(|host| MailboxKeeper {
        ledger: store.clone(),
        store: store.clone(),
        host: Arc::new(host),
        clock: clock.clone(),
        entropy: Arc::new(OsEntropy),
        policy: Arc::new(config::policy::policy_of(&config, true)),
        rules: keeper_rules(&config),
    });
    let webhooks = dispatcher(&config, &store, &clock)?;
    let submissions = SubmissionDesk {
        submissions: store.clone(),
        store: store.clone(),
        clock: clock.clone(),
        entropy: Arc::new(OsEntropy),
        reasons: config::policy::reasons_of(&config),
    };
    Ok(House {
        door,
        desk,
        phones,
        messenger,
        reasons: config::policy::reasons_of(&config),
        inspectors,
        courier,
        postman,
        reminder,
        digest,
        mailboxes: store.clone(),
        mailbox_keeper,
        submissions,
        webhooks,
        report_token,
        card_feed: store.clone(),
        photos,
        photo_book: store.clone(),
        card_truth: store.clone(),
        watch: store.clone(),
        counters: Counters::default(),
        started_at: clock.now(),
        cards: CardDesk::default(),
        records: store.clone(),
        plans: PlanShelf::default(),
        runs: store.clone(),
        store,
        directory,
        feed,
        clock,
        entropy: Arc::new(OsEntropy),
        narration,
        wake: Notify::new(),
        own_directory,
        policy: OnceCell::new(),
        config,
    })
}

/// What each neighbour says of itself; one that cannot be reached hides no other.
pub async fn inspect(config: &Config) -> Vec<Finding> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut findings = Vec::new();
    let store = match ready_store(config).await {
        Ok(store) => {
            findings.extend(store.inspect().await);
            Some(store)
        }
        Err(fault) => {
            findings.extend(inspect::not_wired("database", fault));
            None
        }
    };
    match directory(config, &clock).await {
        Ok(DirectoryParts { directory, own_words, sign_in, .. }) => {
            let found = own_words.inspect().await;
            let works = found.iter().all(|f| f.health != Health::Broken);
            findings.extend(found);
            if let Some(store) = store.as_ref().filter(|_| works && !config.directory.is_embedded()) {
                findings.extend(inspect::places(config, store, directory.as_ref()).await);
            }
            if works {
                let grants = store.as_ref().map(|s| (s as &dyn Grants, clock.now()));
                findings.extend(inspect::roles(config, sign_in.as_ref(), grants).await);
            }
        }
        Err(fault) => findings.extend(inspect::not_wired("directory", fault)),
    }
    match gateways(config) {
        Ok(Gateways { inspectors, .. }) => {
            for gateway in inspectors {
                findings.extend(gateway.inspect().await);
            }
        }
        Err(fault) => findings.extend(inspect::not_wired("SMS gateways", fault)),
    }
    match mail_gateway(config) {
        Ok(Some((_, gateway))) => findings.extend(gateway.inspect().await),
        Ok(None) => {}
        Err(fault) => findings.extend(inspect::not_wired("e-mail gateway", fault)),
    }
    if let Some(host) = mailbox_host(config) {
        findings.extend(host.inspect().await);
    }
    // Why not of the simulated one: being asked is how its life goes on.
    if config.hr.source != HrSource::Simulated {
        match feed(config, &clock) {
            Ok((feed, ..)) => findings.push(inspect::feed(config, feed.as_ref(), store.as_ref().map(|s| s as &dyn Store)).await),
            Err(fault) => findings.extend(inspect::not_wired("HR feed", fault)),
        }
    }
    findings
}

struct Gateways {
    gateways: Vec<Arc<dyn Gateway>>,
    inspectors: Vec<Arc<dyn Inspect>>,
    report_token: Option<Zeroizing<String>>,
}

fn gateways(config: &Config) -> Result<Gateways, NotWired> {
    let one = |fault: Fault| Faults(vec![fault]);
    let mut made = Gateways { gateways: Vec::new(), inspectors: Vec::new(), report_token: None };
    let mut add = |gateway: Arc<dyn Gateway>, inspector: Arc<dyn Inspect>| {
        made.gateways.push(gateway);
        made.inspectors.push(inspector);
    };
    let mut report_token = None;
    let timeout = Duration::from_secs(config.sms.timeout_seconds.into());
    for kind in &config.sms.gateways {
        match kind {
            SmsGatewayKind::Outbox => {
                let outbox = Arc::new(OutboxGateway { channel: Channel::Sms, keeps_texts: config.directory.is_embedded() });
                add(outbox.clone(), outbox);
            }
            SmsGatewayKind::Netgsm => {
                let netgsm = &config.sms.netgsm;
                let password =
                    secrets::read(&netgsm.password_file, "sms.netgsm.password_file", "write the password into it").map_err(one)?;
                let (url, user, header) = (netgsm.url.clone(), netgsm.user.clone(), netgsm.header.clone());
                let ca_pem = certificate("sms.netgsm.ca_file", &netgsm.ca_file)?;
                let made = Netgsm::new(NetgsmSettings { url, user, password, header, ca_pem, timeout });
                let gateway = Arc::new(made.map_err(|e| one(Fault::new("sms.netgsm", e.to_string(), "mend the address or the file")))?);
                add(gateway.clone(), gateway);
            }
            SmsGatewayKind::Kannel => {
                let (gateway, token) = kannel(config, timeout)?;
                report_token = token;
                let gateway = Arc::new(gateway);
                add(gateway.clone(), gateway);
            }
        }
    }
    made.report_token = report_token;
    let dearest = |purpose, text: &str| made.gateways.iter().map(|gateway| gateway.parts(purpose, text)).max().unwrap_or(0);
    let long = config::sms::too_long(config, dearest);
    if long.is_empty() { Ok(made) } else { Err(NotWired::Settings(Faults(long))) }
}

fn kannel(config: &Config, timeout: Duration) -> Result<(Kannel, Option<Zeroizing<String>>), NotWired> {
    let one = |fault: Fault| Faults(vec![fault]);
    let kannel = &config.sms.kannel;
    let password = secrets::read(&kannel.password_file, "sms.kannel.password_file", "write the password into it").map_err(one)?;
    let token = (!kannel.report_token_file.as_os_str().is_empty())
        .then(|| secrets::read(&kannel.report_token_file, "sms.kannel.report_token_file", "openssl rand -hex 32 > that file"))
        .transpose()
        .map_err(one)?;
    let base = if kannel.report_url.is_empty() { &config.server.public_url } else { &kannel.report_url };
    let report_url = token.as_ref().map(|t| Zeroizing::new(format!("{}/sms/reports/kannel?token={}", base.trim_end_matches('/'), **t)));
    let settings = KannelSettings {
        url: kannel.url.clone(),
        user: kannel.user.clone(),
        password,
        sender: kannel.sender.clone(),
        report_url: report_url.unwrap_or_default(),
        ca_pem: certificate("sms.kannel.ca_file", &kannel.ca_file)?,
        timeout,
    };
    let gateway = Kannel::new(settings).map_err(|e| one(Fault::new("sms.kannel", e.to_string(), "mend the address or the file")))?;
    Ok((gateway, token))
}

type MailParts = (Arc<dyn Gateway>, Arc<dyn Inspect>);

/// `None`: no e-mail is sent.
fn mail_gateway(config: &Config) -> Result<Option<MailParts>, NotWired> {
    let (mail, smtp) = (&config.mail, &config.mail.smtp);
    match config.mail_gateway() {
        MailGatewayKind::None => Ok(None),
        MailGatewayKind::Outbox => {
            let outbox = Arc::new(OutboxGateway { channel: Channel::Mail, keeps_texts: config.directory.is_embedded() });
            Ok(Some((outbox.clone(), outbox)))
        }
        MailGatewayKind::Smtp => {
            let one = |fault: Fault| Faults(vec![fault]);
            let password = (!smtp.user.is_empty())
                .then(|| secrets::read(&smtp.password_file, "mail.smtp.password_file", "write the password into it"))
                .transpose()
                .map_err(one)?;
            let made = Smtp::new(SmtpSettings {
                host: smtp.host.clone(),
                port: smtp.port(),
                security: match smtp.security {
                    SmtpSecurity::Tls => Security::Tls,
                    SmtpSecurity::StartTls => Security::StartTls,
                    SmtpSecurity::None => Security::Plain,
                },
                user: smtp.user.clone(),
                password,
                from: mail.from.clone(),
                from_name: mail.from_name.clone(),
                ca_pem: certificate("mail.smtp.ca_file", &smtp.ca_file)?,
                timeout: Duration::from_secs(smtp.timeout_seconds.into()),
            });
            let gateway = made.map_err(|e| one(Fault::new("mail.smtp", e.to_string(), "mend the setting or the file")))?;
            let gateway = Arc::new(gateway);
            Ok(Some((gateway.clone(), gateway)))
        }
    }
}

fn certificate(setting: &str, path: &std::path::Path) -> Result<Option<Vec<u8>>, Faults> {
    let unreadable = |e: std::io::Error| {
        Faults(vec![Fault::new(setting, format!("{}: {}", path.display(), config::check::plain(&e)), "name a file that can be read")])
    };
    (!path.as_os_str().is_empty()).then(|| std::fs::read(path)).transpose().map_err(unreadable)
}

fn mailbox_host(config: &Config) -> Option<CommandHost> {
    let command = &config.exchange.command;
    let settings = || CommandSettings {
        program: command.program.clone(),
        arguments: command.arguments.clone(),
        timeout: Duration::from_secs(command.timeout_seconds.into()),
    };
    (config.exchange.mailboxes == MailboxMode::Command).then(|| CommandHost::new(settings()))
}

fn keeper_rules(config: &Config) -> KeeperRules {
    let command = &config.exchange.command;
    KeeperRules {
        // Why so much longer: some are claimed together and wait for each other.
        lease: TimeDelta::seconds(i64::from(command.timeout_seconds) * 20 + 60),
        patience: TimeDelta::hours(command.patience_hours.into()),
        at_once: command.at_once as usize,
    }
}

fn dispatcher(config: &Config, store: &Arc<SqlStore>, clock: &Arc<dyn Clock>) -> Result<Dispatcher, NotWired> {
    let ca_pem = certificate("webhooks.ca_file", &config.webhooks.ca_file)?;
    let timeout = Duration::from_secs(config.webhooks.timeout_seconds.into());
    let sender = WebhookClient::new(config.webhook_addresses(), ca_pem.as_deref(), timeout);
    let sender = sender.map_err(|e| Faults(vec![Fault::new("webhooks", e.to_string(), "mend the certificate's file")]))?;
    Ok(Dispatcher {
        webhooks: store.clone(),
        sender: Arc::new(sender),
        clock: clock.clone(),
        entropy: Arc::new(OsEntropy),
        source: config.server.public_url.trim_end_matches('/').to_owned(),
        lease: chrono::TimeDelta::seconds(i64::from(config.webhooks.timeout_seconds) + 15),
    })
}

fn courier_rules(config: &Config) -> CourierRules {
    let [from, to] = config.sms.sending_hours;
    CourierRules { hours: (from, to), daily_limit: config.sms.daily_limit, ..CourierRules::default() }
}

/// Letters wake nobody: they go at any hour.
fn postman_rules(config: &Config) -> CourierRules {
    let lease = TimeDelta::seconds(i64::from(config.mail.smtp.timeout_seconds) * 4 + 60);
    CourierRules { hours: (0, 24), daily_limit: config.mail.daily_limit, lease, ..CourierRules::default() }
}

/// From the hour on at which messages may be sent that nobody waits for.
fn daily(config: &Config, store: &Arc<SqlStore>, clock: &Arc<dyn Clock>, name: &'static str) -> DailyRound {
    DailyRound::new(store.clone(), clock.clone(), Arc::new(OsEntropy), name, config.sms.sending_hours[0])
}

fn reminder(config: &Config, store: &Arc<SqlStore>, passwords: Arc<dyn Passwords>, clock: &Arc<dyn Clock>) -> Reminder {
    let told = &config.reminders;
    Reminder {
        round: daily(config, store, clock, "password_expiring"),
        passwords,
        store: store.clone(),
        outbox: store.clone(),
        texts: config::policy::texts_of(config),
        clock: clock.clone(),
        entropy: Arc::new(OsEntropy),
        rules: ReminderRules { days: told.password_days.clone(), by_mail: told.mail && config.carries_mail(), by_sms: told.sms },
    }
}

fn digest(config: &Config, store: &Arc<SqlStore>, clock: &Arc<dyn Clock>) -> Digest {
    Digest {
        round: daily(config, store, clock, "issue_digest"),
        store: store.clone(),
        texts: config::policy::texts_of(config),
        clock: clock.clone(),
        entropy: Arc::new(OsEntropy),
        rules: DigestRules { by_mail: config.digest.mail, by_sms: config.digest.sms },
    }
}

/// What a delivery report of Kannel says.
pub fn kannel_verdict(status: u32, answer: &str) -> Option<kimlik_domain::ports::Verdict> {
    kimlik_adapters::sms::kannel_verdict(status, answer)
}

/// The door to `store`: sessions, roles, services, tokens of our own and of the configured issuer.
fn door(config: &Config, store: &Arc<SqlStore>, directory: Arc<dyn SignIn>, clock: &Arc<dyn Clock>) -> Result<Door, NotWired> {
    let keys = secrets::keys(config, &OsEntropy)?;
    let tokens = OwnTokens::new(&keys.encryption, &config.server.public_url, config.sessions.epoch);
    let mend = "this machine's cryptography does not work as it should; say so to whoever built Kimlik";
    let tokens = tokens.map_err(|fault| NotWired::Neighbour { what: "access tokens", fault, mend })?;
    Ok(Door {
        sessions: store.clone(),
        grants: store.clone(),
        services: store.clone(),
        audit: store.clone(),
        store: store.clone(),
        directory,
        tokens: Arc::new(tokens),
        foreign: foreign_issuer(config)?,
        clock: clock.clone(),
        entropy: Arc::new(OsEntropy),
        rules: config.session_rules(),
        groups: config.role_groups(),
        from_address: config.sessions.failures_per_address,
        in_all: config.sessions.failures_in_all,
        memory: Memory::default(),
    })
}

/// The desk of parola; what a stranger knows of the ministry makes no good password.
fn desk(config: &Config, store: &Arc<SqlStore>, passwords: Arc<dyn Passwords>, door: Arc<Door>) -> Desk {
    let suffix = config.directory.upn_suffix();
    let words = suffix.split('.').filter(|w| w.len() > 2).map(str::to_owned).collect();
    let rules = config.password.rules(words);
    let (clock, entropy) = (door.clock.clone(), door.entropy.clone());
    let texts = config::policy::texts_of(config);
    Desk {
        tickets: store.clone(),
        challenges: store.clone(),
        pins: store.clone(),
        outbox: store.clone(),
        texts,
        passwords,
        store: store.clone(),
        door,
        clock,
        entropy,
        rules,
    }
}

fn phone_desk(config: &Config, store: &Arc<SqlStore>, door: &Arc<Door>, clock: &Arc<dyn Clock>) -> PhoneDesk {
    PhoneDesk {
        book: store.clone(),
        tickets: store.clone(),
        store: store.clone(),
        door: door.clone(),
        texts: config::policy::texts_of(config),
        clock: clock.clone(),
        entropy: Arc::new(OsEntropy),
        rules: config.phones.rules(),
    }
}

fn foreign_issuer(config: &Config) -> Result<Option<Arc<dyn ForeignIssuer>>, Faults> {
    let oidc = &config.oidc;
    if oidc.issuer.is_empty() {
        return Ok(None);
    }
    let one = |setting: String, found: String, mend: &str| Faults(vec![Fault::new(setting, found, mend)]);
    let named = !oidc.ca_file.as_os_str().is_empty();
    let ca_pem = named.then(|| std::fs::read(&oidc.ca_file)).transpose().map_err(|e| {
        let found = format!("{}: {}", oidc.ca_file.display(), config::check::plain(&e));
        one("oidc.ca_file".into(), found, "name a file that can be read")
    })?;
    let names = match oidc.names {
        config::OidcName::Username => ForeignClaim::Username,
        config::OidcName::RegistryNo => ForeignClaim::RegistryNo,
        config::OidcName::Email => ForeignClaim::Email,
    };
    let issuer = Foreign::new(ForeignSettings {
        issuer: oidc.issuer.clone(),
        audience: oidc.audience.clone(),
        jwks_url: oidc.jwks_url.clone(),
        algorithms: oidc.algorithms.clone(),
        claim: oidc.claim.clone(),
        names,
        ca_pem,
    });
    let issuer = issuer.map_err(|e| one(format!("oidc.{}", e.setting), e.fault, "mend the setting"))?;
    Ok(Some(Arc::new(issuer)))
}

struct DirectoryParts {
    directory: Arc<dyn Directory>,
    own_words: Arc<dyn Inspect>,
    own: Option<Arc<EmbeddedDirectory>>,
    sign_in: Arc<dyn SignIn>,
    passwords: Arc<dyn Passwords>,
    photos: Arc<dyn Photos>,
}

async fn directory(config: &Config, clock: &Arc<dyn Clock>) -> Result<DirectoryParts, NotWired> {
    match config.directory.kind {
        DirectoryKind::Embedded => {
            let embedded = Arc::new(embedded(config).await?);
            Ok(DirectoryParts {
                directory: embedded.clone(),
                own_words: embedded.clone(),
                sign_in: embedded.clone(),
                passwords: embedded.clone(),
                photos: embedded.clone(),
                own: Some(embedded),
            })
        }
        DirectoryKind::ActiveDirectory => {
            let settings = ad_settings(config)?;
            let faulty = |e: kimlik_adapters::directory::active_directory::SettingsFault| {
                let mend = "mend the setting; kimlik doctor says more of each controller";
                Faults(vec![Fault::new(format!("directory.active_directory.{}", e.setting), e.fault, mend)])
            };
            let ad = Arc::new(ActiveDirectory::new(settings, clock.clone()).map_err(faulty)?);
            let (directory, sign_in, passwords, photos) = (ad.clone(), ad.clone(), ad.clone(), ad.clone());
            Ok(DirectoryParts { directory, own_words: ad, sign_in, passwords, photos, own: None })
        }
    }
}

/// The embedded directory makes its own containers: nobody else administers it.
async fn embedded(config: &Config) -> Result<EmbeddedDirectory, NotWired> {
    let file = &config.directory.embedded.file;
    if let Some(folder) = file.parent() {
        make_folder("directory.embedded.file", folder)?;
    }
    let broken = |fault| NotWired::Neighbour { what: "setting directory.embedded.file", fault, mend: "see that the file can be written" };
    let base = config.directory.base();
    let correlation = config.directory.active_directory.correlation_attribute.clone();
    let directory = EmbeddedDirectory::open(file, base.clone(), config.directory.upn_suffix(), correlation).await.map_err(broken)?;
    let containers = [base, config.directory.closed_ou(), config.directory.default_ou()];
    directory.ensure_containers(&containers).await.map_err(broken)?;
    let groups: Vec<Dn> = config.groups.iter().map(|rule| rule.group.clone()).collect();
    directory.ensure_groups(&groups).await.map_err(broken)?;
    directory.ensure_groups(&config.role_groups().groups()).await.map_err(broken)?;
    first_administrator(config, &directory).await?;
    Ok(directory)
}

/// The user name of the embedded directory's administrator; the password stands in the folder of secrets.
pub const FIRST_ADMINISTRATOR: &str = "yonetici";

/// Somebody must be able to sign in where nobody else administers a directory. Beside the base, as in a real one.
async fn first_administrator(config: &Config, directory: &EmbeddedDirectory) -> Result<(), NotWired> {
    let broken = |fault| NotWired::Neighbour { what: "setting directory.embedded.file", fault, mend: "see that the file can be written" };
    let password = secrets::first_password(config, &OsEntropy)?;
    let known = match directory.account_named(FIRST_ADMINISTRATOR).await.map_err(broken)? {
        Some(account) => account,
        None => {
            let dn = Dn::new(format!("CN=Kimlik Yoneticisi,{}", config::EMBEDDED_ROLES));
            let mut account = embedded::Foreign::new(dn, FIRST_ADMINISTRATOR);
            account.groups = config.role_groups().0.into_iter().filter(|(_, role)| *role == Role::Administrator).map(|(g, _)| g).collect();
            directory.insert_foreign(&account).await.map_err(broken)?
        }
    };
    let right = directory.check_password(FIRST_ADMINISTRATOR, &password).await.map_err(broken)?;
    if right != Some(known) {
        directory.hand_password(known, &password).await.map_err(broken)?;
    }
    Ok(())
}

pub fn ad_settings(config: &Config) -> Result<AdSettings, Faults> {
    let ad = &config.directory.active_directory;
    let one = |fault: Fault| Faults(vec![fault]);
    let unreadable = |setting: &'static str, path: &std::path::Path| {
        let path = path.display().to_string();
        move |e: std::io::Error| one(Fault::new(setting, format!("{path}: {}", config::check::plain(&e)), "name a file that can be read"))
    };
    let password = "directory.active_directory.bind_password_file";
    Ok(AdSettings {
        urls: ad.urls.clone(),
        ca_pem: std::fs::read(&ad.ca_file).map_err(unreadable("directory.active_directory.ca_file", &ad.ca_file))?,
        bind_dn: ad.bind_dn.clone(),
        bind_password: secrets::read(&ad.bind_password_file, password, "write the password of bind_dn into it, on one line")
            .map_err(one)?,
        base: config.directory.base(),
        closed_ou: config.directory.closed_ou(),
        default_ou: config.directory.default_ou(),
        upn_suffix: ad.upn_suffix.clone(),
        correlation: ad.correlation_attribute.clone(),
        timeout: Duration::from_secs(ad.timeout_seconds.into()),
        in_flight: ad.in_flight as usize,
        replication: Duration::from_secs(ad.replication_seconds.into()),
        extra_groups: config.groups.iter().map(|rule| rule.group.clone()).collect(),
        // Of a checked configuration nothing is lost here.
        mapping: config.card.mapping().unwrap_or_default(),
    })
}

/// The commands that give Kimlik's account exactly the rights that it needs.
pub fn delegation(config: &Config, account: &str, exchange: bool) -> Result<String, Faults> {
    Ok(delegation_commands(&ad_settings(config)?, account, exchange))
}

/// What reads HR, the same as what writes back to it, and what is told of it.
type FeedParts = (Arc<dyn HrFeed>, Arc<dyn HrWriteBack>, Option<Narration>);

fn feed(config: &Config, clock: &Arc<dyn Clock>) -> Result<FeedParts, NotWired> {
    let fields = config::policy::field_names(config);
    match config.hr.source {
        HrSource::Simulated => {
            let s = &config.hr.simulated;
            let ministry = Arc::new(SimulatedMinistry::new(s.seed, s.people, s.events_per_step, clock.clone()));
            let told = ministry.clone();
            Ok((ministry.clone(), ministry, Some(Arc::new(move || told.narration()))))
        }
        HrSource::Csv => {
            let folder = Arc::new(DropFolder::new(config.hr.csv.directory.clone(), &fields, clock.clone()));
            Ok((folder.clone(), folder, None))
        }
        HrSource::Rest => {
            let feed = Arc::new(
                RestFeed::new(rest_settings(config, fields)?)
                    .map_err(|e| Faults(vec![Fault::new("hr.rest", e.to_string(), "mend the address or the certificate's file")]))?,
            );
            Ok((feed.clone(), feed, None))
        }
    }
}

fn rest_settings(
    config: &Config,
    field_names: std::collections::HashMap<String, kimlik_domain::staff::feed::Field>,
) -> Result<RestSettings, Faults> {
    let rest = &config.hr.rest;
    let named = |path: &std::path::Path| !path.as_os_str().is_empty();
    let token = named(&rest.token_file)
        .then(|| secrets::read(&rest.token_file, "hr.rest.token_file", "write the token into it, on one line"))
        .transpose()
        .map_err(|fault| Faults(vec![fault]))?;
    let unreadable = |e: std::io::Error| {
        let found = format!("{}: {}", rest.ca_file.display(), config::check::plain(&e));
        Faults(vec![Fault::new("hr.rest.ca_file", found, "name a file that can be read")])
    };
    let ca_pem = named(&rest.ca_file).then(|| std::fs::read(&rest.ca_file)).transpose().map_err(unreadable)?;
    Ok(RestSettings { base_url: rest.base_url.clone(), token, ca_pem, field_names })
}

fn make_folder(setting: &str, folder: &std::path::Path) -> Result<(), Faults> {
    if folder.as_os_str().is_empty() {
        return Ok(());
    }
    std::fs::create_dir_all(folder).map_err(|e| {
        let found = format!("{}: {}", folder.display(), config::check::plain(&e));
        Faults(vec![Fault::new(setting, found, "name a folder that Kimlik may make or write")])
    })
}

/// Before anything speaks TLS: one crypto provider for the whole process.
pub fn choose_crypto() {
    // Why ignore: it fails only where one was chosen before, and it is the same one.
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
}
