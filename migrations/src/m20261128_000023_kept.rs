//! Until when a run goes on by the word of whoever carries it out: one that is not kept any more was interrupted.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut until = ColumnDef::new("kept_until").timestamp_with_time_zone().null().to_owned();
        manager.alter_table(Table::alter().table("run").add_column(&mut until).take()).await?;
        let index = Index::create().name("run_kept_until").table("run").col("kept_until").to_owned();
        manager.create_index(index).await?;
        // Those of before are all over: the schema is brought up to date before the program goes to work.
        let mut over = Query::update();
        over.table("run").value("kept_until", Expr::col("started_at")).and_where(Expr::col("status").eq("RUNNING"));
        manager.execute(over).await
    }

    // Why an error: runs would be said to go on again that nobody carries out.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema goes forward only".into()))
    }
}
