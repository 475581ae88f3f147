//! The store's schema, forward only: one file a migration, SQLite and PostgreSQL alike. What columns mean stands with the
//! nouns in the adapters' store; nothing here decides anything.
use sea_orm_migration::prelude::*;

mod m20261123_000001_first_schema;
mod m20261124_000002_access;
mod m20261124_000003_cards;
mod m20261124_000004_messages;
mod m20261124_000005_password;
mod m20261125_000006_challenge;
mod m20261125_000007_phones;
mod m20261125_000008_suspension;
mod m20261125_000010_webhooks;
mod m20261125_000011_submissions;
mod m20261125_000013_engine;
mod m20261125_000014_mailbox;
mod m20261128_000015_photos;
mod m20261128_000016_deeds;
mod m20261128_000017_desk;
mod m20261128_000018_truth;
mod m20261128_000020_proof;
mod m20261128_000022_post;
mod m20261128_000023_kept;
mod m20261128_000024_outbox;
mod m20261128_000025_language;
mod m20261128_000027_hr_photos;
mod m20261128_000028_standing;

pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261123_000001_first_schema::Migration),
            Box::new(m20261124_000002_access::Migration),
            Box::new(m20261124_000003_cards::Migration),
            Box::new(m20261124_000004_messages::Migration),
            Box::new(m20261124_000005_password::Migration),
            Box::new(m20261125_000006_challenge::Migration),
            Box::new(m20261125_000007_phones::Migration),
            Box::new(m20261125_000008_suspension::Migration),
            Box::new(m20261125_000010_webhooks::Migration),
            Box::new(m20261125_000011_submissions::Migration),
            Box::new(m20261125_000013_engine::Migration),
            Box::new(m20261125_000014_mailbox::Migration),
            Box::new(m20261128_000015_photos::Migration),
            Box::new(m20261128_000016_deeds::Migration),
            Box::new(m20261128_000017_desk::Migration),
            Box::new(m20261128_000018_truth::Migration),
            Box::new(m20261128_000020_proof::Migration),
            Box::new(m20261128_000022_post::Migration),
            Box::new(m20261128_000023_kept::Migration),
            Box::new(m20261128_000024_outbox::Migration),
            Box::new(m20261128_000025_language::Migration),
            Box::new(m20261128_000027_hr_photos::Migration),
            Box::new(m20261128_000028_standing::Migration),
        ]
    }
}
