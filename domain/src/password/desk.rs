//! The desk: activation, a new password with a ticket, changing one that is known.
use super::challenge::ChallengeRules;
use super::rules::{Broken, PasswordRules, Strength, strength};
use super::ticket::{Ticket, TicketPurpose};
use super::{PasswordFacts, Pin, ResetProof};
use crate::access::attempt::AttemptRules;
use crate::access::door::Door;
use crate::access::session::{EndedBecause, Secret, SessionsOf, SignedIn};
use crate::audit::AuditEvent;
use crate::id::{AccountGuid, PersonId, uuid_v7};
use crate::message::{self, Language, NewMessage, Notice, Purpose, Telling, Templates};
use crate::ports::{
    Attempt, Challenges, Clock, CodeTried, Entropy, Outbox, Passwords, PeopleBy, PersonRecord, Pins, PortResult, Refusal, Store, Throttled,
    Tickets,
};
use crate::text;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use std::sync::Arc;
use zeroize::Zeroizing;

const TICKET: &str = "kimlik_tic";
const BROWSER: &str = "kimlik_brw";
/// Of a change so long ago nobody has to be warned in the night.
pub(super) const NOTICE: TimeDelta = TimeDelta::days(2);

/// How long things last and how often they may be tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskRules {
    pub ticket: TimeDelta,
    /// A newcomer's code, from when the account was announced.
    pub activation: TimeDelta,
    /// Tries of one code, right ones that were not followed by a new password included.
    pub tries: u32,
    /// Within [`DeskRules::window`].
    pub from_address: u32,
    pub in_all: u32,
    pub window: TimeDelta,
    /// The ministry's own words: a password of them is easy to guess.
    pub words: Vec<String>,
    pub challenge: ChallengeRules,
}

impl Default for DeskRules {
    fn default() -> DeskRules {
        DeskRules {
            ticket: TimeDelta::minutes(10),
            activation: TimeDelta::hours(72),
            tries: 5,
            from_address: 60,
            in_all: 3_000,
            window: TimeDelta::minutes(15),
            words: Vec::new(),
            challenge: ChallengeRules::default(),
        }
    }
}

pub struct Desk {
    pub tickets: Arc<dyn Tickets>,
    pub challenges: Arc<dyn Challenges>,
    pub pins: Arc<dyn Pins>,
    pub outbox: Arc<dyn Outbox>,
    pub texts: Arc<Templates>,
    pub passwords: Arc<dyn Passwords>,
    pub store: Arc<dyn Store>,
    pub door: Arc<Door>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub rules: DeskRules,
}

/// A ticket on its way to its owner.
#[derive(Clone, Debug)]
pub struct Handed {
    pub token: Secret,
    /// For the browser's cookie: without it the token opens nothing.
    pub browser: Secret,
    pub expires_at: DateTime<Utc>,
    pub purposes: Vec<TicketPurpose>,
}

/// Why it was not done. What a stranger could learn from is told in one word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The code, or there is no such person, no such account, or it is not served here.
    CodeWrong,
    /// Spent, expired, of another browser, or none of ours.
    TicketSpent,
    /// User name or password; also where the account is locked, closed or not served here.
    CredentialsWrong,
    TooMany,
    /// A first password comes with a PIN where the ministry asks for one beside codes.
    PinMissing,
    /// A PIN is set with the first password, or by who knows the password.
    PinNotHere,
    /// `of`: the rules that hold for this account, with their figures. `old_gone`: the old password does not work any more either;
    /// the ticket still does.
    Broken {
        rules: Vec<Broken>,
        of: PasswordRules,
        old_gone: bool,
    },
}

/// A new password counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    pub expires_at: Option<DateTime<Utc>>,
}

impl Desk {
    /// A newcomer, with the code of the message that announced the account.
    pub async fn activate(&self, username: &str, code: &str, address: &str) -> PortResult<Result<Handed, Refused>> {
        let now = self.clock.now();
        let name = text::fold(username.trim());
        let keys = [
            (format!("address:{address}"), self.rules.from_address),
            (format!("activate:{name}"), self.rules.tries * 2),
            ("all".to_owned(), self.rules.in_all),
        ];
        if self.tickets.throttle(self.id(now), &keys, self.rules.window, now).await? == Throttled::TooMany {
            return Ok(Err(Refused::TooMany));
        }
        let code: Zeroizing<String> = Zeroizing::new(code.chars().filter(|c| !c.is_whitespace() && *c != '-').collect());
        let person = self.store.person_named(Some(username.trim()), None).await?;
        let mendable = match person {
            Some(person) => self.mendable(person).await?,
            None => None,
        };
        let Some((person, account)) = mendable.map(|(record, facts)| (record.person.id, facts.account.guid)) else {
            return Ok(Err(Refused::CodeWrong));
        };
        let tried = self.tickets.try_code(person, Purpose::AccountOpened, &code, self.rules.tries, now - self.rules.activation).await?;
        let CodeTried::Right(message) = tried else {
            self.note(now, person, "password.activate.refuse", "the code is wrong, spent or expired").await?;
            return Ok(Err(Refused::CodeWrong));
        };
        let ticket = self.ticket(person, account, message, vec![TicketPurpose::SetPassword], now);
        self.hand(ticket, "the code of the newcomer's message", now).await.map(Ok)
    }

