//! Where numbers are changed: by their owner (password again, and a code to a new mobile), or by the personnel unit.
use super::{PhoneChange, Setter, WorkPhone};
use crate::access::door::{Door, Refused as NotProven};
use crate::access::{Caller, Who};
use crate::audit::AuditEvent;
use crate::id::{MessageId, PersonId, uuid_v7};
use crate::message::{self, Language, NewMessage, Notice, Purpose, Telling, Templates};
use crate::password::officer::Verified;
use crate::ports::{Clock, CodeTried, Entropy, PeopleBy, PersonRecord, PhoneBook, PortResult, Store, Throttled, Tickets};
use crate::staff::MobileNumber;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;
use zeroize::Zeroizing;

/// How long codes last and how often they may be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneRules {
    /// A code, from when it is queued.
    pub code: TimeDelta,
    /// Before another one may be asked for.
    pub resend: TimeDelta,
    /// Of one code.
    pub tries: u32,
    /// Codes within [`PhoneRules::window`].
    pub per_person: u32,
    pub per_number: u32,
    pub from_address: u32,
    pub in_all: u32,
    pub window: TimeDelta,
}

impl Default for PhoneRules {
    fn default() -> PhoneRules {
        PhoneRules {
            code: TimeDelta::minutes(10),
            resend: TimeDelta::seconds(60),
            tries: 5,
            per_person: 5,
            per_number: 3,
            from_address: 60,
            in_all: 3_000,
            window: TimeDelta::hours(1),
        }
    }
}

pub const CODE_LENGTH: u32 = 6;

pub struct PhoneDesk {
    pub book: Arc<dyn PhoneBook>,
    pub tickets: Arc<dyn Tickets>,
    pub store: Arc<dyn Store>,
    pub door: Arc<Door>,
    pub texts: Arc<Templates>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub rules: PhoneRules,
}

/// A new mobile that waits for its code. One a person: another one ends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MobileChallenge {
    pub id: Uuid,
    pub person: PersonId,
    pub to: MobileNumber,
    pub made_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// A challenge, as its owner sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    pub id: Uuid,
    pub expires_at: DateTime<Utc>,
    pub resend_after: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The password, or its account.
    Password(NotProven),
    /// Too many codes, for this person, this number, from this address, or in all.
    TooMany,
    /// It is the number that counts already.
    Same,
    /// There is none that could be removed.
    NoMobile,
    /// Wrong, spent, outlived, or of another challenge.
    Code,
    /// There is no such person, or not for this caller.
    NoPerson,
    /// One's own number is changed with password and code.
    OwnNumber,
}

type Outcome<T> = PortResult<Result<T, Refused>>;

/// What becomes of a mobile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Becomes {
    Number(MobileNumber),
    /// Nobody's: the line was given up, or was never the person's. No code goes anywhere until there is another one.
    None,
}

/// What an officer changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfficersChange {
    pub mobile: Option<Becomes>,
    pub work: Option<WorkPhone>,
    /// How the officer made sure who asks, for the audit; `None`: it did not say.
    pub verified: Option<Verified>,
    pub reason: String,
}

impl PhoneDesk {
    /// A code to the new number, for who knows the password of the account.
    pub async fn start(&self, person: PersonId, to: MobileNumber, password: &Zeroizing<String>, address: &str) -> Outcome<Begun> {
        let now = self.clock.now();
        let Some(record) = self.record(person).await? else { return Ok(Err(Refused::NoPerson)) };
        if let Err(refused) = self.prove(&record, password, address).await? {
            return Ok(Err(refused));
        }
        if *record.phones.mobile() == Some(to.clone()) && record.phones.disputes().is_empty() {
            return Ok(Err(Refused::Same));
        }
        let resend = [(format!("mobile-resend:{person}"), 1)];
        let keys = [
            (format!("mobile-person:{person}"), self.rules.per_person),
            (format!("mobile-number:{}", to.e164()), self.rules.per_number),
            (format!("mobile-address:{address}"), self.rules.from_address),
            ("mobile-all".to_owned(), self.rules.in_all),
        ];
        for (keys, window) in [(&resend[..], self.rules.resend), (&keys[..], self.rules.window)] {
            if self.tickets.throttle(self.id(now), keys, window, now).await? == Throttled::TooMany {
                return Ok(Err(Refused::TooMany));
            }
        }
        let challenge = MobileChallenge { id: self.id(now), person, to, made_at: now, expires_at: now + self.rules.code };
        let message = self.code(&challenge, record.language, now);
        let detail = json!({ "to": challenge.to.masked(), "challenge": challenge.id });
        let event = event(now, &actor(&record), "phone.mobile.code", person, "the person asked, with the password", detail);
        self.book.begin_mobile_change(&challenge, &message, &event).await?;
        Ok(Ok(Begun { id: challenge.id, expires_at: challenge.expires_at, resend_after: now + self.rules.resend }))
    }

