//! `kimlik sync`: takes in what HR has delivered, then does what is to be done.
use super::progress::Followed;
use super::{COULD_NOT, Selection, say, told};
use crate::deeds;
use crate::wiring::House;
use crate::work::intake::take_in;
use crate::work::runs::end_lost;
use clap::Args;
use kimlik_domain::lifecycle::reconcile::{Reconciler, Whom};
use kimlik_domain::lifecycle::run::{Run, RunStatus, Trigger};
use kimlik_domain::ports::{PortResult, Refusal};
use std::time::Duration;

const HELD: u8 = 3;
const PARTLY_FAILED: u8 = 4;
/// More deliveries than that are left to the next time: a feed that never ends must not keep the accounts waiting.
const DELIVERIES: usize = 1_000;
/// A file that has not come to rest by then is a large one, on a slow line.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(500);

#[derive(Args)]
pub struct Sync {
    #[command(flatten)]
    selection: Selection,
}

impl Sync {
    pub async fn carry_out(self, house: &House) -> anyhow::Result<u8> {
        let fed = take_in_all(house).await;
        // Why go on: what HR said before still holds, and a feed that is away must not keep leavers' accounts open.
        if let Err(fault) = &fed {
            say(&format!("HR       {fault:#}"));
            say("HR       going on with what is known");
        }
        let reconciler = house.reconciler().await.map_err(told)?;
        end_lost(house).await.map_err(told)?;
        let whom = deeds::whom(house, &self.selection.person, self.selection.unit).await.map_err(told)?;
        let followed = Followed::new();
        let run = as_soon_as_free(&reconciler, &whom, &followed).await;
        followed.end();
        let run = run.map_err(told)?;
        summary(&run);
        Ok(match run.status {
            _ if fed.is_err() => PARTLY_FAILED,
            RunStatus::Done => 0,
            RunStatus::Held => HELD,
            RunStatus::PartlyFailed => PARTLY_FAILED,
            RunStatus::Running | RunStatus::Failed | RunStatus::Interrupted => COULD_NOT,
        })
    }
}

/// Waits while another process looks at everybody, or until the lease of one that was killed has run out.
async fn as_soon_as_free(reconciler: &Reconciler, whom: &Whom, followed: &Followed) -> PortResult<Run> {
    let mut said = false;
    loop {
        match reconciler.sync(whom, Trigger::Command, followed).await {
            Err(fault) if fault.refusal() == Some(Refusal::InHand) => {
                if !said {
                    say("waiting: another process is looking at everybody, or was killed a moment ago");
                    said = true;
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            ended => return ended,
        }
    }
}

/// `kimlik intake`: for whoever wants to see the plan before anything is done.
pub async fn intake_only(house: &House) -> anyhow::Result<u8> {
    match take_in_all(house).await {
        Ok(0) => say("HR has delivered nothing new."),
        Ok(_) => say("to do: kimlik plan says what follows from it, kimlik sync does it"),
        Err(fault) => {
            say(&format!("HR       {fault:#}"));
            return Ok(PARTLY_FAILED);
        }
    }
    Ok(0)
}

/// How many deliveries there were.
async fn take_in_all(house: &House) -> anyhow::Result<usize> {
    let mut deliveries = 0;
    let mut unfinished = Unfinished::default();
    while deliveries < DELIVERIES {
        let Some(taken) = take_in(house).await.map_err(told)? else {
            if unfinished.is_worth_waiting_for(house).await? {
                continue;
            }
            break;
        };
        let report = &taken.report;
        if let Some(why) = &report.refused {
            anyhow::bail!("{} was refused whole, and nobody is touched by it: {why}", taken.delivery);
        }
        deliveries += 1;
        say(&format!(
            "HR       {}: {} rows, {} new people, {} changed, {} rejected rows, {} issues",
            taken.delivery,
            report.rows,
            report.new_people,
            report.changed_people,
            report.rejected_rows,
            report.issues.len()
        ));
        // Why: the simulated ministry lives on for ever; one step of its life is enough for one command.
        if house.narration.is_some() && taken.is_delta {
            break;
        }
    }
    Ok(deliveries)
}

/// A file that was put there a moment ago: whoever has just written it and types `kimlik sync` means that file.
#[derive(Default)]
struct Unfinished {
    name: String,
    waited: Duration,
}

impl Unfinished {
    /// Waits a little; false: nothing lies there, or it is still being written after a long while.
    async fn is_worth_waiting_for(&mut self, house: &House) -> anyhow::Result<bool> {
        let Some(name) = house.feed.unfinished().await.map_err(told)? else { return Ok(false) };
        if name != self.name {
            say(&format!("HR       {name}: changed less than 5 seconds ago; waiting until it is complete"));
            *self = Unfinished { name, waited: Duration::ZERO };
        }
        if self.waited >= LONGEST_WAIT {
            say(&format!("HR       {}: still being written; it is left to the next time", self.name));
            return Ok(false);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
        self.waited += LOOK_AGAIN;
        Ok(true)
    }
}

fn summary(run: &Run) {
    let s = &run.summary;
    let mut line = format!("{} people looked at, {} changes done", s.people, s.done);
    for (count, what) in [(s.held, "held"), (s.refused, "refused"), (s.in_doubt, "in doubt"), (s.observed_only, "only observed")] {
        if count > 0 {
            line.push_str(&format!(", {count} {what}"));
        }
    }
    say(&line);
    if let Some(fault) = &s.fault {
        say(&format!("it could not go on: {fault}"));
    }
    match run.status {
        RunStatus::Held => say("to do: kimlik holds list"),
        RunStatus::PartlyFailed => say("what was refused or is in doubt is tried again by itself; kimlik issues list says more"),
        _ => {}
    }
}
