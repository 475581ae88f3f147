//! What exactly a data issue found, in Turkish. English is the key, as in gettext: what is kept with an issue is English, and is said in the
//! language of whoever reads it. A test reads the sources for messages that nobody has put down here.
use crate::message::Language;
use crate::text::phrase::{fill, holes};

/// A message of an issue in `language`. Values in it (names, numbers, what a neighbour answered) stay as they are; what is nobody's phrase too.
pub fn said(message: &str, language: Language) -> String {
    match language {
        Language::En => message.to_owned(),
        Language::Tr => turkish(message).unwrap_or_else(|| message.to_owned()),
    }
}

fn turkish(message: &str) -> Option<String> {
    MESSAGES.iter().find_map(|(english, turkish)| {
        let values: Vec<&str> = holes(english, message)?.into_iter().map(word).collect();
        Some(fill(turkish, &values))
    })
}

/// What stands in a hole and is a word of ours.
fn word(value: &str) -> &str {
    WORDS.iter().find(|(english, _)| *english == value).map_or(value, |(_, turkish)| turkish)
}

/// What is narrower stands first.
const MESSAGES: &[(&str, &str)] = &[
    // --- rows
    ("the row cannot be split into its columns: {}", "satır sütunlarına ayrılamıyor: {0}"),
    (
        "registry_no is missing or is not a registry number (1 to 16 letters, digits, - / .)",
        "registry_no yok ya da sicil numarası değil (1-16 harf, rakam, - / .)",
    ),
    (
        "{} was written with the wrong character table: export it as UTF-8",
        "{0} yanlış karakter tablosuyla yazılmış: UTF-8 olarak dışa aktarın",
    ),
    (
        "{} has {} characters and the directory holds {}: it was cut, give a shorter one",
        "{0} {1} karakter, dizin {2} karakter alıyor: kesildi, daha kısasını verin",
    ),
    ("{} is not a date: write 2026-12-01 or 01.12.2026", "{0} bir tarih değil: 2026-12-01 ya da 01.12.2026 biçiminde yazın"),
    ("{} is none of the words known here: write {}", "{0} bilinen sözcüklerden biri değil: {1} yazın"),
    ("the rows of this person differ in {} (lines {} and {})", "bu kişinin satırları şu alanda farklı: {0} ({1}. ve {2}. satırlar)"),
    ("two rows of this unit differ (lines {} and {})", "bu birimin iki satırı birbirinden farklı ({0}. ve {1}. satırlar)"),
    // --- people
    ("the national id is not 11 digits", "T.C. kimlik numarası 11 rakam değil"),
    ("the national id begins with 0", "T.C. kimlik numarası 0 ile başlıyor"),
    ("the national id has a wrong check digit", "T.C. kimlik numarasının denetim rakamı yanlış"),
    ("there is no national id", "T.C. kimlik numarası yok"),
    (
        "this registry number is held with another national id, and this one is that of {}",
        "bu sicil numarası başka bir T.C. kimlik numarasıyla kayıtlı; gelen numara ise {0} sicilli kişinin",
    ),
    (
        "this registry number is held with another national id: one of the two is wrong",
        "bu sicil numarası başka bir T.C. kimlik numarasıyla kayıtlı: ikisinden biri yanlış",
    ),
    ("registry number {} is held with the same national id", "{0} sicil numarası aynı T.C. kimlik numarasıyla kayıtlı"),
    (
        "this registry number was that of somebody else, who now has {}",
        "bu sicil numarası başka birinindi; o kişinin sicil numarası artık {0}",
    ),
    (
        "another person of this delivery who is in service has the same national id: no account is opened",
        "bu teslimatta görevde olan başka bir kişinin T.C. kimlik numarası da aynı: hesap açılmaz",
    ),
    (
        "another person of this delivery who is in service has the same national id",
        "bu teslimatta görevde olan başka bir kişinin T.C. kimlik numarası da aynı",
    ),
    (
        "registry number {} is in service with the same national id: no account is opened for this one",
        "{0} sicil numarası aynı T.C. kimlik numarasıyla görevde: bu kayda hesap açılmaz",
    ),
    (
        "registry number {} has the same national id and quite another name: one of the two is wrong",
        "{0} sicil numarasının T.C. kimlik numarası aynı, adı bambaşka: ikisinden biri yanlış",
    ),
    ("{} is not a name", "{0} bir ad değil"),
    ("{} is empty", "{0} boş"),
    ("a new person without a name", "yeni kişinin adı yok"),
    ("the last day in service ({}) is before the first ({})", "görevdeki son gün ({0}) ilk günden ({1}) önce"),
    ("the posting's last day ({}) is before its first ({})", "görevlendirmenin son günü ({0}) ilk gününden ({1}) önce"),
    ("a posting's last day is before its first", "bir görevlendirmenin son günü ilk gününden önce"),
    ("there is no first day in service: no account is opened", "göreve başlama tarihi yok: hesap açılmaz"),
    ("no row of this person names a unit", "bu kişinin hiçbir satırında birim yok"),
    ("unit {} is not among the units that were delivered", "{0} kodlu birim teslim edilen birimler arasında yok"),
    ("unit_code is not an 8-digit unit number", "unit_code 8 rakamlı bir birim kodu değil"),
    (
        "nobody has said what reason {} does to an account: nothing is changed until the settings name its effect",
        "{0} neden kodunun hesabı nasıl etkileyeceği tanımlanmamış: ayarlarda tanımlanana kadar hiçbir şey değişmez",
    ),
    (
        "reason {} waits for a decision of an administrator: nothing is changed until then",
        "{0} neden kodu bir yöneticinin kararını bekliyor: o zamana kadar hiçbir şey değişmez",
    ),
    (
        "the reason says that the person leaves, the status says otherwise, and there is no last day in service",
        "neden kodu kişinin ayrıldığını, durum ise ayrılmadığını söylüyor; görevdeki son gün de yok",
    ),
    (
        "the first day in service is {}, and a posting has begun on {}: the account stays as it is",
        "göreve başlama tarihi {0}, bir görevlendirme ise {1} tarihinde başlamış: hesap olduğu gibi kalır",
    ),
    ("the mobile number {}: nothing can be sent to it", "cep telefonu numarası {0}: ileti gönderilemez"),
    ("the work phone {}: the one shown so far stays", "iş telefonu {0}: şimdiye kadar gösterilen kalır"),
    (
        "there is no mobile number: the account is not announced until there is one",
        "cep telefonu numarası yok: gelene kadar hesap bildirilmez",
    ),
    ("{} and {} more has the same mobile number", "{0} ve {1} kişinin daha cep telefonu numarası aynı"),
    ("{} has the same mobile number", "{0} ile cep telefonu numarası aynı"),
    ("the extension is not a number that can be dialled", "dahili, çevrilebilecek bir numara değil"),
    (
        "mobile_public is neither yes nor no: the mobile number is not shown",
        "mobile_public ne evet ne hayır: cep telefonu numarası gösterilmez",
    ),
    ("the photo's name is longer than {} characters", "fotoğrafın adı {0} karakterden uzun"),
    ("the manager's registry number is not a registry number", "amirin sicil numarası bir sicil numarası değil"),
    ("nobody has the manager's registry number", "amirin sicil numarası kimseye ait değil"),
    (
        "the managers form a circle that comes back to this person: the head of the unit stands in",
        "amirler bu kişiye geri dönen bir döngü oluşturuyor: yerine birimin amiri alındı",
    ),
    (
        "updated_at is not a time: an older record could not be told from this one",
        "updated_at bir zaman değil: daha eski bir kayıt bundan ayırt edilemez",
    ),
    (
        "this record is of {}, a newer one of {} is held: it was ignored",
        "bu kayıt {0} tarihli, elde {1} tarihli daha yenisi var: dikkate alınmadı",
    ),
    // --- units
    ("code is not an 8-digit unit number", "code 8 rakamlı bir birim kodu değil"),
    ("the unit has no name", "birimin adı yok"),
    ("the unit has no kind: write CENTRAL or PROVINCIAL", "birimin türü yok: CENTRAL (merkez) ya da PROVINCIAL (taşra) yazın"),
    ("the unit's last day is before its first", "birimin son günü ilk gününden önce"),
    ("kind is neither CENTRAL nor PROVINCIAL", "kind ne CENTRAL ne PROVINCIAL"),
    ("province is not a plate number from 01 to 81", "province 01-81 arasında bir plaka kodu değil"),
    (
        "the name is longer than the {} characters that the address book holds: give a short name",
        "ad, adres defterinin aldığı {0} karakterden uzun: kısa ad verin",
    ),
    ("the unit above, {}, is not among the units", "üst birim {0} birimler arasında yok"),
    ("parent_code is not an 8-digit unit number", "parent_code 8 rakamlı bir birim kodu değil"),
    ("the personnel unit is not among the units", "personel birimi birimler arasında yok"),
    ("the head's registry number is not a registry number", "birim amirinin sicil numarası bir sicil numarası değil"),
    ("{} {}: the one shown so far stays", "{0} {1}: şimdiye kadar gösterilen kalır"),
    ("replaced_by is not the number of another unit", "replaced_by başka bir birimin kodu değil"),
    (
        "the units above this one form a circle: it was left where it was, or cut off",
        "bu birimin üst birimleri döngü oluşturuyor: olduğu yerde bırakıldı ya da ayrıldı",
    ),
    // --- deliveries
    ("the snapshot names nobody: it was refused whole, nobody was changed", "tam listede kimse yok: tümü reddedildi, kimse değiştirilmedi"),
    (
        "{} of {} rows cannot be read: the delivery was refused whole, nobody was changed",
        "{1} satırın {0} tanesi okunamıyor: teslimatın tümü reddedildi, kimse değiştirilmedi",
    ),
    (
        "{} cannot be right for {} of {} people, perhaps a column has shifted: the delivery was refused whole, nobody was changed",
        "{0} alanı {2} kişinin {1} tanesinde doğru olamaz, belki bir sütun kaymış: teslimatın tümü reddedildi, kimse değiştirilmedi",
    ),
    (
        "{} of {} people with an account are not in the snapshot: their accounts were left as they are",
        "hesabı olan {1} kişinin {0} tanesi tam listede yok: hesapları olduğu gibi bırakıldı",
    ),
    (
        "not in the snapshot any more: the account stays as it is; if the person has left, deliver them with their last day",
        "artık tam listede yok: hesap olduğu gibi kalır; kişi ayrıldıysa son günüyle birlikte bildirin",
    ),
    // --- phones and messages
    (
        "the {} was changed in Kimlik, and HR has said another one since: HR's counts; ask the person which is right",
        "{0} Kimlik'te değiştirildi, İK ise sonradan başkasını bildirdi: İK'nınki geçerli; hangisinin doğru olduğunu kişiye sorun",
    ),
    (
        "the {} was changed in Kimlik, and HR answers that it holds a newer one: ask the person which is right",
        "{0} Kimlik'te değiştirildi, İK ise elinde daha yenisi olduğunu söylüyor: hangisinin doğru olduğunu kişiye sorun",
    ),
    (
        "the {} was changed in Kimlik, and HR's system does not take it: enter it there by hand",
        "{0} Kimlik'te değiştirildi, İK sistemi ise kabul etmiyor: oraya elle girin",
    ),
    ("messages to {} do not arrive: {}", "{0} iletileri almıyor: {1}"),
    // --- accounts
    ("two accounts carry this registry number: {} and {}", "bu sicil numarasını iki hesap taşıyor: {0} ve {1}"),
    (
        "{} correlates with this registry number and carries another as its employeeID",
        "{0} bu sicil numarasıyla eşleşiyor, employeeID olarak ise başkasını taşıyor",
    ),
    (
        "an account of nobody has this name: {}; decide whether it is this person's",
        "kimsenin olmayan bir hesap bu adı taşıyor: {0}; bu kişinin olup olmadığına karar verin",
    ),
    (
        "the account that was to become this person's ({}) cannot be found; nothing is opened in its place",
        "bu kişinin olacak hesap ({0}) bulunamıyor; yerine hesap açılmaz",
    ),
    ("{} was to become this person's and carries another registry number", "{0} bu kişinin olacaktı, başka bir sicil numarası taşıyor"),
    (
        "the account that is known cannot be found in the directory; nothing is opened in its place",
        "bilinen hesap dizinde bulunamıyor; yerine hesap açılmaz",
    ),
    ("the account stands outside the managed tree: {}", "hesap yönetilen ağacın dışında: {0}"),
    (
        "has left, and the account may not be touched ({}): disable it by hand now",
        "ayrıldı, hesabına ise dokunulamıyor ({0}): şimdi elle devre dışı bırakın",
    ),
    ("the account is protected ({}): Kimlik does not write it", "hesap korumalı ({0}): Kimlik yazmaz"),
    (
        "somebody disabled this account in the directory; Kimlik does not enable it again",
        "biri bu hesabı dizinde devre dışı bırakmış; Kimlik yeniden etkinleştirmez",
    ),
    (
        "was transferred and keeps groups that somebody else gave: {}; review them",
        "nakil oldu, başkasının verdiği gruplar duruyor: {0}; gözden geçirin",
    ),
    (
        "an e-mail address policy of Exchange writes {}: exclude this recipient from it, or let the policy make the same address",
        "Exchange'in bir e-posta adresi ilkesi yazıyor: {0}. Bu alıcıyı ilkenin dışında bırakın ya da ilke aynı adresi üretsin",
    ),
    (
        "the account is a recipient of kind {} in Exchange, not a remote mailbox: migrate it, or leave mailboxes to Exchange",
        "hesap Exchange'de {0} türünde bir alıcı, uzak posta kutusu değil: taşıyın ya da posta kutularını Exchange'e bırakın",
    ),
    (
        "{} is carried by another account, too: {}; take it away from one of them",
        "{0} adresini başka bir hesap da taşıyor: {1}; birinden kaldırın",
    ),
    (
        "no user name or address could be made of this name: decide on one by hand",
        "bu addan kullanıcı adı ya da adres üretilemedi: elle karar verin",
    ),
    ("the OU {} does not exist; the accounts of its people stand in {}", "{0} OU'su yok; oradaki kişilerin hesapları {1} altında duruyor"),
    (
        "no placement rule fits {}; the accounts of its people stand in {}",
        "{0} birimine uyan yerleştirme kuralı yok; kişilerinin hesapları {1} altında duruyor",
    ),
    ("no known unit; the account stands in {}", "bilinen birimi yok; hesap {0} altında duruyor"),
    (
        "{} is {} characters long and was cut: the address book holds {}",
        "{0} {1} karakter uzunluğunda, kesildi: adres defteri {2} karakter alır",
    ),
    ("{} is no number that the directory takes, and is left out", "{0}, dizinin aldığı bir sayı değil: boş bırakıldı"),
    ("the photo is larger than the 102,400 octets that the address book takes", "fotoğraf, adres defterinin aldığı 102.400 bayttan büyük"),
    ("the photo is neither a JPEG nor a PNG picture", "fotoğraf JPEG ya da PNG değil"),
    ("the photo that HR names is not in the folder of photos", "İK'nin adını verdiği fotoğraf, fotoğraf klasöründe yok"),
    ("the directory refused to {}: {}", "dizin \"{0}\" işlemini reddetti: {1}"),
    // --- mailboxes
    ("whoever makes mailboxes refused to {} this one: {}", "posta kutularını açan sistem \"{0}\" işlemini reddetti: {1}"),
    ("to {} the mailbox was asked on {}; still waited for: {}", "posta kutusu için \"{0}\" {1} tarihinde istendi; hâlâ beklenen: {2}"),
];

