//! A reorganisation: every unit has another short name, so that every card changes. What Kimlik adds to the bare modifies: looking
//! at everybody, planning, intents, receipts and audit, and looking at what was written.
use crate::directory::{ACCOUNTS, connection, hired};
use crate::{median, timed};
use futures_util::{StreamExt, stream};
use kimlik_domain::lifecycle::limits::Limits;
use kimlik_domain::lifecycle::policy::Policy;
use kimlik_domain::lifecycle::{ActionKind, run::Run};
use kimlik_tests::lab::Samba;
use kimlik_tests::ministry::{BASE, Ministry, UNITS, policy};
use kimlik_tests::scenario::Hr;
use ldap3::{Ldap, Mod, Scope, SearchEntry};
use std::collections::HashSet;
use std::time::Duration;

const ROUNDS: usize = 3;

/// What the short name of every unit says behind it in this round.
fn named(round: usize) -> String {
    UNITS.replace("İl Müdürlüğü;PROVINCIAL", &format!("İl Müdürlüğü {round};PROVINCIAL"))
}

struct Card {
    dn: String,
    /// As Kimlik names it: the same object, whatever it is called meanwhile.
    by_guid: String,
    department: String,
    company: String,
}

async fn cards(ldap: &Ldap) -> Vec<Card> {
    let mut ldap = ldap.clone();
    let paged: Vec<Box<dyn ldap3::adapters::Adapter<_, _>>> =
        vec![Box::new(ldap3::adapters::EntriesOnly::new()), Box::new(ldap3::adapters::PagedResults::new(1_000))];
    let filter = "(&(objectCategory=person)(employeeID=S*))";
    let mut search =
        ldap.streaming_search_with(paged, BASE, Scope::Subtree, filter, vec!["department", "company", "objectGUID"]).await.unwrap();
    let mut found = Vec::new();
    while let Some(entry) = search.next().await.unwrap() {
        let entry = SearchEntry::construct(entry);
        let one = |name: &str| entry.attrs[name][0].clone();
        let guid = uuid::Uuid::from_slice_le(&entry.bin_attrs["objectGUID"][0]).unwrap();
        let by_guid = format!("<GUID={guid}>");
        found.push(Card { department: one("department"), company: one("company"), by_guid, dn: entry.dn });
    }
    search.finish().await.success().unwrap();
    found
}

/// The same modify as Kimlik's: the values before as its precondition.
async fn write_bare(mut ldap: Ldap, card: &Card, named: Named, from: usize, to: usize) {
    let set = |v: &str| HashSet::from([v.as_bytes().to_vec()]);
    let new = |v: &str| format!("{}{to}", v.strip_suffix(&from.to_string()).unwrap());
    let mods = [("department", &card.department), ("company", &card.company)];
    let mods = mods.iter().flat_map(|(name, old)| {
        let name = name.as_bytes().to_vec();
        [Mod::Delete(name.clone(), set(old)), Mod::Add(name, set(&new(old)))]
    });
    let name = if named == Named::ByGuid { &card.by_guid } else { &card.dn };
    ldap.modify(name, mods.collect()).await.unwrap().success().unwrap();
}

/// How the account is named in the bare modify.
#[derive(Clone, Copy, PartialEq)]
enum Named {
    ByGuid,
    ByName,
}

async fn floor(ldap: &Ldap, named: Named, from: usize, to: usize) -> Duration {
    let cards = cards(ldap).await;
    assert_eq!(cards.len(), ACCOUNTS);
    let modifies = stream::iter(cards.iter().map(|card| write_bare(ldap.clone(), card, named, from, to))).buffer_unordered(8);
    timed(modifies.collect::<Vec<()>>()).await.0
}

async fn reorganised(ministry: &Ministry, round: usize) -> (Duration, Run) {
    assert_eq!(ministry.hr("units", &named(round)).await.refused, None);
    timed(ministry.sync()).await
}

pub async fn compare() {
    let samba = Samba::start();
    let ministry = Ministry::on_samba_with("2026-12-01", &samba, Policy { limits: Limits::default(), ..policy() }).await;
    assert_eq!(ministry.hr("units", &named(0)).await.refused, None);
    let mut hr = Hr::default();
    ministry.hr("staff-delta", &hired(&mut hr, 0..ACCOUNTS)).await;
    ministry.sync().await;
    ministry.sync().await;
    let ldap = connection(&samba).await;
    let (mut floors, mut by_name, mut kimliks, mut idle) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        // The same there and back by hand, so that Kimlik finds what it has left; in turn with it, in the same minutes.
        floors.push(floor(&ldap, Named::ByGuid, round - 1, round).await);
        by_name.push(floor(&ldap, Named::ByName, round, round - 1).await);
        idle.push(timed(ministry.sync()).await.0);
        let (time, run) = reorganised(&ministry, round).await;
        assert_eq!(run.summary.planned.get(&ActionKind::Update), Some(&(ACCOUNTS as u32)), "{:?}", run.summary);
        assert_eq!(run.summary.done as usize, ACCOUNTS, "{:?}", run.summary);
        kimliks.push(time);
    }
    let (floor, by_name, kimlik, idle) = (median(floors), median(by_name), median(kimliks), median(idle));
    let rate = |time: Duration| ACCOUNTS as f64 / time.as_secs_f64();
    println!("--- {ACCOUNTS} cards that all change (at least 0.7 of the floor)");
    println!(
        "bare ldap3, by objectGUID, 8 in flight: {:.1}/s; Kimlik, everything included: {:.1}/s; ratio {:.2}",
        rate(floor),
        rate(kimlik),
        rate(kimlik) / rate(floor)
    );
    println!(
        "bare, by distinguished name, which somebody may change meanwhile: {:.1}/s; ratio {:.2}",
        rate(by_name),
        rate(kimlik) / rate(by_name)
    );
    println!("of that, looking at everybody: {idle:.2?}; without it the ratio is {:.2}", rate(kimlik.saturating_sub(idle)) / rate(floor));
}
