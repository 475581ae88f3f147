//! The door: signing in, renewing, signing out, and recognizing who comes with a token. Decides who somebody is and which
//! roles that gives; what the roles may is the table's.
use super::attempt::{AttemptRules, Before};
use super::roles::{self, RoleGroups};
use super::session::{Access, EndedBecause, Renewal, Secret, Session, SessionRules, SessionsOf, SignedIn, Standing};
use super::{Caller, Role, Who, service};
use crate::account::AccountState;
use crate::audit::AuditEvent;
use crate::day;
use crate::id::{AccountGuid, PersonId, SessionId, uuid_v7};
use crate::lifecycle::suspension::Suspension;
use crate::message::{self, NewMessage, Notice, Telling, Templates};
use crate::ports::{
    Attempt, Audit, Clock, Entropy, ForeignIssuer, ForeignName, Grants, PeopleBy, PersonRecord, PortError, PortResult, Services, Sessions,
    SignIn, Store, Tokens,
};
use crate::staff::Units;
use crate::text;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use zeroize::Zeroizing;

/// What a refresh token begins with.
const REFRESH: &str = "kimlik_ref";
/// Who was recognized is not asked about again for so long: what ended anywhere has ended everywhere after it.
const REMEMBERED: TimeDelta = TimeDelta::seconds(1);
/// The tree of units changes by deliveries of HR, not by the second.
const UNITS_REMEMBERED: TimeDelta = TimeDelta::seconds(30);
/// More callers at once than that are simply looked up each time.
const MOST_REMEMBERED: usize = 50_000;

/// No notice waits longer.
const NOTICE: TimeDelta = TimeDelta::days(2);

/// Everything that the door needs.
pub struct Door {
    pub sessions: Arc<dyn Sessions>,
    pub grants: Arc<dyn Grants>,
    pub services: Arc<dyn Services>,
    pub audit: Arc<dyn Audit>,
    pub store: Arc<dyn Store>,
    pub texts: Arc<Templates>,
    pub directory: Arc<dyn SignIn>,
    pub tokens: Arc<dyn Tokens>,
    pub foreign: Option<Arc<dyn ForeignIssuer>>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub rules: SessionRules,
    pub groups: RoleGroups,
    /// Failures within the window.
    pub from_address: u32,
    pub in_all: u32,
    pub memory: Memory,
}

type Recognized = HashMap<String, (DateTime<Utc>, Arc<Caller>)>;

/// What is not asked for again within a second.
#[derive(Default)]
pub struct Memory {
    callers: Mutex<Recognized>,
    units: Mutex<Option<(DateTime<Utc>, Arc<Units>)>>,
}

/// Tokens of a session that has begun or was renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    pub caller: Arc<Caller>,
    pub access: String,
    pub access_until: DateTime<Utc>,
    pub refresh: Secret,
    pub refresh_until: DateTime<Utc>,
}

/// Why nobody was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Name or password; also locked and disabled accounts, because a directory says so without the right password.
    Wrong,
    /// Too many attempts, of this account, from this address, or in all.
    TooMany,
    PasswordExpired,
    MustChange,
    /// The password is right, and there is nothing here for this account: no role, or not at this hour.
    NotAllowed,
    /// The refresh token is none, or spent, or its session has ended.
    Ended,
}

