//! Forgotten passwords: what somebody said until it is answered, and whose code belongs to it.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let col = |name: &'static str| ColumnDef::new(name);
        let table = Table::create()
            .table("challenge")
            .col(col("id").uuid().not_null().primary_key())
            .col(col("kind").text().not_null())
            .col(col("sealed").binary().null())
            .col(col("asked_at").timestamp_with_time_zone().not_null())
            .col(col("due_at").timestamp_with_time_zone().null())
            .col(col("generation").big_integer().not_null().default(0))
            .col(col("person").uuid().null())
            .col(col("ended_at").timestamp_with_time_zone().null())
            .take();
        manager.create_table(table).await?;
        for column in ["due_at", "person", "asked_at"] {
            manager.create_index(Index::create().name(format!("challenge_{column}")).table("challenge").col(column).take()).await?;
        }
        // Those that are out are newcomers'.
        let mut first = col("is_first").boolean().not_null().default(true).take();
        manager.alter_table(Table::alter().table("password_ticket").add_column(&mut first).take()).await
    }

    // Why an error: going back would forget which codes were tried and spent.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema goes forward only".into()))
    }
}
