use super::*;
use crate::id::PersonId;
use crate::staff::feed::{Columns, Row};
use crate::staff::unit::Unit;
use crate::staff::{PostingKind, UnitKind};
use crate::text::utf16_len;

fn rows(text: &str) -> Vec<Row> {
    let mut lines = text.lines().map(str::trim);
    let fields: Vec<_> = lines.next().unwrap_or("").split('|').map(Field::parse).collect();
    let columns = Columns::new(&fields);
    (2..).zip(lines).map(|(n, line)| Row::new(n, &columns, line.split('|'))).collect()
}

fn units() -> Units {
    let read = read_units(&rows("code|name|kind\n10000001|Bakanlık|Merkez\n10000035|İzmir İl Müdürlüğü|TAŞRA"), &Units::default(), "units");
    assert!(read.issues.is_empty());
    Units::new(read.units)
}

fn nobody() -> PersonId {
    PersonId(uuid::Uuid::nil())
}

/// Rows of one person, laid over `known`.
fn read_over(known: Option<&Person>, text: &str) -> Result<Settled, Vec<Fault>> {
    let (units, reasons) = (units(), Reasons::with([("9001".to_owned(), Effect::Hold)]));
    let today = crate::day::parse("2026-12-01").expect("a day");
    let ctx = Context { units: &units, reasons: &reasons, today, source: "staff.csv" };
    let rows = rows(text);
    let draft = draft(RegistryNo::parse("1").expect("a number"), &rows.iter().collect::<Vec<_>>(), &ctx).expect("rows");
    settle(draft, known, nobody, &Surroundings::default(), &ctx)
}

const HEADER: &str = "given_name|family_name|employment_start|employment_end|unit_code|mobile|status|reason_code";

fn read(row: &str) -> Result<Settled, Vec<Fault>> {
    read_over(None, &format!("{HEADER}\n{row}"))
}

fn person() -> Person {
    read("AYŞE|ŞAHİN|2020-01-01||10000035|0532 123 45 67||").expect("a good row").person
}

fn kinds(faults: &[Fault]) -> Vec<IssueKind> {
    faults.iter().map(|f| f.kind).collect()
}

#[test]
fn each_fault_of_a_row_has_its_kind_and_blocks_what_it_should() {
    use IssueKind::*;
    let cases: &[(&str, IssueKind, bool)] = &[
        ("|ŞAHİN|2020-01-01||10000035|5321234567||", MissingName, true),
        ("Ay5e|ŞAHİN|2020-01-01||10000035|5321234567||", MissingName, true),
        ("AYÞE|ŞAHİN|2020-01-01||10000035|5321234567||", Mojibake, true),
        ("AYŞE|ŞAHİN|31.02.2020||10000035|5321234567||", InvalidDate, true),
        ("AYŞE|ŞAHİN|2020-01-01|2019-12-31|10000035|5321234567||", DatesOutOfOrder, true),
        ("AYŞE|ŞAHİN|2020-01-01||10000035|5321234567|pasif|", UnknownWord, true),
        ("AYŞE|ŞAHİN|||10000035|5321234567||", MissingStart, false),
        ("AYŞE|ŞAHİN|2020-01-01||10000035|||", MissingMobile, false),
        ("AYŞE|ŞAHİN|2020-01-01||10000035|0312 410 10 00||", DoubtfulMobile, false),
        ("AYŞE|ŞAHİN|2020-01-01||10000099|5321234567||", UnknownUnit, false),
        ("AYŞE|ŞAHİN|2020-01-01||İzmir|5321234567||", UnknownUnit, false),
        ("AYŞE|ŞAHİN|2020-01-01|||5321234567||", MissingUnit, false),
        ("AYŞE|ŞAHİN|2020-01-01||10000035|5321234567||777777", UnknownReason, false),
        ("AYŞE|ŞAHİN|2020-01-01||10000035|5321234567||9001", ReasonHolds, false),
    ];
    for (row, kind, rejected) in cases {
        let read = read(row);
        assert_eq!(read.is_err(), *rejected, "{row}");
        let faults = read.map_or_else(|faults| faults, |settled| settled.faults);
        assert_eq!(kinds(&faults), [*kind], "{row}");
        assert!(faults.iter().all(|f| f.line == Some(2) && f.field.is_some() && !f.message.contains("410 10 00")));
    }
}

#[test]
fn a_hire_taken_back_may_end_before_it_began_and_no_end_is_no_end() {
    let reasons = Reasons::with([("W".to_owned(), Effect::Withdraw)]);
    assert_eq!(reasons.effect("W"), Some(Effect::Withdraw));
    assert_eq!(read("AYŞE|ŞAHİN|2020-01-01|31.12.9999|10000035|5321234567||").expect("taken").person, person());
}

#[test]
fn of_leavers_nothing_is_asked() {
    for row in ["AYŞE|ŞAHİN|2010-01-01|2020-01-01||||", "AYŞE|ŞAHİN||||yok|ayrıldı|", "AYŞE|ŞAHİN|2010-01-01||10000099|||63"] {
        assert_eq!(kinds(&read(row).expect("taken").faults), [], "{row}");
    }
}

