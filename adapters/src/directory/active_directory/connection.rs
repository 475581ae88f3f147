//! One bound connection to one controller, shared by all operations; another controller where it does not answer.
//! Decides where to connect and what a lost answer means, not what is asked.
use super::codes;
use super::entry::Entry;
use super::settings::AdSettings;
use kimlik_domain::health::{Finding, Subject};
use kimlik_domain::message::Language;
use kimlik_domain::ports::{PortError, PortResult};
use ldap3::controls::{MakeCritical, PagedResults, RawControl};
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, LdapResult, Mod, ResultEntry, Scope};
use rustls::ClientConfig;
use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, Semaphore};

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// Why so long: each attempt with a wrong password counts towards the lock-out of the service account.
const PAUSE_AFTER_REFUSAL: Duration = Duration::from_secs(120);
const IDLE: Duration = Duration::from_secs(60);
/// DNs come with GUID and SID in front ([MS-ADTS] 3.1.1.3.4.1.5, string form).
const EXTENDED_DN: &str = "1.2.840.113556.1.4.529";
const SEQUENCE_OF_ONE: [u8; 5] = [0x30, 0x03, 0x02, 0x01, 0x01];
/// Why not the 1,000 that a controller gives at most: the last page is looked at when the controller has nothing more to do.
pub(super) const PAGE: i32 = 500;

/// A connection that was bound. Cheap to copy.
#[derive(Clone)]
pub(super) struct Link {
    ldap: Ldap,
    controller: usize,
    number: u64,
}

#[derive(Default)]
struct State {
    link: Option<Link>,
    /// The controller that took the last write, and when.
    wrote: Option<(usize, Instant)>,
    /// No new attempt before, after so many failures; and what the last one said.
    pause: Option<(Instant, Duration, PortError)>,
}

pub(super) struct Connection {
    settings: Arc<AdSettings>,
    tls: Arc<ClientConfig>,
    state: Mutex<State>,
    under_way: Semaphore,
    opened: AtomicU64,
    /// The last answer.
    heard: std::sync::Mutex<Option<Instant>>,
}

pub(super) type Mods = Vec<Mod<Vec<u8>>>;

/// What became of a request that got no answer.
enum Lost {
    /// It never left.
    Unsent(String),
    /// It left, and nothing more is known.
    Unanswered(String),
}

impl Connection {
    pub(super) fn new(settings: Arc<AdSettings>, tls: Arc<ClientConfig>) -> Connection {
        let under_way = Semaphore::new(settings.in_flight);
        Connection { settings, tls, state: Mutex::default(), under_way, opened: AtomicU64::new(0), heard: std::sync::Mutex::default() }
    }

    /// The connection in use, or a new one.
    pub(super) async fn link(&self) -> PortResult<Link> {
        let mut state = self.state.lock().await;
        if let Some(link) = state.link.as_mut()
            && !link.ldap.is_closed()
        {
            return Ok(link.clone());
        }
        state.link = None;
        if let Some((until, _, error)) = &state.pause
            && Instant::now() < *until
        {
            return Err(error.clone());
        }
        match self.first_that_answers(state.wrote).await {
            Ok(link) => {
                state.pause = None;
                state.link = Some(link.clone());
                Ok(link)
            }
            Err((bind_refused, text)) => {
                let next = state.pause.as_ref().map_or(FIRST_PAUSE, |(_, pause, _)| (*pause * 2).min(LONGEST_PAUSE));
                let pause = if bind_refused { PAUSE_AFTER_REFUSAL } else { next };
                // Why not "refused": it concerns everybody and not one account, and passes when an operator mends it.
                let error = PortError::Unavailable(text);
                state.pause = Some((Instant::now() + pause, next, error.clone()));
                Err(error)
            }
        }
    }

