//! Cards that the directory shows otherwise than they should be, and how many were right on each day.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut drift = Table::create().table("card_drift").to_owned();
        drift.col(ColumnDef::new("person").uuid().not_null().primary_key());
        drift.col(ColumnDef::new("unit").text().null());
        drift.col(ColumnDef::new("province").small_integer().null());
        drift.col(ColumnDef::new("reason").text().not_null());
        drift.col(ColumnDef::new("since").timestamp_with_time_zone().not_null());
        drift.col(ColumnDef::new("seen_at").timestamp_with_time_zone().not_null());
        drift.col(ColumnDef::new("data").text().not_null());
        manager.create_table(drift).await?;
        let mut figure = Table::create().table("card_figure").to_owned();
        figure.col(ColumnDef::new("day").date().not_null().primary_key());
        figure.col(ColumnDef::new("at").timestamp_with_time_zone().not_null());
        figure.col(ColumnDef::new("total").big_integer().not_null());
        figure.col(ColumnDef::new("right_cards").big_integer().not_null());
        manager.create_table(figure).await
    }

    // Why an error: going back would forget how the cards stood.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema goes forward only".into()))
    }
}
