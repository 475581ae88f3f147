//! What people do in a directory with their own hands, past Kimlik: for the demo and for tests. No right is asked here.
use super::rules::{Keys, json};
use super::write::stored_password;
use super::{EmbeddedDirectory, random, unread, written};
use chrono::{DateTime, TimeDelta, Utc};
use kimlik_domain::account::{Attribute, Attributes, Dn, ObservedAccount, Value};
use kimlik_domain::id::AccountGuid;
use kimlik_domain::ports::{PortError, PortResult, Refusal, Scan};
use kimlik_domain::text;
use zeroize::Zeroizing;

/// An account that Kimlik did not make.
#[derive(Clone, Debug)]
pub struct Foreign {
    /// Its OU is made with it, outside the base too.
    pub dn: Dn,
    pub attributes: Attributes,
    pub enabled: bool,
    pub protected: Option<String>,
    pub correlation: Option<String>,
    pub address_policy: bool,
    pub groups: Vec<Dn>,
}

impl Foreign {
    /// Enabled, with nothing but a user name.
    pub fn new(dn: Dn, username: &str) -> Foreign {
        let mut attributes = Attributes::default();
        attributes.set(Attribute::Username, Some(Value::text(username)));
        Foreign { dn, attributes, enabled: true, protected: None, correlation: None, address_policy: false, groups: Vec::new() }
    }
    pub fn with(mut self, attribute: Attribute, value: Value) -> Foreign {
        self.attributes.set(attribute, Some(value));
        self
    }
}

fn is_smtp(address: &str) -> bool {
    address.get(..5).is_some_and(|prefix| prefix.eq_ignore_ascii_case("smtp:"))
}

impl EmbeddedDirectory {
    pub async fn insert_foreign(&self, foreign: &Foreign) -> PortResult<AccountGuid> {
        let guid = AccountGuid(uuid::Builder::from_random_bytes(random()).into_uuid());
        let ou = foreign.dn.parent().unwrap_or_else(|| self.base.clone());
        self.ensure_containers(std::slice::from_ref(&ou)).await?;
        self.ensure_groups(&foreign.groups).await?;
        let keys = Keys::of(&foreign.attributes)?;
        let cn = foreign.dn.name();
        let sql = "INSERT INTO account (usn, guid, container, inside, cn, cn_key, enabled, password, protected, address_policy, correlation, \
             username_key, upn_key, employee_key, display_key, addresses, attributes) \
             SELECT (SELECT coalesce(max(usn), 0) + 1 FROM account), ?1, c.id, c.inside, ?3, ?4, ?5, zeroblob(48), ?6, ?7, ?8, ?9, ?10, \
             ?11, ?12, ?13, ?14 FROM container c WHERE c.dn_key = ?2";
        let query = sqlx::query(sql).bind(&guid.0.as_bytes()[..]).bind(ou.folded()).bind(&cn).bind(text::fold(&cn));
        let query = query.bind(foreign.enabled).bind(&foreign.protected).bind(foreign.address_policy).bind(&foreign.correlation);
        let query = query.bind(&keys.username).bind(&keys.upn).bind(&keys.employee).bind(&keys.display).bind(&keys.addresses);
        query.bind(json(&foreign.attributes)?).execute(&self.writer).await.map_err(written)?;
        for group in &foreign.groups {
            self.hand_group(guid, group, true).await?;
        }
        Ok(guid)
    }

    /// How old a password may become; `None`: as old as it likes.
    pub async fn hand_maximum_password_age(&self, age: Option<TimeDelta>) -> PortResult<()> {
        let sql = "DELETE FROM setting WHERE name = 'maximum_password_age'";
        sqlx::query(sql).execute(&self.writer).await.map_err(written)?;
        let Some(age) = age else { return Ok(()) };
        let sql = "INSERT INTO setting (name, value) VALUES ('maximum_password_age', ?1)";
        sqlx::query(sql).bind(age.num_seconds().to_string()).execute(&self.writer).await.map_err(written).map(drop)
    }

    /// As if the password had been set at that time.
    pub async fn hand_password_set(&self, guid: AccountGuid, at: DateTime<Utc>) -> PortResult<()> {
        let sql = "INSERT OR REPLACE INTO password_age (account, set_at) SELECT id, ?2 FROM account WHERE guid = ?1";
        sqlx::query(sql).bind(&guid.0.as_bytes()[..]).bind(at.timestamp()).execute(&self.writer).await.map_err(written).map(drop)
    }

    /// Sets an attribute to anything, or clears it. Addresses of other kinds than SMTP are kept apart, as the port has it.
    pub async fn hand_edit(&self, guid: AccountGuid, attribute: Attribute, value: Option<Value>) -> PortResult<()> {
        let read = self.read_one(guid).await?;
        let mut after = read.account.attributes.clone();
        match value {
            Some(Value::List(values)) if attribute == Attribute::ProxyAddresses => {
                let (own, others): (Vec<_>, Vec<_>) = values.iter().cloned().partition(|v| is_smtp(v));
                after.set(attribute, Some(Value::list(own)));
                let sql = "UPDATE account SET other_addresses = ?2 WHERE guid = ?1";
                let query = sqlx::query(sql).bind(&guid.0.as_bytes()[..]).bind(json(&others)?);
                query.execute(&self.writer).await.map_err(written)?;
            }
            value => after.set(attribute, value),
        }
        self.write_attributes(&read, &after).await.map(drop)
    }

