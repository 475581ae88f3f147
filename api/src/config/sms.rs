//! [sms]: who carries texts to people, when, how many, and what they say.
use super::check::{file_if_named, required_file};
use super::{Config, Fault};
use kimlik_domain::message::{Language, Purpose, template};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmsGatewayKind {
    /// Texts stay in the database.
    #[default]
    Outbox,
    Netgsm,
    Kannel,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sms {
    /// In order: the next is asked where the one before is away or may not.
    pub gateways: Vec<SmsGatewayKind>,
    /// From this hour to that one, in Türkiye, messages are sent that nobody waits for. Codes and warnings at any hour.
    pub sending_hours: [u32; 2],
    /// Messages within a rolling day: an alarm at four fifths, and no more reminders; at the limit nothing more is sent.
    pub daily_limit: u32,
    /// A text that may be billed as more parts than these is a fault.
    pub max_parts: u32,
    pub timeout_seconds: u32,
    pub netgsm: Netgsm,
    pub kannel: Kannel,
    /// Of texts for which nobody has chosen one.
    pub language: Language,
    /// Language -> purpose -> text, instead of the one built in.
    pub templates: BTreeMap<Language, BTreeMap<String, String>>,
}

impl Default for Sms {
    fn default() -> Sms {
        Sms {
            gateways: vec![SmsGatewayKind::Outbox],
            sending_hours: [8, 21],
            daily_limit: 20_000,
            max_parts: 2,
            timeout_seconds: 15,
            netgsm: Netgsm::default(),
            kannel: Kannel::default(),
            language: Language::Tr,
            templates: BTreeMap::new(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Netgsm {
    pub url: String,
    pub user: String,
    pub password_file: PathBuf,
    /// The registered header that people see as the sender.
    pub header: String,
    pub ca_file: PathBuf,
}

impl Default for Netgsm {
    fn default() -> Netgsm {
        let (user, header, files) = (String::new(), String::new(), PathBuf::new());
        Netgsm { url: "https://api.netgsm.com.tr".into(), user, password_file: files.clone(), header, ca_file: files }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Kannel {
    /// Of smsbox.
    pub url: String,
    pub user: String,
    pub password_file: PathBuf,
    pub sender: String,
    /// Where Kannel reaches Kimlik; server.public_url where nothing is said.
    pub report_url: String,
    /// Holds the token that delivery reports show; nothing: no delivery reports.
    pub report_token_file: PathBuf,
    pub ca_file: PathBuf,
}

impl Default for Kannel {
    fn default() -> Kannel {
        let (text, files) = (String::new(), PathBuf::new());
        Kannel {
            url: "http://127.0.0.1:13013".into(),
            user: text.clone(),
            password_file: files.clone(),
            sender: text.clone(),
            report_url: text,
            report_token_file: files.clone(),
            ca_file: files,
        }
    }
}

impl Sms {
    /// The operator's texts whose purpose is known.
    pub fn texts(&self) -> impl Iterator<Item = (Purpose, Language, &str)> {
        self.templates
            .iter()
            .flat_map(|(language, texts)| texts.iter().filter_map(|(name, text)| Some((purpose(name)?, *language, text.as_str()))))
    }
}

/// Texts, at their longest, that one of the gateways bills as more parts than are allowed.
pub fn too_long(config: &Config, parts: impl Fn(Purpose, &str) -> u32) -> Vec<Fault> {
    let most = config.sms.max_parts;
    let fault = |(purpose, language, text): (Purpose, Language, zeroize::Zeroizing<String>)| {
        let parts = parts(purpose, &text);
        let language = word(language);
        let found = template::TemplateFault::TooLong { parts, most }.to_string();
        let mend = "shorten it, write it without the letters that cost more (ç ğ ı ş), or raise sms.max_parts";
        (parts > most).then(|| Fault::new(format!("sms.templates.{language}.{}", purpose.name()), found, mend))
    };
    super::policy::texts_of(config).longest().filter_map(fault).collect()
}

pub(super) fn purpose(name: &str) -> Option<Purpose> {
    Purpose::ALL.iter().copied().find(|p| p.name() == name)
}

pub(super) fn word(language: Language) -> &'static str {
    match language {
        Language::Tr => "tr",
        Language::En => "en",
    }
}

pub(super) fn check(config: &Config, faults: &mut Vec<Fault>) {
    let sms = &config.sms;
    if sms.gateways.is_empty() {
        faults.push(Fault::new("sms.gateways", "nothing", "write at least one, such as [\"outbox\"]"));
    }
    gateways(sms, faults);
    let [from, to] = sms.sending_hours;
    if from >= to || to > 24 {
        faults.push(Fault::new("sms.sending_hours", format!("{from} to {to}"), "write two hours of one day, such as [8, 21]"));
    }
    if sms.daily_limit == 0 {
        faults.push(Fault::new("sms.daily_limit", "0", "write at least 1"));
    }
    if !(1..=10).contains(&sms.max_parts) {
        faults.push(Fault::new("sms.max_parts", sms.max_parts.to_string(), "write a number from 1 to 10"));
    }
    if !(1..=60).contains(&sms.timeout_seconds) {
        faults.push(Fault::new("sms.timeout_seconds", sms.timeout_seconds.to_string(), "write a number from 1 to 60"));
    }
    for (language, texts) in &sms.templates {
        let language = word(*language);
        for (name, text) in texts {
            let setting = format!("sms.templates.{language}.{name}");
            let Some(purpose) = purpose(name) else {
                let names: Vec<&str> = Purpose::ALL.iter().map(|p| p.name()).collect();
                faults.push(Fault::new(setting, "a purpose that is not known", format!("write one of: {}", names.join(", "))));
                continue;
            };
            if let Err(fault) = template::check(purpose, text) {
                let slots: Vec<String> = template::slots(purpose).iter().map(|s| format!("{{{}}}", s.name())).collect();
                faults.push(Fault::new(setting, fault.to_string(), format!("what may be filled in here: {}", slots.join(" "))));
            }
        }
    }
}

fn gateways(sms: &Sms, faults: &mut Vec<Fault>) {
    let mut need = |setting: &str, value: &str, mend: &str| {
        if value.trim().is_empty() {
            faults.push(Fault::new(setting, "nothing", mend));
        }
    };
    let uses = |kind| sms.gateways.contains(&kind);
    if uses(SmsGatewayKind::Netgsm) {
        need("sms.netgsm.user", &sms.netgsm.user, "write the user of the API");
        need("sms.netgsm.header", &sms.netgsm.header, "write the registered header");
    }
    if uses(SmsGatewayKind::Kannel) {
        need("sms.kannel.user", &sms.kannel.user, "write the sendsms-user");
        need("sms.kannel.sender", &sms.kannel.sender, "write what people see as the sender");
    }
    if uses(SmsGatewayKind::Netgsm) {
        required_file("sms.netgsm.password_file", &sms.netgsm.password_file, "write the file that holds its password", faults);
        file_if_named("sms.netgsm.ca_file", &sms.netgsm.ca_file, faults);
    }
    if uses(SmsGatewayKind::Kannel) {
        required_file("sms.kannel.password_file", &sms.kannel.password_file, "write the file that holds its password", faults);
        file_if_named("sms.kannel.report_token_file", &sms.kannel.report_token_file, faults);
        file_if_named("sms.kannel.ca_file", &sms.kannel.ca_file, faults);
    }
}
