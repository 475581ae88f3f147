//! Webhooks: marks of what was done, events with their positions, who is told of them and how far that has come.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [marks(), events(), head(), webhooks()] {
            manager.create_table(table).await?;
        }
        let age = Index::create().name("event_at").table("event").col("at").to_owned();
        manager.create_index(age).await?;
        for name in ["events", "webhooks"] {
            let lock = Query::insert().into_table("lock_row").columns(["name"]).values_panic([name.into()]).to_owned();
            manager.execute(lock).await?;
        }
        Ok(())
    }

    // Why an error: receivers hold positions of these events.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema goes forward only".into()))
    }
}

fn col(name: &'static str) -> ColumnDef {
    ColumnDef::new(name)
}

fn marks() -> TableCreateStatement {
    let mut table = Table::create().table("event_mark").to_owned();
    table.col(col("id").big_integer().not_null().auto_increment().primary_key());
    table.col(col("operation").uuid().not_null());
    table
}

fn events() -> TableCreateStatement {
    let mut table = Table::create().table("event").to_owned();
    table.col(col("position").big_integer().not_null().primary_key());
    table.col(col("id").uuid().not_null().unique_key());
    table.col(col("kind").text().not_null());
    table.col(col("person").uuid().not_null());
    table.col(col("at").timestamp_with_time_zone().not_null());
    table.col(col("data").text().not_null());
    table
}

/// One row. Not the highest position of `event`: old events are forgotten, and positions are never given twice.
fn head() -> TableCreateStatement {
    let mut table = Table::create().table("event_head").to_owned();
    table.col(col("name").text().not_null().primary_key());
    table.col(col("position").big_integer().not_null());
    table
}

fn webhooks() -> TableCreateStatement {
    let time_null = |name| col(name).timestamp_with_time_zone().null().to_owned();
    let mut table = Table::create().table("webhook").to_owned();
    table.col(col("id").uuid().not_null().primary_key());
    table.col(col("url").text().not_null());
    table.col(col("kinds").text().not_null());
    table.col(col("secret").binary().not_null());
    table.col(col("made_at").timestamp_with_time_zone().not_null());
    table.col(col("made_by").text().not_null());
    table.col(col("cursor").big_integer().not_null());
    table.col(time_null("last_success_at"));
    table.col(time_null("failing_since"));
    table.col(col("failures").integer().not_null());
    table.col(col("last_fault").text().null());
    table.col(col("next_at").timestamp_with_time_zone().not_null());
    table.col(col("lease").uuid().null());
    table.col(time_null("leased_until"));
    table
}
