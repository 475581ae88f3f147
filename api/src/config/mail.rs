//! [mail]: whether e-mail is sent, by which server, and what it says.
use super::check::{file_if_named, required_file};
use super::sms::{purpose, word};
use super::{Config, Fault};
use kimlik_domain::message::{self, Language, MailAddress, Purpose, Templates, template};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailGatewayKind {
    /// No e-mail is written.
    None,
    /// Letters stay in the database.
    Outbox,
    Smtp,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmtpSecurity {
    /// TLS from the first octet.
    #[default]
    Tls,
    StartTls,
    /// On loopback only.
    None,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mail {
    /// Where nothing is said: outbox with the embedded directory, none with a real one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<MailGatewayKind>,
    /// The sender's address.
    pub from: String,
    /// What people see as the sender.
    pub from_name: String,
    /// Within a rolling day: an alarm at four fifths, at the limit nothing more is sent.
    pub daily_limit: u32,
    pub smtp: Smtp,
    /// Language -> purpose -> letter, instead of the one built in.
    pub templates: BTreeMap<Language, BTreeMap<String, LetterTemplate>>,
}

impl Default for Mail {
    fn default() -> Mail {
        let (from, templates) = (String::new(), BTreeMap::new());
        Mail { gateway: None, from, from_name: "Kimlik".into(), daily_limit: 100_000, smtp: Smtp::default(), templates }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Smtp {
    pub host: String,
    /// Where nothing is said: 465 with tls, 587 with start_tls, 25 with none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    pub security: SmtpSecurity,
    /// Empty: the server takes letters from this address without a password.
    pub user: String,
    pub password_file: PathBuf,
    pub ca_file: PathBuf,
    pub timeout_seconds: u32,
}

impl Default for Smtp {
    fn default() -> Smtp {
        let (text, file) = (String::new(), PathBuf::new());
        Smtp {
            host: text.clone(),
            port: None,
            security: SmtpSecurity::Tls,
            user: text,
            password_file: file.clone(),
            ca_file: file,
            timeout_seconds: 30,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LetterTemplate {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Smtp {
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.security {
            SmtpSecurity::Tls => 465,
            SmtpSecurity::StartTls => 587,
            SmtpSecurity::None => 25,
        })
    }
    fn is_on_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

impl Config {
    pub fn mail_gateway(&self) -> MailGatewayKind {
        let usual = if self.directory.is_embedded() { MailGatewayKind::Outbox } else { MailGatewayKind::None };
        self.mail.gateway.unwrap_or(usual)
    }
}

/// Lays the operator's letters over those built in (faults were named by the check).
pub(super) fn write_letters(config: &Config, texts: &mut Templates) {
    texts.carries_mail = config.carries_mail();
    for (language, letters) in &config.mail.templates {
        for (purpose, letter) in letters.iter().filter_map(|(name, letter)| Some((purpose(name)?, letter))) {
            texts.set_letter(purpose, *language, letter.subject.as_deref(), letter.text.as_deref()).ok();
        }
    }
}

pub(super) fn check(config: &Config, faults: &mut Vec<Fault>) {
    let mail = &config.mail;
    if config.mail_gateway() == MailGatewayKind::Smtp {
        smtp(mail, faults);
    }
    if mail.daily_limit == 0 {
        faults.push(Fault::new("mail.daily_limit", "0", "write at least 1"));
    }
    if !(1..=300).contains(&mail.smtp.timeout_seconds) {
        faults.push(Fault::new("mail.smtp.timeout_seconds", mail.smtp.timeout_seconds.to_string(), "write a number from 1 to 300"));
    }
    for (language, letters) in &mail.templates {
        for (name, letter) in letters {
            letter_is_right(&format!("mail.templates.{}.{name}", word(*language)), name, letter, faults);
        }
    }
}

fn smtp(mail: &Mail, faults: &mut Vec<Fault>) {
    let smtp = &mail.smtp;
    if MailAddress::parse(&mail.from).is_err() {
        let found = if mail.from.is_empty() { "nothing" } else { "no mail address" };
        faults.push(Fault::new("mail.from", found, "write the address that letters come from, such as kimlik@csb.gov.tr"));
    }
    if mail.from_name.chars().any(char::is_control) || mail.from_name.chars().count() > 60 {
        faults.push(Fault::new("mail.from_name", "a control character, or more than 60 characters", "write a name on one line"));
    }
    if smtp.host.trim().is_empty() {
        faults.push(Fault::new("mail.smtp.host", "nothing", "write the name of the mail server, as it stands in its certificate"));
    }
    if smtp.security == SmtpSecurity::None && !smtp.is_on_loopback() {
        let mend = "write \"tls\" or \"start_tls\": names and notices would cross the network unencrypted";
        faults.push(Fault::new("mail.smtp.security", "none, to a server that is not on loopback", mend));
    }
    if !smtp.user.is_empty() {
        required_file("mail.smtp.password_file", &smtp.password_file, "write the file that holds its password", faults);
    } else if !smtp.password_file.as_os_str().is_empty() {
        faults.push(Fault::new("mail.smtp.user", "nothing, and a password_file", "write whose password it is"));
    }
    file_if_named("mail.smtp.ca_file", &smtp.ca_file, faults);
}

fn letter_is_right(setting: &str, name: &str, letter: &LetterTemplate, faults: &mut Vec<Fault>) {
    let known: Vec<Purpose> = Purpose::ALL.iter().copied().filter(|p| !p.carries_code()).collect();
    let Some(purpose) = purpose(name).filter(|p| known.contains(p)) else {
        let names: Vec<&str> = known.iter().map(|p| p.name()).collect();
        faults.push(Fault::new(setting, "a purpose that does not go by e-mail", format!("write one of: {}", names.join(", "))));
        return;
    };
    let slots: Vec<String> = template::slots(purpose).iter().map(|s| format!("{{{}}}", s.name())).collect();
    let parts = [
        ("subject", letter.subject.as_deref().map(|subject| message::check_subject(purpose, subject))),
        ("text", letter.text.as_deref().map(|text| message::check_text(purpose, text))),
    ];
    for (part, checked) in parts {
        if let Some(Err(fault)) = checked {
            let mend = format!("what may be filled in here: {}", slots.join(" "));
            faults.push(Fault::new(format!("{setting}.{part}"), fault.to_string(), mend));
        }
    }
}
