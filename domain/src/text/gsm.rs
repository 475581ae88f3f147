//! What a text costs as an SMS: alphabet, units, parts (3GPP TS 23.038, 23.040).
//!
//! The default alphabet has Ç Ö Ü ö ü; ç ğ Ğ ı İ ş Ş are in the Turkish shift tables only. Which of those a gateway can send is
//! the gateway's: without any, one such letter makes the whole text UCS-2, and parts of 160 become parts of 70.

/// What a gateway can send beside the default alphabet and UCS-2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shift {
    #[default]
    None,
    /// Turkish single shift table: such a letter costs two units.
    Single,
    /// Turkish locking and single shift tables: such a letter costs one unit.
    Locking,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Encoding {
    Gsm7,
    Gsm7TurkishSingle,
    Gsm7TurkishLocking,
    Ucs2,
}

/// How a text is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    pub encoding: Encoding,
    /// Septets, or UTF-16 units.
    pub units: u32,
    pub parts: u32,
}

const BASIC: &str =
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENSION: &str = "^{}\\[~]|€";
const TURKISH: &str = "ĞğİıŞşç";
/// Letters of the default alphabet that the Turkish locking table has given up for others.
const NOT_IN_LOCKING: &str = "èìøØÆæÉ¡¿Δ";

impl Encoding {
    /// Units in a part that is the only one, and in each of several.
    const fn capacity(self) -> (u32, u32) {
        match self {
            Encoding::Gsm7 => (160, 153),
            Encoding::Gsm7TurkishSingle => (155, 149),
            Encoding::Gsm7TurkishLocking => (152, 146),
            Encoding::Ucs2 => (70, 67),
        }
    }

    /// Septets that the letter takes; `None`: it has no place in this alphabet.
    fn cost(self, letter: char) -> Option<u32> {
        let (basic, extension, turkish) = (BASIC.contains(letter), EXTENSION.contains(letter), TURKISH.contains(letter));
        match self {
            Encoding::Gsm7 => basic.then_some(1).or(extension.then_some(2)),
            Encoding::Gsm7TurkishSingle => basic.then_some(1).or((extension || turkish).then_some(2)),
            Encoding::Gsm7TurkishLocking => {
                let one = (basic && !NOT_IN_LOCKING.contains(letter)) || turkish || letter == '€';
                one.then_some(1).or(extension.then_some(2))
            }
            Encoding::Ucs2 => Some(u32::try_from(letter.len_utf16()).unwrap_or(2)),
        }
    }
}

/// The cheapest way to send `text`: fewest parts, then the plainest alphabet.
pub fn measure(text: &str, shift: Shift) -> Measure {
    let offered: &[Encoding] = match shift {
        Shift::None => &[Encoding::Gsm7, Encoding::Ucs2],
        Shift::Single => &[Encoding::Gsm7, Encoding::Gsm7TurkishSingle, Encoding::Ucs2],
        Shift::Locking => &[Encoding::Gsm7, Encoding::Gsm7TurkishSingle, Encoding::Gsm7TurkishLocking, Encoding::Ucs2],
    };
    let ways = offered.iter().filter_map(|encoding| measured(text, *encoding));
    let ucs2 = Measure { encoding: Encoding::Ucs2, units: 0, parts: u32::MAX };
    ways.min_by_key(|way| (way.parts, way.encoding)).unwrap_or(ucs2)
}

fn measured(text: &str, encoding: Encoding) -> Option<Measure> {
    let (alone, each) = encoding.capacity();
    let (mut units, mut parts, mut room) = (0, 1, each);
    for letter in text.chars() {
        let cost = encoding.cost(letter)?;
        units += cost;
        // Why letter by letter: an escape and what it escapes (two halves of a pair) never stand in two parts.
        if cost > room {
            parts += 1;
            room = each;
        }
        room -= cost;
    }
    let parts = if units <= alone { 1 } else { parts };
    Some(Measure { encoding, units, parts })
}

