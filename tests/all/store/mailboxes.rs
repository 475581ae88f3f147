//! Rows of mailboxes: found, leased to one worker at a time, due again when the account changes.
use super::{Bench, no, noon, person, settlement};
use chrono::TimeDelta;
use kimlik_domain::account::AccountState;
use kimlik_domain::id::{OperationId, RunId};
use kimlik_domain::lifecycle::limits::Budget;
use kimlik_domain::lifecycle::run::{Intent, OperationStatus, PersonSettlement};
use kimlik_domain::lifecycle::{ActionKind, Step};
use kimlik_domain::mailbox::{Mailbox, MailboxDeed, MailboxState, Stands};
use kimlik_domain::ports::{MailboxLedger, MailboxSave, PeopleBy, Store, Webhooks};
use kimlik_domain::staff::{DataIssue, IssueKind};
use kimlik_domain::webhook::EventKind;
use std::collections::BTreeSet;
use uuid::Uuid;

on_both_engines!(
    the_newest_accounts_are_found_first_and_each_once,
    two_workers_never_have_the_same_mailbox_and_a_late_one_writes_nothing,
    an_account_that_changes_makes_its_mailbox_due_also_during_a_lease,
    what_is_saved_is_read_back_with_its_issues_and_its_audit,
    that_a_mailbox_was_closed_is_told_once_and_when_it_is_seen,
);

async fn accounts(bench: &Bench, n: u32) {
    let people: Vec<_> = (1..=n).map(|n| person(n, "Ayşe", &format!("Şahin{n}"))).collect();
    bench.save(people.clone()).await;
    for person in &people {
        bench.settle_account(person, AccountState::Active, 6).await;
    }
}

fn ends(mailbox: Mailbox, generation: i64, after: TimeDelta) -> MailboxSave {
    MailboxSave { mailbox, generation, due_at: Some(noon() + after), issues: None, audit: Vec::new(), closed: false, at: noon() }
}

async fn the_newest_accounts_are_found_first_and_each_once(bench: Bench) {
    accounts(&bench, 3).await;
    bench.save(vec![person(9, "Ali", "Can")]).await;
    let store = &bench.store;
    assert_eq!(store.discover_mailboxes(noon(), 2).await.unwrap(), 2);
    let claimed = store.claim_mailboxes(noon(), noon() + TimeDelta::hours(1), 10).await.unwrap();
    assert_eq!(claimed.iter().map(|c| c.mailbox.person).collect::<Vec<_>>(), [super::id(3), super::id(2)]);
    assert_eq!(store.discover_mailboxes(noon(), 2).await.unwrap(), 1);
    assert_eq!(store.discover_mailboxes(noon(), 2).await.unwrap(), 0, "nobody without an account");
    let state = store.mailboxes_state().await.unwrap();
    assert_eq!((state.unseen, state.waiting, state.waiting_since), (3, 0, None));
    assert_eq!(store.mailbox_of(super::id(9)).await.unwrap(), None);
}

async fn two_workers_never_have_the_same_mailbox_and_a_late_one_writes_nothing(bench: Bench) {
    accounts(&bench, 20).await;
    let other = bench.again().await;
    bench.store.discover_mailboxes(noon(), 100).await.unwrap();
    let until = noon() + TimeDelta::minutes(5);
    let (a, b) = futures_util::future::join(bench.store.claim_mailboxes(noon(), until, 10), other.claim_mailboxes(noon(), until, 10)).await;
    let (a, b) = (a.unwrap(), b.unwrap());
    let both: BTreeSet<_> = a.iter().chain(&b).map(|c| c.mailbox.person).collect();
    assert_eq!(both.len(), a.len() + b.len());
    let late = a[0].clone();
    // Its lease goes on, and nobody else's.
    let held: Vec<_> = a.iter().map(|c| (c.mailbox.person, c.generation)).collect();
    assert_eq!(bench.store.renew_mailboxes(&held, until + TimeDelta::seconds(1)).await.unwrap(), []);
    assert_eq!(other.claim_mailboxes(until, until, 100).await.unwrap().len(), b.len(), "those of the other one were not kept");
    let until = until + TimeDelta::seconds(1);
    let taken = other.claim_mailboxes(until, until + TimeDelta::minutes(5), 100).await.unwrap();
    let lost = bench.store.renew_mailboxes(&held, until + TimeDelta::minutes(9)).await.unwrap();
    assert_eq!(lost.len(), held.len(), "all are the next one's");
    assert!(other.claim_mailboxes(until + TimeDelta::minutes(4), until, 100).await.unwrap().is_empty(), "and their leases stand");
    assert_eq!(bench.store.renew_mailboxes(&[], until).await.unwrap(), []);
    let again = taken.iter().find(|c| c.mailbox.person == late.mailbox.person).unwrap();
    assert!(!bench.store.save_mailbox(&ends(late.mailbox.clone(), late.generation, TimeDelta::days(1))).await.unwrap());
    assert!(other.save_mailbox(&ends(again.mailbox.clone(), again.generation, TimeDelta::days(1))).await.unwrap());
    assert!(!other.save_mailbox(&ends(again.mailbox.clone(), again.generation, TimeDelta::days(1))).await.unwrap(), "a lease ends once");
}

