use super::{HandClock, cells, rows};
use chrono::Duration;
use kimlik_adapters::hr::csv::DropFolder;
use kimlik_domain::ports::{HrFeed, PortError};
use kimlik_domain::staff::feed::{Content, Delivery, Field};
use kimlik_domain::staff::intake::FeedReport;
use kimlik_domain::staff::{DataIssue, IssueKind, UnitCode};
use proptest::prelude::*;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

const LATER: &str = "2099-01-01T00:00:00Z";

fn open(folder: &Path) -> DropFolder {
    DropFolder::new(folder, &HashMap::new(), HandClock::at(LATER))
}

async fn read(name: &str, octets: &[u8]) -> Delivery {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), octets).unwrap();
    open(folder.path()).poll(None).await.unwrap().unwrap()
}

fn listed(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn reason(delivery: &Delivery) -> &str {
    assert!(rows(delivery).is_empty(), "{} rows", rows(delivery).len());
    &delivery.broken[0].reason
}

const STAFF: &str = "registry_no;given_name;family_name;unit_code;office\r\n\
    S1;İBRAHİM;Işık;98000007;\"Blok A; oda 3\"\r\n\
    S2;Çağrı;\"Şahin \"\"Küçük\"\"\";98000014;\r\n";

#[tokio::test]
async fn one_file_reads_alike_in_every_encoding_with_every_separator() {
    let comma = STAFF.replace("; oda", "# oda").replace(';', ",").replace("# oda", "; oda");
    let turkish = |text: &str| kimlik_1254(text);
    let files: [(&str, Vec<u8>); 6] = [
        ("UTF-8, semicolon", STAFF.into()),
        ("UTF-8 with BOM, semicolon", [b"\xef\xbb\xbf".as_slice(), STAFF.as_bytes()].concat()),
        ("windows-1254, semicolon", turkish(STAFF)),
        ("UTF-8, comma", comma.clone().into()),
        ("UTF-8 with BOM, comma", [b"\xef\xbb\xbf".as_slice(), comma.as_bytes()].concat()),
        ("windows-1254, comma, Unix lines", turkish(&comma.replace('\r', ""))),
    ];
    for (what, octets) in files {
        let delivery = read("staff-full-20261201T0600.csv", &octets).await;
        assert!(matches!(delivery.content, Content::Snapshot(_)) && delivery.broken.is_empty(), "{what}");
        assert_eq!(cells(&delivery, Field::GivenName), [Some("İBRAHİM"), Some("Çağrı")], "{what}");
        assert_eq!(cells(&delivery, Field::FamilyName), [Some("Işık"), Some("Şahin \"Küçük\"")], "{what}");
        assert_eq!(cells(&delivery, Field::Office), [Some("Blok A; oda 3"), Some("")], "{what}");
        assert_eq!(cells(&delivery, Field::Mobile), [None, None], "an absent column says nothing");
        assert_eq!(rows(&delivery).iter().map(|r| r.line).collect::<Vec<_>>(), [2, 3]);
    }
}

/// The Turkish letters of windows-1254 by their numbers, independent of the table that is used for reading.
fn kimlik_1254(text: &str) -> Vec<u8> {
    let letter = |c: char| match c {
        'İ' => 0xdd,
        'ı' => 0xfd,
        'Ş' => 0xde,
        'ş' => 0xfe,
        'Ğ' => 0xd0,
        'ğ' => 0xf0,
        'Ç' => 0xc7,
        'ç' => 0xe7,
        'Ö' => 0xd6,
        'ö' => 0xf6,
        'Ü' => 0xdc,
        'ü' => 0xfc,
        c => u8::try_from(c).unwrap(),
    };
    text.chars().map(letter).collect()
}

#[tokio::test]
async fn rows_that_cannot_be_read_are_named_by_line_and_the_others_go_on() {
    let mut octets = "registry_no,given_name\nS1,Öz\nS2\nS3,a,b\nS4,\"unclosed\nS5,x,,\n\n,\nS6,Gül\n".as_bytes().to_vec();
    octets.extend(b"S7,\xde\nS8,\0\nS9,\"x\"y\nS10,\xc5\x9een\n");
    let delivery = read("staff-delta-1.csv", &octets).await;
    assert!(matches!(delivery.content, Content::Delta(_)));
    assert_eq!(cells(&delivery, Field::RegistryNo), [Some("S1"), Some("S5"), Some("S6"), Some("S10")]);
    assert_eq!(delivery.broken.iter().map(|b| b.line).collect::<Vec<_>>(), [3, 4, 5, 10, 11, 12]);
    assert_eq!(delivery.broken[0].reason, "has 1 cells where the heading has 2");
}

#[tokio::test]
async fn a_file_that_is_none_of_these_is_refused_whole_with_its_reason() {
    for (octets, expected) in [
        (b"".as_slice(), "is empty"),
        (b"\xef\xbb\xbf\n", "is empty"),
        (b"PK\x03\x04xyz", "workbook"),
        (b"\xff\xfer\0e\0", "UTF-16"),
        (b"ad;soyad\nAli;Can\n", "no column is registry_no"),
        (b"registry_no;mobile;MOBILE\nS1;1;2\n", "two columns are mobile"),
        (b"\"registry_no;x\nS1;1\n", "quotation mark"),
    ] {
        let delivery = read("staff-full-1.csv", octets).await;
        assert!(reason(&delivery).contains(expected), "{}", reason(&delivery));
    }
    assert!(reason(&read("units-1.csv", b"registry_no\nS1\n").await).contains("no column is code"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("staff-full-1.csv"), STAFF).unwrap();
    let delivery = open(folder.path()).with_largest_file(10).poll(None).await.unwrap().unwrap();
    assert!(reason(&delivery).contains("the limit is 10"));
}

#[tokio::test]
async fn columns_are_found_under_the_names_of_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("staff-full-1.csv"), "SİCİL NO;Adı;given_name;fazla\nS1;Ayşe;x;y\n").unwrap();
    let names = HashMap::from([("Sicil No".to_owned(), Field::RegistryNo), ("adı".to_owned(), Field::Office)]);
    let feed = DropFolder::new(folder.path(), &names, HandClock::at(LATER));
    let delivery = feed.poll(None).await.unwrap().unwrap();
    assert_eq!((cells(&delivery, Field::RegistryNo), cells(&delivery, Field::Office)), (vec![Some("S1")], vec![Some("Ayşe")]));
    assert_eq!(cells(&delivery, Field::GivenName), [Some("x")]);
}

