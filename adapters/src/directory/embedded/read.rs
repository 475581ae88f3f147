//! Scans, look-ups and observations. Each answers from one statement, whatever the number asked for.
use super::rules::json;
use super::{EmbeddedDirectory, unread};
use async_trait::async_trait;
use futures_util::TryStreamExt;
use kimlik_domain::account::{Attribute, Attributes, Dn, LedgerName, NameKind, ObservedAccount};
use kimlik_domain::id::AccountGuid;
use kimlik_domain::ports::{FindBy, PhotoNews, Photos, PortError, PortResult, Scan, Watermark};
use kimlik_domain::text;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Row, SqlSafeStr};
use std::collections::HashSet;
use std::sync::Arc;
use uuid::Uuid;

/// The columns from which an account is read, in [`observed`]'s order.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT a.id, a.usn, a.guid, a.cn, c.dn, a.enabled, a.password IS NOT NULL, a.protected, a.address_policy, a.correlation, ",
            "a.attributes, (SELECT json_group_array(g.dn) FROM member m JOIN grp g ON g.id = m.grp WHERE m.account = a.id) ",
            "FROM account a JOIN container c ON c.id = a.container ",
            $rest
        )
    };
}

const PAGE: i64 = 1_000;

pub(super) struct Read {
    pub id: i64,
    pub usn: i64,
    pub account: ObservedAccount,
}

fn observed(row: &SqliteRow, correlated: bool) -> Result<Read, sqlx::Error> {
    let decode = |error: serde_json::Error| sqlx::Error::Decode(error.into());
    let guid: Vec<u8> = row.try_get(2)?;
    let (cn, ou): (String, String) = (row.try_get(3)?, row.try_get(4)?);
    let attributes: Attributes = serde_json::from_str(row.try_get(10)?).map_err(decode)?;
    let groups: Vec<Dn> = serde_json::from_str(row.try_get(11)?).map_err(decode)?;
    let correlation: Option<String> = row.try_get(9)?;
    let account = ObservedAccount {
        guid: AccountGuid(Uuid::from_slice(&guid).map_err(|error| sqlx::Error::Decode(error.into()))?),
        dn: Dn::new(format!("CN={},{ou}", Dn::escape(&cn))),
        enabled: row.try_get(5)?,
        password_set: row.try_get(6)?,
        protected: row.try_get::<Option<String>, _>(7)?.map(Arc::from),
        attributes,
        groups,
        correlation: correlation.filter(|_| correlated).map(Arc::from),
        address_policy: row.try_get(8)?,
    };
    Ok(Read { id: row.try_get(0)?, usn: row.try_get(1)?, account })
}

pub(super) fn hex(guids: impl IntoIterator<Item = AccountGuid>) -> PortResult<String> {
    json(&guids.into_iter().map(|guid| guid.0.simple().to_string()).collect::<Vec<_>>())
}

impl EmbeddedDirectory {
    pub(super) async fn read(&self, sql: impl SqlSafeStr, argument: String) -> PortResult<Vec<Read>> {
        let rows = sqlx::query(sql).bind(argument).fetch_all(&self.readers).await.map_err(unread)?;
        rows.iter().map(|row| observed(row, self.correlation.is_some())).collect::<Result<_, _>>().map_err(unread)
    }

    pub(super) async fn observe_guids(&self, accounts: &[AccountGuid]) -> PortResult<Vec<ObservedAccount>> {
        let sql = select!("WHERE a.guid IN (SELECT unhex(value) FROM json_each(?1))");
        Ok(self.read(sql, hex(accounts.iter().copied())?).await?.into_iter().map(|read| read.account).collect())
    }

