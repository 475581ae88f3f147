//! Turkish letters. `str::to_lowercase` is wrong for them (I -> i, İ -> i + U+0307): use what stands here.
pub mod gsm;
pub mod phrase; // a text made by one pattern, said by another

use icu_casemap::{CaseMapper, TitlecaseMapper};
use icu_collator::{Collator, CollatorBorrowed, options::CollatorOptions};
use icu_locale_core::{LanguageIdentifier, langid, locale};
use std::sync::LazyLock;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

const TURKISH: LanguageIdentifier = langid!("tr");

/// `IŞIK` -> `ışık`, `İĞNE` -> `iğne`.
pub fn lower(text: &str) -> String {
    CaseMapper::new().lowercase_to_string(text, &TURKISH).into_owned()
}

/// `ışık` -> `IŞIK`, `iğne` -> `İĞNE`.
pub fn upper(text: &str) -> String {
    CaseMapper::new().uppercase_to_string(text, &TURKISH).into_owned()
}

/// A name as people write it. HR systems often keep capitals (`İBRAHİM` -> `İbrahim`, `AYŞE-NUR` -> `Ayşe-Nur`);
/// a name that already mixes cases (`McAdam`, `Ayşe de la Cruz`) is the owner's own spelling and stays.
pub fn person_name(text: &str) -> String {
    let text = tidy(text);
    let letters: Vec<char> = text.chars().filter(|c| c.is_alphabetic()).collect();
    let all_upper = letters.len() > 1 && letters.iter().all(|c| c.is_uppercase());
    let all_lower = letters.iter().all(|c| c.is_lowercase());
    if !(all_upper || all_lower) {
        return text;
    }
    let mapper = TitlecaseMapper::new();
    let mut out = String::with_capacity(text.len());
    for part in text.split_inclusive([' ', '-', '\'', '’', '.']) {
        out.push_str(&mapper.titlecase_segment_to_string(part, &TURKISH, Default::default()));
    }
    out
}

/// Composed (NFC), trimmed, inner white space single, no control characters.
pub fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.nfc() {
        if c.is_whitespace() || c.is_control() {
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
        } else {
            out.push(c);
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Letters, digits and separators in ASCII, lower case: for user names and addresses.
///
/// Why a table before decomposition: dotless ı has none, so generic accent stripping keeps it, and an
/// address with ı in it is invalid. Letters that nothing maps are left out.
pub fn to_ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            'ı' | 'I' | 'İ' | 'î' | 'Î' => out.push('i'),
            'ß' => out.push_str("ss"),
            'æ' | 'Æ' => out.push_str("ae"),
            'ø' | 'Ø' => out.push('o'),
            'ə' | 'Ə' => out.push('e'),
            'ł' | 'Ł' => out.push('l'),
            'đ' | 'Đ' => out.push('d'),
            c if c.is_ascii() => out.push(c.to_ascii_lowercase()),
            c => out.extend(std::iter::once(c).nfd().filter(|d| !is_combining_mark(*d) && d.is_ascii()).map(|d| d.to_ascii_lowercase())),
        }
    }
    out
}

/// What a search compares: `ŞAHİN`, `Şahin`, `sahin` fold alike. Letters that have no ASCII form stay as they are.
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.nfkc() {
        let ascii = to_ascii(c.encode_utf8(&mut [0; 4]));
        if ascii.is_empty() && !is_combining_mark(c) {
            out.extend(c.to_lowercase());
        } else {
            out.push_str(&ascii);
        }
    }
    out
}

