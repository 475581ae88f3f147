//! What the terminal of the demo says, in plain words: what HR tells, what Kimlik does about it. Silent otherwise, where the
//! log speaks. Decides nothing.
use super::intake::Taken;
use kimlik_domain::lifecycle::reconcile::Progress;
use kimlik_domain::lifecycle::run::Run;
use kimlik_domain::lifecycle::{ActionKind, Because};
use kimlik_domain::staff::DataIssue;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Mutex;

/// More people than that in one go are counted, not named.
const NAMED: u32 = 25;

pub struct Voice {
    speaks: bool,
    crowd: Mutex<Crowd>,
}

#[derive(Default)]
struct Crowd {
    total: u32,
    done: u32,
    failed: u32,
    deeds: BTreeMap<&'static str, u32>,
}

impl Voice {
    pub fn new(speaks: bool) -> Voice {
        Voice { speaks, crowd: Mutex::default() }
    }

    pub fn say(&self, line: &str) {
        if self.speaks {
            say(line);
        }
    }

    pub fn delivery(&self, taken: &Taken) {
        let report = &taken.report;
        if report.new_people > NAMED || report.new_units > 0 {
            self.say(&format!(
                "HR       {}: {} new people, {} changed, {} new units",
                taken.delivery, report.new_people, report.changed_people, report.new_units
            ));
        }
        for issue in report.issues.iter().take(5) {
            self.say(&format!("Look at  {}", about(issue)));
        }
        if report.issues.len() > 5 {
            self.say(&format!("Look at  … and {} more: kimlik issues list", report.issues.len() - 5));
        }
    }

    pub fn run(&self, run: &Run) {
        let summary = &run.summary;
        if summary.held > 0 {
            self.say(&format!("Held     {} changes wait for an administrator: kimlik holds list", summary.held));
        }
    }
}

impl Progress for Voice {
    fn total(&self, people: u32) {
        if let Ok(mut crowd) = self.crowd.lock() {
            *crowd = Crowd { total: people, ..Crowd::default() };
        }
    }

    fn done(&self, name: &str, actions: &[(ActionKind, Because)], ok: bool) {
        let Ok(mut crowd) = self.crowd.lock() else { return };
        crowd.done += 1;
        crowd.failed += u32::from(!ok);
        if crowd.total > NAMED {
            actions.iter().for_each(|(kind, _)| *crowd.deeds.entry(deed(*kind)).or_default() += 1);
            if crowd.done == crowd.total {
                let deeds: Vec<String> = crowd.deeds.iter().map(|(deed, n)| format!("{n} × {deed}")).collect();
                let failed = if crowd.failed > 0 { format!("; {} to be tried again", crowd.failed) } else { String::new() };
                self.say(&format!("Kimlik   {} people: {}{failed}", crowd.total, deeds.join(", ")));
            } else if crowd.done.is_multiple_of(1_000) {
                self.say(&format!("Kimlik   {} of {} people", crowd.done, crowd.total));
            }
        } else if !actions.is_empty() {
            let end = if ok { "" } else { " (not done; tried again)" };
            self.say(&format!("Kimlik   {name}: {}{end}", deeds(actions)));
        }
    }
}

/// What was done, and why: the reasons once each.
pub fn deeds(actions: &[(ActionKind, Because)]) -> String {
    let deeds: Vec<&str> = actions.iter().map(|(kind, _)| deed(*kind)).collect();
    let mut reasons: Vec<String> = actions.iter().map(|(_, because)| because.to_string()).collect();
    reasons.dedup();
    format!("{} – {}", deeds.join(", "), reasons.join("; "))
}

/// As one tells it.
fn deed(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::Adopt => "existing account taken over",
        ActionKind::Open => "account opened",
        ActionKind::Reopen => "account reopened",
        ActionKind::Enable => "account enabled",
        ActionKind::Reinstate => "account enabled again",
        ActionKind::Update => "card updated",
        ActionKind::Groups => "groups changed",
        ActionKind::Move => "moved to another OU",
        ActionKind::Rename => "new name",
        ActionKind::Suspend => "account suspended",
        ActionKind::Close => "account closed",
        ActionKind::Withdraw => "account taken back",
        ActionKind::CloseMailbox => "mail of somebody who left ended",
    }
}

/// An issue with whom or what it is about.
pub fn about(issue: &DataIssue) -> String {
    match (&issue.registry_no, issue.unit) {
        (Some(no), _) => format!("{no}: {}", issue.message),
        (None, Some(unit)) => format!("unit {unit}: {}", issue.message),
        (None, None) => issue.message.clone(),
    }
}

/// To the terminal; a reader that has gone away (`| head`) is no reason to fail.
pub fn say(line: &str) {
    writeln!(std::io::stdout().lock(), "{line}").ok();
}

/// As [`say`], without the end of the line.
pub fn write(text: &str) {
    write!(std::io::stdout().lock(), "{text}").ok();
}
