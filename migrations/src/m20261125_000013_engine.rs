//! What people are searched and ordered by leaves the table (cards are searched in memory; a key that falls anywhere in its index made
//! each intake dearer than the one before), and the hand at everybody gets a row.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("person_order").table("person").to_owned()).await?;
        // Why one after the other: SQLite takes one change a statement.
        for column in ["words", "sort_key"] {
            manager.alter_table(Table::alter().table("person").drop_column(column).to_owned()).await?;
        }
        manager.create_table(hand()).await
    }

    // Why an error: what was dropped cannot be made again here.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema goes forward only".into()))
    }
}

/// Who has a task in hand that two must not do at once, and until when unless they say so again.
fn hand() -> TableCreateStatement {
    let mut table = Table::create().table("hand").to_owned();
    table.col(ColumnDef::new("task").text().not_null().primary_key());
    table.col(ColumnDef::new("holder").uuid().not_null());
    table.col(ColumnDef::new("until").timestamp_with_time_zone().not_null());
    table
}
