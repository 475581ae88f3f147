//! The feed of cards: marks of what may have changed, the latest position of each card, where the feed stands.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(marks()).await?;
        manager.create_table(cards()).await?;
        manager.create_table(head()).await?;
        let order = Index::create().name("card_position").table("card").col("position").unique().to_owned();
        manager.create_index(order).await?;
        let lock = Query::insert().into_table("lock_row").columns(["name"]).values_panic(["cards".into()]).to_owned();
        manager.execute(lock).await
    }

    // Why an error: clients hold positions of this feed.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema goes forward only".into()))
    }
}

/// `person` null: everybody.
fn marks() -> TableCreateStatement {
    let mut table = Table::create().table("card_mark").to_owned();
    table.col(ColumnDef::new("id").big_integer().not_null().auto_increment().primary_key());
    table.col(ColumnDef::new("person").uuid().null());
    table
}

fn cards() -> TableCreateStatement {
    let mut table = Table::create().table("card").to_owned();
    table.col(ColumnDef::new("person").uuid().not_null().primary_key());
    table.col(ColumnDef::new("position").big_integer().not_null());
    table.col(ColumnDef::new("removed").boolean().not_null());
    table.col(ColumnDef::new("digest").binary().not_null());
    table.col(ColumnDef::new("changed_at").timestamp_with_time_zone().not_null());
    table
}

fn head() -> TableCreateStatement {
    let mut table = Table::create().table("card_head").to_owned();
    table.col(ColumnDef::new("epoch").uuid().not_null().primary_key());
    table.col(ColumnDef::new("position").big_integer().not_null());
    table.col(ColumnDef::new("generation").big_integer().not_null());
    table.col(ColumnDef::new("shape").text().not_null());
    table
}
