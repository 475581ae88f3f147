//! Passwords of the embedded directory's accounts. It locks nobody.
use super::{EmbeddedDirectory, unread};
use async_trait::async_trait;
use aws_lc_rs::digest;
use kimlik_domain::access::session::{Lockout, SignedIn, Standing};
use kimlik_domain::account::Dn;
use kimlik_domain::id::AccountGuid;
use kimlik_domain::ports::{PortResult, SignIn};
use kimlik_domain::text;
use zeroize::Zeroizing;

impl EmbeddedDirectory {
    async fn has_run_out(&self, account: AccountGuid) -> PortResult<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM expiry WHERE guid = ?1 AND expires_at <= unixepoch())";
        sqlx::query_scalar(sql).bind(&account.0.as_bytes()[..]).fetch_one(&self.readers).await.map_err(unread)
    }
}

#[async_trait]
impl SignIn for EmbeddedDirectory {
    async fn account_named(&self, name: &str) -> PortResult<Option<AccountGuid>> {
        let sql = "SELECT guid FROM account WHERE username_key = ?1 OR upn_key = ?1";
        let found = sqlx::query_scalar(sql).bind(text::fold(name)).fetch_all(&self.readers).await.map_err(unread)?;
        let mut found = found.iter().filter_map(|guid: &Vec<u8>| uuid::Uuid::from_slice(guid).ok().map(AccountGuid));
        // Why nobody where there are two: which of them was meant?
        Ok(found.next().filter(|_| found.next().is_none()))
    }

    async fn lockout(&self) -> PortResult<Option<Lockout>> {
        Ok(None)
    }

    async fn sign_in(&self, account: Option<AccountGuid>, password: &Zeroizing<String>, groups: &[Dn]) -> PortResult<SignedIn> {
        let username = match account {
            Some(account) => self.standing(account, &[]).await?.map(|s| s.username),
            None => None,
        };
        // Why a name that nobody has: an unknown account answers as slowly as a known one.
        let right = self.check_password(username.as_deref().unwrap_or("\u{1}"), password).await?;
        match right.filter(|guid| Some(*guid) == account) {
            Some(account) if self.has_run_out(account).await? => Ok(SignedIn::PasswordExpired),
            Some(account) => Ok(self.standing(account, groups).await?.map_or(SignedIn::Wrong, SignedIn::Accepted)),
            None => Ok(SignedIn::Wrong),
        }
    }

    async fn missing_groups(&self, groups: &[Dn]) -> PortResult<Vec<Dn>> {
        let held: Vec<String> = sqlx::query_scalar("SELECT dn FROM grp").fetch_all(&self.readers).await.map_err(unread)?;
        let held: Vec<Dn> = held.into_iter().map(Dn::new).collect();
        Ok(groups.iter().filter(|group| !held.contains(group)).cloned().collect())
    }

    async fn standing(&self, account: AccountGuid, groups: &[Dn]) -> PortResult<Option<Standing>> {
        let Some(held) = self.observe_guids(&[account]).await?.into_iter().next() else { return Ok(None) };
        let sql = "SELECT password FROM account WHERE guid = ?1";
        let query = sqlx::query_scalar(sql).bind(&account.0.as_bytes()[..]);
        let password: Option<Option<Vec<u8>>> = query.fetch_optional(&self.readers).await.map_err(unread)?;
        let hash = digest::digest(&digest::SHA256, password.flatten().as_deref().unwrap_or_default());
        Ok(Some(Standing {
            account,
            username: held.username().into(),
            enabled: held.enabled,
            password_mark: hash.as_ref().iter().take(16).map(|o| format!("{o:02x}")).collect(),
            groups: held.groups.into_iter().filter(|group| groups.contains(group)).collect(),
        }))
    }
}
