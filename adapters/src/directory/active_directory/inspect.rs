//! The doctor's look at the domain: controllers, certificates, clocks, bind, OUs, schema, rights. Writes nothing.
use super::certificate::{self, Seen};
use super::connection::{OpenFault, open};
use super::entry::Entry;
use super::{Core, Written, schema, settings};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use kimlik_domain::account::{Attribute, Dn};
use kimlik_domain::ports::{Finding, Health, PortResult};
use ldap3::{Ldap, Scope, SearchEntry};
use std::collections::HashSet;

const CERTIFICATE_ENDS_SOON: TimeDelta = TimeDelta::days(30);
const CLOCK_DOUBTFUL: TimeDelta = TimeDelta::seconds(60);
/// Kerberos refuses at five minutes.
const CLOCK_BROKEN: TimeDelta = TimeDelta::seconds(300);
const ANY: &str = "(objectClass=*)";

fn good(about: impl Into<String>, found: impl Into<String>) -> Finding {
    Finding { health: Health::Good, about: about.into(), found: found.into(), mend: String::new() }
}
fn doubtful(about: impl Into<String>, found: impl Into<String>, mend: impl Into<String>) -> Finding {
    Finding { health: Health::Doubtful, about: about.into(), found: found.into(), mend: mend.into() }
}
fn broken(about: impl Into<String>, found: impl Into<String>, mend: impl Into<String>) -> Finding {
    Finding { health: Health::Broken, about: about.into(), found: found.into(), mend: mend.into() }
}

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
        findings.push(broken("directory", error.to_string(), "mend what is broken above, and ask again"));
    }
    findings
}

/// Whether it can be worked with.
async fn controller(core: &Core, url: &str, findings: &mut Vec<Finding>) -> bool {
    let (roots, timeout, address) = (core.roots.clone(), core.settings.timeout, url.to_owned());
    let about = format!("domain controller {url}");
    let seen = tokio::task::spawn_blocking(move || certificate::look(&address, &roots, timeout)).await;
    let Ok(seen) = seen else { return false };
    let about_certificate = format!("certificate of {}", settings::host_and_port(url).0);
    match seen {
        Seen::Unreachable(why) => {
            let mend = "check the name in urls, that the controller runs, and that the firewall lets port 636 through";
            findings.push(broken(about, format!("not reachable: {why}"), mend));
            return false;
        }
        Seen::Bad(found, mend) => {
            findings.push(broken(about_certificate, found, mend));
            return false;
        }
        Seen::Good { ends } => findings.push(certificate_ends(about_certificate, ends, core.clock.now())),
    }
    let tls = match settings::tls(core.roots.clone()) {
        Ok(tls) => tls,
        Err(fault) => {
            findings.push(broken(about, fault.to_string(), "give another ca_file"));
            return false;
        }
    };
    match open(&core.settings, &tls, url).await {
        Ok(ldap) => {
            findings.push(good(about, format!("reachable, bound as {}", core.settings.bind_dn)));
            findings.push(clock(core, url, ldap).await);
            true
        }
        Err(OpenFault::Refused(found, mend)) => {
            findings.push(broken(about, found, mend));
            false
        }
        Err(fault) => {
            findings.push(broken(about, fault.found(), "look at the controller's log"));
            false
        }
    }
}