    pub(super) fn ticket(
        &self,
        person: PersonId,
        account: AccountGuid,
        proof: uuid::Uuid,
        purposes: Vec<TicketPurpose>,
        now: DateTime<Utc>,
    ) -> Ticket {
        let expires_at = now + self.rules.ticket;
        Ticket { id: self.id(now), person, account, purposes, proof, is_first: true, made_at: now, expires_at, intermediate: None }
    }

    pub(super) async fn hand(&self, ticket: Ticket, because: &str, now: DateTime<Utc>) -> PortResult<Handed> {
        let (token, browser) = (self.door.secret(TICKET), self.door.secret(BROWSER));
        let event = self.event(now, Some(ticket.person), "password.ticket", because);
        self.tickets.hand(&ticket, &token, &browser, &event).await?;
        Ok(Handed { token, browser, expires_at: ticket.expires_at, purposes: ticket.purposes })
    }

    /// With a ticket, a new password; with a newcomer's, a PIN as well. The ticket stays usable where the password is refused.
    /// `language`: what its owner is told things in from now on; `None`: as before.
    pub async fn set(
        &self,
        token: &Secret,
        browser: &Secret,
        new: &Zeroizing<String>,
        pin: Option<&Pin>,
        language: Option<Language>,
    ) -> PortResult<Result<Done, Refused>> {
        let now = self.clock.now();
        let Some(ticket) = self.tickets.ticket(token, browser, TicketPurpose::SetPassword, now).await? else {
            return Ok(Err(Refused::TicketSpent));
        };
        let facts = self.passwords.password_facts(ticket.account).await?.filter(PasswordFacts::is_served);
        let Some(facts) = facts else { return Ok(Err(Refused::TicketSpent)) };
        let rules = self.rules_of(Some(ticket.account)).await?;
        let broken = rules.broken(new, Some(&facts), &self.rules.words);
        if !broken.is_empty() {
            return Ok(Err(Refused::Broken { rules: broken, of: rules, old_gone: ticket.intermediate.is_some() }));
        }
        match pin {
            Some(_) if !ticket.is_first => return Ok(Err(Refused::PinNotHere)),
            // Why before the password: who has the one and not the other cannot come back with this ticket.
            Some(pin) => {
                let event = self.event(now, Some(ticket.person), "pin.set", "a newcomer's ticket");
                self.keep_pin(ticket.person, pin, &event, &[], now).await?;
            }
            None if ticket.is_first && self.rules.challenge.proof == ResetProof::SmsAndPin => return Ok(Err(Refused::PinMissing)),
            None => {}
        }
        if let Err(refused) = self.place(&ticket, &facts, &rules, new).await? {
            return Ok(Err(refused));
        }
        if facts.locked {
            self.passwords.unlock(&facts.account).await?;
        }
        let event = self.event(now, Some(ticket.person), "password.set", "a ticket");
        let record = self.store.people(PeopleBy::Ids(&[ticket.person])).await?.into_iter().next();
        let told = record.as_ref().filter(|_| !ticket.is_first);
        let notices = told.map_or_else(Vec::new, |record| self.notices(record, ticket.id, now));
        self.tickets.spend(&ticket, &event, &notices, now).await?;
        // Why the sessions first: whatever fails behind it, whoever knew the old password is out.
        let done = self.done(ticket.person, ticket.account, now).await?;
        self.speak(record.as_ref(), language, now).await?;
        Ok(Ok(done))
    }

