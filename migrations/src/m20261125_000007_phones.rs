//! Phones changed here: what HR has not confirmed, codes to new numbers, numbers to be told, and what is on its way to HR.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables() {
            manager.create_table(table).await?;
        }
        let index =
            |name: &'static str, table: &'static str, column: &'static str| Index::create().name(name).table(table).col(column).take();
        manager.create_index(index("mobile_challenge_person", "mobile_challenge", "person")).await?;
        manager.create_index(index("hr_write_back_due", "hr_write_back", "due_at")).await?;
        manager.create_index(index("hr_write_back_person", "hr_write_back", "person")).await?;
        let lock = Query::insert().into_table("lock_row").columns(["name"]).values_panic(["write_back".into()]).to_owned();
        manager.execute(lock).await
    }

    // Why an error: going back would forget what people changed and HR does not know.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema goes forward only".into()))
    }
}

fn tables() -> Vec<TableCreateStatement> {
    let col = |name: &'static str| ColumnDef::new(name);
    let key = || col("id").uuid().not_null().primary_key().take();
    let uuid = |name| col(name).uuid().not_null().take();
    let text = |name| col(name).text().not_null().take();
    let octets = |name| col(name).binary().not_null().take();
    let count = |name| col(name).big_integer().not_null().default(0).take();
    let time = |name| col(name).timestamp_with_time_zone().not_null().take();
    let time_null = |name| col(name).timestamp_with_time_zone().null().take();
    let table = |name: &'static str, columns: Vec<ColumnDef>| {
        let mut table = Table::create().table(name).take();
        for column in columns {
            table.col(column);
        }
        table
    };
    vec![
        table("person_phone", vec![col("person").uuid().not_null().primary_key().take(), text("data")]),
        table(
            "mobile_challenge",
            vec![key(), uuid("person"), octets("sealed"), time("made_at"), time("expires_at"), time_null("spent_at")],
        ),
        table(
            "phone_notice",
            vec![col("id").big_integer().not_null().auto_increment().primary_key().take(), uuid("person"), text("number")],
        ),
        table(
            "hr_write_back",
            vec![
                key(),
                uuid("person"),
                text("line"),
                text("state"),
                time("made_at"),
                time_null("due_at"),
                col("leased").boolean().not_null().default(false).take(),
                count("generation"),
                count("tries"),
                col("note").text().null().take(),
                time_null("settled_at"),
            ],
        ),
    ]
}
