//! What is secret cannot be read where it is kept.
use super::{Bench, keys, person, save, settlement};
use kimlik_adapters::store::{SqlStore, StoreKeys};
use kimlik_domain::id::MessageId;
use kimlik_domain::lifecycle::run::PersonSettlement;
use kimlik_domain::message::{NewMessage, Purpose};
use kimlik_domain::ports::Store;
use kimlik_domain::staff::{MobileNumber, NationalId};
use sqlx::Row;
use uuid::Uuid;

const NATIONAL_ID: &str = "10000000146";
const CODE: &str = "73519284";

async fn with_secrets(bench: &Bench) {
    let mut roster = save(vec![person(1, "Ayşe", "Yılmaz")]);
    roster.people[0].national_id = NationalId::parse(NATIONAL_ID).ok();
    bench.store.save_roster(roster).await.unwrap();
    let message = NewMessage {
        id: MessageId(Uuid::from_u128(9)),
        purpose: Purpose::AccountOpened,
        occasion: "1".into(),
        to: MobileNumber::parse("05321234567").unwrap().into(),
        subject: None,
        text: "Etkinlestirme kodu: {code}".to_owned().into(),
        code: Some(CODE.to_owned().into()),
        valid_until: None,
    };
    let settlement = PersonSettlement { message: Some(message), ..settlement(&person(1, "Ayşe", "Yılmaz")) };
    bench.store.settle(vec![settlement]).await.unwrap();
    assert!(bench.store.messages(None, 1).await.unwrap()[0].text.as_ref().unwrap().contains(CODE), "who has the key can read it");
}

fn assert_not_in(bytes: &[u8], secret: &str) {
    for form in [secret.to_owned(), hex(secret)] {
        assert!(!bytes.windows(form.len()).any(|w| w == form.as_bytes()), "the database shows a secret");
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|b| format!("{b:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sqlite_file_shows_neither_national_id_nor_code() {
    let bench = Bench::sqlite().await;
    with_secrets(&bench).await;
    let folder = bench.folder.as_ref().unwrap().path().join("made/by it");
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        bytes.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    assert!(bytes.windows(2).any(|w| w == b"S1"), "the file that was looked at holds the person");
    assert_not_in(&bytes, NATIONAL_ID);
    assert_not_in(&bytes, CODE);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_postgresql_tables_show_neither_national_id_nor_code() {
    let bench = Bench::postgresql().await;
    with_secrets(&bench).await;
    let pool = sqlx::PgPool::connect(&bench.url).await.unwrap();
    let tables = "SELECT query_to_xml(format('SELECT * FROM %I', tablename), true, false, '')::text AS rows \
                  FROM pg_tables WHERE schemaname = 'public'";
    let rows = sqlx::query(tables).fetch_all(&pool).await.unwrap();
    let text: String = rows.iter().map(|row| row.get::<String, _>("rows")).collect();
    assert!(text.contains("S1"), "what was looked at holds the person");
    let encodings = [text.clone(), base64_decoded(&text)];
    for text in encodings {
        assert_not_in(text.as_bytes(), NATIONAL_ID);
        assert_not_in(text.as_bytes(), CODE);
    }
}

/// XML shows octets in base64: what they decode to, letter for letter.
fn base64_decoded(xml: &str) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for cell in xml.split(['<', '>']) {
        let mut bits = 0_u32;
        let mut count = 0;
        for c in cell.bytes().filter(|c| !c.is_ascii_whitespace()) {
            let Some(value) = LETTERS.iter().position(|l| *l == c) else { break };
            bits = bits << 6 | u32::try_from(value).unwrap();
            count += 6;
            if count >= 8 {
                count -= 8;
                out.push(char::from((bits >> count & 0xff) as u8));
            }
        }
        out.push(' ');
    }
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_reads_no_message_and_another_pepper_makes_another_mark() {
    let bench = Bench::sqlite().await;
    with_secrets(&bench).await;
    let stranger = SqlStore::connect(&bench.url, StoreKeys { encryption: [9; 32], pepper: [9; 32] }).await.unwrap();
    let refused = stranger.messages(None, 1).await.unwrap_err().to_string();
    assert!(refused.contains("encryption key") && !refused.contains(CODE), "{refused}");
    let id = NationalId::parse(NATIONAL_ID).unwrap();
    assert_ne!(stranger.mark(&id), bench.store.mark(&id));
    assert_eq!(bench.store.mark(&id), SqlStore::connect(&bench.url, keys()).await.unwrap().mark(&id));
}
