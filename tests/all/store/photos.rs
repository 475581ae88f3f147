//! Photos as they are kept: read of whom they changed, and of nobody else.
use super::{Bench, names, noon, person, settlement};
use async_trait::async_trait;
use kimlik_adapters::directory::embedded::{EmbeddedDirectory, Foreign};
use kimlik_domain::account::{Account, AccountState, Attribute, Dn, Value};
use kimlik_domain::card::photo::look;
use kimlik_domain::id::AccountGuid;
use kimlik_domain::lifecycle::run::PersonSettlement;
use kimlik_domain::ports::{CardFacts, Cards, PhotoBook, PhotoNews, Photos, PortResult, Seal, Store, Watermark};
use kimlik_domain::staff::Units;
use std::sync::atomic::{AtomicUsize, Ordering};
use uuid::Uuid;

on_both_engines!(photos_are_read_when_they_change_and_of_nobody_otherwise);

/// Counts what it is asked for.
struct Watched {
    directory: EmbeddedDirectory,
    questions: AtomicUsize,
}

#[async_trait]
impl Photos for Watched {
    async fn photo_news(&self, since: Option<&Watermark>) -> PortResult<PhotoNews> {
        self.directory.photo_news(since).await
    }
    async fn photos(&self, accounts: &[AccountGuid]) -> PortResult<Vec<(AccountGuid, Vec<u8>)>> {
        self.questions.fetch_add(1, Ordering::Relaxed);
        self.directory.photos(accounts).await
    }
}

fn picture(n: u32) -> Vec<u8> {
    [&b"\xff\xd8\xff\xe0"[..], &n.to_be_bytes(), &[0; 3_000]].concat()
}

/// Works off all marks; answers whether there were any.
async fn sealed(bench: &Bench) -> bool {
    let waited = bench.store.cards_head().await.unwrap().is_waiting;
    let seal = Seal { epoch: Uuid::from_u128(1), at: noon(), shape: "a day", limit: 1_000 };
    while bench.store.seal_cards(&seal, &|facts: &CardFacts, _: &Units| Some(format!("{:?}", facts.photo))).await.unwrap() {}
    waited
}

async fn photos_are_read_when_they_change_and_of_nobody_otherwise(bench: Bench) {
    let folder = tempfile::tempdir().unwrap();
    let base = Dn::new("OU=CSB,DC=csb,DC=test");
    let directory = EmbeddedDirectory::open(&folder.path().join("d.db"), base.clone(), "csb.test", None).await.unwrap();
    let directory = Watched { directory, questions: AtomicUsize::new(0) };
    let mut accounts = Vec::new();
    for n in 1..=120 {
        let foreign = Foreign::new(base.below(&format!("CN=U{n}")), &format!("u{n}"));
        let guid = directory.directory.insert_foreign(&foreign).await.unwrap();
        let person = person(n, "Ayşe", &format!("Şahin{n}"));
        bench.save(vec![person.clone()]).await;
        let account = Account { guid: Some(guid), state: AccountState::Active, ..Account::new(person.id, names(&format!("u{n}"))) };
        bench.store.settle(vec![PersonSettlement { account: Some(account), ..settlement(&person) }]).await.unwrap();
        if n % 2 == 0 {
            directory.directory.hand_photo(guid, Some(&picture(n))).await.unwrap();
        }
        accounts.push((person.id, guid));
    }
    let (store, hand) = (bench.store.as_ref(), &directory.directory);
    let of = async |n: usize| store.photo_of(accounts[n - 1].0).await.unwrap();
    let looked = async |whole: bool| {
        let before = directory.questions.load(Ordering::Relaxed);
        (look(&directory, store, whole, noon()).await.unwrap(), directory.questions.load(Ordering::Relaxed) - before)
    };
    sealed(&bench).await;
    assert_eq!(looked(true).await, (60, 2), "fifty at a time");
    assert_eq!(of(2).await.unwrap().octets, picture(2));
    assert!(of(1).await.is_none());
    assert!(sealed(&bench).await, "cards have changed");
    let entries = store.card_entries(0, 1_000).await.unwrap();
    assert_eq!(entries.iter().filter(|e| e.facts.as_ref().unwrap().photo.is_some()).count(), 60);

    for whole in [false, true] {
        assert_eq!(looked(whole).await, (0, 0), "nothing has changed, and nobody is read");
    }
    // One is another, one is gone, one is nothing that a browser may be shown, and one account changes otherwise.
    let tag = of(4).await.unwrap().tag;
    hand.hand_photo(accounts[3].1, Some(&picture(400))).await.unwrap();
    hand.hand_photo(accounts[5].1, None).await.unwrap();
    hand.hand_photo(accounts[7].1, Some(b"<svg onload=alert(1)>")).await.unwrap();
    hand.hand_edit(accounts[9].1, Attribute::Title, Some(Value::text("Uzman"))).await.unwrap();
    assert_eq!(looked(false).await, (3, 1));
    assert_ne!(of(4).await.unwrap().tag, tag);
    assert!(of(6).await.is_none() && of(8).await.is_none() && of(10).await.is_some());
    assert!(sealed(&bench).await);

    hand.hand_edit(accounts[9].1, Attribute::Title, Some(Value::text("Şef"))).await.unwrap();
    assert_eq!(looked(false).await, (1, 1));
    assert!(!sealed(&bench).await, "the same photo is no other card");
    // Another controller answers: its numbers say nothing of the other's.
    store.save_photo_mark(&Watermark { source: "another".into(), usn: 1 }).await.unwrap();
    assert_eq!(looked(false).await, (59, 2));
    assert!(!sealed(&bench).await);
    // Out of the base, where nothing tells of it.
    hand.hand_move(accounts[1].1, &Dn::new("OU=Elsewhere,DC=csb,DC=test")).await.unwrap();
    looked(false).await;
    // Why one: what cannot be shown is kept nowhere, and so is looked at with all the others once a day.
    assert_eq!(looked(true).await, (1, 1));
    assert!(of(2).await.is_none());
}
