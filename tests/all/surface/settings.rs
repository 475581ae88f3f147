//! Settings that cannot be used: each answer names the setting, what was found and what to do; no secret, no backtrace.
use super::program::{run, text};
use std::os::unix::fs::PermissionsExt;

const SECRET: &str = "horse-4711-staple";

/// The whole answer, after what holds for every one of them.
fn refused(config: &str, environment: &[(&str, &str)], setting: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    if !config.is_empty() {
        std::fs::write(folder.path().join("kimlik.toml"), config).unwrap();
    }
    std::fs::write(folder.path().join("password"), SECRET).unwrap();
    std::fs::write(folder.path().join("ca.pem"), "no certificate").unwrap();
    let out = run(folder.path(), &["plan"], environment);
    let said = text(&out.stderr) + &text(&out.stdout);
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(said.contains(setting), "does not name {setting}: {said}");
    assert!(said.contains("to do: "), "says nothing to do: {said}");
    for word in [SECRET, "panicked", "stack backtrace", "src/", "RUST_BACKTRACE"] {
        assert!(!said.contains(word), "{word} in: {said}");
    }
    said
}

const AD: &str = r#"
[hr]
source = "csv"
csv.directory = "."
[directory]
kind = "active_directory"
[directory.active_directory]
urls = ["ldaps://dc1.csb.test:636"]
ca_file = "ca.pem"
bind_dn = "svc-kimlik@csb.test"
bind_password_file = "password"
base_dn = "OU=CSB,DC=csb,DC=test"
upn_suffix = "csb.test"
"#;

#[test]
fn a_file_that_is_no_toml_is_named_with_its_line() {
    let said = refused("[server]\nlisten = \"127.0.0.1:1\nx = 1\n", &[], "kimlik.toml line 2");
    assert!(said.contains("server.listen"), "{said}");
}

#[test]
fn an_unknown_key_is_answered_with_the_nearest() {
    let said = refused("[hr]\npol_seconds = 3\n", &[], "hr.pol_seconds");
    assert!(said.contains("`poll_seconds`") && said.contains("line 2"), "{said}");
}

#[test]
fn a_variable_of_the_environment_is_named() {
    refused("", &[("KIMLIK__HR__SOURCE", "cvs")], "KIMLIK__HR__SOURCE");
}

#[test]
fn the_simulated_ministry_does_not_run_against_a_real_directory() {
    refused(&AD.replace("source = \"csv\"\n", ""), &[], "hr.source");
}

#[test]
fn plain_ldap_is_refused() {
    let said = refused(&AD.replace("ldaps://", "ldap://"), &[], "directory.active_directory.urls");
    assert!(said.contains("use ldaps://"), "{said}");
}

#[test]
fn a_certificate_file_without_a_certificate_is_named() {
    refused(AD, &[], "directory.active_directory.ca_file");
}

#[test]
fn files_that_are_not_there_are_named() {
    refused(&AD.replace("\"password\"", "\"nowhere\""), &[], "directory.active_directory.bind_password_file");
    refused(&AD.replace("\"ca.pem\"", "\"nowhere\""), &[], "directory.active_directory.ca_file");
    refused("[hr]\nsource = \"csv\"\ncsv.directory = \"nowhere\"\n", &[], "hr.csv.directory");
}

#[test]
fn postgresql_without_secrets_is_refused() {
    let said = refused("", &[("KIMLIK__DATABASE__URL", "postgres://kimlik:horse-4711-staple@127.0.0.1:1/kimlik")], "secrets.dir");
    assert!(said.contains("encryption.key") && said.contains("pepper.key"), "{said}");
}

#[test]
fn a_database_that_is_away_is_named_without_its_password() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["encryption.key", "pepper.key"] {
        std::fs::write(folder.path().join(name), "5a".repeat(32)).unwrap();
    }
    let dir = folder.path().display().to_string();
    let url = format!("postgres://kimlik:{SECRET}@127.0.0.1:1/kimlik");
    refused("", &[("KIMLIK__DATABASE__URL", &url), ("KIMLIK__SECRETS__DIR", &dir)], "database.url");
}

#[test]
fn an_address_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let out = run(folder.path(), &["serve"], &[("KIMLIK__SERVER__LISTEN", &taken.local_addr().unwrap().to_string())]);
    let said = text(&out.stderr);
    assert!(out.status.code() == Some(1) && said.contains("server.listen") && said.contains("in use"), "{said}");
}

#[test]
fn groups_and_places_outside_the_base_are_refused() {
    refused("[[groups]]\ngroup = \"CN=Domain Admins,CN=Users,DC=csb,DC=test\"\n", &[], "groups");
    refused("[placement]\nrules = [{ ou = \"OU={provinz}\" }]\n", &[], "placement.rules");
}

