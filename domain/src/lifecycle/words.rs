//! Plans, reasons and receipts in Turkish. English is the key, as in gettext: what is written down is English, so that a text kept
//! for years (an operation's reason, a hold's plan) is said in the language of whoever reads it. A test makes every kind of text.
use super::limits::Budget;
use super::plan::ActionKind;
use crate::message::Language;
use crate::staff::issue_message;
use crate::text::phrase::{fill, holes};

/// A text of this folder (a plan, a reason, a step, an exceeded limit), line by line in `language`; what is nobody's phrase, such as a
/// value, stays as it is.
pub fn said(text: &str, language: Language) -> String {
    match language {
        Language::En => text.to_owned(),
        Language::Tr => text.split('\n').map(line).collect::<Vec<_>>().join("\n"),
    }
}

fn line(text: &str) -> String {
    let rest = text.trim_start_matches(' ');
    let indent = &text[..text.len() - rest.len()];
    let told = action(rest)
        .or_else(|| fault(rest))
        .or_else(|| head(rest))
        .or_else(|| exceeded(rest))
        .or_else(|| reason(rest))
        .or_else(|| phrase(rest))
        .or_else(|| from(WITHHELD, rest))
        // What keeps a card from being right may be an issue's own text.
        .unwrap_or_else(|| issue_message::said(rest, Language::Tr));
    format!("{indent}{told}")
}

/// `+ open      because new in HR, …`
fn action(line: &str) -> Option<String> {
    let (head, because) = line.split_once(" because ")?;
    let mut chars = head.chars();
    let symbol = chars.next()?;
    let verb = chars.as_str().trim();
    let kind = ActionKind::ALL.into_iter().find(|kind| kind.symbol() == symbol && kind.verb() == verb)?;
    let because = reason(because).unwrap_or_else(|| because.to_owned());
    Some(format!("{symbol} {:<13} gerekçe: {because}", turkish_verb(kind)))
}

/// `! MISSING_UNIT: no row of this person names a unit`
fn fault(line: &str) -> Option<String> {
    let (kind, message) = line.strip_prefix("! ")?.split_once(": ")?;
    Some(format!("! {kind}: {}", issue_message::said(message, Language::Tr)))
}

/// `Ayşe Şahin (S1), head office [observed only: nothing is written]`
fn head(line: &str) -> Option<String> {
    let (line, observed) = match line.strip_suffix(" [observed only: nothing is written]") {
        Some(line) => (line, " [yalnızca gözlem: hiçbir şey yazılmaz]"),
        None => (line, ""),
    };
    match line.strip_suffix("), head office") {
        Some(who) => Some(format!("{who}), merkez{observed}")),
        None if observed.is_empty() => None,
        None => Some(format!("{line}{observed}")),
    }
}

fn place(text: &str) -> Option<String> {
    match text.strip_prefix("in ")? {
        "the ministry" => Some("bakanlıkta".to_owned()),
        province => Some(format!("{province} ilinde")),
    }
}

/// `62 closings are due in Ankara, 3 were done within a day, 50 are allowed`
fn exceeded(line: &str) -> Option<String> {
    Budget::ALL.into_iter().find_map(|budget| {
        let (english, turkish) = (super::describe::plural(budget), turkish_plural(budget));
        let due = format!("{{}} {english} are due {{}}, {{}} were done within a day, {{}} are allowed");
        if let Some(found) = holes(&due, line)
            && let [due, at, done, allowed] = found.as_slice()
        {
            let at = place(at)?;
            return Some(format!("{at} {due} {turkish} bekliyor, son bir günde {done} yapıldı, {allowed} yapılabilir"));
        }
        let found = holes(&format!("a hold on {english} {{}} is open"), line)?;
        Some(format!("{} {turkish} için açık bir bekletme var", place(found.first()?)?))
    })
}

/// A reason, with HR's code behind it where there is one.
fn reason(text: &str) -> Option<String> {
    let coded = text.strip_suffix(')').and_then(|t| t.rsplit_once(" (HR reason "));
    let (text, code) = coded.map_or((text, String::new()), |(text, code)| (text, format!(" (İK nedeni {code})")));
    from(REASONS, text).map(|told| told + &code)
}

fn phrase(text: &str) -> Option<String> {
    from(STEPS, text)
}

fn from(table: &[(&str, &str)], text: &str) -> Option<String> {
    table.iter().find_map(|(english, turkish)| Some(fill(turkish, &holes(english, text)?)))
}