/// With letters that the default alphabet has: ş -> s, ğ -> g, ı -> i, ç -> c; others that it lacks become `?`.
pub fn plain(text: &str) -> String {
    let letter = |c: char| match c {
        'ç' => 'c',
        'ğ' => 'g',
        'Ğ' => 'G',
        'ı' => 'i',
        'İ' => 'I',
        'ş' => 's',
        'Ş' => 'S',
        'â' => 'a',
        'Â' => 'A',
        'î' => 'i',
        'Î' => 'I',
        'û' => 'u',
        'Û' => 'U',
        '’' | '‘' => '\'',
        '“' | '”' => '"',
        '–' | '—' => '-',
        c if Encoding::Gsm7.cost(c).is_some() => c,
        _ => '?',
    };
    text.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(text: &str, shift: Shift) -> (Encoding, u32, u32) {
        let m = measure(text, shift);
        (m.encoding, m.units, m.parts)
    }

    #[test]
    fn parts_end_where_the_standard_and_the_price_lists_say() {
        let a = |n: usize| "a".repeat(n);
        for (n, parts) in [(160, 1), (161, 2), (306, 2), (307, 3), (459, 3), (460, 4)] {
            assert_eq!(way(&a(n), Shift::None), (Encoding::Gsm7, u32::try_from(n).unwrap(), parts), "{n}");
        }
        // One Turkish letter costs two units in the single shift table: 153 + 1 letters are 155 units.
        for (n, parts) in [(153, 1), (154, 2), (296, 2), (297, 3)] {
            assert_eq!(measure(&format!("{}ş", a(n)), Shift::Single).parts, parts, "{n}");
        }
        for (n, parts) in [(69, 1), (70, 2), (133, 2), (134, 3)] {
            assert_eq!(way(&format!("{}ş", a(n)), Shift::None), (Encoding::Ucs2, u32::try_from(n).unwrap() + 1, parts), "{n}");
        }
        for (n, parts) in [(151, 1), (152, 2), (291, 2), (292, 3)] {
            assert_eq!(measured(&format!("{}ş", a(n)), Encoding::Gsm7TurkishLocking).unwrap().parts, parts, "{n}");
        }
    }

    #[test]
    fn only_seven_turkish_letters_are_not_in_the_default_alphabet() {
        assert_eq!(way("ÇÖÜöü", Shift::None).0, Encoding::Gsm7);
        for letter in ["ç", "ğ", "Ğ", "ı", "İ", "ş", "Ş"] {
            assert_eq!(way(letter, Shift::None).0, Encoding::Ucs2, "{letter}");
            assert_eq!(way(letter, Shift::Single), (Encoding::Gsm7TurkishSingle, 2, 1), "{letter}");
        }
        assert_eq!(way(&"ş".repeat(100), Shift::Locking), (Encoding::Gsm7TurkishLocking, 100, 1));
    }

    #[test]
    fn what_is_escaped_is_not_cut_in_two() {
        // 152 + an escaped sign do not fit into 153: the sign goes whole into the next part.
        assert_eq!(measured(&format!("{}€{}", "a".repeat(152), "a".repeat(151)), Encoding::Gsm7).unwrap().parts, 2);
        assert_eq!(measured(&format!("{}€{}", "a".repeat(152), "a".repeat(152)), Encoding::Gsm7).unwrap().parts, 3);
        assert_eq!(way("€", Shift::None), (Encoding::Gsm7, 2, 1));
        assert_eq!(way("😀", Shift::None), (Encoding::Ucs2, 2, 1));
        assert_eq!(way("", Shift::None), (Encoding::Gsm7, 0, 1));
    }

    #[test]
    fn a_plain_text_is_in_the_default_alphabet() {
        assert_eq!(plain("Şifreniz değişti – ığdır, ÇÖÜ😀"), "Sifreniz degisti - igdir, ÇÖÜ?");
        assert_eq!(measure(&plain("çğĞıİşŞâîû’“—"), Shift::None).encoding, Encoding::Gsm7);
    }
}
