//! What a kind of data issue means, in the caller's language.
use crate::language::Language;
use kimlik_domain::staff::IssueKind;

pub fn of(kind: IssueKind, language: Language) -> &'static str {
    let (english, turkish) = words(kind);
    match language {
        Language::English => english,
        Language::Turkish => turkish,
    }
}

fn words(kind: IssueKind) -> (&'static str, &'static str) {
    match kind {
        IssueKind::MissingRegistryNo => ("There is no registry number that can be one.", "Geçerli bir sicil numarası yok."),
        IssueKind::MissingName => ("A given name and a family name are needed.", "Ad ve soyad gerekli."),
        IssueKind::InvalidDate => {
            ("This is not a date. Write 2026-12-01 or 01.12.2026.", "Bu bir tarih değil. 2026-12-01 veya 01.12.2026 biçiminde yazın.")
        }
        IssueKind::InvalidValue => ("This value is none of those that are known.", "Bu değer bilinen değerlerden biri değil."),
        IssueKind::Mojibake => ("The text was written with the wrong character table.", "Metin yanlış karakter kodlamasıyla yazılmış."),
        IssueKind::UnknownWord => ("Only certain words may stand here.", "Buraya yalnızca belirli sözcükler yazılabilir."),
        IssueKind::InvalidNationalId => {
            ("The national id cannot be right: no account is opened.", "T.C. kimlik numarası doğru olamaz: hesap açılmaz.")
        }
        IssueKind::MissingNationalId => ("There is no national id.", "T.C. kimlik numarası yok."),
        IssueKind::DuplicatePerson => (
            "One registry number with two national ids, or one national id for two people.",
            "Bir sicil numarasında iki T.C. kimlik numarası ya da iki kişide aynı T.C. kimlik numarası var.",
        ),
        IssueKind::ContradictoryRows => ("What is said of this person does not agree.", "Bu kişi hakkında söylenenler birbirini tutmuyor."),
        IssueKind::StaleRow => ("This is older than what is known.", "Bu kayıt bilinenden eski."),
        IssueKind::DatesOutOfOrder => ("An end lies before its start.", "Bitiş tarihi başlangıçtan önce."),
        IssueKind::MissingStart => ("There is no first day in service: no account is opened.", "Göreve başlama tarihi yok: hesap açılmaz."),
        IssueKind::MissingMobile => ("There is no mobile number: the announcement waits.", "Cep telefonu numarası yok: bildirim bekler."),
        IssueKind::DoubtfulMobile => {
            ("This is not a mobile number that takes a text.", "Bu, SMS alabilen bir cep telefonu numarası değil.")
        }
        IssueKind::SharedMobile => ("Several people have this mobile number.", "Bu cep telefonu numarası birden fazla kişide var."),
        IssueKind::DoubtfulWorkPhone => ("This work phone is not a number.", "Bu iş telefonu bir numara değil."),
        IssueKind::UnknownUnit => ("There is no such unit.", "Böyle bir birim yok."),
        IssueKind::MissingUnit => ("There is no unit: no account is opened.", "Birim yok: hesap açılmaz."),
        IssueKind::UnknownReason => {
            ("Nobody has explained this reason code: somebody decides.", "Bu neden kodu tanımlı değil: bir yetkili karar verir.")
        }
        IssueKind::ReasonHolds => ("With this reason somebody decides.", "Bu nedende bir yetkili karar verir."),
        IssueKind::UnknownManager => ("This superior is not known.", "Bu amir bilinmiyor."),
        IssueKind::ManagerCircle => ("The superiors go round in a circle.", "Amirler birbirinin amiri olarak dönüyor."),
        IssueKind::TextTooLong => ("The text is longer than what it is kept in.", "Metin, tutulduğu alandan uzun."),
        IssueKind::UnreadableRow => ("The row cannot be split into its columns.", "Satır sütunlarına ayrılamadı."),
        IssueKind::UnitShortName => ("The unit has no name that fits the address book.", "Birimin adres defterine sığan bir kısa adı yok."),
        IssueKind::UnitCircle => ("The units go round in a circle.", "Birimler birbirinin üst birimi olarak dönüyor."),
        IssueKind::UnknownParent => ("The unit above this one is not in the feed.", "Üst birim İK verisinde yok."),
        IssueKind::InvalidUnit => ("The unit cannot be read.", "Birim kaydı okunamadı."),
        IssueKind::InvalidUnitField => {
            ("A value of the unit was not taken, or not whole.", "Birimin bir değeri alınmadı ya da kısmen alındı.")
        }
        IssueKind::FeedEmpty => ("A delivery without anybody in it: nobody is touched.", "Teslimatta hiç kimse yok: kimseye dokunulmadı."),
        IssueKind::FeedShrunken => ("A delivery with far fewer people than before.", "Teslimatta öncekinden çok daha az kişi var."),
        IssueKind::FeedMostlyRejected => {
            ("Most rows of a delivery are wrong: it was refused whole.", "Teslimatın çoğu satırı hatalı: tümü reddedildi.")
        }
        IssueKind::AbsentFromSnapshot => {
            ("The person is no longer in the feed; nobody is closed for that.", "Kişi İK verisinde artık yok; bu nedenle hesap kapatılmaz.")
        }
        IssueKind::FeedUnreadable => ("The delivery cannot be read.", "Teslimat okunamadı."),
        IssueKind::NoOrganizationalUnit => {
            ("No rule places the unit, or its place is not there.", "Birim için yerleşim kuralı yok ya da yeri dizinde bulunmuyor.")
        }
        IssueKind::NoNameLeft => ("No user name can be made.", "Kullanıcı adı üretilemedi."),
        IssueKind::PossibleAccount => (
            "An existing account may be this person's: somebody decides.",
            "Var olan bir hesap bu kişinin olabilir: bir yetkili karar verir.",
        ),
        IssueKind::AccountNotFound => ("The known account cannot be found in the directory.", "Bilinen hesap dizinde bulunamıyor."),
        IssueKind::ProtectedAccount => ("Kimlik must not touch this account.", "Kimlik bu hesaba dokunmamalı."),
        IssueKind::ProtectedLeaver => (
            "The person has left, and the account, which Kimlik must not touch, is still enabled.",
            "Kişi ayrıldı; Kimlik'in dokunmaması gereken hesabı hâlâ açık.",
        ),
        IssueKind::DisabledByHand => {
            ("Somebody disabled the account in the directory: it stays so.", "Hesap dizinde elle devre dışı bırakılmış: öyle kalır.")
        }
        IssueKind::UndeliverableMobile => (
            "Messages to the mobile number do not arrive: another one is needed.",
            "Cep numarasına mesaj ulaşmıyor: başka bir numara gerekli.",
        ),
        IssueKind::UndeliverableMail => {
            ("The mail server does not take messages to the address.", "Posta sunucusu bu adrese gelen iletileri almıyor.")
        }
        IssueKind::PhoneConflict => {
            ("A phone was changed in Kimlik, and HR says otherwise.", "Telefon Kimlik'te değiştirildi, İK başka bir numara söylüyor.")
        }
        IssueKind::CardValueCut => (
            "A value of the card does not fit the address book: it was cut, or left out.",
            "Karttaki bir değer adres defterine uymadı: kısaltıldı ya da boş bırakıldı.",
        ),
        IssueKind::PhotoUnusable => (
            "The photo cannot be used: a JPEG or PNG file of at most 100 KB is needed, under the name that HR gives.",
            "Fotoğraf kullanılamıyor: İK'deki adla, en çok 100 KB'lik bir JPEG veya PNG dosyası gerekli.",
        ),
        IssueKind::AddressPolicy => {
            ("An address policy of Exchange writes other addresses.", "Exchange adres ilkesi başka adresler yazıyor.")
        }
        IssueKind::ForeignMailbox => {
            ("The mailbox is of another kind than the settings make.", "Posta kutusu ayarlardakinden farklı türde.")
        }
        IssueKind::MailboxOverdue => {
            ("The mailbox is waited for longer than it should be.", "Posta kutusu gereğinden uzun süredir bekleniyor.")
        }
        IssueKind::MailboxRefused => ("The mailbox will not be made as things are.", "Posta kutusu bu durumda açılamıyor."),
        IssueKind::DuplicateAddress => ("Two objects of the directory carry this address.", "Bu e-posta adresi dizinde iki nesnede var."),
        IssueKind::ForeignGroups => (
            "Groups that somebody else gave are to be reviewed after a transfer.",
            "Nakilden sonra başkasının verdiği gruplar gözden geçirilmeli.",
        ),
        IssueKind::DirectoryRefused => ("The directory refused a change.", "Dizin bir değişikliği reddetti."),
        IssueKind::DuplicateEmployeeId => ("Two accounts carry this registry number.", "Bu sicil numarası iki hesapta var."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_said_in_both_languages() {
        for kind in IssueKind::ALL {
            let (english, turkish) = words(*kind);
            assert!(english.ends_with('.') && turkish.ends_with('.') && english != turkish, "{kind:?}");
        }
    }
}
