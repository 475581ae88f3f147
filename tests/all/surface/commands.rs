//! Commands in a small simulated ministry: what they print and how they end.
use super::program::{SMALL, Serving, run, text};

#[test]
fn a_ministry_is_planned_synced_and_then_at_rest() {
    let folder = tempfile::tempdir().unwrap();
    let kimlik = |arguments: &[&str]| {
        let out = run(folder.path(), arguments, SMALL);
        (out.status.code(), text(&out.stdout), text(&out.stderr))
    };
    let (code, out, err) = kimlik(&["sync"]);
    assert!(matches!(code, Some(0 | 3)), "{code:?}\n{out}{err}");
    assert!(out.contains("account opened"), "{out}");
    let (code, out, _) = kimlik(&["plan", "--json"]);
    let plan: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(code, Some(0));
    for key in ["asOf", "counts", "held", "lookedAt", "observedAt", "people"] {
        assert!(!plan[key].is_null(), "{key} is missing in {out}");
    }
    assert!(plan["counts"]["OPEN"].is_null(), "everybody was opened: {out}");
    let no = "S000001";
    let (code, out, _) = kimlik(&["receipt", "--person", no]);
    assert!(code == Some(0) && out.contains("OPEN") && out.contains("because new in HR"), "{out}");
    let (code, out, _) = kimlik(&["plan", "--person", no, "--as-of", "2030-01-01"]);
    assert!(code == Some(0) && out.contains("1 people looked at, as of 2030-01-01"), "{out}");
    let (code, _, err) = kimlik(&["plan", "--person", "X9"]);
    assert!(code == Some(1) && err.contains("nobody has the registry number X9"), "{err}");
    let (code, _, err) = kimlik(&["plan", "--unit", "123"]);
    assert!(code == Some(2) && err.contains("8 digits"), "{err}");
    let (code, out, _) = kimlik(&["doctor"]);
    assert!(code == Some(0) && out.contains("All is well"), "{out}");
    let (code, out, _) = kimlik(&["holds", "list"]);
    assert!(code == Some(0) && !out.is_empty());
    let (code, _, err) = kimlik(&["holds", "approve", "0000"]);
    assert!(code == Some(1) && err.contains("kimlik holds list"), "{err}");
    let (code, out, _) = kimlik(&["migrate"]);
    assert!(code == Some(0) && out.contains("up to date"), "{out}");
}

#[test]
fn a_file_of_this_moment_is_waited_for_and_not_left_lying() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("kimlik.toml"), "[hr]\nsource = \"csv\"\n[hr.csv]\ndirectory = \"hr\"\n").unwrap();
    std::fs::create_dir(folder.path().join("hr")).unwrap();
    std::fs::write(folder.path().join("hr/units-20260101T0000.csv"), kimlik_tests::ministry::UNITS).unwrap();
    let out = run(folder.path(), &["sync"], &[]);
    let (code, out) = (out.status.code(), text(&out.stdout) + &text(&out.stderr));
    assert!(code == Some(0) && out.contains("units-20260101T0000.csv: changed less than 5 seconds ago; waiting"), "{code:?}\n{out}");
    assert!(folder.path().join("hr/done/units-20260101T0000.csv").exists(), "{out}");
}

#[test]
fn the_contract_is_printed_without_any_settings() {
    let folder = tempfile::tempdir().unwrap();
    let out = run(folder.path(), &["schema"], &[]);
    assert_eq!(text(&out.stdout).trim_end(), kimlik_api::graphql::sdl().trim_end());
    assert!(!folder.path().join("var").exists(), "a command that prints makes no files");
}

#[test]
fn it_stops_at_once_when_told_and_goes_on_where_it_was() {
    let serving = Serving::start(&[]);
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    let (time, status, folder) = serving.stop();
    assert!(status.success() && time.as_secs() < 10, "{status} after {time:?}");
    let again = Serving::start_in(folder, &[]);
    let (_, status, _) = again.stop();
    assert!(status.success());
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = super::program::command(folder.path()).arg("schema").stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn closings_beyond_the_limit_wait_until_they_are_approved() {
    let folder = tempfile::tempdir().unwrap();
    let environment: Vec<(&str, &str)> = SMALL
        .iter()
        .copied()
        .filter(|(name, _)| !name.ends_with("PEOPLE"))
        .chain([("KIMLIK__HR__SIMULATED__PEOPLE", "200"), ("KIMLIK__HR__SIMULATED__EVENTS_PER_STEP", "30")])
        .chain([("KIMLIK__LIMITS__CLOSE", "{ absolute = 0 }"), ("KIMLIK__LIMITS__CLOSE_PER_PROVINCE", "{ absolute = 1000 }")])
        .collect();
    let kimlik = |arguments: &[&str]| {
        let out = run(folder.path(), arguments, &environment);
        (out.status.code(), text(&out.stdout) + &text(&out.stderr))
    };
    // The ministry lives on with each sync; somebody leaves soon.
    let hold = (0..10).find_map(|_| {
        let (code, _) = kimlik(&["sync"]);
        let (_, list) = kimlik(&["holds", "list"]);
        let hold = list.lines().find(|line| line.contains("  close in ")).map(|line| line[..36].to_owned());
        assert!(hold.is_none() || code == Some(3), "a run that holds something ends with 3, not {code:?}");
        hold
    });
    let hold = hold.expect("somebody leaves within ten steps");
    let (_, shown) = kimlik(&["holds", "show", &hold]);
    let no = shown.lines().find_map(|line| line.strip_suffix(" CLOSE (undecided)")).expect("a closing waits").to_owned();
    let (code, said) = kimlik(&["holds", "approve", &hold[28..], "--person", &no, "--note", "seen by the head of personnel"]);
    assert!(code == Some(0) && said.contains("approved"), "{said}");
    let (code, said) = kimlik(&["sync", "--person", &no]);
    assert!(code == Some(0) && said.contains("account closed"), "{said}");
    let (_, receipt) = kimlik(&["receipt", "--person", &no]);
    assert!(receipt.contains("CLOSE  Done") && receipt.contains("is Closed"), "{receipt}");
}
