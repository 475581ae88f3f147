//! What HR says, parsed at the border: people, postings, units, phones, reasons, and the faults in it.
pub mod feed;
pub mod intake;
pub mod issue;
pub mod issue_message;
pub mod issue_words;
pub mod national_id;
pub mod person;
pub mod phone;
pub mod reason;
pub mod records;
pub mod roster;
pub mod submission;
pub mod unit;

pub use issue::{Blocked, DataIssue, IssueDecision, IssueKind, MendTerms};
pub use national_id::NationalId;
pub use person::{EmploymentStatus, Person, Posting, PostingKind, RegistryNo};
pub use phone::{MobileNumber, PhoneFault, WorkNumber};
pub use reason::{Effect, Reasons};
pub use unit::{Unit, UnitCode, UnitKind, Units};