#[test]
fn a_database_whose_keys_are_lost_gets_no_new_ones() {
    let folder = tempfile::tempdir().unwrap();
    let out = run(folder.path(), &["plan"], super::program::SMALL);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let key = folder.path().join("var/secrets/encryption.key");
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(key.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    std::fs::remove_dir_all(key.parent().unwrap()).unwrap();
    let out = run(folder.path(), &["plan"], super::program::SMALL);
    let said = text(&out.stderr);
    assert!(out.status.code() == Some(1) && said.contains("secrets.dir") && said.contains("put the files"), "{said}");
    assert!(!key.exists());
}

#[test]
fn a_secret_that_others_can_read_is_said_by_the_doctor() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["plan"], super::program::SMALL);
    let key = folder.path().join("var/secrets/pepper.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let said = text(&run(folder.path(), &["doctor"], super::program::SMALL).stdout);
    assert!(said.contains("pepper.key can be read by others") && said.contains("chmod 600"), "{said}");
}

#[test]
fn settings_of_the_documentation_can_be_used() {
    let page = include_str!("../../../docs/operators/settings.md");
    let blocks: Vec<&str> = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() >= 3, "the page shows examples");
    for block in blocks {
        kimlik_api::config::load::load(Some((std::path::Path::new("settings.md"), block)), []).unwrap_or_else(|e| panic!("{e}\n{block}"));
    }
}

#[test]
fn a_rule_of_the_card_that_cannot_be_used_and_a_mailbox_without_a_routing_domain_are_refused() {
    refused("[card.mapping]\ntitle = \"{titel}\"\n", &[], "card.mapping.title");
    refused("[card.mapping]\ndepartment = \"{attr_1}\"\n", &[], "card.mapping.department");
    let listed = "[card]\naddress_lists = [\"extensionAttribute3\"]\n";
    let said = refused(&format!("{listed}[card.mapping]\nextensionAttribute3 = \"{{attr_3}}\"\n"), &[], "card.mapping.extensionAttribute3");
    assert!(said.contains("free text"), "{said}");
    refused(listed, &[], "card.address_lists");
    refused("[card]\naddress_lists = [\"title\"]\n", &[], "card.address_lists");
    refused("[card]\nphotos = \"/nowhere/photos\"\n", &[], "card.photos");
    refused("[exchange]\nmailboxes = \"remote\"\n", &[], "exchange.routing_domain");
    refused("[exchange]\nmailbox_retention_days = 0\n", &[], "exchange.mailbox_retention_days");
    refused("[names]\nkeep_aliases_days = 0\n", &[], "names.keep_aliases_days");
    refused("[exchange]\nmailboxes = \"command\"\n", &[], "exchange.command.program");
    refused("[exchange]\nmailboxes = \"command\"\n[exchange.command]\nprogram = \"mailbox\"\n", &[], "exchange.command.program");
    refused(
        "[exchange]\nmailboxes = \"command\"\n[exchange.command]\nprogram = \"/bin/true\"\nat_once = 0\n",
        &[],
        "exchange.command.at_once",
    );
    let page = include_str!("../../../docs/operators/exchange.md");
    for block in page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()) {
        kimlik_api::config::load::load(Some((std::path::Path::new("exchange.md"), block)), []).unwrap_or_else(|e| panic!("{e}\n{block}"));
    }
}

#[test]
fn a_text_that_costs_more_parts_than_are_allowed_is_refused_with_its_number() {
    let long = "Değerli çalışanımız, şifrenizi yenileme kodunuz aşağıdadır; süresi dolmadan kullanınız, kimseyle paylaşmayınız.".repeat(2);
    let config = format!("[sms.templates.tr]\nreset_code = \"{long} {{code}}\"\n");
    let said = refused(&config, &[], "sms.templates.tr.reset_code");
    assert!(said.contains("4 parts") && said.contains("2 are allowed"), "{said}");
}

#[test]
fn limits_that_would_let_nobody_or_everybody_through_are_refused() {
    refused("[password]\nreset_proof = \"sms+anything\"\n", &[], "password.reset_proof");
    for setting in ["password.codes_per_person", "password.codes_per_number", "phones.codes_per_person", "phones.codes_per_number"] {
        let (section, name) = setting.split_once('.').unwrap();
        for found in ["0", "21"] {
            refused(&format!("[{section}]\n{name} = {found}\n"), &[], setting);
        }
    }
    for found in ["0", "721"] {
        refused(&format!("[password]\nactivation_hours = {found}\n"), &[], "password.activation_hours");
    }
    for setting in ["password.tries_in_all", "password.codes_per_officer", "phones.codes_per_address"] {
        let (section, name) = setting.split_once('.').unwrap();
        refused(&format!("[{section}]\n{name} = 0\n"), &[], setting);
    }
}
