//! Kimlik's memory in SQL, on SQLite and PostgreSQL alike: one file a noun, entities known to nobody else. What is kept,
//! not what is done: rules stand in the domain.
mod account;
mod announcement;
mod audit;
mod card;
mod challenge;
mod courier;
mod decision;
mod drift;
mod event;
mod fault;
mod feed;
mod grant;
mod hand;
mod hold;
mod hr_photo;
mod idempotency;
mod inspect;
mod issue;
mod ledger;
mod link;
mod mailbox;
mod memory;
mod message;
mod national_id;
mod operation;
mod password;
mod person;
mod phone;
mod photo;
mod pin;
mod roster;
mod round;
mod run;
mod service_account;
mod session;
mod settle;
mod standing;
mod submission;
mod suspension;
mod unit;
mod vault;
mod watch;
mod webhook;
mod work;

pub use vault::StoreKeys;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use fault::failed;
use kimlik_domain::access::idempotency::{ClientKey, KeyState};
use kimlik_domain::account::adoption::{Adopted, Adoption, Withdrawn};
use kimlik_domain::account::rename::{Rename, Renamed};
use kimlik_domain::account::{LedgerName, NameKind, Names};
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::card::drift::CardDrift;
use kimlik_domain::card::hr_photo::ShelvedPhoto;
use kimlik_domain::day::Day;
use kimlik_domain::id::{AccountGuid, HoldId, IssueId, MessageId, OperationId, PersonId, RunId};
use kimlik_domain::lifecycle::ActionKind;
use kimlik_domain::lifecycle::hold::{Hold, HoldDecision, HoldItem, HoldRequest, HoldStatus};
use kimlik_domain::lifecycle::limits::{Budget, Cap, Population, Spent};
use kimlik_domain::lifecycle::run::{Intent, OperationRecord, PersonSettlement, Run};
use kimlik_domain::lifecycle::suspension::{Order, Ordered};
use kimlik_domain::message::Message;
use kimlik_domain::ports::{
    CardEntry, CardText, Cards, CardsHead, Claim, IssueFilter, IssueScope, IssueTrend, KeptPhoto, Left, ListedIssue, Mark, MessageFilter,
    NameRequest, OpenIssue, OperationFilter, OperationsOf, PeopleBy, PersonRecord, PhotoBook, PhotoShelf, PortResult, Records, Seal, Store,
    Urgency, Watermark,
};
use kimlik_domain::staff::intake::{CensusLine, KnownPerson, RosterSave};
use kimlik_domain::staff::{DataIssue, NationalId, RegistryNo, Units};
use kimlik_migrations::Migrator;
use link::Link;
use sea_orm::{ConnectionTrait, DbBackend};
use sea_orm_migration::MigratorTrait;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;
use vault::Vault;

/// The store on one database, with its pool of connections.
pub struct SqlStore {
    link: Link,
    vault: Vault,
}

impl SqlStore {
    /// `sqlite://path` (made if missing) or `postgres://…`. The schema is not touched: see [`SqlStore::migrate`].
    pub async fn connect(url: &str, keys: StoreKeys) -> PortResult<SqlStore> {
        Ok(SqlStore { vault: Vault::new(&keys)?, link: Link::connect(url).await? })
    }

    /// Applies what is missing, all or nothing, and answers the names. Safe to be called by several at a time.
    pub async fn migrate(&self) -> PortResult<Vec<String>> {
        let writing = self.link.write().await?;
        if writing.txn.get_database_backend() == DbBackend::Postgres {
            // Any number will do that nobody else takes: "kimlik" in ASCII.
            writing.txn.execute_unprepared("SELECT pg_advisory_xact_lock(118113583884651)").await.map_err(failed("locking"))?;
        }
        let pending = pending(&writing.txn).await?;
        if !pending.is_empty() {
            Migrator::up(&writing.txn, None).await.map_err(failed("changing the schema"))?;
        }
        writing.commit().await?;
        Ok(pending)
    }

    /// Migrations of this version that the database lacks. Writes nothing.
    pub async fn pending_migrations(&self) -> PortResult<Vec<String>> {
        pending(&self.link.db).await
    }
}

async fn pending(db: &impl ConnectionTrait) -> PortResult<Vec<String>> {
    let pending = Migrator::get_pending_migrations_read_only(db).await.map_err(failed("reading the schema's version"))?;
    Ok(pending.iter().map(|m| m.name().to_owned()).collect())
}

