//! Whether there is such a person is not told to whoever may not see them, by whatever they are asked for: neither by an answer, a count
//! or an error, nor by as much as a question to the database.
use crate::access_matrix::{Person, grant, people, token_of};
use crate::surface::program::Serving;
use kimlik_tests::lab::Tally;
use kimlik_tests::postgres;
use serde_json::{Value, json};

/// What a person is found by, as an argument; and what has an id of its own.
struct Key {
    by: [String; 4],
    record: String,
    unit: String,
}

async fn key_of(serving: &Serving, person: &Person) -> Key {
    let query = format!("{{ identityCard(by: {{ id: \"{}\" }}) {{ email }} }}", person.id);
    let email = serving.ask(&query).await["data"]["identityCard"]["email"].as_str().unwrap().to_owned();
    Key::new(&person.registry_no, &person.username, &email, &person.id, &person.unit)
}

impl Key {
    fn new(no: &str, username: &str, email: &str, card: &str, unit: &str) -> Key {
        let by = [("registryNumber", no), ("username", username), ("email", email), ("id", card)];
        let record = format!("staff_{}", card.split_once('_').unwrap().1);
        Key { by: by.map(|(kind, value)| format!("{{ {kind}: \"{value}\" }}")), record, unit: unit.to_owned() }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_whom_an_officer_may_not_see_costs_the_same_questions_as_nobody() {
    let (tally, url) = Tally::of_postgresql(&postgres::database().await.url);
    let serving = Serving::start_on(&url, &[]);
    let all = people(&serving).await;
    let officer = &all[0];
    let ward = all.iter().find(|p| p.unit != officer.unit).unwrap();
    let stranger = all.iter().find(|p| p.unit != ward.unit && p.unit != officer.unit).unwrap();
    grant(&serving, officer, "PERSONNEL_OFFICER", &[&ward.unit]).await;
    let token = token_of(&serving, officer).await;
    let asked = |key: &Key| {
        let deeds = ["accountSuspend", "credentialsResend", "accountRename"];
        let mut queries: Vec<String> = Vec::new();
        for by in &key.by {
            queries.push(format!("{{ staffMember(by: {by}) {{ id }} }}"));
            queries.extend(deeds.map(|deed| {
                let told = if deed == "credentialsResend" { "text" } else { "plan { digest }" };
                format!(
                    "mutation {{ {deed}(input: {{ staffMember: {by}, reason: \"x\", dryRun: true }}) {{ {told} userErrors {{ code path message }} }} }}"
                )
            }));
        }
        // A card that everybody may see is not found by a number that not everybody may see.
        queries.push(format!("{{ identityCard(by: {}) {{ id }} }}", key.by[0]));
        queries.push(format!("{{ node(id: \"{}\") {{ id }} }}", key.record));
        queries.push(format!("{{ nodes(ids: [\"{0}\", \"{0}\"]) {{ id }} }}", key.record));
        queries.push(format!(
            "{{ staffMembers(filter: {{ units: [\"{}\"], includeSubunits: false }}) {{ totalCount nodes {{ id }} }} }}",
            key.unit
        ));
        queries
    };
    let nobody = Key::new("YOK-1", "yok.boyle", "yok.boyle@csb.test", "card_0123456789abcdef0123456789abcdef", "99999999");
    let (of_stranger, of_ward) = (key_of(&serving, stranger).await, key_of(&serving, ward).await);
    // Questions about people; what loops ask meanwhile is left out by taking the least of some.
    let cost = async |query: &str| -> (usize, Value) {
        let (mut least, mut last) = (usize::MAX, Value::Null);
        for _ in 0..4 {
            tally.take();
            last = serving.ask_as(Some(&token), query, json!({})).await;
            least = least.min(tally.take().iter().filter(|s| s.contains("FROM \"person\"")).count());
        }
        (least, last)
    };
    for ((hidden, nothing), own) in asked(&of_stranger).iter().zip(&asked(&nobody)).zip(&asked(&of_ward)) {
        let (of_hidden, of_nothing) = (cost(hidden).await, cost(nothing).await);
        assert_eq!(of_hidden, of_nothing, "{hidden}");
        assert_ne!(cost(own).await.1, of_nothing.1, "the own people are found: {own}");
    }
}
