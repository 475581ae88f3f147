//! Writes. Each is one statement that carries its own conditions: who may be written, and from which state.
use super::read::Read;
use super::rules::{self, Keys, json};
use super::{EmbeddedDirectory, random, unread, written};
use aws_lc_rs::pbkdf2;
use kimlik_domain::account::{AccountRef, Attribute, Attributes, Change, Dn, NewAccount, Value};
use kimlik_domain::id::AccountGuid;
use kimlik_domain::ports::{PortError, PortResult, Refusal};
use kimlik_domain::text;
use sqlx::Row;
use sqlx::sqlite::SqliteQueryResult;
use std::collections::HashSet;
use std::num::NonZeroU32;
use zeroize::Zeroizing;

/// `cn`'s limit in the schema.
const MAX_CN: usize = 64;
/// A write that meets the account changed under it tries again so often.
const TRIES: u32 = 8;
const SALT: usize = 16;
/// Why so few: opening 100,000 accounts sets 100,000 random passwords, which no number of rounds makes safer; the passwords of
/// people live in a real directory, not in this one.
const ROUNDS: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// What a unique key or a trigger refused.
enum Conflict {
    /// Somebody has the user name or UPN.
    Name,
    /// Another object of the OU has the common name.
    Place,
}

fn conflict(error: sqlx::Error) -> Result<Conflict, PortError> {
    let text = error.as_database_error().map(|e| e.message().to_owned()).unwrap_or_default();
    if text.contains("account.cn_key") {
        Ok(Conflict::Place)
    } else if ["account.username_key", "account.upn_key", "username of a group"].iter().any(|name| text.contains(name)) {
        Ok(Conflict::Name)
    } else {
        Err(written(error))
    }
}

fn name_taken() -> PortError {
    PortError::refused(Refusal::NameTaken, "the user name or the UPN belongs to another object")
}

fn no_name_stayed_free(ou: &Dn) -> PortError {
    PortError::Unavailable(format!("no common name stayed free in {ou}"))
}

fn checked_cn(cn: &str) -> PortResult<String> {
    let fits = !cn.trim().is_empty() && text::utf16_len(cn) <= MAX_CN;
    fits.then(|| cn.to_owned()).ok_or_else(|| PortError::refused(Refusal::Value, format!("cn: 1 to {MAX_CN} characters")))
}

/// The common name with a number behind it, within the schema's limit.
fn numbered(cn: &str, number: u32) -> String {
    let tail = format!(" {number}");
    format!("{}{tail}", text::clip(cn, MAX_CN - tail.len()))
}

/// `Ayşe Şahin 2` is `Ayşe Şahin` with a number.
fn is_numbered(held: &str, cn: &str) -> bool {
    held.rsplit_once(' ').and_then(|(_, n)| n.parse().ok()).is_some_and(|n: u32| n >= 2 && numbered(cn, n) == held)
}

fn derive(password: &str, salt: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut hash = Zeroizing::new(vec![0; 32]);
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, salt, password.as_bytes(), &mut hash);
    hash
}

/// As the file keeps it: salt and hash.
pub(super) fn stored_password(password: &str) -> Zeroizing<Vec<u8>> {
    let salt: [u8; SALT] = random();
    Zeroizing::new([&salt[..], &derive(password, &salt)].concat())
}