#[async_trait]
impl Store for SqlStore {
    async fn units(&self) -> PortResult<Units> {
        unit::all(&self.link.db).await
    }
    async fn feed_position(&self, feed: &str) -> PortResult<Option<String>> {
        feed::position(&self.link.db, feed).await
    }
    fn mark(&self, id: &NationalId) -> Mark {
        self.vault.mark(id)
    }
    async fn known(&self, registry_nos: &[RegistryNo], marks: &[Mark]) -> PortResult<Vec<KnownPerson>> {
        roster::known(&self.link.db, registry_nos, marks).await
    }
    async fn census(&self) -> PortResult<Vec<CensusLine>> {
        roster::census(&self.link.db).await
    }
    async fn save_roster(&self, save: RosterSave) -> PortResult<()> {
        roster::save(&self.link, &self.vault, save).await
    }

    async fn people(&self, by: PeopleBy<'_>) -> PortResult<Vec<PersonRecord>> {
        person::people(&self.link.db, by).await
    }
    async fn accounts_of(&self, registry_nos: &[RegistryNo]) -> PortResult<HashMap<RegistryNo, AccountGuid>> {
        account::of_managers(&self.link.db, registry_nos).await
    }
    async fn reserve(&self, requests: &[NameRequest], commit: bool) -> PortResult<Vec<Option<Names>>> {
        ledger::reserve(&self.link, requests, commit).await
    }
    async fn bar_name(&self, person: PersonId, name: &LedgerName) -> PortResult<()> {
        ledger::bar(&self.link, person, name).await
    }
    async fn population(&self) -> PortResult<Population> {
        account::population(&self.link.db).await
    }
    async fn spent(&self, budgets: &[Budget], since: DateTime<Utc>) -> PortResult<Spent> {
        operation::counted(&self.link.db, budgets, since).await
    }

    async fn begin_run(&self, run: &Run, until: DateTime<Utc>) -> PortResult<()> {
        run::save(&self.link, run, Some(until)).await
    }
    async fn keep_run(&self, run: RunId, until: DateTime<Utc>) -> PortResult<()> {
        run::keep(&self.link, run, until).await
    }
    async fn finish_run(&self, run: &Run) -> PortResult<()> {
        run::save(&self.link, run, None).await
    }
    async fn interrupt_lost(&self, now: DateTime<Utc>) -> PortResult<Vec<RunId>> {
        run::interrupt(&self.link, now).await
    }
    async fn intend(&self, intents: &[Intent], caps: &[Cap], since: DateTime<Utc>) -> PortResult<Vec<usize>> {
        operation::intend(&self.link, intents, caps, since).await
    }
    async fn settle(&self, settlements: Vec<PersonSettlement>) -> PortResult<()> {
        settle::settle(&self.link, &self.vault, settlements).await
    }
    async fn save_issues(&self, about: IssueScope<'_>, found: &[DataIssue], now: DateTime<Utc>) -> PortResult<()> {
        let writing = self.link.write().await?;
        issue::save(&writing, about, found, now).await?;
        writing.commit().await
    }
    async fn save_holds(&self, run: RunId, held: &[HoldRequest], complete: bool, now: DateTime<Utc>) -> PortResult<()> {
        hold::save(&self.link, run, held, complete, now).await
    }
    async fn decide_hold(&self, hold: HoldId, decision: &HoldDecision, now: DateTime<Utc>) -> PortResult<Hold> {
        hold::decide(&self.link, hold, decision, now).await
    }
    async fn drifting(&self, of: Option<&[PersonId]>) -> PortResult<HashSet<PersonId>> {
        drift::drifting(&self.link.db, of).await
    }
    async fn save_drift(&self, found: &[CardDrift], gone: &[PersonId]) -> PortResult<()> {
        drift::save(&self.link, found, gone).await
    }
    async fn photo_written(&self, account: AccountGuid, octets: Option<&[u8]>) -> PortResult<()> {
        match octets {
            Some(octets) => photo::keep(&self.link, &[(account, octets.to_vec())], &[], None).await,
            None => photo::keep(&self.link, &[], &[account], None).await,
        }
    }
    async fn note_cards(&self, day: Day, at: DateTime<Utc>) -> PortResult<()> {
        drift::note(&self.link, day, at).await
    }
    async fn lapse_decisions(&self, lapsed: &[(PersonId, ActionKind, String)]) -> PortResult<()> {
        decision::lapse(&self.link, lapsed).await
    }