    pub(super) async fn find_by(&self, by: &FindBy) -> PortResult<Vec<ObservedAccount>> {
        let folded = |values: &[Arc<str>]| values.iter().map(|v| text::fold(v)).collect::<Vec<_>>();
        let correlations: &[Arc<str>] = if self.correlation.is_some() { &by.correlations } else { &[] };
        let asked = serde_json::json!({
            "employee": folded(&by.employee_ids),
            "username": folded(&by.usernames),
            "display": folded(&by.display_names),
            "correlation": correlations,
            "cn": by.distinguished_names.iter().map(Dn::name).collect::<Vec<_>>(),
        });
        let sql = select!(
            "WHERE a.inside AND a.id IN (\
             SELECT id FROM account WHERE employee_key IN (SELECT value FROM json_each(?1, '$.employee')) \
             UNION SELECT id FROM account WHERE username_key IN (SELECT value FROM json_each(?1, '$.username')) \
             UNION SELECT id FROM account WHERE display_key IN (SELECT value FROM json_each(?1, '$.display')) \
             UNION SELECT id FROM account WHERE correlation IN (SELECT value FROM json_each(?1, '$.correlation')) \
             UNION SELECT id FROM account WHERE ?1 ->> '$.cn' <> '[]' AND cn COLLATE NOCASE IN (SELECT value FROM json_each(?1, '$.cn')))"
        );
        let found = self.read(sql, asked.to_string()).await?.into_iter().map(|read| read.account);
        // Why once more: of those of that common name, the one in that place.
        let by_cn_only = |a: &ObservedAccount| {
            let text = |attribute: Attribute| a.attributes.text(attribute).map(text::fold);
            let asked = |values: &[Arc<str>], held: Option<String>| held.is_some_and(|held| values.iter().any(|v| text::fold(v) == held));
            !asked(&by.employee_ids, text(Attribute::EmployeeId))
                && !asked(&by.usernames, text(Attribute::Username))
                && !asked(&by.display_names, text(Attribute::DisplayName))
                && !a.correlation.as_ref().is_some_and(|held| correlations.contains(held))
        };
        Ok(found.filter(|a| by.distinguished_names.contains(&a.dn) || by.distinguished_names.is_empty() || !by_cn_only(a)).collect())
    }

    pub(super) async fn which_are_taken(&self, names: &[LedgerName]) -> PortResult<HashSet<LedgerName>> {
        // Why: a user name is also taken where it stands before the `@` of somebody's UPN, an address where it is one whole.
        let asked: Vec<[String; 3]> = names
            .iter()
            .map(|name| {
                let key = name.folded();
                match name.kind {
                    NameKind::Username => [key.clone(), text::fold(&format!("{key}@{}", self.upn_suffix)), String::new()],
                    NameKind::Address => [String::new(), key.clone(), key],
                }
            })
            .collect();
        let sql = "SELECT key FROM json_each(?1) WHERE \
             EXISTS (SELECT 1 FROM account WHERE username_key = value ->> 0) OR EXISTS (SELECT 1 FROM grp WHERE name_key = value ->> 0) \
             OR EXISTS (SELECT 1 FROM account WHERE upn_key = value ->> 1) OR EXISTS (SELECT 1 FROM address WHERE address_key = value ->> 2)";
        let taken: Vec<i64> = sqlx::query_scalar(sql).bind(json(&asked)?).fetch_all(&self.readers).await.map_err(unread)?;
        Ok(taken.into_iter().filter_map(|at| usize::try_from(at).ok().and_then(|at| names.get(at)).cloned()).collect())
    }

    pub(super) async fn which_others_carry(&self, account: AccountGuid, addresses: &[Arc<str>]) -> PortResult<HashSet<Arc<str>>> {
        let keys: Vec<String> = addresses.iter().map(|address| text::fold(address)).collect();
        let sql = "SELECT key FROM json_each(?1) WHERE EXISTS (SELECT 1 FROM address JOIN account ON account.id = address.account \
             WHERE address_key = value AND account.guid NOT IN (SELECT unhex(value) FROM json_each(?2)))";
        let taken = sqlx::query_scalar(sql).bind(json(&keys)?).bind(hex([account])?).fetch_all(&self.readers).await;
        let taken: Vec<i64> = taken.map_err(unread)?;
        Ok(taken.into_iter().filter_map(|at| usize::try_from(at).ok().and_then(|at| addresses.get(at)).cloned()).collect())
    }

    /// Where it stands, and from where a reader who was at `since` goes on; `None`: from the beginning.
    async fn stand(&self, since: Option<&Watermark>) -> PortResult<(Watermark, Option<i64>)> {
        let highest: i64 =
            sqlx::query_scalar("SELECT coalesce(max(usn), 0) FROM account").fetch_one(&self.readers).await.map_err(unread)?;
        // Why: a mark above the highest number is one of a file that was since put back from a copy.
        let after = since.filter(|mark| mark.source == self.invocation).and_then(|mark| i64::try_from(mark.usn).ok());
        let watermark = Watermark { source: self.invocation.clone(), usn: highest.unsigned_abs() };
        Ok((watermark, after.filter(|usn| *usn <= highest)))
    }

    pub(super) async fn start_scan(&self, since: Option<&Watermark>) -> PortResult<Box<dyn Scan>> {
        let (watermark, after) = self.stand(since).await?;
        Ok(Box::new(EmbeddedScan {
            readers: self.readers.clone(),
            correlated: self.correlation.is_some(),
            watermark,
            incremental: after.is_some(),
            at: after.or(Some(0)),
        }))
    }
}

