//! A directory that answers truly, only later than one would wish.
use async_trait::async_trait;
use kimlik_domain::account::{AccountRef, Change, Dn, LedgerName, NewAccount, ObservedAccount};
use kimlik_domain::id::AccountGuid;
use kimlik_domain::ports::{Capabilities, Directory, FindBy, PortError, PortResult, Scan, Watermark};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use zeroize::Zeroizing;

/// The first creation is done, not answered, and shows in look-ups only after the next attempt.
pub struct Late {
    inner: Arc<dyn Directory>,
    creations: AtomicU32,
}

impl Late {
    pub fn new(inner: Arc<dyn Directory>) -> Late {
        Late { inner, creations: 0.into() }
    }
    fn is_hidden(&self) -> bool {
        self.creations.load(Ordering::SeqCst) == 1
    }
}

#[async_trait]
impl Directory for Late {
    async fn capabilities(&self) -> PortResult<Capabilities> {
        self.inner.capabilities().await
    }
    async fn containers(&self) -> PortResult<HashSet<Dn>> {
        self.inner.containers().await
    }
    async fn scan(&self, since: Option<&Watermark>) -> PortResult<Box<dyn Scan>> {
        self.inner.scan(since).await
    }
    async fn observe(&self, accounts: &[AccountGuid]) -> PortResult<Vec<ObservedAccount>> {
        self.inner.observe(accounts).await
    }
    async fn set_password(&self, account: &AccountRef, password: &Zeroizing<String>) -> PortResult<()> {
        self.inner.set_password(account, password).await
    }
    async fn set_photo(&self, account: &AccountRef, octets: Option<&[u8]>, from: Option<&str>) -> PortResult<()> {
        self.inner.set_photo(account, octets, from).await
    }
    async fn set_enabled(&self, account: &AccountRef, enabled: bool) -> PortResult<()> {
        self.inner.set_enabled(account, enabled).await
    }
    async fn join_group(&self, account: &AccountRef, group: &Dn) -> PortResult<()> {
        self.inner.join_group(account, group).await
    }
    async fn leave_group(&self, account: &AccountRef, group: &Dn) -> PortResult<()> {
        self.inner.leave_group(account, group).await
    }
    async fn move_to(&self, account: &AccountRef, ou: &Dn, cn: &str) -> PortResult<Dn> {
        self.inner.move_to(account, ou, cn).await
    }
    async fn find(&self, by: &FindBy) -> PortResult<Vec<ObservedAccount>> {
        if self.is_hidden() { Ok(Vec::new()) } else { self.inner.find(by).await }
    }
    async fn names_taken(&self, names: &[LedgerName]) -> PortResult<HashSet<LedgerName>> {
        if self.is_hidden() { Ok(HashSet::new()) } else { self.inner.names_taken(names).await }
    }
    async fn addresses_of_others(&self, account: AccountGuid, addresses: &[Arc<str>]) -> PortResult<HashSet<Arc<str>>> {
        self.inner.addresses_of_others(account, addresses).await
    }
    async fn create(&self, new: &NewAccount) -> PortResult<AccountRef> {
        let first = self.creations.fetch_add(1, Ordering::SeqCst) == 0;
        let made = self.inner.create(new).await;
        if first { Err(PortError::InDoubt("no answer came".into())) } else { made }
    }
    async fn modify(&self, account: &AccountRef, changes: &[Change]) -> PortResult<()> {
        self.inner.modify(account, changes).await
    }
}
