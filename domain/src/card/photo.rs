//! Photos of cards: what the directory holds as thumbnailPhoto, kept beside the cards, so that showing a card asks nobody.
use crate::id::AccountGuid;
use crate::ports::{PhotoBook, Photos, PortResult};
use chrono::{DateTime, Utc};
use std::collections::HashSet;

/// The kinds that are kept, and served as nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhotoKind {
    Jpeg,
    Png,
}

impl PhotoKind {
    /// By how the octets begin; `None`: it is neither, and no browser is sent it.
    pub fn of(octets: &[u8]) -> Option<PhotoKind> {
        match octets {
            [0xff, 0xd8, 0xff, ..] => Some(PhotoKind::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(PhotoKind::Png),
            _ => None,
        }
    }
    pub fn media_type(self) -> &'static str {
        match self {
            PhotoKind::Jpeg => "image/jpeg",
            PhotoKind::Png => "image/png",
        }
    }
}

/// Photos held in memory at once: 5 MB where each is as large as a directory takes.
const AT_ONCE: usize = 50;

/// Brings what is kept to where the directory is, and answers how many photos were read: those of accounts that changed, and of
/// nobody where nothing did. `whole`: also looks which accounts have one at all, so that those of accounts that are gone go too. Where
/// HR's photos are written, whose photo is another one is looked at by a run.
pub async fn look(directory: &dyn Photos, book: &dyn PhotoBook, whole: bool, now: DateTime<Utc>) -> PortResult<usize> {
    let mark = book.photo_mark().await?;
    // Why nobody the first time: a run over everybody is asked for in its place.
    let wake = mark.is_some().then_some(now);
    let news = directory.photo_news(mark.as_ref()).await?;
    let (mut wanted, mut without) = (news.with.clone(), news.without.clone());
    if whole || !news.is_incremental {
        // Why before the holders are asked for: what Kimlik writes meanwhile stands in the directory first.
        let kept: HashSet<AccountGuid> = book.photo_accounts().await?.into_iter().collect();
        let holders = if news.is_incremental { directory.photo_news(None).await?.with } else { news.with };
        let holders: HashSet<AccountGuid> = holders.into_iter().collect();
        without.extend(kept.difference(&holders));
        if news.is_incremental {
            let known: HashSet<AccountGuid> = wanted.iter().copied().chain(kept).collect();
            wanted.extend(holders.difference(&known));
        }
    }
    let mut read = 0;
    for accounts in wanted.chunks(AT_ONCE) {
        let found = directory.photos(accounts).await?;
        read += found.len();
        // Why also those that are not found: it was taken away a moment ago, or is nothing that can be shown.
        let (shown, mut none): (Vec<_>, HashSet<AccountGuid>) = (found, accounts.iter().copied().collect());
        let shown: Vec<_> = shown.into_iter().filter(|(_, octets)| PhotoKind::of(octets).is_some()).collect();
        for (account, _) in &shown {
            none.remove(account);
        }
        book.keep_photos(&shown, &none.into_iter().collect::<Vec<_>>(), wake).await?;
    }
    for accounts in without.chunks(1_000) {
        book.keep_photos(&[], accounts, wake).await?;
    }
    if mark.as_ref() != Some(&news.watermark) {
        book.save_photo_mark(&news.watermark).await?;
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pictures_that_a_browser_shows_are_photos() {
        assert_eq!(PhotoKind::of(b"\xff\xd8\xff\xe0rest"), Some(PhotoKind::Jpeg));
        assert_eq!(PhotoKind::of(b"\x89PNG\r\n\x1a\nrest"), Some(PhotoKind::Png));
        for octets in [&b""[..], b"<svg onload=alert(1)>", b"<html>", b"GIF89a", b"\xff\xd8"] {
            assert_eq!(PhotoKind::of(octets), None);
        }
    }
}