#[async_trait]
impl Photos for EmbeddedDirectory {
    async fn photo_news(&self, since: Option<&Watermark>) -> PortResult<PhotoNews> {
        let (watermark, after) = self.stand(since).await?;
        let sql = match after {
            Some(_) => {
                "SELECT a.guid, p.account IS NOT NULL FROM account a LEFT JOIN photo p ON p.account = a.id WHERE a.inside AND a.usn > ?1"
            }
            None => "SELECT a.guid, TRUE FROM photo p JOIN account a ON a.id = p.account WHERE a.inside",
        };
        let query = sqlx::query(sql);
        // Why one by one: as rows, those of a whole ministry are sixty megabytes.
        let mut rows = if let Some(after) = after { query.bind(after) } else { query }.fetch(&self.readers);
        let (mut with, mut without) = (Vec::new(), Vec::new());
        while let Some(row) = rows.try_next().await.map_err(unread)? {
            let (guid, has_one): (Vec<u8>, bool) = (row.try_get(0).map_err(unread)?, row.try_get(1).map_err(unread)?);
            let guid = AccountGuid(Uuid::from_slice(&guid).map_err(|error| unread(sqlx::Error::Decode(error.into())))?);
            if has_one { with.push(guid) } else { without.push(guid) }
        }
        Ok(PhotoNews { watermark, is_incremental: after.is_some(), with, without })
    }

    async fn photos(&self, accounts: &[AccountGuid]) -> PortResult<Vec<(AccountGuid, Vec<u8>)>> {
        let sql = "SELECT a.guid, p.octets FROM photo p JOIN account a ON a.id = p.account WHERE a.guid IN (SELECT unhex(value) FROM json_each(?1))";
        let rows = sqlx::query(sql).bind(hex(accounts.iter().copied())?).fetch_all(&self.readers).await.map_err(unread)?;
        let photo = |row: &SqliteRow| {
            let (guid, octets): (Vec<u8>, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
            Ok((AccountGuid(Uuid::from_slice(&guid).map_err(|error| sqlx::Error::Decode(error.into()))?), octets))
        };
        rows.iter().map(photo).collect::<Result<_, sqlx::Error>>().map_err(unread)
    }
}

/// A full scan goes by row, one of changes by change number; both go on after the last one seen.
struct EmbeddedScan {
    readers: SqlitePool,
    correlated: bool,
    watermark: Watermark,
    incremental: bool,
    /// `None`: at the end.
    at: Option<i64>,
}

#[async_trait]
impl Scan for EmbeddedScan {
    async fn next_page(&mut self) -> PortResult<Option<Vec<ObservedAccount>>> {
        let Some(at) = self.at else { return Ok(None) };
        let query = if self.incremental {
            // Why not beyond the watermark: what changes meanwhile is the next scan's, and this one ends.
            sqlx::query(select!("WHERE a.usn > ?1 AND a.usn <= ?3 AND a.inside ORDER BY a.usn LIMIT ?2"))
        } else {
            sqlx::query(select!("WHERE a.id > ?1 AND a.inside ORDER BY a.id LIMIT ?2"))
        };
        let highest = i64::try_from(self.watermark.usn).unwrap_or(i64::MAX);
        let query = query.bind(at).bind(PAGE);
        let query = if self.incremental { query.bind(highest) } else { query };
        let rows = query.fetch_all(&self.readers).await.map_err(unread)?;
        let page: Vec<Read> = rows.iter().map(|row| observed(row, self.correlated)).collect::<Result<_, _>>().map_err(unread)?;
        self.at = page.last().map(|last| if self.incremental { last.usn } else { last.id });
        Ok((!page.is_empty()).then(|| page.into_iter().map(|read| read.account).collect()))
    }
    fn watermark(&self) -> Watermark {
        self.watermark.clone()
    }
    fn is_incremental(&self) -> bool {
        self.incremental
    }
}

impl EmbeddedDirectory {
    /// The account with its change number, for a write that must meet it unchanged.
    pub(super) async fn read_one(&self, guid: AccountGuid) -> PortResult<Read> {
        let sql = select!("WHERE a.guid IN (SELECT unhex(value) FROM json_each(?1))");
        let missing = || PortError::refused(kimlik_domain::ports::Refusal::NotFound, format!("no account {guid}"));
        self.read(sql, hex([guid])?).await?.into_iter().next().ok_or_else(missing)
    }
}
