//! What settings must hold together before anything is started. Looks at nothing but settings and whether files are there.
use super::{Config, Fault, Faults, HrSource};
use kimlik_domain::staff::{Effect, feed::Field};
use std::path::Path;

/// All faults at once.
pub fn check(config: &Config) -> Result<(), Faults> {
    let mut faults = Vec::new();
    server(config, &mut faults);
    database(config, &mut faults);
    hr(config, &mut faults);
    if !config.directory.is_embedded() {
        active_directory(config, &mut faults);
    }
    ous(config, &mut faults);
    names(config, &mut faults);
    config.card.check(&mut faults);
    config.exchange.check(&mut faults);
    limits(config, &mut faults);
    super::access::check(config, &mut faults);
    super::sms::check(config, &mut faults);
    super::mail::check(config, &mut faults);
    super::told::check(config, &mut faults);
    super::webhooks::check(config, &mut faults);
    super::password::check(config, &mut faults);
    super::issues::check(config, &mut faults);
    super::phones::check(config, &mut faults);
    if faults.is_empty() { Ok(()) } else { Err(Faults(faults)) }
}

fn server(config: &Config, faults: &mut Vec<Fault>) {
    let url = &config.server.public_url;
    if !url.starts_with("http://") && !url.starts_with("https://") {
        faults.push(Fault::new("server.public_url", shown(url), "write the address that people use, with https:// before it"));
    } else if !config.server.listen.ip().is_loopback() && !url.starts_with("https://") {
        let found = format!("{}, with server.listen {}: passwords would cross the network unencrypted", shown(url), config.server.listen);
        let mend = "put a proxy that speaks TLS before Kimlik and write its https:// address, or listen on 127.0.0.1 only";
        faults.push(Fault::new("server.public_url", found, mend));
    }
}

fn database(config: &Config, faults: &mut Vec<Fault>) {
    let url = &config.database.url;
    let known = ["sqlite:", "postgres://", "postgresql://"].iter().any(|s| url.starts_with(s));
    if !known {
        let scheme = url.split(':').next().filter(|s| s.len() < url.len()).unwrap_or("");
        let found = if scheme.is_empty() { "no address of a database".to_owned() } else { format!("an address with {scheme}:") };
        faults.push(Fault::new("database.url", found, "write sqlite://<file> or postgres://<user>@<host>/<database>"));
    }
    if config.directory.is_embedded() && config.database.file().is_some_and(|f| f == config.directory.embedded.file) {
        let found = format!("{}, the file of the database", config.directory.embedded.file.display());
        faults.push(Fault::new("directory.embedded.file", found, "give the embedded directory a file of its own"));
    }
}

fn hr(config: &Config, faults: &mut Vec<Fault>) {
    let hr = &config.hr;
    if hr.source == HrSource::Simulated && !config.directory.is_embedded() {
        faults.push(Fault::new(
            "hr.source",
            "simulated, with directory.kind = \"active_directory\"",
            "set hr.source to \"csv\" or \"rest\": invented people do not go into a real directory",
        ));
    }
    if hr.poll_seconds == Some(0) {
        faults.push(Fault::new("hr.poll_seconds", "0", "write at least 1"));
    }
    if hr.source == HrSource::Csv && !hr.csv.directory.is_dir() {
        let found = format!("{}, which is no folder that can be read", hr.csv.directory.display());
        faults.push(Fault::new("hr.csv.directory", found, "make the folder, or write the one that HR drops its files into"));
    }
    if hr.source == HrSource::Simulated && !(10..=200_000).contains(&hr.simulated.people) {
        faults.push(Fault::new("hr.simulated.people", hr.simulated.people.to_string(), "write a number from 10 to 200000"));
    }
    if hr.source == HrSource::Rest {
        rest(config, faults);
    }
    for (code, effect) in &hr.reasons {
        if Effect::parse(effect).is_none() {
            let mend = "write one of: open, keep, move, suspend, reinstate, close, close_now, withdraw, hold";
            faults.push(Fault::new(format!("hr.reasons.{code}"), shown(effect), mend));
        }
    }
    for (column, field) in &hr.fields {
        if Field::parse(field).is_none() {
            let mend = "write a field of the feed contract, such as registry_no or unit_code";
            faults.push(Fault::new(format!("hr.fields.{column}"), shown(field), mend));
        }
    }
}