#[tokio::test]
async fn files_come_in_order_and_are_put_away() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["staff-delta-20261202T0600.csv", "staff-full-20261201T0600.csv", "staff-delta-20261201T0600.csv"] {
        std::fs::write(at(name), STAFF).unwrap();
    }
    std::fs::write(at("units-20261203T0600.csv"), "code,name\n98000007,Ağrı\n").unwrap();
    std::fs::write(at("staff-full-20261203T0600.csv.part"), STAFF).unwrap();
    std::fs::write(at("notes.csv"), STAFF).unwrap();
    std::fs::create_dir(at("staff-full-0.csv")).unwrap();
    let feed = open(folder.path());
    let (mut position, mut order) = (None::<String>, Vec::new());
    while let Some(delivery) = feed.poll(position.as_deref()).await.unwrap() {
        assert_eq!(feed.poll(position.as_deref()).await.unwrap().as_ref(), Some(&delivery), "reading takes nothing away");
        feed.taken(&delivery, &FeedReport::default()).await.unwrap();
        feed.taken(&delivery, &FeedReport::default()).await.unwrap();
        position = Some(delivery.position);
        order.push(delivery.name);
    }
    let expected =
        ["units-20261203T0600.csv", "staff-full-20261201T0600.csv", "staff-delta-20261201T0600.csv", "staff-delta-20261202T0600.csv"];
    assert_eq!(order, expected);
    let mut sorted = order.clone();
    sorted.sort();
    assert_eq!(listed(&at("done")), sorted);

    std::fs::write(at("staff-delta-20261130T0600.csv"), STAFF).unwrap();
    let late = feed.poll(position.as_deref()).await.unwrap().unwrap();
    assert!(reason(&late).contains("older than 20261202T0600"));
    feed.taken(&late, &FeedReport::default()).await.unwrap();
    assert_eq!(listed(&at("rejected")), ["staff-delta-20261130T0600.csv", "staff-delta-20261130T0600.csv.report.txt"]);
    assert_eq!(late.position, position.unwrap(), "what was refused moves nothing on");
}

