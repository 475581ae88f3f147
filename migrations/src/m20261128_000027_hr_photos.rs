//! What was found in the files of HR's photos, by their names.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::create().table("hr_photo").to_owned();
        table.col(ColumnDef::new("name").text().not_null().primary_key());
        table.col(ColumnDef::new("stamp").text().not_null());
        table.col(ColumnDef::new("tag").text().null());
        table.col(ColumnDef::new("fault").text().null());
        manager.create_table(table).await
    }

    // Why an error: a schema that went back would lose what was kept since.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema goes forward only".into()))
    }
}
