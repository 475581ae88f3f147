//! Passwords that people choose. The embedded directory looks at the history itself, locks nobody, and lets passwords run out only
//! where somebody has said how old they may become.
use super::write::stored_password;
use super::{EmbeddedDirectory, rules, unread, written};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use kimlik_domain::account::{AccountRef, Attribute};
use kimlik_domain::id::AccountGuid;
use kimlik_domain::password::{PasswordFacts, PasswordRules};
use kimlik_domain::ports::{Expiry, Passwords, PortError, PortResult, Refusal};
use zeroize::Zeroizing;

/// As Active Directory's default.
const HISTORY: u32 = 24;

impl EmbeddedDirectory {
    /// The new one, if neither the present one nor one of the history is the same.
    async fn choose(&self, guid: AccountGuid, new: &Zeroizing<String>) -> PortResult<()> {
        let read = self.read_one(guid).await?;
        self.forbidden(&read)?;
        rules::check_password(new, read.account.username())?;
        let held = "SELECT password FROM account WHERE guid = ?1 AND password IS NOT NULL UNION ALL \
             SELECT password FROM (SELECT h.password FROM password_history h JOIN account a ON a.id = h.account \
             WHERE a.guid = ?1 ORDER BY h.id DESC LIMIT ?2)";
        let held = sqlx::query_scalar(held).bind(&guid.0.as_bytes()[..]).bind(HISTORY);
        let held: Vec<Vec<u8>> = held.fetch_all(&self.readers).await.map_err(unread)?;
        if held.iter().any(|stored| self.is_password(stored, new)) {
            return Err(PortError::refused(Refusal::Password, "the password was used before"));
        }
        let stored = stored_password(new);
        let mut writing = self.writer.begin().await.map_err(written)?;
        let keep = "INSERT INTO password_history (account, password) SELECT id, ?2 FROM account WHERE guid = ?1";
        sqlx::query(keep).bind(&guid.0.as_bytes()[..]).bind(&stored[..]).execute(&mut *writing).await.map_err(written)?;
        let set = "UPDATE account SET usn = (SELECT max(usn) + 1 FROM account), password = ?2 WHERE guid = ?1";
        sqlx::query(set).bind(&guid.0.as_bytes()[..]).bind(&stored[..]).execute(&mut *writing).await.map_err(written)?;
        writing.commit().await.map_err(written)
    }
}

#[async_trait]
impl Passwords for EmbeddedDirectory {
    async fn password_facts(&self, account: AccountGuid) -> PortResult<Option<PasswordFacts>> {
        let Some(held) = self.observe_guids(&[account]).await?.into_iter().next() else { return Ok(None) };
        let outside = (!held.dn.is_within(&self.base)).then(|| "outside the base".into());
        let sql = "SELECT set_at, expires_at FROM expiry WHERE guid = ?1";
        let age = sqlx::query_as(sql).bind(&account.0.as_bytes()[..]).fetch_optional(&self.readers).await.map_err(unread)?;
        let (set_at, expires_at): (Option<i64>, Option<i64>) = age.unwrap_or_default();
        let moment = |seconds: Option<i64>| DateTime::from_timestamp_secs(seconds?);
        Ok(Some(PasswordFacts {
            username: held.username().into(),
            display_name: held.attributes.text(Attribute::DisplayName).unwrap_or_default().into(),
            account: AccountRef { guid: account, dn: held.dn },
            enabled: held.enabled,
            out_of_reach: held.protected.or(outside),
            smart_card: false,
            locked: false,
            must_change: false,
            expires_at: moment(expires_at),
            set_at: moment(set_at),
        }))
    }

    async fn password_rules(&self, _account: Option<AccountGuid>) -> PortResult<PasswordRules> {
        let sql = "SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'maximum_password_age'";
        let age: Option<i64> = sqlx::query_scalar(sql).fetch_optional(&self.readers).await.map_err(unread)?;
        Ok(PasswordRules {
            minimum_length: rules::SHORTEST_PASSWORD,
            complexity: true,
            history: HISTORY,
            minimum_age: None,
            maximum_age: age.map(TimeDelta::seconds),
        })
    }

    async fn reset(&self, account: &AccountRef, new: &Zeroizing<String>, _with_history: bool) -> PortResult<bool> {
        self.choose(account.guid, new).await.map(|()| true)
    }

    async fn set_intermediate(&self, account: &AccountRef, password: &Zeroizing<String>) -> PortResult<()> {
        self.write_password(account.guid, password).await
    }

    async fn change(&self, account: &AccountRef, from: &Zeroizing<String>, to: &Zeroizing<String>) -> PortResult<()> {
        let sql = "SELECT password FROM account WHERE guid = ?1 AND password IS NOT NULL";
        let stored: Option<Vec<u8>> =
            sqlx::query_scalar(sql).bind(&account.guid.0.as_bytes()[..]).fetch_optional(&self.readers).await.map_err(unread)?;
        if !stored.is_some_and(|stored| self.is_password(&stored, from)) {
            return Err(PortError::refused(Refusal::WrongPassword, "not the password that the account has"));
        }
        self.choose(account.guid, to).await
    }

    async fn expiring(&self, after: DateTime<Utc>, until: DateTime<Utc>) -> PortResult<Vec<Expiry>> {
        let sql = "SELECT e.guid, e.set_at, e.expires_at FROM expiry e JOIN account a ON a.id = e.account \
             WHERE a.enabled AND a.inside AND e.expires_at > ?1 AND e.expires_at < ?2";
        let near: Vec<(Vec<u8>, i64, i64)> =
            sqlx::query_as(sql).bind(after.timestamp()).bind(until.timestamp()).fetch_all(&self.readers).await.map_err(unread)?;
        let expiry = |(guid, set_at, expires_at): (Vec<u8>, i64, i64)| {
            Some(Expiry {
                account: AccountGuid(uuid::Uuid::from_slice(&guid).ok()?),
                set_at: DateTime::from_timestamp_secs(set_at)?,
                expires_at: DateTime::from_timestamp_secs(expires_at)?,
            })
        };
        Ok(near.into_iter().filter_map(expiry).collect())
    }

    async fn unlock(&self, account: &AccountRef) -> PortResult<()> {
        let read = self.read_one(account.guid).await?;
        self.forbidden(&read)
    }
}