    fn code(&self, challenge: &MobileChallenge, language: Option<Language>, now: DateTime<Utc>) -> NewMessage {
        let mut random = Zeroizing::new([0; 8]);
        self.entropy.fill(random.as_mut_slice());
        let minutes = u32::try_from(self.rules.code.num_minutes()).unwrap_or(10);
        NewMessage {
            id: MessageId(self.id(now)),
            purpose: Purpose::MobileConfirmCode,
            occasion: challenge.id.to_string(),
            to: challenge.to.clone().into(),
            subject: None,
            text: self.texts.compose(&Telling::MobileConfirmCode { minutes }, language),
            code: Some(message::short_code(*random)),
            valid_until: Some(challenge.expires_at),
        }
    }

    /// With the code: the new number counts from now on.
    pub async fn confirm(&self, person: PersonId, challenge: Uuid, code: &str) -> Outcome<PersonRecord> {
        let now = self.clock.now();
        let code: Zeroizing<String> = Zeroizing::new(code.chars().filter(|c| !c.is_whitespace() && *c != '-').collect());
        let Some(record) = self.record(person).await? else { return Ok(Err(Refused::NoPerson)) };
        let Some(challenge) = self.book.mobile_challenge(challenge, person, now).await? else { return Ok(Err(Refused::Code)) };
        // Why the moment before: a code belongs to its challenge, and each challenge ends the one before.
        let since = challenge.made_at - TimeDelta::microseconds(1);
        let tried = self.tickets.try_code(person, Purpose::MobileConfirmCode, &code, self.rules.tries, since).await?;
        if tried == CodeTried::Wrong {
            let detail = json!({ "challenge": challenge.id });
            let event = event(now, &actor(&record), "phone.mobile.refuse", person, "the code is wrong, spent or tried too often", detail);
            self.door.audit.record(&[event]).await?;
            return Ok(Err(Refused::Code));
        }
        let made = PhoneChange { person, mobile: Some((self.id(now), Some(challenge.to.clone()))), work: None, by: Setter::Owner, at: now };
        let detail = json!({ "mobile": shown(record.phones.mobile().as_ref(), Some(&challenge.to)) });
        let event =
            event(now, &actor(&record), "phone.change", person, "the person, with the password and a code to the new number", detail);
        if !self.book.change_phones(&made, Some(challenge.id), &event).await? {
            return Ok(Err(Refused::Code));
        }
        self.after(person).await
    }

    /// Gives up one's own mobile, with the password. From then on no code reaches the person, who has no way back alone to a forgotten
    /// password. Why no code to the old number: who gives one up has often lost it.
    pub async fn remove(&self, person: PersonId, password: &Zeroizing<String>, address: &str) -> Outcome<PersonRecord> {
        let now = self.clock.now();
        let Some(record) = self.record(person).await? else { return Ok(Err(Refused::NoPerson)) };
        if let Err(refused) = self.prove(&record, password, address).await? {
            return Ok(Err(refused));
        }
        if record.phones.mobile().is_none() && record.phones.disputes().is_empty() {
            return Ok(Err(Refused::NoMobile));
        }
        let detail = json!({ "mobile": shown(record.phones.mobile().as_ref(), None) });
        let event = event(now, &actor(&record), "phone.change", person, "the person, with the password", detail);
        let made = PhoneChange { person, mobile: Some((self.id(now), None)), work: None, by: Setter::Owner, at: now };
        self.book.change_phones(&made, None, &event).await?;
        self.after(person).await
    }

    /// One's own office line, with the password.
    pub async fn change_work(
        &self,
        person: PersonId,
        work: WorkPhone,
        password: &Zeroizing<String>,
        address: &str,
    ) -> Outcome<PersonRecord> {
        let now = self.clock.now();
        let Some(record) = self.record(person).await? else { return Ok(Err(Refused::NoPerson)) };
        if let Err(refused) = self.prove(&record, password, address).await? {
            return Ok(Err(refused));
        }
        if *record.phones.work() == work && record.phones.disputes().is_empty() {
            return Ok(Err(Refused::Same));
        }
        let detail = json!({ "work": shown_work(record.phones.work(), &work) });
        let event = event(now, &actor(&record), "phone.change", person, "the person, with the password", detail);
        let made = PhoneChange { person, mobile: None, work: Some((self.id(now), work)), by: Setter::Owner, at: now };
        self.book.change_phones(&made, None, &event).await?;
        self.after(person).await
    }

