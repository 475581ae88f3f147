//! `[card]` and `[exchange]`: what the address book shows, and who makes mailboxes.
use super::Fault;
use chrono::TimeDelta;
use kimlik_domain::account::Mapping;
use kimlik_domain::card::address_book::BookRules;
use kimlik_domain::mailbox::Mailboxes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Card {
    /// LDAP name of an attribute -> rule, in place of the built-in one; an empty rule leaves the attribute to others.
    pub mapping: BTreeMap<String, String>,
    /// Custom attributes that the ministry's address lists filter by: their rules take values from the unit table only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub address_lists: Vec<String>,
    /// Folder of HR's photos: files by the names that HR's records give them. Left out: photos are somebody else's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub photos: Option<PathBuf>,
}

impl Card {
    pub fn check(&self, faults: &mut Vec<Fault>) {
        faults.extend(self.mapping().err().unwrap_or_default());
        if let Some(folder) = self.photos.as_ref().filter(|folder| std::fs::read_dir(folder).is_err()) {
            let found = format!("{}, which is no folder that can be read", folder.display());
            faults.push(Fault::new("card.photos", found, "write the folder that HR puts its photos into"));
        }
    }

    pub fn mapping(&self) -> Result<Mapping, Vec<Fault>> {
        let mut mapping = Mapping::default();
        let mut faults = Vec::new();
        for name in &self.address_lists {
            if let Err(fault) = mapping.list(name) {
                faults.push(Fault::new("card.address_lists", fault.to_string(), "write extensionAttribute1 to extensionAttribute15"));
            }
        }
        for (name, rule) in &self.mapping {
            if let Err(fault) = mapping.set(name, rule) {
                let mend = "write a text with sources in braces, such as \"{unit}\"; docs/operators/exchange.md lists them";
                faults.push(Fault::new(format!("card.mapping.{name}"), fault.to_string(), mend));
            }
        }
        for fault in mapping.unruled().filter(|_| faults.is_empty()).collect::<Vec<_>>() {
            let mend = "give it a rule in card.mapping, such as \"{unit_code}\", or take it out of card.address_lists";
            faults.push(Fault::new("card.address_lists", fault.to_string(), mend));
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
    /// By a program of the ministry's.
    Command,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Exchange {
    pub mailboxes: MailboxMode,
    /// Behind the `@` of routing addresses: csb.mail.onmicrosoft.com.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routing_domain: Option<String>,
    /// How long a leaver's mailbox goes on taking mail.
    pub mailbox_retention_days: u32,
    pub command: MailboxCommand,
    pub address_book: AddressBook,
}

/// How late the offline address book is. Where clients always ask a server, 0 and 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AddressBook {
    /// Between two generations of it.
    pub generation_hours: u32,
    /// Until a client fetches the new one.
    pub download_hours: u32,
}

impl Default for AddressBook {
    fn default() -> AddressBook {
        AddressBook { generation_hours: 8, download_hours: 24 }
    }
}

impl AddressBook {
    /// `replication`: seconds until every controller has heard of a change.
    pub fn rules(&self, replication: u32) -> BookRules {
        let hours = |n: u32| TimeDelta::hours(n.into());
        let replication = TimeDelta::seconds(replication.into());
        BookRules { replication, generation: hours(self.generation_hours), download: hours(self.download_hours) }
    }

    fn check(&self, faults: &mut Vec<Fault>) {
        for (key, hours) in [("generation_hours", self.generation_hours), ("download_hours", self.download_hours)] {
            if hours > 8_760 {
                let setting = format!("exchange.address_book.{key}");
                faults.push(Fault::new(setting, hours.to_string(), "write a number of hours from 0 to 8760"));
            }
        }
    }
}

impl Default for Exchange {
    fn default() -> Exchange {
        Exchange {
            mailboxes: MailboxMode::None,
            routing_domain: None,
            mailbox_retention_days: 90,
            command: MailboxCommand::default(),
            address_book: AddressBook::default(),
        }
    }
}

/// The program that is asked for mailboxes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailboxCommand {
    /// With its whole path; no shell looks for it.
    pub program: PathBuf,
    /// The same for every request; what a request is about goes by its standard input.
    pub arguments: Vec<String>,
    /// One answer; afterwards the program is ended.
    pub timeout_seconds: u32,
    /// Started at once.
    pub at_once: u32,
    /// So long something may be waited for before it is a data issue.
    pub patience_hours: u32,
}

impl Default for MailboxCommand {
    fn default() -> MailboxCommand {
        MailboxCommand { program: PathBuf::new(), arguments: Vec::new(), timeout_seconds: 120, at_once: 2, patience_hours: 24 }
    }
}

impl Exchange {
    pub fn mailboxes(&self) -> Mailboxes {
        match (self.mailboxes, &self.routing_domain) {
            (MailboxMode::Remote, Some(domain)) => Mailboxes::Remote { routing_domain: domain.as_str().into() },
            (MailboxMode::Command, _) => Mailboxes::Command,
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
        if !(1..=36_500).contains(&self.mailbox_retention_days) {
            // Why not 0: an account that is closed by mistake must find its mail when it is opened again.
            let found = self.mailbox_retention_days.to_string();
            faults.push(Fault::new("exchange.mailbox_retention_days", found, "write a number of days from 1 to 36500"));
        }
        self.address_book.check(faults);
        if self.mailboxes == MailboxMode::Command {
            self.command.check(faults);
        }
    }
}

impl MailboxCommand {
    fn check(&self, faults: &mut Vec<Fault>) {
        let name = |key: &str| format!("exchange.command.{key}");
        if !self.program.is_absolute() {
            let found = if self.program.as_os_str().is_empty() { "nothing".to_owned() } else { self.program.display().to_string() };
            faults.push(Fault::new(name("program"), found, "write the program with its whole path"));
        } else if !self.program.is_file() {
            faults.push(Fault::new(
                name("program"),
                format!("{}: there is no such file", self.program.display()),
                "name a program that is there",
            ));
        }
        let ranges = [
            ("timeout_seconds", self.timeout_seconds, 1, 3_600),
            ("at_once", self.at_once, 1, 64),
            ("patience_hours", self.patience_hours, 1, 8_760),
        ];
        for (key, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                faults.push(Fault::new(name(key), value.to_string(), format!("write a number from {least} to {most}")));
            }
        }
    }
}
