//! Passwords of people: the rules that hold, setting with and without history, changing, unlocking.
use super::entry::{Entry, moment};
use super::{ActiveDirectory, Core, codes, entry, filter};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use kimlik_domain::account::{AccountRef, Attribute};
use kimlik_domain::id::AccountGuid;
use kimlik_domain::password::{PasswordFacts, PasswordRules};
use kimlik_domain::ports::{Directory, Expiry, Passwords, PortError, PortResult, Refusal};
use ldap3::controls::RawControl;
use ldap3::{Mod, Scope};
use std::collections::HashSet;
use zeroize::{Zeroize, Zeroizing};

const ANY: &str = "(objectClass=*)";
const SMARTCARD_REQUIRED: u32 = 0x4_0000;
const DONT_EXPIRE_PASSWD: u32 = 0x1_0000;
/// Enabled, with a password that was set, runs out and is used to sign in. Bit by bit: 0x2, 0x10000, 0x40000.
const RUNS_OUT: &str = "(!(userAccountControl:1.2.840.113556.1.4.803:=2))(!(userAccountControl:1.2.840.113556.1.4.803:=65536))\
    (!(userAccountControl:1.2.840.113556.1.4.803:=262144))(pwdLastSet>=1)";
/// In msDS-User-Account-Control-Computed.
const LOCKOUT: u32 = 0x10;
/// DOMAIN_PASSWORD_COMPLEX in pwdProperties ([MS-SAMR] 2.2.3.5).
const COMPLEX: u32 = 1;
/// LDAP_SERVER_POLICY_HINTS, and the number that it had before ([MS-ADTS] 3.1.1.3.4.1.27).
const POLICY_HINTS: [&str; 2] = ["1.2.840.113556.1.4.2239", "1.2.840.113556.1.4.2066"];
/// SEQUENCE { INTEGER 1 }: history holds for this reset.
const WITH_HISTORY: [u8; 5] = [0x30, 0x03, 0x02, 0x01, 0x01];

/// Ages are negative numbers of 100 ns; zero and the smallest mean none.
fn age(entry: &Entry, name: &str) -> Option<TimeDelta> {
    let ticks: i64 = entry.number(name)?;
    (ticks < 0 && ticks > i64::MIN).then(|| TimeDelta::microseconds(ticks.saturating_neg() / 10))
}

/// In quotes, UTF-16LE (Microsoft KB 269190).
fn quoted(password: &str) -> HashSet<Vec<u8>> {
    HashSet::from([format!("\"{password}\"").encode_utf16().flat_map(u16::to_le_bytes).collect()])
}

fn text(value: &str) -> HashSet<Vec<u8>> {
    HashSet::from([value.as_bytes().to_vec()])
}

fn wipe(mods: Vec<Mod<Vec<u8>>>) {
    for modification in mods {
        if let Mod::Replace(_, values) | Mod::Add(_, values) | Mod::Delete(_, values) = modification {
            values.into_iter().for_each(|mut value| value.zeroize());
        }
    }
}

impl Core {
    async fn write_secret(&self, account: &AccountRef, mods: Vec<Mod<Vec<u8>>>, control: Option<RawControl>) -> PortResult<()> {
        if !account.dn.is_within(&self.settings.base) {
            return Err(PortError::refused(Refusal::Rights, format!("{} is outside {}", account.dn, self.settings.base)));
        }
        let dn = format!("<GUID={}>", account.guid);
        let result = match control {
            Some(control) => self.connection.modify_with(&dn, &mods, &control).await,
            None => self.connection.modify(&dn, &mods).await,
        };
        wipe(mods);
        let result = result?;
        if result.rc == 0 { Ok(()) } else { Err(codes::of_write("password", &result)) }
    }

    /// The control by which this controller looks at the history in a reset.
    async fn policy_hints(&self) -> PortResult<Option<RawControl>> {
        let root = self.connection.read("", ANY, &["supportedControl"]).await?;
        let known = root.as_ref().map_or(&[][..], |root| root.texts("supportedControl"));
        let oid = POLICY_HINTS.iter().find(|oid| known.iter().any(|k| k == *oid));
        Ok(oid.map(|oid| RawControl { ctype: (*oid).to_owned(), crit: true, val: Some(WITH_HISTORY.to_vec()) }))
    }

