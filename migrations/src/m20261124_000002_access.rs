//! Sessions and the attempts to begin one, granted roles, accounts of programs.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables() {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        let lock = Query::insert().into_table("lock_row").columns(["name"]).values_panic(["sign_in".into()]).to_owned();
        manager.execute(lock).await
    }

    // Why an error: going back would forget which secrets were spent or revoked.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema goes forward only".into()))
    }
}

fn col(name: &'static str) -> ColumnDef {
    ColumnDef::new(name)
}
fn text(name: &'static str) -> ColumnDef {
    col(name).text().not_null().to_owned()
}
fn text_null(name: &'static str) -> ColumnDef {
    col(name).text().null().to_owned()
}
fn uuid(name: &'static str) -> ColumnDef {
    col(name).uuid().not_null().to_owned()
}
fn time(name: &'static str) -> ColumnDef {
    col(name).timestamp_with_time_zone().not_null().to_owned()
}
fn time_null(name: &'static str) -> ColumnDef {
    col(name).timestamp_with_time_zone().null().to_owned()
}
fn octets(name: &'static str) -> ColumnDef {
    col(name).binary().not_null().to_owned()
}
fn key(mut column: ColumnDef) -> ColumnDef {
    column.primary_key().to_owned()
}

fn table(name: &'static str, columns: Vec<ColumnDef>) -> TableCreateStatement {
    let mut table = Table::create().table(name).to_owned();
    for column in columns {
        table.col(column);
    }
    table
}

fn tables() -> Vec<TableCreateStatement> {
    let mut friends = table("sign_in_friend", vec![octets("account"), text("address"), time("at")]);
    friends.primary_key(Index::create().col("account").col("address"));
    vec![
        table(
            "session",
            vec![
                key(uuid("id")),
                uuid("account"),
                col("person").uuid().null().to_owned(),
                text("username"),
                text("roles"),
                text("password_mark"),
                time("confirmed_at"),
                time("started_at"),
                time("expires_at"),
                time_null("ended_at"),
                text_null("ended_because"),
                text("address"),
            ],
        ),
        table("session_refresh", vec![key(octets("mark")), uuid("session"), time("made_at"), time_null("spent_at")]),
        table("sign_in_attempt", vec![key(uuid("id")), octets("account"), text("address"), time("at")]),
        friends,
        table(
            "role_grant",
            vec![
                key(uuid("id")),
                uuid("person"),
                text("role"),
                text("units"),
                time("starts_at"),
                time("ends_at"),
                text("reason"),
                text("granted_by"),
                time("granted_at"),
                time_null("revoked_at"),
                text_null("revoked_by"),
            ],
        ),
        table(
            "service_account",
            vec![
                key(uuid("id")),
                text("name").unique_key().to_owned(),
                text("scopes"),
                text("owner"),
                time("made_at"),
                text("made_by"),
                time("expires_at"),
                time_null("revoked_at"),
                time_null("last_used_at"),
            ],
        ),
        table("service_secret", vec![key(octets("mark")), uuid("service"), time("made_at"), time_null("valid_until")]),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    let index = |name: &'static str, table: &'static str, columns: &[&'static str]| {
        let mut index = Index::create().name(name).table(table).to_owned();
        for column in columns {
            index.col(*column);
        }
        index
    };
    let living = || Expr::col("ended_at").is_null();
    vec![
        index("session_person", "session", &["person"]).and_where(living()).to_owned(),
        index("session_account", "session", &["account"]).and_where(living()).to_owned(),
        index("session_expires", "session", &["expires_at"]),
        index("refresh_session", "session_refresh", &["session"]),
        index("attempt_at", "sign_in_attempt", &["at"]),
        index("attempt_account", "sign_in_attempt", &["account"]),
        index("grant_person", "role_grant", &["person"]),
        index("secret_service", "service_secret", &["service"]),
        index("audit_actor", "audit_event", &["actor", "id"]),
        index("audit_deed", "audit_event", &["deed", "id"]),
    ]
}
