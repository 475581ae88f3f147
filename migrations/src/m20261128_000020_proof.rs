//! Two more proofs: a code that an officer had sent, and a PIN.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let col = |name: &'static str| ColumnDef::new(name);
        let mut by_officer = col("by_officer").boolean().not_null().default(false).take();
        manager.alter_table(Table::alter().table("challenge").add_column(&mut by_officer).take()).await?;
        let pin = Table::create()
            .table("pin")
            .col(col("person").uuid().not_null().primary_key())
            .col(col("salt").binary().not_null())
            .col(col("rounds").big_integer().not_null())
            .col(col("mark").binary().not_null())
            .col(col("tries").big_integer().not_null())
            .col(col("set_at").timestamp_with_time_zone().not_null())
            .take();
        manager.create_table(pin).await
    }

    // Why an error: going back would forget PINs, and how often they were tried.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema goes forward only".into()))
    }
}
