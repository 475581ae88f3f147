//! What is wrong with a record that was handed in, in the caller's language.
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
        _ => ("Somebody should look at this record.", "Bu kayda bir yetkili bakmalı."),
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
