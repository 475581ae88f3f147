//! Where settings come from: a file, and over it the environment (`KIMLIK__DATABASE__URL=…`). Decides nothing but who wins,
//! and says of every fault which setting it is and where it stands.
use super::{Config, Fault, Faults};
use std::path::Path;
use toml::{Table, Value};

pub const PREFIX: &str = "KIMLIK__";

/// `file`: the path as people know it, and the text. `environment`: everything that is set; the rest is not ours.
pub fn load(file: Option<(&Path, &str)>, environment: impl IntoIterator<Item = (String, String)>) -> Result<Config, Faults> {
    let mut table = Table::new();
    let mut config = Config::default();
    if let Some((path, text)) = file {
        // Why the whole struct and then the table again: only the text knows its lines, only the table can be laid over.
        config = toml::from_str(text).map_err(|e| Faults(vec![file_fault(path, text, &e)]))?;
        table = toml::from_str(text).map_err(|e| Faults(vec![file_fault(path, text, &e)]))?;
    }
    let mut ours: Vec<(String, String)> = environment.into_iter().filter(|(name, _)| name.starts_with(PREFIX)).collect();
    ours.sort();
    let mut faults = Vec::new();
    for (name, text) in ours {
        match lay_over(&table, &name, &text) {
            Ok((with, made)) => (table, config) = (with, made),
            Err(fault) => faults.push(fault),
        }
    }
    if file.is_none() && table.get("server").and_then(|server| server.get("public_url")).is_none() {
        follow_the_port(&mut config);
    }
    if faults.is_empty() { Ok(config) } else { Err(Faults(faults)) }
}

/// What is looked at on this machine is found where it listens. Why without a file only: a ministry's people come through a proxy, and
/// its replicas must be called by one name, which is in their tokens.
fn follow_the_port(config: &mut Config) {
    let listen = config.server.listen;
    // Port 0 is one that nobody knows yet.
    if listen.ip().is_loopback() && listen.port() != 0 {
        config.server.public_url = format!("http://{listen}");
    }
}

fn lay_over(table: &Table, name: &str, text: &str) -> Result<(Table, Config), Fault> {
    let path: Vec<String> = name[PREFIX.len()..].split("__").map(str::to_ascii_lowercase).collect();
    let setting = path.join(".");
    let as_toml = toml::from_str::<Table>(&format!("x = {text}")).ok().and_then(|mut t| t.remove("x"));
    // Why text first: a password or a unit code made of digits is a text; where a number is wanted, text does not fit.
    let candidates = [Some(Value::String(text.to_owned())), as_toml];
    let mut last = None;
    for value in candidates.into_iter().flatten() {
        let mut with = table.clone();
        if !put(&mut with, &path, value) {
            break;
        }
        match with.clone().try_into::<Config>() {
            Ok(config) => return Ok((with, config)),
            Err(e) => last = Some(e),
        }
    }
    let message = last.map_or_else(|| "there is no such section".to_owned(), |e| e.message().to_owned());
    let (found, mend) = explain(&message, path.last().map_or("", String::as_str));
    Err(Fault { setting, place: format!("environment variable {name}"), found, mend })
}

/// False: a part of the path is a value, not a section.
fn put(table: &mut Table, path: &[String], value: Value) -> bool {
    let Some((key, deeper)) = path.split_first() else { return false };
    if key.is_empty() {
        return false;
    }
    if deeper.is_empty() {
        table.insert(key.clone(), value);
        return true;
    }
    match table.entry(key.clone()).or_insert_with(|| Value::Table(Table::new())) {
        Value::Table(inner) => put(inner, deeper, value),
        _ => false,
    }
}

fn file_fault(path: &Path, text: &str, error: &toml::de::Error) -> Fault {
    let at = error.span().map_or(0, |s| s.start).min(text.len());
    let line = text[..at].matches('\n').count() + 1;
    let (setting, key) = setting_at(text, at);
    let (found, mend) = explain(error.message(), &key);
    Fault { setting, place: format!("{} line {line}", path.display()), found, mend }
}