    /// Into the directory, past its history. Where a reset does not look at the history, the password is set to one that
    /// nobody knows and changed from that.
    async fn place(
        &self,
        ticket: &Ticket,
        facts: &PasswordFacts,
        rules: &PasswordRules,
        new: &Zeroizing<String>,
    ) -> PortResult<Result<(), Refused>> {
        let refused = |old_gone| Refused::Broken { rules: vec![Broken::InHistory], of: *rules, old_gone };
        // Why not with a minimum age: a controller that looks at the history in a reset refuses it as too young, too.
        if rules.history == 0 || (rules.minimum_age.is_none() && ticket.intermediate.is_none()) {
            match self.passwords.reset(&facts.account, new, rules.history > 0).await {
                Ok(true) => return Ok(Ok(())),
                Ok(false) => {}
                Err(fault) if fault.refusal() == Some(Refusal::Password) => return Ok(Err(refused(false))),
                Err(fault) => return Err(fault),
            }
        }
        let from = match &ticket.intermediate {
            // Why first the change: it may have been set before what came between.
            Some(from) => {
                match self.change_from(facts, from, new).await {
                    Ok(()) => return Ok(Ok(())),
                    Err(fault) if fault.refusal() == Some(Refusal::Password) => return Ok(Err(refused(true))),
                    Err(fault) if fault.refusal() == Some(Refusal::WrongPassword) => {
                        // Why asked: the change before this one may have taken place, its answer lost.
                        if matches!(self.door.directory.sign_in(Some(ticket.account), new, &[]).await?, SignedIn::Accepted(_)) {
                            return Ok(Ok(()));
                        }
                    }
                    Err(fault) => return Err(fault),
                }
                from.clone()
            }
            None => {
                let from = self.random_password();
                self.tickets.keep_intermediate(ticket.id, &from).await?;
                from
            }
        };
        self.passwords.set_intermediate(&facts.account, &from).await?;
        match self.change_from(facts, &from, new).await {
            Ok(()) => Ok(Ok(())),
            Err(fault) if fault.refusal() == Some(Refusal::Password) => Ok(Err(refused(true))),
            Err(fault) => Err(fault),
        }
    }

    /// Why unlocked before: the directory takes no change from a locked account, and this password is nobody's.
    async fn change_from(&self, facts: &PasswordFacts, from: &Zeroizing<String>, new: &Zeroizing<String>) -> PortResult<()> {
        if facts.locked {
            self.passwords.unlock(&facts.account).await?;
        }
        self.passwords.change(&facts.account, from, new).await
    }

    /// Who knows the password changes it; also where it has expired or must be changed. `language`: as in [`Desk::set`].
    pub async fn change(
        &self,
        username: &str,
        current: &Zeroizing<String>,
        new: &Zeroizing<String>,
        address: &str,
        language: Option<Language>,
    ) -> PortResult<Result<Done, Refused>> {
        let now = self.clock.now();
        let (account, proven) = match self.prove(username, current, address, now).await? {
            Ok(proven) => proven,
            Err(refused) => return Ok(Err(refused)),
        };
        let record = self.store.people(PeopleBy::Guids(&[account])).await?.into_iter().next();
        let facts = self.passwords.password_facts(account).await?.filter(PasswordFacts::is_served);
        let (Some(record), Some(facts)) = (record, facts) else { return Ok(Err(Refused::CredentialsWrong)) };
        let rules = self.rules_of(Some(account)).await?;
        let mut broken = rules.broken(new, Some(&facts), &self.rules.words);
        if rules.is_too_young(&facts, now) && proven == Proven::Current {
            broken.push(Broken::TooYoung);
        }
        if new == current && !broken.contains(&Broken::InHistory) {
            broken.push(Broken::InHistory);
        }
        if !broken.is_empty() {
            return Ok(Err(Refused::Broken { rules: broken, of: rules, old_gone: false }));
        }
        match self.passwords.change(&facts.account, current, new).await {
            Ok(()) => {}
            Err(fault) if fault.refusal() == Some(Refusal::Password) => {
                return Ok(Err(Refused::Broken { rules: vec![Broken::InHistory], of: rules, old_gone: false }));
            }
            Err(fault) if fault.refusal() == Some(Refusal::WrongPassword) => return Ok(Err(Refused::CredentialsWrong)),
            Err(fault) => return Err(fault),
        }
        self.note(now, record.person.id, "password.change", "the password before it").await?;
        let notices = self.notices(&record, self.id(now), now);
        let notices: Vec<_> = notices.into_iter().map(|notice| (record.person.id, notice)).collect();
        self.outbox.queue_messages(&notices, now).await?;
        let done = self.done(record.person.id, account, now).await?;
        self.speak(Some(&record), language, now).await?;
        Ok(Ok(done))
    }

    /// The password is right; whether it may be used is another question.
    pub(super) async fn prove(
        &self,
        username: &str,
        password: &Zeroizing<String>,
        address: &str,
        now: DateTime<Utc>,
    ) -> PortResult<Result<(AccountGuid, Proven), Refused>> {
        let door = &self.door;
        let account = if username.trim().is_empty() { None } else { door.directory.account_named(username.trim()).await? };
        let key = account.map_or_else(|| text::fold(username), |account| account.to_string());
        let attempt = Attempt { id: self.id(now), account: key, address: address.to_owned(), at: now };
        let limits = AttemptRules::below(door.directory.lockout().await?, door.from_address, door.in_all);
        if !door.sessions.begin_attempt(&attempt, &limits).await? {
            return Ok(Err(Refused::TooMany));
        }
        let proven = match door.directory.sign_in(account, password, &[]).await? {
            SignedIn::Accepted(standing) if standing.enabled => Proven::Current,
            SignedIn::PasswordExpired | SignedIn::MustChange => Proven::Outlived,
            _ => return Ok(Err(Refused::CredentialsWrong)),
        };
        door.succeeded(&attempt, account).await?;
        Ok(account.map(|account| (account, proven)).ok_or(Refused::CredentialsWrong))
    }

