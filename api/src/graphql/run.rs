//! Runs and what they did.
use super::error::{Maybe, fault};
use super::operation::{self, Operation};
use super::page::{self, Cursor, Page};
use super::{allows, house, id};
use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use kimlik_domain::access::{About, Deed};
use kimlik_domain::id::RunId;
use kimlik_domain::lifecycle::run;
use kimlik_domain::ports::OperationsOf;
use uuid::Uuid;

#[derive(Default)]
pub struct RunQuery;

/// What is done to an account.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::lifecycle::ActionKind")]
pub enum ChangeAction {
    /// An account that existed before Kimlik becomes this person's.
    Adopt,
    /// A new account.
    Open,
    /// A closed account comes back.
    Reopen,
    /// The first day in service has come.
    Enable,
    /// Back from leave or suspension.
    Reinstate,
    /// Attributes of the card.
    Update,
    /// Birthright groups.
    Groups,
    /// Another organizational unit.
    Move,
    /// Another name or address.
    Rename,
    /// Disabled for a while.
    Suspend,
    /// Closed.
    Close,
    /// A hire that was taken back before its day.
    Withdraw,
    /// A leaver's mailbox takes no mail any more: its retention is over.
    CloseMailbox,
}

/// Why a run began.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::lifecycle::run::Trigger")]
pub enum SyncTrigger {
    /// The nightly look at everybody, or a day that has come.
    Schedule,
    /// HR said something new.
    HrChange,
    /// Something was changed by hand in the directory.
    Drift,
    /// Somebody typed a command.
    Command,
    /// Held changes were approved.
    HoldApproved,
}

/// How a run stands.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::lifecycle::run::RunStatus")]
pub enum SyncRunStatus {
    /// It goes on.
    Running,
    /// Everything was done.
    Done,
    /// Something waits for an administrator.
    Held,
    /// Something was refused or is in doubt; it is tried again by itself.
    PartlyFailed,
    /// It could not go on at all.
    Failed,
    /// Nobody carries it out any more: its process was killed, or has said nothing for a minute. What it left is looked at by another run.
    Interrupted,
}

/// How many changes of one kind.
#[derive(SimpleObject)]
pub struct ActionCount {
    /// The kind.
    action: ChangeAction,
    /// How many.
    count: u32,
}

impl ActionCount {
    pub fn of(kind: kimlik_domain::lifecycle::ActionKind, count: u32) -> ActionCount {
        ActionCount { action: kind.into(), count }
    }
}

/// One pass over some or all people.
pub struct SyncRun(run::Run);

impl SyncRun {
    pub fn of(run: run::Run) -> SyncRun {
        SyncRun(run)
    }
}

#[Object]
/// One pass over some or all people.
impl SyncRun {
    /// Of this run.
    pub async fn id(&self) -> ID {
        id::encode(id::RUN, self.0.id.0)
    }
    /// Why it began.
    async fn trigger(&self) -> SyncTrigger {
        self.0.trigger.into()
    }
    /// How it stands.
    async fn status(&self) -> SyncRunStatus {
        self.0.status.into()
    }
    /// When it began.
    async fn started_at(&self) -> DateTime<Utc> {
        self.0.started_at
    }
    /// Null: it goes on. Of one that was interrupted: when that was found.
    async fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.0.finished_at
    }
    /// How many people were looked at.
    async fn people(&self) -> u32 {
        self.0.summary.people
    }
    /// What was planned, by kind.
    async fn planned(&self) -> Vec<ActionCount> {
        self.0.summary.planned.iter().map(|(kind, count)| ActionCount::of(*kind, *count)).collect()
    }
    /// Changes that were carried out.
    async fn done(&self) -> u32 {
        self.0.summary.done
    }
    /// Changes that wait for an administrator.
    async fn held(&self) -> u32 {
        self.0.summary.held
    }
    /// Changes that the directory refused.
    async fn refused(&self) -> u32 {
        self.0.summary.refused
    }
    /// Changes of which it is not yet known whether they happened.
    async fn in_doubt(&self) -> u32 {
        self.0.summary.in_doubt
    }
    /// Planned for units that are only observed: nothing of it was written.
    async fn observed_only(&self) -> u32 {
        self.0.summary.observed_only
    }
    /// Why it could not go on, if it could not.
    async fn fault(&self) -> Option<&str> {
        self.0.summary.fault.as_deref()
    }
    /// Who asked for it: `user:…`, `service:…`; null: Kimlik by itself, or the server's terminal.
    async fn started_by(&self) -> Option<&str> {
        self.0.summary.by.as_deref()
    }
    /// What it did, newest first. Who may read everybody's operations; others see null.
    #[graphql(complexity = "page::cost(__ctx, __variables_definition, __field, child_complexity)")]
    async fn operations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before.")] after: Option<String>,
    ) -> Maybe<Page<Operation>> {
        if !allows(ctx, Deed::ReadOperation, About::Everything) {
            return None;
        }
        Some(operation::of(ctx, OperationsOf::Run(self.0.id), first, after.as_deref()).await)
    }
}

#[Object]
impl RunQuery {
    /// Runs, newest first.
    #[graphql(complexity = "page::cost(__ctx, __variables_definition, __field, child_complexity)")]
    async fn sync_runs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before.")] after: Option<String>,
    ) -> Maybe<Page<SyncRun>> {
        if !allows(ctx, Deed::ReadRun, About::Everything) {
            return None;
        }
        Some(runs(ctx, first, after.as_deref()).await)
    }
}

/// By its id, where the caller may read it.
pub async fn one(ctx: &Context<'_>, id: Uuid) -> Result<Option<SyncRun>> {
    if !allows(ctx, Deed::ReadRun, About::Everything) {
        return Ok(None);
    }
    let found = house(ctx)?.store.runs(Some(RunId(id::above(id))), 1).await.map_err(|e| fault(ctx, &e))?;
    Ok(found.into_iter().find(|run| run.id.0 == id).map(SyncRun))
}

async fn runs(ctx: &Context<'_>, first: Option<i32>, after: Option<&str>) -> Result<Page<SyncRun>> {
    let wanted = page::first(first)?;
    let before = page::after(id::RUN, after)?.map(RunId);
    let runs = house(ctx)?.store.runs(before, wanted + 1).await.map_err(|e| fault(ctx, &e))?;
    Ok(page::page(runs, wanted, before.is_some(), |run| (Cursor(id::encode(id::RUN, run.id.0).0), SyncRun(run))))
}
