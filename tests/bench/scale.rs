//! How intake, plan and empty run grow with the ministry, and what they hold in memory.
use crate::{median, timed};
use kimlik_adapters::directory::embedded::EmbeddedDirectory;
use kimlik_adapters::hr::csv::DropFolder;
use kimlik_adapters::hr::simulated::SimulatedMinistry;
use kimlik_domain::account::placement;
use kimlik_domain::lifecycle::desired::Facts;
use kimlik_domain::lifecycle::difference::{self, Sight};
use kimlik_domain::lifecycle::reconcile::{Silent, Whom};
use kimlik_domain::lifecycle::run::Trigger;
use kimlik_domain::lifecycle::{ActionKind, describe};
use kimlik_domain::ports::{Clock, HrFeed, PeopleBy, Store};
use kimlik_domain::staff::feed::{Columns, Content, Delivery, Field, Row};
use kimlik_domain::staff::intake::{self, FeedReport};
use kimlik_tests::ministry::{Ministry, open_store, policy};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;
const FIGURES: [&str; 4] = ["intake", "planning", "plan", "empty run"];

/// Peak resident memory of this process since the last time it was asked for, MB.
fn peak() -> u64 {
    let peak = high_water();
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    HIGHEST.fetch_max(peak, Ordering::Relaxed);
    peak
}

static HIGHEST: AtomicU64 = AtomicU64::new(0);

fn high_water() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

async fn take(ministry: &Ministry, store: &dyn Store, delivery: &Delivery) -> FeedReport {
    let of = &ministry.reconciler;
    intake::intake(store, ministry.clock.as_ref(), of.entropy.as_ref(), &of.policy.reasons, "bench", delivery).await.unwrap()
}

/// One size, in this process; prints `figure<TAB>milliseconds`.
pub async fn of(people: u32) {
    let mut policy = policy();
    policy.limits = Default::default();
    let ministry = Ministry::with("2026-12-01", policy).await;
    let (units, everybody) = delivered(&ministry, people).await;
    take(&ministry, ministry.store.as_ref(), &units).await;
    places(&ministry).await;

    let mut intakes = Vec::new();
    for round in 0..ROUNDS {
        let store = open_store(&ministry.path().join(format!("intake{round}.db"))).await;
        take(&ministry, store.as_ref(), &units).await;
        intakes.push(timed(take(&ministry, store.as_ref(), &everybody)).await.0);
        drop(store);
        std::fs::remove_file(ministry.path().join(format!("intake{round}.db"))).unwrap();
    }
    println!("intake\t{}", median(intakes).as_millis());
    println!("memory of the intakes, MB\t{}", peak());
    let report = take(&ministry, ministry.store.as_ref(), &everybody).await;
    drop(everybody);
    println!("people\t{}", report.new_people);
    println!("memory of the last intake, MB\t{}", peak());

    let mut plans = Vec::new();
    for _ in 0..ROUNDS {
        plans.push(timed(dry_run(&ministry)).await.0);
    }
    println!("plan\t{}", median(plans).as_millis());
    println!("memory of the plans, MB\t{}", peak());
    let (opening, run) = timed(ministry.sync()).await;
    println!("openings a second\t{:.0}", f64::from(run.summary.done) / opening.as_secs_f64());
    println!("memory of the openings, MB\t{}", peak());
    ministry.work().await;
    ministry.sync().await;
    println!("memory of working off the queue, MB\t{}", peak());
    let mut empty = Vec::new();
    for _ in 0..ROUNDS {
        let (time, run) = timed(ministry.reconciler.sync(&Whom::Everybody, Trigger::Command, &Silent)).await;
        assert_eq!(run.unwrap().summary.planned.values().sum::<u32>(), 0, "an empty run has nothing to do");
        empty.push(time);
    }
    println!("empty run\t{}", median(empty).as_millis());
    println!("memory of empty runs, MB\t{}", peak());
    println!("planning\t{}", planning(&ministry).await.as_millis());
    println!("one change, intake to directory\t{}", Box::pin(one_change(&ministry)).await.as_millis());
    peak();
    println!("peak memory, MB\t{}", HIGHEST.load(Ordering::Relaxed));
}

/// What `kimlik plan` does, but for the terminal.
async fn dry_run(ministry: &Ministry) {
    let mut preview = ministry.reconciler.preview(&Whom::Everybody, None).await.unwrap();
    let mut length = 0;
    while let Some(people) = preview.next().await.unwrap() {
        length += people.iter().map(|p| describe::person_text(p, kimlik_domain::message::Language::En).len()).sum::<usize>();
    }
    assert!(length > 0 && preview.overview.counts.contains_key(&ActionKind::Open));
}

/// The feed as HR delivers it, in files that another process has written: only Kimlik's memory is measured.
async fn delivered(ministry: &Ministry, people: u32) -> (Delivery, Delivery) {
    let folder = ministry.path().join("feed");
    std::fs::create_dir(&folder).unwrap();
    let program = std::env::current_exe().unwrap();
    assert!(std::process::Command::new(program).arg("feed-of").arg(people.to_string()).arg(&folder).status().unwrap().success());
    let feed = DropFolder::new(folder, &HashMap::new(), ministry.clock.clone());
    let units = feed.poll(None).await.unwrap().expect("units at rest");
    feed.taken(&units, &FeedReport::default()).await.unwrap();
    let everybody = feed.poll(Some(&units.position)).await.unwrap().expect("everybody");
    (units, everybody)
}

