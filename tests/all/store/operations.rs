//! Intents under their caps, settlements, announcements, the receipt.
use super::{Bench, id, noon, person, settlement};
use chrono::TimeDelta;
use kimlik_domain::account::AccountState;
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::{MessageId, OperationId, RunId};
use kimlik_domain::lifecycle::limits::{Budget, Cap};
use kimlik_domain::lifecycle::run::{Intent, OperationStatus, PersonSettlement, ReceiptLine, Run, RunStatus, RunSummary, Trigger};
use kimlik_domain::lifecycle::{ActionKind, Step};
use kimlik_domain::message::{MessageState, NewMessage, Purpose};
use kimlik_domain::ports::{OperationsOf, PeopleBy, Refusal, Store, WatchRuns as _};
use kimlik_domain::staff::MobileNumber;
use kimlik_domain::staff::unit::Province;
use std::sync::Arc;
use uuid::Uuid;

on_both_engines!(
    intents_beyond_a_cap_are_not_committed,
    a_cap_of_one_province_stops_that_province_only,
    what_was_approved_counts_and_is_not_stopped,
    what_the_directory_refused_is_not_counted,
    eight_intenders_at_the_same_time_never_exceed_a_cap,
    an_intent_stays_unsettled_until_it_is_settled,
    a_settlement_is_all_or_nothing,
    an_opening_is_announced_at_most_once,
    runs_are_read_as_written,
    a_run_that_nobody_keeps_is_interrupted_once_and_goes_on_if_somebody_does,
);

/// One of person `n` that no limit counts.
pub fn intent_of(n: u32, kind: ActionKind) -> Intent {
    Intent { budget: None, ..intent(n, kind, 6) }
}

fn intent(n: u32, kind: ActionKind, plate: u8) -> Intent {
    Intent {
        operation: OperationId(Uuid::from_u128(0x1000 + u128::from(n))),
        run: RunId(Uuid::from_u128(1)),
        person: id(n),
        kind,
        budget: match kind {
            ActionKind::Close | ActionKind::Withdraw => Some(Budget::Close),
            ActionKind::Open | ActionKind::Reopen => Some(Budget::Open),
            ActionKind::Move => Some(Budget::Move),
            ActionKind::Update | ActionKind::Groups => Some(Budget::Update),
            ActionKind::Suspend => Some(Budget::Suspend),
            _ => None,
        },
        province: Province::new(plate),
        approved: false,
        digest: format!("digest {n}"),
        because: "last day in service 2026-11-22 (HR reason 96)".into(),
        steps: vec![Step::Disable],
        at: noon(),
    }
}

fn cap(budget: Budget, plate: u8, at_most: u32) -> Cap {
    Cap { budget, scope: Province::new(plate), at_most }
}

fn yesterday() -> chrono::DateTime<chrono::Utc> {
    noon() - TimeDelta::days(1)
}

async fn intents_beyond_a_cap_are_not_committed(bench: Bench) {
    let caps = [cap(Budget::Close, 0, 3), cap(Budget::Open, 0, 0)];
    let first = [intent(1, ActionKind::Close, 6), intent(2, ActionKind::Withdraw, 0)];
    assert_eq!(bench.store.intend(&first, &caps, yesterday()).await.unwrap(), [0_usize; 0]);
    let second = [
        intent(3, ActionKind::Update, 6),
        intent(4, ActionKind::Close, 6),
        intent(5, ActionKind::Close, 34),
        intent(6, ActionKind::Enable, 34),
        intent(7, ActionKind::Reopen, 34),
    ];
    assert_eq!(bench.store.intend(&second, &caps, yesterday()).await.unwrap(), [2, 4]);
    let spent = bench.store.spent(&Budget::ALL, yesterday()).await.unwrap();
    assert_eq!((spent.of(Budget::Close, None), spent.of(Budget::Close, Province::new(6))), (3, 2));
    assert_eq!((spent.of(Budget::Update, None), spent.of(Budget::Open, None)), (1, 0));
    assert_eq!(bench.store.operations(OperationsOf::Everybody, None, 100).await.unwrap().len(), 5);
    assert_eq!(bench.store.spent(&Budget::ALL, noon() + TimeDelta::microseconds(1)).await.unwrap().0.len(), 0, "the day has rolled on");
}