/// The setting that stands at `at`: the section's header above it, and the key of its line. An estimate for people.
fn setting_at(text: &str, at: usize) -> (String, String) {
    let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let line = text[start..].lines().next().unwrap_or("");
    let header = |line: &str| {
        let line = line.trim();
        line.strip_prefix('[').map(|l| l.trim_matches(|c| c == '[' || c == ']').split(']').next().unwrap_or("").trim().to_owned())
    };
    if let Some(section) = header(line) {
        let key = section.rsplit('.').next().unwrap_or("").to_owned();
        return (section, key);
    }
    let section = text[..start].lines().rev().find_map(header);
    let key = line.split_once('=').map_or(line, |(key, _)| key).trim().trim_matches('"').to_owned();
    // Inside `{ … }` the key at hand is the word at the place of the fault.
    let word: String = text[at..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let inner = (at > start + line.len() - line.trim_start().len() && line[..at - start].contains('{') && !word.is_empty()).then_some(word);
    let setting = [section.as_deref(), Some(key.as_str()), inner.as_deref()].into_iter().flatten().filter(|p| !p.is_empty());
    (setting.collect::<Vec<_>>().join("."), inner.clone().unwrap_or(key))
}

/// What was found and what to do, from the words of the parser.
fn explain(message: &str, key: &str) -> (String, String) {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let choices = || quoted.get(1..).unwrap_or_default();
    if message.starts_with("unknown field") {
        let unknown = quoted.first().copied().unwrap_or(key);
        let nearest = nearest(unknown, choices());
        let mend = match nearest {
            Some(near) => format!("write `{near}`, or take the line out"),
            None => format!("take it out; known here: {}", choices().join(", ")),
        };
        return (format!("`{unknown}`, which Kimlik does not know"), mend);
    }
    if message.starts_with("unknown variant") {
        let unknown = quoted.first().copied().unwrap_or("");
        let mend = match nearest(unknown, choices()) {
            Some(near) => format!("write \"{near}\" (one of: {})", choices().join(", ")),
            None => format!("write one of: {}", choices().join(", ")),
        };
        return (format!("\"{unknown}\""), mend);
    }
    if message.contains("socket address") {
        return ("no address with a port".into(), "write it as 127.0.0.1:8080".into());
    }
    if let Some(rest) = message.strip_prefix("missing field ") {
        return (format!("nothing for {rest}"), "write it".into());
    }
    // Why the value is cut out: `invalid type: string "…"` would print a secret that somebody put into the wrong line.
    if let Some((found, expected)) = message.split_once(", expected ") {
        let kind = found.trim_start_matches("invalid type: ").trim_start_matches("invalid value: ");
        let kind = kind.split(['"', '`']).next().unwrap_or(kind).trim();
        return (format!("a {kind}"), format!("write {expected}"));
    }
    (message.lines().next().unwrap_or("").to_owned(), "mend the line; kimlik.example.toml shows how each setting is written".into())
}

/// Two letters changed places, one too many, or a word like it.
fn nearest<'a>(unknown: &str, known: &[&'a str]) -> Option<&'a str> {
    let unknown = unknown.to_ascii_lowercase();
    let slips = |k: &&str| strsim::osa_distance(&unknown, k);
    let near = |k: &&str| slips(k) <= 2.min(k.len() / 2) || strsim::jaro_winkler(&unknown, k) > 0.8;
    known.iter().copied().filter(near).min_by_key(slips)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::HrSource;

    fn file(text: &str) -> Result<Config, Faults> {
        load(Some((Path::new("kimlik.toml"), text)), [])
    }
    fn fault(text: &str) -> Fault {
        file(text).unwrap_err().0.remove(0)
    }
    fn env(name: &str, value: &str) -> Result<Config, Faults> {
        load(None, [(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn the_example_file_says_the_defaults() {
        let text = include_str!("../../../kimlik.example.toml");
        let mut example = file(text).unwrap();
        // What a real directory needs and no default can know is shown in the example.
        example.directory.active_directory = Config::default().directory.active_directory;
        example.hr.reasons.clear();
        example.hr.poll_seconds = None;
        example.groups.clear();
        assert_eq!(example, Config::default());
    }

    #[test]
    fn without_a_file_people_are_told_the_port_that_is_listened_on() {
        let told = |config: Result<Config, Faults>| config.unwrap().server.public_url;
        assert_eq!(told(load(None, [])), Config::default().server.public_url);
        assert_eq!(told(env("KIMLIK__SERVER__LISTEN", "127.0.0.1:8099")), "http://127.0.0.1:8099");
        assert_eq!(told(env("KIMLIK__SERVER__LISTEN", "[::1]:8099")), "http://[::1]:8099");
        for listen in ["127.0.0.1:0", "0.0.0.0:8099"] {
            assert_eq!(told(env("KIMLIK__SERVER__LISTEN", listen)), Config::default().server.public_url, "{listen}");
        }
        let both = [("KIMLIK__SERVER__LISTEN", "127.0.0.1:8099"), ("KIMLIK__SERVER__PUBLIC_URL", "https://parola.csb.test")];
        assert_eq!(told(load(None, both.map(|(name, value)| (name.to_owned(), value.to_owned())))), "https://parola.csb.test");
        assert_eq!(told(file("[server]\nlisten = \"127.0.0.1:8099\"\n")), Config::default().server.public_url, "a file says it itself");
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_the_nearest_one() {
        let fault = fault("[server]\nlisten = \"127.0.0.1:1\"\n\n[directory.active_directory]\nbase_db = \"x\"\n");
        assert_eq!(fault.setting, "directory.active_directory.base_db");
        assert_eq!(fault.place, "kimlik.toml line 5");
        assert!(fault.found.contains("`base_db`") && fault.mend.contains("`base_dn`"), "{fault}");
    }

    #[test]
    fn an_unknown_key_inside_a_rule_or_a_limit_is_found_too() {
        let rule = fault("[placement]\nrules = [\n  { kindd = \"CENTRAL\", ou = \"OU=X\" },\n]\n");
        assert!(rule.place.ends_with("line 3") && rule.mend.contains("`kind`"), "{rule}");
        let limit = fault("[limits]\nclose = { percnt = 2.0 }\n");
        assert!(limit.setting.starts_with("limits.close") && limit.mend.contains("`percent`"), "{limit}");
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_not_repeated() {
        let fault = fault("[hr]\npoll_seconds = \"horse-4711\"\n");
        assert_eq!(fault.setting, "hr.poll_seconds");
        assert!(!fault.to_string().contains("4711"), "{fault}");
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let config = load(
            Some((Path::new("k"), "[hr]\nsource = \"csv\"\npoll_seconds = 60\n")),
            [("KIMLIK__HR__POLL_SECONDS".to_owned(), "7".to_owned()), ("HOME".to_owned(), "/".to_owned())],
        )
        .unwrap();
        assert_eq!((config.hr.source, config.hr.poll_seconds), (HrSource::Csv, Some(7)));
    }

    #[test]
    fn a_variable_that_is_no_setting_is_an_error() {
        let faults = env("KIMLIK__DATABASE__ULR", "sqlite://x").unwrap_err();
        assert!(faults.to_string().contains("KIMLIK__DATABASE__ULR") && faults.to_string().contains("`url`"), "{faults}");
        assert!(env("KIMLIK__", "x").is_err());
        assert!(env("KIMLIK__DATABASE__URL__X", "x").is_err());
    }

    #[test]
    fn digits_are_a_text_where_a_text_is_wanted_and_a_list_is_read() {
        assert_eq!(env("KIMLIK__NAMES__MAIL_DOMAIN", "4711").unwrap().names.mail_domain, "4711");
        let config = env("KIMLIK__DIRECTORY__ACTIVE_DIRECTORY__URLS", "[\"ldaps://a\", \"ldaps://b\"]").unwrap();
        assert_eq!(config.directory.active_directory.urls.len(), 2);
    }
}