impl Door {
    /// `address`: of the network that asks, as [`Attempt`] counts it.
    pub async fn sign_in(&self, name: &str, password: &Zeroizing<String>, address: &str) -> PortResult<Result<Opened, Refused>> {
        let name = plain_name(name);
        let account = if name.is_empty() { None } else { self.directory.account_named(name).await? };
        // Why by the account where there is one: the many ways to write a name are not so many more attempts.
        let key = account.map_or_else(|| text::fold(name), |account| account.to_string());
        let now = self.clock.now();
        let attempt = Attempt { id: self.id(now), account: key, address: address.to_owned(), at: now };
        let rules = AttemptRules::below(self.directory.lockout().await?, self.from_address, self.in_all);
        if !self.sessions.begin_attempt(&attempt, &rules).await? {
            return Ok(Err(Refused::TooMany));
        }
        let signed_in = self.directory.sign_in(account, password, &self.groups.groups()).await?;
        let refused = match signed_in {
            SignedIn::Accepted(standing) if standing.enabled => {
                let before = self.succeeded(&attempt, account).await?;
                match self.open(standing, address, before).await? {
                    Ok(opened) => return Ok(Ok(opened)),
                    Err(refused) => refused,
                }
            }
            SignedIn::Accepted(_) | SignedIn::Wrong | SignedIn::Locked | SignedIn::Disabled => Refused::Wrong,
            SignedIn::PasswordExpired => Refused::PasswordExpired,
            SignedIn::MustChange => Refused::MustChange,
            SignedIn::NotNow => Refused::NotAllowed,
        };
        if matches!(refused, Refused::PasswordExpired | Refused::MustChange | Refused::NotAllowed) {
            // Why: the password was right, which is no attempt of a stranger.
            self.succeeded(&attempt, account).await?;
        }
        let event = AuditEvent {
            at: now,
            actor: "nobody".to_owned(),
            deed: "session.refuse".to_owned(),
            person: None,
            because: format!("{refused:?}"),
            detail: json!({ "account": account.map(|a| a.to_string()), "address": address }),
        };
        self.audit.record(&[event]).await?;
        Ok(Err(refused))
    }

    /// The password of somebody who is signed in, asked again before a deed that matters: whoever finds a computer unlocked
    /// does not know it. Counted like an attempt to sign in.
    pub async fn ask_again(&self, account: AccountGuid, password: &Zeroizing<String>, address: &str) -> PortResult<Result<(), Refused>> {
        let now = self.clock.now();
        let attempt = Attempt { id: self.id(now), account: account.to_string(), address: address.to_owned(), at: now };
        let rules = AttemptRules::below(self.directory.lockout().await?, self.from_address, self.in_all);
        if !self.sessions.begin_attempt(&attempt, &rules).await? {
            return Ok(Err(Refused::TooMany));
        }
        match self.directory.sign_in(Some(account), password, &[]).await? {
            SignedIn::Accepted(standing) if standing.enabled => {}
            SignedIn::PasswordExpired => return Ok(Err(Refused::PasswordExpired)),
            SignedIn::MustChange => return Ok(Err(Refused::MustChange)),
            _ => return Ok(Err(Refused::Wrong)),
        }
        self.succeeded(&attempt, Some(account)).await?;
        Ok(Ok(()))
    }

    /// The password was right, whatever it is used for: what was tried before is forgotten, and its owner told where that looks as if
    /// somebody had guessed. Why here and not at the sign-in: whoever guesses finds the other places that ask for a password.
    pub(crate) async fn succeeded(&self, attempt: &Attempt, account: Option<AccountGuid>) -> PortResult<Before> {
        let before = self.sessions.attempt_succeeded(attempt, None).await?;
        if !before.is_suspicious() {
            return Ok(before);
        }
        // Why asked a second time and not told afterwards: whoever is killed between has lost neither the failures nor the notice. And
        // not written beforehand: that would be another question at each of the many sign-ins that nobody need hear of.
        let record = match account {
            Some(account) => self.store.people(PeopleBy::Guids(&[account])).await?.into_iter().next(),
            None => None,
        };
        let notices = record.map_or_else(Vec::new, |record| self.notices(&record, before, attempt.at));
        self.sessions.attempt_succeeded(attempt, Some(&notices)).await
    }

    async fn open(&self, standing: Standing, address: &str, before: Before) -> PortResult<Result<Opened, Refused>> {
        let now = self.clock.now();
        let record = self.store.people(PeopleBy::Guids(&[standing.account])).await?.into_iter().next();
        let mut session = Session {
            id: SessionId(self.id(now)),
            account: standing.account,
            person: record.as_ref().map(|r| r.person.id),
            roles: self.groups.roles(&standing.groups),
            username: standing.username,
            password_mark: standing.password_mark,
            confirmed_at: now,
            started_at: now,
            expires_at: now,
            ended_at: None,
            address: address.to_owned(),
        };
        session.expires_at = session.until(&self.rules, now);
        let Some(caller) = self.caller_of(&session, record.as_ref()).await? else { return Ok(Err(Refused::NotAllowed)) };
        let refresh = self.secret(REFRESH);
        let event = AuditEvent {
            at: now,
            actor: caller.actor(),
            deed: "session.begin".to_owned(),
            person: session.person,
            because: "user name and password".to_owned(),
            detail: json!({ "session": session.id.to_string(), "address": address, "roles": caller.roles, "failuresBefore": before.failures }),
        };
        self.sessions.begin_session(&session, &refresh, &event).await?;
        Ok(Ok(self.opened(Arc::new(caller), &session, refresh, now)))
    }