#[tokio::test]
async fn a_file_that_still_grows_is_waited_for_and_so_is_what_comes_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let full = folder.path().join("staff-full-1.csv");
    std::fs::write(&full, STAFF).unwrap();
    std::fs::write(folder.path().join("staff-delta-2.csv"), STAFF).unwrap();
    let clock = HandClock::at("2000-01-01T00:00:00Z");
    let feed = DropFolder::new(folder.path(), &HashMap::new(), clock.clone());
    assert_eq!(feed.poll(None).await.unwrap(), None);
    clock.go_on(Duration::seconds(4));
    std::fs::write(&full, format!("{STAFF}S3;a;b;c;d\r\n")).unwrap();
    assert_eq!(feed.poll(None).await.unwrap(), None);
    clock.go_on(Duration::seconds(4));
    assert_eq!(feed.poll(None).await.unwrap(), None, "it rests for four seconds only");
    assert_eq!(feed.unfinished().await.unwrap().as_deref(), Some("staff-full-1.csv"), "and who waits is told for what");
    clock.go_on(Duration::seconds(1));
    assert_eq!(feed.unfinished().await.unwrap(), None);
    assert_eq!(rows(&feed.poll(None).await.unwrap().unwrap()).len(), 3);
}

#[tokio::test]
async fn a_crash_between_store_and_folder_delivers_the_same_again_and_puts_it_away() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("staff-full-7.csv"), STAFF).unwrap();
    let first = open(folder.path()).poll(None).await.unwrap().unwrap();
    let restarted = open(folder.path());
    let again = restarted.poll(Some(&first.position)).await.unwrap().unwrap();
    assert_eq!(again, first);
    restarted.taken(&again, &FeedReport::default()).await.unwrap();
    assert_eq!(
        (listed(&folder.path().join("done")), restarted.poll(Some(&first.position)).await.unwrap()),
        (vec!["staff-full-7.csv".into()], None)
    );
    // The same name once more, mended: it is read, and both are kept.
    std::fs::write(folder.path().join("staff-full-7.csv"), STAFF).unwrap();
    let third = restarted.poll(Some(&first.position)).await.unwrap().unwrap();
    restarted.taken(&third, &FeedReport::default()).await.unwrap();
    assert_eq!(listed(&folder.path().join("done")), ["staff-full-7.csv", "staff-full-7.csv.2"]);
}

#[tokio::test]
async fn a_file_that_was_replaced_meanwhile_is_not_put_away_unread() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("staff-full-7.csv");
    std::fs::write(&path, STAFF).unwrap();
    let feed = open(folder.path());
    let delivery = feed.poll(None).await.unwrap().unwrap();
    std::fs::write(&path, format!("{STAFF}S3;a;b;c;d\r\n")).unwrap();
    feed.taken(&delivery, &FeedReport::default()).await.unwrap();
    assert_eq!(rows(&feed.poll(None).await.unwrap().unwrap()).len(), 3);
}