/// What is narrower stands first.
const REASONS: &[(&str, &str)] = &[
    ("new in HR, in service from {}", "İK'da yeni, göreve başlama {0}"),
    ("first day in service {}", "görevdeki ilk günü {0}"),
    ("existing account found by {}", "var olan hesap bulundu: {0}"),
    ("returned to service", "göreve döndü"),
    ("back in service", "yeniden görevde"),
    ("on leave", "izinde"),
    ("suspended", "görevden uzaklaştırıldı"),
    ("away from duty", "görevden ayrı"),
    ("in service again from {}", "{0} tarihinden itibaren yeniden görevde"),
    ("last day in service {}", "görevdeki son günü {0}"),
    ("left service", "görevden ayrıldı"),
    ("to be closed at once", "hemen kapatılmalı"),
    ("hire taken back", "atama geri alındı"),
    ("transfer to {} from {}", "nakil: {1} → {0}"),
    ("seconded to {} until {}", "geçici görev: {0}, bitiş {1}"),
    ("seconded to {}", "geçici görev: {0}"),
    ("secondment over, back to {}", "geçici görev bitti, dönüş: {0}"),
    ("unit {} changed", "birim değişti: {0}"),
    ("new name, formerly {}", "yeni ad, önceki ad {0}"),
    ("the manager is another one", "amiri değişti"),
    ("HR's record changed", "İK kaydı değişti"),
    ("{} changed by hand in the directory", "dizinde elle değiştirildi: {0}"),
    ("birthright of {}", "birimin sağladığı hak: {0}"),
    ("earlier addresses have been kept for their term: {}", "eski adreslerin saklama süresi doldu: {0}"),
    ("the mailbox's retention ended on {}", "posta kutusunun saklama süresi {0} tarihinde bitti"),
    ("ordered by {}: {}", "kararı veren {0}: {1}"),
    ("order lifted by {}: {}", "kararı kaldıran {0}: {1}"),
    ("left unfinished by an interruption", "kesinti nedeniyle yarım kalmıştı"),
    ("rejected before, and now to be done otherwise", "önce reddedilmişti, şimdi başka biçimde yapılacak"),
];

/// Why a card is not what it should be, and what a mailbox waits for.
const WITHHELD: &[(&str, &str)] = &[
    (UNDECIDED, "önce bir kişinin karar vermesi gerekiyor"),
    (HELD, "değişiklik bekletiliyor: bir yöneticinin onayı gerekiyor"),
    (NOT_OPENED, "hesap henüz açılmadı"),
    ("an answer to the request", "isteğin yanıtı"),
    ("another attempt ({})", "yeniden deneme ({0})"),
    ("somebody to mend what was refused: {}", "reddedilenin düzeltilmesi: {0}"),
    ("the account to be marked in the directory", "hesabın dizinde işaretlenmesi"),
    (
        "its closing to be planned, or a limit or a hold to let it go ahead",
        "kapatılmasının planlanması ya da bir sınırın veya bekletmenin buna izin vermesi",
    ),
];

/// Nobody can tell what should be before somebody has said so.
pub const UNDECIDED: &str = "a person has to decide first";
/// It would exceed a limit.
pub const HELD: &str = "the change is held: an administrator has to let it go ahead";
/// The run that opens it is still to come.
pub const NOT_OPENED: &str = "the account is not opened yet";

const STEPS: &[(&str, &str)] = &[
    ("link account {}", "hesap bağlanır: {0}"),
    ("create {} in {}", "oluşturulur: {0}, yeri {1}"),
    ("set a random password that nobody sees", "kimsenin görmediği rastgele bir parola verilir"),
    ("write {}", "yazılır: {0}"),
    ("join group {}", "gruba alınır: {0}"),
    ("leave group {}", "gruptan çıkarılır: {0}"),
    ("rename to {}", "nesne adı olur: {0}"),
    ("move from {} to {}", "taşınır: {0} → {1}"),
    ("have the mailbox closed by whoever makes mailboxes", "posta kutusu, onu açan sisteme kapattırılır"),
    ("disable", "devre dışı bırakılır"),
    ("enable", "etkinleştirilir"),
    // of receipts
    ("done", "yapıldı"),
    ("not reachable: {}", "ulaşılamadı: {0}"),
    ("in doubt: {}", "belirsiz: {0}"),
    ("refused: {}", "reddedildi: {0}"),
    ("not seen (wholly) done; planned anew", "(tamamen) yapıldığı görülmedi; yeniden planlandı"),
    ("seen done after an interruption", "kesintiden sonra yapılmış olduğu görüldü"),
    ("lives on", "geçerliliği süren"),
    ("mailbox", "posta kutusu"),
    ("seen closed: it takes no mail", "kapandığı görüldü: posta almıyor"),
    (
        "hidden from the address book; takes mail until {}, and is closed then unless the person returns",
        "adres defterinden gizlendi; {0} tarihine kadar posta alır, kişi dönmezse o gün kapatılır",
    ),
    (
        "Kerberos tickets already issued, until they run out (10 hours by the domain's default)",
        "verilmiş Kerberos biletleri, süreleri dolana dek (etki alanının varsayılanı 10 saat)",
    ),
];

