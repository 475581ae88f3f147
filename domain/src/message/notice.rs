//! A notice goes over every channel on which its owner can be reached: who has taken one of them over does not hold the other.
use super::{Language, MailAddress, NewMessage, Purpose, Telling, Templates};
use crate::id::MessageId;
use crate::staff::MobileNumber;
use chrono::{DateTime, Utc};
use uuid::Uuid;
use zeroize::Zeroizing;

/// Where and until when something is told that carries no code.
#[derive(Clone, Debug)]
pub struct Notice<'a> {
    /// `None`: not by SMS.
    pub mobile: Option<&'a MobileNumber>,
    /// `None`: not by e-mail. What is no address is left out.
    pub mail: Option<&'a str>,
    /// With person and purpose, what it is about: told once on each channel.
    pub occasion: String,
    pub language: Option<Language>,
    pub valid_until: Option<DateTime<Utc>>,
}

/// One message a channel; `id` makes the messages' ids.
pub fn notices(texts: &Templates, telling: &Telling<'_>, to: &Notice<'_>, mut id: impl FnMut() -> Uuid) -> Vec<NewMessage> {
    let purpose: Purpose = telling.purpose();
    let mut made = Vec::new();
    let mut add = |to_whom, subject, text| {
        made.push(NewMessage {
            id: MessageId(id()),
            purpose,
            occasion: to.occasion.clone(),
            to: to_whom,
            subject,
            text,
            code: None,
            valid_until: to.valid_until,
        });
    };
    if let Some(mobile) = to.mobile {
        add(mobile.clone().into(), None::<Zeroizing<String>>, texts.compose(telling, to.language));
    }
    if let Some(address) = to.mail.and_then(|mail| MailAddress::parse(mail).ok())
        && let Some(letter) = texts.letter(telling, to.language)
    {
        add(address.into(), Some(letter.subject), letter.text);
    }
    made
}

#[cfg(test)]
mod tests {
    use super::super::Channel;
    use super::*;

    #[test]
    fn both_channels_are_used_where_both_are_there() {
        let mut texts = Templates::new("https://parola.csb.test", Language::Tr);
        let mobile = MobileNumber::parse("05321234567").unwrap();
        let told = |texts: &Templates, mobile: Option<&MobileNumber>, mail: Option<&str>| -> Vec<Channel> {
            let to = Notice { mobile, mail, occasion: "1".into(), language: None, valid_until: None };
            let made = notices(texts, &Telling::PasswordChangedNotice { username: "ayse" }, &to, Uuid::nil);
            made.iter().map(|m| m.to.channel()).collect()
        };
        assert_eq!(told(&texts, Some(&mobile), Some("ayse@csb.test")), [Channel::Sms], "no mail is carried");
        texts.carries_mail = true;
        assert_eq!(told(&texts, Some(&mobile), Some("ayse@csb.test")), [Channel::Sms, Channel::Mail]);
        assert_eq!(told(&texts, None, Some("ayse@csb.test")), [Channel::Mail]);
        assert_eq!(told(&texts, None, Some("no address")), []);
    }
}
