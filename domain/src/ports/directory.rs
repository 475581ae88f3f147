//! Accounts, wherever they live.
use super::PortResult;
use crate::account::{AccountRef, Change, Dn, LedgerName, NewAccount, ObservedAccount};
use crate::id::AccountGuid;
use async_trait::async_trait;
use std::collections::HashSet;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Where a scan by change numbers went on from: numbers of one controller only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watermark {
    /// invocationId of the controller: another one (or a restored one) means a full scan.
    pub source: String,
    /// Changes up to here were seen.
    pub usn: u64,
}

/// What a look-up asks for; any that matches is answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FindBy {
    pub employee_ids: Vec<Arc<str>>,
    pub usernames: Vec<Arc<str>>,
    /// Values of the configured correlation attribute; ignored where none is configured.
    pub correlations: Vec<Arc<str>>,
    pub display_names: Vec<Arc<str>>,
    pub distinguished_names: Vec<Dn>,
}

/// A scan in pages: memory does not grow with the directory.
#[async_trait]
pub trait Scan: Send {
    /// The next accounts (at most about 1,000), `None` at the end.
    async fn next_page(&mut self) -> PortResult<Option<Vec<ObservedAccount>>>;
    /// Read *before* the first page: what changes during the scan is seen by the next one.
    fn watermark(&self) -> Watermark;
    /// False: the watermark given did not fit this controller, and everything is being read.
    fn is_incremental(&self) -> bool;
}

/// What the directory can hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// The Exchange schema extension is there.
    pub exchange: bool,
}

/// Accounts of people under one base. Everything outside the base can be observed by GUID and is never written.
///
/// Reads go where the writes went: an implementation answers from the controller that took the last write.
#[async_trait]
pub trait Directory: Send + Sync {
    async fn capabilities(&self) -> PortResult<Capabilities>;
    /// OUs under the base (the base included): where accounts may be placed.
    async fn containers(&self) -> PortResult<HashSet<Dn>>;
    /// All user accounts under the base, or those that changed after `since`.
    async fn scan(&self, since: Option<&Watermark>) -> PortResult<Box<dyn Scan>>;
    /// By GUID, wherever they stand now; those that cannot be found are left out.
    async fn observe(&self, accounts: &[AccountGuid]) -> PortResult<Vec<ObservedAccount>>;
    /// Accounts under the base that match.
    async fn find(&self, by: &FindBy) -> PortResult<Vec<ObservedAccount>>;
    /// Which of `names` any object of the whole domain holds (sAMAccountName, UPN, mail, proxyAddresses).
    async fn names_taken(&self, names: &[LedgerName]) -> PortResult<HashSet<LedgerName>>;

    /// Of these addresses, those that any other object of the domain carries (mail, proxyAddresses).
    async fn addresses_of_others(&self, account: AccountGuid, addresses: &[Arc<str>]) -> PortResult<HashSet<Arc<str>>>;

    /// Creates it disabled, without a password. `Refused(NameTaken)`: the user name or UPN is somebody's.
    async fn create(&self, new: &NewAccount) -> PortResult<AccountRef>;
    /// Sets it without the old one. The text is used once and must not be kept.
    async fn set_password(&self, account: &AccountRef, password: &Zeroizing<String>) -> PortResult<()>;
    /// All changes or none. `Refused(Changed)` where the directory holds another value than `from`.
    async fn modify(&self, account: &AccountRef, changes: &[Change]) -> PortResult<()>;
    /// Sets thumbnailPhoto, or takes it away. `from`: the tag of what is to stand there before; `Refused(Changed)` where it is another.
    /// `Refused(Value)`: the directory takes no such photo.
    async fn set_photo(&self, account: &AccountRef, octets: Option<&[u8]>, from: Option<&str>) -> PortResult<()>;
    /// Touches the disabling flag only. Enabling what is enabled (disabling likewise) succeeds.
    async fn set_enabled(&self, account: &AccountRef, enabled: bool) -> PortResult<()>;
    /// A member already there succeeds.
    async fn join_group(&self, account: &AccountRef, group: &Dn) -> PortResult<()>;
    /// No member, or no such group: succeeds.
    async fn leave_group(&self, account: &AccountRef, group: &Dn) -> PortResult<()>;
    /// Moves under `ou` with common name `cn`; where the OU holds that name already, with ` 2`, ` 3`, … behind it.
    /// Answers where it stands now. Already there: succeeds.
    async fn move_to(&self, account: &AccountRef, ou: &Dn, cn: &str) -> PortResult<Dn>;
}
