//! What is found of connected systems beside the neighbours' own words: why one could not be made, the feed, roles, the OUs of the
//! placement rules, and what waits in the store.
use crate::config::{self, Config, Fault, HrSource};
use crate::health::FeedSeen;
use crate::wiring::{House, NotWired};
use axum::http::Uri;
use chrono::{DateTime, TimeDelta, Utc};
use kimlik_domain::access::Role;
use kimlik_domain::account::{Dn, placement};
use kimlik_domain::health::{Finding, Kind, LagOf, Subject};
use kimlik_domain::message::Channel;
use kimlik_domain::ports::{Directory, Figures, Grants, HrFeed, MailboxesState, OutboxState, PortError, PortResult, SignIn, Store};
use kimlik_domain::webhook::Webhook;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::net::IpAddr;

/// More missing OUs than that are counted, not named.
const NAMED: usize = 10;
/// A night's look at everybody, and two hours for it.
const FULL_LOOK_LATE: TimeDelta = TimeDelta::hours(26);
const QUEUE_LATE: TimeDelta = TimeDelta::minutes(5);
const MESSAGES_LATE: TimeDelta = TimeDelta::hours(12);
const HANDED_IN_LATE: TimeDelta = TimeDelta::hours(1);
const WRITE_BACK_LATE: TimeDelta = TimeDelta::hours(1);

pub fn not_wired(neighbour: Subject, fault: NotWired) -> Vec<Finding> {
    match fault {
        NotWired::Settings(faults) => {
            let of = |Fault { setting, found, mend, .. }| Finding::new(Subject::Setting, setting, Kind::SettingUnusable, &[&found, &mend]);
            faults.0.into_iter().map(of).collect()
        }
        NotWired::Neighbour(finding) => vec![*finding],
        NotWired::NotMigrated(missing) => {
            vec![Finding::new(neighbour, "", Kind::TablesMissing, &[&missing.len(), &missing.join(", ")])]
        }
    }
}

/// Is what people are told an address that they can reach? Asked where a ministry's directory is, not of a trial on one machine.
pub fn public_address(config: &Config) -> Option<Finding> {
    let url = config.server.public_url.as_str();
    let uri = url.parse::<Uri>().ok()?;
    let host = uri.host()?.trim_matches(['[', ']']);
    let local = host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    (local && !config.directory.is_embedded())
        .then(|| Finding::new(Subject::Setting, "server.public_url", Kind::PublicAddressLocal, &[&url]))
}

/// Does somebody have the role that everything hangs on, and are the groups there that give roles?
pub async fn roles(config: &Config, directory: &dyn SignIn, grants: Option<(&dyn Grants, DateTime<Utc>)>) -> Vec<Finding> {
    let groups = config.role_groups();
    let missing = match directory.missing_groups(&groups.groups()).await {
        Ok(missing) => missing,
        // Why nothing: that the directory is away is said by itself.
        Err(_) => return Vec::new(),
    };
    let absent = |group: &Dn| Finding::new(Subject::Roles, "", Kind::RoleGroupMissing, &[group]).part(group);
    let mut findings: Vec<Finding> = missing.iter().map(absent).collect();
    let by_group = groups.0.iter().any(|(group, role)| *role == Role::Administrator && !missing.contains(group));
    let by_grant = match grants {
        Some((grants, now)) => match grants.grants(None, 1_000).await {
            Ok(all) => all.iter().any(|g| g.role == Role::Administrator && g.is_in_force(now)),
            Err(_) => return findings,
        },
        None => return findings,
    };
    let kind = match (by_group, by_grant) {
        (true, _) => Kind::AdministratorsByGroup,
        (false, true) => Kind::AdministratorsByGrant,
        (false, false) => Kind::AdministratorsNone,
    };
    findings.push(Finding::new(Subject::Roles, "", kind, &[]));
    findings
}

