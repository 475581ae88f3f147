//! The words that HR systems use where the contract has a fixed list, in Turkish and English. What is not here is not guessed.
use crate::staff::person::{EmploymentStatus, PostingKind};
use crate::staff::unit::UnitKind;
use crate::text;

/// `GÖREVDEN UZAKLAŞTIRILDI`, `On-Leave` -> `gorevden uzaklastirildi`, `on leave`.
fn plain(word: &str) -> String {
    text::tidy(&text::fold(word).replace(['_', '-', '.', '/'], " "))
}

pub(super) fn status(word: &str) -> Option<EmploymentStatus> {
    Some(match plain(word).as_str() {
        "active" | "aktif" | "calisiyor" | "calisan" | "gorevde" | "faal" => EmploymentStatus::Active,
        "on leave" | "leave" | "izinli" | "ayliksiz izinli" | "ayliksiz izin" | "ucretsiz izinli" | "ucretsiz izin" | "askerde" => {
            EmploymentStatus::OnLeave
        }
        "suspended" | "gorevden uzaklastirildi" | "gorevden uzak" | "acikta" | "uzaklastirildi" => EmploymentStatus::Suspended,
        // Why not "pasif": in one system it means left, in another on leave.
        "terminated" | "left" | "ayrildi" | "ayrilmis" | "emekli" | "istifa" | "istifa etti" | "vefat" | "vefat etti" => {
            EmploymentStatus::Terminated
        }
        _ => return None,
    })
}

pub(super) fn posting_kind(word: &str) -> Option<PostingKind> {
    Some(match plain(word).as_str() {
        "permanent" | "asil" | "asli" | "kadro" | "kadrolu" => PostingKind::Permanent,
        "seconded" | "secondment" | "gecici" | "gecici gorev" | "gecici gorevlendirme" => PostingKind::Seconded,
        "acting" | "vekalet" | "vekaleten" | "vekil" => PostingKind::Acting,
        _ => return None,
    })
}

pub(super) fn unit_kind(word: &str) -> Option<UnitKind> {
    Some(match plain(word).as_str() {
        "central" | "merkez" => UnitKind::Central,
        "provincial" | "tasra" => UnitKind::Provincial,
        _ => return None,
    })
}

pub(super) fn yes_or_no(word: &str) -> Option<bool> {
    Some(match plain(word).as_str() {
        "yes" | "evet" | "true" | "1" | "e" | "y" => true,
        "no" | "hayir" | "false" | "0" | "h" | "n" => false,
        _ => return None,
    })
}
