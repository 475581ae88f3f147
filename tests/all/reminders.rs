//! Passwords that run out and data issues that stand: told once, to those whom it concerns, in words that give nobody away.
use chrono::{DateTime, Days, TimeDelta, Utc};
use kimlik_adapters::store::SqlStore;
use kimlik_adapters::system::OsEntropy;
use kimlik_domain::account::AccountRef;
use kimlik_domain::day;
use kimlik_domain::message::digest::{Digest, DigestRules};
use kimlik_domain::message::language::choose;
use kimlik_domain::message::reminder::{Reminder, ReminderRules};
use kimlik_domain::message::round::DailyRound;
use kimlik_domain::message::{Channel, Language, Message, Purpose, Templates};
use kimlik_domain::ports::{Clock, Directory, Passwords, Rounds, Store, TakenRound};
use kimlik_domain::staff::MendTerms;
use kimlik_tests::fakes::TestClock;
use kimlik_tests::lab::Samba;
use kimlik_tests::ministry::{Ministry, keys, national_id};
use std::sync::Arc;
use uuid::Uuid;

fn texts() -> Arc<Templates> {
    let mut texts = Templates::new("https://parola.csb.test", Language::Tr);
    texts.carries_mail = true;
    Arc::new(texts)
}

/// Another replica on the ministry's database.
async fn replica(ministry: &Ministry) -> Arc<SqlStore> {
    let url = format!("sqlite://{}", ministry.path().join("kimlik.db").display());
    Arc::new(SqlStore::connect(&url, keys()).await.unwrap())
}

fn reminder(store: &Arc<SqlStore>, passwords: Arc<dyn Passwords>, clock: &Arc<TestClock>) -> Reminder {
    Reminder {
        round: DailyRound::new(store.clone(), clock.clone(), Arc::new(OsEntropy), "password_expiring", 8),
        passwords,
        store: store.clone(),
        outbox: store.clone(),
        texts: texts(),
        clock: clock.clone(),
        entropy: Arc::new(OsEntropy),
        rules: ReminderRules { days: vec![14, 3, 1], by_mail: true, by_sms: true },
    }
}

fn row(n: u32, name: &str, mobile: &str) -> String {
    format!("S{n:03};{};{name};ACTIVE;1;2020-01-06;;PERMANENT;20000006;Mühendis;;2020-01-06;;{mobile};;12{n:02};B-12", national_id(n))
}

/// Whom the messages of this purpose went to: (user name, channel, text), in no order of importance.
async fn told(store: &dyn Store, purpose: Purpose) -> Vec<(String, Channel, String)> {
    let messages: Vec<Message> = store.messages(None, 200).await.unwrap().into_iter().filter(|m| m.purpose == purpose).collect();
    let mut told = Vec::new();
    for message in messages {
        let people = store.people(kimlik_domain::ports::PeopleBy::Ids(&[message.person])).await.unwrap();
        let username = people[0].account.as_ref().unwrap().names.username.to_string();
        told.push((username, message.to.channel(), message.text.unwrap().to_string()));
    }
    told.sort();
    told
}