    /// Over every channel, once a day: who signs in may not be who holds the phone.
    fn notices(&self, record: &PersonRecord, before: Before, now: DateTime<Utc>) -> Vec<(PersonId, NewMessage)> {
        let Some(account) = &record.account else { return Vec::new() };
        let to = Notice {
            mobile: record.person.mobile.as_ref(),
            mail: Some(&account.names.mail),
            occasion: day::today(now).to_string(),
            language: record.language,
            valid_until: Some(now + NOTICE),
        };
        let telling = Telling::SignInNotice { username: &account.names.username, count: before.failures };
        let messages = message::notices(&self.texts, &telling, &to, || self.id(now));
        messages.into_iter().map(|notice| (record.person.id, notice)).collect()
    }

    /// The account is looked at again, and its session ends where the directory says so.
    pub async fn renew(&self, refresh: &Secret) -> PortResult<Result<Opened, Refused>> {
        let now = self.clock.now();
        let Some(mut session) = self.sessions.session_of(refresh).await? else { return Ok(Err(Refused::Ended)) };
        if !session.lives(now) {
            return Ok(Err(Refused::Ended));
        }
        match self.directory.standing(session.account, &self.groups.groups()).await {
            Ok(Some(standing)) if standing.enabled && standing.password_mark == session.password_mark => {
                session.roles = self.groups.roles(&standing.groups);
                session.username = standing.username;
                session.confirmed_at = now;
            }
            Ok(standing) => {
                let changed = standing.is_some_and(|s| s.enabled);
                let because = if changed { EndedBecause::PasswordChanged } else { EndedBecause::AccountClosed };
                self.end(SessionsOf::Account(session.account), because, "kimlik").await?;
                return Ok(Err(Refused::Ended));
            }
            // Why not at once: a controller that is away must not send everybody away who could see why.
            Err(PortError::Unavailable(_)) if now - session.confirmed_at < self.rules.without_directory => {}
            Err(fault) => return Err(fault),
        }
        let record = self.record_of(&session).await?;
        let Some(caller) = self.caller_of(&session, record.as_ref()).await? else {
            self.end(SessionsOf::One(session.id), EndedBecause::AccountClosed, "kimlik").await?;
            return Ok(Err(Refused::Ended));
        };
        session.expires_at = session.until(&self.rules, now);
        let next = self.secret(REFRESH);
        match self.sessions.renew(refresh, &next, &session, now).await? {
            Renewal::Renewed(session) => Ok(Ok(self.opened(Arc::new(caller), &session, next, now))),
            Renewal::Reused(session) => {
                self.forget(&[session.id]);
                Ok(Err(Refused::Ended))
            }
            Renewal::Unknown => Ok(Err(Refused::Ended)),
        }
    }

    /// By its refresh token: whoever holds it may end the session, also after the access token has expired.
    pub async fn sign_out(&self, refresh: &Secret) -> PortResult<()> {
        if let Some(session) = self.sessions.session_of(refresh).await? {
            self.end(SessionsOf::One(session.id), EndedBecause::SignedOut, &format!("user:{}", session.username)).await?;
        }
        Ok(())
    }

    /// Ends them here at once and elsewhere within a second; answers how many there were.
    pub async fn end(&self, of: SessionsOf, because: EndedBecause, actor: &str) -> PortResult<usize> {
        let ended = self.sessions.end_sessions(of, because, actor, self.clock.now()).await?;
        self.forget(&ended);
        Ok(ended.len())
    }

