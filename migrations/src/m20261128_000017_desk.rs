//! The desk: data issues know the unit that they are about and are counted by day; what was not done is found without reading all that was.
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let unit = ColumnDef::new("unit").text().null().to_owned();
        manager.alter_table(Table::alter().table("issue").add_column(unit).to_owned()).await?;
        // Of those that are known already: who has to mend them, which is the nearest that their rows tell.
        let mender = match manager.get_database_backend() {
            DbBackend::Postgres => "(data::json->>'personnel_unit')",
            _ => "json_extract(data, '$.personnel_unit')",
        };
        manager.get_connection().execute_unprepared(&format!("UPDATE issue SET unit = {mender}")).await?;
        let not_done = Expr::cust("status IN ('REFUSED', 'IN_DOUBT')");
        for index in [
            Index::create().name("issue_opened").table("issue").col("since").to_owned(),
            Index::create().name("issue_closed").table("issue").col("resolved_at").to_owned(),
            Index::create().name("operation_not_done").table("operation").col("id").and_where(not_done).to_owned(),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    // Why an error: as with all of them.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema goes forward only".into()))
    }
}
