//! Golden scenarios: a story in a text file, played on real parts; the transcript is compared with the one that was reviewed.
//!
//! Lines: `@ DAY` sets the day. `hr:` (a delta) or `hr full:` (a snapshot) is followed by indented people,
//! `S001: given=Ayşe; family=Şahin; unit=20000004 | kind=SECONDED; unit=20000006; start=…; end=…`; what a line does not say
//! stays as HR said it before; parts behind `|` are further postings. `plan`, `sync`, `work`, `show S001`, `issues`,
//! `messages`, `holds`, `receipt S001`, `approve`, `reject`, `units:` (rows of the units file), `hand S001 title=…`,
//! `suspend S001 because=…`, `reinstate S001 because=…`, `rename S001 username=…; mail=… because=…`,
//! `adopt S001 CN=…,OU=… because=…` (below the base).
use crate::ministry::{Ministry, STAFF_HEADER, national_id};
use kimlik_adapters::directory::embedded::Foreign;
use kimlik_domain::account::adoption::{Adoption, AdoptionOrdered};
use kimlik_domain::account::rename::{NamesOrdered, Rename};
use kimlik_domain::account::{Attribute, ObservedAccount, Value};
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::lifecycle::adoption::AccountKey;
use kimlik_domain::lifecycle::describe;
use kimlik_domain::lifecycle::hold::{HoldDecision, HoldStatus};
use kimlik_domain::lifecycle::look::Supposed;
use kimlik_domain::lifecycle::run::Run;
use kimlik_domain::lifecycle::suspension::{Order, OrderKind};
use kimlik_domain::message::Language;
use kimlik_domain::ports::{Clock, OperationsOf};
use kimlik_domain::staff::DataIssue;
use std::collections::BTreeMap;
use std::fmt::Write;

const POSTING: &[&str] = &["kind", "unit", "post", "title", "pstart", "pend"];

type Fields = BTreeMap<String, String>;

#[derive(Default)]
pub struct Hr {
    /// What HR last said of each: the person with the first posting, and the further postings.
    people: BTreeMap<String, (Fields, Vec<Fields>)>,
}

impl Hr {
    /// Takes what a line says; answers the rows of that person.
    pub fn says(&mut self, line: &str) -> Vec<String> {
        let (no, rest) = line.split_once(':').expect("`S001: key=value; …`");
        let mut parts = rest.split('|');
        let first = pairs(parts.next().unwrap_or(""));
        let extra: Vec<_> = parts.map(pairs).collect();
        let next = self.people.len() as u32 + 1;
        let (fields, postings) = self.people.entry(no.trim().to_owned()).or_insert_with(|| {
            let defaults = [
                ("nid", national_id(next)),
                ("mobile", format!("0532 000 {:02} {:02}", next / 100, next % 100)),
                ("kind", "PERMANENT".into()),
            ];
            (defaults.map(|(k, v)| (k.to_owned(), v)).into(), Vec::new())
        });
        fields.extend(first);
        *postings = extra;
        self.rows(no.trim())
    }

    pub fn forget(&mut self, no: &str) {
        self.people.remove(no);
    }

    fn rows(&self, no: &str) -> Vec<String> {
        let Some((fields, postings)) = self.people.get(no) else { return Vec::new() };
        std::iter::once(fields.clone())
            .chain(postings.iter().map(|p| {
                let mut row: BTreeMap<String, String> =
                    fields.clone().into_iter().filter(|(k, _)| !POSTING.contains(&k.as_str())).collect();
                row.extend(p.clone());
                row
            }))
            .map(|f| {
                let get = |k: &str| f.get(k).cloned().unwrap_or_default();
                let start = if f.contains_key("pstart") { get("pstart") } else { get("start") };
                [
                    no.to_owned(),
                    get("nid"),
                    get("given"),
                    get("family"),
                    get("status"),
                    get("reason"),
                    get("start"),
                    get("end"),
                    get("kind"),
                    get("unit"),
                    get("post"),
                    get("title"),
                    start,
                    get("pend"),
                    get("mobile"),
                    get("phone"),
                    get("ext"),
                    get("office"),
                ]
                .map(|v| if v.contains([';', '"']) { format!("\"{}\"", v.replace('"', "\"\"")) } else { v })
                .join(";")
            })
            .collect()
    }

