//! What an operator says about the domain, checked before the first connection. Nothing here speaks to the network.
use kimlik_domain::account::{Dn, Mapping};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

#[derive(Clone)]
pub struct AdSettings {
    /// Domain controllers in order of preference, each `ldaps://name[:port]`.
    pub urls: Vec<String>,
    /// The only certificate authorities that are trusted, PEM.
    pub ca_pem: Vec<u8>,
    /// DN or user principal name.
    pub bind_dn: String,
    pub bind_password: Zeroizing<String>,
    pub base: Dn,
    pub closed_ou: Dn,
    pub default_ou: Dn,
    /// What stands behind the `@` of user principal names: taken names are looked for as UPNs too.
    pub upn_suffix: String,
    /// An attribute by which accounts from before Kimlik are recognised, besides employeeID.
    pub correlation: Option<String>,
    /// Birthright groups: looked at by the doctor only.
    pub extra_groups: Vec<Dn>,
    /// What fills the card: looked at by the doctor only.
    pub mapping: Mapping,
    /// HR gives photos, to be written.
    pub photos: bool,
    /// For connecting and for each answer.
    pub timeout: Duration,
    /// Operations under way at once. Eight fill one connection; more gained nothing when measured.
    pub in_flight: usize,
    /// So long after a write no other controller is asked: what was written may not have reached it yet.
    pub replication: Duration,
}

impl fmt::Debug for AdSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdSettings")
            .field("urls", &self.urls)
            .field("bind_dn", &self.bind_dn)
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

/// A setting that cannot be right, whatever the network says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("directory.active_directory.{setting}: {fault}")]
pub struct SettingsFault {
    pub setting: &'static str,
    pub fault: String,
}

fn fault<T>(setting: &'static str, fault: impl Into<String>) -> Result<T, SettingsFault> {
    Err(SettingsFault { setting, fault: fault.into() })
}

impl AdSettings {
    pub const TIMEOUT: Duration = Duration::from_secs(10);
    pub const IN_FLIGHT: usize = 8;
    /// Twice the delay after which a controller tells its neighbours of the same site.
    pub const REPLICATION: Duration = Duration::from_secs(30);

    pub(super) fn check(&self) -> Result<(), SettingsFault> {
        if self.urls.is_empty() {
            return fault("urls", "names no domain controller; give at least one, such as ldaps://dc1.csb.test:636");
        }
        for url in &self.urls {
            check_url(url)?;
        }
        if self.bind_dn.trim().is_empty() {
            return fault("bind_dn", "is empty; give the service account's DN or user principal name");
        }
        // Why: a simple bind with an empty password succeeds as nobody (RFC 4513 5.1.2).
        if self.bind_password.is_empty() {
            return fault("bind_password_file", "holds no password");
        }
        if self.upn_suffix.is_empty() || self.upn_suffix.contains('@') {
            return fault("upn_suffix", format!("{:?} is no suffix; give what stands behind the @, such as csb.test", self.upn_suffix));
        }
        for (setting, dn) in [("base_dn", &self.base), ("closed_ou", &self.closed_ou), ("default_ou", &self.default_ou)] {
            if !is_written_as_the_directory_does(dn) {
                return fault(setting, format!("{dn} is no DN; write it as OU=Name,DC=csb,DC=test, without spaces around , and ="));
            }
        }
        for (setting, ou) in [("closed_ou", &self.closed_ou), ("default_ou", &self.default_ou)] {
            if !ou.is_within(&self.base) {
                return fault(setting, format!("{ou} is not below base_dn {}", self.base));
            }
        }
        if let Some(name) = &self.correlation
            && !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        {
            return fault("correlation", format!("{name:?} is no name of an attribute"));
        }
        if self.in_flight == 0 || self.timeout.is_zero() {
            return fault("timeout", "no time or no operation at all is allowed; both must be more than 0");
        }
        Ok(())
    }

