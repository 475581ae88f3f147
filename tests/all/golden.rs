//! Golden scenarios: each `tests/golden/*.txt` is a story; its transcript stands beside it and is what a reviewer reads.
use kimlik_tests::ministry::Ministry;
use kimlik_tests::scenario::play;

async fn golden(name: &str) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/golden");
    let text = std::fs::read_to_string(format!("{folder}/{name}.txt")).expect("the scenario");
    let ministry = Ministry::small("2026-12-01").await;
    ministry.units().await;
    let transcript = play(&ministry, &text).await;
    insta::with_settings!({ snapshot_path => folder, prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, transcript);
    });
}

macro_rules! scenarios {
    ($($name:ident)*) => { $(#[tokio::test] async fn $name() { golden(stringify!($name)).await; })* };
}
scenarios! {
    opening
    future_hire_and_one_taken_back
    leaver
    return_of_a_leaver
    leave_and_suspension
    suspension_by_order
    disabled_by_hand_and_suspended
    first_day_moved_by_mistake
    transfer_in_two_steps
    secondment_and_acting
    marriage_and_homonyms
    names_by_order
    reorganisation
    repairs
    takeover
    adoption_by_order
    brakes
    explanations
}

#[test]
fn every_story_is_played() {
    let source = include_str!("golden.rs");
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/golden")).expect("the folder") {
        let name = file.expect("a file").file_name().into_string().expect("a name");
        if let Some(name) = name.strip_suffix(".txt") {
            assert!(source.lines().any(|l| l.trim() == name), "tests/golden/{name}.txt is played by no test");
        }
    }
}