/// What this process can say by itself, each with when it was looked at. What the store does not tell now is left out: that it is away, it
/// says itself.
pub async fn own(house: &House) -> Vec<(Finding, DateTime<Utc>)> {
    let now = house.clock.now();
    let mut findings = Vec::new();
    let figures = house.watch.figures(now).await.ok();
    if let Some(figures) = &figures {
        findings.extend([
            full_look(figures, house.started_at, now),
            queue(figures, now),
            handed_in(figures, now),
            write_back(figures, now),
        ]);
    }
    for courier in std::iter::once(&house.courier).chain(&house.postman) {
        if let Ok(state) = courier.outbox.outbox_state(courier.channel, now).await {
            findings.push(outbox(courier.channel, courier.rules.daily_limit, &state, now));
        }
    }
    if house.mailbox_keeper.is_some()
        && let Ok(state) = house.mailboxes.mailboxes_state().await
    {
        findings.push(mailboxes(&state));
    }
    findings.extend(webhooks(house).await.unwrap_or_default());
    let mut findings: Vec<_> = findings.into_iter().map(|finding| (finding, now)).collect();
    let taken_at = figures.as_ref().and_then(|f| f.deliveries.get(house.feed.name()).copied());
    let (feed, asked_at) = match house.health.feed() {
        Some((seen, at)) => (feed_as_seen(&house.config, house.feed.name(), seen), at),
        None => (Finding::new(Subject::HrFeed, house.feed.name(), Kind::FeedUnasked, &[]), now),
    };
    findings.push((feed.lagging(LagOf::LastDelivery, taken_at), asked_at));
    findings
}

fn full_look(figures: &Figures, started_at: DateTime<Utc>, now: DateTime<Utc>) -> Finding {
    let last = figures.last_nightly_run;
    let kind = match last {
        _ if now - last.unwrap_or(started_at) > FULL_LOOK_LATE => Kind::FullLookLate,
        Some(_) => Kind::FullLookDone,
        None => Kind::FullLookAwaited,
    };
    Finding::new(Subject::FullLook, "", kind, &[]).lagging(LagOf::LastFullLook, last)
}

fn queue(figures: &Figures, now: DateTime<Utc>) -> Finding {
    let late = figures.due_since.is_some_and(|since| now - since > QUEUE_LATE);
    let kind = if late { Kind::QueueLate } else { Kind::QueueGood };
    Finding::new(Subject::Queue, "", kind, &[&figures.due]).lagging(LagOf::OldestWaiting, figures.due_since)
}

fn write_back(figures: &Figures, now: DateTime<Utc>) -> Finding {
    let late = figures.for_hr_since.is_some_and(|since| now - since > WRITE_BACK_LATE);
    let kind = if late { Kind::WriteBackLate } else { Kind::WriteBackGood };
    Finding::new(Subject::HrWriteBack, "", kind, &[&figures.for_hr]).lagging(LagOf::OldestWaiting, figures.for_hr_since)
}

/// Submissions: each is taken in within seconds, one after the other; a snapshot of everybody within minutes.
fn handed_in(figures: &Figures, now: DateTime<Utc>) -> Finding {
    let late = figures.handed_in_since.is_some_and(|since| now - since > HANDED_IN_LATE);
    let kind = if late { Kind::HandedInLate } else { Kind::HandedInGood };
    Finding::new(Subject::HandedIn, "", kind, &[&figures.handed_in]).lagging(LagOf::OldestWaiting, figures.handed_in_since)
}

/// Messages: what waits, how long already, and how near the daily limit is.
fn outbox(channel: Channel, limit: u32, state: &OutboxState, now: DateTime<Utc>) -> Finding {
    let (about, reached, near) = match channel {
        Channel::Sms => (Subject::Messages, Kind::SmsLimit, Kind::SmsNearLimit),
        Channel::Mail => (Subject::Emails, Kind::MailLimit, Kind::MailNearLimit),
    };
    let kind = match state.oldest {
        _ if state.sent_today >= limit => reached,
        _ if state.sent_today >= limit / 5 * 4 => near,
        Some(oldest) if now - oldest > MESSAGES_LATE => Kind::MessagesLate,
        _ => Kind::MessagesGood,
    };
    let values: [&dyn Display; 4] = [&state.waiting, &state.sent_today, &limit, &state.failed_today];
    Finding::new(about, "", kind, &values).lagging(LagOf::OldestWaiting, state.oldest)
}

/// Mailboxes that somebody is asked for.
fn mailboxes(state: &MailboxesState) -> Finding {
    Finding::new(Subject::Mailboxes, "", Kind::MailboxesGood, &[&state.waiting, &state.unseen])
        .lagging(LagOf::OldestWaiting, state.waiting_since)
}

