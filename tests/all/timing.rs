//! Whether a registry number is somebody's is not told to whoever may not see that person, by as much as a question to the database.
use crate::access_matrix::{grant, people, token_of};
use crate::surface::program::Serving;
use kimlik_tests::lab::Tally;
use kimlik_tests::postgres;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_whom_an_officer_may_not_see_costs_the_same_questions_as_nobody() {
    let (tally, url) = Tally::of_postgresql(&postgres::database().await.url);
    let serving = Serving::start_on(&url, &[]);
    let all = people(&serving).await;
    let officer = &all[0];
    let ward = all.iter().find(|p| p.unit != officer.unit).unwrap();
    let stranger = all.iter().find(|p| p.unit != ward.unit && p.id != officer.id).unwrap();
    grant(&serving, officer, "PERSONNEL_OFFICER", &[&ward.unit]).await;
    let token = token_of(&serving, officer).await;
    let asked = |no: &str| {
        let by = format!("{{ registryNumber: \"{no}\" }}");
        [
            format!("{{ staffMember(by: {by}) {{ id }} }}"),
            format!("{{ identityCard(by: {by}) {{ id }} }}"),
            format!(
                "mutation {{ accountSuspend(input: {{ staffMember: {by}, reason: \"x\", dryRun: true }}) {{ plan {{ digest }} userErrors {{ code }} }} }}"
            ),
            format!(
                "mutation {{ credentialsResend(input: {{ staffMember: {by}, reason: \"x\", dryRun: true }}) {{ text userErrors {{ code }} }} }}"
            ),
            format!(
                "mutation {{ accountRename(input: {{ staffMember: {by}, reason: \"x\", dryRun: true }}) {{ plan {{ digest }} userErrors {{ code }} }} }}"
            ),
        ]
    };
    // Questions about people; what loops ask meanwhile is left out by taking the least of some.
    let cost = async |query: &str| -> (usize, Value) {
        let (mut least, mut last) = (usize::MAX, Value::Null);
        for _ in 0..6 {
            tally.take();
            last = serving.ask_as(Some(&token), query, json!({})).await;
            least = least.min(tally.take().iter().filter(|s| s.contains("FROM \"person\"")).count());
        }
        (least, last)
    };
    for ((hidden, nothing), own) in asked(&stranger.registry_no).iter().zip(&asked("YOK-1")).zip(&asked(&ward.registry_no)) {
        let (of_hidden, of_nothing) = (cost(hidden).await, cost(nothing).await);
        assert_eq!(of_hidden, of_nothing, "{hidden}");
        assert_ne!(cost(own).await.1, of_nothing.1, "the own people are found: {own}");
    }
}