    pub fn everybody(&self) -> Vec<String> {
        self.people.keys().flat_map(|no| self.rows(no)).collect()
    }
}

fn pairs(text: &str) -> BTreeMap<String, String> {
    text.split(';')
        .filter(|p| !p.trim().is_empty())
        .map(|p| p.split_once('=').expect("key=value"))
        .map(|(k, v)| (k.trim().to_owned(), v.trim().to_owned()))
        .collect()
}

/// Plays a scenario and answers its transcript.
pub async fn play(ministry: &Ministry, text: &str) -> String {
    let mut out = String::new();
    let mut hr = Hr::default();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line.trim().is_empty() {
            continue;
        }
        writeln!(out, "{line}").expect("text");
        if line.starts_with('#') {
            continue;
        }
        let mut block = Vec::new();
        while let Some(inner) = lines.next_if(|l| l.starts_with(' ')) {
            writeln!(out, "{inner}").expect("text");
            block.push(inner.trim());
        }
        let answer = command(ministry, &mut hr, line, &block).await;
        for line in answer.lines() {
            writeln!(out, "    | {line}").expect("text");
        }
    }
    without_ids(&out)
}

async fn command(ministry: &Ministry, hr: &mut Hr, line: &str, block: &[&str]) -> String {
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    match verb {
        "@" => {
            ministry.clock.set(crate::ministry::day(rest));
            String::new()
        }
        "units:" => {
            let header = crate::ministry::UNITS.lines().next().unwrap_or("");
            fed(&ministry.hr("units", &format!("{header}\n{}\n", block.join("\n"))).await)
        }
        "hr:" => {
            let rows: Vec<String> = block.iter().flat_map(|l| hr.says(l)).collect();
            fed(&ministry.hr("staff-delta", &format!("{STAFF_HEADER}\n{}\n", rows.join("\n"))).await)
        }
        "hr" if rest == "full:" => {
            block.iter().for_each(|l| match l.strip_prefix("forget ") {
                Some(no) => hr.forget(no),
                None => {
                    hr.says(l);
                }
            });
            fed(&ministry.hr("staff-full", &format!("{STAFF_HEADER}\n{}\n", hr.everybody().join("\n"))).await)
        }
        "plan" => ministry.plan().await.text(),
        "sync" => ran(&ministry.sync().await),
        "work" => {
            ministry.work().await;
            String::new()
        }
        "show" => show(ministry, rest).await,
        "receipt" => receipt(ministry, rest).await,
        "issues" => issues(ministry).await,
        "messages" => messages(ministry).await,
        "holds" => holds(ministry).await,
        "approve" | "reject" => decide(ministry, verb == "approve").await,
        "hand" => hand(ministry, rest).await,
        "foreign:" => foreign(ministry, rest).await,
        "accept" => accept(ministry, rest).await,
        "suspend" => order(ministry, OrderKind::Suspend, rest).await,
        "reinstate" => order(ministry, OrderKind::Reinstate, rest).await,
        "rename" => rename(ministry, rest).await,
        "adopt" => adopt(ministry, rest).await,
        _ => panic!("no such line in a scenario: {line}"),
    }
}

fn fed(report: &kimlik_domain::staff::intake::FeedReport) -> String {
    let mut out = match &report.refused {
        Some(why) => format!("refused: {why}\n"),
        None => format!(
            "{} rows: {} new, {} changed, {} unchanged, {} rejected; units {} new, {} changed\n",
            report.rows,
            report.new_people,
            report.changed_people,
            report.unchanged_people,
            report.rejected_rows,
            report.new_units,
            report.changed_units
        ),
    };
    for issue in &report.issues {
        let who = about(issue);
        let unit = issue.personnel_unit.map(|u| u.to_string()).unwrap_or_else(|| "head office".into());
        writeln!(out, "! {} {who} line {:?} {:?} [{unit}]: {}", issue.kind.name(), issue.line, issue.field, issue.message).expect("text");
    }
    out
}

