//! HR's photos in a folder: files by the names that HR's records give them.
use crate::tag;
use async_trait::async_trait;
use kimlik_domain::card::hr_photo::{MOST, PhotoFile};
use kimlik_domain::ports::{KeptPhoto, PhotoFiles, PortError, PortResult};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

pub struct PhotoFolder {
    path: PathBuf,
}

impl PhotoFolder {
    pub fn new(path: impl Into<PathBuf>) -> PhotoFolder {
        PhotoFolder { path: path.into() }
    }

    async fn ask<T: Send + 'static>(&self, ask: impl FnOnce(&Path) -> io::Result<T> + Send + 'static) -> PortResult<T> {
        let path = self.path.clone();
        let answer = tokio::task::spawn_blocking(move || ask(&path)).await.map_err(io::Error::other).flatten();
        answer.map_err(|fault| PortError::Unavailable(format!("{}: {fault}", self.path.display())))
    }
}

/// The files of the folder itself. Why no links: whoever may put files here may not show others to everybody.
fn list(folder: &Path) -> io::Result<Vec<PhotoFile>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (Ok(about), Ok(name)) = (entry.metadata(), entry.file_name().into_string()) else { continue };
        if !about.is_file() || name.starts_with('.') {
            continue;
        }
        let changed = about.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
        let stamp = format!("{}.{}", changed.as_nanos(), about.len());
        files.push(PhotoFile { name: name.into(), stamp: stamp.into(), size: about.len() });
    }
    Ok(files)
}

/// Why looked at what the name is made of: HR's word is not to lead out of the folder.
fn read(folder: &Path, name: &str) -> io::Result<Option<KeptPhoto>> {
    let mut parts = Path::new(name).components();
    let (Some(Component::Normal(_)), None) = (parts.next(), parts.next()) else { return Ok(None) };
    let mut how = std::fs::File::options();
    how.read(true);
    // Why told to the system and not looked at before: what was looked at may be another thing when it is opened. Why without waiting:
    // a pipe in a photo's place would be waited for without end.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut how, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let file = match how.open(folder.join(name)) {
        Ok(file) if file.metadata()?.is_file() => file,
        // ELOOP: it is a link.
        Err(fault) if fault.kind() != io::ErrorKind::NotFound && fault.raw_os_error() != Some(libc::ELOOP) => return Err(fault),
        _ => return Ok(None),
    };
    let mut octets = Vec::new();
    file.take(MOST as u64 + 1).read_to_end(&mut octets)?;
    let tag = tag::of(&octets).into();
    Ok(Some(KeptPhoto { octets, tag }))
}

#[async_trait]
impl PhotoFiles for PhotoFolder {
    async fn list(&self) -> PortResult<Vec<PhotoFile>> {
        self.ask(list).await
    }
    async fn read(&self, name: &str) -> PortResult<Option<KeptPhoto>> {
        let name = name.to_owned();
        self.ask(move |folder| read(folder, &name)).await
    }
}