    /// Ends all sessions of whoever has this user name. `None`: there is nobody of that name.
    pub async fn end_all(&self, username: &str, actor: &str) -> PortResult<Option<usize>> {
        let username = plain_name(username);
        let of = match self.store.person_named(Some(username), None).await? {
            Some(person) => SessionsOf::Person(person),
            // Why second: these are few, and a controller that is away must not protect a person's sessions.
            None => match self.directory.account_named(username).await? {
                Some(account) => SessionsOf::Account(account),
                None => return Ok(None),
            },
        };
        self.end(of, EndedBecause::Ordered, actor).await.map(Some)
    }

    /// Who comes with this token. `None`: nobody that is known, or not any more.
    pub async fn recognize(&self, token: &str) -> PortResult<Option<Arc<Caller>>> {
        let now = self.clock.now();
        let own = self.tokens.read(token, now);
        let key = own.map_or_else(|| token.to_owned(), |access| access.session.to_string());
        if let Some(caller) = self.remembered(&key, now) {
            return Ok(Some(caller));
        }
        let caller = match own {
            Some(access) => self.by_session(&access, now).await?,
            None if token.starts_with(service::KIND) => self.by_secret(token, now).await?,
            None => self.by_foreign(token, now).await?,
        };
        let caller = caller.map(Arc::new);
        if let (Some(caller), Ok(mut callers)) = (&caller, self.memory.callers.lock()) {
            if callers.len() >= MOST_REMEMBERED {
                callers.retain(|_, (until, _)| *until > now);
            }
            if callers.len() < MOST_REMEMBERED {
                callers.insert(key, (now + REMEMBERED, caller.clone()));
            }
        }
        Ok(caller)
    }

    async fn by_session(&self, access: &Access, now: DateTime<Utc>) -> PortResult<Option<Caller>> {
        let Some(session) = self.sessions.session(access.session).await?.filter(|s| s.lives(now)) else { return Ok(None) };
        let record = self.record_of(&session).await?;
        self.caller_of(&session, record.as_ref()).await
    }

    async fn by_secret(&self, token: &str, now: DateTime<Utc>) -> PortResult<Option<Caller>> {
        let found = self.services.service_of(&Secret::given(token), now).await?;
        let Some(service) = found.filter(|s| s.lives(now)) else { return Ok(None) };
        if service.last_used_at.is_none_or(|at| now - at > TimeDelta::minutes(1)) {
            self.services.service_used(service.id, now).await?;
        }
        Ok(Some(Caller {
            who: Who::Service(service.id),
            roles: [Role::Integrator].into(),
            scopes: service.scopes,
            name: service.name.into(),
            ..Caller::default()
        }))
    }

    async fn by_foreign(&self, token: &str, now: DateTime<Utc>) -> PortResult<Option<Caller>> {
        let Some(foreign) = &self.foreign else { return Ok(None) };
        let person = match foreign.read(token, now).await? {
            None => return Ok(None),
            Some(ForeignName::Username(name)) => self.store.person_named(Some(&name), None).await?,
            Some(ForeignName::Email(address)) => self.store.person_named(None, Some(&address)).await?,
            Some(ForeignName::RegistryNo(no)) => {
                self.store.people(PeopleBy::RegistryNos(std::slice::from_ref(&no))).await?.first().map(|r| r.person.id)
            }
        };
        let Some(person) = person else { return Ok(None) };
        let found = self.store.people(PeopleBy::Ids(&[person])).await?;
        let Some(record) = found.first() else { return Ok(None) };
        let name = record.account.as_ref().map(|a| a.names.username.clone()).unwrap_or_default();
        // Why no groups: the issuer vouches for who somebody is; what they are here is the directory's and HR's to say.
        self.caller_for(record, BTreeSet::new(), None, name).await
    }

    async fn record_of(&self, session: &Session) -> PortResult<Option<PersonRecord>> {
        match session.person {
            Some(person) => Ok(self.store.people(PeopleBy::Ids(&[person])).await?.into_iter().next()),
            None => Ok(None),
        }
    }

