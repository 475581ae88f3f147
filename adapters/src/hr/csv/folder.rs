//! The folder itself: which files are deliveries, in which order, and where they go afterwards.
use chrono::{DateTime, Utc};
use kimlik_domain::ports::{PortError, PortResult};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Units,
    Full,
    Delta,
}

/// What tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    pub size: u64,
    pub changed: DateTime<Utc>,
}

pub struct Seen {
    pub state: State,
    pub since: DateTime<Utc>,
}

pub struct Drop {
    pub kind: Kind,
    pub stamp: String,
    pub name: String,
    pub path: PathBuf,
    pub state: State,
}

pub fn unavailable(path: &Path, error: &io::Error) -> PortError {
    PortError::Unavailable(format!("{}: {error}", path.display()))
}

/// `staff-delta-20261201T0600.csv` -> (Delta, `20261201T0600`)
fn parse(name: &str) -> Option<(Kind, &str)> {
    let stem = name.strip_suffix(".csv").or_else(|| name.strip_suffix(".CSV"))?;
    let kinds = [("units-", Kind::Units), ("staff-full-", Kind::Full), ("staff-delta-", Kind::Delta)];
    kinds.iter().find_map(|(prefix, kind)| stem.strip_prefix(prefix).map(|stamp| (*kind, stamp))).filter(|(_, stamp)| !stamp.is_empty())
}

pub fn state(path: &Path) -> io::Result<State> {
    let about = std::fs::metadata(path)?;
    Ok(State { size: about.len(), changed: about.modified()?.into() })
}

/// The deliveries that lie there: units, then staff by stamp, of one stamp the snapshot before the delta.
pub fn files(path: &Path) -> PortResult<Vec<Drop>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(|error| unavailable(path, &error))? {
        let entry = entry.map_err(|error| unavailable(path, &error))?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let Some((kind, stamp)) = parse(&name) else { continue };
        match state(&entry.path()) {
            Ok(_) if entry.path().is_dir() => {}
            Ok(state) => files.push(Drop { kind, stamp: stamp.to_owned(), path: entry.path(), state, name }),
            // Taken away while we looked.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(unavailable(&entry.path(), &error)),
        }
    }
    files.sort_by(|a, b| (a.kind != Kind::Units, &a.stamp, a.kind, &a.name).cmp(&(b.kind != Kind::Units, &b.stamp, b.kind, &b.name)));
    Ok(files)
}

/// A place in `folder` (made if it is not there) that no earlier file of that name has.
pub fn free_place(folder: &Path, name: &str) -> PortResult<PathBuf> {
    std::fs::create_dir_all(folder).map_err(|error| unavailable(folder, &error))?;
    let numbered = (2..).map(|n| folder.join(format!("{name}.{n}")));
    let free = std::iter::once(folder.join(name)).chain(numbered).find(|place| !place.exists());
    Ok(free.unwrap_or_else(|| folder.join(name)))
}

/// The stamps that were taken in last: `units=…;staff=…`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    units: String,
    staff: String,
}

impl Taken {
    pub fn parse(position: &str) -> Taken {
        let value = |key: &str| position.split(';').find_map(|part| part.strip_prefix(key)).unwrap_or_default().to_owned();
        Taken { units: value("units="), staff: value("staff=") }
    }
    pub fn with(mut self, file: &Drop) -> Taken {
        let stamp = if file.kind == Kind::Units { &mut self.units } else { &mut self.staff };
        *stamp = file.stamp.replace(';', "_");
        self
    }
    /// The stamp that was taken in already and is later than this file's: it came too late to say anything.
    /// The same stamp is no later one: a mended file may come under its old name.
    pub fn later_than(&self, file: &Drop) -> Option<&str> {
        let taken = if file.kind == Kind::Units { &self.units } else { &self.staff };
        // Why of one length: stamps of another make cannot be compared.
        (taken.len() == file.stamp.len() && *taken > file.stamp).then_some(taken.as_str())
    }
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "units={};staff={}", self.units, self.staff)
    }
}
