//! Photos: the directory has them, the store keeps what was read.
use super::{PortResult, Watermark};
use crate::card::hr_photo::{PhotoFile, ShelvedPhoto};
use crate::id::{AccountGuid, PersonId};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// Whose photos may have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhotoNews {
    /// Read before anything else: what changes meanwhile is told the next time.
    pub watermark: Watermark,
    /// False: the watermark given did not fit, and everybody is told of.
    pub is_incremental: bool,
    /// Accounts with a photo.
    pub with: Vec<AccountGuid>,
    /// Accounts without one; of an incremental answer only.
    pub without: Vec<AccountGuid>,
}

/// Photos in the directory (thumbnailPhoto) of accounts under the base. They are written by [`super::Directory`].
#[async_trait]
pub trait Photos: Send + Sync {
    /// Of accounts that changed after `since`, whatever of them; of all, without it. Reads no photo.
    async fn photo_news(&self, since: Option<&Watermark>) -> PortResult<PhotoNews>;
    /// Those that have none, or are not there, are left out. One question, however many.
    async fn photos(&self, accounts: &[AccountGuid]) -> PortResult<Vec<(AccountGuid, Vec<u8>)>>;
}

/// A photo that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptPhoto {
    pub octets: Vec<u8>,
    /// Of its octets: another photo has another tag. Letters and digits.
    pub tag: Box<str>,
}

/// Photos that are kept, by account, and how far the directory was read.
#[async_trait]
pub trait PhotoBook: Send + Sync {
    async fn photo_mark(&self) -> PortResult<Option<Watermark>>;
    /// The first one asks for a run over everybody, where HR's photos are written.
    async fn save_photo_mark(&self, mark: &Watermark) -> PortResult<()>;
    async fn photo_accounts(&self) -> PortResult<Vec<AccountGuid>>;
    /// Keeps these, and forgets those of `without`. Whose photo is another one has another card and, where HR's photos are written, is
    /// to be looked at from `wake` on.
    async fn keep_photos(&self, photos: &[(AccountGuid, Vec<u8>)], without: &[AccountGuid], wake: Option<DateTime<Utc>>) -> PortResult<()>;
    async fn photo_of(&self, person: PersonId) -> PortResult<Option<KeptPhoto>>;
}

/// The files of HR's photos, by the names that HR's records give them.
#[async_trait]
pub trait PhotoFiles: Send + Sync {
    /// Those of the folder itself, in no order.
    async fn list(&self) -> PortResult<Vec<PhotoFile>>;
    /// At most as much of it as a photo may have, and an octet more. `None`: there is no such file (any more).
    async fn read(&self, name: &str) -> PortResult<Option<KeptPhoto>>;
}

/// What was found in the files of HR's photos.
#[async_trait]
pub trait PhotoShelf: Send + Sync {
    /// Name and stamp of every file that was looked through.
    async fn shelved(&self) -> PortResult<Vec<(Arc<str>, Arc<str>)>>;
    /// Keeps these, forgets those that are gone, and asks for a run over everybody.
    async fn shelve(&self, files: &[ShelvedPhoto], gone: &[Arc<str>]) -> PortResult<()>;
}