    /// To the owner's mobile and mail address: somebody has changed the password, who should have been the owner.
    fn notices(&self, record: &PersonRecord, occasion: uuid::Uuid, now: DateTime<Utc>) -> Vec<NewMessage> {
        let Some(account) = &record.account else { return Vec::new() };
        let to = Notice {
            mobile: record.person.mobile.as_ref(),
            mail: Some(&account.names.mail),
            occasion: occasion.to_string(),
            language: record.language,
            valid_until: Some(now + NOTICE),
        };
        message::notices(&self.texts, &Telling::PasswordChangedNotice { username: &account.names.username }, &to, || self.id(now))
    }

    /// Why after the notice of the deed: that is written in the language of before, or an intruder would choose it.
    async fn speak(&self, record: Option<&PersonRecord>, language: Option<Language>, now: DateTime<Utc>) -> PortResult<()> {
        match record.zip(language) {
            Some((record, language)) => message::language::choose(self.outbox.as_ref(), record, language, "parola", now).await,
            None => Ok(()),
        }
    }

    /// All sessions end; when the new one is due is told.
    async fn done(&self, person: PersonId, account: AccountGuid, now: DateTime<Utc>) -> PortResult<Done> {
        self.door.end(SessionsOf::Person(person), EndedBecause::PasswordChanged, "parola").await?;
        self.store.wake(&[(person, now)]).await?;
        let facts = self.passwords.password_facts(account).await?;
        Ok(Done { expires_at: facts.and_then(|f| f.expires_at) })
    }

    async fn rules_of(&self, account: Option<AccountGuid>) -> PortResult<PasswordRules> {
        Ok(self.passwords.password_rules(account).await?.at_least())
    }

    /// The rules that hold; with a ticket, for its owner.
    pub async fn policy(&self, holder: Option<(&Secret, &Secret)>) -> PortResult<PasswordRules> {
        let account = self.holder(holder).await?.map(|facts| facts.account.guid);
        self.rules_of(account).await
    }

    /// Strength and the rules that a password breaks. Nothing is kept.
    pub async fn assess(
        &self,
        password: &Zeroizing<String>,
        holder: Option<(&Secret, &Secret)>,
    ) -> PortResult<(Strength, Vec<Broken>, PasswordRules)> {
        let owner = self.holder(holder).await?;
        let rules = self.rules_of(owner.as_ref().map(|o| o.account.guid)).await?;
        let words: Vec<&str> = self.rules.words.iter().map(String::as_str).chain(owner.iter().map(|o| o.username.as_ref())).collect();
        Ok((strength(password, &words), rules.broken(password, owner.as_ref(), &self.rules.words), rules))
    }

    async fn holder(&self, holder: Option<(&Secret, &Secret)>) -> PortResult<Option<PasswordFacts>> {
        let Some((token, browser)) = holder else { return Ok(None) };
        match self.tickets.ticket(token, browser, TicketPurpose::SetPassword, self.clock.now()).await? {
            Some(ticket) => self.passwords.password_facts(ticket.account).await,
            None => Ok(None),
        }
    }

    /// Four kinds of characters and 24 random ones: no policy refuses it, nobody sees it.
    fn random_password(&self) -> Zeroizing<String> {
        const LETTERS: &[u8; 64] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789+-._/";
        let mut random = Zeroizing::new([0; 24]);
        self.entropy.fill(random.as_mut_slice());
        let mut text = Zeroizing::new(String::with_capacity(28));
        text.push_str("aA1-");
        text.extend(random.iter().map(|octet| char::from(LETTERS[usize::from(octet & 63)])));
        text
    }

    pub(super) async fn note(&self, now: DateTime<Utc>, person: PersonId, deed: &str, because: &str) -> PortResult<()> {
        self.door.audit.record(&[self.event(now, Some(person), deed, because)]).await
    }

    pub(super) fn event(&self, at: DateTime<Utc>, person: Option<PersonId>, deed: &str, because: &str) -> AuditEvent {
        AuditEvent { at, actor: "parola".into(), deed: deed.into(), person, because: because.into(), detail: json!({}) }
    }

    pub(super) fn id(&self, now: DateTime<Utc>) -> uuid::Uuid {
        let mut random = [0; 10];
        self.entropy.fill(&mut random);
        uuid_v7(now, random)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Proven {
    Current,
    /// Right, and expired or to be changed: the minimum age does not hold for it.
    Outlived,
}
