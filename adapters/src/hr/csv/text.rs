//! From the octets of a file to records of cells: encoding, separator, quotation marks, lines. Knows no columns. Pure.
use encoding_rs::{Encoding, UTF_8, WINDOWS_1254};
use std::borrow::Cow;

/// One record with the line on which it begins; several lines where a quoted cell holds line breaks.
#[derive(Debug, PartialEq, Eq)]
pub struct Record<'a> {
    pub line: u32,
    pub cells: Result<Vec<Cow<'a, str>>, &'static str>,
}

/// A quoted cell may run over so many lines. Why a limit: one forgotten quotation mark must not swallow the rest of a file.
const LONGEST_CELL: u32 = 20;

/// Why the file cannot be text at all.
pub fn unreadable(octets: &[u8]) -> Option<&'static str> {
    match octets {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("is UTF-16; save it as UTF-8"),
        [b'P', b'K', 3, 4, ..] => Some("is a workbook or an archive; save it as CSV"),
        octets if octets.iter().all(u8::is_ascii_whitespace) => Some("is empty"),
        _ => None,
    }
}

pub fn without_bom(octets: &[u8]) -> &[u8] {
    octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets)
}

/// UTF-8 or windows-1254, found by looking at the lines that are more than ASCII. UTF-8 with a few damaged lines stays
/// UTF-8, and those lines are broken ones: windows-1254 text is next to never UTF-8 by chance.
pub fn encoding(octets: &[u8]) -> &'static Encoding {
    let (mut utf8, mut other) = (0_usize, 0_usize);
    for line in octets.split(|octet| *octet == b'\n').filter(|line| !line.is_ascii()) {
        match std::str::from_utf8(line) {
            Ok(_) => utf8 += 1,
            Err(_) => other += 1,
        }
    }
    if other > utf8 { WINDOWS_1254 } else { UTF_8 }
}

/// Octets that windows-1254 does not use.
fn is_no_letter(octet: u8) -> bool {
    matches!(octet, 0x81 | 0x8d | 0x8e | 0x8f | 0x90 | 0x9d | 0x9e)
}

fn decode<'a>(octets: &'a [u8], encoding: &'static Encoding) -> Result<Cow<'a, str>, &'static str> {
    if octets.contains(&0) {
        return Err("holds NUL characters");
    }
    if encoding == UTF_8 {
        return std::str::from_utf8(octets)
            .map(Cow::Borrowed)
            .map_err(|_| "holds characters that are not UTF-8, as the rest of the file is");
    }
    if octets.iter().copied().any(is_no_letter) {
        return Err("holds characters that are neither UTF-8 nor windows-1254");
    }
    Ok(WINDOWS_1254.decode_without_bom_handling(octets).0)
}

/// The records of `octets`, blank ones left out (nothing but space and separators).
///
/// A record of several lines counts only if it can be split, into `expected` cells where that is known. Otherwise its first
/// line has a quotation mark too many, and what follows is read as records of their own: no row is lost inside a cell.
pub fn records<'a>(
    octets: &'a [u8],
    separator: u8,
    encoding: &'static Encoding,
    expected: Option<usize>,
) -> impl Iterator<Item = Record<'a>> {
    let (mut at, mut line) = (0, 1_u32);
    std::iter::from_fn(move || {
        while at < octets.len() {
            let rest = &octets[at..];
            let (mut end, mut lines) = record_end(rest, separator).unwrap_or((0, 0));
            let raw = trim_line_end(&rest[..end]);
            let mut cells = decode(raw, encoding).and_then(|text| split(text, separator));
            let fits = cells.as_ref().is_ok_and(|cells| fits(cells, expected));
            if lines == 0 || (lines > 1 && !fits) {
                (end, lines) = (rest.iter().position(|octet| *octet == b'\n').map_or(rest.len(), |at| at + 1), 1);
                cells = Err("has a quotation mark that is not closed");
            }
            let began = line;
            at += end;
            line = line.saturating_add(lines);
            if !rest[..end].iter().all(|octet| octet.is_ascii_whitespace() || *octet == separator) {
                return Some(Record { line: began, cells });
            }
        }
        None
    })
}