    async fn wake(&self, people: &[(PersonId, DateTime<Utc>)]) -> PortResult<()> {
        work::wake_anew(&self.link, people).await
    }
    async fn claim(&self, now: DateTime<Utc>, until: DateTime<Utc>, limit: u32) -> PortResult<Vec<Claim>> {
        work::claim(&self.link, now, until, limit).await
    }
    async fn claim_these(&self, people: &[PersonId], until: DateTime<Utc>) -> PortResult<Vec<Claim>> {
        work::claim_these(&self.link, people, until).await
    }
    async fn renew_claims(&self, claims: &[Claim], until: DateTime<Utc>) -> PortResult<Vec<PersonId>> {
        work::renew(&self.link, claims, until).await
    }
    async fn take_hand(&self, holder: Uuid, now: DateTime<Utc>, until: DateTime<Utc>) -> PortResult<bool> {
        hand::take(&self.link, holder, now, until).await
    }
    async fn keep_hand(&self, holder: Uuid, until: DateTime<Utc>) -> PortResult<bool> {
        hand::keep(&self.link, holder, until).await
    }
    async fn let_go_of_hand(&self, holder: Uuid) -> PortResult<()> {
        hand::let_go(&self.link, holder).await
    }
    async fn release(&self, done: &[(Claim, Option<DateTime<Utc>>)]) -> PortResult<()> {
        work::release(&self.link, done).await
    }
    async fn full_run_due(&self) -> PortResult<Option<i64>> {
        memory::full_run_due(&self.link.db).await
    }
    async fn request_full_run(&self) -> PortResult<()> {
        let writing = self.link.write().await?;
        memory::request_full_run(&writing).await?;
        writing.commit().await
    }
    async fn full_run_done(&self, number: i64) -> PortResult<()> {
        memory::full_run_done(&self.link, number).await
    }
    async fn watermark(&self) -> PortResult<Option<Watermark>> {
        memory::watermark(&self.link.db).await
    }
    async fn save_watermark(&self, mark: &Watermark) -> PortResult<()> {
        memory::save_watermark(&self.link, mark).await
    }

    async fn runs(&self, before: Option<RunId>, limit: u32) -> PortResult<Vec<Run>> {
        run::list(&self.link.db, before, limit).await
    }
    async fn operations(&self, of: OperationsOf, before: Option<OperationId>, limit: u32) -> PortResult<Vec<OperationRecord>> {
        operation::list(&self.link.db, of, before, limit).await
    }
    async fn holds(&self, status: Option<HoldStatus>, limit: u32) -> PortResult<Vec<Hold>> {
        hold::list(&self.link.db, status, limit).await
    }
    async fn hold_items(&self, hold: HoldId, after: Option<PersonId>, limit: u32) -> PortResult<Vec<HoldItem>> {
        hold::items(&self.link.db, hold, after, limit).await
    }
    async fn issues(&self, after: Option<IssueId>, limit: u32) -> PortResult<Vec<OpenIssue>> {
        issue::list(&self.link.db, after, limit).await
    }
    async fn accept_issue(&self, issue: IssueId, by: &str, because: &str, now: DateTime<Utc>) -> PortResult<()> {
        issue::accept(&self.link, issue, by, because, now).await
    }
    async fn messages(&self, before: Option<MessageId>, limit: u32) -> PortResult<Vec<Message>> {
        message::list(&self.link.db, &self.vault, before, limit).await
    }
    /// Given both, both must be the same person's. An alias finds its person too.
    async fn person_named(&self, username: Option<&str>, address: Option<&str>) -> PortResult<Option<PersonId>> {
        let mut found = None;
        for (kind, value) in [(NameKind::Username, username), (NameKind::Address, address)] {
            let Some(value) = value else { continue };
            match (ledger::owner(&self.link.db, kind, value).await?, found) {
                (None, _) => return Ok(None),
                (Some(owner), Some(other)) if owner != other => return Ok(None),
                (owner, _) => found = owner,
            }
        }
        Ok(found)
    }
    async fn order(&self, order: &Order, event: &AuditEvent, key: Option<(&ClientKey, &str)>) -> PortResult<Ordered> {
        suspension::order(&self.link, &self.vault, order, event, key).await
    }
    async fn rename(&self, order: &Rename, event: &AuditEvent, key: Option<(&ClientKey, &str)>) -> PortResult<Renamed> {
        ledger::rename(&self.link, &self.vault, order, event, key).await
    }
    async fn adopt(
        &self,
        order: &Adoption,
        names: &NameRequest,
        event: &AuditEvent,
        key: Option<(&ClientKey, &str)>,
    ) -> PortResult<Adopted> {
        ledger::adopt(&self.link, &self.vault, order, names, event, key).await
    }
    async fn withdraw_adoption(&self, person: PersonId, audit: &AuditEvent, key: Option<(&ClientKey, &str)>) -> PortResult<Withdrawn> {
        ledger::withdraw_adoption(&self.link, &self.vault, person, audit, key).await
    }
    async fn key_state(&self, key: &ClientKey, now: DateTime<Utc>) -> PortResult<KeyState> {
        idempotency::state(&self.link.db, &self.vault, key, now).await
    }
    async fn audit_events(&self, person: Option<PersonId>, limit: u32) -> PortResult<Vec<AuditEvent>> {
        audit::list(&self.link.db, person, limit).await
    }
}

