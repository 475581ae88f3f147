//! [reminders] and [digest]: what people and personnel units are told without having asked.
use super::{Config, Fault, MailGatewayKind};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reminders {
    /// So many days before a password runs out; none: nobody is reminded.
    pub password_days: Vec<u32>,
    pub mail: bool,
    pub sms: bool,
}

impl Default for Reminders {
    fn default() -> Reminders {
        Reminders { password_days: vec![14, 3, 1], mail: true, sms: false }
    }
}

/// To head and staff of each personnel unit, once a day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Digest {
    pub mail: bool,
    pub sms: bool,
}

impl Config {
    pub fn carries_mail(&self) -> bool {
        self.mail_gateway() != MailGatewayKind::None
    }
}

pub(super) fn check(config: &Config, faults: &mut Vec<Fault>) {
    let days = &config.reminders.password_days;
    if days.len() > 10 || days.iter().any(|d| !(1..=365).contains(d)) {
        let mend = "write at most ten numbers from 1 to 365, such as [14, 3, 1]";
        faults.push(Fault::new("reminders.password_days", format!("{days:?}"), mend));
    }
    if config.digest.mail && !config.carries_mail() {
        faults.push(Fault::new("digest.mail", "true, and no e-mail is sent", "set mail.gateway, or use digest.sms"));
    }
}