#[tokio::test]
async fn the_report_names_line_field_reason_and_personnel_unit_and_no_national_id() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("staff-full-7.csv"), "registry_no,national_id\nS1,10000000146\nS2\n").unwrap();
    let feed = open(folder.path());
    let delivery = feed.poll(None).await.unwrap().unwrap();
    let mut issue = DataIssue::new(IssueKind::InvalidNationalId, "the national id has a wrong check digit");
    (issue.line, issue.field, issue.personnel_unit) = (Some(2), Some("national_id".into()), UnitCode::parse("98000007"));
    let report = FeedReport { issues: vec![issue], rows: 2, ..FeedReport::default() };
    feed.taken(&delivery, &report).await.unwrap();
    let text = std::fs::read_to_string(folder.path().join("done/staff-full-7.csv.report.txt")).unwrap();
    assert!(text.contains("2; national_id; the national id has a wrong check digit; 98000007"), "{text}");
    assert!(text.contains("3; ; has 1 cells where the heading has 2"), "{text}");
    assert!(!text.contains("10000000146"));
    std::fs::write(folder.path().join("staff-full-8.csv"), STAFF).unwrap();
    let delivery = feed.poll(None).await.unwrap().unwrap();
    let report = FeedReport { refused: Some("half of the staff is missing".into()), ..FeedReport::default() };
    feed.taken(&delivery, &report).await.unwrap();
    let text = std::fs::read_to_string(folder.path().join("rejected/staff-full-8.csv.report.txt")).unwrap();
    assert!(text.contains("half of the staff is missing"));
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_unavailable_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let answer = open(&folder.path().join("yok")).poll(None).await;
    assert!(matches!(answer, Err(PortError::Unavailable(text)) if text.contains("yok")));
}

#[tokio::test]
async fn the_examples_of_the_handbook_are_read() {
    let handbook = include_str!("../../../docs/integrators/hr-feed.md");
    let blocks: Vec<&str> = handbook.split("```csv\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 2);
    for block in blocks {
        let name = if block.starts_with("code") { "units-1.csv" } else { "staff-full-1.csv" };
        let delivery = read(name, block.as_bytes()).await;
        assert_eq!((rows(&delivery).len(), delivery.broken.len()), (block.lines().count() - 1, 0), "{block}");
    }
    for field in Field::ALL {
        let said = handbook.contains(&format!("`{field}`")) || field.name().starts_with("attr_");
        assert!(said, "{field} is not in the handbook");
    }
}

fn reading(octets: &[u8]) -> Delivery {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("staff-full-1.csv"), octets).unwrap();
    let feed: Arc<dyn HrFeed> = Arc::new(open(folder.path()));
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(feed.poll(None)).unwrap().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_octets_are_read_without_a_panic_and_each_line_is_told_once(octets in proptest::collection::vec(any::<u8>(), 0..600)) {
        let mut file = b"registry_no;office\n".to_vec();
        file.extend(&octets);
        let delivery = reading(&file);
        let mut lines: Vec<u32> = rows(&delivery).iter().map(|r| r.line).chain(delivery.broken.iter().map(|b| b.line)).collect();
        let told = lines.len();
        lines.sort_unstable();
        lines.dedup();
        prop_assert_eq!(lines.len(), told);
        reading(&octets);
    }

    #[test]
    fn each_line_that_is_not_blank_is_a_row_or_a_broken_one(lines in proptest::collection::vec("[a-zŞı ;,\"\\x00\\t]{0,12}", 0..30)) {
        // Quotation marks at the beginning of a cell may span lines: those are the other property's.
        let lines: Vec<String> = lines.iter().map(|line| line.replace('"', "x\"")).collect();
        let delivery = reading(format!("registry_no;office\n{}", lines.join("\n")).as_bytes());
        let blank = |line: &&String| line.chars().all(|c| c.is_ascii_whitespace() || c == ';');
        prop_assert_eq!(rows(&delivery).len() + delivery.broken.len(), lines.iter().filter(|line| !blank(line)).count());
    }
}
