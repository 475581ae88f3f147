//! A controller that freezes, dies, comes back: what is in doubt, what is not, and who is asked next.
use super::active_directory::{Domain, domain};
use super::contract::{change, create, new, ou, see};
use kimlik_adapters::directory::active_directory::{ActiveDirectory, AdSettings};
use kimlik_adapters::system::SystemClock;
use kimlik_domain::account::{AccountRef, Attribute};
use kimlik_domain::ports::{Directory, FindBy, PortError};
use kimlik_tests::lab::{Relay, Samba, Tally};
use std::sync::Arc;
use std::time::{Duration, Instant};

fn directory(settings: AdSettings) -> ActiveDirectory {
    ActiveDirectory::new(settings, Arc::new(SystemClock)).unwrap()
}

fn impatient(samba: &Samba) -> AdSettings {
    AdSettings { timeout: Duration::from_millis(2_500), ..samba.settings() }
}

/// A domain whose answers can get lost on the way.
fn behind_a_relay() -> (Domain, Relay) {
    let samba = Samba::start();
    let relay = Relay::before(&format!("{}:636", samba.address()));
    let urls = vec![format!("ldaps://{}", relay.address())];
    let directory = directory(AdSettings { urls, ..impatient(&samba) });
    (Domain { samba, directory }, relay)
}

async fn until_it_answers(directory: &ActiveDirectory) {
    let begun = Instant::now();
    while directory.containers().await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_without_an_answer_is_in_doubt_and_a_read_is_not() {
    let (f, relay) = behind_a_relay();
    let account = create(&f, "Do Nuk", "do.nuk", &[]).await;
    relay.lose_answers(true);
    let title = [change(Attribute::Title, None, Some("Uzman"))];
    let lost = f.directory.modify(&account, &title).await.unwrap_err();
    assert!(matches!(&lost, PortError::InDoubt(text) if text.contains("no answer within 2500 ms")), "{lost:?}");
    // What was sent is lost from sight; what cannot even connect has not happened.
    for refused in [f.directory.observe(&[account.guid]).await.unwrap_err(), f.directory.modify(&account, &title).await.unwrap_err()] {
        assert!(matches!(refused, PortError::Unavailable(_)), "{refused:?}");
    }
    relay.lose_answers(false);
    until_it_answers(&f.directory).await;
    // What had been sent was carried out: "perhaps" was the truth.
    assert_eq!(see(&f, &account).await.attributes.text(Attribute::Title), Some("Uzman"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_write_is_in_doubt_when_the_answer_stays_away() {
    let (f, relay) = behind_a_relay();
    let account = create(&f, "Her Tür", "her.tur", &[]).await;
    let group = kimlik_domain::account::Dn::new("CN=Tasra Personeli,OU=Gruplar,OU=CSB,DC=csb,DC=test");
    let password = "Uzun-Bir-Parola-9".to_owned().into();
    let title = [change(Attribute::Title, None, Some("Uzman"))];
    for kind in 0..4 {
        until_it_answers(&f.directory).await;
        relay.lose_answers(true);
        let lost = match kind {
            0 => f.directory.create(&new(ou(&f, "Merkez"), "Yeni Kişi", "yeni.kisi", &[])).await.map(drop),
            1 => f.directory.set_password(&account, &password).await,
            2 => f.directory.join_group(&account, &group).await,
            _ => f.directory.modify(&account, &title).await,
        };
        relay.lose_answers(false);
        assert!(matches!(lost, Err(PortError::InDoubt(_))), "{kind}: {lost:?}");
    }
    until_it_answers(&f.directory).await;
    let by = FindBy { usernames: vec!["yeni.kisi".into()], ..FindBy::default() };
    assert_eq!(f.directory.find(&by).await.unwrap().len(), 1, "created once, and only looking tells");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_during_a_write_leaves_it_in_doubt() {
    let samba = Samba::start();
    let line = Tally::of_tls(&format!("{}:636", samba.address()));
    let urls = vec![format!("ldaps://{}", line.address())];
    let f = Domain { directory: directory(AdSettings { urls, ..samba.settings() }), samba };
    let account = create(&f, "Öl En", "ol.en", &[]).await;
    f.samba.freeze();
    line.take();
    let (writer, reference) = (f.directory.clone(), account.clone());
    let write = tokio::spawn(async move { writer.modify(&reference, &[change(Attribute::Title, None, Some("x"))]).await });
    while line.take().is_empty() {
        assert!(!write.is_finished(), "nothing was sent");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    f.samba.kill();
    let lost = write.await.unwrap().unwrap_err();
    assert!(matches!(lost, PortError::InDoubt(_)), "{lost:?}");
    let refused = f.directory.set_enabled(&account, true).await.unwrap_err();
    assert!(matches!(refused, PortError::Unavailable(_)), "{refused:?}");
    f.samba.restart();
    until_it_answers(&f.directory).await;
    assert_eq!(see(&f, &account).await.attributes.text(Attribute::Title), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_that_was_closed_is_opened_again_unnoticed() {
    let f = domain();
    let account = create(&f, "Bek Ler", "bek.ler", &[]).await;
    f.samba.stop();
    f.samba.restart();
    f.directory.modify(&account, &[change(Attribute::Title, None, Some("Memur"))]).await.unwrap();
    assert_eq!(see(&f, &account).await.attributes.text(Attribute::Title), Some("Memur"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_controller_is_used_where_the_first_is_dead_or_frozen() {
    let (first, second) = (Samba::start(), Samba::start());
    let mut settings = impatient(&second);
    settings.urls = vec!["ldaps://127.88.255.1:636".into(), first.url(), second.url()];
    first.freeze();
    let f = Domain { directory: directory(settings), samba: second };
    let account = create(&f, "Ye Dek", "ye.dek", &[]).await;
    assert_eq!(f.samba.value("(sAMAccountName=ye.dek)", "cn").as_deref(), Some("Ye Dek"));
    first.thaw();
    // Reads stay where the writes went, though the first one answers again.
    assert_eq!(see(&f, &account).await.username(), "ye.dek");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_write_no_other_controller_is_believed_before_it_may_know() {
    let (first, second) = (Samba::start(), Samba::start());
    let urls = vec![first.url(), second.url()];
    let mut settings = AdSettings { urls, replication: Duration::from_secs(10), ..impatient(&first) };
    settings.ca_pem.extend(second.ca_pem());
    let f = Domain { directory: directory(settings), samba: first };
    let account = create(&f, "Son Yazı", "son.yazi", &[]).await;
    let written = Instant::now();
    f.samba.stop();
    let refused = f.directory.observe(&[account.guid]).await.unwrap_err();
    assert!(matches!(&refused, PortError::Unavailable(text) if text.contains("no other controller is asked")), "{refused:?}");
    until_it_answers(&f.directory).await;
    assert!(written.elapsed() >= Duration::from_secs(10));
    let missing = AccountRef { guid: account.guid, dn: account.dn.clone() };
    assert!(f.directory.observe(&[missing.guid]).await.unwrap().is_empty(), "the other controller of this lab never hears of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_nothing_answers_attempts_are_spaced_out() {
    let f = domain();
    f.samba.stop();
    let begun = Instant::now();
    for _ in 0..200 {
        assert!(matches!(f.directory.observe(&[]).await, Ok(_) | Err(PortError::Unavailable(_))));
        assert!(matches!(f.directory.containers().await, Err(PortError::Unavailable(_))));
    }
    // Were the pauses waited for, it would take minutes.
    assert!(begun.elapsed() < Duration::from_secs(30), "the pause is answered at once");
    f.samba.restart();
    until_it_answers(&f.directory).await;
}
