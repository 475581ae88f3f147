//! Who makes mailboxes.
use crate::config::{Config, MailboxMode};
use chrono::TimeDelta;
use kimlik_adapters::mailbox::{CommandHost, CommandSettings};
use kimlik_domain::mailbox::keeper::KeeperRules;
use std::time::Duration;

pub(super) fn mailbox_host(config: &Config) -> Option<CommandHost> {
    let command = &config.exchange.command;
    let settings = || CommandSettings {
        program: command.program.clone(),
        arguments: command.arguments.clone(),
        timeout: Duration::from_secs(command.timeout_seconds.into()),
    };
    (config.exchange.mailboxes == MailboxMode::Command).then(|| CommandHost::new(settings()))
}

pub(super) fn keeper_rules(config: &Config) -> KeeperRules {
    let command = &config.exchange.command;
    KeeperRules {
        // Why longer: the program is ended first, and what it said is written down.
        lease: TimeDelta::seconds(i64::from(command.timeout_seconds) + 30),
        patience: TimeDelta::hours(command.patience_hours.into()),
        at_once: command.at_once as usize,
    }
}
