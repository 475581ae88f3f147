//! A letter as it goes over the wire: headers that no value can break out of, letters beyond ASCII encoded, lines of a bearable length.
use kimlik_domain::message::MailAddress;
use kimlik_domain::ports::{Parcel, PortError, PortResult, Refusal};
use lettre::Address;
use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, SinglePart};
use std::time::SystemTime;

/// Who writes.
pub(super) struct Sender {
    pub(super) address: Address,
    pub(super) name: String,
}

impl Sender {
    pub(super) fn new(address: &str, name: &str) -> Result<Sender, &'static str> {
        let address = MailAddress::parse(address).map_err(|_| "is no mail address")?;
        let address = address.as_str().parse().map_err(|_| "is no mail address")?;
        if name.chars().any(char::is_control) {
            Err("its name has a control character in it")
        } else {
            Ok(Sender { address, name: name.into() })
        }
    }
}

/// The envelope and the whole letter. Why the Message-ID is our own: a server that gets the same letter twice can know it.
pub(super) fn letter(from: &Sender, parcel: &Parcel<'_>) -> PortResult<(Envelope, Vec<u8>)> {
    let unfit = |what: &str| PortError::refused(Refusal::Value, format!("no letter can be made of it: {what}"));
    let to: Address = parcel.to.whole().parse().map_err(|_| unfit("the address"))?;
    let envelope = Envelope::new(Some(from.address.clone()), vec![to.clone()]).map_err(|_| unfit("the envelope"))?;
    let name = (!from.name.is_empty()).then(|| from.name.clone());
    // Why: programs that answer for people who are away do not answer this (RFC 3834).
    let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
    let letter = Message::builder()
        .from(Mailbox::new(name, from.address.clone()))
        .to(Mailbox::new(None, to))
        .subject(parcel.subject)
        .date(SystemTime::from(parcel.at))
        .message_id(Some(format!("<{}@{}>", parcel.reference, from.address.domain())))
        .raw_header(automatic)
        .singlepart(SinglePart::plain(parcel.text.trim_end_matches(['\r', '\n']).to_owned()))
        .map_err(|_| unfit("its parts"))?;
    let mut letter = letter.formatted();
    // Why without line breaks at its end: what ends the letter on the wire begins with one.
    while letter.last().is_some_and(|octet| matches!(octet, b'\r' | b'\n')) {
        letter.pop();
    }
    Ok((envelope, letter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kimlik_domain::id::MessageId;
    use kimlik_domain::message::{Purpose, Recipient};

    fn written(subject: &str, text: &str) -> String {
        let to: Recipient = MailAddress::parse("ayse.sahin@csb.test").unwrap().into();
        let from = Sender::new("kimlik@csb.test", "Bakanlık Kimlik").unwrap();
        let at = "2026-11-28T06:00:00Z".parse().unwrap();
        let parcel = Parcel {
            reference: MessageId(uuid::Uuid::from_u128(7)),
            to: &to,
            subject,
            text,
            purpose: Purpose::PasswordExpiring,
            valid_until: None,
            at,
        };
        String::from_utf8(letter(&from, &parcel).unwrap().1).unwrap()
    }

    #[test]
    fn a_letter_is_ascii_whatever_it_says_and_has_each_header_once() {
        let text = written("Parolanızın süresi 3 gün içinde doluyor: İĞÜŞÖÇ ığüşöç 😀", "Şifre\n.\n..\nson\n");
        assert!(text.is_ascii(), "{text}");
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        for header in ["From: ", "To: ", "Subject: ", "Date: ", "Message-ID: ", "Auto-Submitted: auto-generated", "MIME-Version: "] {
            assert_eq!(head.lines().filter(|line| line.starts_with(header)).count(), 1, "{header}\n{head}");
        }
        assert!(text.contains("<00000000-0000-0000-0000-000000000007@csb.test>"));
        assert!(text.lines().all(|line| line.len() <= 998));
    }

    #[test]
    fn a_subject_with_a_line_break_is_still_one_header() {
        for subject in ["x\r\nBcc: y@z.test", "x\nBcc: y@z.test", "x\r\n\r\nbody", "ş\r\nBcc: y@z.test"] {
            let text = written(subject, "t");
            let (head, _) = text.split_once("\r\n\r\n").unwrap();
            assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
            assert!(head.contains("MIME-Version"), "the head ends where it should: {head}");
        }
        assert!(Sender::new("kimlik@csb.test\r\nBcc: y@z.test", "").is_err() && Sender::new("kimlik@csb.test", "a\r\nb").is_err());
    }
}
