//! A real Active Directory (or Samba AD DC) over LDAPS, with the rights of a delegated account and no more.
//! Decides how the port's promises are kept on the wire; what is done to whom is decided in the domain.
mod certificate;
mod codes;
mod connection;
mod delegation;
mod entry;
mod filter;
mod inspect;
mod membership;
mod password;
mod photo;
mod protected;
mod read;
mod schema;
mod settings;
mod sign_in;
mod write;

pub use delegation::{Written, delegation_commands, delegation_sddl};
pub use settings::{AdSettings, SettingsFault};

use async_trait::async_trait;
use connection::Connection;
use kimlik_domain::account::{AccountRef, Attribute, Change, Dn, LedgerName, NewAccount, ObservedAccount};
use kimlik_domain::health::Finding;
use kimlik_domain::id::AccountGuid;
use kimlik_domain::ports::{Capabilities, Clock, Directory, FindBy, Inspect, PortError, PortResult, Scan, Watermark};
use rustls::RootCertStore;
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

/// Cheap to copy; all copies share one connection.
#[derive(Clone)]
pub struct ActiveDirectory {
    core: Arc<Core>,
}

struct Core {
    settings: Arc<AdSettings>,
    roots: Arc<RootCertStore>,
    connection: Connection,
    clock: Arc<dyn Clock>,
    domain: OnceCell<Domain>,
    /// Kept once it is there: a schema extension is never taken back.
    exchange: OnceCell<()>,
    watch: protected::Watch,
    memberships: membership::Memberships,
}

/// What the controller says of itself.
struct Domain {
    root: String,
    schema: String,
}

impl ActiveDirectory {
    /// Checks the settings; connects at the first operation only.
    pub fn new(settings: AdSettings, clock: Arc<dyn Clock>) -> Result<ActiveDirectory, SettingsFault> {
        settings.check()?;
        let roots = settings.roots()?;
        let tls = settings::tls(roots.clone())?;
        let settings = Arc::new(settings);
        let connection = Connection::new(settings.clone(), tls);
        let (domain, exchange) = (OnceCell::new(), OnceCell::new());
        let (watch, memberships) = Default::default();
        let core = Core { settings, roots, connection, clock, domain, exchange, watch, memberships };
        Ok(ActiveDirectory { core: Arc::new(core) })
    }
}

impl Core {
    async fn domain(&self) -> PortResult<&Domain> {
        self.domain
            .get_or_try_init(|| async {
                let root = self.connection.read("", "(objectClass=*)", &["defaultNamingContext", "schemaNamingContext"]).await?;
                let text = |name| root.as_ref().and_then(|e| e.text(name)).map(str::to_owned);
                match (text("defaultNamingContext"), text("schemaNamingContext")) {
                    (Some(root), Some(schema)) => Ok(Domain { root, schema }),
                    _ => Err(PortError::Unavailable("the controller does not name its domain".into())),
                }
            })
            .await
    }

    async fn has_exchange(&self) -> PortResult<bool> {
        if self.exchange.initialized() {
            return Ok(true);
        }
        let names: Vec<&str> = Attribute::ALL.iter().filter(|a| a.needs_exchange()).map(|a| a.ldap_name()).collect();
        let there = self.in_schema(&names).await?.len() == names.len();
        if there {
            self.exchange.get_or_init(|| async {}).await;
        }
        Ok(there)
    }
}

#[async_trait]
impl Directory for ActiveDirectory {
    async fn capabilities(&self) -> PortResult<Capabilities> {
        Ok(Capabilities { exchange: self.core.has_exchange().await? })
    }
    async fn containers(&self) -> PortResult<HashSet<Dn>> {
        self.core.containers().await
    }
    async fn scan(&self, since: Option<&Watermark>) -> PortResult<Box<dyn Scan>> {
        Ok(Box::new(read::Pages::begin(self.core.clone(), since).await?))
    }
    async fn observe(&self, accounts: &[AccountGuid]) -> PortResult<Vec<ObservedAccount>> {
        self.core.observe(accounts).await
    }
    async fn find(&self, by: &FindBy) -> PortResult<Vec<ObservedAccount>> {
        self.core.find(by).await
    }
    async fn names_taken(&self, names: &[LedgerName]) -> PortResult<HashSet<LedgerName>> {
        self.core.names_taken(names).await
    }
    async fn addresses_of_others(&self, account: AccountGuid, addresses: &[Arc<str>]) -> PortResult<HashSet<Arc<str>>> {
        self.core.addresses_of_others(account, addresses).await
    }
    async fn create(&self, new: &NewAccount) -> PortResult<AccountRef> {
        self.core.create(new).await
    }
    async fn set_password(&self, account: &AccountRef, password: &Zeroizing<String>) -> PortResult<()> {
        self.core.set_password(account, password).await
    }
    async fn modify(&self, account: &AccountRef, changes: &[Change]) -> PortResult<()> {
        self.core.modify(account, changes).await
    }
    async fn set_photo(&self, account: &AccountRef, octets: Option<&[u8]>, from: Option<&str>) -> PortResult<()> {
        self.core.set_photo(account, octets, from).await
    }
    async fn set_enabled(&self, account: &AccountRef, enabled: bool) -> PortResult<()> {
        self.core.set_enabled(account, enabled).await
    }
    async fn join_group(&self, account: &AccountRef, group: &Dn) -> PortResult<()> {
        self.core.join_group(account, group).await
    }
    async fn leave_group(&self, account: &AccountRef, group: &Dn) -> PortResult<()> {
        self.core.leave_group(account, group).await
    }
    async fn move_to(&self, account: &AccountRef, ou: &Dn, cn: &str) -> PortResult<Dn> {
        self.core.move_to(account, ou, cn).await
    }
}

#[async_trait]
impl Inspect for ActiveDirectory {
    async fn inspect(&self) -> Vec<Finding> {
        inspect::all(&self.core).await
    }
}