    /// Sets thumbnailPhoto to anything, or takes it away.
    pub async fn hand_photo(&self, guid: AccountGuid, octets: Option<&[u8]>) -> PortResult<()> {
        let guid = &guid.0.as_bytes()[..];
        let mut transaction = self.writer.begin().await.map_err(written)?;
        let changed = match octets {
            Some(octets) => {
                let set = "INSERT INTO photo SELECT id, ?2 FROM account WHERE guid = ?1 ON CONFLICT (account) DO UPDATE SET octets = excluded.octets";
                sqlx::query(set).bind(guid).bind(octets)
            }
            None => sqlx::query("DELETE FROM photo WHERE account IN (SELECT id FROM account WHERE guid = ?1)").bind(guid),
        };
        changed.execute(&mut *transaction).await.map_err(written)?;
        let touch = "UPDATE account SET usn = (SELECT max(usn) + 1 FROM account) WHERE guid = ?1";
        if sqlx::query(touch).bind(guid).execute(&mut *transaction).await.map_err(written)?.rows_affected() == 0 {
            return Err(PortError::refused(Refusal::NotFound, "there is no such account"));
        }
        transaction.commit().await.map_err(written)
    }

    /// All values of an attribute, those that the port shows to nobody too.
    pub async fn raw(&self, guid: AccountGuid, attribute: Attribute) -> PortResult<Vec<String>> {
        let read = self.read_one(guid).await?;
        let mut values: Vec<String> = match read.account.attributes.get(attribute) {
            None => Vec::new(),
            Some(Value::List(values)) => values.iter().map(|v| v.to_string()).collect(),
            Some(value) => vec![value.to_string()],
        };
        if attribute == Attribute::ProxyAddresses {
            let sql = "SELECT value FROM account, json_each(other_addresses) WHERE guid = ?1";
            let query = sqlx::query_scalar::<_, String>(sql).bind(&guid.0.as_bytes()[..]);
            values.extend(query.fetch_all(&self.readers).await.map_err(unread)?);
        }
        Ok(values)
    }

    /// Moves it, out of the base too; the OU is made if it is not there.
    pub async fn hand_move(&self, guid: AccountGuid, ou: &Dn) -> PortResult<()> {
        self.ensure_containers(std::slice::from_ref(ou)).await?;
        let sql = "UPDATE account SET usn = (SELECT max(usn) + 1 FROM account), container = c.id, inside = c.inside FROM container c \
             WHERE account.guid = ?1 AND c.dn_key = ?2";
        let query = sqlx::query(sql).bind(&guid.0.as_bytes()[..]).bind(ou.folded());
        query.execute(&self.writer).await.map_err(written).map(drop)
    }

    /// Puts it into a group or takes it out; the group is made if it is not there.
    pub async fn hand_group(&self, guid: AccountGuid, group: &Dn, member: bool) -> PortResult<()> {
        self.ensure_groups(std::slice::from_ref(group)).await?;
        let sql = if member {
            "INSERT OR IGNORE INTO member SELECT a.id, g.id FROM account a, grp g WHERE a.guid = ?1 AND g.dn_key = ?2"
        } else {
            "DELETE FROM member WHERE account = (SELECT id FROM account WHERE guid = ?1) AND grp = (SELECT id FROM grp WHERE dn_key = ?2)"
        };
        let query = sqlx::query(sql).bind(&guid.0.as_bytes()[..]).bind(group.folded());
        query.execute(&self.writer).await.map_err(written).map(drop)
    }

    pub async fn hand_enable(&self, guid: AccountGuid, enabled: bool) -> PortResult<()> {
        let sql = "UPDATE account SET usn = (SELECT max(usn) + 1 FROM account), enabled = ?2 WHERE guid = ?1";
        let query = sqlx::query(sql).bind(&guid.0.as_bytes()[..]).bind(enabled);
        query.execute(&self.writer).await.map_err(written).map(drop)
    }

    /// Gives it a password, wherever it stands.
    pub async fn hand_password(&self, guid: AccountGuid, password: &Zeroizing<String>) -> PortResult<()> {
        let sql = "UPDATE account SET usn = (SELECT max(usn) + 1 FROM account), password = ?2 WHERE guid = ?1";
        let stored = stored_password(password);
        let query = sqlx::query(sql).bind(&guid.0.as_bytes()[..]).bind(&stored[..]);
        query.execute(&self.writer).await.map_err(written).map(drop)
    }

    /// Makes it one that Kimlik may not write (as adminCount does), or an ordinary one again.
    pub async fn set_protected(&self, guid: AccountGuid, why: Option<&str>) -> PortResult<()> {
        let sql = "UPDATE account SET usn = (SELECT max(usn) + 1 FROM account), protected = ?2 WHERE guid = ?1";
        let query = sqlx::query(sql).bind(&guid.0.as_bytes()[..]).bind(why);
        query.execute(&self.writer).await.map_err(written).map(drop)
    }

    /// Everything under the base in one list: for small directories.
    pub async fn everybody(&self) -> PortResult<Vec<ObservedAccount>> {
        let mut scan: Box<dyn Scan> = self.start_scan(None).await?;
        let mut all = Vec::new();
        while let Some(page) = scan.next_page().await? {
            all.extend(page);
        }
        Ok(all)
    }

    /// How many accounts there are, outside the base too.
    pub async fn headcount(&self) -> PortResult<u64> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM account").fetch_one(&self.readers).await.map_err(unread)?;
        Ok(count.unsigned_abs())
    }
}
