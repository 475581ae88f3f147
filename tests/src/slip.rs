//! Directories that answer truly and at the wrong moment: somebody's hand between the plan and the write, a creation that
//! shows late.
use async_trait::async_trait;
use kimlik_adapters::directory::embedded::EmbeddedDirectory;
use kimlik_domain::account::{AccountRef, Attribute, Change, Dn, LedgerName, NewAccount, ObservedAccount, Value};
use kimlik_domain::id::AccountGuid;
use kimlik_domain::ports::{Capabilities, Directory, FindBy, PortError, PortResult, Scan, Watermark};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use zeroize::Zeroizing;

enum Trick {
    /// Before the first modification somebody gives the account another title.
    Hand(Arc<EmbeddedDirectory>, AccountGuid),
    /// The first creation is not answered, and shows in look-ups only after the next attempt.
    Late,
}

pub struct Slip {
    inner: Arc<dyn Directory>,
    trick: Trick,
    creations: AtomicU32,
    modifications: AtomicU32,
}

impl Slip {
    fn new(inner: Arc<dyn Directory>, trick: Trick) -> Slip {
        Slip { inner, trick, creations: 0.into(), modifications: 0.into() }
    }
    /// Somebody's hand is a moment before the first modification.
    pub fn hand(inner: Arc<dyn Directory>, hand: Arc<EmbeddedDirectory>, guid: AccountGuid) -> Slip {
        Slip::new(inner, Trick::Hand(hand, guid))
    }
    /// The first creation is done, not answered and not seen.
    pub fn late(inner: Arc<dyn Directory>) -> Slip {
        Slip::new(inner, Trick::Late)
    }
    fn is_hidden(&self) -> bool {
        matches!(self.trick, Trick::Late) && self.creations.load(Ordering::SeqCst) == 1
    }
}

#[async_trait]
impl Directory for Slip {
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
    async fn create(&self, new: &NewAccount) -> PortResult<AccountRef> {
        let first = self.creations.fetch_add(1, Ordering::SeqCst) == 0;
        let made = self.inner.create(new).await;
        if first && matches!(self.trick, Trick::Late) { Err(PortError::InDoubt("no answer came".into())) } else { made }
    }
    async fn modify(&self, account: &AccountRef, changes: &[Change]) -> PortResult<()> {
        let first = self.modifications.fetch_add(1, Ordering::SeqCst) == 0;
        if let Trick::Hand(hand, guid) = &self.trick
            && first
        {
            hand.hand_edit(*guid, Attribute::Title, Some(Value::text("Başkan"))).await?;
        }
        self.inner.modify(account, changes).await
    }
}
