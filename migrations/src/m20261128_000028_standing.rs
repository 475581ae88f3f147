//! Since when connected systems stand as they do, and when each feed last delivered.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::create().table("standing").to_owned();
        table.col(ColumnDef::new("key").text().not_null().primary_key());
        table.col(ColumnDef::new("state").text().not_null());
        table.col(ColumnDef::new("since").timestamp_with_time_zone().not_null());
        manager.create_table(table).await?;
        let mut taken = ColumnDef::new("taken_at").timestamp_with_time_zone().null().to_owned();
        manager.alter_table(Table::alter().table("feed").add_column(&mut taken).take()).await
    }

    // Why an error: a schema that went back would lose what was kept since.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema goes forward only".into()))
    }
}
