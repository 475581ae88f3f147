//! A directory whose answers cannot be relied on: at chance a call is not reached, or is carried out and never answered.
//! What it says is what a real one says in an outage; what it holds is real.
use async_trait::async_trait;
use kimlik_domain::account::{AccountRef, Change, Dn, LedgerName, NewAccount, ObservedAccount};
use kimlik_domain::id::AccountGuid;
use kimlik_domain::ports::{Capabilities, Directory, FindBy, PortError, PortResult, Scan, Watermark};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

pub struct Flaky {
    inner: Arc<dyn Directory>,
    dice: AtomicU64,
    /// Of a thousand writes, how many go wrong.
    permille: AtomicU32,
    /// How many calls went wrong.
    pub faults: AtomicU32,
    away: AtomicBool,
    /// What every modification is answered, none of them carried out.
    refusal: Mutex<Option<PortError>>,
}

enum Fate {
    Well,
    NotReached,
    /// Done, and the answer lost.
    DoneUnsaid,
    /// Not done, and nobody can tell.
    Undone,
}

impl Flaky {
    pub fn new(inner: Arc<dyn Directory>, seed: u64) -> Flaky {
        Flaky { inner, dice: seed.into(), permille: 0.into(), faults: 0.into(), away: false.into(), refusal: Mutex::default() }
    }
    pub fn go_wrong(&self, permille: u32) {
        self.permille.store(permille, Ordering::SeqCst);
    }
    /// Nothing is reached any more, or again.
    pub fn be_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }
    /// From now on; `None`: as before.
    pub fn refuse(&self, refusal: Option<PortError>) {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = refusal;
    }
    fn fate(&self) -> Fate {
        if self.away.load(Ordering::SeqCst) {
            return Fate::NotReached;
        }
        let mut z = self.dice.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::SeqCst);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        if z % 1_000 >= u64::from(self.permille.load(Ordering::SeqCst)) {
            return Fate::Well;
        }
        self.faults.fetch_add(1, Ordering::SeqCst);
        match (z >> 32) % 3 {
            0 => Fate::NotReached,
            1 => Fate::DoneUnsaid,
            _ => Fate::Undone,
        }
    }
    fn read(&self) -> PortResult<()> {
        match self.fate() {
            Fate::Well | Fate::DoneUnsaid => Ok(()),
            _ => Err(PortError::Unavailable("the line is down".into())),
        }
    }
    async fn write<T>(&self, deed: impl Future<Output = PortResult<T>>) -> PortResult<T> {
        match self.fate() {
            Fate::Well => deed.await,
            Fate::NotReached => Err(PortError::Unavailable("the line is down".into())),
            Fate::DoneUnsaid => {
                deed.await.ok();
                Err(PortError::InDoubt("no answer came".into()))
            }
            Fate::Undone => Err(PortError::InDoubt("no answer came".into())),
        }
    }
}

#[async_trait]
impl Directory for Flaky {
    async fn capabilities(&self) -> PortResult<Capabilities> {
        self.inner.capabilities().await
    }
    async fn containers(&self) -> PortResult<HashSet<Dn>> {
        self.read()?;
        self.inner.containers().await
    }
    async fn scan(&self, since: Option<&Watermark>) -> PortResult<Box<dyn Scan>> {
        self.read()?;
        self.inner.scan(since).await
    }
    async fn observe(&self, accounts: &[AccountGuid]) -> PortResult<Vec<ObservedAccount>> {
        self.read()?;
        self.inner.observe(accounts).await
    }
    async fn find(&self, by: &FindBy) -> PortResult<Vec<ObservedAccount>> {
        self.read()?;
        self.inner.find(by).await
    }
    async fn names_taken(&self, names: &[LedgerName]) -> PortResult<HashSet<LedgerName>> {
        self.read()?;
        self.inner.names_taken(names).await
    }
    async fn addresses_of_others(&self, account: AccountGuid, addresses: &[Arc<str>]) -> PortResult<HashSet<Arc<str>>> {
        self.read()?;
        self.inner.addresses_of_others(account, addresses).await
    }
    async fn create(&self, new: &NewAccount) -> PortResult<AccountRef> {
        self.write(self.inner.create(new)).await
    }
    async fn set_password(&self, account: &AccountRef, password: &Zeroizing<String>) -> PortResult<()> {
        self.write(self.inner.set_password(account, password)).await
    }
    async fn modify(&self, account: &AccountRef, changes: &[Change]) -> PortResult<()> {
        let refusal = self.refusal.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match refusal {
            Some(refusal) => Err(refusal),
            None => self.write(self.inner.modify(account, changes)).await,
        }
    }
    async fn set_photo(&self, account: &AccountRef, octets: Option<&[u8]>, from: Option<&str>) -> PortResult<()> {
        self.write(self.inner.set_photo(account, octets, from)).await
    }
    async fn set_enabled(&self, account: &AccountRef, enabled: bool) -> PortResult<()> {
        self.write(self.inner.set_enabled(account, enabled)).await
    }
    async fn join_group(&self, account: &AccountRef, group: &Dn) -> PortResult<()> {
        self.write(self.inner.join_group(account, group)).await
    }
    async fn leave_group(&self, account: &AccountRef, group: &Dn) -> PortResult<()> {
        self.write(self.inner.leave_group(account, group)).await
    }
    async fn move_to(&self, account: &AccountRef, ou: &Dn, cn: &str) -> PortResult<Dn> {
        self.write(self.inner.move_to(account, ou, cn)).await
    }
}
