//! From what LDAP answers to what the domain reads: octets, decorated DNs, observed accounts. Pure.
use chrono::{DateTime, Utc};
use kimlik_domain::account::{Attribute, Attributes, Dn, ObservedAccount, Value};
use kimlik_domain::id::AccountGuid;
use ldap3::{ResultEntry, SearchEntry};
use std::sync::Arc;
use uuid::Uuid;

pub(super) const ACCOUNTDISABLE: u32 = 0x2;
pub(super) const PASSWD_NOTREQD: u32 = 0x20;
pub(super) const NORMAL_ACCOUNT: u32 = 0x200;
const TRUSTED_FOR_DELEGATION: u32 = 0x80000;
const TRUSTED_TO_AUTH_FOR_DELEGATION: u32 = 0x100_0000;
/// The kind of policy that writes e-mail addresses, in msExchPoliciesIncluded and -Excluded.
const ADDRESS_POLICY: &str = "26491cfc-9e50-4857-861b-0cb8df22b5d7";

/// An object as the controller sent it.
pub(super) struct Entry(SearchEntry);

/// A DN with its decorations: `<GUID=…>;<SID=…>;CN=…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decorated {
    pub guid: Option<AccountGuid>,
    pub sid: Option<String>,
    pub dn: Dn,
}

pub(super) fn decorated(text: &str) -> Decorated {
    let (mut guid, mut sid, mut rest) = (None, None, text);
    while let Some(inner) = rest.strip_prefix('<') {
        let Some((part, behind)) = inner.split_once('>') else { break };
        if let Some(value) = part.strip_prefix("GUID=") {
            guid = Uuid::parse_str(value).ok().map(AccountGuid);
        } else if let Some(value) = part.strip_prefix("SID=") {
            sid = Some(value.to_owned());
        }
        rest = behind.strip_prefix(';').unwrap_or(behind);
    }
    Decorated { guid, sid, dn: Dn::new(rest) }
}

/// The last part of a SID.
pub(super) fn rid(sid: &str) -> Option<u32> {
    sid.rsplit('-').next()?.parse().ok()
}

/// A FILETIME as a moment; 0 and the largest mean never.
pub(super) fn moment(filetime: i64) -> Option<DateTime<Utc>> {
    if filetime <= 0 || filetime == i64::MAX {
        return None;
    }
    DateTime::from_timestamp_micros(filetime / 10 - 11_644_473_600_000_000)
}

/// The attributes that every reading of an account asks for.
pub(super) fn wanted(correlation: Option<&str>) -> Vec<&str> {
    let mut wanted = vec!["objectGUID", "userAccountControl", "pwdLastSet", "adminCount", "memberOf", "primaryGroupID"];
    wanted.extend(["msExchPoliciesIncluded", "msExchPoliciesExcluded"]);
    wanted.extend(Attribute::ALL.iter().map(|a| a.ldap_name()));
    wanted.extend(correlation);
    wanted
}

/// Values of one attribute beyond the first that the controller sent (MaxValRange): `memberOf;range=0-1499`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ranged {
    pub values: Vec<String>,
    /// Where to go on; `None`: these were the last ones.
    pub next: Option<usize>,
}

