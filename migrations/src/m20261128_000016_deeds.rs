//! Announcements that were sent again, and people whose number became another since.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables() {
            manager.create_table(table).await?;
        }
        let index = |name: &'static str, columns: &[&'static str]| {
            let mut index = Index::create().name(name).table("credential_resend").to_owned();
            for column in columns {
                index.col(*column);
            }
            index
        };
        manager.create_index(index("credential_resend_person", &["person", "at"])).await?;
        manager.create_index(index("credential_resend_actor", &["ordered_by", "at"])).await
    }

    // Why an error: going back would forget who was sent how many codes.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema goes forward only".into()))
    }
}

fn tables() -> Vec<TableCreateStatement> {
    let text = |name| ColumnDef::new(name).text().not_null().to_owned();
    let time = |name| ColumnDef::new(name).timestamp_with_time_zone().not_null().to_owned();
    let resend = Table::create()
        .table("credential_resend")
        .col(ColumnDef::new("id").uuid().not_null().primary_key())
        .col(ColumnDef::new("person").uuid().not_null())
        .col(text("ordered_by"))
        .col(text("reason"))
        .col(time("at"))
        .to_owned();
    let again = Table::create()
        .table("announcement_again")
        .col(ColumnDef::new("person").uuid().not_null().primary_key())
        .col(time("due_at"))
        .to_owned();
    vec![resend, again]
}