fn ran(run: &Run) -> String {
    let s = &run.summary;
    format!(
        "{:?}: {} done {}, held {}, refused {}, in doubt {}, observed only {}",
        run.status,
        describe::summary(&s.planned, Language::En),
        s.done,
        s.held,
        s.refused,
        s.in_doubt,
        s.observed_only
    )
}

async fn observed(ministry: &Ministry, no: &str) -> Option<ObservedAccount> {
    let guid = ministry.person(no).await.account?.guid?;
    ministry.directory.observe(&[guid]).await.expect("the directory answers").into_iter().next()
}

async fn show(ministry: &Ministry, no: &str) -> String {
    let record = ministry.person(no).await;
    let mut out = String::new();
    if let Some(account) = &record.account {
        writeln!(
            out,
            "ledger: {:?}, opening {}, announced {}, adopted {}",
            account.state, account.opening, account.announced_opening, account.adopted
        )
        .expect("text");
    }
    let Some(seen) = observed(ministry, no).await else { return out + "no account" };
    writeln!(out, "dn: {}\nenabled: {}", seen.dn, seen.enabled).expect("text");
    for (attribute, value) in seen.attributes.iter() {
        let value = match value {
            Value::Account(guid) => {
                let manager = ministry.directory.observe(&[*guid]).await.expect("the directory answers");
                manager.first().map(|m| m.dn.name()).unwrap_or_default()
            }
            other => other.to_string(),
        };
        writeln!(out, "{}: {value}", attribute.ldap_name()).expect("text");
    }
    for group in &seen.groups {
        writeln!(out, "group: {}", group.name()).expect("text");
    }
    out
}

async fn receipt(ministry: &Ministry, no: &str) -> String {
    let person = ministry.person(no).await.person.id;
    let operations = ministry.store.operations(OperationsOf::Everybody, None, 1_000).await.expect("operations");
    let mut own: Vec<_> = operations.into_iter().filter(|o| o.person == person).collect();
    own.sort_by_key(|o| o.created_at);
    let mut out = String::new();
    for operation in own {
        writeln!(out, "{} {:?}: {}", operation.kind.verb(), operation.status, operation.because).expect("text");
        for line in &operation.receipt {
            writeln!(out, "   {}: {}", line.step, line.result).expect("text");
        }
    }
    out
}

async fn issues(ministry: &Ministry) -> String {
    let issues = ministry.store.issues(None, 100).await.expect("issues");
    let mut lines: Vec<String> = issues
        .iter()
        .map(|i| {
            let who = about(&i.issue);
            format!("{} {who} {}", i.issue.kind.name(), i.issue.message)
        })
        .collect();
    lines.sort();
    lines.join("\n")
}

async fn messages(ministry: &Ministry) -> String {
    let mut messages = ministry.store.messages(None, 100).await.expect("messages");
    messages.sort_by_key(|m| m.queued_at);
    // Why: people of one chunk are settled in the order in which the directory has answered.
    messages.sort_by_key(|m| (m.queued_at.timestamp(), m.to.whole().to_owned()));
    let line = |m: &kimlik_domain::message::Message| {
        let text = m.text.as_ref().map_or("(erased)", |t| t.rsplit_once(' ').map_or(t.as_str(), |(t, _)| t));
        format!("to {}: {text} (code)", m.to.whole())
    };
    messages.iter().map(line).collect::<Vec<_>>().join("\n")
}

async fn holds(ministry: &Ministry) -> String {
    let holds = ministry.store.holds(None, 100).await.expect("holds");
    let mut out = String::new();
    for hold in holds {
        let scope = hold.scope.map_or("everywhere", |p| p.name());
        writeln!(out, "{:?} {} {scope}: {} people; {}", hold.status, hold.budget.name(), hold.people, hold.reasons.join("; "))
            .expect("text");
        for item in ministry.store.hold_items(hold.id, None, 100).await.expect("items") {
            writeln!(out, "  {} {} {:?}", item.registry_no, item.kind.verb(), item.approved).expect("text");
        }
    }
    out
}