fn certificate_ends(about: String, ends: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Finding {
    match ends {
        Some(ends) if ends - now < CERTIFICATE_ENDS_SOON => {
            doubtful(about, format!("ends on {}", ends.date_naive()), "renew it in time: nothing can be written when it has ended")
        }
        Some(ends) => good(about, format!("trusted, valid until {}", ends.date_naive())),
        None => doubtful(about, "trusted, and its dates cannot be read", "look at the certificate"),
    }
}

async fn clock(core: &Core, url: &str, mut ldap: Ldap) -> Finding {
    let about = format!("clock of {url}");
    let search = ldap.with_timeout(core.settings.timeout).search("", Scope::Base, ANY, vec!["currentTime"]).await;
    let said = search.ok().and_then(|found| found.0.into_iter().next()).map(SearchEntry::construct);
    let said = said.and_then(|entry| entry.attrs.get("currentTime")?.first().cloned());
    let theirs = said.and_then(|text| NaiveDateTime::parse_from_str(&text, "%Y%m%d%H%M%S%.fZ").ok());
    let Some(theirs) = theirs else { return doubtful(about, "it does not say what time it is", "look at the controller's log") };
    difference(about, (theirs.and_utc() - core.clock.now()).abs())
}

fn difference(about: String, apart: TimeDelta) -> Finding {
    let mend = "let this machine and the controllers take the time from the same source (NTP)";
    let found = format!("{} s apart from this machine", apart.num_seconds());
    match apart {
        d if d > CLOCK_BROKEN => broken(about, found, mend),
        d if d > CLOCK_DOUBTFUL => doubtful(about, found, mend),
        _ => good(about, found),
    }
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
    let about = format!("setting directory.active_directory.{setting}");
    let Some(entry) = there else {
        return broken(
            about,
            format!("there is no {ou}, or it may not be read"),
            "create the OU or correct the setting; give the right to read",
        );
    };
    let classes: HashSet<&str> = entry.texts("allowedChildClassesEffective").iter().map(String::as_str).collect();
    if !classes.contains("user") {
        return broken(about, format!("{ou}: accounts may not be created there"), PRINT);
    }
    if classes.contains("organizationalUnit") || classes.contains("group") {
        let found = format!("{ou}: the service account may create more than accounts there");
        return doubtful(about, found, "take the rights away that `kimlik doctor --print-delegation` does not print");
    }
    good(about, format!("{ou}: accounts may be created there"))
}

const PRINT: &str = "give the rights that `kimlik doctor --print-delegation` prints";

async fn attributes(core: &Core, findings: &mut Vec<Finding>) -> PortResult<()> {
    let names: Vec<&str> = Attribute::ALL.iter().map(|a| a.ldap_name()).collect();
    let there = core.in_schema(&names).await?;
    let missing = |exchange: bool| -> Vec<&str> {
        let of_kind = Attribute::ALL.iter().filter(|a| a.needs_exchange() == exchange);
        of_kind.map(|a| a.ldap_name()).filter(|name| !there.contains_key(*name)).collect()
    };
    let about = "schema";
    if !missing(false).is_empty() {
        let found = format!("lacks {}", missing(false).join(", "));
        findings.push(broken(about, found, "let the service account read the schema; a directory without these attributes is not taken"));
    }
    match missing(true) {
        none if none.is_empty() => findings.push(good(about, "with the Exchange extension")),
        some => findings
            .push(good(about, format!("without the Exchange extension ({}): address book attributes are left out", some.join(", ")))),
    }
    findings.extend(schema::findings(&there, &core.settings.mapping));
    Ok(())
}

/// Asked of one account, because rights are inherited alike. What cannot be asked without writing is said.
async fn account_rights(core: &Core) -> PortResult<Finding> {
    let about = "rights on accounts";
    let unasked = "resetting passwords and taking accounts out of an OU cannot be asked for, and show at the first attempt";
    // Why one page: any account will do, and there may be many.
    let link = core.connection.link().await?;
    let people = super::filter::people("(!(adminCount=1))");
    let base = core.settings.base.as_str();
    let (page, _) = core.connection.page(&link, base, Scope::Subtree, &people, &["objectGUID"], Vec::new()).await?;
    let Some(sample) = page.into_iter().next().map(|found| Entry::new(found).dn().dn) else {
        return Ok(doubtful(about, "there is no account below the base yet to ask about", "ask again when there is one"));
    };
    let entry = core.connection.read(sample.as_str(), ANY, &["allowedAttributesEffective"]).await?;
    let allowed: HashSet<&str> = entry.iter().flat_map(|e| e.texts("allowedAttributesEffective")).map(String::as_str).collect();
    let written = Written { exchange: core.has_exchange().await?, photos: core.settings.photos };
    let missing: Vec<&str> = written.shown().filter(|name| !allowed.contains(name)).collect();
    Ok(match missing.is_empty() {
        true => good(about, format!("every owned attribute may be written (asked of one account); {unasked}")),
        false => broken(about, format!("may not be written: {}", missing.join(", ")), PRINT),
    })
}

fn birthright_group(group: &Dn, base: &Dn, there: Option<&Entry>) -> Finding {
    let about = format!("group {group}");
    let Some(entry) = there else {
        return broken(about, "there is no such group, or it may not be read", "create it, or correct the rule in [[groups]]");
    };
    match entry.texts("allowedAttributesEffective").iter().any(|name| name == "member") {
        true => good(about, "members may be added and taken away"),
        false if group.is_within(base) => broken(about, "its members may not be written", PRINT),
        false => broken(
            about,
            "its members may not be written: it is outside base_dn",
            "move it below base_dn, or delegate 'write member' on it",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_differ_are_doubtful_after_a_minute_and_broken_after_five() {
        let health = |seconds| difference(String::new(), TimeDelta::seconds(seconds)).health;
        assert_eq!([health(59), health(61), health(301)], [Health::Good, Health::Doubtful, Health::Broken]);
    }

    #[test]
    fn a_certificate_that_ends_within_the_month_is_doubtful() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let health = |days| certificate_ends(String::new(), Some(now + TimeDelta::days(days)), now).health;
        assert_eq!([health(31), health(29)], [Health::Good, Health::Doubtful]);
    }
}
