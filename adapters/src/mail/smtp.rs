//! A mail server spoken to as RFC 5321 and 6409 say. Until the end of the letter has been sent nothing has happened; between that and
//! the server's answer nobody knows. Why not the library's transport: it does not tell these two apart.
use super::letter::{Sender, letter};
use async_trait::async_trait;
use kimlik_domain::health::{Finding, Kind, Subject};
use kimlik_domain::message::Purpose;
use kimlik_domain::ports::{Accepted, Gateway, Inspect, Parcel, PortError, PortResult, Refusal};
use lettre::address::Envelope;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use std::future::Future;
use std::net::IpAddr;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first octet (port 465).
    Tls,
    /// TLS asked for on a plain connection (port 587); without it nothing is said.
    StartTls,
    /// Loopback only.
    Plain,
}

pub struct SmtpSettings {
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// Empty: the server takes letters from this address without a password.
    pub user: String,
    pub password: Option<Zeroizing<String>>,
    pub from: String,
    pub from_name: String,
    /// Instead of the CAs of the system.
    pub ca_pem: Option<Vec<u8>>,
    /// For each of: connecting with the handshakes, handing over the envelope, handing over the letter.
    pub timeout: Duration,
}

pub struct Smtp {
    settings: SmtpSettings,
    from: Sender,
    tls: Option<TlsParameters>,
    /// The connection of the letter before, as long as a server keeps one.
    idle: Mutex<Option<(AsyncSmtpConnection, Instant)>>,
}

const KEPT: Duration = Duration::from_secs(20);

/// How far it has come when something fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Connecting,
    SigningIn,
    Sender,
    Recipient,
    Beginning,
}

impl Smtp {
    /// `Refused(Value)`: settings that cannot be.
    pub fn new(settings: SmtpSettings) -> PortResult<Smtp> {
        let fault = |what: &str| PortError::refused(Refusal::Value, what.to_owned());
        let loopback = settings.host == "localhost" || settings.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if settings.security == Security::Plain && !loopback {
            return Err(fault("without TLS only on loopback"));
        }
        let from = Sender::new(&settings.from, &settings.from_name).map_err(|e| fault(&format!("the sender {e}")))?;
        let tls = match settings.security {
            Security::Plain => None,
            Security::Tls | Security::StartTls => Some(tls(&settings).ok_or_else(|| fault("its ca_file holds no certificate"))?),
        };
        Ok(Smtp { settings, from, tls, idle: Mutex::new(None) })
    }

    async fn connect(&self) -> PortResult<AsyncSmtpConnection> {
        let hello = ClientId::Domain(self.from.address.domain().to_owned());
        let address = (self.settings.host.as_str(), self.settings.port);
        let at_once = self.tls.clone().filter(|_| self.settings.security == Security::Tls);
        let connecting = async {
            let patience = Some(self.settings.timeout);
            let mut connection = AsyncSmtpConnection::connect_tokio1(address, patience, &hello, at_once, None).await?;
            if let Some(tls) = self.tls.clone().filter(|_| self.settings.security == Security::StartTls) {
                if !connection.can_starttls() {
                    return Ok(None);
                }
                connection.starttls(tls, &hello).await?;
            }
            Ok::<_, Error>(Some(connection))
        };
        let connection = self.before(Stage::Connecting, connecting).await?;
        let Some(mut connection) = connection else {
            return Err(PortError::refused(Refusal::Other, "the mail server offers no TLS"));
        };
        if let Some(password) = &self.settings.password {
            let credentials = Credentials::new(self.settings.user.clone(), password.as_str().to_owned());
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            self.before(Stage::SigningIn, connection.auth(&mechanisms, &credentials)).await?;
        }
        Ok(connection)
    }

    /// A step after which nothing has happened yet.
    async fn before<T>(&self, stage: Stage, step: impl Future<Output = Result<T, Error>> + Send) -> PortResult<T> {
        match tokio::time::timeout(self.settings.timeout, step).await {
            Ok(result) => result.map_err(|fault| told(stage, &fault)),
            Err(_) => Err(PortError::Unavailable("the mail server did not answer in time".into())),
        }
    }

    async fn envelope(&self, connection: &mut AsyncSmtpConnection, envelope: &Envelope) -> PortResult<()> {
        self.before(Stage::Sender, connection.command(Mail::new(envelope.from().cloned(), Vec::new()))).await?;
        for to in envelope.to() {
            self.before(Stage::Recipient, connection.command(Rcpt::new(to.clone(), Vec::new()))).await?;
        }
        self.before(Stage::Beginning, connection.command(Data)).await.map(drop)
    }

    /// A connection that waits for the letter itself.
    async fn opened(&self, envelope: &Envelope) -> PortResult<AsyncSmtpConnection> {
        let kept = self.idle.lock().await.take().filter(|(_, since)| since.elapsed() < KEPT);
        if let Some((mut connection, _)) = kept {
            match self.envelope(&mut connection, envelope).await {
                Ok(()) => return Ok(connection),
                // Why another try: servers end connections that they find idle, and nothing has happened.
                Err(PortError::Unavailable(_)) => {}
                Err(fault) => {
                    self.leave(connection).await;
                    return Err(fault);
                }
            }
        }
        let mut connection = self.connect().await?;
        match self.envelope(&mut connection, envelope).await {
            Ok(()) => Ok(connection),
            Err(fault) => {
                self.leave(connection).await;
                Err(fault)
            }
        }
    }

