//! One mailbox from its opening to its closing. Pure: what stands, what should stand, what is waited for, and the next step.
use crate::account::{Account, AccountState, Attribute};
use crate::day::{self, Day};
use crate::id::PersonId;
use chrono::{DateTime, Days, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

/// What is there, as far as was last seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Stands {
    /// No mailbox.
    None,
    /// It takes mail and the address book shows it.
    Open,
    /// It takes mail; the address book does not show it.
    Hidden,
    /// It takes no mail.
    Closed,
}

/// As people see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MailboxState {
    None,
    /// Asked for (again), and not there yet.
    Requested,
    Open,
    /// Of a leaver: takes mail until its closing.
    Hidden,
    /// Its retention is over, and it is not seen closed yet.
    Closing,
    Closed,
}

/// What is asked of whoever makes mailboxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MailboxDeed {
    Open,
    /// Addresses, or values that address lists filter by, are others now.
    Update,
    Hide,
    Close,
    /// Of somebody who has come back.
    Reopen,
}

impl MailboxDeed {
    pub const fn verb(self) -> &'static str {
        match self {
            MailboxDeed::Open => "open",
            MailboxDeed::Update => "update",
            MailboxDeed::Hide => "hide",
            MailboxDeed::Close => "close",
            MailboxDeed::Reopen => "reopen",
        }
    }
    const fn is_reached(self, stands: Stands) -> bool {
        match self {
            MailboxDeed::Open | MailboxDeed::Update | MailboxDeed::Reopen => matches!(stands, Stands::Open),
            MailboxDeed::Hide => matches!(stands, Stands::Hidden | Stands::Closed),
            // Why also none: who closes a mailbox may take it away altogether.
            MailboxDeed::Close => matches!(stands, Stands::Closed | Stands::None),
        }
    }
}

impl fmt::Display for MailboxDeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.verb())
    }
}

/// How far a request has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It is committed that it is asked, and nobody knows what became of it.
    InDoubt,
    /// Taken; this is still waited for.
    Taken(Arc<str>),
    /// Surely nothing has happened; it is asked again.
    NotDone(Arc<str>),
    /// It will not be done, as things are.
    Refused(Arc<str>),
}

/// A request that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub deed: MailboxDeed,
    /// The same however often it is asked: whoever has done it once does not do it twice.
    pub request: Uuid,
    pub since: DateTime<Utc>,
    pub stage: Stage,
    /// Asked or looked after so often.
    pub tries: u32,
}

impl Waiting {
    /// What is waited for, in plain words.
    pub fn waits_for(&self) -> String {
        match &self.stage {
            Stage::InDoubt => "an answer to the request".into(),
            Stage::Taken(what) => what.to_string(),
            Stage::NotDone(why) => format!("another attempt ({why})"),
            Stage::Refused(why) => format!("somebody to mend what was refused: {why}"),
        }
    }
}

/// What Kimlik knows of a person's mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    pub person: PersonId,
    /// `None`: nobody has looked yet; one may be there from before Kimlik.
    pub stands: Option<Stands>,
    pub since: DateTime<Utc>,
    pub waiting: Option<Waiting>,
    /// First day on which it takes no mail any more.
    pub closes_on: Option<Day>,
    /// What it was last told of the account, see [`told`].
    pub told: Option<Arc<str>>,
}

/// What the account asks of the mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// There is no account (yet).
    Nothing,
    Open,
    /// Until the day, and on as long as its closing waits for a plan.
    Hidden {
        closes_on: Day,
    },
    Closed {
        since: Day,
    },
}

/// The next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Rest,
    /// Ask what is there, before anything else.
    Look,
    Ask(MailboxDeed),
}

/// The first day on which a leaver's mailbox takes no mail; `None`: the account is not closed.
pub fn closes_on(account: &Account, retention_days: u32) -> Option<Day> {
    let closed = account.closed_at.filter(|_| account.state == AccountState::Closed)?;
    day::today(closed).checked_add_days(Days::new(retention_days.into()))
}

/// That it is closed since `closes_on` was planned, and no limit or hold stood in the way. Why not for good: with another
/// retention it is another day, and another plan.
pub fn may_close(account: &Account, closes_on: Day) -> bool {
    !account.never_took_mail() && account.mail_ended_at.is_some_and(|at| day::today(at) >= closes_on)
}

