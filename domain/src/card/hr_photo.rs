//! HR's photos: files that HR's records name. They are looked through when they change, and written by the plan as every other value
//! of a card, by a tag of their octets.
use super::photo::PhotoKind;
use crate::ports::{KeptPhoto, PhotoFiles, PhotoShelf, PortError, PortResult};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// rangeUpper of thumbnailPhoto, in octets.
pub const MOST: usize = 102_400;
/// Files told to the store at once. Their octets are in memory one by one.
const AT_ONCE: usize = 500;

/// A file that HR's records may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhotoFile {
    pub name: Arc<str>,
    /// Another one whenever the file is another: when it was changed, and how large it is.
    pub stamp: Arc<str>,
    /// In octets.
    pub size: u64,
}

/// The file that HR's word for a photo means: its name or, of an address, the name at its end. Why not fetched: what HR writes would have
/// Kimlik ask any server that it can reach.
pub fn file_of(photo: &str) -> &str {
    if !photo.starts_with("https://") && !photo.starts_with("http://") {
        return photo;
    }
    let path = photo.split(['?', '#']).next().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default()
}

/// What was found in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShelvedPhoto {
    pub name: Arc<str>,
    pub stamp: Arc<str>,
    /// The tag of the photo.
    pub found: Result<Box<str>, PhotoFault>,
}

/// Why HR's photo of somebody cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhotoFault {
    /// More octets than the directory takes.
    TooLarge,
    /// Neither JPEG nor PNG.
    NoPicture,
    /// There is no file of that name.
    Missing,
}

impl PhotoFault {
    pub const fn told(self) -> &'static str {
        match self {
            PhotoFault::TooLarge => "the photo is larger than the 102,400 octets that the address book takes",
            PhotoFault::NoPicture => "the photo is neither a JPEG nor a PNG picture",
            PhotoFault::Missing => "the photo that HR names is not in the folder of photos",
        }
    }
}

/// What is known of a person's photo. The default: nothing (yet), so that nothing is done about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PhotoWish {
    /// The tag of HR's photo; `None`: HR names none that can be written.
    pub wanted: Option<Arc<str>>,
    /// The tag of what the directory held when it was last read.
    pub held: Option<Arc<str>>,
    pub fault: Option<PhotoFault>,
}

/// Takes in what has changed in the folder.
#[derive(Default)]
pub struct Taker {
    /// Files that were others when last looked at, and how. Why: a file that is still being copied is another each time.
    restless: HashMap<Arc<str>, Arc<str>>,
}

impl Taker {
    /// Brings the shelf to where the folder is; where something is new, a run over everybody is asked for. A file is read when it was
    /// the same twice. Answers how many files were read or are gone.
    pub async fn take_in(&mut self, files: &dyn PhotoFiles, shelf: &dyn PhotoShelf) -> PortResult<usize> {
        let there = files.list().await?;
        let known: HashMap<Arc<str>, Arc<str>> = shelf.shelved().await?.into_iter().collect();
        if there.is_empty() && !known.is_empty() {
            // Why: a folder that is not mounted is empty too, and everybody's photo would be said to be missing.
            return Err(PortError::Unavailable("the folder of photos is empty, and was not".into()));
        }
        let other: Vec<&PhotoFile> = there.iter().filter(|file| known.get(&file.name) != Some(&file.stamp)).collect();
        let (at_rest, restless): (Vec<&PhotoFile>, Vec<&PhotoFile>) =
            other.into_iter().partition(|file| self.restless.get(&file.name) == Some(&file.stamp));
        let mut taken = 0;
        for some in at_rest.chunks(AT_ONCE) {
            let mut read = Vec::with_capacity(some.len());
            for file in some {
                // Why no fault of all: the others are read, and this one is tried again the next time.
                read.extend(looked_through(files, file).await.unwrap_or_default());
            }
            taken += read.len();
            shelf.shelve(&read, &[]).await?;
        }
        let names: HashSet<&str> = there.iter().map(|file| &*file.name).collect();
        let gone: Vec<Arc<str>> = known.into_keys().filter(|name| !names.contains(&**name)).collect();
        if !gone.is_empty() {
            shelf.shelve(&[], &gone).await?;
        }
        self.restless = restless.into_iter().map(|file| (file.name.clone(), file.stamp.clone())).collect();
        Ok(taken + gone.len())
    }

    /// Is there a file that has to be looked at again soon?
    pub fn is_waiting(&self) -> bool {
        !self.restless.is_empty()
    }
}

/// `None`: it was taken away a moment ago, and is gone the next time.
async fn looked_through(files: &dyn PhotoFiles, file: &PhotoFile) -> PortResult<Option<ShelvedPhoto>> {
    let found = if file.size > MOST as u64 { Some(Err(PhotoFault::TooLarge)) } else { files.read(&file.name).await?.map(judged) };
    Ok(found.map(|found| ShelvedPhoto { name: file.name.clone(), stamp: file.stamp.clone(), found }))
}

fn judged(photo: KeptPhoto) -> Result<Box<str>, PhotoFault> {
    match PhotoKind::of(&photo.octets) {
        _ if photo.octets.len() > MOST => Err(PhotoFault::TooLarge),
        None => Err(PhotoFault::NoPicture),
        Some(_) => Ok(photo.tag),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_the_name_at_its_end_is_the_file() {
        let cases = [
            ("s1.jpg", "s1.jpg"),
            ("../s1.jpg", "../s1.jpg"),
            ("https://ik.csb.test/foto/s1.jpg?v=3#x", "s1.jpg"),
            ("http://ik.csb.test/s1.jpg", "s1.jpg"),
            ("https://ik.csb.test/foto/", ""),
            ("https://", ""),
        ];
        for (photo, file) in cases {
            assert_eq!(file_of(photo), file, "{photo}");
        }
    }
}
