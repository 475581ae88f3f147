//! Parola: tickets, tries of codes, and how often things were tried lately.
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
        manager.create_index(index("password_ticket_person", "password_ticket").col("person").to_owned()).await?;
        manager.create_index(index("throttle_key_at", "throttle").col("key").col("at").to_owned()).await?;
        manager.create_index(index("throttle_at", "throttle").col("at").to_owned()).await?;
        let lock = Query::insert().into_table("lock_row").columns(["name"]).values_panic(["throttle".into()]).to_owned();
        manager.execute(lock).await
    }

    // Why an error: going back would forget which codes and tickets were spent.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema goes forward only".into()))
    }
}

fn col(name: &'static str) -> ColumnDef {
    ColumnDef::new(name)
}

fn tables() -> Vec<TableCreateStatement> {
    let uuid = |name| col(name).uuid().not_null().to_owned();
    let text = |name| col(name).text().not_null().to_owned();
    let octets = |name| col(name).binary().not_null().to_owned();
    let time = |name| col(name).timestamp_with_time_zone().not_null().to_owned();
    let time_null = |name| col(name).timestamp_with_time_zone().null().to_owned();
    let table = |name: &'static str, columns: Vec<ColumnDef>| {
        let mut table = Table::create().table(name).to_owned();
        for column in columns {
            table.col(column);
        }
        table
    };
    vec![
        table(
            "password_ticket",
            vec![
                uuid("id").primary_key().to_owned(),
                octets("mark").unique_key().to_owned(),
                octets("browser_mark"),
                uuid("person"),
                uuid("account"),
                text("purposes"),
                uuid("proof"),
                time("made_at"),
                time("expires_at"),
                time_null("spent_at"),
                col("intermediate").binary().null().to_owned(),
            ],
        ),
        table(
            "code_use",
            vec![uuid("proof").primary_key().to_owned(), col("tries").big_integer().not_null().to_owned(), time_null("spent_at")],
        ),
        table("throttle", vec![uuid("id"), octets("key"), time("at")]).primary_key(Index::create().col("id").col("key")).to_owned(),
    ]
}