/// Writes the units and the snapshot of a simulated ministry as CSV into `folder`.
pub async fn write_feed(people: u32, folder: &Path) {
    let clock = Arc::new(kimlik_tests::fakes::TestClock::at(kimlik_domain::day::parse("2026-12-01").unwrap()));
    let feed = SimulatedMinistry::new(1, people, 1, clock as Arc<dyn Clock>).without_rest();
    let units = feed.poll(None).await.unwrap().unwrap();
    let everybody = feed.poll(Some(&units.position)).await.unwrap().unwrap();
    for (name, delivery) in [("units-20260101T0000.csv", units), ("staff-full-20260101T0001.csv", everybody)] {
        let (Content::Units(rows) | Content::Snapshot(rows) | Content::Delta(rows)) = delivery.content;
        let fields: Vec<Field> = Field::ALL.iter().copied().filter(|f| rows[0].get(*f).is_some()).collect();
        let line = |cells: Vec<&str>| cells.iter().map(|c| format!("\"{c}\"")).collect::<Vec<_>>().join(";") + "\n";
        let mut text = line(fields.iter().map(|f| f.name()).collect());
        rows.iter().for_each(|row| text += &line(fields.iter().map(|f| row.get(*f).unwrap_or("")).collect()));
        std::fs::write(folder.join(name), text).unwrap();
    }
}

async fn places(ministry: &Ministry) {
    let (directory, policy): (&EmbeddedDirectory, _) = (ministry.embedded.as_ref().unwrap(), &ministry.reconciler.policy);
    let units = ministry.store.units().await.unwrap();
    let ous: std::collections::BTreeSet<_> =
        units.iter().filter_map(|u| placement::ou(&policy.placement, &policy.base, u, &units)).collect();
    directory.ensure_containers(&ous.into_iter().collect::<Vec<_>>()).await.unwrap();
}

/// The pure part alone: desired and difference of everybody, records and sights being at hand.
async fn planning(ministry: &Ministry) -> Duration {
    let units = ministry.store.units().await.unwrap();
    let containers = ministry.directory.containers().await.unwrap();
    let (managers, policy) = (HashMap::new(), &ministry.reconciler.policy);
    let facts = Facts {
        policy,
        units: &units,
        today: kimlik_domain::day::today(ministry.clock.now()),
        containers: &containers,
        managers: &managers,
    };
    let mut spent = Duration::ZERO;
    let mut after = None;
    loop {
        let records = ministry.store.people(PeopleBy::After(after, 1_000)).await.unwrap();
        let Some(last) = records.last() else { return spent };
        after = Some(last.person.id);
        let guids: Vec<_> = records.iter().filter_map(|r| r.account.as_ref()?.guid).collect();
        let seen: HashMap<_, _> = ministry.directory.observe(&guids).await.unwrap().into_iter().map(|a| (a.guid, a)).collect();
        let began = Instant::now();
        for record in &records {
            let account = record.account.as_ref().and_then(|a| seen.get(&a.guid?));
            std::hint::black_box(difference::plan(record, Sight { account, candidates: &[] }, &facts));
        }
        spent += began.elapsed();
    }
}

/// A new title: from the end of its intake until it stands in the directory.
async fn one_change(ministry: &Ministry) -> Duration {
    let person = ministry.store.people(PeopleBy::After(None, 1)).await.unwrap().remove(0).person;
    let posting = person.postings.first().unwrap();
    let columns = Columns::new(&[Some(Field::RegistryNo), Some(Field::UnitCode), Some(Field::PostingKind), Some(Field::TitleDuty)]);
    let row = Row::new(2, &columns, [person.registry_no.as_str(), &posting.unit.to_string(), "PERMANENT", "Yeni Unvan"]);
    let delivery = Delivery { name: "one".into(), position: "one".into(), content: Content::Delta(vec![row]), broken: Vec::new() };
    let report = take(ministry, ministry.store.as_ref(), &delivery).await;
    assert_eq!(report.changed_people, 1, "{:?}", report.issues);
    let (time, worked) = Box::pin(timed(ministry.reconciler.work(&Silent))).await;
    assert!(worked.unwrap() >= 1);
    time
}

pub fn compare() {
    let mut figures: Vec<HashMap<String, f64>> = Vec::new();
    for people in [10_000u32, 100_000] {
        println!("--- {people} people");
        let output = std::process::Command::new(std::env::current_exe().unwrap()).args(["scale-of", &people.to_string()]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        print!("{text}");
        figures.push(text.lines().filter_map(|l| l.split_once('\t')).map(|(k, v)| (k.to_owned(), v.parse().unwrap())).collect());
    }
    println!("--- ten times the people (at most 12 times the time)");
    for figure in FIGURES {
        println!("{figure}\t{:.1}", figures[1][figure] / figures[0][figure].max(1.0));
    }
}
