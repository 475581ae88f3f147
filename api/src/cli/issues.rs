//! `kimlik issues`: what is wrong in what HR says, and the decision to take it as it is.
use super::holds::who;
use super::{say, told};
use crate::wiring::House;
use crate::work::voice::about;
use clap::{Args, Subcommand};
use kimlik_domain::id::IssueId;
use kimlik_domain::ports::OpenIssue;
use std::collections::HashMap;
use uuid::Uuid;

#[derive(Args)]
pub struct Issues {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The open ones; those that alarm come first.
    List {
        /// One by one, also where many people have the same.
        #[arg(long)]
        all: bool,
    },
    /// Takes one as it is: what it stopped may go on. Of a national id that differs from the one held (DUPLICATE_PERSON): the one
    /// that HR says now is right; it is taken when HR delivers it again.
    Accept {
        /// As `list` prints it.
        issue: Uuid,
    },
}

impl Issues {
    pub async fn carry_out(self, house: &House) -> anyhow::Result<u8> {
        match self.what {
            What::List { all } => list(house, all).await,
            What::Accept { issue } => {
                house
                    .store
                    .accept_issue(IssueId(issue), &format!("cli:{}", who()), "accepted as it is", house.clock.now())
                    .await
                    .map_err(told)?;
                say("accepted as it is; what HR's row says is taken when it is delivered again");
                Ok(0)
            }
        }
    }
}

async fn list(house: &House, one_by_one: bool) -> anyhow::Result<u8> {
    let units = house.store.units().await.map_err(told)?;
    let mut all: Vec<OpenIssue> = Vec::new();
    loop {
        let page = house.store.issues(all.last().map(|i| i.id), 500).await.map_err(told)?;
        let is_last = page.len() < 500;
        all.extend(page);
        if is_last {
            break;
        }
    }
    all.sort_by_key(|open| (!open.issue.kind.alarms(), open.issue.kind, open.since));
    if all.is_empty() {
        say("Nothing is wrong.");
    }
    for alike in alike(all, one_by_one) {
        let open = &alike[0];
        let issue = &open.issue;
        let mark = if issue.kind.alarms() { "x" } else { "!" };
        if alike.len() == 1 {
            say(&format!("{mark} {}  {}  {}", open.id, issue.kind.name(), about(issue)));
        } else {
            let nos: Vec<String> = alike.iter().filter_map(|o| o.issue.registry_no.as_ref()).take(3).map(ToString::to_string).collect();
            say(&format!("{mark} {} people  {}  {}", alike.len(), issue.kind.name(), issue.message));
            say(&format!("    {}, … each with its id: kimlik issues list --all", nos.join(", ")));
        }
        let by = issue.personnel_unit.and_then(|code| units.get(code)).map_or("the administrators of head office", |u| &u.name);
        let place = match (&issue.source, issue.line) {
            (Some(source), Some(line)) => format!(" ({source} line {line})"),
            (Some(source), None) => format!(" ({source})"),
            _ => String::new(),
        };
        say(&format!("    to be mended by {by}{place}"));
    }
    Ok(0)
}

/// More people than that with one and the same fault are one line.
const NAMED: usize = 3;

/// What many people have in common together, everything else by itself; in the order given.
fn alike(all: Vec<OpenIssue>, one_by_one: bool) -> Vec<Vec<OpenIssue>> {
    let key = |open: &OpenIssue| (open.issue.kind, open.issue.message.clone(), open.issue.personnel_unit);
    let mut counts: HashMap<_, usize> = HashMap::new();
    all.iter().filter(|open| open.issue.registry_no.is_some()).for_each(|open| *counts.entry(key(open)).or_default() += 1);
    let mut lines: Vec<Vec<OpenIssue>> = Vec::new();
    let mut line_of: HashMap<_, usize> = HashMap::new();
    for open in all {
        let of = key(&open);
        if one_by_one || counts.get(&of).is_none_or(|count| *count <= NAMED) {
            lines.push(vec![open]);
            continue;
        }
        let line = *line_of.entry(of).or_insert(lines.len());
        match lines.get_mut(line) {
            Some(line) => line.push(open),
            None => lines.push(vec![open]),
        }
    }
    lines
}
