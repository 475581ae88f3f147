//! People, accounts, names, the work queue, runs with their operations, holds, issues, messages, audit.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in staff().into_iter().chain(accounts()).chain(work()).chain(holds()).chain(records()) {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        // Why rows to lock: budgets and the ledger are serialised by the same SQL on both engines.
        let mut locks = Query::insert().into_table("lock_row").columns(["name"]).to_owned();
        for name in ["adopt", "close", "hold", "intake", "issue", "ledger", "memory", "move", "open", "rename", "suspend", "update"] {
            locks.values_panic([name.into()]);
        }
        manager.execute(locks).await
    }

    // Why an error: going back would drop names that must never be given again.
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
fn uuid_null(name: &'static str) -> ColumnDef {
    col(name).uuid().null().to_owned()
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
fn number(name: &'static str) -> ColumnDef {
    col(name).big_integer().not_null().to_owned()
}
fn small_null(name: &'static str) -> ColumnDef {
    col(name).small_integer().null().to_owned()
}
fn flag(name: &'static str) -> ColumnDef {
    col(name).boolean().not_null().to_owned()
}
fn key(mut column: ColumnDef) -> ColumnDef {
    column.primary_key().to_owned()
}

fn table(name: &'static str, columns: Vec<ColumnDef>, primary: &[&'static str]) -> TableCreateStatement {
    let mut table = Table::create().table(name).to_owned();
    for column in columns {
        table.col(column);
    }
    if !primary.is_empty() {
        let mut index = Index::create();
        for column in primary {
            index.col(*column);
        }
        table.primary_key(&mut index);
    }
    table
}

fn staff() -> Vec<TableCreateStatement> {
    vec![
        table("unit", vec![key(text("code")), text_null("parent"), text_null("head"), text_null("replaced_by"), text("data")], &[]),
        table(
            "person",
            vec![
                key(uuid("id")),
                text("registry_no").unique_key().to_owned(),
                text_null("manager"),
                text("words"),
                octets("sort_key"),
                text("data"),
            ],
            &[],
        ),
        table("former_registry_no", vec![text("registry_no"), uuid("person")], &["registry_no", "person"]),
        table("person_unit", vec![text("unit"), uuid("person")], &["unit", "person"]),
        table("national_id", vec![key(uuid("person")), octets("mark"), octets("sealed")], &[]),
        table("feed", vec![key(text("name")), text("position")], &[]),
        table("memory", vec![key(text("name")), text("value")], &[]),
        table("lock_row", vec![key(text("name"))], &[]),
    ]
}

fn accounts() -> Vec<TableCreateStatement> {
    vec![
        table(
            "account",
            vec![
                key(uuid("person")),
                uuid_null("guid").unique_key().to_owned(),
                text("username"),
                text("mail"),
                text("state"),
                small_null("province"),
                text("data"),
            ],
            &[],
        ),
        table("ledger_name", vec![text("kind"), text("folded"), text("value"), uuid_null("person")], &["kind", "folded"]),
    ]
}

fn work() -> Vec<TableCreateStatement> {
    vec![
        table("work", vec![key(uuid("person")), number("generation"), flag("leased"), time("visible_at"), time_null("woken_at")], &[]),
        table(
            "run",
            vec![key(uuid("id")), text("trigger_kind"), text("status"), time("started_at"), time_null("finished_at"), text("summary")],
            &[],
        ),
        table(
            "operation",
            vec![
                key(uuid("id")),
                uuid("run"),
                uuid("person"),
                text("kind"),
                text_null("budget"),
                small_null("province"),
                text("status"),
                text("digest"),
                text("because"),
                text("steps"),
                time("created_at"),
                time_null("settled_at"),
                text("receipt"),
            ],
            &[],
        ),
    ]
}

fn holds() -> Vec<TableCreateStatement> {
    vec![
        table(
            "hold",
            vec![
                key(uuid("id")),
                text("status"),
                text("budget"),
                col("scope").small_integer().not_null().to_owned(),
                text("reasons"),
                col("people").integer().not_null().to_owned(),
                text("digest"),
                uuid("run"),
                time("created_at"),
                time_null("decided_at"),
                text_null("decided_by"),
                text_null("note"),
            ],
            &[],
        ),
        table(
            "hold_item",
            vec![
                uuid("hold"),
                uuid("person"),
                text("kind"),
                text("registry_no"),
                text("digest"),
                text("plan"),
                col("approved").boolean().null().to_owned(),
            ],
            &["hold", "person", "kind"],
        ),
        table(
            "decision",
            vec![uuid("person"), text("kind"), text("digest"), flag("approved"), uuid("hold")],
            &["person", "kind", "digest"],
        ),
    ]
}

fn records() -> Vec<TableCreateStatement> {
    vec![
        table(
            "issue",
            vec![
                key(uuid("id")),
                text("issue_key"),
                text("kind"),
                uuid_null("person"),
                text_null("registry_no"),
                text("status"),
                time("since"),
                time_null("resolved_at"),
                text_null("accepted_by"),
                text("data"),
            ],
            &[],
        ),
        table(
            "message",
            vec![
                key(uuid("id")),
                uuid("person"),
                text("purpose"),
                number("opening"),
                text("state"),
                octets("sealed"),
                octets("code_mark"),
                time("queued_at"),
            ],
            &[],
        ),
        table(
            "audit_event",
            vec![
                col("id").big_integer().not_null().auto_increment().primary_key().to_owned(),
                time("at"),
                text("actor"),
                text("deed"),
                uuid_null("person"),
                text("because"),
                text("detail"),
            ],
            &[],
        ),
    ]
}

fn index(name: &'static str, table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create().name(name).table(table).to_owned();
    for column in columns {
        index.col(*column);
    }
    index
}

fn indexes() -> Vec<IndexCreateStatement> {
    let unsettled = Expr::col("status").is_in(["INTENDED", "IN_DOUBT"]);
    let standing = Expr::col("status").is_in(["OPEN", "ACCEPTED"]);
    vec![
        index("unit_head", "unit", &["head"]),
        index("person_order", "person", &["sort_key", "id"]),
        index("person_manager", "person", &["manager"]),
        index("former_person", "former_registry_no", &["person"]),
        index("person_unit_person", "person_unit", &["person"]),
        index("national_id_mark", "national_id", &["mark"]),
        index("account_state", "account", &["state", "province"]),
        index("ledger_person", "ledger_name", &["person"]),
        index("work_visible", "work", &["visible_at"]),
        index("operation_run", "operation", &["run", "id"]),
        index("operation_person", "operation", &["person", "id"]),
        index("operation_budget", "operation", &["budget", "created_at", "province", "status"]),
        index("operation_unsettled", "operation", &["person"]).and_where(unsettled).to_owned(),
        index("hold_open", "hold", &["budget", "scope"]).unique().and_where(Expr::col("status").eq("OPEN")).to_owned(),
        index("hold_item_person", "hold_item", &["person"]),
        index("issue_standing", "issue", &["issue_key"]).unique().and_where(standing.clone()).to_owned(),
        index("issue_about", "issue", &["registry_no", "kind"]).and_where(standing.clone()).to_owned(),
        index("issue_kind", "issue", &["kind"]).and_where(standing.clone()).to_owned(),
        index("issue_order", "issue", &["id"]).and_where(standing).to_owned(),
        index("message_once", "message", &["person", "purpose", "opening"]).unique().to_owned(),
        index("audit_person", "audit_event", &["person", "id"]),
    ]
}
