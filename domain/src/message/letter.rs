//! What e-mails say, in Turkish and English: a subject of one line and a plain text. Operators may change both; what they wrote is
//! checked when Kimlik starts.
use super::template::{TemplateFault, check};
use super::{Language, Purpose, Telling};
use zeroize::Zeroizing;

#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// One line.
    pub subject: Zeroizing<String>,
    pub text: Zeroizing<String>,
}

/// Longer ones are cut by the programs that show them.
const LONGEST_SUBJECT: usize = 150;
const LONGEST_TEXT: usize = 10_000;

/// Checks what an operator wrote for the subject.
pub fn check_subject(purpose: Purpose, subject: &str) -> Result<(), TemplateFault> {
    if subject.contains('\n') || subject.chars().count() > LONGEST_SUBJECT {
        return Err(TemplateFault::Subject);
    }
    check(purpose, subject)
}

/// Checks what an operator wrote for the text.
pub fn check_text(purpose: Purpose, text: &str) -> Result<(), TemplateFault> {
    if text.chars().count() > LONGEST_TEXT {
        return Err(TemplateFault::Text);
    }
    check(purpose, text)
}

impl super::Templates {
    /// What is told, as a letter; `None`: no e-mail is carried, or this never goes by e-mail because it carries a code.
    pub fn letter(&self, telling: &Telling<'_>, language: Option<Language>) -> Option<Letter> {
        let purpose = telling.purpose();
        let (subject, text) = self.letters.get(&(purpose, language.unwrap_or(self.language))).filter(|_| self.carries_mail)?;
        // Why again: a value with a line break in it would be a header of its own.
        let subject = self.told(subject, telling).replace(|c: char| c.is_control(), " ");
        Some(Letter { subject: Zeroizing::new(subject), text: self.told(text, telling) })
    }

    /// Takes an operator's letter, or a part of it, instead of the one built in.
    pub fn set_letter(
        &mut self,
        purpose: Purpose,
        language: Language,
        subject: Option<&str>,
        text: Option<&str>,
    ) -> Result<(), TemplateFault> {
        let Some(letter) = self.letters.get_mut(&(purpose, language)) else { return Err(TemplateFault::NoLetter) };
        if let Some(subject) = subject {
            check_subject(purpose, subject)?;
            subject.clone_into(&mut letter.0);
        }
        if let Some(text) = text {
            check_text(purpose, text)?;
            text.clone_into(&mut letter.1);
        }
        Ok(())
    }
}