async fn decide(ministry: &Ministry, approve: bool) -> String {
    let holds = ministry.store.holds(Some(HoldStatus::Open), 100).await.expect("holds");
    let mut out = String::new();
    for hold in holds {
        let decision = HoldDecision { approve, digest: Some(hold.digest.clone()), people: None, by: "cli:test".into(), note: None };
        let hold = ministry.store.decide_hold(hold.id, &decision, ministry.clock.now()).await.expect("decided");
        writeln!(out, "{:?} {}", hold.status, hold.budget.name()).expect("text");
    }
    out
}

/// `S001 title=…`, `S001 enabled=false`, `S001 ou=OU=Yerlesmemis`, `S001 join=CN=Proje X,OU=Gruplar`
async fn hand(ministry: &Ministry, rest: &str) -> String {
    let (no, change) = rest.split_once(' ').expect("`hand S001 what=value`");
    let (what, value) = change.split_once('=').expect("what=value");
    let seen = observed(ministry, no).await.expect("an account");
    let directory = ministry.embedded.as_ref().expect("hands reach into the embedded directory only");
    let base = &ministry.reconciler.policy.base;
    match what {
        "enabled" => directory.hand_enable(seen.guid, value == "true").await,
        "ou" => directory.hand_move(seen.guid, &base.below(value)).await,
        "join" => directory.hand_group(seen.guid, &base.below(value), true).await,
        "leave" => directory.hand_group(seen.guid, &base.below(value), false).await,
        "protected" => directory.set_protected(seen.guid, (value == "true").then_some("adminCount")).await,
        _ => {
            let attribute = Attribute::from_ldap(what).expect("an owned attribute");
            directory.hand_edit(seen.guid, attribute, (!value.is_empty()).then(|| Value::text(value))).await
        }
    }
    .expect("the hand reaches");
    String::new()
}

/// `dn=CN=…,OU=…; username=…; mail=…; employee=…; enabled=true`: an account that was there before Kimlik.
async fn foreign(ministry: &Ministry, rest: &str) -> String {
    let says = pairs(rest);
    let directory = ministry.embedded.as_ref().expect("hands reach into the embedded directory only");
    let dn = ministry.reconciler.policy.base.below(&says["dn"]);
    let mut foreign = Foreign::new(dn.clone(), &says["username"]).with(Attribute::DisplayName, Value::text(dn.name()));
    for (attribute, key) in [(Attribute::Mail, "mail"), (Attribute::EmployeeId, "employee")] {
        if let Some(value) = says.get(key) {
            foreign = foreign.with(attribute, Value::text(value.as_str()));
        }
    }
    let guid = directory.insert_foreign(&foreign).await.expect("the account is there");
    directory.hand_enable(guid, says.get("enabled").is_some_and(|e| e == "true")).await.expect("enabled");
    String::new()
}

/// `S002 POSSIBLE_ACCOUNT`: a person decides that the issue is to be accepted as it is.
async fn accept(ministry: &Ministry, rest: &str) -> String {
    let (no, kind) = rest.split_once(' ').expect("`accept S002 KIND`");
    let issues = ministry.store.issues(None, 1_000).await.expect("issues");
    let found = issues.iter().find(|i| i.issue.kind.name() == kind && i.issue.registry_no.as_ref().is_some_and(|r| r.as_str() == no));
    let id = found.expect("the issue").id;
    ministry.store.accept_issue(id, "cli:test", "accepted as it is", ministry.clock.now()).await.expect("accepted");
    String::new()
}

/// GUIDs differ from run to run.
fn without_ids(text: &str) -> String {
    let is_id = |w: &str| {
        w.len() == 36 && w.bytes().enumerate().all(|(i, b)| if [8, 13, 18, 23].contains(&i) { b == b'-' } else { b.is_ascii_hexdigit() })
    };
    let word = |w: &str| match w.strip_suffix(':') {
        Some(bare) if is_id(bare) => "<guid>:".to_owned(),
        _ if is_id(w) => "<guid>".to_owned(),
        _ => w.to_owned(),
    };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n") + "\n"
}