    /// Else: whether a bind was refused, and what was found.
    async fn first_that_answers(&self, wrote: Option<(usize, Instant)>) -> Result<Link, (bool, String)> {
        let recent = wrote.filter(|(_, at)| at.elapsed() < self.settings.replication).map(|(controller, _)| controller);
        let mut faults: Vec<String> = Vec::new();
        for (controller, url) in self.settings.urls.iter().enumerate() {
            // Why: another controller may not know yet what was just written, and would answer "no such account".
            if recent.is_some_and(|r| r != controller) {
                continue;
            }
            match open(&self.settings, &self.tls, url).await {
                Ok(ldap) => {
                    if !faults.is_empty() {
                        tracing::warn!(controller = %url, skipped = %faults.join("; "), "another domain controller is used");
                    }
                    let number = self.opened.fetch_add(1, Ordering::Relaxed);
                    return Ok(Link { ldap, controller, number });
                }
                // Why no further: the password is the same everywhere.
                Err(OpenFault::Refused(refused)) => {
                    let (found, mend) = (refused.found(Language::En), refused.mend(Language::En));
                    tracing::error!(controller = %url, found, mend, "the directory does not let Kimlik in");
                    return Err((true, format!("{url}: {found}; {mend}")));
                }
                Err(fault) => faults.push(format!("{url}: {}", fault.said())),
            }
        }
        if recent.is_some() && self.settings.urls.len() > 1 {
            faults.push(format!("no other controller is asked within {} s of the last write", self.settings.replication.as_secs()));
        }
        Err((false, faults.join("; ")))
    }

    /// The connection gave no answer in time or broke: the next operation opens another one.
    async fn give_up(&self, link: &Link) {
        let mut state = self.state.lock().await;
        if state.link.as_ref().is_some_and(|l| l.number == link.number) {
            state.link = None;
        }
    }

    async fn give_up_if_unbound(&self, link: &Link, result: &LdapResult) {
        if result.rc == 1 && codes::windows_code(&result.text) == Some(codes::NOT_BOUND) {
            self.give_up(link).await;
        }
    }

    /// Why: a firewall may have forgotten an idle connection. A read tells, and is repeated on a new one; a write would
    /// be in doubt.
    async fn wake(&self) -> PortResult<()> {
        let idle = self.heard.lock().is_ok_and(|heard| heard.is_some_and(|at| at.elapsed() > IDLE));
        if idle {
            self.read("", "(objectClass=*)", &["currentTime"]).await?;
        }
        Ok(())
    }

    async fn run<T, F, Fut>(&self, link: &Link, operation: F) -> Result<T, Lost>
    where
        F: FnOnce(Ldap) -> Fut,
        Fut: Future<Output = Result<T, LdapError>>,
    {
        let Ok(_permit) = self.under_way.acquire().await else {
            return Err(Lost::Unsent("the connection is being closed".into()));
        };
        let mut ldap = link.ldap.clone();
        ldap.with_timeout(self.settings.timeout);
        match operation(ldap).await {
            Ok(answer) => {
                if let Ok(mut heard) = self.heard.lock() {
                    *heard = Some(Instant::now());
                }
                Ok(answer)
            }
            Err(error) => {
                self.give_up(link).await;
                let url = &self.settings.urls[link.controller];
                Err(match error {
                    LdapError::OpSend { .. } => Lost::Unsent(format!("{url}: the connection was closed")),
                    LdapError::AddNoValues | LdapError::FilterParsing => Lost::Unsent(format!("{url}: {error}")),
                    LdapError::Timeout { .. } => {
                        Lost::Unanswered(format!("{url}: no answer within {} ms", self.settings.timeout.as_millis()))
                    }
                    error => Lost::Unanswered(format!("{url}: the connection was lost: {error}")),
                })
            }
        }
    }

    /// A request that changes something; sent once, or again where it certainly never left.
    pub(super) async fn write<F, Fut>(&self, operation: F) -> PortResult<LdapResult>
    where
        F: Fn(Ldap) -> Fut,
        Fut: Future<Output = Result<LdapResult, LdapError>>,
    {
        self.wake().await?;
        let mut tries = 0;
        loop {
            let link = self.link().await?;
            // Why before the answer: a write that is in doubt must be observed where it went.
            self.state.lock().await.wrote = Some((link.controller, Instant::now()));
            tries += 1;
            match self.run(&link, &operation).await {
                Ok(result) => {
                    self.give_up_if_unbound(&link, &result).await;
                    return Ok(result);
                }
                Err(Lost::Unsent(_)) if tries == 1 => {}
                Err(Lost::Unsent(text)) => return Err(PortError::Unavailable(text)),
                Err(Lost::Unanswered(text)) => return Err(PortError::InDoubt(text)),
            }
        }
    }