    async fn domain_rules(&self) -> PortResult<PasswordRules> {
        let root = &self.domain().await?.root;
        let names = ["minPwdLength", "pwdProperties", "pwdHistoryLength", "minPwdAge", "maxPwdAge"];
        let read = self.connection.read(root, ANY, &names).await?;
        let entry = read.ok_or_else(|| PortError::Unavailable(format!("{root} may not be read")))?;
        Ok(PasswordRules {
            minimum_length: entry.number("minPwdLength").unwrap_or(0),
            complexity: entry.number::<i32>("pwdProperties").is_some_and(|flags| flags.cast_unsigned() & COMPLEX != 0),
            history: entry.number("pwdHistoryLength").unwrap_or(0),
            minimum_age: age(&entry, "minPwdAge"),
            maximum_age: age(&entry, "maxPwdAge"),
        })
    }

    /// Page by page on one connection, because the cookies are bound to it. Why everybody's: the end of a password is computed, so it
    /// cannot be searched for; and what the shortest age among fine-grained policies is, only administrators may read by default.
    async fn expiring(&self, after: DateTime<Utc>, until: DateTime<Utc>) -> PortResult<Vec<Expiry>> {
        let filter = filter::people(RUNS_OUT);
        let names = ["pwdLastSet", "accountExpires", "msDS-UserPasswordExpiryTimeComputed"];
        let mut tries = 0;
        'anew: loop {
            let link = self.connection.link().await?;
            tries += 1;
            let (mut near, mut cookie) = (Vec::new(), Vec::new());
            loop {
                let base = self.settings.base.as_str();
                match self.connection.page(&link, base, Scope::Subtree, &filter, &names, cookie).await {
                    Ok((entries, next)) => {
                        near.extend(entries.into_iter().map(Entry::new).filter_map(|entry| expiry(&entry, after, until)));
                        match next {
                            Some(next) => cookie = next,
                            None => return Ok(near),
                        }
                    }
                    Err(PortError::Unavailable(_)) if tries == 1 => continue 'anew,
                    Err(fault) => return Err(fault),
                }
            }
        }
    }

    /// `None`: the account has no policy of its own, or it may not be read.
    async fn own_rules(&self, account: AccountGuid) -> PortResult<Option<PasswordRules>> {
        let dn = format!("<GUID={account}>");
        let read = self.connection.read(&dn, ANY, &["msDS-ResultantPSO"]).await?;
        let Some(policy) = read.as_ref().and_then(|e| e.text("msDS-ResultantPSO")).map(|dn| entry::decorated(dn).dn) else {
            return Ok(None);
        };
        let names = [
            "msDS-MinimumPasswordLength",
            "msDS-PasswordComplexityEnabled",
            "msDS-PasswordHistoryLength",
            "msDS-MinimumPasswordAge",
            "msDS-MaximumPasswordAge",
        ];
        let entry = match self.connection.read(policy.as_str(), ANY, &names).await {
            Ok(entry) => entry,
            Err(fault) if fault.refusal().is_some() => None,
            Err(fault) => return Err(fault),
        };
        let Some(entry) = entry.filter(|e| e.text("msDS-MinimumPasswordLength").is_some()) else { return Ok(None) };
        Ok(Some(PasswordRules {
            minimum_length: entry.number("msDS-MinimumPasswordLength").unwrap_or(0),
            complexity: entry.text("msDS-PasswordComplexityEnabled") == Some("TRUE"),
            history: entry.number("msDS-PasswordHistoryLength").unwrap_or(0),
            minimum_age: age(&entry, "msDS-MinimumPasswordAge"),
            maximum_age: age(&entry, "msDS-MaximumPasswordAge"),
        }))
    }
}