/// Words of ours that stand in a message: what is wrong with a number, which of two phones, what was to be done.
const WORDS: &[(&str, &str)] = &[
    ("is not a phone number", "bir telefon numarası değil"),
    ("is a landline, not a mobile number", "sabit hat, cep telefonu değil"),
    ("has the wrong number of digits", "eksik ya da fazla rakamlı"),
    ("mobile number", "cep telefonu numarası"),
    ("work phone", "iş telefonu"),
    ("the mobile number", "cep telefonu numarası"),
    ("the mail address", "e-posta adresi"),
    ("an answer to the request", "isteğe yanıt"),
    ("it is not seen done", "yapıldığı görülmedi"),
    ("adopt", "devral"),
    ("open", "aç"),
    ("reopen", "yeniden aç"),
    ("enable", "etkinleştir"),
    ("reinstate", "geri ver"),
    ("update", "güncelle"),
    ("groups", "gruplar"),
    ("move", "taşı"),
    ("rename", "adını değiştir"),
    ("suspend", "askıya al"),
    ("close", "kapat"),
    ("withdraw", "geri çek"),
    ("close mailbox", "posta kutusunu kapat"),
    ("hide", "gizle"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::hr_photo::PhotoFault;
    use crate::lifecycle::ActionKind;
    use crate::mailbox::MailboxDeed;
    use crate::staff::PhoneFault;
    use crate::staff::national_id::NationalIdFault;

    fn turkish(text: &str) -> String {
        said(text, Language::Tr)
    }

    #[test]
    fn every_pattern_finds_itself_and_uses_what_it_was_given() {
        for (pattern, _) in MESSAGES {
            let count = pattern.matches("{}").count();
            let example = (0..count).fold((*pattern).to_owned(), |text, n| text.replacen("{}", &format!("<{n}>"), 1));
            let told = turkish(&example);
            assert_ne!(told, example);
            assert!((0..count).all(|n| told.contains(&format!("<{n}>"))), "{pattern}: {told}: another pattern stands before it");
            assert!(!told.contains('{'), "{told}");
            assert_eq!(said(&example, Language::En), example);
        }
    }

    #[test]
    fn words_of_ours_in_a_message_are_turkish_and_values_stay() {
        for fault in [PhoneFault::NotANumber, PhoneFault::Landline, PhoneFault::Length] {
            let told = turkish(&format!("the mobile number {fault}: nothing can be sent to it"));
            assert!(told.starts_with("cep telefonu numarası ") && !told.contains(&fault.to_string()), "{told}");
        }
        for fault in [NationalIdFault::NotElevenDigits, NationalIdFault::LeadingZero, NationalIdFault::Checksum] {
            assert_ne!(turkish(&format!("the national id {fault}")), format!("the national id {fault}"));
        }
        for fault in [PhotoFault::TooLarge, PhotoFault::NoPicture, PhotoFault::Missing] {
            assert_ne!(turkish(fault.told()), fault.told());
        }
        for kind in ActionKind::ALL {
            let told = turkish(&format!("the directory refused to {}: insufficientAccessRights", kind.verb()));
            assert!(!told.contains(&format!("\"{}\"", kind.verb())) && told.ends_with("insufficientAccessRights"), "{told}");
        }
        for deed in [MailboxDeed::Open, MailboxDeed::Update, MailboxDeed::Hide, MailboxDeed::Close, MailboxDeed::Reopen] {
            let told = turkish(&format!("whoever makes mailboxes refused to {deed} this one: quota"));
            assert!(!told.contains(&format!("\"{deed}\"")), "{told}");
        }
        let two = "two accounts carry this registry number: CN=A,DC=x and CN=B,DC=x";
        assert_eq!(turkish(two), "bu sicil numarasını iki hesap taşıyor: CN=A,DC=x ve CN=B,DC=x");
        assert_eq!(turkish("nobody has put this down"), "nobody has put this down");
    }

    /// The literals of the sources that are messages of issues, with a word for each hole.
    fn messages() -> Vec<(String, String)> {
        const MARKERS: [&str; 9] = [
            "let message =",
            "cells.fault(",
            "cells.reject(",
            "self.fault(",
            "missing(",
            "Fault::new(",
            "DataIssue::new(",
            "refused(",
            "return Err(format!(",
        ];
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
        let mut found = Vec::new();
        for file in [
            "staff/roster/unit.rs",
            "staff/roster/person.rs",
            "staff/roster/cells.rs",
            "staff/roster/settle.rs",
            "staff/intake.rs",
            "staff/intake/survey.rs",
            "staff/intake/snapshot.rs",
            "staff/intake/identity.rs",
            "lifecycle/difference/mod.rs",
            "lifecycle/difference/unlinked.rs",
            "lifecycle/difference/keeping.rs",
            "lifecycle/difference/attributes.rs",
            "lifecycle/desired.rs",
            "lifecycle/settle.rs",
            "lifecycle/addresses.rs",
            "mailbox/keeper.rs",
        ] {
            let text = std::fs::read_to_string(format!("{root}/{file}")).unwrap();
            let tested = text.split("#[cfg(test)]").next().unwrap();
            for marker in MARKERS {
                for after in tested.split(marker).skip(1) {
                    let mut parts = after.split('"');
                    let (Some(before), Some(literal)) = (parts.next(), parts.next()) else { continue };
                    if before.contains([';', ')']) || !literal.contains(' ') {
                        continue;
                    }
                    let mut told = literal.to_owned();
                    while let (Some(from), Some(to)) = (told.find('{'), told.find('}')) {
                        told.replace_range(from..=to, "x");
                    }
                    found.push((file.to_owned(), told));
                }
            }
        }
        found
    }

    #[test]
    fn every_message_of_the_sources_is_put_down() {
        let messages = messages();
        assert!(messages.len() >= 60, "the sources were not found: {}", messages.len());
        // Why these: they are made into a message by what stands around them.
        let naked: Vec<_> = messages.into_iter().filter(|(_, m)| turkish(m) == *m && !m.starts_with("the national id")).collect();
        assert!(naked.is_empty(), "write their Turkish into MESSAGES: {naked:#?}");
    }
}
