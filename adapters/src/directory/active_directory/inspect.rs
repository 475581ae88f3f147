//! The doctor's look at the domain: controllers, certificates, clocks, bind, OUs, schema, rights. Writes nothing.
use super::certificate::{self, Seen};
use super::connection::{OpenFault, open};
use super::entry::Entry;
use super::{Core, Written, schema, settings};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use kimlik_domain::account::{Attribute, Dn};
use kimlik_domain::health::{Finding, Kind, Subject};
use kimlik_domain::ports::PortResult;
use ldap3::{Ldap, Scope, SearchEntry};
use std::collections::HashSet;

const CERTIFICATE_ENDS_SOON: TimeDelta = TimeDelta::days(30);
const CLOCK_DOUBTFUL: TimeDelta = TimeDelta::seconds(60);
/// Kerberos refuses at five minutes.
const CLOCK_BROKEN: TimeDelta = TimeDelta::seconds(300);
const ANY: &str = "(objectClass=*)";

pub(super) async fn all(core: &Core) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut bound = false;
    for url in &core.settings.urls {
        bound |= controller(core, url, &mut findings).await;
    }
    if !bound {
        return findings;
    }
    if let Err(error) = domain(core, &mut findings).await {
        findings.push(Finding::new(Subject::Directory, "", Kind::DirectoryUnread, &[&error]));
    }
    findings
}

/// Whether it can be worked with.
async fn controller(core: &Core, url: &str, findings: &mut Vec<Finding>) -> bool {
    let (roots, timeout, address) = (core.roots.clone(), core.settings.timeout, url.to_owned());
    let about = |kind, said: &str| Finding::new(Subject::Controller, url, kind, &[&said]);
    let seen = tokio::task::spawn_blocking(move || certificate::look(&address, &roots, timeout)).await;
    let Ok(seen) = seen else { return false };
    let host = settings::host_and_port(url).0;
    match seen {
        Seen::Unreachable(why) => {
            findings.push(about(Kind::ControllerUnreachable, &why));
            return false;
        }
        Seen::Bad(kind, said) => {
            findings.push(Finding::new(Subject::Certificate, host, kind, &[&said]));
            return false;
        }
        Seen::Good { ends } => findings.push(certificate_ends(&host, ends, core.clock.now())),
    }
    let tls = match settings::tls(core.roots.clone()) {
        Ok(tls) => tls,
        Err(fault) => {
            findings.push(about(Kind::AuthoritiesUnusable, &fault.to_string()));
            return false;
        }
    };
    match open(&core.settings, &tls, url).await {
        Ok(ldap) => {
            findings.push(about(Kind::ControllerGood, &core.settings.bind_dn));
            findings.push(clock(core, url, ldap).await);
            true
        }
        Err(OpenFault::Refused(refused)) => {
            findings.push(*refused);
            false
        }
        Err(fault) => {
            findings.push(about(Kind::ControllerUnwell, &fault.said()));
            false
        }
    }
}

