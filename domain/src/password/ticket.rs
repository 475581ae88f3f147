//! A ticket: somebody has proven who they are, and may do one thing with it, in the browser that proved it.
use crate::id::{AccountGuid, PersonId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

/// What a ticket is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TicketPurpose {
    SetPassword,
    Unlock,
}

#[derive(Clone)]
pub struct Ticket {
    pub id: Uuid,
    pub person: PersonId,
    pub account: AccountGuid,
    pub purposes: Vec<TicketPurpose>,
    /// The message or the challenge whose code proved who somebody is: used up together with the ticket.
    pub proof: Uuid,
    /// A newcomer's: there was no password before that somebody should be warned about.
    pub is_first: bool,
    pub made_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// A password that nobody knows, from which the new one is *changed* so that the directory looks at its history. One a
    /// ticket: trying again must not push the person's own passwords out of that history.
    pub intermediate: Option<Zeroizing<String>>,
}
