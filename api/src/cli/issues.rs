//! `kimlik issues`: what is wrong in what HR says, and the decision to take it as it is.
use super::holds::who;
use super::{say, told};
use crate::wiring::House;
use crate::work::voice::about;
use clap::{Args, Subcommand};
use kimlik_domain::id::IssueId;
use kimlik_domain::ports::OpenIssue;
use uuid::Uuid;

#[derive(Args)]
pub struct Issues {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The open ones; those that alarm come first.
    List,
    /// Takes one as it is: what it stopped may go on.
    Accept {
        /// As `list` prints it.
        issue: Uuid,
    },
}

impl Issues {
    pub async fn carry_out(self, house: &House) -> anyhow::Result<u8> {
        match self.what {
            What::List => list(house).await,
            What::Accept { issue } => {
                house.store.accept_issue(IssueId(issue), &format!("cli:{}", who()), house.clock.now()).await.map_err(told)?;
                say("accepted as it is");
                Ok(0)
            }
        }
    }
}

async fn list(house: &House) -> anyhow::Result<u8> {
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
    for open in all {
        let issue = &open.issue;
        let mark = if issue.kind.alarms() { "x" } else { "!" };
        say(&format!("{mark} {}  {}  {}", open.id, issue.kind.name(), about(issue)));
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
