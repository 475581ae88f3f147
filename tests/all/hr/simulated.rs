//! The simulated ministry through the real intake: what it says is understood, and its faults are seen.
use super::HandClock;
use kimlik_adapters::hr::simulated::SimulatedMinistry;
use kimlik_adapters::system::OsEntropy;
use kimlik_domain::ports::HrFeed;
use kimlik_domain::staff::intake::intake;
use kimlik_domain::staff::{IssueKind, Reasons};
use kimlik_tests::fake_store::FakeStore;
use std::collections::BTreeMap;

#[tokio::test]
async fn a_season_of_its_life_is_taken_in_with_the_faults_that_it_means_and_no_others() {
    let clock = HandClock::at("2026-11-23T09:00:00Z");
    let ministry = SimulatedMinistry::new(11, 300, 4, clock.clone()).without_rest();
    let reasons = Reasons::with(SimulatedMinistry::REASONS.iter().map(|(code, effect)| ((*code).to_owned(), *effect)));
    let store = FakeStore::default();
    let mut position = None::<String>;
    let mut found: BTreeMap<IssueKind, u32> = BTreeMap::new();
    for step in 0..250 {
        let delivery = ministry.poll(position.as_deref()).await.unwrap().unwrap();
        let report = intake(&store, clock.as_ref(), &OsEntropy, &reasons, ministry.name(), &delivery).await.unwrap();
        assert_eq!(report.refused, None, "{}", delivery.name);
        for issue in &report.issues {
            *found.entry(issue.kind).or_default() += 1;
        }
        position = Some(delivery.position);
        if step % 5 == 4 {
            clock.go_on(chrono::Duration::days(1));
        }
    }
    let meant = [IssueKind::InvalidNationalId, IssueKind::MissingMobile, IssueKind::DoubtfulMobile, IssueKind::Mojibake];
    let others: Vec<_> = found.iter().filter(|(kind, _)| !meant.contains(kind)).collect();
    assert!(others.is_empty(), "{others:?}");
    for kind in [IssueKind::InvalidNationalId, IssueKind::MissingMobile, IssueKind::Mojibake] {
        assert!(found.contains_key(&kind), "{kind:?} among {found:?}");
    }
}
