//! HR's photos in the directory: written by the plan as every other value, put right, and taken away only where they are Kimlik's.
use async_trait::async_trait;
use kimlik_adapters::directory::active_directory::ActiveDirectory;
use kimlik_adapters::hr::photos::PhotoFolder;
use kimlik_adapters::store::SqlStore;
use kimlik_adapters::system::SystemClock;
use kimlik_domain::account::{AccountState, Attribute};
use kimlik_domain::card::hr_photo::{PhotoFile, Taker};
use kimlik_domain::card::photo::look;
use kimlik_domain::card::truth::truth;
use kimlik_domain::lifecycle::ActionKind;
use kimlik_domain::lifecycle::policy::Policy;
use kimlik_domain::lifecycle::run::{OperationRecord, OperationStatus};
use kimlik_domain::ports::{Clock, KeptPhoto, OperationsOf, PhotoFiles, Photos, PortResult};
use kimlik_domain::staff::IssueKind;
use kimlik_tests::lab::Samba;
use kimlik_tests::ministry::{Ministry, STAFF_HEADER, keys, policy};
use kimlik_tests::scenario::Hr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tempfile::TempDir;

const FIRST: (&[u8], &str) = (b"\xff\xd8\xff\xe0 the rest of a picture", "/9j/4CB0aGUgcmVzdCBvZiBhIHBpY3R1cmU=");
const SECOND: (&[u8], &str) = (b"\x89PNG\r\n\x1a\n another", "iVBORw0KGgogYW5vdGhlcg==");

const ADDRESS: &str = "https://ik.csb.test/foto/a.jpg?v=3";

/// Counts what is read.
struct Counted {
    folder: PhotoFolder,
    reads: AtomicUsize,
}

#[async_trait]
impl PhotoFiles for Counted {
    async fn list(&self) -> PortResult<Vec<PhotoFile>> {
        self.folder.list().await
    }
    async fn read(&self, name: &str) -> PortResult<Option<KeptPhoto>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.folder.read(name).await
    }
}

/// A ministry whose HR gives photos.
struct Studio {
    ministry: Ministry,
    shelf: SqlStore,
    folder: TempDir,
    files: Arc<Counted>,
    taker: Taker,
    hr: Hr,
}

