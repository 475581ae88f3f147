//! The directory of accounts, Active Directory or the embedded one.
use super::NotWired;
use super::hr::make_folder;
use crate::config;
use crate::config::{Config, DirectoryKind, Fault, Faults, secrets};
use kimlik_adapters::directory::active_directory::{ActiveDirectory, AdSettings, delegation_commands};
use kimlik_adapters::directory::embedded;
use kimlik_adapters::directory::embedded::EmbeddedDirectory;
use kimlik_adapters::system::OsEntropy;
use kimlik_domain::access::Role;
use kimlik_domain::account::Dn;
use kimlik_domain::health::{Kind, Subject};
use kimlik_domain::ports::{Clock, Directory, Inspect, Passwords, Photos, PortError, SignIn};
use std::sync::Arc;
use std::time::Duration;

pub(super) struct DirectoryParts {
    pub(super) directory: Arc<dyn Directory>,
    pub(super) own_words: Arc<dyn Inspect>,
    pub(super) own: Option<Arc<EmbeddedDirectory>>,
    pub(super) sign_in: Arc<dyn SignIn>,
    pub(super) passwords: Arc<dyn Passwords>,
    pub(super) photos: Arc<dyn Photos>,
}

pub(super) async fn directory(config: &Config, clock: &Arc<dyn Clock>) -> Result<DirectoryParts, NotWired> {
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

fn broken(fault: PortError) -> NotWired {
    NotWired::neighbour(Subject::Setting, "directory.embedded.file", Kind::FileUnwritable, &fault)
}

/// The embedded directory makes its own containers: nobody else administers it.
async fn embedded(config: &Config) -> Result<EmbeddedDirectory, NotWired> {
    let file = &config.directory.embedded.file;
    if let Some(folder) = file.parent() {
        make_folder("directory.embedded.file", folder)?;
    }
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

fn ad_settings(config: &Config) -> Result<AdSettings, Faults> {
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
        photos: config.card.photos.is_some(),
    })
}

/// The commands that give Kimlik's account exactly the rights that it needs.
pub fn delegation(config: &Config, account: &str, exchange: bool) -> Result<String, Faults> {
    Ok(delegation_commands(&ad_settings(config)?, account, exchange))
}