async fn webhooks(house: &House) -> PortResult<Vec<Finding>> {
    let book = &house.webhooks.webhooks;
    let all = book.webhooks(None, None, kimlik_domain::webhook::MOST).await?;
    let (head, _) = if all.is_empty() { (0, None) } else { book.events_span().await? };
    let mut findings = Vec::with_capacity(all.len());
    for webhook in &all {
        let next = if webhook.cursor < head { book.events_after(webhook.cursor, 1).await?.pop() } else { None };
        findings.push(told(webhook, head).lagging(LagOf::OldestWaiting, next.map(|event| event.at)));
    }
    Ok(findings)
}

/// Named by their host, because a path may hold a secret of the receiver's.
fn told(webhook: &Webhook, head: i64) -> Finding {
    let host = webhook.url.split('/').nth(2).unwrap_or_default();
    let of = |kind, values: &[&dyn Display]| Finding::new(Subject::Webhook, host, kind, values).part(webhook.id);
    match webhook.failing_since {
        Some(since) => {
            let fault = webhook.last_fault.as_deref().unwrap_or_default();
            let day = since.format("%Y-%m-%d %H:%M UTC");
            of(Kind::WebhookFailing, &[&day, &webhook.failures, &fault, &host, &webhook.made_by]).since(Some(since))
        }
        None if webhook.cursor < head => of(Kind::WebhookBehind, &[&(head - webhook.cursor)]),
        None => of(Kind::WebhookTold, &[]),
    }
}

fn setting_of(config: &Config) -> &'static str {
    match config.hr.source {
        HrSource::Simulated => "hr.simulated",
        HrSource::Csv => "hr.csv.directory",
        HrSource::Rest => "hr.rest",
    }
}

/// As whoever takes it in has seen it: a delivery may be large, and is not read for the sake of looking.
fn feed_as_seen(config: &Config, name: &str, seen: FeedSeen) -> Finding {
    let of = |kind, values: &[&dyn Display]| Finding::new(Subject::HrFeed, name, kind, values);
    match seen {
        FeedSeen::Quiet => of(Kind::FeedQuiet, &[]),
        FeedSeen::Took(delivery) => of(Kind::FeedTaken, &[&delivery]),
        FeedSeen::Refused(delivery, why) => of(Kind::FeedRefused, &[&delivery, &why]),
        FeedSeen::Away(fault) => of(Kind::FeedBroken, &[&fault, &setting_of(config)]),
    }
}

/// It is asked for its next delivery. Reading takes nothing away.
pub async fn feed(config: &Config, feed: &dyn HrFeed, store: Option<&dyn Store>) -> Finding {
    let of = |kind, values: &[&dyn Display]| Finding::new(Subject::HrFeed, feed.name(), kind, values);
    let position = match store {
        Some(store) => store.feed_position(feed.name()).await.ok().flatten(),
        None => None,
    };
    match feed.poll(position.as_deref()).await {
        Ok(Some(delivery)) => of(Kind::FeedWaiting, &[&delivery.name]),
        Ok(None) => of(Kind::FeedQuiet, &[]),
        Err(fault) => of(Kind::FeedBroken, &[&fault, &setting_of(config)]),
    }
}

/// The OUs that the rules give to the units that are known: Kimlik makes none in a real directory.
pub async fn places(config: &Config, store: &dyn Store, directory: &dyn Directory) -> Vec<Finding> {
    let of = |kind, values: &[&dyn Display]| vec![Finding::new(Subject::Setting, "placement.rules", kind, values)];
    let missing = match missing_places(config, store, directory).await {
        Ok(missing) => missing,
        Err(fault) => return of(Kind::PlacesUnread, &[&fault]),
    };
    if missing.is_empty() {
        return Vec::new();
    }
    let mut named: Vec<String> = missing.iter().take(NAMED).map(ToString::to_string).collect();
    if missing.len() > NAMED {
        named.push(format!("… +{}", missing.len() - NAMED));
    }
    of(Kind::PlacesMissing, &[&missing.len(), &named.join("; ")])
}

