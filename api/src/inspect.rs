//! What `kimlik doctor` says beside the neighbours' own words: why one could not be made, the feed, roles, the OUs of the placement rules.
use crate::config::{self, Config, Fault, HrSource};
use crate::wiring::NotWired;
use chrono::{DateTime, TimeDelta, Utc};
use kimlik_domain::access::Role;
use kimlik_domain::account::{Dn, placement};
use kimlik_domain::message::Channel;
use kimlik_domain::ports::{Directory, Finding, Grants, Health, HrFeed, MailboxesState, OutboxState, PortError, SignIn, Store};
use kimlik_domain::webhook::Webhook;
use std::collections::BTreeSet;

/// More missing OUs than that are counted, not named.
const NAMED: usize = 10;

pub fn not_wired(neighbour: &str, fault: NotWired) -> Vec<Finding> {
    let broken = |about: String, found: String, mend: String| Finding { health: Health::Broken, about, found, mend };
    match fault {
        NotWired::Settings(faults) => {
            let of = |Fault { setting, found, mend, .. }| broken(format!("setting {setting}"), found, mend);
            faults.0.into_iter().map(of).collect()
        }
        NotWired::Neighbour { what, fault, mend } => vec![broken(what.into(), fault.to_string(), mend.into())],
        NotWired::NotMigrated(missing) => {
            let found = format!("tables of {} versions are missing: {}", missing.len(), missing.join(", "));
            vec![broken(neighbour.into(), found, "kimlik migrate".into())]
        }
    }
}

/// Does somebody have the role that everything hangs on, and are the groups there that give roles?
pub async fn roles(config: &Config, directory: &dyn SignIn, grants: Option<(&dyn Grants, DateTime<Utc>)>) -> Vec<Finding> {
    let about = "roles".to_owned();
    let groups = config.role_groups();
    let missing = match directory.missing_groups(&groups.groups()).await {
        Ok(missing) => missing,
        // Why nothing: that the directory is away is said by itself.
        Err(_) => return Vec::new(),
    };
    let mut findings: Vec<Finding> = missing
        .iter()
        .map(|group| {
            let mend = "make the group, or name another one in [roles]".to_owned();
            Finding { health: Health::Doubtful, about: about.clone(), found: format!("there is no group {group}"), mend }
        })
        .collect();
    let by_group = groups.0.iter().any(|(group, role)| *role == Role::Administrator && !missing.contains(group));
    let by_grant = match grants {
        Some((grants, now)) => match grants.grants(None, 1_000).await {
            Ok(all) => all.iter().any(|g| g.role == Role::Administrator && g.is_in_force(now)),
            Err(_) => return findings,
        },
        None => return findings,
    };
    findings.push(if by_group || by_grant {
        let found = if by_group { "a group of the directory gives administrators" } else { "an administrator was granted for a time" };
        Finding { health: Health::Good, about, found: found.into(), mend: String::new() }
    } else {
        let found = "nobody is an administrator: there is no group and no grant".to_owned();
        let mend = "name a group in roles.administrator, or kimlik grant administrator --person NO".to_owned();
        Finding { health: Health::Doubtful, about, found, mend }
    });
    findings
}

/// Messages: what waits, how long already, and how near the daily limit is.
pub fn outbox(channel: Channel, limit: u32, state: &OutboxState, now: DateTime<Utc>) -> Finding {
    let (about, asks, raise) = match channel {
        Channel::Sms => ("messages", "see who asks for so many codes", "sms.daily_limit"),
        Channel::Mail => ("e-mails", "see what so many people are told", "mail.daily_limit"),
    };
    let found = format!(
        "{} wait, {} of at most {limit} were sent within a day, {} did not arrive",
        state.waiting, state.sent_today, state.failed_today
    );
    let late = state.oldest.is_some_and(|oldest| now - oldest > TimeDelta::hours(12));
    let (health, mend) = if state.sent_today >= limit {
        (Health::Broken, format!("{asks}; raise {raise} if it is right"))
    } else if state.sent_today >= limit / 5 * 4 {
        (Health::Doubtful, format!("{asks}, before the daily limit stops all; reminders are not sent any more"))
    } else if late {
        (Health::Doubtful, format!("look at the {about} that wait, and at the gateways"))
    } else {
        (Health::Good, String::new())
    };
    Finding { health, about: about.into(), found, mend }
}