fn turkish_verb(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::Adopt => "devral",
        ActionKind::Open => "aç",
        ActionKind::Reopen => "yeniden aç",
        ActionKind::Enable => "etkinleştir",
        ActionKind::Reinstate => "geri ver",
        ActionKind::Update => "güncelle",
        ActionKind::Groups => "gruplar",
        ActionKind::Move => "taşı",
        ActionKind::Rename => "adı değiştir",
        ActionKind::Suspend => "askıya al",
        ActionKind::Close => "kapat",
        ActionKind::Withdraw => "geri çek",
        ActionKind::CloseMailbox => "kutuyu kapat",
    }
}

/// Behind a number, in a summary.
pub fn turkish_due(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::Adopt => "hesap devralınacak",
        ActionKind::Open => "hesap açılacak",
        ActionKind::Reopen => "hesap yeniden açılacak",
        ActionKind::Enable => "hesap etkinleştirilecek",
        ActionKind::Reinstate => "hesap geri verilecek",
        ActionKind::Update => "kart güncellenecek",
        ActionKind::Groups => "kişinin grupları değişecek",
        ActionKind::Move => "hesap taşınacak",
        ActionKind::Rename => "ad değişecek",
        ActionKind::Suspend => "hesap askıya alınacak",
        ActionKind::Close => "hesap kapatılacak",
        ActionKind::Withdraw => "hesap geri çekilecek",
        ActionKind::CloseMailbox => "posta kutusu kapatılacak",
    }
}