impl EmbeddedDirectory {
    pub(super) async fn create_account(&self, new: &NewAccount) -> PortResult<AccountRef> {
        self.check_values(&new.attributes, new.attributes.iter().map(|(attribute, _)| attribute)).await?;
        if new.attributes.text(Attribute::Username).is_none() {
            return Err(PortError::refused(Refusal::Value, "an account without a user name"));
        }
        let guid = AccountGuid(uuid::Builder::from_random_bytes(random()).into_uuid());
        let (keys, attributes) = (Keys::of(&new.attributes)?, json(&new.attributes)?);
        let sql = "INSERT INTO account (usn, guid, container, inside, cn, cn_key, enabled, address_policy, username_key, upn_key, \
             employee_key, display_key, addresses, attributes) \
             SELECT (SELECT coalesce(max(usn), 0) + 1 FROM account), ?1, c.id, 1, ?3, ?4, 0, 0, ?5, ?6, ?7, ?8, ?9, ?10 \
             FROM container c WHERE c.dn_key = ?2 AND c.inside";
        let mut cn = checked_cn(&new.cn)?;
        for _ in 0..TRIES {
            let query = sqlx::query(sql).bind(&guid.0.as_bytes()[..]).bind(new.ou.folded()).bind(&cn).bind(text::fold(&cn));
            let query = query.bind(&keys.username).bind(&keys.upn).bind(&keys.employee).bind(&keys.display);
            let done = query.bind(&keys.addresses).bind(&attributes).execute(&self.writer).await;
            match self.other_name(done, &new.ou, &new.cn).await? {
                None => return Ok(AccountRef { guid, dn: new.ou.below(&format!("CN={}", Dn::escape(&cn))) }),
                Some(free) => cn = free,
            }
        }
        Err(no_name_stayed_free(&new.ou))
    }

    /// `None`: the write took place. `Some`: the OU holds that common name; this one is free.
    async fn other_name(&self, done: Result<SqliteQueryResult, sqlx::Error>, ou: &Dn, cn: &str) -> PortResult<Option<String>> {
        match done.map_err(conflict) {
            Ok(done) if done.rows_affected() == 0 => Err(self.why_no_place(ou).await?),
            Ok(_) => Ok(None),
            Err(Ok(Conflict::Name)) => Err(name_taken()),
            Err(Ok(Conflict::Place)) => self.free_name(ou, cn).await.map(Some),
            Err(Err(error)) => Err(error),
        }
    }

    async fn free_name(&self, ou: &Dn, cn: &str) -> PortResult<String> {
        let stem = text::fold(text::clip(cn, MAX_CN - 8));
        let sql = "SELECT cn_key FROM account WHERE container = (SELECT id FROM container WHERE dn_key = ?1) \
             AND cn_key >= ?2 AND cn_key < ?2 || char(1114111)";
        let held: Vec<String> = sqlx::query_scalar(sql).bind(ou.folded()).bind(stem).fetch_all(&self.readers).await.map_err(unread)?;
        let held: HashSet<String> = held.into_iter().collect();
        let free = (2..u32::MAX).map(|number| numbered(cn, number)).find(|name| !held.contains(&text::fold(name)));
        free.ok_or_else(|| PortError::refused(Refusal::Other, format!("no common name is free in {ou}")))
    }

    async fn why_no_place(&self, ou: &Dn) -> PortResult<PortError> {
        let sql = "SELECT inside FROM container WHERE dn_key = ?1";
        let found: Option<bool> = sqlx::query_scalar(sql).bind(ou.folded()).fetch_optional(&self.readers).await.map_err(unread)?;
        Ok(match found {
            Some(false) => PortError::refused(Refusal::Rights, format!("{ou} is outside {}", self.base)),
            Some(true) => PortError::Unavailable(format!("{ou} changed meanwhile")),
            None => PortError::refused(Refusal::NotFound, format!("no OU {ou}")),
        })
    }

    /// Each of `named` as the schema has it; a manager that is there.
    async fn check_values(&self, attributes: &Attributes, named: impl Iterator<Item = Attribute>) -> PortResult<()> {
        for attribute in named {
            let Some(value) = attributes.get(attribute) else { continue };
            rules::check(attribute, value)?;
            let Value::Account(manager) = value else { continue };
            let sql = "SELECT EXISTS (SELECT 1 FROM account WHERE guid = ?1)";
            let there: bool = sqlx::query_scalar(sql).bind(&manager.0.as_bytes()[..]).fetch_one(&self.readers).await.map_err(unread)?;
            if !there {
                return Err(PortError::refused(Refusal::Value, format!("manager: no account {manager}")));
            }
        }
        Ok(())
    }

    /// Why Kimlik may not write the account, if that is so.
    pub(super) fn forbidden(&self, read: &Read) -> PortResult<()> {
        let account = &read.account;
        match &account.protected {
            Some(why) => Err(PortError::refused(Refusal::Rights, format!("{} is protected: {why}", account.dn))),
            None if !account.dn.is_within(&self.base) => {
                Err(PortError::refused(Refusal::Rights, format!("{} is outside {}", account.dn, self.base)))
            }
            None => Ok(()),
        }
    }