/// If it runs out within that time, and the account does not end before.
fn expiry(entry: &Entry, after: DateTime<Utc>, until: DateTime<Utc>) -> Option<Expiry> {
    let time = |name: &str| entry.number(name).and_then(moment);
    let expires_at = time("msDS-UserPasswordExpiryTimeComputed").filter(|at| *at > after && *at < until)?;
    let ended = time("accountExpires").is_some_and(|end| end <= expires_at);
    (!ended).then_some(Expiry { account: entry.dn().guid?, set_at: time("pwdLastSet")?, expires_at })
}

#[async_trait]
impl Passwords for ActiveDirectory {
    async fn password_facts(&self, account: AccountGuid) -> PortResult<Option<PasswordFacts>> {
        let core = &self.core;
        let Some(held) = self.observe(&[account]).await?.into_iter().next() else { return Ok(None) };
        // Why a reading of its own: computed attributes are answered for one object at a time.
        let names = [
            "userAccountControl",
            "pwdLastSet",
            "accountExpires",
            "msDS-User-Account-Control-Computed",
            "msDS-UserPasswordExpiryTimeComputed",
        ];
        let Some(entry) = core.connection.read(&format!("<GUID={account}>"), ANY, &names).await? else { return Ok(None) };
        let control = entry.control().unwrap_or(0);
        let computed: i32 = entry.number("msDS-User-Account-Control-Computed").unwrap_or(0);
        let set: i64 = entry.number("pwdLastSet").unwrap_or(0);
        let outside = (!held.dn.is_within(&core.settings.base)).then(|| "outside the base".into());
        let ended = entry.number("accountExpires").and_then(moment).is_some_and(|at| at <= core.clock.now());
        Ok(Some(PasswordFacts {
            username: held.username().into(),
            display_name: held.attributes.text(Attribute::DisplayName).unwrap_or_default().into(),
            account: AccountRef { guid: account, dn: held.dn },
            enabled: held.enabled && !ended,
            out_of_reach: held.protected.or(outside),
            smart_card: control & SMARTCARD_REQUIRED != 0,
            locked: computed.cast_unsigned() & LOCKOUT != 0,
            must_change: set == 0 && control & DONT_EXPIRE_PASSWD == 0,
            expires_at: entry.number("msDS-UserPasswordExpiryTimeComputed").and_then(moment),
            set_at: moment(set),
        }))
    }

    async fn password_rules(&self, account: Option<AccountGuid>) -> PortResult<PasswordRules> {
        let own = match account {
            Some(account) => self.core.own_rules(account).await?,
            None => None,
        };
        match own {
            Some(own) => Ok(own),
            None => self.core.domain_rules().await,
        }
    }

    async fn reset(&self, account: &AccountRef, new: &Zeroizing<String>, with_history: bool) -> PortResult<bool> {
        let control = if with_history { self.core.policy_hints().await? } else { None };
        if with_history && control.is_none() {
            return Ok(false);
        }
        let mods = vec![Mod::Replace(b"unicodePwd".to_vec(), quoted(new))];
        self.core.write_secret(account, mods, control).await.map(|()| true)
    }

    async fn set_intermediate(&self, account: &AccountRef, password: &Zeroizing<String>) -> PortResult<()> {
        let mods = vec![Mod::Replace(b"unicodePwd".to_vec(), quoted(password)), Mod::Replace(b"pwdLastSet".to_vec(), text("0"))];
        self.core.write_secret(account, mods, None).await
    }

    async fn change(&self, account: &AccountRef, from: &Zeroizing<String>, to: &Zeroizing<String>) -> PortResult<()> {
        let mods = vec![Mod::Delete(b"unicodePwd".to_vec(), quoted(from)), Mod::Add(b"unicodePwd".to_vec(), quoted(to))];
        self.core.write_secret(account, mods, None).await
    }

    async fn expiring(&self, after: DateTime<Utc>, until: DateTime<Utc>) -> PortResult<Vec<Expiry>> {
        self.core.expiring(after, until).await
    }

    async fn unlock(&self, account: &AccountRef) -> PortResult<()> {
        self.core.write_secret(account, vec![Mod::Replace(b"lockoutTime".to_vec(), text("0"))], None).await
    }
}
