//! Every attribute of the address book at its limit and one over, in Turkish letters and in letters that the directory counts as
//! two: whole, or cut between letters and said, never a refused account.
use super::{ME, reads, sync};
use kimlik_domain::account::{AccountState, Mapping};
use kimlik_domain::lifecycle::policy::Policy;
use kimlik_domain::staff::IssueKind;
use kimlik_tests::lab::Samba;
use kimlik_tests::ministry::{Ministry, STAFF_HEADER, UNITS, policy};
use kimlik_tests::scenario::Hr;

/// Attribute, rule, limit. Written from facts/domain.md 2.1; no limit is asked of the program.
const TABLE: &[(&str, &str, usize)] = &[
    ("initials", "{attr_1}", 6),
    ("postalCode", "{attr_2}", 40),
    ("telephoneNumber", "{attr_3}", 64),
    ("mobile", "{attr_3}", 64),
    ("facsimileTelephoneNumber", "{attr_3}", 64),
    ("title", "{attr_4}", 128),
    ("physicalDeliveryOfficeName", "{attr_4}", 128),
    ("l", "{attr_4}", 128),
    ("co", "{attr_4}", 128),
    ("c", "{attr_5}", 3),
    ("streetAddress", "{attr_12}{attr_13}", 1024),
    ("extensionAttribute1", "{attr_12}{attr_13}", 1024),
    ("extensionAttribute2", "{attr_12}{attr_13}", 1024),
    ("extensionAttribute3", "{attr_12}{attr_13}", 1024),
    ("extensionAttribute4", "{attr_12}{attr_13}", 1024),
    ("extensionAttribute5", "{attr_12}{attr_13}", 1024),
    ("extensionAttribute6", "{attr_12}{attr_13}", 1024),
    ("extensionAttribute7", "{attr_12}{attr_13}", 1024),
    ("extensionAttribute8", "{attr_12}{attr_13}", 1024),
    ("extensionAttribute9", "{attr_12}{attr_13}", 1024),
    ("extensionAttribute10", "{attr_12}{attr_13}", 1024),
    ("extensionAttribute11", "{attr_11}{attr_12}{attr_13}", 2048),
    ("extensionAttribute12", "{attr_11}{attr_12}{attr_13}", 2048),
    ("extensionAttribute13", "{attr_11}{attr_12}{attr_13}", 2048),
    ("extensionAttribute14", "{attr_11}{attr_12}{attr_13}", 2048),
    ("extensionAttribute15", "{attr_11}{attr_12}{attr_13}", 2048),
];
/// What filters address lists comes from the unit.
const OF_UNIT: &[(&str, &str, usize)] =
    &[("department", "{unit_name}", 64), ("company", "{unit_name}", 64), ("st", "{unit_name}{unit_name}", 128)];

/// So many UTF-16 units, the last two of them one letter.
fn astral(units: usize) -> String {
    let letters = "ığüşöçİĞÜŞÖÇ".chars().cycle().take(units - 2);
    letters.chain(['𝒮']).collect()
}

/// The values of the columns: for each limit a text, `more` units longer than that.
fn attributes(more: usize) -> [(u8, String); 8] {
    let of = |limit: usize| astral(limit + more);
    [(1, of(6)), (2, of(40)), (3, of(64)), (4, of(128)), (5, of(3)), (11, "ğ".repeat(1024)), (12, "ş".repeat(512)), (13, of(512))]
}

/// What such a rule gives whose last column holds `last`. Why of several columns: none of HR's takes more than 1,024.
fn filled(limit: usize, last: impl Fn(usize) -> String) -> String {
    match limit {
        2048 => "ğ".repeat(1024) + &"ş".repeat(512) + &last(512),
        1024 => "ş".repeat(512) + &last(512),
        _ => last(limit),
    }
}

async fn hears(ministry: &Ministry, hr: &mut Hr, name: &str, more: usize) {
    let unit = format!("{UNITS}13000000;12000000;{name};Kısa;CENTRAL;06;;;;;;;\n");
    assert_eq!(ministry.hr("units", &unit).await.refused, None);
    let columns = attributes(more);
    let header: String = columns.iter().map(|(n, _)| format!(";attr_{n}")).collect();
    let values: String = columns.iter().map(|(_, text)| format!(";{text}")).collect();
    let rows = hr.says("S123456789012345: given=Ali; family=Can; start=2026-12-01; unit=13000000; post=Memur");
    let report = ministry.hr("staff-delta", &format!("{STAFF_HEADER}{header}\n{}{values}\n", rows[0])).await;
    assert_eq!((report.refused, report.rejected_rows), (None, 0), "{:?}", report.issues);
    sync(ministry).await;
}

/// The attributes of which somebody is told that they were cut.
async fn cut(ministry: &Ministry) -> Vec<String> {
    let issues = ministry.store.issues(None, 200).await.unwrap().into_iter().map(|i| i.issue);
    let mut fields: Vec<String> = issues.filter(|i| i.kind == IssueKind::CardValueCut).map(|i| i.field.unwrap()).collect();
    fields.sort();
    fields
}

