//! Sending messages: how often it was tried, when next, by which gateway, and what became of it; numbers that take no message.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Why one at a time: SQLite adds one column a statement.
        for column in columns() {
            let mut column = column;
            manager.alter_table(Table::alter().table("message").add_column(&mut column).take()).await?;
        }
        let occasion = Query::update()
            .table("message")
            .value("occasion", Expr::col("opening").cast_as("text"))
            .value("due_at", Expr::col("queued_at"))
            .to_owned();
        manager.execute(occasion).await?;
        manager.drop_index(Index::drop().name("message_once").table("message").to_owned()).await?;
        manager.alter_table(Table::alter().table("message").drop_column("opening").take()).await?;
        let once = ["person", "purpose", "occasion", "reissue"];
        manager.create_index(index("message_once", "message", &once).unique().take()).await?;
        manager.create_index(index("message_due", "message", &["due_at"])).await?;
        manager.create_index(index("message_sent", "message", &["sending_at"])).await?;
        manager.create_index(index("message_provider", "message", &["gateway", "provider_id"])).await?;
        let dead = Table::create()
            .table("dead_number")
            .col(ColumnDef::new("person").uuid().not_null().primary_key())
            .col(ColumnDef::new("number_mark").binary().not_null())
            .col(ColumnDef::new("since").timestamp_with_time_zone().not_null())
            .take();
        manager.create_table(dead).await?;
        let lock = Query::insert().into_table("lock_row").columns(["name"]).values_panic(["message".into()]).to_owned();
        manager.execute(lock).await
    }

    // Why an error: going back would send again what was sent.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema goes forward only".into()))
    }
}

fn columns() -> Vec<ColumnDef> {
    let time = |name: &'static str| ColumnDef::new(name).timestamp_with_time_zone().null().to_owned();
    let text = |name: &'static str| ColumnDef::new(name).text().null().to_owned();
    let count = |name: &'static str| ColumnDef::new(name).big_integer().not_null().default(0).to_owned();
    vec![
        ColumnDef::new("occasion").text().not_null().default("").to_owned(),
        count("reissue"),
        time("due_at"),
        count("generation"),
        count("attempts"),
        count("tries"),
        count("parts"),
        text("gateway"),
        text("provider_id"),
        text("note"),
        time("sending_at"),
        time("settled_at"),
        time("valid_until"),
    ]
}

fn index(name: &'static str, table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create().name(name).table(table).to_owned();
    for column in columns {
        index.col(*column);
    }
    index
}