/// The length that the directory counts: UTF-16 code units.
pub fn utf16_len(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// Cut to at most `max` UTF-16 units, at the end of a word where there is one, never inside a letter.
pub fn clip(text: &str, max: usize) -> &str {
    if utf16_len(text) <= max {
        return text;
    }
    let (mut units, mut end) = (0, 0);
    for (at, c) in text.char_indices() {
        units += c.len_utf16();
        if units > max {
            break;
        }
        end = at + c.len_utf8();
    }
    let cut = &text[..end];
    match cut.rfind(' ') {
        Some(space) if !text[end..].starts_with(' ') && space > 0 => cut[..space].trim_end(),
        _ => cut.trim_end(),
    }
}

/// Signs that text was decoded with the wrong table: UTF-8 read as windows-1254 (`Ä°`, `ÅŸ`, `Ã¼`), windows-1254
/// read as 8859-1 (`Þehir`, `Ýstanbul`), or letters already lost (`?` between letters, U+FFFD).
/// Sound because none of those letters exists in Turkish; a foreigner's name with ð or ý is looked at by a person.
pub fn looks_mangled(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    chars.iter().enumerate().any(|(i, c)| {
        let next = chars.get(i + 1).copied().unwrap_or(' ');
        match c {
            'Ý' | 'ý' | 'Þ' | 'þ' | 'Ð' | 'ð' | '\u{FFFD}' => true,
            'Ã' | 'Ä' | 'Å' => !next.is_ascii() && !next.is_alphabetic() || matches!(next, '±' | '°' | 'Ÿ' | 'ÿ' | 'Œ' | 'œ' | 'ž'),
            '?' => i > 0 && chars[i - 1].is_alphabetic() && next.is_alphabetic(),
            _ => false,
        }
    })
}

/// Octets that sort as Turkish does: C < Ç < H < I < İ < O < Ö.
pub fn sort_key(text: &str) -> Vec<u8> {
    static COLLATOR: LazyLock<Option<CollatorBorrowed<'static>>> =
        LazyLock::new(|| Collator::try_new(locale!("tr").into(), CollatorOptions::default()).ok());
    let mut key = Vec::new();
    match COLLATOR.as_ref() {
        Some(collator) => {
            let Ok(()) = collator.write_sort_key_to(text, &mut key);
        }
        None => key.extend(fold(text).bytes()),
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turkish_i_is_right_in_both_directions() {
        assert_eq!(lower("IŞIK İĞNE"), "ışık iğne");
        assert_eq!(upper("ışık iğne"), "IŞIK İĞNE");
        assert_eq!(person_name("  İBRAHİM   IŞIK "), "İbrahim Işık");
        assert_eq!(person_name("ayşe-nur o'neil"), "Ayşe-Nur O'Neil");
        assert_eq!(person_name("Ayşe de la Cruz"), "Ayşe de la Cruz");
        assert_eq!(person_name("AKBABA I"), "Akbaba I");
    }

    #[test]
    fn identifiers_are_ascii_and_searches_fold_alike() {
        assert_eq!(to_ascii("Çağrı Şükrü İÖÜ Â"), "cagri sukru iou a");
        assert_eq!(fold("ŞAHİN"), fold("sahin"));
        assert_eq!(fold("IŞIK"), "isik");
        assert_eq!(fold("i\u{307}zmir"), "izmir");
    }

    #[test]
    fn mangled_text_is_seen_and_good_text_is_not() {
        for bad in ["Ä°brahim", "ÅŸahin", "GÃ¼l", "Þahin", "Ýbrahim", "Yýlmaz", "Y?lmaz", "A\u{FFFD}e"] {
            assert!(looks_mangled(bad), "{bad}");
        }
        for good in ["İbrahim Şahin", "Gül", "Âlim", "Ångström", "Müller", "IŞIK"] {
            assert!(!looks_mangled(good), "{good}");
        }
    }

    #[test]
    fn order_is_turkish() {
        let mut names = vec!["Öz", "Oya", "İpek", "Irmak", "Çağ", "Can", "Hale"];
        names.sort_by_key(|n| sort_key(n));
        assert_eq!(names, ["Can", "Çağ", "Hale", "Irmak", "İpek", "Oya", "Öz"]);
    }

    #[test]
    fn a_cut_falls_between_words_and_never_inside_a_letter() {
        assert_eq!(clip("Çevre ve Şehircilik", 10), "Çevre ve");
        assert_eq!(clip("Çevre ve Şehircilik", 8), "Çevre ve");
        assert_eq!(clip("𝒜𝒜𝒜", 3), "𝒜");
        assert_eq!(clip("kısa", 64), "kısa");
    }
}
