//! The account behind a record: how it stands, and what the directory shows of it.
use super::adoption::AdoptionOrder;
use super::card::AccountState;
use super::error::{Maybe, fault};
use super::operation::ReceiptLine;
use super::{allows, house};
use async_graphql::{Context, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use kimlik_domain::access::{About, Deed};
use kimlik_domain::account;
use kimlik_domain::lifecycle::ActionKind;
use kimlik_domain::lifecycle::run::OperationStatus;
use kimlik_domain::lifecycle::suspension::Suspension;
use kimlik_domain::password::PasswordFacts;
use kimlik_domain::ports::OperationsOf;
use tokio::sync::OnceCell;

/// The account of a member of staff.
pub struct Account {
    account: account::Account,
    suspension: Option<Suspension>,
    about: About,
    /// Asked of the directory once, however many fields want them.
    facts: OnceCell<Option<PasswordFacts>>,
}

/// A suspension that somebody ordered.
#[derive(SimpleObject)]
pub struct AccountSuspension {
    /// When.
    since: DateTime<Utc>,
    /// Who, as in the audit.
    ordered_by: String,
    /// Why.
    reason: String,
}

/// What was done at the closing, and what could not be ended.
#[derive(SimpleObject)]
pub struct ClosureReceipt {
    /// When it was decided.
    decided_at: DateTime<Utc>,
    /// Null: not everything is done yet.
    done_at: Option<DateTime<Utc>>,
    /// Every step with its time.
    steps: Vec<ReceiptLine>,
}

/// What the directory shows.
#[derive(SimpleObject)]
pub struct DirectoryFacts {
    /// objectGUID: the only name of an account that never changes.
    guid: uuid::Uuid,
    /// Where it stands.
    distinguished_name: String,
    /// Whether it works.
    enabled: bool,
    /// The groups that it is a direct member of, by distinguished name.
    groups: Vec<String>,
    /// When it was looked at.
    observed_at: DateTime<Utc>,
}

impl Account {
    pub fn of(account: account::Account, suspension: Option<Suspension>, about: About) -> Account {
        Account { account, suspension, about, facts: OnceCell::new() }
    }

    async fn facts(&self, ctx: &Context<'_>) -> Result<Option<&PasswordFacts>> {
        let Some(guid) = self.account.guid else { return Ok(None) };
        let passwords = &house(ctx)?.desk.passwords;
        let facts = self.facts.get_or_try_init(|| passwords.password_facts(guid)).await;
        facts.map(Option::as_ref).map_err(|e| fault(ctx, &e))
    }
}

/// More operations than a person has between a closing and now.
const LATEST: u32 = 100;

#[Object]
/// The account of a member of staff (kullanıcı hesabı).
impl Account {
    /// The user name, reserved before the account is there.
    async fn username(&self) -> &str {
        &self.account.names.username
    }
    /// The primary address.
    async fn email(&self) -> &str {
        &self.account.names.mail
    }
    /// As Kimlik last settled it.
    async fn state(&self) -> AccountState {
        self.account.state.into()
    }
    /// The suspension by order that stands; null: none.
    async fn suspension(&self) -> Option<AccountSuspension> {
        let standing = self.suspension.as_ref().filter(|s| s.is_in_force())?;
        Some(AccountSuspension { since: standing.since, ordered_by: standing.by.to_string(), reason: standing.reason.to_string() })
    }
    /// The order that an existing account becomes this person's, until it is carried out; null: none waits.
    async fn adoption(&self) -> Option<AdoptionOrder> {
        self.account.adopt.as_ref().filter(|_| self.account.guid.is_none()).map(AdoptionOrder::of)
    }
    /// After too many wrong passwords. Asked of the directory; null: there is no account.
    async fn locked(&self, ctx: &Context<'_>) -> Maybe<bool> {
        self.facts(ctx).await.map(|f| f.map(|f| f.locked)).transpose()
    }
    /// At the next sign-in. Asked of the directory; null: there is no account.
    async fn must_change_password(&self, ctx: &Context<'_>) -> Maybe<bool> {
        self.facts(ctx).await.map(|f| f.map(|f| f.must_change)).transpose()
    }
    /// Asked of the directory; null: never, or there is no account.
    async fn password_expires_at(&self, ctx: &Context<'_>) -> Maybe<DateTime<Utc>> {
        self.facts(ctx).await.map(|f| f.and_then(|f| f.expires_at)).transpose()
    }
    /// When it was opened, the last time.
    async fn opened_at(&self) -> Option<DateTime<Utc>> {
        self.account.opened_at
    }
    /// When it was closed; null: it is not.
    async fn closed_at(&self) -> Option<DateTime<Utc>> {
        self.account.closed_at
    }
    /// For leavers: what was done, with its time. Who may read operations.
    #[graphql(complexity = "10 + child_complexity")]
    async fn closure(&self, ctx: &Context<'_>) -> Maybe<ClosureReceipt> {
        if !allows(ctx, Deed::ReadOperation, self.about) {
            return None;
        }
        closure(ctx, self).await.transpose()
    }
    /// What the directory shows of it now; null: there is no account.
    #[graphql(complexity = "10 + child_complexity")]
    async fn directory(&self, ctx: &Context<'_>) -> Maybe<DirectoryFacts> {
        directory(ctx, self).await.transpose()
    }
}

async fn closure(ctx: &Context<'_>, of: &Account) -> Result<Option<ClosureReceipt>> {
    if of.account.state != account::AccountState::Closed {
        return Ok(None);
    }
    let whose = OperationsOf::Person(of.account.person);
    let operations = house(ctx)?.store.operations(whose, None, LATEST).await.map_err(|e| fault(ctx, &e))?;
    let closing = operations.into_iter().find(|o| matches!(o.kind, ActionKind::Close | ActionKind::Withdraw));
    Ok(closing.map(|o| ClosureReceipt {
        decided_at: o.created_at,
        done_at: o.settled_at.filter(|_| o.status == OperationStatus::Done),
        steps: o.receipt.into_iter().map(Into::into).collect(),
    }))
}

async fn directory(ctx: &Context<'_>, of: &Account) -> Result<Option<DirectoryFacts>> {
    let Some(guid) = of.account.guid else { return Ok(None) };
    let house = house(ctx)?;
    let observed_at = house.clock.now();
    let seen = house.directory.observe(&[guid]).await.map_err(|e| fault(ctx, &e))?;
    Ok(seen.into_iter().next().map(|seen| DirectoryFacts {
        guid: guid.0,
        distinguished_name: seen.dn.to_string(),
        enabled: seen.enabled,
        groups: seen.groups.iter().map(ToString::to_string).collect(),
        observed_at,
    }))
}
