//! The composition root: the one folder that names adapters. Makes of checked settings the neighbours, and of the
//! neighbours what the rest of this crate works with.
mod directory;
mod hr;
mod mailboxes;
mod messages;
mod people;

use crate::cards::CardDesk;
use crate::config::{Config, Faults, HrSource, secrets};
use crate::health::HealthBoard;
use crate::http::metrics::Counters;
use crate::plans::PlanShelf;
use crate::{config, inspect};
use chrono::{DateTime, Utc};
use directory::{DirectoryParts, directory};
pub use directory::{FIRST_ADMINISTRATOR, delegation};
use hr::{feed, make_folder};
use kimlik_adapters::directory::embedded::EmbeddedDirectory;
use kimlik_adapters::hr::photos::PhotoFolder;
use kimlik_adapters::store::{SqlStore, StoreKeys};
use kimlik_adapters::system::{OsEntropy, SystemClock};
use kimlik_domain::access::door::Door;
use kimlik_domain::account::{Dn, placement};
use kimlik_domain::health::{Finding, Health, Kind, Subject};
use kimlik_domain::lifecycle::Policy;
use kimlik_domain::lifecycle::reconcile::Reconciler;
use kimlik_domain::mailbox::keeper::MailboxKeeper;
use kimlik_domain::message::courier::Courier;
use kimlik_domain::message::digest::Digest;
use kimlik_domain::message::reminder::Reminder;
use kimlik_domain::message::{Channel, Language};
use kimlik_domain::password::Desk;
use kimlik_domain::phone::desk::PhoneDesk;
use kimlik_domain::phone::write_back::Messenger;
use kimlik_domain::ports::{
    CardTruth, Cards, Clock, Directory, Entropy, Grants, HrFeed, Inspect, MailboxLedger, PhotoBook, PhotoFiles, PhotoShelf, Photos,
    PortError, PortResult, Records, Standing, Store, Watch, WatchRuns,
};
use kimlik_domain::staff::Reasons;
use kimlik_domain::staff::submission::desk::SubmissionDesk;
use kimlik_domain::webhook::dispatch::Dispatcher;
use mailboxes::{keeper_rules, mailbox_host};
pub use messages::kannel_verdict;
use messages::{Gateways, courier_rules, digest, dispatcher, gateways, mail_gateway, postman_rules, reminder};
use people::{desk, door, phone_desk};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::{Notify, OnceCell};
use zeroize::Zeroizing;

/// Why something could not be made: a setting, or a neighbour.
#[derive(Debug, thiserror::Error)]
pub enum NotWired {
    #[error("{0}")]
    Settings(#[from] Faults),
    #[error("{}: {}\n  to do: {}", .0.about(Language::En), .0.found(Language::En), .0.mend(Language::En))]
    Neighbour(Box<Finding>),
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
    /// HR's photos, where there is a folder of them.
    pub photo_files: Option<Arc<dyn PhotoFiles>>,
    /// What was found in them.
    pub photo_shelf: Arc<dyn PhotoShelf>,
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
    /// Those that can look at themselves.
    pub inspectors: Vec<Arc<dyn Inspect>>,
    /// How all of them stand.
    pub health: HealthBoard,
    /// Since when, for those who start anew.
    pub standing: Arc<dyn Standing>,
    /// The embedded directory, which nobody else administers.
    own_directory: Option<Arc<EmbeddedDirectory>>,
    policy: OnceCell<Arc<Policy>>,
}

impl NotWired {
    fn neighbour(about: Subject, name: &str, kind: Kind, fault: &PortError) -> NotWired {
        NotWired::Neighbour(Box::new(Finding::new(about, name, kind, &[fault])))
    }
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
            photos: self.photo_files.clone(),
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
}

/// The store alone: for `migrate`, which must run before anything else can.
pub async fn store(config: &Config) -> Result<SqlStore, NotWired> {
    let keys = secrets::keys(config, &OsEntropy)?;
    if let Some(folder) = config.database.file().as_deref().and_then(std::path::Path::parent) {
        make_folder("database.url", folder)?;
    }
    let keys = StoreKeys { encryption: *keys.encryption, pepper: *keys.pepper };
    let unreachable = |fault| NotWired::neighbour(Subject::Setting, "database.url", Kind::DatabaseAddress, &fault);
    SqlStore::connect(&config.database.url, keys).await.map_err(unreachable)
}

/// Brings the tables of an SQLite file up to date by itself; on PostgreSQL that is an administrator's deed.
async fn ready_store(config: &Config) -> Result<SqlStore, NotWired> {
    let store = store(config).await?;
    let about_tables = |fault| NotWired::neighbour(Subject::DatabaseTables, "", Kind::TablesUnwritable, &fault);
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
        hand: Default::default(),
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
        health: HealthBoard::default(),
        standing: store.clone(),
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
        photo_files: config.card.photos.as_ref().map(|folder| Arc::new(PhotoFolder::new(folder)) as Arc<dyn PhotoFiles>),
        photo_shelf: store.clone(),
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
    let mut findings: Vec<Finding> = inspect::public_address(config).into_iter().collect();
    let store = match ready_store(config).await {
        Ok(store) => {
            findings.extend(store.inspect().await);
            Some(store)
        }
        Err(fault) => {
            findings.extend(inspect::not_wired(Subject::Database, fault));
            None
        }
    };
    match directory(config, &clock).await {
        Ok(DirectoryParts { directory, own_words, sign_in, .. }) => {
            let found = own_words.inspect().await;
            let works = found.iter().all(|f| f.health() != Health::Broken);
            findings.extend(found);
            if let Some(store) = store.as_ref().filter(|_| works && !config.directory.is_embedded()) {
                findings.extend(inspect::places(config, store, directory.as_ref()).await);
            }
            if works {
                let grants = store.as_ref().map(|s| (s as &dyn Grants, clock.now()));
                findings.extend(inspect::roles(config, sign_in.as_ref(), grants).await);
            }
        }
        Err(fault) => findings.extend(inspect::not_wired(Subject::Directory, fault)),
    }
    match gateways(config) {
        Ok(Gateways { inspectors, .. }) => {
            for gateway in inspectors {
                findings.extend(gateway.inspect().await);
            }
        }
        Err(fault) => findings.extend(inspect::not_wired(Subject::SmsGateways, fault)),
    }
    match mail_gateway(config) {
        Ok(Some((_, gateway))) => findings.extend(gateway.inspect().await),
        Ok(None) => {}
        Err(fault) => findings.extend(inspect::not_wired(Subject::MailGateway, fault)),
    }
    if let Some(host) = mailbox_host(config) {
        findings.extend(host.inspect().await);
    }
    // Why not of the simulated one: being asked is how its life goes on.
    if config.hr.source != HrSource::Simulated {
        match feed(config, &clock) {
            Ok((feed, ..)) => findings.push(inspect::feed(config, feed.as_ref(), store.as_ref().map(|s| s as &dyn Store)).await),
            Err(fault) => findings.extend(inspect::not_wired(Subject::HrFeed, fault)),
        }
    }
    findings
}

/// Before anything speaks TLS: one crypto provider for the whole process.
pub fn choose_crypto() {
    // Why ignore: it fails only where one was chosen before, and it is the same one.
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
}
