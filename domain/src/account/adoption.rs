//! An account that existed before Kimlik becomes a person's because an administrator says so: a part of what should be, until the
//! account is the person's.
use crate::id::{AccountGuid, PersonId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

/// Which account, and who says so.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AdoptionOrdered {
    pub guid: AccountGuid,
    /// As in the audit.
    pub by: Arc<str>,
    pub reason: Arc<str>,
    pub at: DateTime<Utc>,
}

/// What somebody orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adoption {
    pub id: Uuid,
    pub person: PersonId,
    pub ordered: AdoptionOrdered,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adopted {
    /// It stands in the ledger, and will be carried out whatever happens.
    Given,
    /// The account's names are, or were, somebody else's.
    NameTaken,
    /// The person has an account by now.
    HasAccount,
    /// The account is somebody's by now.
    Owned,
    /// It was ordered before.
    AlreadySo,
    /// The person is being given another account, or nobody knows yet whether that happened.
    UnderWay,
    /// The key was used for the same before: what was answered then.
    Answered(String),
    /// The key was used for something else.
    KeyReused,
}

/// What came of taking an order back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Withdrawn {
    /// The order is gone, with the names that came with it.
    Done,
    /// There is no order that waits to be carried out.
    NoOrder,
    /// It is being carried out, or nobody knows yet whether it was.
    UnderWay,
    /// The key was used for the same before: what was answered then.
    Answered(String),
    /// The key was used for something else.
    KeyReused,
}

/// Why an account cannot become a person's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotAdoptable {
    /// There is no such account below the base.
    NotFound,
    /// The directory's own administrators, and the like.
    Protected(Arc<str>),
    /// Somebody's already.
    Owned,
    /// It carries another registry number.
    OtherNumber,
    /// The person has an account.
    HasAccount,
    /// One is being opened for the person just now.
    UnderWay,
}
