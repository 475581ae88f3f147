//! docs/integrators/guide.md, carried out block by block at the real program (tests/web/guide.mjs says how).
use crate::access_matrix::people;
use crate::surface::program::{Serving, moment_in, text};
use kimlik_tests::lab::node;
use serde_json::{Value, json};

#[tokio::test]
async fn the_first_hour_of_an_integrator_is_as_the_guide_says() {
    let serving = Serving::start(&[]);
    people(&serving).await;
    let password = std::fs::read_to_string(serving.folder.path().join("var/secrets/administrator.password")).unwrap();
    let given = json!({ "KIMLIK": serving.url(""), "PASSWORD": password.trim(), "IN_HALF_A_YEAR": moment_in(180) }).to_string();
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/integrators/guide.md");
    let out = tokio::task::spawn_blocking(move || node::script("guide.mjs", &[guide, &given])).await.unwrap();
    let told: Value = serde_json::from_str(text(&out.stdout).lines().last().unwrap_or_default())
        .unwrap_or_else(|_| panic!("{} {}", text(&out.stdout), text(&out.stderr)));
    let wrong: Vec<&str> = told["wrong"].as_array().unwrap().iter().map(|w| w.as_str().unwrap()).collect();
    assert!(wrong.is_empty(), "the guide is not true:\n{}", wrong.join("\n"));
    assert!(told["done"].as_u64() > Some(20), "{told}");
}
