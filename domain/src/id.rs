//! Ids. Rows made by Kimlik carry UUIDv7 (time-ordered, so a scan by id is a scan by age).
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, concat!(stringify!($name), "({})"), self.0) }
        }
    };
}

id!(/// A member of staff, whatever registry numbers HR gives them over the years.
    PersonId);
id!(/// The directory's objectGUID: the only name of an account that never changes.
    AccountGuid);
id!(/// One pass over some or all people.
    RunId);
id!(/// One action on one account, from its intent to its receipt.
    OperationId);
id!(/// Changes of one kind and scope that wait for an administrator.
    HoldId);
id!(/// A fault in what HR says.
    IssueId);
id!(/// A text to a person.
    MessageId);
id!(/// One sign-in, from the password to its end.
    SessionId);
id!(/// An account of a program, not of a person.
    ServiceId);
id!(/// A role given to a person for a time.
    GrantId);
id!(/// An address that is told of what is done.
    WebhookId);
id!(/// HR records that somebody hands in, in one part or several.
    SubmissionId);

/// A UUIDv7 of `now` and 10 random octets.
pub fn uuid_v7(now: DateTime<Utc>, random: [u8; 10]) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(now.timestamp_millis().unsigned_abs(), &random).into_uuid()
}