impl Studio {
    async fn of(mut ministry: Ministry) -> Studio {
        ministry.units().await;
        let path = format!("sqlite://{}", ministry.path().join("kimlik.db").display());
        let shelf = SqlStore::connect(&path, keys()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let files = Arc::new(Counted { folder: PhotoFolder::new(folder.path()), reads: 0.into() });
        ministry.reconciler.photos = Some(files.clone());
        Studio { ministry, shelf, folder, files, taker: Taker::default(), hr: Hr::default() }
    }

    fn put(&self, name: &str, octets: &[u8]) {
        std::fs::write(self.folder.path().join(name), octets).unwrap();
    }

    /// What is taken in at once, and when everything has rested.
    async fn take_in(&mut self) -> (usize, usize) {
        let mut take = async || self.taker.take_in(self.files.as_ref(), &self.shelf).await.unwrap();
        (take().await, take().await)
    }

    /// The registry number, more of the row, and the photo.
    async fn says(&mut self, people: &[(&str, &str, &str)]) {
        let row = |(number, more, photo): &(&str, &str, &str)| {
            let letters = "x".repeat(number[1..].parse().unwrap());
            let line = format!("{number}: given=Ali; family=Can{letters}; start=2026-11-01; unit=20000004; post=Memur; {more}");
            format!("{};{photo}", self.hr.says(&line).remove(0))
        };
        let rows: Vec<String> = people.iter().map(row).collect();
        let report = self.ministry.hr("staff-delta", &format!("{STAFF_HEADER};photo\n{}\n", rows.join("\n"))).await;
        assert_eq!((report.refused, report.rejected_rows), (None, 0), "{:?}", report.issues);
    }

    async fn look(&self, directory: &dyn Photos) {
        look(directory, &self.shelf, false, self.ministry.clock.now()).await.unwrap();
    }

    async fn at_rest(&self) {
        let before = self.files.reads.load(Ordering::Relaxed);
        let left = self.ministry.plan().await;
        assert!(left.people.iter().all(|p| p.is_empty()), "{}", left.text());
        self.ministry.sync().await;
        assert_eq!(self.files.reads.load(Ordering::Relaxed), before, "no photo is read where none has changed");
    }

    async fn is_unusable(&self, number: &str) -> bool {
        self.ministry.person(number).await.open_issues.contains(&IssueKind::PhotoUnusable)
    }
}

fn photos() -> Policy {
    Policy { photos: true, ..policy() }
}

/// As ldapsearch prints it.
fn photo(samba: &Samba, number: &str) -> Option<String> {
    let ldif = samba.ldapsearch("DC=csb,DC=test", &format!("(employeeID={number})"), &["thumbnailPhoto"]);
    ldif.lines().find_map(|line| line.strip_prefix("thumbnailPhoto:: ").map(str::to_owned))
}

fn link(folder: &Path) {
    std::os::unix::fs::symlink("/etc/passwd", folder.join("link.jpg")).unwrap();
}

#[tokio::test]
async fn photos_that_hr_names_are_written_put_right_and_taken_away_where_they_are_kimliks() {
    let samba = Samba::start();
    let controller = ActiveDirectory::new(samba.settings(), Arc::new(SystemClock)).unwrap();
    let mut s = Studio::of(Ministry::on_samba_with("2026-12-01", &samba, photos()).await).await;
    s.put("a.jpg", FIRST.0);
    s.put("gif.jpg", b"GIF89a");
    s.put("large.jpg", &[FIRST.0, &[7; 102_400]].concat());
    s.put(".hidden.jpg", FIRST.0);
    link(s.folder.path());
    assert_eq!(s.take_in().await, (0, 3), "a file that may still be written is not read");
    assert_eq!(s.take_in().await, (0, 0), "nothing is read twice");

    let named = ["a.jpg", "../a.jpg", "gif.jpg", "large.jpg", "", "nobody.jpg", "link.jpg", ".hidden.jpg", ADDRESS];
    let numbers: Vec<String> = (1..=named.len()).map(|n| format!("S00{n}")).collect();
    let people: Vec<(&str, &str, &str)> = numbers.iter().zip(named).map(|(number, photo)| (number.as_str(), "", photo)).collect();
    s.says(&people).await;
    s.ministry.sync().await;
    assert_eq!(photo(&samba, "S001").as_deref(), Some(FIRST.1));
    assert_eq!(photo(&samba, "S009").as_deref(), Some(FIRST.1), "of an address the name at its end counts");
    for (number, _, named) in &people {
        let record = s.ministry.person(number).await;
        assert_eq!(record.account.unwrap().state, AccountState::Active, "{number} works, whatever the photo");
        if !matches!(*named, "a.jpg" | ADDRESS) {
            assert_eq!(photo(&samba, number), None, "{number}");
        }
        assert_eq!(s.is_unusable(number).await, !matches!(*named, "a.jpg" | "" | ADDRESS), "{number}");
    }
    s.look(&controller).await;
    s.at_rest().await;

    s.put("a.jpg", SECOND.0);
    assert_eq!(s.take_in().await, (0, 1));
    assert!(s.ministry.store.full_run_due().await.unwrap().is_some(), "everybody is looked at");
    s.ministry.sync().await;
    assert_eq!(photo(&samba, "S001").as_deref(), Some(SECOND.1));
    s.look(&controller).await;
    s.at_rest().await;

    // Somebody puts another one there: it is found, told of, and put right.
    let record = s.ministry.person("S001").await;
    let (id, dn) = (record.person.id, record.account.unwrap().dn.unwrap());
    let by_hand = || samba.admin_modify(&format!("dn: {dn}\nchangetype: modify\nreplace: thumbnailPhoto\nthumbnailPhoto:: {}\n", FIRST.1));
    by_hand();
    let now = s.ministry.clock.now();
    s.ministry.store.claim(now, now, 1_000).await.unwrap();
    s.look(&controller).await;
    let now = s.ministry.clock.now();
    let woken = s.ministry.store.claim(now, now + chrono::TimeDelta::minutes(1), 1_000).await.unwrap();
    assert!(woken.iter().any(|claim| claim.person == id), "the owner is looked at: {woken:?}");
    s.ministry.store.release(&woken.into_iter().map(|claim| (claim, None)).collect::<Vec<_>>()).await.unwrap();
    let units = s.ministry.store.units().await.unwrap();
    let fields = truth(&s.ministry.reconciler, &s.shelf, &units, id).await.unwrap().unwrap().fields;
    let of_photo = fields.into_iter().find(|f| f.attribute == Attribute::Photo).unwrap();
    assert!(of_photo.differs.is_some() && of_photo.columns == ["photo"], "{of_photo:?}");
    s.ministry.sync().await;
    assert_eq!(photo(&samba, "S001").as_deref(), Some(SECOND.1));
    let operations = s.ministry.store.operations(OperationsOf::Person(id), None, 9).await.unwrap();
    let told = |o: &OperationRecord| o.because == "thumbnailPhoto changed by hand in the directory" && o.status == OperationStatus::Done;
    assert!(operations.iter().any(told), "{operations:?}");

    // HR's file is gone: what stands there stays, whoever put it there, and somebody is told.
    std::fs::rename(s.folder.path().join("a.jpg"), s.folder.path().join("b.jpg")).unwrap();
    assert_eq!(s.take_in().await, (1, 1));
    s.ministry.sync().await;
    assert!(s.is_unusable("S001").await);
    by_hand();
    s.look(&controller).await;
    s.at_rest().await;
    assert_eq!(photo(&samba, "S001").as_deref(), Some(FIRST.1));
    // HR names the file by its new name.
    s.says(&[("S001", "", "b.jpg")]).await;
    s.ministry.sync().await;
    assert_eq!(photo(&samba, "S001").as_deref(), Some(SECOND.1));
    assert!(!s.is_unusable("S001").await);

    // HR has none any more: Kimlik's own is taken away, and what somebody else puts there stays.
    s.says(&[("S001", "", "")]).await;
    s.ministry.sync().await;
    assert_eq!(photo(&samba, "S001"), None);
    by_hand();
    s.look(&controller).await;
    s.at_rest().await;
    assert_eq!(photo(&samba, "S001").as_deref(), Some(FIRST.1));

    // A leaver keeps the photo, which nobody is shown any more; a return has it still.
    s.says(&[("S001", "", "b.jpg")]).await;
    s.ministry.sync().await;
    s.says(&[("S001", "end=2026-11-30", "b.jpg")]).await;
    s.ministry.sync().await;
    assert_eq!(s.ministry.person("S001").await.account.unwrap().state, AccountState::Closed);
    assert_eq!(photo(&samba, "S001").as_deref(), Some(SECOND.1));
    s.look(&controller).await;
    s.at_rest().await;
}

#[tokio::test]
async fn a_photo_that_cannot_be_written_now_keeps_nobody_from_working_and_follows() {
    let mut s = Studio::of(Ministry::with("2026-12-01", photos()).await).await;
    let embedded = s.ministry.embedded.clone().unwrap();
    s.put("a.jpg", FIRST.0);
    s.take_in().await;
    // Another one by the time that it is written.
    s.put("a.jpg", SECOND.0);
    s.says(&[("S001", "", "a.jpg")]).await;
    s.ministry.sync().await;
    let record = s.ministry.person("S001").await;
    let account = record.account.unwrap();
    assert_eq!(account.state, AccountState::Active);
    assert!(!record.open_issues.contains(&IssueKind::DirectoryRefused), "{:?}", record.open_issues);
    assert!(embedded.photos(&[account.guid.unwrap()]).await.unwrap().is_empty(), "nothing is written that was not planned");
    let operations = s.ministry.store.operations(OperationsOf::Person(record.person.id), None, 9).await.unwrap();
    let opened: Vec<_> = operations.iter().filter(|o| o.kind == ActionKind::Open).map(|o| o.status).collect();
    assert_eq!(opened, [OperationStatus::Done], "an account without a photo is opened: {operations:?}");
    s.look(embedded.as_ref()).await;
    s.take_in().await;
    s.ministry.sync().await;
    let held = async || embedded.photos(&[account.guid.unwrap()]).await.unwrap().pop().map(|(_, octets)| octets);
    assert_eq!(held().await.as_deref(), Some(SECOND.0));

    // The folder is away: nobody's photo is, and nothing is said to be missing.
    std::fs::remove_file(s.folder.path().join("a.jpg")).unwrap();
    assert!(s.taker.take_in(s.files.as_ref(), &s.shelf).await.is_err(), "an empty folder is one that is not mounted");
    s.ministry.sync().await;
    assert!(!s.is_unusable("S001").await);
    assert_eq!(held().await.as_deref(), Some(SECOND.0));
}

#[tokio::test]
async fn photos_that_stood_there_before_are_looked_at_before_any_is_written() {
    let mut s = Studio::of(Ministry::with("2026-12-01", photos()).await).await;
    let embedded = s.ministry.embedded.clone().unwrap();
    s.says(&[("S001", "", "a.jpg"), ("S002", "", "a.jpg")]).await;
    s.ministry.sync().await;
    let guid = async |number: &str| s.ministry.person(number).await.account.unwrap().guid.unwrap();
    embedded.hand_photo(guid("S001").await, Some(FIRST.0)).await.unwrap();
    s.put("a.jpg", FIRST.0);
    s.take_in().await;
    let number = s.ministry.store.full_run_due().await.unwrap().unwrap();
    s.ministry.store.full_run_done(number).await.unwrap();
    s.at_rest().await;
    s.look(embedded.as_ref()).await;
    assert!(s.ministry.store.full_run_due().await.unwrap().is_some(), "now it is known what stands there");
    let planned = s.ministry.plan().await;
    let changed: Vec<&str> = planned.people.iter().filter(|p| !p.is_empty()).map(|p| p.registry_no.as_str()).collect();
    assert_eq!(changed, ["S002"]);
    s.ministry.sync().await;
    s.look(embedded.as_ref()).await;
    s.at_rest().await;
}

#[tokio::test]
async fn what_stands_in_the_place_of_a_file_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    link(folder.path());
    let pipe = folder.path().join("pipe.jpg");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::fs::create_dir(folder.path().join("folder.jpg")).unwrap();
    let photos = PhotoFolder::new(folder.path());
    for name in ["link.jpg", "pipe.jpg", "folder.jpg", "nobody.jpg", "..", ".", ""] {
        let read = tokio::time::timeout(Duration::from_secs(30), photos.read(name)).await;
        assert!(read.expect("nothing is waited for").unwrap().is_none(), "{name}");
    }
}
