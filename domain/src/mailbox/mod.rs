//! Mailboxes: what an account must carry so that Exchange knows where its mail lives, and what becomes of it from the opening
//! to the closing.
pub mod keeper;
pub mod port;
pub mod state;

pub use state::{Mailbox, MailboxDeed, MailboxState, Seen, Stage, Stands, Waiting, Wanted, closes_on, may_close};

use crate::account::{Account, Attribute, Attributes, Value};
use crate::day::{self, Day};
use std::sync::Arc;

/// `msExchRemoteRecipientType`: a mailbox in the cloud is to be made.
const PROVISION: i64 = 1;
/// The same, moved there from the ministry's own servers: as good, and never written back.
const MIGRATED: i64 = 4;
/// `msExchRecipientTypeDetails` of a user mailbox in the cloud: beyond 32 bits with a sign.
const REMOTE_USER_MAILBOX: i64 = 2_147_483_648;
/// `msExchRecipientDisplayType` of one: 32 bits, and the highest says "elsewhere", so it is negative.
const SYNCED_MAILBOX_USER: i32 = -2_147_483_642;

/// Who makes mailboxes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mailboxes {
    /// Not Kimlik: it keeps names and addresses only.
    #[default]
    None,
    /// In the cloud: the account is marked, and the directory's synchronisation has the mailbox made.
    Remote {
        /// What stands behind the `@` of routing addresses: `csb.mail.onmicrosoft.com`.
        routing_domain: Arc<str>,
    },
    /// By a program of the ministry's that is asked for each ([`port::MailboxHost`]).
    Command,
}

impl Mailboxes {
    /// Marks an account of this primary address; answers the routing address, which mail must find as well.
    pub fn stamp(&self, mail: &str, out: &mut Attributes) -> Option<String> {
        let Mailboxes::Remote { routing_domain } = self else { return None };
        let routing = routing(mail, routing_domain)?;
        out.set(Attribute::TargetAddress, Some(Value::text(format!("SMTP:{routing}"))));
        out.set(Attribute::RecipientDisplayType, Some(Value::text(SYNCED_MAILBOX_USER.to_string())));
        out.set(Attribute::RecipientTypeDetails, Some(Value::text(REMOTE_USER_MAILBOX.to_string())));
        out.set(Attribute::RemoteRecipientType, Some(Value::text(PROVISION.to_string())));
        Some(routing)
    }

    /// The routing address that an account of this primary address has, or had.
    pub fn routing(&self, mail: &str) -> Option<String> {
        let Mailboxes::Remote { routing_domain } = self else { return None };
        routing(mail, routing_domain)
    }

    /// What is known of the mailbox of an account that is marked: the account tells it all. `None`: mailboxes are not made so.
    pub fn of_account(&self, account: &Account, retention_days: u32, today: Day) -> Option<Mailbox> {
        if !matches!(self, Mailboxes::Remote { .. }) {
            return None;
        }
        let marked = account.applied.as_ref().is_some_and(|a| a.attributes.get(Attribute::TargetAddress).is_some());
        let opened = account.opened_at.unwrap_or_default();
        let closed = account.closed_at.unwrap_or_default();
        let under_way = |deed, since| Waiting {
            deed,
            request: account.person.0,
            since,
            stage: Stage::Taken("the account to be marked in the directory".into()),
            tries: 1,
        };
        let closes_on = state::closes_on(account, retention_days).filter(|_| !account.never_took_mail());
        let (stands, since, waiting) = match (state::wanted(Some(account), retention_days, today), account.mail_ended_at) {
            (Wanted::Nothing, _) => (Stands::None, opened, None),
            (Wanted::Open, _) if marked => (Stands::Open, opened, None),
            (Wanted::Open, _) => (Stands::None, opened, Some(under_way(MailboxDeed::Open, opened))),
            (Wanted::Hidden { .. } | Wanted::Closed { .. }, Some(_)) if account.never_took_mail() => (Stands::None, closed, None),
            // Why whatever the day: it is gone, and a longer retention does not bring it back.
            (Wanted::Hidden { .. } | Wanted::Closed { .. }, Some(at)) => (Stands::Closed, at, None),
            (Wanted::Hidden { closes_on: day } | Wanted::Closed { since: day }, None) => {
                (Stands::Hidden, closed, (day <= today).then(|| under_way(MailboxDeed::Close, day::midnight(day))))
            }
        };
        Some(Mailbox { person: account.person, stands: Some(stands), since, waiting, closes_on, told: None })
    }

