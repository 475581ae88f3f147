//! A run in which nothing has changed, between the real directory and the real database: what it asks, counted on the line.
use kimlik_adapters::directory::active_directory::ActiveDirectory;
use kimlik_adapters::hr::photos::PhotoFolder;
use kimlik_adapters::store::SqlStore;
use kimlik_adapters::system::SystemClock;
use kimlik_domain::card::hr_photo::Taker;
use kimlik_domain::card::photo::look;
use kimlik_domain::lifecycle::limits::Limits;
use kimlik_domain::lifecycle::policy::Policy;
use kimlik_domain::ports::Clock;
use kimlik_tests::lab::{Samba, Tally};
use kimlik_tests::ministry::{Ministry, STAFF_HEADER, keys, policy, prepare_domain};
use kimlik_tests::postgres;
use kimlik_tests::scenario::Hr;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What one run without changes asked.
struct Asked {
    directory: usize,
    /// How often each statement.
    database: BTreeMap<String, usize>,
}

/// Some of the people have left, and their mailboxes are a program's: their rows are read, too. HR names a photo of each.
async fn a_run_over(people: usize) -> Asked {
    let samba = Samba::start();
    prepare_domain(&samba);
    let directory = Tally::of_tls(&format!("{}:636", samba.address()));
    let (database, url) = Tally::of_postgresql(&postgres::database().await.url);
    let store = SqlStore::connect(&url, keys()).await.unwrap();
    store.migrate().await.unwrap();
    let mut settings = samba.settings();
    settings.urls = vec![format!("ldaps://{}", directory.address())];
    let policy = Policy { limits: Limits::default(), photos: true, mailboxes: kimlik_domain::mailbox::Mailboxes::Command, ..policy() };
    (settings.closed_ou, settings.default_ou) = (policy.closed_ou.clone(), policy.default_ou.clone());
    let active_directory = Arc::new(ActiveDirectory::new(settings, Arc::new(SystemClock)).unwrap());
    let temp = tempfile::tempdir().unwrap();
    let (store, photos) = (Arc::new(store), tempfile::tempdir().unwrap());
    std::fs::write(photos.path().join("p.jpg"), b"\xff\xd8\xff\xe0 a picture").unwrap();
    let files = Arc::new(PhotoFolder::new(photos.path()));
    let mut ministry = Ministry::on("2026-12-01", policy, store.clone(), active_directory.clone(), temp).await;
    ministry.reconciler.photos = Some(files.clone());
    let mut taker = Taker::default();
    for _ in 0..2 {
        taker.take_in(files.as_ref(), store.as_ref()).await.unwrap();
    }
    ministry.units().await;
    let mut hr = Hr::default();
    let hires = (0..people).flat_map(|n| {
        let family: String = [n / 26, n % 26].iter().map(|d| char::from(b'a' + *d as u8)).collect();
        let end = if n % 10 == 0 { "; end=2026-12-01" } else { "" };
        hr.says(&format!("S{n:03}: given=Ali; family=Soy{family}; unit=20000004; start=2026-12-01; post=Memur{end}"))
    });
    let hires: Vec<String> = hires.map(|row| format!("{row};p.jpg\n")).collect();
    ministry.hr("staff-delta", &format!("{STAFF_HEADER};photo\n{}", hires.concat())).await;
    ministry.sync().await;
    look(active_directory.as_ref(), store.as_ref(), true, ministry.clock.now()).await.unwrap();
    let held = samba.values("(&(employeeID=S*)(thumbnailPhoto=*))", "employeeID");
    assert_eq!(held.len(), people, "everybody has a photo");
    ministry.clock.set(kimlik_tests::ministry::day("2026-12-02"));
    for _ in 0..2 {
        ministry.sync().await;
    }
    directory.take();
    database.take();
    let run = ministry.sync().await;
    assert_eq!((run.summary.people as usize, run.summary.planned.len()), (people, 0), "{:?}", run.summary);
    let mut statements = BTreeMap::new();
    for statement in database.take() {
        // How many are asked for stands in the text of a statement.
        let mut shape: String = statement.chars().filter(|c| !c.is_ascii_digit()).collect();
        for (many, one) in [(", $", ""), ("($)", "$"), ("$, $", "$")] {
            while shape.contains(many) {
                shape = shape.replace(many, one);
            }
        }
        *statements.entry(shape).or_default() += 1;
    }
    Asked { directory: directory.take().len(), database: statements }
}

#[tokio::test]
async fn a_run_without_changes_writes_nothing_of_anybody_and_reads_no_more_for_ten_times_the_people() {
    let few = a_run_over(20).await;
    let many = a_run_over(200).await;
    // Requests that are sent together may be one record: hence not quite the same.
    assert!(few.directory > 0 && many.directory.abs_diff(few.directory) <= 3, "LDAP: {} and {}", few.directory, many.directory);
    // The run keeps its own books, by the time that passes; of people, accounts, what was done and when to look again there is nothing
    // to write.
    let own = ["\"run\"", "\"hand\"", "\"memory\""];
    let is_own = |s: &str| {
        let s = s.trim_start();
        ["BEGIN", "COMMIT"].iter().any(|word| s.starts_with(word)) || !s.starts_with("SELECT") && own.iter().any(|table| s.contains(table))
    };
    let others = |asked: &Asked| -> BTreeMap<String, usize> {
        asked.database.iter().filter(|(s, _)| !is_own(s)).map(|(s, times)| (s.clone(), *times)).collect()
    };
    assert_eq!(others(&few), others(&many));
    let said = |word: &str| few.database.keys().filter(|s| s.trim_start().starts_with(word)).cloned().collect::<Vec<_>>();
    assert!(!said("SELECT").is_empty(), "the line is listened to: {:?}", few.database);
    assert!(said("SELECT").iter().any(|s| s.contains("\"work\"")), "leavers have a day on which they are looked at again");
    let writes = [said("INSERT"), said("UPDATE"), said("DELETE")].concat();
    assert!(!writes.is_empty());
    for write in &writes {
        assert!(own.iter().any(|table| write.contains(table)), "{write}");
    }
}
