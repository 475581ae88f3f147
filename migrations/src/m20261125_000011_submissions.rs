//! HR records handed in: submissions, their parts sealed until they are taken in.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(submissions()).await?;
        manager.create_table(parts()).await?;
        let index = |name: &'static str, on: &'static str| Index::create().name(name).table(on).unique().to_owned();
        manager.create_index(index("submission_owner_key", "submission").col("owner").col("key").to_owned()).await?;
        let part = index("submission_part_of", "submission_part").col("submission").col("part").to_owned();
        manager.create_index(part).await?;
        let key = index("submission_part_key", "submission_part").col("owner").col("idempotency_key").to_owned();
        manager.create_index(key).await?;
        let lock = Query::insert().into_table("lock_row").columns(["name"]).values_panic(["submissions".into()]).to_owned();
        manager.execute(lock).await
    }

    // Why an error: what was handed in and not taken in yet would be lost.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema goes forward only".into()))
    }
}

fn col(name: &'static str) -> ColumnDef {
    ColumnDef::new(name)
}

fn submissions() -> TableCreateStatement {
    let time_null = |name| col(name).timestamp_with_time_zone().null().to_owned();
    let mut table = Table::create().table("submission").to_owned();
    table.col(col("id").uuid().not_null().primary_key());
    table.col(col("owner").text().not_null());
    table.col(col("key").text().not_null());
    table.col(col("mode").text().not_null());
    table.col(col("made_at").timestamp_with_time_zone().not_null());
    table.col(col("last_part").integer().null());
    table.col(col("is_whole").boolean().not_null());
    table.col(time_null("leased_until"));
    table.col(time_null("taken_at"));
    table.col(col("report").text().null());
    table
}

fn parts() -> TableCreateStatement {
    let mut table = Table::create().table("submission_part").to_owned();
    table.col(col("id").uuid().not_null().primary_key());
    table.col(col("submission").uuid().not_null());
    table.col(col("part").integer().not_null());
    table.col(col("owner").text().not_null());
    table.col(col("idempotency_key").text().not_null());
    table.col(col("digest").binary().not_null());
    table.col(col("records").integer().not_null());
    table.col(col("body").binary().null());
    table
}