    pub(super) async fn write_changes(&self, guid: AccountGuid, changes: &[Change]) -> PortResult<()> {
        for _ in 0..TRIES {
            let read = self.read_one(guid).await?;
            self.forbidden(&read)?;
            let after = rules::apply(read.account.attributes.clone(), changes)?;
            self.check_values(&after, changes.iter().map(|change| change.attribute)).await?;
            if after == read.account.attributes || self.write_attributes(&read, &after).await? {
                return Ok(());
            }
        }
        Err(PortError::refused(Refusal::Changed, "somebody else keeps writing the account"))
    }

    /// False: the account has changed since it was read.
    pub(super) async fn write_attributes(&self, read: &Read, after: &Attributes) -> PortResult<bool> {
        let keys = Keys::of(after)?;
        let sql = "UPDATE account SET usn = (SELECT max(usn) + 1 FROM account), username_key = ?3, upn_key = ?4, employee_key = ?5, \
             display_key = ?6, addresses = ?7, attributes = ?8 WHERE guid = ?1 AND usn = ?2";
        let query = sqlx::query(sql).bind(&read.account.guid.0.as_bytes()[..]).bind(read.usn);
        let query = query.bind(&keys.username).bind(&keys.upn).bind(&keys.employee).bind(&keys.display);
        let done = query.bind(&keys.addresses).bind(json(after)?).execute(&self.writer).await;
        match done.map_err(conflict) {
            Ok(done) => Ok(done.rows_affected() == 1),
            Err(Ok(_)) => Err(name_taken()),
            Err(Err(error)) => Err(error),
        }
    }

    pub(super) async fn write_password(&self, guid: AccountGuid, password: &Zeroizing<String>) -> PortResult<()> {
        let read = self.read_one(guid).await?;
        self.forbidden(&read)?;
        rules::check_password(password, read.account.username())?;
        let stored = stored_password(password);
        let sql = "UPDATE account SET usn = (SELECT max(usn) + 1 FROM account), password = ?2 WHERE guid = ?1";
        let query = sqlx::query(sql).bind(&guid.0.as_bytes()[..]).bind(&stored[..]);
        query.execute(&self.writer).await.map_err(written).map(drop)
    }

    /// Whose user name and password these are; nobody's where the account is disabled.
    pub async fn check_password(&self, username: &str, password: &Zeroizing<String>) -> PortResult<Option<AccountGuid>> {
        let sql = "SELECT guid, password FROM account WHERE username_key = ?1 AND enabled AND password IS NOT NULL";
        let found = sqlx::query(sql).bind(text::fold(username)).fetch_optional(&self.readers).await.map_err(unread)?;
        // Why a hash for nobody: an unknown user name must not answer faster than a known one.
        let (guid, stored) = match &found {
            Some(row) => (row.try_get::<Vec<u8>, _>(0).map_err(unread)?, row.try_get::<Vec<u8>, _>(1).map_err(unread)?),
            None => (Vec::new(), vec![0; SALT + 32]),
        };
        let right = self.is_password(&stored, password);
        Ok(uuid::Uuid::from_slice(&guid).ok().filter(|_| right).map(AccountGuid))
    }

    /// `stored`: salt and hash.
    pub(super) fn is_password(&self, stored: &[u8], password: &str) -> bool {
        let (salt, hash) = stored.split_at(SALT.min(stored.len()));
        pbkdf2::verify(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, salt, password.as_bytes(), hash).is_ok()
    }

    pub(super) async fn write_enabled(&self, guid: AccountGuid, enabled: bool) -> PortResult<()> {
        let sql = "UPDATE account SET usn = (SELECT max(usn) + 1 FROM account), enabled = ?2 \
             WHERE guid = ?1 AND inside AND protected IS NULL AND enabled <> ?2 AND (password IS NOT NULL OR NOT ?2)";
        let done = sqlx::query(sql).bind(&guid.0.as_bytes()[..]).bind(enabled).execute(&self.writer).await.map_err(written)?;
        if done.rows_affected() == 1 {
            return Ok(());
        }
        let read = self.read_one(guid).await?;
        self.forbidden(&read)?;
        if read.account.enabled == enabled {
            return Ok(());
        }
        Err(PortError::refused(Refusal::Password, "an account without a password cannot be enabled"))
    }