fn turkish_plural(budget: Budget) -> &'static str {
    match budget {
        Budget::Open => "hesap açma",
        Budget::Update => "kart güncelleme",
        Budget::Move => "taşıma",
        Budget::Rename => "ad değişikliği",
        Budget::Suspend => "askıya alma",
        Budget::Close => "hesap kapatma",
        Budget::Adopt => "var olan hesabı devralma",
        Budget::Mailbox => "posta kutusu kapatma",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Dn;
    use crate::day::{self, Day};
    use crate::id::AccountGuid;
    use crate::lifecycle::limits::{Cap, Exceeded};
    use crate::lifecycle::{Because, Step};
    use crate::staff::unit::Province;

    fn day(text: &str) -> Day {
        day::parse(text).unwrap()
    }

    /// One of each, with what may stand behind it. Why the match: a new reason must be put here and into the table.
    fn reasons() -> Vec<Because> {
        let code = || Some("71".into());
        let all = vec![
            Because::NewInHr { start: day("2026-12-01"), reason: code() },
            Because::FirstDay { start: day("2026-12-01") },
            Because::ExistingAccount { by: "employeeID".into() },
            Because::Returned { reason: None },
            Because::BackInService { reason: code() },
            Because::Leave { status: "on leave".into(), reason: code() },
            Because::Leave { status: "suspended".into(), reason: None },
            Because::Leave { status: "away from duty".into(), reason: None },
            Because::Leave { status: "in service again from 2027-01-01".into(), reason: code() },
            Because::LeftService { last_day: Some(day("2026-11-30")), reason: code() },
            Because::LeftService { last_day: None, reason: code() },
            Because::ClosedAtOnce { reason: code() },
            Because::HireTakenBack { reason: code() },
            Because::Transfer { to: "Ankara (Merkez)".into(), from: "İzmir".into(), reason: code() },
            Because::Secondment { to: "Bursa".into(), until: Some(day("2027-01-01")) },
            Because::Secondment { to: "Bursa".into(), until: None },
            Because::SecondmentOver { back_to: "Bursa".into() },
            Because::UnitChanged { unit: "Bursa".into() },
            Because::NewName { from: "Ayşe Işık".into() },
            Because::NewManager,
            Because::NewCard { reason: code() },
            Because::ChangedByHand { what: "title".into() },
            Because::Birthright { unit: "Bursa".into() },
            Because::AliasesLapsed { addresses: "a.isik@csb.test".into() },
            Because::RetentionOver { since: day("2026-12-01") },
            Because::SuspendedByOrder { by: "user:a".into(), reason: "kayıp telefon (1)".into() },
            Because::ReinstatedByOrder { by: "user:a".into(), reason: "bulundu".into() },
            Because::RenamedByOrder { by: "user:a".into(), reason: "evlilik".into() },
            Because::AdoptedByOrder { by: "user:a".into(), reason: "aynı kişi".into() },
            Because::Unfinished,
        ];
        for one in &all {
            match one {
                Because::NewInHr { .. } | Because::FirstDay { .. } | Because::ExistingAccount { .. } | Because::Returned { .. } => {}
                Because::BackInService { .. } | Because::Leave { .. } | Because::LeftService { .. } | Because::ClosedAtOnce { .. } => {}
                Because::HireTakenBack { .. } | Because::Transfer { .. } | Because::Secondment { .. } => {}
                Because::SecondmentOver { .. } | Because::UnitChanged { .. } | Because::NewName { .. } | Because::NewCard { .. } => {}
                Because::NewManager | Because::ChangedByHand { .. } | Because::Birthright { .. } | Because::RetentionOver { .. } => {}
                Because::SuspendedByOrder { .. } | Because::ReinstatedByOrder { .. } | Because::Unfinished => {}
                Because::AliasesLapsed { .. } => {}
                Because::RenamedByOrder { .. } | Because::AdoptedByOrder { .. } => {}
            }
        }
        all
    }

    fn turkish(text: &str) -> String {
        said(text, Language::Tr)
    }

    #[test]
    fn every_reason_is_said_in_turkish_with_what_stood_in_it() {
        for because in reasons() {
            let english = because.to_string();
            let told = turkish(&english);
            assert_ne!(told, english, "write it into REASONS");
            assert_eq!(english.contains("(HR reason 71)"), told.contains("(İK nedeni 71)"), "{told}");
            assert_eq!(said(&english, Language::En), english);
        }
        let transfer = Because::Transfer { to: "Ankara (Merkez)".into(), from: "İzmir".into(), reason: Some("71".into()) };
        assert_eq!(turkish(&transfer.to_string()), "nakil: İzmir → Ankara (Merkez) (İK nedeni 71)");
        let order = Because::SuspendedByOrder { by: "user:a".into(), reason: "x (HR reason y)".into() };
        assert_eq!(turkish(&order.to_string()), "kararı veren user:a: x (İK nedeni y)");
    }

    #[test]
    fn every_step_is_said_in_turkish_and_values_stay_as_they_are() {
        let ou = || Dn::new("OU=Ankara,DC=csb,DC=test");
        let steps = [
            Step::Link(AccountGuid(uuid::Uuid::nil())),
            Step::SealPassword,
            Step::JoinGroup(Dn::new("CN=Tasra,DC=csb,DC=test")),
            Step::LeaveGroup(Dn::new("CN=Tasra,DC=csb,DC=test")),
            Step::MoveTo { from: ou(), ou: Dn::new("OU=Bursa,DC=csb,DC=test"), cn: "A".into() },
            Step::MoveTo { from: ou(), ou: ou(), cn: "A B".into() },
            Step::Disable,
            Step::Enable,
            Step::EndMail,
        ];
        for step in steps {
            // Why: a new step must be put here and into the table.
            match step {
                Step::Link(_) | Step::Create(_) | Step::SealPassword | Step::Modify(_) | Step::JoinGroup(_) => {}
                Step::LeaveGroup(_) | Step::MoveTo { .. } | Step::Disable | Step::Enable | Step::EndMail => {}
            }
            for english in [step.to_string(), step.headline()] {
                assert_ne!(turkish(&english), english, "write it into STEPS");
            }
        }
        assert_eq!(turkish("title: Memur -> Şef"), "title: Memur -> Şef");
        assert_eq!(turkish("write title, department"), "yazılır: title, department");
    }

    #[test]
    fn a_plan_is_said_line_by_line_as_it_stands() {
        assert_eq!(
            turkish("  ! MISSING_UNIT: no row of this person names a unit"),
            "  ! MISSING_UNIT: bu kişinin hiçbir satırında birim yok"
        );
        let english = "Ayşe Şahin (S1), head office [observed only: nothing is written]\n  \
                       > move      because transfer to B from A (HR reason 71)\n        move from OU=A to OU=B\n        title: Memur -> Şef\n";
        let expected = "Ayşe Şahin (S1), merkez [yalnızca gözlem: hiçbir şey yazılmaz]\n  \
                        > taşı          gerekçe: nakil: A → B (İK nedeni 71)\n        taşınır: OU=A → OU=B\n        title: Memur -> Şef\n";
        assert_eq!(turkish(english), expected);
        for kind in ActionKind::ALL {
            let english = format!("{} {:<9} because left service", kind.symbol(), kind.verb());
            assert!(turkish(&english).ends_with("gerekçe: görevden ayrıldı"), "{english}");
        }
    }

    #[test]
    fn every_limit_is_said_in_turkish() {
        for budget in Budget::ALL {
            for (scope, at) in [(None, "bakanlıkta"), (Province::new(6), "Ankara ilinde")] {
                for pending in [0, 62] {
                    let over = Exceeded { cap: Cap { budget, scope, at_most: 50 }, pending, spent: 3 };
                    let told = turkish(&over.to_string());
                    assert!(told.starts_with(at) && told.contains(turkish_plural(budget)), "{told}");
                    assert!(pending == 0 || (told.contains("62") && told.contains(" 3 ") && told.contains("50")), "{told}");
                }
            }
        }
    }
}