#[test]
fn a_doubtful_mobile_drops_the_old_number_and_a_doubtful_work_phone_does_not() {
    let known = read_over(Some(&person()), "work_phone\n0312 410 10 00").expect("taken").person;
    let now = read_over(Some(&known), "work_phone|mobile\n12|5.32E+09").expect("taken");
    assert_eq!((now.person.mobile, now.person.work_phone.is_some()), (None, true));
    assert_eq!(kinds(&now.faults), [IssueKind::DoubtfulMobile, IssueKind::DoubtfulWorkPhone]);
}

#[test]
fn with_an_unknown_unit_among_them_or_none_the_postings_stay() {
    let known = person();
    for text in ["unit_code\n10000099\n10000001", "unit_code|office\n|"] {
        assert_eq!(read_over(Some(&known), text).expect("taken").person.postings, known.postings, "{text}");
    }
    assert_eq!(read_over(Some(&known), "unit_code\n10000001").expect("taken").person.postings[0].unit.to_string(), "10000001");
}

#[test]
fn postings_are_all_rows_once_each_and_absent_columns_keep_theirs() {
    let text = "unit_code|posting_kind|title_post|posting_start\n10000035|asıl|Mühendis|2020-01-01\n10000001|Geçici Görev||2026-01-01\n10000035|asıl|Mühendis|2020-01-01";
    let known = read_over(Some(&person()), text).expect("taken").person;
    let kept: Vec<_> = known.postings.iter().map(|p| (p.kind, p.title_post.as_deref())).collect();
    assert_eq!(kept, [(PostingKind::Permanent, Some("Mühendis")), (PostingKind::Seconded, None)]);
    let now = read_over(Some(&known), "unit_code|title_duty\n10000035|Müdür").expect("taken").person;
    assert_eq!(now.postings.len(), 1, "a posting that is not in the rows is over");
    assert_eq!((now.postings[0].start, now.postings[0].title()), (known.postings[0].start, Some("Müdür")));
}

#[test]
fn rows_that_differ_are_refused_and_rows_that_only_write_differently_are_not() {
    let differs = read_over(None, "given_name|family_name|mobile\nAli|Kaya|5321234567\nVeli|Kaya|0532 123 45 67").expect_err("refused");
    assert_eq!(differs.iter().map(|f| (f.kind, f.field)).collect::<Vec<_>>(), [(IssueKind::ContradictoryRows, Some(Field::GivenName))]);
    assert!(read_over(None, "given_name|family_name|mobile\nALİ|KAYA|5321234567\nAli|Kaya|0532 123 45 67").is_ok());
}

#[test]
fn texts_are_tidied_and_cut_to_what_the_directory_holds() {
    let title = "Uzman ".repeat(40);
    let read = read_over(None, &format!("given_name|family_name|unit_code|title_post|employment_start|mobile|office\nA\u{0}li  Can|{}|10000035|{title}|2020-01-01|5321234567|Kat\u{7}3", "Kaya ".repeat(20)))
        .expect("taken");
    assert_eq!(kinds(&read.faults), [IssueKind::TextTooLong, IssueKind::TextTooLong]);
    let person = read.person;
    assert_eq!((&*person.given_name, person.office.as_deref()), ("A li Can", Some("Kat 3")));
    assert!(utf16_len(&person.family_name) <= 64 && person.family_name.ends_with("Kaya"));
    assert!(person.postings[0].title().is_some_and(|t| utf16_len(t) <= 128 && t.ends_with("Uzman")));
}

#[test]
fn merging_is_idempotent_and_a_stale_record_is_refused() {
    let text = "given_name|family_name|unit_code|updated_at|attr_3|mobile_public\nAli|Kaya|10000035|01.11.2026 10:00|x|evet";
    let once = read_over(Some(&person()), text).expect("taken").person;
    assert_eq!(read_over(Some(&once), text).expect("taken").person, once);
    assert_eq!((once.mobile_public, &once.attributes[..]), (true, &[(3, "x".into())][..]));
    let older = read_over(Some(&once), "given_name|updated_at\nVeli|31.10.2026 10:00").expect_err("refused");
    assert_eq!(kinds(&older), [IssueKind::StaleRow]);
}

/// The rows that say what a person is.
fn to_rows(person: &Person) -> String {
    let day = |d: Option<Day>| d.map(|d| d.to_string()).unwrap_or_default();
    let mut text =
        "given_name|family_name|employment_start|employment_end|unit_code|posting_kind|title_post|posting_start|mobile|mobile_public"
            .to_owned();
    for p in &person.postings {
        let kind = match p.kind {
            PostingKind::Permanent => "PERMANENT",
            PostingKind::Seconded => "SECONDED",
            PostingKind::Acting => "ACTING",
        };
        let (start, end) = (day(person.employment_start), day(person.employment_end));
        let mobile = person.mobile.as_ref().map_or("", |m| m.e164());
        let public = if person.mobile_public { "yes" } else { "no" };
        let title = p.title_post.as_deref().unwrap_or("");
        text += &format!(
            "\n{}|{}|{start}|{end}|{}|{kind}|{title}|{}|{mobile}|{public}",
            person.given_name,
            person.family_name,
            p.unit,
            day(p.start)
        );
    }
    text
}

