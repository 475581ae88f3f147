//! E-mail beside SMS: what carries a message, numbers and addresses that take none; rounds that are made once a day, and digests
//! that a unit gets once a day.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut channel = ColumnDef::new("channel").text().not_null().default("SMS").to_owned();
        let mut doubts = ColumnDef::new("doubts").big_integer().not_null().default(0).to_owned();
        // Why one at a time: SQLite adds one column a statement.
        for column in [&mut channel, &mut doubts] {
            manager.alter_table(Table::alter().table("message").add_column(column).take()).await?;
        }
        manager.drop_index(Index::drop().name("message_once").table("message").to_owned()).await?;
        manager.drop_index(Index::drop().name("message_sent").table("message").to_owned()).await?;
        let once = ["person", "purpose", "occasion", "channel", "reissue"];
        manager.create_index(index("message_once", "message", &once).unique().take()).await?;
        manager.create_index(index("message_sent", "message", &["channel", "sending_at"])).await?;
        self.dead_addresses(manager).await?;
        let round = Table::create()
            .table("daily_round")
            .col(ColumnDef::new("name").text().not_null())
            .col(ColumnDef::new("day").text().not_null())
            .col(ColumnDef::new("holder").uuid().not_null())
            .col(ColumnDef::new("taken_until").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("done_at").timestamp_with_time_zone().null())
            .primary_key(Index::create().col("name").col("day"))
            .take();
        manager.create_table(round).await?;
        let digest = Table::create()
            .table("unit_digest")
            .col(ColumnDef::new("unit").text().not_null())
            .col(ColumnDef::new("day").text().not_null())
            .col(ColumnDef::new("queued_at").timestamp_with_time_zone().not_null())
            .primary_key(Index::create().col("unit").col("day"))
            .take();
        manager.create_table(digest).await
    }

    // Why an error: going back would send again what was sent.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema goes forward only".into()))
    }
}

impl Migration {
    /// In place of the numbers, which were all of one channel.
    async fn dead_addresses(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let table = Table::create()
            .table("dead_address")
            .col(ColumnDef::new("person").uuid().not_null())
            .col(ColumnDef::new("channel").text().not_null())
            .col(ColumnDef::new("mark").binary().not_null())
            .col(ColumnDef::new("since").timestamp_with_time_zone().not_null())
            .primary_key(Index::create().col("person").col("channel"))
            .take();
        manager.create_table(table).await?;
        let mut known = Query::select();
        known.column("person").expr(Expr::val("SMS")).columns(["number_mark", "since"]).from("dead_number");
        let mut copy = Query::insert().into_table("dead_address").columns(["person", "channel", "mark", "since"]).to_owned();
        copy.select_from(known).map_err(|e| DbErr::Migration(e.to_string()))?;
        manager.execute(copy).await?;
        manager.drop_table(Table::drop().table("dead_number").to_owned()).await
    }
}

fn index(name: &'static str, table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create().name(name).table(table).to_owned();
    for column in columns {
        index.col(*column);
    }
    index
}
