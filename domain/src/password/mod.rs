//! Parola: how people come to a password of their own. A code proves who somebody is, a ticket carries that proof to the new
//! password, the directory's own rules decide whether it is taken.
pub mod challenge;
pub mod desk;
pub mod officer;
pub mod pin;
pub mod resend;
pub mod rules;
pub mod ticket;

pub use challenge::{ChallengeKind, ChallengeRules, ResetProof};
pub use desk::{Desk, DeskRules, Done, Refused};
pub use pin::Pin;
pub use rules::{Broken, PasswordRules};
pub use ticket::{Ticket, TicketPurpose};

use crate::account::AccountRef;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// What the directory says of an account and its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordFacts {
    pub account: AccountRef,
    pub username: Arc<str>,
    pub display_name: Arc<str>,
    pub enabled: bool,
    /// Why Kimlik may not write it: protected, or outside the base.
    pub out_of_reach: Option<Arc<str>>,
    /// It signs in with a card: a password would be of no use.
    pub smart_card: bool,
    pub locked: bool,
    pub must_change: bool,
    /// `None`: never.
    pub expires_at: Option<DateTime<Utc>>,
    /// `None`: it must be changed, or there never was one.
    pub set_at: Option<DateTime<Utc>>,
}

impl PasswordFacts {
    /// May its owner mend it here? Self-service enables nothing, and touches nobody who is protected.
    pub fn is_served(&self) -> bool {
        self.enabled && self.out_of_reach.is_none() && !self.smart_card
    }
}
