//! Who carries texts, letters and webhooks, and by which rules.
use super::NotWired;
use crate::config;
use crate::config::{Config, Fault, Faults, MailGatewayKind, SmsGatewayKind, SmtpSecurity, secrets};
use chrono::TimeDelta;
use kimlik_adapters::mail::{Security, Smtp, SmtpSettings};
use kimlik_adapters::outbox::OutboxGateway;
use kimlik_adapters::sms::{Kannel, KannelSettings, Netgsm, NetgsmSettings};
use kimlik_adapters::store::SqlStore;
use kimlik_adapters::system::OsEntropy;
use kimlik_adapters::webhook::WebhookClient;
use kimlik_domain::message::Channel;
use kimlik_domain::message::courier::CourierRules;
use kimlik_domain::message::digest::{Digest, DigestRules};
use kimlik_domain::message::reminder::{Reminder, ReminderRules};
use kimlik_domain::message::round::DailyRound;
use kimlik_domain::ports::{Clock, Gateway, Inspect, Passwords};
use kimlik_domain::webhook::dispatch::Dispatcher;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

pub(super) struct Gateways {
    pub(super) gateways: Vec<Arc<dyn Gateway>>,
    pub(super) inspectors: Vec<Arc<dyn Inspect>>,
    pub(super) report_token: Option<Zeroizing<String>>,
}

pub(super) fn gateways(config: &Config) -> Result<Gateways, NotWired> {
    let one = |fault: Fault| Faults(vec![fault]);
    let mut made = Gateways { gateways: Vec::new(), inspectors: Vec::new(), report_token: None };
    let mut add = |gateway: Arc<dyn Gateway>, inspector: Arc<dyn Inspect>| {
        made.gateways.push(gateway);
        made.inspectors.push(inspector);
    };
    let mut report_token = None;
    let timeout = Duration::from_secs(config.sms.timeout_seconds.into());
    for kind in &config.sms.gateways {
        match kind {
            SmsGatewayKind::Outbox => {
                let outbox = Arc::new(OutboxGateway { channel: Channel::Sms, keeps_texts: config.directory.is_embedded() });
                add(outbox.clone(), outbox);
            }
            SmsGatewayKind::Netgsm => {
                let netgsm = &config.sms.netgsm;
                let password =
                    secrets::read(&netgsm.password_file, "sms.netgsm.password_file", "write the password into it").map_err(one)?;
                let (url, user, header) = (netgsm.url.clone(), netgsm.user.clone(), netgsm.header.clone());
                let ca_pem = certificate("sms.netgsm.ca_file", &netgsm.ca_file)?;
                let made = Netgsm::new(NetgsmSettings { url, user, password, header, ca_pem, timeout });
                let gateway = Arc::new(made.map_err(|e| one(Fault::new("sms.netgsm", e.to_string(), "mend the address or the file")))?);
                add(gateway.clone(), gateway);
            }
            SmsGatewayKind::Kannel => {
                let (gateway, token) = kannel(config, timeout)?;
                report_token = token;
                let gateway = Arc::new(gateway);
                add(gateway.clone(), gateway);
            }
        }
    }
    made.report_token = report_token;
    let dearest = |purpose, text: &str| made.gateways.iter().map(|gateway| gateway.parts(purpose, text)).max().unwrap_or(0);
    let long = config::sms::too_long(config, dearest);
    if long.is_empty() { Ok(made) } else { Err(NotWired::Settings(Faults(long))) }
}

fn kannel(config: &Config, timeout: Duration) -> Result<(Kannel, Option<Zeroizing<String>>), NotWired> {
    let one = |fault: Fault| Faults(vec![fault]);
    let kannel = &config.sms.kannel;
    let password = secrets::read(&kannel.password_file, "sms.kannel.password_file", "write the password into it").map_err(one)?;
    let token = (!kannel.report_token_file.as_os_str().is_empty())
        .then(|| secrets::read(&kannel.report_token_file, "sms.kannel.report_token_file", "openssl rand -hex 32 > that file"))
        .transpose()
        .map_err(one)?;
    let base = if kannel.report_url.is_empty() { &config.server.public_url } else { &kannel.report_url };
    let report_url = token.as_ref().map(|t| Zeroizing::new(format!("{}/sms/reports/kannel?token={}", base.trim_end_matches('/'), **t)));
    let settings = KannelSettings {
        url: kannel.url.clone(),
        user: kannel.user.clone(),
        password,
        sender: kannel.sender.clone(),
        report_url: report_url.unwrap_or_default(),
        ca_pem: certificate("sms.kannel.ca_file", &kannel.ca_file)?,
        timeout,
    };
    let gateway = Kannel::new(settings).map_err(|e| one(Fault::new("sms.kannel", e.to_string(), "mend the address or the file")))?;
    Ok((gateway, token))
}

type MailParts = (Arc<dyn Gateway>, Arc<dyn Inspect>);