    pub(super) async fn write_member(&self, guid: AccountGuid, group: &Dn) -> PortResult<()> {
        let sql = "INSERT OR IGNORE INTO member SELECT a.id, g.id FROM account a, grp g \
             WHERE a.guid = ?1 AND g.dn_key = ?2 AND a.inside AND a.protected IS NULL AND g.inside";
        let query = sqlx::query(sql).bind(&guid.0.as_bytes()[..]).bind(group.folded());
        if query.execute(&self.writer).await.map_err(written)?.rows_affected() == 1 {
            return Ok(());
        }
        let read = self.read_one(guid).await?;
        self.forbidden(&read)?;
        match self.group_inside(group).await? {
            None => Err(PortError::refused(Refusal::NotFound, format!("no group {group}"))),
            Some(false) => Err(PortError::refused(Refusal::Rights, format!("{group} is outside {}", self.base))),
            Some(true) => Ok(()),
        }
    }

    async fn group_inside(&self, group: &Dn) -> PortResult<Option<bool>> {
        let sql = "SELECT inside FROM grp WHERE dn_key = ?1";
        sqlx::query_scalar(sql).bind(group.folded()).fetch_optional(&self.readers).await.map_err(unread)
    }

    pub(super) async fn erase_member(&self, guid: AccountGuid, group: &Dn) -> PortResult<()> {
        let sql = "DELETE FROM member WHERE account = (SELECT id FROM account WHERE guid = ?1 AND inside AND protected IS NULL) \
             AND grp = (SELECT id FROM grp WHERE dn_key = ?2 AND inside)";
        let query = sqlx::query(sql).bind(&guid.0.as_bytes()[..]).bind(group.folded());
        if query.execute(&self.writer).await.map_err(written)?.rows_affected() == 1 {
            return Ok(());
        }
        let read = self.read_one(guid).await?;
        if !read.account.groups.contains(group) {
            return Ok(());
        }
        self.forbidden(&read)?;
        Err(PortError::refused(Refusal::Rights, format!("{group} is outside {}", self.base)))
    }

    pub(super) async fn write_place(&self, guid: AccountGuid, ou: &Dn, cn: &str) -> PortResult<Dn> {
        let read = self.read_one(guid).await?;
        self.forbidden(&read)?;
        let held = read.account.dn.name();
        if read.account.ou() == *ou && (held == cn || is_numbered(&held, cn)) {
            return Ok(read.account.dn);
        }
        let sql = "UPDATE account SET usn = (SELECT max(usn) + 1 FROM account), container = c.id, cn = ?3, cn_key = ?4 \
             FROM container c WHERE account.guid = ?1 AND account.inside AND account.protected IS NULL AND c.dn_key = ?2 AND c.inside";
        let mut name = checked_cn(cn)?;
        for _ in 0..TRIES {
            let query = sqlx::query(sql).bind(&guid.0.as_bytes()[..]).bind(ou.folded()).bind(&name).bind(text::fold(&name));
            match self.other_name(query.execute(&self.writer).await, ou, cn).await? {
                None => return Ok(ou.below(&format!("CN={}", Dn::escape(&name)))),
                Some(free) => name = free,
            }
        }
        Err(no_name_stayed_free(ou))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numbered_name_keeps_the_limit_and_is_known_again() {
        let long = "Abdurrahmangazi Karamustafapaşaoğlu Büyükkaraosmanoğullarından Ay";
        let long = text::clip(long, MAX_CN);
        assert!(text::utf16_len(&numbered(long, 1234)) <= MAX_CN);
        assert!(is_numbered(&numbered(long, 12), long));
        assert!(is_numbered("Ayşe Şahin 2", "Ayşe Şahin"));
        assert!(!is_numbered("Ayşe Şahin 1", "Ayşe Şahin") && !is_numbered("Ayşe Şahin", "Ayşe Şahin"));
    }
}