async fn account_of(ministry: &Ministry, registry_no: &str) -> AccountRef {
    let guid = ministry.person(registry_no).await.account.unwrap().guid.unwrap();
    let seen = ministry.directory.observe(&[guid]).await.unwrap().remove(0);
    AccountRef { guid, dn: seen.dn }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn active_directory_says_whose_password_runs_out_and_each_hears_of_each_step_once() {
    let samba = Samba::start();
    let now: DateTime<Utc> = kimlik_adapters::system::SystemClock.now();
    let today = day::today(now);
    let ministry = Ministry::on_samba(&today.to_string(), &samba).await;
    ministry.units().await;
    let people = [
        row(1, "AYŞE;ŞAHİN", "05321110001"),
        row(2, "MEHMET;DEMİR", "05321110002"),
        row(3, "ZEYNEP;ASLAN", "05321110003"),
        row(4, "CAN;KAYA", "05321110004"),
        row(5, "ELİF;KURT", "05321110005"),
        row(6, "ALİ;ÇETİN", "05321110006"),
        row(7, "ÖMER;YAVUZ", ""),
    ];
    ministry.staff(&people.each_ref().map(String::as_str)).await;
    ministry.sync().await;
    for n in 1..=7 {
        let account = account_of(&ministry, &format!("S{n:03}")).await;
        ministry.directory.set_password(&account, &"Yagmur-7-Tren-Limon".to_owned().into()).await.unwrap();
    }
    let set = |username: &str, attribute: &str, value: &str| {
        let dn = samba.value(&format!("(sAMAccountName={username})"), "distinguishedName").unwrap();
        samba.admin_modify(&format!("dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n"));
    };
    set("zeynep.aslan", "userAccountControl", "66048");
    set("can.kaya", "userAccountControl", "262656");
    set("elif.kurt", "userAccountControl", "514");
    set("ali.cetin", "pwdLastSet", "0");
    samba.on_the_controller(
        "samba-tool domain passwordsettings set --max-pwd-age=30 --min-pwd-age=0 >/dev/null\n\
         samba-tool domain passwordsettings pso create kisa 1 --max-pwd-age=10 --min-pwd-age=0 >/dev/null\n\
         samba-tool domain passwordsettings pso apply kisa mehmet.demir >/dev/null",
    );
    let mut settings = samba.settings();
    settings.closed_ou = ministry.reconciler.policy.closed_ou.clone();
    settings.default_ou = ministry.reconciler.policy.default_ou.clone();
    let directory: Arc<dyn Passwords> = Arc::new(
        kimlik_adapters::directory::active_directory::ActiveDirectory::new(settings, Arc::new(kimlik_adapters::system::SystemClock))
            .unwrap(),
    );
    let near = directory.expiring(now - TimeDelta::days(1), now + TimeDelta::days(60)).await.unwrap();
    assert_eq!(near.len(), 3, "Ayşe, Mehmet, Ömer: {near:?}");
    let store = replica(&ministry).await;
    let clock = ministry.clock.clone();
    let reminder = reminder(&store, directory, &clock);
    let on = |days: u64| today.checked_add_days(Days::new(days)).unwrap();

    clock.set_to(day::midnight(today) + TimeDelta::hours(7));
    assert_eq!(reminder.round().await.unwrap(), None, "not in the night");
    clock.set_to(day::midnight(today) + TimeDelta::hours(8));
    assert_eq!(reminder.round().await.unwrap(), Some(1));
    let first = told(store.as_ref(), Purpose::PasswordExpiring).await;
    let who = |told: &[(String, Channel, String)]| told.iter().map(|(n, c, _)| (n.clone(), *c)).collect::<Vec<_>>();
    let mehmet = |channel| ("mehmet.demir".to_owned(), channel);
    assert_eq!(who(&first), [mehmet(Channel::Sms), mehmet(Channel::Mail)], "a fine-grained policy of 10 days");
    assert!(first[0].2.contains("10 gun") && first[1].2.contains("10 gün içinde"), "{first:?}");
    assert_eq!(reminder.round().await.unwrap(), None, "once a day");
    for days in 1..=6 {
        clock.set(on(days));
        reminder.round().await.unwrap();
    }
    assert_eq!(told(store.as_ref(), Purpose::PasswordExpiring).await.len(), 2, "and once a step");
    clock.set(on(7));
    assert_eq!(reminder.round().await.unwrap(), Some(1));
    assert_eq!(told(store.as_ref(), Purpose::PasswordExpiring).await.len(), 4, "three days before");
    clock.set(on(20));
    assert_eq!(reminder.round().await.unwrap(), Some(2), "Ayşe and Ömer, who has no mobile; Mehmet's is over");
    let last = told(store.as_ref(), Purpose::PasswordExpiring).await;
    let of = |name: &str| last.iter().filter(|(n, ..)| n == name).map(|(_, c, _)| *c).collect::<Vec<_>>();
    assert_eq!((of("ayse.sahin"), of("omer.yavuz")), (vec![Channel::Sms, Channel::Mail], vec![Channel::Mail]));
    for left_out in ["zeynep.aslan", "can.kaya", "elif.kurt", "ali.cetin"] {
        assert_eq!(of(left_out), [], "{left_out}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_and_rounds_that_were_broken_off_remind_once_and_a_new_password_ends_it() {
    let ministry = Ministry::small("2026-12-01").await;
    let embedded = ministry.embedded.clone().unwrap();
    ministry.units().await;
    let people: Vec<String> =
        (1..=40).map(|n| row(n, &format!("AYŞE;ŞAHİN{}", "A".repeat(n as usize)), &format!("053211100{n:02}"))).collect();
    ministry.staff(&people.iter().map(String::as_str).collect::<Vec<_>>()).await;
    ministry.sync().await;
    embedded.hand_maximum_password_age(Some(TimeDelta::days(90))).await.unwrap();
    let clock = ministry.clock.clone();
    let set_at = |left: i64| clock.now() - TimeDelta::days(90 - left);
    for n in 1..=40 {
        let account = account_of(&ministry, &format!("S{n:03}")).await;
        embedded.set_password(&account, &"Yagmur-7-Tren-Limon".to_owned().into()).await.unwrap();
        embedded.hand_password_set(account.guid, set_at(if n <= 30 { 10 } else { 60 })).await.unwrap();
    }
    // Killed in the middle: the round was taken and never ended.
    let store = replica(&ministry).await;
    choose(store.as_ref(), &ministry.person("S007").await, Language::En, "user:ayse", clock.now()).await.unwrap();
    let (at, broken) = (clock.now(), Uuid::from_u128(1));
    let taken = store.take_round("password_expiring", day::today(at), broken, at, at + TimeDelta::minutes(10)).await.unwrap();
    assert_eq!(taken, TakenRound::Ours);
    assert_eq!(reminder(&store, embedded.clone(), &clock).round().await.unwrap(), None, "it is still in somebody's hands");
    clock.pass(TimeDelta::minutes(11));
    let mut replicas = Vec::new();
    for _ in 0..4 {
        let reminder = reminder(&replica(&ministry).await, embedded.clone(), &clock);
        replicas.push(tokio::spawn(async move { reminder.round().await.unwrap() }));
    }
    let mut made = Vec::new();
    for replica in replicas {
        made.extend(replica.await.unwrap());
    }
    assert_eq!(made, [30], "one of them");
    assert!(!store.keep_round("password_expiring", day::today(at), broken, at).await.unwrap(), "whoever was broken off has lost it");
    let first = told(store.as_ref(), Purpose::PasswordExpiring).await;
    assert_eq!(first.len(), 60, "each by SMS and by e-mail");
    let english: Vec<&str> = first.iter().filter(|(.., text)| text.contains("xpire")).map(|(name, ..)| name.as_str()).collect();
    let seventh = ministry.person("S007").await.account.unwrap().names.username;
    assert_eq!(english, [&*seventh, &*seventh], "in the person's language");
    // All of it again, as after a kill -9 before the end was noted.
    let again = Reminder {
        round: DailyRound::new(store.clone(), clock.clone(), Arc::new(OsEntropy), "again", 8),
        ..reminder(&store, embedded.clone(), &clock)
    };
    assert_eq!(again.round().await.unwrap(), Some(30));
    assert_eq!(told(store.as_ref(), Purpose::PasswordExpiring).await.len(), 60, "nobody twice");
    // The policy is relaxed by a day: nobody is told anew for that.
    embedded.hand_maximum_password_age(Some(TimeDelta::days(91))).await.unwrap();
    clock.pass(TimeDelta::days(1));
    reminder(&store, embedded.clone(), &clock).round().await.unwrap();
    assert_eq!(told(store.as_ref(), Purpose::PasswordExpiring).await.len(), 60);
    for n in 1..=29 {
        embedded.hand_password_set(account_of(&ministry, &format!("S{n:03}")).await.guid, clock.now()).await.unwrap();
    }
    clock.pass(TimeDelta::days(6));
    assert_eq!(reminder(&store, embedded.clone(), &clock).round().await.unwrap(), Some(1), "who has not changed it, three days before");
    let facts = embedded.password_facts(account_of(&ministry, "S030").await.guid).await.unwrap().unwrap();
    assert!(facts.expires_at.is_some_and(|at| at > clock.now()) && facts.set_at.is_some());
}

/// The personnel unit of Ankara: its head (no mail of his own without an account), two of its staff, and people with faulty records.
async fn ankara() -> Ministry {
    let ministry = Ministry::small("2026-12-01").await;
    ministry
        .hr(
            "units",
            "code;parent_code;name;short_name;kind;province;personnel_unit_code;head_registry_no;phone;city;valid_from;valid_to;replaced_by\n\
             10000000;;Çevre, Şehircilik ve İklim Değişikliği Bakanlığı;Bakanlık;CENTRAL;06;11000000;;;Ankara;;;\n\
             11000000;10000000;Personel Genel Müdürlüğü;;CENTRAL;06;;;;;;;\n\
             20000006;10000000;Ankara İl Müdürlüğü;;PROVINCIAL;06;20000061;;;Ankara;;;\n\
             20000061;20000006;Ankara Personel Şube Müdürlüğü;;PROVINCIAL;06;;S001;;;;;\n",
        )
        .await;
    let in_unit = |n: u32, name: &str, unit: &str, mobile: &str| row(n, name, mobile).replace("20000006", unit);
    let rows = [
        in_unit(1, "HASAN;MÜDÜR", "20000006", "05321110001"),
        in_unit(2, "SEVGİ;MEMUR", "20000061", "05321110002"),
        in_unit(3, "ÖTEKİ;KİŞİ", "20000006", "05321110003"),
        in_unit(4, "TELEFONSUZ;BİR", "20000006", ""),
        in_unit(5, "TELEFONSUZ;İKİ", "20000006", ""),
        in_unit(6, "HATALI;TELEFON", "20000006", "0532"),
    ];
    ministry.staff(&rows.each_ref().map(String::as_str)).await;
    ministry.sync().await;
    ministry
}

fn digest(store: &Arc<SqlStore>, clock: &Arc<TestClock>) -> Digest {
    Digest {
        round: DailyRound::new(store.clone(), clock.clone(), Arc::new(OsEntropy), "issue_digest", 8),
        store: store.clone(),
        texts: texts(),
        clock: clock.clone(),
        entropy: Arc::new(OsEntropy),
        rules: DigestRules { by_mail: true, by_sms: true },
        terms: MendTerms::default(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_personnel_unit_hears_once_a_day_what_is_open_and_only_head_and_staff_do() {
    let ministry = ankara().await;
    let (store, clock) = (replica(&ministry).await, ministry.clock.clone());
    let open = store.issues(None, 100).await.unwrap();
    let its = open.iter().filter(|i| i.issue.personnel_unit.is_some_and(|u| u.to_string() == "20000061")).count();
    assert!(its >= 3, "{open:?}");
    choose(store.as_ref(), &ministry.person("S002").await, Language::En, "user:sevgi.memur", clock.now()).await.unwrap();
    let round = digest(&store, &clock).round().await.unwrap().unwrap();
    assert_eq!((round.units, round.deaf), (1, vec![]));
    let told_now = told(store.as_ref(), Purpose::IssueDigest).await;
    let who: Vec<(String, Channel)> = told_now.iter().map(|(n, c, _)| (n.clone(), *c)).collect();
    let of = |name: &str, channel| (name.to_owned(), channel);
    let (head, staff) = ("hasan.mudur", "sevgi.memur");
    assert_eq!(who, [of(head, Channel::Sms), of(head, Channel::Mail), of(staff, Channel::Sms), of(staff, Channel::Mail)]);
    let letter = &told_now[1].2;
    assert!(letter.contains(&format!("{its} açık sorun")), "{letter}");
    let first = letter.lines().find(|line| line.starts_with("- ")).unwrap();
    assert!(first.starts_with("- Cep telefonu numarası yok: 2") && first.contains("yeni personel bekliyor"), "{letter}");
    assert!(told_now[2].2.contains("open issues") && told_now[3].2.contains("newcomers are waiting"), "each in its language: {told_now:?}");
    assert!(first.contains("son gün 02.12.2026)") && letter.contains("0 tanesinin düzeltilme günü geçti"), "{letter}");
    assert!(told_now[0].2.contains("0 tanesi gecikti"), "{}", told_now[0].2);
    for (_, _, text) in &told_now {
        for secret in ["TELEFONSUZ", "HATALI", "Telefonsuz", "S004", "0532", &national_id(4)] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    // Another replica, and one that was killed before it noted the round's end.
    let again = Digest {
        round: DailyRound::new(replica(&ministry).await, clock.clone(), Arc::new(OsEntropy), "again", 8),
        ..digest(&replica(&ministry).await, &clock)
    };
    assert_eq!(again.round().await.unwrap().unwrap().units, 0, "the unit has had its digest of today");
    assert_eq!(digest(&store, &clock).round().await.unwrap(), None);
    assert_eq!(told(store.as_ref(), Purpose::IssueDigest).await.len(), 4);
    clock.pass(TimeDelta::days(1));
    assert_eq!(digest(&store, &clock).round().await.unwrap().unwrap().units, 1, "the next day again");
    assert_eq!(told(store.as_ref(), Purpose::IssueDigest).await.len(), 8);
    clock.pass(TimeDelta::days(1));
    assert_eq!(digest(&store, &clock).round().await.unwrap().unwrap().units, 1);
    let late = ["son gün 02.12.2026 idi", "was to be mended by 02.12.2026"];
    let all = told(store.as_ref(), Purpose::IssueDigest).await;
    let counts = late.map(|words| all.iter().filter(|(_, _, text)| text.contains(words)).count());
    assert_eq!(counts, [1, 1], "the last day for a mobile number was yesterday");
    // Nothing is open any more: nothing is told.
    let rows = [4, 5, 6].map(|n| row(n, "TELEFONLU;KİŞİ", &format!("053211100{n:02}")));
    ministry.staff(&rows.each_ref().map(String::as_str)).await;
    ministry.work().await;
    clock.pass(TimeDelta::days(1));
    let left = store.issues(None, 100).await.unwrap();
    assert!(left.iter().all(|i| i.issue.personnel_unit.is_none()), "{left:?}");
    assert_eq!(digest(&store, &clock).round().await.unwrap().unwrap().units, 0);
    assert_eq!(told(store.as_ref(), Purpose::IssueDigest).await.len(), 12);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unit_without_anybody_to_tell_is_named() {
    let ministry = Ministry::small("2026-12-01").await;
    ministry.units().await;
    // The personnel directorate serves the head office, and HR names nobody who works there.
    ministry.staff(&[&row(4, "TELEFONSUZ;BİR", "").replace("20000006", "12000000")]).await;
    ministry.sync().await;
    let store = replica(&ministry).await;
    let round = digest(&store, &ministry.clock).round().await.unwrap().unwrap();
    let deaf: Vec<String> = round.deaf.iter().map(ToString::to_string).collect();
    assert_eq!((round.units, deaf), (0, vec!["11000000".to_owned()]));
    assert_eq!(told(store.as_ref(), Purpose::IssueDigest).await, []);
}
