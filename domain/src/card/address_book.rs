//! When a card that is right in the directory is right in Outlook: at once for clients that ask a server, later for those that
//! read the offline address book, which is made every few hours and fetched once a day.
use super::drift::DriftReason;
use super::truth::Truth;
use crate::account::{AccountState, Attribute};
use chrono::{DateTime, TimeDelta, Utc};

/// How late others are, at the latest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookRules {
    /// Until every controller has heard of a change.
    pub replication: TimeDelta,
    /// Between two generations of the offline address book.
    pub generation: TimeDelta,
    /// Until a client fetches the new one.
    pub download: TimeDelta,
}

/// How the address book stands to the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookStatus {
    /// Everybody sees the card as it should be.
    Current,
    /// Something is being written into the directory.
    Writing,
    /// The directory is right; offline address books may still show what was before.
    WaitingForAddressBook,
    /// The directory shows something else, and nobody is putting it right.
    Stale,
    /// The card is not shown: its owner has left, or is to be hidden.
    Hidden,
    /// There is no account.
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookState {
    pub status: BookStatus,
    /// When Kimlik last wrote something that the address book shows; `None`: never, it was right.
    pub written_at: Option<DateTime<Utc>>,
    /// From when a client that asks a server shows it.
    pub online_from: Option<DateTime<Utc>>,
    /// By when the offline address book shows it, at the latest.
    pub offline_by: Option<DateTime<Utc>>,
}

/// Does the address book show it? (The user name for signing in and the numbers of recipient kinds it does not.)
pub const fn is_shown(attribute: Attribute) -> bool {
    !matches!(attribute, Attribute::UserPrincipalName | Attribute::CountryCode | Attribute::EmployeeId) && !attribute.is_remote_mailbox()
}

pub fn state(truth: &Truth, rules: &BookRules, now: DateTime<Utc>) -> BookState {
    let nothing = BookState { status: BookStatus::None, written_at: None, online_from: None, offline_by: None };
    let Some(seen) = &truth.seen else {
        // Why not "none": there is one, and nobody can tell what it shows.
        let is_lost = truth.record.account.as_ref().is_some_and(|a| a.guid.is_some());
        return if is_lost { BookState { status: BookStatus::Stale, ..nothing } } else { nothing };
    };
    let written_at = truth.written_at;
    let offline_by = written_at.map(|at| at + rules.replication + rules.generation + rules.download);
    let closed = truth.record.account.as_ref().is_some_and(|a| a.state == AccountState::Closed);
    let hidden = seen.attributes.text(Attribute::HideFromAddressLists) == Some("TRUE");
    let differing = || truth.fields.iter().filter(|f| is_shown(f.attribute)).filter_map(|f| f.differs.as_ref()).map(|(reason, _)| *reason);
    let moves = |reason: DriftReason| matches!(reason, DriftReason::Waiting | DriftReason::HandEdited);
    let status = if differing().any(|reason| !moves(reason)) {
        BookStatus::Stale
    } else if differing().next().is_some() {
        BookStatus::Writing
    } else if offline_by.is_some_and(|by| now < by) {
        BookStatus::WaitingForAddressBook
    } else if hidden || closed {
        BookStatus::Hidden
    } else {
        BookStatus::Current
    };
    BookState { status, written_at, online_from: written_at.map(|at| at + rules.replication), offline_by }
}
