//! A newcomer's code, sent again: by order, because a number that took no message was mended, or because of another name.
use super::PasswordFacts;
use super::desk::Desk;
use crate::access::Caller;
use crate::account::Account;
use crate::audit::AuditEvent;
use crate::id::{MessageId, PersonId};
use crate::message::announcement::{KIMLIK, Resend, Resent, SeenTo, occasion, was_announced};
use crate::message::{self, Language, NewMessage, Purpose, Telling};
use crate::ports::{PeopleBy, PersonRecord, PortResult};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;
use zeroize::Zeroizing;

/// Why an account is not announced again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotResent {
    /// There is no account that works, or it has not been announced yet: it will be, by itself.
    NotAnnounced,
    /// It existed before Kimlik: its owner has a password.
    Adopted,
    /// Its owner has set a password: there is the reset.
    Activated,
    /// It is disabled, protected, or signs in with a card.
    NotServed,
    NoMobile,
    /// Whoever changed the number must not have the code sent there.
    OwnChange,
}

const AT_ONCE: u32 = 200;
/// Somebody whose announcement is being sent just now: whether it arrives is not known yet.
const SOON: TimeDelta = TimeDelta::minutes(1);
/// Somebody whose announcement was sent as often as it may within a day.
const LATER: TimeDelta = TimeDelta::hours(4);

impl Desk {
    /// The announcement that would go out again. `by`: who orders it; nobody: Kimlik itself.
    ///
    /// Why no cooling-off of a changed number: an account that nobody has ever used has nothing yet that a stranger could take
    /// over, and its owner no other way in.
    pub async fn announcement(&self, record: &PersonRecord, id: Uuid, by: Option<&Caller>) -> PortResult<Result<NewMessage, NotResent>> {
        let Some(account) = record.account.as_ref() else { return Ok(Err(NotResent::NotAnnounced)) };
        if account.adopted {
            return Ok(Err(NotResent::Adopted));
        }
        let Some(to) = record.person.mobile.clone() else { return Ok(Err(NotResent::NoMobile)) };
        let opening = (record.person.id, account.opening);
        let told = self.outbox.announced(&[opening]).await?.remove(&record.person.id);
        let (Some(guid), Some(told)) = (account.guid.filter(|_| was_announced(record)), told) else {
            return Ok(Err(NotResent::NotAnnounced));
        };
        if by.zip(record.phones.ledger.mobile_changed.as_ref()).is_some_and(|(who, changed)| changed.was_by(who)) {
            return Ok(Err(NotResent::OwnChange));
        }
        let Some(facts) = self.passwords.password_facts(guid).await?.filter(PasswordFacts::is_served) else {
            return Ok(Err(NotResent::NotServed));
        };
        if told.is_activated(facts.set_at) {
            return Ok(Err(NotResent::Activated));
        }
        let mut random = Zeroizing::new([0; 8]);
        self.entropy.fill(random.as_mut_slice());
        Ok(Ok(NewMessage {
            id: MessageId(self.id(self.clock.now())),
            purpose: Purpose::AccountOpened,
            occasion: occasion(account.opening, Some(id)),
            to: to.into(),
            subject: None,
            text: self.announcing(account, record.language),
            code: Some(message::activation_code(*random)),
            valid_until: None,
        }))
    }

    fn announcing(&self, account: &Account, language: Option<Language>) -> Zeroizing<String> {
        self.texts.compose(&Telling::AccountOpened { username: &account.names.username, mail: &account.names.mail }, language)
    }

    /// Until when the code of an announcement that is sent now can be used.
    pub fn activation_ends(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now + self.rules.activation
    }

    /// Announcements that did not reach their people go to the numbers, and tell the names, that these have now: to be called again and again.
    /// Answers how many were queued.
    pub async fn announce_again(&self) -> PortResult<u32> {
        let now = self.clock.now();
        let noted = self.outbox.renumbered(now, AT_ONCE).await?;
        if noted.is_empty() {
            return Ok(0);
        }
        let people: Vec<PersonId> = noted.iter().map(|(person, _)| *person).collect();
        let records = self.store.people(PeopleBy::Ids(&people)).await?;
        let told: Vec<&PersonRecord> = records.iter().filter(|r| was_announced(r)).collect();
        let openings: Vec<(PersonId, u32)> = told.iter().filter_map(|r| Some((r.person.id, r.account.as_ref()?.opening))).collect();
        let announced = self.outbox.announced(&openings).await?;
        let (mut queued, mut later) = (0, HashMap::new());
        for record in told {
            let person = record.person.id;
            let (Some(account), Some(mobile), Some(told)) = (&record.account, &record.person.mobile, announced.get(&person)) else {
                continue;
            };
            if told.is_on_its_way() {
                later.insert(person, now + SOON);
                continue;
            }
            let Some(reason) = told.is_stranded(mobile, &self.announcing(account, record.language)) else { continue };
            let order = Resend { id: self.id(now), person, by: KIMLIK.into(), reason: reason.into(), at: now };
            let Ok(message) = self.announcement(record, order.id, None).await? else { continue };
            match self.outbox.resend(&order, &message, &resend_event(&order), None).await? {
                Resent::Queued => queued += 1,
                Resent::OnItsWay => drop(later.insert(person, now + SOON)),
                _ => drop(later.insert(person, now + LATER)),
            }
        }
        let seen: Vec<SeenTo> =
            noted.into_iter().map(|(person, due_at)| SeenTo { person, due_at, again: later.get(&person).copied() }).collect();
        self.outbox.saw_to(&seen).await?;
        Ok(queued)
    }
}

/// As it stands in the audit.
pub fn resend_event(order: &Resend) -> AuditEvent {
    let because: &Arc<str> = &order.reason;
    AuditEvent {
        at: order.at,
        actor: order.by.to_string(),
        deed: "credentials.resend".into(),
        person: Some(order.person),
        because: because.to_string(),
        detail: json!({}),
    }
}