/// `None`: no e-mail is sent.
pub(super) fn mail_gateway(config: &Config) -> Result<Option<MailParts>, NotWired> {
    let (mail, smtp) = (&config.mail, &config.mail.smtp);
    match config.mail_gateway() {
        MailGatewayKind::None => Ok(None),
        MailGatewayKind::Outbox => {
            let outbox = Arc::new(OutboxGateway { channel: Channel::Mail, keeps_texts: config.directory.is_embedded() });
            Ok(Some((outbox.clone(), outbox)))
        }
        MailGatewayKind::Smtp => {
            let one = |fault: Fault| Faults(vec![fault]);
            let password = (!smtp.user.is_empty())
                .then(|| secrets::read(&smtp.password_file, "mail.smtp.password_file", "write the password into it"))
                .transpose()
                .map_err(one)?;
            let made = Smtp::new(SmtpSettings {
                host: smtp.host.clone(),
                port: smtp.port(),
                security: match smtp.security {
                    SmtpSecurity::Tls => Security::Tls,
                    SmtpSecurity::StartTls => Security::StartTls,
                    SmtpSecurity::None => Security::Plain,
                },
                user: smtp.user.clone(),
                password,
                from: mail.from.clone(),
                from_name: mail.from_name.clone(),
                ca_pem: certificate("mail.smtp.ca_file", &smtp.ca_file)?,
                timeout: Duration::from_secs(smtp.timeout_seconds.into()),
            });
            let gateway = made.map_err(|e| one(Fault::new("mail.smtp", e.to_string(), "mend the setting or the file")))?;
            let gateway = Arc::new(gateway);
            Ok(Some((gateway.clone(), gateway)))
        }
    }
}

pub(super) fn certificate(setting: &str, path: &std::path::Path) -> Result<Option<Vec<u8>>, Faults> {
    let unreadable = |e: std::io::Error| {
        Faults(vec![Fault::new(setting, format!("{}: {}", path.display(), config::check::plain(&e)), "name a file that can be read")])
    };
    (!path.as_os_str().is_empty()).then(|| std::fs::read(path)).transpose().map_err(unreadable)
}

pub(super) fn dispatcher(config: &Config, store: &Arc<SqlStore>, clock: &Arc<dyn Clock>) -> Result<Dispatcher, NotWired> {
    let ca_pem = certificate("webhooks.ca_file", &config.webhooks.ca_file)?;
    let timeout = Duration::from_secs(config.webhooks.timeout_seconds.into());
    let sender = WebhookClient::new(config.webhook_addresses(), ca_pem.as_deref(), timeout);
    let sender = sender.map_err(|e| Faults(vec![Fault::new("webhooks", e.to_string(), "mend the certificate's file")]))?;
    Ok(Dispatcher {
        webhooks: store.clone(),
        sender: Arc::new(sender),
        clock: clock.clone(),
        entropy: Arc::new(OsEntropy),
        source: config.server.public_url.trim_end_matches('/').to_owned(),
        lease: chrono::TimeDelta::seconds(i64::from(config.webhooks.timeout_seconds) + 15),
    })
}

pub(super) fn courier_rules(config: &Config) -> CourierRules {
    let [from, to] = config.sms.sending_hours;
    CourierRules { hours: (from, to), daily_limit: config.sms.daily_limit, ..CourierRules::default() }
}

/// Letters wake nobody: they go at any hour.
pub(super) fn postman_rules(config: &Config) -> CourierRules {
    let lease = TimeDelta::seconds(i64::from(config.mail.smtp.timeout_seconds) * 4 + 60);
    CourierRules { hours: (0, 24), daily_limit: config.mail.daily_limit, lease, ..CourierRules::default() }
}

/// From the hour on at which messages may be sent that nobody waits for.
fn daily(config: &Config, store: &Arc<SqlStore>, clock: &Arc<dyn Clock>, name: &'static str) -> DailyRound {
    DailyRound::new(store.clone(), clock.clone(), Arc::new(OsEntropy), name, config.sms.sending_hours[0])
}

pub(super) fn reminder(config: &Config, store: &Arc<SqlStore>, passwords: Arc<dyn Passwords>, clock: &Arc<dyn Clock>) -> Reminder {
    let told = &config.reminders;
    Reminder {
        round: daily(config, store, clock, "password_expiring"),
        passwords,
        store: store.clone(),
        outbox: store.clone(),
        texts: config::policy::texts_of(config),
        clock: clock.clone(),
        entropy: Arc::new(OsEntropy),
        rules: ReminderRules { days: told.password_days.clone(), by_mail: told.mail && config.carries_mail(), by_sms: told.sms },
    }
}

pub(super) fn digest(config: &Config, store: &Arc<SqlStore>, clock: &Arc<dyn Clock>) -> Digest {
    Digest {
        round: daily(config, store, clock, "issue_digest"),
        store: store.clone(),
        texts: config::policy::texts_of(config),
        clock: clock.clone(),
        entropy: Arc::new(OsEntropy),
        rules: DigestRules { by_mail: config.digest.mail, by_sms: config.digest.sms },
        terms: config.issues.terms(),
    }
}

/// What a delivery report of Kannel says.
pub fn kannel_verdict(status: u32, answer: &str) -> Option<kimlik_domain::ports::Verdict> {
    kimlik_adapters::sms::kannel_verdict(status, answer)
}
