//! [sms]: who carries texts to people, when, how many, and what they say.
use super::{Config, Fault};
use kimlik_domain::message::{Language, Purpose, template};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmsGatewayKind {
    /// Texts stay in the database.
    #[default]
    Outbox,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sms {
    /// In order: the next is asked where the one before is away or may not.
    pub gateways: Vec<SmsGatewayKind>,
    /// Of texts for which nobody has chosen one.
    pub language: Language,
    /// Language -> purpose -> text, instead of the one built in.
    pub templates: BTreeMap<Language, BTreeMap<String, String>>,
}

impl Default for Sms {
    fn default() -> Sms {
        Sms { gateways: vec![SmsGatewayKind::Outbox], language: Language::Tr, templates: BTreeMap::new() }
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

fn purpose(name: &str) -> Option<Purpose> {
    Purpose::ALL.iter().copied().find(|p| p.name() == name)
}

pub(super) fn check(config: &Config, faults: &mut Vec<Fault>) {
    let sms = &config.sms;
    if sms.gateways.is_empty() {
        faults.push(Fault::new("sms.gateways", "nothing", "write at least one, such as [\"outbox\"]"));
    }
    for (language, texts) in &sms.templates {
        let language = if *language == Language::Tr { "tr" } else { "en" };
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
