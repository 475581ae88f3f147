//! What a directory account is to Kimlik: the attributes it owns, the names it gives, the place it has.
pub mod adoption; // by order
pub mod attribute;
pub mod compose;
pub mod directory;
pub mod mapping;
pub mod name;
pub mod placement;
pub mod rename; // names by order

pub use attribute::{Attribute, Attributes, Change, Value};
pub use directory::{AccountRef, Dn, NewAccount, ObservedAccount};
pub use mapping::Mapping;
pub use name::{LedgerName, NameKind, NamePolicy, Names};
pub use placement::{GroupRule, Mode, PlacementRule, When};

use crate::day::Day;
use crate::id::{AccountGuid, PersonId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The state that the account should have, and had when Kimlik last settled it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AccountState {
    /// There is none, and none is due.
    None,
    /// Created, disabled until the first day in service.
    Opening,
    Active,
    Suspended,
    Closed,
}

/// What Kimlik knows of a person's account: one row of the ledger beside the person.
/// Everything that can be observed is observed; this holds what cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Account {
    pub person: PersonId,
    /// `None` until it was created or adopted and seen.
    pub guid: Option<AccountGuid>,
    /// Where it stood when last seen.
    pub dn: Option<Dn>,
    /// Reserved in the ledger before anything is created.
    pub names: Names,
    pub state: AccountState,
    /// 1 for the first opening, one more for each return after a closing. An announcement is sent once an opening.
    pub opening: u32,
    /// A random password has been set since the last opening (and again at a closing): `opening` counted in its own steps.
    pub sealed: Sealed,
    /// What Kimlik last carried out: tells a hand-made change from a new fact of HR.
    pub applied: Option<Applied>,
    pub opened_at: Option<DateTime<Utc>>,
    pub enabled_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
    /// When its mail ended, or, where somebody is asked for mailboxes, when that was let go ahead. Equal to `closed_at`: it was
    /// no mailbox when it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail_ended_at: Option<DateTime<Utc>>,
    /// The opening that was announced; 0: none.
    pub announced_opening: u32,
    /// It existed before Kimlik: it is never announced as new.
    pub adopted: bool,
    /// Suspended, and disabled by somebody else before that: what ends the suspension does not enable it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled_before: bool,
    /// Who ordered the names that it has; `None`: they were made by the policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed: Option<rename::NamesOrdered>,
    /// The account that is to become this one, until it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopt: Option<adoption::AdoptionOrdered>,
}

/// Which random password the account was last given by Kimlik.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sealed {
    #[default]
    Never,
    /// Before its enabling: nobody knows the password.
    Opening,
    /// At its closing.
    Closing,
}

/// The place and the values of the last plan that was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Applied {
    /// `None`: no unit is known; the account stands in the default OU.
    pub unit: Option<crate::staff::UnitCode>,
    pub unit_name: Arc<str>,
    /// By a secondment: going back is not a transfer.
    pub seconded: bool,
    pub ou: Dn,
    pub attributes: Attributes,
    /// Birthright groups that Kimlik added: what it adds it also takes away, and nothing else.
    pub groups: Vec<Dn>,
    pub on: Day,
}

impl Account {
    pub fn new(person: PersonId, names: Names) -> Account {
        Account {
            person,
            guid: None,
            dn: None,
            names,
            state: AccountState::None,
            opening: 0,
            sealed: Sealed::Never,
            applied: None,
            opened_at: None,
            enabled_at: None,
            closed_at: None,
            mail_ended_at: None,
            announced_opening: 0,
            adopted: false,
            disabled_before: false,
            renamed: None,
            adopt: None,
        }
    }

    /// It was closed, and was no mailbox then.
    pub fn never_took_mail(&self) -> bool {
        self.mail_ended_at.is_some() && self.mail_ended_at == self.closed_at
    }
}