async fn order(ministry: &Ministry, kind: OrderKind, rest: &str) -> String {
    let (no, because) = rest.split_once(" because=").expect("`suspend S001 because=…`");
    let (person, at) = (ministry.person(no).await.person.id, ministry.clock.now());
    let mut random = [0; 10];
    ministry.reconciler.entropy.fill(&mut random);
    let order = Order { id: kimlik_domain::id::uuid_v7(at, random), person, kind, by: "user:officer".into(), reason: because.into(), at };
    let event = AuditEvent {
        at,
        actor: "user:officer".into(),
        deed: "suspension.order".into(),
        person: Some(person),
        because: because.into(),
        detail: serde_json::Value::Null,
    };
    format!("{:?}\n", ministry.store.order(&order, &event, None).await.expect("the store answers"))
}

/// As accountRename does it, but for the look into the directory.
async fn rename(ministry: &Ministry, rest: &str) -> String {
    let (what, because) = rest.split_once(" because=").expect("`rename S001 username=…; mail=… because=…`");
    let (no, names) = what.split_once(' ').expect("a name");
    let (record, at, said) = (ministry.person(no).await, ministry.clock.now(), pairs(names));
    let mut random = [0; 10];
    ministry.reconciler.entropy.fill(&mut random);
    let order = Rename {
        id: kimlik_domain::id::uuid_v7(at, random),
        person: record.person.id,
        username: said.get("username").map(|name| name.as_str().into()),
        mail: said.get("mail").map(|mail| mail.as_str().into()),
        named_for: kimlik_domain::text::fold(&record.person.full_name()).into(),
        by: NamesOrdered { by: "user:officer".into(), reason: because.into(), at },
    };
    let event = AuditEvent {
        at,
        actor: "user:officer".into(),
        deed: "account.rename.order".into(),
        person: Some(record.person.id),
        because: because.into(),
        detail: serde_json::Value::Null,
    };
    format!("{:?}\n", ministry.store.rename(&order, &event, None).await.expect("the store answers"))
}

/// As accountAdopt does it.
async fn adopt(ministry: &Ministry, rest: &str) -> String {
    let (what, because) = rest.split_once(" because=").expect("`adopt S001 CN=…,OU=… because=…`");
    let (no, dn) = what.split_once(' ').expect("a DN");
    let (record, at, reconciler) = (ministry.person(no).await, ministry.clock.now(), &ministry.reconciler);
    let key = AccountKey::Dn(reconciler.policy.base.below(dn));
    let found = match reconciler.adoptable(&record, &key).await.expect("the directory answers") {
        Ok(found) => found,
        Err(why) => return format!("{why:?}\n"),
    };
    let ordered = AdoptionOrdered { guid: found.guid, by: "user:admin".into(), reason: because.into(), at };
    let names = reconciler.adopted_names(&record, &found).await.expect("names");
    let plan = reconciler.preview_with(record.person.id, Supposed::Adoption(ordered.clone())).await.expect("a plan");
    let mut random = [0; 10];
    reconciler.entropy.fill(&mut random);
    let order = Adoption { id: kimlik_domain::id::uuid_v7(at, random), person: record.person.id, ordered };
    let event = AuditEvent {
        at,
        actor: "user:admin".into(),
        deed: "account.adopt.order".into(),
        person: Some(record.person.id),
        because: because.into(),
        detail: serde_json::Value::Null,
    };
    format!("{}{:?}\n", plan.text(), ministry.store.adopt(&order, &names, &event, None).await.expect("the store answers"))
}

/// Whom or what an issue is about.
fn about(issue: &DataIssue) -> String {
    let unit = || issue.unit.map(|unit| format!("unit {unit}"));
    issue.registry_no.as_ref().map(ToString::to_string).or_else(unit).unwrap_or_default()
}
