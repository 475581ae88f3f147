//! What somebody has chosen to be told things in. Null: nothing, so the ministry's language holds.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut language = ColumnDef::new("language").text().null().to_owned();
        manager.alter_table(Table::alter().table("person").add_column(&mut language).take()).await
    }

    // Why an error: going back would forget what people have chosen.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema goes forward only".into()))
    }
}
