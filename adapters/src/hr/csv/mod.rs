//! HR's files in a drop folder: units first, then staff in the order of the stamps; read when complete, put away when taken in.
//!
//! Only what cannot be split into cells is refused here; what the cells mean is decided by the roster.
mod folder;
mod report;
mod table;
mod text;
mod write_back;

use super::names::FieldNames;
use async_trait::async_trait;
use chrono::Duration;
use folder::{Kind, Seen};
use kimlik_domain::ports::{Clock, HrFeed, PortError, PortResult};
use kimlik_domain::staff::feed::{BrokenRow, Content, Delivery, Field};
use kimlik_domain::staff::intake::FeedReport;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use table::Table;

/// A file that has not grown for so long is complete.
const REST: Duration = Duration::seconds(5);
/// 100,000 people take about 40 MB.
const LARGEST: u64 = 512 * 1024 * 1024;

pub struct DropFolder {
    path: PathBuf,
    names: FieldNames,
    largest: u64,
    clock: Arc<dyn Clock>,
    /// Files as they were when looked at last, and when they were first seen so.
    resting: Mutex<HashMap<String, Seen>>,
    /// Files that were handed out, as they were: another file of that name is not put away for them.
    handed: Mutex<HashMap<String, Handed>>,
}

#[derive(Clone, Copy)]
struct Handed {
    state: folder::State,
    unreadable: bool,
}

impl DropFolder {
    /// `field_names`: other names of columns than the contract's.
    pub fn new(path: impl Into<PathBuf>, field_names: &HashMap<String, Field>, clock: Arc<dyn Clock>) -> DropFolder {
        let names = FieldNames::new(field_names);
        DropFolder { path: path.into(), names, largest: LARGEST, clock, resting: Mutex::default(), handed: Mutex::default() }
    }

    /// Larger files than `octets` are refused.
    pub fn with_largest_file(mut self, octets: u64) -> DropFolder {
        self.largest = octets;
        self
    }

    /// The first file in order, if it rests. Why not a later one that does: a delta must not overtake the snapshot before it.
    fn next_file(&self) -> PortResult<Option<folder::Drop>> {
        Ok(self.first_file()?.filter(|(_, rests)| *rests).map(|(file, _)| file))
    }

    fn first_file(&self) -> PortResult<Option<(folder::Drop, bool)>> {
        let files = folder::files(&self.path)?;
        let now = self.clock.now();
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = |file: &folder::Drop| {
            let before = resting.get(&file.name).filter(|seen| seen.state == file.state).map(|seen| seen.since);
            // A file whose last change lies back was complete before anybody looked.
            (file.name.clone(), Seen { state: file.state, since: before.unwrap_or(now.min(file.state.changed)) })
        };
        *resting = files.iter().map(seen).collect();
        let rests = |file: &folder::Drop| resting.get(&file.name).is_some_and(|seen| now - seen.since >= REST);
        Ok(files.into_iter().next().map(|file| {
            let rests = rests(&file);
            (file, rests)
        }))
    }

    fn deliver(&self, file: folder::Drop, taken: folder::Taken) -> PortResult<Delivery> {
        let late = taken.later_than(&file);
        let read = match late {
            Some(later) => Err(format!("is older than {later}, which was taken in already")),
            None if file.state.size > self.largest => Err(format!("has {} octets; the limit is {}", file.state.size, self.largest)),
            None => {
                let octets = std::fs::read(&file.path).map_err(|error| folder::unavailable(&file.path, &error))?;
                let key = if file.kind == Kind::Units { Field::Code } else { Field::RegistryNo };
                table::read(&octets, key, &self.names)
            }
        };
        let unreadable = read.is_err();
        let Table { rows, broken } = read.unwrap_or_else(|reason| Table {
            rows: Vec::new(),
            broken: vec![BrokenRow { line: 1, reason: format!("{} {reason}", file.name) }],
        });
        let position = if unreadable { taken } else { taken.with(&file) }.to_string();
        let handed = Handed { state: file.state, unreadable };
        self.handed.lock().unwrap_or_else(PoisonError::into_inner).insert(file.name.clone(), handed);
        let content = match file.kind {
            Kind::Units => Content::Units(rows),
            Kind::Full => Content::Snapshot(rows),
            Kind::Delta => Content::Delta(rows),
        };
        Ok(Delivery { name: file.name, position, content, broken })
    }

    fn put_away(&self, delivery: &Delivery, report: &FeedReport) -> PortResult<()> {
        let handed = self.handed.lock().unwrap_or_else(PoisonError::into_inner).get(&delivery.name).copied();
        let from = self.path.join(&delivery.name);
        let Some(handed) = handed.filter(|handed| folder::state(&from).is_ok_and(|state| state == handed.state)) else {
            // It was put away before, or another file has taken its place: that one is read in its turn.
            return Ok(());
        };
        let refused = handed.unreadable || report.refused.is_some();
        let to = folder::free_place(&self.path.join(if refused { "rejected" } else { "done" }), &delivery.name)?;
        let text = report::text(delivery, report);
        if let Some(text) = text {
            // Why before the file: a file that was put away without its report would never get one.
            let beside = PathBuf::from(format!("{}.report.txt", to.display()));
            std::fs::write(&beside, text).map_err(|error| folder::unavailable(&beside, &error))?;
        }
        std::fs::rename(&from, &to).map_err(|error| folder::unavailable(&to, &error))?;
        self.handed.lock().unwrap_or_else(PoisonError::into_inner).remove(&delivery.name);
        Ok(())
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[async_trait]
impl HrFeed for DropFolder {
    fn name(&self) -> &str {
        "csv"
    }
    async fn poll(&self, position: Option<&str>) -> PortResult<Option<Delivery>> {
        let taken = folder::Taken::parse(position.unwrap_or_default());
        let look = || self.next_file()?.map(|file| self.deliver(file, taken)).transpose();
        blocking(look)
    }
    async fn unfinished(&self) -> PortResult<Option<String>> {
        Ok(blocking(|| self.first_file())?.filter(|(_, rests)| !rests).map(|(file, _)| file.name))
    }
    async fn taken(&self, delivery: &Delivery, report: &FeedReport) -> PortResult<()> {
        blocking(|| self.put_away(delivery, report))
    }
}

/// Files are read where they may block: elsewhere, if the runtime has an elsewhere.
fn blocking<T>(work: impl FnOnce() -> Result<T, PortError>) -> Result<T, PortError> {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}
