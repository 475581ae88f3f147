//! Mailboxes that a program of the ministry's makes: what stands, what is waited for, and when to take each up again.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let time = |name: &'static str| ColumnDef::new(name).timestamp_with_time_zone().not_null().to_owned();
        let flag = |name: &'static str| ColumnDef::new(name).boolean().not_null().to_owned();
        let text = |name: &'static str| ColumnDef::new(name).text().not_null().to_owned();
        let table = Table::create()
            .table("mailbox")
            .col(ColumnDef::new("person").uuid().not_null().primary_key())
            .col(text("state"))
            .col(ColumnDef::new("generation").big_integer().not_null())
            .col(flag("leased"))
            .col(flag("touched"))
            .col(time("due_at"))
            .col(text("data"))
            .to_owned();
        manager.create_table(table).await?;
        manager.create_index(Index::create().name("mailbox_due").table("mailbox").col("due_at").to_owned()).await
    }

    // Why an error: going back would forget what was asked for and what is to be closed.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema goes forward only".into()))
    }
}