fn names(of: &[&[(&str, &str, usize)]]) -> Vec<String> {
    let mut names: Vec<String> = of.iter().flat_map(|t| t.iter()).map(|(name, ..)| (*name).to_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn every_attribute_at_its_limit_is_whole_and_one_over_is_cut_between_letters_and_said() {
    let samba = Samba::start();
    let mut mapping = Mapping::default();
    TABLE.iter().chain(OF_UNIT).for_each(|(name, rule, _)| mapping.set(name, rule).unwrap());
    let ministry = Ministry::on_samba_with("2026-12-01", &samba, Policy { mapping, ..policy() }).await;
    let mut hr = Hr::default();

    hears(&ministry, &mut hr, &astral(64), 0).await;
    let whole: Vec<(&str, String)> = TABLE
        .iter()
        .map(|(name, _, limit)| (*name, filled(*limit, astral)))
        .chain([("department", astral(64)), ("company", astral(64)), ("st", astral(64).repeat(2))])
        .collect();
    assert!(whole.iter().zip(TABLE.iter().chain(OF_UNIT)).all(|((_, text), (.., limit))| text.encode_utf16().count() == *limit));
    reads_me(&samba, &whole);
    reads_me(&samba, &[("employeeID", "S123456789012345".to_owned()), ("mail", "ali.can@csb.test".to_owned())]);
    assert_eq!(cut(&ministry).await, Vec::<String>::new());

    // The directory itself counts in UTF-16 units: as many letters, one of them two units, are one too many.
    let dn = ministry.person("S123456789012345").await.account.unwrap().dn.unwrap();
    let title = |text: &str| samba.service_modify(&format!("dn: {dn}\nchangetype: modify\nreplace: title\ntitle: {text}\n"));
    title(&"ş".repeat(128)).unwrap();
    title(&("ş".repeat(127) + "𝒮")).unwrap_err();
    sync(&ministry).await;

    // One unit more: the last letter, which is two units, is left out whole.
    hears(&ministry, &mut hr, &astral(65), 1).await;
    let without_last = |units: usize| astral(units).strip_suffix('𝒮').unwrap().to_owned();
    let shortened: Vec<(&str, String)> = TABLE
        .iter()
        .map(|(name, _, limit)| (*name, filled(*limit, |units| without_last(units + 1))))
        .chain([("department", without_last(65)), ("company", without_last(65)), ("st", astral(65) + &without_last(65))])
        .collect();
    reads_me(&samba, &shortened);
    assert_eq!(cut(&ministry).await, names(&[TABLE, OF_UNIT]));
    let account = ministry.person("S123456789012345").await.account.unwrap();
    assert_eq!(account.state, AccountState::Active, "an account does not fail for a value that is too long");

    hears(&ministry, &mut hr, &astral(64), 0).await;
    reads_me(&samba, &whole);
    assert_eq!(cut(&ministry).await, Vec::<String>::new(), "corrected ones disappear by themselves");
}

fn reads_me(samba: &Samba, table: &[(&str, String)]) {
    for (attribute, expected) in table {
        assert_eq!(samba.values("(employeeID=S123456789012345)", attribute), [expected.as_str()], "{attribute}");
    }
}

#[tokio::test]
async fn the_longest_names_fit_and_what_is_longer_is_said_by_the_intake() {
    let samba = Samba::start();
    let ministry = Ministry::on_samba_with("2026-12-01", &samba, policy()).await;
    ministry.units().await;
    let mut hr = Hr::default();
    // 64 each: title case as names are written, no letter folded away.
    let (given, family) = (format!("Ş{}", "ı".repeat(63)), format!("İ{}", "ğ".repeat(63)));
    let mut says = async |line: String| {
        let rows = hr.says(&line);
        let report = ministry.staff(&rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
        sync(&ministry).await;
        report.issues.iter().map(|i| i.kind).collect::<Vec<_>>()
    };
    let issues = says(format!("S001: given={given}; family={family}; start=2026-12-01; unit=12100000; post=Memur")).await;
    assert!(!issues.contains(&IssueKind::TextTooLong), "{issues:?}");
    let shown = format!("{given} {family}");
    reads(&samba, &[("givenName", &given), ("sn", &family), ("displayName", &shown)]);
    let [nickname, mail, username] = ["mailNickname", "mail", "sAMAccountName"].map(|name| samba.value(ME, name).unwrap());
    assert!(nickname.len() <= 64 && mail == format!("{nickname}@csb.test") && username.len() <= 20, "{nickname} {mail} {username}");
    assert_eq!(samba.value(ME, "userPrincipalName"), Some(format!("{username}@csb.test")));
    // The common name holds 64, and leaves room for a number.
    assert!(samba.value(ME, "cn").unwrap().encode_utf16().count() <= 60);

    let issues = says(format!("S001: family={family}ğ")).await;
    assert!(issues.contains(&IssueKind::TextTooLong), "{issues:?}");
    reads(&samba, &[("sn", &family)]);
}