pub fn wanted(account: Option<&Account>, retention_days: u32, today: Day) -> Wanted {
    let Some(account) = account.filter(|a| a.guid.is_some()) else { return Wanted::Nothing };
    match (account.state, closes_on(account, retention_days)) {
        (AccountState::None, _) | (AccountState::Closed, None) => Wanted::Nothing,
        (AccountState::Closed, Some(since)) if today >= since && may_close(account, since) => Wanted::Closed { since },
        (AccountState::Closed, Some(closes_on)) => Wanted::Hidden { closes_on },
        (AccountState::Opening | AccountState::Active | AccountState::Suspended, _) => Wanted::Open,
    }
}

/// What the mailbox has to hear of when it changes: its addresses, and what address lists filter by.
pub fn told(account: &Account, keep_aliases_days: Option<u32>, today: Day) -> Arc<str> {
    let names = &account.names;
    let filtered = |a: &Attribute| matches!(a, Attribute::Department | Attribute::Company | Attribute::State) || a.is_custom();
    let values = account.applied.iter().flat_map(|applied| applied.attributes.iter()).filter(|(a, _)| filtered(a));
    let values = values.map(|(a, value)| format!("\n{}={value}", a.ldap_name()));
    let aliases = names.kept(keep_aliases_days, today).map(|alias| format!(" {alias}"));
    std::iter::once(names.mail.to_string()).chain(aliases).chain(values).collect::<String>().into()
}

impl Mailbox {
    pub fn unseen(person: PersonId, now: DateTime<Utc>) -> Mailbox {
        Mailbox { person, stands: None, since: now, waiting: None, closes_on: None, told: None }
    }

    /// As on a day: from its day on a leaver's mailbox is closing, also while a plan, a limit or a hold is waited for.
    pub fn state_on(&self, today: Day) -> MailboxState {
        match self.state() {
            MailboxState::Hidden if self.waits_for_plan(today) => MailboxState::Closing,
            state => state,
        }
    }

    /// Its closing is due and nobody has been asked yet.
    pub fn waits_for_plan(&self, today: Day) -> bool {
        self.waiting.is_none() && self.stands == Some(Stands::Hidden) && self.closes_on.is_some_and(|day| day <= today)
    }

    pub fn state(&self) -> MailboxState {
        match (self.waiting.as_ref().map(|w| w.deed), self.stands.unwrap_or(Stands::None)) {
            (Some(MailboxDeed::Open | MailboxDeed::Reopen), _) => MailboxState::Requested,
            (Some(MailboxDeed::Close), _) => MailboxState::Closing,
            (_, Stands::None) => MailboxState::None,
            (_, Stands::Open) => MailboxState::Open,
            (_, Stands::Hidden) => MailboxState::Hidden,
            (_, Stands::Closed) => MailboxState::Closed,
        }
    }

    pub fn next(&self, wanted: Wanted, told: &str) -> Next {
        match &self.waiting {
            // Why asked again: that it is open does not tell whether it has heard of the change.
            Some(Waiting { deed: MailboxDeed::Update, stage: Stage::InDoubt, .. }) => self.due(wanted, told),
            Some(Waiting { stage: Stage::InDoubt | Stage::Taken(_), .. }) => Next::Look,
            _ if self.stands.is_none() && wanted != Wanted::Nothing => Next::Look,
            _ => self.due(wanted, told),
        }
    }

    fn due(&self, wanted: Wanted, told: &str) -> Next {
        use MailboxDeed::{Close, Hide, Open, Reopen, Update};
        match (self.stands.unwrap_or(Stands::None), wanted) {
            (Stands::None, Wanted::Open) => Next::Ask(Open),
            (Stands::Open, Wanted::Open) if self.told.as_deref() != Some(told) => Next::Ask(Update),
            (Stands::Hidden | Stands::Closed, Wanted::Open) => Next::Ask(Reopen),
            (Stands::Open, Wanted::Hidden { .. }) => Next::Ask(Hide),
            (Stands::Open | Stands::Hidden, Wanted::Closed { .. }) => Next::Ask(Close),
            _ => Next::Rest,
        }
    }

