//! An extension without any line, neither the person's nor a unit's: the card shows what the directory shows.
use crate::desk_lab::FIRST as PASSWORD;
use crate::desk_page::{directory_of, give_password, seen};
use crate::surface::program::{Serving, run, text};
use kimlik_domain::account::Attribute;
use kimlik_domain::ports::{Clock as _, Directory as _, SignIn as _};
use kimlik_tests::ministry::{STAFF_HEADER, UNITS, national_id};
use serde_json::json;
use std::path::Path;

fn deliver(folder: &Path, name: &str, lines: &str) {
    let file = folder.join("hr").join(name);
    std::fs::write(&file, lines).unwrap();
    let rested = kimlik_adapters::system::SystemClock.now() - chrono::TimeDelta::seconds(60);
    std::fs::File::options().write(true).open(&file).unwrap().set_modified(rested.into()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_extension_without_a_line_stands_on_the_card_as_it_does_in_the_directory() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::create_dir_all(here.join("hr")).unwrap();
    std::fs::write(here.join("kimlik.toml"), "[hr]\nsource = \"csv\"\n[hr.csv]\ndirectory = \"hr\"\n").unwrap();
    let without_lines = UNITS.replace("+90 312 410 10 00", "");
    assert_ne!(without_lines, UNITS);
    deliver(here, "units-20260101T0000.csv", &without_lines);
    let row = |n: u32, name: &str, line: &str, extension: &str| {
        let id = national_id(n);
        format!("S{n:03};{id};{name};ACTIVE;1;2020-01-06;;PERMANENT;20000006;Mühendis;;2020-01-06;;0532111000{n};{line};{extension};B-12\n")
    };
    let rows = [row(1, "AYŞE;ŞAHİN", "", ""), row(2, "MEHMET;DEMİR", "", "1234"), row(3, "İPEK;IŞIK", "0312 410 10 01", "77")].concat();
    deliver(here, "staff-delta-20260101T0001.csv", &format!("{STAFF_HEADER}\n{rows}"));
    let out = run(here, &["sync"], &[]);
    assert!(out.status.success(), "{} {}", text(&out.stdout), text(&out.stderr));
    let serving = Serving::start_in(folder, &[("KIMLIK__HR__POLL_SECONDS", "1")]);
    serving.at_rest().await;

    let cards = serving.ask("{ identityCards(first: 5) { nodes { id username workPhone { number extension } } } }").await;
    let nodes = cards["data"]["identityCards"]["nodes"].as_array().unwrap_or_else(|| panic!("{cards}"));
    let of = |name: &str| nodes.iter().find(|n| n["username"] == name).unwrap_or_else(|| panic!("{name}: {cards}"));
    assert_eq!(of("ayse.sahin")["workPhone"], json!(null), "who has neither has no work phone");
    assert_eq!(of("mehmet.demir")["workPhone"], json!({ "number": null, "extension": "1234" }));
    assert_eq!(of("ipek.isik")["workPhone"], json!({ "number": "+903124101001", "extension": "77" }));

    let directory = directory_of(&serving).await;
    let account = directory.account_named("mehmet.demir").await.unwrap().unwrap();
    let held = directory.observe(&[account]).await.unwrap();
    let shown = held[0].attributes.text(Attribute::WorkPhone).map(str::to_owned);
    directory.close().await;
    assert_eq!(shown.as_deref(), Some("1234"));

    give_password(&serving, "ayse.sahin", PASSWORD).await;
    let card = format!("/kart#kart/{}", of("mehmet.demir")["id"].as_str().unwrap());
    let told = seen(&serving, "extension.mjs", &card, &["ayse.sahin", PASSWORD]).await;
    assert_eq!((&told["turkish"], &told["english"]), (&json!("dahili 1234"), &json!("extension 1234")), "{told}");
    assert_eq!((&told["links"], &told["overflow"]), (&json!(0), &json!([false, false])), "nothing to call from outside: {told}");
}