async fn a_cap_of_one_province_stops_that_province_only(bench: Bench) {
    let caps = [cap(Budget::Close, 6, 1), cap(Budget::Close, 34, 5)];
    let intents: Vec<_> = [(1, 6), (2, 6), (3, 34), (4, 0)].map(|(n, plate)| intent(n, ActionKind::Close, plate)).into();
    assert_eq!(bench.store.intend(&intents, &caps, yesterday()).await.unwrap(), [1]);
}

async fn what_was_approved_counts_and_is_not_stopped(bench: Bench) {
    let caps = [cap(Budget::Close, 0, 1)];
    let approved = |n| Intent { approved: true, ..intent(n, ActionKind::Close, 6) };
    let intents = [approved(1), approved(2), intent(3, ActionKind::Close, 6)];
    assert_eq!(bench.store.intend(&intents, &caps, yesterday()).await.unwrap(), [2]);
    assert_eq!(bench.store.spent(&Budget::ALL, yesterday()).await.unwrap().of(Budget::Close, None), 2);
}

async fn what_the_directory_refused_is_not_counted(bench: Bench) {
    let people: Vec<_> = (1..=4).map(|n| person(n, "A", "B")).collect();
    bench.save(people.clone()).await;
    let intents: Vec<_> = (1..=4).map(|n| intent(n, ActionKind::Close, 6)).collect();
    bench.store.intend(&intents, &[], yesterday()).await.unwrap();
    let outcomes = [OperationStatus::Done, OperationStatus::Refused, OperationStatus::InDoubt, OperationStatus::Superseded];
    let settlements = people.iter().zip(&intents).zip(outcomes);
    let settlements =
        settlements.map(|((p, i), outcome)| PersonSettlement { operations: vec![(i.operation, outcome, vec![])], ..settlement(p) });
    bench.store.settle(settlements.collect()).await.unwrap();
    assert_eq!(bench.store.spent(&Budget::ALL, yesterday()).await.unwrap().of(Budget::Close, None), 2, "done, and in doubt");
}

async fn eight_intenders_at_the_same_time_never_exceed_a_cap(bench: Bench) {
    let caps = [cap(Budget::Close, 0, 50), cap(Budget::Close, 6, 30), cap(Budget::Move, 0, 10)];
    let ready = Arc::new(tokio::sync::Barrier::new(8));
    let mut intenders = Vec::new();
    for replica in 0..8_u32 {
        let (store, ready) = (bench.again().await, ready.clone());
        intenders.push(tokio::spawn(async move {
            for round in 0..3_u32 {
                // Why moves and closings apart: they take other locks, and each must hold by itself.
                let kind = if (replica + round) % 4 == 0 { ActionKind::Move } else { ActionKind::Close };
                let number = |n| replica * 10_000 + round * 1_000 + n;
                let intents: Vec<_> = (0..25).map(|n| intent(number(n), kind, if n % 2 == 0 { 6 } else { 34 })).collect();
                store.spent(&Budget::ALL, yesterday()).await.unwrap();
                ready.wait().await;
                store.intend(&intents, &caps, yesterday()).await.unwrap();
            }
        }));
    }
    for intender in intenders {
        intender.await.unwrap();
    }
    let spent = bench.store.spent(&Budget::ALL, yesterday()).await.unwrap();
    assert_eq!(spent.of(Budget::Close, None), 50, "asked for 450: all that is allowed, and not one more");
    assert!(spent.of(Budget::Close, Province::new(6)) <= 30);
    assert_eq!(spent.of(Budget::Move, None), 10, "asked for 150");
}

/// The race made certain: nobody can write before all eight have counted or wait for their turn to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn intenders_that_come_before_anybody_has_written_wait_for_each_other() {
    let bench = Bench::postgresql().await;
    let admin = sqlx::PgPool::connect(&bench.url).await.unwrap();
    let mut stop = admin.begin().await.unwrap();
    sqlx::query("LOCK TABLE operation IN EXCLUSIVE MODE").execute(&mut *stop).await.unwrap();
    let mut intenders = Vec::new();
    for replica in 0..8_u32 {
        let store = bench.again().await;
        intenders.push(tokio::spawn(async move {
            let intents: Vec<_> = (0..40).map(|n| intent(replica * 100 + n, ActionKind::Close, 6)).collect();
            store.intend(&intents, &[cap(Budget::Close, 0, 50)], yesterday()).await.unwrap().len()
        }));
    }
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&admin).await.unwrap() < 8 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    stop.commit().await.unwrap();
    let mut beyond = 0;
    for intender in intenders {
        beyond += intender.await.unwrap();
    }
    assert_eq!(beyond, 8 * 40 - 50);
    assert_eq!(bench.store.spent(&Budget::ALL, yesterday()).await.unwrap().of(Budget::Close, None), 50);
}