fn certificate_ends(host: &str, ends: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Finding {
    let about = |kind, ends: Option<DateTime<Utc>>| {
        let ends = ends.map(|ends| ends.date_naive().to_string()).unwrap_or_default();
        Finding::new(Subject::Certificate, host, kind, &[&ends])
    };
    match ends {
        Some(soon) if soon - now < CERTIFICATE_ENDS_SOON => about(Kind::CertificateEnds, ends),
        Some(_) => about(Kind::CertificateGood, ends),
        None => about(Kind::CertificateUndated, None),
    }
}

async fn clock(core: &Core, url: &str, mut ldap: Ldap) -> Finding {
    let search = ldap.with_timeout(core.settings.timeout).search("", Scope::Base, ANY, vec!["currentTime"]).await;
    let said = search.ok().and_then(|found| found.0.into_iter().next()).map(SearchEntry::construct);
    let said = said.and_then(|entry| entry.attrs.get("currentTime")?.first().cloned());
    let theirs = said.and_then(|text| NaiveDateTime::parse_from_str(&text, "%Y%m%d%H%M%S%.fZ").ok());
    match theirs {
        Some(theirs) => difference(url, (theirs.and_utc() - core.clock.now()).abs()),
        None => Finding::new(Subject::Clock, url, Kind::ClockSilent, &[]),
    }
}

fn difference(url: &str, apart: TimeDelta) -> Finding {
    let kind = match apart {
        d if d > CLOCK_BROKEN => Kind::ClockWrong,
        d if d > CLOCK_DOUBTFUL => Kind::ClockApart,
        _ => Kind::ClockRight,
    };
    Finding::new(Subject::Clock, url, kind, &[&apart.num_seconds()])
}

async fn domain(core: &Core, findings: &mut Vec<Finding>) -> PortResult<()> {
    let settings = &core.settings;
    let ous = [("base_dn", &settings.base), ("closed_ou", &settings.closed_ou), ("default_ou", &settings.default_ou)];
    let mut base_there = false;
    for (setting, ou) in ous {
        let there = core.connection.read(ou.as_str(), ANY, &["allowedChildClassesEffective"]).await?;
        base_there |= setting == "base_dn" && there.is_some();
        findings.push(container(setting, ou, there.as_ref()));
    }
    attributes(core, findings).await?;
    if base_there {
        findings.push(account_rights(core).await?);
    }
    for group in &settings.extra_groups {
        let there = core.connection.read(group.as_str(), "(objectClass=group)", &["allowedAttributesEffective"]).await?;
        findings.push(birthright_group(group, &settings.base, there.as_ref()));
    }
    Ok(())
}

fn container(setting: &str, ou: &Dn, there: Option<&Entry>) -> Finding {
    let classes: Option<HashSet<&str>> =
        there.map(|entry| entry.texts("allowedChildClassesEffective").iter().map(String::as_str).collect());
    let kind = match classes {
        None => Kind::OuMissing,
        Some(classes) if !classes.contains("user") => Kind::OuClosed,
        Some(classes) if classes.contains("organizationalUnit") || classes.contains("group") => Kind::OuWide,
        Some(_) => Kind::OuGood,
    };
    Finding::new(Subject::Setting, format!("directory.active_directory.{setting}"), kind, &[ou])
}

async fn attributes(core: &Core, findings: &mut Vec<Finding>) -> PortResult<()> {
    let names: Vec<&str> = Attribute::ALL.iter().map(|a| a.ldap_name()).collect();
    let there = core.in_schema(&names).await?;
    let missing = |exchange: bool| -> Vec<&str> {
        let of_kind = Attribute::ALL.iter().filter(|a| a.needs_exchange() == exchange);
        of_kind.map(|a| a.ldap_name()).filter(|name| !there.contains_key(*name)).collect()
    };
    let schema = |kind, names: Vec<&str>| Finding::new(Subject::Schema, "", kind, &[&names.join(", ")]);
    if !missing(false).is_empty() {
        findings.push(schema(Kind::SchemaLacks, missing(false)));
    }
    let of_exchange = missing(true);
    findings.push(schema(if of_exchange.is_empty() { Kind::SchemaExchange } else { Kind::SchemaPlain }, of_exchange));
    findings.extend(schema::findings(&there, &core.settings.mapping));
    Ok(())
}

/// Asked of one account, because rights are inherited alike. What cannot be asked without writing is said.
async fn account_rights(core: &Core) -> PortResult<Finding> {
    let rights = |kind, missing: &str| Finding::new(Subject::AccountRights, "", kind, &[&missing]);
    // Why one page: any account will do, and there may be many.
    let link = core.connection.link().await?;
    let people = super::filter::people("(!(adminCount=1))");
    let base = core.settings.base.as_str();
    let (page, _) = core.connection.page(&link, base, Scope::Subtree, &people, &["objectGUID"], Vec::new()).await?;
    let Some(sample) = page.into_iter().next().map(|found| Entry::new(found).dn().dn) else {
        return Ok(rights(Kind::RightsUnasked, ""));
    };
    let entry = core.connection.read(sample.as_str(), ANY, &["allowedAttributesEffective"]).await?;
    let allowed: HashSet<&str> = entry.iter().flat_map(|e| e.texts("allowedAttributesEffective")).map(String::as_str).collect();
    let written = Written { exchange: core.has_exchange().await?, photos: core.settings.photos };
    let missing: Vec<&str> = written.shown().filter(|name| !allowed.contains(name)).collect();
    Ok(rights(if missing.is_empty() { Kind::RightsGood } else { Kind::RightsMissing }, &missing.join(", ")))
}

fn birthright_group(group: &Dn, base: &Dn, there: Option<&Entry>) -> Finding {
    let writable = there.map(|entry| entry.texts("allowedAttributesEffective").iter().any(|name| name == "member"));
    let kind = match writable {
        None => Kind::GroupMissing,
        Some(true) => Kind::GroupGood,
        Some(false) if group.is_within(base) => Kind::GroupClosed,
        Some(false) => Kind::GroupOutside,
    };
    Finding::new(Subject::Group, group, kind, &[])
}

#[cfg(test)]
mod tests {
    use super::*;
    use kimlik_domain::health::Health;

    #[test]
    fn clocks_that_differ_are_doubtful_after_a_minute_and_broken_after_five() {
        let health = |seconds| difference("", TimeDelta::seconds(seconds)).health();
        assert_eq!([health(59), health(61), health(301)], [Health::Good, Health::Doubtful, Health::Broken]);
    }

    #[test]
    fn a_certificate_that_ends_within_the_month_is_doubtful() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let health = |days| certificate_ends("", Some(now + TimeDelta::days(days)), now).health();
        assert_eq!([health(31), health(29)], [Health::Good, Health::Doubtful]);
    }
}
