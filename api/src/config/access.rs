//! [roles], [sessions] and [oidc]: who may what, and how somebody is recognized.
use super::{Config, Fault};
use chrono::TimeDelta;
use kimlik_domain::access::Role;
use kimlik_domain::access::roles::RoleGroups;
use kimlik_domain::access::session::SessionRules;
use kimlik_domain::account::Dn;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::path::PathBuf;

/// Groups of the directory whose members (through other groups too) have a role. Outside base_dn: what Kimlik itself may
/// write must not make anybody its administrator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Roles {
    pub administrator: Vec<Dn>,
    pub auditor: Vec<Dn>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sessions {
    /// How long an access token counts.
    pub access_minutes: u32,
    /// How long a session lives that nobody renews.
    pub idle_minutes: u32,
    /// How long a session lives in all.
    pub longest_hours: u32,
    /// Failed sign-ins from one address within a quarter of an hour.
    pub failures_per_address: u32,
    /// Failed sign-ins in all within a quarter of an hour; beyond, only known addresses are let through.
    pub failures_in_all: u32,
    /// Raised by one, it voids all access tokens at once.
    pub epoch: u32,
    /// Proxies whose x-forwarded-for is believed.
    pub trusted_proxies: Vec<IpAddr>,
}

impl Default for Sessions {
    fn default() -> Sessions {
        Sessions {
            access_minutes: 10,
            idle_minutes: 60,
            longest_hours: 12,
            failures_per_address: 100,
            failures_in_all: 2_000,
            epoch: 0,
            trusted_proxies: Vec::new(),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OidcName {
    #[default]
    Username,
    RegistryNo,
    Email,
}

/// One issuer whose tokens are taken beside Kimlik's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Oidc {
    /// Empty: none.
    pub issuer: String,
    pub audience: String,
    /// Empty: as its discovery document says.
    pub jwks_url: String,
    pub algorithms: Vec<String>,
    /// The claim that names the person, and what it names.
    pub claim: String,
    pub names: OidcName,
    /// What a token must say of how its person has signed in at the issuer: `acr` one of these,
    pub acr: Vec<String>,
    /// `amr` each of these,
    pub amr: Vec<String>,
    /// and `auth_time` no longer ago; 0: however long.
    pub max_age_minutes: u32,
    pub ca_file: PathBuf,
}

impl Default for Oidc {
    fn default() -> Oidc {
        Oidc {
            issuer: String::new(),
            audience: "kimlik".into(),
            jwks_url: String::new(),
            algorithms: vec!["RS256".into(), "PS256".into(), "ES256".into(), "EdDSA".into()],
            claim: "preferred_username".into(),
            names: OidcName::Username,
            acr: Vec::new(),
            amr: Vec::new(),
            max_age_minutes: 0,
            ca_file: PathBuf::new(),
        }
    }
}

impl Config {
    /// The embedded directory has groups of its own for this.
    pub fn role_groups(&self) -> RoleGroups {
        let own = |name: &str| Dn::new(format!("CN={name},{}", super::EMBEDDED_ROLES));
        let mut groups: Vec<(Dn, Role)> = Vec::new();
        groups.extend(self.roles.administrator.iter().map(|g| (g.clone(), Role::Administrator)));
        groups.extend(self.roles.auditor.iter().map(|g| (g.clone(), Role::Auditor)));
        if self.directory.is_embedded() {
            groups.extend([(own("Kimlik Yoneticileri"), Role::Administrator), (own("Kimlik Denetcileri"), Role::Auditor)]);
        }
        RoleGroups(groups)
    }

    pub fn session_rules(&self) -> SessionRules {
        let sessions = &self.sessions;
        SessionRules {
            access: TimeDelta::minutes(sessions.access_minutes.into()),
            idle: TimeDelta::minutes(sessions.idle_minutes.into()),
            longest: TimeDelta::hours(sessions.longest_hours.into()),
            ..SessionRules::default()
        }
    }
}

pub(super) fn check(config: &Config, faults: &mut Vec<Fault>) {
    for (key, groups) in [("administrator", &config.roles.administrator), ("auditor", &config.roles.auditor)] {
        for group in groups {
            let setting = format!("roles.{key}");
            if !group.as_str().to_ascii_uppercase().contains("DC=") {
                faults.push(Fault::new(setting, group.to_string(), "write a whole DN, such as CN=Kimlik,OU=Yetki,DC=csb,DC=test"));
            } else if group.is_within(&config.directory.base()) {
                let found = format!("{group}, which is below {}, where Kimlik itself may write", config.directory.base());
                faults.push(Fault::new(setting, found, "name a group outside the base, whose members others decide"));
            }
        }
    }
    sessions(&config.sessions, faults);
    oidc(&config.oidc, faults);
}

fn sessions(sessions: &Sessions, faults: &mut Vec<Fault>) {
    for (key, value, range) in [
        ("access_minutes", sessions.access_minutes, 1..=10),
        ("idle_minutes", sessions.idle_minutes, 1..=1_440),
        ("longest_hours", sessions.longest_hours, 1..=168),
        ("failures_per_address", sessions.failures_per_address, 1..=1_000_000),
        ("failures_in_all", sessions.failures_in_all, 1..=10_000_000),
    ] {
        if !range.contains(&value) {
            let mend = format!("write a number from {} to {}", range.start(), range.end());
            faults.push(Fault::new(format!("sessions.{key}"), value.to_string(), mend));
        }
    }
    if sessions.idle_minutes < sessions.access_minutes {
        let mend = "write at least as much as sessions.access_minutes";
        faults.push(Fault::new("sessions.idle_minutes", sessions.idle_minutes.to_string(), mend));
    }
}

fn oidc(oidc: &Oidc, faults: &mut Vec<Fault>) {
    if oidc.issuer.is_empty() {
        return;
    }
    let loopback = |url: &str| ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"].iter().any(|start| url.starts_with(start));
    for (key, url) in [("issuer", &oidc.issuer), ("jwks_url", &oidc.jwks_url)] {
        if !url.is_empty() && !url.starts_with("https://") && !loopback(url) {
            let mend = "use https://: whoever can change the keys on their way can be anybody";
            faults.push(Fault::new(format!("oidc.{key}"), format!("{url:?}"), mend));
        }
    }
    for (key, value) in [("audience", &oidc.audience), ("claim", &oidc.claim)] {
        if value.is_empty() {
            faults.push(Fault::new(format!("oidc.{key}"), "nothing", "write what the issuer's tokens for Kimlik say there"));
        }
    }
    for (key, values) in [("acr", &oidc.acr), ("amr", &oidc.amr)] {
        if values.iter().any(|value| value.trim().is_empty()) {
            faults.push(Fault::new(
                format!("oidc.{key}"),
                "an empty value",
                "write what the issuer's tokens say there, or [] for anything",
            ));
        }
    }
    if oidc.max_age_minutes > 43_200 {
        faults.push(Fault::new("oidc.max_age_minutes", oidc.max_age_minutes.to_string(), "write a number from 1 to 43200, or 0 for none"));
    }
    if !oidc.ca_file.as_os_str().is_empty() && !oidc.ca_file.is_file() {
        let found = format!("{}, which is no file that can be read", oidc.ca_file.display());
        faults.push(Fault::new("oidc.ca_file", found, "name the PEM file of the authority that signed the issuer's certificate"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(change: impl Fn(&mut Config)) -> Vec<String> {
        let mut config = Config::default();
        change(&mut config);
        let mut faults = Vec::new();
        check(&config, &mut faults);
        faults.into_iter().map(|f| f.setting).collect()
    }

    #[test]
    fn a_group_that_kimlik_may_write_gives_no_role() {
        let group = |dn: &str| faults(|c| c.roles.administrator = vec![Dn::new(dn)]);
        assert_eq!(group("CN=Admins,OU=Yetki,DC=csb,DC=test"), Vec::<String>::new());
        assert_eq!(group("CN=Admins,OU=Gruplar,OU=CSB,DC=csb,DC=test"), ["roles.administrator"]);
        assert_eq!(group("Admins"), ["roles.administrator"]);
    }

    #[test]
    fn times_and_issuers_that_would_be_unsafe_are_refused() {
        assert_eq!(faults(|_| ()), Vec::<String>::new());
        assert_eq!(faults(|c| c.sessions.access_minutes = 60), ["sessions.access_minutes"]);
        assert_eq!(faults(|c| c.sessions.idle_minutes = 5), ["sessions.idle_minutes"]);
        assert_eq!(faults(|c| c.oidc.issuer = "http://login.csb.test".into()), ["oidc.issuer"]);
        assert_eq!(faults(|c| c.oidc.issuer = "https://login.csb.test".into()), Vec::<String>::new());
        let with = |change: fn(&mut Oidc)| {
            faults(|c| {
                c.oidc.issuer = "https://login.csb.test".into();
                change(&mut c.oidc);
            })
        };
        assert_eq!(with(|oidc| oidc.amr = vec![" ".into()]), ["oidc.amr"]);
        assert_eq!(with(|oidc| oidc.max_age_minutes = 43_201), ["oidc.max_age_minutes"]);
    }
}