    /// As asked: committed before anybody is asked.
    pub fn asking(&self, deed: MailboxDeed, request: Uuid, now: DateTime<Utc>) -> Mailbox {
        let same = self.waiting.as_ref().filter(|w| w.deed == deed);
        let waiting = Waiting {
            deed,
            request: same.map_or(request, |w| w.request),
            since: same.map_or(now, |w| w.since),
            stage: Stage::InDoubt,
            tries: same.map_or(0, |w| w.tries).saturating_add(1),
        };
        Mailbox { waiting: Some(waiting), ..self.clone() }
    }

    /// As seen. `of_deed`: in answer to the request itself, not to a look.
    pub fn seen(&self, seen: &Seen, of_deed: bool, wanted: Wanted, told: &Arc<str>, now: DateTime<Utc>) -> Mailbox {
        let mut after = self.clone();
        let stands = match seen {
            Seen::Stands(stands) => *stands,
            Seen::Waiting(what) => {
                if let Some(waiting) = &mut after.waiting {
                    waiting.tries = if matches!(waiting.stage, Stage::Taken(_)) { waiting.tries.saturating_add(1) } else { 1 };
                    waiting.stage = Stage::Taken(what.clone());
                }
                return after;
            }
        };
        if after.stands != Some(stands) {
            if after.stands.is_none() && after.waiting.is_none() && stands == Stands::Open {
                // Why: a mailbox from before Kimlik is right until something changes; thousands of them are not all told again.
                after.told = Some(told.clone());
            }
            after.stands = Some(stands);
            after.since = now;
        }
        after.closes_on = match wanted {
            Wanted::Hidden { closes_on } | Wanted::Closed { since: closes_on } => Some(closes_on).filter(|_| stands != Stands::None),
            Wanted::Nothing | Wanted::Open => None,
        };
        match &mut after.waiting {
            Some(waiting) if waiting.deed.is_reached(stands) => {
                // Why not by a look: it was there before Kimlik's addresses came, perhaps.
                if of_deed && stands == Stands::Open {
                    after.told = Some(told.clone());
                }
                after.waiting = None;
            }
            Some(waiting) if of_deed => waiting.stage = Stage::InDoubt,
            Some(waiting) => waiting.stage = Stage::NotDone("it is not seen done".into()),
            None => {}
        }
        after.without_what_nobody_wants(wanted, told)
    }

    /// As it is where nobody could be asked, or was asked in vain.
    pub fn failed(&self, stage: Stage) -> Mailbox {
        let mut after = self.clone();
        if let Some(waiting) = &mut after.waiting {
            waiting.stage = stage;
        }
        after
    }

    /// A request that surely was not carried out is dropped when something else is wanted by now.
    pub fn without_what_nobody_wants(mut self, wanted: Wanted, told: &str) -> Mailbox {
        let idle = |w: &Waiting| matches!(w.stage, Stage::NotDone(_) | Stage::Refused(_));
        if self.waiting.as_ref().is_some_and(|w| idle(w) && self.due(wanted, told) != Next::Ask(w.deed)) {
            self.waiting = None;
        }
        self
    }

    /// When to take it up again.
    pub fn due_at(&self, wanted: Wanted, now: DateTime<Utc>) -> DateTime<Utc> {
        let later = |waiting: &Waiting| match &waiting.stage {
            // Why doubled up to a limit: what takes a minute is seen soon, what takes a day costs little.
            Stage::InDoubt | Stage::Taken(_) | Stage::NotDone(_) => {
                TimeDelta::seconds(15 << waiting.tries.min(6)).min(TimeDelta::minutes(15))
            }
            Stage::Refused(_) => TimeDelta::hours(6),
        };
        match (&self.waiting, wanted) {
            (Some(waiting), _) => now + later(waiting),
            (None, Wanted::Hidden { closes_on }) if day::midnight(closes_on) > now => {
                day::midnight(closes_on).min(now + TimeDelta::days(1))
            }
            // Why every day: a longer or shorter retention, or a look that came to nothing, needs no other reason.
            (None, _) => now + TimeDelta::days(1),
        }
    }
}

/// What whoever makes mailboxes says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    Stands(Stands),
    /// It was taken, and this is waited for.
    Waiting(Arc<str>),
}

#[cfg(test)]
mod tests;