fn rest(config: &Config, faults: &mut Vec<Fault>) {
    let rest = &config.hr.rest;
    let url = rest.base_url.as_str();
    let loopback = ["http://127.0.0.1", "http://localhost", "http://[::1]"]
        .iter()
        .any(|l| url.strip_prefix(l).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/'])));
    if url.is_empty() {
        faults.push(Fault::new("hr.rest.base_url", "nothing", "write the address of HR's feed, with https:// before it"));
    } else if !url.starts_with("https://") && !loopback {
        faults.push(Fault::new("hr.rest.base_url", shown(url), "use https://: national ids are in the feed"));
    }
    file_if_named("hr.rest.token_file", &rest.token_file, faults);
    file_if_named("hr.rest.ca_file", &rest.ca_file, faults);
}

fn active_directory(config: &Config, faults: &mut Vec<Fault>) {
    let ad = &config.directory.active_directory;
    let name = |key: &str| format!("directory.active_directory.{key}");
    let mut need = |key: &str, value: &str, mend: &str| {
        if value.trim().is_empty() {
            faults.push(Fault::new(name(key), "nothing", mend));
        }
    };
    need("bind_dn", &ad.bind_dn, "write the account that Kimlik signs in with, such as svc-kimlik@csb.test");
    need("base_dn", &ad.base_dn, "write the DN under which Kimlik may work; everything outside is left alone");
    need("upn_suffix", &ad.upn_suffix, "write what stands behind the @ of user principal names");
    if ad.urls.is_empty() {
        faults.push(Fault::new(name("urls"), "no domain controller", "write [\"ldaps://dc1.csb.test:636\"], one for each controller"));
    }
    for url in &ad.urls {
        if !url.starts_with("ldaps://") {
            faults.push(Fault::new(name("urls"), shown(url), "use ldaps://: passwords are set over this connection"));
        }
    }
    required_file(
        &name("ca_file"),
        &ad.ca_file,
        "write the file with the certificate of the authority that signed the controllers'",
        faults,
    );
    required_file(&name("bind_password_file"), &ad.bind_password_file, "write the file that holds the password of bind_dn", faults);
    if !ad.base_dn.is_empty() && !ad.base_dn.to_ascii_uppercase().contains("DC=") {
        faults.push(Fault::new(name("base_dn"), shown(&ad.base_dn), "write a whole DN, such as OU=CSB,DC=csb,DC=test"));
    }
    for (key, value, least) in
        [("timeout_seconds", ad.timeout_seconds, 1), ("in_flight", ad.in_flight, 1), ("drift_minutes", ad.drift_minutes, 1)]
    {
        if value < least {
            faults.push(Fault::new(name(key), value.to_string(), format!("write at least {least}")));
        }
    }
}

fn ous(config: &Config, faults: &mut Vec<Fault>) {
    let ad = &config.directory.active_directory;
    for (key, ou) in [("closed_ou", &ad.closed_ou), ("default_ou", &ad.default_ou)] {
        let whole = ou.to_ascii_uppercase().contains("DC=");
        if whole || !ou.to_ascii_uppercase().starts_with("OU=") {
            faults.push(Fault::new(
                format!("directory.active_directory.{key}"),
                shown(ou),
                "write it as it stands below base_dn: OU=<name>",
            ));
        }
    }
    if config.directory.closed_ou() == config.directory.default_ou() {
        let mend = "give leavers an OU of their own: what is in closed_ou counts as closed";
        faults.push(Fault::new("directory.active_directory.closed_ou", "the same OU as default_ou", mend));
    }
    let known = ["province_name", "province", "top_unit", "unit", "unit_code"];
    for rule in &config.placement.rules {
        if let Some(unknown) = unknown_placeholder(&rule.ou, &known) {
            let mend = format!("use {}", known.map(|k| format!("{{{k}}}")).join(", "));
            faults.push(Fault::new("placement.rules", format!("{unknown} in \"{}\"", rule.ou), mend));
        }
        if !rule.ou.to_ascii_uppercase().starts_with("OU=") || rule.ou.to_ascii_uppercase().contains("DC=") {
            faults.push(Fault::new("placement.rules", shown(&rule.ou), "write the OU as it stands below the base: OU=<name>,OU=<name>"));
        }
        if rule.province.is_some_and(|p| !(1..=81).contains(&p)) {
            faults.push(Fault::new("placement.rules", "a province that there is not", "write a plate number from 1 to 81"));
        }
    }
    let base = config.directory.base();
    for rule in &config.groups {
        if !rule.group.is_within(&base) {
            let mend = format!("name a group below {base}: Kimlik changes nothing outside");
            faults.push(Fault::new("groups", format!("group \"{}\"", rule.group), mend));
        }
    }
}

fn names(config: &Config, faults: &mut Vec<Fault>) {
    let names = &config.names;
    let known = ["given", "given1", "g", "family", "family1", "n"];
    for pattern in &names.username {
        if let Some(unknown) = unknown_placeholder(pattern, &known) {
            let mend = format!("use {}", known.map(|k| format!("{{{k}}}")).join(", "));
            faults.push(Fault::new("names.username", format!("{unknown} in \"{pattern}\""), mend));
        }
    }
    if names.username.is_empty() {
        faults.push(Fault::new("names.username", "no pattern", "write at least one, such as \"{given}.{family}\""));
    }
    let domain = &names.mail_domain;
    if domain.is_empty() || !domain.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-')) {
        faults.push(Fault::new("names.mail_domain", shown(domain), "write what stands behind the @, in ASCII: csb.gov.tr"));
    }
    if let Some(days) = names.keep_aliases_days.filter(|days| !(1..=36_500).contains(days)) {
        faults.push(Fault::new(
            "names.keep_aliases_days",
            days.to_string(),
            "write a number of days from 1 to 36500, or nothing: for ever",
        ));
    }
}