/// Empty cells behind the last one are what spreadsheets leave, and are forgiven.
pub fn fits(cells: &[Cow<'_, str>], expected: Option<usize>) -> bool {
    expected.is_none_or(|n| cells.len() >= n && cells[n..].iter().all(|cell| cell.trim().is_empty()))
}

fn trim_line_end(raw: &[u8]) -> &[u8] {
    let raw = raw.strip_suffix(b"\n").unwrap_or(raw);
    raw.strip_suffix(b"\r").unwrap_or(raw)
}

/// Where the record ends (behind its line break), and how many lines it takes; `None` where a quotation mark stays open.
fn record_end(octets: &[u8], separator: u8) -> Option<(usize, u32)> {
    let (mut quoted, mut at_start, mut lines, mut at) = (false, true, 0_u32, 0);
    while at < octets.len() {
        let octet = octets[at];
        at += 1;
        match octet {
            b'"' if quoted && octets.get(at) == Some(&b'"') => at += 1,
            b'"' if quoted => quoted = false,
            b'"' if at_start => quoted = true,
            b'\n' => {
                lines += 1;
                if !quoted {
                    return Some((at, lines));
                }
                if lines >= LONGEST_CELL {
                    return None;
                }
            }
            _ => {}
        }
        at_start = !quoted && (octet == separator || (at_start && octet == b' '));
    }
    (!quoted).then_some((octets.len(), lines + 1))
}

/// Cells of one record. Quotation marks count only where they begin a cell, and are doubled inside (RFC 4180).
fn split(text: Cow<'_, str>, separator: u8) -> Result<Vec<Cow<'_, str>>, &'static str> {
    let separator = char::from(separator);
    if !text.contains('"') {
        return Ok(match text {
            Cow::Borrowed(text) => text.split(separator).map(Cow::Borrowed).collect(),
            Cow::Owned(text) => text.split(separator).map(|cell| Cow::Owned(cell.to_owned())).collect(),
        });
    }
    let mut cells = Vec::new();
    let mut rest: &str = &text;
    loop {
        let opened = rest.trim_start_matches(' ').strip_prefix('"');
        let (cell, after) = match opened {
            None => rest.split_once(separator).map_or((rest.to_owned(), None), |(cell, after)| (cell.to_owned(), Some(after))),
            Some(inner) => {
                let (cell, after) = quoted(inner).ok_or("has a quotation mark that is not closed")?;
                let after = after.trim_start_matches(' ');
                match after.strip_prefix(separator) {
                    _ if after.is_empty() => (cell, None),
                    Some(after) => (cell, Some(after)),
                    None => return Err("has text behind a closing quotation mark"),
                }
            }
        };
        cells.push(Cow::Owned(cell));
        match after {
            Some(after) => rest = after,
            None => return Ok(cells),
        }
    }
}

/// The content up to the closing mark, and what stands behind it.
fn quoted(inner: &str) -> Option<(String, &str)> {
    let mut cell = String::new();
    let mut rest = inner;
    loop {
        let (part, after) = rest.split_once('"')?;
        cell.push_str(part);
        match after.strip_prefix('"') {
            Some(after) => {
                cell.push('"');
                rest = after;
            }
            None => return Some((cell, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(u32, Result<Vec<String>, &'static str>)> {
        let own = |cells: Vec<Cow<'_, str>>| cells.into_iter().map(Cow::into_owned).collect();
        records(text.as_bytes(), b';', UTF_8, None).map(|r| (r.line, r.cells.map(own))).collect()
    }
    fn cells(cells: &[&str]) -> Result<Vec<String>, &'static str> {
        Ok(cells.iter().map(|c| (*c).to_owned()).collect())
    }

    #[test]
    fn quotation_marks_line_breaks_and_blank_lines_are_read_as_people_mean_them() {
        let text = "a;\"b;\"\"c\"\"\";d\r\n\r\n;;\r\n\"x\ny\"; z\n5\" boru;q";
        assert_eq!(read(text), [(1, cells(&["a", "b;\"c\"", "d"])), (4, cells(&["x\ny", " z"])), (6, cells(&["5\" boru", "q"]))]);
    }

    #[test]
    fn a_forgotten_quotation_mark_costs_its_own_line_only() {
        let mut text = "a;\"b\n".to_owned();
        (0..40).for_each(|n| text.push_str(&format!("c;{n}\n")));
        let read = read(&text);
        assert_eq!(
            (read.len(), read[0].1.clone(), read[1].clone()),
            (41, Err("has a quotation mark that is not closed"), (2, cells(&["c", "0"])))
        );
        assert_eq!(self::read("\"a\"b;c")[0].1, Err("has text behind a closing quotation mark"));
    }

    #[test]
    fn the_encoding_is_found_by_looking() {
        let (turkish, _, _) = WINDOWS_1254.encode("Şahin;İpek\nIşık;Çağ\n");
        assert_eq!(encoding(&turkish), WINDOWS_1254);
        assert_eq!(encoding("Şahin;İpek\n".as_bytes()), UTF_8);
        let mut damaged = "Şahin\nİpek\nÖz\n".as_bytes().to_vec();
        damaged.extend(b"\xde\n");
        assert_eq!(encoding(&damaged), UTF_8);
        let broken = records(&damaged, b';', UTF_8, None).filter(|r| r.cells.is_err()).map(|r| r.line).collect::<Vec<_>>();
        assert_eq!(broken, [4]);
    }
}