impl Entry {
    pub(super) fn new(raw: ResultEntry) -> Entry {
        Entry(SearchEntry::construct(raw))
    }
    pub(super) fn dn(&self) -> Decorated {
        decorated(&self.0.dn)
    }
    /// ldap3 keeps the server's spelling of names.
    pub(super) fn texts(&self, name: &str) -> &[String] {
        self.0
            .attrs
            .get(name)
            .or_else(|| self.0.attrs.iter().find(|(k, _)| k.eq_ignore_ascii_case(name)).map(|(_, v)| v))
            .map_or(&[], Vec::as_slice)
    }
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.texts(name).first().map(String::as_str).filter(|v| !v.is_empty())
    }
    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.text(name).and_then(|v| v.parse().ok())
    }
    /// Octets are in either map, by whether they happen to be UTF-8.
    pub(super) fn octets(&self, name: &str) -> Option<&[u8]> {
        let text = || self.texts(name).first().map(String::as_bytes);
        self.0.bin_attrs.get(name).and_then(|v| v.first()).map(Vec::as_slice).or_else(text)
    }
    pub(super) fn guid(&self, name: &str) -> Option<Uuid> {
        self.octets(name).and_then(|o| Uuid::from_slice_le(o).ok())
    }
    /// userAccountControl is a signed 32-bit number.
    pub(super) fn control(&self) -> Option<u32> {
        self.number::<i32>("userAccountControl").map(|v| v.cast_unsigned())
    }
    /// The part of `name` that came in ranges, if any did.
    pub(super) fn ranged(&self, name: &str) -> Option<Ranged> {
        self.0.attrs.iter().find_map(|(key, values)| {
            let (attribute, option) = key.split_once(';')?;
            let range = option.strip_prefix("range=").or_else(|| option.strip_prefix("Range="))?;
            let (_, to) = range.split_once('-')?;
            attribute.eq_ignore_ascii_case(name).then(|| Ranged { values: values.clone(), next: to.parse::<usize>().ok().map(|to| to + 1) })
        })
    }

    /// `more_groups`: what had to be fetched in ranges, in place of what the entry holds.
    pub(super) fn account(
        &self,
        correlation: Option<&str>,
        more_groups: Option<Vec<String>>,
        privileged: impl Fn(&Entry, &[Decorated]) -> Option<Arc<str>>,
    ) -> Option<ObservedAccount> {
        let place = self.dn();
        let guid = self.guid("objectGUID").map(AccountGuid).or(place.guid)?;
        let control = self.control()?;
        let groups: Vec<Decorated> = match &more_groups {
            Some(all) => all.iter().map(|g| decorated(g)).collect(),
            None => self.texts("memberOf").iter().map(|g| decorated(g)).collect(),
        };
        let protected = self.stamped(control, &place).or_else(|| privileged(self, &groups));
        Some(ObservedAccount {
            guid,
            dn: place.dn,
            enabled: control & ACCOUNTDISABLE == 0,
            password_set: self.number::<i64>("pwdLastSet").is_some_and(|at| at != 0),
            protected,
            attributes: self.owned(),
            groups: groups.into_iter().map(|g| g.dn).collect(),
            correlation: correlation.and_then(|name| self.text(name)).map(Arc::from),
            address_policy: self.under_address_policy(),
        })
    }

    /// What the account itself says about why it must be left alone.
    fn stamped(&self, control: u32, place: &Decorated) -> Option<Arc<str>> {
        match place.sid.as_deref().and_then(rid) {
            Some(500) => return Some("the domain's built-in administrator".into()),
            Some(502) => return Some("the domain's Kerberos account".into()),
            _ => {}
        }
        if self.number::<i64>("adminCount").is_some_and(|n| n > 0) {
            return Some("adminCount is set".into());
        }
        (control & (TRUSTED_FOR_DELEGATION | TRUSTED_TO_AUTH_FOR_DELEGATION) != 0).then(|| "trusted for delegation".into())
    }

    fn owned(&self) -> Attributes {
        let mut owned = Attributes::with_capacity(Attribute::ALL.len());
        for attribute in Attribute::ALL.iter().copied() {
            let name = attribute.ldap_name();
            let value = match attribute {
                Attribute::Manager => self.text(name).and_then(|dn| decorated(dn).guid).map(Value::Account),
                Attribute::ProxyAddresses => {
                    Some(Value::list(self.texts(name).iter().filter(|v| is_smtp(v)).map(|v| Arc::from(v.as_str())).collect()))
                }
                // Why: every account is born with 0, which says nothing.
                Attribute::CountryCode => self.text(name).filter(|v| *v != "0").map(Value::text),
                _ => self.text(name).map(Value::text),
            };
            owned.set(attribute, value);
        }
        owned
    }

    fn under_address_policy(&self) -> bool {
        let names = |attribute| self.texts(attribute).iter().any(|v| v.to_ascii_lowercase().contains(ADDRESS_POLICY));
        names("msExchPoliciesIncluded") && !names("msExchPoliciesExcluded")
    }
}