async fn an_intent_stays_unsettled_until_it_is_settled(bench: Bench) {
    let ayse = person(1, "A", "B");
    bench.save(vec![ayse.clone()]).await;
    let intent = intent(1, ActionKind::Close, 6);
    bench.store.intend(std::slice::from_ref(&intent), &[], yesterday()).await.unwrap();
    let unsettled = |records: Vec<kimlik_domain::ports::PersonRecord>| records[0].unsettled.iter().map(|o| o.status).collect::<Vec<_>>();
    let ids = [id(1)];
    let read = || bench.store.people(PeopleBy::Ids(&ids));
    assert_eq!(unsettled(read().await.unwrap()), [OperationStatus::Intended]);
    let settle = |status, receipt| PersonSettlement { operations: vec![(intent.operation, status, receipt)], ..settlement(&ayse) };
    bench.store.settle(vec![settle(OperationStatus::InDoubt, vec![])]).await.unwrap();
    assert_eq!(unsettled(read().await.unwrap()), [OperationStatus::InDoubt]);
    let line = ReceiptLine { at: noon(), step: "disabled".into(), result: "done".into() };
    bench.store.settle(vec![settle(OperationStatus::Done, vec![line.clone()])]).await.unwrap();
    assert_eq!(unsettled(read().await.unwrap()), []);
    let operation = bench.store.operations(OperationsOf::Run(intent.run), None, 10).await.unwrap().remove(0);
    assert_eq!((operation.receipt, operation.settled_at), (vec![line], Some(noon())));
    assert_eq!((operation.because, operation.created_at), (intent.because.clone(), noon()));
    let refused = bench.store.intend(&[intent], &[], yesterday()).await.unwrap_err();
    assert_eq!(refused.refusal(), Some(Refusal::Other), "an operation is intended once");
}

async fn a_settlement_is_all_or_nothing(bench: Bench) {
    let ayse = person(1, "A", "B");
    bench.save(vec![ayse.clone()]).await;
    let event = AuditEvent {
        at: noon(),
        actor: "kimlik".into(),
        deed: "account.close".into(),
        person: Some(id(1)),
        because: "left".into(),
        detail: serde_json::json!({"from": {"enabled": true}, "n": 1}),
    };
    let never = OperationId(Uuid::from_u128(99));
    let failing = PersonSettlement {
        audit: vec![event.clone()],
        message: Some(announcement(1, 1)),
        operations: vec![(never, OperationStatus::Done, vec![])],
        ..settlement(&ayse)
    };
    assert_eq!(bench.store.settle(vec![failing.clone()]).await.unwrap_err().refusal(), Some(Refusal::NotFound));
    assert_eq!(bench.store.audit_events(None, 10).await.unwrap(), []);
    assert_eq!(bench.store.messages(None, 10).await.unwrap(), []);
    bench.store.settle(vec![PersonSettlement { operations: vec![], ..failing }]).await.unwrap();
    assert_eq!(bench.store.audit_events(Some(id(1)), 10).await.unwrap(), [event]);
    assert_eq!(bench.store.audit_events(Some(id(2)), 10).await.unwrap(), []);
}

fn announcement(n: u32, opening: u32) -> NewMessage {
    NewMessage {
        id: MessageId(Uuid::from_u128(0x2000 + u128::from(n))),
        purpose: Purpose::AccountOpened,
        occasion: opening.to_string(),
        to: MobileNumber::parse("05321234567").unwrap().into(),
        subject: None,
        text: format!("Hesabınız açıldı {n}").into(),
        code: Some(format!("{n:08}").into()),
        valid_until: None,
    }
}