    /// May `attribute`, one of those that make a remote mailbox, be written where `seen` stands?
    pub fn owns(&self, attribute: Attribute, seen: &Attributes) -> bool {
        if !matches!(self, Mailboxes::Remote { .. }) || self.foreign(seen).is_some() {
            return false;
        }
        // Why left: a mailbox that was moved to the cloud would be asked for a second time.
        attribute != Attribute::RemoteRecipientType || number(seen, attribute).is_none_or(|n| n & MIGRATED == 0)
    }

    /// A mailbox of another kind stands there. Why not overwritten: its mail would be lost to its owner.
    pub fn foreign(&self, seen: &Attributes) -> Option<String> {
        let kind = number(seen, Attribute::RecipientTypeDetails).filter(|kind| *kind != REMOTE_USER_MAILBOX)?;
        matches!(self, Mailboxes::Remote { .. }).then(|| {
            format!(
                "the account is a recipient of kind {kind} in Exchange, not a remote mailbox: migrate it, or leave mailboxes to Exchange"
            )
        })
    }
}

fn routing(mail: &str, routing_domain: &str) -> Option<String> {
    Some(format!("{}@{routing_domain}", mail.split_once('@')?.0))
}

fn number(seen: &Attributes, attribute: Attribute) -> Option<i64> {
    seen.text(attribute)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote() -> Mailboxes {
        Mailboxes::Remote { routing_domain: "csb.mail.onmicrosoft.com".into() }
    }

    #[test]
    fn a_remote_mailbox_is_marked_with_numbers_that_the_schema_takes() {
        let mut out = Attributes::default();
        assert_eq!(remote().stamp("ayse.isik@csb.test", &mut out).as_deref(), Some("ayse.isik@csb.mail.onmicrosoft.com"));
        let table = [
            (Attribute::TargetAddress, "SMTP:ayse.isik@csb.mail.onmicrosoft.com"),
            (Attribute::RecipientDisplayType, "-2147483642"),
            (Attribute::RecipientTypeDetails, "2147483648"),
            (Attribute::RemoteRecipientType, "1"),
        ];
        assert_eq!(out.iter().map(|(a, v)| (a, v.to_string())).collect::<Vec<_>>(), table.map(|(a, v)| (a, v.to_owned())));
        assert!(out.iter().all(|(a, v)| a.takes(v)));
    }

    #[test]
    fn numbers_beyond_their_range_or_written_otherwise_than_the_directory_does_are_not_taken() {
        for (attribute, text, fits) in [
            (Attribute::RecipientDisplayType, "2147483647", true),
            (Attribute::RecipientDisplayType, "2147483648", false),
            (Attribute::RecipientDisplayType, "-2147483648", true),
            (Attribute::RecipientDisplayType, "-2147483649", false),
            (Attribute::RecipientTypeDetails, "9223372036854775807", true),
            (Attribute::RecipientTypeDetails, "9223372036854775808", false),
            (Attribute::RemoteRecipientType, "1.0", false),
            (Attribute::CountryCode, "65535", true),
            (Attribute::CountryCode, "65536", false),
            (Attribute::CountryCode, "-1", false),
            (Attribute::CountryCode, "0", false),
            (Attribute::CountryCode, "+90", false),
            (Attribute::CountryCode, "090", false),
        ] {
            assert_eq!(attribute.takes(&Value::text(text)), fits, "{attribute:?} {text}");
        }
    }

    #[test]
    fn a_mailbox_of_another_kind_is_left_alone_and_a_migrated_one_is_not_asked_for_again() {
        let mut seen = Attributes::default();
        seen.set(Attribute::RecipientTypeDetails, Some(Value::text("1")));
        assert!(remote().foreign(&seen).is_some_and(|why| why.contains("kind 1")));
        assert!(!remote().owns(Attribute::TargetAddress, &seen));
        assert_eq!(Mailboxes::None.foreign(&seen), None);
        seen.set(Attribute::RecipientTypeDetails, Some(Value::text("2147483648")));
        seen.set(Attribute::RemoteRecipientType, Some(Value::text("4")));
        assert!(remote().owns(Attribute::TargetAddress, &seen) && !remote().owns(Attribute::RemoteRecipientType, &seen));
    }
}