    async fn leave(&self, mut connection: AsyncSmtpConnection) {
        tokio::time::timeout(Duration::from_secs(2), connection.abort()).await.ok();
    }
}

fn tls(settings: &SmtpSettings) -> Option<TlsParameters> {
    let mut tls = TlsParameters::builder(settings.host.clone());
    if let Some(pem) = &settings.ca_pem {
        let found = pem.windows(BEGIN.len()).any(|window| window == BEGIN);
        let certificates = Certificate::from_pem(pem).ok().filter(|_| found)?;
        tls = tls.certificate_store(CertificateStore::None).add_root_certificate(certificates);
    }
    tls.build_rustls().ok()
}

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// What the server said, without its words: addresses may stand in them. `550 5.1.1`.
fn code(fault: &Error) -> Option<String> {
    let status = fault.status()?;
    let words = std::error::Error::source(fault).map(ToString::to_string).unwrap_or_default();
    let enhanced = words.split_whitespace().find(|word| {
        let parts: Vec<&str> = word.split('.').collect();
        parts.len() == 3 && parts.iter().all(|p| (1..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()))
    });
    Some(enhanced.map_or_else(|| status.to_string(), |enhanced| format!("{status} {enhanced}")))
}

fn told(stage: Stage, fault: &Error) -> PortError {
    let Some(code) = code(fault) else {
        return match stage {
            _ if fault.is_tls() => PortError::Unavailable("the mail server's certificate or TLS is not right".into()),
            Stage::SigningIn if fault.is_client() => {
                PortError::refused(Refusal::Rights, "the mail server knows none of the ways to sign in (PLAIN, LOGIN)")
            }
            Stage::Connecting => PortError::Unavailable("no connection to the mail server".into()),
            _ => PortError::Unavailable("the connection to the mail server broke off".into()),
        };
    };
    if fault.is_transient() {
        return PortError::Unavailable(format!("the mail server says {code}: not now"));
    }
    let (refusal, what) = match stage {
        Stage::Connecting => (Refusal::Other, "does not serve us"),
        Stage::SigningIn => (Refusal::Rights, "does not take the user name and password"),
        // Why by 5.7: what is refused for reasons of security or policy is refused for every recipient.
        Stage::Sender => (Refusal::Rights, "does not take letters from this sender"),
        Stage::Recipient if code.contains(" 5.7.") || code.starts_with("530") => (Refusal::Rights, "does not carry our letters there"),
        Stage::Recipient => (Refusal::Undeliverable, "does not know the mailbox"),
        Stage::Beginning => (Refusal::Value, "takes no letter now"),
    };
    PortError::refused(refusal, format!("the mail server {what} ({code})"))
}

#[async_trait]
impl Gateway for Smtp {
    fn name(&self) -> &str {
        "smtp"
    }
    fn may_repeat(&self) -> bool {
        true
    }
    fn parts(&self, _: Purpose, _: &str) -> u32 {
        1
    }
    async fn send(&self, parcel: &Parcel<'_>) -> PortResult<Accepted> {
        let (envelope, letter) = letter(&self.from, parcel)?;
        let mut connection = self.opened(&envelope).await?;
        let answered = tokio::time::timeout(self.settings.timeout, connection.message(&letter)).await;
        let lost = || PortError::InDoubt("the mail server did not say whether it took the letter".into());
        let fault = match answered {
            Ok(Ok(_)) => {
                *self.idle.lock().await = Some((connection, Instant::now()));
                // Why our own name for it: it is in the letter's Message-ID, which servers write into their logs.
                return Ok(Accepted { id: Some(parcel.reference.to_string()), parts: 1 });
            }
            Ok(Err(fault)) => fault,
            Err(_) => return Err(lost()),
        };
        let Some(code) = code(&fault) else { return Err(lost()) };
        self.leave(connection).await;
        Err(if fault.is_transient() {
            PortError::Unavailable(format!("the mail server says {code}: not now"))
        } else {
            PortError::refused(Refusal::Value, format!("the mail server does not take the letter ({code})"))
        })
    }
}

#[async_trait]
impl Inspect for Smtp {
    /// Signs in, says nothing, and leaves.
    async fn inspect(&self) -> Vec<Finding> {
        let (kind, said) = match self.connect().await {
            Ok(mut connection) => {
                let noop = self.before(Stage::Connecting, async { Ok(connection.test_connected().await) }).await;
                self.leave(connection).await;
                let kind = match (noop, self.settings.security, self.settings.user.is_empty()) {
                    (Ok(true), Security::Plain, true) => Kind::SmtpPlain,
                    (Ok(true), Security::Plain, false) => Kind::SmtpPlainPassword,
                    (Ok(true), _, true) => Kind::SmtpOpen,
                    (Ok(true), _, false) => Kind::SmtpGood,
                    _ => Kind::SmtpMute,
                };
                (kind, String::new())
            }
            Err(fault) if fault.refusal() == Some(Refusal::Rights) => (Kind::SmtpRights, fault.to_string()),
            Err(fault) => (Kind::SmtpBroken, fault.to_string()),
        };
        let name = format!("smtp, {}:{}", self.settings.host, self.settings.port);
        vec![Finding::new(Subject::MailGateway, name, kind, &[&said])]
    }
}
