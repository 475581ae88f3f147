//! The floor of the graph: axum, sqlx, one statement a question, and nothing else.
use axum::Router;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use kimlik_domain::text;
use serde_json::{Value, json};
use sqlx::postgres::{PgPool, PgPoolOptions, PgRow};
use sqlx::{QueryBuilder, Row};
use std::collections::{HashMap, HashSet};

const TABLES: &str = "
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE TABLE unit (code text PRIMARY KEY, name text NOT NULL, path jsonb NOT NULL);
CREATE TABLE card (id text PRIMARY KEY, username text UNIQUE, display_name text NOT NULL, given_name text NOT NULL, family_name text NOT NULL,
    title text, email text, office text, unit text REFERENCES unit, manager text, place integer NOT NULL, words text NOT NULL);
CREATE INDEX ON card (unit, place);
CREATE INDEX ON card USING gin (words gin_trgm_ops);
";

const CARD: &str = "SELECT c.id, c.username, c.display_name, c.given_name, c.family_name, c.title, c.email, c.office, u.code, u.name, m.id AS mid, \
    m.display_name AS mname FROM card c LEFT JOIN unit u ON u.code = c.unit LEFT JOIN card m ON m.id = c.manager WHERE c.username = $1";
const PAGE: &str = "SELECT c.id, c.username, c.display_name, c.title, c.email, u.code, u.name, u.path, m.id AS mid, m.display_name AS mname \
    FROM card c JOIN unit u ON u.code = c.unit LEFT JOIN card m ON m.id = c.manager WHERE c.unit = $1 ORDER BY c.place LIMIT 21";
/// Why first filtered: else the planner walks the index of the order.
const SEARCH: &str = "WITH found AS MATERIALIZED (SELECT * FROM card WHERE words LIKE $1 AND words LIKE $2) \
    SELECT c.id, c.username, c.display_name, c.title, u.code, u.name FROM (SELECT * FROM found ORDER BY place LIMIT 21) c \
    LEFT JOIN unit u ON u.code = c.unit ORDER BY c.place";

/// `of`: what is asked for.
type Asked = HashMap<String, String>;

/// Where it listens.
pub async fn start(database: &str, cards: &[Value]) -> String {
    let pool = PgPoolOptions::new().max_connections(16).min_connections(16).connect(database).await.unwrap();
    fill(&pool, cards).await;
    let router = Router::new().route("/card", get(card)).route("/page", get(page)).route("/search", get(search)).with_state(pool);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn fill(pool: &PgPool, cards: &[Value]) {
    sqlx::raw_sql(TABLES).execute(pool).await.unwrap();
    let mut known = HashSet::new();
    let units: HashMap<&str, &Value> = cards.iter().filter_map(|c| Some((c["unit"]["code"].as_str()?, c))).collect();
    for (code, card) in units {
        if known.insert(code) {
            let insert = sqlx::query("INSERT INTO unit VALUES ($1, $2, $3)").bind(code).bind(card["unit"]["name"].as_str());
            insert.bind(&card["unitPath"]).execute(pool).await.unwrap();
        }
    }
    for (part, some) in cards.chunks(2_000).enumerate() {
        let mut insert = QueryBuilder::new("INSERT INTO card ");
        insert.push_values(some.iter().enumerate(), |mut row, (n, card)| {
            let field = |name: &str| card[name].as_str();
            let words = format!(" {}", text::fold(&format!("{} {}", field("givenName").unwrap(), field("familyName").unwrap())));
            row.push_bind(field("id")).push_bind(field("username")).push_bind(field("displayName")).push_bind(field("givenName"));
            row.push_bind(field("familyName")).push_bind(field("title")).push_bind(field("email")).push_bind(field("office"));
            row.push_bind(card["unit"]["code"].as_str()).push_bind(card["manager"]["id"].as_str());
            row.push_bind(i32::try_from(part * 2_000 + n).unwrap()).push_bind(words);
        });
        insert.build().execute(pool).await.unwrap();
    }
    sqlx::raw_sql("VACUUM ANALYZE").execute(pool).await.unwrap();
}

fn unit(row: &PgRow) -> Value {
    row.get::<Option<String>, _>("code").map_or(Value::Null, |code| json!({ "code": code, "name": row.get::<String, _>("name") }))
}

fn manager(row: &PgRow) -> Value {
    row.get::<Option<String>, _>("mid").map_or(Value::Null, |id| json!({ "id": id, "displayName": row.get::<String, _>("mname") }))
}

fn said(row: &PgRow, column: &str) -> Option<String> {
    row.get(column)
}

fn answer(data: Value) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], json!({ "data": data }).to_string())
}

async fn card(State(pool): State<PgPool>, Query(asked): Query<Asked>) -> impl IntoResponse {
    let row = sqlx::query(CARD).bind(&asked["of"]).fetch_optional(&pool).await.unwrap();
    let card = row.map_or(Value::Null, |r| {
        json!({ "id": said(&r, "id"), "username": said(&r, "username"), "displayName": said(&r, "display_name"),
            "givenName": said(&r, "given_name"), "familyName": said(&r, "family_name"), "title": said(&r, "title"),
            "email": said(&r, "email"), "office": said(&r, "office"), "unit": unit(&r), "manager": manager(&r) })
    });
    answer(json!({ "identityCard": card }))
}

fn paged(nodes: Vec<Value>, more: bool) -> Value {
    json!({ "identityCards": { "nodes": nodes, "pageInfo": { "hasNextPage": more } } })
}

async fn page(State(pool): State<PgPool>, Query(asked): Query<Asked>) -> impl IntoResponse {
    let rows = sqlx::query(PAGE).bind(&asked["of"]).fetch_all(&pool).await.unwrap();
    let nodes = rows.iter().take(20).map(|r| {
        json!({ "id": said(r, "id"), "username": said(r, "username"), "displayName": said(r, "display_name"), "title": said(r, "title"),
            "email": said(r, "email"), "unit": unit(r), "unitPath": r.get::<Value, _>("path"), "manager": manager(r) })
    });
    answer(paged(nodes.collect(), rows.len() > 20))
}

async fn search(State(pool): State<PgPool>, Query(asked): Query<Asked>) -> impl IntoResponse {
    let folded = text::fold(&asked["of"]);
    let mut words = folded.split(' ').map(|word| format!("% {word}%"));
    let first = words.next().unwrap();
    let second = words.next().unwrap_or_else(|| first.clone());
    let rows = sqlx::query(SEARCH).bind(&first).bind(&second).fetch_all(&pool).await.unwrap();
    let nodes = rows.iter().take(20).map(|r| {
        json!({ "id": said(r, "id"), "username": said(r, "username"), "displayName": said(r, "display_name"), "title": said(r, "title"), "unit": unit(r) })
    });
    answer(paged(nodes.collect(), rows.len() > 20))
}
