//! What a run leaves behind: intents before the directory is touched, settlements after it was observed.
use super::drift::DriftAfter;
use super::limits::Budget;
use super::plan::{ActionKind, Step};
use crate::account::Account;
use crate::audit::AuditEvent;
use crate::id::{OperationId, PersonId, RunId};
use crate::message::NewMessage;
use crate::staff::RegistryNo;
use crate::staff::unit::Province;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Trigger {
    Schedule,
    HrChange,
    Drift,
    Command,
    HoldApproved,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunStatus {
    Running,
    Done,
    /// Something waits for an administrator.
    Held,
    /// Something was refused or is in doubt; it is tried again by itself.
    PartlyFailed,
    /// It could not go on at all: a neighbour was away.
    Failed,
    /// Nobody carries it out any more: its process was killed, or has lost touch. Its people are looked at by another run.
    Interrupted,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub id: RunId,
    pub trigger: Trigger,
    pub status: RunStatus,
    pub started_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
    pub summary: RunSummary,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSummary {
    pub people: u32,
    /// By kind of action.
    pub planned: std::collections::BTreeMap<ActionKind, u32>,
    pub done: u32,
    pub held: u32,
    pub refused: u32,
    pub in_doubt: u32,
    /// Planned for units that are only observed.
    pub observed_only: u32,
    /// Why it failed, if it did.
    pub fault: Option<String>,
    /// Who asked for it; `None`: Kimlik by itself, or the server's terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// An action about to be carried out: what, from which values, why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    pub operation: OperationId,
    pub run: RunId,
    pub person: PersonId,
    pub kind: ActionKind,
    /// The limit that counts it.
    pub budget: Option<Budget>,
    pub province: Option<Province>,
    /// It was approved in a hold: it counts, but no cap stops it.
    pub approved: bool,
    pub digest: String,
    pub because: String,
    pub steps: Vec<Step>,
    pub at: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OperationStatus {
    Intended,
    Done,
    Refused,
    /// Perhaps it happened: the person is observed and planned again.
    InDoubt,
    /// Found not (wholly) done after a doubt; what was missing was planned anew.
    Superseded,
}

/// One step with its time, for the receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptLine {
    pub at: DateTime<Utc>,
    /// The step in plain words.
    pub step: String,
    /// `done`, or why not.
    pub result: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationRecord {
    pub id: OperationId,
    pub run: RunId,
    pub person: PersonId,
    pub kind: ActionKind,
    pub status: OperationStatus,
    /// A suspension that disables the account; one of an account that was disabled before leaves it so.
    pub disables: bool,
    pub because: String,
    pub created_at: DateTime<Utc>,
    pub settled_at: Option<DateTime<Utc>>,
    pub receipt: Vec<ReceiptLine>,
}

/// What is known of one person after their actions were carried out and observed: saved in one transaction.
#[derive(Clone, Debug)]
pub struct PersonSettlement {
    pub person: PersonId,
    pub registry_no: RegistryNo,
    pub province: Option<Province>,
    /// The new row of the ledger; `None`: unchanged.
    pub account: Option<Account>,
    /// The row that the new one was made from. Where another stands there by now, or an operation was settled already, somebody else
    /// was at the same account: nothing of this is saved, its operations are in doubt, and the person is looked at anew.
    pub before: Option<Account>,
    pub operations: Vec<(OperationId, OperationStatus, Vec<ReceiptLine>)>,
    pub message: Option<NewMessage>,
    pub audit: Vec<AuditEvent>,
    /// How the card stands in the directory.
    pub drift: DriftAfter,
    /// Its account appeared or its number changed: the people whose manager it is are woken with it.
    pub wake_reports: bool,
    /// Mailboxes are closed by whoever is asked for them: that one was is told when it is seen, not when it may be asked for.
    pub mailbox_asked_for: bool,
    pub at: DateTime<Utc>,
}