/// (subject, text); `None`: it carries a code, and codes do not go by e-mail.
pub(super) fn built_in(purpose: Purpose, language: Language) -> Option<(&'static str, &'static str)> {
    use Language::{En, Tr};
    Some(match (purpose, language) {
        (Purpose::AccountOpened | Purpose::ResetCode | Purpose::UnlockCode | Purpose::MobileConfirmCode, _) => return None,
        (Purpose::MobileChangedNotice, Tr) => (
            "Cep telefonunuz değiştirildi",
            "Merhaba,\n\n{username} hesabınızın cep telefonu değiştirildi. Bundan sonra parola kodları yeni numaraya gönderilecek.\n\n\
             Bunu siz ya da personel biriminiz yapmadıysa personel biriminize ve bilgi işlem birimine hemen bildirin.\n\n\
             Bu ileti kendiliğinden gönderilmiştir, yanıtlamayınız. Bakanlık sizden parolanızı hiçbir zaman istemez.\n",
        ),
        (Purpose::MobileChangedNotice, En) => (
            "Your mobile number was changed",
            "Hello,\n\nThe mobile number of your account {username} was changed. Password codes will go to the new number from now on.\n\n\
             If neither you nor your personnel unit did this, tell your personnel unit and the IT department at once.\n\n\
             This message was sent automatically; please do not answer it. The ministry never asks you for your password.\n",
        ),
        (Purpose::MobileRemovedNotice, Tr) => (
            "Cep telefonunuz kayıttan kaldırıldı",
            "Merhaba,\n\n{username} hesabınızın cep telefonu kayıttan kaldırıldı. Bundan sonra parola kodu gönderilemez: parolanızı \
             unutursanız personel biriminize başvurmanız gerekir.\n\n\
             Bunu siz ya da personel biriminiz yapmadıysa personel biriminize ve bilgi işlem birimine hemen bildirin.\n\n\
             Bu ileti kendiliğinden gönderilmiştir, yanıtlamayınız. Bakanlık sizden parolanızı hiçbir zaman istemez.\n",
        ),
        (Purpose::MobileRemovedNotice, En) => (
            "Your mobile number was removed",
            "Hello,\n\nThe mobile number of your account {username} was removed. No password codes can be sent any more: if you forget \
             your password, you have to turn to your personnel unit.\n\n\
             If neither you nor your personnel unit did this, tell your personnel unit and the IT department at once.\n\n\
             This message was sent automatically; please do not answer it. The ministry never asks you for your password.\n",
        ),
        (Purpose::PasswordChangedNotice, Tr) => (
            "Parolanız değiştirildi",
            "Merhaba,\n\n{username} hesabınızın parolası değiştirildi.\n\n\
             Bunu siz yapmadıysanız bilgi işlem birimine hemen bildirin. Parolanızı buradan yenileyebilirsiniz: {portal}\n\n\
             Bu ileti kendiliğinden gönderilmiştir, yanıtlamayınız. Bakanlık sizden parolanızı hiçbir zaman istemez.\n",
        ),
        (Purpose::PasswordChangedNotice, En) => (
            "Your password was changed",
            "Hello,\n\nThe password of your account {username} was changed.\n\n\
             If it was not you, tell the IT department at once. You can set a new password here: {portal}\n\n\
             This message was sent automatically; please do not answer it. The ministry never asks you for your password.\n",
        ),
        (Purpose::PinChangedNotice, Tr) => (
            "PIN kodunuz değiştirildi",
            "Merhaba,\n\n{username} hesabınızın PIN kodu değiştirildi. Parolanızı unutursanız SMS koduyla birlikte sorulur.\n\n\
             Bunu siz yapmadıysanız bilgi işlem birimine hemen bildirin.\n\n\
             Bu ileti kendiliğinden gönderilmiştir, yanıtlamayınız. Bakanlık sizden parolanızı hiçbir zaman istemez.\n",
        ),
        (Purpose::PinChangedNotice, En) => (
            "Your PIN was changed",
            "Hello,\n\nThe PIN of your account {username} was changed. It is asked beside the code if you forget your password.\n\n\
             If it was not you, tell the IT department at once.\n\n\
             This message was sent automatically; please do not answer it. The ministry never asks you for your password.\n",
        ),
        (Purpose::SignInNotice, Tr) => (
            "Yanlış parolalardan sonra oturum açıldı",
            "Merhaba,\n\n{username} hesabıyla, {count} yanlış parola denemesinden sonra oturum açıldı.\n\n\
             Sizseniz yapmanız gereken bir şey yok. Değilseniz bilgi işlem birimine bildirin ve parolanızı hemen değiştirin: {portal}\n\n\
             Bu ileti kendiliğinden gönderilmiştir, yanıtlamayınız. Bakanlık sizden parolanızı hiçbir zaman istemez.\n",
        ),
        (Purpose::SignInNotice, En) => (
            "Somebody signed in after wrong passwords",
            "Hello,\n\nSomebody signed in as {username} after {count} wrong passwords.\n\n\
             If it was you, there is nothing to do. If not, tell the IT department and change your password at once: {portal}\n\n\
             This message was sent automatically; please do not answer it. The ministry never asks you for your password.\n",
        ),
        (Purpose::PasswordExpiring, Tr) => (
            "Parolanızın süresi {days} gün içinde doluyor",
            "Merhaba,\n\n{username} hesabınızın parolası {days} gün içinde geçersiz olacak. Yenilemek için: {portal}\n\n\
             Adresi bağlantıya tıklamak yerine tarayıcınıza kendiniz yazabilirsiniz.\n\n\
             Bu ileti kendiliğinden gönderilmiştir, yanıtlamayınız. Bakanlık sizden parolanızı hiçbir zaman istemez.\n",
        ),
        (Purpose::IssueDigest, Tr) => (
            "Personel kayıtlarında {count} açık sorun",
            "Merhaba,\n\nBiriminizin sorumlu olduğu personelin kayıtlarında {count} açık sorun var; {blocking} tanesi yeni personeli \
             bekletiyor, {overdue} tanesinin düzeltilme günü geçti.\n\n{issues}\nKimlerin kaydında ne olduğunu ve nasıl düzeltileceğini görmek için: {portal}\n\n\
             İK kaydı düzeltilen sorun kendiliğinden kapanır. Bu ileti her gün bir kez kendiliğinden gönderilir, yanıtlamayınız.\n",
        ),
        (Purpose::IssueDigest, En) => (
            "{count} open issues in personnel records",
            "Hello,\n\nThe records of the people whom your unit is responsible for have {count} open issues; {blocking} of them keep \
             newcomers waiting, {overdue} should have been mended by now.\n\n{issues}\nTo see whose records they are and what to do: {portal}\n\n\
             An issue closes by itself once HR's record is right. This message is sent once a day; please do not answer it.\n",
        ),
        (Purpose::PasswordExpiring, En) => (
            "Your password expires within {days} days",
            "Hello,\n\nThe password of your account {username} expires within {days} days. To renew it: {portal}\n\n\
             Instead of following the link you can type the address into your browser.\n\n\
             This message was sent automatically; please do not answer it. The ministry never asks you for your password.\n",
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::super::Templates;
    use super::*;

    fn templates() -> Templates {
        let mut templates = Templates::new("https://parola.csb.gov.tr", Language::Tr);
        templates.carries_mail = true;
        templates
    }

    #[test]
    fn the_letters_built_in_pass_the_check_for_operators_and_no_code_goes_by_mail() {
        for purpose in Purpose::ALL {
            for language in [Language::Tr, Language::En] {
                let letter = built_in(*purpose, language);
                assert_eq!(letter.is_none(), purpose.carries_code());
                let Some((subject, text)) = letter else { continue };
                assert_eq!((check_subject(*purpose, subject), check_text(*purpose, text)), (Ok(()), Ok(())), "{subject}");
            }
        }
        assert!(templates().letter(&Telling::ResetCode { minutes: 10 }, None).is_none());
    }

    #[test]
    fn a_letter_is_filled_and_nothing_is_written_where_no_mail_is_carried() {
        let telling = Telling::PasswordExpiring { username: "ayse.yilmaz", days: 3 };
        let letter = templates().letter(&telling, None).unwrap();
        assert_eq!(letter.subject.as_str(), "Parolanızın süresi 3 gün içinde doluyor");
        assert!(letter.text.contains("ayse.yilmaz") && letter.text.contains("https://parola.csb.gov.tr"), "{}", *letter.text);
        assert!(!letter.text.contains('{'));
        assert!(Templates::new("https://parola.csb.gov.tr", Language::Tr).letter(&telling, None).is_none());
    }

    #[test]
    fn neither_an_operator_nor_a_value_brings_a_second_line_into_a_subject() {
        let mut templates = templates();
        let set = |t: &mut Templates, subject: &str| t.set_letter(Purpose::PasswordExpiring, Language::Tr, Some(subject), None);
        assert_eq!(set(&mut templates, "Bir\nBcc: x@y.test"), Err(TemplateFault::Subject));
        assert_eq!(set(&mut templates, "Bir\rBcc: x@y.test"), Err(TemplateFault::Text));
        assert_eq!(set(&mut templates, &"ş".repeat(151)), Err(TemplateFault::Subject));
        assert_eq!(set(&mut templates, "{code}"), Err(TemplateFault::UnknownSlot("code".into())));
        assert_eq!(templates.set_letter(Purpose::ResetCode, Language::Tr, None, Some("{code}")), Err(TemplateFault::NoLetter));
        assert_eq!(set(&mut templates, "{username}: {days}"), Ok(()));
        let letter = templates.letter(&Telling::PasswordExpiring { username: "a\r\nBcc: x@y.test\u{2028}", days: 1 }, None).unwrap();
        assert_eq!(letter.subject.as_str(), "aBcc: x@y.test\u{2028}: 1");
    }
}
