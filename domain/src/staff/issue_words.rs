//! Data issues in a few words of the ministry's languages: for lists that people read. What is wrong in particular stands with the issue.
use super::IssueKind;
use crate::message::Language;

/// A noun phrase without a full stop.
pub fn short(kind: IssueKind, language: Language) -> &'static str {
    let (turkish, english) = words(kind);
    match language {
        Language::Tr => turkish,
        Language::En => english,
    }
}

fn words(kind: IssueKind) -> (&'static str, &'static str) {
    match kind {
        IssueKind::UnreadableRow => ("Okunamayan satır", "Row that cannot be read"),
        IssueKind::MissingRegistryNo => ("Sicil numarası yok", "No registry number"),
        IssueKind::MissingName => ("Ad veya soyad yok", "No name"),
        IssueKind::InvalidDate => ("Geçersiz tarih", "Date that is none"),
        IssueKind::InvalidValue => ("Geçersiz değer", "Value that is not known"),
        IssueKind::Mojibake => ("Bozuk Türkçe karakterler", "Broken letters"),
        IssueKind::UnknownWord => ("Bilinmeyen sözcük", "Word that is not known"),
        IssueKind::InvalidNationalId => ("T.C. kimlik numarası geçersiz", "Invalid national id"),
        IssueKind::MissingNationalId => ("T.C. kimlik numarası yok", "No national id"),
        IssueKind::DuplicatePerson => ("Mükerrer kişi", "Person recorded twice"),
        IssueKind::ContradictoryRows => ("Çelişkili kayıtlar", "Records that contradict each other"),
        IssueKind::StaleRow => ("Eski tarihli kayıt", "Record older than what is known"),
        IssueKind::DatesOutOfOrder => ("Bitiş tarihi başlangıçtan önce", "End before its start"),
        IssueKind::MissingStart => ("Göreve başlama tarihi yok", "No first day in service"),
        IssueKind::MissingMobile => ("Cep telefonu numarası yok", "No mobile number"),
        IssueKind::DoubtfulMobile => ("Cep telefonu numarası hatalı", "Doubtful mobile number"),
        IssueKind::SharedMobile => ("Aynı cep telefonu birden fazla kişide", "Mobile number shared by several people"),
        IssueKind::UndeliverableMobile => ("Cep telefonuna ileti ulaşmıyor", "Mobile number that takes no messages"),
        IssueKind::UndeliverableMail => ("E-posta adresine ileti ulaşmıyor", "Mail address that takes no messages"),
        IssueKind::DoubtfulWorkPhone => ("İş telefonu hatalı", "Doubtful work phone"),
        IssueKind::PhoneConflict => ("Telefonda İK ile uyuşmazlık", "Phone on which HR says otherwise"),
        IssueKind::UnknownUnit => ("Birim bilinmiyor", "Unknown unit"),
        IssueKind::MissingUnit => ("Birim yok", "No unit"),
        IssueKind::UnknownReason => ("Tanımsız neden kodu", "Unknown reason code"),
        IssueKind::ReasonHolds => ("Karar bekleyen neden kodu", "Reason that somebody has to decide"),
        IssueKind::UnknownManager => ("Amir bilinmiyor", "Unknown superior"),
        IssueKind::ManagerCircle => ("Amirler döngüde", "Superiors in a circle"),
        IssueKind::TextTooLong => ("Alana sığmayan metin", "Text that is too long"),
        IssueKind::CardValueCut => ("Karta sığmayan değer", "Value that does not fit the card"),
        IssueKind::PhotoUnusable => ("Kullanılamayan fotoğraf", "Photo that cannot be used"),
        IssueKind::UnitShortName => ("Birimin kısa adı yok", "Unit without a short name"),
        IssueKind::UnitCircle | IssueKind::UnknownParent | IssueKind::InvalidUnit | IssueKind::InvalidUnitField => {
            ("Birim kaydında hata", "Fault in a unit's record")
        }
        IssueKind::AbsentFromSnapshot => ("İK listesinde görünmeyen kişi", "Person missing from HR's list"),
        IssueKind::FeedEmpty | IssueKind::FeedShrunken | IssueKind::FeedMostlyRejected | IssueKind::FeedUnreadable => {
            ("İK teslimatında sorun", "Trouble with a delivery of HR")
        }
        IssueKind::ForeignGroups => ("Gözden geçirilecek grup üyelikleri", "Groups to be reviewed"),
        _ => ("Hesap veya posta kutusu sorunu", "Trouble with an account or a mailbox"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_words_in_both_languages() {
        for kind in IssueKind::ALL {
            let (turkish, english) = words(*kind);
            assert!(turkish != english && !turkish.ends_with('.') && !english.ends_with('.'), "{kind:?}");
        }
    }
}