#[async_trait]
impl PhotoBook for SqlStore {
    async fn photo_mark(&self) -> PortResult<Option<Watermark>> {
        memory::photo_mark(&self.link.db).await
    }
    async fn save_photo_mark(&self, mark: &Watermark) -> PortResult<()> {
        memory::save_photo_mark(&self.link, mark).await
    }
    async fn photo_accounts(&self) -> PortResult<Vec<AccountGuid>> {
        photo::accounts(&self.link.db).await
    }
    async fn keep_photos(&self, photos: &[(AccountGuid, Vec<u8>)], without: &[AccountGuid], wake: Option<DateTime<Utc>>) -> PortResult<()> {
        photo::keep(&self.link, photos, without, wake).await
    }
    async fn photo_of(&self, person: PersonId) -> PortResult<Option<KeptPhoto>> {
        photo::of(&self.link.db, person).await
    }
}

#[async_trait]
impl PhotoShelf for SqlStore {
    async fn shelved(&self) -> PortResult<Vec<(Arc<str>, Arc<str>)>> {
        hr_photo::shelved(&self.link.db).await
    }
    async fn shelve(&self, files: &[ShelvedPhoto], gone: &[Arc<str>]) -> PortResult<()> {
        hr_photo::shelve(&self.link, files, gone).await
    }
}

#[async_trait]
impl Records for SqlStore {
    async fn left(&self, after: Option<(i64, PersonId)>, limit: u32) -> PortResult<Vec<Left>> {
        card::left(&self.link.db, after, limit).await
    }
    async fn issues(&self, filter: &IssueFilter, after: Option<(Urgency, IssueId)>, limit: u32) -> PortResult<Vec<ListedIssue>> {
        issue::listed(&self.link.db, filter, after, limit).await
    }
    async fn issue(&self, id: IssueId) -> PortResult<Option<OpenIssue>> {
        issue::one(&self.link.db, id).await
    }
    async fn operations(&self, filter: &OperationFilter, before: Option<OperationId>, limit: u32) -> PortResult<Vec<OperationRecord>> {
        operation::listed(&self.link.db, filter, before, limit).await
    }
    async fn operation(&self, id: OperationId) -> PortResult<Option<OperationRecord>> {
        operation::one(&self.link.db, id).await
    }
    async fn issue_trend(&self, since: DateTime<Utc>) -> PortResult<IssueTrend> {
        issue::trend(&self.link.db, since).await
    }
    async fn messages_of(&self, filter: &MessageFilter, before: Option<MessageId>, limit: u32) -> PortResult<Vec<Message>> {
        message::listed(&self.link.db, &self.vault, filter, before, limit).await
    }
}

#[async_trait]
impl Cards for SqlStore {
    async fn cards_head(&self) -> PortResult<CardsHead> {
        card::stand(&self.link.db).await
    }
    async fn seal_cards(&self, seal: &Seal<'_>, text: &CardText<'_>) -> PortResult<bool> {
        card::seal(&self.link, seal, text).await
    }
    async fn card_entries(&self, after: i64, limit: u32) -> PortResult<Vec<CardEntry>> {
        card::entries(&self.link.db, after, limit).await
    }
    async fn national_id(&self, person: PersonId) -> PortResult<Option<NationalId>> {
        national_id::of(&self.link.db, &self.vault, person).await
    }
}