async fn missing_places(config: &Config, store: &dyn Store, directory: &dyn Directory) -> Result<BTreeSet<Dn>, PortError> {
    let units = store.units().await?;
    let there = directory.containers().await?;
    let (rules, base) = (config::policy::placement_of(config), config.directory.base());
    Ok(units.iter().filter_map(|unit| placement::ou(&rules, &base, unit, &units)).filter(|ou| !there.contains(ou)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DirectoryKind;
    use kimlik_domain::health::{Health, Lag};

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    #[test]
    fn an_address_that_only_this_machine_reaches_is_told_where_a_ministry_is_meant() {
        let of = |kind, url: &str| {
            let mut config = Config::default();
            (config.directory.kind, config.server.public_url) = (kind, url.to_owned());
            public_address(&config).map(|finding| finding.health())
        };
        for url in ["http://127.0.0.1:8080", "http://localhost/", "https://[::1]:8443"] {
            assert_eq!(of(DirectoryKind::ActiveDirectory, url), Some(Health::Doubtful), "{url}");
            assert_eq!(of(DirectoryKind::Embedded, url), None, "{url}: a trial");
        }
        assert_eq!(of(DirectoryKind::ActiveDirectory, "https://parola.csb.test"), None);
    }

    #[test]
    fn what_waits_says_since_when_and_is_doubtful_when_that_is_long_ago() {
        let ago = |minutes| now() - TimeDelta::minutes(minutes);
        let figures =
            |minutes| Figures { due: 3, due_since: Some(ago(minutes)), for_hr: 1, for_hr_since: Some(ago(minutes)), ..Figures::default() };
        assert_eq!(queue(&figures(4), now()).lag, Some(Lag { of: LagOf::OldestWaiting, at: ago(4) }));
        let health = |minutes| [queue(&figures(minutes), now()).health(), write_back(&figures(minutes), now()).health()];
        assert_eq!(health(4), [Health::Good, Health::Good]);
        assert_eq!(health(6), [Health::Doubtful, Health::Good]);
        assert_eq!(health(61), [Health::Doubtful, Health::Doubtful]);
        assert_eq!(queue(&Figures::default(), now()).lag, None, "nobody waits");
        let of = |minutes| Figures { handed_in: 1, handed_in_since: Some(ago(minutes)), ..Figures::default() };
        assert_eq!([handed_in(&of(59), now()).kind, handed_in(&of(61), now()).kind], [Kind::HandedInGood, Kind::HandedInLate]);
        assert_eq!(handed_in(&of(59), now()).lag, Some(Lag { of: LagOf::OldestWaiting, at: ago(59) }));
        let state = MailboxesState { waiting: 1, waiting_since: Some(ago(90)), unseen: 0 };
        assert_eq!(mailboxes(&state).lag, Some(Lag { of: LagOf::OldestWaiting, at: ago(90) }));
        assert_eq!(mailboxes(&MailboxesState::default()).lag, None, "no mailbox is waited for");
    }

    #[test]
    fn a_look_at_everybody_is_late_after_a_night_that_had_none() {
        let of = |last: Option<i64>, started: i64| {
            let figures = Figures { last_nightly_run: last.map(|h| now() - TimeDelta::hours(h)), ..Figures::default() };
            full_look(&figures, now() - TimeDelta::hours(started), now()).kind
        };
        assert_eq!(of(Some(25), 100), Kind::FullLookDone);
        assert_eq!(of(Some(27), 1), Kind::FullLookLate);
        assert_eq!(of(None, 1), Kind::FullLookAwaited);
        assert_eq!(of(None, 27), Kind::FullLookLate);
    }

    #[test]
    fn messages_near_and_at_the_daily_limit_and_those_that_wait_for_half_a_day_are_told_apart() {
        let of = |channel, sent_today, hours: Option<i64>| {
            let oldest = hours.map(|h| now() - TimeDelta::hours(h));
            outbox(channel, 100, &OutboxState { sent_today, oldest, ..OutboxState::default() }, now()).kind
        };
        assert_eq!(of(Channel::Sms, 79, Some(11)), Kind::MessagesGood);
        assert_eq!(of(Channel::Sms, 0, Some(13)), Kind::MessagesLate);
        assert_eq!([of(Channel::Sms, 80, None), of(Channel::Mail, 80, None)], [Kind::SmsNearLimit, Kind::MailNearLimit]);
        assert_eq!([of(Channel::Sms, 100, None), of(Channel::Mail, 100, None)], [Kind::SmsLimit, Kind::MailLimit]);
    }
}