    pub(super) fn roots(&self) -> Result<Arc<RootCertStore>, SettingsFault> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&self.ca_pem) {
            let certificate = certificate.or_else(|e| fault("ca_file", format!("is not PEM: {e}")))?;
            roots.add(certificate).or_else(|e| fault("ca_file", format!("holds a certificate that cannot be used: {e}")))?;
        }
        if roots.is_empty() {
            return fault("ca_file", "holds no certificate; give the authority that signed the controllers' certificates, PEM");
        }
        Ok(Arc::new(roots))
    }
}

/// Why so strict: names are compared with those that the directory sends.
fn is_written_as_the_directory_does(dn: &Dn) -> bool {
    let mut rest = Some(dn.clone());
    while let Some(dn) = rest {
        let name = &dn.as_str()[..dn.as_str().len() - dn.parent().map_or(0, |p| p.as_str().len() + 1)];
        let tidy = name.split_once('=').is_some_and(|(kind, value)| {
            !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_alphanumeric()) && !value.is_empty() && !value.starts_with(' ')
        });
        if !tidy || (name.ends_with(' ') && !name.ends_with("\\ ")) {
            return false;
        }
        rest = dn.parent();
    }
    true
}

fn check_url(url: &str) -> Result<(), SettingsFault> {
    let Some(rest) = url.strip_prefix("ldaps://") else {
        let said = if url.starts_with("ldap://") { "is not encrypted" } else { "is no LDAP address" };
        return fault("urls", format!("{url} {said}; only ldaps:// is taken"));
    };
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = split_authority(authority);
    if host.is_empty() || host.contains(['/', '?', '#', '@', ' ']) || port.is_none() {
        return fault("urls", format!("{url} is no address of a controller; write ldaps://name:636"));
    }
    Ok(())
}

fn split_authority(authority: &str) -> (&str, Option<u16>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && !authority.ends_with(']') => (host, port.parse().ok().filter(|p| *p != 0)),
        _ => (authority, Some(636)),
    }
}

/// Host (without brackets) and port of an address that `check` has passed.
pub(super) fn host_and_port(url: &str) -> (String, u16) {
    let rest = url.strip_prefix("ldaps://").unwrap_or(url);
    let (host, port) = split_authority(rest.strip_suffix('/').unwrap_or(rest));
    (host.trim_matches(['[', ']']).to_owned(), port.unwrap_or(636))
}

pub(super) fn tls(roots: Arc<RootCertStore>) -> Result<Arc<ClientConfig>, SettingsFault> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .or_else(|e| fault("ca_file", format!("TLS cannot be set up: {e}")))?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dn_must_be_written_as_the_directory_writes_it() {
        for good in ["OU=CSB,DC=csb,DC=test", "ou=Ağrı\\, Merkez,DC=test", "OU=A B\\ ,DC=test"] {
            assert!(is_written_as_the_directory_does(&Dn::new(good)), "{good}");
        }
        for bad in ["", "CSB", "OU=CSB, DC=csb,DC=test", "OU= CSB,DC=test", "OU =CSB,DC=test", "OU=CSB ,DC=test", "OU=CSB,", "OU=,DC=test"]
        {
            assert!(!is_written_as_the_directory_does(&Dn::new(bad)), "{bad}");
        }
    }

    #[test]
    fn only_encrypted_addresses_are_taken() {
        for good in ["ldaps://dc1.csb.test", "ldaps://dc1.csb.test:636", "ldaps://127.0.0.1:636/", "ldaps://[::1]:636", "ldaps://[::1]"] {
            assert_eq!(check_url(good), Ok(()), "{good}");
        }
        for bad in
            ["ldap://dc1.csb.test", "dc1.csb.test", "ldaps://", "ldaps://dc1:99999", "ldaps://u@dc1", "ldaps://dc1/dc=csb", "https://dc1"]
        {
            assert_eq!(check_url(bad).unwrap_err().setting, "urls", "{bad}");
        }
        assert_eq!(host_and_port("ldaps://[::1]:3269"), ("::1".into(), 3269));
        assert_eq!(host_and_port("ldaps://dc1.csb.test"), ("dc1.csb.test".into(), 636));
    }
}
