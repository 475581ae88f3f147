//! Signing in against a real Active Directory, and what each of its refusals becomes.
use kimlik_adapters::directory::active_directory::ActiveDirectory;
use kimlik_adapters::system::SystemClock;
use kimlik_domain::access::session::SignedIn;
use kimlik_domain::account::Dn;
use kimlik_domain::ports::SignIn;
use kimlik_tests::lab::Samba;
use std::sync::Arc;
use zeroize::Zeroizing;

const RIGHT: &str = "Dogru-Parola-2026";
const ADMINS: &str = "CN=Kimlik Yoneticileri,CN=Users,DC=csb,DC=test";

fn utf16(password: &str) -> String {
    let octets: Vec<u8> = format!("\"{password}\"").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let hex: String = octets.iter().map(|o| format!("\\x{o:02x}")).collect();
    let out = std::process::Command::new("bash").args(["-c", &format!("printf '{hex}' | base64 -w0")]).output().unwrap();
    String::from_utf8(out.stdout).unwrap()
}

fn account(samba: &Samba, name: &str, control: u32) {
    samba.admin_modify(&format!(
        "dn: CN={name},CN=Users,DC=csb,DC=test\nchangetype: add\nobjectClass: user\nsAMAccountName: {name}\n\
         userPrincipalName: {name}@csb.test\nunicodePwd:: {}\nuserAccountControl: {control}\n",
        utf16(RIGHT)
    ));
}

fn set(samba: &Samba, dn: &str, attribute: &str, value: &str) {
    samba.admin_modify(&format!("dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n"));
}

fn group(samba: &Samba, dn: &str, name: &str, member: &str) {
    samba.admin_modify(&format!("dn: {dn}\nchangetype: add\nobjectClass: group\nsAMAccountName: {name}\nmember: {member}\n"));
}

async fn try_it(directory: &ActiveDirectory, name: &str, password: &str) -> SignedIn {
    let account = directory.account_named(name).await.unwrap();
    directory.sign_in(account, &Zeroizing::new(password.to_owned()), &[Dn::new(ADMINS)]).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_state_of_an_account_is_told_apart_where_it_may_be() {
    let samba = Samba::start();
    let directory = ActiveDirectory::new(samba.settings(), Arc::new(SystemClock)).unwrap();
    for (name, control) in [("ayse", 512), ("kapali", 514), ("yeni", 512), ("eski", 512)] {
        account(&samba, name, control);
    }
    let dn = |name: &str| format!("CN={name},CN=Users,DC=csb,DC=test");
    set(&samba, &dn("yeni"), "pwdLastSet", "0");
    set(&samba, &dn("eski"), "accountExpires", "132000000000000000");
    // Through another group: an administrators' group of the house inside Kimlik's.
    group(&samba, "CN=Sistem,CN=Users,DC=csb,DC=test", "Sistem", &dn("ayse"));
    group(&samba, ADMINS, "KimlikYoneticileri", "CN=Sistem,CN=Users,DC=csb,DC=test");

    let SignedIn::Accepted(standing) = try_it(&directory, "ayse", RIGHT).await else { panic!("the right password") };
    assert_eq!((standing.username.as_ref(), standing.enabled, standing.groups.len()), ("ayse", true, 1));
    for name in ["AYSE", "ayse@csb.test", "Ayse@CSB.TEST"] {
        assert!(matches!(try_it(&directory, name, RIGHT).await, SignedIn::Accepted(_)), "{name}");
    }
    for (name, password) in [("ayse", "yanlis"), ("ayse", ""), ("nobody", RIGHT), ("nobody", ""), ("*", RIGHT), ("ayse)(cn=*", RIGHT)] {
        assert_eq!(try_it(&directory, name, password).await, SignedIn::Wrong, "{name}");
    }
    assert_eq!(try_it(&directory, "yeni", RIGHT).await, SignedIn::MustChange);
    assert_eq!(try_it(&directory, "kapali", RIGHT).await, SignedIn::Disabled);
    assert_eq!(try_it(&directory, "eski", RIGHT).await, SignedIn::Disabled, "the account has expired");
    assert_eq!(try_it(&directory, "kapali", "yanlis").await, SignedIn::Wrong);

    let groups = [Dn::new(ADMINS), Dn::new("CN=Yok,CN=Users,DC=csb,DC=test"), Dn::new("CN=Users,DC=csb,DC=test")];
    assert_eq!(directory.missing_groups(&groups).await.unwrap(), groups[1..], "a container is no group");
    let before = directory.standing(standing.account, &[Dn::new(ADMINS)]).await.unwrap().unwrap();
    assert_eq!(before, standing);
    samba.admin_modify(&format!(
        "dn: {}\nchangetype: modify\nreplace: unicodePwd\nunicodePwd:: {}\n",
        dn("ayse"),
        utf16("Baska-Parola-2026")
    ));
    let after = directory.standing(standing.account, &[Dn::new(ADMINS)]).await.unwrap().unwrap();
    assert_ne!(after.password_mark, before.password_mark, "a new password is seen");
    set(&samba, &dn("ayse"), "userAccountControl", "514");
    assert!(!directory.standing(standing.account, &[]).await.unwrap().unwrap().enabled);
    samba.admin_modify(&format!("dn: {}\nchangetype: delete\n", dn("ayse")));
    assert_eq!(directory.standing(standing.account, &[]).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kimlik_never_makes_the_attempt_that_locks_an_account() {
    let samba = Samba::start();
    let directory = ActiveDirectory::new(samba.settings(), Arc::new(SystemClock)).unwrap();
    account(&samba, "ayse", 512);
    assert_eq!(directory.lockout().await.unwrap().map(|l| l.threshold), Some(3), "as the lab's domain is made");
    samba.admin_modify(
        "dn: DC=csb,DC=test\nchangetype: modify\nreplace: lockoutThreshold\nlockoutThreshold: 4\n-\n\
         replace: lockOutObservationWindow\nlockOutObservationWindow: -18000000000\n-\nreplace: lockoutDuration\nlockoutDuration: -18000000000\n",
    );
    let lockout = directory.lockout().await.unwrap().unwrap();
    assert_eq!((lockout.threshold, lockout.window), (4, chrono::TimeDelta::minutes(30)));
    for n in 0..3 {
        assert_eq!(try_it(&directory, "ayse", "yanlis").await, SignedIn::Wrong, "{n}");
    }
    for _ in 0..10 {
        assert_eq!(try_it(&directory, "ayse", "yanlis").await, SignedIn::Locked, "not even asked");
    }
    samba.kinit("ayse", RIGHT).expect("the account is not locked, and its owner logs on at her own computer");
    assert!(matches!(try_it(&directory, "ayse", RIGHT).await, SignedIn::Accepted(_)), "which forgets the failures");
}