#[test]
fn a_valid_person_survives_being_written_and_read() {
    let text =
        "unit_code|posting_kind|title_post|posting_start|mobile_public\n10000035|asıl|Şef|2020-01-01|1\n10000001|vekil||2026-01-01|1";
    for known in [person(), read_over(Some(&person()), text).expect("taken").person] {
        assert_eq!(read_over(None, &to_rows(&known)).expect("taken").person, known);
    }
}

// ------------------------------------------------------------------------------------------------------------- units

fn read_tree(known: &Units, text: &str) -> (UnitRoster, Units) {
    let read = read_units(&rows(text), known, "units.csv");
    let mut after = known.clone();
    read.units.iter().for_each(|u| after.put(u.clone()));
    (read, after)
}

fn unit_of<'a>(units: &'a Units, code: &str) -> &'a Unit {
    units.get(UnitCode::parse(code).expect("a code")).expect("a unit")
}

#[test]
fn a_bad_unit_row_is_rejected_alone_and_the_same_rows_again_change_nothing() {
    let text = "code|parent_code|name|kind|province\n10000002|10000001|Ankara|Taşra|6\n1|||CENTRAL|\n10000003|10000001|Van|Taşra|99\n10000004||Van|?|\n10000005|10000001|Þube|Merkez|";
    let (read, after) = read_tree(&units(), text);
    assert_eq!((read.units.len(), read.new, read.rejected_rows), (1, 1, 4));
    assert!(read.issues.iter().all(|i| i.kind == IssueKind::InvalidUnit && i.line.is_some() && i.field.is_some()));
    assert_eq!(
        (unit_of(&after, "10000002").province.map(|p| p.plate()), unit_of(&after, "10000002").kind),
        (Some(6), UnitKind::Provincial)
    );
    assert!(read_tree(&after, text).0.units.is_empty());
}

#[test]
fn a_short_name_is_derived_where_the_name_fits_and_follows_a_new_name() {
    let long = "Çevresel Etki Değerlendirmesi İzin ve Denetim Genel Müdürlüğü Daire Başkanlığı";
    let (read, after) = read_tree(&units(), &format!("code|name|kind|short_name\n10000002|{long}|Merkez|\n10000003|{long}|Merkez|ÇED"));
    assert_eq!(read.issues.iter().map(|i| (i.kind, i.line)).collect::<Vec<_>>(), [(IssueKind::UnitShortName, Some(2))]);
    assert!(long.starts_with(&*unit_of(&after, "10000002").short_name) && utf16_len(&unit_of(&after, "10000002").short_name) <= 64);
    let (_, after) = read_tree(&after, "code|name\n10000001|Yeni Bakanlık\n10000003|Kısa Ad");
    assert_eq!((&*unit_of(&after, "10000001").short_name, &*unit_of(&after, "10000003").short_name), ("Yeni Bakanlık", "ÇED"));
}

#[test]
fn a_circle_leaves_units_where_they_were_or_is_cut_at_its_lowest_number() {
    let (_, tree) = read_tree(&units(), "code|parent_code|name|kind\n10000002|10000001|A|Merkez\n10000003|10000002|B|Merkez");
    let turned = "code|parent_code\n10000002|10000003";
    let (read, after) = read_tree(&tree, turned);
    assert!(read.units.is_empty() && read.issues.len() == 2 && read.issues.iter().all(|i| i.kind == IssueKind::UnitCircle));
    assert_eq!(unit_of(&after, "10000002").parent.map(|p| p.to_string()).as_deref(), Some("10000001"));
    let fresh = "code|parent_code|name|kind\n10000007|10000006|A|Merkez\n10000006|10000007|B|Merkez\n10000008|10000008|C|Merkez";
    let (read, after) = read_tree(&units(), fresh);
    assert_eq!((read.issues.len(), unit_of(&after, "10000006").parent, unit_of(&after, "10000008").parent), (3, None, None));
    assert!(unit_of(&after, "10000007").parent.is_some());
    assert!(read_tree(&after, fresh).0.units.is_empty(), "the same again");
}

#[test]
fn a_new_unit_below_an_unknown_one_heals_when_that_comes_and_a_known_one_stays() {
    let (read, tree) = read_tree(&units(), "code|parent_code|name|kind\n10000003|10000002|B|Merkez\n10000035|10000002|İzmir|Taşra");
    assert!(read.issues.iter().all(|i| i.kind == IssueKind::UnknownParent) && read.issues.len() == 2);
    assert_eq!(unit_of(&tree, "10000035").parent, None);
    let (read, tree) = read_tree(&tree, "code|parent_code|name|kind\n10000002|10000001|A|Merkez");
    assert!(read.issues.is_empty());
    assert_eq!(tree.upward(UnitCode::parse("10000003").expect("a code")).count(), 3);
}
