//! Reminders before a password runs out: once for each person and step, however often the directory is asked.
use super::round::DailyRound;
use super::{Notice, Telling, Templates, notices};
use crate::account::AccountState;
use crate::day::{self, Day};
use crate::id::{AccountGuid, MessageId, PersonId, uuid_v7};
use crate::ports::{Clock, Entropy, Expiry, Outbox, Passwords, PeopleBy, PersonRecord, PortResult, Store};
use chrono::{DateTime, Days, Utc};
use std::collections::HashMap;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReminderRules {
    /// So many days before, a step each. None: nobody is reminded.
    pub days: Vec<u32>,
    pub by_mail: bool,
    pub by_sms: bool,
}

pub struct Reminder {
    pub round: DailyRound,
    pub passwords: Arc<dyn Passwords>,
    pub store: Arc<dyn Store>,
    pub outbox: Arc<dyn Outbox>,
    pub texts: Arc<Templates>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub rules: ReminderRules,
}

/// People looked at together: their records are in memory as long.
const AT_ONCE: usize = 500;

impl Reminder {
    /// To be called again and again: it does something once a day. Answers how many people were reminded (again, where it had been
    /// broken off: they hear of it once); `None`: not now.
    pub async fn round(&self) -> PortResult<Option<u32>> {
        let Some(furthest) = self.rules.days.iter().max().filter(|_| self.rules.by_mail || self.rules.by_sms) else { return Ok(None) };
        let Some(hold) = self.round.take().await? else { return Ok(None) };
        let until = hold.day.checked_add_days(Days::new(u64::from(*furthest) + 1)).unwrap_or(hold.day);
        let near = self.passwords.expiring(hold.at, day::midnight(until)).await?;
        let mut reminded = 0;
        for near in near.chunks(AT_ONCE) {
            if !self.round.keep(&hold).await? {
                return Ok(Some(reminded));
            }
            reminded += self.remind(near, hold.day).await?;
        }
        self.round.made(&hold).await?;
        Ok(Some(reminded))
    }

    async fn remind(&self, near: &[Expiry], today: Day) -> PortResult<u32> {
        let now = self.clock.now();
        let guids: Vec<AccountGuid> = near.iter().map(|expiry| expiry.account).collect();
        let people = self.store.people(PeopleBy::Guids(&guids)).await?;
        let of: HashMap<AccountGuid, &PersonRecord> =
            people.iter().filter_map(|record| Some((record.account.as_ref()?.guid?, record))).collect();
        let mut queued = Vec::new();
        let mut reminded = 0;
        for expiry in near {
            let Some(record) = of.get(&expiry.account) else { continue };
            let Some((step, days)) = step(&self.rules.days, expiry.expires_at, today) else { continue };
            let Some(account) = record.account.as_ref().filter(|a| a.state == AccountState::Active) else { continue };
            let to = Notice {
                mobile: record.person.mobile.as_ref().filter(|_| self.rules.by_sms),
                mail: Some(account.names.mail.as_ref()).filter(|_| self.rules.by_mail),
                // Why by when it was set: a policy that changes moves the end of everybody's, and reminds nobody again.
                occasion: format!("{}:{step}", expiry.set_at.timestamp()),
                language: record.language,
                valid_until: Some(expiry.expires_at),
            };
            let telling = Telling::PasswordExpiring { username: &account.names.username, days };
            let made = notices(&self.texts, &telling, &to, || self.id(now));
            reminded += u32::from(!made.is_empty());
            queued.extend(made.into_iter().map(|message| (record.person.id, message)));
        }
        self.queue(&queued, now).await?;
        Ok(reminded)
    }

    async fn queue(&self, queued: &[(PersonId, super::NewMessage)], now: DateTime<Utc>) -> PortResult<()> {
        if queued.is_empty() { Ok(()) } else { self.outbox.queue_messages(queued, now).await }
    }

    fn id(&self, now: DateTime<Utc>) -> uuid::Uuid {
        let mut random = [0; 10];
        self.entropy.fill(&mut random);
        MessageId(uuid_v7(now, random)).0
    }
}

/// The step that has come, and the days that are left (at least 1). Who was not reminded at an earlier step is not reminded of it
/// any more: one reminder tells all.
fn step(days: &[u32], expires_at: DateTime<Utc>, today: Day) -> Option<(u32, u32)> {
    let left = u32::try_from((day::today(expires_at) - today).num_days()).ok()?;
    let step = days.iter().copied().filter(|step| left <= *step).min()?;
    Some((step, left.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_civil_days_in_turkiye_and_the_nearest_counts() {
        let today = day::parse("2026-11-28").unwrap();
        let left = |at: &str| step(&[14, 3, 1], at.parse().unwrap(), today);
        assert_eq!(left("2026-12-13T09:00:00Z"), None, "15 days");
        assert_eq!(left("2026-12-12T20:59:59Z"), Some((14, 14)), "until midnight in Türkiye");
        assert_eq!(left("2026-12-12T21:00:00Z"), None);
        assert_eq!(left("2026-12-02T09:00:00Z"), Some((14, 4)));
        assert_eq!(left("2026-12-01T09:00:00Z"), Some((3, 3)));
        assert_eq!(left("2026-11-29T00:00:00Z"), Some((1, 1)));
        assert_eq!(left("2026-11-28T20:00:00Z"), Some((1, 1)), "today");
        assert_eq!(left("2026-11-27T20:00:00Z"), None, "it is over");
    }
}