    /// `None`: there is nothing here for that account, or not any more.
    async fn caller_of(&self, session: &Session, record: Option<&PersonRecord>) -> PortResult<Option<Caller>> {
        match (session.person, record) {
            (Some(_), Some(record)) => self.caller_for(record, session.roles.clone(), Some(session.id), session.username.clone()).await,
            (Some(_), None) => Ok(None),
            (None, _) if session.roles.is_empty() => Ok(None),
            (None, _) => Ok(Some(Caller {
                who: Who::Account(session.account),
                roles: session.roles.clone(),
                session: Some(session.id),
                name: session.username.clone(),
                ..Caller::default()
            })),
        }
    }

    async fn caller_for(
        &self,
        record: &PersonRecord,
        mut roles: BTreeSet<Role>,
        session: Option<SessionId>,
        name: Arc<str>,
    ) -> PortResult<Option<Caller>> {
        // Why the order too: it counts from the moment it is given, also while the directory cannot be reached.
        let suspended = record.suspension.as_ref().is_some_and(Suspension::is_in_force);
        if suspended || record.account.as_ref().is_none_or(|a| a.state != AccountState::Active) {
            return Ok(None);
        }
        let now = self.clock.now();
        let units = self.units(now).await?;
        let desks = roles::desks(&record.person, &units, day::today(now));
        let mut reach = roles::served(&desks, &units);
        let (granted, granted_units) = roles::granted(&self.grants.grants_of(record.person.id).await?, &units, now);
        roles.insert(Role::Staff);
        roles.extend(granted);
        reach.extend(granted_units);
        if !desks.is_empty() {
            roles.insert(Role::PersonnelOfficer);
        }
        let who = Who::Person(record.person.id);
        Ok(Some(Caller { who, roles, units: Arc::new(reach), scopes: BTreeSet::new(), session, name }))
    }

    async fn units(&self, now: DateTime<Utc>) -> PortResult<Arc<Units>> {
        let held = self.memory.units.lock().ok().and_then(|held| held.clone());
        if let Some((until, units)) = held
            && now < until
        {
            return Ok(units);
        }
        let units = Arc::new(self.store.units().await?);
        if let Ok(mut held) = self.memory.units.lock() {
            *held = Some((now + UNITS_REMEMBERED, units.clone()));
        }
        Ok(units)
    }

    fn remembered(&self, key: &str, now: DateTime<Utc>) -> Option<Arc<Caller>> {
        let callers = self.memory.callers.lock().ok()?;
        callers.get(key).filter(|(until, _)| now < *until).map(|(_, caller)| caller.clone())
    }

    fn forget(&self, sessions: &[SessionId]) {
        if let Ok(mut callers) = self.memory.callers.lock() {
            sessions.iter().for_each(|id| drop(callers.remove(&id.to_string())));
        }
    }

    fn opened(&self, caller: Arc<Caller>, session: &Session, refresh: Secret, now: DateTime<Utc>) -> Opened {
        let until = (now + self.rules.access).min(session.expires_at);
        let access = Access { session: session.id, account: session.account, issued_at: now, expires_at: until };
        Opened { caller, access: self.tokens.issue(&access), access_until: until, refresh, refresh_until: session.expires_at }
    }

    pub fn secret(&self, kind: &str) -> Secret {
        let mut random = Zeroizing::new([0; 32]);
        self.entropy.fill(random.as_mut_slice());
        Secret::new(kind, &random)
    }

    fn id(&self, now: DateTime<Utc>) -> uuid::Uuid {
        let mut random = [0; 10];
        self.entropy.fill(&mut random);
        uuid_v7(now, random)
    }
}

/// Sessions of a person end with a new password: what the password desk calls once the directory has taken it.
pub async fn password_changed(sessions: &dyn Sessions, person: PersonId, actor: &str, now: DateTime<Utc>) -> PortResult<()> {
    sessions.end_sessions(SessionsOf::Person(person), EndedBecause::PasswordChanged, actor, now).await.map(drop)
}

/// `CSB\ayse.sahin` is ayse.sahin; a name that no directory takes is nobody's.
fn plain_name(name: &str) -> &str {
    let name = name.trim();
    let name = name.split_once('\\').map_or(name, |(_, name)| name);
    if name.chars().count() > 256 || name.chars().any(char::is_control) { "" } else { name }
}