async fn an_opening_is_announced_at_most_once(bench: Bench) {
    let ayse = person(1, "A", "B");
    bench.save(vec![ayse.clone()]).await;
    bench.settle_account(&ayse, AccountState::Active, 6).await;
    let mut tellers = Vec::new();
    for n in 1..=6 {
        let store = bench.again().await;
        let settlement = PersonSettlement { message: Some(announcement(n, 1)), ..settlement(&ayse) };
        tellers.push(tokio::spawn(async move { store.settle(vec![settlement]).await }));
    }
    for teller in tellers {
        teller.await.unwrap().unwrap();
    }
    let messages = bench.store.messages(None, 10).await.unwrap();
    assert_eq!(messages.len(), 1);
    assert_eq!((messages[0].state, messages[0].to.whole()), (MessageState::Queued, "+905321234567"));
    assert!(messages[0].text.as_ref().unwrap().starts_with("Hesabınız açıldı "));
    bench.store.settle(vec![PersonSettlement { message: Some(announcement(7, 2)), ..settlement(&ayse) }]).await.unwrap();
    let messages = bench.store.messages(None, 10).await.unwrap();
    assert_eq!(messages.iter().map(|m| m.occasion.as_str()).collect::<Vec<_>>(), ["2", "1"], "the next opening is announced again");
}

async fn runs_are_read_as_written(bench: Bench) {
    let mut run = Run {
        id: RunId(Uuid::from_u128(5)),
        trigger: Trigger::HrChange,
        status: RunStatus::Running,
        started_at: noon(),
        finished_at: None,
        summary: RunSummary::default(),
    };
    bench.store.begin_run(&run, noon()).await.unwrap();
    assert_eq!(bench.store.runs(None, 9).await.unwrap(), [run.clone()]);
    run.status = RunStatus::PartlyFailed;
    run.finished_at = Some(noon() + TimeDelta::microseconds(1));
    run.summary = RunSummary { people: 3, planned: [(ActionKind::Open, 2)].into(), fault: Some("dc1".into()), ..RunSummary::default() };
    bench.store.finish_run(&run).await.unwrap();
    assert_eq!(bench.store.runs(None, 9).await.unwrap(), [run.clone()]);
    assert_eq!(bench.store.runs(Some(run.id), 9).await.unwrap(), []);
}

async fn a_run_that_nobody_keeps_is_interrupted_once_and_goes_on_if_somebody_does(bench: Bench) {
    let run = |id| Run {
        id: RunId(Uuid::from_u128(id)),
        trigger: Trigger::Command,
        status: RunStatus::Running,
        started_at: noon(),
        finished_at: None,
        summary: RunSummary { by: Some("user:x".into()), ..RunSummary::default() },
    };
    let (lost, kept, over) = (run(1), run(2), run(3));
    let at = |seconds| noon() + TimeDelta::seconds(seconds);
    for run in [&lost, &kept, &over] {
        bench.store.begin_run(run, at(60)).await.unwrap();
    }
    let done = Run { status: RunStatus::Done, finished_at: Some(at(9)), ..over };
    bench.store.finish_run(&done).await.unwrap();
    assert_eq!(bench.store.interrupt_lost(at(59)).await.unwrap(), [], "nobody too early");
    assert_eq!(bench.store.full_run_due().await.unwrap(), None);
    bench.store.keep_run(kept.id, at(120)).await.unwrap();
    // Several replicas look at the same moment: one of them finds it.
    let found = futures_util::future::join_all((0..4).map(|_| bench.store.interrupt_lost(at(60)))).await;
    let found: Vec<_> = found.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(found, [lost.id]);
    assert_eq!(bench.store.full_run_due().await.unwrap(), Some(1), "everybody is looked at once more, by whoever lives");
    let ended = Run { status: RunStatus::Interrupted, finished_at: Some(at(60)), ..lost.clone() };
    assert_eq!(bench.store.runs(None, 9).await.unwrap(), [done.clone(), kept.clone(), ended.clone()]);
    assert_eq!(bench.store.progress(lost.id).await.unwrap().unwrap().0, ended);
    assert_eq!(bench.store.interrupt_lost(at(61)).await.unwrap(), []);
    // Its process was only silent for a while.
    bench.store.keep_run(lost.id, at(180)).await.unwrap();
    bench.store.keep_run(done.id, at(180)).await.unwrap();
    assert_eq!(bench.store.runs(None, 9).await.unwrap(), [done.clone(), kept.clone(), lost.clone()], "what is over stays over");
    assert_eq!(bench.store.interrupt_lost(at(200)).await.unwrap().len(), 2);
    let late = Run { status: RunStatus::Done, finished_at: Some(at(230)), ..lost };
    bench.store.finish_run(&late).await.unwrap();
    assert_eq!(bench.store.interrupt_lost(at(1_000)).await.unwrap(), []);
    assert_eq!(bench.store.runs(None, 1).await.unwrap().len(), 1);
    assert_eq!(bench.store.progress(late.id).await.unwrap().unwrap().0, late, "whoever comes to the end has the last word");
}