async fn an_account_that_changes_makes_its_mailbox_due_also_during_a_lease(bench: Bench) {
    accounts(&bench, 1).await;
    let store = &bench.store;
    store.discover_mailboxes(noon(), 1).await.unwrap();
    let until = noon() + TimeDelta::minutes(5);
    let claimed = store.claim_mailboxes(noon(), until, 1).await.unwrap().remove(0);
    let changed = async || {
        let record = store.people(PeopleBy::Ids(&[super::id(1)])).await.unwrap().remove(0);
        let before = record.account;
        let mut account = before.clone().unwrap();
        account.names.aliases.push(format!("a{}@csb.test", account.names.aliases.len()).into());
        store.settle(vec![PersonSettlement { account: Some(account), before, ..settlement(&record.person) }]).await.unwrap();
    };
    changed().await;
    assert!(store.claim_mailboxes(noon(), until, 1).await.unwrap().is_empty(), "the lease stands");
    let stands = Mailbox { stands: Some(Stands::Open), ..claimed.mailbox };
    assert!(store.save_mailbox(&ends(stands.clone(), claimed.generation, TimeDelta::days(1))).await.unwrap());
    let claimed = store.claim_mailboxes(noon(), until, 1).await.unwrap().remove(0);
    assert!(store.save_mailbox(&ends(stands, claimed.generation, TimeDelta::days(1))).await.unwrap());
    assert!(store.claim_mailboxes(noon(), until, 1).await.unwrap().is_empty(), "nothing is due");
    changed().await;
    assert_eq!(store.claim_mailboxes(noon(), until, 1).await.unwrap().len(), 1);
}

async fn that_a_mailbox_was_closed_is_told_once_and_when_it_is_seen(bench: Bench) {
    accounts(&bench, 1).await;
    let store = &bench.store;
    let (operation, one) = (OperationId(Uuid::from_u128(1)), person(1, "Ayşe", "Şahin1"));
    let intent = Intent {
        operation,
        run: RunId(Uuid::from_u128(1)),
        person: one.id,
        kind: ActionKind::CloseMailbox,
        budget: Some(Budget::Mailbox),
        province: None,
        approved: false,
        digest: "d".into(),
        because: "its retention is over".into(),
        steps: vec![Step::EndMail],
        at: noon(),
    };
    store.intend(&[intent], &[], noon()).await.unwrap();
    let operations = vec![(operation, OperationStatus::Done, Vec::new())];
    store.settle(vec![PersonSettlement { operations, mailbox_asked_for: true, ..settlement(&one) }]).await.unwrap();
    let events = async || {
        while store.seal_events(10, &|_, _| serde_json::json!({})).await.unwrap() {}
        store.events_after(0, 10).await.unwrap()
    };
    assert_eq!(events().await, []);
    store.discover_mailboxes(noon(), 1).await.unwrap();
    let later = noon() + TimeDelta::minutes(7);
    for _ in 0..2 {
        let claimed = store.claim_mailboxes(later, later + TimeDelta::minutes(5), 1).await.unwrap().remove(0);
        let closed = Mailbox { stands: Some(Stands::Closed), ..claimed.mailbox };
        let save = MailboxSave { closed: true, at: later, ..ends(closed, claimed.generation, TimeDelta::zero()) };
        assert!(store.save_mailbox(&save).await.unwrap());
        let told: Vec<_> = events().await.into_iter().map(|e| (e.id, e.kind, e.at)).collect();
        assert_eq!(told, [(operation.0, EventKind::MailboxClosed, later)]);
    }
    let before = store.people(PeopleBy::Ids(&[one.id])).await.unwrap().remove(0).account;
    let mut account = before.clone().unwrap();
    assert_eq!(store.people(PeopleBy::Ids(&[one.id])).await.unwrap()[0].mailbox, None, "asked for of leavers only");
    account.state = AccountState::Closed;
    store.settle(vec![PersonSettlement { account: Some(account), before, ..settlement(&one) }]).await.unwrap();
    assert_eq!(store.people(PeopleBy::Ids(&[one.id])).await.unwrap()[0].mailbox, Some(Stands::Closed));
}

async fn what_is_saved_is_read_back_with_its_issues_and_its_audit(bench: Bench) {
    accounts(&bench, 1).await;
    let store = &bench.store;
    store.discover_mailboxes(noon(), 1).await.unwrap();
    let claimed = store.claim_mailboxes(noon(), noon() + TimeDelta::minutes(5), 1).await.unwrap().remove(0);
    let asked = claimed.mailbox.asking(MailboxDeed::Open, Uuid::from_u128(5), noon());
    let issue = DataIssue { registry_no: Some(no("S1")), ..DataIssue::new(IssueKind::MailboxOverdue, "waits") };
    let save = |issues| MailboxSave { issues: Some((no("S1"), issues)), ..ends(asked.clone(), claimed.generation, TimeDelta::zero()) };
    assert!(store.save_mailbox(&save(vec![issue])).await.unwrap());
    let read = store.mailbox_of(super::id(1)).await.unwrap().unwrap();
    assert_eq!((&read, read.state()), (&asked, MailboxState::Requested));
    let state = store.mailboxes_state().await.unwrap();
    assert_eq!((state.waiting, state.waiting_since, state.unseen), (1, Some(noon()), 0));
    assert_eq!(store.issues(None, 10).await.unwrap().len(), 1);
    let claimed = store.claim_mailboxes(noon(), noon() + TimeDelta::minutes(5), 1).await.unwrap().remove(0);
    let over = MailboxSave { generation: claimed.generation, ..save(Vec::new()) };
    assert!(store.save_mailbox(&over).await.unwrap());
    assert!(store.issues(None, 10).await.unwrap().is_empty(), "what is not found again is resolved");
}
