//! Passwords of people, tried by a bind over a connection of its own. What an account is, is read by Kimlik's own account.
use super::entry::{ACCOUNTDISABLE, Entry, moment};
use super::{ActiveDirectory, Core, codes, filter};
use async_trait::async_trait;
use chrono::TimeDelta;
use kimlik_domain::access::session::{Lockout, SignedIn, Standing};
use kimlik_domain::account::Dn;
use kimlik_domain::id::AccountGuid;
use kimlik_domain::ports::{PortError, PortResult, SignIn};
use ldap3::Scope;
use zeroize::Zeroizing;

/// LDAP_MATCHING_RULE_IN_CHAIN: members of members too.
const IN_CHAIN: &str = "memberOf:1.2.840.113556.1.4.1941:";
const WANTED: [&str; 7] =
    ["objectGUID", "sAMAccountName", "userAccountControl", "pwdLastSet", "accountExpires", "badPwdCount", "badPasswordTime"];
/// A name that no directory takes: its bind fails as any wrong one does.
const NOBODY: &str = "CN=\u{1}nobody";

impl Core {
    async fn account_entry(&self, account: AccountGuid) -> PortResult<Option<Entry>> {
        let root = &self.domain().await?.root;
        let found = self.connection.search(root, Scope::Subtree, &filter::people(&filter::guid_is(account)), &WANTED).await?;
        Ok(found.into_iter().next())
    }

    async fn standing_of(&self, account: AccountGuid, entry: &Entry, groups: &[Dn]) -> PortResult<Standing> {
        let unreadable = |what: &str| PortError::Unavailable(format!("{}: {what} may not be read", entry.dn().dn));
        let control = entry.control().ok_or_else(|| unreadable("userAccountControl"))?;
        let set: i64 = entry.number("pwdLastSet").ok_or_else(|| unreadable("pwdLastSet"))?;
        let expired = entry.number("accountExpires").and_then(moment).is_some_and(|at| at <= self.clock.now());
        let mut member = Vec::new();
        for group in groups {
            let asked = format!("({IN_CHAIN}={})", filter::escape(group.as_str()));
            let within = self.connection.read(&format!("<GUID={account}>"), &asked, &["objectGUID"]).await?;
            member.extend(within.map(|_| group.clone()));
        }
        Ok(Standing {
            account,
            username: entry.text("sAMAccountName").unwrap_or_default().into(),
            enabled: control & ACCOUNTDISABLE == 0 && !expired,
            password_mark: set.to_string(),
            groups: member,
        })
    }

    /// One more wrong password would lock it: then it is not tried at all.
    fn on_the_edge(&self, entry: &Entry, lockout: Option<Lockout>) -> bool {
        let Some(lockout) = lockout else { return false };
        let failures: u32 = entry.number("badPwdCount").unwrap_or(0);
        let last = entry.number("badPasswordTime").and_then(moment);
        failures + 1 >= lockout.threshold && last.is_some_and(|at| self.clock.now() - at < lockout.window)
    }
}

#[async_trait]
impl SignIn for ActiveDirectory {
    async fn account_named(&self, name: &str) -> PortResult<Option<AccountGuid>> {
        let core = &self.core;
        let root = &core.domain().await?.root;
        let by = if name.contains('@') { "userPrincipalName" } else { "sAMAccountName" };
        let mut terms = vec![filter::equals(by, name)];
        // Why: sAMAccountName@domain is a way to sign in that stands in no attribute.
        terms.extend(
            name.split_once('@')
                .filter(|(_, suffix)| suffix.eq_ignore_ascii_case(&core.settings.upn_suffix))
                .map(|(name, _)| filter::equals("sAMAccountName", name)),
        );
        let asked = filter::people(&filter::any(&terms));
        let found = core.connection.search(root, Scope::Subtree, &asked, &["objectGUID"]).await?;
        let mut found = found.into_iter().filter_map(|e| e.guid("objectGUID").map(AccountGuid));
        // Why nobody where there are two: which of them was meant?
        Ok(found.next().filter(|_| found.next().is_none()))
    }

    async fn lockout(&self) -> PortResult<Option<Lockout>> {
        let root = &self.core.domain().await?.root;
        let read = self.core.connection.read(root, "(objectClass=*)", &["lockoutThreshold", "lockOutObservationWindow"]).await?;
        let entry = read.ok_or_else(|| PortError::Unavailable(format!("{root} may not be read")))?;
        let threshold: u32 = entry.number("lockoutThreshold").unwrap_or(0);
        let ticks: i64 = entry.number("lockOutObservationWindow").unwrap_or(0);
        let window = TimeDelta::microseconds(ticks.saturating_neg().max(0) / 10);
        Ok((threshold > 0).then_some(Lockout { threshold, window }))
    }

    async fn sign_in(&self, account: Option<AccountGuid>, password: &Zeroizing<String>, groups: &[Dn]) -> PortResult<SignedIn> {
        // Why first: a bind with an empty password succeeds as nobody (RFC 4513 5.1.2).
        if password.is_empty() || password.chars().count() > 256 || password.contains('\0') {
            return Ok(SignedIn::Wrong);
        }
        let core = &self.core;
        let entry = match account {
            Some(account) => core.account_entry(account).await?,
            None => None,
        };
        if let Some(entry) = &entry
            && core.on_the_edge(entry, self.lockout().await?)
        {
            return Ok(SignedIn::Locked);
        }
        let dn = entry.as_ref().map_or_else(|| NOBODY.to_owned(), |e| e.dn().dn.as_str().to_owned());
        let result = core.connection.try_password(&dn, password).await?;
        match (result.rc, entry, account) {
            (0, Some(entry), Some(account)) => Ok(SignedIn::Accepted(core.standing_of(account, &entry, groups).await?)),
            (49 | 34 | 32 | 48 | 53, Some(_), Some(_)) => Ok(refusal(&result.text)),
            (_, None, _) | (_, _, None) => Ok(SignedIn::Wrong),
            _ => Err(PortError::Unavailable(codes::said("a sign-in", &result))),
        }
    }

    async fn missing_groups(&self, groups: &[Dn]) -> PortResult<Vec<Dn>> {
        let mut missing = Vec::new();
        for group in groups {
            if self.core.connection.read(group.as_str(), "(objectClass=group)", &["objectGUID"]).await?.is_none() {
                missing.push(group.clone());
            }
        }
        Ok(missing)
    }

    async fn standing(&self, account: AccountGuid, groups: &[Dn]) -> PortResult<Option<Standing>> {
        match self.core.account_entry(account).await? {
            Some(entry) => self.core.standing_of(account, &entry, groups).await.map(Some),
            None => Ok(None),
        }
    }
}

fn refusal(text: &str) -> SignedIn {
    match codes::sub_code(text) {
        "530" | "531" => SignedIn::NotNow,
        "532" => SignedIn::PasswordExpired,
        "533" | "701" => SignedIn::Disabled,
        "773" => SignedIn::MustChange,
        "775" => SignedIn::Locked,
        _ => SignedIn::Wrong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_bind_is_sorted_by_its_sub_code() {
        let of = |sub: &str| refusal(&format!("80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data {sub}, v1db1"));
        assert_eq!([of("52e"), of("525"), of("")], [SignedIn::Wrong, SignedIn::Wrong, SignedIn::Wrong]);
        assert_eq!([of("532"), of("773")], [SignedIn::PasswordExpired, SignedIn::MustChange]);
        assert_eq!([of("533"), of("701"), of("775")], [SignedIn::Disabled, SignedIn::Disabled, SignedIn::Locked]);
    }
}
