//! The schema, as other people's linters and compilers see it (tests/web/schema-rules.mjs, where the exceptions stand).
use crate::surface::program::{run, text};
use kimlik_tests::lab::node;

#[test]
fn the_schema_passes_the_linters_and_compilers_of_its_users() {
    let folder = tempfile::tempdir().unwrap();
    let out = run(folder.path(), &["schema"], &[]);
    let path = folder.path().join("schema.graphql");
    std::fs::write(&path, &out.stdout).unwrap();
    let out = node::script("schema-rules.mjs", &[path.to_str().unwrap()]);
    let said = text(&out.stdout);
    assert_eq!(said.lines().last(), Some("[]"), "{said} {}", text(&out.stderr));
}