/// Mailboxes that somebody is asked for.
pub fn mailboxes(state: &MailboxesState) -> Finding {
    let found = format!("{} wait for something, {} were not looked at yet", state.waiting, state.unseen);
    Finding { health: Health::Good, about: "mailboxes".into(), found, mend: String::new() }
}

/// Webhooks that take nothing: named by their host, because a path may hold a secret of the receiver's.
pub fn webhooks(all: &[Webhook]) -> Vec<Finding> {
    let failing = |webhook: &Webhook| {
        let since = webhook.failing_since?;
        let host = webhook.url.split('/').nth(2).unwrap_or_default();
        let fault = webhook.last_fault.as_deref().unwrap_or("it does not answer");
        let found = format!("it has taken nothing since {}, in {} attempts: {fault}", since.format("%Y-%m-%d %H:%M UTC"), webhook.failures);
        let mend = format!("see that {host} answers with 2xx; nothing is lost, Kimlik goes on trying. Made by {}", webhook.made_by);
        Some(Finding { health: Health::Doubtful, about: format!("webhook {host}"), found, mend })
    };
    all.iter().filter_map(failing).collect()
}

/// It is asked for its next delivery. Reading takes nothing away.
pub async fn feed(config: &Config, feed: &dyn HrFeed, store: Option<&dyn Store>) -> Finding {
    let setting = match config.hr.source {
        HrSource::Simulated => "hr.simulated",
        HrSource::Csv => "hr.csv.directory",
        HrSource::Rest => "hr.rest",
    };
    let about = format!("HR feed {}", feed.name());
    let position = match store {
        Some(store) => store.feed_position(feed.name()).await.ok().flatten(),
        None => None,
    };
    match feed.poll(position.as_deref()).await {
        Ok(Some(delivery)) => Finding {
            health: Health::Good,
            about,
            found: format!("it answers; {} waits to be taken in", delivery.name),
            mend: String::new(),
        },
        Ok(None) => Finding { health: Health::Good, about, found: "it answers; nothing new".into(), mend: String::new() },
        Err(fault) => {
            let mend = format!("see that it is there and that setting {setting} is right");
            Finding { health: Health::Broken, about, found: fault.to_string(), mend }
        }
    }
}

/// The OUs that the rules give to the units that are known: Kimlik makes none in a real directory.
pub async fn places(config: &Config, store: &dyn Store, directory: &dyn Directory) -> Vec<Finding> {
    let about = "setting placement.rules".to_owned();
    let missing = match missing_places(config, store, directory).await {
        Ok(missing) => missing,
        Err(fault) => {
            let mend = "mend what is marked above, and look again".to_owned();
            return vec![Finding { health: Health::Broken, about, found: fault.to_string(), mend }];
        }
    };
    if missing.is_empty() {
        return Vec::new();
    }
    let named: Vec<String> = missing.iter().take(NAMED).map(ToString::to_string).collect();
    let more = if missing.len() > NAMED { format!("; and {} more", missing.len() - NAMED) } else { String::new() };
    let found = format!("{} OUs are not there, whose people stand in default_ou meanwhile: {}{more}", missing.len(), named.join("; "));
    vec![Finding { health: Health::Doubtful, about, found, mend: "create them, or correct the rules".into() }]
}

async fn missing_places(config: &Config, store: &dyn Store, directory: &dyn Directory) -> Result<BTreeSet<Dn>, PortError> {
    let units = store.units().await?;
    let there = directory.containers().await?;
    let (rules, base) = (config::policy::placement_of(config), config.directory.base());
    Ok(units.iter().filter_map(|unit| placement::ou(&rules, &base, unit, &units)).filter(|ou| !there.contains(ou)).collect())
}