fn limits(config: &Config, faults: &mut Vec<Fault>) {
    for (name, limit) in config.limits.named() {
        let setting = format!("limits.{}", name.trim_start_matches("r#"));
        if limit.percent.is_some_and(|p| !(0.0..=100.0).contains(&p)) {
            faults.push(Fault::new(setting, format!("{} percent", limit.percent.unwrap_or_default()), "write a number from 0 to 100"));
        } else if limit.percent.is_none() && limit.absolute.is_none() {
            faults.push(Fault::new(setting, "a limit without percent and absolute", "write one of them, or both"));
        }
    }
}

fn unknown_placeholder(text: &str, known: &[&str]) -> Option<String> {
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let Some(close) = rest[open..].find('}') else { return Some(rest[open..].to_owned()) };
        let name = &rest[open + 1..open + close];
        if !known.contains(&name) {
            return Some(format!("{{{name}}}"));
        }
        rest = &rest[open + close + 1..];
    }
    None
}

pub(super) fn required_file(setting: &str, path: &Path, mend: &str, faults: &mut Vec<Fault>) {
    if path.as_os_str().is_empty() {
        faults.push(Fault::new(setting, "nothing", mend));
    } else {
        file_if_named(setting, path, faults);
    }
}

pub(super) fn file_if_named(setting: &str, path: &Path, faults: &mut Vec<Fault>) {
    if path.as_os_str().is_empty() {
        return;
    }
    if let Err(fault) = std::fs::File::open(path) {
        let found = format!("{}: {}", path.display(), plain(&fault));
        faults.push(Fault::new(setting, found, "name a file that Kimlik's user can read"));
    }
}

/// The system's words without its numbers.
pub fn plain(fault: &std::io::Error) -> String {
    match fault.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".into(),
        std::io::ErrorKind::PermissionDenied => "no right to open it".into(),
        std::io::ErrorKind::AddrInUse => "the address is in use".into(),
        _ => fault.to_string().split(" (os error").next().unwrap_or_default().to_owned(),
    }
}

fn shown(text: &str) -> String {
    if text.is_empty() { "nothing".into() } else { format!("\"{text}\"") }
}