fn is_smtp(address: &str) -> bool {
    address.get(..5).is_some_and(|prefix| prefix.eq_ignore_ascii_case("smtp:"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn entry(values: &[(&str, &str)]) -> Entry {
        let mut attrs: HashMap<String, Vec<String>> = HashMap::new();
        for (name, value) in values {
            attrs.entry((*name).to_owned()).or_default().push((*value).to_owned());
        }
        let dn = "<GUID=3d685915-935a-4963-b192-7075890c471e>;<SID=S-1-5-21-1-2-3-1104>;CN=Veli\\, İ;<b>,OU=CSB,DC=csb,DC=test";
        Entry(SearchEntry { dn: dn.into(), attrs, bin_attrs: HashMap::new() })
    }

    #[test]
    fn decorations_are_taken_off_a_dn_and_kept_apart() {
        let found = entry(&[]).dn();
        assert_eq!(found.dn.as_str(), "CN=Veli\\, İ;<b>,OU=CSB,DC=csb,DC=test");
        assert_eq!(found.guid.unwrap().to_string(), "3d685915-935a-4963-b192-7075890c471e");
        assert_eq!(found.sid.as_deref().and_then(rid), Some(1104));
        assert_eq!(decorated("CN=a,DC=b"), Decorated { guid: None, sid: None, dn: Dn::new("CN=a,DC=b") });
    }

    #[test]
    fn ranges_go_on_until_the_star() {
        let ranged = entry(&[("memberOf;range=0-1499", "CN=a")]).ranged("memberof").unwrap();
        assert_eq!(ranged, Ranged { values: vec!["CN=a".into()], next: Some(1500) });
        assert_eq!(entry(&[("memberOf;range=1500-*", "CN=b")]).ranged("memberOf").unwrap().next, None);
        assert_eq!(entry(&[("memberOf", "CN=b")]).ranged("memberOf"), None);
    }

    #[test]
    fn an_account_is_read_with_smtp_addresses_only_and_policy_and_protection() {
        let read = |more: &[(&str, &str)]| {
            let mut values = vec![("userAccountControl", "514"), ("countryCode", "0"), ("proxyAddresses", "X500:/o=x")];
            values.extend([("proxyAddresses", "SMTP:b@x"), ("proxyAddresses", "smtp:a@x"), ("pwdLastSet", "0")]);
            values.extend(more);
            entry(&values).account(None, None, |_, _| None).unwrap()
        };
        let plain = read(&[]);
        assert_eq!(plain.attributes.get(Attribute::ProxyAddresses), Some(&Value::list(vec!["smtp:a@x".into(), "SMTP:b@x".into()])));
        assert_eq!(plain.attributes.len(), 1);
        assert!(!plain.enabled && !plain.password_set && plain.protected.is_none() && !plain.address_policy);
        let included = ("msExchPoliciesIncluded", "abc,{26491CFC-9E50-4857-861B-0CB8DF22B5D7}");
        assert!(read(&[included]).address_policy);
        assert!(!read(&[included, ("msExchPoliciesExcluded", "{26491cfc-9e50-4857-861b-0cb8df22b5d7}")]).address_policy);
        assert_eq!(read(&[("adminCount", "1")]).protected.as_deref(), Some("adminCount is set"));
    }

    #[test]
    fn never_is_no_moment() {
        assert_eq!([moment(0), moment(i64::MAX), moment(-1)], [None, None, None]);
        assert_eq!(moment(133_000_000_000_000_000).unwrap().to_rfc3339(), "2022-06-18T04:26:40+00:00");
    }
}
