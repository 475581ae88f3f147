//! thumbnailPhoto: whose may have changed, by change numbers, and the photos of some, in one question.
use super::connection::Link;
use super::entry::Entry;
use super::write::{by_guid, one};
use super::{ActiveDirectory, Core, codes, filter};
use crate::tag;
use async_trait::async_trait;
use kimlik_domain::account::AccountRef;
use kimlik_domain::id::AccountGuid;
use kimlik_domain::ports::{PhotoNews, Photos, PortError, PortResult, Refusal, Watermark};
use ldap3::{Mod, Scope};

const PHOTO: &str = "thumbnailPhoto";

impl Core {
    /// The octets that stand there are read and taken away by their value, so that the directory itself refuses where somebody has
    /// set another photo meanwhile.
    pub(super) async fn set_photo(&self, account: &AccountRef, octets: Option<&[u8]>, from: Option<&str>) -> PortResult<()> {
        self.ours(account)?;
        let place = by_guid(account.guid);
        let Some(entry) = self.connection.read(&place, "(objectClass=*)", &[PHOTO]).await? else {
            return Err(PortError::refused(Refusal::NotFound, "set the photo: there is no such account"));
        };
        let held = entry.octets(PHOTO);
        if held.map(tag::of).as_deref() != from {
            return Err(PortError::refused(Refusal::Changed, "another photo stands there by now"));
        }
        if held == octets {
            return Ok(());
        }
        let name = || PHOTO.as_bytes().to_vec();
        let mut exchange = Vec::with_capacity(2);
        exchange.extend(held.map(|held| Mod::Delete(name(), one(held.to_vec()))));
        exchange.extend(octets.map(|octets| Mod::Add(name(), one(octets.to_vec()))));
        let result = self.connection.modify(&place, &exchange).await?;
        if result.rc == 0 { Ok(()) } else { Err(codes::of_write("set the photo", &result)) }
    }

    /// People's accounts that match; nothing of them is read but their GUIDs. On one connection: change numbers are one controller's.
    async fn guids(&self, link: &Link, and: &str) -> PortResult<Vec<AccountGuid>> {
        let (mut found, mut cookie) = (Vec::new(), Vec::new());
        loop {
            let base = self.settings.base.as_str();
            let (entries, next) = self.connection.page(link, base, Scope::Subtree, &filter::people(and), &["objectGUID"], cookie).await?;
            found.extend(entries.into_iter().filter_map(|entry| Entry::new(entry).dn().guid));
            match next {
                Some(next) => cookie = next,
                None => return Ok(found),
            }
        }
    }
}

#[async_trait]
impl Photos for ActiveDirectory {
    async fn photo_news(&self, since: Option<&Watermark>) -> PortResult<PhotoNews> {
        let core = &self.core;
        let (link, watermark) = core.watermark().await?;
        let since = since.filter(|s| s.source == watermark.source && s.usn <= watermark.usn);
        let changed = since.map_or(String::new(), |since| format!("(uSNChanged>={})", since.usn + 1));
        let with = core.guids(&link, &format!("{changed}({PHOTO}=*)")).await?;
        let without = match since {
            Some(_) => core.guids(&link, &format!("{changed}(!({PHOTO}=*))")).await?,
            None => Vec::new(),
        };
        Ok(PhotoNews { watermark, is_incremental: since.is_some(), with, without })
    }

    async fn photos(&self, accounts: &[AccountGuid]) -> PortResult<Vec<(AccountGuid, Vec<u8>)>> {
        let core = &self.core;
        let mut photos = Vec::new();
        for accounts in accounts.chunks(filter::TERMS) {
            let terms: Vec<String> = accounts.iter().map(|guid| filter::guid_is(*guid)).collect();
            let found = core.connection.search(core.settings.base.as_str(), Scope::Subtree, &filter::any(&terms), &[PHOTO]).await?;
            photos.extend(found.iter().filter_map(|entry| Some((entry.dn().guid?, entry.octets(PHOTO)?.to_vec()))));
        }
        Ok(photos)
    }
}
