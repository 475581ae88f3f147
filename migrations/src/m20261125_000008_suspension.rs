//! Suspensions by order, and the keys by which clients repeat deeds.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables() {
            manager.create_table(table).await?;
        }
        let index = |name: &'static str, on: &'static str| Index::create().name(name).table(on).to_owned();
        manager.create_index(index("suspension_person", "suspension").col("person").to_owned()).await?;
        manager.create_index(index("suspension_since", "suspension").col("since").to_owned()).await?;
        manager.create_index(index("suspension_lifted_at", "suspension").col("lifted_at").to_owned()).await?;
        manager.create_index(index("idempotency_expires_at", "idempotency").col("expires_at").to_owned()).await?;
        let mut locks = Query::insert();
        locks.into_table("lock_row").columns(["name"]).values_panic(["idempotency".into()]).values_panic(["suspension".into()]);
        manager.execute(locks).await
    }

    // Why an error: going back would give back accounts that somebody has suspended.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema goes forward only".into()))
    }
}

fn tables() -> Vec<TableCreateStatement> {
    let text = |name| ColumnDef::new(name).text().not_null().to_owned();
    let text_null = |name| ColumnDef::new(name).text().null().to_owned();
    let time = |name| ColumnDef::new(name).timestamp_with_time_zone().not_null().to_owned();
    let suspension = Table::create()
        .table("suspension")
        .col(ColumnDef::new("id").uuid().not_null().primary_key())
        .col(ColumnDef::new("person").uuid().not_null())
        .col(time("since"))
        .col(text("suspended_by"))
        .col(text("reason"))
        .col(ColumnDef::new("lifted_at").timestamp_with_time_zone().null())
        .col(text_null("lifted_by"))
        .col(text_null("lifted_because"))
        .to_owned();
    let idempotency = Table::create()
        .table("idempotency")
        .col(text("client"))
        .col(text("client_key"))
        .col(ColumnDef::new("mark").binary().not_null())
        .col(text("answer"))
        .col(time("expires_at"))
        .primary_key(Index::create().col("client").col("client_key"))
        .to_owned();
    vec![suspension, idempotency]
}
