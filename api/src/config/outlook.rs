//! `[card]` and `[exchange]`: what the address book shows, and who makes mailboxes.
use super::Fault;
use kimlik_domain::account::Mapping;
use kimlik_domain::mailbox::Mailboxes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Card {
    /// LDAP name of an attribute -> rule, in place of the built-in one; an empty rule leaves the attribute to others.
    pub mapping: BTreeMap<String, String>,
}

impl Card {
    pub fn mapping(&self) -> Result<Mapping, Vec<Fault>> {
        let mut mapping = Mapping::default();
        let mut faults = Vec::new();
        for (name, rule) in &self.mapping {
            if let Err(fault) = mapping.set(name, rule) {
                let mend = "write a text with sources in braces, such as \"{unit}\"; docs/operators/exchange.md lists them";
                faults.push(Fault::new(format!("card.mapping.{name}"), fault.to_string(), mend));
            }
        }
        if faults.is_empty() { Ok(mapping) } else { Err(faults) }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailboxMode {
    /// Kimlik keeps names and addresses; mailboxes are made elsewhere.
    #[default]
    None,
    /// In the cloud, through the directory's synchronisation.
    Remote,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Exchange {
    pub mailboxes: MailboxMode,
    /// Behind the `@` of routing addresses: csb.mail.onmicrosoft.com.
    pub routing_domain: Option<String>,
}

impl Exchange {
    pub fn mailboxes(&self) -> Mailboxes {
        match (self.mailboxes, &self.routing_domain) {
            (MailboxMode::Remote, Some(domain)) => Mailboxes::Remote { routing_domain: domain.as_str().into() },
            _ => Mailboxes::None,
        }
    }

    pub fn check(&self, faults: &mut Vec<Fault>) {
        let domain = self.routing_domain.as_deref();
        let fits = |d: &str| d.contains('.') && d.len() <= 190 && d.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
        if self.mailboxes == MailboxMode::Remote && !domain.is_some_and(fits) {
            let mend = "write the tenant's routing domain: csb.mail.onmicrosoft.com";
            faults.push(Fault::new("exchange.routing_domain", domain.unwrap_or("nothing"), mend));
        }
    }
}
