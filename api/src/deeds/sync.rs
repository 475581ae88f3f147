//! A run that somebody asks for: told of at once, carried out behind the answer.
use crate::wiring::House;
use crate::work::intake::take_in;
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::lifecycle::grip::HAND;
use kimlik_domain::lifecycle::reconcile::{Reconciler, Silent, Whom};
use kimlik_domain::lifecycle::run::{Run, Trigger};
use kimlik_domain::lifecycle::started::Started;
use kimlik_domain::ports::PortResult;
use serde_json::json;
use std::sync::Arc;

/// More deliveries than that are left to the loop that takes in: a feed that never ends must not keep the accounts waiting.
const DELIVERIES: usize = 1_000;

/// Begins a run over `whom`; with `intake`, what HR has delivered is taken in first. `Refused(InHand)`: everybody is being looked at.
pub async fn start(house: &Arc<House>, whom: Whom, intake: bool, by: String) -> PortResult<Run> {
    let reconciler = house.reconciler().await?;
    let about = format!("{whom:?}");
    let started = reconciler.start(whom, Trigger::Command, Some(by.clone())).await?;
    let run = started.run.clone();
    let event = AuditEvent {
        at: run.started_at,
        actor: by,
        deed: "run.start".to_owned(),
        person: None,
        because: "asked for".to_owned(),
        detail: json!({ "run": run.id.to_string(), "intake": intake, "whom": about.chars().take(1_000).collect::<String>() }),
    };
    if let Err(fault) = house.door.audit.record(&[event]).await {
        reconciler.give_up(started, &fault).await?;
        return Err(fault);
    }
    let own = house.clone();
    tokio::spawn(async move {
        if let Err(fault) = carry_on(&own, &reconciler, started, intake).await {
            tracing::warn!(%fault, "a run that was asked for could not go on; the loops look after it");
        }
        own.wake.notify_one();
    });
    Ok(run)
}

async fn carry_on(house: &House, reconciler: &Reconciler, started: Started, intake: bool) -> PortResult<Run> {
    if intake && let Err(fault) = taking_in(house, reconciler, &started).await {
        reconciler.give_up(started, &fault).await?;
        return Err(fault);
    }
    reconciler.carry_on(started, &Silent).await
}

/// Takes in, and says meanwhile that the run goes on: a large delivery takes longer than a hand lasts.
async fn taking_in(house: &House, reconciler: &Reconciler, started: &Started) -> PortResult<()> {
    let mut tick = tokio::time::interval(HAND.to_std().unwrap_or_default() / 3);
    // Why beside it and not between: what takes in may hold the store's one writer, and must go on for this to get it.
    let keeping = async {
        loop {
            tick.tick().await;
            if let Err(fault) = reconciler.keep(started).await {
                return fault;
            }
        }
    };
    tokio::select! {
        fed = take_in_all(house) => {
            // Why go on: what HR said before still holds, and a feed that is away must not keep leavers' accounts open.
            if let Err(fault) = fed {
                tracing::warn!(%fault, "the feed could not be read; the run goes on with what is known");
            }
            Ok(())
        }
        fault = keeping => Err(fault),
    }
}

async fn take_in_all(house: &House) -> PortResult<()> {
    for _ in 0..DELIVERIES {
        let Some(taken) = take_in(house).await? else { break };
        // Why: the simulated ministry lives on for ever; and what was refused whole is offered again.
        if taken.report.refused.is_some() || (house.narration.is_some() && taken.is_delta) {
            break;
        }
    }
    Ok(())
}