    /// Other people's numbers: who may was asked before.
    pub async fn change_of(&self, caller: &Caller, person: PersonId, wish: OfficersChange) -> Outcome<PersonRecord> {
        let now = self.clock.now();
        if caller.who == Who::Person(person) {
            return Ok(Err(Refused::OwnNumber));
        }
        let Some(record) = self.record(person).await? else { return Ok(Err(Refused::NoPerson)) };
        let settled = record.phones.disputes().is_empty();
        let mobile = wish.mobile.map(|becomes| match becomes {
            Becomes::Number(to) => Some(to),
            Becomes::None => None,
        });
        let mobile = mobile.filter(|to| !settled || record.phones.mobile() != to);
        let work = wish.work.filter(|to| !settled || record.phones.work() != to);
        if mobile.is_none() && work.is_none() {
            return Ok(Err(Refused::Same));
        }
        let mut detail = serde_json::Map::new();
        if let Some(to) = &mobile {
            detail.insert("mobile".into(), shown(record.phones.mobile().as_ref(), to.as_ref()));
            // Why: whoever holds the mobile gets codes, so a lost one is replaced as it was first given (ASVS 6.4.4).
            detail.insert("verified".into(), json!(wish.verified));
        }
        if let Some(to) = &work {
            detail.insert("work".into(), shown_work(record.phones.work(), to));
        }
        let event = event(now, &caller.actor(), "phone.change", person, &wish.reason, Value::Object(detail));
        let made = PhoneChange {
            person,
            mobile: mobile.map(|to| (self.id(now), to)),
            work: work.map(|to| (self.id(now), to)),
            by: Setter::Other { actor: caller.actor(), person: caller.person() },
            at: now,
        };
        self.book.change_phones(&made, None, &event).await?;
        self.after(person).await
    }

    async fn prove(&self, record: &PersonRecord, password: &Zeroizing<String>, address: &str) -> PortResult<Result<(), Refused>> {
        let Some(account) = record.account.as_ref().and_then(|account| account.guid) else { return Ok(Err(Refused::NoPerson)) };
        Ok(self.door.ask_again(account, password, address).await?.map_err(Refused::Password))
    }

    async fn record(&self, person: PersonId) -> PortResult<Option<PersonRecord>> {
        Ok(self.store.people(PeopleBy::Ids(&[person])).await?.into_iter().next())
    }

    async fn after(&self, person: PersonId) -> Outcome<PersonRecord> {
        Ok(self.record(person).await?.ok_or(Refused::NoPerson))
    }

    /// Tells the numbers that counted before and the mail addresses, whoever changed the numbers: to be called again and again.
    pub async fn tell(&self) -> PortResult<u32> {
        let now = self.clock.now();
        let mut told = 0;
        for untold in self.book.untold(AT_ONCE).await? {
            let record = self.record(untold.person).await?;
            let language = record.as_ref().and_then(|r| r.language);
            let is_gone = record.as_ref().is_some_and(|r| r.phones.mobile().is_none());
            // Why only an account that works: before that there is nothing that the number could open.
            let account = record.and_then(|r| r.account).filter(|a| a.state == crate::account::AccountState::Active);
            let messages = account.map_or_else(Vec::new, |account| {
                let to = Notice {
                    mobile: untold.to.as_ref(),
                    mail: Some(&account.names.mail),
                    occasion: untold.id.to_string(),
                    language,
                    valid_until: Some(now + NOTICE),
                };
                let username = &*account.names.username;
                let telling = if is_gone { Telling::MobileRemovedNotice { username } } else { Telling::MobileChangedNotice { username } };
                message::notices(&self.texts, &telling, &to, || self.id(now))
            });
            told += u32::from(!messages.is_empty());
            self.book.told(&untold, &messages, now).await?;
        }
        Ok(told)
    }

    fn id(&self, now: DateTime<Utc>) -> Uuid {
        let mut random = [0; 10];
        self.entropy.fill(&mut random);
        uuid_v7(now, random)
    }
}

const AT_ONCE: u32 = 100;
/// After so long the number may be a stranger's.
const NOTICE: TimeDelta = TimeDelta::days(2);

fn actor(record: &PersonRecord) -> String {
    record.account.as_ref().map_or_else(|| "nobody".to_owned(), |account| format!("user:{}", account.names.username))
}

fn event(at: DateTime<Utc>, actor: &str, deed: &str, person: PersonId, because: &str, detail: Value) -> AuditEvent {
    AuditEvent { at, actor: actor.to_owned(), deed: deed.to_owned(), person: Some(person), because: because.to_owned(), detail }
}

/// Masked: an audit is read by people who may not read private numbers.
fn shown(from: Option<&MobileNumber>, to: Option<&MobileNumber>) -> Value {
    json!({ "from": from.map(MobileNumber::masked), "to": to.map(MobileNumber::masked) })
}

fn shown_work(from: &WorkPhone, to: &WorkPhone) -> Value {
    let text = |work: &WorkPhone| match (&work.number, work.extension.as_deref()) {
        (Some(number), extension) => Some(number.shown(extension)),
        (None, extension) => extension.map(|e| format!("/ {e}")),
    };
    json!({ "from": text(from), "to": text(to) })
}

/// The extension, as it may stand behind a number; `None`: it cannot be dialled.
pub fn extension(text: &str) -> Option<Option<Box<str>>> {
    let text = text.trim();
    let dialled = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | ',' | '/' | '.' | '*' | '#');
    if text.is_empty() {
        return Some(None);
    }
    (text.len() <= 16 && text.chars().all(dialled)).then(|| Some(text.into()))
}

/// What a reason must be: read by others later.
pub fn is_reason(text: &str) -> bool {
    let text = text.trim();
    (5..=300).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}