    pub(super) async fn modify(&self, dn: &str, mods: &Mods) -> PortResult<LdapResult> {
        self.write(|mut ldap| {
            let mods = mods.clone();
            async move { ldap.modify(dn, mods).await }
        })
        .await
    }

    /// With a control that the controller must know.
    pub(super) async fn modify_with(&self, dn: &str, mods: &Mods, control: &RawControl) -> PortResult<LdapResult> {
        self.write(|mut ldap| {
            let (mods, control) = (mods.clone(), control.clone());
            async move { ldap.with_controls(control).modify(dn, mods).await }
        })
        .await
    }

    pub(super) async fn add(&self, dn: &str, values: &[(Vec<u8>, HashSet<Vec<u8>>)]) -> PortResult<LdapResult> {
        self.write(|mut ldap| {
            let values = values.to_vec();
            async move { ldap.add(dn, values).await }
        })
        .await
    }

    pub(super) async fn rename(&self, dn: &str, rdn: &str, under: &str) -> PortResult<LdapResult> {
        self.write(|mut ldap| async move { ldap.modifydn(dn, rdn, true, Some(under)).await }).await
    }

    /// Everything that matches, however many pages it takes.
    pub(super) async fn search(&self, base: &str, scope: Scope, filter: &str, attributes: &[&str]) -> PortResult<Vec<Entry>> {
        let mut tries = 0;
        loop {
            let link = self.link().await?;
            tries += 1;
            let mut found = Vec::new();
            let mut cookie = Vec::new();
            let outcome = loop {
                match self.page(&link, base, scope, filter, attributes, cookie).await {
                    Ok((entries, next)) => {
                        found.extend(entries.into_iter().map(Entry::new));
                        match next {
                            Some(next) => cookie = next,
                            None => break Ok(()),
                        }
                    }
                    Err(error) => break Err(error),
                }
            };
            match outcome {
                Ok(()) => return Ok(found),
                // Why once more: a controller closes idle connections, and reading again costs nothing.
                Err(PortError::Unavailable(_)) if tries == 1 => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// One page, and the cookie of the next. Cookies live on their connection. Why as they came: whoever reads on asks for the next
    /// page first, and takes this one apart while the controller works.
    pub(super) async fn page(
        &self,
        link: &Link,
        base: &str,
        scope: Scope,
        filter: &str,
        attributes: &[&str],
        cookie: Vec<u8>,
    ) -> PortResult<(Vec<ResultEntry>, Option<Vec<u8>>)> {
        let mut controls: Vec<RawControl> = Vec::new();
        // Why not of the root: what stands there is no object, and has no GUID.
        if !base.is_empty() {
            controls.push(RawControl { ctype: EXTENDED_DN.into(), crit: true, val: Some(SEQUENCE_OF_ONE.to_vec()) });
        }
        if scope != Scope::Base {
            controls.push(PagedResults { size: PAGE, cookie }.critical().into());
        }
        let answer =
            self.run(link, |mut ldap| async move { ldap.with_controls(controls).search(base, scope, filter, attributes.to_vec()).await });
        let (entries, result) = match answer.await {
            Ok(found) => (found.0, found.1),
            Err(Lost::Unsent(text) | Lost::Unanswered(text)) => return Err(PortError::Unavailable(text)),
        };
        self.give_up_if_unbound(link, &result).await;
        // Why not an error: a base that is gone holds nothing; the caller tells a missing object from a missing answer.
        if result.rc == 32 {
            return Ok((Vec::new(), None));
        }
        if result.rc != 0 {
            return Err(codes::of_read("search", &result));
        }
        let cookie = result
            .ctrls
            .iter()
            .filter(|control| matches!(control.0, Some(ldap3::controls::ControlType::PagedResults)) && control.1.val.is_some())
            .map(|control| control.1.parse::<PagedResults>().cookie)
            .find(|cookie| !cookie.is_empty());
        Ok((entries.into_iter().filter(|e| !e.is_ref()).collect(), cookie))
    }

    /// What a controller answers to somebody's password: asked once, over a connection of its own, of the controller in use
    /// first (a new password may not have reached the others). Only one that cannot be reached is followed by the next.
    pub(super) async fn try_password(&self, dn: &str, password: &str) -> PortResult<LdapResult> {
        let first = self.link().await?.controller;
        let mut faults: Vec<String> = Vec::new();
        let others = (0..self.settings.urls.len()).filter(|n| *n != first);
        for controller in std::iter::once(first).chain(others) {
            let url = &self.settings.urls[controller];
            let mut ldap = match connect(&self.settings, &self.tls, url).await {
                Ok(ldap) => ldap,
                Err(fault) => {
                    faults.push(format!("{url}: {}", fault.said()));
                    continue;
                }
            };
            let bound = ldap.with_timeout(self.settings.timeout).simple_bind(dn, password).await;
            // Why ignore: the answer is there, and the connection is not used again.
            ldap.unbind().await.ok();
            // Why no other controller: the attempt may have been counted.
            return bound.map_err(|error| PortError::Unavailable(format!("{url}: no answer to a sign-in: {error}")));
        }
        Err(PortError::Unavailable(faults.join("; ")))
    }

    /// The object itself, if it is there (and matches).
    pub(super) async fn read(&self, dn: &str, filter: &str, attributes: &[&str]) -> PortResult<Option<Entry>> {
        Ok(self.search(dn, Scope::Base, filter, attributes).await?.into_iter().next())
    }
}

/// Why no bound connection came about.
#[derive(Debug)]
pub(super) enum OpenFault {
    Unreachable(String),
    Tls(String),
    /// The bind was refused: what there is to say of the controller.
    Refused(Box<Finding>),
}

impl OpenFault {
    pub(super) fn said(&self) -> String {
        match self {
            OpenFault::Unreachable(text) | OpenFault::Tls(text) => text.clone(),
            OpenFault::Refused(refused) => refused.found(Language::En),
        }
    }
}

async fn connect(settings: &AdSettings, tls: &Arc<ClientConfig>, url: &str) -> Result<Ldap, OpenFault> {
    let wanted = LdapConnSettings::new().set_conn_timeout(settings.timeout).set_config(tls.clone());
    let (driver, ldap) = LdapConnAsync::with_settings(wanted, url).await.map_err(connect_fault)?;
    tokio::spawn(async move {
        if let Err(error) = driver.drive().await {
            tracing::debug!(%error, "an LDAP connection ended");
        }
    });
    Ok(ldap)
}

/// Connects, verifies the certificate, binds. The password goes nowhere else, and into no text.
pub(super) async fn open(settings: &AdSettings, tls: &Arc<ClientConfig>, url: &str) -> Result<Ldap, OpenFault> {
    let mut ldap = connect(settings, tls, url).await?;
    let bound = ldap.with_timeout(settings.timeout).simple_bind(&settings.bind_dn, &settings.bind_password).await;
    match bound {
        Ok(result) if result.rc == 0 => Ok(ldap),
        Ok(result) if matches!(result.rc, 49 | 8 | 34 | 48 | 53) => {
            let why = codes::bind_refusal(&result.text);
            Err(OpenFault::Refused(Box::new(Finding::new(Subject::Controller, url, why, &[&settings.bind_dn]))))
        }
        Ok(result) => Err(OpenFault::Unreachable(codes::said("bind", &result))),
        Err(error) => Err(OpenFault::Unreachable(format!("no answer to the bind: {error}"))),
    }
}

fn connect_fault(error: LdapError) -> OpenFault {
    match error {
        LdapError::Io { source } => match source.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(tls) => OpenFault::Tls(format!("TLS: {tls}")),
            None => OpenFault::Unreachable(source.to_string()),
        },
        LdapError::Timeout { .. } => OpenFault::Unreachable("no connection in time".into()),
        error => OpenFault::Unreachable(error.to_string()),
    }
}
