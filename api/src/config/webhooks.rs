//! [webhooks]: where receivers may stand, and how long they may take.
use super::check::file_if_named;
use super::{Config, Fault};
use kimlik_domain::webhook::address::AddressRules;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Webhooks {
    /// Hosts, and with a dot before them whole domains, that may stand on private addresses.
    pub private_hosts: Vec<String>,
    /// Trusted beside the system's authorities.
    pub ca_file: PathBuf,
    pub timeout_seconds: u32,
}

impl Default for Webhooks {
    fn default() -> Webhooks {
        Webhooks { private_hosts: Vec::new(), ca_file: PathBuf::new(), timeout_seconds: 10 }
    }
}

impl Config {
    /// This machine itself may be told only where nothing real is told.
    pub fn webhook_addresses(&self) -> AddressRules {
        AddressRules { private_hosts: self.webhooks.private_hosts.clone(), loopback: self.directory.is_embedded() }
    }
}

pub fn check(config: &Config, faults: &mut Vec<Fault>) {
    let webhooks = &config.webhooks;
    file_if_named("webhooks.ca_file", &webhooks.ca_file, faults);
    if !(1..=60).contains(&webhooks.timeout_seconds) {
        faults.push(Fault::new("webhooks.timeout_seconds", webhooks.timeout_seconds.to_string(), "write a number from 1 to 60"));
    }
    for host in &webhooks.private_hosts {
        let name = host.strip_prefix('.').unwrap_or(host);
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':')) {
            let mend = "write the name of a host, or of a domain with a dot before it, such as \".ic.csb.test\"";
            faults.push(Fault::new("webhooks.private_hosts", format!("{host:?}"), mend));
        }
    }
}
